"""Which pairs are forecast, what the desk knows of a trade in them, and their past minutes."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from basisdesk.engine import Engine
from basisdesk.forecast.reader import Elsewhere, Terms, TickReader
from basisdesk.forecast.view import PAIRS_MAX, PairKey
from basisdesk.forecast.words import Tick
from basisdesk.market.basis import PairMarket
from basisdesk.trading.positions import PairPosition
from basisdesk.venues.instrument import split_key, split_symbol

Array = NDArray[np.float64]

PAST_S = 86_400.0
TOUCH_S = 300.0  # between the last candle and the first live row
STILL_S = 2.5  # without another page: candles are whole
SEED_WAIT_S = 20.0  # for them, before a new pair is heard without
PERPS_ONLY = "Between two perpetuals nothing is forecast: a forecast is of spot against perpetual."


def name_of(key: PairKey) -> str:
    """The pair as the forecaster names it."""
    return f"{key[0]} {key[1]}"


@dataclass(frozen=True)
class Watched:
    """One pair of this beat. position: the newest one held in it, or None."""

    key: PairKey
    market: PairMarket
    position: PairPosition | None

    @property
    def name(self) -> str:
        """The pair as the forecaster names it."""
        return name_of(self.key)


class PairReaders:
    """Reads the pairs of a beat. recent: pairs looked at lately, the shown one last.

    sector_z: the z of a coin's sector, NaN where unknown.
    """

    def __init__(
        self,
        engine: Engine,
        recent: Callable[[], tuple[PairKey, ...]],
        sector_z: Callable[[str], float],
    ) -> None:
        self._engine = engine
        self._recent = recent
        self._sector_z = sector_z
        self._elsewhere = Elsewhere(engine.market)
        self._readers: dict[PairKey, tuple[PairMarket, TickReader]] = {}

    def watched(self) -> list[Watched]:
        """The pair on the screen, those looked at lately, then the pairs held: each once."""
        engine = self._engine
        held = {
            (position.reference.instrument, position.other.instrument): position
            for position in engine.open_pairs()
        }
        wanted = dict.fromkeys((engine.pair, *reversed(self._recent()), *reversed(held)))
        there = [key for key in wanted if key in engine.market.pairs and not of_perps(key)]
        chosen = there[:PAIRS_MAX]
        self._readers = {key: self._readers[key] for key in chosen if key in self._readers}
        return [Watched(key, engine.market.pairs[key], held.get(key)) for key in chosen]

    def read(self, watched: Watched, now_ns: int) -> Tick:
        """The tick of this pair now."""
        known = self._readers.get(watched.key)
        if known is None or known[0] is not watched.market:
            known = watched.market, TickReader(watched.market, self._elsewhere)
            self._readers[watched.key] = known
        return known[1].read(now_ns, self.terms(watched, now_ns))

    def terms(self, watched: Watched, now_ns: int) -> Terms:
        """The side, its costs, and the executable basis that an exit aims at.

        A held pair is seen from its own side and to its own target; any other from the side of its
        gap, to where it can be left while the mid stands at fair value.
        """
        now, position = watched.market.now, watched.position
        d = -1 if now.mid_bp < now.fair_bp else 1
        target = now.fair_bp + d * (now.close_bp - now.open_bp) / 2.0
        if position is not None:
            if position.direction != d:
                d = position.direction
                target = now.fair_bp + d * (now.close_bp - now.open_bp) / 2.0
            if position.plan.target_bp is not None:
                target = float(position.plan.target_bp)
        coin = coin_of(watched.key[1])
        return Terms(d, self.cost_bp(watched, now_ns), target, self._sector_z(coin))

    def cost_bp(self, watched: Watched, now_ns: int) -> float:
        """Four taker fees and changing money for the spot leg, in and out; NaN while unknown.

        Neither spread nor depth: they are in the executable bases.
        """
        engine = self._engine
        try:
            currency = split_symbol(watched.key[0])[1]
        except ValueError:
            return nan
        conversion_bp = 0.0
        if currency != engine.settings.account.currency:
            fx = engine.market.fx(currency, now_ns)
            conversion_bp = nan if fx.stale or not fx.mid > 0 else 1e4 * (fx.ask - fx.bid) / fx.mid
        return watched.market.now.fees_bp + conversion_bp


def of_perps(key: PairKey) -> bool:
    """Two perpetuals, or names that are none."""
    try:
        return split_key(key[0])[1] != "spot"
    except ValueError:
        return True


def coin_of(key: str) -> str:
    """The coin of a leg; "" where the name does not say it."""
    try:
        return split_symbol(key)[0]
    except ValueError:
        return ""


class Past:
    """The minutes that candles told before a new pair's first live row, once they have come.

    Candles come in pages, from either end: they are whole when the last one touches the live rows
    and nothing was added for a while. told: all of them were taken, or none will come.
    """

    def __init__(self, now_s: float) -> None:
        self._began_s = self._grew_s = now_s
        self._n = -1
        self._ticks: Iterator[Tick] | None = None
        self.told = False

    def look(self, pair: PairMarket, now_s: float) -> None:
        """See whether they have come. Monotonic seconds."""
        if self._ticks is not None:
            return
        rows = past_rows(pair)
        if rows.shape[1] != self._n:
            self._n, self._grew_s = rows.shape[1], now_s
        touches = self._n > 0 and pair.live_from_s - rows[0, -1] <= TOUCH_S
        whole = touches and now_s - self._grew_s >= STILL_S
        if whole or now_s - self._began_s >= SEED_WAIT_S:
            self._ticks = past_ticks(rows)

    def next(self) -> Tick | None:
        """The next minute; None while they are waited for, and after the last."""
        if self._ticks is None:
            return None
        minute = next(self._ticks, None)
        self.told = minute is None
        return minute


def past_rows(pair: PairMarket) -> Array:
    """(time s, spot, basis bp, fair bp) of the day before the first live row, a column each."""
    until_s = pair.live_from_s
    if not math.isfinite(until_s):
        return np.empty((4, 0))
    times, columns = pair.series.window(until_s - PAST_S, until_s)
    before = times < until_s
    return np.stack([times, columns["spot"], columns["mid_bp"], columns["fair_bp"]])[:, before]


def past_ticks(rows: Array) -> Iterator[Tick]:
    """Past minutes as ticks that nobody could trade.

    They fill the memories of the features and make no candidate: no executable basis is known.
    """
    for t_s, spot, mid_bp, fair_bp in rows.T.tolist():
        perp = spot * (1.0 + mid_bp / 1e4)
        if spot > 0.0 and perp > 0.0:
            yield Tick(
                t_ns=round(t_s * 1e9),
                spot_bid=spot,
                spot_ask=spot,
                perp_bid=perp,
                perp_ask=perp,
                fair_bp=fair_bp,
            )
