"""Which file or folder? Questions that block nothing."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_folder(parent: QWidget, chosen: Callable[[str], None]) -> QFileDialog:
    """Ask for a folder that the session log goes into."""
    dialog = QFileDialog(parent, "Save the session log into a folder")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=True)
    return _opened(dialog, chosen)


def ask_tape(parent: QWidget, chosen: Callable[[str], None]) -> QFileDialog:
    """Ask for a recording."""
    dialog = QFileDialog(parent, "Open a tape", "", "Tapes (*.tape);;All files (*)")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _opened(dialog, chosen)


def _opened(dialog: QFileDialog, chosen: Callable[[str], None]) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog
