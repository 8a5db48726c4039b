"""Kraken spot v2, message by message: the checksum vector, the trimmed book, acks and traps."""

import json
import math
from datetime import UTC, datetime

import pytest
from kraken_wire import FOLDER, book, checksum, payload
from refusal import reason_of

from basisdesk.events import Ack, BookLost, BookUpdate, Heard, Notice, Pong, Trade
from basisdesk.venues import known_venues, rest_host
from basisdesk.venues.kraken import FUTURES, SPOT, Kraken
from basisdesk.venues.kraken_spot import DEPTH, to_ms, wire_id
from basisdesk.venues.reading import PAYLOAD_MAX

BIDS = [(f"0.{8000 - at:04d}0", f"{at + 1}.50000000") for at in range(10)]
ASKS = [(f"0.{8001 + at:04d}0", f"{at + 1}.25000000") for at in range(10)]


@pytest.fixture
def spot():
    return Kraken().codec(SPOT)


def opened(codec, bids=BIDS, asks=ASKS):
    """A codec that holds this book, and its first event."""
    (event,) = codec.decode(book("snapshot", bids, asks, checksum(bids, asks)))
    return event


def held(codec, symbol="ADA/USD"):
    """(bids, asks) prices of the codec's book, best first."""
    kept = codec.books[symbol]
    return list(kept.bids[0]), list(kept.asks[0])


# --- the book ------------------------------------------------------------------------------------


def test_the_official_checksum_vector(spot):
    message = payload("spot_book_snapshot")
    assert b'"checksum":3310070434' in message
    (event,) = spot.decode(message)
    assert isinstance(event, BookUpdate)
    assert event.snapshot
    assert event.instrument == "kraken:spot:BTC/USD"
    assert event.stream == "kraken.spot/book:BTC/USD"
    assert event.bids[0] == (45283.5, 0.1)
    assert event.asks[-1] == (45299.5, 0.18772827)
    assert (len(event.bids), len(event.asks)) == (10, 10)
    assert event.venue_ms == 1696613755440
    assert spot.books["BTC/USD"].asks[1].startswith(b"452852100000452864154571953")


def test_an_update_follows_its_snapshot_by_our_own_count(spot):
    (first,) = spot.decode(payload("spot_book_snapshot"))
    (second,) = spot.decode(payload("spot_book_update"))
    assert (first.seq, second.seq, second.prev) == (1, 2, 1)
    assert not second.snapshot
    assert second.bids == [(45283.5, 0.0)]
    assert second.asks == [(45285.1, 0.5), (45299.5, 0.0)]  # the eleventh ask is cut


@pytest.mark.parametrize("level", ["bids", "asks"])
def test_a_wrong_checksum_loses_the_book_and_nothing_of_the_message_is_kept(spot, level):
    opened(spot)
    wrong = book("update", [], [], 1).replace(
        f'"{level}":[]'.encode(), f'"{level}":[{{"price":0.79000,"qty":3.00000000}}]'.encode()
    )
    assert spot.decode(wrong) == (
        BookLost("kraken:spot:ADA/USD", "kraken.spot/book:ADA/USD", "checksum"),
    )
    assert held(spot) == ([], [])
    right = book("update", [(BIDS[0][0], "9.00000000")], [], checksum(BIDS, ASKS))
    assert spot.decode(right) == ()  # waits for a snapshot, and loses nothing twice
    assert opened(spot).seq == 2
    assert held(spot)[0][0] == 0.8


def test_a_snapshot_whose_checksum_is_wrong_is_no_book(spot):
    opened(spot)
    (event,) = spot.decode(book("snapshot", BIDS[1:], ASKS, checksum(BIDS, ASKS)))
    assert isinstance(event, BookLost)
    assert not spot.books["ADA/USD"].valid


def test_an_update_before_any_snapshot_is_no_book(spot):
    assert spot.decode(book("update", BIDS, ASKS, checksum(BIDS, ASKS))) == ()


def test_each_symbol_has_its_own_book(spot):
    opened(spot)
    other = book("snapshot", BIDS[2:], ASKS, checksum(BIDS[2:], ASKS), symbol="SOL/USD")
    spot.decode(other)
    assert held(spot)[0][0] == 0.8
    assert held(spot, "SOL/USD")[0][0] == 0.7998


