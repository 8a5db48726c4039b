"""The OKX dialect, message by message: samples of the venue's pages and its traps (18 to 25)."""

import json
import math
from decimal import Decimal

import msgspec
import pytest
from okx_recorded import bbo, books, changed, payload, payloads, spelled
from refusal import reason_of

from basisdesk.events import Ack, BookUpdate, Heard, Notice, Pong, Quote, Trade
from basisdesk.venues import known_venues
from basisdesk.venues.okx import ARGS_MAX, Okx
from basisdesk.venues.reading import PAYLOAD_MAX

C = "okx.public"
ADA = "okx:perp:ADA-USDT-SWAP"


@pytest.fixture
def venue():
    return Okx()


@pytest.fixture
def codec(venue):
    return venue.codec(C)


# --- what each channel becomes -------------------------------------------------------------------


def test_bbo_of_a_spot_market_is_a_quote_in_coins(codec):
    assert codec.decode(payload("bbo_spot")) == (
        Quote(
            "okx:spot:ADA-USDT",
            "okx.public/bbo-tbt:ADA-USDT",
            0.8215,
            2210.0,
            0.8216,
            5120.5,
            1790134712391,
            88120045,
        ),
    )


def test_an_empty_side_is_no_price(codec):
    (quote,) = codec.decode(bbo(bids=[]))
    assert math.isnan(quote.bid)
    assert (quote.bid_size, quote.ask) == (0.0, 1.1)


def test_of_several_rows_the_newest_counts(codec):
    message = json.loads(bbo())
    message["data"].append({**message["data"][0], "bids": [["1.05", "2", "0", "1"]], "seqId": 6})
    (quote,) = codec.decode(spelled(message))
    assert (quote.bid, quote.seq) == (1.05, 6)


def test_crossed_or_locked_quotes_and_snapshots_are_refused(codec):
    for bid in ("1.1", "1.2"):
        assert reason_of(codec, bbo(bids=[[bid, "1", "0", "1"]])) == "crossed"
    crossed = books(-1, 7, "snapshot", bids=[["1.2", "1", "0", "1"]])
    assert reason_of(codec, crossed) == "crossed"


def test_a_snapshot_and_an_update_are_book_updates_chained_by_their_ids(codec):
    (snapshot,) = codec.decode(payload("books_snapshot"))
    assert snapshot == BookUpdate(
        ADA,
        "okx.public/books:ADA-USDT-SWAP",
        snapshot=True,
        bids=[(0.8216, 1200.0), (0.8215, 7700.0)],
        asks=[(0.8217, 3100.0), (0.8218, 20550.0)],
        seq=450000,
        venue_ms=1790134712400,
        prev=-1,
    )
    (update,) = codec.decode(payload("books_update"))
    assert (update.instrument, update.snapshot) == ("okx:spot:BTC-USDT", False)
    assert (update.prev, update.seq) == (450001, 450002)
    assert (update.bids, update.asks) == ([(67500.1, 1.25)], [(67500.2, 0.0)])


def test_an_update_before_any_snapshot_passes_for_the_book_to_be_seeded_over_http(codec):
    """A planned change: no snapshot on the socket. The book asks for one over HTTP then."""
    (update,) = codec.decode(payload("books_reset"))
    assert (update.snapshot, update.prev, update.seq) == (False, 450000, 3)


def test_trades(codec):
    (trade,) = codec.decode(payload("trades"))
    stream = "okx.public/trades:ADA-USDT-SWAP"
    assert trade == Trade(ADA, stream, 0.8215, 1200.0, taker_buy=True, venue_ms=1790134712390)
    (trade,) = codec.decode(changed("trades", side="sell", sz="0.5"))
    assert (trade.size, trade.taker_buy) == (50.0, False)


def test_mark_and_funding_each_say_their_part_of_the_ticker(codec):
    (mark,) = codec.decode(payload("mark_price"))
    assert (mark.instrument, mark.mark) == ("okx:perp:BTC-USDT-SWAP", 86716.3)
    (funding,) = codec.decode(payload("funding_rate"))
    assert (funding.rate, funding.interval_h, funding.cap) == (0.0000584, 8.0, 0.00375)
    assert (funding.next_ms, funding.venue_ms) == (1790208000000, 1790183412345)
    for said, silent in ((mark, ("index", "open_interest", "rate")), (funding, ("mark", "index"))):
        assert all(math.isnan(getattr(said, name)) for name in silent)
    assert (mark.interval_h, mark.next_ms, mark.cap) == (0.0, 0, 0.0)


