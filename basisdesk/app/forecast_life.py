"""What a session of learning remembers: the forecaster of all pairs, and the regime of each.

It changes by what it hears and by nothing else, so the same ticks in the same order make the same
life again: live, and from the journal on the disk (forecast_disk.py).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from basisdesk.config import Settings
from basisdesk.forecast.forecaster import MARGIN, TAKEN_MAX, Forecaster, Taken
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.regime import RegimeState
from basisdesk.forecast.samples import SampleReader, SampleWriter
from basisdesk.forecast.table import Feature
from basisdesk.forecast.words import Candidate, Label, Score, Tick


class ReviewEnd(NamedTuple):
    """A person ends the review of drift. who: with the reason, as the event tells it."""

    t_ns: int
    who: str


# A pair and its tick; None: the pair was forgotten. A ReviewEnd is of no pair.
Heard = tuple[str, Tick | ReviewEnd | None]
FORGOTTEN = "forgotten"  # the one key of a row that says so
REVIEW_END = "review_end"  # a key of a row that says so

AHEAD_NS = 60_000_000_000  # a pair heard so much later than now was heard by a wrong clock
BATCH_MAX = 64  # ticks heard together, some 1.5 ms
PAIRS_KEPT = 120  # pairs remembered; beyond it the one longest silent goes


class Life:
    """Hears ticks, gives scores. margin, extras: see Forecaster."""

    def __init__(
        self, rules: LabelRules, margin: float = MARGIN, extras: tuple[Feature, ...] = ()
    ) -> None:
        self.forecaster = Forecaster(rules, extras=extras)
        self.forecaster.wished = margin
        self.regimes: dict[str, RegimeState] = {}
        self._noted: list[Candidate] = []
        self._labels: list[Label] = []
        self._then: dict[int, str] = {}  # regime at a candidate that was not taken yet
        self._last_ns: dict[str, int] = {}
        self.set_back = 0  # pairs begun anew since their clock had been ahead

    def knows(self, pair: str) -> bool:
        """Whether anything of this pair was heard and is remembered."""
        return pair in self._last_ns

    @property
    def spare(self) -> str:
        """The pair to forget, longest silent, where too many are remembered; else ""."""
        if len(self._last_ns) <= PAIRS_KEPT:
            return ""
        return min(self._last_ns, key=lambda pair: (self._last_ns[pair], pair))

    def ahead(self, now_ns: int) -> list[str]:
        """Pairs that were heard when the clock was ahead: nothing new would be taken of them."""
        return [pair for pair, t_ns in self._last_ns.items() if t_ns > now_ns + AHEAD_NS]

    def hear(self, pair: str, tick: Tick | ReviewEnd | None) -> Score | None:
        """Take one tick, a person's word, or forget the pair. None where nothing is said of it."""
        if isinstance(tick, ReviewEnd):
            self.forecaster.drift.end_review(tick.t_ns, tick.who)
            return None
        if tick is None:
            self.forecaster.forget(pair)
            self.regimes.pop(pair, None)
            self._last_ns.pop(pair, None)
            return None
        if self._last_ns.get(pair, 0) > tick.t_ns + AHEAD_NS:
            self.hear(pair, None)
            self.set_back += 1
        score = self.forecaster.beat(pair, tick)
        if score is not None:
            self._place(pair, tick)
        self._gather()
        return score

    def hear_all(self, ticks: Sequence[tuple[str, Tick]]) -> list[Score | None]:
        """`hear` of one tick each of so many pairs, in their order; the scores are bit for bit its.

        Raises:
            ValueError: a pair is in it twice.
        """
        for pair, tick in ticks:
            if self._last_ns.get(pair, 0) > tick.t_ns + AHEAD_NS:
                return [self.hear(*each) for each in ticks]  # seldom: a clock was set back
        scores = self.forecaster.beat_all(ticks)
        for (pair, tick), score in zip(ticks, scores, strict=True):
            if score is not None:
                self._place(pair, tick)
        self._gather()
        return scores

    def _place(self, pair: str, tick: Tick) -> None:
        # the regime of a beat that was scored
        vector = self.forecaster.vector(pair)
        if vector is None:
            return
        self._last_ns[pair] = tick.t_ns
        regime = self.regimes.get(pair)
        if regime is None:
            regime = self.regimes[pair] = RegimeState()
        regime.update(tick, vector)

    def taken(self) -> tuple[Taken, dict[int, str]]:
        """Candidates and labels since the last call, and the regime at each candidate."""
        found = Taken(tuple(self._noted), tuple(self._labels)), self._then
        self._noted, self._labels, self._then = [], [], {}
        return found

    def _gather(self) -> None:
        new = self.forecaster.taken()
        if not (new.candidates or new.labels):
            return
        self._noted += new.candidates
        self._labels += new.labels
        for each in new.candidates:
            state = self.regimes.get(each.pair)
            if state is not None and state.now is not None:
                self._then[each.id] = state.now
        for gone in self._noted[:-TAKEN_MAX]:
            self._then.pop(gone.id, None)
        del self._noted[:-TAKEN_MAX], self._labels[:-TAKEN_MAX]

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {
            "forecaster": self.forecaster.dump(),
            "regimes": {pair: state.dump() for pair, state in self.regimes.items()},
            "last_ns": dict(self._last_ns),
        }

    @classmethod
    def restored(
        cls, kept: dict[str, Any], margin: float = MARGIN, extras: tuple[Feature, ...] = ()
    ) -> "Life":
        """The life of a dump: what it says from here on is the same, bit for bit.

        Raises ValueError, KeyError or TypeError where it is the dump of something else.
        """
        forecaster = Forecaster.restored(kept["forecaster"], extras)
        found = cls(forecaster.rules, margin, extras)
        forecaster.wished = margin
        found.forecaster = forecaster
        found.regimes = {
            str(pair): RegimeState().restore(state) for pair, state in kept["regimes"].items()
        }
        found._last_ns = {str(pair): int(t_ns) for pair, t_ns in kept["last_ns"].items()}
        return found

    def replay(self, rows: Iterable[dict[str, Any]]) -> int:
        """Hear what a journal says, in its order; gives how many rows."""
        reader, n = SampleReader(), 0
        for row in rows:
            n += 1
            if FORGOTTEN in row:
                self.hear(str(row[FORGOTTEN]), None)
            elif REVIEW_END in row:
                self.hear("", ReviewEnd(int(row["t_ns"]), str(row[REVIEW_END])))
            else:
                self.hear(*reader.tick(row))
        return n


