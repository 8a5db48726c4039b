"""How pairs get smaller: closes by hand, exits of the plan, Flatten, and the rest of each.

An exit of ours (not by hand) looks at both books before it trades: where they show less than the
pair holds it leaves with what both show, where they show nothing it waits.
"""

from decimal import ROUND_DOWN, Decimal

import msgspec

from basisdesk.config import Settings
from basisdesk.events import ClosePair, Funds, Ordered, OrderEnded, Outcome, Work
from basisdesk.market.state import Market
from basisdesk.trading import booked, exits, legging, risk, words, working
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.fees import schedule
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.legging import Remedy
from basisdesk.trading.orders import PATIENCE_NS, RETRY_NS, LegOrder, PairOrder
from basisdesk.trading.paper import Ladder
from basisdesk.trading.positions import LegPosition, PairPosition, Positions
from basisdesk.trading.quoting import CloseQuote, quote_sizes, too_little, undescribed
from basisdesk.trading.risk import No
from basisdesk.trading.sending import (
    closing_order,
    least_order,
    leg_name,
    pair_rules,
    pay_up_limit,
)
from basisdesk.trading.sizing import CloseSizes, buy_back, close_sizes
from basisdesk.trading.working import Side

ZERO, ALL = Decimal(0), Decimal(1)
FRACTION = Decimal("1e-12")  # a share of the depth is rounded down to this


