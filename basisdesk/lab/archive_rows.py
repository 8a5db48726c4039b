"""The rows of one archive: numbers fast, and a slow second look that names the line of a fault.

A file is read whole, by one pass of a compiled parser and one check of its commas and line ends.
Only where those disagree is it read line by line, to find what is wrong and where.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.archive_files import ArchiveFile
from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.stamp import utc_text

FILE_BYTES_MAX = 32 * 1024 * 1024
CELL_SAID = 24  # characters of a bad cell in a sentence
MILLI_MAX = 100_000_000_000_000  # a stamp from here on is in microseconds
MICRO_MAX = 100_000_000_000_000_000
MILLI_MIN = 1_000_000_000_000  # 2001: an earlier stamp is no stamp of an exchange
COMMA, NEWLINE = 44, 10
ARROW_BYTES_MIN = 1_000_000  # of a smaller file the import takes longer than it saves

WHAT = {12: "candles", 3: "funding"}


class Layout(NamedTuple):
    """What the rows of a kind of file look like: columns in all, those read, those never empty."""

    columns: int
    read: tuple[int, ...]
    needed: int


class Rows(NamedTuple):
    """Rows of one file, oldest first. t_ns: of the first column; cells: the columns read.

    lines: number of each row's line in the file. doubles: exact duplicates left out.
    micro: whether its times are microseconds.
    """

    file: ArchiveFile
    t_ns: Ints
    cells: Floats
    lines: Ints
    doubles: int
    micro: bool


def rows_of(file: ArchiveFile, layout: Layout) -> Rows:
    """The rows of an archive, checked. Raises UserError naming file and line."""
    body = content(file.path)
    head = _head(file.path, body, layout)
    body = body[head:]
    first_line = 2 if head else 1
    if not body.strip():
        raise UserError(f"{file.path} is empty: it has no rows. Download it again.")
    cells = _parsed(body, layout)
    texts: list[bytes] | None = None
    if cells is None:
        cells, lines, texts = _slowly(file.path, body, first_line, layout)
    else:
        lines = np.arange(first_line, first_line + len(cells), dtype=np.int64)
    t_ns, micro = _stamps(file, cells[:, 0], lines)
    doubles = 0
    if len(t_ns) > 1 and not (np.diff(t_ns) > 0).all():
        keep = _in_order(file.path, t_ns, lines, texts or body.splitlines())
        doubles = len(t_ns) - len(keep)
        t_ns, cells, lines = t_ns[keep], cells[keep], lines[keep]
    _in_span(file, t_ns, lines)
    return Rows(file, t_ns, cells, lines, doubles, micro)


def content(path: Path) -> bytes:
    """The text of a .csv, or of the one table in a .zip; lines end in a newline."""
    try:
        body = _unzipped(path) if path.suffix.lower() == ".zip" else _bare(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as exc:
        raise UserError(f"{path} cannot be read: {exc}. Download it again.") from exc
    except OSError as exc:
        raise UserError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if len(body) > FILE_BYTES_MAX:
        raise _too_large(path)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    body = body.removeprefix(b"\xef\xbb\xbf")
    return body if body.endswith(b"\n") or not body else body + b"\n"


def _unzipped(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if not name.endswith("/")]
        if len(inside) != 1:
            raise UserError(f"{path} holds {len(inside)} files; an archive has one. Unpack it.")
        name = inside[0]
        if Path(name).stem != path.stem:
            raise UserError(
                f"{path} is mislabelled: it holds {name}. Give it the name of what it holds."
            )
        if archive.getinfo(name).file_size > FILE_BYTES_MAX:
            raise _too_large(path)
        with archive.open(name) as table:  # its header may say less than it unpacks to
            return table.read(FILE_BYTES_MAX + 1)


def _bare(path: Path) -> bytes:
    with path.open("rb") as table:
        return table.read(FILE_BYTES_MAX + 1)


def _too_large(path: Path) -> UserError:
    return UserError(f"{path} is larger than a month of candles can be.")


def _head(path: Path, body: bytes, layout: Layout) -> int:
    """Bytes of the header, 0 where there is none. Raises UserError for another kind of table."""
    line = body[: body.find(b"\n") + 1]
    columns = line.count(b",") + 1
    other = WHAT.get(columns)
    if other and columns != layout.columns:
        raise UserError(
            f"{path} line 1 is mislabelled: {other} of {columns} columns where "
            f"{WHAT[layout.columns]} of {layout.columns} are expected. Move it to its own folder."
        )
    cell = line.split(b",")[0].strip()
    return len(line) if cell[:1].isalpha() else 0


def _parsed(body: bytes, layout: Layout) -> Floats | None:
    """The columns by numpy's parser, None where anything about the text is not plain."""
    marks = np.frombuffer(body, dtype=np.uint8)
    at = np.flatnonzero((marks == COMMA) | (marks == NEWLINE))
    count = len(at) // layout.columns
    if not count or len(at) % layout.columns:
        return None
    grid = marks[at].reshape(count, layout.columns)
    if not ((grid[:, -1] == NEWLINE).all() and (grid[:, :-1] == COMMA).all()):
        return None
    cells = _by_arrow(body, layout) if len(body) > ARROW_BYTES_MIN else None
    if cells is None:
        try:
            cells = np.loadtxt(
                io.BytesIO(body), delimiter=",", usecols=layout.read, comments=None, ndmin=2
            )
        except ValueError:
            return None
    whole = len(cells) == count and np.isfinite(cells).all()
    return cells if whole else None


