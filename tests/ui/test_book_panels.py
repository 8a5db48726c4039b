"""Panels and dialogs of the book with real clicks: what they send, show and copy."""

from decimal import Decimal

import pytest
from book_rig import begun, opened, ordered, reduced, settled
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from ui_rig import PERP, THEME

from basisdesk.events import (
    AddMargin,
    CancelOrder,
    ClosePair,
    Execution,
    FlipPair,
    Halt,
    Rebalance,
    Resume,
    WithdrawMargin,
)
from basisdesk.ui.account_panel import AccountPanel
from basisdesk.ui.explain_dialog import ExplainDialog
from basisdesk.ui.ledger_panel import LedgerPanel
from basisdesk.ui.positions_panel import PositionsPanel
from basisdesk.ui.risk_panel import RiskPanel

D = Decimal


def shown(qtbot, panel, size=(1500, 260)):
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show()
    qtbot.waitExposed(panel)
    panel.refresh()
    return panel


@pytest.fixture
def rig():
    rig = settled(opened(begun()))
    rig.deaf = True
    return rig


@pytest.fixture
def panel(qtbot, rig):
    return shown(qtbot, PositionsPanel(rig.context, THEME))


def press(qtbot, dialog):
    qtbot.mouseClick(dialog.send_button, Qt.MouseButton.LeftButton)


# --- close by choice ------------------------------------------------------------------------------


def test_a_close_by_choice_sends_legs_share_style_and_slices(qtbot, rig, panel):
    dialog = panel.ask(1, "choose")
    dialog.share.put(D(50))
    dialog.style_choice.pick("limit")
    assert not dialog.send_button.isEnabled()
    assert dialog.problem.text().startswith("Enter the close basis to leave at, bp. Leaving stands")
    dialog.fields["limit_bp"].put(D(12))
    dialog.fields["slices"].put(D(4))
    dialog.fields["gap_s"].put(D(20))
    assert dialog.fields["gap_s"].isVisible()
    assert not dialog.fields["pay_up"].isVisible()
    assert dialog.send_button.text() == "Close 50 % of both legs"
    press(qtbot, dialog)
    how = Execution("limit", limit_bp=D(12), slices=4, slice_gap_s=D(20))
    assert rig.orders(ClosePair) == [ClosePair(1, D("0.5"), how=how)]


def test_one_leg_closes_alone_after_its_warning_and_never_passively(qtbot, rig, panel):
    dialog = panel.ask(1, "choose")
    dialog.which.pick("short")
    assert "without its hedge" in dialog.warning.text()
    dialog.style_choice.pick("passive")
    assert dialog.problem.text().startswith("A single leg has no other to hedge on")
    dialog.style_choice.pick("market")
    press(qtbot, dialog)
    assert rig.orders(ClosePair) == [ClosePair(1, D(1), leg="short")]


def test_a_share_that_cannot_be_read_sends_nothing(qtbot, rig, panel):
    dialog = panel.ask(1, "choose")
    dialog.share.edit.selectAll()
    qtbot.keyClicks(dialog.share.edit, "150")
    assert dialog.problem.text() == "Enter the share to close, 1 to 100 %."
    press(qtbot, dialog)
    assert rig.orders() == []


def test_a_pair_that_closed_meanwhile_is_not_closed_again(qtbot, rig, panel):
    dialog = panel.ask(1, "choose")
    reduced(rig)
    panel.refresh()  # the panel lets its dialogs look again
    assert dialog.problem.text() == "This pair is closed already."
    press(qtbot, dialog)
    assert rig.orders() == []
    assert panel.ask(1, "choose") is None


# --- flip, rebalance, margin, cancel --------------------------------------------------------------