@pytest.mark.parametrize("hours", [1, 2, 4, 6, 8])
def test_the_interval_is_the_time_between_the_next_two_settlements(codec, hours):
    after = str(1790208000000 + hours * 3_600_000)
    (said,) = codec.decode(changed("funding_rate", nextFundingTime=after))
    assert said.interval_h == hours


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"nextFundingTime": "1790207999999"}, "number"),  # before the settlement it follows
        ({"nextFundingTime": "1799999999999"}, "number"),
        ({"fundingRate": "1.5"}, "number"),
        ({"fundingRate": "nan"}, "number"),
        ({"fundingRate": "x"}, "number"),
        ({"maxFundingRate": "inf"}, "number"),
        ({"fundingTime": "-1"}, "number"),
        ({"instId": "ETH-USDT-SWAP"}, "symbol"),
        ({"fundingRate": 0.1}, "type"),
    ],
)
def test_funding_that_is_none(codec, fields, reason):
    assert reason_of(codec, changed("funding_rate", **fields)) == reason


# --- the traps, by their numbers -----------------------------------------------------------------


@pytest.mark.parametrize("checksum", [0, 1, -308733687, 2**40])
def test_trap_18_a_checksum_is_never_validated(codec, checksum):
    (update,) = codec.decode(books(5, 6, checksum=checksum))
    assert (update.prev, update.seq) == (5, 6)


def test_trap_19_ping_and_pong_are_bare_text(venue, codec):
    assert venue.ping(C, "4") == b"ping"
    assert codec.decode(b"pong") == (Pong(C),)
    assert reason_of(codec, b"ping") == "json"


def test_trap_20_contracts_become_coins_once_in_book_trades_and_open_interest(codec):
    (quote,) = codec.decode(bbo("ADA-USDT-SWAP", bids=[["0.82", "12.5", "0", "3"]]))
    assert (quote.bid, quote.bid_size, quote.ask_size) == (0.82, 1250.0, 100.0)
    assert codec.decode(payload("trades"))[0].size == 1200.0
    assert codec.decode(payload("open_interest"))[0].open_interest == 215_000_000.0
    (pepe,) = codec.decode(bbo("PEPE-USDT-SWAP", bids=[["0.0000112", "3", "0", "1"]]))
    assert (pepe.bid, pepe.bid_size) == (0.0000112, 30_000_000.0)  # no 1000-fold price on OKX
    (bitcoin,) = codec.decode(bbo("BTC-USDT-SWAP", bids=[["1.0", "250", "0", "1"]]))
    assert bitcoin.bid_size == 2.5


def test_trap_21_the_ticker_channel_is_no_source_of_bid_and_ask(venue, codec):
    heard = Heard("okx.public/tickers:ADA-USDT", 1790134712100)
    assert codec.decode(payload("tickers")) == (heard,)
    assert venue.rule(C, "tickers:ADA-USDT").what == "other"
    for key in ("okx:spot:ADA-USDT", ADA):
        (topics,) = venue.topics(key).values()
        assert not any(topic.startswith("tickers:") for topic in topics)
        assert venue.rule(C, topics[0]).what == "top"


def test_trap_22_an_empty_figure_says_nothing(codec):
    assert b'"nextFundingRate":""' in payload("funding_rate")
    blank = {"fundingRate": "", "nextFundingTime": "", "maxFundingRate": ""}
    (said,) = codec.decode(changed("funding_rate", **blank))
    assert math.isnan(said.rate)
    assert (said.interval_h, said.cap, said.next_ms) == (0.0, 0.0, 1790208000000)


def test_trap_23_the_index_is_listed_under_its_coins_and_said_of_the_swap(venue, codec):
    (topics,) = venue.topics(ADA).values()
    assert "index-tickers:ADA-USDT" in topics
    (said,) = codec.decode(payload("index_tickers"))
    assert (said.instrument, said.index) == ("okx:perp:BTC-USDT-SWAP", 86756.7)
    assert said.stream == "okx.public/index-tickers:BTC-USDT"
    assert math.isnan(said.mark)
    wrong = payload("index_tickers").replace(b'"BTC-USDT"', b'"BTC-USDT-SWAP"')
    assert reason_of(codec, wrong) == "symbol"


