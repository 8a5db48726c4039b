"""The champion: one logistic regression for all pairs, learning one outcome at a time.

Features come as seen from the side of the trade (`table.sided`), so one set of weights serves both
sides and every pair. Each is scaled by an exponentially weighted mean and deviation of the vectors
that were learned from, and of no others: what is scored has no part in its own scale. The weights
step by AdaGrad (Duchi, Hazan, Singer, Adaptive Subgradient Methods, 2011) along the gradient of the
log-loss, with a pull to zero (L2) on all but the bias. The bias steps evenly: it follows the base
rate, which moves.

The steps are small: outcomes that overlap repeat one another, and what a larger step gains in speed
it loses in noise. Of six simulated years (seeds 11 to 16, none of which is reported on) the skill
of the model alone was .095 and .083 at a rate of .05, .126 and .169 at this one.

A missing feature is zero after scaling, which is "as usual", and no indicator is added: with one
venue heard four features are always missing, and an indicator would only learn which pair it is.
Too many missing ones are a reason to abstain (abstain.py), not a thing to learn.

No random and no BLAS: products and sums are made in an order that numpy fixes, so the same outcomes
give the same weights to the last bit. Of many vectors read at once each row is summed by itself in
the order that one vector alone is summed in, so a reading does not depend on what is read with it.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.forecast.table import N
from basisdesk.forecast.words import Vector

FINITE_MAX = 1e9  # a feature beyond it is an error of its maker, and taken as missing
Z_MAX = 8.0  # what one feature may say at most, in deviations
LOGIT_MAX = 30.0  # beyond it a probability is 0 or 1 in all but name
P_MIN = 1e-6
GONE_MAX = 256  # sets of missing features whose places are remembered
_FIRST_SQUARE = 1e-8  # AdaGrad divides by its memory, which must not be nothing
_SEEN_MIN = 30.0  # values until a feature's own deviation may bound what enters its mean

_add, _sub, _mul, _div = np.add, np.subtract, np.multiply, np.divide
_size, _below = np.absolute, np.less_equal
_least, _most, _root, _sum = np.minimum, np.maximum, np.sqrt, np.add.reduce


class ModelRules(NamedTuple):
    """What is fixed before learning.

    rate: AdaGrad's step. l2: pull to zero, a step. memory: outcomes that the scale remembers.
    sd_floor: least deviation of a feature, in its unit; a feature that never moved is not precise.
    bias_rate: step of the bias.
    """

    rate: float = 0.015
    l2: float = 1e-4
    memory: float = 10_000.0
    sd_floor: float = 0.05
    bias_rate: float = 0.006


USUAL = ModelRules()


class Reading(NamedTuple):
    """What the model says of one vector.

    distance: mean square of the scaled features that are there, before they are bounded; 1 is
    usual. known: how many are there.
    """

    raw: float
    logit: float
    bias: float
    contributions: Vector
    distance: float
    known: int


class Readings(NamedTuple):
    """What the model says of many vectors, a row each: as `Reading`.

    z: the vectors in deviations of what was learned from, as `Model.scaled` gives one.
    """

    logits: list[float]
    bias: float
    contributions: Vector
    distances: list[float]
    known: list[int]
    z: Vector


def sigmoid(logit: float) -> float:
    """Probability of a logit, never 0 and never 1."""
    if not -LOGIT_MAX <= logit <= LOGIT_MAX:
        logit = min(max(logit, -LOGIT_MAX), LOGIT_MAX)
    found = 1.0 / (1.0 + math.exp(-logit))
    if P_MIN <= found <= 1.0 - P_MIN:
        return found
    return min(max(found, P_MIN), 1.0 - P_MIN)


def log_loss(p: float, y: int) -> float:
    """Minus the log of what was given to what happened, in nats."""
    return -math.log(max(p if y else 1.0 - p, P_MIN))


class Model:
    """Read a vector, learn an outcome. One step of either costs some microseconds.

    n: outcomes learned from.
    """

    def __init__(self, size: int = N, rules: ModelRules = USUAL) -> None:
        self.rules = rules
        self.size = size
        self.n = 0
        self.weights = np.zeros(size)
        self.bias = 0.0
        self._squares = np.full(size, _FIRST_SQUARE)  # of all gradients so far, AdaGrad's memory
        self._mean = np.zeros(size)
        self._var = np.zeros(size)
        self._seen = np.zeros(size)
        self._scale = np.zeros(size)  # 1 / deviation; 0 before a feature was ever there
        self._apart = np.empty(size)  # from the mean
        self._z = np.empty(size)  # in deviations
        self._gradient = np.empty(size)
        self._spare = np.empty(size)
        self._unseen = True  # a feature was there less than twice
        self._rates = np.full(size, rules.rate)  # an array is read faster than a number
        self._l2s = np.full(size, rules.l2)
        self._memories = np.full(size, rules.memory)
        self._floors = np.full(size, rules.sd_floor)
        self._ones = np.ones(size)
        self._limits = np.full(size, FINITE_MAX)
        self._there = np.empty(size, dtype=np.bool_)
        self._whole = b"\x01" * size  # `_there` where nothing is missing
        self._gone: dict[bytes, NDArray[np.intp]] = {}  # places of what is missing, by `_there`

    # --- reading ---------------------------------------------------------------------------------

    def read(self, x: Vector) -> Reading:
        """What the weights of this moment say. Any input gives finite numbers."""
        distance, known, _ = self._scaled(x)
        contributions = _mul(self.weights, self._z)
        logit = float(_sum(contributions, 0)) + self.bias  # naming the axis saves a fifth
        return Reading(sigmoid(logit), logit, self.bias, contributions, distance, known)

    def read_all(self, rows: Vector) -> Readings:
        """`read` of each row, equal to the last bit, at a tenth of what it costs one by one."""
        there = _below(_size(rows), FINITE_MAX)
        apart = rows - self._mean
        known = _sum(there, 1, np.intp)
        if int(_least.reduce(known)) < self.size:
            apart[~there] = 0.0
        z = _mul(apart, self._scale)
        squares = _sum(_mul(z, z), 1)
        if not float(_most.reduce(squares)) <= Z_MAX * Z_MAX:
            _least(z, Z_MAX, out=z)  # where nothing is far nothing changes
            _most(z, -Z_MAX, out=z)
        contributions = _mul(self.weights, z)
        logits = _add(_sum(contributions, 1), self.bias)
        distances = squares / _most(known, 1)
        return Readings(
            logits.tolist(), self.bias, contributions, distances.tolist(), known.tolist(), z
        )

    def scaled(self, x: Vector) -> Vector:
        """The vector in deviations of what was learned from; 0 where missing."""
        self._scaled(x)
        return self._z.copy()

    # --- learning --------------------------------------------------------------------------------

    def learn(self, x: Vector, y: int) -> float:
        """One step towards an outcome; gives the vector's distance, as it was before.

        It is scaled by what was known before, and then taken into the scale.
        """
        distance, known, far = self._scaled(x)
        z, g, spare = self._z, self._gradient, self._spare
        _mul(self.weights, z, g)
        error = sigmoid(float(_sum(g)) + self.bias) - y
        _mul(z, error, g)
        _mul(self.weights, self._l2s, spare)
        _add(g, spare, g)
        _mul(g, g, spare)
        _add(self._squares, spare, self._squares)
        _root(self._squares, spare)
        _mul(g, self._rates, g)
        _div(g, spare, g)
        _sub(self.weights, g, self.weights)
        self.bias -= self.rules.bias_rate * error
        self._rescale(known, far)
        self.n += 1
        return distance

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that is remembered, as plain JSON; `restored` gives the same model, bit for bit."""
        return {
            "n": self.n,
            "bias": self.bias,
            "weights": self.weights.tolist(),
            "squares": self._squares.tolist(),
            "mean": self._mean.tolist(),
            "var": self._var.tolist(),
            "seen": self._seen.tolist(),
            "rules": list(self.rules),
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Model":
        """The model of a dump."""
        model = cls(len(kept["weights"]), ModelRules(*kept["rules"]))
        model.n = int(kept["n"])
        model.bias = float(kept["bias"])
        model.weights = np.array(kept["weights"], dtype=np.float64)
        model._squares = np.array(kept["squares"], dtype=np.float64)
        model._mean = np.array(kept["mean"], dtype=np.float64)
        model._var = np.array(kept["var"], dtype=np.float64)
        model._seen = np.array(kept["seen"], dtype=np.float64)
        model._scale_again()
        return model

    # --- inside ----------------------------------------------------------------------------------

    def _scaled(self, x: Vector) -> tuple[float, int, bool]:
        # fills _z; gives the mean square of what is there, how much is there, if anything is far
        z, apart, spare, there = self._z, self._apart, self._spare, self._there
        _size(x, spare)
        _below(spare, self._limits, there)  # false for NaN and infinities
        _sub(x, self._mean, apart)
        known, which = self.size, there.tobytes()
        if which != self._whole:
            gone = self._gone.get(which)  # the same features are missing for hours
            if gone is None:
                gone = self._places(which)
            apart[gone] = 0.0
            known -= len(gone)
        _mul(apart, self._scale, z)
        square = float(_sum(_mul(z, z, spare), 0))
        far = square > Z_MAX * Z_MAX
        if far:
            np.minimum(z, Z_MAX, out=z)
            np.maximum(z, -Z_MAX, out=z)
        return square / max(known, 1), known, far

    def _places(self, which: bytes) -> NDArray[np.intp]:
        if len(self._gone) >= GONE_MAX:
            self._gone.clear()
        found = self._gone[which] = np.flatnonzero(~self._there)
        return found

    def _rescale(self, known: int, far: bool) -> None:
        # the moments by count: a plain mean first, then one that forgets
        part, apart, spare = self._gradient, self._apart, self._spare
        if far:  # nothing enters that is farther than Z_MAX from what is usual
            bound = np.where(self._seen > _SEEN_MIN, Z_MAX / np.maximum(self._scale, 1e-12), np.inf)
            np.minimum(apart, bound, out=apart)
            np.maximum(apart, -bound, out=apart)
        there = self._ones if known == self.size else self._there.astype(np.float64)
        _add(self._seen, there, self._seen)
        _least(self._seen, self._memories, out=self._seen)
        if self._unseen:
            _div(there, _most(self._seen, self._ones, out=spare), part)
        else:
            _div(there, self._seen, part)
        _mul(part, apart, spare)
        _add(self._mean, spare, self._mean)
        _mul(spare, apart, spare)
        _add(self._var, spare, self._var)
        _sub(self._ones, part, part)
        _mul(self._var, part, self._var)
        self._scale_again()

    def _scale_again(self) -> None:
        scale = self._scale
        _root(self._var, scale)
        _most(scale, self._floors, out=scale)
        _div(self._ones, scale, scale)
        if self.n < _SEEN_MIN or self._unseen:
            few = self._seen < 2.0
            scale[few] = 0.0
            self._unseen = bool(few.any())
