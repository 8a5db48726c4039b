"""One host's HTTP calls, one at a time: by rank, and in the order they were asked for."""

import asyncio
import enum
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import httpcore

from basisdesk.clock import mono_s
from basisdesk.feed.call_trace import CallTrace
from basisdesk.feed.faults import CALL_ERRORS, Fault, fault_of, http_fault
from basisdesk.feed.pace import Waits
from basisdesk.feed.proxy import pool, through, told
from basisdesk.feed.shared import Shared
from basisdesk.feed.tasks import Pause
from basisdesk.venues import Limits

BODY_BYTES_MAX = 16 * 2**20
# The scanner's pages are read on the loop; the longest today, all spot markets, is below 1.5 MB.
SCAN_BYTES_MAX = 4 * 2**20
PATHS_MAX = 1_000  # calls that may wait at one host; more are refused and said
HEADERS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "basisdesk"),
)
YIELDED = Fault("made way for a call for what is watched", "yielded")
ODD_MAX = 5  # answers to one call that make no sense, then it is given up


class Rank(enum.IntEnum):
    """Whose turn it is at a host: LIVE is for what is watched, all others are the scanner's."""

    LIVE = 0
    PAGE = 1  # whole markets at once
    BOOK = 2  # depth of one leg
    LEG = 3  # what no page tells of a leg
    PAST = 4  # history, while nothing else waits


SCANS = tuple(rank for rank in Rank if rank is not Rank.LIVE)


class Ask(NamedTuple):
    """One call: the connection its answer comes in on, and what is asked.

    A path may be wanted for "VENUE.rest" and "VENUE.scan" at once: that is two calls.
    """

    conn: str
    path: str


