"""Where ticks stand and what they say, and which range a curve is shown in. Pure, no Qt."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

MARGIN_SHARE = 0.10  # air above and below a curve
KEEP_SHARE = 0.55  # a range is kept while the data fill at least this much of it
SNAP_SHARE = 0.8  # a round step a little under the asked one is taken
EDGE_SHARE = 0.015  # and stay this far from its edges

_TIME_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200),
    *(86_400, 172_800, 604_800),
)
_DAY_S = 86_400
TICKS_MAX = 200


def value_ticks(lo: float, hi: float, count: int) -> tuple[list[float], int]:
    """Round values in [lo, hi], about `count` of them, and the decimals they need."""
    span = hi - lo
    if not (math.isfinite(span) and span > 0) or count < 1:
        return [], 0
    rough = span / count
    power = math.floor(math.log10(rough))
    step = next(
        (m * 10.0**power for m in (1, 2, 5) if m * 10.0**power >= rough * SNAP_SHARE),
        10.0 ** (power + 1),
    )
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [i * step for i in range(first, min(last, first + TICKS_MAX) + 1)]
    return ticks, places


def zone_of(utc: bool, t_s: float) -> tuple[str, float]:
    """Name of the zone times are shown in, and its offset from UTC in seconds at that time."""
    if utc:
        return "UTC", 0.0
    local = _moment(t_s).astimezone()
    offset = local.utcoffset() or timedelta(0)
    return local.tzname() or "local", offset.total_seconds()


def time_ticks(t0_s: float, t1_s: float, count: int, offset_s: float = 0.0) -> list[float]:
    """Round clock times in [t0, t1], at most `count` of them, of a zone `offset_s` east of UTC."""
    span = t1_s - t0_s
    if not (math.isfinite(span) and span > 0) or count < 1:
        return []
    step = next((s for s in _TIME_STEPS_S if s * count >= span), None)
    if step is None:
        step = _DAY_S * math.ceil(span / _DAY_S / count)
    first = math.ceil((t0_s + offset_s) / step)
    last = math.floor((t1_s + offset_s) / step)
    return [i * step - offset_s for i in range(first, min(last, first + TICKS_MAX) + 1)]


def tick_words(ticks: Sequence[float], offset_s: float = 0.0) -> list[str]:
    """What stands at each time tick: "05:40", "05:40:15", or "21 Nov" where a day begins."""
    step = min((b - a for a, b in pairwise(ticks)), default=60.0)
    form = "%H:%M:%S" if step < 60 else "%H:%M"
    words = []
    for tick in ticks:
        moment = _moment(tick + offset_s)
        midnight = moment.hour == moment.minute == moment.second == 0
        words.append(f"{moment.day} {moment:%b}" if midnight else moment.strftime(form))
    return words


def clock_words(t_s: float, utc: bool, *, millis: bool = False, date: bool = False) -> str:
    """A time with its zone: "05:26:41 UTC"; with `millis` "05:26:41.250 UTC"."""
    if not math.isfinite(t_s):
        return ""
    zone, offset_s = zone_of(utc, t_s)
    moment = _moment(t_s + offset_s)
    day = f"{moment:%Y-%m-%d} " if date else ""
    part = f".{moment.microsecond // 1000:03d}" if millis else ""
    return f"{day}{moment:%H:%M:%S}{part} {zone}"


def fit_range(
    lo: float, hi: float, least: float, shown: tuple[float, float] | None = None
) -> tuple[float, float]:
    """The range to show data of [lo, hi] in: with air, no narrower than `least`, and calm.

    The range already `shown` is kept while the data lie well inside it and fill it well enough.
    Nothing finite to show gives the range shown, or one around zero.
    """
    if not (math.isfinite(lo) and math.isfinite(hi)):
        return shown or (-least / 2, least / 2)
    if hi < lo:
        lo, hi = hi, lo
    span = max(hi - lo, least)
    middle = (lo + hi) / 2
    lo, hi = min(lo, middle - span / 2), max(hi, middle + span / 2)
    if shown is not None:
        width = shown[1] - shown[0]
        edge = width * EDGE_SHARE
        inside = shown[0] + edge <= lo and hi <= shown[1] - edge
        if inside and span >= KEEP_SHARE * width:
            return shown
    air = span * MARGIN_SHARE
    return lo - air, hi + air


def spread(wanted: Sequence[float], height: float, lo: float, hi: float) -> list[float]:
    """Move labels of one height apart so that none overlaps, each as near to its place as can be.

    wanted: tops in px, downwards; all stay within [lo, hi - height] while there is room.
    Returns the tops in the order given.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    tops: list[float] = []
    floor = lo
    for i in order:
        top = max(floor, min(wanted[i], hi - height))
        tops.append(top)
        floor = top + height
    ceiling = hi
    for at in range(len(tops) - 1, -1, -1):  # what was pushed out at the bottom comes back up
        tops[at] = max(min(tops[at], ceiling - height), lo)
        ceiling = tops[at]
    placed = [0.0] * len(wanted)
    for i, top in zip(order, tops, strict=True):
        placed[i] = top
    return placed


def _moment(t_s: float) -> datetime:
    try:
        return datetime.fromtimestamp(t_s, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, tz=UTC)
