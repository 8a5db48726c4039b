"""Tapes as tables: the columns of the contract, and rows that a naive reading finds again."""

import csv
import json
import math
import sys

import pytest

from basisdesk.cli import EXPORT_COLUMNS, main
from basisdesk.events import LINK, Frame, LinkChange
from basisdesk.lab.export import COLUMNS
from basisdesk.lab.tape import TapeWriter, header_for
from tests.bybit_wire import LINEAR, SPOT, book, ticker
from tests.captures import tape_of

S = 1_000_000_000
T0 = 1_735_689_600 * S
MS = T0 // 1_000_000
LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


def tape(path, rows):
    """A tape of (seconds after T0, raw-jsonl row or LinkChange)."""
    with TapeWriter(path, header_for("import", "0", 0), 1 << 24) as out:
        for after_s, row in rows:
            t_ns = T0 + round(after_s * S)
            if isinstance(row, LinkChange):
                payload = json.dumps({"conn": row.conn, "state": row.state}).encode()
                out.put(Frame(LINK, payload, t_ns))
            else:
                out.put(Frame(row["conn"], row["data"].encode(), t_ns))
    return path


def both(after_s, spot, perp, size="5"):
    ms = MS + round(after_s * 1000)
    rows = book(SPOT, *spot, size, ms, 10 + round(after_s)) if spot else []
    rows += book(LINEAR, *perp, size, ms, 10 + round(after_s)) if perp else []
    return [(after_s, row) for row in rows]


@pytest.fixture
def small(tmp_path):
    rows = [
        *both(1, ("0.3639", "0.3640"), None),
        *both(2, None, ("0.3665", "0.3666")),
        *both(3, ("0.3640", "0.3641"), ("0.3665", "0.3666")),
        (3.5, ticker("0.3666", "0.0001", MS + 3_600_000, MS + 3_500)),
        (4, LinkChange(SPOT, "down")),
        *both(6, None, ("0.3666", "0.3667")),
    ]
    return tape(tmp_path / "small.tape", rows)


