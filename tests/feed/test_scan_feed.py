"""The scanner's polling on a loopback exchange: what is asked, when, and what is not."""

import asyncio
import json

import msgspec
import pytest
from feed_rig import ADA, LIVE_PATHS, SCAN_PATHS, TinyCodec, TinyVenue, eventually, play, rig
from loopback import Answer, loopback
from scan_feed_rig import PAGES, PERPS, PLAN, QUICK, SCAN, SPOTS, answers, asked, paths, whole

from basisdesk.clock import wall_ns
from basisdesk.events import LINK
from basisdesk.feed import scan_feed as scan_module
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.lane import PATHS_MAX, Ask, Rank
from basisdesk.feed.pace import Pace
from basisdesk.feed.scan_feed import ScanPlan
from basisdesk.venues import Limits

pytestmark = pytest.mark.loopback


def test_pages_come_again_and_again_as_frames_of_the_scanner_stamped_and_unread():
    async def scenario():
        def script(exchange):
            exchange.http["/page"] = b'{"data":"caf\xc3\xa9"}'

        async with rig(pace=QUICK, before=script) as r:
            read = []

            class Seen(TinyCodec):
                def decode(self, payload):
                    read.append(json.loads(payload)["path"])
                    return super().decode(payload)

            r.supervisor.rests["tiny"]._codec = Seen()
            before_ns = wall_ns()
            r.supervisor.scan(PLAN)
            await r.until(lambda: min(paths(r)[page] for page in PAGES) >= 4)
            assert set(paths(r)) == set(PAGES)
            (first, *_) = answers(r)
            assert 0 < first.pop("took_ms") < 5_000
            assert first == {"path": PAGES[0], "data": '{"data":"café"}'}
            stamps = [frame.t_ns for frame in r.frames if frame.conn == SCAN]
            assert stamps == sorted(stamps)
            assert before_ns < stamps[0] <= stamps[-1] <= wall_ns()
            assert not any(path.startswith("/page") for path in read)
            assert not any(conn in path for path in paths(r, "tiny.rest") for conn in SCAN_PATHS)
            facts = r.supervisor.facts()
            assert set(facts) == {"tiny.spot", "tiny.linear", "tiny.rest"}
            assert facts["tiny.rest"].messages >= len(answers(r))

    play(scenario)


def test_a_page_is_never_asked_for_twice_at_a_time():
    async def scenario():
        def script(exchange):
            exchange.http["/page"] = Answer(b"{}", delay_s=0.1)

        async with rig(pace=QUICK, before=script) as r:
            (lane,) = r.supervisor.rests["tiny"]._lanes.values()
            # no live call may end one of the scanner's: then it would be asked for again
            await r.until(lambda: not lane.waiting and lane.calls == lane.answers >= 3)
            r.supervisor.scan(whole(PLAN, poll_s=0.01))

            def seen():
                assert lane.waiting <= len(PAGES) + len(LIVE_PATHS)
                for page in PAGES:
                    came = paths(r)[page] + r.inbox.accepted - len(r.frames)
                    assert asked(r, page).count(page) <= came + 1
                return min(paths(r)[page] for page in PAGES) >= 4

            await r.until(seen)

    play(scenario)


def test_what_is_more_urgent_goes_first():
    async def scenario():
        async with rig(pace=QUICK) as r:
            await r.until(lambda: r.said("tiny.rest", "up"))
            (lane,) = r.supervisor.rests["tiny"]._lanes.values()
            await r.until(lambda: not lane.waiting and lane.calls == lane.answers >= 3)
            before = len(r.exchange.requests)
            for rank in reversed(Rank):  # no turn of the loop in between
                if rank is not Rank.LIVE:
                    assert lane.scan(Ask(SCAN, f"/page?{rank}"), rank)
                    assert lane.scan(Ask(SCAN, f"/page?{rank}"), rank)
            lane.want("/all", urgent=False)
            lane.want("/book", urgent=True)
            await r.until(lambda: len(r.exchange.requests) >= before + 6)
            assert r.exchange.requests[before:] == [
                "/book",
                "/all",
                *(f"/page?{rank}" for rank in Rank if rank is not Rank.LIVE),
            ]

    play(scenario)


