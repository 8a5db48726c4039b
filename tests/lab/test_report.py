import csv
import json
from decimal import Decimal

import pytest

from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import Refused, SessionStarted
from basisdesk.lab.replay import fresh_engine, text
from basisdesk.lab.report import safe_cell, write_report
from basisdesk.lab.report_heads import TERM_NAMES
from basisdesk.lab.report_page import html_page

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


def paged(rows, **equity):
    pairs = [["pair", "long", "short", "qty", "opened_utc", "closed_utc", "valued", "open_reason",
              "opened_by", "close_reason", "close_by",
              *(f"{term}_usdt" for term in (*TERM_NAMES, "total"))], *rows]  # fmt: skip
    tables = {"pairs": pairs, "fills": [["time_utc"]], "refusals": [["time_utc"]]}
    document = {"sessions": [], "ledger_digest": "", "log": [], "feeds": {"bad_frames": None},
                "equity": equity}  # fmt: skip
    return html_page(document, tables)


ROW = ["1", "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT", "10", "2026-01-31T09:14:22.000Z", "",
       "open, at mids", "user", "", "", "",
       "-4.180965", "0", "-7.67488842", "-1.54847", "0", "0.0001", "-13.40422342"]  # fmt: skip


def test_the_page_begins_with_the_net_and_its_terms():
    page = paged([ROW], start="10000", end="9986.59577658")
    names = ["Net, USDT", *(f"{name}, USDT" for name in TERM_NAMES.values()), "Equity at start"]
    places = [page.index(f">{name}") for name in names]
    assert places == sorted(places)
    assert "<b>\u25bc \u221213.40</b>" in page
    assert "left over 0.00" in page
    assert "\u221213.40422342" in page
    assert "<b>10,000.00</b>" in page
    assert "residual" not in page


def test_what_no_term_explains_is_told_apart_from_the_unhedged_delta():
    page = paged([ROW], start="10000", end="9987.59577658")
    assert "Left over 1 USDT" in page
    assert "Unhedged delta, USDT<b>0.00" in page
