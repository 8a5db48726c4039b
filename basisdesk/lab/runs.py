"""Runs of the lab on disk: a folder each, with the study, its page and what it was asked to do.

A run is `<folder>/<UTC stamp>-<study>[-n]/`: `study.json`, `report.html`, and beside them
`run.json` (what was asked, and the person's own note) and `head.json` (what a list shows of it, so
that a list of thousands reads no study whole; it is made anew where it does not fit the study).
Nothing in it is ever written over but the note and the head. A run that is taken away goes into the
trash of the folder: nothing is lost by a slip.
"""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.errors import UserError
from basisdesk.lab.looks import Look, data_name, looks_of
from basisdesk.lab.pages import DATA, PAGE, write_study
from basisdesk.lab.stamp import utc_text

ASKED = "run.json"
HEAD = "head.json"
HEAD_VERSION = 1
TRASH = "trash"
RUNS_MAX = 2_000  # listed, newest first
STUDY_BYTES_MAX = 64 * 1024 * 1024
NOTE_CHARS_MAX = 2_000
_NAME = re.compile(r"\d{8}T\d{6}Z-[a-z_]+(-\d+)?")


class Asked(msgspec.Struct, frozen=True):
    """What a run was asked to do. arguments: of the command line after `lab STUDY`."""

    study: str
    arguments: tuple[str, ...] = ()
    note: str = ""


class Run(msgspec.Struct, frozen=True):
    """One run as a list shows it. said: the first sentence of what it found."""

    name: str
    study: str
    utc: str
    said: str
    note: str
    digest: str


class Head(msgspec.Struct, frozen=True):
    """What a list, the claims and the count of looks need of a run, without its study.

    size, changed_ns: of the study that it was made of. claims: by claim (status, said, n).
    about: names of its data. data: what of which data it looked at.
    """

    name: str
    study: str
    said: str
    digest: str
    about: str
    size: int
    changed_ns: int
    claims: dict[str, tuple[str, str, int]] = {}
    data: tuple[Look, ...] = ()
    version: int = HEAD_VERSION


class Runs:
    """The runs of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, study: Mapping[str, Any], asked: Asked, now_ns: int) -> Path:
        """Write a run; gives its folder. Raises UserError where the disk refuses."""
        stamp = re.sub(r"[-:]", "", utc_text(now_ns)[:19]).replace(" ", "T") + "Z"
        place = self._made(f"{stamp}-{asked.study}")
        _write(place / ASKED, asked)
        write_study(study, place)
        _head(place)
        return place

    def _made(self, name: str) -> Path:
        """A new folder of that name, or of it and a number: two who keep at once get two."""
        place, count = self.folder / name, 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    place.mkdir()
                except FileExistsError:
                    count += 1
                    place = self.folder / f"{name}-{count}"
                else:
                    return place
        except OSError as exc:
            raise UserError(f"Cannot make {place}: {exc.strerror}.") from exc

    def listed(self, heads: Sequence[Head] | None = None) -> list[Run]:
        """All runs that can be read, newest first, RUNS_MAX at most; of `heads` where given."""
        return [
            Run(
                head.name, head.study, _utc(head.name), head.said,
                _asked(self.folder / head.name).note, head.digest,
            )
            for head in (self.heads() if heads is None else heads)
        ]  # fmt: skip

    def heads(self) -> list[Head]:
        """Heads of all runs that can be read, newest first, RUNS_MAX at most."""
        return list(islice(self._heads(self.folder), RUNS_MAX))

    def looks(self) -> list[tuple[Look, ...]]:
        """What each kept run looked at, those in the trash too: they were seen."""
        heads = [*self.heads(), *islice(self._heads(self.folder / TRASH), RUNS_MAX)]
        return [head.data for head in heads]

    def _heads(self, folder: Path) -> Iterator[Head]:
        if not folder.is_dir():
            return
        for name in sorted((each.name for each in folder.iterdir()), reverse=True):
            if _NAME.fullmatch(name):
                head = _head(folder / name)
                if head is not None:
                    yield head

    def study(self, name: str) -> dict[str, Any]:
        """The whole study of a run. Raises UserError when it is gone or damaged."""
        return _study(self._place(name) / DATA)

    def page(self, name: str) -> Path:
        """Where a run's page lies."""
        return self._place(name) / PAGE

    def noted(self, name: str, note: str) -> None:
        """Keep a person's note with a run. Raises UserError where the disk refuses."""
        place = self._place(name)
        _write(place / ASKED, msgspec.structs.replace(_asked(place), note=note[:NOTE_CHARS_MAX]))

    def to_trash(self, name: str) -> Path:
        """Move a run into the trash; gives where it went. Raises UserError where it cannot be."""
        place, trash = self._place(name), self.folder / TRASH
        try:
            trash.mkdir(exist_ok=True)
            target, count = trash / name, 1
            while target.exists():
                count += 1
                target = trash / f"{name}-{count}"
            return Path(shutil.move(place, target))
        except OSError as exc:
            raise UserError(f"Cannot move {place} to the trash: {exc.strerror}.") from exc

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UserError(f"{name!r} is not the name of a run.")
        return self.folder / name


