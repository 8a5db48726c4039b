"""The leverage picture: its rows as text, what is marked and greyed, and the dialog with them."""

import math
from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, THEME, Rig, instrument

from basisdesk.events import ExitPlan, OpenPair
from basisdesk.trading.leverage import LeveragePicture
from basisdesk.trading.leverage import LeverageRow as Gear
from basisdesk.ui.leverage_dialog import LeverageDialog
from basisdesk.ui.leverage_rows import (
    Picture,
    chance_text,
    leverage_columns,
    picture_of,
    picture_rows,
)
from basisdesk.ui.ticket_panel import TicketPanel

D = Decimal
WHY = "the desk trades at most 5x; beyond is for study only"


def gear(leverage, distance, chance, price="0.4375", **changes):
    fields = {
        "leverage": leverage,
        "liq_leg": PERP,
        "liq_price": None if price is None else D(price),
        "distance_pct": distance,
        "source": "tier up to 100,000, maintenance 0.5 %",
        "capital": D("2974.4"),
        "size": D("17375.1"),
        "chance": chance,
        "tradable": leverage <= 5,
        "why": "" if leverage <= 5 else WHY,
    }
    return Gear(**fields | changes)


def found(*rows, sigma=69.2):
    return LeveragePicture(tuple(rows), D(6800), D(5), 72.0, "the plan's time stop", sigma, "Note.")


THREE = found(gear(1, 99.0, 0.0), gear(2, 49.2, 0.00004), gear(10, 9.4, 0.148))


def ask(leverage="2", long=SPOT, short=PERP):
    return OpenPair(long, short, D(6800), D(leverage), ExitPlan(D(3), D(120)))


def test_each_row_tells_price_distance_capital_size_and_chance():
    row = picture_rows(THREE, ask(), instrument("perp"))[2]
    assert (row.name, row.price, row.distance) == ("10\u00d7", "0.4375", "+9.4")
    assert (row.capital, row.size, row.chance) == ("2,974", "17,375.1", "14.8")
    assert row.tip == "Bybit perp ADAUSDT: tier up to 100,000, maintenance 0.5 %."
    assert row.room == pytest.approx(0.188)


def test_beyond_the_limit_a_row_is_for_the_lab_and_says_why():
    one, _, ten = picture_rows(THREE, ask(), None)
    assert (one.tradable, one.note) == (True, "")
    assert (ten.tradable, ten.note, ten.why) == (False, "lab only", WHY)
    columns = leverage_columns("USDT", "ADA", "USDT", D("0.02"))
    assert {column.meaning(ten) for column in columns} == {"faded"}
    paid = [column for column in columns if "Cash" not in column.header]
    assert {column.meaning(one) for column in paid} == {""}


@pytest.mark.parametrize(
    ("leverage", "marked", "note"),
    [("1", 0, "in the ticket"), ("2", 1, "in the ticket"), ("2.5", 1, "in the ticket: 2.5\u00d7")],
)
def test_the_leverage_of_the_ticket_is_marked(leverage, marked, note):
    rows = picture_rows(THREE, ask(leverage), None)
    assert [row.present for row in rows] == [place == marked for place in range(3)]
    assert rows[marked].note == note


def test_a_long_perpetual_dies_below_and_one_without_a_price_never():
    rows = picture_rows(
        found(gear(2, 49.0, 0.01), gear(3, math.nan, 0.0, None)), ask("2", PERP, SPOT), None
    )
    assert rows[0].distance == "\u221249.0"
    assert (rows[1].price, rows[1].distance, rows[1].room) == ("none", "\u2013", 0.0)


@pytest.mark.parametrize(
    ("chance", "text"),
    [(0.0, "0"), (1e-9, "under 0.01"), (0.00045, "0.04"), (0.148, "14.8"), (1.0, "100.0"),
     (math.nan, "\u2013")],
)  # fmt: skip
def test_a_chance_is_a_percentage_of_as_many_digits_as_it_has(chance, text):
    assert chance_text(chance) == text


def test_a_high_chance_is_coloured_by_what_it_means():
    rows = picture_rows(
        found(gear(2, 49.0, 0.001), gear(3, 32.0, 0.01), gear(5, 19.0, 0.2)), ask(), None
    )
    assert [row.chance_meaning for row in rows] == ["", "warn", "loss"]


def test_the_head_says_what_was_looked_at():
    shown = picture_of(THREE, ask(), None, "long spot \u00b7 short perp")
    assert shown.title == "Leverage picture of ADA"
    assert shown.head == (
        "6,800 ADA, long spot \u00b7 short perp. Looked ahead 72 h (the plan's time stop), "
        "volatility 69 % a year."
    )
    assert shown.note == "Note."
    soon = msgspec.structs.replace(THREE, hold_h=0.2)
    shown = picture_of(soon, ask(), None, "x")
    assert "Looked ahead 12 min" in shown.head
    calm = found(gear(1, 99.0, math.nan), sigma=math.nan)
    assert "volatility" not in picture_of(calm, ask(), None, "x").head


