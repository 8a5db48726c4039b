"""Cells of CSV and Parquet files of anybody: the columns that are asked for, and nothing else.

What no reader can make sense of is a UserError that names the file, and the line where there is
one: bytes that are no text, cells that are too long, pages that are damaged, rows beyond a limit.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.errors import UserError, extra_from
from basisdesk.lab.series import Ints

FILE_BYTES_MAX = 1 << 30
UNPACKED_BYTES_MAX = 4 << 30  # of the columns of a Parquet file that are read
ROWS_MAX = 40_000_000  # a year of seconds, and a little
CELL_CHARS_MAX = 64  # of a cell that is read; a time or a number has fewer
CHUNK_ROWS = 50_000
COLUMNS_SAID = 12
PARQUET = (".parquet", ".pq")


class Cells(NamedTuple):
    """Columns by name as they stand in the file. lines: of each row; numbered: "line" or "row"."""

    raw: dict[str, Any]
    lines: Ints
    numbered: str


def read_cells(path: Path, names: Sequence[str], where: Mapping[str, str]) -> Cells:
    """These columns of a file. where: column -> what its cells must say. Raises UserError."""
    _there(path)
    named = tuple(dict.fromkeys(names))
    return (_parquet if _is_parquet(path) else _csv)(path, named, where)


def header(path: Path) -> tuple[str, ...]:
    """The names of a file's columns. Raises UserError."""
    _there(path)
    if _is_parquet(path):
        return tuple(_opened(path).schema_arrow.names)
    try:
        with _text(path) as file:
            return tuple(cell.strip() for cell in next(csv.reader(file), []))
    except (UnicodeDecodeError, csv.Error) as exc:
        raise _no_text(path) from exc


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in PARQUET


def _there(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"No file {path}.")
    size = path.stat().st_size
    if not size:
        raise UserError(f"{path} is empty.")
    if size > FILE_BYTES_MAX:
        raise UserError(f"{path} is over {FILE_BYTES_MAX >> 30} GiB. Split it by year.")


def _known(path: Path, names: Sequence[str], said: Sequence[str]) -> None:
    for name in names:
        if name not in said:
            have = ", ".join(said[:COLUMNS_SAID]) or "none"
            raise UserError(
                f"{path} has no column {name}; it has {have}. Say which with --columns."
            )
        if said.count(name) > 1:
            raise UserError(f"{path} has two columns {name}. Rename one.")


def _too_long(path: Path) -> UserError:
    return UserError(f"{path} has more than {ROWS_MAX:,} rows. Split it by year.")


# --- CSV ------------------------------------------------------------------------------------------


def _text(path: Path) -> Any:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as exc:
        raise UserError(f"{path} cannot be read: {exc.strerror}.") from exc


def _no_text(path: Path) -> UserError:
    return UserError(
        f"{path} is no text, so it cannot be read as CSV. Give a .csv file (unzipped), or Parquet "
        "with a name that ends in .parquet."
    )


def _csv(path: Path, names: Sequence[str], where: Mapping[str, str]) -> Cells:
    rows = None
    try:
        with _text(path) as file:
            rows = csv.reader(file)
            said = [cell.strip() for cell in next(rows, [])]
            _known(path, [*names, *where], said)
            must = [(said.index(name), value) for name, value in where.items()]
            fitting = _fitting(path, rows, len(said), must)
            return _packed(path, {name: said.index(name) for name in names}, fitting)
    except UnicodeDecodeError as exc:
        raise _no_text(path) from exc
    except csv.Error as exc:
        at = f" line {rows.line_num}" if rows is not None else ""
        raise UserError(f"{path}{at} cannot be read as CSV: {exc}.") from exc
    except OSError as exc:
        raise UserError(f"{path} cannot be read: {exc.strerror}.") from exc


