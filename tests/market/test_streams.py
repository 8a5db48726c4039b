"""Streams, links and what venues describe: states, counts, and what the market keeps."""

from decimal import Decimal

import pytest
from market_events import LAG, PERP, SPOT, T0, S, asked, ns, quote, ticker

from basisdesk.config import Settings
from basisdesk.events import (
    Ack,
    Candles,
    Changed,
    FundingHistory,
    LinkChange,
    Pong,
    Trade,
    VenueTime,
)
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit
from basisdesk.venues.instrument import Instrument, Instruments, Tiers


@pytest.fixture
def market():
    return Market(Settings(), {"bybit": Bybit()})


# --- streams -------------------------------------------------------------------------------------


def test_a_stream_is_live_only_after_data(market):
    stream = asked(market, "orderbook.1.ADAUSDT")
    assert stream.state == "connecting"
    market.apply(Ack(S, "r1", ok=True, text=""), ns(1))
    assert stream.state == "acked"
    market.apply(quote(2), ns(2))
    assert stream.state == "live"


def test_silence_makes_a_stream_stale_by_its_own_limit(market):
    market.apply(quote(0), ns(0))
    market.apply(Trade(SPOT, f"{S}/publicTrade.ADAUSDT", 1.0, 1.0, True, T0), ns(0))
    market.beat(ns(5_000))
    top, trades = (
        market.streams[f"{S}/orderbook.1.ADAUSDT"],
        market.streams[f"{S}/publicTrade.ADAUSDT"],
    )
    assert top.state == "live"
    assert market.beat(ns(6_500)) & Changed.FEEDS
    assert top.state == "stale"
    assert "silent" in top.last_error
    market.beat(ns(3_600_000))
    assert trades.state == "live"  # no trade is no fault
    market.apply(quote(3_600_001), ns(3_600_001))
    assert (top.state, top.last_error) == ("live", "")


@pytest.mark.parametrize("acked", [True, False])
def test_a_subscription_that_brings_nothing_is_shown(market, acked):
    stream = asked(market, "orderbook.1.ADAUSDT")
    if acked:
        market.apply(Ack(S, "r1", ok=True, text=""), ns(1))
    market.beat(ns(9_000))
    assert stream.state in ("connecting", "acked")
    market.beat(ns(10_500))
    assert stream.state == "stale"
    assert ("no data" if acked else "no answer") in stream.last_error


def test_c2_a_refused_topic_is_down_with_the_venues_words(market):
    topics = ("orderbook.1.ADAUSDT", "orderbook.30.ADAUSDT")
    market.link(LinkChange(S, "asked", req_id="r9", topics=topics), ns(0))
    text = "error:handler not found,topic:orderbook.30.ADAUSDT"
    market.apply(Ack(S, "r9", ok=False, text=text), ns(1))
    guilty, other = (market.streams[f"{S}/{topic}"] for topic in reversed(topics))
    assert guilty.state == "down"
    assert text in guilty.last_error
    assert other.state == "resync"  # failed with it; worth asking for alone


def test_an_error_that_answers_no_request_is_kept_for_the_link(market):
    market.apply(Ack(S, "", ok=False, text="error:invalid op"), ns(0))
    assert market.links[S].last_error == "error:invalid op"


def test_links_count_connects_and_pongs(market):
    market.link(LinkChange(S, "connecting"), ns(0))
    market.link(LinkChange(S, "up"), ns(1))
    market.apply(Pong(S), ns(2))
    link = market.links[S]
    assert (link.state, link.connects, link.pong_ns, link.since_ns) == ("up", 1, ns(2), ns(1))


def test_bad_frames_are_counted_by_reason_link_and_stream(market):
    market.apply(quote(0), ns(0))
    payload = b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","data":'
    market.bad(S, "json", ns(1), payload)
    market.bad(S, "number", ns(2), b"\xff\xfe")
    stream = market.streams[f"{S}/orderbook.1.ADAUSDT"]
    assert (market.bad_frames, market.bad_by_reason) == (2, {"json": 1, "number": 1})
    assert (stream.bad, stream.bad_by_reason) == (1, {"json": 1})
    assert market.links[S].bad == 2
    assert market.leg(SPOT).mid == 100.5


