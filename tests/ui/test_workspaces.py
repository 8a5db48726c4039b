"""Workspaces, chart windows, the palette and the appearance menu of a real window."""

import pytest
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.app.settings_keeping import SettingsKeeping
from basisdesk.clock import mono_s
from basisdesk.config import Settings, load_settings
from basisdesk.events import Halt
from basisdesk.scan.view import ScanView
from basisdesk.ui.appearance_menu import AppearanceMenu
from basisdesk.ui.palette_rows import PaletteEntry
from basisdesk.ui.window import MainWindow
from basisdesk.ui.workspace_rows import CHARTS_MAX, READY

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
OTHER = ("binance:spot:BTCUSDT", "binance:perp:BTCUSDT")
OPEN_MS_MAX = 50.0


class Disk:
    """Workspaces in memory."""

    def __init__(self):
        self.kept = {}

    def names(self):
        return sorted(self.kept)

    def load(self, name):
        return self.kept.get(name, b"")

    def save(self, name, state):
        self.kept[name] = state
        return ""

    def drop(self, name):
        return "" if self.kept.pop(name, None) is not None else "gone"


class Writes:
    """Settings that are only noted."""

    def __init__(self, problem=""):
        self.saved, self.reopened, self.problem = [], 0, problem

    def read(self):
        return Settings()

    def save(self, changes):
        self.saved.append(dict(changes))
        return self.problem

    def reopen(self):
        self.reopened += 1


@pytest.fixture
def rig():
    rig = Rig().begin()
    rig.context.scan = ScanView()
    rig.context.workspaces = Disk()
    rig.context.settings_actions = Writes()
    return rig


@pytest.fixture
def window(qtbot, qapp, rig):
    window = MainWindow(rig.context, THEME)
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    qtbot.waitExposed(window)
    window.refresh_all()
    rig.sent.clear()
    yield window
    window.close()


def line(menu, text):
    (action,) = [each for each in menu.actions() if each.text() == text]
    return action


def front(window):
    return {name for name in window.tabbed if window.docks[name].panel.isVisible()}


# --- workspaces -----------------------------------------------------------------------------------


def test_ready_made_and_saved_workspaces(qtbot, rig, window):
    menu = window.bars.workspaces
    for ready in READY[1:]:
        window.docks["ticket"].close()
        line(menu, ready.name).trigger()
        menu.fill()
        assert line(menu, ready.name).isChecked()
        qtbot.waitUntil(lambda ready=ready: front(window) == {ready.front}, timeout=1000)
        assert not window.docks["ticket"].isHidden()  # Ctrl+Enter opens what can be seen
        scan = window.scan is not None and window.scan.isVisible()
        assert scan == (ready.beside == "scanner")
    # a person's own: docks, the scanner and a chart window with a pair of its own
    window.show_scanner()
    chart = window.open_chart()
    chart.show_pair(OTHER)
    window.docks["log"].close()
    dialog = menu.ask_save()
    qtbot.keyClicks(dialog.name, "  two   screens ")
    assert dialog.act.text() == "Save"
    dialog.act.click()
    assert list(rig.context.workspaces.kept) == ["two screens"]
    menu.put_again()
    line(menu, "Trade").trigger()
    assert not window.scan.isVisible()
    assert window.chart_windows.windows == []
    menu.fill()
    line(menu, "two screens").trigger()
    assert window.scan.isVisible()
    assert window.docks["log"].isHidden()
    assert [each.pair for each in window.chart_windows.windows] == [OTHER]
    menu.save("two screens")
    # a damaged one is one sentence and the defaults
    rig.context.workspaces.kept["two screens"] = b"BDW1" + bytes(40)
    menu.put("two screens")
    assert "two screens is damaged" in rig.context.status.banner
    assert not window.docks["log"].isHidden()
    menu.ask_delete("two screens").act.click()
    assert rig.context.workspaces.kept == {}


def test_a_name_that_is_there_is_overwritten_and_says_so(qtbot, rig, window):
    rig.context.workspaces.kept["mine"] = b""
    dialog = window.bars.workspaces.ask_save()
    cases = ("Trade", False, "Save"), ("mine", True, "Overwrite"), ("", False, "Save")
    for typed, able, act in cases:
        dialog.name.setText(typed)
        assert dialog.act.isEnabled() is able
        assert dialog.act.text().startswith(act)
    dialog.close()


