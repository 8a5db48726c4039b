"""The main window: docks, menus, keys, saved geometry. No logic: panels do, the window arranges."""

import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QMainWindow,
    QMenu,
    QMenuBar,
    QTabWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Flatten, Halt, Resume
from basisdesk.ui.basis_panel import BasisPanel
from basisdesk.ui.context import Context
from basisdesk.ui.docks import Dock
from basisdesk.ui.feeds_panel import FeedsPanel
from basisdesk.ui.funding_panel import FundingPanel
from basisdesk.ui.help_dialog import AboutDialog, GlossaryDialog
from basisdesk.ui.ledger_panel import LedgerPanel
from basisdesk.ui.log_panel import LogPanel
from basisdesk.ui.pair_picker import PairPicker
from basisdesk.ui.positions_panel import PositionsPanel
from basisdesk.ui.practice_menu import PracticeMenu
from basisdesk.ui.pulse import Panel
from basisdesk.ui.status_line import Banner, StatusLine
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_panel import PANEL_PX, TicketPanel
from basisdesk.ui.topbar import TopBar

LAYOUT_MAGIC = b"BDL1"  # raise the figure when docks are renamed: older layouts then mean defaults
LAYOUT_STATE = 1
FIRST_SIZE = (1600, 1000)
BOTTOM_SHARE = 0.24  # of the window's height, at first
BOTTOM_PX_MIN = 222  # tabs, a header and the waterfall
VISIBLE_PX_MIN = 80  # of a restored window that has to lie on some screen
PART_BYTES_MAX = 1 << 19  # of either half of a saved layout
_TABBED = ("positions", "funding", "ledger", "feeds", "log")


