from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.errors import RuleError, Unbalanced
from basisdesk.ledger.posting import Posting, Transaction, canonical, money_text, residual

postings = st.builds(
    Posting,
    st.sampled_from(["assets:a", "income:b"]),
    st.sampled_from(["USDT", "ADA"]),
    st.decimals("-1e9", "1e9", places=12),
)

D = Decimal


@given(st.lists(postings, max_size=8))
def test_a_transaction_either_balances_or_does_not_exist(lines):
    plugs = [Posting("equity:plug", currency, -left) for currency, left in residual(lines).items()]
    assert residual([*lines, *plugs]) == {}
    Transaction(0, "balanced", (*lines, *plugs))
    if plugs:
        with pytest.raises(Unbalanced):
            Transaction(0, "not balanced", tuple(lines))


def test_a_difference_of_the_last_digit_is_a_difference():
    lines = (Posting("assets:a", "USDT", D("1E+20")), Posting("assets:b", "USDT", D("-1E+20")))
    Transaction(0, "equal", lines)
    with pytest.raises(Unbalanced):
        Transaction(0, "off", (*lines, Posting("assets:c", "USDT", D("1E-20"))))


def test_one_currency_cannot_pay_for_another():
    with pytest.raises(Unbalanced):
        Transaction(0, "", (Posting("assets:a", "USDT", D(1)), Posting("assets:b", "ADA", D(-1))))


@pytest.mark.parametrize("amount", [1.0, 1, "1", None, D("NaN"), D("sNaN"), D("Infinity")])
def test_what_is_not_money_is_no_posting(amount):
    with pytest.raises(RuleError):
        Posting("assets:a", "USDT", amount)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1.00", "1"),
        ("1", "1"),
        ("1E+3", "1000"),
        ("0.10", "0.1"),
        ("-0.00", "0"),
        ("-2.50", "-2.5"),
        ("1000", "1000"),
        ("1E-9", "0.000000001"),
        ("123456789.123456789012345678901234567890", None),
    ],
)
def test_equal_amounts_have_one_text(amount, text):
    assert money_text(D(amount)) == (text or amount.rstrip("0"))


def test_the_canonical_text_does_not_depend_on_trailing_zeros():
    def transfer(amount):
        amount = D(amount)
        return Transaction(
            7, "c", (Posting("assets:a", "USDT", amount), Posting("assets:b", "USDT", -amount))
        )

    assert canonical(transfer("1.0")) == canonical(transfer("1.00"))
    assert canonical(transfer("1.0")) == "7 c\n\tassets:a USDT 1\n\tassets:b USDT -1\n"
