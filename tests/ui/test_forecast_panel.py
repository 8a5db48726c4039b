"""The forecast panel: every part in sight at any size, calm when nothing is known, and cheap."""

from dataclasses import replace
from itertools import combinations

import pytest
from forecast_made import NOW_NS, PAIR, make_pair, make_report, make_score, make_view, young_view
from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QHelpEvent
from ui_rig import Rig

from basisdesk.config import Ui
from basisdesk.events import Changed
from basisdesk.forecast.table import INDEX, N
from basisdesk.forecast.view import Skill
from basisdesk.ui.forecast_charts import ReliabilityView, ScoreBar
from basisdesk.ui.forecast_panel import TABS, ForecastPanel, Room, plan_of
from basisdesk.ui.forecast_proof_rows import reliability_of
from basisdesk.ui.forecast_rows import NO_EVIDENCE, NO_FORECAST, Gauge, gauge_of
from basisdesk.ui.theme import DARK, LIGHT, theme_for

SIZES = [
    (1280, 206), (1280, 300), (1280, 700), (2560, 345), (2560, 900), (1000, 260), (700, 260),
    (420, 800), (900, 800), (320, 160),
]  # fmt: skip


def make_panel(qtbot, view=None, size=(1280, 250), theme=DARK):
    rig = Rig()
    rig.context.forecast = view
    panel = ForecastPanel(rig.context, theme)
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show()
    panel.refresh()
    return panel


# --- places ---------------------------------------------------------------------------------------


def plan(size, front="Evidence", scale=1.0):
    room = Room(QSize(*size), lambda px: round(px * scale), lambda _: 110, lambda _: 190)
    return plan_of(room, front)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("front", list(TABS))
def test_parts_are_inside_and_never_on_each_other(size, front):
    found = plan(size, front)
    rects = [*found.blocks.values(), *([found.tabs] if found.tabs is not None else [])]
    for rect in rects:
        assert rect.left() >= 0
        assert rect.top() >= 0
        assert rect.right() < size[0]
        assert rect.bottom() < size[1]
        assert rect.width() > 0
    assert not any(a.intersects(b) for a, b in combinations(rects, 2))


@pytest.mark.parametrize("size", SIZES)
def test_every_part_can_be_brought_into_sight(size):
    seen = {name for front in TABS for name in plan(size, front).blocks}
    assert seen == {"score", "lines", "features", "proof", "signals"}


def test_the_more_room_the_more_stands_side_by_side():
    assert set(plan((420, 300)).names) == set(TABS)
    assert plan((420, 800)).names == ("Features", "Evidence", "Signals")
    assert plan((1000, 260)).names == ("Features", "Evidence", "Signals")
    assert plan((1280, 250)).names == ("Evidence", "Signals")
    assert plan((1280, 700)).names == plan((2560, 345)).names == plan((2560, 900)).names == ()
    assert plan((1280, 250), scale=1.5).names == ("Features", "Evidence", "Signals")


# --- the panel ------------------------------------------------------------------------------------


def test_it_cares_for_the_forecast_alone(qtbot):
    assert make_panel(qtbot).cares_about == Changed.FORECAST


@pytest.mark.parametrize("theme", [DARK, LIGHT, theme_for(Ui(theme="contrast", font_scale=1.5))])
@pytest.mark.parametrize("size", [(1280, 206), (420, 300), (2560, 345)])
@pytest.mark.parametrize("make", [make_view, young_view])
def test_it_paints_at_every_size(qtbot, theme, size, make):
    panel = make_panel(qtbot, make(), size, theme)
    for name in TABS:
        panel.bring(name)
        panel.grab()


def test_nothing_learned_is_said_and_calm(qtbot):
    panel = make_panel(qtbot, young_view())
    assert panel.score.bar.gauge.figure == NO_EVIDENCE
    assert panel.score.verdict.text().startswith("Abstains: warm-up")
    assert panel.proof.verdict.text().startswith("Not enough evidence")
    assert panel.features.foot.text().startswith("Nothing is learned yet")
    panel.bring("Signals")
    assert panel.signals.table.proxy.rowCount() == 0
    assert "No candidate yet" in panel.signals.table.empty_text


def test_without_a_forecast_it_says_so(qtbot):
    panel = make_panel(qtbot)
    assert panel.score.verdict.text() == NO_FORECAST
    assert panel.features.table.empty_text == NO_FORECAST
    assert panel.features.foot.isHidden()
    panel.grab()


