"""How much a coin moves in a minute, from the minutes that are known: live, else candles."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from basisdesk.market.day_series import DaySeries
from basisdesk.market.state import Market

MINUTES = 240  # looked back
MINUTES_MIN = 30  # returns needed to say anything
MINUTE_S = 60.0
YEAR_MINUTES = 525_600.0


def minute_sigma(market: Market, key: str) -> float | None:
    """Standard deviation of a leg's 1-minute returns, a fraction; None with too few minutes.

    Of the last MINUTES. A missing minute takes the two returns beside it away and fills in nothing.
    A price that never moved says nothing either.
    """
    closes = np.array(minute_closes(market, key))
    before, after = closes[:-1], closes[1:]
    known = (before > 0) & (after > 0)
    returns = after[known] / before[known] - 1
    return float(returns.std()) or None if len(returns) >= MINUTES_MIN else None


def minute_closes(market: Market, key: str) -> list[float]:
    """A leg's price at each of the last full minutes, oldest first, NaN where there was none.

    Mids of a pair that is watched and has the leg; candles where no pair knows more.
    """
    candles = market.candles.get(key)
    best = _of_candles(candles.rows) if candles is not None else []
    for pair in market.pairs.values():
        column = {pair.spot.key: "spot", pair.perp.key: "perp"}.get(key)
        if column is None or math.isnan(pair.series.t_last):
            continue
        live = _of_series(pair.series, column)
        if _known(live) >= min(_known(best), MINUTES_MIN + 1):
            return live
    return best


def _of_series(series: DaySeries, column: str) -> list[float]:
    ends = MINUTE_S * (series.t_last // MINUTE_S - np.arange(MINUTES, -1, -1.0))
    times, closes = series.many(column, ends)
    closes[~(times > ends - MINUTE_S)] = math.nan
    found: list[float] = closes.tolist()
    return found


def year_pct(sigma: float) -> float:
    """A deviation of 1-minute returns as percent a year, by the square root of time."""
    return 100.0 * sigma * math.sqrt(YEAR_MINUTES)


def _of_candles(rows: Sequence[tuple[int, float]]) -> list[float]:
    if not rows:
        return []
    closes, last_ms = dict(rows), rows[-1][0]
    step_ms = round(1000 * MINUTE_S)
    return [closes.get(last_ms - step_ms * back, math.nan) for back in range(MINUTES, -1, -1)]


def _known(closes: Iterable[float]) -> int:
    return sum(math.isfinite(close) for close in closes)
