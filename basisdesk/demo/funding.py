"""The venues' funding rules: impact premium each minute, rising weights, clamp, scale, cap.

Bybit help centre, "Introduction to Funding Rate", read 2026-08: premium P = [max(0, impact bid -
index) - max(0, index - impact ask)] / index, averaged over the interval's minutes with weights
1, 2, ... n; rate = cap(P + clamp(interest - P, 0.05 %)). Binance (announcement of the change of
2025-09-18) and OKX (notice of 2026-05-29) take the interest of 8 hours and divide by 8 / N.
Kraken Futures (support pages, 2026): an hour's rate is the average premium divided by 24.
"""

from bisect import bisect_right
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import INTEREST_8H

Floats = NDArray[np.float64]
Scale = Literal["interval", "8h", "24h"]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
INTERVAL_MS = 8 * HOUR_MS
CLAMP = 0.0005
RATE_DIGITS = 8  # what the venues print at most


def impact_premium(impact_bid: float, impact_ask: float, index: float) -> float:
    """Premium of one sample, a fraction of the index; 0 while the index lies between the two."""
    return (max(0.0, impact_bid - index) - max(0.0, index - impact_ask)) / index


def impact_premiums(mid_bp: Floats, half_bp: float) -> Floats:
    """The same for many samples: perp mids over the index, impact prices half_bp either side."""
    over, under = np.maximum(0.0, mid_bp - half_bp), np.maximum(0.0, -mid_bp - half_bp)
    return np.asarray((over - under) * 1e-4)


def average(samples: Floats, scale: Scale) -> float:
    """Mean premium of an interval's minutes: weights 1, 2, ... n, or plain for Kraken."""
    count = len(samples)
    if scale == "24h":
        return float(samples.mean())
    return float(np.arange(1, count + 1) @ samples) / (count * (count + 1) / 2)


def averages(samples: Floats, scale: Scale) -> Floats:
    """The same for many intervals at once, a row each."""
    count = samples.shape[1]
    if scale == "24h":
        return np.asarray(samples.mean(axis=1))
    return np.asarray(samples @ np.arange(1.0, count + 1.0) / (count * (count + 1) / 2))


def funding_rate(
    premium: float,
    cap: float,
    interest_8h: float = INTEREST_8H,
    hours: int = 8,
    scale: Scale = "interval",
) -> float:
    """Rate of one interval of so many hours, paid by longs when positive; to the venues' digits.

    "interval": P + clamp(I of the interval - P); "8h": (P + clamp(I of 8 h - P)) / (8 / hours);
    "24h": P / 24 an hour, no interest.
    """
    if scale == "24h":
        rate = premium * hours / 24.0
    elif scale == "8h":
        rate = (premium + _clamped(interest_8h - premium)) * hours / 8.0
    else:
        rate = premium + _clamped(interest_8h * hours / 8.0 - premium)
    return round(max(-cap, min(cap, rate)), RATE_DIGITS)


def premium_for(
    rate_8h: float,
    interest_8h: float = INTEREST_8H,
    hours: int = 8,
    scale: Scale = "interval",
) -> float:
    """A mean premium that settles at so much per 8 hours: `funding_rate` the other way round.

    At the interest rate itself every premium within the clamp does: the middle one is given.
    """
    if scale == "24h":
        return rate_8h * 3.0
    share = hours / 8.0 if scale == "interval" else 1.0
    rate, interest = rate_8h * share, interest_8h * share
    if abs(rate - interest) < 10.0**-RATE_DIGITS:
        return interest
    return rate + (CLAMP if rate > interest else -CLAMP)


def _clamped(value: float) -> float:
    return max(-CLAMP, min(CLAMP, value))


class Intervals:
    """When a perpetual settles: every so many hours of UTC, and how often that was changed."""

    def __init__(self, hours: int) -> None:
        self._from_ms = [0]
        self._hours = [hours]

    def change(self, now_ms: int, hours: int) -> None:
        """From now on another number of hours; the running interval ends by the new rhythm."""
        if hours != self._hours[-1]:
            self._from_ms.append(max(now_ms, self._from_ms[-1] + 1))
            self._hours.append(hours)

    def hours(self, t_ms: int) -> int:
        """The interval in force at a time."""
        return self._hours[bisect_right(self._from_ms, t_ms) - 1]

    def end_ms(self, t_ms: int) -> int:
        """The first settlement after `t_ms`, by what is known now."""
        end_ms = _next(t_ms, self.hours(t_ms))
        for from_ms, hours in zip(self._from_ms, self._hours, strict=True):
            if t_ms < from_ms < end_ms:
                end_ms = _next(from_ms, hours)
        return end_ms

    def ends_ms(self, t_ms: int, until_ms: int) -> list[int]:
        """Settlements after `t_ms` and not after `until_ms`, oldest first."""
        if len(self._hours) == 1:
            return list(range(self.end_ms(t_ms), until_ms + 1, self._hours[0] * HOUR_MS))
        out = []
        while (t_ms := self.end_ms(t_ms)) <= until_ms:
            out.append(t_ms)
        return out


def _next(t_ms: int, hours: int) -> int:
    return (t_ms // (hours * HOUR_MS) + 1) * hours * HOUR_MS
