"""What the long run of the window measures: a sample every few seconds, its limits, its curves."""

import asyncio
import csv
import gc
import math
import os
import sys
import threading
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import QObject, Qt, QTimer

from basisdesk.clock import mono_s
from basisdesk.lab.pages import study_page
from basisdesk.ui.context import Context
from basisdesk.ui.window import MainWindow

BEAT_MS = 25  # of the beat whose lateness is the lag of the window
GROWTH_MB_MAX = 20.0  # of memory after the warm-up
LAG_P99_MS_MAX = 33.0
# How many more than after the warm-up are no leak: feeds come and go with what is looked at.
SLACK = {"tasks": 6, "threads": 4, "loop_timers": 60, "files": 8, "sockets": 6}
CENSUS = 12  # types of objects that grew most


class Lag(QObject):
    """How late a precise timer of the window comes, milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.recent: list[float] = []
        self.all: list[float] = []
        self.counting = False
        self._last_s = mono_s()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start(BEAT_MS)

    def skip(self) -> None:
        """What the measuring itself took is no lag of the desk."""
        self._last_s = mono_s()

    def stop(self) -> None:
        """Beat no more."""
        self._timer.stop()

    def _on_beat(self) -> None:
        now_s = mono_s()
        late = max(0.0, (now_s - self._last_s) * 1e3 - BEAT_MS)
        self._last_s = now_s
        self.recent.append(late)
        if self.counting:
            self.all.append(late)


def share(values: list[float], part: float) -> float:
    """The value that this part of all is not above; NaN of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else math.nan


@dataclass
class Sample:
    """One row of the CSV."""

    t_s: float
    rss_mb: float
    rings_mb: float  # of it, what the day's rings of the pairs hold: they fill up for 24 h
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    messages_s: float
    frames_s: float
    cpu_pct: float
    tasks: int
    threads: int
    loop_timers: int
    files: int
    sockets: int
    blocks: int  # allocated by Python's own allocator: objects, about
    streams: int
    open_pairs: int
    inbox: int


@dataclass
class Report:
    """What came of it. The names are those of the printed JSON object."""

    seconds: float = 0.0
    market_hours: float = 0.0
    messages: int = 0
    messages_s: float = 0.0
    frames_s: float = 0.0
    lag_p50_ms: float = math.nan
    lag_p99_ms: float = math.nan
    lag_max_ms: float = math.nan
    stalls: int = 0
    rss_warm_mb: float = math.nan
    rss_end_mb: float = math.nan
    rss_growth_mb: float = math.nan
    rings_growth_mb: float = math.nan  # of it: the day's rings of the pairs, which fill up
    rss_slope_mb_h: float = math.nan
    faults: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    closed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    recovered: bool = False
    warm: dict[str, int] = field(default_factory=dict)
    end: dict[str, int] = field(default_factory=dict)
    grown: dict[str, int] = field(default_factory=dict)  # objects by type, after the warm-up
    check_ok: bool = False
    check_problems: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # threads and files after the desk was left
    banners: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def broken(self) -> list[str]:
        """The limits that were broken, a sentence each."""
        said = list(self.errors) + [f"left behind: {each}" for each in self.left]
        if not self.check_ok:
            said.append("the ledger does not check clean")
        grew = self.rss_growth_mb - self.rings_growth_mb
        if not grew < GROWTH_MB_MAX:
            said.append(f"memory beside the rings grew by {grew:.1f} MB of {GROWTH_MB_MAX:.0f}")
        if not self.lag_p99_ms < LAG_P99_MS_MAX:
            said.append(f"lag p99 {self.lag_p99_ms:.1f} ms of {LAG_P99_MS_MAX:.0f}")
        for name, slack in SLACK.items():
            more = self.end.get(name, 0) - self.warm.get(name, 0)
            if more > slack:
                said.append(f"{more} more {name} than after the warm-up")
        return said


