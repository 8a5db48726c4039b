"""What the Binance dialect says, the codec reads back as the leg's own numbers."""

import json
import math

import pytest
from binance_rig import Line, M, P, S, ask, make_floor, news, spec
from still_rig import NOW_MS, FakeLeg

from basisdesk.demo.dialect_binance import BinanceDialect
from basisdesk.demo.dialect_binance_pages import eight, padded
from basisdesk.demo.wire import Dialect, Print, Topic
from basisdesk.events import Ack, Heard, Quote, Ticker, Trade
from basisdesk.venues.binance import Binance

# --- control -------------------------------------------------------------------------------------


def test_it_speaks_on_three_paths():
    dialect: Dialect = BinanceDialect()
    assert dialect.sockets == {"/stream": S, "/public/stream": P, "/market/stream": M}
    assert set(dialect.sockets.values()) == set(Binance().endpoints)
    assert dialect.idle(S, 10**9, NOW_MS) == ()


@pytest.mark.parametrize(
    ("conn", "names", "flowing"),
    [
        (S, ("adausdt@bookTicker", "adausdt@depth@100ms", "adausdt@trade"), 3),
        (P, ("adausdt@bookTicker", "adausdt@depth@100ms", "1000pepeusdt@trade"), 3),
        (M, ("adausdt@aggTrade", "adausdt@markPrice@1s"), 2),
        (P, ("adausdt@markPrice@1s", "adausdt@aggTrade"), 0),  # the other path's
        (M, ("adausdt@bookTicker", "adausdt@depth@100ms"), 0),
        (S, ("adausdt@markPrice@1s", "ADAUSDT@trade", "nonesuch@trade", "x", "adausdt@"), 0),
    ],
)
def test_a_stream_that_is_not_there_is_acknowledged_and_stays_silent(conn, names, flowing):
    """Trap 9 of the venue, as the desk must survive it."""
    heard = ask(conn, "SUBSCRIBE", names)
    assert heard.replies == (b'{"result":null,"id":17}',)
    assert [topic.text for topic in heard.added] == list(names)
    legs = [BinanceDialect().leg_of(conn, topic) for topic in heard.added]
    assert sum(leg is not None for leg in legs) == flowing
    assert Binance().codec(conn).decode(heard.replies[0]) == (Ack(conn, "17", True, ""),)


def test_the_desk_s_own_requests_are_understood():
    venue, floor = Binance(), make_floor()
    for key in ("binance:spot:ADAUSDT", "binance:perp:1000PEPEUSDT"):
        for conn, topics in venue.topics(key).items():
            heard = BinanceDialect().hear(conn, venue.subscribe(topics, "5"), {}, floor, "c")
            assert [topic.text for topic in heard.added] == list(topics)
            for topic in heard.added:
                assert BinanceDialect().leg_of(conn, topic) == tuple(key.split(":"))
            have = {topic.text: topic for topic in heard.added}
            gone = BinanceDialect().hear(conn, venue.unsubscribe(topics, "6"), have, floor, "c")
            assert (list(gone.dropped), gone.added) == (list(topics), ())


def test_streams_of_the_url_are_subscribed():
    path = "/stream?streams=adausdt@trade/adausdt@bookTicker/"
    assert BinanceDialect().hello(S, path, 0).added == [
        Topic("adausdt@trade", "trade", "ADAUSDT"),
        Topic("adausdt@bookTicker", "bookTicker", "ADAUSDT"),
    ]
    assert BinanceDialect().hello(S, "/stream", 0).added == []


def test_subscriptions_are_listed_and_never_twice():
    have = ("adausdt@trade", "adausdt@depth")
    listed = ask(S, "LIST_SUBSCRIPTIONS", (), have=have).replies[0]
    assert json.loads(listed) == {"result": list(have), "id": 17}
    again = ask(
        S, "SUBSCRIBE", ("adausdt@trade", "adausdt@bookTicker", "adausdt@bookTicker"), have=have
    )
    assert [topic.text for topic in again.added] == ["adausdt@bookTicker"]
    gone = ask(S, "UNSUBSCRIBE", ("adausdt@trade", "other"), have=have)
    assert list(gone.dropped) == ["adausdt@trade"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"ping", 3),
        (b"\xff", 3),
        (b"[]", 2),
        (b'{"id":1}', 2),
        (b'{"method":"SUBSCRIBE","params":[1]}', 2),
        (b'{"method":"LOGIN","id":9}', 2),
    ],
)
def test_what_it_cannot_read_is_refused_in_its_words(message, code):
    heard = BinanceDialect().hear(S, message, {}, make_floor(), "c")
    answer = json.loads(heard.replies[0])
    assert answer["code"] == code
    (ack,) = Binance().codec(S).decode(heard.replies[0])
    assert (ack.ok, ack.req_id) == (False, str(answer.get("id", "")))
    assert not heard.added


