"""Group B of the features: funding as published and as it floats, the calendar, the hour.

Rates come per interval and are told for 8 hours, so that venues of 1, 4 and 8 hours are one thing
to learn. The indicative rate is what the venue says now: it is known at the beat, where a rate made
of a whole interval's weights would know the rest of it.
"""

import math
from math import isnan, nan
from statistics import median
from typing import TYPE_CHECKING

from basisdesk.forecast.moments import SILENCE, Kept
from basisdesk.forecast.table import FIRST, M30
from basisdesk.market.funding import FULL_H, rate_8h_bp

if TYPE_CHECKING:
    from basisdesk.forecast.words import Settled, Tick

DAY_NS = 86_400_000_000_000
HOUR_MS = 3_600_000.0
FAST_KEEP, SLOW_KEEP = 0.5, 1.0 - 2.0 / 22.0  # EWM of 3 and of 21 settlements of 8 h
SETTLED_LEAST = 10  # for a median
MAD_TO_SD = 1.4826  # of a normal distribution
SD_FLOOR_BP = 0.2  # a third to a half of all settlements print the same number: MAD may be 0
PINNED_BP = 0.05
RATE_MAX_BP = 1e4  # per 8 h
CAP_MIN = 1e-9  # fraction an interval


class FundingState(Kept):
    """The slope of the indicative rate, what the published settlements say, and the hour.

    All but the rate itself and the time left move slowly and are told each 10 seconds.
    """

    __slots__ = (
        "_deviation",
        "_heard_s",
        "_hour",
        "_interval_h",
        "_last",
        "_median",
        "_momentum",
        "_next_ms",
        "_rate",
        "_settled",
        "_slow",
        "_t_s",
        "_velocity",
    )
    fixed = ("_settled",)  # what is made of it is kept; a new tail makes the same again

    def __init__(self) -> None:
        self._t_s = self._rate = self._slow = self._interval_h = nan
        self._heard_s = 0.0
        self._next_ms = 0
        self._settled: Settled | None = None
        self._last = self._momentum = self._median = self._deviation = nan
        self._velocity = nan
        self._hour = (nan, nan)

    def take(self, t_s: float, tick: "Tick", *, slow: bool) -> tuple[float, ...]:
        """The 10 values of this beat; slow: 10 seconds passed, and the rest is told."""
        hours, rate, next_ms = tick.interval_h, tick.rate, tick.next_ms
        known = hours > 0.0
        rate_bp = rate_8h_bp(rate, hours) if known else nan
        if not -RATE_MAX_BP < rate_bp < RATE_MAX_BP:
            rate = rate_bp = nan
        if slow:
            self._learn(t_s, rate_bp, tick)
        away = rate_bp - tick.interest_8h_bp
        left = nan
        if next_ms and known:
            left = (next_ms - tick.t_ns / 1e6) / (hours * HOUR_MS)
            left = 0.0 if left < 0.0 else min(left, 1.0)
        return (
            self._last,
            rate_bp,
            self._velocity,
            self._momentum,
            (rate_bp - self._median) / self._deviation,
            nan if isnan(away) else float(-PINNED_BP < away < PINNED_BP),
            left,
            *self._hour,
            (tick.cap - abs(rate)) / tick.cap if tick.cap > CAP_MIN else nan,
        )

    def warm(self) -> tuple[bool, ...]:
        """Whether the memory of each is full."""
        return (True, True, self._heard_s >= SILENCE * M30) + (True,) * 7

    # --- inside ----------------------------------------------------------------------------------

    def _learn(self, t_s: float, rate_bp: float, tick: "Tick") -> None:
        angle = tick.t_ns % DAY_NS / DAY_NS * math.tau
        self._hour = (math.sin(angle), math.cos(angle))
        if tick.settled is not self._settled and tick.settled:  # none yet is no news
            self._settled = tick.settled
            self._read(tick)
        self._velocity = self._slope(t_s, rate_bp, tick)

    def _slope(self, t_s: float, rate_bp: float, tick: "Tick") -> float:
        # On a straight line an EW mean lags by tau exactly, and the mean of the beats before by dt
        # more; so (rate - that mean) / (tau + dt) is the slope, and the rate is not in the mean.
        # The step from one interval to the next is not velocity: it moves mean and rate alike.
        if isnan(rate_bp):
            return nan
        dt = t_s - self._t_s
        away, lag_s = rate_bp - self._slow, M30
        if isnan(dt) or dt > SILENCE * M30:
            self._slow, self._heard_s = rate_bp, 0.0
        elif tick.next_ms != self._next_ms or tick.interval_h != self._interval_h:
            self._slow += rate_bp - self._rate
            away = rate_bp - self._slow
        elif dt > 0.0:
            lag_s += dt
            x = dt / M30
            keep = math.exp(-x)
            held = -math.expm1(-x) / x
            self._slow = keep * self._slow + (held - keep) * self._rate + (1.0 - held) * rate_bp
            self._heard_s += dt
        self._t_s, self._rate = t_s, rate_bp
        self._next_ms, self._interval_h = tick.next_ms, tick.interval_h
        if self._heard_s < FIRST["f_vel"]:
            return nan
        return 3_600.0 * away / lag_s

    def _read(self, tick: "Tick") -> None:
        settled = [row for row in tick.settled if -RATE_MAX_BP < row[1] < RATE_MAX_BP]
        rates = [rate for _, rate in settled]
        self._last = rates[-1] if rates else nan
        self._momentum = _momentum_bp(settled, tick.interval_h)
        self._median = self._deviation = nan
        if len(rates) >= SETTLED_LEAST:
            self._median = middle = median(rates)
            spread = MAD_TO_SD * median(abs(rate - middle) for rate in rates)
            self._deviation = max(spread, SD_FLOOR_BP)


def _momentum_bp(settled: list[tuple[int, float]], hours: float) -> float:
    """EWM of 3 minus EWM of 21 settlements of 8 h; shorter intervals weigh by their share of it.

    hours: the interval now, for the first settlement, whose own began before the tail does.
    """
    if not settled:
        return nan
    fast = slow = settled[0][1]
    before_ms = 0
    for stamp_ms, rate in settled:
        took_h = (stamp_ms - before_ms) / HOUR_MS if before_ms else hours
        share = min(max(took_h, 0.0), FULL_H) / FULL_H if took_h > 0.0 else 0.0
        fast += (1.0 - FAST_KEEP**share) * (rate - fast)
        slow += (1.0 - SLOW_KEEP**share) * (rate - slow)
        before_ms = stamp_ms
    return fast - slow