class MainWindow(QMainWindow):
    """Arranges the panels around one context.

    closed: the window was closed by its user. `refreshes` counts paints of the charts.
    """

    closed = Signal()

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
        self.resize(self._first_size())
        self.reset_layout()
        self.charts.chart.setFocus()

    # --- what the app needs -----------------------------------------------------------------------

    def panels(self) -> list[Panel]:
        """Everything the repaint timer has to care for."""
        return [
            self.topbar,
            self.banner,
            self.charts,
            self.ticket,
            self.positions,
            self.funding,
            self.ledger,
            self.feeds,
            self.log,
            self.status,
        ]

    def refresh_all(self) -> None:
        """Refresh each panel that is on the screen now, without waiting for the next beat."""
        for panel in self.panels():
            if panel.isVisible():
                panel.refresh()

    def save_layout(self) -> bytes:
        """The arrangement of docks and the place of the window, for `restore_layout`."""
        parts = [bytes(self.saveGeometry().data()), bytes(self.saveState(LAYOUT_STATE).data())]
        return LAYOUT_MAGIC + b"".join(struct.pack(">I", len(part)) + part for part in parts)

    def restore_layout(self, saved: bytes) -> bool:
        """Arrange as saved. Anything else than a layout of this version means the defaults."""
        parts = _parts(saved)
        if parts is None:
            self.reset_layout()
            return False
        geometry, state = parts
        # Without a screen there is no place to go back to, and pictures keep their full size.
        fine = _offscreen() or self.restoreGeometry(QByteArray(geometry))
        fine = self.restoreState(QByteArray(state), LAYOUT_STATE) and fine
        if not fine or not any(not dock.isHidden() for dock in self.docks.values()):
            self.reset_layout()
        self._bring_back()
        QTimer.singleShot(0, self, self._rescue)
        return fine

    def _rescue(self) -> None:
        """A layout saved in too small a window can leave a dock nowhere: then the defaults."""
        alone = [
            dock
            for dock in self.docks.values()
            if not dock.isHidden() and not dock.isFloating() and not self.tabifiedDockWidgets(dock)
        ]
        if self.isVisible() and any(not self.rect().intersects(d.geometry()) for d in alone):
            self.reset_layout()

    def reset_layout(self) -> None:
        """Charts and ticket above, the tables in tabs below."""
        top, bottom = Qt.DockWidgetArea.TopDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
        for dock in self.docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        charts, ticket = self.docks["charts"], self.docks["ticket"]
        self.addDockWidget(top, charts)
        self.splitDockWidget(charts, ticket, Qt.Orientation.Horizontal)
        tables = [self.docks[name] for name in _TABBED]
        self.addDockWidget(bottom, tables[0])
        for before, dock in pairwise(tables):
            self.tabifyDockWidget(before, dock)
        for dock in self.docks.values():
            dock.show()
            dock.dress()
        tables[0].raise_()
        self._size_docks()
        QTimer.singleShot(0, self, self._size_docks)

    def _size_docks(self) -> None:
        charts, ticket = self.docks["charts"], self.docks["ticket"]
        side = self._theme.px(PANEL_PX)
        across = Qt.Orientation.Horizontal
        self.resizeDocks([charts, ticket], [max(300, self.width() - side), side], across)
        low = max(self._theme.px(BOTTOM_PX_MIN), round(self.height() * BOTTOM_SHARE))
        bottom = self.docks[_TABBED[0]]
        high = max(300, self.height() - low)
        self.resizeDocks([charts, bottom], [high, low], Qt.Orientation.Vertical)

    def _first_size(self) -> QSize:
        size = QSize(*FIRST_SIZE)
        screen = QGuiApplication.primaryScreen()
        return size if _offscreen() else size.boundedTo(screen.availableGeometry().size())

    def _bring_back(self) -> None:
        """Put the window onto a screen if none of it can be seen: a monitor was taken away."""
        frame = self.frameGeometry()
        for screen in QGuiApplication.screens():
            seen = screen.availableGeometry().intersected(frame)
            if seen.width() >= VISIBLE_PX_MIN and seen.height() >= VISIBLE_PX_MIN:
                return
        room = QGuiApplication.primaryScreen().availableGeometry()
        self.resize(min(frame.width(), room.width()), min(frame.height(), room.height()))
        self.move(room.topLeft())

    # --- building ---------------------------------------------------------------------------------

    def _build_panels(self) -> None:
        context, theme = self._context, self._theme
        self.topbar = TopBar(context, theme)
        self.banner = Banner(context, theme)
        self.charts = BasisPanel(context, theme)
        self.ticket = TicketPanel(context, theme)
        self.positions = PositionsPanel(context, theme)
        self.funding = FundingPanel(context, theme)
        self.ledger = LedgerPanel(context, theme)
        self.feeds = FeedsPanel(context, theme)
        self.log = LogPanel(context, theme)
        self.status = StatusLine(context, theme)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self.status, 1)

    def _build_docks(self) -> None:
        theme = self._theme
        self.docks: dict[str, Dock] = {}
        for name, title, panel in (
            ("charts", "Charts", self.charts),
            ("ticket", "Order ticket", self.ticket),
            ("positions", "Positions", self.positions),
            ("funding", "Funding", self.funding),
            ("ledger", "Ledger", self.ledger),
            ("feeds", "Feeds", self.feeds),
            ("log", "Log", self.log),
        ):
            dock = Dock(name, title, panel, theme, self, own_title=name == "charts")
            self.docks[name] = dock
        badge = self._context.mode.upper()
        label = theme.label(f"PAPER \u00b7 {badge}", "muted", 11)
        label.setAccessibleName(f"Paper trading on {self._context.mode} data")
        self.docks["ticket"].bar.extra.addWidget(label)

    def _build_menus(self) -> None:
        # Menu bar and top bar are one widget above the docks: the top bar is no dock.
        head = QWidget(self)
        column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.setMenuWidget(head)
        self.menus = QMenuBar(head)
        for widget in (self.menus, self.banner, self.topbar):
            column.addWidget(widget)
        self._build_session_menu(self.menus.addMenu("Session"))
        self._build_view_menu(self.menus.addMenu("View"))
        self._build_trade_menu(self.menus.addMenu("Trade"))
        if self._context.faults:
            self.practice = PracticeMenu(self._context)
            self.menus.addMenu(self.practice)
        self._build_help_menu(self.menus.addMenu("Help"))

    def _build_session_menu(self, menu: QMenu) -> None:
        self._add(menu, "Choose a pair\u2026", self.pick_pair, "Ctrl+P")
        menu.addSeparator()
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
        self._add(menu, "Reset layout", self.reset_layout)

    def _build_trade_menu(self, menu: QMenu) -> None:
        self._add(menu, "Open as in ticket", self.ticket.open_shown, "Ctrl+Return", "Ctrl+Enter")
        self._add(menu, "Close selected pair", self.positions.close_selected, "Ctrl+Backspace")
        menu.addSeparator()
        self._add(menu, "Halt", self.halt, "Ctrl+.")
        self._add(menu, "Resume", self.resume)
        menu.addSeparator()
        self._add(menu, "Flatten all pairs", self.flatten)

    def _build_help_menu(self, menu: QMenu) -> None:
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
        self.topbar.halt_requested.connect(self.halt)
        self.topbar.resume_requested.connect(self.resume)
        self.topbar.pick_requested.connect(self.pick_pair)
        self.positions.counted.connect(self._on_counted)
        self.positions.pair_chosen.connect(self.charts.show_pair)
        self.charts.let_go.connect(self.positions.let_go)
        self.ticket.clicked.connect(self.positions.let_go)
        self.charts.chart.installEventFilter(self)

    # --- what a person asks for -------------------------------------------------------------------

    def halt(self) -> None:
        """No new entries from now on. Ctrl+. from anywhere."""
        self._context.actions.submit(Halt("by hand"))

    def resume(self) -> None:
        """Entries again."""
        self._context.actions.submit(Resume("by hand"))

    def flatten(self) -> None:
        """Close everything at market."""
        self._context.actions.submit(Flatten())

    def ask_save_log(self) -> QFileDialog:
        """Ask for a folder without blocking anything, then save the session log into it."""
        dialog = QFileDialog(self, "Save the session log into a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=True)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_folder_chosen)
        dialog.open()
        return dialog

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

    # --- slots ------------------------------------------------------------------------------------

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
        """Counts paints of the charts."""
        if event.type() == QEvent.Type.Paint and watched is self.charts.chart:
            self.refreshes += 1
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say so; the app leaves in order."""
        super().closeEvent(event)
        self.closed.emit()


def _offscreen() -> bool:
    return QGuiApplication.platformName() in ("offscreen", "minimal")


def _parts(saved: bytes) -> tuple[bytes, bytes] | None:
    """(geometry, state) of a saved layout; None where it is anything else, cut short included."""
    if not saved.startswith(LAYOUT_MAGIC):
        return None
    rest, parts = saved[len(LAYOUT_MAGIC) :], []
    for _ in range(2):
        if len(rest) < 4:
            return None
        (size,) = struct.unpack(">I", rest[:4])
        if size > PART_BYTES_MAX or len(rest) < 4 + size:
            return None
        parts.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    return None if rest else (parts[0], parts[1])
