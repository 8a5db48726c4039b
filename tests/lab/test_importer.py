import gzip
import json

import pytest

from basisdesk.errors import UserError
from basisdesk.events import BEAT, Frame
from basisdesk.lab.importer import import_files, parse_source
from basisdesk.lab.tape import TapeReader, header_for

HEADER = header_for("import", "0.0.0", 0)
S = 1_000_000_000


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return parse_source(str(path))


def test_raw_jsonl_becomes_frames_with_a_heartbeat_for_each_silent_second(tmp_path):
    source = lines(
        tmp_path / "a.jsonl",
        [
            {"t_ns": 10 * S, "conn": "bybit.spot", "data": "one"},
            {"t_ns": 13 * S + 5, "conn": "bybit.linear", "data": "two"},
        ],
    )
    out = tmp_path / "a.tape"
    report = import_files([source], "raw-jsonl", out, HEADER)
    assert list(TapeReader(out)) == [
        Frame("bybit.spot", b"one", 10 * S),
        Frame(BEAT, b"", 11 * S),
        Frame(BEAT, b"", 12 * S),
        Frame(BEAT, b"", 13 * S),
        Frame("bybit.linear", b"two", 13 * S + 5),
    ]
    assert (report.frames, report.beats) == (2, 3)


def test_several_files_are_merged_by_receive_time(tmp_path):
    a = lines(
        tmp_path / "a.jsonl", [{"t_ns": t, "conn": "bybit.spot", "data": "a"} for t in (1, 4)]
    )
    b = lines(
        tmp_path / "b.jsonl", [{"t_ns": t, "conn": "bybit.linear", "data": "b"} for t in (2, 3)]
    )
    out = tmp_path / "m.tape"
    import_files([a, b], "raw-jsonl", out, HEADER)
    assert [f.t_ns for f in TapeReader(out)] == [1, 2, 3, 4]


def test_a_rest_answer_keeps_its_path(tmp_path):
    row = {"t_ns": 1, "conn": "bybit.rest", "path": "/v5/market/time", "data": "{}"}
    out = tmp_path / "r.tape"
    import_files([lines(tmp_path / "r.jsonl", [row])], "raw-jsonl", out, HEADER)
    (frame,) = TapeReader(out)
    assert json.loads(frame.payload) == {"path": "/v5/market/time", "data": "{}"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"t_ns": 1}\n', "line 1 is not raw-jsonl"),
        ("nonsense\n", "line 1 is not raw-jsonl"),
        (
            '{"t_ns": 2, "conn": "c", "data": ""}\n{"t_ns": 1, "conn": "c", "data": ""}\n',
            "not in time order",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_tape(tmp_path, content, said):
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    out = tmp_path / "bad.tape"
    with pytest.raises(UserError, match=said):
        import_files([parse_source(str(path))], "raw-jsonl", out, HEADER)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.jsonl"]


def test_cryptofeed_lines_find_their_connection_by_its_address(tmp_path):
    rows = [
        {"t": "header", "format": 2},
        {"t": "connect", "conn": "W.2", "ts": 1.0, "addr": "wss://x/v5/public/linear"},
        {"t": "recv", "conn": "W.2", "ts": 1.5000001, "data": "{}"},
        {
            "t": "http",
            "conn": "H.1",
            "ts": 1.2,
            "url": "https://a.b/v5/market/time?x=1",
            "data": "t",
        },
    ]
    path = tmp_path / "c.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(r) + "\n" for r in rows).encode()))
    out = tmp_path / "c.tape"
    report = import_files([parse_source(str(path))], "cryptofeed", out, HEADER)
    rest, ws = TapeReader(out)
    assert (rest.conn, rest.t_ns) == ("bybit.rest", 1_200_000_000)
    assert json.loads(rest.payload) == {"path": "/v5/market/time?x=1", "data": "t"}
    assert ws == Frame("bybit.linear", b"{}", 1_500_000_100)
    assert report.skipped == 2


def test_an_unknown_connection_says_how_to_name_it(tmp_path):
    row = {"t": "recv", "conn": "W.9", "ts": 1.0, "data": "{}"}
    with pytest.raises(UserError, match="@bybit.spot"):
        import_files(
            [lines(tmp_path / "u.jsonl", [row])], "cryptofeed", tmp_path / "u.tape", HEADER
        )


def test_file_at_conn_names_the_connection(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"t": "recv", "conn": "?", "ts": 1.0, "data": "{}"}\n')
    source = parse_source(f"{tmp_path}/a.jsonl@bybit.spot")
    import_files([source], "cryptofeed", tmp_path / "a.tape", HEADER)
    assert [f.conn for f in TapeReader(tmp_path / "a.tape")] == ["bybit.spot"]


def test_the_real_capture_imports_whole(tmp_path, bybit_capture):
    out = tmp_path / "bybit.tape"
    report = import_files([parse_source(str(bybit_capture))], "cryptofeed", out, HEADER)
    frames = list(TapeReader(out))
    assert [f.t_ns for f in frames] == sorted(f.t_ns for f in frames)
    kinds = {conn: sum(f.conn == conn for f in frames) for conn in ("bybit.spot", "bybit.linear")}
    assert report.frames == sum(kinds.values()) + 2  # and two REST answers
    assert min(kinds.values()) > 300
