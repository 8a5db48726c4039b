"""The layouts of the desk, the scanner and the chart windows in the profile folder."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QTimer

from basisdesk.app.crash import log
from basisdesk.ui.window import MainWindow
from basisdesk.ui.workspace_rows import WorkspaceState, packed, unpacked

if TYPE_CHECKING:
    from basisdesk.ui.scan_window import ScanWindow

DESK, SCANNER, CHARTS = "layout.json", "scanner-layout.json", "charts-layout.json"
LAYOUT_VERSION = 1
LAYOUT_BYTES_MAX = 1 << 20


class _Layout(msgspec.Struct):
    version: int
    state: str


def load_layout(path: Path) -> bytes:
    """The saved window layout, or nothing: a damaged file means the default layout."""
    try:
        if path.stat().st_size > LAYOUT_BYTES_MAX:
            return b""
        layout = msgspec.json.decode(path.read_bytes(), type=_Layout)
        return (
            base64.b64decode(layout.state, validate=True)
            if layout.version == LAYOUT_VERSION
            else b""
        )
    except (OSError, ValueError, RecursionError):  # msgspec's and base64's are ValueErrors
        return b""


def save_layout(path: Path, state: bytes) -> None:
    """Write the window layout in one step, so that a crash leaves the old one or the new one."""
    layout = _Layout(LAYOUT_VERSION, base64.b64encode(state).decode())
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(layout))
    part.replace(path)


def restore_window(profile: Path, window: MainWindow) -> None:
    """The desk's window as it was left; a damaged or missing file means the defaults.

    Its chart windows open once it stands.
    """
    window.restore_layout(load_layout(profile / DESK))
    left = unpacked(load_layout(profile / CHARTS))
    if left is not None and left.charts:
        charts = left.charts
        QTimer.singleShot(0, window, lambda: window.chart_windows.put(charts))


def restore_scanner(profile: Path, scanner: "ScanWindow") -> None:
    """The scanner's window as it was left; a damaged or missing file means the defaults."""
    scanner.restore(load_layout(profile / SCANNER))


def save_window(profile: Path, window: MainWindow) -> None:
    """Keep how the windows are arranged. A disk that refuses is worth one line in the log."""
    try:
        save_layout(profile / DESK, window.save_layout())
        if window.scan is not None:
            save_layout(profile / SCANNER, window.scan.save())
        charts = window.chart_windows.states()
        if charts or (profile / CHARTS).exists():
            save_layout(profile / CHARTS, packed(WorkspaceState(b"", charts=charts)))
    except OSError as exc:
        log.warning("layout not saved: %s", exc)
