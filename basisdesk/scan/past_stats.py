"""What our own past says of a rate, a funding gap and a basis: pure functions over `Past`.

Rates are told in bp per 8 h by the interval that each settlement truly had. A gap is what a
combination received, short leg minus long leg, on a grid of the longer of the two intervals, where
the payments of each leg are summed; a spot leg pays nothing. What cannot be known is NaN.
"""

import math
from typing import NamedTuple

import numpy as np

from basisdesk.market.funding import FULL_H, rate_8h_bp
from basisdesk.market.past import Past
from basisdesk.scan.sector_series import HOUR_MS, interval_hours
from basisdesk.scan.words import Floats, GapStats, Ints

WINDOW = 90  # settlements a z looks back, quant.md 2.14
SEEN_MIN = 10  # values under which there is neither z nor percentile
FAST_H, SLOW_H = 24.0, 168.0  # 3 and 21 settlements of 8 h, quant.md 2.12

EFFECTIVE_MIN = 10.0  # quant.md 2.17
DECAYED = 0.8  # the shortest lag over which a series forgets so much is the one to measure at
LAG_PART = 8  # the longest lag is this part of the series
BLOCKS = 12
T_BLOCKS = 1.796  # Student's t, 11 degrees of freedom, 95 % on one side: the interval is of 90 %
NOISE_SD = 2.0  # an autocovariance within so many deviations of white noise says nothing

_NONE: Floats = np.empty(0)


class Decay(NamedTuple):
    """How fast a series forgets, in steps of it. NaN: it does not, or too little is known.

    low, high: interval of 90 %; high is inf where the data do not bound it.
    """

    half_life: float = math.nan
    low: float = math.nan
    high: float = math.nan


class Paid(NamedTuple):
    """Settlements of a perpetual: stamps, hours that each paid for, bp of that interval."""

    ms: Ints
    hours: Floats
    bp: Floats


class GapSeries(NamedTuple):
    """A funding gap on a regular grid. gap_bp: bp per 8 h, NaN where a leg is not known.

    ends_ms: the end of each step, which is included. step_h: hours of a step.
    """

    ends_ms: Ints
    gap_bp: Floats
    step_h: float


NO_GAP = GapSeries(np.empty(0, dtype=np.int64), _NONE, math.nan)


# --- settled rates --------------------------------------------------------------------------------


def settled_8h_bp(past: Past, key: str) -> tuple[Ints, Floats]:
    """(ms, bp per 8 h) of what a perpetual settled, oldest first; holes are left out."""
    ms, rate = past.settled(key)
    hours = interval_hours(ms)
    known = np.isfinite(hours)
    return ms[known], rate_8h_bp(rate[known], hours[known])


# --- gaps -----------------------------------------------------------------------------------------


def paid(past: Past, key: str) -> Paid | None:
    """What a leg paid at each settlement; None for a spot leg, which pays nothing."""
    if ":spot:" in key:
        return None
    ms, rate = past.settled(key)
    hours = interval_hours(ms)
    known = np.isfinite(hours)
    return Paid(ms[known], hours[known], rate[known] * 1e4)


