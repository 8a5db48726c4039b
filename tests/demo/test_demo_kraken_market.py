"""Kraken's dialect over the simulated market: real legs of the demo, read back by the codec."""

import msgspec
import pytest

from basisdesk.demo.dialect_kraken import KrakenDialect
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.listings import by_symbol, specs_of
from basisdesk.demo.market import Market
from basisdesk.demo.wire import Topic
from basisdesk.events import BookUpdate, Ticker
from basisdesk.venues.instrument import Instruments
from basisdesk.venues.kraken import FUTURES, REST, SPOT, Kraken

NOW = 1_790_179_800_000


@pytest.fixture(scope="module")
def market():
    return Market(7, "mixed", NOW)


def leg_of(market, where, symbol):
    quoted = market.find(f"kraken:{where}:{symbol}")
    return SimLeg(quoted, 7, lambda _ms: 1.0, NOW)


class Floor:
    """The floor of the demo, with legs made when they are asked for."""

    def __init__(self, market):
        self.market = market

    def specs(self, venue, where):
        return specs_of(venue, where)

    def leg(self, venue, where, symbol):
        assert venue == "kraken"
        known = symbol in by_symbol("kraken", where)
        return leg_of(self.market, where, symbol) if known else None

    def now_ms(self, _venue):
        return NOW


@pytest.mark.parametrize(
    ("where", "conn", "symbol", "depth"),
    [
        ("spot", SPOT, "ADA/USD", 10),
        ("spot", SPOT, "BTC/USD", 10),
        ("spot", SPOT, "PEPE/USD", 10),
        ("spot", SPOT, "USDT/USD", 10),
        ("perp", FUTURES, "PF_XBTUSD", 20),
        ("perp", FUTURES, "PF_PEPEUSD", 20),
    ],
)
def test_simulated_books_read_back(market, where, conn, symbol, depth):
    dialect, leg, memory = KrakenDialect(), leg_of(market, where, symbol), {}
    codec, topic = Kraken().codec(conn), Topic(f"book:{symbol}", "book", symbol, "10")
    said = list(dialect.greet(conn, topic, leg, memory, NOW))
    sides, seq, updates = ({}, {}), None, 0
    for at in range(1, 600):
        said += dialect.say(conn, topic, leg, memory, leg.pulse(NOW + at * 100, slow=True))
        for event in (event for message in said for event in codec.decode(message)):
            assert isinstance(event, BookUpdate), event
            assert event.snapshot or event.prev == seq
            seq, updates = event.seq, updates + 1
            for side, levels in zip(sides, (event.bids, event.asks), strict=True):
                side.update(levels)
                for price in [price for price, size in side.items() if not size]:
                    del side[price]
            assert max(sides[0]) < min(sides[1])
        said = []
        assert max(sides[0]) == float(leg.price_text(leg.touch[0]))
        assert min(sides[1]) == float(leg.price_text(leg.touch[2]))
        for side, levels in zip(sides, leg.sides(), strict=True):
            assert (where == "perp" and at % 5) or side == {
                float(leg.price_text(tick)): float(leg.size_text(lots))
                for tick, lots in list(levels.items())[:depth]
            }
    assert updates > 300


def test_simulated_tickers_read_back(market):
    dialect, leg = KrakenDialect(), leg_of(market, "perp", "PF_ADAUSD")
    topic = Topic("ticker:PF_ADAUSD", "ticker", "PF_ADAUSD")
    codec, memory = Kraken().codec(FUTURES), {}
    events = []
    for at in range(1, 100):
        news = leg.pulse(NOW + at * 100, slow=True)
        for message in dialect.say(FUTURES, topic, leg, memory, news):
            events += codec.decode(message)
            view = leg.view()
            assert isinstance(events[-1], Ticker)
            assert events[-1].mark == view.mark_price
            assert events[-1].rate == pytest.approx(view.rate, abs=1e-12)
            assert events[-1].next_ms == view.next_funding_ms
            assert events[-1].next_ms % 3_600_000 == 0
    assert len(events) == 10


def test_every_listing_of_the_demo_is_described_as_it_is(market):
    dialect, codec = KrakenDialect(), Kraken().codec(REST)
    seen = {}
    for path in Kraken().catalogue():
        page = dialect.page(path, Floor(market))
        frame = msgspec.json.encode({"path": path, "data": page.body.decode()})
        for event in codec.decode(frame):
            if isinstance(event, Instruments):
                seen |= {row.key: row for row in event.rows}
    specs = {spec.key: spec for where in ("spot", "perp") for spec in specs_of("kraken", where)}
    assert seen.keys() == specs.keys()
    for key, spec in specs.items():
        row = seen[key]
        assert (row.base, row.quote, row.multiplier) == (spec.base, spec.quote, 1)
        assert float(row.tick) == float(spec.tick)
        assert float(row.lot) == float(spec.lot)
        if spec.market == "perp":
            assert row.leverage_max == int(float(spec.leverage_max))
            assert len(row.tiers) == len(spec.tiers)


def test_history_of_the_demo_reads_back(market):
    venue, dialect, codec = Kraken(), KrakenDialect(), Kraken().codec(REST)
    counts = []
    for key in ("kraken:spot:DOGE/USD", "kraken:perp:PF_XBTUSD"):
        for path in venue.backfill(key, NOW):
            page = dialect.page(path, Floor(market))
            assert page.status == 200
            frame = msgspec.json.encode({"path": path, "data": page.body.decode()})
            event = codec.decode(frame)[0]
            counts.append((path.rpartition("/")[2].partition("?")[0], len(event.rows)))
            if not isinstance(event, Instruments):
                assert event.instrument == key
    assert [count for name, count in counts if name in ("OHLC", "1m")] == [719, 720, 720]
    assert dict(counts)["historicalfundingrates"] > 20
