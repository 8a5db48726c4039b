"""A day of a pair in little memory: the last hours as sampled, the rest of the day in steps.

Rows go into a fine `Series` as they come. Each step of STEP_S seconds that is over becomes one row
of a second series, the day: the last sample of (start, end] with its own time, beside the minimum
and the maximum of all, so that no spike of the day is lost when its samples are. A step ends with
its last instant, so what `at` says of a whole minute is the same row from both.

Whatever lies within the fine rows is read from them alone. What reaches further back is read from
the steps up to the one that holds the oldest fine row, and from the fine rows after that step.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from basisdesk.market.rings import Array
from basisdesk.market.series import Series

STEP_S = 2.0  # a minute is whole steps
FINE_ROWS = 73_728  # rows as sampled: two hours at 10 a second, and a little
DAY_ROWS = 44_032  # steps: 24 h and a little, for gaps and the candles before
OPEN_MAX = 1_024  # samples of one step; a clock that stands still ends it so
_CHUNK = 65_536  # rows thinned at once
_END = "end"  # of the day's rows: number of the fine row after the step's last


class DaySeries:
    """A day of some columns over one time axis (seconds, float64); reads as a `Series` does.

    Older than the fine rows it knows one row in STEP_S: the last one of each step. `bounds` and
    `envelope` know the extremes of every row even there, each step as a whole.
    """

    def __init__(
        self, columns: Sequence[str], fine_rows: int = FINE_ROWS, day_rows: int = DAY_ROWS
    ) -> None:
        self.columns = tuple(columns)
        self._fine = Series(self.columns, fine_rows)
        self._day = Series((*self.columns, _END), day_rows, spans=True)
        self._open_max = min(OPEN_MAX, fine_rows)
        self._shift = 0  # what candles laid before fine rows that fell out add to their numbers
        self._begin = 0  # number of the fine row that begins the open step
        self._edge_s = -math.inf  # the open step's end
        self._open = 0  # its rows
        self._seam_when = (-1, -1, -1)
        self._seam_kept = (0, 0)

    # --- writing ---------------------------------------------------------------------------------

    def push(self, t_s: float, values: Sequence[float]) -> None:
        """Append one row. A time before the last one is taken as the last: time never runs back."""
        self._open += 1
        if t_s > self._edge_s or self._open > self._open_max:
            self._close()
            self._open = 1
            self._edge_s = STEP_S * math.ceil(max(t_s, self._fine.t_last) / STEP_S)
        self._fine.push(t_s, values)

    def push_gap(self, t_s: float) -> None:
        """Append a row that breaks every curve: from here on nothing was heard."""
        self._close()
        self._fine.push_gap(t_s)
        self._close(gap=True)

    def extend(self, rows: npt.ArrayLike) -> None:
        """Append many rows at once. rows: shape (n, 1 + columns), time first, times not falling.

        A row that is NaN in every column is a gap row.
        """
        block = np.asarray(rows, dtype=np.float64)
        for start in range(0, len(block), _CHUNK):
            self._take(block[start : start + _CHUNK])

    def replace_front(self, drop: int, rows: npt.ArrayLike) -> None:
        """Put older rows before all others, in place of the first `drop` rows ever pushed.

        For backfill, which comes once or a few times a session. Once fine rows have fallen out,
        the older ones are known by their steps only.
        """
        block = np.asarray(rows, dtype=np.float64)
        fine, day, shift = self._fine, self._day, self._shift
        if drop - shift >= fine.first:  # all that stays is in the fine rows
            kept = fine.rows(min(drop - shift, fine.pushed), fine.pushed).T.copy()
            self.clear()
            self.extend(block)
            self.extend(kept)
            return
        _, steps = day.rows_from(self._step_of(drop - shift))
        gone = day.pushed - steps.shape[1]
        gaps = [gap - gone for gap in day.gaps if gap >= gone]
        day.clear()
        if len(block):
            day.extend_spans(*_steps(block, drop - shift - len(block)))
        if steps.shape[1]:
            day.extend_spans(steps, gaps)
        self._shift += len(block) - drop

    def clear(self) -> None:
        """Forget all rows. The memory stays."""
        self._fine.clear()
        self._day.clear()
        self._shift = self._begin = self._open = 0
        self._edge_s = -math.inf

    # --- reading ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Rows that can be read, steps counted as one."""
        if not self._fine.first:
            return len(self._fine)
        day_end, fine_first = self._seam()
        return day_end - self._day.first + self._fine.pushed - fine_first

    @property
    def pushed(self) -> int:
        """Rows ever pushed, gap rows and fallen-out rows included."""
        return self._fine.pushed + self._shift

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays. Constant from construction on."""
        return self._fine.nbytes + self._day.nbytes

    @property
    def touched(self) -> int:
        """Bytes that rows have been written to so far."""
        return self._fine.touched + self._day.touched

    @property
    def t_first(self) -> float:
        """Time of the oldest row, NaN when there is none."""
        return self._day.t_first if self._fine.first else self._fine.t_first

    @property
    def t_last(self) -> float:
        """Time of the newest row, NaN when there is none."""
        return self._fine.t_last

    @property
    def fine_from_s(self) -> float:
        """Time from which on every row is as it was sampled; -inf where all are."""
        return self._fine.t_first if self._fine.first else -math.inf

    @property
    def ends_in_gap(self) -> bool:
        """The newest row is a gap row."""
        return self._fine.ends_in_gap

    def last(self, column: str) -> float:
        """The newest value of a column, NaN when there is none."""
        return self._fine.last(column)

    def at(self, t_s: float) -> dict[str, float] | None:
        """What stood at this time: the newest row held and not after it, its own time under "t".

        None before the first row and inside a gap.
        """
        if t_s >= self.fine_from_s:
            return self._fine.at(t_s)
        row = self._day.at(t_s)
        if row is not None:
            del row[_END]
        return row

    def many(self, column: str, times: Array) -> tuple[Array, Array]:
        """What `at` says at each of these times: (its own time, the value), or NaN for both."""
        found = self._fine.many(column, times)
        older = times < self.fine_from_s
        if older.any():
            for mine, theirs in zip(found, self._day.many(column, times[older]), strict=True):
                mine[older] = theirs
        return found

    def window(self, t0_s: float, t1_s: float) -> tuple[Array, dict[str, Array]]:
        """Every row held with t0 <= time <= t1, as copies: times and one array a column."""
        if self._is_fine(t0_s):
            return self._fine.window(t0_s, t1_s)
        day_end, fine_first = self._seam()
        first, end = self._day.rows_in(t0_s, t1_s)
        if end > first and self._day.time_of(end - 1) > t1_s:
            end -= 1  # its last sample, which stands for it, is later
        end = min(end, day_end)
        old = self._day.rows(first, max(first, end))[:-1]
        first, end = self._fine.rows_in(t0_s, t1_s)
        first = max(first, fine_first)
        rows = np.concatenate([old, self._fine.rows(first, max(first, end))], axis=1)
        return rows[0], dict(zip(self.columns, rows[1:], strict=True))

    def bounds(self, column: str, t0_s: float, t1_s: float) -> tuple[float, float]:
        """(minimum, maximum) of a column over t0 <= time <= t1; NaN where it has no value.

        Of every row pushed in that time, and of the whole step at an end that is older than the
        fine rows.
        """
        if self._is_fine(t0_s):
            return self._fine.bounds(column, t0_s, t1_s)
        day_end, fine_first = self._seam()
        first, end = self._day.rows_in(t0_s, t1_s)
        old = self._day.extremes(column, first, min(end, day_end))
        first, end = self._fine.rows_in(t0_s, t1_s)
        new = self._fine.extremes(column, max(first, fine_first), end)
        return float(np.fmin(old[0], new[0])), float(np.fmax(old[1], new[1]))

    def envelope(
        self, column: str, t0_s: float, t1_s: float, pixels: int, stride: int = 1
    ) -> tuple[Array, Array]:
        """A curve of at most some 4 points a pixel that shows every spike, as `Series.envelope`.

        A step is its first and last time with its minimum and maximum, at any zoom.
        """
        fine, day = self._fine, self._day
        if self._is_fine(t0_s):
            return fine.envelope(column, t0_s, t1_s, pixels, stride)
        day_end, fine_first = self._seam()
        a, b = day.rows_in(t0_s, t1_s)
        a, b = max(day.first, a - 1), min(day_end, b + 1)
        c, d = fine.rows_in(t0_s, t1_s)
        c, d = max(fine_first, c - 1), min(fine.pushed, d + 1)
        if c >= d:
            return day.curve(column, a, b, pixels, stride)
        if a >= b:
            return fine.curve(column, c, d, pixels, stride)
        since_s, seam_s = day.time_of(a), day.time_of(b - 1)
        share = (seam_s - since_s) / max(fine.time_of(d - 1) - since_s, STEP_S)
        left = round(pixels * min(share, 1.0))
        old = day.curve(column, a, b, left, stride)
        new = fine.curve(column, c, d, pixels - left, stride)
        x, y = (np.concatenate(both) for both in zip(old, new, strict=True))
        return x, y

    # --- inside ----------------------------------------------------------------------------------

    def _is_fine(self, t0_s: float) -> bool:
        # whether all from here on, and the row before it, is in the fine rows
        return not self._fine.first or t0_s > self._fine.t_first

    def _close(self, gap: bool = False) -> None:
        # the open step is over, and none is open
        first, end = self._begin, self._fine.pushed
        if first < end:
            self._day.push_span(self._fine.rows(first, end), end, gap)
        self._begin, self._edge_s, self._open = end, -math.inf, 0

    def _take(self, block: Array) -> None:
        # rows in bulk: all steps but the last one are over
        fine = self._fine
        begin, floor_s = self._begin, fine.t_last if fine.pushed else -math.inf
        before = fine.rows(begin, fine.pushed).T.copy()
        fine.extend(block)
        rows = np.concatenate([before, block])
        rows[0, 0] = max(rows[0, 0], floor_s) if not len(before) else rows[0, 0]
        rows[:, 0] = np.maximum.accumulate(rows[:, 0])
        last = int(_starts(rows)[-1])
        gap = bool(np.isnan(rows[-1, 1:]).all())
        over = gap or len(rows) - last > self._open_max
        done = rows if over else rows[:last]
        if len(done):
            self._day.extend_spans(*_steps(done, begin))
        self._begin = begin + len(done)
        self._open = len(rows) - len(done)
        self._edge_s = -math.inf if over else STEP_S * math.ceil(rows[-1, 0] / STEP_S)

    def _step_of(self, row: int) -> int:
        # number of the day's row whose step holds this fine row
        day = self._day
        return bisect_right(range(day.pushed), row, lo=day.first, key=self._end_of)

    def _end_of(self, step: int) -> int:
        return int(self._day.rows(step, step + 1)[-1, 0])

    def _seam(self) -> tuple[int, int]:
        # (number after the last step to be read, number of the first fine row to be read)
        now = self._fine.pushed, self._day.pushed, self._day.rebuilt
        if self._seam_when != now:  # one picture asks a dozen times
            self._seam_when = now
            step, first = self._step_of(self._fine.first), self._fine.first
            self._seam_kept = step, max(self._begin, first)
            if step < self._day.pushed:
                self._seam_kept = step + 1, self._end_of(step)
        return self._seam_kept


def _starts(rows: Array) -> npt.NDArray[np.int64]:
    """Numbers of the rows (n, columns) that begin a step; none holds both samples and gaps."""
    step = np.ceil(rows[:, 0] / STEP_S)
    gap = np.logical_and.reduce(np.isnan(rows[:, 1:]), axis=1)
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (step[1:] != step[:-1]) | (gap[1:] != gap[:-1])
    return np.flatnonzero(new)


def _steps(rows: Array, begin: int) -> tuple[Array, list[int]]:
    """Rows as `Series.extend_spans` takes them, and which steps are gaps.

    rows: (n, 1 + columns). begin: number of the first as a fine row.
    """
    starts = _starts(rows)
    ends = np.append(starts[1:], len(rows))
    low, high = np.fmin.reduceat(rows, starts), np.fmax.reduceat(rows, starts)
    last = rows[ends - 1]
    number = (begin + ends).astype(np.float64)
    part = np.concatenate([np.column_stack([each, number]) for each in (last, low, high)], axis=1)
    gaps = np.flatnonzero(np.isnan(last[:, 1:]).all(axis=1))
    return part.T, gaps.tolist()
