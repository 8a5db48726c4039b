"""How long a built program takes to its first chart, beside the same program from a venv.

    python packaging/start_ratio.py dist/basisdesk/basisdesk .venv/bin/python [REPEATS]

Each start has a new profile and the demo exchange; the two take turns, so that a busy machine
is busy for both. Prints medians, all times and the ratio; exit code 1 where that is 2 or more.
"""

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

RATIO_MAX = 2.0
WAIT_S = 60.0


def seconds_to_chart(program: str) -> float:
    """One start, until the charts have painted a day of history and a live price."""
    # -I: a venv runs what is installed in it, not the folder we stand in
    isolated = ["-I"] if "python" in os.path.basename(program) else []
    environment = os.environ | {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.abspath(program), *isolated, "-m", "basisdesk.app.first_chart", folder]
        start_s = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            took_s = time.monotonic() - start_s
            process.wait(WAIT_S)
    if line.strip() != b"painted":
        raise SystemExit(f"{program} did not come up")
    return took_s


def main(arguments: list[str]) -> int:
    """Measure and print. The exit code."""
    bundle, python = arguments[:2]
    repeats = int(arguments[2]) if len(arguments) > 2 else 7
    seconds_to_chart(bundle), seconds_to_chart(python)  # the disk is read once before
    took: dict[str, list[float]] = {bundle: [], python: []}
    for _ in range(repeats):
        for program in (bundle, python):
            took[program].append(seconds_to_chart(program))
    for program, times in took.items():
        each = " ".join(f"{t:.2f}" for t in sorted(times))
        print(f"{program}: median {median(times):.2f} s of {each}")
    ratio = median(took[bundle]) / median(took[python])
    print(f"ratio {ratio:.2f}, allowed under {RATIO_MAX:g}")
    return 0 if ratio < RATIO_MAX else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
