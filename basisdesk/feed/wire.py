"""One open socket: how it is opened, and a paced and counted way to send on it.

Nothing here waits to send: the watchdog's tick lets out what the venue's gap allows. A timer for
each message would stay behind in a Qt loop.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets import broadcast
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.protocol import State

from basisdesk.clock import mono_s
from basisdesk.feed.pace import Pace
from basisdesk.feed.proxy import Unmoved, by_number, through
from basisdesk.feed.shared import Shared
from basisdesk.venues import Limits

FRAME_BYTES_MAX = 4 * 2**20
QUEUE_MAX = 64  # messages that wait inside the library before the socket is not read any more
SENDS_MAX = 2_000  # messages that wait for their turn; one more and the connection is cut
ASKS_KEPT = 10_000  # times of requests remembered
OPEN_ERRORS = (OSError, TimeoutError, ValueError, WebSocketException)


class Connection(ClientConnection):
    """A library connection that notes that bytes came, pongs included."""

    heard = False
    bytes_in = 0

    def data_received(self, data: bytes) -> None:
        """Bytes from the socket."""
        self.heard = True
        self.bytes_in += len(data)
        super().data_received(data)


class Request(NamedTuple):
    """A message on its way out. topics: what it subscribes to; counted: it costs a request."""

    message: bytes | None  # None: a WebSocket ping frame
    req_id: str = ""
    topics: tuple[str, ...] = ()
    counted: bool = False


class Wire:
    """A socket with its outgoing queue.

    on_ask: told request id and topics of each subscribe at the moment it really goes out.
    """

    def __init__(
        self,
        ws: Connection,
        limits: Limits,
        pace: Pace,
        on_ask: Callable[[str, tuple[str, ...]], None] | None = None,
    ) -> None:
        self.ws = ws
        self.on_ask = on_ask
        self.messages = 0
        self.up_at_s = mono_s()
        self._limits = limits
        self._pace = pace
        self._queue: deque[Request] = deque()
        self._free_at_s = -math.inf  # when the venue takes the next message
        self._asks: deque[float] = deque(maxlen=ASKS_KEPT)

    @property
    def sending(self) -> int:
        """Messages that wait for their turn."""
        return len(self._queue)

    @property
    def overfull(self) -> bool:
        """More was to be sent than the venue will ever take in time."""
        return len(self._queue) > SENDS_MAX

    def send(self, request: Request, urgent: bool = False) -> None:
        """Send, now or at its turn; urgent ones (heartbeats) go before all that wait."""
        if urgent:
            self._queue.appendleft(request)
        else:
            self._queue.append(request)
        self.pump(mono_s())

    def pump(self, now_s: float) -> None:
        """Let out what the gap allows; a tick's worth at most in one go."""
        gap_s = self._limits.send_gap_s
        if gap_s <= 0:
            while self._queue:
                self._out(self._queue.popleft(), now_s)
            return
        # A watchdog that ticks late must not slow us below the venue's rate. The moment itself is
        # kept, never a difference to be compared with the gap: its rounding might fall short of it.
        self._free_at_s = max(self._free_at_s, now_s - max(0.0, self._pace.tick_s - gap_s))
        while self._queue and now_s >= self._free_at_s:
            self._free_at_s += gap_s
            self._out(self._queue.popleft(), now_s)

    def asks_hour(self, now_s: float) -> int:
        """Counted requests of the last hour, those that wait included."""
        while self._asks and now_s - self._asks[0] >= self._pace.hour_s:
            self._asks.popleft()
        return len(self._asks) + sum(request.counted for request in self._queue)

    def cut(self) -> None:
        """End it without waiting for a peer that may be gone."""
        self.ws.transport.abort()

    async def end(self) -> None:
        """Cut it and wait until nothing of it is left."""
        self.cut()
        await self.ws.wait_closed()

    def _out(self, request: Request, now_s: float) -> None:
        if request.counted:
            self._asks.append(now_s)
        if request.topics and self.on_ask is not None:
            self.on_ask(request.req_id, request.topics)
        if request.message is not None:
            broadcast([self.ws], request.message, text=True)  # never waits
        elif self.ws.protocol.state is State.OPEN:
            self.ws.protocol.send_ping(request.req_id.encode())
            self.ws.send_data()


async def open_socket(url: str, turn: int, shared: Shared) -> Connection:
    """A connected and greeted socket; the host's addresses take turns. Raises OPEN_ERRORS."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    proxy, more = through(shared.proxy, url), dict[str, Any]()
    async with asyncio.timeout(shared.pace.open_s):
        if proxy:
            proxy = await by_number(proxy, shared.names)
        else:
            found: Sequence[str] = await shared.names.addresses(parts.hostname or "", port)
            # An address of our choice also makes the library refuse redirects to other hosts.
            more = {"host": found[turn % len(found)], "port": port}
        ws = await (Unmoved if proxy else connect)(
            url,
            **more,
            ssl=shared.tls if secure else None,
            proxy=proxy or None,
            open_timeout=None,
            ping_interval=None,
            close_timeout=shared.pace.close_s,
            max_size=FRAME_BYTES_MAX,
            max_queue=QUEUE_MAX,
            create_connection=Connection,
        )
    assert isinstance(ws, Connection)
    return ws
