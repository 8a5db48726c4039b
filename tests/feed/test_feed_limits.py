"""What a venue allows one client: connects, messages, requests an hour."""

import asyncio
import itertools
import json

import msgspec
import pytest
from feed_rig import ADA, DEPTH, FAST, PERP, TOP, TinyVenue, hurried, play, rig

from basisdesk.events import LinkChange
from basisdesk.feed.pace import Pace
from basisdesk.venues import Limits

pytestmark = pytest.mark.loopback
COUNTED = Limits(asks_h=20)


def requests(exchange):
    return sum(said["op"] in ("subscribe", "unsubscribe") for said in exchange.heard)


def test_a_symbol_switched_back_and_forth_costs_nothing():
    async def scenario():
        pace = msgspec.structs.replace(FAST, settle_s=60.0)  # no machine is too slow for that
        async with rig(pace=pace, venue=TinyVenue(limits=COUNTED)) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: r.state() == r.state(DEPTH) == "live")
            before = requests(r.exchange)
            for _ in range(20):  # faster than a wish settles
                r.supervisor.watch({ADA, "tiny:spot:BTC"})
                r.supervisor.watch({ADA})
                r.supervisor.watch({"tiny:spot:BTC"})
                r.supervisor.watch({ADA})
                await asyncio.sleep(0)
            await asyncio.sleep(3 * FAST.leave_s)
            assert requests(r.exchange) == before
            assert r.state() == "live"
            assert not [c for c in r.changes if c.state == "dropped" and TOP in c.topics]

    play(scenario)


def test_what_is_not_wanted_any_more_is_dropped_a_moment_later():
    async def scenario():
        async with rig(watch=(ADA, "tiny:spot:BTC", PERP)) as r:
            await r.until(lambda: r.state() == "live" and r.state(conn="tiny.linear") == "live")
            r.supervisor.watch({ADA})
            await r.until(lambda: r.exchange.open == 1)
            dropped = lambda: [c for c in r.changes if c.state == "dropped"]  # noqa: E731
            await r.until(lambda: len(dropped()) == 2)
            assert dropped() == [
                LinkChange("tiny.spot", "dropped", topics=("top.BTC", "depth.BTC")),
                LinkChange("tiny.linear", "dropped", topics=(TOP, DEPTH)),
            ]
            assert set(r.market.streams) == {f"tiny.spot/{TOP}", f"tiny.spot/{DEPTH}"}
            await r.until(lambda: r.exchange.asked("unsubscribe") == {"top.BTC": 1, "depth.BTC": 1})
            facts = r.supervisor.facts()
            assert facts["tiny.linear"].state == "idle"
            assert facts["tiny.linear"].next_try_s == 0.0

    play(scenario)


def test_a_connection_gone_for_good_is_dropped_though_it_was_never_up():
    async def scenario():
        def refuse(exchange):
            exchange.faults.status = 503

        async with rig(watch=(ADA, PERP), before=refuse) as r:
            await r.until(lambda: len(r.said("tiny.linear", "down")) >= 2)
            r.supervisor.watch({ADA})
            assert await r.until(lambda: any(c.state == "dropped" for c in r.changes))
            assert await r.until(lambda: r.supervisor.facts()["tiny.linear"].state == "idle")

    play(scenario)


def test_beyond_the_hourly_budget_nothing_is_asked_and_it_is_said_why():
    pace = msgspec.structs.replace(FAST, resync_max_s=0.3)  # as if it were asked for hours
    assert pace.hour_s > 100

    async def scenario():
        async with rig(pace=pace, venue=TinyVenue(limits=COUNTED)) as r:
            await r.until(lambda: r.state() == "live")
            facts = lambda: r.supervisor.facts()["tiny.spot"]  # noqa: E731
            r.exchange.faults.muted = {TOP}  # re-asked for ever, in an ordinary hour
            await r.until(lambda: "subscribe requests an hour" in facts().reason)
            assert facts().asks_hour <= 0.75 * 20 + 1
            assert facts().asks_limit == 20
            # A person's wish still goes out; what a person wishes has the rest of the hour.
            r.supervisor.watch({ADA, "tiny:spot:NEW"})
            await r.until(lambda: r.exchange.asked("subscribe")["top.NEW"] == 1)
            for n in range(30):
                r.supervisor.watch({ADA, f"tiny:spot:N{n}"})
                await asyncio.sleep(FAST.settle_s + FAST.leave_s)
            assert requests(r.exchange) <= 20 + 2  # and what one last unsubscribe may add
            assert not r.said("tiny.spot", "down")

    play(scenario)


