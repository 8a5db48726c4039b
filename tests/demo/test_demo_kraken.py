"""Kraken's dialect: what it says, the venue's own codec reads back as the book it speaks for."""

import json

import msgspec
import pytest
from kraken_rig import NOW, PERP, SPOT, SPOT_BITCOIN, FakeLeg, make_floor

from basisdesk.demo.dialect_kraken import KrakenDialect
from basisdesk.demo.dialect_kraken_spot import rfc3339
from basisdesk.demo.wire import Topic
from basisdesk.events import (
    Ack,
    BookUpdate,
    Candles,
    FundingHistory,
    Heard,
    Notice,
    Pong,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.venues.kraken import FUTURES, REST, Kraken
from basisdesk.venues.kraken import SPOT as SPOT_CONN

BOOK = Topic("book:ADA/USD", "book", "ADA/USD", "10")
PERP_BOOK = Topic("book:PF_ADAUSD", "book", "PF_ADAUSD")


@pytest.fixture
def dialect():
    return KrakenDialect()


def decoded(codec, messages):
    return [event for message in messages for event in codec.decode(message)]


class Fold:
    """A plain book of floats, and the rule that a message follows the one before."""

    def __init__(self):
        self.bids, self.asks = {}, {}
        self.seq = None

    def take(self, events):
        for event in events:
            assert isinstance(event, BookUpdate), event
            if event.snapshot:
                self.bids, self.asks = {}, {}
            else:
                assert event.prev == self.seq
            self.seq = event.seq
            for side, levels in ((self.bids, event.bids), (self.asks, event.asks)):
                for price, size in levels:
                    if size:
                        side[price] = size
                    else:
                        side.pop(price, None)
            assert max(self.bids) < min(self.asks)  # and never a side without a level


def floats(leg, levels, depth):
    return {
        float(leg.price_text(tick)): float(leg.size_text(lots))
        for tick, lots in list(levels.items())[:depth]
    }


# --- books ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "middle", "seed"), [(SPOT, 800_000, 1), (SPOT, 2_500, 2), (SPOT_BITCOIN, 867_200, 3)]
)
def test_spot_books_read_back_as_the_ten_best_levels_with_every_checksum_right(
    dialect, spec, middle, seed
):
    leg, fold, memory = FakeLeg(spec, seed, middle), Fold(), {}
    codec = Kraken().codec(SPOT_CONN)
    topic = BOOK._replace(symbol=spec.symbol)
    fold.take(decoded(codec, dialect.greet(SPOT_CONN, topic, leg, memory, NOW)))
    fell = 0
    for _ in range(1_500):
        before = list(leg.bids)[:10]
        messages = dialect.say(SPOT_CONN, topic, leg, memory, leg.pulse())
        told = json.loads(messages[-1])["data"][0]["bids"] if messages else []
        gone = {level["price"] for level in told if level["qty"] == 0}
        for tick in set(before) & set(leg.bids) - set(list(leg.bids)[:10]):
            assert float(leg.price_text(tick)) not in gone
            fell += 1
        fold.take(decoded(codec, messages))
        assert fold.bids == floats(leg, leg.bids, 10)
        assert fold.asks == floats(leg, leg.asks, 10)
    assert fell > 300  # levels that better ones pushed below the tenth were not deleted
    assert codec.books[spec.symbol].valid


def test_a_client_of_the_second_hour_is_in_step_with_the_first(dialect):
    leg, memory = FakeLeg(seed=4), {}
    early, late = Kraken().codec(SPOT_CONN), Kraken().codec(SPOT_CONN)
    first, second = Fold(), Fold()
    first.take(decoded(early, dialect.greet(SPOT_CONN, BOOK, leg, memory, NOW)))
    for at in range(200):
        messages = dialect.say(SPOT_CONN, BOOK, leg, memory, leg.pulse())
        first.take(decoded(early, messages))
        if at == 50:
            greeting = dialect.greet(SPOT_CONN, BOOK, leg, memory, leg.now_ms)
            second.take(decoded(late, greeting))
        elif at > 50:
            second.take(decoded(late, messages))
            assert (second.bids, second.asks) == (first.bids, first.asks)


