"""The guide marks what was no good when the order was taken, and says so in figures."""

from decimal import Decimal

import pytest
from book_rig import opened
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.config import Paper, Settings
from basisdesk.events import ClosePair, Drill, ExitPlan, OpenPair
from basisdesk.ui.guide_panel import GuidePanel
from basisdesk.ui.guide_rows import steps
from basisdesk.ui.guide_taken import Taken, left_bp, size_was, spread_was, taken_of

D = Decimal
PLAN = ExitPlan(D(3), D(150), D(72))
ORDER = OpenPair(SPOT, PERP, D(1000), D(2), PLAN)


@pytest.fixture
def rig():
    return Rig(Settings(paper=Paper(latency_ms=0))).begin()


def test_an_entry_that_paid_has_a_plain_tick(rig):
    taken = taken_of(rig.engine.sheet(ORDER))
    rig.submit(ORDER)
    position = rig.engine.desk.pairs[1]
    sheet_left = 68 - 3 - 31  # entry near 65.9, four fees of 31 bp
    assert left_bp(position) == pytest.approx(sheet_left, abs=6)
    found = steps(rig.engine, None, 1, taken)
    assert [step.state for step in found[:3]] == ["done"] * 3
    assert "bp after costs to target +3.0 bp." in found[1].said
    assert "within the suggested" in found[2].said


def test_what_its_own_text_had_refused_is_marked(rig):
    rig.move(0.364, 12.0)
    order = OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(-5), D(150), D(72)))
    sheet = rig.engine.sheet(order)
    assert sheet.verdict_kind == "no"
    rig.submit(order)
    position = rig.engine.desk.pairs[1]
    edge = sheet.rule.executable_bp - sheet.rule.fees_bp
    if not sheet.rule.beyond:
        assert left_bp(position) == pytest.approx(edge, abs=0.5)
    found = steps(rig.engine, None, 1, taken_of(sheet))
    assert [step.state for step in found[:4]] == ["done", "marked", "marked", "done"]
    assert "It did not pay: \u2212" in found[1].said
    assert "More than suggested: no size was, for " in found[2].said
    assert found[5].state == "now"  # a mark holds nothing up


def test_a_size_beyond_the_advice_is_marked_and_without_memory_said_plainly():
    rig = opened(Rig().begin())
    position, engine = rig.engine.desk.pairs[1], rig.engine
    more = Taken(SPOT, PERP, D(4000), D(2500), "2500 ADA: stress.")
    was = size_was(position, engine, more)
    assert (was.fair, was.said) == (
        False,
        "4,000 ADA at 2\u00d7. More than the suggested 2,500 ADA.",
    )
    other = more._replace(qty=D(999))
    for none in (None, other, more._replace(suggested=None)):
        assert "what was suggested then is not kept" in size_was(position, engine, none).said
    assert size_was(position, engine, more._replace(suggested=D(4000))).fair


def test_a_plan_without_a_target_basis_cannot_be_measured():
    rig = opened(Rig().begin(), plan=ExitPlan(None, D(120), None, D(5)))
    was = spread_was(rig.engine.desk.pairs[1])
    assert was.fair
    assert was.said.endswith("the plan has no target basis to measure it by.")
    one = opened(Rig().begin(), short_qty="")
    assert "looked at" in spread_was(one.engine.desk.pairs[1]).said


def test_the_panel_remembers_the_sheet_of_the_order(qtbot, rig):
    rig.move(0.364, 12.0)
    panel = GuidePanel(rig.context, THEME, lambda: ORDER)
    qtbot.addWidget(panel)
    panel.refresh()
    rig.submit(ORDER)
    panel.refresh()
    assert panel.pair == 1
    assert panel.views[2].mark.text() == "\u2713!"
    assert not panel.views[2].said.isHidden()
    assert "not as advised" in panel.views[2].accessibleName()


def test_of_a_naked_pair_only_rules_that_can_act_are_named(rig):
    rig.submit(ORDER)
    rig.submit(Drill("adl", pair=1))
    rig.move(0.364, 68.0)
    found = steps(rig.engine, None, 1)
    for place in (0, 4, 5, 6):
        assert "150" not in found[place].said
        assert "\u2264" not in found[place].said
    assert "Only its time stop (72 h) can close it by itself" in found[6].said


def test_the_panel_remembers_the_order_of_a_pair_it_did_not_follow_yet(qtbot, rig):
    order = ORDER
    panel = GuidePanel(rig.context, THEME, lambda: order)
    qtbot.addWidget(panel)
    panel.refresh()
    rig.submit(ORDER)
    panel.refresh()
    order = OpenPair(SPOT, PERP, D(600), D(2), PLAN)
    panel._looked_s = -1e9
    panel.refresh()  # it follows #1 and looks at the ticket
    assert panel.pair == 1
    rig.submit(order)
    panel.refresh()
    assert panel.pair == 2
    assert "not kept" not in panel.views[2].said.text()
    rig.submit(ClosePair(2))
    panel._looked_s = -1e9
    panel.refresh()
    assert panel.pair == 1
    assert "not kept" not in panel.views[2].said.text()
