"""What a journal looks like on disk: tables, hash chain, high-water mark, and how to read them.

Format 1. A change of anything here is a new FORMAT, an entry in the changelog, and a reader that
still opens the old one. A new kind of outcome, or a new field of one that means what was before
where it is missing, is no change: older text is never rewritten and reads as it did.

    meta(key, value)                            "id": a random name, the root of the chain
    entry(seq, ts_ns, kind, body, prev, hash)   one outcome as JSON, seq 1, 2, 3 ...
    txn(txn, seq, ts_ns, cause)                 its transactions, numbered through the journal
    posting(seq, txn, line, account, currency, amount)   amount: exact decimal text, debit positive

hash = SHA-256 of the JSON array [prev, seq, ts_ns, kind, body, [[txn, ts_ns, cause, [[account,
currency, amount], ...]], ...]], in hex; prev of the first entry is the SHA-256 of the journal's id.
The mark is JSON {"journal", "seq", "hash", "check"}, written beside the file after every commit.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.errors import JournalError, RuleError
from basisdesk.events import Outcome
from basisdesk.ledger.posting import Posting, Transaction

APPLICATION_ID = int.from_bytes(b"bsdk")
FORMAT = 1

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only; book a reversal'); END"
_TABLES = {
    "meta": """CREATE TABLE meta (
        key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT""",
    "entry": """CREATE TABLE entry (
        seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0), ts_ns INTEGER NOT NULL,
        kind TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
    "txn": """CREATE TABLE txn (
        txn INTEGER NOT NULL PRIMARY KEY CHECK (txn > 0), seq INTEGER NOT NULL REFERENCES entry,
        ts_ns INTEGER NOT NULL, cause TEXT NOT NULL) STRICT""",
    "posting": """CREATE TABLE posting (
        seq INTEGER NOT NULL REFERENCES entry, txn INTEGER NOT NULL REFERENCES txn,
        line INTEGER NOT NULL, account TEXT NOT NULL, currency TEXT NOT NULL,
        amount TEXT NOT NULL, PRIMARY KEY (txn, line)) STRICT""",
}
SCHEMA: dict[str, str] = _TABLES | {
    f"no_{verb}_of_{table}": (
        f"CREATE TRIGGER no_{verb}_of_{table} BEFORE {verb.upper()} ON {table} {_REFUSE}"
    )
    for table in _TABLES
    for verb in ("update", "delete")
}

# What SQLite raises for a damaged file; where the damage is in a name, its message is no text.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
_UNTRUSTED = (*UNREADABLE, msgspec.MsgspecError, RuleError, InvalidOperation, OverflowError)
_LINES = "SELECT seq, txn, line, account, currency, amount FROM posting ORDER BY txn, line"
_OUTCOME = msgspec.json.Decoder[Outcome](Outcome)

RawPosting = tuple[str, str, str]  # account, currency, amount
RawTxn = tuple[int, int, str, list[RawPosting]]  # number, ts_ns, cause, postings


class Entry(msgspec.Struct, frozen=True):
    """One outcome as written, with its transactions and the hash that covers both."""

    seq: int
    outcome: Outcome
    txns: tuple[Transaction, ...]
    hash: str


class Mark(msgspec.Struct, frozen=True):
    """The high-water mark: this journal reached this entry. `check` guards the mark itself."""

    journal: str
    seq: int
    hash: str
    check: str = ""

    def sealed(self) -> "Mark":
        """The same mark with its check filled in."""
        text = f"{self.journal} {self.seq} {self.hash}"
        return msgspec.structs.replace(self, check=hashlib.sha256(text.encode()).hexdigest()[:16])


def genesis(journal_id: str) -> str:
    """The hash before the first entry."""
    return hashlib.sha256(f"basisdesk journal {journal_id}".encode()).hexdigest()


def chain_hash(prev: str, seq: int, ts_ns: int, kind: str, body: str, txns: list[RawTxn]) -> str:
    """The hash of one entry over all that is stored of it."""
    return hashlib.sha256(msgspec.json.encode((prev, seq, ts_ns, kind, body, txns))).hexdigest()


def raw_txns(txns: tuple[Transaction, ...], first: int) -> list[RawTxn]:
    """Transactions as they are stored, numbered from `first`."""
    return [
        (
            number,
            txn.ts_ns,
            txn.cause,
            [(p.account, p.currency, format(p.amount, "f")) for p in txn.postings],
        )
        for number, txn in enumerate(txns, first)
    ]