def test_a_flood_of_spot_updates_has_right_checksums_too(dialect):
    leg, fold, memory = FakeLeg(seed=5), Fold(), {}
    codec = Kraken().codec(SPOT_CONN)
    fold.take(decoded(codec, dialect.greet(SPOT_CONN, BOOK, leg, memory, NOW)))
    for _ in range(20):
        messages = dialect.say(SPOT_CONN, BOOK, leg, memory, leg.pulse(quotes=30))
        assert len(messages) >= 29
        fold.take(decoded(codec, messages))
        assert fold.asks == floats(leg, leg.asks, 10)


def test_a_deeper_book_is_cut_deeper_and_proven_by_the_same_ten(dialect):
    leg, memory = FakeLeg(seed=6), {}
    deep = BOOK._replace(text="book:ADA/USD:25", args="25")
    (snapshot,) = dialect.greet(SPOT_CONN, deep, leg, memory, NOW)
    (plain,) = dialect.greet(SPOT_CONN, BOOK, leg, {}, NOW)
    deep_data, data = json.loads(snapshot)["data"][0], json.loads(plain)["data"][0]
    assert len(deep_data["bids"]) == min(25, len(leg.bids))
    assert deep_data["checksum"] == data["checksum"]


def test_futures_books_read_back_and_are_never_crossed_or_empty(dialect):
    """The best of either side after every step, twenty levels of both after every half second."""
    leg, fold, memory = FakeLeg(PERP, 8, 80_000), Fold(), {}
    codec = Kraken().codec(FUTURES)
    fold.take(decoded(codec, dialect.greet(FUTURES, PERP_BOOK, leg, memory, NOW)))
    for at in range(1, 1_001):
        news = leg.pulse(quotes=1 + 9 * (at % 7 == 0))
        fold.take(decoded(codec, dialect.say(FUTURES, PERP_BOOK, leg, memory, news)))
        bid, bid_lots, ask, ask_lots = (float(each) for each in leg.touch)
        best = max(fold.bids), min(fold.asks)
        assert best == pytest.approx((bid / 1e5, ask / 1e5))
        assert (fold.bids[best[0]], fold.asks[best[1]]) == (bid_lots, ask_lots)
        if at % 5 == 0:
            assert fold.bids == floats(leg, leg.bids, 20)
            assert fold.asks == floats(leg, leg.asks, 20)
        if at % 99 == 0:  # a late client holds what the others hold, and follows on
            late = Fold()
            greeting = dialect.greet(FUTURES, PERP_BOOK, leg, memory, leg.now_ms)
            late.take(decoded(Kraken().codec(FUTURES), greeting))
            assert (late.seq, late.bids, late.asks) == (fold.seq, fold.bids, fold.asks)


def test_a_book_nobody_listened_to_is_greeted_as_it_is_now(dialect):
    leg, memory = FakeLeg(PERP, 13, 80_000), {}
    codec, fold = Kraken().codec(FUTURES), Fold()
    fold.take(decoded(codec, dialect.greet(FUTURES, PERP_BOOK, leg, memory, NOW)))
    before = fold.seq
    for _ in range(50):
        leg.pulse()
    fold.take(decoded(codec, dialect.greet(FUTURES, PERP_BOOK, leg, memory, leg.now_ms)))
    assert fold.seq > before
    assert fold.bids == floats(leg, leg.bids, 20)


# --- tickers and trades --------------------------------------------------------------------------


def test_spot_tickers_by_trigger(dialect):
    """Trap 26: by default bid and ask are told only when something trades."""
    leg, codec = FakeLeg(seed=9), Kraken().codec(SPOT_CONN)
    best = Topic("ticker:ADA/USD", "ticker", "ADA/USD", "bbo")
    trades = Topic("ticker:ADA/USD:trades", "ticker", "ADA/USD", "trades")
    by_best, by_trade = {}, {}
    for topic, memory in ((best, by_best), (trades, by_trade)):
        (event,) = decoded(codec, dialect.greet(SPOT_CONN, topic, leg, memory, NOW))
        assert event == Heard("kraken.spot/ticker:ADA/USD", NOW)
    told = moved = 0
    for _ in range(100):
        before = leg.touch
        news = leg.pulse()
        moved += (before[0], before[2]) != (leg.touch[0], leg.touch[2])
        told += len(dialect.say(SPOT_CONN, best, leg, by_best, news))
        assert dialect.say(SPOT_CONN, trades, leg, by_trade, news) == ()
    assert told == moved > 10
    assert len(dialect.say(SPOT_CONN, trades, leg, by_trade, leg.pulse(prints=1))) == 1


