"""Coin by venue as a grid of cells: what stands in each, how hot it is, what it says. Pure, no Qt.

The heat has a fixed scale, so a colour means the same today and tomorrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.view import ScanView
from basisdesk.scan.words import Composite, Floats, Matrix
from basisdesk.ui.composite_rows import COLUMNS, composite_stale, composite_tip, composite_values
from basisdesk.ui.figures import age_text, number_text, sign_text
from basisdesk.ui.scanner_rows import percentile_text
from basisdesk.venues.instrument import venue_title

Mode = Literal["funding", "basis", "composite"]
FULL_FUNDING_BP = 10.0  # per 8 h: full colour, 0.10 %
FULL_BASIS_BP = 30.0
BY_COIN = -1  # what a grid is sorted by: its coins, or the place of a column
ABSENT = "n/a"
STALE_POLLS = 3.0  # a cell older than so many polls is dimmed
TITLES: dict[Mode, str] = {
    "funding": "Funding /8h, %",
    "basis": "Basis, bp",
    "composite": "Composite",
}


@dataclass(frozen=True)
class Grid:
    """One reading of the matrix.

    values: in the unit of the title, NaN for nothing listed. heat: -1 (shorts pay, or the perpetual
    is the cheaper) to 1, NaN where a cell has none. shares: columns that hold a weight, 0 to 1.
    stale: too old to look live. warned: coins whose venues disagree.
    """

    mode: Mode = "funding"
    coins: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    values: Floats = field(default_factory=lambda: np.empty((0, 0)))
    heat: Floats = field(default_factory=lambda: np.empty((0, 0)))
    stale: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    warned: frozenset[str] = frozenset()

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        value = float(self.values[row, column])
        if value != value:
            return ABSENT
        if self.mode == "composite" and column >= len(COLUMNS):
            return "stale" if self.stale[row, column] else f"{value:.0f} %"
        return sign_text(value, self._places(column))

    def sample(self, column: int) -> str:
        """A text as wide as the cells of a column become."""
        weight = self.mode == "composite" and column >= len(COLUMNS)
        return "100 %" if weight else "+0.123"

    def _places(self, column: int) -> int:
        if self.mode == "composite":
            return 3 if column == 1 else 1
        return 3 if self.mode == "funding" else 1

    def share(self, row: int, column: int) -> float:
        """The weight a cell holds, 0 to 1; 0 where it holds none."""
        if self.mode != "composite" or column < len(COLUMNS) or self.stale[row, column]:
            return 0.0
        value = float(self.values[row, column])
        return value / 100 if value == value else 0.0

    def like(self, other: "Grid") -> bool:
        """Whether both have the same rows and columns."""
        return (self.mode, self.coins, self.titles) == (other.mode, other.coins, other.titles)

    def moved(self, before: "Grid") -> NDArray[np.bool_]:
        """Cells that show something else than in an earlier reading with the same rows."""
        grain = np.array([10.0 ** self._places(at) for at in range(len(self.titles))])
        old, new = np.rint(before.values * grain), np.rint(self.values * grain)
        lost = np.isnan(old) & np.isnan(new)
        return np.asarray(((old != new) & ~lost) | (before.stale != self.stale), dtype=np.bool_)


def grid_of(scan: ScanView | None, mode: Mode, poll_s: float) -> Grid:
    """The grid of a mode, coins in the universe's own order."""
    if scan is None:
        return Grid(mode)
    matrix = scan.matrix
    if mode == "composite":
        return _composite_grid(scan.composites, matrix.venues)
    bp = matrix.funding_8h_bp if mode == "funding" else matrix.basis_bp
    full = FULL_FUNDING_BP if mode == "funding" else FULL_BASIS_BP
    with np.errstate(invalid="ignore"):
        stale = np.isfinite(bp) & (matrix.age_s > STALE_POLLS * poll_s)
    return Grid(
        mode,
        matrix.coins,
        tuple(venue_title(venue) for venue in matrix.venues),
        bp / 100 if mode == "funding" else bp,
        np.clip(bp / full, -1.0, 1.0),
        stale,
    )


