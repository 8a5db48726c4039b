# Sourced by run.sh and test.sh: makes .venv, installs into it, and sees to what Qt needs.
# usage: . packaging/setup.sh EXTRAS     e.g. "" or "[dev,lab]"

extras=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=${BASISDESK_VENV:-.venv}

say() { printf 'basisdesk: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

find_python() {
  local name
  for name in python3.11 python3.12 python3.13 python3 python; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  die "Python 3.11, 3.12 or 3.13 is needed and none was found. Install it: apt-get install python3 python3-pip"
}

make_venv() {
  [ -x "$venv/bin/python" ] && return
  local python
  python=$(find_python) || exit 2
  say "making $venv with $("$python" --version)"
  # Debian keeps ensurepip in a package of its own; without it the system's pip installs instead.
  "$python" -m venv "$venv" >/dev/null 2>&1 || "$python" -m venv --without-pip --clear "$venv" ||
    die "cannot make $venv. Install what is missing: apt-get install python3-venv python3-pip"
  if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip --python "$venv/bin/python" install -q pip ||
      die "no pip found. Install it: apt-get install python3-pip"
  fi
}

install_package() {
  local stamp want
  stamp="$venv/.basisdesk-installed"
  want="$(cksum <pyproject.toml) $PWD $extras"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
  say "installing into $venv (once; needs the package index)"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check -e ".$extras" ||
    die "installation failed; the lines above say why. Run this script again when it is mended."
  printf '%s' "$want" >"$stamp"
}

# Qt's wheels bring Qt, not the system libraries below it. Names of Debian and Ubuntu packages.
qt_packages="libgl1 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0 fonts-dejavu-core
 libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 libx11-xcb1"

qt_works() {
  "$venv/bin/python" -c 'import PySide6.QtGui, PySide6.QtWidgets' 2>/dev/null || return 1
  QT_QPA_PLATFORM=offscreen "$venv/bin/python" -c '
import sys
from PySide6.QtGui import QFontDatabase, QGuiApplication
app = QGuiApplication([])
sys.exit(0 if QFontDatabase.families() else 1)' 2>/dev/null || return 1
  # The window itself needs the xcb libraries, but only where there is an X display.
  [ -z "${DISPLAY:-}" ] && return
  local plugin
  plugin=$("$venv/bin/python" -c 'import PySide6; print(PySide6.__path__[0])')/Qt/plugins/platforms/libqxcb.so
  ! ldd "$plugin" 2>/dev/null | grep -q "not found"
}

install_qt_libraries() {
  [ "$(uname -s)" = Linux ] || return 0
  qt_works && return
  local line="apt-get install -y $(echo $qt_packages)" sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo -n"
  if command -v apt-get >/dev/null 2>&1 && $sudo true 2>/dev/null; then
    say "installing the system libraries that Qt needs"
    # shellcheck disable=SC2086
    ($sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo $line -qq) >/dev/null 2>&1 || true
    qt_works && return
  fi
  die "Qt needs system libraries that are missing. Run this line, then start again: sudo $line"
}

make_venv
install_package
install_qt_libraries
