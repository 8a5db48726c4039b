"""The line at the bottom and the banner at the top: the program speaking for itself."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.pulse import Panel
from basisdesk.ui.status_rows import EquityWatch, Item, banner, left_items, right_items
from basisdesk.ui.theme import PlainLabel, Theme, set_tip


class StatusLine(Panel):
    """Account at the left, program at the right. What does not fit goes, from the middle out."""

    cares_about = Changed.QUOTES | Changed.POSITIONS | Changed.LEDGER | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._watch = EquityWatch()
        self._saved = ""
        self.setAccessibleName("Status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, on=False)
        self._left: list[PlainLabel] = []
        self._right: list[PlainLabel] = []
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(theme.px(10), theme.px(3), theme.px(10), theme.px(4))
        self._line.setSpacing(theme.px(14))
        self._line.addStretch(1)

    def refresh(self) -> None:
        """Read the account and the program."""
        utc = self._context.settings.ui.utc
        engine, status = self._context.engine, self._context.status
        self._show(self._left, left_items(engine, self._watch, utc), lambda at: at)
        items = right_items(engine, status, utc)
        self._show(self._right, items, lambda at: len(self._left) + 1 + at)

    def _show(
        self, labels: list[PlainLabel], items: list[Item], place: Callable[[int], int]
    ) -> None:
        while len(labels) > len(items):
            labels.pop().deleteLater()
        while len(labels) < len(items):
            label = self._theme.label("", "muted", 11)
            self._line.insertWidget(place(len(labels)), label)
            labels.append(label)
        for label, item in zip(labels, items, strict=True):
            if label.text() != item.text:
                label.setText(item.text)
            label.set_colour(self._theme.qcolor(item.meaning or "muted"))
            set_tip(label, item.tip)


class Banner(Panel):
    """One sentence over the whole window: what happened, what it means, what to do."""

    cares_about = Changed.RISK | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.label = theme.label("", "text", 12, 600)
        self.label.setWordWrap(True)
        self.label.setAccessibleName("Notice")
        self.label.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.label)

    def refresh(self) -> None:
        """Show the notice, or nothing at all."""
        context = self._context
        what = banner(context.engine, context.status, context.settings.ui.utc)
        if what is None:
            self.label.hide()
            return
        if self.label.text() != what.text:
            self.label.setText(what.text)
        role = f"banner-{what.level}"
        if self.label.property("role") != role:
            self.label.setProperty("role", role)
            self.label.style().unpolish(self.label)
            self.label.style().polish(self.label)
        self.label.show()

    # Qt

    def event(self, event: QEvent) -> bool:
        """A notice asks for its height again when the window's width changes it."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)