def _composite_grid(composites: Sequence[Composite], venues: Sequence[str]) -> Grid:
    seen = {share.venue for composite in composites for share in composite.shares}
    ordered = [venue for venue in venues if venue in seen] or sorted(seen)
    values = composite_values(composites, ordered)
    heat = np.full_like(values, np.nan)
    if len(composites):
        heat[:, 0] = np.clip(values[:, 0] / FULL_BASIS_BP, -1.0, 1.0)
        heat[:, 1] = np.clip(100 * values[:, 1] / FULL_FUNDING_BP, -1.0, 1.0)
    return Grid(
        "composite",
        tuple(composite.coin for composite in composites),
        (*COLUMNS, *(venue_title(venue) for venue in ordered)),
        values,
        heat,
        composite_stale(composites, ordered),
        frozenset(composite.coin for composite in composites if composite.warning),
    )


def grid_order(grid: Grid, by: int, descending: bool) -> NDArray[np.int64]:
    """Rows in the order they are shown: as they came for BY_COIN (or the reverse), or by a column.

    What is not listed stands last either way.
    """
    rows = np.arange(len(grid.coins), dtype=np.int64)
    if by == BY_COIN or by >= len(grid.titles):
        names = np.argsort(np.asarray(grid.coins, dtype=np.str_), kind="stable")
        return np.asarray(rows[names[::-1] if descending else names], dtype=np.int64)
    values = grid.values[:, by]
    return np.asarray(np.argsort(-values if descending else values, kind="stable"), dtype=np.int64)


def cell_tip(scan: ScanView, grid: Grid, row: int, column: int, currency: str) -> str:
    """All that a cell knows: value, percentile and the span it stands on, interval, age."""
    coin = grid.coins[row]
    if grid.mode == "composite":
        return composite_tip(scan.composites[row], currency)
    matrix, where = scan.matrix, f"{coin} on {grid.titles[column]}"
    if np.isnan(grid.values[row, column]):
        return f"{where}: not listed, or no price yet."
    funding = sign_text(float(matrix.funding_8h_bp[row, column]) / 100, 4)
    basis = sign_text(float(matrix.basis_bp[row, column]), 1)
    hours = float(matrix.interval_h[row, column])
    paid = f", settled every {hours:g} h" if hours > 0 else ""
    lines = [
        f"{where}: funding {funding} % per 8 h{paid}"
        f"{_standing(matrix.funding_percentile, matrix.funding_days, row, column)}.",
        f"Basis {basis} bp{_standing(matrix.basis_percentile, matrix.basis_days, row, column)}.",
        f"{age_text(1e3 * float(matrix.age_s[row, column]))} old.",
    ]
    if pair_of(matrix, row, column) is not None:
        lines.append("Click: this pair into the ticket.")
    return "\n".join(lines)


def _standing(percentile: Floats, days: Floats, row: int, column: int) -> str:
    said = percentile_text(float(percentile[row, column]))
    if not said:
        return ", no history yet"
    span = float(days[row, column])
    return f", {said} of {number_text(span, 0 if span >= 9.5 else 1)} days"


def pair_of(matrix: Matrix, row: int, column: int) -> tuple[str, str] | None:
    """(spot, perp) that a cell stands for, None where there is no spot leg to pair it with."""
    if row >= len(matrix.pairs) or column >= len(matrix.pairs[row]):
        return None
    return matrix.pairs[row][column]


def legend_text(mode: Mode) -> str:
    """What the colours say."""
    if mode == "funding":
        return f"orange: longs pay   blue: shorts pay   full at {FULL_FUNDING_BP / 100:.2f} %"
    if mode == "basis":
        return f"orange: perp above spot   blue: below   full at {FULL_BASIS_BP:.0f} bp"
    return "bars: weight by depth   \u25b2: venues disagree, see the tip"
