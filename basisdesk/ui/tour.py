"""The tour: a small panel that points at five parts of the window, one after the other.

Nothing is dimmed and nothing moves by itself: the outline is four narrow strips around a part, so
a chart below repaints as if they were not there. It stays while the desk works, and blocks nothing.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.context import Context
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.tour_rows import Box, Stop, place, stops

if TYPE_CHECKING:
    from basisdesk.ui.window import MainWindow

PANEL_PX = 372
PANEL_HIGH_MIN_PX = 150
OUTLINE_PX = 2
HALT_AIR_PX = 6  # between the outline and the words of the risk state
_MOVES = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.Show,
    QEvent.Type.Hide,
    QEvent.Type.LayoutRequest,
)


class Part(NamedTuple):
    """Something in the window: a widget and which rectangle of it, in its own coordinates."""

    widget: QWidget
    area: QRect


def parts_of(window: "MainWindow") -> dict[str, Callable[[], Part]]:
    """What the tour can point at, by the names of tour_rows, as it stands when asked."""

    def whole(widget: QWidget) -> Part:
        return Part(widget, widget.rect())

    def prices() -> Part:
        bar, halt = window.topbar, window.topbar.halt_box
        return Part(bar, bar.rect().adjusted(0, 0, halt.x() - bar.width() - 2, 0))

    def session() -> Part:
        bar = window.menus
        return Part(bar, bar.actionGeometry(bar.actions()[0]))

    def positions() -> Part:
        panel = window.positions
        bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        tabs = max((bar.height() for bar in bars if bar.isVisible()), default=0)
        return Part(panel, panel.rect().adjusted(0, -tabs, 0, 0))

    def halt() -> Part:
        box = window.topbar.halt_box
        return Part(box, box.rect().adjusted(-HALT_AIR_PX, -3, 3, 3))

    return {
        "prices": prices,
        "chart": lambda: whole(window.charts),
        "ticket": lambda: whole(window.ticket),
        "positions": positions,
        "halt": halt,
        "session": session,
    }


class Outline:
    """Four strips around a rectangle. They take no mouse and no focus."""

    def __init__(self, theme: Theme, home: QWidget) -> None:
        self._px = theme.px(OUTLINE_PX)
        self._strips = [QWidget(home) for _ in range(4)]
        for strip in self._strips:
            strip.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            strip.setAutoFillBackground(True)
            strip.setStyleSheet("background: none;")
            palette = strip.palette()
            palette.setColor(QPalette.ColorRole.Window, theme.qcolor("accent"))
            strip.setPalette(palette)
            strip.hide()

    def put(self, home: QWidget, area: QRect) -> None:
        """Around this rectangle of a window."""
        px, box = self._px, area.intersected(home.rect())
        sides = (
            QRect(box.left(), box.top(), box.width(), px),
            QRect(box.left(), box.bottom() - px + 1, box.width(), px),
            QRect(box.left(), box.top(), px, box.height()),
            QRect(box.right() - px + 1, box.top(), px, box.height()),
        )
        for strip, side in zip(self._strips, sides, strict=True):
            if strip.parentWidget() is not home:
                strip.setParent(home)
            strip.setGeometry(side)
            strip.show()
            strip.raise_()

    def hide(self) -> None:
        """Away."""
        for strip in self._strips:
            strip.hide()

    def forget(self) -> None:
        """Away for good."""
        for strip in self._strips:
            strip.hide()
            strip.deleteLater()
        self._strips = []


class Tour(QFrame):
    """The panel; the window's size and docks may change under it.

    left: it is over, and whether all steps were seen. more: a sentence that ends the last step.
    """

    left = Signal(bool)

    def __init__(self, context: Context, theme: Theme, window: "MainWindow", more: str) -> None:
        super().__init__(window)
        self._theme = theme
        self._home = window
        self._parts: Mapping[str, Callable[[], Part]] = parts_of(window)
        age_ms_max = context.settings.risk.quote_age_ms_max
        self.stops: tuple[Stop, ...] = stops(context.mode, age_ms_max, more)
        self.at = 0
        self._over = False
        self._watched: list[QWidget] = []
        self._outlines = [Outline(theme, window) for _ in range(2)]
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._put)
        self._build()
        window.installEventFilter(self)

    def _build(self) -> None:
        theme = self._theme
        self.setObjectName("tour")
        self.setStyleSheet(
            f"QFrame#tour {{ background: {theme.raised}; border: 1px solid {theme.accent};"
            " border-radius: 6px; }"
        )
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.count = theme.label("", "muted", 11)
        self.title = theme.label("", "text", 14, 600)
        self.text = theme.label("", "text", 12)
        for label in (self.title, self.text):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.skip = self._button("Skip", "link", "Leave the tour. Esc. Help > Take the tour.")
        self.back = self._button("Back", "", "The step before. Left arrow.")
        self.next = self._button("Next", "primary", "The next step. Right arrow or Enter.")
        self.skip.clicked.connect(self.leave)
        self.back.clicked.connect(self.go_back)
        self.next.clicked.connect(self.go_on)
        line = QHBoxLayout()
        line.setSpacing(theme.px(8))
        line.addWidget(self.skip)
        line.addStretch(1)
        line.addWidget(self.back)
        line.addWidget(self.next)
        column = QVBoxLayout(self)
        edge = theme.px(16)
        column.setContentsMargins(edge, theme.px(12), edge, theme.px(12))
        column.setSpacing(theme.px(6))
        column.addWidget(self.count)
        column.addWidget(self.title)
        column.addWidget(self.text, 1)
        column.addSpacing(theme.px(6))
        column.addLayout(line)
        QWidget.setTabOrder(self.next, self.back)
        QWidget.setTabOrder(self.back, self.skip)

    def _button(self, text: str, role: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        if role:
            button.setProperty("role", role)
        button.setAutoDefault(True)
        set_tip(button, tip)
        button.setAccessibleName(tip.partition(".")[0])
        button.installEventFilter(self)
        return button

    # --- what a person does -----------------------------------------------------------------------

    def begin(self) -> None:
        """Show the first step."""
        self.show()
        self._go(0)
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)

    def go_on(self) -> None:
        """The next step; after the last one it is over."""
        if self.at + 1 < len(self.stops):
            self._go(self.at + 1)
        else:
            self._end(seen=True)

    def go_back(self) -> None:
        """The step before; at the first one nothing."""
        if self.at:
            self._go(self.at - 1)

    def leave(self) -> None:
        """Skip the rest."""
        self._end(seen=False)

    def _end(self, *, seen: bool) -> None:
        if self._over:
            return
        self._over = True
        self._soon.stop()
        self._watch([])
        self._home.removeEventFilter(self)
        for outline in self._outlines:
            outline.forget()
        focused = self._home.focusWidget()
        if focused is not None and self.isAncestorOf(focused):
            self._home.charts.chart.setFocus()  # where it was at the start, and not on a button
        self.hide()
        self.left.emit(seen)
        self.deleteLater()

    # --- showing ----------------------------------------------------------------------------------

    def _go(self, at: int) -> None:
        self.at = at
        stop, count = self.stops[at], len(self.stops)
        self.count.setText(f"Step {at + 1} of {count}")
        self.title.setText(stop.title)
        self.text.setText(stop.text)
        self.setAccessibleName(f"Tour, step {at + 1} of {count}: {stop.title}")
        self.setAccessibleDescription(stop.text)
        last = at + 1 == count
        self.next.setText("Done" if last else "Next")
        self.next.setAccessibleName("End the tour" if last else "The next step")
        self.back.setEnabled(at > 0)
        self.skip.setVisible(not last)
        if stop.dock:
            dock = self._home.docks[stop.dock]
            dock.show()
            dock.raise_()
        if not self.back.isEnabled() and self.back.hasFocus():
            self.next.setFocus(Qt.FocusReason.OtherFocusReason)
        self._put()
        self._soon.start()  # docks that came forward have their place a turn later

    def _put(self) -> None:
        """Outline the parts of this step and stand beside them."""
        found = [self._parts[name]() for name in self.stops[self.at].parts]
        self._watch([part.widget for part in found])
        boxes: list[Box] = []
        for outline, part in zip(self._outlines, [*found, None], strict=False):
            if part is None or not part.widget.isVisible():
                outline.hide()
                continue
            top = part.widget.window()
            area = QRect(part.widget.mapTo(top, part.area.topLeft()), part.area.size())
            outline.put(top, area)
            # a floating dock is another window; its place on the screen is what must stay free
            shift = QPoint() if top is self._home else top.mapToGlobal(QPoint())
            shift -= QPoint() if top is self._home else self._home.mapToGlobal(QPoint())
            boxes.append(_box(area.translated(shift)))
        self._stand(boxes)

    def _stand(self, parts: list[Box]) -> None:
        wide = min(self._theme.px(PANEL_PX), self._home.width())
        edge = 2 * self._theme.px(16) + 2
        inner = wide - edge
        words = self.title.heightForWidth(inner) + self.text.heightForWidth(inner)
        words += self.count.sizeHint().height() + self.next.sizeHint().height()
        high = words + 3 * self._theme.px(6) + self._theme.px(6) + 2 * self._theme.px(12) + 4
        high = max(high, self._theme.px(PANEL_HIGH_MIN_PX))
        room = _box(self._home.rect())
        where = place((wide, high), parts, room)
        self.setGeometry(where.left, where.top, where.width, where.height)
        self.raise_()

    def _watch(self, widgets: list[QWidget]) -> None:
        for widget in self._watched:
            widget.removeEventFilter(self)
        self._watched = widgets
        for widget in widgets:
            widget.installEventFilter(self)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follows what it points at; arrows and Esc mean the tour wherever the focus in it is."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if isinstance(watched, QPushButton) and watched.parent() is self:
                return self._key(event)
        elif event.type() in _MOVES and not self._over and watched is not self:
            self._soon.start()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Enter and Esc."""
        if not self._key(event):
            super().keyPressEvent(event)

    def _key(self, event: QKeyEvent) -> bool:
        acts = {
            Qt.Key.Key_Escape: self.leave,
            Qt.Key.Key_Right: self.go_on,
            Qt.Key.Key_Left: self.go_back,
        }
        act = acts.get(Qt.Key(event.key()))
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if act is None or not plain:
            return False
        if event.key() == Qt.Key.Key_Right and self.at + 1 == len(self.stops):
            return True  # the end is a button, not one arrow too many
        act()
        return True


def _box(area: QRect) -> Box:
    return Box(area.left(), area.top(), area.width(), area.height())
