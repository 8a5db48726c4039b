"""The history on disk: a crash costs the end and nothing else, and a bad disk stops nothing."""

import os
import stat

import msgspec
import numpy as np
import pytest
from history_rig import (
    D0,
    DAY_MIN,
    HOUR,
    M0,
    NOTHING,
    PERP,
    SPOT,
    files,
    minutes_of,
    plain,
    settled_of,
    store_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.events import ScanPast
from basisdesk.lab.history_file import HISTORY_VERSION, Header
from basisdesk.market.past import MINUTE_MS, Fresh, Past


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "history"


def test_what_was_appended_comes_back(folder):
    store = store_of(folder)
    assert store.append(minutes_of(SPOT, M0 + 1_438, 0.5, 0.25, 0.125))
    assert store.append(settled_of(PERP, M0 * MINUTE_MS, 1e-4, -2e-4))
    assert files(folder) == [
        "funding-2024-10.history", "minutes-2024-10-04.history", "minutes-2024-10-05.history",
    ]  # fmt: skip
    again = store_of(folder)
    found = again.read(3 * DAY_MIN)
    assert plain(found) == [
        (PERP, M0 * MINUTE_MS, 1e-4),
        (PERP, M0 * MINUTE_MS + 8 * HOUR, -2e-4),
        (SPOT, M0 + 1_438, 0.5),
        (SPOT, M0 + 1_439, 0.25),
        (SPOT, M0 + 1_440, 0.125),
    ]
    assert found.minutes[SPOT][1].dtype == np.float32
    assert again.covered(PERP) == (M0 * MINUTE_MS, 0)
    assert again.covered(SPOT) == (0, M0 + 1_438)
    assert again.covered("nobody") == (0, 0)
    assert (again.problem, again.lost_bytes, again.lost_blocks) == ("", 0, 0)
    assert again.size_mb == store.size_mb > 0


def test_a_past_goes_through_the_disk(folder):
    past, again = Past(90, minutes_kept=100), Past(90, minutes_kept=100)
    store = store_of(folder)
    rng = np.random.default_rng(1)
    for minute in range(70):
        past.sample(M0 + 1_400 + minute, {SPOT: float(rng.uniform(1, 2)), PERP: 1.5})
        store.append(past.drain())
    past.settle(PERP, M0 * MINUTE_MS, 1e-4)
    store.append(past.drain())
    past.learn(ScanPast(PERP, settled=((M0 * MINUTE_MS, 3e-4),)))  # the venue knows better
    store.append(past.drain())
    store_of(folder).load(again, (M0 + 1_470) * MINUTE_MS)
    for key in (SPOT, PERP):
        np.testing.assert_array_equal(again.minutes(key)[1], past.minutes(key)[1])
    assert again.settled(PERP)[1].tolist() == [3e-4]
    assert again.drain().rows == 0


def test_files_are_for_nobody_elses_eyes(folder):
    store_of(folder).append(minutes_of(SPOT, M0, 0.5))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_nothing_is_made_by_looking(folder):
    store = store_of(folder)
    assert store.read(100).rows == 0
    assert store.day(D0) == {}
    assert store.append(NOTHING)
    assert not folder.exists()


def test_one_day_is_read_alone(folder):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0 + 1_439, 0.5, 0.25))
    minute, log = store.day(D0 + 1)[SPOT]
    assert (minute.tolist(), log.tolist()) == ([M0 + 1_440], [0.25])


def test_a_minute_that_was_learnt_later_lands_in_its_own_day(folder):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0 + DAY_MIN, 0.5))
    store.append(minutes_of(SPOT, M0 + 5, 0.25))
    assert len(files(folder)) == 2
    assert store_of(folder).read(3 * DAY_MIN).minutes[SPOT][0].tolist() == [M0 + 5, M0 + DAY_MIN]


def test_of_a_row_written_twice_the_newer_counts(folder):
    store = store_of(folder)
    store.append(settled_of(PERP, M0 * MINUTE_MS, 1e-4, 5e-4))
    store.append(settled_of(PERP, M0 * MINUTE_MS, 2e-4))
    assert store_of(folder).read(0).settled[PERP][1].tolist() == [2e-4, 5e-4]


