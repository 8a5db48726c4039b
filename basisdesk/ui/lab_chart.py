"""A chart of a study, painted straight: lines with bands, points and bars with whiskers, heat map.

Lines differ by dash and points by shape as well as by colour. Colours are the theme's, by place.
"""

import math
from datetime import UTC, datetime

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from basisdesk.ui.axis import value_ticks
from basisdesk.ui.figures import number_text
from basisdesk.ui.lab_chart_rows import ChartLine, ShownChart, value_text
from basisdesk.ui.lab_rows import sentence
from basisdesk.ui.theme import Theme

HIGH_PX, WIDE_PX = 236, 250
GAP_PX, KEYS_PX = 6, 440
GRID_SHARE = 0.08
TONES = ("accent", "perp", "basis", "gain", "loss", "muted")
DASHES = ((), (6, 3), (2, 3), (8, 3, 2, 3), (1, 4))  # fewer than tones: 30 lines that differ
REFERENCE = (2, 4)
DOT_PX, KEY_PX, BESIDE_PX, BAR_PX_MAX = 3.5, 22, 9, 44
HEAT_LEAST, HEAT_MOST = 0.08, 0.85
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


class LabChart(QWidget):
    """One chart with its title, its key and both axes named."""

    def __init__(self, chart: ShownChart, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = chart
        self._theme = theme
        self._font, self._head = theme.font(11), theme.font(12, 600)
        self._metrics = QFontMetricsF(self._font)
        self._line = math.ceil(self._metrics.height())
        self._keys = self._key_lines(theme.px(KEYS_PX))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(theme.px(WIDE_PX))
        self.setFixedHeight(theme.px(HIGH_PX) + self._line * len(self._keys))
        self.setAccessibleName(chart.said)

    # --- places -----------------------------------------------------------------------------------

    def _key_lines(self, wide: float) -> list[list[tuple[int, str]]]:
        """The key's entries, place and name, broken into lines that fit."""
        chart = self.chart
        named = [(at, line.name) for at, line in enumerate(chart.lines) if line.name]
        if chart.kind == "heat" or (len(chart.lines) < 2 and not any(x.low for x in chart.lines)):
            return []
        rows: list[list[tuple[int, str]]] = [[]]
        used = 0.0
        for at, name in named:
            need = self._metrics.horizontalAdvance(name) + self._theme.px(KEY_PX + 14)
            if rows[-1] and used + need > wide:
                rows.append([])
                used = 0.0
            rows[-1].append((at, name))
            used += need
        return rows

    def _plot(self) -> QRectF:
        px = self._theme.px
        names = [line.name for line in self.chart.lines] if self.chart.kind == "heat" else []
        top = self._line * (2.3 + len(self._keys)) + px(4)
        high = self.height() - top - 2 * self._line - px(GAP_PX)
        ticks = names or [text for _, text in self._y_ticks(high)]
        left = px(8) + max((self._metrics.horizontalAdvance(text) for text in ticks), default=0.0)
        return QRectF(left, top, max(20.0, self.width() - px(14) - left), high)

    def _at(self, room: QRectF, x: float, y: float) -> QPointF:
        (x0, x1), (y0, y1) = self.chart.span_x, self.chart.span_y
        across = (x - x0) / (x1 - x0) * room.width()
        return QPointF(room.left() + across, room.bottom() - (y - y0) / (y1 - y0) * room.height())

    def _y_ticks(self, height: float) -> list[tuple[float, str]]:
        count = max(2, int(height / (2.2 * self._line)))
        ticks, places = value_ticks(*self.chart.span_y, count)
        return [(tick, number_text(tick, places)) for tick in ticks]

    def _x_ticks(self, room: QRectF) -> list[tuple[float, str]]:
        chart = self.chart
        low, high = chart.span_x
        if chart.words:
            widest = max(map(self._metrics.horizontalAdvance, chart.words), default=1.0)
            each = max(1, math.ceil(len(chart.words) * (widest + 10) / room.width()))
            shift = 0.5 if chart.kind == "heat" else 0.0
            return [(at + shift, chart.words[at]) for at in range(0, len(chart.words), each)]
        if chart.time:
            count = max(2, int(room.width() / (self._metrics.horizontalAdvance("2022-01-01") + 24)))
            form = "%Y-%m-%d" if high - low > 8 * 86_400 else "%m-%d %H:%M"
            moments = [low + (high - low) * (at + 0.5) / count for at in range(count)]
            return [(t, datetime.fromtimestamp(t, UTC).strftime(form)) for t in moments]
        ticks, places = value_ticks(low, high, max(2, int(room.width() / 90)))
        return [(tick, number_text(tick, places)) for tick in ticks]

    # --- painting ---------------------------------------------------------------------------------

    def _paint_head(self, painter: QPainter) -> None:
        theme, px = self._theme, self._theme.px
        painter.setFont(self._head)
        painter.setPen(theme.qcolor("text"))
        painter.drawText(QRectF(0, 0, self.width(), self._line + 4), _LEFT, self.chart.title)
        painter.setFont(self._font)
        top = self._line * 1.2 + 2
        for row in self._keys:
            x = 0.0
            for at, name in row:
                self._paint_key(painter, at, QPointF(x, top + self._line / 2))
                painter.setPen(theme.qcolor("muted"))
                wide = self._metrics.horizontalAdvance(name) + 2
                painter.drawText(QRectF(x + px(KEY_PX + 4), top, wide, self._line), _LEFT, name)
                x += wide + px(KEY_PX + 14)
            top += self._line
        painter.setPen(theme.qcolor("muted"))
        painter.drawText(QRectF(0, top, self.width(), self._line), _LEFT, self.chart.y_title)

    def _paint_key(self, painter: QPainter, place: int, left: QPointF) -> None:
        """A piece of the line, or the mark, that stands for this one."""
        line, wide = self.chart.lines[place], self._theme.px(KEY_PX)
        middle = left + QPointF(wide / 2, 0)
        if self.chart.kind == "line" or line.reference:
            painter.setPen(self._pen(place, line))
            painter.drawLine(left, left + QPointF(wide, 0))
        elif self.chart.kind == "points":
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_dot(painter, middle, place)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        else:
            box = QRectF(middle.x() - 5, middle.y() - 5, 10, 10)
            painter.fillRect(box, self._theme.qcolor(TONES[place % len(TONES)]))

    def _paint_axes(self, painter: QPainter, room: QRectF) -> None:
        theme, pad = self._theme, self._theme.px(4)
        heat = self.chart.kind == "heat"
        grid, zero = theme.blend("text", GRID_SHARE), theme.blend("text", 0.3)
        painter.setFont(self._font)
        painter.setPen(theme.qcolor("muted"))
        for value, text in self._rows(room) if heat else self._y_ticks(room.height()):
            y = room.bottom() - value if heat else self._at(room, 0.0, value).y()
            if not heat:
                painter.fillRect(QRectF(room.left(), y, room.width(), 1), grid if value else zero)
            painter.drawText(
                QRectF(0, y - self._line, room.left() - pad, 2 * self._line), _RIGHT, text
            )
        last = -math.inf
        for value, text in self._x_ticks(room):
            x = self._at(room, value, 0.0).x()
            wide = self._metrics.horizontalAdvance(text) + 2
            below = QRectF(x - wide / 2, room.bottom() + pad, wide, self._line)
            below.moveRight(min(below.right(), self.width()))
            if below.left() > last + pad:
                painter.drawText(below, _CENTRE, text)
                last = below.right()
        foot = QRectF(room.left(), self.height() - self._line - 1, room.width(), self._line)
        painter.drawText(foot, _CENTRE, self.chart.x_title)

    def _rows(self, room: QRectF) -> list[tuple[float, str]]:
        """Middles of a heat map's rows, px above the bottom."""
        names = [sentence(line.name) for line in self.chart.lines]
        tall = room.height() / len(names)
        each = max(1, math.ceil(self._line / tall))
        return [((at + 0.5) * tall, names[at]) for at in range(0, len(names), each)]

    def _pen(self, place: int, line: ChartLine) -> QPen:
        pen = QPen(self._theme.qcolor("muted" if line.reference else TONES[place % len(TONES)]))
        pen.setWidthF(1.6)
        dash = REFERENCE if line.reference else DASHES[place % len(DASHES)]
        if dash:
            pen.setDashPattern([float(part) for part in dash])
        return pen

    def _paint_line(self, painter: QPainter, room: QRectF, place: int, line: ChartLine) -> None:
        if line.low and not line.reference:
            self._paint_band(painter, room, place, line)
        painter.setPen(self._pen(place, line))
        part = QPolygonF()
        for x, y in zip(line.x, line.y, strict=True):
            if math.isfinite(y):
                part.append(self._at(room, x, y))
                continue
            painter.drawPolyline(part)
            part = QPolygonF()
        painter.drawPolyline(part)

    def _paint_band(self, painter: QPainter, room: QRectF, place: int, line: ChartLine) -> None:
        rows = [
            (x, low, high)
            for x, low, high in zip(line.x, line.low, line.high, strict=True)
            if math.isfinite(low) and math.isfinite(high)
        ]
        band = QPolygonF([self._at(room, x, high) for x, _, high in rows])
        for x, low, _ in reversed(rows):
            band.append(self._at(room, x, low))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.qcolor(TONES[place % len(TONES)], 0.16))
        painter.drawPolygon(band)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_marks(self, painter: QPainter, room: QRectF, place: int, line: ChartLine) -> None:
        """Points or bars of one line, beside those of the others, with their whiskers."""
        chart = self.chart
        own = [at for at, each in enumerate(chart.lines) if not each.reference]
        if line.reference:
            self._paint_line(painter, room, place, line)
            return
        slot = room.width() / (chart.span_x[1] - chart.span_x[0]) * chart.gap * 0.8 / len(own)
        wide = min(self._theme.px(BAR_PX_MAX), max(2.0, slot))
        if chart.kind == "points":
            wide = min(wide, float(self._theme.px(BESIDE_PX)))
        shift = (own.index(place) - (len(own) - 1) / 2) * wide
        tone = self._theme.qcolor(TONES[place % len(TONES)])
        for at, (x, y) in enumerate(zip(line.x, line.y, strict=True)):
            if not math.isfinite(y):
                continue
            spot = self._at(room, x, y) + QPointF(shift, 0)
            if chart.kind == "bars":
                foot = self._at(room, x, 0.0).y()
                bar = QRectF(
                    spot.x() - wide / 2, min(spot.y(), foot), wide - 1, abs(spot.y() - foot)
                )
                painter.fillRect(bar, tone)
            else:
                self._paint_dot(painter, spot, place)
            if line.low and math.isfinite(line.low[at]) and math.isfinite(line.high[at]):
                painter.setPen(QPen(self._theme.qcolor("text", 0.75), 1.2))
                ends = [self._at(room, x, edge).y() for edge in (line.low[at], line.high[at])]
                painter.drawLine(QPointF(spot.x(), ends[0]), QPointF(spot.x(), ends[1]))

    def _paint_dot(self, painter: QPainter, spot: QPointF, place: int) -> None:
        """A disc for the first line and a square for the others: told apart without colour."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.qcolor(TONES[place % len(TONES)]))
        if place == 0:
            painter.drawEllipse(spot, DOT_PX, DOT_PX)
        else:
            painter.drawRect(QRectF(spot.x() - DOT_PX, spot.y() - DOT_PX, 2 * DOT_PX, 2 * DOT_PX))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_heat(self, painter: QPainter, room: QRectF) -> None:
        theme, chart = self._theme, self.chart
        wide, tall = room.width() / max(1, len(chart.words)), room.height() / len(chart.lines)
        reach = chart.span_y[1]
        for row, line in enumerate(chart.lines):
            for column, value in enumerate(line.y):
                if not math.isfinite(value):
                    continue
                cell = QRectF(
                    room.left() + column * wide, room.bottom() - (row + 1) * tall, wide, tall
                ).adjusted(0.5, 0.5, -0.5, -0.5)
                share = HEAT_LEAST + (HEAT_MOST - HEAT_LEAST) * min(abs(value) / reach, 1.0)
                fill = theme.blend("gain" if value >= 0 else "loss", share)
                painter.fillRect(cell, fill)
                text = value_text(value)
                if wide > self._metrics.horizontalAdvance(text) + 4 and tall > self._line:
                    painter.setPen(theme.ink_on("gain") if share > 0.6 else theme.qcolor("text"))
                    painter.drawText(cell, _CENTRE, text)

    # Qt

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(self._theme.px(WIDE_PX), self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Title and key, axes, then what is shown."""
        painter = QPainter(self)
        self._paint_head(painter)
        room = self._plot()
        if self.chart.problem:
            painter.drawText(room, _CENTRE, self.chart.problem)
            painter.end()
            return
        self._paint_axes(painter, room)
        painter.setClipRect(room.adjusted(-4, -4, 4, 4))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.chart.kind == "heat":
            self._paint_heat(painter, room)
        else:
            paint = self._paint_line if self.chart.kind == "line" else self._paint_marks
            for place, line in enumerate(self.chart.lines):
                paint(painter, room, place, line)
        painter.end()
