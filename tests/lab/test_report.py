import csv
import json
from decimal import Decimal

import pytest

from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import Refused, SessionStarted
from basisdesk.lab.replay import fresh_engine, text
from basisdesk.lab.report import safe_cell, write_report

HOSTILE = '=cmd|"/c calc"!A0 <img src=x onerror=alert(1)>'


def entries():
    started = SessionStarted(0, "s", "demo", "0", "USDT", Decimal(10_000))
    refused = Refused(5_000_000, "legs", "a", "b", HOSTILE)
    return [(1, started, ()), (2, refused, ())]


def written(tmp_path):
    engine = fresh_engine(Settings(), None)
    engine.start_session(entries()[0][1])
    write_report(tmp_path / "log", entries(), engine)
    return tmp_path / "log"


def test_text_from_outside_is_neither_formula_nor_markup(tmp_path):
    folder = written(tmp_path)
    rows = list(csv.reader((folder / "refusals.csv").read_text().splitlines()))
    assert rows[1][4] == "'" + HOSTILE
    page = (folder / "report.html").read_text()
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_says_that_the_market_was_simulated(tmp_path):
    assert "SIMULATED" in (written(tmp_path) / "report.html").read_text()


def test_the_json_holds_every_table(tmp_path):
    document = json.loads((written(tmp_path) / "session.json").read_text())
    assert {"pairs", "fills", "funding", "postings", "refusals", "log", "equity"} <= set(document)
    assert document["equity"]["start"] == document["equity"]["end"] == "10000"


def test_an_earlier_log_is_never_overwritten(tmp_path):
    folder = written(tmp_path)
    before = (folder / "session.json").read_bytes()
    with pytest.raises(UserError, match="holds a session log already"):
        written(tmp_path)
    assert (folder / "session.json").read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("-1.5", "-1.5"),
        ("+2", "+2"),
        ("=1+1", "'=1+1"),
        (" =1", "' =1"),
        ("\n=1", "'\n=1"),
        ("@x", "'@x"),
        ("-1e5", "'-1e5"),
        ("ADA", "ADA"),
        (None, ""),
    ],
)
def test_a_cell_is_a_number_or_plain_text(cell, safe):
    assert safe_cell(cell) == safe


@pytest.mark.parametrize(
    ("amount", "said"),
    [("1.500", "1.5"), ("-0.0", "0"), ("1E+3", "1000"), ("0.00000012", "0.00000012"), ("-7", "-7")],
)
def test_money_is_written_exactly_and_plainly(amount, said):
    assert text(Decimal(amount)) == said