class Lane:
    """One host: one call at a time, by rank, and in the order they were asked for.

    take: given each answer's call, body and round trip; says what is wrong with it. What a venue
    refuses (429, 418, 403, 451, a bad certificate) ends all calls for a while; what the scanner's
    calls earn so ends the others only for as long as the venue says, or `cool_s`. Other faults of
    the scanner's calls hold up the scanner alone: `on_scanned` is told, and asks again when it
    likes. A call of its that is under way when a live one is due ends at once, "yielded".
    """

    def __init__(
        self,
        conn: str,
        url: str,
        limits: Limits,
        shared: Shared,
        take: Callable[[Ask, bytes, float], Fault | None],
    ) -> None:
        self.conn = conn
        self.url = url.rstrip("/")
        self.calls = self.answers = self.bytes = 0
        self.state = ""  # "", "up", "down"
        self.reason = ""
        self.on_state: Callable[[Lane, str], None] | None = None
        self.on_scanned: Callable[[str, Fault | None], None] | None = None
        self._gap_s = limits.rest_gap_s
        self._proxy = through(shared.proxy, url)
        self._shared = shared
        self._take = take
        # when each call is due, in the order of asking
        self._jobs: dict[Rank, dict[Ask, float]] = {rank: {} for rank in Rank}
        self._odd: Counter[Ask] = Counter()
        self._staying_away = False
        self._scanning: asyncio.Timeout | None = None  # the scanner's call under way
        self._yielded = False  # ... and whether it was told to end
        self._scans_from_s = 0.0  # the scanner waits until then
        self._pause = Pause()
        self._waits = Waits(shared.pace, shared.rng)
        self._scan_waits = Waits(shared.pace, shared.rng)

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return sum(len(jobs) for jobs in self._jobs.values())

    def away_s(self, now_s: float) -> float:
        """Seconds until it calls again, where it stays away; else 0."""
        if self._staying_away:
            return self._pause.left_s(now_s)
        return max(0.0, self._scans_from_s - now_s) if self.state == "down" else 0.0

    def want(self, path: str, urgent: bool) -> None:
        """Ask for this path, once while it waits; an urgent one goes first, waiting or not."""
        ask, jobs = Ask(self.conn, path), self._jobs[Rank.LIVE]
        if ask not in jobs and len(jobs) >= PATHS_MAX:
            self._say("down", f"more than {PATHS_MAX} calls waiting")
            return
        if urgent:
            jobs.pop(ask, None)
            self._jobs[Rank.LIVE] = jobs = {ask: 0.0, **jobs}
        jobs.setdefault(ask, 0.0)
        self._make_way(mono_s())
        self._wake()

    def scan(self, ask: Ask, rank: Rank) -> bool:
        """Ask in the scanner's turn, once while it waits; False where too much waits already."""
        if self.waiting >= PATHS_MAX:
            return False
        self._jobs[rank].setdefault(ask, 0.0)
        self._wake()
        return True

    def forget_scans(self) -> list[Ask]:
        """Drop and return the scanner's calls that wait."""
        dropped = [ask for rank in SCANS for ask in self._jobs[rank]]
        for rank in SCANS:
            self._jobs[rank].clear()
        return dropped

    def tick(self, now_s: float) -> None:
        """The watchdog's call."""
        self._make_way(now_s)
        self._pause.tick(now_s)

    def retry(self) -> None:
        """By hand: try again now."""
        self._scans_from_s = 0.0
        self._pause.cut()

    async def run(self) -> None:
        """Work off the calls until cancelled."""
        async with pool(self._shared.tls, self._shared.names, self._proxy) as client:
            while True:
                now_s = mono_s()
                job = self._due(now_s)
                if job is None:
                    await self._pause.sleep(self._next_s() - now_s)
                    continue
                rank, ask = job
                del self._jobs[rank][ask]
                await self._judge(rank, ask, await self._call(client, rank, ask))
                await asyncio.sleep(self._gap_s)

    def _wake(self) -> None:
        if not self._staying_away:  # a cool-down is not cut short by new wishes
            self._pause.cut()

    def _make_way(self, now_s: float) -> None:
        """End the scanner's call under way where a live one is due; its deadline is now."""
        call = self._scanning
        if call is None or self._yielded or call.expired():
            return
        if any(due_s <= now_s for due_s in self._jobs[Rank.LIVE].values()):
            self._yielded = True
            call.reschedule(asyncio.get_running_loop().time())

    def _due(self, now_s: float) -> tuple[Rank, Ask] | None:
        """The call to make now: the oldest of the first rank that has one."""
        ranks = Rank if now_s >= self._scans_from_s else (Rank.LIVE,)
        jobs = ((rank, *job) for rank in ranks for job in self._jobs[rank].items())
        return next(((rank, ask) for rank, ask, due_s in jobs if due_s <= now_s), None)

    def _next_s(self) -> float:
        """When the next call is due; infinite where none waits."""
        scans = any(self._jobs[rank] for rank in SCANS)
        live_s = min(self._jobs[Rank.LIVE].values(), default=math.inf)
        return min(live_s, self._scans_from_s if scans else math.inf)

    async def _judge(self, rank: Rank, ask: Ask, fault: Fault | None) -> None:
        """What follows from how a call went."""
        if fault is None:
            self._odd.pop(ask, None)
            self._waits.start_over()
            self._say("up", "")
            if rank is not Rank.LIVE:
                self._scan_waits.start_over()
                self._tell_scanner(ask, None)
        elif fault.how == "yielded":
            self._tell_scanner(ask, fault)
        elif fault.how in ("cool", "tls"):
            await self._stay_away(rank, ask, fault)
        elif rank is not Rank.LIVE:
            self._hold_scans(ask, fault)
        elif fault.how == "odd":
            self._put_off(ask, fault)
        else:
            await self._stay_away(rank, ask, fault)

    def _put_off(self, ask: Ask, fault: Fault) -> None:
        """Repeat this one call later, a few times; the others go on."""
        self._odd[ask] += 1
        if self._odd[ask] >= ODD_MAX:
            del self._odd[ask]
            self._say("down", f"{fault.reason}: {short_path(ask.path)}; given up")
            return
        wait_s = self._shared.pace.first_s * 4 ** self._odd[ask]
        self._jobs[Rank.LIVE][ask] = mono_s() + wait_s
        self._say("down", f"{fault.reason}: {short_path(ask.path)}; next try in {wait_s:.0f} s")

    async def _stay_away(self, rank: Rank, ask: Ask, fault: Fault) -> None:
        """The venue cannot or will not answer: no calls at all for a while."""
        wait_s = self._waits.after(fault) if rank is Rank.LIVE else self._earned(fault)
        self._jobs[rank][ask] = 0.0
        self._say("down", f"{fault.reason}; next try in {wait_s:.0f} s")
        self._staying_away = True
        await self._pause.sleep(wait_s)
        self._staying_away = False

    def _earned(self, fault: Fault) -> float:
        """The scanner was refused: it waits longer each time, what is watched as long as is said.

        Without a Retry-After that is `cool_s`, which does not double for what others did.
        """
        wait_s = self._scan_waits.after(fault)
        self._scans_from_s = mono_s() + wait_s
        if fault.how == "tls":
            return wait_s
        return fault.after_s or min(wait_s, self._shared.pace.cool_s)

    def _hold_scans(self, ask: Ask, fault: Fault) -> None:
        """The scanner's call failed: it waits, what is watched does not."""
        if fault.how != "odd":  # not this path's fault alone
            wait_s = self._scan_waits.after(fault)
            self._scans_from_s = mono_s() + wait_s
            if fault.how == "away":  # a host that answers, whatever it says, is not down
                self._say("down", f"{fault.reason}; next try in {wait_s:.0f} s")
        self._tell_scanner(ask, fault)

    def _tell_scanner(self, ask: Ask, fault: Fault | None) -> None:
        if self.on_scanned is not None:
            self.on_scanned(ask.path, fault)

    async def _call(
        self, client: httpcore.AsyncConnectionPool, rank: Rank, ask: Ask
    ) -> Fault | None:
        self.calls += 1
        trace, pace, live = CallTrace(), self._shared.pace, rank is Rank.LIVE
        most = BODY_BYTES_MAX if live else SCAN_BYTES_MAX
        end = asyncio.timeout(pace.rest_timeout_s if live else pace.scan_timeout_s)
        self._yielded = False
        try:
            async with end:
                self._scanning = None if live else end
                body = await self._get(client, ask.path, most, trace)
        except CALL_ERRORS as exc:
            if self._yielded:
                return YIELDED
            slow = end.expired() and trace.sent and not live  # there, and perhaps quick for others
            return Fault("timed out") if slow else told(fault_of(exc), self._proxy)
        finally:
            self._scanning = None
        if isinstance(body, Fault):
            return body
        self.answers += 1
        self.bytes += len(body)
        return self._take(ask, body, trace.trip_ms)

    async def _get(
        self, client: httpcore.AsyncConnectionPool, path: str, most: int, trace: CallTrace
    ) -> bytes | Fault:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = host  # a proxy looks names up itself
        if not self._proxy:
            found = await self._shared.names.addresses(host, port)
            address = found[self.calls % len(found)]
        literal = f"[{address}]" if ":" in address else address
        more: dict[str, object] = {"sni_hostname": host} if secure else {}
        async with client.stream(
            "GET",
            f"{parts.scheme}://{literal}:{port}{parts.path}{path}",
            headers=[("Host", parts.netloc), *HEADERS],
            extensions=more | {"trace": trace.note},
        ) as response:
            if response.status != 200:
                return _refusal(response.status, response.headers)
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > most:
                    return Fault(f"answer over {most >> 20} MiB", "odd")
            return bytes(body)

    def _say(self, state: str, reason: str) -> None:
        changed = state != self.state
        self.state, self.reason = state, reason
        if self.on_state is not None and (changed or reason):
            self.on_state(self, reason)


def _refusal(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Fault:
    told: Mapping[bytes, bytes] = {name.lower(): value for name, value in headers}
    wait = told.get(b"retry-after")
    return http_fault(status, wait.decode("latin-1") if wait else None)


def short_path(path: str) -> str:
    """A path as it may be shown: without its query."""
    return path.partition("?")[0][:80]