# --- chart windows --------------------------------------------------------------------------------


def test_a_chart_window_follows_the_desk_or_keeps_its_pair(qtbot, rig, window):
    hub, made, wanted = window.chart_windows, [], []
    hub.made.connect(made.append)
    hub.wanted.connect(wanted.append)
    qtbot.keyClick(window, Qt.Key.Key_N, CTRL | SHIFT)
    (chart,) = hub.windows
    assert made == chart.panels()
    assert set(map(id, made)) <= set(map(id, window.panels()))
    assert chart.pair == (SPOT, PERP)
    assert "ADA" in chart.windowTitle()
    assert "paper" in chart.windowTitle()
    chart.head.link.click()
    assert not chart.linked
    assert wanted == [((SPOT, PERP),)]
    rig.context.actions.show_pair(*OTHER)
    assert chart.pair == (SPOT, PERP)
    chart.head.link.click()
    assert chart.pair == OTHER
    assert wanted[-1] == ()
    state = chart.state()
    qtbot.keyClick(chart, Qt.Key.Key_Period, CTRL)
    assert rig.orders(Halt) == [Halt("by hand")]
    while len(hub.windows) < CHARTS_MAX:
        assert hub.open(state) is not None
    assert window.open_chart() is None
    assert f"{CHARTS_MAX} chart windows" in rig.context.status.banner
    window.close()
    assert hub.windows == []
    assert len(hub.states()) == CHARTS_MAX  # for the next start


# --- palette --------------------------------------------------------------------------------------


def test_the_palette_lists_finds_and_does(qtbot, rig, window):
    window.ticket.form.size_field.edit.setFocus()
    began_s = mono_s()
    qtbot.keyClick(window, Qt.Key.Key_K, CTRL)
    palette = window.findChild(type(window.show_palette()), "palette")
    window.show_palette()
    assert (mono_s() - began_s) * 1e3 < 4 * OPEN_MS_MAX  # three times, the making included
    assert palette.isVisible()
    assert palette.list.accessibleName()
    assert palette.line.accessibleName()
    listed = {entry.text for entry in palette.entries}
    assert {"Halt", "Go to Feeds", "New chart window", "Trade", "High-contrast theme"} <= listed
    assert "Save over the workspace" in listed  # off, and it says why
    qtbot.keyClicks(palette.line, "go feeds")
    assert palette.entries[0].text == "Go to Feeds"
    # Ctrl+Enter would open a trade behind it; Halt works
    qtbot.keyClick(palette.line, Qt.Key.Key_Period, CTRL)
    assert rig.orders() == [Halt("by hand")]
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert not palette.isVisible()
    qtbot.waitUntil(window.feeds.isVisible, timeout=1000)
    window.show_palette()
    assert palette.entries[0].text == "Go to Feeds"  # used last
    palette.line.setText("ada bybit")
    assert palette.entries[0].group.startswith("Pair")
    palette.take()
    assert rig.shown_pairs == [(SPOT, PERP)]
    window.show_palette()
    palette.line.setText("save over")
    palette.take()
    assert palette.isVisible()  # nothing to do now; its reason stands there
    palette.line.setText("qqqq")
    assert palette.nothing.isVisible()
    palette.grab()
    qtbot.keyClick(palette.line, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert all(isinstance(entry, PaletteEntry) for entry in palette.entries)


def test_enter_alone_opens_and_closes_nothing_and_each_entry_says_what_it_is(qtbot, rig, window):
    menu = window.bars.bar.addMenu("Practise")
    for conn in ("Everywhere", "Binance spot"):
        menu.addMenu(conn).addAction("Close")
    palette = window.show_palette()
    trades = {entry.text for entry in palette.entries if entry.trades}
    assert {"Open as in ticket", "Close selected pair", "Flatten: close all\u2026"} <= trades
    assert "Halt" not in trades
    names = [entry.text for entry in palette.entries]
    assert "Practise Binance spot: Close" in names
    assert "Close" not in names
    palette.line.setText("psot")  # letters of a menu's name alone find nothing
    assert not [entry for entry in palette.entries if entry.group.startswith("Practise")]
    for typed in ("", "f", "fl", "c", "cl", "o", "open", "close"):
        palette.line.setText(typed)
        chosen = palette.list.currentIndex().data(Qt.ItemDataRole.UserRole)
        assert chosen is None or not chosen.trades, typed
    palette.line.setText("open as in")
    before = len(rig.orders())
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)  # meant: done, and not kept as used last
    assert not palette.isVisible()
    window.show_palette()
    chosen = palette.list.currentIndex().data(Qt.ItemDataRole.UserRole)
    assert not chosen.trades
    assert len(rig.orders()) <= before + 1
    palette.line.setText("fl")
    if palette.list.currentIndex().row() < 0:  # nothing else fits: Down marks it
        qtbot.keyClick(palette.line, Qt.Key.Key_Return)
        assert palette.isVisible()
        qtbot.keyClick(palette.line, Qt.Key.Key_Down)
        assert palette.list.currentIndex().data(Qt.ItemDataRole.UserRole).trades


