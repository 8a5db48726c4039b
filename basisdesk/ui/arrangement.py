"""Where the docks of the window stand: the defaults, saving, and coming back from any bytes."""

import struct
import zlib
from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QWidget

from basisdesk.ui.docks import Dock, name_tab_bars
from basisdesk.ui.guide_panel import WIDE_PX
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_panel import PANEL_PX
from basisdesk.ui.workspace_rows import READY, Ready

LAYOUT_MAGIC = b"BDL2"  # with a checksum: Qt can crash on a state with a single bit changed
LAYOUT_MAGIC_1 = b"BDL1"  # of versions before; read, never written
LAYOUT_STATE = 1
FIRST_SIZE = (1600, 1000)
FIRST_SIZE_MAX = (2560, 1440)  # a desk takes the screen; on a larger one lines get too long
BOTTOM_PX_MIN = 222  # tabs, a header and the waterfall
LOW_SHARE_MAX = 0.36  # of the height for the tables: in large type charts and ticket need theirs
VISIBLE_PX_MIN = 80  # of a restored window that has to lie on some screen
PART_BYTES_MAX = 1 << 19  # of either half of a saved layout
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class Arrangement:
    """Arranges the docks of one window.

    tabbed: names of the docks that stand in tabs at the bottom, in their order. guide: the name of
    the dock at the left, which stays away until somebody asks for it.
    """

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, Dock],
        tabbed: tuple[str, ...],
        guide: str,
        theme: Theme,
    ) -> None:
        self._window = window
        self._docks = docks
        self._tabbed = tabbed
        self._guide = guide
        self._theme = theme
        self._guide_settled = False  # a layout says whether the guide is wanted
        self._ready: Ready = READY[0]  # the ready-made arrangement that sizes follow

    # --- saving and coming back -------------------------------------------------------------------

    def save(self) -> bytes:
        """The arrangement of docks and the place of the window."""
        window = self._window
        parts = [bytes(window.saveGeometry().data()), bytes(window.saveState(LAYOUT_STATE).data())]
        body = b"".join(struct.pack(">I", len(part)) + part for part in parts)
        return LAYOUT_MAGIC + struct.pack(">I", zlib.crc32(body)) + body

    def restore(self, saved: bytes) -> bool:
        """Arrange as saved. Anything else than a layout of this version means the defaults.

        A dock that the layout does not know, because it is older, goes to its default place.
        """
        window = self._window
        parts = _parts(saved)
        if parts is None:
            self.reset()
            return False
        geometry, state = parts
        # Without a screen there is no place to go back to, and pictures keep their full size.
        fine = offscreen() or window.restoreGeometry(QByteArray(geometry))
        fine = window.restoreState(QByteArray(state), LAYOUT_STATE) and fine
        if not fine or not any(not dock.isHidden() for dock in self._docks.values()):
            self.reset()
        else:
            self._guide_settled = _names(self._guide, state)
            self._add_unknown(state)
        self.bring_back()
        QTimer.singleShot(0, window, self.rescue)
        return fine

    def _add_unknown(self, state: bytes) -> None:
        known = [name for name in self._tabbed if _names(name, state)]
        for name in self._tabbed:
            if not known or name in known:
                continue
            dock = self._docks[name]
            front = [self._docks[other] for other in known if not self._docks[other].isFloating()]
            self._window.removeDockWidget(dock)
            if front:
                self._window.tabifyDockWidget(front[-1], dock)
            else:
                self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            dock.show()
            if front:
                front[0].raise_()
        if not self._guide_settled:
            self._place_guide()
            self._docks[self._guide].hide()

    def rescue(self) -> None:
        """A layout saved in too small a window can leave a dock nowhere: then the defaults."""
        window = self._window
        alone = [
            dock
            for dock in self._docks.values()
            if not dock.isHidden()
            and not dock.isFloating()
            and not window.tabifiedDockWidgets(dock)
        ]
        nowhere = any(not window.rect().intersects(dock.geometry()) for dock in alone)
        if window.isVisible() and nowhere:
            self.reset()

    def bring_back(self) -> None:
        """Put the window onto a screen if none of it can be seen: a monitor was taken away."""
        bring_back(self._window)

    # --- the defaults -----------------------------------------------------------------------------

    def reset(self, ready: Ready = READY[0]) -> None:
        """Charts and ticket above, the tables in tabs below, the guide away.

        ready: which tab is in front then, and how much of the height the tables take.
        """
        window = self._window
        self._ready = ready
        top, bottom = Qt.DockWidgetArea.TopDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
        for dock in self._docks.values():
            dock.setFloating(False)
            window.removeDockWidget(dock)
        charts, ticket = self._docks["charts"], self._docks["ticket"]
        window.addDockWidget(top, charts)
        window.splitDockWidget(charts, ticket, ACROSS)
        tables = [self._docks[name] for name in self._tabbed]
        window.addDockWidget(bottom, tables[0])
        for before, dock in pairwise(tables):
            window.tabifyDockWidget(before, dock)
        for name, dock in self._docks.items():
            if name != self._guide:
                dock.show()
            dock.dress()
        self._place_guide()
        self._docks[self._guide].hide()
        self._docks[ready.front].raise_()
        self._size()
        QTimer.singleShot(0, window, self._size)

    def size_again(self) -> None:
        """Share the room out as the last ready-made arrangement wants it."""
        self._size()

    def show_guide(self) -> None:
        """Bring the guide to the left of the charts, or to the front where somebody put it."""
        dock = self._docks[self._guide]
        if dock.isHidden() and not dock.isFloating():
            dock.show()
            self._window.resizeDocks([dock], [self._theme.px(WIDE_PX)], ACROSS)
            QTimer.singleShot(0, self._window, self._size)
        dock.show()
        dock.raise_()

    def greet(self) -> None:
        """Show the guide to somebody who never traded, unless it was closed before."""
        if not self._guide_settled:
            self.show_guide()

    def first_size(self) -> QSize:
        """The size of a window that was never opened: the screen, or what can be read of it."""
        if offscreen():
            return QSize(*FIRST_SIZE)
        room = QGuiApplication.primaryScreen().availableGeometry().size()
        return room.boundedTo(QSize(*FIRST_SIZE_MAX))

    def _place_guide(self) -> None:
        # Qt splits to the right or below only, so the guide takes the place of the charts first.
        window, guide, charts = self._window, self._docks[self._guide], self._docks["charts"]
        window.removeDockWidget(guide)
        ticket = self._docks["ticket"]
        if charts.isFloating() or charts.isHidden():
            window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, guide)
            return
        window.splitDockWidget(charts, guide, ACROSS)
        window.splitDockWidget(guide, charts, ACROSS)
        if not ticket.isFloating() and not ticket.isHidden():
            window.splitDockWidget(charts, ticket, ACROSS)

    def _size(self) -> None:
        window, theme = self._window, self._theme
        guide, charts, ticket = (self._docks[n] for n in (self._guide, "charts", "ticket"))
        side = theme.px(PANEL_PX)
        left = 0 if guide.isHidden() or guide.isFloating() else theme.px(WIDE_PX)
        docks, widths = [charts, ticket], [max(300, window.width() - side - left), side]
        if left:
            docks, widths = [guide, *docks], [left, *widths]
        window.resizeDocks(docks, widths, ACROSS)
        low = max(theme.px(BOTTOM_PX_MIN), round(window.height() * self._ready.low_share))
        low = min(low, round(window.height() * max(LOW_SHARE_MAX, self._ready.low_share)))
        bottom = self._docks[self._ready.front]
        high = max(300, window.height() - low)
        window.resizeDocks([charts, bottom], [high, low], DOWN)
        name_tab_bars(window)


