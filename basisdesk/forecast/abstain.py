"""When the forecast says nothing, and why: each reason a sentence.

A probability is shown with its reasons beside it, and may be acted upon only where there is none.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from basisdesk.forecast.calibration import FORGETTING
from basisdesk.forecast.table import INDEX, NAMES, N, missing
from basisdesk.forecast.words import Vector

N_EFF_MIN = 200.0  # effective outcomes under which nothing is claimed
CORE = ("x_fair", "edge", "z_2h", "sd_2h")  # without one of these there is no score
MISSING_MAX = 12  # of the others; four are of other venues and coins
NAMED_MAX = 4  # missing features that a sentence names
QUANTILE = 0.99
BINS = 96
BIN = 0.125  # of a distance's logarithm: a bin is 13 % wide
LOWEST = math.log(0.02)
LEARNED_MIN = 100  # distances until a 99 % line means anything

SENTENCES = 64  # of each kind that are remembered: most beats say what the one before said

_CORE = tuple(INDEX[name] for name in CORE)
_X, _EDGE, _Z, _SD = _CORE
_FULL = np.zeros(N)
_add = np.add.reduce


class Distances:
    """How far from usual the vectors were that the model learned from.

    A distance is the mean square of the scaled features (model.py): Mahalanobis' with the
    correlations left out, which keeps it O(n) and sees one absurd feature as well as many odd ones.
    """

    def __init__(self) -> None:
        self.n = 0
        self.line = math.inf  # 99 % of what was learned from lies below
        self._counts = [0.0] * BINS

    def take(self, distance: float) -> None:
        """A vector at this distance was learned from."""
        bounded = min(max(distance, 1e-9), 1e9) if distance == distance else 1e9
        place = (math.log(bounded) - LOWEST) // BIN
        self._counts = [count * FORGETTING for count in self._counts]
        self._counts[int(min(max(place, 0.0), BINS - 1.0))] += 1.0
        self.n += 1
        self._draw()

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"n": self.n, "counts": list(self._counts)}

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Distances":
        """The distances of a dump."""
        found = cls()
        found.n = int(kept["n"])
        found._counts = [float(each) for each in kept["counts"]]
        found._draw()
        return found

    def _draw(self) -> None:
        if self.n < LEARNED_MIN:
            return
        left = sum(self._counts) * (1.0 - QUANTILE)
        at = BINS - 1
        while at > 0 and self._counts[at] < left:
            left -= self._counts[at]
            at -= 1
        part = 1.0 - left / self._counts[at] if self._counts[at] > 0.0 else 1.0
        self.line = math.exp(LOWEST + (at + part) * BIN)


class Seen(NamedTuple):
    """What is at hand of one beat. known, distance: as the model read them."""

    stale: str
    vector: Vector
    known: int
    distance: float
    warming: tuple[str, ...]


class Learned(NamedTuple):
    """What the score stands on. line: see `Distances`; review: of the drift watch, "" when off."""

    n_eff: float
    line: float
    review: str


def reasons(seen: Seen, learned: Learned) -> tuple[str, ...]:
    """Why this score may not be acted upon; empty when it may."""
    found = []
    if seen.stale:
        found.append(f"stale: {seen.stale}")
    elif seen.known < N:
        gone = _gone(seen)
        if gone:
            found.append(gone)
    if seen.warming:
        found.append(_warm_up(seen.warming))
    if learned.n_eff < N_EFF_MIN:
        found.append(_too_few(learned.n_eff))
    if seen.distance > learned.line:
        found.append(
            f"unlike what was learned from: distance {seen.distance:.1f},"
            f" 99 % of it were within {learned.line:.1f}"
        )
    if learned.review:
        found.append(f"drift under review: {learned.review}")
    return tuple(found)


def usual(warming: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
    """The reasons of a beat with fresh quotes, nothing needed missing, and nothing unusual."""
    return reasons(Seen("", _FULL, N, 0.0, warming), learned)


def whole(rows: Vector) -> list[bool]:
    """Of each vector, whether all features are there without which there is no score."""
    there = np.isfinite(_add(rows[:, _CORE], 1))  # NaN and infinities stay in a sum
    return list(there.tolist())


def core_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names without which there is no score."""
    return tuple(name for name in CORE if name in names)


@lru_cache(SENTENCES)
def _warm_up(names: tuple[str, ...]) -> str:
    return f"warm-up: {_named(names)}"


@lru_cache(SENTENCES)
def _too_few(n_eff: float) -> str:
    return f"too few effective outcomes: {n_eff:.0f} of {N_EFF_MIN:.0f}"


def _gone(seen: Seen) -> str:
    at = seen.vector.item
    # NaN and infinities stay in a sum: where it is finite all four are there
    if N - seen.known <= MISSING_MAX and math.isfinite(at(_X) + at(_EDGE) + at(_Z) + at(_SD)):
        return ""
    vector = seen.vector
    core = [NAMES[i] for i in _CORE if not math.isfinite(vector[i])]
    if not core and N - seen.known <= MISSING_MAX:
        return ""
    rest = [name for name in missing(vector) if name not in core]
    return f"missing features: {_named((*core, *rest))}"


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED_MAX
    told = ", ".join(names[:NAMED_MAX])
    return f"{told} and {more} more" if more > 0 else told
