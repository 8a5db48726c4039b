"""Past sessions into the profile's trash, and back. Nothing is deleted.

A journal is one chain: no session can be cut out of it without breaking what proves the rest. So
    a session among others     only its tape goes; its lines in the ledger stay
    all sessions of a folder   the whole folder goes: journal, mark, tapes, logs; the account begins
                               anew there, as after a reset
and never the session that runs, nor a folder that another desk has open. Each visit to the trash is
a folder `trash/<UTC stamp>/` with a manifest that says what lay where, written before anything
moves: a crash in between loses nothing.
"""

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from basisdesk.errors import UserError
from basisdesk.lab.library import JOURNAL, MAIN, Place, Session, Tape
from basisdesk.lab.library_marks import write_private
from basisdesk.lab.stamp import utc_text
from basisdesk.ledger.lock import FileLock

TRASH = "trash"
MANIFEST = "manifest.json"
VERSION = 1
MANIFEST_BYTES_MAX = 1024 * 1024
PARTS_MAX = 5_000
NAMED_MAX = 3  # paths in one sentence
LISTED_MAX = 500
_STAMP = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
_SIGNS = re.compile(r"[/\\:\0]")  # what no name in a folder of the trash has
_MB = 1e6


class Part(msgspec.Struct, frozen=True):
    """One thing in the trash: where it lay in the profile, and its name in the trash's folder."""

    place: str
    name: str
    whole: bool = False  # a whole folder of an account


class Manifest(msgspec.Struct, frozen=True):
    """What one visit to the trash holds. said: in words."""

    version: int
    utc: str
    said: str
    parts: tuple[Part, ...]
    sessions: tuple[str, ...] = ()


class Thrown(NamedTuple):
    """One visit to the trash as a list shows it."""

    name: str
    utc: str
    said: str
    mb: float


class Plan(NamedTuple):
    """What would go. tapes: files of sessions among others; folders: whole; said: in words.

    problem: why nothing can go, in a sentence, or "".
    """

    tapes: tuple[Path, ...]
    folders: tuple[Place, ...]
    said: str
    problem: str = ""


class Held(NamedTuple):
    """What this process has open: the account whose lock it holds, and the running session."""

    account: str = ""
    running: str = ""  # its key


def plan(chosen: Sequence[Session], known: Sequence[Session], held: Held) -> Plan:
    """What goes into the trash of these sessions, and what stays. known: all of the profile."""
    if not chosen:
        return Plan((), (), "", "Choose a session first.")
    if any(each.key == held.running for each in chosen if held.running):
        return Plan((), (), "", "This session runs now. Leave the desk, or choose another one.")
    keys = {each.key for each in chosen}
    busy = held.running.rpartition("/")[0]  # the folder this desk writes into, whatever is listed
    folders: list[Place] = []
    stay: list[Place] = []
    for place in dict.fromkeys(each.place for each in chosen):
        of_it = [each for each in known if each.place == place]
        whole = place.name != busy and all(each.key in keys for each in of_it)
        (folders if whole else stay).append(place)
    cut = [each for each in chosen if each.place in stay]
    # A tape in a folder that a person keeps elsewhere is theirs to delete.
    tapes = [
        tape for each in cut for tape in each.tapes if tape.path.is_relative_to(each.place.profile)
    ]
    if not folders and not tapes:
        return Plan((), (), "", _nothing(cut))
    if len(folders) + len(tapes) > PARTS_MAX:
        return Plan((), (), "", f"More than {PARTS_MAX:,} tapes at once. Choose fewer sessions.")
    paths = tuple(tape.path for tape in tapes)
    return Plan(paths, tuple(folders), _words(folders, known, cut, tapes))


