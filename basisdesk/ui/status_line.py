"""The line at the bottom and the banner at the top: the program speaking for itself."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLayout,
    QMenuBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.ui.context import Context, Status
from basisdesk.ui.pulse import Panel
from basisdesk.ui.status_rows import Item, banner, left_items, right_items
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

SAVED_MS = 15_000  # the place of a saved log is shown for so long
SAVED_PX = 340  # width of its path
LINES = 2  # of the banner
AIR_PX, SIDE_PX = 6, 12  # above and below its lines together; at either side, as in the style
COPY, COPIED = "Copy diagnostics", "Copied"
COPIED_MS = 4_000  # the button says so for so long


class StatusLine(Panel):
    """Account at the left, program at the right. What does not fit goes whole, by rank."""

    cares_about = Changed.QUOTES | Changed.POSITIONS | Changed.LEDGER | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._saved = ""
        self.setAccessibleName("Status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, on=False)
        self._said = QTimer(self)
        self._said.setSingleShot(True)
        self._said.timeout.connect(self.refresh)
        self._items: list[tuple[Item, PlainLabel]] = []
        self._left: list[PlainLabel] = []
        self._right: list[PlainLabel] = []
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(theme.px(10), theme.px(3), theme.px(10), theme.px(4))
        self._line.setSpacing(theme.px(14))
        self._line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._line.addStretch(1)

    def refresh(self) -> None:
        """Read the account and the program."""
        utc = self._context.settings.ui.utc
        engine, status = self._context.engine, self._context.status
        left, right = left_items(engine, utc), right_items(engine, status, utc)
        if (saved := self._saved_item()) is not None:
            right.insert(0, saved)
        self._show(self._left, left, lambda at: at)
        self._show(self._right, right, lambda at: len(self._left) + 1 + at)
        labels = (*self._left, *self._right)
        self._items = list(zip((*left, *right), labels, strict=True))
        self._fit()

    def _saved_item(self) -> Item | None:
        """Where the session log went, for a while after it was saved."""
        path = self._context.status.saved
        if path != self._saved:
            self._saved = path
            self._said.start(SAVED_MS)
        if not path or not self._said.isActive():
            return None
        shown = self.fontMetrics().elidedText(
            path, Qt.TextElideMode.ElideMiddle, self._theme.px(SAVED_PX)
        )
        return Item(f"log saved to {shown}", "text", path, 11)

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

    def _fit(self) -> None:
        """Hide items of the lowest rank until the rest stands whole."""
        margins = self._line.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        gap = self._line.spacing()
        widths = {id(label): label.sizeHint().width() + gap for _, label in self._items}
        needed = sum(widths.values()) + gap
        for _, label in sorted(self._items, key=lambda pair: pair[0].keep):
            whole = needed <= room
            if label.isHidden() == whole:
                label.setVisible(whole)
            if not whole:
                needed -= widths[id(label)]
        self._line.activate()  # or a longer figure is cut until the next turn of the loop

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width holds other items."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """The line never holds the window wide."""
        return QSize(0, super().minimumSizeHint().height())


def beside_menus(menus: QMenuBar, banner: "Banner") -> QHBoxLayout:
    """The menus and, in the room at their right that is always kept, the banner.

    So nothing below moves when it comes and goes.
    """
    menus.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    row.addWidget(menus)
    row.addWidget(banner, 1)
    return row


class Banner(Panel):
    """One sentence beside the menus: what happened, what it means, what to do.

    Its height is that of two lines whether it says something or not. What is longer than that ends
    in dots and stands whole in the tip. After a fault of the program's own a button beside it
    copies the diagnostics.
    """

    cares_about = Changed.RISK | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._labels: dict[str, PlainLabel] = {}
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(SIDE_PX // 2))
        column = QVBoxLayout()
        row.addLayout(column, 1)
        for level in ("warn", "error"):
            label = theme.label("", "text", 11, 600)
            label.setProperty("role", f"banner-{level}")
            label.setWordWrap(True)
            label.setAccessibleName("Notice")
            label.hide()
            column.addWidget(label)
            self._labels[level] = label
        lines = LINES * self._labels["warn"].fontMetrics().lineSpacing()
        self.setFixedHeight(lines + theme.px(AIR_PX))
        self._said = ""
        self.copy = QPushButton(COPY, self)
        self.copy.setAccessibleName("Copy diagnostics for a fault report")
        set_tip(self.copy, "Versions, settings, figures and the end of the log; nothing private.")
        self.copy.setMinimumWidth(self.copy.sizeHint().width())  # its words change, its place not
        self.copy.clicked.connect(self._on_copy)
        self.copy.hide()
        row.addWidget(self.copy)
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(COPIED_MS)
        self._copied.timeout.connect(self._on_copied_over)
        self.setObjectName("banner")  # drawn as the menus are, so the row is one
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    @property
    def text(self) -> str:
        """The notice on the screen; "" for none."""
        return self._said

    def refresh(self) -> None:
        """Show the notice, or nothing at all."""
        context = self._context
        what = banner(context.engine, context.status, context.settings.ui.utc)
        self._said = what.text if what is not None else ""
        self._offer(context.status)
        for level, label in self._labels.items():
            shown = what is not None and what.level == level
            if shown:
                self._fit(label)
            if label.isHidden() == shown:
                label.setVisible(shown)

    def _fit(self, label: PlainLabel) -> None:
        """As many words as two lines hold, and all of them in the tip."""
        words = self._said.split(" ")
        wide = self.contentsRect().width() - self._theme.px(2 * SIDE_PX)
        if not self.copy.isHidden():
            wide -= self.copy.width() + 2 * self._row.spacing()
        metrics, wrap = label.fontMetrics(), Qt.TextFlag.TextWordWrap

        def fits(text: str) -> bool:
            box = metrics.boundingRect(QRect(0, 0, max(1, wide), 10_000), wrap, text)
            return box.height() <= LINES * metrics.lineSpacing()

        text, kept = self._said, len(words)
        while kept > 1 and not fits(text):
            kept -= 1
            text = " ".join(words[:kept]).rstrip(".,;:") + "\u2026"
        if label.text() != text:
            label.setText(text)
        set_tip(label, self._said)

    def _offer(self, status: Status) -> None:
        """The button stands beside the program's own faults, nowhere else."""
        fault = bool(status.banner) and status.banner_level == "error"
        offered = fault and self._context.diagnostics is not None
        if self.copy.isHidden() == offered:
            self._row.setContentsMargins(0, 0, self._row.spacing() if offered else 0, 0)
            self.copy.setVisible(offered)

    def _on_copy(self) -> None:
        if (diagnostics := self._context.diagnostics) is not None:
            diagnostics.copy()
            self.copy.setText(COPIED)
            self._copied.start()

    def _on_copied_over(self) -> None:
        self.copy.setText(COPY)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width holds other words."""
        super().resizeEvent(event)
        for label in self._labels.values():
            if not label.isHidden():
                self._fit(label)
