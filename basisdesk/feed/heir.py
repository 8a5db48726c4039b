"""A second socket of a connection, and what it brings until it has all that the first one has.

The desk's own codec sees nothing of it before the change. Then it gets what is news: of streams
that build on each other all that was held back, of trades those that the old socket has not
brought, of all others the last message where it is newer than the old socket's.

So no trade is lost or doubled where a venue sends the same bytes to both sockets. What remains:
one that puts other bytes around the same trades (a stamp of the sending machine, another grouping)
has them come twice, for as long as both sockets were open; and a trade from before the new socket
was subscribed is lost where the old one was late with it by the whole overlap.
"""

from collections.abc import Callable, Collection, Iterable

from basisdesk.clock import mono_s
from basisdesk.errors import BadFrame
from basisdesk.events import (
    Ack,
    BookLost,
    BookUpdate,
    ComboQuote,
    Heard,
    Notice,
    Quote,
    Ticker,
    Trade,
)
from basisdesk.feed.overlap import LastWord, Prints
from basisdesk.feed.wire import Wire
from basisdesk.venues import Codec, MarketEvent, TopicRule

HELD_FRAMES_MAX = 20_000
HELD_BYTES_MAX = 16 * 2**20
_DATA = (Quote, BookUpdate, Trade, Ticker, ComboQuote, Heard)


class Heir:
    """What a second socket has brought so far, and what of it the old one brought, too.

    needed: topics that live on the old socket. topics: all that were asked for here. codec: reads
    the new socket; old_codec: a second one for the old socket, which it joins in the middle, so it
    is asked only about messages that stand alone.
    trouble: why it cannot take over, or "".
    """

    def __init__(
        self,
        wire: Wire,
        codec: Codec,
        rule: Callable[[str], TopicRule],
        topics: tuple[str, ...],
        needed: Iterable[str],
        old_codec: Codec,
    ) -> None:
        self.wire = wire
        self.topics = topics
        self.trouble = ""
        self._codec = codec
        self._old_codec = old_codec
        self._rule = rule
        self._needed = frozenset(needed)
        self._missing = {topic for topic in self._needed if rule(topic).awaited}
        self._requests: dict[str, tuple[str, ...]] = {}
        self._unanswered: set[str] = set()
        self._spoke = False  # any data came
        self._held: list[tuple[Prints | None, bytes]] = []
        self._last: dict[str, LastWord] = {}
        self._prints: dict[str, Prints] = {}
        self._bytes = self._noted = 0

    @property
    def answered(self) -> bool:
        """The venue answered each request made here, or brought the data at once."""
        return not self._unanswered

    @property
    def ready(self) -> bool:
        """Everything that lives on the old socket was heard here, and nothing else is lacking."""
        return self.answered and not self._missing and not self.trouble

    def asked(self, req_id: str, topics: tuple[str, ...]) -> None:
        """These topics are asked for on the new socket."""
        self._requests[req_id] = topics
        self._unanswered.update(topics)

    def overdue(self, heard: Collection[str]) -> None:
        """It had its time. Silence is a fault but where the venue promises nothing and both rest.

        heard: topics with data on the old socket since the new one was subscribed.
        """
        late = sorted(t for t in self._missing if self._rule(t).quiet_s > 0 or t in heard)
        if late:
            self.trouble = self.trouble or f"no data on {late[0]}"
        elif heard and not self._spoke:
            self.trouble = self.trouble or "no data at all, and the old socket has some"
        self._missing.clear()
        self._unanswered.clear()

    def take(self, payload: bytes) -> None:
        """Take one message of the new socket."""
        self.wire.messages += 1
        try:
            events = self._codec.decode(payload)
        except BadFrame:
            return  # the old socket's business would not be worse for it
        for event in events:
            if isinstance(event, BookLost):
                self.trouble = event.reason
            elif isinstance(event, Ack):
                self._answer(event)
            elif isinstance(event, Notice) and event.closing:
                self.trouble = event.text
        topics, timeless = _about(events)
        if topics:
            self._spoke = True
            self._missing -= topics
            self._unanswered -= topics
            self._hold(topics, payload, timeless)

    def take_old(self, payload: bytes) -> None:
        """Note one message of the old socket, which the desk gets anyway."""
        try:
            events = self._old_codec.decode(payload)
        except BadFrame:
            return
        topics, _ = _about(events)
        if not topics or any(self._builds(topic) for topic in topics):
            return
        if prints := self._prints_of(topics):
            prints.from_old(payload)
            self._noted += 1
            self._bound()
        elif len(topics) == 1:
            self._word(topics.pop()).from_old(payload, mono_s())

    def held(self, now_s: float) -> list[bytes]:
        """What is news: last words first, then the messages that were held back whole."""
        words = [word.payload for word in self._last.values() if word.is_news(now_s)]
        whole = (p for prints, p in self._held if prints is None or prints.is_news(p))
        return [*words, *whole]

    def to_come(self) -> set[int]:
        """Digests of trades that the old socket has brought and the new one is about to."""
        return {digest for prints in self._prints.values() for digest in prints.to_come()}

    def _hold(self, topics: set[str], payload: bytes, timeless: bool) -> None:
        builds = any(self._builds(topic) for topic in topics)
        prints = None if builds else self._prints_of(topics)
        if prints is not None:
            prints.from_new(payload)
        elif len(topics) == 1 and not builds:
            self._word(topics.pop()).from_new(payload, timeless, mono_s())
            return
        self._held.append((prints, payload))
        self._bytes += len(payload)
        self._bound()

    def _bound(self) -> None:
        if max(len(self._held), self._noted) > HELD_FRAMES_MAX or self._bytes > HELD_BYTES_MAX:
            self.trouble = "more messages than can be held back"

    def _builds(self, topic: str) -> bool:
        rule = self._rule(topic)
        return rule.stateful or rule.seeded

    def _prints_of(self, topics: set[str]) -> Prints | None:
        """Where a message is of trades alone; it goes by the first of its topics."""
        if any(self._rule(topic).what != "trades" for topic in topics):
            return None
        return self._prints.setdefault(min(topics), Prints())

    def _word(self, topic: str) -> LastWord:
        return self._last.setdefault(topic, LastWord())

    def _answer(self, ack: Ack) -> None:
        """A refusal of what nobody gets on the old socket either is no trouble."""
        self._unanswered.difference_update(ack.topics or self._requests.get(ack.req_id, ()))
        if not ack.ok and (not ack.topics or self._needed.intersection(ack.topics)):
            self.trouble = f"refused: {ack.text}"


def _about(events: Iterable[MarketEvent]) -> tuple[set[str], bool]:
    """(topics that a message brings data of, whether some of it does not say when it was true)."""
    data = [event for event in events if isinstance(event, _DATA)]
    return {e.stream.partition("/")[2] for e in data}, not all(e.venue_ms for e in data)
