"""The connection faults of the catalogue that no other file has: see the numbers in the names."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Mapping

import msgspec
import pytest
from feed_rig import (
    ADA,
    DEPTH,
    FAST,
    PAYLOAD,
    PERP,
    TOP,
    TinyVenue,
    eventually,
    hurried,
    play,
    rig,
)
from loopback import loopback

from basisdesk.clock import mono_s
from basisdesk.feed.names import Names
from basisdesk.venues import Limits

pytestmark = pytest.mark.loopback


def test_fault_1_a_refused_connection_delays_no_other():
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]  # nobody listens there a moment later
        endpoints = {"tiny.linear": f"ws://127.0.0.1:{port}/linear"}
        async with rig(watch=(ADA, PERP), endpoints=endpoints) as r:
            heard = []
            for refusals in (1, 2, 3):  # data goes on between one refusal and the next
                await r.until(lambda n=refusals: len(r.said("tiny.linear", "down")) >= n)
                heard.append(sum(f.payload == PAYLOAD for f in r.frames))
            assert "refused" in r.said("tiny.linear", "down")[0]
            assert heard[0] < heard[1] < heard[2]
            assert not r.said("tiny.spot", "down")

    play(scenario)


def test_fault_2_ten_stuck_lookups_do_not_delay_an_address_that_needs_none():
    async def scenario():
        free = threading.Event()
        names = Names(lambda host, port: (free.wait(10) and ["127.0.0.1"]) or [])
        stuck = [asyncio.ensure_future(names.addresses(f"h{n}.invalid", 1)) for n in range(10)]
        await asyncio.sleep(0)
        begun_s = mono_s()
        assert await names.addresses("127.0.0.1", 1) == ["127.0.0.1"]
        assert mono_s() - begun_s < 0.05
        free.set()
        assert await asyncio.gather(*stuck) == [["127.0.0.1"]] * 10

    play(scenario)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1012, 1013])
def test_fault_6_each_close_code_is_said_and_survived(code):
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            await r.exchange.close_all(code)
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert f"closed by venue: {code}" in r.said("tiny.spot", "down")[0]
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2)

    play(scenario)


def test_fault_7_a_reset_in_the_middle_of_a_message_hands_on_no_half_of_it():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            long = b'{"topic":"top.ADA","x":"' + b"y" * 3_000 + b'"}'
            r.exchange.half_frame_and_reset(long)
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert "connection lost" in r.said("tiny.spot", "down")[0]
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2)
            assert not r.market.bad
            assert not any(b"yyy" in payload for payload in r.payloads("tiny.spot"))

    play(scenario)


def test_fault_9_a_silent_stall_is_asked_for_within_its_five_seconds():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live" and r.state(DEPTH) == "live")
            await asyncio.sleep(FAST.resync_s)  # the streams have lived for a while
            r.exchange.faults.silent = True  # answers everything, but says nothing
            await r.until(lambda: r.state() == "stale")
            begun_s = mono_s()
            before = r.exchange.asked("subscribe")[TOP]
            await r.until(lambda: r.exchange.asked("subscribe")[TOP] > before)
            assert mono_s() - begun_s < 5.0 * 0.05 + 0.5
            r.exchange.faults.silent = False
            await r.until(lambda: r.state() == "live" and r.state(DEPTH) == "live")
            assert not r.said("tiny.spot", "down")

    play(scenario)


@pytest.mark.slow
def test_fault_10_a_quiet_market_whose_probes_are_answered_is_never_reconnected():
    """Ten minutes of one message in thirty seconds, in a pace two hundred times as fast."""
    pace = msgspec.structs.replace(hurried(0.005), silent_s=1.0, probe_s=0.2, gap_s=5.0)

    async def scenario():
        limits = Limits(ping_every_s=0.0)
        async with rig(pace=pace, venue=TinyVenue(kinds=("quiet",), limits=limits)) as r:
            for _ in range(20):
                r.exchange.publish("quiet.ADA", b'{"topic":"quiet.ADA"}')
                await asyncio.sleep(0.15)
            facts = r.supervisor.facts()["tiny.spot"]
            assert not r.said("tiny.spot", "down")
            assert facts.connects == 1
            assert facts.asks_hour < 20

            def alive():  # one message may fall between an unsubscribe and its subscribe
                r.exchange.publish("quiet.ADA", b'{"topic":"quiet.ADA"}')
                return r.state("quiet.ADA") == "live"

            await r.until(alive)

    play(scenario)


@pytest.mark.slow
def test_fault_13_when_all_drop_at_once_the_host_is_never_stormed():
    """Six connections lost fifty times; one connect a second and sixty in five minutes, scaled."""

    class Wide(TinyVenue):
        endpoints: Mapping[str, str] = {f"tiny.{n}": f"wss://tiny.invalid/{n}" for n in "abcdef"}

        def topics(self, instrument):
            return dict.fromkeys(self.endpoints, (TOP,))

    pace = hurried(0.02)
    limits = pace.limits(Limits())

    async def scenario():
        async with rig(pace=pace, venue=Wide()) as r:
            await r.until(lambda: r.exchange.open == 6)
            for _ in range(50):
                r.exchange.reset_all()
                await asyncio.sleep(0.04)
            times = [t for t, _ in r.exchange.connects]
            gaps = [b - a for a, b in itertools.pairwise(times[6:])]  # the first wait for nobody
            assert min(gaps) >= limits.connect_gap_s * 0.5  # as seen from the other side
            for start in times:
                within = sum(start <= t < start + limits.connect_window_s for t in times)
                assert within <= limits.connects + 1
            assert times[-1] - times[6] >= 3.0 * 0.02
            await eventually(lambda: r.exchange.open == 6, 20.0, r.story)

    play(scenario)


def test_fault_14_a_reader_that_is_too_slow_holds_the_venue_back_and_is_not_cut():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.exchange.flood(PAYLOAD, 20_000)
            seen = len(r.payloads("tiny.spot"))
            await r.until(lambda: len(r.payloads("tiny.spot")) >= seen + 19_000, within_s=20)
            assert r.inbox.most_frames <= r.inbox.limit_frames
            assert not r.said("tiny.spot", "down")
            assert r.state() == "live"

    play(scenario)


def test_fault_15_pings_of_the_venue_are_answered_and_ours_are_frames_where_it_wants_frames():
    async def scenario():
        limits = Limits(ping_every_s=1.0)
        async with rig(venue=TinyVenue(pings=False, limits=limits)) as r:
            await r.until(lambda: r.state() == "live")
            (ws,) = r.exchange._topics
            latency_s = await (await ws.ping(b"are you there"))
            assert 0 <= latency_s < 5
            r.market.quiet_ns = 10**18
            r.exchange.faults.silent = True  # only our own pings keep the socket from being cut
            await asyncio.sleep(1.5 * FAST.silent_s)
            assert not r.said("tiny.spot", "down")
            assert r.exchange.asked("ping") == {}

    play(scenario)


def test_fault_15_compressed_frames_are_unpacked():
    async def scenario():
        async with loopback(compression="deflate") as packed:
            packed.snapshots = {TOP: [b'{"topic":"top.ADA","x":"' + b"z" * 5_000 + b'"}']}
            async with rig(endpoints={"tiny.spot": packed.ws_url("spot")}) as r:
                await r.until(lambda: any(len(p) > 5_000 for p in r.payloads("tiny.spot")))
                facts = r.supervisor.facts()["tiny.spot"]
                assert 0 < facts.bytes < 2_000  # counted as they travel

    play(scenario)


def test_fault_16_a_proxy_in_the_environment_is_not_used(monkeypatch):
    async def scenario():
        called = []
        async with await asyncio.start_server(
            lambda _, writer: (called.append(1), writer.close()), "127.0.0.1", 0
        ) as proxy:
            address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
            for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "socks_proxy"):
                monkeypatch.setenv(name, address)
                monkeypatch.setenv(name.upper(), address)
            monkeypatch.delenv("no_proxy", raising=False)
            async with rig() as r:
                await r.until(lambda: r.state() == "live" and r.said("tiny.rest", "up"))
            assert not called

    play(scenario)
