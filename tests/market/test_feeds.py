"""What a venue says of its topics decides how a stream is judged, dropped, renewed and mended."""

import math

import pytest
from market_events import T0, ns
from tiny_venue import LEG, PERP, WS, TinyVenue, ask, book, seed, top

from basisdesk.config import Settings
from basisdesk.events import (
    Ack,
    BookLost,
    BookUpdate,
    Heard,
    LinkChange,
    Notice,
    Pong,
    Trade,
)
from basisdesk.market.state import Market


@pytest.fixture
def market():
    return Market(Settings(), {"tiny": TinyVenue()})


# --- silence -------------------------------------------------------------------------------------


def test_what_a_topic_is_stands_in_the_venues_rule(market):
    diffs = ask(market, "diffs:ADA/USDT")
    assert (diffs.what, diffs.depth, diffs.has_state, diffs.awaited) == ("book", 1000, True, True)
    trades = ask(market, "trade:ADA/USDT")
    assert (trades.what, trades.depth, trades.has_state, trades.awaited) == (
        "trades", 0, False, False,
    )  # fmt: skip


def test_a_promise_of_the_venue_is_taken_at_its_word(market):
    market.apply(top(0, topic="promised:ADA/USDT"), ns(0))
    stream = market.streams[f"{WS}/promised:ADA/USDT"]
    assert stream.quiet_max_ns() == 6_000_000_000
    market.beat(ns(5_900))
    assert stream.state == "live"
    market.beat(ns(6_100))
    assert stream.state == "stale"


def test_10_a_busy_stream_without_promise_is_stale_after_two_seconds(market):
    """Fault 10: at least 2 s, else 8 times its own 99th percentile pause."""
    for ms in range(0, 10_000, 50):
        market.apply(top(ms), ns(ms))
    stream = market.streams[f"{WS}/top:ADA/USDT"]
    assert stream.quiet_max_ns() == 2_000_000_000
    market.beat(ns(11_900))
    assert stream.live
    market.beat(ns(12_000))
    assert (stream.state, stream.last_error) == ("stale", "silent for 2 s")


def test_10_a_quiet_market_is_known_by_its_own_habit_up_to_a_minute(market):
    """Fault 10: one message in 5 s makes 40 s, one in 30 s makes the cap."""
    for ms in range(0, 200_000, 5_000):
        market.apply(top(ms), ns(ms))
    stream = market.streams[f"{WS}/top:ADA/USDT"]
    assert stream.quiet_max_ns() == 40_000_000_000
    market.beat(ns(195_000 + 39_000))
    assert stream.live
    for ms in range(230_000, 700_000, 30_000):
        market.apply(top(ms), ns(ms))
    assert stream.quiet_max_ns() == 60_000_000_000


def test_10_one_long_pause_in_hundreds_is_not_a_habit(market):
    ms = 0
    for number in range(600):
        ms += 5_000 if number in (300, 400) else 100
        market.apply(top(ms), ns(ms))
    assert market.streams[f"{WS}/top:ADA/USDT"].quiet_max_ns() == 2_000_000_000


def test_10_an_outage_is_no_habit(market):
    for ms in range(0, 10_000, 100):
        market.apply(top(ms), ns(ms))
    market.link(LinkChange(WS, "down", "cut"), ns(10_000))
    ask(market, "top:ADA/USDT", ms=60_000)
    for ms in range(60_100, 61_000, 100):
        market.apply(top(ms), ns(ms))
    assert market.streams[f"{WS}/top:ADA/USDT"].quiet_max_ns() == 2_000_000_000


def test_10_trades_rest_for_hours_and_a_fast_clock_scales_the_rest():
    fast = Market(Settings(), {"tiny": TinyVenue()}, speed=10.0)
    fast.apply(top(0), ns(0))
    fast.apply(Trade(LEG, f"{WS}/trade:ADA/USDT", 1.0, 1.0, True, T0), ns(0))
    fast.beat(ns(19_000))
    assert {stream.state for stream in fast.streams.values()} == {"live"}
    fast.beat(ns(3_600_000))
    states = {stream.what: stream.state for stream in fast.streams.values()}
    assert states == {"top": "stale", "trades": "live"}


# --- where the quote comes from ------------------------------------------------------------------


