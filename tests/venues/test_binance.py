"""The Binance dialect, message by message: documented vectors, bounds, requests."""

import json
import math

import pytest
from binance_recorded import names, row
from binance_wire import M, P, S, change, combined, decode, reason_of, top

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, BookUpdate, Heard, Notice, Quote, Ticker, Trade
from basisdesk.venues import TopicRule, Venue, known_venues, rest_host
from basisdesk.venues.binance import TOPICS_MAX, Binance
from basisdesk.venues.reading import PAYLOAD_MAX

# --- each message kind ---------------------------------------------------------------------------

ADA, BTC = "binance:spot:ADAUSDT", "binance:perp:BTCUSDT"
SPOKEN = {
    "spot_book_ticker": [
        Quote(ADA, f"{S}/adausdt@bookTicker", 0.8214, 15234.1, 0.8215, 9821.0, 0, 400900217)
    ],
    "spot_depth": [
        BookUpdate(
            ADA,
            f"{S}/adausdt@depth@100ms",
            False,
            [(0.8214, 1000.0)],
            [(0.8215, 0.0)],
            160,
            1672515782136,
            156,
        )
    ],
    "spot_depth_part": [
        BookUpdate(
            ADA,
            f"{S}/adausdt@depth5@100ms",
            True,
            [(0.8214, 1000.0), (0.8213, 250.5)],
            [(0.8215, 431.0)],
            160,
            0,
        )
    ],
    "spot_trade": [Trade(ADA, f"{S}/adausdt@trade", 0.8215, 120.5, True, 1790134712390)],
    "spot_agg_trade": [Trade(ADA, f"{S}/adausdt@aggTrade", 0.8214, 77.0, False, 1790134712388)],
    "spot_book_ticker_raw": [
        Quote(ADA, f"{S}/adausdt@bookTicker", 0.8214, 15234.1, 0.8215, 9821.0, 0, 400900217)
    ],
    "server_shutdown": [
        Notice(S, "Binance will close this connection soon (serverShutdown)", closing=True)
    ],
    "server_shutdown_raw": [
        Notice(S, "Binance will close this connection soon (serverShutdown)", closing=True)
    ],
    "ack": [Ack(S, "17", True, "")],
    "ack_list": [Ack(S, "18", True, "")],
    "error_code": [Ack(S, "4", False, "Invalid request: property name must be a string (code 2)")],
    "error_wrapped": [Ack(S, "19", False, "Too many subscriptions (code 4)")],
    "usdm_book_ticker": [
        Quote(
            "binance:perp:ETHUSDT",
            f"{P}/ethusdt@bookTicker",
            1943.64,
            113.445,
            1943.65,
            182.433,
            1785121247583,
            11139947831981,
        )
    ],
    "usdm_depth": [
        BookUpdate(
            BTC,
            f"{P}/btcusdt@depth@100ms",
            False,
            [(76940.1, 1.25)],
            [(76940.2, 0.0)],
            9312345679110,
            1789478388095,
            9312345678877,
        )
    ],
    "usdm_depth_part": [
        BookUpdate(
            BTC,
            f"{P}/btcusdt@depth5@100ms",
            True,
            [(76940.1, 1.25)],
            [(76940.2, 0.331)],
            9312345679110,
            1789478388095,
        )
    ],
    "usdm_trade": [Trade(BTC, f"{P}/btcusdt@trade", 76940.2, 0.04, False, 1789478388118)],
    "usdm_trade_zero": [Heard(f"{P}/btcusdt@trade", 1789478388119)],
    "usdm_agg_trade": [Trade(BTC, f"{M}/btcusdt@aggTrade", 76940.2, 0.12, True, 1789478388118)],
    "usdm_mark_price": [
        Ticker(
            BTC,
            f"{M}/btcusdt@markPrice@1s",
            76944.22056159,
            76979.58608696,
            math.nan,
            0.00004717,
            0.0,
            1789488000000,
            0.0,
            1789478388001,
        )
    ],
}


@pytest.mark.parametrize("name", SPOKEN)
def test_every_message_kind_says_what_its_file_holds(name):
    assert repr(list(decode(name))) == repr(SPOKEN[name])  # repr: NaN equals NaN


