"""The scanning window: its place beside the main one, the strip, saving, and the filled ticket."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from scan_rig import ScanRig, made_up_view
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.config import Ui
from basisdesk.events import Halt
from basisdesk.scan.words import Strip
from basisdesk.ui.scan_strip import ScanFoot, ScanStrip
from basisdesk.ui.scan_strip_rows import history_text, refresh_text, strip_figures
from basisdesk.ui.scan_window import MAGIC, ScanWindow
from basisdesk.ui.scanner_rows import Choice
from basisdesk.ui.theme import theme_for
from basisdesk.ui.window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
COINS = ("ADA", "BTC", "ETH")


@pytest.fixture
def rig():
    return ScanRig(made_up_view(coins=COINS)).begin()


@pytest.fixture
def scan(qtbot, rig):
    scan = ScanWindow(rig.context, THEME)
    qtbot.addWidget(scan)
    scan.resize(1280, 800)
    scan.show()
    qtbot.waitExposed(scan)
    scan.refresh_all()
    return scan


@pytest.fixture
def window(qtbot, rig):
    window = MainWindow(rig.context, THEME)
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    qtbot.waitExposed(window)
    window.refresh_all()
    return window


# --- the strip


def test_the_strip_in_words(rig):
    scanner = rig.settings.scanner
    strip = rig.context.scan.strip
    told = strip_figures(strip, scanner, strip.next_ms - 2_650_000)
    assert told["watched"].value == "3 coins, 4 venues"
    assert told["watched"].aside == "132 combinations"
    assert told["gap"].aside == "9 fail on cost, 3 on depth"
    assert told["btc_eth"].value == "+0.0120 %"
    assert told["market"].aside == "median per 8 h \u00b7 61st percentile"
    assert (told["next"].value, told["next"].aside) == ("00:44:10", "Bybit 31, OKX 12, Binance 26")
    wide = strip_figures(replace(strip, btc_eth_bp=-5.2, over_gap=0), scanner, 0)
    assert wide["btc_eth"].aside_tone == "warn"
    assert wide["gap"] == ("0", "", "", "muted")
    nothing = strip_figures(Strip(), scanner, 0)
    assert {told.value for told in nothing.values()} == {"\u2013"}


def test_the_foot_says_what_is_kept_and_how_fresh(qtbot, rig):
    scanner = rig.settings.scanner
    assert history_text(Strip(history_mb=212.4), scanner) == "History: 212.4 of 500 MB"
    known = Strip(history_mb=1, funding_days=30.2, minute_hours=17, past_done=3, past_wanted=470)
    assert history_text(known, scanner) == (
        "History: 30 days of funding, 17 h of minutes, 1.0 of 500 MB; "
        "asking the venues, 3 of 470 legs"
    )
    assert refresh_text(Strip(refresh_ms=8.1), 0.4) == "counted in 8.1 ms, 0.4 s ago"
    assert refresh_text(Strip(), float("inf")) == "not counted yet"
    foot = ScanFoot(rig.context, THEME)
    qtbot.addWidget(foot)
    foot.refresh()
    assert "s ago" in foot.fresh.text()
    rig.context.scan = None
    foot.refresh()
    assert foot.fresh.text() == "not counted yet"


@pytest.mark.parametrize("width", [900, 1000, 1100, 1200, 1280, 1440, 1600, 1920, 2560])
def test_nothing_in_the_strip_is_cut_at_any_width(qtbot, rig, width):
    strip = ScanStrip(rig.context, THEME)
    qtbot.addWidget(strip)
    strip.resize(width, 56)
    strip.show()
    qtbot.waitExposed(strip)
    strip.refresh()
    strip.grab()
    shown = [figure for figure in strip.figures.values() if figure.isVisible()]
    places = [figure.geometry() for figure in shown]
    assert all(a.right() < b.left() for a, b in itertools.pairwise(places))
    assert places[-1].right() < strip.search.x()
    assert strip.search.geometry().right() < strip.width()
    assert len(shown) >= (6 if width >= 1280 else 3)


# --- the window


def test_the_panels_are_whole_and_all_refresh(scan):
    names = [type(panel).__name__ for panel in scan.panels()]
    assert names == [
        "ScanStrip", "ScannerPanel", "MatrixPanel", "SectorsPanel", "VenuesPanel", "AlertsPanel",
        "ScanFoot",
    ]  # fmt: skip
    assert [scan.tabs.tabText(at) for at in range(3)] == ["Sectors", "Venues", "Alerts"]
    assert scan.width() == 1280
    scan.grab()


def test_ctrl_f_searches_and_escape_empties(qtbot, scan):
    qtbot.keyClick(scan, Qt.Key.Key_F, CTRL)
    scan.focus_search()
    qtbot.keyClicks(scan.strip.search, "ada")
    assert scan.scanner.table.scanner.rowCount() == 44
    qtbot.keyClick(scan.strip.search, Qt.Key.Key_Escape)
    assert scan.scanner.table.scanner.rowCount() == 132


def test_arrangement_is_saved_and_comes_back_and_garbage_means_the_defaults(qtbot, rig, scan):
    scan.tabs.setCurrentIndex(2)
    scan.matrix.set_mode("basis")
    scan.across.setSizes([700, 500])
    scan.scanner.set_unit("year")
    saved = scan.save()
    other = ScanWindow(rig.context, THEME)
    qtbot.addWidget(other)
    other.resize(1280, 800)
    assert other.restore(saved)
    assert other.tabs.currentIndex() == 2
    assert other.matrix.mode == "basis"
    other.show()
    qtbot.waitExposed(other)
    assert abs(other.across.sizes()[0] - scan.across.sizes()[0]) <= 2
    assert other.scanner.save()["unit"] == "year"
    broken = bytearray(saved)
    broken[40] ^= 1
    for garbage in (b"", b"BDS1", bytes(broken), saved[:-3], MAGIC + b"\0" * 40, b"x" * 99):
        assert not other.restore(garbage)


def test_the_main_window_opens_it_and_repaints_it(qtbot, rig, window):
    assert window.scan is None  # a start does not wait for it
    with qtbot.waitSignal(window.scanner_made):
        qtbot.keyClick(window, Qt.Key.Key_F, CTRL | SHIFT)
    assert window.scan.isVisible()
    assert rig.context.scan.seen
    assert set(map(id, window.scan.panels())) <= set(map(id, window.panels()))
    rig.sent.clear()
    window.scan.halt_asked.emit()
    assert rig.orders(Halt) == [Halt("by hand")]
    window.close()
    assert not window.scan.isVisible()
    assert not rig.context.scan.seen


def test_without_a_universe_it_is_made_when_asked_for(qtbot):
    window = MainWindow(Rig().begin().context, THEME)
    qtbot.addWidget(window)
    assert window.scan is None
    scan = window.show_scanner()
    assert window.show_scanner() is scan
    assert "live or a simulated desk" in scan.scanner.table.empty_text
    window.close()


def stops_by_tab(qtbot, scan, count):
    """What the Tab key goes over, from the search line on, until it is back."""
    scan.activateWindow()
    scan.strip.search.setFocus()
    seen = []
    for _ in range(count):
        seen.append(scan.focusWidget())
        qtbot.keyClick(scan.focusWidget(), Qt.Key.Key_Tab)
        if scan.focusWidget() is scan.strip.search:
            return seen
    return [*seen, None]


@pytest.mark.parametrize("tab", [0, 1, 2])
def test_the_tab_key_goes_over_everything_in_reading_order(qtbot, scan, tab):
    scan.tabs.setCurrentIndex(tab)
    scan.refresh_all()
    seen = stops_by_tab(qtbot, scan, 40)
    tools, bar = scan.scanner.tools, scan.tabs.tabBar()
    assert None not in seen
    wanted = [scan.strip.search, tools.size_edit, tools.chips.buttons["all"],
              tools.chips.buttons["triggered"], scan.scanner.table, scan.matrix.buttons["funding"],
              scan.matrix.view, bar]  # fmt: skip
    inside = (
        [scan.sectors._choice.buttons()[0], scan.sectors.chart],
        [scan.venues.choices[""], scan.venues.filter],
        [],
    )[tab]
    places = [seen.index(each) for each in (*wanted, *inside)]
    assert places == sorted(places)
    order = [each for each in scan.stops() if each in seen]
    assert order == seen


def test_search_and_chips_go_together(qtbot, scan):
    qtbot.keyClicks(scan.strip.search, "ada")
    assert [scan.matrix.view.grid.coins[at] for at in scan.matrix.view.order] == ["ADA"]
    o = scan.scanner.table.scanner.openings
    other = next(combo for combo in o.combos if combo.coin == "BTC")
    assert scan.scanner.show_pair((other.long, other.short))  # the search hid it
    assert scan.strip.search.text() == ""
    assert len(scan.matrix.view.order) == 3
    qtbot.keyClicks(scan.strip.search, "eth")
    qtbot.mouseClick(scan.scanner.tools.chips.buttons["perp-perp"], Qt.MouseButton.LeftButton)
    assert scan.strip.search.text() == "eth"


def test_at_a_large_font_the_window_still_takes_a_small_screen(qtbot, rig, qapp):
    theme = theme_for(Ui(font_scale=1.5))
    font = qapp.font()
    qapp.setFont(theme.font())
    try:
        scan = ScanWindow(rig.context, theme)
        qtbot.addWidget(scan)
        scan.resize(1280, 800)
        scan.show()
        qtbot.waitExposed(scan)
        scan.refresh_all()
        assert (scan.width(), scan.height()) == (1280, 800)
        for tab in range(3):
            scan.tabs.setCurrentIndex(tab)
            scan.grab()
            assert (scan.width(), scan.height()) == (1280, 800)
        tools = scan.scanner.tools
        tools.show_said("order kept while you read", sort=True)
        scan.grab()
        assert scan.width() == 1280
        boxes = [part.geometry() for part in (tools.head, tools.told, tools.right, tools.chips)]
        assert not any(a.intersects(b) for a, b in itertools.combinations(boxes, 2))
    finally:
        qapp.setFont(font)


# --- the ticket


def test_an_opening_fills_the_ticket_in(qtbot, rig, window):
    window.take_opening(Choice((SPOT, PERP), -1, 5_000.0, True, "Half of it."))
    assert rig.shown_pairs == [(SPOT, PERP)]
    draft = window.ticket.draft()
    assert (draft.direction, draft.in_quote, draft.size) == (-1, True, Decimal("5000.0"))
    assert window.ticket.form.size_field.touched
    assert "Half of it." in window.ticket.form.size_field.edit.toolTip()
    window.take_opening("nothing")
    assert len(rig.shown_pairs) == 1


def test_a_pair_without_prices_is_filled_in_when_the_ticket_takes_it_over(qtbot, rig, window):
    other = "okx:perp:ADA-USDT-SWAP", "binance:perp:ADAUSDT"
    rig.deaf = True  # the pair is asked for and does not come yet
    window.ticket.set_direction(-1)
    window.take_opening(Choice(other, 1, 10_000.0))
    assert window.ticket.draft().in_quote is False
    rig.deaf = False
    rig.show_pair(*other)
    window.ticket.recompute()
    draft = window.ticket.draft()
    assert (draft.direction, draft.in_quote, draft.size) == (1, True, Decimal("10000.0"))
    # somebody picks another pair afterwards: nothing is filled in again
    rig.show_pair(SPOT, PERP)
    window.ticket.recompute()
    assert window.ticket.draft().size != Decimal("10000.0")
    assert "Half" not in window.ticket.form.size_field.edit.toolTip()
