"""Room on the disk, watched before it is gone: recording stops first, then trading, in words.

The journal must never meet a full disk. Where another program takes the last of it between two
looks, the ballast is given back: room for the entries that end a session in order.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from basisdesk.app.crash import log
from basisdesk.ui.context import Status
from basisdesk.ui.figures import number_text
from basisdesk.ui.uptime_rows import UptimeFigures

MB = 1_000_000
TAPE_STOP_MB = 256  # free, under which recording stops
HALT_MB = 64  # free, under which no pair is opened any more
AMPLE_MB = 512  # free, from which all goes on: far enough above, so that nothing flaps
BALLAST_MB = 16
BALLAST = "ballast"
CHUNK = 1 << 20
SAID_LOOKS = 30  # a notice that asks for nothing stays so many looks

Level = Literal["ample", "short", "out"]


@dataclass(frozen=True)
class DiskCalls:
    """What the guard asks of the desk.

    stop_tape: told why. resume_tape: whether it records again. halt: told why. halted: whether no
    pair may be opened.
    """

    stop_tape: Callable[[str], None]
    resume_tape: Callable[[], bool]
    halt: Callable[[str], None]
    halted: Callable[[], bool]


def free_mb(folder: Path) -> float:
    """Room for this user on the folder's disk. Raises OSError."""
    return shutil.disk_usage(folder).free / MB


def make_ballast(path: Path) -> None:
    """Take room for real, not as a hole in a file. Raises OSError."""
    size = BALLAST_MB * MB
    if path.exists() and path.stat().st_size == size:
        return  # of a run that did not end in order
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
            return
        for at in range(0, size, CHUNK):
            os.write(handle, os.urandom(min(CHUNK, size - at)))  # zeros may be packed away
    finally:
        os.close(handle)


class DiskGuard:
    """Looks at the room on the disk; `look` is to be called every few seconds.

    Recording goes on by itself once there is room. Trading does not: a disk that filled once fills
    again, and whoever made room knows whether it lasts. level: "short" while nothing is recorded,
    "out" while nothing is opened.
    """

    def __init__(
        self, folder: Path, status: Status, figures: UptimeFigures, calls: DiskCalls
    ) -> None:
        self.level: Level = "ample"
        self._folder = folder
        self._status = status
        self._figures = figures
        self._calls = calls
        self._ballast = folder / BALLAST
        self._said = ""  # our sentence over the window, while it stands
        self._looks = 0  # since it was said
        self._halted = False  # by us
        self._deaf = False  # the room cannot be read, and that was said
        self._looked = False

    def close(self) -> None:
        """The desk is left: the ballast has done its work."""
        self.give_back()

    def give_back(self) -> None:
        """Let the ballast go: what must be written now has its room."""
        with suppress(OSError):
            self._ballast.unlink(missing_ok=True)

    def look(self) -> None:
        """Look once, and act where the level changed."""
        try:
            free = free_mb(self._folder)
        except OSError as exc:
            if not self._deaf:
                log.warning("the room on the disk cannot be read: %s", exc.strerror)
            self._deaf = True
            return
        self._deaf = False
        self._figures.free_mb = free
        self._looks += 1
        if not self._looked:
            self._looked = True
            self._take_ballast(free)
        if free < BALLAST_MB:
            self.give_back()
        if free < HALT_MB and self.level != "out":
            self._run_out(free)
        elif free < TAPE_STOP_MB and self.level == "ample":
            self._run_short(free)
        elif free >= AMPLE_MB and self.level != "ample":
            self._recover(free)
        self._clear()

    # --- inside ----------------------------------------------------------------------------------

    def _take_ballast(self, free: float) -> None:
        try:
            if free >= AMPLE_MB:
                make_ballast(self._ballast)
        except OSError as exc:
            log.warning("no ballast on the disk: %s", exc.strerror)

    def _run_short(self, free: float) -> None:
        self.level = "short"
        self._calls.stop_tape(f"Recording stopped: {_mb(free)} free on the disk.")
        self._say(
            "warn",
            f"Only {_mb(free)} free on the disk with your data: recording stopped, trading goes "
            f"on. Make room; recording resumes by itself from {_mb(AMPLE_MB)} on.",
        )

    def _run_out(self, free: float) -> None:
        self.level = "out"
        self._calls.stop_tape(f"Recording stopped: {_mb(free)} free on the disk.")
        if not self._calls.halted():
            self._halted = True
            self._calls.halt(f"the disk with your data is nearly full, {_mb(free)} free")
        self._say(
            "error",
            f"Only {_mb(free)} free on the disk with your data: no new pairs while the ledger "
            "still has room. Closing works. Make room, then press Resume.",
        )

    def _recover(self, free: float) -> None:
        self.level = "ample"
        self._take_ballast(free)
        records = " Recording goes on in a new tape." if self._calls.resume_tape() else ""
        resume = " Press Resume to open pairs again." if self._calls.halted() else ""
        self._say("warn", f"{_mb(free)} free on the disk again.{records}{resume}")

    def _say(self, level: str, sentence: str) -> None:
        log.warning("%s", sentence)
        status = self._status
        if status.banner and status.banner != self._said and status.banner_level == "error":
            return  # a fault of the program stands over it
        self._said, self._looks = sentence, 0
        status.banner, status.banner_level = sentence, level

    def _clear(self) -> None:
        """All is well again, and was said: after a halt until a person resumed."""
        if not self._said or self.level != "ample":
            return
        over = not self._calls.halted() if self._halted else self._looks >= SAID_LOOKS
        if not over:
            return
        if self._status.banner == self._said:
            self._status.banner = ""
        self._said, self._halted = "", False


def _mb(amount: float) -> str:
    return f"{number_text(amount, 0)} MB"
