"""A resting order's place in the queue, estimated so that it errs against us.

It joins the back of its level when it arrives: all that is displayed there is ahead of it. Public
trades at its price, by takers of the other side, first use up what is ahead and then fill it; what
is ahead is never more than what is displayed. A trade through its price, or the other side's best
price strictly through it, fills it in full: with time priority neither can happen while it rests.

Nothing of this is kept over a restart; a new order joins the back again.
"""

import math
from decimal import Decimal

import msgspec

from basisdesk.market.leg import Leg
from basisdesk.venues.instrument import Instrument

REQUOTE_NS = 1_000_000_000  # a quote stays at least so long where it is
LEVELS = 50  # displayed levels that are looked through for our price


class Resting(msgspec.Struct):
    """One resting order. Mutable; moved on by `advance`.

    price: exact; shown: the same as the venue's float. qty: base. filled: of it, in whole lots.
    sent_ns: when we decided; live_ns: when it stands in the book; leave_ns: when a withdrawal
    reaches the venue, until then it can fill. ahead: base coin before us, None until it stands.
    traded: what came through to us at our price, base. why: what the last fill rests on.
    refused: it would have met the other side's price at once, so it never stood.
    """

    side: str
    price: Decimal
    shown: float
    qty: Decimal
    sent_ns: int
    live_ns: int
    filled: Decimal = Decimal(0)
    booked: Decimal = Decimal(0)
    ahead: float | None = None
    joined_behind: float = 0.0
    traded: float = 0.0
    seen_ns: int = 0
    leave_ns: int | None = None
    through: bool = False
    refused: bool = False

    @property
    def left(self) -> Decimal:
        """Base coin that is not filled."""
        return self.qty - self.filled

    @property
    def gone(self) -> bool:
        """Whether it never stood, or is filled in full."""
        return self.refused or self.filled >= self.qty

    def withdrawn(self, now_ns: int) -> bool:
        """Whether its withdrawal has reached the venue."""
        return self.leave_ns is not None and now_ns >= self.leave_ns


def advance(order: Resting, leg: Leg, rule: Instrument, now_ns: int) -> None:
    """Take what the market showed since the last look."""
    if order.gone or now_ns < order.live_ns:
        return
    if order.ahead is None:
        _join(order, leg, now_ns)
        return
    _trades(order, leg)
    if order.leave_ns is None and not order.through and _met(order, leg):
        order.through = True
    if (now := displayed(leg, order.side, order.shown)) is not None:
        order.ahead = min(order.ahead, now)
    got = order.qty if order.through else min(order.qty, rule.size(order.traded))
    order.filled = max(order.filled, got)


def displayed(leg: Leg, side: str, price: float) -> float | None:
    """Base coin displayed at a price of our side; None where the book does not reach there."""
    if not leg.book.valid:
        return None
    buys = side == "buy"
    rows = leg.book.levels("sell" if buys else "buy", LEVELS)  # our side of the book
    for shown, size in rows:
        if shown == price:
            return size
        if shown < price if buys else shown > price:
            return 0.0  # the next level is worse than ours: nobody else stands here
    return None


def behind(order: Resting, leg: Leg) -> bool:
    """Whether others bid or offer a better price than ours now."""
    best = leg.bid if order.side == "buy" else leg.ask
    return best > order.shown if order.side == "buy" else best < order.shown


def reason(order: Resting) -> tuple[str, str]:
    """(grade, reason) of its fills."""
    if order.through:
        return "C", "queue assumed: the market traded through our price"
    ahead = f"{order.joined_behind:,.6g}"
    return "B", f"queue assumed: {ahead} ahead of us at the back of the level, traded first"


def _join(order: Resting, leg: Leg, now_ns: int) -> None:
    other = leg.ask if order.side == "buy" else leg.bid
    crosses = other <= order.shown if order.side == "buy" else other >= order.shown
    if crosses or math.isnan(other):  # a price to stand against is needed
        order.refused = True
        return
    there = displayed(leg, order.side, order.shown)
    touch = leg.bid_size if order.side == "buy" else leg.ask_size
    order.ahead = order.joined_behind = touch if there is None else there
    order.seen_ns = now_ns


def _trades(order: Resting, leg: Leg) -> None:
    assert order.ahead is not None
    taker = "sell" if order.side == "buy" else "buy"
    last = order.seen_ns
    for t_ns, price, size, side in leg.prints:
        if t_ns <= order.seen_ns or side != taker:
            continue
        if order.leave_ns is not None and t_ns > order.leave_ns:
            break
        last = t_ns
        if price < order.shown if order.side == "buy" else price > order.shown:
            order.through = True
        elif price == order.shown:
            used = min(order.ahead, size)
            order.ahead -= used
            order.traded += size - used
    order.seen_ns = max(order.seen_ns, last)


def _met(order: Resting, leg: Leg) -> bool:
    return leg.ask < order.shown if order.side == "buy" else leg.bid > order.shown
