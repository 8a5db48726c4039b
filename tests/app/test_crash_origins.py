"""Twelve places a fault can come from: each is recorded once, told in the window, never silent.

The twelfth, a native abort, ends the process: tests/app/test_faults_process.py has it.
"""

import asyncio
import gc
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QObject, QThread, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QWidget

from basisdesk.app import crash as crash_module
from basisdesk.app.crash import (
    LOG_NAME,
    SAME_CRASH_MAX,
    SAME_QT_MAX,
    CrashHandler,
    LogFile,
    start_log,
    stop_log,
)
from basisdesk.feed.tasks import spawn


def a_bug(*_):
    raise ZeroDivisionError("a bug")


@pytest.fixture
def crash(qapp, tmp_path, caplog):
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    told = []

    def on_crash(sentence):
        told.append((sentence, threading.get_ident()))

    handler = CrashHandler(tmp_path, on_crash)
    ours = sys.excepthook
    yield SimpleNamespace(handler=handler, told=told, hook=ours, log=caplog)
    handler.close()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def turn():
    QApplication.sendPostedEvents()


# --- Qt


class Said(QObject):
    said = Signal()


def a_slot(_):
    said = Said()
    said.said.connect(a_bug)
    said.said.emit()


def a_timer(qtbot):
    timer = QTimer()
    timer.timeout.connect(a_bug)
    timer.setSingleShot(True)
    timer.start(0)
    qtbot.waitUntil(lambda: not timer.isActive())


def a_paint(qtbot):
    painted = []

    class Broken(QWidget):
        def paintEvent(self, _):
            painter = QPainter(self)
            painter.drawPoint(1, 1)
            painted.append(1)
            a_bug()

    widget = Broken()
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitUntil(lambda: bool(painted))


def an_event_filter(qtbot):
    seen = []

    class Filter(QObject):
        def eventFilter(self, _, event):
            if event.type() == QEvent.Type.User:
                seen.append(1)
                a_bug()
            return False

    watched, watcher = QObject(), Filter()
    watched.installEventFilter(watcher)
    QApplication.postEvent(watched, QEvent(QEvent.Type.User))
    qtbot.waitUntil(lambda: bool(seen))


def a_qthread(_):
    class Work(QThread):
        def run(self):
            a_bug()

    work = Work()
    work.start()
    work.wait()


# --- Python


def a_thread(_):
    thread = threading.Thread(target=a_bug)
    thread.start()
    thread.join()


def a_finaliser(_):
    class Dying:
        def __del__(self):
            a_bug()

    Dying()
    gc.collect()


# --- the loop


def in_a_loop(crash, work):
    async def run():
        crash.handler.watch_loop(asyncio.get_running_loop())
        await work(crash)
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()

    asyncio.run(run())


async def a_callback(_):
    asyncio.get_running_loop().call_soon(a_bug)


async def a_callback_from_a_thread(_):
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.call_soon_threadsafe, a_bug).result()


async def a_kept_task(crash):
    async def work():
        a_bug()

    crash.kept = spawn(work(), "a part", lambda name, exc: crash.handler.record(exc, name))


async def a_forgotten_task(_):
    async def work():
        a_bug()

    asyncio.get_running_loop().create_task(work())
    await asyncio.sleep(0)


async def a_forgotten_job(_):
    future = asyncio.get_running_loop().run_in_executor(None, a_bug)
    await asyncio.wait([future])


QT_AND_THREADS = (a_slot, a_timer, a_paint, an_event_filter, a_qthread, a_thread, a_finaliser)
OF_THE_LOOP = (
    a_callback, a_callback_from_a_thread, a_kept_task, a_forgotten_task, a_forgotten_job,
)  # fmt: skip


def test_there_are_twelve_beside_the_native_abort():
    assert len(QT_AND_THREADS + OF_THE_LOOP) == 12


@pytest.mark.parametrize("origin", QT_AND_THREADS, ids=lambda f: f.__name__)
def test_no_fault_of_qt_or_a_thread_is_silent(crash, qtbot, origin):
    sys.excepthook = crash.hook  # the program's own, not that of the test tool
    origin(qtbot)
    turn()
    assert_told_once(crash)


@pytest.mark.parametrize("origin", OF_THE_LOOP, ids=lambda f: f.__name__)
def test_no_fault_of_the_loop_is_silent(crash, origin):
    in_a_loop(crash, origin)
    turn()
    assert_told_once(crash)


def assert_told_once(crash):
    assert 1 <= crash.log.text.count("escaped from") <= SAME_CRASH_MAX
    (sentence, thread) = crash.told[0]
    assert len(crash.told) == 1
    assert "has a bug (ZeroDivisionError)" in sentence
    assert thread == threading.get_ident()  # the window's own: widgets belong to it


def test_a_fault_in_what_follows_a_fault_is_recorded_too(qapp, tmp_path, caplog):
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    handler = CrashHandler(tmp_path, a_bug)
    handler.record(ValueError("first"), "a part")
    handler.close()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    assert "escaped from a part" in caplog.text
    assert "what follows a fault failed itself" in caplog.text


def test_a_message_of_qt_again_and_again_does_not_push_all_else_out_of_the_log(crash):
    for _ in range(100):
        crash.handler._on_qt_message(crash_module.QtMsgType.QtWarningMsg, None, "QPainter: odd")
    assert crash.log.text.count("QPainter: odd") == SAME_QT_MAX


def test_what_is_counted_is_bounded(crash, monkeypatch):
    monkeypatch.setattr(crash_module, "PLACES_MAX", 10)
    for number in range(50):
        crash.handler._on_qt_message(crash_module.QtMsgType.QtWarningMsg, None, f"odd {number}")
    assert len(crash.handler._seen) == 11


# --- the log's file


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_a_full_disk_costs_the_line_and_no_traceback(tmp_path, capsys):
    path = tmp_path / LOG_NAME
    path.symlink_to("/dev/full")
    handler = LogFile(path)
    for number in range(50):
        handler.emit(logging.LogRecord("basisdesk", 30, "", 0, "line %d", (number,), None))
    assert handler.lost == 50
    path.unlink()  # there is room again
    handler.emit(logging.LogRecord("basisdesk", 30, "", 0, "back", None, None))
    handler.close()
    assert path.read_text() == "50 lines before this one could not be written\nback\n"
    assert capsys.readouterr().err == ""


def test_no_password_of_a_proxy_gets_into_the_log(tmp_path):
    handler = start_log(tmp_path)
    try:
        logging.getLogger("basisdesk.test").error("http://joe:hunter2@proxy:8080 is no proxy")
        logging.getLogger("basisdesk.test").error("http://joe:hun@ter2@proxy:8081 is none either")
    finally:
        stop_log(handler)
    text = (tmp_path / LOG_NAME).read_text()
    assert "http://proxy:8080 is no proxy" in text
    assert "http://proxy:8081 is none either" in text
    assert "hunter2" not in text
