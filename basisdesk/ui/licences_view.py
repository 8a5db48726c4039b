"""Whose work this program stands on: a list that can be searched, and the licence of a line."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme

Notice = tuple[str, str, str, str]  # name, version, licence as a short name, its text

COLUMNS = (
    Column("Package", lambda row: row[0], left=True, sample="PySide6_Essentials",
           tip="The package or library, as its authors call it."),
    Column("Version", lambda row: row[1], left=True, sample="2026.10.31",
           tip="The version that runs here."),
    Column("Licence", lambda row: row[2], left=True, stretch=True, detail=lambda row: row[2],
           tip="The licence by its short name; the whole text stands beside the list."),
)  # fmt: skip


class LicencesView(QWidget):
    """List, search line and text. `read` takes a tenth of a second: it is called once shown."""

    def __init__(
        self, read: Callable[[], Sequence[Notice]], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._read = read
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Find a package or a licence")
        self.search.setAccessibleName("Find a package or a licence")
        self.table = TableView(COLUMNS, theme)
        self.table.setAccessibleName("Packages and their licences")
        self.table.empty_text = "Reading the licences\u2026"
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Text of the chosen licence")
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.text)
        split.setSizes([theme.px(380), theme.px(440)])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(6))
        column.addWidget(self.search)
        column.addWidget(split, 1)
        self.search.textChanged.connect(self._on_search_changed)
        self.table.row_chosen.connect(self._on_row_chosen)
        QTimer.singleShot(0, self, self.fill)

    def fill(self) -> None:
        """Read the list and show it; the first line, this program itself, is chosen."""
        rows = list(self._read())
        self.table.empty_text = "No licence was found in this installation."
        self.table.show_rows(rows)
        if rows:
            self.table.choose(0)

    def _on_search_changed(self, text: str) -> None:
        self.table.proxy.set_filter(text)
        if self.table.proxy.rowCount():
            self.table.selectRow(0)

    def _on_row_chosen(self, row: object) -> None:
        self.text.setPlainText(str(row[3]) if isinstance(row, tuple) else "")
