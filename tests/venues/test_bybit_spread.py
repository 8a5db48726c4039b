"""Bybit's spread socket: combinations as differences, and answers of a form of their own."""

import json
import math
import random

import pytest
from refusal import reason_of

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, ComboQuote, Heard, Pong
from basisdesk.venues.bybit import SPREAD, Bybit

TOPIC = "orderbook.25.ADAUSDT_ADA/USDT"
STREAM = f"bybit.spread/{TOPIC}"
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


@pytest.fixture
def codec():
    return Bybit().codec(SPREAD)


def message(kind, u, bids, asks, topic=TOPIC, **more):
    data = {
        "s": topic.removeprefix("orderbook.25."),
        "b": bids,
        "a": asks,
        "u": u,
        "seq": 7,
        **more,
    }
    said = {"topic": topic, "ts": 1744165512257, "type": kind, "data": data, "cts": 1744165512234}
    return json.dumps(said, separators=(",", ":")).encode()


BIDS = [["-0.00042", "1200"], ["-0.0005", "90.5"]]
ASKS = [["-0.0001", "300"], ["0.0002", "4"]]
SNAPSHOT = message("snapshot", 64892, BIDS, ASKS)


def top(codec, payload):
    (quote,) = codec.decode(payload)
    assert isinstance(quote, ComboQuote)
    return quote.bid, quote.bid_size, quote.ask, quote.ask_size


def test_a_snapshot_is_the_top_and_may_be_negative(codec):
    assert codec.decode(SNAPSHOT) == (
        ComboQuote(SPOT, PERP, STREAM, -0.00042, 1200.0, -0.0001, 300.0, 1744165512234),
    )


def test_a_difference_of_zero_is_a_price(codec):
    assert top(codec, message("snapshot", 1, [["0", "5"]], [["0.0001", "5"]]))[0] == 0.0


def test_deltas_are_merged(codec):
    codec.decode(SNAPSHOT)
    delta = message("delta", 64893, [["-0.00042", "0"]], [["-0.0002", "11"]])
    assert top(codec, delta) == (-0.0005, 90.5, -0.0002, 11.0)
    delta = message("delta", 64894, [["-0.0005", "80"]], [])
    assert top(codec, delta) == (-0.0005, 80.0, -0.0002, 11.0)
    below = message("delta", 64895, [["-0.9", "80"]], [])
    assert top(codec, below) == (-0.0005, 80.0, -0.0002, 11.0)  # said again: it still holds


def test_an_empty_side_is_no_price(codec):
    (quote,) = codec.decode(message("snapshot", 5, [], ASKS))
    assert math.isnan(quote.bid)
    assert (quote.bid_size, quote.ask) == (0.0, -0.0001)


def test_deltas_before_a_snapshot_are_refused(codec):
    assert reason_of(codec, message("delta", 64893, BIDS, ASKS)) == "gap"


def test_after_a_gap_every_delta_waits_for_a_snapshot(codec):
    codec.decode(SNAPSHOT)
    for u in (64894, 64895, 64896):
        assert reason_of(codec, message("delta", u, [["-0.0003", "1"]], [])) == "gap"
    assert top(codec, message("snapshot", 70000, BIDS, ASKS))[0] == -0.00042
    assert top(codec, message("delta", 70001, [["-0.0003", "1"]], []))[0] == -0.0003


def test_a_crossing_is_refused_and_then_every_delta(codec):
    codec.decode(SNAPSHOT)
    assert reason_of(codec, message("delta", 64893, [["0.0001", "1"]], [])) == "crossed"
    assert reason_of(codec, message("delta", 64894, [], [])) == "gap"
    assert reason_of(codec, message("snapshot", 5, [["0.1", "1"]], [["0.1", "1"]])) == "crossed"


def test_what_was_taken_before_is_heard_only(codec):
    codec.decode(SNAPSHOT)
    repeat = message("delta", 64892, [["-0.0002", "1"]], [])
    assert codec.decode(repeat) == (Heard(STREAM, 1744165512257),)
    assert top(codec, message("delta", 64893, [], []))[0] == -0.00042


def test_update_id_1_begins_anew(codec):
    codec.decode(SNAPSHOT)
    assert top(codec, message("delta", 1, [["-0.1", "1"]], [["0.1", "2"]])) == (-0.1, 1, 0.1, 2)


@pytest.mark.parametrize("price", ["nan", "inf", "-inf", "1e999", "-1e9", "", " 1", "x"])
def test_differences_that_are_none(codec, price):
    assert reason_of(codec, message("snapshot", 5, [[price, "1"]], [])) == "number"


@pytest.mark.parametrize("size", ["nan", "-1", "1e13", ""])
def test_sizes_that_are_none(codec, size):
    assert reason_of(codec, message("snapshot", 5, [["1", size]], [])) == "number"


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("orderbook.50.ADAUSDT_ADA/USDT", "topic"),
        ("publicTrade.ADAUSDT_ADA/USDT", "topic"),
        ("orderbook.25.ADAUSDT", "topic"),
        ("orderbook.25.ADAPERP_ADA/USDC", "topic"),
        ("orderbook.25.ADAUSDT-27JUN25_ADA/USDT", "topic"),
        ("orderbook.25.1000PEPEUSDT_PEPE/USDT", "symbol"),
        ("orderbook.25.BTCUSDT_ADA/USDT", "symbol"),
    ],
)
def test_topics_that_are_not_ours(codec, topic, reason):
    assert reason_of(codec, message("snapshot", 5, BIDS, ASKS, topic)) == reason


