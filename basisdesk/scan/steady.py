"""How deep legs usually are: the middle of their last few books, not the newest one alone.

One book is a snapshot: an order of one maker comes and goes, and what fits moves several times over
within seconds. What is shown as depth, and what weighs venues, is the median of the last five
books; where only the touch is known, which is a single order or two, of the last 25 touches. Prices
at a size stand on the newest book only, as nothing else can be traded on.
"""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from basisdesk.scan.words import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from basisdesk.market.universe import Universe

BOOK_KEPT_NS = 300_000_000_000  # what was heard of a leg's book so long ago says nothing of today's
BOOK, TOUCH = 0, 1  # what was measured
LOOKS = (5, 25)  # whose middle counts: of books, of touches


class Steady:
    """The last few depths of each leg, account currency, of its books and of its touch alone.

    `align` with the legs, `note` what they show, read `usual`. Memory: some 60 figures a leg.
    """

    def __init__(self) -> None:
        self._keys: tuple[str, ...] = ()
        self._place: dict[str, int] = {}
        self._seen = np.empty((2, max(LOOKS), 0))  # NaN: not yet so many
        self._count = np.zeros((2, 0), dtype=np.int64)
        self._stamp = np.empty((2, 0))
        self._heard_ns = np.zeros((2, 0), dtype=np.int64)
        self._usual = np.empty((2, 0))

    def align(self, keys: "Sequence[str]") -> None:
        """Stand in this order from now on; what is known of a leg stays with it."""
        keys = tuple(keys)
        if keys == self._keys:
            return
        old, places = self._place, range(len(keys))
        kept = [(at, old[key]) for at, key in zip(places, keys, strict=True) if key in old]
        before = self._seen, self._count, self._stamp, self._heard_ns, self._usual
        self._keys, self._place = keys, {key: at for at, key in enumerate(keys)}
        self._seen = np.full((2, max(LOOKS), len(keys)), np.nan)
        self._count = np.zeros((2, len(keys)), dtype=np.int64)
        self._stamp = np.full((2, len(keys)), np.nan)
        self._heard_ns = np.zeros((2, len(keys)), dtype=np.int64)
        self._usual = np.full((2, len(keys)), np.nan)
        if kept:
            to, of = np.array(kept, dtype=np.intp).T
            now = self._seen, self._count, self._stamp, self._heard_ns, self._usual
            for array, was in zip(now, before, strict=True):
                array[..., to] = was[..., of]

    def note(self, what: int, depth: Floats, stamp: Floats, now_ns: int) -> None:
        """All legs show so much now. NaN is not noted, nor what has the stamp of the last look.

        A leg that was heard of is as old as now, whether its book moved or not.
        """
        seen, count, heard_ns = self._seen[what], self._count[what], self._heard_ns[what]
        known = np.flatnonzero(np.isfinite(depth))
        seen[:, known[now_ns - heard_ns[known] > BOOK_KEPT_NS]] = np.nan
        heard_ns[known] = now_ns
        legs = known[stamp[known] != self._stamp[what, known]]
        if len(legs):
            seen[count[legs] % LOOKS[what], legs] = depth[legs]
            count[legs] += 1
            self._stamp[what, legs] = stamp[legs]
            self._usual[what, legs] = _middle(seen[: LOOKS[what], legs])

    def usual(self, what: int) -> Floats:
        """The median of what was noted last, by place; NaN where nothing was."""
        usual: Floats = self._usual[what]
        return usual

    def of(self, what: int, key: str, now_ns: int) -> float:
        """The same of one leg; NaN where it is too old to say anything."""
        place = self._place.get(key, -1)
        if place < 0 or now_ns - int(self._heard_ns[what, place]) > BOOK_KEPT_NS:
            return float("nan")
        return float(self._usual[what, place])


_OF: "WeakKeyDictionary[Universe, Steady]" = WeakKeyDictionary()


def steady_of(universe: "Universe") -> Steady:
    """The one memory of a universe's depths: what capacities and weights read alike."""
    found = _OF.get(universe)
    if found is None:
        found = _OF[universe] = Steady()
    return found


def _middle(columns: Floats) -> Floats:
    # the median down each column without its NaN; an even count has the mean of the middle two
    ordered = np.sort(columns, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    each = np.arange(ordered.shape[1])
    middle: Floats = (ordered[(count - 1) // 2, each] + ordered[count // 2, each]) / 2
    return middle
