"""One leg meets its book: it takes what is displayed within its limit, the rest is cancelled.

The venue may refuse it for its own reasons (a lot, a minimum, a price band, a link that is down) or
because a drill says so; then nothing of it is traded.
"""

import math
from decimal import Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.events import Fill
from basisdesk.market.state import Market
from basisdesk.trading import risk, words
from basisdesk.trading.cross import Cross, cross_of, mid_rate
from basisdesk.trading.fees import FeeSchedule, schedule
from basisdesk.trading.margin import margin_for
from basisdesk.trading.orders import LegOrder
from basisdesk.trading.paper import Ladder, Memory, mid
from basisdesk.trading.quoting import LegQuote, leg_quote, rules_of
from basisdesk.trading.risk import No
from basisdesk.trading.sizing import smallest
from basisdesk.venues.instrument import Instrument

ZERO = Decimal(0)


class Met(msgspec.Struct, frozen=True):
    """What became of one leg. quote: what was traded, of quantity 0 where `no` says why.

    part: by how much the leg of the pair grows or shrinks, base; dust: coins below a lot that are
    written off. note: what the grades of its fills say besides, as that it was a drill.
    fill: of a resting order, which has one and walks no book.
    """

    order: LegOrder
    quote: LegQuote
    part: Decimal = ZERO
    dust: Decimal = ZERO
    no: No | None = None
    note: str = ""
    fill: Fill | None = None

    @property
    def traded(self) -> bool:
        """Whether anything was filled."""
        return self.quote.qty > 0

    def fills(self, now_ns: int) -> list[Fill]:
        """Its fills, one a level."""
        if self.fill is not None:
            return [self.fill]
        return self.quote.fills(self.order.leg, now_ns, self.dust, self.note)


class Mids(msgspec.Struct, frozen=True):
    """Decision mids of both legs, quote currency, and account currency per quote at the middle."""

    long: Decimal
    short: Decimal
    long_fx: Decimal
    short_fx: Decimal


class Venues:
    """The paper venues at one moment."""

    def __init__(self, settings: Settings, market: Market, memory: Memory, now_ns: int) -> None:
        self._settings = settings
        self._market = market
        self._memory = memory
        self._now_ns = now_ns

    def meet(self, order: LegOrder, seen_mid: Decimal, drill: str = "", whole: bool = False) -> Met:
        """The leg order meets its book. drill: "reject", "half" or "".

        seen_mid: decision mid, quote. whole: it closes all that the leg holds, which no lot and no
        minimum forbids.
        """
        rule = rules_of(self._market, order.instrument)
        account = self._settings.account.currency
        fees = schedule(self._settings, rule.venue)
        leg = self._market.leg(order.instrument)
        ladder = Ladder(leg, order.side, rule, self._memory)
        cross = cross_of(self._market, rule.quote, account, self._now_ns)
        seen = (seen_mid, leg.age_ms(self._now_ns))
        no = self._refused(order, rule, drill, whole) or (cross if isinstance(cross, No) else None)
        rates = Cross() if isinstance(cross, No) else cross
        nothing = leg_quote(ladder, ZERO, fees, seen, rates)
        assert nothing is not None  # a quantity of 0 is always displayed
        if no is not None:
            return Met(order, nothing, no=no)
        most = order.qty
        if drill == "half":
            most = max(rule.round_down(most / 2), rule.lot)
        got = ladder.fillable(most, order.limit)
        got = got if got == order.qty else rule.round_down(got)
        quote = leg_quote(ladder, got, fees, seen, rates) if got else None
        if quote is None:
            return Met(order, nothing, no=_nothing(order, rule, ladder))
        no = self._band(quote, rule)
        part, dust = _held(order, quote, rule, fees)
        if part <= 0:
            no = no or _nothing(order, rule, ladder)
        if no is not None:
            return Met(order, nothing, no=no)
        return Met(order, quote, part, dust, note=_note(order, drill))

    def _refused(self, order: LegOrder, rule: Instrument, drill: str, whole: bool) -> No | None:
        who = words.name(rule.key)
        if drill == "reject":
            return No("drill", "an order", "none", f"{who} refused the order: a drill said so.")
        leg = self._market.leg(order.instrument)
        no = risk.check_fresh(leg, leg, self._settings.risk, self._now_ns)
        if no is not None or whole:
            return no
        if rule.round_down(order.qty) != order.qty:
            text = (
                f"{who} refused {words.plain(order.qty)} {rule.base}: it trades in steps of "
                f"{words.plain(rule.lot)}. Choose a whole number of them."
            )
            return No("lot", words.figure(order.qty), words.figure(rule.lot), text)
        if rule.max_qty > 0 and order.qty > rule.max_qty:
            text = (
                f"{who} takes at most {words.plain(rule.max_qty)} {rule.base} in one order, "
                f"{words.plain(order.qty)} asked. Use more slices."
            )
            return No("max_qty", words.figure(order.qty), words.figure(rule.max_qty), text)
        price = mid(leg, rule) or ZERO
        least = smallest(rule, price)
        if order.qty >= least:
            return None
        limit = "min_qty" if order.qty < rule.min_qty else "min_notional"
        text = (
            f"{who} refused {words.plain(order.qty)} {rule.base}: its smallest order now is "
            f"{words.plain(least)} {rule.base}."
        )
        return No(limit, words.figure(order.qty), words.figure(least), text)

    def _band(self, quote: LegQuote, rule: Instrument) -> No | None:
        """The price band of a market order, against the mark, or the mid where there is none."""
        mark = self._market.leg(rule.key).mark
        centre = exact(mark) if math.isfinite(mark) and mark > 0 else quote.mid
        worst, buys = quote.takes[-1].price, quote.ladder.side == "buy"
        most = self._settings.paper.price_band_pct
        if centre <= 0:
            return None
        beyond = float((worst - centre) / centre if buys else (centre - worst) / centre) * 100
        if beyond <= most:
            return None
        text = (
            f"{words.name(rule.key)} refused the order: it would trade at {words.plain(worst)}, "
            f"{beyond:.1f} % beyond {words.plain(centre)}; its price band is {most:g} %. Lower "
            "the size or wait for depth."
        )
        return No("price_band", f"{beyond:.1f} %", f"{most:g} %", text)


