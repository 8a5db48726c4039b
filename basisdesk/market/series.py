"""Ring buffers with a min/max pyramid: what charts read, at a cost set by pixels, not by history.

A `Series` holds the last `capacity` rows of (time, columns...). Rows are counted from the first
push for ever; row k lives at k modulo the ring's size. Above the rows stand levels of buckets: a
bucket of level k is the minimum and the maximum of 4**k rows whose numbers start at a multiple of
4**k, so a bucket never changes once it is full and a scrolling curve does not shimmer. Time is a
column like the others, and since it never runs backwards its minimum is the bucket's first time and
its maximum the last.

A row may itself stand for a span of samples that are kept no longer: then level 0 has buckets too.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from basisdesk.market.rings import Array, extent, newest_at, place, put, ring, runs, slices, zigzag

GAPS_MAX = 512  # gap rows remembered for far zooms; older ones still break the curve close up
_TOP_BUCKETS = 16  # the highest level has at least so many, so the ring is padded by 1/16 at most
_WIDE_PX = 3.0  # a wider bucket is taken apart; rows of one rhythm make buckets below 2
_FEW = 64  # rows of wide buckets that are told one by one at once
_CHUNK = 65_536  # rows of one bulk write


class Series:
    """The last `capacity` rows of some columns over one time axis (seconds, float64).

    rebuilt: how often rows were numbered anew; until then row k stays row k.
    A NaN is "no value here". A row pushed by `push_gap` is NaN in every column and means that the
    curve must not be joined across it, at any zoom. Memory is allocated once, at construction.
    spans: each row is the last sample of a span of them, of which the minimum and the maximum are
    kept too; its time is the last one's. Such rows come by `push_span` and `extend_spans`.
    """

    def __init__(self, columns: Sequence[str], capacity: int, spans: bool = False) -> None:
        if capacity < 1 or not columns or len(set(columns)) != len(columns):
            raise ValueError(f"capacity={capacity}, columns={tuple(columns)}")
        self.columns = tuple(columns)
        self.capacity = capacity
        self.spans = spans
        self._column = {name: i + 1 for i, name in enumerate(self.columns)}
        depth = 0
        while capacity >= _TOP_BUCKETS << 2 * (depth + 1):
            depth += 1
        step = 1 << 2 * depth
        size = -(-capacity // step) * step  # whole buckets of every level: none wraps round
        rows = 1 + len(self.columns)
        self._data = ring(rows, size)
        above = range(0 if spans else 1, depth + 1)
        below = [] if spans else [self._data]
        self._lo = [*below, *(ring(rows, size >> 2 * k) for k in above)]
        self._hi = [*below, *(ring(rows, size >> 2 * k) for k in above)]
        self._times = np.empty(size)  # the time column once more, side by side, to be searched
        self._n = 0  # rows ever pushed
        self._t_last = -np.inf
        self._gaps: list[int] = []  # row numbers, ascending
        self.rebuilt = 0  # times that the rows before were forgotten or numbered anew

    # --- writing ---------------------------------------------------------------------------------

    def push(self, t_s: float, values: Sequence[float]) -> None:
        """Append one row. A time before the last one is taken as the last: time never runs back."""
        n = self._n
        data = self._data
        at = n % data.shape[1]
        if t_s < self._t_last:
            t_s = self._t_last
        data[0, at] = self._times[at] = self._t_last = t_s
        data[1:, at] = values
        self._n = n = n + 1
        if not n & 3:
            self._carry(n)

    def push_gap(self, t_s: float) -> None:
        """Append a row that breaks every curve: from here on nothing was heard."""
        self._gaps.append(self._n)
        self._trim_gaps()
        self.push(t_s, (np.nan,) * len(self.columns))

    def extend(self, rows: npt.ArrayLike) -> None:
        """Append many rows at once. rows: shape (n, 1 + columns), time first, times not falling.

        A row that is NaN in every column is a gap row.
        """
        block = np.asarray(rows, dtype=np.float64)
        if block.size == 0:
            return
        if block.ndim != 2 or block.shape[1] != self._data.shape[0]:
            raise ValueError(f"rows of shape {block.shape}, expected (n, {self._data.shape[0]})")
        times = np.maximum(np.maximum.accumulate(block[:, 0]), self._t_last)
        gaps = np.flatnonzero(np.isnan(block[:, 1:]).all(axis=1))
        self._gaps.extend((gaps + self._n).tolist())
        chunk = min(_CHUNK, self._data.shape[1])
        for start in range(0, len(block), chunk):
            part = block[start : start + chunk].T.copy()
            part[0] = times[start : start + chunk]
            self._append(part)
        self._t_last = float(times[-1])
        self._trim_gaps()

    def push_span(self, rows: Array, number: float, gap: bool) -> None:
        """Append one row that stands for these samples, of all columns but the last.

        rows: shape (columns, n), time first. number: for the last column. gap: it is a gap row.
        """
        if gap:
            self._gaps.append(self._n)
            self._trim_gaps()
        at = self._n % self._data.shape[1]
        low, high = self._lo[0], self._hi[0]
        self._data[:-1, at] = rows[:, -1]
        np.fmin.reduce(rows, axis=1, out=low[:-1, at])
        np.fmax.reduce(rows, axis=1, out=high[:-1, at])
        self._data[-1, at] = low[-1, at] = high[-1, at] = number
        self._times[at] = self._t_last = float(rows[0, -1])
        self._n = n = self._n + 1
        if not n & 3:
            self._carry(n)

    def extend_spans(self, part: Array, gaps: Sequence[int]) -> None:
        """Append rows that stand for spans, times not falling.

        part: shape (3 * (1 + columns), n): the last samples, the minima, the maxima. gaps: which of
        the n rows are gap rows.
        """
        self._gaps.extend(self._n + gap for gap in gaps)
        size = self._data.shape[1]
        for start in range(0, part.shape[1], size):
            self._append(part[:, start : start + size])
        self._t_last = float(part[0, -1])
        self._trim_gaps()

    def replace_front(self, drop: int, rows: npt.ArrayLike) -> None:
        """Put older rows before all others, in place of the first `drop` rows ever pushed.

        Rebuilds the ring: for backfill, which comes once or a few times a session. Rows beyond the
        capacity fall out at the old end. Cost grows with the rows held (864,000 rows: some 0.1 s).
        """
        first = max(self.first, drop)
        kept = slices(self._data, first, self._n).T.copy() if self._n > first else None
        self.clear()
        self.extend(rows)
        if kept is not None:
            self.extend(kept)

    def clear(self) -> None:
        """Forget all rows. The memory stays."""
        self.rebuilt += 1
        self._n = 0
        self._t_last = -np.inf
        self._gaps.clear()

    # --- copying ---------------------------------------------------------------------------------

    def rows_from(self, row: int) -> tuple[int, Array]:
        """(number of the first row, rows) of what is held from this row on; rows are a copy.

        rows: shape (1 + columns, n), time first, or as `extend_spans` takes them. With `gaps` all
        that `of_rows` needs.
        """
        first = max(row, self.first)
        return first, np.concatenate([slices(each, first, self._n) for each in self._bases()])

    @property
    def shape(self) -> tuple[Sequence[str], int, bool]:
        """What a series like this one is made of: columns, capacity, spans."""
        return self.columns, self.capacity, self.spans

    @property
    def gaps(self) -> tuple[int, ...]:
        """Numbers of the gap rows remembered."""
        return tuple(self._gaps)

    @classmethod
    def of_rows(
        cls,
        shape: tuple[Sequence[str], int, bool],
        first: int,
        parts: Sequence[Array],
        gaps: list[int],
    ) -> "Series":
        """A series that reads as the one that these rows were taken from.

        shape: as of `shape`. first: number of the first row. parts: as of `rows_from`, each going
        on where the one before ended.
        """
        series = cls(*shape)
        series._n = first
        size = series._data.shape[1]
        for part in parts:
            for start in range(0, part.shape[1], size):
                series._append(part[:, start : start + size])
            if part.shape[1]:
                series._t_last = float(part[0, -1])
        series._gaps = gaps
        return series

    # --- reading ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return min(self._n, self.capacity)

    @property
    def pushed(self) -> int:
        """Rows ever pushed, gap rows and fallen-out rows included."""
        return self._n

    @property
    def first(self) -> int:
        """Number of the oldest row held."""
        return max(0, self._n - self.capacity)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays. Constant from construction on."""
        levels = [*self._bases(), *self._lo[1:], *self._hi[1:]]
        return self._times.nbytes + sum(level.nbytes for level in levels)

    @property
    def touched(self) -> int:
        """Bytes that rows have been written to: the system gives memory as it is written."""
        size = self._data.shape[1]
        return int(self.nbytes * min(self._n, size) // size)

    @property
    def t_first(self) -> float:
        """Time of the oldest row (of a span: its first), NaN when there is none."""
        return float(self._lo[0][0, self.first % self._data.shape[1]]) if self._n else np.nan

    @property
    def t_last(self) -> float:
        """Time of the newest row, NaN when there is none."""
        return self._t_last if self._n else np.nan

    @property
    def ends_in_gap(self) -> bool:
        """The newest row is a gap row."""
        return bool(self._gaps) and self._gaps[-1] == self._n - 1

    def last(self, column: str) -> float:
        """The newest value of a column, NaN when there is none."""
        if not self._n:
            return np.nan
        return float(self._data[self._column[column], (self._n - 1) % self._data.shape[1]])

    def at(self, t_s: float) -> dict[str, float] | None:
        """What stood at this time: the newest row not after it, with its own time under "t".

        None before the first row and inside a gap.
        """
        row = self._find(t_s, after=True) - 1
        if row < self.first or self._is_gap(row):
            return None
        cells = self._data[:, row % self._data.shape[1]].tolist()
        return dict(zip(("t", *self.columns), cells, strict=True))

    def many(self, column: str, times: Array) -> tuple[Array, Array]:
        """What `at` says at each of these times: (its own time, the value); NaN for both in None.

        One search for all: 241 times of a full day take some 30 us.
        """
        rows = newest_at(self._times, self.first, self._n, times)
        known = rows >= self.first
        if self._gaps:
            known &= ~np.isin(rows, self._gaps)
        cells = self._data[:, np.where(known, rows, 0) % self._data.shape[1]]
        nothing = np.full(len(rows), np.nan)
        return (
            np.where(known, cells[0], nothing),
            np.where(known, cells[self._column[column]], nothing),
        )

    def window(self, t0_s: float, t1_s: float) -> tuple[Array, dict[str, Array]]:
        """Every row with t0 <= time <= t1, as copies: times and one array a column."""
        rows = self.rows(self._find(t0_s), self._find(t1_s, after=True)).copy()
        return rows[0], {name: rows[i] for name, i in self._column.items()}

    def rows(self, first: int, end: int) -> Array:
        """Rows [first, end), shape (1 + columns, n), time first: no copy unless they wrap round."""
        return slices(self._data, first, end)

    def time_of(self, row: int) -> float:
        """Time of a row that is held."""
        return float(self._data[0, row % self._data.shape[1]])

    def rows_in(self, t0_s: float, t1_s: float) -> tuple[int, int]:
        """(number of the first row, number after the last one) of t0 <= time <= t1.

        Of spans all that reach into it.
        """
        first, end = self._find(t0_s), self._find(t1_s, after=True)
        if self.spans and end < self._n and self._lo[0][0, end % self._data.shape[1]] <= t1_s:
            end += 1
        return first, max(first, end)

    def bounds(self, column: str, t0_s: float, t1_s: float) -> tuple[float, float]:
        """Exact (minimum, maximum) of a column over t0 <= time <= t1; NaN where it has no value."""
        return self.extremes(column, *self.rows_in(t0_s, t1_s))

    def extremes(self, column: str, first: int, end: int) -> tuple[float, float]:
        """(minimum, maximum) of a column over rows [first, end); NaN where it has no value."""
        if end <= first:
            return np.nan, np.nan
        return extent(self._lo, self._hi, self._column[column], first, end)

    def envelope(
        self, column: str, t0_s: float, t1_s: float, pixels: int, stride: int = 1
    ) -> tuple[Array, Array]:
        """A curve of at most some 4 points a pixel that shows every spike of the window.

        Returns x (seconds, not falling) and y of equal length. Up to 4 rows a pixel come as they
        are. More come as buckets, each as its first and last time with its minimum and maximum in
        the order of the trend around it; the newest row is always a point of its own. One row
        beyond either end is included where it exists, so that the curve runs off the edges.
        Where rows are rarer (minutes before tenths of a second) buckets are smaller, so that none
        is wide to the eye. stride: so many pixels share those points; outages are told as before.
        NaN in y: draw with connect="finite" and the curve is broken there. Between buckets an
        outage narrower than a pixel does not break it.
        Minimum and maximum of y over finite points are exactly those of the rows shown, and x is
        the same for every column.
        """
        first, end = self.rows_in(t0_s, t1_s)
        return self.curve(column, max(self.first, first - 1), min(self._n, end + 1), pixels, stride)

    def curve(
        self, column: str, first: int, end: int, pixels: int, stride: int = 1
    ) -> tuple[Array, Array]:
        """`envelope` of rows [first, end)."""
        c = self._column[column]
        columns = max(pixels // stride, 4)
        rows = end - first
        if rows <= 0 or (not self.spans and (rows <= 4 * columns or len(self._lo) == 1)):
            found = self.rows(first, end)
            return found[0].copy(), found[c].copy()
        level = 0 if self.spans else 1
        while rows > 2 * columns << 2 * level and level < len(self._lo) - 1:
            level += 1
        span_s = self.time_of(end - 1) - self.time_of(first)
        seen = span_s / max(pixels, 4), _WIDE_PX * span_s / columns
        return zigzag(np.concatenate(list(self._spans(c, first, end, level, seen)), axis=1))

    # --- inside ----------------------------------------------------------------------------------

    def _bases(self) -> list[Array]:
        return [self._data, self._lo[0], self._hi[0]] if self.spans else [self._data]

    def _carry(self, n: int) -> None:
        # the row just written fills a bucket of level 1, and maybe of the levels above
        for k in range(1, len(self._lo)):
            if n & ((1 << 2 * k) - 1):
                return
            at = ((n >> 2 * k) - 1) % self._lo[k].shape[1]
            four = slice(4 * at, 4 * at + 4)
            np.fmin.reduce(self._lo[k - 1][:, four], axis=1, out=self._lo[k][:, at])
            np.fmax.reduce(self._hi[k - 1][:, four], axis=1, out=self._hi[k][:, at])

    def _append(self, part: Array) -> None:
        # part: shape (1 + columns, n), n no more than the ring; full buckets are built level by
        # level from the ones below
        start, end = self._n, self._n + part.shape[1]
        rows = self._data.shape[0]
        for at, base in enumerate(self._bases()):
            put(base, start, part[at * rows : (at + 1) * rows])
        put(self._times, start, part[0])
        self._n = end
        for k in range(1, len(self._lo)):
            a, b = start >> 2 * k, end >> 2 * k
            if a == b:
                return
            for levels, pick in ((self._lo, np.fmin), (self._hi, np.fmax)):
                below = slices(levels[k - 1], 4 * a, 4 * b)
                halves = pick(below[:, 0::2], below[:, 1::2])
                put(levels[k], a, pick(halves[:, 0::2], halves[:, 1::2]))

    def _trim_gaps(self) -> None:
        keep = max(bisect_left(self._gaps, self.first), len(self._gaps) - GAPS_MAX)
        if keep > 0:
            del self._gaps[:keep]

    def _is_gap(self, row: int) -> bool:
        at = bisect_left(self._gaps, row)
        return at < len(self._gaps) and self._gaps[at] == row

    def _find(self, t_s: float, after: bool = False) -> int:
        # row number of the first row at or after a time, or only after it
        return place(self._times, self.first, self._n, t_s, after)

    def _spans(
        self, c: int, first: int, end: int, k: int, seen: tuple[float, float]
    ) -> Iterator[Array]:
        # (first time, last time, min, max) of every bucket, shape (4, n). Buckets cut by the
        # window, torn by a gap or not yet full are taken apart; the newest row stands alone.
        # seen: seconds from which on an outage, and a bucket, is wide
        head, tail = -(-first >> 2 * k) << 2 * k, (end - 1) >> 2 * k << 2 * k
        if head > tail:  # less than a bucket, in two of them
            yield from self._pieces(c, first, end, k, seen)
            return
        torn = sorted({gap >> 2 * k for gap in self._gaps_in(head, tail, seen[0])})
        edges = [(bucket << 2 * k, (bucket + 1) << 2 * k) for bucket in torn]
        lo, hi = self._lo[k], self._hi[k]
        at = first
        for a, b in [(first, head), *edges, (tail, end - 1), (end - 1, end)]:
            if at < a:
                full = (at >> 2 * k, a >> 2 * k)
                part = np.array([slices(row, *full) for row in (lo[0], hi[0], lo[c], hi[c])])
                for x, y, wide in runs((part[1] - part[0] > seen[1]) & (k > 0)):
                    if wide:
                        rows = at + (x << 2 * k), at + (y << 2 * k)
                        yield from self._spans(c, *rows, _finer(*rows, k), seen)
                    else:
                        yield part[:, x:y]
            yield from self._pieces(c, a, b, k, seen)
            at = b

    def _pieces(
        self, c: int, first: int, end: int, k: int, seen: tuple[float, float]
    ) -> Iterator[Array]:
        # rows that make no whole bucket of this level, between gaps
        at = first
        for gap in [*self._gaps_in(first, end, seen[0]), end]:
            if at < gap:
                t0_s, t1_s = self.time_of(at), self.time_of(gap - 1)
                if k and t1_s - t0_s > seen[1]:
                    yield from self._spans(c, at, gap, _finer(at, gap, k), seen)
                else:
                    yield np.array(
                        [[t0_s], [t1_s], *([y] for y in extent(self._lo, self._hi, c, at, gap))]
                    )
            if gap < end:
                yield np.array([[self.time_of(gap)]] * 2 + [[np.nan]] * 2)
            at = gap + 1

    def _gaps_in(self, first: int, end: int, pixel_s: float) -> list[int]:
        # gap rows whose outage is at least a pixel wide, or still lasts
        gaps = self._gaps[bisect_left(self._gaps, first) : bisect_left(self._gaps, end)]
        return [gap for gap in gaps if self._outage_s(gap) >= pixel_s]

    def _outage_s(self, gap: int) -> float:
        if gap == self._n - 1:
            return np.inf
        return self.time_of(gap + 1) - self.time_of(max(gap - 1, self.first))


def _finer(first: int, end: int, k: int) -> int:
    # the level to look at in place of k
    return k - 1 if end - first > _FEW else 0
