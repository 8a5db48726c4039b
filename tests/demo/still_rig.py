"""An instrument that stands still, and a floor of such: what a dialect speaks of in a test."""

from basisdesk.demo.wire import Candle, Day, View

NOW_MS = 1_790_134_712_400
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


class FakeLeg:
    """An instrument that stands still unless a test moves it. kept_ms: how far its candles go."""

    def __init__(self, described, rate=-0.0000321, last=None, kept_ms=48 * HOUR_MS):
        self.spec = described
        self.touch = (8215, 125, 8216, 310)
        self.touch_id = 88_120_045
        self.book_id = 450_000
        self.last = last
        self.rate = rate
        self.mark = 0.82164
        self._kept_ms = kept_ms

    def sides(self):
        return {8215: 125, 8214: 900}, {8216: 310, 8219: 40}

    def view(self):
        hours = self.spec.interval_h
        return View(NOW_MS, 0.82151, self.mark, self.rate, 0.0000455, NOW_MS + 1_000, hours, 215e6)

    def day(self):
        return Day(0.83, 0.8, 0.81, 0.82, 11e6, 9e6)

    def candles(self, since_ms, until_ms):
        first = max(since_ms, NOW_MS - NOW_MS % MINUTE_MS - self._kept_ms)
        first += -first % MINUTE_MS
        return [
            Candle(t, 0.82, 0.83, 0.81, 0.8215 + (t // MINUTE_MS % 7) / 10_000, 8_100.0)
            for t in range(first, min(until_ms, NOW_MS + 1), MINUTE_MS)
        ]

    def settlements(self):
        apart_ms = (self.spec.interval_h or 8) * HOUR_MS
        begun = NOW_MS - NOW_MS % apart_ms
        return [(begun - n * apart_ms, n / 1e5, 0.82) for n in (2, 1, 0)]

    def price_text(self, ticks):
        return f"{ticks * float(self.spec.tick):.{self.spec.tick_decimals}f}"

    def size_text(self, lots):
        return f"{lots * float(self.spec.lot):.{self.spec.lot_decimals}f}"

    def flood(self, count):
        self.touch_id += count
        return [(8215 - n % 3, 125 + n, 8216 - n % 3, 310) for n in range(count)]


class FakeFloor:
    """These instruments, all of one venue, at one time."""

    def __init__(self, venue, legs, now_ms=NOW_MS):
        self.legs = {(leg.spec.market, leg.spec.symbol): leg for leg in legs}
        self._venue = venue
        self._now_ms = now_ms

    def specs(self, venue, market):
        assert venue == self._venue
        return [leg.spec for (where, _), leg in self.legs.items() if where == market]

    def leg(self, venue, market, symbol):
        assert venue == self._venue
        return self.legs.get((market, symbol))

    def now_ms(self, venue):
        assert venue == self._venue
        return self._now_ms
