"""A venue of a few words: what a topic carries stands in its name. "book:ADA/USDT" and so on."""

from collections.abc import Mapping

from market_events import T0, ns

from basisdesk.events import BookUpdate, LinkChange, Quote, Ticker
from basisdesk.venues import TopicRule

LEG, PERP, WS = "tiny:spot:ADA/USDT", "tiny:perp:ADA/USDT", "tiny.ws"
NAN = float("nan")

RULES = {
    "top": TopicRule("top", 1),
    "book": TopicRule("book", 20, stateful=True),
    "diffs": TopicRule("book", 1000, stateful=True, seeded=True),
    "trade": TopicRule("trades", awaited=False),
    "mark": TopicRule("ticker"),
    "index": TopicRule("ticker"),
    "funding": TopicRule("ticker"),
    "promised": TopicRule("top", 1, quiet_s=6.0),
    "combo": TopicRule("combo", 25, stateful=True),
}


class TinyVenue:
    """Only what the market asks of a venue. book: which topic is the depth of every leg."""

    def __init__(self, name: str = "tiny", book: str = "diffs") -> None:
        self.name = name
        self._book = book

    def rule(self, conn: str, topic: str) -> TopicRule:
        return RULES.get(topic.partition(":")[0], TopicRule())

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        symbol = instrument.split(":")[2]
        return {f"{self.name}.ws": (f"top:{symbol}", f"{self._book}:{symbol}")}


def top(ms, bid=100.0, ask=101.0, seq=None, topic="top:ADA/USDT", venue_ms=None, key=LEG):
    stamp = T0 + ms if venue_ms is None else venue_ms
    return Quote(key, f"{WS}/{topic}", bid, 5.0, ask, 6.0, stamp, ms if seq is None else seq)


def book(ms, prev, seq, bids=(), asks=(), topic="diffs", snapshot=False):
    stream = f"{WS}/{topic}:ADA/USDT"
    return BookUpdate(LEG, stream, snapshot, list(bids), list(asks), seq, T0 + ms, prev)


def seed(seq, bids=((100.0, 5.0),), asks=((101.0, 6.0),)):
    return BookUpdate(LEG, "", True, list(bids), list(asks), seq, 0)


def said(ms, stream="mark", mark=NAN, index=NAN, interest=NAN, rate=NAN, hours=0.0, next_ms=0):
    name = f"{WS}/{stream}:ADA/USDT"
    return Ticker(PERP, name, mark, index, interest, rate, hours, next_ms, 0.0, T0 + ms)


def ask(market, *topics, ms=0, req_id="1"):
    market.link(LinkChange(WS, "asked", req_id=req_id, topics=topics), ns(ms))
    return market.streams[f"{WS}/{topics[0]}"]