# --- crashes --------------------------------------------------------------------------------------

rows_of = st.lists(
    st.tuples(st.sampled_from([SPOT, PERP, "okx:perp:X", "\u00e9:spot:1"]), st.integers(0, 50)),
    min_size=1, max_size=6, unique=True,
)  # fmt: skip
steps_of = st.lists(st.one_of(rows_of, st.floats(0, 1), st.just("again")), min_size=1, max_size=12)


@settings(deadline=None)
@given(steps_of)
def test_after_any_crash_there_is_a_prefix_of_what_was_appended(tmp_path_factory, steps):
    """A list of rows is appended, a float cuts the file there, "again" is another start."""
    folder = tmp_path_factory.mktemp("h") / "history"
    store, path = store_of(folder), folder / "minutes-2024-10-04.history"
    blocks, ends = [], []  # appended, and the size of the file after each
    value = 0.0
    for step in steps:
        if isinstance(step, list):
            value += 1.0
            fresh = Fresh({}, {})
            for key, minute in sorted(step):
                have = fresh.minutes.get(key, (np.empty(0, np.int64), np.empty(0, np.float32)))
                fresh.minutes[key] = (
                    np.append(have[0], M0 + minute), np.append(have[1], np.float32(value)),
                )  # fmt: skip
            assert store.append(fresh)
            blocks.append(fresh)
            ends.append(path.stat().st_size)
        elif step == "again":
            store.close()
            store = store_of(folder)
        elif path.exists():
            size = int(step * path.stat().st_size)
            os.truncate(path, size)
            whole = sum(end <= size for end in ends)
            blocks, ends = blocks[:whole], ends[:whole]
        told = {}
        for block in blocks:
            told |= {(row[0], row[1]): row[2] for row in plain(block)}
        found = store_of(folder).read(DAY_MIN, (M0 + 100) * MINUTE_MS)
        assert {(row[0], row[1]): row[2] for row in plain(found)} == told


def test_an_unfinished_end_is_counted_and_written_over(folder):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0, 0.5))
    store.append(minutes_of(PERP, M0, 0.25))
    path = folder / "minutes-2024-10-04.history"
    os.truncate(path, path.stat().st_size - 3)
    again = store_of(folder)
    assert plain(again.read(DAY_MIN)) == [(SPOT, M0, 0.5)]
    assert again.lost_bytes > 0
    assert again.problem == ""  # a crash is no damage
    store.close()
    again.append(minutes_of("x:spot:Y", M0, 1.0))
    assert plain(store_of(folder).read(DAY_MIN)) == [(SPOT, M0, 0.5), ("x:spot:Y", M0, 1.0)]
    assert store_of(folder).lost_bytes == 0


# --- files that are not ours ----------------------------------------------------------------------


def test_a_newer_format_is_refused_in_one_sentence_and_left_alone(folder):
    folder.mkdir()
    path = folder / "minutes-2024-10-04.history"
    header = msgspec.json.encode(Header(HISTORY_VERSION + 1, "minutes", M0)) + b"\nwhatever"
    path.write_bytes(header)
    store = store_of(folder)
    assert store.read(DAY_MIN).rows == 0
    assert store.problem == (
        f"History {path} has format 2, this basisdesk reads up to 1. Update basisdesk."
    )
    assert store.append(minutes_of(SPOT, M0, 0.5))
    assert path.read_bytes() == header
    assert store.dropped_rows == 1
    assert "Update basisdesk." in store.problem
    store.append(minutes_of(SPOT, M0 + DAY_MIN, 0.5))  # other days go on
    assert store_of(folder).day(D0 + 1)


