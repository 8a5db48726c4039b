"""Recordings of other collectors to tapes.

Each format is a function from open lines to (t_ns, conn, payload); `import_files` merges several
files by receive time, adds a heartbeat for each second without frames, and writes the tape.
"""

import gzip
import heapq
import io
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec
import zstandard

from basisdesk.errors import UserError
from basisdesk.events import BEAT, Frame
from basisdesk.lab.tape import TapeHeader, TapeWriter

SECOND_NS = 1_000_000_000
T_NS_MAX = 2**62  # some 146 years after 1970: a later stamp is a mistake
GAP_BEATS_MAX = 7 * 86_400  # heartbeats put into one silence; a longer one is cut, and said
LINE_BYTES_MAX = 64 * 1024 * 1024
TAPE_BYTES_MAX = 1 << 40

_CONN_OF_PATH = {"/v5/public/spot": "bybit.spot", "/v5/public/linear": "bybit.linear"}


class Source(NamedTuple):
    """One file of a recording and, where the file does not say, its connection ("FILE@CONN")."""

    path: Path
    conn: str


class ImportReport(NamedTuple):
    """What an import made. skipped: lines that hold no received message; beats: added seconds."""

    frames: int
    beats: int
    skipped: int
    first_ns: int
    last_ns: int


class _RawLine(msgspec.Struct):
    t_ns: int
    conn: str
    data: str
    path: str = ""


class _CryptofeedLine(msgspec.Struct):
    t: str
    ts: Decimal = Decimal(0)
    conn: str = ""
    data: str = ""
    url: str = ""
    addr: str = ""


_raw_line = msgspec.json.Decoder(_RawLine).decode
_cryptofeed_line = msgspec.json.Decoder(_CryptofeedLine).decode


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


def expand(sources: Iterable[Source]) -> list[Source]:
    """Folders become the .jsonl recordings in them, plain, gzipped or zstandard."""
    files: list[Source] = []
    for source in sources:
        if source.path.is_dir():
            inside = sorted(p for p in source.path.iterdir() if ".jsonl" in p.name)
            if not inside:
                raise UserError(f"Folder {source.path} holds no .jsonl recordings.")
            files += [Source(path, source.conn) for path in inside]
        else:
            files.append(source)
    return files


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            stream: Iterable[bytes]
            if path.suffix == ".gz":
                stream = gzip.GzipFile(fileobj=raw)
            elif path.suffix == ".zst":
                stream = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw))
            else:
                stream = raw
            for number, line in enumerate(stream, 1):
                if len(line) > LINE_BYTES_MAX:
                    raise UserError(f"{path} line {number} is over {LINE_BYTES_MAX >> 20} MiB.")
                yield line
    except (OSError, EOFError, zstandard.ZstdError) as exc:
        raise UserError(f"Cannot read {path}: {exc}.") from exc


def _rest_payload(path: str, data: str) -> bytes:
    return msgspec.json.encode({"path": path, "data": data})


def read_raw_jsonl(source: Source, _conns: dict[str, str]) -> Iterator[Frame | None]:
    """Lines `{"t_ns", "conn", "data"}`; REST answers carry `path` too. In time order."""
    for number, line in enumerate(_lines(source.path), 1):
        if not line.strip():
            continue
        try:
            row = _raw_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise UserError(
                f"{source.path} line {number} is not raw-jsonl: {exc}. Expected "
                '{"t_ns": int, "conn": "bybit.spot", "data": "<payload text>"}.'
            ) from exc
        if not 0 <= row.t_ns < T_NS_MAX:
            raise UserError(f"{source.path} line {number}: t_ns {row.t_ns} is no time.")
        conn = source.conn or row.conn
        data = _rest_payload(row.path, row.data) if conn.endswith(".rest") else row.data.encode()
        yield Frame(conn, data, row.t_ns)


