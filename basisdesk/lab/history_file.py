"""One file of the history store: blocks of columns, each with its own checksum.

A file holds rows of one span of time, a UTC day or a month. It opens with one line of JSON, which
names the format, and is then a row of blocks, each written whole by one append:

    head   <III>  bytes of the body, CRC-32 of the body, CRC-32 of these two
    body   zstd of: <HHI> names, number of the first, rows;
           the names (a byte of length each, UTF-8);
           columns: leg number u16 and minute of the span u32, both as differences from the row
           before, then the value, float32 or float64, by byte planes

A crash leaves at most an unfinished block at the end: it is left out, counted, and written over by
the next append. A block that does not match its checksum is left out and the rest is read: numbers
of legs are never used again, and names are said again from time to time, so what is lost takes no
other row with it. Where a head is damaged
its length says nothing, so reading goes on at the next head that matches its own checksum: heads
are found by the four bytes that every body begins with (the zstd frame, RFC 8878 3.1.1).
"""

import os
import stat
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

HISTORY_VERSION = 1
HEADER_BYTES_MAX = 4_096
BLOCK_BYTES_MAX = 64 * 1024 * 1024  # a larger body is not ours: bounds memory when reading
NAMES_MAX = 60_000  # legs one file can number
NAMES_AGAIN = 64  # blocks after which all names are said again, and after 1, 2, 4 ... before
NAME_BYTES_MAX = 255

_HEAD = struct.Struct("<III")
_HEAD_PART = struct.Struct("<II")
_BODY = struct.Struct("<HHI")
_FRAME = zstandard.FRAME_HEADER  # what each body begins with

_Columns = tuple[NDArray[np.uint16], NDArray[np.uint32], NDArray[np.floating]]


class Refused(Exception):
    """A file that is not to be touched: of a newer basisdesk, or none of ours. One sentence."""


class Header(msgspec.Struct, frozen=True):
    """What a reader must know. start: the first minute of the span, since 1970."""

    basisdesk_history: int
    kind: str
    start: int


@dataclass
class Rows:
    """Columns of one file: names of legs, and a row by number of its name, minute and value."""

    names: list[str] = field(default_factory=list)
    leg: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    minute: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    value: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass
class _Map:
    """What reading told of a file: who has which number, and where whole blocks end."""

    names: dict[int, str] = field(default_factory=dict)
    blocks: int = 0
    top: int = -1  # the highest number in use, also by rows whose name is lost
    end: int = 0
    size: int = 0  # of the file when it was read or written here
    lost_bytes: int = 0
    lost_blocks: int = 0


