"""What a pair order would trade right now: both legs walked through the displayed book.

Ticket, size limit, refusal and fill all price an order here and nowhere else, so what the ticket
shows is what the paper venue does. A leg is walked in its own quote currency; what the account
pays and gets for it is that times the cross rate of this moment (cross.py).
"""

import decimal
import math
from decimal import ROUND_FLOOR, Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.events import MONEY, Fill, OpenPair
from basisdesk.market.state import Leg, Market
from basisdesk.trading import words
from basisdesk.trading.cross import EXACT, Cross, cross_of, mid_rate
from basisdesk.trading.fees import FeeSchedule, schedule
from basisdesk.trading.margin import leverage_max, margin_for, tier_size
from basisdesk.trading.paper import Ladder, Memory, Take, make_fills, mid, with_dust, with_note
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.trading.risk import No
from basisdesk.trading.sizing import CloseSizes, OpenSizes, close_sizes, open_sizes, smallest
from basisdesk.venues.instrument import Instrument


class LegQuote(msgspec.Struct, frozen=True):
    """One leg of an order, priced. cost: notional, quote. fee: in `fee_currency`, exact.

    mid: decision mid, quote. cross: the rates of its quote currency in account currency.
    """

    ladder: Ladder
    qty: Decimal
    cost: Decimal
    fee: Decimal
    fee_currency: str
    fees: FeeSchedule
    mid: Decimal
    age_ms: float
    cross: Cross = Cross()
    maker: bool = False

    @property
    def fx(self) -> Decimal:
        """Account currency per quote currency that this trade gets."""
        return self.cross.paid(self.ladder.instrument.market, self.ladder.side)

    @property
    def value(self) -> Decimal:
        """Notional in account currency, at the rate this trade gets."""
        return self.cost * self.fx

    @property
    def worth(self) -> Decimal:
        """Average price in account currency at the middle of the cross rate; 0 for an empty leg."""
        return self.cost * self.cross.mid / self.qty if self.qty else Decimal(0)

    @property
    def takes(self) -> list[Take]:
        """What the order takes of each level."""
        return self.ladder.walk(self.qty) or []

    @property
    def vwap(self) -> Decimal:
        """Average price, quote; 0 for an empty leg."""
        return self.cost / self.qty if self.qty else Decimal(0)

    @property
    def slippage(self) -> Decimal:
        """What the walk costs against the mid, half spread included; >= 0 in a sane book.

        Account currency, at the middle of the cross rate; `conversion` is the rest.
        """
        lost = self.cost - self.qty * self.mid
        return (lost if self.ladder.side == "buy" else -lost) * self.cross.mid

    @property
    def conversion(self) -> Decimal:
        """What changing the money costs against the middle of the cross rate, account currency."""
        lost = self.cost * (self.fx - self.cross.mid)
        return lost if self.ladder.side == "buy" else -lost

    @property
    def fee_value(self) -> Decimal:
        """The fee in account currency: a fee in coins at this leg's average price."""
        in_quote = self.fee_currency == self.ladder.instrument.quote
        rate = self.fees.rate(self.ladder.instrument, self.maker)
        fee = self.fee if in_quote else self.cost * rate
        return fee * self.fx

    def resting(self, touch: Decimal) -> "LegQuote":
        """The same leg filled as a maker at its own side's best price, if it is filled at all."""
        rule, cost = self.ladder.instrument, self.qty * touch
        in_coins = self.fee_currency != rule.quote
        fee = (self.qty if in_coins else cost) * self.fees.rate(rule, maker=True)
        return msgspec.structs.replace(self, cost=cost, fee=fee, maker=True)

    def fills(
        self, role: str, now_ns: int, dust: Decimal = Decimal(0), note: str = ""
    ) -> list[Fill]:
        """The fills of this leg, the order's dust on one of them. note: see `with_note`."""
        when = (now_ns, self.age_ms)
        made = make_fills(self.takes, self.ladder, role, self.fees, when, self.fx)
        return with_note(with_dust(made, dust), note)


