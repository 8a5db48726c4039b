"""What sectors pay and how their prices moved, at this moment, by the legs of the universe."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from basisdesk.market.funding import rate_8h_bp

if TYPE_CHECKING:
    from basisdesk.market.past import Past
    from basisdesk.market.universe import ScanLeg

LIQUID_DAY = 1_000_000.0  # turnover of a coin's perpetuals together, quote a day, USDT or USD
PRICE_AGE_MIN = 10  # minutes by which a price may be older than the time it is taken for
DAY_MIN, WEEK_MIN = 1_440, 10_080


class CoinNow(NamedTuple):
    """One coin. rate_bp: median over its venues, per 8 h; rate_oi_bp: weighted by open interest.

    interest: open interest in quote, of the venues that say it; 0 where none does.
    """

    rate_bp: float
    rate_oi_bp: float
    interest: float
    liquid: bool


class Level(NamedTuple):
    """Of some coins: median rate, and the mean weighted by open interest, bp per 8 h."""

    coins: int
    liquid: int
    rate_bp: float
    rate_oi_bp: float


def coin_now(legs: Iterable["ScanLeg"], oldest_ns: int) -> CoinNow | None:
    """A coin by its perpetuals whose rate is not older than that; None where there is none."""
    rates: list[float] = []
    paid = interest = turnover = 0.0
    for leg in legs:
        clock = leg.funding
        if clock is None or leg.rate_ns < oldest_ns or not clock.interval_h > 0.0:
            continue
        rate_bp = rate_8h_bp(clock.rate, clock.interval_h)
        if not math.isfinite(rate_bp):
            continue
        rates.append(rate_bp)
        turnover += max(0.0, leg.turnover_day)  # NaN is not known and adds nothing
        held = leg.open_interest * leg.mark
        if held > 0.0:
            paid += rate_bp * held
            interest += held
    if not rates:
        return None
    weighted = paid / interest if interest > 0.0 else math.nan
    return CoinNow(median(rates), weighted, interest, turnover >= LIQUID_DAY)


def level_of(coins: Sequence[CoinNow]) -> Level:
    """Of these coins together; NaN where there are none, or none whose open interest is known."""
    weighed = [coin for coin in coins if coin.interest > 0.0]
    whole = sum(coin.interest for coin in weighed)
    return Level(
        coins=len(coins),
        liquid=sum(coin.liquid for coin in coins),
        rate_bp=median(coin.rate_bp for coin in coins) if coins else math.nan,
        rate_oi_bp=(
            sum(coin.rate_oi_bp * coin.interest for coin in weighed) / whole
            if whole > 0.0
            else math.nan
        ),
    )


def moves_pct(past: "Past", keys: Iterable[str], minute: int) -> tuple[float, float]:
    """How a coin's price moved in a day and in a week, %, by the first leg that knows a day.

    keys: its legs, the most trusted first. minute: now, ms // 60,000.
    """
    for key in keys:
        first, logs = past.minutes(key)
        now = _price(logs, minute - first)
        day = now - _price(logs, minute - DAY_MIN - first)
        if not math.isnan(day):
            week = now - _price(logs, minute - WEEK_MIN - first)
            return math.expm1(day) * 100.0, math.expm1(week) * 100.0
    return math.nan, math.nan


def mean_move(moves: Mapping[str, float], coins: Iterable[str]) -> float:
    """The mean of what is known, each coin alike; NaN of none."""
    known = [moves[coin] for coin in coins if coin in moves and not math.isnan(moves[coin])]
    return fmean(known) if known else math.nan


def _price(logs: "np.ndarray[tuple[int], np.dtype[np.float32]]", place: int) -> float:
    # the newest log price at or before a place, not older than PRICE_AGE_MIN
    stop = min(place + 1, len(logs))
    near = logs[max(0, place - PRICE_AGE_MIN) : max(0, stop)]
    known = np.flatnonzero(~np.isnan(near))
    return float(near[known[-1]]) if len(known) else math.nan