def to_trash(
    profile: Path,
    going: Plan,
    held: Held,
    now_ns: int,
    keep: Sequence[str] = (),
    still: Callable[[], str] = str,
) -> Path:
    """Move what a plan names; gives the folder in the trash. All of it goes, or nothing.

    keep: names of files that an account's folder is given again: they are no money. still: asked
    with every lock held, right before anything moves: why it must not any more, or "". Raises
    UserError where a desk has it open, or the disk refuses.
    """
    if going.problem:
        raise UserError(going.problem)
    homes = [place for place in going.folders if not place.archived]
    homes += [at for tape in going.tapes if (at := _place_of(profile, tape)) is not None]
    with _locked(profile, homes, held, going.folders):
        if problem := still():
            raise UserError(problem)
        moves = [(place.folder, True) for place in going.folders]
        moves += [(tape, False) for tape in going.tapes]
        target = _moved(profile, moves, going.said, now_ns)
        for place in going.folders:
            if not place.archived:
                _give_back(target, place, keep)
    return target


def thrown(profile: Path) -> list[Thrown]:
    """What lies in the trash, newest first. What cannot be read is a line that says so."""
    found = []
    with suppress(OSError):
        folders = [each for each in (profile / TRASH).iterdir() if _STAMP.fullmatch(each.name)]
        for folder in sorted(folders, reverse=True)[:LISTED_MAX]:
            try:
                manifest = _manifest(folder)
                utc, said = manifest.utc, manifest.said
            except UserError as exc:
                utc, said = "", str(exc)
            found.append(Thrown(folder.name, utc, said, _size(folder) / _MB))
    return found


def restore(profile: Path, name: str, held: Held, now_ns: int) -> str:
    """Put a visit to the trash back where it lay; gives what was done, in a sentence.

    A whole folder whose account has begun anew meanwhile goes into the archive instead. Raises
    UserError where the place of a file is taken, or the disk refuses; what was moved goes back.
    """
    if not _STAMP.fullmatch(name):
        raise UserError(f"{name!r} is no name in the trash.")
    folder = profile / TRASH / name
    manifest = _manifest(folder)
    moves: list[tuple[Path, Path]] = []
    said = []
    for part in manifest.parts:
        source, target = folder / part.name, _inside(profile, part.place)
        if not source.exists():
            continue  # a crash came between: it lies where it lay
        if part.whole and target.exists() and not _made_way(target, source, profile, held):
            target = _archived(profile, target, now_ns)
            said.append(f"The account began anew: it is in the archive as {target.parent.name}.")
        elif target.exists():
            raise UserError(f"{target} is there again. Move it away first.")
        moves.append((source, target))
    _move_all(moves)
    _let_go(folder)
    return " ".join(dict.fromkeys(said)) or "It is back where it lay."


# --- words ----------------------------------------------------------------------------------------


def _nothing(cut: Sequence[Session]) -> str:
    which = "This session has" if len(cut) == 1 else "These sessions have"
    return (
        f"{which} no tape, and lines of a ledger cannot be cut out of it. Choose all sessions of "
        "the account to put the whole account away."
    )


def _words(
    folders: Sequence[Place],
    known: Sequence[Session],
    cut: Sequence[Session],
    tapes: Sequence[Tape],
) -> str:
    said = []
    for place in folders:
        inside = [each.session for each in known if each.place == place]
        count = len(inside)
        all_of = "its one session" if count == 1 else f"all its {count:,} sessions"
        if inside == [""]:
            all_of = "every session in it (it cannot be read, so they cannot be counted)"
        where = f"archive {place.archived}" if place.archived else f"account {place.account}"
        after = "" if place.archived else " The account begins anew there."
        said.append(
            f"The whole ledger of {where}, {place.mode}, with {all_of}, tapes and logs.{after}"
        )
    if cut:
        size = sum(tape.size for tape in tapes) / _MB
        what = "The tape" if len(tapes) == 1 else f"{len(tapes):,} tapes"
        names = [each.session for each in cut if each.tapes]
        more = f" and {len(names) - NAMED_MAX:,} more" if len(names) > NAMED_MAX else ""
        whose = "session" if len(names) == 1 else "sessions"
        what += f" of {whose} {', '.join(names[:NAMED_MAX])}{more}"
        stay = "1 session of it stays in the list, with its money"
        if len(cut) > 1:
            stay = f"{len(cut):,} sessions of it stay in the list, with their money"
        said.append(
            f"{what} ({size:,.1f} MB). The ledger is one chain and holds other sessions too: "
            f"{stay}, and can be reported but not replayed."
        )
    return " ".join(said)


