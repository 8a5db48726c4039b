"""Like cases of the past: "in k similar cases, y % came out within z h", with count and interval.

Alike is what looks alike in the few features that a person would name, each in deviations of what
is remembered, seen from the side of the trade. The nearest cases are taken, and none that is far.
Cases that share hours are not independent, so the interval counts what is effective. Only cases
whose whole horizon is known are remembered: the quick ones would come first.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from basisdesk.forecast.table import INDEX
from basisdesk.forecast.words import Vector
from basisdesk.market.stats import wilson

BY = ("x_fair", "edge", "z_24h", "sd_2h", "f_ind")
CASES_MAX = 4_096  # remembered, the oldest go first
NEAREST = 100  # cases that are taken at most
FAR = 1.0  # root mean square distance, deviations, beyond which a case is not alike
CASES_MIN = 10  # under which there is nothing to say
SD_FLOOR = 1e-6

_BY = [INDEX[name] for name in BY]
_WIDTH = len(BY) + 4  # the features, then y, hours, seconds, pair


class Analogues(NamedTuple):
    """What became of like cases. n: cases; n_eff: of them independent.

    share, low, high: of successes, with an interval of 95 % on n_eff. median_h, p90_h: hours until
    success over all n cases, inf where so many never had it. net_bp: mean net.
    """

    n: int
    n_eff: float
    share: float
    low: float
    high: float
    median_h: float
    p90_h: float
    net_bp: float
    horizon_h: float

    @property
    def text(self) -> str:
        """The sentence."""
        if self.n < CASES_MIN:
            return f"{self.n} similar cases, too few to tell."
        within = self.median_h if math.isfinite(self.median_h) else self.horizon_h
        so_many = 0.5 if math.isfinite(self.median_h) else self.share
        return (
            f"In {self.n} similar cases ({self.n_eff:.0f} independent) {100 * self.share:.0f} %"
            f" came out ({100 * self.low:.0f} to {100 * self.high:.0f} %),"
            f" {100 * so_many:.0f} % within {within:.1f} h."
        )


class Memory:
    """The last cases, and those like a vector."""

    def __init__(self, horizon_h: float) -> None:
        self.horizon_h = horizon_h
        self._rows = np.empty((0, _WIDTH + 1))
        self._n = 0
        self._pairs: dict[str, int] = {}

    def __len__(self) -> int:
        return min(self._n, CASES_MAX)

    def take(self, seen: Vector, pair: str, t_ns: int, end: tuple[int, float, float]) -> None:
        """Remember a case. seen: from its side; end: (y, hours to the first barrier, net bp)."""
        if len(self._rows) < CASES_MAX and self._n >= len(self._rows):
            more = np.full((max(64, len(self._rows)), _WIDTH + 1), np.nan)
            self._rows = np.concatenate((self._rows, more))[:CASES_MAX]
        row = self._rows[self._n % CASES_MAX]
        row[: len(BY)] = seen[_BY]
        row[len(BY) :] = (
            end[0],
            end[1],
            t_ns / 1e9,
            self._pairs.setdefault(pair, len(self._pairs)),
            end[2],
        )
        self._n += 1

    def like(self, seen: Vector) -> Analogues:
        """What became of the cases that are like this vector, seen from its side."""
        rows = self._rows[: len(self)]
        here = np.asarray(seen, dtype=np.float64)[_BY]
        told = np.isfinite(here)
        if len(rows) < CASES_MIN or not told.any():
            return self._found(rows[:0])
        past = rows[:, : len(BY)][:, told]
        whole = np.isfinite(past).all(axis=1)
        if np.count_nonzero(whole) < CASES_MIN:
            return self._found(rows[:0])
        sd = np.maximum(past[whole].std(axis=0), SD_FLOOR)
        with np.errstate(over="ignore"):
            apart = np.sqrt((((past - here[told]) / sd) ** 2).mean(axis=1))
        apart[~whole] = np.inf
        order = np.argsort(apart, kind="stable")[:NEAREST]
        return self._found(rows[order[apart[order] <= FAR]])

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All cases as plain JSON, None where a feature was missing."""
        rows = self._rows[: len(self)]
        return {
            "horizon_h": self.horizon_h,
            "n": self._n,
            "pairs": dict(self._pairs),
            "rows": [[v if math.isfinite(v) else None for v in row] for row in rows.tolist()],
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Memory":
        """The memory of a dump."""
        found = cls(float(kept["horizon_h"]))
        found._n = int(kept["n"])
        found._pairs = {str(pair): int(i) for pair, i in kept["pairs"].items()}
        rows = np.array(kept["rows"], dtype=np.float64)  # None becomes NaN
        found._rows = rows.reshape(-1, _WIDTH + 1)
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _found(self, rows: Vector) -> Analogues:
        n = len(rows)
        if not n:
            nan = math.nan
            return Analogues(0, 0.0, nan, 0.0, 1.0, nan, nan, nan, self.horizon_h)
        y, hours, t_s, pair, net = rows[:, len(BY) :].T
        n_eff = _independent(t_s, pair, self.horizon_h * 3_600.0)
        share = float(y.mean())
        low, high = wilson(share, n_eff)
        until = np.sort(np.where(y > 0.0, hours, np.inf))
        return Analogues(
            n=n,
            n_eff=n_eff,
            share=share,
            low=low,
            high=high,
            median_h=float(until[math.ceil(0.5 * n) - 1]),
            p90_h=float(until[math.ceil(0.9 * n) - 1]),
            net_bp=float(net.mean()),
            horizon_h=self.horizon_h,
        )


def _independent(t_s: Vector, pair: Vector, horizon_s: float) -> float:
    # the time that the cases cover, pair by pair, in horizons
    order = np.lexsort((t_s, pair))
    t_s, pair = t_s[order], pair[order]
    own = np.minimum(np.diff(t_s) / horizon_s, 1.0)
    own[np.diff(pair) != 0.0] = 1.0
    return 1.0 + float(own.sum())
