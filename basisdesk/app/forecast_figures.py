"""What stands beside a score: the expected hold, the settlements to come, averages and bands."""

import math
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from basisdesk.app.forecast_pairs import Watched
from basisdesk.forecast.view import Bands, Due, Funding, Hold
from basisdesk.forecast.words import Tick
from basisdesk.trading.hold_time import Holds

if TYPE_CHECKING:
    from basisdesk.engine import Engine
    from basisdesk.forecast.features import FeatureState
    from basisdesk.market.funding import FundingClock

HOUR_MS = 3_600_000
CALENDAR_H, CALENDAR_H_MAX = 24.0, 168.0  # of settlements shown; farther where the hold is longer
DUES_MAX = 72
MEAN_OF = 9  # last settlements, whose mean later ones are expected at
SD_FLOOR_BP = 0.3


def hold_of(watched: Watched, tick: Tick, holds: Holds, engine: "Engine") -> Hold:
    """Hours until the target, by like gaps or the half-life; costs some 10 ms the first time.

    See trading/hold_time.py for what they are measured on, and passage.py for the law.
    """
    position, market, now_ns = watched.position, engine.market, engine.now_ns
    if position is not None and position.plan.target_bp is not None:
        found = holds.of(position, market, engine.settings, now_ns)
    elif not isfinite(tick.target_bp):
        return Hold(why="fair value is not known, so there is no target")
    else:
        levels = tick.exit_bp(tick.direction), tick.target_bp
        found = holds.until(watched.key, tick.direction, levels, market, now_ns)
    median_h = nan if found.median_h is None else found.median_h
    p90_h = nan if found.p90_h is None else found.p90_h
    if found.may_never:
        median_h = p90_h = inf
    like, seen = found.like, found.reversion
    low_h, high_h = seen.range_h if seen is not None else (nan, nan)
    return Hold(
        median_h=median_h,
        p90_h=p90_h,
        may_never=found.may_never,
        why=found.why,
        came=like.came if like is not None else 0,
        gaps=like.n if like is not None else 0,
        half_h=seen.half_life_h if seen is not None else nan,
        half_low_h=low_h,
        half_high_h=high_h,
        hours=found.minutes / 60 if found.minutes else nan,
    )


def funding_of(clock: "FundingClock", direction: int, hold: Hold, now_ms: int) -> Funding:
    """The settlements to come and what they should pay a side over the expected hold.

    direction: +1 is paid by a positive rate. The running interval is expected to settle at its
    indicative rate, later ones at the mean of the last MEAN_OF published, brought to the interval.
    """
    hours = clock.interval_h
    if not clock.next_ms or not hours > 0.0:
        return Funding(why="the venue has not said when it settles")
    last = clock.settled[-MEAN_OF:]
    rates = [rate * hours / own_h for ms, rate in last if (own_h := clock.interval_at(ms)) > 0.0]
    mean_bp = 1e4 * math.fsum(rates) / len(rates) if rates else nan
    first_bp = 1e4 * clock.rate
    ahead_h = min(max(CALENDAR_H, hold.p90_h if isfinite(hold.p90_h) else 0.0), CALENDAR_H_MAX)
    dues: list[Due] = []
    at_ms, step_ms = clock.next_ms, round(hours * HOUR_MS)
    while at_ms <= now_ms:
        at_ms += step_ms
    first_ms = at_ms
    while at_ms <= now_ms + ahead_h * HOUR_MS and len(dues) < DUES_MAX:
        indicative = at_ms == first_ms and isfinite(first_bp)
        dues.append(Due(at_ms, direction * (first_bp if indicative else mean_bp), indicative))
        at_ms += step_ms
    if not dues:
        dues = [Due(first_ms, direction * first_bp, indicative=True)]
    why = "" if isfinite(hold.median_h) else "how long it is held is not known"
    return Funding(
        tuple(dues), _over(dues, hold.median_h, now_ms), _over(dues, hold.p90_h, now_ms), why
    )


def _over(dues: list[Due], hours: float, now_ms: int) -> float:
    if not 0.0 <= hours <= CALENDAR_H_MAX:
        return nan
    return math.fsum(due.bp for due in dues if due.at_ms <= now_ms + hours * HOUR_MS)


def bands_of(features: "FeatureState", tick: Tick) -> Bands:
    """The two averages and the band of the basis, without this beat."""
    basis = features.basis
    fast, slow, sd = basis.mean_5m.mean, basis.mean_2h.mean, basis.mean_2h.sd
    floor = max(SD_FLOOR_BP, tick.floor_bp)
    return Bands(tick.mid_bp, fast, slow, sd, tick.fair_bp, (fast - slow) / max(sd, floor))
