"""The usual depth of legs: medians of the last few books, of capacities and of weights alike."""

import gc
import math

import numpy as np
import pytest
from told_universe import S, Told, key_of

from basisdesk.market.universe import Universe
from basisdesk.scan.composite import composites
from basisdesk.scan.openings import Scan
from basisdesk.scan.steady import _OF, BOOK, BOOK_KEPT_NS, TOUCH, Steady, steady_of

NAN = math.nan


def noted(*depths, steady=None, what=BOOK):
    """A memory of legs "a", "b" after these depths of both, a book a second."""
    steady = steady or Steady()
    steady.align(("a", "b"))
    for at, pair in enumerate(depths):
        steady.note(what, np.array(pair), np.full(2, float(at)), (at + 1) * S)
    return steady


def test_the_middle_of_the_last_five_books():
    steady = noted((100.0, 7.0))
    assert steady.usual(BOOK).tolist() == [100.0, 7.0]
    noted((100.0, 7.0), (20.0, 7.0), steady=steady)
    steady = noted(*[(depth, depth) for depth in (58.0, 61.0, 13.0, 60.0, 59.0)])
    assert steady.usual(BOOK)[0] == 59.0
    rows = [(depth, depth) for depth in (1e9, 58.0, 61.0, 13.0, 60.0, 59.0)]
    assert noted(*rows).usual(BOOK)[0] == 59.0  # the first of six is forgotten
    assert np.isnan(steady.usual(TOUCH)).all()


def test_one_book_counts_once_however_often_it_is_looked_at():
    steady = noted((10.0, 10.0), (30.0, 30.0))
    for at in range(9):
        steady.note(BOOK, np.array([99.0, NAN]), np.full(2, 1.0), (9 + at) * S)
    assert steady.usual(BOOK).tolist() == [20.0, 20.0]
    steady.note(BOOK, np.array([50.0, NAN]), np.full(2, 2.0), 20 * S)
    assert steady.usual(BOOK).tolist() == [30.0, 20.0]  # what is not known is not noted


def test_what_was_heard_long_ago_says_nothing():
    steady = noted((10.0, 10.0))
    later = S + BOOK_KEPT_NS
    assert steady.of(BOOK, "a", later) == 10.0
    assert math.isnan(steady.of(BOOK, "a", later + 1))
    assert math.isnan(steady.of(BOOK, "nobody", S))
    steady.note(BOOK, np.array([50.0, NAN]), np.array([9.0, 9.0]), later + 1)
    assert steady.usual(BOOK).tolist() == [50.0, 10.0]


def test_legs_that_stay_are_remembered_in_their_new_places():
    steady = noted((10.0, 20.0), (12.0, 22.0))
    steady.align(("b", "c", "a"))
    assert steady.usual(BOOK).tolist()[::2] == [21.0, 11.0]
    assert math.isnan(steady.usual(BOOK)[1])
    steady.note(BOOK, np.array([99.0, 5.0, 99.0]), np.ones(3), 9 * S)  # the stamps of before
    assert steady.usual(BOOK).tolist() == [21.0, 5.0, 11.0]
    steady.align(())
    assert len(steady.usual(BOOK)) == 0


def test_one_memory_a_universe_that_goes_with_it():
    told = Told()
    assert steady_of(told.market.universe) is steady_of(told.market.universe)
    gc.collect()
    before = len(_OF)
    universe = Universe(told.settings, told.market.universe._described)
    steady_of(universe)
    assert len(_OF) == before + 1
    del universe
    gc.collect()
    assert len(_OF) == before


# --- in the openings and the composites


def pair(told):
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    return long, short


def show(told, key, coins):
    """Another book of this leg, a second later; its touch stays."""
    told.now += S
    told.touch(key, 99.995, 100.005)
    told.book(key, [(99.995, coins)], [(100.005, coins)])
    told.look()


def test_a_capacity_does_not_jump_with_one_book_and_prices_stand_on_it():
    told = Told()
    long, short = pair(told)
    told.look()
    assert told.of(long, short).capacity == pytest.approx(1e8)
    for coins in (800.0, 820.0, 810.0):
        show(told, long, coins)
    assert told.of(long, short).capacity == pytest.approx(81_500.0)  # of the four so far
    show(told, long, 60.0)  # one order went: what is usual stays, and it carries 50 coins still
    row = told.of(long, short)
    assert row.capacity == pytest.approx(81_000.0)
    assert math.isfinite(row.net_bp)
    show(told, long, 20.0)  # the newest book carries the size no more: no depth, and that is said
    row = told.of(long, short)
    assert row.capacity == pytest.approx(2_000.0)
    assert row.capacity < told.scan.openings.size
    assert math.isnan(row.open_bp)
    assert math.isnan(row.net_bp)
    assert told.scan.strip.worth == 0


def test_another_edition_keeps_what_is_usual():
    told = Told()
    long, short = pair(told)
    for coins in (800.0, 810.0, 820.0):
        show(told, long, coins)
    for coins in (840.0, 830.0):
        show(told, long, coins)
    told.perp("okx", "XRP", 1.0)
    show(told, long, 100.0)
    assert told.of(long, short).capacity == pytest.approx(82_000.0)


def test_touches_are_smoothed_where_no_book_is_known():
    told = Told()
    long, short = pair(told)
    leg = told.market.universe.legs[long]
    for coins in (100.0, 110.0, 900.0, 105.0):
        told.now += 5 * S
        leg.book = None
        told.touch(long, 99.995, 100.005, coins)
        told.look()
    # the touch of the first look was of a million coins
    row = told.of(long, short)
    assert row.touch_only
    assert row.capacity == pytest.approx(10_750.0)


def weights(told):
    (found,) = composites(told.market, told.settings, told.now)
    return {share.venue: round(share.weight, 2) for share in found.shares}


def test_weights_of_venues_stay_while_one_book_flickers_or_is_late():
    told = Told()
    keys = [told.perp(venue, "SOL", 1.0, size=200.0) for venue in ("binance", "bybit")]
    for coins in (200.0, 204.0, 196.0, 200.0):
        for key in keys:
            show(told, key, coins)
    assert weights(told) == {"binance": 0.5, "bybit": 0.5}
    show(told, keys[0], 20.0)
    assert weights(told) == {"binance": 0.5, "bybit": 0.5}
    for _ in range(8):  # no depth page for 80 s: touches of another size take no weight at once
        told.now += 10 * S
        told.touch(keys[0], 99.995, 100.005, 5.0)
        told.touch(keys[1], 99.995, 100.005, 500.0)
        told.look()
    assert told.of(*keys).touch_only
    assert weights(told) == {"binance": 0.5, "bybit": 0.5}
    for _ in range(30):
        told.now += 10 * S
        told.touch(keys[0], 99.995, 100.005, 5.0)
        told.touch(keys[1], 99.995, 100.005, 500.0)
        told.look()
    assert weights(told) == {"binance": 0.01, "bybit": 0.99}


def test_the_memory_is_bounded():
    told = Told()
    long, _ = pair(told)
    for coins in range(100, 140):
        show(told, long, float(coins))
    steady = steady_of(told.market.universe)
    assert steady._seen.shape == (2, 25, 2)
    other = Scan(told.settings)  # a second reader of one universe shares it
    other.refresh(told.market, told.now)
    assert steady.of(BOOK, key_of("binance", "perp", "SOL"), told.now) == pytest.approx(13_700.0)
