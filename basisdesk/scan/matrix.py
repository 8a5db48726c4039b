"""Funding and basis of every coin on every venue, and where each stands in our own past."""

from typing import TYPE_CHECKING

import numpy as np

from basisdesk.scan.past_stats import SEEN_MIN, percentile, settled_8h_bp
from basisdesk.scan.venue_now import VenueNow, VenuesNow
from basisdesk.scan.words import Matrix

if TYPE_CHECKING:
    from basisdesk.config import Settings
    from basisdesk.market.past import Past
    from basisdesk.market.state import Market

DAY_MS = 86_400_000
MINUTES_A_DAY = 1_440
CELLS_MAX = 1_000_000
_FIGURES = (
    "funding_8h_bp", "basis_bp", "interval_h", "age_s", "funding_percentile", "basis_percentile",
    "funding_days", "basis_days",
)  # fmt: skip
CELLS_A_LOOK = 60  # whose past is looked through at one look: all 240 within four
_NO_PAST = (np.nan, np.nan, np.nan, np.nan)


def matrix(market: "Market", settings: "Settings", now_ns: int) -> Matrix:
    """The matrix of the watched universe at once, which takes some 15 ms with 90 days of past."""
    return MatrixMaker(CELLS_MAX).look(market, settings, now_ns)


class MatrixMaker:
    """Makes the matrix again and again; where each cell stands in the past is renewed in turn.

    cells_a_look: how many cells' past is looked through each time; NaN until a cell's first turn.
    """

    def __init__(self, cells_a_look: int = CELLS_A_LOOK) -> None:
        self._cells_a_look = cells_a_look
        self._pasts: dict[str, tuple[float, ...]] = {}  # by perpetual
        self._turns: list[str] = []

    def look(self, market: "Market", settings: "Settings", now_ns: int) -> Matrix:
        """The matrix now.

        Coins in the order of the settings, those with a perpetual anywhere; venues likewise.
        """
        reader = VenuesNow(market, settings, now_ns)
        found = {coin: reader.of(coin) for coin in settings.scanner.coins}
        self._renew([cell for seen in found.values() for cell in seen.values()], market)
        coins = tuple(coin for coin, seen in found.items() if seen)
        listed = {venue for seen in found.values() for venue in seen}
        venues = tuple(venue for venue in settings.scanner.venues if venue in listed)
        table = np.full((len(_FIGURES), len(coins), len(venues)), np.nan)
        pairs = []
        for row, coin in enumerate(coins):
            cells = [found[coin].get(venue) for venue in venues]
            pairs.append(tuple(cell.pair if cell is not None else None for cell in cells))
            for column, cell in enumerate(cells):
                if cell is not None:
                    now = cell.rate_8h_bp, cell.basis_bp, cell.interval_h, cell.age_s
                    table[:, row, column] = now + self._pasts.get(cell.perp, _NO_PAST)
        figures = dict(zip(_FIGURES, table, strict=True))
        return Matrix(coins=coins, venues=venues, pairs=tuple(pairs), **figures)

    def _renew(self, cells: list[VenueNow], market: "Market") -> None:
        by_key = {cell.perp: cell for cell in cells}
        self._pasts = {key: past for key, past in self._pasts.items() if key in by_key}
        self._turns = [key for key in self._turns if key in by_key] or list(by_key)
        turns, self._turns = (
            self._turns[: self._cells_a_look],
            self._turns[self._cells_a_look :],
        )
        for key in turns:
            self._pasts[key] = _past_of(by_key[key], market.universe.past)


def _past_of(cell: VenueNow, past: "Past") -> tuple[float, ...]:
    # the last four of _FIGURES
    ms, settled_bp = settled_8h_bp(past, cell.perp)
    days = float(ms[-1] - ms[0]) / DAY_MS if len(ms) else np.nan
    basis_share, basis_days = _basis_past(cell, past)
    return percentile(settled_bp, cell.rate_8h_bp), basis_share, days, basis_days


def _basis_past(cell: VenueNow, past: "Past") -> tuple[float, float]:
    """(percentile, days) of the basis in its minutes, both as prices stand, without a cross rate.

    A logarithm keeps the order, so no basis need be worked out.
    """
    if cell.pair is None:
        return np.nan, np.nan
    _, spot = past.minutes(cell.pair[0])
    _, perp = past.minutes(cell.pair[1])
    logs = perp - spot
    known = np.count_nonzero(logs == logs)
    if known < SEEN_MIN or np.isnan(cell.log_basis):
        return np.nan, known / MINUTES_A_DAY if known else np.nan
    now = np.float32(cell.log_basis)
    below = np.count_nonzero(logs < now) + np.count_nonzero(logs <= now)
    return below / (2 * known), known / MINUTES_A_DAY
