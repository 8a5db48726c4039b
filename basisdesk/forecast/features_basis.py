"""Group A of the features: the basis, and how unusual it is.

Memories of 30 minutes and more are told each 10 seconds, a hundredth of their time or less, which
halves what a beat costs (4.5 us to 2.1 us, measured here).
"""

import math
from math import isnan, nan
from typing import TYPE_CHECKING

from basisdesk.forecast.moments import WARM_WEIGHT, Ago, Autocov, Ew, Kept
from basisdesk.forecast.table import FIRST, H2, H12, H24, H72, M5, M10, M30

if TYPE_CHECKING:
    from basisdesk.forecast.words import Tick

BASIS_MAX_BP = 5_000.0  # a basis beyond it is not one
SD_FLOOR_BP = 0.3
CROSSED_Z = 1.0  # of z_24h: an excursion begins
HALF_LIFE_MIN_S = 6.0  # a tenth of a minute: shorter ones all look alike on a grid of minutes
STEP_S = 10.0

_NOTHING = (nan,) * 10


class BasisState(Kept):
    """Memories of the basis over 5 minutes to 3 days.

    Public for the panel: mean_5m and mean_2h are the two moving averages, mean_2h with its sd the
    band.
    """

    __slots__ = (
        "_ago",
        "_half",
        "_half_log",
        "_long_s",
        "_out_s",
        "_sd_ratio",
        "_t_s",
        "mean_2h",
        "mean_5m",
        "mean_24h",
        "mean_30m",
        "mean_72h",
    )

    def __init__(self) -> None:
        self._t_s = self._long_s = nan
        self.mean_5m = Ew(M5, FIRST["z_5m"])
        self.mean_30m = Ew(M30, FIRST["sd_ratio"])
        self.mean_2h = Ew(H2, FIRST["z_2h"])
        self.mean_24h = Ew(H24, FIRST["z_24h"])
        self.mean_72h = Ew(H72, FIRST["z_72h"])
        self._half = Autocov(H12, 60.0, FIRST["hl_log"])
        self._half_log = self._sd_ratio = nan
        self._ago = Ago(M10, STEP_S)
        self._out_s = nan  # when the present excursion began

    def take(self, t_s: float, b: float, tick: "Tick", *, slow: bool) -> tuple[float, ...]:
        """The 14 values of this beat, b the mid basis in bp; then it is remembered.

        slow: 10 seconds passed, so the long memories are told too.
        """
        entry_bp = tick.open_bp if tick.direction > 0 else tick.close_bp
        edge_bp = tick.direction * (entry_bp - tick.target_bp) - tick.cost_bp
        if not -BASIS_MAX_BP < b < BASIS_MAX_BP:
            return (nan, _bp(entry_bp), nan, _bp(edge_bp), *_NOTHING)
        floor = tick.floor_bp
        if not floor > SD_FLOOR_BP:
            floor = SD_FLOOR_BP
        m5, m2, m24, m72 = self.mean_5m, self.mean_2h, self.mean_24h, self.mean_72h
        # `Ew.z` spelt out four times, a third of what the calls cost; a NaN deviation stays NaN
        sd_5m, sd_2h, sd_24h, sd_72h = m5.sd, m2.sd, m24.sd, m72.sd
        floored = sd_2h
        if floor > sd_5m:
            sd_5m = floor
        if floor > floored:
            floored = floor
        if floor > sd_24h:
            sd_24h = floor
        if floor > sd_72h:
            sd_72h = floor
        z_24h = (b - m24.mean) / sd_24h
        found = (
            b,
            entry_bp if -BASIS_MAX_BP < entry_bp < BASIS_MAX_BP else nan,
            b - tick.fair_bp,
            edge_bp if -BASIS_MAX_BP < edge_bp < BASIS_MAX_BP else nan,
            (b - m5.mean) / sd_5m,
            (b - m2.mean) / floored,
            z_24h,
            (b - m72.mean) / sd_72h,
            sd_2h,
            self._sd_ratio,
            (m5.mean - m2.mean) / floored,
            self._half_log,
            self._age(t_s, z_24h),
            b - self._ago.at(t_s),
        )
        if not t_s <= self._t_s:
            m5.update(t_s - self._t_s, b)
            self._t_s = t_s
        if slow:
            self._learn(t_s, b, floor)
            self._learn_half(t_s, b, tick)
        return found

    def warm(self) -> tuple[bool, ...]:
        """Whether the memory of each is full."""
        z = [m.warm for m in (self.mean_5m, self.mean_2h, self.mean_24h, self.mean_72h)]
        half = self._half.weight > WARM_WEIGHT
        return (True,) * 4 + (*z, z[1], z[2], z[1], half, z[2], True)

    # --- inside ----------------------------------------------------------------------------------

    def _learn(self, t_s: float, b: float, floor: float) -> None:
        dt = t_s - self._long_s
        self._long_s = t_s
        short, day = self.mean_30m, self.mean_24h
        short.update(dt, b)
        self.mean_2h.update(dt, b)
        day.update(dt, b)
        self.mean_72h.update(dt, b)
        self._ago.push(t_s, b)
        # floored like the deviations of z: two quiet memories are alike
        known = short.sd >= 0.0 and day.sd >= 0.0
        self._sd_ratio = math.log(max(short.sd, floor) / max(day.sd, floor)) if known else nan

    def _learn_half(self, t_s: float, b: float, tick: "Tick") -> None:
        # of the basis of microprices, which jumps less than that of mids
        half = self._half
        dt = half.due(t_s)
        if dt == 0.0:
            return
        spot = tick.spot_micro
        micro_bp = 1e4 * (tick.perp_micro - spot) / spot if spot > 0.0 else nan
        half.take(dt, micro_bp if -BASIS_MAX_BP < micro_bp < BASIS_MAX_BP else b)
        found_s = half.half_life_s
        self._half_log = nan if isnan(found_s) else math.log(max(found_s, HALF_LIFE_MIN_S) / 60.0)

    def _age(self, t_s: float, z: float) -> float:
        # minutes of the present excursion; 0 within, NaN while z is not known
        if isnan(z):
            self._out_s = nan
            return nan
        if -CROSSED_Z < z < CROSSED_Z:
            self._out_s = nan
            return 0.0
        if isnan(self._out_s):
            self._out_s = t_s
        return (t_s - self._out_s) / 60.0


def _bp(value: float) -> float:
    return value if -BASIS_MAX_BP < value < BASIS_MAX_BP else nan
