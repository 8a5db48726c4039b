"""When a pair is left: the exit plan's rules, and the forced closes of a perpetual.

Stop and target are read on the executable close basis at the pair's size, the net target on what
closing now would net; never on mids, and only on fresh quotes that agree. Funding that changes its
sign is no exit by itself, see funding_case.py.
"""

import decimal
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from basisdesk.config import Settings, exact
from basisdesk.events import MONEY, Fill, Funds, Liquidated
from basisdesk.market.state import Market
from basisdesk.trading.cross import cross_of, mid_rate
from basisdesk.trading.fees import schedule
from basisdesk.trading.funding_case import FundingCase, funding_case, turned_against
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.holding import CloseOut, close_bp, close_out
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.margin import Liquidation, liquidation
from basisdesk.trading.positions import HOUR_NS, PairPosition
from basisdesk.trading.quoting import decision_mid, rules_of, undescribed
from basisdesk.trading.risk import No, agree, check_fresh, check_ratio
from basisdesk.trading.sector import sector_word

__all__ = [
    "FundingCase",
    "adl",
    "close_bp",
    "disagree",
    "forced",
    "funding_case",
    "gauge",
    "wanted",
]

NO_FUNDS = Funds(Decimal(0), Decimal(0))


def disagree(position: PairPosition, market: Market, settings: Settings, now_ns: int) -> bool:
    """Whether the legs' prices cannot be of one coin now (trap 37): one of the feeds is wrong.

    No plan and no liquidation acts on such prices; a person still may close.
    """
    account = settings.account.currency
    held, other = position.long, position.short
    long, short = market.leg(held.instrument), market.leg(other.instrument)
    if held.quote == other.quote == account:  # asked several times a beat, and mostly so
        return not agree(short.mid / long.mid)
    rates = []
    for leg in position.legs:
        cross = cross_of(market, leg.quote, account, now_ns)
        if isinstance(cross, No):
            return False  # without a rate nothing is compared, and nothing triggers either
        rates.append(cross.mid)
    return check_ratio(long, short, (rates[0], rates[1])) is not None


def wanted(
    position: PairPosition,
    market: Market,
    settings: Settings,
    now_ns: int,
    funds: Funds = NO_FUNDS,
    holds: Holds | None = None,
) -> str:
    """Why the plan says leave: "stop", "target", "net", "time", "funding", "sector"; "" to stay.

    It stays while quotes are stale or the legs' prices disagree, and while nothing is filled or a
    leg is missing: an exit or a remedy is at work then. What is left of a naked pair goes by its
    net target and its time stop; the other rules need both legs. funds.nets: the pair's net at
    mids, for a net target; a pair it does not name has none. holds: the caller's memory of how
    long pairs are held.
    """
    if position.state not in ("open", "naked"):
        return ""
    held = [market.leg(leg.instrument) for leg in position.legs if leg.qty]
    if not held or check_fresh(held[0], held[-1], settings.risk, now_ns) is not None:
        return ""
    if len(held) == 2 and disagree(position, market, settings, now_ns):
        return ""
    at, whole = (market, settings, now_ns), position.state == "open"
    if whole and (reason := _by_basis(position, *at)):
        return reason
    if _nets_enough(position, *at, funds):
        return "net"
    if _held_long(position, now_ns):
        return "time"
    if whole and turned_against(position, *at, holds):
        return "funding"
    if whole and position.plan.sector and _sector_against(position, market):
        return "sector"
    return ""


def _held_long(position: PairPosition, now_ns: int) -> bool:
    hours = position.plan.max_hold_h
    return hours is not None and now_ns - position.opened_ns >= int(hours * HOUR_NS)


def _by_basis(position: PairPosition, market: Market, settings: Settings, now_ns: int) -> str:
    plan, d = position.plan, position.direction
    basis = close_bp(position, market, settings.account.currency, now_ns)
    if not math.isfinite(basis):
        return ""
    if plan.stop_bp is not None and d * (basis - float(plan.stop_bp)) >= 0:
        return "stop"
    if plan.target_bp is not None and d * (basis - float(plan.target_bp)) <= 0:
        return "target"
    return ""


