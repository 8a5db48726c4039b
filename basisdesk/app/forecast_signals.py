"""The signal journal's file: appended in a thread, four parts of bounded size."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from basisdesk.forecast.signals import Row, SignalBook, line, read

PART_BYTES_MAX = 8_000_000
PARTS = 4
NAME = "signals.jsonl"


def signal_files(folder: Path) -> list[Path]:
    """The parts that exist, oldest first."""
    every = [*(folder / f"signals-{i}.jsonl" for i in range(PARTS - 1, 0, -1)), folder / NAME]
    return [path for path in every if path.exists()]


class SignalFile:
    """`signals.jsonl` in a folder; older parts are signals-1 to signals-3. problem: in words."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.problem = ""

    def restore(self) -> SignalBook:
        """The book of what is written; of a file that cannot be read, an empty one."""
        book = SignalBook()
        for path in signal_files(self.path.parent)[-2:]:
            try:
                with path.open("rb") as file:
                    for row in read(file):
                        book.take(row)
            except OSError as exc:
                self.problem = f"Cannot read {path}: {exc.strerror}."
        return book

    def append(self, rows: Sequence[Row]) -> bool:
        """Write rows; False (and `problem`) where that failed, and nothing is half written."""
        data = b"".join(map(line, rows))
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._rotate(len(data))
            handle = os.open(self.path, flags, stat.S_IRUSR | stat.S_IWUSR)
            try:
                _append(handle, data)
            finally:
                os.close(handle)
        except OSError as exc:
            self.problem = f"Cannot write {self.path}: {exc.strerror}. Signals wait to be written."
            return False
        self.problem = ""
        return True

    def _rotate(self, more: int) -> None:
        if not self.path.exists() or self.path.stat().st_size + more <= PART_BYTES_MAX:
            return
        parts = [self.path, *(self.path.with_name(f"signals-{i}.jsonl") for i in range(1, PARTS))]
        for older, newer in zip(parts[:0:-1], parts[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)


def _append(handle: int, data: bytes) -> None:
    end = os.lseek(handle, 0, os.SEEK_END)
    torn = end > 0 and _last_byte(handle, end) != b"\n"
    rest = memoryview(b"\n" + data if torn else data)
    os.lseek(handle, end, os.SEEK_SET)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError:
        os.ftruncate(handle, end)
        raise


def _last_byte(handle: int, end: int) -> bytes:
    os.lseek(handle, end - 1, os.SEEK_SET)
    return os.read(handle, 1)
