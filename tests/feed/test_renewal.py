"""Fault 12: a connection that its venue will cut is replaced before, and nobody notices."""

import asyncio
import itertools
import json

import msgspec
import pytest
from feed_rig import FAST, TOP, TinyVenue, eventually, play, rig
from websockets import broadcast

from basisdesk.events import LINK
from basisdesk.feed import heir as heir_module
from basisdesk.venues import Limits

pytestmark = pytest.mark.loopback
# A life of 1.5 s in the rig's pace; the renewal is due at 0.94 to 0.96 of it.
SHORT = Limits(life_s=1.5 / 0.05, connect_gap_s=0.0)


def numbered(exchange, topic, numbers=None):
    """Publish messages that carry their number, to old and new sockets alike."""
    count = next(numbers)
    exchange.publish(topic, json.dumps({"topic": topic, "n": count}).encode())


def notice(exchange, closing=True):
    exchange.blurt(json.dumps({"notice": "closing for an upgrade", "closing": closing}).encode())


def conn_story(r, conn="tiny.spot"):
    return [c.state for c in r.changes if c.conn == conn and c.state != "asked"]


def test_fault_12_a_socket_is_renewed_before_its_end_and_no_stream_stops_living():
    async def scenario():
        def mortal(exchange):
            exchange.faults.life_s = 3.0  # the venue is kinder than it says, as machines are slow

        pace = msgspec.structs.replace(FAST, renew_again_s=0.1)
        async with rig(pace=pace, venue=TinyVenue(limits=SHORT), before=mortal) as r:
            await r.until(lambda: r.state() == "live" and r.state("depth.ADA") == "live")
            streams = [r.market.streams[f"tiny.spot/{t}"] for t in (TOP, "depth.ADA")]
            for stream in streams:
                stream.story.clear()
            await r.until(lambda: conn_story(r).count("renewed") == 2)
            assert [s.story for s in streams] == [[], []]  # live, all the time
            assert conn_story(r) == ["connecting", "up", "renewed", "renewed"]
            await r.until(lambda: r.exchange.open == 1)
            assert r.supervisor.facts()["tiny.spot"].renewals == 2
            times = [t for t, _ in r.exchange.connects]
            assert all(1.4 <= b - a < 3.0 for a, b in itertools.pairwise(times))
            stamps = [frame.t_ns for frame in r.frames]
            assert stamps == sorted(stamps)

    play(scenario)


def test_a_warning_from_the_venue_renews_at_once_and_only_once():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            notice(r.exchange)
            await r.until(lambda: r.supervisor.facts()["tiny.spot"].renewals == 1)
            await asyncio.sleep(5 * FAST.tick_s)
            assert conn_story(r) == ["connecting", "up", "renewed"]
            await r.exchange.close_all(1012)  # the new socket is an ordinary one
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert await r.until(
                lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2
            )

    play(scenario)


def test_no_message_of_a_stateful_stream_is_lost_and_the_held_ones_start_with_its_snapshot():
    async def scenario():
        numbers = itertools.count()

        def script(exchange):
            exchange.snapshots["depth.ADA"] = [b'{"topic":"depth.ADA","snapshot":true}']
            # The renewal waits for `top`, which is silent for a while on the new socket.
            exchange.snapshots[TOP] = []

        async with rig(before=script) as r:
            await r.until(lambda: r.state() == "live" and r.state("depth.ADA") == "live")
            r.exchange.faults.muted = {TOP}
            notice(r.exchange)
            await r.until(lambda: r.supervisor.facts()["tiny.spot"].renewing)
            await r.until(lambda: r.exchange.open == 2)
            await r.until(lambda: r.exchange.asked("subscribe")["depth.ADA"] == 2)
            for _ in range(5):
                numbered(r.exchange, "depth.ADA", numbers)
                await asyncio.sleep(0.02)
            assert "renewed" not in conn_story(r)
            r.exchange.faults.muted = set()
            await r.until(lambda: "renewed" in conn_story(r))
            at = next(
                i
                for i, f in enumerate(r.frames)
                if f.conn == LINK and msgspec.json.decode(f.payload)["state"] == "renewed"
            )
            after = [f.payload for f in r.frames[at:] if b'"depth.ADA"' in f.payload]
            assert b"snapshot" in after[0]
            held = [json.loads(p)["n"] for p in after if b'"n"' in p]
            assert held == [0, 1, 2, 3, 4]  # all that came on the new socket, in order, once
            tops = lambda: [f for f in r.frames[at:] if b'"top.ADA"' in f.payload]  # noqa: E731
            await r.until(tops)  # and the stream without memory goes on

    play(scenario)


