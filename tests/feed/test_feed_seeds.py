"""Books that come over HTTP, several sockets and hosts per venue, and what is fetched regularly."""

import asyncio
import json
from collections.abc import Mapping

import msgspec
import pytest
from feed_rig import ADA, FAST, PERP, TOP, TinyVenue, hurried, play, rig
from loopback import Answer, loopback

from basisdesk.feed.pace import Pace
from basisdesk.venues import TopicRule

pytestmark = pytest.mark.loopback
SEEDED = ("top", "diff")


def flow(exchange):
    exchange.snapshots["diff.ADA"] = [b'{"topic":"diff.ADA"}']


def books(r):
    return [target for target in r.exchange.requests if target.startswith("/book")]


def test_a_seeded_book_is_fetched_once_after_its_first_update():
    async def scenario():
        async with rig(venue=TinyVenue(kinds=SEEDED), before=flow) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: r.state("diff.ADA") == "live")
            assert books(r) == ["/book?topic=tiny.spot/diff.ADA"]
            await asyncio.sleep(3 * FAST.seed_s)
            assert len(books(r)) == 1

    play(scenario)


def test_after_a_gap_the_book_is_fetched_again_without_a_new_subscription():
    async def scenario():
        async with rig(venue=TinyVenue(kinds=SEEDED), before=flow) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: r.state("diff.ADA") == "live")
            asked = r.exchange.asked("subscribe")["diff.ADA"]
            r.exchange.publish("diff.ADA", b'{"topic":"diff.ADA","gap":true}')
            await r.until(lambda: r.state("diff.ADA") == "resync")
            r.exchange.publish("diff.ADA", b'{"topic":"diff.ADA"}')
            await r.until(lambda: r.state("diff.ADA") == "live")
            assert len(books(r)) == 2
            assert r.exchange.asked("subscribe")["diff.ADA"] == asked == 1

    play(scenario)


def test_a_book_that_cannot_be_fetched_is_tried_with_patience():
    async def scenario():
        def broken(exchange):
            flow(exchange)
            exchange.http["/book"] = Answer(b"no such symbol", 404)

        pace = msgspec.structs.replace(Pace().scaled(0.02), first_s=100.0)  # HTTP itself waits long
        async with rig(pace=pace, venue=TinyVenue(kinds=SEEDED), before=broken) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: books(r))
            await asyncio.sleep(30 * 0.02)
            assert len(books(r)) <= 5
            assert r.state() == "live"
            assert not r.said("tiny.spot", "down")

    play(scenario)


def test_a_book_is_fetched_before_everything_else_that_waits():
    async def scenario():
        limits = msgspec.structs.replace(TinyVenue().limits, rest_gap_s=0.1 / 0.05)
        venue = TinyVenue(kinds=SEEDED, limits=limits)
        watch = [ADA, *(f"tiny:spot:S{n}" for n in range(10))]
        async with rig(venue=venue, watch=watch, before=flow) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: books(r))
            assert len(r.exchange.requests) <= 6  # of the 22 that waited before it

    play(scenario)


def test_a_book_that_should_bring_its_snapshot_is_fetched_when_it_does_not():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state("depth.ADA") == "live")
            (stream,) = [s for i, s in r.market.streams.items() if "depth" in i]
            r.exchange.faults.muted = {"depth.ADA"}

            def lose(*_):
                stream.state = "resync"

            while not books(r):
                lose()
                await asyncio.sleep(0.01)
            assert r.exchange.asked("unsubscribe")["depth.ADA"] >= 3
            assert books(r)[0] == "/book?topic=tiny.spot/depth.ADA"

    play(scenario)


class Routed(TinyVenue):
    """A perpetual that needs two sockets, and a venue of two HTTP hosts."""

    endpoints: Mapping[str, str] = {**TinyVenue.endpoints, "tiny.market": "wss://tiny.invalid/m"}
    rest_urls: Mapping[str, str] = {"/": "https://a.invalid", "/funding": "https://b.invalid"}

    def topics(self, instrument):
        both = super().topics(instrument)
        return {**both, "tiny.market": ("mark.ADA",)} if ":perp:" in instrument else both

    def rule(self, conn, topic):
        return TopicRule("ticker") if topic == "mark.ADA" else super().rule(conn, topic)


