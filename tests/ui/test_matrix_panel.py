"""The matrix: what its cells say, which can be read, how it is sorted and chosen from."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication
from scan_rig import ScanRig, made_up_composites, made_up_view
from ui_rig import THEME

from basisdesk.config import Ui
from basisdesk.scan.view import ScanView
from basisdesk.ui.composite_rows import composite_tip
from basisdesk.ui.matrix_panel import MatrixPanel
from basisdesk.ui.matrix_rows import BY_COIN, Grid, cell_tip, grid_of, grid_order, legend_text
from basisdesk.ui.matrix_view import READABLE, Shades
from basisdesk.ui.theme import contrast, theme_for

COINS = ("WIF", "ADA", "BTC", "ETH")


@pytest.fixture
def view():
    made = made_up_view(coins=COINS)
    matrix = made.matrix
    for array in (matrix.funding_8h_bp, matrix.basis_bp, matrix.age_s):
        array[:] = 1.0
        array[2, 3] = math.nan
    matrix.funding_8h_bp[0] = (-12.0, 0.5, 3.0, 6.1)
    return made


@pytest.fixture
def rig(view):
    return ScanRig(view)


@pytest.fixture
def panel(qtbot, rig):
    panel = MatrixPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.resize(360, 300)
    panel.show()
    qtbot.waitExposed(panel)
    panel.refresh()
    return panel


def test_cells_say_the_rate_or_that_there_is_none(view):
    grid = grid_of(view, "funding", 5.0)
    assert [grid.text(0, at) for at in range(4)] == ["\u22120.120", "+0.005", "+0.030", "+0.061"]
    assert grid.text(2, 3) == "n/a"
    assert grid.heat[0].tolist() == pytest.approx([-1.0, 0.05, 0.3, 0.61])
    assert grid.titles == ("Binance", "Bybit", "OKX", "Kraken")
    assert grid_of(view, "basis", 5.0).text(1, 1) == "+1.0"
    assert grid_of(None, "basis", 5.0).coins == ()


def test_an_old_cell_is_stale(view):
    view.matrix.age_s[1, 1] = 16.0
    grid = grid_of(view, "funding", 5.0)
    assert np.argwhere(grid.stale).tolist() == [[1, 1]]


def test_order_by_coin_or_by_a_venue_with_what_is_not_listed_last(view):
    grid = grid_of(view, "funding", 5.0)
    assert [grid.coins[at] for at in grid_order(grid, BY_COIN, False)] == sorted(COINS)
    assert [grid.coins[at] for at in grid_order(grid, BY_COIN, True)] == sorted(COINS)[::-1]
    assert grid_order(grid, 3, True).tolist() == [0, 1, 3, 2]
    assert grid_order(grid, 3, False).tolist() == [1, 3, 0, 2]
    assert grid_order(grid, 9, False).tolist() == grid_order(grid, BY_COIN, False).tolist()


def test_a_tip_holds_percentile_true_span_interval_and_age(view):
    matrix = view.matrix
    matrix.funding_percentile[1, 1], matrix.funding_days[1, 1] = 0.61, 88.0
    matrix.basis_percentile[1, 1], matrix.basis_days[1, 1] = math.nan, math.nan
    said = cell_tip(view, grid_of(view, "funding", 5.0), 1, 1, "USDT")
    assert "ADA on Bybit: funding +0.0100 % per 8 h, settled every 4 h" in said
    assert "61st percentile of 88 days" in said
    assert "no history yet" in said
    assert "1.0 s old" in said
    assert "not listed" in cell_tip(view, grid_of(view, "funding", 5.0), 2, 3, "USDT")


def test_a_composite_shows_value_weights_and_its_warning(view):
    grid = grid_of(view, "composite", 5.0)
    assert grid.titles[2:] == ("Binance", "Bybit", "OKX", "Kraken")
    assert [grid.text(0, at) for at in range(6)] == [
        "+2.0", "+0.009", "44 %", "31 %", "25 %", "stale",
    ]  # fmt: skip
    assert grid.share(0, 2) == pytest.approx(0.44)
    assert grid.share(0, 5) == grid.share(0, 0) == 0.0
    assert grid.warned == {"WIF"}
    said = cell_tip(view, grid, 0, 0, "USDT")
    assert "Binance 44 %: +2.0 bp, +0.0090 %, depth 176 k USDT." in said
    assert "Kraken: stale, dropped." in said
    assert "Read on Binance, trade on Bybit." in said
    assert said.endswith("disagree.")
    assert "disagree" not in composite_tip(made_up_composites(("A", "B"))[1], "USDT")
    assert grid_of(ScanView(), "composite", 5.0).coins == ()


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
@pytest.mark.parametrize("blind", [False, True])
def test_text_can_be_read_on_every_shade(qapp, name, blind):
    shades = Shades(theme_for(Ui(theme=name, colour_blind=blind)))
    fills = set()
    for heat in np.linspace(-1, 1, 97).tolist():
        fill, ink = shades(heat)
        assert contrast(fill, ink) >= READABLE
        fills.add(fill.name())
    assert len(fills) > 40


def test_only_cells_that_moved_are_painted_anew(view):
    before = grid_of(view, "funding", 5.0)
    funding = view.matrix.funding_8h_bp.copy()
    funding[1, 2] += 1.0
    funding[0, 0] += 0.001  # the same text
    view.matrix = replace(view.matrix, funding_8h_bp=funding)
    after = grid_of(view, "funding", 5.0)
    assert after.like(before)
    assert np.argwhere(after.moved(before)).tolist() == [[1, 2]]
    assert not after.like(Grid())


def test_a_click_takes_the_pair_of_the_side_that_is_paid(qtbot, panel):
    chosen = []
    panel.opening_chosen.connect(chosen.append)
    grid, cells = panel.view.grid, panel.view
    place = [grid.coins[at] for at in cells.order].index("WIF")

    def click(column):
        spot = cells.cell_rect(place, column).center()
        qtbot.mouseClick(cells.viewport(), Qt.MouseButton.LeftButton, pos=spot)

    click(0)
    click(3)
    assert [choice.direction for choice in chosen] == [-1, 1]
    assert chosen[1].pair == ("kraken:spot:WIFUSDT", "kraken:perp:WIFUSDT")
    assert chosen[1].size == 10_000.0
    panel.set_mode("composite")
    click(0)
    assert len(chosen) == 2


def test_headers_sort_and_keys_walk(qtbot, panel):
    cells = panel.view
    head = QPoint(cells.cell_rect(0, 3).center().x(), 8)
    qtbot.mouseClick(cells.viewport(), Qt.MouseButton.LeftButton, pos=head)
    assert cells.grid.coins[int(cells.order[0])] == "WIF"
    assert cells.descending
    qtbot.mouseClick(cells.viewport(), Qt.MouseButton.LeftButton, pos=head)
    assert not cells.descending
    qtbot.mouseClick(cells.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert cells.sorted_by == BY_COIN
    chosen = []
    panel.opening_chosen.connect(chosen.append)
    for key in ("Down", "Right", "Down", "Left", "Return"):
        qtbot.keyClick(cells, getattr(Qt.Key, f"Key_{key}"))
    assert "BTC Binance" in cells.accessibleDescription()
    assert chosen[0].pair[1] == "binance:perp:BTCUSDT"


def test_modes_legends_and_tooltips(qtbot, rig, panel):
    for mode in ("funding", "basis", "composite"):
        qtbot.mouseClick(panel.buttons[mode], Qt.MouseButton.LeftButton)
        assert panel.view.grid.mode == mode
        assert panel.legend.text() == legend_text(mode)
        spot = panel.view.cell_rect(1, 1).center()
        event = QHelpEvent(QEvent.Type.ToolTip, spot, panel.view.viewport().mapToGlobal(spot))
        QApplication.sendEvent(panel.view.viewport(), event)
        assert panel.view.tip_of(1, 1)
        panel.grab()
    panel.set_mode("nothing")
    assert panel.mode == "composite"
    rig.context.scan = None
    panel.refresh()
    assert panel.view.tip_of(0, 0) == ""
    panel.grab()


def test_many_coins_scroll_and_few_do_not(qtbot, rig, panel):
    assert panel.view.verticalScrollBar().maximum() == 0
    rig.context.scan = made_up_view()
    panel.refresh()
    bar = panel.view.verticalScrollBar()
    assert bar.maximum() > 500
    bar.setValue(bar.maximum())
    place, _ = panel.view.cell_at(QPoint(5, panel.view.viewport().height() - 2))
    assert place == 59
    panel.grab()


def test_a_search_keeps_the_coins_it_names(qtbot, panel):
    cells = panel.view

    def shown():
        return [cells.grid.coins[at] for at in cells.order]

    for line, coins in (
        ("wif", ["WIF"]), ("WIF okx perp", ["WIF"]), ("okx", sorted(COINS)), ("b", ["BTC"]),
        ("eth btc", []), ("zzz", []), ("", sorted(COINS)),
    ):  # fmt: skip
        panel.set_search(line)
        assert shown() == coins, line
    panel.set_search("nothing")
    assert cells.empty_text == "No coin matches \u201cnothing\u201d. Esc clears the search."
    panel.grab()
    panel.set_mode("composite")
    assert shown() == []
    panel.set_search("ada")
    assert shown() == ["ADA"]
    chosen = []
    panel.opening_chosen.connect(chosen.append)
    panel.set_mode("funding")
    spot = cells.cell_rect(0, 1).center()
    qtbot.mouseClick(cells.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert chosen[0].pair[1] == "bybit:perp:ADAUSDT"
    assert cells.tip_of(int(cells.order[0]), 1).startswith("ADA on Bybit")


def test_a_search_in_a_matrix_of_nothing(qtbot):
    rig = ScanRig(ScanView())
    panel = MatrixPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.set_search("ada")
    assert len(panel.view.order) == 0