def test_trap_24_subscriptions_are_bundled_for_480_an_hour(venue):
    assert venue.limits.asks_h == 480
    topics = [f"trades:C{number}-USDT" for number in range(120)]
    batches = venue.batches(topics)
    assert [len(batch) for batch in batches] == [50, 50, 20]
    assert [topic for batch in batches for topic in batch] == topics
    long = [f"index-tickers:{'A' * 20}-{'B' * 10}-SWAP"] * ARGS_MAX
    assert len(venue.subscribe(long, "9" * 9)) < 64_000


def test_trap_25_no_prev_id_is_told_from_0_and_minus_1_and_a_reset_chains(codec):
    for prev in (0, -1):  # -1 on an update chains to nothing: the book will call it a gap
        assert codec.decode(books(prev, 8))[0].prev == prev
    for missing in ("prevSeqId", "seqId"):
        message = json.loads(books(7, 8))
        del message["data"][0][missing]
        assert reason_of(codec, spelled(message)) == "type"
    message = json.loads(books(7, 8))
    del message["data"][0]["seqId"], message["data"][0]["prevSeqId"]
    assert reason_of(codec, spelled(message)) == "type"  # a gap would never show
    (reset,) = codec.decode(payload("books_reset"))
    assert (reset.prev, reset.seq) == (450000, 3)
    (alive,) = codec.decode(payload("books_keep_alive"))
    assert (alive.prev, alive.seq, alive.bids, alive.asks) == (450000, 450000, [], [])


# --- control -------------------------------------------------------------------------------------


def test_each_argument_is_acked_by_itself(codec):
    assert codec.decode(payload("ack")) == (
        Ack(C, "17", ok=True, text="", topics=("bbo-tbt:ADA-USDT",)),
    )
    gone = payload("ack").replace(b'"subscribe"', b'"unsubscribe"').replace(b'"id":"17",', b"")
    assert codec.decode(gone) == (Ack(C, "", ok=True, text="", topics=("bbo-tbt:ADA-USDT",)),)


def test_an_error_names_the_topic_that_does_not_exist(codec):
    (ack,) = codec.decode(payload("error_60018"))
    assert (ack.ok, ack.topics, ack.req_id) == (False, ("bbo-tbt:FOO-USDT",), "")
    assert ack.text.startswith("60018 Wrong URL")
    (ack,) = codec.decode(b'{"id":"8","event":"error","code":"60012","msg":"Invalid request: {"}')
    assert (ack.ok, ack.topics, ack.req_id) == (False, (), "8")


def test_a_notice_of_an_upgrade_closes_the_connection_soon(codec):
    (notice,) = codec.decode(payload("notice_64008"))
    assert isinstance(notice, Notice)
    assert notice.closing is True
    (notice,) = codec.decode(payload("notice_64008").replace(b"64008", b"64009"))
    assert notice.closing is False


def test_a_venues_sentence_is_kept_short_and_plain(codec):
    said = {"event": "error", "code": "60013", "msg": "a\x1b[31m\nb" + "x" * 999}
    (ack,) = codec.decode(spelled(said))
    assert len(ack.text) <= 200
    assert ack.text.isprintable()


def test_requests(venue):
    topics = venue.topics(ADA)[C]
    said = msgspec.json.decode(venue.subscribe(topics, "17"))
    assert (said["id"], said["op"], len(said["args"])) == ("17", "subscribe", 7)
    assert {"channel": "index-tickers", "instId": "ADA-USDT"} in said["args"]
    assert {"channel": "bbo-tbt", "instId": "ADA-USDT-SWAP"} in said["args"]
    said = msgspec.json.decode(venue.unsubscribe(["trades:ADA-USDT"], "18"))
    assert said == {
        "id": "18",
        "op": "unsubscribe",
        "args": [{"channel": "trades", "instId": "ADA-USDT"}],
    }


