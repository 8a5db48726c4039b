"""Two minutes of the simulated market in OKX's words: the desk's book follows without a gap."""

from collections import Counter

import pytest

from basisdesk.demo.dialect_okx import OkxDialect
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.listings import by_symbol
from basisdesk.demo.market import Market
from basisdesk.demo.wire import Topic
from basisdesk.events import BookUpdate, Quote
from basisdesk.market.book import Book
from basisdesk.venues.okx import Okx

C = "okx.public"
NOW_MS = 1_790_134_712_400
PULSES = 400


@pytest.fixture(scope="module")
def market():
    return Market(1, "mixed", NOW_MS)


@pytest.mark.parametrize(
    "key", ["okx:perp:PEPE-USDT-SWAP", "okx:spot:BTC-USDT", "okx:perp:BTC-USDT-SWAP"]
)
def test_the_book_follows_and_its_top_is_the_quote(market, key):
    _, kind, symbol = key.split(":")
    spec = by_symbol("okx", kind)[symbol]
    leg = SimLeg(market.leg(spec), 1, market.depth, NOW_MS)
    dialect, venue, book, seen = OkxDialect(), Okx(), Book(), Counter()
    venue.contracts[symbol] = spec.unit
    codec = venue.codec(C)
    topics = [Topic(text, *text.split(":")) for text in venue.topics(key)[C]]
    memory = {topic.text: {} for topic in topics}

    def take(messages):
        for message in messages:
            for event in codec.decode(message):
                seen[type(event).__name__] += 1
                assert event.instrument == key
                if isinstance(event, BookUpdate):
                    assert book.apply(event) == ""
                elif isinstance(event, Quote):
                    seen["bid"] = event.bid

    for topic in topics:
        take(dialect.greet(C, topic, leg, memory[topic.text], NOW_MS))
    for number in range(1, PULSES + 1):
        news = leg.pulse(NOW_MS + 100 * number, slow=True)
        for topic in topics:
            take(dialect.say(C, topic, leg, memory[topic.text], news))
        bid, bid_lots, ask, ask_lots = leg.touch
        tick, lot = float(spec.tick), float(spec.lot) * spec.unit
        expected = (bid * tick, bid_lots * lot, ask * tick, ask_lots * lot)
        assert book.best() == pytest.approx(expected, rel=1e-12)
        assert seen["bid"] == pytest.approx(bid * tick, rel=1e-12)
    assert seen["BookUpdate"] > PULSES // 2
    assert seen["Trade"] > 10
    assert book.duplicates == book.ignored == 0
