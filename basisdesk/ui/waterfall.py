"""Where a pair's money went: one bar a term, each hanging where the last one ended, and the net."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from basisdesk.ui.facts_view import ASKS
from basisdesk.ui.glossary import TERMS
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.tip_menu import EXPLAIN
from basisdesk.ui.waterfall_rows import Bar, Waterfall

ROW_PX, HEAD_PX, NAME_PX, FIGURE_PX, EDGE_PX = 22, 26, 104, 74, 12
ROW_PX_MIN = 16  # in a low dock the rows stand closer before anything is cut
ROWS = 7  # six bars and the line of what is left over


class WaterfallView(QWidget):
    """Paints a Waterfall. Shows a sentence while there is none.

    explain_asked: the figure of a bar that was double clicked, chosen in its menu, or reached with
    the arrows and asked with E or Enter.
    """

    explain_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Waterfall | None = None
        self._at = -1  # the bar the keyboard is on
        self.empty_text = "Select a pair to see where its money went."
        self.setMinimumWidth(theme.px(250))
        self.setMinimumHeight(theme.px(HEAD_PX) + ROWS * theme.px(ROW_PX_MIN) + 2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Where the money went")
        tips = [TERMS[name] for name in ("Net now", "Unhedged delta", "Left over")]
        set_tip(self, " ".join([*tips, "Double click a bar, or E on it, shows its ledger rows."]))

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
            said = f"{what.title}: {figures}; {what.left_over} {what.ended}".rstrip()
        self.setAccessibleDescription(said)
        self.update()

    def bar_at(self, spot: QPointF) -> Bar | None:
        """The bar whose row a point is in."""
        bars = () if self._shown is None else self._shown.bars
        place = int((spot.y() - self._theme.px(HEAD_PX)) // self._row_px())
        return bars[place] if 0 <= place < len(bars) else None

    def _row_px(self) -> int:
        """Height of a row, px: as designed, or less where the dock is low."""
        shown = max(ROWS, 1 + (len(self._shown.bars) if self._shown is not None else 0))
        room = (self.height() - self._theme.px(HEAD_PX)) // shown
        return max(self._theme.px(ROW_PX_MIN), min(self._theme.px(ROW_PX), room))

    # --- painting ---------------------------------------------------------------------------------

    def _paint_bar(self, painter: QPainter, bar: Bar, top: float, scale: QRectF) -> None:
        theme, px = self._theme, self._theme.px
        row = QRectF(px(EDGE_PX), top, self.width() - 2 * px(EDGE_PX), self._row_px())
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

    def _paint_ended(self, painter: QPainter, row: QRectF, text: str) -> None:
        """Who closed the pair and why, where there is room for a line more."""
        if not text or row.bottom() > self.height():
            return
        painter.setPen(self._theme.qcolor("muted"))
        right = Qt.TextElideMode.ElideRight
        shown = painter.fontMetrics().elidedText(text, right, round(row.width()))
        painter.drawText(row, int(Qt.AlignmentFlag.AlignVCenter), shown)

    def _room(self) -> float:
        px = self._theme.px
        return max(20.0, self.width() - 2 * px(EDGE_PX) - px(NAME_PX) - px(FIGURE_PX))

    def _paint_focus(self, painter: QPainter, top: float) -> None:
        row = QRectF(4, top, self.width() - 8, self._row_px())
        painter.fillRect(row, self._theme.blend("accent", 0.16))

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
        for place, bar in enumerate(what.bars):
            if place == self._at and self.hasFocus():
                self._paint_focus(painter, top)
            self._paint_bar(painter, bar, top, scale)
            top += self._row_px()
        zero = px(EDGE_PX) + px(NAME_PX) - scale.left() / (scale.width() or 1.0) * self._room()
        painter.fillRect(QRectF(zero, px(HEAD_PX), 1, top - px(HEAD_PX)), theme.qcolor("muted"))
        painter.setPen(theme.qcolor("muted" if what.proven else "loss"))
        painter.setFont(theme.font(11))
        last = QRectF(px(EDGE_PX), top, self.width() - 2 * px(EDGE_PX), self._row_px())
        painter.drawText(last, int(Qt.AlignmentFlag.AlignVCenter), what.left_over)
        self._paint_ended(painter, last.translated(0.0, self._row_px() - px(4)), what.ended)

    def event(self, event: QEvent) -> bool:
        """A tooltip over a bar tells its exact amount."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            bar = self.bar_at(QPointF(event.pos()))
            if bar is not None and bar.exact:
                QToolTip.showText(event.globalPos(), bar.exact, self)
                return True
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Explain the bar under the pointer."""
        bar = self.bar_at(event.position())
        if bar is not None:
            self.explain_asked.emit(bar.figure)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to explain the bar under the pointer."""
        bar = self.bar_at(QPointF(event.pos()))
        if bar is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(EXPLAIN, lambda: self.explain_asked.emit(bar.figure))
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down walk the bars; E or Enter explains the one that is lit."""
        bars = () if self._shown is None else self._shown.bars
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step and bars:
            self._at = max(0, min(len(bars) - 1, self._at + step))
            self.update()
        elif event.key() in ASKS and 0 <= self._at < len(bars):
            self.explain_asked.emit(bars[self._at].figure)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Light the bar the keyboard is on; the net at first."""
        super().focusInEvent(event)
        if self._at < 0 and self._shown is not None:
            self._at = len(self._shown.bars) - 1
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No bar is lit without focus."""
        super().focusOutEvent(event)
        self.update()
