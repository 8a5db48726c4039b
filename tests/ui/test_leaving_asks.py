"""Leaving with pairs open asks once, and only where a person sits."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import ClosePair, ExitPlan, OpenPair
from basisdesk.ui.halt_rows import leave_words
from basisdesk.ui.window import MainWindow

D = Decimal
CONTROL = Qt.KeyboardModifier.ControlModifier


def order():
    return OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72)))


@pytest.fixture
def rig():
    rig = Rig().begin()
    rig.submit(order())
    rig.context.asks_leave = True
    return rig


@pytest.fixture
def window(qtbot, rig):
    window = MainWindow(rig.context, THEME)
    qtbot.addWidget(window)
    window.show()
    return window


def test_what_stays_open_is_said(rig):
    assert leave_words(rig.engine) == (
        "1 pair is open (gross 730 USDT). Its exits are not watched until basisdesk runs again. "
        "Leave?"
    )
    rig.submit(order())
    assert leave_words(rig.engine).startswith("2 pairs are open (gross 1,459 USDT). Their exits")
    for pair in (1, 2):
        rig.submit(ClosePair(pair))
    assert leave_words(rig.engine) == ""


def test_an_order_at_work_is_a_reason_too(rig):
    rig.submit(ClosePair(1))
    rig.engine.desk.pending.append(type("Order", (), {"pair": 0})())
    assert leave_words(rig.engine) == (
        "1 order is at work. Nothing is filled until basisdesk runs again. Leave?"
    )


def test_closing_the_window_asks_and_stay_is_the_default(qtbot, rig, window):
    closed = []
    window.closed.connect(lambda: closed.append(1))
    assert not window.close()
    dialog = window.leaving.dialog
    assert window.isVisible()
    assert dialog.words.text().startswith("1 pair is open (gross")
    assert dialog.cancel.isDefault()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert window.leaving.dialog is None
    assert (closed, rig.left) == ([], False)
    window.close()
    window.leaving.dialog.act.click()
    assert rig.left
    assert window.close()  # as the app does on its way out: nothing more is asked
    assert closed == [1]


def test_the_quit_key_asks_and_again_it_leaves(qtbot, rig, window):
    qtbot.keyClick(window, Qt.Key.Key_Q, CONTROL)
    dialog = window.leaving.dialog
    assert dialog is not None
    assert not rig.left
    qtbot.keyClick(dialog, Qt.Key.Key_Q, CONTROL)
    assert rig.left
    assert window.leaving.dialog is None


def test_nothing_is_asked_where_nothing_is_held_or_nobody_sits(rig, window):
    rig.context.status.fault_ns = 1  # stopped after a fault
    assert window.leaving.may_go()
    rig.context.status.fault_ns = 0
    window.leaving._on_session_end(None)
    assert window.leaving.may_go()
    window.leaving._on_session_stayed()
    assert not window.leaving.may_go()
    window.leaving.end()  # a signal, another account: the desk goes anyway
    assert window.leaving.dialog is None
    assert window.leaving.may_go()
    rig.context.asks_leave = True
    rig.submit(ClosePair(1))
    assert window.leaving.may_go()
    assert QApplication.activeModalWidget() is None
