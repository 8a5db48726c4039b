"""A plan that the market has reached already closes nothing by surprise: rows, dialog, chart."""

from decimal import Decimal

import pytest
from book_rig import PLAN, begun, later, liquidated, opened
from PySide6.QtCore import Qt
from ui_rig import THEME

from basisdesk.events import ClosePair, ExitPlan, SetPlan
from basisdesk.ui.basis_panel import BasisPanel
from basisdesk.ui.basis_scene import own_name
from basisdesk.ui.plan_rows import close_basis, reached_by, reached_text, with_level
from basisdesk.ui.positions_panel import PositionsPanel
from basisdesk.ui.ticket_rules import bare_problem

D = Decimal


@pytest.fixture
def rig():
    rig = opened(begun())
    rig.deaf = True
    return rig


def test_a_reached_rule_is_named_with_basis_and_money(rig):
    position, engine = rig.engine.desk.pairs[1], rig.engine
    basis = close_basis(position, engine)
    assert 60 < basis < 90
    assert reached_by(PLAN, position, engine) == ""
    assert reached_text(PLAN, position, engine) == ""
    said = reached_text(ExitPlan(D(100), D(150)), position, engine)
    assert said.startswith(f"The close basis is +{basis:.1f} bp: this target of 100 bp is reached")
    assert "the pair would close at market and end at about \u2212" in said
    assert said.endswith(" USDT.")
    assert "this stop of 20 bp is reached" in reached_text(ExitPlan(D(3), D(20)), position, engine)


def test_net_and_time_are_reached_too(rig):
    position, engine = rig.engine.desk.pairs[1], rig.engine
    assert reached_by(ExitPlan(None, D(150), None, D(-50)), position, engine) == "net"
    assert reached_by(ExitPlan(None, D(150), None, D(50)), position, engine) == ""
    later(rig, 7_300)
    assert reached_by(ExitPlan(D(3), D(150), D(2)), position, engine) == "time"
    assert "held for longer than 2 h" in reached_text(
        ExitPlan(D(3), D(150), D(2)), position, engine
    )


def test_of_a_naked_pair_no_basis_rule_is_reached(rig):
    liquidated(rig, "adl")
    position = rig.engine.desk.pairs[1]
    assert reached_by(ExitPlan(D(100), D(20)), position, rig.engine) == ""
    assert bare_problem(ExitPlan(D(100), D(20))).startswith("One leg is held alone")
    assert bare_problem(ExitPlan(max_hold_h=D(2))) == ""


def test_the_dialog_rests_and_offers_to_close_instead(qtbot, rig):
    panel = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    dialog = panel.edit_plan(1)
    assert dialog.set_button.isEnabled()
    assert dialog.close_button.isHidden()
    dialog.propose(ExitPlan(D(100), D(150), D(72)))
    assert not dialog.set_button.isEnabled()
    assert "is reached now" in dialog.note.text()
    assert dialog.plan() is None
    dialog.accept()
    assert rig.orders() == []
    again = panel.edit_plan(1, ExitPlan(D(100), D(150), D(72)))
    assert not again.close_button.isHidden()
    qtbot.mouseClick(again.close_button, Qt.MouseButton.LeftButton)
    assert rig.orders() == [ClosePair(1)]
    assert again.over


def test_the_dialog_follows_the_market(qtbot, rig):
    panel = PositionsPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    dialog = panel.edit_plan(1, ExitPlan(D(40), D(150), D(72)))
    assert dialog.set_button.isEnabled()
    rig.move(0.364, 20.0)
    panel.refresh()
    assert not dialog.set_button.isEnabled()


def test_a_line_dropped_beyond_the_market_asks_first(qtbot, rig):
    charts = BasisPanel(rig.context, THEME)
    panel = PositionsPanel(rig.context, THEME)
    for each in (charts, panel):
        qtbot.addWidget(each)
        each.refresh()
    asked = []
    charts.plan_proposed.connect(asked.append)
    charts.show_pair(1)
    charts.refresh()
    charts._on_line_dropped(own_name(1, "target"), 100.2)
    assert asked == [(1, with_level(PLAN, "target", 100.0))]
    assert rig.orders() == []
    assert charts._readout.text().startswith("Not set. The close basis is +")
    charts._on_line_dropped(own_name(1, "stop"), 140.1)
    assert rig.orders() == [SetPlan(1, with_level(PLAN, "stop", 140.0))]
    panel.on_plan_proposed(asked[0])
    assert not panel._dialogs[-1].set_button.isEnabled()
    panel._dialogs[-1].reject()
