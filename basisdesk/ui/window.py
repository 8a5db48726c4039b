"""The main window: docks, menus, keys, saved geometry. No logic: panels do, the window arranges."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QMainWindow,
    QMenuBar,
    QTabWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Flatten, Halt, OpenPair, Resume
from basisdesk.ui.account_panel import AccountPanel
from basisdesk.ui.arrangement import ACROSS, DOWN, Arrangement
from basisdesk.ui.autopilot_panel import AutopilotPanel
from basisdesk.ui.basis_panel import BasisPanel
from basisdesk.ui.chart_window import ChartWindow, ChartWindows
from basisdesk.ui.context import Context
from basisdesk.ui.docks import Dock
from basisdesk.ui.feeds_panel import FeedsPanel
from basisdesk.ui.file_asks import ask_folder, ask_tape
from basisdesk.ui.forecast_panel import ForecastPanel
from basisdesk.ui.funding_panel import FundingPanel
from basisdesk.ui.guide_panel import GuidePanel
from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.halt_dialogs import FlattenDialog, ResumeDialog
from basisdesk.ui.halt_rows import risk_words
from basisdesk.ui.held_count import HeldCount
from basisdesk.ui.help_dialog import AboutDialog, GlossaryDialog
from basisdesk.ui.leaving import Leaving
from basisdesk.ui.ledger_panel import LedgerPanel
from basisdesk.ui.log_panel import LogPanel
from basisdesk.ui.menus import Menus
from basisdesk.ui.pair_picker import PairPicker
from basisdesk.ui.palette import Palette
from basisdesk.ui.palette_sources import sources
from basisdesk.ui.positions_panel import PositionsPanel
from basisdesk.ui.pulse import Panel
from basisdesk.ui.risk_panel import RiskPanel
from basisdesk.ui.saved_note import SavedNote
from basisdesk.ui.status_line import Banner, StatusLine, beside_menus
from basisdesk.ui.steady import AsWanted, Steady
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fill import TicketFill
from basisdesk.ui.ticket_panel import TicketPanel
from basisdesk.ui.topbar import TopBar
from basisdesk.ui.workspace_places import WindowPlaces
from basisdesk.ui.workspace_rows import CHARTS_MAX

if TYPE_CHECKING:
    from basisdesk.ui.scan_window import ScanWindow

CHART_KEYS = (Qt.Key.Key_F, Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus)
_KEYPAD = Qt.KeyboardModifier.KeypadModifier
CHART_SHIFTS = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, _KEYPAD)
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
        self._build_head()  # before the docks: the Tab key reads from the top
        self._build_docks()
        self._build_windows()
        self._build_menus()
        self._join()
        self.resize(self.arrangement.first_size())
        self.reset_layout()
        self.charts.chart.setFocus()

    # --- what the app and the menus need ----------------------------------------------------------

    tabbed = _TABBED

    def panels(self) -> list[Panel]:
        """Everything the repaint timer has to care for, in the scanner's window too."""
        return [
            self.topbar,
            self.banner,
            self.held,
            *self._docked,
            self.status,
            *(self.scan.panels() if self.scan is not None else ()),
            *self.chart_windows.panels(),
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
        for beside in (self.scan, *self.chart_windows.windows):
            if beside is not None:
                beside.setEnabled(False)

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
        docked: tuple[tuple[str, str, Panel], ...] = (
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
        )
        self._docked = [panel for _, _, panel in docked]
        for name, title, panel in docked:
            dock = Dock(name, title, panel, theme, self, own_title=name == "charts")
            self.docks[name] = dock
        self.arrangement = Arrangement(self, self.docks, _TABBED, "guide", theme)
        edges = {
            "left": ([self.docks["guide"]], ACROSS),
            "right": ([self.docks["ticket"]], ACROSS),
            "bottom": ([self.docks[name] for name in _TABBED], DOWN),
        }
        self.steady = Steady(self, self.docks["charts"], edges)
        AsWanted(self)
        badge = self._context.mode.upper()
        label = theme.label(f"PAPER \u00b7 {badge}", "muted", 11)
        label.setAccessibleName(f"Paper trading on {self._context.mode} data")
        self.docks["ticket"].bar.extra.addWidget(label)

    def _build_windows(self) -> None:
        """What arranges this window and those beside it."""
        self.chart_windows = ChartWindows(self._context, self._theme, self)
        self.chart_windows.halt_asked.connect(self.halt)
        self.places = WindowPlaces(self, self._context, self._theme)
        self.held = HeldCount(self._context, self.docks["positions"], self)
        self.leaving = Leaving(self._context, self._theme, self)
        self._palette: Palette | None = None  # made when somebody asks for it
        self._note: SavedNote | None = None

    def _build_head(self) -> None:
        # Menu bar and top bar are one widget above the docks: the top bar is no dock.
        head = QWidget(self)
        self.head = column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.setMenuWidget(head)
        self.menus = QMenuBar(head)
        column.addLayout(beside_menus(self.menus, self.banner))
        column.addWidget(self.topbar)

    def _build_menus(self) -> None:
        self.bars = made = Menus(self, self._context, self._theme, self.menus)
        self.lab, self.practice, self.accounts = made.lab, made.practice, made.accounts

    def _join(self) -> None:
        self.ticket.plan_changed.connect(self._on_plan_changed)
        self.ticket.direction_changed.connect(self.charts.set_direction)
        self.charts.target_dragged.connect(self.ticket.set_target)
        self.charts.stop_dragged.connect(self.ticket.set_stop)
        self.charts.entry_dragged.connect(self.ticket.set_entry)
        self.topbar.halt_requested.connect(self.halt)
        self.topbar.resume_requested.connect(self.ask_resume)
        self.topbar.flatten_requested.connect(self.ask_flatten)
        self.topbar.pick_requested.connect(self.pick_pair)
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

    def open_chart(self) -> ChartWindow | None:
        """One more window with the charts. Ctrl+Shift+N."""
        made = self.chart_windows.open()
        if made is None:
            status = self._context.status
            status.banner = f"There are {CHARTS_MAX} chart windows already. Close one first."
            status.banner_level = "warn"
            self.banner.refresh()
        return made

    def show_palette(self) -> Palette:
        """Everything that can be done here, by its name. Ctrl+K."""
        if self._palette is None:
            self._palette = Palette(
                sources(
                    self._context, self.menus, self.charts, self._on_pair_chosen, self.lab.open
                ),
                self._theme,
                self,
            )
        self._palette.open()
        return self._palette

    def go_to(self, name: str) -> None:
        """Bring a dock to the front, the keys with it. Ctrl+1 to Ctrl+9."""
        dock = self.docks.get(name)
        if dock is not None:
            dock.show()
            dock.raise_()
            dock.panel.setFocus(Qt.FocusReason.ShortcutFocusReason)

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

    def save_log(self) -> None:
        """Save the session log into the account's own folder; a note says so. Ctrl+S."""
        self._context.actions.save_log(None)

    def ask_save_log(self) -> QFileDialog:
        """Ask for a folder without blocking anything, then save the session log into it."""
        return ask_folder(self, self._on_folder_chosen)

    def tell_saved(self, folder: Path) -> None:
        """A session log was saved: say so in a corner, and offer its report."""
        if self._note is None:
            self._note = SavedNote(
                self._theme, self, self.ask_save_log, self.bars.library.open_running
            )
        self._note.tell(folder)

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
        """Versions, for a fault report, and the licences."""
        dialog = AboutDialog(self._theme, self, self._context.licences)
        dialog.show()
        return dialog

    def explain_focus(self) -> None:
        """Show the explanation of what has the focus, or the guide's page on where it stands."""
        widget = QApplication.focusWidget()
        if widget is not None and widget.toolTip():
            QToolTip.showText(
                widget.mapToGlobal(widget.rect().bottomLeft()), widget.toolTip(), widget
            )
        else:
            self.bars.help.open_at(widget)

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
        homes = (self, self.scan, *self.chart_windows.windows, *self.bars.windows())
        while owner is not None and owner not in homes:
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

    def _on_plan_changed(self, plan: object) -> None:
        if isinstance(plan, tuple):
            self.charts.set_plan(*plan)

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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F, + and - mean the charts wherever the focus is, unless a line takes them."""
        if event.key() in CHART_KEYS and event.modifiers() in CHART_SHIFTS:
            self.charts.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say so, or ask first; the app leaves in order. The windows beside it go too."""
        if not self.leaving.may_go():
            event.ignore()
            return
        super().closeEvent(event)
        self.chart_windows.leave()
        if self.scan is not None:
            self.scan.close()
        self.closed.emit()
