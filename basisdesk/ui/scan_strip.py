"""The strip over the scanner: what is watched, what is worth trading now, and what is due."""

import math

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLineEdit, QSizePolicy, QWidget

from basisdesk.events import Changed
from basisdesk.scan.words import Strip
from basisdesk.ui.context import Context
from basisdesk.ui.figure import GAP_PX as FIGURE_GAP_PX
from basisdesk.ui.figure import Figure, Room
from basisdesk.ui.pulse import Panel
from basisdesk.ui.scan_strip_rows import (
    Told,
    captions,
    history_text,
    refresh_text,
    strip_figures,
    strip_tips,
)
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

BAR_PX = 56
GAP_PX = 16
SEARCH_PX = 260
SEARCH_PX_MIN = 140
ASK_PX = 28  # frame and padding of the search line
STALE_S = 10.0  # a reading older than this is no reading of now
_BADGES = {
    "simulated": ("SIMULATED", "badge-warn", "warn", "Prices come from the demo exchange."),
    "replay": ("REPLAY", "badge-warn", "warn", "Prices come from a recording, not from now."),
    "live": ("LIVE", "badge-gain", "gain", "Prices come from the venue, now."),
}
_PAPER = "Orders are filled on paper over the displayed book. No order leaves this machine."
_ASK, _ASK_SHORT = "Search coin, venue, kind   Ctrl+F", "Search   Ctrl+F"
_LONG, _SHORT, _BARE, _GONE = range(4)  # how many words stand beside a figure
# What steps back first when the strip is narrow: (figure, how much of it stays).
_STEPS: tuple[tuple[str, int], ...] = (
    ("next", _SHORT),
    ("market", _SHORT),
    ("btc_eth", _SHORT),
    ("gap", _SHORT),
    ("btc_eth", _BARE),
    ("watched", _SHORT),
    ("next", _BARE),
    ("watched", _BARE),
    ("market", _BARE),
    ("gap", _BARE),
    ("worth", _BARE),
    ("btc_eth", _GONE),
    ("watched", _GONE),
    ("market", _GONE),
    ("gap", _GONE),
)


def now_ns_of(context: Context) -> int:
    """The desk's time: a tape's in a replay, else the clock's, which goes on in silence."""
    engine_ns = context.engine.now_ns
    return engine_ns if context.mode == "replay" else max(engine_ns, context.clock.now_ns())


class SearchLine(QLineEdit):
    """A line to search with; Escape empties it."""

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape empties the line."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)


