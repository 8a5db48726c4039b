"""Tags and notes that a person keeps with past sessions: `sessions.json` of the profile.

One versioned file, written whole and swapped in. One that cannot be read is put aside under another
name at the next change, so nothing in it is lost. Desks of several accounts share it: each change
reads it again, under a lock, so that none takes another's away.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from basisdesk.errors import UserError
from basisdesk.ledger.lock import FileLock

FILE = "sessions.json"
VERSION = 1
BYTES_MAX = 4 * 1024 * 1024
MARKS_MAX = 10_000
TAGS_MAX = 12
TAG_CHARS_MAX = 32
NOTE_CHARS_MAX = 2_000


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person says of one session."""

    tags: tuple[str, ...] = ()
    note: str = ""


class _File(msgspec.Struct):
    version: int
    marks: dict[str, Mark]


class Marks:
    """All tags and notes of a profile. problem: why the file could not be read, or ""."""

    def __init__(self, profile: Path) -> None:
        self.path = profile / FILE
        self.problem = ""
        self._newer = False
        self._marks: dict[str, Mark] = self._read()

    def of(self, name: str) -> Mark:
        """What is kept with a session; nothing where nothing is."""
        return self._marks.get(name, Mark())

    def put(self, name: str, tags: Sequence[str], note: str) -> None:
        """Keep tags and a note; none of both forgets the session. Raises UserError."""
        mark = checked(tags, note)
        with self._alone():
            self._put(name, mark)

    def _put(self, name: str, mark: Mark) -> None:
        self._marks = self._read()  # a desk of another account may have written meanwhile
        if self._newer:
            raise UserError(f"{self.path} is from a newer basisdesk. Install that to change it.")
        marks = dict(self._marks)
        marks.pop(name, None)
        if mark != Mark():
            if len(marks) >= MARKS_MAX:
                raise UserError(f"{MARKS_MAX:,} sessions have tags or notes. Take one away first.")
            marks[name] = mark
        self._write(marks)
        self._marks = marks

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other desk changes the file meanwhile. Never waits: a change takes milliseconds."""
        try:
            lock = FileLock(self.path.with_name(f"{FILE}.lock"))
        except OSError as exc:
            said = f"Cannot write {self.path}: {exc.strerror}."
            if isinstance(exc, BlockingIOError) or (os.name == "nt" and self.path.exists()):
                said = "Another desk writes tags and notes at this moment. Press Keep again."
            raise UserError(said) from exc
        try:
            yield
        finally:
            lock.release()  # the file stays: one that went could be held by two

    def _read(self) -> dict[str, Mark]:
        self.problem, self._newer = "", False
        try:
            if self.path.stat().st_size > BYTES_MAX:
                self.problem = f"{self.path} is larger than {BYTES_MAX // 1024 // 1024} MB."
                return {}
            read = msgspec.json.decode(self.path.read_bytes(), type=_File)
        except FileNotFoundError:
            return {}
        except OSError as exc:
            self.problem = f"Tags and notes cannot be read from {self.path}: {exc.strerror}."
            return {}
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
            self.problem = (
                f"{self.path} is damaged ({exc}): tags and notes are not shown. It is put aside, "
                "not lost, when you write a new one."
            )
            return {}
        if read.version > VERSION:
            self._newer = True
            self.problem = f"{self.path} is from a newer basisdesk: tags cannot be changed here."
        return read.marks

    def _write(self, marks: dict[str, Mark]) -> None:
        body = msgspec.json.format(msgspec.json.encode(_File(VERSION, marks)), indent=1)
        if len(body) > BYTES_MAX:
            raise UserError(f"Tags and notes take more than {BYTES_MAX // 1024 // 1024} MB.")
        try:
            if self.problem:
                self._put_aside()
            write_private(self.path, body)
        except OSError as exc:
            raise UserError(f"Cannot write {self.path}: {exc.strerror}.") from exc
        self.problem = ""

    def _put_aside(self) -> None:
        count = 1
        while (aside := self.path.with_name(f"{FILE}.damaged-{count}")).exists():
            count += 1
        if self.path.exists():
            self.path.replace(aside)


def checked(tags: Sequence[str], note: str) -> Mark:
    """Tags each once, in order, without the blanks around; control characters become blanks.

    Raises UserError where there are too many, or one is too long.
    """
    plain = [_plain(tag) for tag in tags]
    kept = tuple(dict.fromkeys(tag for tag in plain if tag))
    if len(kept) > TAGS_MAX:
        raise UserError(f"A session has at most {TAGS_MAX} tags; these are {len(kept)}.")
    if long := next((tag for tag in kept if len(tag) > TAG_CHARS_MAX), ""):
        raise UserError(f"The tag {long[:TAG_CHARS_MAX]}… is longer than {TAG_CHARS_MAX} letters.")
    text = _plain(note)
    if len(text) > NOTE_CHARS_MAX:
        raise UserError(f"A note has at most {NOTE_CHARS_MAX:,} letters; this one {len(text):,}.")
    return Mark(kept, text)


def write_private(path: Path, body: bytes) -> None:
    """Write a file of the user's alone (0600), whole or not at all. Raises OSError.

    What is not whole yet has a name of its own: two processes never write into one part.
    """
    fd, name = tempfile.mkstemp(".part", f"{path.name}.", path.parent)
    part = Path(name)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
