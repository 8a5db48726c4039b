"""Faults of the data on real sockets: spoilt messages, wrong clocks, changed instruments."""

import asyncio
import itertools
import json

import pytest

from basisdesk.demo.funding import HOUR_MS
from basisdesk.demo.tamper import HUGE_BYTES
from tests.demo.demo_rig import (
    EPOCH_MS,
    about,
    ask,
    clear,
    get,
    hear,
    is_answer,
    on,
    order,
    over_sockets,
    wire,
)

pytestmark = pytest.mark.loopback

SPOT, LINEAR = "/v5/public/spot", "/v5/public/linear"
OKX, FUTURES, PUBLIC = "/ws/v5/public", "/ws/v1", "/public/stream"


def test_one_leg_or_one_topic_is_silent():
    topics = ("orderbook.1.ADAUSDT", "orderbook.50.BTCUSDT", "orderbook.1.BTCUSDT")

    async def work(exchange):
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, *topics)
            for topic in topics:
                await hear(ws, about(topic))
            order(exchange, "outage", "bybit.linear", symbol="ADA")
            order(exchange, "mute_topic", "bybit.linear", value="orderbook.50")
            await on(exchange, "mute_topic")
            heard = [(await hear(ws))["topic"] for _ in range(50)]
            clear(exchange)
            await hear(ws, about(topics[0]))
            await hear(ws, about(topics[1]))
            return heard[10:]

    assert set(over_sockets(work, rate=5.0)) == {topics[2]}


def test_ten_thousand_frames_at_once():
    async def work(exchange):
        async with wire(exchange, SPOT) as ws:
            await ask(ws, "orderbook.1.ADAUSDT", "orderbook.1.BTCUSDT")
            await hear(ws)
            before = exchange.sent
            order(exchange, "burst", "bybit.spot", for_s=0)
            ids = {}
            while sum(map(len, ids.values())) < 10_000:
                message = await hear(ws)
                ids.setdefault(message["topic"], []).append(message["data"]["u"])
            assert exchange.sent - before < 10_400
            return ids

    for ids in over_sockets(work).values():
        assert ids == sorted(ids)
        assert len(set(ids)) > 4_900


@pytest.mark.parametrize("kind", ["duplicate", "swap", "gap"])
def test_spoilt_chains(kind):
    async def work(exchange):
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, "orderbook.50.ADAUSDT")
            await hear(ws)
            order(exchange, kind, "bybit.linear")
            return [(await hear(ws))["data"]["u"] for _ in range(16)]

    ids = over_sockets(work)
    steps = [b - a for a, b in itertools.pairwise(ids)]
    if kind == "duplicate":
        assert {0, 1} == set(steps)
        assert steps.count(0) >= 6
    elif kind == "swap":
        assert -1 in steps
        assert sorted(ids) == list(range(min(ids), max(ids) + 1))
    else:
        assert 2 in steps
        assert set(steps) <= {1, 2}


@pytest.mark.parametrize("kind", ["bad_numbers", "wrong_types", "malformed", "garbage"])
@pytest.mark.parametrize(
    ("path", "wish"),
    [
        (SPOT, '{"op":"subscribe","args":["orderbook.1.ADAUSDT"]}'),
        (PUBLIC, '{"method":"SUBSCRIBE","params":["adausdt@bookTicker"],"id":1}'),
        (OKX, '{"op":"subscribe","args":[{"channel":"bbo-tbt","instId":"ADA-USDT"}]}'),
        (FUTURES, '{"event":"subscribe","feed":"book","product_ids":["PF_ADAUSD"]}'),
    ],
)
def test_spoilt_messages_come_between_good_ones(kind, path, wish):
    """Of 60 messages some differ in shape from what the venue sends, and most do not."""

    async def work(exchange):
        async with wire(exchange, path) as ws:
            await ws.send(wish)
            clean = {shape(await ws.recv(decode=False)) for _ in range(12)}
            order(exchange, kind)
            await on(exchange, kind)
            return clean, [shape(await ws.recv(decode=False)) for _ in range(60)]

    clean, seen = over_sockets(work, rate=10.0)
    good = sum(one in clean for one in seen)
    assert 20 <= good < 60


def shape(message):
    """Types of the parts of a message; texts of numbers are numbers in range, or named."""
    try:
        return str(_kinds(json.loads(message)))
    except (ValueError, RecursionError):
        return "broken"


def _kinds(value):
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({str(_kinds(item)) for item in value})
    if isinstance(value, str):
        try:
            value = float(value) if value.strip("0123456789.") == "" else value
        except ValueError:
            return value
    if isinstance(value, float):
        return "number" if 0 <= value < 1e15 else "absurd"
    return type(value).__name__


