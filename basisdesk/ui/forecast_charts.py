"""The probability on a scale with p* beside it, the reliability curve, and signed bars in a cell.

All of them are painted straight, without a scene, and only when a figure moved.
"""

import math

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QSizePolicy,
    QStyle,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from basisdesk.forecast.evaluate import Bar
from basisdesk.ui.forecast_proof_rows import Reliability, point_tip
from basisdesk.ui.forecast_rows import Gauge
from basisdesk.ui.table_cells import GAUGE_ROLE, MEANING_ROLE, PADDING_PX, CellDelegate, Index
from basisdesk.ui.theme import Theme, safe, set_tip

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)

BAR_PX, TICK_PX, GAP_PX = 8, 4, 3  # the scale, what the p* tick stands out by, between the lines
FIGURE_PX, WORDS_PX = 26, 19
GRID_SHARE = 0.08
COUNTS_SHARE = 0.16  # of the plot's height, for how often each bin was said
NEAR_PX = 9.0  # how near to a bar the pointer has to be
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


class ScoreBar(QWidget):
    """A large figure, and under it 0 to 100 %: the interval as a band, p as a line, p* as a tick.

    The words of the interval stand above the scale and those of p* below, so that neither can lie
    on the other wherever the two are.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._gauge = Gauge()
        self._large = theme.font(FIGURE_PX, 600)
        self._wordy = theme.font(WORDS_PX, 600)
        self._small = theme.font(11)
        self._large_metrics = QFontMetricsF(self._large)
        self._metrics = QFontMetricsF(self._small)
        self._line = math.ceil(self._metrics.height())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self._figure_high() + 2 * self._line + theme.px(BAR_PX + 4 * GAP_PX))
        self.setAccessibleName("Probability, its interval and p*")

    @property
    def gauge(self) -> Gauge:
        """What is shown."""
        return self._gauge

    def show_gauge(self, gauge: Gauge) -> None:
        """Show these figures; nothing is painted anew when none moved."""
        if gauge != self._gauge:
            self._gauge = gauge
            self.setAccessibleDescription(gauge.said)
            set_tip(self, gauge.tip)
            self.update()

    # --- painting ---------------------------------------------------------------------------------

    def _figure_high(self) -> int:
        return math.ceil(self._large_metrics.height())

    def _scale(self) -> QRectF:
        px = self._theme.px
        top = self._figure_high() + self._line + px(GAP_PX)
        return QRectF(1, top, max(10, self.width() - 2), px(BAR_PX))

    def _x(self, share: float) -> float:
        scale = self._scale()
        return scale.left() + min(max(share, 0.0), 1.0) * scale.width()

    def _words(self, painter: QPainter, text: str, x: float, top: float) -> QRectF:
        """Write text in the middle of x, within the widget; gives the room it took."""
        wide = self._metrics.horizontalAdvance(text) + 2
        left = min(max(x - wide / 2, 0.0), max(0.0, self.width() - wide))
        room = QRectF(left, top, wide, self._line)
        painter.drawText(room, _CENTRE, text)
        return room

    def _paint_figure(self, painter: QPainter) -> None:
        gauge, theme = self._gauge, self._theme
        high = self._figure_high()
        painter.setFont(self._wordy if gauge.wordy else self._large)
        painter.setPen(theme.qcolor("text" if gauge.wordy else gauge.tone))
        painter.drawText(QRectF(0, 0, self.width(), high), _LEFT, gauge.figure)
        left = self._large_metrics.horizontalAdvance(gauge.figure) + theme.px(10)
        painter.setFont(self._small)
        if not gauge.caption:
            return
        painter.setPen(theme.qcolor("muted"))
        beside = QRectF(left, 0, max(1.0, self.width() - left), high)
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(beside, flags, gauge.caption)

    def _paint_scale(self, painter: QPainter) -> None:
        gauge, theme, scale = self._gauge, self._theme, self._scale()
        painter.fillRect(scale, theme.qcolor("raised"))
        painter.setPen(theme.qcolor("line"))
        painter.drawRect(scale)
        if gauge.known:
            left, right = self._x(gauge.low), self._x(gauge.high)
            band = QRectF(left, scale.top(), max(2.0, right - left), scale.height())
            painter.fillRect(band, theme.qcolor(gauge.band, 0.45))
            mark = QRectF(self._x(gauge.p) - 1.5, scale.top() - 1, 3, scale.height() + 2)
            painter.fillRect(mark, theme.qcolor(gauge.tone))
        if gauge.interval:
            known = gauge.known
            x = (self._x(gauge.low) + self._x(gauge.high)) / 2 if known else scale.center().x()
            painter.setPen(theme.qcolor("muted"))
            self._words(painter, gauge.interval, x, scale.top() - self._line - 1)
        below = scale.bottom() + theme.px(GAP_PX)
        taken = QRectF()
        if math.isfinite(gauge.p_star):
            x, out = self._x(gauge.p_star), theme.px(TICK_PX)
            if math.isfinite(gauge.line):  # the margin over p*
                more = max(0.0, self._x(gauge.line) - x)
                over = QRectF(x, scale.top() - 1, more, scale.height() + 2)
                painter.fillRect(over, theme.qcolor("warn", 0.35))
            tick = QRectF(x - 1, scale.top() - 1, 2, scale.height() + 1 + out)
            painter.fillRect(tick, theme.qcolor("warn"))
            painter.setPen(theme.qcolor("warn"))
            taken = self._words(painter, gauge.star, x, below + 1)
        self._paint_ends(painter, taken.adjusted(-6, 0, 6, 0), below + 1)

    def _paint_ends(self, painter: QPainter, taken: QRectF, top: float) -> None:
        painter.setPen(self._theme.qcolor("muted"))
        for text, flags in (("0", _LEFT), ("100 %", _RIGHT)):
            wide = self._metrics.horizontalAdvance(text) + 1
            left = 0.0 if flags == _LEFT else self.width() - wide
            room = QRectF(left, top, wide, self._line)
            if not room.intersects(taken):
                painter.drawText(room, flags, text)

    # Qt

    def sizeHint(self) -> QSize:
        """As high as its lines."""
        return QSize(self._theme.px(280), self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The figure, then the scale."""
        painter = QPainter(self)
        self._paint_figure(painter)
        self._paint_scale(painter)
        painter.end()


