"""Books of many legs as padded arrays: average prices and capacity of all of them at once.

A book that was polled is older than the touch, which every page renews. Its levels then keep their
distance from the touch: a level one bp behind the best ask is taken one bp behind the ask of now.
"""

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.words import Floats

LEVELS_MAX = 200  # a side; what is deeper is not counted
SELL, BUY = 0, 1  # side of the taker: a sale takes bids, a purchase takes asks

Side = tuple[tuple[float, float], ...] | list[tuple[float, float]]


class Depth:
    """Two sides of n legs. A leg is set from levels or from its touch; else it shows nothing.

    touch_only: legs whose books are not known, so one level a side is all that is counted.
    """

    def __init__(self, legs: int) -> None:
        self.touch_only = np.ones(legs, dtype=np.bool_)
        self._follows = np.zeros(legs, dtype=np.bool_)
        self._width = 16
        self._all = np.arange(legs)
        self._count = np.zeros((2, legs), dtype=np.intp)
        self._best = np.full((2, legs), np.nan)
        self._make()

    def set_book(self, leg: int, bids: Side, asks: Side, *, follows: bool = True) -> None:
        """Levels of a leg, best first: (price, base coin). follows: they move with the touch."""
        self.touch_only[leg] = False
        self._follows[leg] = follows
        for side, levels in ((SELL, bids), (BUY, asks)):
            self._set_side(side, leg, levels[:LEVELS_MAX])

    def follow(self, leg: int) -> None:
        """The levels of this leg move with the touch from now on."""
        self._follows[leg] = True

    def set_touches(self, legs: NDArray[np.intp], price: Floats, size: Floats) -> None:
        """One level a side of these legs. price, size: (2, len(legs)); NaN is no level."""
        self.touch_only[legs] = True
        self._follows[legs] = False
        known = (price > 0.0) & (size > 0.0)
        self._count[:, legs] = known
        self._price[:, legs] = np.inf
        self._qty[:, legs, 1:] = np.inf
        for side in (SELL, BUY):
            self._price[side, legs, 0] = np.where(known[side], price[side], np.inf)
            self._qty[side, legs, 1] = np.where(known[side], size[side], np.inf)
            self._cost[side, legs, 1] = price[side] * size[side]
            self._best[side, legs] = price[side]

    def vwap(self, side: int, qty: Floats, best: Floats) -> Floats:
        """Average price of taking qty, (legs, sizes) in base coin; NaN beyond what is shown.

        best: the touch of now, by leg. quant.md 2.3.
        """
        found = np.empty(qty.shape)
        scale = np.where(self._follows, best / self._best[side], 1.0)
        count, price = self._count[side], self._price[side]
        for column in range(qty.shape[1]):
            wanted = qty[:, column]
            at = (self._qty[side, :, 1:] < wanted[:, None]).sum(axis=1)
            whole = np.minimum(at, self._width - 1)  # levels that are taken whole
            before = self._qty[side, self._all, whole], self._cost[side, self._all, whole]
            paid = before[1] + (wanted - before[0]) * price[self._all, whole]
            with np.errstate(invalid="ignore", over="ignore"):
                found[:, column] = np.where((at < count) & (wanted > 0.0), paid / wanted, np.nan)
        scaled: Floats = found * scale[:, None]
        return scaled

    def within(self, side: int, limit: Floats, best: Floats) -> Floats:
        """Base coin at no worse price than the limit, by leg; NaN where no level is known."""
        scale = np.where(self._follows, best / self._best[side], 1.0)
        bound = (limit / scale)[:, None]
        price = self._price[side]
        good = price <= bound if side == BUY else (price >= bound) & (price < np.inf)
        inside: Floats = self._qty[side, self._all, good.sum(axis=1)]
        return np.where(self._count[side] > 0, inside, np.nan)

    # --- inside ----------------------------------------------------------------------------------

    def _make(self) -> None:
        # price[k] of level k; qty[k], cost[k]: base coin and money of the k levels before it
        legs = len(self._all)
        self._price = np.full((2, legs, self._width), np.inf)
        self._qty = np.full((2, legs, self._width + 1), np.inf)
        self._cost = np.zeros((2, legs, self._width + 1))
        self._qty[:, :, 0] = 0.0

    def _set_side(self, side: int, leg: int, levels: Side) -> None:
        rows = np.array(levels, dtype=np.float64).reshape(-1, 2)
        count = len(rows)
        if count > self._width:
            self._widen(count)
        self._count[side, leg] = count
        price, qty, cost = self._price[side, leg], self._qty[side, leg], self._cost[side, leg]
        price[:count], price[count:] = rows[:, 0], np.inf
        np.cumsum(rows[:, 1], out=qty[1 : count + 1])
        np.cumsum(rows[:, 0] * rows[:, 1], out=cost[1 : count + 1])
        qty[count + 1 :] = np.inf
        self._best[side, leg] = price[0] if count else np.nan

    def _widen(self, width: int) -> None:
        old, kept = self._width, (self._price, self._qty, self._cost)
        self._width = min(LEVELS_MAX, max(width, 2 * old))
        self._make()
        self._price[:, :, :old] = kept[0]
        self._qty[:, :, : old + 1] = kept[1]
        self._cost[:, :, : old + 1] = kept[2]
