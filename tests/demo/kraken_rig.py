"""A leg of random books that the Kraken dialect speaks for, and a floor that holds such legs."""

import random

from still_rig import FakeFloor

from basisdesk.demo.wire import Candle, Day, News, Print, Spec, View

NOW = 1_790_179_812_345
MINUTE = 60_000
LEVELS = 50
TIERS = (("1000000", "0.01", "0.02", "50", "0"), ("5000000", "0.02", "0.04", "25", "0"))

SPOT = Spec(
    "kraken", "spot", "ADA/USD", "ADA", "USD", 1.0, 1.0, "0.000001", "0.00000001", 6, 8,
    440_000_000, "0.5", 10**15, "1", 0, 0.0, "L1",
)  # fmt: skip
PERP = Spec(
    "kraken", "perp", "PF_ADAUSD", "ADA", "USD", 1.0, 1.0, "0.00001", "1", 5, 0, 1, "0", 10**7,
    "50", 1, 0.0025, "L1", TIERS,
)  # fmt: skip
BITCOIN = PERP._replace(
    symbol="PF_XBTUSD", base="BTC", tick="1", lot="0.0001", tick_decimals=0, lot_decimals=4
)
SPOT_BITCOIN = SPOT._replace(symbol="BTC/USD", base="BTC", tick="0.1", tick_decimals=1)
PEPE = PERP._replace(symbol="PF_PEPEUSD", base="PEPE", tick="1e-10", lot="1000", tick_decimals=10)


class FakeLeg:
    """A book of 50 levels a side that jumps about, with gaps, deletions and thin moments."""

    def __init__(self, spec=SPOT, seed=0, middle=800_000):
        self.spec = spec
        self.rng = random.Random(seed)
        self.middle = middle
        self.now_ms = NOW
        self.book_id = 1_000 + seed
        self.touch_id = 1
        self.number = 7
        self.last = None
        self.bids, self.asks = {}, {}
        self.move()

    def move(self):
        """Redraw some of the book around a middle that walks, and now and then far away."""
        rng = self.rng
        step = rng.choice((0, 0, 0, 1, -1, 3, -3, 40, -40))
        self.middle = max(2_000, self.middle + step)
        self.bids = self._side(self.bids, -1)
        self.asks = self._side(self.asks, +1)

    def _side(self, before, way):
        rng = self.rng
        depth = rng.choice((LEVELS, LEVELS, LEVELS, 12, 4))
        ticks = {self.middle + way * at for at in range(1, LEVELS + 8) if rng.random() < 0.9}
        ticks = sorted(ticks, key=lambda tick: way * tick)[:depth]
        keep = rng.random()
        return {
            tick: before[tick]
            if tick in before and rng.random() < keep
            else rng.choice((1, 7, 1_000, 123_456_789, 10**9))
            for tick in ticks
        }

    def pulse(self, quotes=1, prints=0):
        """Move on by 100 ms: the News of it."""
        before = dict(self.bids), dict(self.asks)
        best = self.touch
        self.move()
        self.now_ms += 100
        self.book_id += 1
        self.touch_id += self.touch != best
        rows = [self._print() for _ in range(prints)]
        return News(
            self.now_ms, self.touch != best, False, quotes, _changes(before[0], self.bids),
            _changes(before[1], self.asks), self.book_id, self.book_id, self.book_id - 1, rows,
            self.now_ms % 1000 == 345,
        )  # fmt: skip

    def _print(self):
        self.number += 1
        buy = self.rng.random() < 0.5
        self.last = Print(self.now_ms, buy, self.touch[2 if buy else 0], 5, self.number)
        return self.last

    @property
    def touch(self):
        bid, ask = next(iter(self.bids)), next(iter(self.asks))
        return bid, self.bids[bid], ask, self.asks[ask]

    def sides(self):
        return self.bids, self.asks

    def view(self):
        next_ms = NOW // 3_600_000 * 3_600_000 + 3_600_000
        return View(self.now_ms, 0.80012, 0.80031, 1.25e-05, 1e-05, next_ms, 1, 1_234_567.0)

    def day(self):
        return Day(0.85, 0.75, 0.79, 0.8, 5_000_000.0, 4_000_000.0)

    def candles(self, since_ms, until_ms):
        first = -(-since_ms // MINUTE) * MINUTE
        return [
            Candle(at, 0.8, 0.81, 0.79, 0.8 + at // MINUTE % 100 / 1e4, 10.0)
            for at in range(first, min(until_ms, self.now_ms + 1), MINUTE)
        ]

    def settlements(self):
        hour = NOW // 3_600_000 * 3_600_000
        return [(hour - at * 3_600_000, 1e-05 * at, 0.8) for at in range(5, 0, -1)]

    def price_text(self, ticks):
        digits = self.spec.tick_decimals
        return f"{ticks // 10**digits}.{ticks % 10**digits:0{digits}d}" if digits else str(ticks)

    def size_text(self, lots):
        digits = self.spec.lot_decimals
        return f"{lots // 10**digits}.{lots % 10**digits:0{digits}d}" if digits else str(lots)

    def flood(self, count):
        bid, bid_lots, ask, ask_lots = self.touch
        return [(bid - at % 3, bid_lots + at, ask - at % 3, ask_lots + at) for at in range(count)]


def _changes(before, after):
    out = {tick: 0 for tick in before if tick not in after}
    out.update((tick, lots) for tick, lots in after.items() if before.get(tick) != lots)
    return out


def make_floor():
    """Two spot pairs and three perpetuals."""
    specs = (SPOT, SPOT_BITCOIN, PERP, BITCOIN, PEPE)
    legs = (FakeLeg(spec, seed) for seed, spec in enumerate(specs))
    return FakeFloor("kraken", legs, NOW)
