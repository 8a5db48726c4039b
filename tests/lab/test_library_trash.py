"""The trash where things go wrong: a disk that fails, hostile manifests, tapes in several parts."""

import errno
import json
import shutil
from pathlib import Path

import pytest
from library_rig import put_tape, small_profile, write_sessions

from basisdesk.errors import UserError
from basisdesk.lab import library_marks
from basisdesk.lab.library import Shelf
from basisdesk.lab.library_marks import Marks, write_private
from basisdesk.lab.library_trash import MANIFEST, Held, plan, restore, thrown, to_trash
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.lock import FileLock

NOW_NS = 1_800_000_000_000_000_000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return small_profile(tmp_path_factory.mktemp("trash") / "profile")


@pytest.fixture
def profile(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "profile"))


@pytest.fixture
def failing(monkeypatch):
    """From the n-th rename on the disk refuses."""
    real = Path.rename

    def fail(first, last):
        count = 0

        def rename(path, target):
            nonlocal count
            count += 1
            if first <= count <= last:
                raise OSError(errno.EIO, "Input/output error")
            return real(path, target)

        monkeypatch.setattr(Path, "rename", rename)
        return lambda: monkeypatch.setattr(Path, "rename", real)

    return fail


def by_name(profile):
    return {each.session: each for each in Shelf(profile).look()}


def everything(profile):
    found = list(by_name(profile).values())
    return plan(found, found, Held())


def bodies(profile):
    return sorted(path.read_bytes() for path in profile.rglob("*.tape") if path.is_file())


def test_a_move_that_fails_leaves_all_as_it_was(profile, failing):
    before = by_name(profile)
    again = failing(2, 2)
    with pytest.raises(UserError, match="accounts/other/live: Input.* Nothing was moved"):
        to_trash(profile, everything(profile), Held(), NOW_NS)
    again()
    assert by_name(profile) == before
    assert list((profile / "trash").iterdir()) == []


def test_a_way_back_that_fails_deletes_nothing_and_the_trash_still_gives_it_back(profile, failing):
    before, tapes = by_name(profile), bodies(profile)
    again = failing(2, 9)
    with pytest.raises(UserError, match=r"could not go back and lies there now: .*1-simulated"):
        to_trash(profile, everything(profile), Held(), NOW_NS)
    assert bodies(profile) == tapes
    assert set(by_name(profile)) == {"one", "two", "three"}
    again()
    (line,) = thrown(profile)
    restore(profile, line.name, Held(), NOW_NS)
    assert by_name(profile) == before
    assert thrown(profile) == []


def test_a_way_out_of_the_trash_that_breaks_off_is_gone_again(profile, failing):
    before = by_name(profile)
    folder = to_trash(profile, everything(profile), Held(), NOW_NS)
    again = failing(2, 9)
    with pytest.raises(UserError, match="could not go back"):
        restore(profile, folder.name, Held(), NOW_NS)
    again()
    restore(profile, folder.name, Held(), NOW_NS)
    assert by_name(profile) == before
    assert thrown(profile) == []


def test_what_else_lies_in_a_visit_to_the_trash_is_not_deleted(profile):
    folder = to_trash(profile, everything(profile), Held(), NOW_NS)
    (folder / "mine.txt").write_text("kept by hand")
    restore(profile, folder.name, Held(), NOW_NS)
    assert (folder / "mine.txt").read_text() == "kept by hand"
    assert (folder / MANIFEST).is_file()


def test_a_folder_with_a_file_of_its_own_is_not_cleared_for_what_comes_back(profile):
    found = by_name(profile)
    going = plan([found["one"], found["two"]], list(found.values()), Held())
    folder = to_trash(profile, going, Held(), NOW_NS)
    (profile / "simulated").mkdir()
    (profile / "simulated" / "journal.db.mark").write_bytes(b"of a journal that was lost")
    assert "archive" in restore(profile, folder.name, Held(), NOW_NS)
    assert (profile / "simulated" / "journal.db.mark").is_file()


