"""How long everything takes: named delays, the backoff, and the limit of connects per host."""

import random
from collections import deque
from collections.abc import Iterator

import msgspec

from basisdesk.feed.faults import Fault


class Pace(msgspec.Struct, frozen=True):
    """Every delay of the feeds, real seconds. Tests shrink them all at once with `scaled`."""

    tick_s: float = 0.25  # the watchdog
    beat_s: float = 1.0  # heartbeat frames; 1 / speed on a demo exchange that runs fast
    probe_s: float = 5.0  # no byte for so long: ask the venue whether it is there
    silent_s: float = 11.5  # no byte for so long: cut, so that down shows within 12 s
    answer_s: float = 5.0  # a subscribe unanswered for so long is asked again, then cut
    resync_s: float = 5.0  # between two subscribes of one stream, doubled while fruitless ...
    resync_max_s: float = 60.0  # ... up to this
    mute_s: float = 60.0  # answers but no data at all for so long: cut
    gap_s: float = 10.0  # the loop stood still for so long: what is buffered is old, cut all
    first_s: float = 0.5  # backoff: first delay, doubled ...
    limit_s: float = 60.0  # ... up to this
    proven_s: float = 30.0  # good data for so long: the next fault starts at first_s again
    cool_s: float = 60.0  # told to go away (429, 418, 403, 451): wait, doubled ...
    cool_max_s: float = 900.0  # ... up to this
    tls_s: float = 300.0  # between tries where the certificate is bad
    open_s: float = 10.0  # name, TCP, TLS and handshake
    close_s: float = 1.0
    connect_gap_s: float = 1.0  # between two connects to one host
    connect_window_s: float = 300.0  # in which at most `connects` are made to one host
    connects: int = 60
    rest_gap_s: float = 0.05  # between two HTTP requests to one venue
    rest_timeout_s: float = 15.0  # one HTTP request from first to last byte
    time_every_s: float = 600.0  # the venue's clock is asked for
    refill_s: float = 30.0  # after an outage this long the candles are fetched again

    def scaled(self, factor: float) -> "Pace":
        """The same pace with every delay times `factor`; counts stay."""
        fields = {
            name: value * factor if name.endswith("_s") else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        return Pace(**fields)


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

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._passed: dict[str, deque[float]] = {}

    def wait_s(self, host: str, now_s: float, first: bool = False) -> float:
        """Seconds to wait before asking again; 0 lets this connect through and counts it.

        first: a link's first connect of the session does not wait for its neighbour's.
        """
        passed = self._passed.setdefault(host, deque(maxlen=self._pace.connects))
        wait_s = 0.0
        if len(passed) == self._pace.connects:
            wait_s = passed[0] + self._pace.connect_window_s - now_s
        if passed and not first:
            wait_s = max(wait_s, passed[-1] + self._pace.connect_gap_s - now_s)
        if wait_s > 0:
            return wait_s
        passed.append(now_s)
        return 0.0


class Waits:
    """How long to stay away after each fault, and a fresh start once all is well again."""

    def __init__(self, pace: Pace, rng: random.Random) -> None:
        self._pace = pace
        self._rng = rng
        self.start_over()

    def start_over(self) -> None:
        """It went well: the next fault waits as briefly as the first one did."""
        self._backoff = backoff(self._pace, self._rng)
        self._cooling = cooling(self._pace, self._rng)

    def after(self, fault: Fault) -> float:
        """Seconds until the next try; what the venue asked for (Retry-After) goes first."""
        if fault.how == "tls":
            return self._pace.tls_s
        if fault.how == "cool":
            wait_s = next(self._cooling)
            return fault.after_s * self._rng.uniform(1.0, 1.1) or wait_s
        return next(self._backoff)
