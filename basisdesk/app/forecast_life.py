"""What a session of learning remembers: the forecaster of all pairs, and the regime of each.

It changes by what it hears and by nothing else, so the same ticks in the same order make the same
life again: live, and from the journal on the disk (forecast_disk.py).
"""

from collections.abc import Iterable
from typing import Any

from basisdesk.forecast.forecaster import MARGIN, Forecaster
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.regime import RegimeState
from basisdesk.forecast.samples import SampleReader, SampleWriter
from basisdesk.forecast.words import Score, Tick

Heard = tuple[str, Tick | None]  # pair and its tick; None: the pair was forgotten
FORGOTTEN = "forgotten"  # the one key of a row that says so

PAIRS_KEPT = 120  # pairs remembered; beyond it the one longest silent goes


class Life:
    """Hears ticks, gives scores. margin: see Forecaster.wished."""

    def __init__(self, rules: LabelRules, margin: float = MARGIN) -> None:
        self.forecaster = Forecaster(rules)
        self.forecaster.wished = margin
        self.regimes: dict[str, RegimeState] = {}
        self._last_ns: dict[str, int] = {}

    def knows(self, pair: str) -> bool:
        """Whether anything of this pair was heard and is remembered."""
        return pair in self._last_ns

    @property
    def spare(self) -> str:
        """The pair to forget, longest silent, where too many are remembered; else ""."""
        if len(self._last_ns) <= PAIRS_KEPT:
            return ""
        return min(self._last_ns, key=lambda pair: (self._last_ns[pair], pair))

    def hear(self, pair: str, tick: Tick | None) -> Score | None:
        """Take one tick, or forget the pair. None where nothing is said of it."""
        if tick is None:
            self.forecaster.forget(pair)
            self.regimes.pop(pair, None)
            self._last_ns.pop(pair, None)
            return None
        score = self.forecaster.beat(pair, tick)
        vector = self.forecaster.vector(pair)
        if score is not None and vector is not None:
            self._last_ns[pair] = tick.t_ns
            regime = self.regimes.get(pair)
            if regime is None:
                regime = self.regimes[pair] = RegimeState()
            regime.update(tick, vector)
        return score

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {
            "forecaster": self.forecaster.dump(),
            "regimes": {pair: state.dump() for pair, state in self.regimes.items()},
            "last_ns": dict(self._last_ns),
        }

    @classmethod
    def restored(cls, kept: dict[str, Any], margin: float = MARGIN) -> "Life":
        """The life of a dump: what it says from here on is the same, bit for bit.

        Raises ValueError, KeyError or TypeError where it is the dump of something else.
        """
        forecaster = Forecaster.restored(kept["forecaster"])
        found = cls(forecaster.rules, margin)
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
            else:
                self.hear(*reader.tick(row))
        return n


class RowMaker:
    """Rows of one file of the journal."""

    def __init__(self) -> None:
        self._writer = SampleWriter()

    def row(self, heard: Heard) -> dict[str, Any]:
        """The row of what was heard."""
        pair, tick = heard
        return {FORGOTTEN: pair} if tick is None else self._writer.row(pair, tick)
