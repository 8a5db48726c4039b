"""All feeds of the desk in one TaskGroup, with one watchdog that looks at everything."""

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import certifi

from basisdesk.clock import Clock, SystemClock, mono_s, wall_ns
from basisdesk.events import BEAT, Frame
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.link import Link
from basisdesk.feed.names import Names
from basisdesk.feed.pace import HostGate, Pace
from basisdesk.feed.rest import Rest
from basisdesk.feed.scan_feed import ScanFeed, ScanPlan
from basisdesk.feed.shared import LinkFacts, MarketView, Shared
from basisdesk.venues import Venue
from basisdesk.venues.instrument import split_key

CLOCK_STEP_S = 5.0  # the wall clock ran ahead of the monotonic one by this: the machine slept
BEAT_S_MIN = 0.02  # real seconds
HOUR_MS = 3_600_000
SETTLED_MS = (15_000, 120_000)  # after each full hour, desk time: past funding is fetched again


class Supervisor:
    """Keeps what is wanted flowing into the inbox. It acts; the market judges.

    endpoints: addresses by connection, "bybit.spot", that replace a venue's own.
    rest_urls: the same for HTTP, by venue name: one address for all hosts of the venue.
    tls: a trust store for tests; None is the system's. proxy: "http://HOST:PORT" to go through.
    Raises SettingsError when an address is not encrypted and not on this machine.
    """

    def __init__(  # noqa: PLR0913, the composition root's one call
        self,
        venues: Sequence[Venue],
        inbox: Inbox,
        clock: Clock,
        market: MarketView,
        endpoints: Mapping[str, str] | None = None,
        rest_urls: Mapping[str, str] | None = None,
        *,
        pace: Pace | None = None,
        rng: random.Random | None = None,
        names: Names | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: str = "",
    ) -> None:
        pace = pace or _pace_of(clock)
        given, hosts = endpoints or {}, rest_urls or {}
        urls = [given.get(conn, url) for v in venues for conn, url in v.endpoints.items()]
        for venue in venues:
            urls += [hosts[venue.name]] if venue.name in hosts else venue.rest_urls.values()
        self._shared = Shared(
            inbox=inbox,
            clock=clock,
            market=market,
            pace=pace,
            rng=rng or random.Random(),
            gate=HostGate(),
            names=names or Names(),
            tls=tls or _trust(urls),
            proxy=proxy,
        )
        self._venues = {venue.name: venue for venue in venues}
        self.links = {
            conn: Link(venue, conn, given.get(conn, url), self._shared)
            for venue in venues
            for conn, url in venue.endpoints.items()
        }
        self.rests = {
            venue.name: Rest(venue, hosts.get(venue.name, ""), self._shared) for venue in venues
        }
        self.scans = ScanFeed(self._venues, self.rests, self._shared)
        for link in self.links.values():
            link.on_up = self._came_up
            link.on_seed = partial(self._seed, link.venue.name)
        self.wanted: frozenset[str] = frozenset()
        self.on_slept: Callable[[float], None] | None = None  # told the seconds the clock lost
        self._time_at_s: dict[str, float] = {}  # when to ask each venue again ...
        self._catalogue_at_s: dict[str, float] = {}
        self._beat_at_s = 0.0
        self._hour_ms = clock.now_ns() // 1_000_000
        self._wall_lead_s = 0.0

    def watch(
        self, instruments: set[str] | frozenset[str], extra: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Replace what is wanted, "bybit:spot:ADAUSDT". Only the difference is asked for.

        extra: (connection, topic) that belong to no single leg.
        Raises ValueError for a malformed name, KeyError for a venue the desk does not speak.
        """
        topics: dict[str, list[str]] = {conn: [] for conn in self.links}
        for key in sorted(instruments):
            for conn, each in self._venue_of(key).topics(key).items():
                topics[conn] += each
        for conn, topic in extra:
            topics[conn].append(topic)
        new = sorted(instruments - self.wanted)
        self.wanted = frozenset(instruments)
        for conn, link in self.links.items():
            link.want(topics[conn])
        for key in new:
            self.refill(key)

    def refill(self, instrument: str) -> None:
        """Fetch an instrument's rules, tiers, candles and past funding again."""
        venue = self._venue_of(instrument)
        self.rests[venue.name].want(venue.backfill(instrument, self._now_ms()))

    def catalogue(self, venue: str) -> None:
        """Fetch the list of all instruments of a venue; once an hour again while it is in use."""
        self._catalogue_at_s[venue] = mono_s() + self._shared.pace.catalogue_every_s
        self.rests[venue].want(self._venues[venue].catalogue())

    def scan(self, plan: ScanPlan | None) -> None:
        """Replace what the scanner wants; None for nothing. Cheap where nothing changed.

        Raises ValueError for a malformed leg, KeyError for a venue the desk does not speak.
        """
        self.scans.scan(plan)

    def scan_progress(self) -> tuple[int, int]:
        """Legs whose past the scanner has, and how many it wants."""
        done = self.scans.done
        return done, done + self.scans.waiting

    def facts(self) -> dict[str, LinkFacts]:
        """What each connection did so far, by name; HTTP as "VENUE.rest"."""
        now_s = mono_s()
        both: list[Link | Rest] = [*self.links.values(), *self.rests.values()]
        return {each.conn: each.facts(now_s) for each in both}

    def reconnect(self, conn: str) -> None:
        """By hand: cut this connection, if it is up, and connect at once."""
        if conn in self.links:
            self.links[conn].reconnect()
        elif rest := self.rests.get(conn.removesuffix(".rest")):
            rest.retry()

    async def run(self) -> None:
        """All feeds until cancelled. Once this returns or raises, no feed task is left alive."""
        async with asyncio.TaskGroup() as group:
            for conn, link in self.links.items():
                group.create_task(link.run(), name=f"feed:{conn}")
            for rest in self.rests.values():
                group.create_task(rest.run(), name=f"feed:{rest.conn}")
            group.create_task(self._watch_all(), name="feed:watchdog")

    async def _watch_all(self) -> None:
        """The one watchdog: a deadline per message would leave a live Qt timer behind each."""
        pace = self._shared.pace
        last_s = mono_s()
        self._wall_lead_s = wall_ns() / 1e9 - last_s
        while True:
            now_s = mono_s()
            self._tick(now_s, now_s - last_s)
            last_s = now_s
            due_s = self._beat_at_s - mono_s()  # beats are on time, whatever the tick
            await asyncio.sleep(max(0.0, min(pace.tick_s, due_s)))

    def _tick(self, now_s: float, passed_s: float) -> None:
        pace = self._shared.pace
        self._beat(now_s)
        reason = self._stood_still(now_s, passed_s)
        watched_s = min(passed_s, 4 * pace.tick_s)  # while the loop stood still nobody listened
        for link in self.links.values():
            if reason:
                link.drop(reason)
            link.tick(now_s, watched_s)
        for rest in self.rests.values():
            rest.tick(now_s)
        self.scans.tick(now_s)
        self._mend_overflow()
        self._ask_regularly(now_s)
        self._ask_settled()

    def _beat(self, now_s: float) -> None:
        if now_s < self._beat_at_s:
            return
        beat_s = self._shared.pace.beat_s
        self._beat_at_s = max(self._beat_at_s + beat_s, now_s + beat_s / 2)  # no burst after a gap
        self._shared.inbox.put(Frame(BEAT, b"", self._shared.clock.now_ns()))

    def _stood_still(self, now_s: float, passed_s: float) -> str:
        lead_s = wall_ns() / 1e9 - now_s
        stepped_s, self._wall_lead_s = lead_s - self._wall_lead_s, lead_s
        if stepped_s > CLOCK_STEP_S:
            self.scans.slept(stepped_s)
            if self.on_slept is not None:
                self.on_slept(stepped_s)
            return f"this machine slept or its clock was set, {stepped_s:.0f} s"
        if passed_s > self._shared.pace.gap_s:
            return f"this desk stood still for {passed_s:.0f} s"
        return ""

    def _mend_overflow(self) -> None:
        """Start an overflowed connection afresh, once the engine has caught up."""
        inbox = self._shared.inbox
        if not inbox.overflowed or not inbox.has_room:
            return
        for conn in list(inbox.overflowed):
            link = self.links.get(conn)
            if link is not None and link.up:
                link.drop(f"inbox was full, {inbox.dropped[conn]} messages lost so far")
            else:  # down by now, or HTTP: what comes next starts afresh anyway
                inbox.reopen(conn)
                if conn.endswith(".scan"):  # the engine reads it with a fresh decoder now
                    self.scans.start_over(conn.partition(".")[0])

    def _ask_regularly(self, now_s: float) -> None:
        """The clock, and now and then the instruments, of each venue in use."""
        pace = self._shared.pace
        for name in {split_key(key)[0] for key in self.wanted}:
            if now_s >= self._time_at_s.get(name, 0.0):
                self._time_at_s[name] = now_s + pace.time_every_s
                self.rests[name].want((self._venues[name].time_path(),))
            if now_s >= self._catalogue_at_s.setdefault(name, now_s + pace.catalogue_every_s):
                self.catalogue(name)

    def _ask_settled(self) -> None:
        """Venues settle funding on full hours, how often is theirs to change; ask after each."""
        before_ms, self._hour_ms = self._hour_ms, self._now_ms()
        if any((before_ms - d) // HOUR_MS < (self._hour_ms - d) // HOUR_MS for d in SETTLED_MS):
            self._refresh(self.wanted)

    def _refresh(self, instruments: Iterable[str]) -> None:
        for key in sorted(instruments):
            venue = self._venue_of(key)
            self.rests[venue.name].want(venue.refresh(key, self._now_ms()))

    def _seed(self, venue: str, path: str) -> None:
        """A stream waits for its book."""
        self.rests[venue].want((path,), urgent=True)

    def _came_up(self, link: Link, outage_s: float) -> None:
        self._shared.inbox.reopen(link.conn)
        if outage_s <= 0:  # the first connect: `watch` has asked already
            return
        keys = {key for key in self.wanted if link.conn in self._venue_of(key).topics(key)}
        if outage_s < self._shared.pace.refill_s:
            self._refresh(keys)
            return
        for key in keys:
            self.refill(key)

    def _venue_of(self, instrument: str) -> Venue:
        return self._venues[split_key(instrument)[0]]

    def _now_ms(self) -> int:
        return self._shared.clock.now_ns() // 1_000_000


def _pace_of(clock: Clock) -> Pace:
    """The usual pace; on a clock that runs fast, a beat still comes every desk second."""
    speed = clock.speed if isinstance(clock, SystemClock) else 1.0
    return Pace(beat_s=max(1.0 / max(speed, 1.0), BEAT_S_MIN))


def _trust(urls: Iterable[str]) -> ssl.SSLContext:
    """The system's trust store; the one of certifi where the system has none (macOS builds).

    Where no address is encrypted (the demo exchange) an empty store, which trusts nobody: reading
    the real one takes longer than connecting.
    """
    if not any(url.startswith(("wss:", "https:")) for url in urls):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context


async def stop(task: "asyncio.Task[None]") -> None:
    """Cancel a running `Supervisor.run` task and wait until its sockets and tasks are gone."""
    task.cancel()
    await asyncio.wait([task])  # an error of the task is the business of its done-callback
