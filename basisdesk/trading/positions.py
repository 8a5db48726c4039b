"""Positions, folded from outcomes: the same fold live and at a restart, and no other source.

A pair is made by its order (Ordered) or by its first fills (PairOpened); see pair_position.py.
"""

from decimal import Decimal

from basisdesk.errors import RuleError
from basisdesk.events import (
    BorrowCharged,
    ExitPlan,
    FundingSettled,
    Liquidated,
    MarginMoved,
    Ordered,
    OrderEnded,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
    PlanChanged,
    Traded,
)
from basisdesk.trading.authors import author
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.pair_position import HOUR_NS, PairPosition, hour_end_ms, meant
from basisdesk.venues.instrument import split_key, split_symbol

__all__ = [
    "CLOSED_KEPT",
    "HOUR_NS",
    "LegPosition",
    "PairPosition",
    "Positions",
    "direction_of",
    "hour_end_ms",
]

CLOSED_KEPT = 200  # closed pairs kept for display


class Positions:
    """Every open pair and the last closed ones, folded from outcomes.

    quote: the account's currency.
    """

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self.pairs: dict[int, PairPosition] = {}
        self.next_pair = 1
        self._live: list[PairPosition] | None = None  # until the next outcome; asked all the time

    def live(self) -> list[PairPosition]:
        """Pairs that hold something or whose order works, oldest first."""
        if self._live is None:
            self._live = [each for each in self.pairs.values() if each.state != "closed"]
        return list(self._live)

    def held_since(self, ns: int) -> list[PairPosition]:
        """Pairs that held something at or after a moment, oldest first."""
        return [
            position
            for position in self.pairs.values()
            if position.closed_ns is None or position.closed_ns >= ns
        ]

    def get(self, pair: int) -> PairPosition | None:
        """The pair if it holds something or its order works."""
        position = self.pairs.get(pair)
        return None if position is None or position.state == "closed" else position

    def apply(self, outcome: Outcome) -> None:
        """Fold one outcome in.

        Raises RuleError when it names a pair that was never opened, or moves a pair where
        pair_states.py does not let it go.
        """
        self._live = None
        match outcome:
            case Ordered() | OrderEnded():
                self._order(outcome)
            case PairOpened() | PairAdded() | PairReduced() | Liquidated():
                self._fill(outcome)
            case FundingSettled():
                self._known(outcome.pair).settle(outcome)
            case BorrowCharged():
                self._known(outcome.pair).charge(outcome)
            case MarginMoved():
                self._known(outcome.pair).move_margin(outcome.amount)
            case PlanChanged():
                self._known(outcome.pair).plan = meant(outcome.plan)

    def _order(self, outcome: Ordered | OrderEnded) -> None:
        if isinstance(outcome, OrderEnded):
            position = self._known(outcome.pair)
            position.end_order(outcome)
            if not position.fills:
                del self.pairs[outcome.pair]
            return
        if outcome.pair not in self.pairs:
            self._expect(outcome)
        self._known(outcome.pair).order(outcome)

    def _expect(self, ordered: Ordered) -> None:
        """A pair that nothing is filled of yet."""
        work, request = ordered.work, ordered.work.request
        if work.kind != "open" or request is None:
            raise RuleError(f"pair {ordered.pair}: an order of a pair that was never opened")
        position = self._new(ordered.pair, request.long, request.short)
        position.asked, position.leverage = request.qty, request.leverage
        position.plan, position.how = meant(request.exit), work.how
        position.opened_ns, position.open_reason = ordered.ts_ns, work.reason
        position.open_by = author(request)

    def _fill(self, outcome: Traded) -> None:
        match outcome:
            case PairOpened():
                position = self.pairs.get(outcome.pair)
                position = position or self._new(outcome.pair, outcome.long, outcome.short)
                position.open(outcome)
            case PairAdded():
                self._known(outcome.pair).add(outcome)
            case PairReduced():
                self._known(outcome.pair).reduce(outcome)
                self._forget()
            case Liquidated():
                self._known(outcome.pair).liquidate(outcome)
                self._forget()

    def _new(self, pair: int, long: str, short: str) -> PairPosition:
        position = PairPosition(
            pair=pair,
            long=LegPosition("long", long, *self._kind(long)),
            short=LegPosition("short", short, *self._kind(short)),
            direction=direction_of(short),
            asked=Decimal(0),
            leverage=Decimal(1),
            plan=ExitPlan(),
            opened_ns=0,
            open_reason="",
        )
        self.pairs[pair] = position
        self.next_pair = max(self.next_pair, pair + 1)
        return position

    def _kind(self, key: str) -> tuple[str, str]:
        """(market, quote currency) of a leg."""
        try:
            return split_key(key)[1], split_symbol(key)[1]
        except ValueError:  # a symbol of an older journal that names no currency
            return split_key(key)[1], self.quote

    def _known(self, pair: int) -> PairPosition:
        if pair not in self.pairs:
            raise RuleError(f"outcome for pair {pair}, which was never opened")
        return self.pairs[pair]

    def _forget(self) -> None:
        closed = [pair for pair, position in self.pairs.items() if position.state == "closed"]
        for pair in closed[:-CLOSED_KEPT]:
            del self.pairs[pair]


def direction_of(short: str) -> int:
    """-1 when the leg sold is a spot leg, the reference of its pair; else +1."""
    return -1 if split_key(short)[1] == "spot" else 1
