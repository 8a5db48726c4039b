"""The demo exchange as a child process: started first of all, watched, restarted, stopped.

It is tied to us by its standard input: when the desk goes, even by `kill -9`, the pipe closes and
the exchange stops by itself. No Qt here: the exchange comes up while the window's parts are still
being imported.
"""

import queue
import re
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from basisdesk.app.own_program import own_command
from basisdesk.config import Demo
from basisdesk.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

READY_WAIT_S = 30.0
STOP_WAIT_S = 1.5
LOG_BYTES_MAX = 64 << 10  # of what it said; the rest is not looked at
SAID_MAX = 300  # characters shown
OURS = "basisdesk: "  # before what it says to a person


class ExchangeAddress(msgspec.Struct, frozen=True):
    """Where the exchange listens and the market time at which it began, as it printed them.

    sockets: WebSocket address of each connection, "binance.public".
    """

    port: int
    ws: str
    rest: str
    epoch_ms: int
    sockets: dict[str, str] = {}


class ExchangeProcess:
    """Runs `basisdesk demo-exchange` for one profile folder.

    on_exit: called from a thread of ours, with one sentence, when it ends without being asked to.
    """

    def __init__(self, demo: Demo, folder: Path) -> None:
        self.on_exit: Callable[[str], None] | None = None
        self.restarts = 0
        self._demo = demo
        self._state = folder / "market.json"
        self._log = folder / "demo-exchange.log"
        self._port = 0
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._stopping = False
        self._process = self._launch(None)

    @property
    def pid(self) -> int:
        """Process number of the running exchange."""
        return self._process.pid

    def address(self) -> ExchangeAddress:
        """Where it listens; waits until it does. Raises UserError when it does not come up."""
        try:
            line = self._lines.get(timeout=READY_WAIT_S)
            address = msgspec.json.decode(line, type=ExchangeAddress)
        except (queue.Empty, msgspec.DecodeError) as exc:
            self.stop()
            raise UserError(
                f"The demo exchange did not start. It said: {self._said() or 'nothing'}"
            ) from exc
        self._port = address.port
        return address

    def restart(self, epoch_ms: int) -> None:
        """Start again on the same port, the market continuing at `epoch_ms`."""
        self.restarts += 1
        self._close_input()
        self._process = self._launch(epoch_ms)

    def tell(self, line: dict[str, object]) -> None:
        """Hand it one instruction; lost without a word where it is just being restarted."""
        if self._process.stdin is not None:
            with suppress(OSError, ValueError):  # ValueError: the pipe is closed
                self._process.stdin.write(msgspec.json.encode(line) + b"\n")
                self._process.stdin.flush()

    def stop(self) -> None:
        """Close its standard input, wait a moment, then end it."""
        self._stopping = True
        process = self._process
        self._close_input()
        try:
            process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_WAIT_S)
        self._reader.join(STOP_WAIT_S)

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            with suppress(OSError):  # the exchange may be gone already
                self._process.stdin.close()

    def _launch(self, epoch_ms: int | None) -> "subprocess.Popen[bytes]":
        demo = self._demo
        arguments = [
            *own_command(["demo-exchange", "--port", str(self._port)]),
            *("--seed", str(demo.seed), "--scenario", demo.scenario, "--speed", str(demo.speed)),
            *("--symbol", demo.symbol, "--state", str(self._state)),
        ]
        if epoch_ms is not None:
            arguments += ["--epoch-ms", str(epoch_ms)]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()
        return process

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not self._lines.full():
                self._lines.put(line)
        process.stdout.close()
        code = process.wait()
        if self._stopping:
            return
        if self._port == 0:
            self._lines.put(b"")  # it never listened: do not keep `address` waiting
        elif self.on_exit is not None:
            self.on_exit(f"The demo exchange stopped (exit code {code}).")

    def _said(self) -> str:
        try:
            with self._log.open("rb") as log:
                return told(log.read(LOG_BYTES_MAX).decode("utf-8", "replace"))
        except OSError:
            return ""


def told(said: str) -> str:
    """What a program that ended says was wrong, of all it wrote: SAID_MAX characters at most.

    Its own sentence where there is one, whole sentences of it; else the last line, where a
    traceback says what it was. Pure.
    """
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    own = [line.removeprefix(OURS) for line in lines if line.startswith(OURS)]
    line = (own or lines or [""])[-1]
    if len(line) <= SAID_MAX:
        return line
    ends = [each.end() for each in re.finditer(r"[.!?](?= )", line[:SAID_MAX])]
    return line[: ends[-1]] if ends else f"{line[: SAID_MAX - 1]}\u2026"
