"""The few HTTP calls of one venue: rules, tiers, candles, books, past funding, server time.

Each answer becomes a frame on "VENUE.rest". A call that fails is repeated, later and later; nothing
here is fatal, and nobody waits for it. A venue may have several hosts; one that is gone does not
hold up the others.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

import httpcore
import msgspec

from basisdesk.clock import mono_s
from basisdesk.errors import BadFrame
from basisdesk.events import Frame, LinkChange, VenueTime
from basisdesk.feed.faults import Fault, fault_of, http_fault
from basisdesk.feed.pace import Waits
from basisdesk.feed.shared import LinkFacts, Shared, check_url
from basisdesk.feed.tasks import Pause
from basisdesk.venues import Limits, MarketEvent, Venue, rest_host

BODY_BYTES_MAX = 16 * 2**20
# Longer answers, and lists of instruments, are not read twice; the engine counts what is wrong.
CHECKED_BYTES_MAX = 2**20
PATHS_MAX = 1_000  # calls that may wait at one host; more are refused and said
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
    """One venue's HTTP side: hands each path to the host it belongs to.

    host: an address that replaces all of the venue's own; "" for none.
    state: as last said: "", "up", "down" (some host is). trip_ms: the last server time's round
    trip. clock_ms: our clock minus the venue's, half of that trip taken off; NaN before any.
    """

    def __init__(self, venue: Venue, host: str, shared: Shared) -> None:
        self.conn = f"{venue.name}.rest"
        self.state = ""
        self.reason = ""
        self.trip_ms = math.nan
        self.clock_ms = math.nan
        self._venue = venue
        self._shared = shared
        self._codec = venue.codec(self.conn)  # only to see whether an answer can be read
        self._unread = frozenset(venue.catalogue())
        limits = shared.pace.limits(venue.limits)
        self._urls = dict.fromkeys(venue.rest_urls, host) if host else dict(venue.rest_urls)
        self._lanes: dict[str, Lane] = {}
        for url in self._urls.values():
            check_url(self.conn, url, "https", "http")
            self._lanes.setdefault(url, Lane(self.conn, url, limits, shared, self._take))
        for lane in self._lanes.values():
            lane.on_state = self._say

    @property
    def calls(self) -> int:
        """Calls made."""
        return sum(lane.calls for lane in self._lanes.values())

    def want(self, paths: Iterable[str], urgent: bool = False) -> None:
        """Ask for these paths, once each while they wait; urgent ones before all others."""
        for path in paths:
            own = rest_host(self._venue, path)
            prefix = next(p for p, url in self._venue.rest_urls.items() if url == own)
            self._lanes[self._urls[prefix]].want(path, urgent)

    def tick(self, now_s: float) -> None:
        """The watchdog's call."""
        for lane in self._lanes.values():
            lane.tick(now_s)

    def retry(self) -> None:
        """By hand: try again now."""
        for lane in self._lanes.values():
            lane.retry()

    async def run(self) -> None:
        """Work off the calls until cancelled."""
        async with asyncio.TaskGroup() as group:
            for url, lane in self._lanes.items():
                group.create_task(lane.run(), name=f"feed:{self.conn}:{urlsplit(url).netloc}")

    def facts(self, now_s: float) -> LinkFacts:
        """Its counters for the feeds panel: calls as connects, answers as messages."""
        lanes = list(self._lanes.values())
        return LinkFacts(
            conn=self.conn,
            host=" ".join(urlsplit(url).netloc for url in self._lanes),
            state=self.state or "idle",
            connects=self.calls,
            next_try_s=max(lane.away_s(now_s) for lane in lanes),
            reason=self.reason,
            messages=sum(lane.answers for lane in lanes),
            bytes=sum(lane.bytes for lane in lanes),
            sending=sum(lane.waiting for lane in lanes),
        )

    def _take(self, path: str, body: bytes, trip_ms: float) -> Fault | None:
        """Hand one answer on; a Fault where it cannot be read."""
        said = {"path": path, "data": body.decode("utf-8", "replace"), "took_ms": round(trip_ms, 1)}
        payload, now_ns = msgspec.json.encode(said), self._shared.clock.now_ns()
        if not self._shared.inbox.put(Frame(self.conn, payload, now_ns)):
            return Fault("inbox full")
        if path in self._unread or len(body) > CHECKED_BYTES_MAX:
            return None
        try:
            events = self._codec.decode(payload)
        except BadFrame as exc:
            return Fault(f"unreadable answer ({exc.reason})", "odd")
        self._set_clock(events, now_ns, trip_ms)
        return None

    def _set_clock(self, events: Iterable[MarketEvent], now_ns: int, trip_ms: float) -> None:
        for event in events:
            if isinstance(event, VenueTime):
                self.trip_ms = trip_ms
                self.clock_ms = now_ns / 1e6 - trip_ms / 2 - event.venue_ms

    def _say(self, lane: "Lane", reason: str) -> None:
        """A host's state or reason changed: the venue is up when all of its hosts are."""
        down = [other for other in self._lanes.values() if other.state == "down"]
        state = "down" if down else "up"
        if lane.state == "up" and down:
            reason = down[0].reason
        if state != self.state or reason:
            self.state, self.reason = state, reason
            self._shared.say(LinkChange(self.conn, state, reason))


