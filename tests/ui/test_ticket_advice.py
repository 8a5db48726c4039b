"""The suggested size: what binds it, every line that was weighed, and one click that takes it."""

from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import ExitPlan, OpenPair
from basisdesk.trading.advice import SizeAdvice, SizeLine
from basisdesk.ui.ticket_advice import BINDS, NAMES, suggestion
from basisdesk.ui.ticket_panel import TicketPanel

D = Decimal
LINES = (
    SizeLine("stop", D("54945.1"), "200.00 USDT would be lost at the stop"),
    SizeLine("volatility", None, "the deviation of the basis is not known yet"),
    SizeLine("depth", D("2900.4"), "more would walk the books by over 8.7 bp"),
)
ADVICE = SizeAdvice(D(2900), "depth", LINES, "2,900 ADA: more would walk the books by over 8.7 bp.")


def sheet_with(advice):
    rig = Rig().begin()
    sheet = rig.engine.sheet(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D(3), D(120))))
    return msgspec.structs.replace(sheet, advice=advice)


def test_the_line_that_binds_is_named_and_all_are_told():
    said = suggestion(sheet_with(ADVICE), "ADA")
    assert (said.why, said.offer) == ("Suggested: depth binds", "take 2,900 ADA")
    assert [(line.name, line.size, line.binds) for line in said.lines] == [
        ("Loss at the stop", "54,945.1 ADA", False),
        ("Volatility of the basis", "\u2013", False),
        ("Depth of the books", "2,900.4 ADA", True),
    ]
    for line in LINES:
        assert line.text[1:] in said.tip


def test_a_size_of_nothing_is_no_offer_but_says_what_binds():
    none = msgspec.structs.replace(ADVICE, qty=D(0))
    said = suggestion(sheet_with(none), "ADA")
    assert (said.why, said.offer) == ("Suggested: none, depth binds", "")


@pytest.mark.parametrize("sheet", [None, "unadvised"])
def test_without_a_priced_sheet_nothing_is_suggested(sheet):
    said = suggestion(None if sheet is None else sheet_with(None), "ADA")
    assert (said.why, said.offer, said.lines) == ("No size suggested yet", "", ())


def test_every_line_of_the_desk_has_a_name():
    assert set(NAMES) == set(BINDS)
    rig = Rig().begin()
    sheet = rig.engine.sheet(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D(3), D(120))))
    assert {line.name for line in sheet.advice.lines} <= set(NAMES)


@pytest.fixture
def ticket(qtbot):
    rig = Rig().begin()
    panel = TicketPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.recompute()
    return panel


def test_one_click_takes_the_suggested_size(qtbot, ticket):
    hint = ticket.sheet.size_hint
    assert hint > 0
    qtbot.mouseClick(ticket.form.advice.take, Qt.MouseButton.LeftButton)
    assert ticket.sheet.request.qty == hint
    assert ticket.form.size_field.touched


def test_in_quote_the_suggestion_is_taken_in_quote(qtbot, ticket):
    qtbot.mouseClick(ticket.form.unit, Qt.MouseButton.LeftButton)
    hint = ticket.sheet.size_hint
    qtbot.mouseClick(ticket.form.advice.take, Qt.MouseButton.LeftButton)
    assert ticket.form.size_field.value == (hint * D("0.36395")).quantize(D("0.01"))


def test_what_was_weighed_unfolds_and_folds_by_key(qtbot, ticket):
    row = ticket.form.advice
    assert row.weighed.isHidden()
    row.why.setFocus()
    qtbot.keyClick(row.why, Qt.Key.Key_Space)
    assert not row.weighed.isHidden()
    shown = [name.text() for name, _ in row.lines if not name.isHidden()]
    assert shown[:2] == ["Loss at the stop", "Loss under stress"]
    qtbot.keyClick(row.why, Qt.Key.Key_Space)
    assert row.weighed.isHidden()
