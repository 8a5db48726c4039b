"""Frames to and from disk.

A tape is one JSON header line, then blocks. A block is `<raw size> <crc32 of the raw bytes>
<stored size>` (three little-endian uint32) and a zstandard frame. Raw bytes are records:
`<connection number> <t_ns> <payload size>` (uint16, int64, uint32) and the payload. Connection
number 0xFFFF defines a name: t_ns is then the number and the payload the name.

A tape cut short by a crash reads up to its last whole block and says how many bytes were lost.
A block that does not match its checksum is an error: nothing of the tape is to be trusted.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import zstandard

from basisdesk.errors import TapeError
from basisdesk.events import Frame

TAPE_VERSION = 1
BLOCK_BYTES = 256 * 1024  # raw bytes gathered before a block is written
BLOCK_NS = 2_000_000_000  # or this long after its first frame: what a crash can lose
BLOCK_BYTES_MAX = 32 * 1024 * 1024  # a larger block is not ours: bounds memory when reading
HEADER_BYTES_MAX = 1024 * 1024

BLOCK = struct.Struct("<III")  # what stands before a block; tape_index.py reads them alone
RECORD = struct.Struct("<HqI")
NAME = 0xFFFF


class TapeHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reader must know before the first frame. `settings`: those in force, as JSON text.

    speed: how many seconds the stamps advance in a real one; 1 but on a demo in fast motion.
    entries: how many journal entries open the tape, the session's own start being the last; 0
        where the reader has to fund an account itself.
    """

    basisdesk_tape: int
    version: str
    created_ns: int
    source: str  # "demo", "live", "import"
    settings: str = ""
    note: str = ""
    speed: float = 1.0
    entries: int = 0


class TapeWriter:
    """Writes frames in blocks. Stops at `bytes_max` and says so in `state`; never raises from put.

    state: "" while recording, else why it stopped, in words. disk_failed: the disk stopped it.
    """

    def __init__(self, path: Path, header: TapeHeader, bytes_max: int) -> None:
        self.path = path
        self.state = ""
        self.disk_failed = False
        self.bytes_written = 0
        self.frames = 0
        self._bytes_max = bytes_max
        self._numbers: dict[str, int] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._first_ns = 0
        self._compress = zstandard.ZstdCompressor(level=1).compress
        self._file: RawIOBase | None = None
        try:
            # Unbuffered: a full disk shows at the write that meets it, never again at the close.
            self._file = path.open("xb", buffering=0)
            path.chmod(0o600)
            self.bytes_written += _write(self._file, msgspec.json.encode(header) + b"\n")
        except OSError as exc:
            if self._file is not None:  # made just now
                self.discard()
            raise TapeError(f"Cannot write tape {path}: {exc.strerror}.") from exc

    def put(self, frame: Frame) -> None:
        """Keep one frame. Costs a block write now and then; after a failure it does nothing."""
        if self._file is None:
            return
        number = self._numbers.get(frame.conn)
        if number is None:
            number = self._numbers[frame.conn] = len(self._numbers)
            name = frame.conn.encode()
            self._parts += (RECORD.pack(NAME, number, len(name)), name)
        payload = frame.payload
        if not self._size:
            self._first_ns = frame.t_ns
        self._parts += (RECORD.pack(number, frame.t_ns, len(payload)), payload)
        self._size += len(payload) + RECORD.size
        self.frames += 1
        if self._size >= BLOCK_BYTES or frame.t_ns - self._first_ns >= BLOCK_NS:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered as one block."""
        if self._file is None or not self._parts:
            return
        raw = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        stored = self._compress(raw)
        if self.bytes_written + len(stored) + BLOCK.size > self._bytes_max:
            self._stop(f"The tape reached its limit of {self._bytes_max / 1e6:.0f} MB.")
            return
        try:
            _write(self._file, BLOCK.pack(len(raw), zlib.crc32(raw), len(stored)) + stored)
        except OSError as exc:
            self.disk_failed = True
            self._stop(f"The tape stopped: {exc.strerror}.")
            return
        self.bytes_written += len(stored) + BLOCK.size

    def close(self) -> None:
        """Write the last block and let the file go."""
        self.flush()
        self._let_go()

    def discard(self) -> None:
        """Let the file go and remove it: nothing that could be replayed is on it."""
        self._parts.clear()
        self._let_go()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _stop(self, why: str) -> None:
        self.state = why
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what could not be written was said already
                self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def _write(file: RawIOBase, block: bytes) -> int:
    """All of a block or OSError: an unbuffered write may take only a part of it."""
    rest = memoryview(block)
    while rest:
        taken = file.write(rest)
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rest = rest[taken:]
    return len(block)


class TapeReader:
    """Iterates over the frames of a tape. `lost_bytes`: an unfinished block at the end, if any.

    body_at: where its blocks begin, bytes.

    Raises TapeError, one sentence, when the file is not a tape, is newer, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost_bytes = 0
        self.header = self._read_header()

    def _read_header(self) -> TapeHeader:
        try:
            with self.path.open("rb") as file:
                line = file.readline(HEADER_BYTES_MAX)
        except OSError as exc:
            raise TapeError(f"Cannot read tape {self.path}: {exc.strerror}.") from exc
        try:
            header = msgspec.json.decode(line, type=TapeHeader)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise TapeError(
                f"{self.path} is not a basisdesk tape. Make one with `basisdesk import`."
            ) from exc
        if header.basisdesk_tape > TAPE_VERSION:
            raise TapeError(
                f"Tape {self.path} has format {header.basisdesk_tape}, this basisdesk reads up to "
                f"{TAPE_VERSION}. Update basisdesk."
            )
        self.body_at = len(line)
        return header

    def __iter__(self) -> Iterator[Frame]:
        names: dict[int, str] = {}
        for raw in self._blocks():
            yield from records(raw, names, self.path)

    def _blocks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self.body_at)
            number = 0
            while head := file.read(BLOCK.size):
                number += 1
                if len(head) < BLOCK.size:
                    self.lost_bytes = len(head)
                    return
                raw_size, checksum, stored_size = BLOCK.unpack(head)
                if raw_size > BLOCK_BYTES_MAX or stored_size > BLOCK_BYTES_MAX:
                    raise damaged(self.path, number)
                stored = file.read(stored_size)
                if len(stored) < stored_size:
                    self.lost_bytes = len(head) + len(stored)
                    return
                yield unpacked(stored, (raw_size, checksum), self.path, number)


