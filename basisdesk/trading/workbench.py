"""Orders that work for a while, at work: sends slices, watches limits, ends what is done.

What an order is and what is done of it is folded from the journal, so it resumes after a restart;
only the place in the queue is lost, and a resting leg joins the back again.
"""

from decimal import Decimal

import msgspec

from basisdesk.config import Settings
from basisdesk.events import OrderEnded, Outcome, Work
from basisdesk.market.state import Market
from basisdesk.trading import legging, risk, words, working
from basisdesk.trading.cross import cross_of, mid_rate
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.fees import schedule
from basisdesk.trading.orders import LegOrder, PairOrder
from basisdesk.trading.paper import Ladder, mid
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.quoting import LegQuote, basis_at, leg_quote, rules_of, undescribed
from basisdesk.trading.resting import Makers
from basisdesk.trading.risk import No
from basisdesk.trading.sending import (
    Look,
    closing_order,
    entry_order,
    least_order,
    leg_name,
    pair_rules,
    position_mids,
    slice_request,
)
from basisdesk.trading.sizing import buy_back
from basisdesk.venues.instrument import Instrument

ZERO = Decimal(0)

Parts = tuple[Decimal, Decimal]  # base coin of the long and the short leg


class Workbench:
    """The working orders of one desk. resting: pair -> its resting leg."""

    def __init__(self, settings: Settings, dealer: Dealer) -> None:
        self._settings = settings
        self._dealer = dealer
        self._makers = Makers(settings, dealer)
        self.resting = self._makers.resting

    def step(self, position: PairPosition, look: Look) -> list[Outcome]:
        """What a working order leads to now: fills of a resting leg, its end, or an order sent."""
        work = position.work
        if work is None:
            self.drop(position.pair)
            return []
        if undescribed(position, look.market) is not None:
            return self._expired(position, work, look.now_ns)
        if filled := self._makers.fills(position, work, look):
            return filled
        if ended := self._expired(position, work, look.now_ns):
            return ended
        pair, dealer = position.pair, self._dealer
        if dealer.of(pair) or look.now_ns < dealer.quiet_until.get(pair, 0):
            return []
        if position.state == "unhedged" and not self._crumb(position, work, look.market):
            self.drop(pair)  # the legging policy is at work
            return []
        rules = pair_rules(position, look.market)
        parts, due_ns = working.next_part(position, work, rules)
        if work.how.style == "passive":
            return self._passive(position, work, (parts, due_ns), look)
        if self._too_small(position, parts, look.market):
            return [self._ended(position, work, parts, rules, look.now_ns)]
        if look.now_ns >= due_ns:
            self._send(position, work, parts, look)
        return []

    def _crumb(self, position: PairPosition, work: Work, market: Market) -> bool:
        """Whether a resting leg has filled less than the other leg's venue takes at all."""
        if work.how.style != "passive":
            return False
        keys = position.long.instrument, position.short.instrument
        return abs(position.delta) < min(least_order(market, key) for key in keys)

    def drop(self, pair: int) -> None:
        """Forget the resting leg of a pair."""
        self.resting.pop(pair, None)

    def forget(self, live: set[int]) -> None:
        """Forget the resting legs of pairs that are closed."""
        for pair in [pair for pair in self.resting if pair not in live]:
            del self.resting[pair]

    def _passive(
        self, position: PairPosition, work: Work, due: tuple[Parts, int], look: Look
    ) -> list[Outcome]:
        """Hedge what the resting leg filled before, then keep it resting."""
        rules, (parts, due_ns) = pair_rules(position, look.market), due
        at = 0 if work.how.passive_leg == "long" else 1
        owed = working.hedge_owed(work, working.done(position, work), rules)
        if owed and owed >= least_order(look.market, position.legs[1 - at].instrument):
            self._makers.hedge(position, work, owed, look)
            return []
        left = parts[at]
        if not left or left < least_order(look.market, position.legs[at].instrument):
            return [self._ended(position, work, parts, rules, look.now_ns)]
        if look.now_ns >= due_ns:
            self._makers.quote(position, work, left, look)
        return []

    # --- slices and limits -----------------------------------------------------------------------

    def _send(self, position: PairPosition, work: Work, parts: Parts, look: Look) -> None:
        """Send the next slice where nothing forbids it now; else remember why it waits."""
        if work.kind == "open":
            order = self._entry(position, work, parts, look)
        else:
            order = self._exit(position, work, parts, look)
        if isinstance(order, No):
            self._dealer.waits[position.pair] = order
            return
        self._dealer.waits.pop(position.pair, None)
        self._dealer.pending.append(msgspec.structs.replace(order, of_work=True))

    def _entry(
        self, position: PairPosition, work: Work, parts: Parts, look: Look
    ) -> PairOrder | No:
        quote = look.gate(slice_request(position, work, parts[0]), position.pair)
        if isinstance(quote, No):
            return quote
        if not working.reached(work, quote.direction, quote.basis_bp):
            return _not_reached(work, quote.basis_bp)
        legs = self._legs(position, parts, (quote.long, quote.short), work, look)
        order = entry_order(
            slice_request(position, work, parts[0]), legs, look.now_ns, quote.cash, position.pair
        )
        if position.state == "working":
            return order
        reason = "slice" if work.how.slices > 1 else "user"
        return msgspec.structs.replace(order, kind="add", reason=reason)

    def _exit(self, position: PairPosition, work: Work, parts: Parts, look: Look) -> PairOrder | No:
        sizes = _exit_sizes(position, work, parts, look.market, self._settings)
        quotes = self._quotes(position, sizes, look)
        if isinstance(quotes, No):
            return quotes
        if all(sizes):  # what is left of one leg alone has no basis; its price limit still holds
            basis = basis_at(quotes[0], quotes[1], position.direction)
            if not working.reached(work, position.direction, basis):
                return _not_reached(work, basis)
        legs = self._legs(position, sizes, quotes, work, look)
        alone = work.leg != "both"
        order = closing_order(position, work.reason, legs, look.now_ns, alone=alone)
        return msgspec.structs.replace(order, by=work.by)

    def _quotes(
        self, position: PairPosition, sizes: Parts, look: Look
    ) -> tuple[LegQuote, LegQuote] | No:
        """Both legs of an exit walked now, or why they cannot be."""
        market, now_ns = look.market, look.now_ns
        wanted = [
            market.leg(leg.instrument) for leg, qty in zip(position.legs, sizes, strict=True) if qty
        ]
        if no := risk.check_fresh(wanted[0], wanted[-1], self._settings.risk, now_ns):
            return no
        mids = position_mids(position, market, self._settings.account.currency, now_ns)
        quotes = []
        for held, qty, seen in zip(position.legs, sizes, (mids.long, mids.short), strict=True):
            rule, leg = rules_of(market, held.instrument), market.leg(held.instrument)
            cross = cross_of(market, rule.quote, self._settings.account.currency, now_ns)
            if isinstance(cross, No):
                return cross
            ladder = Ladder(
                leg, "sell" if held.role == "long" else "buy", rule, self._dealer.memory
            )
            fees = schedule(self._settings, rule.venue)
            quote = leg_quote(ladder, qty, fees, (seen, leg.age_ms(now_ns)), cross)
            if quote is None:
                shown, asked = words.plain(ladder.depth), words.plain(qty)
                text = f"{words.name(rule.key)} shows {shown}, the next part needs {asked}."
                return No("depth", words.figure(qty), words.figure(ladder.depth), text)
            quotes.append(quote)
        return quotes[0], quotes[1]

    def _legs(
        self,
        position: PairPosition,
        sizes: Parts,
        quotes: tuple[LegQuote, LegQuote],
        work: Work,
        look: Look,
    ) -> tuple[LegOrder, ...]:
        """The legs of a slice; those of a limit order may not trade beyond what was seen."""
        made = []
        for held, qty, quote in zip(position.legs, sizes, quotes, strict=True):
            if not qty:
                continue
            takes = quote.takes if work.how.style == "limit" else []
            limit = takes[-1].price if takes else None
            part = qty
            if work.kind == "close":
                part = _part(held.role, qty, quote, abs(held.qty))
            made.append(
                self._dealer.leg(
                    leg_name(held.role),
                    held.instrument,
                    (qty, part),
                    opening=work.kind == "open",
                    when=(look.now_ns, position.pair),
                    limit=limit,
                )
            )
        return tuple(made)

    # --- ends ------------------------------------------------------------------------------------

    def _expired(self, position: PairPosition, work: Work, now_ns: int) -> list[Outcome]:
        if now_ns < work.give_up_ns or self._dealer.of(position.pair):
            return []
        self.resting.pop(position.pair, None)
        no = self._dealer.waits.get(position.pair)
        why = f" It waited last: {no.text}" if no is not None else ""
        text = f"What the order had not filled in time was withdrawn.{why}"
        return [OrderEnded(now_ns, position.pair, "expired", text)]

    def _too_small(self, position: PairPosition, parts: Parts, market: Market) -> bool:
        """Whether nothing is left that a venue would take."""
        for held, qty in zip(position.legs, parts, strict=True):
            if qty and qty >= least_order(market, held.instrument):
                return False
        return True

    def _ended(
        self,
        position: PairPosition,
        work: Work,
        parts: Parts,
        rules: tuple[Instrument, Instrument],
        now_ns: int,
    ) -> OrderEnded:
        self.resting.pop(position.pair, None)
        if not any(parts):
            return OrderEnded(now_ns, position.pair, "filled")
        left = " and ".join(
            f"{words.plain(qty)} {rule.base} on {words.name(rule.key)}"
            for qty, rule in zip(parts, rules, strict=True)
            if qty
        )
        text = f"{left} are left, less than the smallest order."
        why = "filled" if any(working.done(position, work)) else "refused"
        return OrderEnded(now_ns, position.pair, why, text)

    def needs(self, position: PairPosition, market: Market, now_ns: int) -> Decimal:
        """Cash that what a pair still has to get will need, at mids, account currency."""
        if undescribed(position, market) is not None:
            return ZERO
        cash = ZERO
        for held, qty in zip(position.legs, self._owed(position, now_ns), strict=True):
            if not qty:
                continue
            rule = rules_of(market, held.instrument)
            price = mid(market.leg(held.instrument), rule) or ZERO
            account = self._settings.account.currency
            fx = mid_rate(market, held.quote, account, now_ns, held.fx)
            value = qty * price * fx
            owned = held.market == "spot" and held.role == "long"
            rate = schedule(self._settings, rule.venue).rate(rule)
            cash += value * rate + (value if owned else value / position.leverage)
        return cash

    def _owed(self, position: PairPosition, now_ns: int) -> Parts:
        """What each leg has still to grow by: of its working entry, else on its way or missing."""
        work = position.work
        if work is not None and work.kind == "open":
            made = working.done(position, work)
            return max(ZERO, work.long_qty - made[0]), max(ZERO, work.short_qty - made[1])
        owed = {"long": ZERO, "short": ZERO}
        for order in self._dealer.of(position.pair):
            for leg in order.legs if order.kind != "close" else ():
                owed[leg.leg] += leg.qty
        if legging.asks(position, self._settings.risk.unhedged_s_max, now_ns):
            missing = legging.sides(position)[1].role
            owed[missing] = max(owed[missing], abs(position.delta))
        return owed["long"], owed["short"]


