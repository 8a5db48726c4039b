"""The only file that asks the time."""

import time
from typing import Protocol


class Clock(Protocol):
    """Gives the desk's time, UTC nanoseconds since 1970, never going backwards."""

    def now_ns(self) -> int:
        """UTC nanoseconds now."""
        ...


class SystemClock:
    """UTC anchored once, then carried by the monotonic clock: a stepped wall clock cannot move it.

    speed: how many desk seconds pass in one real second; above 1 only on the demo exchange.
    start_ns: the desk time at construction; None means the wall clock's.
    """

    def __init__(self, speed: float = 1.0, start_ns: int | None = None) -> None:
        self.speed = speed
        self._origin_ns = time.time_ns() if start_ns is None else start_ns
        self._mono_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        """UTC nanoseconds now, scaled by `speed` since construction."""
        passed_ns = time.monotonic_ns() - self._mono_ns
        return self._origin_ns + (passed_ns if self.speed == 1.0 else int(passed_ns * self.speed))

    def skip(self, seconds: float) -> None:
        """Move on by the time the machine slept, which the monotonic clock did not count."""
        self._origin_ns += max(0, round(seconds * 1e9))


class ManualClock:
    """A clock that a test moves by hand."""

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """UTC nanoseconds, as last set."""
        return self._now_ns

    def advance(self, seconds: float) -> None:
        """Move on by this many seconds."""
        self._now_ns += round(seconds * 1e9)


def wall_ns() -> int:
    """The machine's own idea of UTC, nanoseconds: for file names and for noticing clock steps."""
    return time.time_ns()


def mono_s() -> float:
    """Monotonic seconds, for measuring durations."""
    return time.perf_counter()
