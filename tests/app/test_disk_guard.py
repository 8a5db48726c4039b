"""The disk fills: recording stops, then trading, in words; and what goes on when there is room."""

from types import SimpleNamespace

import msgspec
import pytest

from basisdesk.app import disk_guard
from basisdesk.app.desk import DeskOptions
from basisdesk.app.disk_guard import (
    AMPLE_MB,
    BALLAST,
    BALLAST_MB,
    RETRY_LOOKS,
    SAID_LOOKS,
    DiskCalls,
    DiskGuard,
)
from basisdesk.app.taping import Recording
from basisdesk.app.uptime import Uptime, UptimeParts
from basisdesk.config import Settings, TapeSettings
from basisdesk.events import COMMAND, Frame, SetValue
from basisdesk.lab import tape as tape_file
from basisdesk.ledger.journal import Journal
from basisdesk.ui.context import Status
from basisdesk.ui.uptime_rows import UptimeFigures, memory_text, memory_tip, stalls_text


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A guard on a disk whose room a test sets, and what it asked of the desk."""
    rig = SimpleNamespace(free=10_000.0, asked=[], halted=False, records=True, broken=False)
    rig.tapes, rig.tape = 10_000.0, ("records", "")

    def room(folder):
        if rig.broken:
            raise OSError(5, "Input/output error")
        return rig.tapes if folder.name == "tapes" else rig.free

    def halt(why):
        rig.asked.append(f"halt: {why}")
        rig.halted = True

    def resume():
        rig.asked.append("resume tape")
        if rig.records:
            rig.tape = ("records", "")
        return rig.records

    def stop(why):
        rig.asked.append(f"stop tape: {why}")
        rig.tape = ("waits", why)

    monkeypatch.setattr(disk_guard, "free_mb", room)
    rig.calls = DiskCalls(stop, resume, halt, lambda: rig.halted, lambda: rig.tape)
    rig.status, rig.figures, rig.folder = Status(), UptimeFigures(), tmp_path
    rig.guard = DiskGuard(tmp_path, tmp_path / "tapes", rig.status, rig.figures, rig.calls)
    rig.guard.look()

    def look(free):
        rig.free = free
        rig.guard.look()
        return rig.status.banner

    rig.look = look
    return rig


def test_recording_stops_first_then_trading_and_a_person_resumes(disk):
    assert disk.look(300) == ""
    assert "Only 200 MB free" in disk.look(200)
    assert (disk.status.banner_level, disk.guard.level) == ("warn", "short")
    said = disk.look(60)
    assert "no new pairs while the ledger still has room" in said
    assert (disk.status.banner_level, disk.guard.level) == ("error", "out")
    disk.look(50)
    assert disk.asked == [
        "stop tape: Recording stopped: 200 MB free on the disk.",
        "stop tape: Recording stopped: 60 MB free on the disk.",
        "halt: the disk with your data is nearly full, 60 MB free",
    ]
    disk.look(AMPLE_MB - 1)  # not yet: nothing flaps
    assert len(disk.asked) == 3
    assert disk.look(AMPLE_MB) == (
        "512 MB free on the disk again. Recording goes on in a new tape. Press Resume to open "
        "pairs again."
    )
    assert disk.asked[3:] == ["resume tape"]
    for _ in range(100):
        assert "Press Resume" in disk.look(600)
    disk.halted = False  # a person did
    assert disk.look(600) == ""


def test_the_disk_of_the_tapes_stops_the_recording_alone_and_room_brings_it_back(disk):
    disk.tapes = 60.0
    assert disk.look(10_000) == (
        "Only 60 MB free on the disk with your tapes: recording stopped, trading goes on. Make "
        "room there; recording resumes by itself from 128 MB on."
    )
    assert (disk.guard.level, disk.status.banner_level, disk.halted) == ("ample", "warn", False)
    disk.status.banner = ""  # said once: whoever puts it away is not told again
    for _ in range(2 * RETRY_LOOKS):
        assert disk.look(10_000) == ""
    disk.tapes = 200.0
    for _ in range(RETRY_LOOKS + 1):
        disk.look(10_000)
    assert disk.status.banner == "Recording goes on in a new tape."
    assert [text.partition(":")[0] for text in disk.asked] == ["stop tape", "resume tape"]
    for _ in range(SAID_LOOKS + 1):
        disk.look(10_000)
    assert disk.status.banner == ""


def test_a_tape_that_failed_is_said_once_and_a_new_one_tried_until_it_records(disk):
    disk.tape, disk.records = ("failed", "The tape stopped: No space left on device."), False
    assert disk.look(10_000).startswith("The tape stopped: No space left on device. Trading goes")
    for _ in range(3 * (RETRY_LOOKS + 1)):
        assert "resumes by itself" in disk.look(10_000)
    assert disk.asked[1:] == ["resume tape"] * 3
    disk.records = True
    for _ in range(RETRY_LOOKS + 1):
        disk.look(10_000)
    assert disk.status.banner == "Recording goes on in a new tape."


def test_a_resume_that_fails_once_is_tried_again(disk):
    disk.look(200)
    disk.records = False
    assert "Still nothing is recorded, it is tried again: Recording stopped" in disk.look(600)
    disk.records = True
    for _ in range(RETRY_LOOKS + 1):
        disk.look(600)
    assert disk.asked[1:] == ["resume tape"] * 2
    assert disk.status.banner == "Recording goes on in a new tape."


def test_a_recording_that_is_off_is_let_be(disk):
    disk.tape, disk.tapes = ("off", "Recording is off in the settings."), 1.0
    assert disk.look(10_000) == ""
    assert disk.asked == []


def test_a_notice_that_asks_for_nothing_goes_by_itself(disk):
    disk.look(200)
    assert "goes on in a new tape" in disk.look(600)
    for _ in range(40):
        disk.look(600)
    assert disk.status.banner == ""


def test_a_desk_halted_before_keeps_its_reason_and_a_fault_its_banner(disk):
    disk.halted = True
    disk.status.banner, disk.status.banner_level = "basisdesk has a bug.", "error"
    disk.look(10)
    assert not any(text.startswith("halt") for text in disk.asked)
    assert disk.status.banner == "basisdesk has a bug."


def test_the_ballast_is_real_room_and_given_back_in_time(disk):
    ballast = disk.folder / BALLAST
    assert ballast.stat().st_size == BALLAST_MB * 1_000_000
    if hasattr(ballast.stat(), "st_blocks"):
        assert ballast.stat().st_blocks * 512 >= BALLAST_MB * 1_000_000
        assert ballast.stat().st_mode & 0o777 == 0o600
    disk.look(40)
    assert ballast.exists()
    disk.look(9)
    assert not ballast.exists()
    disk.look(AMPLE_MB)
    assert ballast.exists()
    disk.guard.close()
    assert not ballast.exists()
    disk.guard.give_back()


def test_a_disk_that_cannot_be_asked_is_said_once(disk, caplog):
    disk.broken = True
    for _ in range(5):
        disk.look(0)
    assert caplog.text.count("cannot be read: Input/output error") == 1
    assert disk.asked == []


def test_too_much_memory_is_told_once(disk, monkeypatch):
    told = []
    folder, calls = disk.folder, disk.calls
    parts = UptimeParts(
        folder, folder / "tapes", disk.status, disk.figures, calls, lambda: told.append(1)
    )
    uptime = Uptime(parts)
    monkeypatch.setattr(uptime, "_rss_mb", lambda: 1_640.0)
    for _ in range(3):
        uptime.look()
    assert "takes 1,640 MB of memory, more than the 1,500 MB" in disk.status.banner
    assert told == [1]
    disk.status.banner = ""
    uptime.look()
    assert disk.status.banner == ""
    uptime.stop()
    assert memory_text(disk.figures) == "1,640 MB"
    assert "10.0 GB are free" in memory_tip(disk.figures)


def test_stalls_are_told_in_words():
    assert stalls_text(UptimeFigures()) == "It never stood still for 250 ms or more."
    assert "once, 1,240 ms at the longest" in stalls_text(UptimeFigures(1_240.0, 1))
    assert "3 times" in stalls_text(UptimeFigures(1_240.0, 3))


@pytest.fixture
def recording(tmp_path):
    """A recording of a session, and its journal."""
    options = DeskOptions(tmp_path, Settings())
    options.folder.mkdir(parents=True)
    with Journal.open(options.folder / "journal.db") as journal:
        status = Status(session="s")
        made = Recording(options, journal, status, 1)
        yield SimpleNamespace(made=made, status=status, journal=journal, options=options)
        made.close()


def test_a_recording_goes_on_in_a_second_tape(recording):
    made = recording.made
    made.put(Frame("bybit.spot", b"x" * 100, 5))
    made.put(Frame("bybit.scan", b"x" * 100, 5))  # not asked for
    assert (made.state, made.frames, made.resume(6)) == ("", 1, False)
    made.stop("Recording stopped.")
    written = made.bytes_written
    made.put(Frame("bybit.spot", b"x" * 100, 7))
    assert (made.state, made.frames, made.bytes_written) == ("Recording stopped.", 0, written)
    assert made.resume(8)
    assert made.state == ""
    assert made.bytes_written > written
    made.close()
    tapes = sorted(path.name for path in (recording.options.folder / "tapes").iterdir())
    assert tapes == ["s-2.tape", "s.tape"]


def test_a_recording_that_is_off_stays_off(recording):
    settings = msgspec.structs.replace(Settings(), tape=TapeSettings(record=False))
    options = DeskOptions(recording.options.profile, settings)
    off = Recording(options, recording.journal, recording.status, 1)
    off.stop("Recording stopped.")
    assert off.state == "Recording is off in the settings."
    assert not off.resume(2)


def test_a_full_disk_fails_a_tape_and_a_try_that_fails_leaves_no_file(recording, monkeypatch):
    made, folder = recording.made, recording.made.folder

    def full(*_):
        raise OSError(28, "No space left on device")

    assert made.standing == "records"
    monkeypatch.setattr(tape_file, "_write", full)
    made.put(Frame("bybit.spot", b"x" * tape_file.BLOCK_BYTES, 5))
    assert made.standing == "failed"
    made.stop(made.state)
    assert not made.resume(6)
    assert (made.standing, made.part) == ("waits", 1)
    assert "No space left" in made.state
    assert [path.name for path in folder.iterdir()] == ["s.tape"]
    monkeypatch.undo()
    assert made.resume(7)
    assert (made.standing, made.part) == ("records", 2)


def test_a_journal_that_does_not_go_onto_a_tape_leaves_none(recording, monkeypatch):
    recording.made.stop("Recording stopped.")
    monkeypatch.setattr(tape_file.TapeWriter, "flush", lambda tape: tape._stop("The tape stopped."))
    assert not recording.made.resume(6)
    assert recording.made.state == "No recording: The tape stopped."
    assert [path.name for path in recording.made.folder.iterdir()] == ["s.tape"]


def test_what_was_set_is_kept_for_the_next_tape_the_last_of_each(recording):
    made = recording.made
    for key, value in (("pair", "a b"), ("watch", "c d"), ("pair", "e f"), ("nonsense", "x")):
        made.put(Frame(COMMAND, msgspec.json.encode(SetValue(key, value)), 5))
        made.stop("Recording stopped.")  # also of what comes while nothing is recorded
    made.put(Frame(COMMAND, b"{broken", 6))
    made.put(Frame(COMMAND, b'{"type": "other"}', 6))
    assert [(each.key, each.value) for each in made.values] == [("pair", "e f"), ("watch", "c d")]
