"""The Bybit dialect, message by message: the vectors of the venue's documentation and its traps."""

import json
import math

import msgspec
import pytest
from refusal import reason_of

from basisdesk.events import Ack, BookUpdate, Heard, Pong, Quote, Ticker, Trade
from basisdesk.venues import TopicRule, known_venues
from basisdesk.venues.bybit import Bybit
from basisdesk.venues.reading import PAYLOAD_MAX

S, P = "bybit.spot", "bybit.linear"

TOP = (
    b'{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1790134712391,"data":{"s":"BTCUSDT",'
    b'"b":[["86723.40","2.114"]],"a":[["86723.50","0.873"]],"u":173678160,"seq":814547789570},'
    b'"cts":1790134712388}'
)
DELTA = (
    b'{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1687940967466,"data":{"s":"BTCUSDT",'
    b'"b":[["30247.20","30.028"],["30240.00","0"]],"a":[["30248.70","0"],["30249.30","0.892"]],'
    b'"u":177400507,"seq":66544703342},"cts":1687940967464}'
)
TICKER = (
    b'{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","tickDirection":'
    b'"MinusTick","price24hPcnt":"-0.158315","lastPrice":"66666.60","prevPrice24h":"79206.20",'
    b'"markPrice":"66666.60","indexPrice":"115418.19","openInterest":"492373.72",'
    b'"openInterestValue":"32824881841.75","fundingIntervalHour":"8","fundingCap":"0.005",'
    b'"nextFundingTime":"1760342400000","fundingRate":"-0.005","bid1Price":"66666.60",'
    b'"bid1Size":"23789.165","ask1Price":"66666.70","ask1Size":"23775.469","preOpenPrice":"",'
    b'"preQty":"","curPreListingPhase":""},"cs":9532239429,"ts":1760325052630}'
)
TICKER_DELTA = (
    b'{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"86716.30",'
    b'"indexPrice":"86756.70","openInterestValue":"5250990127.10","singleOpenInterestValue":'
    b'"2625495106.91"},"cs":814547789569,"ts":1790134712383}'
)
SPOT_TICKER = (
    b'{"topic":"tickers.BTCUSDT","ts":1673853746003,"type":"snapshot","cs":2588407389,"data":'
    b'{"symbol":"BTCUSDT","lastPrice":"21109.77","highPrice24h":"21426.99","lowPrice24h":"20575",'
    b'"prevPrice24h":"20704.93","volume24h":"6780.866843","turnover24h":"141946527.22907118",'
    b'"price24hPcnt":"0.0196","usdIndexPrice":"21120.2400136"}}'
)
TRADE = (
    b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":'
    b'1672304486865,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":'
    b'"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false,"seq":1783284617}]}'
)


@pytest.fixture
def spot():
    return Bybit().codec(S)


@pytest.fixture
def linear():
    return Bybit().codec(P)


def delta(**fields):
    data = {"symbol": "BTCUSDT", **fields}
    return json.dumps(
        {"topic": "tickers.BTCUSDT", "type": "delta", "data": data, "cs": 1, "ts": 5}
    ).encode()


def top(u=5, ts=10_000, cts=9_990, bids=(("1.0", "1"),), asks=(("1.1", "1"),), inside=False):
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": u, "seq": 1}
    message = {"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": ts, "data": data}
    (data if inside else message)["cts"] = cts
    return json.dumps(message, separators=(",", ":")).encode()


# --- order books ---------------------------------------------------------------------------------


def test_orderbook_1_is_a_quote(linear):
    assert linear.decode(TOP) == (
        Quote(
            "bybit:perp:BTCUSDT",
            "bybit.linear/orderbook.1.BTCUSDT",
            86723.40,
            2.114,
            86723.50,
            0.873,
            1790134712388,
            173678160,
        ),
    )


def test_the_same_symbol_on_the_other_socket_is_another_leg(spot):
    (quote,) = spot.decode(TOP)
    assert (quote.instrument, quote.stream) == (
        "bybit:spot:BTCUSDT",
        "bybit.spot/orderbook.1.BTCUSDT",
    )


@pytest.mark.parametrize("inside", [False, True])
def test_engine_time_is_read_on_top_and_inside_data(linear, inside):
    assert linear.decode(top(inside=inside))[0].venue_ms == 9_990


def test_a_repeat_stands_at_the_time_it_was_published(linear):
    assert linear.decode(top(u=5, ts=10_000))[0].venue_ms == 9_990
    assert linear.decode(top(u=5, ts=13_000))[0].venue_ms == 13_000
    assert linear.decode(top(u=6, ts=13_010, cts=13_005))[0].venue_ms == 13_005


def test_the_first_snapshot_of_a_quiet_book_is_not_old(linear):
    assert linear.decode(top(ts=500_000, cts=9_990))[0].venue_ms == 500_000


