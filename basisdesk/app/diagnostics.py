"""What a fault report needs, in one text with nothing private in it. See scrub.py for how.

Left out on purpose: the environment, money, pairs, notes, names of accounts and profiles, and the
text of every setting that is not a choice from a list.
"""

import os
import platform
import sqlite3
import sys
import threading
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import PySide6
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from basisdesk import __version__
from basisdesk.app.crash import LOG_NAME
from basisdesk.app.scrub import Scrubber, own_places
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.ui.context import Context
from basisdesk.ui.uptime_rows import UptimeFigures, stalls_text
from basisdesk.venues import known_venues

LOG_LINES = 200
LOG_TAIL_BYTES = 96_000
TEXT_CHARS_MAX = 100_000
PARTS = ("pyqtgraph", "qasync", "websockets", "httpcore", "msgspec", "numpy", "zstandard")
# Settings whose text is a choice of ours, an instrument or a coin; other texts are a person's own.
CHOICES = (
    "account.currency", "demo.scenario", "demo.symbol", "scanner.coins", "scanner.venues",
    "scanner.read_on", "scanner.trade_on", "ui.theme",
)  # fmt: skip
ANYTHING = "(set; not told)"
VALUE_CHARS_MAX = 200


def differing(settings: Settings) -> list[str]:
    """Each setting that is not at its default, "key = value"; texts of a person's own are not told.

    Tables with free names (fees, addresses, outside numbers) are counted only.
    """
    now, usual = msgspec.to_builtins(settings), msgspec.to_builtins(Settings())
    lines: list[str] = []
    for section, values in sorted(now.items()):
        if section in ("fees", "borrow", "feeds"):
            changed = sum(
                values.get(k) != usual[section].get(k) for k in {*values, *usual[section]}
            )
            lines += [f"{section}: {changed} changed"] if changed else []
            continue
        for name, value in sorted(values.items()):
            if value != usual[section].get(name):
                lines.append(f"{section}.{name} = {_told(f'{section}.{name}', value)}")
    return lines


def _told(key: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else f"{value:g}"
    if key in CHOICES or (isinstance(value, list | tuple) and _numbers(value)):
        return str(value)[:VALUE_CHARS_MAX]
    return f"({len(value)} set)" if isinstance(value, dict) else ANYTHING


def _numbers(values: "list[Any] | tuple[Any, ...]") -> bool:
    return all(
        _numbers(each) if isinstance(each, list | tuple) else isinstance(each, int | float)
        for each in values
    )


def log_tail(path: Path, lines: int = LOG_LINES) -> list[str]:
    """The last lines of a log; one sentence where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            at = max(0, file.tell() - LOG_TAIL_BYTES)
            file.seek(at)
            text = file.read(LOG_TAIL_BYTES).decode("utf-8", "replace")
    except OSError as exc:
        return [f"The log cannot be read: {exc.strerror}."]
    found = text.splitlines()
    return (found[1:] if at else found)[-lines:]


class DeskDiagnostics:
    """Implements Diagnostics for one desk.

    folder: with the log. It counts the desk's uptime from when it is made.
    """

    def __init__(self, context: Context, folder: Path, figures: UptimeFigures) -> None:
        self._context = context
        self._folder = folder
        self._figures = figures
        self._began_s = mono_s()

    def text(self) -> str:
        """All of it, a section a paragraph."""
        sections = {
            "basisdesk diagnostics": self._program(),
            "Figures": self._running(),
            "Connections": self._feeds(),
            "Settings that differ from the defaults": differing(self._context.settings) or ["none"],
            f"The last lines of the log, {LOG_LINES} at most": log_tail(self._folder / LOG_NAME),
        }
        scrub = self._scrubber()
        text = "\n\n".join(
            f"{head}\n{scrub(chr(10).join(rows))}" for head, rows in sections.items()
        )
        return text[:TEXT_CHARS_MAX] + "\n"

    def copy(self) -> None:
        """Put the text into the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def _scrubber(self) -> Scrubber:
        hosts = {
            part
            for venue in known_venues().values()
            for url in (*venue.endpoints.values(), *venue.rest_urls.values())
            if (part := urlsplit(url).hostname)
        }
        settings, places = self._context.settings, own_places()
        places[str(self._folder)] = "<profile>"
        if settings.tape.folder:
            places[settings.tape.folder] = "<tapes>"
        accounts = (*self._context.accounts, self._context.status.account)
        return Scrubber(settings, places, hosts, accounts)

    def _program(self) -> list[str]:
        screens = [
            f"{screen.size().width()} x {screen.size().height()} at {screen.devicePixelRatio():g}"
            for screen in QGuiApplication.screens()
        ]
        return [
            f"basisdesk {__version__}{' (bundle)' if getattr(sys, 'frozen', False) else ''}",
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
            f"Qt {qVersion()}, PySide6 {PySide6.__version__}, "
            f"platform {QGuiApplication.platformName()}",
            ", ".join(f"{part} {_version(part)}" for part in PARTS),
            f"{platform.system()} {platform.release()}, {platform.machine()}, "
            f"{os.cpu_count()} processors",
            f"Screens: {'; '.join(screens) or 'none'}",
            f"Mode {self._context.mode}, up {(mono_s() - self._began_s) / 3_600:.2f} h",
        ]

    def _running(self) -> list[str]:
        status, figures, engine = self._context.status, self._figures, self._context.engine
        market, risk = engine.market, engine.desk.risk
        return [
            f"Memory {figures.rss_mb:.0f} MB, {figures.free_mb:.0f} MB free on the disk, "
            f"{threading.active_count()} threads",
            f"Loop late by {status.loop_lag_ms:.0f} ms, 99 of 100 within "
            f"{status.loop_lag_p99_ms:.0f} ms. {stalls_text(figures)}",
            f"{status.messages_per_s:.0f} messages a second, {status.inbox_frames} waiting, "
            f"{market.frames} in all, {market.bad_frames} bad, {market.gaps} gaps, "
            f"{market.loop_gaps} loop gaps",
            f"Tape: {status.tape_state or f'recording, {status.tape_mb:.1f} MB'}",
            f"Risk state {risk.state}, cause {risk.cause}; {len(engine.open_pairs())} pairs open",
            f"Notice: {status.banner or 'none'}",
        ]

    def _feeds(self) -> list[str]:
        market = self._context.engine.market
        notes = self._context.status.links
        rows = [
            f"{conn}: {link.state or 'idle'}, {link.connects} connects. {link.reason}".rstrip(". ")
            + (f" ({note.messages} messages)" if (note := notes.get(conn)) is not None else "")
            for conn, link in sorted(market.links.items())
        ]
        states = Counter(stream.state for stream in market.streams.values())
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return [*rows, f"Streams: {told or 'none'}"]


def _version(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "not found"
