"""Where the blocks of a tape lie and what stands in them, so that any moment of it is near.

Opening reads the heads of the blocks by seeking, some 30 bytes each, and decompresses none: a tape
of 1 GB is open in a fraction of a second. The first stamp of a block is read when a search needs
it. `survey` looks into a block as a whole: which connections it names, and whether anybody traded
in it; it can run in a thread while the tape plays.

What was found is kept beside the tape, as `NAME.tape.idx`: one JSON line, the columns, a CRC-32.
A side file that does not match the tape, or is damaged, or from another version, is made anew; one
of a tape that has grown since is gone on with. A folder that cannot be written is no fault.
"""

import mmap
import struct
import sys
import zlib
from array import array
from io import BufferedReader
from pathlib import Path

import msgspec
import zstandard

from basisdesk.errors import TapeError
from basisdesk.events import COMMAND, ENTRY, LINK, Frame, SetValue
from basisdesk.events import Command as AnyCommand
from basisdesk.lab.tape import (
    BLOCK,
    BLOCK_BYTES_MAX,
    NAME,
    RECORD,
    TapeReader,
    damaged,
    records,
    unpacked,
)

INDEX_VERSION = 1
INDEX_BYTES_MAX = 64 * 1024 * 1024
BLOCKS_MAX = 1_000_000  # some 250 GB of messages
UNKNOWN_NS = -1
# Marks of a frame, and of a block as the bits of its frames: a price, a word of our own, what moves
# money, an answer over HTTP (of a block only beside words). UNSEEN: not looked into yet.
PLAIN, WORDS, TRADES, ANSWERS, UNSEEN = 0, 1, 2, 4, 0xFF
# What our own frames that matter are found by, faster than record by record: a command's JSON has
# the key "do", an entry's "kind", a link's "state".
_SIGNS = (b'"do"', b'"kind"', b'"state"')
NAME_SIGN = struct.pack("<H", NAME)  # begin of the record that names a connection
_command = msgspec.json.Decoder(AnyCommand).decode


class _Head(msgspec.Struct, frozen=True):
    """First line of a side file. tape: CRC-32 of the tape's header; last: of its last head."""

    basisdesk_index: int
    order: str  # of the bytes in the columns
    tape: int
    blocks: int
    end: int
    last: int
    last_ns: int
    names: dict[str, str]
    crc: int


