"""The auditor: reads a journal without touching it and recomputes everything it claims."""

import sqlite3
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path

import msgspec

from basisdesk.errors import JournalError, RuleError
from basisdesk.events import MONEY, Outcome
from basisdesk.ledger.attribution import ZERO
from basisdesk.ledger.books import Books
from basisdesk.ledger.format import (
    UNREADABLE,
    Entry,
    Mark,
    genesis,
    journal_id,
    loss,
    mark_path,
    plain,
    read_entries,
    read_mark,
    refuse_other_file,
    table_problems,
)
from basisdesk.ledger.posting import Transaction, canonical
from basisdesk.ledger.rules import transactions

_BUSY_S = 0.5
_PROBLEMS_MAX = 50


class CheckReport(msgspec.Struct, frozen=True):
    """What a check found. `ok` means no problems; notes are things worth knowing.

    equity: with open pairs valued at the mids of their last outcome, account currency.
    digest: of all transactions; head_hash: of the last entry.
    """

    ok: bool
    problems: list[str]
    entries: int
    transactions: int
    pairs: int
    equity: Decimal
    digest: str
    head_hash: str
    notes: list[str] = []


def check_journal(path: Path | str) -> CheckReport:
    """Verify every invariant of a journal, also while a desk writes it. Changes nothing.

    SQLite's own check, tables and triggers, the hash chain, the high-water mark, each transaction
    balanced and the one today's rules give for its outcome, each pair's quantities, margin and
    attribution meeting its postings, and all of them together meeting the change in equity. A pair
    with one leg is a note: it can happen.
    Raises JournalError when the file cannot be read as a journal at all.
    """
    path = Path(path)
    if not path.exists():
        raise JournalError(f"There is no journal {path}.")
    mark = read_mark(path)  # before the snapshot: entries that come later are no contradiction
    try:
        with closing(_connect(path)) as db:
            _refuse_other(db, path)
            db.execute("BEGIN")  # one snapshot for all that follows
            audit = _Audit(db, str(path))
    except UNREADABLE as exc:
        raise JournalError(f"The journal {path} cannot be read: {plain(exc)}.") from exc
    audit.meet_mark(mark, path)
    return audit.report()


class _Audit:
    """One pass over the entries of a snapshot, with everything folded again."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._name = name
        self._books = Books()
        self._problems = table_problems(db, name)
        self._notes: list[str] = []
        self._id, self._seq, self._hashes = "", 0, [""]
        try:
            self._id = journal_id(db)
            self._hashes = [genesis(self._id)]
            for entry in read_entries(db, name):
                self._seq = entry.seq
                self._hashes.append(entry.hash)
                self._fold(entry)
        except JournalError as exc:
            self._problems.append(str(exc))
        except UNREADABLE as exc:
            self._problems.append(f"{plain(exc)}.")
        self._meet_equity()
        self._meet_pairs()

    def meet_mark(self, mark: Mark | None, path: Path) -> None:
        """Compare with the high-water mark, and with marks kept from earlier losses."""
        if mark is None:
            self._notes.append("No readable high-water mark: a loss at the end would not be seen.")
        elif mark.journal != self._id:
            self._problems.append(f"The mark {mark_path(path)} belongs to another journal.")
        elif said := loss(mark, self._seq, self._name):
            self._problems.append(said)
        elif self._hashes[mark.seq] != mark.hash:
            self._problems.append(f"Entry {mark.seq} is not the one that the mark remembers.")
        for kept in sorted(path.parent.glob(f"{mark_path(path).name}-lost-*")):
            self._notes.append(f"Entries were lost earlier: {kept.name}.")

    def report(self) -> CheckReport:
        """What was found."""
        return CheckReport(
            not self._problems,
            self._problems,
            self._seq,
            self._books.posted,
            len(self._books.pairs),
            self._books.funds({}).equity,
            self._books.digest(),
            self._hashes[-1],
            self._notes,
        )

    def _fold(self, entry: Entry) -> None:
        """Take in one entry; what the rules say of it must be what was booked."""
        try:
            expected = transactions(entry.outcome, self._books)  # proves the attribution too
            if [canonical(txn) for txn in expected] != [canonical(txn) for txn in entry.txns]:
                self._say(entry.seq, "its postings are not those of the rules")
            self._books.apply(entry.outcome, entry.txns)
        except (RuleError, KeyError) as exc:
            self._say(entry.seq, str(exc))

    def _meet_equity(self) -> None:
        """All pairs together must be the change in equity."""
        try:
            with localcontext(MONEY):
                earned = sum((self._books.attribution(n).total for n in self._books.pairs), ZERO)
                if self._books.funds({}).equity != self._books.start + earned:
                    self._problems.append("The pairs' results do not sum to the change in equity.")
        except RuleError as exc:
            self._problems.append(str(exc))

    def _meet_pairs(self) -> None:
        """Each pair told and booked alike; a leg that stands alone is worth knowing."""
        for number, pair in self._books.pairs.items():
            self._problems += [f"Pair {number}: {said}." for said in pair.contradictions()]
        for number, pair in self._books.open_pairs.items():
            if pair.one_legged:
                self._notes.append(f"Pair {number} stands unhedged: {pair.holding}.")

    def _say(self, seq: int, what: str) -> None:
        if len(self._problems) < _PROBLEMS_MAX:
            self._problems.append(f"Entry {seq}: {what}.")


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing: not even SQLite's side files where no desk is writing."""
    wal = path.with_name(path.name + "-wal")
    how = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, timeout=_BUSY_S)


def _refuse_other(db: sqlite3.Connection, path: Path) -> None:
    """The same refusals as the writer's, asked of SQLite: its locks forbid opening the file."""
    if path.stat().st_size == 0:
        raise JournalError(f"{path} is empty: not a basisdesk journal.")
    try:
        application_id = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except UNREADABLE as exc:
        raise JournalError(f"{path} is not a basisdesk journal: {plain(exc)}.") from exc
    refuse_other_file(application_id, version, str(path))


def journal_entries(path: Path | str) -> list[tuple[int, Outcome, tuple[Transaction, ...]]]:
    """All entries of a journal, checked against its chain, also while a desk writes it.

    Raises JournalError with one sentence when it is missing, is no journal, or cannot be trusted.
    """
    path = Path(path)
    if not path.exists():
        raise JournalError(f"There is no journal {path}.")
    db = _connect(path)
    try:
        _refuse_other(db, path)
        return [(row.seq, row.outcome, row.txns) for row in read_entries(db, str(path))]
    finally:
        db.close()
