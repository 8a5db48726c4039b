"""What the program remembers of its first start: welcomed, shown around, and the mode last used.

One small file in the profile, first-run.json. It holds nothing that cannot be lost: a damaged or
missing one means a first start, an unwritable folder means being welcomed again.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

NAME = "first-run.json"
VERSION = 1
BYTES_MAX = 4_096
Traded = Literal["simulated", "live"]

log = logging.getLogger("basisdesk")  # app/crash.py would bring Qt before the exchange is started


class Kept(msgspec.Struct, frozen=True):
    """The file. mode: of the desk that ran last."""

    version: int = VERSION
    welcomed: bool = False
    toured: bool = False
    mode: Traded = "simulated"


def kept(profile: Path) -> Kept:
    """What is remembered in a profile; a first start where nothing, or nothing whole, is."""
    path = profile / NAME
    try:
        if path.stat().st_size > BYTES_MAX:
            return Kept()
        found = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Kept()
    return found if found.version == VERSION else Kept()


def last_mode(profile: Path) -> Traded:
    """What `basisdesk` without --demo and --live opens: as last time, at first the demo."""
    return kept(profile).mode


class FirstRunFile:
    """Implements ui.product_actions.FirstRun for the desk that runs now.

    mode: of this desk; it is remembered as the one last used. quiet: a script or a pilot drives
    it, so nobody is welcomed and nothing is written. home: the account's folder. show_pair: puts
    a pair on this desk's screen. go_on: leaves this desk and opens it again in another mode.
    """

    def __init__(
        self,
        profile: Path,
        home: Path,
        mode: str,
        *,
        quiet: bool,
        show_pair: Callable[[str, str], None],
        go_on: Callable[[Traded], None],
    ) -> None:
        self._profile = profile
        self._path = profile / NAME
        self._home = home
        self._mode = mode
        self._quiet = quiet
        self._show_pair = show_pair
        self._go_on = go_on
        self._kept = kept(profile)
        if mode in ("simulated", "live"):
            self._keep(mode=mode)

    @property
    def welcomed(self) -> bool:
        """The welcome was answered, or nobody sits here."""
        return self._quiet or self._kept.welcomed

    @property
    def toured(self) -> bool:
        """The tour was seen or turned down, or nobody sits here."""
        return self._quiet or self._kept.toured

    def choose(self, mode: str, pair: tuple[str, str] | None) -> None:
        """Go on as chosen; another mode leaves this desk and opens it there, with that pair."""
        asked = cast("Traded", mode if mode in ("simulated", "live") else self._mode)
        self._keep(welcomed=True, mode=asked)
        if asked == self._mode:
            if pair is not None:
                self._show_pair(*pair)
            return
        if pair is not None:
            self._leave_pair(asked, pair)
        self._go_on(asked)

    def set_toured(self) -> None:
        """The tour was seen, or turned down."""
        self._keep(toured=True)

    def _leave_pair(self, mode: Traded, pair: tuple[str, str]) -> None:
        """Let the desk of the other mode come up with this pair."""
        from basisdesk.app.watching import Watching  # a start does not wait for it
        from basisdesk.venues import known_venues

        folder = self._home / mode
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return  # the desk itself will say what is wrong with the folder
        Watching(folder / "shown.json", pair, known_venues()).show(pair)

    def _keep(self, **changes: Any) -> None:
        """Change this much of the file; what another desk of the profile wrote meanwhile stays."""
        now = kept(self._profile)
        self._kept = msgspec.structs.replace(self._kept, **changes)
        if self._quiet:
            return
        self._kept = found = msgspec.structs.replace(now, **changes)
        if found == now and self._path.exists():
            return
        part = ""
        try:  # a name of its own: two desks may write at once
            handle, part = tempfile.mkstemp(".part", f"{NAME}.", self._profile)  # 0600
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(found))
            Path(part).replace(self._path)
        except OSError as exc:
            log.warning("the first start is not remembered: %s", exc)
            with contextlib.suppress(OSError):
                Path(part).unlink(missing_ok=True)