def bring_back(window: QWidget) -> None:
    """Put a window onto a screen if none of it can be seen: a monitor was taken away."""
    frame = window.frameGeometry()
    for screen in QGuiApplication.screens():
        seen = screen.availableGeometry().intersected(frame)
        if seen.width() >= VISIBLE_PX_MIN and seen.height() >= VISIBLE_PX_MIN:
            return
    room = QGuiApplication.primaryScreen().availableGeometry()
    window.resize(min(frame.width(), room.width()), min(frame.height(), room.height()))
    window.move(room.topLeft())


def offscreen() -> bool:
    """Whether pictures are drawn and nobody sees a window."""
    return QGuiApplication.platformName() in ("offscreen", "minimal")


def _names(name: str, state: bytes) -> bool:
    """Whether a saved state knows a dock: Qt writes the names as UTF-16."""
    text = name.encode("utf-16-be")
    return struct.pack(">I", len(text)) + text in state


def _parts(saved: bytes) -> tuple[bytes, bytes] | None:
    """(geometry, state) of a saved layout; None where it is anything else, cut short included."""
    magic, rest = saved[: len(LAYOUT_MAGIC)], saved[len(LAYOUT_MAGIC) :]
    if magic == LAYOUT_MAGIC:
        if len(rest) < 4 or struct.unpack(">I", rest[:4])[0] != zlib.crc32(rest[4:]):
            return None
        rest = rest[4:]
    elif magic != LAYOUT_MAGIC_1:
        return None
    parts = []
    for _ in range(2):
        if len(rest) < 4:
            return None
        (size,) = struct.unpack(">I", rest[:4])
        if size > PART_BYTES_MAX or len(rest) < 4 + size:
            return None
        parts.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    return None if rest else (parts[0], parts[1])
