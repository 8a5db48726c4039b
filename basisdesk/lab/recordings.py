"""Files of other collectors: which ones, their lines, and what of them could not be read."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

from basisdesk.errors import UserError

LINE_BYTES_MAX = 24 * 1024 * 1024  # the largest HTTP answer that is taken, escaped
T_NS_MAX = 2**62  # some 146 years after 1970: a later stamp is a mistake


class Source(NamedTuple):
    """One file of a recording and, where the file does not say, its connection ("FILE@CONN")."""

    path: Path
    conn: str


class Tally:
    """What an import leaves out. skipped: lines that hold no received message; broken: unreadable.

    first: where the first broken line stands and why. restamped: stamps that went back, taken as
    the one before, because the file's own order is the order of arrival.
    """

    def __init__(self) -> None:
        self.skipped = self.broken = self.restamped = 0
        self.first = ""

    def broke(self, path: Path, number: int, why: str) -> None:
        """Count a line that could not be read."""
        self.broken += 1
        if not self.first:
            self.first = f"{path.name} line {number}: {why}"


def parse_source(text: str) -> Source:
    """FILE or FILE@CONN as given on the command line. Raises UserError if there is no such file."""
    name, at, conn = text.rpartition("@")
    if at and not Path(text).exists():
        path = Path(name)
    else:
        path, conn = Path(text), ""
    if not path.exists():
        raise UserError(f"No such file: {path}.")
    return Source(path, conn)


def expand(sources: Iterable[Source], suffixes: tuple[str, ...]) -> list[Source]:
    """Folders become the recordings in them: names with one of these suffixes, plain or packed."""
    files: list[Source] = []
    for source in sources:
        if source.path.is_dir():
            inside = sorted(p for p in source.path.iterdir() if _is_recording(p, suffixes))
            if not inside:
                kinds = " or ".join(suffixes)
                raise UserError(f"Folder {source.path} holds no {kinds} recordings.")
            files += [Source(path, source.conn) for path in inside]
        else:
            files.append(source)
    return files


def _is_recording(path: Path, suffixes: tuple[str, ...]) -> bool:
    plain = path.with_suffix("") if path.suffix in (".gz", ".zst") else path
    return path.is_file() and plain.suffix in suffixes


def lines(path: Path, cut: Tally | None = None) -> Iterator[bytes]:
    """The lines of a file, plain, gzipped or zstandard.

    cut: with it a packed file that ends in the middle (a collector that was killed) gives what it
    holds and is counted there; without it that is an error. Raises UserError.
    """
    number = 0
    try:
        with path.open("rb") as raw:
            for line in _unpacked(path, raw):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise UserError(f"{path} line {number} is over {LINE_BYTES_MAX >> 20} MiB.")
                yield line
    except (EOFError, zlib.error, zstandard.ZstdError) as exc:
        if cut is None or not number:
            raise UserError(f"Cannot read {path}: {exc}.") from exc
        cut.broke(path, number + 1, f"the file ends here, {exc}")
    except OSError as exc:
        raise UserError(f"Cannot read {path}: {exc}.") from exc


def _unpacked(path: Path, raw: io.BufferedReader) -> Iterator[bytes]:
    """Lines of at most one byte more than allowed, so that no file can fill the memory."""
    stream: io.BufferedIOBase = raw
    if path.suffix == ".gz":
        stream = gzip.GzipFile(fileobj=raw)
    elif path.suffix == ".zst":
        stream = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw))
    while line := stream.readline(LINE_BYTES_MAX + 1):
        yield line
