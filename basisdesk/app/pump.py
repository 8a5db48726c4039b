"""Inbox to tape to engine, in slices short enough that the window never notices."""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

from basisdesk.clock import Clock, mono_s
from basisdesk.engine import Engine
from basisdesk.events import Changed, Frame
from basisdesk.feed.inbox import Inbox

SLICE_S = 0.004  # engine work between two looks at the event loop
SLICE_FRAMES = 256
WAITS_KEPT = 500  # of each connection
GATHER_MS = 3  # a burst is walked in one go instead of frame by frame


class Pump(QObject):
    """Walks waiting frames through the engine whenever there are any.

    record: called with every frame before the engine sees it. changed: called once a slice.
    waits_ms: by connection, how long the first frame of a slice had waited since it was received.
    """

    def __init__(
        self,
        inbox: Inbox,
        engine: Engine,
        record: Callable[[Frame], None],
        changed: Callable[[Changed], None],
        clock: Clock,
    ) -> None:
        super().__init__()
        self._clock = clock
        self.waits_ms: dict[str, deque[float]] = {}
        self._inbox = inbox
        self._engine = engine
        self._record = record
        self._changed = changed
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.drain)
        self.stopped = False
        self._walking = False
        inbox.on_ready = self.wake

    def wake(self) -> None:
        """Frames are waiting: walk them soon."""
        if not self.stopped and not self._timer.isActive():
            self._timer.start(GATHER_MS)

    def hurry(self) -> None:
        """A person's command waits: walk now, before whatever the loop has to paint."""
        if not self._walking:
            self.drain()

    def drain(self) -> None:
        """Walk what waits for at most one slice; the rest follows after the loop had its turn."""
        if self.stopped:
            return
        self._walking = True
        inbox, record = self._inbox, self._record
        end_s = mono_s() + SLICE_S
        changed = Changed.NOTHING
        try:
            while frames := inbox.take(SLICE_FRAMES):
                self._note_wait(frames[0])
                for frame in frames:
                    record(frame)
                changed |= self._engine.advance(frames)
                if mono_s() > end_s:
                    break
        except BaseException:
            self.stopped = True  # a bug: the engine may be half-way, so nothing more is walked
            raise
        finally:
            self._walking = False
            self._changed(changed)
        if len(inbox):
            self._timer.start(0)

    def _note_wait(self, frame: Frame) -> None:
        waits = self.waits_ms.get(frame.conn)
        if waits is None:
            waits = self.waits_ms[frame.conn] = deque(maxlen=WAITS_KEPT)
        waits.append((self._clock.now_ns() - frame.t_ns) / 1e6)
