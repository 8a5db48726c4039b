"""A still instrument, a floor of four, and one subscription: Binance's dialect under test."""

import json

from still_rig import NOW_MS, FakeFloor, FakeLeg

from basisdesk.demo.dialect_binance import BinanceDialect
from basisdesk.demo.wire import News, Spec
from basisdesk.venues.binance import Binance

S, P, M = "binance.spot", "binance.public", "binance.market"


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


def make_floor():
    told = (spec("spot"), spec(), spec(base="PEPE", unit=1000), spec(base="OP", interval_h=4))
    return FakeFloor("binance", map(FakeLeg, told))


def news(after_ms=0, **more):
    still = News(
        NOW_MS + after_ms, False, False, 1, {}, {}, 450_000, 450_000, 450_000, (), slow=True
    )
    return still._replace(**more)


def ask(conn, method, params, number=17, have=(), floor=None):
    request = {"method": method, "params": list(params), "id": number}
    return BinanceDialect().hear(
        conn, json.dumps(request).encode(), dict.fromkeys(have), floor or make_floor(), "c-1"
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
