"""Every fault on real sockets: it comes, it does what its sentence says, it ends."""

import asyncio
import itertools
import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from basisdesk.demo.faults import fault_kinds
from basisdesk.demo.funding import HOUR_MS
from basisdesk.demo.tamper import HUGE_BYTES
from tests.demo.demo_rig import EPOCH_MS, ask, hear, order, over_sockets, wire

pytestmark = pytest.mark.loopback

SPOT, LINEAR = "/v5/public/spot", "/v5/public/linear"
OKX, FUTURES, PUBLIC = "/ws/v5/public", "/ws/v1", "/public/stream"


def is_answer(message):
    return "success" in message


def about(topic):
    return lambda message: message.get("topic") == topic


def clear(exchange):
    exchange.command(b'{"clear": true}')


async def on(exchange, kind):
    """Wait until the beat has seen the fault (or its end)."""
    while not any(fault.kind == kind for fault in exchange.faults.on):  # noqa: ASYNC110 - a beat
        await asyncio.sleep(0.005)


async def drained(ws):
    """Read on until the end, which raises."""
    while True:
        await ws.recv()


async def get(exchange, path):
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{exchange.port}{path}")


async def refused(exchange, path):
    """The HTTP answer to somebody who wants a socket; None if it was given."""
    try:
        async with wire(exchange, path):
            return None
    except InvalidStatus as exc:
        return exc.response


def test_every_kind_has_a_test_here_or_among_the_truths():
    with open(__file__) as here, open(__file__.replace("drills", "truth")) as there:
        text = here.read() + there.read()
    assert [kind.name for kind in fault_kinds() if f'"{kind.name}"' not in text] == []


# The connection


def test_refusals_by_status_for_sockets_and_pages():
    async def work(exchange):
        order(exchange, "refuse", "bybit.linear")
        await on(exchange, "refuse")
        assert (await refused(exchange, LINEAR)).status_code == 503
        assert await refused(exchange, SPOT) is None
        order(exchange, "http_status", "okx", value=429, for_s=30)
        await on(exchange, "http_status")
        for answer in (await refused(exchange, OKX), await get(exchange, "/api/v5/public/time")):
            assert answer.status_code == 429
            assert 25 <= int(answer.headers["Retry-After"]) <= 30
        clear(exchange)
        for status in (403, 418, 451, 500, 999):
            order(exchange, "http_status", "binance.rest", value=status)
            await on(exchange, "http_status")
            got = await get(exchange, "/api/v3/time")
            assert got.status_code == (500 if status == 999 else status)
            clear(exchange)
        order(exchange, "http_status", "bybit.spot", value=302)
        await on(exchange, "http_status")
        assert (await get(exchange, SPOT)).headers["Location"].startswith("wss://elsewhere.inv")
        clear(exchange)
        assert await refused(exchange, SPOT) is None
        assert (await get(exchange, "/api/v3/time")).status_code == 200

    over_sockets(work)


@pytest.mark.parametrize("kind", ["disconnect", "storm"])
def test_cuts_on_one_venue_and_on_all(kind):
    async def work(exchange):
        async with wire(exchange, LINEAR) as bybit, wire(exchange, OKX) as okx:
            await ask(bybit, "orderbook.1.ADAUSDT")
            await hear(bybit)
            order(exchange, kind, "bybit" if kind == "disconnect" else "*")
            with pytest.raises(ConnectionClosed):
                await hear(bybit, lambda message: False)
            if kind == "storm":
                with pytest.raises(ConnectionClosed):
                    await okx.recv()
            else:
                await okx.send("ping")
                assert await okx.recv() == "pong"
            again = await refused(exchange, LINEAR)
            return again and again.status_code

    assert over_sockets(work) == (503 if kind == "disconnect" else None)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("close", None, 1012),
        ("close", 1008, 1008),
        ("close_early", None, 1013),
        ("reset", None, 1006),
    ],
)
def test_how_sockets_end(kind, value, code):
    async def work(exchange):
        if kind == "close_early":
            order(exchange, kind, "kraken.futures")
            await on(exchange, kind)
        async with wire(exchange, FUTURES) as ws:
            if kind != "close_early":
                await ws.ping()
                order(exchange, kind, "kraken.futures", value=value, for_s=0)
            with pytest.raises(ConnectionClosed) as ended:
                await drained(ws)
        return ended.value.rcvd.code if ended.value.rcvd else 1006

    assert over_sockets(work) == code


