"""Small memories of one number each, over irregular time: O(1) a beat, kept and given back exactly.

Every one is read first and told after, so that what is compared with a memory is never in it. All
are plain floats: at this size a Python float beats an array of eight (0.25 us an update against
5.3 us for numpy's six calls on all of them, measured here).

Times are seconds. What is kept is plain JSON: floats digit for digit, NaN as the text "nan".
"""

import math
from collections import deque
from math import expm1, isnan, nan, sqrt
from typing import Any, ClassVar, Self

WARM_WEIGHT = 0.95  # three time constants were heard
COUNT_MIN = 10  # values until a deviation means anything
SILENCE = 3.0  # time constants without a value after which a memory starts anew
GAP_STEPS = 5.0  # a step so much longer than usual is a gap
_NAN = "nan"
AGO_LATE = 1.5  # the newest value that is old enough may be so much too old


class Kept:
    """What can be written down and taken back: every slot, bit for bit.

    `fixed` names slots that the constructor sets and nothing changes.
    """

    __slots__ = ()
    fixed: ClassVar[tuple[str, ...]] = ()

    def dump(self) -> dict[str, Any]:
        """Plain JSON: numbers, "nan", lists, and a dict for each memory inside."""
        return {name: _plain(getattr(self, name)) for name in self._slots()}

    def restore(self, kept: dict[str, Any]) -> Self:
        """Take back what `dump` gave, after whatever went between; gives itself.

        Raises KeyError where a slot is not in it: it is of another version.
        """
        for name in self._slots():
            self._take(name, kept[name])
        return self

    def _slots(self) -> list[str]:
        every = [name for part in reversed(type(self).__mro__) for name in _slots_of(part)]
        return [name for name in every if name not in self.fixed]

    def _take(self, name: str, value: Any) -> None:
        there = getattr(self, name)
        if isinstance(there, Kept):
            there.restore(value)
        elif isinstance(there, deque):
            there.clear()
            there.extend((t_s, _number(x)) for t_s, x in value)
        elif isinstance(value, list):
            setattr(self, name, tuple(map(_number, value)))
        else:
            setattr(self, name, _number(value))


class Ew(Kept):
    """Exponentially weighted mean and deviation over irregular time.

    A value weighs 1 - exp(-dt / tau), dt the time since the one before; the weights are divided by
    their sum, so a young mean is a plain time average (Mueller, 1991). After a silence of 3 tau
    nothing of the memory is left that counts: it starts anew rather than lean on one value.

    mean: NaN before the first value. sd: NaN until `first_s` were heard in at least COUNT_MIN
    values. weight: 0 to 1, the share of a full memory heard. count: values in it.
    """

    __slots__ = ("_least", "count", "mean", "sd", "tau_s", "var", "weight")
    fixed = ("tau_s", "_least")

    def __init__(self, tau_s: float, first_s: float = 0.0) -> None:
        self.tau_s = tau_s
        self._least = first_weight(first_s, tau_s)
        self.mean = self.sd = nan
        self.var = 0.0
        self.weight = 0.0
        self.count = 0

    @property
    def warm(self) -> bool:
        """Three time constants were heard."""
        return self.weight > WARM_WEIGHT

    def z(self, value: float, floor: float) -> float:
        """Distance of a value from the mean in deviations, these at least the floor."""
        sd = self.sd
        if floor > sd:  # NaN stays NaN
            sd = floor
        return (value - self.mean) / sd

    def update(self, dt_s: float, value: float) -> None:
        """Take a finite value, dt after the last one; no time passed adds nothing but the first."""
        count, tau_s = self.count, self.tau_s
        if not count or dt_s > SILENCE * tau_s:
            self.mean, self.sd, self.var, self.weight, self.count = value, nan, 0.0, 0.0, 1
            return
        if dt_s <= 0.0:
            return
        part = -expm1(-dt_s / tau_s)
        weight = self.weight
        self.weight = weight = weight + part * (1.0 - weight)
        part /= weight
        d = value - self.mean
        self.mean += part * d
        self.var = var = (1.0 - part) * (self.var + part * d * d)
        self.count = count = count + 1
        if count >= COUNT_MIN and weight >= self._least:
            self.sd = sqrt(var)


