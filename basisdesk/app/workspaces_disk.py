"""The workspaces a person saved: one file in the profile, `workspaces.json`.

Two desks may use one profile, so each change reads the file again first. A file that cannot be
read is put aside under another name before anything is written, and a workspace that this version
does not take stays in the file, so nothing of it is lost.
"""

import base64
import binascii
import os
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from basisdesk.app.crash import log
from basisdesk.ui.workspace_rows import STATE_BYTES_MAX, name_problem

FILE = "workspaces.json"
ASIDE = "workspaces-damaged.json"
VERSION = 1
ASIDE_MAX = 9  # damaged files kept; the second is workspaces-damaged-2.json
NAMES_MAX = 24
FILE_BYTES_MAX = 1 << 23


class _Workspace(msgspec.Struct):
    name: str
    state: str
    crc: int


class _File(msgspec.Struct):
    version: int
    workspaces: list[_Workspace]


class WorkspacesDisk:
    """Named workspaces in one file; implements `Workspaces` of ui/product_actions.py.

    problem: why the file, or some of it, cannot be used, one sentence, "" while all is well.
    """

    def __init__(self, profile: Path) -> None:
        self._path = profile / FILE
        self.problem = ""
        self._newer = self._damaged = False
        self._kept: dict[str, _Workspace] = {}
        self._others: list[_Workspace] = []  # too many, or named as none may be: kept, not shown
        self._read()

    def names(self) -> Sequence[str]:
        """Every workspace a person saved, in the order of their names."""
        return tuple(sorted(self._kept, key=str.lower))

    def load(self, name: str) -> bytes:
        """A saved arrangement, as `save` got it; b"" where there is none or it is damaged."""
        self._read()
        kept = self._kept.get(name)
        if kept is None:
            return b""
        try:
            state = base64.b64decode(kept.state, validate=True)
        except (binascii.Error, ValueError):
            return b""
        return state if zlib.crc32(state) == kept.crc else b""

    def save(self, name: str, state: bytes) -> str:
        """Keep an arrangement under a name, in place of the one that had it. Why not, or ""."""
        if problem := name_problem(name):
            return problem
        if len(state) > STATE_BYTES_MAX:
            return f"This workspace is larger than {STATE_BYTES_MAX >> 10:,} KB; it was not saved."
        self._read()
        if name not in self._kept and len(self._kept) >= NAMES_MAX:
            return f"There are {NAMES_MAX} workspaces already. Delete one first."
        kept = dict(self._kept)
        kept[name] = _Workspace(name, base64.b64encode(state).decode(), zlib.crc32(state))
        return self._write(kept)

    def drop(self, name: str) -> str:
        """Forget a workspace. Why not, or ""."""
        self._read()
        if name not in self._kept:
            return f"There is no workspace {name} any more."
        return self._write({key: kept for key, kept in self._kept.items() if key != name})

    # --- inside -----------------------------------------------------------------------------------

    def _read(self) -> None:
        self.problem, self._newer, self._damaged = "", False, False
        self._kept, self._others = {}, []
        try:
            if self._path.stat().st_size > FILE_BYTES_MAX:
                self.problem = self._unusable("is too large")
                return
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return
        except OSError as exc:
            self.problem = self._unusable(f"cannot be read ({exc.strerror})")
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.problem = self._unusable("is damaged")
            return
        if found.version != VERSION:
            self._newer = True
            self.problem = (
                f"{FILE} was written by another version of basisdesk; your workspaces stay in it "
                "and are not shown here."
            )
            return
        for each in found.workspaces:
            fits = each.name in self._kept or len(self._kept) < NAMES_MAX
            if not fits or name_problem(each.name):
                self._others.append(each)
            else:
                self._kept[each.name] = each
        if left := len(self._others):
            self.problem = (
                f"{FILE} holds {left} more workspace{'s' * (left > 1)} than are shown: "
                f"{NAMES_MAX} at most, and none with the name of a ready-made one or with signs "
                f"that names may not have. {'They stay' if left > 1 else 'It stays'} in the file."
            )

    def _unusable(self, why: str) -> str:
        self._damaged = True
        return (
            f"{FILE} {why}; only the ready-made workspaces are offered. The next one you save puts "
            f"it aside as {self._aside().name}."
        )

    def _aside(self) -> Path:
        """Where a damaged file goes: nothing that was put aside before is written over."""
        first = self._path.with_name(ASIDE)
        names = [first, *(first.with_stem(f"{first.stem}-{n}") for n in range(2, ASIDE_MAX + 1))]
        return next((path for path in names if not path.exists()), names[-1])

    def _write(self, kept: dict[str, _Workspace]) -> str:
        """Write in one step, so that a crash leaves the old file or the new one."""
        if self._newer:
            return f"{self.problem} Nothing was written."
        body = msgspec.json.encode(_File(VERSION, [*kept.values(), *self._others]))
        if len(body) > FILE_BYTES_MAX:
            return f"All workspaces together exceed {FILE_BYTES_MAX >> 20} MB. Delete one first."
        aside, part = self._aside(), ""
        if self._damaged and aside.exists():
            return f"{FILE} is damaged, as {ASIDE_MAX} before it. Delete {aside.name}, then save."
        try:  # a name of its own: two desks may write at once
            handle, part = tempfile.mkstemp(".part", f"{FILE}.", self._path.parent)  # 0600
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(handle)
            if self._damaged and self._path.exists():
                self._path.replace(aside)
            Path(part).replace(self._path)
        except OSError as exc:
            log.warning("workspaces not saved: %s", exc)
            with suppress(OSError):
                Path(part).unlink(missing_ok=True)
            return f"Cannot write {FILE}: {exc.strerror}. The workspaces stay as they were."
        self._damaged, self._kept = False, kept
        if not self._others:
            self.problem = ""
        return ""
