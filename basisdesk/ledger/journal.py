"""The append-only journal on disk: what the desk decided, with its postings, synced and chained.

One SQLite file (WAL, synchronous FULL; tables in format.py). An outcome and all its transactions
are one commit. Every entry is hash-chained, because SQLite's own check does not notice a flipped
bit inside a value. Beside the journal stand two small files: `.mark`, the high-water mark, which
tells when entries at the end are gone, and `.lock`, held by the one desk that writes. Readers in
other processes are welcome at any time (check.py).
"""

import os
import secrets
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from basisdesk.errors import JournalError
from basisdesk.events import Outcome
from basisdesk.ledger.format import (
    APPLICATION_ID,
    FORMAT,
    SCHEMA,
    UNREADABLE,
    Mark,
    chain_hash,
    genesis,
    journal_id,
    loss,
    mark_path,
    plain,
    raw_txns,
    read_entries,
    read_mark,
    refuse_other_file,
    refuse_other_tables,
    table_problems,
    write_mark,
)
from basisdesk.ledger.lock import FileLock
from basisdesk.ledger.posting import Transaction

_BUSY_S = 0.2  # another program may hold the file for a moment; the window does not wait longer
_SQLITE_MIN = (3, 37, 0)  # STRICT tables
_WRITE_ERRORS = (sqlite3.Error, OverflowError, UnicodeEncodeError)


class Journal:
    """The open journal of one desk. Use `Journal.open`; one thread, the one that opened it.

    seq, head: the last entry and its hash. warnings: sentences the user must see after opening,
    such as lost entries.
    """

    def __init__(self, path: Path, db: sqlite3.Connection, lock: FileLock) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._db = db
        self._lock = lock
        self._id = journal_id(db)
        last = db.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        self.seq: int = last[0] if last else 0
        self.head: str = last[1] if last else genesis(self._id)
        self._txn: int = db.execute("SELECT coalesce(max(txn), 0) FROM txn").fetchone()[0]
        self._meet_mark()

    @classmethod
    def open(cls, path: Path | str, *, create: bool = True) -> "Journal":
        """Open a journal for writing, alone; make it where it is missing, unless told not to.

        Raises JournalError with one sentence, quickly and with nothing touched, when another desk
        has it open, when the file is no journal, is damaged, or comes from a newer version.
        """
        path = Path(path)
        if sqlite3.sqlite_version_info < _SQLITE_MIN:
            raise JournalError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 is needed.")
        if not create and not path.exists():
            raise JournalError(f"There is no journal {path}.")
        lock = _locked(path)
        try:
            if not path.exists():
                _create(path)
            _refuse_header(path)
            return cls._of(path, lock)
        except (OSError, *UNREADABLE) as exc:
            lock.release(remove_if_made=True)
            raise JournalError(f"The journal {path} cannot be opened: {plain(exc)}.") from exc
        except JournalError:
            lock.release(remove_if_made=True)
            raise

    @classmethod
    def _of(cls, path: Path, lock: FileLock) -> "Journal":
        db = _connect(path)
        try:
            return cls(path, db, lock)
        except BaseException:
            db.close()
            raise

    def append(self, outcome: Outcome, txns: Sequence[Transaction] = ()) -> int:
        """Write one outcome with its transactions, synced; its entry number.

        When this returns, a crash cannot lose it. Raises JournalError, and then nothing of it was
        written (disk full, file held by another program).
        """
        return self.append_many([(outcome, txns)])

    def append_many(self, decided: Iterable[tuple[Outcome, Sequence[Transaction]]]) -> int:
        """Write several outcomes in one synced commit, all or none; the last entry number."""
        seq, head, number = self.seq, self.head, self._txn
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for outcome, txns in decided:
                raw = raw_txns(tuple(txns), number + 1)
                seq, number = seq + 1, number + len(raw)
                kind, body = str(outcome.__struct_config__.tag), msgspec.json.encode(outcome)
                row = (seq, outcome.ts_ns, kind, body.decode())
                prev, head = head, chain_hash(head, *row, raw)
                self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", (*row, prev, head))
                for txn, ts_ns, cause, lines in raw:
                    self._db.execute(
                        "INSERT INTO txn VALUES (?, ?, ?, ?)", (txn, seq, ts_ns, cause)
                    )
                    self._db.executemany(
                        "INSERT INTO posting VALUES (?, ?, ?, ?, ?, ?)",
                        [(seq, txn, n, *line) for n, line in enumerate(lines, 1)],
                    )
            self._db.execute("COMMIT")
        except _WRITE_ERRORS as exc:
            raise JournalError(f"The journal {self.path} cannot be written: {plain(exc)}.") from exc
        finally:
            if self._db.in_transaction:  # after a full disk SQLite has rolled back by itself
                self._db.execute("ROLLBACK")
        self.seq, self.head, self._txn = seq, head, number
        self._write_mark()
        return seq

    def entries(self) -> Iterator[tuple[int, Outcome, tuple[Transaction, ...]]]:
        """(number, outcome, transactions) of every entry, oldest first, each checked.

        Raises JournalError at the first entry that is damaged.
        """
        for entry in read_entries(self._db, str(self.path)):
            yield entry.seq, entry.outcome, entry.txns

    def verify(self) -> list[str]:
        """What is wrong with the file, a sentence each; empty when it is sound."""
        problems = table_problems(self._db, str(self.path))
        try:
            for _ in read_entries(self._db, str(self.path)):
                pass
        except JournalError as exc:
            problems.append(str(exc))
        return problems

    def close(self) -> None:
        """Close the file and let another desk have it. Safe to call twice."""
        self._db.close()
        self._lock.release()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _meet_mark(self) -> None:
        """Compare with the high-water mark, say what is lost, and mark where we stand."""
        mark, path = read_mark(self.path), mark_path(self.path)
        if mark is None:
            if self.seq and path.exists():
                self.warnings.append(f"The mark {path} could not be read; it is written anew.")
            self._write_mark()
            return
        row = self._db.execute("SELECT hash FROM entry WHERE seq = ?", (mark.seq,)).fetchone()
        known = row[0] if row else genesis(self._id)
        if mark.journal != self._id or (mark.seq <= self.seq and mark.hash != known):
            raise JournalError(
                f"The journal {self.path} and its mark {path} are not of one history. Restore the "
                "journal from a copy, or remove the mark if you trust the journal."
            )
        if said := loss(mark, self.seq, str(self.path)):
            self.warnings.append(said)
            path.replace(path.with_name(f"{path.name}-lost-{self.seq + 1}-{mark.seq}"))
        if mark.seq != self.seq:
            self._write_mark()

    def _write_mark(self) -> None:
        """A mark that lags is harmless and the entry stands: say it, do not fail."""
        try:
            write_mark(self.path, Mark(self._id, self.seq, self.head))
        except OSError as exc:
            said = f"The mark {mark_path(self.path)} cannot be written: {exc.strerror}."
            if said not in self.warnings:
                self.warnings.append(said)