class _Rows:
    """A cursor whose next row can be looked at before it is taken."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.next = cursor.fetchone()

    def take(self, column: int, value: int) -> Iterator[Any]:
        """The coming rows whose `column` is `value`."""
        while self.next is not None and self.next[column] == value:
            row = self.next
            self.next = self._cursor.fetchone()
            yield row


def read_entries(db: sqlite3.Connection, name: str) -> Iterator[Entry]:
    """Every entry in order, each checked against the chain, its postings and their balance.

    Raises JournalError at the first entry that cannot be trusted, naming it; `name` is the file.
    """
    seq = 0
    try:
        prev = genesis(journal_id(db))
        txns = _Rows(db.execute("SELECT seq, txn, ts_ns, cause FROM txn ORDER BY txn"))
        lines = _Rows(db.execute(_LINES))
        rows = db.execute("SELECT seq, ts_ns, kind, body, prev, hash FROM entry ORDER BY seq")
        for number, ts_ns, kind, body, said_prev, said in rows:
            seq += 1
            raw: list[RawTxn] = [
                (txn, at, cause, _in_place(lines.take(1, txn), number))
                for _, txn, at, cause in txns.take(0, number)
            ]
            if number != seq or said_prev != prev:
                raise _broken(name, seq, "it does not follow the entry before")
            if said != chain_hash(prev, seq, ts_ns, kind, body, raw):
                raise _broken(name, seq, "its hash does not match what is written")
            prev = said
            yield Entry(seq, _outcome(body, kind), _typed(raw), said)
        if txns.next is not None or lines.next is not None:
            raise _broken(name, seq + 1, "postings stand there without an entry")
    except _UNTRUSTED as exc:
        raise _broken(name, seq + 1, plain(exc)) from exc


def _in_place(lines: Iterator[Any], seq: int) -> list[RawPosting]:
    """The postings that say they belong here. One that does not is left out, and the hash tells."""
    return [
        (account, currency, amount)
        for place, (said, _, line, account, currency, amount) in enumerate(lines, 1)
        if said == seq and line == place
    ]


def journal_id(db: sqlite3.Connection) -> str:
    """The journal's random name, the root of its chain; "" where it is missing."""
    row = db.execute("SELECT value FROM meta WHERE key = 'id'").fetchone()
    return str(row[0]) if row else ""


def refuse_other_tables(db: sqlite3.Connection, name: str) -> None:
    """Raise JournalError unless tables and triggers are exactly those of this format."""
    try:
        found = dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    except UNREADABLE as exc:
        raise JournalError(f"The journal {name} cannot be read: {plain(exc)}.") from exc
    if found != SCHEMA:
        raise JournalError(
            f"The journal {name} does not have the tables of format {FORMAT}: it was damaged or "
            "changed. Restore it from a copy; nothing was changed now."
        )


def table_problems(db: sqlite3.Connection, name: str) -> list[str]:
    """What the tables and SQLite's own check say is wrong, a sentence each."""
    try:
        refuse_other_tables(db, name)
        said = [row[0] for row in db.execute("PRAGMA integrity_check(10)")]
    except JournalError as exc:
        return [str(exc)]
    except UNREADABLE as exc:
        return [f"The journal {name} is damaged: {plain(exc)}. Restore it from a copy."]
    said = [plain(problem) for problem in said if problem != "ok"]
    return [f"The journal {name} is damaged: {problem}." for problem in said]


def refuse_other_file(application_id: int, version: int, name: str) -> None:
    """Raise JournalError unless the file says that it is a journal of a format we know."""
    if application_id != APPLICATION_ID:
        raise JournalError(f"{name} is not a basisdesk journal. Nothing was changed.")
    if version > FORMAT:
        raise JournalError(
            f"The journal {name} is from a newer basisdesk (format {version}, this one reads "
            f"{FORMAT}). Install the newer version; nothing was changed."
        )
    if version < FORMAT:
        raise JournalError(f"The journal {name} has no valid format number: it is damaged.")


def mark_path(path: Path) -> Path:
    """Where the high-water mark of a journal stands."""
    return path.with_name(path.name + ".mark")


def read_mark(path: Path) -> Mark | None:
    """The high-water mark beside this journal; None where it is missing or unreadable."""
    try:
        mark = msgspec.json.decode(mark_path(path).read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return mark if mark == mark.sealed() else None


def write_mark(path: Path, mark: Mark) -> None:
    """Replace the mark, whole or not at all. Raises OSError."""
    target = mark_path(path)
    temporary = target.with_name(target.name + ".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, msgspec.json.encode(mark.sealed()))
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.replace(target)


def plain(said: object) -> str:
    """Text that a damaged file may have had a hand in, as one short line."""
    text = "".join(c if c.isprintable() else " " for c in str(said))
    return text[:200].rstrip(". ")


def loss(mark: Mark | None, seq: int, name: str) -> str:
    """The sentence that says entries at the end are gone; "" when none are."""
    if mark is None or mark.seq <= seq:
        return ""
    gone = mark.seq - seq
    what = "entry is" if gone == 1 else "entries are"
    return (
        f"The journal {name} ends at entry {seq}, but entry {mark.seq} had been written: "
        f"{gone} {what} lost."
    )


def _broken(name: str, seq: int, why: str) -> JournalError:
    return JournalError(
        f"The journal {name} is damaged at entry {seq}: {why}. Restore it from a copy."
    )


def _outcome(body: str, kind: str) -> Outcome:
    outcome: Outcome = _OUTCOME.decode(body)
    if outcome.__struct_config__.tag != kind:
        raise RuleError(f"an entry of kind {kind} holds another")
    return outcome


def _typed(raw: list[RawTxn]) -> tuple[Transaction, ...]:
    return tuple(
        Transaction(ts_ns, cause, tuple(Posting(a, c, Decimal(amount)) for a, c, amount in lines))
        for _, ts_ns, cause, lines in raw
    )