def test_trades_read_back(dialect):
    spot, perp = FakeLeg(seed=10), FakeLeg(PERP, 11, 80_000)
    news = spot.pulse(prints=3)
    topic = Topic("trade:ADA/USD", "trade", "ADA/USD")
    messages = dialect.say(SPOT_CONN, topic, spot, {}, news)
    events = decoded(Kraken().codec(SPOT_CONN), messages)
    assert [(event.price, event.taker_buy, event.venue_ms) for event in events] == [
        (float(spot.price_text(row.tick)), row.buy, row.t_ms) for row in news.prints
    ]
    assert dialect.greet(SPOT_CONN, topic, spot, {}, NOW) == ()
    asked = topic._replace(args="snapshot")
    (past,) = decoded(Kraken().codec(SPOT_CONN), dialect.greet(SPOT_CONN, asked, spot, {}, NOW))
    assert isinstance(past, Heard)

    news = perp.pulse(prints=2)
    topic = Topic("trade:PF_ADAUSD", "trade", "PF_ADAUSD")
    messages = dialect.say(FUTURES, topic, perp, {}, news)
    assert len(messages) == 2
    assert all(isinstance(event, Trade) for event in decoded(Kraken().codec(FUTURES), messages))
    (past,) = decoded(Kraken().codec(FUTURES), dialect.greet(FUTURES, topic, perp, {}, NOW))
    assert past == Heard("kraken.futures/trade:PF_ADAUSD", perp.last.t_ms)


def test_the_futures_ticker_comes_once_a_second_with_both_rates(dialect):
    leg, memory, codec = FakeLeg(PERP, 12, 80_000), {}, Kraken().codec(FUTURES)
    topic = Topic("ticker:PF_ADAUSD", "ticker", "PF_ADAUSD")
    (greeting,) = dialect.greet(FUTURES, topic, leg, memory, NOW)
    view = leg.view()
    raw = json.loads(greeting)
    assert raw["funding_rate"] == pytest.approx(view.rate * view.index_price)
    assert raw["relative_funding_rate"] == view.rate
    (event,) = codec.decode(greeting)
    assert isinstance(event, Ticker)
    assert (event.mark, event.index, event.rate) == (view.mark_price, view.index_price, view.rate)
    assert (event.next_ms, event.interval_h) == (view.next_funding_ms, 1.0)
    said = [len(dialect.say(FUTURES, topic, leg, memory, leg.pulse())) for _ in range(50)]
    assert sum(said) == 5
    lite = Topic("ticker_lite:PF_ADAUSD", "ticker_lite", "PF_ADAUSD")
    (light,) = decoded(codec, dialect.greet(FUTURES, lite, leg, {}, NOW))
    assert isinstance(light, Heard)


# --- control -------------------------------------------------------------------------------------


def hear(dialect, conn, message, have=()):
    known = {topic.text: topic for topic in have}
    return dialect.hear(conn, message, known, make_floor(), "1")


@pytest.mark.parametrize("topics", [("book:ADA/USD", "book:BTC/USD"), ("ticker:ADA/USD",)])
def test_what_the_desk_asks_on_spot_is_acknowledged_a_symbol_each(dialect, topics):
    heard = hear(dialect, SPOT_CONN, Kraken().subscribe(topics, "17"))
    assert [topic.text for topic in heard.added] == list(topics)
    acks = decoded(Kraken().codec(SPOT_CONN), heard.replies)
    assert acks == [Ack("kraken.spot", "17", True, "", (topic,)) for topic in topics]
    dropped = hear(dialect, SPOT_CONN, Kraken().unsubscribe(topics, "18"), heard.added)
    assert list(dropped.dropped) == list(topics)
    assert all(ack.ok and ack.req_id == "18" for ack in
               decoded(Kraken().codec(SPOT_CONN), dropped.replies))  # fmt: skip
    assert [dialect.leg_of(SPOT_CONN, topic)[1:] for topic in heard.added] == [
        ("spot", topic.partition(":")[2]) for topic in topics
    ]


