"""Figures of our own past for every combination, renewed a few at a time.

A whole pass over 2,640 combinations costs most of a second, so each beat renews a few and the
arrays stand complete in between. They are in the order of `Openings.combos`.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from basisdesk.scan.past_stats import (
    SEEN_MIN,
    WINDOW,
    Paid,
    basis_minutes,
    gap_of,
    gap_stats,
    half_life,
    momentum,
    paid,
    settled_8h_bp,
)
from basisdesk.scan.sector_series import usual
from basisdesk.scan.words import Combo, Floats, Ints, Openings

if TYPE_CHECKING:
    from collections.abc import Callable

    from basisdesk.market.past import Past

BUDGET = 30  # combinations a step: 2,640 of them are through in 88 beats
LOOKS = 8  # times the budget: combinations that are looked at and need nothing
BASIS_MINUTES = 15  # a half-life over three days of minutes does not move sooner
GAP_MOVED = 0.1  # part of the gap; less does not change which past cases are like it,
GAP_MOVED_BP = 0.05  # nor does this, of a gap that is next to nothing


class Figures(NamedTuple):
    """What the past says of one combination; see GapStats. middle_bp, sd_bp: what z is made of.

    NaN: nothing is known.
    """

    n: float = 0.0
    mean_bp: float = math.nan
    half_life_h: float = math.nan
    low_h: float = math.nan
    high_h: float = math.nan
    hazard: float = math.nan
    hazard_n: float = 0.0
    basis_half_life_h: float = math.nan
    momentum_bp: float = math.nan
    middle_bp: float = math.nan
    sd_bp: float = math.nan


_BLANK = Figures()


class _Stand(NamedTuple):
    """What figures were made of: the settled rates of both legs, the gap, the newest minute."""

    long: Floats
    short: Floats
    gap_bp: float
    minute: int


class PastFigures:
    """What our past says of each combination. NaN until its turn came, and where it says nothing.

    half_life_h, low_h, high_h: of the funding gap, with its interval. basis_half_life_h: of the
    minute basis. hazard, hazard_n: chance that the gap turns within hold_h, and like cases.
    z: of the present rate_8h_bp in the settled gaps. momentum_bp: of the settled gaps.
    median_8h_bp: of each perpetual's settled rates, by leg key; a leg without a past is not in it.
    passes: how often all combinations had their turn.

    An array that was handed out never changes: each step makes new ones.
    """

    half_life_h: Floats
    low_h: Floats
    high_h: Floats
    hazard: Floats
    hazard_n: Ints
    basis_half_life_h: Floats
    momentum_bp: Floats
    z: Floats

    def __init__(self, past: "Past", hold_h: float = 24.0) -> None:
        self.past = past
        self.hold_h = hold_h
        self.median_8h_bp: dict[str, float] = {}
        self.passes = 0
        self._combos: tuple[Combo, ...] = ()
        self._known: dict[Combo, Figures] = {}
        self._stands: dict[Combo, _Stand] = {}
        self._turns: list[int] = []  # places still to come in this pass, last first
        self._perps: tuple[str, ...] = ()
        self._medians_of: dict[str, Floats] = {}  # the rates that a median was taken of
        self._paid: dict[str, tuple[Floats, Paid | None]] = {}
        self._table: Floats = np.empty((len(_BLANK), 0))
        self._deal(np.empty(0))

    def align(self, combos: tuple[Combo, ...]) -> None:
        """Stand in this order from now on; what is known of a combination stays with it."""
        if combos is self._combos:
            return
        self._combos, self._turns = combos, []
        self._known = {combo: self._known[combo] for combo in combos if combo in self._known}
        self._stands = {combo: self._stands[combo] for combo in self._known}
        rows = [self._known.get(combo, _BLANK) for combo in combos]
        self._table = np.array(rows, dtype=np.float64).reshape(len(combos), len(_BLANK)).T.copy()
        legs = {key for combo in combos for key in (combo.long, combo.short)}
        self._perps = tuple(key for key in sorted(legs) if ":spot:" not in key)
        self.median_8h_bp = {k: v for k, v in self.median_8h_bp.items() if k in legs}
        self._medians_of = {k: v for k, v in self._medians_of.items() if k in legs}
        self._paid = {k: v for k, v in self._paid.items() if k in legs}
        self._deal(np.full(len(combos), np.nan))

    def step(
        self,
        openings: Openings,
        budget: int = BUDGET,
        enough: "Callable[[], bool] | None" = None,
    ) -> None:
        """Renew so many combinations, and the z of all. The largest gaps come first in a pass.

        One whose past has not moved is passed over.
        enough: asked after each one; True ends the step, for a budget in time.
        """
        self.align(openings.combos)
        self._renew_medians()
        self._table = self._table.copy()
        rate = openings.rate_8h_bp
        if not self._turns:
            order = np.argsort(np.nan_to_num(np.abs(rate), nan=-1.0), kind="stable")
            self._turns = order.tolist()
        looks = min(LOOKS * budget, len(self._turns))
        while looks and budget:
            looks -= 1
            at = self._turns.pop()
            if not self._look(at, float(rate[at])):
                continue
            budget -= 1
            if enough is not None and enough():
                break
        self.passes += bool(self._combos) and not self._turns
        self._deal(rate)

    def of(self, combo: Combo) -> Figures | None:
        """All that is known of a combination; None before its turn."""
        return self._known.get(combo)

    # --- inside ----------------------------------------------------------------------------------

    def _deal(self, rate_8h_bp: Floats) -> None:
        row = dict(zip(Figures._fields, self._table, strict=True))
        self.half_life_h, self.low_h, self.high_h = row["half_life_h"], row["low_h"], row["high_h"]
        self.hazard, self.hazard_n = row["hazard"], row["hazard_n"].astype(np.int64)
        self.basis_half_life_h, self.momentum_bp = row["basis_half_life_h"], row["momentum_bp"]
        self.z = (rate_8h_bp - row["middle_bp"]) / row["sd_bp"]

    def _look(self, at: int, gap_bp: float) -> bool:
        # renew what has moved of the figures at a place; whether that was anything
        past, combo = self.past, self._combos[at]
        now = _Stand(past.settled(combo.long)[1], past.settled(combo.short)[1], gap_bp, past.last)
        then = self._stands.get(combo)
        figures = self._known.get(combo, _BLANK)
        gap_moved = then is None or _gap_moved(then, now)
        basis_moved = then is None or abs(now.minute - then.minute) >= BASIS_MINUTES
        if gap_moved:
            figures = self._gap(combo, gap_bp)._replace(basis_half_life_h=figures.basis_half_life_h)
        elif then is not None:
            now = then._replace(minute=now.minute)
        if basis_moved:
            basis = half_life(basis_minutes(past, combo.long, combo.short))
            figures = figures._replace(basis_half_life_h=basis.half_life / 60)
        elif then is not None:
            now = now._replace(minute=then.minute)
        self._stands[combo], self._known[combo] = now, figures
        self._table[:, at] = figures
        return gap_moved or basis_moved

    def _gap(self, combo: Combo, gap_bp: float) -> Figures:
        series = gap_of(self._paid_by(combo.long), self._paid_by(combo.short))
        known = series.gap_bp[np.isfinite(series.gap_bp)]
        if len(known) < SEEN_MIN:
            return _BLANK._replace(n=len(known))
        middle, sd = usual(known[None, -WINDOW:], SEEN_MIN)
        return Figures(
            *gap_stats(series, gap_bp, self.hold_h),
            momentum_bp=momentum(known, series.step_h),
            middle_bp=float(middle[0]),
            sd_bp=float(sd[0]),
        )

    def _paid_by(self, key: str) -> Paid | None:
        # of each leg once; many combinations share it
        _, rates = self.past.settled(key)
        kept = self._paid.get(key)
        if kept is None or kept[0] is not rates:
            kept = self._paid[key] = rates, paid(self.past, key)
        return kept[1]

    def _renew_medians(self) -> None:
        # of the perpetuals that learnt something; a look costs next to nothing
        for key in self._perps:
            _, rates = self.past.settled(key)
            if len(rates) and self._medians_of.get(key) is not rates:
                self._medians_of[key] = rates
                _, bp = settled_8h_bp(self.past, key)
                if len(bp):
                    self.median_8h_bp[key] = float(np.median(bp))


def _gap_moved(then: _Stand, now: _Stand) -> bool:
    if then.long is not now.long or then.short is not now.short:
        return True
    was, is_now = then.gap_bp, now.gap_bp
    if math.isnan(was) or math.isnan(is_now):
        return math.isnan(was) != math.isnan(is_now)
    return abs(is_now - was) > max(GAP_MOVED * abs(was), GAP_MOVED_BP)