def test_units_stand_in_the_headers():
    headers = [column.header for column in leverage_columns("USDT", "ADA", "USD", D("0.02"))]
    assert headers == [
        "Leverage", "", "Liquidation price, USD", "Away from mark, %", "Capital used, USDT",
        "2 % size, ADA", "Cash allows, ADA", "Chance of liquidation, %",
    ]  # fmt: skip


@pytest.fixture
def dialog(qtbot):
    shown = LeverageDialog(leverage_columns("USDT", "ADA", "USDT", D("0.02")), THEME)
    qtbot.addWidget(shown)
    shown.show_picture(Picture("t", "h", "n", "", picture_rows(THREE, ask(), None)))
    return shown


def test_a_tradable_leverage_can_be_taken_and_no_other(qtbot, dialog):
    taken = []
    dialog.taken.connect(taken.append)
    assert not dialog.take.isEnabled()
    dialog.table.choose(2)
    assert not dialog.take.isEnabled()
    assert WHY in dialog.take.accessibleDescription()
    dialog.table.choose(0)
    assert (dialog.take.text(), dialog.take.isEnabled()) == ("Take 1\u00d7", True)
    qtbot.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert taken == [D(1)]


def test_without_an_order_the_dialog_says_what_to_do(dialog):
    dialog.show_picture(Picture(empty="Fill in the size."))
    assert dialog.table.empty_text == "Fill in the size."
    assert dialog.table.rows_model.rows == []


def test_the_dialog_is_as_wide_as_its_columns(qtbot, dialog):
    dialog.show()
    qtbot.waitExposed(dialog)
    assert dialog.table.viewport().width() >= dialog.table.needed_px()


def test_the_ticket_opens_its_picture_and_takes_a_leverage_from_it(qtbot):
    rig = Rig().begin()
    ticket = TicketPanel(rig.context, THEME)
    qtbot.addWidget(ticket)
    ticket.recompute()
    qtbot.mouseClick(ticket.form.picture, Qt.MouseButton.LeftButton)
    dialog = ticket._picture.dialog
    rows = dialog.table.rows_model.rows
    assert [row.leverage for row in rows][:5] == [1, 2, 3, 4, 5]
    assert rows[-1].leverage == 20
    assert [row.name for row in rows if row.present] == ["2\u00d7"]
    assert [row.tradable for row in rows] == [row.leverage <= 5 for row in rows]
    assert rows[1].price == next(
        line[1].text() for line in ticket.form.board.lines if "Liquidation of" in line[0].text()
    )
    dialog.table.choose(2)
    qtbot.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert ticket.form.leverage.value == 3
    assert ticket.sheet.request.leverage == 3
    qtbot.mouseClick(ticket.form.picture, Qt.MouseButton.LeftButton)
    assert ticket._picture.dialog is dialog  # one at most
    dialog.reject()
    assert ticket._picture.dialog is None


def test_another_pair_closes_the_picture(qtbot):
    rig = Rig().begin()
    ticket = TicketPanel(rig.context, THEME)
    qtbot.addWidget(ticket)
    ticket.recompute()
    qtbot.mouseClick(ticket.form.picture, Qt.MouseButton.LeftButton)
    rig.show_pair("bybit:spot:SOLUSDT", "bybit:perp:SOLUSDT")
    ticket.recompute()
    assert ticket._picture.dialog is None


def test_cash_has_a_column_of_its_own_and_is_marked_where_it_binds():
    tight, wide = gear(1, 99.0, 0.0, cash_size=D("9144.7")), gear(2, 49.0, 0.0, cash_size=D(27200))
    rows = picture_rows(found(tight, wide), ask(), None)
    assert (rows[0].size, rows[0].cash, rows[0].binds) == ("17,375.1", "9,144.7", True)
    assert (rows[1].cash, rows[1].binds) == ("27,200", False)
    column = next(
        c for c in leverage_columns("USDT", "ADA", "USDT", D("0.02")) if "Cash" in c.header
    )
    assert [column.meaning(row) for row in rows] == ["warn", ""]


def test_the_two_percent_size_of_the_dialog_is_the_risks_alone(qtbot):
    rig = Rig().begin()
    ticket = TicketPanel(rig.context, THEME)
    qtbot.addWidget(ticket)
    ticket.recompute()
    qtbot.mouseClick(ticket.form.picture, Qt.MouseButton.LeftButton)
    row = ticket._picture.dialog.table.rows_model.rows[1]
    named = {line.name: line.qty for line in ticket.sheet.advice.lines}
    least = min(named["stop"], named["stress"])
    assert abs(D(row.size.replace(",", "")) - least) <= D("0.2") + least / 1000
    assert abs(D(row.cash.replace(",", "")) - named["capital"]) < named["capital"] / 100
