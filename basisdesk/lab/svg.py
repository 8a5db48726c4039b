"""Charts of a study as SVG text: plain markup that any browser draws without a script.

A chart is a plain dict, as studies give it:

    {"kind": "line" | "points" | "bars" | "heat", "title", "x_title", "y_title", "note"?,
     "x": [...], "x_kind"?: "number" | "time" (UTC seconds) | "words"; guessed of texts,
     "lines": [{"name", "y": [...], "low"?: [...], "high"?: [...], "reference"?: bool}]}

Of a heat map each line is a row, its name the value of y; "z_title" says what the values are. A
value that is None or not finite is a hole, never a zero. Colours are CSS variables of the page, so
a chart follows its theme; lines differ by dash as well as by colour.
"""

import html
import itertools
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

WIDTH, HEIGHT = 860.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 78.0, 16.0, 14.0, 46.0
POINTS_MAX = 1_200  # a line of more is drawn by the least and the most of each stretch
HEAT_CELLS_MAX = 10_000
TICKS = 6
SERIES_COLOURS = 6
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4", "1 4")
DAY_S = 86_400.0

Chart = Mapping[str, Any]


class Scale(NamedTuple):
    """Values from low to high on pixels from first to last."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """Pixel of a value."""
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)


def draw(chart: Chart) -> str:
    """One chart as an <svg> element. Raises KeyError for a kind that is not known."""
    shape = _KINDS[chart["kind"]]
    return shape(chart if chart["kind"] == "heat" else _with_numbers(chart))


# --- lines, points and bars -----------------------------------------------------------------------


def _plotted(chart: Chart) -> str:
    xs = [_number(x) for x in _positions(chart)]
    lines = list(chart["lines"])
    values = [v for line in lines for name in ("y", "low", "high") for v in line.get(name, ())]
    if chart["kind"] == "bars":
        values.append(0.0)
    known = [v for v in map(_number, values) if math.isfinite(v)]
    if not known or not xs:
        return _empty(chart)
    y = Scale(*_spread(min(known), max(known)), HEIGHT - BOTTOM, TOP)
    x = _x_scale(chart, xs)
    body = [_y_axis(y), _x_axis(chart, x, xs)]
    many = sum(1 for line in lines if not line.get("reference"))
    drawn = 0
    for place, line in enumerate(lines):
        mark = _Mark(place, drawn, max(many, 1))
        body.append(_SHAPES[chart["kind"]](line, xs, x, y, mark))
        drawn += 0 if line.get("reference") else 1
    return _framed(chart, "".join(body), _legend(lines))


class _Mark(NamedTuple):
    """Which line it is, which among those with bars of their own, and how many have them."""

    place: int
    among: int
    many: int

    @property
    def style(self) -> str:
        return f"c{self.place % SERIES_COLOURS}"


def _line(line: Chart, xs: list[float], x: Scale, y: Scale, mark: _Mark) -> str:
    out = ""
    if "low" in line and "high" in line:
        out += _band(line, xs, x, y, mark)
    dash = "2 4" if line.get("reference") else _dash(mark.place)
    look = f' stroke-dasharray="{dash}"' if dash else ""
    rows = _thinned(xs, [_number(v) for v in line["y"]])
    for run in _runs(rows):
        path = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in run)
        out += f'<polyline class="l {mark.style}"{look} points="{path}"/>'
    return out


def _band(line: Chart, xs: list[float], x: Scale, y: Scale, mark: _Mark) -> str:
    rows = [
        (a, _number(low), _number(high))
        for a, low, high in zip(xs, line["low"], line["high"], strict=True)
    ]
    rows = [row for row in rows if math.isfinite(row[1]) and math.isfinite(row[2])]
    step = max(1, len(rows) // POINTS_MAX)
    rows = rows[::step]
    there = " ".join(f"{x.at(a):.1f},{y.at(high):.1f}" for a, _, high in rows)
    back = " ".join(f"{x.at(a):.1f},{y.at(low):.1f}" for a, low, _ in reversed(rows))
    return f'<polygon class="band {mark.style}" points="{there} {back}"/>'


def _points(line: Chart, xs: list[float], x: Scale, y: Scale, mark: _Mark) -> str:
    if line.get("reference"):
        return _line(line, xs, x, y, mark)
    shift = (mark.among - (mark.many - 1) / 2.0) * 9.0
    out = _whiskers(line, xs, x, y, _Side(mark, shift))
    for a, b in zip(xs, map(_number, line["y"]), strict=True):
        if math.isfinite(b):
            out += _dot(x.at(a) + shift, y.at(b), mark, _told(b))
    return out


def _dot(x: float, y: float, mark: _Mark, said: str) -> str:
    """A disc for the first line and a square for the others: told apart without colour."""
    title = f"<title>{said}</title>"
    if mark.place == 0:
        return f'<circle class="p {mark.style}" cx="{x:.1f}" cy="{y:.1f}" r="3.4">{title}</circle>'
    at = f'x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4"'
    return f'<rect class="p {mark.style}" {at}>{title}</rect>'


def _bars(line: Chart, xs: list[float], x: Scale, y: Scale, mark: _Mark) -> str:
    if line.get("reference"):
        return _line(line, xs, x, y, mark)
    room = abs(x.at(1.0) - x.at(0.0)) if len(xs) > 1 else 120.0
    if len(xs) > 1:
        room = min(abs(x.at(b) - x.at(a)) for a, b in itertools.pairwise(xs)) or 4.0
    wide = max(1.0, min(46.0, room * 0.8 / mark.many))
    shift = (mark.among - (mark.many - 1) / 2.0) * wide
    out = ""
    for a, b in zip(xs, map(_number, line["y"]), strict=True):
        if not math.isfinite(b):
            continue
        top, foot = min(y.at(b), y.at(0.0)), max(y.at(b), y.at(0.0))
        left = x.at(a) + shift - wide / 2.0
        out += (
            f'<rect class="b {mark.style}" x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" '
            f'height="{max(foot - top, 0.5):.1f}"><title>{_told(b)}</title></rect>'
        )
    return out + _whiskers(line, xs, x, y, _Side(mark, shift))


class _Side(NamedTuple):
    """Whose whiskers, and how far beside the tick."""

    mark: _Mark
    shift: float


def _whiskers(line: Chart, xs: list[float], x: Scale, y: Scale, side: _Side) -> str:
    out = ""
    for a, low, high in zip(xs, line.get("low", ()), line.get("high", ()), strict=False):
        bottom, top = _number(low), _number(high)
        if math.isfinite(bottom) and math.isfinite(top):
            at = x.at(a) + side.shift
            ends = f'y1="{y.at(bottom):.1f}" y2="{y.at(top):.1f}"'
            out += f'<line class="w" x1="{at:.1f}" x2="{at:.1f}" {ends}/>'
    return out


# --- heat map -------------------------------------------------------------------------------------


def _heat(chart: Chart) -> str:
    xs, ys = [str(x) for x in chart["x"]], [str(line["name"]) for line in chart["lines"]]
    rows = [[_number(v) for v in line["y"]] for line in chart["lines"]]
    known = [abs(v) for row in rows for v in row if math.isfinite(v)]
    if not known or len(xs) * len(ys) > HEAT_CELLS_MAX:
        return _empty(chart)
    grid = _Grid(len(xs), len(ys), max(known) or 1.0)
    cells = [
        grid.cell(i, j, v, f"{xs[j]}, {ys[i]}")
        for i, row in enumerate(rows)
        for j, v in enumerate(row)
    ]
    foot = HEIGHT - BOTTOM + 16
    below = [_text(grid.x(j + 0.5), foot, xs[j], "tick", "middle") for j in _some(len(xs))]
    beside = [_text(LEFT - 6, grid.y(i + 0.5) + 4, ys[i], "tick", "end") for i in _some(len(ys))]
    said = html.escape(str(chart.get("z_title", "")))
    legend = (
        '<p class="key"><span class="swatch gain"></span>above zero '
        f'<span class="swatch loss"></span>below zero, the stronger the further. {said}</p>'
    )
    return _framed(chart, "".join([*cells, *below, *beside]), legend)


def _some(count: int) -> range:
    return range(0, count, max(1, math.ceil(count / 14)))


class _Grid(NamedTuple):
    """Columns and rows of a heat map, and the value of the strongest colour."""

    columns: int
    rows: int
    reach: float

    def x(self, column: float) -> float:
        return LEFT + column * (WIDTH - LEFT - RIGHT) / self.columns

    def y(self, row: float) -> float:
        return HEIGHT - BOTTOM - row * (HEIGHT - TOP - BOTTOM) / self.rows

    def cell(self, row: int, column: int, value: float, where: str) -> str:
        wide, tall = self.x(1) - self.x(0), self.y(0) - self.y(1)
        box = (
            f'x="{self.x(column):.1f}" y="{self.y(row + 1):.1f}" width="{wide:.1f}" '
            f'height="{tall:.1f}"'
        )
        if not math.isfinite(value):
            return f'<rect class="hole" {box}/>'
        sign = "gain" if value >= 0.0 else "loss"
        depth = 0.08 + 0.82 * min(abs(value) / self.reach, 1.0)
        said = f"<title>{html.escape(where)}: {_told(value)}</title>"
        out = f'<rect class="{sign}" fill-opacity="{depth:.2f}" {box}>{said}</rect>'
        if wide >= 44.0 and tall >= 16.0:
            out += _text(
                self.x(column + 0.5), self.y(row + 0.5) + 4, _told(value), "cell", "middle"
            )
        return out


# --- axes -----------------------------------------------------------------------------------------


def ticks(low: float, high: float, most: int = TICKS) -> list[float]:
    """Round values from low to high, about `most` of them: 1, 2 or 5 times a power of ten."""
    span = high - low
    if not (span > 0.0 and math.isfinite(span)):
        return [low]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _spread(low: float, high: float) -> tuple[float, float]:
    if low == high == 0.0:
        return 0.0, 1.0
    pad = (high - low) * 0.06 or abs(high) * 0.1
    foot = 0.0 if low == 0.0 else low - pad
    return foot, (0.0 if high == 0.0 else high + pad)


def _x_scale(chart: Chart, xs: list[float]) -> Scale:
    low, high = min(xs), max(xs)
    if chart.get("x_kind") == "words" or chart["kind"] == "bars":
        gaps = [b - a for a, b in itertools.pairwise(xs)]
        room = min(gaps, default=1.0) or 1.0
        low, high = low - 0.6 * room, high + 0.6 * room
    if low == high:
        low, high = low - 1.0, high + 1.0
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def _with_numbers(chart: Chart) -> Chart:
    """The chart with its x as numbers: dates as UTC seconds, other texts as words in order."""
    xs = list(chart["x"])
    if "x_kind" in chart or not xs or not isinstance(xs[0], str):
        return chart
    try:
        moments = [datetime.fromisoformat(x) for x in xs]
    except ValueError:
        return {**chart, "x_kind": "words"}
    seconds = [(m if m.tzinfo else m.replace(tzinfo=UTC)).timestamp() for m in moments]
    return {**chart, "x": seconds, "x_kind": "time"}


def _positions(chart: Chart) -> Sequence[Any]:
    return range(len(chart["x"])) if chart.get("x_kind") == "words" else chart["x"]


def _y_axis(y: Scale) -> str:
    out = ""
    marks = ticks(min(y.low, y.high), max(y.low, y.high))
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    for value in marks:
        at = y.at(value)
        zero = " zero" if abs(value) < step * 1e-6 else ""
        ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"'
        out += f'<line class="grid{zero}" {ends}/>'
        out += _text(LEFT - 6, at + 4, _tick(value, step), "tick", "end")
    return out


def _x_axis(chart: Chart, x: Scale, xs: list[float]) -> str:
    foot = HEIGHT - BOTTOM + 16
    if chart.get("x_kind") == "words":
        words = [str(w) for w in chart["x"]]
        return "".join(
            _text(x.at(float(i)), foot, words[i], "tick", "middle") for i in _some(len(words))
        )
    if chart.get("x_kind") == "time":
        return _time_axis(x, foot)
    if len(xs) <= 12 and chart["kind"] != "line":
        return "".join(_text(x.at(v), foot, _told(v), "tick", "middle") for v in xs)
    marks = ticks(x.low, x.high, 8)
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    return "".join(_text(x.at(v), foot, _tick(v, step), "tick", "middle") for v in marks)


def _time_axis(x: Scale, foot: float) -> str:
    span = x.high - x.low
    form = "%Y-%m-%d" if span > 8 * DAY_S else "%m-%d %H:%M"
    out = ""
    for k in range(7):
        value = x.low + span * k / 6
        anchor = "start" if k == 0 else "end" if k == 6 else "middle"
        said = datetime.fromtimestamp(value, UTC).strftime(form)
        out += _text(x.at(value), foot, said, "tick", anchor)
    return out


# --- small ones -----------------------------------------------------------------------------------


def _framed(chart: Chart, body: str, legend: str) -> str:
    title = html.escape(str(chart["title"]))
    axes = _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, str(chart["x_title"]), "axis", "middle")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = (
        f'<text class="axis" text-anchor="middle" transform="translate(14 {middle:.0f}) '
        f'rotate(-90)">{html.escape(str(chart["y_title"]))}</text>'
    )
    note = f'<p class="sub">{html.escape(str(chart["note"]))}</p>' if chart.get("note") else ""
    return (
        f'<figure><figcaption>{title}</figcaption>{legend}<svg role="img" aria-label="{title}" '
        f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}">{body}{axes}{turned}</svg>{note}</figure>'
    )


def _empty(chart: Chart) -> str:
    title = html.escape(str(chart["title"]))
    return f'<figure><figcaption>{title}</figcaption><p class="sub">Nothing to draw.</p></figure>'


def _legend(lines: Sequence[Chart]) -> str:
    if len(lines) < 2 and not any("low" in line for line in lines):
        return ""
    keys = []
    for place, line in enumerate(lines):
        dash = "2 4" if line.get("reference") else _dash(place)
        look = f' stroke-dasharray="{dash}"' if dash else ""
        keys.append(
            f'<svg class="line" viewBox="0 0 28 8"><line class="l c{place % SERIES_COLOURS}"{look} '
            f'x1="0" x2="28" y1="4" y2="4"/></svg>{html.escape(str(line["name"]))}'
        )
    return f'<p class="key">{" &nbsp; ".join(keys)}</p>'


def _dash(place: int) -> str:
    """Shifted with each round of colours, so that no two of 36 lines look the same."""
    return DASHES[(place + place // SERIES_COLOURS) % len(DASHES)]


def _thinned(xs: list[float], ys: list[float]) -> list[tuple[float, float]]:
    """The line, or the least and the most of each stretch in their order where it is too long."""
    rows = list(zip(xs, ys, strict=True))
    if len(rows) <= POINTS_MAX:
        return rows
    step = math.ceil(len(rows) * 2 / POINTS_MAX)
    out: list[tuple[float, float]] = []
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        known = [row for row in part if math.isfinite(row[1])]
        if not known:
            out.append(part[0])
            continue
        ends = (min(known, key=_second), max(known, key=_second))
        out += sorted(set(ends))
    return out


def _second(row: tuple[float, float]) -> float:
    return row[1]


def _runs(rows: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Stretches without a hole; a lone point is doubled so that it shows."""
    out: list[list[tuple[float, float]]] = [[]]
    for row in rows:
        if math.isfinite(row[1]):
            out[-1].append(row)
        elif out[-1]:
            out.append([])
    return [run if len(run) > 1 else run * 2 for run in out if run]


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _tick(value: float, step: float) -> str:
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0.0 else 0
    return f"{value if abs(value) > step * 1e-6 else 0.0:,.{min(places, 8)}f}".replace("-", "−")


def _told(value: float) -> str:
    return f"{value:,.4g}".replace("-", "−") if abs(value) < 1e4 else f"{value:,.0f}"


def _text(x: float, y: float, words: str, style: str, anchor: str) -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{style}" {at}>{html.escape(words)}</text>'


_SHAPES = {"line": _line, "points": _points, "bars": _bars}
_KINDS = {"line": _plotted, "points": _plotted, "bars": _plotted, "heat": _heat}
