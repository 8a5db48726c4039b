"""Damaged blocks of the history cost themselves alone, and two desks lose nothing to each other."""

import gc
import shutil
import subprocess
import sys

import pytest
from history_rig import DAY_MIN, M0, NOTHING, PERP, SPOT, minutes_of, plain, store_of
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.market.past import MINUTE_MS


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "history"


def test_a_damaged_block_takes_no_other_with_it(folder):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0, 0.5))
    path = folder / "minutes-2024-10-04.history"
    for minute in (1, 2):
        store.append(minutes_of(SPOT, M0 + minute, 0.75))
    at = path.stat().st_size
    store.append(minutes_of(PERP, M0 + 3, 0.25))  # the name is in this block and is said again
    store.append(minutes_of(SPOT, M0 + 4, 0.75))  # in this one
    store.append(minutes_of(PERP, M0 + 5, 0.125))
    store.close()
    data = bytearray(path.read_bytes())
    data[at + 20] ^= 1
    path.write_bytes(data)
    again = store_of(folder)
    rest = [(SPOT, M0, 0.5), *((SPOT, M0 + minute, 0.75) for minute in (1, 2, 4))]
    assert plain(again.read(DAY_MIN)) == [(PERP, M0 + 5, 0.125), *rest]
    assert again.lost_blocks == 1
    assert "is damaged in one place:" in again.problem


def test_rows_whose_name_is_lost_are_left_out_and_their_number_is_not_given_away(folder):
    store = store_of(folder)
    for minute in range(5):
        store.append(minutes_of(SPOT, M0 + minute, 0.5))
    path = folder / "minutes-2024-10-04.history"
    at = path.stat().st_size
    store.append(minutes_of(PERP, M0 + 5, 0.25))  # its name goes with this block
    store.append(minutes_of(PERP, M0 + 6, 0.25))
    store.close()
    data = bytearray(path.read_bytes())
    data[at + 20] ^= 1
    path.write_bytes(data)
    again = store_of(folder)
    rest = [(SPOT, M0 + minute, 0.5) for minute in range(5)]
    assert plain(again.read(DAY_MIN)) == rest
    again.append(minutes_of("x:spot:Y", M0, 1.0))
    assert plain(store_of(folder).read(DAY_MIN)) == [*rest, ("x:spot:Y", M0, 1.0)]


@pytest.mark.parametrize("block", [0, 1, 64])
def test_names_are_said_again_so_that_no_block_holds_all_of_a_day(folder, block):
    path, begins = blocks_of(folder, 140)
    data = bytearray(path.read_bytes())
    data[begins[block] + 14] ^= 1
    path.write_bytes(data)
    found = store_of(folder).read(DAY_MIN).minutes[SPOT][0] - M0
    assert found.tolist() == [minute for minute in range(140) if minute != block]


def blocks_of(folder, count):
    """A file of so many blocks of one row, and where each of them begins."""
    store, begins = store_of(folder), []
    path = folder / "minutes-2024-10-04.history"
    for minute in range(count):
        begins.append(path.stat().st_size if path.exists() else 0)
        store.append(minutes_of(SPOT, M0 + minute, minute / 8))
    store.close()
    begins[0] = path.read_bytes().index(b"\n") + 1
    return path, begins


@pytest.mark.parametrize("byte", range(12))
@pytest.mark.parametrize("block", [0, 3, 7])
def test_a_damaged_head_costs_its_own_block_alone(folder, block, byte):
    path, begins = blocks_of(folder, 8)
    data = bytearray(path.read_bytes())
    data[begins[block] + byte] ^= 1
    path.write_bytes(data)
    store = store_of(folder)
    assert store.append(minutes_of(PERP, M0, 1.0))
    lost = "the rows there are lost, the others are used."
    damage = f"History {path} is damaged in one place: {lost}"
    assert store.problem == damage
    assert store.lost_blocks == 1
    again = store_of(folder)
    rest = [(SPOT, M0 + minute, minute / 8) for minute in range(8) if minute != block]
    assert plain(again.read(DAY_MIN)) == [(PERP, M0, 1.0), *rest]
    assert again.problem == ("" if block == 7 else damage)  # at the end it was written over


