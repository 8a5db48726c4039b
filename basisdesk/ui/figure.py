"""One figure of the top bar: a caption, a value, and something beside it that can step back."""

import enum
import math

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QContextMenuEvent, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.tip_menu import offer_tip

GAP_PX = 6
LINES_PX = 3


class Room(enum.IntEnum):
    """How much of a figure is shown. The value itself is whole or not there, never cut."""

    BESIDE = 0  # the aside stands beside the value
    ABOVE = 1  # it stands beside the caption
    SHORT = 2  # there, in fewer words; the value in its brief form, where it has one
    BARE = 3  # no aside
    GONE = 4  # not shown at all


class Figure(QWidget):
    """Caption over value, with an aside that has a long and a short wording.

    Painted, not built of labels: its width is exactly what its words need in the room it is given.
    """

    def __init__(self, caption: str, tip: str, theme: Theme, tone: str = "text") -> None:
        super().__init__()
        self._theme = theme
        self._caption = caption
        self._tone = tone
        self._aside_tone = "muted"
        self._value = ""
        self._words = ("", "")
        self._brief: tuple[str, str] | None = None
        self._stale = False
        self._room = Room.BESIDE
        self._small, self._large = theme.font(11), theme.font(14, 600)
        self._small_metrics = QFontMetricsF(self._small)
        self._large_metrics = QFontMetricsF(self._large)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_tip(self, tip)
        self.setAccessibleName(caption)
        self._resize()

    @property
    def text(self) -> str:
        """Caption, value and aside as one line: what a screen reader says."""
        return " ".join(part for part in (self._caption, self._value, self._words[0]) if part)

    @property
    def caption(self) -> str:
        """The name of the figure."""
        return self._caption

    @property
    def stale(self) -> bool:
        """Whether the value is dimmed as too old."""
        return self._stale

    def set_caption(self, caption: str) -> None:
        """Name the figure anew: another pair has other legs."""
        if caption != self._caption:
            self._caption = caption
            self.setAccessibleName(self.text)
            self._resize()
            self.update()

    def show_figure(
        self,
        value: str,
        aside: str = "",
        *,
        short: str | None = None,
        stale: bool = False,
        aside_tone: str = "muted",
        brief: tuple[str, str] | None = None,
    ) -> None:
        """Show this value; `short` is the aside where room is scarce. A stale value is dimmed.

        brief: caption and value where room is scarce.
        """
        fresh = (value, (aside, aside if short is None else short), stale, aside_tone, brief)
        if fresh == (self._value, self._words, self._stale, self._aside_tone, self._brief):
            return
        self._value, self._words, self._stale, self._aside_tone, self._brief = fresh
        self.setAccessibleName(self.text)
        self._resize()
        self.update()

    def set_room(self, room: Room) -> None:
        """Show as much as this allows."""
        if room != self._room:
            self._room = room
            self.setVisible(room is not Room.GONE)
            self._resize()
            self.update()

    def width_in(self, room: Room) -> int:
        """How wide this figure is when it may show so much, px."""
        if room is Room.GONE:
            return 0
        name, figure = self._told(room)
        caption = self._small_metrics.horizontalAdvance(name)
        value = self._large_metrics.horizontalAdvance(figure)
        words = self._aside_in(room)
        aside = GAP_PX + self._small_metrics.horizontalAdvance(words) if words else 0.0
        if room is Room.BESIDE:
            return math.ceil(max(caption, value + aside)) + 1
        return math.ceil(max(caption + aside, value)) + 1

    def _told(self, room: Room) -> tuple[str, str]:
        if self._brief is not None and room >= Room.SHORT:
            return self._brief
        return self._caption, self._value

    def _aside_in(self, room: Room) -> str:
        if room is Room.BARE:
            return ""
        return self._words[1 if room is Room.SHORT else 0]

    def _resize(self) -> None:
        high = self._small_metrics.height() + LINES_PX + self._large_metrics.height()
        self.setFixedSize(max(1, self.width_in(self._room)), math.ceil(high))

    # Qt

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: D102
        offer_tip(self, event)

    def sizeHint(self) -> QSize:  # noqa: D102
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, D102
        theme = self._theme
        first = self._small_metrics.ascent()
        second = self._small_metrics.height() + LINES_PX + self._large_metrics.ascent()
        caption, value = self._told(self._room)
        painter = QPainter(self)
        painter.setFont(self._small)
        painter.setPen(theme.qcolor("muted"))
        painter.drawText(QPointF(0, first), caption)
        words = self._aside_in(self._room)
        if words:
            beside = self._room is Room.BESIDE
            metrics = self._large_metrics if beside else self._small_metrics
            before = metrics.horizontalAdvance(value if beside else caption)
            painter.setPen(theme.qcolor(self._aside_tone))
            painter.drawText(QPointF(before + GAP_PX, second if beside else first), words)
        painter.setFont(self._large)
        painter.setPen(theme.qcolor("stale" if self._stale else self._tone))
        painter.drawText(QPointF(0, second), value)
        painter.end()