def test_a_view_that_has_learned_is_shown(qtbot):
    panel = make_panel(qtbot, make_view(), (2560, 345))
    assert panel.score.bar.gauge.figure == "72.4 %"
    assert panel.score.verdict.text() == "Below p* 83.6\u00a0%: no trade"
    assert len(panel.features.table.rows_model.rows) == N
    assert len(panel.signals.table.rows_model.rows) == 40
    assert panel.proof.curve.curve.points
    assert panel.lines.shown[0].name == "Expected hold"


@pytest.mark.parametrize("size", [(1280, 700), (2560, 345), (900, 900)])
def test_no_text_of_the_lines_is_cut(qtbot, size):
    panel = make_panel(qtbot, make_view(), size)
    panel.grab()
    for name, text in panel.lines._labels[: len(panel.lines.shown)]:
        assert text.height() >= text.heightForWidth(text.width())
        assert name.width() >= name.sizeHint().width()
    verdict = panel.score.verdict
    assert verdict.height() >= verdict.heightForWidth(verdict.width())


def test_lines_that_are_gone_go(qtbot):
    panel = make_panel(qtbot, make_view())
    panel._context.forecast = make_view(shown=None)
    panel.refresh()
    assert [line.name for line in panel.lines.shown] == ["Outside numbers"]
    shown = [text.text() for _, text in panel.lines._labels if not text.isHidden()]
    assert shown == ["no source"]


def test_the_tabs_bring_a_part_to_the_front_and_fill_it(qtbot):
    panel = make_panel(qtbot, make_view())
    assert panel.shown == ("score", "lines", "features", "proof")
    assert not panel.signals.table.rows_model.rows  # not in sight, not filled
    qtbot.mouseClick(panel.choices["Signals"], Qt.MouseButton.LeftButton)
    assert panel.shown == ("score", "lines", "features", "signals")
    assert panel.signals.table.rows_model.rows
    assert panel.choices["Signals"].isChecked()
    panel.resize(420, 300)
    assert panel.shown == ("signals",)
    panel.resize(1280, 700)
    assert panel.shown == ("score", "lines", "features", "proof", "signals")
    assert panel._tabs.isHidden()


def test_a_part_that_comes_into_sight_by_size_is_filled(qtbot):
    panel = make_panel(qtbot, make_view(), (420, 300))
    assert not panel.features.table.rows_model.rows
    panel.resize(1280, 300)
    assert len(panel.features.table.rows_model.rows) == N


def test_features_of_one_group(qtbot):
    panel = make_panel(qtbot, make_view())
    groups = panel.features.groups
    groups.setCurrentIndex(groups.findData("B"))
    assert panel.features.table.proxy.rowCount() == 10
    groups.setCurrentIndex(0)
    assert panel.features.table.proxy.rowCount() == N


def test_features_sort_by_their_part_and_what_is_missing_stands_last(qtbot):
    panel = make_panel(qtbot, make_view())
    table = panel.features.table
    last = len(table.rows_model.columns) - 1
    table.sortByColumn(last, Qt.SortOrder.AscendingOrder)
    places = [table.proxy.mapToSource(table.proxy.index(at, 0)).row() for at in range(N)]
    names = [table.rows_model.row(place).name for place in places]
    assert names[0] == "rv_10m"
    assert set(names[-5:]) == {"tsign_f", "int_ratio", "xv_f", "xv_b", "lead"}


def test_every_column_of_both_tables_reads_every_row(qtbot):
    panel = make_panel(qtbot, make_view(), (2560, 900))
    for table in (panel.features.table, panel.signals.table):
        for row in table.rows_model.rows:
            for column in table.rows_model.columns:
                assert isinstance(column.text(row), str)
                for read in (column.sort, column.meaning, column.detail, column.gauge):
                    if read is not None:
                        read(row)


def test_a_beat_that_moved_nothing_repaints_nothing(qtbot):
    panel = make_panel(qtbot, make_view(), (2560, 345))
    panel.grab()
    rows = list(panel.features.table.rows_model.rows)
    panel._context.forecast = replace(panel._context.forecast, version=8)
    panel.refresh()
    kept = panel.features.table.rows_model.rows
    assert all(one is other for one, other in zip(rows, kept, strict=True))
    signals = list(panel.signals.table.rows_model.rows)
    panel.refresh()
    now = panel.signals.table.rows_model.rows
    assert all(one is other for one, other in zip(signals, now, strict=True))


def test_a_sum_that_fails_is_red(qtbot):
    score = make_score(logit=9.0)
    panel = make_panel(qtbot, make_view(pairs={PAIR: make_pair(score=score)}))
    assert "miss the logit" in panel.features.foot.text()
    ink = panel.features.foot.palette().windowText().color()
    assert ink.name() == DARK.qcolor("loss").name()


