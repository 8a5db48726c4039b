"""The venue's funding rule: impact premium each minute, rising weights, clamp, cap.

Bybit help centre, "Introduction to Funding Rate", read 2026-08: premium P = [max(0, impact bid -
index) - max(0, index - impact ask)] / index, averaged over the interval's minutes with weights
1, 2, ... n; rate = cap(P + clamp(interest - P, 0.05 %)).
"""

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import CLAMP, INTEREST_8H

Floats = NDArray[np.float64]

MINUTE_MS = 60_000
INTERVAL_H = 8
INTERVAL_MS = INTERVAL_H * 3_600_000
SAMPLES = INTERVAL_MS // MINUTE_MS
RATE_DIGITS = 8  # what the venue prints


def impact_premium(impact_bid: float, impact_ask: float, index: float) -> float:
    """Premium of one sample, a fraction of the index; 0 while the index lies between the two."""
    return (max(0.0, impact_bid - index) - max(0.0, index - impact_ask)) / index


def impact_premiums(mid_bp: Floats, half_bp: float) -> Floats:
    """The same for many samples: perp mids over the index, impact prices half_bp either side."""
    over, under = np.maximum(0.0, mid_bp - half_bp), np.maximum(0.0, -mid_bp - half_bp)
    return np.asarray((over - under) * 1e-4)


def funding_rate(
    premium: float, cap: float, interest: float = INTEREST_8H, clamp: float = CLAMP
) -> float:
    """Rate of one interval, a fraction of the notional, paid by longs when positive."""
    rate = premium + max(-clamp, min(clamp, interest - premium))
    return max(-cap, min(cap, rate))


class RateMeter:
    """The running rate of one perpetual: samples of the current interval, weighted 1, 2, ... n."""

    __slots__ = ("cap", "count", "interest", "weighted")

    def __init__(
        self, cap: float, interest: float = INTEREST_8H, weighted: float = 0.0, count: int = 0
    ) -> None:
        self.cap = cap
        self.interest = interest
        self.weighted = weighted
        self.count = count

    def add(self, premium: float) -> None:
        """Take the sample of one minute."""
        self.count += 1
        self.weighted += self.count * premium

    def add_many(self, premiums: Floats) -> None:
        """Take the samples of several minutes of one interval."""
        weights = self.count + np.arange(1, len(premiums) + 1)
        self.count += len(premiums)
        self.weighted += float(weights @ premiums)

    def rate(self) -> float:
        """The rate if the interval ended now; the interest term before the first sample."""
        if self.count == 0:
            return self.interest
        mean = self.weighted / (self.count * (self.count + 1) / 2)
        return round(funding_rate(mean, self.cap, self.interest), RATE_DIGITS)

    def settle(self) -> float:
        """The rate of the interval that ends now; the next one starts empty."""
        rate = self.rate()
        self.weighted, self.count = 0.0, 0
        return rate


def interval_end_ms(t_ms: int) -> int:
    """End of the funding interval that holds `t_ms`: the next 00, 08 or 16 UTC after it."""
    return (t_ms // INTERVAL_MS + 1) * INTERVAL_MS
