#!/usr/bin/env bash
# Makes every picture of the README anew, in packaging/: desk, scanner, sessions, guide.
#   ./packaging/screenshots.sh          into packaging/
#   ./packaging/screenshots.sh DIR      into another folder, to look at them first
# Draws offscreen, on the demo exchange. Takes about five minutes, more where there is other work:
# the scanner asks for the past of every pair first. A picture over 400 KB is refused: it would be
# in every clone for ever.
set -eu
to=$(mkdir -p "${1:-$(dirname "$0")}" && cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
python=${PYTHON:-.venv/bin/python}
QT_QPA_PLATFORM=offscreen "$python" packaging/screenshots.py "$made"
for name in desk scanner sessions guide; do
  bytes=$(wc -c < "$made/$name.png")
  if [ "$bytes" -gt 400000 ]; then
    echo "$name.png has $bytes bytes, over 400,000. Nothing was replaced." >&2
    exit 1
  fi
done
for name in desk scanner sessions guide; do
  install -m 0644 "$made/$name.png" "$to/$name.png"
  echo "$to/$name.png"
done
