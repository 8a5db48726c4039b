"""Expected funding of combinations over a hold, and when it has paid what a round trip costs.

The next payment is the indicative rate; later ones go from it to the leg's median settled rate, as
fast as the gap of the combination forgets. Gains need evidence and losses do not: of a leg without
a past of its own only the next payment is counted where it is for us, and every one of the hold
where it is against us. Payments are counted by their stamps (quant.md 2.30); a venue that accrues
pays for the time held.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.words import Floats

_LN2 = np.log(2.0)
NEVER_H = 8_760.0  # what a year has not paid back is taken to be never
_STEPS = 2.0 ** np.arange(14)  # payments looked at first: 1, 2, 4 ... 8,192
_EDGE = 1e-9  # intervals or bp: a stamp at the very end of the hold is in it
_AT_ONCE = -1e9  # halvings a payment of what is forgotten at once


@dataclass(frozen=True)
class Payer:
    """One leg of each combination. A spot leg pays nothing: its rates are 0.

    rate: indicative, fraction an interval; rest: what later payments go to. halvings: of the
    difference, a payment, < 0. interval_h. first_h: hours to the next stamp. accrues: pays by the
    time held. Make it with `payer`.
    """

    rate: Floats
    rest: Floats
    halvings: Floats
    interval_h: Floats
    first_h: Floats
    accrues: NDArray[np.bool_]

    def rows(self, chosen: NDArray[np.intp]) -> "Payer":
        """The same of these combinations."""
        return Payer(
            self.rate[chosen],
            self.rest[chosen],
            self.halvings[chosen],
            self.interval_h[chosen],
            self.first_h[chosen],
            self.accrues[chosen],
        )


@dataclass(frozen=True)
class Rates:
    """What is known of legs. median: settled, as rate; NaN without a past. Else as in Payer."""

    rate: Floats
    median: Floats
    interval_h: Floats
    first_h: Floats
    accrues: NDArray[np.bool_]


def payer(legs: Rates, chosen: NDArray[np.intp], sign: int, half_life_h: Floats) -> Payer:
    """A leg of each combination. chosen: its place among the legs.

    sign: +1 for a short leg, which receives a positive rate, -1 for a long one. half_life_h: of
    the combination's gap; NaN where it is not known, then the median counts from the second
    payment on.
    """
    rate, median, interval_h = legs.rate[chosen], legs.median[chosen], legs.interval_h[chosen]
    unknown = np.isnan(median)
    stays = np.where(sign * rate < 0.0, rate, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        halvings = -interval_h / half_life_h
    at_once = unknown | np.isnan(halvings)
    return Payer(
        rate=rate,
        rest=np.where(unknown, stays, median),
        halvings=np.where(at_once, _AT_ONCE, halvings),
        interval_h=interval_h,
        first_h=legs.first_h[chosen],
        accrues=legs.accrues[chosen],
    )


def first_stamp_h(next_ms: Floats, interval_h: Floats, now_ms: float) -> Floats:
    """Hours to the next settlement. A stamp that passed is rolled on by whole intervals.

    Where the stamp is not known it is a whole interval away.
    """
    left = (next_ms - now_ms) / 3_600_000
    with np.errstate(invalid="ignore", divide="ignore"):
        rolled = left + interval_h * (np.floor(-left / interval_h) + 1.0)
    return np.where(next_ms > 0.0, np.where(left > 0.0, left, rolled), interval_h)


def payments(leg: Payer, hours: Floats) -> Floats:
    """How many intervals are paid within so many hours; parts of one where the venue accrues."""
    stamps = np.floor((hours - leg.first_h) / leg.interval_h + _EDGE) + 1.0
    return np.where(leg.accrues, hours / leg.interval_h, np.maximum(stamps, 0.0))


def paid(leg: Payer, hours: Floats) -> Floats:
    """What longs of a leg are expected to pay within so many hours, a fraction of its notional."""
    count = payments(leg, hours)
    whole = np.floor(count)
    left = -np.expm1(leg.halvings * _LN2)
    decay = np.exp2(leg.halvings * whole)
    with np.errstate(invalid="ignore", divide="ignore"):
        decayed = np.where(left > 1e-12, (1.0 - decay) / left, whole)  # 1 + keep + keep^2 + ...
    away = leg.rate - leg.rest
    total: Floats = whole * leg.rest + away * decayed
    total += (count - whole) * (leg.rest + away * decay)
    return total


@dataclass(frozen=True)
class Flow:
    """Expected cash of combinations over time, in parts of the reference leg's notional.

    weight_long, weight_short: what a leg's funding is paid on, over the reference notional.
    borrow_h: interest on borrowed coins, a fraction of the reference notional an hour.
    """

    long: Payer
    short: Payer
    weight_long: Floats
    weight_short: Floats
    borrow_h: Floats

    def bp(self, hours: Floats) -> Floats:
        """Received until then, bp; interest on borrowed coins is taken off."""
        return self.funding_bp(hours) - self.borrow_bp(hours)

    def funding_bp(self, hours: Floats) -> Floats:
        """Funding received until then, bp."""
        short, long = paid(self.short, hours), paid(self.long, hours)
        bp: Floats = 1e4 * (self.weight_short * short - self.weight_long * long)
        return bp

    def borrow_bp(self, hours: Floats) -> Floats:
        """Interest owed on borrowed coins until then, bp; 0 where nothing is borrowed."""
        bp: Floats = 1e4 * self.borrow_h * hours
        return bp

    def rows(self, chosen: NDArray[np.intp]) -> "Flow":
        """The same of these combinations."""
        return Flow(
            self.long.rows(chosen),
            self.short.rows(chosen),
            self.weight_long[chosen],
            self.weight_short[chosen],
            self.borrow_h[chosen],
        )


def break_even(flow: Flow, need_bp: Floats) -> tuple[Floats, Floats]:
    """(payments, days) until the expected funding has brought need_bp; inf: not within NEVER_H.

    Payments are those of the leg that settles more often. Where the other leg's stamps make the sum
    rise and fall around what is needed, it may be a later moment than the very first. Nothing
    needed is 0; NaN stays NaN.
    """
    count = np.where(need_bp <= 0.0, 0.0, np.inf)
    hours = count.copy()
    # The flow an hour goes one way only, from what it is now to what it comes to. Where neither
    # the first payments nor the far end bring anything, none between does.
    looks = flow.long.first_h, flow.short.first_h, np.full(len(need_bp), NEVER_H)
    brought = [flow.bp(np.minimum(at, NEVER_H)) for at in looks]
    unknown = np.isnan(need_bp) | np.isnan(brought[-1])
    count[unknown] = hours[unknown] = np.nan
    may = np.flatnonzero(~unknown & (need_bp > 0.0) & (np.max(brought, axis=0) > 0.0))
    if len(may):
        count[may], hours[may] = _first_payment(flow.rows(may), need_bp[may])
    return count, hours / 24.0


def flow_stamp_h(flow: Flow, count: Floats) -> Floats:
    """Hours to the count-th settlement of the leg that settles more often."""
    faster = flow.long.interval_h < flow.short.interval_h
    first = np.where(faster, flow.long.first_h, flow.short.first_h)
    step = np.where(faster, flow.long.interval_h, flow.short.interval_h)
    return first + (count - 1.0) * step


def _first_payment(flow: Flow, need_bp: Floats) -> tuple[Floats, Floats]:
    # the first step of a coarse scale that is enough, then halving between it and the one before
    low, high = np.zeros(len(need_bp)), np.full(len(need_bp), np.inf)
    for step in _STEPS:
        open_ = np.flatnonzero(np.isinf(high))
        if not len(open_):
            break
        part = flow.rows(open_)
        enough = part.bp(flow_stamp_h(part, np.full(len(open_), step))) >= need_bp[open_] - _EDGE
        high[open_[enough]] = step
        low[open_[~enough]] = step
    while len(wide := np.flatnonzero(np.isfinite(high) & (high - low > 1.0))):
        middle, part = np.floor((low[wide] + high[wide]) / 2), flow.rows(wide)
        enough = part.bp(flow_stamp_h(part, middle)) >= need_bp[wide] - _EDGE
        high[wide], low[wide] = (
            np.where(enough, middle, high[wide]),
            np.where(enough, low[wide], middle),
        )
    hours = flow_stamp_h(flow, high)
    late = ~(hours <= NEVER_H)
    high[late] = hours[late] = np.inf
    return high, hours
