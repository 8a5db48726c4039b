"""When a pair is left: the plan's target, stop and time, and the forced close of a perpetual.

The plan is read on the executable close basis at the pair's size, never on mids, and only on fresh
quotes. Funding that changes its sign is no exit.
"""

import decimal
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from basisdesk.config import Settings, exact
from basisdesk.events import MONEY, Fill, Liquidated
from basisdesk.market.state import Market
from basisdesk.trading.cross import cross_of, mid_rate
from basisdesk.trading.fees import schedule
from basisdesk.trading.margin import Liquidation, liquidation
from basisdesk.trading.paper import basis_bp
from basisdesk.trading.positions import HOUR_NS, LegPosition, PairPosition
from basisdesk.trading.quoting import decision_mid, rules_of, undescribed
from basisdesk.trading.risk import No, check_fresh, check_ratio


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


def disagree(position: PairPosition, market: Market, settings: Settings, now_ns: int) -> bool:
    """Whether the legs' prices cannot be of one coin now (trap 37): one of the feeds is wrong.

    No plan and no liquidation acts on such prices; a person still may close.
    """
    rates = []
    for leg in position.legs:
        cross = cross_of(market, leg.quote, settings.account.currency, now_ns)
        if isinstance(cross, No):
            return False  # without a rate nothing is compared, and nothing triggers either
        rates.append(cross.mid)
    long, short = (market.leg(leg.instrument) for leg in position.legs)
    return check_ratio(long, short, (rates[0], rates[1])) is not None


def wanted(position: PairPosition, market: Market, settings: Settings, now_ns: int) -> str:
    """Why the plan says leave: "target", "stop", "time"; "" to stay.

    It stays while quotes are stale or the legs' prices disagree.
    """
    plan = position.plan
    if position.state != "open":
        return ""
    long, short = (market.leg(leg.instrument) for leg in position.legs)
    if check_fresh(long, short, settings.risk, now_ns) is not None:
        return ""
    if disagree(position, market, settings, now_ns):
        return ""
    basis = close_bp(position, market, settings.account.currency, now_ns)
    if math.isfinite(basis):
        d = position.direction
        if plan.stop_bp is not None and d * (basis - float(plan.stop_bp)) >= 0:
            return "stop"
        if plan.target_bp is not None and d * (basis - float(plan.target_bp)) <= 0:
            return "target"
    if plan.max_hold_h is not None:
        limit_ns = int(plan.max_hold_h * HOUR_NS)
        if now_ns - position.opened_ns >= limit_ns:
            return "time"
    return ""


def gauge(
    position: PairPosition, leg: LegPosition, market: Market, settings: Settings, now_ns: int = 0
) -> Liquidation:
    """Where a perpetual leg is liquidated on its own margin, and how far its mark is from there."""
    rule = rules_of(market, leg.instrument)
    taker = schedule(settings, rule.venue).rate(rule)
    fx = mid_rate(market, leg.quote, settings.account.currency, now_ns, leg.fx)
    isolated = position.isolated(leg, taker, fx)
    return liquidation(isolated, rule, market.leg(leg.instrument).mark)


def forced(
    position: PairPosition, market: Market, settings: Settings, now_ns: int
) -> Liquidated | None:
    """The liquidation of a perpetual whose mark has reached its price; None while it has not.

    It fills at the bankruptcy price, one tick towards the worse, and pays the taker fee. Each leg
    lives on its own margin, so what is left of two perpetuals can die as well.
    """
    if not any(leg.qty for leg in position.perps) or undescribed(position, market) is not None:
        return None
    if disagree(position, market, settings, now_ns):
        return None
    for leg in position.perps:
        mark = market.leg(leg.instrument).mark
        if not leg.qty or not math.isfinite(mark):
            continue
        at = gauge(position, leg, market, settings, now_ns)
        if at.price is None:
            continue
        reached = mark <= float(at.price) if leg.qty > 0 else mark >= float(at.price)
        if reached:
            return _liquidated(position, leg, at, market, settings, now_ns)
    return None


def _liquidated(
    position: PairPosition,
    leg: LegPosition,
    at: Liquidation,
    market: Market,
    settings: Settings,
    now_ns: int,
) -> Liquidated:
    rule = rules_of(market, leg.instrument)
    rounding = ROUND_FLOOR if leg.qty > 0 else ROUND_CEILING
    ticks = (at.bankruptcy / rule.tick).quantize(Decimal(1), rounding)
    price = max(ticks * rule.tick, rule.tick)
    qty = abs(leg.qty)
    side = "sell" if leg.qty > 0 else "buy"
    account = settings.account.currency
    rates = [mid_rate(market, each.quote, account, now_ns, each.fx) for each in position.legs]
    with decimal.localcontext(MONEY):
        fee, currency = schedule(settings, rule.venue).fee(rule, side, qty, price)
    fill = Fill(
        ts_ns=now_ns,
        leg=leg.role,
        instrument=leg.instrument,
        side=side,
        qty=qty,
        price=price,
        fee=fee,
        fee_currency=currency,
        grade="D",
        grade_reason="bankruptcy price of a forced close, displayed by nobody",
        fx=rates[0] if leg is position.long else rates[1],
    )
    other = position.short if leg is position.long else position.long
    mids = [decision_mid(position, each, market) for each in position.legs]
    return Liquidated(
        ts_ns=now_ns,
        pair=position.pair,
        instrument=leg.instrument,
        mark=exact(market.leg(leg.instrument).mark),
        liq_price=at.price if at.price is not None else price,
        fills=(fill,),
        long_mid=mids[0],
        short_mid=mids[1],
        closed=other.qty == 0,
        long_fx=rates[0],
        short_fx=rates[1],
        margin=leg.margin,
    )
