"""Our own past of the watched universe, in memory: settled funding, and a price each minute.

Two logs a leg. Settled funding of perpetuals is kept for `funding_days`; prices are kept on one
grid of minutes that all legs share, so the arrays of two legs stand side by side as they are. What
is new since the last `drain` goes to the disk (lab/history.py) and comes back by `restore`.

Prices are natural logarithms in float32. A log price of a coin lies within 16 of zero, where two
neighbouring float32 are 9.5e-7 apart at most: rounding moves a price by at most 0.005 bp, and the
basis of two legs by 0.01 bp, a tenth of the narrowest spread there is. The difference of two of
them is the basis, so nothing is divided.

What comes back and what is drained may be millions of rows: `restoring` and `drain` do it in
slices, so that nobody waits for all of it.

Time comes in with what is learnt, and by `reach`: there is no clock here.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.market.funding import RATE_ABS_MAX

if TYPE_CHECKING:
    from basisdesk.events import ScanPast

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Logs = NDArray[np.float32]

MINUTE_MS = 60_000
DAY_MS = 86_400_000
MINUTES_KEPT = 4_320  # three days
LEGS_MAX = 4_000  # names are the venues' own words: beyond so many they are refused and counted
SETTLED_A_DAY = 24  # the shortest interval is an hour
AHEAD_MAX = 1_440  # minutes that a stamp may lie ahead of our clock; farther is not a time
LEGS_A_SLICE = 30  # of what is restored; some 10 ms
LOG_MAX = 32.0  # natural logarithm; no coin costs more than e^32, or less than e^-32

Settled = tuple[Ints, Floats]  # settlement ms, rate of the interval as a fraction
Minutes = tuple[Ints, Logs]  # minutes since 1970, log price

# who says a settled rate: the venue's history, we ourselves, or the disk (which kept either)
Source = Literal["venue", "own", "disk"]

_NO_MS: Ints = np.empty(0, dtype=np.int64)
_NO_RATES: Floats = np.empty(0)
_NO_FLAGS: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)


class Fresh(NamedTuple):
    """Rows by leg key, oldest first: what is new for the disk, or what comes back from it."""

    settled: dict[str, Settled]
    minutes: dict[str, Minutes]

    @property
    def rows(self) -> int:
        """How many rows of both kinds."""
        return sum(len(ms) for ms, _ in self.settled.values()) + sum(
            len(minutes) for minutes, _ in self.minutes.values()
        )


class _Rates:
    """Settled funding of one perpetual: columns, which are never written into but `fresh`.

    own: our guess, until the venue's history says better. fresh: not drained yet.
    """

    __slots__ = ("fresh", "ms", "own", "rate")

    def __init__(self) -> None:
        self.ms = _NO_MS
        self.rate = _NO_RATES
        self.own = self.fresh = _NO_FLAGS

    def merge(self, ms: Ints, rate: Floats, source: Source) -> None:
        """Take rows of unlike stamps, oldest first."""
        if not len(ms):
            return
        own, fresh = source != "venue", source != "disk"
        if not len(self.ms) or ms[0] > self.ms[-1]:  # the usual case: one more settlement
            self.ms, self.rate = np.append(self.ms, ms), np.append(self.rate, rate)
            self.own = np.append(self.own, np.full(len(ms), own))
            self.fresh = np.append(self.fresh, np.full(len(ms), fresh))
            return
        at = np.searchsorted(self.ms, ms)
        near = np.minimum(at, len(self.ms) - 1)
        known = self.ms[near] == ms
        moved = known & (self.rate[near] != rate) & fresh
        if source == "own":
            moved &= self.own[near]  # what the venue published stands
        if moved.any():
            self.rate = self.rate.copy()  # who holds the old array may know it by that
            self.rate[near[moved]] = rate[moved]
            self.fresh[near[moved]] = True
        if not own:
            self.own[near[known]] = False
        new = ~known
        if new.any():
            self.ms = np.insert(self.ms, at[new], ms[new])
            self.rate = np.insert(self.rate, at[new], rate[new])
            self.own = np.insert(self.own, at[new], own)
            self.fresh = np.insert(self.fresh, at[new], fresh)

    def drain(self, rows_max: int) -> Settled | None:
        """The oldest so many rows that are fresh, which they are no more; None of none."""
        places = np.flatnonzero(self.fresh)[:rows_max]
        if not len(places):
            return None
        self.fresh[places] = False
        return self.ms[places], self.rate[places]

    def trim(self, days: int) -> None:
        """Forget what is older than so many days before the newest, and more than fit in them."""
        oldest_ms = self.ms[-1] - days * DAY_MS if len(self.ms) else 0
        first = max(int(np.searchsorted(self.ms, oldest_ms)), len(self.ms) - days * SETTLED_A_DAY)
        if first > 0:
            self.ms, self.rate = self.ms[first:], self.rate[first:]
            self.own, self.fresh = self.own[first:], self.fresh[first:]


class Past:
    """Settled funding and minute prices by leg key. Learning twice is learning once.

    reached: the newest minute that is over by our clock, 0 before any was told.
    refused: rows that are no price, no rate or no time of ours, and legs beyond LEGS_MAX.

    Of one settlement the venue's history (`learn`) beats what we heard ourselves (`settle`). Of
    one minute our mid (`sample`) beats the venue's close, which may be a trade at either side.
    """

    def __init__(self, funding_days: int, minutes_kept: int = MINUTES_KEPT) -> None:
        self.funding_days = funding_days
        self.minutes_kept = minutes_kept
        self.reached = 0
        self.refused = 0
        self._rates: dict[str, _Rates] = {}
        self._rows: dict[str, int] = {}  # of the grid, by leg
        self._new_from: dict[int, int] = {}  # the oldest minute that may be new, by row
        self._last = -1  # the newest minute of the grid; its place is minute % minutes_kept
        self._grid: Logs = np.empty((0, minutes_kept), dtype=np.float32)
        self._new: NDArray[np.bool_] = np.empty((0, minutes_kept), dtype=np.bool_)

    # --- what is known ---------------------------------------------------------------------------

    @property
    def perps(self) -> tuple[str, ...]:
        """Legs with settled funding."""
        return tuple(self._rates)

    @property
    def legs(self) -> tuple[str, ...]:
        """Legs with minute prices."""
        return tuple(self._rows)

    @property
    def last(self) -> int:
        """The newest minute of the grid; -1 before any."""
        return self._last

    def settled(self, key: str) -> Settled:
        """(ms, rate) of the settlements known, oldest first; empty arrays for a stranger.

        Stamps are whole minutes, rates fractions of the interval. Do not write into them. While
        the array of rates is the same object nothing was learnt.
        """
        rates = self._rates.get(key)
        return (rates.ms, rates.rate) if rates is not None else (_NO_MS, _NO_RATES)

    def minutes(self, key: str) -> tuple[int, Logs]:
        """(first minute, log prices): the whole grid, a place a minute, NaN where nothing is known.

        All legs have the same first minute and length, so two arrays subtract as they are; a
        stranger's is all NaN. Empty before any minute is known. The array is a copy.
        """
        if self._last < 0:
            return 0, np.empty(0, dtype=np.float32)
        row = self._rows.get(key)
        first = self._last - self.minutes_kept + 1
        if row is None:
            return first, np.full(self.minutes_kept, np.nan, dtype=np.float32)
        cut = first % self.minutes_kept
        line = self._grid[row]
        return first, np.concatenate((line[cut:], line[:cut]))

    # --- what is learnt --------------------------------------------------------------------------

    def reach(self, minute: int) -> None:
        """Our clock says that this minute is over. `sample` says it too.

        Times beyond are what a venue is still making, or no times. A clock that was set back by
        more than the grid begins the grid anew: what stood there was of no time.
        """
        self.reached = minute
        if self._last >= 0 and minute <= self._last - self.minutes_kept:
            self._grid[:] = np.nan
            self._new[:] = False
            self._new_from.clear()
            self._last = minute
        self._roll(minute)

    def sample(self, minute: int, mids: Mapping[str, float]) -> None:
        """Note mids at the end of a minute (ms // 60,000), by leg. NaN and 0 are not known."""
        self.reach(minute)
        place = minute % self.minutes_kept
        for key, mid in mids.items():
            log = math.log(mid) if 0.0 < mid < math.inf else math.nan
            row = self._row(key) if abs(log) < LOG_MAX else -1
            if row >= 0 and self._grid[row, place] != np.float32(log):
                self._grid[row, place] = log
                self._new[row, place] = True
                self._mark_new(row, minute)

    def settle(self, key: str, ms: int, rate: float) -> None:
        """A settlement as we heard it: the rate last told before the stamp. The venue's wins."""
        self._settle(key, np.array([ms]), np.array([rate], dtype=np.float64), "own")

    def learn(self, event: "ScanPast") -> None:
        """Merge what the venue tells of the past: any order, any overlap."""
        if event.settled:
            self._settle(event.instrument, *_columns(event.settled), "venue")
        if event.minutes:
            ms, price = _columns(event.minutes)
            good = np.isfinite(price) & (price > 0.0) & (ms >= 0)
            self.refused += int(np.count_nonzero(~good))
            logs = np.log(price[good]).astype(np.float32)
            self._fill(event.instrument, ms[good] // MINUTE_MS, logs, fresh=True)

    def restore(self, kept: Fresh) -> None:
        """Take back what the disk kept, where nothing is known yet; none of it is new."""
        for _ in self.restoring(kept):
            pass

    def restoring(self, kept: Fresh, legs: int = LEGS_A_SLICE) -> Iterator[None]:
        """`restore` in slices of so many legs: yields between them, is done when it ends.

        What is learnt in between stands, as what was known before it began.
        """
        done = 0
        for key, (ms, rate) in kept.settled.items():
            self._settle(key, ms, rate, "disk")
            done += 1
            if done % legs == 0:
                yield
        for key, (minutes, logs) in kept.minutes.items():
            self._fill(key, minutes, logs, fresh=False)
            done += 1
            if done % legs == 0:
                yield

    def drain(self, rows_max: int = 0) -> Fresh:
        """What is new since the last drain. A value that was corrected counts as new.

        rows_max: at most so many rows, the rest stays for the next drain; 0: all. Fewer rows than
        that are the last ones.
        """
        found = Fresh({}, {})
        room = rows_max or sys.maxsize
        for key, rates in self._rates.items():
            drained = rates.drain(room)
            if drained is not None:
                found.settled[key] = drained
                room -= len(drained[0])
            if not room:
                return found
        self._drain_minutes(found.minutes, room)
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _settle(self, key: str, ms: Ints, rate: Floats, source: Source) -> None:
        stamp = (ms + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS  # some venues are ms late
        good = (stamp > 0) & (np.abs(rate) <= RATE_ABS_MAX)  # NaN is not
        if self.reached:
            good &= stamp <= (self.reached + AHEAD_MAX) * MINUTE_MS
        self.refused += int(np.count_nonzero(~good))
        rates = self._rates.get(key)
        if rates is None:
            if len(self._rates) >= LEGS_MAX or not good.any():
                self.refused += int(np.count_nonzero(good))
                return
            rates = self._rates[key] = _Rates()
        stamp, last = _newest_of_each(stamp[good])
        rates.merge(stamp, rate[good][last], source)
        rates.trim(self.funding_days)

    def _fill(self, key: str, minutes: Ints, logs: Logs, *, fresh: bool) -> None:
        # fills gaps only: a place that is known was sampled by us, or is known from this page
        good = np.abs(logs) < LOG_MAX
        if self.reached:
            good &= minutes <= self.reached  # later ones are still being made
        minutes, logs = minutes[good], logs[good]
        if not len(minutes):
            return
        self._roll(int(minutes.max()))
        near = minutes > self._last - self.minutes_kept
        row = self._row(key) if near.any() else -1
        if row < 0:
            return
        places = minutes[near] % self.minutes_kept
        line = self._grid[row]
        gaps = np.isnan(line[places])
        line[places[gaps]] = logs[near][gaps]
        if fresh:
            self._new[row, places[gaps]] = True
            self._mark_new(row, int(minutes[near].min()))

    def _roll(self, minute: int) -> None:
        # the grid ends at this minute or later; places that come in are unknown
        if minute <= self._last:
            return
        ahead = minute - self._last
        if self._last >= 0:
            if ahead >= self.minutes_kept:
                self._grid[:], self._new[:] = np.nan, False
            else:
                places = np.arange(self._last + 1, minute + 1) % self.minutes_kept
                self._grid[:, places], self._new[:, places] = np.nan, False
        self._last = minute

    def _row(self, key: str) -> int:
        # the row of a leg, made when it is new; -1 beyond LEGS_MAX
        row = self._rows.get(key)
        if row is not None:
            return row
        if len(self._rows) >= LEGS_MAX:
            self.refused += 1
            return -1
        row = self._rows[key] = len(self._rows)
        if row >= len(self._grid):
            more = max(16, len(self._grid))
            nothing = np.full((more, self.minutes_kept), np.nan, dtype=np.float32)
            self._grid = np.concatenate((self._grid, nothing))
            self._new = np.concatenate((self._new, np.zeros_like(nothing, dtype=np.bool_)))
        return row

    def _mark_new(self, row: int, minute: int) -> None:
        self._new_from[row] = min(minute, self._new_from.get(row, minute))

    def _drain_minutes(self, found: dict[str, Minutes], room: int) -> None:
        for key, row in self._rows.items():
            since = self._new_from.get(row)
            if since is None:
                continue
            if not room:
                return
            span = np.arange(max(since, self._last - self.minutes_kept + 1), self._last + 1)
            new = span[self._new[row, span % self.minutes_kept]]
            if len(new) > room:
                self._new_from[row] = int(new[room])
                new = new[:room]
            else:
                del self._new_from[row]
            if len(new):
                places = new % self.minutes_kept
                found[key] = new, self._grid[row, places]
                self._new[row, places] = False
                room -= len(new)


def _columns(rows: tuple[tuple[int, float], ...]) -> tuple[Ints, Floats]:
    """Pairs as two arrays. Stamps are below 2^53, so no float rounds them."""
    table = np.array(rows, dtype=np.float64)
    return table[:, 0].astype(np.int64), table[:, 1]


def _newest_of_each(stamps: Ints) -> tuple[Ints, NDArray[np.intp]]:
    """The unlike stamps, sorted, and for each the place of its last row."""
    unlike, last = np.unique(stamps[::-1], return_index=True)
    return unlike, len(stamps) - 1 - last
