"""Files of anybody that are damaged or odd: one sentence each, no traceback, bounded memory."""

import datetime as dt
import tracemalloc

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab import table_files
from basisdesk.lab.mapper import read_table
from basisdesk.lab.table_files import header, read_cells

FIRST_S = 1_704_067_200
ROLES = {"time": "ts", "spot": "s"}


def put(path, body):
    path.write_bytes(body)
    return path


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"ts,s\n1704067200,1\n1704067260," + b"1" * 120_000 + b"\n", "line 3: a cell of column s"),
        (b"ts,s\n1704067200,\x00\n", "line 2: column s holds a zero byte"),
        (b"ts,s,x\n1704067200,1," + b"a" * 140_000 + b"\n", "line 2 cannot be read as CSV"),
        (b'ts,s,x\n1704067200,2,"a\nb\nc"\n1704067260,zz,1\n', "line 5: 'zz' in column s"),
        (b'ts,s,x\n1704067200,2,1\n1704067260,zz,"a\nb"\n', "line 3: 'zz' in column s"),
        (b"ts,s\n0001-01-01T00:00:00+23:00,2\n", "line 2: .* is no time"),
        (b"ts,s\n9999-01-01T00:00:00,2\n", "line 2: .* is no time"),
        (b"ts,s\n1e300,2\n", "line 2: '1e300' is no time between"),
        (b"ts,s\n20000000000,2\n", "line 2: .* is no time between"),  # would wrap round 64 bits
    ],
)
def test_an_odd_csv_is_one_sentence(tmp_path, body, sentence):
    with pytest.raises(UserError, match=sentence):
        read_table(put(tmp_path / "a.csv", body), ROLES, {})


@pytest.mark.parametrize("body", [b"ts,\xe9\n1,2\n", b"x" * 200_000 + b",s\n"])
def test_a_header_that_is_no_text_is_one_sentence(tmp_path, body):
    with pytest.raises(UserError, match="cannot be read as CSV"):
        header(put(tmp_path / "a.csv", body))


def test_columns_that_nobody_asked_for_are_not_kept(tmp_path):
    rows = "".join(f"{FIRST_S + i},{i}{f',{i}.25' * 40}\n" for i in range(20_000))
    names = "ts,s," + ",".join(f"c{i}" for i in range(40))
    path = put(tmp_path / "a.csv", f"{names}\n{rows}".encode())
    tracemalloc.start()
    found = read_table(path, ROLES, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.columns["spot"].tolist() == list(range(20_000))
    assert peak < 20e6  # all cells of the file need twice that


def test_chunks_are_one_column(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 3)
    path = put(tmp_path / "a.csv", b"ts,s,k\n" + b"".join(b"%d,%d,a\n" % (i, i) for i in range(7)))
    found = read_cells(path, ("ts", "s"), {"k": "a"})
    assert (sorted(found.raw), found.numbered) == (["s", "ts"], "line")
    assert found.raw["s"].tolist() == [str(i) for i in range(7)]
    assert found.lines.tolist() == list(range(2, 9))


def test_more_rows_than_a_file_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "ROWS_MAX", 2)
    path = put(tmp_path / "a.csv", b"ts,s\n1,1\n2,2\n3,3\n")
    with pytest.raises(UserError, match="more than 2 rows"):
        read_cells(path, ("ts",), {})


# --- Parquet --------------------------------------------------------------------------------------


def written(path, columns):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return path


def test_a_damaged_page_is_one_sentence(tmp_path):
    stamps = [FIRST_S + i for i in range(5_000)]
    path = written(tmp_path / "a.parquet", {"ts": stamps, "s": [float(i) for i in stamps]})
    body = bytearray(path.read_bytes())
    body[100:3_000] = bytes(b ^ 0x5A for b in body[100:3_000])
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        read_table(put(path, bytes(body)), ROLES, {})


def test_a_time_of_the_year_9000_is_no_time(tmp_path):
    at = [dt.datetime(9000, 1, 1, tzinfo=dt.UTC)]
    path = written(tmp_path / "a.parquet", {"ts": at, "s": [1.0]})
    with pytest.raises(UserError, match="row 1: .* is no time between"):
        read_table(path, ROLES, {})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "D"])
def test_timestamps_of_every_unit(tmp_path, unit):
    at = np.array(["2024-01-01"], dtype=f"datetime64[{unit}]")
    path = written(tmp_path / "a.parquet", {"ts": at, "s": [1.0]})
    assert read_table(path, ROLES, {}).t_ns.tolist() == [FIRST_S * 1_000_000_000]


def test_two_columns_of_one_name(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns = [pa.array([FIRST_S]), pa.array([1.0]), pa.array([2.0])]
    pq.write_table(pa.Table.from_arrays(columns, names=["ts", "s", "s"]), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="has two columns s"):
        read_table(tmp_path / "a.parquet", ROLES, {})


def test_what_unpacks_to_too_much_is_refused_unread(tmp_path, monkeypatch):
    path = written(tmp_path / "a.parquet", {"ts": [FIRST_S] * 9, "s": [1.0] * 9})
    monkeypatch.setattr(table_files, "ROWS_MAX", 8)
    with pytest.raises(UserError, match="more than 8 rows"):
        read_table(path, ROLES, {})
    monkeypatch.setattr(table_files, "ROWS_MAX", 9)
    monkeypatch.setattr(table_files, "UNPACKED_BYTES_MAX", 10)
    with pytest.raises(UserError, match="unpacks to"):
        read_table(path, ROLES, {})