def exported(tape_path, what, *more, suffix=".csv"):
    out = tape_path.with_name(f"{what}{suffix}")
    assert main(["export", str(tape_path), "--out", str(out), "--what", what, *more]) == 0
    if suffix == ".parquet":
        return pytest.importorskip("pyarrow.parquet").read_table(out).to_pylist()
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def refused(capsys, *arguments):
    capsys.readouterr()
    assert main(["export", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("what", COLUMNS)
def test_the_columns_are_those_of_the_contract_and_of_the_help(small, capsys, what):
    pair = ("--long", LONG, "--short", SHORT) if what == "basis" else ()
    exported(small, what, *pair)
    head = small.with_name(f"{what}.csv").read_text().splitlines()[0]
    assert head == EXPORT_COLUMNS[what] == ",".join(column.name for column in COLUMNS[what])
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    assert f"{what:8}{head}" in capsys.readouterr().out


def test_quotes_are_the_top_of_book_events(small):
    rows = exported(small, "quotes")
    assert [(int(r["t_recv_ns"]) - T0, r["instrument"], r["bid"], r["ask"]) for r in rows] == [
        (1 * S, LONG, "0.3639", "0.364"),
        (2 * S, SHORT, "0.3665", "0.3666"),
        (3 * S, LONG, "0.364", "0.3641"),
        (3 * S, SHORT, "0.3665", "0.3666"),
        (6 * S, SHORT, "0.3666", "0.3667"),
    ]
    assert {r["bid_size"] for r in rows} == {"5.0"}
    assert int(rows[0]["t_venue_ms"]) == MS + 1_000


def test_without_a_top_stream_quotes_are_the_changes_of_the_books_top(tmp_path):
    rows = [(at, row) for at, row in both(1, ("0.3639", "0.3640"), None) if "k.50" in row["data"]]
    deeper = json.loads(rows[0][1]["data"])
    deeper |= {"type": "delta"}
    deeper["data"] |= {"b": [["0.3600", "9"]], "a": [], "u": 12}
    better = json.loads(json.dumps(deeper))
    better["data"] |= {"b": [["0.36395", "2"]], "u": 13}
    rows += [(at, {"conn": SPOT, "data": json.dumps(m)}) for at, m in ((2, deeper), (3, better))]
    made = exported(tape(tmp_path / "b.tape", rows), "quotes")
    assert [(r["bid"], r["bid_size"], r["ask"]) for r in made] == [
        ("0.3639", "5.0", "0.364"),
        ("0.36395", "2.0", "0.364"),
    ]


def test_the_basis_starts_with_both_legs_and_says_when_one_was_lost(small):
    rows = exported(small, "basis", "--long", LONG, "--short", SHORT, "--qty", "3")
    assert [(int(r["t_recv_ns"]) - T0) / S for r in rows] == [2, 3, 4, 6]
    first, second, lost, _ = rows
    mid = (0.36655 - 0.36395) / 0.36395
    assert float(first["mid_bp"]) == pytest.approx(1e4 * mid, abs=1e-6)
    assert float(first["open_bp"]) == pytest.approx(1e4 * (0.3665 - 0.364) / 0.364, abs=1e-6)
    assert float(first["close_bp"]) == pytest.approx(1e4 * (0.3666 - 0.3639) / 0.3639, abs=1e-6)
    assert float(first["age_long_ms"]) == pytest.approx(1000)
    assert float(first["age_short_ms"]) == 0.0
    assert float(second["age_long_ms"]) == 0.0
    assert [lost[name] for name in ("mid_bp", "open_bp", "close_bp", "age_long_ms")] == [""] * 4
    assert (lost["long"], lost["short"]) == (LONG, SHORT)


def test_the_reverse_pair_enters_on_the_other_line(small):
    (row, *_) = exported(small, "basis", "--long", SHORT, "--short", LONG)
    assert float(row["mid_bp"]) == pytest.approx(1e4 * 0.0026 / 0.36395, abs=1e-6)
    assert float(row["open_bp"]) > float(row["mid_bp"]) > float(row["close_bp"])


def test_a_size_beyond_the_shown_depth_has_no_executable_basis(small):
    (row, *_) = exported(small, "basis", "--long", LONG, "--short", SHORT, "--qty", "50")
    assert row["open_bp"] == row["close_bp"] == ""
    assert math.isfinite(float(row["mid_bp"]))


def test_books_stand_at_whole_steps_as_they_were_then(small):
    rows = exported(small, "books", "--every", "2")
    at = {}
    for row in rows:
        key = (int(row["t_recv_ns"]) - T0) // S
        at.setdefault(key, []).append((row["instrument"], row["side"], row["level"], row["price"]))
    assert at == {
        2: [
            (LONG, "bid", "1", "0.3639"),
            (LONG, "ask", "1", "0.364"),
            (SHORT, "bid", "1", "0.3665"),
            (SHORT, "ask", "1", "0.3666"),
        ],
        4: [(SHORT, "bid", "1", "0.3665"), (SHORT, "ask", "1", "0.3666")],
    }


def test_funding_is_what_the_venue_said(small):
    (row,) = exported(small, "funding")
    assert row == {
        "t_recv_ns": str(T0 + 35 * S // 10),
        "instrument": SHORT,
        "rate": "0.0001",
        "interval_h": "8.0",
        "next_ms": str(MS + 3_600_000),
        "mark": "0.3666",
        "index": "0.3666",
    }


def test_parquet_holds_the_same_rows_with_types_and_nulls(small):
    arguments = ("basis", "--long", LONG, "--short", SHORT)
    typed = exported(small, *arguments, suffix=".parquet")
    plain = exported(small, *arguments)
    assert len(typed) == len(plain) == 4
    for one, other in zip(typed, plain, strict=True):
        assert {k: "" if v is None else str(v) for k, v in one.items()} == other
    assert isinstance(typed[0]["t_recv_ns"], int)
    assert typed[2]["mid_bp"] is None


def test_without_pyarrow_parquet_is_one_sentence(small, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = tmp_path / "x.parquet"
    assert "basisdesk[lab]" in refused(capsys, small, "--out", out, "--what", "quotes")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.tape"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "x.csv", "--what", "basis"), "--long LEG and --short LEG"),
        (("--out", "x.csv", "--what", "basis", "--long", "ada", "--short", SHORT), "ada is no leg"),
        (
            ("--out", "x.csv", "--what", "basis", "--long", "mtgox:spot:A", "--short", SHORT),
            "is no leg",
        ),
        (
            ("--out", "x.csv", "--what", "basis", "--long", LONG, "--short", "bybit:perp:BTCUSDT"),
            "No quote of bybit:perp:BTCUSDT on this tape. It has quotes of: bybit:perp:ADAUSDT,",
        ),
        (
            ("--out", "x.csv", "--what", "basis", "--long", LONG, "--short", SHORT, "--qty", "nan"),
            "--qty",
        ),
        (("--out", "x.csv", "--what", "books", "--every", "0"), "--every"),
        (("--out", "x.xls", "--what", "quotes"), ".csv or .parquet"),
        (("--out", "no/folder/x.csv", "--what", "quotes"), "Cannot write no/folder/x.csv"),
        (("--out", "small.tape", "--what", "quotes"), ".csv or .parquet"),
        (("--out", "x.csv", "--what", "luck"), "--what"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_no_file(
    small, tmp_path, monkeypatch, capsys, arguments, said
):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, small, *arguments)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.tape"]


def test_an_existing_file_is_not_overwritten(small, tmp_path, capsys):
    out = tmp_path / "mine.csv"
    out.write_text("mine")
    assert "exists already" in refused(capsys, small, "--out", out, "--what", "quotes")
    assert out.read_text() == "mine"


def test_the_answer_for_machines(small, tmp_path, capsys):
    out = tmp_path / "t.csv"
    main(["export", str(small), "--out", str(out), "--what", "trades", "--json"])
    assert json.loads(capsys.readouterr().out) == {"rows": 0, "what": "trades", "out": str(out)}
    assert out.read_text().count("\n") == 1


def test_trades_of_the_real_capture_are_those_that_were_printed(tmp_path):
    rows = exported(tape_of("bybit", tmp_path / "bybit.tape"), "trades")
    assert len(rows) > 50
    assert {row["taker_side"] for row in rows} == {"buy", "sell"}
    assert {row["instrument"] for row in rows} == {"bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT"}
    assert [int(r["t_recv_ns"]) for r in rows] == sorted(int(r["t_recv_ns"]) for r in rows)