def test_more_streams_than_a_connection_takes_are_refused():
    heard = ask(S, "SUBSCRIBE", [f"c{number}usdt@trade" for number in range(1_025)])
    assert json.loads(heard.replies[0])["error"] == {"code": 4, "msg": "Too many subscriptions"}
    assert not heard.added


# --- streams -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("conn", "market"), [(S, "spot"), (P, "perp")])
def test_the_touch_comes_back(conn, market):
    line = Line(conn, "adausdt@bookTicker", FakeLeg(spec(market)))
    assert line.dialect.greet(conn, line.topic, line.leg, line.memory, NOW_MS) == ()
    assert line.say(news(repeat=True)) == []  # nothing is told twice
    (quote,) = line.say(news(touched=True))
    key, stream = f"binance:{market}:ADAUSDT", f"{conn}/adausdt@bookTicker"
    stamp = 0 if market == "spot" else NOW_MS
    assert quote == Quote(key, stream, 0.8215, 12.5, 0.8216, 31.0, stamp, 88_120_045)


def test_spot_prints_eight_decimals_and_futures_those_of_the_tick():
    spot, perp = (
        Line(conn, "adausdt@bookTicker", FakeLeg(spec(market))).raw(news(touched=True))[0]
        for conn, market in ((S, "spot"), (P, "perp"))
    )
    assert spot == (
        b'{"stream":"adausdt@bookTicker","data":{"u":88120045,"s":"ADAUSDT","b":"0.82150000",'
        b'"B":"12.50000000","a":"0.82160000","A":"31.00000000"}}'
    )
    assert perp == (
        b'{"stream":"adausdt@bookTicker","data":{"e":"bookTicker","u":88120045,"s":"ADAUSDT",'
        b'"ps":"ADAUSDT","b":"0.8215","B":"12.5","a":"0.8216","A":"31.0","T":1790134712400,'
        b'"E":1790134712400,"st":1}}'
    )


def test_a_flood_ends_with_the_true_touch():
    quotes = Line(P, "adausdt@bookTicker", FakeLeg(spec())).say(news(touched=True, quotes=5))
    assert len(quotes) == 5
    assert [quote.seq for quote in quotes] == sorted({quote.seq for quote in quotes})
    assert (quotes[-1].bid, quotes[-1].bid_size) == (0.8215, 12.5)


def test_a_multiple_comes_back_per_coin_and_in_coins():
    line = Line(P, "1000pepeusdt@bookTicker", FakeLeg(spec(base="PEPE", unit=1000)))
    (quote,) = line.say(news(touched=True))
    assert (quote.bid, quote.bid_size) == (0.8215 / 1000, 12_500.0)


@pytest.mark.parametrize(("conn", "market"), [(S, "spot"), (P, "perp")])
def test_changes_are_gathered_between_slow_moments_into_one_chain(conn, market):
    line = Line(conn, "adausdt@depth@100ms", FakeLeg(spec(market)))
    skip = 40 if market == "perp" else 0
    first = news(bids={8215: 100}, first=450_001 + skip, last=450_003 + skip, slow=False)
    second = first._replace(
        bids={8215: 0, 8213: 7}, asks={8216: 5}, prev=first.last, first=first.last + 1 + skip
    )._replace(last=first.last + 9 + skip)
    assert line.say(first) == []
    (update,) = line.say(second._replace(slow=True))
    assert (update.bids, update.asks) == ([(0.8215, 0.0), (0.8213, 0.7)], [(0.8216, 0.5)])
    assert (update.prev, update.seq) == (450_000, second.last)
    assert update.venue_ms == NOW_MS
    assert not update.snapshot
    quiet = {"first": second.last, "last": second.last, "prev": second.last}
    assert line.say(news(**quiet)) == []  # nothing changed, nothing is said
    third = {"first": second.last + 1 + skip, "last": second.last + 2 + skip}
    (update,) = line.say(news(bids={8210: 1}, prev=second.last, **third))
    assert update.prev == second.last