def _by_arrow(body: bytes, layout: Layout) -> Floats | None:
    """The same by pyarrow, where it is installed: to the last bit, and several times as fast."""
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:
        return None
    names = [str(column) for column in range(layout.columns)]
    try:
        table = csv.read_csv(
            io.BytesIO(body),
            read_options=csv.ReadOptions(column_names=names),
            parse_options=csv.ParseOptions(quote_char=False),
            convert_options=csv.ConvertOptions(
                include_columns=[names[column] for column in layout.read],
                column_types=dict.fromkeys(names, pa.float64()),
                null_values=[],
            ),
        )
    except pa.ArrowException:
        return None
    return np.column_stack([column.to_numpy() for column in table.columns])


def _slowly(
    path: Path, body: bytes, first_line: int, layout: Layout
) -> tuple[Floats, Ints, list[bytes]]:
    """Line by line. An empty cell of a column that is not needed is NaN; blank lines are none."""
    rows: list[list[float]] = []
    lines: list[int] = []
    texts: list[bytes] = []
    for number, line in enumerate(body.splitlines(), first_line):
        if not line.strip():
            continue
        cells = line.split(b",")
        if len(cells) != layout.columns:
            raise UserError(
                f"{path} line {number} has {len(cells)} columns, not {layout.columns}. "
                "Download the file again."
            )
        rows.append([_number(path, number, cells, column, layout) for column in layout.read])
        lines.append(number)
        texts.append(line)
    return np.array(rows), np.array(lines, dtype=np.int64), texts


def _number(path: Path, line: int, cells: Sequence[bytes], column: int, layout: Layout) -> float:
    cell = cells[column].strip()
    if not cell and column >= layout.needed:
        return float("nan")
    try:
        value = float(cell) if b"_" not in cell else float("nan")
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        said = cell[:CELL_SAID].decode("utf-8", "replace")
        raise UserError(
            f"{path} line {line}, column {column + 1}: {said!r} is no number. "
            "Download the file again."
        )
    return value


def _stamps(file: ArchiveFile, stamps: Floats, lines: Ints) -> tuple[Ints, bool]:
    """UTC nanoseconds of milliseconds or microseconds, and whether any were microseconds."""
    bad = ~((stamps >= MILLI_MIN) & (stamps < MICRO_MAX) & (stamps == np.floor(stamps)))
    if bad.any():
        at = int(np.argmax(bad))
        raise UserError(
            f"{file.path} line {lines[at]}: {stamps[at]:.15g} is no time in milliseconds or "
            "microseconds. Download the file again."
        )
    micro = stamps >= MILLI_MAX
    t_ns = stamps.astype(np.int64) * np.where(micro, 1_000, 1_000_000)
    return t_ns, bool(micro.any())


def _in_order(path: Path, t_ns: Ints, lines: Ints, texts: Sequence[bytes]) -> Ints:
    """Rows to keep where some times do not rise: all but exact duplicates of an earlier line."""
    first = int(lines[0])
    plain = len(texts) == len(t_ns)
    seen: dict[int, tuple[int, bytes]] = {}
    newest, keep = -1, []
    for i, (stamp, line) in enumerate(zip(t_ns.tolist(), lines.tolist(), strict=True)):
        text = texts[i] if plain else texts[line - first]
        before = seen.get(stamp)
        if before is not None and before[1] != text:
            raise UserError(
                f"{path} line {line} has the time of line {before[0]}, {utc_text(stamp)}, and "
                "other content. Remove the wrong one of the two."
            )
        if before is None and stamp < newest:
            raise UserError(
                f"{path} line {line} is not in order: {utc_text(stamp)} comes after "
                f"{utc_text(newest)}. Sort the file by time."
            )
        if before is None:
            seen[stamp] = (line, text)
            newest = stamp
            keep.append(i)
    return np.array(keep, dtype=np.int64)


def _in_span(file: ArchiveFile, t_ns: Ints, lines: Ints) -> None:
    outside = (t_ns < file.first_ns) | (t_ns >= file.end_ns)
    if outside.any():
        at = int(np.argmax(outside))
        raise UserError(
            f"{file.path} line {lines[at]} is mislabelled: it is of {utc_text(int(t_ns[at]))}, "
            f"the name says {file.span}. Give the file the name of its month."
        )
