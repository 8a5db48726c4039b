import errno
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from ledger_cases import every_kind, session, traded

from basisdesk.errors import JournalError
from basisdesk.ledger import format as layout
from basisdesk.ledger import journal as journal_module
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.rules import transactions

HERE = Path(__file__).parent
# How often the files are damaged; the long form has thousands.
CUTS = int(os.environ.get("BASISDESK_WAL_CUTS", "60"))
FLIPS = int(os.environ.get("BASISDESK_BIT_FLIPS", "200"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def written(path, outcomes=None):
    """A journal with these outcomes in it, still open, and what went in."""
    journal, books, log = Journal.open(path), Books(), []
    for outcome in every_kind() if outcomes is None else outcomes:
        txns = transactions(outcome, books)
        log.append((journal.append(outcome, txns), outcome, txns))
        books.apply(outcome, txns)
    return journal, log


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_every_kind_of_outcome_comes_back_as_it_went_in(path):
    journal, log = written(path)
    assert list(journal.entries()) == log
    assert journal.verify() == journal.warnings == []
    journal.close()
    with Journal.open(path, create=False) as again:
        assert list(again.entries()) == log
        assert (again.seq, again.warnings) == (len(log), [])
        decimals = [o.amount.as_tuple() for _, o, _ in again.entries() if hasattr(o, "amount")]
        assert decimals == [o.amount.as_tuple() for _, o, _ in log if hasattr(o, "amount")]


def test_books_from_the_journal_are_the_books_that_were_lived(path):
    lived, log = traded(40)
    with Journal.open(path) as journal:
        journal.append_many(log)
    folded = Books()
    with Journal.open(path) as journal:
        for _, outcome, txns in journal.entries():
            folded.apply(outcome, txns)
    assert folded.digest() == lived.digest()
    assert folded.funds({}) == lived.funds({})


def test_several_outcomes_are_one_commit_all_or_none(path):
    journal, log = written(path)
    good, bad = (session(), ()), (session(ts_ns=2**70), ())  # a time SQLite cannot hold
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append_many([good, bad])
    assert journal.seq == len(list(journal.entries())) == len(log)
    assert journal.append_many([good, good]) == len(log) + 2
    assert journal.verify() == []
    journal.close()


def test_only_its_owner_can_read_any_of_its_files(path):
    journal, _ = written(path)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    journal.close()
    assert set(modes) == {f"journal.db{end}" for end in ("", "-wal", "-shm", ".mark", ".lock")}
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("table", ["meta", "entry", "txn", "posting"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET rowid = 9", "DELETE FROM {}"])
def test_history_cannot_be_changed_even_by_hand(path, table, verb):
    written(path)[0].close()
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(verb.format(table))
    db.close()


def test_a_second_desk_is_refused_at_once_here_and_in_another_process(path):
    journal, log = written(path)
    started = time.perf_counter()
    with pytest.raises(JournalError, match="Another desk has the journal .* open"):
        Journal.open(path)
    assert time.perf_counter() - started < 0.5
    code = "import sys; from basisdesk.ledger.journal import Journal; Journal.open(sys.argv[1])"
    other = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
    )
    assert "Another desk has the journal" in other.stderr
    assert journal.append(session()) == len(log) + 1  # and the first is none the worse for it
    journal.close()
    Journal.open(path).close()


def test_it_can_be_audited_while_a_desk_writes(path):
    journal, log = written(path)
    assert check_journal(path).entries == len(log)
    journal.append(session())
    assert check_journal(path).entries == len(log) + 1
    assert check_journal(path).ok
    with pytest.raises(JournalError, match="Another desk"):
        Journal.open(path)  # the audit did not take the lock away
    journal.close()


def refused(path):
    before = contents(path.parent)
    with pytest.raises(JournalError) as writing:
        Journal.open(path)
    assert contents(path.parent) == before  # nothing touched, nothing added
    with pytest.raises(JournalError) as reading:
        check_journal(path)
    assert contents(path.parent) == before
    for error in (writing, reading):
        assert "\n" not in str(error.value)
    return str(writing.value), str(reading.value)


def test_a_journal_from_a_newer_version_is_refused_and_left_alone(path):
    written(path)[0].close()
    (path.parent / "journal.db.lock").unlink()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 2")
    db.close()
    for said in refused(path):
        assert "newer basisdesk (format 2, this one reads 1)" in said


@pytest.mark.parametrize(
    "data", [b"", b"x", b"not a database at all\n" * 40, b"SQLite format 3\0" + b"\0" * 84]
)
def test_what_is_no_journal_is_refused_and_left_alone(path, data):
    path.write_bytes(data)
    for said in refused(path):
        assert "not a basisdesk journal" in said


def test_somebody_elses_database_is_refused_and_left_alone(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (a)")
    db.close()
    for said in refused(path):
        assert "not a basisdesk journal" in said


def test_a_journal_without_its_triggers_is_refused(path):
    written(path)[0].close()
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER no_update_of_posting")
    db.close()
    with pytest.raises(JournalError, match="tables of format 1"):
        Journal.open(path)
    assert not check_journal(path).ok


def test_a_missing_journal_is_made_only_when_asked(path):
    with pytest.raises(JournalError, match="There is no journal"):
        Journal.open(path, create=False)
    with pytest.raises(JournalError, match="There is no journal"):
        check_journal(path)
    assert contents(path.parent) == {}
    with pytest.raises(JournalError, match="Cannot write in"):
        Journal.open(path / "no folder" / "journal.db")


def test_a_journal_that_vanished_is_not_silently_begun_anew(path):
    written(path)[0].close()
    path.unlink()
    with pytest.raises(JournalError, match=r"is gone, but journal\.db\.mark stands beside it"):
        Journal.open(path)
    layout.mark_path(path).unlink()
    Journal.open(path).close()
    path.unlink()
    Journal.open(path).close()  # an empty journal is no loss


def test_a_half_made_journal_of_a_killed_desk_is_no_obstacle(path):
    path.with_name("journal.db.new").write_bytes(b"half")
    with Journal.open(path) as journal:
        assert journal.verify() == []


def test_a_copy_from_before_is_told_from_the_whole(path):
    journal, log = written(path)
    journal.close()
    old = path.read_bytes()
    with Journal.open(path) as journal:
        journal.append_many([(session(), ()), (session(), ())])
    path.write_bytes(old)
    count = len(log)
    said = f"ends at entry {count}, but entry {count + 2} had been written: 2 entries are lost."
    assert check_journal(path).problems[0].endswith(said)
    with Journal.open(path) as journal:
        assert journal.warnings[0].endswith(said)
        journal.append(session())
    with Journal.open(path) as journal:
        assert journal.warnings == []  # said once; the kept mark remembers
    report = check_journal(path)
    assert report.ok
    assert report.notes == [
        f"Entries were lost earlier: journal.db.mark-lost-{count + 1}-{count + 2}."
    ]


def test_the_mark_of_another_history_is_refused(path, tmp_path):
    written(path)[0].close()
    other = tmp_path / "other.db"
    written(other, every_kind()[:4])[0].close()
    shutil.copy(layout.mark_path(other), layout.mark_path(path))
    with pytest.raises(JournalError, match="not of one history"):
        Journal.open(path)
    assert "another journal" in check_journal(path).problems[0]


def test_a_mark_that_lags_or_is_unreadable_does_no_harm(path):
    journal, log = written(path, every_kind()[:-1])
    mark = layout.mark_path(path).read_bytes()
    journal.append(every_kind()[-1])
    journal.close()
    layout.mark_path(path).write_bytes(mark)  # killed between commit and mark
    assert check_journal(path).ok
    with Journal.open(path) as journal:
        assert (journal.seq, journal.warnings) == (len(log) + 1, [])
    layout.mark_path(path).write_bytes(mark.replace(b'"seq":', b'"seq":9'))
    assert "No readable high-water mark" in check_journal(path).notes[0]
    with Journal.open(path) as journal:
        assert "could not be read" in journal.warnings[0]
    assert check_journal(path).notes == []


def test_an_entry_stands_even_where_its_mark_cannot_be_written(path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    journal, log = written(path)
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "write_mark", full)
        assert journal.append(session()) == len(log) + 1
        journal.append(session())
    assert len(journal.warnings) == 1
    assert "No space left" in journal.warnings[0]
    journal.close()
    assert check_journal(path).ok


def test_a_full_disk_is_one_sentence_and_nothing_is_half_written(path):
    journal, log = written(path)
    db = journal._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    def fill_it():
        for _ in range(100):
            journal.append(session())

    with pytest.raises(JournalError, match="full"):
        fill_it()
    kept = journal.seq
    assert journal.verify() == []
    db.execute("PRAGMA max_page_count = 100000")
    assert journal.append(session()) == kept + 1
    assert kept >= len(log)
    journal.close()
    assert check_journal(path).ok


def test_another_program_that_holds_the_file_delays_but_does_not_break_it(path):
    journal, _ = written(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.perf_counter()
    with pytest.raises(JournalError, match="locked"):
        journal.append(session())
    assert time.perf_counter() - started < 2
    other.execute("ROLLBACK")
    other.close()
    journal.append(session())
    journal.close()


def test_closing_twice_is_harmless(path):
    journal, _ = written(path)
    journal.close()
    journal.close()


# --- damage --------------------------------------------------------------------------------------


def rows_of(path):
    """Everything that is stored, read without any check of ours."""
    db = sqlite3.connect(path)
    try:
        return [
            db.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
            for table, order in (("meta", 1), ("entry", 1), ("txn", 1), ("posting", "txn, line"))
        ]
    finally:
        db.close()


def test_no_flipped_bit_that_changes_data_goes_unseen(path, tmp_path):
    written(path, [outcome for outcome, _ in traded(6)[1]])[0].close()
    whole, rows, dice, changed = path.read_bytes(), rows_of(path), random.Random(4), 0
    target = tmp_path / "flip" / "journal.db"
    target.parent.mkdir()
    shutil.copy(layout.mark_path(path), layout.mark_path(target))
    for _ in range(FLIPS):
        data, bit = bytearray(whole), dice.randrange(len(whole) * 8)
        data[bit // 8] ^= 1 << bit % 8
        target.write_bytes(data)
        try:
            sound = check_journal(target).ok
        except JournalError:
            sound = False
        try:
            same = rows_of(target) == rows
        except (sqlite3.Error, UnicodeDecodeError):
            same = False
        changed += not same
        assert same or not sound, f"bit {bit} changed data unseen"
    print(f"{FLIPS} flipped bits: {changed} changed data, 0 of them unseen")
    assert changed > 30


def test_a_cut_or_flipped_wal_leaves_a_whole_beginning_and_the_loss_is_said(path, tmp_path):
    journal, log = written(path, [outcome for outcome, _ in traded(10)[1]])
    wal = path.with_name("journal.db-wal")
    base, tail, dice = path.read_bytes(), wal.read_bytes(), random.Random(8)
    mark = layout.mark_path(path).read_bytes()
    target, lost = tmp_path / "cut" / "journal.db", 0
    for turn in range(CUTS):
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir()
        data, at = bytearray(tail), dice.randrange(len(tail))
        if turn % 3 == 0:
            data = data[:at]
        elif turn % 3 == 1:
            data[at:] = bytes(len(data) - at)
        else:
            data[at] ^= 1 << dice.randrange(8)
        target.write_bytes(base)
        target.with_name("journal.db-wal").write_bytes(data)
        layout.mark_path(target).write_bytes(mark)
        report = check_journal(target)
        assert report.ok == (report.entries == len(log)), report
        with Journal.open(target) as again:
            kept = list(again.entries())
            assert kept == log[: len(kept)]
            assert again.verify() == []
            assert bool(again.warnings) == (len(kept) < len(log))
        lost += len(kept) < len(log)
    print(f"{CUTS} cuts of the WAL: all whole beginnings, {lost} with a loss, each said")
    assert lost > 20
    journal.close()


def test_a_killed_desk_loses_nothing_it_showed(path):
    dice, shown = random.Random(1), 0
    for turn in range(10):
        child = subprocess.Popen(
            [sys.executable, HERE / "journal_writer.py", path, str(turn)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(HERE)},
        )
        child.stdout.readline()  # it runs
        time.sleep(dice.uniform(0, 0.25))  # the moment of death is meant to be random
        child.send_signal(signal.SIGKILL)
        out, err = child.communicate()
        assert err == b""
        numbers = [int(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        shown = max([shown, *numbers])
        report = check_journal(path)
        assert report.ok, report.problems
        assert report.entries >= shown
    with Journal.open(path) as journal:
        assert journal.warnings == []
        assert journal.seq >= shown > 50


def test_A5_what_the_journal_holds_is_what_the_cash_did(path):
    lived, log = traded(25, seed=3)
    with Journal.open(path) as journal:
        journal.append_many(log)
    report = check_journal(path)
    assert report.ok
    assert report.equity == lived.balance("assets:cash")
    assert report.digest == lived.digest()
    assert isinstance(report.equity, Decimal)