class Closer:
    """Sends exits and remedies. leaving: pair -> why it has to go until nothing is left of it."""

    def __init__(self, settings: Settings, positions: Positions, dealer: Dealer) -> None:
        self._settings = settings
        self._positions = positions
        self._dealer = dealer
        self._holds = Holds()
        self.leaving: dict[int, str] = {}

    # --- by hand ---------------------------------------------------------------------------------

    def ask(self, command: ClosePair, market: Market, now_ns: int) -> list[Outcome]:
        """A close by hand, refused with a sentence or sent."""
        position = self._positions.get(command.pair)
        no = self._refuse(command, position)
        if no is not None or position is None:
            return [no.at(now_ns, "close_pair")] if no is not None else []
        if no := undescribed(position, market):
            return [no.at(now_ns, "close_pair")]
        sizes = self._sizes(position, command.fraction, market, command.leg)
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
        order = self._order(position, "user", sizes, now_ns, command.leg != "both")
        order = msgspec.structs.replace(order, fraction=command.fraction)
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
        """Drop what is remembered of pairs that are closed."""
        self.leaving = {pair: why for pair, why in self.leaving.items() if pair in live}

    # --- by the desk -----------------------------------------------------------------------------

    def leave(
        self, position: PairPosition, reason: str, market: Market, now_ns: int
    ) -> list[Outcome]:
        """Send the exit of a whole pair: its plan, Flatten, or what the desk owes it."""
        ended = self.end_work(position, now_ns, f"The pair is left: {reason}.")
        self._dealer.withdraw(position.pair)
        if any(leg.qty for leg in position.legs):
            sizes = CloseSizes(
                abs(position.long.qty), abs(position.short.qty), ZERO,
                abs(position.long.qty), abs(position.short.qty),
            )  # fmt: skip
            if undescribed(position, market) is None:
                sizes = self._sizes(position, ALL, market)
            order = self._order(position, reason, sizes, now_ns)
            patient = msgspec.structs.replace(order, give_up_ns=order.due_ns + PATIENCE_NS)
            self._dealer.pending.append(patient)
        return ended

    def look(
        self, position: PairPosition, market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        """What a pair asks for by itself: its plan's exit, the rest of an exit, or its remedy."""
        pair, dealer = position.pair, self._dealer
        if dealer.closing(pair):
            return []
        if (reason := self.leaving.get(pair)) is not None:
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
                outcomes += self._meet(order, market, now_ns)
        return outcomes

    def end_work(self, position: PairPosition, now_ns: int, text: str) -> list[Outcome]:
        """Withdraw the order that works on a pair, if one does."""
        if position.work is None:
            return []
        return [OrderEnded(now_ns, position.pair, "withdrawn", text)]

    def _meet(self, order: PairOrder, market: Market, now_ns: int) -> list[Outcome]:
        position = self._positions.get(order.pair)
        if position is not None and order.give_up_ns > order.asked_ns and order.reason != "user":
            ready = self._balanced(order, position, market, now_ns)
            if isinstance(ready, No):
                self._dealer.pending.remove(order)
                return self._failed(order, ready, now_ns)
            self._dealer.pending = [each for each in self._dealer.pending if each is not order]
            order = ready
        outcomes, no = self._dealer.arrive_close(order, market, now_ns)
        return outcomes + (self._failed(order, no, now_ns) if no is not None else [])

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
        if now_ns < order.give_up_ns:
            dealer.pending.append(order.waits_until(now_ns + RETRY_NS))
            return []
        if order.reason != "user":
            dealer.quiet_until[pair] = now_ns + PATIENCE_NS
        if self.leaving.get(pair) == "flip":
            del self.leaving[pair]
        return [no.at(now_ns, "close_pair")]

    def _balanced(
        self, order: PairOrder, position: PairPosition, market: Market, now_ns: int
    ) -> PairOrder | No:
        """The exit at a size that both books show now, or why it has to wait."""
        if no := undescribed(position, market):
            return no
        held = [market.leg(leg.instrument) for leg in position.legs if leg.qty]
        if not held:
            return order
        if no := risk.check_fresh(held[0], held[-1], self._settings.risk, now_ns):
            return no
        both = len(held) == 2 and len(order.legs) == 2
        if not both or any(leg.due_ns > now_ns for leg in order.legs):
            return order
        sizes = self._sizes(position, ALL, market)
        quote = quote_sizes(position, sizes, market, self._settings, self._dealer.memory, now_ns)
        if isinstance(quote, CloseQuote):
            legs = self._legs(position, sizes, now_ns, travel=False)
            same = [leg.part for leg in legs] == [leg.part for leg in order.legs]
            return order if same else msgspec.structs.replace(order, legs=legs)
        if quote.limit != "depth":
            return quote
        share = self._share(position, sizes, market)
        sizes = self._sizes(position, share, market) if share else sizes
        if not share or too_little(position, share, sizes, pair_rules(position, market)):
            return quote
        legs = self._legs(position, sizes, now_ns, travel=False)
        return msgspec.structs.replace(order, legs=legs, fraction=share)

    def _share(self, position: PairPosition, sizes: CloseSizes, market: Market) -> Decimal:
        """The fraction of an exit that both books show."""
        shares = []
        for held, rule, qty in zip(
            position.legs, pair_rules(position, market), (sizes.long, sizes.short), strict=True
        ):
            side = "sell" if held.role == "long" else "buy"
            ladder = Ladder(market.leg(held.instrument), side, rule, self._dealer.memory)
            shares.append(ladder.fillable(qty, None) / qty if qty else ALL)
        return min(shares).quantize(FRACTION, ROUND_DOWN)

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
            legs = self._legs(position, self._sizes(position, ALL, market), now_ns)
        else:
            held = position.long if remedy.leg == "long" else position.short
            legs = (self._one(position, held, remedy.qty, market, now_ns),)
        order = closing_order(position, remedy.reason, legs, now_ns)
        return msgspec.structs.replace(order, remedy=True)

    # --- small parts -----------------------------------------------------------------------------

    def _one(
        self, position: PairPosition, held: LegPosition, part: Decimal, market: Market, now_ns: int
    ) -> LegOrder:
        rule = pair_rules(position, market)[0 if held is position.long else 1]
        qty = part
        if held.role == "short" and rule.market == "spot":
            qty = buy_back(part, rule, schedule(self._settings, rule.venue))[0]
        when = (now_ns, position.pair)
        name = leg_name(held.role)
        return self._dealer.leg(name, held.instrument, (qty, part), opening=False, when=when)

    def _sizes(
        self, position: PairPosition, fraction: Decimal, market: Market, leg: Side = "both"
    ) -> CloseSizes:
        rules = pair_rules(position, market)
        fees = schedule(self._settings, rules[1].venue)
        return close_sizes(position, fraction, rules, fees, leg)

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

    def _order(
        self,
        position: PairPosition,
        reason: str,
        sizes: CloseSizes,
        now_ns: int,
        alone: bool = False,
    ) -> PairOrder:
        legs = self._legs(position, sizes, now_ns)
        due_ns = max(leg.due_ns for leg in legs)
        return closing_order(position, reason, legs, now_ns, give_up_ns=due_ns, alone=alone)

    def _legs(
        self, position: PairPosition, sizes: CloseSizes, now_ns: int, travel: bool = True
    ) -> tuple[LegOrder, ...]:
        """Both legs of an exit; travel: they are sent now, not there already."""
        made = []
        for held, qty, part in (
            (position.long, sizes.long, sizes.long_part),
            (position.short, sizes.short, sizes.short_part),
        ):
            if not part:
                continue
            name, key = leg_name(held.role), held.instrument
            if travel:
                when = (now_ns, position.pair)
                made.append(self._dealer.leg(name, key, (qty, part), opening=False, when=when))
            else:
                side = "sell" if name == "long" else "buy"
                made.append(LegOrder(name, key, side, qty, part, now_ns))
        return tuple(made)