@pytest.mark.parametrize("depth", [50, 200, 1000])
def test_any_other_depth_is_a_book_update(linear, depth):
    payload = DELTA.replace(b"orderbook.50", b"orderbook.%d" % depth)
    assert linear.decode(payload) == (
        BookUpdate(
            "bybit:perp:BTCUSDT",
            f"bybit.linear/orderbook.{depth}.BTCUSDT",
            False,
            [(30247.20, 30.028), (30240.0, 0.0)],
            [(30248.70, 0.0), (30249.30, 0.892)],
            177400507,
            1687940967464,
            177400506,
        ),
    )


def test_a_snapshot_says_so(linear):
    payload = DELTA.replace(b'"delta"', b'"snapshot"').replace(b'"30240.00","0"', b'"1","1"')
    assert linear.decode(payload)[0].snapshot is True


def test_order_of_keys_does_not_matter(linear):
    shuffled = json.dumps(dict(reversed(json.loads(TOP).items()))).encode()
    assert linear.decode(shuffled) == Bybit().codec(P).decode(TOP)
    assert linear.decode(TICKER_DELTA)[0].mark == 86716.30
    spaced = json.dumps(json.loads(delta(fundingRate="0.0002")), indent=1).encode()
    assert linear.decode(spaced)[0].mark == 86716.30  # one merged state, however it is spelled


def test_crossed_quotes_and_snapshots_are_bad(linear):
    assert reason_of(linear, top(bids=[["1.1", "1"]])) == "crossed"
    assert reason_of(linear, top(bids=[["1.2", "1"]])) == "crossed"
    crossed = DELTA.replace(b'"delta"', b'"snapshot"').replace(b"30247.20", b"30250.00")
    assert reason_of(linear, crossed) == "crossed"


def test_an_empty_side_is_no_price(linear):
    (quote,) = linear.decode(top(bids=[]))
    assert math.isnan(quote.bid)
    assert (quote.bid_size, quote.ask) == (0.0, 1.1)


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("nan", "number"),
        ("inf", "number"),
        ("-1", "number"),
        ("0", "number"),
        ("1e999", "number"),
        ("1e9", "number"),
        ("", "number"),
        (" 12 ", "number"),
        ("1_0", "number"),
        ("１２", "number"),
        (None, "type"),
        (True, "type"),
        ([], "type"),
    ],
)
def test_prices_that_are_none(linear, price, reason):
    assert reason_of(linear, top(bids=[[price, "1"]])) == reason
    message = json.loads(DELTA)
    message["data"]["a"][1][0] = price
    assert reason_of(linear, json.dumps(message).encode()) == reason


@pytest.mark.parametrize("size", ["nan", "inf", "-1", "1e13", "x"])
def test_sizes_that_are_none(linear, size):
    assert reason_of(linear, top(bids=[["1.0", size]])) == "number"
    message = json.loads(DELTA)
    message["data"]["a"][1][1] = size
    assert reason_of(linear, json.dumps(message).encode()) == "number"


def test_a_best_price_with_nothing_behind_it_is_bad(linear):
    assert reason_of(linear, top(bids=[["1.0", "0"]])) == "number"


@pytest.mark.parametrize("u", [-1, 1.5, "x", None, 10**30])
def test_update_ids_that_are_none(linear, u):
    assert reason_of(linear, top(u=u)) in ("number", "type")


def test_orderbook_1_has_no_deltas(linear):
    assert reason_of(linear, TOP.replace(b"snapshot", b"delta")) == "type"


def test_multiplier_contracts_are_in_single_coins():
    for symbol in ("1000PEPEUSDT", "SHIB1000USDT"):
        codec = Bybit().codec(P)
        (quote,) = codec.decode(TOP.replace(b"BTCUSDT", symbol.encode()))
        assert quote.bid == pytest.approx(86.7234)
        assert quote.bid_size == pytest.approx(2114.0)
        (book,) = codec.decode(DELTA.replace(b"BTCUSDT", symbol.encode()))
        assert book.asks[1] == pytest.approx((30.2493, 892.0))
        (trade,) = codec.decode(TRADE.replace(b"BTCUSDT", symbol.encode()))
        assert (trade.price, trade.size) == pytest.approx((16.5785, 1.0))
        (ticker,) = codec.decode(TICKER.replace(b"BTCUSDT", symbol.encode()))
        assert (ticker.mark, ticker.open_interest) == pytest.approx((66.6666, 492373720.0))
        assert ticker.rate == -0.005


# --- tickers -------------------------------------------------------------------------------------


