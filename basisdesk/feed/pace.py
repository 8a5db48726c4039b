"""How long everything takes: named delays, the backoff, and the limit of connects per host."""

import random
from collections import deque
from collections.abc import Iterator

import msgspec

from basisdesk.feed.faults import Fault
from basisdesk.venues import Limits


class Pace(msgspec.Struct, frozen=True):
    """Every delay of the feeds, real seconds. Tests shrink them all at once with `scaled`.

    venue_time: factor on the times in a venue's Limits. restraint: factor on those of them that
    only spare the venue (gaps, floors, windows); 0 on our own demo exchange.
    """

    venue_time: float = 1.0
    restraint: float = 1.0
    tick_s: float = 0.25  # the watchdog
    beat_s: float = 1.0  # heartbeat frames; 1 / speed on a demo exchange that runs fast
    probe_s: float = 5.0  # no byte for so long: ask the venue whether it is there
    silent_s: float = 10.5  # no byte for so long: cut, so that down shows within 11 s
    answer_s: float = 5.0  # a subscribe unanswered for so long is asked again, then cut
    resync_s: float = 5.0  # between two subscribes of one stream, doubled while fruitless ...
    resync_max_s: float = 60.0  # ... up to this
    habit_s: float = 30.0  # the same for a stream that is silent only by its own habit ...
    habit_max_s: float = 600.0  # ... up to this; also for a stream that the venue refuses
    settle_s: float = 0.5  # where requests are counted: a wish must last this long to be sent
    leave_s: float = 1.0  # topics not wanted for so long are dropped; looking back costs nothing
    seed_wait_s: float = 1.0  # after the venue's yes: wait so long for data, then fetch the book
    seed_s: float = 2.0  # between two fetches of one book, doubled while fruitless ...
    seed_max_s: float = 60.0  # ... up to this
    mute_s: float = 60.0  # answers but no data at all for so long: cut
    gap_s: float = 10.0  # the loop stood still for so long: what is buffered is old, cut all
    first_s: float = 0.5  # backoff: first delay, doubled ...
    away_s: float = 8.0  # ... up to this while nobody answers at all, ...
    limit_s: float = 60.0  # ... up to this otherwise
    proven_s: float = 30.0  # good data for so long: the next fault starts at first_s again
    cool_s: float = 60.0  # told to go away (429, 418, 403, 451): wait, doubled ...
    cool_max_s: float = 900.0  # ... up to this
    tls_s: float = 300.0  # between tries where the certificate is bad
    open_s: float = 10.0  # name, TCP, TLS and handshake
    close_s: float = 1.0
    overlap_s: float = 15.0  # a new socket must have brought all live streams by then
    trial_s: float = 3.0  # after that one silent for so long, and beyond its rhythm, is cut
    renew_again_s: float = 60.0  # between two renewals of one connection, at least
    hour_s: float = 3600.0  # in which subscribe requests are counted
    rest_timeout_s: float = 15.0  # one HTTP request from first to last byte
    scan_timeout_s: float = 5.0  # the same for one of the scanner's
    time_every_s: float = 600.0  # the venue's clock is asked for
    catalogue_every_s: float = 3600.0  # the venue's list of instruments is fetched again
    refill_s: float = 30.0  # after an outage this long the candles are fetched again
    book_gap_s: float = 0.5  # the scanner: between two depth pages of one host, ...
    book_every_s: float = 10.0  # ... and of one leg
    leg_gap_s: float = 1.0  # between two calls for single legs, ...
    leg_every_s: float = 60.0  # ... and of one leg
    past_gap_s: float = 0.5  # between two calls for history at one host
    past_again_s: float = 10.0  # before a path of history that failed is tried again, doubled
    settled_again_s: float = 60.0  # between two calls for a leg's newest settlements, at least
    hole_s: float = 120.0  # a host unheard for so long left a hole in the minutes, which is filled
    calm_s: float = 0.02  # between the scanner's calls even where no restraint is needed

    def scaled(self, factor: float) -> "Pace":
        """The same pace with every delay times `factor`, a venue's own limits included."""
        fields = {
            name: value * factor if name.endswith("_s") or name == "venue_time" else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        return Pace(**fields)

    def spare(self, seconds: float) -> float:
        """A delay of this pace that only spares the venue: as restrained as it has to be."""
        return seconds * self.restraint

    def limits(self, said: Limits) -> Limits:
        """A venue's limits in the seconds of this pace."""
        spare = self.venue_time * self.restraint
        return msgspec.structs.replace(
            said,
            connect_window_s=said.connect_window_s * spare,
            connect_gap_s=said.connect_gap_s * spare,
            send_gap_s=said.send_gap_s * spare,
            rest_gap_s=said.rest_gap_s * spare,
            floor_s=said.floor_s * spare,
            life_s=said.life_s * self.venue_time,
            ping_every_s=said.ping_every_s * self.venue_time,
        )


def backoff(pace: Pace, rng: random.Random) -> Iterator[float]:
    """Delays before each reconnect, seconds. Jittered, so that a restart is not a stampede."""
    delay_s = pace.first_s
    while True:
        yield delay_s * rng.uniform(0.5, 1.0)
        delay_s = min(delay_s * 2, pace.limit_s)


def cooling(pace: Pace, rng: random.Random) -> Iterator[float]:
    """Delays after a venue said go away, seconds. Jittered upwards only: never too early."""
    delay_s = pace.cool_s
    while True:
        yield delay_s * rng.uniform(1.0, 1.1)
        delay_s = min(delay_s * 2, pace.cool_max_s)


class HostGate:
    """Lets connects to one host through one at a time, and so many in a window, over all links."""

    def __init__(self) -> None:
        self._passed: dict[str, deque[float]] = {}

    def wait_s(self, host: str, limits: Limits, now_s: float, first: bool = False) -> float:
        """Seconds to wait before asking again; 0 lets this connect through and counts it.

        host: whatever is limited together. limits: as `Pace.limits` gives them.
        first: a link's first connect of the session does not wait for its neighbour's.
        """
        passed = self._passed.setdefault(host, deque(maxlen=limits.connects))
        wait_s = 0.0
        if len(passed) == limits.connects:
            wait_s = passed[0] + limits.connect_window_s - now_s
        if passed and not first:
            wait_s = max(wait_s, passed[-1] + limits.connect_gap_s - now_s)
        if wait_s > 0:
            return wait_s
        passed.append(now_s)
        return 0.0


class Waits:
    """How long to stay away after each fault, and a fresh start once all is well again."""

    def __init__(self, pace: Pace, rng: random.Random, floor_s: float = 0.0) -> None:
        self._pace = pace
        self._rng = rng
        self._floor_s = floor_s
        self.start_over()

    def start_over(self) -> None:
        """It went well: the next fault waits as briefly as the first one did."""
        self._backoff = backoff(self._pace, self._rng)
        self._cooling = cooling(self._pace, self._rng)

    def after(self, fault: Fault) -> float:
        """Seconds until the next try; what the venue asked for (Retry-After) goes first."""
        return max(self._floor_s, self._after(fault))

    def _after(self, fault: Fault) -> float:
        if fault.how == "tls":
            return self._pace.tls_s
        if fault.how == "cool":
            wait_s = next(self._cooling)
            return fault.after_s * self._rng.uniform(1.0, 1.1) or wait_s
        wait_s = next(self._backoff)
        if fault.how == "away":
            return min(wait_s, self._pace.away_s * self._rng.uniform(0.5, 1.0))
        return wait_s
