"""How pairs get smaller: closes by hand, exits of the plan, Flatten, and the rest of each.

An exit of ours (not by hand) looks at both books before it trades: where they show less than the
pair holds it leaves with what both show, where they show nothing it waits.

A Flatten that is not done at once is journaled as an order of its own, so a restart goes on with
it. A flip is the desk's own: after a restart a pair that it had not closed stays.
"""

from decimal import Decimal

import msgspec

from basisdesk.config import Settings
from basisdesk.events import (
    ClosePair,
    Execution,
    Funds,
    OpenPair,
    Ordered,
    OrderEnded,
    Outcome,
    PairReduced,
    Work,
)
from basisdesk.market.state import Market
from basisdesk.trading import booked, exits, legging, risk, words, working
from basisdesk.trading.authors import author
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.exit_orders import ExitOrders
from basisdesk.trading.fees import schedule
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.legging import Remedy
from basisdesk.trading.orders import FAR_NS, PATIENCE_NS, RETRY_NS, PairOrder
from basisdesk.trading.positions import PairPosition, Positions
from basisdesk.trading.quoting import CloseQuote, quote_sizes, too_little, undescribed
from basisdesk.trading.risk import No
from basisdesk.trading.sending import (
    closing_order,
    least_order,
    leg_name,
    pair_rules,
    pay_up_limit,
)
from basisdesk.trading.sizing import CloseSizes

ZERO, ALL = Decimal(0), Decimal(1)
S_NS = 1_000_000_000


