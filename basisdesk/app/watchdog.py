"""Notices from a thread of its own that the window stands still, and where in the code it does.

A late beat is noticed while it is late: what the UI's thread is busy with then is in the log, not
only how long it took. A call that holds the interpreter's lock all the time (rare: none of ours
should) is noticed when it returns; its length is right then, its sample may name the line after.

Where the watchdog's own look is late and the process did not work meanwhile, no line of ours is to
blame: the process was stopped, or its machine stood still. That is told apart and is no stall.
"""

import sys
import threading
from collections import deque
from time import process_time
from types import FrameType

from basisdesk.app.crash import log
from basisdesk.clock import mono_s

STALL_MS = 250.0  # silence of the beat that is a stall: quotes are untrusted from here on too
LOOK_S = 0.1  # between two looks at the beat
LATE_S = 1.0  # by which its own look is late when all of it stood still
IDLE_SHARE = 0.1  # of that time on a processor, at most; a call that holds the lock takes most
SAMPLE_AT_S = (0.0, 1.0, 5.0)  # into a stall: its samples
SAMPLES_MAX = 30  # in an hour; a program that stalls more often says nothing new
HOUR_S = 3_600.0
FRAMES_MAX = 24  # of one sample, innermost
SAMPLE_CHARS_MAX = 3_000


def stack_text(frame: FrameType | None) -> str:
    """Where a thread is, innermost last: "file:line function" a line, bounded, no values."""
    lines: list[str] = []
    while frame is not None and len(lines) < FRAMES_MAX:
        code = frame.f_code
        lines.append(f"  {code.co_filename}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    if frame is not None:
        lines.append("  ... and further out")
    return "\n".join(reversed(lines))[-SAMPLE_CHARS_MAX:]


class Watchdog:
    """Watches one thread's beat; made in that thread. `beat` is all it costs there.

    longest_ms: the longest stall so far, 0 for none. stalls: how many there were. last_ms: the
    length of the last one.
    """

    def __init__(self, limit_ms: float = STALL_MS) -> None:
        self.longest_ms = self.last_ms = 0.0
        self.stalls = 0
        self._limit_s = limit_ms / 1e3
        self._watched = threading.get_ident()
        self._beat_s = 0.0  # 0: not beating yet, or no more
        self._stalled_s = 0.0  # from when on this stall counts; 0 for none
        self._awake_s = 0.0  # since when all of it runs again; silence before that is no stall
        self._looked_s = self._worked_s = 0.0  # the look before, and what the process had worked
        self._taken = 0  # samples of this stall
        self._sampled: deque[float] = deque(maxlen=SAMPLES_MAX)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch from the first beat on."""
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; the thread is gone when this returns. Safe to call twice."""
        self._over.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def beat(self) -> None:
        """The watched thread is alive."""
        self._beat_s = mono_s()

    def look(self, now_s: float) -> None:
        """One look at the beat. now_s: as mono_s gives it. The thread's; tests drive it by hand."""
        beat_s = self._beat_s
        if self._stalled_s and beat_s > self._stalled_s:
            self._over_with(beat_s - self._stalled_s)
        since_s = max(beat_s, self._awake_s)
        if not beat_s or now_s - since_s < self._limit_s:
            return
        if not self._stalled_s:
            self._stalled_s, self._taken = since_s, 0
        self._sample(now_s - since_s, now_s)

    def wake(self, now_s: float, worked_s: float) -> None:
        """Before each look: tell where the watchdog itself stood still, with all of the process.

        worked_s: what the process has been on a processor so far, seconds.
        """
        before_s, self._looked_s = self._looked_s, now_s
        work_s, self._worked_s = worked_s - self._worked_s, worked_s
        silent_s = now_s - before_s
        if not before_s or silent_s < LOOK_S + LATE_S or work_s > IDLE_SHARE * silent_s:
            return
        if self._stalled_s:
            self._over_with(before_s - self._stalled_s)  # as far as it was seen
        self._awake_s = now_s
        log.warning("the machine or the process stood still for %.0f ms", silent_s * 1e3)

    def _over_with(self, silent_s: float) -> None:
        self._stalled_s = 0.0
        self.stalls += 1
        self.last_ms = silent_s * 1e3
        self.longest_ms = max(self.longest_ms, self.last_ms)
        log.warning("the window stood still for %.0f ms", self.last_ms)

    def _sample(self, silent_s: float, now_s: float) -> None:
        at = self._taken
        if at >= len(SAMPLE_AT_S) or silent_s < self._limit_s + SAMPLE_AT_S[at]:
            return
        self._taken += 1
        full = len(self._sampled) == SAMPLES_MAX
        if full and now_s - self._sampled[0] < HOUR_S:
            return
        self._sampled.append(now_s)
        where = stack_text(sys._current_frames().get(self._watched))
        log.warning("the window stands still for %.0f ms now, in:\n%s", silent_s * 1e3, where)

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            now_s = mono_s()
            self.wake(now_s, process_time())
            self.look(now_s)
