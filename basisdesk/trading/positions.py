"""Positions, folded from outcomes: the same fold live and at a restart, and no other source.

A pair has a long and a short leg. One of them is the reference leg, the denominator of the basis:
the spot leg, or the long leg of two perpetuals. direction +1: the reference leg is long (buy spot,
sell perp); -1: it is short (sell borrowed spot, buy perp).
"""

import decimal
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from basisdesk.errors import RuleError
from basisdesk.events import (
    MONEY,
    BorrowCharged,
    ExitPlan,
    Fill,
    FundingSettled,
    Liquidated,
    MarginMoved,
    Outcome,
    PairOpened,
    PairReduced,
    PlanChanged,
)
from basisdesk.trading.margin import Isolated
from basisdesk.venues.instrument import split_key

CLOSED_KEPT = 200  # closed pairs kept for display


class LegPosition(msgspec.Struct):
    """What one leg of a pair holds. Mutable; changed only by the fold.

    qty: base, signed: what is held (> 0), or short or owed (< 0), after base-coin fees and dust.
    entry_qty, entry_cost: what the entry traded, base and quote; they never change.
    exit_qty, exit_cost: what exits traded, base and quote.
    history: (ts_ns, qty from then on), for settlements that are heard of later.
    """

    role: str  # "long" or "short"
    instrument: str
    market: str  # "spot" or "perp"
    qty: Decimal = Decimal(0)
    entry_qty: Decimal = Decimal(0)
    entry_cost: Decimal = Decimal(0)
    exit_qty: Decimal = Decimal(0)
    exit_cost: Decimal = Decimal(0)
    history: list[tuple[int, Decimal]] = msgspec.field(default_factory=list)

    @property
    def entry_price(self) -> Decimal:
        """Average price of the entry, quote; the venue keeps it through partial closes."""
        return self.entry_cost / self.entry_qty if self.entry_qty else Decimal(0)

    @property
    def exit_price(self) -> Decimal | None:
        """Average price of the exits so far, quote."""
        return self.exit_cost / self.exit_qty if self.exit_qty else None

    def qty_before(self, ns: int) -> Decimal:
        """Signed quantity held just before a moment: what a settlement at `ns` is paid on."""
        return next((qty for since, qty in reversed(self.history) if since < ns), Decimal(0))

    def take(self, fill: Fill, quote: str) -> None:
        """Fold one fill in."""
        opening = (fill.side == "buy") == (self.role == "long")
        cost = fill.qty * fill.price
        if opening:
            self.entry_qty += fill.qty
            self.entry_cost += cost
        else:
            self.exit_qty += fill.qty
            self.exit_cost += cost
        if fill.side == "buy":
            in_base = fill.fee if fill.fee_currency != quote else Decimal(0)
            self.qty += fill.qty - in_base - fill.dust
        else:
            self.qty -= fill.qty
        self.history.append((fill.ts_ns, self.qty))


