import asyncio
import itertools
import socket
import time

import pytest
from feed_rig import ADA, PAYLOAD, TOP, eventually, hurried, play, rig
from loopback import loopback

from basisdesk.clock import mono_s
from basisdesk.errors import SettingsError
from basisdesk.feed.names import Names
from basisdesk.feed.pace import Pace
from basisdesk.feed.shared import check_url

pytestmark = pytest.mark.loopback

HANGS_S = 3.0  # a name lookup that nobody answers


@pytest.mark.slow
def test_fault_6_accept_then_close_is_met_with_patience():
    async def scenario():
        def hang_up(exchange):
            exchange.faults.close_on_accept = 1000

        async with rig(before=hang_up) as r:
            await asyncio.sleep(60 * 0.05)
            assert 4 <= len(r.exchange.connects) <= 10
            assert any("1000 normal close" in x for x in r.said("tiny.spot", "down"))
            r.exchange.faults.close_on_accept = None
            r.supervisor.reconnect("tiny.spot")  # by hand: at once
            assert await r.until(lambda: r.state() == "live", within_s=1.0)

    play(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 418, 403, 451])
def test_fault_4_told_to_go_away_it_cools_down(status):
    pace = hurried(0.01)  # a cool-down of 60 s takes 0.6 s

    async def scenario():
        def refuse(exchange):
            exchange.faults.status = status

        async with rig(pace=pace, before=refuse) as r:
            tries = 3 if status == 429 else 2
            await r.until(lambda: len(r.exchange.connects) == tries)
            times = [t for t, _ in r.exchange.connects]
            for n, (earlier, later) in enumerate(itertools.pairwise(times)):
                assert later - earlier >= pace.cool_s * 2**n
            assert f"HTTP {status}" in r.said("tiny.spot", "down")[0]
            r.exchange.faults.status = 0
            r.supervisor.reconnect("tiny.spot")
            assert await r.until(lambda: r.state() == "live")

    play(scenario)


@pytest.mark.slow
def test_fault_4_retry_after_is_honoured():
    async def scenario():
        def refuse(exchange):
            exchange.faults.status, exchange.faults.headers = 429, {"Retry-After": "1"}

        async with rig(pace=hurried(0.001), before=refuse) as r:
            await r.until(lambda: len(r.exchange.connects) == 2)
            (first, _), (second, _) = r.exchange.connects
            assert second - first >= 1.0
            assert "next try in 1 s" in r.said("tiny.spot", "down")[0]

    play(scenario)


@pytest.mark.parametrize("status", [500, 503])
def test_fault_5_a_broken_venue_is_tried_again_soon(status):
    async def scenario():
        def refuse(exchange):
            exchange.faults.status = status

        async with rig(before=refuse) as r:
            await r.until(lambda: len(r.exchange.connects) >= 3)
            r.exchange.faults.status = 0
            assert await r.until(lambda: r.state() == "live")

    play(scenario)


def test_fault_5_a_redirect_to_another_host_is_not_followed():
    async def scenario():
        async with loopback() as elsewhere:

            def redirect(exchange):
                exchange.faults.status = 302
                exchange.faults.headers = {"Location": elsewhere.ws_url()}

            async with rig(before=redirect) as r:
                await r.until(lambda: r.said("tiny.spot", "down"))
                assert "redirect refused" in r.said("tiny.spot", "down")[0]
                assert not elsewhere.connects

    play(scenario)


def test_fault_2_a_dead_name_server_is_told_and_holds_up_nobody():
    def resolve(host, port):
        if host == "dead.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return ["127.0.0.1"]

    async def scenario():
        endpoints = {"tiny.linear": "wss://dead.invalid/linear"}
        watch = (ADA, "tiny:perp:ADA")
        async with rig(watch=watch, endpoints=endpoints, names=Names(resolve)) as r:
            await r.until(lambda: r.state() == "live")
            await r.until(lambda: r.said("tiny.linear", "down"))
            assert "name lookup failed" in r.said("tiny.linear", "down")[0]

    play(scenario)


def test_fault_2_a_lookup_that_hangs_times_out_and_does_not_delay_the_end():
    async def scenario():
        names = Names(lambda host, port: time.sleep(HANGS_S) or ["127.0.0.1"])
        endpoints = {"tiny.spot": "wss://slow.invalid/spot"}
        async with rig(endpoints=endpoints, names=names) as r:
            assert await r.until(lambda: any("timed out" in x for x in r.said("tiny.spot", "down")))

    began_s = mono_s()
    play(scenario)
    assert mono_s() - began_s < HANGS_S


def test_not_a_websocket_at_all():
    async def scenario():
        async def babble(reader, writer):
            writer.write(b"220 smtp.example ready\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, rig(endpoints={"tiny.spot": f"ws://127.0.0.1:{port}/"}) as r:
            await r.until(lambda: len(r.said("tiny.spot", "down")) >= 2)
            assert "not a WebSocket answer" in r.said("tiny.spot", "down")[0]

    play(scenario)


def test_a_server_that_accepts_and_says_nothing_times_out():
    async def scenario():
        async def mute(reader, writer):
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, rig(endpoints={"tiny.spot": f"ws://127.0.0.1:{port}/"}) as r:
            assert await r.until(lambda: any("timed out" in x for x in r.said("tiny.spot", "down")))

    play(scenario)


def test_a_stop_while_connecting_leaves_nothing_behind():
    async def scenario():
        async def mute(reader, writer):
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            async with rig(pace=Pace(), endpoints={"tiny.spot": f"ws://127.0.0.1:{port}/"}) as r:
                await r.until(lambda: r.said("tiny.spot", "connecting"))
            assert await eventually(lambda: len(asyncio.all_tasks()) == 1)

    play(scenario)


def test_fault_27_a_compression_bomb_is_not_unpacked():
    async def scenario():
        async with loopback(compression="deflate") as packed:
            packed.snapshots = {TOP: [PAYLOAD]}
            # In the usual pace: packing 20 MiB holds up this very loop.
            where = {"tiny.spot": packed.ws_url("spot")}
            async with rig(pace=Pace(), endpoints=where) as r:
                await r.until(lambda: PAYLOAD in r.payloads("tiny.spot"))
                (ws,) = packed._topics
                await ws.send(b"0" * (20 * 2**20), text=True)  # some 20 kB on the wire
                await r.until(lambda: r.said("tiny.spot", "down"))
                assert "1009 message too big" in r.said("tiny.spot", "down")[0]
                assert max(len(p) for p in r.payloads("tiny.spot")) < 1000

    play(scenario)


@pytest.mark.parametrize(
    "url", ["ws://stream.example/v5", "http://127.0.0.1:1/", "wss://", "wss://[x", "", "wss://h:x/"]
)
def test_an_address_that_is_not_encrypted_is_refused_in_one_sentence(url):
    with pytest.raises(SettingsError, match=r"Feed a\.spot: address"):
        check_url("a.spot", url, "wss", "ws")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:8080/v5", "ws://localhost:1", "wss://a.example/x"])
def test_addresses_that_may_be_used(url):
    check_url("a.spot", url, "wss", "ws")