class ScanStrip(Panel):
    """Figures of the whole universe and the search. searched: the words that were typed."""

    cares_about = Changed.SCAN | Changed.QUOTES | Changed.FEEDS
    searched = Signal(str)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._small = QFontMetricsF(theme.font(11))
        self._large = QFontMetricsF(theme.font(14, 600))
        self._old = False
        scanner = context.settings.scanner
        self._told = strip_figures(Strip(), scanner, 0)
        self._captions = captions(scanner)
        tips = strip_tips(Strip(), scanner)
        self.figures = {
            name: Figure(caption, tips[name], theme) for name, caption in self._captions.items()
        }
        self._title = theme.label("Scanner", size=19, weight=600)
        words = _BADGES[context.mode]
        self._badges = (self._badge(*words), self._badge("PAPER", "badge-spot", "spot", _PAPER))
        self.search = SearchLine(self)
        self.search.setPlaceholderText(_ASK)
        self.search.setAccessibleName("Search the openings")
        self.search.setClearButtonEnabled(True)
        set_tip(self.search, "Words that rows must hold: ada okx perp. Esc empties the line.")
        self.search.textChanged.connect(self.searched)
        self.search.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.search.setMinimumWidth(theme.px(SEARCH_PX_MIN))
        self.search.setMaximumWidth(theme.px(SEARCH_PX))
        self._lay_out()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What is watched and worth trading")

    def _badge(self, words: str, role: str, tone: str, tip: str) -> PlainLabel:
        badge = self._theme.label(words, tone, 11, 600)
        badge.setProperty("role", role)
        set_tip(badge, tip)
        return badge

    def _lay_out(self) -> None:
        px = self._theme.px
        line = QHBoxLayout(self)
        line.setContentsMargins(px(12), 0, px(12), 0)
        line.setSpacing(px(GAP_PX))
        line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        head = QHBoxLayout()
        head.setSpacing(px(6))
        for part in (self._title, *self._badges):
            head.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        line.addLayout(head)
        for figure in self.figures.values():
            line.addWidget(figure)
        line.addStretch(1)
        line.addWidget(self.search, 100)
        self.setFixedHeight(px(BAR_PX))

    # --- showing ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the strip and show it; a reading that is old is dimmed."""
        context = self._context
        scan, now_ns = context.scan, now_ns_of(context)
        strip = scan.strip if scan is not None else Strip()
        self._told = strip_figures(strip, context.settings.scanner, now_ns // 1_000_000)
        self._old = not age_s_of(context) <= STALE_S
        for name, tip in strip_tips(strip, context.settings.scanner).items():
            set_tip(self.figures[name], tip)
        self._fit()

    def _fit(self) -> None:
        """As much as the width allows; what matters least steps back first."""
        fits = (step for step in range(len(_STEPS) + 1) if self._width_at(step) <= self.width())
        levels = self._levels(next(fits, len(_STEPS)))
        for name, figure in self.figures.items():
            told, level = self._told[name], levels[name]
            figure.show_figure(
                told.value,
                _words(told, level),
                stale=self._old and name != "next",
                aside_tone=told.aside_tone,
            )
            figure.set_room(Room.GONE if level == _GONE else Room.BESIDE)
        self._settle()

    def _levels(self, step: int) -> dict[str, int]:
        return dict.fromkeys(self.figures, _LONG) | dict(_STEPS[:step])

    def _width_at(self, step: int) -> int:
        px = self._theme.px
        head = self._title.sizeHint().width() + sum(b.sizeHint().width() for b in self._badges)
        widths = [
            self._figure_px(name, level)
            for name, level in self._levels(step).items()
            if level != _GONE
        ]
        shown = [*widths, head + px(12), px(SEARCH_PX_MIN)]
        return sum(shown) + px(GAP_PX) * len(shown) + 2 * px(12)

    def _figure_px(self, name: str, level: int) -> int:
        """Width of a figure with so many words beside it, as it paints itself."""
        told = self._told[name]
        words, value = _words(told, level), self._large.horizontalAdvance(told.value)
        aside = FIGURE_GAP_PX + self._small.horizontalAdvance(words) if words else 0.0
        caption = self._small.horizontalAdvance(self._captions[name])
        return math.ceil(max(caption, value + aside)) + 1

    # Qt

    def minimumSizeHint(self) -> QSize:
        """As narrow as its last step."""
        return QSize(self._width_at(len(_STEPS)), self._theme.px(BAR_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, other figures."""
        super().resizeEvent(event)
        self._fit()

    def _settle(self) -> None:
        """Put everything in its place now: figures of another width must not overlap in a paint."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
        needed = self.search.fontMetrics().horizontalAdvance(_ASK) + self._theme.px(ASK_PX)
        ask = _ASK if self.search.width() >= needed else _ASK_SHORT
        if self.search.placeholderText() != ask:
            self.search.setPlaceholderText(ask)


class ScanFoot(Panel):
    """The line under the scanner: what is kept of the past, and how fresh the figures are."""

    cares_about = Changed.SCAN | Changed.QUOTES | Changed.FEEDS

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, on=False)
        self.setAccessibleName("Status of the scanner")
        self.history = theme.label("", "muted", 11)
        self.fresh = theme.label("", "muted", 11)
        set_tip(
            self.history,
            "Settled funding and minute prices kept on this machine: percentiles, z and half-lives "
            "are counted from them.",
        )
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.px(10), theme.px(2), theme.px(10), theme.px(3))
        line.addWidget(self.history)
        line.addStretch(1)
        line.addWidget(self.fresh)

    def refresh(self) -> None:
        """Read the scanner's own figures."""
        context = self._context
        strip = context.scan.strip if context.scan is not None else Strip()
        age_s = age_s_of(context)
        problem = context.scan.problem if context.scan is not None else ""
        self.history.set_colour(self._theme.qcolor("warn" if problem else "muted"))
        for label, text in (
            (self.history, problem or history_text(strip, context.settings.scanner)),
            (self.fresh, refresh_text(strip, age_s)),
        ):
            if label.text() != text:
                label.setText(text)
        self.fresh.set_colour(self._theme.qcolor("muted" if age_s <= STALE_S else "warn"))


def _words(told: Told, level: int) -> str:
    if level == _LONG:
        return told.aside
    return (told.short or told.aside) if level == _SHORT else ""


def age_s_of(context: Context) -> float:
    """Age of the newest openings, seconds; infinite where there are none."""
    openings = context.scan.openings if context.scan is not None else None
    if openings is None:
        return float("inf")
    return max(0.0, (now_ns_of(context) - openings.now_ns) / 1e9)
