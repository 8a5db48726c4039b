import asyncio
import os
import time

import pytest
from feed_rig import ADA, DEPTH, FAST, PERP, TOP, hurried, play, rig

from basisdesk.clock import wall_ns
from basisdesk.events import BEAT
from basisdesk.feed import supervisor as supervisor_module
from basisdesk.feed.inbox import Inbox

pytestmark = pytest.mark.loopback
FACTOR = float(os.environ.get("BASISDESK_PACE", "0.05"))  # 1: as slow as in life


def test_what_is_watched_becomes_live_with_its_rules_and_beats():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live" and r.state(DEPTH) == "live")
            await r.until(lambda: len(r.payloads("tiny.rest")) >= 3)
            await r.until(lambda: len(r.payloads(BEAT)) >= 3)
            states = [c.state for c in r.changes if c.conn == "tiny.spot"]
            assert states[:3] == ["connecting", "up", "asked"]
            assert r.exchange.connects
            assert all("linear" not in p for _, p in r.exchange.connects)
            stamps = [frame.t_ns for frame in r.frames]
            assert stamps == sorted(stamps)

    play(scenario)


def test_only_the_difference_is_subscribed_and_all_of_it_again_after_a_reconnect():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.supervisor.watch({ADA, "tiny:spot:BTC", PERP})
            await r.until(lambda: r.state("top.BTC") == "acked" or r.state("top.BTC") == "stale")
            await r.until(lambda: r.state(TOP, "tiny.linear") == "live")
            asked = r.exchange.asked("subscribe")
            assert asked[TOP] == 2  # once on spot, once on linear
            r.supervisor.watch({"tiny:spot:BTC", PERP})
            await r.until(lambda: r.exchange.asked("unsubscribe")[TOP] >= 1)
            before = r.exchange.asked("subscribe")
            r.supervisor.reconnect("tiny.spot")
            await r.until(lambda: len(r.said("tiny.spot", "up")) == 2)
            await r.until(lambda: r.exchange.asked("subscribe")["top.BTC"] > before["top.BTC"])
            assert r.exchange.asked("subscribe")[TOP] == before[TOP]
            assert any("by hand" in reason for reason in r.said("tiny.spot", "down"))
            r.supervisor.watch({PERP})  # nothing is wanted on spot: the connection goes
            await r.until(lambda: r.exchange.open == 1)

    play(scenario)


def test_topics_of_no_leg_are_asked_for_and_dropped_too():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.supervisor.watch({ADA}, [("tiny.linear", "combo.ADA")])
            await r.until(lambda: r.state("combo.ADA", "tiny.linear") == "acked")
            r.supervisor.watch({ADA})
            await r.until(lambda: r.state("combo.ADA", "tiny.linear") == "unknown")
            await r.until(lambda: r.exchange.open == 1)
            assert r.state() == "live"

    play(scenario)


def test_a_disconnect_shows_and_heals():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            await r.exchange.close_all(1012, "we restart <b>now</b>")
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert (
                "closed by venue: 1012 restarting, we restart b now /b"
                in r.said("tiny.spot", "down")[0]
            )
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2)
            r.exchange.half_frame_and_reset(PAYLOAD_LONG)
            await r.until(lambda: len(r.said("tiny.spot", "down")) == 2)
            assert "connection lost" in r.said("tiny.spot", "down")[1]
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 3)
            assert not r.market.bad  # the half message never came out

    play(scenario)


PAYLOAD_LONG = b'{"topic":"top.ADA","x":"' + b"y" * 300 + b'"}'


def test_fault_1_a_refusal_shows_and_heals():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            await r.exchange.stop()
            await r.until(lambda: any("refused" in x for x in r.said("tiny.spot", "down")))
            assert r.state() == "down"
            await r.exchange.start()
            await r.until(lambda: r.state() == "live")

    play(scenario)


def test_C1_a_silent_socket_is_noticed_by_the_watchdog_and_pings_go_out_unprompted():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.exchange.faults.deaf = True  # reads all, says nothing: nothing ever arrives again
            pings = r.exchange.asked("ping")[""]
            await r.until(lambda: r.exchange.asked("ping")[""] > pings)  # before it is cut
            await r.until(lambda: r.said("tiny.spot", "down"))
            down = r.said("tiny.spot", "down")[0]
            assert "silent for" in down or "no answer to subscribe" in down
            assert r.state() == "down"
            r.exchange.faults.deaf = False
            await r.until(lambda: r.state() == "live")

    play(scenario)


def test_fault_8_a_half_open_socket_is_down_within_eleven_seconds_of_its_pace():
    pace = FAST if FACTOR == 0.05 else hurried(FACTOR)

    async def scenario():
        async with rig(pace=pace) as r:
            await r.until(lambda: r.state() == "live")
            r.market.quiet_ns = 10**18  # the market notices nothing: the watchdog is alone
            r.exchange.faults.hold = True
            begun = asyncio.get_running_loop().time()
            await r.until(lambda: r.said("tiny.spot", "down"), 30.0)
            took_s = asyncio.get_running_loop().time() - begun
            assert "silent for" in r.said("tiny.spot", "down")[0]
            print(f"half-open for {took_s:.2f} s at a pace of {FACTOR:g} until it was down")
            assert took_s < 11 * FACTOR + 0.5  # the rest is a busy machine
            r.exchange.faults.hold = False
            await r.until(lambda: r.state() == "live")

    play(scenario)


