"""The scanner against the real venues' limits: its calls by a clock of the test's own.

Weights and limits: Binance spot and USD-M pages, 2026-07 (6,000 and 2,400 a minute, past funding
and intervals together 500 in 5 minutes); OKX 10 calls in 2 s for its slowest pages; Bybit 600 in
5 s; Kraken one a second.
"""

from collections import Counter, deque
from types import SimpleNamespace

import pytest

from basisdesk.feed.faults import Fault
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
HOUR_S = 3_600.0
FULL_HOUR_NS = 1_790_000_000 * 10**9 // (3_600 * 10**9) * (3_600 * 10**9)


class FakeRest:
    """Answers one call a host at a time, and waits so long between two."""

    def __init__(self, venue, now):
        self.venue, self.now = venue, now
        self.waiting = {}
        self.free_s = Counter()
        self.asked = deque()  # (when, host, path)
        self.most = 0
        self.on_scanned = None
        self.fault = None

    def host_of(self, path):
        return rest_host(self.venue, path)

    def scan(self, path, rank):
        assert rank is not Rank.LIVE
        self.waiting[path] = rank
        self.most = max(self.most, len(self.waiting))
        return True

    def mention(self, words):
        """Said to the screen."""

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
                self.on_scanned(path, self.fault)


class Watch:
    """The plan of a whole universe, and every call that comes of it."""

    def __init__(self, monkeypatch, pace, poll_s, seconds, trip_s):
        self.now_s = 1_000.0
        self.pace, self.trip_s = pace, trip_s
        monkeypatch.setattr("basisdesk.feed.scan_feed.mono_s", lambda: self.now_s)
        self.venues = known_venues()
        self.rests = {
            name: FakeRest(venue, lambda: self.now_s) for name, venue in self.venues.items()
        }
        # ten minutes before a full hour
        clock = SimpleNamespace(
            now_ns=lambda: FULL_HOUR_NS + round((self.now_s - 1_000.0 - 600.0) * 1e9)
        )
        self.feed = ScanFeed(self.venues, self.rests, SimpleNamespace(pace=pace, clock=clock))
        self.filled_s = {}
        self.plan = ScanPlan(tuple(NAMES), poll_s, LEGS[:64], LEGS, 90, LEGS)
        self.run(seconds)

    def run(self, seconds):
        """So long on; progress never goes back."""
        begun_s, done = self.now_s, self.feed.done
        while self.now_s < begun_s + seconds:
            self.feed.scan(self.plan)
            self.feed.tick(self.now_s)
            for name, rest in self.rests.items():
                rest.step(self.pace.limits(self.venues[name].limits).rest_gap_s + self.trip_s)
            for (name, host), each in self.feed._hosts.items():
                if each.past.filled == each.past.wanted:
                    self.filled_s.setdefault((name, host), round(self.now_s - begun_s))
            assert self.feed.done >= done
            done = self.feed.done
            self.now_s += TICK_S

    def asked(self, words, since_s=0.0):
        """When each path with one of these words was asked for: [(seconds, path)]."""
        return [
            (at_s, path)
            for rest in self.rests.values()
            for at_s, _, path in rest.asked
            if at_s >= since_s and any(word in path for word in words)
        ]

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


FUNDING = ("fundingRate?", "funding/history?", "funding-rate-history?", "historicalfundingrates?")
MINUTES = ("klines?", "kline?", "candles?", "/1m?", "OHLC?")


def test_settlements_come_again_a_few_minutes_after_each_hour_of_every_perpetual(monkeypatch):
    watch = Watch(monkeypatch, Pace(), 5.0, 2_400.0, 0.1)
    assert watch.feed.waiting == 0
    watch.run(600.0 + 2 * HOUR_S)  # from ten minutes before a full hour to ten before the third
    hour_s = 1_000.0 + 600.0 + HOUR_S
    for turn in range(2):
        begun_s = hour_s + turn * HOUR_S
        asked = [each for each in watch.asked(FUNDING, begun_s) if each[0] < begun_s + HOUR_S]
        assert (
            len({path.split("&startTime")[0] for _, path in asked}) == len(asked) == len(LEGS) // 2
        )
        assert min(at_s for at_s, _ in asked) >= begun_s + 120.0
        assert max(at_s for at_s, _ in asked) <= begun_s + 610.0
    assert watch.feed.done == len(LEGS)
    assert not watch.asked(MINUTES, hour_s)
    weight = lambda path: WEIGHTS.get(path, 1)  # noqa: E731
    assert watch.worst("fapi.binance.com", 60.0, weight) < 2_400 / 3
    funding = lambda path: path == "/fapi/v1/fundingRate"  # noqa: E731
    assert watch.worst("fapi.binance.com", 300.0, funding) < 500 * 2 / 3


@pytest.mark.parametrize(("outage_s", "calls"), [(60.0, 0), (180.0, 120)])
def test_minutes_come_again_after_an_outage_of_more_than_two(monkeypatch, outage_s, calls):
    watch = Watch(monkeypatch, Pace(), 5.0, 2_400.0, 0.1)
    begun_s, rest = watch.now_s, watch.rests["bybit"]
    rest.fault = Fault("refused", "away")
    watch.run(outage_s)
    assert not watch.asked(MINUTES, begun_s)
    rest.fault = None
    watch.run(900.0)
    asked = watch.asked(MINUTES, begun_s)
    assert len({path for _, path in asked}) == len(asked) == calls
    assert not [path for _, path in asked if not path.startswith("/v5/")]
    assert watch.worst("bybit.com", 5.0, lambda _: 1) < 600 / 3
    assert watch.feed.waiting == 0


def test_where_pages_are_rare_their_pace_is_no_outage(monkeypatch):
    watch = Watch(monkeypatch, Pace(), 200.0, 3_000.0, 0.1)
    since_s = watch.now_s
    watch.run(1_000.0)
    assert not watch.asked(MINUTES, since_s)


def test_on_a_fast_demo_settlements_come_at_most_once_a_minute_and_leg(monkeypatch):
    watch = Watch(monkeypatch, Pace(restraint=0.0), 5.0, 60.0, 0.005)
    since_s = watch.now_s
    real = watch.feed._shared.clock.now_ns
    first_ns = real()
    watch.feed._shared.clock.now_ns = lambda: first_ns + 600 * (real() - first_ns)
    watch.run(300.0)  # 50 hours
    counts = Counter(path.split("&startTime")[0] for _, path in watch.asked(FUNDING, since_s))
    assert len(counts) == len(LEGS) // 2
    assert 3 <= min(counts.values()) <= max(counts.values()) <= 6
