"""Copying the diagnostics: from the Help menu, and from the banner after a fault."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow, QMenu
from ui_rig import THEME, Rig

from basisdesk.ui.diagnostics_door import DiagnosticsDoor
from basisdesk.ui.status_line import COPIED, COPY, Banner


class Made:
    """Diagnostics that count how often they were copied."""

    copied = 0

    def text(self):
        return f"basisdesk 0.1, copy {self.copied}\n<b>no markup</b>"

    def copy(self):
        self.copied += 1


@pytest.fixture
def rig():
    rig = Rig()
    rig.context.diagnostics = Made()
    return rig


@pytest.fixture
def banner(qtbot, rig):
    banner = Banner(rig.context, THEME)
    qtbot.addWidget(banner)
    banner.resize(900, banner.height())
    banner.show()
    return banner


def say(rig, banner, sentence, level):
    rig.context.status.banner, rig.context.status.banner_level = sentence, level
    banner.refresh()


def test_a_fault_offers_the_diagnostics_and_says_that_they_were_copied(qtbot, rig, banner):
    say(rig, banner, "basisdesk has a bug.", "error")
    height = banner.height()
    assert banner.copy.isVisible()
    assert banner.copy.text() == COPY
    qtbot.mouseClick(banner.copy, Qt.MouseButton.LeftButton)
    assert rig.context.diagnostics.copied == 1
    assert banner.copy.text() == COPIED
    banner._copied.timeout.emit()
    assert banner.copy.text() == COPY
    assert banner.height() == height


def test_no_button_where_nothing_broke_or_nothing_can_be_copied(rig, banner):
    say(rig, banner, "Only 200 MB free.", "warn")
    assert banner.copy.isHidden()
    say(rig, banner, "", "error")
    assert banner.copy.isHidden()
    rig.context.diagnostics = None
    say(rig, banner, "basisdesk has a bug.", "error")
    assert banner.copy.isHidden()


def test_the_sentence_gives_way_to_the_button(rig, banner):
    sentence = "Trading is halted, your ledger is safe. " * 20
    say(rig, banner, sentence, "error")
    label = banner._labels["error"]
    assert label.text().endswith("\u2026")
    assert label.geometry().right() < banner.copy.geometry().left()
    assert banner.copy.geometry().right() < banner.width()


def test_the_menu_copies_and_shows_what_was_copied(qtbot, rig):
    home = QMainWindow()
    qtbot.addWidget(home)
    menu = QMenu("Help", home)
    door = DiagnosticsDoor(rig.context, THEME, home, menu)
    assert [action.text() for action in menu.actions()] == [COPY]
    door.action.trigger()
    assert rig.context.diagnostics.copied == 1
    assert door.window.shown.toPlainText() == "basisdesk 0.1, copy 1\n<b>no markup</b>"
    assert door.window.shown.isReadOnly()
    qtbot.mouseClick(door.window.again, Qt.MouseButton.LeftButton)
    assert door.window.shown.toPlainText().startswith("basisdesk 0.1, copy 2")
    door.window.reject()
    qtbot.waitUntil(lambda: door.window is None)


def test_a_window_without_diagnostics_does_not_offer_them(qtbot, rig):
    made, rig.context.diagnostics = rig.context.diagnostics, None
    home = QMainWindow()
    qtbot.addWidget(home)
    menu = QMenu("Help", home)
    door = DiagnosticsDoor(rig.context, THEME, home, menu)
    menu.aboutToShow.emit()
    assert not door.action.isVisible()
    assert door.open() is None
    rig.context.diagnostics = made
    menu.aboutToShow.emit()
    assert door.action.isVisible()
