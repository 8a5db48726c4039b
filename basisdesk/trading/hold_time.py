"""How long a pair may still be held until its target is reached: a range, never a promise.

From the basis of the last 24 h, a value a minute. The target stands on the executable close basis;
it is brought to mids by the spread of this moment.

A gap is counted from the fair basis, which is what pulls; the mean of a day that had wide gaps lies
between them and would make a gap and its mirror image unlike. Where enough like gaps have closed in
that day, their times are told (like_gaps.py). Else the law of first passage with the half-life
around fair value, the late end by the upper end of its interval; and nothing of a gap far wider
than the half-life was measured on, or where the few gaps that closed took another time. Where no
fair basis is known, the mean of the day stands for it.
"""

import math

import msgspec
import numpy as np

from basisdesk.config import Settings
from basisdesk.market.basis import PairMarket
from basisdesk.market.state import Market
from basisdesk.trading.holding import close_bp
from basisdesk.trading.like_gaps import GAPS_MIN, LikeGaps, like_gaps
from basisdesk.trading.passage import SAMPLES_MIN, Array, Reversion, passage_h, reversion
from basisdesk.trading.positions import PairPosition

STEP_S = 60
SAMPLES = 1_440
MINUTE_NS = 60_000_000_000
PAIRS_MAX = 64  # pairs remembered
NEAR = 0.05  # deviations: a target so little beyond the mean counts as the mean
WIDER = 2.0  # times the widest gap of the day: of a wider one its half-life says nothing
APART = 2.0  # times: by so much a range by half-life may differ from the few gaps that closed
STEP_H = STEP_S / 3_600


class Hold(msgspec.Struct, frozen=True):
    """The hours until a target is reached. median_h, p90_h: None where `why` says so in words.

    may_never: the target lies beyond the mean of the basis, so nothing pulls it there.
    reversion: what was measured, None where nothing could be. like: the gaps that were counted,
    None where the range is by the half-life. minutes: of basis that were known.
    """

    median_h: float | None = None
    p90_h: float | None = None
    may_never: bool = False
    why: str = ""
    reversion: Reversion | None = None
    like: LikeGaps | None = None
    minutes: int = 0

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
        self._days: dict[tuple[str, str], tuple[int, Array]] = {}
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
        if not math.isfinite(pair.now.mid_bp):
            return Hold(why="there is no basis now")
        minutes = int(np.isfinite(self._day(legs, pair, now_ns)).sum())
        if minutes < SAMPLES_MIN:
            return Hold(why=f"not known yet: {minutes} of {SAMPLES_MIN} min of basis")
        found = self._range(legs, pair, now_ns, (direction, direction * (leave - target)))
        return msgspec.structs.replace(found, minutes=minutes)

    def _range(
        self, legs: tuple[str, str], pair: PairMarket, now_ns: int, way: tuple[int, float]
    ) -> Hold:
        """way: the side, and how far the basis has to go, bp."""
        mid, fair, (direction, way_bp) = pair.now.mid_bp, pair.now.fair_bp, way
        samples = self._day(legs, pair, now_ns)
        if not math.isfinite(fair):
            return by_half_life(self.measure(legs, pair, now_ns), samples, mid, way)
        gap = direction * (mid - fair)
        like = like_gaps(samples - fair, gap, gap - way_bp, STEP_S)
        found = reversion(samples, STEP_S, fair)
        if like.came < GAPS_MIN:
            hold = by_half_life(found, samples, mid, way)
            if hold.known and _apart(hold.median_h, like):
                why = f"half-life and the {like.came} like gaps that closed do not agree"
                hold = Hold(why=why, reversion=hold.reversion)
            if hold.known or hold.may_never:
                return hold
            few = f"not known yet: {like.came} of {GAPS_MIN} like gaps have closed"
            return msgspec.structs.replace(hold, why=f"{few}, and {hold.why}")
        seen = found if isinstance(found, Reversion) else None
        if math.isinf(like.median_h):
            why = f"under half of {like.n} like gaps came to the target"
            return Hold(why=why, reversion=seen, like=like)
        return Hold(like.median_h, like.p90_h, reversion=seen, like=like)

    def measure(self, legs: tuple[str, str], pair: PairMarket, now_ns: int) -> Reversion | str:
        """How the basis of a pair comes back, of the last 24 h; or in words why that is unknown."""
        minute = now_ns // MINUTE_NS
        known = self._measured.get(legs)
        if known is None or known[0] != minute:
            known = minute, reversion(self._day(legs, pair, now_ns), STEP_S)
            self._measured.pop(legs, None)
            self._measured[legs] = known
            for old in list(self._measured)[:-PAIRS_MAX]:
                del self._measured[old]
        return known[1]

    def _day(self, legs: tuple[str, str], pair: PairMarket, now_ns: int) -> Array:
        """The minutes of the last 24 h; read once a minute."""
        minute = now_ns // MINUTE_NS
        known = self._days.get(legs)
        if known is None or known[0] != minute:
            known = minute, self._samples(legs, pair, minute)
            self._days.pop(legs, None)
            self._days[legs] = known
            for old in list(self._days)[:-PAIRS_MAX]:
                del self._days[old]
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


def by_half_life(
    found: Reversion | str, samples: Array, mid_bp: float, way: tuple[int, float]
) -> Hold:
    """The range by the law of first passage; the late end by the slow end of the half-life.

    samples: what it was measured on. way: the side, and how far the basis has to go, bp.
    """
    if isinstance(found, str):
        return Hold(why=found)
    start = way[0] * (mid_bp - found.mean_bp) / found.sd_bp
    level = start - way[1] / found.sd_bp
    if level < -NEAR:
        why = f"the target lies {-level * found.sd_bp:.1f} bp beyond the mean of the basis"
        return Hold(may_never=True, why=why, reversion=found)
    wide, widest = start * found.sd_bp, float(np.nanmax(np.abs(samples - found.mean_bp)))
    if wide > WIDER * widest:
        why = f"this gap of {wide:.0f} bp is far wider than any of the day, {widest:.0f} bp"
        return Hold(why=why, reversion=found)
    median_h, p90_h = passage_h(start, max(level, 0.0), found.half_life_h)
    slow = found.range_h[1] / found.half_life_h
    return Hold(max(median_h, STEP_H), max(p90_h * slow, STEP_H), reversion=found)


def _apart(median_h: float | None, like: LikeGaps) -> bool:
    """Whether the few gaps that closed took another time altogether than the law says."""
    if not like.came or median_h is None:
        return False
    return not 1 / APART <= median_h / max(like.median_h, STEP_H) <= APART


def _basis_at(pair: PairMarket, minute: int) -> float:
    row = pair.series.at(float(minute * STEP_S))
    return math.nan if row is None or row["t"] <= (minute - 1) * STEP_S else row["mid_bp"]
