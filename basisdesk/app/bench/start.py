"""Seconds from starting the program to its first chart with data, beside a bare plot window."""

import os
import subprocess
import sys
import tempfile

from basisdesk.app.own_program import is_frozen, own_module
from basisdesk.clock import mono_s
from basisdesk.errors import UserError

REPEATS = 5
WAIT_S = 60.0

BARE = """
import sys
import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication(sys.argv)
window = QMainWindow()
plot = pg.PlotWidget()
plot.plot(np.arange(1440.0), np.random.default_rng(1).normal(size=1440))
window.setCentralWidget(plot)
window.resize(1600, 1000)
window.show()
window.grab()
print("painted", flush=True)
"""


def measure_start() -> dict[str, float]:
    """start.first_chart_s (desk on its demo exchange), start.bare_window_s, start.ratio.

    Medians over several starts, the two kinds taking turns. Raises UserError in a bundle.
    """
    if is_frozen():
        raise UserError("bench start compares with a bare window of Python: run it from a venv.")
    bare, desk = [], []
    for _ in range(REPEATS):
        bare.append(_time_to_paint([sys.executable, "-c", BARE]))
        desk.append(_time_to_paint(own_module("basisdesk.app.first_chart", [])))
    first, plain = sorted(desk)[REPEATS // 2], sorted(bare)[REPEATS // 2]
    return {
        "start.first_chart_s": first,
        "start.bare_window_s": plain,
        "start.ratio": first / plain,
    }


def _time_to_paint(command: list[str]) -> float:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    with tempfile.TemporaryDirectory() as folder:
        start_s = mono_s()
        with subprocess.Popen(
            [*command, folder], stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            took_s = mono_s() - start_s
            process.wait(WAIT_S)
    if line.strip() != b"painted":
        raise UserError("bench: a window did not come up; run it alone to see why.")
    return took_s
