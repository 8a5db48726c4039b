"""The account's marks: when equity is written down, and the peak and day they are measured from.

Folded from outcomes, so that a restart measures from where the session before stood. EquityMarked
is asked for at a session's first sound prices, every 15 minutes, at the first look of a day (UTC),
after each closed pair and after a resume that begins a new count. No limit is known here.
"""

from typing import TYPE_CHECKING

from basisdesk.events import (
    EquityMarked,
    Liquidated,
    Outcome,
    PairReduced,
    RiskChanged,
    SessionStarted,
)

if TYPE_CHECKING:
    from decimal import Decimal

MARK_NS = 900_000_000_000  # between two marks when nothing happens
DAY_NS = 86_400_000_000_000
MIDNIGHT_NS = 60_000_000_000  # a mark so soon after 00:00 UTC is the one of 00:00
LOSSES = frozenset({"drawdown", "daily_loss", "rolling"})  # causes that a resume counts anew


class Marks:
    """What the account was worth at its marks.

    peak: of the marks since the count began; None before the first. day: days since 1970, of the
    day that is counted. day_start: equity it is counted from. last: the newest mark.
    rolling_ns, wins_ns: pairs closed after these moments count.
    """

    def __init__(self) -> None:
        self.peak: Decimal | None = None
        self.day = -1
        self.day_start: Decimal | None = None
        self.last: EquityMarked | None = None
        self.rolling_ns = 0
        self.wins_ns = 0
        self._session = False
        self._asked = False
        self._held_by: set[str] = set()  # causes that entries have waited for since

    def apply(self, outcome: Outcome) -> None:
        """Fold one outcome in."""
        match outcome:
            case EquityMarked():
                self._mark(outcome)
            case SessionStarted():
                self._session = self._asked = True
            case PairReduced() | Liquidated():
                self._asked |= outcome.closed
            case RiskChanged():
                self._risk(outcome)

    def wanted(self, now_ns: int) -> bool:
        """Whether equity is to be marked now. Never before the first session has begun."""
        if not self._session:
            return False
        if self._asked or self.last is None:
            return True
        return now_ns - self.last.ts_ns >= MARK_NS or now_ns // DAY_NS > self.last.ts_ns // DAY_NS

    def _mark(self, mark: EquityMarked) -> None:
        day = mark.ts_ns // DAY_NS
        if self.day_start is None:
            self.day_start = mark.equity
        elif day > self.day:
            at_midnight = mark.ts_ns - day * DAY_NS <= MIDNIGHT_NS
            before = mark if at_midnight or self.last is None else self.last
            self.day_start = before.equity
        self.day = day
        self.peak = mark.equity if self.peak is None else max(self.peak, mark.equity)
        self.last, self._asked = mark, False

    def _risk(self, change: RiskChanged) -> None:
        """A person who resumes after a loss accepts it: it is not held against the desk again."""
        if change.state != "active":
            self._held_by.add(change.cause)
            return
        if change.cause == "user" and self._held_by & LOSSES:
            self.peak = self.day_start = None
            self.rolling_ns, self._asked = change.ts_ns, True
        if change.cause == "user" and "win_rate" in self._held_by:
            self.wins_ns = change.ts_ns
        self._held_by.clear()