def test_a_message_about_another_symbol_is_refused(codec):
    assert reason_of(codec, message("snapshot", 5, BIDS, ASKS, s="ADAUSDT")) == "symbol"


def test_answers_name_the_topics_and_not_the_request(codec):
    said = {"success": True, "conn_id": "aa01", "type": "COMMAND_RESP"}
    good = {"failTopics": [], "successTopics": [TOPIC]}
    (ack,) = codec.decode(json.dumps({**said, "data": good}).encode())
    assert ack == Ack(SPREAD, "", ok=True, text="", topics=(TOPIC,))
    both = {"failTopics": ["orderbook.25.XUSDT_X/USDT"], "successTopics": [TOPIC]}
    good_ack, bad_ack = codec.decode(json.dumps({**said, "data": both}).encode())
    assert good_ack.ok is True
    assert (bad_ack.ok, bad_ack.topics) == (False, ("orderbook.25.XUSDT_X/USDT",))
    assert bad_ack.text == "no such combination"
    refused = {"success": False, "ret_msg": "args\x1b empty", "type": "COMMAND_RESP"}
    (ack,) = codec.decode(json.dumps(refused).encode())
    assert (ack.ok, ack.text, ack.topics) == (False, "args  empty", ())


def test_pong_and_ping(codec):
    assert codec.decode(b'{"args":["1672916271846"],"op":"pong"}') == (Pong(SPREAD),)
    assert json.loads(Bybit().ping(SPREAD, "3")) == {"req_id": "3", "op": "ping"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "json"),
        (b"[]", "type"),
        (b"{}", "topic"),
        (b'{"success":true,"type":"else"}', "topic"),
        (b'{"success":true,"type":"COMMAND_RESP","data":[]}', "type"),
        (b" " * 300_000, "size"),
    ],
)
def test_messages_that_are_none(codec, payload, reason):
    assert reason_of(codec, payload) == reason


def test_a_book_of_endless_levels_is_refused(codec):
    many = [[f"-0.{n:05}1", "1"] for n in range(1_001)]
    assert reason_of(codec, message("snapshot", 5, many, [])) == "size"


@pytest.mark.parametrize(
    ("spot", "perp", "topic"),
    [
        (SPOT, PERP, TOPIC),
        ("bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT", "orderbook.25.BTCUSDT_BTC/USDT"),
        ("bybit:spot:ADAUSDC", "bybit:perp:ADAUSDC", None),
        ("bybit:spot:PEPEUSDT", "bybit:perp:1000PEPEUSDT", None),
        ("bybit:spot:ADAUSDT", "bybit:perp:BTCUSDT", None),
        ("bybit:perp:ADAUSDT", "bybit:spot:ADAUSDT", None),
        ("bybit:spot:ADAUSDT", "binance:perp:ADAUSDT", None),
        ("okx:spot:ADA-USDT", "okx:perp:ADA-USDT-SWAP", None),
        ("bybit:spot:USDT", "bybit:perp:USDT", None),
    ],
)
def test_which_two_legs_have_a_combination(spot, perp, topic):
    assert Bybit().combo_topic(spot, perp) == (topic and (SPREAD, topic))


def test_the_rule_of_the_topic():
    venue = Bybit()
    rule = venue.rule(SPREAD, TOPIC)
    assert (rule.what, rule.depth, rule.stateful, rule.awaited) == ("combo", 25, True, True)
    assert venue.endpoints[SPREAD].endswith("/v5/public/spread")
    assert venue.batches([TOPIC]) == [(TOPIC,)]
    assert json.loads(venue.subscribe([TOPIC], "4"))["args"] == [TOPIC]


def test_mutants_are_events_or_bad_frames_and_leave_nothing_behind():
    rng = random.Random(3)
    messages = [
        SNAPSHOT,
        message("delta", 64893, [["-0.00042", "0"]], [["-0.0002", "11"]]),
        message("delta", 64894, [["-0.0004", "5"]], []),
        b'{"args":["1672916271846"],"op":"pong"}',
    ]
    codec, twin = Bybit().codec(SPREAD), Bybit().codec(SPREAD)
    refused = 0
    for number in range(20_000):
        payload = bytearray(messages[number % len(messages)])
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(payload))
            payload[at : at + rng.randint(0, 3)] = bytes(rng.choices(b'0123456789.e-+"[]{},', k=2))
        try:
            events = codec.decode(bytes(payload))
        except BadFrame:
            refused += 1
        else:
            assert repr(events) == repr(twin.decode(bytes(payload)))
            for event in events:
                if isinstance(event, ComboQuote):
                    assert not event.bid >= event.ask
                    assert all(math.isnan(x) or abs(x) < 1e9 for x in (event.bid, event.ask))
        if number % 10 == 0:
            assert repr(codec.decode(SNAPSHOT)) == repr(twin.decode(SNAPSHOT))
    assert 5_000 < refused < 20_000