def records(raw: bytes, names: dict[int, str], path: Path) -> Iterator[Frame]:
    """The frames of a block's raw bytes. names: connections by number; gets those named here."""
    at, end, head = 0, len(raw), RECORD.size
    unpack = RECORD.unpack_from
    while at < end:
        try:
            number, t_ns, size = unpack(raw, at)
            payload = raw[at + head : at + head + size]
            if number == NAME:
                names[t_ns] = payload.decode()
            else:
                yield Frame(names[number], payload, t_ns)
        except (struct.error, KeyError, UnicodeDecodeError) as exc:
            raise TapeError(f"Tape {path} is damaged: a record makes no sense.") from exc
        at += head + size


def unpacked(stored: bytes, head: tuple[int, int], path: Path, number: int) -> bytes:
    """The records of a block. head: (raw size, checksum). Raises TapeError where they differ."""
    raw_size, checksum = head
    try:
        # What a frame says of its own size goes over max_output_size: it is compared beforehand.
        if zstandard.frame_content_size(stored) not in (raw_size, -1):
            raise damaged(path, number)
        raw = zstandard.ZstdDecompressor().decompress(stored, max_output_size=raw_size)
    except zstandard.ZstdError as exc:
        raise damaged(path, number) from exc
    if len(raw) != raw_size or zlib.crc32(raw) != checksum:
        raise damaged(path, number)
    return raw


def damaged(path: Path, number: int) -> TapeError:
    """The error of a block that does not match its checksum; blocks are counted from 1."""
    return TapeError(
        f"Tape {path} is damaged in block {number}: its checksum does not match. Use another copy."
    )


def tapes_bytes(folder: Path) -> int:
    """Bytes of all tapes in a folder: what the recorder's disk limit counts."""
    return sum(tape.stat().st_size for tape in folder.glob("*.tape"))


def header_for(
    source: str,
    version: str,
    created_ns: int,
    settings: Any = None,
    speed: float = 1.0,
    entries: int = 0,
) -> TapeHeader:
    """A header of today's format. `settings`: anything msgspec encodes, or None."""
    text = "" if settings is None else msgspec.json.encode(settings).decode()
    return TapeHeader(TAPE_VERSION, version, created_ns, source, text, speed=speed, entries=entries)