def batch_of(queue: deque[Heard]) -> list[tuple[str, Tick]]:
    """Take the ticks at the head of a queue that may be heard together: BATCH_MAX, a pair once."""
    found: dict[str, Tick] = {}
    while queue and len(found) < BATCH_MAX:
        pair, tick = queue[0]
        if not isinstance(tick, Tick) or pair in found:
            break
        found[pair] = tick
        queue.popleft()
    return list(found.items())


class RowMaker:
    """Rows of one file of the journal."""

    def __init__(self) -> None:
        self._writer = SampleWriter()

    def row(self, heard: Heard) -> dict[str, Any]:
        """The row of what was heard."""
        pair, tick = heard
        if isinstance(tick, ReviewEnd):
            return {REVIEW_END: tick.who, "t_ns": tick.t_ns}
        return {FORGOTTEN: pair} if tick is None else self._writer.row(pair, tick)


def rules_of(settings: Settings) -> LabelRules:
    """The registered rule by the settings. Side -1 borrows where the desk usually trades."""
    wish = settings.forecast
    borrow = float(settings.borrow_rate(settings.scanner.trade_on))
    return LabelRules(
        gain_bp=wish.gain_bp,
        stop_bp=wish.stop_bp,
        horizon_h=wish.horizon_h,
        borrow_8h_bp=8e4 * borrow,
    )
