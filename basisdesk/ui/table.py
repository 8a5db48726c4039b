"""Any list of rows as a Qt model: columns say how a row is read, the model repaints what moved.

A row is any value that compares with `==`; panels make them in rows.py, without Qt. Columns give
text, what to sort by, alignment and a meaning for the colour; no colour is named here.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from basisdesk.ui.column_words import column_tip
from basisdesk.ui.table_cells import GAUGE_ROLE, MEANING_ROLE, SOLID_ROLE
from basisdesk.ui.theme import safe

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Column:
    """How one column reads a row.

    header: with the unit, when the cells have one. text: the cell. sort: the value to sort by
    (the text where it is left out). left: names stand left, figures right. tip: one sentence for
    the header; left out, what column_words.py knows of it. detail: the cell's own tooltip.
    meaning: a colour token for the cell, "" for plain. gauge: a bar from 0 to 1 under the text,
    None for no bar. solid: the meaning fills the cell. sample: text as wide as the column will
    need. stretch: takes the space that is left; its text may be elided. spare: hidden first when
    the table is narrow (higher goes sooner, 0 never). wide_px: least width in the 12 px design,
    for a column that holds widgets. group: columns of one group are shown together or not at all,
    so that figures that add up never stand there in part.
    """

    header: str
    text: Callable[[Any], str]
    sort: Callable[[Any], Any] | None = None
    left: bool = False
    tip: str = ""
    detail: Callable[[Any], str] | None = None
    meaning: Callable[[Any], str] | None = None
    gauge: Callable[[Any], float | None] | None = None
    solid: Callable[[Any], bool] | None = None
    sample: str = ""
    stretch: bool = False
    spare: int = 0
    wide_px: int = 0
    group: str = ""


class RowModel(QAbstractTableModel):
    """Rows as Qt wants them. `show_rows` finds what moved and repaints nothing else.

    key: what makes a row the same row when its figures change; without it a row is its place.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        key: Callable[[Any], Hashable] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._key = key
        self._rows: list[Any] = []

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, as given."""
        return self._columns

    @property
    def rows(self) -> list[Any]:
        """The rows shown, top first."""
        return self._rows

    def row(self, place: int) -> Any:
        """One row by its place, top 0."""
        return self._rows[place]

    def show_rows(self, rows: Sequence[Any]) -> None:
        """Show these rows. One that did not change is not repainted; selection survives."""
        new = list(rows)
        self._match_places(new)
        first = last = -1
        for place, (old, row) in enumerate(zip(self._rows, new, strict=True)):
            if old is row or old == row:
                continue
            self._rows[place] = row
            if place != last + 1 and first >= 0:
                self._moved(first, last)
                first = place
            first, last = (place if first < 0 else first), place
        if first >= 0:
            self._moved(first, last)

    def _moved(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))

    def _match_places(self, new: list[Any]) -> None:
        """Insert and remove until each place holds the row it will hold; figures come after."""
        if self._key is None:
            self._cut(len(new), len(self._rows))
            self._put(len(self._rows), new[len(self._rows) :])
            return
        have, want = [self._key(row) for row in self._rows], [self._key(row) for row in new]
        if have == want:
            return
        head = _common(have, want)
        tail = min(_common(have[::-1], want[::-1]), len(have) - head, len(want) - head)
        if head == tail == 0 and have and have[0] in want:  # a bounded list, newest first
            head_at = want.index(have[0])
            stay = _common(have, want[head_at:])
            self._cut(stay, len(have))
            self._put(0, new[:head_at])
            self._put(head_at + stay, new[head_at + stay :])
            return
        self._cut(head, len(have) - tail)
        self._put(head, new[head : len(want) - tail])

    def _cut(self, first: int, end: int) -> None:
        if end > first:
            self.beginRemoveRows(QModelIndex(), first, end - 1)
            del self._rows[first:end]
            self.endRemoveRows()

    def _put(self, first: int, rows: Sequence[Any]) -> None:
        if rows:
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self._rows[first:first] = rows
            self.endInsertRows()

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many rows; none below a row."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many columns."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What one cell shows in one role."""
        if not index.isValid():
            return None
        column, row = self._columns[index.column()], self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        read = _READERS.get(role)
        return None if read is None else read(column, row)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Header text, its alignment and its tooltip."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self._columns[section]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.header
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = column.tip or column_tip(column.header)
            return safe(tip) if tip else None
        return None


def _alignment(column: Column) -> int:
    side = Qt.AlignmentFlag.AlignLeft if column.left else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def _tooltip(column: Column, row: Any) -> str | None:
    said = column.detail(row) if column.detail else ""
    return safe(said) if said else None


def _meaning(column: Column, row: Any) -> str:
    return column.meaning(row) if column.meaning else ""


def _accessible(column: Column, row: Any) -> str:
    return f"{column.header} {column.text(row)}".strip()


_READERS: dict[int, Callable[[Column, Any], Any]] = {
    Qt.ItemDataRole.TextAlignmentRole: lambda column, _: _alignment(column),
    Qt.ItemDataRole.ToolTipRole: _tooltip,
    Qt.ItemDataRole.AccessibleTextRole: _accessible,
    GAUGE_ROLE: lambda column, row: column.gauge(row) if column.gauge else None,
    MEANING_ROLE: _meaning,
    SOLID_ROLE: lambda column, row: bool(column.solid and column.solid(row)),
}


def _common(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many leading items are the same."""
    count = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        count += 1
    return count
