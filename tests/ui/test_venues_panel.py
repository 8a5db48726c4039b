"""Venues: a line each with medians, the instruments below, and a dash where nothing is known."""

import math

import pytest
from PySide6.QtCore import Qt
from ui_rig import THEME, Rig

from basisdesk.scan.view import ScanView
from basisdesk.scan.words import Score
from basisdesk.ui.figures import NOTHING
from basisdesk.ui.venue_rows import score_rows, summary_text, venue_rows
from basisdesk.ui.venues_panel import VenuesPanel

NAN = math.nan
SOURCE = "Bybit VIP 0, help centre fee page, read 2026-07"


def score(key, coin="ADA", **over):
    venue, market, _ = key.split(":")
    given = {
        "venue": venue, "instrument": key, "coin": coin, "depth": 412_345.0, "spread_bp": 1.5,
        "taker_bp": 5.5 if market == "perp" else 10.0, "maker_bp": 2.0, "fee_source": SOURCE,
        "error_bp": 0.42 if market == "perp" else NAN,
        "bias_bp": 0.1 if market == "perp" else NAN,
        "error_n": 12 if market == "perp" else 0, "missed": 1 if market == "perp" else 0,
        "capped": 0, "outages": 0, "outage_s": 0.0, "lag_ms": 38.2, "age_s": 2.1,
    }  # fmt: skip
    return Score(**(given | over))


SCORES = (
    score("bybit:perp:ADAUSDT"),
    score("bybit:spot:ADAUSDT", outages=2, outage_s=75.0),
    score("bybit:perp:BTCUSDT", "BTC", depth=9_432_100.0, spread_bp=0.1, error_bp=0.1),
    score("okx:perp:ADA-USDT-SWAP", depth=NAN, spread_bp=NAN, lag_ms=NAN, age_s=NAN,
          error_bp=NAN, bias_bp=NAN, error_n=0),
)  # fmt: skip


# --- rows -----------------------------------------------------------------------------------------


def test_an_instrument_is_told_in_its_units():
    row = score_rows(SCORES, 15.0)[0]
    assert (row.title, row.coin, row.market, row.symbol) == ("Bybit", "ADA", "perp", "ADAUSDT")
    assert row.depth.text == "410,000"
    assert row.spread.text == "1.50"
    assert row.fees.text == "5.5 / 2.0"
    assert row.fees.detail == f"Taker 5.5 bp, maker 2.0 bp. {SOURCE}."
    assert row.error.text == "0.42"
    assert row.error.detail == (
        "Median of 12 settlements; on average 0.10 bp per 8 h higher than paid."
    )
    assert (row.bias.text, row.lag.text, row.age.text) == ("+0.10", "38", "2.1 s")
    assert not row.old


def test_what_is_not_known_is_a_dash_and_never_zero():
    row = score_rows(SCORES, 15.0)[3]
    for cell in (row.depth, row.spread, row.error, row.bias, row.lag, row.age):
        assert cell.text == NOTHING
        assert not cell.known
    assert row.depth.detail == "No depth page was read for it yet."
    assert row.error.detail == "No settlement was compared yet."
    spot = score_rows(SCORES, 15.0)[1]
    assert spot.missed.text == spot.capped.text == NOTHING  # no funding, nothing to miss
    assert spot.outages.text == "2"
    assert spot.away.text == "75 s"
    assert score_rows(SCORES, 15.0)[0].away.text == "0 s"


@pytest.mark.parametrize(
    ("depth", "text"), [(0.0, NOTHING), (7.0, "7.0"), (84_321.0, "84,000"), (96.4, "96")]
)
def test_depth_is_rounded_to_what_is_known_of_it(depth, text):
    assert score_rows([score("bybit:perp:ADAUSDT", depth=depth)], 15.0)[0].depth.text == text