class OpenQuote(msgspec.Struct, frozen=True):
    """An entry, priced. margin, collateral and cash in account currency.

    cash: everything the account must have free: a bought spot leg, fees in quote, margin and
    collateral. Proceeds of a borrowed sale are locked and do not count.
    """

    sizes: OpenSizes
    long: LegQuote
    short: LegQuote
    direction: int
    margin: Decimal
    collateral: Decimal
    cash: Decimal

    @property
    def reference(self) -> LegQuote:
        """The leg the basis is measured on: spot, or the long one of two perpetuals."""
        return self.long if self.direction > 0 else self.short

    @property
    def basis_bp(self) -> float:
        """Basis at the average prices in account currency, bp."""
        return _basis_bp(self.long, self.short, self.direction)


class CloseQuote(msgspec.Struct, frozen=True):
    """An exit, priced. A leg that holds nothing has qty 0."""

    sizes: CloseSizes
    long: LegQuote
    short: LegQuote


class Pricer:
    """Prices entries of one pair against one moment's books; build it anew for each decision."""

    def __init__(
        self, request: OpenPair, market: Market, settings: Settings, memory: Memory, now_ns: int
    ) -> None:
        self.request = request
        self._settings = settings
        self._legs = market.leg(request.long), market.leg(request.short)
        self.rules = rules_of(market, request.long), rules_of(market, request.short)
        self._fees = tuple(schedule(settings, rule.venue) for rule in self.rules)
        account = settings.account.currency
        self._crosses = tuple(cross_of(market, rule.quote, account, now_ns) for rule in self.rules)
        self._ages = tuple(leg.age_ms(now_ns) for leg in self._legs)
        self._mids = tuple(
            mid(leg, rule) or Decimal(0) for leg, rule in zip(self._legs, self.rules, strict=True)
        )
        self._ladders = tuple(
            Ladder(leg, side, rule, memory)
            for leg, side, rule in zip(self._legs, ("buy", "sell"), self.rules, strict=True)
        )

    def price(self, qty: Decimal) -> OpenQuote | No:
        """An entry of `qty` on the long leg, or why the displayed books cannot give it."""
        sizes = open_sizes(self.rules[0], self.rules[1], qty, self._fees[0])
        quotes = []
        for index, wanted in enumerate((sizes.long, sizes.short)):
            ladder, fees = self._ladders[index], self._fees[index]
            seen, cross = (self._mids[index], self._ages[index]), self._crosses[index]
            if isinstance(cross, No):
                return cross
            quote = leg_quote(ladder, wanted, fees, seen, cross)
            if quote is None:
                return _too_deep(ladder, wanted)
            quotes.append(quote)
        return self._sum(sizes, quotes[0], quotes[1])

    def depth(self) -> Decimal:
        """Displayed base coin of the long leg's side, less what was eaten."""
        return self._ladders[0].depth

    def affordable(self, free: Decimal) -> Decimal:
        """The largest quantity, in lots of the long leg, that books, limits and cash allow; or 0.

        It is found with the very pricing and comparison that later decide, so an order of this
        size is not refused for funds.
        """
        lot = self.rules[0].lot
        low, high = 0, int((self.ceiling() / lot).quantize(Decimal(1), ROUND_FLOOR))
        while low < high:
            middle = (low + high + 1) // 2
            if self.fits(middle * lot, free):
                low = middle
            else:
                high = middle - 1
        return low * lot

    def ceiling(self) -> Decimal:
        """What the long leg's displayed depth and maximum size allow, base."""
        rule = self.rules[0]
        return min(self.depth(), rule.max_qty) if rule.max_qty > 0 else self.depth()

    def fits(self, qty: Decimal, free: Decimal) -> bool:
        """Whether depth, maximum sizes, leverage tier and cash allow this quantity."""
        quote = self.price(qty)
        return not isinstance(quote, No) and not (
            self.too_large(quote) or self.over_leveraged(quote) or quote.cash > free
        )

    def too_small(self, quote: OpenQuote) -> No | None:
        """A leg below the venue's smallest size or notional."""
        for leg in (quote.long, quote.short):
            rule = leg.ladder.instrument
            least = smallest(rule, leg.vwap or leg.mid)
            if leg.qty < least or (rule.min_notional and leg.cost < rule.min_notional):
                limit = "min_qty" if leg.qty < rule.min_qty or not leg.qty else "min_notional"
                return No(
                    limit,
                    words.figure(leg.qty),
                    words.figure(least),
                    f"{words.name(rule.key)} would trade {words.plain(leg.qty)} {rule.base}, "
                    f"{words.money(leg.cost, rule.quote)}; the venue's smallest order is "
                    f"{words.plain(least)} {rule.base}. Raise the size.",
                )
        return None

    def too_large(self, quote: OpenQuote) -> No | None:
        """A leg above the venue's largest order."""
        for leg in (quote.long, quote.short):
            rule = leg.ladder.instrument
            if rule.max_qty > 0 and leg.qty > rule.max_qty:
                return No(
                    "max_qty",
                    words.figure(leg.qty),
                    words.figure(rule.max_qty),
                    f"{words.name(rule.key)} takes at most {words.plain(rule.max_qty)} "
                    f"{rule.base} in one order, {words.plain(leg.qty)} asked. Lower the size.",
                )
        return None

    def over_leveraged(self, quote: OpenQuote) -> No | None:
        """Leverage beyond the house, the settings, the venue or the tier of this notional."""
        limit = Decimal(repr(self._settings.risk.leverage_max))
        for leg in (quote.long, quote.short):
            rule = leg.ladder.instrument
            size = tier_size(rule, leg.qty, leg.cost)
            most = leverage_max(rule, size, limit) if rule.market == "perp" else limit
            if not 1 <= self.request.leverage <= most:
                return No(
                    "leverage",
                    words.figure(self.request.leverage),
                    words.figure(most),
                    f"Leverage {words.plain(self.request.leverage)} is outside 1 to "
                    f"{words.plain(most)} for {words.name(rule.key)}. Choose a value within.",
                )
        return None

    def _sum(self, sizes: OpenSizes, long: LegQuote, short: LegQuote) -> OpenQuote:
        margin = collateral = cash = Decimal(0)
        with decimal.localcontext(MONEY):
            for leg in (long, short):
                rule = leg.ladder.instrument
                secured = margin_for(leg.value, self.request.leverage)
                if rule.market == "perp":
                    margin += secured
                elif leg is short:
                    collateral += secured
                else:
                    cash += leg.value
                if leg.fee_currency == rule.quote:
                    cash += leg.fee * leg.fx
            cash += margin + collateral
        direction = -1 if short.ladder.instrument.market == "spot" else 1
        return OpenQuote(sizes, long, short, direction, margin, collateral, cash)


