"""Binance's archives: every form that occurs, and one sentence for every way to be wrong."""

import numpy as np
import pytest
from archive_rig import (
    FUNDING_HEADER,
    HEADER,
    JAN_2024_MS,
    REAL,
    bare,
    candle,
    candles,
    pair,
    settlements,
    zipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.errors import UserError
from basisdesk.lab import archive, archive_rows
from basisdesk.lab.archive_files import archives
from basisdesk.lab.series_archive import archive_series, symbols_in

HOUR = 3_600_000
NAME = "BTCUSDT-1h-2024-01"


def read(folder):
    return archive.candles(folder)


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("put", [zipped, bare])
@pytest.mark.parametrize("head", [[], [HEADER]])
@pytest.mark.parametrize("micro", [False, True])
def test_zipped_or_bare_with_and_without_header_ms_and_us(tmp_path, put, head, micro):
    put(tmp_path, NAME, [*head, *candles(30, micro=micro)])
    found = read(tmp_path)
    assert found.symbol == "BTCUSDT"
    assert found.step_ns == HOUR * 1_000_000
    assert found.open_ns[0] == JAN_2024_MS * 1_000_000
    assert found.columns["close"].tolist() == [40_000.0 + i for i in range(30)]
    assert (found.columns["taker_volume"][0], found.columns["trades"][0]) == (6.25, 7.0)
    unit = "microseconds" if micro else "milliseconds"
    assert found.coverage.notes == (f"times are {unit} in 1 files",)
    assert (found.coverage.rows, found.coverage.missing) == (30, 0)


@pytest.mark.parametrize(("word", "step"), [("1m", 60_000), ("15m", 900_000), ("1d", 86_400_000)])
def test_any_interval_named_or_told_by_the_rows(tmp_path, word, step):
    zipped(tmp_path / "a", f"BTCUSDT-{word}-2024-01", candles(20, step_ms=step))
    zipped(tmp_path / "b", "BTCUSDT-2024-01", candles(20, step_ms=step))
    assert read(tmp_path / "a").step_ns == read(tmp_path / "b").step_ns == step * 1_000_000


def test_windows_line_ends_a_blank_line_and_an_empty_cell_that_nobody_needs(tmp_path):
    lines = candles(5)
    lines[2] = lines[2].replace(",6.25,", ",,")
    (tmp_path / f"{NAME}.csv").write_bytes("\r\n".join([*lines, "", ""]).encode())
    found = read(tmp_path)
    assert len(found.open_ns) == 5
    assert np.isnan(found.columns["taker_volume"][2])


def test_a_gap_is_counted_and_an_exact_duplicate_is_left_out(tmp_path):
    lines = candles(30)
    zipped(tmp_path, NAME, [*lines[:10], lines[9], *lines[14:], lines[20]])
    coverage = read(tmp_path).coverage
    assert (coverage.rows, coverage.missing) == (26, 4)
    assert coverage.left_out == {"exact duplicates": 2}
    assert coverage.longest_gap_s == 5 * 3_600


def test_months_and_days_may_overlap_where_they_agree(tmp_path):
    zipped(tmp_path, NAME, candles(30))
    zipped(tmp_path, "BTCUSDT-1h-2024-01-01", candles(24))
    bare(tmp_path, "BTCUSDT-1h-2024-01-02", candles(30)[24:])
    found = read(tmp_path)
    assert len(found.open_ns) == 30
    assert found.coverage.left_out == {"exact duplicates": 30}
    bare(tmp_path, "BTCUSDT-1h-2024-01-02", [candle(24, 1.0)])
    with pytest.raises(UserError, match=r"01-02.csv line 1 has the time of .*\.zip line 25"):
        read(tmp_path)


def test_the_venues_own_layout_and_flat_folders(tmp_path):
    venue = tmp_path / "data"
    spot, um = venue / "spot/monthly/klines", venue / "futures/um/monthly"
    zipped(spot / "BTCUSDT/1h", NAME, candles(48))
    zipped(um / "klines/BTCUSDT/1h", NAME, candles(48, 40_002.0))
    zipped(um / "markPriceKlines/BTCUSDT/1h", NAME, candles(48, 40_001.0))
    zipped(um / "premiumIndexKlines/BTCUSDT/1h", NAME, candles(48, -0.01))
    zipped(um / "fundingRate/BTCUSDT", "BTCUSDT-fundingRate-2024-01", settlements(6))
    flat = tmp_path / "flat"
    for symbol in ("BTCUSDT", "ETHUSDT"):
        zipped(flat / "spot", f"{symbol}-1h-2024-01", candles(48))
        zipped(flat / "futures", f"{symbol}-1h-2024-01", candles(48, 40_002.0))
    zipped(flat, "BTCUSDT-fundingRate-2024-01", settlements(6))
    one, other = archive_series(venue), archive_series(flat, "BTCUSDT")
    assert one.mark[0] == 40_001.0
    assert other.mark[0] == 40_002.0
    assert one.settled.t_ns.tolist() == other.settled.t_ns.tolist()
    assert symbols_in(flat) == ["BTCUSDT", "ETHUSDT"]
    with pytest.raises(UserError, match="more than one symbol: BTCUSDT, ETHUSDT"):
        archive_series(flat)


def test_both_fast_parsers_give_the_same_bits(monkeypatch):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(3)
    lines = [candle(i, p, 60_000) for i, p in enumerate(rng.uniform(0.01, 70_000, 2_000))]
    body = ("\n".join(lines) + "\n").encode()
    layout = archive_rows.Layout(12, (0, 1, 2, 3, 4, 5, 6, 8, 9), 5)
    slow = archive_rows._parsed(body, layout)
    monkeypatch.setattr(archive_rows, "ARROW_BYTES_MIN", 0)
    fast = archive_rows._parsed(body, layout)
    careful, *_ = archive_rows._slowly("x", body, 1, layout)
    assert np.array_equal(slow, fast)
    assert np.array_equal(slow, careful)


# --- a pair ---------------------------------------------------------------------------------------


def test_a_pair_of_bars_with_an_assumed_spread(tmp_path):
    series = archive_series(pair(tmp_path), half_bp=(1.0, 2.0))
    assert (series.kind, series.step_s, len(series.t_ns)) == ("bars", 3_600.0, 48)
    assert series.t_ns[0] == (JAN_2024_MS + HOUR) * 1_000_000  # the end of the bar
    assert series.spot_ask[0] / series.spot_bid[0] - 1 == pytest.approx(2e-4, rel=1e-3)
    assert series.perp_ask[0] / series.perp_bid[0] - 1 == pytest.approx(4e-4, rel=1e-3)
    assert (series.mark[0], series.mark_high[0]) == (40_000.5, pytest.approx(40_040.5, abs=0.01))
    assert series.settled.t_ns[1] == (JAN_2024_MS + 8 * HOUR) * 1_000_000
    assert (series.settled.interval_h == 8.0).all()
    assert series.terms == (8.0, 1e-4, 5e-4, 0.003)
    assert "assumed half-spread 1 bp spot, 2 bp perpetual" in series.coverage.notes


def test_hours_of_one_leg_are_left_out_and_stale_ones_are_said(tmp_path):
    root = pair(tmp_path)
    lines = [line.replace(",7,6.25", ",0,0") if i == 5 else line for i, line in
             enumerate(candles(48)) if i != 9]  # fmt: skip
    zipped(root / "spot_klines/BTCUSDT", NAME, lines)
    series = archive_series(root)
    assert series.coverage.left_out == {"only in perp": 1}
    assert (series.coverage.rows, series.coverage.missing) == (47, 1)
    assert "spot: 1 bars without a trade repeat a price" in series.coverage.notes


def test_legs_of_two_coins_are_no_pair(tmp_path):
    root = pair(tmp_path)
    zipped(root / "spot_klines/BTCUSDT", NAME, candles(48, 2_000.0))
    with pytest.raises(UserError, match="no pair: their prices lie .* apart"):
        archive_series(root)


# --- one sentence each ----------------------------------------------------------------------------


def swap(lines, i, k):
    lines = list(lines)
    lines[i], lines[k] = lines[k], lines[i]
    return lines


def with_cell(line, column, cell):
    cells = line.split(",")
    cells[column] = cell
    return ",".join(cells)


GOOD = candles(30)
BAD = {
    "empty": ([], "is empty"),
    "header alone": ([HEADER], "is empty: it has no rows"),
    "a word for a number": ([*GOOD[:3], with_cell(GOOD[3], 4, "abc")], "line 4, column 5: 'abc'"),
    "after a header": ([HEADER, *GOOD[:3], with_cell(GOOD[3], 4, "x")], "line 5, column 5: 'x'"),
    "no price": ([*GOOD[:2], with_cell(GOOD[2], 4, "")], "line 3, column 5: '' is no number"),
    "nan": ([*GOOD[:2], with_cell(GOOD[2], 1, "nan")], "line 3, column 2: 'nan' is no number"),
    "below zero": (
        [*GOOD[:2], with_cell(GOOD[2], 4, "-1")],
        "line 3 has a price that is not above",
    ),
    "a close above the high": (
        [*GOOD[:2], with_cell(GOOD[2], 4, "50000")],
        "line 3 has a close of 50000 outside its low and high, 39962 and 40042",
    ),
    "a low above the high": ([*GOOD[:2], with_cell(GOOD[2], 3, "41000")], "line 3 has a close of"),
    "no time": ([*GOOD[:2], with_cell(GOOD[2], 0, "1704")], "line 3: 1704 is no time"),
    "too few columns": ([*GOOD[:4], GOOD[4][:40]], "line 5 has .* columns, not 12"),
    "too many": ([*GOOD[:4], GOOD[4] + ",1"], "line 5 has 13 columns, not 12"),
    "shifted": ([GOOD[0] + ",1", GOOD[1].rpartition(",")[0]], "line 1 has 13 columns, not 12"),
    "unsorted": (swap(GOOD, 4, 7), "line 6 is not in order: .*05:00.* comes after .*07:00"),
    "changed double": ([*GOOD[:6], candle(3, 9.0), *GOOD[6:]], "line 7 has the time of line 4"),
    "wrong month": (candles(30, first_ms=JAN_2024_MS + 31 * 24 * HOUR), "mislabelled: it is of"),
    "wrong interval": (candles(30, step_ms=60_000), "line 1 is mislabelled|no candle of 1h"),
    "longer bars": (candles(20, step_ms=14_400_000), "no candle of 1h"),
    "settlements": ([FUNDING_HEADER, *settlements(9)], "line 1 is mislabelled: funding of 3"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("put", [zipped, bare])
def test_a_bad_file_is_one_sentence(tmp_path, what, put):
    lines, sentence = BAD[what]
    path = put(tmp_path, NAME, lines)
    with pytest.raises(UserError, match=sentence) as caught:
        read(tmp_path)
    said = str(caught.value)
    assert str(path) in said
    assert said.endswith(".")


def test_hours_that_are_days_are_mislabelled(tmp_path):
    lines = [with_cell(line, 6, "0") for line in candles(20, step_ms=86_400_000)]
    zipped(tmp_path, NAME, lines)
    with pytest.raises(UserError, match="line 2 is mislabelled: rows are 86400 s apart"):
        read(tmp_path)


def test_a_damaged_or_relabelled_zip(tmp_path):
    path = zipped(tmp_path, NAME, GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cannot be read: .*Download it again"):
        read(tmp_path)
    path.write_bytes(whole[:200] + bytes(byte ^ 0xFF for byte in whole[200:260]) + whole[260:])
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path)
    path.unlink()
    zipped(tmp_path, NAME, GOOD, inside="ETHUSDT-1h-2024-01.csv")
    with pytest.raises(UserError, match="mislabelled: it holds ETHUSDT-1h-2024-01.csv"):
        read(tmp_path)


@pytest.mark.parametrize("put", [zipped, bare])
def test_what_is_larger_than_any_month_is_refused_without_reading_it_whole(
    tmp_path, monkeypatch, put
):
    path = put(tmp_path, NAME, GOOD)
    monkeypatch.setattr(archive_rows, "FILE_BYTES_MAX", 1_000)
    with pytest.raises(UserError, match="larger than a month of candles can be"):
        read(tmp_path)
    monkeypatch.setattr(type(path), "read_bytes", None)
    with pytest.raises(UserError, match="larger than a month"):
        read(tmp_path)


def test_names_folders_and_choices(tmp_path):
    with pytest.raises(UserError, match="No folder"):
        archives(tmp_path / "no")
    with pytest.raises(UserError, match="holds no archives"):
        archives(tmp_path)
    bare(tmp_path / "spot_klines/ETHUSDT", NAME, GOOD)
    with pytest.raises(UserError, match="the name says BTCUSDT, the folder ETHUSDT"):
        archives(tmp_path)
    (tmp_path / f"spot_klines/ETHUSDT/{NAME}.csv").rename(tmp_path / "prices.csv")
    with pytest.raises(UserError, match="holds no archives of Binance: none of its 1 "):
        archives(tmp_path)
    (tmp_path / "prices.csv").rename(tmp_path / "BTCUSDT-1w-2024-01.csv")
    with pytest.raises(UserError, match="candles of 1w; 1m to 1d"):
        archives(tmp_path)
    (tmp_path / "BTCUSDT-1w-2024-01.csv").rename(tmp_path / f"{NAME}.csv")
    with pytest.raises(UserError, match="folders named spot and futures"):
        archive_series(tmp_path, "BTCUSDT")
    bare(tmp_path, "BTCUSDT-1m-2024-01", candles(9, step_ms=60_000))
    with pytest.raises(UserError, match="several intervals: 1h, 1m"):
        read(tmp_path)
    assert len(archive.candles(tmp_path, interval="1m").open_ns) == 9


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([*settlements(3), "1704153600000,0,0.0001"], "line 4 has an interval of 0 h"),
        ([*settlements(3), "1704153600000,8,12"], "line 4 has a rate of 12 an interval"),
        (candles(3), "candles of 12 columns where funding of 3"),
        ([settlements(9)[4], *settlements(2)], "line 2 is not in order"),
    ],
)
def test_bad_funding(tmp_path, lines, sentence):
    zipped(tmp_path, "BTCUSDT-fundingRate-2024-01", lines)
    with pytest.raises(UserError, match=sentence):
        archive.funding(tmp_path)


@settings(max_examples=25, deadline=None)
@given(order=st.lists(st.integers(0, 11), min_size=1, max_size=18), spoil=st.booleans())
def test_whatever_is_shuffled_or_doubled_is_caught(tmp_path_factory, order, spoil):
    folder = tmp_path_factory.mktemp("shuffled")
    lines = [GOOD[i] for i in order]
    if spoil:
        lines[-1] = with_cell(lines[-1], 4, "39999.5")
    bare(folder, NAME, lines)
    firsts = list(dict.fromkeys(order))
    kept_back = spoil and order[-1] in order[:-1]
    sound = firsts == sorted(firsts) and not kept_back
    try:
        found = read(folder)
    except UserError as exc:
        said = str(exc)
        gaps = "rows are" in said  # too few rows to be hours
        assert not sound or gaps
        assert "line" in said
    else:
        assert sound
        assert found.open_ns.tolist() == [(JAN_2024_MS + i * HOUR) * 1_000_000 for i in firsts]
        assert found.coverage.left_out.get("exact duplicates", 0) == len(order) - len(firsts)


# --- the real ones --------------------------------------------------------------------------------


def test_three_years_of_the_real_archives():
    root = REAL / "history" / "binance_1h"
    if not root.is_dir():
        pytest.skip("the hourly archives (../shared/data/history/binance_1h) are not here")
    series = archive_series(root, "BTCUSDT")
    assert len(series.t_ns) == 26_303
    assert series.coverage.missing == 1
    assert series.coverage.left_out == {"only in perp": 1}
    assert len(series.settled.t_ns) == 3_288
    assert series.mid_bp[:8_760].mean() == pytest.approx(-4.33, abs=0.01)
    assert "mark is the perpetual's close in 72 bars without one" in series.coverage.notes