@pytest.mark.parametrize("text", [b"not ours\n", b"{}\n", b"\n", b"x" * 9_000])
def test_a_file_of_something_else_is_refused(folder, text):
    folder.mkdir()
    path = folder / "minutes-2024-10-04.history"
    path.write_bytes(text)
    store = store_of(folder)
    assert store.read(DAY_MIN).rows == 0
    assert store.problem == f"{path} is not the history file that its name says. Move it away."
    store.append(minutes_of(SPOT, M0, 0.5))
    assert path.read_bytes() == text


def test_names_of_others_are_passed_over(folder):
    folder.mkdir()
    for name in ("notes.txt", "minutes-2024-02-31.history", "minutes-2024-10-04.history.bak"):
        (folder / name).write_bytes(b"?")
    store = store_of(folder)
    assert store.read(DAY_MIN).rows == 0
    assert store.problem == ""


# --- a bad disk -----------------------------------------------------------------------------------


def test_a_disk_that_fails_is_told_once_and_rows_wait(folder, monkeypatch):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0, 0.5))
    size = (folder / "minutes-2024-10-04.history").stat().st_size

    def full(handle, data):
        os.pwrite(handle, bytes(data[:5]), size)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("basisdesk.lab.history_file.os.write", full)
        assert not store.append(minutes_of(SPOT, M0 + 1, 0.25))
        assert not store.append(minutes_of(PERP, M0 + 1, 0.75))
    assert store.failures == 2
    assert store.problem == (
        f"History cannot be written to {folder}: No space left on device. It waits in memory."
    )
    assert (folder / "minutes-2024-10-04.history").stat().st_size == size
    assert store.append(NOTHING)
    assert store.problem == ""
    assert plain(store_of(folder).read(DAY_MIN)) == [
        (PERP, M0 + 1, 0.75), (SPOT, M0, 0.5), (SPOT, M0 + 1, 0.25),
    ]  # fmt: skip


def test_what_cannot_be_read_stays_told_while_other_files_are_written(folder):
    folder.mkdir()
    path = folder / "minutes-2024-10-04.history"
    path.write_bytes(b"not ours\n")
    (folder / "funding-2024-10.history").mkdir()  # neither is this one
    store = store_of(folder)
    store.read(DAY_MIN)
    refused = f"{path} is not the history file that its name says. Move it away."
    assert store.problem == refused
    assert store.append(minutes_of(SPOT, M0 + DAY_MIN, 0.5))
    assert store.problem == refused
    path.unlink()
    store.read(DAY_MIN)
    unread = f"History {folder / 'funding-2024-10.history'} cannot be read: Is a directory."
    assert store.problem == unread
    assert store.append(minutes_of(SPOT, M0 + DAY_MIN + 1, 0.5))
    assert store.problem == unread
    (folder / "funding-2024-10.history").rmdir()
    store.read(DAY_MIN)
    assert store.problem == ""


def test_a_folder_that_cannot_be_is_no_end_of_the_desk(tmp_path):
    (tmp_path / "history").write_text("a file")
    store = store_of(tmp_path / "history")
    past = Past(90)
    store.load(past, M0 * MINUTE_MS)
    assert not store.append(minutes_of(SPOT, M0, 0.5))
    assert store.problem.startswith(f"History cannot be written to {tmp_path / 'history'}: ")


def test_what_waits_is_bounded(folder, monkeypatch):
    monkeypatch.setattr("basisdesk.lab.history.HELD_ROWS_MAX", 3)
    folder.write_text("a file")
    store = store_of(folder)
    for minute in range(4):
        store.append(minutes_of(SPOT, M0 + minute, 0.5))
    assert store.dropped_rows == 3
    folder.unlink()
    assert store.append(NOTHING)
    assert plain(store_of(folder).read(DAY_MIN)) == [(SPOT, M0 + 3, 0.5)]


def test_a_link_is_not_followed(folder, tmp_path):
    folder.mkdir()
    (tmp_path / "precious").write_bytes(b"")
    (folder / "minutes-2024-10-04.history").symlink_to(tmp_path / "precious")
    store = store_of(folder)
    assert not store.append(minutes_of(SPOT, M0, 0.5))
    assert (tmp_path / "precious").read_bytes() == b""


