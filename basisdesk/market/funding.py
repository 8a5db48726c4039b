"""Funding of one perpetual: the rate as it floats, as it settled, and the settlements due.

Three things are kept apart. `rate` is the indicative rate of the running interval, which moves
until the stamp. `due` hands out settlements by what was last heard at or before the stamp, so a
position is paid by what could be known then; where the rate was last heard long before, as by a
machine that slept, it waits for what the venue publishes. `settled` is what was published, and
`error` says how far the two were apart.

The interval is data and never a constant: 1, 4 and 8 hours occur and a venue may switch a symbol
from one to another.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from basisdesk.events import FundingHistory, Ticker

RATE_ABS_MAX = 0.16  # fraction per interval; beyond it the feed is wrong (quant.md 1.3)
SETTLED_MAX = 2_000  # published settlements kept
PENDING_MAX = 64  # settlements waiting for `due`
CHANGES_MAX = 100  # changes of the interval kept
ROLL_EARLY_MS = 60_000  # a venue may show the next stamp so much before this one has passed
MINUTE_MS = 60_000  # stamps are whole minutes, and
STEP_MIN_MS = 3_600_000  # intervals whole hours, so two stamps are an hour apart at least, and
AHEAD_MAX_MS = 172_800_000  # no stamp is announced two days ahead
VELOCITY_TAU_S = 1_800.0  # quant.md 2.11
HOURS_PER_YEAR = 8_760.0
RATE_AGE_MS_MAX = 600_000  # a rate said so long before its stamp is not what settled
CLOSED_MAX = 400  # settlements of ours kept to be compared with what is published
FULL_H = 8.0  # rates of different intervals are told for so many hours


Amount = TypeVar("Amount", float, NDArray[np.float64])


class Settlement(NamedTuple):
    """One settlement that passed. rate: fraction per interval; mark: the price it is paid on."""

    settle_ms: int
    rate: float
    mark: float


class PredictionError(NamedTuple):
    """How far predicted rates were from the published ones, bp per 8 h, predicted minus published.

    stamps: settlements compared; the rest is NaN where there were none.
    """

    stamps: int
    mean_bp: float
    mean_abs_bp: float
    worst_bp: float


class FundingClock:
    """What is known of one perpetual's funding. NaN or 0 until heard.

    rate: indicative, fraction per interval; positive: longs pay shorts.
    mark: last mark price. next_ms: the coming stamp, venue clock. cap: the most that a rate may be
    either way, fraction per interval, 0 where the venue names none.
    interval_h: hours; keep what the instrument says until a ticker says it (`interval_h = ...`).
    interval_changes: (venue ms, hours before, hours after).
    settled: (settlement ms, rate) as the venue published them, oldest first, at most SETTLED_MAX.
    missed: stamps that passed while nothing was heard; `due` gives them once history knows them.
    rejected: rates that were refused as a feed error. capped: rates beyond the venue's own cap, and
    brought down to it. bad_stamps: tickers whose next stamp was refused.
    """

    def __init__(self, interval_h: float = 0.0) -> None:
        self.rate = math.nan
        self.mark = math.nan
        self.next_ms = 0
        self.interval_h = interval_h
        self.cap = 0.0
        self.heard_ms = 0
        self.settled: list[tuple[int, float]] = []
        self.interval_changes: deque[tuple[int, float, float]] = deque(maxlen=CHANGES_MAX)
        self.missed: deque[int] = deque(maxlen=PENDING_MAX)
        self.rejected = 0
        self.capped = 0
        self.bad_stamps = 0
        self._pending: deque[Settlement] = deque(maxlen=PENDING_MAX)
        self._closings: deque[tuple[int, float, float]] = deque(maxlen=CLOSED_MAX)
        self._closed_ms = 0  # the newest stamp handed out, pending or missed
        self._rate_ms = 0  # when the rate was last said; marks alone come in between
        self._slow_rate = math.nan  # EW mean of the rate: the rate minus it is the slope times tau

    # --- what the venue says ---------------------------------------------------------------------

    def apply(self, ticker: Ticker, t_ms: int = 0) -> bool:
        """Merge a ticker. True when rate, stamp or interval moved.

        t_ms: our receive time, used where the ticker carries no venue time.
        """
        heard_ms = ticker.venue_ms or t_ms
        before = (self.rate, self.next_ms, self.interval_h)
        if self.next_ms and heard_ms > self.next_ms:
            self._close(self.next_ms)  # what was known before this ticker stands
        rolled = self._move(ticker, heard_ms)
        if 0.0 < ticker.cap < math.inf:
            self.cap = ticker.cap
        self._take_rate(ticker.rate, heard_ms, rolled)
        if 0.0 < ticker.mark < math.inf:
            self.mark = ticker.mark
        self.heard_ms = max(self.heard_ms, heard_ms)
        return before != (self.rate, self.next_ms, self.interval_h)

    def set_interval(self, hours: float, cap: float, t_ms: int) -> bool:
        """What the venue said of this perpetual elsewhere (HTTP); 0 is not said. True when new.

        t_ms: when, venue clock or ours. The stamps stay those that the venue gave.
        """
        if 0.0 < cap < math.inf:
            self.cap = cap
        before = self.interval_h
        if not 0.0 < hours < math.inf or hours == before:
            return False
        if before > 0.0:
            self.interval_changes.append((t_ms, before, hours))
        self.interval_h = hours
        return True

    def learn(self, history: FundingHistory) -> None:
        """Merge published settlements: any order, any overlap, the same row twice is one row."""
        known = dict(self.settled)
        for settle_ms, text in history.rows:
            try:
                rate = float(text)
            except ValueError:
                rate = math.nan
            if settle_ms > 0 and abs(rate) <= RATE_ABS_MAX:
                known[settle_ms] = rate
            else:
                self.rejected += 1
        self.settled = sorted(known.items())[-SETTLED_MAX:]
        if self.mark > 0.0:
            for stamp in [ms for ms in self.missed if ms in known]:
                self.missed.remove(stamp)
                self._pending.append(Settlement(stamp, known[stamp], self.mark))
        self._forget_unreal()

    # --- what is due -----------------------------------------------------------------------------

    def waits(self, now_ms: int) -> bool:
        """Whether `due` has anything to do: a quick look, for those who ask ten times a second."""
        return bool(self._pending) or (self._closed_ms < self.next_ms <= now_ms)

    def due(self, now_ms: int) -> list[Settlement]:
        """Settlements whose stamp is not after now, oldest first, each handed out once for ever.

        Rate and mark are the last ones heard at or before the stamp. A stamp of `missed` comes late
        with the published rate and the last mark heard.
        """
        if self.next_ms and now_ms >= self.next_ms:
            self._close(self.next_ms)
        ready = sorted(s for s in self._pending if s.settle_ms <= now_ms)
        for settlement in ready:
            self._pending.remove(settlement)
        return ready

    def seconds_left(self, now_ms: int) -> float:
        """Seconds to the next settlement, 0 when it is passing, NaN when unknown."""
        if not self.next_ms:
            return math.nan
        return max(0.0, (self.next_ms - now_ms) / 1000)

    # --- what it means ---------------------------------------------------------------------------

    @property
    def annualised_pct(self) -> float:
        """The indicative rate as simple percent per year (quant.md 2.4 a)."""
        return annualised_pct(self.rate, self.interval_h)

    @property
    def velocity_bp_h(self) -> float:
        """Slope of the indicative rate, bp per hour, exponentially weighted (quant.md 2.11)."""
        return (self.rate - self._slow_rate) * 1e4 / (VELOCITY_TAU_S / 3600)

    @property
    def last_settled(self) -> float:
        """The newest published rate, fraction per interval; NaN before any."""
        return self.settled[-1][1] if self.settled else math.nan

    def settled_at(self, t_ms: int) -> float:
        """The rate last published at or before a time; NaN before any."""
        at = bisect_right(self.settled, (t_ms, math.inf)) - 1
        return self.settled[at][1] if at >= 0 else math.nan

    def settled_after(self, ms: int) -> bool:
        """Whether any settlement after this moment is published."""
        return bool(self.settled) and self.settled[-1][0] > ms

    def settled_between(self, after_ms: int, until_ms: int) -> list[tuple[int, float]]:
        """Published settlements with after < stamp <= until: catch-up after the desk was closed."""
        first = bisect_right(self.settled, (after_ms, math.inf))
        return self.settled[first : bisect_right(self.settled, (until_ms, math.inf))]

    def interval_at(self, stamp_ms: int) -> float:
        """Hours of the interval that ended at a stamp; 0 unknown.

        The time since the settlement published before it; where that is not known, by the changes
        that were heard of, which may be hours after they were made.
        """
        at = bisect_right(self.settled, (stamp_ms, math.inf)) - 1
        if at > 0 and self.settled[at][0] == stamp_ms:
            gap_h = (stamp_ms - self.settled[at - 1][0]) / STEP_MIN_MS
            if 1.0 <= gap_h <= FULL_H:
                return gap_h
        hours = self.interval_h
        for changed_ms, before, _ in reversed(self.interval_changes):
            if changed_ms < stamp_ms - ROLL_EARLY_MS:
                break
            hours = before
        return hours

    @property
    def errors(self) -> list[tuple[int, float]]:
        """(stamp, predicted minus published rate, bp per 8 h) of settlements known both ways.

        Predicted is what was last heard before the stamp, and what a position was paid by. Rates of
        an interval are brought to 8 h by the interval in force at the stamp.
        """
        published = dict(self.settled)
        return [
            (stamp, rate_8h_bp(rate - published[stamp], hours))
            for stamp, rate, hours in self._closings
            if stamp in published and hours > 0
        ]

    @property
    def error(self) -> PredictionError:
        """How reliable the predicted rate of this perpetual was."""
        return prediction_error([self])

    # --- inside ----------------------------------------------------------------------------------

    def _close(self, stamp_ms: int) -> None:
        if stamp_ms <= self._closed_ms:
            return
        self._closed_ms = stamp_ms
        recent = not self._rate_ms or stamp_ms - self._rate_ms <= RATE_AGE_MS_MAX
        if math.isfinite(self.rate) and self.mark > 0.0 and recent:
            self._pending.append(Settlement(stamp_ms, self.rate, self.mark))
            self._closings.append((stamp_ms, self.rate, self.interval_at(stamp_ms)))
        else:
            self.missed.append(stamp_ms)

    def _move(self, ticker: Ticker, heard_ms: int) -> bool:
        # take stamp and interval; True when a settlement was rolled over
        if ticker.interval_h != self.interval_h:
            self.set_interval(ticker.interval_h, 0.0, heard_ms)
        stamp, before = ticker.next_ms, self.next_ms
        if stamp <= 0 or stamp == before:
            return False
        if not self._stamp_can_be(stamp, heard_ms):
            self.bad_stamps += 1
            return False
        self.next_ms = stamp
        # a stamp put off or brought forward well before its time never happened
        rolled = 0 < before < stamp and (not heard_ms or heard_ms >= before - ROLL_EARLY_MS)
        if rolled:
            self._close(before)
            self._miss_between(before, stamp)
        if heard_ms > stamp:  # what is heard from now on came after that stamp
            self._closed_ms = max(self._closed_ms, stamp)
        return rolled

    def _stamp_can_be(self, stamp: int, heard_ms: int) -> bool:
        # A wrong stamp would be a settlement that never was. A refused one loses nothing: what it
        # should have paid comes late, from the venue's history.
        if stamp % MINUTE_MS or stamp - heard_ms > AHEAD_MAX_MS:
            return False
        if self._closed_ms and stamp < self._closed_ms + STEP_MIN_MS - ROLL_EARLY_MS:
            return False
        # a venue does not bring the next settlement forward to the coming minute
        return not (stamp < self.next_ms and stamp - heard_ms < ROLL_EARLY_MS)

    def _miss_between(self, before_ms: int, stamp_ms: int) -> None:
        # The interval may have changed on the way: the finer one, and history says which were real.
        hours = [each for each in (self.interval_at(before_ms), self.interval_h) if each > 0]
        step_ms = round(min(hours, default=0.0) * 3_600_000)
        if step_ms > 0:
            last = range(before_ms + step_ms, stamp_ms - step_ms // 2, step_ms)[-PENDING_MAX:]
            self.missed.extend(last)

    def _forget_unreal(self) -> None:
        # what lies between published stamps and was not published never was a settlement
        if not self.settled:
            return
        known = dict(self.settled)
        first, last = self.settled[0][0], self.settled[-1][0]
        real = [ms for ms in self.missed if ms in known or not first < ms < last]
        self.missed = deque(real, maxlen=PENDING_MAX)

    def _take_rate(self, rate: float, heard_ms: int, rolled: bool) -> None:
        if math.isnan(rate):
            return
        if abs(rate) > RATE_ABS_MAX:
            self.rejected += 1
            return
        if 0.0 < self.cap < abs(rate):
            self.capped += 1
            rate = math.copysign(self.cap, rate)
        before, self.rate = self.rate, rate
        since_ms, self._rate_ms = self._rate_ms, heard_ms
        if math.isnan(before):
            self._slow_rate = rate
        elif rolled:  # the step from one interval to the next is not velocity: keep the slope
            self._slow_rate += rate - before
        elif heard_ms > since_ms:
            # EW mean of a rate that moved in a straight line since the last ticker; on a steady
            # ramp it lags by exactly tau, so (rate - mean) / tau is the slope
            x = (heard_ms - since_ms) / 1000 / VELOCITY_TAU_S
            keep = math.exp(-x)
            held = (1 - keep) / x
            self._slow_rate = keep * self._slow_rate + (held - keep) * before + (1 - held) * rate


def prediction_error(clocks: Iterable[FundingClock]) -> PredictionError:
    """How reliable the predicted rates of some perpetuals were together, as of one venue."""
    errors = [error for clock in clocks for _, error in clock.errors]
    if not errors:
        return PredictionError(0, math.nan, math.nan, math.nan)
    count = len(errors)
    mean_abs = sum(map(abs, errors)) / count
    return PredictionError(count, sum(errors) / count, mean_abs, max(errors, key=abs))


def rate_8h_bp(rate: Amount, hours: Amount) -> Amount:
    """A funding rate per interval as bp per 8 h, by the true interval."""
    return rate * (1e4 * FULL_H) / hours


def annualised_pct(rate: float, interval_h: float) -> float:
    """A funding rate per interval as simple percent per year; NaN when the interval is unknown."""
    return rate * HOURS_PER_YEAR / interval_h * 100 if interval_h > 0 else math.nan
