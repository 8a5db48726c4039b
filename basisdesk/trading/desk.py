"""The desk: takes commands and time, decides, and hands back outcomes.

The engine journals what the desk decides and then hands each outcome to `apply`. Only `apply`
changes positions and the risk state, live and at a restart alike; orders on their way, places in a
queue and the memory of eaten liquidity are the desk's own and are not kept.

Within one call the positions stand still, so a pair gets at most one change of its legs a call; an
entry is filled only in a call where nothing else moved cash.

Its parts: opening.py (entries), closing.py (exits and remedies), workbench.py (orders that work for
a while), upkeep.py (margin, plan, hedge), dealing.py (orders under way), triggers.py (risk state).
"""

from decimal import Decimal

import msgspec

from basisdesk.config import Settings
from basisdesk.events import (
    AddMargin,
    BorrowCharged,
    CancelOrder,
    ClosePair,
    Command,
    Drill,
    EquityMarked,
    Flatten,
    FlipPair,
    FundingSettled,
    Funds,
    Halt,
    LegRejected,
    Liquidated,
    OpenPair,
    Ordered,
    OrderEnded,
    Outcome,
    PlanChanged,
    Rebalance,
    Refused,
    Resume,
    RiskChanged,
    SetPlan,
    WithdrawMargin,
)
from basisdesk.market.state import Market
from basisdesk.trading import exits, legging, risk, words, working
from basisdesk.trading.accrual import accrued, drawn, realised
from basisdesk.trading.closing import Closer
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.maker_queue import Resting
from basisdesk.trading.margin import Liquidation
from basisdesk.trading.opening import Opener
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition, Positions
from basisdesk.trading.quoting import undescribed
from basisdesk.trading.risk import No, RiskState
from basisdesk.trading.sending import Look
from basisdesk.trading.triggers import Reading, Watch
from basisdesk.trading.upkeep import Upkeep
from basisdesk.trading.workbench import Workbench

_CASHLESS = (Ordered, OrderEnded, LegRejected, PlanChanged, RiskChanged, EquityMarked, Refused)


