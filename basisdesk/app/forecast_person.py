"""What a person may say to the forecast: what they would do of a candidate, and that a review ends.

Both are written where they are heard: a word on a candidate in the signal journal, before its
outcome can be known; the end of a review among the samples, so that a restart scores as before.
"""

from collections import deque

from basisdesk.app.forecast_keeping import Keeping
from basisdesk.app.forecast_life import Heard, ReviewEnd
from basisdesk.engine import Engine
from basisdesk.forecast.forecaster import Forecaster
from basisdesk.forecast.signal_score import overrides
from basisdesk.forecast.signals import (
    REASON_MAX,
    WOULD_NOT,
    WOULD_TRADE,
    Overridden,
    late_s,
    window_text,
)
from basisdesk.forecast.view import SIGNALS_MAX, ForecastView

NO_REASON = "Say why in a few words: it is kept with what you say."
GONE = "This candidate is not remembered any more."
TOLD = "Its outcome is told already, so what is said now could not be scored."
SEEN = (
    "It has reached its target, its stop or its time already: a chart shows how it went, though it "
    "is told at its horizon. What is said now would be no forecast. Wait for the next."
)
NO_REVIEW = "No drift is under review."
S = 1_000_000_000


class Person:
    """The ForecastActions of a desk. queue: what the forecaster will hear. speed: of the market."""

    def __init__(
        self, engine: Engine, view: ForecastView, keeping: Keeping, queue: deque[Heard]
    ) -> None:
        self._engine = engine
        self._view = view
        self._keeping = keeping
        self._queue = queue
        self.speed = 1.0

    def override(self, candidate: int, would: bool, reason: str) -> str:
        """Say that one would trade a candidate, or would not. Why it was not taken, or ""."""
        said, now_ns = plain(reason), self._engine.now_ns
        known = self._keeping.book.of(candidate)
        if not said:
            return NO_REASON
        if known is None:
            return GONE
        if known.label is not None:
            return TOLD
        if candidate in self._view.decided:
            return SEEN
        age_s = (now_ns - known.candidate.t_ns) / S
        if age_s > late_s(self.speed):
            return (
                f"This candidate is {age_s / 60:.0f} min of the market old; after "
                f"{window_text(self.speed)} one has seen how it goes. Wait for the next."
            )
        row = Overridden(candidate, now_ns, WOULD_TRADE if would else WOULD_NOT, said)
        if self._keeping.say(row):
            self.tell()
        return ""

    def end_review(self, reason: str) -> str:
        """End the review of drift. Nothing that was learned changes. Why not, or ""."""
        said = plain(reason)
        if not said:
            return NO_REASON
        if not self._view.review:
            return NO_REVIEW
        self._queue.append(("", ReviewEnd(self._engine.now_ns, f"a person: {said}")))
        return ""

    def show(self, forecaster: Forecaster | None) -> None:
        """The newest candidates onto the screen. forecaster: None while a thread has it."""
        self._view.signals = self._keeping.book.newest(SIGNALS_MAX)
        if forecaster is not None:
            since_ns = self._engine.now_ns - round(late_s(self.speed) * S)
            self._view.decided = forecaster.decided(since_ns)

    def tell(self) -> None:
        """What was said, onto the screen."""
        book = self._keeping.book
        self._view.overrides = overrides(book.all())
        self._view.signals = book.newest(SIGNALS_MAX)


def plain(reason: str) -> str:
    """A reason as one short line of printable characters."""
    return "".join(ch for ch in " ".join(reason.split()) if ch.isprintable())[:REASON_MAX]
