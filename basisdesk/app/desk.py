"""How a desk starts: profile, lock and demo exchange first, the window's parts after.

Imports of Qt stand inside `run_desk`: the demo exchange comes up meanwhile, and a machine without
Qt's libraries gets a sentence instead of a traceback.
"""

import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from basisdesk.app.accounts import MAIN, archive, checked_name, home
from basisdesk.app.exchange_process import ExchangeProcess
from basisdesk.clock import wall_ns
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
    leaves when it returns. After a change of account it is called again.
    account: the paper account that trades. notice: a sentence to show over the window at first.
    scanner: open the scanner's window too; a screenshot is of that one then. replay: a tape to
    play, beside the desk, or alone where `alone`; replay_speed: times as fast as it went;
    replay_plays: at once. settings_file: what the settings were read from, `settings.toml` of the
    profile where None. typed: demo settings that the command line named, over those of the file.
    """

    profile: Path
    settings: Settings
    mode: "Mode" = "simulated"
    exit_after_s: float | None = None
    screenshot: Path | None = None
    pilot: "Pilot | None" = None
    account: str = MAIN
    notice: str = ""
    scanner: bool = False
    replay: Path | None = None
    replay_speed: float = 1.0
    replay_plays: bool = False
    alone: bool = False
    settings_file: Path | None = None
    typed: Mapping[str, object] = field(default_factory=dict)

    @property
    def settings_path(self) -> Path:
        """The settings file, whether it exists or not."""
        return self.settings_file or self.profile / "settings.toml"

    @property
    def home(self) -> Path:
        """The account's own folder in the profile."""
        return home(self.profile, self.account)

    @property
    def folder(self) -> Path:
        """Simulated and live money never meet: each mode has a folder of its own."""
        return self.home / self.mode


@dataclass(frozen=True)
class Onward:
    """Where a desk goes on when it is left: another account, another mode, or the same one anew.

    mode, settings: those to go on with; None keeps what there is.
    """

    account: str
    reset: bool = False
    mode: "Mode | None" = None
    settings: Settings | None = None


def run_desk(options: DeskOptions) -> int:
    """Run the desk until it is closed. Returns 0. Raises UserError before anything was touched.

    Another account is another desk: everything is taken apart and built anew in this process. One
    that cannot be opened leads back to the account before, with the reason over the window.
    """
    checked_name(options.account)
    _choose_platform(options)
    os.umask(0o077)
    if options.alone:
        return _run_alone(options)
    before: DeskOptions | None = None
    here = options
    while True:
        try:
            onward = _run_account(here)
        except UserError as exc:
            if before is None:
                raise
            here, before = replace(before, notice=_fell_back(exc, here, before)), None
            continue
        if onward is None:
            return 0
        before, here = here, _next(here, onward)


def _fell_back(exc: UserError, tried: DeskOptions, now: DeskOptions) -> str:
    """Why the desk stands as before; and where new settings are at fault, what to do about them."""
    if tried.settings == now.settings:
        return str(exc)
    return (
        f"{exc} This desk runs on the settings from before. The change still stands in "
        f"{tried.settings_path}: take it back in Session > Settings, or correct that file, before "
        "the next start."
    )


def _next(here: DeskOptions, onward: Onward) -> DeskOptions:
    """The options of the desk that comes after."""
    return replace(
        here,
        account=onward.account,
        mode=onward.mode or here.mode,
        settings=onward.settings or here.settings,
        notice="",
    )


def _run_account(options: DeskOptions) -> Onward | None:
    lock = _locked(options)
    try:
        onward = _run_locked(options)
        if onward is not None and onward.reset:
            archive(options.profile, options.account, options.mode, wall_ns())
    finally:
        lock.release()
    return onward


def _run_locked(options: DeskOptions) -> Onward | None:
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
            raise _no_qt(exc) from exc
        return run_in_qt(options, exchange)
    finally:
        gc.enable()
        if exchange is not None:
            exchange.stop()


def _run_alone(options: DeskOptions) -> int:
    """A tape without a desk: no lock, no exchange, no journal of an account is touched."""
    try:
        from basisdesk.app.replays import run_alone
    except ImportError as exc:
        raise _no_qt(exc) from exc
    return run_alone(options)


def _no_qt(exc: ImportError) -> UserError:
    return UserError(
        f"Qt cannot start: {exc}. On Debian or Ubuntu run: apt-get install -y libgl1 libegl1 "
        "libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0"
    )


def _locked(options: DeskOptions) -> FileLock:
    """The account's lock: one desk an account. Raises ProfileError with nothing touched."""
    folder, account = options.home, options.account
    taken = PermissionError if sys.platform == "win32" else BlockingIOError
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(folder / "desk.lock")
    except OSError as exc:
        if not isinstance(exc, taken):
            raise ProfileError(
                f"Cannot use the profile {folder}: {exc.strerror}. Name another one with "
                "--profile DIR."
            ) from exc
        which = "" if account == MAIN else f"account {account} of the "
        raise ProfileError(
            f"Another desk has the {which}profile {options.profile} open. Close it, or name "
            "another profile with --profile DIR, or another account with --account NAME."
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