def gap_of(long: Paid | None, short: Paid | None) -> GapSeries:
    """What short minus long received, step by step; empty where a perpetual has no past.

    The step is the longest interval that either leg had in the time both are known for, so every
    step holds whole payments. A step in which a leg's payments do not cover it is NaN.
    """
    perps = [leg for leg in (long, short) if leg is not None]
    if not perps or any(len(ms) < 2 for ms, _, _ in perps):
        return NO_GAP
    first = max(int(ms[0] - hours[0] * HOUR_MS) for ms, hours, _ in perps)
    last = min(int(ms[-1]) for ms, _, _ in perps)
    common = [hours[(ms > first) & (ms <= last)] for ms, hours, _ in perps]
    if any(not len(hours) for hours in common):
        return NO_GAP
    step_h = max(float(hours.max()) for hours in common)
    step_ms = round(step_h * HOUR_MS)
    begin, end = -(-first // step_ms), last // step_ms
    if end <= begin:
        return NO_GAP
    ends = np.arange(begin + 1, end + 1) * step_ms
    gap = np.zeros(len(ends))
    for leg, sign in ((long, -1.0), (short, 1.0)):
        if leg is not None:
            gap += sign * _per_step(leg, begin, len(ends), step_ms)
    return GapSeries(ends, gap, step_h)


def gap_stats(series: GapSeries, gap_bp: float, hold_h: float) -> GapStats:
    """A combination's funding gap in our own past; gap_bp: the present one, bp per 8 h."""
    known = series.gap_bp[np.isfinite(series.gap_bp)]
    if not len(known):
        return GapStats(0, math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    decay = half_life(series.gap_bp)
    share, cases = hazard(series, gap_bp, hold_h)
    middle, low, high = (steps * series.step_h for steps in decay)
    return GapStats(len(known), float(known.mean()), middle, low, high, share, cases)


def hazard(series: GapSeries, gap_bp: float, hold_h: float) -> tuple[float, int]:
    """(share, cases): how often a like gap changed its sign within the hold.

    Like is of the same sign and at least half as large. Only cases whose whole hold is known
    count, else the quick ones would. Cases that overlap are not independent of each other.
    """
    gap = series.gap_bp
    if not (math.isfinite(gap_bp) and gap_bp != 0.0 and hold_h > 0.0 and len(gap)):
        return math.nan, 0
    steps = max(1, math.ceil(hold_h / series.step_h - 1e-9))
    starts = len(gap) - steps
    if starts <= 0:
        return math.nan, 0
    ours = gap * math.copysign(1.0, gap_bp)
    ahead = np.lib.stride_tricks.sliding_window_view(ours[1:], steps)
    whole = ahead.min(axis=1)  # NaN where anything is not known
    with np.errstate(invalid="ignore"):
        like = (ours[:starts] >= abs(gap_bp) / 2) & np.isfinite(whole)
        turned = whole[like] < 0.0
    return (float(turned.mean()), len(turned)) if len(turned) else (math.nan, 0)


# --- basis ----------------------------------------------------------------------------------------


def basis_minutes(past: Past, long: str, short: str) -> Floats:
    """Basis of mids, minute by minute, bp of the long leg; NaN where a leg is not known."""
    _, one = past.minutes(long)
    _, other = past.minutes(short)
    return np.expm1(other.astype(np.float64) - one) * 1e4


# --- of any series --------------------------------------------------------------------------------


def percentile(values: Floats, present: float) -> float:
    """Share of the past below the present value, 0..1; equal ones count half."""
    if len(values) < SEEN_MIN or not math.isfinite(present):
        return math.nan
    below = np.count_nonzero(values < present)
    return float(below + np.count_nonzero(values <= present)) / (2 * len(values))


def momentum(values: Floats, step_h: float) -> float:
    """Mean of about a day minus mean of about a week, both exponentially weighted.

    Over 3 and 21 settlements of 8 h (quant.md 2.12), and as many hours at any other interval: a
    coin that pays every hour is judged by the same day and week. NaN under a week.
    """
    if not (step_h > 0.0 and len(values) * step_h >= SLOW_H):
        return math.nan
    return _ewm(values, FAST_H / step_h) - _ewm(values, SLOW_H / step_h)


def half_life(series: Floats) -> Decay:
    """Half-life of a series that returns to its mean, in steps, from lags k and 2k.

    Over a lag of k the memory is r = c(2k) / c(k), c being the autocovariance: white noise on top
    is in neither (quant.md 2.17). k is the shortest of 1, 2, 4 ... steps over which a fair part
    is forgotten: at one minute a basis forgets a thousandth, which no sample can measure. A mean
    taken from the series itself makes every c too small by that mean's own variance, which is put
    back.

    None is told without EFFECTIVE_MIN independent products, so under 14 half-lives of data. Near
    that line only estimates that came out short are told: the median of 300 draws was 1 % short
    with 216 half-lives of data, 10 % with 43, 15 % with 24 and 40 % with 15. The interval of 90 %
    held the truth in 81 to 93 % of them.
    """
    known = np.isfinite(series)
    count = int(np.count_nonzero(known))
    if count < SEEN_MIN:
        return Decay()
    weight = known.astype(np.float64)
    apart = np.where(known, series, 0.0)
    apart = (apart - apart.sum() / count) * weight
    spread = float(apart @ apart) / count
    if spread < 1e-12:
        return Decay()
    noise = NOISE_SD * spread / math.sqrt(count)
    lag = 1
    found = math.nan
    while 2 * lag * LAG_PART <= len(apart):
        found, near = _memory(apart, weight, lag)
        if not near > noise:
            return Decay()
        if found <= DECAYED:
            break
        lag *= 2
    else:
        lag //= 2
    return _decay(apart, weight, lag, found)


# --- inside ---------------------------------------------------------------------------------------


def _memory(apart: Floats, weight: Floats, lag: int) -> tuple[float, float]:
    # (c(2 lag) / c(lag), c(lag)), both with the variance of the mean put back
    near, far = _covariance(apart, weight, lag), _covariance(apart, weight, 2 * lag)
    count, plus, kept = float(weight.sum()), 0.0, math.nan
    for _ in range(3):
        if not near + plus > 0.0:
            return math.nan, near
        kept = (far + plus) / (near + plus)
        if not 0.0 < kept < 1.0:
            return kept, near + plus
        # of a mean of n values with memory m a step: c(0) / n * (1 + m) / (1 - m)
        step = kept ** (1 / lag)
        if not step < 1.0:  # so slow that a step forgets nothing a float could hold
            return kept, near + plus
        plus = (near + plus) / kept / count * (1 + step) / (1 - step)
    return kept, near + plus


def _covariance(apart: Floats, weight: Floats, lag: int) -> float:
    pairs = float(weight[:-lag] @ weight[lag:])
    return float(apart[:-lag] @ apart[lag:]) / pairs if pairs else math.nan


def _decay(apart: Floats, weight: Floats, lag: int, kept: float) -> Decay:
    # the interval: r moves as the mean of p2 - r p1 does, whose error the sums of blocks show
    if not 0.0 < kept < 1.0:
        return Decay()
    steps = _steps(kept, lag)
    forgets = 2.0 ** (-2.0 / steps)
    if weight.sum() * (1 - forgets) / (1 + forgets) < EFFECTIVE_MIN:
        return Decay()
    head, last = apart[: -2 * lag], len(apart) - 2 * lag
    near, far = head * apart[lag : lag + last], head * apart[2 * lag :]
    size = last // BLOCKS
    if not size:
        return Decay()
    sums = (far - kept * near)[: size * BLOCKS].reshape(BLOCKS, size).sum(axis=1)
    error = float(sums.std(ddof=1)) * math.sqrt(BLOCKS) / max(float(near.sum()), 1e-12)
    low, high = kept - T_BLOCKS * error, kept + T_BLOCKS * error
    return Decay(steps, _steps(low, lag), _steps(high, lag))


def _steps(kept: float, lag: int) -> float:
    # the half-life that keeps so much over a lag
    if kept <= 0.0:
        return 0.0
    return -lag * math.log(2) / math.log(kept) if kept < 1.0 else math.inf


def _ewm(values: Floats, span: float) -> float:
    keep = 1.0 - 2.0 / (span + 1.0)
    recent = values[-math.ceil(6 * span) :]
    weights = keep ** np.arange(len(recent) - 1, -1, -1)
    return float(recent @ weights / weights.sum())


def _per_step(leg: Paid, begin: int, count: int, step_ms: int) -> Floats:
    # sums of a leg's payments in each step, bp per 8 h; NaN where they do not cover the step
    ms, hours, bp = leg
    at = -(-ms // step_ms) - 1 - begin
    inside = (at >= 0) & (at < count)
    at = at[inside]
    covered = np.bincount(at, hours[inside], count)
    paid = np.bincount(at, bp[inside], count).astype(np.float64) * (FULL_H * HOUR_MS / step_ms)
    paid[np.abs(covered - step_ms / HOUR_MS) > 0.5] = np.nan
    return paid
