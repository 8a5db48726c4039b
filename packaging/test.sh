#!/usr/bin/env bash
# Installs what the tests need and runs every check. Arguments go to pytest.
set -eu
. "$(dirname "$0")/setup.sh" "[dev,lab,ai,optimise,cluster]"
export QT_QPA_PLATFORM=${QT_QPA_PLATFORM:-offscreen}
bin=$venv/bin
step() { printf '\n== %s\n' "$*"; "$@"; }
step "$bin/ruff" check .
step "$bin/ruff" format --check .
step "$bin/mypy"
step "$bin/lint-imports"
step "$bin/python" packaging/audit.py
step "$bin/python" -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder "$@"