def test_a_pulse_that_nobody_heard_breaks_the_chain_where_it_was_lost():
    line = Line(P, "adausdt@depth@100ms", FakeLeg(spec()))
    line.say(news(bids={8215: 100}, first=450_010, last=450_012, slow=False))
    (update,) = line.say(news(bids={8211: 1}, prev=450_050, first=450_060, last=450_061))
    assert (update.prev, update.bids) == (450_050, [(0.8211, 0.1)])


@pytest.mark.parametrize(("name", "said"), [("depth", 5), ("depth@500ms", 3), ("depth@100ms", 10)])
def test_every_speed_keeps_its_pace(name, said):
    """Ten slow moments of 100 ms: a message in each slot of the speed that they touch."""
    line, count = Line(P, f"adausdt@{name}", FakeLeg(spec())), 0
    for number in range(10):
        ids = {"prev": number, "first": number + 1, "last": number + 1}
        count += len(line.say(news(100 * number, bids={8000 + number: 1}, **ids)))
    assert count == said


@pytest.mark.parametrize(("conn", "market"), [(S, "spot"), (P, "perp")])
def test_a_partial_book_is_whole_each_time(conn, market):
    line = Line(conn, "adausdt@depth5@100ms", FakeLeg(spec(market)))
    (book,) = line.say(news())
    assert book.snapshot
    assert (book.bids, book.asks) == (
        [(0.8215, 12.5), (0.8214, 90.0)],
        [(0.8216, 31.0), (0.8219, 4.0)],
    )
    assert line.say(news(100)) == []
    line.leg.book_id += 1
    assert line.say(news(200))[0].seq == 450_001


PRINTS = (
    Print(NOW_MS - 9, True, 8216, 7, 49),
    Print(NOW_MS - 9, True, 8216, 3, 50),
    Print(NOW_MS - 5, False, 8215, 20, 51),
)


def test_spot_trades_come_one_by_one():
    line = Line(S, "adausdt@trade", FakeLeg(spec("spot")))
    trades = line.say(news(prints=PRINTS))
    assert [(each.price, each.size, each.taker_buy, each.venue_ms) for each in trades] == [
        (0.8216, 0.7, True, NOW_MS - 9),
        (0.8216, 0.3, True, NOW_MS - 9),
        (0.8215, 2.0, False, NOW_MS - 5),
    ]


@pytest.mark.parametrize(("conn", "market"), [(M, "perp"), (S, "spot")])
def test_aggregate_trades_join_what_happened_at_once(conn, market):
    line = Line(conn, "adausdt@aggTrade", FakeLeg(spec(market)))
    trades = line.say(news(prints=PRINTS))
    assert [(each.price, each.size, each.taker_buy) for each in trades] == [
        (0.8216, 1.0, True),
        (0.8215, 2.0, False),
    ]
    data = json.loads(line.raw(news(prints=PRINTS))[0])["data"]
    assert (data["a"], data["f"], data["l"]) == (49, 49, 50)


def test_futures_trades_print_rows_without_a_price_now_and_then():
    """Trap 15 of the venue: the desk drops them."""
    events = Line(P, "adausdt@trade", FakeLeg(spec())).say(news(prints=PRINTS))
    assert [type(each) for each in events] == [Trade, Trade, Heard, Trade]


def test_marks_come_once_a_second():
    line = Line(M, "adausdt@markPrice@1s", FakeLeg(spec()))
    (ticker,) = line.say(news())
    assert isinstance(ticker, Ticker)
    assert (ticker.mark, ticker.index, ticker.rate) == (0.82164, 0.82151, -0.0000321)
    assert (ticker.next_ms, ticker.venue_ms, ticker.interval_h) == (NOW_MS + 1_000, NOW_MS, 0.0)
    assert math.isnan(ticker.open_interest)
    said = sum(len(line.say(news(100 * number))) for number in range(1, 31))
    assert said == 3
    slower = Line(M, "adausdt@markPrice", FakeLeg(spec()))
    assert sum(len(slower.say(news(100 * number))) for number in range(60)) in (2, 3)


def test_a_rate_of_nearly_nothing_is_not_minus_nothing():
    assert eight(-1e-12) == "0.00000000"
    assert (eight(-0.5), padded("12"), padded("0.82")) == (
        "-0.50000000",
        "12.00000000",
        "0.82000000",
    )
