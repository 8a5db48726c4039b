"""What the library moves, and when it must not: the desk leaves, or things are not as told."""

import asyncio
import shutil
import threading
from pathlib import Path

import pytest
from library_rig import put_tape, small_profile

from basisdesk.app import library as library_module
from basisdesk.app.library import CHANGED, Here, Libraries
from basisdesk.config import Settings
from basisdesk.lab import library_trash
from basisdesk.lab.library_report import Now

FOUR = "archive/main-20260101T000000Z/simulated/four"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return small_profile(tmp_path_factory.mktemp("moves") / "profile")


@pytest.fixture
def made(written, tmp_path, qtbot):
    profile = Path(shutil.copytree(written, tmp_path / "profile"))
    played = []
    here = Here("main", "simulated", "two", lambda: Now({}, {}))
    library = Libraries(profile, Settings(), played.append, here)
    looked(library, qtbot)
    yield library, profile, played
    library.close()


def looked(library, qtbot):
    said = []
    library.look(said.append)
    qtbot.waitUntil(lambda: bool(said))
    return said[0]


def trashed(library, keys, qtbot):
    said = []
    library.trash(keys, said.append)
    qtbot.waitUntil(lambda: bool(said))
    return said[0]


def test_what_was_not_told_does_not_go(made, qtbot):
    library, profile, _ = made
    keys = ["simulated/one"]
    assert "The tape of session one (0.0 MB)" in library.trash_words(keys)[0]
    put_tape(profile / "simulated", "one-2")
    assert trashed(library, keys, qtbot) == CHANGED
    assert not (profile / "trash").exists()
    looked(library, qtbot)
    assert "2 tapes" in library.trash_words(keys)[0]
    assert trashed(library, keys, qtbot) == ""
    assert len(library.trashed()) == 1


def test_a_journal_that_changed_since_it_was_read_does_not_go(made, qtbot, monkeypatch):
    library, profile, _ = made
    keys = [FOUR]
    assert "whole ledger" in library.trash_words(keys)[0]
    monkeypatch.setattr("basisdesk.lab.library.Shelf.changed", lambda _shelf, _place: True)
    assert trashed(library, keys, qtbot) == CHANGED
    monkeypatch.undo()
    assert trashed(library, keys, qtbot) == ""
    assert not (profile / FOUR).parent.exists()


def test_the_desk_waits_for_a_move_that_has_begun(made, monkeypatch):
    library, profile, _ = made
    begun, go_on = threading.Event(), threading.Event()
    real = library_trash._move_all

    def slow(moves):
        begun.set()
        assert go_on.wait(5)
        real(moves)

    monkeypatch.setattr(library_trash, "_move_all", slow)

    async def leave():
        library.trash([FOUR], lambda _said: None)
        await asyncio.to_thread(begun.wait, 5)
        closing = asyncio.create_task(library.closed())
        for _ in range(3):
            await asyncio.sleep(0)
        assert not closing.done()
        go_on.set()
        await closing
        assert not (profile / FOUR).parent.exists()

    asyncio.run(leave())


@pytest.mark.parametrize("what", ["trash", "restore"])
def test_a_desk_that_has_left_moves_nothing(made, qtbot, monkeypatch, what):
    library, profile, _ = made
    if what == "restore":
        assert trashed(library, [FOUR], qtbot) == ""
    before = sorted(profile.rglob("*.tape"))
    begun, go_on = threading.Event(), threading.Event()
    held = library._before_leaving

    def late():  # the journals are read by now, which takes seconds in a large profile
        begun.set()
        assert go_on.wait(5)
        return held()

    monkeypatch.setattr(library, "_before_leaving", late)
    if what == "restore":
        library.restore(library.trashed()[0].name, lambda _said: None)
    else:
        library.trash([FOUR], lambda _said: None)
    assert begun.wait(5)
    asyncio.run(library.closed())  # does not wait for it: it may not move any more
    go_on.set()
    library._disk.shutdown(wait=True)
    assert sorted(profile.rglob("*.tape")) == before


def test_sessions_beyond_the_list_keep_their_ledger(made, qtbot, monkeypatch):
    library, _, _ = made
    monkeypatch.setattr(library_module, "LISTED_MAX", 3)
    assert "Of 4 sessions the newest 3 are listed" in looked(library, qtbot)
    assert [line.session for line in library.lines()] == ["four", "three", "two"]
    library._here = None
    said, problem = library.trash_words(["simulated/two"])
    assert (problem, "one chain" in said) == ("", True)


def test_each_part_of_a_recording_can_be_played(made, qtbot):
    library, profile, played = made
    put_tape(profile / "simulated", "one-2", 3_000_000)
    looked(library, qtbot)
    line = next(each for each in library.lines() if each.session == "one")
    assert (line.mb, line.tapes_mb) == (3.001, (0.001, 3.0))
    assert [library.replay(line.key, part) for part in (1, 0)] == ["", ""]
    assert [path.stem for path in played] == ["one-2", "one"]
    assert "no tape" in library.replay(line.key, 2)