def test_several_damaged_heads_are_passed_over(folder):
    path, begins = blocks_of(folder, 8)
    data = bytearray(path.read_bytes())
    for block in (2, 3, 5):
        data[begins[block]] ^= 1
    path.write_bytes(data)
    store = store_of(folder)
    assert [minute - M0 for _, minute, _ in plain(store.read(DAY_MIN))] == [0, 1, 4, 6, 7]
    assert "is damaged in 2 places:" in store.problem
    assert store.lost_bytes == begins[4] - begins[2] + begins[6] - begins[5]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_flipped_byte_leaves_rows_that_were_written(tmp_path_factory, place, flip):
    folder = tmp_path_factory.mktemp("h") / "history"
    store = store_of(folder)
    for minute in range(5):
        store.append(minutes_of(f"v:spot:{minute % 2}", M0 + minute, minute / 8))
    written = set(plain(store.read(DAY_MIN)))
    path = folder / "minutes-2024-10-04.history"
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= flip
    path.write_bytes(data)
    again = store_of(folder)
    assert set(plain(again.read(DAY_MIN, (M0 + 100) * MINUTE_MS))) <= written
    assert again.lost_bytes or again.lost_blocks or again.problem


# --- two desks ------------------------------------------------------------------------------------


def test_of_two_stores_on_one_folder_one_writes(folder):
    one, other = store_of(folder), store_of(folder)
    assert one.append(minutes_of(SPOT, M0, 0.5))
    assert not other.append(minutes_of(PERP, M0, 0.25))
    assert other.problem == (
        f"Another desk writes the history in {folder}: this one reads it, and what is new waits in "
        "memory."
    )
    assert other.failures == 0
    assert plain(other.read(DAY_MIN)) == [(SPOT, M0, 0.5)]
    assert one.append(minutes_of(SPOT, M0 + 1, 0.75))
    assert not other.append(minutes_of(PERP, M0 + 1, 0.125))
    one.close()
    assert other.append(NOTHING)
    assert other.problem == ""
    assert not one.append(minutes_of(SPOT, M0 + 2, 1.0))
    assert plain(one.read(DAY_MIN)) == [
        (PERP, M0, 0.25), (PERP, M0 + 1, 0.125), (SPOT, M0, 0.5), (SPOT, M0 + 1, 0.75),
    ]  # fmt: skip


def test_the_folder_is_free_when_a_store_is_gone(folder):
    store = store_of(folder)
    store.append(minutes_of(SPOT, M0, 0.5))
    del store
    gc.collect()
    assert store_of(folder).append(minutes_of(SPOT, M0 + 1, 0.5))


def test_a_folder_that_was_removed_is_made_and_held_anew(folder):
    one, other = store_of(folder), store_of(folder)
    one.append(minutes_of(SPOT, M0, 0.5))
    shutil.rmtree(folder)
    assert one.append(minutes_of(SPOT, M0 + 1, 0.75))
    assert not other.append(minutes_of(PERP, M0, 0.25))
    assert plain(store_of(folder).read(DAY_MIN)) == [(SPOT, M0 + 1, 0.75)]


WRITER = """
import sys
from pathlib import Path
import numpy as np
from basisdesk.lab.history import HistoryStore
from basisdesk.market.past import Fresh

folder, who, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = HistoryStore(folder, 500.0, 90, 14)
sys.stdin.readline()
for at in range(100):
    minute, log = np.array([first + at]), np.zeros(1, dtype=np.float32)
    store.append(Fresh({}, {who: (minute, log)}))
print("done", flush=True)
while not store.append(Fresh({}, {})):
    pass
"""


def test_two_processes_that_write_at_once_lose_nothing(folder):
    names = ("a:spot:X", "b:spot:X")
    command = (sys.executable, "-c", WRITER, str(folder))
    desks = [
        subprocess.Popen(
            [*command, name, str(M0)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    for desk in desks:
        desk.stdin.write("go\n")
        desk.stdin.flush()
    assert [desk.communicate(timeout=60)[0] for desk in desks] == ["done\n"] * 2
    store = store_of(folder)
    found = store.read(DAY_MIN)
    assert {key: len(rows[0]) for key, rows in found.minutes.items()} == dict.fromkeys(names, 100)
    assert (store.lost_bytes, store.lost_blocks) == (0, 0)
