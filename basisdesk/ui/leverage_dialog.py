"""The leverage picture of the ticket's pair, 1 to 20: beside the ticket, blocking nothing."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.ui.dialog_size import bounded
from basisdesk.ui.leverage_rows import LeverageRow, Picture
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain

ROWS_SHOWN = 9  # whole rows at first
ROOM_PX = 130  # head, buttons and margins
REST = "Select a leverage that the desk trades to take it into the ticket."


class LeverageDialog(QDialog):
    """What each leverage would mean. taken: a Decimal, the leverage that somebody took."""

    taken = Signal(object)

    def __init__(
        self, columns: Sequence[Column], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Leverage picture")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.head = theme.label("", "text")
        self.note = theme.label("", "muted", 11)
        for label in (self.head, self.note):
            label.setWordWrap(True)
        self.table = TableView(columns, theme, key=lambda row: row.leverage)
        self.table.setAccessibleName("Leverage picture")
        self.table.setSortingEnabled(False)
        self.table.row_chosen.connect(self._on_row_chosen)
        self.table.activated.connect(self._on_take)
        self.take = QPushButton("Take", self)
        self.take.setProperty("role", "primary")
        self.take.clicked.connect(self._on_take)
        close = QPushButton("Close", self)
        close.clicked.connect(self.reject)
        self._lay_out(theme, close)
        self._on_row_chosen(None)

    def _lay_out(self, theme: Theme, close: QPushButton) -> None:
        px = theme.px
        buttons = QHBoxLayout()
        buttons.setSpacing(px(8))
        buttons.addWidget(self.note, 1)
        buttons.addWidget(close)
        buttons.addWidget(self.take)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(14), px(12), px(14), px(12))
        column.setSpacing(px(8))
        column.addWidget(self.head)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        row = self.table.verticalHeader().defaultSectionSize()
        wide = self.table.needed_px() + 2 * px(14) + 4
        wanted = QSize(wide, (ROWS_SHOWN + 1) * row + px(ROOM_PX))
        self.resize(bounded(wanted, self.parentWidget()))

    def show_picture(self, picture: Picture) -> None:
        """Show the picture of this moment; the selection stays where it was."""
        self.setWindowTitle(picture.title)
        self.head.setText(picture.head)
        self.note.setText(picture.note)
        self.table.empty_text = picture.empty
        self.table.show_rows(picture.rows)

    # --- slots ------------------------------------------------------------------------------------

    def _on_row_chosen(self, row: object) -> None:
        able = isinstance(row, LeverageRow) and row.tradable and not row.present
        self.take.setEnabled(able)
        name = row.name if isinstance(row, LeverageRow) else ""
        self.take.setText(f"Take {name}" if able else "Take")
        why = f"Puts {name} into the ticket." if able else REST
        if isinstance(row, LeverageRow) and not row.tradable:
            why = f"{name} is for the lab: {row.why}"
        explain(self.take, why)

    def _on_take(self) -> None:
        row = self.table.chosen()
        if isinstance(row, LeverageRow) and row.tradable:
            self.taken.emit(row.leverage)
