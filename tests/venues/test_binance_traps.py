"""The traps of Binance that implementers reported, by their number in the list of venue facts."""

import json

import pytest
from binance_recorded import rest, row
from binance_wire import M, P, S, change, combined, decode, reason_of, snapshot, top

from basisdesk.events import Ack, Heard
from basisdesk.market.book import Book
from basisdesk.venues.binance import BATCH_MAX, Binance

ADA = "binance:spot:ADAUSDT"


def test_trap_9_a_good_ack_is_no_stream_so_data_is_awaited():
    """Trap 9: wrong path or wrong case is acknowledged and stays silent."""
    venue = Binance()
    assert decode("ack") == (Ack(S, "17", True, ""),)  # says nothing of topics
    for conn, topics in venue.topics("binance:perp:BTCUSDT").items():
        for topic in topics:
            assert venue.rule(conn, topic).awaited is ("Trade" not in topic)
            assert topic.partition("@")[0] == "btcusdt"  # names are lowercase, or silent
    assert venue.topics("binance:perp:BTCUSDT") == {
        P: ("btcusdt@bookTicker", "btcusdt@depth@100ms"),
        M: ("btcusdt@aggTrade", "btcusdt@markPrice@1s"),
    }
    assert reason_of(S, combined("btcusdt@markPrice@1s", s="BTCUSDT")) == "topic"


def test_trap_10_the_spot_top_of_book_has_no_time():
    """Trap 10: 0 says so, and its age counts from receipt."""
    assert decode("spot_book_ticker")[0].venue_ms == 0
    assert decode("usdm_book_ticker")[0].venue_ms == 1785121247583


def test_trap_11_partial_depth_is_read_by_its_stream_name_only():
    """Trap 11: it has no symbol, so combined mode is what the desk asks for."""
    assert decode("spot_depth_part")[0].instrument == ADA
    _, payload = row("spot_depth_part")
    assert reason_of(S, json.dumps(json.loads(payload)["data"]).encode()) == "topic"
    assert all(url.endswith("/stream") for url in Binance().endpoints.values())


def test_trap_12_spot_chains_by_first_id_and_futures_by_pu():
    """Trap 12: futures ids skip between messages, which is no gap; spot ids never skip."""
    venue, book = Binance(), Book()
    spot = venue.codec(S).decode
    for payload in (change(101, 105), change(106, 106)):
        book.apply(spot(payload)[0])
    assert book.apply(venue.codec("binance.rest").decode(snapshot(103))[0]) == ""
    assert (book.valid, book.seq) == (True, 106)
    assert book.apply(spot(change(107, 110, bids=[["0.81", "1"]]))[0]) == ""
    assert book.apply(spot(change(112, 113))[0]) == "gap"

    futures, book = venue.codec(P).decode, Book()
    book.apply(futures(change(95, 104, prev=90))[0])
    book.apply(venue.codec("binance.rest").decode(snapshot(100, "/fapi/v1/depth"))[0])
    assert (book.valid, book.seq) == (True, 104)
    assert book.apply(futures(change(150, 160, prev=104))[0]) == ""  # 105 to 149 never were
    assert book.seq == 160
    assert book.apply(futures(change(161, 170, prev=159))[0]) == "gap"
    assert not book.valid


def test_trap_12_a_stale_snapshot_is_asked_for_again():
    """Trap 12: a snapshot older than what is kept makes no book."""
    venue, book = Binance(), Book()
    book.apply(venue.codec(P).decode(change(200, 210, prev=190))[0])
    book.apply(venue.codec("binance.rest").decode(snapshot(150, "/fapi/v1/depth"))[0])
    assert not book.valid
    assert reason_of(P, change(95, 104)) == "type"  # futures without pu cannot be chained


def test_trap_13_requests_are_batched_and_paced():
    """Trap 13: five messages a second to a spot socket, pongs included."""
    venue = Binance()
    assert 1.0 / venue.limits.send_gap_s <= 5 - 1  # one is left for a pong
    topics = [f"c{number}usdt@bookTicker" for number in range(120)]
    batches = venue.batches(topics)
    assert [len(batch) for batch in batches] == [BATCH_MAX, BATCH_MAX, 20]
    assert [topic for batch in batches for topic in batch] == topics
    assert venue.ping(S, "3") is None  # the venue pings, in WebSocket frames
    assert venue.limits.ping_every_s == 0.0


@pytest.mark.parametrize("name", ["server_shutdown", "server_shutdown_raw"])
def test_trap_14_the_24_h_cut_is_known_and_announced(name):
    """Trap 14: make before break; serverShutdown comes before a planned close."""
    assert Binance().limits.life_s == 86_400.0
    (notice,) = decode(name)
    assert notice.closing


