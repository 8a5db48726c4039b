"""Glossary and About: two quiet windows that never block the desk."""

import platform
import sqlite3
import sys
from collections.abc import Callable, Sequence

import pyqtgraph
from PySide6 import __version__ as pyside_version
from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from basisdesk import __version__
from basisdesk.ui.dialog_size import bounded
from basisdesk.ui.glossary import TERMS
from basisdesk.ui.licences_view import LicencesView, Notice
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme

SAID_LINES = 3  # of the chosen term, under the table
SAID = (
    "Learn, test and practise the spot-perp basis trade on paper. No order ever leaves this "
    "machine; no key is asked for; nothing here is advice."
)
QUIET = (
    "No telemetry and no update check: the program tells nobody that it runs. It asks the venues "
    "you watch for prices, and in the demo not even them."
)
OURS = (
    "basisdesk is free software under the MIT licence: use it, change it, pass it on; it comes "
    "without any warranty."
)


def versions() -> list[tuple[str, str]]:
    """(part, version) of what the desk runs on."""
    return [
        ("basisdesk", __version__),
        ("Python", platform.python_version()),
        ("PySide6", str(pyside_version)),
        ("Qt", qVersion()),
        ("pyqtgraph", str(pyqtgraph.__version__)),
        ("SQLite", sqlite3.sqlite_version),
        ("System", f"{platform.system()} {platform.release()} ({sys.platform})"),
    ]


class GlossaryDialog(QDialog):
    """Every term with its sentence, and a line that finds them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Glossary")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        columns = (
            Column("Term", lambda row: row[0], left=True, sample="Payments to break even"),
            Column(
                "In one sentence, with a figure",
                lambda row: row[1],
                left=True,
                stretch=True,
                detail=lambda row: row[1],
            ),
        )
        self.table = TableView(columns, theme)
        self.table.setAccessibleName("Terms")
        self.table.setWordWrap(True)
        self.table.show_rows(sorted(TERMS.items()))
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Find a term")
        self.search.setAccessibleName("Find a term")
        self.search.textChanged.connect(self._on_search_changed)
        # A sentence that is longer than the table is wide stands whole under it.
        self.said = theme.label("")
        self.said.setWordWrap(True)
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.said.setMinimumHeight(SAID_LINES * self.said.fontMetrics().lineSpacing())
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setAccessibleName("The chosen term")
        self.table.row_chosen.connect(self._on_row_chosen)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addWidget(self.said)
        self.resize(bounded(QSize(theme.px(1060), theme.px(560)), parent))
        self.table.choose(0)

    def _on_search_changed(self, text: str) -> None:
        self.table.proxy.set_filter(text)
        if self.table.proxy.rowCount():
            self.table.selectRow(0)

    def _on_row_chosen(self, row: object) -> None:
        self.said.setText(f"{row[0]}: {row[1]}" if isinstance(row, tuple) else "")


class AboutDialog(QDialog):
    """What this is, what it is not, the versions a fault report needs, and the licences.

    read: every package of this installation with its licence; None: no list is shown.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        read: Callable[[], Sequence[Notice]] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("About basisdesk")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(24), theme.px(20), theme.px(24), theme.px(16))
        column.setSpacing(theme.px(6))
        column.addWidget(theme.label("basisdesk", size=19, weight=600))
        for text in (SAID, QUIET):
            said = theme.label(text, "muted")
            said.setWordWrap(True)
            column.addWidget(said)
        column.addSpacing(theme.px(6))
        parts = " \u00b7 ".join(f"{name} {version}" for name, version in versions())
        self.versions = theme.label(parts)
        self.versions.setWordWrap(True)
        self.versions.setAccessibleName("Versions")
        self.versions.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.versions)
        column.addSpacing(theme.px(6))
        ours = theme.label(OURS)
        ours.setWordWrap(True)
        column.addWidget(ours)
        self.licences: LicencesView | None = None
        if read is not None:
            self.licences = LicencesView(read, theme, self)
            column.addWidget(self.licences, 1)
            self.resize(bounded(QSize(theme.px(880), theme.px(600)), parent))
        else:
            column.addSpacing(theme.px(8))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setMinimumWidth(theme.px(420))
