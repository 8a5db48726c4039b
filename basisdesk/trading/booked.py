"""Priced orders as the outcomes that are journaled: all fills of both legs in one."""

from decimal import Decimal

from basisdesk.events import OpenPair, PairOpened, PairReduced
from basisdesk.trading.margin import share_of
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.quoting import CloseQuote, OpenQuote


def opened(pair: int, request: OpenPair, quote: OpenQuote, now_ns: int) -> PairOpened:
    """The entry, both legs filled."""
    long = quote.long.fills("long", now_ns, quote.sizes.dust)
    return PairOpened(
        ts_ns=now_ns,
        pair=pair,
        long=request.long,
        short=request.short,
        qty=request.qty,
        leverage=request.leverage,
        plan=request.exit,
        reason="user",
        fills=(*long, *quote.short.fills("short", now_ns)),
        long_mid=quote.long.mid,
        short_mid=quote.short.mid,
        margin=quote.margin,
        collateral=quote.collateral,
        long_fx=quote.long.cross.mid,
        short_fx=quote.short.cross.mid,
    )


def reduced(
    order: PairOrder, position: PairPosition, quote: CloseQuote, now_ns: int
) -> PairReduced:
    """The exit: both legs reduced, or what is left of a naked pair.

    Margin (of each perpetual by itself) and collateral are released in proportion, rounded down;
    the last close releases all.
    """
    sizes = quote.sizes
    parts = {"long": sizes.long_part, "short": sizes.short_part}
    closed = all(parts[leg.role] == abs(leg.qty) for leg in position.legs)
    margin, collateral = position.margin, position.collateral
    if not closed:
        owed = position.borrowed
        shares = (_share(leg.margin, parts[leg.role], abs(leg.qty)) for leg in position.perps)
        margin = sum(shares, Decimal(0))
        if owed is not None:
            collateral = _share(collateral, parts[owed.role], abs(owed.qty))
    return PairReduced(
        ts_ns=now_ns,
        pair=order.pair,
        fraction=order.fraction,
        reason=order.reason,
        fills=(
            *quote.long.fills("long", now_ns),
            *quote.short.fills("short", now_ns, sizes.dust),
        ),
        long_mid=quote.long.mid,
        short_mid=quote.short.mid,
        margin=margin,
        collateral=collateral,
        closed=closed,
        long_fx=quote.long.cross.mid,
        short_fx=quote.short.cross.mid,
    )


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return share_of(amount, part, whole) if whole else Decimal(0)