def test_f_and_plus_reach_the_charts_from_anywhere(qtbot, window):
    window.positions.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert not window.charts.chart.following
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert window.charts.chart.following


# --- appearance -----------------------------------------------------------------------------------


def test_appearance_writes_the_setting_and_reopens(qtbot, rig, window):
    menu, writes = window.bars.appearance, rig.context.settings_actions
    assert line(menu, "Dark theme").isChecked()
    assert "2 s" in line(menu, "Light theme").toolTip()
    line(menu, "Dark theme").trigger()
    assert writes.saved == []
    for text in ("Light theme", "Text size 125 %", "Reduced motion", "Times in local time"):
        line(menu, text).trigger()
    assert writes.saved == [
        {"ui.theme": "light"}, {"ui.font_scale": 1.25}, {"ui.reduced_motion": True},
        {"ui.utc": False},
    ]  # fmt: skip
    assert writes.reopened == 4
    refused = Writes("The settings file cannot be written.")
    other = AppearanceMenu(rig.context, refused, window)
    line(other, "Light theme").trigger()
    assert refused.reopened == 0
    assert rig.context.status.banner == "The settings file cannot be written."
    assert line(other, "Dark theme").isChecked()  # as the desk still is
    assert not line(other, "Light theme").isChecked()
    line(other, "Reduced motion").trigger()
    assert not line(other, "Reduced motion").isChecked()


def test_appearance_writes_the_real_file_again_and_again(rig, window, tmp_path):
    path, reopened = tmp_path / "settings.toml", []
    for text, theme in (("Light theme", "light"), ("High-contrast theme", "contrast")):
        actions = SettingsKeeping(path, lambda: reopened.append(load_settings(path).ui.theme))
        line(AppearanceMenu(rig.context, actions, window), text).trigger()  # a desk that came up
        assert reopened[-1] == theme
    menu = AppearanceMenu(rig.context, actions, window)
    path.write_text("[ui]\ntheme = 'light'\n")  # by another program
    line(menu, "High-contrast theme").trigger()
    line(menu, "Times in local time").trigger()
    line(menu, "Dark theme").trigger()  # the desk is, the file is not: it fell back
    assert reopened == ["light", "contrast", "contrast", "contrast", "dark"]
    assert rig.context.status.banner == ""
    path.write_text("[nonsense]\n")
    line(menu, "Light theme").trigger()
    assert "nonsense" in rig.context.status.banner
    assert line(menu, "Dark theme").isChecked()
    assert path.read_text() == "[nonsense]\n"


def test_without_a_settings_file_and_in_a_replay_less_is_offered(qtbot, qapp):
    rig = Rig(Settings(), "replay")
    window = MainWindow(rig.context, THEME)
    qtbot.addWidget(window)
    assert not hasattr(window.bars, "appearance")
    assert [ready.name for ready in window.places.offered()] == ["Trade", "Small screen"]
    texts = [action.text() for action in window.menus.actions()[1].menu().actions()]
    assert "New chart window" not in texts