def test_an_unreadable_ticker_delta_asks_for_a_new_snapshot(market):
    market.apply(ticker(0), ns(0))
    market.bad("bybit.linear", "number", ns(1), b'{"topic":"tickers.ADAUSDT","type":"delta"')
    stream = market.streams["bybit.linear/tickers.ADAUSDT"]
    assert stream.state == "resync"
    market.apply(ticker(2), ns(2))
    assert stream.state == "resync"  # what the lost delta changed is still unknown
    asked(market, "tickers.ADAUSDT", conn="bybit.linear", ms=3)
    market.apply(ticker(4), ns(4))
    assert (stream.state, stream.last_error) == ("live", "")


def test_latency_is_the_lag_of_the_last_messages(market):
    for ms in range(0, 1000, 10):
        market.apply(quote(ms), ns(ms))
    median, p99 = market.streams[f"{S}/orderbook.1.ADAUSDT"].latency_ms()
    assert median == pytest.approx(LAG, abs=0.01)
    assert p99 == pytest.approx(LAG, abs=0.01)


def test_a_late_beat_is_counted_as_a_loop_gap(market):
    market.beat(ns(0))
    market.beat(ns(1_200))
    assert market.loop_gaps == 0
    market.beat(ns(4_200))
    assert market.loop_gaps == 1
    assert market.loop_gap_ms == pytest.approx(2_000)


# --- what is described ---------------------------------------------------------------------------


def test_ticker_moves_mark_and_the_funding_clock(market):
    assert market.apply(ticker(0), ns(0)) & Changed.FUNDING
    leg = market.leg(PERP)
    assert (leg.mark, leg.index, leg.open_interest) == (100.5, 100.4, 1e6)
    assert (leg.funding.rate, leg.funding.interval_h) == (0.0001, 8.0)
    assert leg.ticker_ns == ns(0)


def test_instruments_and_tiers_meet_in_any_order(market):
    row = Instrument(
        key=PERP,
        venue="bybit",
        market="perp",
        symbol="ADAUSDT",
        base="ADA",
        quote="USDT",
        tick=Decimal("0.0001"),
        lot=Decimal(1),
        min_qty=Decimal(1),
        min_notional=Decimal(5),
        max_qty=Decimal(1000),
        funding_interval_h=Decimal(8),
    )
    described = Instruments("bybit", (row,))
    market.leg(PERP)
    market.apply(Tiers(PERP, ("a", "b")), ns(0))
    market.apply(described, ns(1))
    assert market.leg(PERP).instrument is market.instruments[PERP]
    assert market.instruments[PERP].tiers == ("a", "b")
    market.apply(Tiers(PERP, ("c",)), ns(2))
    assert market.leg(PERP).instrument.tiers == ("c",)
    assert market.leg(PERP).funding.interval_h == 8.0
    assert market.leg(SPOT).instrument is None


def test_pages_of_candles_are_merged_and_seed_the_pair(market):
    minute = 60_000
    start = T0 - T0 % minute - 100 * minute
    for key, price in ((SPOT, 100.0), (PERP, 101.0)):
        rows = [(start + i * minute, price) for i in range(90)]
        market.apply(Candles(key, rows[50:]), ns(0))
        market.apply(Candles(key, rows[:60]), ns(0))
        assert market.candles[key].rows == rows
    market.beat(ns(0))
    pair = market.pair(SPOT, PERP)  # made later, and seeded all the same
    assert len(pair.series) == 90
    assert pair.series.last("mid_bp") == pytest.approx(100.0)


def test_funding_history_is_kept_as_text_and_taught_to_the_clock(market):
    market.apply(FundingHistory(PERP, [(1000, "0.0001"), (2000, "-0.00025")]), ns(0))
    market.apply(FundingHistory(PERP, [(2000, "-0.00025"), (3000, "0.0003")]), ns(0))
    assert market.funding_history[PERP] == {1000: "0.0001", 2000: "-0.00025", 3000: "0.0003"}
    assert market.leg(PERP).funding.last_settled == 0.0003


def test_server_time_gives_the_clock_difference(market):
    market.apply(VenueTime("bybit", T0), (T0 + 250) * 1_000_000)
    assert market.clock_ms["bybit"] == pytest.approx(250.0)


def test_beats_sample_the_pair_ten_times_a_second_at_most(market):
    pair = market.pair(SPOT, PERP)
    for ms in range(0, 1000, 20):
        market.apply(quote(ms), ns(ms))
        market.apply(quote(ms, 100.2, 101.2, key=PERP), ns(ms))
        market.beat(ns(ms))
    assert len(pair.series) == pytest.approx(10, abs=1)