def test_the_same_path_wanted_live_and_by_the_scanner_comes_in_on_both():
    async def scenario():
        async with rig(pace=QUICK) as r:
            await r.until(lambda: r.said("tiny.rest", "up"))
            rest = r.supervisor.rests["tiny"]
            rest.scan("/all", Rank.PAST)
            rest.want(("/all",))
            await r.until(lambda: paths(r)["/all"] == paths(r, "tiny.rest")["/all"] == 1)

    play(scenario)


def test_a_plan_is_replaced_and_ended():
    async def scenario():
        async with rig(pace=QUICK) as r:
            r.supervisor.scan(whole(PLAN, books=PERPS[:2], legs=(*PERPS[:1], *SPOTS)))
            await r.until(lambda: all(asked(r, f"/levels?leg={leg}") for leg in PERPS[:2]))
            await r.until(lambda: asked(r, f"/interest?leg={PERPS[0]}"))
            assert not asked(r, "/interest?leg=tiny:spot")
            r.supervisor.scan(whole(PLAN, books=(SPOTS[0],)))
            await r.until(lambda: asked(r, f"/levels?leg={SPOTS[0]}"))
            assert not asked(r, f"/levels?leg={PERPS[2]}")
            r.supervisor.scan(None)
            (lane,) = r.supervisor.rests["tiny"]._lanes.values()
            assert not [ask for ask in lane.forget_scans() if ask.conn == SCAN]
            came = len(r.exchange.requests)
            r.supervisor.refill(ADA)
            await r.until(lambda: len(asked(r, "/candles")) == 2)
            assert len(r.exchange.requests) <= came + 3  # one may have been under way
            r.supervisor.scan(PLAN)
            rounds = len(asked(r, "/page"))
            await r.until(lambda: len(asked(r, "/page")) >= rounds + 4)

    play(scenario)


def test_a_wrong_plan_is_refused_whole():
    async def scenario():
        async with rig(pace=QUICK) as r:
            r.supervisor.scan(whole(PLAN, books=PERPS))
            with pytest.raises(KeyError):
                r.supervisor.scan(ScanPlan(venues=("tiny", "nobody")))
            with pytest.raises(ValueError, match="unpack"):
                r.supervisor.scan(whole(PLAN, books=("nonsense",)))
            r.supervisor.scan(whole(PLAN, books=("other:perp:X",)))  # a venue not scanned: nothing
            await r.until(lambda: len(asked(r, "/page")) >= 4)
            assert not asked(r, "/levels?leg=other")

    play(scenario)


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(status=429, headers={"Retry-After": "1"}),
        Answer(status=418, headers={"Retry-After": "1"}),
        Answer(b'{"error":["EAPI:Rate limit exceeded"]}'),
        Answer(b'{"retCode":10006,"retMsg":"Too many visits"}'),
    ],
)
def test_a_refusal_ends_all_calls_to_that_host_for_as_long_as_it_says(refusal):
    pace = msgspec.structs.replace(QUICK, cool_s=1.0)

    async def scenario():
        async with rig(pace=pace) as r:
            await r.until(lambda: len(paths(r, "tiny.rest")) >= 3)
            r.exchange.http["/page"] = [refusal, Answer(b"{}")]
            r.supervisor.scan(whole(PLAN, books=PERPS, past=PERPS, legs=PERPS))
            await r.until(lambda: r.said("tiny.rest", "down"))
            told_ns = next(f.t_ns for f in r.frames if f.conn == LINK and b'"down"' in f.payload)
            before = len(r.exchange.requests)
            assert r.supervisor.facts()["tiny.rest"].next_try_s <= 1.1
            r.supervisor.scan(whole(PLAN, books=SPOTS, past=PERPS, legs=PERPS))  # no way round it
            r.supervisor.refill(ADA)
            await r.until(lambda: len(r.exchange.requests) > before)
            after = [f.t_ns for f in r.frames if f.conn in (SCAN, "tiny.rest") and f.t_ns > told_ns]
            await r.until(lambda: len(paths(r)) > 4)
            assert wall_ns() - told_ns > 1e9
            assert all(at_ns - told_ns >= 1e9 for at_ns in after)
            assert r.said("tiny.rest", "up")

    play(scenario)