# --- room -----------------------------------------------------------------------------------------


def test_only_so_many_days_are_kept(folder):
    store = store_of(folder, funding_days=30, minute_days=2)
    for day in range(6):
        store.append(minutes_of(SPOT, M0 + day * DAY_MIN, 0.5))
        store.append(settled_of(PERP, (M0 + day * 31 * DAY_MIN) * MINUTE_MS, 1e-4))
    days = [name for name in files(folder) if name.startswith("minutes")]
    assert days == [f"minutes-2024-10-0{n}.history" for n in (7, 8, 9)]
    months = [name for name in files(folder) if name.startswith("funding")]
    assert months == [
        "funding-2025-01.history",
        "funding-2025-02.history",
        "funding-2025-03.history",
    ]


def test_a_clock_that_was_wrong_drops_nothing_but_room_for_one_file(folder):
    store = store_of(folder, minute_days=3)
    store.append(minutes_of(SPOT, M0 + 10_000 * DAY_MIN, 0.5))
    for day in range(3):
        store.append(minutes_of(SPOT, M0 + day * DAY_MIN, 0.5))
    assert len(files(folder)) == 4
    past = Past(90, minutes_kept=5 * DAY_MIN)
    store_of(folder).load(past, (M0 + 2 * DAY_MIN + 5) * MINUTE_MS)
    assert np.isfinite(past.minutes(SPOT)[1]).sum() == 3


def test_files_from_the_future_cost_today_nothing_and_go(folder):
    ahead = store_of(folder)
    for day in range(14):  # a demo in fast motion, on the same folder
        ahead.append(minutes_of(SPOT, M0 + day * DAY_MIN + 5, 1.0))
        if day < 4:
            ahead.append(settled_of(PERP, (M0 + day * 31 * DAY_MIN) * MINUTE_MS, 1e-4))
    ahead.close()
    store, now_ms = store_of(folder, minute_days=7), (M0 + 20) * MINUTE_MS
    assert store.append(minutes_of(SPOT, M0 + 10, 2.0), now_ms)
    found = store_of(folder).read(3 * DAY_MIN, now_ms)
    assert found.minutes[SPOT][0].tolist() == [M0 + 5, M0 + 10]
    assert files(folder) == [
        "funding-2024-10.history", "minutes-2024-10-04.history", "minutes-2024-10-05.history",
    ]  # fmt: skip


def test_tomorrow_is_no_day_that_is_kept(folder):
    store = store_of(folder, minute_days=1)
    for day in (1, 2, 3, 4):
        store.append(minutes_of(SPOT, M0 + day * DAY_MIN, 1.0), (M0 + 3 * DAY_MIN + 60) * MINUTE_MS)
    assert [name[-10:-8] for name in files(folder)] == ["06", "07", "08"]


def test_a_clock_that_goes_back_for_a_while_drops_nothing(folder):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0 + 400 * DAY_MIN, 1.0), (M0 + 400 * DAY_MIN) * MINUTE_MS)
    path = next(folder.glob("*.history"))
    late_s = path.stat().st_mtime + 400 * 86_400
    os.utime(path, (late_s, late_s))  # as written before the machine's clock went back
    store.append(minutes_of(SPOT, M0, 1.0), M0 * MINUTE_MS)
    assert len(files(folder)) == 2


def test_over_the_limit_the_oldest_days_go_and_today_stays(folder):
    rng = np.random.default_rng(1)
    store = store_of(folder, disk_mb_max=0.02)
    for day in range(5):
        logs = rng.standard_normal(1_440)
        store.append(minutes_of(SPOT, M0 + day * DAY_MIN, *logs))
    assert store.size_mb <= 0.02
    assert files(folder)[-1] == "minutes-2024-10-08.history"
    assert 2 <= len(files(folder)) <= 4
    store.close()
    tiny = store_of(folder, disk_mb_max=0.000_1)
    tiny.append(minutes_of(SPOT, M0 + 4 * DAY_MIN, 0.5))
    assert files(folder) == ["minutes-2024-10-08.history"]
