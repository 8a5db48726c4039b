"""Notes of the autopilot and signals of the forecast in the session log, by `report` too."""

import csv
import json
from decimal import Decimal

import msgspec
import pytest

from basisdesk.cli import main
from basisdesk.errors import UserError
from basisdesk.events import SessionStarted
from basisdesk.forecast.signals import Ended, Noted, Overridden, line
from basisdesk.lab.decisions import HEAD, decisions_beside, decisions_table, note_files
from basisdesk.ledger.journal import Journal
from basisdesk.playbook.journal import Note

PAIR = "bybit:spot:ADAUSDT bybit:perp:ADAUSDT"
S = 1_000_000_000
ABSTAINS = "Forecast abstains: too few effective outcomes: 12 of 200; not used."
NOTES = [
    Note(1, S, PAIR, "carry", "auto", "stand", "cost-zone", "Inside =the cost zone.",
         forecast=ABSTAINS),
    Note(2, 2 * S, PAIR, "carry", "auto", "enter", "carry", "Perp rich.", 1, True,
         forecast=ABSTAINS, mid_bp=35.25, p=0.6, p_star=0.836),
    Note(3, 3 * S, PAIR, "carry", "auto", "override", "kept", "A person: kept.", 1, position=1,
         reason="books are deep", against="exit odds"),
]  # fmt: skip


@pytest.fixture
def profile(tmp_path):
    """A profile with a journal, notes in two parts with a torn tail, and signals of one market."""
    journal = Journal.open(tmp_path / "journal.db")
    journal.append_many([(SessionStarted(0, "s", "demo", "0", "USDT", Decimal(10_000)), ())])
    journal.close()
    notes = tmp_path / "autopilot"
    notes.mkdir()
    first, *rest = (msgspec.json.encode(note) + b"\n" for note in NOTES)
    (notes / "notes.1.jsonl").write_bytes(first)
    (notes / "notes.jsonl").write_bytes(first + b"".join(rest) + b'{"n":4,"t_')
    signals = tmp_path / "forecast" / "7-mixed" / "2a684c06"
    signals.mkdir(parents=True)
    noted = Noted(7, S, PAIR, 1, "ff", 0.6, 0.6, "v", "abstain: too few", 31.0, 3.0, "rich")
    (signals / "signals-1.jsonl").write_bytes(line(noted))
    ended = Ended(7, 1, 8.0, 1, -3.0, 8.0, "target", 2)
    (signals / "signals.jsonl").write_bytes(
        line(Overridden(7, 2, "would trade", "x")) + line(ended)
    )
    return tmp_path


def rows_of(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_each_note_stands_once_with_its_reasons(profile):
    head, *rows = decisions_table(note_files(profile))
    assert tuple(head) == HEAD
    stood, entered, kept = (dict(zip(head, row, strict=True)) for row in rows)
    assert (stood["kind"], stood["done"], stood["forecast"]) == ("stand", "", ABSTAINS)
    assert (entered["decision"], entered["done"], entered["side"]) == (
        "2", "yes", "long first, short second",
    )  # fmt: skip
    assert (entered["mid_bp"], entered["p"], entered["p_star"]) == ("35.25", "0.6000", "0.8360")
    told = kept["kind"], kept["person_reason"], kept["against"], kept["pair"]
    assert told == ("override", "books are deep", "exit odds", "1")


def test_without_notes_there_is_no_table(tmp_path):
    assert decisions_beside(tmp_path) == {}
    with pytest.raises(UserError, match="Cannot read the autopilot's notes"):
        decisions_table([tmp_path / "none.jsonl"])


def test_the_report_of_a_journal_has_what_lies_beside_it(profile, capsys):
    out = profile / "out"
    assert main(["report", str(profile / "journal.db"), "--out", str(out)]) == 0
    capsys.readouterr()
    decisions = rows_of(out / "decisions.csv")
    assert [row["decision"] for row in decisions] == ["1", "2", "3"]
    (signal,) = rows_of(out / "signals.csv")
    assert (signal["override"], signal["outcome"]) == ("would trade: x", "target")
    document = json.loads((out / "session.json").read_text("utf-8"))
    assert [row["code"] for row in document["decisions"]] == ["cost-zone", "carry", "kept"]
    assert len(document["signals"]) == 1
    page = (out / "report.html").read_text("utf-8")
    assert ABSTAINS in page
    assert "books are deep" in page


def test_a_journal_alone_is_reported_as_before(profile, tmp_path_factory, capsys):
    alone = tmp_path_factory.mktemp("alone") / "journal.db"
    alone.write_bytes((profile / "journal.db").read_bytes())
    out = alone.parent / "out"
    assert main(["report", str(alone), "--out", str(out)]) == 0
    capsys.readouterr()
    assert not (out / "decisions.csv").exists()
    assert not (out / "signals.csv").exists()
    head = (out / "pairs.csv").read_text("utf-8").split(",")
    assert head[7:11] == ["open_reason", "opened_by", "close_reason", "close_by"]
