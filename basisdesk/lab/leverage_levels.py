"""All signals at one leverage, summed up: what is captured, what is liquidated, what it came to."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from basisdesk.lab.leverage_events import Levered, Path
from basisdesk.lab.rule import BandRule
from basisdesk.lab.statistics import cvar
from basisdesk.market.stats import wilson

LEVELS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
# What founding note S2 tells of five and twenty times, shares of all opportunities.
TOLD = {"captured": {5.0: 0.94, 20.0: 0.61}, "liquidated": {5.0: 0.12, 20.0: 0.40}}
AND_MORE = {("liquidated", 20.0)}  # told as "and more": judged on that side alone


class LeverageOptions(NamedTuple):
    """What is asked. horizon_h: until when a signal has an outcome, and how far apart they lie."""

    entry_bp: float = 8.0
    exit_bp: float = 2.0
    stop_bp: float = math.inf
    horizon_h: float = 168.0
    direction: int = 0
    tier: str = "taker"
    levels: tuple[float, ...] = LEVELS

    @property
    def rule(self) -> BandRule:
        """The rule without leverage: what all levels share."""
        side = self.direction
        return BandRule(
            direction=1 if side > 0 else -1 if side < 0 else 0,
            entry_bp=self.entry_bp,
            exit_bp=self.exit_bp,
            stop_bp=self.stop_bp,
            max_hold_h=self.horizon_h,
        )


class Level(NamedTuple):
    """All signals at one leverage. Rates come with their 95 % Wilson intervals."""

    leverage: float
    n: int
    captured: tuple[float, float, float]
    liquidated: tuple[float, float, float]
    value_rate: float
    net_bp: float
    on_capital: float
    cvar: float
    worst: float
    topped: float
    top_up_p95_bp: float
    top_up_most_bp: float


def level_of(leverage: float, outcomes: Sequence[Levered], paths: Sequence[Path]) -> Level:
    """Sum up what the same signals came to at one leverage; figures are NaN where there is none."""
    n = len(outcomes)
    nets = np.array([o.on_capital for o in outcomes])
    tops = np.array([o.top_up_bp for o in outcomes])
    available = sum(path.available_bp for path in paths)
    realised = sum(o.converged_bp for o in outcomes)
    return Level(
        leverage=leverage,
        n=n,
        captured=_rate(sum(o.why == "target" for o in outcomes), n),
        liquidated=_rate(sum(o.why == "liquidated" for o in outcomes), n),
        value_rate=realised / available if available > 0.0 else math.nan,
        net_bp=float(np.mean([o.net_bp for o in outcomes])) if n else math.nan,
        on_capital=float(nets.mean()) if n else math.nan,
        cvar=cvar(nets),
        worst=float(nets.min()) if n else math.nan,
        topped=float((tops > 0.0).mean()) if n else math.nan,
        top_up_p95_bp=float(np.quantile(tops, 0.95)) if n else math.nan,
        top_up_most_bp=float(tops.max()) if n else math.nan,
    )


def _rate(hits: int, n: int) -> tuple[float, float, float]:
    share = hits / n if n else math.nan
    return (share, *wilson(share, n)) if n else (math.nan, 0.0, 1.0)
