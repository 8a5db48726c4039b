"""One repaint of the charts with a full day at ten samples a second, beside plain pyqtgraph."""

import math
import os
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QWidget

from basisdesk.app.bench.source import LEGS
from basisdesk.clock import ManualClock, mono_s
from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import Command
from basisdesk.market.day_series import DaySeries
from basisdesk.ui.basis_panel import BasisPanel
from basisdesk.ui.context import Context
from basisdesk.ui.theme import theme_for
from basisdesk.venues import known_venues

POINTS = 864_000  # a day at ten a second
SIZE = (1000, 600)
REPEATS = 12
START_S = 1_700_000_000.0
PLAIN_CURVES = 6
PLAIN_PLOTS = 3


class _NoActions:
    """The panel's wishes go nowhere: nobody clicks in a benchmark."""

    def submit(self, command: Command) -> None:
        """Ignore."""

    def save_log(self, folder: object) -> None:
        """Ignore."""

    def reconnect(self, conn: str) -> None:
        """Ignore."""

    def show_pair(self, first: str, second: str) -> None:
        """Ignore."""

    def practise(self, kind: str, conn: str, for_s: float) -> None:
        """Ignore."""

    def stop_practice(self) -> None:
        """Ignore."""

    def switch_account(self, name: str) -> None:
        """Ignore."""

    def reset_account(self) -> None:
        """Ignore."""

    def open_tape(self, path: object) -> None:
        """Ignore."""

    def quit(self) -> None:
        """Ignore."""


def measure_paint() -> dict[str, float]:
    """paint.frame_ms full zoom-out, paint.pyqtgraph_ms the same plainly, their ratio, and short_ms.

    short_ms: five minutes on the screen, the same history behind it.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    rows = _rows()
    panel, engine = _panel(rows)
    panel.show_range("24h")
    full = _time(panel, panel.refresh)
    panel.show_range("5m")
    short = _time(panel, panel.refresh)
    plain = _plain(rows)
    engine.market.pairs.clear()
    return {
        "paint.frame_ms": full,
        "paint.pyqtgraph_ms": plain,
        "paint.ratio": full / plain,
        "paint.short_ms": short,
    }


def _rows() -> dict[str, np.ndarray]:
    """A day of a pair, columns of the desk's series, made from a fixed seed."""
    rng = np.random.default_rng(3)
    spot = 0.36 * np.exp(np.cumsum(rng.normal(0, 2e-5, POINTS)))
    mid = np.cumsum(rng.normal(0, 0.02, POINTS))
    return {
        "t": START_S + np.arange(POINTS) / 10.0,
        "spot": spot,
        "perp": spot * (1 + mid * 1e-4),
        "mid_bp": mid,
        "open_bp": mid - 1.5 + rng.normal(0, 0.2, POINTS),
        "close_bp": mid + 1.5 + rng.normal(0, 0.2, POINTS),
        "mean_bp": mid * 0.9,
        "sd_bp": np.full(POINTS, 2.0),
        "fair_bp": np.full(POINTS, -4.5),
        "funding_pct": 0.01 + np.cumsum(rng.normal(0, 1e-6, POINTS)),
        "combo_bid_bp": mid - 1.2,
        "combo_ask_bp": mid + 1.2,
    }


def _panel(rows: dict[str, np.ndarray]) -> tuple[BasisPanel, Engine]:
    settings = Settings()
    engine = Engine(settings, known_venues(), MemoryJournal())
    engine.pair = LEGS
    pair = engine.market.pair(*LEGS)
    columns = pair.series.columns
    pair.series = DaySeries(columns)
    pair.series.extend(np.column_stack([rows[name] for name in ("t", *columns)]))
    engine.now_ns = int((START_S + POINTS / 10) * 1e9)
    clock = ManualClock(engine.now_ns)
    context = Context(engine, settings, clock, _NoActions(), "simulated")
    panel = BasisPanel(context, theme_for(settings.ui))
    panel.resize(*SIZE)
    panel.show()
    return panel, engine


def _plain(rows: dict[str, np.ndarray]) -> float:
    """Pyqtgraph as its documentation says for many points: downsampling, clipping, thin pens."""
    view = pg.GraphicsLayoutWidget()
    view.resize(*SIZE)
    names = ["spot", "perp", "mid_bp", "open_bp", "close_bp", "funding_pct"]
    curves = []
    for index, name in enumerate(names[:PLAIN_CURVES]):
        row = min(index // 2, PLAIN_PLOTS - 1)
        plot = view.getItem(row, 0) or view.addPlot(row, 0)
        curve = plot.plot(pen=pg.mkPen(index, width=1))
        curve.setDownsampling(auto=True, method="peak")
        curve.setClipToView(True)
        curves.append((curve, rows[name]))

    def refresh() -> None:
        for curve, values in curves:
            curve.setData(rows["t"], values)

    view.show()
    return _time(view, refresh)


def _time(widget: QWidget, refresh: Callable[[], None]) -> float:
    """Median milliseconds of refreshing and painting a widget once."""
    took = []
    for _ in range(REPEATS):
        start_s = mono_s()
        refresh()
        widget.grab()
        took.append((mono_s() - start_s) * 1e3)
    median = sorted(took[2:])[len(took[2:]) // 2]
    assert math.isfinite(median)
    return median
