"""Basis and funding of a coin over all venues, weighted by depth, and where venues disagree.

One venue's signal is read and another is traded on (founding note S3): a gap between those two is
said in words, as then the signal may not be there where the order goes.
"""

import math
from typing import TYPE_CHECKING

from basisdesk.scan.venue_now import VenueNow, VenuesNow
from basisdesk.scan.words import Composite, Share
from basisdesk.trading import words
from basisdesk.venues.instrument import venue_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from basisdesk.config import Scanner, Settings
    from basisdesk.market.state import Market

SIGN_GAP_BP = 0.5  # per 8 h; rates of unlike signs that are nearer than that are both about zero


def composites(market: "Market", settings: "Settings", now_ns: int) -> tuple[Composite, ...]:
    """One composite a coin that has a perpetual anywhere, in the order of the settings.

    The weight of a venue is its perpetual's depth within the impact limit, where every fresh venue
    of the coin shows a book; else what stands at the touch, so that like is weighed against like.
    Either is the median of the last few looks (steady.py): one order of one maker moves no weight.
    Where neither is known all fresh ones weigh the same. Stale venues weigh nothing.
    """
    reader = VenuesNow(market, settings, now_ns)
    found = ((coin, reader.of(coin)) for coin in settings.scanner.coins)
    return tuple(_composite(coin, seen, settings.scanner) for coin, seen in found if seen)


def _composite(coin: str, seen: dict[str, VenueNow], scanner: "Scanner") -> Composite:
    venues = [seen[venue] for venue in scanner.venues if venue in seen]
    fresh = [not each.stale and math.isfinite(each.rate_8h_bp) for each in venues]
    by_book = all(each.book_depth > 0.0 for each, ok in zip(venues, fresh, strict=True) if ok)
    depths = [each.book_depth if by_book else each.touch_depth for each in venues]
    weights = weights_of(depths, fresh)
    shares = tuple(
        Share(each.venue, weight, each.basis_bp, each.rate_8h_bp, depth, not ok)
        for each, weight, depth, ok in zip(venues, weights, depths, fresh, strict=True)
    )
    return Composite(
        coin,
        _mean([share.basis_bp for share in shares], weights),
        _mean([share.rate_8h_bp for share in shares], weights),
        shares,
        scanner.read_on,
        scanner.trade_on,
        _warning(shares, scanner),
    )


def weights_of(depths: "Sequence[float]", fresh: "Sequence[bool]") -> list[float]:
    """Parts of the whole; they sum to 1 unless nothing is fresh. An unknown depth weighs nothing.

    Where no depth is known, all fresh ones weigh the same.
    """
    known = [
        depth if ok and 0.0 < depth < math.inf else 0.0
        for depth, ok in zip(depths, fresh, strict=True)
    ]
    if not any(known):
        known = [float(ok) for ok in fresh]
    most = max(known, default=0.0)
    scaled = [depth / most for depth in known] if most else known
    total = sum(scaled)
    return [depth / total for depth in scaled] if total else scaled


def _mean(values: "Sequence[float]", weights: "Sequence[float]") -> float:
    # of the values that are known; NaN where none is
    parts = [
        (value, weight)
        for value, weight in zip(values, weights, strict=True)
        if weight > 0.0 and math.isfinite(value)
    ]
    total = sum(weight for _, weight in parts)
    return sum(value * weight for value, weight in parts) / total if total else math.nan


def _warning(shares: tuple[Share, ...], scanner: "Scanner") -> str:
    by_venue = {share.venue: share for share in shares if not share.stale}
    read, trade = by_venue.get(scanner.read_on), by_venue.get(scanner.trade_on)
    if read is None or trade is None or read is trade:
        return ""
    gap_bp = abs(read.rate_8h_bp - trade.rate_8h_bp)
    against = read.rate_8h_bp * trade.rate_8h_bp < 0.0 and gap_bp >= SIGN_GAP_BP
    if not against and gap_bp <= 1e4 * scanner.gap_trigger:
        return ""
    reads, trades = (words.bp(share.rate_8h_bp, signed=True) for share in (read, trade))
    why = "the signs differ" if against else f"{words.bp(gap_bp)} apart"
    return (
        f"{venue_title(read.venue)} funds at {reads} per 8 h and {venue_title(trade.venue)} at "
        f"{trades}, {why}: what is read on one may not hold on the other."
    )
