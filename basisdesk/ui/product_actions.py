"""What a person can ask of the program itself: settings, workspaces, sessions, diagnostics.

The app implements each of these; a window that gets None for one does not offer it. Whatever can
fail gives its reason as one sentence, or "" when it was done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


class Library(Protocol):
    """Past sessions.

    What reads or writes many files runs in a thread; `told` is called on the UI's thread when it
    is done, with a sentence, "" when all went well.
    """

    def lines(self) -> Sequence[SessionLine]:
        """Every session that was found by the last `look`, newest first."""
        ...

    def look(self, told: "Told") -> None:
        """Look for sessions in all accounts of the profile."""
        ...

    def mark(self, key: str, tags: Sequence[str], note: str) -> str:
        """Keep tags and a note with a session. Why not, or ""."""
        ...

    def export(self, key: str, folder: Path, told: "Told") -> None:
        """Write the session log (HTML, CSV, JSON) into a new folder inside `folder`."""
        ...

    def trash(self, key: str, told: "Told") -> None:
        """Put a session's files into the profile's trash; the running one is refused."""
        ...

    def replay(self, key: str) -> str:
        """Play the session's tape in a window of its own. Why not, or ""."""
        ...


class Told(Protocol):
    """Hears how something ended."""

    def __call__(self, sentence: str) -> None:
        """One sentence of what went wrong; "" when it was done."""
        ...


class FirstRun(Protocol):
    """What the program remembers of its first start."""

    welcomed: bool
    toured: bool

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
