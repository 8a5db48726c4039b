import errno
import struct
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.errors import TapeError
from basisdesk.events import Frame
from basisdesk.lab import tape as tape_module
from basisdesk.lab.tape import TAPE_VERSION, TapeHeader, TapeReader, TapeWriter, header_for

HEADER = header_for("demo", "0.0.0", 17)

frames_of = st.lists(
    st.builds(
        Frame,
        st.sampled_from(["bybit.spot", "bybit.linear", "desk.beat", "desk.command"]),
        st.binary(max_size=200),
        st.integers(0, 2**62),
    ),
    max_size=50,
)


def write_tape(path, frames, bytes_max=1 << 30):
    with TapeWriter(path, HEADER, bytes_max) as tape:
        for frame in frames:
            tape.put(frame)
    return tape


@given(frames_of)
def test_a_tape_gives_back_exactly_its_frames(tmp_path_factory, frames):
    path = tmp_path_factory.mktemp("tape") / "a.tape"
    write_tape(path, frames)
    reader = TapeReader(path)
    assert list(reader) == frames
    assert reader.header == HEADER
    assert reader.lost_bytes == 0


def test_a_tape_cut_anywhere_reads_to_its_last_whole_block_or_says_one_sentence(tmp_path):
    path, cut = tmp_path / "a.tape", tmp_path / "cut.tape"
    frames = [Frame("bybit.spot", b"x" * 50, second * 3_000_000_000) for second in range(6)]
    write_tape(path, frames)
    whole = path.read_bytes()
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        try:
            reader = TapeReader(cut)
        except TapeError as exc:
            assert "\n" not in str(exc)
            continue
        got = list(reader)
        assert got == frames[: len(got)]
        assert len(got) == len(frames) or reader.lost_bytes or size < len(whole)


def test_a_flipped_bit_in_a_block_refuses_the_tape(tmp_path):
    path = tmp_path / "a.tape"
    write_tape(path, [Frame("bybit.spot", b"payload" * 9, 5)])
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 4
    path.write_bytes(raw)
    with pytest.raises(TapeError, match="damaged in block 1"):
        list(TapeReader(path))


def test_a_record_that_makes_no_sense_refuses_the_tape(tmp_path):
    path = tmp_path / "a.tape"
    write_tape(path, [])
    raw = struct.pack("<HqI", 9, 1, 0)  # connection 9 was never named
    stored = zstandard.compress(raw)
    with path.open("ab") as file:
        file.write(struct.pack("<III", len(raw), zlib.crc32(raw), len(stored)) + stored)
    with pytest.raises(TapeError, match="makes no sense"):
        list(TapeReader(path))


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"a":1}\n', b"\x00\xff\n", b"[]\n"])
def test_a_file_that_is_no_tape_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "a.tape"
    path.write_bytes(content)
    with pytest.raises(TapeError, match="is not a basisdesk tape"):
        TapeReader(path)


def test_a_tape_of_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "a.tape"
    header = TapeHeader(TAPE_VERSION + 1, "9", 0, "demo")
    with TapeWriter(path, header, 1 << 20):
        pass
    with pytest.raises(TapeError, match="Update basisdesk"):
        TapeReader(path)


def test_the_disk_limit_stops_the_recording_and_says_so(tmp_path):
    path = tmp_path / "a.tape"
    noise = [Frame("bybit.spot", bytes(range(256)), n * 3_000_000_000) for n in range(100)]
    tape = write_tape(path, noise, bytes_max=2_000)
    assert "limit" in tape.state
    assert path.stat().st_size <= 2_000
    assert list(TapeReader(path)) == noise[: len(list(TapeReader(path)))]


def test_an_existing_file_is_never_overwritten(tmp_path):
    path = tmp_path / "a.tape"
    path.write_bytes(b"mine")
    with pytest.raises(TapeError):
        TapeWriter(path, HEADER, 1 << 20)
    assert path.read_bytes() == b"mine"


def test_a_full_disk_stops_the_tape_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.tape"
    room = 600

    def write(file, block):
        nonlocal room
        room -= len(block)
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return file.write(block)

    monkeypatch.setattr(tape_module, "_write", write)
    noise = [Frame("bybit.spot", bytes(range(256)), n * 3_000_000_000) for n in range(20)]
    tape = write_tape(path, noise)
    assert tape.state == "The tape stopped: No space left on device."
    tape.put(noise[0])  # a stopped tape takes frames and forgets them
    kept = list(TapeReader(path))
    assert kept == noise[: len(kept)]
    assert kept
