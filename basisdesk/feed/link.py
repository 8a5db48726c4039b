"""One WebSocket connection: connect, greet, read, and come back. Faults become plain words.

The reader only reads. Heartbeats, silence, unanswered subscribes, seeds and renewals are judged by
`tick`, which the supervisor's watchdog calls whether anything arrives or not.
"""

import asyncio
import itertools
import math
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed

from basisdesk.clock import mono_s
from basisdesk.events import Frame, LinkChange
from basisdesk.feed.asks import Asks
from basisdesk.feed.faults import Fault, fault_of
from basisdesk.feed.heir import Heir
from basisdesk.feed.pace import Waits
from basisdesk.feed.proxy import through, told
from basisdesk.feed.renewal import Renewal
from basisdesk.feed.shared import LinkFacts, Shared, StreamView, check_url
from basisdesk.feed.silence import Mute, Silence
from basisdesk.feed.tasks import Pause
from basisdesk.feed.wire import OPEN_ERRORS, Request, Wire, open_socket
from basisdesk.venues import TopicRule, Venue

SWAMPED_PER_S = 2_000.0  # messages on one socket: an answer may wait behind them ...
SWAMPED_FRAMES = 1_000  # ... or behind so many in the inbox
READS_MAX = 200  # messages read in one go before the loop gets a turn
REASKS_SHARE = 0.75  # of the requests a venue allows; the rest is for what a person wants


