"""Cells of a ring by the numbers of what was written there, and curves out of buckets."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_RAW_MAX = 1_024  # rows reduced directly rather than through the pyramid


def ring(rows: int, size: int) -> Array:
    """Shape (rows, size), one sample's values side by side in memory.

    The system gives memory page by page as samples arrive, never more than the whole; side by side
    a backfill touches few pages instead of some in every column of every level.
    """
    return np.empty((size, rows)).T


def slices(cells: Array, first: int, end: int) -> Array:
    """Items [first, end) of a ring along its last axis: a view, or a copy where they wrap."""
    size = cells.shape[-1]
    at = first % size
    if at + end - first <= size:
        return cells[..., at : at + end - first]
    return np.concatenate([cells[..., at:], cells[..., : at + end - first - size]], axis=-1)


def put(cells: Array, first: int, items: Array) -> None:
    """Write items from number `first` on; no more of them than there are cells."""
    size = cells.shape[-1]
    at = first % size
    fits = min(items.shape[-1], size - at)
    cells[..., at : at + fits] = items[..., :fits]
    cells[..., : items.shape[-1] - fits] = items[..., fits:]


def newest_at(clock: Array, first: int, end: int, times: Array) -> npt.NDArray[np.int64]:
    """For each time the number of the newest item not after it, one less than `first` if none.

    clock: a ring of the times of items [first, end).
    """
    size = len(clock)
    wrap = max(first, end - end % size)
    newer = clock[wrap % size : wrap % size + end - wrap]
    rows: npt.NDArray[np.int64] = wrap + newer.searchsorted(times, "right") - 1
    older = clock[first % size : first % size + wrap - first]
    before = rows < wrap
    rows[before] = first + older.searchsorted(times[before], "right") - 1
    return rows


def place(clock: Array, first: int, end: int, t_s: float, after: bool) -> int:
    """Number of the first item at or after a time, or only after it; `end` if none.

    clock: a ring of the times of items [first, end).
    """
    size = len(clock)
    wrap = end - end % size  # the item at the ring's cell 0
    if first < wrap < end:
        start = clock[0]
        if t_s < start or (t_s == start and not after):
            end = wrap
        else:
            first = wrap
    times = clock[first % size : first % size + end - first]
    return first + int(times.searchsorted(t_s, "right" if after else "left"))


def extent(
    lows: Sequence[Array], highs: Sequence[Array], c: int, first: int, end: int
) -> tuple[float, float]:
    """Exact (minimum, maximum) of column c over rows [first, end): few raw rows at both ends.

    lows, highs: the levels of a pyramid, of which an item of level k stands for 4**k rows.
    """
    low: list[float] = []
    high: list[float] = []
    todo = [(first, end)]
    while todo:
        a, b = todo.pop()
        k = min(len(lows) - 1, max(0, ((b - a).bit_length() - 8) // 2))
        if b - a <= _RAW_MAX or not k:
            left, right, k = a, b, 0
        else:
            left, right = -(-a >> 2 * k) << 2 * k, b >> 2 * k << 2 * k
            todo += [(x, y) for x, y in ((a, left), (right, b)) if x < y]
        span = (left >> 2 * k, right >> 2 * k)
        low.append(np.fmin.reduce(slices(lows[k][c], *span)))
        high.append(np.fmax.reduce(slices(highs[k][c], *span)))
    return float(np.fmin.reduce(low)), float(np.fmax.reduce(high))


def runs(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, bool]]:
    """(first, after the last, the flag) of each stretch of equal flags, in order."""
    edges = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist(), len(flags)]
    for a, b in pairwise(edges):
        if a < b:
            yield a, b, bool(flags[a])


def zigzag(spans: Array) -> tuple[Array, Array]:
    """Spans (first time, last time, min, max), shape (4, n), as two points each: x and y.

    Rising where the neighbours' middles rise.
    """
    lo, hi = spans[2], spans[3]
    middle = np.concatenate([lo[:1] + hi[:1], lo + hi, lo[-1:] + hi[-1:]])
    rises = middle[2:] >= middle[:-2]
    x = spans[:2].T.ravel()
    y = np.empty(len(x))
    y[0::2] = np.where(rises, lo, hi)
    y[1::2] = np.where(rises, hi, lo)
    return x, y
