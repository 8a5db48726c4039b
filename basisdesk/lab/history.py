"""Our own past on disk: settled funding and minute prices of the watched universe.

One file a month for funding, one a UTC day for minutes, so that what is too old goes as a whole
file and nothing is ever rewritten: settled rates are few and kept for months, minutes are many and
kept for days. A row belongs to the file of its own time, also when it was learnt later.

A disk that is full, read-only or gone stops nothing: the rows wait in memory, as many as fit in
HELD_ROWS_MAX, `problem` says it in words, and the next append tries again. What is lost at last
can be asked of the venue again.

One store at a time writes a folder: two desks on one market would write over each other's blocks,
and the second would bring nothing that the first does not have.
"""

import re
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from basisdesk.lab.history_file import NAME_BYTES_MAX, HistoryFile, Refused, Rows
from basisdesk.ledger.lock import FileLock
from basisdesk.market.past import MINUTE_MS, Floats, Fresh, Ints, Logs, Minutes, Past, Settled

DAY_MIN = 1_440
DAY_S = 86_400.0
LOCK = "history.lock"  # in the folder; only the lock on it counts
HELD_ROWS_MAX = 1_000_000  # rows that wait for the disk; some 16 MB
FILES_OPEN_MAX = 40  # files whose ends are remembered
FUNDING, MINUTES = "funding", "minutes"

_VALUE = {FUNDING: "<f8", MINUTES: "<f4"}
# a lock that another has; on Windows it is a file that we may not touch
_TAKEN = PermissionError if sys.platform == "win32" else BlockingIOError
_NAME = re.compile(r"(funding-(\d{4})-(\d{2})|minutes-(\d{4})-(\d{2})-(\d{2}))\.history")

Span = tuple[str, int]  # kind, first minute of the file


