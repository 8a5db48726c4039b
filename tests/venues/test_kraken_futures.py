"""Kraken Futures v1, message by message, and its traps."""

import json
import math

import pytest
from kraken_wire import payload
from refusal import reason_of

from basisdesk.events import Ack, BookUpdate, Heard, Notice, Pong, Ticker, Trade
from basisdesk.venues.instrument import split_symbol
from basisdesk.venues.kraken import FUTURES, Kraken

KEY, BOOK = "kraken:perp:PF_XBTUSD", "kraken.futures/book:PF_XBTUSD"


@pytest.fixture
def futures():
    return Kraken().codec(FUTURES)


def changed(name, **fields):
    """The message of a payload file with other fields; None takes one away."""
    message = json.loads(payload(name)) | fields
    return json.dumps({key: value for key, value in message.items() if value is not None}).encode()


def test_a_snapshot_leaves_levels_of_no_size_out(futures):
    assert futures.decode(payload("futures_book_snapshot")) == (
        BookUpdate(
            KEY,
            BOOK,
            True,
            [(86710.0, 1.25), (86708.0, 3.5)],
            [(86711.0, 0.9)],
            326072249,
            1790179812300,
            326072248,
        ),
    )


def test_a_delta_is_one_level_and_follows_by_number(futures):
    futures.decode(payload("futures_book_snapshot"))
    sell = BookUpdate(KEY, BOOK, False, [], [(86711.0, 0.0)], 326072250, 1790179812410, 326072249)
    assert futures.decode(payload("futures_book")) == (sell,)
    (buy,) = futures.decode(changed("futures_book", side="buy", qty=2))
    assert (buy.bids, buy.asks) == ([(86711.0, 2.0)], [])


def test_trap_31_the_book_makes_the_quote_for_the_ticker_comes_once_a_second(futures):
    topics = Kraken().topics(KEY)[FUTURES]
    rules = {topic: Kraken().rule(FUTURES, topic) for topic in topics}
    assert rules["book:PF_XBTUSD"].what == "book"
    assert rules["ticker:PF_XBTUSD"].what == "ticker"
    assert isinstance(futures.decode(payload("futures_book"))[0], BookUpdate)
    assert isinstance(futures.decode(payload("futures_ticker"))[0], Ticker)  # and no Quote


def test_trap_30_the_rate_is_the_relative_one(futures):
    """funding_rate is USD a coin and hour: 1.0844 of it would be 108 % an hour."""
    (event,) = futures.decode(payload("futures_ticker"))
    stream = "kraken.futures/ticker:PF_XBTUSD"
    assert event.rate == 0.0000125
    assert abs(event.rate * event.index - 1.0844) < 1e-3
    assert (event.instrument, event.stream) == (KEY, stream)
    assert (event.mark, event.index, event.open_interest) == (86712.4, 86756.7, 1580.12)
    assert (event.interval_h, event.next_ms, event.venue_ms) == (
        1.0,
        1790182800000,
        1790179812345,
    )


def test_an_inverse_ticker_reads_exponents_and_knows_no_coins_of_interest(futures):
    (event,) = futures.decode(payload("futures_ticker_inverse"))
    assert event.rate == -1.38e-6
    assert event.mark == 21979.68641534714
    assert math.isnan(event.open_interest)  # USD contracts, not coins


def test_a_dated_contract_has_no_funding(futures):
    dated = changed(
        "futures_ticker",
        product_id="FI_XBTUSD_260925",
        relative_funding_rate=None,
        next_funding_rate_time=None,
    )
    (event,) = futures.decode(dated)
    assert math.isnan(event.rate)
    assert (event.interval_h, event.next_ms) == (0.0, 0)


def test_a_ticker_without_a_mark_says_nothing_of_it(futures):
    (event,) = futures.decode(changed("futures_ticker", markPrice=0.0, index=None))
    assert math.isnan(event.mark)
    assert math.isnan(event.index)