def test_trap_27_texts_and_not_floats_make_the_checksum(spot):
    """0.10000000 read as a float says 0.1, and 0.00001 says 1e-05: the digits would be others."""
    bids = [("0.00001", "0.10000000"), ("0.0000099", "100.00000000")]
    asks = [("0.00002", "0.00001000")]
    opened(spot, bids, asks)
    as_floats = [(str(float(price)), str(float(size))) for price, size in bids]
    assert checksum(as_floats, asks) != checksum(bids, asks)


@pytest.mark.parametrize("size", ["1e-05", "1E-5", "1.000e-05", "0.1e-4"])
def test_trap_27_a_number_with_an_exponent_counts_with_the_digits_of_its_pair(spot, size):
    """The venue's page: values may be sent with an exponent; the others show 8 digits here."""
    asks = [("0.80010", "0.00001000"), *ASKS[1:]]
    sent = [("0.80010", size), *ASKS[1:]]
    (event,) = spot.decode(book("snapshot", BIDS, sent, checksum(BIDS, asks)))
    assert event.asks[0] == (0.8001, 1e-05)
    standing = [("0.80010", "0.00002000"), *ASKS[1:]]
    (event,) = spot.decode(book("update", [], [("8.001e-1", "2E-05")], checksum(BIDS, standing)))
    assert event.asks == [(0.8001, 2e-05)]


def test_trap_28_levels_beyond_the_depth_are_cut_and_said_to_be_gone(spot):
    opened(spot)
    better = [("0.80005", "1.00000000"), ("0.80002", "2.00000000")]
    now = [better[0], better[1], *BIDS[:8]]
    (event,) = spot.decode(book("update", better[::-1], [], checksum(now, ASKS)))
    assert event.bids == [(0.80002, 2.0), (0.80005, 1.0), (0.7992, 0.0), (0.7991, 0.0)]
    assert held(spot)[0] == [float(price) for price, _ in now]
    # The two come back when others go: the venue sends them again, having never deleted them.
    gone = [("0.80005", "0.00000000"), ("0.80002", "0.00000000"), *BIDS[8:]]
    (event,) = spot.decode(book("update", gone, [], checksum(BIDS, ASKS)))
    assert event.bids[2:] == [(0.7992, 9.5), (0.7991, 10.5)]
    assert len(held(spot)[0]) == DEPTH


def test_one_price_twice_in_a_message_is_applied_in_order(spot):
    opened(spot)
    twice = [("0.80000", "7.00000000"), ("0.80000", "0.00000000"), ("0.80000", "3.00000000")]
    now = [("0.80000", "3.00000000"), *BIDS[1:]]
    (event,) = spot.decode(book("update", twice, [], checksum(now, ASKS)))
    assert event.bids == [(0.8, 7.0), (0.8, 0.0), (0.8, 3.0)]


def test_a_snapshot_that_takes_a_level_back_does_not_show_it(spot):
    levels = [*BIDS, ("0.80000", "0.00000000")]
    (event,) = spot.decode(book("snapshot", levels, ASKS, checksum(BIDS[1:], ASKS)))
    assert event.bids[0][0] == 0.7999
    assert all(size > 0 for _, size in event.bids)


def test_a_short_or_empty_side_is_a_book_too(spot):
    event = opened(spot, [], ASKS[:2])
    assert (event.bids, len(event.asks)) == ([], 2)
    (event,) = spot.decode(
        book("update", [], [(ASKS[0][0], "0.00000000")], checksum([], ASKS[1:2]))
    )
    assert held(spot) == ([], [0.8002])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"price":0.80000', b'"price":0.0', "number"),
        (b'"price":0.80000', b'"price":-0.8', "number"),
        (b'"price":0.80000', b'"price":1e400', "number"),
        (b'"price":0.80000', b'"price":"0.80000"', "number"),
        (b'"price":0.80000', b'"price":null', "number"),
        (b'"price":0.80000', b'"price":1e-300', "number"),
        (b'"qty":1.50000000', b'"qty":-1.5', "number"),
        (b'"qty":1.50000000', b'"qty":1e300', "number"),
        (b'"qty":1.50000000', b'"qty":NaN', "json"),
        (b'"checksum":', b'"checksum":-', "number"),
        (b'"symbol":"ADA/USD"', b'"symbol":"<b>/USD"', "symbol"),
        (b'"type":"snapshot"', b'"type":"other"', "type"),
        (b'"2026-09-22T20:11:52.811201Z"', b'"2026-09-22"', "type"),
        (b'"2026-09-22T20:11:52.811201Z"', b'"1960-01-01T00:00:00Z"', "number"),
        (b'"data":[', b'"data":[],"x":[', "type"),
    ],
)
def test_a_message_that_cannot_be_is_refused_and_the_book_stays(spot, old, new, reason):
    good = book("snapshot", BIDS, ASKS, checksum(BIDS, ASKS))
    opened(spot)
    before = held(spot)
    assert old in good
    assert reason_of(spot, good.replace(old, new, 1)) == reason
    assert held(spot) == before
    assert spot.books["ADA/USD"].seq == 1


