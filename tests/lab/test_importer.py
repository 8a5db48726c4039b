import gzip
import json
from collections import Counter

import pytest

from basisdesk.errors import UserError
from basisdesk.events import BEAT, Frame
from basisdesk.lab.importer import import_files, parse_source
from basisdesk.lab.tape import TapeReader, header_for
from tests.captures import capture

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


# --- hftbacktest ----------------------------------------------------------------------------------

TOP = '{"stream":"ethusdt@bookTicker","data":{"u":1,"s":"ETHUSDT"}}'


def binance(tmp_path, text, conn="binance.spot", name="a.gz"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()))
    return parse_source(f"{path}@{conn}")


def imported(tmp_path, sources, form):
    out = tmp_path / "out.tape"
    report = import_files(sources, form, out, HEADER)
    return report, [f for f in TapeReader(out) if f.conn != BEAT]


def test_hftbacktest_lines_are_frames_of_the_named_connection(tmp_path):
    report, frames = imported(tmp_path, [binance(tmp_path, f"7 {TOP}\n9 {TOP}\n")], "hftbacktest")
    assert frames == [Frame("binance.spot", TOP.encode(), t_ns) for t_ns in (7, 9)]
    assert (report.frames, report.broken, report.skipped) == (2, 0, 0)


@pytest.mark.parametrize(
    ("conn", "path"),
    [
        ("binance.spot", "/api/v3/depth?symbol=ETHUSDT&limit=1000"),
        ("binance.public", "/fapi/v1/depth?symbol=ETHUSDT&limit=1000"),
    ],
)
def test_a_bare_depth_snapshot_takes_the_symbol_of_the_streams_beside_it(tmp_path, conn, path):
    snapshot = '{"lastUpdateId":5,"bids":[],"asks":[]}'
    text = f"7 {snapshot}\n9 {TOP}\n"  # it may stand before any stream that names the symbol
    _, frames = imported(tmp_path, [binance(tmp_path, text, conn)], "hftbacktest")
    assert (frames[0].conn, frames[0].t_ns) == ("binance.rest", 7)
    assert json.loads(frames[0].payload) == {"path": path, "data": snapshot}
    assert frames[1].conn == conn


@pytest.mark.parametrize("other", ["", f"9 {TOP}\n" + f"9 {TOP}\n".replace("eth", "btc")])
def test_a_depth_snapshot_of_no_one_symbol_is_one_sentence(tmp_path, other):
    source = binance(tmp_path, '7 {"lastUpdateId":5,"bids":[],"asks":[]}\n' + other)
    with pytest.raises(UserError, match="so it has no symbol"):
        imported(tmp_path, [source], "hftbacktest")
    assert not (tmp_path / "out.tape").exists()


def test_hftbacktest_needs_the_name_of_the_connection(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(f"7 {TOP}\n")
    with pytest.raises(UserError, match="@binance.spot"):
        imported(tmp_path, [parse_source(str(path))], "hftbacktest")


def test_broken_lines_of_a_collector_are_counted_and_said_and_the_others_kept(tmp_path):
    text = f"7 {TOP}\nx {TOP}\n8 {TOP[:-9]}\n\n9\n{2**63} {TOP}\n10 {TOP}\n"
    report, frames = imported(tmp_path, [binance(tmp_path, text)], "hftbacktest")
    assert [f.t_ns for f in frames] == [7, 10]
    assert report.broken == 4
    assert report.first_broken.startswith("a.gz line 2: no receive time")


def test_a_packed_file_that_was_cut_gives_what_it_holds(tmp_path):
    text = "".join(f"{t} {TOP}\n" for t in range(1, 20_000))
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(text.encode(), 1)[:-200])
    report, frames = imported(tmp_path, [parse_source(f"{path}@binance.spot")], "hftbacktest")
    assert 0 < len(frames) < 20_000
    assert [f.t_ns for f in frames] == list(range(1, len(frames) + 1))
    assert report.broken == 1
    assert "the file ends here" in report.first_broken


def test_a_stamp_that_goes_back_keeps_its_place(tmp_path):
    report, frames = imported(
        tmp_path, [binance(tmp_path, f"7 {TOP}\n5 {TOP}\n8 {TOP}\n")], "hftbacktest"
    )
    assert [f.t_ns for f in frames] == [7, 7, 8]
    assert report.restamped == 1


def test_equal_times_stand_in_the_order_the_files_were_given(tmp_path):
    one = binance(tmp_path, f"7 {TOP}\n7 {TOP}\n", "binance.public", "b.gz")
    two = binance(tmp_path, f"7 {TOP}\n", "binance.spot", "a.gz")
    _, frames = imported(tmp_path, [one, two], "hftbacktest")
    assert [f.conn for f in frames] == ["binance.public", "binance.public", "binance.spot"]


@pytest.mark.parametrize("form", ["hftbacktest", "cryptofeed"])
def test_a_file_of_nothing_but_nonsense_leaves_no_tape(tmp_path, form):
    with pytest.raises(UserError, match=f"Nothing could be read as {form}. a.gz line 1"):
        imported(tmp_path, [binance(tmp_path, "hello\nyou\n")], form)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gz"]


# --- cryptofeed, text form ------------------------------------------------------------------------