class ReliabilityView(QWidget):
    """What was said against what came true: dots with their intervals, and the diagonal.

    Under the dots stands how often each was said. A bin with too few outcomes has no dot.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._curve = Reliability()
        self._font = theme.font(11)
        self._metrics = QFontMetricsF(self._font)
        self._line = math.ceil(self._metrics.height())
        self.setMinimumSize(theme.px(120), theme.px(90))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Reliability: what was said against what came true")

    @property
    def curve(self) -> Reliability:
        """What is shown."""
        return self._curve

    def show_curve(self, curve: Reliability) -> None:
        """Show these bins; nothing is painted anew when none moved."""
        if curve != self._curve:
            self._curve = curve
            self.setAccessibleDescription(curve.said)
            self.update()

    def point_at(self, x: float, y: float) -> Bar | None:
        """The bin whose dot or bar is under a place, or None."""
        room = self._plot()
        for point in self._curve.points:
            at = self._at(room, point.said, 0.0).x()
            if abs(x - at) <= NEAR_PX and room.top() <= y <= room.bottom():
                return point
        return None

    # --- painting ---------------------------------------------------------------------------------

    def _plot(self) -> QRectF:
        """A square where there is room for one, at the left, with its axes beside and below."""
        px = self._theme.px
        left = self._metrics.horizontalAdvance("100") + px(6)
        top = float(self._line + px(3))
        wide = self.width() - left - px(8)
        high = self.height() - top - self._line - px(4)
        return QRectF(left, top, max(20.0, min(wide, high * 1.6)), max(20.0, min(high, wide)))

    @staticmethod
    def _at(room: QRectF, said: float, came: float) -> QPointF:
        return QPointF(room.left() + said * room.width(), room.bottom() - came * room.height())

    def _paint_axes(self, painter: QPainter, room: QRectF) -> None:
        theme, pad = self._theme, self._theme.px(4)
        grid = theme.blend("text", GRID_SHARE)
        painter.setPen(theme.qcolor("muted"))
        crowded = room.height() < 5 * self._line
        for share in QUARTERS:
            spot = self._at(room, share, share)
            painter.fillRect(QRectF(room.left(), spot.y(), room.width(), 1), grid)
            painter.fillRect(QRectF(spot.x(), room.top(), 1, room.height()), grid)
            if crowded and share not in (0.0, 0.5, 1.0):
                continue
            text = f"{100 * share:.0f}"
            beside = QRectF(0, spot.y() - self._line / 2, room.left() - pad, self._line)
            beside.moveBottom(min(beside.bottom(), room.bottom() + 2))
            painter.drawText(beside, _RIGHT, text)
            wide = self._metrics.horizontalAdvance(text) + 2
            below = QRectF(spot.x() - wide / 2, room.bottom() + 2, wide, self._line)
            below.moveRight(min(below.right(), self.width() - 1.0))
            painter.drawText(below, _CENTRE, text)
        head = QRectF(0, 0, self.width(), self._line)
        painter.drawText(head, _LEFT, "% came true, by % said")

    def _paint_counts(self, painter: QPainter, room: QRectF) -> None:
        most = max((point.n for point in self._curve.points), default=0)
        if not most:
            return
        wide = room.width() * self._curve.bin_width
        faint = self._theme.blend("muted", 0.35)
        for point in self._curve.points:
            high = room.height() * COUNTS_SHARE * point.n / most
            x = room.left() + math.floor(point.said / self._curve.bin_width + 1e-9) * wide
            x = min(x, room.right() - wide)
            painter.fillRect(QRectF(x + 1, room.bottom() - high, wide - 2, high), faint)

    def _paint_points(self, painter: QPainter, room: QRectF) -> None:
        theme = self._theme
        pen = QPen(theme.qcolor("muted"), 1, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(self._at(room, 0, 0), self._at(room, 1, 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for point in self._curve.points:
            if not point.enough:
                continue
            painter.setPen(QPen(theme.qcolor("accent", 0.7), 2))
            painter.drawLine(
                self._at(room, point.said, point.low), self._at(room, point.said, point.high)
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.qcolor("accent"))
            painter.drawEllipse(self._at(room, point.said, point.came), 3.5, 3.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # Qt

    def sizeHint(self) -> QSize:
        """A square of a readable size."""
        return QSize(self._theme.px(240), self._theme.px(190))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Axes and diagonal always; dots where there are enough outcomes, else the sentence."""
        painter = QPainter(self)
        painter.setFont(self._font)
        room = self._plot()
        self._paint_axes(painter, room)
        self._paint_counts(painter, room)
        self._paint_points(painter, room)
        if self._curve.note:
            painter.setPen(self._theme.qcolor("muted"))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            inner = room.adjusted(6, 4, -6, -4)
            said = painter.boundingRect(inner, flags, self._curve.note)
            painter.fillRect(said.adjusted(-4, -2, 4, 2), self._theme.qcolor("surface"))
            painter.drawText(inner, flags, self._curve.note)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """The tooltip of the bin under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            point = self.point_at(event.pos().x(), event.pos().y())
            said = self._curve.tip if point is None else point_tip(point)
            QToolTip.showText(event.globalPos(), safe(said), self, QRect(event.pos(), QSize(1, 1)))
            return True
        return super().event(event)


class SignedBars(CellDelegate):
    """Cells whose gauge is -1 to 1: a bar to the left or right of a middle line, then the text.

    Green speaks for the trade and red against it, as the side of the line does. A cell whose
    meaning is "muted" is drawn in grey: what it says counts for nothing.
    """

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Selection, bar, text."""
        rect: QRect = option.rect
        painter.save()
        self._paint_row(painter, rect, index, bool(option.state & QStyle.StateFlag.State_Selected))
        text = index.data(Qt.ItemDataRole.DisplayRole) or ""
        share, idle = index.data(GAUGE_ROLE), index.data(MEANING_ROLE)
        wide = option.fontMetrics.horizontalAdvance("\u22120.000") + 3 * PADDING_PX
        room = QRectF(rect).adjusted(PADDING_PX, 0, -wide, 0)
        middle = room.center().x()
        painter.fillRect(QRectF(middle, rect.top(), 1, rect.height()), self._ink("line"))
        if share:
            long = abs(share) * room.width() / 2
            left = middle + 1 if share > 0 else middle - long
            bar = QRectF(left, rect.center().y() - 3, long, 7)
            painter.fillRect(bar, self._ink(idle or ("gain" if share > 0 else "loss")))
        painter.setPen(self._ink(idle or ("text" if share is not None else "muted")))
        painter.drawText(rect.adjusted(0, 0, -PADDING_PX, 0), _RIGHT, text)
        painter.restore()
