"""Messages read back by the standard library's JSON reader: shapes, types, chains."""

import json
import re
from itertools import pairwise

import pytest

from basisdesk.demo.coins import BY_SYMBOL, COINS
from basisdesk.demo.dialects import (
    Numbers,
    Request,
    answer,
    parse_topic,
    pong,
    rate_text,
    read_request,
    refusal,
    trimmed,
)
from basisdesk.demo.legs import LegFeed
from basisdesk.demo.market import Market

EPOCH_MS = 1_790_000_000_000
DECIMAL = re.compile(r"\d+(\.\d+)?")
SPOT_TICKER = (
    "symbol lastPrice highPrice24h lowPrice24h prevPrice24h volume24h turnover24h price24hPcnt "
    "usdIndexPrice"
)


@pytest.fixture(scope="module")
def market():
    return Market(7, "mixed", EPOCH_MS)


def stream(category, symbol, kinds, pulses=120, step_ms=100, quotes=1):
    """(greetings, then the messages of each pulse) as parsed JSON, in order."""
    market = Market(7, "mixed", EPOCH_MS)
    leg = LegFeed(BY_SYMBOL[symbol], category, market, EPOCH_MS)
    topics = {f"{k}.{symbol}": parse_topic(f"{k}.{symbol}", category) for k in kinds}
    said = [json.loads(m) for t in topics.values() for m in leg.greeting(t, EPOCH_MS)]
    for at in range(1, pulses + 1):
        now_ms = EPOCH_MS + at * step_ms
        market.advance(now_ms)
        for messages in leg.pulse(topics, now_ms, slow=True, quotes=quotes).values():
            said += [json.loads(m) for m in messages]
    return said


@pytest.mark.parametrize("category", ["spot", "linear"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ADAUSDT"])
def test_book_chain(category, symbol):
    said = stream(category, symbol, ["orderbook.50"])
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
def test_top_of_book_is_a_snapshot_that_counts_its_changes(category):
    said = stream(category, "ADAUSDT", ["orderbook.1"])
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


def test_unchanged_top_is_repeated_after_three_seconds_with_the_same_u(market):
    leg = LegFeed(BY_SYMBOL["ADAUSDT"], "linear", market, EPOCH_MS)
    topic = parse_topic("orderbook.1.ADAUSDT", "linear")
    (first,) = leg.greeting(topic, EPOCH_MS)
    leg.move = lambda now_ms: None  # a market that stands still
    said = []
    for at in range(1, 75):
        said += leg.pulse({topic.text: topic}, EPOCH_MS + 100 * at, slow=False).get(topic.text, [])
    assert [json.loads(m)["ts"] - EPOCH_MS for m in said] == [3000, 6000]
    assert {json.loads(m)["data"]["u"] for m in said} == {json.loads(first)["data"]["u"]}


def test_a_flood_has_its_own_u_each():
    said = stream("spot", "ADAUSDT", ["orderbook.1"], pulses=10, quotes=200)
    ids = [m["data"]["u"] for m in said]
    assert len(ids) >= 1900
    assert ids == sorted(set(ids))
    assert all(float(m["data"]["b"][0][0]) < float(m["data"]["a"][0][0]) for m in said)


def test_spot_ticker_has_no_bid_and_no_ask():
    said = stream("spot", "BTCUSDT", ["tickers", "publicTrade"])
    tickers = [m for m in said if m["topic"] == "tickers.BTCUSDT"]
    assert len(tickers) > 5
    for message in tickers:
        assert message["type"] == "snapshot"
        assert sorted(message["data"]) == sorted(SPOT_TICKER.split())
        assert all(isinstance(text, str) for text in message["data"].values())


def test_linear_ticker_deltas_merge_to_the_full_state():
    said = stream("linear", "ADAUSDT", ["tickers"], pulses=1300)
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
def test_trades_are_in_order_and_on_the_tick(category):
    said = stream(category, "BTCUSDT", ["publicTrade"], pulses=200)
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


@pytest.mark.parametrize("coin", COINS, ids=lambda coin: coin.name)
def test_numbers_are_exact(coin):
    spot, linear = Numbers(coin, "spot"), Numbers(coin, "linear")
    ticks = round(coin.price * 10**coin.tick_decimals)
    assert float(spot.tick(ticks)) == float(linear.tick(ticks)) == coin.price
    assert spot.lots(0) == linear.lots(0) == "0"
    assert len(linear.tick(ticks).partition(".")[2]) == coin.price_decimals


def test_recorded_number_styles():
    btc = BY_SYMBOL["BTCUSDT"]
    assert Numbers(btc, "linear").tick(651142) == "65114.20"
    assert Numbers(btc, "spot").tick(651400) == "65140"
    assert Numbers(btc, "linear").lots(6054) == "6.054"
    assert Numbers(btc, "spot").lots(4620) == "0.00462"
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
def test_bad_topics_have_no_handler(text):
    assert parse_topic(text, "linear") is None
    ask = Request(op="subscribe", args=["tickers.ADAUSDT", text])
    topics = [parse_topic(t, "linear") for t in ask.args]
    assert refusal(ask, "linear", topics, ()) == f"error:handler not found,topic:{text}"


def test_duplicates_and_too_many_arguments():
    ask = Request(op="subscribe", args=["tickers.ADAUSDT"])
    topics = [parse_topic(t, "spot") for t in ask.args]
    said = refusal(ask, "spot", topics, ["tickers.ADAUSDT"])
    assert said == "error:already subscribed,topic:tickers.ADAUSDT"
    many = Request(op="subscribe", args=["tickers.ADAUSDT"] * 11)
    topics = [parse_topic(t, "spot") for t in many.args]
    assert "args size" in refusal(many, "spot", topics, ())
    assert refusal(many, "linear", topics, ()) == ""
    long = Request(op="subscribe", args=["tickers.ADAUSDT"] * 1500)
    topics = [parse_topic(t, "linear") for t in long.args]
    assert "args length" in refusal(long, "linear", topics, ())


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"op":1}', b"\xff\xfe", '{"args":"x"}'])
def test_what_is_not_a_request(payload):
    assert read_request(payload) is None
