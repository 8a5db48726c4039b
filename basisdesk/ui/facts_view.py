"""Named figures below each other, a small table without a header; money explains itself."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from basisdesk.ui.facts import Fact
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.tip_menu import EXPLAIN

ASKS = (Qt.Key.Key_E, Qt.Key.Key_Return, Qt.Key.Key_Enter)


def fact_columns() -> tuple[Column, ...]:
    """Name left, figure right."""
    return (
        Column(
            "",
            lambda row: row.name,
            left=True,
            detail=lambda row: row.tip,
            meaning=lambda _: "muted",
            sample="Expected hold",
        ),
        Column(
            "",
            lambda row: row.text,
            detail=lambda row: row.tip,
            meaning=lambda row: row.meaning,
            sample="\u25bc \u2212123.45 USDT",
            stretch=True,
        ),
    )


class FactsView(TableView):
    """Facts, one a row. explain_asked: the figure of a fact that was double clicked, or E on it."""

    explain_asked = Signal(str)

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(fact_columns(), theme, key=lambda row: row.name, parent=parent)
        self.setAccessibleName(name)
        self.horizontalHeader().hide()
        self.setSortingEnabled(False)
        self.setAlternatingRowColors(False)
        rows = self.verticalHeader()
        rows.setMinimumSectionSize(theme.px(18))
        rows.setDefaultSectionSize(max(theme.px(21), round(self.fontMetrics().height() * 1.4)))
        self.doubleClicked.connect(self._on_double_clicked)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu_requested)

    def menu_at(self, spot: QPoint) -> QMenu | None:
        """The menu of the fact under a point; None where it has nothing to explain."""
        fact = self._fact(self.indexAt(spot))
        if fact is None or not fact.figure:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(EXPLAIN, lambda: self.explain_asked.emit(fact.figure))
        return menu

    def _fact(self, at: QModelIndex) -> Fact | None:
        if not at.isValid():
            return None
        row = self.rows_model.row(self.proxy.mapToSource(at).row())
        return row if isinstance(row, Fact) else None

    def _on_double_clicked(self, at: QModelIndex) -> None:
        fact = self._fact(at)
        if fact is not None and fact.figure:
            self.explain_asked.emit(fact.figure)

    def _on_menu_requested(self, spot: QPoint) -> None:
        menu = self.menu_at(spot)
        if menu is not None:
            menu.popup(self.viewport().mapToGlobal(spot))

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """E or Enter explains the chosen figure; all else as a table does."""
        fact = self.chosen()
        if event.key() in ASKS and isinstance(fact, Fact) and fact.figure:
            self.explain_asked.emit(fact.figure)
            return
        super().keyPressEvent(event)
