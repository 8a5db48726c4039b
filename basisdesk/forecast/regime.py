"""What kind of market a pair is in: a rule with hysteresis, and the reason in words.

"stress" goes before all: a spread of five times its median, spot moving as it does one hour in a
hundred, or quotes too old to trade. Then "pinned": funding prints the venue's interest term and the
basis lies within two deviations of where that lets it rest, and within 10 bp, which is how wide the
usual clamp is: after an hour of wide swings two deviations are no nearness. Else "rich" or "cheap":
above or below fair. The reason states gap and band. Each threshold to leave a state lies beyond the
one to enter it, so that a basis on the edge does not flicker. Only what is known at the beat is
used: a label smoothed afterwards would know how it went on.
"""

from math import isnan, nan
from typing import TYPE_CHECKING

from basisdesk.forecast.moments import SILENCE, Kept, Middle
from basisdesk.forecast.table import H1, INDEX

if TYPE_CHECKING:
    from basisdesk.forecast.words import Regime, Tick, Vector

SPREAD_IN, SPREAD_OUT = 5.0, 3.0  # medians
MOVES_IN, MOVES_OUT = 1.0, 0.8  # of the 99 % quantile of rv_10m
PINNED_IN, PINNED_OUT = 2.0, 2.5  # deviations of the basis from fair
CLAMP_BP = 10.0  # from end to end of the usual clamp; times PINNED_OUT / PINNED_IN to leave
SIDE_SD = 0.25  # deviations beyond fair until rich becomes cheap
STRESS_S = 60.0  # it lasts at least so long
SD_FLOOR_BP = 0.3

_RV, _X, _SD = INDEX["rv_10m"], INDEX["x_fair"], INDEX["sd_2h"]
_PINNED = INDEX["pinned"]
_SPREADS = (INDEX["spr_s"], "spot"), (INDEX["spr_f"], "perpetual")


class RegimeState(Kept):
    """The regime of one pair. now: None until enough is known. why: the reason, in words."""

    __slots__ = ("_quantile", "_stress_s", "_t_s", "now", "why")

    def __init__(self) -> None:
        self.now: Regime | None = None
        self.why = "warming up"
        self._stress_s = nan  # when a cause of stress was last seen
        self._t_s = nan
        self._quantile = Middle(H1, 0.99)

    def update(self, tick: "Tick", vector: "Vector") -> "Regime | None":
        """Take a beat and the vector made of it; gives the regime now."""
        t_s = tick.t_ns / 1e9
        cause = self._cause(t_s, tick, vector)
        if cause:
            self._stress_s, self.now, self.why = t_s, "stress", cause
            return self.now
        if t_s - self._stress_s < STRESS_S:
            return self.now
        if self.now == "stress":
            self.now, self.why = None, "after stress"
        x_bp, sd_bp = vector.item(_X), vector.item(_SD)
        if isnan(x_bp) or isnan(sd_bp):
            return self.now
        sd_bp = max(sd_bp, SD_FLOOR_BP)
        limit = PINNED_OUT if self.now == "pinned" else PINNED_IN
        near_bp = limit * min(sd_bp, CLAMP_BP / PINNED_IN)
        if vector.item(_PINNED) == 1.0 and abs(x_bp) < near_bp:
            self.now = "pinned"
            self.why = f"funding prints its constant, {_gap(x_bp, near_bp)}"
            return self.now
        if self.now not in ("rich", "cheap") or abs(x_bp) > SIDE_SD * sd_bp:
            self.now = "rich" if x_bp >= 0.0 else "cheap"
        self.why = _gap(x_bp, PINNED_IN * sd_bp)
        return self.now

    def _cause(self, t_s: float, tick: "Tick", vector: "Vector") -> str:
        """Why this beat is stress, or ""."""
        if tick.stale:
            return tick.stale
        stressed = self.now == "stress"
        moves = self._moves(t_s, vector.item(_RV))
        if moves > (MOVES_OUT if stressed else MOVES_IN):
            return "spot moves as it does one hour in a hundred"
        limit = SPREAD_OUT if stressed else SPREAD_IN
        for at, leg in _SPREADS:
            spread = vector.item(at)
            if spread > limit:
                return f"the spread of the {leg} is {spread:.1f} times its median"
        return ""

    def _moves(self, t_s: float, rv: float) -> float:
        # rv over its quantile of the beats before, NaN until that heard three hours
        if not rv > 0.0:
            return nan
        quantile = self._quantile
        known = quantile.heard_s >= SILENCE * H1
        found = rv / quantile.value if known else nan
        dt = max(0.0, t_s - self._t_s)
        self._t_s = t_s
        quantile.update(dt, rv)
        return found


def _gap(x_bp: float, band_bp: float) -> str:
    place = "inside" if abs(x_bp) < band_bp else "outside"
    return f"basis {x_bp:+.1f} bp from fair, {place} +-{band_bp:.1f}"
