"""Tables to files: CSV for everything, Parquet for what reads columns."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from basisdesk.errors import UserError, extra_from

BATCH_ROWS = 50_000

Row = tuple[Any, ...]


class Column(NamedTuple):
    """Name and kind of one column. Times are integers; NaN in a float column is an empty cell."""

    name: str
    kind: Literal["int", "float", "text"]


def write_table(out: Path, columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """Write rows to a new .csv or .parquet file; gives their number.

    The file appears whole or not at all. Raises UserError.
    """
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    write = writers.get(out.suffix)
    if write is None:
        raise UserError(f"--out {out}: name a file that ends in .csv or .parquet.")
    if out.exists():
        raise UserError(f"{out} exists already. Choose another name with --out.")
    part = out.with_name(out.name + ".part")
    try:
        count = write(part, columns, iter(rows))
        part.replace(out)
    except OSError as exc:
        raise UserError(f"Cannot write {out}: {exc.strerror or exc}.") from exc
    finally:
        part.unlink(missing_ok=True)
    return count


def _write_csv(path: Path, columns: Sequence[Column], rows: Iterator[Row]) -> int:
    count = 0
    with path.open("x", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(column.name for column in columns)
        for row in rows:
            table.writerow("" if cell != cell else cell for cell in row)  # NaN: nothing
            count += 1
    return count


def _write_parquet(path: Path, columns: Sequence[Column], rows: Iterator[Row]) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise UserError(
            f"Parquet needs pyarrow: {extra_from('lab')}. Or write a .csv file."
        ) from exc
    kinds = {"int": pa.int64(), "float": pa.float64(), "text": pa.string()}
    schema = pa.schema([(column.name, kinds[column.kind]) for column in columns])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as table:
        while batch := list(islice(rows, BATCH_ROWS)):
            cells = zip(*batch, strict=True)
            arrays = [
                pa.array(_nulls(values) if column.kind == "float" else values, field.type)
                for column, field, values in zip(columns, schema, cells, strict=True)
            ]
            table.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            count += len(batch)
    return count


def _nulls(values: Iterable[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values]
