"""The scanner against the real venues' limits: its calls by a clock of the test's own.

Weights and limits: Binance spot and USD-M pages, 2026-07 (6,000 and 2,400 a minute, past funding
and intervals together 500 in 5 minutes); OKX 10 calls in 2 s for its slowest pages; Bybit 600 in
5 s; Kraken one a second.
"""

from collections import Counter, deque
from types import SimpleNamespace

import pytest

from basisdesk.clock import SystemClock
from basisdesk.feed.lane import Rank
from basisdesk.feed.pace import Pace
from basisdesk.feed.scan_feed import ScanFeed, ScanPlan
from basisdesk.venues import known_venues, rest_host

COINS = [f"C{n}" for n in range(60)]
NAMES = {
    "binance": ("spot:{}USDT", "perp:{}USDT"),
    "bybit": ("spot:{}USDT", "perp:{}USDT"),
    "okx": ("spot:{}-USDT", "perp:{}-USDT-SWAP"),
    "kraken": ("spot:{}/USD", "perp:PF_{}USD"),
}
LEGS = tuple(
    f"{venue}:{form.format(coin)}"
    for coin in COINS
    for venue, both in NAMES.items()
    for form in both
)
WEIGHTS = {
    "/api/v3/ticker/bookTicker": 4,
    "/fapi/v1/ticker/bookTicker": 5,
    "/fapi/v1/premiumIndex": 10,
    "/api/v3/depth": 5,
    "/fapi/v1/depth": 5,
    "/api/v3/klines": 2,
    "/fapi/v1/klines": 10,
}
TICK_S = 0.25


class FakeRest:
    """Answers one call a host at a time, and waits so long between two."""

    def __init__(self, venue, now):
        self.venue, self.now = venue, now
        self.waiting = {}
        self.free_s = Counter()
        self.asked = deque()  # (when, host, path)
        self.most = 0
        self.on_scanned = None

    def host_of(self, path):
        return rest_host(self.venue, path)

    def scan(self, path, rank):
        assert rank is not Rank.LIVE
        self.waiting[path] = rank
        self.most = max(self.most, len(self.waiting))
        return True

    def forget_scans(self):
        gone = set(self.waiting)
        self.waiting.clear()
        return gone

    def step(self, wait_s):
        for host in {self.host_of(path) for path in self.waiting}:
            while self.free_s[host] <= self.now():
                mine = [(rank, p) for p, rank in self.waiting.items() if self.host_of(p) == host]
                if not mine:
                    break
                path = min(mine, key=lambda item: item[0])[1]
                del self.waiting[path]
                self.free_s[host] = max(self.free_s[host], self.now() - TICK_S) + wait_s
                self.asked.append((self.now(), host, path))
                self.on_scanned(path, None)


class Watch:
    """The plan of a whole universe, and every call that comes of it."""

    def __init__(self, monkeypatch, pace, poll_s, seconds, trip_s):
        self.now_s = 1_000.0
        monkeypatch.setattr("basisdesk.feed.scan_feed.mono_s", lambda: self.now_s)
        venues = known_venues()
        self.rests = {name: FakeRest(venue, lambda: self.now_s) for name, venue in venues.items()}
        shared = SimpleNamespace(pace=pace, clock=SystemClock())
        self.feed = ScanFeed(venues, self.rests, shared)
        self.filled_s = {}
        plan = ScanPlan(tuple(NAMES), poll_s, LEGS[:64], LEGS, 90, LEGS)
        begun_s = self.now_s
        while self.now_s < begun_s + seconds:
            self.feed.scan(plan)
            self.feed.tick(self.now_s)
            for name, rest in self.rests.items():
                rest.step(pace.limits(venues[name].limits).rest_gap_s + trip_s)
            for (name, host), each in self.feed._hosts.items():
                if each.past.filled == each.past.wanted:
                    self.filled_s.setdefault((name, host), round(self.now_s - begun_s))
            self.now_s += TICK_S

    def worst(self, host, window_s, cost):
        """The dearest window of this many seconds at a host."""
        calls = [
            (at_s, cost(path.partition("?")[0]))
            for rest in self.rests.values()
            for at_s, where, path in rest.asked
            if host in where
        ]
        worst = total = 0
        window = deque()
        for at_s, weight in calls:
            window.append((at_s, weight))
            total += weight
            while window[0][0] <= at_s - window_s:
                total -= window.popleft()[1]
            worst = max(worst, total)
        return worst


@pytest.mark.parametrize("poll_s", [1.0, 5.0])
def test_forty_minutes_of_scanning_stay_far_below_every_venues_limits(monkeypatch, poll_s):
    watch = Watch(monkeypatch, Pace(), poll_s, 2_400.0, 0.1)
    weight = lambda path: WEIGHTS.get(path, 1)  # noqa: E731
    rare = lambda path: path in ("/fapi/v1/fundingRate", "/fapi/v1/fundingInfo")  # noqa: E731
    one = lambda _: 1  # noqa: E731
    assert watch.worst("fapi.binance.com", 60.0, weight) < 2_400 / 3
    assert watch.worst("api.binance.com", 60.0, weight) < 6_000 / 3
    assert watch.worst("fapi.binance.com", 300.0, rare) < 500 * 2 / 3
    assert watch.worst("okx.com", 2.0, one) <= 10
    assert watch.worst("bybit.com", 5.0, one) < 600 / 3
    assert watch.worst("api.kraken.com", 10.0, one) <= 10
    assert watch.worst("futures.kraken.com", 10.0, one) <= 10
    assert watch.feed.done == len(LEGS)
    assert watch.feed.waiting == 0
    assert max(rest.most for rest in watch.rests.values()) <= 12


def test_on_our_own_exchange_the_past_of_all_is_there_within_seconds(monkeypatch):
    watch = Watch(monkeypatch, Pace(restraint=0.0), 5.0, 60.0, 0.005)
    assert max(watch.filled_s.values()) < 30
    for rest in watch.rests.values():
        first = min(at_s for at_s, _, path in rest.asked)
        assert first == 1_000.0
        assert rest.most <= 60
