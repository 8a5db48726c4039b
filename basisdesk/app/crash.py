"""Every route by which an exception can escape, led to one handler.

A bug is recorded once a place, shown in words, stops trading, and leaves the journal as it was:
the journal is written before anything is shown, so there is nothing to save.
"""

import asyncio
import faulthandler
import logging
import logging.handlers
import re
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    Qt,
    QtMsgType,
    Signal,
    Slot,
    qInstallMessageHandler,
)

from basisdesk.errors import UserError

LOG_BYTES_MAX = 2_000_000
LOG_FILES = 3
LOG_NAME = "basisdesk.log"
SAME_CRASH_MAX = 5  # records of one place in the code; more say nothing new
SAME_QT_MAX = 5  # of one message of Qt's; a paint that warns does so fifteen times a second
PLACES_MAX = 500  # places and messages counted apart; what comes after counts as one
_USERINFO = re.compile(r"://\S+@")  # of a proxy: its error's own text has the password

log = logging.getLogger("basisdesk")


class LogFile(logging.handlers.RotatingFileHandler):
    """The log's file, rotated. A disk that takes no line costs the line and nothing else.

    The usual way would be a traceback on stderr for each line.

    lost: lines that could not be written; said in the log once it takes lines again.
    """

    def __init__(self, path: Path) -> None:
        self.lost = 0
        super().__init__(path, maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, after one on those that were lost before it."""
        if lost := self.lost:
            self.lost = 0
            text = f"{lost} lines before this one could not be written"
            said = logging.LogRecord(log.name, logging.WARNING, __file__, 0, text, None, None)
            super().emit(said)
            if self.lost:  # still no room
                self.lost += lost
                return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count what was lost, and open the file anew: a broken one keeps half of a line."""
        del record
        self.lost += 1
        if (stream := self.stream) is not None:
            self.stream = None  # the next line opens it
            with suppress(OSError):
                stream.close()

    def close(self) -> None:
        """Let the file go; what a full disk does not take is lost."""
        try:
            super().close()
        except OSError:
            self.lost += 1


class _Plain(logging.Formatter):
    """Lines without anybody's password."""

    def format(self, record: logging.LogRecord) -> str:
        return _USERINFO.sub("://", super().format(record))


def start_log(folder: Path) -> logging.Handler:
    """Send the program's log to `folder`/basisdesk.log, rotated. Raises OSError."""
    handler = LogFile(folder / LOG_NAME)
    handler.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def stop_log(handler: logging.Handler) -> None:
    """Take the log away again and close its file."""
    logging.getLogger().removeHandler(handler)
    handler.close()


def _kept_trace(folder: Path) -> str:
    """Put the trace of a native crash of the run before aside, and say where it is."""
    trace, kept = folder / "crash.log", folder / "crash-last.log"
    try:
        if not trace.exists() or trace.stat().st_size == 0:
            return ""
        trace.replace(kept)
    except OSError as exc:
        log.warning("the trace of the last crash cannot be kept: %s", exc.strerror)
        return ""
    log.error("the run before ended in a native crash, see %s", kept)
    return f"basisdesk crashed last time. Your ledger is safe; {kept} has the details."


def _sentence(exc: BaseException) -> str:
    if isinstance(exc, UserError):  # not a bug: the disk, most likely
        return f"{exc} Trading is halted, your ledger is safe. Restart when that is mended."
    return (
        f"basisdesk has a bug ({type(exc).__name__}). Trading is halted, your ledger is safe. "
        "Restart; the log has the details."
    )


class _Teller(QObject):
    """Hands a sentence over to the thread it was made in: a widget belongs to that one alone."""

    told = Signal(object)  # str

    def __init__(self, on_crash: Callable[[str], None]) -> None:
        super().__init__()
        self._on_crash = on_crash
        self._home = threading.get_ident()
        self.told.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def tell(self, sentence: str) -> None:
        """At once in its own thread; from another one as soon as the loop has a turn."""
        if threading.get_ident() == self._home:
            self._tell(sentence)
        else:
            self.told.emit(sentence)

    @Slot(object)
    def _tell(self, sentence: str) -> None:
        try:
            self._on_crash(sentence)
        except Exception:
            log.exception("what follows a fault failed itself")


class CrashHandler:
    """Installs the hooks; `on_crash` gets one sentence for each place something escaped from.

    Make it in the window's thread: `on_crash` runs there, wherever the fault was.
    found: one sentence when the run before ended in a native crash, "" otherwise.
    """

    def __init__(self, folder: Path, on_crash: Callable[[str], None]) -> None:
        self._teller = _Teller(on_crash)
        self._seen: dict[str, int] = {}
        self.found = _kept_trace(folder)
        self._fault_file: TextIO = (folder / "crash.log").open("w", encoding="utf-8")
        faulthandler.enable(self._fault_file)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread
        sys.unraisablehook = self._on_unraisable
        qInstallMessageHandler(self._on_qt_message)

    def watch_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the loop's exception handler."""
        loop.set_exception_handler(self._on_loop)

    def record(self, exc: BaseException, where: str) -> None:
        """Log with its traceback, a few times for one place, and tell the window."""
        frames = traceback.extract_tb(exc.__traceback__)
        place = (
            f"{type(exc).__name__} at {frames[-1].filename}:{frames[-1].lineno}"
            if frames
            else where
        )
        times = self._times(place)
        if times <= SAME_CRASH_MAX:
            log.error("escaped from %s", where, exc_info=exc)
        if times == 1:
            self._teller.tell(_sentence(exc))

    def _times(self, what: str) -> int:
        """How often this was seen, this time included."""
        if what not in self._seen and len(self._seen) >= PLACES_MAX:
            what = "more"
        self._seen[what] = times = self._seen.get(what, 0) + 1
        return times

    def close(self) -> None:
        """Put the hooks back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        sys.unraisablehook = sys.__unraisablehook__
        qInstallMessageHandler(None)
        faulthandler.disable()
        self._fault_file.close()

    def _on_exception(
        self, kind: type[BaseException], exc: BaseException, tb: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, exc, tb)
            return
        self.record(exc, "a slot or the program")

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.record(args.exc_value, "a thread")

    def _on_unraisable(self, args: Any) -> None:
        if args.exc_value is not None:
            self.record(args.exc_value, "a finaliser")

    def _on_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        if exc is not None:
            self.record(exc, "a task")
        else:
            log.warning("event loop: %s", context.get("message"))

    def _on_qt_message(
        self, kind: QtMsgType, _context: QMessageLogContext, message: str | None
    ) -> None:
        quiet = kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        if not quiet and self._times(f"Qt: {message}") > SAME_QT_MAX:
            return
        log.log(logging.DEBUG if quiet else logging.WARNING, "Qt: %s", message)
