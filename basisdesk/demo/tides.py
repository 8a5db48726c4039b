"""What coins have in common: returns of the whole market and of each sector, a day at a time."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import SECTORS
from basisdesk.demo.places import DAY_MIN
from basisdesk.demo.walk import MARKET_SD_YEAR, Tide, common_factor

Floats = NDArray[np.float64]

WALK = 2  # stream of random numbers
MARKET = "market"
_MARKET = 10_000  # numbers of the common factors, beyond those of the coins


class _Factor:
    """One series of returns that coins share, by day; its variance carries on."""

    def __init__(self, key: tuple[int, int], sd_year: float, day: int, variance: float) -> None:
        """key: (seed, number) of its random numbers. day: the first, starting at `variance`."""
        self._key = key
        self._sd_year = sd_year
        self._days: dict[int, Floats] = {}
        self._variances = {day: variance}

    def at(self, day: int) -> Floats:
        """Returns of the minutes of a day."""
        self.variance(day + 1)
        return self._days[day]

    def variance(self, day: int) -> float:
        """The variance a day starts with. Raises ValueError for a day that is not kept any more."""
        if day < min(self._variances):
            raise ValueError(f"day {day} of the common factors is not kept any more")
        while day not in self._variances:
            last = max(self._variances)
            seed, number = self._key
            rng = np.random.default_rng([seed, WALK, number, last])
            self._days[last], self._variances[last + 1] = common_factor(
                self._variances[last], DAY_MIN, 60.0, rng, self._sd_year
            )
        return self._variances[day]

    def drop_before(self, day: int) -> None:
        """Forget the days before."""
        self.variance(day)
        self._days = {at: path for at, path in self._days.items() if at >= day}
        self._variances = {at: value for at, value in self._variances.items() if at >= day}


class Tides:
    """What coins have in common: the market's and the sectors' factors, each when asked for.

    start: variances at the start of the first day by factor, 1 where it names none.
    """

    def __init__(self, seed: int, first_day: int, start: Mapping[str, float]) -> None:
        self.first_day = first_day
        self._seed = seed
        self._start = dict(start)
        self._factors: dict[str, _Factor] = {}

    def at(self, day: int, sector: str) -> Tide:
        """Returns of one day, as a coin of the sector feels them."""
        return Tide(self._factor(MARKET).at(day), self._factor(sector).at(day))

    def variances(self, day: int) -> dict[str, float]:
        """What a later run needs to go on from the start of a day."""
        return {name: factor.variance(day) for name, factor in self._factors.items()}

    def drop_before(self, day: int) -> None:
        """Forget the days before; a factor nobody asked for yet will start here."""
        if day > self.first_day:
            self.first_day = day
            for factor in self._factors.values():
                factor.drop_before(day)

    def _factor(self, name: str) -> _Factor:
        found = self._factors.get(name)
        if found is None:
            number = _MARKET + (SECTORS.index(name) + 1 if name != MARKET else 0)
            sd_year = MARKET_SD_YEAR if name == MARKET else 1.0
            start = self._start.get(name, 1.0)
            found = _Factor((self._seed, number), sd_year, self.first_day, start)
            self._factors[name] = found
        return found
