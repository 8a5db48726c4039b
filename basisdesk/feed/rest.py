"""The HTTP calls of one venue: rules, tiers, candles, books, past funding, time; and the scanner's.

Each answer becomes a frame on "VENUE.rest", or on "VENUE.scan" for the scanner, which has its own
turn: nothing it asks for goes before a call for what is watched. A call that fails is repeated,
later and later; nothing here is fatal, and nobody waits for it. A venue may have several hosts; one
that is gone does not hold up the others.
"""

import asyncio
import math
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import msgspec

from basisdesk.errors import BadFrame
from basisdesk.events import Frame, LinkChange, VenueTime
from basisdesk.feed.faults import Fault
from basisdesk.feed.lane import Ask, Lane, Rank
from basisdesk.feed.shared import LinkFacts, Shared, check_url
from basisdesk.venues import MarketEvent, Venue, rest_host

# Longer answers, lists and the scanner's are not read twice; the engine counts what is wrong.
CHECKED_BYTES_MAX = 2**20
REFUSAL_BYTES_MAX = 1_024
# Some refuse with HTTP 200 and words, as users report: Kraken "EAPI:Rate limit exceeded" and
# "EGeneral:Too many requests" (knowm/XChange 4369), Bybit 10006 "Too many visits".
_TOO_MANY = re.compile(rb"rate limit|too many (?:requests|visits)", re.IGNORECASE)


class Rest:
    """One venue's HTTP side: hands each path to the host it belongs to.

    host: an address that replaces all of the venue's own; "" for none. on_scanned: told of each
    path of the scanner that is done with, and what was wrong with it.
    state: as last said: "", "up", "down" (some host is). trip_ms: the last server time's round
    trip. clock_ms: our clock minus the venue's, half of that trip taken off; NaN before any.
    """

    def __init__(self, venue: Venue, host: str, shared: Shared) -> None:
        self.conn = f"{venue.name}.rest"
        self.scan_conn = f"{venue.name}.scan"
        self.on_scanned: Callable[[str, Fault | None], None] | None = None
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
            lane.on_scanned = self._scanned

    @property
    def calls(self) -> int:
        """Calls made."""
        return sum(lane.calls for lane in self._lanes.values())

    def want(self, paths: Iterable[str], urgent: bool = False) -> None:
        """Ask for these paths, once each while they wait; urgent ones before all others."""
        for path in paths:
            self._lanes[self.host_of(path)].want(path, urgent)

    def scan(self, path: str, rank: Rank) -> bool:
        """Ask for this path in the scanner's turn; False where too much waits there already."""
        return self._lanes[self.host_of(path)].scan(Ask(self.scan_conn, path), rank)

    def forget_scans(self) -> set[str]:
        """Drop all of the scanner's calls that wait; returns their paths."""
        return {ask.path for lane in self._lanes.values() for ask in lane.forget_scans()}

    def mention(self, words: str) -> None:
        """Say what was wrong with a call of the scanner. That takes no venue down."""
        if self.state != "down":
            self.state, self.reason = "up", words
            self._shared.say(LinkChange(self.conn, "up", words))

    def host_of(self, path: str) -> str:
        """The address that this path is asked at."""
        own = rest_host(self._venue, path)
        prefix = next(p for p, url in self._venue.rest_urls.items() if url == own)
        return self._urls[prefix]

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

    def _take(self, ask: Ask, body: bytes, trip_ms: float) -> Fault | None:
        """Hand one answer on; a Fault where it cannot be read."""
        data = body.decode("utf-8", "replace")
        said = {"path": ask.path, "data": data, "took_ms": round(trip_ms, 1)}
        payload, now_ns = msgspec.json.encode(said), self._shared.clock.now_ns()
        if not self._shared.inbox.put(Frame(ask.conn, payload, now_ns)):
            return Fault("inbox full")
        if len(body) <= REFUSAL_BYTES_MAX and _TOO_MANY.search(body):
            return Fault("too many requests", "cool")
        unread = ask.conn != self.conn or ask.path in self._unread
        if unread or len(body) > CHECKED_BYTES_MAX:
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

    def _scanned(self, path: str, fault: Fault | None) -> None:
        if self.on_scanned is not None:
            self.on_scanned(path, fault)

    def _say(self, lane: "Lane", reason: str) -> None:
        """A host's state or reason changed: the venue is up when all of its hosts are."""
        down = [other for other in self._lanes.values() if other.state == "down"]
        state = "down" if down else "up"
        if lane.state == "up" and down:
            reason = down[0].reason
        if state != self.state or reason:
            self.state, self.reason = state, reason
            self._shared.say(LinkChange(self.conn, state, reason))
