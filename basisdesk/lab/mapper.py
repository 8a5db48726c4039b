"""Tables of anybody, CSV or Parquet, read by a mapping of column names.

`time=ts,spot=close_spot,perp=close_perp` says which column plays which role. Times may be numbers
(seconds, milliseconds, microseconds or nanoseconds, told apart by their size) or ISO text; what was
found is noted. Nothing is sorted or filled in here: rows out of order, or twice with other content,
are a UserError that names file and line (row, of Parquet).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.errors import UserError
from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.table_files import read_cells

CELL_SAID = 24
FIRST_NS = 1_230_768_000_000_000_000  # 2009: no coin traded before
LAST_NS = 4_102_444_800_000_000_000  # 2100
END_NS = 9_200_000_000_000_000_000  # 2261: about what 64 bits can count

_UNITS = (  # numbers below it are in this unit; so many ns each
    (1e11, "seconds", 1_000_000_000),
    (1e14, "milliseconds", 1_000_000),
    (1e17, "microseconds", 1_000),
    (float("inf"), "nanoseconds", 1),
)

Texts = NDArray[np.str_]


class Table(NamedTuple):
    """Columns by role, rows oldest first. lines: of each row in the file (row number in Parquet).

    A cell that was empty is NaN. doubles: exact duplicates left out. notes: what times were.
    """

    path: Path
    t_ns: Ints
    columns: dict[str, Floats]
    lines: Ints
    doubles: int
    notes: tuple[str, ...]


def parse_pairs(text: str, option: str) -> dict[str, str]:
    """`a=b,c=d` as a mapping. Raises UserError naming the option."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        left, equals, right = part.partition("=")
        if not (equals and left.strip() and right.strip()):
            raise UserError(f"{option}: {part!r} is no NAME=COLUMN. Write time=ts,spot=close.")
        if left.strip() in pairs:
            raise UserError(f"{option}: {left.strip()} stands there twice. Name each once.")
        pairs[left.strip()] = right.strip()
    return pairs


def read_table(path: Path, roles: Mapping[str, str], where: Mapping[str, str]) -> Table:
    """The columns of a file that play a role. roles: role -> column, `time` among them.

    where: column -> what its cells must say for a row to count. Raises UserError.
    """
    raw, lines, numbered = read_cells(path, tuple(roles.values()), where)
    if not len(lines):
        said = ", ".join(f"{column}={value}" for column, value in where.items())
        raise UserError(f"{path} has no rows{f' where {said}' if said else ''}.")
    return _table(path, roles, raw, lines, numbered)


def read_grouped(
    path: Path, roles: Mapping[str, str], groups: Sequence[str]
) -> dict[tuple[str, ...], Table]:
    """As `read_table`, a table for each combination of what stands in the columns `groups`."""
    raw, lines, numbered = read_cells(path, (*roles.values(), *groups), {})
    if not len(lines):
        raise UserError(f"{path} has no rows.")
    keys = [tuple(map(str, key)) for key in zip(*(raw[g].tolist() for g in groups), strict=True)]
    rows: dict[tuple[str, ...], list[int]] = {}
    for i, key in enumerate(keys or [()] * len(lines)):
        rows.setdefault(key, []).append(i)
    tables = {}
    for key, mine in rows.items():
        at = np.array(mine, dtype=np.int64)
        part = {column: cells[at] for column, cells in raw.items()}
        tables[key] = _table(path, roles, part, lines[at], numbered)
    return tables


def _table(
    path: Path, roles: Mapping[str, str], raw: Mapping[str, Any], lines: Ints, numbered: str
) -> Table:
    t_ns, note = times(path, raw[roles["time"]], lines, numbered)
    columns = {
        role: _numbers(path, raw[column], lines, (column, numbered))
        for role, column in roles.items()
        if role != "time"
    }
    return _in_order(Table(path, t_ns, columns, lines, 0, (note,)), numbered)


# --- cells ----------------------------------------------------------------------------------------


def times(path: Path, cells: Any, lines: Ints, numbered: str) -> tuple[Ints, str]:
    """(UTC nanoseconds, what they were) of a column of times. Raises UserError."""
    if cells.dtype.kind == "M":
        t_ns, note = _stamped(cells), "times are timestamps"
    else:
        numbers = _as_numbers(cells)
        if numbers is None:
            t_ns, note = _iso(path, cells, lines, numbered), "times are ISO text, taken as UTC"
        else:
            t_ns, note = _unit(numbers)
    bad = ~((t_ns >= FIRST_NS) & (t_ns < LAST_NS))
    if bad.any():
        at = int(np.argmax(bad))
        raise UserError(
            f"{path} {numbered} {lines[at]}: {str(cells[at])[:CELL_SAID]!r} is no time between "
            "2009 and 2100. Say which column has the time with --columns time=NAME."
        )
    return t_ns, note


