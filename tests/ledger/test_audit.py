"""Ledger and positions are compared at a start: one of them wrong is a sentence."""

from decimal import Decimal

from ledger_cases import PERP, SPOT, fill, opened, session, take
from leg_cases import buy, ordered, shrunk
from msgspec.structs import replace

from basisdesk.events import FundingSettled
from basisdesk.ledger.audit import Held, audit
from basisdesk.ledger.books import Books

D = Decimal
AGREED = Held(D(100), D(-100), D("1832.50"), D(0))


def books_with(*outcomes, start="10000"):
    books = Books()
    take(books, session(start), *outcomes)
    return books


def hedged():
    fills = [buy(100, "0.5"), fill("short", PERP, "sell", 100, "0.5")]
    return opened(1, fills, ("0.5", "0.5"), margin="1832.50")


def test_what_agrees_is_silent():
    assert audit(Books(), {}) == []
    assert audit(books_with(hedged()), {1: AGREED}) == []
    assert audit(books_with(hedged(), ordered(2)), {1: AGREED, 2: Held()}) == []


def test_each_difference_is_a_sentence_with_both_figures():
    books = books_with(hedged())
    for change, said in (
        ({"long": D("5000.25")}, "the long leg is 5,000.25 ADA by the positions, 100 ADA"),
        ({"short": D(-50)}, "the short leg is −50 ADA by the positions, −100 ADA"),
        ({"margin": D(1800)}, "the margin is 1,800 USDT by the positions, 1,832.5 USDT"),
        ({"collateral": D(1)}, "the collateral is 1 USDT by the positions, 0 USDT"),
    ):
        sentence = f"Pair 1: {said} by the ledger."
        assert audit(books, {1: replace(AGREED, **change)}) == [sentence]
    assert len(audit(books, {1: Held(D(1), D(1), D(1), D(1))})) == 4


def test_a_pair_that_only_one_of_them_knows_is_a_sentence():
    books = books_with(hedged())
    assert audit(books, {}) == [
        "The ledger holds pair 1 (long 100 ADA, short 100 ADA), the positions nothing of it."
    ]
    assert audit(books, {1: AGREED, 7: Held(long=D(5))}) == [
        "The positions hold pair 7 (long 5, short 0), the ledger holds nothing of it."
    ]


def test_a_pair_that_the_ledger_closed_must_be_gone_from_the_positions():
    out = [fill("long", SPOT, "sell", 100, "0.5"), fill("short", PERP, "buy", 100, "0.5")]
    books = books_with(hedged(), shrunk(1, out, ("0.5", "0.5"), margin="1832.50", closed=True))
    assert audit(books, {}) == []
    assert len(audit(books, {1: AGREED})) == 1


def test_margin_that_the_ledger_had_to_spend_is_explained():
    books = books_with(hedged(), start="1882.6")
    paid = FundingSettled(8, 1, PERP, 8, D(0), D("0.5"), D(-100), D(-5))
    take(books, paid)
    assert books.lots(1).shortfall > 0
    assert audit(books, {1: AGREED}) == []


def test_postings_that_nothing_told_of_are_found():
    books = books_with(hedged())
    pair = books.lots(1)
    forged = books.recent[-1][1]
    pair.fold(ordered(1), [forged])  # the margin moves once more, and nothing says why
    assert audit(books, {1: AGREED}) == [
        "Pair 1: margin is 1,832.5 USDT by its outcomes, 3,665 USDT by its postings."
    ]
