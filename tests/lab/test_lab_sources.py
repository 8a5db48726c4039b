"""What the command line names becomes a pair: archives, files of anybody, funding files, tapes."""

import argparse

import numpy as np
import pytest
from archive_rig import FUNDING_HEADER, JAN_2024_MS, REAL, bare, pair, settlements, zipped
from captures import tape_of
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.errors import UserError
from basisdesk.lab.funding_files import intervals_h, one_funding, read_funding
from basisdesk.lab.mapper import parse_pairs, read_table
from basisdesk.lab.sources import (
    SourceOptions,
    add_source_arguments,
    open_series,
    source_from,
    source_words,
)

HOUR_NS = 3_600_000_000_000
FIRST_NS = JAN_2024_MS * 1_000_000
STAMPS = {
    "seconds": lambda i: str(JAN_2024_MS // 1_000 + i * 3_600),
    "milliseconds": lambda i: str(JAN_2024_MS + i * 3_600_000),
    "microseconds": lambda i: str((JAN_2024_MS + i * 3_600_000) * 1_000),
    "nanoseconds": lambda i: str(FIRST_NS + i * HOUR_NS),
    "Z": lambda i: f"2024-01-01T{i:02}:00:00Z",
    "+00:00": lambda i: f"2024-01-01 {i:02}:00:00.000+00:00",
    "plain": lambda i: f"2024-01-01 {i:02}:00",
}


def put(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def both(path, stamp=STAMPS["milliseconds"], count=8):
    rows = [f"{stamp(i)},{100 + i},{100.1 + i},x" for i in range(count)]
    return put(path, "ts,close_spot,close_perp,more", *rows)


COLUMNS = "time=ts,spot=close_spot,perp=close_perp"


# --- the mapper -----------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", STAMPS)
def test_times_are_told_by_their_size_and_said(tmp_path, unit):
    series = open_series(
        SourceOptions(file=both(tmp_path / "a.csv", STAMPS[unit]), columns=COLUMNS)
    )
    assert series.t_ns.tolist() == [FIRST_NS + i * HOUR_NS for i in range(8)]
    said = unit if unit.endswith("seconds") else "ISO text"
    assert f"spot: times are {said}" in series.coverage.notes[0]
    assert (series.kind, series.step_s) == ("bars", 3_600.0)
    assert series.mid_bp[0] == pytest.approx(10.0)


def test_a_column_may_turn_from_milliseconds_to_microseconds(tmp_path):
    path = both(
        tmp_path / "a.csv", lambda i: STAMPS["milliseconds" if i < 4 else "microseconds"](i)
    )
    table = read_table(path, {"time": "ts"}, {})
    assert table.t_ns.tolist() == [FIRST_NS + i * HOUR_NS for i in range(8)]
    assert table.notes == ("times are milliseconds and microseconds",)


def test_one_file_per_leg_parquet_and_where(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    stamps = np.array([FIRST_NS + i * HOUR_NS for i in range(6)]).astype("datetime64[ns]")
    table = pa.table(
        {
            "timestamp": np.repeat(stamps, 2),
            "coin": ["BTC", "ETH"] * 6,
            "c": [100.0, 7.0] * 6,
        }
    )
    pq.write_table(table, tmp_path / "perp.parquet")
    bare(tmp_path, "spot", ["time,close", *(f"{STAMPS['seconds'](i)},{99 + i}" for i in range(5))])
    options = SourceOptions(
        spot=tmp_path / "spot.csv",
        perp=tmp_path / "perp.parquet",
        where="perp.coin=BTC",
        stamps="open",
        symbol="BTC",
    )
    series = open_series(options)
    assert series.t_ns[0] == FIRST_NS + HOUR_NS  # opened: known an hour later
    assert series.coverage.left_out == {"only in perp": 1}
    assert "no settlements: funding counts as nothing" in series.coverage.notes
    with pytest.raises(UserError, match="row 2 has the time of row 1.*--where COLUMN=VALUE"):
        open_series(options._replace(where=""))
    with pytest.raises(UserError, match="no rows where coin=XRP"):
        open_series(options._replace(where="perp.coin=XRP"))


def test_quotes_of_two_files_hold_the_last_of_each_leg(tmp_path):
    spot = put(tmp_path / "s.csv", "t,b,a", "1704067200,99,101", "1704067203,100,102")
    perp = put(
        tmp_path / "p.csv", "t,b,a", "1704067201,99.5,101.5", "1704067202,,", "1704067204,101,103"
    )
    series = open_series(SourceOptions(spot=spot, perp=perp, columns="time=t,bid=b,ask=a"))
    assert (series.kind, series.step_s) == ("quotes", 0.0)
    assert ((series.t_ns - FIRST_NS) // 10**9).tolist() == [1, 3, 4]
    assert series.spot_bid.tolist() == [99, 100, 100]
    assert series.perp_ask.tolist() == [101.5, 101.5, 103]
    assert series.coverage.left_out == {"perp: no price": 1}


def test_rates_in_the_file_are_settlements_and_not_a_filled_column(tmp_path):
    rows = [
        f"{STAMPS['milliseconds'](i)},100,100.1,{'0.0001' if i % 8 == 0 else ''}" for i in range(24)
    ]
    path = put(tmp_path / "a.csv", "ts,s,p,f", *rows)
    columns = "time=ts,spot=s,perp=p,rate=f"
    series = open_series(SourceOptions(file=path, columns=columns))
    assert series.settled.rate.tolist() == [1e-4] * 3
    assert series.settled.interval_h.tolist() == [8.0] * 3
    filled = put(tmp_path / "b.csv", "ts,s,p,f", *(
        f"{JAN_2024_MS + i * 60_000},100,100.1,0.0001" for i in range(9)
    ))  # fmt: skip
    with pytest.raises(UserError, match="line 3: a rate less than an hour after the last"):
        open_series(SourceOptions(file=filled, columns=columns))


GOOD = [f"{STAMPS['milliseconds'](i)},{100 + i},{100.1 + i}" for i in range(6)]
BAD = {
    "empty": ([], "is empty"),
    "no rows": (["ts,s,p"], "has no rows"),
    "no column": (["time,s,p", *GOOD], "has no column ts; it has time, s, p"),
    "two": (["ts,s,s", *GOOD], "two columns s"),
    "short": (["ts,s,p", GOOD[0], "1,2"], "line 3 has 2 columns, the header 3"),
    "word": (["ts,s,p", GOOD[0], GOOD[1].replace("101,", "abc,")], "line 3: 'abc' in column s"),
    "inf": (["ts,s,p", GOOD[0], GOOD[1].replace("101,", "inf,")], "line 3: 'inf' in column s"),
    "zero": (["ts,s,p", GOOD[0], GOOD[1].replace("101,", "0,")], "line 3: the spot close is not"),
    "no time": (["ts,s,p", "7,1,1"], "line 2: '7' is no time between 2009 and 2100"),
    "odd time": (["ts,s,p", GOOD[0], "soon,1,1"], "line 3: 'soon' is no time"),
    "unsorted": (["ts,s,p", GOOD[1], GOOD[0]], "line 3 is not in order"),
    "changed": (["ts,s,p", *GOOD[:2], GOOD[1].replace("101,", "102,")], "line 4 has the time of"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_table_is_one_sentence(tmp_path, what):
    lines, sentence = BAD[what]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=sentence) as caught:
        open_series(SourceOptions(file=path, columns="time=ts,spot=s,perp=p"))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"columns": "time"}, "'time' is no NAME=COLUMN"),
        ({"columns": "time=a,time=b"}, "time stands there twice"),
        ({"columns": "when=ts"}, "when is no role"),
        ({"columns": COLUMNS + ",perp_bid=more"}, "is no number"),
        ({"columns": "time=ts,spot=close_spot"}, "has no price of the perp leg"),
        ({"file": None}, "Name one source of prices.*nothing was given"),
        ({"data": "."}, "--data and --file were given"),
        ({"since": "soon"}, "--from soon is no date"),
        ({"since": "2025-01-01"}, "no rows in that time; it has 2024-01-01"),
        ({"half_spread_bp": (-1.0, 1.0)}, "half-spread lies between 0 and"),
    ],
)
def test_options_that_cannot_be(tmp_path, change, sentence):
    options = SourceOptions(file=both(tmp_path / "a.csv"), columns=COLUMNS)
    with pytest.raises(UserError, match=sentence):
        open_series(options._replace(**change))


def test_the_command_line_and_a_part_of_the_time(tmp_path):
    parser = argparse.ArgumentParser()
    add_source_arguments(parser)
    words = f"--data {pair(tmp_path)} --half-spread-bp 2 --from 2024-01-02 --to 2024-01-02T12:00"
    options = source_from(parser.parse_args(words.split()))
    assert options.half_spread_bp == (2.0, 2.0)
    series = open_series(options)
    assert len(series.t_ns) == 12
    told = source_words(series)
    assert (told["label"], told["rows"], told["missing"]) == ("close-to-close proxy", 12, 0)
    assert told["first"] == "2024-01-02 00:00"
    assert len(series.settled.t_ns) == 6


def test_pairs_of_words():
    assert parse_pairs(" a=b , c = d,", "--columns") == {"a": "b", "c": "d"}


# --- funding --------------------------------------------------------------------------------------


def test_funding_of_every_form(tmp_path):
    zipped(
        tmp_path / "zips", "ETHUSDT-fundingRate-2024-01", [FUNDING_HEADER, *settlements(9, hours=4)]
    )
    rows = [f"{JAN_2024_MS + i * 14_400_000 + i},ETHUSDT,0.0001" for i in range(9)]
    put(tmp_path / "ETHUSDT.csv", "timestamp,symbol,funding_rate", *rows)
    one = one_funding(tmp_path / "zips")
    other = one_funding(tmp_path / "ETHUSDT.csv")
    assert one.settled.t_ns.tolist() == other.settled.t_ns.tolist()
    assert one.settled.interval_h.tolist() == other.settled.interval_h.tolist() == [4.0] * 9
    assert other.coverage.notes == ("intervals are the time between settlements",)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["a,b", "1,2"], "line 1: no column timestamp among a, b"),
        (["timestamp,symbol,funding_rate", f"{JAN_2024_MS},BTCUSDT,0.5"], "line 2: 0.5 is no rate"),
        (["timestamp,symbol,funding_rate", f"{JAN_2024_MS},ETHUSDT,0"], "is of ETHUSDT, the name"),
        (["timestamp,symbol,funding_rate"], "has no rows"),
    ],
)
def test_bad_funding_tables(tmp_path, lines, sentence):
    with pytest.raises(UserError, match=sentence):
        read_funding(put(tmp_path / "BTCUSDT.csv", *lines))


