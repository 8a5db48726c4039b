"""The scanner's table on the screen. It paints its cells itself: a frame of hundreds stays cheap.

Qt's delegates cost an index, an option and several calls a cell; here a row is one look at the
arrays and a cell one text. Columns stand by rank as far as the width goes, or as a person chose.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from basisdesk.scan.words import Ints, Openings
from basisdesk.ui.focus_frame import by_keyboard, paint_frame
from basisdesk.ui.scanner_columns import TICKET, ScanColumn
from basisdesk.ui.scanner_model import ScannerModel, cell_ink
from basisdesk.ui.scanner_rows import look_of, place_of, same_combos
from basisdesk.ui.table_cells import PADDING_PX, Inks
from basisdesk.ui.theme import Theme

ROW_PX = 28
GAP_PX = 4  # more than the padding between two columns
TEXTS_MAX = 8_192  # whose width is remembered
EMPTY_PX = 520  # width of the sentence in the place of rows
HOVER_SHARE = 0.05
TAKES = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down)


class _Slot(NamedTuple):
    """A column where it stands now: px from the viewport's left."""

    at: int
    column: ScanColumn
    left: int
    width: int


class ScannerView(QTableView):
    """Shows openings. ticket_asked: place of one in the openings. touched: somebody reads here.

    empty_text: what stands in the place of rows. sort_asked: the header of this column was pressed.
    """

    ticket_asked = Signal(int)
    sort_asked = Signal(int)
    touched = Signal()

    def __init__(
        self, columns: tuple[ScanColumn, ...], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ink = Inks(theme)
        self._hover = -1
        self._over_ticket = False
        self._framed = False  # the keyboard's focus came by a key
        self._chosen: frozenset[str] | None = None  # keys of columns; None: as the room allows
        self._wide: dict[str, int] = {}  # px that a column's text has needed, by key
        self._grown: dict[str, int] = {}
        self._metrics = self.fontMetrics()
        self._advances: dict[str, int] = {}  # px by text, bounded
        self.empty_text = ""
        self.scanner = ScannerModel(columns, self)
        self.setModel(self.scanner)
        self._dress()
        self._growth = QTimer(self)
        self._growth.setSingleShot(True)
        self._growth.timeout.connect(self._on_grown)
        self._measure()
        self._fit()

    def _dress(self) -> None:
        self.setAccessibleName("Openings")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(max(ROW_PX, round(self.fontMetrics().height() * 1.85)))
        rows.setMinimumSectionSize(rows.defaultSectionSize())
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignBottom)
        header.setFont(self._theme.font(11))
        header.setMinimumSectionSize(20)
        header.sectionClicked.connect(self.sort_asked)
        self.doubleClicked.connect(self._on_double_clicked)

    # --- rows -------------------------------------------------------------------------------------

    @property
    def row_px(self) -> int:
        """Height of a row."""
        return self.verticalHeader().defaultSectionSize()

    def window_rows(self) -> range:
        """The rows on the screen, a partly hidden one included."""
        top, high = self.verticalOffset(), self.row_px
        last = min(self.scanner.rowCount(), (top + self.viewport().height() - 1) // high + 1)
        return range(min(top // high, last), last)

    def show_openings(self, openings: Openings | None, order: Ints) -> None:
        """Show these openings in this order; selection and scroll position stay.

        A selected row that is gone is let go of: Qt would take a neighbour, which nobody chose.
        """
        model, bar = self.scanner, self.verticalScrollBar()
        was, top = self.chosen_pair(), bar.value()
        anew = not same_combos(model.openings, openings)
        if not anew:
            self._let_go(order)
        model.show(openings, order, self.window_rows(), [slot.at for slot in self._slots()])
        if anew and openings is not None:
            bar.setValue(top)
            if was is not None:
                self.choose(place_of(openings, was))
        self._hover = min(self._hover, model.rowCount() - 1)

    def _let_go(self, order: Ints) -> None:
        current = self.currentIndex()
        if current.isValid() and not (order == self.scanner.place(current.row())).any():
            self.selectionModel().clear()

    def chosen(self) -> int:
        """The selected opening as a place in the openings, -1 for none."""
        picked = self.selectionModel().selectedRows()
        return self.scanner.place(picked[0].row()) if picked else -1

    def chosen_pair(self) -> tuple[str, str] | None:
        """The selected opening as (long, short) leg keys."""
        at, openings = self.chosen(), self.scanner.openings
        if at < 0 or openings is None:
            return None
        combo = openings.combos[at]
        return combo.long, combo.short

    def choose(self, place: int, *, scroll: bool = False) -> bool:
        """Select an opening by its place; False where it is not shown."""
        row = self.scanner.row_of(place) if place >= 0 else -1
        if row < 0:
            return False
        at, bar = self.scanner.index(row, 0), self.verticalScrollBar()
        flags, top = QItemSelectionModel.SelectionFlag, bar.value()
        self.selectionModel().setCurrentIndex(at, flags.ClearAndSelect | flags.Rows)
        if scroll:
            self.scrollTo(at)
        else:
            bar.setValue(top)  # Qt goes to what is current
        return True

    @property
    def read_now(self) -> bool:
        """Whether somebody reads here: the pointer is over the rows, or a row is selected."""
        return self._hover >= 0 or self.selectionModel().hasSelection()

    # --- columns ----------------------------------------------------------------------------------

    def set_columns(self, columns: tuple[ScanColumn, ...]) -> None:
        """The same columns in other units."""
        self.scanner.set_columns(columns)
        self._measure()
        self._fit()

    def choose_columns(self, keys: Iterable[str] | None) -> None:
        """Show just these, scrolling sideways where need be; None: what fits, by rank."""
        self._chosen = None if keys is None else frozenset(keys)
        self._fit()

    @property
    def chosen_columns(self) -> frozenset[str] | None:
        """What `choose_columns` was told."""
        return self._chosen

    def shown_columns(self) -> tuple[ScanColumn, ...]:
        """The columns that are on the screen, in reading order."""
        return tuple(
            column for at, column in enumerate(self.scanner.columns) if not self.isColumnHidden(at)
        )

    def _measure(self) -> None:
        self._metrics = text = self.fontMetrics()
        self._advances.clear()
        head = self.horizontalHeader().fontMetrics()
        for at, column in enumerate(self.scanner.columns):
            lines = self.scanner.header_text(at, marked=bool(column.header)).split("\n")
            header = max(head.horizontalAdvance(line) for line in lines)
            needed = max(header, text.horizontalAdvance(column.sample)) + 2 * PADDING_PX + GAP_PX
            self._wide[column.key] = max(needed, self._grown.get(column.key, 0))

    def _fit(self) -> None:
        columns, space = self.scanner.columns, self.viewport().width()
        shown = {column.key for column in columns if column.rank == 0}
        if self._chosen is not None:
            shown |= self._chosen
        else:
            room = space - sum(self._wide[key] for key in shown)
            for column in sorted(columns, key=lambda column: column.rank):
                if column.key not in shown and self._wide[column.key] <= room:
                    room -= self._wide[column.key]
                    shown.add(column.key)
        left = max(0, space - sum(self._wide[key] for key in shown if key in self._wide))
        takers = max(1, sum(1 for column in columns if column.key in shown) - 1)
        for at, column in enumerate(columns):
            self.setColumnHidden(at, column.key not in shown)
            if column.key in shown:
                more = 0 if column.key == TICKET else left // takers
                self.setColumnWidth(at, self._wide[column.key] + more)

    def _slots(self) -> list[_Slot]:
        """The columns that are on the screen, from the left."""
        wide = self.viewport().width()
        slots = []
        for at, column in enumerate(self.scanner.columns):
            if self.isColumnHidden(at):
                continue
            left, width = self.columnViewportPosition(at), self.columnWidth(at)
            if left < wide and left + width > 0:
                slots.append(_Slot(at, column, left, width))
        return slots

    def _on_grown(self) -> None:
        self._measure()
        self._fit()

    # --- painting ---------------------------------------------------------------------------------

    def _paint_rows(self, painter: QPainter, room: QRect, region: QRegion | None) -> None:
        openings, high = self.scanner.openings, self.row_px
        if openings is None:
            return
        top = self.verticalOffset()
        first = max(0, (room.top() + top) // high)
        last = min(self.scanner.rowCount() - 1, (room.bottom() + top) // high)
        slots = [
            s for s in self._slots() if s.left <= room.right() and s.left + s.width > room.left()
        ]
        picked = self._picked_row()
        order = self.scanner.order
        for row in range(first, last + 1):
            y = row * high - top
            if region is not None and not region.intersects(
                QRect(room.left(), y, room.width(), high)
            ):
                continue
            self._paint_back(painter, row, y, picked)
            lively = row in (self._hover, picked)
            self._paint_cells(
                painter, (openings, int(order[row])), (y, high), slots, lively, region
            )

    def _paint_back(self, painter: QPainter, row: int, y: int, picked: int) -> None:
        wide, high = self.viewport().width(), self.row_px
        if row == picked:
            painter.fillRect(0, y, wide, high, self._ink("selected"))
            if self.hasFocus():
                painter.fillRect(0, y, wide, 1, self._ink("accent"))
                painter.fillRect(0, y + high - 1, wide, 1, self._ink("accent"))
        elif row == self._hover:
            painter.fillRect(0, y, wide, high, self._theme.blend("text", HOVER_SHARE))
        elif row % 2:
            painter.fillRect(0, y, wide, high, self.palette().alternateBase())

    def _paint_cells(
        self,
        painter: QPainter,
        cell: tuple[Openings, int],
        span: tuple[int, int],
        slots: list[_Slot],
        lively: bool,
        region: QRegion | None,
    ) -> None:
        (o, place), (y, high) = cell, span
        look, ink = look_of(o, place), None
        base = (high + self._metrics.ascent() - self._metrics.descent()) // 2
        for _, column, left, width in slots:
            if region is not None and not region.intersects(QRect(left, y, width, high)):
                continue
            text = column.text(o, place)
            token = cell_ink(column, o, place, look, text)
            if column.key == TICKET and not lively:
                token = "muted"
            if token != ink:
                ink = token
                painter.setPen(self._ink(token))
            if len(text) > len(column.sample):
                text = self._long_text(text, column, width)
            away = PADDING_PX if column.left else width - PADDING_PX - self._advance(text)
            painter.drawText(left + away, y + base, text)

    def _advance(self, text: str) -> int:
        """Width of a text; most of those on the screen were there a frame ago."""
        wide = self._advances.get(text)
        if wide is None:
            if len(self._advances) >= TEXTS_MAX:
                self._advances.clear()
            wide = self._advances[text] = self._metrics.horizontalAdvance(text)
        return wide

    def _long_text(self, text: str, column: ScanColumn, width: int) -> str:
        """A name may be cut; a figure makes its column grow."""
        metrics = self._metrics
        needed = metrics.horizontalAdvance(text) + 2 * PADDING_PX
        if needed <= width:
            return text
        if column.left:
            room = width - 2 * PADDING_PX
            return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        if needed > self._grown.get(column.key, 0):
            self._grown[column.key] = needed
            self._growth.start(0)
        return text

    def _picked_row(self) -> int:
        picked = self.selectionModel().selectedRows()
        return picked[0].row() if picked else -1

    def _update_row(self, row: int) -> None:
        if row >= 0:
            y = row * self.row_px - self.verticalOffset()
            self.viewport().update(0, y, self.viewport().width(), self.row_px)

    def _set_hover(self, row: int) -> None:
        if row != self._hover:
            self._update_row(self._hover)
            self._hover = row
            self._update_row(row)

    # --- slots ------------------------------------------------------------------------------------

    def _on_double_clicked(self, at: QModelIndex) -> None:
        if self.scanner.columns[at.column()].key != TICKET:  # there the first click did it
            self.ticket_asked.emit(self.scanner.place(at.row()))

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows, or the sentence that stands in their place."""
        painter = QPainter(self.viewport())
        room, region = event.rect(), event.region()
        painter.fillRect(room, self._ink("surface"))
        painter.setFont(self.font())
        if self.scanner.rowCount():
            self._paint_rows(painter, room, region if region.rectCount() > 1 else None)
        elif self.empty_text:
            painter.setPen(self._ink("muted"))
            wide = min(self._theme.px(EMPTY_PX), self.viewport().width() - 24)
            box = self.viewport().rect()
            box = QRect((box.width() - wide) // 2, 0, wide, box.height())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap),
                             self.empty_text)  # fmt: skip
        if self._framed and self._picked_row() < 0:  # no row says that the keys go here
            paint_frame(painter, self, self._ink("accent"))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More room, more columns."""
        super().resizeEvent(event)
        self._fit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The row under the pointer is marked, and the button in it."""
        super().mouseMoveEvent(event)
        at = self.indexAt(event.position().toPoint())
        self._set_hover(at.row() if at.isValid() else -1)
        over = at.isValid() and self.scanner.columns[at.column()].key == TICKET
        if over != self._over_ticket:
            self._over_ticket = over
            shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
            self.viewport().setCursor(shape)
        self.touched.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the button at the row's end."""
        super().mouseReleaseEvent(event)
        at = self.indexAt(event.position().toPoint())
        left = event.button() == Qt.MouseButton.LeftButton
        if left and at.isValid() and self.scanner.columns[at.column()].key == TICKET:
            self.ticket_asked.emit(self.scanner.place(at.row()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolling is reading; another row is under the pointer then."""
        super().wheelEvent(event)
        self._set_hover(self.indexAt(event.position().toPoint()).row())
        self.touched.emit()

    def viewportEvent(self, event: QEvent) -> bool:
        """The pointer left: no row is under it."""
        if event.type() == QEvent.Type.Leave:
            self._set_hover(-1)
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the opening into the ticket, Escape lets go of it; arrows walk.

        Where none is selected the first arrow takes the top row on the screen.
        """
        self.touched.emit()
        place, rows = self.chosen(), self.window_rows()
        if event.key() in TAKES and place >= 0:
            self.ticket_asked.emit(place)
        elif event.key() == Qt.Key.Key_Escape and place >= 0:
            self.selectionModel().clear()
            self.viewport().update()
        elif event.key() in ARROWS and place < 0 and rows:
            self.choose(self.scanner.place(rows.start), scroll=True)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The frame comes. Qt makes the first row current here; that is no choice of anybody."""
        super().focusInEvent(event)
        if self.chosen() < 0:
            self.selectionModel().clearCurrentIndex()
        self._framed = by_keyboard(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The frame goes."""
        super().focusOutEvent(event)
        self._framed = False
        self.viewport().update()


def first_order(openings: Openings | None) -> Ints:
    """All openings as they come."""
    return np.arange(len(openings) if openings is not None else 0, dtype=np.int64)