def test_messages_keep_the_venues_gap_and_heartbeats_go_first():
    gap_s = 0.2
    limits = Limits(send_gap_s=gap_s / 0.05, ping_every_s=10.0)
    watch = [f"tiny:spot:S{n}" for n in range(6)]

    async def scenario():
        async with rig(watch=watch, venue=TinyVenue(limits=limits)) as r:
            await r.until(lambda: len(r.exchange.heard) >= 9, within_s=10)
            said = r.exchange.heard[:9]
            gaps = [b - a for a, b in itertools.pairwise(r.exchange.heard_at[:9])]
            assert min(gaps) > 0.5 * gap_s
            assert sum(gaps) / len(gaps) > 0.9 * gap_s
            assert said[0]["op"] == "subscribe"
            assert "ping" in [each["op"] for each in said[1:5]]
            # No answer is missed while a request waits for its turn.
            assert not r.said("tiny.spot", "down")
            ids = [each["req_id"] for each in r.exchange.heard]
            assert all(i.isascii() and i.isdigit() for i in ids)
            assert len(set(ids)) == len(ids)
            asked = [c.req_id for c in r.changes if c.state == "asked"]
            assert asked == [s["req_id"] for s in r.exchange.heard if s["op"] == "subscribe"]

    play(scenario)


def test_by_hand_too_the_venues_floor_is_kept():
    async def scenario():
        def hang_up(exchange):
            exchange.faults.close_on_accept = 1013

        floor_s = 0.6
        limits = Limits(floor_s=floor_s / 0.05, connect_gap_s=0.0)
        async with rig(venue=TinyVenue(limits=limits), before=hang_up) as r:
            await r.until(lambda: r.said("tiny.spot", "down"))
            facts = r.supervisor.facts()["tiny.spot"]
            assert 0 < facts.next_try_s <= floor_s
            assert "1013 try later" in facts.reason
            r.exchange.faults.close_on_accept = None
            for _ in range(5):
                r.supervisor.reconnect("tiny.spot")
                await asyncio.sleep(0.02)
            await r.until(lambda: r.state() == "live")
            tries = [f.t_ns for f in r.frames if b'"connecting"' in f.payload]
            assert (tries[1] - tries[0]) / 1e9 >= floor_s - 0.02
            assert len(r.exchange.connects) == len(tries) == 2

    play(scenario)


def test_answers_that_name_topics_and_no_request_are_answers():
    async def scenario():
        def script(exchange):
            exchange.faults.nameless = True
            exchange.faults.bad_topics = {DEPTH}
            exchange.faults.muted = {"top.LATE"}

        async with rig(before=script, watch=(ADA, "tiny:spot:LATE")) as r:
            await r.until(lambda: r.state() == "live")
            await r.until(lambda: r.state(DEPTH) == "down")
            await asyncio.sleep(2.5 * FAST.answer_s)
            assert not r.said("tiny.spot", "down")  # nobody waited for an id to come back

    play(scenario)


def test_an_engine_that_stands_still_loses_no_connection():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.engine_runs = False
            r.supervisor.watch({ADA, "tiny:spot:BTC"})
            await asyncio.sleep(3 * FAST.answer_s)
            assert r.exchange.asked("subscribe")["top.BTC"] == 1
            r.engine_runs = True
            await r.until(lambda: r.state("top.BTC") in ("acked", "stale"))
            assert not r.said("tiny.spot", "down")

    play(scenario)


@pytest.mark.slow
def test_everybody_is_back_soon_after_an_outage_and_not_all_in_one_moment():
    pace = hurried(0.05)  # thirty seconds are 1.5 s

    async def scenario():
        async with rig(watch=(ADA, PERP), pace=pace) as r:
            await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "live")
            await r.exchange.stop()
            await asyncio.sleep(30 * 0.05)
            await r.exchange.start()
            begun_s = asyncio.get_running_loop().time()
            await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "live")
            took_s = asyncio.get_running_loop().time() - begun_s
            assert took_s < 8 * 0.05 + 1.0  # the pace is 0.05, the rest is a busy machine

    play(scenario)


def test_the_facts_of_a_connection_count_what_came():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live" and r.said("tiny.rest", "up"))
            one = r.supervisor.facts()
            assert set(one) == {"tiny.spot", "tiny.linear", "tiny.rest"}
            assert one["tiny.spot"].host == f"127.0.0.1:{r.exchange.port}"
            assert one["tiny.linear"].state == "idle"
            await r.until(lambda: r.supervisor.facts()["tiny.spot"].messages > 30)
            spot = r.supervisor.facts()["tiny.spot"]
            assert (spot.state, spot.connects, spot.reason, spot.asks_hour) == ("up", 1, "", 1)
            assert spot.up_s > 0
            assert spot.messages * len('{"topic":"top.ADA"}') < spot.bytes
            before = spot.messages
            r.supervisor.reconnect("tiny.spot")
            await r.until(lambda: len(r.said("tiny.spot", "up")) == 2)
            after = r.supervisor.facts()["tiny.spot"]
            assert after.connects == 2
            assert after.messages >= before
            assert after.reason == "reconnect by hand"
            rest = r.supervisor.facts()["tiny.rest"]
            assert rest.messages == rest.connects >= 3
            assert json.loads(msgspec.json.encode(rest))["state"] == "up"

    play(scenario)


def test_the_real_limits_of_every_venue_are_sane():
    from basisdesk.venues import known_venues

    for venue in known_venues().values():
        limits = Pace().limits(venue.limits)
        assert limits == venue.limits
        assert limits.connects >= 1
        assert 0 <= limits.ping_every_s < 30
        assert limits.send_gap_s <= 0.25  # a greeting of forty symbols would take too long
