"""Clients of the exchange and the topics they share; bytes of WebSocket frames."""

import socket
import struct
from collections import deque
from contextlib import suppress

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from basisdesk.demo.leg import SimLeg
from basisdesk.demo.tamper import Tamper
from basisdesk.demo.warp import Warp
from basisdesk.demo.wire import Dialect, Topic

WRITE_BUFFER_MAX = 8 << 20  # bytes a client may leave unread before it is dropped
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends a reset


class Client:
    """One WebSocket connection and what it subscribed to."""

    __slots__ = (
        "conn", "conn_id", "dialect", "held", "later", "opened_s", "parts", "paused", "spoken_ms",
        "topics", "ws",
    )  # fmt: skip

    def __init__(self, ws: ServerConnection, dialect: Dialect, conn: str, conn_id: str) -> None:
        self.ws = ws
        self.dialect = dialect
        self.conn = conn
        self.conn_id = conn_id
        self.topics: dict[str, Topic] = {}
        self.parts: list[bytes] = []  # frames of the present pulse
        self.held: deque[tuple[float, bytes]] = deque()  # (due, frames) of a slow connection
        self.later: list[tuple[float, bytes]] = []  # (due, frames) that others may overtake
        self.spoken_ms = 0  # when it was last sent something, simulated
        self.opened_s = 0.0
        self.paused = False

    def write(self, frames: bytes) -> None:
        """Hand whole frames to the socket; a client that does not read is cut off."""
        if self.ws.state is not State.OPEN or not frames:
            return
        transport = self.ws.transport
        if transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            transport.abort()
            return
        transport.write(frames)

    def reset(self) -> None:
        """Half a message, then a TCP reset."""
        if self.ws.state is State.OPEN:
            self.ws.transport.write(frame(b'{"cut":"here"' * 20)[:100])
            raw = self.ws.transport.get_extra_info("socket")
            if raw is not None:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.ws.transport.abort()

    def pause(self, *, on: bool) -> None:
        """Stop reading from the socket, or go on."""
        if on == self.paused:
            return
        self.paused = on
        with suppress(RuntimeError):  # closing
            if on:
                self.ws.transport.pause_reading()
            else:
                self.ws.transport.resume_reading()


class Channel:
    """One topic of one connection name: made once, sent to all its clients."""

    __slots__ = ("clients", "conn", "dialect", "memory", "tamper", "topic", "voice")

    def __init__(self, dialect: Dialect, conn: str, topic: Topic, voice: "Voice") -> None:
        self.dialect = dialect
        self.conn = conn
        self.topic = topic
        self.voice = voice
        self.clients: dict[Client, None] = {}
        self.memory: dict[str, object] = {}
        self.tamper = Tamper()


class Voice:
    """One leg that somebody listens to, and the channels that speak of it."""

    __slots__ = ("channels", "leg", "name", "slow_s", "warps")

    def __init__(self, name: tuple[str, str, str], leg: SimLeg) -> None:
        self.name = name
        self.leg = leg
        self.channels: list[Channel] = []
        self.warps: dict[str, Warp] = {}
        self.slow_s = 0.0  # when trades and tickers were last due

    def warp(self, conn: str) -> Warp:
        """What a connection has been shown of it."""
        found = self.warps.get(conn)
        if found is None:
            found = self.warps[conn] = Warp(conn)
        return found


def frame(payload: bytes) -> bytes:
    """A whole, unmasked WebSocket text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