def test_a_leg_of_two_sockets_is_asked_for_on_both_and_mended_on_either():
    async def scenario():
        async with rig(venue=Routed(), watch=(PERP,)) as r:
            await r.until(lambda: r.state(TOP, "tiny.linear") == "live")
            await r.until(lambda: r.state("mark.ADA", "tiny.market") != "unknown")
            r.exchange.publish("mark.ADA", b'{"topic":"mark.ADA"}')
            await r.until(lambda: r.market.streams["tiny.market/mark.ADA"].heard_ns > 0)
            assert not [c for c in r.changes if c.conn == "tiny.spot"]
            funding = lambda: sum("/funding" in t for t in r.exchange.requests)  # noqa: E731
            await r.until(lambda: funding() == 1)
            r.supervisor.reconnect("tiny.market")
            await r.until(lambda: funding() == 2)  # what may have been missed on it

    play(scenario)


def test_each_path_goes_to_its_host_and_one_that_is_gone_holds_up_no_other(monkeypatch):
    async def scenario():
        async with loopback() as other:
            other.http["/funding"] = b"{}"
            venue = Routed()
            async with rig(venue=venue, watch=(PERP,)) as first:  # one address replaces both hosts
                await first.until(lambda: any("/funding" in t for t in first.exchange.requests))
                await first.until(lambda: any("/rules" in t for t in first.exchange.requests))
                here = first.exchange.http_url
                venue.rest_urls = {"/": here, "/funding": other.http_url}
                async with rig(venue=venue, watch=(PERP,), rest_urls={"else": ""}) as r:
                    await r.until(lambda: other.requests)
                    assert all(t.startswith("/funding") for t in other.requests)
                    await r.until(lambda: r.said("tiny.rest", "up"))
                    await other.stop()
                    r.supervisor.refill(PERP)
                    await r.until(lambda: "refused" in r.supervisor.facts()["tiny.rest"].reason)
                    seen = len([t for t in first.exchange.requests if "/candles" in t])
                    r.supervisor.refill(PERP)
                    await r.until(
                        lambda: len([t for t in first.exchange.requests if "/candles" in t]) > seen
                    )
                    assert r.supervisor.facts()["tiny.rest"].state == "down"
                    await other.start()
                    await r.until(lambda: r.supervisor.facts()["tiny.rest"].state == "up")

    play(scenario)


def test_the_instruments_of_a_venue_are_fetched_when_asked_and_then_every_hour():
    async def scenario():
        async with rig(pace=hurried(0.0001)) as r:  # an hour is 0.36 s
            count = lambda: r.exchange.requests.count("/all")  # noqa: E731
            assert count() == 0
            r.supervisor.catalogue("tiny")
            await r.until(lambda: count() == 1)
            await r.until(lambda: count() >= 3)

    play(scenario)


def test_a_venue_that_is_not_used_is_not_asked():
    async def scenario():
        async with rig(pace=hurried(0.0001), watch=()) as r:
            await asyncio.sleep(0.5)
            assert not r.exchange.requests
            assert not r.exchange.connects

    play(scenario)


def test_the_venues_clock_is_known_to_half_a_round_trip():
    async def scenario():
        def script(exchange):
            exchange.http["/time"] = Answer(json.dumps({"ms": 0}).encode(), delay_s=0.2)

        async with rig(before=script) as r:
            rest = r.supervisor.rests["tiny"]
            told = lambda: [f for f in r.frames if f.payload.startswith(b'{"path":"/time"')]  # noqa: E731
            await r.until(told)
            assert 200 <= rest.trip_ms < 1_000
            (frame,) = told()
            took_ms = json.loads(frame.payload)["took_ms"]
            assert took_ms == pytest.approx(rest.trip_ms, abs=0.1)
            assert rest.clock_ms == pytest.approx(frame.t_ns / 1e6 - took_ms / 2, abs=1.0)

    play(scenario)
