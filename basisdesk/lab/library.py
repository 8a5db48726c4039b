"""Past sessions of a profile, read from the journals of all its accounts, modes and archives.

A session is what one desk wrote from its SessionStarted to the next one, or to the journal's end.
Journals are only read, each within a limit of size; one that cannot be trusted is one line with its
reason. Money is exact: the terms of a session are what the pairs' attribution moved in it, so they
sum to the change in equity, open pairs valued at the mids of their last outcome.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, localcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from basisdesk.errors import JournalError, RuleError
from basisdesk.events import (
    MONEY,
    LegRejected,
    Liquidated,
    Outcome,
    PairOpened,
    PairReduced,
    Refused,
    SessionStarted,
    Traded,
)
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import journal_entries
from basisdesk.ledger.format import loss, mark_path, read_mark
from basisdesk.ledger.posting import Transaction

if TYPE_CHECKING:
    from basisdesk.ledger.attribution import Attribution

MODES = ("simulated", "live")
MAIN = "main"
JOURNAL = "journal.db"
JOURNAL_BYTES_MAX = 64 * 1024 * 1024  # a larger one is not read whole beside a running desk
PLACES_MAX = 400  # folders that are looked into
TAPES_MAX = 20_000  # files looked at in a folder of tapes
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual", "total")
ZERO = Decimal(0)
CLEAN = "clean"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PART = re.compile(r"(.+)-([2-9]|[1-9][0-9]{1,3})")  # a session's second tape and later ones

Entry = tuple[int, Outcome, Sequence[Transaction]]


class Place(NamedTuple):
    """A folder with a journal. archived: the archive it lies in, "" for an account of today."""

    profile: Path
    folder: Path
    account: str
    mode: str
    archived: str = ""

    @property
    def journal(self) -> Path:
        """Its journal."""
        return self.folder / JOURNAL

    @property
    def name(self) -> str:
        """The folder inside the profile, with slashes: what keys begin with."""
        return self.folder.relative_to(self.profile).as_posix()


class Tape(NamedTuple):
    """A recording: its file and bytes. A session whose disk was full has several."""

    path: Path
    size: int


class Session(msgspec.Struct, frozen=True):
    """One past session, or a journal that cannot be read (session "", `status` says why).

    key: names it in the profile. first, last: its entries. pairs_open: at its end. start, end:
    equity at both ends, account currency. terms: what each term of the attribution moved in it.
    tapes: in the order they were recorded. tape_bytes: of them, or of all tapes beside a journal
    that cannot be read. at_end: whether nothing in its journal comes after it.
    """

    key: str
    place: Place
    session: str
    status: str = CLEAN
    begun_ns: int = 0
    ended_ns: int = 0
    first: int = 0
    last: int = 0
    pairs_opened: int = 0
    pairs_closed: int = 0
    pairs_open: int = 0
    fills: int = 0
    refusals: int = 0
    rejections: int = 0
    start: Decimal = ZERO
    end: Decimal = ZERO
    terms: dict[str, Decimal] = {}
    currency: str = "USDT"
    version: str = ""
    source: str = ""
    tapes: tuple[Tape, ...] = ()
    tape_bytes: int = 0
    at_end: bool = False

    @property
    def net(self) -> Decimal:
        """What the session earned: its change in equity."""
        return self.end - self.start

    @property
    def mark(self) -> str:
        """What tags and a note are kept under: they stay with a session that moves to the archive.

        The session's own name, or the key of a journal that cannot be read.
        """
        return self.session or self.key


class Shelf:
    """Finds the sessions of a profile. A journal that did not change since is not read again.

    tapes: where tapes of later sessions lie when it is not the profile (`tape.folder`).
    """

    def __init__(self, profile: Path, tapes: Path | None = None) -> None:
        self.profile = profile
        self._tapes = tapes
        self._known: dict[Path, tuple[object, list[Session]]] = {}

    def look(self) -> list[Session]:
        """Every session, newest first. Never raises.

        All of them: what may be done to a ledger hangs on every session in it. How many there can
        be is limited by PLACES_MAX and JOURNAL_BYTES_MAX.
        """
        found: list[Session] = []
        known: dict[Path, tuple[object, list[Session]]] = {}
        for place in places(self.profile):
            state = _state(place)
            held = self._known.get(place.folder)
            read = held[1] if held is not None and held[0] == state else read_place(place)
            known[place.folder] = (state, read)
            found += _with_tapes(read, tapes_at(place, self._tapes))
        self._known = known
        return sorted(found, key=lambda each: (-each.begun_ns, each.key))

    def changed(self, place: Place) -> bool:
        """Whether the journal of a place is another one than the last `look` read."""
        held = self._known.get(place.folder)
        return held is None or held[0] != _state(place)


def places(profile: Path) -> Iterator[Place]:
    """Every folder of a profile that holds a journal, PLACES_MAX at most."""
    homes = [(profile, MAIN, "")]
    homes += [(home, home.name, "") for home in _folders(profile / "accounts")]
    homes += [
        (home, home.name.rpartition("-")[0] or home.name, home.name)
        for home in _folders(profile / "archive")
    ]
    for home, account, archived in homes[:PLACES_MAX]:
        for mode in MODES:
            folder = home / mode
            if (folder / JOURNAL).is_file() and not folder.is_symlink():
                yield Place(profile, folder, account, mode, archived)


def read_place(place: Place) -> list[Session]:
    """The sessions of one journal, oldest first; one line that says why where it is damaged."""
    try:
        if place.journal.stat().st_size > JOURNAL_BYTES_MAX:
            return [_unread(place, f"larger than {JOURNAL_BYTES_MAX // 1024 // 1024} MB: not read")]
        mark = read_mark(place.journal)
        entries = journal_entries(place.journal)
        found = sessions_of(place, entries)
    except (JournalError, OSError, RuleError, KeyError, ArithmeticError) as exc:
        return [_unread(place, str(exc))]
    gone = loss(mark, entries[-1][0] if entries else 0, str(place.journal))
    if gone and found:
        found[-1] = msgspec.structs.replace(found[-1], status=gone)
    return found


def sessions_of(place: Place, entries: Sequence[Entry]) -> list[Session]:
    """The sessions of these entries, oldest first. Raises RuleError where they contradict."""
    found: list[Session] = []
    fold = _Fold()
    for seq, outcome, txns in entries:
        if isinstance(outcome, SessionStarted):
            if fold.begun is not None:
                found.append(fold.session(place))
            fold.begin(seq, outcome, txns)
        else:
            fold.take(seq, outcome, txns)
    if fold.begun is not None:
        found.append(msgspec.structs.replace(fold.session(place), at_end=True))
    return found


def session_key(place: Place, session: str) -> str:
    """The name of a session in its profile."""
    return f"{place.name}/{session}"


def tapes_at(place: Place, elsewhere: Path | None = None) -> dict[str, Tape]:
    """Every tape of a place by its name without the ending, TAPES_MAX a folder; links are left out.

    elsewhere: a folder outside of the profile to look in as well.
    """
    folders = [place.folder / "tapes"]
    if elsewhere is not None and not place.archived:
        folders.insert(0, elsewhere / place.account / place.mode)  # what lies in the profile wins
    found = {}
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as each:  # there need not be one
            for entry in islice(each, TAPES_MAX):
                name = Path(entry.name)
                if name.suffix == ".tape" and entry.is_file(follow_symlinks=False):
                    found[name.stem] = Tape(Path(entry.path), entry.stat().st_size)
    return found


def tapes_of(sessions: Collection[str], found: Mapping[str, Tape]) -> dict[str, tuple[Tape, ...]]:
    """The tapes of each of a journal's sessions: NAME, then NAME-2 and so on, what there is.

    A name is only looked up among the files found, so one that could be a path reaches nothing.
    """
    parts = {name: [(1, found[name])] if name in found else [] for name in sessions}
    for name, tape in found.items():
        later = _PART.fullmatch(name)
        if later is not None and name not in parts and later[1] in parts:
            parts[later[1]].append((int(later[2]), tape))
    return {name: tuple(tape for _, tape in sorted(of_it)) for name, of_it in parts.items()}


class Sums:
    """What all pairs of some books earned, by term; pairs that did not change are not asked."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._of: dict[int, Attribution] = {}
        self._stale: set[int] = set()

    def touch(self, pair: int) -> None:
        """A pair changed."""
        self._stale.add(pair)

    def now(self) -> dict[str, Decimal]:
        """Each term over all pairs, account currency, costs negative."""
        for pair in self._stale | set(self._books.open_pairs):
            if pair in self._books.pairs:
                self._of[pair] = self._books.attribution(pair)
        self._stale.clear()
        return summed(self._of.values())


