"""How a desk starts: profile, lock and demo exchange first, the window's parts after.

Imports of Qt stand inside `run_desk`: the demo exchange comes up meanwhile, and a machine without
Qt's libraries gets a sentence instead of a traceback.
"""

import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from basisdesk.app.exchange_process import ExchangeProcess
from basisdesk.config import Settings
from basisdesk.errors import ProfileError, UserError
from basisdesk.ledger.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from basisdesk.ui.context import Context, Mode
    from basisdesk.ui.window import MainWindow

    Pilot = Callable[[Context, MainWindow], Awaitable[None]]


@dataclass(frozen=True)
class DeskOptions:
    """What the command line asked for.

    pilot: a coroutine that uses the window in a person's place (tests, screenshots); the desk
    leaves when it returns.
    """

    profile: Path
    settings: Settings
    mode: "Mode" = "simulated"
    exit_after_s: float | None = None
    screenshot: Path | None = None
    pilot: "Pilot | None" = None

    @property
    def folder(self) -> Path:
        """Simulated and live money never meet: each mode has a folder of its own."""
        return self.profile / self.mode


def run_desk(options: DeskOptions) -> int:
    """Run the desk until it is closed. Returns 0. Raises UserError before anything was touched."""
    _choose_platform(options)
    os.umask(0o077)
    lock = _locked(options.profile)
    exchange = None
    try:
        try:
            options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise ProfileError(
                f"Cannot use {options.folder}: {exc.strerror}. Move it, or name another --profile."
            ) from exc
        if options.mode == "simulated":
            exchange = ExchangeProcess(options.settings.demo, options.folder)
        gc.disable()  # nothing an import makes is garbage; `Desk` turns it on when it stands
        try:
            from basisdesk.app.running import run_in_qt
        except ImportError as exc:
            raise UserError(
                f"Qt cannot start: {exc}. On Debian or Ubuntu run: apt-get install -y libgl1 "
                "libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0"
            ) from exc
        run_in_qt(options, exchange)
    finally:
        gc.enable()
        if exchange is not None:
            exchange.stop()
        lock.release()
    return 0


def _locked(profile: Path) -> FileLock:
    taken = PermissionError if sys.platform == "win32" else BlockingIOError
    try:
        profile.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(profile / "desk.lock")
    except OSError as exc:
        if not isinstance(exc, taken):
            raise ProfileError(
                f"Cannot use the profile {profile}: {exc.strerror}. Name another one with "
                "--profile DIR."
            ) from exc
        raise ProfileError(
            f"Another desk has the profile {profile} open. Close it, or name another profile with "
            "--profile DIR."
        ) from exc


def _choose_platform(options: DeskOptions) -> None:
    """Draw offscreen where there is no display and the user asked for a picture or a short run."""
    if os.environ.get("QT_QPA_PLATFORM") or not sys.platform.startswith("linux"):
        return
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    if options.screenshot is None and options.exit_after_s is None and options.pilot is None:
        raise UserError(
            "No display found. Start basisdesk from a desktop session, or let it draw without one: "
            "basisdesk --exit-after 25 --screenshot desk.png"
        )
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
