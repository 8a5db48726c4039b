"""When the window grows the charts take the space; the docks at the edges keep their size."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStatusBar, QWidget

from basisdesk.ui.arrangement import ACROSS, DOWN, offscreen

CAME_OR_WENT = (QEvent.Type.Show, QEvent.Type.Hide)
SHARE_MAX = 0.45  # of the window, for what is kept at one edge
TRY_MS, TRIES = 100, 30  # until docks that have just come up ask for no more than they need


class Steady(QObject):
    """Remembers how large a person made the docks at each edge, and gives it back after a resize.

    charts: the dock in the middle. edges: name of an edge -> (the docks that may stand there, the
    direction that counts). Qt alone shares a larger window out by its own weights, and the tables
    get what the charts need. The same when what stands over or under the docks changes its height.
    """

    def __init__(
        self,
        window: QMainWindow,
        charts: QDockWidget,
        edges: Mapping[str, tuple[Sequence[QDockWidget], Qt.Orientation]],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._charts = charts
        self._edges = edges
        self._kept: dict[str, int] = {}
        self._size = QSize()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._settle)
        window.installEventFilter(self)
        for docks, _ in edges.values():
            for dock in docks:
                dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell a splitter that was moved from a window, a bar in it or a dock that changed."""
        kind = event.type()
        if kind in CAME_OR_WENT and watched is not self._window:
            self._timer.start(0)  # what one dock leaves goes to the charts, not to its neighbour
        elif kind == QEvent.Type.Resize:
            if watched is self._window or self._room() != self._size:
                self._timer.start(0)
            elif not self._timer.isActive():
                self._note()
        return False

    def _room(self) -> QSize:
        """What is left to the docks: the window without the bars over and under them."""
        window = self._window
        bars = (window.menuWidget(), window.findChild(QStatusBar))
        high = sum(bar.height() for bar in bars if bar is not None and bar.isVisible())
        return QSize(window.width(), window.height() - high)

    def _note(self) -> None:
        for name, (docks, along) in self._edges.items():
            for dock in docks:
                if _stands(dock):
                    self._kept[name] = dock.height() if along == DOWN else dock.width()

    def _settle(self) -> None:
        """The window has its new size and Qt has shared it out: put the edges right."""
        window = self._window
        for along, room in ((ACROSS, window.width()), (DOWN, window.height())):
            docks, sizes = [], []
            for name, (group, direction) in self._edges.items():
                here = next((dock for dock in group if _stands(dock)), None)
                if direction == along and here is not None and name in self._kept:
                    docks.append(here)
                    sizes.append(min(self._kept[name], int(SHARE_MAX * room)))
            if docks and _stands(self._charts):
                window.resizeDocks(
                    [self._charts, *docks], [max(1, room - sum(sizes)), *sizes], along
                )
        self._size = self._room()
        if not self._kept:
            self._note()


def _stands(dock: QDockWidget) -> bool:
    # a tab behind another has no size of its own
    return dock.isVisible() and not dock.isFloating() and not dock.visibleRegion().isEmpty()


class AsWanted(QObject):
    """Brings a window that is shown for the first time to the size it was to have.

    Before they are laid out the docks ask for more room than they need, and a frame is put around
    it only once it is there: a window in large type would hang over the edge of a small screen.
    Whoever changes its size meanwhile has the word.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._wanted = self._shown = QSize()
        self._tries = 0
        self._timer = QTimer(self)
        self._timer.setInterval(TRY_MS)
        self._timer.timeout.connect(self._try)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Note the size before it is shown, and the one it came up with."""
        if event.type() == QEvent.Type.Polish:
            self._wanted = self._window.size()
        elif event.type() == QEvent.Type.Show and self._wanted.isValid() and not self._tries:
            self._shown = self._window.size()
            self._timer.start()
        return False

    def _try(self) -> None:
        window, self._tries = self._window, self._tries + 1
        if window.size() != self._shown or window.isMaximized() or window.isFullScreen():
            self._timer.stop()
            return
        wanted = self._wanted
        if not offscreen():  # over all monitors: it may have been left across two
            frame = window.frameSize() - window.size()
            wanted = wanted.boundedTo(window.screen().availableVirtualSize() - frame)
        if window.size() != wanted:
            window.resize(wanted)
            self._shown = window.size()  # as far as the docks let it by now
        if self._tries == TRIES:
            self._timer.stop()