def test_linear_ticker_snapshot_then_delta_keeps_what_the_delta_leaves_out(linear):
    key, stream = "bybit:perp:BTCUSDT", "bybit.linear/tickers.BTCUSDT"
    next_ms = 1760342400000
    assert linear.decode(TICKER) == (
        Ticker(
            key, stream, 66666.6, 115418.19, 492373.72, -0.005, 8.0, next_ms, 0.005, 1760325052630
        ),
    )
    assert linear.decode(TICKER_DELTA) == (
        Ticker(
            key, stream, 86716.3, 86756.7, 492373.72, -0.005, 8.0, next_ms, 0.005, 1790134712383
        ),
    )


def test_the_funding_interval_is_kept_over_deltas_and_follows_a_change(linear):
    linear.decode(TICKER)
    assert linear.decode(delta(fundingRate="0.0002"))[0].interval_h == 8.0
    assert linear.decode(delta(fundingIntervalHour="1"))[0].interval_h == 1.0
    assert linear.decode(delta(fundingRate="0.0003"))[0].interval_h == 1.0


def test_a_delta_that_moves_nothing_we_keep_is_only_heard(linear):
    linear.decode(TICKER)
    assert linear.decode(delta(bid1Price="1", bid1Size="2")) == (
        Heard("bybit.linear/tickers.BTCUSDT", 5),
    )


def test_a_snapshot_and_a_new_connection_drop_the_merged_ticker(linear):
    linear.decode(TICKER)
    bare = delta(markPrice="5").replace(b"delta", b"snapshot")
    (ticker,) = linear.decode(bare)
    assert ticker.mark == 5.0
    assert math.isnan(ticker.rate)
    assert (ticker.interval_h, ticker.next_ms, ticker.cap) == (0.0, 0, 0.0)
    linear.decode(TICKER)
    fresh = Bybit().codec("bybit.linear")
    assert math.isnan(fresh.decode(delta(markPrice="5"))[0].rate)


@pytest.mark.parametrize(
    "bad",
    [
        {"fundingRate": "nan"},
        {"fundingRate": "1.5"},
        {"indexPrice": "-1"},
        {"openInterest": "inf"},
        {"nextFundingTime": "-5"},
        {"nextFundingTime": "soon"},
        {"fundingIntervalHour": "0"},
        {"fundingCap": []},
        {"symbol": "ETHUSDT"},
    ],
)
def test_a_bad_field_leaves_no_trace_of_its_message(linear, bad):
    linear.decode(TICKER)
    reason_of(linear, delta(markPrice="77777", **bad))
    assert linear.decode(delta(fundingRate="0.0001"))[0].mark == 66666.6


def test_c3_an_empty_field_is_no_value_and_no_error(linear):
    """C3: one empty funding rate threw the script into its reconnect handler."""
    linear.decode(TICKER)
    (ticker,) = linear.decode(delta(fundingRate="", nextFundingTime="", markPrice="70000"))
    assert math.isnan(ticker.rate)
    assert (ticker.next_ms, ticker.mark, ticker.interval_h) == (0, 70000.0, 8.0)
    reason_of(linear, delta(fundingRate="", markPrice="nan"))
    assert linear.decode(delta(fundingRate="0.0001"))[0].mark == 70000.0


def test_spot_ticker_gives_no_price_at_all(spot):
    assert spot.decode(SPOT_TICKER) == (Heard("bybit.spot/tickers.BTCUSDT", 1673853746003),)
    with_bid = SPOT_TICKER.replace(b'"lastPrice"', b'"bid1Price":"1","ask1Price":"2","lastPrice"')
    assert spot.decode(with_bid) == (Heard("bybit.spot/tickers.BTCUSDT", 1673853746003),)


# --- trades --------------------------------------------------------------------------------------


def test_every_trade_of_a_message_is_an_event(spot):
    message = json.loads(TRADE)
    message["data"].append({**message["data"][0], "S": "Sell", "p": "16578.00", "T": 7})
    assert spot.decode(json.dumps(message).encode()) == [
        Trade(
            "bybit:spot:BTCUSDT",
            "bybit.spot/publicTrade.BTCUSDT",
            16578.5,
            0.001,
            True,
            1672304486865,
        ),
        Trade("bybit:spot:BTCUSDT", "bybit.spot/publicTrade.BTCUSDT", 16578.0, 0.001, False, 7),
    ]


def test_one_bad_trade_spoils_its_message(spot):
    message = json.loads(TRADE)
    message["data"].append({**message["data"][0], "S": "Bought"})
    assert reason_of(spot, json.dumps(message).encode()) == "type"


# --- control -------------------------------------------------------------------------------------


def answer(**fields):
    return json.dumps({"conn_id": "d9avt8", **fields}).encode()


def test_acks_are_told_apart_by_request_id(spot):
    said = answer(success=True, ret_msg="", req_id="bd-1", op="subscribe")
    assert spot.decode(said) == (Ack(S, "bd-1", True, ""),)
    said = answer(success=True, ret_msg="subscribe", op="subscribe")
    assert spot.decode(said) == (Ack(S, "", True, "subscribe"),)


