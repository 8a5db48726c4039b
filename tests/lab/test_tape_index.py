"""The index of a tape: found at once, kept beside it, and never believed against the tape."""

import random

import pytest

from basisdesk.errors import TapeError
from basisdesk.events import BEAT, ENTRY, Frame, Halt, SetValue
from basisdesk.lab import tape as tape_module
from basisdesk.lab import tape_index
from basisdesk.lab.tape import TapeReader, TapeWriter, header_for
from basisdesk.lab.tape_index import TapeIndex
from tests.lab.replay_rig import T0, Recording, S

HEADER = header_for("demo", "0", 17)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(tape_module, "BLOCK_BYTES", 300)


def beats(path, seconds, conn=BEAT):
    with TapeWriter(path, HEADER, 1 << 30) as tape:
        for second in seconds:
            tape.put(Frame(conn, b"x" * 40, T0 + round(second * S)))
    return path


def surveyed(index):
    for block in range(len(index)):
        index.survey(block)
    return index


def test_every_frame_is_found_again_block_by_block(tmp_path, small_blocks):
    path = Recording().quotes(1, 40).write(tmp_path / "a.tape")
    index = TapeIndex(path)
    frames = [frame for block in range(len(index)) for frame in index.frames(block)]
    assert frames == list(TapeReader(path))
    assert len(index) > 20
    assert (index.first_ns, index.last_ns) == (frames[0].t_ns, frames[-1].t_ns)


def test_blocks_may_be_read_in_any_order(tmp_path, small_blocks):
    path = Recording().quotes(1, 40).write(tmp_path / "a.tape")
    whole = TapeIndex(path)
    expected = [whole.frames(block) for block in range(len(whole))]
    order = list(range(len(whole)))
    random.Random(4).shuffle(order)
    index = TapeIndex(path)
    assert {block: index.frames(block) for block in order} == dict(enumerate(expected))


def test_a_time_is_in_the_block_found_or_behind_it(tmp_path, small_blocks):
    index = TapeIndex(beats(tmp_path / "a.tape", [n / 4 for n in range(400)]))
    for wanted_ns in range(index.first_ns - S, index.last_ns + S, S // 3):
        block = index.block_at(wanted_ns)
        assert block == 0 or index.block_ns(block) < wanted_ns
        assert block + 1 == len(index) or index.block_ns(block + 1) >= wanted_ns


def test_trades_words_and_prices_are_told_apart(tmp_path, small_blocks):
    path = tmp_path / "a.tape"
    made = Recording()
    made.quotes(1, 20)
    made.tell(20, SetValue("pair", "bybit:spot:XRPUSDT bybit:perp:XRPUSDT"))
    made.quotes(21, 40)
    made.tell(40, Halt("no"))
    made.quotes(41, 60)
    made.write(path)
    index = surveyed(TapeIndex(path))
    at = {second: index.block_at(T0 + second * S) for second in (1, 19, 22, 39, 42)}
    assert index.words_in(at[1] + 2, at[19]) == []
    assert index.words_in(at[19], at[22])
    assert not index.trades_in(0, at[39])
    assert index.trades_in(at[39], at[42] + 1)
    entry = tmp_path / "entry.tape"
    with TapeWriter(entry, HEADER, 1 << 20) as tape:
        tape.put(Frame(ENTRY, b'{"kind":"session"}', T0))
    assert surveyed(TapeIndex(entry)).trades_in(0, 1)


def test_the_side_file_is_gone_on_with_when_the_tape_has_grown(tmp_path, small_blocks):
    path = tmp_path / "a.tape"
    whole = Recording().quotes(1, 30).write(tmp_path / "whole.tape").read_bytes()
    full = TapeIndex(tmp_path / "whole.tape")
    path.write_bytes(whole[: full._at[9] + 5])  # cut in the middle of a head
    cut = surveyed(TapeIndex(path))
    assert (len(cut), cut.lost_bytes) == (9, 5)
    assert cut.save()
    path.write_bytes(whole)
    grown = TapeIndex(path)
    assert (len(grown), grown.surveyed) == (len(full), 9)
    assert grown.names == cut.names
    assert grown.last_ns == full.last_ns
    assert grown.frames(11) == full.frames(11)


def test_a_side_file_of_another_tape_is_not_believed(tmp_path, small_blocks):
    one = beats(tmp_path / "one.tape", range(50))
    two = beats(tmp_path / "two.tape", range(7, 90), conn="bybit.spot")
    assert surveyed(TapeIndex(one)).save()
    TapeIndex(one).side_path.replace(TapeIndex(two).side_path)
    index = TapeIndex(two)
    assert index.surveyed == 0
    assert index.first_ns == T0 + 7 * S


def test_a_side_file_with_any_byte_changed_costs_nothing_but_time(tmp_path, small_blocks):
    path = beats(tmp_path / "a.tape", range(12))
    fresh = TapeIndex(path)
    assert surveyed(TapeIndex(path)).save()
    raw = fresh.side_path.read_bytes()
    for at in range(0, len(raw), 3):
        broken = bytearray(raw)
        broken[at] ^= 1 << at % 8
        fresh.side_path.write_bytes(broken)
        index = TapeIndex(path)
        assert (list(index._at), list(index._raw)) == (list(fresh._at), list(fresh._raw)), at
        assert index.frames(2) == fresh.frames(2)
    for size in range(0, len(raw), 7):
        fresh.side_path.write_bytes(raw[:size])
        assert len(TapeIndex(path)) == len(fresh)


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path, monkeypatch):
    index = TapeIndex(beats(tmp_path / "a.tape", range(5)))
    monkeypatch.setattr(TapeIndex, "side_path", property(lambda _: tmp_path / "no" / "way.idx"))
    assert index.save() is False


def test_a_damaged_block_is_said_where_it_is_read(tmp_path, small_blocks):
    path = beats(tmp_path / "a.tape", range(50))
    index = TapeIndex(path)
    raw = bytearray(path.read_bytes())
    raw[index._at[3] + 20] ^= 4
    path.write_bytes(raw)
    again = TapeIndex(path)
    assert again.frames(2)
    with pytest.raises(TapeError, match="damaged in block 4"):
        again.frames(3)


def test_more_blocks_than_the_limit_is_a_sentence(tmp_path, small_blocks, monkeypatch):
    path = beats(tmp_path / "a.tape", range(50))
    monkeypatch.setattr(tape_index, "BLOCKS_MAX", 3)
    with pytest.raises(TapeError, match="headless"):
        TapeIndex(path)
