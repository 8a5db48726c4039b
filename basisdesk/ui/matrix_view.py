"""Cells of the matrix on the screen: painted by heat, scrolled, walked over with the arrow keys."""

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from basisdesk.ui.focus_frame import by_keyboard, paint_frame
from basisdesk.ui.matrix_rows import ABSENT, BY_COIN, Grid, grid_order
from basisdesk.ui.theme import Theme, contrast, safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from basisdesk.scan.words import Ints

ROW_PX, HEAD_PX = 26, 32
COIN_PX = 62
CELL_PAD_PX = 6  # of a cell, both sides together
CELL_PX_MIN = 52
COLD, HOT = "spot", "perp"  # tokens: shorts pay, longs pay; blue and orange in every theme
HEAT_MIN, HEAT_MAX = 0.06, 0.86  # share of the colour at nothing and at full
SHADES = 24
WALKS = (
    (Qt.Key.Key_Up, (-1, 0)),
    (Qt.Key.Key_Down, (1, 0)),
    (Qt.Key.Key_Left, (0, -1)),
    (Qt.Key.Key_Right, (0, 1)),
)
READABLE = 4.5  # contrast of the text on its cell at least (WCAG 2, AA)


class Shades:
    """Fill and ink of a heat, made once each: the ink is one that can be read on that fill."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._made: dict[int, tuple[QColor, QColor]] = {}

    def __call__(self, heat: float) -> tuple[QColor, QColor]:
        """(fill, ink) of a heat from -1 to 1."""
        step = round(heat * SHADES)
        if step not in self._made:
            token = HOT if step > 0 else COLD
            share = HEAT_MIN + (HEAT_MAX - HEAT_MIN) * abs(step) / SHADES
            fill = self._theme.blend(token if step else "muted", share if step else HEAT_MIN)
            self._made[step] = fill, readable_ink(fill, self._theme)
        return self._made[step]


def readable_ink(fill: QColor, theme: Theme) -> QColor:
    """The theme's text where it can be read on this fill, else black or white."""
    for ink in (QColor(theme.text), QColor(theme.tag_ink), QColor(theme.background)):
        if contrast(ink, fill) >= READABLE:
            return ink
    return max((QColor(0, 0, 0), QColor(255, 255, 255)), key=lambda ink: contrast(ink, fill))