def test_a_top_of_book_without_venue_time_has_its_age_from_receipt_and_no_lag(market):
    """Trap 10: Binance spot bookTicker has no time."""
    for ms in (0, 100, 200):
        market.apply(top(ms, venue_ms=0), ns(ms))
    leg = market.leg(LEG)
    assert leg.age_ms(ns(700)) == pytest.approx(500.0)
    stream = market.streams[f"{WS}/top:ADA/USDT"]
    assert (len(stream.lags), math.isnan(stream.latency_ms()[0])) == (0, True)
    assert math.isnan(market.links[WS].best_lag_ms())


def test_without_venue_time_the_id_alone_tells_late_quotes_until_it_lasts(market):
    market.apply(top(0, 100.0, 101.0, seq=50, venue_ms=0), ns(0))
    market.apply(top(10, 90.0, 91.0, seq=49, venue_ms=0), ns(10))
    leg = market.leg(LEG)
    assert leg.bid == 100.0
    assert market.streams[f"{WS}/top:ADA/USDT"].late == 1
    for ms in (2_500, 10_000):
        market.apply(top(ms, 98.0, 99.0, seq=3, venue_ms=0), ns(ms))
        assert leg.bid == 100.0
    market.apply(top(10_010, 98.0, 99.0, seq=4, venue_ms=0), ns(10_010))  # the venue began anew
    assert leg.bid == 98.0


def test_an_older_top_of_a_second_socket_is_ignored_however_quiet_the_market(market):
    """Binance spot has no time; at a renewal the new socket may begin with what is over."""
    ask(market, "top:ADA/USDT")
    market.apply(top(0, 100.0, 101.0, seq=50, venue_ms=0), ns(0))
    market.link(LinkChange(WS, "renewed"), ns(60_000))
    for ms, seq in ((60_100, 48), (60_200, 49)):
        market.apply(top(ms, 90.0, 91.0, seq=seq, venue_ms=0), ns(ms))
    leg = market.leg(LEG)
    assert leg.bid == 100.0
    assert leg.age_ms(ns(60_200)) == pytest.approx(60_200.0)
    market.apply(top(60_300, 99.0, 100.0, seq=51, venue_ms=0), ns(60_300))
    assert leg.bid == 99.0
    market.apply(top(90_000, 90.0, 91.0, seq=50, venue_ms=0), ns(90_000))  # another run of its own
    assert leg.bid == 99.0


def test_a_depth_book_confirms_a_quote_that_has_no_time(market):
    market.apply(top(0, venue_ms=0), ns(0))
    market.apply(book(100, 0, 10, [(100.0, 5.0)], [(101.0, 6.0)], snapshot=True), ns(100))
    market.apply(book(900, 10, 11, [(90.0, 1.0)]), ns(900))
    assert market.leg(LEG).age_ms(ns(1_000)) == pytest.approx(100.0)


def test_okx_keep_alive_confirms_a_quiet_book():
    market = Market(Settings(), {"tiny": TinyVenue(book="book")})
    market.apply(book(0, -1, 10, [(100.0, 5.0)], [(101.0, 6.0)], "book", True), ns(0))
    market.apply(book(60_000, 10, 10, topic="book"), ns(60_000))
    assert market.leg(LEG).age_ms(ns(60_100)) == pytest.approx(100.0)
    assert market.gaps == 0


def test_a_venue_without_a_top_of_book_is_quoted_from_its_book(market):
    """Kraken: the checksummed book is the quote; its ticker is only heard."""
    market.apply(Heard(f"{WS}/mark:ADA/USDT", T0), ns(0))
    market.apply(book(0, 0, 1, [(100.0, 5.0)], [(101.0, 6.0)], "book", True), ns(0))
    market.apply(book(10, 1, 2, [(100.5, 2.0)], topic="book"), ns(10))
    leg = market.leg(LEG)
    assert (leg.top(), leg.quote_source) == ((100.5, 2.0, 101.0, 6.0), "book")


# --- a book whose snapshot comes over HTTP -------------------------------------------------------


def test_waiting_for_a_seed_is_no_gap_and_no_fault(market):
    stream = ask(market, "diffs:ADA/USDT")
    market.apply(Ack(WS, "1", ok=True, text=""), ns(10))
    for ms in range(100, 1_000, 100):
        market.apply(book(ms, ms, ms + 100), ns(ms))
    assert (stream.state, stream.gaps, market.gaps, market.bad_frames) == ("acked", 0, 0, 0)
    market.apply(seed(450), ns(1_000))
    leg = market.leg(LEG)
    assert (stream.state, stream.book.seq) == ("live", 1_000)
    assert leg.book is stream.book
    assert leg.mid == 100.5
    assert leg.age_ms(ns(1_000)) == pytest.approx(100.0)  # as old as the last update it holds


