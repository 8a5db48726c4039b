"""The z of each sector over time: one line a sector, its name and figure at the right end.

A house chart with another margin: numbers of the axis stand at the far right, and between them and
the curves the names, pushed apart so that none lies on another, each led to by a thin line. The
sector under the pointer stands out and the others step back.
"""

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from basisdesk.scan.words import SectorView
from basisdesk.ui.axis import fit_range, spread
from basisdesk.ui.chart import Array, ChartView, Line, Pane
from basisdesk.ui.chart_paint import Scribe
from basisdesk.ui.figures import number_text
from basisdesk.ui.sector_rows import End, ends_of, z_text
from basisdesk.ui.theme import Theme

SECTORS_MAX = 16
LEAD_PX = 16  # of the thin line from a curve to its name
NUMBER = "\u221210.5"  # as wide as numbers of the axis get
Z_SPAN_MIN = 4.0
Z_SHOWN_MAX = 8.0  # a z beyond it runs out of the picture: the others would be flat
BACK_SHARE = 0.28  # what a curve keeps of its colour while another one stands out
# Of these colours a sector has the one of its place in the map; a mix is (one, share, other).
_COLOURS: tuple[str | tuple[str, float, str], ...] = (
    "spot",
    "gain",
    "perp",
    "loss",
    "basis",
    ("gain", 0.45, "warn"),
    "text",
    ("loss", 0.45, "basis"),
    "muted",
    ("accent", 0.75, "basis"),
    ("warn", 0.6, "text"),
    ("spot", 0.5, "text"),
)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def sector_colour(theme: Theme, place: int) -> QColor:
    """The colour of a sector by its place in the map; beyond a dozen they begin anew."""
    colour = _COLOURS[place % len(_COLOURS)]
    if isinstance(colour, str):
        return theme.qcolor(colour)
    one, share, other = colour
    return theme.blend(one, share, other)


class _EndScribe(Scribe):
    """Paints names at the ends of curves where a house chart has tags on its axis."""

    def __init__(self, chart: "SectorChart") -> None:
        super().__init__(chart)
        self._own = chart
        self.rects: dict[str, QRectF] = {}

    def margin_px(self, ends: list[End]) -> int:
        """Room right of the curves: lead, the widest name, and numbers."""
        widest = max((self.width_of(end.text) for end in ends), default=0.0)
        return math.ceil(LEAD_PX + widest + 2 * self._pad + self.number_px)

    @property
    def number_px(self) -> float:
        """Room for the numbers of the axis."""
        return self.width_of(NUMBER) + self._pad

    # Scribe

    def _axis_of(self, painter: QPainter, pane: Pane) -> None:
        self._numbers(painter, pane)
        self._ends(painter, pane)

    def _numbers(self, painter: QPainter, pane: Pane) -> None:
        ticks, places = self._value_ticks(pane)
        right = self._chart.viewport().width() - self._pad
        painter.setPen(self._theme.qcolor("muted"))
        for tick in ticks:
            top = pane.y_px(tick) - self._high / 2
            room = QRectF(right - self.number_px, top, self.number_px, self._high)
            if pane.rect.top() <= room.top() and room.bottom() <= pane.rect.bottom():
                painter.drawText(room, int(_RIGHT), number_text(tick, places))

    def _ends(self, painter: QPainter, pane: Pane) -> None:
        self.rects = {}
        shown = self._own.shown_ends()
        if not shown:
            return
        top, bottom = pane.rect.top(), pane.rect.bottom()
        ys = [min(max(pane.y_px(end.z), top), bottom) for end in shown]
        high = min(float(self._high), (bottom - top) / len(shown))
        tops = spread([y - high / 2 for y in ys], high, top, bottom)
        left = self._chart.plot_px
        for end, y, label_top in zip(shown, ys, tops, strict=True):
            painter.setPen(QPen(self._own.colour_of(end.name), 0))
            middle = label_top + high / 2
            lead = [QPointF(left + 1, y), QPointF(left + 4, y), QPointF(left + LEAD_PX - 2, middle)]
            painter.drawPolyline(lead)
            room = QRectF(left + LEAD_PX, label_top, self._chart.axis_px - LEAD_PX, high)
            painter.drawText(room, int(_LEFT), end.text)
            self.rects[end.name] = room


