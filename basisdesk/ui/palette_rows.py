"""What the command palette lists, and how what is typed finds it. Pure, no Qt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

ROWS_MAX = 200
RECENT_MAX = 12
TYPED_MAX = 80
WORDS_MAX = 8
TRADE_LETTERS = 3  # "f" and Enter is a slip of the hand
# How near a typed word is to an entry, best first.
_WHOLE, _BEGINS, _WORD, _INSIDE, _GROUP, _SCATTERED = 0.0, 1.0, 2.0, 3.0, 4.0, 6.0
_GAP = 0.1  # for each letter jumped over
_LATER = 0.05  # for a word that was typed first and stands later


@dataclass(frozen=True)
class PaletteEntry:
    """One thing that can be done.

    text: what it is called where it stands. group: where that is ("View", "Pair"). keys: as shown,
    "" for none. why: the reason it cannot be done now, "" where it can. act: does it. trades: it
    opens or closes positions; Enter alone never does that. front: characters at the start of
    `text` that name its menu.
    """

    text: str
    group: str
    act: Callable[[], object]
    keys: str = ""
    why: str = ""
    trades: bool = False
    front: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What it is remembered by."""
        return self.group, self.text


@dataclass(frozen=True)
class Sources:
    """Where entries come from. lists: each read once an opening; searches: asked what is typed."""

    lists: Sequence[Callable[[], Iterable[PaletteEntry]]] = ()
    searches: Sequence[Callable[[str], Iterable[PaletteEntry]]] = ()


class Recent:
    """The entries used last, newest first, RECENT_MAX at most."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, str]] = []

    def used(self, entry: PaletteEntry) -> None:
        """It was done just now. What trades is not kept: once more is another trade."""
        if entry.trades:
            return
        rest = [key for key in self._keys if key != entry.key]
        self._keys = [entry.key, *rest][:RECENT_MAX]

    def place(self, entry: PaletteEntry) -> int:
        """0 for the newest; RECENT_MAX for one that was not used lately."""
        return self._keys.index(entry.key) if entry.key in self._keys else RECENT_MAX


def found(
    entries: Sequence[PaletteEntry], typed: str, recent: Recent, limit: int = ROWS_MAX
) -> list[PaletteEntry]:
    """The entries that hold every word of `typed`, best first; all of them when it is empty.

    What cannot be done now comes last. Of two that fit as well, what was used lately comes first,
    then what does not trade; else the order of `entries` stands. After a letter or two what trades
    stands behind all else.
    """
    words = typed[:TYPED_MAX].lower().split()[:WORDS_MAX]
    scored = []
    for order, entry in enumerate(entries):
        far = distance(entry, words)
        if far is not None:
            # with nothing typed, what was used lately stands on top whatever else there is
            used, later = recent.place(entry), entry.trades and bool(words)
            hasty = later and not clear(typed)
            key = (bool(entry.why), hasty, round(far, 2), used, later, order)
            scored.append((key, entry))
    scored.sort(key=lambda pair: pair[0])
    return [entry for _, entry in scored[:limit]]


def marked(rows: Sequence[PaletteEntry], typed: str) -> int:
    """The row that Enter does: the first, or -1 where that trades and too little was typed."""
    return -1 if not rows or (rows[0].trades and not clear(typed)) else 0


def clear(typed: str) -> bool:
    """Whether enough was typed to mean a trade by it."""
    return sum(map(str.isalnum, typed)) >= TRADE_LETTERS


def distance(entry: PaletteEntry, words: Sequence[str]) -> float | None:
    """How far an entry is from the words, 0 for its very name; None where one is not in it."""
    text, group = entry.text.lower(), entry.group.lower()
    if " ".join(words) == text:
        return _WHOLE
    total, reached = 0.0, -1
    for word in words:
        far, at = _nearness(word, text, group, entry.front)
        if far is None:
            return None
        total += far + (_LATER if at < reached else 0.0)
        reached = max(reached, at)
    return total / len(words) if words else _WHOLE


def _nearness(word: str, text: str, group: str, front: int) -> tuple[float | None, int]:
    """(how near, where in the text) of one typed word; its letters alone only after `front`."""
    at = text.find(word)
    if at == 0:
        return _BEGINS, 0
    if at > 0:
        start = f" {text}".find(f" {word}")
        return (_WORD, start) if start >= 0 else (_INSIDE, at)
    if word in group:
        return _GROUP, 0
    gaps = _gaps(word, text[front:])
    return (None, 0) if gaps is None else (_SCATTERED + _GAP * gaps, 0)


def _gaps(word: str, text: str) -> int | None:
    """Letters jumped over where all of `word` stand in `text` in order; None where they do not.

    Begins at the first letter of a word of the text, as people abbreviate.
    """
    best: int | None = None
    for start, letter in enumerate(text):
        if letter != word[0] or (start and text[start - 1].isalnum()):
            continue
        at, gaps = start, 0
        for each in word[1:]:
            after = text.find(each, at + 1)
            if after < 0:
                break
            gaps += after - at - 1
            at = after
        else:
            best = gaps if best is None else min(best, gaps)
    return best
