"""What legs traded, as the outcomes that are journaled: the fills of one moment in one."""

from collections.abc import Sequence
from decimal import Decimal

from basisdesk.events import (
    Execution,
    Fill,
    LegName,
    OpenPair,
    PairAdded,
    PairOpened,
    PairReduced,
)
from basisdesk.trading.arrival import Met, Mids, secured
from basisdesk.trading.authors import author
from basisdesk.trading.margin import share_of
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition


def opened(
    pair: int, request: OpenPair, mets: Sequence[Met], mids: Mids, about: tuple[Decimal, int]
) -> PairOpened:
    """The first fills of a pair. about: (larger lot of the legs, now_ns)."""
    step, now_ns = about
    margin, collateral, _ = secured(list(mets), request.leverage)
    return PairOpened(
        ts_ns=now_ns,
        pair=pair,
        long=request.long,
        short=request.short,
        qty=request.qty,
        leverage=request.leverage,
        plan=request.exit,
        reason="user",
        fills=_fills(mets, now_ns),
        long_mid=mids.long,
        short_mid=mids.short,
        margin=margin,
        collateral=collateral,
        long_fx=mids.long_fx,
        short_fx=mids.short_fx,
        how=request.how,
        step=step,
        by=author(request),
    )


def added(
    position: PairPosition, reason: str, mets: Sequence[Met], mids: Mids, now_ns: int
) -> PairAdded:
    """More of a pair, of one leg or both."""
    margin, collateral, _ = secured(list(mets), position.leverage)
    return PairAdded(
        ts_ns=now_ns,
        pair=position.pair,
        reason=reason,
        fills=_fills(mets, now_ns),
        long_mid=mids.long,
        short_mid=mids.short,
        margin=margin,
        collateral=collateral,
        long_fx=mids.long_fx,
        short_fx=mids.short_fx,
    )


def reduced(
    order: PairOrder, position: PairPosition, mets: Sequence[Met], mids: Mids, now_ns: int
) -> PairReduced:
    """Less of a pair, of one leg or both, or what is left of a naked one.

    Margin (of each perpetual by itself) and collateral are released in proportion, rounded down;
    the last close releases all.
    """
    parts: dict[LegName, Decimal] = {met.order.leg: met.part for met in mets if met.traded}
    left = {
        leg.role: abs(leg.qty) - parts.get(_role(leg.role), Decimal(0)) for leg in position.legs
    }
    closed = not any(left.values())
    margin, collateral = position.margin, position.collateral
    if not closed:
        owed = position.borrowed
        margin = sum(
            (_share(perp.margin, parts.get(_role(perp.role)), perp.qty) for perp in position.perps),
            Decimal(0),
        )
        collateral = Decimal(0)
        if owed is not None:
            collateral = _share(position.collateral, parts.get(_role(owed.role)), owed.qty)
    return PairReduced(
        ts_ns=now_ns,
        pair=order.pair,
        fraction=order.fraction,
        reason=order.reason,
        fills=_fills(mets, now_ns),
        long_mid=mids.long,
        short_mid=mids.short,
        margin=margin,
        collateral=collateral,
        closed=closed,
        long_fx=mids.long_fx,
        short_fx=mids.short_fx,
        alone=order.alone,
        by=order.by,
    )


def market_order(how: Execution) -> bool:
    """Whether an order meets the books at once and is done: nothing of it works for a while."""
    return how.style == "market" and how.slices <= 1


def _role(role: str) -> LegName:
    return "long" if role == "long" else "short"


def _fills(mets: Sequence[Met], now_ns: int) -> tuple[Fill, ...]:
    inorder = sorted((met for met in mets if met.traded), key=lambda met: met.order.leg)
    return tuple(fill for met in inorder for fill in met.fills(now_ns))


def _share(amount: Decimal, part: Decimal | None, held: Decimal) -> Decimal:
    return share_of(amount, part, abs(held)) if part and held else Decimal(0)