class Lane:
    """One host: one call at a time, in the order they were asked for.

    take: given path, body and round trip of each answer; says what is wrong with it.
    """

    def __init__(
        self,
        conn: str,
        url: str,
        limits: Limits,
        shared: Shared,
        take: Callable[[str, bytes, float], Fault | None],
    ) -> None:
        self.conn = conn
        self.url = url.rstrip("/")
        self.calls = self.answers = self.bytes = 0
        self.state = ""  # "", "up", "down"
        self.reason = ""
        self.on_state: Callable[[Lane, str], None] | None = None
        self._gap_s = limits.rest_gap_s
        self._shared = shared
        self._take = take
        self._jobs: dict[str, float] = {}  # when each call is due, in the order of asking
        self._odd: Counter[str] = Counter()
        self._sent_s = self._trip_ms = 0.0
        self._staying_away = False
        self._pause = Pause()
        self._waits = Waits(shared.pace, shared.rng)

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return len(self._jobs)

    def away_s(self, now_s: float) -> float:
        """Seconds until it calls again, where it stays away; else 0."""
        return self._pause.left_s(now_s) if self._staying_away else 0.0

    def want(self, path: str, urgent: bool) -> None:
        """Ask for this path, once while it waits; an urgent one goes first, waiting or not."""
        if path not in self._jobs and len(self._jobs) >= PATHS_MAX:
            self._say("down", f"more than {PATHS_MAX} calls waiting")
            return
        if urgent:
            self._jobs.pop(path, None)
            self._jobs = {path: 0.0, **self._jobs}
        self._jobs.setdefault(path, 0.0)
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
                await asyncio.sleep(self._gap_s)

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
            return Fault("timed out", "away")
        except HTTP_ERRORS as exc:
            return _http_words(exc)
        except OSError as exc:
            return fault_of(exc)
        if isinstance(body, Fault):
            return body
        self.answers += 1
        self.bytes += len(body)
        return self._take(path, body, self._trip_ms)

    async def _get(self, client: httpcore.AsyncConnectionPool, path: str) -> bytes | Fault:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        found = await self._shared.names.addresses(host, port)
        address = found[self.calls % len(found)]
        literal = f"[{address}]" if ":" in address else address
        more: dict[str, object] = {"sni_hostname": host} if secure else {}
        async with client.stream(
            "GET",
            f"{parts.scheme}://{literal}:{port}{parts.path}{path}",
            headers=[("Host", parts.netloc), *HEADERS],
            extensions=more | {"trace": self._trace},
        ) as response:
            if response.status != 200:
                return _refusal(response.status, response.headers)
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    return Fault(f"answer over {BODY_BYTES_MAX >> 20} MiB", "odd")
            return bytes(body)

    async def _trace(self, event: str, _info: Mapping[str, object]) -> None:
        """Time one round trip; connecting before it is no part of it."""
        if event == "http11.send_request_headers.started":
            self._sent_s = mono_s()
        elif event == "http11.receive_response_headers.complete":
            self._trip_ms = (mono_s() - self._sent_s) * 1e3

    def _say(self, state: str, reason: str) -> None:
        changed = state != self.state
        self.state, self.reason = state, reason
        if self.on_state is not None and (changed or reason):
            self.on_state(self, reason)


def _refusal(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Fault:
    told: Mapping[bytes, bytes] = {name.lower(): value for name, value in headers}
    wait = told.get(b"retry-after")
    return http_fault(status, wait.decode("latin-1") if wait else None)


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
