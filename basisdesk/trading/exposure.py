"""What the positions are exposed to, in money: all legs together, and what no other leg cancels."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from basisdesk.market.state import Market
from basisdesk.trading.cross import mid_rate
from basisdesk.trading.margin import CENT
from basisdesk.trading.paper import mid
from basisdesk.trading.positions import LegPosition, PairPosition

ZERO = Decimal(0)


class Exposure(msgspec.Struct, frozen=True):
    """Notionals in account currency, at mids. gross: of all legs held. unhedged: see the module."""

    gross: Decimal = ZERO
    unhedged: Decimal = ZERO


def exposure(
    positions: Iterable[PairPosition], market: Market, currency: str, now_ns: int
) -> Exposure:
    """Exposure of the pairs given. A leg without a quote counts at its average entry price.

    The difference of the legs counts only beyond the pair's tolerance: a lot is no exposure.
    """
    gross = unhedged = ZERO
    for position in positions:
        larger = max(position.legs, key=lambda leg: abs(leg.qty))
        for leg in position.legs:
            if not leg.qty:
                continue
            price = worth_of(leg, market, currency, now_ns)
            gross += abs(leg.qty) * price
            if leg is larger and not position.hedged:
                unhedged += abs(position.delta) * price
    return Exposure(_cents(gross), _cents(unhedged))


def worth_of(leg: LegPosition, market: Market, currency: str, now_ns: int) -> Decimal:
    """One coin of a leg in account currency: its mid, or its average entry price without one."""
    seen = market.legs.get(leg.instrument)
    price = None
    if seen is not None and seen.instrument is not None:
        price = mid(seen, seen.instrument)
    fx = mid_rate(market, leg.quote, currency, now_ns, leg.fx)
    return (leg.entry_price if price is None else price) * fx


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN) if amount else ZERO
