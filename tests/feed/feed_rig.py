"""A supervisor, a loopback exchange and a market of ten lines, put together for the feed tests."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from loopback import LoopbackExchange, loopback

from basisdesk.clock import SystemClock, mono_s
from basisdesk.errors import BadFrame
from basisdesk.events import (
    BEAT,
    COMMAND,
    LINK,
    Ack,
    Frame,
    Heard,
    LinkChange,
    Notice,
    VenueTime,
)
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.pace import Pace
from basisdesk.feed.supervisor import Supervisor, stop
from basisdesk.feed.tasks import spawn
from basisdesk.venues import Limits, TopicRule

FAST = Pace().scaled(0.05)  # 12 s of silence become 0.6 s


def hurried(factor: float) -> Pace:
    """A pace so fast that a busy machine would miss its time-outs; those stay at five seconds."""
    slow = dict.fromkeys(("open_s", "rest_timeout_s", "scan_timeout_s"), 5.0)
    return msgspec.structs.replace(Pace().scaled(factor), **slow)


ADA = "tiny:spot:ADA"
PERP = "tiny:perp:ADA"
TOP, DEPTH = "top.ADA", "depth.ADA"
PAYLOAD = b'{"topic":"top.ADA"}'
DEEP = b'{"topic":"depth.ADA"}'
LIVE_PATHS = ("/rules", "/candles", "/funding", "/time", "/all", "/book")
SCAN_PATHS = ("/page", "/levels", "/interest", "/minutes", "/settled")


def play(scenario: Callable[[], Coroutine[Any, Any, Any]], loop_factory=None) -> Any:
    """Run a scenario in a loop of its own. It fails when it leaves a task alive."""

    async def main():
        said: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: said.append(f"{context.get('message')} {context.get('exception')!r}")
        )
        result = await scenario()
        for _ in range(20):  # transports and callbacks of the last second
            if len(asyncio.all_tasks()) == 1:
                break
            await asyncio.sleep(0.01)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, f"tasks left alive: {left}"
        assert not said, said
        return result

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(main())


async def eventually(
    condition: Callable[[], Any], within_s: float = 8.0, what: Callable[[], Any] | None = None
) -> Any:
    """What the condition gives once it holds; the test fails with `what()` when it is too late."""
    end_s = mono_s() + within_s
    while not (held := condition()):
        assert mono_s() < end_s, what() if what else "it did not happen in time"
        await asyncio.sleep(0.005)
    return held


class TinyCodec:
    """The words of the loopback exchange; a stream's name is its topic."""

    def __init__(self, conn: str = "") -> None:
        self.conn = conn

    def decode(self, payload: bytes) -> Sequence[Any]:
        try:
            said = json.loads(payload)
            if "topic" in said:
                return [Heard(f"{self.conn}/{said['topic']}", 0)]
            if said.get("op") in ("subscribe", "unsubscribe"):
                topics = tuple(said.get("topics", ()))
                return [Ack(self.conn, said["req_id"], said["success"], said["ret_msg"], topics)]
            if "notice" in said:
                return [Notice(self.conn, said["notice"], said["closing"])]
            if "data" in said and said["data"] == "nonsense":
                raise BadFrame("json", payload)
            if said.get("path", "").startswith("/time") and "ms" in said["data"]:
                return [VenueTime("tiny", json.loads(said["data"])["ms"])]
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as exc:
            raise BadFrame("json", payload) from exc
        return []


PROMISED = TopicRule("top", 1, quiet_s=3.0)
RULES = {
    "top": PROMISED,
    "depth": TopicRule("book", 50, quiet_s=3.0, stateful=True),
    "diff": TopicRule("book", 50, quiet_s=3.0, stateful=True, seeded=True),
    "quiet": TopicRule("top", 1),  # promises nothing
    "trade": TopicRule("trades", awaited=False),
}
USUAL = Limits(ping_every_s=20.0)


