import asyncio
import json

import pytest
from feed_rig import FAST, PERP, TinyCodec, hurried, play, rig
from loopback import Answer

from basisdesk.events import LINK
from basisdesk.feed import lane as lane_module
from basisdesk.feed.pace import Pace

pytestmark = pytest.mark.loopback


def rest_answers(r):
    return [json.loads(p) for p in r.payloads("tiny.rest")]


def test_answers_become_frames_with_path_and_text():
    async def scenario():
        def script(exchange):
            exchange.http["/rules"] = b'{"retCode":0,"caf\xc3\xa9":1}'

        async with rig(before=script) as r:
            await r.until(lambda: any("/rules" in a["path"] for a in rest_answers(r)))
            (answer,) = [a for a in rest_answers(r) if "/rules" in a["path"]]
            took_ms = answer.pop("took_ms")
            assert answer == {"path": "/rules?symbol=ADA", "data": '{"retCode":0,"café":1}'}
            assert 0 < took_ms < 5_000
            assert r.said("tiny.rest", "up") == [""]

    play(scenario)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=500), "HTTP 500"),
        (Answer(status=404), "no such thing"),
        (Answer(status=429, headers={"Retry-After": "0"}), "too many requests"),
        (Answer(status=301, headers={"Location": "http://127.0.0.1:1/"}), "not followed"),
        (Answer(body=b"nonsense"), "unreadable answer (json)"),
        (Answer(body=b'{"error":["EGeneral:Too many requests"]}'), "too many requests"),
        (Answer(delay_s=1.0), "timed out"),
        (Answer(body=b"x" * 5000), "answer over"),
    ],
)
def test_a_failed_call_is_said_and_repeated_without_blocking_the_others(answer, words, monkeypatch):
    monkeypatch.setattr(lane_module, "BODY_BYTES_MAX", 4000)

    async def scenario():
        def script(exchange):
            exchange.http["/rules"] = [answer, Answer(b'{"fine":1}')]

        async with rig(pace=Pace().scaled(0.005), before=script) as r:
            await r.until(lambda: any("/candles" in a["path"] for a in rest_answers(r)))
            await r.until(lambda: any("fine" in a["data"] for a in rest_answers(r)))
            assert any(words in reason for reason in r.said("tiny.rest", "down"))
            await r.until(lambda: [c.state for c in r.changes if c.conn == "tiny.rest"][-1] == "up")
            assert r.state() == "live"

    play(scenario)


def test_a_call_that_never_makes_sense_is_given_up():
    async def scenario():
        def script(exchange):
            exchange.http["/rules"] = b"nonsense"

        async with rig(pace=hurried(0.001), before=script) as r:
            await r.until(lambda: any("given up" in x for x in r.said("tiny.rest", "down")))
            tries = sum(target.startswith("/rules") for target in r.exchange.requests)
            assert tries == lane_module.ODD_MAX
            assert any("/candles" in a["path"] for a in rest_answers(r))

    play(scenario)


@pytest.mark.slow
def test_nobody_listening_is_said():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live" and r.said("tiny.rest", "up"))
            await r.exchange.stop()
            r.supervisor.refill("tiny:spot:ADA")
            assert await r.until(lambda: any("refused" in x for x in r.said("tiny.rest", "down")))
            await r.exchange.start()
            assert await r.until(lambda: len(r.said("tiny.rest", "up")) == 2)

    play(scenario)


@pytest.mark.slow
def test_after_an_outage_past_funding_is_fetched_again_and_candles_when_it_was_long():
    async def scenario():
        async with rig(watch=(PERP,)) as r:
            count = lambda path: sum(path in t for t in r.exchange.requests)  # noqa: E731
            await r.until(lambda: count("/funding") == 1 and count("/candles") == 1)
            await r.until(lambda: r.state(conn="tiny.linear") == "live")
            r.supervisor.reconnect("tiny.linear")
            await r.until(lambda: count("/funding") == 2)
            await r.exchange.stop()
            await asyncio.sleep(FAST.refill_s)
            await r.exchange.start()
            await r.until(lambda: count("/candles") == 2 and count("/funding") == 3)
            assert count("/rules") == 2

    play(scenario)


class HourClock:
    """A clock that a test sets; it creeps on a nanosecond a look."""

    def __init__(self, now_ns):
        self.at_ns = now_ns

    def now_ns(self):
        self.at_ns += 1
        return self.at_ns


def test_past_funding_is_fetched_shortly_after_each_full_hour():
    hour_ns = 3_600 * 10**9

    async def scenario():
        clock = HourClock(1_700_000_000 * 10**9 // hour_ns * hour_ns)
        async with rig(watch=(PERP,), clock=clock) as r:
            count = lambda path: sum(path in t for t in r.exchange.requests)  # noqa: E731
            await r.until(lambda: count("/funding") >= 1 and r.state(conn="tiny.linear") == "live")
            before = count("/funding")
            clock.at_ns += hour_ns - 10**9 - before
            await r.until(lambda: len(r.payloads("desk.beat")) > 3)
            already = count("/funding")
            clock.at_ns += 20 * 10**9
            await r.until(lambda: count("/funding") == already + 1)
            clock.at_ns += 120 * 10**9
            await r.until(lambda: count("/funding") == already + 2)
            assert count("/candles") == 1

    play(scenario)


@pytest.mark.slow
def test_server_time_is_asked_again_and_again():
    async def scenario():
        async with rig(pace=hurried(0.001)) as r:  # every 600 s is 0.6 s
            await r.until(lambda: sum("/time" in t for t in r.exchange.requests) >= 3)
            assert all(frame.conn != LINK or frame.payload for frame in r.frames)

    play(scenario)


def test_lists_of_instruments_are_not_read_on_the_loop_only_to_see_whether_they_can_be(monkeypatch):
    async def scenario():
        async with rig() as r:
            rest, read = r.supervisor.rests["tiny"], []

            class Seen(TinyCodec):
                def decode(self, payload):
                    read.append(json.loads(payload)["path"])
                    return super().decode(payload)

            monkeypatch.setattr(rest, "_codec", Seen())
            r.supervisor.catalogue("tiny")
            path = lambda name: [a for a in rest_answers(r) if a["path"].startswith(name)]  # noqa: E731
            await r.until(lambda: path("/all") and path("/candles"))
            assert "/all" not in read
            assert any(each.startswith("/candles") for each in read)

    play(scenario)


def test_an_urgent_call_that_waits_already_goes_first():
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.said("tiny.rest", "up"))
            (lane,) = r.supervisor.rests["tiny"]._lanes.values()
            await r.until(lambda: not lane.waiting)
            asked = r.exchange.requests
            r.exchange.http["/late"] = [Answer(b"nonsense"), Answer(b"{}")]
            lane.want("/late", urgent=True)
            await r.until(lambda: r.said("tiny.rest", "down"))  # put off, as it makes no sense
            assert lane.waiting == 1
            before = len(asked)
            for path in ("/all", "/time", "/rules"):  # no turn of the loop in between
                lane.want(path, urgent=False)
            lane.want("/late", urgent=True)
            assert lane.waiting == 4
            await r.until(lambda: len(asked) >= before + 4)
            assert asked[before] == "/late"
            assert asked.count("/late") == 2

    play(scenario)