def summed(parts: "Iterable[Attribution]") -> dict[str, Decimal]:
    """The terms of several attributions added up, exactly."""
    with localcontext(MONEY):
        sums = dict.fromkeys(TERMS, ZERO)
        for each in parts:
            for term in TERMS:
                sums[term] += getattr(each, term)
    return sums


class _Fold:
    """Walks a journal and counts what belongs to the session it is in."""

    def __init__(self) -> None:
        self._books = Books()
        self._sums = Sums(self._books)
        self._before = dict.fromkeys(TERMS, ZERO)
        self._start = ZERO
        self._first = self._last = self._ended_ns = 0
        self._counts = dict.fromkeys(("opened", "closed", "fills", "refusals", "rejections"), 0)
        self.begun: SessionStarted | None = None

    def begin(self, seq: int, begun: SessionStarted, txns: Sequence[Transaction]) -> None:
        """A session starts here."""
        self._books.apply(begun, txns)
        self.begun, self._first, self._last = begun, seq, seq
        self._ended_ns = begun.ts_ns
        self._before = self._sums.now()
        self._start = self._books.funds({}).equity
        self._counts = dict.fromkeys(self._counts, 0)

    def take(self, seq: int, outcome: Outcome, txns: Sequence[Transaction]) -> None:
        """Take in one more outcome."""
        pair = getattr(outcome, "pair", None)
        if isinstance(outcome, PairOpened) and pair not in self._books.pairs:
            self._counts["opened"] += 1
        if isinstance(outcome, PairReduced | Liquidated) and outcome.closed:
            self._counts["closed"] += 1
        self._counts["fills"] += len(outcome.fills) if isinstance(outcome, Traded) else 0
        self._counts["refusals"] += isinstance(outcome, Refused)
        self._counts["rejections"] += isinstance(outcome, LegRejected)
        self._books.apply(outcome, txns)
        if pair is not None:
            self._sums.touch(pair)
        self._last, self._ended_ns = seq, max(self._ended_ns, outcome.ts_ns)

    def session(self, place: Place) -> Session:
        """The session as far as it was walked."""
        begun, counts = self.begun, self._counts
        assert begun is not None
        sums, end = self._sums.now(), self._books.funds({}).equity
        terms = {term: sums[term] - self._before[term] for term in TERMS}
        fits = terms["total"] == end - self._start
        return Session(
            key=session_key(place, begun.session),
            place=place,
            session=begun.session,
            status=CLEAN if fits else "the pairs' results do not sum to the change in equity",
            begun_ns=begun.ts_ns,
            ended_ns=self._ended_ns,
            first=self._first,
            last=self._last,
            pairs_opened=counts["opened"],
            pairs_closed=counts["closed"],
            pairs_open=len(self._books.open_pairs),
            fills=counts["fills"],
            refusals=counts["refusals"],
            rejections=counts["rejections"],
            start=self._start,
            end=end,
            terms=terms,
            currency=begun.currency,
            version=begun.version,
            source=begun.source,
        )


