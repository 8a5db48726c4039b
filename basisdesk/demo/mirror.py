"""The weeks before a market's first day, for pages of past funding: the walk, told backwards.

Away from the first day a coin walks on by the same law with random numbers of its own, and the days
are told in the opposite order. The premium's parts are reversible processes (its rare jumps apart),
so what comes out is as likely a past as any, fits the first day without a seam, costs nothing until
somebody asks, and leaves every path from the first day on as it was.
"""

import copy
from collections.abc import Sequence

import numpy as np

from basisdesk.demo.coins import Coin, Preset
from basisdesk.demo.funding import MINUTE_MS
from basisdesk.demo.places import DAY_MIN
from basisdesk.demo.scenarios import Overlay
from basisdesk.demo.tides import WALK, Tides
from basisdesk.demo.walk import CoinState, Path, walk

MIRROR_DAYS = 20
KEPT_COINS = 8
_NUMBERED = 1_000_000  # days of random numbers that no real day has


class Mirror:
    """Older days of all coins of a market; those of a few coins are kept."""

    def __init__(self, seed: int, preset: Preset, overlays: Sequence[Overlay]) -> None:
        self._seed = seed
        self._preset = preset
        self._overlays = overlays
        self._tides = Tides(seed, _NUMBERED, {})
        self._kept: dict[int, list[Path]] = {}  # by the number of the coin, newest day first
        self._states: dict[int, CoinState] = {}  # where the last of these days ended

    def day(self, coin: Coin, number: int, first_day: int, state: CoinState, back: int) -> Path:
        """The day `back` days before the coin's first, which starts from `state`; without base."""
        days = self._kept.get(number)
        if days is None:
            if len(self._kept) >= KEPT_COINS:
                del self._kept[next(iter(self._kept))]
            days = self._kept[number] = []
            self._states[number] = copy.copy(state)
        while len(days) < back:
            days.append(self._walked(coin, number, first_day, len(days) + 1))
        return days[back - 1]

    def _walked(self, coin: Coin, number: int, first_day: int, back: int) -> Path:
        mirrored = _NUMBERED + back - 1
        rng = np.random.default_rng([self._seed, WALK, number, mirrored])
        tide = self._tides.at(mirrored, coin.sector)
        path = walk(coin, self._preset, self._states[number], tide, 60.0, rng)
        log_price, premium, noise, variance = (np.asarray(each[::-1]) for each in path)
        start = (first_day - back) * DAY_MIN
        t_ms = (start + np.arange(DAY_MIN + 1, dtype=np.int64)) * MINUTE_MS
        for overlay in self._overlays:
            log_price = log_price + overlay.log_price(t_ms)
            premium = premium + overlay.premium_bp(t_ms, number)
        return Path(log_price, premium, noise, variance)
