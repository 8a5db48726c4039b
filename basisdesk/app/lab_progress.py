"""How far a study of the lab is: a bar for a person, lines of JSON for a program, or nothing.

Progress goes to stderr, so that stdout holds the answer and nothing else.
"""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from basisdesk.clock import mono_s

BAR_CHARS = 28
EVERY_S = 0.1  # between two lines; the last of each kind of work is always shown
WORDS_MAX = 48
MODES = ("auto", "bar", "json", "none")


class ProgressLine:
    """Shows progress on one line of a terminal, or as `{"done", "total", "what"}` lines.

    A `lab.words.Progress`: called with what is done, of how many, of what; gives True to go on,
    False once it was cancelled. mode: "auto" is a bar on a terminal and nothing elsewhere.
    """

    def __init__(self, mode: str = "auto", out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._mode = mode if mode != "auto" else "bar" if self._out.isatty() else "none"
        self._began_s = mono_s()
        self._due_s = 0.0
        self._what = ""
        self._wide = 0
        self._cancelled = False

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        """While it lasts the first SIGINT cancels, so that a study says what it kept.

        A second one raises KeyboardInterrupt. Only the main thread hears of signals; elsewhere
        nothing changes.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self, _number: int, _frame: object) -> None:
        if self._cancelled:
            raise KeyboardInterrupt
        self._cancelled = True

    def __call__(self, done: int, total: int, what: str) -> bool:
        """Tell how far it is."""
        now_s = mono_s()
        if what != self._what:
            self._what, self._began_s, self._due_s = what, now_s, now_s
        if self._mode != "none" and (now_s >= self._due_s or done >= total):
            self._due_s = now_s + EVERY_S
            self._say(done, total, now_s - self._began_s)
        return not self._cancelled

    def end(self) -> None:
        """Leave the line, so that what follows stands on its own."""
        if self._wide:
            self._write("\r" + " " * self._wide + "\r")
            self._wide = 0

    def _say(self, done: int, total: int, passed_s: float) -> None:
        if self._mode == "json":
            line = json.dumps({"done": done, "total": total, "what": self._what})
            self._write(line + "\n")
            return
        share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
        full = round(BAR_CHARS * share)
        left = f", {_clock(passed_s / share * (1.0 - share))} left" if 0.0 < share < 1.0 else ""
        line = (
            f"[{'#' * full}{'.' * (BAR_CHARS - full)}] {share:4.0%} "
            f"{done:,} of {total:,} {self._what[:WORDS_MAX]}{left}"
        )
        self._write("\r" + line.ljust(self._wide))
        self._wide = len(line)

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            self._mode = "none"  # nobody listens any more; the study goes on


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
