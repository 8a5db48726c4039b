"""Running statistics: exponentially weighted mean and deviation, plain mean and extreme; shares."""

import math

WARM_WEIGHT = 0.95  # quant.md 2.18
Z_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


def wilson(share: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Score interval of a share of n independent outcomes (Wilson, 1927); (0, 1) of none.

    Unlike share +- z * standard error it stays within 0 and 1, and holds for few outcomes.
    """
    if not n > 0.0:
        return 0.0, 1.0
    square = z * z / n
    middle = (share + square / 2.0) / (1.0 + square)
    half = z / (1.0 + square) * math.sqrt(share * (1.0 - share) / n + square / (4.0 * n))
    low = middle - half if share > 0.0 else 0.0
    high = middle + half if share < 1.0 else 1.0
    return max(0.0, low), min(1.0, high)


class EwStats:
    """Exponentially weighted mean and deviation over irregular time (quant.md 2.18).

    A value weighs 1 - exp(-dt / tau), dt the time since the value before it, at most 3 tau. The
    weights are divided by their sum, so a young mean is the plain time average of what was heard
    and not a memory of the first tick; once warm this is the recursion of quant.md to the digit.
    Read `mean`, `sd` or `z` first and `update` after: then a value is never in its own mean.

    tau_s: time constant, seconds. weight: 0 to 1, the share of the full memory heard so far.
    """

    __slots__ = ("_t_s", "_var", "mean", "tau_s", "weight")

    def __init__(self, tau_s: float) -> None:
        self.tau_s = tau_s
        self.mean = math.nan
        self.weight = 0.0
        self._var = 0.0
        self._t_s = math.nan

    @property
    def sd(self) -> float:
        """Standard deviation, NaN until time has passed between two values."""
        return math.sqrt(self._var) if self.weight > 0.0 else math.nan

    @property
    def warm(self) -> bool:
        """Three time constants were heard."""
        return self.weight > WARM_WEIGHT

    def z(self, value: float, sd_floor: float) -> float:
        """Distance of a value from the mean in deviations, the deviation at least the floor."""
        return (value - self.mean) / max(self.sd, sd_floor) if self.weight > 0.0 else math.nan

    def update(self, t_s: float, value: float) -> None:
        """Take a value into the mean. NaN is passed over; time not moving on adds no weight."""
        if not math.isfinite(value):
            return
        if math.isnan(self._t_s):
            self._t_s, self.mean = t_s, value
            return
        dt = min(t_s - self._t_s, 3.0 * self.tau_s)
        if dt <= 0.0:
            return
        self._t_s = t_s
        part = -math.expm1(-dt / self.tau_s)
        self.weight += part * (1.0 - self.weight)
        part /= self.weight
        d = value - self.mean
        self.mean += part * d
        self._var = (1.0 - part) * (self._var + part * d * d)


class Tally:
    """Count, mean and the value farthest from zero of everything taken. NaN before the first."""

    __slots__ = ("_sum", "count", "most")

    def __init__(self) -> None:
        self.count = 0
        self.most = math.nan
        self._sum = 0.0

    @property
    def mean(self) -> float:
        """The plain mean."""
        return self._sum / self.count if self.count else math.nan

    def take(self, value: float) -> None:
        """Take a value in. What is not finite is passed over."""
        if not math.isfinite(value):
            return
        self.count += 1
        self._sum += value
        if not abs(value) <= abs(self.most):
            self.most = value
