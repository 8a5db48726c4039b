"""Charts in windows of their own: each on the desk's pair, or on one that it keeps."""

from collections.abc import Iterable

from PySide6.QtCore import QByteArray, QObject, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QPushButton, QVBoxLayout, QWidget

from basisdesk.market.basis import PairMarket
from basisdesk.ui.arrangement import bring_back, offscreen
from basisdesk.ui.basis_panel import RANGES, BasisPanel
from basisdesk.ui.context import Context
from basisdesk.ui.halt_box import HALT_KEY
from basisdesk.ui.leg_words import coin_of, leg_name, short_names
from basisdesk.ui.pair_picker import PairPicker
from basisdesk.ui.pulse import Panel
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.workspace_rows import CHARTS_MAX, ChartState, Pair

FIRST_SIZE = (1000, 640)
STEP_PX = 36  # between the corners of windows opened one after another
_LINKED_TIP = "This window follows the desk's pair. Press to keep the pair that is shown now."
_OWN_TIP = (
    "This window keeps its pair, and its feeds stay connected while the window is open. Press to "
    "follow the desk's pair."
)
_MODES = {
    "simulated": ("badge-warn", "warn"),
    "replay": ("badge-warn", "warn"),
    "live": ("badge-gain", "gain"),
}


class PairHead(Panel):
    """Over the chart: which pair, whether it follows the desk, and that it is paper."""

    def __init__(self, window: "ChartWindow", context: Context, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._context = context
        self.pair = QPushButton(self)
        self.pair.setProperty("role", "pair")
        self.pair.setFont(theme.font(14, 600))
        self.link = QPushButton(self)
        self.link.setCheckable(True)
        self.legs = theme.label("", "muted", 11)
        self.note = theme.label("", "warn", 11)
        badges = []
        kinds = (context.mode.upper(), *_MODES[context.mode]), ("PAPER", "badge-spot", "spot")
        for text, role, tone in kinds:
            badge = theme.label(text, tone, 11, 600)
            badge.setProperty("role", role)
            badges.append(badge)
        badges[0].setAccessibleName(f"Paper trading on {context.mode} data")
        set_tip(self.pair, "Choose the pair of this window. It then keeps that pair. Ctrl+P.")
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.px(10), theme.px(6), theme.px(10), theme.px(6))
        line.setSpacing(theme.px(10))
        for widget in (self.pair, self.legs, self.note):
            line.addWidget(widget)
        line.addStretch(1)
        line.addWidget(self.link)
        for badge in badges:
            line.addWidget(badge)

    def refresh(self) -> None:
        """Name the pair and say what keeps its prices away, if anything does."""
        window = self._window
        first, second = window.pair
        named = bool(first and second)
        name = f"{coin_of(first)}  {' / '.join(short_names(first, second))}" if named else "No pair"
        self.pair.setText(f"{name} \u25be")
        self.pair.setAccessibleName(f"Pair of this window: {name}")
        self.legs.setText(f"{leg_name(first)}, {leg_name(second)}" if named else "")
        unknown = named and window.market() is None
        self.note.setText("Its feeds are being connected." if unknown else "")
        self.link.setText("Linked to the desk" if window.linked else "Own pair")
        self.link.setChecked(window.linked)
        self.link.setAccessibleName(f"{self.link.text()}: press to change")
        set_tip(self.link, _LINKED_TIP if window.linked else _OWN_TIP)
        title = f"{name} \u00b7 paper \u00b7 {self._context.mode}"
        if window.windowTitle() != title:
            window.setWindowTitle(title)


