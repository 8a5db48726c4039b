"""The menus of the main window. What they do is the window's; doors open windows of their own."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from basisdesk.ui.accounts_menu import AccountsMenu
from basisdesk.ui.appearance_menu import AppearanceMenu
from basisdesk.ui.context import Context
from basisdesk.ui.diagnostics_door import DiagnosticsDoor
from basisdesk.ui.halt_box import FLATTEN_KEY, HALT_KEY
from basisdesk.ui.help_door import HelpDoor
from basisdesk.ui.lab_door import LabDoor
from basisdesk.ui.leaving import QUIT_KEY
from basisdesk.ui.library_door import LibraryDoor
from basisdesk.ui.practice_menu import PracticeMenu
from basisdesk.ui.settings_door import SettingsDoor
from basisdesk.ui.theme import Theme
from basisdesk.ui.workspaces_menu import WorkspacesMenu

if TYPE_CHECKING:
    from basisdesk.ui.window import MainWindow

    # A door puts its line into a menu and imports its window when the line is first used. It may
    # have a `window`, None until then.
    DoorMaker = Callable[[Context, Theme, "MainWindow", QMenu], QObject]

PALETTE_KEY = "Ctrl+K"
CHART_KEY = "Ctrl+Shift+N"

# Doors in the order of their lines. Session: between saving and Quit; Help: before About. Those
# that the window itself needs (library, lab, help) are made by name below.
SESSION_DOORS: Sequence["DoorMaker"] = (SettingsDoor,)
HELP_DOORS: Sequence["DoorMaker"] = (DiagnosticsDoor,)


class Menus(QObject):
    """Builds the menus of one window.

    bar: the menu bar. library, lab, help: doors that the window needs. doors: every door, those
    included.
    practice, accounts: None where there is nothing to practise, or one account only.
    """

    def __init__(self, window: "MainWindow", context: Context, theme: Theme, bar: QMenuBar) -> None:
        super().__init__(window)
        self._window = window
        self._context = context
        self._theme = theme
        self.bar = bar
        self.doors: list[QObject] = []
        self.practice: PracticeMenu | None = None
        self.accounts: AccountsMenu | None = None
        self._build_session_menu(bar.addMenu("Session"))
        self._build_view_menu(bar.addMenu("View"))
        self._build_trade_menu(bar.addMenu("Trade"))
        if context.faults:
            self.practice = PracticeMenu(context)
            bar.addMenu(self.practice)
        if context.accounts:
            self.accounts = AccountsMenu(context, theme, window)
            bar.addMenu(self.accounts)
        self._build_help_menu(bar.addMenu("Help"))

    def windows(self) -> Iterator[QWidget]:
        """The windows behind the doors that have been opened."""
        for door in self.doors:
            opened = getattr(door, "window", None)
            if isinstance(opened, QWidget):
                yield opened

    # --- building ---------------------------------------------------------------------------------

    def _build_session_menu(self, menu: QMenu) -> None:
        window = self._window
        self._add(menu, "Choose a pair\u2026", window.pick_pair, "Ctrl+P")
        menu.addSeparator()
        self._add(menu, "Open tape\u2026", window.ask_tape, "Ctrl+O")
        self._add(menu, "Save log", window.save_log, "Ctrl+S")
        self._add(menu, "Save log elsewhere\u2026", window.ask_save_log, "Ctrl+Shift+S")
        menu.addSeparator()
        self.library = LibraryDoor(self._context, self._theme, window, menu)
        self.doors.append(self.library)
        self._add_doors(menu, SESSION_DOORS)
        quits = self._add(menu, "Quit", window.leaving.leave, QUIT_KEY)
        quits.setAutoRepeat(False)  # a key held down must not answer its own question

    def _build_view_menu(self, menu: QMenu) -> None:
        window = self._window
        self._add(menu, "Command palette\u2026", window.show_palette, PALETTE_KEY)
        menu.addSeparator()
        tabs = menu.addMenu("Go to")
        for place, name in enumerate(window.tabbed, start=1):
            title = window.docks[name].windowTitle()
            action = self._add(tabs, f"Go to {title}", self._on_go_to, f"Ctrl+{place}")
            action.setData(name)
        panels = menu.addMenu("Panels")
        for dock in window.docks.values():
            panels.addAction(dock.toggleViewAction())
        self.workspaces = WorkspacesMenu(window.places, self._context, self._theme, window)
        menu.addMenu(self.workspaces)
        if self._context.settings_actions is not None:
            self.appearance = AppearanceMenu(self._context, self._context.settings_actions, window)
            menu.addMenu(self.appearance)
        menu.addSeparator()
        if self._context.mode != "replay":
            self._add(menu, "New chart window", window.open_chart, CHART_KEY)
        self._add(menu, "Scanner", window.show_scanner, "Ctrl+Shift+F")
        self.lab = LabDoor(self._context, self._theme, window, menu)
        self.doors.append(self.lab)
        menu.addSeparator()
        self._add(menu, "Reset layout", window.reset_layout)

    def _build_trade_menu(self, menu: QMenu) -> None:
        window = self._window
        self._add(menu, "Open as in ticket", window.ticket.open_shown, "Ctrl+Return", "Ctrl+Enter")
        self._add(menu, "Close selected pair", window.positions.close_selected, "Ctrl+Backspace")
        menu.addSeparator()
        self._add(menu, "Halt", window.halt, HALT_KEY)
        self.resume = self._add(menu, "Resume\u2026", window.ask_resume)
        self.resume.setStatusTip("Entries are not halted.")  # the palette says it while it is off
        menu.aboutToShow.connect(self._on_trade_menu)
        menu.addSeparator()
        self._add(menu, "Flatten: close all\u2026", window.ask_flatten, FLATTEN_KEY)

    def _build_help_menu(self, menu: QMenu) -> None:
        window = self._window
        self._add(menu, "Guided trade", window.show_guide)
        self.help = HelpDoor(self._context, self._theme, window, menu)
        self.doors.append(self.help)
        menu.addSeparator()
        self._add(menu, "Explain what has focus", window.explain_focus, "F1")
        self._add(menu, "Glossary", window.show_glossary)
        menu.addSeparator()
        self._add_doors(menu, HELP_DOORS)
        self._add(menu, "About basisdesk", window.show_about)

    def _add_doors(self, menu: QMenu, makers: Sequence["DoorMaker"]) -> None:
        before = len(menu.actions())
        for make in makers:
            self.doors.append(make(self._context, self._theme, self._window, menu))
        if len(menu.actions()) > before:  # a door may have nothing to open
            menu.addSeparator()

    def _add(self, menu: QMenu, text: str, act: Callable[[], object], *keys: str) -> QAction:
        window = self._window
        action = QAction(text, window)
        if keys:
            action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(act)
        menu.addAction(action)
        window.addAction(action)  # keys work although the menu bar stands in a widget of its own
        return action

    def _on_trade_menu(self) -> None:
        active = self._context.engine.desk.risk.state == "active"
        self.resume.setEnabled(not active)
        self.resume.setText("Resume: entries are not halted" if active else "Resume\u2026")

    def _on_go_to(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._window.go_to(str(action.data()))
