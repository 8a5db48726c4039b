"""One depth book: price levels with one sequence rule for every venue, and VWAP over its depth."""

from bisect import bisect_left, insort
from collections import deque
from math import nan

import msgspec

from basisdesk.events import BookUpdate

LEVELS_MAX = 20_000  # a side; a venue that only ever adds levels may not fill our memory
AGAIN_MS = 1_000  # a repeat has the stamp of what it repeats; so much later it is something new
EARLY_MAX = 1_000  # updates kept while a snapshot is on its way; the oldest go first
EARLY_LEVELS_MAX = 2 * LEVELS_MAX  # levels in them, both sides

NO_TOP = (nan, 0.0, nan, 0.0)


class Book:
    """Bids and asks of one depth stream: base coin by price, as far down as the venue sends.

    A snapshot of the stream replaces everything. A delta must build on the book's id
    (`BookUpdate.prev`); right after a snapshot it may also begin before it, as its sizes are
    absolute. One that builds on the id and brings no higher one keeps the book alive (equal) or
    counts anew from there (OKX in maintenance); where that one is lost, the low ids that follow are
    told from repeats by their time. After a gap or a crossing the book is empty and
    `valid` is False, with the `reason`, until it is whole again; no half-true level is readable.

    Deltas that come before a snapshot are kept, a chain of at most EARLY_MAX with at most
    EARLY_LEVELS_MAX levels. A snapshot over HTTP (`BookUpdate.stream` is "") makes the book only
    where it meets that chain: an older one is dropped, a newer one waits for the delta that reaches
    it.

    duplicates: deltas that were applied before and were ignored. ignored: deltas that came while
    the book waited for a snapshot.
    """

    __slots__ = (
        "_ask_sizes",
        "_asks",
        "_base",
        "_bid_sizes",
        "_bids",
        "_early",
        "_early_levels",
        "_said_ms",
        "_seed",
        "duplicates",
        "ignored",
        "reason",
        "seq",
        "valid",
    )

    def __init__(self) -> None:
        self.valid = False
        self.reason = "no book heard yet"
        self.seq = 0
        self.duplicates = 0
        self.ignored = 0
        self._base = 0  # id of the last snapshot: the book is fresh while `seq` is still this
        self._early: deque[BookUpdate] = deque()  # each builds on the one before
        self._early_levels = 0
        self._said_ms = 0  # venue time of the last update; 0 since a snapshot over HTTP
        self._seed: BookUpdate | None = None  # a snapshot over HTTP that waits for the chain
        self._bid_sizes: dict[float, float] = {}
        self._ask_sizes: dict[float, float] = {}
        self._bids: list[float] = []  # both ascending: the best bid is last, the best ask first
        self._asks: list[float] = []

    def apply(self, update: BookUpdate) -> str:
        """Take one update. Returns "" or the fault: "gap", "nosnapshot", "crossed", "size".

        A delta that was applied before is ignored and counted, which is no fault.
        """
        if update.snapshot:
            if not update.stream:
                return self._sow(update)
            self._replace(update)
            self._catch_up()
        elif not self.valid:
            return self._wait(update)
        elif update.prev == self.seq or update.prev < self.seq == self._base < update.seq:
            if update.bids:
                _merge(update.bids, self._bid_sizes, self._bids)
            if update.asks:
                _merge(update.asks, self._ask_sizes, self._asks)
            self.seq = update.seq
            self._said_ms = update.venue_ms
        elif update.seq <= self.seq and not 0 < self._said_ms < update.venue_ms - AGAIN_MS:
            self.duplicates += 1
            return ""
        else:
            self.clear("gap")
            self._keep(update)
            return "gap"
        bids, asks = self._bids, self._asks
        if bids and asks and bids[-1] >= asks[0]:
            self.clear("crossed")
            return "crossed"
        if len(bids) > LEVELS_MAX or len(asks) > LEVELS_MAX:
            self.clear("too many levels")
            return "size"
        return ""

    def bridge(self) -> None:
        """Another socket took over: its next delta may begin before the book's id, once."""
        self._base = self.seq

    def clear(self, reason: str) -> None:
        """Forget every level; invalid, for this reason, until the next snapshot."""
        self.valid = False
        self.reason = reason
        self._seed = None
        self._forget_early()
        self._bid_sizes.clear()
        self._ask_sizes.clear()
        self._bids.clear()
        self._asks.clear()

    def set_top(self, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
        """Replace all by one level a side, where there is no depth stream. NaN price: no level."""
        self._bid_sizes = {bid: bid_size} if bid > 0.0 else {}
        self._ask_sizes = {ask: ask_size} if ask > 0.0 else {}
        self._bids = [bid] if bid > 0.0 else []
        self._asks = [ask] if ask > 0.0 else []
        self.valid = True
        self.reason = ""

    @property
    def bids(self) -> list[tuple[float, float]]:
        """Every bid, best first, as (price, size)."""
        sizes = self._bid_sizes
        return [(price, sizes[price]) for price in reversed(self._bids)]

    @property
    def asks(self) -> list[tuple[float, float]]:
        """Every ask, best first, as (price, size)."""
        sizes = self._ask_sizes
        return [(price, sizes[price]) for price in self._asks]

    def best(self) -> tuple[float, float, float, float]:
        """(bid, bid size, ask, ask size); price NaN and size 0 on an empty or invalid side."""
        bids, asks = self._bids, self._asks
        if bids and asks:
            bid, ask = bids[-1], asks[0]
            return bid, self._bid_sizes[bid], ask, self._ask_sizes[ask]
        if bids:
            return bids[-1], self._bid_sizes[bids[-1]], nan, 0.0
        if asks:
            return nan, 0.0, asks[0], self._ask_sizes[asks[0]]
        return NO_TOP

    def tops(self, bid: float, ask: float) -> bool:
        """These are the best bid and ask of this book."""
        bids, asks = self._bids, self._asks
        return bool(bids and asks) and bids[-1] == bid and asks[0] == ask

    def levels(self, side: str, n: int) -> list[tuple[float, float]]:
        """The first n levels an order of this side would take, best first: "buy" takes asks."""
        if side == "buy":
            sizes = self._ask_sizes
            return [(price, sizes[price]) for price in self._asks[:n]]
        sizes = self._bid_sizes
        return [(price, sizes[price]) for price in self._bids[: -n - 1 : -1]]

    def vwap(self, side: str, qty: float) -> tuple[float, float]:
        """(average price, filled) of a market order of `qty` base coin: "buy" takes asks.

        filled < qty where depth is short; the price is NaN when nothing fills.
        """
        if side == "buy":
            prices, sizes = iter(self._asks), self._ask_sizes
        else:
            prices, sizes = reversed(self._bids), self._bid_sizes
        left, paid = qty, 0.0
        for price in prices:
            size = sizes[price]
            if size >= left:
                return (paid + left * price) / qty if qty > 0.0 else nan, max(qty, 0.0)
            paid += size * price
            left -= size
        filled = qty - left
        return (paid / filled if filled > 0.0 else nan), max(filled, 0.0)

    def depth(self, side: str) -> float:
        """Base coin displayed to an order of this side: "buy" takes asks."""
        return sum(self._ask_sizes.values() if side == "buy" else self._bid_sizes.values())

    def _replace(self, update: BookUpdate) -> None:
        self._bid_sizes = {price: size for price, size in update.bids if size}
        self._ask_sizes = {price: size for price, size in update.asks if size}
        self._bids = sorted(self._bid_sizes)
        self._asks = sorted(self._ask_sizes)
        self.seq = self._base = update.seq
        self._said_ms = update.venue_ms if update.stream not in ("", "rest") else 0
        self.valid = True
        self.reason = ""

    def _catch_up(self) -> None:
        """Apply what came before the snapshot and is newer, where it builds on it."""
        later = [update for update in self._early if update.seq > self.seq]
        self._seed = None
        self._forget_early()
        if later and later[0].prev <= self.seq:
            for update in later:
                _merge(update.bids, self._bid_sizes, self._bids)
                _merge(update.asks, self._ask_sizes, self._asks)
                self.seq = update.seq

    def _sow(self, seed: BookUpdate) -> str:
        """Take a snapshot that came over HTTP."""
        if self.valid:  # the chain already stands, and is at least as true
            return ""
        if max(len(seed.bids), len(seed.asks)) > LEVELS_MAX:
            self.clear("too many levels")
            return "size"
        self._seed = seed
        return self._join()

    def _wait(self, update: BookUpdate) -> str:
        """Keep a delta for the snapshot that is on its way."""
        self.ignored += 1
        early = self._early
        if update.seq <= update.prev or update.prev < 0:
            if update.seq < update.prev:  # the venue counts anew: what is kept has other numbers
                self._forget_early()
                self._seed = None
            return "nosnapshot"
        if early and update.prev != early[-1].seq:
            if update.seq <= early[-1].seq:
                self.duplicates += 1
                return "nosnapshot"
            self._forget_early()
        if not self._keep(update):
            self.clear("too many levels")
            return "size"
        return self._join() if self._seed is not None else "nosnapshot"

    def _keep(self, update: BookUpdate) -> bool:
        """Add to the chain; False where it would hold too many levels, and it is empty then."""
        early = self._early
        if len(early) >= EARLY_MAX:
            oldest = early.popleft()
            self._early_levels -= len(oldest.bids) + len(oldest.asks)
        early.append(update)
        self._early_levels += len(update.bids) + len(update.asks)
        if self._early_levels <= EARLY_LEVELS_MAX:
            return True
        self._forget_early()
        return False

    def _forget_early(self) -> None:
        self._early.clear()
        self._early_levels = 0

    def _join(self) -> str:
        """Make the book of the HTTP snapshot and the chain, where they meet."""
        seed, early = self._seed, self._early
        assert seed is not None
        if early and early[0].prev > seed.seq:
            self._seed = None
            self.reason = "its snapshot is older than the updates"
            return "nosnapshot"
        if not early or early[-1].seq < seed.seq:
            self.reason = "waiting for the update that reaches its snapshot"
            return "nosnapshot"
        return self.apply(msgspec.structs.replace(seed, stream="rest"))


def _merge(
    changes: list[tuple[float, float]], sizes: dict[float, float], prices: list[float]
) -> None:
    # Absolute sizes; 0.0 deletes a level. Deleting one that is not there is harmless.
    for price, size in changes:
        if size:
            if price not in sizes:
                insort(prices, price)
            sizes[price] = size
        elif price in sizes:
            del sizes[price]
            del prices[bisect_left(prices, price)]
