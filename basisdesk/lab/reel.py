"""A tape as one row of frames that can be entered anywhere: one block of it is in memory."""

from basisdesk.events import Frame
from basisdesk.lab.tape_index import TapeIndex


class Reel:
    """The tape as one row of frames that can be entered anywhere. block, row: of the next one."""

    def __init__(self, index: TapeIndex) -> None:
        self._index = index
        self._frames: list[Frame] = []
        self.block = self.row = 0
        self._loaded = -1

    def go(self, block: int, row: int = 0) -> None:
        """Stand before a frame."""
        self.block, self.row = block, row

    def peek(self) -> Frame | None:
        """The next frame, None at the end of the tape."""
        while self.block < len(self._index):
            if self._loaded != self.block:
                self._frames = self._index.frames(self.block)
                self._loaded = self.block
            if self.row < len(self._frames):
                return self._frames[self.row]
            self.block, self.row = self.block + 1, 0
        return None

    @property
    def ended(self) -> bool:
        """No frame is left, as far as was read: looking costs nothing and cannot fail."""
        left = len(self._index) - self.block
        read = self._loaded == self.block and self.row >= len(self._frames)
        return left < 1 or (left == 1 and read)

    def pass_by(self) -> None:
        """Move on behind the frame that was peeked at."""
        self.row += 1
