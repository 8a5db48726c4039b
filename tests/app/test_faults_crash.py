"""Every route by which an exception can leave the program ends at one place, once."""

import asyncio
import gc
import sys
import threading
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from basisdesk.app.crash import SAME_CRASH_MAX, CrashHandler


@pytest.fixture
def crash(tmp_path, caplog):
    """The handler with its hooks in place, what the window was told, and what was logged."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    told = []
    handler = CrashHandler(tmp_path, told.append)
    yield SimpleNamespace(handler=handler, told=told, log=caplog)
    handler.close()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


class Broken(QWidget):
    """A widget whose paint fails with its painter still open."""

    def paintEvent(self, _):
        painter = QPainter(self)
        painter.drawPoint(1, 1)
        raise ZeroDivisionError("paint")


def in_a_slot(_):
    timer = QTimer()
    timer.timeout.connect(lambda: 1 // 0)
    return timer, None


def in_a_paint(qtbot):
    widget = Broken()
    qtbot.addWidget(widget)
    widget.show()
    timer = QTimer()
    timer.timeout.connect(widget.update)
    return timer, widget


@pytest.mark.parametrize("fault", [in_a_slot, in_a_paint])
def test_an_exception_inside_qt_is_recorded_once_and_told(crash, qtbot, fault):
    hook = sys.excepthook
    timer, widget = fault(qtbot)
    sys.excepthook = hook  # the one of the program, not that of the test tool
    timer.start(0)
    failures = []
    timer.timeout.connect(lambda: failures.append(widget))
    qtbot.waitUntil(lambda: len(failures) > 3 * SAME_CRASH_MAX, timeout=10_000)
    timer.stop()
    assert len(crash.told) == 1  # it went on failing, but nobody is told twice
    assert "has a bug (ZeroDivisionError)" in crash.told[0]
    assert crash.log.text.count("escaped from a slot") == SAME_CRASH_MAX


def raise_it():
    raise ZeroDivisionError("a bug")


def from_a_thread():
    thread = threading.Thread(target=raise_it)
    thread.start()
    thread.join()


class Dying:
    def __del__(self):
        raise_it()


def from_a_finaliser():
    Dying()
    gc.collect()


@pytest.mark.parametrize(
    ("route", "name"), [(from_a_thread, "a thread"), (from_a_finaliser, "a finaliser")]
)
def test_no_route_out_of_python_is_silent(crash, qapp, route, name):
    route()
    qapp.sendPostedEvents()  # the window is told in its own thread
    assert len(crash.told) == 1
    assert f"escaped from {name}" in crash.log.text


async def forgotten_task():
    async def fail():
        raise_it()

    task = asyncio.get_running_loop().create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()


async def callback():
    asyncio.get_running_loop().call_soon(raise_it)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def forgotten_executor_job():
    future = asyncio.get_running_loop().run_in_executor(None, raise_it)
    await asyncio.wait([future])
    del future
    gc.collect()


@pytest.mark.parametrize("route", [forgotten_task, callback, forgotten_executor_job])
def test_no_route_out_of_the_loop_is_silent(crash, route):
    async def run():
        crash.handler.watch_loop(asyncio.get_running_loop())
        await route()

    asyncio.run(run())
    assert len(crash.told) == 1
    assert "escaped from a task" in crash.log.text


def test_a_keyboard_interrupt_is_no_bug(crash, capsys):
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert crash.told == []


def test_the_trace_of_a_native_crash_is_kept_and_told_once(tmp_path):
    (tmp_path / "crash.log").write_text("Fatal Python error: Aborted\n")
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    said = []
    for _ in range(2):
        handler = CrashHandler(tmp_path, said.append)
        said.append(handler.found)
        handler.close()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    kept = tmp_path / "crash-last.log"
    assert said == [
        f"basisdesk crashed last time. Your ledger is safe; {kept} has the details.",
        "",
    ]
    assert kept.read_text() == "Fatal Python error: Aborted\n"
