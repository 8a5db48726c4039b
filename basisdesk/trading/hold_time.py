"""How long a pair may still be held until its target is reached: a range, never a promise.

From the basis of the last 24 h, a value a minute. The target stands on the executable close basis;
it is brought to mids by the spread of this moment.
"""

import math

import msgspec
import numpy as np

from basisdesk.config import Settings
from basisdesk.market.basis import PairMarket
from basisdesk.market.state import Market
from basisdesk.trading.holding import close_bp
from basisdesk.trading.passage import Array, Reversion, passage_h, reversion
from basisdesk.trading.positions import PairPosition

STEP_S = 60
SAMPLES = 1_440
MINUTE_NS = 60_000_000_000
PAIRS_MAX = 64  # pairs remembered
NEAR = 0.05  # deviations: a target so little beyond the mean counts as the mean


class Hold(msgspec.Struct, frozen=True):
    """The hours until a target is reached. median_h, p90_h: None where `why` says so in words.

    may_never: the target lies beyond the mean of the basis, so nothing pulls it there.
    reversion: what was measured, None where nothing could be.
    """

    median_h: float | None = None
    p90_h: float | None = None
    may_never: bool = False
    why: str = ""
    reversion: Reversion | None = None

    @property
    def known(self) -> bool:
        """Whether there is a range."""
        return self.median_h is not None


class Holds:
    """Measures pairs and remembers: a minute of basis is read once, a range made once a minute.

    A caller keeps one of its own. Without its memory a range costs some 10 ms.
    """

    def __init__(self) -> None:
        self._minutes: dict[tuple[str, str], tuple[float, dict[int, float]]] = {}
        self._measured: dict[tuple[str, str], tuple[int, Reversion | str]] = {}

    def of(self, position: PairPosition, market: Market, settings: Settings, now_ns: int) -> Hold:
        """How long an open pair may still be held until its target."""
        if position.plan.target_bp is None:
            return Hold(why="the plan has no target basis")
        if not all(leg.qty for leg in position.legs):
            return Hold(why="a leg is missing, so the pair has no basis to close at")
        legs = position.reference.instrument, position.other.instrument
        leave = close_bp(position, market, settings.account.currency, now_ns)
        target = float(position.plan.target_bp)
        return self.until(legs, position.direction, (leave, target), market, now_ns)

    def until(
        self,
        legs: tuple[str, str],
        direction: int,
        levels: tuple[float, float],
        market: Market,
        now_ns: int,
    ) -> Hold:
        """How long from one executable close basis to another.

        legs: (reference, other) keys. levels: (where leaving stands now, the target), bp.
        """
        pair, (leave, target) = market.pairs.get(legs), levels
        if pair is None:
            return Hold(why="the pair is not watched, so its basis is not known")
        if not math.isfinite(leave):
            return Hold(why="the books show too little to leave now")
        if direction * (leave - target) <= 0:
            return Hold(0.0, 0.0, why="the target is reached")
        found = self.measure(legs, pair, now_ns)
        if isinstance(found, str):
            return Hold(why=found)
        mid = pair.now.mid_bp
        if not math.isfinite(mid):
            return Hold(why="there is no basis now", reversion=found)
        start = direction * (mid - found.mean_bp) / found.sd_bp
        level = start - direction * (leave - target) / found.sd_bp
        if level < -NEAR:
            return Hold(
                may_never=True,
                why=f"the target lies {-level * found.sd_bp:.1f} bp beyond the mean of the basis",
                reversion=found,
            )
        median_h, p90_h = passage_h(start, max(level, 0.0), found.half_life_h)
        return Hold(median_h, p90_h, reversion=found)

    def measure(self, legs: tuple[str, str], pair: PairMarket, now_ns: int) -> Reversion | str:
        """How the basis of a pair comes back, of the last 24 h; or in words why that is unknown."""
        minute = now_ns // MINUTE_NS
        known = self._measured.get(legs)
        if known is None or known[0] != minute:
            known = minute, reversion(self._samples(legs, pair, minute), STEP_S)
            self._measured.pop(legs, None)
            self._measured[legs] = known
            for old in list(self._measured)[:-PAIRS_MAX]:
                del self._measured[old]
                self._minutes.pop(old, None)
        return known[1]

    def _samples(self, legs: tuple[str, str], pair: PairMarket, minute: int) -> Array:
        since_s, kept = self._minutes.get(legs, (math.nan, {}))
        if since_s != pair.series.t_first:  # a backfill came, or the ring dropped its oldest rows
            kept = {at: value for at, value in kept.items() if not math.isnan(value)}
        wanted = range(minute - SAMPLES + 1, minute + 1)
        values = {at: kept[at] if at in kept else _basis_at(pair, at) for at in wanted}
        self._minutes[legs] = pair.series.t_first, values
        return np.array(list(values.values()))


def _basis_at(pair: PairMarket, minute: int) -> float:
    row = pair.series.at(float(minute * STEP_S))
    return math.nan if row is None or row["t"] <= (minute - 1) * STEP_S else row["mid_bp"]