def _nets_enough(
    position: PairPosition, market: Market, settings: Settings, now_ns: int, funds: Funds
) -> bool:
    wish, at_mids = position.plan.net_target, funds.nets.get(position.pair)
    if wish is None or at_mids is None or at_mids < wish:  # leaving only ever takes off
        return False
    leave = close_out(position, market, settings, now_ns)
    return isinstance(leave, CloseOut) and leave.net(at_mids) >= wish


def _sector_against(position: PairPosition, market: Market) -> bool:
    if undescribed(position, market) is not None:
        return False
    coin = rules_of(market, position.reference.instrument).base
    return sector_word(market, coin, position.direction) == "against"


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

    It fills at the bankruptcy price, one tick towards the worse, and pays the taker fee: the margin
    is gone. A mark that has jumped beyond bankruptcy before anyone could close is where it fills
    instead (quant.md 2.9: the worse of the two): the account still loses that leg's margin and no
    more, and the ledger shows the rest as the venue's loss, its insurance fund's. Nothing is added
    for slippage: no book is walked, and what it would cost beyond bankruptcy is the venue's too.
    Each leg lives on its own margin, so what is left of two perpetuals can die as well.
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


def adl(
    position: PairPosition, market: Market, settings: Settings, now_ns: int
) -> Liquidated | None:
    """A drill: the venue closes a winning perpetual at its mark to balance another's bankruptcy.

    Of two perpetuals the one that has won more. No fee, and the margin returns with the profit;
    the other leg is left naked. None where the pair holds no perpetual, or its mark is not known.
    """
    if undescribed(position, market) is not None:
        return None
    winners = [
        (leg.qty * (exact(mark) - leg.held_price), leg)
        for leg in position.perps
        if leg.qty and math.isfinite(mark := market.leg(leg.instrument).mark)
    ]
    if not winners:
        return None
    leg = max(winners, key=lambda each: each[0])[1]
    price = rules_of(market, leg.instrument).price(market.leg(leg.instrument).mark)
    at = gauge(position, leg, market, settings, now_ns)
    reason = "drill: auto-deleveraged at the mark, a price that nobody displayed"
    terms = (price, Decimal(0), leg.quote, reason)
    return _forced_close(position, leg, at, terms, (market, settings, now_ns), "adl")


def _liquidated(
    position: PairPosition,
    leg: LegPosition,
    at: Liquidation,
    market: Market,
    settings: Settings,
    now_ns: int,
) -> Liquidated:
    rule, mark = rules_of(market, leg.instrument), exact(market.leg(leg.instrument).mark)
    falls = leg.qty > 0
    beyond = mark < at.bankruptcy if falls else mark > at.bankruptcy
    worst = mark if beyond else at.bankruptcy
    ticks = (worst / rule.tick).quantize(Decimal(1), ROUND_FLOOR if falls else ROUND_CEILING)
    price = max(ticks * rule.tick, rule.tick)
    with decimal.localcontext(MONEY):
        fee, currency = schedule(settings, rule.venue).fee(
            rule, "sell" if falls else "buy", abs(leg.qty), price
        )
    reason = (
        "mark beyond bankruptcy at a forced close, displayed by nobody"
        if beyond
        else "bankruptcy price of a forced close, displayed by nobody"
    )
    terms = (price, fee, currency, reason)
    return _forced_close(position, leg, at, terms, (market, settings, now_ns), "liquidation")


def _forced_close(
    position: PairPosition,
    leg: LegPosition,
    at: Liquidation,
    terms: tuple[Decimal, Decimal, str, str],
    when: tuple[Market, Settings, int],
    cause: str,
) -> Liquidated:
    """The outcome of a forced close. terms: (price, fee, its currency, why grade D)."""
    price, fee, currency, reason = terms
    market, settings, now_ns = when
    account = settings.account.currency
    rates = [mid_rate(market, each.quote, account, now_ns, each.fx) for each in position.legs]
    fill = Fill(
        ts_ns=now_ns,
        leg=leg.role,
        instrument=leg.instrument,
        side="sell" if leg.qty > 0 else "buy",
        qty=abs(leg.qty),
        price=price,
        fee=fee,
        fee_currency=currency,
        grade="D",
        grade_reason=reason,
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
        cause=cause,
    )
