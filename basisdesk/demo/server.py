"""WebSocket and HTTP server on 127.0.0.1 that speaks for the simulated market.

One port: /v5/public/spot and /v5/public/linear are WebSockets, GET /v5/market/... are REST pages.
One task, the pulse, moves the market and sends; each message becomes a WebSocket frame once, and a
client gets all its frames of a pulse in one write.
"""

import asyncio
import http
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response
from websockets.protocol import State

from basisdesk.clock import SystemClock, mono_s, wall_ns
from basisdesk.demo import pages
from basisdesk.demo.coins import BY_SYMBOL
from basisdesk.demo.depth import Levels
from basisdesk.demo.dialects import (
    Category,
    Request,
    Topic,
    acked,
    answer,
    parse_topic,
    pong,
    read_request,
    refusal,
)
from basisdesk.demo.faults import GARBAGE, SLOW_S, read_faults
from basisdesk.demo.keep import Keeper, market_of
from basisdesk.demo.legs import LegFeed
from basisdesk.demo.options import DemoOptions
from basisdesk.errors import UserError

HOST = "127.0.0.1"
WS_PREFIX = "/v5/public/"
PULSE_S = 0.1  # at rate 1
PULSE_MIN_S = 0.01  # a higher rate sends more messages a pulse
SAVE_S = 2.0
WRITE_BUFFER_MAX = 8 << 20  # bytes a client may leave unread before it is dropped
REQUEST_MAX = 64 << 10  # bytes of one client message
SPEED_RANGE = (0.01, 3600.0)
RATE_RANGE = (0.1, 10_000.0)

log = logging.getLogger("basisdesk.demo")
wire_log = logging.getLogger("basisdesk.demo.wire")
wire_log.setLevel(logging.CRITICAL)  # broken handshakes are what faults and tests are about


class Client:
    """One WebSocket connection and what it subscribed to."""

    __slots__ = ("category", "conn_id", "held", "topics", "ws")

    def __init__(self, ws: ServerConnection, category: Category, conn_id: str) -> None:
        self.ws = ws
        self.category = category
        self.conn_id = conn_id
        self.topics: dict[str, Topic] = {}
        self.held: deque[tuple[float, bytes]] = deque()  # (due, frames) of a slow connection

    def write(self, frames: bytes) -> None:
        """Hand whole frames to the socket; a client that does not read is cut off."""
        if self.ws.state is not State.OPEN:
            return
        transport = self.ws.transport
        if transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            transport.abort()
            return
        transport.write(frames)