def _fitting(
    path: Path, rows: Any, width: int, must: Sequence[tuple[int, str]]
) -> Iterator[tuple[int, list[str]]]:
    """Rows that count, each with the line that it begins on: a quoted cell may hold several."""
    number = rows.line_num + 1
    for row in rows:
        line, number = number, rows.line_num + 1
        if not row:
            continue
        if len(row) != width:
            raise UserError(f"{path} line {line} has {len(row)} columns, the header {width}.")
        if all(row[at].strip() == value for at, value in must):
            yield line, row


def _packed(path: Path, places: Mapping[str, int], rows: Iterator[tuple[int, list[str]]]) -> Cells:
    """The columns that are used, packed as they come: no cell beside them is kept."""
    lines: list[Ints] = []
    parts: dict[str, list[Any]] = {name: [] for name in places}
    mine: list[int] = []
    cells: dict[str, list[str]] = {name: [] for name in places}

    def pack() -> None:
        lines.append(np.array(mine, dtype=np.int64))
        mine.clear()
        for name, column in cells.items():
            parts[name].append(np.array(column, dtype=np.str_))
            column.clear()

    for count, (line, row) in enumerate(rows):
        if count >= ROWS_MAX:
            raise _too_long(path)
        for name, at in places.items():
            cells[name].append(_cell(path, line, name, row[at]))
        mine.append(line)
        if len(mine) == CHUNK_ROWS:
            pack()
    pack()
    raw = {name: np.concatenate(column) for name, column in parts.items()}
    return Cells(raw, np.concatenate(lines), "line")


def _cell(path: Path, line: int, name: str, cell: str) -> str:
    if len(cell) > CELL_CHARS_MAX:
        raise UserError(
            f"{path} line {line}: a cell of column {name} has {len(cell):,} characters; at most "
            f"{CELL_CHARS_MAX} can be read. Is it the right column, and the file undamaged?"
        )
    if "\0" in cell:
        raise UserError(f"{path} line {line}: column {name} holds a zero byte. Write it anew.")
    return cell


# --- Parquet --------------------------------------------------------------------------------------


def _opened(path: Path) -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise UserError(f"Parquet needs pyarrow: {extra_from('lab')}. Or use a .csv file.") from exc
    try:
        return pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as exc:
        raise UserError(f"{path} cannot be read as Parquet: {_said(exc)}.") from exc


def _parquet(path: Path, names: Sequence[str], where: Mapping[str, str]) -> Cells:
    file = _opened(path)  # says what to do where pyarrow is missing
    import pyarrow as pa

    said = list(file.schema_arrow.names)
    used = list(dict.fromkeys([*names, *where]))
    _known(path, used, said)
    _fits(path, file.metadata, used)
    try:
        table = file.read(columns=used)
        keep = np.ones(table.num_rows, dtype=np.bool_)
        for name, value in where.items():
            cells = [str(cell) == value for cell in table[name].to_pylist()]
            keep &= np.array(cells, dtype=np.bool_)
        raw = {name: _column(table[name], keep) for name in names}
    except (OSError, ValueError, OverflowError, pa.ArrowException) as exc:
        raise UserError(
            f"{path} cannot be read as Parquet: {_said(exc)}. Write the file anew."
        ) from exc
    return Cells(raw, np.flatnonzero(keep).astype(np.int64) + 1, "row")


def _fits(path: Path, about: Any, used: Sequence[str]) -> None:
    """A small file may unpack to far more than there is room for: it is asked beforehand."""
    if about.num_rows > ROWS_MAX:
        raise _too_long(path)
    size = 0
    for group in range(about.num_row_groups):
        columns = about.row_group(group)
        for at in range(columns.num_columns):
            column = columns.column(at)
            if column.path_in_schema.partition(".")[0] in used:
                size += column.total_uncompressed_size
    if size > UNPACKED_BYTES_MAX:
        raise UserError(
            f"{path} unpacks to {size:,} bytes, more than {UNPACKED_BYTES_MAX:,}. Split it by year."
        )


def _column(column: Any, keep: NDArray[np.bool_]) -> Any:
    return column.to_numpy()[keep]


def _said(exc: BaseException) -> str:
    """The first line of what a reader of others says, without its stop."""
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0].rstrip(".")