class Smooth(Kept):
    """Exponentially weighted mean with the newest value in it: for what is read, not compared.

    heard_s: since it began, or began anew after a silence of 3 tau.
    """

    __slots__ = ("_most_s", "heard_s", "mean", "tau_s")
    fixed = ("tau_s", "_most_s")

    def __init__(self, tau_s: float) -> None:
        self.tau_s = tau_s
        self._most_s = SILENCE * tau_s
        self.mean = nan
        self.heard_s = 0.0

    @property
    def warm(self) -> bool:
        """Three time constants were heard."""
        return self.heard_s >= SILENCE * self.tau_s

    def take(self, dt_s: float, value: float) -> float:
        """Take a value and give the mean. NaN is passed over, and gives NaN."""
        mean = self.mean
        d = value - mean
        if 0.0 < dt_s <= self._most_s and d == d:
            self.mean = mean = mean - expm1(-dt_s / self.tau_s) * d
            self.heard_s += dt_s
            return mean
        if isnan(value):
            return nan
        if isnan(d) or dt_s > 0.0:
            self.mean, self.heard_s = value, 0.0
        return self.mean


class Steps(Kept):
    """Says when the next sample of a slower grid is due, and whether a gap lies before it.

    least_s: shortest step. A step over five times the least and three times the last one is a gap,
    so a feed of slower rhythm (bars of 5 minutes) is a rhythm, and an outage is not.
    """

    __slots__ = ("_last_s", "least_s", "step_s")
    fixed = ("least_s",)

    def __init__(self, least_s: float) -> None:
        self.least_s = least_s
        self.step_s = nan  # the last step taken
        self._last_s = nan

    def due(self, t_s: float) -> float:
        """Seconds since the last sample where one is due now, else 0. NaN: the first, or a gap."""
        dt = t_s - self._last_s
        if dt < self.least_s:
            return 0.0
        self._last_s = t_s
        if isnan(dt):
            return nan
        usual, self.step_s = self.step_s, dt
        if not isnan(usual):
            usual *= SILENCE
        gap = dt > GAP_STEPS * self.least_s and dt > usual
        return nan if gap else dt


class Ago(Kept):
    """The value of so many seconds ago, from a short queue with one entry a step."""

    __slots__ = ("_rows", "_step_s", "ago_s")
    fixed = ("_step_s", "ago_s")

    def __init__(self, ago_s: float, step_s: float) -> None:
        self.ago_s = ago_s
        self._step_s = step_s
        self._rows: deque[tuple[float, float]] = deque()

    def at(self, t_s: float) -> float:
        """The newest value that is at least `ago_s` old; NaN where it is half as old again."""
        rows = self._rows
        oldest_s = t_s - self.ago_s
        while len(rows) > 1 and rows[1][0] <= oldest_s:
            rows.popleft()
        if rows:
            at_s, value = rows[0]
            if t_s - AGO_LATE * self.ago_s <= at_s <= oldest_s:
                return value
        return nan

    def push(self, t_s: float, value: float) -> None:
        """Remember a value; those nearer than a step to the last one are passed over."""
        rows = self._rows
        if not rows or t_s - rows[-1][0] >= self._step_s:
            rows.append((t_s, value))