def test_trap_29_bitcoin_is_xbt_here_and_btc_elsewhere():
    assert split_symbol("kraken:perp:PF_XBTUSD") == split_symbol("kraken:spot:BTC/USD")
    assert split_symbol("kraken:perp:PF_DOTUSD") == ("DOT", "USD")  # not DO, quoted in TUSD
    assert split_symbol("kraken:perp:PF_PEPEUSD") == ("PEPE", "USD")


def test_trades(futures):
    stream = "kraken.futures/trade:PF_XBTUSD"
    assert futures.decode(payload("futures_trade")) == (
        Trade(KEY, stream, 86710.0, 0.15, False, 1790179812519),
    )
    assert futures.decode(payload("futures_trade_snapshot")) == (Heard(stream, 1790179812519),)
    assert futures.decode(changed("futures_trade", type="block")) == (Heard(stream, 1790179812519),)
    assert isinstance(futures.decode(changed("futures_trade", type="liquidation"))[0], Trade)


def test_the_light_ticker_is_heard(futures):
    assert futures.decode(payload("futures_ticker_lite")) == (
        Heard("kraken.futures/ticker_lite:PI_LTCUSD", 0),
    )


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("futures_subscribed", Ack(FUTURES, "", True, "", ("book:PF_ADAUSD",))),
        ("futures_unsubscribed", Ack(FUTURES, "", True, "", ("trade:PF_ADAUSD",))),
        ("futures_error", Ack(FUTURES, "", False, "Invalid product id", ())),
        (
            "futures_alert",
            Notice(FUTURES, "Kraken Futures: Already subscribed to feed, re-requesting"),
        ),
        ("futures_info", Pong(FUTURES)),
        ("futures_heartbeat", Pong(FUTURES)),
    ],
)
def test_control(futures, name, event):
    assert futures.decode(payload(name)) == (event,)


def test_order_of_keys_does_not_matter(futures):
    direct = futures.decode(payload("futures_book"))
    shuffled = dict(reversed(json.loads(payload("futures_book")).items()))
    assert futures.decode(json.dumps(shuffled).encode()) == direct
    assert futures.decode(json.dumps(shuffled, indent=1).encode()) == direct


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("futures_book", {"price": 0}, "number"),
        ("futures_book", {"price": "86711.0"}, "number"),
        ("futures_book", {"qty": -1}, "number"),
        ("futures_book", {"qty": 1e300}, "number"),
        ("futures_book", {"seq": 1.5}, "type"),
        ("futures_book", {"seq": 2**70}, "number"),
        ("futures_book", {"side": "both"}, "type"),
        ("futures_book", {"product_id": "<b>"}, "symbol"),
        ("futures_book", {"feed": "fills"}, "topic"),
        ("futures_book", {"timestamp": None}, "type"),
        ("futures_book_snapshot", {"bids": [{"price": 86800.0, "qty": 1}]}, "crossed"),
        ("futures_ticker", {"relative_funding_rate": 1.5}, "number"),
        ("futures_ticker", {"markPrice": -1.0}, "number"),
        ("futures_trade", {"qty": 0}, "number"),
        ("futures_info", {"event": "challenge"}, "topic"),
    ],
)
def test_a_message_that_cannot_be_is_refused(futures, name, fields, reason):
    said = reason_of(futures, changed(name, **fields))
    assert said in {reason, "type"} if reason == "number" else said == reason


def test_a_known_start_with_another_product_inside_is_refused(futures):
    message = payload("futures_book")
    futures.decode(message)
    twice = message[:-1] + b',"product_id":"PF_ADAUSD"}'
    assert reason_of(futures, twice) == "symbol"


@pytest.mark.parametrize("message", [b"", b"[]", b"{}", b'"x"', b"{" * 5_000, b'{"feed":7}'])
def test_what_is_no_message(futures, message):
    assert reason_of(futures, message) in {"json", "type", "topic"}