@pytest.mark.parametrize(
    ("gaps", "hours", "missing"),
    [
        ([8, 8, 8], [8, 8, 8, 8], 0),
        ([8, 8, 16, 8], [8, 8, 8, 8, 8], 1),  # one is missing
        ([4, 4, 8, 4], [4, 4, 4, 4, 4], 1),
        ([8, 8, 1, 1, 1, 3, 4, 4], [8, 8, 8, 1, 1, 1, 3, 4, 4], 0),  # switched, and back
        ([1, 1, 24, 1, 1], [1, 1, 1, 1, 1, 1], 23),
        ([], [8], 0),
    ],
)
def test_intervals_are_told_from_holes(gaps, hours, missing):
    t_ns = FIRST_NS + np.concatenate([[0], np.cumsum(gaps)]).astype(np.int64) * HOUR_NS
    found = intervals_h(t_ns)
    assert (found[0].tolist(), found[1]) == (hours, missing)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([1, 4, 8]), st.lists(st.booleans(), min_size=6, max_size=40))
def test_single_holes_never_change_an_interval(step, kept):
    kept = [k or not all(kept[max(i - 1, 0) : i]) for i, k in enumerate(kept)]
    kept[0] = kept[1] = kept[-1] = kept[-2] = True
    at = np.flatnonzero(kept)
    if np.diff(at).max() > 2 or (np.diff(at) == 2).sum() > 1:
        return  # holes beside holes may look like a longer interval
    hours, missing = intervals_h(FIRST_NS + at.astype(np.int64) * step * HOUR_NS)
    assert (hours == step).all()
    assert missing == len(kept) - len(at)


