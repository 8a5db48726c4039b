"""The door to the diagnostics: a line in the Help menu, and a window that shows what was copied.

Whoever is to paste it somewhere can read it first.
"""

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.context import Context
from basisdesk.ui.product_actions import Diagnostics
from basisdesk.ui.theme import Theme

ABOUT = (
    "Copied: paste it into a fault report. It holds versions, figures, settings that are not at "
    "their defaults and the last lines of the log. Names, addresses, passwords, folders and money "
    "are taken out; read it before you send it."
)
COPY = "Copy diagnostics"


class DiagnosticsDoor(QObject):
    """Adds "Copy diagnostics" to a menu; not where there are none. window: the last one opened."""

    def __init__(self, context: Context, theme: Theme, home: QMainWindow, menu: QMenu) -> None:
        super().__init__(home)
        self._context = context
        self._theme = theme
        self._home = home
        self.window: DiagnosticsDialog | None = None
        action = QAction(COPY, home)
        action.setToolTip("Versions, settings, figures and the end of the log, nothing private.")
        action.triggered.connect(self.open)
        menu.addAction(action)
        home.addAction(action)
        self.action = action
        action.setVisible(context.diagnostics is not None)
        menu.aboutToShow.connect(self._on_menu)  # the desk hands them over once it stands

    def open(self) -> "DiagnosticsDialog | None":
        """Copy them and show what was copied; None where the desk has none."""
        diagnostics = self._context.diagnostics
        if diagnostics is None:
            return None
        diagnostics.copy()
        self.window = DiagnosticsDialog(diagnostics, self._theme, self._home)
        self.window.destroyed.connect(self._on_gone)
        self.window.open()
        return self.window

    def _on_menu(self) -> None:
        self.action.setVisible(self._context.diagnostics is not None)

    def _on_gone(self) -> None:
        self.window = None


class DiagnosticsDialog(QDialog):
    """What is in the clipboard now, to be read before it is pasted."""

    def __init__(
        self, diagnostics: Diagnostics, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Diagnostics")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._diagnostics = diagnostics
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(14), theme.px(16), theme.px(12))
        column.setSpacing(theme.px(10))
        about = theme.label(ABOUT, "muted")
        about.setWordWrap(True)
        column.addWidget(about)
        self.shown = QPlainTextEdit(diagnostics.text(), self)
        self.shown.setReadOnly(True)
        self.shown.setTabChangesFocus(True)
        self.shown.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.shown.setAccessibleName("Diagnostics, as copied")
        column.addWidget(self.shown, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.again = buttons.addButton("Copy again", QDialogButtonBox.ButtonRole.ActionRole)
        self.again.setAccessibleName("Copy the diagnostics again")
        self.again.clicked.connect(self._on_again)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.resize(theme.px(860), theme.px(560))

    def _on_again(self) -> None:
        self._diagnostics.copy()
        self.shown.setPlainText(self._diagnostics.text())
