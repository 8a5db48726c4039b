"""The stochastic market: five coins, spot and perpetual, funding by the venue's own formula.

Everything here is SIMULATED. A market is a function of its seed, its scenario and the anchor (the
time of its first run): each simulated minute draws from a generator seeded with (seed, minute), so
neither the speed nor the moments at which it is looked at change the path. History is walked in
steps of a minute, the present in steps of a second with moves every 100 ms in between.
"""

import copy
import math
from collections import deque
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import COINS, Coin
from basisdesk.demo.funding import (
    INTERVAL_MS,
    MINUTE_MS,
    RateMeter,
    impact_premiums,
    interval_end_ms,
)
from basisdesk.demo.scenarios import Overlay, find_scenario
from basisdesk.demo.walk import CoinState, Path, first_state, market_factor, premium_bp, walk

Floats = NDArray[np.float64]

HISTORY_MIN = 10 * 24 * 60 + 8 * 60  # 30 settlements and a bit
CANDLES_MAX = 1_500  # 25 h of minutes
SETTLEMENTS_MAX = 200
FINE_MIN_MAX = 120  # a longer gap is walked in minutes
GAP_MIN_MAX = 30 * 24 * 60  # a longer gap counts as this long
MICRO_MS = 100
MICRO_STEPS = MINUTE_MS // MICRO_MS
SPOT_LAG_STEPS = 3  # spot follows the perp by 300 ms
MARK_WINDOW_S = 150  # the venue's 2.5 minutes
IMPACT_INSIDE = 0.5  # impact prices lie this far from the mid to the touch, see impact_half_bp
INTEREST_HALF_LIFE_MIN, INTEREST_SD = 2_880.0, 0.08
VOLUME_SD = 0.6
STATE_VERSION = 1

_FINE, _COARSE, _FIRST, _BRIDGE = 1, 2, 3, 4  # streams of random numbers
_ALL_COINS = 99


class Candle(NamedTuple):
    """One minute of one coin. Prices rounded to the tick; volumes in coins."""

    t_ms: int
    spot: tuple[float, float, float, float]  # open, high, low, close
    perp: tuple[float, float, float, float]
    spot_volume: float
    perp_volume: float


class View(NamedTuple):
    """One coin at one moment. Prices unrounded, USDT."""

    t_ms: int
    spot_mid: float
    perp_mid: float
    index_price: float
    mark_price: float
    rate: float  # of the running interval, as it would settle now
    next_funding_ms: int
    open_interest: float  # coins
    depth: float  # factor on the books, 1 is normal


class _Block(NamedTuple):
    """The present minute of one coin."""

    spot: Floats  # MICRO_STEPS
    perp: Floats
    index_price: list[float]  # each second
    mark_price: list[float]
    rate: float
    open_interest: float
    volume: tuple[float, float]