def leg_quote(
    ladder: Ladder,
    qty: Decimal,
    fees: FeeSchedule,
    seen: tuple[Decimal, float],
    cross: Cross,
) -> LegQuote | None:
    """One leg priced; None beyond the displayed depth. seen: (decision mid, quote age in ms).

    The fee of a leg is the sum of the fees of its fills, exactly: nothing is rounded.
    """
    cost = ladder.cost(qty)
    if cost is None:
        return None
    rule = ladder.instrument
    with decimal.localcontext(MONEY):
        base = qty if fees.in_base(rule, ladder.side) else cost
        fee = base * fees.rate(rule)
    currency = rule.base if fees.in_base(rule, ladder.side) else rule.quote
    return LegQuote(ladder, qty, cost, fee, currency, fees, *seen, cross)


def quote_close(
    position: PairPosition,
    fraction: Decimal,
    market: Market,
    settings: Settings,
    memory: Memory,
    now_ns: int,
) -> CloseQuote | No:
    """Closing a fraction of what is left of a pair, or why that cannot be done now."""
    rules = rules_of(market, position.long.instrument), rules_of(market, position.short.instrument)
    sizes = close_sizes(position, fraction, rules, schedule(settings, rules[1].venue))
    no = too_little(position, fraction, sizes, rules)
    return no or quote_sizes(position, sizes, market, settings, memory, now_ns)


def quote_sizes(
    position: PairPosition,
    sizes: CloseSizes,
    market: Market,
    settings: Settings,
    memory: Memory,
    now_ns: int,
) -> CloseQuote | No:
    """An exit of these sizes walked through the books, or why that cannot be done now."""
    legs = market.leg(position.long.instrument), market.leg(position.short.instrument)
    rules = rules_of(market, legs[0].key), rules_of(market, legs[1].key)
    fees = tuple(schedule(settings, rule.venue) for rule in rules)
    quotes = []
    for index, (side, wanted) in enumerate((("sell", sizes.long), ("buy", sizes.short))):
        ladder = Ladder(legs[index], side, rules[index], memory)
        held = position.legs[index]
        seen = (decision_mid(position, held, market), legs[index].age_ms(now_ns))
        cross = _cross_of_leg(held, market, settings, now_ns)
        if isinstance(cross, No):
            return cross
        quote = leg_quote(ladder, wanted, fees[index], seen, cross)
        if quote is None:
            return _too_deep(ladder, wanted)
        quotes.append(quote)
    return CloseQuote(sizes, quotes[0], quotes[1])


