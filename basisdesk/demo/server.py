"""WebSocket and HTTP server on 127.0.0.1 that speaks for the simulated market.

One port for all venues: each dialect names the paths of its sockets and pages. One task, the beat,
moves the legs that somebody listens to, some of them every few milliseconds, each of them every
100 ms; each message becomes a WebSocket frame once for all clients of its topic, and a client gets
all its frames of a beat in one write.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from basisdesk.clock import SystemClock, mono_s, wall_ns
from basisdesk.demo.clients import Channel, Client, Voice, frame
from basisdesk.demo.coins import BY_NAME
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.drills import Drills
from basisdesk.demo.faults import LATE_S, SLOW_S, read_faults, read_order
from basisdesk.demo.floor import Name, Trading, Truth, VenueFloor
from basisdesk.demo.gate import check_options, response, tls_context, turned_away
from basisdesk.demo.keep import Keeper, market_of
from basisdesk.demo.listings import by_symbol
from basisdesk.demo.options import DemoOptions
from basisdesk.demo.readying import Readying
from basisdesk.demo.warp import STRAIGHT, Bent, bend_of, clock_of
from basisdesk.demo.wire import Dialect, Leg, News, Topic
from basisdesk.errors import UserError

HOST = "127.0.0.1"
PULSE_S = 0.1  # of each leg, at rate 1
PULSE_MIN_S = 0.01  # a higher rate sends more messages a pulse
SLOTS_MAX, LEGS_A_SLOT = 10, 8  # legs are spread over the pulse in so many parts
SAVE_S, IDLE_S = 2.0, 1.0
REQUEST_MAX = 64 << 10  # bytes of one client message

log = logging.getLogger("basisdesk.demo")
wire_log = logging.getLogger("basisdesk.demo.wire")
wire_log.setLevel(logging.CRITICAL)  # broken handshakes are what faults and tests are about


class Exchange:
    """The running exchange: owns the market, the sockets and the beat."""

    def __init__(self, options: DemoOptions) -> None:
        """Reads state and faults. Raises UserError."""
        check_options(options)
        wanted_ms = wall_ns() // 1_000_000 if options.epoch_ms is None else options.epoch_ms
        self.market, self.epoch_ms = market_of(options, wanted_ms)
        self.options = options
        self.port = 0
        self.tls = tls_context(options)
        self.faults = read_faults(options.faults)
        self.trading = Trading(self.market, self.now_ms, options.seed)
        self.clients: set[Client] = set()
        self.voices: dict[Name, Voice] = {}
        self.sent = 0  # data messages handed to sockets
        self.drills = Drills(self)
        self._dialects = known_dialects()
        self._sockets = {
            path: (dialect, conn)
            for dialect in self._dialects
            for path, conn in dialect.sockets.items()
        }
        self._channels: dict[tuple[str, str], Channel] = {}
        self._keeper = Keeper(options.state)
        self._keeper.save(self.market, self.epoch_ms)
        self._clock = SystemClock(options.speed, self.epoch_ms * 1_000_000)
        self._began_s = mono_s()
        self._connects = 0
        self._idle_s = 0.0
        self._server: Server | None = None
        self._ready = Readying(self.trading)
        self._closing: set[asyncio.Task[None]] = set()

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
                ssl=self.tls,
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
            coin = by_symbol("bybit", "perp")[self.options.symbol].base
            self.market.coin(BY_NAME[coin])  # while the caller makes up its mind
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(), name="demo:beat")
                group.create_task(self._save_often(), name="demo:state")
        finally:
            for client in tuple(self.clients):
                client.ws.transport.abort()
            server.close()
            await server.wait_closed()
            self._save(only_new=False)

    def now_ms(self) -> int:
        """Simulated time, UTC ms."""
        return self._clock.now_ns() // 1_000_000

    def now_s(self) -> float:
        """Real seconds since the exchange began to listen."""
        return mono_s() - self._began_s

    def truth(self, key: str) -> Truth:
        """What was true of a leg ("okx:perp:ADA-USDT-SWAP"), whatever faults made of it.

        Times of touches are `clock.mono_s`. KeyError for a leg nobody asked for yet.
        """
        return self.trading.truth(key)

    def command(self, line: bytes) -> None:
        """Follow one line of orders, see `faults.Order`. Raises SettingsError."""
        order = read_order(line)
        if order.clear:
            self.drills.end(self.faults.clear())
        if order.fault is not None:
            self.faults.add(order.fault, self.now_s())

    async def _beat(self) -> None:
        """Pulse every leg at a fixed real cadence; a late pulse is not made up for."""
        per_s = self.options.rate / PULSE_S
        period_s = max(PULSE_MIN_S, 1.0 / per_s)
        owed, due_s, slot = 0.0, mono_s(), 0
        while True:
            most = max(1, min(SLOTS_MAX, round(period_s / PULSE_MIN_S)))
            slots = max(1, min(most, -(-len(self.voices) // LEGS_A_SLOT)))
            slot = (slot + 1) % slots
            if slot == 0:
                owed = owed % 1.0 + per_s * period_s
            self._pulse(max(1, int(owed)), tuple(self.voices.values())[slot::slots])
            due_s = max(due_s + period_s / slots, mono_s())
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

    def _pulse(self, quotes: int, voices: Iterable[Voice]) -> None:
        now_ms, now_s = self.now_ms(), self.now_s()
        self.market.advance(now_ms)
        self.drills.tick(now_s)
        for voice in voices:
            self.speak(voice, now_ms, now_s, quotes)
        for client in tuple(self.clients):
            self._flush(client, now_ms, now_s)
        if now_s - self._idle_s >= IDLE_S:
            self._idle_s = now_s
            self._heartbeats(now_ms)

    def speak(
        self, voice: Voice, now_ms: int, now_s: float, quotes: int, *, anyway: bool = False
    ) -> None:
        """Move a leg on and put its news before its clients.

        anyway: the touch is told in any case.
        """
        leg, faults = voice.leg, self.faults
        slow = now_s - voice.slow_s >= PULSE_S * 0.95
        if slow:
            voice.slow_s = now_s
        news = leg.pulse(now_ms, slow=slow, quotes=quotes)
        if anyway:
            news = news._replace(touched=True)
        self.trading.note(leg, mono_s())
        if voice.name in self.trading.delisted:
            return
        told: dict[str, tuple[Leg, News]] = {}
        for channel in voice.channels:
            conn = channel.conn
            if conn not in told:
                told[conn] = voice.warp(conn).through(leg, news, bend_of(faults, conn, leg.spec))
            shown, what = told[conn]
            said = channel.dialect.say(conn, channel.topic, shown, channel.memory, what)
            if faults.on or not channel.tamper.idle:
                said = channel.tamper.mangled(faults, conn, channel.topic, leg.spec.base, said)
            if said and not self._hushed(channel, now_ms):
                frames = b"".join(map(frame, said))
                self.sent += len(said) * len(channel.clients)
                for client in channel.clients:
                    client.parts.append(frames)

    def _flush(self, client: Client, now_ms: int, now_s: float) -> None:
        while client.held and client.held[0][0] <= now_s:
            client.write(client.held.popleft()[1])
        if client.later:
            for _, frames in [row for row in client.later if row[0] <= now_s]:
                client.write(frames)
            client.later = [row for row in client.later if row[0] > now_s]
        if not client.parts:
            return
        frames = b"".join(client.parts)
        client.parts.clear()
        client.spoken_ms = now_ms
        if self.faults.active("slow", client.conn):
            client.held.append((now_s + SLOW_S, frames))
        elif client.held:  # behind what is still held back, and no later
            client.held.append((client.held[-1][0], frames))
        else:
            client.write(frames)

    def _heartbeats(self, now_ms: int) -> None:
        for client in tuple(self.clients):
            if client.topics and not self._mute(client.conn):
                silent_ms = now_ms - client.spoken_ms
                beats = client.dialect.idle(client.conn, silent_ms, self._shown_ms(client.conn))
                client.write(b"".join(map(frame, beats)))

    # What faults leave

    def _mute(self, conn: str) -> bool:
        return bool(self.faults.active("mute", conn) or self.faults.active("half_open", conn))

    def _silent(self, conn: str, now_ms: int) -> bool:
        """No market data on this connection."""
        silent = self.faults.on and (self._mute(conn) or self.faults.active("silence", conn))
        return bool(silent) or self.market.silent(conn, now_ms)

    def _hushed(self, channel: Channel, now_ms: int) -> bool:
        """No data of this channel."""
        conn, topic, faults = channel.conn, channel.topic, self.faults
        if self._silent(conn, now_ms):
            return True
        base = channel.voice.leg.spec.base
        if not faults.on:
            return False
        if faults.active("outage", conn, topic.symbol, base):
            return True
        return any(
            fault.kind == "mute_topic"
            and fault.hits(conn, topic.symbol, base)
            and topic.text.startswith(str(fault.value or ""))
            for fault in faults.on
        )

    def _shown_ms(self, conn: str) -> int:
        skew_ms, seconds = clock_of(self.faults, conn)
        return (self.now_ms() + skew_ms) // (1000 if seconds else 1)

    def _floor(self, conn: str, ready: dict[Name, Leg] | None = None) -> VenueFloor:
        held = (ready or {}) | (self.drills.old_legs(conn) if self.faults.on else {})
        return VenueFloor(self.trading, lambda _: self._shown_ms(conn), held)

    # WebSocket

    async def _talk(self, ws: ServerConnection) -> None:
        """One client from its handshake to its end."""
        path = ws.request.path if ws.request else ""
        dialect, conn = self._sockets[path.partition("?")[0]]
        self._connects += 1
        conn_id = f"demo{self.options.seed:x}-{self._connects:06d}"
        client = Client(ws, dialect, conn, conn_id)
        client.spoken_ms, client.opened_s = self.now_ms(), self.now_s()
        early = self.faults.active("close_early", conn)
        if early is not None:
            await ws.close(int(early.number(1013)), "simulated")
            return
        self.clients.add(client)
        client.pause(on=bool(self.faults.active("half_open", conn)))
        try:
            hello = dialect.hello(conn, path, self._shown_ms(conn))
            self._answer(client, hello.replies, hello.added, hello.dropped)
            async for message in ws:
                self._hear(client, message)
        except ConnectionClosed:
            pass  # cut, by us or by them
        finally:
            self.clients.discard(client)
            self._drop(client, tuple(client.topics))

    def _hear(self, client: Client, message: str | bytes) -> None:
        """Answer one client message, in its venue's words."""
        if self._mute(client.conn):
            return
        raw = message.encode("utf-8", "replace") if isinstance(message, str) else message
        floor = self._floor(client.conn)
        heard = client.dialect.hear(client.conn, raw, client.topics, floor, client.conn_id)
        self._answer(client, heard.replies, heard.added, heard.dropped)

    def _answer(
        self,
        client: Client,
        replies: Iterable[bytes],
        added: Iterable[Topic],
        dropped: Iterable[str],
    ) -> None:
        if not self._mute(client.conn):
            client.write(b"".join(map(frame, replies)))
        self._drop(client, dropped)
        self.market.advance(self.now_ms())
        for topic in added:
            self._add(client, topic)

    def _add(self, client: Client, topic: Topic) -> None:
        """Subscribe a client and greet it with the state that others have heard."""
        client.topics[topic.text] = topic
        channel = self._channel(client, topic)
        if channel is None:
            return
        channel.clients[client] = None
        self.greet(channel, (client,))

    def greet(self, channel: Channel, clients: Iterable[Client]) -> None:
        """Send a topic's first data."""
        conn, leg, now_ms = channel.conn, channel.voice.leg, self.now_ms()
        bend = bend_of(self.faults, conn, leg.spec)
        shown: Leg = leg if bend == STRAIGHT else Bent(leg, bend)
        said = channel.dialect.greet(conn, channel.topic, shown, channel.memory, bend.time(now_ms))
        if not said or self._hushed(channel, now_ms):
            return
        self.trading.note(channel.voice.leg, mono_s())
        frames, now_s = b"".join(map(frame, said)), self.now_s()
        late = self.faults.active("late_snapshot", conn, leg.spec.symbol, leg.spec.base)
        for client in clients:
            client.spoken_ms = now_ms
            if late is not None:
                client.later.append((now_s + LATE_S, frames))
            else:
                client.write(frames)

    def _channel(self, client: Client, topic: Topic) -> Channel | None:
        """The shared channel of a topic; None where it speaks of nothing that is simulated."""
        found = self._channels.get((client.conn, topic.text))
        if found is not None:
            return found
        name = client.dialect.leg_of(client.conn, topic)
        leg = None if name is None else self.trading.sim(name)
        if name is None or leg is None:
            return None
        voice = self.voices.get(name)
        if voice is None:
            voice = self.voices[name] = Voice(name, leg)
            self.trading.awake.add(name)
        channel = Channel(client.dialect, client.conn, topic, voice)
        channel.memory["floor"] = self._floor(client.conn)
        voice.channels.append(channel)
        self._channels[client.conn, topic.text] = channel
        return channel

    def _drop(self, client: Client, texts: Iterable[str]) -> None:
        for text in tuple(texts):
            client.topics.pop(text, None)
            channel = self._channels.get((client.conn, text))
            if channel is None or client not in channel.clients:
                continue
            del channel.clients[client]
            if channel.clients:
                continue
            del self._channels[client.conn, text]
            voice = channel.voice
            voice.channels.remove(channel)
            if not voice.channels:
                del self.voices[voice.name]
                self.trading.awake.discard(voice.name)

    def close(self, client: Client, code: int) -> None:
        """Close a client's socket in the protocol's way, without waiting."""
        task = asyncio.get_running_loop().create_task(client.ws.close(code, "simulated"))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # HTTP

    async def _http(self, _: ServerConnection, request: HttpRequest) -> Response | None:
        """None lets a WebSocket in; anything else is answered here."""
        path = request.path.partition("?")[0]
        if path in self._sockets:
            refused = self._refusal(self._sockets[path][1])
            if refused is not None:
                return refused
            return None if "Upgrade" in request.headers else response(426, b"WebSocket only\n")
        dialect = self._pages_of(path)
        if dialect is None:
            return response(404, b"no such page\n")
        conn = f"{dialect.venue}.rest"
        while self._mute(conn) or self.faults.active("silence", conn):  # noqa: ASYNC110 - a wait
            await asyncio.sleep(PULSE_S)
        if self.faults.active("slow", conn):
            await asyncio.sleep(SLOW_S)
        refused = self._refusal(conn)
        if refused is not None:
            return refused
        self.market.advance(self.now_ms())
        ready = await self._ready.legs(dialect.venue, request.path)
        page = dialect.page(request.path, self._floor(conn, ready))
        return response(page.status, page.body)

    def _pages_of(self, path: str) -> Dialect | None:
        for dialect in self._dialects:
            if any(path.startswith(start) for start in dialect.pages):
                return dialect
        return None

    def _refusal(self, conn: str) -> Response | None:
        """The answer to a newcomer whom a fault turns away."""
        if any(self.faults.active(kind, conn) for kind in ("refuse", "disconnect")):
            return response(503, b"simulated refusal\n")
        fault = self.faults.active("http_status", conn)
        if fault is None:
            return None
        return turned_away(fault, conn, self.now_s())