def test_the_real_funding_files():
    folder = REAL / "funding"
    if not folder.is_dir():
        pytest.skip("the funding files (../shared/data/funding) are not here")
    found = read_funding(folder / "binance_539_symbols_2026" / "BTCUSDT.csv")
    assert set(found["BTCUSDT"].settled.interval_h.tolist()) == {8.0}
    pytest.importorskip("pyarrow")
    seven = read_funding(folder / "seven_venues_5coins" / "funding_rates.parquet")
    assert len(seven) == 35
    assert set(seven["binance:HYPE"].settled.interval_h.tolist()) == {4.0}
    assert seven["kraken:BTC"].coverage.missing == 9
    assert (
        one_funding(folder / "seven_venues_5coins" / "funding_rates.parquet", "BTC", "okx").name
        == "okx:BTC"
    )


# --- tapes ----------------------------------------------------------------------------------------


def test_a_real_capture_as_quotes(tmp_path):
    tape = tape_of("bybit", tmp_path / "bybit.tape")
    legs = {"long": "bybit:perp:BTCUSDT", "short": "bybit:spot:BTCUSDT"}
    series = open_series(SourceOptions(tape=tape, **legs))
    assert (series.kind, series.spot) == ("quotes", "bybit:spot:BTCUSDT")
    assert series.mid_bp[0] == pytest.approx(-4.022, abs=1e-3)
    assert series.mark[0] == 65_118.03
    assert series.terms.cap == 0.005
    with pytest.raises(UserError, match="No quote of bybit:spot:XRPUSDT on this tape. It has"):
        open_series(SourceOptions(tape=tape, long="bybit:spot:XRPUSDT", short=legs["long"]))
    with pytest.raises(UserError, match="--short is missing: write venue"):
        open_series(SourceOptions(tape=tape, long=legs["long"]))
    with pytest.raises(UserError, match="are no pair"):
        open_series(SourceOptions(tape=tape, long=legs["short"], short=legs["short"]))
