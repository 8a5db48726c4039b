"""Bars of two legs as one pair: common times, an assumed spread around each close, the mark.

Bars tell no bid and ask. What is made of them here is a close-to-close proxy and says so: bid and
ask are the close less and plus half of an assumed effective spread.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.halted import halted_bars
from basisdesk.lab.series import Bools, Coverage, Floats, Ints, PairSeries, Settlements, Terms

NS = 1_000_000_000
BASIS_ABS_MAX = 0.2  # median; legs further apart are not of one coin
HALF_SPREAD_BP_MAX = 500.0

NO_SETTLEMENTS = Settlements(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), np.zeros(0))


class Leg(NamedTuple):
    """One leg in bars: when each closed, and by name its columns, `close` among them.

    name: what a person calls it. trades: how many there were in a bar, where that is known.
    """

    name: str
    t_ns: Ints
    columns: dict[str, Floats]
    coverage: Coverage


class Label(NamedTuple):
    """What a pair is called: its name, the keys of its legs, and its venue's terms."""

    name: str
    spot: str
    perp: str
    terms: Terms


def pair_of(
    label: Label,
    legs: tuple[Leg, Leg],
    mark: Leg | None,
    settled: tuple[Settlements, Coverage | None],
    half_bp: tuple[float, float],
) -> PairSeries:
    """The bars that both legs have. Raises UserError where none, or the legs are no pair."""
    spot, perp = legs
    t_ns = spot.t_ns
    if not np.array_equal(t_ns, perp.t_ns):
        t_ns = np.intersect1d(t_ns, perp.t_ns, assume_unique=True)
    if not len(t_ns):
        raise UserError(
            f"{spot.name} and {perp.name} have no bar in common. Give files of the same time."
        )
    step_ns = int(np.diff(t_ns).min()) if len(t_ns) > 1 else 0
    s, p = _at(spot, "close", t_ns), _at(perp, "close", t_ns)
    apart = float(np.median(p / s)) - 1.0
    if not abs(apart) < BASIS_ABS_MAX:
        raise UserError(
            f"{spot.name} and {perp.name} are no pair: their prices lie {apart:+.0%} apart. "
            "Give files of the same coin."
        )
    marks, notes = _marks(t_ns, perp, mark)
    share = half_spread(half_bp)
    coverage = _coverage(t_ns, step_ns, legs, settled[1])
    halted = _halted(t_ns, step_ns / NS, legs)
    if count := int(np.count_nonzero(halted)):
        notes.append(f"not tradable: halted {count}")
    said = (f"assumed half-spread {half_bp[0]:g} bp spot, {half_bp[1]:g} bp perpetual", *notes)
    return PairSeries(
        name=label.name,
        spot=label.spot,
        perp=label.perp,
        kind="bars",
        step_s=step_ns / NS,
        t_ns=t_ns,
        spot_bid=s * (1.0 - share[0]),
        spot_ask=s * (1.0 + share[0]),
        perp_bid=p * (1.0 - share[1]),
        perp_ask=p * (1.0 + share[1]),
        mark=marks[0],
        settled=settled[0],
        terms=label.terms,
        coverage=coverage._replace(notes=(*coverage.notes, *said)),
        mark_high=marks[1],
        mark_low=marks[2],
        halted=halted,
    )


def half_spread(half_bp: tuple[float, float]) -> tuple[float, float]:
    """Half-spreads of both legs as fractions. Raises UserError where they cannot be."""
    if not all(0.0 <= each <= HALF_SPREAD_BP_MAX for each in half_bp):
        raise UserError(
            f"A half-spread lies between 0 and {HALF_SPREAD_BP_MAX:g} bp; "
            f"{half_bp[0]:g} and {half_bp[1]:g} were given."
        )
    return half_bp[0] * 1e-4, half_bp[1] * 1e-4


def _at(leg: Leg, name: str, t_ns: Ints) -> Floats:
    return leg.columns[name][np.searchsorted(leg.t_ns, t_ns)]


def _halted(t_ns: Ints, step_s: float, legs: tuple[Leg, Leg]) -> Bools:
    spot, perp = legs
    closes = _at(spot, "close", t_ns), _at(perp, "close", t_ns)
    counted = [_at(leg, "trades", t_ns) if "trades" in leg.columns else None for leg in legs]
    alone = np.setxor1d(spot.t_ns, perp.t_ns, assume_unique=True)
    return halted_bars(t_ns, step_s, closes, (counted[0], counted[1]), alone)


def _marks(
    t_ns: Ints, perp: Leg, mark: Leg | None
) -> tuple[tuple[Floats, Floats | None, Floats | None], list[str]]:
    """(close, high, low) of the mark price; the perpetual's own where there is no mark."""
    names = [name for name in ("close", "high", "low") if name in perp.columns]
    own = {name: _at(perp, name, t_ns) for name in names}
    notes = ["mark is the perpetual's close"]
    if mark is not None:
        _, rows, at = np.intersect1d(t_ns, mark.t_ns, assume_unique=True, return_indices=True)
        for name in names:
            if name in mark.columns:
                own[name] = own[name].copy()
                own[name][rows] = mark.columns[name][at]
        lacking = len(t_ns) - len(rows)
        notes = [f"mark is the perpetual's close in {lacking} bars without one"] if lacking else []
    return (own["close"], own.get("high"), own.get("low")), notes


def _coverage(t_ns: Ints, step_ns: int, legs: Sequence[Leg], settled: Coverage | None) -> Coverage:
    left_out: dict[str, int] = {}
    notes: list[str] = []
    for leg in legs:
        for why, count in leg.coverage.left_out.items():
            left_out[f"{leg.name}: {why}"] = count
        if alone := len(leg.t_ns) - len(t_ns):
            left_out[f"only in {leg.name}"] = alone
        notes += [f"{leg.name}: {note}" for note in leg.coverage.notes]
        if "trades" in leg.columns:
            still = int((_at(leg, "trades", t_ns) == 0.0).sum())
            notes += [f"{leg.name}: {still} bars without a trade repeat a price"] if still else []
    if settled is None or not settled.rows:
        notes.append("no settlements: funding counts as nothing")
    elif settled.missing:
        notes.append(f"{settled.missing} settlements are missing")
    files = tuple(name for leg in legs for name in leg.coverage.files)
    missing = int((t_ns[-1] - t_ns[0]) // step_ns) + 1 - len(t_ns) if step_ns else 0
    longest = float(np.diff(t_ns).max(initial=0)) / NS
    files += settled.files if settled is not None else ()
    return Coverage(len(t_ns), left_out, missing, longest, files, tuple(notes))
