"""The autopilot on the disk: its memory in one file, its notes in another that only grows."""

import contextlib
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}$')
DUMP_BYTES_MAX = 64_000_000
NOTES_BYTES_MAX = 4_000_000  # of one file of notes; the one before it stays


class KeptFile(msgspec.Struct, frozen=True):
    """What autopilot.json holds: when it was written, whether at an orderly end, and the memories.

    The last member of the file, "crc", is the CRC-32 of the rest. A file without one is taken.
    """

    t_ns: int
    orderly: bool
    autopilot: dict[str, Any]
    bands: dict[str, dict[str, Any]]


class AutopilotFiles:
    """autopilot.json, whole or not at all, and notes.jsonl with the part before it. For a thread.

    problem: the last thing that went wrong, in words.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem = ""
        self._dump = folder / "autopilot.json"
        self._notes = folder / "notes.jsonl"

    def load(self) -> KeptFile | None:
        """What was kept; None for nothing. What cannot be read is put aside."""
        try:
            small = self._dump.stat().st_size <= DUMP_BYTES_MAX
            data = self._dump.read_bytes() if small else b""
            return msgspec.json.decode(_checked(data), type=KeptFile)
        except FileNotFoundError:
            return None
        except OSError as exc:
            self.put_aside(exc.strerror or "it cannot be opened")
        except msgspec.ValidationError as exc:
            self.put_aside(str(exc))
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            self.put_aside("it is damaged")
        return None

    def put_aside(self, why: str) -> None:
        """Keep a file that cannot be used beside, and say so."""
        said = "".join(c if c.isprintable() else " " for c in why)[:160]
        self.problem = (
            f"What the autopilot kept cannot be read: {said}. Every pair is off; the file is kept "
            "as autopilot.bad.json."
        )
        with contextlib.suppress(OSError):
            self._dump.replace(self._dump.with_suffix(".bad.json"))

    def save(self, kept: KeptFile, notes: Sequence[Any]) -> bool:
        """Write the dump and the fresh notes; False, and `problem`, where that fails."""
        part = self._dump.with_suffix(".part")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(_sealed(msgspec.json.encode(kept)))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._dump)
            self._append(notes)
        except OSError as exc:
            self.problem = (
                f"Cannot write in {self.folder}: {exc.strerror}. A restart would forget the rest."
            )
            return False
        if self.problem.startswith("Cannot write"):
            self.problem = ""
        return True

    def _append(self, notes: Sequence[Any]) -> None:
        if not notes:
            return
        handle = os.open(self._notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(b"".join(msgspec.json.encode(note) + b"\n" for note in notes))
            full = file.tell() > NOTES_BYTES_MAX
        if full:
            self._notes.replace(self._notes.with_suffix(".1.jsonl"))


def _sealed(data: bytes) -> bytes:
    """A JSON object with its checksum as the last member."""
    return data[:-1] + b',"crc":"%08x"}' % zlib.crc32(data)


def _checked(data: bytes) -> bytes:
    """The same without it. Raises ValueError where it is another one."""
    seal = SEAL.search(data)
    if seal is None:
        return data
    rest = data[: seal.start()] + b"}"
    if zlib.crc32(rest) != int(seal[1], 16):
        raise ValueError("its checksum is another one")
    return rest
