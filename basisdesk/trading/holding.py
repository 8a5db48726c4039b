"""What holding an open pair costs, what closing it now would net, and how well it is hedged.

Looks only: nothing here decides. How long the hold may still take is in hold_time.py.
"""

import math
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.market.state import Market
from basisdesk.trading.accrual import funding_rule
from basisdesk.trading.cross import cross_of, mid_rate
from basisdesk.trading.fees import schedule
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.margin import CENT
from basisdesk.trading.paper import Ladder, Memory, basis_bp
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.quoting import (
    LegQuote,
    basis_at,
    decision_mid,
    leg_quote,
    quote_close,
    rules_of,
    undescribed,
)
from basisdesk.trading.risk import No
from basisdesk.trading.volatility import minute_sigma
from basisdesk.venues.instrument import split_key

ZERO = Decimal(0)
YEAR_H = 8_760
DAY_H = 24.0  # a return is annualised from here on (quant.md 2.4 c)


class CloseOut(msgspec.Struct, frozen=True):
    """What closing all of a pair now takes off its net at mids. Account currency, costs positive.

    fees: all that the venues keep, a fee in coins at the mid. slippage: half spreads and depth.
    conversion: changing money for spot legs, against the middle of the cross rate.
    bp: the executable basis of that close; NaN for a pair that holds one leg only.
    """

    fees: Decimal
    slippage: Decimal
    conversion: Decimal
    bp: float

    @property
    def cost(self) -> Decimal:
        """The three together."""
        return self.fees + self.slippage + self.conversion

    def net(self, at_mids: Decimal) -> Decimal:
        """What the pair will have earned once it is closed now. at_mids: its net at mids."""
        return at_mids - self.cost


class HoldingCost(msgspec.Struct, frozen=True):
    """What one more hour costs. Account currency an hour, rounded to 1e-8.

    borrow: interest on the coins owed. funding: expected from the predicted rates, > 0 to us; None
    where a rate is not known. carry: what the capital tied up would earn at the money rate of the
    settings. capital: spot held, margin and collateral, account currency.
    """

    borrow: Decimal
    funding: Decimal | None
    carry: Decimal
    capital: Decimal

    @property
    def adverse(self) -> Decimal:
        """The funding expected against us, >= 0."""
        return max(ZERO, -(self.funding or ZERO))

    @property
    def total(self) -> Decimal:
        """Interest, adverse funding and carry; funding in our favour is not set off."""
        return self.borrow + self.adverse + self.carry


class Drift(msgspec.Struct, frozen=True):
    """What the legs of a pair do not cancel, and what mending it takes.

    delta: base coin, > 0 long. bp: of the reference leg's size. notional: account currency.
    risk: loss of a two-deviation move of one minute, account currency; None with too few minutes.
    alarm: bp beyond the limit of the settings. side, qty: the perpetual order that mends it, to the
    nearest lot; qty 0 where it is below one. cost: fee and slippage of that; None beyond depth.
    """

    delta: Decimal
    bp: float
    notional: Decimal
    risk: Decimal | None
    alarm: bool
    side: str
    qty: Decimal
    cost: Decimal | None


class CapitalReturn(msgspec.Struct, frozen=True):
    """What a net is of the money behind it, percent.

    tied_pct: of the capital that the pair ties up. equity_pct: of the whole account, idle cash
    included. year_pct: equity_pct for a year, simple; None before DAY_H hours.
    """

    tied_pct: float
    equity_pct: float
    hours: float
    year_pct: float | None


def close_bp(position: PairPosition, market: Market, currency: str, now_ns: int) -> float:
    """The executable basis of closing this pair now at its whole size, bp; NaN when it cannot.

    Two currencies meet at the middle of their cross rate, as on the chart.
    """
    reference, other = position.reference, position.other
    sides = ("sell", "buy") if position.direction > 0 else ("buy", "sell")
    rates = []
    for leg in (reference, other):
        cross = cross_of(market, leg.quote, currency, now_ns)
        if isinstance(cross, No):
            return math.nan
        rates.append(float(cross.mid))
    return basis_bp(
        market.leg(reference.instrument),
        market.leg(other.instrument),
        sides,
        (abs(float(reference.qty)), abs(float(other.qty))),
        (rates[0], rates[1]),
    )


def close_out(
    position: PairPosition, market: Market, settings: Settings, now_ns: int
) -> CloseOut | No:
    """The cost of closing all of a pair at the displayed books, or why that cannot be said.

    Nothing is taken off the books for what our own orders ate of them.
    """
    if no := undescribed(position, market):
        return no
    quote = quote_close(position, Decimal(1), market, settings, Memory(enabled=False), now_ns)
    if isinstance(quote, No):
        return quote
    slippage = conversion = cost = ZERO
    for leg, held in ((quote.long, position.long), (quote.short, position.short)):
        slippage += leg.slippage
        conversion += leg.conversion
        cost += _given_up(leg, held)
    both = quote.long.qty and quote.short.qty
    bp = basis_at(quote.long, quote.short, position.direction) if both else math.nan
    return CloseOut(cost - slippage - conversion, slippage, conversion, bp)


