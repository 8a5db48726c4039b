"""Events and outcomes of the rotation study: when funding stood out, and what prices did after it.

Divergence and z are the desk's (`scan.sector_series`, `scan.sector_history`): a sector's level is
the median of its members, its divergence that level minus the median of all, z counts in robust
deviations of the 90 days before, which the value is no part of. What is added here is the universe
and the sector map of each moment. An outcome starts a settlement after the event, when its rate
has long been published, and uses the members of the event's moment.
"""

from typing import NamedTuple

import numpy as np

from basisdesk.lab.rotation_panel import (
    NOBODY,
    STAMPS_A_DAY,
    Bools,
    Maps,
    Panel,
    Plan,
    universe_at,
)
from basisdesk.scan import sector_series as series
from basisdesk.scan.sector_history import LATE_MS
from basisdesk.scan.sector_series import STEP_MS, Floats, Ints


class Story(NamedTuple):
    """Divergence of G sectors at T settlements; NaN where too few members are known.

    sector_of: T x C, number of each coin's sector at that time, NOBODY outside the universe too.
    known: T x G, how many values before it each z stands on.
    """

    sectors: tuple[str, ...]
    universe: Bools
    sector_of: Ints
    level: Floats
    divergence: Floats
    z: Floats
    known: Ints


class Events(NamedTuple):
    """When a sector's funding stood out. side: 1 above the line, -1 below.

    at: row of the settlement that bore it out. known_ms: when it could be known.
    """

    at: Ints
    sector: Ints
    side: Ints
    z: Floats
    known_ms: Ints

    @property
    def number(self) -> int:
        """How many."""
        return len(self.at)

    def take(self, chosen: Bools) -> "Events":
        """Some of them."""
        return Events(
            self.at[chosen],
            self.sector[chosen],
            self.side[chosen],
            self.z[chosen],
            self.known_ms[chosen],
        )


def story_of(panel: Panel, maps: Maps, plan: Plan) -> Story:
    """Divergence and z of every sector, each moment by what was known at it."""
    universe = universe_at(panel, plan)
    sector_of = np.where(universe, maps.sector_at(panel.stamps_ms, panel.coins), NOBODY)
    rates = np.where(universe, panel.rate, np.nan)
    level = _median(rates, universe, 1)
    count = len(maps.sectors)
    divergence = np.full((len(rates), count), np.nan)
    z = np.full_like(divergence, np.nan)
    known = np.zeros(divergence.shape, dtype=np.int64)
    for number in range(count):
        own = sector_of == number
        members = own.any(axis=0)
        if not members.any():
            continue
        level_of = _median(np.where(own, rates, np.nan)[:, members], own[:, members], plan.members)
        divergence[:, number] = level_of - level
        z[:, number] = series.robust_z(divergence[:, number], plan.window, plan.least)
        known[:, number] = _before(divergence[:, number], plan.window)
    return Story(maps.sectors, universe, sector_of, level, divergence, z, known)


def events_of(story: Story, stamps_ms: Ints, plan: Plan) -> Events:
    """Where z stood beyond the line for `enter` settlements in a row, then a cool-down."""
    side = np.where(np.abs(story.z) > plan.line, np.sign(story.z), 0.0)  # NaN is beyond nothing
    rows: list[tuple[int, int]] = []
    for number in range(side.shape[1]):
        row = side[:, number]
        out = row != 0.0
        for back in range(1, plan.enter):
            out[back:] &= row[back:] == row[:-back]
            out[:back] = False
        rows += [(at, number) for at in _cooled(np.flatnonzero(out), plan.cool)]
    rows.sort()
    at, sector = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    found = side[at, sector].astype(np.int64)
    return Events(at, sector, found, story.z[at, sector], stamps_ms[at] + LATE_MS)