def read_cryptofeed(source: Source, conns: dict[str, str]) -> Iterator[Frame | None]:
    """Lines of the cryptofeed raw recorder, `t` one of header, http, connect, send, recv.

    None stands for a line that is not a received message.
    """
    for number, line in enumerate(_lines(source.path), 1):
        try:
            row = _cryptofeed_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise UserError(
                f"{source.path} line {number} is not a cryptofeed line: {exc}."
            ) from exc
        if not (row.ts.is_finite() and 0 <= row.ts < T_NS_MAX // SECOND_NS):
            raise UserError(f"{source.path} line {number}: ts is no time.")
        t_ns = int(row.ts * SECOND_NS)
        if row.t == "http":
            path = "/" + row.url.split("://", 1)[-1].partition("/")[2]
            yield Frame("bybit.rest", _rest_payload(path, row.data), t_ns)
        elif row.t == "recv":
            conn = source.conn or conns.get(row.conn, "")
            if not conn:
                raise UserError(
                    f"{source.path} does not say which connection {row.conn} was. Give the file "
                    f"with the connect lines too, or write {source.path}@bybit.spot."
                )
            yield Frame(conn, row.data.encode(), t_ns)
        else:
            yield None


def _cryptofeed_conns(files: Iterable[Source]) -> dict[str, str]:
    """Their connection names to ours, from the address of each connect or send line."""
    conns: dict[str, str] = {}
    for source in files:
        for line in _lines(source.path):
            if b'"connect"' not in line[:64] and b'"send"' not in line[:64]:
                continue  # the long data lines need not be decoded twice
            try:
                row = _cryptofeed_line(line)
            except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError):
                continue  # the reader says which line and why
            for path, conn in _CONN_OF_PATH.items():
                if row.addr.endswith(path):
                    conns[row.conn] = conn
    return conns


_READERS: dict[str, Callable[[Source, dict[str, str]], Iterator[Frame | None]]] = {
    "raw-jsonl": read_raw_jsonl,
    "cryptofeed": read_cryptofeed,
}
FORMATS = tuple(_READERS)  # cli.IMPORT_FORMATS repeats the names, to start without this import


def import_files(
    sources: Iterable[Source], form: str, out: Path, header: TapeHeader
) -> ImportReport:
    """Merge recordings by receive time into one tape. `form`: one of FORMATS.

    Raises UserError with one sentence; then no tape is left behind.
    """
    files = expand(sources)
    conns = _cryptofeed_conns(files) if form == "cryptofeed" else {}
    reader = _READERS[form]
    if out.exists():
        raise UserError(f"{out} exists already. Choose another name with --out.")
    skipped = 0

    def received(source: Source) -> Iterator[Frame]:
        nonlocal skipped
        for frame in reader(source, conns):
            if frame is None:
                skipped += 1
            else:
                yield frame

    frames = beats = 0
    first_ns = last_ns = 0
    part = out.with_name(out.name + ".part")
    try:
        ordered = [_in_order(received(source), form, source) for source in files]
        with TapeWriter(part, header, TAPE_BYTES_MAX) as tape:
            for frame in heapq.merge(*ordered, key=attrgetter("t_ns")):
                if frames == 0:
                    first_ns = last_ns = frame.t_ns
                for beat_ns in _silence(last_ns, frame.t_ns):
                    tape.put(Frame(BEAT, b"", beat_ns))
                    beats += 1
                tape.put(frame)
                frames += 1
                last_ns = frame.t_ns
        if tape.state:
            raise UserError(tape.state)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return ImportReport(frames, beats, skipped, first_ns, last_ns)


def _in_order(frames: Iterator[Frame], form: str, source: Source) -> Iterable[Frame]:
    """Frames by stamp, equal stamps as written.

    cryptofeed writes its lines connection by connection, so a file is sorted in memory. raw-jsonl
    promises time order and may be long, so it is streamed and held to its promise.
    """
    if form != "raw-jsonl":
        return sorted(frames, key=attrgetter("t_ns"))
    return _held_to_order(frames, source)


def _held_to_order(frames: Iterator[Frame], source: Source) -> Iterator[Frame]:
    last_ns = 0
    for frame in frames:
        if frame.t_ns < last_ns:
            raise UserError(
                f"{source.path} is not in time order: t_ns {frame.t_ns} follows {last_ns}. Sort it."
            )
        last_ns = frame.t_ns
        yield frame


def _silence(last_ns: int, next_ns: int) -> range:
    """Stamps of the heartbeats between two frames: one for each whole second without any."""
    end = min(next_ns, last_ns + GAP_BEATS_MAX * SECOND_NS)
    return range(last_ns + SECOND_NS, end, SECOND_NS)
