"""One minute of one coin in steps of 100 ms, between the minute points of its path."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import Coin
from basisdesk.demo.days import CoinDays
from basisdesk.demo.places import DAY_MIN, bridged
from basisdesk.demo.walk import BETA, MARKET_SD_YEAR, NOISE_HALF_LIFE_S, noise_sd, pull

Floats = NDArray[np.float64]

MICRO_MS = 100
MICRO_STEPS = 60_000 // MICRO_MS
_PER_S = 1000 // MICRO_MS
_ALONG = np.arange(MICRO_STEPS) / MICRO_STEPS
_BRIDGE = 4  # stream of random numbers
_ALL_COINS = 10_000
KEPT = 3  # minutes


class Micro(NamedTuple):
    """600 steps: log price, and premium in bp, before any venue's lag and noise."""

    log_price: Floats
    premium_bp: Floats


class Minutes:
    """The last few minutes of one coin that were looked at."""

    def __init__(self, days: CoinDays, seed: int, shared: Callable[[int], Floats]) -> None:
        """shared: unit normals of a minute that all coins feel, MICRO_STEPS of them."""
        self._days = days
        self._seed = seed
        self._shared = shared
        self._kept: dict[int, Micro] = {}

    def at(self, minute: int) -> Micro:
        """That minute."""
        found = self._kept.get(minute)
        if found is None:
            if len(self._kept) >= KEPT:
                del self._kept[min(self._kept)]
            found = self._kept[minute] = self._made(minute)
        return found

    def lagged(self, minute: int, steps: int) -> Floats:
        """Log prices of the minute as they were so many steps ago."""
        if steps == 0:
            return self.at(minute).log_price
        before = self.at(minute - 1).log_price
        return np.concatenate((before[-steps:], self.at(minute).log_price[:-steps]))

    def _made(self, minute: int) -> Micro:
        coin, days = self._days.coin, self._days
        start, end = days.point(minute), days.point(minute + 1)
        variance = float(days.day(minute // DAY_MIN).variance[minute % DAY_MIN])
        rng = np.random.default_rng([self._seed, _BRIDGE, days.number, minute])
        heavy = 1.0 / rng.gamma(2.0, 1.0, 60)  # mixed over: t(4) seconds
        own, rho = rng.standard_normal(MICRO_STEPS), _shared_part(coin)
        steps = rho * self._shared(minute) + math.sqrt(1.0 - rho * rho) * own
        steps *= np.repeat(np.sqrt(np.minimum(heavy, 10.0) * (variance / MICRO_STEPS)), _PER_S)
        walked = np.cumsum(steps)
        bridge = np.concatenate(([0.0], walked[:-1])) - walked[-1] * _ALONG
        lead = start[0] + (end[0] - start[0]) * _ALONG + bridge
        calm = (start[1] - start[2]) * (1.0 - _ALONG) + (end[1] - end[2]) * _ALONG
        return Micro(lead, calm + _noise(coin, start[2], end[2], rng))


def shared_steps(seed: int, minute: int) -> Floats:
    """Unit normals of a minute that all coins feel."""
    rng = np.random.default_rng([seed, _BRIDGE, _ALL_COINS, minute])
    return rng.standard_normal(MICRO_STEPS)


def _shared_part(coin: Coin) -> float:
    return min(0.95, BETA * MARKET_SD_YEAR / coin.sd_year) if coin.sd_year > 0.0 else 0.0


def _noise(coin: Coin, start: float, end: float, rng: np.random.Generator) -> Floats:
    sd = noise_sd(coin)
    if sd == 0.0 or coin.kind == "money":
        return np.zeros(MICRO_STEPS)
    walked = pull(start, NOISE_HALF_LIFE_S, 1.0, sd * rng.standard_normal(60))
    seconds = bridged(np.concatenate(([start], walked)), end, NOISE_HALF_LIFE_S)
    return np.interp(np.arange(MICRO_STEPS) / _PER_S, np.arange(61), seconds)
