"""A simulated year of one pair in bars of five minutes: where the forecast must show its skill.

Same law as the demo exchange, written here once more because the lab imports no demo: spot with
t(4) moves, a variance that reacts and reverts, and jumps; premium = the level of a mood + a slow
and a fast Ornstein-Uhlenbeck process + decaying jumps; funding by the venue formula on that
premium and nothing fitted to it. Levels and deviations are those measured on Binance history of
2021 ("mania") and 2025 ("calm"). Everything a study says of this world is SIMULATED: it reverts by
construction, so skill in it proves the plumbing and no edge.
"""

import math
from itertools import accumulate
from typing import Literal, NamedTuple

import numpy as np

from basisdesk.lab.forecast_bars import HOUR_NS, NS, PUBLISH_DELAY_NS, Bars, Floats, Ints, Settled

Preset = Literal["mania", "calm"]
PRESETS: tuple[Preset, ...] = ("mania", "calm")

STEP_S = 300.0
YEAR_S = 365.0 * 86_400.0
DAY_S = 86_400.0
START_NS = 1_704_067_200 * NS  # 2024-01-01 00:00 UTC

SPOT_JUMPS_YEAR = 6.0
SPOT_JUMP = (0.03, 0.06)
VARIANCE_HALF_LIFE_S = 2.0 * DAY_S
VARIANCE_REACTION_DAY = 0.25  # weight of one day's squared move
VARIANCE_RANGE = (0.15, 9.0)  # of the long-run variance
SQUARE_MAX = 25.0  # t(4) has no fourth moment: one move counts at most this much
CLIPPED_SQUARE_MEAN = 0.94374  # of min(z^2, SQUARE_MAX)

DWELL_S = 12.0 * DAY_S
LEVEL_HALF_LIFE_S = 1.0 * DAY_S
SLOW_HALF_LIFE_S = 2.0 * DAY_S
JUMPS_YEAR = 30.0
JUMP_IN_FAST_SD = 2.0
JUMP_HALF_LIFE_S = 2.0 * 3_600.0
JUMP_UP_SHARE = 0.6
INTERVAL_H = 8.0
CLAMP = 0.0005

SPREAD_SD = 0.3  # of the log of a spread
TRADES_A_BAR = 300.0
WANDER_HALF_LIFE_S = 6.0 * 3_600.0
WANDERING = {"xv_f_bp": 1.0, "xv_b_bp": 3.0, "mkt_x_bp": 5.0, "sector_z": 1.0}  # sd, own units


class Mood(NamedTuple):
    """One state of the premium: level and deviations, bp, and its share of the time."""

    level: float
    slow_sd: float
    fast_sd: float
    share: float


class Coin(NamedTuple):
    """One coin. spread_bp: effective spread of (spot, perp); cap: fraction per interval."""

    name: str
    price: float
    sd_year: float
    mania: tuple[Mood, ...]
    calm: Mood
    fast_half_life_h: float
    spread_bp: tuple[float, float]
    interest_8h: float = 0.0001
    cap: float = 0.02

    def moods(self, preset: Preset) -> tuple[Mood, ...]:
        """The states of the premium under a preset, shares adding up to 1."""
        return self.mania if preset == "mania" else (self.calm,)


DOGE = Coin(
    "DOGE", 0.16, 1.00,
    (Mood(-5.0, 1.8, 6.0, 0.25), Mood(5.0, 1.8, 9.0, 0.50), Mood(22.0, 1.8, 14.0, 0.25)),
    Mood(-4.6, 0.6, 1.4, 1.0), 2.5, (2.02, 1.35),
)  # fmt: skip
BTC = Coin(
    "BTC", 86_720.0, 0.50,
    (Mood(-4.8, 1.8, 2.0, 0.30), Mood(4.5, 1.8, 3.3, 0.50), Mood(17.0, 1.8, 5.5, 0.20)),
    Mood(-4.3, 0.7, 0.8, 1.0), 1.68, (0.11, 0.11), cap=0.003,
)  # fmt: skip
COINS = {coin.name: coin for coin in (DOGE, BTC)}