def test_a_seed_too_old_leaves_the_book_waiting_and_the_next_one_fits(market):
    stream = ask(market, "diffs:ADA/USDT")
    market.apply(Ack(WS, "1", ok=True, text=""), ns(10))
    market.apply(book(100, 500, 600), ns(100))
    market.apply(seed(400), ns(200))
    assert (stream.state, stream.book.valid) == ("acked", False)
    market.apply(seed(550), ns(300))
    assert (stream.state, stream.book.valid) == ("live", True)


def test_no_seed_at_all_is_shown_after_ten_seconds(market):
    stream = ask(market, "diffs:ADA/USDT")
    market.apply(Ack(WS, "1", ok=True, text=""), ns(10))
    for ms in range(100, 10_500, 100):
        market.apply(book(ms, ms, ms + 100), ns(ms))
        market.beat(ns(ms))
    assert stream.state == "resync"
    assert stream.last_error == "no snapshot of the book 10 s after subscribing"


def test_a_gap_in_a_seeded_book_is_mended_by_a_new_seed_alone(market):
    stream = ask(market, "diffs:ADA/USDT")
    market.apply(book(100, 10, 20), ns(100))
    market.apply(seed(15), ns(110))
    market.apply(book(200, 25, 30), ns(200))
    assert (stream.state, stream.gaps) == ("resync", 1)
    assert math.isnan(market.leg(LEG).mid)
    market.apply(book(300, 30, 40), ns(300))
    assert stream.gaps == 1
    market.apply(seed(28), ns(310))
    assert (stream.state, market.leg(LEG).mid) == ("live", 100.5)


def test_a_seed_for_a_leg_nobody_watches_or_a_strange_venue_is_nothing(market):
    ask(market, "diffs:ADA/USDT")
    market.link(LinkChange(WS, "dropped", topics=("diffs:ADA/USDT",)), ns(1))
    market.apply(seed(10), ns(2))
    market.apply(BookUpdate("moon:spot:X", "", True, [(1.0, 1.0)], [], 5, 0), ns(3))
    assert market.streams == {}
    assert math.isnan(market.leg(LEG).mid)


def test_a_checksum_that_fails_drops_the_book_and_is_counted(market):
    """Kraken's CRC32 is its only detector."""
    market.apply(book(0, 0, 1, [(100.0, 5.0)], [(101.0, 6.0)], "book", True), ns(0))
    stream = market.streams[f"{WS}/book:ADA/USDT"]
    market.apply(BookLost(LEG, stream.id, "checksum 7 is not 8"), ns(10))
    assert (stream.state, stream.book.valid) == ("resync", False)
    assert stream.bad_by_reason == {"checksum": 1}
    assert market.bad_by_reason == {"checksum": 1}
    assert math.isnan(market.leg(LEG).mid)
    market.apply(book(20, 0, 1, [(100.0, 5.0)], [(101.0, 6.0)], "book", True), ns(20))
    assert (stream.state, market.leg(LEG).mid) == ("live", 100.5)


# --- answers -------------------------------------------------------------------------------------


def test_a_venue_may_answer_each_topic_of_a_request_by_itself(market):
    """Kraken: one answer a symbol, all with the same id."""
    first = ask(market, "top:ADA/USDT", "top:XRP/USDT", req_id="7")
    second = market.streams[f"{WS}/top:XRP/USDT"]
    market.apply(Ack(WS, "7", ok=True, text="", topics=("top:ADA/USDT",)), ns(1))
    assert (first.state, second.state) == ("acked", "connecting")
    market.apply(Ack(WS, "7", ok=False, text="no such", topics=("top:XRP/USDT",)), ns(2))
    assert (first.state, second.state) == ("acked", "down")
    assert second.last_error == "refused: no such"


def test_an_answer_without_an_id_counts_for_the_topics_it_names(market):
    stream = ask(market, "book:ADA/USDT")
    market.apply(Ack(WS, "", ok=True, text="", topics=("book:ADA/USDT", "book:DOT/USDT")), ns(1))
    assert stream.state == "acked"
    assert list(market.streams) == [stream.id]


def test_an_answer_to_an_unsubscribe_moves_no_stream(market):
    stream = ask(market, "top:ADA/USDT", req_id="1")
    market.apply(Ack(WS, "2", ok=False, text="not subscribed", topics=("top:ADA/USDT",)), ns(1))
    assert stream.state == "connecting"
    assert market.links[WS].last_error == "not subscribed"


