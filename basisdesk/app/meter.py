"""How late the event loop runs and how much comes in: counted all the time, told once a second."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt, QTimer

from basisdesk.app.taping import Recording
from basisdesk.clock import mono_s
from basisdesk.engine import Engine
from basisdesk.feed.inbox import Inbox
from basisdesk.lab.tape import TapeWriter
from basisdesk.ui.context import LinkNote, Status

LAG_BEAT_MS = 50
LAG_SAMPLES = 400  # 20 s of loop-lag samples behind the shown p99


class Meter(QObject):
    """Writes the program's own figures into the status; `told` runs after each writing.

    notes: what the feeds counted, by connection. tape: the session's recording, where there is one.
    beat: called at each beat, twenty times a second.
    """

    def __init__(
        self,
        engine: Engine,
        status: Status,
        inbox: Inbox,
        notes: Callable[[], Mapping[str, LinkNote]],
        tape: TapeWriter | Recording | None,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._status = status
        self._inbox = inbox
        self._notes = notes
        self._tape = tape
        self.told: Callable[[], None] | None = None
        self.beat: Callable[[], None] | None = None
        self._lags: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._beat_s = self._second_s = mono_s()
        self._frames_seen = 0

    def start(self) -> None:
        """Count from now on."""
        self._timer.start(LAG_BEAT_MS)

    def stop(self) -> None:
        """Count no more: the program is closing."""
        self._timer.stop()

    def _on_beat(self) -> None:
        now_s = mono_s()
        self._lags.append(max(0.0, (now_s - self._beat_s) * 1e3 - LAG_BEAT_MS))
        self._beat_s = now_s
        if self.beat is not None:
            self.beat()
        if now_s - self._second_s < 1.0:
            return
        status = self._status
        del self._lags[:-LAG_SAMPLES]
        recent = sorted(self._lags)
        status.loop_lag_ms = max(self._lags[-int(1000 / LAG_BEAT_MS) :])
        status.loop_lag_p99_ms = recent[int(len(recent) * 0.99)]
        frames = self._engine.market.frames
        came = max(0, frames - self._frames_seen)  # a replay may have jumped back
        status.messages_per_s = came / (now_s - self._second_s)
        self._frames_seen, self._second_s = frames, now_s
        status.inbox_frames = len(self._inbox)
        status.links = dict(self._notes())
        if self._tape is not None:
            status.tape_mb = self._tape.bytes_written / 1e6
            status.tape_state = self._tape.state
        if self.told is not None:
            self.told()