def test_an_unknown_symbol_fails_alone(dialect):
    ask = Kraken().subscribe(("book:ADA/USD", "book:XBT/USD"), "3")
    heard = hear(dialect, SPOT_CONN, ask)
    good, bad = decoded(Kraken().codec(SPOT_CONN), heard.replies)
    assert good.ok
    assert (bad.ok, bad.topics) == (False, ("book:XBT/USD",))
    assert bad.text == "Currency pair not supported XBT/USD"
    assert [topic.text for topic in heard.added] == ["book:ADA/USD"]
    again = hear(dialect, SPOT_CONN, ask, heard.added)
    assert not again.added
    assert decoded(Kraken().codec(SPOT_CONN), again.replies)[0].ok  # "Already subscribed"


@pytest.mark.parametrize(
    "message",
    [
        b"ping",
        b'{"method":"dance","req_id":4}',
        b'{"method":"subscribe","params":{"channel":"level3","symbol":["ADA/USD"]},"req_id":4}',
        b'{"method":"subscribe","params":{"channel":"book","symbol":["ADA/USD"],"depth":7}}',
        b'{"method":"subscribe","params":{"channel":"book","symbol":[]}}',
        b'{"method":"subscribe","params":{"channel":"ticker","symbol":["ADA/USD"],'
        b'"event_trigger":"x"}}',
        b'{"method":"unsubscribe","params":{"channel":"trade","symbol":["ADA/USD"]}}',
    ],
)
def test_nonsense_on_spot_is_refused_in_words(dialect, message):
    heard = hear(dialect, SPOT_CONN, message)
    assert not heard.added
    (ack,) = decoded(Kraken().codec(SPOT_CONN), heard.replies)
    assert isinstance(ack, Ack)
    assert not ack.ok
    assert ack.text


def test_spot_lives_by_status_heartbeat_and_pong(dialect):
    codec = Kraken().codec(SPOT_CONN)
    assert decoded(codec, dialect.hello(SPOT_CONN, "/v2", NOW).replies) == [Pong("kraken.spot")]
    assert decoded(codec, dialect.idle(SPOT_CONN, 1_000, NOW)) == [Pong("kraken.spot")]
    assert dialect.idle(SPOT_CONN, 900, NOW) == ()
    ping = Kraken().ping(SPOT_CONN, "9")
    assert decoded(codec, hear(dialect, SPOT_CONN, ping).replies) == [Pong("kraken.spot")]


def test_futures_answer_a_product_each(dialect):
    codec = Kraken().codec(FUTURES)
    assert decoded(codec, dialect.hello(FUTURES, "/ws/v1", NOW).replies) == [Pong(FUTURES)]
    assert dialect.idle(FUTURES, 60_000, NOW) == ()
    topics = ("book:PF_ADAUSD", "book:PF_XBTUSD")
    heard = hear(dialect, FUTURES, Kraken().subscribe(topics, "1"))
    assert decoded(codec, heard.replies) == [Ack(FUTURES, "", True, "", (each,)) for each in topics]
    assert [topic.text for topic in heard.added] == list(topics)
    again = hear(dialect, FUTURES, Kraken().subscribe(topics[:1], "2"), heard.added)
    assert isinstance(decoded(codec, again.replies)[0], Notice)
    gone = hear(dialect, FUTURES, Kraken().unsubscribe(topics, "3"), heard.added)
    assert list(gone.dropped) == list(topics)


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b'{"event":"challenge"}',
        b'{"event":"subscribe","feed":"fills","product_ids":["PF_ADAUSD"]}',
        b'{"event":"subscribe","feed":"book","product_ids":["PF_NONEUSD","PF_ADAUSD"]}',
        b'{"event":"subscribe","feed":"book","product_ids":[]}',
        b'{"method":"ping","req_id":1}',
    ],
)
def test_nonsense_on_futures_is_an_error(dialect, message):
    heard = hear(dialect, FUTURES, message)
    assert not heard.added
    (ack,) = decoded(Kraken().codec(FUTURES), heard.replies)
    assert (ack.ok, ack.req_id) == (False, "")