class SectorChart(ChartView):
    """The chart. Give it views by `show_view`; it keeps the window that a person zoomed to.

    pointed(name): the pointer is on the name of this sector, "" when on none.
    """

    pointed = Signal(object)

    def __init__(self, theme: Theme, *, utc: bool = True, parent: QWidget | None = None) -> None:
        self.pane = Pane("z", 1.0, signed=True)
        self._names: tuple[str, ...] = ()
        self._ends: list[End] = []
        self._lines: dict[str, Array] = {}
        self._t_s: Array = np.empty(0)
        self._strong: frozenset[str] = frozenset()
        self._pens: dict[str, tuple[int, float]] = {}
        self._chosen = ""
        super().__init__([self.pane], theme, utc=utc, parent=parent)
        self._end_scribe = _EndScribe(self)
        self._scribe = self._end_scribe
        self.pane.places = 1
        self.setAccessibleName("Sector funding against the rest of the market, z over time")
        self.ranged.connect(self._on_ranged)
        self.reset_requested.connect(self.follow)

    # --- what it shows ---------------------------------------------------------------------------

    def show_view(self, view: SectorView) -> None:
        """Show these lines; the window follows the newest unless a person moved it."""
        self._t_s = view.times_ms / 1000.0
        self._ends = ends_of(view)[:SECTORS_MAX]
        self._lines = {end.name: view.z_lines[end.name] for end in self._ends}
        self._strong = frozenset(row.name for row in view.rows if row.state != "calm")
        self._have_curves(tuple(row.name for row in view.rows[:SECTORS_MAX]))
        for name in self._names:
            line = self._lines.get(name)
            empty = line is None or not len(self._t_s)
            nothing = np.empty(0)
            self.pane.curves[name].setData(*(nothing, nothing) if empty else (self._t_s, line))
        self.note = "" if self._lines else "No settled funding is known yet."
        self.pane.lines = [
            Line("hot", view.line, "muted", f"longs crowd in over {z_text(view.line)}", True),
            Line("cold", -view.line, "muted", f"shorts crowd in under {z_text(-view.line)}", True),
        ]
        if self.note:
            self.pane.lines = []
        self._dress()
        self._fit()
        self.show_frame()

    def follow(self) -> None:
        """Show all that is known, and what comes."""
        self.following = True
        self._fit()
        self.show_frame()

    def choose(self, name: str) -> None:
        """Let one sector stand out; "" for none."""
        if name != self._chosen:
            self._chosen = name
            self._dress()
            self.viewport().update()
            self.pointed.emit(name)

    def colour_of(self, name: str) -> QColor:
        """The colour of a sector's curve and name, as it is shown now."""
        place = self._names.index(name)
        colour = sector_colour(self.theme, place)
        if self._chosen and self._chosen != name:
            return _mix(colour, self.theme.qcolor("surface"), BACK_SHARE)
        return colour

    def shown_ends(self) -> list[End]:
        """The ends as they stand at the right edge: those of now, or where the window ends."""
        if not len(self._t_s) or self.t1_s >= float(self._t_s[-1]):
            return [end if math.isfinite(end.z) else self._last_known(end) for end in self._ends]
        stop = int(np.searchsorted(self._t_s, self.t1_s, side="right"))
        ends = []
        for end in self._ends:
            z = float(self._lines[end.name][stop - 1]) if stop else math.nan
            if math.isfinite(z):
                ends.append(End(end.name, z, f"{end.name} {z_text(z)}"))
        return ends

    # --- inside ----------------------------------------------------------------------------------

    def _last_known(self, end: End) -> End:
        line = self._lines[end.name]
        known = np.flatnonzero(np.isfinite(line))
        return end._replace(z=float(line[known[-1]]))

    def _have_curves(self, names: tuple[str, ...]) -> None:
        if names == self._names:
            return
        for curve in self.pane.curves.values():
            self.pane.box.removeItem(curve)
        self.pane.curves.clear()
        self._pens.clear()
        self._names = names
        for place, name in enumerate(names):
            self.pane.add_curve(name, QPen(sector_colour(self.theme, place), 0))

    def _dress(self) -> None:
        for name in self._names:
            colour = self.colour_of(name)
            width = 2.0 if name == self._chosen or name in self._strong else 1.0
            look = (int(colour.rgba()), width)
            if self._pens.get(name) != look:
                self._pens[name] = look
                pen = QPen(colour, width)
                pen.setCosmetic(True)  # in px: a wide pen is in units of the axes otherwise
                self.pane.curves[name].setPen(pen)

    def _fit(self) -> None:
        if self._t_s.size:
            first, last = self._first_known(), float(self._t_s[-1])
            self.limits = (first, last)
            if self.following:
                self.set_window(first, max(last, first + 60.0))
        axis_px = self._end_scribe.margin_px(self._ends)
        if axis_px > self.axis_px:
            self.axis_px = axis_px
            self._arrange()
        inside = (self._t_s >= self.t0_s) & (self._t_s <= self.t1_s)
        shown = [line[inside] for line in self._lines.values()]
        values = np.concatenate(shown) if shown else np.empty(0)
        values = np.clip(values[np.isfinite(values)], -Z_SHOWN_MAX, Z_SHOWN_MAX)
        lines = [line.value for line in self.pane.lines]
        lo = min([*lines, float(values.min())] if len(values) else lines, default=-2.0)
        hi = max([*lines, float(values.max())] if len(values) else lines, default=2.0)
        self.pane.y = fit_range(lo, hi, Z_SPAN_MIN, self.pane.y)

    def _first_known(self) -> float:
        firsts = [int(np.argmax(np.isfinite(line))) for line in self._lines.values()]
        return float(self._t_s[min(firsts, default=0)])

    def _on_ranged(self, _t0_s: float, t1_s: float) -> None:
        self.following = (
            bool(len(self._t_s))
            and t1_s >= float(self._t_s[-1])
            and (self.t0_s <= self._first_known())
        )
        self._fit()
        self.show_frame()

    def _point(self, spot: QPointF | None) -> None:
        super()._point(spot)
        rects = self._end_scribe.rects.items()
        self.choose(
            "" if spot is None else next((name for name, r in rects if r.contains(spot)), "")
        )

    # Qt

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: D102
        super().resizeEvent(event)
        if hasattr(self, "_end_scribe"):
            self._fit()
            self.show_frame()


def _mix(top: QColor, under: QColor, share: float) -> QColor:
    parts = zip(
        (top.red(), top.green(), top.blue()),
        (under.red(), under.green(), under.blue()),
        strict=True,
    )
    return QColor(*(round(t * share + u * (1.0 - share)) for t, u in parts))
