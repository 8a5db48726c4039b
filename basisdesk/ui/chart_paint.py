"""Paints what stands around the curves: grid, axes, bands, lines, labels, tags, crosshair.

All in pixels of the chart. Text is drawn as the characters given, never as markup, and a label
that finds no free place is left out rather than laid over another.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from basisdesk.ui.axis import clock_words, spread, tick_words, time_ticks, value_ticks, zone_of
from basisdesk.ui.figures import number_text, sign_text

if TYPE_CHECKING:
    from basisdesk.ui.chart import Band, ChartView, Line, Mark, Note, Pane, Tag

GRID_SHARE = 0.08
LABELLED_MARKS_MAX = 12
DOTS_MAX = 500
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter


class Scribe:
    """Paints one chart. Holds its fonts and pens; everything shown is read from the chart."""

    def __init__(self, chart: "ChartView") -> None:
        self._chart = chart
        theme = chart.theme
        self._theme = theme
        self._font = theme.font(11)
        self._metrics = QFontMetricsF(self._font)
        self._high = math.ceil(self._metrics.height())
        self._pad = float(theme.px(6))
        # mixed, not translucent: a translucent pen costs ten times as much
        self._grid = QPen(theme.blend("text", GRID_SHARE), 0)
        self._edge = QPen(theme.qcolor("line"), 0)
        self.time_axis_px = self._high + theme.px(8)
        self._taken: list[QRectF] = []  # where texts and marks stand in the pane at hand
        self._drawn: list[QRectF] = []  # where its lines run: better avoided, but not forbidden

    @property
    def font(self) -> QFont:
        """The font of everything written on the chart."""
        return self._font

    def width_of(self, text: str) -> float:
        """Width of a text on the chart, px."""
        return self._metrics.horizontalAdvance(text)

    def axis_width(self, text: str) -> int:
        """How wide the value axis must be for its longest tag, px."""
        return math.ceil(self.width_of(text) + 3 * self._pad)

    # --- under the curves ------------------------------------------------------------------------

    def under(self, painter: QPainter) -> None:
        """Outages, bands and grid: what curves are drawn over."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        shade = self._theme.qcolor("loss", 0.10)
        for pane in self._chart.panes:
            for outage in self._chart.outages:
                painter.fillRect(self._stretch(pane, outage.t0_s, outage.t1_s), shade)
            painter.save()
            painter.setClipRect(pane.rect)
            for band in pane.bands:
                self._band(painter, pane, band)
            painter.restore()
            self._grid_of(painter, pane)

    def _stretch(self, pane: "Pane", t0_s: float, t1_s: float) -> QRectF:
        left = max(pane.rect.left(), self._chart.x_px(t0_s))
        right = min(pane.rect.right(), max(self._chart.x_px(t1_s), left + 1.0))
        return QRectF(left, pane.rect.top(), max(0.0, right - left), pane.rect.height())

    def _band(self, painter: QPainter, pane: "Pane", band: "Band") -> None:
        if len(band.x) < 2:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.qcolor(band.colour, band.alpha))
        whole = np.isfinite(band.low) & np.isfinite(band.high)
        scale = pane.rect.height() / (pane.span[1] - pane.span[0])
        ends = np.flatnonzero(np.diff(np.concatenate(([0], whole.view(np.int8), [0]))))
        for first, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True):
            if end - first < 2:
                continue
            xs = self._chart.x_px(band.x[first:end])
            lows = pane.rect.bottom() - (band.low[first:end] - pane.span[0]) * scale
            highs = pane.rect.bottom() - (band.high[first:end] - pane.span[0]) * scale
            around = pg.functions.create_qpolygonf(2 * len(xs))
            corners = pg.functions.ndarray_from_qpolygonf(around)
            corners[:, 0] = np.concatenate((xs, xs[::-1]))
            corners[:, 1] = np.concatenate((lows, highs[::-1]))
            painter.drawPolygon(around)

    def _grid_of(self, painter: QPainter, pane: "Pane") -> None:
        rect = pane.rect
        ys = [round(pane.y_px(tick)) for tick in self._value_ticks(pane)[0]]
        xs = [round(self._chart.x_px(tick)) for tick in self._time_ticks()]
        painter.setPen(self._grid)
        painter.drawLines(
            [QLineF(rect.left(), y, rect.right(), y) for y in ys]
            + [QLineF(x, rect.top(), x, rect.bottom()) for x in xs]
        )

    # --- over the curves -------------------------------------------------------------------------

    def over(self, painter: QPainter) -> None:
        """Lines, labels, marks, axes, tags and the crosshair."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(self._font)
        self._frame(painter)
        for pane in self._chart.panes:
            self._taken, self._drawn = [], []
            self._lines_of(painter, pane)
            self._dots_of(painter, pane)
            self._marks_of(painter, pane)
            for note in pane.notes:
                self._note_of(painter, pane, note)
            if pane.names_outages:
                self._outages_of(painter, pane)
            self._axis_of(painter, pane)
        self._time_axis(painter)
        if self._chart.note:
            self._note(painter, self._chart.note)
        elif self._chart.pointer is not None:
            self._crosshair(painter, self._chart.pointer)
        if self._chart.framed:
            painter.setPen(QPen(self._theme.qcolor("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._chart.viewport().rect().adjusted(0, 0, -1, -1))

    def _frame(self, painter: QPainter) -> None:
        chart = self._chart
        painter.setPen(self._edge)
        right = chart.plot_px
        bottom = chart.panes[-1].rect.bottom()
        painter.drawLine(QLineF(right, 0, right, bottom))
        for pane in chart.panes:
            y = round(pane.rect.bottom()) + (2 if pane is not chart.panes[-1] else 0)
            painter.drawLine(QLineF(0, y, chart.viewport().width(), y))

    def _lines_of(self, painter: QPainter, pane: "Pane") -> None:
        shown = [line for line in pane.lines if math.isfinite(line.value)]
        if not shown:
            return
        top, bottom = pane.rect.top() + 2, pane.rect.bottom() - 1
        ys = [min(max(round(pane.y_px(line.value)), top), bottom) for line in shown]
        for line, y in zip(shown, ys, strict=True):
            if line.drawn and top < y < bottom:
                self._line(painter, pane, line, y)
                self._drawn.append(QRectF(pane.rect.left(), y - 1, pane.rect.width(), 3))
        named = self._named(shown, bottom - top)
        wanted = [y - self._high - 1 for line, y in zip(shown, ys, strict=True) if line in named]
        tops = spread(wanted, self._high + 1, top, bottom)
        for line, label_top in zip(named, tops, strict=True):
            self._line_label(painter, pane, line, label_top)

    def _named(self, shown: "list[Line]", room: float) -> "list[Line]":
        """The lines whose label has a place: in a low pane what is held, then what moves."""
        most = max(1, int(room // (self._high + 1)))
        at_hand = (self._chart.held, self._chart.near)
        ranked = sorted(
            shown, key=lambda line: (line not in at_hand, not line.kept, not line.drags)
        )[:most]
        for line in shown:
            if line not in ranked:
                self._chart.label_rects.pop(line.name, None)
        return [line for line in shown if line in ranked]

    def _line(self, painter: QPainter, pane: "Pane", line: "Line", y: float) -> None:
        held = line is self._chart.held or line is self._chart.near
        pen = QPen(self._theme.qcolor(line.colour), 2 if held else 0)
        if line.dashed:
            pen.setDashPattern([4, 4])
        painter.setPen(pen)
        painter.drawLine(QLineF(pane.rect.left(), y, pane.rect.right(), y))

    def _line_label(self, painter: QPainter, pane: "Pane", line: "Line", top: float) -> None:
        text = line.text
        if line.value > pane.span[1]:
            text += "  above"
        elif line.value < pane.span[0]:
            text += "  below"
        grip = self._high if line.drags else 0.0
        room = QRectF(self._pad, top, self.width_of(text) + grip + self._pad, self._high)
        painter.fillRect(room, self._theme.qcolor("surface", 0.82))
        painter.setPen(self._theme.qcolor(line.colour))
        painter.drawText(room.adjusted(self._pad / 2, 0, 0, 0), _LEFT, text)
        if line.drags:
            self._grip(painter, QPointF(room.right() - grip / 2, room.center().y()), line.colour)
        self._chart.label_rects[line.name] = room
        self._taken.append(room)

    def _grip(self, painter: QPainter, middle: QPointF, colour: str) -> None:
        half, gap, high = 3.0, 1.5, 3.5
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.qcolor(colour))
        for way in (-1.0, 1.0):
            base = middle.y() + way * gap
            corners = [(-half, base), (half, base), (0.0, base + way * high)]
            painter.drawPolygon(QPolygonF([QPointF(middle.x() + dx, y) for dx, y in corners]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _dots_of(self, painter: QPainter, pane: "Pane") -> None:
        if not pane.dots:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self._theme.qcolor("surface"), 1))
        painter.setBrush(self._theme.qcolor("warn"))
        for t_s, value in pane.dots[-DOTS_MAX:]:
            x = self._chart.x_px(t_s)
            if pane.rect.left() <= x <= pane.rect.right():
                painter.drawEllipse(QPointF(x, pane.y_px(value)), 3.5, 3.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _marks_of(self, painter: QPainter, pane: "Pane") -> None:
        chart = self._chart
        shown = [m for m in pane.marks if chart.t0_s <= m.t_s <= chart.t1_s]
        spots = []
        for mark in shown:
            y = min(max(pane.y_px(mark.y), pane.rect.top() + 12), pane.rect.bottom() - 12)
            spots.append(self._triangle(painter, mark, QPointF(chart.x_px(mark.t_s), y)))
        self._taken.extend(spots)
        for mark, spot in list(zip(shown, spots, strict=True))[-LABELLED_MARKS_MAX:]:
            self._mark_label(painter, pane, mark, spot)

    def _triangle(self, painter: QPainter, mark: "Mark", tip: QPointF) -> QRectF:
        half, high = 5.0, 8.0
        way = 1.0 if mark.up else -1.0  # an opening hangs above its point, a closing stands below
        near, far = tip.y() + way * 3.0, tip.y() + way * (3.0 + high)
        corners = [(0.0, near), (-half, far), (half, far)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self._theme.qcolor("surface"), 1))
        painter.setBrush(self._theme.qcolor(mark.colour))
        painter.drawPolygon(QPolygonF([QPointF(tip.x() + dx, y) for dx, y in corners]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        return QRectF(tip.x() - half, min(near, far), 2 * half, high)

    def _mark_label(self, painter: QPainter, pane: "Pane", mark: "Mark", spot: QRectF) -> None:
        width, high = self.width_of(mark.text) + self._pad, float(self._high)
        above, below = spot.top() - high - 1, spot.bottom() + 1
        beside = spot.center().y() - high / 2
        rows = (below, below + high, above) if mark.up else (above, above - high, below)
        right, middle, left = spot.left(), spot.center().x() - width / 2, spot.right() - width
        tries = [(x, y) for y in rows for x in (middle, right, left)]
        tries += [(spot.right() + 3, beside), (spot.left() - 3 - width, beside)]
        room = self._free([QRectF(x, y, width, high) for x, y in tries], pane.rect)
        if room is not None:
            painter.fillRect(room, self._theme.qcolor("surface", 0.75))
            painter.setPen(self._theme.qcolor("text"))
            painter.drawText(room, _CENTRE, mark.text)

    def _note_of(self, painter: QPainter, pane: "Pane", note: "Note") -> None:
        width, high = self.width_of(note.text) + self._pad, float(self._high)
        x, y = self._chart.x_px(note.t_s), pane.y_px(note.y)
        left = x + 2 if note.after else x - width - 2
        left = min(max(left, pane.rect.left()), pane.rect.right() - width)
        tops = (y - high - 3, y + 3, y - 2 * high, y + high)
        room = self._free([QRectF(left, top, width, high) for top in tops], pane.rect)
        if room is not None:
            painter.setPen(self._theme.qcolor(note.colour))
            painter.drawText(room, _CENTRE, note.text)

    def _outages_of(self, painter: QPainter, pane: "Pane") -> None:
        chart = self._chart
        for outage in chart.outages:
            if outage.t1_s < chart.t0_s or outage.t0_s > chart.t1_s:
                continue
            middle = self._stretch(pane, outage.t0_s, outage.t1_s).center().x()
            width = self.width_of(outage.text) + self._pad
            left = min(max(middle - width / 2, 0.0), pane.rect.right() - width)
            tops = (pane.rect.top() + 4 + i * (self._high + 2) for i in range(4))
            room = self._free([QRectF(left, t, width, self._high) for t in tops], pane.rect)
            if room is not None:
                painter.fillRect(room, self._theme.qcolor("surface", 0.75))
                painter.setPen(self._theme.qcolor("loss"))
                painter.drawText(room, _CENTRE, outage.text)

    def _free(self, places: list[QRectF], within: QRectF) -> QRectF | None:
        for avoided in ([*self._taken, *self._drawn], self._taken):
            for place in places:
                if within.contains(place) and not any(place.intersects(r) for r in avoided):
                    self._taken.append(place)
                    return place
        return None

    # --- axes ------------------------------------------------------------------------------------

    def _axis_of(self, painter: QPainter, pane: "Pane") -> None:
        tags = self._tag_rects(pane)
        ticks, places = self._value_ticks(pane)
        left = self._chart.plot_px + self._pad
        painter.setPen(self._theme.qcolor("muted"))
        for tick in ticks:
            room = QRectF(left, pane.y_px(tick) - self._high / 2, self._chart.axis_px, self._high)
            inside = pane.rect.top() <= room.top() and room.bottom() <= pane.rect.bottom()
            if inside and not any(room.intersects(tag) for tag in tags):
                painter.drawText(room, _LEFT, number_text(tick, places))
        for tag, room in zip(self._shown_tags(pane), tags, strict=True):
            self._tag(painter, room, tag.text, tag.colour, hollow=tag.hollow)

    def _shown_tags(self, pane: "Pane") -> "list[Tag]":
        return [tag for tag in pane.tags if math.isfinite(tag.value)]

    def _tag_rects(self, pane: "Pane") -> list[QRectF]:
        high = self._high + 4.0
        wanted = [pane.y_px(tag.value) - high / 2 for tag in self._shown_tags(pane)]
        tops = spread(wanted, high + 1, pane.rect.top(), pane.rect.bottom() + 1)
        width = self._chart.axis_px - 1.0
        return [QRectF(self._chart.plot_px + 1, round(top), width, high) for top in tops]

    def _tag(
        self, painter: QPainter, room: QRectF, text: str, colour: str, *, hollow: bool = False
    ) -> None:
        ink = self._theme.qcolor(colour) if hollow else self._theme.ink_on(colour)
        if hollow:
            painter.fillRect(room, self._theme.qcolor("surface"))
            painter.setPen(QPen(self._theme.qcolor(colour), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(room.adjusted(0, 0, -1, -1))
        else:
            painter.fillRect(room, self._theme.qcolor(colour))
        painter.setPen(ink)
        painter.drawText(room.adjusted(self._pad - 1, 0, 0, 0), _LEFT, text)

    def _time_axis(self, painter: QPainter) -> None:
        ticks = self._time_ticks()
        name, offset_s = zone_of(self._chart.utc, self._chart.t1_s)
        top = self._chart.panes[-1].rect.bottom() + 4
        painter.setPen(self._theme.qcolor("muted"))
        for tick, words in zip(ticks, tick_words(ticks, offset_s), strict=True):
            half = self.width_of(words) / 2
            x = self._chart.x_px(tick)
            if x - half >= 0 and x + half <= self._chart.plot_px:
                painter.drawText(
                    QRectF(x - half - 1, top, 2 * half + 2, self._high), _CENTRE, words
                )
        corner = QRectF(self._chart.plot_px + self._pad, top, self._chart.axis_px, self._high)
        painter.drawText(corner, _LEFT, name)

    def _value_ticks(self, pane: "Pane") -> tuple[list[float], int]:
        if self._chart.note:  # nothing is shown: an axis with numbers would make them up
            return [], 0
        count = max(3, int(pane.rect.height() / (self._high * 2.2)))
        return value_ticks(*pane.span, count)

    def _time_ticks(self) -> list[float]:
        if self._chart.note:
            return []
        chart = self._chart
        count = max(2, int(chart.plot_px / (self.width_of("00:00:00") * 1.8)))
        return time_ticks(chart.t0_s, chart.t1_s, count, zone_of(chart.utc, chart.t1_s)[1])

    # --- the pointer -----------------------------------------------------------------------------

    def _crosshair(self, painter: QPainter, spot: QPointF) -> None:
        chart = self._chart
        if spot.x() > chart.plot_px:
            return
        pen = QPen(self._theme.qcolor("muted", 0.7), 1)
        pen.setDashPattern([2, 3])
        painter.setPen(pen)
        bottom = chart.panes[-1].rect.bottom()
        x, y = round(spot.x()), round(spot.y())
        painter.drawLine(QLineF(x, 0, x, bottom))
        pane = chart.pane_at(spot.y())
        if pane is not None:
            painter.drawLine(QLineF(0, y, chart.plot_px, y))
            high = self._high + 4.0
            top = min(max(y - high / 2, 0.0), pane.rect.bottom() - high)
            text = self.value_words(pane, pane.value_at(spot.y()))
            room = QRectF(chart.plot_px + 1, top, chart.axis_px - 1.0, high)
            self._plaque(painter, room, text)
        words = clock_words(chart.time_at(spot.x()), chart.utc)
        width = self.width_of(words) + 2 * self._pad
        left = min(max(x - width / 2, 0.0), chart.plot_px - width)
        self._plaque(painter, QRectF(left, bottom + 2, width, self._high + 4), words)

    def _plaque(self, painter: QPainter, room: QRectF, text: str) -> None:
        painter.fillRect(room, self._theme.qcolor("raised"))
        painter.setPen(self._edge)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(room.adjusted(0, 0, -1, -1))
        painter.setPen(self._theme.qcolor("text"))
        painter.drawText(room.adjusted(self._pad - 1, 0, 0, 0), _LEFT, text)

    def value_words(self, pane: "Pane", value: float) -> str:
        """A value of a pane as it stands on its axis, with its unit."""
        figure = (sign_text if pane.signed else number_text)(value, pane.places)
        return f"{figure} {pane.unit}" if pane.unit else figure

    def _note(self, painter: QPainter, text: str) -> None:
        painter.setPen(self._theme.qcolor("muted"))
        painter.setFont(self._theme.font(12))
        painter.drawText(self._chart.viewport().rect(), int(_CENTRE), text)