def test_a_folder_that_a_desk_writes_into_stays_whatever_this_process_believes(profile):
    found = by_name(profile)
    going = plan([found["one"], found["two"]], list(found.values()), Held())
    with (
        Journal.open(profile / "simulated" / "journal.db"),
        pytest.raises(UserError, match="open in another desk"),
    ):
        to_trash(profile, going, Held("main", "live/x"), NOW_NS)
    with pytest.raises(UserError, match="not any more"):
        to_trash(profile, going, Held(), NOW_NS, still=lambda: "not any more")
    assert by_name(profile) == found


def test_all_parts_of_a_recording_are_listed_and_go_together(profile):
    for name, size in (("one-2", 20), ("one-10", 30), ("one-02", 1), ("one-1", 1)):
        put_tape(profile / "simulated", name, size)
    found = by_name(profile)
    assert [tape.size for tape in found["one"].tapes] == [1_000, 20, 30]
    assert found["one"].tape_bytes == 1_050
    going = plan([found["one"]], list(found.values()), Held())
    assert "3 tapes of session one (0.0 MB)" in going.said
    to_trash(profile, going, Held(), NOW_NS)
    left = sorted(path.name for path in (profile / "simulated" / "tapes").iterdir())
    assert left == ["one-02.tape", "one-1.tape", "two.tape"]


def test_a_session_that_is_called_like_a_part_keeps_its_tape(tmp_path):
    write_sessions(tmp_path / "simulated", ["a", "a-2"])
    put_tape(tmp_path / "simulated", "a-2")
    put_tape(tmp_path / "simulated", "a-3")  # the first tape of a never came to be
    found = by_name(tmp_path)
    assert [tape.path.stem for tape in found["a"].tapes] == ["a-3"]
    assert [tape.path.stem for tape in found["a-2"].tapes] == ["a-2"]


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\\b", "c:x", MANIFEST])
def test_a_manifest_names_only_what_lies_beside_it(profile, name):
    folder = to_trash(profile, everything(profile), Held(), NOW_NS)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["parts"][0]["name"] = name
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="outside of the trash"):
        restore(profile, folder.name, Held(), NOW_NS)


def test_two_parts_of_a_manifest_never_meet_in_one_place(profile):
    put_tape(profile / "simulated", "one-2", 7)
    found = by_name(profile)
    folder = to_trash(profile, plan([found["one"]], list(found.values()), Held()), Held(), NOW_NS)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["parts"][1]["place"] = manifest["parts"][0]["place"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    tapes = bodies(profile)
    with pytest.raises(UserError, match="Nothing was moved"):
        restore(profile, folder.name, Held(), NOW_NS)
    assert bodies(profile) == tapes


def test_a_note_is_not_written_while_another_desk_writes_one(tmp_path):
    marks = Marks(tmp_path)
    lock = FileLock(tmp_path / "sessions.json.lock")
    try:
        with pytest.raises(UserError, match="Press Keep again"):
            marks.put("one", ["a"], "")
    finally:
        lock.release()
    marks.put("one", ["a"], "")
    assert Marks(tmp_path).of("one").tags == ("a",)


def test_two_writers_have_a_part_each_and_none_is_left(tmp_path, monkeypatch):
    path, parts = tmp_path / "x.json", []
    real = library_marks.os.fsync

    def other_writes_too(fd):
        monkeypatch.setattr(library_marks.os, "fsync", real)
        write_private(path, b"other")
        parts.extend(each.name for each in tmp_path.iterdir() if each.suffix == ".part")
        real(fd)

    monkeypatch.setattr(library_marks.os, "fsync", other_writes_too)
    write_private(path, b"whole")
    assert len(parts) == 1
    assert path.read_bytes() == b"whole"
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(path, b"nowhere to go")
    assert [each.name for each in tmp_path.iterdir()] == ["x.json"]
