"""Figures of settled funding series, one perpetual or one sector, by numpy and nothing else.

What the scanner, the matrix and the sectors make of a past goes by these: one reading of the
interval, one rate per 8 h, one z.

Rates are fractions of their own interval, positive: longs pay shorts. The interval is read from
the stamps: a settlement is for the time since the one before it, whatever the venue calls it, so a
contract that changes from 8 h to 1 h and to 4 h is right at each of its settlements.
"""

import numpy as np
from numpy.typing import NDArray

from basisdesk.market.funding import FULL_H

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_MS = 3_600_000
STEP_MS = 28_800_000  # of the common grid: the stamps 00:00, 08:00 and 16:00 UTC
COVERED_H_MIN = 4.0  # of a step of the grid, below which its rate is not known
MINUTE_MS = 60_000
SD_FLOOR_BP = 0.2  # quant.md 2.14: where a third of all prints are the same, the MAD is 0
MAD_TO_SD = 1.4826
BLOCK = 512  # windows sorted at once: bounds the memory of a long series


def whole_minutes(ms: Ints) -> Ints:
    """Stamps without the few ms that a venue's clock puts on them."""
    rounded: Ints = (ms + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    return rounded


def interval_hours(ms: Ints) -> Floats:
    """Hours that each settlement is for: the time since the one before it.

    A pause longer than both its neighbours is a settlement that we do not know of, and so is one of
    more than 8 h. What follows such a hole, and the very first, takes the interval of the next that
    is known, or else of the one before. NaN where no two settlements tell one.
    """
    hours = np.full(len(ms), np.nan)
    if len(ms) < 2:
        return hours
    gaps = np.rint(np.diff(whole_minutes(ms)) / HOUR_MS)
    hole = (gaps < 1.0) | (gaps > FULL_H)
    hole[1:-1] |= (gaps[1:-1] > gaps[:-2]) & (gaps[1:-1] > gaps[2:])
    hours[1:] = np.where(hole, np.nan, gaps)
    known = np.flatnonzero(~np.isnan(hours))
    if not len(known):
        return hours
    places = np.minimum(np.searchsorted(known, np.arange(len(ms))), len(known) - 1)
    filled: Floats = hours[known[places]]
    return filled


def on_grid(ms: Ints, rate: Floats, stamps: Ints) -> Floats:
    """What longs paid in the 8 h before each stamp, bp per 8 h. stamps: STEP_MS apart.

    Eight hourly payments are summed, one of 8 h stands as it is. Where less than half of the step
    is covered by settlements the rate is not known; where a part is missing the rest stands for it.
    """
    found = np.full(len(stamps), np.nan)
    if not len(ms) or not len(stamps):
        return found
    hours = interval_hours(ms)
    step = (whole_minutes(ms) - int(stamps[0]) + STEP_MS - 1) // STEP_MS
    inside = (step >= 0) & (step < len(stamps)) & np.isfinite(hours) & np.isfinite(rate)
    paid = np.bincount(step[inside], rate[inside], len(stamps))
    covered = np.bincount(step[inside], hours[inside], len(stamps))
    enough = covered >= COVERED_H_MIN
    found[enough] = paid[enough] * (1e4 * FULL_H) / covered[enough]
    return found


def median_of(table: Floats, least: int = 1) -> Floats:
    """Median of each row over what is known; NaN where fewer than `least` are."""
    known = table.shape[1] - np.count_nonzero(np.isnan(table), axis=1)
    found = np.full(len(table), np.nan)
    enough = np.flatnonzero(known >= max(1, least))
    if len(enough):
        ranked = np.sort(table[enough], axis=1)  # NaN goes to the end
        count, rows = known[enough], np.arange(len(enough))
        found[enough] = (ranked[rows, (count - 1) // 2] + ranked[rows, count // 2]) / 2
    return found


def robust_z(values: Floats, window: int, least: int, floor: float = SD_FLOOR_BP) -> Floats:
    """How unusual each value is by the `window` values before it, which it is no part of.

    (value - median) / max(1.4826 MAD, floor), quant.md 2.14. NaN below `least` known values.
    """
    found = np.full(len(values), np.nan)
    padded = np.concatenate((np.full(window, np.nan), values))
    for first in range(0, len(values), BLOCK):
        stop = min(len(values), first + BLOCK)
        before = np.lib.stride_tricks.sliding_window_view(padded[first : stop + window - 1], window)
        found[first:stop] = _z_of(values[first:stop], before, least, floor)
    return found


def last_z(value: float, before: Floats, least: int, floor: float = SD_FLOOR_BP) -> float:
    """The same of one value by all that went before it."""
    return float(_z_of(np.array([value]), before[None, :], least, floor)[0])


def usual(values: Floats, least: int, floor: float = SD_FLOOR_BP) -> tuple[Floats, Floats]:
    """(median, robust deviation) of each row over what is known, what z counts from and in.

    The deviation is 1.4826 times the median absolute one, and at least `floor`. NaN where fewer
    than `least` values are known.
    """
    middle = median_of(values, least)
    spread = median_of(np.abs(values - middle[:, None]), least) * MAD_TO_SD
    return middle, np.maximum(spread, floor)


def _z_of(values: Floats, before: Floats, least: int, floor: float) -> Floats:
    middle, sd = usual(before, least, floor)
    z: Floats = (values - middle) / sd
    return z
