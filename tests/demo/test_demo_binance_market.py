"""A minute of the simulated market in Binance's words: the desk's book follows without a gap."""

import json
from collections import Counter

import pytest

from basisdesk.demo.dialect_binance import BinanceDialect
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.listings import by_symbol
from basisdesk.demo.market import Market
from basisdesk.events import BookUpdate, Quote
from basisdesk.market.book import Book
from basisdesk.venues.binance import Binance

NOW_MS = 1_790_134_712_400
PULSES = 400
SEEDED = 21


class OneLeg:
    """A floor with one instrument."""

    def __init__(self, leg):
        self.only = leg

    def specs(self, venue, market):
        return [self.only.spec]

    def leg(self, venue, market, symbol):
        return self.only

    def now_ms(self, venue):
        return NOW_MS


@pytest.fixture(scope="module")
def market():
    return Market(1, "mixed", NOW_MS)


class Desk:
    """The streams of one leg as the desk follows them: codecs, the book, the last quote."""

    def __init__(self, leg):
        self.leg, self.venue, self.dialect = leg, Binance(), BinanceDialect()
        self.book, self.seen, self.bid = Book(), Counter(), 0.0
        self.lines = []
        for conn, names in self.venue.topics(leg.spec.key).items():
            path = f"/stream?streams={'/'.join(names)}"
            codec = self.venue.codec(conn)
            added = self.dialect.hello(conn, path, NOW_MS).added
            self.lines += [(conn, codec, topic, {}) for topic in added]

    def hear(self, news):
        for conn, codec, topic, memory in self.lines:
            for payload in self.dialect.say(conn, topic, self.leg, memory, news):
                self.take(codec.decode(payload))

    def seed(self):
        conn, _, topic, _ = next(line for line in self.lines if "depth" in line[2].text)
        path = self.venue.seed_path(conn, topic.text)
        body = self.dialect.page(path, OneLeg(self.leg)).body.decode()
        frame = json.dumps({"path": path, "data": body}).encode()
        self.take(self.venue.codec("binance.rest").decode(frame))

    def take(self, events):
        for event in events:
            self.seen[type(event).__name__] += 1
            assert event.instrument == self.leg.spec.key
            if isinstance(event, BookUpdate):
                self.seen[self.book.apply(event)] += 1
            elif isinstance(event, Quote):
                self.bid = event.bid


@pytest.mark.parametrize(
    "key", ["binance:spot:ADAUSDT", "binance:perp:1000PEPEUSDT", "binance:perp:BTCUSDT"]
)
def test_the_book_follows_and_its_top_is_the_quote(market, key):
    """Pulses of 25 ms, messages of 100 ms, the snapshot asked for in the middle of both."""
    _, kind, symbol = key.split(":")
    spec = by_symbol("binance", kind)[symbol]
    leg = SimLeg(market.leg(spec), 1, market.depth, NOW_MS)
    desk = Desk(leg)
    for number in range(1, PULSES + 1):
        desk.hear(leg.pulse(NOW_MS + 25 * number, slow=number % 4 == 0))
        if number == SEEDED:
            early = desk.seen["nosnapshot"]
            desk.seed()
        if number > SEEDED + 7 and number % 4 == 0:
            bid, bid_lots, ask, ask_lots = leg.touch
            tick, lot = float(spec.tick) / spec.price_unit, float(spec.lot) * spec.unit
            expected = (bid * tick, bid_lots * lot, ask * tick, ask_lots * lot)
            assert desk.book.best() == pytest.approx(expected, rel=1e-12)
            assert desk.bid == pytest.approx(bid * tick, rel=1e-12)
    assert desk.seen["BookUpdate"] > PULSES // 8
    assert desk.seen["Trade"] > 0
    assert desk.seen["gap"] == desk.seen["crossed"] == 0
    assert 0 < early <= desk.seen["nosnapshot"] <= early + 2
    assert desk.book.valid
