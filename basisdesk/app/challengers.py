"""The challengers' process: started, fed and stopped beside the loop, which never waits for it.

One thread starts it and writes to its pipe, one reads what it says; the loop only puts lines into a
queue of bounded length and looks at `now`. When the process ends by itself it is started once more
and hears again what it wrote down and the last rows it was sent; after a second end it stays away
and `now.state` says so. It ends with its input, so also when the desk is killed.
"""

import os
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.app.own_program import own_module
from basisdesk.forecast.challenge import NO_RIVER, OFF, Challenge, Rival, in_order, row_of
from basisdesk.forecast.forecaster import Taken
from basisdesk.forecast.table import Feature
from basisdesk.forecast.words import Candidate, Label

WAITING_MAX = 5_000  # rows that wait for the pipe; beyond it rows are lost and counted
RECENT_MAX = 2_000  # lines handed over lately, handed over again after a restart
RESTARTS_MAX = 1
TELL_S = 10.0  # between two questions for the table
ANSWER_S = 180.0  # for it; a process that takes longer is ended
START_S = 300.0  # until it is ready: it hears its journal again, 40 s of a full one
STOP_WAIT_S = 1.5
SAID_BYTES_MAX = 200
LOG_BYTES_MAX = 64_000  # the last of what it says on its error output
LINE_BYTES_MAX = 64_000
STARTING = "starting"
TELL = b'{"kind":"tell"}\n'
_Line = bytes | Candidate | Label
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class _Message(msgspec.Struct):
    # whatever the process says, see lab/challenger_process.py
    kind: str
    why: str = ""
    source: str = ""
    id: int = 0
    p: dict[str, float] = {}
    rivals: tuple[Rival, ...] = ()
    n: int = 0
    n_eff: float = 0.0
    waiting: int = 0


_MESSAGES = msgspec.json.Decoder(_Message)


