"""Figures as text a person reads: true minus, thousands, decimals by tick. Pure, no Qt."""

import math
from decimal import Decimal

MINUS = "\u2212"
NOTHING = "\u2013"  # what stands where there is no figure
UP = "\u25b2"
DOWN = "\u25bc"


def number_text(value: float | Decimal, places: int, *, thousands: bool = True) -> str:
    """A figure with `places` decimals: "10,014.49", "\u22124.5"; an en dash for NaN."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:,.{places}f}" if thousands else f"{value:.{places}f}"
    return _true_minus(text)


def sign_text(value: float | Decimal, places: int, *, thousands: bool = True) -> str:
    """A gain or a loss with its sign: "+68.4", "\u221235.67"; "0.0" when it rounds to nothing."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:+,.{places}f}" if thousands else f"{value:+.{places}f}"
    if not text.strip("+-0.,"):
        return text.lstrip("+-")
    return _true_minus(text)


def triangle(value: float | Decimal) -> str:
    """The shape beside a gain or a loss: up, down, or nothing at zero."""
    if not math.isfinite(value) or value == 0:
        return ""
    return UP if value > 0 else DOWN


def gain_text(value: float | Decimal, places: int) -> str:
    """A gain or a loss with shape and sign: "\u25b2 +14.49"."""
    text = sign_text(value, places)
    if text[0] not in ("+", MINUS):
        return text
    return f"{UP if text[0] == '+' else DOWN} {text}"


def places_of(tick: Decimal | float | None, default: int = 2) -> int:
    """Decimals of a price that moves in ticks: 0.00001 needs 5, 0.5 needs 1, 5 needs 0."""
    if tick is None or not tick > 0:
        return default
    exact = tick if isinstance(tick, Decimal) else Decimal(repr(tick))
    exponent = exact.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else default


def size_text(qty: float | Decimal, places: int = 8) -> str:
    """A size without idle zeros: "10,000", "0.01"."""
    text = number_text(qty, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def age_text(age_ms: float) -> str:
    """An age, rounded up: "0.1 s", "4.2 s", "3 min", "2 h"; an en dash when never heard."""
    if not math.isfinite(age_ms):
        return NOTHING
    seconds = math.ceil(max(0.0, age_ms) / 100.0) / 10.0
    if seconds < 100.0:
        return f"{seconds:.1f} s"
    if seconds < 5_400.0:
        return f"{math.ceil(seconds / 60.0)} min"
    return f"{math.ceil(seconds / 3600.0)} h"


def span_text(seconds: float) -> str:
    """How long something lasted, short enough for a chart: "45 s", "2 min", "3 h 20 min"."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60.0)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def countdown_text(seconds: float) -> str:
    """Time left as "02:14:33", or an en dash when unknown."""
    if not math.isfinite(seconds):
        return NOTHING
    whole = max(0, math.ceil(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def _true_minus(text: str) -> str:
    if text.startswith("-"):
        bare = text[1:]
        return MINUS + bare if bare.strip("0.,") else bare
    return text
