"""How far each sector's funding stood from the rest, settlement by settlement, as was settled.

On the stamps 00:00, 08:00 and 16:00 UTC: a perpetual's rate is what it paid in the 8 h before, a
coin's the median over its venues, a sector's level the median over its members, and its divergence
that level minus the median over all coins (quant.md 2.15). Open interest weighs nothing here: its
past is not known, and weights of today would tell another past after each start.

A rebuild is done in slices, one a call: no beat of the scanner pays for all of it.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from basisdesk.market.funding import FULL_H
from basisdesk.market.past import Past
from basisdesk.scan import sector_series as series
from basisdesk.scan.sector_map import SectorMap
from basisdesk.scan.sector_series import STEP_MS, Floats, Ints
from basisdesk.scan.sector_states import Rotation, replay

Z_STAMPS = 270  # 90 days
Z_LEAST = 21  # a week: below so many settlements nothing is usual yet
MEMBERS_MIN = 4  # quant.md 2.15
LATE_MS = 600_000  # venues publish a settlement within so long; then its stamp counts
LEGS_A_SLICE = 80
SECTORS_A_SLICE = 5


class Line(NamedTuple):
    """A sector on the stamps of the history, bp per 8 h; NaN where too few members are known."""

    level: Floats
    divergence: Floats
    z: Floats
    rotation: Rotation


class Story(NamedTuple):
    """All sectors on the same stamps. level: median over all coins."""

    times_ms: Ints
    level: Floats
    lines: dict[str, Line]


EMPTY = Story(np.empty(0, dtype=np.int64), np.empty(0), {})


class SectorHistory:
    """The settled past of all sectors. `look` sees what is new, `advance` does a slice of work.

    story: the newest whole one. moved_ns: when stamps already told last came out otherwise, as
    while a venue's history is being filled in.
    """

    def __init__(self, sectors: SectorMap, days: int) -> None:
        self.story = EMPTY
        self.moved_ns = 0
        self._sectors = sectors
        self._stamps = max(Z_LEAST + 1, days * 24 // int(FULL_H))
        self._grid: dict[str, tuple[Floats, Floats]] = {}  # by leg: of which rates, line
        self._last_ms = 0  # of the stamps that `_grid` stands on
        self._seen: dict[str, Floats] = {}  # rates by leg; other rates are another array
        self._work: Iterator[Story | None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a rebuild is under way."""
        return self._work is not None

    def advance(self, now_ns: int) -> None:
        """Do one slice of the rebuild under way, if one is."""
        if self._work is None:
            return
        done = next(self._work)
        if done is None:
            return
        self._work = None
        if not _same_past(self.story, done):
            self.moved_ns = now_ns
        self.story = done

    def look(self, past: Past, coins: Mapping[str, str], now_ns: int) -> None:
        """Begin a rebuild where something was settled or learnt since the last one.

        coins: by leg key, of all perpetuals that take part.
        """
        last_ms = (now_ns // 1_000_000 - LATE_MS) // STEP_MS * STEP_MS
        if self._work is not None or last_ms <= 0:
            return
        seen = {key: past.settled(key)[1] for key in coins}
        if last_ms != self._last_ms or not _all_same(seen, self._seen):
            self._seen = seen
            self._work = self._rebuild(past, dict(coins), last_ms)

    def _rebuild(self, past: Past, coins: dict[str, str], last_ms: int) -> Iterator[Story | None]:
        stamps = last_ms - STEP_MS * np.arange(self._stamps - 1, -1, -1, dtype=np.int64)
        if last_ms != self._last_ms:
            self._grid.clear()
            self._last_ms = last_ms
        for gone in self._grid.keys() - coins.keys():
            del self._grid[gone]
        for place, key in enumerate(coins):
            if place and place % LEGS_A_SLICE == 0:
                yield None
            self._renew(past, key, stamps)
        rates = _by_coin(self._grid, coins)
        level = _middle(list(rates.values()), len(stamps), _half(len(rates)))
        lines: dict[str, Line] = {}
        for place, name in enumerate(self._sectors.order):
            if place % SECTORS_A_SLICE == 0:
                yield None
            members = [rates[coin] for coin in self._sectors.members(name) if coin in rates]
            own = _middle(members, len(stamps), max(MEMBERS_MIN, _half(len(members))))
            apart = own - level
            z = series.robust_z(apart, Z_STAMPS, Z_LEAST)
            lines[name] = Line(own, apart, z, replay(stamps.tolist(), z.tolist()))
        yield Story(stamps, level, lines)

    def _renew(self, past: Past, key: str, stamps: Ints) -> None:
        rates, known = self._seen[key], self._grid.get(key)
        if known is None or known[0] is not rates:
            self._grid[key] = rates, series.on_grid(*past.settled(key), stamps)


def _all_same(one: Mapping[str, Floats], other: Mapping[str, Floats]) -> bool:
    return one.keys() == other.keys() and all(one[key] is other[key] for key in one)


def _by_coin(
    grid: Mapping[str, tuple[Floats, Floats]], coins: Mapping[str, str]
) -> dict[str, Floats]:
    # the coins of which anything is known, each the median over its venues
    venues: dict[str, list[Floats]] = {}
    for key, coin in coins.items():
        line = grid[key][1]
        if not np.isnan(line).all():
            venues.setdefault(coin, []).append(line)
    return {coin: _middle(lines, len(lines[0]), 1) for coin, lines in venues.items()}


def _middle(lines: list[Floats], count: int, least: int) -> Floats:
    if not lines:
        return np.full(count, np.nan)
    if len(lines) == 1 and least <= 1:
        return lines[0]
    return series.median_of(np.stack(lines, axis=1), least)


def _half(count: int) -> int:
    return math.ceil(count / 2)


def _same_past(before: Story, after: Story) -> bool:
    # whether what both tell of the same stamps is the same
    if not len(before.times_ms):
        return False
    _, old, new = np.intersect1d(before.times_ms, after.times_ms, return_indices=True)
    return before.lines.keys() == after.lines.keys() and all(
        np.array_equal(line.divergence[old], after.lines[name].divergence[new], equal_nan=True)
        for name, line in before.lines.items()
    )
