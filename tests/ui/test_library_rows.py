"""What the session library shows, by example."""

from decimal import Decimal
from pathlib import Path

import pytest

from basisdesk.ui.library_rows import (
    account_text,
    accounts_of,
    chosen_text,
    count_text,
    lasted_text,
    money_text,
    pairs_text,
    part_texts,
    remark_meaning,
    remark_text,
    report_study,
    typed_tags,
    wanted,
)
from basisdesk.ui.product_actions import SessionLine


def line(key="simulated/a", **more):
    given = {
        "key": key, "account": "main", "mode": "simulated", "begun_ns": 0,
        "ended_ns": 7_500_000_000_000, "pairs_closed": 1, "pairs_open": 0, "net": "-6.41410925",
        "fees": "-3", "funding": "0", "version": "0.1", "mb": 1.5, "status": "clean", "tape": None,
        "pairs_opened": 2, "session": "a",
    }  # fmt: skip
    return SessionLine(**(given | more))


def test_a_session_in_words():
    one = line(archived="main-2026", note="try", tape=Path("x"))
    assert account_text(one) == "main, archived"
    assert (lasted_text(one), pairs_text(one)) == ("2 h 5 min", "2 / 1")
    assert money_text(one.net) == "\u22126.41"
    assert lasted_text(line(running=True)) == "runs now"
    assert part_texts(line(tapes_mb=(29.61, 1_234))) == ["Part 1, 29.6 MB", "Part 2, 1,234.0 MB"]
    bad = line(session="", status="it is damaged", net="")
    assert (pairs_text(bad), money_text(bad.net)) == ("\u2013", "\u2013")
    assert (remark_text(bad), remark_meaning(bad)) == ("Not clean: it is damaged", "warn")


def test_filters_counts_and_tags():
    lines = [line(), line("b", account="alpha", mode="live", net="1.5")]
    assert accounts_of(lines) == ["main", "alpha"]
    assert [wanted(each, "live", "all") for each in lines] == [False, True]
    assert count_text(lines, 1) == "1 of 2 sessions, 3.0 MB of tapes"
    assert chosen_text(lines) == "2 chosen: net \u22124.91, fees \u22126.00 USDT"
    assert typed_tags(" a, b;c ,, ") == ["a", "b", "c"]


DOCUMENT = {
    "session": "s", "account": "main", "mode": "simulated", "ran_version": "0.1",
    "begun_utc": "2026-11-21T09:14:05.123Z", "ended_utc": "2026-11-21T10:14:05.123Z",
    "equity": {"start": "10000", "end": "10000.005", "net": "0.005"},
    "attribution": [
        {"term": "basis", "usdt": "1.004"}, {"term": "funding", "usdt": "0.004"},
        {"term": "fees", "usdt": "-1.003"}, {"term": "slippage", "usdt": "0"},
        {"term": "borrow", "usdt": "0"}, {"term": "residual", "usdt": "0"},
        {"term": "total", "usdt": "0.005"},
    ],
    "pairs": [{"pair": "1", "long": "bybit:spot:ADAUSDT", "short": "bybit:perp:ADAUSDT",
               "qty": "10", "opened_utc": "2026-11-21T09:15:05.123Z", "closed_utc": "",
               "valued": "open, at mids", "open_reason": "user", "total_usdt": "0.005"}],
    "refusals": [{"time_utc": "", "limit": "max_qty", "text": "<b>=1</b>"}],
    "funding": [], "rejections": [], "fills": [{"grade": "C"}],
    "feeds": {"frames": 5, "bad_frames": None, "gaps": 0, "bad_by_reason": {"json": 2}},
}  # fmt: skip


def test_the_attribution_shown_adds_up_to_the_cent():
    study = report_study(DOCUMENT)
    *rows, left = study["tables"][0]["rows"]
    assert left == ["Left over", 0.0]
    cents = [Decimal(str(value)) for _, value in rows]
    assert sum(cents[:-1]) == cents[-1]
    assert rows[-1][0].startswith("Sum")


@pytest.mark.parametrize(
    ("basis", "said"),
    [("0.00002", "Nothing was earned before costs (0.00 USDT)"),
     ("0.06", "Earned before costs: 0.06 USDT"), ("0.2", "took 502 %")],
)  # fmt: skip
def test_costs_are_a_share_only_of_earnings_worth_the_name(basis, said):
    terms = [{"term": "basis", "usdt": basis}, *DOCUMENT["attribution"][2:]]
    assert any(
        said in each for each in report_study(DOCUMENT | {"attribution": terms})["sentences"]
    )


def test_a_report_has_trades_refusals_and_feeds_as_they_are():
    study = report_study(DOCUMENT)
    tables = {each["title"]: each for each in study["tables"]}
    assert "SIMULATED" in study["title"]
    assert tables["Trades"]["rows"][0][5:8] == ["by hand", "open, at mids", "\u2013"]
    assert tables["Refusals"]["rows"][0][2] == "<b>=1</b>"
    assert tables["Feeds"]["rows"] == [["Frames", 5], ["Gaps", 0], ["bad: json", 2]]
    assert any("took 100 %" in said for said in study["sentences"])
    for table in study["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_an_empty_or_foreign_document_shows_without_figures():
    for document in ({}, {"pairs": 3, "equity": None, "attribution": [1], "feeds": {}}):
        assert report_study(document)["tables"][1]["rows"] == []


def test_unhedged_delta_is_one_term_and_left_over_only_what_none_explains():
    study = report_study(
        {
            "equity": {"start": "10", "end": "9.9", "net": "-0.1"},
            "attribution": [{"term": "residual", "usdt": "-0.1"}],
        }
    )
    rows = dict(map(tuple, study["tables"][0]["rows"]))
    assert rows["Unhedged delta"] == -0.1
    assert rows["Left over"] == 0.0