def test_silence_answers_mute_does_not_half_open_does_not_even_pong():
    async def work(exchange):
        async with wire(exchange, SPOT) as ws:
            await ask(ws, "orderbook.1.ADAUSDT")
            await hear(ws)
            for kind in ("silence", "mute", "half_open"):
                order(exchange, kind, "bybit.spot")
                await on(exchange, kind)
                await ask(ws, op="ping", req_id=kind)
                if kind == "silence":
                    assert (await hear(ws, is_answer))["req_id"] == kind
                pong = await ws.ping()
                if kind == "half_open":
                    await asyncio.sleep(0.3)
                    assert not pong.done()
                else:
                    await pong
                clear(exchange)
                if kind == "half_open":
                    await pong
                    assert (await hear(ws, is_answer))["req_id"] == kind, "read at last"
                await hear(ws, about("orderbook.1.ADAUSDT"))

    over_sockets(work)


def test_pages_wait_while_the_venue_is_half_open():
    async def work(exchange):
        order(exchange, "half_open", "okx")
        await on(exchange, "half_open")
        getting = asyncio.create_task(get(exchange, "/api/v5/public/time"))
        await asyncio.sleep(0.3)
        assert not getting.done()
        clear(exchange)
        return (await getting).status_code

    assert over_sockets(work) == 200


@pytest.mark.parametrize(
    ("path", "word"), [(PUBLIC, b"serverShutdown"), (OKX, b"64008"), (LINEAR, None)]
)
def test_the_cut_at_24_hours_is_announced_where_the_venue_does(path, word):
    async def work(exchange):
        async with wire(exchange, path) as ws:
            await ws.ping()
            order(exchange, "day_cut", for_s=0.3)
            if word is not None:
                assert word in await ws.recv(decode=False)
            assert await refused(exchange, path) is None, "a second socket is welcome"
            with pytest.raises(ConnectionClosed) as ended:
                await drained(ws)
            return ended.value.rcvd.code

    assert over_sockets(work) == 1001


def test_slow_data_arrives_two_seconds_late():
    async def work(exchange):
        order(exchange, "slow", "spot")
        await on(exchange, "slow")
        async with wire(exchange, SPOT) as ws:
            await ask(ws, "orderbook.1.ADAUSDT")
            await hear(ws)  # the greeting comes at once
            late = await hear(ws)
            return exchange.now_ms() - late["ts"]

    assert over_sockets(work) >= 1_900


# The data


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


def test_a_schedule_from_a_file(tmp_path):
    """From the start: spot silent (pong comes), linear mute (nothing comes) until it is cut."""
    path = tmp_path / "faults.json"
    path.write_text(
        json.dumps(
            [
                {"at_s": 0, "kind": "silence", "conn": "spot", "for_s": 99},
                {"at_s": 0, "kind": "mute", "conn": "linear", "for_s": 99},
                {"at_s": 0.8, "kind": "disconnect", "conn": "linear", "for_s": 99},
            ]
        )
    )

    async def work(exchange):
        async with wire(exchange, SPOT) as spot, wire(exchange, LINEAR) as linear:
            for ws in (spot, linear):
                await ask(ws, "orderbook.1.ADAUSDT")
                await ask(ws, op="ping")
            with pytest.raises(ConnectionClosed):
                await linear.recv()  # the first thing that comes is the end
            await ask(spot, op="ping", req_id="last")
            heard = [json.loads(await spot.recv()) for _ in range(3)]
        assert (await refused(exchange, LINEAR)).status_code == 503
        return heard

    heard = over_sockets(work, faults=path)
    assert [m["ret_msg"] for m in heard] == ["subscribe", "pong", "pong"]