def test_a_bad_topic_is_a_no_with_the_venues_words(linear):
    text = "error:handler not found,topic:orderbook.30.ADAUSDT"
    said = answer(success=False, ret_msg=text, req_id="bd-3", op="subscribe")
    assert linear.decode(said) == (Ack(P, "bd-3", False, text),)


def test_already_subscribed_is_as_good_as_a_yes(linear):
    text = "error:already subscribed,topic:tickers.ADAUSDT"
    said = answer(success=False, ret_msg=text, req_id="bd-4", op="subscribe")
    assert linear.decode(said)[0].ok is True


def test_pong_is_known_by_its_message(linear):
    said = answer(success=True, ret_msg="pong", req_id="", op="ping")
    assert linear.decode(said) == (Pong(P),)


def test_the_venues_text_is_cleaned_and_bounded(linear):
    said = answer(success=False, ret_msg="x\x00\u202e" + "y" * 1000, req_id="r", op="subscribe")
    (ack,) = linear.decode(said)
    assert len(ack.text) == 200
    assert ack.text.isprintable()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "json"),
        (b"ping", "json"),
        (b"\xff\xfe", "json"),
        (TOP[:-20], "json"),
        (b'{"x":' + b"[" * 100_000, "json"),
        (b"[]", "type"),
        (b"{}", "topic"),
        (b'{"op":"auth","success":true}', "topic"),
        (b'{"topic":5}', "type"),
        (b'{"topic":"kline.1.BTCUSDT"}', "topic"),
        (b'{"topic":"orderbook.0.BTCUSDT"}', "topic"),
        (b'{"topic":"orderbook.rpi.BTCUSDT"}', "topic"),
        (b'{"topic":"orderbook.99999.BTCUSDT"}', "topic"),
        (b'{"topic":"orderbook.1.btc<b>"}', "symbol"),
        (b'{"topic":"orderbook.1.BTCUSDT"}', "type"),
        (TOP.replace(b'"s":"BTCUSDT"', b'"s":"ETHUSDT"'), "symbol"),
        (DELTA.replace(b'"s":"BTCUSDT"', b'"s":"ETHUSDT"'), "symbol"),
        (TRADE.replace(b'"s":"BTCUSDT"', b'"s":"ETHUSDT"'), "symbol"),
        (b" " * (PAYLOAD_MAX + 1), "size"),
    ],
)
def test_what_cannot_be_read_is_a_bad_frame_with_a_reason(linear, payload, reason):
    assert reason_of(linear, payload) == reason


def test_topics_without_end_are_not_remembered(linear):
    for i in range(1_500):
        payload = TOP.replace(b"BTCUSDT", b"X%dUSDT" % i)
        if i < 1_000:
            linear.decode(payload)
        else:
            assert reason_of(linear, payload) == "topic"


# --- what we send --------------------------------------------------------------------------------


def test_topics_of_a_leg():
    topics = (
        "orderbook.1.ADAUSDT",
        "orderbook.50.ADAUSDT",
        "publicTrade.ADAUSDT",
        "tickers.ADAUSDT",
    )
    assert Bybit().topics("bybit:spot:ADAUSDT") == {S: topics}
    assert Bybit().topics("bybit:perp:ADAUSDT") == {P: topics}
    assert Bybit().batches([*topics, "tickers.BTCUSDT"]) == [topics, ("tickers.BTCUSDT",)]


def test_messages_to_send():
    venue = known_venues()["bybit"]
    decode = msgspec.json.decode
    assert decode(venue.subscribe(["orderbook.1.ADAUSDT"], "bd-1")) == {
        "req_id": "bd-1",
        "op": "subscribe",
        "args": ["orderbook.1.ADAUSDT"],
    }
    assert decode(venue.unsubscribe(("a", "b"), "2"))["op"] == "unsubscribe"
    assert decode(venue.ping(S, "3")) == {"req_id": "3", "op": "ping"}


def test_every_topic_has_a_limit_of_silence():
    venue = Bybit()
    for topic in venue.topics("bybit:perp:ADAUSDT")[P]:
        rule = venue.rule(P, topic)
        assert rule.what != "other"
        assert (rule.quiet_s > 0) == rule.awaited == (rule.what != "trades")
    assert venue.rule(P, "orderbook.1.ADAUSDT") == TopicRule("top", 1, 6.0)
    assert venue.rule(P, "orderbook.50.ADAUSDT").stateful
    assert venue.rule(P, "nothing.ADAUSDT") == TopicRule()


def test_an_unknown_connection_is_the_callers_mistake():
    with pytest.raises(ValueError, match="not a connection"):
        Bybit().codec("bybit.inverse")
