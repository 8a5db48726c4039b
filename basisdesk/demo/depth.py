"""The order book and the trades around a simulated mid price.

Prices are whole ticks and sizes whole lots. Level sizes are gamma(2) times a growing mean; orders
come and go near the touch, so a level that was taken fills up again in a few seconds. Trades do not
move the mid (the walk does): their weight in the book's order flow is a simplification.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.listings import coin_of, place_of
from basisdesk.demo.planted import NOTHING, Planted
from basisdesk.demo.wire import Spec

LEVELS = 50
GROWTH = 0.03  # of the mean size, per level away from the touch
DEPTH_BP = 0.3  # Coin.depth_usd lies within this distance of the touch, on Bybit
REFILL_TAU_S = 5.0
CHURN_PER_S = 25.0  # levels of one side that change in a second, while the mid stands still
CHURN_LEVELS = 8.0  # how far from the touch they lie, on average
NEW_TOUCH = 0.3  # a level that just became the touch has this share of its usual size

BRANCHING = 0.5  # trades that one trade triggers
EXCITED_TAU_S = 2.0
SAME_SIDE = 0.65
TRADES_MAX = 40  # in one message; the rest is not simulated
TRADE_SD = 1.1
TRADE_OF_TOUCH = 0.6  # a trade takes at most this share of the touch

Levels = dict[int, int]  # tick -> lots


class Shape(NamedTuple):
    """What an instrument's book and trades usually look like, in its ticks and lots.

    mean: lots at each level from the touch on. trade: lots of a trade. trades_per_s: how many.
    """

    tick: float
    spread: int
    mean: NDArray[np.float64]
    trade: float
    trades_per_s: float


def shape_of(spec: Spec, planted: Planted = NOTHING) -> Shape:
    """The shape that follows from the coin, the venue's factors and what a scenario planted."""
    coin, place, side = coin_of(spec), place_of(spec), int(spec.market == "perp")
    tick = float(spec.tick)
    tick_bp = 1e4 * tick / (coin.price * spec.price_unit)
    growth = np.exp(GROWTH * np.arange(LEVELS))
    within = DEPTH_BP / tick_bp  # levels that hold depth_usd; less than one on coarse ticks
    held = growth[: int(within)].sum() if within >= 1.0 else within
    lot_usd = float(spec.lot) * spec.unit * coin.price
    depth_usd = coin.depth_usd[side] * place.depth[side] * planted.depth
    rate = coin.trades_per_s[side] * place.depth[side] ** 0.5
    turnover = coin.turnover_day[side] * place.depth[side] * planted.busy
    return Shape(
        tick,
        max(1, round(coin.spread_bp[side] * place.spread[side] * planted.spread / tick_bp)),
        depth_usd / held * growth / lot_usd,
        turnover / 86_400.0 / rate / lot_usd,
        rate,
    )


