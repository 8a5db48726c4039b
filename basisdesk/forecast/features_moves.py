"""Group E of the features: how spot moves, and which leg leads.

Returns are of 10 seconds at least: on single ticks correlation fades to nothing (Epps, 1979) and
the bounce between bid and ask is taken for volatility.
"""

import math
from math import expm1, log, nan

from basisdesk.forecast.moments import SILENCE, WARM_WEIGHT, Ago, Ew, Kept, Steps, first_weight
from basisdesk.forecast.table import FIRST, H1, M10, M30

YEAR_S = 31_536_000.0
RETURN_S = 9.5  # samples come with the beats, each 10 s at least
HOUR_SD_MIN = 1e-9
RETURN_MAX = 1.0  # of a logarithm: a step beyond it is not one price
RHO_MAX = 0.999_999  # artanh of it is 7.25
T_MIN = 2.0  # deviations by which the legs must be seen to correct one another
LEAD_GAP_S = 10.0


class MoveState(Kept):
    """Second moments of 10 s returns over 10 and 30 minutes; spot of an hour ago."""

    __slots__ = (
        "_corr",
        "_ff",
        "_hour",
        "_hour_sd",
        "_lead",
        "_perp",
        "_sf",
        "_short",
        "_spot",
        "_ss",
        "_steps",
        "_variance",
        "_weight",
        "_year",
    )  # fmt: skip

    def __init__(self) -> None:
        self._steps = Steps(RETURN_S)
        self._year = self._hour_sd = self._corr = nan  # as of the last sample
        self._spot = self._perp = nan  # logarithms at the last sample
        self._variance = 0.0  # of spot, a second
        self._short = 0.0  # weight of it
        self._ss = self._sf = self._ff = 0.0
        self._weight = 0.0  # of these three
        self._hour = Ago(H1, 60.0)
        self._lead = Lead()

    def take(self, t_s: float, mids: tuple[float, float], *, slow: bool) -> tuple[float, ...]:
        """The 4 values of this beat. mids: of spot and perpetual; slow: 10 seconds passed."""
        spot, perp = mids
        if not (spot > 0.0 and perp > 0.0):
            return nan, nan, nan, nan
        spot, perp = log(spot), log(perp)
        hour_sd = self._hour_sd  # as it was before: a move is not in its own deviation
        gone = spot - self._hour.at(t_s)
        if slow:
            self._sample(t_s, spot, perp)
        return (
            self._year,
            gone / hour_sd if hour_sd > HOUR_SD_MIN else nan,
            self._corr,
            self._lead.take(t_s, spot, perp),
        )

    def warm(self) -> tuple[bool, ...]:
        """Whether the memory of each is full."""
        short = self._short > WARM_WEIGHT
        return short, short, self._weight > WARM_WEIGHT, self._lead.weight > WARM_WEIGHT

    def _sample(self, t_s: float, spot: float, perp: float) -> None:
        dt = self._steps.due(t_s)
        if dt > 0.0:
            self._move(dt, spot - self._spot, perp - self._perp)
        self._spot, self._perp = spot, perp
        self._hour.push(t_s, spot)
        known = self._short >= _VARIANCE_LEAST
        self._year = math.sqrt(self._variance * YEAR_S) if known else nan
        self._hour_sd = math.sqrt(self._variance * H1) if known else nan
        self._corr = self._correlation()

    def _move(self, dt: float, spot: float, perp: float) -> None:
        if abs(spot) > RETURN_MAX or abs(perp) > RETURN_MAX:
            return
        part, self._short = _part(dt, M10, self._short)
        self._variance += part * (spot * spot / dt - self._variance)
        part, self._weight = _part(dt, M30, self._weight)
        self._ss += part * (spot * spot / dt - self._ss)
        self._sf += part * (spot * perp / dt - self._sf)
        self._ff += part * (perp * perp / dt - self._ff)

    def _correlation(self) -> float:
        power = self._ss * self._ff
        if self._weight < _CORR_LEAST or not power > 0.0:
            return nan
        rho = self._sf / math.sqrt(power)
        return math.atanh(min(max(rho, -RHO_MAX), RHO_MAX))


class Lead(Kept):
    """Which leg moves to close the gap: shares of price discovery (Gonzalo and Granger, 1995).

    dlnS = aS z, dlnF = aF z with z the log basis of the beat before, less its mean over an hour;
    the share of the perpetual is aS / (aS - aF): 1 where only spot follows. Steps of a second, as
    beats come; a step over 10 s is left out.

    It is told where aS - aF is over 2 deviations: the legs do correct one another. To ask it of
    both, as is usual, would hide the clean case of a leader that does not correct at all.
    """

    __slots__ = ("_dd", "_mean", "_perp", "_spot", "_t_s", "_z", "_zf", "_zs", "_zz", "count",
                 "weight")  # fmt: skip

    def __init__(self) -> None:
        self._t_s = self._spot = self._perp = self._z = nan
        self._mean = Ew(H1)
        self._zz = self._zs = self._zf = self._dd = 0.0
        self.weight = 0.0
        self.count = 0.0  # steps in the memory

    def take(self, t_s: float, spot: float, perp: float) -> float:
        """Take both log prices; gives the perpetual's share, 0 to 1, NaN where it cannot tell."""
        dt = t_s - self._t_s
        if dt < 0.5:
            return self.share
        mean, b = self._mean, perp - spot
        if self._z == self._z and dt <= LEAD_GAP_S:
            self._learn(dt, spot - self._spot, perp - self._perp)
        self._z = b - mean.mean
        mean.update(dt if dt == dt else 0.0, b)
        self._t_s, self._spot, self._perp = t_s, spot, perp
        return self.share

    @property
    def share(self) -> float:
        """The perpetual's share as last known."""
        zz, zs = self._zz, self._zs
        pull = zs - self._zf  # (aS - aF) zz
        if self.weight < _LEAD_LEAST or not (zz > 0.0 and pull > 0.0):
            return nan
        square = pull * pull
        unexplained = self._dd - square / zz
        if square * self.count < T_MIN * T_MIN * unexplained * zz:
            return nan
        found = zs / pull
        if 0.0 <= found <= 1.0:
            return found
        return 0.0 if found < 0.0 else 1.0

    def _learn(self, dt: float, spot: float, perp: float) -> None:
        z = self._z
        if not (-RETURN_MAX <= spot <= RETURN_MAX and -RETURN_MAX <= perp <= RETURN_MAX):
            return
        part = -expm1(-dt / H1)  # dt is far below an hour
        self.weight = weight = self.weight + part * (1.0 - self.weight)
        part /= weight
        count, most = self.count + 1.0, 2.0 * H1 / dt
        self.count = min(count, most)
        d = perp - spot
        self._zz += part * (z * z - self._zz)
        self._zs += part * (z * spot - self._zs)
        self._zf += part * (z * perp - self._zf)
        self._dd += part * (d * d - self._dd)


def _part(dt: float, tau_s: float, weight: float) -> tuple[float, float]:
    # the share that a new value takes of a young memory, and the memory's weight with it
    x = dt / tau_s
    part = -math.expm1(-x if x < SILENCE else -SILENCE)
    weight += part * (1.0 - weight)
    return part / weight, weight


_VARIANCE_LEAST = first_weight(FIRST["rv_10m"], M10)
_CORR_LEAST = first_weight(FIRST["corr"], M30)
_LEAD_LEAST = first_weight(FIRST["lead"], H1)
