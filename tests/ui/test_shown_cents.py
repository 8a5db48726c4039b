"""Booked terms are rounded each for itself; what moves with the price makes the column add up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from basisdesk.ui.shown_cents import CENT, MOVING, whole_cents
from basisdesk.ui.waterfall_rows import TERMS

D = Decimal
AMOUNT = st.decimals(-10_000, 10_000, allow_nan=False, allow_infinity=False, places=6)
AMOUNTS = st.fixed_dictionaries(dict.fromkeys(TERMS, AMOUNT | st.just(D(0))))


@given(AMOUNTS)
def test_the_parts_add_up_and_every_booked_one_is_its_own_rounding(terms):
    total = sum(terms.values(), D(0))
    shown = whole_cents(terms, total)
    assert sum(shown.values(), D(0)) == total.quantize(CENT)
    apart = [name for name in terms if shown[name] != terms[name].quantize(CENT)]
    assert len(apart) <= 1
    assert set(apart) <= set(MOVING)
    for name in apart:
        assert abs(shown[name] - terms[name]) <= len(terms) * CENT / 2 + CENT / 2


def test_a_paid_fee_stays_while_the_price_moves():
    booked = {
        "funding": D("14.486"), "fees": D("-4.106156456"), "slippage": D("-0.7749"),
        "borrow": D("-0.0049"),
    }  # fmt: skip
    seen, basis = set(), []
    for step in range(40):
        terms = {"basis": D(step) * D("0.0013") - D("0.02"), **booked, "residual": D(0)}
        total = sum(terms.values())
        shown = whole_cents(terms, total)
        assert sum(shown.values()) == total.quantize(CENT)
        seen.add(tuple(shown[name] for name in booked))
        basis.append(shown["basis"])
    assert seen == {(D("14.49"), D("-4.11"), D("-0.77"), D("0.00"))}
    assert basis == sorted(basis)
    assert len(set(basis)) > 3


def test_the_cent_goes_to_the_unhedged_delta_where_the_basis_is_nothing():
    terms = {"basis": D(0), "fees": D("-0.004"), "slippage": D("-0.004"), "residual": D("0.02")}
    shown = whole_cents(terms, D("0.012"))
    assert shown == {"basis": D(0), "fees": D(0), "slippage": D(0), "residual": D("0.01")}


def test_terms_that_are_not_the_totals_are_rounded_each_for_itself():
    terms = {"basis": D("1.005"), "fees": D("2.5")}
    assert whole_cents(terms, D(99)) == {"basis": D("1.00"), "fees": D("2.50")}
    assert whole_cents({"fees": D("0.004")}, D("0.004")) == {"fees": D("0.00")}
