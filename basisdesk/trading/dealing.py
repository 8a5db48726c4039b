"""Orders under way: sends legs, lets each meet its book when it is due, says what that leads to.

One dealer a desk. It owns what is lost in a crash: orders on their way, eaten liquidity, drills.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from basisdesk.config import Settings
from basisdesk.events import Funds, LegName, LegRejected, Outcome
from basisdesk.market.state import Market
from basisdesk.market.words import duration
from basisdesk.trading import booked, risk, words
from basisdesk.trading.accrual import realised
from basisdesk.trading.arrival import Met, Mids, Venues, entry_mids, secured
from basisdesk.trading.drills import Drills
from basisdesk.trading.orders import FAR_NS, RETRY_NS, LegOrder, PairOrder, travel_ns
from basisdesk.trading.paper import Memory
from basisdesk.trading.positions import LegPosition, PairPosition, Positions
from basisdesk.trading.quoting import rules_of, undescribed
from basisdesk.trading.risk import No
from basisdesk.trading.sending import Gate, position_mids
from basisdesk.venues.instrument import split_key

ZERO = Decimal(0)
# What a venue says of one leg; anything else stops an entry as a whole before it is traded.
OF_A_LEG = frozenset(
    {"depth", "quote_age", "book", "quote_jump", "lot", "min_qty", "min_notional", "max_qty"}
)


class Dealer:
    """The orders of one desk that have not met their books yet, and the meeting."""

    def __init__(self, settings: Settings, positions: Positions) -> None:
        self.settings = settings
        self.memory = Memory(settings.paper.liquidity_memory)
        self.drills = Drills()
        self.pending: list[PairOrder] = []
        self.waits: dict[int, No] = {}  # pair -> why its working order sends nothing now
        self.frozen: set[int] = set()  # pairs whose margin has moved in this very call
        self.quiet_until: dict[int, int] = {}  # pair -> when something that failed is tried again
        self._positions = positions
        self._told: dict[tuple[int, str], str] = {}  # (pair, leg) -> the refusal told last

    # --- what is under way -----------------------------------------------------------------------

    @property
    def next_due_ns(self) -> int:
        """When the next leg meets its book; far in the future when none is on its way."""
        return min((order.due_ns for order in self.pending), default=FAR_NS)

    def opening(self) -> list[PairOrder]:
        """Entries on their way that have no pair yet."""
        return [order for order in self.pending if order.kind == "open" and not order.pair]

    def of(self, pair: int) -> list[PairOrder]:
        """Orders of one pair on their way."""
        return [order for order in self.pending if pair and order.pair == pair]

    def closing(self, pair: int) -> bool:
        """Whether a close of this pair is on its way."""
        return any(order.kind == "close" for order in self.of(pair))

    def closing_all(self, pair: int) -> bool:
        """Whether an exit of all of this pair is on its way, not a part of a working order."""
        return any(
            order.kind == "close" and order.give_up_ns and not order.remedy
            for order in self.of(pair)
        )

    def withdraw(self, pair: int) -> None:
        """Forget the orders of a pair."""
        self.pending = [order for order in self.pending if order.pair != pair]

    def withdraw_work(self, pair: int) -> None:
        """Forget what a working order has sent, but not a leg whose other leg has traded."""
        self.pending = [
            order
            for order in self.pending
            if order.pair != pair or not order.of_work or order.started or order.remedy
        ]

    def forget(self, live: set[int]) -> None:
        """Drop what is remembered of pairs that are closed."""
        self.waits = {pair: no for pair, no in self.waits.items() if pair in live}
        self.quiet_until = {pair: ns for pair, ns in self.quiet_until.items() if pair in live}
        self._told = {key: said for key, said in self._told.items() if key[0] in live}

    # --- sending ---------------------------------------------------------------------------------

    def leg(
        self,
        leg: LegName,
        instrument: str,
        sizes: tuple[Decimal, Decimal],
        *,
        opening: bool,
        when: tuple[int, int],
        limit: Decimal | None = None,
    ) -> LegOrder:
        """One leg, sent now. sizes: (ordered, change of the leg). when: (now_ns, pair's number)."""
        now_ns, pair = when
        venue = split_key(instrument)[0]
        due_ns = now_ns + travel_ns(self.settings.paper, now_ns, pair, leg, venue)
        late_ns = self.drills.delay_ns(leg, pair)
        note = f"drill: {late_ns / 1e9:g} s late" if late_ns else ""
        side = "buy" if (leg == "long") == opening else "sell"
        return LegOrder(leg, instrument, side, *sizes, due_ns + late_ns, limit, note)

    # --- entries and additions -------------------------------------------------------------------

    def next_entry(self, now_ns: int, moved: set[int]) -> PairOrder | None:
        """The oldest entry or addition with a leg that is due, of no pair that has moved."""
        due = [
            order
            for order in self.pending
            if order.kind != "close" and order.due_ns <= now_ns and order.pair not in moved
        ]
        return min(due, key=lambda order: order.due_ns, default=None)

    def arrive_entry(
        self, order: PairOrder, market: Market, funds: Funds, now_ns: int, gate: Gate
    ) -> list[Outcome]:
        """Meet the books with the legs of an entry that are due."""
        if order in self.pending:
            self.pending.remove(order)
        free = funds.free
        if order.request is not None and not order.started:
            if no := self._void(order, now_ns):
                return self._refused_entry(order, no, now_ns)
            quote = gate(order.request, order.pair)
            if isinstance(quote, No) and quote.limit not in OF_A_LEG:
                return self._refused_entry(order, quote, now_ns)
            free -= self._held_back(order)
        position = self._positions.get(order.pair)
        if order.pair and (position is None or _cannot_grow(position)):
            return []
        due = tuple(leg for leg in order.legs if leg.due_ns <= now_ns)
        rest = tuple(leg for leg in order.legs if leg.due_ns > now_ns)
        mids = self._mids(order, position, market, now_ns)
        mets = self._meet(due, mids, order.pair, market, now_ns)
        mets = self._afford(mets, order, position, free)
        return self._entered(order, position, (mets, rest, mids), market, now_ns)

    def _entered(
        self,
        order: PairOrder,
        position: PairPosition | None,
        what: tuple[list[Met], tuple[LegOrder, ...], Mids],
        market: Market,
        now_ns: int,
    ) -> list[Outcome]:
        mets, rest, mids = what
        refused = order.refused + tuple((met.order, met.no) for met in mets if met.no is not None)
        if not any(met.traded for met in mets):
            if rest:
                later = msgspec.structs.replace(order, legs=rest, refused=refused)
                self.pending.append(later)
                return []
            return self._missed(order, refused, now_ns)
        self._eat(mets)
        outcomes: list[Outcome] = []
        if position is None or position.state == "working":
            request = position.work.request if position and position.work else order.request
            assert request is not None  # an entry has one, and so has the work of one
            pair = order.pair or self._positions.next_pair
            step = max(rules_of(market, key).lot for key in (request.long, request.short))
            outcomes.append(booked.opened(pair, request, mets, mids, (step, now_ns)))
        else:
            pair = position.pair
            outcomes += self.realised(position, mets, market, now_ns)
            outcomes.append(booked.added(position, order.reason, mets, mids, now_ns))
        self.waits.pop(pair, None)
        outcomes += self._rejected(pair, refused, now_ns, always=not order.remedy)
        if rest:
            cash = max(ZERO, order.cash - secured(mets, _leverage(order, position))[2])
            later = msgspec.structs.replace(order, kind="add", pair=pair, legs=rest, cash=cash)
            self.pending.append(msgspec.structs.replace(later, started=True, refused=()))
        elif order.remedy:
            self.quiet_until[pair] = now_ns + RETRY_NS
        return outcomes

    def _refused_entry(self, order: PairOrder, no: No, now_ns: int) -> list[Outcome]:
        """A limit of the desk stopped an entry when it arrived; legs refused before go with it."""
        if order.pair:  # a slice: its order works on until it expires
            self.waits[order.pair] = no
            self.quiet_until[order.pair] = now_ns + RETRY_NS
            return self._rejected(order.pair, order.refused, now_ns, always=True)
        return [each.at(now_ns, "open_pair") for each in (*(no for _, no in order.refused), no)]

    def _void(self, order: PairOrder, now_ns: int) -> No | None:
        """An entry that was due long ago: the machine slept while it travelled."""
        late_s, most = (now_ns - order.due_ns) / 1e9, self.settings.risk.clock_jump_s_max
        if late_s <= most:
            return None
        text = (
            f"The machine stood still for {duration(1000 * late_s)} while the order travelled. "
            "Nothing was traded. Look at the prices, then send it again."
        )
        return No("late", f"{late_s:.0f} s late", f"{most} s", text)

    def _missed(
        self, order: PairOrder, refused: Sequence[tuple[LegOrder, No]], now_ns: int
    ) -> list[Outcome]:
        """Nothing of an order was traded."""
        leg, no = refused[0] if refused else (None, None)
        if order.pair and order.request is None and not (order.started or order.remedy):
            return [no.at(now_ns, order.reason)] if no is not None else []
        if order.pair:
            if no is not None:
                self.waits[order.pair] = no
            self.quiet_until[order.pair] = now_ns + RETRY_NS
            if order.started or order.remedy:
                return self._rejected(order.pair, refused, now_ns, always=False)
            return []
        if no is None or leg is None:
            return []
        if no.limit == "depth":
            text = (
                f"Depth fell to {words.plain(Decimal(no.allowed))} while the order travelled, "
                f"{words.plain(Decimal(no.asked))} needed. Nothing was traded. Lower the size "
                "or wait for depth."
            )
            no = No(no.limit, no.asked, no.allowed, text)
        return [no.at(now_ns, "open_pair")]

    def _afford(
        self, mets: list[Met], order: PairOrder, position: PairPosition | None, free: Decimal
    ) -> list[Met]:
        """The same legs, refused where they need more cash than is free."""
        cash = secured(mets, _leverage(order, position))[2]
        if cash <= free:
            return mets
        currency = self.settings.account.currency
        text = (
            f"The order needs {words.money(cash, currency)}, free are "
            f"{words.money(max(free, ZERO), currency)}. Free some cash or close a pair."
        )
        no = No("funds", words.figure(cash), words.figure(max(free, ZERO)), text)
        return [_nothing_of(met, met.no or no) for met in mets]

    def _held_back(self, order: PairOrder) -> Decimal:
        """Cash that earlier orders on their way need."""
        others = (each for each in self.pending if each is not order and each.due_ns < order.due_ns)
        return sum((each.cash for each in others), ZERO)

    # --- exits -----------------------------------------------------------------------------------

    def arrive_close(
        self, order: PairOrder, market: Market, now_ns: int
    ) -> tuple[list[Outcome], No | None]:
        """Meet the books with the legs of an exit that are due; (outcomes, why nothing traded)."""
        if order in self.pending:
            self.pending.remove(order)
        position = self._positions.get(order.pair)
        if position is None or position.state == "working":
            return [], risk.check_close(None, order.pair, order.fraction)
        if (no := undescribed(position, market)) is not None:
            return [], no
        rest = tuple(leg for leg in order.legs if leg.due_ns > now_ns)
        due = [_held_part(leg, position) for leg in order.legs if leg.due_ns <= now_ns]
        legs = tuple(leg for leg in due if leg.part)
        mids = self._mids(order, position, market, now_ns)
        mets = self._meet(legs, mids, order.pair, market, now_ns, position)
        refused = order.refused + tuple((met.order, met.no) for met in mets if met.no is not None)
        if not any(met.traded for met in mets):
            if rest:
                self.pending.append(msgspec.structs.replace(order, legs=rest, refused=refused))
                return [], None
            return [], (refused[0][1] if refused else None)
        self._eat(mets)
        outcomes: list[Outcome] = [*self.realised(position, mets, market, now_ns)]
        reduced = booked.reduced(order, position, mets, mids, now_ns)
        outcomes.append(reduced)
        if not reduced.closed:
            outcomes += self._rejected(order.pair, refused, now_ns, always=not order.remedy)
        if rest and not reduced.closed:
            self.pending.append(msgspec.structs.replace(order, legs=rest, started=True, refused=()))
        elif order.remedy:
            self.quiet_until[order.pair] = now_ns + RETRY_NS
        return outcomes, None

    def told(self, pair: int, leg: LegOrder | LegName, no: No, now_ns: int) -> list[Outcome]:
        """A leg of an order of ours was refused: said once until something else happens."""
        if not isinstance(leg, LegOrder):
            position = self._positions.get(pair)
            if position is None:
                return []
            held = position.long if leg == "long" else position.short
            leg = LegOrder(leg, held.instrument, "", ZERO, ZERO, now_ns)
        return self._rejected(pair, ((leg, no),), now_ns, always=False)

    # --- small parts -----------------------------------------------------------------------------

    def realised(
        self, position: PairPosition, mets: Sequence[Met], market: Market, now_ns: int
    ) -> list[Outcome]:
        """Accrued funding of the perpetuals that are about to change."""
        currency = self._positions.quote
        paid: list[Outcome] = []
        for met in mets:
            if met.traded:
                key = met.order.instrument
                paid += realised(position, market, now_ns, currency, key)
        return paid

    def _meet(
        self,
        legs: Sequence[LegOrder],
        mids: Mids,
        pair: int,
        market: Market,
        now_ns: int,
        closes: PairPosition | None = None,
    ) -> list[Met]:
        venues = Venues(self.settings, market, self.memory, now_ns)
        mets = []
        for leg in legs:
            drill = self.drills.at_venue(leg.leg, pair)
            whole = False
            if closes is not None:
                held = closes.long if leg.leg == "long" else closes.short
                whole = leg.part >= abs(held.qty)
            seen = mids.long if leg.leg == "long" else mids.short
            mets.append(venues.meet(leg, seen, drill, whole))
        return mets

    def _mids(
        self, order: PairOrder, position: PairPosition | None, market: Market, now_ns: int
    ) -> Mids:
        account = self.settings.account.currency
        if position is None or position.state == "working":
            return entry_mids(market, (order.long, order.short), account, now_ns)
        return position_mids(position, market, account, now_ns)

    def _rejected(
        self, pair: int, refused: Sequence[tuple[LegOrder, No]], now_ns: int, *, always: bool
    ) -> list[Outcome]:
        said: list[Outcome] = []
        for leg, no in refused:
            if not always and self._told.get((pair, leg.leg)) == no.limit:
                continue
            self._told[pair, leg.leg] = no.limit
            said.append(LegRejected(now_ns, pair, leg.leg, leg.instrument, no.limit, no.text))
        return said

    def _eat(self, mets: Sequence[Met]) -> None:
        for met in mets:
            if met.traded and met.fill is None:
                ladder = met.quote.ladder
                key = ladder.instrument.key
                self.memory.eat(key, ladder.side, met.quote.takes, ladder.prices)


def _cannot_grow(position: PairPosition) -> bool:
    """A pair that lost a leg for good is not added to; nor one whose order was withdrawn."""
    if position.state == "naked":
        return True
    return position.state == "working" and position.work is None


def _leverage(order: PairOrder, position: PairPosition | None) -> Decimal:
    if position is not None:
        return position.leverage
    return order.request.leverage if order.request is not None else Decimal(1)


def _held_part(leg: LegOrder, position: PairPosition) -> LegOrder:
    """The leg, no larger than what is held by now: a leg may have died while it travelled."""
    held: LegPosition = position.long if leg.leg == "long" else position.short
    part = min(leg.part, abs(held.qty))
    if part == leg.part:
        return leg
    qty = leg.qty * part / leg.part if part else ZERO
    return msgspec.structs.replace(leg, qty=qty, part=part)


def _nothing_of(met: Met, no: No) -> Met:
    quote = msgspec.structs.replace(met.quote, qty=ZERO, cost=ZERO, fee=ZERO)
    return Met(met.order, quote, no=no)
