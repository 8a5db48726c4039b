"""The forecast of the pair on the screen: what it says, of what, and whether it may be believed."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from basisdesk.events import Changed
from basisdesk.forecast.view import ForecastView
from basisdesk.ui.context import Context
from basisdesk.ui.forecast_blocks import (
    FeaturesBlock,
    LinesBlock,
    ScoreBlock,
)
from basisdesk.ui.forecast_evidence import ProofBlock, SignalsBlock
from basisdesk.ui.forecast_person import ReasonDialog, Spoken, ask_end, ask_word, spoken_of
from basisdesk.ui.pulse import Panel
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.times import zone_text

LEFT_PX, LEFT_WIDE_PX, FEATURES_PX, PROOF_PX = 310, 380, 420, 460
NARROW_PX, TWO_PX, WIDE_PX = 760, 1240, 1800  # to which there are one, two, and three columns
TALL_PX, STACKED_PX = 420, 600  # from which the right side, and a narrow panel, are two storeys
TABS_PX, GAP_PX, PAD_PX, AIR_PX = 28, 16, 10, 6
LINES_PX_MIN, LINES_PX_LOW = 60, 40  # under the score; with less, they stand beside it
TABS = {
    "Score": ("score", "lines"),
    "Features": ("features",),
    "Evidence": ("proof",),
    "Signals": ("signals",),
}
TIPS = {
    "Score": "Probability, decision, expected hold and funding of the pair on the screen.",
    "Features": "The 44 features, and what each adds to the logit.",
    "Evidence": "Reliability, Brier, skill, drift and the model: whether it may be believed.",
    "Signals": "The newest candidates of all pairs, taken or not, and how they ended.",
}


class Plan(NamedTuple):
    """Where everything stands. blocks: those that are shown; tabs: the choice and its names."""

    blocks: dict[str, QRect]
    tabs: QRect | None = None
    names: tuple[str, ...] = ()


class Room(NamedTuple):
    """What a plan is made for. px: a length of the 12 px design.

    score_high, lines_high: what these need at a width.
    """

    size: QSize
    px: Callable[[float], int]
    score_high: Callable[[int], int]
    lines_high: Callable[[int], int]


def plan_of(room: Room, front: str) -> Plan:
    """Where the parts stand in a panel of this size. front: the name of the tab in front."""
    wide, high = room.size.width(), room.size.height()
    px = room.px
    inner = QRect(px(PAD_PX), px(AIR_PX), wide - 2 * px(PAD_PX), high - 2 * px(AIR_PX))
    if wide < px(NARROW_PX) or _low(room, inner):
        return _narrow(room, inner, front)
    if wide < px(TWO_PX):
        return _two(room, inner, front)
    if wide >= px(WIDE_PX) and high < px(TALL_PX):
        return _wide(room, inner)
    return _three(room, inner, front)


def _low(room: Room, inner: QRect) -> bool:
    """Whether the score does not stand whole over a few of its lines: large type, a low dock."""
    least = room.score_high(room.px(LEFT_PX)) + room.px(GAP_PX) // 2 + room.px(LINES_PX_LOW)
    return inner.height() < least


def _columns(inner: QRect, widths: list[int], gap: int) -> list[QRect]:
    found, left = [], inner.left()
    for wide in widths:
        found.append(QRect(left, inner.top(), wide, inner.height()))
        left += wide + gap
    return found


def _score(room: Room, rect: QRect, *, beside: bool = False) -> dict[str, QRect]:
    """Score above lines, or beside them; the lines get what is left."""
    gap = room.px(GAP_PX) // 2
    if beside:
        half = (rect.width() - 2 * gap) * 9 // 20
        one, other = _columns(rect, [half, rect.width() - 2 * gap - half], 2 * gap)
        return {"score": one, "lines": other}
    top = min(room.score_high(rect.width()), max(40, rect.height() - room.px(LINES_PX_MIN) - gap))
    rest = rect.adjusted(0, top + gap, 0, 0)
    return {"score": QRect(rect.left(), rect.top(), rect.width(), top), "lines": rest}


def _tabbed(room: Room, rect: QRect, names: tuple[str, ...], front: str) -> Plan:
    """One of several parts below a row of their names."""
    shown = front if front in names else names[0]
    tabs = QRect(rect.left(), rect.top(), rect.width(), room.px(TABS_PX))
    below = rect.adjusted(0, room.px(TABS_PX) + 2, 0, 0)
    parts = TABS[shown]
    if parts == ("score", "lines"):
        beside = rect.width() >= room.px(2 * LEFT_PX)
        return Plan(_score(room, below, beside=beside), tabs, names)
    return Plan({parts[0]: below}, tabs, names)


def _narrow(room: Room, inner: QRect, front: str) -> Plan:
    names = tuple(TABS)
    if inner.height() < room.px(STACKED_PX):
        return _tabbed(room, inner, names, front)
    beside = inner.width() >= room.px(2 * LEFT_PX)
    score, lines = room.score_high(inner.width()), room.lines_high(inner.width())
    if beside:
        top = min(inner.height() // 3, max(score, room.lines_high(inner.width() // 2)))
    else:
        top = min(inner.height() // 2, score + room.px(GAP_PX) // 2 + lines)
    above = QRect(inner.left(), inner.top(), inner.width(), top)
    lower = _tabbed(room, inner.adjusted(0, top + room.px(GAP_PX) // 2, 0, 0), names[1:], front)
    return Plan({**_score(room, above, beside=beside), **lower.blocks}, lower.tabs, lower.names)


def _two(room: Room, inner: QRect, front: str) -> Plan:
    gap, left = room.px(GAP_PX), room.px(LEFT_PX)
    one, two = _columns(inner, [left, inner.width() - left - gap], gap)
    right = _tabbed(room, two, tuple(TABS)[1:], front)
    return Plan({**_score(room, one), **right.blocks}, right.tabs, right.names)


def _three(room: Room, inner: QRect, front: str) -> Plan:
    px, gap = room.px, room.px(GAP_PX)
    left = px(LEFT_WIDE_PX if inner.width() >= px(WIDE_PX) else LEFT_PX)
    rest = inner.width() - left - 2 * gap
    middle = max(min(px(FEATURES_PX), rest - px(PROOF_PX)), rest * 44 // 100)
    one, two, three = _columns(inner, [left, middle, rest - middle], gap)
    blocks = {**_score(room, one), "features": two}
    if inner.height() < px(TALL_PX):
        right = _tabbed(room, three, ("Evidence", "Signals"), front)
        return Plan({**blocks, **right.blocks}, right.tabs, right.names)
    half = (three.height() - gap) // 2
    blocks["proof"] = QRect(three.left(), three.top(), three.width(), half)
    blocks["signals"] = three.adjusted(0, half + gap, 0, 0)
    return Plan(blocks)


def _wide(room: Room, inner: QRect) -> Plan:
    px, gap = room.px, room.px(GAP_PX)
    left, lines = px(LEFT_PX), px(LEFT_WIDE_PX)
    rest = inner.width() - left - lines - 4 * gap
    features, proof = rest * 35 // 100, rest * 32 // 100
    widths = [left, lines, features, proof, rest - features - proof]
    names = "score", "lines", "features", "proof", "signals"
    return Plan(dict(zip(names, _columns(inner, widths, gap), strict=True)))


class ForecastPanel(Panel):
    """Reads `context.forecast`; only the parts that are in sight are filled."""

    cares_about = Changed.FORECAST

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._front = ""  # the part that somebody asked for
        utc = context.settings.ui.utc
        self.setAccessibleName("Forecast")
        self.score = ScoreBlock(theme, self)
        self.lines = LinesBlock(theme, self)
        self.features = FeaturesBlock(theme, self)
        self._tabs = self._make_tabs()  # here: the Tab key follows the order of making
        self.proof = ProofBlock(theme, utc, self)
        zone = zone_text(utc, context.engine.now_ns)
        self.signals = SignalsBlock(theme, zone, utc, self)
        self._blocks: dict[str, QWidget] = {
            "score": self.score,
            "lines": self.lines,
            "features": self.features,
            "proof": self.proof,
            "signals": self.signals,
        }
        self.proof.review_asked.connect(self.ask_end_review)
        self.signals.word_asked.connect(self.ask_word)
        self.signals.table.row_chosen.connect(lambda _: self.signals.show_word(self._spoken()))
        self.refresh()

    @property
    def shown(self) -> tuple[str, ...]:
        """Names of the parts in sight."""
        return tuple(name for name, block in self._blocks.items() if not block.isHidden())

    def refresh(self) -> None:
        """Read the forecast as its last beat left it."""
        view = self._context.forecast
        context = self._context
        self.score.show_view(view, context.settings.ui.utc, context.ticket_direction)
        self._place()
        for name in self.shown:
            self._fill(name, view)

    def bring(self, name: str) -> None:
        """Bring "Score", "Features", "Evidence" or "Signals" to the front where they share room."""
        self._front = name
        self.refresh()

    # --- a person's word -------------------------------------------------------------------------

    def ask_word(self, would: bool) -> ReasonDialog | None:
        """Ask why a person would trade the chosen candidate, else the newest here, or would not."""
        said, acts = self._spoken(), self._context.forecast_actions
        if not said.id or acts is None:
            return None
        dialog = ask_word(said, would, self._theme, self)
        dialog.chosen.connect(lambda reason: self._told(acts.override(said.id, would, str(reason))))
        dialog.open()
        return dialog

    def ask_end_review(self) -> ReasonDialog | None:
        """Ask why the review of drift may end."""
        view, acts = self._context.forecast, self._context.forecast_actions
        if view is None or acts is None or not view.review:
            return None
        dialog = ask_end(view, self._theme, self)
        dialog.chosen.connect(lambda reason: self._told(acts.end_review(str(reason))))
        dialog.open()
        return dialog

    def _told(self, problem: str) -> None:
        """What became of it: a sentence in place of the count where it was not taken."""
        self.signals.show_problem(problem)
        self.refresh()

    def _spoken(self) -> Spoken:
        context, acts = self._context, self._context.forecast_actions
        if acts is None:
            return Spoken()
        now_ns, utc = context.engine.now_ns, context.settings.ui.utc
        return spoken_of(context.forecast, now_ns, acts.speed, utc, self.signals.chosen)

    # --- inside ----------------------------------------------------------------------------------

    def _fill(self, name: str, view: ForecastView | None) -> None:
        if name == "lines":
            self.lines.show_view(view, self._context.settings.ui.utc, self._context.engine.now_ns)
        elif name == "features":
            self.features.show_view(view)
        elif name == "proof":
            self.proof.show_view(view, can=self._context.forecast_actions is not None)
        elif name == "signals":
            self.signals.show_view(view)
            self.signals.show_word(self._spoken())

    def _make_tabs(self) -> QWidget:
        row = QWidget(self)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(self._theme.px(2))
        self.choices: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        for name in TABS:
            button = QPushButton(name, row)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            set_tip(button, TIPS[name])
            button.clicked.connect(self._on_tab_clicked)
            group.addButton(button)
            line.addWidget(button)
            self.choices[name] = button
        line.addStretch(1)
        return row

    def _place(self) -> None:
        room = Room(self.size(), self._theme.px, self.score.height_for, self.lines.height_for)
        plan = plan_of(room, self._front)
        for name, block in self._blocks.items():
            rect = plan.blocks.get(name)
            if rect is not None:
                block.setGeometry(rect)
            block.setVisible(rect is not None)
        self._tabs.setVisible(plan.tabs is not None)
        if plan.tabs is not None:
            self._tabs.setGeometry(plan.tabs)
        front = self._front if self._front in plan.names else (plan.names or ("",))[0]
        for name, button in self.choices.items():
            button.setVisible(name in plan.names)
            button.setChecked(name == front)
        self.signals.title.setVisible("Signals" not in plan.names)

    def _on_tab_clicked(self) -> None:
        for name, button in self.choices.items():
            if button.isChecked() and name != self._front:
                self.bring(name)
                return

    # Qt

    def sizeHint(self) -> QSize:
        """Three columns over a low table."""
        return QSize(self._theme.px(1200), self._theme.px(230))

    def minimumSizeHint(self) -> QSize:
        """One part behind its name."""
        return QSize(self._theme.px(300), self._theme.px(150))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Parts are arranged anew; one that comes into sight is filled."""
        super().resizeEvent(event)
        before = self.shown
        self._place()
        view = self._context.forecast
        for name in self.shown:
            if name not in before:
                self._fill(name, view)
