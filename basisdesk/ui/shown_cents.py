"""Money shown in cents whose parts add up to the whole that stands beside them. Pure, no Qt."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
ZERO = Decimal(0)
MOVING = ("basis", "residual")  # terms of an open pair that move with the price


def whole_cents(terms: Mapping[str, Decimal], total: Decimal) -> dict[str, Decimal]:
    """Each term in cents, so that they sum to the total in cents.

    Every term is rounded by itself: what is booked (fees, funding, slippage, borrow) never moves
    with the price. What the column then lacks, half a cent a term at most, goes into the one that
    does: the first of MOVING that is not zero, else the first there is. Terms that are not the
    total's, or of which none moves, are left as rounded.
    """
    cents = {name: value.quantize(CENT, ROUND_HALF_EVEN) for name, value in terms.items()}
    moving = [name for name in MOVING if name in terms]
    if not moving or abs(sum(terms.values(), ZERO) - total) >= CENT:
        return cents
    takes = next((name for name in moving if terms[name]), moving[0])
    cents[takes] += total.quantize(CENT, ROUND_HALF_EVEN) - sum(cents.values(), ZERO)
    return cents
