"""How a table cell is painted: plain text in the colour of its meaning, a thin bar for a gauge.

The delegate draws everything itself: no markup can be read, a selected row keeps its colours, and
a repaint of a table costs a fraction of what the style sheet's own items cost.
"""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from basisdesk.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
GAUGE_ROLE = int(Qt.ItemDataRole.UserRole) + 1  # float in 0..1, or None: the bar of a cell
MEANING_ROLE = int(Qt.ItemDataRole.UserRole) + 2  # str: the token the colour comes from
SOLID_ROLE = int(Qt.ItemDataRole.UserRole) + 3  # bool: the meaning fills the cell, not the text
PADDING_PX = 6  # left and right of a cell's text, each; the header's own in the style sheet
GAP_PX = 4  # more than that between the texts of two columns
BAR_PX = 3


class Inks:
    """Colours by meaning, made once: a delegate asks for one with each cell it paints."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._made: dict[str, QColor] = {}

    def __call__(self, token: str) -> QColor:
        """The colour of a token; "faded" is the text of what is over, "" is the text."""
        colour = self._made.get(token)
        if colour is None:
            theme = self._theme
            if token == "faded":
                colour = QColor(theme.stale)  # readable on a chosen row too
            elif token == "selected":
                colour = theme.blend("accent", 0.22)
            else:
                colour = theme.qcolor(token or "text")
            self._made[token] = colour
        return colour


class CellDelegate(QStyledItemDelegate):
    """Paints the cells of a RowModel."""

    def __init__(self, theme: Theme, parent: QAbstractItemView) -> None:
        super().__init__(parent)
        self._view = parent
        self._ink = Inks(theme)

    def _paint_bar(self, painter: QPainter, rect: QRect, share: float, token: str) -> None:
        track = QRectF(rect).adjusted(PADDING_PX, rect.height() - BAR_PX - 3, -PADDING_PX, -3)
        painter.fillRect(track, self._ink("line"))
        track.setWidth(track.width() * min(1.0, max(0.0, share)))
        painter.fillRect(track, self._ink(token or "muted"))

    def _paint_pill(self, painter: QPainter, rect: QRect, token: str) -> QColor:
        fill = self._ink(token)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(rect).adjusted(3, 4, -3, -4), 4, 4)
        return readable_on(fill)

    def _paint_row(self, painter: QPainter, rect: QRect, index: Index, selected: bool) -> None:
        if selected:
            painter.fillRect(rect, self._ink("selected"))
        view = self._view
        if view.hasFocus() and index.row() == view.currentIndex().row():
            edge = self._ink("accent")
            painter.fillRect(rect.left(), rect.top(), rect.width(), 1, edge)
            painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, edge)

    # Qt

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell: selection, then bar or fill, then its text."""
        rect: QRect = option.rect
        token = index.data(MEANING_ROLE) or ""
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_row(painter, rect, index, selected)
        ink = self._ink(token)
        gauge = index.data(GAUGE_ROLE)
        text = index.data(Qt.ItemDataRole.DisplayRole) or ""
        lift = 0
        if gauge is not None:
            self._paint_bar(painter, rect, gauge, token)
            # a row that is high enough keeps the text on the line of its neighbours
            spare = rect.height() - option.fontMetrics.height() - 2 * (BAR_PX + 3)
            lift = BAR_PX + 1 if spare < 0 else 0
        elif text and index.data(SOLID_ROLE):
            ink = self._paint_pill(painter, rect, token or "warn")
        if text:
            room = rect.adjusted(PADDING_PX, 0, -PADDING_PX, -lift)
            painter.setPen(ink)
            metrics = option.fontMetrics
            if metrics.horizontalAdvance(text) > room.width():
                text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            flags = index.data(Qt.ItemDataRole.TextAlignmentRole) | Qt.TextFlag.TextSingleLine
            painter.drawText(room, int(flags), text)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for the text and its padding."""
        text = index.data(Qt.ItemDataRole.DisplayRole) or ""
        metrics = option.fontMetrics
        return QSize(
            metrics.horizontalAdvance(text) + 2 * PADDING_PX + GAP_PX, metrics.height() + 8
        )


def readable_on(fill: QColor) -> QColor:
    """Black or white, whichever can be read on this fill."""
    parts = (fill.redF() ** 2.2, fill.greenF() ** 2.2, fill.blueF() ** 2.2)
    luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    return QColor(0, 0, 0) if luminance > 0.18 else QColor(255, 255, 255)