class HistoryFile:
    """One file, there or not. Raises OSError as the disk does, and Refused.

    lost_bytes: of unfinished ends and behind damaged heads; lost_blocks: damaged ones; both met
    since it was opened here. damage: what the newest reading had to leave out, one sentence; "" for
    nothing, and for an end that a crash left unfinished.
    """

    def __init__(self, path: Path, kind: str, start: int, value: str) -> None:
        self.path = path
        self.lost_bytes = 0
        self.lost_blocks = 0
        self.damage = ""
        self._header = Header(HISTORY_VERSION, kind, start)
        self._value = np.dtype(value)
        self._map: _Map | None = None

    def read(self) -> Rows:
        """All rows of whole blocks, in the order they were written."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        known = _Map(end=self._body_at(data), size=len(data))
        parts = [self._columns(body, known) for body in _blocks(data, known)]
        known.blocks = len(parts)
        self._map = known
        self.lost_bytes += known.lost_bytes
        self.lost_blocks += known.lost_blocks
        self.damage = _damage(self.path, known.lost_blocks)
        return self._join(parts, known)

    def append(self, rows: Rows) -> int:
        """Write these rows as one block and return the size of the file. All or nothing of it."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if self._map is None or size != self._map.size:
            self.read()
        assert self._map is not None
        end, known = self._map.end, self._map
        numbers, body = self._body(rows, known)
        block = _HEAD_PART.pack(len(body), zlib.crc32(body))
        block += struct.pack("<I", zlib.crc32(block)) + body
        if not end:
            block = msgspec.json.encode(self._header) + b"\n" + block
        _write_at(self.path, end, block)
        known.names |= {number: name for name, number in numbers.items()}
        known.top = max(known.names, default=known.top)
        known.end = known.size = end + len(block)
        known.blocks += 1
        return known.end

    # --- reading ---------------------------------------------------------------------------------

    def _body_at(self, data: bytes) -> int:
        # where the blocks begin; 0 where the header was never finished
        stop = data.find(b"\n", 0, HEADER_BYTES_MAX)
        ours = msgspec.json.encode(self._header) + b"\n"
        if stop < 0 and ours.startswith(data):
            return 0
        try:
            header = msgspec.json.decode(data[: max(0, stop)], type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            header = None
        if header is not None and header.basisdesk_history > HISTORY_VERSION:
            raise Refused(
                f"History {self.path} has format {header.basisdesk_history}, this basisdesk reads "
                f"up to {HISTORY_VERSION}. Update basisdesk."
            )
        if header != self._header:
            raise Refused(f"{self.path} is not the history file that its name says. Move it away.")
        return stop + 1

    def _columns(self, body: bytes, known: _Map) -> _Columns | None:
        try:
            return self._read_columns(body, known)
        except (struct.error, ValueError, IndexError):  # the checksum holds, so somebody made it
            known.lost_blocks += 1
            return None

    def _read_columns(self, body: bytes, known: _Map) -> _Columns:
        count, first, rows = _BODY.unpack_from(body)
        at = _BODY.size
        for number in range(first, first + count):
            size = body[at]
            known.names[number] = body[at + 1 : at + 1 + size].decode()
            at += 1 + size
        leg = np.cumsum(np.frombuffer(body, "<u2", rows, at), dtype=np.uint16)
        minute = np.cumsum(np.frombuffer(body, "<u4", rows, at + 2 * rows), dtype=np.uint32)
        planes = np.frombuffer(body, np.uint8, self._value.itemsize * rows, at + 6 * rows)
        value = planes.reshape(self._value.itemsize, rows).T.copy().view(self._value)[:, 0]
        known.top = max(known.top, first + count - 1, int(leg.max()) if rows else -1)
        return leg, minute, value

    def _join(self, parts: list[_Columns | None], known: _Map) -> Rows:
        whole = [part for part in parts if part is not None]
        if not whole:
            return Rows()
        leg, minute, value = (np.concatenate(column) for column in zip(*whole, strict=True))
        place = np.full(known.top + 1, -1)
        place[list(known.names)] = np.arange(len(known.names))
        place = place[leg.astype(np.int64)]
        named = place >= 0
        return Rows(
            list(known.names.values()),
            place[named],
            minute[named].astype(np.int64) + self._header.start,
            value[named].astype(np.float64),
        )

    # --- writing ---------------------------------------------------------------------------------

    def _body(self, rows: Rows, known: _Map) -> tuple[dict[str, int], bytes]:
        # (numbers of new names, the block's body)
        have = {name: number for number, name in known.names.items()}
        used = [rows.names[place] for place in np.unique(rows.leg)]
        new = [name for name in used if name not in have]
        if known.top + 1 + len(new) > NAMES_MAX:
            raise OSError(f"more than {NAMES_MAX:,} legs in one file")
        numbers = {name: known.top + 1 + at for at, name in enumerate(new)}
        number = np.array([{**have, **numbers}.get(name, 0) for name in rows.names], np.int64)
        order = np.lexsort((rows.minute, number[rows.leg]))
        leg = number[rows.leg][order].astype(np.uint16)
        minute = (rows.minute - self._header.start)[order].astype(np.uint32)
        value = rows.value[order].astype(self._value)
        again = _said_again(known)
        texts = [name.encode() for name in (*again, *new)]
        body = b"".join(
            (
                _BODY.pack(len(texts), known.top + 1 - len(again), len(order)),
                *(bytes((len(text),)) + text for text in texts),
                np.diff(leg, prepend=np.uint16(0)).astype("<u2").tobytes(),
                np.diff(minute, prepend=np.uint32(0)).astype("<u4").tobytes(),
                value.view(np.uint8).reshape(-1, self._value.itemsize).T.tobytes(),
            )
        )
        return numbers, zstandard.ZstdCompressor(level=3).compress(body)


def _said_again(known: _Map) -> list[str]:
    """Names that the next block repeats: those of all numbers, down to one whose name is lost."""
    blocks, names = known.blocks, known.names
    if blocks % NAMES_AGAIN and (blocks > NAMES_AGAIN or blocks & (blocks - 1)):
        return []
    first = known.top + 1
    while first - 1 in names:
        first -= 1
    return [names[number] for number in range(first, known.top + 1)]


def _damage(path: Path, blocks: int) -> str:
    if not blocks:
        return ""
    places = "one place" if blocks == 1 else f"{blocks} places"
    return f"History {path} is damaged in {places}: the rows there are lost, the others are used."


def _blocks(data: bytes, known: _Map) -> list[bytes]:
    """Bodies of the whole blocks; says in `known` what was left out and where the last one ends."""
    bodies, at = [], known.end or len(data)  # 0: not even the header was finished
    while at + _HEAD.size <= len(data):
        size, checksum, _ = _HEAD.unpack_from(data, at)
        first, stop = at + _HEAD.size, at + _HEAD.size + size
        if not _is_head(data, at):
            known.lost_blocks += 1
            at = _next_head(data, at + 1)
            continue
        if stop > len(data):  # never finished
            break
        known.lost_bytes += at - known.end
        known.end = at = stop
        stored = data[first:stop]
        body = _opened(stored) if zlib.crc32(stored) == checksum else None
        if body is None:
            known.lost_blocks += 1
        else:
            bodies.append(body)
    known.lost_bytes += len(data) - known.end
    return bodies


def _is_head(data: bytes, at: int) -> bool:
    own: int = _HEAD.unpack_from(data, at)[2]
    return own == zlib.crc32(data[at : at + _HEAD_PART.size])


def _next_head(data: bytes, at: int) -> int:
    """Where the next block begins whose head is whole; the end of the data where none does."""
    frame = data.find(_FRAME, at + _HEAD.size)
    while frame >= 0 and not _is_head(data, frame - _HEAD.size):
        frame = data.find(_FRAME, frame + 1)
    return frame - _HEAD.size if frame >= 0 else len(data)


def _opened(stored: bytes) -> bytes | None:
    # what a body holds; None where it is none of ours, or larger than ours are
    try:
        if zstandard.frame_content_size(stored) > BLOCK_BYTES_MAX:
            return None
        return zstandard.ZstdDecompressor().decompress(stored, max_output_size=BLOCK_BYTES_MAX)
    except zstandard.ZstdError:
        return None


def _write_at(path: Path, at: int, block: bytes) -> None:
    """Write behind the last whole block, over what a crash left there; cut off again if it fails.

    Raises OSError. The file is made with mode 0600, and no link is followed.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)
    try:
        os.ftruncate(handle, at)
        os.lseek(handle, at, os.SEEK_SET)
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(handle, rest) :]
        except OSError:
            os.ftruncate(handle, at)
            raise
    finally:
        os.close(handle)
