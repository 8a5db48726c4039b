"""From the model's own probability to one that can be checked: isotonic, by what truly came of it.

Twenty bins of half a logit each hold what was said and what happened, with forgetting. The curve
through them never falls (pool adjacent violators; Ayer et al., An Empirical Distribution Function
for Sampling with Incomplete Information, 1955), and between the middles of two blocks it is
straight, over the logit. Bins are of equal width in the logit since decisions are made at 80 to
95 %, where bins of equal width in probability are coarse.

Each bin begins with a few outcomes of what the model itself says, so that without data nothing is
changed, and a bin that was never met does not make the curve jump. Those few are effective ones: of
outcomes that overlap, a hundred may be one, and a curve that followed each run of like endings
would undo the order that the model gave (skill .118 instead of .124, measured here).

What is told is drawn towards the base rate as far as past outcomes want it (trust.py).

What is learned from is the raw probability that was stored when the candidate was noted, never one
that is worked out again when its outcome is known.
"""

import math
from bisect import bisect_right
from typing import Any, NamedTuple

from basisdesk.forecast.model import P_MIN, sigmoid
from basisdesk.market.stats import wilson

BINS = 20
WIDTH = 0.5  # of a bin, in logits
LOWEST = -BINS * WIDTH / 2
FORGETTING = 0.9995  # of all counts, at each outcome: half of it is gone after 1,386
FORGETTING_REVIEWED = 0.998  # while drift is under review: after 346
PRIOR = 4.0  # effective outcomes a bin begins with
SHARE_MIN = 1e-3  # of effective outcomes in outcomes


class Told(NamedTuple):
    """A calibrated probability with its interval of 95 %. n: outcomes it stands on.

    own: what the curve alone says, before it is drawn to the base rate.
    """

    p: float
    low: float
    high: float
    n: float
    own: float


class _Curve(NamedTuple):
    # middles of the blocks in logits, rising; their probabilities, not falling; their outcomes
    x: list[float]
    p: list[float]
    n: list[float]


class Calibrator:
    """Tell a probability, learn an outcome. Monotone in what the model says, always."""

    def __init__(self) -> None:
        self.n = 0
        self.forgetting = FORGETTING
        self._count = [0.0] * BINS
        self._hits = [0.0] * BINS
        self._logits = [0.0] * BINS  # sums of what was said
        self._prior = PRIOR
        self._drawn: _Curve | None = None

    def told(self, raw: float, share: float = 1.0, weight: float = 1.0, base: float = 0.5) -> Told:
        """Calibrated p of a raw one, with Wilson's interval (Wilson, 1927).

        share: of the outcomes learned from, how much they count where they overlap in time, 0..1.
        weight: of what the curve says; the base rate has the rest.
        """
        drawn = self._drawn
        own, n = _along(self._curve() if drawn is None else drawn, _logit(raw))
        p = base + weight * (own - base)
        counts = max(1.0, n * share)
        low, high = wilson(p, counts)
        return Told(p, low, high, n, own)

    def learn(self, raw: float, y: int, share: float = 1.0) -> None:
        """Take in how something ended of which the model had said raw. share: as in `told`."""
        keep = self.forgetting
        self._prior = PRIOR / max(share, SHARE_MIN)
        for kept in (self._count, self._hits, self._logits):
            for i in range(BINS):
                kept[i] *= keep
        logit = _logit(raw)
        at = _bin(logit)
        self._count[at] += 1.0
        self._hits[at] += y
        self._logits[at] += logit
        self.n += 1
        self._drawn = None

    def curve(self) -> list[tuple[float, float, float]]:
        """(raw, calibrated, outcomes) at the middle of each block, for a picture."""
        x, p, n = self._curve()
        return [(sigmoid(a), b, c) for a, b, c in zip(x, p, n, strict=True)]

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that is remembered, as plain JSON."""
        return {
            "n": self.n,
            "forgetting": self.forgetting,
            "count": list(self._count),
            "hits": list(self._hits),
            "logits": list(self._logits),
            "prior": self._prior,
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Calibrator":
        """The calibrator of a dump, bit for bit."""
        found = cls()
        found.n = int(kept["n"])
        found.forgetting = float(kept["forgetting"])
        found._count = [float(each) for each in kept["count"]]
        found._hits = [float(each) for each in kept["hits"]]
        found._logits = [float(each) for each in kept["logits"]]
        found._prior = float(kept.get("prior", PRIOR))
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _curve(self) -> _Curve:
        if self._drawn is None:
            self._drawn = self._draw()
        return self._drawn

    def _draw(self) -> _Curve:
        prior = self._prior
        blocks: list[list[float]] = []  # weight, sum of hits, sum of logits, outcomes
        for i in range(BINS):
            middle = LOWEST + (i + 0.5) * WIDTH
            count = self._count[i]
            weight = count + prior
            hits = self._hits[i] + prior * sigmoid(middle)
            blocks.append([weight, hits, self._logits[i] + prior * middle, count])
            while len(blocks) > 1 and _falls(blocks[-2], blocks[-1]):
                last = blocks.pop()
                for k in range(4):
                    blocks[-1][k] += last[k]
        return _Curve(
            [block[2] / block[0] for block in blocks],
            [block[1] / block[0] for block in blocks],
            [block[3] for block in blocks],
        )


def _falls(left: list[float], right: list[float]) -> bool:
    return left[1] * right[0] >= right[1] * left[0]


def _along(curve: _Curve, logit: float) -> tuple[float, float]:
    # straight from middle to middle, level beyond the ends; each step keeps the order of logits
    x, p, n = curve
    at = bisect_right(x, logit)
    if at == 0:
        return p[0], n[0]
    if at == len(x):
        return p[-1], n[-1]
    part = (logit - x[at - 1]) / (x[at] - x[at - 1])
    below, above, fewer = p[at - 1], p[at], n[at - 1]
    told = below + (above - below) * part
    if not below <= told <= above:
        told = min(max(told, below), above)
    return told, fewer + (n[at] - fewer) * part


def _logit(raw: float) -> float:
    if not P_MIN <= raw <= 1.0 - P_MIN:
        raw = min(max(raw, P_MIN), 1.0 - P_MIN) if raw == raw else 0.5
    return math.log(raw / (1.0 - raw))


def _bin(logit: float) -> int:
    return min(max(int((logit - LOWEST) // WIDTH), 0), BINS - 1)
