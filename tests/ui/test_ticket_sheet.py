"""What a person types, what it asks for, and the cost sheet as text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui_rig import PERP, SPOT, Rig, instrument

from basisdesk.events import Execution, ExitPlan, OpenPair
from basisdesk.ui import ticket_sheet as sheets
from basisdesk.ui.figures import size_text
from basisdesk.ui.ticket_sheet import Draft, amount, within

D = Decimal


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("10,000", "10000"),
        ("10 000", "10000"),
        ("1,234,567.89", "1234567.89"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("\u22124.5", "-4.5"),
        ("-4.5", "-4.5"),
        (" 72 ", "72"),
        ("+3", "3"),
        ("1234567.123456789", "1234567.123456789"),
    ],
)
def test_figures_are_read_exactly(typed, value):
    assert amount(typed) == D(value)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "abc",
        "1,5",
        "1.2.3",
        "1e5",
        "nan",
        "inf",
        "--1",
        "\u0661",
        "1,00,000",
        "0x10",
        "9" * 40,
        "1.5%",
    ],
)
def test_anything_else_is_one_sentence(typed):
    said = amount(typed)
    assert isinstance(said, str)
    assert said.endswith(".")


def test_a_decimal_comma_is_told_apart_from_thousands():
    assert amount("1,5") == "Use a point for decimals, commas only between thousands: 1.5 or 1,500."


@given(st.text(max_size=40))
def test_no_typing_raises(typed):
    found = amount(typed)
    assert isinstance(found, str) or found.is_finite()


@given(st.decimals("-1e12", "1e12", places=8))
def test_what_the_field_shows_is_read_back_as_the_same_figure(value):
    assert amount(size_text(value)) == value


def test_limits_are_said_in_the_units_of_the_field():
    assert within(D(6), D(1), D(5)) == "6 is outside 1 to 5."
    assert within(D("0.5"), D(1), D(5)) == "0.5 is outside 1 to 5."
    assert within(D(0), D(0), above=True) == "0 is not above 0."
    assert within(D(20_000), D(-10_000), D(10_000), "bp") == (
        "20,000 bp is outside \u221210,000 to 10,000 bp."
    )
    assert within("no figure.", D(1)) == "no figure."
    assert within(D(5), D(1), D(5)) == 5


def draft(**changes):
    fields = {
        "size": D(10_000), "leverage": D(2), "target_bp": D(3), "stop_bp": D(120), "hold_h": D(72),
    }  # fmt: skip
    return Draft(**(fields | changes))


def test_a_complete_draft_is_exactly_one_order():
    pair = (SPOT, PERP)
    plan = ExitPlan(D(3), D(120), D(72))
    rule = instrument("spot")
    assert draft().request(pair, rule, 0.364) == OpenPair(SPOT, PERP, D(10_000), D(2), plan)
    reverse = draft(direction=-1).request(pair, instrument("perp"), 0.364)
    assert (reverse.long, reverse.short) == (PERP, SPOT)


@pytest.mark.parametrize("gone", ["size", "leverage", "target_bp", "stop_bp", "how"])
def test_a_missing_field_is_no_order(gone):
    assert draft(**{gone: None}).request((SPOT, PERP), instrument("spot"), 0.364) is None


def test_a_net_target_stands_for_a_target_basis_and_the_time_stop_may_be_left_out():
    asked = draft(target_bp=None, net_target=D(25), hold_h=None, funding_bp=D(3), sector=True)
    got = asked.request((SPOT, PERP), instrument("spot"), 0.364)
    assert got.exit == ExitPlan(None, D(120), None, D(25), D(3), True)


def test_the_execution_goes_with_the_order():
    how = Execution(style="limit", limit_bp=D(68), slices=3)
    got = draft(how=how).request((SPOT, PERP), instrument("spot"), 0.364)
    assert got.how == how


def test_a_size_in_quote_is_cut_to_whole_lots():
    got = draft(size=D(1000), in_quote=True).request((SPOT, PERP), instrument("spot"), 0.364)
    assert got.qty == D("2747.2")
    assert draft(size=D(1000), in_quote=True).request((SPOT, PERP), None, 0.364) is None
    nan = float("nan")
    assert draft(size=D(1), in_quote=True).request((SPOT, PERP), instrument("spot"), nan) is None


def test_switching_the_unit_keeps_the_worth():
    rule = instrument("spot")
    there = sheets.switched(draft(), 0.364, rule)
    assert (there.size, there.in_quote) == (D("3640.00"), True)
    assert sheets.switched(there, 0.364, rule).size == D(10_000)


def test_a_sensible_start_is_a_quarter_of_equity_out_near_fair():
    rig = Rig().begin()
    shown = rig.engine.shown()
    got = sheets.sensible(1, shown, instrument("spot"), D(10_000))
    assert got.size == D(6800)
    assert got.leverage == 2
    assert (
        got.target_bp
        == sheets.half(shown.now.fair_bp + (shown.now.close_bp - shown.now.open_bp) / 2) + 2
    )
    assert 55 <= got.stop_bp - D(repr(shown.now.close_bp)) <= 65
    assert got.complete
    back = sheets.sensible(-1, shown, instrument("perp"), D(10_000))
    assert back.stop_bp < D(repr(shown.now.open_bp)) < back.target_bp


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("basis_bp", [-40.0, -4.5, 3.0, 68.0])
def test_a_prefilled_order_is_never_refused_for_its_plan(basis_bp, direction):
    rig = Rig().begin(basis_bp=basis_bp)
    rule = instrument("spot" if direction > 0 else "perp")
    start = sheets.sensible(direction, rig.engine.shown(), rule, D(10_000))
    request = start.request((SPOT, PERP), rule, 0.364)
    assert rig.engine.sheet(request).refusal is None


def test_without_fresh_quotes_there_is_nothing_sensible():
    rig = Rig().begin()
    rig.wait(5)
    assert sheets.sensible(1, rig.engine.shown(), instrument("spot"), D(10_000)) is None