def simulate(coin: Coin, preset: Preset, days: float, seed: int) -> Bars:
    """Bars of five minutes over so many days. The same arguments give the same bars, bit for bit.

    An order decided at a close is filled at the next close: five minutes of latency.
    """
    rng = np.random.default_rng([seed, PRESETS.index(preset)])
    steps = round(days * DAY_S / STEP_S)
    spot = coin.price * np.exp(_log_price(coin, steps, rng))
    premium = _premium(coin.moods(preset), coin.fast_half_life_h, steps, rng)
    perp = spot * (1.0 + premium / 1e4)
    t_ns = START_NS + np.arange(1, steps + 1, dtype=np.int64) * round(STEP_S * NS)
    f_ind = indicative(premium, coin)
    settled = _settlements(t_ns, f_ind)
    half_spot, half_perp = (_half_spread(spread, steps, rng) for spread in coin.spread_bp)
    return Bars(
        name=f"SIMULATED {coin.name} {preset} seed {seed}",
        t_ns=t_ns,
        spot=spot,
        perp=perp,
        enter_ns=t_ns + round(STEP_S * NS),
        enter_spot=_next(spot),
        enter_perp=_next(perp),
        half_spot_bp=half_spot,
        half_perp_bp=half_perp,
        f_ind=f_ind,
        settled=settled,
        interval_h=INTERVAL_H,
        interest_8h=coin.interest_8h,
        cap=coin.cap,
        more=_noise(steps, rng),
    )


