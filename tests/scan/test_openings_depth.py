"""Books as arrays against the desk's own book, level by level."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import BookUpdate
from basisdesk.market.book import Book
from basisdesk.scan.depth import BUY, LEVELS_MAX, SELL, Depth

SIZES = st.lists(st.floats(0.01, 100.0), min_size=1, max_size=40)


def levels(sizes, side):
    step = 0.01 if side == BUY else -0.01
    start = 100.01 if side == BUY else 100.0
    return [(start + step * k, size) for k, size in enumerate(sizes)]


@given(SIZES, SIZES, st.floats(0.001, 3_000.0))
def test_vwap_is_the_books_own(bid_sizes, ask_sizes, qty):
    bids, asks = levels(bid_sizes, SELL), levels(ask_sizes, BUY)
    depth = Depth(3)
    depth.set_book(1, bids, asks)
    book = Book()
    book.apply(BookUpdate("k", "s", True, bids, asks, 1, 0))
    for side, name in ((SELL, "sell"), (BUY, "buy")):
        best = np.array([math.nan, (bids if side == SELL else asks)[0][0], math.nan])
        found = depth.vwap(side, np.full((3, 2), qty), best)
        price, filled = book.vwap(name, qty)
        if filled < qty * (1 - 1e-9):
            assert math.isnan(found[1, 0])
        elif filled >= qty:
            assert found[1, 0] == pytest.approx(price, rel=1e-12)
        assert found[1, 0] == found[1, 1] or math.isnan(found[1, 0])
        assert np.isnan(found[[0, 2]]).all()


def test_within_counts_levels_no_worse_than_the_limit():
    depth = Depth(1)
    depth.set_book(0, [(100.0, 1.0), (99.9, 2.0)], [(100.1, 4.0), (100.3, 8.0)])
    ask, bid = np.array([100.1]), np.array([100.0])
    assert depth.within(BUY, np.array([100.05]), ask)[0] == 0.0
    assert depth.within(BUY, np.array([100.2]), ask)[0] == 4.0
    assert depth.within(BUY, np.array([101.0]), ask)[0] == 12.0
    assert depth.within(SELL, np.array([99.95]), bid)[0] == 1.0
    assert depth.within(SELL, np.array([90.0]), bid)[0] == 3.0


def test_a_book_that_follows_moves_with_the_touch_and_another_does_not():
    qty, now = np.array([[2.0]]), np.array([110.11])
    for follows, price in ((True, 110.165), (False, 100.15)):
        depth = Depth(1)
        depth.set_book(0, [(100.0, 9.0)], [(100.1, 1.0), (100.2, 9.0)], follows=follows)
        assert depth.vwap(BUY, qty, now)[0, 0] == pytest.approx(price)


def test_touches_and_books_take_each_others_place():
    depth = Depth(2)
    both, price = np.array([0, 1]), np.array([[99.0, 9.0], [101.0, 11.0]])
    depth.set_touches(both, price, np.array([[5.0, math.nan], [6.0, 0.0]]))
    assert depth.touch_only.tolist() == [True, True]
    best = np.array([101.0, 11.0])
    assert depth.vwap(BUY, np.array([[6.0], [1.0]]), best)[:, 0].tolist()[0] == 101.0
    assert np.isnan(depth.vwap(BUY, np.array([[6.1], [1.0]]), best)).all()
    assert math.isnan(depth.within(BUY, np.array([999.0, 999.0]), best)[1])  # unknown, not zero
    depth.set_book(0, [(99.0, 5.0)] * 300, [(101.0, 1.0), (102.0, 9.0)])
    assert depth.touch_only.tolist() == [False, True]
    bids = np.array([99.0, 9.0])
    whole = depth.within(SELL, np.array([90.0, 0.0]), bids)
    assert whole[0] == 5.0 * LEVELS_MAX  # what is deeper is not counted
    depth.set_touches(both, price, np.array([[5.0, 2.0], [6.0, 2.0]]))
    assert np.isnan(depth.vwap(BUY, np.array([[7.0], [1.0]]), best)[0, 0])
    assert depth.within(SELL, np.array([90.0, 0.0]), bids).tolist() == [5.0, 2.0]
    depth.set_book(0, [], [(101.0, 1.0)])
    assert math.isnan(depth.vwap(SELL, np.array([[0.5], [0.5]]), bids)[0, 0])
