import sqlite3
import subprocess
import sys
from decimal import Decimal

import msgspec
import pytest
from ledger_cases import ada_example, every_kind, opened, session, take, traded
from leg_cases import buy, ordered, short

from basisdesk.errors import JournalError
from basisdesk.events import PairOpened
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.posting import Posting, Transaction
from basisdesk.ledger.rules import transactions

D = Decimal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def write(path, outcomes, forge=None):
    """Write outcomes as the desk would; `forge` may change an outcome's transactions."""
    books = Books()
    with Journal.open(path) as journal:
        for outcome in outcomes:
            txns = transactions(outcome, books)
            books.apply(outcome, txns)
            journal.append(outcome, forge(outcome, txns) if forge else txns)
        return books, journal.head


def test_a_sound_journal_is_reported_with_its_figures(path):
    books, head = write(path, every_kind())
    report = check_journal(path)
    assert report.ok
    assert report.problems == report.notes == []
    assert (report.entries, report.transactions, report.pairs) == (12, books.posted, 2)
    assert report.equity == books.funds({}).equity
    assert (report.digest, report.head_hash) == (books.digest(), head)
    assert msgspec.json.decode(msgspec.json.encode(report))["ok"] is True


def test_an_empty_journal_is_sound(path):
    Journal.open(path).close()
    assert check_journal(path).ok
    assert check_journal(path).entries == 0


def test_a_check_leaves_the_folder_as_it_was(path):
    write(path, every_kind())
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    check_journal(path)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_postings_that_the_rules_would_not_make_are_a_problem(path):
    def forge(outcome, txns):
        if getattr(outcome, "pair", None) and txns:
            first = txns[0]
            lines = (
                Posting("assets:cash", "USDT", D(1)),
                Posting("equity:opening", "USDT", D(-1)),
            )
            return (Transaction(first.ts_ns, first.cause, first.postings + lines), *txns[1:])
        return txns

    write(path, [session(), *ada_example()], forge)
    report = check_journal(path)
    assert not report.ok
    assert any("not those of the rules" in problem for problem in report.problems)
    assert any("terms give" in problem for problem in report.problems)


def test_an_outcome_that_contradicts_the_books_is_a_problem(path):
    with Journal.open(path) as journal:
        journal.append(session(), transactions(session(), Books()))
        journal.append(ada_example()[1])  # closes what was never opened
    assert "Entry 2: pair 1 was never opened." in check_journal(path).problems


def _edit(path, statement):
    """Change a journal behind its back, the triggers taken away and put back."""
    db = sqlite3.connect(path)
    triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    db.execute(statement)
    for _, sql in triggers:
        db.execute(sql)
    db.commit()
    db.close()


EDITS = {
    "a fill": "UPDATE entry SET body = replace(body, '0.3640', '0.3641') WHERE seq = 2",
    "a kind": "UPDATE entry SET kind = 'risk' WHERE seq = 2",
    "a time": "UPDATE entry SET ts_ns = 6 WHERE seq = 2",
    "an amount": "UPDATE posting SET amount = '3640.01' WHERE amount = '3640.0000'",
    "zeros of an amount": "UPDATE posting SET amount = '3640' WHERE amount = '3640.0000'",
    "an account": "UPDATE posting SET account = 'assets:cash' WHERE account LIKE '%margin'",
    "a cause": "UPDATE txn SET cause = 'nothing' WHERE txn = 2",
    "a posting of another entry": "UPDATE posting SET seq = 3 WHERE txn = 2",
    "a posting in another place": "UPDATE posting SET line = line + 8 WHERE txn = 2",
    "a posting gone": "DELETE FROM posting WHERE txn = 2 AND line = 1",
    "a transaction gone": "DELETE FROM txn WHERE txn = 3",
    "an entry gone": "DELETE FROM entry WHERE seq = 2",
    "the last entry gone": "DELETE FROM entry WHERE seq = 3",
    "a hash": "UPDATE entry SET hash = prev WHERE seq = 3",
    "the id": "UPDATE meta SET value = 'other'",
    "no id": "DELETE FROM meta",
    "no text": "UPDATE entry SET body = CAST(x'ff00ff' AS TEXT) WHERE seq = 2",
    "no number": "UPDATE posting SET amount = 'much' WHERE txn = 2",
}


@pytest.mark.parametrize("statement", EDITS.values(), ids=EDITS.keys())
def test_history_that_was_edited_does_not_pass(path, statement):
    write(path, [session(), *ada_example()])
    _edit(path, statement)
    report = check_journal(path)
    assert not report.ok
    assert all(problem.endswith(".") and "\n" not in problem for problem in report.problems)
    try:
        with Journal.open(path) as journal:
            assert journal.verify()
    except JournalError as refusal:
        assert "\n" not in str(refusal)


def test_an_entry_that_was_rewritten_with_its_hash_meets_the_mark(path, tmp_path):
    write(path, [session(), *ada_example()])
    other = tmp_path / "other.db"
    write(other, [session("20000"), *ada_example()])
    forged = path.with_name("journal.db.mark")
    said = forged.read_bytes()
    path.write_bytes(other.read_bytes())
    assert forged.read_bytes() == said
    assert "belongs to another journal" in check_journal(path).problems[-1]


def test_an_auditor_that_reads_while_a_desk_writes_always_sees_balanced_books(path):
    _, log = traded(60)
    started = "100000000"
    journal, books = Journal.open(path), Books()
    journal.append_many([(session(started), take(books, session(started)))])
    reader = """
import sqlite3, sys
from decimal import Decimal
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
reads = wrong = 0
print("ready", flush=True)
while not wrong and db.execute("SELECT max(seq) FROM entry").fetchone()[0] < int(sys.argv[2]):
    sums = {}
    for currency, amount in db.execute("SELECT currency, amount FROM posting"):
        sums[currency] = sums.get(currency, 0) + Decimal(amount)
    reads, wrong = reads + 1, wrong + any(sums.values())
print(reads, wrong)
"""
    auditor = subprocess.Popen(
        [sys.executable, "-c", reader, path, str(len(log))], stdout=subprocess.PIPE, text=True
    )
    assert auditor.stdout.readline() == "ready\n"
    for outcome, _ in log[1:]:
        journal.append(outcome, take(books, outcome))
    out, _ = auditor.communicate(timeout=60)
    reads, wrong = map(int, out.split())
    assert wrong == 0
    assert reads > 0
    journal.close()
    assert check_journal(path).ok


def test_a_leg_that_stands_alone_is_a_note_and_no_problem(path):
    both = [
        opened(1, [buy(5_000, "0.36")], ("0.36", "0.36")),
        opened(2, [buy(10, "0.36"), short(10, "0.36")], ("0.36", "0.36"), margin="2"),
        ordered(3),
    ]
    write(path, [session(), *both])
    report = check_journal(path)
    assert report.ok
    assert report.notes == ["Pair 1 stands unhedged: long 5,000 ADA, short 0."]


def test_postings_that_contradict_what_is_told_of_a_leg_are_a_problem(path):
    def forge(outcome, txns):
        if not isinstance(outcome, PairOpened):
            return txns
        lines = tuple(
            Posting(p.account, p.currency, p.amount / 2 if p.currency == "ADA" else p.amount)
            for p in txns[0].postings
        )
        return (Transaction(txns[0].ts_ns, txns[0].cause, lines), *txns[1:])

    write(path, [session(), opened(1, [buy(5_000, "0.36")], ("0.36", "0.36"))], forge)
    assert (
        "Pair 1: bybit:spot:ADAUSDT is 5,000 ADA by its fills, 2,500 ADA by its postings."
        in check_journal(path).problems
    )
