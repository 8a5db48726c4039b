"""Ctrl+P: find a pair of legs over all venues and put it on the screen."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from basisdesk.ui.context import Context
from basisdesk.ui.dialog_size import bounded
from basisdesk.ui.picker_rows import ROWS_MAX, PairChoice, PairIndex
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme

SIZE_PX = (760, 460)
EMPTY = "Nothing fits. Try a coin, a venue or a kind: ada, kraken binance, okx perp-perp."
WAITING = "The venues have not sent their instrument lists yet."


def picker_columns() -> tuple[Column, ...]:
    """One pair a row."""
    return (
        Column("Coin", lambda row: row.coin, left=True, sample="BABYDOGE"),
        Column("First leg", lambda row: row.first_name, left=True, sample="Binance spot ADAUSDT"),
        Column("Second leg", lambda row: row.second_name, left=True,
               sample="OKX perp ADA-USDT-SWAP"),
        Column("Kind", lambda row: row.kind, left=True, sample="spot-perp",
               tip="Spot against a perpetual, or one perpetual against another."),
        Column("Currency", lambda row: row.currencies, left=True, stretch=True,
               sample="USD / USDT",
               tip="What the legs are priced in; two currencies bring in a cross rate."),
    )  # fmt: skip


class PairPicker(QDialog):
    """A line to type into and the pairs that fit. chosen: (first key, second key)."""

    chosen = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._index = PairIndex(context.engine.market.instruments)
        self.setWindowTitle("Choose a pair")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Coin, venue, kind: ada kraken binance")
        self.search.setAccessibleName("Find a pair")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._show)
        self.search.returnPressed.connect(self.take)
        self.search.installEventFilter(self)
        self.table = TableView(picker_columns(), theme, key=lambda row: row.key)
        self.table.setAccessibleName("Pairs")
        self.table.setSortingEnabled(False)
        self.table.empty_text = WAITING if self._index.empty else EMPTY
        self.table.doubleClicked.connect(self.take)
        self.count = theme.label("", "muted", 11)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(12), theme.px(12), theme.px(12), theme.px(8))
        column.setSpacing(theme.px(6))
        for widget in (self.search, self.table, self.count):
            column.addWidget(widget)
        self.resize(bounded(QSize(theme.px(SIZE_PX[0]), theme.px(SIZE_PX[1])), parent))
        self._show("")

    def take(self) -> None:
        """Put the marked pair on the screen, the first one where none is marked."""
        row = self.table.chosen() or next(iter(self.table.rows_model.rows), None)
        if isinstance(row, PairChoice):
            self.chosen.emit(row.key)
            self.accept()

    def _show(self, text: str) -> None:
        rows = self._index.search(text)
        self.table.show_rows(rows)
        if rows:
            self.table.selectRow(0)
        more = "The first " if len(rows) == ROWS_MAX else ""
        self.count.setText(f"{more}{len(rows):,} pairs. Enter takes the marked one, Esc leaves.")

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down move through the pairs while the line keeps the focus."""
        moves = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        if isinstance(event, QKeyEvent) and event.key() in moves:
            if event.type() == QEvent.Type.KeyPress:
                self.table.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)
