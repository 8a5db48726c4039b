"""What the market believes, and how fast it stops believing."""

import math

import pytest
from market_events import PERP, SPOT, T0, P, S, asked, book, ns, quote, ticker, whole

from basisdesk.config import Settings
from basisdesk.events import (
    Ack,
    Changed,
    Heard,
    LinkChange,
    Quote,
    Trade,
)
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit


@pytest.fixture
def market():
    return Market(Settings(), {"bybit": Bybit()})


# --- where a price comes from --------------------------------------------------------------------


def test_A1_a_moving_spot_last_price_never_freezes_nor_feeds_the_mid(market):
    """A1: the script took the first last price of the spot ticker as bid and ask, for ever."""
    codec = Bybit().codec(S)

    def spot_ticker(ms, last):
        return (
            b'{"topic":"tickers.ADAUSDT","ts":%d,"type":"snapshot","cs":1,"data":{"symbol":'
            b'"ADAUSDT","lastPrice":"%s","highPrice24h":"999","usdIndexPrice":"%s"}}'
        ) % (T0 + ms, last, last)

    market.apply_all(codec.decode(spot_ticker(0, b"150.000")), ns(0))
    leg = market.leg(SPOT)
    assert math.isnan(leg.mid)  # a last price alone is no quote
    assert leg.age_ms(ns(0)) == math.inf

    market.apply_all([quote(10, 150.9, 151.1)], ns(10))
    for step in range(1, 50):
        market.apply_all(codec.decode(spot_ticker(10 + step, b"%d" % (150 + step))), ns(10 + step))
    assert leg.mid == pytest.approx(151.0)  # the ticker moved nothing
    assert leg.age_ms(ns(5_000)) >= 4_990.0  # and does not make an old quote look young

    market.apply_all([quote(6_000, 151.1, 151.15)], ns(6_000))
    assert leg.mid == pytest.approx(151.125)  # the order book moved it at once

    market.link(LinkChange(S, "down", "cut"), ns(6_001))
    assert math.isnan(leg.mid)
    market.apply_all(codec.decode(spot_ticker(6_002, b"150.000")), ns(6_002))
    assert math.isnan(leg.mid)  # nothing re-freezes at a last price after a reconnect


def test_top_of_book_comes_from_orderbook_1_and_depth_from_the_deepest_book(market):
    market.apply(whole(0, depth=50), ns(0))
    leg = market.leg(SPOT)
    assert (leg.bid, leg.ask, leg.quote_source) == (100.0, 101.0, "book")
    market.apply(quote(5, 100.2, 100.9), ns(5))
    assert (leg.bid, leg.ask, leg.quote_source) == (100.2, 100.9, "top")
    market.apply(book(10, 11, bids=[(100.1, 1.0)]), ns(10))
    assert leg.bid == 100.2
    market.apply(whole(20, depth=200), ns(20))
    assert leg.depth == 200
    market.apply(book(30, 12, bids=[(100.15, 1.0)]), ns(30))
    assert leg.book.best()[0] == 100.0  # still the deeper one


def test_depth_alone_gives_the_top_after_every_update(market):
    market.apply(whole(0), ns(0))
    market.apply(book(10, 11, bids=[(100.5, 2.0)], asks=[(101.0, 0.0)]), ns(10))
    assert market.leg(SPOT).top() == (100.5, 2.0, 102.0, 60.0)


def test_a_top_alone_gives_a_book_of_one_level(market):
    market.apply(quote(0), ns(0))
    leg = market.leg(SPOT)
    assert leg.book.valid
    assert leg.book.levels("buy", 5) == [(101.0, 6.0)]
    market.apply(whole(5), ns(5))
    assert len(leg.book.levels("buy", 5)) == 2


def test_trades_move_only_the_last_price(market):
    stream = f"{S}/publicTrade.ADAUSDT"
    trades = [Trade(SPOT, stream, 99.0 + i, 1.0, True, T0) for i in range(3)]
    market.apply_all(trades, ns(0))
    leg = market.leg(SPOT)
    assert leg.last_price == 101.0
    assert math.isnan(leg.mid)
    assert (market.frames, market.events) == (1, 3)


def test_a_quote_that_came_out_of_order_is_ignored_and_counted(market):
    market.apply(quote(20, 105.0, 106.0, seq=8), ns(20))
    market.apply(quote(10, 100.0, 101.0, seq=7), ns(21))
    assert market.leg(SPOT).bid == 105.0
    assert market.streams[f"{S}/orderbook.1.ADAUSDT"].late == 1
    market.apply(quote(30, 90.0, 91.0, seq=1), ns(30))  # the venue restarted
    assert market.leg(SPOT).bid == 90.0


