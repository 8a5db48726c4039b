"""Every control says its name to a screen reader, and every table says what its columns are.

To put another window under these tests, add a function to FACTORIES that makes it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QScrollBar,
    QTabBar,
    QTableView,
    QTextEdit,
    QWidget,
)
from scan_rig import ScanRig, made_up_view
from ui_rig import PERP, SPOT, THEME

from basisdesk.config import Forecast, IndicatorSource, Settings
from basisdesk.events import ExitPlan, OpenPair
from basisdesk.playbook.shelf import USUAL
from basisdesk.scan.alerts import AlertRule
from basisdesk.ui.alert_dialog import AlertDialog, Hook
from basisdesk.ui.autopilot_dialog import AutopilotDialog, Doing
from basisdesk.ui.autopilot_rows import Watch
from basisdesk.ui.chart import ChartView
from basisdesk.ui.column_words import column_tip, plain
from basisdesk.ui.diagnostics_door import DiagnosticsDialog
from basisdesk.ui.glossary import TERMS
from basisdesk.ui.lab_view import LabView
from basisdesk.ui.lab_window import LabWindow
from basisdesk.ui.library_dialogs import RestoreDialog, TrashDialog
from basisdesk.ui.library_window import LibraryWindow
from basisdesk.ui.product_actions import SessionLine, TrashLine
from basisdesk.ui.saved_note import SavedNote
from basisdesk.ui.settings_dialog import SettingsDialog
from basisdesk.ui.settings_texts import GROUPS
from basisdesk.ui.table_view import TableView
from basisdesk.ui.welcome import Welcome
from basisdesk.ui.window import MainWindow

D = Decimal
COINS = ("ADA", "BTC")
ALERT = AlertRule("alert-1", "New alert")


# --- what is under test ---------------------------------------------------------------------------


@dataclass
class Made:
    """The windows that others are opened from."""

    main: MainWindow
    rig: ScanRig


class NoLab:
    """The lab, which does nothing here."""

    def __getattr__(self, _name):
        return lambda *_given, **_named: ""


class Product:
    """Settings, workspaces, a library and diagnostics in memory. What is asked for does nothing."""

    path = Path("settings.toml")
    welcomed = toured = True
    rows = (
        SessionLine("one", "main", "simulated", 1, 2, 1, 0, "1.00", "-2.00", "0.10", "0.1", 1.0,
                    "clean", Path("one.tape"), session="one"),
    )  # fmt: skip

    def read(self):
        return Settings(forecast=Forecast(indicators={"flows": IndicatorSource(file="flows.csv")}))

    def names(self):
        return ("two screens",)

    def lines(self):
        return self.rows

    def trashed(self):
        return (TrashLine("a", "2026-11-21T09:14:00", "one tape", 1.0),)

    def look(self, told):
        told("")

    def trash_words(self, _keys):
        return "The tape goes.", ""

    def text(self):
        return "basisdesk"

    def __getattr__(self, _name):
        return lambda *_given, **_named: ""


def settings(made: Made) -> QWidget:
    dialog = SettingsDialog(PRODUCT, THEME, made.main)
    for index in range(len(GROUPS)):
        dialog.groups.setCurrentRow(index)
        dialog.page(index).finish()
    return dialog


def library(made: Made) -> QWidget:
    window = LibraryWindow(PRODUCT, made.rig.context, THEME)
    window.refresh()
    window.list.table.choose(0)
    window.assume.show()
    return window


def chart_window(made: Made) -> QWidget:
    window = made.main.open_chart()
    window.set_linked(False)
    return window


def saved(made: Made) -> QWidget:
    note = SavedNote(THEME, made.main, lambda: None, lambda: False)
    note.tell(Path("logs"))
    return note


def lab(_made: Made) -> QWidget:
    window = LabWindow(LabView(Path("nowhere"), ("backtest", "sweep")), NoLab(), THEME)
    window.finish()
    window.runs.show_setup()
    return window


def positions(made: Made) -> QWidget:
    return made.main.positions


def leverage(made: Made) -> QWidget:
    made.main.ticket._on_picture_pressed()
    return made.main.ticket._picture.dialog


def autopilot_dialog(made: Made) -> QWidget:
    watch = Watch(f"{SPOT} {PERP}", "off", "")
    usual = {book.name: {p.name: p.value for p in book.params} for book in USUAL}
    return AutopilotDialog(watch, USUAL, usual, Doing(lambda _: "", lambda _: ""), THEME, made.main)


PRODUCT = Product()
FACTORIES: dict[str, Callable[[Made], QWidget]] = {
    "main": lambda made: made.main,
    "scanner": lambda made: made.main.show_scanner(),
    "lab": lab,
    "pair picker": lambda made: made.main.pick_pair(),
    "glossary": lambda made: made.main.show_glossary(),
    "about": lambda made: made.main.show_about(),
    "resume": lambda made: made.main.ask_resume(),
    "flatten": lambda made: made.main.ask_flatten(),
    "plan": lambda made: positions(made).edit_plan(1),
    "close": lambda made: positions(made).ask(1, "choose"),
    "flip": lambda made: positions(made).ask(1, "flip"),
    "rebalance": lambda made: positions(made).ask(1, "rebalance"),
    "margin": lambda made: positions(made).ask(1, "add_margin"),
    "explain": lambda made: positions(made).explain(1, "total"),
    "leverage": leverage,
    "alert": lambda made: AlertDialog(ALERT, THEME, Hook("x.example", int), made.main),
    "autopilot": autopilot_dialog,
    "settings": settings,
    "library": library,
    "trash": lambda made: TrashDialog("two sessions", ("The tape goes.", ""), THEME, made.main),
    "restore": lambda made: RestoreDialog(PRODUCT.trashed(), THEME, made.main),
    "welcome": lambda made: Welcome(made.rig.context, THEME, made.main),
    "tour": lambda made: made.main.bars.help.take_tour(),
    "user guide": lambda made: made.main.bars.help.open(),
    "palette": lambda made: made.main.show_palette(),
    "chart window": chart_window,
    "diagnostics": lambda made: DiagnosticsDialog(PRODUCT, THEME, made.main),
    "saved note": saved,
    "save workspace": lambda made: made.main.bars.workspaces.ask_save(),
    "delete workspace": lambda made: made.main.bars.workspaces.ask_delete("two screens"),
}


# --- what is asked of them ------------------------------------------------------------------------

# Qt's own parts, which stand inside a control that has the name.
INNER = ("qt_spinbox_lineedit", "qt_menubar_ext_button", "ScrollLeftButton", "ScrollRightButton")
CONTROLS = (
    QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QTextEdit, QTabBar,
    QTableView, ChartView,
)  # fmt: skip


def parts(window: QWidget) -> Iterator[QWidget]:
    """Every widget of this window that somebody made; other windows it owns are not of it."""
    for part in window.children():
        if isinstance(part, QWidget) and not part.isWindow() and not isinstance(part, QMenu):
            yield part
            if not isinstance(part, (QComboBox, QLineEdit, QHeaderView, QMenuBar)):
                yield from parts(part)


def is_control(part: QWidget) -> bool:
    """Whether a person can do something with it: by its kind, or as the Tab key stops there."""
    if isinstance(part, (QScrollBar, QHeaderView)) or part.objectName() in INNER:
        return False
    if part.metaObject().className() in ("QTableCornerButton", "QDockWidgetTitleButton"):
        return False
    if isinstance(part, QTabBar) and not part.count():
        return False
    area = part.parentWidget()
    if isinstance(area, QAbstractScrollArea) and area.viewport() is part:
        return False  # the area around it has the name
    return isinstance(part, CONTROLS) or bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus)


def spoken(part: QWidget, window: QWidget) -> str:
    """What a screen reader calls it: its name, its own text, or the label that points at it."""
    if part.accessibleName():
        return part.accessibleName()
    if isinstance(part, QAbstractButton) and part.text():
        return part.text()
    for label in window.findChildren(QLabel):
        if label.buddy() is part:
            return label.text()
    return ""


def where(part: QWidget, window: QWidget) -> str:
    """The way to a part, for the sentence of a failure."""
    way = []
    while part is not None and part is not window:
        way.append(part.objectName() or type(part).__name__)
        part = part.parentWidget()
    return " < ".join(way)


def everywhere(windows) -> Iterator[tuple[str, QWidget, QWidget]]:
    for name, window in windows.items():
        for part in parts(window):
            yield name, window, part


def silent(windows) -> list[str]:
    """Controls without a name."""
    return [
        f"{name}: {where(part, window)}"
        for name, window, part in everywhere(windows)
        if is_control(part) and not spoken(part, window).strip(" \u00d7\u25be\u25b8")
    ]


def alike(windows) -> list[str]:
    """Controls of one parent that are called the same."""
    found = []
    for name, window in windows.items():
        seen: set[tuple[int, str]] = set()
        for part in filter(is_control, parts(window)):
            key = id(part.parentWidget()), spoken(part, window)
            if key in seen:
                found.append(f"{name}: {key[1]!r} twice, {where(part, window)}")
            seen.add(key)
    return found


def tables(windows) -> Iterator[tuple[str, TableView]]:
    seen = set()
    for name, _, part in everywhere(windows):
        if isinstance(part, TableView):
            headers = tuple(column.header for column in part.rows_model.columns)
            if headers not in seen:
                seen.add(headers)
                yield name, part


def untold(windows) -> list[str]:
    """Columns that neither have a tip nor are a term of the glossary."""
    return [
        f"{name}: {table.accessibleName()}: {column.header}"
        for name, table in tables(windows)
        for column in table.rows_model.columns
        if column.header and not column.tip and not column_tip(column.header)
    ]


# Counts, numbers of a pair and pure numbers have no unit; a price is in the quote currency, as its
# tip says; amounts of the ledger name their currency in the column beside; the terms of a pair's
# money add up to "Net now, USDT", which has it, and name it in their tips.
BARE = {
    "No.", "Pair", "Pairs", "Refusals", "Holds", "Gaps", "Resyncs", "Bad", "Connects", "Renewed",
    "Outcomes", "Missed", "Capped", "Outages", "Spot + perp", "z", "AUC", "Brier",
    "Part of the logit", "Price", "Mark",
    "Amount", "Fee", "Qty", "Basis", "Funding", "Fees", "Slippage", "Borrow", "Unhedged",
    "Long leg", "Short leg", "Margin",
}  # fmt: skip


def unitless(windows) -> list[str]:
    """Columns of figures with no unit: in the header, or in the cells as the sample shows."""
    bare = []
    for name, table in tables(windows):
        for column in table.rows_model.columns:
            said = any(mark in column.header for mark in (",", "/", "%"))
            in_cells = any(char.isalpha() or char in "%\u00d7:" for char in column.sample)
            if column.left or not column.header or said or in_cells or column.header in BARE:
                continue
            bare.append(f"{name}: {table.accessibleName()}: {column.header}")
    return bare


def unexplained(windows) -> list[str]:
    """Captions that are a term and have no tooltip."""
    return [
        f"{name}: {part.text()}: {where(part, window)}"
        for name, window, part in everywhere(windows)
        if isinstance(part, QLabel) and plain(part.text()) in TERMS and not part.toolTip()
    ]


# --- the tests ------------------------------------------------------------------------------------


def wordless(windows) -> list[str]:
    """Lines of the menus that are off and say nowhere why, or have no words at all."""
    bar = windows["main"].menus
    return [
        f"{menu.title()}: {action.text() or 'no text'}"
        for menu in bar.findChildren(QMenu)
        for action in menu.actions()
        if not action.isSeparator()
        and action.menu() is None
        and (not action.text() or not (action.isEnabled() or action.statusTip()))
    ]


CHECKS = (silent, alike, untold, unitless, unexplained, wordless)


@pytest.fixture(scope="module")
def found(qapp):
    """What each check finds. All windows are made once: a pair is open and its row is chosen."""
    rig = ScanRig(made_up_view(coins=COINS)).begin()
    context = rig.context
    context.settings_actions = context.workspaces = context.library = PRODUCT
    context.first_run = context.diagnostics = PRODUCT
    context.licences = lambda: [("basisdesk", "0.1", "MIT", "Permission is granted.")]
    main = MainWindow(rig.context, THEME)
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    main.refresh_all()
    made = Made(main, rig)
    windows = {name: make(made) for name, make in FACTORIES.items()}
    main.positions.refresh()
    main.topbar.refresh()
    for panel in main.panels():
        panel.refresh()
    result = {check: check(windows) for check in CHECKS}
    for window in reversed(windows.values()):
        window.close()
    return result


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_person_who_cannot_see_is_told_everything(found, check):
    assert not found[check], f"{check.__doc__}\n" + "\n".join(found[check])
