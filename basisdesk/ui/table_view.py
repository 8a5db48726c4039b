"""The table on the screen: calm rows, sorting by value, an empty state that teaches."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from PySide6.QtCore import (
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from basisdesk.ui.table import Column, RowModel
from basisdesk.ui.table_cells import GAP_PX, PADDING_PX, CellDelegate
from basisdesk.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
WORDS_SHARE = 0.8  # of the longest text seen: words as long as that are measured too
MEASURED_ROWS = 40  # rows whose text may widen a column; the rest keep to the sample


class RowProxy(QSortFilterProxyModel):
    """Sorts by value, never by text, and keeps rows that a filter line or a test lets through."""

    def __init__(self, model: RowModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._words: tuple[str, ...] = ()
        self._keep: Callable[[Any], bool] | None = None
        self.setSourceModel(model)

    def set_filter(self, line: str) -> None:
        """Keep rows in which every word of the line occurs, in any column and any case."""
        words = tuple(line.casefold().split())
        if words != self._words:
            self.beginFilterChange()
            self._words = words
            self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def set_keep(self, keep: Callable[[Any], bool] | None) -> None:
        """Keep rows for which this is true; None keeps all."""
        self.beginFilterChange()
        self._keep = keep
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    @property
    def filtering(self) -> bool:
        """Whether rows may be hidden by a filter."""
        return bool(self._words) or self._keep is not None

    # Qt

    def lessThan(self, left: Index, right: Index) -> bool:
        """Values in their own order; what has no value stands last when ascending."""
        column = self._model.columns[left.column()]
        read = column.sort or column.text
        a, b = read(self._model.row(left.row())), read(self._model.row(right.row()))
        lost_a, lost_b = a is None or a != a, b is None or b != b
        if lost_a or lost_b:
            return bool(not lost_a and lost_b)
        return bool(a < b)

    def filterAcceptsRow(self, row: int, _parent: Index) -> bool:
        """Whether a source row passes the test and holds every word."""
        what = self._model.row(row)
        if self._keep is not None and not self._keep(what):
            return False
        if not self._words:
            return True
        line = " ".join(column.text(what) for column in self._model.columns).casefold()
        return all(word in line for word in self._words)


class TableView(QTableView):
    """One table. Shows rows, says which row is chosen, and explains itself when there is nothing.

    row_chosen: the row that the selection moved to, or None. empty_text: what stands in its place.
    """

    row_chosen = Signal(object)

    def __init__(
        self,
        columns: Sequence[Column],
        theme: Theme,
        key: Callable[[Any], Hashable] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.empty_text = ""
        self.rows_model = RowModel(columns, key, self)
        self.proxy = RowProxy(self.rows_model, self)
        self._wide = [0] * len(columns)  # px each column's text needs
        self._chars = [0] * len(columns)  # the longest text measured, to measure seldom
        self._unwanted: frozenset[int] = frozenset()
        self.setModel(self.proxy)
        self.setItemDelegate(CellDelegate(theme, self))
        self._dress()
        self._measure_columns()
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)

    def _dress(self) -> None:
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table; arrows walk in it
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(max(28, round(self.fontMetrics().height() * 1.85)))
        rows.setMinimumSectionSize(rows.defaultSectionSize())
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(24)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.setSortingEnabled(True)

    # --- rows -------------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Any]) -> None:
        """Show these rows; columns widen when a text needs it and never jump back."""
        was_empty = not self.rows_model.rows
        self.rows_model.show_rows(rows)
        if self._grow(rows):
            self._share()
        if was_empty != (not rows):
            self.viewport().update()

    def chosen(self) -> Any | None:
        """The selected row, or None."""
        picked = self.selectionModel().selectedRows()
        return self.rows_model.row(self.proxy.mapToSource(picked[0]).row()) if picked else None

    def choose(self, place: int) -> None:
        """Select a row by its place in the model, top 0."""
        at = self.proxy.mapFromSource(self.rows_model.index(place, 0))
        if at.isValid():
            self.setCurrentIndex(at)
            self.selectRow(at.row())

    def want_columns(self, wanted: Callable[[Column], bool]) -> None:
        """Show only these columns, as far as the width allows."""
        unwanted = frozenset(
            place for place, column in enumerate(self.rows_model.columns) if not wanted(column)
        )
        if unwanted != self._unwanted:
            self._unwanted = unwanted
            self._share()

    def needed_px(self) -> int:
        """Width at which every wanted column is whole."""
        return sum(px for place, px in enumerate(self._wide) if place not in self._unwanted)

    def keep_widgets(
        self, tag: Callable[[Any], str], make: Callable[[Any], QWidget | None]
    ) -> None:
        """Let the last column of each row hold the widget that belongs to it.

        tag: says which widget a row needs, "" for none. A row that moved has lost its widget to Qt
        and gets a new one; one that still holds the right one keeps it, focus and all.
        """
        last = len(self.rows_model.columns) - 1
        for place, row in enumerate(self.rows_model.rows):
            at = self.proxy.mapFromSource(self.rows_model.index(place, last))
            wanted = tag(row)
            have: QWidget | None = self.indexWidget(at)
            held = "" if have is None else have.property("belongs")
            if not at.isValid() or held == wanted:
                continue
            widget = make(row) if wanted else None
            if widget is not None:
                widget.setProperty("belongs", wanted)
            self.setIndexWidget(at, widget)  # type: ignore[arg-type]  # Qt takes None to remove

    # --- widths -----------------------------------------------------------------------------------

    def _measure_columns(self) -> None:
        metrics, head = self.fontMetrics(), self.horizontalHeader().fontMetrics()
        for place, column in enumerate(self.rows_model.columns):
            text = max(
                head.horizontalAdvance(column.header), metrics.horizontalAdvance(column.sample)
            )
            self._wide[place] = max(text + 2 * PADDING_PX + GAP_PX, self._theme.px(column.wide_px))
            self._chars[place] = len(column.sample)

    def _grow(self, rows: Sequence[Any]) -> bool:
        grew = False
        metrics = self.fontMetrics()
        for place, column in enumerate(self.rows_model.columns):
            if column.stretch:
                continue
            texts = [column.text(row) for row in rows[:MEASURED_ROWS]]
            most = max((len(text) for text in texts), default=0)
            # Figures are of one width, words are not: there the longest is not always the widest.
            least = WORDS_SHARE * self._chars[place] if column.left else self._chars[place]
            for text in texts:
                if len(text) > least:
                    needed = metrics.horizontalAdvance(text) + 2 * PADDING_PX + GAP_PX
                    grew |= needed > self._wide[place]
                    self._wide[place] = max(self._wide[place], needed)
            self._chars[place] = max(self._chars[place], most)
        return grew

    def _share(self) -> None:
        """Give each column what its text needs; the rest to those that stretch, or to all alike."""
        columns = self.rows_model.columns
        space = self.viewport().width()
        shown = [place for place in range(len(columns)) if place not in self._unwanted]
        for place in sorted(shown, key=lambda at: -columns[at].spare):
            if sum(self._wide[at] for at in shown) <= space or not columns[place].spare:
                break
            group = columns[place].group
            shown = [
                at for at in shown if at != place and not (group and columns[at].group == group)
            ]
        left = max(0, space - sum(self._wide[at] for at in shown))
        takers = [at for at in shown if columns[at].stretch] or shown
        for place in range(len(columns)):
            self.setColumnHidden(place, place not in shown)
            if place in shown:
                more = left // len(takers) if place in takers else 0
                self.setColumnWidth(place, self._wide[place] + more)

    def _on_selection_changed(self, _now: QItemSelection, _before: QItemSelection) -> None:
        self.row_chosen.emit(self.chosen())

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Widths follow the room there is."""
        super().resizeEvent(event)
        self._share()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows, or the sentence that stands in their place."""
        super().paintEvent(event)
        if self.proxy.rowCount() or not self.empty_text:
            return
        said = "Nothing matches the filter." if self.rows_model.rows else self.empty_text
        painter = QPainter(self.viewport())
        painter.setPen(self._theme.qcolor("muted"))
        room = self.viewport().rect().adjusted(12, 2, -12, -2)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), said)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape lets go of the selection; all else as Qt does."""
        if event.key() == Qt.Key.Key_Escape and self.chosen() is not None:
            self.clearSelection()
            return
        super().keyPressEvent(event)
