"""What one connection was asked for, which streams came of it, and what to ask again.

Knows no socket and no venue's words: whether a request was answered, and whether its stream lives,
is what the market says of the stream. An answer that names no request is as good as one that does.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from basisdesk.feed.pace import Pace
from basisdesk.feed.shared import StreamView
from basisdesk.venues import TopicRule

SEEDS_MAX = 4  # fruitless fetches of a seeded book, then its stream is asked anew as well
SEED_AFTER = 3  # fruitless subscribes of a stream that should bring its own snapshot


class Ask:
    """The state of one wanted topic on the present socket.

    asked_s: when the request went out; None: not asked, infinity: waits for its turn to be sent.
    said_ns: stamp of the "asked" that the market has to take before its word counts.
    tries: asked again since it was last well. leaves_s: when a topic not wanted any more goes.
    seeds, seeded_s: fruitless fetches of its book, and when the last one was asked for.
    """

    __slots__ = (
        "asked_s",
        "leaves_s",
        "rule",
        "said_ns",
        "seeded_s",
        "seeds",
        "topic",
        "tries",
        "wanted_s",
    )

    def __init__(self, topic: str, rule: TopicRule, now_s: float) -> None:
        self.topic = topic
        self.rule = rule
        self.wanted_s = now_s
        self.leaves_s = math.inf
        self.renew()

    def renew(self) -> None:
        """Nothing was asked on this socket yet."""
        self.asked_s: float | None = None
        self.said_ns = 0
        self.tries = 0
        self.seeds = 0
        self.seeded_s = -math.inf


class Due(NamedTuple):
    """What to do now. again: subscribe anew. unanswered, refused: the same, each one alone.

    seeds: fetch the book over HTTP. cut: why to reconnect, or "".
    """

    again: list[str]
    unanswered: list[str]
    refused: list[str]
    seeds: list[str]
    cut: str = ""


class Asks:
    """The topics wanted on one connection. Times are monotonic seconds.

    rule: what a topic carries. settle_s: a new wish waits so long, so that one which is taken back
    costs no request. view: what the market says of a topic's stream; None before it knows it.
    """

    def __init__(
        self,
        pace: Pace,
        rule: Callable[[str], TopicRule],
        view: Callable[[str], StreamView | None],
        settle_s: float = 0.0,
    ) -> None:
        self._pace = pace
        self._rule = rule
        self._view = view
        self._settle_s = settle_s
        self._asks: dict[str, Ask] = {}

    def __len__(self) -> int:
        """Topics wanted; those that are about to leave do not count."""
        return sum(ask.leaves_s == math.inf for ask in self._asks.values())

    def __contains__(self, topic: object) -> bool:
        """Whether the topic is wanted, or not yet gone."""
        return topic in self._asks

    @property
    def promised(self) -> bool:
        """Some topic must not be silent for long."""
        return any(ask.rule.quiet_s > 0 for ask in self._asks.values())

    def want(self, topics: Iterable[str], now_s: float) -> None:
        """Replace what is wanted. What is not named any more leaves a little later."""
        wanted = dict.fromkeys(topics)
        for topic, ask in self._asks.items():
            if topic in wanted:
                ask.leaves_s = math.inf
            elif ask.leaves_s == math.inf:
                ask.leaves_s = now_s + self._pace.leave_s
        for topic in wanted:
            if topic not in self._asks:
                self._asks[topic] = Ask(topic, self._rule(topic), now_s)

    def restart(self) -> None:
        """The socket is new: nothing was asked on it yet."""
        for ask in self._asks.values():
            ask.renew()

    def moved(self, topics: Iterable[str], now_s: float) -> tuple[str, ...]:
        """Another socket took over that has these topics. Returns those nobody wants any more."""
        taken = set(topics)
        for topic, ask in self._asks.items():
            said_ns = ask.said_ns
            ask.renew()
            if topic in taken and said_ns:  # else the market was never told of it
                ask.asked_s, ask.said_ns = now_s, said_ns
        return tuple(topic for topic in taken if topic not in self._asks)

    def fresh(self, now_s: float, at_once: bool = False) -> list[str]:
        """Topics that were not asked for on this socket, once their wish has settled."""
        settled_s = math.inf if at_once else now_s - self._settle_s
        return [
            topic
            for topic, ask in self._asks.items()
            if ask.asked_s is None and ask.wanted_s <= settled_s and ask.leaves_s == math.inf
        ]

    def queued(self, topics: Iterable[str]) -> None:
        """Requests for these topics wait for their turn."""
        for topic in topics:
            self._asks[topic].asked_s = math.inf

    def sent(self, topics: Iterable[str], said_ns: int, now_s: float) -> None:
        """A request for these topics went out, and the market was told so with this stamp."""
        for topic in topics:
            if ask := self._asks.get(topic):
                ask.asked_s, ask.said_ns = now_s, said_ns

    def gone(self, now_s: float) -> tuple[list[str], list[str]]:
        """(topics to unsubscribe, topics never asked for) whose time has come; forgotten here."""
        leaving = [ask for ask in self._asks.values() if ask.leaves_s <= now_s]
        for ask in leaving:
            del self._asks[ask.topic]
        asked = [ask.topic for ask in leaving if ask.asked_s is not None]
        return asked, [ask.topic for ask in leaving if ask.asked_s is None]

    def due(self, now_s: float, swamped: bool = False) -> Due:
        """What to do about streams that do not live.

        swamped: so much comes in that an answer may still wait behind it; none is missed then.
        """
        due = Due([], [], [], [])
        for topic, ask in self._asks.items():
            view = self._view(topic)
            if ask.asked_s is None or ask.asked_s == math.inf or ask.leaves_s < math.inf:
                continue
            if view is None or view.asked_ns < ask.said_ns:
                continue  # the engine has not come so far
            if swamped and view.state == "connecting":
                continue
            if cut := self._judge(ask, view, now_s, due):
                return due._replace(cut=cut)
        return due

    def asked_again(self, topics: Iterable[str]) -> None:
        """These topics are really asked again: the next time waits longer."""
        for topic in topics:
            self._asks[topic].tries += 1
            self._asks[topic].asked_s = math.inf

    def wanted(self) -> list[str]:
        """Topics wanted."""
        return [topic for topic, ask in self._asks.items() if ask.leaves_s == math.inf]

    def taken(self) -> list[str]:
        """Topics wanted that the venue did not refuse: one bad topic may fail its neighbours."""
        return [t for t in self.wanted() if (v := self._view(t)) is None or v.state != "down"]

    def live(self) -> list[str]:
        """Wanted topics whose stream lives."""
        return [t for t in self.wanted() if (v := self._view(t)) and v.state == "live"]

    def heard_ns(self) -> int:
        """Our stamp of the last data of any wanted topic; 0 before any."""
        views = (self._view(topic) for topic in self._asks)
        return max((view.heard_ns for view in views if view is not None), default=0)

    def heard_since(self, since_ns: int) -> list[str]:
        """Wanted topics with data after this stamp of ours."""
        return [t for t in self.wanted() if (v := self._view(t)) and v.heard_ns > since_ns]

    def fell_silent(self, topics: Iterable[str], since_ns: int) -> str:
        """The first of these topics that is wanted, stale and without data since; or ""."""
        views = ((t, self._view(t)) for t in topics if t in self._asks)
        mute = (t for t, v in views if v and v.state == "stale" and v.heard_ns <= since_ns)
        return next(mute, "")

    def _judge(self, ask: Ask, view: StreamView, now_s: float, due: Due) -> str:
        """Sort one topic into `due`; returns why to reconnect, or ""."""
        assert ask.asked_s is not None  # `due` looks at no other
        waited_s, state = now_s - ask.asked_s, view.state
        if state == "live":
            self._is_well(ask, now_s, waited_s)
        elif ask.rule.seeded and (state in ("acked", "resync") or self._heard(ask, view)):
            if self._seed(ask, view, now_s, due) and ask.seeds % SEEDS_MAX == 0:
                due.again.append(ask.topic)
        elif state == "connecting":
            if waited_s >= self._pace.answer_s:
                if ask.tries:
                    return f"no answer to subscribe {ask.topic}"
                due.unanswered.append(ask.topic)
        elif state != "acked" and waited_s >= self._wait_s(ask, state):
            (due.refused if state == "down" else due.again).append(ask.topic)
            if state == "resync" and ask.rule.stateful and ask.tries >= SEED_AFTER:
                self._seed(ask, view, now_s, due)
        return ""

    def _is_well(self, ask: Ask, now_s: float, waited_s: float) -> None:
        """Forget its troubles, once it has lived for longer than the last wait."""
        if waited_s >= max(self._pace.resync_s, 2 * self._wait_s(ask, "live")):
            ask.tries = 0
        if now_s - ask.seeded_s >= self._pace.resync_s:
            ask.seeds = 0

    def _heard(self, ask: Ask, view: StreamView) -> bool:
        """Data came before the venue's yes, or without one."""
        return view.state == "connecting" and view.heard_ns > max(ask.said_ns, 1)

    def _seed(self, ask: Ask, view: StreamView, now_s: float, due: Due) -> bool:
        """Fetch its book where it is time to; whether it was."""
        pace = self._pace
        assert ask.asked_s is not None
        if view.heard_ns <= ask.said_ns and now_s - ask.asked_s < pace.seed_wait_s:
            return False  # a book fetched before the first update may be too old for it
        wait_s = min(pace.seed_s * 2.0 ** max(0, min(ask.seeds, 30) - 1), pace.seed_max_s)
        if now_s - ask.seeded_s < wait_s:
            return False
        ask.seeded_s, ask.seeds = now_s, ask.seeds + 1
        due.seeds.append(ask.topic)
        return True

    def _wait_s(self, ask: Ask, state: str) -> float:
        """How long a topic that was asked is left alone, by what is wrong and how often it was."""
        pace = self._pace
        habit = ask.rule.quiet_s <= 0 and state in ("stale", "live")
        first_s = pace.habit_s if habit else pace.resync_s
        most_s = pace.habit_max_s if habit or state == "down" else pace.resync_max_s
        return min(first_s * 2.0 ** max(0, min(ask.tries, 30) - 1), most_s)
