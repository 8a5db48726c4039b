"""What a round trip of each combination costs at one size: the cost sheet's sum, for all at once.

For each coin of the long leg's quantity, in account currency: a purchase costs its average price
with the fee on top, a sale brings its average price less the fee, and both are held against the mid
of their leg. Where a spot purchase pays its fee in coins, only the part that is left is hedged and
sold again, and a borrowed coin is bought back with so much more (trading/sizing.py).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.depth import BUY, SELL
from basisdesk.scan.words import Floats

if TYPE_CHECKING:
    from basisdesk.scan.combos import Combos
    from basisdesk.scan.legs import Fixed, LegTable, Now

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Prices:
    """Prices of each combination at the size.

    open_bp, close_bp: bases of the entry and of an exit now, of the long leg's price, with money
    changed at the middle. hedge: coins of the short leg for one of the long. notional: of the
    reference leg, account currency for one coin. cost_bp: full round trip, of the notional.
    touch_bp: about the same at the touch, for a size that any book carries.
    """

    open_bp: Floats
    close_bp: Floats
    hedge: Floats
    notional: Floats
    cost_bp: Floats
    touch_bp: Floats


class Sizes:
    """How many coins each walk of each combination trades, in parts of the long leg's quantity.

    parts: the unlike ones. hedge: place in it of the hedge (and of what the long leg then sells);
    back: of what buys the short leg back.
    """

    def __init__(self, fixed: "Fixed", combos: "Combos") -> None:
        keep_long, keep_short = fixed.keep[combos.long], fixed.keep[combos.short]
        back = np.where(combos.spot_short, 1.0 / keep_short, keep_long)
        parts = np.concatenate(([1.0], keep_long, back))
        self.parts, places = np.unique(parts, return_inverse=True)
        self.one = places[0]
        self.hedge: Places = places[1 : len(keep_long) + 1]
        self.back: Places = places[len(keep_long) + 1 :]


def price_all(
    table: "LegTable", now: "Now", combos: "Combos", sizes: Sizes, coins: Floats
) -> Prices:
    """Prices of all combinations. coins: quantity of each leg, base coin."""
    long, short, perp = combos.long, combos.short, table.fixed.perp
    fee_long, fee_short = table.fixed.fee[long], table.fixed.fee[short]
    bid, ask = now.top[0], now.top[2]
    qty = coins[:, None] * sizes.parts[None, :]
    buy = table.depth.vwap(BUY, qty, ask)  # (legs, parts), quote
    sell = table.depth.vwap(SELL, qty, bid)
    fx_bid, fx_ask, fx = now.fx
    bring, cost = np.where(perp, fx, fx_bid), np.where(perp, fx, fx_ask)  # of a sale, a purchase
    hedge, back, one = sizes.hedge, sizes.back, sizes.one
    bought, sold = buy[long, one], sell[short, hedge]
    left, owed = sell[long, hedge], buy[short, back]
    part, again = sizes.parts[hedge], sizes.parts[back]
    mid_long, mid_short = now.mid[long], now.mid[short]
    entry = bought * cost[long] * (1.0 + fee_long) - mid_long
    entry += part * (mid_short - sold * bring[short] * (1.0 - fee_short))
    leave = part * (mid_long - left * bring[long] * (1.0 - fee_long))
    leave += again * (owed * cost[short] * (1.0 + fee_short) - mid_short)
    reference = np.where(combos.spot_short, part * sold * bring[short], bought * cost[long])
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (ask - bid) / ((ask + bid) / 2)
        touch = 2.0 * (fee_long + fee_short) + spread[long] + spread[short]
        return Prices(
            open_bp=1e4 * (sold * fx[short] / (bought * fx[long]) - 1.0),
            close_bp=1e4 * (owed * fx[short] / (left * fx[long]) - 1.0),
            hedge=part,
            notional=reference,
            cost_bp=1e4 * (entry + leave) / reference,
            touch_bp=1e4 * touch,
        )


def capacity(table: "LegTable", now: "Now", impact_bp: float) -> Floats:
    """Account currency that each leg trades within so many bp of its mid, of its thinner side.

    NaN where not even the size of the touch is known.
    """
    bid, ask = now.top[0], now.top[2]
    mid, share = (bid + ask) / 2, impact_bp / 1e4
    bought = table.depth.within(BUY, mid * (1.0 + share), ask)
    sold = table.depth.within(SELL, mid * (1.0 - share), bid)
    least: Floats = np.minimum(bought, sold) * now.mid
    return least
