"""One pair trade as the outcomes tell it: its legs, its order, its state and its money.

A pair has a long and a short leg. One of them is the reference leg, the denominator of the basis:
the spot leg, or the long leg of two perpetuals. direction +1: the reference leg is long (buy spot,
sell perp); -1: it is short (sell borrowed spot, buy perp).

The state is derived from what the legs hold and goes only where pair_states.py allows.
"""

import decimal
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

import msgspec

from basisdesk.errors import RuleError
from basisdesk.events import (
    MONEY,
    BorrowCharged,
    Execution,
    ExitPlan,
    Fill,
    FundingSettled,
    Liquidated,
    Ordered,
    OrderEnded,
    PairAdded,
    PairOpened,
    PairReduced,
    Traded,
    Work,
)
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.margin import CENT, Isolated, margin_for
from basisdesk.trading.pair_states import PairState, moved, state_after

HOUR_NS = 3_600_000_000_000
SPLIT_DIGITS = 64
HEDGE_PART = Decimal("0.005")  # of the larger leg; quant.md 2.10: drift is told beyond 50 bp


class PairPosition(msgspec.Struct):
    """One pair trade from entry to exit. Mutable; changed only by the fold.

    asked: quantity of the request. entry_bp, exit_bp: basis at the average fill prices, bp.
    open_by, close_by: who asked and why where no person did.
    opened_ns: of the first fills; of the order while nothing is filled.
    collateral: cash that secures the borrowed spot; the perpetuals' margin is their legs' own.
    state: see pair_states.py. unhedged_ns: since when a leg has been missing; None while none is,
    or where nothing is to be mended.
    how: as ordered, its policy mends what is unhedged. step: base coin, the larger lot of the legs.
    work: the order that works on this pair. long_done, short_done: base coin its legs have traded
    since it was accepted: of an entry its entry fills, of an exit its exit fills.
    funding: received so far (> 0 earned); borrow: paid so far. All in account currency.
    nets: stamp, ms -> funding of both legs together. adverse: how many of the last settlements in
    a row, of both legs together, we paid.
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
    collateral: Decimal = Decimal(0)
    state: PairState = "working"
    closed_ns: int | None = None
    open_by: str = ""
    close_reason: str = ""
    close_by: str = ""
    how: Execution = Execution()
    step: Decimal = Decimal(0)
    work: Work | None = None
    long_done: Decimal = Decimal(0)
    short_done: Decimal = Decimal(0)
    unhedged_ns: int | None = None
    funding: Decimal = Decimal(0)
    nets: dict[int, Decimal] = msgspec.field(default_factory=dict)
    adverse: int = 0
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
    def tolerance(self) -> Decimal:
        """Base coin that the legs may differ by and still count as hedged."""
        return max(self.step, HEDGE_PART * max(abs(leg.qty) for leg in self.legs))

    @property
    def hedged(self) -> bool:
        """Whether the legs cancel up to the tolerance."""
        return abs(self.delta) <= self.tolerance

    @property
    def working(self) -> bool:
        """Whether nothing is filled yet."""
        return self.state == "working"

    @property
    def entry_bp(self) -> float:
        """Basis at the entry fills in account currency, bp; NaN while a leg is missing."""
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
        qty, price = abs(leg.qty), leg.held_price
        added = leg.added / fx
        if leg.mean_value != leg.mean_cost * fx:
            drift = leg.mean_value / (leg.mean_cost * fx) - 1
            added += price * qty / self.leverage * drift
        return Isolated(price, qty, leg.qty > 0, self.leverage, added, taker)

    def order(self, ordered: Ordered) -> None:
        """Fold a working order in; it takes the place of one before."""
        if self.state == "closed":
            raise RuleError(f"pair {self.pair} is closed: no order can work on it")
        self.work = ordered.work
        self.long_done = self.short_done = Decimal(0)

    def end_order(self, ended: OrderEnded) -> None:
        """Fold the end of a working order in. A pair that held nothing is closed."""
        self.work = None
        self.long_done = self.short_done = Decimal(0)
        if self.working:
            self._move("closed", ended.ts_ns)

    def open(self, opened: PairOpened) -> None:
        """Fold the first fills in."""
        if not self.working:
            raise RuleError(f"pair {self.pair} was opened before")
        self.asked, self.leverage, self.how = opened.qty, opened.leverage, opened.how
        self.opened_ns, self.open_reason = opened.ts_ns, opened.reason
        self.open_by = opened.by
        if self.work is None:  # else the plan may have been replaced while the order worked
            self.plan = meant(opened.plan)
        self._enter(opened)
        self.step = opened.step or self._old_step()
        self._judge(opened)

    def add(self, added: PairAdded) -> None:
        """Fold more entry fills in."""
        self._enter(added)
        self._judge(added)

    def move_margin(self, amount: Decimal) -> None:
        """Fold margin by hand in, or out where it is negative; see _split for two perpetuals."""
        for perp, part in self._split(amount):
            perp.margin += part
            perp.added += part
            if perp.margin < 0:
                raise RuleError(f"pair {self.pair}: {-amount} is more than its margin")

    def reduce(self, reduced: PairReduced) -> None:
        """Fold a partial or full close in, of both legs or of one."""
        before, secured = [abs(leg.qty) for leg in self.legs], self.margin
        self.convert(reduced)
        self._take(reduced.fills, entry=False)
        for leg, size in zip(self.legs, before, strict=True):
            if leg.market == "perp":
                leg.give_up(size)
        # The outcome has the word: it releases more where cash does not cover the loss; shares of
        # an older desk may differ in the last digit.
        more = min(reduced.margin, secured) - (secured - self.margin)
        if more < 0:
            self._touched(reduced.fills)[-1].margin -= more
        self._pay_from_margin(max(Decimal(0), more), self._touched(reduced.fills)[-1].instrument)
        self.collateral -= min(reduced.collateral, self.collateral)
        self.close_reason, self.close_by = reduced.reason, reduced.by
        self._judge(reduced)

    def liquidate(self, forced: Liquidated) -> None:
        """Fold a forced close in: the other leg stands alone.

        A liquidation takes the leg's whole margin; deleveraging (ADL) returns what the outcome
        says, and all of it where it says nothing.
        """
        self.convert(forced)
        before = {perp.role: abs(perp.qty) for perp in self.perps}
        self._take(forced.fills, entry=False)
        for perp in self.perps:
            if forced.cause == "adl" and forced.margin is not None:
                if perp.instrument == forced.instrument:
                    left = max(Decimal(0), perp.margin - forced.margin)
                    perp.give_up(before[perp.role])
                    perp.margin = left
            elif perp.instrument == forced.instrument or forced.margin is None:
                perp.margin = perp.added = Decimal(0)
        self.close_reason, self.close_by = forced.cause, ""
        self._judge(forced)

    def settle(self, paid: FundingSettled) -> None:
        """Fold a funding payment in."""
        self.settled.add((paid.instrument, paid.settle_ms))
        self.funding += paid.amount
        stamp = paid.settle_ms
        if paid.source == "close":
            stamp = hour_end_ms(paid.ts_ns)
            for perp in self.perps:
                if perp.instrument == paid.instrument:
                    perp.realised[stamp] = paid.ts_ns
        with decimal.localcontext(MONEY):
            self.nets[stamp] = self.nets.get(stamp, Decimal(0)) + paid.amount
        self.adverse = 0
        for _, net in sorted(self.nets.items(), reverse=True):
            if net >= 0:
                break
            self.adverse += 1
        self._pay_from_margin(paid.from_margin, paid.instrument)

    def charge(self, charged: BorrowCharged) -> None:
        """Fold interest on borrowed coins in."""
        self.borrow += charged.amount
        self.borrow_hours += charged.hours
        self._pay_from_margin(charged.from_margin, self.perps[-1].instrument)

    def convert(self, outcome: Traded) -> None:
        """Take over the rates at the middle that an outcome had."""
        self.long.fx, self.short.fx = outcome.long_fx, outcome.short_fx

    def _enter(self, outcome: PairOpened | PairAdded) -> None:
        """Entry fills and what secures them: each perpetual its own margin, the last the rest."""
        before = {perp.role: perp.entry_value for perp in self.perps}
        self.convert(outcome)
        self._take(outcome.fills, entry=True)
        *first, last = self._touched(outcome.fills)
        left = outcome.margin
        for perp in first:
            part = min(left, margin_for(perp.entry_value - before[perp.role], self.leverage))
            perp.margin += part
            left -= part
        last.margin += left
        self.collateral += outcome.collateral

    def _touched(self, fills: Iterable[Fill]) -> list[LegPosition]:
        """The perpetuals among these fills; the last one of the pair where none is."""
        roles = {fill.leg for fill in fills}
        return [perp for perp in self.perps if perp.role in roles] or [self.perps[-1]]

    def _split(self, amount: Decimal) -> list[tuple[LegPosition, Decimal]]:
        """Margin moved by hand, split over the perpetuals that are held.

        Into two perpetuals by entry value; out of two by what was added to each by hand. Rounded
        to CENT from as many digits whoever folds: a restart, or a tool with a context of its own.
        """
        held = [perp for perp in self.perps if perp.qty] or list(self.perps)
        with decimal.localcontext(prec=SPLIT_DIGITS):
            worth = [abs(perp.qty) * perp.held_worth for perp in held]
            if amount < 0:
                spare = [max(Decimal(0), perp.added) for perp in held]
                worth = spare if any(spare) else worth
            total = sum(worth, Decimal(0))
            parts = [(amount * each / total).quantize(CENT, ROUND_DOWN) for each in worth[:-1]]
            return list(zip(held, [*parts, amount - sum(parts, Decimal(0))], strict=True))

    def _pay_from_margin(self, amount: Decimal, instrument: str) -> None:
        """A cost that cash did not cover: the leg's own margin pays, then the other perpetual's."""
        if not amount:
            return
        if not 0 < amount <= self.margin:
            raise RuleError(f"pair {self.pair}: its margin cannot pay {amount}")
        for perp in sorted(self.perps, key=lambda each: each.instrument != instrument):
            part = min(amount, perp.margin)
            perp.margin -= part
            perp.added -= part
            amount -= part

    def _take(self, fills: Iterable[Fill], *, entry: bool) -> None:
        counts = self.work is not None and (self.work.kind == "open") == entry
        with decimal.localcontext(MONEY):
            for fill in fills:
                leg = self.long if fill.leg == "long" else self.short
                if leg.opens(fill) != entry:
                    raise RuleError(f"pair {self.pair}: a {fill.side} of the {fill.leg} leg")
                leg.take(fill)
                paid = self.fees.get(fill.fee_currency, Decimal(0))
                self.fees[fill.fee_currency] = paid + fill.fee
                self.fills.append(fill)
                if counts and leg is self.long:
                    self.long_done += fill.qty
                elif counts:
                    self.short_done += fill.qty

    def _old_step(self) -> Decimal:
        """The lot, of a journal that did not tell it: the last digit of a quantity, or more.

        Then both legs always filled in full, so what they did not cancel was no exposure.
        """
        digits = [fill.qty.as_tuple().exponent for fill in self.fills]
        finest = max((digit for digit in digits if isinstance(digit, int)), default=0)
        small = abs(self.delta) <= 10 * HEDGE_PART * max(abs(leg.qty) for leg in self.legs)
        return max(Decimal(1).scaleb(finest), abs(self.delta) if small else Decimal(0))

    def _judge(self, outcome: Traded) -> None:
        """The state after fills."""
        hedged, bare = self.hedged, False
        closed = not isinstance(outcome, PairOpened | PairAdded) and outcome.closed
        if isinstance(outcome, Liquidated):
            bare = True
        elif isinstance(outcome, PairReduced):
            bare = outcome.alone and not hedged
        new = state_after(self.state, hedged=hedged, closed=closed, bare=bare)
        self._move(new, outcome.ts_ns)

    def _move(self, new: PairState, ts_ns: int) -> None:
        self.state = moved(self.pair, self.state, new)
        if new != "unhedged":
            self.unhedged_ns = None
        elif self.unhedged_ns is None:
            self.unhedged_ns = ts_ns
        if new == "closed":
            self.closed_ns, self.work = ts_ns, None
            self.collateral = Decimal(0)
            for leg in self.legs:
                leg.margin = leg.added = Decimal(0)


def meant(plan: ExitPlan) -> ExitPlan:
    """A plan without the lines that are no numbers: an older desk took them, and none can act."""
    lines = {name: getattr(plan, name) for name in plan.__struct_fields__}
    lost = {
        name: None
        for name, value in lines.items()
        if isinstance(value, Decimal) and not value.is_finite()
    }
    return msgspec.structs.replace(plan, **lost) if lost else plan


def hour_end_ms(ns: int) -> int:
    """The end of the clock hour (UTC) that a moment is in, ms; the start of an hour is in it."""
    return (ns // HOUR_NS + 1) * HOUR_NS // 1_000_000


def _basis_bp(reference: Decimal, other: Decimal) -> float:
    if not (reference and other):
        return float("nan")
    return float((other - reference) / reference * 10_000)
