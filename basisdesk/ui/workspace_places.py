"""Puts the windows of a desk where a workspace wants them, and reads where they are."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QRect, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from basisdesk.ui.arrangement import FIRST_SIZE, bring_back, offscreen
from basisdesk.ui.context import Context
from basisdesk.ui.theme import Theme
from basisdesk.ui.workspace_rows import (
    READY,
    Ready,
    Rect,
    WorkspaceState,
    packed,
    side_by_side,
    unpacked,
)

if TYPE_CHECKING:
    from basisdesk.ui.window import MainWindow

USEFUL_PX = 940  # of a window's width: below it columns and figures step back
SETTLE_MS = 120  # a window system answers a change of size later; the docks share it out then


class WindowPlaces(QObject):
    """The desk, the scanner, the lab and the chart windows of one desk.

    on: the workspace that was put last, "" for none.
    """

    def __init__(self, window: "MainWindow", context: Context, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._has_scanner = context.scan is not None  # a universe is watched
        self._has_more = context.mode != "replay"  # which has no lab and no other pair's feeds
        self.on = ""
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.screenRemoved.connect(self._on_screen_removed)

    # --- ready-made -------------------------------------------------------------------------------

    def offered(self) -> tuple[Ready, ...]:
        """The ready-made workspaces; one whose window this desk does not have is left out."""
        has = {"": True, "scanner": self._has_scanner, "lab": self._has_more}
        return tuple(ready for ready in READY if has[ready.beside])

    def put_ready(self, ready: Ready) -> None:
        """Arrange the windows as a ready-made workspace; the others are closed."""
        window = self._window
        self._close_others(ready.beside)
        window.chart_windows.close_all()
        other = self._open(ready.beside)
        self._place(ready, other)
        window.arrangement.reset(ready)
        # Qt has shared the old size out; the new one is only known when the window system answers
        QTimer.singleShot(SETTLE_MS, window, window.arrangement.size_again)
        if other is not None:
            other.raise_()
            other.activateWindow()
        else:
            window.raise_()
        self.on = ready.name

    def _place(self, ready: Ready, other: QWidget | None) -> None:
        window = self._window
        if offscreen():  # no screen: pictures keep the size they have
            return
        room = _rect(window.screen())
        if other is not None:
            screens = QGuiApplication.screens()
            home = screens.index(window.screen())
            useful = self._theme.px(USEFUL_PX)
            least = [max(useful, each.minimumSizeHint().width()) for each in (window, other)]
            desk, beside = side_by_side([_rect(each) for each in screens], home, *least)
            _fill(window, desk)
            _fill(other, beside)
            return
        if ready.size is not None:
            window.showNormal()
            size = min(ready.size[0], room[2]), min(ready.size[1], room[3])
            _fill(window, (room[0], room[1], *size))
        elif not (window.isMaximized() or window.isFullScreen()):
            wide = max(window.width(), min(FIRST_SIZE[0], room[2]))
            high = max(window.height(), min(FIRST_SIZE[1], room[3]))
            window.resize(wide, high)
            bring_back(window)

    # --- saved ------------------------------------------------------------------------------------

    def saved(self) -> bytes:
        """Every window as it is now, for `put_saved`."""
        window = self._window
        scan, lab = window.scan, window.lab.window
        state = WorkspaceState(
            window.save_layout(),
            scan is not None and scan.isVisible(),
            scan.save() if scan is not None else b"",
            lab is not None and lab.isVisible(),
            bytes(lab.saveGeometry().data()) if lab is not None else b"",
            window.chart_windows.states(),
        )
        return packed(state)

    def put_saved(self, name: str, saved: bytes) -> bool:
        """Arrange every window as saved; False, and the desk's defaults, where it is damaged."""
        window = self._window
        state = unpacked(saved)
        if state is None:
            self.put_ready(READY[0])
            return False
        self._close_others("")
        fine = window.restore_layout(state.desk)
        if state.scanner_open and self._has_scanner:
            scan = window.show_scanner()
            scan.restore(state.scanner)
            bring_back(scan)
        lab = self._open("lab") if state.lab_open else None
        if lab is not None and not offscreen():
            lab.restoreGeometry(QByteArray(state.lab))
            bring_back(lab)
        if self._has_more:
            window.chart_windows.put(state.charts)
        window.raise_()
        window.activateWindow()
        self.on = name
        return fine

    # --- inside -----------------------------------------------------------------------------------

    def _open(self, which: str) -> QWidget | None:
        window = self._window
        if which == "scanner" and self._has_scanner:
            return window.show_scanner()
        return window.lab.open() if which == "lab" else None

    def _close_others(self, but: str) -> None:
        window = self._window
        for name, other in (("scanner", window.scan), ("lab", window.lab.window)):
            if other is not None and name != but:
                other.close()

    def _on_screen_removed(self) -> None:
        # The window system moves windows itself, or does not: look when it had time to.
        QTimer.singleShot(SETTLE_MS, self, self.rescue)

    def rescue(self) -> None:
        """Bring every window back onto a screen that is there."""
        window = self._window
        beside = (window.scan, window.lab.window, *window.chart_windows.windows)
        for each in (window, *beside):
            if each is not None and each.isVisible():
                bring_back(each)


def _rect(screen: QScreen) -> Rect:
    room = screen.availableGeometry()
    return room.left(), room.top(), room.width(), room.height()


def _fill(window: QWidget, rect: Rect) -> None:
    """Give the window this place, its frame included where the window system has told of one."""
    window.showNormal()
    frame, inner = window.frameGeometry(), window.geometry()
    left, top = inner.left() - frame.left(), inner.top() - frame.top()
    right, bottom = frame.right() - inner.right(), frame.bottom() - inner.bottom()
    window.setGeometry(QRect(*rect).adjusted(left, top, -right, -bottom))