def _stamped(cells: Any) -> Ints:
    """Nanoseconds of timestamps of any unit, 0 for those that 64 bits have no room for."""
    seconds = cells.astype("datetime64[s]").astype(np.int64)
    there = (seconds >= 0) & (seconds < END_NS // 1_000_000_000)
    t_ns = np.zeros(len(cells), dtype=np.int64)
    t_ns[there] = cells[there].astype("datetime64[ns]").astype(np.int64)
    return t_ns


def _unit(numbers: NDArray[Any]) -> tuple[Ints, str]:
    """Each number by its own size: a file may turn from milliseconds to microseconds."""
    t_ns = np.zeros(len(numbers), dtype=np.int64)
    said = []
    low = 0.0
    for below, unit, factor in _UNITS:
        mine = (numbers >= low) & (numbers < min(below, END_NS / factor))  # beyond it: no time
        low = below
        if mine.any():
            said.append(unit)
            whole = np.floor(numbers[mine])
            part = (numbers[mine] - whole) * factor
            t_ns[mine] = whole.astype(np.int64) * factor + np.rint(part).astype(np.int64)
    return t_ns, f"times are {' and '.join(said) or 'no numbers'}"


def _as_numbers(cells: Any) -> NDArray[Any] | None:
    if cells.dtype.kind in "iu":
        return np.asarray(cells, dtype=np.int64)
    if cells.dtype.kind == "f":
        return np.asarray(cells, dtype=np.float64)
    try:
        return np.asarray(cells.astype(np.int64))  # exact, where they are whole
    except (ValueError, TypeError, OverflowError):
        pass
    try:
        return np.asarray(cells.astype(np.float64))
    except (ValueError, TypeError):
        return None


def _iso(path: Path, cells: Any, lines: Ints, numbered: str) -> Ints:
    out = np.zeros(len(cells), dtype=np.int64)
    numbers = _is_number(cells[0])  # then the text is what does not belong here
    for i, cell in enumerate(cells.tolist()):
        if numbers and _is_number(cell):
            continue
        try:
            out[i] = _iso_ns(str(cell).strip())
        except (ValueError, OverflowError) as exc:
            raise UserError(
                f"{path} {numbered} {lines[i]}: {str(cell)[:CELL_SAID]!r} is no time; numbers or "
                "text like 2024-01-31T08:00:00Z can be read."
            ) from exc
    return out


def _iso_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def _numbers(path: Path, cells: Any, lines: Ints, said: tuple[str, str]) -> Floats:
    """Floats of a column; an empty cell is NaN, anything else that is no number a UserError."""
    if cells.dtype.kind in "fiu":
        values = np.asarray(cells, dtype=np.float64)
        bad = np.isinf(values)
    else:
        values, bad = _texts(cells)
    if bad.any():
        at = int(np.argmax(bad))
        column, numbered = said
        raise UserError(
            f"{path} {numbered} {lines[at]}: {str(cells[at])[:CELL_SAID]!r} in column {column} is "
            "no number."
        )
    return values


def _texts(cells: Any) -> tuple[Floats, NDArray[np.bool_]]:
    try:
        values = cells.astype(np.float64)
    except (ValueError, TypeError):
        pass
    else:
        return values, ~np.isfinite(values)
    values = np.full(len(cells), np.nan)
    bad = np.zeros(len(cells), dtype=np.bool_)
    for i, cell in enumerate(cells.tolist()):
        text = "" if cell is None else str(cell).strip()
        try:
            values[i] = float(text) if text else np.nan
        except ValueError:
            bad[i] = True
        bad[i] |= bool(text) and not np.isfinite(values[i])
    return values, bad


def _in_order(table: Table, numbered: str) -> Table:
    """Without exact duplicates. Raises UserError where times fall, or repeat with other content."""
    t_ns = table.t_ns
    if len(t_ns) < 2 or (np.diff(t_ns) > 0).all():
        return table
    cells = np.column_stack([t_ns.view(np.float64), *table.columns.values()])
    seen: dict[int, int] = {}
    newest, keep = 0, []
    for i, stamp in enumerate(t_ns.tolist()):
        before = seen.get(stamp)
        if before is not None:
            if not np.array_equal(cells[i], cells[before], equal_nan=True):
                raise UserError(
                    f"{table.path} {numbered} {table.lines[i]} has the time of {numbered} "
                    f"{table.lines[before]}, {utc_text(stamp)}, and other content. Remove the "
                    "wrong one, or choose rows with --where COLUMN=VALUE."
                )
            continue
        if stamp < newest:
            raise UserError(
                f"{table.path} {numbered} {table.lines[i]} is not in order: {utc_text(stamp)} "
                f"comes after {utc_text(newest)}. Sort the file by time."
            )
        seen[stamp], newest = i, stamp
        keep.append(i)
    rows = np.array(keep, dtype=np.int64)
    columns = {name: column[rows] for name, column in table.columns.items()}
    doubles = len(t_ns) - len(rows)
    return table._replace(
        t_ns=t_ns[rows], columns=columns, lines=table.lines[rows], doubles=doubles
    )
