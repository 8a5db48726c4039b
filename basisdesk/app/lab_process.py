"""A study as a child process: `basisdesk lab STUDY ...`, its progress read line by line. No Qt.

The child keeps its run in the profile by itself. It runs at lower priority than the desk, in a
process group of its own, so that stopping it stops its workers. Should the desk die, it finishes.
"""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil

STOP_WAIT_S = 3.0  # between asking a study to stop and ending it with its workers
INSIST_SHARE = 1 / 3  # of it after asking a second time: a study may not look for so long
LINES_MAX = 30  # of what it said, kept for a failure
LINE_CHARS_MAX = 600
NICE = 10
SAID = "basisdesk: "
PAGE = "Page: "


class Progress(msgspec.Struct, frozen=True):
    """How far a study is, as it tells it on stderr."""

    done: int
    total: int
    what: str


class End(NamedTuple):
    """How a study ended. code: of the process; said: one sentence of a failure; run: what it kept.

    stopped: it was asked to.
    """

    code: int
    said: str
    run: str
    stopped: bool


class LabProcess:
    """One study that runs. Both calls come from a thread of ours."""

    def __init__(
        self,
        command: Sequence[str],
        on_progress: Callable[[Progress], None],
        on_end: Callable[[End], None],
    ) -> None:
        self._on_progress = on_progress
        self._on_end = on_end
        self._lines: deque[str] = deque(maxlen=LINES_MAX)
        self._stopped = False
        self._over = threading.Event()
        self._process = _started(command)
        with suppress(psutil.Error, OSError):
            if sys.platform != "win32":  # there, its priority class says so
                psutil.Process(self._process.pid).nice(NICE)
        self._reader = threading.Thread(target=self._read, name="lab-process", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def stop(self) -> None:
        """Ask it to stop; after STOP_WAIT_S it is ended with its workers. Returns at once."""
        if self._stopped:
            return
        self._stopped = True
        self._interrupt()
        threading.Thread(target=self._end, name="lab-stop", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it is over, waiting so long for it."""
        return self._over.wait(seconds)

    # --- inside -----------------------------------------------------------------------------------

    def _interrupt(self) -> None:
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                self._process.send_signal(signal.SIGINT)  # it closes its pool of workers

    def _end(self) -> None:
        if self._over.wait(STOP_WAIT_S * (1.0 - INSIST_SHARE)):
            return
        self._interrupt()  # the first lets it say what it kept, the second ends it
        if self._over.wait(STOP_WAIT_S * INSIST_SHARE):
            return
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._hear(line[:LINE_CHARS_MAX])
        code = self._process.wait()
        self._over.set()
        self._on_end(
            End(code, "" if code == 0 else self._failed(code), self._kept(), self._stopped)
        )

    def _hear(self, line: bytes) -> None:
        if line.startswith(b"{"):
            with suppress(msgspec.DecodeError):
                self._on_progress(msgspec.json.decode(line, type=Progress))
                return
        self._lines.append(line.decode("utf-8", "replace").strip())

    def _failed(self, code: int) -> str:
        told = [line for line in self._lines if line.startswith(SAID)]
        if told:
            return told[-1].removeprefix(SAID)
        last = next((line for line in reversed(self._lines) if line), "nothing")
        return f"The study stopped after a fault (exit code {code}). It said: {last}"

    def _kept(self) -> str:
        pages = [line for line in self._lines if line.startswith(PAGE)]
        return Path(pages[-1].removeprefix(PAGE)).parent.name if pages else ""


def _started(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    quiet = 0
    if sys.platform == "win32":
        quiet = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        creationflags=quiet,
        start_new_session=sys.platform != "win32",
    )
