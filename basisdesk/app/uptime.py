"""What keeps a desk up for days: stalls are noticed, room on the disk and memory looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from basisdesk.app.crash import log
from basisdesk.app.diagnostics import DeskDiagnostics
from basisdesk.app.disk_guard import DiskCalls, DiskGuard
from basisdesk.app.taping import Recording
from basisdesk.app.watchdog import Watchdog
from basisdesk.events import Halt
from basisdesk.ui.context import Context, Status
from basisdesk.ui.uptime_rows import RSS_WARN_MB, UptimeFigures, memory_warning

if TYPE_CHECKING:
    import psutil

LOOK_MS = 2_000


@dataclass(frozen=True)
class UptimeParts:
    """What it is joined to. folder: of the journal. tapes: where the tapes lie.

    mark: the window has something to tell.
    """

    folder: Path
    tapes: Path
    status: Status
    figures: UptimeFigures
    disk: DiskCalls
    mark: Callable[[], None]


class Uptime(QObject):
    """Watchdog, disk guard and memory. Make it in the window's thread.

    beat: to be called at the window's own beat.
    """

    def __init__(self, parts: UptimeParts, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self.watchdog = Watchdog()
        self.disk = DiskGuard(parts.folder, parts.tapes, parts.status, parts.figures, parts.disk)
        self.beat = self.watchdog.beat
        self._warned = False
        self._process: psutil.Process | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Watch from now on. The first look comes later: a start does not wait for it."""
        self.watchdog.start()
        self._timer.start(LOOK_MS)

    def stop(self) -> None:
        """Watch no more: the program is closing. Safe to call twice."""
        self._timer.stop()
        self.watchdog.stop()
        self.disk.close()

    def after_fault(self) -> None:
        """The desk stopped: room for what is still to be written, and nothing goes on by itself."""
        self._timer.stop()
        self.disk.give_back()

    def look(self) -> None:
        """Read the figures, act on them, and tell the window."""
        figures, status = self._parts.figures, self._parts.status
        before = status.banner
        figures.stalls, figures.stall_ms = self.watchdog.stalls, self.watchdog.longest_ms
        figures.rss_mb = self._rss_mb()
        self.disk.look()
        if figures.rss_mb > RSS_WARN_MB and not self._warned and not status.banner:
            self._warned = True
            status.banner, status.banner_level = memory_warning(figures.rss_mb), "warn"
            log.warning("%s", status.banner)
        if status.banner != before:
            self._parts.mark()

    def _rss_mb(self) -> float:
        if self._process is None:
            import psutil

            self._process = psutil.Process()
        return float(self._process.memory_info().rss / 1e6)


def watch_over(
    folder: Path,
    context: Context,
    figures: UptimeFigures,
    recording: Recording,
    mark: Callable[[], None],
    parent: QObject,
) -> Uptime:
    """What keeps a desk up, joined to it; its context gets the diagnostics. folder: of the journal.

    figures: where they are to be written. mark: called when the window has something new to tell.
    """
    actions, engine = context.actions, context.engine

    def tape_on() -> bool:
        """A new tape: what was set has to be told in it, its books and prices begin whole."""
        if not recording.resume(context.clock.now_ns()):
            return False
        for each in recording.values:
            actions.submit(each)
        for conn in context.conns:
            actions.reconnect(conn)
        return True

    disk = DiskCalls(
        recording.stop,
        tape_on,
        lambda why: actions.submit(Halt(why)),
        lambda: not engine.desk.risk.entries,
        lambda: (recording.standing, recording.state),
    )
    context.diagnostics = DeskDiagnostics(context, folder, figures)
    parts = UptimeParts(folder, recording.folder, context.status, figures, disk, mark)
    return Uptime(parts, parent)
