"""Ways through ledger and journal that hardly anybody will meet."""

import sqlite3

import msgspec
import pytest
from ledger_cases import every_kind, session

from basisdesk.errors import JournalError, RuleError
from basisdesk.ledger import format as layout
from basisdesk.ledger import journal as journal_module
from basisdesk.ledger.attribution import quote_of
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import check_journal, journal_entries
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.rules import transactions


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def written(path):
    books = Books()
    with Journal.open(path) as journal:
        for outcome in every_kind():
            txns = transactions(outcome, books)
            journal.append(outcome, txns)
            books.apply(outcome, txns)
        return journal.seq


def test_a_symbol_without_a_quote_is_of_the_accounts_currency():
    assert quote_of("bybit:perp:???", "USDT") == "USDT"
    assert quote_of("kraken:spot:ADA/USD", "USDT") == "USD"


def test_a_desk_does_not_start_with_a_debt():
    with pytest.raises(RuleError, match="cannot start with -1"):
        transactions(session("-1"), Books())


def test_entries_of_a_journal_that_is_not_there_are_one_sentence(path):
    with pytest.raises(JournalError, match="There is no journal"):
        journal_entries(path)


def test_an_entry_that_is_not_the_one_of_the_mark_is_said(path):
    count = written(path)
    mark = layout.read_mark(path)
    other = msgspec.structs.replace(mark, hash="0" * len(mark.hash))
    layout.write_mark(path, other)
    assert check_journal(path).problems == [
        f"Entry {count} is not the one that the mark remembers."
    ]


def test_an_sqlite_of_before_is_refused_and_nothing_is_made(path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(JournalError, match="is too old"):
        Journal.open(path)
    assert not path.exists()


def test_a_file_that_cannot_be_made_is_one_sentence_and_leaves_no_lock(path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal_module, "_create", full)
    with pytest.raises(JournalError, match="cannot be opened: .*No space left"):
        Journal.open(path)
    assert list(path.parent.iterdir()) == []


def test_a_journal_without_a_format_number_is_damaged(path):
    written(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 0")
    db.close()
    with pytest.raises(JournalError, match="no valid format number"):
        Journal.open(path)


def test_an_entry_that_says_another_kind_than_it_holds_is_no_outcome():
    with pytest.raises(RuleError, match="holds another"):
        layout._outcome(msgspec.json.encode(every_kind()[0]).decode(), "pair_opened")