def _unread(place: Place, why: str) -> Session:
    """The line of a journal that cannot be read. It stands by the time its file was written."""
    bytes_of, changed_ns = 0, 0
    try:
        changed_ns = place.journal.stat().st_mtime_ns
        bytes_of = sum(tape.stat().st_size for tape in (place.folder / "tapes").glob("*.tape"))
    except OSError:
        pass  # what can be said of it is said
    key = session_key(place, "")
    return Session(key, place, "", why, changed_ns, changed_ns, tape_bytes=bytes_of, at_end=True)


def _with_tapes(sessions: Sequence[Session], found: Mapping[str, Tape]) -> list[Session]:
    of_each = tapes_of([each.session for each in sessions if each.session], found)
    return [
        msgspec.structs.replace(each, tapes=tapes, tape_bytes=sum(tape.size for tape in tapes))
        if (tapes := of_each.get(each.session, ()))
        else each
        for each in sessions
    ]


def _state(place: Place) -> object:
    """What changes with a journal: size and time of its files."""
    found = []
    for path in (place.journal, Path(f"{place.journal}-wal"), mark_path(place.journal)):
        try:
            state = path.stat()
            found.append((state.st_size, state.st_mtime_ns))
        except OSError:
            found.append((0, 0))
    return tuple(found)


def _folders(parent: Path) -> list[Path]:
    try:
        found = sorted(
            each
            for each in parent.iterdir()
            if _NAME.fullmatch(each.name) and each.is_dir() and not each.is_symlink()
        )
    except OSError:  # there is none yet, or it cannot be read
        return []
    return found[:PLACES_MAX]
