"""One WebSocket connection: connect, greet, read, and come back. Faults become plain words.

The reader only reads. Pings, silence and unanswered subscribes are judged by `tick`, which the
supervisor's watchdog calls whether anything arrives or not.
"""

import asyncio
import itertools
import random
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from websockets import broadcast
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from basisdesk.clock import Clock, mono_s
from basisdesk.errors import SettingsError
from basisdesk.events import LINK, Frame, LinkChange
from basisdesk.feed.asks import Asks
from basisdesk.feed.faults import Fault, fault_of
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.names import Names
from basisdesk.feed.pace import HostGate, Pace, Waits
from basisdesk.feed.tasks import Pause
from basisdesk.venues import Venue

FRAME_BYTES_MAX = 4 * 2**20
QUEUE_MAX = 64  # messages that wait inside the library before the socket is not read any more
READS_MAX = 200  # messages read in one go before the loop gets a turn
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class StreamView(Protocol):
    """What a link needs to know of a stream's health; the market judges it."""

    @property
    def state(self) -> str:
        """One of "connecting", "acked", "live", "stale", "resync", "down"."""
        ...

    @property
    def heard_ns(self) -> int:
        """Our stamp of the last data."""
        ...


class MarketView(Protocol):
    """The market as far as feeds look at it."""

    @property
    def streams(self) -> Mapping[str, StreamView]:
        """Streams by id, "bybit.spot/orderbook.1.ADAUSDT"."""
        ...


class Shared(msgspec.Struct, frozen=True):
    """What all links of a desk use together."""

    inbox: Inbox
    clock: Clock
    market: MarketView
    pace: Pace
    rng: random.Random
    gate: HostGate
    names: Names
    tls: ssl.SSLContext

    def say(self, change: LinkChange) -> None:
        """Put a link change into the inbox, stamped now."""
        self.inbox.put(Frame(LINK, msgspec.json.encode(change), self.clock.now_ns()))


class Connection(ClientConnection):
    """A library connection that notes that bytes came, pongs included."""

    heard = False

    def data_received(self, data: bytes) -> None:
        """Bytes from the socket."""
        self.heard = True
        super().data_received(data)


