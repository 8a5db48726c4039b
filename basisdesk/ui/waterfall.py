"""Where a pair's money went: one bar a term, each hanging where the last one ended, and the net."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from basisdesk.ui.glossary import TERMS
from basisdesk.ui.rows import Bar, Waterfall
from basisdesk.ui.theme import Theme, set_tip

ROW_PX, HEAD_PX, NAME_PX, FIGURE_PX, EDGE_PX = 22, 26, 104, 74, 12


class WaterfallView(QWidget):
    """Paints a Waterfall. Shows a sentence while there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Waterfall | None = None
        self.empty_text = "Select a pair to see where its money went."
        self.setMinimumWidth(theme.px(250))
        self.setMinimumHeight(theme.px(HEAD_PX + 7 * ROW_PX + 2))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Where the money went")
        set_tip(self, " ".join(TERMS[name] for name in ("Net now", "Unhedged delta", "Left over")))

    @property
    def shown(self) -> Waterfall | None:
        """What is on the screen."""
        return self._shown

    def show_waterfall(self, what: Waterfall | None) -> None:
        """Show these bars; nothing is painted anew when nothing moved."""
        if what == self._shown:
            return
        self._shown = what
        said = self.empty_text
        if what is not None:
            figures = ", ".join(f"{bar.name} {bar.text}" for bar in what.bars)
            said = f"{what.title}: {figures}; {what.left_over}"
        self.setAccessibleDescription(said)
        self.update()

    def _paint_bar(self, painter: QPainter, bar: Bar, top: float, scale: QRectF) -> None:
        theme, px = self._theme, self._theme.px
        row = QRectF(px(EDGE_PX), top, self.width() - 2 * px(EDGE_PX), px(ROW_PX))
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        net = bar.name == "Net"
        painter.setPen(theme.qcolor("text" if net else "muted"))
        painter.drawText(row, middle, bar.name)
        painter.setPen(theme.qcolor("text"))
        painter.drawText(row, middle | int(Qt.AlignmentFlag.AlignRight), bar.text)
        room = QRectF(row.left() + px(NAME_PX), top, self._room(), row.height())
        span = scale.width() or 1.0
        ends = [
            room.left() + (at - scale.left()) / span * room.width() for at in (bar.start, bar.end)
        ]
        left, width = min(ends), max(1.5, abs(ends[1] - ends[0]))
        if bar.end != bar.start:
            body = QRectF(left, top + px(4), width, room.height() - 2 * px(4))
            painter.fillRect(body, theme.qcolor("muted" if net else bar.meaning or "muted"))

    def _room(self) -> float:
        px = self._theme.px
        return max(20.0, self.width() - 2 * px(EDGE_PX) - px(NAME_PX) - px(FIGURE_PX))

    # Qt

    def sizeHint(self) -> QSize:
        """Room for a title, five bars and the last line."""
        px = self._theme.px
        return QSize(px(320), px(HEAD_PX + 6 * ROW_PX + 12))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Title, bars on one scale with a line at zero, and what is left over."""
        theme, px = self._theme, self._theme.px
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.qcolor("surface"))
        what = self._shown
        if what is None:
            painter.setPen(theme.qcolor("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 8, -16, -8), int(flags), self.empty_text)
            return
        edges = [0.0, *(at for bar in what.bars for at in (bar.start, bar.end))]
        scale = QRectF(min(edges), 0.0, max(edges) - min(edges), 1.0)
        painter.setFont(theme.font(12, 600))
        painter.setPen(theme.qcolor("text"))
        head = QRectF(px(EDGE_PX), px(6), self.width() - 2 * px(EDGE_PX), px(HEAD_PX - 6))
        painter.drawText(head, int(Qt.AlignmentFlag.AlignVCenter), what.title)
        painter.setFont(theme.font())
        top = float(px(HEAD_PX))
        for bar in what.bars:
            self._paint_bar(painter, bar, top, scale)
            top += px(ROW_PX)
        zero = px(EDGE_PX) + px(NAME_PX) - scale.left() / (scale.width() or 1.0) * self._room()
        painter.fillRect(QRectF(zero, px(HEAD_PX), 1, top - px(HEAD_PX)), theme.qcolor("muted"))
        painter.setPen(theme.qcolor("muted"))
        painter.setFont(theme.font(11))
        last = QRectF(px(EDGE_PX), top, self.width() - 2 * px(EDGE_PX), px(ROW_PX))
        painter.drawText(last, int(Qt.AlignmentFlag.AlignVCenter), what.left_over)
