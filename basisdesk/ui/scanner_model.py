"""Openings as a Qt model: columns of arrays, text for the cells that ask, and news of few cells.

The model keeps an order of places in `Openings`, nothing else. A refresh compares arrays of what is
on the screen and names only the cells whose text moved; rows are never made.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from basisdesk.scan.words import Ints, Openings
from basisdesk.ui.figures import NOTHING
from basisdesk.ui.scanner_columns import ScanColumn, cell_detail
from basisdesk.ui.scanner_rows import look_of, same_combos
from basisdesk.ui.table_cells import MEANING_ROLE
from basisdesk.ui.theme import safe

Index = QModelIndex | QPersistentModelIndex
UP, DOWN = "\u25b4", "\u25be"  # beside the header that is sorted by
NO_ROWS = np.empty(0, dtype=np.int64)


class ScannerModel(QAbstractTableModel):
    """The rows that are shown, by their places in the openings.

    cells_told: cells said to have changed so far; what a test or the bench counts.
    """

    def __init__(self, columns: Sequence[ScanColumn], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._openings: Openings | None = None
        self._order: Ints = NO_ROWS
        self._sort = (-1, True)
        self.cells_told = 0

    @property
    def columns(self) -> tuple[ScanColumn, ...]:
        """All columns, shown or not."""
        return self._columns

    @property
    def openings(self) -> Openings | None:
        """What is shown; None before the first reading."""
        return self._openings

    @property
    def order(self) -> Ints:
        """Places in the openings, top row first."""
        return self._order

    def place(self, row: int) -> int:
        """The opening of a row, as a place in the openings."""
        return int(self._order[row])

    def row_of(self, place: int) -> int:
        """The row of an opening, -1 where it is not shown."""
        found = np.flatnonzero(self._order == place)
        return int(found[0]) if len(found) else -1

    def set_sort(self, section: int, descending: bool) -> None:
        """Mark the column that is sorted by."""
        self._sort = section, descending
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)

    def header_text(self, section: int, *, marked: bool = False) -> str:
        """A header on two lines, its unit below; with the mark of the sort."""
        name, cut, unit = two_lines(self._columns[section].header)
        if marked or section == self._sort[0]:
            name += f" {DOWN if self._sort[1] else UP}"
        return f"{name}{cut}{unit}"

    def set_columns(self, columns: Sequence[ScanColumn]) -> None:
        """The same columns in other units, or others in their places."""
        if len(columns) != len(self._columns):
            raise ValueError("a scanner's table has always the same number of columns")
        self._columns = tuple(columns)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(columns) - 1)
        if len(self._order):
            last = self.index(len(self._order) - 1, len(columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def show(
        self, openings: Openings | None, order: Ints, window: range, columns: Sequence[int]
    ) -> None:
        """Show these openings in this order.

        window: rows on the screen; columns: those that are shown. Only of these is anything said:
        what comes onto the screen later is read then. Selection survives while the combinations
        stay the same; `False` of `same_combos` means a model made anew.
        """
        before, self_order = self._openings, self._order
        if openings is None or not same_combos(before, openings):
            self.beginResetModel()
            self._openings, self._order = openings, order
            self.endResetModel()
            return
        self._openings = openings
        if not np.array_equal(self_order, order):
            self._arrange(order)  # repaints what is on the screen
            return
        if before is not None and before is not openings:
            self._tell(before, openings, window, columns)

    # --- another order ----------------------------------------------------------------------------

    def _arrange(self, order: Ints) -> None:
        stay = np.isin(self._order, order, assume_unique=True)
        if not stay.all():
            kept, gone = self._order[stay], self._order[~stay]
            self._permute(np.concatenate([kept, gone]))
            self.beginRemoveRows(QModelIndex(), len(kept), len(self._order) - 1)
            self._order = kept
            self.endRemoveRows()
        come = order[~np.isin(order, self._order, assume_unique=True)]
        if len(come):
            have = len(self._order)
            self.beginInsertRows(QModelIndex(), have, have + len(come) - 1)
            self._order = np.concatenate([self._order, come])
            self.endInsertRows()
        self._permute(order)

    def _permute(self, order: Ints) -> None:
        if np.array_equal(self._order, order):
            return
        self.layoutAboutToBeChanged.emit()
        row_of = np.empty(int(order.max()) + 1, dtype=np.int64)
        row_of[order] = np.arange(len(order))
        held = self.persistentIndexList()
        moved = [
            self.createIndex(int(row_of[self._order[at.row()]]), at.column())
            if at.row() < len(self._order)
            else QModelIndex()
            for at in held
        ]
        self._order = order
        self.changePersistentIndexList(held, moved)
        self.layoutChanged.emit()

    # --- other figures ----------------------------------------------------------------------------

    def _tell(self, before: Openings, now: Openings, window: range, columns: Sequence[int]) -> None:
        rows = self._order[window.start : window.stop]
        if not len(rows) or not columns:
            return
        moved = changed_cells(before, now, rows, [self._columns[at] for at in columns])
        for at in np.flatnonzero(moved.any(axis=1)).tolist():
            for first, last in _runs(np.flatnonzero(moved[at]).tolist(), columns):
                row = window.start + at
                self.cells_told += last - first + 1
                self.dataChanged.emit(self.index(row, first), self.index(row, last))

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many rows; none below a row."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many columns."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What one cell shows in one role."""
        o = self._openings
        if not index.isValid() or o is None or index.row() >= len(self._order):
            return None
        column, at = self._columns[index.column()], int(self._order[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(o, at)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return safe(cell_detail(column, o, at)) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.header} {column.text(o, at)}".strip()
        if role == MEANING_ROLE:
            return cell_ink(column, o, at, look_of(o, at), column.text(o, at))
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Header text, its alignment and its tooltip."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.header_text(section)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return column.header
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column)
        return safe(column.tip) if role == Qt.ItemDataRole.ToolTipRole and column.tip else None


