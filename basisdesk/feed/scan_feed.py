"""The scanner's polling: whole markets, depth of a few legs, and the past, all within the limits.

Nothing of it goes before a call for what is watched (feed/lane.py). What waits to be asked waits
here, by host; a host's lane never holds more of it than its pages and one call of each other kind.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from basisdesk.clock import mono_s
from basisdesk.feed.faults import Fault
from basisdesk.feed.lane import short_path
from basisdesk.feed.rest import Rest
from basisdesk.feed.scan_lines import (
    LEGS_MAX,
    MINUTES,
    SETTLED,
    Books,
    Line,
    Pages,
    Past,
    Singles,
    Wish,
)
from basisdesk.feed.shared import Shared
from basisdesk.venues import Venue
from basisdesk.venues.instrument import split_key

# A venue's rest_gap_s is the pace it takes from one client. Each kind of call stays below by this
# factor, a page by it times the pages of its host: with Binance's weights (2,400 a minute on
# USD-M, 6,000 on spot; pages 4 to 10, depth 5, minutes up to 10, the rest 1) under a third of them.
GENTLE_GAPS = 5
# When each perpetual's newest settlements are asked for again: so long after each full hour of desk
# time, the perpetuals of a host spread evenly. A venue settles on full hours and may change how
# often without a word, and the feeds know no intervals, so each hour counts as one. That is one
# call a minute and host for 60 coins, below 8 a minute while it lasts, in the line of the past and
# at its pace; an answer holds 25 rows (8 h) to 700 (Kraken, 29 days of hours as users report,
# freqtrade 12706, 2026-02).
HOUR_MS = 3_600_000
SETTLED_MS = (120_000, 600_000)
KINDS = ("books", "legs", "past")  # the plan's lists of legs


class ScanPlan(msgspec.Struct, frozen=True):
    """What the scanner wants. Legs are named as everywhere, "bybit:perp:ADAUSDT".

    venues: whose pages are read, each every poll_s real seconds; legs of others are not asked for.
    books: legs whose depth is wanted, most wanted first. legs: watched legs, for what no page
    tells. past: legs whose history is filled once, past_days of settled funding: in this order the
    newest of each, then what is older of each. Their newest settlements are asked for again after
    each full hour, their newest minutes after the host was unheard for two minutes.
    """

    venues: tuple[str, ...] = ()
    poll_s: float = 5.0
    books: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    past_days: int = 90
    legs: tuple[str, ...] = ()


NOTHING = ScanPlan()


class HostScan:
    """What is asked for at one host of a venue. past_of: the paths of a leg's past."""

    def __init__(
        self, venue: Venue, rest: Rest, shared: Shared, past_of: Callable[[str], Sequence[str]]
    ) -> None:
        pace = self._pace = shared.pace
        gentle_s = max(pace.calm_s, GENTLE_GAPS * pace.limits(venue.limits).rest_gap_s)
        book_gap_s = max(gentle_s, pace.spare(pace.book_gap_s))
        leg_gap_s = max(gentle_s, pace.spare(pace.leg_gap_s))
        past_gap_s = max(gentle_s, pace.spare(pace.past_gap_s))
        self.rest = rest
        self.pages = Pages(pace)
        self.books = Books(pace, book_gap_s, pace.book_every_s, venue.scan_book)
        self.singles = Singles(pace, leg_gap_s, pace.leg_every_s, venue.scan_leg)
        self.past = Past(pace, past_gap_s, pace.past_again_s, past_of)
        self._lines: tuple[Line, ...] = (self.pages, self.books, self.singles, self.past)
        self._out: dict[str, tuple[Line, Wish]] = {}  # what waits or is under way, by path
        self._perps: list[str] = []
        self._settled_s: dict[str, float] = {}  # when settlements of each were last wanted again
        self._heard_s = math.inf  # when a page last came; never yet

    def want(self, kind: str, legs: Sequence[str], now_s: float) -> None:
        """The legs of this host in one of the plan's lists."""
        if kind == "past":
            self.past.want(legs)
            self._perps = [leg for leg in legs if split_key(leg)[1] == "perp"]
            kept = self._settled_s.keys() & set(legs)
            self._settled_s = {leg: self._settled_s[leg] for leg in kept}
        else:
            (self.books if kind == "books" else self.singles).want(legs, now_s)

    def tick(self, now_s: float) -> None:
        """Hand over what is due."""
        for line in self._lines:
            while line.ready(now_s) and (wish := line.pick(now_s)) is not None:
                if wish.path in self._out or not self.rest.scan(wish.path, line.rank):
                    break
                self._out[wish.path] = (line, wish)
                line.took(wish, now_s)

    def settle(self, before_ms: int, now_ms: int, now_s: float) -> None:
        """Each perpetual's newest settlements again, where its minutes after a full hour came.

        before_ms, now_ms: desk time of the last look and of this one.
        """
        first_ms, last_ms = SETTLED_MS
        for at, leg in enumerate(self._perps):
            delay_ms = first_ms + (last_ms - first_ms) * at // len(self._perps)
            if (before_ms - delay_ms) // HOUR_MS >= (now_ms - delay_ms) // HOUR_MS:
                continue
            if now_s - self._settled_s.get(leg, -math.inf) >= self._pace.settled_again_s:
                self._settled_s[leg] = now_s
                self.past.again((leg,), SETTLED)

    def slept(self, seconds: float) -> None:
        """This machine slept: nothing was heard for so long, though no time seemed to pass."""
        self._heard_s -= seconds

    def done(self, path: str, fault: Fault | None) -> bool:
        """A call is done with; whether it is the first that failed after it had gone well."""
        if path not in self._out:
            return False
        now_s = mono_s()
        line, wish = self._out.pop(path)
        if fault is not None and fault.how == "yielded":
            line.yielded(wish, now_s)
            return False
        if fault is None and line is self.pages:
            self._heard(now_s)
        return line.done(wish, fault, now_s) == 1

    def _heard(self, now_s: float) -> None:
        """A page came. After an outage the minutes it left out are asked for again."""
        if now_s - self._heard_s > max(self._pace.hole_s, 2 * self.pages.rest_s):
            self.past.again(self.past.legs, MINUTES)
        self._heard_s = now_s

    def forget(self, paths: Iterable[str]) -> None:
        """These calls were dropped unasked."""
        for path in paths:
            if path in self._out:
                line, wish = self._out.pop(path)
                line.lost(wish)