def _given_up(leg: LegQuote, held: LegPosition) -> Decimal:
    """What a leg is worth at its mid, less what its close brings: exact, all costs in it."""
    worth = abs(held.qty) * leg.mid * leg.cross.mid
    fee = leg.fee * leg.fx if leg.fee_currency == leg.ladder.instrument.quote else ZERO
    if leg.ladder.side == "sell":
        return worth - (leg.value - fee)
    return leg.value + fee - worth


def expected_funding(position: PairPosition, market: Market, currency: str, now_ns: int) -> Decimal:
    """Funding of one hour by the predicted rates, > 0 to us, account currency.

    NaN where a rate, its interval or a price is not known.
    """
    hour = ZERO
    for perp in position.perps:
        if not perp.qty:
            continue
        seen = market.leg(perp.instrument)
        price = funding_price(market, perp.instrument)
        rate, interval_h = seen.funding.rate, seen.funding.interval_h
        if not (math.isfinite(rate) and math.isfinite(price) and interval_h > 0):
            return Decimal("NaN")
        fx = mid_rate(market, perp.quote, currency, now_ns, perp.fx)
        hour -= perp.qty * exact(price) * exact(rate) / exact(interval_h) * fx
    return hour


def funding_price(market: Market, key: str) -> float:
    """The price that a settlement of this perpetual would be paid on now; NaN when unknown."""
    seen = market.leg(key)
    on_index = funding_rule(market, key).on == "index" and math.isfinite(seen.index)
    return seen.index if on_index else seen.funding.mark


def holding_cost(
    position: PairPosition, market: Market, settings: Settings, now_ns: int
) -> HoldingCost | No:
    """What the next hour of an open pair costs, each part by its name."""
    if no := undescribed(position, market):
        return no
    currency = settings.account.currency
    borrow, capital = ZERO, position.margin + position.collateral
    for leg in position.legs:
        if leg.market != "spot" or not leg.qty:
            continue
        fx = mid_rate(market, leg.quote, currency, now_ns, leg.fx)
        worth = abs(leg.qty) * decision_mid(position, leg, market) * fx
        if leg.qty > 0:
            capital += worth
        else:
            borrow += settings.borrow_rate(split_key(leg.instrument)[0]) * worth
    hour = expected_funding(position, market, currency, now_ns)
    return HoldingCost(
        borrow=_cents(borrow),
        funding=None if hour.is_nan() else _cents(hour),
        carry=_cents(capital * exact(settings.risk.money_rate_year) / YEAR_H),
        capital=_cents(capital),
    )


def drift(position: PairPosition, market: Market, settings: Settings, now_ns: int) -> Drift | No:
    """How far the legs of a pair are from cancelling each other (quant.md 2.10).

    The order that mends it trades the perpetual against the reference leg: the spot leg, where
    there is one, stays as it is.
    """
    if no := undescribed(position, market):
        return no
    reference, perp, delta = position.reference, position.other, position.delta
    fx = mid_rate(market, reference.quote, settings.account.currency, now_ns, reference.fx)
    notional = _cents(abs(delta) * decision_mid(position, reference, market) * fx)
    size = max(abs(reference.qty), abs(perp.qty))
    bp = float(1e4 * float(abs(delta) / size)) if size else math.nan
    sigma = minute_sigma(market, reference.instrument)
    rule = rules_of(market, perp.instrument)
    qty, side = rule.round_nearest(abs(delta)), "sell" if delta > 0 else "buy"
    return Drift(
        delta=delta,
        bp=bp,
        notional=notional,
        risk=None if sigma is None else _cents(notional * Decimal(2 * sigma)),
        alarm=bp > settings.risk.hedge_alarm_bp,
        side=side,
        qty=qty,
        cost=_order_cost(perp, position, side, qty, (market, settings, now_ns)),
    )


def _order_cost(
    perp: LegPosition,
    position: PairPosition,
    side: str,
    qty: Decimal,
    at: tuple[Market, Settings, int],
) -> Decimal | None:
    """Fee and slippage of a market order in a perpetual; None where the book is too thin."""
    market, settings, now_ns = at
    rule, leg = rules_of(market, perp.instrument), market.leg(perp.instrument)
    cross = cross_of(market, rule.quote, settings.account.currency, now_ns)
    if isinstance(cross, No):
        return None
    ladder = Ladder(leg, side, rule, Memory(enabled=False))
    seen = decision_mid(position, perp, market), leg.age_ms(now_ns)
    quote = leg_quote(ladder, qty, schedule(settings, rule.venue), seen, cross)
    return None if quote is None else quote.fee_value + quote.slippage + quote.conversion


def capital_return(net: Decimal, tied: Decimal, equity: Decimal, hours: float) -> CapitalReturn:
    """The return of a pair on what it ties up and on the whole account, idle cash included.

    net, tied, equity: account currency. A year has YEAR_H hours; nothing is compounded.
    """
    of_equity = _percent(net, equity)
    year = of_equity * YEAR_H / hours if hours >= DAY_H else None
    return CapitalReturn(_percent(net, tied), of_equity, hours, year)


def _percent(part: Decimal, whole: Decimal) -> float:
    return float(100 * part / whole) if whole > 0 else math.nan


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)