class TapeIndex:
    """The blocks of one tape, counted from 0. Raises TapeError like TapeReader.

    header: of the tape. first_ns, last_ns: its first and last stamp, 0 where it holds no frame.
    names: connections known by number. lost_bytes: of an unfinished block at the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        reader = TapeReader(path)
        self.header = reader.header
        self.names: dict[int, str] = {}
        self.last_ns = 0
        self.lost_bytes = 0
        self._body_at = reader.body_at
        self._at: array[int] = array("q")  # offset of each block's head
        self._raw: array[int] = array("q", [0])  # raw bytes before each block, and after the last
        self._ns: array[int] = array("q")  # first stamp of each block, or UNKNOWN_NS
        self._marks = bytearray()
        self._end = self._body_at
        self._named = 0  # before this block all names are known
        with path.open("rb") as file:
            self._crc = zlib.crc32(file.read(self._body_at))
            self._load(file)
            known = len(self)
            self._read_heads(file)
        if len(self) and (known < len(self) or not self.last_ns):
            self.last_ns = self._read_last()

    def __len__(self) -> int:
        return len(self._at)

    @property
    def first_ns(self) -> int:
        """The first stamp, 0 where the tape holds no frame."""
        return self.block_ns(0) if len(self) else 0

    @property
    def surveyed(self) -> int:
        """How many blocks were looked into."""
        return len(self) - self._marks.count(UNSEEN)

    def raw_bytes(self, first: int, end: int) -> int:
        """Raw bytes of the blocks [first, end): what walking them costs goes by that."""
        end = min(end, len(self))
        return self._raw[end] - self._raw[first] if end > first else 0

    # --- finding ---------------------------------------------------------------------------------

    def block_ns(self, block: int) -> int:
        """The first stamp in a block."""
        if self._ns[block] == UNKNOWN_NS:
            with self.path.open("rb") as file:
                self._ns[block] = self._first_stamp(file, block)
        return self._ns[block]

    def block_at(self, t_ns: int) -> int:
        """The last block that begins before this time; 0 where none does. O(log n) looks.

        Frames of the very time may stand at the end of a block, so one that begins with it is too
        late. Stamps of a tape hardly ever go back, and by milliseconds; whoever seeks walks on.
        """
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.block_ns(middle) < t_ns:
                low = middle + 1
            else:
                high = middle
        return max(0, low - 1)

    def unseen(self, first: int, end: int) -> int | None:
        """The first block of [first, end) that was not looked into, None where all were."""
        at = self._marks.find(UNSEEN, first, end)
        return None if at < 0 else at

    def trades_in(self, first: int, end: int) -> bool:
        """Whether a surveyed block of [first, end) has commands that trade, or a journal's past."""
        return any(mark != UNSEEN and mark & TRADES for mark in self._marks[first:end])

    def words_in(self, first: int, end: int) -> list[int]:
        """Surveyed blocks of [first, end) with words of our own: links, what is watched."""
        marks = self._marks
        return [at for at in range(first, end) if marks[at] != UNSEEN and marks[at] & WORDS]

    # --- reading ---------------------------------------------------------------------------------

    def frames(self, block: int) -> list[Frame]:
        """The frames of a block."""
        with self.path.open("rb") as file:
            raw = self._raw_of(file, block)
        self._name_all(raw, block)
        return list(records(raw, self.names, self.path))

    def survey(self, block: int) -> None:
        """Look into a block: its first stamp, the connections it names, and its marks."""
        with self.path.open("rb") as file:
            raw = self._raw_of(file, block)
        if self._ns[block] == UNKNOWN_NS:
            self._ns[block] = _stamp(raw)
        mark = PLAIN
        if any(sign in raw for sign in _SIGNS) or NAME_SIGN in raw:
            self._name_all(raw, block)
            for frame in records(raw, self.names, self.path):
                mark |= mark_of(frame)
        self._marks[block] = mark

    def skip(self, block: int) -> None:
        """A block that cannot be read: whoever plays comes to it and is told."""
        self._marks[block] = PLAIN

    def _name_all(self, raw: bytes, block: int) -> None:
        """Know each connection that this block uses; those named earlier are looked for there."""
        named, used = _numbers(raw)
        self.names |= named
        if all(number in self.names for number in used):
            return
        with self.path.open("rb") as file:  # once for each block, however many are missing
            while self._named < block and not all(number in self.names for number in used):
                earlier = self._raw_of(file, self._named)
                if NAME_SIGN in earlier:
                    self.names |= _numbers(earlier)[0]
                self._named += 1

    def _raw_of(self, file: BufferedReader, block: int) -> bytes:
        file.seek(self._at[block])
        raw_size, checksum, stored_size = BLOCK.unpack(file.read(BLOCK.size))
        return unpacked(file.read(stored_size), (raw_size, checksum), self.path, block + 1)

    def _first_stamp(self, file: BufferedReader, block: int) -> int:
        """Decompress no more of a block than holds its first record that is a frame."""
        file.seek(self._at[block])
        _, _, stored_size = BLOCK.unpack(file.read(BLOCK.size))
        stored = file.read(stored_size)
        try:
            with zstandard.ZstdDecompressor().stream_reader(stored) as stream:
                found = _stamp(stream.read(4096))
        except zstandard.ZstdError as exc:
            raise damaged(self.path, block + 1) from exc
        return found if found != UNKNOWN_NS else _stamp(self._raw_of(file, block))

    def _read_last(self) -> int:
        """The last stamp; a block of names alone has none, so the one before is asked."""
        for block in range(len(self) - 1, -1, -1):
            frames = self.frames(block)
            if frames:
                return max(frame.t_ns for frame in frames)
        return 0

    def _read_heads(self, file: BufferedReader) -> None:
        """Go on from where the index ends to the last whole block."""
        size, at = self.path.stat().st_size, self._end
        if at >= size:
            return
        # Mapped: 30,000 seeks and reads would each let go of the interpreter, and read 8 KB.
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            at = self._heads_from(data, at)
        self._end = at
        self.lost_bytes = size - at

    def _heads_from(self, data: mmap.mmap, at: int) -> int:
        size = len(data)
        while at + BLOCK.size <= size:
            raw_size, _, stored_size = BLOCK.unpack_from(data, at)
            if raw_size > BLOCK_BYTES_MAX or stored_size > BLOCK_BYTES_MAX:
                raise damaged(self.path, len(self) + 1)
            end = at + BLOCK.size + stored_size
            if end > size:
                break
            if len(self) >= BLOCKS_MAX:
                raise TapeError(
                    f"Tape {self.path} has over {BLOCKS_MAX:,} blocks, too many to play. Record "
                    "shorter sessions, or run it headless with `basisdesk replay`."
                )
            self._at.append(at)
            self._raw.append(self._raw[-1] + raw_size)
            self._ns.append(UNKNOWN_NS)
            self._marks.append(UNSEEN)
            at = end
        return at

    # --- the side file ---------------------------------------------------------------------------

    @property
    def side_path(self) -> Path:
        """Where the index is kept."""
        return self.path.with_name(self.path.name + ".idx")

    def save(self) -> bool:
        """Keep what is known beside the tape. False where the folder cannot be written."""
        body = b"".join(map(bytes, (self._at, self._raw, self._ns, self._marks)))
        head = _Head(
            INDEX_VERSION,
            sys.byteorder,
            self._crc,
            len(self),
            self._end,
            self._last_head(),
            self.last_ns,
            {str(number): name for number, name in self.names.items()},
            0,
        )
        head = msgspec.structs.replace(head, crc=_checksum(head, body))
        part = self.side_path.with_name(self.side_path.name + ".part")
        try:
            part.write_bytes(msgspec.json.encode(head) + b"\n" + body)
            part.replace(self.side_path)
        except OSError:
            return False
        return True

    def _load(self, file: BufferedReader) -> None:
        """Take over the side file where it belongs to this tape, whole or to a shorter past."""
        try:
            if self.side_path.stat().st_size > INDEX_BYTES_MAX:
                return
            line, _, body = self.side_path.read_bytes().partition(b"\n")
            head = msgspec.json.decode(line, type=_Head)
            names = {int(number): name for number, name in head.names.items()}
        except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return
        made_here = (head.basisdesk_index, head.order) == (INDEX_VERSION, sys.byteorder)
        fits = made_here and head.tape == self._crc
        if not fits or _checksum(head, body) != head.crc or len(body) != 25 * head.blocks + 8:
            return
        columns = memoryview(body)
        count = 8 * head.blocks
        self._at.frombytes(columns[:count])
        self._raw = array("q")
        self._raw.frombytes(columns[count : 2 * count + 8])
        self._ns.frombytes(columns[2 * count + 8 : 3 * count + 8])
        self._marks = bytearray(columns[3 * count + 8 :])
        self._end = head.end
        if self._end > self.path.stat().st_size or self._last_head(file) != head.last:
            self._at, self._ns, self._raw = array("q"), array("q"), array("q", [0])
            self._marks, self._end = bytearray(), self._body_at
            return
        self.names, self.last_ns = names, head.last_ns

    def _last_head(self, file: BufferedReader | None = None) -> int:
        """CRC-32 of the head of the last block: another tape of the same header has another."""
        if not len(self):
            return 0
        if file is None:
            with self.path.open("rb") as opened:
                return self._last_head(opened)
        file.seek(self._at[-1])
        return zlib.crc32(file.read(BLOCK.size))