OKX = '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[]}'
OKX_CONTROL = (
    'https://www.okx.com/api/v5/public/instruments?instType=SPOT -> 1.25: {"code":"0"}\n'
    'configuration: {"trades":["BTC-USDT"]}\n'
    "wss://ws.okx.com:8443/ws/v5/public <-> 1.5\n"
    'wss://ws.okx.com:8443/ws/v5/public <- 1.75: {"op":"subscribe"}\n'
)


def folder_of(tmp_path, **files):
    folder = tmp_path / "capture"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.txt.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "LICENSE").write_text("not a recording")
    return [parse_source(str(folder))]


def test_a_folder_of_the_text_form_with_its_rest_answers(tmp_path):
    sources = folder_of(
        tmp_path,
        acks='2.0000001: {"event":"subscribe"}\n',
        control_and_rest=OKX_CONTROL,
        trades=f"2.5: {OKX}\n2.1: {OKX}\n2.6: pong\n",
    )
    report, frames = imported(tmp_path, sources, "cryptofeed")
    rest, *others = frames
    assert (rest.conn, rest.t_ns) == ("okx.rest", 1_250_000_000)
    path = "/api/v5/public/instruments?instType=SPOT"
    assert json.loads(rest.payload) == {"path": path, "data": '{"code":"0"}'}
    assert others == [
        Frame("okx.public", b'{"event":"subscribe"}', 2_000_000_100),
        Frame("okx.public", OKX.encode(), 2_100_000_000),
        Frame("okx.public", OKX.encode(), 2_500_000_000),
        Frame("okx.public", b"pong", 2_600_000_000),
    ]
    assert (report.skipped, report.broken) == (3, 0)


def test_messages_give_their_connection_away_and_at_conn_overrules_them(tmp_path):
    kraken = '{"feed":"book","product_id":"PI_XBTUSD","seq":1}'
    path = tmp_path / "k.txt"
    path.write_text(f'1.5: {{"event":"info","version":1}}\n2.5: {kraken}\n')
    _, frames = imported(tmp_path, [parse_source(str(path))], "cryptofeed")
    assert {f.conn for f in frames} == {"kraken.futures"}
    (tmp_path / "out.tape").unlink()
    _, frames = imported(tmp_path, [parse_source(f"{path}@okx.public")], "cryptofeed")
    assert {f.conn for f in frames} == {"okx.public"}


def test_a_text_file_of_nobody_knows_whom_says_how_to_name_it(tmp_path):
    path = tmp_path / "k.txt"
    path.write_text('1.5: {"hello":1}\n')
    with pytest.raises(UserError, match="write .*@bybit.spot"):
        imported(tmp_path, [parse_source(str(path))], "cryptofeed")


def test_broken_text_lines_are_counted(tmp_path):
    text = f"2.1: {OKX}\n2.2: {OKX[:20]}\nnonsense\n1e9: {OKX}\n2.3: {OKX}\n"
    report, frames = imported(tmp_path, folder_of(tmp_path, trades=text), "cryptofeed")
    assert [f.t_ns for f in frames] == [2_100_000_000, 2_300_000_000]
    assert report.broken == 3
    assert report.first_broken.startswith("trades.txt.gz line 2: its payload is not whole")


def test_a_broken_line_of_the_json_form_does_not_spoil_the_others(tmp_path):
    good = json.dumps({"t": "recv", "conn": "W", "ts": 1.5, "data": "{}"})
    path = tmp_path / "a.jsonl"
    path.write_text(f'{good}\n{good[:-5]}\n{{"t":"recv","conn":"W","ts":1e300,"data":"{{}}"}}\n')
    report, frames = imported(tmp_path, [parse_source(f"{path}@bybit.spot")], "cryptofeed")
    assert frames == [Frame("bybit.spot", b"{}", 1_500_000_000)]
    assert report.broken == 2


@pytest.mark.parametrize(
    ("name", "conn", "frames", "rest"),
    [
        ("okx_v5_20220513", "okx.public", 18 + 98 + 25 + 69, 25),
        ("kraken_futures_20210722", "kraken.futures", 1 + 7024 + 10 + 117 + 13 + 10, 1),
    ],
)
def test_the_real_text_captures_import_whole(tmp_path, name, conn, frames, rest):
    source = parse_source(str(capture(name)))
    report, made = imported(tmp_path, [source], "cryptofeed")
    counts = Counter(frame.conn for frame in made)
    assert counts == {conn: frames, conn.split(".")[0] + ".rest": rest}
    assert (report.broken, report.restamped) == (0, 0)
    assert [f.t_ns for f in made] == sorted(f.t_ns for f in made)


@pytest.mark.slow
def test_the_real_binance_captures_are_merged_whole(tmp_path):
    folder = capture("binance_20240808")
    names = ("spot_ethusdt_20240808.gz@binance.spot", "usdm_ethusdt_20240808.gz@binance.public")
    sources = [parse_source(f"{folder}/{name}") for name in names]
    report, made = imported(tmp_path, sources, "hftbacktest")
    assert Counter(frame.conn for frame in made) == {
        "binance.spot": 33_617,
        "binance.public": 74_654,
        "binance.rest": 2,
    }
    assert (report.broken, report.skipped, report.restamped) == (0, 0, 0)
    assert [f.t_ns for f in made] == sorted(f.t_ns for f in made)
