"""The three panes of a pair, and what a person does with them."""

import gc
import math
from decimal import Decimal

import numpy as np
import pytest
from chart_rig import NAN, NOW_NS, NOW_S, make_context, make_pair, opened, reduced
from msgspec.structs import replace
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QPushButton
from ui_rig import PERP, SPOT, Rig

from basisdesk.clock import mono_s
from basisdesk.config import Ui
from basisdesk.events import ClosePair, ExitPlan, OpenPair, SetPlan
from basisdesk.ui.basis_panel import BasisPanel
from basisdesk.ui.basis_scene import HELD_MOST, hull, own_of
from basisdesk.ui.chart_export import CsvExport
from basisdesk.ui.theme import DARK

D = Decimal


@pytest.fixture
def pair():
    return make_pair()


@pytest.fixture
def context(pair):
    return make_context(pair)


@pytest.fixture
def panel(qtbot, context):
    panel = BasisPanel(context, DARK)
    qtbot.addWidget(panel)
    panel.resize(1000, 620)
    panel.show()
    panel.refresh()
    return panel


def pane(panel, name):
    return next(p for p in panel.chart.panes if p.name == name)


def button(panel, text) -> QPushButton:
    return next(b for b in panel.findChildren(QPushButton) if b.text() == text)


def readout(panel) -> str:
    return panel._readout.text()


def test_the_newest_point_is_in_view_and_curves_fit_their_panes(panel, pair):
    chart = panel.chart
    assert chart.t0_s < NOW_S - 3400
    assert chart.t1_s > NOW_S
    for name, columns in (("price", ("spot", "perp")), ("basis", ("open_bp", "close_bp"))):
        lo, hi = pane(panel, name).y
        for column in columns:
            low, high = pair.series.bounds(column, chart.t0_s, chart.t1_s)
            assert lo < low
            assert high < hi


def test_a_curve_has_points_by_pixels_and_not_by_history(panel):
    x, _ = pane(panel, "basis").curves["open_bp"].getData()
    assert len(x) <= 4 * panel.chart.plot_px + 8


def test_last_values_stand_on_the_axis_with_sign_unit_and_decimals_of_the_tick(panel):
    assert [tag.text for tag in pane(panel, "price").tags] == ["0.36400", "0.36655"]
    assert [tag.text[-3:] for tag in pane(panel, "basis").tags] == [" bp", " bp"]
    assert pane(panel, "basis").tags[0].text.startswith("+")
    assert pane(panel, "funding").tags[0].text == "+0.0184 %"


def test_following_moves_with_the_newest_point(panel, pair):
    before = panel.chart.t1_s
    pair.series.push(NOW_S + 60, [0.364, 0.3665, 68, 67, 69, 66, 3, -4.5, 0.0184, NAN, NAN])
    panel.refresh()
    assert panel.chart.t1_s == pytest.approx(before + 60, abs=10)


def test_panning_pauses_and_says_so_and_follow_catches_up(panel, pair, qtbot):
    chart = panel.chart
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(chart.viewport(), left, pos=QPoint(300, 60))
    qtbot.mouseMove(chart.viewport(), QPoint(420, 60))
    qtbot.mouseRelease(chart.viewport(), left, pos=QPoint(420, 60))
    paused = button(panel, "Paused")
    assert not paused.isChecked()
    stood = chart.t1_s
    pair.series.push(NOW_S + 60, [0.364, 0.3665, 68, 67, 69, 66, 3, -4.5, 0.0184, NAN, NAN])
    panel.refresh()
    assert chart.t1_s == stood
    qtbot.mouseClick(paused, left)
    panel.refresh()
    assert button(panel, "Follow").isChecked()
    assert chart.t1_s > NOW_S + 60


def test_zooming_does_not_pause_but_leaves_the_quick_range(panel):
    panel.zoom(0.5)
    panel.refresh()
    assert panel.chart.following
    assert panel.chart.t1_s - panel.chart.t0_s == pytest.approx(1800.0)
    assert not button(panel, "1h").isChecked()


def test_quick_ranges_show_so_much(panel, qtbot):
    qtbot.mouseClick(button(panel, "5m"), Qt.MouseButton.LeftButton)
    panel.refresh()
    assert panel.chart.t1_s - panel.chart.t0_s == pytest.approx(300.0)
    assert button(panel, "5m").isChecked()
    qtbot.mouseClick(button(panel, "All"), Qt.MouseButton.LeftButton)
    panel.refresh()
    assert panel.chart.t0_s <= NOW_S - 3599