class ChartWindow(QMainWindow):
    """The charts panel in a window of its own.

    linked: it follows the desk's pair, else it keeps `pair`. changed: its pair or its link did.
    gone: it was closed. halt_asked: Ctrl+. works here too.
    """

    changed = Signal()
    gone = Signal(object)
    halt_asked = Signal()

    def __init__(self, context: Context, theme: Theme) -> None:
        super().__init__()
        self._context = context
        self._theme = theme
        self._kept: Pair = ("", "")
        self.linked = True
        self.setObjectName("charts-beside")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.head = PairHead(self, context, theme)
        self.charts = BasisPanel(context, theme, self.market)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(1))
        column.addWidget(self.head)
        column.addWidget(self.charts, 1)
        self.setCentralWidget(body)
        self.head.pair.clicked.connect(self.pick)
        self.head.link.clicked.connect(self.set_linked)
        for key, act in ((HALT_KEY, self.halt_asked.emit), ("Ctrl+W", self.close),
                         ("Ctrl+P", self.pick)):  # fmt: skip
            action = QAction(self)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(act)
            self.addAction(action)
        self.resize(*FIRST_SIZE)
        self.charts.chart.setFocus()
        self.head.refresh()

    @property
    def pair(self) -> Pair:
        """(first leg, second leg) shown here; ("", "") before the desk has one."""
        return self._context.engine.pair if self.linked else self._kept

    def market(self) -> PairMarket | None:
        """The history of its pair; None while nobody watches it."""
        return self._context.engine.market.pairs.get(self.pair)

    def panels(self) -> list[Panel]:
        """What the repaint timer has to care for."""
        return [self.head, self.charts]

    def set_linked(self, linked: bool) -> None:
        """Follow the desk's pair, or keep the one that is shown now."""
        self._kept = self._context.engine.pair if not linked and self.linked else self._kept
        self.linked = linked
        self._tell()

    def show_pair(self, pair: Pair) -> None:
        """Keep this pair from now on."""
        self.linked, self._kept = False, pair
        self._tell()

    def pick(self) -> PairPicker:
        """Find a pair for this window."""
        picker = PairPicker(self._context, self._theme, self)
        picker.chosen.connect(self._on_chosen)
        picker.open()
        return picker

    def state(self) -> ChartState:
        """Pair, link, range and place, for `restore`."""
        place = bytes(self.saveGeometry().data())
        return ChartState(self.pair, self.linked, self.charts.range_name, place)

    def restore(self, state: ChartState) -> None:
        """Show what `state` says, on a screen that is there."""
        self.linked = state.linked or not all(state.pair)
        self._kept = state.pair
        if state.span in dict(RANGES):
            self.charts.show_range(state.span)
        if not offscreen():
            self.restoreGeometry(QByteArray(state.geometry))
            bring_back(self)
        self._tell()

    def _on_chosen(self, pair: object) -> None:
        if isinstance(pair, tuple):
            self.show_pair(pair)

    def _tell(self) -> None:
        self.changed.emit()
        for panel in self.panels():
            panel.refresh()

    # Qt

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say so: its pair need not be watched any more."""
        super().closeEvent(event)
        self.gone.emit(self)


class ChartWindows(QObject):
    """The chart windows beside a desk, CHARTS_MAX at most.

    made, gone: a panel for the repaint timer, or no longer. wanted: the pairs that have to be
    watched whatever the desk shows, as a tuple. halt_asked: by a key in one of the windows.
    """

    made = Signal(object)
    gone = Signal(object)
    wanted = Signal(object)
    halt_asked = Signal()

    def __init__(self, context: Context, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._told: tuple[Pair, ...] = ()
        self.windows: list[ChartWindow] = []
        self._left: tuple[ChartState, ...] = ()

    def open(self, state: ChartState | None = None) -> ChartWindow | None:
        """One more window, linked to the desk or as saved; None where there are enough."""
        if len(self.windows) >= CHARTS_MAX:
            return None
        window = ChartWindow(self._context, self._theme)
        self._place(window)
        self.windows.append(window)
        window.gone.connect(self._on_gone)
        window.changed.connect(self._tell)
        window.halt_asked.connect(self.halt_asked)
        for panel in window.panels():
            self.made.emit(panel)
        if state is not None:
            window.restore(state)
        window.show()
        return window

    def states(self) -> tuple[ChartState, ...]:
        """What every window shows, in the order they were opened."""
        return self._left or tuple(window.state() for window in self.windows)

    def put(self, states: Iterable[ChartState]) -> None:
        """These windows and no others."""
        self.close_all()
        for state in states:
            self.open(state)

    def leave(self) -> None:
        """Close every window with the desk; `states` goes on telling how they stood."""
        self._left = self.states()
        self.close_all()

    def close_all(self) -> None:
        """Close every window."""
        for window in tuple(self.windows):
            window.close()

    def panels(self) -> list[Panel]:
        """Every panel of every window."""
        return [panel for window in self.windows for panel in window.panels()]

    def _place(self, window: ChartWindow) -> None:
        if offscreen():
            return
        room = QGuiApplication.primaryScreen().availableGeometry()
        window.resize(window.size().boundedTo(room.size()))
        step = self._theme.px(STEP_PX) * (1 + len(self.windows))
        window.move(
            room.left() + min(step, max(0, room.width() - window.width())),
            room.top() + min(step, max(0, room.height() - window.height())),
        )

    def _on_gone(self, window: object) -> None:
        if isinstance(window, ChartWindow) and window in self.windows:
            self.windows.remove(window)
            for panel in window.panels():
                self.gone.emit(panel)
            self._tell()

    def _tell(self) -> None:
        own = (window.pair for window in self.windows if not window.linked)
        wanted = tuple(dict.fromkeys(pair for pair in own if all(pair)))
        if wanted != self._told:
            self._told = wanted
            self.wanted.emit(wanted)
