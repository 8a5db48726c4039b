"""Which legs the feeds have to bring: the pair on the screen, what is held, and the cross rates."""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

import msgspec

from basisdesk.market.cross import cross_leg
from basisdesk.venues.instrument import split_key, split_symbol

RECENT_PAIRS = 4  # kept alive, so that switching back and forth costs no subscription

Pair = tuple[str, str]


class Watching:
    """The pairs looked at, newest last, and the file that remembers the last one.

    unseen: pairs that are watched for the autopilot, on the screen or not.

    Broken or missing memory means the pair of the settings, never an error.
    """

    def __init__(self, path: Path, first: Pair, venues: Iterable[str]) -> None:
        self._path = path
        self._venues = frozenset(venues)
        self._recent: deque[Pair] = deque([self._remembered() or first], maxlen=RECENT_PAIRS)
        self.unseen: tuple[Pair, ...] = ()

    @property
    def shown(self) -> Pair:
        """The pair on the screen."""
        return self._recent[-1]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs watched unseen, then those looked at lately, newest last; each once."""
        return tuple(pair for pair in self.unseen if pair not in self._recent) + tuple(self._recent)

    def show(self, pair: Pair) -> None:
        """Put a pair on the screen and remember it. An unwritable file is not worth a word."""
        if pair in self._recent:
            self._recent.remove(pair)
        self._recent.append(pair)
        try:
            self._path.write_bytes(msgspec.json.encode({"pair": pair}))
        except OSError:
            return

    def legs(self, held: Iterable[str]) -> set[str]:
        """Every leg to be watched, with the legs that give the cross rates of their currencies."""
        wanted = {key for pair in self.pairs for key in pair} | set(held)
        return wanted | {leg for key in wanted if (leg := cross_leg(_quote(key)))}

    def _remembered(self) -> Pair | None:
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Pair])
            pair = saved["pair"]
            known = all(split_key(key)[0] in self._venues for key in pair)
        except (OSError, ValueError, KeyError, RecursionError):  # msgspec's errors are ValueErrors
            return None
        return pair if known and split_key(pair[1])[1] == "perp" else None


def _quote(key: str) -> str:
    try:
        return split_symbol(key)[1]
    except ValueError:
        return ""