def test_a_flip_needs_a_whole_plan_and_sends_it(qtbot, rig, panel):
    dialog = panel.ask(1, "flip")
    assert "round trip" in dialog.lines.text()
    plan = dialog.rules.plan()
    assert plan.stop_bp < plan.target_bp
    dialog.rules.stop.edit.selectAll()
    qtbot.keyClick(dialog.rules.stop.edit, Qt.Key.Key_Delete)
    assert not dialog.send_button.isEnabled()
    dialog.rules.stop.put(plan.stop_bp)
    if dialog.send_button.isEnabled():
        press(qtbot, dialog)
        assert rig.orders(FlipPair) == [FlipPair(1, plan)]


def test_a_drifted_pair_is_rebalanced_after_its_cost_was_read(qtbot):
    rig = opened(begun(), "100", "99")
    rig.deaf = True
    panel = shown(qtbot, PositionsPanel(rig.context, THEME))
    found = [b for b in panel.findChildren(QPushButton) if b.text() == "Rebalance"]
    qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)
    dialog = panel._dialogs[-1]
    assert dialog.lines.text().startswith("Sells 1 ADA on Bybit perp ADAUSDT at about")
    assert "Costs 0.00" in dialog.lines.text()
    press(qtbot, dialog)
    assert rig.orders() == [Rebalance(1)]


@pytest.mark.parametrize(
    ("what", "command"),
    [("add_margin", AddMargin(1, D(200))), ("withdraw_margin", WithdrawMargin(1, D(200)))],
)
def test_margin_moves_by_the_amount_typed(qtbot, rig, panel, what, command):
    if what == "withdraw_margin":  # only what was added can leave again
        rig.deaf = False
        rig.submit(AddMargin(1, D(300)))
        rig.sent.clear()
        rig.deaf = True
    dialog = panel.ask(1, what)
    assert not dialog.send_button.isEnabled()
    qtbot.keyClicks(dialog.amount.edit, "200")
    press(qtbot, dialog)
    assert rig.orders() == [command]


def test_a_working_order_is_cancelled_from_its_row(qtbot):
    rig = ordered(begun(), Execution("limit", limit_bp=D(300), slices=5))
    rig.deaf = True
    panel = shown(qtbot, PositionsPanel(rig.context, THEME))
    found = [b for b in panel.findChildren(QPushButton) if b.text() == "Cancel"]
    qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)
    assert rig.orders() == [CancelOrder(1)]
    panel.close_selected()  # nothing is held yet
    assert rig.orders() == [CancelOrder(1)]
    assert panel.explain(1, "total") is None


# --- explain --------------------------------------------------------------------------------------


def test_a_double_click_on_money_explains_it_and_elsewhere_shows_the_pair(qtbot, rig, panel):
    columns = [column.header for column in panel.table.rows_model.columns]

    def cell(header):
        return panel.table.proxy.index(0, columns.index(header))

    panel.table.doubleClicked.emit(cell("Net now, USDT"))
    panel.table.doubleClicked.emit(cell("Fees"))
    dialogs = panel.findChildren(ExplainDialog)
    assert [dialog.which.currentData() for dialog in dialogs] == ["total", "fees"]
    panel.table.doubleClicked.emit(cell("Pair"))
    assert rig.shown_pairs == [("bybit:spot:ADAUSDT", PERP)]


def test_the_keyboard_explains_the_figure_the_cursor_is_on(qtbot, panel):
    qtbot.keyClick(panel.table, Qt.Key.Key_E)
    (dialog,) = panel.findChildren(ExplainDialog)
    assert dialog.which.currentData() == "total"
    waterfall = panel.waterfall
    waterfall.setFocus()
    qtbot.keyClick(waterfall, Qt.Key.Key_Up)
    with qtbot.waitSignal(waterfall.explain_asked) as asked:
        qtbot.keyClick(waterfall, Qt.Key.Key_E)
    assert asked.args == ["slippage"]


def test_a_bar_and_a_fact_explain_themselves(qtbot, panel):
    bar = panel.waterfall.bar_at(QPointF(20, THEME.px(26) + 5))
    assert bar.figure == "basis"
    assert panel.waterfall.bar_at(QPointF(20, 4)) is None
    qtbot.mouseClick(panel.side.choices["Figures"], Qt.MouseButton.LeftButton)
    assert panel.side.views.currentWidget() is panel.side.facts
    panel.side.facts.choose(1)
    with qtbot.waitSignal(panel.side.explain_asked) as asked:
        qtbot.keyClick(panel.side.facts, Qt.Key.Key_Return)
    assert asked.args == ["close"]