def test_rules(venue):
    rules = {topic.partition(":")[0]: venue.rule(C, topic) for topic in venue.topics(ADA)[C]}
    assert {name: rule.what for name, rule in rules.items()} == {
        "bbo-tbt": "top",
        "books": "book",
        "trades": "trades",
        "mark-price": "ticker",
        "index-tickers": "ticker",
        "funding-rate": "ticker",
        "open-interest": "ticker",
    }
    assert (rules["bbo-tbt"].quiet_s, rules["trades"].awaited) == (0.0, False)
    book = rules["books"]
    assert (book.depth, book.stateful, book.seeded) == (400, True, False)
    assert book.quiet_s > 60.0  # the keep-alive
    assert venue.rule(C, "books5:ADA-USDT").what == "other"


def test_a_book_can_be_seeded_over_http(venue):
    path = "/api/v5/market/books?instId=ADA-USDT-SWAP&sz=400"
    assert venue.seed_path(C, "books:ADA-USDT-SWAP") == path
    assert venue.seed_path(C, "bbo-tbt:ADA-USDT-SWAP") == ""


def test_the_venue_is_known_and_its_connections_are_two(venue):
    assert known_venues()["okx"].title == "OKX"
    assert list(venue.endpoints) == [C]
    with pytest.raises(ValueError, match="okx\\.business"):
        venue.codec("okx.business")


# --- what is refused, and what is kept -----------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"[]", "type"),
        (b"{}", "topic"),
        (b'{"event":"login"}', "topic"),
        (b'{"arg":{"channel":"books5","instId":"ADA-USDT"},"data":[]}', "topic"),
        (bbo("ada-usdt"), "symbol"),
        (bbo("BTC-USD-220527"), "symbol"),
        (bbo("<b>"), "symbol"),
        (bbo().replace(b'"data":[', b'"data":[],"x":['), "type"),
        (books(1, 2, action="partial"), "type"),
        (b" " * (PAYLOAD_MAX + 1), "size"),
    ],
)
def test_messages_that_are_none(codec, message, reason):
    assert reason_of(codec, message) == reason


@pytest.mark.parametrize("price", ["nan", "inf", "-1", "0", "1e999", "1e9", "", " 12 ", "1_0"])
def test_prices_that_are_none(codec, price):
    level = [[price, "1", "0", "1"]]
    assert reason_of(codec, bbo(bids=level)) == "number"
    assert reason_of(codec, books(1, 2, bids=level)) == "number"
    assert reason_of(codec, changed("mark_price", markPx=price)) == "number"
    assert reason_of(codec, changed("index_tickers", idxPx=price)) == "number"
    assert reason_of(codec, changed("trades", px=price)) == "number"


@pytest.mark.parametrize("size", ["nan", "inf", "-1", "1e13", "x"])
def test_sizes_that_are_none(codec, size):
    level = [["1.0", size, "0", "1"]]
    assert reason_of(codec, bbo(bids=level)) == "number"
    assert reason_of(codec, books(1, 2, bids=level)) == "number"
    assert reason_of(codec, changed("trades", sz=size)) == "number"
    assert reason_of(codec, changed("open_interest", oi=size if size != "1e13" else "1e16"))


def test_a_best_price_with_nothing_behind_it_is_refused(codec):
    assert reason_of(codec, bbo(bids=[["1.0", "0", "0", "0"]])) == "number"


def test_order_of_keys_and_spaces_do_not_matter(codec):
    straight = codec.decode(payload("bbo_spot"))
    shuffled = dict(reversed(json.loads(payload("bbo_spot")).items()))
    assert codec.decode(json.dumps(shuffled, indent=1).encode()) == straight
    assert codec.decode(payload("bbo_spot")) == straight


def test_a_refused_first_message_does_not_decide_how_a_topic_is_read(codec):
    assert reason_of(codec, bbo(bids=[["x", "1", "0", "1"]])) == "number"
    assert codec.decode(bbo())[0].bid == 1.0


def test_every_payload_file_is_read(venue):
    """Each by its own socket codec; the two of coins without a built-in size say so."""
    for conn in (C, "okx.rest"):
        for name, message in payloads(conn):
            codec = venue.codec(conn)
            if name == "bbo_swap":
                assert reason_of(codec, message) == "contract"
            else:
                assert codec.decode(message), name
    venue.contracts["BCH-USDT-SWAP"] = Decimal("0.1")
    (quote,) = venue.codec(C).decode(payload("bbo_swap"))
    assert (quote.bid, quote.bid_size, quote.seq) == (111.05, 5774.5, 363996337)