# --- moving ---------------------------------------------------------------------------------------


def _moved(profile: Path, moves: Sequence[tuple[Path, bool]], said: str, now_ns: int) -> Path:
    stamp = f"{utc_text(now_ns)[:19].replace('-', '').replace(':', '')}Z"
    parts = tuple(
        Part(path.relative_to(profile).as_posix(), f"{at}-{path.name}", whole)
        for at, (path, whole) in enumerate(moves, 1)
    )
    manifest = Manifest(VERSION, utc_text(now_ns), said, parts)
    try:
        target = _new_folder(profile / TRASH, stamp)
    except OSError as exc:
        raise UserError(f"Cannot write into {profile / TRASH}: {exc.strerror}.") from exc
    try:
        write_private(target / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        _move_all([(profile / part.place, target / part.name) for part in parts])
    except OSError as exc:
        _let_go(target)
        raise UserError(f"Cannot write into {target}: {exc.strerror}.") from exc
    except UserError:
        _let_go(target)
        raise
    return target


def _let_go(folder: Path) -> None:
    """Take a visit to the trash away if nothing but its manifest is in it; else all of it stays."""
    with suppress(OSError):
        if all(each.name == MANIFEST for each in folder.iterdir()):
            (folder / MANIFEST).unlink(missing_ok=True)
            folder.rmdir()


def _move_all(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move all, or put back what was moved. Raises UserError: it says what could not go back."""
    done: list[tuple[Path, Path]] = []
    for source, target in moves:
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _rename(source, target)
        except OSError as exc:
            stuck = [now for was, now in reversed(done) if not _went(now, was)]
            raise UserError(f"Cannot move {source}: {exc.strerror}. {_left(stuck)}") from exc
        done.append((source, target))


def _rename(source: Path, target: Path) -> None:
    """Move, and never over something: a rename alone would do that to a file."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "something is there already")
    source.rename(target)


def _went(source: Path, target: Path) -> bool:
    try:
        _rename(source, target)
    except OSError:
        return False
    return True


def _left(stuck: Sequence[Path]) -> str:
    """Where things are after a move that failed."""
    if not stuck:
        return "Nothing was moved."
    named = ", ".join(str(path) for path in stuck[:NAMED_MAX])
    more = f" and {len(stuck) - NAMED_MAX:,} more" if len(stuck) > NAMED_MAX else ""
    return (
        f"What had moved before could not go back and lies there now: {named}{more}. Nothing is "
        "deleted; when the disk works again, Trash\u2026 puts back what is in the trash."
    )


def _new_folder(parent: Path, stamp: str) -> Path:
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = 1
    while True:
        made = parent / (stamp if count == 1 else f"{stamp}-{count}")
        try:
            made.mkdir(mode=0o700)
        except FileExistsError:
            count += 1
        else:
            return made


def _give_back(target: Path, place: Place, keep: Sequence[str]) -> None:
    """Files that are no money go on in the account's folder; without them it only starts bare."""
    held = next((each for each in target.iterdir() if each.name.endswith(f"-{place.mode}")), None)
    with suppress(OSError):
        for name in keep:
            if held is not None and (held / name).is_file():
                place.folder.mkdir(mode=0o700, exist_ok=True)
                shutil.copy2(held / name, place.folder / name)


def _made_way(target: Path, source: Path, profile: Path, held: Held) -> bool:
    """Clear a folder in which no desk ran since: it holds copies of what comes back, no journal.

    source: what comes back. A file that is not in it, and holds something, is not ours to clear.
    """
    place = _place_of(profile, target / JOURNAL)
    if (target / JOURNAL).exists() or place is None:
        return False
    try:
        with _locked(profile, [place], held):
            files = list(target.iterdir())
            if not all(each.is_file() and _spare(each, source) for each in files):
                return False
            for each in files:
                each.unlink()
            target.rmdir()
    except (OSError, UserError):
        return False
    return True


def _spare(file: Path, source: Path) -> bool:
    if file.stat().st_size == 0:
        return True  # a lock that nobody holds
    return not file.name.startswith(JOURNAL) and (source / file.name).is_file()


def _archived(profile: Path, target: Path, now_ns: int) -> Path:
    place = _place_of(profile, target / JOURNAL)
    account = place.account if place is not None else MAIN
    stamp = f"{account}-{utc_text(now_ns)[:19].replace('-', '').replace(':', '')}Z"
    try:
        return _new_folder(profile / "archive", stamp) / target.name
    except OSError as exc:
        raise UserError(f"Cannot write into {profile / 'archive'}: {exc.strerror}.") from exc


@contextmanager
def _locked(
    profile: Path, places: Sequence[Place], held: Held, folders: Sequence[Place] = ()
) -> Iterator[None]:
    """Hold the locks of these accounts, so that no desk opens them meanwhile. Raises UserError.

    folders: go as a whole. Their journals' own locks are taken too, those of this desk's account
    as well: whoever writes there is a desk, whatever this process believes to hold.
    """
    wanted = [
        (account, (profile if account == MAIN else profile / "accounts" / account) / "desk.lock")
        for account in dict.fromkeys(p.account for p in places if not p.archived)
        if account != held.account  # its lock is this desk's own
    ]
    wanted += [(p.account, p.folder / f"{JOURNAL}.lock") for p in folders if not p.archived]
    locks: list[FileLock] = []
    try:
        for account, path in wanted:
            try:
                locks.append(FileLock(path))
            except FileNotFoundError as exc:
                raise UserError(f"{path.parent} is gone. Look again (F5).") from exc
            except OSError as exc:
                raise UserError(
                    f"The account {account} is open in another desk. Close that one first."
                ) from exc
            if sys.platform == "win32" and path.name != "desk.lock":
                locks[-1].release()  # nobody has it; a folder with an open file cannot move there
        yield
    finally:
        for lock in locks:
            lock.release(remove_if_made=True)


def _place_of(profile: Path, path: Path) -> Place | None:
    """The account's folder that a path lies in; None outside of all."""
    parts = path.relative_to(profile).parts
    if parts[:1] == ("archive",) and len(parts) > 3:
        home, archived = profile / parts[0] / parts[1], parts[1]
        return Place(profile, home / parts[2], parts[1].rpartition("-")[0], parts[2], archived)
    if parts[:1] == ("accounts",) and len(parts) > 3:
        return Place(profile, profile / parts[0] / parts[1] / parts[2], parts[1], parts[2])
    return Place(profile, profile / parts[0], MAIN, parts[0]) if len(parts) > 1 else None


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise UserError(f"{path} is larger than a manifest can be.")
        read = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as exc:
        raise UserError(f"Cannot read {path}: {exc.strerror}. Move its files by hand.") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise UserError(f"{path} is damaged ({exc}). Move its files by hand.") from exc
    for part in read.parts:
        if part.name in ("", ".", "..", MANIFEST) or _SIGNS.search(part.name):
            raise UserError(f"{path} names a file outside of the trash. Move its files by hand.")
    return read


def _inside(profile: Path, place: str) -> Path:
    """The path of a manifest's place. Raises UserError where it leads out of the profile."""
    pure = PurePosixPath(place)
    found = profile / pure
    outside = pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in place
    if outside or not found.parent.resolve().is_relative_to(profile.resolve()):
        raise UserError(f"The manifest wants {place!r}, outside of the profile. Nothing was moved.")
    return found


def _size(folder: Path) -> int:
    total = 0
    with suppress(OSError):
        for at, path in enumerate(folder.rglob("*")):
            if at >= PARTS_MAX:
                break
            total += path.stat().st_size if path.is_file() else 0
    return total
