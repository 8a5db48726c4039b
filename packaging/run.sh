#!/usr/bin/env bash
# Sets basisdesk up in .venv and starts it; on the demo exchange unless told otherwise.
#   ./packaging/run.sh                                            the desk
#   ./packaging/run.sh --exit-after 25 --screenshot desk.png      works without a display, too
set -eu
picture_from=$PWD
. "$(dirname "$0")/setup.sh" ""
case " $* " in
  *" --live "* | *" --demo "* | *" --help "* | *" -h "* | *" --version "*) ;;
  *) case "${1:-}" in "" | -*) set -- --demo "$@" ;; esac ;;
esac
python=$PWD/$venv/bin/python
case "$venv" in /*) python=$venv/bin/python ;; esac
cd "$picture_from"
exec "$python" -m basisdesk "$@"