def test_trap_15_rows_without_price_or_size_are_no_trades():
    """Trap 15: USD-M @trade prints them; they are heard, not counted as bad."""
    assert decode("usdm_trade_zero") == (Heard(f"{P}/btcusdt@trade", 1789478388119),)
    codec = Binance().codec(M)
    fields = {"s": "ADAUSDT", "p": "0.8", "T": 9, "m": True}
    assert codec.decode(combined("adausdt@aggTrade", q="0", **fields)) == (
        Heard(f"{M}/adausdt@aggTrade", 9),
    )
    assert Binance().topics("binance:perp:ADAUSDT")[M][0] == "adausdt@aggTrade"


def test_trap_16_a_contract_that_is_not_listed_has_8_hours():
    """Trap 16: fundingInfo lists exceptions only, and is read again after each settlement."""
    (told,) = decode("rest_funding_info")
    assert told.rows == (("binance:perp:OPUSDT", 4.0, 0.02),)
    assert told.default_h == 8.0
    (none,) = Binance().codec("binance.rest").decode(rest("/fapi/v1/fundingInfo", []))
    assert (none.rows, none.default_h) == ((), 8.0)
    assert "/fapi/v1/fundingInfo" in Binance().refresh("binance:perp:ADAUSDT", 0)
    assert decode("usdm_mark_price")[0].interval_h == 0.0  # no stream says it


def test_trap_17_other_families_of_the_mark_array_are_left_out():
    """Trap 17: coin-margined (st 2) and dated contracts share the array."""
    events = decode("usdm_mark_price_array")
    assert [event.instrument for event in events] == [
        "binance:perp:LINKUSDT",
        "binance:perp:1000PEPEUSDT",
    ]
    assert events[0].stream == f"{M}/!markPrice@arr@1s"
    assert (events[1].mark, events[1].rate) == (11.20 / 1000, -0.0002)


@pytest.mark.parametrize("name", ["usdm_book_ticker", "usdm_depth", "usdm_depth_part"])
def test_trap_17_a_coin_margined_message_moves_nothing(name):
    """Trap 17: the family is in `st`."""
    conn, payload = row(name)
    (event,) = Binance().codec(conn).decode(payload.replace(b'"st":1', b'"st":2'))
    assert isinstance(event, Heard)


def test_trap_17_a_coin_margined_mark_or_trade_moves_nothing():
    for name in ("usdm_mark_price", "usdm_agg_trade"):
        conn, payload = row(name)
        (event,) = Binance().codec(conn).decode(payload.replace(b'"st":1', b'"st":2'))
        assert isinstance(event, Heard)


def test_trap_32_nothing_outlives_a_connection():
    """Trap 32: a new connection is a new codec; what is wanted is asked for again as it was."""
    venue = Binance()
    assert venue.codec(S) is not venue.codec(S)
    assert json.loads(venue.subscribe(["adausdt@trade"], "17")) == {
        "method": "SUBSCRIBE",
        "params": ["adausdt@trade"],
        "id": 17,
    }
    assert json.loads(venue.unsubscribe(["adausdt@trade"], "18"))["method"] == "UNSUBSCRIBE"


@pytest.mark.parametrize(
    ("symbol", "unit"),
    [("1000PEPEUSDT", 1e3), ("1000SHIBUSDT", 1e3), ("1MBABYDOGEUSDT", 1e6), ("1INCHUSDT", 1.0)],
)
def test_trap_37_prices_are_per_coin_and_sizes_in_coins(symbol, unit):
    """Trap 37: 1000PEPE, 1000SHIB and 1MBABYDOGE are multiples; 1INCH is a name."""
    name, codec = symbol.lower(), Binance().codec(P)
    (quote,) = codec.decode(top(symbol, T=1, e="bookTicker"))
    assert (quote.bid, quote.ask) == (0.8214 / unit, 0.8215 / unit)
    assert (quote.bid_size, quote.ask_size) == (10.0 * unit, 9.0 * unit)
    levels = {"b": [["0.5", "2"]], "a": [["0.6", "0"]], "s": symbol, "E": 1, "pu": 1}
    (book,) = codec.decode(combined(f"{name}@depth@100ms", U=3, u=4, **levels))
    assert (book.bids, book.asks) == ([(0.5 / unit, 2.0 * unit)], [(0.6 / unit, 0.0)])
    (trade,) = codec.decode(combined(f"{name}@trade", s=symbol, p="0.5", q="3", T=1, m=False))
    assert (trade.price, trade.size) == (0.5 / unit, 3.0 * unit)
    mark = {"s": symbol, "p": "0.5", "i": "0.6", "r": "0.0001", "T": 8, "E": 7}
    (ticker,) = Binance().codec(M).decode(combined(f"{name}@markPrice", **mark))
    assert (ticker.mark, ticker.index, ticker.rate) == (0.5 / unit, 0.6 / unit, 0.0001)
