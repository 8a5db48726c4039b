"""Room on the disks, watched before it is gone: recording stops first, then trading, in words.

The journal must never meet a full disk. Where another program takes the last of it between two
looks, the ballast is given back: room for the entries that end a session in order. Tapes may lie on
another disk (`tape.folder`): that one stops nothing but the recording.
"""

import math
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from basisdesk.app.crash import log
from basisdesk.app.taping import Standing
from basisdesk.ui.context import Status
from basisdesk.ui.figures import number_text
from basisdesk.ui.uptime_rows import UptimeFigures

MB = 1_000_000
TAPE_STOP_MB = 256  # free, under which recording stops
HALT_MB = 64  # free, under which no pair is opened any more
AMPLE_MB = 512  # free, from which all goes on: far enough above, so that nothing flaps
TAPES_STOP_MB = 64  # free on the tapes' own disk, under which recording stops
TAPES_AMPLE_MB = 128  # free there, from which it goes on
RETRY_LOOKS = 15  # from a try at a new tape to the next one: 30 s
BALLAST_MB = 16
BALLAST = "ballast"
CHUNK = 1 << 20
SAID_LOOKS = 30  # a notice that asks for nothing stays so many looks

Level = Literal["ample", "short", "out"]


@dataclass(frozen=True)
class DiskCalls:
    """What the guard asks of the desk.

    stop_tape: told why. resume_tape: whether it records again. halt: told why. halted: whether no
    pair may be opened. tape: how the recording stands, and why nothing is recorded, else "".
    """

    stop_tape: Callable[[str], None]
    resume_tape: Callable[[], bool]
    halt: Callable[[str], None]
    halted: Callable[[], bool]
    tape: Callable[[], tuple[Standing, str]]


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
    """Looks at the room on both disks; `look` is to be called every few seconds.

    Recording goes on by itself once there is room. Trading does not: a disk that filled once fills
    again, and whoever made room knows whether it lasts.

    folder: with the journal. tapes: where the tapes lie, on the same disk or not. level: of the
    journal's disk: "short" while nothing is recorded, "out" while nothing is opened.
    """

    def __init__(
        self, folder: Path, tapes: Path, status: Status, figures: UptimeFigures, calls: DiskCalls
    ) -> None:
        self.level: Level = "ample"
        self._folder = folder
        self._tapes = tapes
        self._status = status
        self._figures = figures
        self._calls = calls
        self._ballast = folder / BALLAST
        self._said = ""  # our sentence over the window, while it stands
        self._looks = 0  # since it was said
        self._halted = False  # by us
        self._deaf = False  # the room cannot be read, and that was said
        self._looked = False
        self._tape_out = False  # the recording stopped though the journal's disk has room: said
        self._pause = 0  # looks until a new tape is tried

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
        self._act(free)
        if self.level == "ample":
            self._look_at_tapes()
        self._clear()

    # --- inside ----------------------------------------------------------------------------------

    def _act(self, free: float) -> None:
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

    def _look_at_tapes(self) -> None:
        """The same disk never comes to act here: the journal's limits are the higher ones."""
        standing, why = self._calls.tape()
        free = self._tapes_mb()
        if standing == "failed":
            self._stop_tape(
                why,
                f"{why} Trading goes on. Recording resumes by itself once there is room for tapes.",
            )
        elif standing == "records" and free < TAPES_STOP_MB:
            self._stop_tape(
                f"Recording stopped: {_mb(free)} free on the disk with your tapes.",
                f"Only {_mb(free)} free on the disk with your tapes: recording stopped, trading "
                f"goes on. Make room there; recording resumes by itself from "
                f"{_mb(TAPES_AMPLE_MB)} on.",
            )
        elif standing != "waits":
            self._tape_out = False
        elif self._pause > 0:
            self._pause -= 1
        elif self._resume():
            self._say("warn", "Recording goes on in a new tape.")

    def _tapes_mb(self) -> float:
        """Room there; endless where it cannot be told: the tape itself will say what is wrong."""
        try:
            return free_mb(self._tapes)
        except OSError:
            return math.inf

    def _stop_tape(self, why: str, sentence: str) -> None:
        self._calls.stop_tape(why)
        self._tape_out, self._pause = True, RETRY_LOOKS
        self._say("warn", sentence)

    def _resume(self) -> bool:
        """Try a new tape where one is waited for; where it fails it is tried again."""
        self._pause = RETRY_LOOKS
        if self._calls.tape()[0] != "waits" or self._tapes_mb() < TAPES_AMPLE_MB:
            return False
        if not self._calls.resume_tape():
            return False
        self._tape_out = False
        return True

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
        records = " Recording goes on in a new tape." if self._resume() else ""
        if not records and self._calls.tape()[0] == "waits":
            self._tape_out = True
            records = f" Still nothing is recorded, it is tried again: {self._calls.tape()[1]}"
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
        """All is well again, and was said; after a halt until a person resumed."""
        if not self._said or self.level != "ample" or self._tape_out:
            return
        over = not self._calls.halted() if self._halted else self._looks >= SAID_LOOKS
        if not over:
            return
        if self._status.banner == self._said:
            self._status.banner = ""
        self._said, self._halted = "", False


def _mb(amount: float) -> str:
    return f"{number_text(amount, 0)} MB"
