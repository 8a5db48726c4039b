"""One coin's random walk, at any step length: log price, and perp premium in basis points.

Spot: a common market factor (beta 0.9), a factor of the coin's sector and the coin's own noise, all
with t(4) innovations, a variance that reacts to the last move and reverts (the diffusion limit of
GARCH(1,1)), and jumps. The sector's share of a coin's variance is invented.
Premium: a level that relaxes towards the present mood's, a slow and a fast Ornstein-Uhlenbeck
process, decaying jumps, and a few seconds' noise. Each part is stepped by its exact law, so that
minutes of history and seconds of the present come from the same process.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import Coin, Mood, Preset

Floats = NDArray[np.float64]

YEAR_S = 365.0 * 86_400.0
DAY_S = 86_400.0

MARKET_SD_YEAR = 0.50
BETA = 0.9
SECTOR_SHARE = 0.3  # of the variance that the market factor leaves to a coin
SPOT_JUMPS_YEAR = 6.0
SPOT_JUMP = (0.03, 0.06)
VARIANCE_HALF_LIFE_S = 2.0 * DAY_S
VARIANCE_REACTION_DAY = 0.25  # weight of one day's squared move
VARIANCE_RANGE = (0.15, 9.0)  # of the long-run variance
SQUARE_MAX = 25.0  # t(4) has no fourth moment: one move counts at most this much
CLIPPED_SQUARE_MEAN = 0.94374  # of min(z^2, SQUARE_MAX); a test integrates it

DWELL_S = 12.0 * DAY_S
LEVEL_HALF_LIFE_S = 1.0 * DAY_S
SLOW_HALF_LIFE_S = 2.0 * DAY_S
JUMPS_YEAR = 30.0
JUMP_IN_FAST_SD = 2.0
JUMP_HALF_LIFE_S = 2.0 * 3600.0
JUMP_UP_SHARE = 0.6
NOISE_HALF_LIFE_S = 15.0 * math.log(2.0)
PULL_ROW = 48
NOISE_PER_SPREAD = 0.2  # sd of the seconds' noise, in effective perp spreads


class CoinState(msgspec.Struct):
    """Everything the walk of one coin remembers. Premium parts in bp."""

    log_price: float
    variance: float = 1.0  # of the coin's own noise, in long-run variances
    mood: int = 0
    level: float = 0.0
    slow: float = 0.0
    fast: float = 0.0
    jump: float = 0.0
    noise: float = 0.0


class Tide(NamedTuple):
    """Log returns that coins share: the market's, and one sector's for a yearly deviation of 1."""

    market: Floats
    sector: Floats


class Path(NamedTuple):
    """A walk of n steps: n + 1 points, the first of them where it began."""

    log_price: Floats
    premium_bp: Floats
    noise_bp: Floats  # the part of the premium that lasts a few seconds
    variance: Floats  # per step, of the log price, n long


def first_state(coin: Coin, preset: Preset, rng: np.random.Generator) -> CoinState:
    """A state drawn from the stationary law, so that a short history needs no warm-up."""
    moods = coin.moods(preset)
    number = _draw_mood(moods, float(rng.random()))
    mood = moods[number]
    slow, fast = rng.standard_normal(2).tolist()
    return CoinState(
        log_price=math.log(coin.price),
        mood=number,
        level=mood.level_bp,
        slow=slow * mood.slow_sd_bp,
        fast=fast * mood.fast_sd_bp,
    )


def common_factor(
    variance: float, steps: int, dt_s: float, rng: np.random.Generator, sd_year: float
) -> tuple[Floats, float]:
    """(log returns that many coins share, the factor's variance afterwards)."""
    shocks = _shocks(steps, rng)
    path = _variance_path(variance, shocks, dt_s)
    returns = sd_year * np.sqrt(np.array(path[:-1]) * (dt_s / YEAR_S)) * shocks
    return returns, path[-1]


def walk(
    coin: Coin,
    preset: Preset,
    state: CoinState,
    tide: Tide,
    dt_s: float,
    rng: np.random.Generator,
) -> Path:
    """Walk on by len(tide.market) steps of dt_s seconds; `state` moves to the end of the path."""
    steps = len(tide.market)
    rest_year = coin.sd_year**2 - (BETA * MARKET_SD_YEAR) ** 2
    sector_year = SECTOR_SHARE * rest_year
    shocks = _shocks(steps, rng)
    path = _variance_path(state.variance, shocks, dt_s)
    own = np.array(path[:-1]) * ((rest_year - sector_year) * dt_s / YEAR_S)
    returns = BETA * tide.market + math.sqrt(sector_year) * tide.sector
    returns = returns + np.sqrt(own) * shocks + _spot_jumps(steps, dt_s, rng)
    log_price = np.concatenate(([0.0], np.cumsum(returns))) + state.log_price
    premium, noise = _premium(coin, preset, state, steps, dt_s, rng)
    state.variance = path[-1]
    state.log_price = float(log_price[-1])
    variance = own + ((BETA * MARKET_SD_YEAR) ** 2 + sector_year) * dt_s / YEAR_S
    return Path(log_price, premium, noise, variance)


def premium_bp(state: CoinState) -> float:
    """The premium where the walk stands."""
    return state.level + state.slow + state.fast + state.jump + state.noise


def _premium(
    coin: Coin,
    preset: Preset,
    state: CoinState,
    steps: int,
    dt_s: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """(premium, the seconds' noise in it) at each of steps + 1 points."""
    start, start_noise = premium_bp(state), state.noise
    moods = coin.moods(preset)
    level, slow_sd, fast_sd = _mood_path(moods, state, steps, dt_s, rng)
    normal = rng.standard_normal((3, steps))
    slow = pull(state.slow, SLOW_HALF_LIFE_S, dt_s, slow_sd * normal[0])
    fast = pull(state.fast, coin.fast_half_life_h * 3600.0, dt_s, fast_sd * normal[1])
    noise = pull(state.noise, NOISE_HALF_LIFE_S, dt_s, noise_sd(coin) * normal[2])
    jump = _jump_path(state.jump, fast_sd, dt_s, rng)
    state.slow, state.fast, state.noise = float(slow[-1]), float(fast[-1]), float(noise[-1])
    state.jump = float(jump[-1])
    total = level + slow + fast + noise + jump
    return np.concatenate(([start], total)), np.concatenate(([start_noise], noise))


def noise_sd(coin: Coin) -> float:
    """Deviation of the seconds' noise of the premium, bp."""
    return NOISE_PER_SPREAD * coin.spread_bp[1]


def _mood_path(
    moods: Sequence[Mood], state: CoinState, steps: int, dt_s: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """(level, slow sd, fast sd) after each step; a new mood is drawn about every 12 days."""
    level, slow_sd, fast_sd = np.empty(steps), np.empty(steps), np.empty(steps)
    stay = 1.0 - sum(mood.weight**2 for mood in moods)  # chance that a draw changes the mood
    draws = dt_s / (DWELL_S * stay) if stay > 0 else 0.0
    switches = np.flatnonzero(rng.random(steps) < draws).tolist()
    keep = 0.5 ** (dt_s / LEVEL_HALF_LIFE_S)
    at = 0
    for end in [*switches, steps]:
        mood = moods[state.mood]
        count = end - at
        faded = keep ** np.arange(1, count + 1)
        level[at:end] = mood.level_bp + (state.level - mood.level_bp) * faded
        slow_sd[at:end], fast_sd[at:end] = mood.slow_sd_bp, mood.fast_sd_bp
        if count:
            state.level = float(level[end - 1])
        if end < steps:
            state.mood = _draw_mood(moods, float(rng.random()))
        at = end
    return level, slow_sd, fast_sd


def _draw_mood(moods: Sequence[Mood], chance: float) -> int:
    for number, mood in enumerate(moods):
        chance -= mood.weight
        if chance < 0.0:
            return number
    return len(moods) - 1


def pull(start: float, half_life_s: float, dt_s: float, noise: Floats) -> Floats:
    """Ornstein-Uhlenbeck around 0 by its exact law; noise: unit normals times the stationary sd.

    The recursion x = keep * x + e runs as matrix products over rows of PULL_ROW steps.
    """
    keep = 0.5 ** (dt_s / half_life_s)
    steps = len(noise)
    rows = -(-steps // PULL_ROW)
    padded = np.zeros(rows * PULL_ROW)
    padded[:steps] = noise * math.sqrt(1.0 - keep * keep)
    weights, faded = _pull_weights(keep)
    within = padded.reshape(rows, PULL_ROW) @ weights
    last, drop = within[:, -1].tolist(), float(faded[-1])
    carried = list(accumulate(last[:-1], lambda x, e: drop * x + e, initial=start))
    out = within + np.array(carried)[:, None] * faded
    return np.asarray(out.ravel()[:steps])


@lru_cache(maxsize=256)
def _pull_weights(keep: float) -> tuple[Floats, Floats]:
    powers = np.asarray(keep ** np.arange(PULL_ROW + 1), dtype=np.float64)
    behind = np.arange(PULL_ROW)[None, :] - np.arange(PULL_ROW)[:, None]
    weights = np.where(behind >= 0, powers[np.maximum(behind, 0)], 0.0)
    return weights, powers[1:]


def _jump_path(start: float, fast_sd: Floats, dt_s: float, rng: np.random.Generator) -> Floats:
    """Decaying jumps of the premium."""
    steps = len(fast_sd)
    out = start * 0.5 ** (np.arange(1, steps + 1) * (dt_s / JUMP_HALF_LIFE_S))
    hits = np.flatnonzero(rng.random(steps) < JUMPS_YEAR * dt_s / YEAR_S)
    for hit in hits.tolist():
        sign = 1.0 if rng.random() < JUMP_UP_SHARE else -1.0
        kick = sign * JUMP_IN_FAST_SD * fast_sd[hit] * rng.exponential()
        out[hit:] += kick * 0.5 ** (np.arange(steps - hit) * (dt_s / JUMP_HALF_LIFE_S))
    return np.asarray(out)


def _spot_jumps(steps: int, dt_s: float, rng: np.random.Generator) -> Floats:
    out = np.zeros(steps)
    for hit in np.flatnonzero(rng.random(steps) < SPOT_JUMPS_YEAR * dt_s / YEAR_S).tolist():
        out[hit] = rng.uniform(*SPOT_JUMP) * (1.0 if rng.random() < 0.5 else -1.0)
    return out


def _shocks(steps: int, rng: np.random.Generator) -> Floats:
    """t(4), scaled to variance 1."""
    return rng.standard_t(4, steps) / math.sqrt(2.0)


def _variance_path(start: float, shocks: Floats, dt_s: float) -> list[float]:
    """Relative variance before each step, and after the last: steps + 1 values."""
    back = math.log(2.0) * dt_s / VARIANCE_HALF_LIFE_S
    react = VARIANCE_REACTION_DAY * math.sqrt(dt_s / DAY_S)
    low, high = VARIANCE_RANGE
    squares = np.minimum(shocks * shocks, SQUARE_MAX)
    surprise = (react * (squares - CLIPPED_SQUARE_MEAN)).tolist()
    out, now = [start], start
    for push in surprise:
        now += back * (1.0 - now) + now * push
        if now < low:
            now = low
        elif now > high:
            now = high
        out.append(now)
    return out
