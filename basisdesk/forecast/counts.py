"""What is counted beside the model: effective outcomes, payoffs, and the forecasts it has to beat.

All of it is fed at release, in the order of release, and is a few numbers that JSON can hold.
"""

import math
from typing import Any

from basisdesk.forecast.calibration import FORGETTING

ACROSS = 0.54  # correlation of the basis' deviation between coins, see `Effective`
PAYOFF_PRIOR = 20.0  # outcomes that the registered gain and stop count for
PAYOFF_MOST = 5.0  # times the registered gain or stop that one outcome counts for at most
BASE_PRIOR = 2.0  # outcomes, half of them hits
Z_PRIOR = 10.0  # outcomes a bin of z begins with, at the base rate
Z_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)


class Effective:
    """How many independent outcomes have been learned from.

    Two labels of a pair that share hours are not two. Each adds the part of its horizon that no
    earlier label of its pair covers (average uniqueness: Lopez de Prado, Advances in Financial
    Machine Learning, 2018, chapter 4), so one pair never counts more than its time over H. Pairs
    move together: of k pairs open at a time each counts 1 / (1 + (k - 1) rho). rho 0.54 is the
    correlation of annualised deviations over 24 perpetuals since March 2024 in a replication of
    He et al.; it was not measured again here.
    """

    def __init__(self, horizon_ns: int) -> None:
        self.horizon_ns = horizon_ns
        self.n = 0.0
        self.outcomes = 0
        self._last_ns: dict[str, int] = {}

    @property
    def share(self) -> float:
        """Effective outcomes over outcomes; 1 before the first."""
        return self.n / self.outcomes if self.outcomes else 1.0

    def take(self, pair: str, t_ns: int) -> float:
        """An outcome noted at t_ns was learned from; gives what it adds."""
        last_ns = self._last_ns.get(pair)
        if last_ns is not None and last_ns > t_ns + self.horizon_ns:
            last_ns = None  # of a day when the clock was ahead
        own = 1.0 if last_ns is None else min((t_ns - last_ns) / self.horizon_ns, 1.0)
        own = max(own, 0.0)
        since_ns = t_ns - self.horizon_ns
        until_ns = t_ns + self.horizon_ns
        beside = sum(
            1
            for other, at_ns in self._last_ns.items()
            if since_ns < at_ns <= until_ns and other != pair
        )
        added = own / (1.0 + beside * ACROSS)
        self._last_ns[pair] = t_ns if last_ns is None else max(t_ns, last_ns)
        self.n += added
        self.outcomes += 1
        return added

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "horizon_ns": self.horizon_ns,
            "n": self.n,
            "outcomes": self.outcomes,
            "last_ns": dict(self._last_ns),
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Effective":
        """The count of a dump."""
        found = cls(int(kept["horizon_ns"]))
        found.n, found.outcomes = float(kept["n"]), int(kept["outcomes"])
        found._last_ns = {str(pair): int(t_ns) for pair, t_ns in kept["last_ns"].items()}
        return found


class Payoff:
    """What success brings and failure costs, and so the probability that earns nothing.

    Gains count as they come. Losses count before costs, so that a pair with other costs has its own
    p* from the same memory. Both begin at what is registered, for `PAYOFF_PRIOR` outcomes. One
    outcome counts for `PAYOFF_MOST` times what is registered at most, so that no single price moves
    the line of every pair.

    gain_bp, stop_bp: as registered.
    """

    def __init__(self, gain_bp: float, stop_bp: float) -> None:
        self._prior = (gain_bp, stop_bp)
        self._gain = [PAYOFF_PRIOR, PAYOFF_PRIOR * gain_bp]
        self._loss = [PAYOFF_PRIOR, PAYOFF_PRIOR * stop_bp]
        self._cost = [0.0, 0.0]

    @property
    def gain_bp(self) -> float:
        """Mean net of a success."""
        return self._gain[1] / self._gain[0]

    def loss_bp(self, cost_bp: float) -> float:
        """Mean net loss of a failure at these costs, positive."""
        if not math.isfinite(cost_bp):
            cost_bp = self._cost[1] / self._cost[0] if self._cost[0] else 0.0
        return self._loss[1] / self._loss[0] + cost_bp

    def p_star(self, cost_bp: float) -> float:
        """L / (G + L): at this probability gains and losses cancel. 0..1, whatever comes in."""
        gain, loss = max(self.gain_bp, 0.0), max(self.loss_bp(cost_bp), 0.0)
        return loss / (gain + loss) if gain + loss > 0.0 else 1.0

    def take(self, y: int, net_bp: float, cost_bp: float) -> None:
        """An outcome came."""
        if not (math.isfinite(net_bp) and math.isfinite(cost_bp)):
            return
        gain, stop = (PAYOFF_MOST * each for each in self._prior)
        kept, value = (self._gain, net_bp) if y else (self._loss, -net_bp - cost_bp)
        value = min(value, gain) if y else min(max(value, -gain), stop)
        for sums, more in ((kept, value), (self._cost, cost_bp)):
            sums[0] = sums[0] * FORGETTING + 1.0
            sums[1] = sums[1] * FORGETTING + more

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "prior": list(self._prior),
            "gain": list(self._gain),
            "loss": list(self._loss),
            "cost": list(self._cost),
        }

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Payoff":
        """The payoff of a dump."""
        found = cls(*kept["prior"])
        for sums, name in ((found._gain, "gain"), (found._loss, "loss"), (found._cost, "cost")):
            sums[:] = [float(each) for each in kept[name]]
        # a dump of before outcomes were bounded may hold one that was no price
        for sums, most in zip((found._gain, found._loss), found._prior, strict=True):
            sums[1] = min(sums[1], PAYOFF_MOST * most * sums[0])
        return found


class Baselines:
    """The two forecasts that the model has to beat, with the same delay and the same forgetting.

    `base`: how often it came out well so far. `by_z`: the same among those of like z over 24 h, in
    the side's direction; where z is missing, the base rate.
    """

    def __init__(self) -> None:
        self._base = [BASE_PRIOR, BASE_PRIOR / 2.0]
        self._bins = [[0.0, 0.0] for _ in range(len(Z_EDGES) + 1)]

    @property
    def base(self) -> float:
        """The base rate."""
        return self._base[1] / self._base[0]

    def by_z(self, z: float) -> float:
        """The rate among outcomes of like z."""
        if math.isnan(z):
            return self.base
        count, hits = self._bins[_z_bin(z)]
        return (hits + Z_PRIOR * self.base) / (count + Z_PRIOR)

    def take(self, z: float, y: int) -> None:
        """An outcome came; z as it was at its candidate."""
        self._base = [self._base[0] * FORGETTING + 1.0, self._base[1] * FORGETTING + y]
        for each in self._bins:
            each[0] *= FORGETTING
            each[1] *= FORGETTING
        if not math.isnan(z):
            found = self._bins[_z_bin(z)]
            found[0] += 1.0
            found[1] += y

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"base": list(self._base), "bins": [list(each) for each in self._bins]}

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> "Baselines":
        """The baselines of a dump."""
        found = cls()
        found._base = [float(each) for each in kept["base"]]
        found._bins = [[float(each) for each in pair] for pair in kept["bins"]]
        return found


def _z_bin(z: float) -> int:
    return sum(1 for edge in Z_EDGES if z >= edge)
