"""Numbers from outside as features: how unusual the newest one is among its own values before it.

    ext_NAME = (value - median of the 90 values before) / max(1.4826 MAD, a thousandth of |median|)

bounded to 8, so it has no unit and no level: a source that counts in millions and one in per cent
weigh alike, and its mirror means something for the side -1. The newest value is never among those
it is compared with. Late, too few values before it, a source of another coin, or none at all: the
feature is missing, which is 0 after scaling, and nothing takes its place.

These features stand behind the 44 and are there only where the settings name them; without any the
vector, its hash, the model and what is written are those of before, bit for bit. What was kept with
other names is turned by `refitted`: a column that both know stays, a new one begins at nothing.
"""

from collections.abc import Mapping, Sequence
from math import nan
from statistics import median
from typing import Any

from basisdesk.forecast.table import Feature, N

GROUP = {"G": "from outside"}
BEFORE = 90  # values that the newest is compared with
BEFORE_MIN = 10  # under which it is not
MAD_SD = 1.4826  # of a normal variable: its deviation over its median absolute deviation
FLOOR = 1e-3  # of |median|: a number that hardly ever moved is not precise
TINY = 1e-12
BOUND = 8.0
FIRST_SQUARE = 1e-8  # AdaGrad's memory of a weight that never stepped, as model.py begins
_HAMPEL = "Hampel, The Influence Curve (1974), of a source of your own"

Told = tuple[tuple[str, float], ...]  # (name of the feature, z), those that are known


def extra(name: str, *, signed: bool = True) -> Feature:
    """The feature of an indicator. signed: speaks for the perp; else alike for both sides."""
    formula = "(value - median before) / max(1.4826 MAD, 0.1 % of it)"
    return Feature(f"ext_{name}", "G", "sd", f"{BEFORE} values", formula, _HAMPEL, 0.0, 0.0, signed)


def unusual(values: Sequence[float]) -> float:
    """Deviations between the last value and those before it; NaN where these are too few."""
    if len(values) <= BEFORE_MIN:
        return nan
    *before, last = values[-BEFORE - 1 :]
    middle = median(before)
    mad = median(abs(each - middle) for each in before)
    z = (last - middle) / max(MAD_SD * mad, FLOOR * abs(middle), TINY)
    return min(max(z, -BOUND), BOUND)


def tail(extras: tuple[Feature, ...], told: Told) -> tuple[float, ...]:
    """The values behind the 44, NaN where nothing is told."""
    known = dict(told)
    return tuple(known.get(each.name, nan) for each in extras)


def refitted(kept: Mapping[str, Any], extras: tuple[Feature, ...]) -> dict[str, Any]:
    """A forecaster's dump for these extras. The same where it was written with them."""
    had = tuple(str(name) for name in kept.get("extras", ()))
    want = tuple(each.name for each in extras)
    if had == want:
        return dict(kept)
    found = {**kept, "extras": list(want)}
    model = dict(kept["model"])
    for key, empty in (("weights", 0.0), ("mean", 0.0), ("var", 0.0), ("seen", 0.0)):
        model[key] = _row(model[key], had, want, empty)
    model["squares"] = _row(model["squares"], had, want, FIRST_SQUARE)
    found["model"] = model
    found["pairs"] = {
        pair: {**state, "labels": _labels(state["labels"], had, want)}
        for pair, state in kept["pairs"].items()
    }
    return found


def _labels(kept: Mapping[str, Any], had: Sequence[str], want: Sequence[str]) -> dict[str, Any]:
    queue = []
    for each in kept["queue"]:
        candidate = dict(each["candidate"])
        candidate["features"] = _row(candidate["features"], had, want, None)
        queue.append({**each, "candidate": candidate})
    return {**kept, "queue": queue}


def _row(row: Sequence[Any], had: Sequence[str], want: Sequence[str], empty: Any) -> list[Any]:
    known = dict(zip(had, row[N:], strict=True))
    return [*row[:N], *(known.get(name, empty) for name in want)]
