"""A close or a payment that cash does not cover: the outcome says what margin pays for it."""

import decimal
from decimal import Decimal

import pytest
from ledger_cases import PERP, PERP_B, fill, opened, session, take
from leg_cases import buy, cover, deleveraged, short, shrunk
from msgspec.structs import replace

from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import BorrowCharged, FundingSettled
from basisdesk.ledger.books import Books
from basisdesk.ledger.covering import booked
from basisdesk.ledger.rules import transactions
from basisdesk.trading.positions import Positions

D = Decimal
CASH, MARGIN = "assets:cash", "assets:pair:1:margin"
ENTRY = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")


def books_with(start):
    books = Books()
    take(books, session(start), ENTRY)
    return books


def covered(outcome, start):
    """(the outcome as booked, cash, margin by the ledger, margin by the position)."""
    books, positions = books_with(start), Positions("USDT")
    positions.apply(ENTRY)
    outcome, txns = booked(outcome, books)
    assert txns == transactions(outcome, books)
    assert not any(txn.cause.endswith("shortfall") for txn in txns)
    books.apply(outcome, txns)
    positions.apply(outcome)
    return outcome, books.balance(CASH), books.balance(MARGIN), positions.pairs[1]


def test_a_close_that_loses_more_than_cash_and_its_own_margin_asks_back_more():
    """50 bought back at 0.80: 15 lost. Cash 1 and half the margin, 12.50, pay 13.50 of it.

    The other half of the margin pays 1.50 and keeps 11.
    """
    loses = shrunk(1, [cover(50, "0.80")], ("0.50", "0.80"), margin="12.5")
    outcome, cash, margin, pair = covered(loses, "76")
    assert outcome.margin == 14
    assert (cash, margin) == (0, 11)
    assert (pair.margin, pair.short.added) == (11, D("-1.5"))  # its liquidation comes nearer


def test_a_close_that_cash_covers_is_left_as_it_is():
    loses = shrunk(1, [cover(50, "0.80")], ("0.50", "0.80"), margin="12.5")
    outcome, cash, margin, pair = covered(loses, "78")
    assert outcome is loses
    assert (cash, margin, pair.short.added) == (D("0.5"), D("12.5"), 0)


def test_what_is_lacking_is_rounded_up_to_a_step_of_margin():
    loses = shrunk(1, [cover(50, "0.8000000001")], ("0.50", "0.80"), margin="12.5")
    outcome, cash, margin, pair = covered(loses, "76")
    assert outcome.margin == D("14.00000001")
    assert (cash, margin, pair.margin) == (D("5E-9"), D("10.99999999"), D("10.99999999"))


def test_a_whole_close_has_no_more_margin_to_ask_for_and_the_venue_bears_the_rest():
    books = books_with("76")
    fills = [replace(buy(100, "0.50"), side="sell"), cover(100, "2.00")]
    outcome, txns = booked(shrunk(1, fills, ("0.50", "2.00"), margin="25", closed=True), books)
    books.apply(outcome, txns)
    assert outcome.margin == 25
    assert (books.balance(CASH), books.balance("equity:venue_loss")) == (0, -74)


@pytest.mark.parametrize(
    "cost",
    [
        FundingSettled(6, 1, PERP, 7, D("-0.1"), D("0.5"), D(-100), D(-5), source="close"),
        BorrowCharged(6, 1, "bybit:spot:ADAUSDT", 1, D("0.1"), D(100), D("0.5"), D(5)),
    ],
)
def test_a_payment_that_cash_does_not_cover_says_what_margin_paid(cost):
    outcome, cash, margin, pair = covered(cost, "76")
    assert outcome.from_margin == 4
    assert (cash, margin, pair.margin, pair.short.added) == (0, 21, 21, -4)


def test_what_the_leg_itself_lacks_the_other_perpetual_pays():
    """The account owes it all the same; both books count the same margin."""
    legs = (PERP_B, PERP)
    entry = [fill("long", PERP_B, "buy", 100, "0.50", rate=0), short(100, "0.50")]
    both = opened(1, entry, ("0.50", "0.50"), legs=legs, margin="50")
    books, positions = Books(), Positions("USDT")
    take(books, session("51"), both)
    positions.apply(both)
    pair = positions.pairs[1]
    assert (pair.long.margin, pair.short.margin) == (25, 25)
    cost = FundingSettled(6, 1, PERP, 7, D("-0.1"), D("0.5"), D(-100), D(-31), source="close")
    outcome, _ = booked(cost, books)
    take(books, outcome)
    positions.apply(outcome)
    assert outcome.from_margin == 30
    assert (pair.long.margin, pair.short.margin, pair.margin) == (20, 0, books.balance(MARGIN))


def test_a_forced_close_takes_nothing_from_the_margin_of_the_other_perpetual():
    """Deleveraged 30 below its entry with 25 of margin and 1 of cash: 4 are the venue's."""
    legs = (PERP_B, PERP)
    entry = [fill("long", PERP_B, "buy", 100, "0.50", rate=0), short(100, "0.50")]
    books = Books()
    take(books, session("51"), opened(1, entry, ("0.50", "0.50"), legs=legs, margin="50"))
    take(books, deleveraged(1, [cover(100, "0.80")], ("0.50", "0.80"), margin="25"))
    assert (books.balance(CASH), books.balance(MARGIN)) == (0, 25)
    assert books.balance("equity:venue_loss") == -4


def test_a_payment_of_many_digits_leaves_positions_and_ledger_in_agreement():
    """The audit once added margins to 28 digits and found a difference in the 29th."""
    legs = (PERP_B, PERP)
    entry = [fill("long", PERP_B, "buy", 100, "0.50", rate=0), short(100, "0.50")]
    both = opened(1, entry, ("0.50", "0.50"), legs=legs, margin="50")
    amount = D("-0.50873270865770459917653805091430001")
    cost = FundingSettled(
        6, 1, PERP, 7, D("0.1"), D("0.5"), D(-100), amount, from_margin=amount.copy_abs()
    )  # fmt: skip
    engine = Engine(Settings(), {}, MemoryJournal())
    for number, outcome in enumerate([session("50"), both, cost]):
        engine.restore([(number, outcome, transactions(outcome, engine.books))])
    with decimal.localcontext(prec=64):
        assert engine.desk.pairs[1].short.margin == 25 + amount
    assert engine.audit() == []
