"""Cells of a ring by the numbers of what was written there, and curves out of buckets."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


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
