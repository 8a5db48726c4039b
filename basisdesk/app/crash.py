"""Every route by which an exception can escape, led to one handler.

A bug is recorded once a place, shown in words, stops trading, and leaves the journal as it was:
the journal is written before anything is shown, so there is nothing to save.
"""

import asyncio
import faulthandler
import logging
import logging.handlers
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from basisdesk.errors import UserError

LOG_BYTES_MAX = 2_000_000
LOG_FILES = 3
SAME_CRASH_MAX = 5  # records of one place in the code; more say nothing new

log = logging.getLogger("basisdesk")


def start_log(folder: Path) -> logging.Handler:
    """Send the program's log to `folder`/basisdesk.log, rotated. Raises OSError."""
    path = folder / "basisdesk.log"
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
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


class CrashHandler:
    """Installs the hooks; `on_crash` gets one sentence each time something escapes.

    found: one sentence when the run before ended in a native crash, "" otherwise.
    """

    def __init__(self, folder: Path, on_crash: Callable[[str], None]) -> None:
        self._on_crash = on_crash
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
        self._seen[place] = self._seen.get(place, 0) + 1
        if self._seen[place] <= SAME_CRASH_MAX:
            log.error("escaped from %s", where, exc_info=exc)
        if self._seen[place] == 1:
            self._on_crash(_sentence(exc))

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
        log.log(logging.DEBUG if quiet else logging.WARNING, "Qt: %s", message)
