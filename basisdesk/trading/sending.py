"""Orders and what they are made from: one moment's view, and how an order is put together."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from basisdesk.events import Funds, LegName, OpenPair, Work
from basisdesk.market.state import Market
from basisdesk.trading.arrival import Mids
from basisdesk.trading.cross import mid_rate
from basisdesk.trading.orders import LegOrder, PairOrder
from basisdesk.trading.paper import mid
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.quoting import OpenQuote, decision_mid, rules_of
from basisdesk.trading.risk import No
from basisdesk.trading.sizing import smallest
from basisdesk.venues.instrument import Instrument

ZERO = Decimal(0)

# (request of a slice, its pair) -> the priced slice, or the limit it breaks now
Gate = Callable[[OpenPair, int], OpenQuote | No]


class Look(msgspec.Struct, frozen=True):
    """One moment's view for one step. spends: whether this call may still use cash."""

    market: Market
    funds: Funds
    now_ns: int
    gate: Gate
    spends: bool


def entry_order(
    request: OpenPair, legs: tuple[LegOrder, ...], now_ns: int, cash: Decimal, pair: int = 0
) -> PairOrder:
    """An entry or a slice of one, sent now."""
    return PairOrder(
        kind="open",
        pair=pair,
        long=request.long,
        short=request.short,
        reason="user",
        asked_ns=now_ns,
        give_up_ns=max(leg.due_ns for leg in legs),
        legs=legs,
        request=request,
        cash=cash,
    )


def slice_request(position: PairPosition, work: Work, qty: Decimal) -> OpenPair:
    """A part of a working entry as an entry of its own: the same limits hold for it."""
    request = work.request
    assert request is not None  # an entry has one
    how = msgspec.structs.replace(work.how, style="market", slices=1, limit_bp=None)
    return msgspec.structs.replace(request, qty=qty, exit=position.plan, how=how)


def closing_order(
    position: PairPosition,
    reason: str,
    legs: tuple[LegOrder, ...],
    now_ns: int,
    *,
    give_up_ns: int = 0,
    alone: bool = False,
) -> PairOrder:
    """An exit, or a part of one, sent now."""
    return PairOrder(
        kind="close",
        pair=position.pair,
        long=position.long.instrument,
        short=position.short.instrument,
        reason=reason,
        asked_ns=now_ns,
        give_up_ns=give_up_ns,
        legs=legs,
        alone=alone,
    )


def position_mids(position: PairPosition, market: Market, account: str, now_ns: int) -> Mids:
    """Decision mids of a pair that is held, and the rates of its legs."""
    mids = [decision_mid(position, leg, market) for leg in position.legs]
    rates = [mid_rate(market, leg.quote, account, now_ns, leg.fx) for leg in position.legs]
    return Mids(mids[0], mids[1], rates[0], rates[1])


def pay_up_limit(market: Market, key: str, side: str, ticks: int) -> Decimal | None:
    """The worst price of an order that may pay so many ticks beyond the best; None without one."""
    leg, rule = market.leg(key), rules_of(market, key)
    best = leg.ask if side == "buy" else leg.bid
    if not best > 0:
        return None
    beyond = ticks * rule.tick
    price = rule.price(best)
    return price + beyond if side == "buy" else max(price - beyond, rule.tick)


def pair_rules(position: PairPosition, market: Market) -> tuple[Instrument, Instrument]:
    """The instruments of the long and the short leg. Raises KeyError where one is undescribed."""
    return rules_of(market, position.long.instrument), rules_of(market, position.short.instrument)


def least_order(market: Market, key: str) -> Decimal:
    """The smallest order a venue takes of an instrument at its mid, base coin."""
    rule = rules_of(market, key)
    return smallest(rule, mid(market.leg(key), rule) or ZERO)


def leg_name(role: str) -> LegName:
    """The leg's name as a type."""
    return "long" if role == "long" else "short"