def _study(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > STUDY_BYTES_MAX:
            raise UserError(f"{path} is larger than a study can be. Open its page instead.")
        read = msgspec.json.decode(path.read_bytes())
    except OSError as exc:
        raise UserError(f"Cannot read {path}: {exc.strerror}.") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise UserError(f"{path} is damaged ({exc}). Run the study again.") from exc
    if not isinstance(read, dict):
        raise UserError(f"{path} is no study. Run the study again.")
    return read


# --- heads ----------------------------------------------------------------------------------------


def _head(place: Path) -> Head | None:
    """The head of a run: as it was kept where it fits the study, else made of the study."""
    try:
        state = (place / DATA).stat()
        kept = msgspec.json.decode((place / HEAD).read_bytes(), type=Head)
        fits = (kept.size, kept.changed_ns) == (state.st_size, state.st_mtime_ns)
        if fits and kept.version == HEAD_VERSION:
            return msgspec.structs.replace(kept, name=place.name)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        state = (place / DATA).stat()
        made = head_of(_study(place / DATA), place.name, (state.st_size, state.st_mtime_ns))
    except (OSError, UserError):
        return None
    with suppress(UserError):  # a folder that cannot be written to is only slower
        _write(place / HEAD, made)
    return made


def head_of(study: Mapping[str, Any], name: str, state: tuple[int, int]) -> Head:
    """The head of a study. state: size and time of its file."""
    sentences, cautions = study.get("sentences"), study.get("cautions")
    told = [str(each) for each in sentences] if isinstance(sentences, list) else []
    first = [each for each in told if each not in (cautions or ())] or told or [""]
    block = study.get("pre_registration")
    return Head(
        name=name,
        study=str(study.get("study", "")),
        said=first[0],
        digest=str(block.get("hash", "")) if isinstance(block, Mapping) else "",
        about=data_name(study),
        size=state[0],
        changed_ns=state[1],
        claims=_claims(study.get("claims")),
        data=tuple(looks_of(study)),
    )


def _claims(claims: object) -> dict[str, tuple[str, str, int]]:
    if not isinstance(claims, Mapping):
        return {}
    out = {}
    for key, each in claims.items():
        if isinstance(each, Mapping):
            n = each.get("n", 0)
            out[str(key)] = (
                str(each.get("status", "")),
                str(each.get("said", "")),
                n if isinstance(n, int) else 0,
            )
    return out


def _utc(name: str) -> str:
    return f"{name[:4]}-{name[4:6]}-{name[6:8]} {name[9:11]}:{name[11:13]}:{name[13:15]}"


def _asked(place: Path) -> Asked:
    try:
        return msgspec.json.decode((place / ASKED).read_bytes(), type=Asked)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Asked("")


def _write(path: Path, asked: Asked | Head) -> None:
    part = path.with_suffix(".part")
    try:
        part.write_bytes(msgspec.json.encode(asked))
        part.replace(path)
    except OSError as exc:
        raise UserError(f"Cannot write {path}: {exc.strerror}.") from exc
