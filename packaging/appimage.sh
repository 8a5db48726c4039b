#!/usr/bin/env bash
# Makes an AppImage of the bundle: the runtime's bytes, and a squashfs behind them.
# usage: APPIMAGE_RUNTIME=FILE packaging/appimage.sh VERSION BUNDLE ICONS OUT
# UNTESTED as a whole: no runtime could be had where this was written. The folder it packs was
# started by its AppRun, and the squashfs was unpacked and started.
set -eu
version=$1 bundle=$2 icons=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
id=io.github.basisdesk.basisdesk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/AppDir
install -d "$root/usr/lib" "$root/usr/share/icons"
cp -a "$bundle" "$root/usr/lib/basisdesk"
cp -a "$icons/hicolor" "$root/usr/share/icons/"
"$here/linux_files.sh" "$version" "$root"
install -m755 "$here/linux/AppRun" "$root/AppRun"
ln -s "usr/share/applications/$id.desktop" "$root/$id.desktop"
ln -s "usr/share/icons/hicolor/256x256/apps/$id.png" "$root/$id.png"
ln -s "$id.png" "$root/.DirIcon"
mksquashfs "$root" "$work/squashfs" -root-owned -noappend -no-progress -quiet -comp zstd
cat "$APPIMAGE_RUNTIME" "$work/squashfs" >"$out"
chmod 755 "$out"
