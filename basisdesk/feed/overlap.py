"""One stream on two sockets at a time: what of the new socket is news to a desk on the old one.

Only for streams whose messages stand alone. Messages are compared by their bytes, as a venue sends
the same ones to every socket; a digest is Python's hash of them, 64 bits with a key of its own.
"""

import itertools
import math
from collections import deque
from collections.abc import Iterable

AHEAD_S = 0.25  # a message without venue time is taken as of now when it is not older than this
RECENT = 256  # messages of a stream on the old socket that are remembered where the last one counts


class Prints:
    """A stream of trades, where every message counts."""

    __slots__ = ("_new", "_old")

    def __init__(self) -> None:
        self._new: set[int] = set()
        self._old: dict[int, None] = {}  # in the order of arrival

    def from_new(self, payload: bytes) -> None:
        """The new socket brought this."""
        self._new.add(hash(payload))

    def from_old(self, payload: bytes) -> None:
        """The old socket brought this, and the desk has it."""
        digest = hash(payload)
        self._old.pop(digest, None)
        self._old[digest] = None

    def is_news(self, payload: bytes) -> bool:
        """Whether the old socket has not brought this."""
        return hash(payload) not in self._old

    def to_come(self) -> Iterable[int]:
        """Digests of what the old socket brought and the new one will, as it is behind."""
        return itertools.takewhile(lambda digest: digest not in self._new, reversed(self._old))


class LastWord:
    """A stream of which the last message is all that counts: a best bid and ask, a ticker."""

    __slots__ = ("_at_s", "_old_at_s", "_recent", "_timeless", "payload")

    def __init__(self) -> None:
        self.payload = b""
        self._at_s = self._old_at_s = -math.inf
        self._timeless = True
        self._recent: deque[int] = deque(maxlen=RECENT)

    def from_new(self, payload: bytes, timeless: bool, now_s: float) -> None:
        """The new socket brought this. timeless: it does not say when it was true."""
        self.payload, self._timeless, self._at_s = payload, timeless, now_s

    def from_old(self, payload: bytes, now_s: float) -> None:
        """The old socket brought this, and the desk has it."""
        self._recent.append(hash(payload))
        self._old_at_s = now_s

    def is_news(self, now_s: float) -> bool:
        """Whether the new socket's last word is newer than the old one's, and may be stamped now.

        That stamp would make a word without venue time younger than it is: an older one is left
        out, and the next message speaks.
        """
        if not self.payload or self._old_at_s >= self._at_s or hash(self.payload) in self._recent:
            return False
        return not self._timeless or now_s - self._at_s <= AHEAD_S
