"""Every file of a profile cut at every byte: it loads as a whole one, or as none, and harms nobody.

The recording is 64 KiB with BASISDESK_CUT_TAPE_KIB=64. The journal: tests/ledger/test_journal.py.
"""

import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from basisdesk.app.autopilot_disk import AutopilotFiles, KeptFile
from basisdesk.app.first_run import NAME as FIRST_RUN
from basisdesk.app.first_run import Kept, kept
from basisdesk.app.layout import load_layout, save_layout
from basisdesk.app.watching import Watching
from basisdesk.app.workspaces_disk import FILE as WORKSPACES
from basisdesk.app.workspaces_disk import WorkspacesDisk
from basisdesk.config import Settings, load_settings
from basisdesk.errors import SettingsError, TapeError
from basisdesk.events import Frame
from basisdesk.lab.library_marks import FILE as MARKS
from basisdesk.lab.library_marks import Mark, Marks
from basisdesk.lab.tape import TapeReader, TapeWriter, header_for

TAPE_KIB = int(os.environ.get("BASISDESK_CUT_TAPE_KIB", "1"))
PAIR, OTHER = ("okx:spot:A-B", "okx:perp:A-B-SWAP"), ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
STATE = bytes(range(200))
TOML = """# mine
[paper]
latency_ms = 250  # from Frankfurt
[ui]
theme = "light"
[risk]
quote_age_ms_max = 3000
size_cuts = [[0.9, 0.7], [0.5, 0.1]]
[fees.kraken]
spot_taker = 0.0023
source = "tier 2"
"""


def settings_of(path):
    path.write_text(TOML)
    whole = load_settings(path)

    def read():
        try:
            return load_settings(path)
        except SettingsError as exc:
            assert "\n" not in str(exc)
            return None

    # a part of a TOML file may be one too: it has what was written so far, and else the defaults
    return read, lambda got: got is None or got == whole or isinstance(got, Settings)


def layout_of(path):
    save_layout(path, STATE)
    return lambda: load_layout(path), lambda got: got in (b"", STATE)


def first_run_of(path):
    path.write_text('{"version":1,"welcomed":true,"toured":true,"mode":"live"}')
    whole = kept(path.parent)
    assert whole.toured
    return lambda: kept(path.parent), lambda got: got in (Kept(), whole)


def workspaces_of(path):
    WorkspacesDisk(path.parent).save("mine", STATE)

    def read():
        disk = WorkspacesDisk(path.parent)
        return disk.load("mine"), "\n" in disk.problem

    return read, lambda got: got in ((b"", False), (STATE, False))


def marks_of(path):
    Marks(path.parent).put("s1", ["good"], "a note")
    whole = Marks(path.parent).of("s1")
    return lambda: Marks(path.parent).of("s1"), lambda got: got in (Mark(), whole)


def shown_of(path):
    Watching(path, PAIR, ("okx", "bybit")).show(PAIR)
    return lambda: Watching(path, OTHER, ("okx", "bybit")).shown, lambda got: got in (PAIR, OTHER)


def autopilot_of(path):
    files = AutopilotFiles(path.parent)
    assert files.save(KeptFile(5, True, {"a": [1, 2]}, {"b": {"c": 1}}), ())
    whole = files.load()
    assert whole is not None
    return files.load, lambda got: got is None or got == whole


FILES = {
    "settings.toml": settings_of,
    "layout.json": layout_of,
    FIRST_RUN: first_run_of,
    WORKSPACES: workspaces_of,
    MARKS: marks_of,
    "shown.json": shown_of,
    "autopilot.json": autopilot_of,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_byte_is_whole_or_none(tmp_path, name):
    path = tmp_path / name
    read, fits = FILES[name](path)
    whole = path.read_bytes()
    assert fits(read())
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert fits(read()), f"{name} cut at byte {size}"
    print(f"{name}: {len(whole)} cuts, 0 unhandled, 0 wrong loads")


def test_a_recording_cut_at_any_byte_gives_a_whole_beginning_or_one_sentence():
    dice = random.Random(23)
    with TemporaryDirectory(dir=memory()) as folder:  # thousands of writes
        path = Path(folder) / "whole.tape"
        frames = []
        with TapeWriter(path, header_for("demo", "0", 1), 1 << 30) as tape:
            while tape.bytes_written < TAPE_KIB * 1024:
                frames.append(Frame("bybit.spot", dice.randbytes(120), len(frames) * 700_000_000))
                tape.put(frames[-1])
        whole, refused = path.read_bytes(), 0
        for size in range(len(whole)):
            os.truncate(path, len(whole) - size)
            try:
                reader = TapeReader(path)
                got = list(reader)
            except TapeError as exc:
                assert "\n" not in str(exc)
                refused += 1
                continue
            assert got == frames[: len(got)]
            assert size == 0 or reader.lost_bytes or len(got) < len(frames)
    print(f"tape: {len(whole)} cuts, {refused} refused in a sentence, 0 unhandled, 0 wrong loads")


def memory():
    """A folder in memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
