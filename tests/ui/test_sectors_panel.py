"""The sector panel: lines with names that never overlap, heat map, table, rotation block."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent
from sector_view import NAMES, STEP_MS, T0_MS, make_view, row
from ui_rig import Rig

from basisdesk.config import Ui
from basisdesk.events import Changed
from basisdesk.scan.view import ScanView
from basisdesk.scan.words import SectorView
from basisdesk.ui.sector_chart import SectorChart, sector_colour
from basisdesk.ui.sector_heat import SectorHeat
from basisdesk.ui.sectors_panel import NO_SCAN, SectorsPanel, title_text
from basisdesk.ui.theme import DARK, LIGHT, contrast, theme_for


def make_panel(qtbot, view=None, theme=DARK, size=(1280, 300)):
    rig = Rig()
    rig.context.scan = None if view is None else ScanView(sectors=view)
    panel = SectorsPanel(rig.context, theme)
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show()
    panel.refresh()
    return panel


def make_chart(qtbot, view, size=(900, 260)):
    chart = SectorChart(DARK)
    qtbot.addWidget(chart)
    chart.resize(*size)
    chart.show()
    chart.show_view(view)
    chart.grab()
    return chart


def flat(z=0.0):
    """All sectors end at the same place."""
    view = make_view()
    for line in view.z_lines.values():
        line[-1] = z
    return view


@pytest.mark.parametrize("size", [(900, 260), (420, 180), (2300, 1000)])
@pytest.mark.parametrize("z", [None, 0.0, 30.0, -30.0])
def test_names_at_the_right_end_never_overlap_and_none_is_cut(qtbot, size, z):
    chart = make_chart(qtbot, make_view() if z is None else flat(z), size)
    rects = chart._end_scribe.rects
    assert set(rects) == set(NAMES)
    assert not any(a.intersects(b) for a, b in combinations(rects.values(), 2))
    for rect in rects.values():
        assert rect.left() > chart.plot_px
        assert rect.top() >= 0
        assert rect.bottom() <= chart.pane.rect.bottom() + 0.5


def test_the_lines_of_the_state_are_dashed_and_always_in_sight(qtbot):
    chart = make_chart(qtbot, make_view())
    assert [(line.value, line.dashed) for line in chart.pane.lines] == [(1.5, True), (-1.5, True)]
    lo, hi = chart.pane.span
    assert lo < -1.5
    assert hi > 1.5


def test_one_wild_figure_does_not_flatten_the_others(qtbot):
    view = make_view()
    view.z_lines["RWA"][100] = 500.0
    assert make_chart(qtbot, view).pane.span[1] < 12


def test_the_window_begins_where_something_is_known_and_follows(qtbot):
    view = make_view()
    chart = make_chart(qtbot, view)
    assert chart.t0_s == T0_MS / 1000 + 21 * STEP_MS / 1000
    assert chart.t1_s == view.times_ms[-1] / 1000
    later = make_view(stamps=201)
    chart.show_view(later)
    assert chart.t1_s == later.times_ms[-1] / 1000


def test_a_window_that_a_person_moved_stays_and_a_double_click_brings_it_back(qtbot):
    view = make_view()
    chart = make_chart(qtbot, view)
    chart.pan(-20 * 86_400)
    moved = (chart.t0_s, chart.t1_s)
    assert not chart.following
    chart.show_view(make_view(stamps=201))
    assert (chart.t0_s, chart.t1_s) == moved
    at = int(np.searchsorted(chart._t_s, chart.t1_s, side="right")) - 1
    ends = {end.name: end.z for end in chart.shown_ends()}
    assert ends["L1"] == make_view(stamps=201).z_lines["L1"][at]
    qtbot.mouseDClick(chart.viewport(), Qt.MouseButton.LeftButton)
    assert chart.following


def test_the_sector_under_the_pointer_stands_out(qtbot):
    chart = make_chart(qtbot, make_view())
    pens = {name: curve.opts["pen"].color().name() for name, curve in chart.pane.curves.items()}
    with qtbot.waitSignal(chart.pointed) as said:
        chart._point(chart._end_scribe.rects["AI"].center())
    assert said.args == ["AI"]
    now = {name: curve.opts["pen"].color().name() for name, curve in chart.pane.curves.items()}
    assert now["AI"] == pens["AI"]
    assert all(now[name] != pens[name] for name in NAMES if name != "AI")
    chart._point(QPointF(5, 5))
    assert {n: c.opts["pen"].color().name() for n, c in chart.pane.curves.items()} == pens


def test_a_curve_is_as_wide_as_said_in_px_and_a_state_is_wider(qtbot):
    chart = make_chart(qtbot, make_view())
    pens = {name: curve.opts["pen"] for name, curve in chart.pane.curves.items()}
    assert all(pen.isCosmetic() for pen in pens.values())
    assert (pens["DeFi"].widthF(), pens["L1"].widthF()) == (2.0, 1.0)


def test_another_map_makes_other_curves(qtbot):
    chart = make_chart(qtbot, make_view())
    chart.show_view(make_view(names=("One", "Two")))
    assert list(chart.pane.curves) == ["One", "Two"]
    chart.show_view(SectorView())
    assert list(chart.pane.curves) == []
    assert chart.note == "No settled funding is known yet."


def test_a_line_that_is_not_known_now_is_named_at_its_last_figure(qtbot):
    view = make_view()
    view.z_lines["AI"][-5:] = np.nan
    chart = make_chart(qtbot, view)
    end = next(end for end in chart.shown_ends() if end.name == "AI")
    assert end.z == view.z_lines["AI"][-6]
    assert end.text == "AI \u2013"


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_names_can_be_read_and_colours_told_apart(qapp, name):
    theme = theme_for(Ui(theme=name))
    colours = [sector_colour(theme, place) for place in range(9)]
    assert all(contrast(colour, QColor(theme.surface)) >= 4.0 for colour in colours)
    for one, other in combinations(colours, 2):
        apart = np.subtract(one.getRgb()[:3], other.getRgb()[:3])
        assert np.abs(apart).sum() >= 40, (one.name(), other.name())


# --- heat map -------------------------------------------------------------------------------------


def make_heat(qtbot, view):
    heat = SectorHeat(DARK)
    qtbot.addWidget(heat)
    heat.resize(900, 260)
    heat.show_view(view)
    return heat


def test_a_cell_of_the_heat_map_has_the_colour_of_its_side(qtbot):
    view = make_view(names=("One", "Two"))
    view.divergence_lines["One"][:] = 2.0
    view.divergence_lines["Two"][:] = -2.0
    view.divergence_lines["Two"][100:] = np.nan
    heat = make_heat(qtbot, view)
    picture = heat.grab().toImage()
    room, high = heat._rooms()
    left = int(room.left()) + 3
    warm = picture.pixelColor(left, int(room.top() + high / 2))
    cool = picture.pixelColor(left, int(room.top() + high * 1.5))
    none = picture.pixelColor(int(room.right()) - 3, int(room.top() + high * 1.5))
    assert warm.red() > warm.blue() + 60
    assert cool.blue() > cool.red() + 60
    assert none == QColor(DARK.surface)


def test_the_tip_of_a_cell_says_its_figure(qtbot):
    view = make_view(names=("One", "Two"))
    view.divergence_lines["Two"][:] = -2.0
    heat = make_heat(qtbot, view)
    room, high = heat._rooms()
    assert heat._tip_at(room.left() + 2, room.top() + high * 1.5).startswith(
        "Two, 2026-09-18 00:00 UTC: \u22122.00 bp per 8 h"
    )
    assert heat._tip_at(1, 1) == ""
    spot = room.center().toPoint()
    help_event = QHelpEvent(QEvent.Type.ToolTip, spot, heat.mapToGlobal(spot))
    assert heat.event(help_event)


def test_an_empty_heat_map_says_why(qtbot):
    heat = make_heat(qtbot, SectorView())
    assert heat._tip_at(50, 50) == ""
    heat.grab()
    one = make_view(stamps=22)
    heat.show_view(one)  # a single column
    heat.grab()


# --- the panel ------------------------------------------------------------------------------------


def test_the_panel_cares_for_the_scanner_alone(qtbot):
    assert make_panel(qtbot).cares_about == Changed.SCAN


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_it_says_what_crowds_in_and_that_it_is_unproven(qtbot, theme):
    panel = make_panel(qtbot, make_view(unmapped=("QQQ",)), theme)
    shown = [label.text() for label in panel._said if label.isVisible()]
    assert shown[0] == "DeFi over the line since 2 settlements: longs crowd in."
    assert "Not a reason to trade on its own" in panel.verdict.text()
    assert panel.map.text() == "Sectors as of 2026-11-21, 1 coin in none"
    assert "QQQ" in panel.map.toolTip()


def test_sentences_that_no_longer_hold_go(qtbot):
    panel = make_panel(qtbot, make_view())
    calm = make_view()
    rows = tuple(each._replace(state="calm") for each in calm.rows if each.name != "DeFi")
    panel._context.scan = ScanView(sectors=replace(calm, rows=rows))
    panel.refresh()
    shown = [label.text() for label in panel._said if label.isVisible()]
    assert shown == ["No sector is over the line: nothing crowds in."]


def test_the_choice_changes_the_view_and_its_title(qtbot):
    panel = make_panel(qtbot, make_view())
    for button in panel._choice.buttons():
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert panel._choice.checkedButton() is button
    assert panel.views.currentWidget() is panel.table
    assert panel.title.text() == "Sectors now"
    assert len(panel.table.rows_model.rows) == len(NAMES)
    panel.show_kind("Heat map")
    assert panel.views.currentIndex() == 1
    assert panel.heat.isVisible()
    panel.grab()


def test_the_table_shows_each_figure_of_a_row(qtbot):
    view = make_view()
    panel = make_panel(qtbot, replace(view, rows=(row(state="cold", since_ms=T0_MS),)))
    panel.show_kind("Table")
    texts = [
        column.text(row(state="cold", since_ms=T0_MS)) for column in panel.table.rows_model.columns
    ]
    assert texts == [
        "DeFi", "5 of 7", "+1.25", "+1.10", "+0.40", "+0.85", "+0.60", "+0.4", "+4.1", "\u2013",
        "shorts crowd in", "2026-09-18 00:00", "",
    ]  # fmt: skip
    assert all(column.tip for column in panel.table.rows_model.columns[1:-1])


def test_nothing_to_show_is_said(qtbot):
    panel = make_panel(qtbot)
    assert panel.chart.note == NO_SCAN
    panel.show_kind("Table")
    assert panel.table.empty_text == NO_SCAN
    panel.show_kind("Heat map")
    assert panel.heat.empty_text == NO_SCAN
    waiting = make_panel(qtbot, SectorView())
    assert waiting.chart.note == "Waiting for the venues' first pages."
    assert waiting.verdict.text() == ""


@pytest.mark.parametrize("size", [(1280, 300), (2560, 420), (900, 220)])
def test_no_text_of_the_rotation_block_is_cut(qtbot, size):
    view = make_view()
    panel = make_panel(qtbot, view, size=size)
    panel.grab()
    labels = [*(label for label in panel._said if label.isVisible()), panel.verdict, panel.map]
    for label in labels:
        assert label.height() >= label.heightForWidth(label.width()) or not label.wordWrap()
        assert label.geometry().right() <= label.parentWidget().width()


def test_low_and_at_a_large_font_lines_scroll_and_the_verdict_stays(qtbot):
    theme = theme_for(Ui(font_scale=1.5))
    view = make_view()
    crowded = tuple(
        each._replace(state="hot", words=f"{each.name}: {'so ' * 30}") for each in view.rows
    )
    panel = make_panel(qtbot, replace(view, rows=crowded), theme, size=(1262, 290))
    panel.grab()
    bar = panel.rotation.verticalScrollBar()
    assert bar.maximum() > 0
    assert panel.rotation.focusPolicy() == Qt.FocusPolicy.StrongFocus
    labels = [label for label in panel._said if label.isVisible()]
    tops = [label.geometry() for label in labels]
    assert not any(one.intersects(other) for one, other in combinations(tops, 2))
    for label in (*labels, panel.verdict):
        assert label.height() >= label.heightForWidth(label.width())
    assert panel.verdict.parentWidget() is panel.rotation.parentWidget()
    assert panel.minimumSizeHint().width() < 900
    panel.rotation.setFocus()
    qtbot.keyClick(panel.rotation, Qt.Key.Key_Down)
    assert bar.value() > 0
    panel.grab()
    assert panel.verdict.y() >= panel.rotation.geometry().bottom()
    panel.resize(1262, 900)
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    assert panel.rotation.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert 0 < panel.verdict.y() - panel.rotation.geometry().bottom() < 20


def test_the_heading_says_how_long_a_past_is_known_and_not_how_long_one_is_kept():
    times = np.arange(10, dtype=np.int64) * 86_400_000
    line = np.where(np.arange(10) < 6, np.nan, 1.0)
    assert title_text("Lines", SectorView(times_ms=times, z_lines={"L1": line})).endswith("3 days")
    assert title_text("Lines", SectorView()).endswith("z")
    assert "bp" in title_text("Heat map", SectorView(times_ms=times, z_lines={"L1": line}))
