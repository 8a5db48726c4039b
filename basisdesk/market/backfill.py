"""Candles of two legs as rows of a pair's series: the day before the desk was opened."""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from basisdesk.events import Candles
    from basisdesk.market.funding import FundingClock
    from basisdesk.market.stats import EwStats

MINUTE_S = 60.0
HOLE_S = 90.0  # between two candles, or the last candle and the first live row
_AFTER_S = 0.1  # a gap row stands so long after the row it follows

Minute = tuple[float, float, float, float]  # close time s, spot, perp, mid basis bp


def minutes(spot: "Candles", perp: "Candles", now_ns: int, ratio: float = 1.0) -> list[Minute]:
    """Whole minutes where both legs have a close, oldest first.

    now_ns: desk time, to leave out the running minute; 0 leaves out the newest candle.
    ratio: spot's quote currency per unit of the perp's.
    """
    other = dict(perp.rows)
    both = sorted((ms, close, other[ms]) for ms, close in spot.rows if ms in other)
    until_s = now_ns / 1e9 if now_ns else (both[-1][0] / 1000 if both else 0.0)
    timed = [(ms / 1000 + MINUTE_S, a, b) for ms, a, b in both]
    return [
        (t_s, a, b, 1e4 * (ratio * b - a) / a)
        for t_s, a, b in timed
        if t_s <= until_s and 0 < a < 1e15 and 0 < b < 1e15
    ]


def seed_rows(
    known: Iterable[Minute],
    live_s: float,
    stats: "EwStats",
    funding: "FundingClock",
    fair_bp: Callable[[float], float],
) -> list[list[float]]:
    """Rows for `Series.replace_front`, columns as basis.COLUMNS; `stats` is warmed on the way.

    A close-to-close proxy: open, close and combo basis are NaN. Funding is the rate last published
    at that minute. A gap row stands where minutes are missing, also before live_s, the first live
    row (inf when there is none); minutes at or after it are left out.
    """
    rows: list[list[float]] = []
    nan = math.nan
    for t_s, spot, perp, mid_bp in known:
        if t_s >= live_s:
            break
        if rows and t_s - rows[-1][0] > HOLE_S:
            rows.append(_gap_row(rows[-1]))
        funding_pct = 100 * funding.settled_at(round(t_s * 1000))
        mean_bp, sd_bp, fair = stats.mean, stats.sd, fair_bp(mid_bp)
        row = [t_s, spot, perp, mid_bp, nan, nan, mean_bp, sd_bp, fair, funding_pct]
        rows.append([*row, nan, nan])
        stats.update(t_s, mid_bp)
    if rows and HOLE_S < live_s - rows[-1][0] < math.inf:
        rows.append(_gap_row(rows[-1]))
    return rows


def _gap_row(after: list[float]) -> list[float]:
    return [after[0] + _AFTER_S, *[math.nan] * (len(after) - 1)]