def test_a_notice_asks_for_a_new_socket_until_there_is_one(market):
    market.apply(Notice(WS, "maintenance in 60 s", closing=True), ns(0))
    link = market.links[WS]
    market.apply(Notice(WS, "status online"), ns(1))
    assert (link.closing, link.notice) == (True, "status online")
    market.link(LinkChange(WS, "renewed"), ns(2))
    assert not link.closing
    market.apply(Notice(WS, "bye", closing=True), ns(3))
    market.link(LinkChange(WS, "up"), ns(4))
    assert not link.closing


def test_a_pong_is_a_sign_of_the_link_and_of_no_stream(market):
    market.apply(Pong(WS), ns(5))
    assert market.links[WS].pong_ns == ns(5)
    assert market.streams == {}


# --- dropped and renewed -------------------------------------------------------------------------


def test_dropped_topics_take_their_streams_and_prices_with_them(market):
    ask(market, "top:ADA/USDT", "diffs:ADA/USDT")
    market.apply(book(0, 10, 20), ns(0))
    market.apply(seed(15), ns(1))
    market.apply(top(2), ns(2))
    leg = market.leg(LEG)
    market.link(LinkChange(WS, "dropped", topics=("top:ADA/USDT",)), ns(3))
    assert math.isnan(leg.mid)
    assert leg.quote_source == ""
    assert list(market.streams) == [f"{WS}/diffs:ADA/USDT"]
    assert leg.book.valid  # the other stream stays
    market.link(LinkChange(WS, "dropped", topics=("diffs:ADA/USDT",)), ns(4))
    assert market.streams == {}
    assert (leg.depth, leg.book.valid) == (0, False)


def test_trap_33_messages_of_a_dropped_topic_move_nothing_any_more(market):
    ask(market, "top:ADA/USDT")
    market.apply(top(1), ns(1))
    market.link(LinkChange(WS, "dropped", topics=("top:ADA/USDT",)), ns(2))
    market.apply(top(3), ns(3))
    market.apply(Heard(f"{WS}/top:ADA/USDT", T0), ns(3))
    market.beat(ns(3))
    assert math.isnan(market.leg(LEG).mid)
    assert market.leg(LEG).age_ms(ns(3)) == math.inf
    assert market.streams == {}
    stream = ask(market, "top:ADA/USDT", ms=4)
    assert (stream.state, stream.frames) == ("connecting", 0)
    market.apply(top(5), ns(5))
    assert (market.leg(LEG).mid, stream.state) == (100.5, "live")


def test_a_leg_nobody_watches_is_not_called_down(market):
    market.apply(top(0), ns(0))
    market.apply(top(0, key=PERP, topic="top:PERP"), ns(0))
    pair = market.pair(LEG, PERP)
    market.beat(ns(0))
    market.link(LinkChange(WS, "dropped", topics=("top:PERP",)), ns(100))
    market.beat(ns(200))
    assert [label for _, _, label in pair.outages] == ["perp not watched"]


def test_a_renewed_connection_keeps_prices_and_books_and_counts(market):
    ask(market, "top:ADA/USDT", "diffs:ADA/USDT")
    market.apply(book(0, 10, 20), ns(0))
    market.apply(seed(15), ns(1))
    market.apply(top(2), ns(2))
    market.link(LinkChange(WS, "renewed"), ns(3))
    leg, stream = market.leg(LEG), market.streams[f"{WS}/diffs:ADA/USDT"]
    assert leg.mid == 100.5
    assert (stream.state, stream.renewals, stream.resyncs) == ("live", 1, 0)
    assert market.links[WS].renewed == 1
    market.apply(book(4, 18, 25, [(100.2, 1.0)]), ns(4))  # the second socket cuts elsewhere
    assert (stream.state, stream.gaps, stream.book.best()[0]) == ("live", 0, 100.2)
    market.apply(book(5, 30, 35), ns(5))
    assert (stream.state, stream.gaps) == ("resync", 1)


def test_a_stream_that_is_asked_again_while_it_lives_goes_on_living(market):
    stream = ask(market, "top:ADA/USDT")
    market.apply(top(1), ns(1))
    ask(market, "top:ADA/USDT", ms=2, req_id="2")
    assert (stream.state, stream.resyncs, stream.asked_ns) == ("live", 0, ns(2))