class TinyVenue:
    """A venue of two sockets. kinds: of topics that a leg has; pings: in the venue's own form."""

    name = "tiny"
    title = "Tiny"
    endpoints: Mapping[str, str] = {
        "tiny.spot": "wss://tiny.invalid/spot",
        "tiny.linear": "wss://tiny.invalid/linear",
    }
    rest_urls: Mapping[str, str] = {"/": "https://tiny.invalid"}

    def __init__(
        self, kinds: Sequence[str] = ("top", "depth"), limits: Limits = USUAL, pings: bool = True
    ) -> None:
        self.kinds = kinds
        self.limits = limits
        self.pings = pings

    def codec(self, conn: str) -> TinyCodec:
        return TinyCodec(conn)

    def rule(self, conn: str, topic: str) -> TopicRule:
        return RULES.get(topic.partition(".")[0], TopicRule())

    def topics(self, instrument: str) -> Mapping[str, tuple[str, ...]]:
        _, market, symbol = instrument.split(":")
        conn = "tiny.spot" if market == "spot" else "tiny.linear"
        return {conn: tuple(f"{kind}.{symbol}" for kind in self.kinds)}

    def batches(self, topics: Sequence[str]) -> list[tuple[str, ...]]:
        symbols = dict.fromkeys(topic.partition(".")[2] for topic in topics)
        return [tuple(t for t in topics if t.partition(".")[2] == each) for each in symbols]

    def _op(self, op: str, req_id: str, topics: Sequence[str] = ()) -> bytes:
        said = {"op": op, "req_id": req_id} | ({"args": list(topics)} if topics else {})
        return json.dumps(said).encode()

    def subscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        return self._op("subscribe", req_id, topics)

    def unsubscribe(self, topics: Sequence[str], req_id: str) -> bytes:
        return self._op("unsubscribe", req_id, topics)

    def ping(self, conn: str, req_id: str) -> bytes | None:
        return self._op("ping", req_id) if self.pings else None

    def seed_path(self, conn: str, topic: str) -> str:
        return f"/book?topic={conn}/{topic}" if RULES[topic.partition(".")[0]].stateful else ""

    def backfill(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        symbol = instrument.rpartition(":")[2]
        paths = (f"/rules?symbol={symbol}", f"/candles?symbol={symbol}&end={now_ms}")
        return (*paths, *self.refresh(instrument, now_ms))

    def refresh(self, instrument: str, now_ms: int) -> tuple[str, ...]:
        symbol = instrument.rpartition(":")[2]
        return (f"/funding?symbol={symbol}",) if ":perp:" in instrument else ()

    def catalogue(self) -> tuple[str, ...]:
        return ("/all",)

    def time_path(self) -> str:
        return "/time"

    def scan_pages(self) -> tuple[str, ...]:
        return ("/page?of=spot", "/page?of=perp")

    def scan_every_s(self, path: str) -> float:
        return 0.0

    def scan_book(self, instrument: str) -> str:
        return f"/levels?leg={instrument}"

    def scan_leg(self, instrument: str) -> tuple[str, ...]:
        return (f"/interest?leg={instrument}",) if ":perp:" in instrument else ()

    def scan_past(self, instrument: str, now_ms: int, days: int) -> tuple[str, ...]:
        minutes = f"/minutes?leg={instrument}"
        settled = f"/settled?leg={instrument}&days={days}"
        return (minutes, settled) if ":perp:" in instrument else (minutes,)


@dataclass
class TinyStream:
    state: str = "connecting"
    asked_ns: int = 0
    heard_ns: int = 0
    since_ns: int = 0
    error: str = ""
    whole: bool = True  # False: waits for a snapshot
    story: list[str] = field(default_factory=list)

    def move(self, state: str) -> None:
        if state != self.state:
            self.story.append(state)
        self.state = state


@dataclass
class TinyLink:
    state: str = ""
    closing: bool = False


@dataclass
class TinyMarket:
    """What the real market does with streams, in miniature."""

    quiet_ns: int = 150_000_000
    streams: dict[str, TinyStream] = field(default_factory=dict)
    links: dict[str, TinyLink] = field(default_factory=dict)
    bad: int = 0
    asks: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def take(self, frame: Frame) -> None:
        if frame.conn == LINK:
            change = msgspec.json.decode(frame.payload, type=LinkChange)
            self.link(change, frame.t_ns)
        elif frame.conn not in (BEAT, COMMAND):
            try:
                for event in TinyCodec(frame.conn).decode(frame.payload) or [None]:
                    self.apply(event, frame)
            except BadFrame:
                self.bad += 1
        for stream in self.streams.values():
            if stream.state in ("live", "acked") and frame.t_ns - stream.since_ns > self.quiet_ns:
                stream.move("stale")

    def link(self, change: LinkChange, t_ns: int) -> None:
        ids = [f"{change.conn}/{topic}" for topic in change.topics]
        if change.state == "asked":
            self.asks[change.conn, change.req_id] = ids
            for i in ids:
                stream = self.streams.setdefault(i, TinyStream())
                stream.asked_ns = t_ns
                stream.whole = "/diff." not in i
                stream.move("connecting")
            return
        if change.state == "dropped":
            for i in ids:
                self.streams.pop(i, None)
            return
        self.links[change.conn] = TinyLink(change.state)
        if change.state in ("down", "overflow"):
            for i, stream in self.streams.items():
                if i.startswith(change.conn + "/"):
                    stream.move("down")

    def apply(self, event: Any, frame: Frame) -> None:
        if isinstance(event, Ack):
            named = [f"{frame.conn}/{topic}" for topic in event.topics]
            for i in named or self.asks.pop((frame.conn, event.req_id), []):
                if i in self.streams and self.streams[i].state == "connecting":
                    self.streams[i].move("acked" if event.ok else "down")
                    self.streams[i].error = "" if event.ok else event.text
                    self.streams[i].since_ns = frame.t_ns
        elif isinstance(event, Notice):
            self.links[frame.conn].closing = event.closing
        elif isinstance(event, Heard) and event.stream in self.streams:
            stream = self.streams[event.stream]
            stream.heard_ns = stream.since_ns = frame.t_ns
            if b"gap" in frame.payload:
                stream.whole = False
                stream.move("resync")
            if stream.whole:
                stream.move("live")
        if frame.conn.endswith(".rest") and b'"/book?' in frame.payload:
            self.seed(json.loads(frame.payload)["path"].partition("topic=")[2])

    def seed(self, stream_id: str) -> None:
        stream = self.streams[stream_id]
        stream.whole = True
        if stream.heard_ns > stream.asked_ns:
            stream.move("live")


class Rig:
    """Everything a feed test holds in its hands."""

    def __init__(self, exchange: LoopbackExchange, pace: Pace, inbox: Inbox, **more: Any) -> None:
        self.exchange = exchange
        self.inbox = inbox
        self.market: Any = more.pop("market", None) or TinyMarket()
        self.venue = more.pop("venue", None) or TinyVenue()
        self.clock = more.pop("clock", None) or SystemClock()
        endpoints = {c: exchange.ws_url(c.rpartition(".")[2]) for c in self.venue.endpoints}
        self.supervisor = Supervisor(
            [self.venue],
            inbox,
            self.clock,
            self.market,
            endpoints | more.pop("endpoints", {}),
            more.pop("rest_urls", None) or {self.venue.name: exchange.http_url},
            pace=pace,
            rng=random.Random(7),
            **more,
        )
        self.frames: list[Frame] = []
        self.changes: list[LinkChange] = []
        self.engine_runs = True
        self.deaths: list[tuple[str, BaseException]] = []

    async def pump(self) -> None:
        """The engine's place: take what came, a little at a time."""
        while True:
            if self.engine_runs:
                for frame in self.inbox.take(5_000):
                    self.frames.append(frame)
                    if frame.conn == LINK:
                        self.changes.append(msgspec.json.decode(frame.payload, type=LinkChange))
                    self.market.take(frame)
            await asyncio.sleep(0.005)

    def said(self, conn: str, state: str) -> list[str]:
        """Reasons of all changes of a connection to this state."""
        return [c.reason for c in self.changes if c.conn == conn and c.state == state]

    def state(self, topic: str = TOP, conn: str = "tiny.spot") -> str:
        stream = self.market.streams.get(f"{conn}/{topic}")
        return stream.state if stream else "unknown"

    def payloads(self, conn: str) -> list[bytes]:
        return [frame.payload for frame in self.frames if frame.conn == conn]

    def story(self) -> str:
        states = {i: s.state for i, s in self.market.streams.items()}
        return "\n".join([*(str(c) for c in self.changes), str(states)])

    async def until(self, condition: Callable[[], Any], within_s: float = 8.0) -> Any:
        return await eventually(condition, within_s, self.story)


@asynccontextmanager
async def rig(
    pace: Pace = FAST,
    watch: Sequence[str] = (ADA,),
    inbox: Inbox | None = None,
    before: Callable[[LoopbackExchange], Awaitable[None] | None] | None = None,
    **more: Any,
) -> AsyncIterator[Rig]:
    """A running supervisor on a loopback exchange that publishes the two topics all the time."""
    async with loopback() as exchange:
        exchange.snapshots = {TOP: [PAYLOAD], DEPTH: [DEEP]}
        for path in (*LIVE_PATHS, *SCAN_PATHS):
            exchange.http[path] = b"{}"
        if before and (waiting := before(exchange)):
            await waiting
        made = Rig(exchange, pace, Inbox() if inbox is None else inbox, **more)
        made.supervisor.watch(set(watch))

        async def publish() -> None:
            for _ in itertools.count():
                exchange.publish(TOP, PAYLOAD)
                exchange.publish(DEPTH, DEEP)
                await asyncio.sleep(0.02)

        dead = lambda name, exc: made.deaths.append((name, exc))  # noqa: E731
        tasks = [spawn(publish(), "publish", dead), spawn(made.pump(), "pump", dead)]
        run = spawn(made.supervisor.run(), "supervisor", dead)
        try:
            yield made
        finally:
            begun_s = mono_s()
            await stop(run)
            took_s = mono_s() - begun_s
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert took_s < 1.0, f"stopping took {took_s:.2f} s"
            assert not made.deaths, made.deaths