# --- age -----------------------------------------------------------------------------------------


def test_age_is_zero_for_a_live_quote_whatever_the_clocks_say(market):
    for ms in range(0, 100, 10):
        market.apply(quote(ms), ns(ms))
    assert market.leg(SPOT).age_ms(ns(90)) == pytest.approx(0.0, abs=0.01)
    assert market.leg(SPOT).age_ms(ns(1_090)) == pytest.approx(1_000.0, abs=0.01)


def test_messages_buffered_during_a_freeze_carry_their_true_age(market):
    for ms in range(0, 100, 10):
        market.apply(quote(ms), ns(ms))
    leg, thaw = market.leg(SPOT), 10_000
    for ms in range(100, 9_900, 100):  # all arrive at once, ten seconds later
        market.apply(quote(ms), ns(thaw))
        assert leg.age_ms(ns(thaw)) == pytest.approx(thaw - ms, abs=0.1)
    market.apply(quote(thaw), ns(thaw))
    assert leg.age_ms(ns(thaw)) == pytest.approx(0.0, abs=0.1)


def test_a_repeat_with_the_same_update_id_refreshes_age_and_liveness(market):
    market.apply(quote(0, seq=7), ns(0))
    market.apply(quote(3_000, seq=7), ns(3_000))
    assert market.leg(SPOT).age_ms(ns(3_100)) == pytest.approx(100.0, abs=0.1)
    assert market.streams[f"{S}/orderbook.1.ADAUSDT"].heard_ns == ns(3_000)


def test_a_depth_book_with_the_same_top_confirms_a_quiet_quote(market):
    market.apply(whole(0), ns(0))
    market.apply(quote(0), ns(0))
    market.apply(book(1_500, 11, asks=[(102.0, 7.0)]), ns(1_500))
    assert market.leg(SPOT).age_ms(ns(1_500)) == pytest.approx(0.0, abs=0.1)
    market.apply(book(2_500, 12, bids=[(100.5, 1.0)]), ns(2_500))  # another top: no confirmation
    assert market.leg(SPOT).age_ms(ns(2_500)) == pytest.approx(1_000.0, abs=0.1)