def test_a_new_socket_that_fails_leaves_the_old_one_alone_and_is_tried_again():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.exchange.faults.status = 503
            notice(r.exchange)
            await r.until(lambda: len(r.exchange.connects) >= 3)
            facts = r.supervisor.facts()["tiny.spot"]
            assert "not renewed: venue error (HTTP 503)" in facts.reason
            assert r.state() == "live"
            assert conn_story(r) == ["connecting", "up"]
            r.exchange.faults.status = 0
            await r.until(lambda: r.supervisor.facts()["tiny.spot"].renewals == 1)
            assert r.supervisor.facts()["tiny.spot"].reason == ""

    play(scenario)


@pytest.mark.parametrize("spoil", ["refused", "silent", "flood"])
def test_a_new_socket_that_brings_less_than_the_old_one_does_not_take_over(spoil, monkeypatch):
    monkeypatch.setattr(heir_module, "HELD_FRAMES_MAX", 5)

    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live" and r.state("depth.ADA") == "live")
            depth = r.market.streams["tiny.spot/depth.ADA"]
            depth.story.clear()
            faults = r.exchange.faults
            (old,) = r.exchange._topics  # the fault is the new socket's alone
            r.exchange.deaf_to = lambda ws: ws is not old and spoil != "flood"
            faults.bad_topics = {"depth.ADA"} if spoil == "refused" else set()
            if spoil == "flood":
                r.exchange.deaf_to = lambda ws: False
                faults.muted, r.exchange.snapshots[TOP] = {TOP}, []
                r.market.quiet_ns = 10**18
            notice(r.exchange)
            reason = lambda: r.supervisor.facts()["tiny.spot"].reason  # noqa: E731
            await r.until(lambda: "not renewed" in reason())
            words = {"refused": "refused: error", "silent": "no data on", "flood": "held back"}
            assert words[spoil] in reason()
            assert depth.story == []
            assert conn_story(r) == ["connecting", "up"]

    play(scenario)


def test_an_old_socket_that_dies_meanwhile_is_an_ordinary_loss():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.exchange.deaf_to = lambda ws: len(r.exchange._topics) > 1 and ws is not old
            (old,) = r.exchange._topics
            notice(r.exchange)
            await r.until(lambda: r.exchange.open == 2)
            old.transport.abort()
            await r.until(lambda: r.said("tiny.spot", "down"))
            r.exchange.deaf_to = lambda ws: False
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2)
            await r.until(lambda: r.exchange.open == 1)
            assert "renewed" not in conn_story(r)

    play(scenario)


def test_wishes_that_change_during_a_renewal_are_met_on_the_new_socket():
    async def scenario():
        async with rig(watch=("tiny:spot:ADA", "tiny:spot:OLD")) as r:
            await r.until(lambda: r.state() == "live")
            (old,) = r.exchange._topics
            r.exchange.deaf_to = lambda ws: ws is not old
            notice(r.exchange)
            await r.until(lambda: r.exchange.open == 2)
            await r.until(lambda: r.exchange.asked("subscribe")["top.OLD"] == 2)
            r.supervisor.watch({"tiny:spot:ADA", "tiny:spot:NEW"})
            await r.until(lambda: r.exchange.asked("unsubscribe")["top.OLD"] == 1)
            r.exchange.deaf_to = lambda ws: False
            await r.until(lambda: "renewed" in conn_story(r))
            await r.until(lambda: r.exchange.asked("subscribe")["top.NEW"] == 2)
            await r.until(lambda: r.exchange.asked("unsubscribe")["top.OLD"] == 2)
            (new,) = r.exchange._topics
            await r.until(
                lambda: r.exchange._topics[new] == {TOP, "depth.ADA", "top.NEW", "depth.NEW"}
            )
            assert "tiny.spot/top.OLD" not in r.market.streams

    play(scenario)


def test_a_topic_that_is_refused_anyway_keeps_no_socket_from_being_renewed():
    async def scenario():
        def spoil(exchange):
            exchange.faults.bad_topics = {"depth.ADA"}

        async with rig(before=spoil) as r:
            await r.until(lambda: r.state() == "live" and r.state("depth.ADA") == "down")
            notice(r.exchange)
            assert await r.until(lambda: "renewed" in conn_story(r))
            before = r.exchange.asked("subscribe")["depth.ADA"]
            assert await r.until(lambda: r.exchange.asked("subscribe")["depth.ADA"] > before)

    play(scenario)