# --- ticker, trades, time ------------------------------------------------------------------------


def test_the_ticker_is_heard_and_gives_no_price(spot):
    """Bid and ask of the ticker come late or not at all (trap 26); the proven book is the quote."""
    assert spot.decode(payload("spot_ticker")) == [
        Heard("kraken.spot/ticker:BTC/USD", 1790107912711)
    ]


def test_trades_name_the_taker_and_read_exponents(spot):
    first, second = spot.decode(payload("spot_trade"))
    stamp = 1790107912900
    key, stream = "kraken:spot:BTC/USD", "kraken.spot/trade:BTC/USD"
    assert first == Trade(key, stream, 86720.2, 0.0123, True, stamp)
    assert second == Trade(key, stream, 86720.1, 1e-05, False, stamp)


def test_a_snapshot_of_trades_is_history(spot):
    (event,) = spot.decode(payload("spot_trade_snapshot"))
    assert isinstance(event, Heard)


def test_stamps_are_cut_to_the_millisecond_they_lie_in():
    for us in (0, 1, 999, 1_000, 711_000, 711_999, 999_999):
        stamp = datetime(2026, 9, 22, 20, 11, 52, us, UTC)
        assert to_ms(stamp) % 1000 == us // 1000
    assert to_ms(None) == 0


# --- control -------------------------------------------------------------------------------------


def test_acks_name_their_topic_and_give_our_number_back(spot):
    assert spot.decode(payload("spot_subscribed")) == (
        Ack("kraken.spot", "1", True, "", ("ticker:ADA/USD",)),
    )
    (event,) = spot.decode(payload("spot_unsubscribed"))
    assert (event.req_id, event.ok, event.topics) == ("3", True, ("book:ADA/USD",))


def test_trap_29_a_refusal_of_the_old_name_is_for_one_topic_of_its_request(spot):
    """XBT/EUR is BTC/EUR here. The refusal names no channel: our number brings it back."""
    (event,) = spot.decode(payload("spot_refused"))
    assert event == Ack(
        "kraken.spot", "2", False, "Currency pair not supported XBT/EUR", ("book:XBT/EUR",)
    )


def test_already_subscribed_is_as_good_as_a_yes(spot):
    message = payload("spot_refused").replace(
        b"Currency pair not supported XBT/EUR", b"Already subscribed"
    )
    assert spot.decode(message)[0].ok


def test_a_refusal_without_a_number_names_nothing(spot):
    message = b'{"error":"Malformed request","success":false}'
    assert spot.decode(message) == (Ack("kraken.spot", "", False, "Malformed request", ()),)


@pytest.mark.parametrize("name", ["spot_heartbeat", "spot_pong", "spot_status_online"])
def test_signs_of_life(spot, name):
    assert spot.decode(payload(name)) == (Pong("kraken.spot"),)


def test_maintenance_is_a_notice(spot):
    (event,) = spot.decode(payload("spot_status_maintenance"))
    assert event == Notice("kraken.spot", "Kraken spot is in maintenance mode")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b'{"channel":"instrument","type":"snapshot","data":{}}', "topic"),
        (b'{"method":"subscribe"}', "topic"),
        (b"[]", "type"),
        (b"pong", "json"),
        (b"", "json"),
        (b'{"a":' * 100_000, "json"),
        (b"1" * (PAYLOAD_MAX + 1), "size"),
    ],
)
def test_what_is_no_message(spot, message, reason):
    assert reason_of(spot, message) == reason


# --- what the desk sends -------------------------------------------------------------------------


