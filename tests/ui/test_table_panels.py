"""Funding, ledger, feeds, log and status: each shows its rows, filters them and acts as it says."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.engine import LogLine
from basisdesk.events import ClosePair, ExitPlan, FundingHistory, Halt, OpenPair
from basisdesk.ui.feeds_panel import FeedsPanel
from basisdesk.ui.funding_panel import FundingPanel
from basisdesk.ui.ledger_panel import LedgerPanel
from basisdesk.ui.log_panel import LogPanel
from basisdesk.ui.status_line import Banner, StatusLine

D = Decimal


@pytest.fixture
def rig():
    rig = Rig().begin()
    rig.submit(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D(-100), D(900), D(72))))
    return rig


def shown(qtbot, panel):
    qtbot.addWidget(panel)
    panel.resize(1300, 260)
    panel.show()
    qtbot.waitExposed(panel)
    panel.refresh()
    panel.grab()
    return panel


def press(qtbot, panel, text):
    button = next(b for b in panel.findChildren(QPushButton) if b.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_funding_shows_clocks_payments_and_settled_rates(qtbot, rig):
    now_ms = rig.engine.now_ns // 1_000_000
    rig.engine.market.apply(FundingHistory(PERP, [(now_ms - 1_000, "0.0001")]), rig.engine.now_ns)
    panel = shown(qtbot, FundingPanel(rig.context, THEME))
    assert panel.legs.rows_model.rows[0].held == "\u22123,996 ADA"
    assert panel.settled.rows_model.rows[0].rate == "+0.0100 %"
    assert panel.payments.rows_model.rows == []
    for _ in range(410):
        rig.move(0.3640, 68.0, seconds=60.0, levels=5)
    panel.refresh()
    assert panel.payments.rows_model.rows[0].amount.startswith("+0.2")
    panel.legs.choose(0)
    assert panel.settled.rows_model.rows


def test_the_ledger_has_two_views_and_a_filter(qtbot, rig):
    panel = shown(qtbot, LedgerPanel(rig.context, THEME))
    assert panel.views.currentWidget() is panel.fills
    assert panel.count.text() == "2 fills"
    panel.filter.setText("perp sell")
    assert panel.fills.proxy.rowCount() == 1
    assert panel.count.text() == "1 of 2 fills"
    press(qtbot, panel, "Postings")
    assert panel.views.currentWidget() is panel.postings
    panel.filter.setText("assets:cash")
    assert 0 < panel.postings.proxy.rowCount() < len(panel.postings.rows_model.rows)
    rig.submit(ClosePair(1))
    panel.refresh()
    assert len(panel.fills.rows_model.rows) == 4


def test_the_ledger_reads_nothing_while_nothing_was_booked(qtbot, rig, monkeypatch):
    panel = shown(qtbot, LedgerPanel(rig.context, THEME))
    monkeypatch.setattr("basisdesk.ui.ledger_panel.fill_rows", lambda *_: pytest.fail("read again"))
    panel.refresh()


def test_feeds_offer_to_reconnect_each_connection(qtbot, rig):
    panel = shown(qtbot, FeedsPanel(rig.context, THEME))
    assert [row.key for row in panel.links.rows_model.rows] == ["bybit.linear", "bybit.spot"]
    assert len(panel.streams.rows_model.rows) == 5
    press(qtbot, panel, "Reconnect")
    assert rig.reconnected == ["bybit.linear"]
    rig.engine.market.bad("bybit.spot", "json", rig.engine.now_ns)
    panel.refresh()
    assert "1 unreadable (json 1)" in panel.total.text()


def test_the_log_filters_by_level_and_word(qtbot, rig):
    panel = shown(qtbot, LogPanel(rig.context, THEME))
    rig.engine.log.append(LogLine(rig.engine.now_ns, "error", "desk", "The disk is full."))
    panel.refresh()
    everything = len(panel.table.rows_model.rows)
    assert panel.table.rows_model.rows[0].text == "The disk is full."
    press(qtbot, panel, "Errors")
    assert len(panel.table.rows_model.rows) == 1 < everything
    press(qtbot, panel, "All")
    panel.filter.setText("pair 1 opened")
    assert panel.table.proxy.rowCount() == 1


def test_a_hostile_log_line_is_shown_as_its_characters(qtbot, rig):
    rig.engine.log.append(LogLine(rig.engine.now_ns, "warn", "x", "<b>" * 200))
    panel = shown(qtbot, LogPanel(rig.context, THEME))
    tip = panel.table.proxy.index(0, 3).data(Qt.ItemDataRole.ToolTipRole)
    assert "<b>" not in tip


def test_the_status_line_follows_the_account(qtbot, rig):
    panel = shown(qtbot, StatusLine(rig.context, THEME))
    texts = [label.text() for label in panel._left]
    assert texts[0].startswith("Equity 9,99")
    rig.context.status.speed = 10.0
    panel.refresh()
    assert panel._right[0].text() == "speed 10\u00d7"
    rig.context.status.speed = 1.0
    panel.refresh()
    assert panel._right[0].text().startswith("session ")


def test_where_room_is_short_items_go_whole_and_equity_stays(qtbot, rig):
    panel = shown(qtbot, StatusLine(rig.context, THEME))
    for width in (1300, 700, 420, 200):
        panel.resize(width, 24)
        seen = [label for label in (*panel._left, *panel._right) if not label.isHidden()]
        assert sum(label.sizeHint().width() for label in seen) <= width
    assert [label.text().split()[0] for label in seen] == ["Equity"]


def test_the_banner_comes_and_goes(qtbot, rig):
    panel = shown(qtbot, Banner(rig.context, THEME))
    assert panel.text == ""
    rig.submit(Halt("test"))
    panel.refresh()
    assert "Halted since" in panel.text
    rig.context.status.banner = "The exchange stopped."
    panel.refresh()
    assert panel.text.endswith("The exchange stopped.")


def test_the_status_line_says_where_the_log_went_and_then_no_more(qtbot, rig, monkeypatch):
    monkeypatch.setattr("basisdesk.ui.status_line.SAVED_MS", 300)
    panel = shown(qtbot, StatusLine(rig.context, THEME))

    def said():
        return [label for label in panel._right if label.text().startswith("log saved to ")]

    assert said() == []
    path = "/home/somebody/documents/" + "a rather long folder/" * 6 + "basisdesk-2026-11-21T091400"
    rig.context.status.saved = path
    panel.refresh()
    (label,) = said()
    assert label.isVisible()
    assert "\u2026" in label.text()
    assert label.text().endswith("T091400")
    assert path in label.toolTip()
    qtbot.waitUntil(lambda: said() == [], timeout=3000)
    panel.refresh()
    assert said() == []
