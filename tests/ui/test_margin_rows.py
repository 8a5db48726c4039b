"""Margin in and out: the most that may move, liquidation before and after, nothing negative."""

from decimal import Decimal

import pytest
from book_rig import begun, liquidated, opened
from ui_rig import THEME

from basisdesk.config import Paper, Risk, Settings
from basisdesk.events import AddMargin, Refused, WithdrawMargin
from basisdesk.ui.margin_rows import margin_terms, withdrawable
from basisdesk.ui.positions_panel import PositionsPanel
from basisdesk.ui.refused_rows import refused_text

D = Decimal


def held(settings=None, added="300"):
    rig = opened(begun(settings))
    if added:
        rig.submit(AddMargin(1, D(added)))
    return rig, rig.engine.desk.pairs[1]


def test_adding_says_margin_cash_and_liquidation_before_and_after():
    rig, position = held(added="")
    said = margin_terms(position, D(200), True, rig.engine)
    assert said.lines[0] == "Margin of the perpetual: 732.07 USDT, of it 0.00 added by hand."
    assert "Afterwards: margin 932.07 USDT, free cash " in said.lines[3]
    assert said.lines[-1].startswith("Liquidation of Bybit perp ADAUSDT: mark 0.5")
    assert said.lines[-1].count("% away") == 2
    assert said.button == "Add 200.00 USDT"
    much = margin_terms(position, D(1_000_000), True, rig.engine)
    assert much.problem.startswith("1,000,000.00 USDT is more than the ")
    assert much.problem.endswith("that are free.")
    assert margin_terms(position, None, True, rig.engine).problem == "Enter an amount above zero."


def test_more_than_may_leave_is_refused_before_it_is_sent_and_nothing_is_negative():
    rig, position = held()
    assert withdrawable(position, rig.engine) == (D("300.00"), "what was added by hand")
    said = margin_terms(position, D(2000), False, rig.engine)
    assert said.problem == "2,000.00 USDT is more than the 300.00 USDT that may leave."
    assert "\u2212" not in " ".join(said.lines)
    fine = margin_terms(position, D(200), False, rig.engine)
    assert not fine.problem
    assert fine.warning.startswith("\u25b2 Liquidation comes nearer")
    assert "Afterwards: margin 832.07 USDT" in fine.lines[3]


def test_without_anything_added_nothing_can_leave():
    rig, position = held(added="")
    assert withdrawable(position, rig.engine)[0] == 0
    assert "that may leave" in margin_terms(position, D(1), False, rig.engine).problem


@pytest.mark.parametrize("least", [55.0, 60.0, 80.0])
def test_what_may_leave_is_what_the_desk_lets_go_to_the_cent(least):
    rig, position = held(Settings(paper=Paper(latency_ms=0), risk=Risk(liq_distance_min_pct=least)))
    most, why = withdrawable(position, rig.engine)
    assert f"{least:g} %" in why
    assert most < 300
    rig.submit(WithdrawMargin(1, most + D("0.01")))
    assert isinstance(rig.engine.outcomes[-1], Refused)
    if most:
        rig.submit(WithdrawMargin(1, most))
        assert not isinstance(rig.engine.outcomes[-1], Refused)


def test_without_a_perpetual_there_is_no_margin_to_move():
    rig, position = held(added="")
    liquidated(rig, "adl")
    assert "no perpetual" in margin_terms(position, D(1), True, rig.engine).problem


def test_the_dialog_is_as_high_as_its_words(qtbot):
    rig, _ = held()
    panel = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    dialog = panel.ask(1, "withdraw_margin")
    dialog.setFont(THEME.font())
    qtbot.keyClicks(dialog.amount.edit, "200")
    qtbot.waitExposed(dialog)
    for label in (dialog.lines, dialog.warning):
        assert label.height() >= label.heightForWidth(label.width())
    dialog.amount.edit.clear()
    qtbot.keyClicks(dialog.amount.edit, "2000")
    assert not dialog.send_button.isEnabled()
    dialog.reject()


# --- a refusal is seen where it was asked ---------------------------------------------------------


def test_a_refusal_stands_under_the_positions_for_ten_seconds(qtbot):
    rig, _ = held()
    panel = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    assert panel.refused.isHidden()
    rig.submit(WithdrawMargin(1, D(2000)))
    panel.refresh()
    assert panel.refused.text().startswith("\u25b2 Withdraw margin refused: 2,000.00 USDT is more")
    assert not panel.refused.isHidden()
    rig.wait(9)
    assert refused_text(rig.engine)
    assert not refused_text(rig.engine, of=("open_pair",))
    rig.wait(2)
    panel.refresh()
    assert panel.refused.isHidden()
    assert refused_text(rig.engine, speed=20.0)  # eleven seconds of a fast demo are half a second
