"""The resting leg of a passive order: where it stands, what fills, and how each fill is hedged.

One resting order a pair, of what the running slice has left, at its side's best price. It is moved
at most once a second, and a withdrawal travels as long as an order does: until then it can fill.
"""

import decimal
from decimal import Decimal

from msgspec import structs

from basisdesk.config import Settings
from basisdesk.events import MONEY, Fill, LegName, OrderEnded, Outcome, Work
from basisdesk.trading import booked, maker_queue, risk, working
from basisdesk.trading.arrival import Met, Mids, entry_mids, secured
from basisdesk.trading.cross import Cross, cross_of
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.fees import schedule
from basisdesk.trading.maker_queue import REQUOTE_NS, Resting
from basisdesk.trading.orders import LegOrder, PairOrder, travel_ns
from basisdesk.trading.paper import Ladder, mid
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.trading.quoting import LegQuote, rules_of
from basisdesk.trading.risk import No
from basisdesk.trading.sending import (
    Look,
    closing_order,
    least_order,
    pair_rules,
    pay_up_limit,
    position_mids,
    slice_request,
)
from basisdesk.venues.instrument import Instrument, split_key

ZERO = Decimal(0)


class Makers:
    """The resting orders of one desk. resting: pair -> its resting order."""

    def __init__(self, settings: Settings, dealer: Dealer) -> None:
        self._settings = settings
        self._dealer = dealer
        self.resting: dict[int, Resting] = {}

    def quote(self, position: PairPosition, work: Work, left: Decimal, look: Look) -> None:
        """Keep a resting order of what is left at the best price, or take it away."""
        pair, now_ns = position.pair, look.now_ns
        held = _passive(position, work)
        leg, rule = look.market.leg(held.instrument), rules_of(look.market, held.instrument)
        no = self._may_rest(position, work, left, look)
        resting = self.resting.get(pair)
        if resting is not None and (resting.gone or resting.withdrawn(now_ns)):
            resting = None
            del self.resting[pair]
        venue = split_key(held.instrument)[0]
        travels = travel_ns(self._settings.paper, now_ns, pair, work.how.passive_leg, venue)
        if resting is not None:
            old = now_ns - resting.sent_ns >= REQUOTE_NS
            moved = old and maker_queue.behind(resting, leg)
            if resting.leave_ns is None and (no is not None or moved):
                resting.leave_ns = now_ns + travels
            return
        if no is not None:
            self._dealer.waits[pair] = no
            return
        self._dealer.waits.pop(pair, None)
        side = "buy" if (held.role == "long") == (work.kind == "open") else "sell"
        shown = leg.bid if side == "buy" else leg.ask
        self.resting[pair] = Resting(side, rule.price(shown), shown, left, now_ns, now_ns + travels)

    def _may_rest(self, position: PairPosition, work: Work, left: Decimal, look: Look) -> No | None:
        """Whether a quote may stand now: its fills have to be hedged."""
        if work.kind == "open":
            qty = left
            if work.how.passive_leg == "short":
                rule = rules_of(look.market, position.long.instrument)
                qty = rule.round_nearest(work.long_qty * left / work.short_qty)
            quote = look.gate(slice_request(position, work, qty), position.pair)
            return quote if isinstance(quote, No) else None
        legs = [look.market.leg(leg.instrument) for leg in position.legs if leg.qty]
        return risk.check_fresh(legs[0], legs[-1], self._settings.risk, look.now_ns)

    def fills(self, position: PairPosition, work: Work, look: Look) -> list[Outcome]:
        """What came of the resting order since the last look, as one fill, and its hedge sent."""
        resting = self.resting.get(position.pair)
        if resting is None:
            return []
        if look.now_ns - work.give_up_ns > self._settings.risk.clock_jump_s_max * working.S_NS:
            del self.resting[position.pair]  # the machine slept through its end, as in a restart
            return []
        held = _passive(position, work)
        leg, rule = look.market.leg(held.instrument), rules_of(look.market, held.instrument)
        maker_queue.advance(resting, leg, rule, look.now_ns)
        got = resting.filled - resting.booked
        if got <= 0 or not look.spends or self._arriving(position.pair, look.now_ns):
            return []
        cross = cross_of(look.market, rule.quote, self._settings.account.currency, look.now_ns)
        if isinstance(cross, No):
            return []  # a fill waits for the rate it is booked at
        met = self._met(position, work, (resting, got), look, cross)
        if met is None:
            return []
        if work.kind == "open" and secured([met], position.leverage)[2] > look.funds.free:
            text = "Free cash no longer covers the resting order. What is filled stays."
            self.resting.pop(position.pair, None)
            return [OrderEnded(look.now_ns, position.pair, "refused", text)]
        resting.booked = resting.filled
        outcomes = self._outcome(position, work, met, look)
        self._hedge_fill(position, work, got, look)
        return outcomes

    def hedge(self, position: PairPosition, work: Work, qty: Decimal, look: Look) -> None:
        """Send the other leg as taker, at no worse than pay_up ticks beyond its best price."""
        leg: LegName = "short" if work.how.passive_leg == "long" else "long"
        held = position.long if leg == "long" else position.short
        rule = rules_of(look.market, held.instrument)
        opening = work.kind == "open"
        side = "buy" if (leg == "long") == opening else "sell"
        part = qty
        if not opening:
            fees = schedule(self._settings, rule.venue)
            came = qty - (fees.fee(rule, side, qty, ZERO)[0] if fees.in_base(rule, side) else ZERO)
            part = min(abs(held.qty), rule.round_down(came))
        limit = pay_up_limit(look.market, held.instrument, side, work.how.pay_up)
        when = (look.now_ns, position.pair)
        sent = self._dealer.leg(
            leg, held.instrument, (qty, part), opening=opening, when=when, limit=limit
        )
        if not opening:
            order = closing_order(position, work.reason, (sent,), look.now_ns)
            order = structs.replace(order, by=work.by)
        else:
            order = PairOrder(
                kind="add",
                pair=position.pair,
                long=position.long.instrument,
                short=position.short.instrument,
                reason="hedge",
                asked_ns=look.now_ns,
                give_up_ns=sent.due_ns,
                legs=(sent,),
                remedy=True,
            )
        self._dealer.pending.append(structs.replace(order, of_work=True))

    def _arriving(self, pair: int, now_ns: int) -> bool:
        """Whether a leg of the pair meets its book in this very call."""
        return any(order.due_ns <= now_ns for order in self._dealer.of(pair))

    def _outcome(self, position: PairPosition, work: Work, met: Met, look: Look) -> list[Outcome]:
        market, now_ns = look.market, look.now_ns
        mids = self._mids(position, look)
        if position.state == "working" and work.request is not None:
            step = max(each.lot for each in pair_rules(position, market))
            return [booked.opened(position.pair, work.request, [met], mids, (step, now_ns))]
        before = self._dealer.realised(position, [met], market, now_ns)
        if work.kind == "open":
            return [*before, booked.added(position, "user", [met], mids, now_ns)]
        order = closing_order(position, work.reason, (met.order,), now_ns)
        order = structs.replace(order, by=work.by)
        return [*before, booked.reduced(order, position, [met], mids, now_ns)]

    def _mids(self, position: PairPosition, look: Look) -> Mids:
        account = self._settings.account.currency
        if position.state == "working":
            keys = position.long.instrument, position.short.instrument
            return entry_mids(look.market, keys, account, look.now_ns)
        return position_mids(position, look.market, account, look.now_ns)

    def _met(
        self,
        position: PairPosition,
        work: Work,
        what: tuple[Resting, Decimal],
        look: Look,
        cross: Cross,
    ) -> Met | None:
        """The fill of a resting order, priced: its own price, the maker fee, a queue assumed."""
        (resting, got), held = what, _passive(position, work)
        rule = rules_of(look.market, held.instrument)
        fees = schedule(self._settings, rule.venue)
        with decimal.localcontext(MONEY):
            fee, currency = fees.fee(rule, resting.side, got, resting.price, maker=True)
            cost = got * resting.price
        part, dust = _arrived(got, fee if currency != rule.quote else ZERO, rule)
        if work.kind == "close":
            dust += max(ZERO, part - abs(held.qty)) if fees.in_base(rule, resting.side) else ZERO
            part = min(part, abs(held.qty))
        if part <= 0:
            return None
        grade, why = maker_queue.reason(resting)
        fill = Fill(
            ts_ns=look.now_ns,
            leg=held.role,
            instrument=rule.key,
            side=resting.side,
            qty=got,
            price=resting.price,
            fee=fee,
            fee_currency=currency,
            liquidity="maker",
            grade=grade,
            grade_reason=why,
            dust=dust,
            fx=cross.paid(rule.market, resting.side),
        )
        leg = look.market.leg(rule.key)
        ladder = Ladder(leg, resting.side, rule, self._dealer.memory)
        seen = (mid(leg, rule) or resting.price, leg.age_ms(look.now_ns))
        quote = LegQuote(ladder, got, cost, fee, currency, fees, *seen, cross)
        order = LegOrder(work.how.passive_leg, rule.key, resting.side, got, part, look.now_ns)
        return Met(order, quote, part, dust, fill=fill)

    def _hedge_fill(self, position: PairPosition, work: Work, got: Decimal, look: Look) -> None:
        """Send the other leg for what the resting leg has just filled."""
        made = list(working.done(position, work))
        at = 0 if work.how.passive_leg == "long" else 1
        made[at] += got
        made[1 - at] += sum(
            (leg.qty for order in self._dealer.of(position.pair) for leg in order.legs), ZERO
        )
        owed = working.hedge_owed(work, (made[0], made[1]), pair_rules(position, look.market))
        if owed > 0 and owed >= least_order(look.market, position.legs[1 - at].instrument):
            self.hedge(position, work, owed, look)


def _passive(position: PairPosition, work: Work) -> LegPosition:
    return position.long if work.how.passive_leg == "long" else position.short


def _arrived(got: Decimal, fee: Decimal, rule: Instrument) -> tuple[Decimal, Decimal]:
    """(by how much the leg changes, dust) of a fill whose fee in coins is `fee`."""
    if not fee:
        return got, ZERO
    came = got - fee
    part = rule.round_down(came)
    return part, came - part
