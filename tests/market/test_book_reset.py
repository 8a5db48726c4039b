"""A venue counts anew and the message that says so is lost: the book must not freeze."""

import pytest

from basisdesk.events import BookUpdate
from basisdesk.market.book import Book

KEY, STREAM = "okx:perp:ADA-USDT-SWAP", "okx.public/books:ADA-USDT-SWAP"
T0_MS = 1_700_000_000_000


def update(prev, seq, after_ms, bid=0.36, snapshot=False, stream=STREAM):
    bids, asks = [(bid, 5.0)], [(0.37, 5.0)]
    return BookUpdate(KEY, stream, snapshot, bids, asks, seq, T0_MS + after_ms, prev)


def book_with(deltas):
    book = Book()
    book.apply(update(-1, 63_000_000, 0, snapshot=True))
    for number in range(deltas):
        seq = 63_000_000 + number
        assert book.apply(update(seq, seq + 1, 100 * (number + 1))) == ""
    return book


def test_a_reset_that_is_heard_goes_on_from_the_low_id():
    book = book_with(3)
    assert book.apply(update(63_000_003, 1_005, 400)) == ""
    assert book.apply(update(1_005, 1_010, 500, bid=0.365)) == ""
    assert book.best()[0] == 0.365


@pytest.mark.parametrize("deltas", [0, 3])
def test_a_reset_that_was_lost_is_a_gap_within_two_seconds(deltas):
    book = book_with(deltas)
    last_ms = 100 * deltas
    faults = [book.apply(update(1_005 + n, 1_006 + n, last_ms + 200 + 100 * n)) for n in range(20)]
    assert faults.count("gap") == 1
    assert faults.index("gap") <= 10
    assert not book.valid


def test_repeats_are_still_no_fault_however_many():
    book = book_with(20)
    for _ in range(3):
        for number in range(20):
            seq = 63_000_000 + number
            assert book.apply(update(seq, seq + 1, 100 * (number + 1))) == ""
    assert book.valid
    assert book.duplicates == 60


def test_after_a_snapshot_over_http_older_updates_are_no_fault():
    book = Book()
    for number in range(3):
        book.apply(update(100 + number, 101 + number, 100 * number))
    book.apply(update(-1, 103, 0, snapshot=True, stream=""))
    assert book.valid
    assert book.apply(update(101, 102, 9_000)) == ""
    assert book.valid
