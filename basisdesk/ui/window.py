"""The main window: docks, menus, keys, saved geometry. No logic: panels do, the window arranges."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QMainWindow,
    QMenu,
    QMenuBar,
    QTabWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Flatten, Halt, OpenPair, Resume
from basisdesk.ui.account_panel import AccountPanel
from basisdesk.ui.accounts_menu import AccountsMenu
from basisdesk.ui.arrangement import ACROSS, DOWN, Arrangement
from basisdesk.ui.autopilot_panel import AutopilotPanel
from basisdesk.ui.basis_panel import BasisPanel
from basisdesk.ui.context import Context
from basisdesk.ui.docks import Dock
from basisdesk.ui.feeds_panel import FeedsPanel
from basisdesk.ui.file_asks import ask_folder, ask_tape
from basisdesk.ui.forecast_panel import ForecastPanel
from basisdesk.ui.funding_panel import FundingPanel
from basisdesk.ui.guide_panel import GuidePanel
from basisdesk.ui.halt_box import FLATTEN_KEY, HALT_KEY
from basisdesk.ui.halt_dialogs import FlattenDialog, ResumeDialog
from basisdesk.ui.halt_rows import risk_words
from basisdesk.ui.help_dialog import AboutDialog, GlossaryDialog
from basisdesk.ui.lab_door import LabDoor
from basisdesk.ui.ledger_panel import LedgerPanel
from basisdesk.ui.log_panel import LogPanel
from basisdesk.ui.pair_picker import PairPicker
from basisdesk.ui.positions_panel import PositionsPanel
from basisdesk.ui.practice_menu import PracticeMenu
from basisdesk.ui.pulse import Panel
from basisdesk.ui.risk_panel import RiskPanel
from basisdesk.ui.status_line import Banner, StatusLine, beside_menus
from basisdesk.ui.steady import Steady
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fill import TicketFill
from basisdesk.ui.ticket_panel import TicketPanel
from basisdesk.ui.topbar import TopBar

if TYPE_CHECKING:
    from basisdesk.ui.scan_window import ScanWindow

_TABBED = (
    "positions", "funding", "forecast", "autopilot", "risk", "account", "ledger", "feeds", "log",
)  # fmt: skip


class MainWindow(QMainWindow):
    """Arranges the panels around one context.

    head: menus, notices and top bar, in a column. closed: by its user. scanner_made: the scanner's
    window is there now. `refreshes` counts paints of the charts.
    """

    closed = Signal()
    scanner_made = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self.refreshes = 0
        self.setWindowTitle(f"basisdesk \u00b7 paper \u00b7 {context.mode}")
        self.setObjectName("basisdesk")
        self.setDockNestingEnabled(True)
        self.setAnimated(not theme.reduced_motion)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._build_panels()
        self._build_docks()
        self._build_menus()
        self._join()
        self.resize(self.arrangement.first_size())
        self.reset_layout()
        self.charts.chart.setFocus()

    # --- what the app needs -----------------------------------------------------------------------

    def panels(self) -> list[Panel]:
        """Everything the repaint timer has to care for, in the scanner's window too."""
        return [
            self.topbar,
            self.banner,
            self.guide,
            self.charts,
            self.ticket,
            self.positions,
            self.funding,
            self.forecast,
            self.autopilot,
            self.risk,
            self.account,
            self.ledger,
            self.feeds,
            self.log,
            self.status,
            *(self.scan.panels() if self.scan is not None else ()),
        ]

    def refresh_all(self) -> None:
        """Refresh each panel that is on the screen now, without waiting for the next beat."""
        for panel in self.panels():
            if panel.isVisible():
                panel.refresh()

    def save_layout(self) -> bytes:
        """The arrangement of docks and the place of the window, for `restore_layout`."""
        return self.arrangement.save()

    def restore_layout(self, saved: bytes) -> bool:
        """Arrange as saved. Anything else than a layout of this version means the defaults."""
        return self.arrangement.restore(saved)

    def disable(self) -> None:
        """Nothing can be asked for any more: the desk stopped after a fault."""
        for dock in self.docks.values():
            dock.setEnabled(False)
        if self.scan is not None:
            self.scan.setEnabled(False)

    def reset_layout(self) -> None:
        """Charts and ticket above, the tables in tabs below."""
        self.arrangement.reset()

    def greet(self) -> None:
        """Somebody sits here who never traded: show the guide, unless it was closed before."""
        self.arrangement.greet()

    # --- building ---------------------------------------------------------------------------------

    def _build_panels(self) -> None:
        context, theme = self._context, self._theme
        self.topbar = TopBar(context, theme)
        self.banner = Banner(context, theme)
        self.charts = BasisPanel(context, theme)
        self.ticket = TicketPanel(context, theme)
        self.guide = GuidePanel(context, theme, self._ticket_request)
        self.positions = PositionsPanel(context, theme)
        self.funding = FundingPanel(context, theme)
        self.forecast = ForecastPanel(context, theme)
        self.autopilot = AutopilotPanel(context, theme)
        self.risk = RiskPanel(context, theme)
        self.account = AccountPanel(context, theme)
        self.ledger = LedgerPanel(context, theme)
        self.feeds = FeedsPanel(context, theme)
        self.log = LogPanel(context, theme)
        self.status = StatusLine(context, theme)
        self._fill = TicketFill(context, self.ticket, self)
        self.scan: ScanWindow | None = None  # made when somebody asks for it
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self.status, 1)

    def _make_scanner(self) -> "ScanWindow":
        """The scanner's window: no child, so that either window can stand before the other."""
        from basisdesk.ui.scan_window import ScanWindow  # a start does not wait for it

        self.scan = ScanWindow(self._context, self._theme)
        self.scan.opening_chosen.connect(self.take_opening)
        self.scan.halt_asked.connect(self.halt)
        self.scanner_made.emit(self.scan)
        return self.scan

    def _build_docks(self) -> None:
        theme = self._theme
        self.docks: dict[str, Dock] = {}
        for name, title, panel in (
            ("guide", "Guide", self.guide),
            ("charts", "Charts", self.charts),
            ("ticket", "Order ticket", self.ticket),
            ("positions", "Positions", self.positions),
            ("funding", "Funding", self.funding),
            ("forecast", "Forecast", self.forecast),
            ("autopilot", "Autopilot", self.autopilot),
            ("risk", "Risk", self.risk),
            ("account", "Account", self.account),
            ("ledger", "Ledger", self.ledger),
            ("feeds", "Feeds", self.feeds),
            ("log", "Log", self.log),
        ):
            dock = Dock(name, title, panel, theme, self, own_title=name == "charts")
            self.docks[name] = dock
        self.arrangement = Arrangement(self, self.docks, _TABBED, "guide", theme)
        edges = {
            "left": ([self.docks["guide"]], ACROSS),
            "right": ([self.docks["ticket"]], ACROSS),
            "bottom": ([self.docks[name] for name in _TABBED], DOWN),
        }
        self.steady = Steady(self, self.docks["charts"], edges)
        badge = self._context.mode.upper()
        label = theme.label(f"PAPER \u00b7 {badge}", "muted", 11)
        label.setAccessibleName(f"Paper trading on {self._context.mode} data")
        self.docks["ticket"].bar.extra.addWidget(label)

    def _build_menus(self) -> None:
        # Menu bar and top bar are one widget above the docks: the top bar is no dock.
        head = QWidget(self)
        self.head = column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.setMenuWidget(head)
        self.menus = QMenuBar(head)
        column.addLayout(beside_menus(self.menus, self.banner))
        column.addWidget(self.topbar)
        self._build_session_menu(self.menus.addMenu("Session"))
        self._build_view_menu(self.menus.addMenu("View"))
        self._build_trade_menu(self.menus.addMenu("Trade"))
        if self._context.faults:
            self.practice = PracticeMenu(self._context)
            self.menus.addMenu(self.practice)
        if self._context.accounts:
            self.accounts = AccountsMenu(self._context, self._theme, self)
            self.menus.addMenu(self.accounts)
        self._build_help_menu(self.menus.addMenu("Help"))

    def _build_session_menu(self, menu: QMenu) -> None:
        self._add(menu, "Choose a pair\u2026", self.pick_pair, "Ctrl+P")
        menu.addSeparator()
        self._add(menu, "Open tape\u2026", self.ask_tape, "Ctrl+O")
        self._add(menu, "Save log\u2026", self.ask_save_log, "Ctrl+S")
        menu.addSeparator()
        self._add(menu, "Quit", self._context.actions.quit, "Ctrl+Q")

    def _build_view_menu(self, menu: QMenu) -> None:
        for dock in self.docks.values():
            menu.addAction(dock.toggleViewAction())
        menu.addSeparator()
        for place, name in enumerate(_TABBED, start=1):
            title = self.docks[name].windowTitle()
            action = self._add(menu, f"Go to {title}", self._on_go_to, f"Ctrl+{place}")
            action.setData(name)
        menu.addSeparator()
        self._add(menu, "Scanner", self.show_scanner, "Ctrl+Shift+F")
        self.lab = LabDoor(self._context, self._theme, self, menu)
        self._add(menu, "Reset layout", self.reset_layout)

    def _build_trade_menu(self, menu: QMenu) -> None:
        self._add(menu, "Open as in ticket", self.ticket.open_shown, "Ctrl+Return", "Ctrl+Enter")
        self._add(menu, "Close selected pair", self.positions.close_selected, "Ctrl+Backspace")
        menu.addSeparator()
        self._add(menu, "Halt", self.halt, HALT_KEY)
        self._add(menu, "Resume\u2026", self.ask_resume)
        menu.addSeparator()
        self._add(menu, "Flatten: close all\u2026", self.ask_flatten, FLATTEN_KEY)

    def _build_help_menu(self, menu: QMenu) -> None:
        self._add(menu, "Guided trade", self.show_guide)
        menu.addSeparator()
        self._add(menu, "Explain what has focus", self.explain_focus, "F1")
        self._add(menu, "Glossary", self.show_glossary)
        menu.addSeparator()
        self._add(menu, "About basisdesk", self.show_about)

    def _add(self, menu: QMenu, text: str, act: Callable[[], object], *keys: str) -> QAction:
        action = QAction(text, self)
        if keys:
            action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(act)
        menu.addAction(action)
        self.addAction(action)  # keys work although the menu bar stands in a widget of its own
        return action

    def _join(self) -> None:
        self.ticket.plan_changed.connect(self._on_plan_changed)
        self.ticket.direction_changed.connect(self._on_direction_changed)
        self.charts.target_dragged.connect(self.ticket.set_target)
        self.charts.stop_dragged.connect(self.ticket.set_stop)
        self.charts.entry_dragged.connect(self.ticket.set_entry)
        self.topbar.halt_requested.connect(self.halt)
        self.topbar.resume_requested.connect(self.ask_resume)
        self.topbar.flatten_requested.connect(self.ask_flatten)
        self.topbar.pick_requested.connect(self.pick_pair)
        self.positions.counted.connect(self._on_counted)
        self.positions.pair_chosen.connect(self.charts.show_pair)
        self.charts.let_go.connect(self.positions.let_go)
        self.charts.plan_proposed.connect(self.positions.on_plan_proposed)
        self.ticket.clicked.connect(self.positions.let_go)
        self.charts.chart.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus_changed)

    # --- what a person asks for -------------------------------------------------------------------

    def halt(self) -> None:
        """No new entries from now on. Ctrl+. from anywhere."""
        self._context.actions.submit(Halt("by hand"))

    def ask_resume(self) -> ResumeDialog:
        """Ask why entries may be opened again, then allow them."""
        words = risk_words(self._context.engine, self._context.settings.ui.utc)
        dialog = ResumeDialog(words, self._theme, self)
        dialog.chosen.connect(self._on_resume_chosen)
        dialog.open()
        return dialog

    def ask_flatten(self) -> FlattenDialog:
        """Say what would be closed and what that costs about, then close everything at market."""
        dialog = FlattenDialog(self._context.engine, self._context.settings, self._theme, self)
        dialog.accepted.connect(self._on_flatten_accepted)
        dialog.open()
        return dialog

    def show_scanner(self) -> "ScanWindow":
        """The scanning workspace, in a window of its own. Ctrl+Shift+F."""
        scan = self.scan or self._make_scanner()
        scan.show()
        scan.raise_()
        scan.activateWindow()
        scan.refresh_all()
        return scan

    def take_opening(self, choice: object) -> None:
        """An opening of the scanner goes into the ticket, and this window comes to the front."""
        from basisdesk.ui.scanner_rows import Choice

        if not isinstance(choice, Choice):
            return
        self._fill.take(choice)
        self.docks["ticket"].show()
        self.docks["ticket"].raise_()
        self.raise_()
        self.activateWindow()

    def show_guide(self) -> None:
        """The checklist of a trade, beside the charts."""
        self.arrangement.show_guide()

    def ask_save_log(self) -> QFileDialog:
        """Ask for a folder without blocking anything, then save the session log into it."""
        return ask_folder(self, self._on_folder_chosen)

    def ask_tape(self) -> QFileDialog:
        """Ask for a recording, then play it in a window of its own. Ctrl+O."""
        return ask_tape(self, lambda path: self._context.actions.open_tape(Path(path)))

    def pick_pair(self) -> PairPicker:
        """Find a pair over all venues and put it on the screen. Ctrl+P."""
        picker = PairPicker(self._context, self._theme, self)
        picker.chosen.connect(self._on_pair_chosen)
        picker.open()
        return picker

    def show_glossary(self) -> GlossaryDialog:
        """Every term in one sentence."""
        dialog = GlossaryDialog(self._theme, self)
        dialog.show()
        return dialog

    def show_about(self) -> AboutDialog:
        """Versions, for a fault report."""
        dialog = AboutDialog(self._theme, self)
        dialog.show()
        return dialog

    def explain_focus(self) -> None:
        """Show the explanation of what has the focus, or the glossary where there is none."""
        widget = QApplication.focusWidget()
        if widget is not None and widget.toolTip():
            QToolTip.showText(
                widget.mapToGlobal(widget.rect().bottomLeft()), widget.toolTip(), widget
            )
        else:
            self.show_glossary()

    def _ticket_request(self) -> OpenPair | None:
        return self.ticket.request

    # --- slots ------------------------------------------------------------------------------------

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        # A question that waits shuts the window's keys off, and Halt has to be at hand always. The
        # action cannot stand in both: Qt then finds the key ambiguous and does nothing.
        asked = now.window() if now is not None else None
        if isinstance(asked, QDialog) and self._owns(asked):
            asked.installEventFilter(self)

    def _owns(self, dialog: QDialog) -> bool:
        # a window of an account that was left may still be there
        owner = dialog.parentWidget()
        while owner is not None and owner not in (self, self.scan, self.lab.window):
            owner = owner.parentWidget()
        return owner is not None

    def _on_resume_chosen(self, reason: object) -> None:
        self._context.actions.submit(Resume(str(reason)))

    def _on_flatten_accepted(self) -> None:
        self._context.actions.submit(Flatten())

    def _on_folder_chosen(self, folder: str) -> None:
        self._context.actions.save_log(Path(folder))

    def _on_pair_chosen(self, pair: object) -> None:
        if isinstance(pair, tuple):
            self._context.actions.show_pair(*pair)

    def _on_go_to(self) -> None:
        action = self.sender()
        name = action.data() if isinstance(action, QAction) else ""
        dock = self.docks.get(str(name))
        if dock is not None:
            dock.show()
            dock.raise_()
            dock.panel.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_plan_changed(self, plan: object) -> None:
        if isinstance(plan, tuple):
            self.charts.set_plan(*plan)

    def _on_direction_changed(self, direction: object) -> None:
        if isinstance(direction, int):
            self.charts.set_direction(direction)

    def _on_counted(self, count: object) -> None:
        self.docks["positions"].name_tab(f"Positions  {count}" if count else "Positions")

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Counts paints of the charts; hears Halt where a question has the keys."""
        kind = event.type()
        if kind == QEvent.Type.Paint and watched is self.charts.chart:
            self.refreshes += 1
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            asked = isinstance(watched, QDialog)
            if asked and QKeySequence(event.keyCombination()) == QKeySequence(HALT_KEY):
                self.halt()
                return True
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say so; the app leaves in order. The scanner's window goes too."""
        super().closeEvent(event)
        if self.scan is not None:
            self.scan.close()
        self.closed.emit()