def test_every_payload_file_is_read_or_refused_on_purpose():
    """Each file has a source and is covered here or among the REST tests."""
    found = names()
    assert len(found) >= 30
    assert set(SPOKEN) <= set(found)
    rest_files = {name for name in found if name.startswith("rest_")}
    assert set(found) == set(SPOKEN) | rest_files | {"usdm_mark_price_array"}
    for name in found:
        if name == "rest_refused":
            assert reason_of(*row(name)) == "rest"
        else:
            assert decode(name)


# --- forms and bounds ----------------------------------------------------------------------------


@pytest.mark.parametrize("speed", ["", "@0ms", "@100ms", "@250ms", "@500ms"])
def test_a_depth_stream_of_any_speed_is_read_under_its_own_name(speed):
    stream = f"adausdt@depth{speed}"
    (event,) = Binance().codec(P).decode(change(3, 4, prev=2, stream=stream))
    assert (event.stream, event.prev, event.seq) == (f"{P}/{stream}", 2, 4)
    assert Binance().rule(P, stream).seeded
    assert Binance().seed_path(P, stream) == "/fapi/v1/depth?symbol=ADAUSDT&limit=1000"


def test_the_same_symbol_on_the_other_socket_is_another_leg():
    assert Binance().codec(S).decode(top())[0].instrument == "binance:spot:ADAUSDT"
    assert Binance().codec(P).decode(top())[0].instrument == "binance:perp:ADAUSDT"


@pytest.mark.parametrize("name", ["usdm_depth", "usdm_book_ticker", "usdm_agg_trade", "spot_trade"])
def test_a_bare_event_is_read_as_if_its_stream_had_been_named(name):
    conn, payload = row(name)
    bare = json.dumps(json.loads(payload)["data"]).encode()
    codec = Binance().codec(conn)
    assert codec.decode(bare) == codec.decode(payload)


def test_order_of_keys_and_spaces_do_not_matter():
    for name in ("spot_book_ticker", "usdm_depth"):
        conn, payload = row(name)
        message = json.loads(payload)
        message["data"] = dict(reversed(message["data"].items()))
        turned = json.dumps(dict(reversed(message.items())), indent=1).encode()
        assert Binance().codec(conn).decode(turned) == decode(name)


def test_unknown_keys_are_skipped():
    conn, payload = row("usdm_book_ticker")
    more = payload.replace(b'"st":1', b'"st":1,"zz":{"new":[1]}')
    assert Binance().codec(conn).decode(more) == decode("usdm_book_ticker")


@pytest.mark.parametrize(
    ("fields", "bid", "ask"),
    [
        ({"b": "0.00000000", "B": "0.00000000"}, math.nan, 0.8215),
        ({"a": "0", "A": "0"}, 0.8214, math.nan),
        ({"A": "0.0"}, 0.8214, math.nan),
        ({"b": "0", "B": "0", "a": "0", "A": "0"}, math.nan, math.nan),
    ],
)
def test_a_side_without_price_or_size_is_none(fields, bid, ask):
    (quote,) = Binance().codec(S).decode(top(**fields))
    assert repr((quote.bid, quote.ask)) == repr((bid, ask))
    assert quote.bid_size == (0.0 if math.isnan(bid) else 10.0)
    assert quote.ask_size == (0.0 if math.isnan(ask) else 9.0)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "json"),
        (b"\xff\xfe", "json"),
        (b"[]", "type"),
        (b"{}", "topic"),
        (b"ping", "json"),
        (b'{"id":1}', "topic"),
        (b'{"lastUpdateId":160,"bids":[],"asks":[]}', "topic"),
        (b'{"e":"kline","s":"ADAUSDT","E":1}', "topic"),
        (b'{"stream":"adausdt@kline_1m","data":{}}', "topic"),
        (b'{"stream":"ADAUSDT@bookTicker","data":{}}', "topic"),
        (b'{"stream":"adausdt@bookTicker"}', "type"),
        (b'{"stream":"adausdt@bookTicker","data":null}', "type"),
        (b'{"x":' + b"[" * 100_000, "json"),
        (b"x" * (PAYLOAD_MAX + 1), "size"),
        (top(b="0.8215"), "crossed"),
        (top(b="0.9"), "crossed"),
        (top(b="-1"), "number"),
        (top(b="1e400"), "number"),
        (top(b="nan"), "number"),
        (top(b=None), "type"),
        (top(A="1e13"), "number"),
        (top(u=-1), "number"),
        (top(s="BTCUSDT"), "symbol"),
        (change(7, 6), "number"),
        (change(1, 6, bids=[["0", "1"]]), "number"),
        (change(1, 6, bids=[["1", "-1"]]), "number"),
        (change(1, 6, bids=[["1"]]), "type"),
        (change(1, 6, s="X"), "symbol"),
        (combined("adausdt@trade", s="ADAUSDT", p="1", q="1", T=1, m="x"), "type"),
        (combined("adausdt@trade", s="BTCUSDT", p="1", q="1", T=1, m=True), "symbol"),
        (
            combined("adausdt@depth5", lastUpdateId=1, bids=[["2", "1"]], asks=[["1", "1"]]),
            "crossed",
        ),
    ],
)
def test_what_cannot_be_read_has_a_reason(payload, reason):
    assert reason_of(S, payload) == reason