class ScanFeed:
    """Turns a plan into calls. The watchdog's `tick` does all the work; there is no task.

    waiting, done: legs of the plan whose past is still to come, and is there (or never comes);
    halves count as halves.
    """

    def __init__(
        self, venues: Mapping[str, Venue], rests: Mapping[str, Rest], shared: Shared
    ) -> None:
        self._venues = venues
        self._rests = rests
        self._shared = shared
        self._plan = NOTHING
        self._past_days = 0  # the deepest past ever wanted
        self._hosts: dict[tuple[str, str], HostScan] = {}  # by venue and address
        self._homes: dict[str, HostScan] = {}  # by leg
        self._desk_ms = self._now_ms()  # at the last look
        self._mention_s: dict[str, float] = {}  # when a venue's troubles may be told again
        for name, rest in rests.items():
            rest.on_scanned = partial(self._scanned, name)

    @property
    def done(self) -> int:
        """Legs of the plan whose past is done with."""
        return sum(host.past.filled for host in self._hosts.values())

    @property
    def waiting(self) -> int:
        """Legs of the plan whose past is still to come."""
        return sum(host.past.wanted for host in self._hosts.values()) - self.done

    def scan(self, plan: ScanPlan | None) -> None:
        """Replace the plan; None asks for nothing. Cheap where nothing changed.

        Raises ValueError for a malformed leg, KeyError for a venue the desk does not speak; then
        the plan of before holds.
        """
        before, wanted = self._plan, plan or NOTHING
        if wanted == before:
            return
        now_s, whose = mono_s(), wanted.venues != before.venues
        deeper = bool(wanted.past) and wanted.past_days > self._past_days
        changed = [
            kind for kind in KINDS if whose or getattr(wanted, kind) != getattr(before, kind)
        ]
        shares = {kind: self._shares(wanted, kind) for kind in {*changed, *["past"] * deeper}}
        if whose or wanted.poll_s != before.poll_s:
            self._share_pages(wanted, now_s)
        self._plan = wanted
        if deeper:
            self._past_days = wanted.past_days
            for host in self._hosts.values():
                host.past.start_over()
        for kind, by_host in shares.items():
            for host, legs in by_host.items():
                host.want(kind, legs, now_s)
        for name in set(before.venues) - set(wanted.venues):
            self._forget(name)

    def tick(self, now_s: float) -> None:
        """The watchdog's call."""
        before_ms, self._desk_ms = self._desk_ms, self._now_ms()
        for host in self._hosts.values():
            host.settle(before_ms, self._desk_ms, now_s)
            host.tick(now_s)

    def slept(self, seconds: float) -> None:
        """This machine slept for so long."""
        for host in self._hosts.values():
            host.slept(seconds)

    def start_over(self, venue: str) -> None:
        """Read all of a venue's pages again: its decoder was replaced."""
        for (name, _), host in self._hosts.items():
            if name == venue:
                host.pages.hurry(mono_s())

    def _forget(self, venue: str) -> None:
        """What waits at this venue's hosts is not wanted any more."""
        dropped = self._rests[venue].forget_scans()
        for (name, _), host in self._hosts.items():
            if name == venue:
                host.forget(dropped)

    def _share_pages(self, plan: ScanPlan, now_s: float) -> None:
        """Venues take turns: at a restrained pace from the first round on, else from the second."""
        pace = self._shared.pace
        by_host: dict[tuple[str, str], dict[str, float]] = {key: {} for key in self._hosts}
        for name in plan.venues:
            venue, rest = self._venues[name], self._rests[name]
            for path in venue.scan_pages():
                every_s = max(plan.poll_s, venue.scan_every_s(path))
                by_host.setdefault((name, rest.host_of(path)), {})[path] = every_s
        for key, pages in by_host.items():
            gap_s = pace.limits(self._venues[key[0]].limits).rest_gap_s
            often = sum(every_s <= plan.poll_s for every_s in pages.values())
            least_s = GENTLE_GAPS * gap_s * often
            place = plan.venues.index(key[0]) if key[0] in plan.venues else 0
            turn_s = plan.poll_s * place / max(1, len(plan.venues))
            first_s = pace.spare(turn_s)
            paces = {path: max(every_s, least_s) for path, every_s in pages.items()}
            self._host(key).pages.want(paces, now_s, first_s, turn_s - first_s)

    def _shares(self, plan: ScanPlan, kind: str) -> dict[HostScan, list[str]]:
        """The plan's legs of one kind by host, in its order; hosts without any are there too."""
        shares: dict[HostScan, list[str]] = {host: [] for host in self._hosts.values()}
        legs: tuple[str, ...] = getattr(plan, kind)
        for leg in legs[:LEGS_MAX]:
            if split_key(leg)[0] in plan.venues:
                shares.setdefault(self._home(leg), []).append(leg)
        return shares

    def _home(self, leg: str) -> HostScan:
        """The host that knows this leg."""
        host = self._homes.get(leg)
        if host is None:
            if len(self._homes) >= LEGS_MAX:
                self._homes.clear()
            name = split_key(leg)[0]
            path = self._venues[name].scan_book(leg)
            host = self._homes[leg] = self._host((name, self._rests[name].host_of(path)))
        return host

    def _host(self, key: tuple[str, str]) -> HostScan:
        if key not in self._hosts:
            venue = self._venues[key[0]]
            past_of = partial(self._past_of, venue)
            self._hosts[key] = HostScan(venue, self._rests[key[0]], self._shared, past_of)
        return self._hosts[key]

    def _past_of(self, venue: Venue, leg: str) -> Sequence[str]:
        return venue.scan_past(leg, self._now_ms(), self._plan.past_days)

    def _now_ms(self) -> int:
        """Desk time."""
        return self._shared.clock.now_ns() // 1_000_000

    def _scanned(self, venue: str, path: str, fault: Fault | None) -> None:
        """A call is done with. Troubles are told once each, and one a minute at most."""
        rest, now_s = self._rests[venue], mono_s()
        host = self._hosts.get((venue, rest.host_of(path)))
        if host is None or not host.done(path, fault) or fault is None:
            return
        if now_s >= self._mention_s.get(venue, 0.0):
            self._mention_s[venue] = now_s + self._shared.pace.limit_s
            rest.mention(f"scan: {fault.reason}: {short_path(path)}")
