"""Messages read back by the standard library's JSON reader: shapes, types, chains."""

import json
import re
from itertools import pairwise

import pytest

from basisdesk.demo.coins import CALIBRATED
from basisdesk.demo.dialect_bybit import (
    BybitDialect,
    Request,
    answer,
    parse_topic,
    pong,
    read_request,
    refusal,
)
from basisdesk.demo.dialect_bybit_pages import Numbers, rate_text, trimmed
from tests.demo.demo_rig import EPOCH_MS, Desk, make_leg

CONN = {"spot": "bybit.spot", "linear": "bybit.linear"}
BYBIT = BybitDialect()
DECIMAL = re.compile(r"\d+(\.\d+)?")
SPOT_TICKER = (
    "symbol lastPrice highPrice24h lowPrice24h prevPrice24h volume24h turnover24h price24hPcnt "
    "usdIndexPrice"
)


@pytest.fixture(scope="module")
def floor():
    return Desk(EPOCH_MS).floor


def leg_of(category, symbol):
    return make_leg(f"bybit:{'spot' if category == 'spot' else 'perp'}:{symbol}")


def stream(floor, category, symbol, kinds, pulses=120, step_ms=100, quotes=1):
    """(greetings, then the messages of each pulse) as parsed JSON, in order."""
    leg, conn = leg_of(category, symbol), CONN[category]
    topics = [parse_topic(f"{kind}.{symbol}", category, floor) for kind in kinds]
    memories = [{} for _ in topics]
    said = []
    for topic, memory in zip(topics, memories, strict=True):
        said += BYBIT.greet(conn, topic, leg, memory, EPOCH_MS)
    for at in range(1, pulses + 1):
        news = leg.pulse(EPOCH_MS + at * step_ms, slow=True, quotes=quotes)
        for topic, memory in zip(topics, memories, strict=True):
            said += BYBIT.say(conn, topic, leg, memory, news)
    return [json.loads(message) for message in said]


