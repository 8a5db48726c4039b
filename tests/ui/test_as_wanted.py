"""A window that grew when it was shown comes back to the size it was to have."""

import pytest
from PySide6.QtWidgets import QLabel, QMainWindow

from basisdesk.ui.steady import AsWanted


@pytest.fixture
def grown(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    label = QLabel("asks for too much at first", window)
    label.setMinimumHeight(700)
    window.setCentralWidget(label)
    wanted = AsWanted(window)
    window.resize(600, 500)
    window.show()
    assert window.height() >= 700
    return window, label, wanted


def test_what_the_panels_no_longer_need_is_given_back(qtbot, grown):
    window, label, _ = grown
    label.setMinimumHeight(50)
    qtbot.waitUntil(lambda: window.size().toTuple() == (600, 500))


def test_a_size_that_somebody_chose_meanwhile_stays(qtbot, grown):
    window, label, wanted = grown
    label.setMinimumHeight(50)
    window.resize(700, 720)
    qtbot.waitUntil(lambda: not wanted._timer.isActive())
    assert window.size().toTuple() == (700, 720)
