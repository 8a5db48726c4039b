"""What the rotation study stands on: funding, prices and turnover of many coins on one grid.

The grid are the settlements at 00:00, 08:00 and 16:00 UTC that the desk's own sector overlay goes
by (`scan.sector_history`). `Plan` holds what was fixed before any outcome was looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.sector_history import MEMBERS_MIN, Z_LEAST, Z_STAMPS
from basisdesk.scan.sector_map import SectorMap
from basisdesk.scan.sector_series import STEP_MS, Floats, Ints
from basisdesk.scan.sector_states import ENTER, LINE

Bools = NDArray[np.bool_]

DAY_MS = 86_400_000
STAMPS_A_DAY = DAY_MS // STEP_MS
NOBODY = -1  # sector of a coin that stands in none


@dataclass(frozen=True)
class Plan:
    """The pre-registered constants. Lengths in settlements of 8 h unless named otherwise.

    line, enter, window, least, members are the desk's own, so an event here is what turns a sector
    hot or cold there. horizons: ends of the outcome, counted from the event; start: its beginning.
    cool: no second event of a sector within so many. universe: coins with most turnover of the
    past `volume_days`. cost_bp: round trip of a sector pair trade, four taker legs, low and high.
    """

    line: float = LINE
    enter: int = ENTER
    window: int = Z_STAMPS
    least: int = Z_LEAST
    members: int = MEMBERS_MIN
    start: int = 1
    horizons: tuple[int, ...] = (3, 6)
    cool: int = 6
    past: int = 6
    universe: int = 60
    volume_days: int = 30
    block_days: int = 30
    blocks_min: int = 8
    events_min: int = 30
    draws: int = 2_000
    alpha: float = 0.05
    cost_bp: tuple[float, float] = (20.0, 30.0)


class Panel(NamedTuple):
    """T settlements of C coins. NaN where a figure is not known; nothing is filled in.

    rate: T x C, what longs paid in the 8 h up to the stamp, bp per 8 h. log_price: T x C, of the
    last trade before the stamp. turnover: T x C, of the 30 days up to the stamp, quote.
    sources: what was read, a row each. notes: what a reader has to know of it, one sentence each.
    """

    name: str
    simulated: bool
    stamps_ms: Ints
    coins: tuple[str, ...]
    rate: Floats
    log_price: Floats
    turnover: Floats
    sources: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def priced(self) -> bool:
        """Whether any price is known."""
        return bool(np.isfinite(self.log_price).any())


class Maps(NamedTuple):
    """Sector maps by their dates, oldest first: who stood where is read from what was known then.

    Build with `dated`.
    """

    maps: tuple[SectorMap, ...]
    since_ms: tuple[int, ...]  # a map is known from the day after its date

    @property
    def sectors(self) -> tuple[str, ...]:
        """All sectors that any of the maps names, in the order of the newest."""
        names = [name for each in reversed(self.maps) for name in each.order]
        return tuple(dict.fromkeys(names))

    def number_at(self, stamps_ms: Ints) -> Ints:
        """Which map holds at each stamp: the newest known by then, the oldest before any was."""
        found = np.searchsorted(np.array(self.since_ms, dtype=np.int64), stamps_ms, side="right")
        return np.asarray(np.maximum(found - 1, 0), dtype=np.int64)

    def hindsight(self, stamps_ms: Ints) -> Bools:
        """Stamps at which no map was known yet, so that a later one has to stand for it."""
        return np.asarray(stamps_ms < self.since_ms[0])

    def sector_at(self, stamps_ms: Ints, coins: Sequence[str]) -> Ints:
        """T x C: number of each coin's sector in `sectors`, NOBODY where it has none."""
        numbers = {name: i for i, name in enumerate(self.sectors)}
        rows = np.array(
            [
                [numbers.get(each.sector_of.get(coin, ""), NOBODY) for coin in coins]
                for each in self.maps
            ],
            dtype=np.int64,
        )
        return np.asarray(rows.reshape(len(self.maps), len(coins))[self.number_at(stamps_ms)])


def dated(maps: Sequence[SectorMap]) -> Maps:
    """Maps in the order of their dates. Raises ValueError for two of one date."""
    ordered = sorted(maps, key=lambda each: each.date)
    days = [date.fromisoformat(each.date) for each in ordered]
    if not ordered or len(set(days)) < len(days):
        raise ValueError("name one sector map or more, each with a date of its own")
    since = [
        round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000) + DAY_MS
        for day in days
    ]
    return Maps(tuple(ordered), tuple(since))


def universe_at(panel: Panel, plan: Plan) -> Bools:
    """T x C: who takes part at each stamp, by what was known at it.

    The coins with most turnover of the past 30 days; where no turnover is known at all, every coin
    whose funding of that stamp is.
    """
    funded = np.isfinite(panel.rate)
    known = np.isfinite(panel.turnover)
    if not known.any():
        return np.asarray(funded)
    ranked = np.where(known, panel.turnover, -np.inf)
    order = np.argsort(-ranked, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(panel.turnover.shape[1])[None, :], axis=1)
    return np.asarray((place < plan.universe) & known)


def month_turnover(step: Floats, days: int) -> Floats:
    """T x C: sum of what was traded in the `days` up to each stamp, that step included.

    NaN until a coin traded at all. step: turnover of the 8 h up to each stamp, NaN where not known.
    """
    there = np.isfinite(step)
    total = np.cumsum(np.where(there, step, 0.0), axis=0)
    count = np.cumsum(there, axis=0)
    back = days * STAMPS_A_DAY
    before, none = np.zeros_like(total), np.zeros_like(count)
    before[back:], none[back:] = total[:-back], count[:-back]
    return np.where(count - none > 0, total - before, np.nan)


def grid(first_ms: int, last_ms: int) -> Ints:
    """The settlements from first to last, both included where they are one."""
    first = -(-first_ms // STEP_MS) * STEP_MS
    return np.arange(first, last_ms + 1, STEP_MS, dtype=np.int64)
