"""The same feeds on the loop the desk runs on."""

import asyncio

import pytest
import qasync
from feed_rig import ADA, PAYLOAD, PERP, play, rig

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
            await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "down")
            await r.exchange.start()
            await r.until(lambda: r.state() == r.state(conn="tiny.linear") == "live")

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
            await r.until(lambda: r.state() == "live")

    on_qt(scenario)


def test_a_flood_leaves_the_loop_its_turns_and_timers_do_not_pile_up(on_qt):
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
