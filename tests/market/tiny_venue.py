"""A venue of a few words: what a topic carries stands in its name. "book:ADA/USDT" and so on."""

from collections.abc import Mapping

from basisdesk.venues import TopicRule

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
