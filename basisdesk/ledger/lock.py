"""A lock file that one process holds and the system frees when it dies, however it dies."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from construction to `release`. The file stays behind; only the lock on it counts.

    Raises OSError when another holder has it (BlockingIOError or PermissionError) or when the file
    cannot be made. Never waits.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(self._fd)
        except OSError:
            os.close(self._fd)
            raise

    def release(self, *, remove_if_made: bool = False) -> None:
        """Let go; with `remove_if_made` the folder is left as it was found."""
        if self._fd < 0:
            return
        if remove_if_made and self._made:
            with suppress(OSError):  # on Windows an open file cannot go; it is empty and harmless
                self._path.unlink()
        os.close(self._fd)
        self._fd = -1