def test_keys_follow_and_zoom(panel, qtbot):
    panel.chart.setFocus()
    qtbot.keyClick(panel.chart, Qt.Key.Key_F)
    assert not panel.chart.following
    qtbot.keyClick(panel.chart, Qt.Key.Key_F)
    qtbot.keyClick(panel.chart, Qt.Key.Key_Plus)
    assert panel.chart.t1_s - panel.chart.t0_s == pytest.approx(3600 * 0.8)
    qtbot.keyClick(panel.chart, Qt.Key.Key_Minus)
    assert panel.chart.t1_s - panel.chart.t0_s == pytest.approx(3600)
    qtbot.keyClick(panel.chart, Qt.Key.Key_Home)
    panel.refresh()
    assert button(panel, "1h").isChecked()


def test_the_plan_stands_as_lines_and_dragging_one_says_where(panel, qtbot):
    panel.set_plan(58.0, 3.0, 120.0)
    panel.refresh()
    basis = pane(panel, "basis")
    lines = {line.name: line for line in basis.lines}
    assert {name: line.text for name, line in lines.items()} == {
        "entry": "entry 58 bp",
        "target": "target 3 bp",
        "stop": "stop 120 bp",
        "fair": "fair −4.5 bp",
    }
    assert [line.drags for line in basis.lines] == [False, True, True, False]
    chart, left = panel.chart, Qt.MouseButton.LeftButton
    for name, signal in (("target", panel.target_dragged), ("stop", panel.stop_dragged)):
        y = round(basis.y_px(lines[name].value))
        qtbot.mousePress(chart.viewport(), left, pos=QPoint(500, y))
        with qtbot.waitSignal(signal) as moved:
            qtbot.mouseMove(chart.viewport(), QPoint(500, y - 12))
        panel.refresh()
        qtbot.mouseRelease(chart.viewport(), left, pos=QPoint(500, y - 12))
        assert isinstance(moved.args[0], float)
        assert moved.args[0] > lines[name].value - 1
    panel.set_plan(None, None, None)
    panel.refresh()
    assert [line.name for line in basis.lines] == ["fair"]


def test_the_entry_line_has_a_grip_only_when_somebody_listens(panel):
    moved = []
    panel.entry_dragged.connect(moved.append)
    panel.set_plan(58.0, None, None)
    panel.refresh()
    assert pane(panel, "basis").lines[0].drags


def test_a_line_within_reach_widens_the_pane_and_a_far_one_does_not(panel):
    panel.set_plan(None, 3.0, 120.0)
    panel.refresh()
    assert pane(panel, "basis").y[1] > 120.0
    panel.set_plan(None, 3.0, 5000.0)
    panel.refresh()
    assert pane(panel, "basis").y[1] < 1000.0


def test_the_cost_zone_lies_on_the_side_of_the_direction(panel):
    for direction, sign in ((1, 1), (-1, -1), (0, 1)):  # 0: the basis stands above fair value
        panel.set_direction(direction)
        panel.refresh()
        zone = pane(panel, "basis").bands[1]
        np.testing.assert_allclose(zone.high - zone.low, sign * 35.1)


def test_trades_are_marked(panel, context):
    context.engine.outcomes.extend([opened(), reduced(), opened(NOW_S - 90_000)])
    panel.refresh()
    marks = pane(panel, "basis").marks
    assert [(mark.text, mark.up) for mark in marks] == [
        ("opened 10,000  +61.3 bp", False),
        ("reduced 50 %  +2.7 bp", True),
    ]


def test_an_outage_is_shaded_named_and_not_bridged(qtbot):
    pair = make_pair()
    pair.series.push_gap(NOW_S + 1)
    pair.series.push(NOW_S + 121, [0.364, 0.3665, 68, 67, 69, 66, 3, -4.5, 0.0184, NAN, NAN])
    pair.outages.append((NOW_S + 1, NOW_S + 121, "perp feed down"))
    pair.outages.append((NOW_S + 200, None, "spot feed down"))
    context = make_context(pair)
    context.engine.now_ns = int((NOW_S + 230) * 1e9)
    panel = BasisPanel(context, DARK)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh()
    assert panel.chart.outages[0].text == "perp feed down 2 min"
    _, y = pane(panel, "basis").curves["open_bp"].getData()
    assert np.isnan(y).any()
    panel.grab()


