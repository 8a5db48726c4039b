"""The composite of a coin over all venues, as a row of the matrix and in words. Pure, no Qt."""

import math
from collections.abc import Sequence

import numpy as np

from basisdesk.scan.words import Composite, Floats, Share
from basisdesk.ui.figures import number_text, sign_text
from basisdesk.ui.scanner_rows import compact_text
from basisdesk.venues.instrument import venue_title

COLUMNS = ("Basis\nbp", "Fund.\n%")


def composite_values(composites: Sequence[Composite], venues: Sequence[str]) -> Floats:
    """Basis (bp), funding (% per 8 h), then the weight of each venue in %, a row a coin."""
    values = np.full((len(composites), len(COLUMNS) + len(venues)), np.nan)
    place = {venue: at for at, venue in enumerate(venues, len(COLUMNS))}
    for row, composite in enumerate(composites):
        values[row, 0] = composite.basis_bp
        values[row, 1] = composite.rate_8h_bp / 100
        for share in composite.shares:
            if share.venue in place:
                values[row, place[share.venue]] = 100 * share.weight
    return values


def composite_stale(composites: Sequence[Composite], venues: Sequence[str]) -> np.ndarray:
    """Which weights are of a venue that was dropped as stale."""
    stale = np.zeros((len(composites), len(COLUMNS) + len(venues)), dtype=np.bool_)
    place = {venue: at for at, venue in enumerate(venues, len(COLUMNS))}
    for row, composite in enumerate(composites):
        for share in composite.shares:
            if share.stale and share.venue in place:
                stale[row, place[share.venue]] = True
    return stale


def composite_tip(composite: Composite, currency: str) -> str:
    """The whole of it in words: the value, each venue's part, where to read and where to trade."""
    head = (
        f"{composite.coin} over {len(composite.shares)} venues, weighted by depth, the median of "
        "each one's last 5 books: basis "
        f"{sign_text(composite.basis_bp, 1)} bp, funding "
        f"{sign_text(composite.rate_8h_bp / 100, 4)} % per 8 h."
    )
    lines = [head, *(_share_text(share, currency) for share in composite.shares)]
    lines.append(
        f"Read on {venue_title(composite.read_on)}, trade on {venue_title(composite.trade_on)}."
    )
    if composite.warning:
        lines.append(composite.warning)
    return "\n".join(lines)


def _share_text(share: Share, currency: str) -> str:
    name = venue_title(share.venue)
    if share.stale:
        return f"{name}: stale, dropped."
    weight = number_text(100 * share.weight, 0)
    depth = f", depth {compact_text(share.depth)} {currency}" if math.isfinite(share.depth) else ""
    return (
        f"{name} {weight} %: {sign_text(share.basis_bp, 1)} bp, "
        f"{sign_text(share.rate_8h_bp / 100, 4)} %{depth}."
    )
