"""What the signal journal says of the forecast: by kind of market, and beside a person's word.

Pure functions over signals whose outcome is told. Nothing is claimed of fewer than REGIME_MIN.
"""

from collections.abc import Iterable
from math import isfinite, nan

import numpy as np

from basisdesk.forecast.evaluate import brier, brier_skill, paired
from basisdesk.forecast.view import Overrides, RegimeSkill, Signal

REGIME_MIN = 30  # outcomes that a regime needs
REGIMES = ("pinned", "rich", "cheap", "stress")
TRADED = "trade"  # how the decision of a candidate that would be traded begins


def by_regime(signals: Iterable[Signal], horizon_s: float) -> tuple[RegimeSkill, ...]:
    """Count, base rate and Brier skill of each regime that had candidates with an outcome.

    The interval is that of the difference of the two Brier scores by blocks of time
    (evaluate.paired), as a part of the base rate's; the divisor's own error is left out.
    """
    told: dict[str, list[tuple[float, float, float]]] = {}
    for each in signals:
        if each.label is not None and each.regime:
            row = each.candidate.t_ns / 1e9, each.candidate.p, float(each.label.y)
            told.setdefault(each.regime, []).append(row)
    known = [name for name in REGIMES if name in told]
    return tuple(_skill(name, told[name], horizon_s) for name in known)


def _skill(name: str, rows: list[tuple[float, float, float]], horizon_s: float) -> RegimeSkill:
    t_s, p, y = np.array(rows, dtype=np.float64).T
    n, rate = len(rows), float(y.mean())
    if n < REGIME_MIN:
        return RegimeSkill(name, n, rate)
    flat = np.full(n, rate)
    block_s = max(3.0 * horizon_s, 86_400.0)
    gain = paired((p - y) ** 2, (flat - y) ** 2, t_s, block_s, 0)
    other = brier(flat, y)
    low = high = nan
    if other > 0.0 and isfinite(gain.low) and isfinite(gain.high):
        low, high = gain.low / other, gain.high / other
    return RegimeSkill(name, n, rate, brier_skill(p, y), low, high)


def overrides(signals: Iterable[Signal]) -> Overrides:
    """What came of the candidates that a person spoke of, by the person and by the forecast."""
    spoken = [each for each in signals if each.would is not None]
    told = [each for each in spoken if each.label is not None]
    if not told:
        return Overrides(len(spoken))
    mine = [_net(each) if each.would else 0.0 for each in told]
    models = [_net(each) if each.decision.startswith(f"{TRADED}:") else 0.0 for each in told]
    return Overrides(len(spoken), len(told), _mean(mine), _mean(models))


def _net(signal: Signal) -> float:
    return signal.label.net_bp if signal.label is not None else nan


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
