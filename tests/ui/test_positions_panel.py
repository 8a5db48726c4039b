"""The positions panel: buttons send what they say, rows teach, the selected row explains itself."""

from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QPushButton
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import ClosePair, ExitPlan, OpenPair, SetPlan
from basisdesk.ui.positions_panel import PositionsPanel

D = Decimal
PLAN = ExitPlan(D(3), D(120), D(72))


@pytest.fixture
def rig():
    rig = Rig().begin()
    for qty in ("4000", "1000"):
        rig.submit(OpenPair(SPOT, PERP, D(qty), D(2), PLAN))
    rig.sent.clear()
    return rig


@pytest.fixture
def panel(qtbot, rig):
    panel = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.resize(1500, 260)
    panel.show()
    qtbot.waitExposed(panel)
    panel.refresh()
    return panel


def texts_of_row(panel, place):
    last = len(panel.table.rows_model.columns) - 1
    at = panel.table.proxy.mapFromSource(panel.table.rows_model.index(place, last))
    held = panel.table.indexWidget(at)
    found = held.findChildren(QPushButton) if held is not None else []
    assert all(b.isVisible() for b in found)
    return {b.accessibleName() for b in found}


def every_row_has_its_buttons(panel):
    for place, row in enumerate(panel.table.rows_model.rows):
        what = ("Close", "Close half of", "More to do with")
        whole = {f"{words} pair {row.pair}" for words in what}
        wanted = {f"Dismiss pair {row.pair}"} if row.over else whole
        if texts_of_row(panel, place) != wanted:
            return False
    return bool(panel.table.rows_model.rows)


def button(panel, name):
    found = [b for b in panel.findChildren(QPushButton) if b.accessibleName() == name]
    return found[-1] if found else None


def test_close_and_half_send_just_that(qtbot, rig, panel):
    rig.deaf = True
    qtbot.mouseClick(button(panel, "Close pair 1"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(panel, "Close half of pair 2"), Qt.MouseButton.LeftButton)
    assert rig.orders(ClosePair) == [ClosePair(1), ClosePair(2, D("0.5"))]


def test_buttons_are_reached_and_pressed_by_keyboard(qtbot, rig, panel):
    rig.deaf = True
    close = button(panel, "Close pair 2")
    assert close.focusPolicy() & Qt.FocusPolicy.TabFocus
    qtbot.keyClick(close, Qt.Key.Key_Space)
    assert rig.orders(ClosePair) == [ClosePair(2)]


def test_a_half_close_leaves_half_and_the_rest_closes(qtbot, rig, panel):
    qtbot.mouseClick(button(panel, "Close half of pair 2"), Qt.MouseButton.LeftButton)
    rig.wait(1)
    rig.move(0.3640, 60.0)
    panel.refresh()
    row = next(row for row in panel.table.rows_model.rows if row.pair == 2)
    assert 490 <= row.size_value <= 510
    qtbot.mouseClick(button(panel, "Close pair 2"), Qt.MouseButton.LeftButton)
    panel.refresh()
    row = next(row for row in panel.table.rows_model.rows if row.pair == 2)
    assert row.over
    assert button(panel, "Dismiss pair 2") is not None


def test_a_closed_pair_stays_until_dismissed(qtbot, rig, panel):
    rig.submit(ClosePair(1))
    panel.refresh()
    assert [row.pair for row in panel.table.rows_model.rows] == [2, 1]
    qtbot.mouseClick(button(panel, "Dismiss pair 1"), Qt.MouseButton.LeftButton)
    assert [row.pair for row in panel.table.rows_model.rows] == [2]


def test_pairs_closed_in_an_earlier_session_do_not_come_back(qtbot, rig, panel):
    rig.submit(ClosePair(1))
    rig.clock.advance(60)
    rig.engine.start_session(
        type(rig.engine.session)(rig.clock.now_ns(), "s2", "demo", "0.1", "USDT", D(10_000))
    )
    later = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(later)
    later.refresh()
    assert [row.pair for row in later.table.rows_model.rows] == [2]


def test_the_selected_row_drives_the_waterfall(rig, panel):
    assert panel.waterfall.shown.title == "ADA #2: net by cause, USDT"
    panel.table.choose(1)
    row = panel.table.chosen()
    net = panel.waterfall.shown.bars[-1]
    assert net.text in row.net
    assert panel.waterfall.shown.left_over == "left over 0.00 \u00b7 sum = total to the last digit"
    assert panel.waterfall.shown.proven
    assert "left over 0.00" in panel.waterfall.accessibleDescription()
    panel.waterfall.grab()


def test_the_keyboard_closes_the_selected_pair(rig, panel):
    rig.deaf = True
    panel.table.choose(1)
    panel.close_selected()
    assert rig.orders(ClosePair) == [ClosePair(panel.table.chosen().pair)]


def test_rare_columns_stand_only_while_they_are_more_than_nothing(rig, panel):
    headers = [column.header for column in panel.table.rows_model.columns]
    borrow, loose = headers.index("Borrow"), headers.index("Unhedged")
    panel.resize(1900, 300)
    panel.show()
    assert panel.table.isColumnHidden(borrow)
    assert panel.table.isColumnHidden(loose)
    rig.submit(OpenPair(PERP, SPOT, D(5000), D(2), ExitPlan(D(190), D(-90), D(72))))
    for _ in range(13):
        rig.move(0.3640, 68.0, seconds=3600.0)
    panel.refresh()
    assert not panel.table.isColumnHidden(borrow)
    terms = [headers.index(name) for name in ("Basis", "Funding", "Fees", "Slippage", "Borrow")]
    panel.resize(1100, 300)  # what adds up is shown whole or not at all
    assert {panel.table.isColumnHidden(place) for place in terms} == {True}


def test_an_empty_table_teaches(qtbot):
    rig = Rig().begin()
    panel = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    assert panel.table.empty_text.startswith("No open pairs. Size one in the ticket")
    assert panel.waterfall.shown is None


def test_buttons_survive_sorting_and_the_rows_keep_their_own(qtbot, rig, panel):
    rig.deaf = True
    panel.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    panel.refresh()
    close = button(panel, "Close pair 1")
    assert close.isVisible()
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert rig.orders(ClosePair) == [ClosePair(1)]


@pytest.mark.parametrize("column", [None, 0, 2, 6])
def test_a_row_that_moves_keeps_its_buttons(qtbot, rig, panel, column):
    if column is not None:
        panel.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert every_row_has_its_buttons(panel)
    rig.submit(ClosePair(2))  # the newest: pair 1 moves above it
    panel.refresh()
    assert [row.pair for row in panel.table.rows_model.rows] == [1, 2]
    qtbot.wait(1)  # Qt takes the widgets of removed rows away later
    assert every_row_has_its_buttons(panel)
    rig.submit(OpenPair(SPOT, PERP, D(500), D(2), PLAN))
    panel.refresh()
    panel.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    panel.refresh()
    qtbot.wait(1)
    assert every_row_has_its_buttons(panel)
    rig.deaf = True
    qtbot.mouseClick(button(panel, "Close pair 1"), Qt.MouseButton.LeftButton)
    assert rig.orders(ClosePair)[-1] == ClosePair(1)


def test_a_fresh_pair_takes_the_selection_and_a_chosen_one_keeps_it(qtbot, rig, panel):
    told = []
    panel.pair_chosen.connect(told.append)
    panel.table.choose(1)
    assert told == [1]
    rig.submit(ClosePair(2))  # the rows change places
    panel.refresh()
    assert panel.table.chosen().pair == 1
    rig.submit(OpenPair(SPOT, PERP, D(500), D(2), PLAN))
    panel.refresh()
    assert panel.table.chosen().pair == 3
    assert panel.waterfall.shown.title.startswith("ADA #3:")
    assert told == [1, 3]
    panel.let_go()
    panel.refresh()
    assert panel.table.chosen() is None
    assert told == [1, 3, 0]
    rig.submit(ClosePair(3))
    panel.refresh()
    assert panel.table.chosen() is None


def test_the_menu_of_a_row_does_what_it_says(rig, panel, monkeypatch):
    rig.deaf = True
    row = panel.table.rows_model.rows[0]
    menu = panel.menu_of(row)
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert list(actions) == [
        "Close", "Close half", "Close by choice\u2026", "Flip\u2026", "Rebalance\u2026",
        "Add margin\u2026", "Withdraw margin\u2026", "Edit exit plan\u2026",
        "Explain this number\u2026",
    ]  # fmt: skip
    actions["Close"].trigger()
    actions["Close half"].trigger()
    assert rig.orders(ClosePair) == [ClosePair(2), ClosePair(2, D("0.5"))]
    shown = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, at: shown.append((menu, at)))
    panel.table.customContextMenuRequested.emit(panel.table.visualRect(at_row(panel, 0)).center())
    panel.table.customContextMenuRequested.emit(QPoint(10, panel.table.height() - 5))  # no row
    assert len(shown) == 1


