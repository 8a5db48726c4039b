"""Win rate of round trips, with the interval that says how much so few pairs can tell.

A win is a closed pair that earned more than nothing after all costs; entry and exit are one trade.
"""

import math
from collections.abc import Iterable

import msgspec

from basisdesk.events import Result

Z95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


class WinRate(msgspec.Struct, frozen=True):
    """How many of `pairs` closed pairs won, and the 95 % interval of the true rate, fractions."""

    wins: int
    pairs: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Share of pairs that won; NaN of none."""
        return self.wins / self.pairs if self.pairs else math.nan


def wilson(wins: int, pairs: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a rate (Wilson 1927); (0, 1) of nothing.

    Unlike rate +- z * standard error it stays within 0 and 1, and holds for few pairs.
    """
    if pairs <= 0:
        return 0.0, 1.0
    rate, z2 = wins / pairs, z * z
    middle = (rate + z2 / (2 * pairs)) / (1 + z2 / pairs)
    spread = z / (1 + z2 / pairs) * math.sqrt(rate * (1 - rate) / pairs + z2 / (4 * pairs**2))
    low = middle - spread if wins else 0.0
    high = middle + spread if wins < pairs else 1.0
    return low, high


def win_rate(results: Iterable[Result]) -> WinRate:
    """The win rate of closed pairs."""
    nets = [result.net for result in results]
    wins = sum(net > 0 for net in nets)
    return WinRate(wins, len(nets), *wilson(wins, len(nets)))
