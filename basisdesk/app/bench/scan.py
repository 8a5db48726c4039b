"""The scanner: one refresh of a whole universe, and its table while it scrolls."""

import statistics

import numpy as np

from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.scan.matrix import matrix
from basisdesk.scan.openings import Scan
from basisdesk.scan.past_figures import PastFigures
from basisdesk.scan.synthetic import feed, synthetic_market

ROUNDS = 60
START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000


def measure_scanner() -> dict[str, float]:
    """scanner.refresh_ms (median) and its p99: 60 coins on four venues, all openings priced anew.

    Beside it what numpy needs at least, in the same run: so many sums over as many combinations as
    an opening has columns.
    """
    settings = Settings()
    market = synthetic_market(settings, START_NS)
    scan = Scan(settings)
    figures = PastFigures(market.universe.past, settings.scanner.hold_h)
    took, bare = [], []
    now_ns = START_NS
    for turn in range(ROUNDS):
        now_ns = START_NS + turn * SECOND_NS
        feed(market, now_ns, turn)
        began_s = mono_s()
        scan.refresh(market, now_ns, figures)
        took.append((mono_s() - began_s) * 1e3)
        assert scan.openings is not None
        figures.step(scan.openings)
        columns = np.ones((35, len(scan.openings)))
        began_s = mono_s()
        for column in columns:
            (column * column + column).sum()
        bare.append((mono_s() - began_s) * 1e3)
    assert scan.openings is not None
    began_s = mono_s()
    matrix(market, settings, now_ns)
    took.sort()
    return {
        "scanner.refresh_ms": statistics.median(took),
        "scanner.refresh_p99_ms": took[int(len(took) * 0.99)],
        "scanner.combinations": float(len(scan.openings)),
        "scanner.bare_ms": statistics.median(bare),
        "scanner.matrix_ms": (mono_s() - began_s) * 1e3,
        **_table(),
    }


def _table() -> dict[str, float]:
    """scanner.table_*: see ui/scanner_speed.py; for 60 frames a second one takes under 16 ms."""
    from PySide6.QtWidgets import QApplication

    from basisdesk.ui.scanner_speed import measure_scanner as measure_table

    app = QApplication.instance() or QApplication(["basisdesk"])
    figures = measure_table()
    app.processEvents()
    return {f"scanner.table_{name.removeprefix('scan_')}": value for name, value in figures.items()}
