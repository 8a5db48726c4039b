"""The table: only what moved is repainted, sorting is by value, markup stays text."""

import random
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from PySide6.QtCore import QModelIndex, Qt
from ui_rig import THEME

from basisdesk.ui.table import Column, RowModel
from basisdesk.ui.table_cells import readable_on
from basisdesk.ui.table_view import TableView


@dataclass(frozen=True)
class Row:
    name: str
    value: Decimal
    note: str = ""


COLUMNS = (
    Column("Name", lambda row: row.name, left=True, stretch=True, tip="A name: ADA."),
    Column("Value, USDT", lambda row: f"{row.value:+.2f}", lambda row: row.value, sample="+1.00"),
    Column("Note", lambda row: row.note, left=True, detail=lambda row: row.note, spare=1),
)


def rows(*names):
    return [Row(name, Decimal(place)) for place, name in enumerate(names)]


def key(row):
    return row.name


@pytest.fixture
def table(qtbot):
    view = TableView(COLUMNS, THEME, key=key)
    qtbot.addWidget(view)
    return view


@pytest.mark.parametrize("by", [None, key])
def test_the_model_keeps_qts_rules(qtmodeltester, by):
    model = RowModel(COLUMNS, by)
    qtmodeltester.check(model)
    model.show_rows(rows("a", "b", "c"))
    qtmodeltester.check(model)
    model.show_rows(rows("c", "x"))
    qtmodeltester.check(model)


def test_only_the_row_that_moved_is_repainted(qtbot):
    model = RowModel(COLUMNS, key)
    a, b, c = rows("a", "b", "c")
    model.show_rows([a, b, c])
    with qtbot.waitSignal(model.dataChanged, timeout=100) as moved:
        model.show_rows([a, replace(b, value=Decimal("-3.5")), c])
    assert moved.args[0].row() == moved.args[1].row() == 1
    assert model.index(1, 1).data() == "-3.50"


def test_the_same_rows_again_repaint_nothing(qtbot):
    model = RowModel(COLUMNS, key)
    model.show_rows(rows("a", "b"))
    with qtbot.assertNotEmitted(model.dataChanged), qtbot.assertNotEmitted(model.modelReset):
        model.show_rows(rows("a", "b"))


def test_a_bounded_list_that_moves_on_only_grows_at_the_top(qtbot):
    model = RowModel(COLUMNS, key)
    model.show_rows(rows(*"edcb"))
    seen = []
    model.rowsInserted.connect(lambda _, first, last: seen.append((first, last)))
    model.show_rows(rows(*"gfed"))
    assert [row.name for row in model.rows] == list("gfed")
    assert seen == [(0, 1)]


def test_any_list_can_follow_any_other():
    rng = random.Random(5)
    model = RowModel(COLUMNS, key)
    for _ in range(500):
        names = rng.sample("abcdefgh", rng.randint(0, 8))
        model.show_rows([Row(name, Decimal(rng.randint(0, 3))) for name in names])
        assert [row.name for row in model.rows] == names
        assert model.rowCount() == len(names)
    assert model.rowCount(model.index(0, 0)) == 0
    assert model.columnCount(QModelIndex()) == 3


def test_rows_of_equal_keys_are_still_all_shown():
    model = RowModel(COLUMNS, key)
    for names in ("aab", "ab", "aaab", "ba", ""):
        model.show_rows(rows(*names))
        assert [row.name for row in model.rows] == list(names)


def test_selection_stays_with_its_row_when_others_come_and_go(table):
    table.show_rows(rows("a", "b", "c"))
    table.choose(1)
    assert table.chosen().name == "b"
    table.show_rows([Row("new", Decimal(9)), *rows("a", "b")])
    assert table.chosen().name == "b"


def test_sorting_is_by_value_and_what_has_none_stands_last(table):
    values = ["9", "10", "NaN", "-2"]
    table.show_rows([Row(text, Decimal(text)) for text in values])
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert _shown(table) == ["-2", "9", "10", "NaN"]
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert _shown(table)[1:] == ["10", "9", "-2"]
    table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert _shown(table) == values


def _shown(table):
    return [table.proxy.index(place, 0).data() for place in range(table.proxy.rowCount())]


def test_the_filter_keeps_rows_that_hold_every_word(table):
    table.show_rows([Row("ADA", Decimal(1), "open long"), Row("SOL", Decimal(2), "open short")])
    table.proxy.set_filter("OPEN sho")
    assert _shown(table) == ["SOL"]
    table.proxy.set_filter("")
    assert _shown(table) == ["ADA", "SOL"]
    table.proxy.set_keep(lambda row: row.value > 1)
    assert _shown(table) == ["SOL"]


def test_headers_carry_unit_alignment_and_an_explanation():
    model = RowModel(COLUMNS)
    across = Qt.Orientation.Horizontal
    assert model.headerData(1, across) == "Value, USDT"
    assert (
        model.headerData(1, across, Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    )
    assert "A name: ADA." in model.headerData(0, across, Qt.ItemDataRole.ToolTipRole)
    assert model.headerData(0, Qt.Orientation.Vertical) is None


def test_markup_from_outside_stays_text(table):
    model = table.rows_model
    evil = "<img src='file:///etc/passwd'><b>x</b>"
    model.show_rows([Row(evil, Decimal(1), evil)])
    assert model.index(0, 0).data() == evil  # the delegate paints plain text
    tip = model.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)
    assert "<img" not in tip
    assert "&lt;img" in tip


def test_a_cell_names_itself_to_a_screen_reader():
    model = RowModel(COLUMNS)
    model.show_rows(rows("a"))
    assert model.index(0, 1).data(Qt.ItemDataRole.AccessibleTextRole) == "Value, USDT +0.00"


def test_columns_fill_the_width_and_spare_ones_go_first(table, qtbot):
    table.show_rows(rows("a"))
    table.resize(600, 200)
    table.show()
    qtbot.waitExposed(table)
    widths = [table.columnWidth(place) for place in range(3)]
    assert sum(widths) == table.viewport().width()
    table.resize(120, 200)
    assert table.isColumnHidden(2)
    assert not table.isColumnHidden(0)
    table.want_columns(lambda column: column.header != "Name")
    assert table.isColumnHidden(0)


def test_an_empty_table_paints_its_lesson_and_escape_lets_go(table, qtbot):
    table.empty_text = "No pairs. Open one in the ticket."
    table.resize(400, 120)
    table.show()
    qtbot.waitExposed(table)
    table.grab()
    table.show_rows(rows("a"))
    table.choose(0)
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert table.chosen() is None


def test_text_on_a_filled_cell_can_be_read():
    assert readable_on(THEME.qcolor("warn")).name() == "#000000"
    assert readable_on(THEME.qcolor("background")).name() == "#ffffff"
