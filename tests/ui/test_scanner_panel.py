"""The scanner's table: what a refresh repaints, what survives it, chips, export and the ticket."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from scan_rig import ScanRig, made_up_view, with_nets
from ui_rig import THEME

from basisdesk.scan.view import ScanView
from basisdesk.ui.scanner_columns import TICKET, Terms, scan_columns
from basisdesk.ui.scanner_model import ScannerModel, changed_cells, two_lines
from basisdesk.ui.scanner_panel import ORDER_KEPT, QUIET_S, ScannerPanel
from basisdesk.ui.scanner_rows import Choice, Keep
from basisdesk.ui.scanner_speed import made_up_openings, measure_scanner
from basisdesk.ui.scanner_view import first_order

COINS = ("ADA", "BTC", "ETH", "WIF")


class Ticks:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def rig():
    return ScanRig(made_up_view(coins=COINS))


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def panel(qtbot, rig, ticks):
    panel = ScannerPanel(rig.context, THEME, tick=ticks)
    qtbot.addWidget(panel)
    panel.resize(1500, 500)
    panel.show()
    qtbot.waitExposed(panel)
    panel.refresh()
    return panel


def nets_of(panel):
    model = panel.table.scanner
    return model.openings.net_8h_bp[model.order]


def section(panel, key):
    return [column.key for column in panel.table.scanner.columns].index(key)


def turned(o):
    """The same openings with the ranking upside down."""
    return with_nets(o, -np.nan_to_num(o.net_8h_bp))


def test_best_net_first_and_what_is_not_known_last(panel):
    nets = nets_of(panel)
    known = nets[~np.isnan(nets)]
    assert (np.diff(known) <= 0).all()
    assert np.isnan(nets[len(known) :]).all()
    assert 0 < len(known) < len(nets) == 176


def test_a_header_sorts_and_turns_round(panel):
    panel.table.sort_asked.emit(section(panel, "coin"))
    model = panel.table.scanner
    assert model.openings.combos[model.place(0)].coin == "ADA"
    panel.table.sort_asked.emit(section(panel, "coin"))
    assert model.openings.combos[model.place(0)].coin == "WIF"
    panel.table.sort_asked.emit(section(panel, "cost"))
    assert model.openings.cost_bp[model.place(0)] == model.openings.cost_bp.max()
    assert model.header_text(section(panel, "cost")).startswith("Round trip \u25be")
    panel.table.sort_asked.emit(section(panel, TICKET))  # a button sorts nothing
    assert panel.save()["sort"] == ["cost", True]


def test_only_cells_on_the_screen_that_show_another_text_are_told(qtbot, rig, panel):
    table, model = panel.table, panel.table.scanner
    told = []
    model.dataChanged.connect(lambda a, b: told.append((a.row(), a.column(), b.row(), b.column())))
    o = model.openings
    cost = o.cost_bp.copy()
    first, second = model.place(0), model.place(1)
    hidden = model.place(model.rowCount() - 1)
    cost[first] += 3.0
    cost[second] = np.round(cost[second], 1)  # the same text
    cost[hidden] += 3.0  # not on the screen
    assert model.rowCount() - 1 not in table.window_rows()
    rig.show_openings(replace(o, cost_bp=cost))
    panel.refresh()
    at = section(panel, "cost")
    assert [cell[:2] for cell in told] == [(0, at)] or all(cell[0] == 0 for cell in told)
    assert all(a <= at <= b or model.columns[a].key == "breakeven" for _, a, _, b in told)
    told.clear()
    rig.show_openings(replace(model.openings))
    panel.refresh()
    assert told == []


def test_a_row_that_dims_is_told_as_a_whole(panel):
    o = panel.table.scanner.openings
    state = o.state.copy()
    state[:] = 0
    live = replace(o, state=state)
    state = state.copy()
    state[3] = 1
    columns = scan_columns(Terms())
    moved = changed_cells(live, replace(live, state=state), np.arange(6), columns)
    assert moved[3].all()
    assert not moved[[0, 1, 2, 4, 5]].any()


def test_selection_and_scroll_survive_a_refresh_and_another_order(rig, panel, ticks):
    table = panel.table
    table.choose(int(table.scanner.order[40]))
    pair = table.chosen_pair()
    table.verticalScrollBar().setValue(333)
    rig.show_openings(turned(table.scanner.openings))
    panel.sort_now()
    assert table.chosen_pair() == pair
    assert table.verticalScrollBar().value() == 333
    # other combinations: the model is made anew, the choice is found again
    o = table.scanner.openings
    rig.show_openings(replace(o, combos=o.combos[::-1], edition=2))
    panel.refresh()
    assert table.chosen_pair() == pair
    assert table.verticalScrollBar().value() == 333


def test_the_order_is_kept_while_somebody_reads_and_says_so(rig, panel, ticks):
    model, tools = panel.table.scanner, panel.tools
    panel.table.choose(int(model.order[2]))
    before = model.order.tolist()
    panel.table.touched.emit()
    rig.show_openings(turned(model.openings))
    panel.refresh()
    assert model.order.tolist() == before
    assert tools.hint.text() == ORDER_KEPT
    assert not tools.sort_link.isHidden()
    ticks.now_s += QUIET_S - 0.1
    panel.refresh()
    assert model.order.tolist() == before
    ticks.now_s += 0.2  # nobody touched it for so long
    panel.refresh()
    assert model.order.tolist() != before
    assert tools.hint.text() == ""
    assert tools.sort_link.isHidden()


def test_sort_now_sorts_under_the_pointer(qtbot, rig, panel):
    model = panel.table.scanner
    panel.table.choose(int(model.order[2]))
    panel.table.touched.emit()
    before = model.order.tolist()
    rig.show_openings(turned(model.openings))
    panel.refresh()
    qtbot.mouseClick(panel.tools.sort_link, Qt.MouseButton.LeftButton)
    assert model.order.tolist() != before


def test_nobody_reads_so_it_sorts_at_every_refresh(rig, panel):
    model = panel.table.scanner
    before = model.order.tolist()
    rig.show_openings(turned(model.openings))
    panel.refresh()
    assert model.order.tolist() != before


def test_chips_exclude_or_add_up(qtbot, panel):
    chips, model = panel.tools.chips, panel.table.scanner
    for kind, count in (("spot-perp", 64), ("perp-perp", 48), ("perp-spot", 64)):
        qtbot.mouseClick(chips.buttons[kind], Qt.MouseButton.LeftButton)
        assert model.rowCount() == count
        assert panel.tools.count.text() == f"{count} of 176"
    qtbot.mouseClick(chips.buttons["triggered"], Qt.MouseButton.LeftButton)
    assert model.rowCount() == 0  # the one that crossed is of two perpetuals
    qtbot.mouseClick(chips.buttons["perp-spot"], Qt.MouseButton.LeftButton)
    assert model.rowCount() == 1
    assert chips.keep == Keep(triggered=True)
    qtbot.mouseClick(chips.buttons["all"], Qt.MouseButton.LeftButton)
    assert model.rowCount() == 176
    assert chips.buttons["all"].isChecked()
    panel.set_search("ada okx")
    assert 0 < model.rowCount() < 44
    qtbot.mouseClick(chips.buttons["gain"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(chips.buttons["confirmed"], Qt.MouseButton.LeftButton)
    assert chips.keep.words == ("ada", "okx")


def test_nothing_to_show_is_said(rig, panel):
    rig.context.scan = ScanView()
    panel.refresh()
    assert panel.table.scanner.rowCount() == 0
    assert panel.table.empty_text == "Waiting for the venues' first pages."
    panel.grab()
    rig.context.scan = None
    panel.refresh()
    assert "live or a simulated desk" in panel.table.empty_text


def test_the_unit_changes_the_funding_column(panel):
    at = section(panel, "funding")
    model = panel.table.scanner
    headers = []
    for unit in ("interval", "year", "8h"):
        panel.tools.unit_chosen.emit(unit)
        headers.append(model.columns[at].header)
        assert model.headerData(at, Qt.Orientation.Horizontal).count("\n") == 1
    assert headers == ["Funding /interval, %", "Funding /year, %", "Funding /8h, %"]
    assert two_lines("Depth, USDT") == ("Depth", "\n", "USDT")
    assert two_lines("Coin") == ("Coin", "", "")


def test_columns_come_as_the_room_allows_or_as_chosen(qtbot, panel):
    table = panel.table
    wide = {column.key for column in table.shown_columns()}
    panel.resize(900, 400)
    qtbot.waitUntil(lambda: len(table.shown_columns()) < len(wide))
    narrow = {column.key for column in table.shown_columns()}
    assert narrow < wide
    assert {"coin", "long", "short", "net", TICKET} <= narrow
    panel.tools.columns_menu.aboutToShow.emit()
    actions = {a.data(): a for a in panel.tools.columns_menu.actions() if a.data()}
    assert actions["net"].isChecked()
    assert not actions["net"].isEnabled()
    actions["hazard"].trigger()
    assert "hazard" in {column.key for column in table.shown_columns()}
    assert table.horizontalScrollBar().maximum() >= 0
    panel.tools.columns_menu.actions()[0].trigger()
    assert {column.key for column in table.shown_columns()} == narrow


def test_what_was_chosen_is_saved_and_comes_back(qtbot, rig, panel):
    panel.table.choose_columns(["z", "funding"])
    panel.set_unit("year")
    panel.table.sort_asked.emit(section(panel, "z"))
    other = ScannerPanel(rig.context, THEME)
    qtbot.addWidget(other)
    other.restore(panel.save())
    assert other.save() == panel.save()
    other.restore({"columns": ["nothing", "z"], "unit": 3, "sort": "?"})
    assert other.save()["columns"] == ["z"]


def test_the_size_is_asked_for_when_it_is_one(qtbot, rig, panel):
    edit = panel.tools.size_edit
    assert edit.text() == "10,000"
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, "25,000")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert rig.sizes == [25_000.0]
    edit.selectAll()
    qtbot.keyClicks(edit, "lots")
    assert edit.property("bad")
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert edit.text() == "25,000"
    assert not edit.property("bad")
    assert rig.sizes == [25_000.0]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0", "A size of 0 USDT is outside 10 to 100,000,000 USDT; rows stay at 10,000 USDT."),
        ("-5", "A size of \u22125 USDT is outside 10 to"),
        ("5", "A size of 5 USDT is outside 10 to"),
        ("1000000000000", "A size of 1,000,000,000,000 USDT is outside 10 to"),
        ("1e12", "\u201c1e12\u201d is no size: write 10 to 100,000,000 USDT in digits; rows stay"),
        ("abc", "\u201cabc\u201d is no size: write 10 to 100,000,000 USDT in digits; rows stay"),
        (" ", "No size stands here: write 10 to 100,000,000 USDT in digits; rows stay at 10,000"),
    ],
)
def test_a_bad_size_is_refused_in_words_and_stays_until_it_is_mended(
    qtbot, rig, panel, typed, words
):
    edit, fault = panel.tools.size_edit, panel.tools.fault
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, typed)
    assert not fault.isVisible()  # it may become one
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert fault.isVisible()
    assert fault.text().startswith(words)
    assert edit.text() == typed
    panel.table.setFocus()
    rig.show_openings(replace(panel.table.scanner.openings, size=12_345.0))
    panel.refresh()
    assert edit.text() == typed
    assert edit.property("bad")
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, "25000")
    assert not fault.isVisible()
    assert not edit.property("bad")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert rig.sizes == [25_000.0]
    qtbot.keyClicks(edit, "x")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert edit.text() == "25,000"
    assert not fault.isVisible()


def test_size_and_chips_come_back_with_the_window(qtbot, rig, panel):
    panel.tools.size_edit.setText("25,000")
    panel.tools.size_edit.editingFinished.emit()
    rig.show_openings(replace(panel.table.scanner.openings, size=25_000.0))
    qtbot.mouseClick(panel.tools.chips.buttons["perp-perp"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.tools.chips.buttons["gain"], Qt.MouseButton.LeftButton)
    panel.set_search("ada")
    saved = json.loads(json.dumps(panel.save()))
    rig.sizes.clear()
    rig.context.scan_actions = None  # the window may stand before the scanner runs
    other = ScannerPanel(rig.context, THEME)
    qtbot.addWidget(other)
    other.restore(saved)
    other.refresh()
    assert other.tools.size_edit.text() == "25,000"
    assert other.tools.chips.keep == Keep(kind="perp-perp", gain=True)
    assert other.tools.chips.buttons["gain"].isChecked()
    assert other.save() == saved
    rig.context.scan_actions = rig
    other.refresh()
    other.refresh()
    assert rig.sizes == [25_000.0]


@pytest.mark.parametrize(
    "size", [None, 3, "x", [1, 2, 3], ["a", 0], [5.0, None], [math.nan, None], [1e12, None]]
)
def test_a_size_that_is_none_is_not_restored(qtbot, rig, size):
    panel = ScannerPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    of, held = rig.settings.scanner.size, 10_000.0  # as the openings are counted
    if isinstance(size, list) and len(size) == 2:
        size[1] = of
    panel.restore({"size": size, "chips": {"kind": "?", "gain": 1, "words": ["ada"]}})
    panel.restore({"size": [20_000.0, of + 1], "chips": 3})  # the settings say another one now
    assert rig.sizes == []
    panel.refresh()
    assert panel.tools.size_edit.size_held == held
    assert panel.tools.chips.keep == Keep()


def test_a_filter_shows_its_top_and_lets_go_of_a_row_that_is_hidden(qtbot, rig, panel):
    table, model = panel.table, panel.table.scanner
    bar = table.verticalScrollBar()

    def best_first():
        nets = nets_of(panel)
        return bar.value() == 0 and nets[0] == np.nanmax(nets)

    other = next(at for at in model.order.tolist() if model.openings.combos[at].coin == "ADA")
    table.choose(other)
    bar.setValue(900)
    table.touched.emit()
    rig.show_openings(turned(model.openings))
    panel.set_search("WIF")
    assert table.chosen() == -1
    assert not table.currentIndex().isValid()
    assert best_first()
    bar.setValue(300)
    panel.set_search("")
    assert best_first()
    assert table.chosen() == -1
    bar.setValue(300)
    qtbot.mouseClick(panel.tools.chips.buttons["perp-perp"], Qt.MouseButton.LeftButton)
    assert best_first()
    # one that is still shown stays selected, and the top is shown all the same
    kept = int(model.order[30])
    table.choose(kept, scroll=True)
    panel.set_search(model.openings.combos[kept].coin)
    assert table.chosen() == kept
    assert best_first()


def test_a_row_that_leaves_by_its_figures_selects_no_other(rig, panel, ticks):
    table, model = panel.table, panel.table.scanner
    o = model.openings
    nets = np.where(np.arange(len(o)) < 20, 5.0, -5.0)
    o = replace(o, net_bp=nets, capacity=np.full(len(o), 1e6), state=np.zeros_like(o.state))
    rig.show_openings(o)
    panel.tools.chips.show_keep(Keep(gain=True))
    assert model.rowCount() == 20
    gone = int(model.order[1])
    table.choose(gone)
    nets = nets.copy()
    nets[gone] = -5.0
    ticks.now_s += 2 * QUIET_S
    rig.show_openings(replace(model.openings, net_bp=nets))
    panel.refresh()
    assert gone not in model.order
    assert model.rowCount() > 0
    assert table.chosen() == -1


def test_arrows_begin_at_the_top_row_on_the_screen(qtbot, panel):
    table, model = panel.table, panel.table.scanner
    table.setFocus(Qt.FocusReason.TabFocusReason)
    panel.grab()  # with the frame
    assert table.chosen() == -1
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.chosen() == model.place(0)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.chosen() == model.place(1)


def test_button_enter_and_double_click_choose_an_opening(qtbot, panel):
    table, model = panel.table, panel.table.scanner
    chosen = []
    panel.opening_chosen.connect(chosen.append)

    def spot(row, key):
        return table.visualRect(model.index(row, section(panel, key))).center()

    view = table.viewport()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=spot(1, TICKET))
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=spot(1, "coin"))
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=spot(1, "coin"))
    combo = model.openings.combos[model.place(1)]
    assert len(chosen) == 3
    assert all(isinstance(choice, Choice) for choice in chosen)
    assert {frozenset(choice.pair) for choice in chosen} == {frozenset((combo.long, combo.short))}
    assert panel.tools.hint.text().startswith(f"In the ticket: {combo.coin} ")
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert table.chosen() == -1
    qtbot.mouseMove(view, spot(2, TICKET))
    assert panel.table.read_now
    qtbot.mouseMove(view, QPoint(5, 5))


def test_a_contradicted_opening_takes_half_and_says_so(rig, panel):
    model = panel.table.scanner
    rig.show_openings(replace(model.openings, flags=("contradicted",) * len(model.openings)))
    panel.refresh()
    chosen = []
    panel.opening_chosen.connect(chosen.append)
    panel.table.ticket_asked.emit(model.place(0))
    assert chosen[0].size == 5_000.0
    assert "half" in panel.tools.hint.text()


def test_export_writes_what_is_shown(qtbot, tmp_path, panel):
    panel.set_search("ada")
    panel.export_to(str(tmp_path / "shown"))
    said = (tmp_path / "shown.csv").read_bytes().decode()
    assert said.count("\r\n") == 45
    assert panel.tools.hint.text().startswith("Saved 44 rows to ")
    panel.export_to(str(tmp_path / "no" / "where.csv"))
    assert panel.tools.hint.text().startswith("Cannot write ")
    dialog = panel.ask_export()
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    dialog.close()


def test_a_pair_is_found_even_where_a_chip_hides_it(panel):
    o = panel.table.scanner.openings
    panel.tools.chips.show_keep(Keep(kind="perp-perp"))
    assert panel.show_pair((o.combos[0].long, o.combos[0].short))
    assert panel.table.chosen() == 0
    assert not panel.show_pair(("a", "b"))


def test_the_model_keeps_qts_rules_through_orders_and_sizes(qtbot, qtmodeltester):
    o = made_up_openings(1)
    model = ScannerModel(scan_columns(Terms()))
    qtmodeltester.check(model)
    model.show(o, first_order(o), range(20), range(10))
    held = model.index(7, 0)
    kept = QPersistentModelIndex(held)
    place = model.place(7)
    rng = np.random.default_rng(5)
    for size in (2_640, 40, 900, 1, 2_640):
        others = rng.permutation(np.setdiff1d(first_order(o), [place]))[: size - 1]
        model.show(o, rng.permutation(np.append(others, place)), range(20), range(10))
        assert model.rowCount() == size
        assert model.place(kept.row()) == place
    assert model.columnCount(model.index(0, 0)) == 0
    assert model.data(QModelIndex()) is None
    assert str(model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)).startswith("Coin")
    with pytest.raises(ValueError, match="same number"):
        model.set_columns(scan_columns(Terms())[:3])


def test_the_measure_runs_and_knows_its_rows(qtbot):
    figures = measure_scanner(size_px=(900, 400))
    assert figures["scan_rows"] == 2_640
    assert 0 < figures["scan_frame_ms"] <= figures["scan_frame_p99_ms"]
    assert figures["scan_refresh_ms"] > 0


class Paints(QObject):
    """What was painted of a widget, as rectangles."""

    def __init__(self, widget):
        super().__init__(widget)
        self.rects = []
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.rects.append(event.region().boundingRect())
        return False


def test_one_cell_that_changed_is_all_that_is_painted(qtbot, rig, panel):
    table, model = panel.table, panel.table.scanner
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)  # the focus that comes with it paints all
    qtbot.wait(50)
    paints = Paints(table.viewport())
    o, at = model.openings, section(panel, "cost")
    cost, target = o.cost_bp.copy(), np.full(len(o), -1e3)  # so that the break-even stays
    rig.show_openings(replace(o, to_fair_bp=target, payments=np.full(len(o), np.inf)))
    panel.refresh()
    qtbot.waitUntil(lambda: bool(paints.rects), timeout=2000)
    QApplication.processEvents()
    paints.rects.clear()
    o = model.openings
    cost[model.place(2)] += 5.0
    rig.show_openings(replace(o, cost_bp=cost))
    panel.refresh()
    qtbot.waitUntil(lambda: bool(paints.rects), timeout=2000)
    assert paints.rects == [table.visualRect(model.index(2, at))]