def _locked(path: Path) -> FileLock:
    lock = path.with_name(path.name + ".lock")
    try:
        return FileLock(lock)
    except OSError as exc:
        if isinstance(exc, BlockingIOError) or (os.name == "nt" and lock.exists()):
            raise JournalError(
                f"Another desk has the journal {path} open. Close it, or use another profile."
            ) from exc
        raise JournalError(f"Cannot write in {path.parent}: {exc.strerror}.") from exc


def _refuse_header(path: Path) -> None:
    """Look at the first bytes before SQLite does: a file that is not ours is left as it is.

    The lock is held: closing a database file drops SQLite's locks of the whole process on it.
    """
    with path.open("rb") as file:
        head = file.read(100)
    if not head:
        raise JournalError(f"{path} is empty: not a basisdesk journal. Nothing was changed.")
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise JournalError(f"{path} is not a basisdesk journal. Nothing was changed.")
    version, application_id = struct.unpack(">I4xI", head[60:72])
    refuse_other_file(application_id, version, str(path))


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = FULL"):
            db.execute(f"PRAGMA {pragma}")
        refuse_other_tables(db, str(path))
        db.execute("PRAGMA journal_mode = WAL")
    except (JournalError, *UNREADABLE):
        db.close()
        raise
    return db


def _create(path: Path) -> None:
    """Make an empty journal under another name, then give it its name: it is whole or absent."""
    mark = read_mark(path)
    if mark is not None and mark.seq == 0:
        mark_path(path).unlink()  # of a journal in which nothing was ever written
    for left in (mark_path(path), path.with_name(path.name + "-wal")):
        if left.exists():
            raise JournalError(
                f"The journal {path} is gone, but {left.name} stands beside it. Put the journal "
                f"back, or remove {left.name} to begin anew."
            )
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    db = sqlite3.connect(temporary, isolation_level=None)
    try:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FORMAT}")
        db.execute("BEGIN")
        for statement in SCHEMA.values():
            db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('id', ?)", (secrets.token_hex(16),))
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
    finally:
        db.close()
    temporary.replace(path)