@pytest.mark.parametrize("category", ["spot", "linear"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ADAUSDT"])
def test_book_chain(floor, category, symbol):
    said = stream(floor, category, symbol, ["orderbook.50"])
    assert said[0]["type"] == "snapshot"
    assert {m["type"] for m in said[1:]} == {"delta"}
    book, last_u, last_seq = {"b": {}, "a": {}}, None, 0
    for message in said:
        data = message["data"]
        assert set(message) == {"topic", "type", "ts", "data", "cts"}
        assert set(data) == {"s", "b", "a", "u", "seq"}
        assert isinstance(message["ts"], int)
        assert message["cts"] <= message["ts"]
        assert data["u"] == (data["u"] if last_u is None else last_u + 1)
        assert data["seq"] > last_seq
        last_u, last_seq = data["u"], data["seq"]
        for side in "ba":
            for price, size in data[side]:
                assert DECIMAL.fullmatch(price)
                assert DECIMAL.fullmatch(size)
                if float(size) == 0:
                    assert size == "0"
                    del book[side][price]
                else:
                    book[side][price] = size
            assert len(book[side]) == 50
        assert max(map(float, book["b"])) < min(map(float, book["a"]))


@pytest.mark.parametrize("category", ["spot", "linear"])
def test_top_of_book_is_a_snapshot_that_counts_its_changes(floor, category):
    said = stream(floor, category, "ADAUSDT", ["orderbook.1"])
    assert len(said) >= 100  # ten a second
    for before, after in pairwise(said):
        changed = (before["data"]["b"], before["data"]["a"]) != (
            after["data"]["b"],
            after["data"]["a"],
        )
        assert after["type"] == "snapshot"
        assert after["data"]["u"] - before["data"]["u"] == int(changed)
        ((bid, _),), ((ask, _),) = after["data"]["b"], after["data"]["a"]
        assert 0 < float(bid) < float(ask)


def test_unchanged_top_is_repeated_after_three_seconds_with_the_same_u(floor):
    leg = leg_of("linear", "ADAUSDT")
    topic = parse_topic("orderbook.1.ADAUSDT", "linear", floor)
    (first,) = BYBIT.greet("bybit.linear", topic, leg, {}, EPOCH_MS)
    leg._move = lambda now_ms: None  # a market that stands still
    said = []
    for at in range(1, 75):
        news = leg.pulse(EPOCH_MS + 100 * at, slow=False)
        said += BYBIT.say("bybit.linear", topic, leg, {}, news)
    assert [json.loads(m)["ts"] - EPOCH_MS for m in said] == [3000, 6000]
    assert {json.loads(m)["data"]["u"] for m in said} == {json.loads(first)["data"]["u"]}


def test_a_flood_has_its_own_u_each(floor):
    said = stream(floor, "spot", "ADAUSDT", ["orderbook.1"], pulses=10, quotes=200)
    ids = [m["data"]["u"] for m in said]
    assert len(ids) >= 1900
    assert ids == sorted(set(ids))
    assert all(float(m["data"]["b"][0][0]) < float(m["data"]["a"][0][0]) for m in said)


def test_spot_ticker_has_no_bid_and_no_ask(floor):
    said = stream(floor, "spot", "BTCUSDT", ["tickers", "publicTrade"])
    tickers = [m for m in said if m["topic"] == "tickers.BTCUSDT"]
    assert len(tickers) > 5
    for message in tickers:
        assert message["type"] == "snapshot"
        assert sorted(message["data"]) == sorted(SPOT_TICKER.split())
        assert all(isinstance(text, str) for text in message["data"].values())


def test_linear_ticker_deltas_merge_to_the_full_state(floor):
    said = stream(floor, "linear", "ADAUSDT", ["tickers"], pulses=1300)
    first, deltas = said[0]["data"], said[1:]
    assert said[0]["type"] == "snapshot"
    assert {m["type"] for m in deltas} == {"delta"}
    assert all(isinstance(text, str) for m in said for text in m["data"].values())
    for name in ("markPrice", "indexPrice", "fundingRate", "nextFundingTime", "bid1Price"):
        assert first[name]
    assert first["fundingIntervalHour"] == "8"
    assert first["nextFundingTime"] == "1790006400000"
    assert first["fundingCap"] == "0.0058"
    merged = dict(first)
    for message in deltas:
        assert set(message) == {"topic", "type", "data", "cs", "ts"}
        changed = {k: v for k, v in message["data"].items() if k != "symbol"}
        assert changed
        assert all(merged[name] != text for name, text in changed.items())
        merged.update(changed)
    assert float(merged["bid1Price"]) < float(merged["ask1Price"])
    assert not any("fundingIntervalHour" in m["data"] for m in deltas)


@pytest.mark.parametrize("category", ["spot", "linear"])
def test_trades_are_in_order_and_on_the_tick(floor, category):
    said = stream(floor, category, "BTCUSDT", ["publicTrade"], pulses=200)
    rows = [row for m in said for row in m["data"]]
    assert len(rows) > 30
    times = [row["T"] for row in rows]
    assert times == sorted(times)
    assert len({row["i"] for row in rows}) == len(rows)
    for row in rows:
        assert row["S"] in ("Buy", "Sell")
        assert ("L" in row) == (category == "linear")
        assert float(row["v"]) > 0
        assert abs(float(row["p"]) * 10 - round(float(row["p"]) * 10)) < 1e-6


@pytest.mark.parametrize("coin", CALIBRATED, ids=lambda coin: coin.name)
def test_numbers_are_exact(coin):
    for category in ("spot", "linear"):
        leg = leg_of(category, f"{coin.name}USDT")
        numbers = Numbers(leg)
        ticks = round(coin.price / float(leg.spec.tick))
        assert float(numbers.tick(ticks)) == coin.price
        assert numbers.lots(0) == "0"
        if category == "linear":
            assert len(numbers.tick(ticks).partition(".")[2]) == leg.spec.tick_decimals


def test_recorded_number_styles():
    spot, linear = Numbers(leg_of("spot", "BTCUSDT")), Numbers(leg_of("linear", "BTCUSDT"))
    assert linear.tick(651142) == "65114.20"
    assert spot.tick(651400) == "65140"
    assert linear.lots(6054) == "6.054"
    assert spot.lots(4620) == "0.00462"
    assert trimmed("100") == "100"
    assert rate_text(0.0001) == "0.0001"
    assert rate_text(-0.00003412) == "-0.00003412"
    assert rate_text(-1e-12) == "0"


def test_control_answers():
    ask = Request(op="subscribe", req_id="bd-1")
    assert json.loads(answer(True, "subscribe", "c", ask)) == {
        "success": True, "ret_msg": "subscribe", "conn_id": "c", "req_id": "bd-1",
        "op": "subscribe",
    }  # fmt: skip
    assert json.loads(pong("c", Request(op="ping", req_id="7"))) == {
        "success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "7", "op": "ping",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "orderbook.30.ADAUSDT",
        "orderbook.1.adausdt",
        "orderbook.ADAUSDT",
        "tickers.",
        "kline.1.X",
        "",
    ],
)
def test_bad_topics_have_no_handler(floor, text):
    assert parse_topic(text, "linear", floor) is None
    ask = Request(op="subscribe", args=["tickers.ADAUSDT", text])
    topics = [parse_topic(t, "linear", floor) for t in ask.args]
    assert refusal(ask, "linear", topics, ()) == f"error:handler not found,topic:{text}"


def test_duplicates_and_too_many_arguments(floor):
    ask = Request(op="subscribe", args=["tickers.ADAUSDT"])
    topics = [parse_topic(t, "spot", floor) for t in ask.args]
    said = refusal(ask, "spot", topics, ["tickers.ADAUSDT"])
    assert said == "error:already subscribed,topic:tickers.ADAUSDT"
    many = Request(op="subscribe", args=["tickers.ADAUSDT"] * 11)
    topics = [parse_topic(t, "spot", floor) for t in many.args]
    assert "args size" in refusal(many, "spot", topics, ())
    assert refusal(many, "linear", topics, ()) == ""
    long = Request(op="subscribe", args=["tickers.ADAUSDT"] * 1500)
    topics = [parse_topic(t, "linear", floor) for t in long.args]
    assert "args length" in refusal(long, "linear", topics, ())


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"op":1}', b"\xff\xfe", '{"args":"x"}'])
def test_what_is_not_a_request(payload):
    assert read_request(payload) is None
