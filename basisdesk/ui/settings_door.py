"""The door to the settings: a line in a menu, and the dialog made at the first use."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from basisdesk.ui.context import Context
from basisdesk.ui.theme import Theme

if TYPE_CHECKING:
    from basisdesk.ui.settings_dialog import SettingsDialog

SETTINGS_KEY = "Ctrl+,"


class SettingsDoor(QObject):
    """Opens the settings from a window's menu; none where no settings file can be written.

    dialog: None until it is opened, and after it was closed.
    """

    def __init__(self, context: Context, theme: Theme, home: QMainWindow, menu: QMenu) -> None:
        super().__init__(home)
        self._context, self._theme, self._home = context, theme, home
        self.dialog: SettingsDialog | None = None
        self.action: QAction | None = None
        if context.mode == "replay":
            return
        self.action = QAction("Settings\u2026", home)
        self.action.setShortcut(QKeySequence(SETTINGS_KEY))
        self.action.triggered.connect(self.open)
        menu.addAction(self.action)
        home.addAction(self.action)

    def open(self) -> None:
        """The dialog, in front; nothing where the desk has not come up yet.

        The first time in two turns of the loop: importing, then building.
        """
        if self._context.settings_actions is None:
            return
        if self.dialog is not None and not self.dialog.over:
            self._to_front(self.dialog)
            return
        import basisdesk.ui.settings_dialog  # noqa: F401  (a start does not wait for it)

        QTimer.singleShot(0, self, self._show)

    def _show(self) -> None:
        actions = self._context.settings_actions
        if actions is None or (self.dialog is not None and not self.dialog.over):
            return
        from basisdesk.ui.settings_dialog import SettingsDialog

        self.dialog = SettingsDialog(actions, self._theme, self._home)
        self.dialog.on_halt(getattr(self._home, "halt", self._home.raise_))
        self.dialog.show()
        self._to_front(self.dialog)

    def _to_front(self, dialog: "SettingsDialog") -> None:
        dialog.raise_()
        dialog.activateWindow()
