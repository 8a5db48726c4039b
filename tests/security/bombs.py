"""Files that are small on the disk and huge in memory, read in a process of their own.

Prints, of each bomb, what came of it, the seconds it took, and by how much the process grew, MB.
"""

import resource
import struct
import sys
import time
import zipfile
import zlib
from pathlib import Path

import zstandard

from basisdesk.app.autopilot_disk import AutopilotFiles
from basisdesk.app.first_run import NAME as FIRST_RUN
from basisdesk.app.first_run import kept
from basisdesk.app.layout import load_layout
from basisdesk.app.watching import Watching
from basisdesk.app.workspaces_disk import FILE as WORKSPACES
from basisdesk.app.workspaces_disk import WorkspacesDisk
from basisdesk.config import load_settings
from basisdesk.errors import BadFrame, UserError
from basisdesk.lab.archive_rows import content
from basisdesk.lab.library_marks import FILE as MARKS
from basisdesk.lab.library_marks import Marks
from basisdesk.lab.recordings import lines
from basisdesk.lab.tape import BLOCK, TapeReader
from basisdesk.lab.tape_index import TapeIndex
from basisdesk.lab.trade_log import read_trade_log
from basisdesk.ledger.format import read_mark
from basisdesk.venues import known_venues

GIB = 1 << 30
DEEP = b"[" * 100_000
STARTS = (b"", b'{"topic":"orderbook.1.ADAUSDT","data":', b'{"path":"/x","data":')


def zeros_zst(size):
    """Zeros, so packed; the packer goes over them in pieces."""
    packer = zstandard.ZstdCompressor().compressobj(size=size)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


def of_a_tape(folder):
    """A block that says it is small and unpacks to a GiB; one that says so itself."""
    said = []
    stored = zeros_zst(GIB)
    head = b'{"basisdesk_tape":1,"version":"0","created_ns":1,"source":"demo"}\n'
    for raw_size in (100, GIB, 16 << 20):
        path = folder / f"{raw_size}.tape"
        path.write_bytes(head + BLOCK.pack(raw_size, zlib.crc32(b""), len(stored)) + stored)
        said.append(outcome(lambda p: list(TapeReader(p)), path))
        said.append(outcome(lambda p: TapeIndex(p).frames(0), path))
    huge = folder / "head.tape"
    huge.write_bytes(b" " * (8 << 20) + b"\n")
    return [*said, outcome(TapeReader, huge)]


def of_a_packed_line(folder):
    """A line without an end, of 96 MiB or a GiB, in some kB of gzip or zstandard."""
    packed = folder / "a.jsonl.gz"
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    piece = bytes(1 << 20).replace(b"\0", b"x")
    body = b"".join(packer.compress(piece) for _ in range(96)) + packer.flush()
    packed.write_bytes(body)
    other = folder / "a.jsonl.zst"
    other.write_bytes(zeros_zst(GIB))
    return [outcome(lambda p: sum(map(len, lines(p))), path) for path in (packed, other)]


def of_an_archive(folder):
    """A .zip whose one table unpacks to 96 MiB, whether its head says so or not."""
    path = folder / "BTCUSDT-1m-2026-01.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("BTCUSDT-1m-2026-01.csv", "w", force_zip64=True) as table,
    ):
        for _ in range(96):
            table.write(bytes(1 << 20))
    data = path.read_bytes()
    small = folder / "small"
    small.mkdir()
    lying = small / path.name
    lying.write_bytes(data.replace(struct.pack("<I", 96 << 20), struct.pack("<I", 1_000)))
    return [outcome(content, each) for each in (path, lying)]


def of_a_trade_log(folder):
    """Some MB of line ends, and some of one line."""
    ends, line = folder / "ends.csv", folder / "line.csv"
    ends.write_bytes(b"\n" * (16 << 20))
    line.write_bytes(b"x," * (16 << 20))
    return [outcome(read_trade_log, each) for each in (ends, line)]


def of_depth(folder):
    """Lists in lists, a hundred thousand of them, in files of the profile and in messages."""
    said = []
    deep = {
        FIRST_RUN: b'{"x":' + DEEP,
        "shown.json": b'{"pair":' + DEEP,
        "settings.toml": b"a = " + DEEP,
        "layout.json": b'{"x":' + DEEP,
        WORKSPACES: b'{"x":' + DEEP,
        MARKS: b'{"x":' + DEEP,
        "journal.db.mark": b'{"x":' + DEEP,
        "autopilot.json": b'{"t_ns":1,"orderly":true,"bands":{},"autopilot":{"a":' + DEEP,
        "deep.tape": b'{"basisdesk_tape":1,"x":' + DEEP + b"\n",
    }
    for name, body in deep.items():
        (folder / name).write_bytes(body)
    said.append(outcome(kept, folder))
    said.append(outcome(load_settings, folder / "settings.toml"))
    said.append(outcome(load_layout, folder / "layout.json"))
    said.append(outcome(WorkspacesDisk, folder))
    said.append(outcome(Marks, folder))
    said.append(outcome(read_mark, folder / "journal.db"))
    said.append(outcome(lambda f: AutopilotFiles(f).load(), folder))
    first = ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
    said.append(outcome(lambda f: Watching(f / "shown.json", first, ["bybit"]).shown, folder))
    said.append(outcome(TapeReader, folder / "deep.tape"))
    for venue in known_venues().values():
        for conn in [*venue.endpoints, f"{venue.name}.rest"]:
            decode = venue.codec(conn).decode
            said += [outcome(decode, start + DEEP) for start in STARTS]
    return said


def outcome(read, what):
    """ "refused" in a sentence of ours, or "read"; anything else ends this process."""
    try:
        read(what)
    except (UserError, BadFrame):
        return "refused"
    return "read"


def grown_mb(since_kib):
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - since_kib) / 1024


def main(folder):
    """Each bomb in turn; the memory is the most there ever was, so it only grows."""
    for bomb in (of_a_tape, of_a_packed_line, of_an_archive, of_a_trade_log, of_depth):
        place = folder / bomb.__name__
        place.mkdir()
        start_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.process_time()
        said = bomb(place)
        took_s = time.process_time() - begun
        counts = " ".join(f"{said.count(word)} {word}" for word in sorted(set(said)))
        print(f"{bomb.__name__}: {counts}; {took_s:.2f} s, {grown_mb(start_kib):.1f} MB more")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
