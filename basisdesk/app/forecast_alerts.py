"""What the forecast says now, as alert rules read it: a probability to act upon, or none.

An old score, one that abstains and one of a forecast that stopped are not known: they cross no
line and take no crossing back.
"""

import math
from collections.abc import Callable, Sequence

from basisdesk.forecast.forecaster import decision
from basisdesk.forecast.view import ForecastView, PairForecast
from basisdesk.scan.alert_readings import Confidence

OLD_S = 10.0  # seconds of ours after which a score is old
MINUS, HYPHEN = "\N{MINUS SIGN}", "-"


def scores_of(
    view: ForecastView | None, now_ns: Callable[[], int], speed: float = 1.0
) -> Callable[[], Sequence[Confidence]]:
    """The reader of a desk's forecast. speed: of the market."""
    limit_s = OLD_S * max(1.0, speed)

    def read() -> Sequence[Confidence]:
        if view is None or view.problem:
            return ()
        t_ns = now_ns()
        return [_confidence(each, view, t_ns, limit_s) for each in view.pairs.values()]

    return read


def _confidence(each: PairForecast, view: ForecastView, t_ns: int, limit_s: float) -> Confidence:
    score, (first, second) = each.score, each.pair
    old = (t_ns - each.t_ns) / 1e9 > limit_s
    if score is None or score.abstain or old:
        return Confidence(first, second, each.direction, math.nan, "")
    side = "Long spot, short perp" if each.direction > 0 else "Short spot, long perp"
    said = (
        f"{side}: {100 * score.low:.1f} to {100 * score.high:.1f} %; "
        f"{decision(score, view.margin).replace(HYPHEN, MINUS)}."
    )
    return Confidence(first, second, each.direction, score.p, said)