class Exchange:
    """The running exchange: owns the market, the sockets and the pulse."""

    def __init__(self, options: DemoOptions) -> None:
        """Reads state and faults, walks the market's history. Raises UserError."""
        _check(options)
        wanted_ms = wall_ns() // 1_000_000 if options.epoch_ms is None else options.epoch_ms
        self.market, self.epoch_ms = market_of(options, wanted_ms)
        self.options = options
        self.port = 0
        self._faults = read_faults(options.faults)
        self._keeper = Keeper(options.state)
        self._keeper.save(self.market, self.epoch_ms)
        self._clock = SystemClock(options.speed, self.epoch_ms * 1_000_000)
        self._began_s = mono_s()
        self._clients: set[Client] = set()
        self._connects = 0
        self._garbage = 0
        self._slow_s = 0.0  # when trades and tickers were last due
        self._server: Server | None = None
        self._legs: dict[tuple[Category, str], LegFeed] = {}
        self._awake: set[tuple[Category, str]] = set()

    # Running

    async def run(self, ready: Callable[[int], None]) -> None:
        """Listen, call ready(port), and serve until cancelled."""
        try:
            server = await listen(
                self._talk,
                HOST,
                self.options.port,
                process_request=self._http,
                compression=None,
                ping_interval=None,
                max_size=REQUEST_MAX,
                close_timeout=0.2,
                server_header="basisdesk-demo",
                logger=wire_log,
            )
        except OSError as exc:
            raise UserError(
                f"Cannot listen on {HOST}:{self.options.port}: {exc.strerror or exc}. "
                "Choose another port, or 0 for a free one."
            ) from exc
        self._server = server
        self.port = server.sockets[0].getsockname()[1]
        self._clock = SystemClock(self.options.speed, self.epoch_ms * 1_000_000)
        self._began_s = mono_s()
        try:
            ready(self.port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(), name="demo:pulse")
                group.create_task(self._save_often(), name="demo:state")
        finally:
            for client in tuple(self._clients):
                client.ws.transport.abort()
            server.close()
            await server.wait_closed()
            self._save(only_new=False)

    def now_ms(self) -> int:
        """Simulated time, UTC ms."""
        return self._clock.now_ns() // 1_000_000

    async def _beat(self) -> None:
        """Pulse at a fixed real cadence; a late pulse is not made up for."""
        per_s = self.options.rate / PULSE_S
        period_s = max(PULSE_MIN_S, 1.0 / per_s)
        owed = 0.0
        due_s = mono_s()
        while True:
            owed += per_s * period_s
            quotes = int(owed)
            owed -= quotes
            self._pulse(max(1, quotes))
            due_s = max(due_s + period_s, mono_s())
            await asyncio.sleep(max(0.0, due_s - mono_s()))

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            self._save(only_new=True)

    def _save(self, *, only_new: bool) -> None:
        try:
            self._keeper.save(self.market, self.now_ms(), only_new=only_new)
        except UserError as exc:  # a full disk is no reason to stop the market
            log.warning("%s", exc)

    def _pulse(self, quotes: int) -> None:
        now_ms, now_s = self.now_ms(), mono_s() - self._began_s
        self.market.advance(now_ms)
        for conn in self._faults.cuts(now_s):
            for client in self._on(conn):
                client.ws.transport.abort()
        slow = now_s - self._slow_s >= PULSE_S * 0.95
        if slow:
            self._slow_s = now_s
        said = self._said(now_ms, quotes, slow=slow)
        for client in tuple(self._clients):
            self._deliver(client, said, now_ms, now_s)

    def _said(self, now_ms: int, quotes: int, *, slow: bool) -> dict[tuple[Category, str], bytes]:
        """Frames of this pulse by (category, topic), made once for all clients."""
        heard: dict[tuple[Category, str], dict[str, Topic]] = {}
        for client in self._clients:
            for text, topic in client.topics.items():
                heard.setdefault((client.category, topic.symbol), {})[text] = topic
        out: dict[tuple[Category, str], bytes] = {}
        for key, topics in heard.items():
            leg = self._leg(key, now_ms)
            for text, messages in leg.pulse(topics, now_ms, slow=slow, quotes=quotes).items():
                out[key[0], text] = b"".join(map(frame, messages))
        self._awake = set(heard)
        return out

    def _deliver(
        self,
        client: Client,
        said: dict[tuple[Category, str], bytes],
        now_ms: int,
        now_s: float,
    ) -> None:
        conn = client.category
        while client.held and client.held[0][0] <= now_s:
            client.write(client.held.popleft()[1])
        if self._muted(client, now_ms, now_s) or not client.topics:
            return
        parts = [said[conn, text] for text in client.topics if (conn, text) in said]
        if self._faults.active("garbage", conn, now_s):
            parts.append(frame(GARBAGE[self._garbage % len(GARBAGE)]))
            self._garbage += 1
        frames = b"".join(parts)
        if client.held or self._faults.active("slow", conn, now_s):
            client.held.append((now_s + SLOW_S, frames))
        elif frames:
            client.write(frames)

    def _muted(self, client: Client, now_ms: int, now_s: float) -> bool:
        conn = client.category
        return (
            self._faults.active("silence", conn, now_s)
            or self._faults.active("mute", conn, now_s)
            or self.market.silent(conn, now_ms)
        )

    def _on(self, conn: str) -> list[Client]:
        return [client for client in self._clients if client.category == conn]

    def _leg(self, key: tuple[Category, str], now_ms: int) -> LegFeed:
        """The instrument's voice; caught up where nobody listened at the last pulse."""
        leg = self._legs.get(key)
        if leg is None:
            leg = LegFeed(BY_SYMBOL[key[1]], key[0], self.market, now_ms)
            self._legs[key] = leg
        elif key not in self._awake:
            leg.wake(now_ms)
        self._awake.add(key)
        return leg

    # WebSocket

    async def _talk(self, ws: ServerConnection) -> None:
        """One client from its handshake to its end."""
        path = ws.request.path.partition("?")[0] if ws.request else ""
        category: Category = "spot" if path == f"{WS_PREFIX}spot" else "linear"
        self._connects += 1
        client = Client(ws, category, f"demo{self.options.seed:x}-{self._connects:06d}")
        self._clients.add(client)
        try:
            async for message in ws:
                self._hear(client, message)
        except ConnectionClosed:
            pass  # cut, by us or by them
        finally:
            self._clients.discard(client)

    def _hear(self, client: Client, message: str | bytes) -> None:
        """Answer one client message, in the venue's words."""
        now_s = mono_s() - self._began_s
        if self._faults.active("mute", client.category, now_s):
            return
        request = read_request(message)
        if request is None:
            said = "Failed to decode incoming data: not a valid request"
            client.write(frame(answer(False, said, client.conn_id, Request())))
        elif request.op == "ping":
            client.write(frame(pong(client.conn_id, request)))
        elif request.op == "subscribe":
            self._subscribe(client, request)
        elif request.op == "unsubscribe":
            for text in request.args:
                client.topics.pop(text, None)
            client.write(frame(answer(True, "", client.conn_id, request)))
        else:
            client.write(frame(answer(False, "error:invalid op", client.conn_id, request)))

    def _subscribe(self, client: Client, request: Request) -> None:
        conn, now_ms = client.category, self.now_ms()
        topics = [parse_topic(text, conn) for text in request.args]
        why_not = refusal(request, conn, topics, client.topics)
        if why_not:
            client.write(frame(answer(False, why_not, client.conn_id, request)))
            return
        client.write(frame(answer(True, acked(conn), client.conn_id, request)))
        self.market.advance(now_ms)
        silent = self._muted(client, now_ms, mono_s() - self._began_s)
        for topic in topics:
            if topic is None:
                continue
            greeting = self._leg((conn, topic.symbol), now_ms).greeting(topic, now_ms)
            client.topics[topic.text] = topic
            if not silent:
                client.write(b"".join(map(frame, greeting)))

    # HTTP

    def _http(self, _: ServerConnection, request: HttpRequest) -> Response | None:
        """None lets a WebSocket in; anything else is answered here."""
        path = request.path.partition("?")[0]
        if path in (f"{WS_PREFIX}spot", f"{WS_PREFIX}linear"):
            conn, now_s = path.removeprefix(WS_PREFIX), mono_s() - self._began_s
            if any(self._faults.active(k, conn, now_s) for k in ("refuse", "disconnect")):
                return _response(503, b"simulated refusal\n")
            return None if "Upgrade" in request.headers else _response(426, b"WebSocket only\n")
        now_ms = self.now_ms()
        self.market.advance(now_ms)
        return _response(*pages.answer(self, request.path, now_ms))

    def ticker(self, category: Category, symbol: str, now_ms: int) -> dict[str, str]:
        """Ticker fields for the REST page."""
        return self._quiet_leg(category, symbol, now_ms).rest_ticker(now_ms)

    def sides(self, category: Category, symbol: str, now_ms: int) -> tuple[Levels, Levels, int]:
        """(bids, asks, cross sequence) for the REST page."""
        return self._quiet_leg(category, symbol, now_ms).sides(now_ms)

    def _quiet_leg(self, category: Category, symbol: str, now_ms: int) -> LegFeed:
        """A leg that is looked at without being listened to."""
        key: tuple[Category, str] = (category, symbol)
        if key not in self._legs:
            self._legs[key] = LegFeed(BY_SYMBOL[symbol], category, self.market, now_ms)
        return self._legs[key]