class Desk:
    """One account's pairs, its orders under way, and whether entries are allowed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._positions = Positions(settings.account.currency)
        self._dealer = Dealer(settings, self._positions)
        self._bench = Workbench(settings, self._dealer)
        self._closer = Closer(settings, self._positions, self._dealer)
        self._upkeep = Upkeep(settings, self._positions, self._dealer)
        self.watch = Watch(settings)
        self._opener = Opener(settings, self._positions, self._dealer, self._bench, self.watch)

    # --- what stands -----------------------------------------------------------------------------

    @property
    def risk(self) -> RiskState:
        """Whether entries are allowed, and if not why."""
        return self.watch.risk

    @property
    def pairs(self) -> dict[int, PairPosition]:
        """Open pairs and the last closed ones, by number."""
        return self._positions.pairs

    def live(self) -> list[PairPosition]:
        """Pairs that hold something or whose order works, oldest first."""
        return self._positions.live()

    @property
    def pending(self) -> list[PairOrder]:
        """Orders on their way to their books."""
        return self._dealer.pending

    @property
    def next_due_ns(self) -> int:
        """When the next leg meets its book; far in the future when none is on its way."""
        return self._dealer.next_due_ns

    @property
    def drills(self) -> tuple[Drill, ...]:
        """Drills that wait for the next order they fit."""
        return tuple(self._dealer.drills.waiting)

    def orders_of(self, pair: int) -> tuple[PairOrder, ...]:
        """What is on its way for a pair."""
        return tuple(self._dealer.of(pair))

    def resting_of(self, pair: int) -> Resting | None:
        """The resting leg of a passive order: its price, what filled, what is ahead of it."""
        return self._bench.resting.get(pair)

    def waits_for(self, pair: int) -> str:
        """Why a pair's order sends nothing now, as a sentence; "" while nothing holds it up."""
        no = self._dealer.waits.get(pair)
        return no.text if no is not None else ""

    def unhedged_s(self, pair: int, now_ns: int) -> float:
        """Seconds that a pair has stood unhedged for; 0 where it does not."""
        position = self._positions.get(pair)
        return legging.unhedged_s(position, now_ns) if position is not None else 0.0

    def readings(self, market: Market, funds: Funds, now_ns: int) -> tuple[Reading, ...]:
        """Every trigger as it stands."""
        return self.watch.readings(self._positions, market, funds, now_ns)

    def apply(self, outcome: Outcome) -> None:
        """Fold one outcome in: the only thing that changes positions and the risk state.

        What a working order has sent and not filled goes with it; a missing leg goes on.
        """
        if isinstance(outcome, Ordered | OrderEnded):
            self._bench.drop(outcome.pair)
            self._dealer.withdraw_work(outcome.pair)
        self._positions.apply(outcome)
        self.watch.apply(outcome)

    # --- looks -----------------------------------------------------------------------------------

    def sheet(self, request: OpenPair, market: Market, funds: Funds, now_ns: int) -> CostSheet:
        """The ticket's cost sheet, with the refusal an order would meet now."""
        return self._opener.entries(market, now_ns).sheet(request, market, funds, now_ns)

    def max_qty(self, request: OpenPair, market: Market, funds: Funds, now_ns: int = 0) -> Decimal:
        """The largest quantity of the long leg that cash, books and limits allow; 0 when none.

        Whole lots. Sized with the pricing and the comparison that later decide, so it is never
        refused for its size. request.qty is not looked at.
        """
        return self._opener.entries(market, now_ns).max_qty(request, market, funds, now_ns)

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
        costs = self._accrue(market, funds, now_ns)
        funds = _after(funds, costs)
        self._dealer.frozen = _drawn(costs)
        match command:
            case OpenPair():
                outcomes = self._opener.ask(command, market, funds, now_ns)
            case ClosePair():
                outcomes = self._closer.ask(command, market, now_ns)
            case Flatten():
                outcomes = self._flatten(market, now_ns)
            case Halt():
                outcomes = [RiskChanged(now_ns, "halted", command.reason)]
            case Resume():
                outcomes = [RiskChanged(now_ns, "active", command.reason)]
            case _:
                outcomes = self._change(command, market, funds, now_ns)
        return [*costs, *outcomes]

    def _change(self, command: Command, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        """Commands that change one pair."""
        match command:
            case CancelOrder():
                return self._cancel(command.pair, now_ns)
            case FlipPair():
                return self._flip(command, market, now_ns)
            case Rebalance():
                return self._rebalance(command, market, funds, now_ns)
            case AddMargin():
                free = self._opener.entries(market, now_ns).free(funds)
                return [self._upkeep.add_margin(command, free, now_ns)]
            case WithdrawMargin():
                return [self._upkeep.withdraw_margin(command, market, now_ns)]
            case SetPlan():
                return [self._upkeep.set_plan(command, now_ns)]
            case Drill():
                return self._drill(command, market, funds, now_ns)
            case _:
                return []

    def on_time(self, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        """What became due: settlements, liquidations, working orders, exits, remedies, orders.

        To be called at each 100 ms beat, and at once when `next_due_ns` is reached.
        """
        outcomes = self._accrue(market, funds, now_ns)
        moved = _drawn(outcomes)
        self._dealer.frozen = set(moved)
        for position in self._positions.live():
            forced = exits.forced(position, market, self._settings, now_ns)
            if forced is not None and position.pair not in moved:
                free = _after(funds, outcomes).free
                outcomes += self._forced(position, forced, market, free, now_ns)
                moved.add(position.pair)
        for position in self._positions.live():
            if position.pair not in moved:
                outcomes += self._look(position, market, (funds, now_ns), outcomes, moved)
        outcomes += self._closer.due(market, moved, now_ns)
        if not _cash_moved(outcomes):
            outcomes += self._opener.due(market, funds, moved, now_ns)
        if not _cash_moved(outcomes):
            outcomes += self._opener.after_flips(self._closer.flips, market, funds, now_ns)
        live = {position.pair for position in self._positions.live()}
        for part in (self._dealer, self._bench, self._closer):
            part.forget(live)
        if any(isinstance(outcome, Liquidated) for outcome in outcomes):
            return outcomes  # the legs that are gone stand in the positions still: judged next time
        return outcomes + self.watch.judge(self._positions, market, funds, now_ns)

    def _look(
        self,
        position: PairPosition,
        market: Market,
        when: tuple[Funds, int],
        before: list[Outcome],
        moved: set[int],
    ) -> list[Outcome]:
        """One pair: its working order, then what its plan or its policy asks for."""
        funds, now_ns = when
        pair = position.pair
        if ended := self._stopped(position, now_ns):
            moved.add(pair)
            return ended
        flattened = working.flattens(position.work)
        if position.work is not None and not flattened and not self._dealer.closing_all(pair):
            spends = not _cash_moved(before)
            look = Look(market, funds, now_ns, self._opener.gate(market, funds, now_ns), spends)
            if stepped := self._bench.step(position, look):
                moved.add(pair)
                return stepped
        return self._closer.look(position, market, funds, now_ns)

    def _stopped(self, position: PairPosition, now_ns: int) -> list[Outcome]:
        """The end of a working order that may not go on."""
        work = position.work
        if work is None:
            return []
        if work.kind == "open" and self.risk.halted:
            text = f"The desk was halted: {self.risk.reason or 'by hand'}."
            return [OrderEnded(now_ns, position.pair, "halted", text)]
        if position.state == "naked" and work.leg == "both" and not working.flattens(work):
            text = "A leg is gone, so the order for both was withdrawn."
            return [OrderEnded(now_ns, position.pair, "withdrawn", text)]
        return []

    # --- commands that change one pair -----------------------------------------------------------

    def _cancel(self, pair: int, now_ns: int) -> list[Outcome]:
        """Withdraw the order that works on a pair; a flip or a Flatten with what it has sent."""
        position = self._positions.get(pair)
        if position is None or not (position.work or self._closer.leaving(position)):
            text = f"Pair {pair} has no order that works. Nothing was withdrawn."
            return [No("order", str(pair), "a working order", text).at(now_ns, "cancel")]
        if self._closer.leaving(position):
            self._dealer.withdraw(pair)
        return self._closer.end_work(position, now_ns, "By hand.")

    def _flip(self, command: FlipPair, market: Market, now_ns: int) -> list[Outcome]:
        """Close, and remember what is opened once nothing is left; checked beforehand."""
        position = self._positions.get(command.pair)
        no = risk.check_close(position, command.pair, Decimal(1))
        if no is None and self._dealer.closing(command.pair):
            text = f"A close of pair {command.pair} is on its way. Wait for its answer."
            no = No("pending", "a flip", "one at a time", text)
        if no is not None or position is None:
            return [no.at(now_ns, "flip")] if no is not None else []
        request = self._opener.reverse(position, command.exit, market, now_ns)
        if isinstance(request, No):
            return [request.at(now_ns, "flip")]
        self._closer.flips[position.pair] = request
        ended = self._closer.leave(position, "flip", market, now_ns)
        return ended + self._closer.due(market, set(), now_ns)

    def _rebalance(
        self, command: Rebalance, market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        order = self._upkeep.rebalance(command, market, now_ns)
        if isinstance(order, No):
            return [order.at(now_ns, "rebalance")]
        if order.due_ns > now_ns or order.pair in self._dealer.frozen:
            self._dealer.pending.append(order)
            return []
        if order.kind == "add":
            gate = self._opener.gate(market, funds, now_ns)
            return self._dealer.arrive_entry(order, market, funds, now_ns, gate)
        outcomes, no = self._dealer.arrive_close(order, market, now_ns)
        return outcomes if no is None else [*outcomes, no.at(now_ns, "rebalance")]

    def _drill(self, command: Drill, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        if command.kind != "adl":
            no = self._dealer.drills.arm(command)
            return [no.at(now_ns, "drill")] if no is not None else []
        position = self._positions.get(command.pair)
        if position is None:
            no = risk.check_close(None, command.pair, Decimal(1))
            return [no.at(now_ns, "drill")] if no is not None else []
        forced = exits.adl(position, market, self._settings, now_ns)
        if forced is None or position.pair in self._dealer.frozen:
            text = f"Pair {command.pair} holds no perpetual with a mark price. Choose another pair."
            no = No("drill", "ADL", "a held perpetual with a mark", text)
            return [no.at(now_ns, "drill")]
        return self._forced(position, forced, market, funds.free, now_ns)

    def _flatten(self, market: Market, now_ns: int) -> list[Outcome]:
        """Withdraw orders, close everything; what cannot be closed now keeps trying."""
        outcomes: list[Outcome] = []
        for order in self._dealer.opening():
            legs = f"{words.name(order.long)} and {words.name(order.short)}"
            text = f"The entry of {legs} was withdrawn by Flatten before it met the book."
            outcomes.append(No("flatten", "an entry", "closing only", text).at(now_ns, "flatten"))
        self._dealer.pending.clear()
        self._closer.flips.clear()
        for position in self._positions.live():
            outcomes += self._closer.leave(position, "flatten", market, now_ns)
        return outcomes + self._closer.due(market, set(), now_ns)

    # --- small parts -----------------------------------------------------------------------------

    def _forced(
        self,
        position: PairPosition,
        forced: Liquidated,
        market: Market,
        free: Decimal,
        now_ns: int,
    ) -> list[Outcome]:
        """A forced close, the accrued funding of its leg before it; a flip goes with the leg.

        What the funding takes from the leg's margin is gone before the venue takes the rest.
        """
        key, ended = forced.instrument, list[Outcome]()
        if position.pair in self._closer.flips:
            text = "A leg is gone, so the flip opens nothing."
            ended = self._closer.end_work(position, now_ns, text)
        owed = realised(position, market, now_ns, self._positions.quote, key)
        paid = drawn(owed, self._positions, free)
        taken = sum((each.from_margin for each in paid), Decimal(0))
        if taken and forced.margin is not None:
            forced = msgspec.structs.replace(forced, margin=forced.margin - taken)
        return [*ended, *paid, forced]

    def _accrue(self, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        return [*accrued(market, self._positions, self._settings, now_ns, funds.free)]


def _cash_moved(outcomes: list[Outcome]) -> bool:
    return any(not isinstance(outcome, _CASHLESS) for outcome in outcomes)


def _drawn(outcomes: list[Outcome]) -> set[int]:
    """Pairs whose margin a cost has drawn on: what they would release is less than they hold now.

    Such a pair is not closed within the same call.
    """
    costs = [each for each in outcomes if isinstance(each, FundingSettled | BorrowCharged)]
    return {cost.pair for cost in costs if cost.from_margin}


def _after(funds: Funds, costs: list[Outcome]) -> Funds:
    """Funds less what this very call's settlements and interest take; gains are not spent yet."""
    paid = Decimal(0)
    for outcome in costs:
        if isinstance(outcome, FundingSettled):
            paid -= min(Decimal(0), outcome.amount)
        elif isinstance(outcome, BorrowCharged):
            paid += outcome.amount
    return msgspec.structs.replace(funds, free=funds.free - paid, equity=funds.equity - paid)
