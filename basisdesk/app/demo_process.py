"""The demo exchange as a child process: started, watched, restarted and stopped by the desk.

It is tied to us by its standard input: when the desk goes, even by `kill -9`, the pipe closes and
the exchange stops by itself.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QProcess, Signal

from basisdesk.config import Demo
from basisdesk.errors import UserError

STOP_WAIT_MS = 1_500
RESTARTS_MAX = 20
RESTART_DELAYS_S = (0.2, 1.0, 2.0, 5.0)
READY_WAIT_S = 30.0


class DemoAddress(msgspec.Struct, frozen=True):
    """Where the exchange listens, as it printed it."""

    port: int
    ws: str
    rest: str


class DemoProcess(QObject):
    """Runs `basisdesk demo-exchange`. `died` carries one sentence; a restart follows by itself."""

    died = Signal(object)  # str

    def __init__(self, demo: Demo, state: Path, epoch_ms: int) -> None:
        super().__init__()
        self._demo = demo
        self._state = state
        self._epoch_ms = epoch_ms
        self._out = b""
        self._said = ""
        self._stopping = False
        self._ready: asyncio.Future[DemoAddress] | None = None
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.readyReadStandardError.connect(self._on_error_output)
        self._process.finished.connect(self._on_finished)
        self.port = 0
        self.restarts = 0

    @property
    def pid(self) -> int:
        """Process number of the running exchange, 0 when there is none."""
        return self._process.processId()

    async def start(self) -> DemoAddress:
        """Start it and wait until it listens. Raises UserError when it does not come up."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._launch()
        timer = loop.call_later(READY_WAIT_S, self._give_up)
        try:
            return await self._ready
        finally:
            timer.cancel()

    def restart(self, epoch_ms: int) -> None:
        """Start again on the same port, the market continuing at `epoch_ms` (venue time)."""
        self._epoch_ms = epoch_ms
        self.restarts += 1
        self._launch()

    def stop(self) -> None:
        """Close its standard input, wait a moment, then end it."""
        self._stopping = True
        if self._process.state() == QProcess.ProcessState.NotRunning:
            return
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(STOP_WAIT_MS):
            self._process.kill()
            self._process.waitForFinished(STOP_WAIT_MS)

    def _launch(self) -> None:
        demo = self._demo
        self._out = b""
        self._process.start(
            sys.executable,
            [
                *("-m", "basisdesk", "demo-exchange", "--port", str(self.port)),
                *("--seed", str(demo.seed), "--scenario", demo.scenario),
                *("--speed", str(demo.speed), "--symbol", demo.symbol),
                *("--state", str(self._state), "--epoch-ms", str(self._epoch_ms)),
            ],
        )

    def _give_up(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(
                UserError(f"The demo exchange did not start. It said: {self._said or 'nothing'}.")
            )

    # --- what the process does ---------------------------------------------------------------

    def _on_output(self) -> None:
        self._out += bytes(self._process.readAllStandardOutput().data())
        line, newline, _ = self._out.partition(b"\n")
        if not newline or self._ready is None:
            return
        try:
            address = msgspec.json.decode(line, type=DemoAddress)
        except msgspec.DecodeError:
            return
        self.port = address.port
        if not self._ready.done():
            self._ready.set_result(address)

    def _on_error_output(self) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self._said = said.strip()[-300:] or self._said

    def _on_finished(self) -> None:
        if self._stopping:
            return
        if self._ready is not None and not self._ready.done():
            self._give_up()
            return
        self.died.emit(f"The demo exchange stopped (exit code {self._process.exitCode()}).")