def outcome_of(panel: Panel, story: Story, start: int, end: int, members: int) -> Floats:
    """T x G: return of each sector over (t + start, t + end] minus that of the whole universe.

    Equal weights, fractions, over who stood in the universe and the sector at t. start and end in
    settlements, below 0 for what went before. A price that ends on the way (a delisting) counts
    with its last trade. NaN where fewer than `members` prices are known.
    """
    price, last = _carried(panel.log_price)
    size = len(price)
    rows = np.arange(size)
    first, final = rows + start, rows + end
    there = (first >= 0) & (final < size)
    first, final = np.clip(first, 0, size - 1), np.clip(final, 0, size - 1)
    begun = panel.log_price[first]
    alive = story.universe & there[:, None] & np.isfinite(begun) & (last[final] >= first[:, None])
    moved = np.where(alive, np.expm1(np.where(alive, price[final] - begun, 0.0)), 0.0)
    whole = _share(moved.sum(axis=1), alive.sum(axis=1), 1)
    found = np.full(story.z.shape, np.nan)
    for number in range(len(story.sectors)):
        own = alive & (story.sector_of == number)
        found[:, number] = _share(np.where(own, moved, 0.0).sum(axis=1), own.sum(axis=1), members)
    return found - whole[:, None]


def starts_ms(panel: Panel, events: Events, plan: Plan) -> Ints:
    """When the outcome of each event starts.

    Raises ValueError where that is before the event could be known: such a study sees the future.
    """
    found = panel.stamps_ms[events.at] + plan.start * STEP_MS
    if np.any(found < events.known_ms):
        raise ValueError("an outcome starts before its event could be known")
    return np.asarray(found)


def short_windows(story: Story, events: Events, plan: Plan) -> int:
    """Events whose z stands on less than the whole window of 90 days."""
    return int(np.count_nonzero(story.known[events.at, events.sector] < plan.window))


def half_life_h(divergence: Floats) -> Floats:
    """Of each sector's divergence, hours, by regression on the settlement before; NaN where none.

    -8 h ln 2 / ln(phi); quant: Ornstein-Uhlenbeck at fixed steps. Short histories bias it low.
    """
    found = np.full(divergence.shape[1], np.nan)
    for number, line in enumerate(divergence.T):
        both = np.isfinite(line[1:]) & np.isfinite(line[:-1])
        if np.count_nonzero(both) < 10 * STAMPS_A_DAY:
            continue
        before, after = line[:-1][both], line[1:][both]
        spread = before - before.mean()
        phi = float(spread @ after / (spread @ spread)) if spread.any() else 0.0
        if 0.0 < phi < 1.0:
            found[number] = -8.0 * np.log(2.0) / np.log(phi)
    return found


def _cooled(rows: Ints, cool: int) -> list[int]:
    kept: list[int] = []
    for row in rows.tolist():
        if not kept or row - kept[-1] >= cool:
            kept.append(row)
    return kept


def _median(table: Floats, takes_part: Bools, least: int) -> Floats:
    # as the desk has it: at least half of those who take part, and at least so many
    known = np.count_nonzero(np.isfinite(table), axis=1)
    half = (np.count_nonzero(takes_part, axis=1) + 1) // 2
    return np.where(known >= np.maximum(least, half), series.median_of(table), np.nan)


def _before(values: Floats, window: int) -> Ints:
    known = np.concatenate(([0], np.cumsum(np.isfinite(values))))
    first = np.maximum(np.arange(len(values)) - window, 0)
    return np.asarray(known[:-1] - known[first], dtype=np.int64)


def _carried(log_price: Floats) -> tuple[Floats, Ints]:
    """(last known price, row that it is of) at each row; row -1 before the first."""
    rows = np.where(np.isfinite(log_price), np.arange(len(log_price))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)
    return np.take_along_axis(log_price, np.maximum(last, 0), axis=0), last


def _share(total: Floats, count: Ints, least: int) -> Floats:
    return np.where(count >= max(1, least), total / np.maximum(count, 1), np.nan)
