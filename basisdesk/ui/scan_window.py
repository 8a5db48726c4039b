"""The scanning workspace, a window of its own: strip, table, matrix, and the tabs below."""

import base64
import json
import struct
import zlib
from typing import Any

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMainWindow, QSplitter, QTabWidget, QVBoxLayout, QWidget

from basisdesk.ui.alerts_panel import AlertsPanel
from basisdesk.ui.arrangement import offscreen
from basisdesk.ui.context import Context
from basisdesk.ui.focus_frame import walk
from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.matrix_panel import MatrixPanel
from basisdesk.ui.pulse import Panel
from basisdesk.ui.scan_strip import ScanFoot, ScanStrip
from basisdesk.ui.scanner_panel import ScannerPanel
from basisdesk.ui.scanner_rows import Keep
from basisdesk.ui.sectors_panel import SectorsPanel
from basisdesk.ui.theme import Theme
from basisdesk.ui.venues_panel import VenuesPanel

MAGIC = b"BDS1"
SAVED_BYTES_MAX = 1 << 20
FIRST_SIZE = (1600, 1000)
TABLE_SHARE = 0.74  # of the width
TOP_SHARE = 0.66  # of the height
SPACE_PX = 6
MATRIX_PX = 350  # the composite's six columns


class ScanWindow(QMainWindow):
    """Arranges the panels of the scanner.

    opening_chosen: a `Choice` for the ticket of the main window. halt_asked: Ctrl+. works here too.
    """

    opening_chosen = Signal(object)
    halt_asked = Signal()

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._split_by_hand = False
        self.setWindowTitle(f"Scanner \u00b7 paper \u00b7 {context.mode}")
        self.setObjectName("scanner")
        self.strip = ScanStrip(context, theme)
        self.scanner = ScannerPanel(context, theme)
        self.matrix = MatrixPanel(context, theme)
        self.foot = ScanFoot(context, theme)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Sectors, venues, alerts")
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # else Tab comes back here from inside
        self.tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.below = self._below_panels()
        self._lay_out()
        self._join()
        self.resize(self._first_size())

    # --- what the app needs -----------------------------------------------------------------------

    def panels(self) -> list[Panel]:
        """Everything the repaint timer has to care for."""
        return [self.strip, self.scanner, self.matrix, *self.below, self.foot]

    def refresh_all(self) -> None:
        """Refresh each panel that is on the screen now."""
        for panel in self.panels():
            if panel.isVisible():
                panel.refresh()

    def save(self) -> bytes:
        """Place, splitters, tab and columns, for `restore`."""
        state = {
            "geometry": _text(self.saveGeometry()),
            "across": _text(self.across.saveState()),
            "down": _text(self.down.saveState()),
            "tab": self.tabs.currentIndex(),
            "matrix": self.matrix.mode,
            "scanner": self.scanner.save(),
        }
        body = json.dumps(state).encode()
        return MAGIC + struct.pack(">I", zlib.crc32(body)) + body

    def restore(self, saved: bytes) -> bool:
        """Arrange as saved. Anything else than what `save` gave means the defaults."""
        state = _state(saved)
        if state is None:
            return False
        if not offscreen():
            self.restoreGeometry(_bytes(state.get("geometry")))
        fine = self.across.restoreState(_bytes(state.get("across")))
        fine = self.down.restoreState(_bytes(state.get("down"))) and fine
        self._split_by_hand = fine
        tab, scanner = state.get("tab"), state.get("scanner")
        if isinstance(tab, int):
            self.tabs.setCurrentIndex(tab)
        if isinstance(scanner, dict):
            self.scanner.restore(scanner)
        self.matrix.set_mode(state.get("matrix"))
        return fine

    def focus_search(self) -> None:
        """Put the cursor into the search line. Ctrl+F."""
        self.strip.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.strip.search.selectAll()

    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in reading order: table, matrix, tabs, what is in them."""
        venues = self.venues
        return [
            self.strip.search, *self.scanner.tools.stops(), self.scanner.table,
            *self.matrix.stops(), self.tabs.tabBar(), *self.sectors.stops(),
            venues.summary, *venues.choices.values(), venues.filter, venues.table,
            *self.alerts.stops(),
        ]  # fmt: skip

    # --- building ---------------------------------------------------------------------------------

    def _below_panels(self) -> list[Panel]:
        """The tabs under the table, in their order."""
        context, theme = self._context, self._theme
        self.sectors = SectorsPanel(context, theme)
        self.venues = VenuesPanel(context, theme)
        self.alerts = AlertsPanel(context, theme)
        panels: dict[str, Panel] = {
            "Sectors": self.sectors,
            "Venues": self.venues,
            "Alerts": self.alerts,
        }
        for title, panel in panels.items():
            self.tabs.addTab(panel, title)
        return list(panels.values())

    def _lay_out(self) -> None:
        px = self._theme.px
        self.across = QSplitter(Qt.Orientation.Horizontal)
        self.across.addWidget(self.scanner)
        self.across.addWidget(self.matrix)
        self.down = QSplitter(Qt.Orientation.Vertical)
        self.down.addWidget(self.across)
        self.down.addWidget(self.tabs)
        for split, stretch in ((self.across, (1, 0)), (self.down, (1, 0))):
            split.setHandleWidth(px(SPACE_PX))
            split.setChildrenCollapsible(False)
            for at, share in enumerate(stretch):
                split.setStretchFactor(at, share)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(px(SPACE_PX), px(SPACE_PX), px(SPACE_PX), 0)
        column.setSpacing(px(SPACE_PX))
        column.addWidget(self.strip)
        column.addWidget(self.down, 1)
        column.addWidget(self.foot)
        self.setCentralWidget(body)
        walk(self.stops())

    def _join(self) -> None:
        self.strip.searched.connect(self._on_searched)
        self.scanner.tools.chips.changed.connect(self._on_keep)
        self.scanner.opening_chosen.connect(self.opening_chosen)
        self.matrix.opening_chosen.connect(self.opening_chosen)
        for key, act in (("Ctrl+F", self.focus_search), (HALT_KEY, self.halt_asked.emit),
                         ("Ctrl+W", self.close)):  # fmt: skip
            action = QAction(self)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(act)
            self.addAction(action)

    def _first_size(self) -> QSize:
        size = QSize(*FIRST_SIZE)
        if offscreen():
            return size
        return size.boundedTo(QGuiApplication.primaryScreen().availableGeometry().size())

    def share_out(self) -> None:
        """Table and matrix, above and below, in the shares of the sketch."""
        wide, high = self.width(), self.height()
        right = max(self._theme.px(MATRIX_PX), round(wide * (1 - TABLE_SHARE)))
        left, top = wide - right, round(high * TOP_SHARE)
        self.across.setSizes([left, right])
        self.down.setSizes([top, high - top])

    def _on_searched(self, line: str) -> None:
        self.scanner.set_search(line)
        self.matrix.set_search(line)

    def _on_keep(self, keep: object) -> None:
        """Somebody wants a row that the search hides: no word of it stands in the line then."""
        if isinstance(keep, Keep) and not keep.words:
            self.strip.search.clear()

    # Qt

    def showEvent(self, event: Any) -> None:
        """Share the room out once, unless a saved arrangement did."""
        super().showEvent(event)
        self._tell_seen(seen=True)
        if not self._split_by_hand:
            self._split_by_hand = True
            self.share_out()
        if self.focusWidget() is None or self.focusWidget() is self.strip.search:
            self.scanner.table.setFocus()

    def hideEvent(self, event: Any) -> None:
        """Nobody looks: the app counts less."""
        super().hideEvent(event)
        self._tell_seen(seen=False)

    def _tell_seen(self, *, seen: bool) -> None:
        if self._context.scan is not None:
            self._context.scan.seen = seen


def _text(state: QByteArray) -> str:
    return base64.b64encode(bytes(state.data())).decode()


def _bytes(text: object) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(str(text), validate=True))
    except ValueError:
        return QByteArray()


def _state(saved: bytes) -> dict[str, Any] | None:
    """What `save` wrote; None for anything else: Qt can crash on a state with one bit changed."""
    head, body = saved[:8], saved[8:]
    if head[:4] != MAGIC or len(head) < 8 or len(saved) > SAVED_BYTES_MAX:
        return None
    if struct.unpack(">I", head[4:])[0] != zlib.crc32(body):
        return None
    try:
        state = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) else None
