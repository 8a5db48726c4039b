"""The execution and the exit plan, in the ticket and in its dialog: what they send and say."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import Execution, ExitPlan, OpenPair, SetValue
from basisdesk.ui.plan_dialog import PlanDialog
from basisdesk.ui.ticket_panel import TicketPanel

D = Decimal


@pytest.fixture
def rig():
    return Rig().begin()


@pytest.fixture
def ticket(qtbot, rig):
    panel = TicketPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.recompute()
    return panel


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def type_into(qtbot, field, text):
    field.edit.selectAll()
    qtbot.keyClick(field.edit, Qt.Key.Key_Delete)
    qtbot.keyClicks(field.edit, text)


def words(ticket):
    return ticket.form.execution.words.text().replace("\u00a0", " ")


def sent_how(rig, ticket):
    rig.deaf = True
    ticket.open_shown()
    (sent,) = rig.orders(OpenPair)
    return sent.how


def test_it_starts_as_a_market_order_that_hedges_now(rig, ticket):
    box = ticket.form.execution
    assert box.details.isHidden()
    assert not box.policy.isHidden()
    assert words(ticket) == ("Market, both legs; if one fails: hedge now, unwind after 30 s.")
    assert sent_how(rig, ticket) == Execution()


def test_a_limit_starts_at_the_executable_basis_and_stays_there(qtbot, rig, ticket):
    box = ticket.form.execution
    click(qtbot, box.fold)
    click(qtbot, box.style_choice.buttons["limit"])
    basis = round(rig.engine.shown().now.open_bp, 1)
    assert float(box.limit.value) == basis
    assert f"once the basis is {basis:.1f} bp or above" in words(ticket)
    rig.move(0.3640, 30.0)
    ticket.recompute()
    assert float(box.limit.value) == basis
    click(qtbot, box.limit.findChildren(type(box.fold))[0])  # "now"
    assert float(box.limit.value) == round(rig.engine.shown().now.open_bp, 1) < basis


def test_a_limit_is_sent_as_typed_and_the_button_says_so(qtbot, rig, ticket):
    box = ticket.form.execution
    click(qtbot, box.style_choice.buttons["limit"])
    type_into(qtbot, box.limit, "72.5")
    type_into(qtbot, box.good_for, "900")
    click(qtbot, box.policy.buttons["unwind"])
    assert ticket.form.open_button.text() == "Limit: buy spot, short perp"
    assert sent_how(rig, ticket) == Execution(
        style="limit", policy="unwind", limit_bp=D("72.5"), good_for_s=D(900)
    )


def test_an_empty_limit_cannot_be_sent(qtbot, rig, ticket):
    box = ticket.form.execution
    click(qtbot, box.style_choice.buttons["limit"])
    box.limit.edit.selectAll()
    qtbot.keyClick(box.limit.edit, Qt.Key.Key_Delete)
    assert not ticket.form.open_button.isEnabled()
    ticket.open_shown()
    assert rig.orders(OpenPair) == []


@pytest.mark.parametrize(("direction", "leg"), [(1, "long"), (-1, "short")])
def test_the_resting_leg_is_named_and_stays_the_same_leg_in_the_reverse(
    qtbot, rig, ticket, direction, leg
):
    box = ticket.form.execution
    click(qtbot, box.style_choice.buttons["passive"])
    ticket.set_direction(direction)
    click(qtbot, box.resting.buttons["0"])
    assert box.resting.buttons["0"].text() == "spot"
    assert box.draft().passive_leg == leg
    assert words(ticket).startswith("Passive, spot rests at its best")
    click(qtbot, box.resting.buttons["1"])
    assert words(ticket).startswith("Passive, perp rests at its best")
    assert box.draft().passive_leg != leg


def test_slices_and_pay_up_appear_where_they_matter(qtbot, ticket):
    box = ticket.form.execution
    click(qtbot, box.fold)
    assert box.gap.isHidden()
    assert box.pay_up.isHidden()
    assert box.good_for.isHidden()
    type_into(qtbot, box.slices, "5")
    assert not box.gap.isHidden()
    click(qtbot, box.policy.buttons["retry"])
    assert not box.pay_up.isHidden()
    assert "5 slices 30 s apart" in words(ticket)
    assert box.draft().execution() == Execution(policy="retry", slices=5)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("slices", "2.5", "2.5 is no whole number, such as 2."),
        ("slices", "51", "51 is outside 1 to 50."),
        ("slices", "0", "0 is outside 1 to 50."),
    ],
)
def test_a_field_out_of_bounds_blocks_the_order_with_a_sentence(
    qtbot, rig, ticket, field, text, said
):
    box = ticket.form.execution
    click(qtbot, box.fold)
    type_into(qtbot, getattr(box, field), text)
    assert said in getattr(box, field).problem.text()
    assert not ticket.form.open_button.isEnabled()
    assert f"Slices {said}" in ticket.form.verdict.text()
    ticket.open_shown()
    assert rig.orders(OpenPair) == []


def test_what_a_hidden_field_holds_blocks_nothing(qtbot, rig, ticket):
    box = ticket.form.execution
    click(qtbot, box.policy.buttons["retry"])
    type_into(qtbot, box.pay_up, "0.5")
    assert not ticket.form.open_button.isEnabled()
    click(qtbot, box.policy.buttons["hedge"])
    assert ticket.form.open_button.isEnabled()
    assert sent_how(rig, ticket) == Execution()


def test_a_problem_cannot_be_folded_away(qtbot, ticket):
    box = ticket.form.execution
    click(qtbot, box.fold)
    type_into(qtbot, box.slices, "99")
    click(qtbot, box.fold)
    assert not box.details.isHidden()


def test_a_dragged_entry_line_is_a_limit_order(ticket):
    told = []
    ticket.plan_changed.connect(told.append)
    ticket.set_entry(75.04)
    box = ticket.form.execution
    assert (box.style_choice.code, box.limit.value) == ("limit", D("75.0"))
    assert not box.details.isHidden()
    assert told[-1][0] == 75.0
    ticket.set_entry(float("nan"))
    assert box.limit.value == D("75.0")


def test_another_direction_has_another_limit(qtbot, rig, ticket):
    box = ticket.form.execution
    click(qtbot, box.style_choice.buttons["limit"])
    type_into(qtbot, box.limit, "90")
    ticket.set_direction(-1)
    assert float(box.limit.value) == round(rig.engine.shown().now.close_bp, 1)
    assert "or below" in words(ticket)


# --- the exit plan --------------------------------------------------------------------------------


def test_no_entry_without_a_stop_or_without_any_target(qtbot, rig, ticket):
    plan, button = ticket.form.plan, ticket.form.open_button
    type_into(qtbot, plan.stop, "")
    assert not button.isEnabled()
    assert "needs a stop basis" in ticket.form.verdict.text()
    type_into(qtbot, plan.stop, "130")
    assert button.isEnabled()
    type_into(qtbot, plan.target, "")
    assert not button.isEnabled()
    assert "needs a target" in ticket.form.verdict.text()
    ticket.open_shown()
    assert rig.orders(OpenPair) == []


def test_a_net_profit_target_is_a_target_and_the_other_rules_go_along(qtbot, rig, ticket):
    plan = ticket.form.plan
    type_into(qtbot, plan.target, "")
    type_into(qtbot, plan.net, "25")
    type_into(qtbot, plan.stop, "130")
    type_into(qtbot, plan.hold, "")
    type_into(qtbot, plan.funding, "3.5")
    click(qtbot, plan.sector)
    assert ticket.request.exit == ExitPlan(None, D(130), None, D(25), D("3.5"), True)


def test_a_cleared_target_is_not_filled_in_again(qtbot, rig, ticket):
    type_into(qtbot, ticket.form.plan.target, "")
    rig.move(0.3640, 90.0)
    ticket.recompute()
    assert ticket.form.plan.target.value is None


def test_the_sector_rule_says_that_nothing_feeds_it_until_something_does(rig, ticket):
    plan = ticket.form.plan
    assert plan.sector_note.text() == "no source"
    assert "ADA" in plan.sector.accessibleDescription()
    rig.submit(SetValue("sector.ADA", "for"))
    ticket.recompute()
    assert plan.sector_note.text() == "for"


def test_another_pair_forgets_the_whole_plan(qtbot, rig, ticket):
    type_into(qtbot, ticket.form.plan.net, "25")
    click(qtbot, ticket.form.plan.sector)
    rig.show_pair("bybit:spot:SOLUSDT", "bybit:perp:SOLUSDT")
    ticket.recompute()
    assert ticket.form.plan.plan() == ExitPlan()


@pytest.fixture
def dialog(qtbot):
    plan = ExitPlan(D(3), D(120), D(72), D(25), D(2), True)
    shown = PlanDialog("ADA", plan, THEME)
    qtbot.addWidget(shown)
    return shown


def test_the_dialog_gives_back_the_plan_it_was_given(dialog):
    assert dialog.plan() == ExitPlan(D(3), D(120), D(72), D(25), D(2), True)
    assert dialog.set_button.isEnabled()


def test_the_dialog_refuses_a_plan_that_could_not_have_been_opened(qtbot, dialog):
    chosen = []
    dialog.chosen.connect(chosen.append)
    type_into(qtbot, dialog.rules.stop, "")
    assert dialog.plan() is None
    assert not dialog.set_button.isEnabled()
    assert "needs a stop basis" in dialog.note.text()
    dialog.accept()
    assert chosen == []


def test_the_dialog_says_what_cannot_be_read(qtbot, dialog):
    type_into(qtbot, dialog.rules.funding, "a lot")
    assert not dialog.set_button.isEnabled()
    assert dialog.note.text() == "Funding: Enter a figure such as 10,000 or 0.5."
    type_into(qtbot, dialog.rules.funding, "")
    assert dialog.set_button.isEnabled()
    assert "closes the pair" in dialog.note.text()


def test_a_chosen_plan_is_handed_over_once(qtbot, dialog):
    chosen = []
    dialog.chosen.connect(chosen.append)
    type_into(qtbot, dialog.rules.target, "5")
    click(qtbot, dialog.set_button)
    assert chosen == [ExitPlan(D(5), D(120), D(72), D(25), D(2), True)]


# --- the window's width ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [336, 400])
@pytest.mark.parametrize("style", ["market", "limit", "passive"])
def test_nothing_is_cut_at_the_widths_of_the_dock(qtbot, ticket, width, style):
    box = ticket.form.execution
    click(qtbot, box.style_choice.buttons[style])
    click(qtbot, box.policy.buttons["retry"])
    box.unfold(True)
    type_into(qtbot, box.slices, "5")
    ticket.setStyleSheet(THEME.style_sheet())
    ticket.setFont(THEME.font())
    ticket.resize(width, 500)  # low enough for a scroll bar
    ticket.show()
    qtbot.waitExposed(ticket)
    body = ticket.form.board.parentWidget()
    assert ticket.width() == width
    assert body.minimumSizeHint().width() <= body.parentWidget().width() < width
    for labels in ticket.form.board.lines:
        for label in labels:
            assert label.isHidden() or label.width() >= label.sizeHint().width()


def test_tab_goes_as_one_reads(qtbot, ticket):
    form = ticket.form
    ticket.show()
    qtbot.waitExposed(ticket)
    order = [form.size_field.edit, form.leverage.edit, form.plan.target.edit, form.plan.stop.edit,
             form.plan.net.edit, form.plan.hold.edit, form.plan.funding.edit, form.plan.sector,
             form.execution.fold, form.open_button]  # fmt: skip
    seen = []
    at = form.size_field.edit
    for _ in range(200):
        if at in order:
            seen.append(at)
        at = at.nextInFocusChain()
        if at is form.size_field.edit:
            break
    assert seen == order


def test_the_pair_of_the_rig_is_the_one_that_is_sent(rig, ticket):
    rig.deaf = True
    ticket.open_shown()
    (sent,) = rig.orders(OpenPair)
    assert (sent.long, sent.short) == (SPOT, PERP)
