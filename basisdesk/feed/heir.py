"""A second socket of a connection, and what it brings until it has all that the first one has.

Frames of streams that build on each other are held back whole. Of all others the last is enough:
the old socket has brought the rest. The desk's own codec never sees them before the change.
"""

from collections.abc import Callable, Iterable

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
from basisdesk.feed.wire import Wire
from basisdesk.venues import Codec, TopicRule

HELD_FRAMES_MAX = 20_000
HELD_BYTES_MAX = 16 * 2**20
_DATA = (Quote, BookUpdate, Trade, Ticker, ComboQuote, Heard)


class Heir:
    """What a second socket has brought so far.

    needed: topics that live on the old socket. topics: all that were asked for here.
    trouble: why it cannot take over, or "".
    """

    def __init__(
        self,
        wire: Wire,
        codec: Codec,
        rule: Callable[[str], TopicRule],
        topics: tuple[str, ...],
        needed: Iterable[str],
    ) -> None:
        self.wire = wire
        self.topics = topics
        self.trouble = ""
        self._codec = codec
        self._rule = rule
        self._needed = frozenset(needed)
        self._missing = {topic for topic in self._needed if rule(topic).awaited}
        self._held: list[bytes] = []
        self._last: dict[str, bytes] = {}
        self._bytes = 0

    @property
    def ready(self) -> bool:
        """Everything that lives on the old socket was heard here, too."""
        return not self._missing and not self.trouble

    def overdue(self) -> None:
        """It had its time. Silence is a fault only where the venue promises none."""
        late = sorted(topic for topic in self._missing if self._rule(topic).quiet_s > 0)
        if late:
            self.trouble = self.trouble or f"no data on {late[0]}"
        self._missing.clear()

    def take(self, payload: bytes) -> None:
        """Take one message of the new socket."""
        self.wire.messages += 1
        try:
            events = self._codec.decode(payload)
        except BadFrame:
            return  # the old socket's business would not be worse for it
        topics = set()
        for event in events:
            if isinstance(event, _DATA):
                topics.add(event.stream.partition("/")[2])
            elif isinstance(event, BookLost):
                self.trouble = event.reason
            elif isinstance(event, Ack) and not event.ok and self._concerns(event):
                self.trouble = f"refused: {event.text}"
            elif isinstance(event, Notice) and event.closing:
                self.trouble = event.text
        self._missing -= topics
        self._hold(topics, payload)

    def held(self) -> list[bytes]:
        """What was held back: first the last word of streams without memory, then the others."""
        return [*self._last.values(), *self._held]

    def _hold(self, topics: set[str], payload: bytes) -> None:
        if not topics:
            return
        rules = [self._rule(topic) for topic in topics]
        if len(topics) == 1 and not rules[0].stateful and not rules[0].seeded:
            self._last[topics.pop()] = payload
            return
        self._held.append(payload)
        self._bytes += len(payload)
        if len(self._held) > HELD_FRAMES_MAX or self._bytes > HELD_BYTES_MAX:
            self.trouble = "more messages than can be held back"

    def _concerns(self, ack: Ack) -> bool:
        """A refusal of what nobody gets on the old socket either is no trouble."""
        return not ack.topics or bool(self._needed.intersection(ack.topics))
