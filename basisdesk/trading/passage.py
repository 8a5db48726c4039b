"""How fast a basis comes back, and how long it takes to reach a level: statistics, no market.

Reversion is estimated as an Ornstein-Uhlenbeck process (quant.md 2.17): the ratio of the
autocovariances at two lags, which white noise of the quotes does not touch (lag 0 it does). How
long a level takes is the law of its first passage (quant.md 2.29), solved on a grid: the same
input gives the same figures, and nothing is drawn at random.
"""

import math
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SAMPLES_MIN = 240  # fewer show short half-lives only, whatever the true one
LIVES_MIN = 10  # half-lives of data below which an estimate says nothing (quant.md 2.17)
PAIRS_MIN = 30  # pairs of samples that a lag needs
LAGS = (10, 5, 1)  # samples: where the search begins, the next one where one shows nothing
LAG_OF_LIFE = 0.25  # the lags measured at last: this part of the half-life, and twice it
SD_MIN_BP = 0.05  # a basis that moves less stands still
PART = 0.02  # deviations: levels are rounded to it, so that near questions share an answer
GRID = 80
CHANCES = (0.5, 0.1)  # of not being there yet: the median and the 90th percentile
TOP = 3.0  # deviations above the start where the grid ends
STEP_FIRST, STEP_GROWS, UNITS_MAX = 0.004, 1.05, 400.0  # of time, in units of 1 / kappa


class Reversion(msgspec.Struct, frozen=True):
    """A basis that comes back. mean_bp, sd_bp: of the stationary law, quote noise left out.

    half_life_h: hours in which a deviation halves; it comes out too short of few data, by a quarter
    of 15 half-lives of them (quant.md 2). hours: of data it was measured on.
    """

    mean_bp: float
    sd_bp: float
    half_life_h: float
    hours: float

    @property
    def range_h(self) -> tuple[float, float]:
        """The half-life one standard error either way; the upper end may be infinite.

        Of an Ornstein-Uhlenbeck process the error of kappa is sqrt(2 kappa / T), as T grows.
        """
        part = math.sqrt(2.0 * self.half_life_h / (self.hours * math.log(2)))
        return self.half_life_h / (1 + part), self.half_life_h / (
            1 - part
        ) if part < 1 else math.inf


def reversion(samples: Array, step_s: float, around: float = math.nan) -> Reversion | str:
    """Mean, deviation and half-life of evenly spaced samples, bp; or in words why there is none.

    samples: oldest first, NaN where nothing was known; step_s: seconds between two.
    around: the level that they return to where it is known, else their own mean.
    """
    known = samples[np.isfinite(samples)]
    hours = len(known) * step_s / 3600
    if len(known) < SAMPLES_MIN:
        return f"{len(known)} minutes of basis are known, {SAMPLES_MIN} are needed"
    mean = around if math.isfinite(around) else float(known.mean())
    away = samples - mean
    found = next((each for lag in LAGS if (each := _lives(away, lag)) is not None), None)
    if found is None:
        return "the basis shows no return to a mean"
    life, sd = found
    half_life_h = life * step_s / 3600
    if len(known) < LIVES_MIN * life:
        return (
            f"{hours:.1f} h of basis are too few to measure a half-life of about "
            f"{half_life_h:.1f} h; that needs {LIVES_MIN} times as much"
        )
    return Reversion(mean, sd, half_life_h, hours)


def passage_h(start: float, level: float, half_life_h: float) -> tuple[float, float]:
    """(median, 90th percentile) of the hours until a level is first reached.

    start, level: deviations from the mean, start above level; mirror them where it is below.
    """
    if start <= level:
        return 0.0, 0.0
    a, b = _passage(round(start / PART), round(level / PART))
    unit_h = half_life_h / math.log(2)  # 1 / kappa
    return a * unit_h, b * unit_h


@lru_cache(maxsize=512)
def _passage(start_parts: int, level_parts: int) -> tuple[float, float]:
    # In units of 1 / kappa. S(u, t), the chance that the level was not reached by t from u, obeys
    # dS/dt = S'' - u S' with S = 0 at the level; the top is closed. Crank-Nicolson after a few
    # implicit steps, which smooth the corner at the level; the time step grows with time.
    start, level = start_parts * PART, max(level_parts, start_parts - 600) * PART
    if start <= level:
        return 0.0, 0.0
    h = (start + TOP - level) / GRID
    u = level + h * np.arange(1, GRID + 1)
    down, up = 1 / h**2 + u / (2 * h), 1 / h**2 - u / (2 * h)
    down, up = np.maximum(down, 0.0), np.maximum(up, 0.0)
    up[-1] = 0.0
    survive = np.ones(GRID)
    t, dt, done = 0.0, STEP_FIRST, 0
    found: list[float] = []
    at = (start - level) / h - 1
    before = 1.0
    while len(found) < 2 and t < UNITS_MAX:
        part = 1.0 if done < 4 else 0.5
        survive = _step(survive, down, up, dt, part)
        t, done = t + dt, done + 1
        now = float(np.interp(at, np.arange(-1, GRID), np.concatenate(([0.0], survive))))
        found += [
            t - dt * (chance - now) / max(before - now, 1e-12)
            for chance in CHANCES[len(found) :]
            if now <= chance
        ]
        before, dt = now, min(dt * STEP_GROWS, 0.25)
    found += [math.inf] * (2 - len(found))
    return found[0], found[1]


def _step(survive: Array, down: Array, up: Array, dt: float, part: float) -> Array:
    """One step of time; part: how much of it is implicit. Solves the three diagonals."""
    right = survive.copy()
    if part < 1.0:
        low = np.concatenate(([0.0], survive[:-1]))
        high = np.concatenate((survive[1:], survive[-1:]))
        right += (1 - part) * dt * (down * (low - survive) + up * (high - survive))
    a, c = (-part * dt * down).tolist(), (-part * dt * up).tolist()
    b = (1.0 + part * dt * (down + up)).tolist()
    d = right.tolist()
    for i in range(1, GRID):
        w = a[i] / b[i - 1]
        b[i] -= w * c[i - 1]
        d[i] -= w * d[i - 1]
    d[-1] /= b[-1]
    for i in range(GRID - 2, -1, -1):
        d[i] = (d[i] - c[i] * d[i + 1]) / b[i]
    return np.array(d)


def _lives(away: Array, lag: int) -> tuple[float, float] | None:
    """(half-life in samples, deviation) by a lag and its double; None where nothing returns.

    The second time by lags that fit the half-life found first.
    """
    life = sd = math.nan
    for _ in range(2):
        near, far = _covariance(away, lag), _covariance(away, 2 * lag)
        if not (near > SD_MIN_BP**2 and 0.0 < far < near):
            return None
        life, sd = -lag * math.log(2) / math.log(far / near), math.sqrt(near * near / far)
        lag = max(1, round(LAG_OF_LIFE * life))
    return life, sd


def _covariance(away: Array, lag: int) -> float:
    if lag >= len(away):
        return math.nan
    products = away[:-lag] * away[lag:]
    products = products[np.isfinite(products)]
    return float(products.mean()) if len(products) >= PAIRS_MIN else math.nan