class MatrixView(QAbstractScrollArea):
    """The cells, painted. cell_chosen: (row of the grid, column). sort_asked: a column or BY_COIN.

    tip_of: text of a cell's tooltip, asked for when the pointer rests.
    """

    cell_chosen = Signal(int, int)
    sort_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shades = Shades(theme)
        self.grid = Grid()
        self.order: Ints = np.empty(0, dtype=np.int64)
        self.sorted_by, self.descending = BY_COIN, False
        self.empty_text = ""
        self.tip_of: Callable[[int, int], str] = lambda _row, _column: ""
        self._edge_px: list[int] = []
        self._edges_of: tuple[tuple[str, ...], int] = (("?",), 0)  # what they were worked out for
        self._at = (-1, -1)  # (place on the screen, column) the keys are at
        self._framed = False  # the focus came by a key
        self.setFont(theme.font(11))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Coin by venue")
        self.viewport().setMouseTracking(True)

    def show_grid(
        self, grid: Grid, by: int, descending: bool, keep: "NDArray[np.bool_] | None" = None
    ) -> None:
        """Show this reading; only cells that moved are painted anew. keep: rows that are shown."""
        before, order = self.grid, grid_order(grid, by, descending)
        if keep is not None:
            order = order[keep[order]]
        same = grid.like(before) and np.array_equal(order, self.order)
        self.grid, self.order = grid, order
        self.sorted_by, self.descending = by, descending
        if not same or grid.warned != before.warned:
            self._scroll_range()
            self.viewport().update()
            return
        for row, column in np.argwhere(grid.moved(before)[order]).tolist():
            self.viewport().update(self.cell_rect(row, column))

    def to_top(self) -> None:
        """Bring the first row into view; the keys begin there."""
        self._at = (-1, -1)
        self.verticalScrollBar().setValue(0)

    # --- geometry ---------------------------------------------------------------------------------

    @property
    def _row_px(self) -> int:
        return self._theme.px(ROW_PX)

    @property
    def _head_px(self) -> int:
        return self._theme.px(HEAD_PX)

    def _coin_px(self) -> int:
        return self._theme.px(COIN_PX)

    def _edges(self) -> list[int]:
        """Where each column begins, and the end: alike, unless one needs more than its share."""
        count, left = len(self.grid.titles), self._coin_px()
        wide = self.viewport().width() - left
        if (self.grid.titles, wide) != self._edges_of:
            metrics = self.fontMetrics()
            needed = [
                max(map(metrics.horizontalAdvance, (*title.split("\n"), self.grid.sample(at))))
                + CELL_PAD_PX
                for at, title in enumerate(self.grid.titles)
            ]
            alike = not count or max(needed) <= wide // count
            ends = np.cumsum([1] * count if alike else needed)
            scale = wide / ends[-1] if count else 1.0
            self._edges_of = (self.grid.titles, wide)
            self._edge_px = [left, *(left + round(end * scale) for end in ends.tolist())]
        return self._edge_px

    def cell_rect(self, place: int, column: int) -> QRect:
        """Where a cell stands in the viewport; place: row on the screen, from the top of all."""
        x0, x1 = self._edges()[column : column + 2]
        y = self._head_px + place * self._row_px - self.verticalScrollBar().value()
        return QRect(x0, y, x1 - x0, self._row_px)

    def cell_at(self, spot: QPoint) -> tuple[int, int]:
        """(place on the screen, column) under a spot; place -1: the header, -2: below the rows.

        column is BY_COIN over the coins.
        """
        column = min(bisect_right(self._edges(), spot.x()) - 1, len(self.grid.titles) - 1)
        if spot.y() < self._head_px:
            return -1, column
        place = (spot.y() - self._head_px + self.verticalScrollBar().value()) // self._row_px
        return (place if place < len(self.order) else -2), column

    @property
    def _on_cell(self) -> bool:
        """Whether the keys are at a cell that is there."""
        return min(self._at) >= 0 and self._at[0] < len(self.order)

    def _scroll_range(self) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height() - self._head_px
        bar.setRange(0, max(0, len(self.order) * self._row_px - room))
        bar.setPageStep(max(1, room))
        bar.setSingleStep(self._row_px)

    # --- painting ---------------------------------------------------------------------------------

    def _paint_rows(self, painter: QPainter, room: QRect) -> None:
        offset, high = self.verticalScrollBar().value(), self._row_px
        first = max(0, (room.top() - self._head_px + offset) // high)
        last = min(len(self.order) - 1, (room.bottom() - self._head_px + offset) // high)
        for place in range(first, last + 1):
            row = int(self.order[place])
            self._paint_coin(painter, place, row)
            for column in range(len(self.grid.titles)):
                rect = self.cell_rect(place, column)
                if rect.intersects(room):
                    self._paint_cell(painter, rect.adjusted(1, 1, -1, -1), row, column)
        if self.hasFocus() and self._on_cell:
            painter.setPen(self._theme.qcolor("accent"))
            painter.drawRect(self.cell_rect(*self._at).adjusted(1, 1, -2, -2))

    def _paint_coin(self, painter: QPainter, place: int, row: int) -> None:
        coin = self.grid.coins[row]
        warned = coin in self.grid.warned
        y = self._head_px + place * self._row_px - self.verticalScrollBar().value()
        box = QRect(0, y, self._coin_px() - 4, self._row_px)
        text = f"\u25b2 {coin}" if warned else coin
        painter.setPen(self._theme.qcolor("warn" if warned else "text"))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft),
                         shown)  # fmt: skip

    def _paint_cell(self, painter: QPainter, rect: QRect, row: int, column: int) -> None:
        grid, theme = self.grid, self._theme
        text, heat = grid.text(row, column), float(grid.heat[row, column])
        stale = bool(grid.stale[row, column])
        ink = theme.qcolor("text")
        if text == ABSENT:
            painter.fillRect(rect, theme.qcolor("background"))
            ink = theme.qcolor("muted")
        elif stale:
            painter.fillRect(rect, theme.qcolor("background"))
            ink = theme.qcolor("stale")
        elif not math.isnan(heat):
            fill, ink = self._shades(heat)
            painter.fillRect(rect, fill)
        elif share := grid.share(row, column):
            bar = QRect(rect.left(), rect.bottom() - 2, round(rect.width() * min(1.0, share)), 3)
            painter.fillRect(bar, theme.qcolor("accent"))
        painter.setPen(ink)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_head(self, painter: QPainter) -> None:
        theme, wide = self._theme, self.viewport().width()
        painter.fillRect(0, 0, wide, self._head_px, theme.qcolor("surface"))
        for column, title in enumerate(("Coin", *self.grid.titles), BY_COIN):
            rect = self.cell_rect(0, max(0, column)) if self.grid.titles else QRect()
            rect = QRect(rect.left(), 0, rect.width(), self._head_px)
            side = Qt.AlignmentFlag.AlignHCenter
            if column == BY_COIN:
                rect, side = QRect(0, 0, self._coin_px(), self._head_px), Qt.AlignmentFlag.AlignLeft
            chosen = column == self.sorted_by
            arrow = (" \u25be" if self.descending else " \u25b4") if chosen else ""
            painter.setPen(theme.qcolor("text" if chosen else "muted"))
            flags = int(side | Qt.AlignmentFlag.AlignBottom)
            name, cut, unit = title.partition("\n")
            painter.drawText(rect.adjusted(0, 0, 0, -5), flags, f"{name}{arrow}{cut}{unit}")

    def _walk(self, down: int, across: int) -> None:
        rows, columns = len(self.order), len(self.grid.titles)
        if not rows or not columns:
            return
        place = min(rows - 1, max(0, self._at[0] + down))
        self._at = place, min(columns - 1, max(0, self._at[1] + across))
        rect, bar = self.cell_rect(*self._at), self.verticalScrollBar()
        if rect.top() < self._head_px:
            bar.setValue(bar.value() - (self._head_px - rect.top()))
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height())
        row = int(self.order[place])
        self.setAccessibleDescription(
            f"{self.grid.coins[row]} {self.grid.titles[self._at[1]]} "
            f"{self.grid.text(row, self._at[1])}"
        )
        self.viewport().update()

    def _take(self, place: int, column: int) -> None:
        if 0 <= place < len(self.order) and column >= 0:
            self.cell_chosen.emit(int(self.order[place]), column)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        """Cells, the header over them, or a sentence."""
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        painter.fillRect(event.rect(), self._theme.qcolor("surface"))
        if len(self.order):
            self._paint_rows(painter, event.rect())
            self._paint_head(painter)
        elif self.empty_text:
            painter.setPen(self._theme.qcolor("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(12, 0, -12, 0), int(flags),
                             self.empty_text)  # fmt: skip
        if self._framed and not self._on_cell:  # no cell says that the keys go here
            paint_frame(painter, self, self._theme.qcolor("accent"))
        painter.end()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """The header stays, the rest is painted where it is then."""
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More room, fewer rows to scroll."""
        super().resizeEvent(event)
        self._scroll_range()

    def minimumSizeHint(self) -> QSize:
        """Room for the coin and four venues."""
        return QSize(self._coin_px() + 4 * self._theme.px(CELL_PX_MIN), self._theme.px(120))

    def viewportEvent(self, event: QEvent) -> bool:
        """The tooltip of the cell that the pointer rests on."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place, column = self.cell_at(event.pos())
            said = self.tip_of(int(self.order[place]), max(0, column)) if place >= 0 else ""
            QToolTip.showText(event.globalPos(), safe(said), self.viewport())
            return True
        return super().viewportEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A cell is chosen, a header sorts."""
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place, column = self.cell_at(event.position().toPoint())
        if place == -1:
            self.sort_asked.emit(column)
        elif place >= 0 and column >= 0:
            self._at = place, column
            self._take(place, column)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The frame comes, around all or around a cell."""
        super().focusInEvent(event)
        self._framed = by_keyboard(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The frame goes."""
        super().focusOutEvent(event)
        self._framed = False
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk over the cells, Enter chooses one."""
        key = event.key()
        step = next((step for walks, step in WALKS if walks == key), None)
        if step is not None:
            self._walk(*step)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(*self._at)
        else:
            super().keyPressEvent(event)