def frame(payload: bytes) -> bytes:
    """A whole, unmasked WebSocket text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def _response(status: int, body: bytes) -> Response:
    phrase = http.HTTPStatus(status).phrase
    headers: dict[str, Any] = {
        "Content-Type": "application/json" if body[:1] == b"{" else "text/plain",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    return Response(status, phrase, Headers(headers), body)


def _check(options: DemoOptions) -> None:
    """Options that no type can refuse."""
    low, high = SPEED_RANGE
    if not low <= options.speed <= high:
        raise UserError(f"--speed {options.speed:g} is outside {low:g} to {high:g}.")
    low, high = RATE_RANGE
    if not low <= options.rate <= high:
        raise UserError(f"--rate {options.rate:g} is outside {low:g} to {high:g}.")
    if not 0 <= options.seed <= 2**31:
        raise UserError(f"--seed {options.seed} is outside 0 to {2**31}.")
    if options.symbol not in BY_SYMBOL:
        known = ", ".join(BY_SYMBOL)
        raise UserError(f"--symbol {options.symbol} is not simulated. Known: {known}.")
    if options.epoch_ms is not None and not 10**12 <= options.epoch_ms < 10**13:
        raise UserError(f"--epoch-ms {options.epoch_ms} is not a time in ms between 2001 and 2286.")
