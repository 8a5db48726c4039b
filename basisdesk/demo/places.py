"""The simulated venues: how each one's prices differ from the common path, and how it funds.

A venue follows the coin's path with a lag, deviates from it by a mean reverting noise of its own,
quotes wider or tighter and deeper or thinner, and stands a little above or below the others. All of
this is invented (Kraken: slower, wider, thinner); Bybit's perpetual is the path itself, for it is
what the premium was calibrated as. A deviation is a function of its seed and the time alone: values
at the borders of a day are drawn independently and joined by an Ornstein-Uhlenbeck bridge, so that
any day can be had without the days before it.
"""

import math
from typing import Literal, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import Coin
from basisdesk.demo.walk import pull

Floats = NDArray[np.float64]

DAY_MIN = 1_440
SPOT_HALF_LIFE_MIN, PERP_HALF_LIFE_MIN = 12.0, 100.0
SPOT_SD_PER_SPREAD = 0.2  # of the spot spread
PERP_SD_PER_CALM = 0.35  # of the premium's own calm deviation: correlation of about 0.9
USD_RATE, USDC_RATE = 0.9995, 1.0001  # USD for 1 USDT; USDT for 1 USDC
RATE_SD_BP, RATE_HALF_LIFE_MIN = 1.5, 240.0
INTEREST_SD, INTEREST_HALF_LIFE_MIN = 0.08, 480.0
IMPACT_INSIDE = 0.5  # impact prices lie this far from the mid to the touch, see impact_half_bp

_STREAM = 6  # of random numbers
USD, USDC, OPEN_INTEREST, SPOT_NOISE, PERP_NOISE, OFFSET = range(6)


class Place(NamedTuple):
    """One venue. Pairs are (spot, perp); lags in steps of 100 ms.

    noise, spread, depth: factors on what the coin says, 1 is Bybit's (for noise: 0).
    above_bp: mean and deviation over coins of the premium's constant difference.
    scale: how a rate of N hours is made, see funding.funding_rate.
    hours: shares of coins (not of the largest) with 4 and with 1 hour; the rest has 8.
    """

    name: str
    quote: str
    lag: tuple[int, int]
    noise: tuple[float, float]
    spread: tuple[float, float]
    depth: tuple[float, float]
    above_bp: tuple[float, float]
    scale: Literal["interval", "8h", "24h"]
    hours: tuple[float, float]


PLACES: dict[str, Place] = {
    place.name: place
    for place in (
        Place("bybit", "USDT", (3, 0), (0.0, 0.0), (1.0, 1.0), (1.0, 1.0), (0.0, 0.0),
              "interval", (0.45, 0.1)),
        Place("binance", "USDT", (2, 0), (0.8, 0.8), (0.9, 0.9), (1.8, 1.6), (0.3, 0.5),
              "8h", (0.55, 0.1)),
        Place("okx", "USDT", (3, 1), (1.0, 1.0), (1.1, 1.1), (0.9, 0.8), (-0.2, 0.7),
              "8h", (0.3, 0.15)),
        Place("kraken", "USD", (5, 6), (2.2, 1.8), (1.8, 2.4), (0.35, 0.25), (0.8, 1.4),
              "24h", (0.0, 0.0)),
    )
}  # fmt: skip
PLACE_NUMBER: dict[str, int] = {name: number for number, name in enumerate(PLACES)}


def deviation(seed: int, coin: int, stream: int, day: int, half_life_min: float) -> Floats:
    """A unit Ornstein-Uhlenbeck path at the 1441 minute points of a UTC day.

    stream: what it is for, a small number; the last point is the first of the next day.
    """
    start, end = (
        float(np.random.default_rng([seed, _STREAM, coin, stream, at]).standard_normal())
        for at in (day, day + 1)
    )
    rng = np.random.default_rng([seed, _STREAM, coin, stream, day, 1])
    walked = pull(start, half_life_min, 1.0, rng.standard_normal(DAY_MIN))
    return bridged(np.concatenate(([start], walked)), end, half_life_min)


def bridged(path: Floats, end: float, half_life: float) -> Floats:
    """The path pulled to `end` at its last point, by the exact law of such a process.

    half_life: in steps of the path.
    """
    steps = len(path) - 1
    rate = math.log(2.0) / half_life
    at = np.arange(steps + 1)
    share = np.exp(-rate * (steps - at)) * np.expm1(-2.0 * rate * at)
    return np.asarray(path + (end - path[-1]) * share / math.expm1(-2.0 * rate * steps))


def noise_stream(place: Place, stream: int) -> int:
    """The number of a venue's own stream of deviations."""
    return 16 * (1 + PLACE_NUMBER[place.name]) + stream


def noise_bp(place: Place, coin: Coin) -> tuple[float, float]:
    """Deviations of a venue's spot mid and of its perpetual's premium, bp."""
    calm = math.hypot(coin.calm[1], coin.calm[2])
    return (
        place.noise[0] * SPOT_SD_PER_SPREAD * (coin.spread_bp[0] + 0.4),
        place.noise[1] * PERP_SD_PER_CALM * calm,
    )


def offset_bp(place: Place, coin: Coin, seed: int, number: int) -> float:
    """How far a venue's premium stands above the common one, for ever, bp."""
    mean, sd = place.above_bp
    key = [seed, _STREAM, number, noise_stream(place, OFFSET)]
    calm = math.hypot(coin.calm[1], coin.calm[2])
    return mean + sd * calm / 2.0 * float(np.random.default_rng(key).standard_normal())


def funding_hours(place: Place, coin: Coin, *, usual: bool) -> int:
    """Hours between settlements. usual: one of the coins that has 8 everywhere but on Kraken."""
    if place.scale == "24h":
        return 1
    drawn = crc32(f"{place.name} {coin.name}".encode()) % 1000 / 1000.0
    four, one = place.hours
    if usual or coin.size == "XL" or drawn >= four + one:
        return 8
    return 4 if drawn < four else 1


def impact_half_bp(coin: Coin) -> float:
    """Distance of the impact prices from the mid, bp.

    The venue's impact notional (about 15,000 USDT) is smaller than the touch, so they would be the
    touch itself. Half of that is taken: it is the value at which the calm preset pins as many
    settlements as were pinned in 2025-26 (36.6 % over all coins).
    """
    return IMPACT_INSIDE * coin.spread_bp[1] / 2.0