def rules_of(market: Market, key: str) -> Instrument:
    """The instrument of a leg. Raises KeyError where no frame described it."""
    leg: Leg | None = market.legs.get(key)
    rule = leg.instrument if leg is not None else None
    return rule if rule is not None else market.instruments[key]


def undescribed(position: PairPosition, market: Market) -> No | None:
    """A leg whose venue has not described it yet, as right after a restart; None when all are."""
    for leg in position.legs:
        try:
            rules_of(market, leg.instrument)
        except KeyError:
            who = words.name(leg.instrument)
            text = f"{who} is not described yet. Waiting for the venue's instrument list."
            return No("instrument", leg.instrument, "a described instrument", text)
    return None


def decision_mid(position: PairPosition, leg: LegPosition, market: Market) -> Decimal:
    """The mid of a leg; where its feed is down its mark, a perpetual's index, or its entry.

    A price of the other leg is brought into this one's currency by the rates last booked.
    """
    seen = market.leg(leg.instrument)
    known = mid(seen, rules_of(market, leg.instrument))
    if known is not None:
        return known
    prices = [(seen.mark, leg.fx)]
    for perp in position.perps:
        other = market.leg(perp.instrument)
        prices += [(other.index, perp.fx), (other.mark, perp.fx)]
    found = next(((price, fx) for price, fx in prices if math.isfinite(price) and price > 0), None)
    if found is None:
        return leg.entry_price.quantize(EXACT)  # a quotient: short enough for exact sums
    price, fx = exact(found[0]), found[1]
    return price if fx == leg.fx else (price * fx / leg.fx).quantize(EXACT)


def _cross_of_leg(leg: LegPosition, market: Market, settings: Settings, now_ns: int) -> Cross | No:
    """The rates for closing a leg. One that holds nothing trades nothing: any rate will do."""
    account = settings.account.currency
    if leg.qty:
        return cross_of(market, leg.quote, account, now_ns)
    last = mid_rate(market, leg.quote, account, now_ns, leg.fx)
    return Cross(last, last, last)


def basis_at(long: LegQuote, short: LegQuote, direction: int) -> float:
    """Basis at the average prices of two walked legs in account currency, bp of the reference."""
    return _basis_bp(long, short, direction)


def _basis_bp(long: LegQuote, short: LegQuote, direction: int) -> float:
    reference, other = (long, short) if direction > 0 else (short, long)
    return float((other.worth - reference.worth) / reference.worth * 10_000)


def _too_deep(ladder: Ladder, wanted: Decimal) -> No:
    rule = ladder.instrument
    shown, asked = words.plain(ladder.depth), words.plain(wanted)
    what = "on offer" if ladder.side == "buy" else "bid for"
    return No(
        "depth",
        words.figure(wanted),
        words.figure(ladder.depth),
        f"{words.name(rule.key)} shows {shown} {rule.base} {what}, the order needs {asked}. "
        "Lower the size or wait for depth.",
    )


def too_little(
    position: PairPosition,
    fraction: Decimal,
    sizes: CloseSizes,
    rules: tuple[Instrument, Instrument],
    leg: str = "both",
) -> No | None:
    """A partial close that lots or minimum sizes cannot express. Closing all is always allowed."""
    if fraction >= 1:
        return None
    parts = (position.long, sizes.long_part), (position.short, sizes.short_part)
    for (each, part), rule in zip(parts, rules, strict=True):
        held = abs(each.qty)
        if leg in ("both", each.role) and held and not max(rule.min_qty, rule.lot) <= part < held:
            return No(
                "fraction",
                words.figure(fraction),
                "1",
                f"Closing {words.plain(fraction * 100)} % would trade {words.plain(part)} of "
                f"{words.plain(held)} {rule.base} on {words.name(rule.key)}, where the smallest "
                f"order is {words.plain(max(rule.min_qty, rule.lot))}. Close another share or all.",
            )
    return None
