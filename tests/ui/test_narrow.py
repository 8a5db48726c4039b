"""Small screens and large type: nothing holds the window wider or higher than 1280 x 800."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QSize
from PySide6.QtWidgets import QToolTip, QWidget
from ui_rig import THEME, Rig

from basisdesk.ui.dialog_size import FRAME, LEAST, bounded
from basisdesk.ui.figure import Room
from basisdesk.ui.theme import set_tip
from basisdesk.ui.tip_menu import EXPLAIN, tip_menu
from basisdesk.ui.topbar_fit import EVERY, RISK, STEPS, rooms_at
from basisdesk.ui.waterfall import HEAD_PX, ROW_PX, ROW_PX_MIN, ROWS, WaterfallView
from basisdesk.ui.window import MainWindow

LARGE = replace(THEME, font_scale=1.5)


@pytest.fixture
def window(qtbot, qapp):
    before = qapp.font(), qapp.palette(), qapp.style().objectName(), qapp.styleSheet()
    LARGE.apply(qapp)
    window = MainWindow(Rig().begin().context, LARGE)
    qtbot.addWidget(window)
    window.show_guide()
    window.show()
    qtbot.waitExposed(window)
    window.refresh_all()
    yield window
    window.close()
    qapp.setStyleSheet(before[3])
    qapp.setStyle(before[2])
    qapp.setPalette(before[1])
    qapp.setFont(before[0])


def test_the_desk_goes_down_to_1280_x_800_in_type_of_one_and_a_half(qtbot, window):
    least = window.minimumSizeHint()
    assert (least.width() <= 1280, least.height() <= 800) == (True, True), least
    qtbot.waitUntil(lambda: (window.resize(1280, 800), window.height())[1] == 800)
    assert window.size() == QSize(1280, 800)
    window.refresh_all()
    bar = window.topbar
    for name in ("spot", "perp", "open", "close"):  # the prices with their ages, and the basis
        assert not bar._figures[name].isHidden(), name
    assert bar.halt_box.geometry().right() <= bar.width()

    # a bar over the docks that grows and shrinks again leaves the splitters where they were
    charts, tables = window.docks["charts"], window.docks["positions"]
    qtbot.waitUntil(lambda: window.steady._room() == window.steady._size)
    before = charts.height(), tables.height()
    high = bar.height()
    bar.setFixedHeight(high + 40)
    qtbot.waitUntil(lambda: charts.height() == before[0] - 40)
    bar.setFixedHeight(high)
    qtbot.waitUntil(lambda: (charts.height(), tables.height()) == before)


def test_the_order_in_which_the_bar_gives_way():
    assert set(rooms_at(0).values()) == {Room.BESIDE}
    gone = []
    for step in range(len(STEPS) + 1):
        rooms = rooms_at(step)
        gone += [n for n in (*EVERY, RISK) if rooms[n] is Room.GONE and n not in gone]
    assert gone == ["trip", "fair", RISK, "funding", "close", "spot", "perp"]


def test_a_low_waterfall_draws_its_rows_closer(qtbot):
    view = WaterfallView(THEME)
    qtbot.addWidget(view)
    view.resize(300, HEAD_PX + ROWS * ROW_PX + 40)
    assert view._row_px() == ROW_PX
    view.resize(300, view.minimumHeight())
    assert view._row_px() == ROW_PX_MIN


def test_a_dialog_is_no_larger_than_where_it_belongs(qtbot):
    home = QWidget()
    qtbot.addWidget(home)
    home.resize(1280, 800)
    assert bounded(QSize(2000, 900), home) == home.size() - FRAME
    home.resize(100, 100)
    assert bounded(QSize(2000, 900), home) == LEAST
    assert bounded(QSize(600, 300), None) == QSize(600, 300)


def test_a_label_with_a_tip_explains_itself_by_its_menu(qtbot):
    label = THEME.label("12.3 bp")
    qtbot.addWidget(label)
    assert tip_menu(label, QPoint(2, 2)) is None
    set_tip(label, "What it is.")
    menu = tip_menu(label, QPoint(2, 2))
    assert [action.text() for action in menu.actions()] == [EXPLAIN]
    menu.actions()[0].trigger()
    QToolTip.hideText()
