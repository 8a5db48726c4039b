"""The door to the session library: a line in a menu, and the window made at the first use."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from basisdesk.ui.context import Context
from basisdesk.ui.theme import Theme

if TYPE_CHECKING:
    from basisdesk.ui.library_window import LibraryWindow

LIBRARY_KEY = "Ctrl+L"


class LibraryDoor(QObject):
    """Opens past sessions from a window's menu; a replay has none. window: None until opened.

    action: the line in the menu; None in a replay.
    """

    def __init__(self, context: Context, theme: Theme, home: QMainWindow, menu: QMenu) -> None:
        super().__init__(home)
        self._context = context
        self._theme = theme
        self._home = home
        self.window: LibraryWindow | None = None
        self.action: QAction | None = None
        if context.mode == "replay":
            return
        self.action = QAction("Sessions\u2026", home)
        self.action.setShortcut(QKeySequence(LIBRARY_KEY))
        self.action.triggered.connect(self.open)
        menu.addAction(self.action)
        home.addAction(self.action)
        if (closed := getattr(home, "closed", None)) is not None:
            closed.connect(self.close)

    def open(self) -> "LibraryWindow | None":
        """The library's window, in front; None where the desk has not come up yet."""
        library = self._context.library
        if library is None:
            return None
        if self.window is None:
            from basisdesk.ui.library_window import LibraryWindow  # a start does not wait for it

            self.window = LibraryWindow(library, self._context, self._theme)
            self.window.on_halt(getattr(self._home, "halt", self._home.raise_))
            if (guide := getattr(getattr(self._home, "bars", None), "help", None)) is not None:
                self.window.on_help(lambda: guide.open_for("sessions"))
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        return self.window

    def open_running(self) -> bool:
        """Show the report of the session that runs; whether there is a library to show it."""
        window = self.open()
        if window is not None:
            window.show_running()
        return window is not None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self.window is not None:
            self.window.close()