@pytest.mark.slow
def test_a_quiet_market_that_answers_pings_is_left_alone():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.market.quiet_ns = 10**18
            r.exchange.faults.silent = True
            await asyncio.sleep(FAST.silent_s * 2.5)
            assert not r.said("tiny.spot", "down")
            assert r.exchange.asked("ping")[""] >= 3

    play(scenario)


@pytest.mark.slow
def test_fault_9_acks_without_data_are_asked_again_with_patience_and_cut_in_the_end():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.exchange.faults.silent = True
            await r.until(lambda: r.state() == "stale")
            await r.until(lambda: r.exchange.asked("unsubscribe")[TOP] >= 1)
            assert not r.said("tiny.spot", "down")
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert "no data" in r.said("tiny.spot", "down")[0]
            assert r.exchange.asked("unsubscribe")[TOP] <= 5  # 5, 10, 20 ... of its pace
            r.exchange.faults.silent = False
            await r.until(lambda: r.state() == "live")

    play(scenario)


def test_fault_11_one_dead_stream_is_asked_again_and_its_neighbours_stay_live():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live" and r.state(DEPTH) == "live")
            r.exchange.faults.muted = {TOP}
            await r.until(lambda: r.exchange.asked("unsubscribe")[TOP] >= 2)
            assert r.state(DEPTH) == "live"
            assert r.exchange.asked("unsubscribe")[DEPTH] == 0
            assert not r.said("tiny.spot", "down")
            r.exchange.faults.muted = set()
            await r.until(lambda: r.state() == "live")

    play(scenario)


def test_a_bad_topic_is_shown_and_does_not_take_the_good_ones_with_it():
    async def scenario():
        def spoil(exchange):
            exchange.faults.bad_topics = {DEPTH}

        async with rig(before=spoil) as r:
            await r.until(lambda: r.state(DEPTH) == "down")  # the frame failed as a whole ...
            await r.until(lambda: r.state(TOP) == "live")  # ... but each is asked alone again
            error = r.market.streams[f"tiny.spot/{DEPTH}"].error
            assert "handler not found" in error
            assert not r.said("tiny.spot", "down")
            r.exchange.faults.bad_topics = set()
            await r.until(lambda: r.state(DEPTH) == "live")

    play(scenario)


def test_fault_26_garbage_is_handed_on_and_the_connection_stays():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            for junk in (b"", b"{", b"\x00" * 40, b"[" * 5000, b'{"topic":7}', b"null", b"NaN"):
                r.exchange.blurt(junk)
            r.exchange.blurt(b"\xff\xfe\xfd", text=False)
            await r.until(lambda: r.market.bad >= 4)
            assert r.state() == "live"
            assert not r.said("tiny.spot", "down")

    play(scenario)


def test_broken_text_and_huge_frames_do_not_get_in():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.exchange.blurt(b" " * (5 * 2**20))
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert "1009 message too big" in r.said("tiny.spot", "down")[0]
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2)
            assert max(len(p) for p in r.payloads("tiny.spot")) < 1000

    play(scenario)


def test_fault_14_a_full_inbox_is_told_drops_whole_connections_and_heals_when_the_engine_is_back():
    async def scenario():
        async with rig(inbox=Inbox(limit_frames=300)) as r:
            await r.until(lambda: r.state() == "live")
            r.engine_runs = False
            r.exchange.flood(PAYLOAD_LONG, 1_000)
            await r.until(lambda: "tiny.spot" in r.inbox.overflowed)
            await asyncio.sleep(5 * FAST.tick_s)
            assert "tiny.spot" in r.inbox.overflowed  # nothing starts afresh while there is no room
            assert len(r.inbox) < 400
            r.engine_runs = True
            await r.until(lambda: r.said("tiny.spot", "overflow"))
            await r.until(lambda: any("inbox was full" in x for x in r.said("tiny.spot", "down")))
            await r.until(lambda: r.state() == "live" and not r.inbox.overflowed)
            told = [c.state for c in r.changes if c.conn == "tiny.spot"]
            assert told.count("overflow") == 1

    play(scenario)


def test_fault_40_a_loop_that_stood_still_throws_away_what_is_buffered():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            time.sleep(FAST.gap_s * 1.5)  # noqa: ASYNC251, the window was blocked
            assert await r.until(
                lambda: any("stood still" in x for x in r.said("tiny.spot", "down"))
            )
            assert await r.until(
                lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2
            )

    play(scenario)


def test_fault_32_a_machine_that_slept_starts_every_connection_afresh(monkeypatch):
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            slept = []
            r.supervisor.on_slept = slept.append
            monkeypatch.setattr(supervisor_module, "wall_ns", lambda: wall_ns() + 3_600 * 10**9)
            await r.until(lambda: any("slept" in x for x in r.said("tiny.spot", "down")))
            await r.until(lambda: r.state() == "live" and len(r.said("tiny.spot", "up")) == 2)
            assert [round(s, -1) for s in slept] == [3600]

    play(scenario)


def test_a_bug_in_a_feed_is_never_silent_and_takes_the_others_down_cleanly():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")

            def burst(*_):
                raise ZeroDivisionError

            r.supervisor.links["tiny.spot"].tick = burst
            await r.until(lambda: r.deaths)
            name, exc = r.deaths.pop()
            assert name == "supervisor"
            assert isinstance(exc, ExceptionGroup)
            await r.until(lambda: r.exchange.open == 0)

    play(scenario)
