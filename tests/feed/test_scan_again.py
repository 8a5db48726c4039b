"""What the scanner asks for again, and what it will not take; on a loopback exchange."""

import pytest
from feed_rig import play, rig
from scan_feed_rig import PAGES, PERPS, PLAN, QUICK, SPOTS, asked, paths, whole

from basisdesk.feed import lane as lane_module

pytestmark = pytest.mark.loopback


def test_a_page_too_long_for_the_scanner_is_refused_and_said_once(monkeypatch):
    monkeypatch.setattr(lane_module, "SCAN_BYTES_MAX", 4_000)

    async def scenario():
        def script(exchange):
            exchange.http["/page"] = b'{"of":"' + b"x" * 4_000 + b'"}'
            exchange.http["/all"] = b'{"of":"' + b"y" * 4_000 + b'"}'

        async with rig(pace=QUICK, before=script) as r:
            r.supervisor.scan(PLAN)
            await r.until(lambda: len(asked(r, PAGES[0])) >= 4)
            assert not paths(r)
            words = [why for why in r.said("tiny.rest", "up") if "scan" in why]
            assert words == ["scan: answer over 0 MiB: /page"]
            assert not r.said("tiny.rest", "down")
            r.supervisor.catalogue("tiny")  # for what is watched it is not too long
            await r.until(lambda: paths(r, "tiny.rest")["/all"] == 1)

    play(scenario)


def test_the_scanner_takes_less_than_what_is_watched():
    assert lane_module.SCAN_BYTES_MAX == 4 * 2**20 < lane_module.BODY_BYTES_MAX


def test_settlements_are_asked_for_again_after_the_hour_and_the_fill_stays_done():
    hour_ns = 3_600 * 10**9

    class HourClock:
        at_ns = 1_790_000_000 * 10**9 // hour_ns * hour_ns

        def now_ns(self):
            self.at_ns += 1
            return self.at_ns

    async def scenario():
        clock = HourClock()
        async with rig(pace=QUICK, clock=clock) as r:
            r.supervisor.scan(whole(PLAN, past=(*PERPS[:2], *SPOTS[:2])))
            await r.until(lambda: r.supervisor.scan_progress() == (4, 4))
            assert len(asked(r, "/settled")) == 2
            clock.at_ns += hour_ns + 130 * 10**9  # 2 min after it the first leg's turn
            await r.until(lambda: len(asked(r, "/settled")) == 3)
            assert r.supervisor.scan_progress() == (4, 4)
            clock.at_ns += 480 * 10**9
            await r.until(lambda: len(asked(r, "/settled")) == 4)
            assert [path.split("leg=")[1].split("&")[0] for path in asked(r, "/settled")] == [
                *PERPS[:2],
                *PERPS[:2],
            ]
            assert len(asked(r, "/minutes")) == 4
            assert r.supervisor.scan_progress() == (4, 4)

    play(scenario)


def test_after_a_sleep_of_the_machine_the_minutes_are_asked_for_again():
    async def scenario():
        async with rig(pace=QUICK) as r:
            r.supervisor.scan(whole(PLAN, past=SPOTS[:2]))
            await r.until(lambda: r.supervisor.scan_progress() == (2, 2) and len(paths(r)) >= 4)
            r.supervisor._wall_lead_s -= 30.0
            rounds = len(asked(r, PAGES[0]))
            await r.until(lambda: len(asked(r, PAGES[0])) >= rounds + 4)
            assert len(asked(r, "/minutes")) == 2  # half a minute is no hole worth it
            r.supervisor._wall_lead_s -= 300.0
            await r.until(lambda: len(asked(r, "/minutes")) == 4)
            assert r.supervisor.scan_progress() == (2, 2)

    play(scenario)
