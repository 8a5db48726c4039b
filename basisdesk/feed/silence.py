"""How long a connection has been silent, and what that calls for. Judged by the watchdog alone."""

import math
from typing import NamedTuple

from basisdesk.feed.pace import Pace
from basisdesk.venues import Limits


class Verdict(NamedTuple):
    """ping: send a heartbeat. cut: why to end the socket, or ""."""

    ping: bool = False
    cut: str = ""


class Silence:
    """No byte at all: a socket may be half open, which only asking tells.

    Seconds are counted while the loop really ran: a process that stood still heard nothing either.
    """

    def __init__(self, pace: Pace, limits: Limits) -> None:
        self._pace = pace
        self._every_s = limits.ping_every_s or math.inf
        self._silent_s = 0.0
        self._probed = False
        self._ping_at_s = math.inf

    def restart(self, now_s: float) -> None:
        """A new socket."""
        self._silent_s = 0.0
        self._probed = False
        self._ping_at_s = now_s + self._every_s

    def tick(self, heard: bool, now_s: float, watched_s: float) -> Verdict:
        """heard: bytes came since the last tick."""
        self._silent_s = 0.0 if heard else self._silent_s + watched_s
        self._probed = self._probed and not heard
        if self._silent_s >= self._pace.silent_s:
            return Verdict(cut=f"silent for {self._silent_s:.0f} s")
        probe = self._silent_s >= self._pace.probe_s and not self._probed
        if not probe and now_s < self._ping_at_s:
            return Verdict()
        self._probed = probe or self._probed
        self._ping_at_s = now_s + self._every_s
        return Verdict(ping=True)


class Mute:
    """Bytes, but no data on any stream: pongs from a gateway that has lost its exchange.

    Where the venue promises messages it is cut. Where it promises none, silence is no fault and the
    probe was answered; but after ten minutes a fresh socket is tried beside it.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.seconds = 0.0
        self._heard_ns = 0
        self._most_s = pace.mute_s

    def restart(self) -> None:
        """A new socket; only data shortens the patience that was learned."""
        self.seconds = 0.0

    def tick(self, heard_ns: int, promised: bool, watched_s: float) -> bool:
        """Whether it has been mute for too long. heard_ns: our stamp of the last data."""
        if heard_ns != self._heard_ns:
            self._heard_ns, self._most_s = heard_ns, self._pace.mute_s
            self.seconds = 0.0
            return False
        self.seconds += watched_s
        if self.seconds < (self._most_s if promised else self._pace.habit_max_s):
            return False
        self._most_s = min(2 * self._most_s, 10 * self._pace.mute_s)
        if not promised:
            self.seconds = 0.0
        return True