# --- pages ---------------------------------------------------------------------------------------


def page_events(dialect, path):
    page = dialect.page(path, make_floor())
    assert page.status == 200
    frame = msgspec.json.encode({"path": path, "data": page.body.decode()})
    return Kraken().codec(REST).decode(frame)


def test_every_page_the_desk_asks_for_reads_back(dialect):
    venue = Kraken()
    paths = [*venue.catalogue(), venue.time_path()]
    for leg in ("kraken:spot:BTC/USD", "kraken:spot:ADA/USD", "kraken:perp:PF_ADAUSD"):
        paths += venue.backfill(leg, NOW)
    for path in paths:
        assert path.startswith(tuple(dialect.pages))
        assert page_events(dialect, path)


def test_rules_read_back(dialect):
    (spot,) = page_events(dialect, "/0/public/AssetPairs")
    assert [row.key for row in spot.rows] == ["kraken:spot:ADA/USD", "kraken:spot:BTC/USD"]
    ada = spot.rows[0]
    assert (str(ada.tick), str(ada.lot), str(ada.min_qty)) == ("0.000001", "1E-8", "4.40000000")
    perps, *_ = page_events(dialect, "/derivatives/api/v3/instruments")
    by_symbol = {row.symbol: row for row in perps.rows}
    assert by_symbol["PF_PEPEUSD"].lot == 1000
    assert f"{by_symbol['PF_PEPEUSD'].tick:f}" == "0.0000000001"
    assert f"{by_symbol['PF_XBTUSD'].lot:f}" == "0.0001"
    assert [int(tier.limit) for tier in by_symbol["PF_ADAUSD"].tiers] == [1_000_000, 10**12]
    assert by_symbol["PF_ADAUSD"].leverage_max == 50


def test_a_day_of_minutes_without_the_running_one(dialect):
    paths = [path for path in Kraken().backfill("kraken:perp:PF_ADAUSD", NOW) if "charts" in path]
    rows = [row for path in paths for row in page_events(dialect, path)[0].rows]
    stamps = [stamp for stamp, _ in rows]
    assert len(stamps) == 1440
    assert stamps == list(range(stamps[0], stamps[0] + 1440 * 60_000, 60_000))
    assert stamps[-1] + 60_000 <= NOW
    (spot,) = page_events(dialect, "/0/public/OHLC?pair=XBTUSD&interval=1")
    assert isinstance(spot, Candles)
    assert spot.instrument == "kraken:spot:BTC/USD"
    assert len(spot.rows) == 719  # the venue's 720 hold the running minute
    assert spot.rows[-1][0] == stamps[-1]


def test_funding_and_time_read_back(dialect):
    path = "/derivatives/api/v4/historicalfundingrates?symbol=PF_ADAUSD"
    (history,) = page_events(dialect, path)
    assert isinstance(history, FundingHistory)
    assert [text for _, text in history.rows] == [
        "0.00005",
        "0.00004",
        "0.00003",
        "0.00002",
        "0.00001",
    ]
    assert page_events(dialect, "/0/public/Time") == (
        VenueTime("kraken", NOW // 1000 * 1000 + 500),
    )
    tickers = page_events(dialect, "/derivatives/api/v3/tickers")
    assert len(tickers) == 3


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/0/public/AssetPairs?pair=FOOUSD", 200, b"EQuery:Unknown asset pair"),
        ("/0/public/OHLC?pair=ADAUSD&interval=5", 200, b"EGeneral:Invalid arguments"),
        ("/0/public/Spread?pair=ADAUSD", 404, b"EGeneral:Unknown method"),
        ("/derivatives/api/v4/historicalfundingrates?symbol=PF_NO", 200, b'"result":"error"'),
        ("/api/charts/v1/trade/PF_NO/1m", 404, b"errors"),
        ("/api/charts/v1/trade/PF_ADAUSD/1m?from=x", 400, b"errors"),
    ],
)
def test_pages_that_are_not_there_say_so(dialect, path, status, words):
    page = dialect.page(path, make_floor())
    assert page.status == status
    assert words in page.body


def test_stamps_have_six_digits():
    assert rfc3339(NOW) == "2026-09-23T16:10:12.345000Z"
