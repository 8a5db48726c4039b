"""A journal from before legs could stand alone still opens, checks and folds as it did.

old_journal.jsonl is the text of one: its first line the id, the digest and the equity of then, each
other line an entry as stored (seq, ts_ns, kind, body, prev, hash, transactions).
"""

import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from basisdesk.events import Execution, Liquidated, PairOpened, PairReduced, RiskChanged
from basisdesk.ledger.audit import Held, audit
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.format import APPLICATION_ID, FORMAT, SCHEMA
from basisdesk.ledger.journal import Journal
from basisdesk.trading.positions import Positions

TEXT = (Path(__file__).parent / "old_journal.jsonl").read_text(encoding="utf-8").splitlines()
HEAD, ROWS = json.loads(TEXT[0]), [json.loads(line) for line in TEXT[1:]]


@pytest.fixture
def old(tmp_path):
    """The journal on disk again, byte for byte what was stored."""
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    for statement in SCHEMA.values():
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('id', ?)", (HEAD["id"],))
    for *entry, txns in ROWS:
        db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", entry)
        for number, ts_ns, cause, lines in txns:
            db.execute("INSERT INTO txn VALUES (?, ?, ?, ?)", (number, entry[0], ts_ns, cause))
            rows = [(entry[0], number, n, *line) for n, line in enumerate(lines, 1)]
            db.executemany("INSERT INTO posting VALUES (?, ?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()
    return path


def test_its_text_has_none_of_the_new_words():
    assert FORMAT == 1
    told = " ".join(row[3] for row in ROWS)
    for word in ("how", "step", "from_margin", "alone", "cause", "scope"):
        assert f'"{word}"' not in told
    assert {row[2] for row in ROWS} >= {"pair_opened", "pair_reduced", "liquidated", "funding"}


def test_it_opens_checks_and_gives_the_digest_it_gave(old):
    report = check_journal(old)
    assert report.problems == []
    assert (report.digest, report.equity) == (HEAD["digest"], Decimal(HEAD["equity"]))
    assert report.head_hash == ROWS[-1][5]
    with Journal.open(old) as journal:
        assert journal.verify() == []
        assert journal.seq == len(ROWS)


def test_what_it_did_not_tell_has_the_meaning_of_then(old):
    with Journal.open(old) as journal:
        outcomes = [outcome for _, outcome, _ in journal.entries()]
    for outcome in outcomes:
        if isinstance(outcome, PairOpened):
            assert (outcome.how, outcome.step) == (Execution(), 0)
        if isinstance(outcome, PairReduced):
            assert outcome.alone is False
        if isinstance(outcome, Liquidated):
            assert outcome.cause == "liquidation"
        if isinstance(outcome, RiskChanged):
            assert (outcome.cause, outcome.scope) == ("user", "desk")


def test_its_positions_are_those_of_its_books_and_no_old_pair_turns_orange(old):
    books, positions = Books(), Positions("USDT")
    states = set()
    with Journal.open(old) as journal:
        for _, outcome, txns in journal.entries():
            books.apply(outcome, txns)
            positions.apply(outcome)
            states |= {one.state for one in positions.pairs.values()}
    assert states == {"open", "naked", "closed"}
    held = {
        one.pair: Held(one.long.qty, one.short.qty, one.margin, one.collateral)
        for one in positions.live()
    }
    assert audit(books, held) == []
    assert {one.pair for one in books.results} == {
        one.pair for one in positions.pairs.values() if one.state == "closed"
    }


def test_a_new_entry_follows_the_old_ones(old):
    with Journal.open(old) as journal:
        assert journal.append(RiskChanged(10**15, "reducing", "stale feeds", "stale")) == 29
    report = check_journal(old)
    assert (report.problems, report.entries) == ([], 29)
