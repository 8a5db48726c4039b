"""Every fault on real sockets: it comes, it does what its sentence says, it ends."""

import asyncio
import json
import random
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from basisdesk.demo.faults import fault_kinds
from tests.demo.demo_rig import (
    about,
    ask,
    clear,
    drained,
    get,
    hear,
    is_answer,
    on,
    order,
    over_sockets,
    refused,
    wire,
)

pytestmark = pytest.mark.loopback

SPOT, LINEAR = "/v5/public/spot", "/v5/public/linear"
OKX, FUTURES, PUBLIC = "/ws/v5/public", "/ws/v1", "/public/stream"


def test_every_kind_has_a_test():
    here = Path(__file__)
    text = "".join(path.read_text() for path in here.parent.glob("test_demo_*.py"))
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


def test_eighty_faults_at_random_leave_nothing_behind():
    """Whatever came over it, the exchange lives, and everything that was changed is as before."""
    chance = random.Random(5)

    async def work(exchange):
        usual = (await get(exchange, "/v5/market/instruments-info?category=linear")).json()
        async with wire(exchange, OKX, max_size=None) as okx:
            wish = [{"channel": name, "instId": "ADA-USDT-SWAP"} for name in ("books", "trades")]
            await okx.send(json.dumps({"op": "subscribe", "args": wish}))
            for _ in range(80):
                kind = chance.choice(fault_kinds())
                conn = chance.choice(("okx", "*") if kind.on == ("*",) else kind.on)
                value = {"burst": 100, "jump": 1e-3}.get(kind.name)
                order(exchange, kind.name, conn, for_s=chance.choice((0, 0.05)), value=value)
                await asyncio.sleep(0.01)
        clear(exchange)
        async with wire(exchange, LINEAR) as ws:
            await ask(ws, "orderbook.50.ADAUSDT")
            assert (await hear(ws))["type"] == "snapshot"
        now = (await get(exchange, "/v5/market/instruments-info?category=linear")).json()
        return usual["result"], now["result"], exchange.trading.delisted, exchange.faults.on

    usual, now, delisted, on_now = over_sockets(work)
    assert now == usual
    assert (delisted, on_now) == (set(), [])