def test_stale_quotes_leave_hollow_tags(panel, pair):
    pair.now = replace(pair.now, stale="Perp quote is 4.2 s old (limit 2 s). Waiting for Bybit.")
    panel.refresh()
    assert all(tag.hollow for p in panel.chart.panes for tag in p.tags)


def test_backfilled_rows_show_their_mid_alone(qtbot):
    pair = make_pair(rows=2)
    pair.series.clear()
    for minute in range(60):
        t = NOW_S - 60 * (60 - minute)
        pair.series.push(t, [0.364, 0.3665, 68 + minute, *[NAN] * 8])
    pair.now = replace(pair.now, open_bp=NAN, close_bp=NAN, fair_bp=NAN, round_trip_bp=NAN)
    panel = BasisPanel(make_context(pair), DARK)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh()
    basis = pane(panel, "basis")
    assert basis.y[0] < 68
    assert basis.y[1] > 127
    assert [tag.hollow for tag in basis.tags] == [True]
    assert not panel.grab().isNull()


def test_the_read_out_tells_the_row_at_the_crosshair(panel, qtbot):
    assert readout(panel).startswith("2026-11-21 05:40:50 UTC   spot 0.36400")
    x = round(panel.chart.x_px(NOW_S - 1800))
    qtbot.mouseMove(panel.chart.viewport(), QPoint(x, 100))
    assert "05:10" in readout(panel)
    assert "mid +40" in readout(panel) or "mid +39" in readout(panel)
    assert "funding +0.0184 %" in readout(panel)
    panel.chart.pan(-5000)
    panel._on_chart_hovered(NOW_S - 5000)
    assert "before the first price" in readout(panel)


def test_no_pair_and_no_prices_yet_are_said_in_words(qtbot):
    context = make_context(None)
    panel = BasisPanel(context, DARK)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh()
    assert panel.chart.note.startswith("No pair on the screen")
    pair = make_pair()
    pair.series.clear()
    context.engine.pair = pair
    panel.refresh()
    assert panel.chart.note == (
        "Waiting for the first prices of Bybit spot ADAUSDT and Bybit perp ADAUSDT."
    )
    panel.grab()


def test_another_pair_starts_with_its_own_ranges(panel, context):
    other = make_pair(rows=100)
    other.series.clear()
    for i in range(100):
        t = NOW_S - 10 + i / 10
        other.series.push(t, [64_000.0, 64_100.0, 15, 14, 16, 15, 1, -4.5, 0.01, NAN, NAN])
    context.engine.pair = other
    panel.refresh()
    assert pane(panel, "price").y[0] > 60_000
    assert panel.chart.following


def test_export_csv_writes_the_rows_in_view_without_a_nested_loop(panel, qtbot, tmp_path):
    path = tmp_path / "basis.csv"
    panel.show_range("5m")
    panel.refresh()
    panel._save_csv(str(path.with_suffix("")))
    qtbot.waitUntil(lambda: readout(panel).startswith("Saved"), timeout=5000)
    lines = path.read_text().splitlines()
    assert lines[0] == (
        "time_utc,spot,perp,mid_bp,open_bp,close_bp,mean_bp,sd_bp,fair_bp,funding_pct,"
        "combo_bid_bp,combo_ask_bp"
    )
    assert lines[-1].startswith("2026-11-21T05:40:50.000Z,0.364,")
    assert 2_850 < len(lines) - 1 <= 3_000


def test_an_export_that_reaches_beyond_the_samples_says_how_far_apart_its_rows_are(qtbot, tmp_path):
    said, exports = [], []
    for since_s in (3_000, 3_590):
        series = make_pair(capacity=3_000).series
        window = NOW_S - since_s, NOW_S - since_s + 2_995
        export = CsvExport(str(tmp_path / f"{since_s}.csv"), series, *window)
        export.ended.connect(said.append)
        exports.append(export)
        export.start()
    qtbot.waitUntil(lambda: len(said) == 2, timeout=5000)
    said.sort(key=len)
    assert said[1].endswith("Rows before 05:35:50 UTC are 2 s apart (the last of each 2 s).")
    assert said[0].endswith("Rows are 2 s apart (the last of each 2 s).")


