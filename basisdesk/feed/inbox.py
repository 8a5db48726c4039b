"""The bounded queue between feeds and engine. It says when it overflows; nothing else is lost.

When it is full, a connection's frame and everything that connection says afterwards is dropped
until `reopen`: half a book is worse than none. A LinkChange "overflow" takes the place of the first
dropped frame, so the engine stops trusting that connection exactly where the hole begins. The
desk's own frames (beats, commands, link changes) have room of their own.
"""

from collections import Counter, deque
from collections.abc import Callable, Set

import msgspec

from basisdesk.events import LINK, Frame, LinkChange

LIMIT_FRAMES = 20_000
LIMIT_BYTES = 64 * 2**20
OWN_FRAMES = 10_000  # room kept for the desk's own frames: hours of beats
_OWN = "desk."


class Inbox:
    """First in, first out. One thread.

    limit_frames, limit_bytes: how much of the venues' frames may wait; the desk's own frames are
        not counted.
    on_ready: called when the queue turns from empty to non-empty, from inside `put`.
    """

    def __init__(
        self,
        limit_frames: int = LIMIT_FRAMES,
        limit_bytes: int = LIMIT_BYTES,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self.limit_frames = limit_frames
        self.limit_bytes = limit_bytes
        self.on_ready = on_ready
        self.bytes = 0  # payload bytes of venue frames waiting
        self.most_frames = 0  # most frames that ever waited together, seen at `take`
        self.accepted = 0
        self.dropped: Counter[str] = Counter()  # frames lost, by connection
        self._queue: deque[Frame] = deque()
        self._own = 0
        self._shut: set[str] = set()

    def __len__(self) -> int:
        """Frames waiting."""
        return len(self._queue)

    @property
    def overflowed(self) -> Set[str]:
        """Connections whose frames are being dropped until `reopen`."""
        return self._shut

    @property
    def has_room(self) -> bool:
        """At most half full: a good moment to reopen a connection."""
        waiting = len(self._queue) - self._own
        return waiting * 2 <= self.limit_frames and self.bytes * 2 <= self.limit_bytes

    def put(self, frame: Frame) -> bool:
        """Append a frame; False when it was dropped instead."""
        if frame.conn.startswith(_OWN):
            return self._put_own(frame)
        size = len(frame.payload)
        if (
            self._shut
            or len(self._queue) - self._own >= self.limit_frames
            or self.bytes + size > self.limit_bytes
        ) and self._refuses(frame, size):
            return False
        self.bytes += size
        self._append(frame)
        return True

    def take(self, n: int) -> list[Frame]:
        """Up to n oldest frames, removed."""
        queue = self._queue
        waiting = len(queue)
        self.most_frames = max(self.most_frames, waiting)
        if n >= waiting:
            frames = list(queue)
            queue.clear()
            self.bytes = self._own = 0
            return frames
        pop = queue.popleft
        frames = [pop() for _ in range(n)]
        for frame in frames:
            if frame.conn.startswith(_OWN):
                self._own -= 1
            else:
                self.bytes -= len(frame.payload)
        return frames

    def reopen(self, conn: str) -> None:
        """Accept this connection's frames again. Call it when the connection starts afresh."""
        self._shut.discard(conn)

    def _append(self, frame: Frame) -> None:
        self.accepted += 1
        self._queue.append(frame)
        if len(self._queue) == 1 and self.on_ready is not None:
            self.on_ready()

    def _put_own(self, frame: Frame) -> bool:
        if self._own >= OWN_FRAMES:  # the engine has stood still for hours
            self.dropped[frame.conn] += 1
            return False
        self._own += 1
        self._append(frame)
        return True

    def _refuses(self, frame: Frame, size: int) -> bool:
        if frame.conn in self._shut:
            self.dropped[frame.conn] += 1
            return True
        full = (
            len(self._queue) - self._own >= self.limit_frames
            or self.bytes + size > self.limit_bytes
        )
        if full:
            self._shut.add(frame.conn)
            self.dropped[frame.conn] += 1
            reason = f"inbox full at {len(self._queue)} frames, {self.bytes >> 10} KiB"
            change = LinkChange(frame.conn, "overflow", reason)
            self._put_own(Frame(LINK, msgspec.json.encode(change), frame.t_ns))
        return full
