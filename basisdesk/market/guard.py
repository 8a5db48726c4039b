"""Is this price believable after the last one? A jump counts only once it is confirmed.

A decodable number may still be absurd: a feed that says 0.000000001 for one message must move no
fill, no liquidation and no curve. A true jump of more than half is shown a few seconds late.
"""

from math import inf, isnan, nan
from typing import NamedTuple

DOWN, UP = 0.5, 1.5  # believed at once: between half the last bid and one and a half the last ask
AGREE = 0.25  # fraction: so near to the update before it, an update confirms it
CONFIRM_COUNT = 3  # updates that agree
CONFIRM_NS = 2_000_000_000  # and last so long
SPREAD_MAX = 2.0  # ask over bid; beyond it the two say nothing of a price


class Doubt(NamedTuple):
    """Why a price is not believed. The prices are the last believed and the doubted one.

    reason: "jump"; "number", `now` rounds to no tick at all; "spread", of bid `before`, ask `now`.
    """

    reason: str
    before: float
    now: float


class Guard:
    """The last price believed of one source, and the one that waits to be confirmed.

    low, high: a bid and an ask between them are believed at once; nothing is before the first.
    """

    __slots__ = ("_count", "_price", "_since_ns", "high", "last", "low")

    def __init__(self) -> None:
        self.low = inf
        self.high = -inf
        self.last = nan
        self.forget_doubt()

    def forget_doubt(self) -> None:
        """The price that waited is gone: its stream was lost."""
        self._price = nan
        self._count = 0
        self._since_ns = 0

    def believe(self, bid: float, ask: float) -> None:
        """The next prices are measured by these."""
        self.low, self.high = DOWN * bid, UP * ask
        self.last = (bid + ask) / 2

    def judge(self, bid: float, ask: float, t_ns: int, floor: float = 0.0) -> Doubt | None:
        """Believe a quote, or say why not. A mark is a quote with bid and ask alike.

        floor: half a tick; a price not above it is no price. A side that is missing (NaN) makes no
        mid, so there is nothing to doubt.
        """
        if isnan(bid) or isnan(ask):
            self.forget_doubt()
            return None
        if bid <= floor or ask > SPREAD_MAX * bid:
            self.forget_doubt()
            return Doubt("number", self.last, bid) if bid <= floor else Doubt("spread", bid, ask)
        if isnan(self.last) or (self.low <= bid and ask <= self.high):
            self.forget_doubt()
            self.believe(bid, ask)
            return None
        mid = (bid + ask) / 2
        if not abs(mid - self._price) <= AGREE * self._price:
            self._count, self._since_ns = 0, t_ns
        self._price = mid
        self._count += 1
        if self._count >= CONFIRM_COUNT and t_ns - self._since_ns >= CONFIRM_NS:
            self.forget_doubt()
            self.believe(bid, ask)
            return None
        return Doubt("jump", self.last, mid)