def test_export_png_writes_a_picture(panel, tmp_path):
    panel._save_png(str(tmp_path / "basis"))
    assert (tmp_path / "basis.png").read_bytes().startswith(b"\x89PNG")
    assert readout(panel).startswith("Saved ")


@pytest.mark.parametrize("save", ["_save_png", "_save_csv"])
def test_a_file_that_cannot_be_written_is_said(panel, save, tmp_path):
    getattr(panel, save)(str(tmp_path / "no" / "such" / "folder"))
    assert readout(panel).startswith("Cannot write ")


@pytest.mark.qt_log_ignore("grabbing the keyboard")  # the offscreen platform and menus
def test_the_menu_and_the_file_dialog_do_not_block(panel, qtbot):
    panel._on_menu_requested(panel.mapToGlobal(QPoint(100, 100)))
    actions = {action.text(): action for action in panel._menu.actions()}
    assert list(actions) == ["Export PNG…", "Export CSV…", "", "Reset zoom"]
    panel._menu.hide()
    actions["Export CSV…"].trigger()
    (dialog,) = panel.findChildren(QFileDialog)
    dialog.reject()


def test_local_times_carry_the_local_zone(qtbot):
    panel = BasisPanel(make_context(make_pair(), ui=Ui(utc=False)), DARK)
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh()
    panel.grab()
    assert readout(panel).split("   ")[0].count(" ") >= 2


def test_an_hour_is_drawn_in_a_frame(panel):
    panel.show_range("All")
    panel.refresh()
    panel.grab()
    took = []
    for _ in range(15):
        began = mono_s()
        panel.refresh()
        panel.chart.viewport().grab()
        took.append(mono_s() - began)
    assert min(took) < 0.033


def test_hull_ignores_what_is_not_there():
    assert hull([(1.0, 2.0), (NAN, NAN), (-1.0, 0.5)]) == (-1.0, 2.0)
    assert all(math.isnan(v) for v in hull([(NAN, NAN)]))
    assert NOW_NS


def test_a_closed_panel_leaves_nothing_behind(qtbot, qapp):
    context = make_context(make_pair(rows=500, capacity=600))

    def alive() -> int:
        gc.collect()
        return sum(isinstance(thing, BasisPanel) for thing in gc.get_objects())

    before = alive()
    for _ in range(4):
        panel = BasisPanel(context, DARK)
        panel.entry_dragged.connect(context.engine.outcomes.append)
        panel.show()
        panel.refresh()
        panel.grab()
        panel.close()
        panel.deleteLater()
        del panel
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert alive() <= before  # panels of other tests may go meanwhile


def test_a_narrow_read_out_leaves_whole_figures_out(panel, qtbot):
    assert readout(panel).endswith("funding +0.0184 %")
    panel.setStyleSheet(DARK.style_sheet())
    qtbot.waitUntil(lambda: panel.minimumWidth() <= 480)
    panel.resize(480, 500)
    qtbot.waitUntil(lambda: panel._readout.width() < 480)
    panel.refresh()
    room = panel._readout.width()
    assert panel._readout.fontMetrics().horizontalAdvance(readout(panel)) <= room
    assert readout(panel).endswith(("spot 0.36400", "perp 0.36655", " bp"))


# --- the plan of an open pair ---------------------------------------------------------------------


@pytest.fixture
def held(qtbot):
    rig = Rig().begin()
    for n in range(60):
        rig.move(0.3640, 66 + n % 5, levels=8)
    rig.submit(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D("-2.5"), D(109), D(72))))
    rig.sent.clear()
    panel = BasisPanel(rig.context, DARK)
    qtbot.addWidget(panel)
    panel.resize(1000, 620)
    panel.show()
    panel.set_plan(60.0, 0.0, 120.0)
    panel.show_pair(1)
    panel.refresh()
    panel.chart.grab()
    panel.rig = rig
    return panel


def lines_of(panel):
    return {line.name: line for line in pane(panel, "basis").lines}


