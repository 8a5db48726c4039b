"""The guided trade as a checklist beside the charts. It shows; the state decides what is ticked."""

import math
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.clock import mono_s
from basisdesk.events import Changed, OpenPair
from basisdesk.ui.context import Context
from basisdesk.ui.guide_rows import TITLES, State, Step, followed, steps
from basisdesk.ui.guide_taken import Taken, taken_of
from basisdesk.ui.position_figures import base_of
from basisdesk.ui.pulse import Panel
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

LOOK_EVERY_S = 0.25  # an order is priced for it at most so often
TAKEN_MAX = 100  # pairs of this session whose order is remembered
WIDE_PX = 264
LEAST_PX_MAX = 342  # in large type it may be narrower than that, so that the ticket has its room
ROOMY_PX = 560  # height from which every step tells its fact, not only those that concern the user
# mark, its colour, the title's colour
_LOOKS: dict[State, tuple[str, str, str]] = {
    "done": ("\u2713", "gain", "muted"),
    "marked": ("\u2713!", "warn", "text"),
    "now": ("\u25b6", "accent", "text"),
    "blocked": ("\u25b2", "warn", "text"),
    "waiting": ("\u25cb", "muted", "muted"),
}
_SAYS = {
    "done": "done",
    "marked": "done, but not as advised",
    "now": "to do now",
    "blocked": "blocked",
    "waiting": "waits",
}


class StepView(QWidget):
    """One step: mark and title always; the fact and what to do while they concern the user."""

    def __init__(self, title: str, number: int, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: tuple[Step, bool] | None = None
        self.mark = theme.label("", "muted", 12, 600)
        self.title = theme.label(f"{number}  {title}", "muted", 12, 600)
        self.said = self._wrapped("muted")
        self.todo = self._wrapped("accent")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, theme.px(3), 0, theme.px(3))
        grid.setHorizontalSpacing(theme.px(6))
        grid.setVerticalSpacing(theme.px(2))
        grid.setColumnMinimumWidth(0, theme.px(14))
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(self.mark, 0, 0, top)
        grid.addWidget(self.title, 0, 1)
        grid.addWidget(self.said, 1, 1)
        grid.addWidget(self.todo, 2, 1)

    def _wrapped(self, tone: str) -> PlainLabel:
        label = self._theme.label("", tone, 11)
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        label.hide()
        return label

    def show_step(self, step: Step, *, tells: bool) -> None:
        """Show this step. tells: its fact is worth its room although nothing is to be done."""
        if (step, tells) == self._shown:
            return
        self._shown = step, tells
        mark, tone, title_tone = _LOOKS[step.state]
        theme = self._theme
        self.mark.setText(mark)
        self.mark.set_colour(theme.qcolor(tone))
        self.title.set_colour(theme.qcolor(title_tone))
        concerns = step.state in ("now", "marked", "blocked")
        for label, text in ((self.said, step.said), (self.todo, step.todo)):
            label.setText(text)
            label.setVisible((concerns or tells) and bool(text))
        calm = "warn" if step.state == "marked" else "text"
        self.said.set_colour(theme.qcolor(calm if concerns else "muted"))
        self.todo.set_colour(theme.qcolor("warn" if step.state == "blocked" else "accent"))
        set_tip(self, f"{step.said} {step.todo}".strip())
        named = f"Step {step.number}, {step.title}: {_SAYS[step.state]}. {step.said} {step.todo}"
        self.setAccessibleName(named.strip())


class GuidePanel(Panel):
    """Follows the pair on the screen or the newest one, from the ticket to the result.

    request: the order in the ticket, None while it is not filled in.
    """

    cares_about = (
        Changed.QUOTES
        | Changed.BASIS
        | Changed.FUNDING
        | Changed.POSITIONS
        | Changed.LEDGER
        | Changed.RISK
        | Changed.FEEDS
    )

    def __init__(
        self,
        context: Context,
        theme: Theme,
        request: Callable[[], OpenPair | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._request = request
        self._looked_s = -math.inf
        self._roomy_px = theme.px(ROOMY_PX)
        pairs = context.engine.desk.pairs.values()
        self._after = max((p.pair for p in pairs if p.state == "closed"), default=0)
        self._pair: int | None = None
        self._newest = max(context.engine.desk.pairs, default=0)
        self._ticket: Taken | None = None  # what the ticket says
        self._taken: dict[int, Taken] = {}  # and said of each pair when its order was sent
        self.name = theme.label("", "text", 12, 600)
        self.anew = QPushButton("Another trade", self)
        self.anew.setProperty("role", "link")
        self.anew.setAccessibleName("Begin another guided trade")
        set_tip(self.anew, "Leaves this pair as it is and begins the checklist with the ticket.")
        self.anew.clicked.connect(self.begin)
        self.views = [StepView(title, number, theme) for number, title in enumerate(TITLES)]
        self._lay_out(theme)
        self.setAccessibleName("Guided trade")
        self.setMinimumWidth(min(theme.px(WIDE_PX), LEAST_PX_MAX))

    def _lay_out(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(12), theme.px(2), theme.px(6), theme.px(4))
        head.addWidget(self.name)
        head.addStretch(1)
        head.addWidget(self.anew)
        inside = QWidget()
        inside.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.px(12), 0, theme.px(10), theme.px(8))
        column.setSpacing(theme.px(2))
        for view in self.views:
            column.addWidget(view)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Steps of the guided trade")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        for each in (inside, scroll.viewport()):
            each.setAutoFillBackground(False)
        self._scroll = scroll
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(scroll, 1)

    @property
    def pair(self) -> int | None:
        """The pair that is followed; None while the ticket is."""
        return self._pair

    def begin(self) -> None:
        """Begin with the ticket again; what is held stays held."""
        self._after = max(self._context.engine.desk.pairs, default=0)
        self._looked_s = -math.inf
        self.refresh()

    def refresh(self) -> None:
        """Look at the state again, at most four times a second, and at once when a pair came."""
        engine = self._context.engine
        pair = followed(engine, self._after)
        if pair == self._pair and mono_s() < self._looked_s + LOOK_EVERY_S:
            return
        self._looked_s, self._pair = mono_s(), pair
        request = self._request()
        self._remember(request)
        taken = None if pair is None else self._taken.get(pair)
        found = steps(engine, None if pair is not None else request, pair, taken)
        position = None if pair is None else engine.desk.pairs.get(pair)
        if position is None:
            self.name.setText("From the ticket to the result")
        else:
            self.name.setText(f"{base_of(position.long.instrument, engine)} #{pair}")
        self.anew.setVisible(position is not None)
        roomy = self.height() >= self._roomy_px
        for view, step in zip(self.views, found, strict=True):
            ended = step.state == "done" and step.number == len(TITLES) - 1
            view.show_step(step, tells=roomy or ended)

    def _remember(self, request: OpenPair | None) -> None:
        """Keep what the ticket says for the pair that comes of it, whichever pair is followed."""
        desk = self._context.engine.desk
        newest = max(desk.pairs, default=0)
        if newest > self._newest:  # first: what the ticket says after a fill is of the next order
            self._newest, position = newest, desk.pairs[newest]
            if self._ticket is not None and self._ticket.fits(position):
                self._taken[newest] = self._ticket
            while len(self._taken) > TAKEN_MAX:
                del self._taken[min(self._taken)]
        if request is not None and not any(order.kind == "open" for order in desk.pending):
            self._ticket = taken_of(self._context.engine.sheet(request))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another height has room for other words."""
        super().resizeEvent(event)
        self._looked_s = -math.inf