def at_row(panel, place):
    return panel.table.proxy.mapFromSource(panel.table.rows_model.index(place, 0))


def test_an_exit_plan_is_edited_without_blocking(qtbot, rig, panel):
    dialog = panel.edit_plan(1)
    assert dialog.windowTitle() == "Exit plan of ADA #1"
    assert not dialog.isModal()
    assert dialog.plan() == PLAN
    stop, hold = dialog.rules.stop, dialog.rules.hold
    stop.edit.selectAll()
    qtbot.keyClicks(stop.edit, "x")
    assert not dialog.set_button.isEnabled()
    stop.edit.selectAll()
    qtbot.keyClicks(stop.edit, "98.5")
    hold.edit.selectAll()
    qtbot.keyClick(hold.edit, Qt.Key.Key_Delete)
    qtbot.mouseClick(dialog.set_button, Qt.MouseButton.LeftButton)
    assert rig.orders(SetPlan) == [SetPlan(1, ExitPlan(D(3), D("98.5"), None))]
    panel.refresh()
    row = next(row for row in panel.table.rows_model.rows if row.pair == 1)
    assert row.plan == "\u2264 3 bp \u00b7 stop 98.5"
    rig.submit(ClosePair(1))
    assert panel.edit_plan(1) is None


def test_a_close_of_the_autopilot_says_so_in_the_row_and_under_the_waterfall(rig, panel):
    rig.submit(ClosePair(2, by="autopilot: decoupling, reverted"))
    panel.refresh()
    panel.table.choose(next(at for at, row in enumerate(panel.table.rows_model.rows)
                            if row.pair == 2))  # fmt: skip
    row = panel.table.chosen()
    assert row.plan.startswith("autopilot: decoupling, reverted ")
    assert panel.waterfall.shown.ended == f"Over: {row.plan}."
    assert "Over: autopilot: decoupling, reverted" in panel.waterfall.accessibleDescription()
    panel.waterfall.grab()
