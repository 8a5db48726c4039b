"""Every error raised on purpose.

* DeskError
    * FeedError           the outside misbehaved; count it, show it, reconnect or resync
        * BadFrame        bytes that cannot be read as the venue's dialect
    * RuleError           a rule of the house was broken; a bug if it escapes
        * Unbalanced      the postings of a transaction do not sum to zero
    * UserError           one clear sentence for the user: what, where, what to do; exit 2
        * SettingsError   a settings file or a command-line value cannot be used
        * TapeError       a tape cannot be read
        * JournalError    the journal cannot be opened, read or written
        * ProfileError    the profile folder is unusable, or another desk has it open

A refusal to trade is not an error: it is a value (`events.Refused`).
"""

import sys

from basisdesk import __version__


class DeskError(Exception):
    """Base of every error raised on purpose."""


class FeedError(DeskError):
    """The outside misbehaved."""


class BadFrame(FeedError):
    """Bytes that cannot be read. `reason` is a short fixed word that is counted per stream."""

    def __init__(self, reason: str, payload: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.payload = payload[:200]

    def __str__(self) -> str:
        """Reason and the first bytes, cleaned for a log line."""
        return f"{self.reason}: {self.payload!r}"


class RuleError(DeskError):
    """A rule of the house was broken by the program itself."""


class Unbalanced(RuleError):
    """The postings of a transaction do not sum to zero in every currency."""


class UserError(DeskError):
    """A sentence for the user. The command line prints it on stderr and exits with 2."""


class SettingsError(UserError):
    """A settings file or command-line value cannot be used."""


class TapeError(UserError):
    """A tape cannot be read."""


class JournalError(UserError):
    """The journal cannot be opened, read or written."""


class ProfileError(UserError):
    """The profile folder is unusable, or another desk has it open."""


def extra_from(extra: str) -> str:
    """How to get a part that is left out: the end of a sentence, after a colon.

    extra: its name in `basisdesk[EXTRA]`. A bundle has no pip, so there it is the wheel's.
    """
    if getattr(sys, "frozen", False):
        wheel = f"basisdesk-{__version__}-py3-none-any.whl"
        return f'this bundle leaves it out; install the wheel: pipx install "./{wheel}[{extra}]"'
    return f"pip install basisdesk[{extra}]"