class Market:
    """Owner of the simulated time and of what has happened. `advance` first, then look.

    seed: 0 .. 2**31. anchor_ms: when the market's first run started.
    """

    def __init__(
        self, seed: int, scenario: str, epoch_ms: int, coins: tuple[Coin, ...] = COINS
    ) -> None:
        self._make(seed, scenario, epoch_ms, coins)
        first = epoch_ms // MINUTE_MS - HISTORY_MIN
        for number, coin in enumerate(coins):
            rng = np.random.default_rng([seed, _FIRST, number, 0])
            self._states[coin.symbol] = first_state(coin, self._preset, rng)
        self._coarse(first, HISTORY_MIN, pin=True)
        self._start(epoch_ms // MINUTE_MS)

    def _make(self, seed: int, scenario: str, anchor_ms: int, coins: tuple[Coin, ...]) -> None:
        found = find_scenario(scenario)
        self.seed = seed
        self.coins = coins
        self.anchor_ms = anchor_ms
        self.about = found.about
        self._preset = found.preset
        self.overlays: tuple[Overlay, ...] = tuple(make(anchor_ms, seed) for make in found.overlays)
        self._factor = 1.0
        self._states: dict[str, CoinState] = {}
        self._blocks: dict[str, _Block] = {}
        self.candles: dict[str, deque[Candle]] = {
            coin.symbol: deque(maxlen=CANDLES_MAX) for coin in coins
        }
        self.settlements: dict[str, deque[tuple[int, float]]] = {
            coin.symbol: deque(maxlen=SETTLEMENTS_MAX) for coin in coins
        }
        self.minute = 0

    # Looking

    def view(self, symbol: str, now_ms: int) -> View:
        """The coin at `now_ms`, which must lie in the minute last advanced to."""
        block = self._blocks[symbol]
        into_ms = min(max(now_ms - self.minute * MINUTE_MS, 0), MINUTE_MS - 1)
        micro, second = into_ms // MICRO_MS, into_ms // 1000
        return View(
            now_ms,
            float(block.spot[micro]),
            float(block.perp[micro]),
            block.index_price[second],
            block.mark_price[second],
            block.rate,
            interval_end_ms(now_ms),
            block.open_interest,
            math.prod(overlay.depth(now_ms) for overlay in self.overlays),
        )

    def candle(self, symbol: str, now_ms: int) -> Candle:
        """The unfinished candle of the present minute, as far as `now_ms`."""
        micro = min(max(now_ms - self.minute * MINUTE_MS, 0), MINUTE_MS - 1) // MICRO_MS + 1
        return self._candle(self._coin(symbol), self._blocks[symbol], micro)

    def silent(self, conn: str, now_ms: int) -> bool:
        """Whether the scenario keeps the connection ("spot" or "linear") silent."""
        return any(overlay.silent(conn, now_ms) for overlay in self.overlays)

    # Moving

    def advance(self, now_ms: int) -> None:
        """Walk on to the minute that holds `now_ms`. Times before it change nothing."""
        target = now_ms // MINUTE_MS
        if target - self.minute > FINE_MIN_MAX:
            self._finish()
            gap = min(target - self.minute - 1, GAP_MIN_MAX)
            self._coarse(target - gap, gap)
            self._start(target)
        while self.minute < target:
            self._finish()
            self._start(self.minute + 1)

    def _coin(self, symbol: str) -> Coin:
        return next(coin for coin in self.coins if coin.symbol == symbol)

    def _finish(self) -> None:
        for coin in self.coins:
            candle = self._candle(coin, self._blocks[coin.symbol], MICRO_STEPS)
            self.candles[coin.symbol].append(candle)

    def _start(self, minute: int) -> None:
        """Draw the minute for every coin. What it started from is kept for `dump`."""
        self._before = (self._factor, copy.deepcopy(self._states))
        self.minute = minute
        rng = np.random.default_rng([self.seed, _FINE, _ALL_COINS, minute])
        market, self._factor = market_factor(self._factor, 60, 1.0, rng)
        for number, coin in enumerate(self.coins):
            state = self._states[coin.symbol]
            t_ms = minute * MINUTE_MS + 1000 * np.arange(61, dtype=np.int64)
            overlay_bp, shift = self._overlays(number, t_ms)
            now_bp = np.array([premium_bp(state)]) + overlay_bp[:1]
            rate = self._sample(coin, state, minute, now_bp)
            rng = np.random.default_rng([self.seed, _FINE, number, minute])
            path = walk(coin, self._preset, state, market, 1.0, rng)
            path = _laid_over(path, state, overlay_bp, shift)
            rng = np.random.default_rng([self.seed, _BRIDGE, number, minute])
            self._blocks[coin.symbol] = _block(coin, state, path, rate, minute, rng)

    def _sample(self, coin: Coin, state: CoinState, minute: int, premium: Floats) -> float:
        """Take one sample a minute from `minute` on, settling where an interval begins.

        premium: bp, at the start of each minute. Returns the rate to show after the last.
        """
        meter = RateMeter(coin.funding_cap, coin.interest, state.weighted, state.samples)
        rows = self.settlements[coin.symbol]
        samples = impact_premiums(premium, impact_half_bp(coin))
        at = 0
        while at < len(samples):
            t_ms = (minute + at) * MINUTE_MS
            if t_ms % INTERVAL_MS == 0 and meter.count:
                rate = meter.settle()
                if not rows or rows[-1][0] < t_ms:
                    rows.append((t_ms, rate))
            until = at + (interval_end_ms(t_ms) - t_ms) // MINUTE_MS
            meter.add_many(samples[at:until])
            at = until
        state.weighted, state.samples = meter.weighted, meter.count
        return meter.rate()

    def _overlays(self, number: int, t_ms: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """(premium bp, change of the log price since the first point) of all overlays."""
        bp, shift = np.zeros(t_ms.shape), np.zeros(t_ms.shape)
        for overlay in self.overlays:
            bp += overlay.premium_bp(t_ms, number)
            shift += overlay.log_price(t_ms)
        return bp, shift - shift[0]

    def _coarse(self, first: int, minutes: int, *, pin: bool = False) -> None:
        """Walk `minutes` minutes from minute `first`. pin: make them end at the coins' prices."""
        t_ms = (first + np.arange(minutes + 1, dtype=np.int64)) * MINUTE_MS
        rng = np.random.default_rng([self.seed, _COARSE, _ALL_COINS, first])
        market, self._factor = market_factor(self._factor, minutes, 60.0, rng)
        for number, coin in enumerate(self.coins):
            state = self._states[coin.symbol]
            rng = np.random.default_rng([self.seed, _COARSE, number, first])
            path = walk(coin, self._preset, state, market, 60.0, rng)
            path = _laid_over(path, state, *self._overlays(number, t_ms))
            if pin:
                off = math.log(coin.price) - float(path.log_price[-1])
                path = path._replace(log_price=path.log_price + off)
                state.log_price += off
            self._sample(coin, state, first, path.premium_bp[:-1])
            state.lag = [float(path.log_price[-1])] * SPOT_LAG_STEPS
            state.basis = [float(path.premium_bp[-1]) * 1e-4] * MARK_WINDOW_S
            kept = min(minutes, CANDLES_MAX)
            self.candles[coin.symbol].extend(_history(coin, path, first, kept, rng))

    def _candle(self, coin: Coin, block: _Block, micro: int) -> Candle:
        share = micro / MICRO_STEPS
        return Candle(
            self.minute * MINUTE_MS,
            _ohlc(block.spot[:micro], coin.tick_decimals),
            _ohlc(block.perp[:micro], coin.tick_decimals),
            round(block.volume[0] * share, coin.spot_lot_decimals),
            round(block.volume[1] * share, coin.perp_lot_decimals),
        )

    # Keeping

    def dump(self) -> dict[str, Any]:
        """What a later `Market.restored` needs, ready for JSON."""
        factor, states = self._before
        now_ms = self.minute * MINUTE_MS
        return {
            "version": STATE_VERSION,
            "anchor_ms": self.anchor_ms,
            "minute": self.minute,
            "factor": factor,
            "states": {symbol: msgspec.to_builtins(state) for symbol, state in states.items()},
            "candles": {symbol: list(rows) for symbol, rows in self.candles.items()},
            "settlements": {
                symbol: [row for row in rows if row[0] < now_ms]
                for symbol, rows in self.settlements.items()
            },
        }

    @classmethod
    def restored(
        cls, seed: int, scenario: str, kept: dict[str, Any], coins: tuple[Coin, ...] = COINS
    ) -> "Market":
        """The market a `dump` was taken of, at the minute of the dump.

        Seed and scenario may differ from then: they rule what comes next. Raises ValueError when
        `kept` is not a dump of this version.
        """
        dump = msgspec.convert(kept, _Dump)  # its ValidationError is a ValueError
        if dump.version != STATE_VERSION or set(dump.states) != {c.symbol for c in coins}:
            raise ValueError("another version or other coins")
        market = cls.__new__(cls)
        market._make(seed, scenario, dump.anchor_ms, coins)
        market._factor = dump.factor
        market._states = dump.states
        for coin in coins:  # another preset may have fewer moods
            state = dump.states[coin.symbol]
            state.mood = min(state.mood, len(coin.moods(market._preset)) - 1)
        for symbol in dump.states:
            market.candles[symbol].extend(dump.candles[symbol])
            market.settlements[symbol].extend(dump.settlements[symbol])
        market._start(dump.minute)
        return market


class _Dump(msgspec.Struct):
    version: int
    anchor_ms: int
    minute: int
    factor: float
    states: dict[str, CoinState]
    candles: dict[str, list[Candle]]
    settlements: dict[str, list[tuple[int, float]]]


def impact_half_bp(coin: Coin) -> float:
    """Distance of the impact prices from the mid, bp.

    The venue's impact notional (about 15,000 USDT) is smaller than the touch, so they would be the
    touch itself. Half of that is taken: it is the value at which the calm preset pins as many
    settlements as were pinned in 2025-26 (36.6 % over all coins).
    """
    return IMPACT_INSIDE * coin.spread_bp[1] / 2.0


def _laid_over(path: Path, state: CoinState, bp: Floats, shift: Floats) -> Path:
    state.log_price += float(shift[-1])
    return path._replace(log_price=path.log_price + shift, premium_bp=path.premium_bp + bp)


def _block(
    coin: Coin, state: CoinState, path: Path, rate: float, minute: int, rng: np.random.Generator
) -> _Block:
    """The minute at 100 ms: a Brownian bridge between the seconds; mark by the venue's median."""
    per = 1000 // MICRO_MS
    sums = np.cumsum(rng.standard_normal((60, per)), axis=1)
    sums *= np.sqrt(path.variance / per)[:, None]
    along = np.arange(per) / per
    bridge = np.zeros((60, per))
    bridge[:, 1:] = sums[:, :-1] - along[None, 1:] * sums[:, -1:]
    lead = path.log_price[:-1, None] * (1.0 - along) + path.log_price[1:, None] * along + bridge
    lead = lead.ravel()
    bp = (path.premium_bp[:-1, None] * (1.0 - along) + path.premium_bp[1:, None] * along).ravel()
    before = state.lag or [float(path.log_price[0])] * SPOT_LAG_STEPS
    follow = np.concatenate((before, lead))[:MICRO_STEPS]
    state.lag = lead[-SPOT_LAG_STEPS:].tolist()
    spot, perp = np.exp(follow), np.exp(lead) * (1.0 + bp * 1e-4)
    index, last = spot[::per], perp[::per]
    mark = _mark(state, index, last, rate, minute)
    drift, size, noise = rng.standard_normal(3).tolist()
    keep = 0.5 ** (1.0 / INTEREST_HALF_LIFE_MIN)
    state.interest = keep * state.interest + INTEREST_SD * math.sqrt(1.0 - keep * keep) * drift
    return _Block(
        spot,
        perp,
        index.tolist(),
        mark.tolist(),
        rate,
        coin.open_interest_usd / coin.price * math.exp(state.interest),
        (_volume(coin, 0, size), _volume(coin, 1, 0.8 * size + 0.6 * noise)),
    )


def _mark(state: CoinState, index: Floats, last: Floats, rate: float, minute: int) -> Floats:
    """Median of (index with the funding still due, index with 2.5 minutes' mean basis, last)."""
    basis = last / index - 1.0
    tail = np.concatenate((state.basis or [float(basis[0])] * MARK_WINDOW_S, basis))
    sums = np.concatenate(([0.0], np.cumsum(tail)))
    mean = (sums[MARK_WINDOW_S:] - sums[:-MARK_WINDOW_S])[1:] / MARK_WINDOW_S
    state.basis = tail[-MARK_WINDOW_S:].tolist()
    t_ms = minute * MINUTE_MS + 1000 * np.arange(60)
    share = (interval_end_ms(minute * MINUTE_MS) - t_ms) / INTERVAL_MS
    return np.asarray(
        np.median(np.stack((index * (1.0 + rate * share), index * (1.0 + mean), last)), axis=0)
    )


def _history(
    coin: Coin, path: Path, first: int, kept: int, rng: np.random.Generator
) -> list[Candle]:
    """The last `kept` minutes of a coarse walk, highs and lows by the bridge's exact law."""
    log_spot = path.log_price[-kept - 1 :]
    log_perp = log_spot + np.log1p(path.premium_bp[-kept - 1 :] * 1e-4)
    variance = path.variance[-kept:]
    chance = -2.0 * np.log(rng.random((2, kept)))
    columns = [_bridge_ohlc(log, variance, chance, coin) for log in (log_spot, log_perp)]
    size = rng.standard_normal((2, kept))
    minutes = range(first + len(path.variance) - kept, first + len(path.variance))
    return [
        Candle(
            minute * MINUTE_MS,
            columns[0][at],
            columns[1][at],
            _volume(coin, 0, float(size[0, at])),
            _volume(coin, 1, float(0.8 * size[0, at] + 0.6 * size[1, at])),
        )
        for at, minute in enumerate(minutes)
    ]


def _bridge_ohlc(
    log: Floats, variance: Floats, chance: Floats, coin: Coin
) -> list[tuple[float, float, float, float]]:
    start, end = log[:-1], log[1:]
    middle, gap = (start + end) / 2.0, (end - start) ** 2
    high = middle + np.sqrt(gap + variance * chance[0]) / 2.0
    low = middle - np.sqrt(gap + variance * chance[1]) / 2.0
    rows = np.round(np.exp(np.stack((start, high, low, end), axis=1)), coin.tick_decimals)
    return [(row[0], row[1], row[2], row[3]) for row in rows.tolist()]


def _ohlc(prices: Floats, decimals: int) -> tuple[float, float, float, float]:
    values = (prices[0], prices.max(), prices.min(), prices[-1])
    opened, high, low, close = (round(float(value), decimals) for value in values)
    return opened, high, low, close


def _volume(coin: Coin, leg: int, size: float) -> float:
    """Coins traded in one minute; size: a unit normal."""
    usual = coin.turnover_day[leg] / 1440.0 / coin.price
    decimals = (coin.spot_lot_decimals, coin.perp_lot_decimals)[leg]
    return round(usual * math.exp(VOLUME_SD * size - VOLUME_SD**2 / 2.0), decimals)
