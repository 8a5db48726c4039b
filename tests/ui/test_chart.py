"""The stack of panes: where things are, and what the pointer does."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPen, QWheelEvent

from basisdesk.ui.chart import Band, ChartView, Line, Mark, Outage, Pane, Tag
from basisdesk.ui.theme import DARK


@pytest.fixture
def chart(qtbot):
    panes = [Pane("top", 0.5), Pane("low", 0.5, unit="bp", signed=True)]
    panes[0].add_curve("a", QPen(QColor("red"), 0))
    panes[1].names_outages = True
    for pane, y in zip(panes, ((0.0, 1.0), (0.0, 100.0)), strict=True):
        pane.y = y
    view = ChartView(panes, DARK)
    qtbot.addWidget(view)
    view.resize(864, 417)
    view.show()
    view.limits = (0.0, 1000.0)
    view.set_window(900.0, 1000.0)
    view.show_frame()
    return view


def wheel(view, x: float, steps: int = 1, across: int = 0) -> None:
    spot = QPointF(x, 50)
    view.wheelEvent(
        QWheelEvent(
            spot,
            view.mapToGlobal(spot),
            QPoint(),
            QPoint(across * 120, steps * 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
    )


def drag(qtbot, view, start: QPoint, end: QPoint) -> None:
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(view.viewport(), left, pos=start)
    qtbot.mouseMove(view.viewport(), end)
    qtbot.mouseRelease(view.viewport(), left, pos=end)


def test_times_and_values_map_to_pixels_and_back(chart):
    low = chart.panes[1]
    assert chart.x_px(900.0) == 0.0
    assert chart.x_px(1000.0) == chart.plot_px
    assert chart.time_at(chart.x_px(937.5)) == pytest.approx(937.5)
    assert low.y_px(100.0) == pytest.approx(low.rect.top())
    assert low.value_at(low.y_px(33.0)) == pytest.approx(33.0)
    assert chart.pane_at(low.rect.center().y()) is low
    np.testing.assert_allclose(chart.x_px(np.array([900.0, 1000.0])), [0.0, chart.plot_px])


def test_panes_share_one_left_and_right(chart):
    assert {(p.rect.left(), p.rect.width()) for p in chart.panes} == {(0.0, chart.plot_px)}


def test_the_wheel_zooms_around_the_pointer(chart):
    chart.following = False
    before = chart.time_at(400)
    wheel(chart, 400)
    assert chart.t1_s - chart.t0_s == pytest.approx(80.0)
    assert chart.time_at(400) == pytest.approx(before)


def test_while_following_the_newest_time_stays_at_the_edge(chart):
    wheel(chart, 100, steps=-1)
    assert chart.t1_s == pytest.approx(1000.0)
    assert chart.t1_s - chart.t0_s == pytest.approx(125.0)


def test_a_sideways_wheel_pans(chart, qtbot):
    with qtbot.waitSignal(chart.ranged):
        wheel(chart, 100, steps=0, across=1)
    assert (chart.t0_s, chart.t1_s) == (890.0, 990.0)


def test_zoom_and_pan_stay_within_reason(chart):
    chart.following = False
    for _ in range(60):
        chart.zoom(0.5)
    assert chart.t1_s - chart.t0_s == pytest.approx(5.0)
    for _ in range(60):
        chart.zoom(2.0)
    assert chart.t1_s - chart.t0_s == pytest.approx(1150.0)
    for seconds in (1e9, -1e9):
        chart.pan(seconds)
        assert chart.t0_s < 1000.0
        assert chart.t1_s > 0.0


def test_dragging_the_plot_pans_it(chart, qtbot):
    drag(qtbot, chart, QPoint(400, 50), QPoint(480, 50))
    assert chart.t1_s == pytest.approx(1000.0 - 80 / chart.plot_px * 100.0)


def test_dragging_a_line_moves_it_and_says_where(chart, qtbot):
    low = chart.panes[1]
    low.lines = [Line("stop", 50.0, "loss", "stop 50 bp", drags=True)]
    start = QPoint(400, round(low.y_px(50.0)))
    end = QPoint(400, round(low.y_px(70.0)))
    with qtbot.waitSignal(chart.line_dragged) as moved:
        drag(qtbot, chart, start, end)
    name, value = moved.args
    assert name == "stop"
    assert isinstance(value, float)
    assert value == pytest.approx(70.0, abs=0.5)
    assert chart.t1_s == 1000.0  # the plot did not move
    assert chart.held is None


def test_a_line_cannot_be_dragged_out_of_its_pane(chart, qtbot):
    low = chart.panes[1]
    line = Line("stop", 50.0, "loss", "stop 50 bp", drags=True)
    low.lines = [line]
    drag(qtbot, chart, QPoint(400, round(low.y_px(50.0))), QPoint(400, 2))
    assert line.value <= 100.0


def test_a_line_far_outside_is_held_by_its_label(chart, qtbot):
    low = chart.panes[1]
    low.lines = [Line("stop", 900.0, "loss", "stop 900 bp", drags=True)]
    chart.grab()
    label = chart.label_rects["stop"]
    assert low.rect.contains(label)
    with qtbot.waitSignal(chart.line_dragged):
        drag(qtbot, chart, label.center().toPoint(), QPoint(60, round(low.y_px(40.0))))


def test_a_fixed_line_is_not_dragged(chart, qtbot):
    low = chart.panes[1]
    low.lines = [Line("entry", 50.0, "accent", "entry 50 bp")]
    drag(qtbot, chart, QPoint(400, round(low.y_px(50.0))), QPoint(480, 300))
    assert low.lines[0].value == 50.0
    assert chart.t1_s < 1000.0  # it panned


def test_the_pointer_says_which_time_it_is_at(chart, qtbot):
    chart.set_window(0.0, float(chart.plot_px))
    qtbot.mouseMove(chart.viewport(), QPoint(5, 5))  # a pointer that is there already does not move
    with qtbot.waitSignal(chart.hovered) as over:
        qtbot.mouseMove(chart.viewport(), QPoint(100, 50))
    assert over.args == [pytest.approx(100.0)]
    with qtbot.waitSignal(chart.hovered) as off:
        qtbot.mouseMove(chart.viewport(), QPoint(chart.plot_px + 20, 50))
    assert off.args == [None]


def test_labels_of_near_lines_do_not_overlap(chart):
    low = chart.panes[1]
    low.lines = [Line(str(i), 50.0 + i / 10, "loss", f"line {i}", drags=True) for i in range(6)]
    chart.grab()
    rects = [chart.label_rects[str(i)] for i in range(6)]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[i + 1 :])


def test_the_axis_grows_with_its_longest_tag_and_never_shrinks(chart):
    before = chart.axis_px
    chart.make_room("64,123.45678")
    grown = chart.axis_px
    chart.make_room("1")
    assert chart.axis_px == grown > before
    assert chart.panes[0].rect.width() == chart.plot_px


def test_everything_paints_even_where_there_is_little_or_strange_to_paint(chart, qtbot):
    low = chart.panes[1]
    nan = math.nan
    x = np.array([900.0, 950.0, 960.0, 1000.0])
    low.bands = [
        Band("basis", 0.1, x, np.array([1.0, nan, 3.0, 4.0]), np.array([5.0, 6.0, 7.0, 1e12])),
        Band("text", 0.1),
    ]
    low.lines = [Line("a", nan, "loss", "a"), Line("b", -1e9, "gain", "b", dashed=True)]
    low.tags = [Tag(nan, "x", "spot"), Tag(1e9, "+1 bp", "basis", hollow=True)]
    low.marks = [
        Mark(950.0 + i / 100, 50.0, "accent", "<b>opened</b>", up=i % 2 == 0) for i in range(40)
    ]
    low.dots = [(950.0, 20.0)] * 2000
    chart.outages = [Outage(0.0, 5000.0, "perp feed down 2 min"), Outage(1e12, 2e12, "never")]
    chart.pointer = QPointF(100, low.rect.center().y())
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    chart.panes[0].curves["a"].setData(x, np.array([0.1, nan, 0.5, 0.6]))
    chart.show_frame()
    assert not chart.grab().isNull()
    chart.note = "Waiting for the first prices."
    chart.resize(240, 180)
    assert not chart.grab().isNull()


def test_a_double_click_and_a_right_click_are_said(chart, qtbot):
    with qtbot.waitSignal(chart.reset_requested):
        qtbot.mouseDClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(50, 50))


def test_the_picture_changes_when_the_window_moves(chart):
    # pyqtgraph caches the background: then the grid would stand still while curves move
    first = chart.grab().toImage()
    chart.set_window(903.0, 1003.0)
    chart.show_frame()
    assert chart.grab().toImage() != first


def test_the_frame_of_the_keyboard_shows_when_tab_led_here(chart):
    chart.activateWindow()
    chart.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not chart.framed
    chart.clearFocus()
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    assert chart.framed
    chart.clearFocus()
    assert not chart.framed
