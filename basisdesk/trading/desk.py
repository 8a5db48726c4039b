"""The desk: takes commands and time, decides, and hands back outcomes.

The engine journals what the desk decides and then hands each outcome to `apply`. Only `apply`
changes positions and the risk state, live and at a restart alike; orders on their way and the
memory of eaten liquidity are the desk's own and are not kept.

Within one call the positions stand still, so a pair gets at most one change of its legs a call; an
entry is filled only in a call where nothing else moved cash.
"""

from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.events import (
    AddMargin,
    BorrowCharged,
    ClosePair,
    Command,
    Flatten,
    FundingSettled,
    Funds,
    Halt,
    MarginMoved,
    OpenPair,
    Outcome,
    PairOpened,
    PlanChanged,
    Resume,
    RiskChanged,
    SetPlan,
)
from basisdesk.market.state import Market
from basisdesk.trading import booked, exits, risk, words
from basisdesk.trading.accrual import interest, realised, settlements
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.entries import Entries
from basisdesk.trading.margin import CENT, Liquidation
from basisdesk.trading.orders import FAR_NS, PATIENCE_NS, RETRY_NS, PairOrder, travel_ns
from basisdesk.trading.paper import Memory
from basisdesk.trading.positions import PairPosition, Positions
from basisdesk.trading.quoting import CloseQuote, LegQuote, OpenQuote, quote_close, undescribed
from basisdesk.trading.risk import No, RiskState