def test_the_selected_pair_shows_its_own_plan_beside_the_tickets(held):
    lines = lines_of(held)
    assert lines["own 1 target"].text == "#1 target \u22122.5 bp"
    assert lines["own 1 stop"].text == "#1 stop 109 bp"
    assert lines["own 1 entry"].text.startswith("#1 entry 6")
    assert not lines["own 1 entry"].drags
    assert lines["own 1 stop"].drags
    assert not lines["own 1 target"].dashed
    assert (lines["stop"].dashed, lines["stop"].colour) == (True, "muted")
    assert lines["stop"].text == "ticket stop 120 bp"


def test_the_lines_of_what_is_held_stay_when_nothing_is_selected(held):
    held.show_pair(0)
    held.refresh()
    lines = lines_of(held)
    assert (lines["own 1 stop"].colour, lines["own 1 stop"].drags) == ("loss", False)
    assert lines["stop"].dashed
    rig = held.rig
    for _ in range(HELD_MOST):
        rig.submit(OpenPair(SPOT, PERP, D(500), D(2), ExitPlan(D(-3), D(112), D(72))))
    held.refresh()
    shown = {own_of(name)[0] for name in lines_of(held) if own_of(name)}
    newest = sorted(rig.engine.desk.pairs)[-HELD_MOST:]
    assert shown == set(newest)
    held.show_pair(1)  # the selected one first, whatever its age
    held.refresh()
    lines = lines_of(held)
    assert {own_of(name)[0] for name in lines if own_of(name)} == {1, *newest[1:]}
    assert [name for name, line in lines.items() if line.drags and own_of(name)] == [
        "own 1 target",
        "own 1 stop",
    ]


def test_another_chart_of_these_legs_shows_what_is_held(held, qtbot):
    beside = BasisPanel(held.rig.context, DARK, held.rig.engine.shown)
    qtbot.addWidget(beside)
    beside.refresh()
    assert {"own 1 entry", "own 1 target", "own 1 stop"} <= lines_of(beside).keys()


def test_dragging_a_line_of_the_pair_moves_its_plan_once_on_release(held, qtbot):
    chart, rig = held.chart, held.rig
    rig.deaf = True
    basis = pane(held, "basis")
    left, x = Qt.MouseButton.LeftButton, chart.plot_px // 2
    ticket = []
    held.stop_dragged.connect(ticket.append)
    start = QPoint(x, round(basis.y_px(109.0)))
    qtbot.mousePress(chart.viewport(), left, pos=start)
    for step in (5, 11, 17):
        qtbot.mouseMove(chart.viewport(), start + QPoint(0, step))
        held.refresh()
    assert rig.sent == []
    value = chart.held.value
    assert lines_of(held)["own 1 stop"].value == value < 109
    qtbot.mouseRelease(chart.viewport(), left, pos=start + QPoint(0, 17))
    (sent,) = rig.sent
    assert sent == SetPlan(1, ExitPlan(D("-2.5"), sent.exit.stop_bp, D(72)))
    assert abs(float(sent.exit.stop_bp) - value) <= 0.25
    assert sent.exit.stop_bp % D("0.5") == 0
    assert ticket == []


def test_a_click_on_a_line_of_the_pair_moves_nothing(held, qtbot):
    basis = pane(held, "basis")
    spot = QPoint(held.chart.plot_px // 2, round(basis.y_px(109.0)))
    qtbot.mouseClick(held.chart.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert held.rig.sent == []


def test_a_closed_pair_has_no_lines(held):
    held.rig.submit(ClosePair(1))
    held.refresh()
    assert not [name for name in lines_of(held) if name.startswith("own")]
    assert lines_of(held)["stop"].text == "stop 120 bp"
    assert not lines_of(held)["stop"].dashed


def test_settled_and_indicative_funding_are_two_curves(panel, pair):
    live_s = NOW_S - 1200
    pair._live_s = live_s  # the rows before came from candles
    panel.refresh()
    funding = pane(panel, "funding")
    past, _ = funding.curves["settled_pct"].getData()
    live, _ = funding.curves["funding_pct"].getData()
    assert past[-1] < live_s <= live[0]
    assert [note.text for note in funding.notes] == ["settled", "indicative"]
    assert len(past) <= 8 * panel.chart.plot_px + 16
    panel.chart.grab()
    pair._live_s = 0.0
    panel.refresh()
    assert [note.text for note in funding.notes] == ["indicative"]