class Middle(Kept):
    """A running median, or another quantile, of positive numbers by small steps towards each.

    Stochastic gradient of the quantile loss (Robbins and Monro, 1951; Koenker and Bassett, 1978) on
    the logarithm: a median moves by at most a factor e in `tau_s`, whatever the unit.

    part: of the numbers that lie below it. value: NaN before the first.
    """

    __slots__ = ("heard_s", "part", "tau_s", "value")
    fixed = ("tau_s", "part")

    def __init__(self, tau_s: float, part: float = 0.5) -> None:
        self.tau_s = tau_s
        self.part = part
        self.value = nan
        self.heard_s = 0.0

    def update(self, dt_s: float, value: float) -> None:
        """Take a positive value; equal ones leave the quantile where it is."""
        if isnan(self.value):
            self.value = value
            return
        dt_s = min(dt_s, SILENCE * self.tau_s)
        self.heard_s += dt_s
        step = 2.0 * dt_s / self.tau_s
        if value > self.value:
            self.value = min(value, self.value * math.exp(step * self.part))
        elif value < self.value:
            self.value = max(value, self.value * math.exp(-step * (1.0 - self.part)))


class Autocov(Kept):
    """Half-life of a noisy mean-reverting number, from its autocovariances at lag 1 and 2.

    phi = c2 / c1 is free of white noise of the quote, which a regression on the last value is not:
    noise of 0.3, 0.6 and 1 deviations made 3.8, 1.7 and 0.8 h of a true half-life of 8 h (measured
    here). Samples are one a `step_s` at least: `due` says when, `take` takes one.

    first_s: seconds to hear before it says anything.
    """

    __slots__ = ("_c1", "_c2", "_d1", "_d2", "_least", "_mean", "_step_s", "_steps", "weight")
    fixed = ("_least",)

    def __init__(self, tau_s: float, step_s: float, first_s: float = 0.0) -> None:
        self._least = first_weight(first_s, tau_s)
        self.weight = 0.0
        self._mean = Ew(tau_s)
        self._steps = Steps(step_s)
        self._step_s = 0.0
        self._c1 = self._c2 = 0.0
        self._d1 = self._d2 = nan

    def due(self, t_s: float) -> float:
        """As `Steps.due`."""
        return self._steps.due(t_s)

    def take(self, dt_s: float, value: float) -> None:
        """Take a sample, dt as `due` gave it; NaN and gaps break the chain of neighbours."""
        if dt_s == 0.0:
            return
        mean = self._mean
        if isnan(dt_s) or isnan(value):
            self._d1 = self._d2 = nan
            if not isnan(value):
                mean.update(0.0, value)
            return
        d = value - mean.mean
        if not isnan(self._d2):
            part = -math.expm1(-min(dt_s / mean.tau_s, SILENCE))
            self.weight += part * (1.0 - self.weight)
            part /= self.weight
            self._c1 += part * (d * self._d1 - self._c1)
            self._c2 += part * (d * self._d2 - self._c2)
            self._step_s += part * (dt_s - self._step_s)
        self._d1, self._d2 = d, self._d1
        mean.update(dt_s, value)

    @property
    def half_life_s(self) -> float:
        """Seconds; NaN where the number does not revert. Never beyond the memory it comes from."""
        if self.weight < self._least or not 0.0 < self._c2 < self._c1:
            return nan
        found = self._step_s * math.log(2.0) / math.log(self._c1 / self._c2)
        return min(self._mean.tau_s, found)


def first_weight(first_s: float, tau_s: float) -> float:
    """The weight of a memory that heard so many seconds."""
    return -math.expm1(-first_s / tau_s) * (1.0 - 1e-9)


def _slots_of(part: type) -> tuple[str, ...]:
    return tuple(part.__dict__.get("__slots__", ()))


def _plain(value: Any) -> Any:
    if isinstance(value, Kept):
        return value.dump()
    if isinstance(value, deque):
        return [[t_s, _plain(x)] for t_s, x in value]
    if isinstance(value, tuple):
        return [_plain(x) for x in value]
    if isinstance(value, float) and not math.isfinite(value):
        assert isnan(value), "a memory went to infinity"
        return _NAN
    return value


def _number(value: Any) -> Any:
    return nan if value == _NAN else value
