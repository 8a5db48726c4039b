"""What an entry would earn: the way back of the basis, the funding on the way, and what both cost.

Losses count in full, gains only as far as something pulls: the basis to fair value and no further,
funding only while it may last.
"""

import math
from typing import NamedTuple

from basisdesk.playbook.words import View

HOUR_MS = 3_600_000
STAMPS_MAX = 1_000


class WayBack(NamedTuple):
    """A target and what reaching it earns. target_bp: executable; edge_bp: after all costs."""

    target_bp: float
    edge_bp: float


def fair_exit_bp(view: View, direction: int) -> float:
    """The executable basis of leaving while the mid stands at fair value."""
    return view.leaving_at(direction, view.fair_bp)


def borrow_bp(view: View, direction: int, hold_h: float) -> float:
    """Interest on borrowed coins over a hold; 0 where nothing is borrowed."""
    return view.funding.borrow_8h_bp * hold_h / 8.0 if direction < 0 else 0.0


def way_back(
    view: View, direction: int, wished_bp: float, spare_bp: float, borrowed_bp: float = 0.0
) -> WayBack | None:
    """The wished target, or one farther that leaves `spare_bp`; None where fair value does not.

    wished_bp: executable basis of leaving. A target beyond fair value is taken back to it, since
    nothing pulls further; one within the costs is moved out of them (S4 defect B1).
    """
    d, fair = direction, fair_exit_bp(view, direction)
    if not (math.isfinite(fair) and math.isfinite(wished_bp)):
        return None
    entry, costs = view.entry_bp(d), view.terms.fees_bp + borrowed_bp
    target = fair if d * (wished_bp - fair) < 0.0 else wished_bp
    edge = d * (entry - target) - costs
    if edge >= spare_bp:
        return WayBack(target, edge)
    target = entry - d * (costs + spare_bp)
    return None if not d * (target - fair) >= 0.0 else WayBack(target, spare_bp)


def settlements_h(view: View, hold_h: float) -> list[float]:
    """Hours from now to each settlement within a hold, by the calendar; empty when unknown."""
    next_ms, step_h = view.funding.next_ms, view.funding.interval_h
    if not next_ms or not 0.0 < step_h < math.inf:
        return []
    first_h = (next_ms - view.t_ns / 1e6) / HOUR_MS
    if first_h <= 0.0:  # the next stamp was not told yet
        first_h += step_h
    n = min(STAMPS_MAX, math.floor((hold_h - first_h) / step_h) + 1)
    return [first_h + step_h * k for k in range(max(0, n))]


def lasting_bp(view: View, direction: int) -> float:
    """Funding per 8 h that a direction receives, the worse of indicative and last settled."""
    told, settled = view.funding.rate_8h_bp, view.funding.settled_8h_bp
    if math.isnan(settled):
        return direction * told
    return min(direction * told, direction * settled)


def funding_bp(view: View, direction: int, hold_h: float, half_life_h: float) -> float:
    """Funding expected over a hold, bp; a gain decays by its half-life, a loss does not."""
    each = lasting_bp(view, direction) * view.funding.interval_h / 8.0
    stamps = settlements_h(view, hold_h)
    if math.isnan(each):
        return 0.0
    if each <= 0.0:
        return each * len(stamps)
    return each * math.fsum(math.exp2(-at / half_life_h) for at in stamps)


def against_bp(view: View, direction: int) -> float:
    """One interval of funding against a direction, bp; 0 where it is paid or not known."""
    each = direction * view.funding.rate_8h_bp * view.funding.interval_h / 8.0
    return max(0.0, -each) if math.isfinite(each) else 0.0
