"""Positions, folded from outcomes: the same fold live and at a restart, and no other source.

A pair has a long and a short leg. One of them is the reference leg, the denominator of the basis:
the spot leg, or the long leg of two perpetuals. direction +1: the reference leg is long (buy spot,
sell perp); -1: it is short (sell borrowed spot, buy perp).
"""

import decimal
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

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
from basisdesk.trading.margin import CENT, Isolated, margin_for, share_of
from basisdesk.venues.instrument import split_key, split_symbol

CLOSED_KEPT = 200  # closed pairs kept for display
HOUR_NS = 3_600_000_000_000


class LegPosition(msgspec.Struct):
    """What one leg of a pair holds. Mutable; changed only by the fold.

    quote: its quote currency. fx: account currency per quote at the pair's last outcome.
    qty: base, signed: what is held (> 0), or short or owed (< 0), after base-coin fees and dust.
    entry_qty, entry_cost, entry_value: what the entry traded: base, quote, and account currency at
    the middle of the cross rate; they never change. exit_*: what exits traded.
    margin: isolated margin of a perpetual, account currency; added: the part added by hand.
    history: (ts_ns, qty from then on), for settlements that are heard of later.
    realised: accrued funding that a change of position realised: end of that hour, venue ms ->
    until when (our ns) it is paid.
    """

    role: str  # "long" or "short"
    instrument: str
    market: str  # "spot" or "perp"
    quote: str = ""
    fx: Decimal = Decimal(1)
    qty: Decimal = Decimal(0)
    entry_qty: Decimal = Decimal(0)
    entry_cost: Decimal = Decimal(0)
    entry_value: Decimal = Decimal(0)
    exit_qty: Decimal = Decimal(0)
    exit_cost: Decimal = Decimal(0)
    exit_value: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    added: Decimal = Decimal(0)
    history: list[tuple[int, Decimal]] = msgspec.field(default_factory=list)
    realised: dict[int, int] = msgspec.field(default_factory=dict)

    @property
    def entry_price(self) -> Decimal:
        """Average price of the entry, quote; the venue keeps it through partial closes."""
        return self.entry_cost / self.entry_qty if self.entry_qty else Decimal(0)

    @property
    def exit_price(self) -> Decimal | None:
        """Average price of the exits so far, quote."""
        return self.exit_cost / self.exit_qty if self.exit_qty else None

    @property
    def entry_worth(self) -> Decimal:
        """Average price of the entry, account currency at the middle of the cross rate."""
        return self.entry_value / self.entry_qty if self.entry_qty else Decimal(0)

    @property
    def exit_worth(self) -> Decimal | None:
        """Average price of the exits so far, account currency."""
        return self.exit_value / self.exit_qty if self.exit_qty else None

    def qty_before(self, ns: int) -> Decimal:
        """Signed quantity held just before a moment: what a settlement at `ns` is paid on."""
        return next((qty for since, qty in reversed(self.history) if since < ns), Decimal(0))

    def held(self, since_ns: int, until_ns: int) -> list[tuple[Decimal, int]]:
        """(signed quantity, ns held) of each stretch between two moments in which it held any."""
        ends = [start for start, _ in self.history[1:]] + [until_ns]
        stretches = (
            (qty, min(end, until_ns) - max(start, since_ns))
            for (start, qty), end in zip(self.history, ends, strict=True)
        )
        return [(qty, ns) for qty, ns in stretches if qty and ns > 0]

    def take(self, fill: Fill) -> None:
        """Fold one fill in; `fx` is its outcome's already."""
        opening = (fill.side == "buy") == (self.role == "long")
        cost = fill.qty * fill.price
        if opening:
            self.entry_qty += fill.qty
            self.entry_cost += cost
            self.entry_value += cost * self.fx
        else:
            self.exit_qty += fill.qty
            self.exit_cost += cost
            self.exit_value += cost * self.fx
        if fill.side == "buy":
            in_base = fill.fee if fill.fee_currency != self.quote else Decimal(0)
            self.qty += fill.qty - in_base - fill.dust
        else:
            self.qty -= fill.qty
        self.history.append((fill.ts_ns, self.qty))

    def give_up(self, before: Decimal) -> None:
        """Release margin after a close; before: size held until then, without its sign."""
        after = abs(self.qty)
        self.margin -= share_of(self.margin, before - after, before) if before else Decimal(0)
        self.added = self.added * after / before if before else Decimal(0)


