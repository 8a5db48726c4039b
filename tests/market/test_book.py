"""The sequence rule, and a book that equals a naive one after any legal history."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import BookUpdate
from basisdesk.market.book import LEVELS_MAX, Book


def update(seq, bids=(), asks=(), snapshot=False, prev=None):
    prev = seq - 1 if prev is None else prev
    stream = "bybit.spot/orderbook.50.X"
    return BookUpdate("bybit:spot:X", stream, snapshot, list(bids), list(asks), seq, 1, prev)


def full(seq=10):
    return update(seq, [(99.0, 1.0), (98.0, 2.0)], [(101.0, 3.0), (102.0, 4.0)], snapshot=True)


@pytest.fixture
def book():
    book = Book()
    assert book.apply(full()) == ""
    return book


def test_a_new_book_is_invalid_and_says_why():
    book = Book()
    assert not book.valid
    assert "no book" in book.reason
    assert math.isnan(book.best()[0])
    assert math.isnan(book.best()[2])
    assert book.vwap("buy", 1.0)[1] == 0.0


def test_deltas_change_add_and_delete(book):
    assert book.apply(update(11, [(99.0, 0.0), (98.5, 7.0)], [(101.0, 5.0)])) == ""
    assert book.bids == [(98.5, 7.0), (98.0, 2.0)]
    assert book.asks == [(101.0, 5.0), (102.0, 4.0)]
    assert book.best() == (98.5, 7.0, 101.0, 5.0)
    assert book.tops(98.5, 101.0)
    assert not book.tops(98.0, 101.0)


def test_deleting_a_level_that_is_not_there_is_harmless(book):
    assert book.apply(update(11, [(50.0, 0.0)], [(150.0, 0.0)])) == ""
    assert book.bids == full().bids


def test_gap_drops_the_book_until_the_next_snapshot(book):
    assert book.apply(update(12, [(99.5, 1.0)])) == "gap"
    assert not book.valid
    assert book.reason == "gap"
    assert book.bids == []
    assert book.asks == []
    assert book.apply(update(13, [(99.5, 1.0)])) == "nosnapshot"
    assert book.ignored == 1
    assert book.apply(full(20)) == ""
    assert book.valid
    assert book.apply(update(21)) == ""


def test_duplicate_deltas_are_ignored_and_counted(book):
    change = update(11, [(99.0, 0.0)], [(101.0, 9.0)])
    book.apply(change)
    before = (book.bids, book.asks)
    assert book.apply(change) == ""
    assert book.apply(update(10, [(1.0, 1.0)])) == ""
    assert book.duplicates == 2
    assert (book.bids, book.asks) == before
    assert book.apply(update(12)) == ""


def test_swapped_deltas_are_a_gap_and_not_sorted(book):
    """Fault 18: out of order is resync, never re-sort."""
    assert book.apply(update(12)) == "gap"
    assert book.apply(update(11)) == "nosnapshot"


def test_delta_before_any_snapshot_is_ignored_and_counted():
    book = Book()
    assert book.apply(update(5, [(1.0, 1.0)])) == "nosnapshot"
    assert book.ignored == 1
    assert not book.valid


def test_a_snapshot_overwrites_everything(book):
    assert book.apply(update(1, [(50.0, 1.0)], [(51.0, 1.0)], snapshot=True)) == ""
    assert book.bids == [(50.0, 1.0)]
    assert book.asks == [(51.0, 1.0)]
    assert book.apply(update(2, [(50.5, 1.0)])) == ""
    assert book.best()[0] == 50.5


def test_a_snapshot_may_come_at_any_time_even_an_older_one(book):
    assert book.apply(update(3, [(50.0, 1.0)], [(51.0, 1.0)], snapshot=True)) == ""
    assert book.best() == (50.0, 1.0, 51.0, 1.0)
    assert book.apply(update(4)) == ""


@pytest.mark.parametrize("bid", [101.0, 101.5])
def test_crossed_or_locked_is_invalid_at_once(book, bid):
    assert book.apply(update(11, [(bid, 1.0)])) == "crossed"
    assert not book.valid
    assert book.levels("buy", 5) == []


def test_levels_without_end_are_refused():
    book = Book()
    bids = [(1.0 + i, 1.0) for i in range(LEVELS_MAX + 1)]
    assert book.apply(update(1, bids, snapshot=True)) == "size"
    assert not book.valid


def test_one_empty_side_is_a_book_without_that_price(book):
    assert book.apply(update(11, [], [(101.0, 0.0), (102.0, 0.0)])) == ""
    bid, bid_size, ask, ask_size = book.best()
    assert (bid, bid_size, ask_size) == (99.0, 1.0, 0.0)
    assert math.isnan(ask)
    book.apply(update(12, [(99.0, 0.0), (98.0, 0.0)], [(101.0, 1.0)]))
    assert math.isnan(book.best()[0])
    assert book.best()[2] == 101.0


def test_vwap_walks_the_side_an_order_takes(book):
    assert book.vwap("buy", 3.0) == (101.0, 3.0)
    price, filled = book.vwap("buy", 5.0)
    assert price == pytest.approx((3 * 101 + 2 * 102) / 5)
    assert filled == 5.0
    assert book.vwap("sell", 2.0) == (pytest.approx((99 + 98) / 2), 2.0)


def test_vwap_says_how_much_short_depth_fills(book):
    price, filled = book.vwap("sell", 100.0)
    assert filled == pytest.approx(3.0)
    assert price == pytest.approx((99 + 2 * 98) / 3)
    assert book.depth("sell") == 3.0
    assert book.depth("buy") == 7.0


def test_vwap_of_nothing_is_nothing(book):
    price, filled = book.vwap("buy", 0.0)
    assert math.isnan(price)
    assert filled == 0.0


def test_levels_are_best_first_and_bounded(book):
    assert book.levels("buy", 1) == [(101.0, 3.0)]
    assert book.levels("sell", 9) == [(99.0, 1.0), (98.0, 2.0)]


def test_a_top_of_book_alone_makes_a_book_of_one_level():
    book = Book()
    book.set_top(99.0, 1.0, 101.0, 2.0)
    assert book.valid
    assert book.best() == (99.0, 1.0, 101.0, 2.0)
    book.set_top(math.nan, 0.0, 101.0, 2.0)
    assert book.bids == []
    assert book.levels("buy", 3) == [(101.0, 2.0)]


prices = st.integers(1, 60)
sizes = st.sampled_from([0.0, 0.0, 0.5, 1.0, 7.25])
changes = st.lists(st.tuples(prices, sizes), max_size=8)


@given(st.lists(st.tuples(changes, changes), max_size=30))
def test_equals_a_naive_book_after_any_history(history):
    book, naive = Book(), ({}, {})
    book.apply(update(1, snapshot=True))
    for number, (bids, asks) in enumerate(history, start=2):
        below = [(float(price), size) for price, size in bids]
        above = [(100.0 + price, size) for price, size in asks]
        assert book.apply(update(number, below, above)) == ""
        for side, levels in zip(naive, (below, above), strict=True):
            for price, size in levels:
                side[price] = size
                if not size:
                    del side[price]
    assert book.bids == sorted(naive[0].items(), reverse=True)
    assert book.asks == sorted(naive[1].items())
