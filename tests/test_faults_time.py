"""Clocks and calendars that misbehave: our time goes on, labels alone know of zones."""

import os
import time

import pytest

from basisdesk import clock as clock_module
from basisdesk.clock import SystemClock
from basisdesk.config import Settings
from basisdesk.events import BEAT, Frame, Quote
from basisdesk.lab.replay import fresh_engine
from basisdesk.lab.stamp import utc_text
from basisdesk.ui.axis import clock_words, time_ticks, zone_of

HOUR_NS = 3_600_000_000_000


class Stepped:
    """The time module with a wall clock that a test sets and a monotonic one that just runs."""

    def __init__(self):
        self.wall = 1_700_000_000_000_000_000
        self.mono = 5_000_000_000

    def time_ns(self):
        return self.wall

    def monotonic_ns(self):
        return self.mono

    def pass_s(self, seconds):
        self.wall += round(seconds * 1e9)
        self.mono += round(seconds * 1e9)


@pytest.mark.parametrize("step_ns", [HOUR_NS, -HOUR_NS, 3_000_000])
def test_a_stepped_wall_clock_moves_neither_time_nor_ages(monkeypatch, step_ns):
    machine = Stepped()
    monkeypatch.setattr(clock_module, "time", machine)
    clock = SystemClock()
    engine = fresh_engine(Settings(), None)
    key = "bybit:spot:ADAUSDT"
    start_ns = clock.now_ns()
    venue_ms = start_ns // 1_000_000
    quote = Quote(key, "bybit.spot/orderbook.1.ADAUSDT", 0.36, 5, 0.37, 5, venue_ms, 1)
    engine.market.apply(quote, start_ns)
    seen = []
    for second in range(1, 4):
        machine.pass_s(1.0)
        machine.wall += step_ns * (second == 2)
        engine.advance([Frame(BEAT, b"", clock.now_ns())])
        seen.append(engine.now_ns - start_ns)
        assert engine.market.leg(key).age_ms(engine.now_ns) == pytest.approx(1_000 * second)
    assert seen == [1_000_000_000, 2_000_000_000, 3_000_000_000]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no tzset")
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "UTC"])
def test_another_time_zone_changes_labels_only(zone):
    t_s = 1_730_611_800  # 2024-11-03T05:30Z: half an hour before New York's clocks go back
    before = os.environ.get("TZ")
    clock = SystemClock(start_ns=t_s * 1_000_000_000)
    os.environ["TZ"] = zone
    time.tzset()
    try:
        assert utc_text(t_s * 1_000_000_000) == "2024-11-03T05:30:00.000Z"
        assert 0 <= clock.now_ns() - t_s * 1_000_000_000 < 60_000_000_000
        assert clock_words(t_s, utc=True) == "05:30:00 UTC"
        local = {"America/New_York": "01:30:00 EDT", "Asia/Kathmandu": "11:15:00 +0545"}
        assert clock_words(t_s, utc=False) == local.get(zone, "05:30:00 UTC")
        _, offset_s = zone_of(utc=False, t_s=t_s)
        ticks = time_ticks(t_s, t_s + 7_200, 8, offset_s)
        assert ticks == sorted(set(ticks))  # an hour that comes twice on a wall is one hour each
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
