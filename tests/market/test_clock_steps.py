"""A venue whose clock is set: prices stay live, and messages that truly waited stay old."""

import pytest

from basisdesk.config import Settings
from basisdesk.events import BookUpdate, Quote
from basisdesk.market.state import Market

KEY = "bybit:spot:ADAUSDT"
HOUR_MS = 3_600_000
T0_MS = 1_700_000_000_000


class Heard:
    """One leg that hears a quote (or its book) every 100 ms, 50 ms after the venue's stamp."""

    def __init__(self, depth):
        self.market = Market(Settings())
        self.depth = depth
        self.at_ms = T0_MS
        self.number = 0

    def hear(self, count, ahead_ms=0, waited_ms=50):
        for _ in range(count):
            self.at_ms += 100
            self.number += 1
            stamp, t_ns = self.at_ms - waited_ms + ahead_ms, self.at_ms * 1_000_000
            if self.depth:
                event = BookUpdate(
                    KEY, "bybit.spot/orderbook.50.ADAUSDT", True,
                    [(0.36, 5.0)], [(0.37, 5.0)], self.number, stamp,
                )  # fmt: skip
            else:
                stream = "bybit.spot/orderbook.1.ADAUSDT"
                event = Quote(KEY, stream, 0.36, 5.0, 0.37, 5.0, stamp, self.number)
            self.market.apply(event, t_ns)

    def age_ms(self):
        return self.market.leg(KEY).age_ms(self.at_ms * 1_000_000)


@pytest.fixture(params=[False, True], ids=["top", "book"])
def heard(request):
    made = Heard(request.param)
    made.hear(20)
    assert made.age_ms() == 0.0
    return made


@pytest.mark.parametrize("ahead_ms", [HOUR_MS, 10_000])
def test_a_clock_that_was_ahead_for_a_moment_leaves_no_old_prices(heard, ahead_ms):
    heard.hear(20, ahead_ms)
    assert heard.age_ms() == 0.0
    heard.hear(1)
    assert heard.age_ms() < 1.0
    heard.hear(20)
    assert heard.age_ms() < 1.0


def test_a_clock_that_is_set_back_is_believed(heard):
    heard.hear(20, -HOUR_MS)
    assert heard.age_ms() == 0.0


def test_after_a_leap_and_back_waiting_is_still_seen(heard):
    heard.hear(20, HOUR_MS)
    heard.hear(20)
    heard.hear(3, waited_ms=4_050)
    assert heard.age_ms() == pytest.approx(4_000, abs=1)


def test_a_backlog_is_no_clock_that_was_set(heard):
    heard.at_ms += 60_000  # the desk froze; what was sent meanwhile is read now, oldest first
    heard.hear(1, waited_ms=60_000)
    assert heard.age_ms() == pytest.approx(59_950, abs=1)
    heard.hear(1, waited_ms=59_000)
    assert heard.age_ms() == pytest.approx(58_950, abs=1)
