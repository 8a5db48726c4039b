"""The bar of a replay: buttons, slider, keys; it asks, and does nothing by itself."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMainWindow, QMenu, QPushButton
from ui_rig import THEME

from basisdesk.ui.replay_bar import FAR_NS, NEAR_NS, ReplayBar
from basisdesk.ui.replay_rows import SPEEDS, ReplayView

S = 1_000_000_000
T0 = 1_735_689_600 * S


class Asked:
    """What was asked of the replay, in order."""

    def __init__(self):
        self.said = []

    def __getattr__(self, name):
        return lambda *values: self.said.append((name, *values))

    def taken(self):
        said, self.said = self.said, []
        return said


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def view():
    return ReplayView("a", "demo", T0, T0 + 1_000 * S, T0 + 500 * S)


@pytest.fixture
def window(qtbot, qapp, view, asked):
    window = QMainWindow()
    qtbot.addWidget(window)
    bar = window.bar = ReplayBar(view, asked, THEME)
    window.setMenuWidget(bar)
    window.menu = QMenu("Replay", window)
    bar.join(window, window.menu)
    window.edit = QLineEdit(window)
    window.setCentralWidget(window.edit)
    window.resize(1280, 200)
    window.show()
    qtbot.waitExposed(window)
    return window


def press(qtbot, widget, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(widget, key, modifier)


def test_keys_that_nobody_wants_play_step_and_jump(qtbot, window, asked):
    shift = Qt.KeyboardModifier.ShiftModifier
    for key, modifier, said in (
        (Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, ("play",)),
        (Qt.Key.Key_Period, Qt.KeyboardModifier.NoModifier, ("step", "frame")),
        (Qt.Key.Key_Comma, Qt.KeyboardModifier.NoModifier, ("step", "change")),
        (Qt.Key.Key_N, Qt.KeyboardModifier.NoModifier, ("step", "settlement")),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, ("jump", T0 + 500 * S + NEAR_NS)),
        (Qt.Key.Key_Left, shift, ("jump", T0 + 500 * S - FAR_NS)),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, ("jump", T0)),
    ):
        press(qtbot, window, key, modifier)
        assert asked.taken() == [said]
    press(qtbot, window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)  # Halt's
    assert asked.taken() == []


def test_keys_typed_into_a_field_or_on_a_button_are_theirs(qtbot, window, asked):
    window.edit.setFocus()
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Period, Qt.Key.Key_N, Qt.Key.Key_Left):
        press(qtbot, window.edit, key)
    assert asked.taken() == []
    assert window.edit.text() == " .n"
    press(qtbot, window.bar.begin, Qt.Key.Key_Space)
    assert asked.taken() == [("jump", T0)]


def test_the_buttons_ask(qtbot, window, asked):
    bar = window.bar
    for button in (bar.play, bar.begin):
        assert isinstance(button, QPushButton)
        button.click()
    bar.step.click()
    assert asked.taken() == [("play",), ("jump", T0), ("step", "frame")]
    for action in bar.step.menu().actions():
        action.trigger()
    assert asked.taken() == [("step", "frame"), ("step", "change"), ("step", "settlement")]
    bar.speed.setCurrentIndex(7)
    bar.speed.activated.emit(7)
    assert asked.taken() == [("set_speed", SPEEDS[7])]


def test_a_click_on_the_slider_jumps_once_when_it_is_let_go(qtbot, window, asked, view):
    scrub = window.bar.scrub
    spot = QPoint(scrub.width() // 4, scrub.height() // 2)
    qtbot.mousePress(scrub, Qt.MouseButton.LeftButton, pos=spot)
    assert asked.taken() == []
    view.now_ns += 5 * S  # it plays on meanwhile: the handle stays with the pointer
    window.bar.refresh()
    qtbot.mouseRelease(scrub, Qt.MouseButton.LeftButton, pos=spot)
    ((what, t_ns),) = asked.taken()
    assert what == "jump"
    assert abs(t_ns - (T0 + 250 * S)) < 15 * S


def test_it_shows_the_time_and_what_is_under_way(window, view):
    bar = window.bar
    bar.refresh()
    assert (bar.date.text(), bar.clock.text()) == ("2025-01-01 UTC", "00:08:20.0")
    assert bar.play.text() == "Play"
    assert not bar.save.isEnabled()
    assert bar.walk.isHidden()
    assert bar.progress.isHidden()
    view.playing, view.commands, view.asked = True, 2, 100.0
    view.holes = ((T0, T0 + 60 * S),)
    bar.refresh()
    assert bar.play.text() == "Pause"
    assert bar.save.isEnabled()
    assert not bar.walk.isHidden()
    assert bar.speed.currentText() == "100×"
    view.working, view.progress = True, 0.4
    bar.refresh()
    assert bar.progress.value() == 40
    assert not bar.cancel.isHidden()
    high = bar.height()
    view.working, view.holes = False, ()
    bar.refresh()
    assert bar.height() == high  # nothing below it moves


def test_save_commands_asks_for_a_file(qtbot, window, asked):
    dialog = window.bar.ask_save()
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit("/tmp/mine")
    assert asked.taken() == [("save_commands", "/tmp/mine.jsonl")]
    dialog.close()


def test_a_speed_that_was_typed_is_shown_as_it_is(window, asked):
    bar = window.bar
    bar._show_speed(20.0)
    assert bar.speed.currentText() == "20×"
    bar.speed.activated.emit(bar.speed.currentIndex())
    assert asked.taken() == [("set_speed", 20.0)]
    bar._show_speed(SPEEDS[3])
    assert bar.speed.currentIndex() == 3