def test_the_dialog_shows_formula_rows_and_an_exact_sum_and_copies_them(qtbot, rig):
    dialog = ExplainDialog(rig.context, THEME, "funding", 1)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.windowTitle() == "Explain: Funding of ADA #1"
    assert dialog.figure.text() == "+0.73 USDT"
    assert dialog.check.text() == "1 row sum to +0.7325 USDT: the figure, to the last digit."
    dialog.which.setCurrentIndex(dialog.which.findData("fees"))
    assert dialog.windowTitle() == "Explain: Fees of ADA #1"
    assert len(dialog.rows.rows_model.rows) == 2
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == dialog.shown.text()


def test_the_ledger_explains_fills_and_postings(qtbot, rig):
    panel = shown(qtbot, LedgerPanel(rig.context, THEME))
    headers = [column.header for column in panel.fills.rows_model.columns]
    panel.fills.doubleClicked.emit(panel.fills.proxy.index(0, headers.index("Fee")))
    qtbot.mouseClick(panel.choices["Postings"], Qt.MouseButton.LeftButton)
    panel.postings.choose(0)
    qtbot.keyClick(panel.postings, Qt.Key.Key_E)
    told = [dialog.which.currentData() for dialog in panel.findChildren(ExplainDialog)]
    assert told[0] == "fees"
    assert told[1] in ("funding", "total")
    deposit = panel.postings.rows_model.rows[-1]
    assert panel.explain(deposit).which.currentData() == "cash"


# --- risk and account -----------------------------------------------------------------------------


def test_resuming_needs_a_reason_and_keeps_it(qtbot):
    rig = begun()
    panel = shown(qtbot, RiskPanel(rig.context, THEME))
    assert panel.title.text() == "\u25cf Active"
    assert not panel.resume.isVisible()
    rig.submit(Halt("by hand"))
    panel.refresh()
    assert panel.title.text() == "\u25a0 Halted"
    assert panel.reason.text() == "Why: by hand"
    assert not panel.resume.isEnabled()
    qtbot.keyClicks(panel.why, "checked the hedge")
    qtbot.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    assert rig.orders(Resume) == [Resume("checked the hedge")]
    panel.refresh()
    assert panel.title.text() == "\u25cf Active"
    assert panel.why.text() == ""


def test_each_trigger_has_a_row(qtbot, rig):
    panel = shown(qtbot, RiskPanel(rig.context, THEME))
    names = {row.name for row in panel.triggers.rows_model.rows}
    assert {"drawdown", "daily_loss", "rolling", "win_rate", "liq_distance"} <= names
    assert {"unhedged", "clock", "stale"} <= names
    panel.grab()


def test_the_account_shows_figures_curves_and_closed_pairs(qtbot, rig):
    panel = shown(qtbot, AccountPanel(rig.context, THEME))
    assert panel.results.empty_text.startswith("No closed pairs yet")
    reduced(rig)
    rig.move(0.3640, 60.0, seconds=70.0)
    panel.refresh()
    assert [row.name for row in panel.results.rows_model.rows] == ["ADA #1"]
    assert panel.wins.text().startswith("0 of 1 won")
    assert [lane.name for lane in panel.curves.shown] == ["Equity", "Drawdown", "Gross exposure"]
    assert panel.curves.accessibleDescription().startswith("Equity 9,99")
    panel.curves.grab()
    panel.results.doubleClicked.emit(panel.results.proxy.index(0, 3))
    panel.facts.choose(0)
    qtbot.keyClick(panel.facts, Qt.Key.Key_E)
    told = [dialog.windowTitle() for dialog in panel.findChildren(ExplainDialog)]
    assert told == ["Explain: Net now, at mids of ADA #1", "Explain: Equity"]