class PairPosition(msgspec.Struct):
    """One pair trade from entry to exit. Mutable; changed only by the fold.

    state: "open", "naked" (one leg was liquidated) or "closed".
    asked: quantity of the request. entry_bp, exit_bp: basis at the average fill prices, bp.
    collateral: cash that secures the borrowed spot; the perpetuals' margin is their legs' own.
    funding: received so far (> 0 earned); borrow: paid so far. All in account currency.
    fees: paid so far by currency, as the venues took them.
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
    collateral: Decimal
    state: str = "open"
    closed_ns: int | None = None
    close_reason: str = ""
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
    def margin(self) -> Decimal:
        """Isolated margin of the perpetual legs together, account currency."""
        return sum((perp.margin for perp in self.perps), Decimal(0))

    @property
    def delta(self) -> Decimal:
        """Net exposure in base coin: what the two legs do not cancel."""
        return self.long.qty + self.short.qty

    @property
    def entry_bp(self) -> float:
        """Basis at the entry fills in account currency, bp of the reference leg."""
        return _basis_bp(self.reference.entry_worth, self.other.entry_worth)

    @property
    def exit_bp(self) -> float:
        """Basis at the exit fills so far, bp; NaN before the first."""
        ref, other = self.reference.exit_worth, self.other.exit_worth
        return float("nan") if ref is None or other is None else _basis_bp(ref, other)

    def isolated(self, leg: LegPosition, taker: Decimal, fx: Decimal = Decimal(1)) -> Isolated:
        """What the venue's margin formulas need to know of a perpetual leg that is still open.

        fx: account currency per quote now. Margin is held in account currency, so what it is worth
        to the venue moves with that rate; the difference stands in `added`.
        """
        qty, price = abs(leg.qty), leg.entry_price
        added = leg.added / fx
        if leg.entry_value != leg.entry_cost * fx:
            drift = leg.entry_value / (leg.entry_cost * fx) - 1
            added += price * qty / self.leverage * drift
        return Isolated(price, qty, leg.qty > 0, self.leverage, added, taker)

    def secure(self, opened: PairOpened) -> None:
        """Fold the margin of an entry in: each perpetual has its own, the last one the rest."""
        left = opened.margin
        for perp in self.perps[:-1]:
            perp.margin = min(left, margin_for(perp.entry_value, self.leverage))
            left -= perp.margin
        self.perps[-1].margin = left

    def add_margin(self, amount: Decimal) -> None:
        """Fold margin by hand in: of two perpetuals each gets its share by entry value."""
        held = [perp for perp in self.perps if perp.qty] or list(self.perps)
        worth = [abs(perp.qty) * perp.entry_worth for perp in held]
        total = sum(worth, Decimal(0))
        parts = [(amount * each / total).quantize(CENT, ROUND_DOWN) for each in worth[:-1]]
        for perp, part in zip(held, [*parts, amount - sum(parts, Decimal(0))], strict=True):
            perp.margin += part
            perp.added += part

    def reduce(self, outcome: PairReduced) -> None:
        """Fold a partial or full close in."""
        before, secured = [abs(leg.qty) for leg in self.legs], self.margin
        self.convert(outcome)
        self._take(outcome.fills)
        for leg, size in zip(self.legs, before, strict=True):
            if leg.market == "perp":
                leg.give_up(size)
        # The outcome has the word; shares of an older desk may differ in the last digit.
        self.perps[-1].margin += secured - outcome.margin - self.margin
        self.collateral -= outcome.collateral
        self.close_reason = outcome.reason
        if outcome.closed:
            self._close(outcome.ts_ns)

    def liquidate(self, outcome: Liquidated) -> None:
        """Fold a forced close in: its leg's margin is gone, the other leg stands alone."""
        self.convert(outcome)
        self._take(outcome.fills)
        for perp in self.perps:
            if perp.instrument == outcome.instrument or outcome.margin is None:
                perp.margin = perp.added = Decimal(0)
        self.close_reason = "liquidation"
        self.state = "naked"
        if outcome.closed:
            self._close(outcome.ts_ns)

    def settle(self, paid: FundingSettled) -> None:
        """Fold a funding payment in."""
        self.settled.add((paid.instrument, paid.settle_ms))
        self.funding += paid.amount
        if paid.source == "close":
            for perp in self.perps:
                if perp.instrument == paid.instrument:
                    perp.realised[hour_end_ms(paid.ts_ns)] = paid.ts_ns

    def convert(self, outcome: PairOpened | PairReduced | Liquidated) -> None:
        """Take over the rates at the middle that an outcome had."""
        self.long.fx, self.short.fx = outcome.long_fx, outcome.short_fx

    def _take(self, fills: Iterable[Fill]) -> None:
        with decimal.localcontext(MONEY):
            for fill in fills:
                (self.long if fill.leg == "long" else self.short).take(fill)
                paid = self.fees.get(fill.fee_currency, Decimal(0))
                self.fees[fill.fee_currency] = paid + fill.fee
                self.fills.append(fill)

    def _close(self, ts_ns: int) -> None:
        self.state, self.closed_ns = "closed", ts_ns


class Positions:
    """Every open pair and the last closed ones, folded from outcomes.

    quote: the account's currency.
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
                self._known(outcome.pair).reduce(outcome)
                self._forget()
            case Liquidated():
                self._known(outcome.pair).liquidate(outcome)
                self._forget()
            case FundingSettled():
                self._known(outcome.pair).settle(outcome)
            case BorrowCharged():
                position = self._known(outcome.pair)
                position.borrow += outcome.amount
                position.borrow_hours += outcome.hours
            case MarginMoved():
                self._known(outcome.pair).add_margin(outcome.amount)
            case PlanChanged():
                self._known(outcome.pair).plan = outcome.plan

    def _open(self, opened: PairOpened) -> None:
        long = LegPosition("long", opened.long, *self._kind(opened.long))
        short = LegPosition("short", opened.short, *self._kind(opened.short))
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
            collateral=opened.collateral,
        )
        position.convert(opened)
        position._take(opened.fills)
        position.secure(opened)
        self.pairs[opened.pair] = position
        self.next_pair = max(self.next_pair, opened.pair + 1)

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


def hour_end_ms(ns: int) -> int:
    """The end of the clock hour (UTC) that a moment is in, ms; the start of an hour is in it."""
    return (ns // HOUR_NS + 1) * HOUR_NS // 1_000_000


def direction_of(short: str) -> int:
    """-1 when the leg sold is a spot leg, the reference of its pair; else +1."""
    return -1 if split_key(short)[1] == "spot" else 1


def _basis_bp(reference: Decimal, other: Decimal) -> float:
    return float((other - reference) / reference * 10_000) if reference else float("nan")
