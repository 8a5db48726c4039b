"""Prices that are believed, doubted and confirmed."""

import math

import pytest
from market_events import PERP, SPOT, book, ns, quote, ticker, whole

from basisdesk.config import Settings
from basisdesk.market.guard import Guard
from basisdesk.market.state import Market
from basisdesk.market.words import LegName, doubtful

S = 1_000_000_000


@pytest.mark.parametrize("factor", [0.51, 0.7, 1.0, 1.3, 1.49])
def test_what_moves_less_than_half_is_believed_at_once(factor):
    guard = Guard()
    assert guard.judge(100.0, 100.1, 0) is None
    assert guard.judge(100.0 * factor, 100.1 * factor, 1) is None


def test_a_jump_needs_three_updates_that_agree_over_two_seconds():
    guard = Guard()
    guard.judge(100.0, 101.0, 0)
    assert guard.judge(10.0, 10.1, 1 * S).reason == "jump"
    assert guard.judge(10.1, 10.2, 2 * S).reason == "jump"
    assert guard.judge(10.1, 10.2, 2 * S + 1).reason == "jump"  # three, but not two seconds
    assert guard.judge(40.0, 40.1, 3 * S).reason == "jump"  # another price: from the beginning
    assert guard.judge(40.0, 40.1, 4 * S).reason == "jump"
    assert guard.judge(40.0, 40.1, 5 * S) is None
    assert guard.last == pytest.approx(40.05)


def test_one_good_price_ends_the_doubt():
    guard = Guard()
    guard.judge(100.0, 101.0, 0)
    for second in range(1, 9):
        jumped = second % 2 == 1
        doubt = guard.judge(*(10.0, 10.1) if jumped else (100.0, 101.0), second * S)
        assert (doubt is not None) == jumped


def test_a_price_of_no_tick_and_a_spread_of_double_are_never_believed():
    guard = Guard()
    for second in range(9):
        assert guard.judge(1e-9, 2e-9, second * S, floor=0.00005).reason == "number"
        assert guard.judge(1.0, 2.1, second * S, floor=0.00005).reason == "spread"
    assert math.isnan(guard.last)
    assert guard.judge(math.nan, 2.0, 10 * S) is None


def test_float_noise_near_a_tick_is_fine():
    guard = Guard()
    assert guard.judge(0.1 + 0.2, 0.30010000000000003, 0, floor=0.00005) is None


def test_a_depth_book_far_from_the_top_is_dropped_and_asked_for_again():
    market = Market(Settings())
    market.apply(quote(0), ns(0))
    market.apply(whole(0), ns(0))
    leg = market.leg(SPOT)
    assert leg.book.valid
    fallen = book(10, 11, [(100.0, 0.0), (99.0, 0.0), (1.0, 5.0)])
    market.apply(fallen, ns(10))
    assert not leg.book.valid
    assert leg.bid == 100.0
    assert market.streams["bybit.spot/orderbook.50.ADAUSDT"].state == "resync"
    assert market.bad_by_reason["jump"] == 1


def test_the_true_book_is_back_with_the_first_good_quote():
    market = Market(Settings())
    market.apply(quote(0), ns(0))
    market.apply(whole(0), ns(0))
    leg = market.leg(SPOT)
    market.apply(quote(20, 1e-9, 2e-9), ns(20))
    assert math.isnan(leg.mid)
    assert not leg.book.valid
    assert leg.doubt is not None
    market.apply(quote(40), ns(40))
    assert leg.mid == 100.5
    assert leg.book.valid
    assert leg.doubt is None


def test_the_first_mark_is_measured_by_the_quote():
    market = Market(Settings())
    market.apply(quote(0, key=PERP), ns(0))
    market.apply(ticker(5, mark=5_000.0), ns(5))
    leg = market.leg(PERP)
    assert math.isnan(leg.mark)
    assert math.isnan(leg.funding.mark)
    market.apply(ticker(10, mark=100.4), ns(10))
    assert leg.mark == leg.funding.mark == 100.4


def test_a_doubt_is_said_in_plain_decimals():
    guard, name = Guard(), LegName(SPOT, PERP)
    guard.judge(0.8, 0.8, 0)
    said = doubtful(name, guard.judge(1e-9, 1e-9, 1))
    assert said == "Spot price jumped from 0.8 to 0.000000001; waiting for it to be confirmed."
    assert "twice the bid" in doubtful(name, guard.judge(1.0, 3.0, 1))
    assert "below one tick" in doubtful(name, guard.judge(1e-9, 1e-9, 1, floor=0.1))
