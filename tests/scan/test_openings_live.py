"""Legs that are watched live stand in the openings as their streams say."""

import pytest
from told_universe import S, Told

from basisdesk.events import BookUpdate
from basisdesk.scan import legs as legs_module


def test_a_live_leg_is_read_where_it_is_fresher():
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    told.now += 4 * S
    leg = told.market.leg(long)
    leg.bid, leg.bid_size, leg.ask, leg.ask_size = 100.095, 1e6, 100.105, 1e6
    leg.quote_ns = told.now - S
    told.look()
    row = told.of(long, short)
    assert row.mid_bp == pytest.approx(1e4 * (100 / 100.1 - 1))
    assert row.age_s == pytest.approx(4.0)  # of the other leg, which was polled
    told.now += S
    told.touch(long, 99.995, 100.005)
    told.look()
    assert told.of(long, short).mid_bp == pytest.approx(0.0)


def live(told, key, bid, ask, size, seq, depth=50):
    """The leg's streams show a book of two levels a side; the second is 10 bp behind."""
    leg = told.market.leg(key)
    leg.depth = depth
    bids, asks = [(bid, size), (bid * 0.999, 1e6)], [(ask, size), (ask * 1.001, 1e6)]
    assert leg.book.apply(BookUpdate(key, "s", True, bids, asks, seq, 0)) == ""
    leg.bid, leg.bid_size, leg.ask, leg.ask_size = leg.book.best()
    leg.quote_ns = told.now


def test_a_live_book_is_walked_as_it_stands():
    told = Told()
    told.scan.size = 10_000.0  # a hundred coins
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    live(told, long, 99.995, 100.005, 50.0, 1)
    told.look()
    ask = (50 * 100.005 + 50 * 100.005 * 1.001) / 100
    assert told.of(long, short).open_bp == pytest.approx(1e4 * (99.995 / ask - 1))
    assert not told.of(long, short).touch_only
    told.market.legs[long].book.clear("gap")  # the touch is live still, the polled book has depth
    told.look()
    assert told.of(long, short).open_bp == pytest.approx(1e4 * (99.995 / 100.005 - 1))


def test_many_live_books_are_read_in_turn(monkeypatch):
    """Only one is read each time here; the other's levels move with its touch meanwhile."""
    monkeypatch.setattr(legs_module, "LIVE_BOOKS", 1)
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    third = told.perp("okx", "SOL", 1.0)
    for seq in (1, 2, 3, 4):
        for place, key in enumerate((short, long, third)):
            ask = 100.005 + 0.01 * seq * (place + 1)
            live(told, key, ask - 0.01, ask, 1e6, seq)
        told.look()
        ask = 100.005 + 0.02 * seq
        row = told.of(long, short)
        assert row.open_bp == pytest.approx(1e4 * ((99.995 + 0.01 * seq) / ask - 1))
