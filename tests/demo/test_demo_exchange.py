"""The server over real sockets of this machine, and the process around it."""

import asyncio
import contextlib
import json
import subprocess
import sys
from itertools import pairwise

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from basisdesk.demo import server
from basisdesk.demo.exchange import DemoOptions, serve
from basisdesk.errors import UserError

pytestmark = pytest.mark.loopback
EPOCH_MS = 1_790_000_000_000


def over_sockets(work, **given):
    """Run `await work(port)` against a fresh exchange; what it returns."""

    async def main():
        ready = asyncio.get_running_loop().create_future()
        options = DemoOptions(**{"seed": 3, "epoch_ms": EPOCH_MS, **given})
        serving = asyncio.create_task(serve(options, ready.set_result))
        await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        try:
            async with asyncio.timeout(30):
                return await work(ready.result())
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    return asyncio.run(main())


def wire(port, conn):
    return connect(f"ws://127.0.0.1:{port}/v5/public/{conn}", proxy=None)


async def say(ws, op, args=(), req_id="r"):
    await ws.send(json.dumps({"req_id": req_id, "op": op, "args": list(args)}))


async def hear(ws, wanted):
    """The next message for which wanted(message) holds."""
    while True:
        message = json.loads(await ws.recv())
        if wanted(message):
            return message


def is_answer(message):
    return "success" in message


def test_control_on_both_connections():
    async def work(port):
        said = {}
        for conn in ("spot", "linear"):
            async with wire(port, conn) as ws:
                await say(ws, "subscribe", ["orderbook.1.ADAUSDT"], "one")
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
                    await say(ws, op, args)
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
    async def work(port):
        async with wire(port, "linear") as first:
            await say(first, "subscribe", ["orderbook.50.BTCUSDT"])
            early = [await hear(first, lambda m: "data" in m) for _ in range(5)]
            async with wire(port, "linear") as second:
                await say(second, "subscribe", ["orderbook.50.BTCUSDT"])
                late = [await hear(second, lambda m: "data" in m) for _ in range(4)]
            while early[-1]["data"]["u"] < late[-1]["data"]["u"]:
                early.append(await hear(first, lambda m: "data" in m))
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

    async def work(port):
        base = f"http://127.0.0.1:{port}/v5/market"
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
            missing = await http.get(f"http://127.0.0.1:{port}/favicon.ico")
            plain = await http.get(f"http://127.0.0.1:{port}/v5/public/spot")
        return first, last, candles, missing.status_code, plain.status_code

    first, last, candles, missing, plain = over_sockets(work, speed=600.0)
    assert 0 <= first["time"] - EPOCH_MS < 60_000 * 60
    assert int(candles["result"]["list"][0][0]) >= last["time"] // 60_000 * 60_000
    assert (missing, plain) == (404, 426)


def test_stamps_are_simulated_time():
    async def work(port):
        async with wire(port, "spot") as ws:
            await say(ws, "subscribe", ["orderbook.1.ADAUSDT"])
            return [await hear(ws, lambda m: "data" in m) for _ in range(6)]

    said = over_sockets(work, speed=60.0)
    steps = [b["ts"] - a["ts"] for a, b in pairwise(said[1:])]
    assert all(step >= 3_000 for step in steps), "six simulated seconds a pulse"
    assert said[0]["ts"] >= EPOCH_MS


def faults_file(tmp_path, *faults):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(faults))
    return path


def test_silence_mute_and_disconnect(tmp_path):
    """From the start: spot silent (pong comes), linear mute (nothing comes) until it is cut."""
    faults = faults_file(
        tmp_path,
        {"at_s": 0, "kind": "silence", "conn": "spot", "for_s": 99},
        {"at_s": 0, "kind": "mute", "conn": "linear", "for_s": 99},
        {"at_s": 0.8, "kind": "disconnect", "conn": "linear", "for_s": 99},
    )

    async def work(port):
        async with wire(port, "spot") as spot, wire(port, "linear") as linear:
            for ws in (spot, linear):
                await say(ws, "subscribe", ["orderbook.1.ADAUSDT"])
                await say(ws, "ping")
            with pytest.raises(ConnectionClosed):
                await linear.recv()  # the first thing that comes is the end
            await say(spot, "ping", req_id="last")
            heard = [json.loads(await spot.recv()) for _ in range(3)]
        with pytest.raises(InvalidStatus):
            async with wire(port, "linear"):
                pass
        return heard

    heard = over_sockets(work, faults=faults)
    assert [m["ret_msg"] for m in heard] == ["subscribe", "pong", "pong"]