class Meter:
    """Takes the samples of one desk and writes them as they come."""

    def __init__(self, context: Context, window: MainWindow, path: Path) -> None:
        self.lag = Lag()
        self.samples: list[Sample] = []
        self._context = context
        self._window = window
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._began_s = self._last_s = mono_s()
        self._frames = context.engine.market.frames
        self._paints = window.refreshes
        self._file = path.open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file)
        self._rows.writerow([each.name for each in fields(Sample)])

    def take(self) -> Sample:
        """One sample, of the time since the last one."""
        now_s, engine = mono_s(), self._context.engine
        passed_s = max(1e-3, now_s - self._last_s)
        frames, paints = engine.market.frames, self._window.refreshes
        lags = self.lag.recent
        sample = Sample(
            t_s=round(now_s - self._began_s, 1),
            rss_mb=round(self._process.memory_info().rss / 1e6, 2),
            rings_mb=round(rings_mb(self._context), 2),
            lag_p50_ms=round(share(lags, 0.5), 2),
            lag_p99_ms=round(share(lags, 0.99), 2),
            lag_max_ms=round(max(lags, default=math.nan), 1),
            messages_s=round((frames - self._frames) / passed_s, 1),
            frames_s=round((paints - self._paints) / passed_s, 2),
            cpu_pct=round(self._process.cpu_percent(), 1),
            streams=len(engine.market.streams),
            open_pairs=len(engine.open_pairs()),
            inbox=self._context.status.inbox_frames,
            blocks=sys.getallocatedblocks(),
            **counts(),
        )
        self._last_s, self._frames, self._paints = now_s, frames, paints
        lags.clear()
        self.lag.skip()
        self.samples.append(sample)
        self._rows.writerow(asdict(sample).values())
        self._file.flush()
        return sample

    def close(self) -> None:
        """No more samples."""
        self.lag.stop()
        self._file.close()


def rings_mb(context: Context) -> float:
    """What the pairs' rings hold by now: their memory is taken once and touched row by row."""
    series = [pair.series for pair in context.engine.market.pairs.values()]
    return sum(each.touched for each in series) / 1e6


def counts() -> dict[str, int]:
    """What must not pile up: tasks, threads, timers of the loop, open files and sockets."""
    loop = asyncio.get_running_loop()
    timer = getattr(loop, "_timer", None)  # qasync keeps each pending call there
    files = sockets = 0
    for name in os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else ():
        try:
            sockets += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
            files += 1
        except OSError:  # the one that was listing them
            continue
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "loop_timers": len(getattr(timer, "_SimpleTimer__callbacks", ())),
        "files": files,
        "sockets": sockets,
    }


def census() -> Counter[str]:
    """Objects the collector knows, by type. Takes a moment."""
    gc.collect()
    return Counter(type(each).__qualname__ for each in gc.get_objects())


def grown(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """By how much the types grew that grew most."""
    more = {name: after[name] - before[name] for name in after if after[name] > before[name]}
    return dict(sorted(more.items(), key=lambda pair: -pair[1])[:CENSUS])


def slope_mb_h(samples: list[Sample]) -> float:
    """Memory's growth an hour beside the rings, by least squares; NaN of fewer than ten samples."""
    if len(samples) < 10:
        return math.nan
    times = [each.t_s / 3_600.0 for each in samples]
    sizes = [each.rss_mb - each.rings_mb for each in samples]
    t_mean, s_mean = sum(times) / len(times), sum(sizes) / len(sizes)
    over = sum((t - t_mean) ** 2 for t in times)
    return sum((t - t_mean) * (s - s_mean) for t, s in zip(times, sizes, strict=True)) / over


_CURVES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Memory, and the pairs' rings in it", "MB", ("rss_mb", "rings_mb")),
    ("Lag of the window", "ms", ("lag_p50_ms", "lag_p99_ms")),
    ("Longest lag in each sample", "ms", ("lag_max_ms",)),
    ("Messages a second", "1/s", ("messages_s",)),
    ("Paints of the charts a second", "1/s", ("frames_s",)),
    ("Processor time, 100 is one core", "%", ("cpu_pct",)),
    ("Tasks, threads, timers, files", "count",
     ("tasks", "threads", "loop_timers", "files", "sockets")),
    ("Blocks of Python's allocator", "count", ("blocks",)),
    ("Streams and open pairs", "count", ("streams", "open_pairs")),
)  # fmt: skip


def page(samples: list[Sample], report: Report, title: str, said: list[str]) -> str:
    """The curves on one page that needs no network and no script."""
    charts = [
        {
            "kind": "line",
            "title": name,
            "x_title": "minutes since the start",
            "y_title": unit,
            "x": [each.t_s / 60.0 for each in samples],
            "lines": [
                {"name": column, "y": [getattr(each, column) for each in samples]}
                for column in columns
            ],
        }
        for name, unit, columns in _CURVES
    ]
    figures: dict[str, Any] = {
        "columns": ["figure", "value"],
        "rows": [[name, str(value)] for name, value in asdict(report).items()],
        "title": "Figures",
    }
    return study_page(
        {
            "study": "soak_desk",
            "title": title,
            "sentences": said,
            "charts": charts,
            "tables": [figures],
        }
    )