class PairPosition(msgspec.Struct):
    """One pair trade from entry to exit. Mutable; changed only by the fold.

    state: "open", "naked" (one leg was liquidated) or "closed".
    asked: quantity of the request. entry_bp, exit_bp: basis at the average fill prices, bp.
    margin: isolated margin of the perpetual legs together; collateral: of the borrowed spot; both
    quote currency. added: part of the margin that was added by hand.
    funding: received so far (> 0 earned); borrow: paid so far; quote currency.
    fees: paid so far by currency.
    """

    pair: int
    long: LegPosition
    short: LegPosition
    direction: int
    asked: Decimal
    leverage: Decimal
    plan: ExitPlan
    opened_ns: int
    open_reason: str
    margin: Decimal
    collateral: Decimal
    state: str = "open"
    closed_ns: int | None = None
    close_reason: str = ""
    added: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    borrow: Decimal = Decimal(0)
    borrow_hours: int = 0
    fees: dict[str, Decimal] = msgspec.field(default_factory=dict)
    fills: list[Fill] = msgspec.field(default_factory=list)
    settled: set[tuple[str, int]] = msgspec.field(default_factory=set)

    @property
    def legs(self) -> tuple[LegPosition, LegPosition]:
        """(long leg, short leg)."""
        return self.long, self.short

    @property
    def reference(self) -> LegPosition:
        """The leg the basis is measured on: spot, or the long one of two perpetuals."""
        return self.long if self.direction > 0 else self.short

    @property
    def other(self) -> LegPosition:
        """The perpetual against the reference leg."""
        return self.short if self.direction > 0 else self.long

    @property
    def perps(self) -> tuple[LegPosition, ...]:
        """The perpetual legs."""
        return tuple(leg for leg in self.legs if leg.market == "perp")

    @property
    def borrowed(self) -> LegPosition | None:
        """The spot leg that is short, when there is one: its coins are owed."""
        return self.short if self.short.market == "spot" else None

    @property
    def delta(self) -> Decimal:
        """Net exposure in base coin: what the two legs do not cancel."""
        return self.long.qty + self.short.qty

    @property
    def entry_bp(self) -> float:
        """Basis at the entry fills, bp of the reference leg."""
        return _basis_bp(self.reference.entry_price, self.other.entry_price)

    @property
    def exit_bp(self) -> float:
        """Basis at the exit fills so far, bp; NaN before the first."""
        ref, other = self.reference.exit_price, self.other.exit_price
        return float("nan") if ref is None or other is None else _basis_bp(ref, other)

    def isolated(self, leg: LegPosition, taker: Decimal) -> Isolated:
        """What the venue's margin formulas need to know of a perpetual leg that is still open.

        Margin added by hand goes to the legs of a perp-perp pair by their notional.
        """
        cost = sum((perp.entry_cost for perp in self.perps), Decimal(0))
        added = self.added if len(self.perps) == 1 else self.added * leg.entry_cost / cost
        qty = abs(leg.qty)
        return Isolated(leg.entry_price, qty, leg.qty > 0, self.leverage, added, taker)

    def reduce(self, outcome: PairReduced, quote: str) -> None:
        """Fold a partial or full close in."""
        left = sum((abs(leg.qty) for leg in self.perps), Decimal(0))
        self._take(outcome.fills, quote)
        after = sum((abs(leg.qty) for leg in self.perps), Decimal(0))
        self.added = self.added * after / left if left else Decimal(0)
        self.margin -= outcome.margin
        self.collateral -= outcome.collateral
        self.close_reason = outcome.reason
        if outcome.closed:
            self._close(outcome.ts_ns)

    def liquidate(self, outcome: Liquidated, quote: str) -> None:
        """Fold a forced close in: the margin is gone, the other leg stands alone."""
        self._take(outcome.fills, quote)
        self.margin = self.added = Decimal(0)
        self.close_reason = "liquidation"
        self.state = "naked"
        if outcome.closed:
            self._close(outcome.ts_ns)

    def _take(self, fills: Iterable[Fill], quote: str) -> None:
        with decimal.localcontext(MONEY):
            for fill in fills:
                (self.long if fill.leg == "long" else self.short).take(fill, quote)
                paid = self.fees.get(fill.fee_currency, Decimal(0))
                self.fees[fill.fee_currency] = paid + fill.fee
                self.fills.append(fill)

    def _close(self, ts_ns: int) -> None:
        self.state, self.closed_ns = "closed", ts_ns


class Positions:
    """Every open pair and the last closed ones, folded from outcomes.

    quote: the account's currency; fees in any other currency are taken from the coins bought.
    """

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self.pairs: dict[int, PairPosition] = {}
        self.next_pair = 1

    def live(self) -> list[PairPosition]:
        """Pairs that still hold something, oldest first."""
        return [position for position in self.pairs.values() if position.state != "closed"]

    def held_since(self, ns: int) -> list[PairPosition]:
        """Pairs that held something at or after a moment, oldest first."""
        return [
            position
            for position in self.pairs.values()
            if position.closed_ns is None or position.closed_ns >= ns
        ]

    def get(self, pair: int) -> PairPosition | None:
        """The pair if it still holds something."""
        position = self.pairs.get(pair)
        return None if position is None or position.state == "closed" else position

    def apply(self, outcome: Outcome) -> None:
        """Fold one outcome in. Raises RuleError when it names a pair that was never opened."""
        match outcome:
            case PairOpened():
                self._open(outcome)
            case PairReduced():
                self._known(outcome.pair).reduce(outcome, self.quote)
                self._forget()
            case Liquidated():
                self._known(outcome.pair).liquidate(outcome, self.quote)
                self._forget()
            case FundingSettled():
                position = self._known(outcome.pair)
                position.settled.add((outcome.instrument, outcome.settle_ms))
                position.funding += outcome.amount
            case BorrowCharged():
                position = self._known(outcome.pair)
                position.borrow += outcome.amount
                position.borrow_hours += outcome.hours
            case MarginMoved():
                position = self._known(outcome.pair)
                position.margin += outcome.amount
                position.added += outcome.amount
            case PlanChanged():
                self._known(outcome.pair).plan = outcome.plan

    def _open(self, opened: PairOpened) -> None:
        long = LegPosition("long", opened.long, split_key(opened.long)[1])
        short = LegPosition("short", opened.short, split_key(opened.short)[1])
        position = PairPosition(
            pair=opened.pair,
            long=long,
            short=short,
            direction=direction_of(opened.short),
            asked=opened.qty,
            leverage=opened.leverage,
            plan=opened.plan,
            opened_ns=opened.ts_ns,
            open_reason=opened.reason,
            margin=opened.margin,
            collateral=opened.collateral,
        )
        position._take(opened.fills, self.quote)
        self.pairs[opened.pair] = position
        self.next_pair = max(self.next_pair, opened.pair + 1)

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


def _basis_bp(reference: Decimal, other: Decimal) -> float:
    return float((other - reference) / reference * 10_000) if reference else float("nan")
