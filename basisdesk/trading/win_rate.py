"""Win rate of round trips, with the interval that says how much so few pairs can tell.

A win is a closed pair that earned more than nothing after all costs; entry and exit are one trade.
"""

import math
from collections.abc import Iterable

import msgspec

from basisdesk.events import Result
from basisdesk.market.stats import wilson


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


def win_rate(results: Iterable[Result]) -> WinRate:
    """The win rate of closed pairs."""
    nets = [result.net for result in results]
    wins = sum(net > 0 for net in nets)
    pairs = len(nets)
    return WinRate(wins, pairs, *wilson(wins / pairs if pairs else 0.0, pairs))
