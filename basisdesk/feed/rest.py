"""The few HTTP calls of one venue: rules, tiers, candles, past funding, server time.

Each answer becomes a frame on "VENUE.rest". A call that fails is repeated, later and later; nothing
here is fatal, and nobody waits for it.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpcore
import msgspec

from basisdesk.clock import mono_s
from basisdesk.errors import BadFrame
from basisdesk.events import Frame, LinkChange
from basisdesk.feed.faults import Fault, fault_of, http_fault
from basisdesk.feed.link import Shared, check_url
from basisdesk.feed.pace import Waits
from basisdesk.feed.tasks import Pause
from basisdesk.venues import Venue

BODY_BYTES_MAX = 16 * 2**20
PATHS_MAX = 1_000  # calls that may wait; more are refused and said
HEADERS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "basisdesk"),
)
HTTP_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
ODD_MAX = 5  # answers to one call that make no sense, then it is given up


class Rest:
    """One venue's HTTP side: one call at a time, in the order they were asked for."""

    def __init__(self, venue: Venue, url: str, shared: Shared) -> None:
        self.conn = f"{venue.name}.rest"
        check_url(self.conn, url, "https", "http")
        self.url = url.rstrip("/")
        self.calls = 0
        self.state = ""  # as last said: "", "up", "down"
        self._codec = venue.codec(self.conn)  # only to see whether an answer can be read
        self._shared = shared
        self._jobs: dict[str, float] = {}  # when each call is due, in the order of asking
        self._odd: Counter[str] = Counter()
        self._staying_away = False
        self._pause = Pause()
        self._waits = Waits(shared.pace, shared.rng)

    def want(self, paths: Iterable[str]) -> None:
        """Ask for these paths, once each while they wait."""
        for path in paths:
            if path in self._jobs:
                continue
            if len(self._jobs) >= PATHS_MAX:
                self._say("down", f"more than {PATHS_MAX} calls waiting")
                return
            self._jobs[path] = 0.0
        if not self._staying_away:  # a cool-down is not cut short by new wishes
            self._pause.cut()

    def tick(self, now_s: float) -> None:
        """The watchdog's call."""
        self._pause.tick(now_s)

    def retry(self) -> None:
        """By hand: try again now."""
        self._pause.cut()

    async def run(self) -> None:
        """Work off the calls until cancelled."""
        async with self._client() as client:
            while True:
                now_s = mono_s()
                path = next((p for p, due_s in self._jobs.items() if due_s <= now_s), None)
                if path is None:
                    await self._pause.sleep(min(self._jobs.values(), default=math.inf) - now_s)
                    continue
                del self._jobs[path]
                fault = await self._call(client, path)
                if fault is None:
                    self._odd.pop(path, None)
                    self._waits.start_over()
                    self._say("up", "")
                elif fault.how == "odd":
                    self._put_off(path, fault)
                else:
                    await self._stay_away(path, fault)
                await asyncio.sleep(self._shared.pace.rest_gap_s)

    def _put_off(self, path: str, fault: Fault) -> None:
        """Repeat this one call later, a few times; the others go on."""
        self._odd[path] += 1
        if self._odd[path] >= ODD_MAX:
            del self._odd[path]
            self._say("down", f"{fault.reason}: {_short(path)}; given up")
            return
        wait_s = self._shared.pace.first_s * 4 ** self._odd[path]
        self._jobs[path] = mono_s() + wait_s
        self._say("down", f"{fault.reason}: {_short(path)}; next try in {wait_s:.0f} s")

    async def _stay_away(self, path: str, fault: Fault) -> None:
        """The venue cannot or will not answer: no calls at all for a while."""
        wait_s = self._waits.after(fault)
        self._jobs[path] = 0.0
        self._say("down", f"{fault.reason}; next try in {wait_s:.0f} s")
        self._staying_away = True
        await self._pause.sleep(wait_s)
        self._staying_away = False

    def _client(self) -> httpcore.AsyncConnectionPool:
        """Plain connections: no redirects, no cookies, no proxy, one deadline a call (`_call`)."""
        return httpcore.AsyncConnectionPool(
            ssl_context=self._shared.tls, max_connections=2, max_keepalive_connections=1
        )

    async def _call(self, client: httpcore.AsyncConnectionPool, path: str) -> Fault | None:
        self.calls += 1
        try:
            async with asyncio.timeout(self._shared.pace.rest_timeout_s):
                body = await self._get(client, path)
        except TimeoutError:
            return Fault("timed out")
        except HTTP_ERRORS as exc:
            return _http_words(exc)
        except OSError as exc:
            return fault_of(exc)
        if isinstance(body, Fault):
            return body
        payload = msgspec.json.encode({"path": path, "data": body.decode("utf-8", "replace")})
        if not self._shared.inbox.put(Frame(self.conn, payload, self._shared.clock.now_ns())):
            return Fault("inbox full")
        try:
            self._codec.decode(payload)
        except BadFrame as exc:
            return Fault(f"unreadable answer ({exc.reason})", "odd")
        return None

    async def _get(self, client: httpcore.AsyncConnectionPool, path: str) -> bytes | Fault:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        found = await self._shared.names.addresses(host, port)
        address = found[self.calls % len(found)]
        literal = f"[{address}]" if ":" in address else address
        async with client.stream(
            "GET",
            f"{parts.scheme}://{literal}:{port}{parts.path}{path}",
            headers=[("Host", parts.netloc), *HEADERS],
            extensions={"sni_hostname": host} if secure else {},
        ) as response:
            if response.status != 200:
                told = {name.lower(): value for name, value in response.headers}
                wait = told.get(b"retry-after")
                return http_fault(response.status, wait.decode("latin-1") if wait else None)
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    return Fault(f"answer over {BODY_BYTES_MAX >> 20} MiB", "odd")
            return bytes(body)

    def _say(self, state: str, reason: str) -> None:
        if state != self.state or reason:
            self.state = state
            self._shared.say(LinkChange(self.conn, state, reason))


def _short(path: str) -> str:
    return path.partition("?")[0][:80]


def _http_words(exc: Exception) -> Fault:
    """What the socket said, at the bottom of the chain; httpcore and anyio wrap it in words."""
    said: OSError | None = None
    cause: BaseException | None = exc
    while cause is not None:
        said = cause if isinstance(cause, OSError) else said
        cause = cause.__cause__ or cause.__context__
    return fault_of(said) if said is not None else Fault(f"broken answer: {type(exc).__name__}")