def test_a_venue_is_the_medians_of_its_instruments():
    bybit, okx = venue_rows(SCORES, 15.0)
    assert bybit.title == "Bybit"
    assert bybit.count.text == "1 + 2"
    assert bybit.spread.text == "1.50"
    assert bybit.depth.text == "410,000"
    assert bybit.error.text == "0.26"
    assert bybit.fees.text == "10.0 / 2.0 \u00b7 5.5 / 2.0"
    assert bybit.fees.detail == (
        f"Spot taker 10.0 bp and maker 2.0 bp, perp taker 5.5 bp and maker 2.0 bp. {SOURCE}."
    )
    assert bybit.missed.text == "2"
    assert (bybit.outages.text, bybit.away.text) == ("2", "75 s")
    assert okx.spread.text == NOTHING
    assert okx.old
    assert okx.fees.text == "5.5 / 2.0"
    assert venue_rows((), 15.0) == []


def test_the_count_says_what_is_hidden():
    rows = venue_rows(SCORES, 15.0)
    assert summary_text(rows, 4, 4) == "4 instruments, 2 venues"
    assert summary_text(rows[:1], 1, 1_200) == "1 of 1,200 instruments, 1 venue"
    assert summary_text([], 0, 0) == ""


# --- panel ----------------------------------------------------------------------------------------


@pytest.fixture
def rig():
    rig = Rig()
    rig.context.scan = ScanView(scores=SCORES)
    return rig


@pytest.fixture
def panel(qtbot, rig):
    panel = VenuesPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.resize(1260, 380)
    panel.show()
    qtbot.waitExposed(panel)
    panel.refresh()
    return panel


def shown(panel):
    proxy = panel.table.proxy
    return [
        panel.table.rows_model.row(proxy.mapToSource(proxy.index(at, 0)).row()).key
        for at in range(proxy.rowCount())
    ]


def test_both_tables_are_filled(panel):
    panel.grab()
    assert [row.key for row in panel.summary.rows_model.rows] == ["bybit", "okx"]
    assert len(shown(panel)) == 4
    assert panel.count.text() == "4 instruments, 2 venues"


def test_a_venue_and_words_choose(qtbot, panel):
    qtbot.mouseClick(panel.choices["bybit"], Qt.MouseButton.LeftButton)
    assert len(shown(panel)) == 3
    panel.filter.setText("ada perp")
    assert shown(panel) == ["bybit:perp:ADAUSDT"]
    assert panel.count.text() == "1 of 4 instruments, 2 venues"
    qtbot.mouseClick(panel.choices[""], Qt.MouseButton.LeftButton)
    assert shown(panel) == ["bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP"]
    panel.filter.setText("no such thing")
    panel.grab()
    assert shown(panel) == []


def test_the_best_stand_first_and_the_unknown_last(panel):
    place = [column.header for column in panel.table.rows_model.columns].index("Spread, bp")
    panel.table.sortByColumn(place, Qt.SortOrder.AscendingOrder)
    assert shown(panel)[0] == "bybit:perp:BTCUSDT"
    assert shown(panel)[-1] == "okx:perp:ADA-USDT-SWAP"


def test_the_unknown_is_grey_and_an_outage_is_told(panel):
    by_header = {column.header: column for column in panel.table.rows_model.columns}
    rows = panel.table.rows_model.rows
    assert by_header["Depth in 10 bp, USDT"].meaning(rows[3]) == "muted"
    assert by_header["Depth in 10 bp, USDT"].meaning(rows[0]) == ""
    assert by_header["Outages"].meaning(rows[1]) == "warn"
    assert by_header["Age"].meaning(rows[0]) == ""
    fees = by_header["Taker / maker, bp"]
    assert "read 2026-07" in fees.detail(rows[0])
    assert all(column.tip for header, column in by_header.items() if "bp" in header)


def test_the_same_scores_are_not_read_twice(panel, rig, monkeypatch):
    monkeypatch.setattr("basisdesk.ui.venues_panel.score_rows", lambda *_: pytest.fail("again"))
    panel.refresh()
    monkeypatch.undo()
    rig.context.scan.scores = SCORES[:1]
    panel.refresh()
    assert len(shown(panel)) == 1


def test_it_says_why_it_is_empty(qtbot, rig):
    rig.context.scan = ScanView(why_empty="The scanner is off.")
    panel = VenuesPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    assert panel.table.empty_text == "The scanner is off."
    rig.context.scan = None
    panel.refresh()
    assert panel.table.empty_text == "No universe is watched in this session."
    panel.grab()
