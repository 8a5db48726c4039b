"""The paths of all coins in steps of a minute, walked a UTC day at a time when first asked for.

A day starts from the state the day before ended with, and draws from a generator seeded with (seed,
coin, day): so a path is a function of the seed and the time, however often and late it is looked
at. Old days are dropped.
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import NUMBER, Coin, Preset
from basisdesk.demo.funding import MINUTE_MS
from basisdesk.demo.mirror import MIRROR_DAYS, Mirror
from basisdesk.demo.places import (
    DAY_MIN,
    RATE_HALF_LIFE_MIN,
    RATE_SD_BP,
    USD,
    USD_RATE,
    USDC,
    USDC_RATE,
    deviation,
)
from basisdesk.demo.scenarios import Overlay
from basisdesk.demo.tides import WALK, Tides
from basisdesk.demo.walk import CoinState, Path, first_state, walk

Floats = NDArray[np.float64]

_FIRST = 3  # stream of random numbers


class Start(NamedTuple):
    """Where a coin's path begins.

    base: log price to add to the walk's own; None: so much that it is `price` at `pin_ms`.
    mirror: the days before; None where a path goes on that began in an earlier run.
    """

    day: int
    state: CoinState
    base: float | None
    pin_ms: int = 0
    price: float = 1.0
    mirror: Mirror | None = None


class CoinDays:
    """The path of one coin: log price in USDT and premium at the minute points of each day."""

    def __init__(
        self,
        coin: Coin,
        seed: int,
        preset: Preset,
        start: Start,
        tides: Tides,
        overlays: Sequence[Overlay],
    ) -> None:
        self.coin = coin
        self.number = NUMBER[coin.name]
        self.first_day = start.day
        self.states: dict[int, CoinState] = {start.day: start.state}
        self._seed = seed
        self._preset = preset
        self._tides = tides
        self._overlays = overlays
        self._days: dict[int, Path] = {}
        self._mirror = start.mirror if coin.kind == "coin" else None
        self.base = start.base or 0.0
        if start.base is None and coin.kind == "coin":
            self._pin(start.pin_ms // MINUTE_MS, math.log(start.price))

    def day(self, day: int) -> Path:
        """The whole day, its last point being the first of the next; the part to come as well.

        Raises ValueError for a day before the first that is kept.
        """
        if day < self.oldest_day:
            raise ValueError(f"day {day} of {self.coin.name} is not kept any more")
        if day < self.first_day and self._mirror is not None:
            first, state = self.first_day, self.states[self.first_day]
            path = self._mirror.day(self.coin, self.number, first, state, first - day)
            return path._replace(log_price=path.log_price + self.base)
        while day not in self._days:
            self._walk(max(self.states))
        return self._days[day]

    @property
    def oldest_day(self) -> int:
        """The first day there is; those before `first_day` are walked backwards when asked for."""
        return self.first_day - (MIRROR_DAYS if self._mirror is not None else 0)

    def point(self, minute: int) -> tuple[float, float, float]:
        """(log price, premium, seconds' noise in it) at the start of a minute."""
        path, at = self.day(minute // DAY_MIN), minute % DAY_MIN
        return float(path.log_price[at]), float(path.premium_bp[at]), float(path.noise_bp[at])

    def state(self, day: int) -> CoinState:
        """The state a day starts from."""
        while day not in self.states:
            self._walk(max(self.states))
        return self.states[day]

    def drop_before(self, day: int) -> None:
        """Forget the days before."""
        if day > self.first_day and day in self.states:
            self.first_day, self._mirror = day, None
            for old in [at for at in self._days if at < day]:
                del self._days[old]
            self.states = {at: state for at, state in self.states.items() if at >= day}

    def _pin(self, minute: int, log_price: float) -> None:
        self.base = log_price - self.point(minute)[0]
        for day, path in self._days.items():
            self._days[day] = path._replace(log_price=path.log_price + self.base)

    def _walk(self, day: int) -> None:
        if self.coin.kind == "money":
            self._days[day] = _money(self.coin, self._seed, day)
            self.states[day + 1] = self.states[day]
            return
        state = copy.copy(self.states[day])
        rng = np.random.default_rng([self._seed, WALK, self.number, day])
        tide = self._tides.at(day, self.coin.sector)
        path = walk(self.coin, self._preset, state, tide, 60.0, rng)
        self.states[day + 1] = state
        t_ms = (day * DAY_MIN + np.arange(DAY_MIN + 1, dtype=np.int64)) * MINUTE_MS
        for overlay in self._overlays:
            path = path._replace(
                log_price=path.log_price + overlay.log_price(t_ms),
                premium_bp=path.premium_bp + overlay.premium_bp(t_ms, self.number),
            )
        self._days[day] = path._replace(log_price=path.log_price + self.base)


def _money(coin: Coin, seed: int, day: int) -> Path:
    """USDC in USDT wanders a little around its rate; USDT itself is what we count in."""
    log_price = np.zeros(DAY_MIN + 1)
    if coin.name == "USDC":
        path = deviation(seed, NUMBER["USDC"], USDC, day, RATE_HALF_LIFE_MIN)
        log_price = math.log(USDC_RATE) + RATE_SD_BP * 1e-4 * path
    still = np.zeros(DAY_MIN + 1)
    return Path(log_price, still, still, np.zeros(DAY_MIN))


def usd_day(seed: int, day: int, overlays: Sequence[Overlay]) -> Floats:
    """Log of USD for one USDT at the minute points of a day."""
    path = deviation(seed, NUMBER["USDT"], USD, day, RATE_HALF_LIFE_MIN)
    out = math.log(USD_RATE) + RATE_SD_BP * 1e-4 * path
    t_ms = (day * DAY_MIN + np.arange(DAY_MIN + 1, dtype=np.int64)) * MINUTE_MS
    for overlay in overlays:
        out = out + overlay.log_usd(t_ms)
    return np.asarray(out)


def spanned(first: int, count: int, day_of: Callable[[int], Floats]) -> Floats:
    """`count` minute points from minute `first` on, of arrays by day."""
    parts = []
    while count > 0:
        day, at = divmod(first, DAY_MIN)
        some = min(count, DAY_MIN - at)
        parts.append(day_of(day)[at : at + some])
        first, count = first + some, count - some
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def fresh_state(coin: Coin, preset: Preset, seed: int) -> CoinState:
    """A coin's state where nothing is known of it."""
    if coin.kind == "money":
        return CoinState(0.0)
    return first_state(coin, preset, np.random.default_rng([seed, _FIRST, NUMBER[coin.name], 0]))
