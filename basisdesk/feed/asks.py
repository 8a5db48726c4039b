"""What one connection was asked for, which answers are missing, and what to ask again.

Knows no socket and no venue: an answer is any message that repeats our request id.
"""

from collections.abc import Callable, Iterable, Mapping

from basisdesk.feed.pace import Pace

_ANSWER_BYTES_MAX = 2_000  # acks are short; longer messages are not searched for our id


class Ask:
    """The state of one wanted topic on the present connection."""

    __slots__ = ("again_s", "answered", "asked_s", "tries")

    def __init__(self, again_s: float) -> None:
        self.asked_s: float | None = None  # None: not asked on this connection
        self.answered = False
        self.tries = 0  # asked again, since it was last live
        self.again_s = again_s  # how long to leave it alone after an answer


class Asks:
    """The topics wanted on one connection. Times are monotonic seconds."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._groups: dict[str, tuple[str, ...]] = {}
        self._asks: dict[str, Ask] = {}
        self._open: dict[bytes, tuple[str, ...]] = {}

    def __len__(self) -> int:
        """Topics wanted."""
        return len(self._asks)

    def __contains__(self, topic: object) -> bool:
        """Whether the topic is wanted."""
        return topic in self._asks

    @property
    def topics(self) -> Iterable[str]:
        """Topics wanted."""
        return self._asks.keys()

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """The wanted topics as they are asked for first: one message an instrument."""
        return list(self._groups.values())

    def want(
        self, groups: Mapping[str, tuple[str, ...]]
    ) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        """Replace what is wanted: topics by instrument.

        Returns the new topics, a tuple an instrument, and the topics no longer wanted.
        """
        wanted = dict.fromkeys(topic for topics in groups.values() for topic in topics)
        dropped = tuple(topic for topic in self._asks if topic not in wanted)
        new = [
            fresh
            for topics in groups.values()
            if (fresh := tuple(t for t in topics if t not in self._asks))
        ]
        for topic in dropped:
            del self._asks[topic]
        for topic in wanted:
            self._asks.setdefault(topic, Ask(self._pace.resync_s))
        self._groups = dict(groups)
        return new, dropped

    def restart(self) -> None:
        """The connection is new: nothing was asked on it yet."""
        self._open.clear()
        self._asks = {topic: Ask(self._pace.resync_s) for topic in self._asks}

    def sent(self, topics: Iterable[str], req_id: str, now_s: float) -> None:
        """These topics were asked for under this request id."""
        topics = tuple(topics)
        for topic in topics:
            ask = self._asks[topic]
            ask.asked_s, ask.answered = now_s, False
        self._open[f'"{req_id}"'.encode()] = topics

    @property
    def waiting(self) -> bool:
        """Some request has no answer yet: offer messages to `hear`."""
        return bool(self._open)

    def hear(self, payload: bytes) -> None:
        """Look whether this message answers a request, with yes or no."""
        if len(payload) > _ANSWER_BYTES_MAX:
            return
        for needle in self._open:
            if needle in payload:
                for topic in self._open.pop(needle):
                    if ask := self._asks.get(topic):
                        ask.answered = True
                return

    def due(self, state_of: Callable[[str], str], now_s: float) -> tuple[list[str], str]:
        """(topics to ask for again, each alone; why to reconnect, or "").

        state_of: what the market says of a topic's stream: "live", "stale", "resync", ...
        """
        again: list[str] = []
        for topic, ask in self._asks.items():
            if ask.asked_s is None:
                continue
            state = state_of(topic)
            waited_s = now_s - ask.asked_s
            if state == "live":
                if waited_s >= self._pace.resync_s:  # "live" may be from before we asked
                    ask.answered, ask.tries, ask.again_s = True, 0, self._pace.resync_s
            elif not ask.answered and waited_s >= self._pace.answer_s:
                if ask.tries:
                    return [], f"no answer to subscribe {topic}"
                again.append(topic)
            elif ask.answered and state in _BROKEN and waited_s >= ask.again_s:
                again.append(topic)
        for topic in again:
            self._count(self._asks[topic])
        if self._open:  # where data flows, a lost ack is not looked for any longer
            self._open = {k: v for k, v in self._open.items() if any(map(self._unanswered, v))}
        return again, ""

    def _unanswered(self, topic: str) -> bool:
        ask = self._asks.get(topic)
        return ask is not None and not ask.answered

    def _count(self, ask: Ask) -> None:
        if ask.tries:
            ask.again_s = min(ask.again_s * 2, self._pace.resync_max_s)
        ask.tries += 1


_BROKEN = frozenset({"stale", "resync", "down", "refused"})