def _checksum(head: _Head, body: bytes) -> int:
    """CRC-32 of a side file: its first line without the sum itself, and its columns."""
    return zlib.crc32(body, zlib.crc32(msgspec.json.encode(msgspec.structs.replace(head, crc=0))))


def mark_of(frame: Frame) -> int:
    """What a frame means to whoever would leave it out."""
    if frame.conn == COMMAND:
        try:
            command = _command(frame.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError):
            return PLAIN  # the engine counts it as bad and does nothing
        return WORDS if isinstance(command, SetValue) else TRADES
    if frame.conn == ENTRY:
        return TRADES
    if frame.conn == LINK:
        return WORDS
    return ANSWERS if frame.conn.endswith(".rest") else PLAIN


def is_trade(command: AnyCommand) -> bool:
    """Whether a command may change money; what is shown and watched may not."""
    return not isinstance(command, SetValue)


def _numbers(raw: bytes) -> tuple[dict[int, str], set[int]]:
    """(connections named in a block, numbers used in it)."""
    at, size = 0, RECORD.size
    named: dict[int, str] = {}
    used: set[int] = set()
    while at + size <= len(raw):
        number, t_ns, length = RECORD.unpack_from(raw, at)
        if number == NAME:
            named[t_ns] = raw[at + size : at + size + length].decode("utf-8", "replace")
        else:
            used.add(number)
        at += size + length
    return named, used


def _stamp(raw: bytes) -> int:
    """The stamp of the first frame in some raw bytes, UNKNOWN_NS where there is none whole."""
    at, size = 0, RECORD.size
    while at + size <= len(raw):
        number, t_ns, length = RECORD.unpack_from(raw, at)
        if number != NAME:
            return int(t_ns)
        at += size + length
    return UNKNOWN_NS
