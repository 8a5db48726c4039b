"""A scripted exchange on 127.0.0.1: one port for WebSocket and HTTP, with every fault on a switch.

It speaks enough of the Bybit dialect (subscribe, unsubscribe, ping, acks by req_id) for the real
codec. The operating system picks the port. Switches can be turned while it runs.

    async with loopback() as exchange:
        exchange.snapshots["orderbook.1.ADAUSDT"] = [payload]  # sent after each subscribe
        exchange.publish("orderbook.1.ADAUSDT", payload)       # to all who subscribed
        exchange.http["/v5/market/time"] = b"{...}"
        ... exchange.ws_url("spot"), exchange.http_url ...
"""

import asyncio
import json
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets import broadcast
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

NO_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Answer:
    """One scripted HTTP answer; `delay_s` before the first byte."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass
class Replay:
    """Payloads sent to one connection after its first subscribe, whoever subscribed to what.

    pause_s: between two payloads; 0 sends as fast as the socket takes them.
    hang_up: close afterwards. loops: how often the payloads are sent.
    """

    payloads: Sequence[bytes]
    pause_s: float = 0.0
    hang_up: bool = False
    loops: int = 1


class Faults:
    """Switches. They hold for what happens from now on, on old and new connections."""

    def __init__(self) -> None:
        self.status = 0  # answer the WebSocket handshake with this HTTP status
        self.headers: dict[str, str] = {}  # ... and these headers (Retry-After, Location)
        self.close_on_accept: int | None = None  # close code right after the handshake
        self.silent = False  # acks and pongs, but no data
        self.hold = False  # half open: nothing is read, nothing is sent
        self.deaf = False  # reads, but answers nothing and sends no data
        self.muted: set[str] = set()  # topics that get an ack but no data
        self.bad_topics: set[str] = set()  # a subscribe with one of them fails as a whole
        self.nameless = False  # acks name the topics and repeat no request id (as OKX's)
        self.slow_ack_s = 0.0  # before each answer to a subscribe
        self.life_s = 0.0  # each connection is closed at this age; 0: never


class LoopbackExchange:
    """The server. Made by `loopback`; all times are time.monotonic() seconds."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.snapshots: dict[str, list[bytes]] = {}
        self.replays: dict[str, list[Replay]] = {}  # by path's last part, one per connection
        self.http: dict[str, bytes | Answer | list[Answer]] = {}  # by path without query
        self.connects: list[tuple[float, str]] = []  # each try that reached us, (when, path)
        self.requests: list[str] = []  # HTTP targets asked for
        self.heard: list[dict[str, Any]] = []  # each message of a client ...
        self.heard_at: list[float] = []  # ... and when it came
        self.deaf_to: Callable[[ServerConnection], bool] = lambda _: False  # acks, but no data
        self.port = 0
        self.scheme = "ws"
        self._server: Server | None = None
        self._topics: dict[ServerConnection, set[str]] = {}
        self._replaying: set[asyncio.Task[None]] = set()
        self._tls: ssl.SSLContext | None = None

    # --- addresses and counts

    def ws_url(self, name: str = "spot") -> str:
        """Address of one market family."""
        return f"{self.scheme}://127.0.0.1:{self.port}/v5/public/{name}"

    @property
    def http_url(self) -> str:
        """Base address of the HTTP side."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """Connections open now."""
        return len(self._topics)

    def asked(self, op: str) -> Counter[str]:
        """How often each topic (or, for "ping", the empty name) was named in messages of `op`."""
        return Counter(
            arg for said in self.heard if said.get("op") == op for arg in said.get("args", [""])
        )

    # --- life

    async def start(
        self, tls: ssl.SSLContext | None = None, compression: str | None = None
    ) -> None:
        """Listen, on the port of last time if there was one."""
        self._tls = tls
        self.scheme = "wss" if tls else "ws"
        self._server = await serve(
            self._talk,
            "127.0.0.1",
            self.port,
            ssl=tls,
            process_request=self._greet,
            compression=compression,
            ping_interval=None,
            open_timeout=None,  # each would leave a timer in a Qt loop
            close_timeout=0.2,
            max_size=2**22,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse: nobody listens any more, and all connections are reset."""
        if self._server is None:
            return
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(3):  # asyncio drops what it has just accepted unclosed when closed now
            await asyncio.sleep(0)
        self._server.close(close_connections=False)
        self.reset_all()
        for task in self._replaying:
            task.cancel()
        await asyncio.gather(*self._replaying, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    # --- what a test does to its clients

    def publish(self, topic: str, payload: bytes) -> None:
        """Send to every connection that subscribed to the topic, unless a fault forbids it."""
        faults = self.faults
        if faults.silent or faults.hold or faults.deaf or topic in faults.muted:
            return
        broadcast(
            [ws for ws, had in self._topics.items() if topic in had and not self.deaf_to(ws)],
            payload,
            text=True,
        )

    def blurt(self, payload: bytes, text: bool = True) -> None:
        """Send to every connection, subscribed or not: garbage, huge frames."""
        broadcast(list(self._topics), payload, text=text)

    def flood(self, payload: bytes, count: int) -> None:
        """Send one payload many times to everyone."""
        for _ in range(count):
            self.blurt(payload)

    def reset_all(self) -> None:
        """Cut every connection with a TCP reset."""
        for ws in list(self._topics):
            sock: socket.socket | None = ws.transport.get_extra_info("socket")
            if sock is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            ws.transport.abort()

    def half_frame_and_reset(self, payload: bytes) -> None:
        """Send the first half of a frame's bytes, then reset: a message cut in the middle."""
        size = len(payload)
        head = b"\x81" + (bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size))
        for ws in list(self._topics):
            ws.transport.write(head + payload[: size // 2])
        asyncio.get_running_loop().call_later(0.02, self.reset_all)

    async def close_all(self, code: int = 1000, reason: str = "") -> None:
        """Close every connection politely."""
        await asyncio.gather(*(ws.close(code, reason) for ws in list(self._topics)))

    # --- the server's side

    async def _greet(self, ws: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" not in request.headers:
            return await self._answer(request)
        self.connects.append((time.monotonic(), request.path))
        if not self.faults.status:
            return None
        return _response(self.faults.status, b"", self.faults.headers)

    async def _answer(self, request: Request) -> Response:
        self.requests.append(request.path)
        scripted = self.http.get(urlsplit(request.path).path, Answer(b"not scripted", 404))
        if isinstance(scripted, list):  # one after the other; the last one stays
            scripted = scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if isinstance(scripted, bytes):
            scripted = Answer(scripted)
        if scripted.delay_s:
            await asyncio.sleep(scripted.delay_s)
        return _response(scripted.status, scripted.body, scripted.headers)

    async def _talk(self, ws: ServerConnection) -> None:
        self._topics[ws] = set()
        life_s = self.faults.life_s
        end = asyncio.get_running_loop().call_later(life_s, ws.transport.abort) if life_s else None
        try:
            if self.faults.close_on_accept is not None:
                await ws.close(self.faults.close_on_accept, "as scripted")
                return
            while True:
                said = json.loads(await ws.recv())
                if self.faults.hold:
                    ws.transport.pause_reading()
                    await ws.wait_closed()
                    return
                self.heard.append(said)
                self.heard_at.append(time.monotonic())
                if not self.faults.deaf:
                    await self._reply(ws, said)
        except ConnectionClosed:
            pass
        finally:
            del self._topics[ws]
            if end is not None:
                end.cancel()

    async def _reply(self, ws: ServerConnection, said: dict[str, Any]) -> None:
        op, args = said.get("op"), said.get("args", [])
        if op == "ping":
            await ws.send(_ack(True, "pong", "", "ping"))
            return
        bad = [topic for topic in args if topic in self.faults.bad_topics]
        if op == "unsubscribe":
            self._topics[ws].difference_update(args)
        if op != "subscribe" or bad:
            text = f"error:handler not found,topic:{bad[0]}" if bad else ""
            await ws.send(self._ack(not bad, text, said))
            return
        first = not self._topics[ws]
        self._topics[ws].update(args)
        if self.faults.slow_ack_s:
            await asyncio.sleep(self.faults.slow_ack_s)
        await ws.send(self._ack(True, "", said))
        for topic in args:
            if self.faults.silent or self.deaf_to(ws):
                break
            if topic not in self.faults.muted:
                for payload in self.snapshots.get(topic, ()):
                    await ws.send(payload, text=True)
        scripts = self.replays.get(ws.request.path.rpartition("/")[2]) if ws.request else None
        if first and scripts:
            task = asyncio.create_task(self._replay(ws, scripts.pop(0)))
            self._replaying.add(task)
            task.add_done_callback(self._replaying.discard)

    def _ack(self, ok: bool, text: str, said: dict[str, Any]) -> str:
        if self.faults.nameless:
            ack = json.loads(_ack(ok, text, "", said.get("op")))
            return json.dumps(ack | {"topics": said.get("args", [])})
        return _ack(ok, text, said.get("req_id", ""), said.get("op"))

    async def _replay(self, ws: ServerConnection, script: Replay) -> None:
        with suppress(ConnectionClosed):
            for _ in range(script.loops):
                for payload in script.payloads:
                    await ws.send(payload, text=True)
                    if script.pause_s:
                        await asyncio.sleep(script.pause_s)
            if script.hang_up:
                await ws.close()


@asynccontextmanager
async def loopback(
    tls: ssl.SSLContext | None = None, compression: str | None = None
) -> AsyncIterator[LoopbackExchange]:
    """A running exchange; gone, with all its connections, at the end of the block."""
    exchange = LoopbackExchange()
    await exchange.start(tls, compression)
    try:
        yield exchange
    finally:
        await exchange.stop()


def top(symbol: str, bid: float, ask: float, u: int, ts_ms: int, size: float = 1000.0) -> bytes:
    """A Bybit orderbook.1 message."""
    data = {"s": symbol, "b": [[f"{bid}", f"{size}"]], "a": [[f"{ask}", f"{size}"]], "u": u}
    return _book("snapshot", f"orderbook.1.{symbol}", data, ts_ms)


def book(
    symbol: str,
    bids: Iterable[tuple[float, float]],
    asks: Iterable[tuple[float, float]],
    u: int,
    ts_ms: int,
    kind: str = "snapshot",
) -> bytes:
    """A Bybit orderbook.50 message, snapshot or delta."""
    data = {
        "s": symbol,
        "b": [[f"{p}", f"{q}"] for p, q in bids],
        "a": [[f"{p}", f"{q}"] for p, q in asks],
        "u": u,
    }
    return _book(kind, f"orderbook.50.{symbol}", data, ts_ms)


def _book(kind: str, topic: str, data: dict[str, Any], ts_ms: int) -> bytes:
    data["seq"] = data["u"]
    message = {"topic": topic, "ts": ts_ms, "type": kind, "data": data, "cts": ts_ms - 1}
    return json.dumps(message, separators=(",", ":")).encode()


def _ack(ok: bool, text: str, req_id: str, op: str | None) -> str:
    said = {"success": ok, "ret_msg": text, "conn_id": "loopback", "req_id": req_id, "op": op}
    return json.dumps(said)


def _response(status: int, body: bytes, headers: dict[str, str]) -> Response:
    head = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    head.update({"Connection": "close", **headers})
    return Response(status, HTTPStatus(status).phrase, head, body)