def test_garbage_and_refusal(tmp_path):
    faults = faults_file(
        tmp_path,
        {"at_s": 0, "kind": "garbage", "conn": "spot", "for_s": 99},
        {"at_s": 0, "kind": "refuse", "conn": "linear", "for_s": 99},
    )

    async def work(port):
        with pytest.raises(InvalidStatus) as refused:
            async with wire(port, "linear"):
                pass
        good = bad = 0
        async with wire(port, "spot") as ws:
            await say(ws, "subscribe", ["orderbook.1.ADAUSDT"])
            while good < 5 or bad < 3:
                message = await ws.recv()
                try:
                    good += json.loads(message)["data"]["b"][0][0] not in ("nan", "1e999")
                except (ValueError, TypeError, KeyError):
                    bad += 1
        return refused.value.response.status_code

    assert over_sockets(work, faults=faults) == 503


def test_slow_data_arrives_two_seconds_late(tmp_path):
    faults = faults_file(tmp_path, {"at_s": 0, "kind": "slow", "conn": "spot", "for_s": 99})

    async def work(port):
        async with wire(port, "spot") as ws, httpx.AsyncClient(trust_env=False) as http:
            await say(ws, "subscribe", ["orderbook.1.ADAUSDT"])
            await hear(ws, lambda m: "data" in m)  # the greeting comes at once
            late = await hear(ws, lambda m: "data" in m)
            now = (await http.get(f"http://127.0.0.1:{port}/v5/market/time")).json()["time"]
        return now - late["ts"]

    assert over_sockets(work, faults=faults) >= 1_900


def test_the_scenario_can_silence_the_perp():
    """One-leg outage begins two minutes in: at speed 600 that is 0.2 s."""

    async def work(port):
        async with wire(port, "spot") as spot, wire(port, "linear") as linear:
            heard = {}
            for name, ws in (("spot", spot), ("linear", linear)):
                await say(ws, "subscribe", ["orderbook.1.ADAUSDT"])
                stamps = heard[name] = []
                while not stamps or stamps[-1] < EPOCH_MS + 900_000:
                    stamps.append((await hear(ws, lambda m: "data" in m))["ts"])
        return heard

    heard = over_sockets(work, speed=600.0, scenario="one-leg outage")
    phase = [(ts - EPOCH_MS) % 600_000 for ts in heard["linear"][1:]]
    assert not any(125_000 < ms < 240_000 for ms in phase)
    phase = [(ts - EPOCH_MS) % 600_000 for ts in heard["spot"][1:]]
    assert any(125_000 < ms < 240_000 for ms in phase)


def test_a_client_that_does_not_read_is_dropped(monkeypatch):
    monkeypatch.setattr(server, "WRITE_BUFFER_MAX", 20_000)

    async def work(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(
            b"GET /v5/public/spot HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        ask = json.dumps({"op": "subscribe", "args": ["orderbook.1.ADAUSDT"]}).encode()
        writer.write(bytes((0x81, 0x80 | len(ask), 0, 0, 0, 0)) + ask)
        await writer.drain()
        async with wire(port, "spot") as ws:  # the others go on
            await say(ws, "subscribe", ["orderbook.1.ADAUSDT"])
            for _ in range(30_000):
                await hear(ws, lambda m: "data" in m)
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 16):
                pass  # what was under way comes to its end: the exchange has cut us off
        writer.close()

    over_sockets(work, rate=2000.0)


def test_frames_of_every_length_are_read_by_the_library():
    for size in (0, 125, 126, 65_535, 65_536):
        made = server.frame(b"x" * size)
        assert made[0] == 0x81
        assert made.endswith(b"x" * size)
        assert len(made) - size == (2 if size < 126 else 4 if size < 65_536 else 10)


def test_a_busy_port_is_one_sentence():
    async def work(port):
        with pytest.raises(UserError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: .*another"):
            await serve(DemoOptions(port=port, epoch_ms=EPOCH_MS), lambda _: None)

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
    assert set(line) == {"port", "ws", "rest", "epoch_ms", "speed"}
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
