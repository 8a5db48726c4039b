"""Equity, drawdown and exposure over time: three lanes on one time axis, painted when they moved.

A point a minute and at each close, a week of them at most, painted straight, without a scene; what
falls on one pixel is painted once. Where nothing is known between two points, they are dots on a
dotted line, not a curve.
"""

import math
from bisect import bisect_right
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from basisdesk.ui.account_rows import Lane, clock_of
from basisdesk.ui.axis import time_ticks, value_ticks, zone_of
from basisdesk.ui.figures import number_text
from basisdesk.ui.theme import Theme

AXIS_PX, TAG_PX, NAME_PX, GAP_PX = 18, 84, 15, 5
SPAN_S_MIN = 60.0
GRID_SHARE = 0.08
TICK_PX = 110  # between two times on the axis
DOT_PX = 3
LEAP_SHARE = 0.45  # of the colour, where nothing is known


class AccountCurves(QWidget):
    """Three lanes, the newest value at the right, what is under the pointer beside the name."""

    def __init__(self, theme: Theme, utc: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._utc = utc
        self._lanes: tuple[Lane, ...] = ()
        self._hover_x = math.nan
        self.empty_text = (
            "No curve yet. Equity is noted at the first quotes, each minute and at each close; the "
            "curves grow from there."
        )
        self.setMouseTracking(True)
        self.setMinimumSize(theme.px(170), theme.px(110))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Equity, drawdown and gross exposure over time")

    @property
    def shown(self) -> tuple[Lane, ...]:
        """The lanes on the screen."""
        return self._lanes

    def show_lanes(self, lanes: tuple[Lane, ...]) -> None:
        """Show these; nothing is painted anew when nothing moved."""
        if lanes == self._lanes:
            return
        self._lanes = lanes
        self.setAccessibleDescription(", ".join(self._last_text(lane) for lane in lanes))
        self.update()

    def _last_text(self, lane: Lane) -> str:
        last = lane.points[-1][1] if lane.points else math.nan
        return f"{lane.name} {number_text(last, lane.places)} {lane.unit}"

    # --- painting ---------------------------------------------------------------------------------

    def _span(self) -> tuple[float, float]:
        times = [lane.points[0][0] for lane in self._lanes if lane.points]
        ends = [lane.points[-1][0] for lane in self._lanes if lane.points]
        first, last = min(times), max(ends)
        return min(first, last - SPAN_S_MIN), last

    def _plot(self, top: float, height: float) -> QRectF:
        px = self._theme.px
        name = px(NAME_PX)
        left, right = px(10), self.width() - px(TAG_PX)
        return QRectF(left, top + name, max(10.0, right - left), max(6.0, height - name))

    def _paint_lane(
        self, painter: QPainter, lane: Lane, room: QRectF, span: tuple[float, float]
    ) -> None:
        theme = self._theme
        values = [value for _, value in lane.points]
        low, high = min(values), max(values)
        if not math.isnan(lane.floor):
            low, high = min(low, lane.floor), max(high, lane.floor)
        air = (high - low) * 0.08 or max(abs(high) * 1e-4, 0.01)
        low, high = low - air, high + air
        self._paint_grid(painter, room, (low, high))
        t0, t1 = span

        def at(t_s: float, value: float) -> QPointF:
            x = room.left() + (t_s - t0) / (t1 - t0) * room.width()
            return QPointF(x, room.bottom() - (value - low) / (high - low) * room.height())

        lines = [QPolygonF([at(*point) for point in stroke]) for stroke in lane.strokes]
        self._paint_strokes(painter, lines, lane.colour)
        end = lines[-1].last()
        painter.fillRect(QRectF(end.x() - 1.5, end.y() - 1.5, 4, 4), theme.qcolor(lane.colour))
        painter.setFont(theme.font(11))
        painter.setPen(theme.qcolor("muted"))
        name = QRectF(room.left(), room.top() - theme.px(NAME_PX), room.width(), theme.px(NAME_PX))
        said = self._name_text(lane, room, span)
        painter.drawText(name, int(Qt.AlignmentFlag.AlignVCenter), said)
        tag = QRectF(room.right() + 6, end.y() - 9, self.width() - room.right() - 10, 18)
        tag.moveTop(min(max(tag.top(), room.top() - 9), room.bottom() - 12))
        painter.setPen(theme.qcolor("text"))
        last = number_text(values[-1], lane.places)
        painter.drawText(tag, int(Qt.AlignmentFlag.AlignVCenter), last)

    def _paint_strokes(self, painter: QPainter, lines: list[QPolygonF], colour: str) -> None:
        """The pieces of a line, a dot where one is a single point, dotted from one to the next."""
        theme = self._theme
        leap = QPen(theme.blend(colour, LEAP_SHARE), 0)
        leap.setDashPattern([1, 4])
        painter.setPen(leap)
        for one, two in pairwise(lines):
            painter.drawLine(one.last(), two.first())
        painter.setPen(theme.qcolor(colour))
        for line in lines:
            painter.drawPolyline(line)
            if line.size() == 1:
                dot = QRectF(0, 0, DOT_PX, DOT_PX)
                dot.moveCenter(line.first())
                painter.fillRect(dot, theme.qcolor(colour))

    def _name_text(self, lane: Lane, room: QRectF, span: tuple[float, float]) -> str:
        """The lane's name with its unit; under the pointer with moment and value."""
        said = f"{lane.name}, {lane.unit}"
        if math.isnan(self._hover_x) or not room.left() <= self._hover_x <= room.right():
            return said
        t_s = span[0] + (self._hover_x - room.left()) / room.width() * (span[1] - span[0])
        place = bisect_right([at for at, _ in lane.points], t_s) - 1
        if place < 0:
            return said
        when, value = lane.points[place]
        moment = clock_of(when, self._utc, span[1] - span[0])
        return f"{said}  \u00b7  {moment}  {number_text(value, lane.places)}"

    def _paint_grid(self, painter: QPainter, room: QRectF, scale: tuple[float, float]) -> None:
        ticks, _ = value_ticks(*scale, 2)
        colour = self._theme.blend("text", GRID_SHARE)
        for tick in ticks:
            y = room.bottom() - (tick - scale[0]) / (scale[1] - scale[0]) * room.height()
            painter.fillRect(QRectF(room.left(), y, room.width(), 1), colour)

    def _paint_times(self, painter: QPainter, span: tuple[float, float]) -> None:
        px, (t0, t1) = self._theme.px, span
        left, right = px(10), self.width() - px(TAG_PX)
        zone, offset = zone_of(self._utc, t1)
        painter.setFont(self._theme.font(11))
        painter.setPen(self._theme.qcolor("muted"))
        top = self.height() - px(AXIS_PX)
        for tick in time_ticks(t0, t1, max(1, int((right - left) / px(TICK_PX))), offset):
            x = left + (tick - t0) / (t1 - t0) * (right - left)
            place = QRectF(x - px(40), top, px(80), px(AXIS_PX))
            text = clock_of(tick, self._utc, t1 - t0)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)
        corner = QRectF(right + 6, top, px(TAG_PX) - 10, px(AXIS_PX))
        painter.drawText(corner, int(Qt.AlignmentFlag.AlignVCenter), zone)

    # Qt

    def sizeHint(self) -> QSize:
        """Three lanes and the axis."""
        return QSize(self._theme.px(420), self._theme.px(190))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The lanes from top to bottom, then the time axis; or the sentence in their place."""
        theme, px = self._theme, self._theme.px
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.qcolor("surface"))
        if not any(len(lane.points) > 1 for lane in self._lanes):
            painter.setPen(theme.qcolor("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 8, -16, -8), int(flags), self.empty_text)
            return
        span = self._span()
        high = (self.height() - px(AXIS_PX) - px(4)) / len(self._lanes)
        for place, lane in enumerate(self._lanes):
            room = self._plot(px(2) + place * high, high - px(GAP_PX))
            self._paint_lane(painter, lane, room, span)
        self._paint_times(painter, span)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the values under the pointer."""
        self._hover_x = event.position().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """No pointer, no value."""
        super().leaveEvent(event)
        self._hover_x = math.nan
        self.update()