class HistoryStore:
    """Appends what is fresh, gives back what was kept. Safe to be called from one thread at a time.

    Writes from its first `append` to `close` hold the folder; while another store has it this one
    reads only, lets its rows wait, and tries again at each append.

    disk_mb_max: of all files together; the oldest day goes first. funding_days, minute_days: so
    many days of either are kept, in whole files: those beyond are counted from the newest that is
    not later than now.
    lost_bytes, lost_blocks: unfinished ends and damaged blocks that were left out.
    failures: appends that the disk refused. dropped_rows: that could not wait any longer.
    """

    def __init__(
        self, folder: Path, disk_mb_max: float, funding_days: int, minute_days: int
    ) -> None:
        self.folder = folder
        self.disk_mb_max = disk_mb_max
        self.funding_days = funding_days
        self.minute_days = minute_days
        self.failures = 0
        self.dropped_rows = 0
        self.size_mb = 0.0
        self._not_written = ""
        self._not_removed = ""
        self._not_read: dict[Span, str] = {}  # refused by the disk, or damaged in places
        self._refused: dict[Span, str] = {}
        self._files: dict[Span, HistoryFile] = {}
        self._lost_before = (0, 0)  # of files that are remembered no more
        self._held = Fresh({}, {})
        self._covered: dict[str, tuple[int, int]] = {}
        self._written_s = 0.0  # when a file was last written, by the clock of the disk
        self._lock = threading.Lock()
        self._folder_lock: FileLock | None = None
        self._freed: weakref.finalize[..., object] | None = None

    @property
    def problem(self) -> str:
        """Why something could not be written or read, one sentence, "" while all is well.

        What an append could not write stands until one can; what was read badly until it is read
        well, or is gone.
        """
        said = (self._not_written, *self._refused.values(), *self._not_read.values())
        return next((text for text in (*said, self._not_removed) if text), "")

    @property
    def lost_bytes(self) -> int:
        """Bytes of unfinished blocks that were met."""
        return self._lost_before[0] + sum(file.lost_bytes for file in self._files.values())

    @property
    def lost_blocks(self) -> int:
        """Damaged blocks that were met."""
        return self._lost_before[1] + sum(file.lost_blocks for file in self._files.values())

    # --- back from the disk ----------------------------------------------------------------------

    def load(self, past: Past, now_ms: int = 0) -> None:
        """Give a past what the disk kept. now_ms: our clock; what claims to be later is no time."""
        if now_ms:
            past.reach(now_ms // MINUTE_MS - 1)
        past.restore(self.read(past.minutes_kept, now_ms))

    def read(self, minutes_kept: int, now_ms: int = 0) -> Fresh:
        """What the disk kept, oldest first, of the newest value of each row; touches no past.

        minutes_kept: how far back minutes are read. Never raises for what the disk does.
        """
        with self._lock:
            self._not_read.clear()
            self._refused.clear()
            spans = self._spans()
            days = [start for kind, start in spans if kind == MINUTES]
            end = now_ms // MINUTE_MS if now_ms else max(days, default=0) + DAY_MIN
            settled: dict[str, list[Settled]] = {}
            minutes: dict[str, list[Settled]] = {}
            for span in spans:
                kind, start = span
                if kind == FUNDING:
                    _gather(self._rows(span), MINUTE_MS, settled)
                elif end - minutes_kept - DAY_MIN < start <= end:
                    _gather(self._rows(span), 1, minutes)
            self._weigh()
            found = Fresh(
                {key: _newest_of_each(parts) for key, parts in settled.items()},
                {key: _as_logs(parts) for key, parts in minutes.items()},
            )
            self._cover(found)
            return found

    def day(self, day: int) -> dict[str, Minutes]:
        """(minutes, log prices) by leg of one UTC day, in days since 1970; empty without a file."""
        with self._lock:
            minutes: dict[str, list[Settled]] = {}
            _gather(self._rows((MINUTES, day * DAY_MIN)), 1, minutes)
            return {key: _as_logs(parts) for key, parts in minutes.items()}

    def covered(self, key: str) -> tuple[int, int]:
        """(ms of the oldest settlement, oldest minute) that was read or written; 0: none."""
        return self._covered.get(key, (0, 0))

    # --- to the disk -----------------------------------------------------------------------------

    def append(self, fresh: Fresh, now_ms: int = 0) -> bool:
        """Write what is fresh, and what still waits. False, with `problem`, while that fails.

        now_ms: our clock. Files later than it count for nothing, and those that lie more than a day
        ahead are dropped: something told us of times that were none. 0: not known.
        """
        with self._lock:
            self._cover(fresh)
            if self._held.rows + fresh.rows > HELD_ROWS_MAX:
                self.dropped_rows += self._held.rows
                self._held = Fresh({}, {})
            if not self._held.rows:
                waiting = fresh
            else:
                _add(self._held, fresh)
                waiting = self._held
            if not waiting.rows:
                return True
            if not self._hold_folder():
                self._held = waiting
                return False
            self._not_written = ""
            self._held = self._write(waiting)
            if self._held.rows:
                return False
            self._make_room(now_ms)
            return True

    def close(self) -> None:
        """Let another store write the folder. An append after it takes the folder again."""
        with self._lock:
            self._let_go()

    def _write(self, fresh: Fresh) -> Fresh:
        # what could not be written
        left = Fresh({}, {})
        for span, part in _by_span(fresh):
            if span in self._refused:
                self.dropped_rows += part.rows
                continue
            try:
                file = self._file(span)
                file.append(_columns_of(part))
                self._written_s = file.path.stat().st_mtime
                self._note_damage(span, file)
            except Refused as exc:
                self._refused[span] = str(exc)
                self.dropped_rows += part.rows
            except OSError as exc:
                self._cannot_write(exc)
                _add(left, part)
        return left

    def _cannot_write(self, exc: OSError) -> None:
        self.failures += 1
        why = exc.strerror or exc
        self._not_written = (
            f"History cannot be written to {self.folder}: {why}. It waits in memory."
        )

    def _hold_folder(self) -> bool:
        """Whether the folder is ours to write; made where it is not there."""
        path = self.folder / LOCK
        try:
            if self._folder_lock is not None:
                if path.exists():
                    return True
                self._let_go()  # the folder was removed: what we hold is a lock on nothing
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder_lock = FileLock(path)
        except _TAKEN:
            self._not_written = (
                f"Another desk writes the history in {self.folder}: this one reads it, and what is "
                "new waits in memory."
            )
            return False
        except OSError as exc:
            self._cannot_write(exc)
            return False
        self._freed = weakref.finalize(self, self._folder_lock.release)
        return True

    def _let_go(self) -> None:
        if self._freed is not None:
            self._freed()
        self._freed = self._folder_lock = None
        while self._files:  # what another writes meanwhile we do not know
            self._forget_file()

    # --- room ------------------------------------------------------------------------------------

    def _make_room(self, now_ms: int) -> None:
        """Drop what lies ahead and what is beyond the days kept, then the oldest until all fits."""
        self._not_removed = ""
        spans = self._spans()
        now = now_ms // MINUTE_MS or sys.maxsize
        for span in spans:
            if span[1] > now + DAY_MIN and not self._clock_went_back(span):
                self._drop(span)
        months = [span for span in spans if span[0] == FUNDING and span[1] <= now]
        days = [span for span in spans if span[0] == MINUTES and span[1] <= now]
        months_kept = self.funding_days // 28 + 2  # so many months hold any so many days
        for span in (*months[:-months_kept], *days[: -self.minute_days - 1]):
            self._drop(span)
        self._weigh()
        for span in days[-self.minute_days - 1 : -1]:  # today stays
            if self.size_mb <= self.disk_mb_max:
                return
            self._drop(span)
            self._weigh()

    def _clock_went_back(self, span: Span) -> bool:
        # A file ahead of now was written by a clock that ran ahead, unless the disk says that it
        # was also written after what we write now: then now itself is wrong, and for a while only.
        try:
            return self._path(span).stat().st_mtime > self._written_s + DAY_S
        except OSError:
            return True

    def _drop(self, span: Span) -> None:
        self._files.pop(span, None)
        self._refused.pop(span, None)
        self._not_read.pop(span, None)
        try:
            self._path(span).unlink(missing_ok=True)
        except OSError as exc:
            self._not_removed = f"History {self._path(span)} cannot be removed: {exc.strerror}."

    def _weigh(self) -> None:
        size = 0
        for span in self._spans():
            try:
                size += self._path(span).stat().st_size
            except OSError:  # gone in between
                continue
        self.size_mb = size / 1e6

    # --- files -----------------------------------------------------------------------------------

    def _spans(self) -> list[Span]:
        # what lies in the folder, oldest first
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError:  # nothing was written yet, or it is gone; writing will say it
            return []
        found = [_span_of(match) for name in names if (match := _NAME.fullmatch(name))]
        return sorted((span for span in found if span is not None), key=lambda span: span[1])

    def _path(self, span: Span) -> Path:
        kind, start = span
        text = str(np.datetime64(start, "m"))
        return self.folder / f"{kind}-{text[:7] if kind == FUNDING else text[:10]}.history"

    def _file(self, span: Span) -> HistoryFile:
        file = self._files.get(span)
        if file is None:
            if len(self._files) >= FILES_OPEN_MAX:
                self._forget_file()
            file = self._files[span] = HistoryFile(self._path(span), *span, _VALUE[span[0]])
        return file

    def _forget_file(self) -> None:
        old = self._files.pop(next(iter(self._files)))
        lost_bytes, lost_blocks = self._lost_before
        self._lost_before = lost_bytes + old.lost_bytes, lost_blocks + old.lost_blocks

    def _rows(self, span: Span) -> Rows:
        try:
            file = self._file(span)
            rows = file.read()
        except Refused as exc:
            self._refused[span] = str(exc)
            return Rows()
        except OSError as exc:
            self._not_read[span] = f"History {self._path(span)} cannot be read: {exc.strerror}."
            return Rows()
        self._note_damage(span, file)
        return rows

    def _note_damage(self, span: Span, file: HistoryFile) -> None:
        if file.damage:
            self._not_read[span] = file.damage

    def _cover(self, rows: Fresh) -> None:
        for key, (ms, _) in rows.settled.items():
            was, minute = self._covered.get(key, (0, 0))
            self._covered[key] = (min(was, int(ms[0])) if was else int(ms[0])), minute
        for key, (minutes, _) in rows.minutes.items():
            ms_from, was = self._covered.get(key, (0, 0))
            first = int(minutes[0])
            self._covered[key] = ms_from, (min(was, first) if was else first)


# --- rows by file ---------------------------------------------------------------------------------


def _by_span(fresh: Fresh) -> Iterator[tuple[Span, Fresh]]:
    """The rows of each file they belong to."""
    parts: dict[Span, Fresh] = {}
    for key, (ms, rate) in fresh.settled.items():
        minute = ms // MINUTE_MS
        for start in np.unique(_month_of(minute)).tolist():
            here = _month_of(minute) == start
            part = parts.setdefault((FUNDING, start), Fresh({}, {}))
            part.settled[key] = ms[here], rate[here]
    for key, (minute, log) in fresh.minutes.items():
        for day in np.unique(minute // DAY_MIN).tolist():
            here = minute // DAY_MIN == day
            part = parts.setdefault((MINUTES, day * DAY_MIN), Fresh({}, {}))
            part.minutes[key] = minute[here], log[here]
    yield from sorted(parts.items(), key=lambda item: item[0][1])


def _month_of(minute: Ints) -> Ints:
    # the first minute of each one's month
    months = minute.astype("datetime64[m]").astype("datetime64[M]")
    return months.astype("datetime64[m]").astype(np.int64)


def _span_of(match: re.Match[str]) -> Span | None:
    kind, date = match[1].split("-", 1)
    try:
        return kind, int(np.datetime64(date).astype("datetime64[m]").astype(np.int64))
    except ValueError:  # the 31st of February
        return None


def _columns_of(part: Fresh) -> Rows:
    rows: dict[str, tuple[Ints, Floats | Logs]] = {
        **{key: (ms // MINUTE_MS, rate) for key, (ms, rate) in part.settled.items()},
        **part.minutes,
    }
    names = [key for key in rows if len(key.encode()) <= NAME_BYTES_MAX]
    if not names:
        return Rows()
    return Rows(
        names,
        np.repeat(np.arange(len(names)), [len(rows[key][0]) for key in names]),
        np.concatenate([rows[key][0] for key in names]).astype(np.int64),
        np.concatenate([rows[key][1] for key in names]).astype(np.float64),
    )


def _gather(rows: Rows, unit: int, into: dict[str, list[Settled]]) -> None:
    # (time, value) of each leg, in the order they were written
    order = np.argsort(rows.leg, kind="stable")
    cuts = np.searchsorted(rows.leg[order], np.arange(len(rows.names) + 1))
    for at, name in enumerate(rows.names):
        mine = order[cuts[at] : cuts[at + 1]]
        if len(mine):
            into.setdefault(name, []).append((rows.minute[mine] * unit, rows.value[mine]))


def _newest_of_each(parts: list[Settled]) -> Settled:
    """Sorted by time; of a time that was written twice the newer value."""
    times = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts])
    if len(times) > 1 and not bool((np.diff(times) > 0).all()):
        times, last = np.unique(times[::-1], return_index=True)
        values = values[::-1][last]
    return times, values


def _as_logs(parts: list[Settled]) -> Minutes:
    minutes, values = _newest_of_each(parts)
    return minutes, values.astype(np.float32)


def _add(whole: Fresh, part: Fresh) -> None:
    for key, (ms, rate) in part.settled.items():
        have = whole.settled.get(key, (ms[:0], rate[:0]))
        whole.settled[key] = np.append(have[0], ms), np.append(have[1], rate)
    for key, (minute, log) in part.minutes.items():
        had = whole.minutes.get(key, (minute[:0], log[:0]))
        whole.minutes[key] = np.append(had[0], minute), np.append(had[1], log)
