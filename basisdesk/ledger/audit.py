"""Do positions and ledger tell the same story? Asked at a start, before anything is traded.

Both fold from the same outcomes, by different code and for different ends: positions know what can
be closed and what can be liquidated, the ledger knows the money. Where they disagree, one of them
is wrong, and no number that rests on either can be trusted.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from basisdesk.ledger.attribution import PairLots, figure
from basisdesk.ledger.books import Books


class Held(msgspec.Struct, frozen=True):
    """What the positions say of one pair.

    long, short: base coin, signed: what is held (> 0), short or owed (< 0). margin: isolated margin
    of its perpetuals; collateral: own cash that secures borrowed coins; both in account currency.
    """

    long: Decimal = Decimal(0)
    short: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    collateral: Decimal = Decimal(0)


def audit(books: Books, legs: Mapping[int, Held]) -> list[str]:
    """Where ledger and positions disagree, a sentence each; empty when they agree.

    legs: of every pair that is not closed; a pair whose order has filled nothing holds nothing.
    Margin that the ledger had to spend for want of cash is no disagreement: it is told by the
    ledger as a shortfall.
    """
    said: list[str] = []
    for number in sorted({*books.open_pairs, *legs}):
        told, pair = legs.get(number), books.open_pairs.get(number)
        if pair is None:
            if told is not None and told != Held():
                said.append(
                    f"The positions hold pair {number} (long {figure(told.long)}, short "
                    f"{figure(told.short)}), the ledger holds nothing of it."
                )
        elif told is None:
            said.append(
                f"The ledger holds pair {number} ({pair.holding}), the positions nothing of it."
            )
        else:
            said += [f"Pair {number}: {one}." for one in _between(pair, told, books.currency)]
            said += [f"Pair {number}: {one}." for one in pair.contradictions()]
    return said


def _between(pair: PairLots, told: Held, currency: str) -> list[str]:
    long, short = pair.legs["long"], pair.legs["short"]
    compared = (
        ("the long leg", told.long, long.qty, long.coin),
        ("the short leg", told.short, -short.qty, short.coin),
        ("the margin", told.margin, pair.margin, currency),
        ("the collateral", told.collateral, pair.collateral, currency),
    )
    return [
        f"{what} is {figure(ours)} {unit} by the positions, {figure(theirs)} {unit} by the ledger"
        for what, ours, theirs, unit in compared
        if ours != theirs
    ]
