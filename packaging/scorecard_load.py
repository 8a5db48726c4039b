"""How the desk carries a load: messages a second, lag, paints, processor time. For a quiet machine.

    .venv/bin/python packaging/scorecard_load.py --seconds 600

Two desks, one after the other, on a demo exchange of its own process: forty pairs on four venues
at some 5,000 messages a second with the scanner and two chart windows open, and ten pairs at some
1,000 a second with four charts. Prints one JSON object; its names are those of scorecard.toml.
Sockets are real and plain: the demo exchange speaks no TLS and does not compress.
"""

import argparse
import asyncio
import json
import math
import sys
from typing import TYPE_CHECKING

import psutil
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from basisdesk.app.bench.socket import run_desk_on, watch_pairs
from basisdesk.app.bench.source import demo_exchange, pairs_of
from basisdesk.clock import mono_s
from basisdesk.venues import known_venues

if TYPE_CHECKING:
    from basisdesk.events import Changed, Frame
    from basisdesk.ui.context import Context
    from basisdesk.ui.window import MainWindow

SETTLE_S = 8.0
PROBE_MS = 33
FAST_RATE = 1.9  # of the demo's usual messages: some 5,000 a second of forty pairs
SLOW_RATE = 1.4  # some 1,000 a second of ten pairs


class Probe(QWidget):
    """A small widget over the charts that asks to be painted thirty times a second.

    gaps_s: seconds between its paints, which the desk's own charts do not ask for as often.
    """

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.gaps_s: list[float] = []
        self._last_s = 0.0
        self.setGeometry(0, 0, 4, 4)
        self.show()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.update)
        self._timer.start(PROBE_MS)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Note the time of a paint."""
        now_s = mono_s()
        if self._last_s:
            self.gaps_s.append(now_s - self._last_s)
        self._last_s = now_s
        super().paintEvent(event)

    def begin(self) -> None:
        """Forget what was."""
        self.gaps_s.clear()
        self._last_s = 0.0


class Lags:
    """Seconds from our receive stamp until the engine has a frame: the oldest of each slice."""

    def __init__(self, context: "Context") -> None:
        self.all_s: list[float] = []
        self._advance, self._clock = context.engine.advance, context.clock
        context.engine.advance = self.advance  # type: ignore[method-assign]

    def advance(self, frames: "list[Frame]") -> "Changed":
        """In the engine's place."""
        changed = self._advance(frames)
        self.all_s.append((self._clock.now_ns() - frames[0].t_ns) / 1e9)
        return changed


def share(values: list[float], part: float) -> float:
    """The value that this part of all is not above."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else math.nan


class Load:
    """Sits in a person's place and measures."""

    def __init__(self, seconds: float, venues_pairs: int, charts: int, *, scanner: bool) -> None:
        self._seconds = seconds
        self._pairs = [pair for name in known_venues() for pair in pairs_of(name)[:venues_pairs]]
        self._charts = charts
        self._scanner = scanner
        self.told: dict[str, float] = {}

    async def fly(self, context: "Context", window: "MainWindow") -> None:
        """The whole measurement of one desk."""
        await watch_pairs(context, self._pairs)
        for _ in range(self._charts):
            window.open_chart()
        if self._scanner:
            window.show_scanner()
        paints, lags = Probe(window), Lags(context)
        await asyncio.sleep(SETTLE_S)
        market, process = context.engine.market, psutil.Process()
        paints.begin()
        lags.all_s.clear()
        frames, gaps, begun_s = market.frames, market.gaps, mono_s()
        bad, painted = market.bad_frames, window.refreshes
        links = {conn: link.connects for conn, link in market.links.items()}
        used_s = sum(process.cpu_times()[:2])
        worst_inbox = 0
        while mono_s() - begun_s < self._seconds:
            await asyncio.sleep(0.05)
            worst_inbox = max(worst_inbox, context.status.inbox_frames)
        took_s = mono_s() - begun_s
        self.told = {
            "seconds": round(took_s, 1),
            "messages_s": round((market.frames - frames) / took_s, 1),
            "connections": len(links),
            "lost_deltas": market.gaps - gaps,
            "bad_frames": market.bad_frames - bad,
            "reconnects": sum(
                link.connects - links.get(conn, 0) for conn, link in market.links.items()
            ),
            "lag_p99_ms": round(share(lags.all_s, 0.99) * 1e3, 2),
            "lag_max_ms": round(max(lags.all_s, default=math.nan) * 1e3, 1),
            "paint_gap_p99_ms": round(share(paints.gaps_s, 0.99) * 1e3, 1),
            "paint_gap_max_ms": round(max(paints.gaps_s, default=math.nan) * 1e3, 1),
            "charts_s": round((window.refreshes - painted) / took_s, 1),
            "cpu_pct": round((sum(process.cpu_times()[:2]) - used_s) / took_s * 100, 1),
            "inbox_max": worst_inbox,
        }


def measured(load: Load, rate: float) -> dict[str, float]:
    """One desk under one load."""
    with demo_exchange(rate) as exchange:
        run_desk_on(exchange, load.fly)
    return load.told


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of the larger load")
    given = parser.parse_args()
    fast = measured(Load(given.seconds, 10, 2, scanner=True), FAST_RATE)
    slow = measured(Load(min(60.0, given.seconds), 3, 3, scanner=False), SLOW_RATE)
    told = {f"load.{name}": value for name, value in fast.items()}
    told |= {f"quiet.{name}": value for name, value in slow.items()}
    print(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
