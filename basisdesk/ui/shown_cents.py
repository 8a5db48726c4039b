"""Money shown in cents whose parts add up to the whole that stands beside them. Pure, no Qt."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
ZERO = Decimal(0)


def whole_cents(terms: Mapping[str, Decimal], total: Decimal) -> dict[str, Decimal]:
    """Each term in cents, so that they sum to the total in cents (largest remainder).

    All are rounded down, and what that lacks is given to those that lost most by it: no term is
    more than a cent from its exact value, and one that is exact stays as it is. Terms that are not
    the total's are rounded each for itself.
    """
    floors = {name: value.quantize(CENT, ROUND_FLOOR) for name, value in terms.items()}
    lost = {name: value - floors[name] for name, value in terms.items()}
    lacks = total.quantize(CENT, ROUND_HALF_EVEN) - sum(floors.values(), ZERO)
    count = int(lacks / CENT)
    inexact = [name for name in terms if lost[name]]
    if not 0 <= count <= len(inexact) or abs(sum(terms.values(), ZERO) - total) >= CENT:
        return {name: value.quantize(CENT, ROUND_HALF_EVEN) for name, value in terms.items()}
    for name in sorted(inexact, key=lambda name: lost[name], reverse=True)[:count]:
        floors[name] += CENT
    return floors
