"""A person beside the forecast: of which candidate they may speak, and what they are asked."""

from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from basisdesk.forecast.signals import REASON_MAX, late_s, window_text
from basisdesk.forecast.signals import WOULD_NOT as NOT
from basisdesk.forecast.signals import WOULD_TRADE as TRADE
from basisdesk.forecast.view import ForecastView
from basisdesk.ui.figures import span_text
from basisdesk.ui.forecast_rows import NO_FORECAST
from basisdesk.ui.forecast_texts import pct_text, side_text
from basisdesk.ui.glossary import term
from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.leg_words import coin_of
from basisdesk.ui.theme import Theme
from basisdesk.ui.times import clock_text

S_NS = 1_000_000_000
NONE_YET = "No candidate of the shown pair yet. One is noted when its basis is far from fair."
NOBODY = "The forecast is for a running desk."
GONE = "The chosen candidate is not remembered any more."
SEEN = (
    "has reached its target, its stop or its time, so a chart shows how it went. Its outcome is "
    "told at its horizon."
)


class Spoken(NamedTuple):
    """The candidate that a person may speak of. id: 0 for none; why: then the reason.

    name: the candidate in words. said: what the person said of it before, or "". window: for how
    long after a candidate a word is taken.
    """

    id: int = 0
    name: str = ""
    decision: str = ""
    said: str = ""
    why: str = NOBODY
    window: str = ""

    def tip_of(self, would: bool) -> str:
        """What a button would note."""
        if not self.id:
            return self.why
        what = TRADE if would else NOT
        before = f" You said: {self.said}." if self.said else ""
        return (
            f"Notes that you {what} {self.name}, with a reason; taken for {self.window} from the "
            f"candidate on, and not once it has reached an end.{before} {term('Your word')}"
        )


def spoken_of(
    view: ForecastView | None, now_ns: int, speed: float, utc: bool, chosen: int = 0
) -> Spoken:
    """The candidate of the chosen row where it can still be spoken of.

    chosen: its number; 0 where no row is, then the newest one of the pair on the screen.
    """
    if view is None:
        return Spoken(why=NO_FORECAST)
    name = " ".join(view.shown) if view.shown is not None else ""
    found = next(
        (
            each
            for each in view.signals
            if (each.candidate.id == chosen if chosen else each.candidate.pair == name)
        ),
        None,
    )
    if found is None:
        return Spoken(why=NONE_YET if not chosen else GONE)
    made = found.candidate
    said = f"{coin_of(made.pair.rpartition(' ')[2])} of {clock_text(made.t_ns, utc)}"
    which = f"The {'chosen' if chosen else 'newest'} candidate, {said},"
    age_s = (now_ns - made.t_ns) / S_NS
    if found.label is not None:
        return Spoken(why=f"{which} is told already: {found.outcome}.")
    if made.id in view.decided:
        return Spoken(why=f"{which} {SEEN}")
    if age_s > late_s(speed):
        return Spoken(
            why=f"{which} is {span_text(age_s)} old. You can speak of one for "
            f"{window_text(speed)}: later one has seen how it goes."
        )
    what = f"{said}, {side_text(made.direction)}, p {pct_text(made.p)}"
    return Spoken(made.id, what, made.decision, found.override, "", window_text(speed))


class ReasonDialog(AskDialog):
    """A question that needs a reason. chosen: the reason as text."""

    chosen = Signal(object)

    def __init__(
        self, title: str, act: str, parts: tuple[str, str, str], theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(title, act, theme, parent)
        head, said, end = parts
        self.reason = QLineEdit(self)
        self.reason.setMaxLength(REASON_MAX)
        self.reason.setAccessibleName("Reason")
        self.reason.setPlaceholderText("What you see, in a few words")
        self.reason.textChanged.connect(self._on_typed)
        self.fill(self.wrapped(head, weight=600), self.wrapped(said), self.wrapped(end, "muted"),
                  self.reason)  # fmt: skip
        self.act.setEnabled(False)
        self.act.setDefault(True)
        self.accepted.connect(self._on_accepted)
        self.reason.setFocus()

    def _on_typed(self, text: str) -> None:
        self.act.setEnabled(bool(text.strip()))

    def _on_accepted(self) -> None:
        self.chosen.emit(" ".join(self.reason.text().split()))


def ask_word(said: Spoken, would: bool, theme: Theme, parent: QWidget) -> ReasonDialog:
    """Why a person would trade a candidate, or would not."""
    what = TRADE if would else NOT
    end = (
        "It is kept in the signal journal with your reason and scored beside the forecast once "
        "the outcome is told. Nothing is traded by it."
    )
    parts = said.name, f"The forecast: {said.decision}.", end
    return ReasonDialog(f"I {what}", f"Note: I {what}", parts, theme, parent)


def ask_end(view: ForecastView, theme: Theme, parent: QWidget) -> ReasonDialog:
    """Why the review of drift may end."""
    end = (
        "What was learned stays. A trade needs its usual margin over p* again, and scores are no "
        "longer held back for drift. The watch goes on, and the reason is kept."
    )
    parts = "End the review of drift?", f"Under review: {view.review}.", end
    return ReasonDialog("End the review", "End the review", parts, theme, parent)
