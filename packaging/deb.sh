#!/usr/bin/env bash
# Makes dist/basisdesk_VERSION_amd64.deb of the bundle. Called by build.sh.
# usage: packaging/deb.sh VERSION BUNDLE ICONS PYTHON OUT
# The copies of Debian's own libraries stay out: dpkg names their packages in Depends instead, so
# that they are smaller to fetch and are mended with the system.
set -eu
version=$1 bundle=$2 icons=$3 python=$4 out=$5
here=$(cd "$(dirname "$0")" && pwd)
id=io.github.basisdesk.basisdesk
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/debian/basisdesk
lib=$root/usr/lib/basisdesk doc=$root/usr/share/doc/basisdesk

install -d "$lib" "$doc" "$root/usr/bin" "$root/usr/share/icons" "$root/DEBIAN"
cp -a "$bundle/." "$lib"
cp -a "$icons/hicolor" "$root/usr/share/icons/"
ln -s ../lib/basisdesk/basisdesk "$root/usr/bin/basisdesk"
"$here/linux_files.sh" "$version" "$root"
install -d "$root/usr/share/man/man1"
sed "s/@VERSION@/$version/; s/@DATE@/$date/" "$here/linux/basisdesk.1" |
  gzip -9n >"$root/usr/share/man/man1/basisdesk.1.gz"

# Libraries at the top that are files of a Debian package; those of wheels are links into them.
find "$lib/_internal" -maxdepth 1 -type f -name '*.so*' ! -name 'libpython*' -delete
"$python" "$here/notices.py" "$lib" >&2
"$python" "$here/sbom.py" "$lib" >&2
mv "$lib/sbom.cdx.json" "$doc/"
gzip -9nc "$lib/NOTICES.txt" >"$doc/NOTICES.txt.gz"
rm "$lib/NOTICES.txt"
gzip -9nc "$here/CHANGELOG.md" >"$doc/changelog.gz"
{
  printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
  printf 'Upstream-Name: basisdesk\n\nFiles: *\nCopyright: 2026 The basisdesk founders\n'
  printf 'License: Expat\nComment: Parts of others, Qt (LGPL-3) and Python among them, lie in\n'
  printf ' /usr/lib/basisdesk unchanged; NOTICES.txt.gz beside this file names all of them.\n\n'
  printf 'License: Expat\n'
  tail -n +5 "$here/../LICENSE" | sed 's/^$/./; s/^/ /'
} >"$doc/copyright"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 644 {} +
find "$lib" -type f \( -name '*.so' -o -name '*.so.*' -o -name basisdesk \) -exec chmod 644 {} +
chmod 755 "$lib/basisdesk"

# What is linked against and not inside, as packages with the versions it takes.
printf 'Source: basisdesk\n\nPackage: basisdesk\nArchitecture: amd64\n' >"$work/debian/control"
# (Fonts come with libfontconfig1.)
libs=$(find "$lib/_internal" -type f -name '*.so*' -printf '%h\n' | sort -u | sed 's/^/-l/')
# shellcheck disable=SC2086,SC2046
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info $libs \
  -e"$lib/basisdesk" $(find "$lib/_internal" -type f -name '*.so*' -printf '-e%p ') \
  2>"$work/shlibdeps.log" | sed -n 's/^shlibs:Depends=//p') || { cat "$work/shlibdeps.log" >&2; exit 1; }

cat >"$root/DEBIAN/control" <<CONTROL
Package: basisdesk
Version: $version
Architecture: amd64
Maintainer: The basisdesk founders <founders@basisdesk.invalid>
Installed-Size: $(du -sk --apparent-size "$root" | cut -f1)
Depends: $depends
Section: misc
Priority: optional
Description: practise the spot-perp basis trade on paper
 A desk for buying a coin on the spot market, selling its perpetual, and living
 from the difference and the funding, on paper: no keys, no orders.
 .
 It has a demo exchange of its own that needs no network, the public prices of
 four venues, a scanner, a forecast with its record, a lab and a ledger.
CONTROL
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
fakeroot dpkg-deb --root-owner-group -Zxz --build "$root" "$out" >/dev/null
printf 'basisdesk: %s depends on %s\n' "$(basename "$out")" "$depends" >&2
