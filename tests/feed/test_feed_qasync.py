"""The same feeds on the loop the desk runs on."""

import asyncio

import msgspec
import pytest
import qasync
from feed_rig import ADA, FAST, PAYLOAD, PERP, TinyVenue, play, rig

from basisdesk.venues import Limits

pytestmark = pytest.mark.loopback


@pytest.fixture
def on_qt(qapp):
    """Runs a scenario on a Qt event loop of its own."""
    made = []

    def factory():
        made.append(qasync.QEventLoop(qapp))
        return made[-1]

    yield lambda scenario: play(scenario, factory)
    assert all(loop.is_closed() for loop in made)


def test_connect_lose_and_come_back(on_qt):
    async def scenario():
        async with rig(watch=(ADA, PERP)) as r:
            await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "live")
            await r.until(lambda: len(r.payloads("tiny.rest")) >= 4)
            await r.exchange.stop()
            assert await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "down")
            await r.exchange.start()
            assert await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "live")

    on_qt(scenario)


def test_a_half_open_socket_is_cut(on_qt):
    async def scenario():
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            r.market.quiet_ns = 10**18
            r.exchange.faults.hold = True
            await r.until(lambda: r.said("tiny.spot", "down"))
            assert "silent for" in r.said("tiny.spot", "down")[0]
            r.exchange.faults.hold = False
            assert await r.until(lambda: r.state() == "live")

    on_qt(scenario)


def test_fault_28_a_flood_leaves_the_loop_its_turns_and_timers_do_not_pile_up(on_qt):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with rig() as r:
            await r.until(lambda: r.state() == "live")
            worst_s, seen = 0.0, len(r.payloads("tiny.spot"))
            for _ in range(10):
                r.exchange.flood(PAYLOAD, 500)
                before = loop.time()
                await asyncio.sleep(0.01)
                worst_s = max(worst_s, loop.time() - before)
            await r.until(lambda: len(r.payloads("tiny.spot")) >= seen + 5_000)
            assert worst_s < 0.5
            timers = loop._timer._SimpleTimer__callbacks  # qasync keeps dead timers here
            assert len(timers) < 60

    on_qt(scenario)


def test_renewals_and_paced_requests_leave_no_timers_behind(on_qt):
    async def scenario():
        loop = asyncio.get_running_loop()
        timers = lambda: len(loop._timer._SimpleTimer__callbacks)  # noqa: E731
        pace = msgspec.structs.replace(FAST, renew_again_s=0.02)
        limits = Limits(send_gap_s=0.01 / 0.05, connect_gap_s=0.0, asks_h=480)
        async with rig(pace=pace, venue=TinyVenue(limits=limits)) as r:
            await r.until(lambda: r.state() == "live")
            stream = r.market.streams["tiny.spot/top.ADA"]
            stream.story.clear()
            before = timers()
            for n in range(40):  # forty symbols looked at, one after the other
                r.supervisor.watch({ADA, f"tiny:spot:S{n}"})
                await asyncio.sleep(0.03)
            assert timers() <= before + 100  # one for each HTTP call, none for each message ...
            await r.until(lambda: timers() <= before + 10)  # ... and they end
            for n in range(1, 6):
                r.exchange.blurt(b'{"notice":"upgrade","closing":true}')
                await r.until(lambda n=n: r.supervisor.facts()["tiny.spot"].renewals >= n)
            assert timers() <= before + 30  # one for each connect and one for each overlap
            assert stream.story == []

    on_qt(scenario)
