"""What the toolkit must not do to the interpreter: PySide6 6.12.0 on Python 3.11 does it."""

import sys

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

TURNS = 500
SLACK = TURNS // 2  # references that anything else may come and go with meanwhile


class _Told(QObject):
    told = Signal(object)


def counts():
    return sys.getrefcount(None), sys.getrefcount(True), sys.getrefcount(False)


def test_qt_gives_back_every_reference_to_none_true_and_false(qtbot):
    widget, teller, timer = QWidget(), _Told(), QTimer()
    qtbot.addWidget(widget)
    teller.told.connect(lambda _: None)
    before = counts()
    for _ in range(TURNS):
        widget.update()
        widget.setEnabled(True)
        widget.isVisible()
        teller.told.emit(None)
        teller.told.emit(True)
        timer.isActive()
    taken = [then - now for then, now in zip(before, counts(), strict=True)]
    assert max(taken) < SLACK