def indicative(premium_bp: Floats, coin: Coin) -> Floats:
    """Rate as it floats at each close: weights 1, 2, ... over the samples of the running interval.

    Bybit help centre, "Introduction to Funding Rate" (read 2026-08): P + clamp(I - P, 0.05 %),
    P the mean of impact premiums with weights rising by one a sample. A sample at a stamp belongs
    to the interval that ends there.
    """
    half = coin.spread_bp[1] / 2.0
    impact = np.maximum(0.0, premium_bp - half) - np.maximum(0.0, -premium_bp - half)
    count = round(INTERVAL_H * 3_600.0 / STEP_S)
    rows = -(-len(impact) // count)
    padded = np.zeros(rows * count)
    padded[: len(impact)] = impact * 1e-4
    weights = np.arange(1.0, count + 1.0)
    mean = np.cumsum(padded.reshape(rows, count) * weights, axis=1) / np.cumsum(weights)
    rate = mean + np.clip(coin.interest_8h - mean, -CLAMP, CLAMP)
    return np.asarray(np.clip(rate, -coin.cap, coin.cap).ravel()[: len(impact)])


def _settlements(t_ns: Ints, f_ind: Floats) -> Settled:
    full = t_ns % round(INTERVAL_H * HOUR_NS) == 0
    hours = np.full(int(full.sum()), INTERVAL_H)
    return Settled(t_ns[full], f_ind[full], hours, t_ns[full] + PUBLISH_DELAY_NS)


def _half_spread(effective_bp: float, steps: int, rng: np.random.Generator) -> Floats:
    """Half the spread at each close: lognormal around its usual size."""
    return np.asarray(effective_bp / 2.0 * np.exp(SPREAD_SD * rng.standard_normal(steps)))


def _noise(steps: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Books, trades and other venues that say nothing of what comes: 17 features made of noise.

    Sizes are lognormal, trades are counts with a random sign, and what comes from other venues and
    coins wanders with a half-life of hours, because noise with a memory is the kind that fools.
    """
    out: dict[str, Floats] = {}
    for leg in ("spot", "perp"):
        for name in ("bid_size", "ask_size", "bid_5", "ask_5", "bid_10", "ask_10"):
            out[f"{leg}_{name}"] = np.exp(rng.standard_normal(steps))
        trades = rng.poisson(TRADES_A_BAR, steps).astype(np.float64)
        volume = trades * np.exp(0.5 * rng.standard_normal(steps))
        out[f"{leg}_trades"], out[f"{leg}_volume"] = trades, volume
        out[f"{leg}_signed"] = volume * np.tanh(rng.standard_normal(steps))
    for name, sd in WANDERING.items():
        out[name] = _pull(WANDER_HALF_LIFE_S, np.full(steps, sd), rng)
    return out


def _next(values: Floats) -> Floats:
    return np.append(values[1:], math.nan)


def _log_price(coin: Coin, steps: int, rng: np.random.Generator) -> Floats:
    shocks = rng.standard_t(4, steps) / math.sqrt(2.0)
    variance = _variance(shocks)
    moves = coin.sd_year * np.sqrt(variance * (STEP_S / YEAR_S)) * shocks
    for hit in np.flatnonzero(rng.random(steps) < SPOT_JUMPS_YEAR * STEP_S / YEAR_S).tolist():
        moves[hit] += rng.uniform(*SPOT_JUMP) * (1.0 if rng.random() < 0.5 else -1.0)
    return np.cumsum(moves)


def _variance(shocks: Floats) -> Floats:
    """Relative variance before each step: the diffusion limit of GARCH(1,1)."""
    back = math.log(2.0) * STEP_S / VARIANCE_HALF_LIFE_S
    react = VARIANCE_REACTION_DAY * math.sqrt(STEP_S / DAY_S)
    low, high = VARIANCE_RANGE
    pushes = (react * (np.minimum(shocks * shocks, SQUARE_MAX) - CLIPPED_SQUARE_MEAN)).tolist()

    def step(now: float, push: float) -> float:
        now += back * (1.0 - now) + now * push
        return min(max(now, low), high)

    return np.array(list(accumulate(pushes[:-1], step, initial=1.0)))


def _premium(
    moods: tuple[Mood, ...], fast_half_life_h: float, steps: int, rng: np.random.Generator
) -> Floats:
    """Premium at each close, bp, started from its stationary law."""
    level, slow_sd, fast_sd = _mood_path(moods, steps, rng)
    slow = _pull(SLOW_HALF_LIFE_S, slow_sd, rng)
    fast = _pull(fast_half_life_h * 3_600.0, fast_sd, rng)
    return level + slow + fast + _jumps(fast_sd, rng)


def _mood_path(
    moods: tuple[Mood, ...], steps: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """(level, slow sd, fast sd) at each close; a mood dwells 12 days."""
    shares = np.array([mood.share for mood in moods])
    stay = 1.0 - float(shares @ shares)  # chance that a draw changes the mood
    draws = STEP_S / (DWELL_S * stay) if stay > 0.0 else 0.0
    drawn = np.flatnonzero(rng.random(steps) < draws)
    starts = np.concatenate(([0], drawn))
    numbers = rng.choice(len(moods), size=len(starts), p=shares)
    mood = np.repeat(numbers, np.diff(np.append(starts, steps)))
    columns = np.array([m[:3] for m in moods])[mood]
    keep = 0.5 ** (STEP_S / LEVEL_HALF_LIFE_S)
    pulls = (columns[:, 0] * (1.0 - keep)).tolist()
    level = _recursion(keep, pulls[1:], float(columns[0, 0]))
    return level, columns[:, 1], columns[:, 2]


def _pull(half_life_s: float, sd: Floats, rng: np.random.Generator) -> Floats:
    """Ornstein-Uhlenbeck around 0 by its exact law, with the stationary deviation `sd` of now."""
    keep = 0.5 ** (STEP_S / half_life_s)
    noise = sd * rng.standard_normal(len(sd))
    pushes = (noise * math.sqrt(1.0 - keep * keep)).tolist()
    return _recursion(keep, pushes[1:], float(noise[0]))


def _jumps(fast_sd: Floats, rng: np.random.Generator) -> Floats:
    """Decaying jumps of the premium, 30 a year, in deviations of the fast part."""
    steps = len(fast_sd)
    kicks = np.zeros(steps)
    for hit in np.flatnonzero(rng.random(steps) < JUMPS_YEAR * STEP_S / YEAR_S).tolist():
        sign = 1.0 if rng.random() < JUMP_UP_SHARE else -1.0
        kicks[hit] += sign * JUMP_IN_FAST_SD * fast_sd[hit] * rng.exponential()
    keep = 0.5 ** (STEP_S / JUMP_HALF_LIFE_S)
    return _recursion(keep, kicks[1:].tolist(), float(kicks[0]))


def _recursion(keep: float, pushes: list[float], start: float) -> Floats:
    """From the start on: keep * x + push."""
    return np.array(list(accumulate(pushes, lambda x, e: keep * x + e, initial=start)))