def test_trap_26_the_ticker_is_asked_for_at_every_best_price():
    ask = json.loads(Kraken().subscribe(("ticker:ADA/USD", "ticker:BTC/USD"), "1"))
    assert ask == {
        "method": "subscribe",
        "params": {
            "channel": "ticker",
            "symbol": ["ADA/USD", "BTC/USD"],
            "event_trigger": "bbo",
            "snapshot": True,
        },
        "req_id": 11,
    }
    drop = json.loads(Kraken().unsubscribe(("ticker:ADA/USD",), "2"))
    assert drop["params"] == {"channel": "ticker", "symbol": ["ADA/USD"], "event_trigger": "bbo"}


def test_books_are_asked_for_at_the_depth_we_keep_and_trades_without_history():
    book_ask = json.loads(Kraken().subscribe(("book:ADA/USD",), "7"))
    assert book_ask["params"] == {
        "channel": "book",
        "symbol": ["ADA/USD"],
        "depth": DEPTH,
        "snapshot": True,
    }
    trade_ask = json.loads(Kraken().subscribe(("trade:ADA/USD",), "8"))
    assert trade_ask["params"]["snapshot"] is False
    assert trade_ask["req_id"] == wire_id("8", "trade") == 83


def test_futures_are_asked_in_their_own_words():
    venue = Kraken()
    assert json.loads(venue.subscribe(("book:PF_ADAUSD", "book:PF_XBTUSD"), "1")) == {
        "event": "subscribe",
        "feed": "book",
        "product_ids": ["PF_ADAUSD", "PF_XBTUSD"],
    }
    assert json.loads(venue.unsubscribe(("trade:PF_ADAUSD",), "1"))["event"] == "unsubscribe"


def test_one_request_a_channel_of_a_connection():
    venue = Kraken()
    spot = [f"{channel}:C{at}/USD" for at in range(150) for channel in ("book", "trade")]
    batches = venue.batches([*spot, "book:PF_ADAUSD"])
    assert [len(each) for each in batches] == [100, 50, 100, 50, 1]
    assert sorted(topic for each in batches for topic in each) == sorted([*spot, "book:PF_ADAUSD"])
    for each in batches:
        assert len({topic.partition(":")[0] for topic in each}) == 1


def test_spot_pings_in_json_and_futures_in_the_sockets_own_frame():
    assert json.loads(Kraken().ping(SPOT, "42")) == {"method": "ping", "req_id": 420}
    assert Kraken().ping(FUTURES, "42") is None


def test_topics_and_their_rules():
    venue = known_venues()["kraken"]
    assert venue.topics("kraken:spot:ADA/USD") == {
        SPOT: ("book:ADA/USD", "ticker:ADA/USD", "trade:ADA/USD")
    }
    ((conn, topics),) = venue.topics("kraken:perp:PF_ADAUSD").items()
    assert conn == FUTURES
    assert [venue.rule(conn, topic).what for topic in topics] == ["book", "ticker", "trades"]
    rule = venue.rule(SPOT, "book:ADA/USD")
    assert (rule.what, rule.depth, rule.stateful, rule.seeded) == ("book", 10, True, False)
    assert not venue.rule(SPOT, "trade:ADA/USD").awaited
    assert venue.rule(SPOT, "nonsense") == venue.rule("bybit.spot", "book:ADA/USD")


def test_the_venues_limits_are_kept():
    limits = Kraken().limits
    assert limits.connects / limits.connect_window_s <= 60 / 600  # of about 150 in 10 min
    assert limits.floor_s >= 5.0
    assert 0 < limits.ping_every_s < 60  # futures close after 60 s without one
    assert 1 / limits.send_gap_s <= 100


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/0/public/Time", "https://api.kraken.com"),
        ("/derivatives/api/v3/instruments", "https://futures.kraken.com"),
        ("/api/charts/v1/trade/PF_ADAUSD/1m", "https://futures.kraken.com"),
    ],
)
def test_pages_have_two_hosts(path, host):
    assert rest_host(Kraken(), path) == host


def test_an_unknown_connection_is_the_callers_mistake():
    with pytest.raises(ValueError, match="not a connection"):
        Kraken().codec("kraken.linear")
    assert math.isfinite(Kraken().limits.rest_gap_s)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_payload_file_has_a_source_and_is_read(path):
    row = json.loads(path.read_text())
    assert row["source"]
    codec = Kraken().codec(row["conn"])
    if path.stem == "spot_book_update":
        codec.decode(payload("spot_book_snapshot"))
    if path.stem == "rest_refused":
        assert reason_of(codec, row["payload"].encode()) == "rest"
    else:
        assert codec.decode(row["payload"].encode())
