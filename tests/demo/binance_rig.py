"""A still instrument, a floor of four, and one subscription: Binance's dialect under test."""

import json

from basisdesk.demo.dialect_binance import BinanceDialect
from basisdesk.demo.wire import Candle, Day, News, Spec, View
from basisdesk.venues.binance import Binance

S, P, M = "binance.spot", "binance.public", "binance.market"
NOW_MS = 1_790_134_712_400
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def spec(market="perp", base="ADA", unit=1, **more):
    symbol = {1000: "1000", 1: ""}[unit] + base + "USDT"
    told = Spec(
        venue="binance",
        market=market,
        symbol=symbol,
        base=base,
        quote="USDT",
        unit=float(unit),
        price_unit=float(unit),
        tick="0.0001",
        lot="0.1",
        tick_decimals=4,
        lot_decimals=1,
        min_lots=10,
        min_notional="5",
        max_lots=5_200_000,
        leverage_max="75",
        interval_h=8 if market == "perp" else 0,
        funding_cap=0.0075,
        sector="L1",
    )
    return told._replace(**more)


class FakeLeg:
    """An instrument that stands still unless a test moves it."""

    def __init__(self, described):
        self.spec = described
        self.touch = (8215, 125, 8216, 310)
        self.touch_id = 88_120_045
        self.book_id = 450_000
        self.last = None
        self.rate = -0.0000321

    def sides(self):
        return {8215: 125, 8214: 900}, {8216: 310, 8219: 40}

    def view(self):
        hours = self.spec.interval_h
        return View(NOW_MS, 0.82151, 0.82164, self.rate, 0.0000455, NOW_MS + 1_000, hours, 215e6)

    def day(self):
        return Day(0.83, 0.8, 0.81, 0.82, 11e6, 9e6)

    def candles(self, since_ms, until_ms):
        first = since_ms + -since_ms % MINUTE_MS
        return [
            Candle(t, 0.82, 0.83, 0.81, 0.8215 + (t // MINUTE_MS % 7) / 10_000, 8_100.0)
            for t in range(first, min(until_ms, NOW_MS + 1), MINUTE_MS)
        ]

    def settlements(self):
        begun = NOW_MS - NOW_MS % (8 * HOUR_MS)
        return [(begun - n * 8 * HOUR_MS, n / 1e5, 0.82) for n in (2, 1, 0)]

    def price_text(self, ticks):
        return f"{ticks * float(self.spec.tick):.{self.spec.tick_decimals}f}"

    def size_text(self, lots):
        return f"{lots * float(self.spec.lot):.{self.spec.lot_decimals}f}"

    def flood(self, count):
        self.touch_id += count
        return [(8215 - n % 3, 125 + n, 8216 - n % 3, 310) for n in range(count)]


class FakeFloor:
    def __init__(self):
        told = (spec("spot"), spec(), spec(base="PEPE", unit=1000), spec(base="OP", interval_h=4))
        self.legs = {(each.market, each.symbol): FakeLeg(each) for each in told}

    def specs(self, venue, market):
        assert venue == "binance"
        return [leg.spec for (where, _), leg in self.legs.items() if where == market]

    def leg(self, venue, market, symbol):
        assert venue == "binance"
        return self.legs.get((market, symbol))

    def now_ms(self, venue):
        assert venue == "binance"
        return NOW_MS


def news(after_ms=0, **more):
    still = News(
        NOW_MS + after_ms, False, False, 1, {}, {}, 450_000, 450_000, 450_000, (), slow=True
    )
    return still._replace(**more)


def ask(conn, method, params, number=17, have=(), floor=None):
    request = {"method": method, "params": list(params), "id": number}
    return BinanceDialect().hear(
        conn, json.dumps(request).encode(), dict.fromkeys(have), floor or FakeFloor(), "c-1"
    )


class Line:
    """One subscription of one leg: what is said, and what the codec makes of it."""

    def __init__(self, conn, name, leg):
        self.dialect, self.codec = BinanceDialect(), Binance().codec(conn)
        self.conn, self.leg, self.memory = conn, leg, {}
        (self.topic,) = self.dialect.hello(conn, f"/stream?streams={name}", 0).added

    def raw(self, said):
        return self.dialect.say(self.conn, self.topic, self.leg, self.memory, said)

    def say(self, said):
        return [event for payload in self.raw(said) for event in self.codec.decode(payload)]


def page(floor, path, status=200):
    answer = BinanceDialect().page(path, floor)
    assert answer.status == status
    return json.loads(answer.body)


def rest(floor, path):
    """What the codec makes of a page."""
    answer = BinanceDialect().page(path, floor)
    frame = json.dumps({"path": path, "data": answer.body.decode()}).encode()
    return Binance().codec("binance.rest").decode(frame)