def two_lines(header: str) -> tuple[str, str, str]:
    """A header as (name, line break, unit): the unit stands below, the column gets narrower."""
    for mark, keep in ((" /", "/"), (", ", "")):
        name, found, unit = header.partition(mark)
        if found:
            return name, "\n", keep + unit
    return header, "", ""


def alignment(column: ScanColumn) -> int:
    """Names left, figures right, as Qt has it."""
    side = Qt.AlignmentFlag.AlignLeft if column.left else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def cell_ink(column: ScanColumn, o: Openings, at: int, look: str, text: str) -> str:
    """The colour token of a cell: its own meaning, the row's look, grey for what is not known.

    look: `look_of` the row; text: what the cell shows.
    """
    token = column.meaning(o, at) if column.meaning is not None else ""
    if token and (not look or token == "warn"):  # what explains a dimmed row stands out of it
        return token
    return look or ("muted" if text == NOTHING else "")


def changed_cells(
    before: Openings, now: Openings, rows: Ints, columns: Sequence[ScanColumn]
) -> NDArray[np.bool_]:
    """Where what is shown of these rows moved, rows x columns; a row that dims is new all over."""
    moved = np.zeros((len(rows), len(columns)), dtype=np.bool_)
    for at, column in enumerate(columns):
        moved[:, at] = _differs(column.stamp(before, rows), column.stamp(now, rows))
    looks = (before.state[rows] != now.state[rows]) | (_thin(before, rows) != _thin(now, rows))
    moved |= looks[:, None]
    return moved


def _thin(o: Openings, rows: Ints) -> NDArray[np.bool_]:
    return np.asarray(o.capacity[rows] < o.size, dtype=np.bool_)


def _differs(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.bool_]:
    lost = np.isnan(old) & np.isnan(new)
    return np.asarray(((old != new) & ~lost).any(axis=0), dtype=np.bool_)


def _runs(places: list[int], columns: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring columns as (first, last), so that a row that moved is told in few words."""
    runs: list[tuple[int, int]] = []
    for place in places:
        column = columns[place]
        if runs and column == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], column)
        else:
            runs.append((column, column))
    return runs