class Ladder:
    """Fifty levels on each side of one instrument. Best bid and ask in ticks, sizes in lots."""

    __slots__ = (
        "_depth", "_mean", "_rng", "_tick", "asks", "before", "best_ask", "best_bid", "bids",
        "published", "spread",
    )  # fmt: skip

    def __init__(self, shape: Shape, mid: float, rng: np.random.Generator) -> None:
        self._tick = shape.tick
        self._rng = rng
        self.spread = shape.spread
        self._mean = shape.mean
        self._depth = 1.0
        self.best_bid, self.best_ask = self._best(mid)
        self.bids = self._fresh(0, LEVELS)
        self.asks = self._fresh(0, LEVELS)
        self.published = self.before = self.levels()

    def move(self, mid: float, dt_s: float, depth: float) -> None:
        """Follow the mid for dt_s seconds. depth: factor on all sizes, 1 is normal."""
        if depth != self._depth:
            ratio, self._depth = depth / self._depth, depth
            self.bids = [max(1, round(size * ratio)) for size in self.bids]
            self.asks = [max(1, round(size * ratio)) for size in self.asks]
        bid, ask = self._best(mid)
        self.bids = self._shifted(self.bids, bid - self.best_bid)
        self.asks = self._shifted(self.asks, self.best_ask - ask)
        self.best_bid, self.best_ask = bid, ask
        for side in (self.bids, self.asks):
            self._churn(side, dt_s)

    def publish(self) -> tuple[Levels, Levels]:
        """(bids, asks) that changed since the last call, 0 lots where a level went."""
        self.before, self.published = self.published, self.levels()
        return (
            changes(self.before[0], self.published[0]),
            changes(self.before[1], self.published[1]),
        )

    def levels(self) -> tuple[Levels, Levels]:
        """(bids, asks) as tick -> lots, best first."""
        bid, ask = self.best_bid, self.best_ask
        return (
            {bid - at: size for at, size in enumerate(self.bids)},
            {ask + at: size for at, size in enumerate(self.asks)},
        )

    def take(self, *, buy: bool, lots: int) -> int:
        """Take from the touch, at most a share of it; the lots that were taken."""
        side = self.asks if buy else self.bids
        taken = max(1, min(lots, int(side[0] * TRADE_OF_TOUCH)))
        side[0] = max(1, side[0] - taken)
        return taken

    def _best(self, mid: float) -> tuple[int, int]:
        bid = max(LEVELS, math.floor(mid / self._tick - self.spread / 2.0 + 0.5))
        return bid, bid + self.spread

    def _fresh(self, first: int, last: int) -> list[int]:
        mean = self._mean[first:last] * self._depth
        draw = self._rng.gamma(2.0, 0.5, last - first) * mean
        return [max(1, size) for size in np.rint(draw).astype(np.int64).tolist()]

    def _shifted(self, side: list[int], up: int) -> list[int]:
        """The side after its best moved `up` ticks towards the other side (down: negative)."""
        if up > 0:
            new = self._fresh(0, min(up, LEVELS))
            return [max(1, int(size * NEW_TOUCH)) for size in new] + side[: LEVELS - len(new)]
        if up < 0:
            rest = side[-up:]
            return rest + self._fresh(len(rest), LEVELS)
        return side

    def _churn(self, side: list[int], dt_s: float) -> None:
        """The touch always changes a little; some levels near it are redrawn."""
        rng = self._rng
        count = min(int(rng.poisson(min(CHURN_PER_S * dt_s, 20.0))), 20)
        keep = math.exp(-dt_s / REFILL_TAU_S)
        places = {0, *(min(LEVELS - 1, int(x)) for x in rng.exponential(CHURN_LEVELS, count))}
        draw = rng.gamma(2.0, 0.5, len(places)).tolist()
        for place, size in zip(sorted(places), draw, strict=True):
            usual = float(self._mean[place]) * self._depth
            share = keep if place == 0 else 0.3
            side[place] = max(1, round(share * side[place] + (1.0 - share) * usual * size))


class TradeTape:
    """Self-exciting trades with sides that cluster."""

    __slots__ = ("_buy", "_excited", "_rate", "_rng", "_usual")

    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        self._rate = shape.trades_per_s
        self._usual = shape.trade
        self._excited = BRANCHING * self._rate
        self._buy = True
        self._rng = rng

    def draw(self, dt_s: float) -> list[tuple[bool, int]]:
        """(taker buys, lots) of the trades of the last dt_s seconds, oldest first."""
        rng = self._rng
        expected = ((1.0 - BRANCHING) * self._rate + self._excited) * dt_s
        count = min(int(rng.poisson(min(expected, 4.0 * TRADES_MAX))), TRADES_MAX)
        self._excited *= math.exp(-dt_s / EXCITED_TAU_S)
        self._excited += count * BRANCHING / max(EXCITED_TAU_S, dt_s)
        if count == 0:
            return []
        out = []
        sizes = np.exp(TRADE_SD * rng.standard_normal(count) - TRADE_SD**2 / 2.0) * self._usual
        for chance, size in zip(rng.random(count).tolist(), sizes.tolist(), strict=True):
            if chance > SAME_SIDE:
                self._buy = not self._buy
            out.append((self._buy, max(1, round(size))))
        return out


def changes(before: Levels, after: Levels) -> Levels:
    """What leads from one side of a book to another; 0 lots where a level went."""
    out = {tick: 0 for tick in before if tick not in after}
    out.update((tick, size) for tick, size in after.items() if before.get(tick) != size)
    return out
