#!/usr/bin/env bash
# Puts desktop entry and AppStream data into a tree, and checks both where the checkers are there.
# usage: packaging/linux_files.sh VERSION ROOT
set -eu
version=$1 root=$2
here=$(cd "$(dirname "$0")" && pwd)
id=io.github.basisdesk.basisdesk
install -Dm644 "$here/linux/$id.desktop" "$root/usr/share/applications/$id.desktop"
install -d "$root/usr/share/metainfo"
sed "s/@VERSION@/$version/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" \
  "$here/linux/$id.metainfo.xml" >"$root/usr/share/metainfo/$id.metainfo.xml"
if command -v desktop-file-validate >/dev/null; then
  desktop-file-validate "$root/usr/share/applications/$id.desktop"
fi
if command -v appstreamcli >/dev/null; then
  appstreamcli validate --no-net "$root/usr/share/metainfo/$id.metainfo.xml" >&2
fi
