"""The forecast on the disk: what was learned, and all ticks since: a restart changes nothing.

Two generations of two files each:

    dump-000012.json      everything remembered at one moment
    samples-000012.log    every tick heard from that moment on

Their lines are checked ones (forecast_dump.py). A dump is written whole or not at all; of the
samples the last line may be torn, and of one file nothing after a damage is read, which is said.
The next generation is begun at each start and stop, and when the samples grow large; the one before
stays until then, and its samples lead up to the next dump, so one damaged dump loses nothing. Where
a start cannot write its dump it begins samples of its own, which go on where those before end: no
file of another session is ever written to.

A rule with other numbers is another model, in a folder of its own beside this one. Of models not
used any more the last ones stay, so that a rule set back finds what it had learned; see `prune`.

All of it is called in a thread, one call at a time.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from basisdesk.app.forecast_dump import dump_of, line, lines_of, rows
from basisdesk.app.forecast_life import Heard, Life, RowMaker

SAMPLES_BYTES_MAX = 16_000_000  # until the next generation
GENERATIONS = 2  # dumps kept, and the samples since the older one
MODELS_MAX = 4  # of one market, the one in use among them; of older ones only signals stay
FOLDERS_MAX = 16  # of which so many stay whole or with their signals
_FLAGS = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MODE = stat.S_IRUSR | stat.S_IWUSR
_RULE = re.compile(r"[0-9a-f]{8}")  # LabelRules.hash
_LEARNED = re.compile(r"dump-\d+\.json|samples-\d+\.log|dump\.(?:bad|new)")
_OURS = re.compile(rf"(?:{_LEARNED.pattern})|signals(?:-\d)?\.jsonl")


class SampleStore:
    """The files of one model in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0  # replayed by `restore`
        self._unread = ""  # what `restore` could not read; it is said as long as this lives
        self._unwritten = ""  # what could not be written last
        self._number = 0
        self._end = 0  # of the samples, bytes that are whole
        self._maker = RowMaker()

    @property
    def problem(self) -> str:
        """What is wrong, in words; "" while all is well."""
        return self._unwritten or self._unread.strip()

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

        A dump that cannot be read is put aside as `dump.bad`; samples that cannot count up to where
        they can. `problem` says so.
        """
        numbers = sorted(self._numbers("dump", "json"))
        self._number = max([0, *numbers, *self._numbers("samples", "log")])
        found = None
        for number in reversed(numbers):
            found = self._read(number, again)
            if found is not None:
                break
        life = found if found is not None else new()
        before = self._number
        self.checkpoint(life, ())
        if self._number == before:
            self._number += 1  # samples of our own, behind those that are there
        prune(self.folder)
        return life

    def append(self, heard: Sequence[Heard]) -> bool:
        """Write what was heard behind what is there; False (and `problem`) where it is not."""
        lines = b"".join(line(self._maker.row(each)) for each in heard)
        path = self._path("samples", self._number, "log")
        try:
            _write_at(path, self._end, lines)
        except OSError as exc:
            # rows leave out a settlement tail that was in the rows before: say it again
            self._maker = RowMaker()
            self._cannot(path, exc)
            return False
        self._end += len(lines)
        self._unwritten = ""
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
            _write_whole(path, lines_of(life.dump()))
        except OSError as exc:
            self._cannot(path, exc)
            return safe
        self._number, self._end, self._maker = number, 0, RowMaker()
        with suppress(OSError):  # the next one tries again
            self._remove_before(sorted(self._numbers("dump", "json"))[-GENERATIONS:][0])
        return True

    # --- inside ----------------------------------------------------------------------------------

    def _path(self, what: str, number: int, ending: str) -> Path:
        return self.folder / f"{what}-{number:06}.{ending}"

    def _numbers(self, what: str, ending: str) -> list[int]:
        names = [path.stem for path in self.folder.glob(f"{what}-*.{ending}")]
        digits = [name.removeprefix(f"{what}-") for name in names]
        return [int(each) for each in digits if each.isdecimal()]

    def _cannot(self, path: Path, exc: OSError) -> None:
        self._unwritten = f"Cannot write {path}: {exc.strerror}. A restart would forget the rest."

    def _read(self, number: int, again: Callable[[dict[str, Any]], Life]) -> Life | None:
        path = self._path("dump", number, "json")
        try:
            kept = dump_of(path)
            life = again(kept)
        except Exception as exc:  # noqa: BLE001 - no file may keep the forecast from starting
            self._unread = (
                f"What the forecast had learned ({path.name}) cannot be read: {_plain(exc)}. "
                "It is kept as dump.bad."
            )
            self._put_aside(path)
            return None
        whole: list[tuple[Path, int]] = []  # samples heard, and how many rows of them
        # the next dump may exist and not be used: its samples go on where these end
        for each in range(number, self._number + 1):
            samples = self._path("samples", each, "log")
            if not samples.exists():
                continue
            n, why = _replay(life, samples, None)
            whole.append((samples, n))
            if why:
                self._unread += (
                    f" {samples.name} cannot be read after row {n}: {why}. What the forecast heard "
                    "behind it is lost; what came before counts."
                )
                life = again(kept)  # the row that failed may have been half heard
                for one, rows_of_it in whole:
                    _replay(life, one, rows_of_it)
        self.rows = sum(n for _, n in whole)
        return life

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


def prune(folder: Path) -> None:
    """Remove what was learned by rules long given up: folders beside this one, oldest use first.

    Beyond MODELS_MAX models their dumps and samples go, beyond FOLDERS_MAX their signals too. Only
    folders named as a rule is, and in them only files named as ours are, are touched; what cannot
    be removed is left for the next start.
    """
    try:
        beside = [
            path
            for path in folder.parent.iterdir()
            if path != folder and _RULE.fullmatch(path.name) and not path.is_symlink()
        ]
        beside = sorted((path for path in beside if path.is_dir()), key=_used_ns, reverse=True)
        for place, old in enumerate(beside, start=1):  # the one in use is the first
            if place >= MODELS_MAX:
                _empty(old, _LEARNED if place < FOLDERS_MAX else _OURS)
    except OSError:
        return


def _used_ns(folder: Path) -> tuple[int, str]:
    """When something was last written there; ties by name, so that the order is one."""
    files = [path for path in folder.iterdir() if _OURS.fullmatch(path.name)]
    return max((path.lstat().st_mtime_ns for path in files), default=0), folder.name


def _empty(folder: Path, which: re.Pattern[str]) -> None:
    for path in folder.iterdir():
        if which.fullmatch(path.name):
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _replay(life: Life, path: Path, most: int | None) -> tuple[int, str]:
    """Let a life hear the first rows of a file; how many it heard, and why not all of them."""
    heard = 0

    def counted() -> Iterable[dict[str, Any]]:
        nonlocal heard
        for row in islice(rows(path), most):
            yield row
            heard += 1

    try:
        life.replay(counted())
    except Exception as exc:  # noqa: BLE001 - no file may keep the forecast from starting
        return heard, _plain(exc)
    return heard, ""


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


def _write_whole(path: Path, lines: Iterable[bytes]) -> None:
    """A file whole or not at all. Raises OSError."""
    temporary = path.with_name("dump.new")
    handle = os.open(temporary, _FLAGS | os.O_TRUNC, _MODE)
    try:
        for each in lines:
            _write(handle, each)
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