class Closer:
    """Sends exits and remedies. flips: pair being closed for it -> what is opened after it."""

    def __init__(self, settings: Settings, positions: Positions, dealer: Dealer) -> None:
        self._settings = settings
        self._positions = positions
        self._dealer = dealer
        self._make = ExitOrders(settings, dealer)
        self._holds = Holds()
        self._told: dict[int, tuple[str, str]] = {}  # pair -> (reason, limit) of the exit told last
        self.flips: dict[int, OpenPair] = {}

    # --- by hand ---------------------------------------------------------------------------------

    def ask(self, command: ClosePair, market: Market, now_ns: int) -> list[Outcome]:
        """A close by hand, refused with a sentence or sent."""
        position = self._positions.get(command.pair)
        no = self._refuse(command, position)
        if no is not None or position is None:
            return [no.at(now_ns, "close_pair")] if no is not None else []
        if no := undescribed(position, market):
            return [no.at(now_ns, "close_pair")]
        sizes = self._make.sizes(position, command.fraction, market, command.leg)
        rules = pair_rules(position, market)
        no = too_little(position, command.fraction, sizes, rules, command.leg)
        if no is None and booked.market_order(command.how):
            return self._at_market(command, position, sizes, market, now_ns)
        no = no or self._thin(position, sizes, command, market)
        if no is not None:
            return [no.at(now_ns, "close_pair")]
        work = Work(
            kind="close",
            reason="user",
            how=command.how,
            long_qty=sizes.long,
            short_qty=sizes.short,
            asked_ns=now_ns,
            give_up_ns=working.give_up_ns(command.how, now_ns),
            fraction=command.fraction,
            leg=command.leg,
            by=author(command),
        )
        ended = self.end_work(position, now_ns, "A close took its place.")
        self._dealer.withdraw(position.pair)
        return [*ended, Ordered(now_ns, position.pair, work)]

    def _refuse(self, command: ClosePair, position: PairPosition | None) -> No | None:
        no = risk.check_close(position, command.pair, command.fraction)
        if no is not None or position is None:
            return no
        if position.state == "working":
            text = f"Pair {command.pair} holds nothing yet. Cancel its order instead."
            return No("pair", str(command.pair), "a pair that holds something", text)
        if self._dealer.closing(command.pair):
            text = f"A close of pair {command.pair} is on its way. Wait for its answer."
            return No("pending", "a second close", "one at a time", text)
        held = {"long": position.long.qty, "short": position.short.qty}
        if command.leg != "both" and not held[command.leg]:
            text = f"The {command.leg} leg of pair {command.pair} holds nothing. Close the other."
            return No("leg", command.leg, "a leg that holds something", text)
        return working.check_how(command.how, alone=command.leg != "both")

    def _at_market(
        self,
        command: ClosePair,
        position: PairPosition,
        sizes: CloseSizes,
        market: Market,
        now_ns: int,
    ) -> list[Outcome]:
        no = self._unpriced(position, sizes, market, now_ns)
        if no is not None:
            return [no.at(now_ns, "close_pair")]
        ended = self.end_work(position, now_ns, "A close took its place.")
        self._dealer.withdraw(position.pair)
        order = self._make.order(position, "user", sizes, now_ns, command.leg != "both")
        order = msgspec.structs.replace(order, fraction=command.fraction, by=author(command))
        if order.due_ns > now_ns or position.pair in self._dealer.frozen:
            self._dealer.pending.append(order)
            return ended
        return ended + self._meet(order, market, now_ns)

    def _thin(
        self, position: PairPosition, sizes: CloseSizes, command: ClosePair, market: Market
    ) -> No | None:
        """Slices of a close that a venue would refuse for their size."""
        rules, slices = pair_rules(position, market), command.how.slices
        for rule, qty in zip(rules, (sizes.long, sizes.short), strict=True):
            each = working.slice_qty(qty, slices, rule)
            least = least_order(market, rule.key)
            if slices > 1 and qty and each < least:
                text = (
                    f"Each of {slices} slices would trade {words.plain(each)} {rule.base} on "
                    f"{words.name(rule.key)}; the venue's smallest order is {words.plain(least)} "
                    f"{rule.base}. Use fewer slices."
                )
                return No("slices", words.figure(each), words.figure(least), text)
        return None

    def forget(self, live: set[int]) -> None:
        """Drop what is remembered of pairs that are closed; a flip is opened after that."""
        self._told = {pair: said for pair, said in self._told.items() if pair in live}

    # --- by the desk -----------------------------------------------------------------------------

    def leaving(self, position: PairPosition) -> str:
        """Why a pair goes until nothing is left of it: "flip", "flatten", or "" for neither."""
        if position.pair in self.flips:
            return "flip"
        return "flatten" if working.flattens(position.work) else ""

    def leave(
        self, position: PairPosition, reason: str, market: Market, now_ns: int
    ) -> list[Outcome]:
        """Send the exit of a whole pair: its plan, Flatten, or what the desk owes it."""
        ended = self.end_work(position, now_ns, f"The pair is left: {reason}.", reason)
        self._dealer.withdraw(position.pair)
        if any(leg.qty for leg in position.legs):
            sizes = CloseSizes(
                abs(position.long.qty), abs(position.short.qty), ZERO,
                abs(position.long.qty), abs(position.short.qty),
            )  # fmt: skip
            if undescribed(position, market) is None:
                sizes = self._make.sizes(position, ALL, market)
            order = self._make.order(position, reason, sizes, now_ns)
            until_ns = order.due_ns + PATIENCE_NS
            patient = msgspec.structs.replace(order, patient=True, give_up_ns=until_ns)
            self._dealer.pending.append(patient)
        return ended

    def look(
        self, position: PairPosition, market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        """What a pair asks for by itself: its plan's exit, the rest of an exit, or its remedy."""
        pair, dealer = position.pair, self._dealer
        if dealer.closing(pair):
            return []
        if reason := self.leaving(position):
            if now_ns < dealer.quiet_until.get(pair, 0) and reason != "flatten":
                return []
            return self.leave(position, reason, market, now_ns)
        if position.state == "unhedged":
            self._mend(position, market, now_ns)
            return []
        if now_ns < dealer.quiet_until.get(pair, 0):
            return []
        reason = exits.wanted(position, market, self._settings, now_ns, funds, self._holds)
        lost = position.close_reason in ("liquidation", "adl")
        if position.state == "naked" and lost and len(position.perps) == 2:
            reason = position.close_reason  # the surviving perpetual hedges nothing
        return self.leave(position, reason, market, now_ns) if reason else []

    def due(self, market: Market, moved: set[int], now_ns: int) -> list[Outcome]:
        """Meet the books with every exit that is due, but not of pairs that moved in this call."""
        outcomes: list[Outcome] = []
        for order in [each for each in self._dealer.pending if each.kind == "close"]:
            if order.due_ns <= now_ns and order.pair not in moved | self._dealer.frozen:
                moved.add(order.pair)
                made = self._meet(order, market, now_ns)
                outcomes += made + self._goes_on(order, made, now_ns)
        return outcomes

    def end_work(
        self, position: PairPosition, now_ns: int, text: str, reason: str = ""
    ) -> list[Outcome]:
        """Withdraw what works on a pair, an order or a flip. reason: of the exit that goes on."""
        if reason == "flatten" and working.flattens(position.work):
            return []
        flipped = reason != "flip" and self.flips.pop(position.pair, None) is not None
        if position.work is None and not flipped:
            return []
        return [OrderEnded(now_ns, position.pair, "withdrawn", text)]

    def _meet(self, order: PairOrder, market: Market, now_ns: int) -> list[Outcome]:
        dealer = self._dealer
        dealer.pending = [each for each in dealer.pending if each is not order]
        if self._slept(order, now_ns):
            if order.of_work:
                return []  # the order that works sends it anew
            until_ns = now_ns + PATIENCE_NS
            order = msgspec.structs.replace(order, patient=True, give_up_ns=until_ns)
        position = self._positions.get(order.pair)
        if position is not None and order.patient:
            ready = self._balanced(order, position, market, now_ns)
            if isinstance(ready, No):
                return self._failed(order, ready, now_ns)
            order = ready
        outcomes, no = dealer.arrive_close(order, market, now_ns)
        if outcomes:
            self._told.pop(order.pair, None)
        return outcomes + (self._failed(order, no, now_ns) if no is not None else [])

    def _slept(self, order: PairOrder, now_ns: int) -> bool:
        """Whether the machine slept while a close by hand, or a part of one, was on its way.

        Quotes come back one by one then; met at once it would sell the leg that came first.
        """
        if order.patient or order.remedy or order.started or order.reason != "user":
            return False
        return now_ns - order.due_ns > self._settings.risk.clock_jump_s_max * S_NS

    def _goes_on(self, order: PairOrder, made: list[Outcome], now_ns: int) -> list[Outcome]:
        """A Flatten that has not ended its pair at once is kept, for a restart to go on with."""
        position = self._positions.get(order.pair)
        if order.reason != "flatten" or position is None or working.flattens(position.work):
            return []
        left = {leg.role: abs(leg.qty) for leg in position.legs}
        for each in made:
            if isinstance(each, PairReduced):
                if each.closed:
                    return []
                for fill in each.fills:
                    left[fill.leg] = max(ZERO, left[fill.leg] - fill.qty)
        work = Work(
            kind="close",
            reason="flatten",
            how=Execution(),
            long_qty=left["long"],
            short_qty=left["short"],
            asked_ns=now_ns,
            give_up_ns=FAR_NS,
        )
        return [Ordered(now_ns, order.pair, work)]

    def _failed(self, order: PairOrder, no: No, now_ns: int) -> list[Outcome]:
        """Nothing of an exit was traded: it tries again, or says why not."""
        pair, dealer = order.pair, self._dealer
        if order.remedy:
            dealer.quiet_until[pair] = now_ns + RETRY_NS
            return dealer.told(pair, order.legs[0], no, now_ns)
        if not order.give_up_ns:  # a part of a working order, which goes on
            dealer.quiet_until[pair] = now_ns + RETRY_NS
            dealer.waits[pair] = no
            return []
        if order.reason == "flatten":
            dealer.waits[pair] = no
        if now_ns < order.give_up_ns:
            dealer.pending.append(order.waits_until(now_ns + RETRY_NS))
            return []
        if order.reason == "flip":
            self.flips.pop(pair, None)
        if order.reason != "user":
            dealer.quiet_until[pair] = now_ns + PATIENCE_NS
            said = order.reason, no.limit
            if self._told.get(pair) == said:
                return []  # said already, and nothing has been traded since
            self._told[pair] = said
        return [no.at(now_ns, "close_pair")]

    def _balanced(
        self, order: PairOrder, position: PairPosition, market: Market, now_ns: int
    ) -> PairOrder | No:
        """The exit at a size that both books show now, or why it has to wait."""
        if no := undescribed(position, market):
            return no
        names = {leg.leg for leg in order.legs}
        legs = [leg for leg in position.legs if leg.qty and leg_name(leg.role) in names]
        held = [market.leg(leg.instrument) for leg in legs]
        if not held:
            return order
        if no := risk.check_fresh(held[0], held[-1], self._settings.risk, now_ns):
            return no
        both = len(held) == 2 and len(order.legs) == 2
        by_hand = order.reason == "user"
        if by_hand or not both or any(leg.due_ns > now_ns for leg in order.legs):
            return order
        sizes = self._make.sizes(position, ALL, market)
        quote = quote_sizes(position, sizes, market, self._settings, self._dealer.memory, now_ns)
        if isinstance(quote, CloseQuote):
            whole = self._make.legs(position, sizes, now_ns, travel=False)
            same = [leg.part for leg in whole] == [leg.part for leg in order.legs]
            return order if same else msgspec.structs.replace(order, legs=whole)
        if quote.limit != "depth":
            return quote
        share = self._make.share(position, sizes, market)
        sizes = self._make.sizes(position, share, market) if share else sizes
        if not share or too_little(position, share, sizes, pair_rules(position, market)):
            return quote
        part = self._make.legs(position, sizes, now_ns, travel=False)
        return msgspec.structs.replace(order, legs=part, fraction=share)

    # --- remedies --------------------------------------------------------------------------------

    def _mend(self, position: PairPosition, market: Market, now_ns: int) -> None:
        """Send what the legging policy says, one order at a time."""
        pair, dealer = position.pair, self._dealer
        limit_s = self._settings.risk.unhedged_s_max
        if legging.overdue(position, limit_s, now_ns):
            dealer.withdraw(pair)  # a leg that is still on its way comes too late
        if dealer.of(pair) or now_ns < dealer.quiet_until.get(pair, 0):
            return
        if undescribed(position, market) is not None:
            return
        keys = position.long.instrument, position.short.instrument
        least = least_order(market, keys[0]), least_order(market, keys[1])
        remedy = legging.remedy(position, pair_rules(position, market), least, limit_s, now_ns)
        if remedy is None:
            return
        resting = position.work is not None and position.work.how.style == "passive"
        late = legging.overdue(position, limit_s, now_ns)
        if resting and abs(position.delta) < min(least) and (remedy.leg == "both" or not late):
            return  # too small to be traded: the resting leg's next fill is hedged with it
        order = self._add(position, remedy, market, now_ns)
        if remedy.kind == "close":
            order = self._give_back(position, remedy, market, now_ns)
        dealer.pending.append(order)

    def _add(
        self, position: PairPosition, remedy: Remedy, market: Market, now_ns: int
    ) -> PairOrder:
        """The missing leg; a fee in coins is bought on top."""
        at = 1 if remedy.leg == "short" else 0
        held, rule = position.legs[at], pair_rules(position, market)[at]
        fees, qty = schedule(self._settings, rule.venue), remedy.qty
        side = "buy" if at == 0 else "sell"
        if fees.in_base(rule, side):
            qty = rule.round_nearest(qty / (1 - fees.rate(rule)))
        limit = None
        if remedy.limited:
            limit = pay_up_limit(market, held.instrument, side, position.how.pay_up)
        when = (now_ns, position.pair)
        leg = self._dealer.leg(
            leg_name(held.role), held.instrument, (qty, qty), opening=True, when=when, limit=limit
        )
        return PairOrder(
            kind="add",
            pair=position.pair,
            long=position.long.instrument,
            short=position.short.instrument,
            reason=remedy.reason,
            asked_ns=now_ns,
            give_up_ns=leg.due_ns,
            legs=(leg,),
            remedy=True,
        )

    def _give_back(
        self, position: PairPosition, remedy: Remedy, market: Market, now_ns: int
    ) -> PairOrder:
        """The surplus of the larger leg, or the whole pair."""
        if remedy.leg == "both":
            legs = self._make.legs(position, self._make.sizes(position, ALL, market), now_ns)
        else:
            held = position.long if remedy.leg == "long" else position.short
            legs = (self._make.one(position, held, remedy.qty, market, now_ns),)
        by = position.close_by if remedy.reason == position.close_reason else ""
        order = closing_order(position, remedy.reason, legs, now_ns)
        return msgspec.structs.replace(order, remedy=True, by=by)

    # --- small parts -----------------------------------------------------------------------------

    def _unpriced(
        self, position: PairPosition, sizes: CloseSizes, market: Market, now_ns: int
    ) -> No | None:
        """Why an exit of these sizes cannot be priced now, as before any click."""
        pairs = zip(position.legs, (sizes.long, sizes.short), strict=True)
        held = [market.leg(leg.instrument) for leg, qty in pairs if qty]
        if no := risk.check_fresh(held[0], held[-1], self._settings.risk, now_ns):
            return no
        quote = quote_sizes(position, sizes, market, self._settings, self._dealer.memory, now_ns)
        return quote if isinstance(quote, No) else None