def test_one_stamp_from_the_future_does_not_age_all_others(market):
    for ms in range(0, 100, 10):
        market.apply(quote(ms), ns(ms))
    future = Quote(SPOT, f"{S}/orderbook.1.ADAUSDT", 100.0, 1.0, 101.0, 1.0, T0 + 60_000, 101)
    market.apply(future, ns(100))
    market.apply(quote(110), ns(110))
    assert market.leg(SPOT).age_ms(ns(110)) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("stamp", [0, T0 // 1000, T0 * 1000])
def test_stamps_in_another_unit_fall_back_to_the_receive_time(market, stamp):
    stream = f"{S}/orderbook.1.ADAUSDT"
    for seq in range(5):
        market.apply(Quote(SPOT, stream, 100.0, 1.0, 101.0, 1.0, stamp, seq), ns(seq * 10))
    assert market.leg(SPOT).age_ms(ns(140)) == pytest.approx(100.0, abs=0.1)
    assert math.isnan(market.streams[stream].latency_ms()[0])


def test_the_best_lag_is_forgotten_after_ten_minutes(market):
    market.apply(quote(0), ns(-30))
    market.apply(quote(10), ns(-20))
    later = [(ms, ns(ms)) for ms in range(60_000, 900_000, 60_000)]
    for ms, t_ns in later:
        market.apply(quote(ms), t_ns)
        market.beat(t_ns)
    assert market.leg(SPOT).age_ms(later[-1][1]) == pytest.approx(0.0, abs=0.1)


# --- losing it -----------------------------------------------------------------------------------


def test_a1_c4_link_down_clears_quote_book_and_mark_at_once(market):
    pair = market.pair(SPOT, PERP)
    market.apply(whole(0), ns(0))
    market.apply(quote(0), ns(0))
    market.apply(quote(0, key=PERP), ns(0))
    market.apply(ticker(0), ns(0))
    market.beat(ns(0))
    market.link(LinkChange(P, "down", "closed by the venue"), ns(50))
    perp, spot = market.leg(PERP), market.leg(SPOT)
    assert math.isnan(perp.mid)
    assert math.isnan(perp.mark)
    assert not perp.book.valid
    assert perp.age_ms(ns(50)) == math.inf
    assert spot.mid == 100.5  # the other connection is untouched
    assert market.links[P].state == "down"
    streams = [stream for stream in market.streams.values() if stream.conn == P]
    assert {stream.state for stream in streams} == {"down"}
    assert {stream.last_error for stream in streams} == {"closed by the venue"}
    assert len(pair.outages) == 1
    assert pair.outages[-1][1] is None

    market.link(LinkChange(P, "up"), ns(900))
    market.apply(quote(1_000, key=PERP, seq=3), ns(1_000))
    market.apply(quote(1_000), ns(1_000))
    market.beat(ns(1_000))
    assert perp.mid == 100.5
    assert pair.outages[-1][1] is not None
    assert math.isnan(perp.mark)  # not heard again yet


def test_overflow_clears_and_asks_for_what_builds_on_itself(market):
    for event in (whole(0), quote(0), Heard(f"{S}/tickers.ADAUSDT", T0)):
        market.apply(event, ns(0))
    market.link(LinkChange(S, "overflow", "1,200 frames dropped"), ns(10))
    assert math.isnan(market.leg(SPOT).mid)
    assert not market.leg(SPOT).book.valid
    states = {name.partition("/")[2]: s.state for name, s in market.streams.items()}
    assert states == {
        "orderbook.50.ADAUSDT": "resync",
        "tickers.ADAUSDT": "acked",  # a spot ticker is whole each time
        "orderbook.1.ADAUSDT": "acked",
    }
    market.apply(book(20, 11), ns(20))
    assert not market.leg(SPOT).book.valid
    market.apply(quote(30), ns(30))
    assert market.leg(SPOT).mid == 100.5


def test_gap_blocks_the_book_until_the_new_subscription_brings_a_snapshot(market):
    stream = asked(market, "orderbook.50.ADAUSDT")
    market.apply(Ack(S, "r1", ok=True, text=""), ns(1))
    assert stream.state == "acked"
    market.apply(whole(2), ns(2))
    assert stream.state == "live"
    assert market.apply(book(3, 15), ns(3)) & Changed.FEEDS
    assert (stream.state, stream.gaps, market.gaps) == ("resync", 1, 1)
    assert math.isnan(market.leg(SPOT).mid)  # it was also the source of the quote
    market.apply(book(4, 16), ns(4))
    assert (stream.state, market.gaps) == ("resync", 1)
    asked(market, "orderbook.50.ADAUSDT", "r2", ms=5)
    market.apply(book(6, 17), ns(6))  # from the old subscription
    assert stream.state == "connecting"
    market.apply(Ack(S, "r2", ok=True, text="subscribe"), ns(7))
    market.apply(whole(8, 18), ns(8))
    assert (stream.state, stream.resyncs, stream.last_error) == ("live", 1, "")
    assert market.leg(SPOT).mid == 100.5


def test_a_crossed_book_is_bad_and_resynced(market):
    market.apply(whole(0), ns(0))
    market.apply(book(1, 11, bids=[(101.5, 1.0)]), ns(1))
    stream = market.streams[f"{S}/orderbook.50.ADAUSDT"]
    assert stream.state == "resync"
    assert market.bad_by_reason == {"crossed": 1}
    assert math.isnan(market.leg(SPOT).mid)
    market.apply(whole(2, 1), ns(2))  # u == 1: the venue restarted by itself
    assert stream.state == "live"


def test_a_depth_book_that_falls_behind_the_top_is_not_walked(market):
    market.apply(whole(0), ns(0))
    market.apply(quote(0), ns(0))
    market.apply(quote(900, 105.0, 106.0), ns(900))
    market.beat(ns(900))
    assert market.leg(SPOT).book.valid
    market.apply(quote(1_500, 105.0, 106.0), ns(1_500))
    market.beat(ns(1_500))
    assert not market.leg(SPOT).book.valid
    assert market.streams[f"{S}/orderbook.50.ADAUSDT"].state == "resync"


def test_a_quiet_depth_book_that_agrees_with_the_top_stays(market):
    market.apply(whole(0), ns(0))
    market.apply(quote(0, seq=7), ns(0))
    market.apply(quote(3_000, seq=7), ns(3_000))
    market.beat(ns(3_000))
    assert market.leg(SPOT).book.valid
