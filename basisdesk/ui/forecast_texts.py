"""Words and figures that all parts of the forecast panel write alike. Pure, no Qt."""

import math
import re

from basisdesk.forecast.signal_score import REGIME_MIN
from basisdesk.ui.figures import NOTHING, number_text, span_text

OUTCOMES_MIN = REGIME_MIN  # under which no figure is shown of outcomes
_UNIT = re.compile(r"(?<=\d) (?=(?:%|bp|h|ms|min|sd)\b|%)|(?<=\d\d:\d\d) (?=[(+\u2212\d])")


def pct_text(share: float, places: int = 1) -> str:
    """A share as percent with its unit: "72.4 %"; an en dash where unknown."""
    return f"{number_text(100 * share, places)} %" if math.isfinite(share) else NOTHING


def unbroken(text: str) -> str:
    """The same text where no line ends between a figure and its unit, or a time and its figure."""
    return _UNIT.sub("\u00a0", text)


def side_text(direction: int) -> str:
    """The side that is spoken of."""
    return "long spot, short perp" if direction > 0 else "short spot, long perp"


def short_side(direction: int) -> str:
    """The same in two words: the perpetual is the other way."""
    return "long spot" if direction > 0 else "short spot"


def between_text(low: float, high: float) -> str:
    """An interval of shares: "61.0 to 81.2 %"."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOTHING
    return f"{number_text(100 * low, 1)} to {number_text(100 * high, 1)} %"


def hours_text(hours: float) -> str:
    """A span in hours: "under 1 min", "45 min", "3.3 h", "31 h"."""
    if hours < 1.0 / 60.0:
        return "under 1 min"
    if hours < 1.0:
        return span_text(60 * round(60 * hours))
    return f"{number_text(hours, 0 if hours >= 24 else 1)} h"


def few_text(n: int) -> str:
    """What stands in the place of a figure of so few outcomes: "not enough (5 of 30)"."""
    return f"not enough ({n} of {OUTCOMES_MIN})"
