"""Shown cents add up to the shown total, each within a cent of what it is."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from basisdesk.ui.shown_cents import CENT, whole_cents

D = Decimal
AMOUNTS = st.lists(
    st.decimals(-10_000, 10_000, allow_nan=False, allow_infinity=False, places=6), max_size=6
)


@given(AMOUNTS)
def test_the_parts_add_up_and_none_is_a_cent_off(amounts):
    terms = {str(at): value for at, value in enumerate(amounts)}
    total = sum(terms.values(), D(0))
    shown = whole_cents(terms, total)
    assert sum(shown.values(), D(0)) == total.quantize(CENT)
    for name, value in terms.items():
        assert abs(shown[name] - value) < CENT
        assert shown[name] == value or value % CENT


def test_what_rounding_alone_would_miss():
    terms = dict.fromkeys("abc", D("0.004"))
    assert sum(whole_cents(terms, D("0.012")).values()) == D("0.01")


def test_terms_that_are_not_the_totals_are_rounded_each_for_itself():
    assert whole_cents({"a": D("1.005"), "b": D("2.5")}, D(99)) == {"a": D("1.00"), "b": D("2.50")}
