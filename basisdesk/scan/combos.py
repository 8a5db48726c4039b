"""Every combination of the universe's legs that can be traded, and where its legs stand in arrays.

Of a coin: each spot leg bought against each perpetual, each perpetual against each other both ways
round, and, where coins may be borrowed, each perpetual bought against each spot leg sold.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.words import Combo, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from basisdesk.market.universe import ScanLeg

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Combos:
    """rows: the combinations. long, short: places of their legs; coin: place of their coin.

    spot_short, perp_perp: of which kind. coins: by place; groups: places of each one's legs, a row
    a coin, filled up with -1. coin_of: place of each leg's coin. place: of a row, by its legs.
    """

    rows: tuple[Combo, ...]
    long: Places
    short: Places
    coin: Places
    spot_short: NDArray[np.bool_]
    perp_perp: NDArray[np.bool_]
    coins: tuple[str, ...]
    groups: Places
    coin_of: Places
    place: dict[tuple[str, str], int]


def make_combos(legs: "Sequence[ScanLeg]", *, short_spot: bool) -> Combos:
    """All combinations of these legs, coin by coin in the legs' order."""
    by_coin: dict[str, list[int]] = {}
    for place, leg in enumerate(legs):
        by_coin.setdefault(leg.coin, []).append(place)
    rows: list[tuple[Combo, int, int]] = []
    for coin, places in by_coin.items():
        spots = [place for place in places if legs[place].market == "spot"]
        perps = [place for place in places if legs[place].market == "perp"]
        pairs: list[tuple[Kind, int, int]]
        pairs = [("spot-perp", spot, perp) for spot in spots for perp in perps]
        pairs += [("perp-perp", a, b) for a in perps for b in perps if a != b]
        if short_spot:
            pairs += [("perp-spot", perp, spot) for perp in perps for spot in spots]
        for kind, long, short in pairs:
            rows.append((Combo(coin, kind, legs[long].key, legs[short].key), long, short))
    kinds = [row[0].kind for row in rows]
    most = max((len(places) for places in by_coin.values()), default=0)
    groups = [places + [-1] * (most + 1 - len(places)) for places in by_coin.values()]
    coin_place = {coin: place for place, coin in enumerate(by_coin)}
    return Combos(
        rows=tuple(row[0] for row in rows),
        long=np.array([row[1] for row in rows], dtype=np.intp),
        short=np.array([row[2] for row in rows], dtype=np.intp),
        coin=np.array([coin_place[row[0].coin] for row in rows], dtype=np.intp),
        spot_short=np.array([kind == "perp-spot" for kind in kinds], dtype=np.bool_),
        perp_perp=np.array([kind == "perp-perp" for kind in kinds], dtype=np.bool_),
        coins=tuple(by_coin),
        groups=np.array(groups, dtype=np.intp).reshape(len(groups), most + 1),
        coin_of=np.array([coin_place[leg.coin] for leg in legs], dtype=np.intp),
        place={(row[0].long, row[0].short): place for place, row in enumerate(rows)},
    )
