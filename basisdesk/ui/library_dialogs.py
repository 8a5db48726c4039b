"""What the library asks: put sessions away? bring something back? which file, which folder?"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from basisdesk.ui.figures import number_text
from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.product_actions import TrashLine
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme

TRASH_COLUMNS = (
    Column("Put away, UTC", lambda line: line.utc[:16].replace("T", " "), lambda line: line.utc,
           left=True, sample="2026-11-21 23:46", tip="When it went into the trash."),
    Column("Size, MB", lambda line: number_text(line.mb, 1), lambda line: line.mb, sample="1,234.5",
           tip="What it takes of the disk."),
    Column("What", lambda line: line.said, left=True, stretch=True, detail=lambda line: line.said,
           wide_px=280, tip="The tapes or the account that lie in it."),
)  # fmt: skip


class TrashDialog(AskDialog):
    """Put these away? Says what goes and what stays; where nothing can go, why."""

    def __init__(
        self, title: str, words: tuple[str, str], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("To the trash", "Put into the trash", theme, parent)
        said, problem = words
        end = (
            "It goes into the folder trash of your profile; nothing is deleted. The button "
            "Trash\u2026 brings it back."
        )
        self.fill(
            self.wrapped(title, weight=600),
            self.wrapped(problem or said, "warn" if problem else "text"),
            self.wrapped("" if problem else end, "muted"),
        )
        self.act.setEnabled(not problem)
        self.cancel.setDefault(True)
        self.cancel.setFocus()


class RestoreDialog(AskDialog):
    """What lies in the trash. chosen: the name of what shall come back."""

    chosen = Signal(str)

    def __init__(
        self, lines: Sequence[TrashLine], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Trash", "Put back", theme, parent)
        self.table = TableView(TRASH_COLUMNS, theme, key=lambda line: line.name)
        self.table.setAccessibleName("What lies in the trash")
        self.table.empty_text = "The trash is empty."
        self.table.show_rows(lines)
        self.table.setMinimumHeight(theme.px(200))
        said = (
            "Each line is one visit to the trash. Putting it back needs its place to be free; a "
            "whole account that began anew meanwhile goes into the archive. To free the disk, "
            "delete folders in trash by hand."
        )
        self.what = self.wrapped("")
        self.fill(self.table, self.what, self.wrapped(said, "muted"))
        self.setMinimumWidth(theme.px(640))
        self.act.setEnabled(False)
        self.table.row_chosen.connect(self._on_row)
        self.accepted.connect(self._on_accepted)
        if lines:
            self.table.choose(0)

    def _on_row(self, line: object) -> None:
        self.act.setEnabled(isinstance(line, TrashLine))
        self.what.setText(line.said if isinstance(line, TrashLine) else "")

    def _on_accepted(self) -> None:
        line = self.table.chosen()
        if isinstance(line, TrashLine):
            self.chosen.emit(line.name)


def ask_trade_log(parent: QWidget, chosen: Callable[[str], None]) -> QFileDialog:
    """Ask for the script's trade_log.csv."""
    dialog = QFileDialog(parent, "Import trade_log.csv", "", "Trade logs (*.csv);;All files (*)")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(chosen)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