def test_a_host_that_refuses_stops_only_itself():
    class TwoHosts(TinyVenue):
        def __init__(self, far):
            super().__init__()
            self.far = far

        @property
        def rest_urls(self):
            return {"/": self.near, "/page?of=perp": self.far}

        near = "http://127.0.0.1:1"

    async def scenario():
        async with loopback() as far:
            far.http["/page"] = Answer(status=429, headers={"Retry-After": "600"})
            venue = TwoHosts(far.http_url)

            def script(exchange):
                venue.near = exchange.http_url

            # no address replaces the venue's own: they are set before the supervisor is made
            async with rig(pace=QUICK, before=script, venue=venue, rest_urls={"x": ""}) as r:
                r.supervisor.scan(PLAN)
                await r.until(lambda: r.said("tiny.rest", "down"))
                before = len(asked(r, PAGES[0]))
                await r.until(lambda: len(asked(r, PAGES[0])) >= before + 5)
                assert len(far.requests) == 1
                assert r.supervisor.facts()["tiny.rest"].next_try_s > 300

    play(scenario)


def test_a_broken_page_holds_up_the_scanner_and_nothing_that_is_watched():
    pace = msgspec.structs.replace(QUICK, first_s=120.0, limit_s=120.0)

    async def scenario():
        def script(exchange):
            exchange.http["/page"] = Answer(status=503)

        async with rig(pace=pace, before=script) as r:
            await r.until(lambda: len(paths(r, "tiny.rest")) >= 3)
            r.supervisor.scan(whole(PLAN, books=PERPS))
            await r.until(lambda: asked(r, "/page"))
            await r.until(lambda: any("scan: " in why for why in r.said("tiny.rest", "up")))
            r.supervisor.refill(ADA)
            r.supervisor._seed("tiny", "/book?topic=tiny.spot/depth.ADA")
            await r.until(lambda: len(asked(r, "/candles")) == 2 and asked(r, "/book"))
            assert not r.said("tiny.rest", "down")
            assert len(asked(r, "/page")) == 1
            assert not asked(r, "/levels")
            r.exchange.http["/page"] = b"{}"
            r.supervisor.reconnect("tiny.rest")  # by hand: at once
            await r.until(lambda: asked(r, "/levels"))

    play(scenario)


def test_a_page_that_does_not_exist_is_said_once_and_rests():
    async def scenario():
        def script(exchange):
            exchange.http["/page"] = Answer(status=404)

        async with rig(pace=QUICK, before=script) as r:
            r.supervisor.scan(whole(PLAN, past=SPOTS))
            await r.until(lambda: r.supervisor.scan_progress() == (6, 6))
            await r.until(lambda: len(asked(r, PAGES[0])) >= 3)
            words = [why for why in r.said("tiny.rest", "up") if "scan" in why]
            assert words == ["scan: no such thing (HTTP 404): /page"]
            assert not r.said("tiny.rest", "down")

    play(scenario)


def test_the_past_is_filled_once_in_order_and_what_failed_is_asked_again():
    async def scenario():
        def script(exchange):
            exchange.http["/minutes"] = [Answer(status=500), Answer(b"{}")]
            exchange.http["/settled"] = [Answer(status=404), Answer(b"{}")]

        async with rig(pace=QUICK, before=script) as r:
            legs = (*PERPS[:3], *SPOTS[:2])
            assert r.supervisor.scan_progress() == (0, 0)
            plan = whole(PLAN, past=legs, past_days=30)
            r.supervisor.scan(plan)
            assert r.supervisor.scan_progress() == (0, 5)
            await r.until(lambda: r.supervisor.scan_progress() == (5, 5))
            await r.until(lambda: sum("leg=" in path for path in paths(r)) == 8)
            minutes = list(dict.fromkeys(asked(r, "/minutes")))
            assert minutes == [f"/minutes?leg={leg}" for leg in legs]
            assert len(asked(r, "/minutes")) == 6
            assert len(asked(r, "/settled")) == 4
            assert asked(r, "/settled")[-1].endswith("days=30")
            r.supervisor.scan(None)
            r.supervisor.scan(whole(plan, past=legs[::-1]))
            assert r.supervisor.scan_progress() == (5, 5)
            r.supervisor.scan(whole(plan, past=(*legs, PERPS[5])))
            await r.until(lambda: r.supervisor.scan_progress() == (6, 6))
            assert len(asked(r, "/minutes")) == 7
            r.supervisor.scan(whole(plan, past=(PERPS[5],), past_days=90))  # more of it is wanted
            await r.until(lambda: asked(r, f"/settled?leg={PERPS[5]}&days=90"))

    play(scenario)


