"""The door to the lab's window: a line in a menu, and the window made at the first use."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from basisdesk.ui.context import Context
from basisdesk.ui.theme import Theme

if TYPE_CHECKING:
    from basisdesk.ui.lab_window import LabWindow

LAB_KEY = "Ctrl+Shift+L"


class LabDoor(QObject):
    """Opens the lab from a window's menu; a replay has none. window: None until it was opened."""

    def __init__(self, context: Context, theme: Theme, home: QMainWindow, menu: QMenu) -> None:
        super().__init__(home)
        self._context = context
        self._theme = theme
        self._home = home
        self.window: LabWindow | None = None
        if context.mode == "replay":
            return
        action = QAction("Lab", home)
        action.setShortcut(QKeySequence(LAB_KEY))
        action.triggered.connect(self.open)
        menu.addAction(action)
        home.addAction(action)
        if (closed := getattr(home, "closed", None)) is not None:
            closed.connect(self.close)

    def open(self) -> "LabWindow | None":
        """The lab's window, in front; None where the desk has not come up yet."""
        view, actions = self._context.lab, self._context.lab_actions
        if view is None or actions is None:
            return None
        if self.window is None:
            from basisdesk.ui.lab_window import LabWindow  # a start does not wait for it

            self.window = LabWindow(view, actions, self._theme)
            self.window.on_halt(getattr(self._home, "halt", self._home.raise_))
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        return self.window

    def close(self) -> None:
        """Close the window, if there is one."""
        if self.window is not None:
            self.window.close()
