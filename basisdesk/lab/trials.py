"""The study log: every configuration that was ever evaluated, appended and never changed.

A file of lines, each `{"crc":"8 hex digits","row":{...}}` with the CRC-32 of the exact bytes of the
row. Rows are of five kinds:

    study    a sweep began: its pre-registration hash, its plan, when
    trial    one configuration was evaluated: study, number, parameters, what came of it
    opened   the sealed part of the data was looked at: by which study, when
    learned  data were learned from: nobody can seal a part of them any more
    counted  so many configurations were evaluated on data of that digest

Which sealed parts were opened is noted a second time in one file of the profile (`Seals`), by the
digest of the data: another log, or another name of the same rows, does not close them again. So is
how many configurations each study evaluated, since the best of all of them is judged by their
number, whichever log they lie in.

A log may hold several studies, one after the other: all their trials count when the best is
judged, since all were looked at. A process that dies leaves at most an unfinished last line, which
is cut off by the next writer; a damaged line in the middle is left out and counted, and its trial
is run again. What a trial gave is kept to the last bit, so a study that was resumed ends like one
that never stopped.
"""

import base64
import os
import sys
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from basisdesk.clock import wall_ns
from basisdesk.errors import UserError
from basisdesk.lab.series import Floats
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import HASH_SHOWN, Cancelled
from basisdesk.ledger.lock import FileLock

LOG_VERSION = 1
SEALS = "sealed.jsonl"
SYNC_TRIALS = 256  # trials after which the log is synced to the disk; each is written at once
WAITS, WAIT_S = 200, 0.01  # for the profile's file, which is held while it is read
LINE_BYTES_MAX = 4 * 1024 * 1024
NEVER_NS = 1 << 62
LOG_BYTES_MAX = 2 * 1024 * 1024 * 1024


class Busy(UserError):
    """Another process holds a log."""


class Trial(msgspec.Struct, frozen=True, tag="trial", tag_field="kind"):
    """One evaluated configuration. x: parameters; said: figures for a reader; cells: base64."""

    study: str
    n: int
    x: tuple[float, ...]
    said: dict[str, float]
    cells: str


class Began(msgspec.Struct, frozen=True, tag="study", tag_field="kind"):
    """A sweep began. plan: its pre-registration block as it stood."""

    study: str
    utc: str
    plan: dict[str, Any]
    version: int = LOG_VERSION


class Opened(msgspec.Struct, frozen=True, tag="opened", tag_field="kind"):
    """The sealed part of some data was looked at, from_ns up to to_ns.

    data: name of the series, or its digest.
    """

    study: str
    data: str
    from_ns: int
    to_ns: int
    utc: str


class Learned(Opened, frozen=True, tag="learned", tag_field="kind"):
    """A study learned from some data, so no part of them is unseen for another study."""


class Counted(msgspec.Struct, frozen=True, tag="counted", tag_field="kind"):
    """A study evaluated so many configurations. data: digest of the series."""

    study: str
    data: str
    trials: int
    utc: str


class Seals(NamedTuple):
    """The file of a profile that notes opened sealed parts, and the digest of the data at hand."""

    path: Path
    digest: str


class _Line(msgspec.Struct):
    crc: str
    row: msgspec.Raw


Row = Trial | Began | Opened | Learned | Counted
_LINE = msgspec.json.Decoder(_Line)
_ROW = msgspec.json.Decoder(Row)


