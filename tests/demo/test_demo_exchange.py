"""The server over real sockets of this machine, and the process around it."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from itertools import pairwise

import httpx
import pytest

from basisdesk.demo import clients, server
from basisdesk.demo.exchange import DemoOptions, serve
from basisdesk.errors import UserError
from tests.demo.demo_rig import EPOCH_MS, ask, hear, over_sockets, wire

pytestmark = pytest.mark.loopback


def is_answer(message):
    return "success" in message


def test_control_on_both_connections():
    async def work(exchange):
        said = {}
        for conn in ("spot", "linear"):
            async with wire(exchange, f"/v5/public/{conn}") as ws:
                await ask(ws, "orderbook.1.ADAUSDT", req_id="one")
                rows = [await hear(ws, is_answer)]
                for op, args in (
                    ("ping", []),
                    ("subscribe", ["orderbook.1.ADAUSDT"]),
                    ("subscribe", ["tickers.ADAUSDT", "orderbook.30.ADAUSDT"]),
                    ("unsubscribe", ["orderbook.1.ADAUSDT"]),
                    ("shout", []),
                    ("subscribe", ["orderbook.1.ADAUSDT"]),
                    ("subscribe", [f"tickers.ADAUSDT{k}" for k in range(11)]),
                ):
                    await ask(ws, *args, op=op)
                    rows.append(await hear(ws, is_answer))
                await ws.send("rubbish")
                rows.append(await hear(ws, is_answer))
                said[conn] = [(row["success"], row["ret_msg"]) for row in rows]
                assert rows[0]["req_id"] == "one"
                assert rows[0]["conn_id"]
                assert rows[1]["op"] == "ping"
        return said

    said = over_sockets(work)
    assert said["spot"][0] == (True, "subscribe")
    assert said["linear"][0] == (True, "")
    for conn in ("spot", "linear"):
        assert said[conn][1:3] == [
            (True, "pong"),
            (False, "error:already subscribed,topic:orderbook.1.ADAUSDT"),
        ]
        assert said[conn][3] == (False, "error:handler not found,topic:orderbook.30.ADAUSDT")
        assert [ok for ok, _ in said[conn][4:7]] == [True, False, True]
        assert said[conn][5][1] == "error:invalid op"
        assert said[conn][8][1].startswith("Failed to decode incoming data")
    assert said["spot"][7] == (False, "args size >10")
    assert said["linear"][7] == (False, "error:handler not found,topic:tickers.ADAUSDT0")


def test_two_clients_hear_one_chain_and_a_late_one_joins_it():
    async def work(exchange):
        async with wire(exchange, "/v5/public/linear") as first:
            await ask(first, "orderbook.50.BTCUSDT")
            early = [await hear(first) for _ in range(5)]
            async with wire(exchange, "/v5/public/linear") as second:
                await ask(second, "orderbook.50.BTCUSDT")
                late = [await hear(second) for _ in range(4)]
            while early[-1]["data"]["u"] < late[-1]["data"]["u"]:
                early.append(await hear(first))
            return early, late

    early, late = over_sockets(work)
    for chain in (early, late):
        assert chain[0]["type"] == "snapshot"
        ids = [m["data"]["u"] for m in chain]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    said = {m["data"]["u"]: m for m in early if m["type"] == "delta"}
    shared = [m for m in late[1:] if m["data"]["u"] in said]
    assert shared
    assert all(said[m["data"]["u"]] == m for m in shared)


def test_rest_and_speed():
    """At speed 600 a second of waiting is ten minutes of market."""

    async def work(exchange):
        base = f"http://127.0.0.1:{exchange.port}/v5/market"
        async with httpx.AsyncClient(trust_env=False) as http:
            first = (await http.get(f"{base}/time")).json()
            while True:
                last = (await http.get(f"{base}/time")).json()
                if last["time"] - first["time"] > 120_000:
                    break
                await asyncio.sleep(0.02)
            candles = (
                await http.get(f"{base}/kline?category=spot&symbol=ADAUSDT&interval=1&limit=1")
            ).json()
            missing = await http.get(f"http://127.0.0.1:{exchange.port}/favicon.ico")
            plain = await http.get(f"http://127.0.0.1:{exchange.port}/v5/public/spot")
        return first, last, candles, missing.status_code, plain.status_code

    first, last, candles, missing, plain = over_sockets(work, speed=600.0)
    assert 0 <= first["time"] - EPOCH_MS < 60_000 * 60
    assert int(candles["result"]["list"][0][0]) >= last["time"] // 60_000 * 60_000
    assert (missing, plain) == (404, 426)


def test_stamps_are_simulated_time():
    async def work(exchange):
        async with wire(exchange, "/v5/public/spot") as ws:
            await ask(ws, "orderbook.1.ADAUSDT")
            return [await hear(ws) for _ in range(6)]

    said = over_sockets(work, speed=60.0)
    steps = [b["ts"] - a["ts"] for a, b in pairwise(said[1:])]
    assert all(step >= 3_000 for step in steps), "six simulated seconds a pulse"
    assert said[0]["ts"] >= EPOCH_MS


def test_the_scenario_can_silence_the_perp():
    """One-leg outage begins two minutes in: at speed 600 that is 0.2 s."""

    async def work(exchange):
        async with (
            wire(exchange, "/v5/public/spot") as spot,
            wire(exchange, "/v5/public/linear") as linear,
        ):
            heard = {}
            for name, ws in (("spot", spot), ("linear", linear)):
                await ask(ws, "orderbook.1.ADAUSDT")
                stamps = heard[name] = []
                while not stamps or stamps[-1] < EPOCH_MS + 900_000:
                    stamps.append((await hear(ws))["ts"])
        return heard

    heard = over_sockets(work, speed=600.0, scenario="one-leg outage")
    phase = [(ts - EPOCH_MS) % 600_000 for ts in heard["linear"][1:]]
    assert not any(125_000 < ms < 240_000 for ms in phase)
    phase = [(ts - EPOCH_MS) % 600_000 for ts in heard["spot"][1:]]
    assert any(125_000 < ms < 240_000 for ms in phase)


def test_a_client_that_does_not_read_is_dropped(monkeypatch):
    monkeypatch.setattr(clients, "WRITE_BUFFER_MAX", 20_000)

    async def work(exchange):
        reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port, limit=1024)
        writer.write(
            b"GET /v5/public/spot HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        wish = json.dumps({"op": "subscribe", "args": ["orderbook.1.ADAUSDT"]}).encode()
        writer.write(bytes((0x81, 0x80 | len(wish), 0, 0, 0, 0)) + wish)
        await writer.drain()
        async with wire(exchange, "/v5/public/spot") as ws:  # the others go on
            await ask(ws, "orderbook.1.ADAUSDT")
            for _ in range(30_000):
                await hear(ws)
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 16):
                pass  # what was under way comes to its end: the exchange has cut us off
        writer.close()
        return reader.at_eof() or reader.exception() is not None

    is_cut_off = over_sockets(work, rate=2000.0)
    assert is_cut_off


def test_frames_of_every_length_are_read_by_the_library():
    for size in (0, 125, 126, 65_535, 65_536):
        made = clients.frame(b"x" * size)
        assert made[0] == 0x81
        assert made.endswith(b"x" * size)
        assert len(made) - size == (2 if size < 126 else 4 if size < 65_536 else 10)


def test_a_busy_port_is_one_sentence():
    async def work(exchange):
        with pytest.raises(
            UserError, match=rf"Cannot listen on 127\.0\.0\.1:{exchange.port}: .*another"
        ):
            await serve(DemoOptions(port=exchange.port, epoch_ms=EPOCH_MS), lambda _: None)

    over_sockets(work)


@pytest.mark.parametrize(
    "given",
    [{"speed": 0.0}, {"rate": 1e9}, {"seed": -1}, {"symbol": "XYZUSDT"}, {"epoch_ms": 5}],
)
def test_bad_options_are_one_sentence(given):
    with pytest.raises(UserError, match=r"^--[a-z-]+ .*\.$"):
        server.Exchange(DemoOptions(**given))


# The process

START = (
    "import sys; from pathlib import Path; from basisdesk.demo.exchange import *;"
    "sys.exit(main_demo(DemoOptions(seed=3, state=Path(sys.argv[1]))))"
)


@pytest.fixture
def process(tmp_path):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, "-c", START, str(tmp_path / "state.json")]
    with subprocess.Popen(command, **pipes) as child:
        yield child
        child.kill()


def test_process_says_where_and_ends_with_its_parent(process, tmp_path):
    line = json.loads(process.stdout.readline())
    assert set(line) == {"port", "ws", "rest", "epoch_ms", "speed", "tls", "sockets"}
    assert httpx.get(f"{line['rest']}/v5/market/time", trust_env=False).json()["retCode"] == 0
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stderr.read() == b""
    assert json.loads((tmp_path / "state.json").read_text())["now_ms"] > line["epoch_ms"]


@pytest.mark.skipif(sys.platform == "win32", reason="no polite signals there")
def test_process_ends_on_a_signal_without_a_word(process):
    process.stdout.readline()
    process.terminate()
    assert process.wait(10) == 0
    assert process.stderr.read() == b""


def lines_of(stream, into):
    """Read a stream's lines in the background, so that a pipe never fills."""
    thread = threading.Thread(target=lambda: into.extend(stream), daemon=True)
    thread.start()
    return thread


def test_orders_on_standing_input(process):
    """A fault and its end by hand; what is no order is one sentence on standard error."""
    line = json.loads(process.stdout.readline())
    heard = []
    reader = lines_of(process.stderr, heard)

    def status():
        return httpx.get(f"{line['rest']}/v5/market/time", trust_env=False).status_code

    def order(**given):
        process.stdin.write(json.dumps(given).encode() + b"\n")
        process.stdin.flush()

    def until(wanted):
        return any(status() == wanted for _ in range(2000))

    order(fault={"kind": "http_status", "conn": "bybit.rest", "for_s": 60, "value": 418})
    assert until(418)
    order(fault={"kind": "explode"})
    order(clear=True)
    assert until(200)
    process.stdin.close()
    assert process.wait(10) == 0
    reader.join(5)
    assert len(heard) == 1
    assert heard[0].startswith(b"The order cannot be followed: there is no fault 'explode'; known:")
