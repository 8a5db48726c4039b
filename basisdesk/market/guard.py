"""Is this price believable after the last one? A jump counts only once it is confirmed.

A decodable number may still be absurd: a feed that says 0.000000001 for one message must move no
fill, no liquidation and no curve. A true jump of more than half is shown a few seconds late.

A cross rate multiplies the whole account, so its leg has a tighter guard. The currencies are all
dollars and move by basis points a day: the first quote is measured by par, and all that is believed
at once within half a minute stays within 2 % of what that half minute began with, so that many
small steps reach no farther than one. More than that has to last half a minute. A true loss of the
peg (USDC, 2023-03: 10 % in hours) is traded on half a minute late at most.
"""

from math import inf, isnan, nan
from typing import NamedTuple

DOWN, UP = 0.5, 1.5  # believed at once: between half the last bid and one and a half the last ask
AGREE = 0.25  # fraction: so near to the update before it, an update confirms it
CONFIRM_COUNT = 3  # updates that agree
CONFIRM_NS = 2_000_000_000  # and last so long
CROSS_DOWN, CROSS_UP = 0.98, 1.02  # the same of a cross rate
CROSS_AGREE = 0.02
CROSS_CONFIRM_NS = 30_000_000_000  # also how long its bounds stand before they follow the price
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
    last: the middle of the last believed, NaN before any.
    """

    __slots__ = ("_agree", "_confirm_ns", "_count", "_price", "_since_ns", "high", "last", "low")

    def __init__(self) -> None:
        self._agree, self._confirm_ns = AGREE, CONFIRM_NS
        self.low = inf
        self.high = -inf
        self.last = nan
        self.forget_doubt()

    def forget_doubt(self) -> None:
        """The price that waited is gone: its stream was lost."""
        self._price = nan
        self._count = 0
        self._since_ns = 0

    def believe(self, bid: float, ask: float, t_ns: int) -> None:  # noqa: ARG002 of CrossGuard
        """The next prices are measured by these, which came at t_ns."""
        self.low, self.high = DOWN * bid, UP * ask
        self.last = (bid + ask) / 2

    def fits(self, price: float) -> bool:
        """Whether a single price, as of a trade, is near what is believed; all are before that."""
        return self.low <= price <= self.high or isnan(self.last)

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
        nothing_before = self.low > self.high and isnan(self.last)
        if nothing_before or (self.low <= bid and ask <= self.high):
            self.forget_doubt()
            self.believe(bid, ask, t_ns)
            return None
        mid = (bid + ask) / 2
        if not abs(mid - self._price) <= self._agree * self._price:
            self._count, self._since_ns = 0, t_ns
        self._price = mid
        self._count += 1
        if self._count >= CONFIRM_COUNT and t_ns - self._since_ns >= self._confirm_ns:
            self.forget_doubt()
            self.confirm(bid, ask, t_ns)
            return None
        return Doubt("jump", self.last, mid)

    def confirm(self, bid: float, ask: float, t_ns: int) -> None:
        """A jump was true."""
        self.believe(bid, ask, t_ns)


class CrossGuard(Guard):
    """The guard of a leg that is a cross rate between two dollars."""

    __slots__ = ("_until_ns",)

    def __init__(self) -> None:
        super().__init__()
        self._agree, self._confirm_ns = CROSS_AGREE, CROSS_CONFIRM_NS
        self.low, self.high = CROSS_DOWN, CROSS_UP
        self._until_ns = 0

    def believe(self, bid: float, ask: float, t_ns: int) -> None:
        """The bounds follow once in CROSS_CONFIRM_NS; until then all is measured by their first."""
        self.last = (bid + ask) / 2
        if t_ns >= self._until_ns:
            self.low, self.high = CROSS_DOWN * bid, CROSS_UP * ask
            self._until_ns = t_ns + CROSS_CONFIRM_NS

    def confirm(self, bid: float, ask: float, t_ns: int) -> None:
        """A jump was true, and the bounds follow it at once."""
        self._until_ns = 0
        self.believe(bid, ask, t_ns)