class Challengers:
    """now: the newest that is known, replaced as a whole. said: p of the newest candidate.

    folder: where the process keeps what it heard. extras: features behind the 44.
    command: for tests, instead of river's process.
    """

    def __init__(
        self,
        folder: Path,
        horizon_h: float,
        *,
        on: bool,
        extras: tuple[Feature, ...] = (),
        command: Sequence[str] = (),
    ) -> None:
        usual = own_module("basisdesk.lab.challenger_process", [str(folder), repr(horizon_h)])
        self.now = Challenge()
        self.said: tuple[int, dict[str, float]] = (0, {})
        self.restarts = 0
        self._on = on
        self._extras = extras
        self._folder = folder
        self._known = bool(command)
        self._command = list(command) or usual
        self._ready = threading.Condition()  # guards what follows; never held while a pipe is used
        self._waiting: deque[_Line] = deque()
        self._stopping = False
        self._ended = False
        self._recent: deque[bytes] = deque(maxlen=RECENT_MAX)
        self._lost = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._fresh = True  # something was heard since the table was asked for
        self._asked_s = -TELL_S
        self._open_s = 0.0  # since when a table is waited for; 0 for not
        self._start_s = 0.0  # since when a start is waited for; 0 for not yet
        self._log = b""  # the tail of what the process said last

    # --- for the loop ----------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process, where challengers are wanted and river is there."""
        if not self._on or self._thread is not None:
            return
        if not self._known and find_spec("river") is None:
            self.now = Challenge(NO_RIVER)
            return
        self.now = Challenge(STARTING, running=True)
        self._thread = threading.Thread(target=self._run, name="challengers", daemon=True)
        self._thread.start()

    def offer(self, new: Taken) -> None:
        """Hand candidates and labels over; they are lost, and counted, where too many wait."""
        lines = in_order(new.candidates, new.labels) if self.now.running else []
        if not lines:
            return
        self._fresh = True
        with self._ready:
            free = max(0, WAITING_MAX - len(self._waiting))
            self._waiting += lines[:free]
            self._lost += len(lines[free:])
            self._ready.notify()

    def tick(self, now_s: float) -> None:
        """About once a second: ask for the table now and then, end a process that does not answer.

        now_s: monotonic.
        """
        if not self.now.running:
            return
        if self.now.state == STARTING:
            self._wait_for_start(now_s)
            return
        if self._open_s:
            if now_s - self._open_s > ANSWER_S and self._process is not None:
                self._open_s = 0.0
                self._process.kill()
            return
        if self._fresh and now_s - self._asked_s >= TELL_S:
            self._asked_s = self._open_s = now_s
            self._fresh = False
            with self._ready:
                self._waiting.append(TELL)
                self._ready.notify()

    def _wait_for_start(self, now_s: float) -> None:
        if not self._start_s:
            self._start_s = now_s
        elif now_s - self._start_s > START_S and self._process is not None:
            self._start_s = 0.0
            self._process.kill()

    def stop(self) -> None:
        """End the process; waits a moment, so call it in a thread."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join(2 * STOP_WAIT_S)
            if self._thread.is_alive() and self._process is not None:
                self._process.kill()  # it does not read, and the thread waits for its pipe
                self._thread.join(STOP_WAIT_S)
        self.now = Challenge(OFF)

    # --- the writing thread ----------------------------------------------------------------------

    def _run(self) -> None:
        why = ""
        for attempt in range(RESTARTS_MAX + 1):
            if self._stopping:
                return
            self.restarts = attempt
            self._ended = False
            self._open_s, self._start_s, self._fresh = 0.0, 0.0, True
            try:
                process = self._process = self._launch()
            except OSError as exc:
                why = f"it does not start: {exc.strerror}"
                continue
            readers = [
                threading.Thread(target=each, args=(process,), daemon=True)
                for each in (self._read, self._listen)
            ]
            for reader in readers:
                reader.start()
            for line in list(self._recent):
                if not _write(process, line):
                    break
            self._feed(process)
            code = _end(process)
            for reader in readers:
                reader.join(STOP_WAIT_S)
            self._write_log()
            if self._stopping or not self.now.running:
                return
            why = f"exit code {code}{self._last_words()}"
            self.now = msgspec.structs.replace(self.now, state=STARTING)
        with self._ready:
            self._waiting.clear()
        kept = msgspec.structs.replace(self.now, running=False, waiting=0)
        self.now = msgspec.structs.replace(
            kept, state=f"stopped: their process ended twice ({why}); restart the desk to try again"
        )

    def _feed(self, process: "subprocess.Popen[bytes]") -> None:
        """Write what waits until the process ends or the desk does."""
        while True:
            with self._ready:
                while not (self._waiting or self._stopping or self._ended):
                    self._ready.wait()
                if self._ended or not self._waiting:
                    return
                line = self._waiting.popleft()
            if isinstance(line, bytes):
                data = line
            else:
                data = msgspec.json.encode(row_of(line, self._extras)) + b"\n"
                self._recent.append(data)
            if not _write(process, data):
                return

    def _launch(self) -> "subprocess.Popen[bytes]":
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = b""
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_QUIET},
        )

    def _write_log(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with (
            suppress(OSError),
            os.fdopen(os.open(self._folder / "challengers.log", flags, 0o600), "wb") as file,
        ):
            file.write(self._log)

    def _last_words(self) -> str:
        said = self._log[-SAID_BYTES_MAX:].decode("utf-8", "replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), "")
        text = " ".join("".join(c if c.isprintable() else " " for c in last).split())
        return f", {text}" if text else ""

    # --- the reading thread ----------------------------------------------------------------------

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            while line := lines.readline(LINE_BYTES_MAX):
                with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    self._take(_MESSAGES.decode(line))
        with self._ready:
            self._ended = True
            self._ready.notify()

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        # its error output: read to the end, so that it never waits for us, and only the tail kept
        assert process.stderr is not None
        with process.stderr as said:
            while part := os.read(said.fileno(), LOG_BYTES_MAX):
                self._log = (self._log + part)[-LOG_BYTES_MAX:]

    def _take(self, message: _Message) -> None:
        changes: dict[str, Any] = {}
        if message.kind == "said":
            self.said = message.id, message.p
            return
        if message.kind == "none":
            changes = {"state": message.why, "running": False}
        elif message.kind == "ready":
            changes = {"state": message.source, "n": message.n}
        elif message.kind == "table":
            self._open_s = 0.0
            changes = {
                "rivals": message.rivals,
                "n": message.n,
                "n_eff": message.n_eff,
                "waiting": message.waiting,
                "lost": self._lost,
            }
        self.now = msgspec.structs.replace(self.now, **changes)


def _write(process: "subprocess.Popen[bytes]", line: bytes) -> bool:
    assert process.stdin is not None
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except (OSError, ValueError):  # ValueError: the pipe is closed
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> int:
    """Close its input, wait a moment, then end it; the exit code."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        return process.wait(STOP_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(STOP_WAIT_S)
