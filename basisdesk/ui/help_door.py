"""The door to guide, tour and welcome: lines in the Help menu, and what a first start shows."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from basisdesk.ui.context import Context
from basisdesk.ui.help_pages import DOCK_PAGES, INDEX
from basisdesk.ui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from basisdesk.ui.help_window import HelpWindow
    from basisdesk.ui.tour import Tour
    from basisdesk.ui.welcome import Welcome
    from basisdesk.ui.window import MainWindow

HELP_KEY = "Shift+F1"
AFTER = "After this, the guide at the left leads through a first trade."


class HelpDoor(QObject):
    """Opens them from the desk's window. window, tour, welcome: None until they are asked for."""

    def __init__(self, context: Context, theme: Theme, home: "MainWindow", menu: QMenu) -> None:
        super().__init__(home)
        self._context = context
        self._theme = theme
        self._home = home
        self.window: HelpWindow | None = None
        self.tour: Tour | None = None
        self.welcome: Welcome | None = None
        self._add(menu, "User guide", self.open, HELP_KEY)
        self._add(menu, "Take the tour", self.take_tour)
        if context.first_run is not None:
            self._add(menu, "Welcome\u2026", self.show_welcome)
        home.closed.connect(self.close)

    def _add(self, menu: QMenu, text: str, act: "Callable[[], object]", key: str = "") -> None:
        action = QAction(text, self._home)
        if key:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(act)
        menu.addAction(action)
        self._home.addAction(action)

    # --- the guide --------------------------------------------------------------------------------

    def open(self) -> "HelpWindow":
        """The user guide, in front, at the page it was left at."""
        if self.window is None:
            from basisdesk.ui.help_window import HelpWindow  # a start does not wait for it

            self.window = HelpWindow(self._theme)
            self.window.on_halt(self._home.halt)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        return self.window

    def open_for(self, dock: str) -> "HelpWindow":
        """The guide at what belongs to a dock. F1 where nothing on the spot is explained."""
        window = self.open()
        window.show_page(*DOCK_PAGES.get(dock, (INDEX, "")))
        return window

    def open_at(self, widget: QWidget | None) -> "HelpWindow":
        """The guide at what belongs to the dock, or the window, that this widget stands in."""
        while widget is not None and widget.objectName() not in DOCK_PAGES:
            widget = widget.parentWidget()
        return self.open_for("" if widget is None else widget.objectName())

    # --- first steps ------------------------------------------------------------------------------

    def first_steps(self) -> None:
        """What a start shows: the welcome to a fresh profile, then the tour, once each."""
        first_run = self._context.first_run
        if first_run is None or self._context.engine.desk.pairs:  # whoever traded knows the desk
            return
        if not first_run.welcomed:
            self.show_welcome()
        elif not first_run.toured:
            self.take_tour()

    def show_welcome(self) -> "Welcome":
        """The welcome; it blocks nothing."""
        from basisdesk.ui.welcome import Welcome

        if self.welcome is None:
            self.welcome = Welcome(self._context, self._theme, self._home)
            self.welcome.chosen.connect(self._on_chosen)
        self.welcome.open()
        return self.welcome

    def take_tour(self) -> "Tour":
        """The tour from its first step."""
        from basisdesk.ui.tour import Tour

        if self.tour is None:
            more = "" if self._context.engine.desk.pairs else AFTER
            self.tour = Tour(self._context, self._theme, self._home, more)
            self.tour.left.connect(self._on_tour_left)
        self.tour.begin()
        return self.tour

    def close(self) -> None:
        """Close what is open; the desk goes."""
        if self.window is not None:
            self.window.close()

    # --- slots ------------------------------------------------------------------------------------

    def _on_chosen(self, mode: str, pair: object, tour: bool) -> None:
        self.welcome = None
        first_run = self._context.first_run
        if first_run is None:
            return
        if not tour:
            first_run.set_toured()
        first_run.choose(mode, pair if isinstance(pair, tuple) else None)
        if tour and mode == self._context.mode:  # else the desk is opened anew, and begins there
            self.take_tour()

    def _on_tour_left(self, _seen: bool) -> None:
        self.tour = None
        if self._context.first_run is not None:
            self._context.first_run.set_toured()
        if not self._context.engine.desk.pairs:
            self._home.show_guide()
