"""A chart of a study as numbers that can be painted. Pure, no Qt.

A chart is {"kind": line|points|bars|heat, "title", "x_title", "y_title", "x", "x_kind"?, "lines":
[{"name", "y", "low"?, "high"?, "reference"?}]}; of a heat map each line is one row. A value that
is None or not finite is a hole, never a zero.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

POINTS_MAX = 1_000  # of one line; one of more keeps the least and the most of each stretch
CELLS_MAX = 10_000
AIR = 0.06  # of the span, above and below
HEAT_NOTE = "Gain's colour above zero, loss's below, the stronger the further."
BAND_ROOM = 0.5  # of the span of a line, above and below, is left to its band


class ChartLine(NamedTuple):
    """One line: places and values of the same number, NaN a hole; low and high may be empty."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    reference: bool


class ShownChart(NamedTuple):
    """One chart. words: what stands under x when it is no number; time: x is UTC seconds.

    span_x, span_y: what is shown; gap: between two x at least. problem: why nothing is drawn, or
    "". Of a heat map the lines stand from below; span_y is the largest value either side of zero.
    """

    kind: str
    title: str
    x_title: str
    y_title: str
    lines: tuple[ChartLine, ...] = ()
    words: tuple[str, ...] = ()
    time: bool = False
    span_x: tuple[float, float] = (0.0, 1.0)
    span_y: tuple[float, float] = (0.0, 1.0)
    gap: float = 1.0
    note: str = ""
    problem: str = ""

    @property
    def said(self) -> str:
        """The chart in one sentence, for who cannot see it."""
        names = ", ".join(line.name for line in self.lines[:6])
        return f"{self.title}. {self.y_title} over {self.x_title}: {names}."


def shown_chart(chart: Mapping[str, Any]) -> ShownChart:
    """A chart as it will be painted; one that cannot be says why."""
    kind, title, x, y = (str(chart.get(n, "")) for n in ("kind", "title", "x_title", "y_title"))
    bare = ShownChart(kind, title, x, y, note=str(chart.get("note") or ""))
    if bare.kind not in ("line", "points", "bars", "heat"):
        return bare._replace(problem="This kind of chart stands on the page only.")
    xs, words, time = _places(chart)
    lines = [_line(line, xs, thin=bare.kind == "line") for line in chart.get("lines") or ()]
    if bare.kind == "heat":
        return _heat(bare, lines, words or tuple(map(str, chart.get("x") or ())))
    values = [v for line in lines for v in line.y if math.isfinite(v)]
    edges = [v for line in lines for v in (*line.low, *line.high) if math.isfinite(v)]
    if not values or not xs:
        return bare._replace(problem="Nothing to draw.")
    if bare.kind == "bars":
        values.append(0.0)
    span_y, note = _span_y(values, edges, cut=bare.kind == "line")
    gap = _gap(xs)
    room = 0.6 * gap if words or bare.kind == "bars" else 0.0
    return bare._replace(
        lines=tuple(lines), words=words, time=time, gap=gap, span_x=_span_x(xs, room),
        span_y=span_y, note=f"{bare.note} {note}".strip(),
    )  # fmt: skip


def _span_y(
    values: Sequence[float], edges: Sequence[float], *, cut: bool
) -> tuple[tuple[float, float], str]:
    """What is shown of the values and their bands: a band far beyond a line is cut, and said."""
    low, high = min(values), max(values)
    least, most = min((low, *edges)), max((high, *edges))
    room = BAND_ROOM * (high - low)
    if not cut or not room or (least >= low - room and most <= high + room):
        return _aired(least, most), ""
    shown = _aired(max(least, low - room), min(most, high + room))
    return (
        shown,
        f"The band reaches from {value_text(least)} to {value_text(most)}; it is cut here.",
    )


def _gap(xs: Sequence[float]) -> float:
    known = sorted({x for x in xs if math.isfinite(x)})
    return min((b - a for a, b in itertools.pairwise(known)), default=1.0)


def _heat(bare: ShownChart, lines: list[ChartLine], words: tuple[str, ...]) -> ShownChart:
    known = [abs(v) for line in lines for v in line.y if math.isfinite(v)]
    if not known or len(words) * len(lines) > CELLS_MAX:
        return bare._replace(problem="Nothing to draw." if not known else "It is on the page only.")
    reach = max(known) or 1.0
    spans = (0.0, float(len(words))), (-reach, reach)
    note = f"{bare.note} {HEAT_NOTE}".strip()
    return bare._replace(
        lines=tuple(lines), words=words, span_x=spans[0], span_y=spans[1], note=note
    )


def _places(chart: Mapping[str, Any]) -> tuple[list[float], tuple[str, ...], bool]:
    """Where each x stands, the words under them, and whether they are moments."""
    xs = list(chart.get("x") or ())
    kind = chart.get("x_kind", "")
    if kind == "words" or chart.get("kind") == "heat":
        return [float(at) for at in range(len(xs))], tuple(map(str, xs)), False
    if not kind and xs and isinstance(xs[0], str):
        try:
            moments = [datetime.fromisoformat(x) for x in xs]
        except ValueError:
            return [float(at) for at in range(len(xs))], tuple(map(str, xs)), False
        return [(m if m.tzinfo else m.replace(tzinfo=UTC)).timestamp() for m in moments], (), True
    return [number(x) for x in xs], (), kind == "time"


def _line(line: Mapping[str, Any], xs: Sequence[float], *, thin: bool) -> ChartLine:
    ys = [number(v) for v in line.get("y") or ()]
    low = [number(v) for v in line.get("low") or ()]
    high = [number(v) for v in line.get("high") or ()]
    size = min(len(xs), len(ys))
    kept = range(size) if not thin or size <= POINTS_MAX else thinned(ys[:size])
    band = len(low) >= size and len(high) >= size
    return ChartLine(
        str(line.get("name", "")),
        tuple(xs[at] for at in kept),
        tuple(ys[at] for at in kept),
        tuple(low[at] for at in kept) if band else (),
        tuple(high[at] for at in kept) if band else (),
        bool(line.get("reference")),
    )


def thinned(ys: Sequence[float]) -> list[int]:
    """Places of the least and the most of each stretch, in order, POINTS_MAX about."""
    step = math.ceil(2 * len(ys) / POINTS_MAX)
    kept: list[int] = []
    for start in range(0, len(ys), step):
        part = [at for at in range(start, min(start + step, len(ys))) if math.isfinite(ys[at])]
        if not part:
            kept.append(start)
            continue
        kept += sorted({min(part, key=ys.__getitem__), max(part, key=ys.__getitem__)})
    return kept


def _span_x(xs: Sequence[float], room: float) -> tuple[float, float]:
    known = [x for x in xs if math.isfinite(x)] or [0.0]
    low, high = min(known), max(known)
    low, high = low - room, high + room
    return (low - 1.0, high + 1.0) if low == high else (low, high)


def _aired(low: float, high: float) -> tuple[float, float]:
    air = (high - low) * AIR or abs(high) * 0.1 or 1.0
    return (0.0 if low == 0.0 else low - air), (0.0 if high == 0.0 else high + air)


def number(value: Any) -> float:
    """A value of a chart as a float; NaN for a hole."""
    return float(value) if isinstance(value, int | float) else math.nan


def value_text(value: float) -> str:
    """A value beside a point or in a cell, in three figures."""
    text = f"{value:,.3g}" if abs(value) < 1e3 else f"{value:,.0f}"
    return text.replace("-", "\u2212")
