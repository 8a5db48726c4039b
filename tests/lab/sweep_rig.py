"""A market for sweeps that costs nothing: daily returns are drawn from a rule's own numbers.

Everything here can be found by name in a worker process.
"""

import hashlib
import os
import signal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from basisdesk.lab.rule import Costs
from basisdesk.lab.search import axes_of
from basisdesk.lab.sweep import SweepOptions, sweep_market
from basisdesk.lab.trial_work import FIGURES
from basisdesk.lab.walk_forward import DAY_NS, Splits
from basisdesk.lab.words import no_progress

BEGIN_NS = 19_000 * DAY_NS  # 2022-01-08
DAYS = 360
AXES = axes_of(
    [
        "entry_bp=6:30:6",
        "exit_bp=-4:4:4",
        "stop_bp=40,80",
        "max_hold_h=24,48",
        "leverage=2",
    ]
)
SPLITS = Splits(train_months=3)
FACTS = {"data": {"name": "made", "kind": "recorded quotes"}, "digest": "made"}


class MadeDays(NamedTuple):
    """Days of a span, and what trading costs. poison: a file that kills the first who runs."""

    first: int
    end: int
    cost_bp: float
    poison: str


class MadeMarket:
    """A year of days. Rules with an entry of 18 earn a little, all others only noise."""

    def __init__(self, poison: Path | None = None) -> None:
        self.name, self.model = "made", made_model
        self.first_ns, self.last_ns = BEGIN_NS, BEGIN_NS + DAYS * DAY_NS - 1
        self.rows = DAYS * 24
        self.poison = "" if poison is None else str(poison)

    def data(self, first_ns: int, end_ns: int, costs: Costs) -> MadeDays:
        first, end = ((ns - BEGIN_NS) // DAY_NS for ns in (first_ns, end_ns))
        return MadeDays(first, min(end, DAYS), costs.round_trip_bp, self.poison)


def made_model(data: Any, params: Any) -> tuple[Any, Any, Any]:
    die_once(data.poison)
    daily = np.zeros((len(params), data.end - data.first))
    for i, row in enumerate(params):
        seed = int.from_bytes(hashlib.sha256(row.tobytes()).digest()[:8], "little")
        drawn = np.random.default_rng(seed).normal(0.0, 1e-3, DAYS)
        drawn = np.where(np.arange(DAYS) % 3 == seed % 3, drawn, 0.0)
        earned = 4e-4 if row[1] == 18.0 else 0.0
        daily[i] = (drawn + earned - data.cost_bp * 1e-6)[data.first : data.end]
    figures = np.zeros((len(params), len(FIGURES)))
    figures[:, FIGURES.index("trades")] = np.count_nonzero(daily > 1e-3, axis=1)
    figures[:, FIGURES.index("net")] = daily.sum(axis=1) * 10_000.0
    return figures, daily, (daily > 1e-3).astype(float)


def die_once(marker: str) -> None:
    """Kill this process if it is the first to come here with that marker."""
    if not marker:
        return
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def options(**more: Any) -> SweepOptions:
    """A small sweep in this process."""
    usual = SweepOptions(trials=40, axes=AXES, splits=SPLITS, workers=0)
    return usual._replace(**more)


def swept(progress: Any = no_progress, poison: Path | None = None, **more: Any) -> dict[str, Any]:
    """The study of a small sweep over the made market."""
    return sweep_market(MadeMarket(poison), FACTS, options(**more), progress)


def swept_and_killed(log: str, after: int) -> None:
    """Sweep in batches of four and kill this process at the first beat with so many trials."""
    import basisdesk.lab.sweep as sweep

    sweep.BATCH_TRIALS_MAX = 4

    def progress(done: int, _total: int, _what: str) -> bool:
        if done >= after:
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    swept(progress, study=Path(log))


def square(shared: Any, rows: Any) -> Any:
    """Work for pools: each row's square plus what all share; kills the first with a marker."""
    offset, marker = shared
    die_once(marker)
    return rows**2 + offset


def wrong(shared: Any, rows: Any) -> Any:
    raise ValueError("a bug in the work")