def secured(mets: list[Met], leverage: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """(margin, collateral, cash needed in all) of entry legs that traded, account currency."""
    margin = collateral = cash = ZERO
    for met in mets:
        quote, rule = met.quote, met.quote.ladder.instrument
        if not met.traded:
            continue
        asked = margin_for(quote.value, leverage)
        if rule.market == "perp":
            margin += asked
        elif met.order.leg == "short":
            collateral += asked
        else:
            cash += quote.value
        if quote.fee_currency == rule.quote:
            cash += quote.fee * quote.fx
    return margin, collateral, cash + margin + collateral


def entry_mids(market: Market, keys: tuple[str, str], account: str, now_ns: int) -> Mids:
    """Decision mids of an entry; a leg without a quote has its mark's, its index's or the other's.

    Prices of the other leg are of the same coin; they come by the cross rates.
    """
    legs = [market.leg(key) for key in keys]
    rules = [rules_of(market, key) for key in keys]
    rates = [mid_rate(market, rule.quote, account, now_ns, Decimal(1)) for rule in rules]
    mids = [mid(leg, rule) for leg, rule in zip(legs, rules, strict=True)]
    found: list[Decimal] = []
    for index in (0, 1):
        known, other = mids[index], mids[1 - index]
        if known is None:
            said = next((p for p in (legs[index].mark, legs[index].index) if p > 0), None)
            if said is not None:
                known = exact(said)
            elif other is not None:
                known = rules[index].price(float(other * rates[1 - index] / rates[index]))
        found.append(known or ZERO)
    return Mids(found[0], found[1], rates[0], rates[1])


def _held(
    order: LegOrder, quote: LegQuote, rule: Instrument, fees: FeeSchedule
) -> tuple[Decimal, Decimal]:
    """(by how much the leg changes, dust): a fee in coins takes part of what a spot buy brings."""
    if not fees.in_base(rule, order.side):
        return quote.qty, ZERO
    came = quote.qty - quote.fee
    if order.leg == "long":
        held = rule.round_down(came)
        return held, came - held
    part = order.part if came >= order.part else rule.round_down(came)
    return part, came - part


def _nothing(order: LegOrder, rule: Instrument, ladder: Ladder) -> No:
    """Nothing is displayed at the order's price."""
    who, asked = words.name(rule.key), words.plain(order.qty)
    if order.limit is None:
        text = f"{who} showed nothing to trade with when the order arrived, {asked} were asked."
        return No("depth", words.figure(order.qty), words.figure(ladder.depth), text)
    way = "at or below" if order.side == "buy" else "at or above"
    text = (
        f"{who} showed nothing {way} {words.plain(order.limit)} when the order arrived: the price "
        "moved away."
    )
    return No("limit", words.figure(order.qty), words.figure(order.limit), text)


def _note(order: LegOrder, drill: str) -> str:
    said = [order.drill] if order.drill else []
    if drill:
        said.append(f"drill: {drill} of the order filled")
    return "; ".join(said)
