"""What a person can ask of the program itself: settings, workspaces, sessions, diagnostics.

The app implements each of these; a window that gets None for one does not offer it. Whatever can
fail gives its reason as one sentence, or "" when it was done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from basisdesk.config import Settings

# What a settings key can hold. None: back to its default, by leaving the file.
SettingValue = bool | int | float | str | list[object] | dict[str, object] | None


class SettingsActions(Protocol):
    """The settings file: what it says now, and writing into it without losing a comment."""

    path: Path

    def read(self) -> Settings | str:
        """The settings as the file has them now, or why it cannot be read, in a sentence."""
        ...

    def check(self, changes: Mapping[str, SettingValue]) -> str:
        """Why these changes (dotted key to value) cannot be made; "" where they can."""
        ...

    def save(self, changes: Mapping[str, SettingValue]) -> str:
        """Write these changes; nothing else in the file moves. Why not, or ""."""
        ...

    def reopen(self) -> None:
        """Leave the desk in order and open it again, with the settings as they are on disk."""
        ...


class Workspaces(Protocol):
    """Named arrangements of the windows, kept in the profile."""

    def names(self) -> Sequence[str]:
        """Every workspace a person saved, by name."""
        ...

    def load(self, name: str) -> bytes:
        """A saved arrangement, as `save` got it; b"" where there is none or it is damaged."""
        ...

    def save(self, name: str, state: bytes) -> str:
        """Keep an arrangement under a name. Why not, or ""."""
        ...

    def drop(self, name: str) -> str:
        """Forget a workspace. Why not, or ""."""
        ...


@dataclass(frozen=True)
class SessionLine:
    """One past session as the library lists it. Money is exact text, account currency.

    key: names it to the library. status: "clean", or what is wrong with its journal, in words.
    net, fees, funding, borrow: what moved in the session alone. running: it is the desk's own.
    archived: the archive it lies in, "" for an account of today. tape: the first of its tapes, None
    where there is none. tapes_mb: the size of each; a session whose disk was full has several.
    """

    key: str
    account: str
    mode: str
    begun_ns: int
    ended_ns: int
    pairs_closed: int
    pairs_open: int
    net: str
    fees: str
    funding: str
    version: str
    mb: float
    status: str
    tape: Path | None
    tags: tuple[str, ...] = ()
    note: str = ""
    pairs_opened: int = 0
    borrow: str = "0"
    refusals: int = 0
    session: str = ""
    archived: str = ""
    running: bool = False
    tapes_mb: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrashLine:
    """One visit to the trash. name: names it to the library; said: what lies in it, in words."""

    name: str
    utc: str
    said: str
    mb: float


class Library(Protocol):
    """Past sessions.

    What reads or writes many files runs in a thread; `told` is called on the UI's thread when it
    is done, with a sentence, "" when all went well. `shown` is called there with what was found.
    """

    def lines(self) -> Sequence[SessionLine]:
        """Every session that was found by the last `look`, newest first."""
        ...

    def trashed(self) -> Sequence[TrashLine]:
        """What lies in the trash, newest first, as found by the last `look`."""
        ...

    def look(self, told: "Told") -> None:
        """Look for sessions in all accounts of the profile, and into the trash."""
        ...

    def mark(self, key: str, tags: Sequence[str], note: str) -> str:
        """Keep tags and a note with a session. Why not, or ""."""
        ...

    def report(self, key: str, shown: "Shown") -> None:
        """Read a session's log: the document of its JSON file."""
        ...

    def compare(self, keys: Sequence[str], shown: "Shown") -> None:
        """Put two to four sessions side by side: a study."""
        ...

    def import_trades(self, path: Path, funding: Decimal | None, shown: "Shown") -> None:
        """Re-price the founding notes' script's trade_log.csv: a study.

        funding: a rate to assume each 8 h, a fraction, > 0 where longs pay; None: unknown.
        """
        ...

    def page(self, key: str, shown: "Shown") -> None:
        """Write a session's log into the profile's export folder: the path of its page."""
        ...

    def study_page(self, study: Mapping[str, object], shown: "Shown") -> None:
        """Write a study (compared, re-priced) into the export folder: the path of its page."""
        ...

    def export(self, key: str, folder: Path, told: "Told") -> None:
        """Write the session log (HTML, CSV, JSON) into a new folder inside `folder`."""
        ...

    def trash_words(self, keys: Sequence[str]) -> tuple[str, str]:
        """What would go into the trash of these sessions, and why nothing can ("" where it can)."""
        ...

    def trash(self, keys: Sequence[str], told: "Told") -> None:
        """Put what `trash_words` said into the profile's trash: that, or nothing."""
        ...

    def restore(self, name: str, told: "Told") -> None:
        """Put a visit to the trash back where it lay, or into the archive."""
        ...

    def replay(self, key: str, part: int = 0) -> str:
        """Play a session's tape in a window of its own; part: which, from 0. Why not, or ""."""
        ...


class Shown(Protocol):
    """Gets what was asked for: a document, a study or a path; None with the reason why not."""

    def __call__(self, found: object, sentence: str) -> None:
        """What was found and "", or None and one sentence."""
        ...


class Told(Protocol):
    """Hears how something ended."""

    def __call__(self, sentence: str) -> None:
        """One sentence of what went wrong; "" when it was done."""
        ...


class FirstRun(Protocol):
    """What the program remembers of its first start."""

    @property
    def welcomed(self) -> bool:
        """The welcome was answered, or nobody sits here."""
        ...

    @property
    def toured(self) -> bool:
        """The tour was seen or turned down, or nobody sits here."""
        ...

    def choose(self, mode: str, pair: tuple[str, str] | None) -> None:
        """Go on as chosen in the welcome: "simulated" or "live", and the pair to show first."""
        ...

    def set_toured(self) -> None:
        """The tour was seen, or turned down."""
        ...


class Diagnostics(Protocol):
    """What a fault report needs, with nothing private in it."""

    def text(self) -> str:
        """Versions, system, settings that differ from the defaults, figures, the last log lines."""
        ...

    def copy(self) -> None:
        """Put that text into the clipboard."""
        ...
