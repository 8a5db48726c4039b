"""What the OKX dialect says, the codec reads back as the leg's own numbers, contracts included."""

import json
import math
from decimal import Decimal

import pytest
from still_rig import MINUTE_MS, NOW_MS, FakeFloor, FakeLeg

from basisdesk.demo.dialect_okx import KEEP_ALIVE_MS, OkxDialect
from basisdesk.demo.dialect_okx_pages import plain, short
from basisdesk.demo.wire import Heard, News, Print, Spec, Topic
from basisdesk.events import (
    Ack,
    BookUpdate,
    Candles,
    FundingHistory,
    FundingInfo,
    Pong,
    Quote,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.events import Heard as HeardEvent
from basisdesk.venues.okx import Okx

C = "okx.public"
TIERS = (
    ("100000", "0.005", "0.0133", "75.00", ""),
    ("400000", "0.01", "0.02", "50.00", "500"),
    ("2000000", "0.02", "0.04", "25.00", "4500"),
)


def spec(market="perp", base="ADA", unit=100.0, tick="0.0001", lot="0.1"):
    return Spec(
        venue="okx",
        market=market,
        symbol=f"{base}-USDT" + ("-SWAP" if market == "perp" else ""),
        base=base,
        quote="USDT",
        unit=unit if market == "perp" else 1.0,
        price_unit=1.0,
        tick=tick,
        lot=lot,
        tick_decimals=len(tick) - 2,
        lot_decimals=len(lot) - 2,
        min_lots=1,
        min_notional="",
        max_lots=520_000,
        leverage_max="75",
        interval_h=4,
        funding_cap=0.0075,
        sector="L1",
        tiers=TIERS,
    )


def make_floor():
    last = Print(NOW_MS - 40, True, 8216, 7, 912_345_678)
    told = spec(), spec("spot", lot="0.000001")
    return FakeFloor("okx", [FakeLeg(each, 0.0000321, last, 500 * MINUTE_MS) for each in told])


def news(now_ms=NOW_MS, touched=True, bids=None, asks=None, prints=(), slow=True, quotes=1):
    sides = (bids or {}, asks or {})
    return News(now_ms, touched, False, quotes, *sides, 450_001, 450_003, 450_000, prints, slow)


def topic(channel, symbol="ADA-USDT-SWAP"):
    return Topic(f"{channel}:{symbol}", channel, symbol)


@pytest.fixture
def floor():
    return make_floor()


@pytest.fixture
def swap(floor):
    return floor.legs["perp", "ADA-USDT-SWAP"]


@pytest.fixture
def dialect():
    return OkxDialect()


@pytest.fixture
def read():
    """Messages to events, as the desk reads them."""
    codec = Okx().codec(C)
    return lambda messages: [event for each in messages for event in codec.decode(each)]


def ask(op, *pairs, number="17"):
    args = [{"channel": channel, "instId": symbol} for channel, symbol in pairs]
    return json.dumps({"id": number, "op": op, "args": args}).encode()


# --- control -------------------------------------------------------------------------------------


def test_ping_is_answered_in_kind(dialect, floor, read):
    heard = dialect.hear(C, Okx().ping(C, "1"), {}, floor, "accb8e21")
    assert heard == Heard(replies=(b"pong",))
    assert read(heard.replies) == [Pong(C)]
    assert dialect.hello(C, "/ws/v5/public", NOW_MS) == Heard()
    assert dialect.idle(C, 10**6, NOW_MS) == ()


def test_what_the_venue_asks_for_is_acked_one_by_one_and_added(dialect, floor, read):
    wanted = Okx().topics("okx:perp:ADA-USDT-SWAP")[C]
    heard = dialect.hear(C, Okx().subscribe(wanted, "17"), {}, floor, "accb8e21")
    assert read(heard.replies) == [
        Ack(C, "17", ok=True, text="", topics=(each,)) for each in wanted
    ]
    assert [each.text for each in heard.added] == list(wanted)
    assert json.loads(heard.replies[0])["connId"] == "accb8e21"
    have = {each.text: each for each in heard.added}
    again = dialect.hear(C, Okx().subscribe(wanted, "18"), have, floor, "accb8e21")
    assert (len(again.replies), list(again.added)) == (len(wanted), [])
    gone = dialect.hear(C, Okx().unsubscribe(wanted[:2], "19"), have, floor, "accb8e21")
    assert list(gone.dropped) == list(wanted[:2])
    assert all(ack.ok for ack in read(gone.replies))


@pytest.mark.parametrize(
    ("channel", "symbol"),
    [
        ("bbo-tbt", "FOO-USDT"),
        ("books6", "ADA-USDT"),
        ("mark-price", "ADA-USDT"),
        ("index-tickers", "ADA-USDT-SWAP"),
        ("index-tickers", "FOO-USDT"),
    ],
)
def test_what_does_not_exist_is_error_60018_and_the_rest_goes_on(
    dialect, floor, read, channel, symbol
):
    message = ask("subscribe", (channel, symbol), ("trades", "ADA-USDT"))
    heard = dialect.hear(C, message, {}, floor, "accb8e21")
    bad, good = read(heard.replies)
    assert (bad.ok, bad.topics, bad.req_id) == (False, (f"{channel}:{symbol}",), "17")
    assert bad.text.startswith("60018 ")
    assert (good.ok, good.topics) == (True, ("trades:ADA-USDT",))
    assert [each.text for each in heard.added] == ["trades:ADA-USDT"]


@pytest.mark.parametrize("message", [b"{", b"pong", b'{"op":"login"}', ask("subscribe"), b"[1]"])
def test_what_is_no_request_is_error_60012(dialect, floor, read, message):
    heard = dialect.hear(C, message, {}, floor, "accb8e21")
    (ack,) = read(heard.replies)
    assert (ack.ok, ack.text[:6], heard.added) == (False, "60012 ", ())


def test_the_leg_of_a_topic(dialect):
    assert dialect.leg_of(C, topic("books")) == ("okx", "perp", "ADA-USDT-SWAP")
    assert dialect.leg_of(C, topic("books", "ADA-USDT")) == ("okx", "spot", "ADA-USDT")
    index = topic("index-tickers", "ADA-USDT")
    assert dialect.leg_of(C, index) == ("okx", "perp", "ADA-USDT-SWAP")
    assert dialect.leg_of(C, topic("books6")) is None


# --- streams -------------------------------------------------------------------------------------


def test_the_touch_comes_back_in_coins(dialect, floor, swap, read):
    (quote,) = read(dialect.greet(C, topic("bbo-tbt"), swap, {}, NOW_MS))
    stream = "okx.public/bbo-tbt:ADA-USDT-SWAP"
    assert quote == Quote(
        "okx:perp:ADA-USDT-SWAP", stream, 0.8215, 1250.0, 0.8216, 3100.0, NOW_MS, 88_120_045
    )
    spot = floor.legs["spot", "ADA-USDT"]
    (quote,) = read(dialect.greet(C, topic("bbo-tbt", "ADA-USDT"), spot, {}, NOW_MS))
    assert (quote.bid, quote.bid_size) == (0.8215, 0.000125)


def test_the_touch_is_said_on_change_only(dialect, swap, read):
    assert dialect.say(C, topic("bbo-tbt"), swap, {}, news(touched=False)) == ()
    swap.touch, swap.touch_id = (8214, 5, 8216, 310), 88_120_046
    (quote,) = read(dialect.say(C, topic("bbo-tbt"), swap, {}, news()))
    assert (quote.bid, quote.bid_size, quote.seq) == (0.8214, 50.0, 88_120_046)


def test_a_flood_ends_at_the_truth_with_rising_ids(dialect, swap, read):
    quotes = read(dialect.say(C, topic("bbo-tbt"), swap, {}, news(quotes=20)))
    assert [quote.seq for quote in quotes] == list(range(88_120_045, 88_120_065))
    assert (quotes[-1].bid, quotes[-1].bid_size) == (0.8215, 1250.0)


def test_the_book_chains_from_its_snapshot(dialect, swap, read):
    memory = {}
    (snapshot,) = read(dialect.greet(C, topic("books"), swap, memory, NOW_MS))
    assert snapshot == BookUpdate(
        "okx:perp:ADA-USDT-SWAP",
        "okx.public/books:ADA-USDT-SWAP",
        snapshot=True,
        bids=[(0.8215, 1250.0), (0.8214, 9000.0)],
        asks=[(0.8216, 3100.0), (0.8219, 400.0)],
        seq=450_000,
        venue_ms=NOW_MS,
        prev=-1,
    )
    swap.book_id = 450_003
    change = news(bids={8215: 0, 8213: 20}, asks={})
    (update,) = read(dialect.say(C, topic("books"), swap, memory, change))
    assert (update.snapshot, update.prev, update.seq) == (False, 450_000, 450_003)
    assert (update.bids, update.asks) == ([(0.8215, 0.0), (0.8213, 200.0)], [])


def test_an_unchanged_book_says_so_after_a_minute(dialect, swap, read):
    memory = {}
    dialect.greet(C, topic("books"), swap, memory, NOW_MS)
    quiet = news(NOW_MS + KEEP_ALIVE_MS - 1, touched=False)
    assert dialect.say(C, topic("books"), swap, memory, quiet) == ()
    late = news(NOW_MS + KEEP_ALIVE_MS, touched=False)
    (alive,) = read(dialect.say(C, topic("books"), swap, memory, late))
    assert (alive.prev, alive.seq, alive.bids, alive.asks) == (450_000, 450_000, [], [])
    assert dialect.say(C, topic("books"), swap, memory, late) == ()


def test_trades_come_back_in_coins(dialect, swap, read):
    (last,) = read(dialect.greet(C, topic("trades"), swap, {}, NOW_MS))
    stream = "okx.public/trades:ADA-USDT-SWAP"
    assert last == Trade(
        "okx:perp:ADA-USDT-SWAP", stream, 0.8216, 70.0, taker_buy=True, venue_ms=NOW_MS - 40
    )
    prints = [Print(NOW_MS, False, 8215, 3, 1), Print(NOW_MS + 1, True, 8216, 4, 2)]
    said = read(dialect.say(C, topic("trades"), swap, {}, news(prints=prints)))
    assert [(each.size, each.taker_buy) for each in said] == [(30.0, False), (40.0, True)]
    swap.last = None
    assert dialect.greet(C, topic("trades"), swap, {}, NOW_MS) == ()


def test_the_slower_channels_say_the_view(dialect, swap, read):
    index = topic("index-tickers", "ADA-USDT")
    said = {}
    for each in (topic("mark-price"), topic("funding-rate"), topic("open-interest"), index):
        (said[each.kind],) = read(dialect.greet(C, each, swap, {}, NOW_MS))
    assert {ticker.instrument for ticker in said.values()} == {"okx:perp:ADA-USDT-SWAP"}
    assert {type(ticker) for ticker in said.values()} == {Ticker}
    assert said["mark-price"].mark == 0.82164
    assert said["index-tickers"].index == 0.82151
    assert said["open-interest"].open_interest == 215e6
    funding = said["funding-rate"]
    assert (funding.rate, funding.interval_h, funding.cap) == (0.0000321, 4.0, 0.0075)
    assert funding.next_ms == NOW_MS + 1_000
    assert math.isnan(funding.mark)


@pytest.mark.parametrize(
    ("channel", "symbol", "pace_ms"),
    [
        ("mark-price", "ADA-USDT-SWAP", 10_000),
        ("index-tickers", "ADA-USDT", 60_000),
        ("funding-rate", "ADA-USDT-SWAP", 30_000),
        ("open-interest", "ADA-USDT-SWAP", 3_000),
    ],
)
def test_each_slow_channel_keeps_its_own_pace(dialect, swap, channel, symbol, pace_ms):
    each, memory = topic(channel, symbol), {}
    dialect.greet(C, each, swap, memory, NOW_MS)
    said = [
        now_ms - NOW_MS
        for now_ms in range(NOW_MS + 100, NOW_MS + 60_100, 100)
        if dialect.say(C, each, swap, memory, news(now_ms))
    ]
    assert said == list(range(pace_ms, 60_100, pace_ms))
    assert dialect.say(C, each, swap, memory, news(NOW_MS + 200_000, slow=False)) == ()


def test_a_moving_mark_is_said_five_times_a_second_and_funding_twice_a_minute(dialect, swap):
    said = {"mark-price": 0, "funding-rate": 0}
    for channel in said:
        memory = {}
        dialect.greet(C, topic(channel), swap, memory, NOW_MS)
        for now_ms in range(NOW_MS + 100, NOW_MS + 60_100, 100):
            swap.mark += 0.0001
            swap.rate += 1e-7
            said[channel] += len(dialect.say(C, topic(channel), swap, memory, news(now_ms)))
    assert said == {"mark-price": 300, "funding-rate": 2}


def test_the_ticker_is_heard_and_no_more(dialect, floor, read):
    spot = floor.legs["spot", "ADA-USDT"]
    (heard,) = read(dialect.greet(C, topic("tickers", "ADA-USDT"), spot, {}, NOW_MS))
    assert heard == HeardEvent("okx.public/tickers:ADA-USDT", NOW_MS)


def test_checksums_are_0_and_digits_are_short(dialect, swap):
    (message,) = dialect.greet(C, topic("books"), swap, {}, NOW_MS)
    (row,) = json.loads(message)["data"]
    assert (row["checksum"], row["ts"], row["prevSeqId"]) == (0, str(NOW_MS), -1)
    assert row["bids"][0] == ["0.8215", "12.5", "0", "9"]
    assert [short("30244.0"), short("100"), short("0.10")] == ["30244", "100", "0.1"]
    assert [plain(-1e-12, 8), plain(1e-7, 10)] == ["0", "0.0000001"]


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def fetch(dialect, floor):
    """A path to the events the desk makes of the page, all by one venue."""
    codec = Okx().codec("okx.rest")

    def events(path):
        answer = dialect.page(path, floor)
        assert answer.status == 200
        return codec.decode(json.dumps({"path": path, "data": answer.body.decode()}).encode())

    return events


def test_rules_and_tiers_come_back_in_coins(fetch):
    (listed,) = fetch("/api/v5/public/instruments?instType=SWAP")
    (row,) = listed.rows
    assert (row.key, row.multiplier, row.lot) == ("okx:perp:ADA-USDT-SWAP", 100, 10)
    assert (row.tick, row.max_qty, row.leverage_max) == (Decimal("0.0001"), 5_200_000, 75)
    (listed,) = fetch("/api/v5/public/instruments?instType=SPOT&instId=ADA-USDT")
    (row,) = listed.rows
    assert (row.base, row.lot, row.min_qty) == ("ADA", Decimal("0.000001"), Decimal("0.000001"))
    path = "/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated&instFamily=ADA-USDT"
    (tiers,) = fetch(path)
    assert tiers.unit == "base"
    notional = [float(tier.limit) * 0.82164 for tier in tiers.tiers]
    for limit, row in zip(notional, TIERS, strict=True):
        assert 0.9 * float(row[0]) < limit <= float(row[0])  # to two digits that count
    assert [tier.maintenance for tier in tiers.tiers] == [Decimal(row[1]) for row in TIERS]


def test_every_path_of_a_backfill_is_answered_and_read(fetch, swap):
    events = [event for path in Okx().backfill(swap.spec.key, NOW_MS) for event in fetch(path)]
    minutes = [row for event in events if isinstance(event, Candles) for row in event.rows]
    start = NOW_MS - NOW_MS % MINUTE_MS
    assert [t_ms for t_ms, _ in minutes] == list(range(start - 500 * MINUTE_MS, start, MINUTE_MS))
    assert {close for _, close in minutes} == {round(0.8215 + n / 10_000, 4) for n in range(7)}
    kinds = {type(event) for event in events}
    assert {FundingInfo, FundingHistory, Ticker} <= kinds
    (history,) = (event for event in events if isinstance(event, FundingHistory))
    assert [rate for _, rate in history.rows] == ["0.00002", "0.00001", "0"]
    assert fetch(Okx().time_path()) == (VenueTime("okx", NOW_MS),)


def test_the_running_minute_is_not_confirmed(dialect, floor):
    path = "/api/v5/market/candles?instId=ADA-USDT&bar=1m"
    rows = json.loads(dialect.page(path, floor).body)["data"]
    assert len(rows) == 100
    assert [row[8] for row in rows[:3]] == ["0", "1", "1"]
    assert int(rows[0][0]) > int(rows[1][0])


def test_a_book_over_http_seeds_the_chain_of_the_socket(dialect, swap, fetch, read):
    (book,) = fetch(Okx().seed_path(C, "books:ADA-USDT-SWAP"))
    (snapshot,) = read(dialect.greet(C, topic("books"), swap, {}, NOW_MS))
    assert (book.stream, book.seq, book.snapshot) == ("", snapshot.seq, True)
    assert (book.bids, book.asks) == (snapshot.bids, snapshot.asks)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v5/public/else", 404, "404"),
        ("/api/v5/public/instruments?instType=FUTURES", 400, "51000"),
        ("/api/v5/public/instruments?instType=SPOT&instId=FOO-USDT", 200, "51001"),
        ("/api/v5/public/funding-rate?instId=ADA-USDT", 200, "51001"),
        ("/api/v5/public/position-tiers?instType=SWAP", 400, "51000"),
        ("/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated", 400, "51000"),
        ("/api/v5/market/candles?instId=ADA-USDT&bar=1H", 400, "51000"),
        ("/api/v5/market/candles?instId=ADA-USDT&after=x", 400, "51000"),
        ("/api/v5/market/books", 200, "51001"),
    ],
)
def test_pages_that_are_refused(dialect, floor, path, status, code):
    answer = dialect.page(path, floor)
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