class Link:
    """One connection of one venue, kept up until cancelled."""

    def __init__(self, venue: Venue, conn: str, url: str, shared: Shared) -> None:
        check_url(conn, url, "wss", "ws")
        self.conn = conn
        self.url = url
        self.asks = Asks(shared.pace)
        self.connects = 0  # connects tried
        self.state = "idle"  # "idle", "connecting", "up", "down"
        self.on_up: Callable[[Link, float], None] | None = None  # told the outage in seconds
        self._venue = venue
        self._shared = shared
        self._pause = Pause()
        self._req = itertools.count(1)
        self._ws: Connection | None = None
        self._cut = ""  # why we cut the connection ourselves
        self._by_hand = False
        self._lost_at_s = 0.0  # when an up connection was lost; 0 before any was
        self._up_at_s = 0.0
        self._ping_at_s = 0.0
        self._silent_s = 0.0  # since any byte
        self._mute_s = 0.0  # since any data, as the market saw it
        self._mute_max_s = shared.pace.mute_s
        self._heard_ns = 0
        self._probed = False
        self._waits = Waits(shared.pace, shared.rng)

    @property
    def up(self) -> bool:
        """Connected and greeted."""
        return self._ws is not None

    async def run(self) -> None:
        """Stay connected while topics are wanted, until cancelled. Bugs escape; faults do not."""
        host = urlsplit(self.url).hostname or ""
        while True:
            while not self.asks:
                self.state = "idle"
                await self._pause.sleep(float("inf"))
            first = self.connects == 0
            while (wait_s := self._shared.gate.wait_s(host, mono_s(), first)) > 0:
                await self._pause.sleep(wait_s)
            if not self.asks:
                continue
            fault = await self._session()
            wait_s = self._delay_s(fault)
            self.state = "down"
            more = f"; next try in {wait_s:.0f} s" if self.asks and wait_s >= 1 else ""
            self._shared.say(LinkChange(self.conn, "down", fault.reason + more))
            if wait_s > 0:
                await self._pause.sleep(wait_s)

    def want(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        """Replace what this connection subscribes to: topics by instrument."""
        new, dropped = self.asks.want(groups)
        if self._ws is None:
            self._pause.cut() if self.state == "idle" and self.asks else None
            return
        if not self.asks:
            self.drop("not needed any more")
            return
        if dropped:
            self._send(self._venue.unsubscribe(dropped, self._next_id()))
        for topics in new:
            self._ask(topics)

    def drop(self, reason: str) -> None:
        """Cut the connection now, without waiting for a peer that may be gone."""
        if self._ws is not None and not self._cut:
            self._cut = reason
            self._ws.transport.abort()

    def reconnect(self) -> None:
        """By hand: cut if connected, and try again at once (the limit per host still holds)."""
        self._by_hand = True
        self.drop("reconnect by hand")
        self._pause.cut()

    def tick(self, now_s: float, watched_s: float) -> None:
        """The watchdog's call. watched_s: seconds since the last one that the loop really ran."""
        self._pause.tick(now_s)
        ws = self._ws
        if ws is None or self._cut:
            return
        pace = self._shared.pace
        self._silent_s = 0.0 if ws.heard else self._silent_s + watched_s
        self._probed = self._probed and not ws.heard
        ws.heard = False
        if self._silent_s >= pace.silent_s:
            self.drop(f"silent for {self._silent_s:.0f} s")
            return
        probe = self._silent_s >= pace.probe_s and not self._probed
        if probe or now_s >= self._ping_at_s:
            self._probed = probe or self._probed
            self._ping_at_s = now_s + self._venue.ping_every_s
            self._send(self._venue.ping(self._next_id()))
        self._watch_streams(now_s, watched_s)

    def _watch_streams(self, now_s: float, watched_s: float) -> None:
        again, reason = self.asks.due(self._stream_state, now_s)
        if reason:
            self.drop(reason)
            return
        for topic in again:
            self._send(self._venue.unsubscribe((topic,), self._next_id()))
            self._ask((topic,))
        heard_ns = max((s.heard_ns for s in self._streams()), default=0)
        if heard_ns != self._heard_ns:
            self._heard_ns, self._mute_s = heard_ns, 0.0
            self._mute_max_s = self._shared.pace.mute_s
        else:
            self._mute_s += watched_s
        if self._mute_s >= self._mute_max_s:
            self._mute_max_s = min(2 * self._mute_max_s, 10 * self._shared.pace.mute_s)
            self.drop(f"answers but no data for {self._mute_s:.0f} s")
        elif now_s - self._up_at_s >= self._shared.pace.proven_s and self._any_live():
            self._waits.start_over()

    def _streams(self) -> list[StreamView]:
        streams = self._shared.market.streams
        ids = (f"{self.conn}/{topic}" for topic in self.asks.topics)
        return [streams[i] for i in ids if i in streams]

    def _stream_state(self, topic: str) -> str:
        stream = self._shared.market.streams.get(f"{self.conn}/{topic}")
        return "connecting" if stream is None else stream.state

    def _any_live(self) -> bool:
        return any(stream.state == "live" for stream in self._streams())

    async def _session(self) -> Fault:
        """One connection from connect to its end; says why it ended."""
        self.connects += 1
        self.state, self._cut, self._by_hand = "connecting", "", False
        self._shared.say(LinkChange(self.conn, "connecting"))
        try:
            ws = await self._open()
        except (OSError, TimeoutError, ValueError, WebSocketException) as exc:
            return fault_of(exc)
        try:
            self._greet(ws)
            await self._read(ws)
            return Fault(self._cut)
        except (ConnectionClosed, OSError) as exc:
            return Fault(self._cut) if self._cut else fault_of(exc)
        finally:
            self._ws = None
            self._lost_at_s = mono_s()
            ws.transport.abort()
            await ws.wait_closed()

    async def _open(self) -> Connection:
        parts = urlsplit(self.url)
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        shared = self._shared
        async with asyncio.timeout(shared.pace.open_s):
            found = await shared.names.addresses(parts.hostname or "", port)
            # An address of our choice also makes the library refuse redirects to other hosts.
            ws = await connect(
                self.url,
                host=found[(self.connects - 1) % len(found)],
                port=port,
                ssl=shared.tls if secure else None,
                proxy=None,
                open_timeout=None,
                ping_interval=None,
                close_timeout=shared.pace.close_s,
                max_size=FRAME_BYTES_MAX,
                max_queue=QUEUE_MAX,
                create_connection=Connection,
            )
        assert isinstance(ws, Connection)
        return ws

    def _greet(self, ws: Connection) -> None:
        now_s = mono_s()
        self._ws = ws
        self._silent_s = self._mute_s = 0.0
        self._mute_max_s = self._shared.pace.mute_s
        self._heard_ns = 0
        self._probed = False
        self._up_at_s = now_s
        self._ping_at_s = now_s + self._venue.ping_every_s
        self.state = "up"
        self._shared.say(LinkChange(self.conn, "up"))
        self.asks.restart()
        for topics in self.asks.groups:
            self._ask(topics)
        if self.on_up is not None:
            self.on_up(self, now_s - self._lost_at_s if self._lost_at_s else 0.0)

    async def _read(self, ws: Connection) -> None:
        recv, put, conn, asks = ws.recv, self._shared.inbox.put, self.conn, self.asks
        now_ns = self._shared.clock.now_ns
        while True:
            for _ in range(READS_MAX):
                payload = await recv(decode=False)
                if self._cut:
                    return
                if asks.waiting:
                    asks.hear(payload)
                put(Frame(conn, payload, now_ns()))
            await asyncio.sleep(0)

    def _ask(self, topics: tuple[str, ...]) -> None:
        req_id = self._next_id()
        self.asks.sent(topics, req_id, mono_s())
        self._shared.say(LinkChange(self.conn, "asked", req_id=req_id, topics=topics))
        self._send(self._venue.subscribe(topics, req_id))

    def _send(self, message: bytes) -> None:
        if self._ws is not None:
            broadcast([self._ws], message, text=True)  # never waits; a dead peer is cut by tick

    def _next_id(self) -> str:
        return f"{self.conn}-{next(self._req)}"

    def _delay_s(self, fault: Fault) -> float:
        if self._by_hand or not self.asks:
            return 0.0
        return self._waits.after(fault)


def check_url(conn: str, url: str, secure: str, plain: str) -> None:
    """Raise SettingsError unless the address is encrypted, or plain to this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if host and (parts.scheme == secure or (parts.scheme == plain and host in LOOPBACK)):
        return
    raise SettingsError(
        f"Feed {conn}: address {url!r} cannot be used. Give {secure}://HOST/PATH "
        f"({plain}:// only for 127.0.0.1)."
    )