def _not_reached(work: Work, basis_bp: float) -> No:
    limit = float(work.how.limit_bp) if work.how.limit_bp is not None else 0.0
    text = f"The basis at this size is {words.bp(basis_bp)}, the limit {words.bp(limit)}."
    return No("limit", words.bp(basis_bp), words.bp(limit), text)


def _exit_sizes(
    position: PairPosition,
    work: Work,
    parts: Parts,
    market: Market,
    settings: Settings,
) -> Parts:
    """What a slice of an exit orders; the last slice of a full close takes all that is held."""
    last = working.next_is_last(position, work, pair_rules(position, market))
    if not (last and work.fraction >= 1):
        return parts
    long = abs(position.long.qty) if work.leg in ("both", "long") else ZERO
    short = abs(position.short.qty) if work.leg in ("both", "short") else ZERO
    rule = rules_of(market, position.short.instrument)
    if short and rule.market == "spot":
        short = buy_back(short, rule, schedule(settings, rule.venue))[0]
    return long, short


def _part(role: str, qty: Decimal, quote: LegQuote, held: Decimal) -> Decimal:
    """By how much a leg shrinks when `qty` is traded."""
    rule = quote.ladder.instrument
    if role == "short" and quote.fees.in_base(rule, "buy"):
        return min(held, rule.round_down(qty * (1 - quote.fees.rate(rule))))
    return min(held, qty)