class Desk:
    """One account's pairs, its orders on their way, and whether entries are allowed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._positions = Positions(settings.account.currency)
        self._memory = Memory(settings.paper.liquidity_memory)
        self._quiet_until: dict[int, int] = {}  # pair -> when a failed exit of ours is tried again
        self.pending: list[PairOrder] = []
        self.risk = RiskState()

    # --- what stands -----------------------------------------------------------------------------

    @property
    def pairs(self) -> dict[int, PairPosition]:
        """Open pairs and the last closed ones, by number."""
        return self._positions.pairs

    @property
    def next_due_ns(self) -> int:
        """When the next order meets the book; far in the future when none is on its way."""
        return min((order.due_ns for order in self.pending), default=FAR_NS)

    def apply(self, outcome: Outcome) -> None:
        """Fold one outcome in: the only thing that changes positions and the risk state."""
        if isinstance(outcome, RiskChanged):
            self.risk = self.risk.after(outcome)
        else:
            self._positions.apply(outcome)

    # --- looks -----------------------------------------------------------------------------------

    def sheet(self, request: OpenPair, market: Market, funds: Funds, now_ns: int) -> CostSheet:
        """The ticket's cost sheet, with the refusal an order would meet now.

        The sheet also refuses an entry without target and stop ("exit_plan"), so the ticket cannot
        offer one. `on_command` accepts it: files of commands may trade without a plan.
        """
        return self._entries().sheet(request, market, funds, now_ns)

    def max_qty(self, request: OpenPair, market: Market, funds: Funds, now_ns: int = 0) -> Decimal:
        """The largest quantity of the long leg that cash, books and limits allow; 0 when none.

        Whole lots. Sized with the pricing and the comparison that later decide, so it is never
        refused for its size. request.qty is not looked at.
        """
        return self._entries().max_qty(request, market, funds, now_ns)

    def gauge(
        self, pair: int, market: Market, now_ns: int = 0
    ) -> tuple[tuple[str, Liquidation], ...]:
        """(instrument, liquidation) of each perpetual a pair holds, each on its own margin."""
        position = self._positions.get(pair)
        if position is None or undescribed(position, market) is not None:
            return ()
        return tuple(
            (leg.instrument, exits.gauge(position, leg, market, self._settings, now_ns))
            for leg in position.perps
            if leg.qty
        )

    def close_bp(self, pair: int, market: Market, now_ns: int = 0) -> float:
        """The executable basis of closing a pair now at its whole size, bp; NaN when it cannot."""
        position = self._positions.get(pair)
        if position is None or position.state != "open":
            return float("nan")
        return exits.close_bp(position, market, self._settings.account.currency, now_ns)

    # --- commands --------------------------------------------------------------------------------

    def on_command(
        self, command: Command, market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        """What a command leads to now; an order with latency leads to nothing yet.

        Settlements whose stamp has passed come first: a close after the stamp still pays.
        """
        accrued = self._accrue(market, now_ns)
        funds = _after(funds, accrued)
        match command:
            case OpenPair():
                outcomes = self._ask_open(command, market, funds, now_ns)
            case ClosePair():
                outcomes = self._ask_close(command, market, now_ns)
            case Flatten():
                outcomes = self._flatten(market, now_ns)
            case AddMargin():
                outcomes = [self._add_margin(command, funds, now_ns)]
            case SetPlan():
                outcomes = [self._set_plan(command, now_ns)]
            case Halt():
                outcomes = [RiskChanged(now_ns, "halted", command.reason)]
            case Resume():
                outcomes = [RiskChanged(now_ns, "active", command.reason)]
            case _:
                outcomes = []
        return [*accrued, *outcomes]

    def on_time(self, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        """What became due: settlements, interest, liquidations, exits, then orders.

        To be called at each 100 ms beat, and at once when `next_due_ns` is reached.
        """
        outcomes = self._accrue(market, now_ns)
        moved: set[int] = set()
        for position in self._positions.live():
            if liquidated := exits.forced(position, market, self._settings, now_ns):
                key = liquidated.instrument
                outcomes += realised(position, market, now_ns, self._positions.quote, key)
                outcomes.append(liquidated)
                moved.add(position.pair)
            elif position.pair not in self._closing():
                self._ask_exit(position, market, now_ns)
        outcomes += self._due_closes(market, moved, now_ns)
        if not outcomes:
            outcomes += self._due_open(market, funds, now_ns)
        return outcomes

    # --- entries ---------------------------------------------------------------------------------

    def _ask_open(
        self, request: OpenPair, market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        quote = self._entries().check(request, market, funds, now_ns)
        if isinstance(quote, No):
            return [quote.at(now_ns, "open_pair")]
        number = self._positions.next_pair + len(self._opening())
        due_ns = now_ns + travel_ns(self._settings.paper, now_ns, number)
        if due_ns <= now_ns:
            return [self._opened(request, quote, now_ns)]
        order = PairOrder(
            kind="open",
            pair=0,
            long=request.long,
            short=request.short,
            reason="user",
            asked_ns=now_ns,
            due_ns=due_ns,
            give_up_ns=due_ns,
            request=request,
            cash=quote.cash,
        )
        self.pending.append(order)
        return []

    def _due_open(self, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        """Meet the book with the oldest entry that is due; the next one sees what it left."""
        due = [order for order in self._opening() if order.due_ns <= now_ns]
        order = min(due, key=lambda each: each.due_ns, default=None)
        if order is None or order.request is None:
            return []
        self.pending.remove(order)
        # The later orders' cash is not held against this one: it was here first.
        entries = Entries(self._settings, self._memory, self.risk, (), len(self._positions.live()))
        quote = entries.check(order.request, market, funds, now_ns)
        if isinstance(quote, OpenQuote):
            return [self._opened(order.request, quote, now_ns)]
        if quote.limit == "depth":
            text = (
                f"Depth fell to {words.plain(Decimal(quote.allowed))} while the order travelled, "
                f"{words.plain(Decimal(quote.asked))} needed. Nothing was traded. Lower the size "
                "or wait for depth."
            )
            quote = No(quote.limit, quote.asked, quote.allowed, text)
        return [quote.at(now_ns, "open_pair")]

    def _opened(self, request: OpenPair, quote: OpenQuote, now_ns: int) -> PairOpened:
        outcome = booked.opened(self._positions.next_pair, request, quote, now_ns)
        self._eat(quote.long, quote.short)
        return outcome

    # --- exits -----------------------------------------------------------------------------------

    def _ask_close(self, command: ClosePair, market: Market, now_ns: int) -> list[Outcome]:
        position = self._positions.get(command.pair)
        no = risk.check_close(position, command.pair, command.fraction)
        if no is None and command.pair in self._closing():
            text = f"A close of pair {command.pair} is on its way. Wait for its answer."
            no = No("pending", "a second close", "one at a time", text)
        if no is None and position is not None:
            order = self._closing_order(position, "user", command.fraction, now_ns)
            if order.due_ns <= now_ns:
                return self._fill_close(order, market, now_ns)
            tried = self._price_close(order, position, market, now_ns)
            if isinstance(tried, CloseQuote):
                self.pending.append(order)
                return []
            no = tried
        return [no.at(now_ns, "close_pair")] if no is not None else []

    def _flatten(self, market: Market, now_ns: int) -> list[Outcome]:
        """Withdraw entries, close everything; what cannot be closed now keeps trying a minute."""
        withdrawn: list[Outcome] = []
        for order in self._opening():
            legs = f"{words.name(order.long)} and {words.name(order.short)}"
            text = f"The entry of {legs} was withdrawn by Flatten before it met the book."
            withdrawn.append(No("flatten", "an entry", "closing only", text).at(now_ns, "flatten"))
        self.pending = [
            self._closing_order(position, "flatten", Decimal(1), now_ns)
            for position in self._positions.live()
        ]
        return withdrawn + self._due_closes(market, set(), now_ns)

    def _ask_exit(self, position: PairPosition, market: Market, now_ns: int) -> None:
        if now_ns < self._quiet_until.get(position.pair, 0):
            return
        reason = exits.wanted(position, market, self._settings, now_ns)
        if position.state == "naked" and len(position.perps) == 2:
            reason = "liquidation"  # the surviving perpetual hedges nothing
        if reason:
            self.pending.append(self._closing_order(position, reason, Decimal(1), now_ns))

    def _closing_order(
        self, position: PairPosition, reason: str, fraction: Decimal, now_ns: int
    ) -> PairOrder:
        due_ns = now_ns + travel_ns(self._settings.paper, now_ns, position.pair)
        return PairOrder(
            kind="close",
            pair=position.pair,
            long=position.long.instrument,
            short=position.short.instrument,
            reason=reason,
            asked_ns=now_ns,
            due_ns=due_ns,
            give_up_ns=due_ns if reason == "user" else due_ns + PATIENCE_NS,
            fraction=fraction,
        )

    def _due_closes(self, market: Market, moved: set[int], now_ns: int) -> list[Outcome]:
        """Meet the book with every close that is due, but not of pairs that moved in this call."""
        outcomes: list[Outcome] = []
        for order in [each for each in self.pending if each.kind == "close"]:
            if order.due_ns <= now_ns and order.pair not in moved:
                self.pending.remove(order)
                outcomes += self._fill_close(order, market, now_ns)
        return outcomes

    def _fill_close(self, order: PairOrder, market: Market, now_ns: int) -> list[Outcome]:
        position = self._positions.get(order.pair)
        if position is None:
            no = risk.check_close(None, order.pair, order.fraction)
            return [no.at(now_ns, "close_pair")] if no is not None else []
        quote = self._price_close(order, position, market, now_ns)
        if isinstance(quote, CloseQuote):
            outcome = booked.reduced(order, position, quote, now_ns)
            self._eat(quote.long, quote.short)
            return [*realised(position, market, now_ns, self._positions.quote), outcome]
        if now_ns < order.give_up_ns:
            self.pending.append(order.waits_until(now_ns + RETRY_NS))
            return []
        if order.reason != "user":
            self._quiet_until[order.pair] = now_ns + PATIENCE_NS
        return [quote.at(now_ns, "close_pair")]

    def _price_close(
        self, order: PairOrder, position: PairPosition, market: Market, now_ns: int
    ) -> CloseQuote | No:
        held = [market.leg(leg.instrument) for leg in position.legs if leg.qty]
        no = undescribed(position, market) or risk.check_fresh(
            held[0], held[-1], self._settings.risk, now_ns
        )
        if no is not None:
            return no
        return quote_close(position, order.fraction, market, self._settings, self._memory, now_ns)

    # --- margin and plan -------------------------------------------------------------------------

    def _add_margin(self, command: AddMargin, funds: Funds, now_ns: int) -> Outcome:
        position, amount = self._positions.get(command.pair), command.amount
        no = risk.check_close(position, command.pair, Decimal(1))
        free = self._entries().free(funds)
        currency = self._settings.account.currency
        if no is None and position is not None and position.state != "open":
            text = f"Pair {command.pair} holds no perpetual that margin could protect. Close it."
            no = No("margin", words.figure(amount), "0", text)
        if no is None and not (amount.is_finite() and amount > 0):
            text = f"{words.plain(amount)} is no amount of margin. Give one above 0."
            no = No("margin", words.figure(amount), "above 0", text)
        if no is None and amount > free:
            text = (
                f"Adding {words.money(amount, currency)} needs more than the "
                f"{words.money(free, currency)} that are free. Lower the amount."
            )
            no = No("funds", words.figure(amount), words.figure(free), text)
        if no is None and (amount.adjusted() < CENT.adjusted() or amount % CENT):
            text = f"Margin moves in steps of {CENT:f} {currency}. Round the amount to one."
            no = No("margin", words.figure(amount), f"steps of {CENT:f}", text)
        return no.at(now_ns, "add_margin") if no else MarginMoved(now_ns, command.pair, amount)

    def _set_plan(self, command: SetPlan, now_ns: int) -> Outcome:
        position = self._positions.get(command.pair)
        no = risk.check_close(position, command.pair, Decimal(1))
        if no is None and position is not None:
            no = risk.check_plan(command.exit, position.direction)
        return no.at(now_ns, "set_plan") if no else PlanChanged(now_ns, command.pair, command.exit)

    # --- small parts -----------------------------------------------------------------------------

    def _accrue(self, market: Market, now_ns: int) -> list[Outcome]:
        outcomes: list[Outcome] = [*settlements(market, self._positions, now_ns)]
        live = self._positions.live()
        charges = (interest(position, market, self._settings, now_ns) for position in live)
        outcomes += [charged for charged in charges if charged is not None]
        return outcomes

    def _entries(self) -> Entries:
        live = len(self._positions.live())
        return Entries(self._settings, self._memory, self.risk, self._opening(), live)

    def _opening(self) -> list[PairOrder]:
        return [order for order in self.pending if order.kind == "open"]

    def _closing(self) -> set[int]:
        return {order.pair for order in self.pending if order.kind == "close"}

    def _eat(self, *legs: LegQuote) -> None:
        for leg in legs:
            ladder = leg.ladder
            self._memory.eat(ladder.instrument.key, ladder.side, leg.takes, ladder.prices)


def _after(funds: Funds, accrued: list[Outcome]) -> Funds:
    """Funds less what this very call's settlements and interest take; gains are not spent yet."""
    paid = Decimal(0)
    for outcome in accrued:
        if isinstance(outcome, FundingSettled):
            paid -= min(Decimal(0), outcome.amount)
        elif isinstance(outcome, BorrowCharged):
            paid += outcome.amount
    return Funds(funds.free - paid, funds.equity - paid)
