"""The ticket: refuses with the reason, sends exactly what it shows, never overwrites a person."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.clock import mono_s
from basisdesk.events import ExitPlan, Halt, OpenPair, SetValue
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


def type_into(qtbot, field, text):
    field.edit.selectAll()
    qtbot.keyClicks(field.edit, text)


def reason(ticket):
    return ticket.form.verdict.text()


def test_it_starts_filled_in_sensibly_and_able_to_open(ticket):
    draft = ticket.draft()
    assert draft.complete
    assert draft.size == D(6800)
    assert ticket.form.unit.text() == "ADA"
    assert ticket.form.open_button.isEnabled()
    assert ticket.form.open_button.text() == "Open: buy spot, short perp"
    assert reason(ticket).startswith("\u25b2")


def test_clicking_open_sends_exactly_the_order_shown(qtbot, rig, ticket):
    rig.deaf = True
    typed = ("4,000", "3", "2.5", "130", "48")
    for field, text in zip(ticket.form.suggestible, typed, strict=True):
        type_into(qtbot, field, text)
    shown = ticket.sheet.request
    qtbot.mouseClick(ticket.form.open_button, Qt.MouseButton.LeftButton)
    (sent,) = rig.orders(OpenPair)
    plan = ExitPlan(D("2.5"), D(130), D(48))
    assert sent == shown == OpenPair(SPOT, PERP, D(4000), D(3), plan)


def test_a_double_click_is_one_order(qtbot, rig, ticket):
    rig.deaf = True
    qtbot.mouseClick(ticket.form.open_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(ticket.form.open_button, Qt.MouseButton.LeftButton)
    ticket.open_shown()
    assert len(rig.orders(OpenPair)) == 1
    assert ticket.form.open_button.text() == "Sent"


def test_the_reverse_direction_says_and_sends_the_reverse(qtbot, rig, ticket):
    rig.deaf = True
    told = []
    ticket.direction_changed.connect(told.append)
    qtbot.mouseClick(ticket.form.directions[-1], Qt.MouseButton.LeftButton)
    assert told == [-1]
    assert ticket.form.open_button.text() == "Open: sell spot, buy perp"
    assert ticket.draft().stop_bp < ticket.draft().target_bp
    ticket.open_shown()
    (sent,) = rig.orders(OpenPair)
    assert (sent.long, sent.short) == (PERP, SPOT)
    assert "borrowed Bybit spot ADAUSDT" in ticket.form.directions[-1].accessibleDescription()


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [
        (0, "0.05", "trades in steps of 0.1 ADA"),
        (0, "0.5", "smallest order is"),
        (0, "900,000", "needs"),
        (0, "30,000", "free"),
        (3, "1", "stop has to be above the target"),
    ],
)
def test_what_the_desk_would_refuse_is_refused_here_with_its_reason(
    qtbot, rig, ticket, place, text, said
):
    type_into(qtbot, ticket.form.fields[2], "2")
    type_into(qtbot, ticket.form.fields[place], text)
    assert not ticket.form.open_button.isEnabled()
    assert ticket.form.open_button.text() == "Cannot open now"
    assert said in reason(ticket)
    assert ticket.form.open_button.accessibleDescription() in reason(ticket)
    ticket.open_shown()
    assert rig.orders(OpenPair) == []


def test_a_stale_leg_is_refused_and_named(rig, ticket):
    rig.wait(5)
    ticket.recompute()
    assert not ticket.form.open_button.isEnabled()
    assert "old (limit 2" in reason(ticket)


def test_a_halted_desk_is_refused(rig, ticket):
    rig.submit(Halt("test"))
    ticket.recompute()
    assert not ticket.form.open_button.isEnabled()
    assert "halted (test)" in reason(ticket)


@pytest.mark.parametrize(
    ("place", "text"), [(0, "abc"), (0, "1,5"), (0, "0"), (1, "6"), (1, "0.5"), (4, "0"), (0, "")]
)
def test_what_cannot_be_read_gets_a_sentence_beside_its_field(qtbot, rig, ticket, place, text):
    field = ticket.form.fields[place]
    field.edit.clear()
    type_into(qtbot, field, text or "x")
    if not text:
        qtbot.keyClick(field.edit, Qt.Key.Key_Backspace)
    assert field.value is None
    assert not field.problem.isHidden()
    assert field.problem.text().endswith(".")
    assert not ticket.form.open_button.isEnabled()
    ticket.open_shown()
    assert rig.orders(OpenPair) == []


def test_levels_nobody_touched_follow_the_market_and_no_fresh_pair_meets_its_own_stop(
    qtbot, rig, ticket
):
    calm = ticket.draft().stop_bp
    rig.move(0.3640, 120.0)
    ticket.recompute()
    assert ticket.draft().stop_bp > calm
    assert ticket.sheet.refusal is None or "stop" not in ticket.sheet.refusal.text
    type_into(qtbot, ticket.form.stop, "200")
    rig.move(0.3640, 20.0)
    ticket.recompute()
    assert ticket.draft().stop_bp == D("200")


def test_what_a_person_typed_is_never_overwritten(qtbot, rig, ticket):
    type_into(qtbot, ticket.form.target, "7.25")
    before = ticket.draft()
    for n in range(20):
        rig.move(0.3640 + n * 0.0005, 68.0 - n)
        ticket.recompute()
    after = ticket.draft()
    assert (after.size, after.leverage) == (before.size, before.leverage)
    assert after.target_bp == D("7.25")
    ticket.set_direction(-1)
    assert ticket.draft().target_bp == D("7.25")


def test_a_dragged_line_moves_the_field_and_the_field_the_line(qtbot, ticket):
    plans = []
    ticket.plan_changed.connect(plans.append)
    ticket.set_target(12.34)
    ticket.set_stop(151.0)
    assert (ticket.form.target.edit.text(), ticket.form.stop.edit.text()) == ("12.3", "151")
    type_into(qtbot, ticket.form.stop, "160")
    entry, target, stop = plans[-1]
    assert (target, stop) == (12.3, 160.0)
    assert entry == pytest.approx(ticket.sheet.entry_bp)
    ticket.set_target(float("nan"))
    assert ticket.form.target.edit.text() == "12.3"


def told_sizes(rig):
    return [c.value for c in rig.sent if isinstance(c, SetValue) and c.key == "ticket.qty"]


def test_the_engine_is_told_a_size_once_it_has_rested(qtbot, rig, ticket):
    for _ in range(5):
        ticket.recompute()
    assert told_sizes(rig) == ["6800"]
    type_into(qtbot, ticket.form.size_field, "500")  # by way of 5 and 50
    ticket.recompute()
    assert told_sizes(rig) == ["6800"]
    qtbot.waitUntil(lambda: len(told_sizes(rig)) > 1, timeout=3000)
    assert told_sizes(rig) == ["6800", "500"]
    assert rig.engine.shown().qty == 500.0


@pytest.mark.parametrize("text", ["900,000", "30,000", "0.05", "0.5"])
def test_a_size_that_is_refused_for_itself_is_not_told(qtbot, rig, ticket, text):
    type_into(qtbot, ticket.form.size_field, text)
    ticket.recompute()
    assert ticket.sheet.refusal is not None
    assert not ticket._size.waiting
    ticket._size.tell_now()
    assert told_sizes(rig) == ["6800"]


def test_opening_tells_the_size_at_once(qtbot, rig, ticket):
    rig.deaf = True
    type_into(qtbot, ticket.form.size_field, "500")
    ticket.open_shown()
    assert told_sizes(rig) == ["6800", "500"]
    assert [type(c) for c in rig.sent][-2:] == [SetValue, OpenPair]


def test_after_an_order_the_button_rests_a_second(qtbot, rig, ticket):
    rig.deaf = True
    ticket.open_shown()
    sent_s = mono_s()
    ticket.recompute()
    assert (ticket.form.open_button.text(), ticket.form.open_button.isEnabled()) == ("Sent", False)
    qtbot.waitUntil(ticket.form.open_button.isEnabled, timeout=3000)  # by itself, on a still market
    assert mono_s() - sent_s > 0.95
    assert len(rig.orders(OpenPair)) == 1


def test_the_verdict_is_a_footer_and_whole(qtbot, rig, ticket):
    ticket.resize(330, 260)
    ticket.show()
    qtbot.waitExposed(ticket)
    type_into(qtbot, ticket.form.target, "2")
    form = ticket.form
    for text in ("4,000", "900,000", "0.05"):
        type_into(qtbot, form.size_field, text)
        qtbot.wait(20)
        assert form.verdict.parent() is form  # outside of what scrolls
        assert form.verdict.height() >= form.verdict.heightForWidth(form.verdict.width()) > 0
        bottom = form.verdict.mapTo(form, form.verdict.rect().bottomLeft()).y()
        assert bottom < form.open_button.y()
        assert form.open_button.geometry().bottom() < form.height()
    form.show_verdict("o", "word " * 50, "warn")
    qtbot.wait(20)
    assert form.verdict.height() >= 4 * form.verdict.fontMetrics().height()
    assert form.open_button.geometry().bottom() < form.height()


def test_the_unit_of_the_size_switches_and_the_order_stays_in_base(qtbot, rig, ticket):
    rig.deaf = True
    qtbot.mouseClick(ticket.form.unit, Qt.MouseButton.LeftButton)
    assert ticket.form.unit.text() == "USDT"
    type_into(qtbot, ticket.form.size_field, "1,000")
    ticket.open_shown()
    (sent,) = rig.orders(OpenPair)
    assert sent.qty == D("2747.6")  # 1,000 / 0.36395, whole lots


def test_max_takes_the_largest_size_the_desk_takes(qtbot, rig, ticket):
    qtbot.mouseClick(ticket.form.max_link, Qt.MouseButton.LeftButton)
    assert ticket.sheet.request.qty == ticket.sheet.max_qty > 10_000
    assert ticket.sheet.refusal is None


def test_arrow_keys_step_a_field(qtbot, ticket):
    type_into(qtbot, ticket.form.leverage, "4.5")
    qtbot.keyClick(ticket.form.leverage.edit, Qt.Key.Key_Up)
    qtbot.keyClick(ticket.form.leverage.edit, Qt.Key.Key_Up)  # 5.5 is not allowed
    assert ticket.form.leverage.value == 5
    qtbot.keyClick(ticket.form.leverage.edit, Qt.Key.Key_Down)
    assert ticket.form.leverage.value == D("4.5")


def test_before_any_pair_it_waits_and_says_so(qtbot):
    rig = Rig()
    panel = TicketPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.recompute()
    assert not panel.form.open_button.isEnabled()
    assert "No pair on the screen" in reason(panel)
    rig.frame("desk.command", SetValue("pair", f"{SPOT} {PERP}"))
    panel.recompute()
    assert "Waiting" in reason(panel) or "No " in reason(panel)


def test_another_pair_starts_afresh(qtbot, rig, ticket):
    type_into(qtbot, ticket.form.size_field, "123")
    rig.frame("desk.command", SetValue("pair", "bybit:spot:SOLUSDT bybit:perp:SOLUSDT"))
    ticket.recompute()
    assert ticket.form.size_field.value is None
    assert not ticket.form.open_button.isEnabled()


def test_the_sheet_follows_the_market_but_not_more_than_five_times_a_second(qtbot, rig, ticket):
    asked = []
    real = rig.engine.sheet
    rig.engine.sheet = lambda request: asked.append(request) or real(request)
    for _ in range(50):
        ticket.refresh()
    assert len(asked) <= 1
    qtbot.waitUntil(lambda: len(asked) >= 1, timeout=2000)  # the last change is never left out


def test_every_field_and_button_has_a_name_for_a_screen_reader(ticket):
    form = ticket.form
    for field in form.fields:
        assert field.edit.accessibleName()
    for button in (form.open_button, form.unit, form.max_link, *form.directions.values()):
        assert button.accessibleName() or button.text()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
