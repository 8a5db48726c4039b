"""The forecast on the disk: what was learned, and all ticks since: a restart changes nothing.

Two generations of two files each:

    dump-000012.json      everything remembered at one moment
    samples-000012.log    every tick heard from that moment on

A line of either is eight hexadecimal digits of CRC-32, a space and JSON. A dump is written whole or
not at all; of the samples the last line may be torn, and nothing after a damage is read. The next
generation is begun at each start and stop, and when the samples grow large; the one before stays
until then, and its samples lead up to the next dump, so one damaged dump loses nothing.

All of it is called in a thread, one call at a time.
"""

import os
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.app.forecast_life import Heard, Life, RowMaker

SAMPLES_BYTES_MAX = 16_000_000  # until the next generation
DUMP_BYTES_MAX = 256_000_000
GENERATIONS = 2
_FLAGS = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MODE = stat.S_IRUSR | stat.S_IWUSR


class SampleStore:
    """The files of one model in one folder. problem: the last thing that went wrong, in words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem = ""
        self.rows = 0  # replayed by `restore`
        self._number = 0
        self._end = 0  # of the samples, bytes that are whole
        self._maker = RowMaker()

    @property
    def full(self) -> bool:
        """The samples are so large that the next generation should begin."""
        return self._end >= SAMPLES_BYTES_MAX

    @property
    def size_mb(self) -> float:
        """What the files take."""
        try:
            return sum(path.stat().st_size for path in self.folder.iterdir()) / 1e6
        except OSError:
            return 0.0

    def restore(self, new: Callable[[], Life], again: Callable[[dict[str, Any]], Life]) -> Life:
        """The life that the files tell of, else a new one; then begin a generation with it.

        A file that cannot be read is put aside as `dump.bad`, and `problem` says so.
        """
        numbers = sorted(self._numbers("dump", "json"))
        self._number = max([0, *numbers, *self._numbers("samples", "log")])
        found = None
        for number in reversed(numbers):
            found = self._read(number, again)
            if found is not None:
                break
        life = found if found is not None else new()
        self.checkpoint(life, ())
        return life

    def append(self, heard: Sequence[Heard]) -> bool:
        """Write what was heard behind what is there; False (and `problem`) where it is not."""
        lines = b"".join(_line(msgspec.json.encode(self._maker.row(each))) for each in heard)
        path = self._path("samples", self._number, "log")
        try:
            _write_at(path, self._end, lines)
        except OSError as exc:
            # rows leave out a settlement tail that was in the rows before: say it again
            self._maker = RowMaker()
            self.problem = f"Cannot write {path}: {exc.strerror}. A restart would forget the rest."
            return False
        self._end += len(lines)
        self.problem = ""
        return True

    def checkpoint(self, life: Life, heard: Sequence[Heard]) -> bool:
        """Finish this generation with what was heard, and begin the next with what that made.

        heard: what `life` heard since the last append. True where that is safe on the disk, in
        either file; where the dump could not be written this generation goes on.
        """
        safe = self.append(heard) if heard else True
        number = self._number + 1
        path = self._path("dump", number, "json")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(path, _line(msgspec.json.encode(life.dump())))
            self._remove_before(number - GENERATIONS + 1)
        except OSError as exc:
            self.problem = f"Cannot write {path}: {exc.strerror}. A restart would forget the rest."
            return safe
        self._number, self._end, self._maker = number, 0, RowMaker()
        return True

    # --- inside ----------------------------------------------------------------------------------

    def _path(self, what: str, number: int, ending: str) -> Path:
        return self.folder / f"{what}-{number:06}.{ending}"

    def _numbers(self, what: str, ending: str) -> list[int]:
        names = [path.stem for path in self.folder.glob(f"{what}-*.{ending}")]
        digits = [name.removeprefix(f"{what}-") for name in names]
        return [int(each) for each in digits if each.isdecimal()]

    def _read(self, number: int, again: Callable[[dict[str, Any]], Life]) -> Life | None:
        path = self._path("dump", number, "json")
        try:
            life = again(_dump(path))
            self.rows = self._replay(life, number)
        except Exception as exc:  # noqa: BLE001 - no file may keep the forecast from starting
            self.problem = (
                f"What the forecast had learned ({path.name}) cannot be read: {_plain(exc)}. "
                "It is kept as dump.bad."
            )
            self._put_aside(path)
            return None
        return life

    def _replay(self, life: Life, number: int) -> int:
        n = 0
        while True:
            path = self._path("samples", number, "log")
            if path.exists():
                n += life.replay(_rows(path))
            number += 1
            # the next dump exists and was not used: its samples go on where these end
            if number > self._number:
                return n

    def _put_aside(self, path: Path) -> None:
        try:
            path.replace(path.with_name("dump.bad"))
        except OSError:
            return

    def _remove_before(self, number: int) -> None:
        for what, ending in (("dump", "json"), ("samples", "log")):
            for old in self._numbers(what, ending):
                if old < number:
                    self._path(what, old, ending).unlink(missing_ok=True)


def _line(body: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file up to its end or its first damage. Raises OSError."""
    if path.stat().st_size > DUMP_BYTES_MAX:
        raise ValueError("it is too large")
    with path.open("rb") as file:
        for line in file:
            said, _, body = line.partition(b" ")
            if not body.endswith(b"\n") or said != b"%08x" % zlib.crc32(body[:-1]):
                return
            yield msgspec.json.decode(body, type=dict[str, Any])


def _dump(path: Path) -> dict[str, Any]:
    rows = list(_rows(path))
    if len(rows) != 1:
        raise ValueError("it is damaged")
    return rows[0]


def _write_at(path: Path, at: int, data: bytes) -> None:
    """Write behind the whole lines; cut off again where that fails. Raises OSError."""
    handle = os.open(path, _FLAGS, _MODE)
    try:
        os.ftruncate(handle, at)
        os.lseek(handle, at, os.SEEK_SET)
        try:
            _write(handle, data)
        except OSError:
            os.ftruncate(handle, at)
            raise
    finally:
        os.close(handle)


def _write_whole(path: Path, data: bytes) -> None:
    """A file whole or not at all. Raises OSError."""
    temporary = path.with_name("dump.new")
    handle = os.open(temporary, _FLAGS | os.O_TRUNC, _MODE)
    try:
        _write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(path)


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _plain(exc: BaseException) -> str:
    said = exc.strerror if isinstance(exc, OSError) else str(exc)
    return "".join(c if c.isprintable() else " " for c in str(said or type(exc).__name__))[:160]