# --- what is painted ------------------------------------------------------------------------------


def make_bar(qtbot, gauge, wide=300):
    bar = ScoreBar(DARK)
    qtbot.addWidget(bar)
    bar.resize(wide, bar.height())
    bar.show_gauge(gauge)
    return bar


def test_p_star_stands_at_its_place_on_the_scale(qtbot):
    bar = make_bar(qtbot, gauge_of(make_view()))
    picture = bar.grab().toImage()
    scale = bar._scale()
    x = round(bar._x(0.836))
    assert picture.pixelColor(x, round(scale.center().y())).name() == DARK.warn.lower()
    inside = picture.pixelColor(round(bar._x(0.65)), round(scale.center().y()))
    outside = picture.pixelColor(round(bar._x(0.3)), round(scale.center().y()))
    assert inside.blue() > outside.blue() + 40
    assert bar.accessibleDescription() == "72.4 %. 61.4 to 81.4 %. p* 83.6 % + 2 %"


@pytest.mark.parametrize("star", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_p_star_at_the_ends_of_the_scale(qtbot, star):
    gauge = replace(gauge_of(make_view()), p=star, low=star, high=star, p_star=star)
    make_bar(qtbot, gauge, 120).grab()


def test_a_gauge_without_figures_is_a_scale_alone(qtbot):
    bar = make_bar(qtbot, Gauge())
    bar.grab()
    assert bar.sizeHint().height() == bar.height()


def test_the_bin_under_the_pointer_says_what_came(qtbot):
    view = ReliabilityView(DARK)
    qtbot.addWidget(view)
    view.resize(240, 200)
    view.show_curve(reliability_of(make_view()))
    view.grab()
    room = view._plot()
    point = view.curve.points[4]
    spot = view._at(room, point.said, point.came)
    assert view.point_at(spot.x(), spot.y()) is point
    assert view.point_at(2.0, 2.0) is None
    for at in (spot.toPoint(), QPoint(1, 1)):
        assert view.event(QHelpEvent(QEvent.Type.ToolTip, at, view.mapToGlobal(at)))
    assert "came true" in view.accessibleDescription()


def test_a_dot_lies_where_said_and_came_meet(qtbot):
    view = ReliabilityView(DARK)
    qtbot.addWidget(view)
    view.resize(300, 260)
    view.show_curve(reliability_of(make_view(skill=Skill(NOW_NS, make_report()))))
    picture = view.grab().toImage()
    room = view._plot()
    for point in view.curve.points:
        spot = view._at(room, point.said, point.came)
        ink = picture.pixelColor(spot.toPoint())
        assert (ink.name() == DARK.accent.lower()) == point.enough


def test_a_part_that_speaks_for_the_trade_is_right_of_the_line(qtbot):
    panel = make_panel(qtbot, make_view(), (2560, 345))
    table = panel.features.table
    last = len(table.rows_model.columns) - 1
    picture = table.viewport().grab().toImage()

    def inks(name):
        at = table.proxy.mapFromSource(table.rows_model.index(INDEX[name], last))
        rect = table.visualRect(at)
        y = rect.center().y()
        names = [picture.pixelColor(x, y).name() for x in range(rect.left(), rect.right())]
        line = DARK.line.lower()
        return names[: names.index(line)], names[names.index(line) + 1 :]

    left, right = inks("x_fair")
    assert DARK.gain.lower() in right
    assert DARK.loss.lower() not in left
    left, right = inks("b_exec_in")
    assert DARK.loss.lower() in left
    assert DARK.gain.lower() not in right


@pytest.mark.parametrize("size", [*SIZES, (380, 700), (330, 300)])
@pytest.mark.parametrize("front", list(TABS))
def test_no_figure_is_cut_at_any_size(qtbot, size, front):
    panel = make_panel(qtbot, make_view(), size)
    panel.bring(front)
    panel.grab()
    proof = panel.proof
    if not proof.isHidden():
        assert proof.facts.geometry().right() <= proof.width()
        assert not proof.facts.horizontalScrollBar().maximum()
        metrics = proof.facts.fontMetrics()
        for row in proof.facts.rows_model.rows:
            assert metrics.horizontalAdvance(row.text) + 12 <= proof.facts.columnWidth(1), row
    for block in (panel.features, panel.signals):
        if not block.isHidden() and size[0] >= 420:
            assert not block.table.horizontalScrollBar().maximum()