def test_a_refused_message_is_not_remembered():
    codec = Binance().codec(S)
    with pytest.raises(BadFrame):
        codec.decode(top(b="nan"))
    assert codec.decode(top())[0].bid == 0.8214


def test_an_endless_number_of_streams_is_refused():
    codec = Binance().codec(S)
    for number in range(TOPICS_MAX):
        codec.decode(top(f"C{number}USDT"))
    with pytest.raises(BadFrame):
        codec.decode(top("ONEMOREUSDT"))
    assert codec.decode(top("C7USDT"))[0].instrument == "binance:spot:C7USDT"


@pytest.mark.parametrize("number", ["17", 17, None])
def test_an_answer_names_its_request_in_digits(number):
    (ack,) = Binance().codec(P).decode(json.dumps({"result": None, "id": number}).encode())
    assert ack == Ack(P, "" if number is None else "17", True, "")


def test_a_sentence_of_the_venue_is_cleaned_and_cut():
    answer = {"code": 3, "msg": "bad\n\x07" + "x" * 5_000}
    (ack,) = Binance().codec(S).decode(json.dumps(answer).encode())
    assert not ack.ok
    assert ack.text.isprintable()
    assert len(ack.text) == 200


# --- what the feed asks of it --------------------------------------------------------------------


def test_it_is_a_venue_the_desk_knows():
    venue: Venue = known_venues()["binance"]
    assert isinstance(venue, Binance)
    assert list(venue.endpoints) == [S, P, M]
    assert rest_host(venue, "/api/v3/time") == "https://api.binance.com"
    assert rest_host(venue, "/fapi/v1/time") == "https://fapi.binance.com"
    for conn in (*venue.endpoints, "binance.rest"):
        assert venue.codec(conn).decode
    with pytest.raises(ValueError, match="not a connection"):
        venue.codec("bybit.spot")


@pytest.mark.parametrize(
    ("conn", "topic", "rule"),
    [
        (S, "adausdt@bookTicker", TopicRule("top", 1)),
        (P, "adausdt@depth@100ms", TopicRule("book", 1_000, stateful=True, seeded=True)),
        (S, "adausdt@depth", TopicRule("book", 1_000, stateful=True, seeded=True)),
        (S, "adausdt@depth20@100ms", TopicRule("book", 20)),
        (S, "adausdt@trade", TopicRule("trades", awaited=False)),
        (M, "adausdt@aggTrade", TopicRule("trades", awaited=False)),
        (M, "adausdt@markPrice@1s", TopicRule("ticker", quiet_s=10.0)),
        (M, "!markPrice@arr@1s", TopicRule("ticker", quiet_s=10.0)),
        (S, "adausdt@markPrice@1s", TopicRule()),
        (S, "adausdt@kline_1m", TopicRule()),
        (S, "", TopicRule()),
    ],
)
def test_rules(conn, topic, rule):
    assert Binance().rule(conn, topic) == rule


def test_only_diff_streams_are_seeded():
    venue = Binance()
    assert venue.seed_path(S, "adausdt@depth@100ms") == "/api/v3/depth?symbol=ADAUSDT&limit=1000"
    for topic in ("adausdt@bookTicker", "adausdt@depth5", "adausdt@trade", ""):
        assert venue.seed_path(S, topic) == ""
