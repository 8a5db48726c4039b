"""Named paper accounts of a profile: where each one lives, which there are, and starting anew.

The account "main" is the profile folder itself, so that profiles older than accounts stay as they
are; every other one is `accounts/NAME` in it. Each account has a folder for each mode, with a
journal, its mark, tapes and a log, and a lock of its own: two desks may trade two accounts.
"""

import re
import shutil
from pathlib import Path

from basisdesk.errors import ProfileError, UserError
from basisdesk.lab.stamp import utc_text
from basisdesk.ledger.lock import FileLock

MAIN = "main"
ACCOUNTS = "accounts"
ARCHIVE = "archive"
NAMES_MAX = 100  # accounts that are listed
GOES_ON = ("market.json", "shown.json", "alerts.json")  # market, pair shown, alerts: no money
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
# Names that Windows keeps for devices; an account must be a folder on every system.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789"),
}


def checked_name(name: str) -> str:
    """The name, if it can name an account. Raises ProfileError with one sentence."""
    if _NAME.fullmatch(name) is None:
        shown = "".join(char if char.isprintable() else "?" for char in name[:40])
        raise ProfileError(
            f"{shown!r} cannot name an account: use 1 to 32 letters, digits, dashes and "
            "underscores."
        )
    if name.lower() in _DEVICES:
        raise ProfileError(f"{name!r} is kept by Windows for a device. Choose another name.")
    return name


def home(profile: Path, name: str) -> Path:
    """The folder of an account. Raises ProfileError for a name that cannot be one."""
    if checked_name(name) == MAIN:
        return profile
    return profile / ACCOUNTS / name


def why_not_free(profile: Path, name: str) -> str:
    """Why an account cannot be opened now, one sentence; "" where it can."""
    try:
        lock = home(profile, name) / "desk.lock"
        if lock.exists():
            FileLock(lock).release()  # free now, so the switch will have it
    except UserError as exc:
        return str(exc)
    except OSError:
        return f"The account {name} is open in another desk. Close that one first."
    return ""


def account_names(profile: Path) -> tuple[str, ...]:
    """Every account of a profile, "main" first, the others by name."""
    try:
        found = sorted(
            folder.name
            for folder in (profile / ACCOUNTS).iterdir()
            if _NAME.fullmatch(folder.name) and folder.name != MAIN and folder.is_dir()
        )
    except OSError:  # none was made yet, or they cannot be read: there is always the main one
        found = []
    return (MAIN, *found[:NAMES_MAX])


def archive(profile: Path, name: str, mode: str, now_ns: int) -> Path | None:
    """Put aside what an account holds in one mode: journal, mark, tapes and logs; nothing is lost.

    One rename, so a crash leaves the account whole or put aside. None where there was nothing. To
    be called while nobody has the account open. Raises ProfileError with one sentence.
    """
    folder = home(profile, name) / mode
    stamp = utc_text(now_ns)[:19].replace("-", "").replace(":", "")
    kept = profile / ARCHIVE / f"{name}-{stamp}Z"
    try:
        if not folder.exists():
            return None
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.rename(kept / mode)
        folder.mkdir(mode=0o700)
        for each in GOES_ON:
            if (kept / mode / each).exists():
                shutil.copy2(kept / mode / each, folder / each)
    except OSError as exc:
        raise ProfileError(
            f"The account {name} cannot be put aside into {kept}: {exc.strerror}. Nothing of it "
            "is deleted; make room, or close what has it open."
        ) from exc
    return kept / mode