def test_topics_nobody_asked_for():
    async def work(exchange):
        async with wire(exchange, SPOT) as ws:
            await ask(ws, "orderbook.1.ADAUSDT")
            await hear(ws)
            order(exchange, "unknown_topic", "bybit.spot")
            return await hear(ws, lambda m: "NOPE" in m.get("topic", ""))

    assert over_sockets(work)["data"]["s"] == "NOPESDT"


def test_a_huge_message():
    async def work(exchange):
        async with wire(exchange, OKX, max_size=None) as ws:
            await ws.ping()
            order(exchange, "huge", "okx", for_s=0)
            return len(await ws.recv())

    assert over_sockets(work) > HUGE_BYTES > 4 << 20


def test_a_clock_that_is_off():
    async def work(exchange):
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, "orderbook.1.ADAUSDT")
            await hear(ws)
            seen = []
            for value in (1, -1, "s"):
                order(exchange, "clock_skew", "bybit", value=value)
                await on(exchange, "clock_skew")
                await hear(ws)
                stamp = (await hear(ws))["ts"]
                page = (await get(exchange, "/v5/market/time")).json()["time"]
                seen.append((stamp, page))
                clear(exchange)
            return seen

    (ahead, behind, seconds) = over_sockets(work)
    for (stamp, page), hours in ((ahead, 1), (behind, -1)):
        assert stamp - EPOCH_MS == pytest.approx(hours * HOUR_MS, abs=30_000)
        assert page - EPOCH_MS == pytest.approx(hours * HOUR_MS, abs=30_000)
    assert all(value == pytest.approx(EPOCH_MS / 1000, abs=30) for value in seconds)


def test_an_interval_becomes_an_hour_and_eight_again():
    path = "/v5/market/tickers?category=linear&symbol=ADAUSDT"
    rules = "/v5/market/instruments-info?category=linear&symbol=ADAUSDT"

    async def look(exchange):
        row = (await get(exchange, path)).json()["result"]["list"][0]
        rule = (await get(exchange, rules)).json()["result"]["list"][0]
        return row["fundingIntervalHour"], int(row["nextFundingTime"]), rule["fundingInterval"]

    async def work(exchange):
        usual = await look(exchange)
        order(exchange, "interval", "bybit.linear", symbol="ADAUSDT")
        await on(exchange, "interval")
        await asyncio.sleep(0.15)
        changed = await look(exchange)
        clear(exchange)
        return usual, changed, await look(exchange)

    usual, changed, after = over_sockets(work)
    assert usual == ("8", 1_790_006_400_000, 480)
    assert changed == ("1", (EPOCH_MS // HOUR_MS + 1) * HOUR_MS, 60)
    assert after[0] == "8"


def test_an_instrument_vanishes():
    async def work(exchange):
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, "orderbook.1.ADAUSDT", "orderbook.1.BTCUSDT")
            await hear(ws, about("orderbook.1.BTCUSDT"))
            order(exchange, "delist", "bybit.linear", symbol="ADAUSDT")
            await on(exchange, "delist")
            heard = [(await hear(ws))["topic"] for _ in range(12)][3:]
            listed = (await get(exchange, "/v5/market/instruments-info?category=linear")).text
            await ask(ws, "orderbook.50.ADAUSDT")
            answer = await hear(ws, is_answer)
            clear(exchange)
            await hear(ws, about("orderbook.1.ADAUSDT"))
            return set(heard), '"ADAUSDT"' in listed, answer["success"]

    assert over_sockets(work) == ({"orderbook.1.BTCUSDT"}, False, False)


def test_a_tick_becomes_ten_times_as_large():
    rules = "/v5/market/instruments-info?category=linear&symbol=ADAUSDT"

    async def work(exchange):
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, "orderbook.50.ADAUSDT")
            await hear(ws)
            order(exchange, "tick", "bybit.linear", symbol="ADAUSDT")
            fresh = await hear(ws, lambda m: m.get("type") == "snapshot" and "data" in m)
            rule = (await get(exchange, rules)).json()["result"]["list"][0]
            clear(exchange)
            back = await hear(ws, lambda m: m.get("type") == "snapshot" and "data" in m)
            return fresh["data"], rule["priceFilter"]["tickSize"], back["data"]

    fresh, tick, back = over_sockets(work)
    assert tick == "0.001"
    assert len(fresh["b"]) == 50
    assert all(len(price) == 5 for price, _ in fresh["b"] + fresh["a"])
    assert all(len(price) == 6 for price, _ in back["b"])


def test_resnapshot_of_a_restarted_bybit_has_id_1():
    async def work(exchange):
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, "orderbook.50.ADAUSDT")
            await hear(ws)
            order(exchange, "resnapshot", "bybit", for_s=0)
            fresh = await hear(ws, lambda m: m.get("type") == "snapshot")
            return fresh["data"]["u"], (await hear(ws))["data"]["u"]

    assert over_sockets(work) == (1, 2)