def test_a_stop_during_a_renewal_leaves_nothing_behind():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            (old,) = r.exchange._topics
            r.exchange.deaf_to = lambda ws: ws is not old
            notice(r.exchange)
            await r.until(lambda: r.exchange.open == 2)
        assert await eventually(lambda: len(asyncio.all_tasks()) == 1)

    play(scenario)


def test_a_link_that_was_promised_nothing_is_renewed_instead_of_cut():
    async def scenario():
        pace = msgspec.structs.replace(FAST, habit_max_s=0.3)
        async with rig(pace=pace, venue=TinyVenue(kinds=("quiet",))) as r:
            r.exchange.publish("quiet.ADA", b'{"topic":"quiet.ADA"}')
            r.market.quiet_ns = 10**18
            await r.until(lambda: r.supervisor.facts()["tiny.spot"].renewals >= 1)
            assert not r.said("tiny.spot", "down")

    play(scenario)


async def humming(r, *topics):
    """Publish these topics' own messages, as `rig` does for the usual two."""
    while True:
        for topic in topics:
            r.exchange.publish(topic, json.dumps({"topic": topic}).encode())
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("mute", ["socket", "topic"])
def test_a_new_socket_that_is_mute_where_the_old_one_speaks_does_not_take_over(mute):
    """No stream promises anything here, so only the comparison tells."""

    async def scenario():
        async with rig(venue=TinyVenue(kinds=("quiet", "trade"))) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: r.exchange.open == 1)
            hum = asyncio.create_task(humming(r, "quiet.ADA", "trade.ADA"))
            try:
                await r.until(lambda: r.state("quiet.ADA") == r.state("trade.ADA") == "live")
                (old,) = r.exchange._topics
                if mute == "socket":
                    r.exchange.deaf_to = lambda ws: ws is not old
                if mute == "topic":  # nobody speaks until the new socket's topic is taken away
                    hum.cancel()
                notice(r.exchange)
                if mute == "topic":
                    await r.until(lambda: r.exchange.asked("subscribe")["quiet.ADA"] == 2)
                    for ws, topics in r.exchange._topics.items():
                        if ws is not old:
                            topics.discard("quiet.ADA")
                    hum = asyncio.create_task(humming(r, "quiet.ADA", "trade.ADA"))
                facts = lambda: r.supervisor.facts()["tiny.spot"]  # noqa: E731
                await r.until(lambda: "not renewed: no data on quiet.ADA" in facts().reason)
                assert conn_story(r) == ["connecting", "up"]
                assert facts().next_try_s == 0
                r.exchange.deaf_to = lambda ws: False
                await r.until(lambda: facts().renewals == 1)  # tried again
                assert r.state("quiet.ADA") == "live"
            finally:
                hum.cancel()
                await asyncio.gather(hum, return_exceptions=True)

    play(scenario)


def test_a_socket_that_falls_mute_right_after_it_took_over_is_left_soon():
    """Its subscribe brought a first message and then nothing more."""

    async def scenario():
        async with rig(venue=TinyVenue(kinds=("quiet", "trade"))) as r:
            await r.until(lambda: r.exchange.open == 1)
            r.exchange.snapshots["quiet.ADA"] = [b'{"topic":"quiet.ADA"}']
            hum = asyncio.create_task(humming(r, "quiet.ADA"))
            try:
                await r.until(lambda: r.state("quiet.ADA") == "live")
                (old,) = r.exchange._topics
                r.exchange.publish = lambda _, payload: broadcast([old], payload, text=True)
                notice(r.exchange)
                await r.until(lambda: "renewed" in conn_story(r))
                begun_s = asyncio.get_running_loop().time()
                await r.until(lambda: r.said("tiny.spot", "down"))
                assert asyncio.get_running_loop().time() - begun_s < FAST.habit_s
                said = r.said("tiny.spot", "down")[0]
                assert said.startswith("no data on quiet.ADA since the socket was renewed")
            finally:
                hum.cancel()
                await asyncio.gather(hum, return_exceptions=True)

    play(scenario)


def test_a_stream_that_pauses_in_its_own_rhythm_keeps_the_new_socket():
    async def scenario():
        async with rig(venue=TinyVenue(kinds=("top", "quiet"))) as r:
            r.market.quiet_ns = 10**18  # the market finds no pause too long
            await r.until(lambda: r.state() == "live")
            r.exchange.publish("quiet.ADA", b'{"topic":"quiet.ADA"}')
            await r.until(lambda: r.state("quiet.ADA") == "live")
            notice(r.exchange)
            await r.until(lambda: "renewed" in conn_story(r))
            await asyncio.sleep(2 * FAST.overlap_s)
            assert conn_story(r) == ["connecting", "up", "renewed"]

    play(scenario)
