"""The one repaint timer, and the base class of everything it repaints."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from basisdesk.clock import mono_s
from basisdesk.events import Changed

EVERYTHING = ~Changed.NOTHING
REPAINT_MS_MIN = 16
SLICE_MS = 4.0  # of refreshing between two looks at the event loop
HURRY_MS = 20  # between two refreshes that do not wait for the beat


class Panel(QWidget):
    """Something that shows state. It says which changes concern it and reads the rest itself.

    Set `cares_about` in the class, write `refresh`. `refresh` is called at most once a beat, only
    while the panel is on the screen and something it cares about has moved. What stands in
    `urgent` does not wait for the beat: a fill is shown as soon as it is booked.

    A base class, no Protocol: whoever holds one needs the widget too (is it on the screen, what
    events reach it), and Python's types cannot say "a QWidget that refreshes" otherwise.
    """

    cares_about: Changed = Changed.NOTHING
    urgent: Changed = Changed.NOTHING

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)

    def refresh(self) -> None:
        """Read the state this panel shows and show it."""
        raise NotImplementedError


class Pulse(QObject):
    """The one repaint timer. Ten thousand messages or one: each panel refreshes once a beat.

    interval_ms: pause between beats; `before`, when given, runs first in each beat (the app drains
    its engine there). `slowest_ms` and `worst` say what a refresh has cost at most.
    """

    def __init__(
        self,
        panels: Iterable[Panel],
        interval_ms: int,
        parent: QObject | None = None,
        before: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._stale: dict[Panel, Changed] = {}
        self._cost_ms: dict[Panel, float] = {}
        self._before = before
        for panel in panels:
            self.add(panel)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(max(REPAINT_MS_MIN, interval_ms))
        self._timer.timeout.connect(self._on_beat)
        self._timer.start()
        self._due: list[Panel] = []  # of this beat, not refreshed yet
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._slice)
        self._hurry = QTimer(self)
        self._hurry.setSingleShot(True)
        self._hurry.setTimerType(Qt.TimerType.PreciseTimer)
        self._hurry.timeout.connect(self._beat_urgent)
        self._hurried_s = 0.0

    def add(self, panel: Panel) -> None:
        """Care for one more panel. It refreshes at the first beat that finds it on the screen."""
        self._stale[panel] = EVERYTHING
        self._cost_ms[panel] = 0.0
        panel.installEventFilter(self)

    def remove(self, panel: Panel) -> None:
        """Forget a panel that is about to go."""
        self._stale.pop(panel, None)
        self._due = [each for each in self._due if each is not panel]
        self._cost_ms.pop(panel, None)
        panel.removeEventFilter(self)

    def mark(self, changed: Changed) -> None:
        """Say what moved. Cheap; call it as often as things move."""
        if not changed:
            return
        urgent = False
        for panel in self._stale:
            self._stale[panel] |= changed & panel.cares_about
            urgent |= bool(changed & panel.urgent)
        if urgent and self._timer.isActive() and not self._hurry.isActive():
            wait_ms = HURRY_MS - (mono_s() - self._hurried_s) * 1e3
            if wait_ms > 0:
                self._hurry.start(int(wait_ms))
            else:
                self._beat_urgent()  # now: the loop may have a chart to paint first

    def mark_all(self) -> None:
        """Everything may have moved: a replay jumped, another pair is on the screen."""
        for panel in self._stale:
            self._stale[panel] = EVERYTHING

    def beat(self) -> None:
        """Refresh each visible panel that something has moved for, now. Hidden ones stay stale."""
        if self._before is not None:
            self._before()
        for panel, stale in list(self._stale.items()):
            if stale and panel.isVisible():
                self._refresh(panel)

    def _on_beat(self) -> None:
        """The timer's beat: the same in slices, so that many busy panels never block the window."""
        began_s = mono_s()
        if self._before is not None:
            self._before()
        if not self._due:
            self._due = [panel for panel, stale in self._stale.items() if stale]
        if (mono_s() - began_s) * 1e3 > SLICE_MS:
            self._rest.start(0)  # the engine has had this turn
        else:
            self._slice()

    def _slice(self) -> None:
        began_s = mono_s()
        while self._due:
            panel = self._due.pop(0)
            if self._stale.get(panel) and panel.isVisible():
                self._refresh(panel)
                if (mono_s() - began_s) * 1e3 > SLICE_MS and self._due:
                    self._rest.start(0)
                    return

    def _beat_urgent(self) -> None:
        self._hurried_s = mono_s()
        for panel, stale in list(self._stale.items()):
            if stale & panel.urgent and panel.isVisible():
                self._refresh(panel)
                panel.repaint()  # at once, not with the charts' next paint

    def _refresh(self, panel: Panel) -> None:
        self._stale[panel] = Changed.NOTHING
        began_s = mono_s()
        panel.refresh()
        cost_ms = (mono_s() - began_s) * 1e3
        if cost_ms > self._cost_ms.get(panel, 0.0):
            self._cost_ms[panel] = cost_ms

    def stop(self) -> None:
        """No more beats: the program is closing."""
        for timer in (self._timer, self._hurry, self._rest):
            timer.stop()

    def start(self) -> None:
        """Beat again after `stop`."""
        self._timer.start()

    def set_interval(self, interval_ms: int) -> None:
        """Another pause between beats, ms."""
        self._timer.setInterval(max(REPAINT_MS_MIN, interval_ms))

    @property
    def worst_ms(self) -> dict[str, float]:
        """The longest refresh of each panel since the last `forget_worst`, ms, by class name."""
        worst: dict[str, float] = {}
        for panel, cost_ms in self._cost_ms.items():
            name = type(panel).__name__
            worst[name] = max(cost_ms, worst.get(name, 0.0))
        return worst

    @property
    def slowest_ms(self) -> float:
        """The longest refresh of any panel since the last `forget_worst`, ms."""
        return max(self._cost_ms.values(), default=0.0)

    def forget_worst(self) -> None:
        """Measure the longest refreshes from now on."""
        self._cost_ms = dict.fromkeys(self._cost_ms, 0.0)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A panel that comes onto the screen catches up at the next beat, even if nothing moved."""
        if event.type() == QEvent.Type.Show and isinstance(watched, Panel):
            self._stale[watched] = self._stale.get(watched, EVERYTHING) | watched.cares_about
        return False
