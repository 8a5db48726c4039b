"""The watch over the desk: what moves its risk state, and when equity is written down.

    active -> reducing -> active      a feed, the clock, a missing leg or a liquidation price: ends
                                      by itself after 30 s without its cause (not the win rate)
    active, reducing -> halted        drawdown, loss of the day, last pairs together: a person
    halted -> active                  resumes

A trigger acts on the hedged account, never on one leg. A loss has to stand for 2 s at every look
before it halts, so one wrong quote does not. A state is journaled once when it changes; while it
stands nothing is said again.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.events import EquityMarked, Funds, Outcome, RiskChanged, SessionStarted
from basisdesk.market.state import Market
from basisdesk.trading.exposure import exposure
from basisdesk.trading.marks import Marks
from basisdesk.trading.positions import Positions
from basisdesk.trading.readings import HALTS, STOPS, Look, Reading, read_all
from basisdesk.trading.risk import RESUME_WORDS, RiskState

__all__ = ["Reading", "Watch"]

S = 1_000_000_000
JUDGE_NS = S // 2  # between two judgements
LASTS_NS = 2 * S  # a loss that halts has lasted so long
WELL_NS = 30 * S  # a cause has been away so long before entries go on
STEADY_NS = 30 * S  # a pause is one only after looks have come regularly for so long
SAMPLES_MAX = 64  # equity samples behind LASTS_NS
BY_THEMSELVES = frozenset({"liq_distance", "unhedged", "clock", "stale"})


class Watch:
    """Folds risk state and marks, and judges them at each look. Mutable; one a desk."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.risk = RiskState()
        self.marks = Marks()
        self._equities: deque[tuple[int, Decimal]] = deque(maxlen=SAMPLES_MAX)
        self._high: Decimal | None = None  # highest lasting equity since the last mark of a count
        self._since_ns = 0  # first look of the session
        self._look_ns = self._steady_ns = self._judged_ns = 0
        self._pause_ns, self._pause_s = 0, 0.0
        self._well_ns: int | None = None  # since when the cause of "reducing" has been away

    def apply(self, outcome: Outcome) -> None:
        """Fold one outcome in, live and at a restart alike."""
        self.marks.apply(outcome)
        if isinstance(outcome, RiskChanged):
            self.risk = self.risk.after(outcome)
            self._well_ns = None
            if self.marks.peak is None:
                self._high = None
                self._equities.clear()
        elif isinstance(outcome, SessionStarted):
            self._since_ns = 0

    def judge(
        self, positions: Positions, market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        """What a look leads to: a mark of equity, a change of the risk state, mostly nothing."""
        self._looked(now_ns)
        outcomes: list[Outcome] = []
        if funds.judged is not None and self.marks.wanted(now_ns):
            outcomes.append(self._mark(positions, market, funds, funds.judged, now_ns))
        if 0 <= now_ns - self._judged_ns < JUDGE_NS:
            return outcomes
        self._judged_ns = now_ns
        if funds.judged is not None:
            self._sample(funds.judged, now_ns)
        change = self._change(self.readings(positions, market, funds, now_ns), now_ns)
        return outcomes if change is None else [*outcomes, change]

    def readings(
        self, positions: Positions, market: Market, funds: Funds, now_ns: int
    ) -> tuple[Reading, ...]:
        """Every trigger as it stands, those that halt first. Changes nothing."""
        peak = self.marks.peak
        if peak is not None and self._high is not None:
            peak = max(peak, self._high)
        look = Look(
            positions=positions.live(),
            market=market,
            funds=funds,
            now_ns=now_ns,
            peak=peak,
            day_start=self.marks.day_start,
            since_ns=self._since_ns or now_ns,
            pause_ns=self._pause_ns,
            pause_s=self._pause_s,
        )
        return read_all(look, self._settings, self.marks)

    # --- what a look remembers -------------------------------------------------------------------

    def _looked(self, now_ns: int) -> None:
        """Notice a pause: looks that came regularly, and then one that came much too late."""
        self._since_ns = self._since_ns or now_ns
        gap_ns = now_ns - self._look_ns
        if not self._look_ns or gap_ns > self._settings.risk.clock_jump_s_max * S:
            if self._look_ns and self._look_ns - self._steady_ns >= STEADY_NS:
                self._pause_ns, self._pause_s = now_ns, gap_ns / S
            self._steady_ns = now_ns
            self._equities.clear()
        self._look_ns = now_ns

    def _sample(self, equity: Decimal, now_ns: int) -> None:
        seen = self._equities
        seen.append((now_ns, equity))
        while len(seen) > 2 and seen[1][0] <= now_ns - LASTS_NS:
            seen.popleft()
        if self._lasted(now_ns):
            lowest = min(value for _, value in seen)
            self._high = lowest if self._high is None else max(self._high, lowest)

    def _lasted(self, now_ns: int) -> bool:
        return bool(self._equities) and now_ns - self._equities[0][0] >= LASTS_NS

    def _mark(
        self, positions: Positions, market: Market, funds: Funds, equity: Decimal, now_ns: int
    ) -> EquityMarked:
        currency = self._settings.account.currency
        at = exposure(positions.live(), market, currency, now_ns)
        return EquityMarked(now_ns, equity, funds.free, at.gross, at.unhedged)

    # --- what it leads to ------------------------------------------------------------------------

    def _change(self, readings: Sequence[Reading], now_ns: int) -> RiskChanged | None:
        if self.risk.halted:
            return None
        over = [reading for reading in readings if reading.state == "over"]
        for reading in over:
            if reading.acts == HALTS and self._stands(reading, now_ns):
                return _moved(now_ns, "halted", reading)
        stops = [reading for reading in over if reading.acts == STOPS]
        if self.risk.state == "active":
            return _moved(now_ns, "reducing", stops[0]) if stops else None
        return self._recovered(readings, stops, now_ns)

    def _stands(self, reading: Reading, now_ns: int) -> bool:
        """Whether a loss has stood over its limit at every look of the last seconds."""
        if reading.name == "rolling":  # of closed pairs: no quote can undo it
            return True
        start = self.marks.day_start
        if reading.name == "drawdown":
            start = self.marks.peak
            if start is not None and self._high is not None:
                start = max(start, self._high)
        if start is None or not self._lasted(now_ns):
            return False
        best = max(value for _, value in self._equities)
        return 100 * float((start - best) / start) >= reading.limit

    def _recovered(
        self, readings: Sequence[Reading], stops: Sequence[Reading], now_ns: int
    ) -> RiskChanged | None:
        """Back to active, or on to the next cause, once this one has been away long enough."""
        cause = self.risk.cause
        if cause not in BY_THEMSELVES:
            return None
        own = next(reading for reading in readings if reading.name == cause)
        if own.state not in ("ok", "near"):
            self._well_ns = None
            return None
        if self._well_ns is None:
            self._well_ns = now_ns
        if now_ns - self._well_ns < WELL_NS:
            return None
        if stops:
            return _moved(now_ns, "reducing", stops[0])
        return RiskChanged(
            now_ns, "active", f"{own.title}: well for {WELL_NS // S} s.", cause=cause
        )


def _moved(now_ns: int, state: str, reading: Reading) -> RiskChanged:
    return RiskChanged(
        now_ns, state, reading.note, reading.name, "desk", RESUME_WORDS[reading.name]
    )
