"""One host's calls in turn: the scanner makes way, is cut sooner, and pays for its own refusals."""

import asyncio
import gc
import itertools
import random
import ssl
from collections import Counter
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec
import pytest
import trustme
from feed_rig import eventually, play

from basisdesk.clock import mono_s
from basisdesk.feed.lane import Ask, Lane, Rank
from basisdesk.feed.names import Names
from basisdesk.feed.pace import Pace
from basisdesk.feed.tasks import spawn
from basisdesk.venues import Limits

pytestmark = pytest.mark.loopback
SCANS = [rank for rank in Rank if rank is not Rank.LIVE]
# No deadline ends anything unless a test says so: what happens has another cause.
PATIENT = msgspec.structs.replace(Pace(), tick_s=0.01, rest_timeout_s=600.0, scan_timeout_s=600.0)


class Host:
    """A server of its own words: "/hang" is never answered, "/no" is refused, the rest is {}."""

    def __init__(self):
        self.open = self.most = 0
        self.asked = []
        self.refusal = b"Retry-After: 7\r\n"

    async def talk(self, reader, writer):
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while line := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(line.split()[1].decode())
                if self.asked[-1] == "/hang":
                    await reader.read()
                    break
                head = b"429 Too Many Requests\r\n" + self.refusal
                head = head if self.asked[-1] == "/no" else b"200 OK\r\n"
                writer.write(b"HTTP/1.1 " + head + b"Content-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def lane_of(pace, scheme="http", talk=None):
    """A lane at work on a host: (lane, host, what was told of it)."""
    host, told = Host(), SimpleNamespace(answers=[], scanned=[], states=[])
    server = await asyncio.start_server(talk or host.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tls = None
    if scheme == "https":
        authority = trustme.CA()
        tls = ssl.create_default_context()
        authority.configure_trust(tls)
    shared = SimpleNamespace(pace=pace, rng=random.Random(1), tls=tls, names=Names(), proxy="")
    take = lambda ask, body, _: told.answers.append(ask)  # noqa: E731
    lane = Lane("t.rest", f"{scheme}://127.0.0.1:{port}", Limits(rest_gap_s=0.0), shared, take)
    lane.on_scanned = lambda path, fault: told.scanned.append((path, fault))
    lane.on_state = lambda lane, reason: told.states.append((lane.state, reason))

    async def watch():
        while True:
            lane.tick(mono_s())
            await asyncio.sleep(0.01)

    tasks = [spawn(lane.run(), "lane"), spawn(watch(), "watch")]
    try:
        yield lane, host, told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
        await server.wait_closed()
        await eventually(lambda: not host.open)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.mark.parametrize("rank", SCANS)
@pytest.mark.parametrize("urgent", [True, False])
def test_a_scan_call_under_way_makes_way_for_a_live_one(rank, urgent):
    async def scenario():
        async with lane_of(PATIENT) as (lane, host, told):
            assert lane.scan(Ask("t.scan", "/hang"), rank)
            await eventually(lambda: "/hang" in host.asked)
            lane.want("/book", urgent)
            await eventually(lambda: told.answers)
            assert told.answers == [Ask("t.rest", "/book")]
            assert [(path, fault.how) for path, fault in told.scanned] == [("/hang", "yielded")]
            assert told.states == [("up", "")]  # it counts as no fault
            assert lane.away_s(mono_s()) == 0.0
            assert not lane._odd
            assert lane.scan(Ask("t.scan", "/page"), rank)
            await eventually(lambda: Ask("t.scan", "/page") in told.answers)

    play(scenario)


def test_a_live_call_that_was_put_off_ends_a_scan_call_when_it_is_due():
    async def scenario():
        async with lane_of(PATIENT) as (lane, host, told):
            lane.scan(Ask("t.scan", "/hang"), Rank.PAGE)
            await eventually(lambda: "/hang" in host.asked)
            lane._jobs[Rank.LIVE][Ask("t.rest", "/late")] = mono_s() + 0.05
            await eventually(lambda: told.answers == [Ask("t.rest", "/late")])

    play(scenario)


def test_a_live_call_is_not_ended_by_another():
    async def scenario():
        async with lane_of(PATIENT) as (lane, host, _):
            lane.want("/hang", urgent=False)
            await eventually(lambda: host.asked == ["/hang"])
            lane.want("/book", urgent=True)
            for _ in range(20):
                lane.tick(mono_s())
                await asyncio.sleep(0)
            assert lane._scanning is None
            assert host.asked == ["/hang"]
            assert host.open == 1

    play(scenario)


def test_making_way_again_and_again_leaves_no_socket_and_no_task():
    async def scenario():
        async with lane_of(PATIENT) as (lane, host, told):
            for turn in range(1, 31):
                lane.scan(Ask("t.scan", "/hang"), Rank.PAGE)
                await eventually(lambda: host.asked.count("/hang") == turn)  # noqa: B023
                lane.want(f"/book?{turn}", urgent=True)
                await eventually(lambda: len(told.answers) == turn)  # noqa: B023
                await eventually(lambda: host.open <= 1)
                assert len(asyncio.all_tasks()) <= 5  # this, two of the rig, two of the server
            assert host.most <= 2
            assert Counter(fault.how for _, fault in told.scanned) == {"yielded": 30}

    play(scenario)


def test_a_handshake_that_makes_way_leaves_no_socket():
    begun, ended = [], []

    async def mute(reader, writer):  # takes the connection and says nothing
        while await reader.read(1_000):
            begun.append(1)
        ended.append(1)
        writer.close()

    async def scenario():
        async with lane_of(PATIENT, "https", mute) as (lane, _, told):
            await calls(lane, told)

    async def calls(lane, told):
        lane.scan(Ask("t.scan", "/page"), Rank.PAGE)
        await eventually(lambda: begun)
        lane.want("/book", urgent=True)
        await eventually(lambda: len(told.scanned) == 1)
        assert told.scanned[0][1].how == "yielded"
        await eventually(lambda: lane.calls == 2 and ended)

    gc.collect()
    gc.disable()  # it would close what nobody holds any more, later
    try:
        play(scenario)
    finally:
        gc.enable()


def test_the_scanner_has_a_deadline_of_its_own():
    pace = msgspec.structs.replace(PATIENT, scan_timeout_s=0.2)

    async def scenario():
        async with lane_of(pace) as (lane, host, told):
            lane.scan(Ask("t.scan", "/hang"), Rank.PAGE)
            await eventually(lambda: told.scanned)
            assert [(path, fault.reason) for path, fault in told.scanned] == [
                ("/hang", "timed out")
            ]
            assert told.states == []  # the host is there: only the scanner waits
            lane.want("/book", urgent=False)
            await eventually(lambda: told.answers)
            await eventually(lambda: host.open <= 1)

    play(scenario)
    assert Pace().scan_timeout_s == 5.0


def test_what_the_scanner_earned_holds_live_calls_exactly_as_long_as_the_venue_says():
    async def scenario():
        async with lane_of(PATIENT) as (lane, _, told):
            lane.scan(Ask("t.scan", "/no"), Rank.PAGE)
            await eventually(lambda: told.states)
            assert told.states == [("down", "too many requests (HTTP 429); next try in 7 s")]
            assert lane._pause._until_s - mono_s() <= 7.0
            assert lane._pause._until_s - mono_s() > 0.0
            assert lane._scans_from_s >= lane._pause._until_s - 0.5

    play(scenario)


def test_refusals_of_the_scanner_double_its_own_wait_and_not_that_of_others():
    pace = msgspec.structs.replace(PATIENT, cool_s=100.0, cool_max_s=900.0)

    async def scenario():
        async with lane_of(pace) as (lane, host, told):
            host.refusal = b""
            lane.scan(Ask("t.scan", "/no"), Rank.PAGE)
            for turn in itertools.count(1):
                await eventually(lambda: len(told.states) == turn and lane._staying_away)  # noqa: B023
                now_s = mono_s()
                assert lane._pause.left_s(now_s) <= 100.0
                if turn == 4:
                    assert lane._scans_from_s - now_s > 750.0
                    break
                lane.retry()  # by hand: the scanner is refused once more
            lane._pause.cut()  # 100 s later: live calls go, the scanner waits on
            lane.want("/book", urgent=False)
            await eventually(lambda: told.answers == [Ask("t.rest", "/book")])
            assert host.asked == ["/no"] * 4 + ["/book"]

    play(scenario)