class Link:
    """One connection of one venue, kept up until cancelled.

    on_up: told the outage in seconds; 0 at the first connect. on_seed: told a REST path.
    """

    def __init__(self, venue: Venue, conn: str, url: str, shared: Shared) -> None:
        check_url(conn, url, "wss", "ws")
        self.conn = conn
        self.url = url
        self.venue = venue
        self.limits = shared.pace.limits(venue.limits)
        settle_s = shared.pace.settle_s if venue.limits.asks_h else 0.0
        self.asks = Asks(shared.pace, self.rule, self._view, settle_s)
        self.connects = 0  # connects tried, renewals not counted
        self.state = "idle"  # "idle", "connecting", "up", "down"
        self.on_up: Callable[[Link, float], None] | None = None
        self.on_seed: Callable[[str], None] | None = None
        self._host = urlsplit(url).hostname or ""
        self._shared = shared
        self._pause = Pause()
        self._req = itertools.count(1)
        self._wire: Wire | None = None
        self._cut = ""  # why we cut the connection ourselves
        self._by_hand = False
        self._lost_at_s = 0.0  # when an up connection was lost; 0 before any was
        self._tried_at_s = -math.inf
        self._reason = ""
        self._held_up = ""  # what keeps us from asking
        self._messages = self._bytes = 0  # of sockets that are gone
        self._seen = 0  # messages of this socket at the last tick
        self._silence = Silence(shared.pace, self.limits)
        self._mute = Mute(shared.pace)
        self._waits = Waits(shared.pace, shared.rng, self.limits.floor_s)
        self._renewal = Renewal(self, shared)
        self._trial: tuple[str, ...] = ()  # topics that lived when an heir took over ...
        self._renewed_s, self._renewed_ns = 0.0, 0  # ... and when that was
        self._twice: set[int] = set()  # digests of trades the old socket brought before it ended

    @property
    def up(self) -> bool:
        """Connected and greeted."""
        return self._wire is not None

    @property
    def wire(self) -> Wire | None:
        """The socket in use."""
        return self._wire

    def rule(self, topic: str) -> TopicRule:
        """What a topic of this connection carries."""
        return self.venue.rule(self.conn, topic)

    def next_id(self) -> str:
        """A request id: decimal digits, unique on this connection."""
        return str(next(self._req))

    # --- its life --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay connected while topics are wanted, until cancelled. Bugs escape; faults do not."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stay_connected(), name=f"feed:{self.conn}")
            group.create_task(self._renewal.run(), name=f"feed:{self.conn}:renewal")

    async def _stay_connected(self) -> None:
        while True:
            while not self.asks:
                self.state = "idle"
                await self._pause.sleep(math.inf)
            while (wait_s := self.may_connect_in_s(first=self.connects == 0)) > 0:
                await self._pause.sleep(wait_s)
            if not self.asks:
                continue
            fault = await self._session()
            wait_s = self._delay_s(fault)
            self.state = "down"
            more = f"; next try in {wait_s:.0f} s" if self.asks and wait_s >= 1 else ""
            self._reason = fault.reason
            state = "down" if self.asks else "idle"
            self._shared.say(LinkChange(self.conn, state, fault.reason + more))
            if wait_s > 0:
                await self._pause.sleep(wait_s)

    def may_connect_in_s(self, first: bool = False) -> float:
        """Seconds until the venue's limits allow a connect; 0 counts one."""
        floor_s = self._tried_at_s + self.limits.floor_s - mono_s()
        if floor_s > 0:
            return floor_s
        host = f"{self.venue.name} {self._host}"
        return self._shared.gate.wait_s(host, self.limits, mono_s(), first)

    async def _session(self) -> Fault:
        """One connection from connect to its end, renewals included; says why it ended."""
        self.connects += 1
        self._tried_at_s = mono_s()
        self.state, self._cut, self._by_hand = "connecting", "", False
        self._shared.say(LinkChange(self.conn, "connecting"))
        try:
            ws = await open_socket(self.url, self.connects - 1, self._shared)
        except OPEN_ERRORS as exc:
            return told(fault_of(exc), through(self._shared.proxy, self.url))
        wire = Wire(ws, self.limits, self._shared.pace, self._asked)
        try:
            self._greet(wire)
            while True:
                fault = await self._read(wire)
                self._count(wire)
                if self._wire is wire or self._wire is None:
                    return fault
                old, wire = wire, self._wire  # an heir took over
                await old.end()
        finally:
            last, self._wire = self._wire, None
            self._lost_at_s = mono_s()
            await wire.end()
            if last is not None and last is not wire:  # cancelled just after a change
                await last.end()

    def _greet(self, wire: Wire) -> None:
        now_s = mono_s()
        self._wire = wire
        self._fresh_socket(now_s)
        self.state = "up"
        self._shared.say(LinkChange(self.conn, "up"))
        self.asks.restart()
        self._ask_fresh(wire, now_s, at_once=True)
        if self.on_up is not None:
            self.on_up(self, now_s - self._lost_at_s if self._lost_at_s else 0.0)

    def _fresh_socket(self, now_s: float) -> None:
        self._seen = 0
        self._silence.restart(now_s)
        self._mute.restart()
        self._renewal.restart(now_s)
        self._trial, self._twice = (), set()

    async def _read(self, wire: Wire) -> Fault:
        """Read one socket until it ends, is cut, or another took its place."""
        recv, put, conn = wire.ws.recv, self._shared.inbox.put, self.conn
        now_ns, renewal = self._shared.clock.now_ns, self._renewal
        try:
            while True:
                for _ in range(READS_MAX):
                    payload = await recv(decode=False)
                    if self._wire is not wire or self._cut:
                        return Fault(self._cut)
                    wire.messages += 1
                    if self._twice and self._came_before(payload):
                        continue
                    put(Frame(conn, payload, now_ns()))
                    if renewal.heir is not None:
                        renewal.heir.take_old(payload)
                await asyncio.sleep(0)
        except (ConnectionClosed, OSError) as exc:
            return Fault(self._cut) if self._cut else fault_of(exc)

    def take_over(self, old: Wire, heir: Heir) -> None:
        """Use the heir's socket from now on; the news it held back comes in now, stamped now."""
        now_s, shared = mono_s(), self._shared
        now_ns = shared.say(LinkChange(self.conn, "renewed"))
        for payload in heir.held(now_s):
            shared.inbox.put(Frame(self.conn, payload, now_ns))
        self._wire = heir.wire
        heir.wire.on_ask = self._asked
        old.cut()
        self._fresh_socket(now_s)
        self._twice = heir.to_come()
        self._trial = tuple(self.asks.live())
        self._renewed_s, self._renewed_ns = now_s, now_ns
        left_over = self.asks.moved(heir.topics, now_s)
        self._unsubscribe(heir.wire, left_over)

    def _came_before(self, payload: bytes) -> bool:
        """A trade that the old socket has brought comes again, once, on one that was behind."""
        if hash(payload) not in self._twice:
            return False
        self._twice.remove(hash(payload))
        return True

    def _on_trial(self, now_s: float) -> str:
        """Why the socket that took over is no good, or "".

        A stream that is silent beyond its rhythm, as the market knows it, and never spoke here is
        a fault at first; later on it is one of the stream's own pauses, and judged as such.
        """
        passed_s = now_s - self._renewed_s
        if not (self._trial or self._twice) or passed_s < self._shared.pace.trial_s:
            return ""
        if passed_s > self._shared.pace.overlap_s:
            self._trial, self._twice = (), set()
        topic = self.asks.fell_silent(self._trial, self._renewed_ns)
        return f"no data on {topic} since the socket was renewed" if topic else ""

    def drop(self, reason: str) -> None:
        """Cut the connection now, without waiting for a peer that may be gone."""
        if self._wire is not None and not self._cut:
            self._cut = reason
            self._wire.cut()

    def reconnect(self) -> None:
        """By hand: cut if connected, and try again at once (the venue's limits still hold)."""
        self._by_hand = True
        self.drop("reconnect by hand")
        self._pause.cut()

    # --- what is wanted of it --------------------------------------------------------------------

    def want(self, topics: Iterable[str]) -> None:
        """Replace what this connection subscribes to."""
        now_s = mono_s()
        self.asks.want(topics, now_s)
        if self._wire is not None and not self._cut:
            self._ask_fresh(self._wire, now_s)
        elif self.state == "idle" and self.asks:
            self._pause.cut()

    def tick(self, now_s: float, watched_s: float) -> None:
        """The watchdog's call. watched_s: seconds since the last one that the loop really ran."""
        self._pause.tick(now_s)
        links = self._shared.market.links
        self._renewal.tick(now_s, self.conn in links and links[self.conn].closing)
        self._drop_gone(now_s)
        wire = self._wire
        if wire is None or self._cut:
            return
        wire.pump(now_s)
        verdict = self._silence.tick(wire.ws.heard, now_s, watched_s)
        wire.ws.heard = False
        if verdict.cut or wire.overfull:
            self.drop(verdict.cut or f"{wire.sending} messages wait to be sent")
            return
        if verdict.ping:
            req_id = self.next_id()
            wire.send(Request(self.venue.ping(self.conn, req_id), req_id), urgent=True)
        self._held_up = ""
        self._ask_fresh(wire, now_s)
        self._watch_streams(wire, now_s, watched_s)

    def facts(self, now_s: float) -> LinkFacts:
        """Its counters for the feeds panel."""
        wire, renewal = self._wire, self._renewal
        return LinkFacts(
            conn=self.conn,
            host=urlsplit(self.url).netloc,
            state=self.state,
            connects=self.connects + renewal.tries,
            renewals=renewal.count,
            renewing=renewal.busy,
            up_s=now_s - wire.up_at_s if wire else 0.0,
            next_try_s=self._pause.left_s(now_s) if self.state == "down" else 0.0,
            reason=self._held_up or renewal.failed or self._reason,
            asks_hour=wire.asks_hour(now_s) if wire else 0,
            asks_limit=self.limits.asks_h,
            messages=self._messages + (wire.messages if wire else 0),
            bytes=self._bytes + (wire.ws.bytes_in if wire else 0),
            sending=wire.sending if wire else 0,
        )

    def _watch_streams(self, wire: Wire, now_s: float, watched_s: float) -> None:
        due = self.asks.due(now_s, self._swamped(wire, watched_s))
        if cut := due.cut or self._on_trial(now_s):
            self.drop(cut)
            return
        for batch in self.venue.batches(due.again):
            self._ask_again(wire, batch, now_s, drop_first=True)
        for topic in due.unanswered:
            self._ask_again(wire, (topic,), now_s, drop_first=True)
        for topic in due.refused:
            self._ask_again(wire, (topic,), now_s, drop_first=False)
        for topic in due.seeds:
            path = self.venue.seed_path(self.conn, topic)
            if path and self.on_seed is not None:
                self.on_seed(path)
        promised = self.asks.promised
        if self._mute.tick(self.asks.heard_ns(), promised, watched_s):
            if promised:
                self.drop(f"answers but no data for {self._mute.seconds:.0f} s")
            else:
                self._renewal.ask()
        elif now_s - wire.up_at_s >= self._shared.pace.proven_s and self.asks.live():
            self._waits.start_over()

    def _swamped(self, wire: Wire, watched_s: float) -> bool:
        came, self._seen = wire.messages - self._seen, wire.messages
        return came > SWAMPED_PER_S * watched_s or len(self._shared.inbox) > SWAMPED_FRAMES

    def _ask_fresh(self, wire: Wire, now_s: float, at_once: bool = False) -> None:
        fresh = self.asks.fresh(now_s, at_once)
        for batch in self.venue.batches(fresh) if fresh else ():
            if self._room(wire, now_s, 1.0) < 1:
                return
            self.asks.queued(batch)
            self._subscribe(wire, batch)

    def _ask_again(
        self, wire: Wire, batch: tuple[str, ...], now_s: float, *, drop_first: bool
    ) -> None:
        if self._room(wire, now_s, REASKS_SHARE) < 1 + drop_first:
            return
        self.asks.asked_again(batch)
        if drop_first:
            self._unsubscribe(wire, batch)
        self._subscribe(wire, batch)

    def _drop_gone(self, now_s: float) -> None:
        """Let go what nobody has wanted for a while; the market forgets it."""
        asked, others = self.asks.gone(now_s)
        if not asked and not others:
            return
        if self._wire is not None and not self._cut and self.asks:
            self._unsubscribe(self._wire, asked)
        self._shared.say(LinkChange(self.conn, "dropped", topics=(*asked, *others)))
        if not self.asks:
            self.drop("not needed any more")
            self._pause.cut()

    def _subscribe(self, wire: Wire, batch: tuple[str, ...]) -> None:
        req_id = self.next_id()
        wire.send(Request(self.venue.subscribe(batch, req_id), req_id, batch, counted=True))

    def _unsubscribe(self, wire: Wire, topics: Iterable[str]) -> None:
        for batch in self.venue.batches(tuple(topics)):
            req_id = self.next_id()
            wire.send(Request(self.venue.unsubscribe(batch, req_id), req_id, counted=True))

    def _asked(self, req_id: str, topics: tuple[str, ...]) -> None:
        """A subscribe goes out this moment; nobody is told of what has left while it waited."""
        topics = tuple(topic for topic in topics if topic in self.asks)
        if not topics:
            return
        said_ns = self._shared.say(LinkChange(self.conn, "asked", req_id=req_id, topics=topics))
        self.asks.sent(topics, said_ns, mono_s())

    def _room(self, wire: Wire, now_s: float, share: float) -> int:
        """Requests that may still be sent in this hour; says so when there are none."""
        most = self.limits.asks_h
        if not most:
            return 1_000_000
        left = int(most * share) - wire.asks_hour(now_s)
        if left < 2:
            self._held_up = f"{most} subscribe requests an hour allowed, no more for now"
        return left

    def _count(self, wire: Wire) -> None:
        self._messages += wire.messages
        self._bytes += wire.ws.bytes_in

    def _view(self, topic: str) -> StreamView | None:
        return self._shared.market.streams.get(f"{self.conn}/{topic}")

    def _delay_s(self, fault: Fault) -> float:
        return 0.0 if self._by_hand or not self.asks else self._waits.after(fault)