def test_hundreds_of_legs_wait_outside_the_lanes_and_not_any_number(monkeypatch):
    monkeypatch.setattr(scan_module, "LEGS_MAX", 300)

    async def scenario():
        legs = tuple(f"tiny:perp:N{n}" for n in range(500))
        async with rig(pace=QUICK, venue=TinyVenue(limits=Limits(rest_gap_s=1.0))) as r:
            r.supervisor.scan(whole(PLAN, poll_s=2.0, books=legs, legs=legs, past=legs))
            (lane,) = r.supervisor.rests["tiny"]._lanes.values()
            most = 0

            def seen():
                nonlocal most
                most = max(most, lane.waiting)
                return len(asked(r, "/minutes")) >= 3

            await r.until(seen)
            assert most <= len(PAGES) + 3 + len(LIVE_PATHS)
            assert r.supervisor.scan_progress()[1] == 300

    play(scenario)


def test_a_lane_that_is_full_takes_no_more_of_the_scanner_and_all_that_is_live():
    async def scenario():
        async with rig(pace=QUICK) as r:
            await r.until(lambda: len(paths(r, "tiny.rest")) >= 3)
            rest = r.supervisor.rests["tiny"]
            (lane,) = rest._lanes.values()
            lane._scans_from_s = float("inf")
            for n in range(PATHS_MAX):
                assert rest.scan(f"/page?n={n}", Rank.PAST)
            assert not rest.scan("/page?n=more", Rank.PAGE)
            r.supervisor.scan(whole(PLAN, past=PERPS))
            rest.want(("/all",))
            await r.until(lambda: paths(r, "tiny.rest")["/all"] == 1)
            assert len(rest.forget_scans()) == PATHS_MAX
            lane.retry()
            await r.until(lambda: r.supervisor.scan_progress() == (6, 6))

    play(scenario)


def test_after_an_overflow_the_pages_are_read_anew():
    async def scenario():
        class Hourly(TinyVenue):
            def scan_every_s(self, path):
                return 3_600.0 if path == PAGES[0] else 0.0

        def script(exchange):
            exchange.http["/page"] = [Answer(b"{}"), Answer(b" " * 9_000), Answer(b"{}")]

        inbox = Inbox(limit_bytes=8_000)
        async with rig(pace=QUICK, before=script, inbox=inbox, venue=Hourly()) as r:
            r.supervisor.scan(PLAN)
            await r.until(lambda: any(c.state == "overflow" for c in r.changes))
            assert r.inbox.dropped[SCAN]
            await r.until(lambda: len(asked(r, PAGES[0])) == 2)
            await r.until(lambda: paths(r)[PAGES[1]] >= 2)

    play(scenario)


def test_stopping_in_the_middle_leaves_nothing_alive():
    async def scenario():
        def script(exchange):
            exchange.http["/minutes"] = Answer(b"{}", delay_s=0.2)

        plan = whole(PLAN, books=PERPS, past=PERPS, legs=PERPS)
        async with rig(pace=QUICK, before=script) as r:  # the rig looks at what is left
            r.supervisor.scan(plan)
            await r.until(lambda: asked(r, "/minutes"))
            for _ in range(100):  # every second, all day long
                r.supervisor.scan(plan)
                await asyncio.sleep(0)

    play(scenario)


@pytest.mark.slow
def test_where_no_restraint_is_needed_all_is_there_within_seconds():
    async def scenario():
        legs = tuple(f"tiny:perp:N{n}" for n in range(60))
        async with rig(pace=Pace(restraint=0.0)) as r:
            r.supervisor.scan(ScanPlan(("tiny",), 5.0, legs, legs, 90, legs))
            await eventually(lambda: set(PAGES) <= set(paths(r)), 10.0)
            await eventually(lambda: len([p for p in paths(r) if "/levels" in p]) == 60, 20.0)
            await eventually(lambda: r.supervisor.scan_progress() == (60, 60), 20.0)

    play(scenario)