class StudyLog:
    """The log of one file, held by this process alone; or of none, in memory.

    Raises UserError where another sweep writes it, or the file is no study log.
    """

    def __init__(self, path: Path | None, study: str, seals: Seals | None = None) -> None:
        self.path, self.study, self._seals = path, study, seals
        self.damaged = 0
        self.mine: dict[int, tuple[tuple[float, ...], Floats]] = {}
        self._known: set[tuple[str, int]] = set()
        self._others = 0
        self._opened: list[Opened] = []
        self._counted: list[Counted] = []
        self._began = False
        self._unsynced = 0
        self._fd = -1
        self._lock: FileLock | None = None
        if path is not None:
            self._open(path)
        self._elsewhere = self._of_others()

    @property
    def evaluated(self) -> int:
        """Configurations of all studies that `others` counts, and of this one."""
        return self.others + len(self.mine)

    @property
    def others(self) -> int:
        """Configurations that other studies evaluated: in this log, or elsewhere on these data."""
        return self._others + self._elsewhere

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Note that the study begins; once, however often it is resumed."""
        if not self._began:
            self._began = True
            self._append([Began(self.study, utc_text(wall_ns()), dict(plan))], sync=True)

    def keep(
        self,
        numbers: Sequence[int],
        params: Floats,
        cells: Floats,
        said: Sequence[Mapping[str, float]],
    ) -> None:
        """Append trials of these numbers as they were evaluated.

        params: float64[n, 6]; cells: float64[n, ...], what is needed to judge them again.
        """
        rows: list[Row] = []
        for i, (number, x) in enumerate(zip(numbers, params.tolist(), strict=True)):
            self.mine[number] = (tuple(x), cells[i])
            text = base64.b64encode(np.ascontiguousarray(cells[i]).tobytes()).decode()
            rows.append(Trial(self.study, number, tuple(x), dict(said[i]), text))
        self._unsynced += len(rows)
        self._append(rows, sync=self._unsynced >= SYNC_TRIALS)

    def trial(self, n: int, params: Floats, width: int) -> Floats | None:
        """What trial n gave, float64[width], None where it is not known.

        Raises UserError where the log knows it with other parameters.
        """
        known = self.mine.get(n)
        if known is None:
            return None
        if known[0] != tuple(params.tolist()) or len(known[1]) != width:
            raise UserError(
                f"{self.path} knows trial {n} of this study with other parameters: it was made "
                "with another version of Optuna or basisdesk. Choose another --study file."
            )
        return known[1]

    @property
    def notes(self) -> bool:
        """Whether anything on disk will know that a sealed part was opened."""
        return self.path is not None or self._seals is not None

    def opened(self, data: str, from_ns: int, to_ns: int = NEVER_NS) -> Opened | None:
        """Who looked at these data within a span: this study where it did, else the first."""
        ledger = self._ledger()
        rows = [*self._opened, *(ledger._opened if ledger is not None else ())]
        names = {data} if self._seals is None else {data, self._seals.digest}
        found = [
            row for row in rows if row.data in names and row.to_ns > from_ns and row.from_ns < to_ns
        ]
        mine = [row for row in found if row.study == self.study]
        return next(iter(mine + found), None)

    def open_sealed(self, data: str, from_ns: int, to_ns: int) -> Opened:
        """Note that the sealed part is looked at now, before it is."""
        return self._note(Opened(self.study, data, from_ns, to_ns, utc_text(wall_ns())))

    def learns(self, data: str, from_ns: int, to_ns: int) -> None:
        """Note that this study learns from these data, before it does; once for each span."""
        found = Learned(self.study, data, from_ns, to_ns, utc_text(wall_ns()))
        ledger = self._ledger()
        known = self._opened if ledger is None else ledger._opened
        if not any(msgspec.structs.replace(row, utc=found.utc) == found for row in known):
            self._note(found)

    def count(self) -> None:
        """Note for other logs of the profile how many configurations this study evaluated."""
        ledger, size = self._ledger(), len(self.mine)
        if self._seals is None or not size:
            return
        mine = (self.study, self._seals.digest, size)
        known = ledger._counted if ledger is not None else ()
        if not any((row.study, row.data, row.trials) == mine for row in known):
            self._ledger([Counted(*mine, utc_text(wall_ns()))])

    def _of_others(self) -> int:
        """Configurations that the profile notes of these data, by studies not in this log."""
        ledger = self._ledger()
        if ledger is None or self._seals is None:
            return 0
        here = {study for study, _ in self._known} | {self.study}
        most: dict[str, int] = {}
        for row in ledger._counted:
            if row.data == self._seals.digest and row.study not in here:
                most[row.study] = max(row.trials, most.get(row.study, 0))
        return sum(most.values())

    def _note(self, found: Opened) -> Opened:
        self._opened.append(found)
        self._append([found], sync=True)
        if self._seals is not None:
            same = msgspec.structs.replace(found, data=self._seals.digest)
            self._ledger([found, same])
        return found

    def _ledger(self, add: Sequence[Row] = ()) -> "StudyLog | None":
        """The profile's file as it stands, with more lines for it. Held only while it is read."""
        if self._seals is None or not (add or self._seals.path.exists()):
            return None
        log = _patiently(self._seals.path, self.study)
        try:
            log._append(add, sync=True)
            return log
        finally:
            log.close()

    def close(self) -> None:
        """Sync, and let go of file and lock whatever the disk says. Twice does no harm.

        Raises UserError where the disk refuses, unless another error is on its way already.
        """
        failing = sys.exc_info()[0] is not None
        fd, self._fd = self._fd, -1
        lock, self._lock = self._lock, None
        try:
            if fd >= 0:
                os.fsync(fd)
        except OSError as exc:
            if not failing:
                raise self._unwritten(exc) from exc
        finally:
            if fd >= 0:
                with suppress(OSError):
                    os.close(fd)
            if lock is not None:
                lock.release()

    def cancelled(self, done: int, total: int) -> Cancelled:
        """The sentence of a cancelled sweep: what is kept and how it goes on."""
        kept = (
            f"kept in {self.path}; the same command goes on from there"
            if self.path
            else "lost, since no --study file was named"
        )
        return Cancelled(f"Cancelled after {done:,} of {total:,} trials, which are {kept}.")

    # --- the file ---------------------------------------------------------------------------------

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path)
            self._read(path)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as exc:
            self.close()
            raise UserError(f"The study log {path} cannot be opened: {exc.strerror}.") from exc
        except UserError:
            self.close()
            raise

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        size = path.stat().st_size
        if size > LOG_BYTES_MAX:
            raise UserError(
                f"The study log {path} has {size:,} bytes, more than {LOG_BYTES_MAX:,}. Choose "
                "another --study file."
            )
        whole, lines = 0, 0
        with path.open("rb") as file:
            while line := file.readline(LINE_BYTES_MAX):
                if not line.endswith(b"\n") and whole + len(line) == size:
                    break  # the line that was being written when its process died
                whole += len(line)
                lines += 1
                self._take(line)
        if lines and self.damaged == lines:
            raise UserError(f"{path} is no study log of basisdesk. Choose another --study file.")
        if whole < size:
            os.truncate(path, whole)

    def _take(self, line: bytes) -> None:
        try:
            found = _LINE.decode(line)
            whole = found.crc == _crc(bytes(found.row))
            row = _ROW.decode(found.row) if whole else None
        except (msgspec.DecodeError, RecursionError):
            row = None
        if row is None:
            self.damaged += 1
        elif isinstance(row, Trial):
            self._take_trial(row)
        elif isinstance(row, Opened):
            self._opened.append(row)
        elif isinstance(row, Counted):
            self._counted.append(row)
        elif row.study == self.study:
            self._began = True

    def _take_trial(self, row: Trial) -> None:
        if row.study == self.study:
            self.mine[row.n] = (row.x, np.frombuffer(base64.b64decode(row.cells)))
        elif (key := (row.study, row.n)) not in self._known:
            self._known.add(key)
            self._others += 1

    def _append(self, rows: Sequence[Row], *, sync: bool) -> None:
        if self._fd < 0:
            return
        encoded = [msgspec.json.encode(row) for row in rows]
        data = b"".join(b'{"crc":"%s","row":%s}\n' % (_crc(r).encode(), r) for r in encoded)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            if sync:
                os.fsync(self._fd)
                self._unsynced = 0
        except OSError as exc:
            raise self._unwritten(exc) from exc

    def _unwritten(self, exc: OSError) -> UserError:
        return UserError(
            f"The study log {self.path} cannot be written: {exc.strerror}. What it holds is "
            "kept; make room and start the same command again."
        )


def _crc(row: bytes) -> str:
    return f"{zlib.crc32(row):08x}"


def _patiently(path: Path, study: str) -> StudyLog:
    """The log of a file that others hold for moments only. Raises UserError after WAITS."""
    for _ in range(WAITS):
        with suppress(Busy):
            return StudyLog(path, study)
        time.sleep(WAIT_S)
    return StudyLog(path, study)


def _locked(path: Path) -> FileLock:
    target = path.resolve()  # two names of one file are one log
    try:
        return FileLock(target.with_name(target.name + ".lock"))
    except (BlockingIOError, PermissionError) as exc:
        raise Busy(
            f"Another sweep writes {path} now. Wait for it, or choose another --study file."
        ) from exc


def short(study: str) -> str:
    """A study's hash as a person is shown it."""
    return study[:HASH_SHOWN]
