"""The rotation study whole: from files to sentences, one sentence for a file that is no good."""

import argparse
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab.pages import study_page
from basisdesk.lab.rotation import (
    RotationOptions,
    add_rotation_arguments,
    rotation_from,
    run_rotation,
)
from basisdesk.lab.rotation_data import read_csv, read_panel
from basisdesk.lab.rotation_panel import Plan
from basisdesk.lab.words import Cancelled, no_progress, registered
from basisdesk.ui.resources import resource

DATA = Path(__file__).parents[3] / "shared" / "data"
MAP = resource("sectors.json")
HEAD = "timestamp,symbol,funding_rate\n"
STEP = 28_800_000
FIRST = 1_767_225_600_000  # 2026-01-01 00:00 UTC


def real(*names):
    path = DATA.joinpath(*names)
    if not path.exists():
        pytest.skip("the real funding (../shared/data) is not on this machine")
    return path


def estimates(study):
    return [row[2:] for row in study["tables"][0]["rows"]]


# --- simulated ------------------------------------------------------------------------------------


def test_a_simulated_study_is_whole_the_same_each_time_and_can_be_a_page():
    options = RotationOptions(simulate=True, years=0.8, draws=100, worlds=1)
    study = run_rotation(options)
    assert json.dumps(study) == json.dumps(run_rotation(options))
    assert study["simulated"]
    assert study["sentences"][0].startswith("SIMULATED. ")
    assert study["verdict"] in study["sentences"][0]
    assert study["pre_registration"]["trials"] == 4
    assert registered(study["pre_registration"])
    assert {chart["kind"] for chart in study["charts"]} == {"points", "line", "bars"}
    assert "Measured size and power" in study_page(study)
    assert not re.search("\N{UPWARDS ARROW}|\N{RIGHTWARDS ARROW}|confirmed", str(study))


def test_each_estimate_of_a_sentence_has_its_interval():
    study = run_rotation(RotationOptions(simulate=True, years=0.8, draws=100))
    said = [line for line in study["sentences"] if "relative return" in line]
    assert len(said) == 4
    assert all(re.search(r"return [+-][\d.]+ bp \[[+-][\d.]+, [+-][\d.]+\]", line) for line in said)
    assert all(re.search(r"points \[[+-][\d.]+, [+-][\d.]+\] apart", line) for line in said)


def test_it_can_be_cancelled():
    asked = []

    def stop(done, total, what):
        asked.append((done, total, what))
        return done < 1

    with pytest.raises(Cancelled, match="Cancelled after 1 of 4"):
        run_rotation(RotationOptions(simulate=True, years=0.5, draws=100, worlds=2), stop)
    assert asked[-1] == (1, 4, "simulated worlds")


# --- real files -----------------------------------------------------------------------------------


def test_real_funding_without_prices_is_underpowered_and_says_so():
    folder = real("funding", "binance_539_symbols_2026")
    study = run_rotation(RotationOptions((folder,), sectors=(MAP,), draws=200))
    assert study["verdict"] == "UNDERPOWERED"
    assert (study["n"], study["dates"]) == (64, ["2026-01-12", "2026-03-20"])
    said = " ".join(study["sentences"])
    assert "no prices" in said
    assert "64 of 64 events have a z by less than the 90 days" in said
    assert "later than 200 of 200 settlements" in said
    assert all(cell is None for row in estimates(study) for cell in row[:-1])
    assert sum(row[3] + row[4] for row in study["tables"][2]["rows"]) == 64


def test_five_coins_make_no_sector_and_that_is_what_is_said():
    funding = real("funding", "seven_venues_5coins", "funding_rates.parquet")
    prices = real("history", "perp_1h_7venues", "candles.parquet")
    study = run_rotation(RotationOptions((funding,), (prices,), (MAP,), draws=100))
    assert (study["verdict"], study["n"]) == ("UNDERPOWERED", 0)
    assert "No sector ever had 4 members" in study["sentences"][1]
    assert [row["perpetuals"] for row in study["data"]] == [35, 5]


def test_archives_are_read_as_they_come():
    funding, prices = (
        real("history", "binance_1h", kind) for kind in ("funding_rate", "futures_klines")
    )
    panel = read_panel([funding], [prices], Plan(), no_progress)
    assert panel.coins == ("BTC", "ETH")
    # 2022-01-01 08:00: settled 0.0001 on Binance; the close of the hour before
    assert np.isfinite(panel.log_price).mean() > 0.99
    assert np.isfinite(panel.rate).mean() > 0.99
    assert 3e3 < math.exp(panel.log_price[1, 1]) < 4.5e3
    assert panel.turnover[-1, 0] > 1e11  # a month of BTC perpetuals, USDT


# --- files of our own -----------------------------------------------------------------------------


def write(folder, symbol="BTCUSDT", text=None, stamps=5):
    rows = (f"{FIRST + i * STEP},{symbol},0.0001\n" for i in range(stamps))
    file = folder / f"{symbol}.csv"
    file.write_text(HEAD + "".join(rows) if text is None else text)
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file is empty"),
        (HEAD, "line 1: no settlement follows the header"),
        ("time,symbol,rate\n1,B,0\n", "line 1: the header is 'time,symbol,rate'"),
        (HEAD + f"{FIRST},BTCUSDT,x\n", "line 2: '1767225600000,BTCUSDT,x' is no timestamp"),
        (HEAD + f"{FIRST},BTCUSDT\n", "line 2: .* is no timestamp"),
        (HEAD + f"{FIRST},ETHUSDT,0.0\n", "line 2: it is of 'ETHUSDT', but the file is named for"),
        (HEAD + f"{FIRST},BTCUSDT,nan\n", "line 2: the rate nan is beyond 0.16"),
        (HEAD + f"{FIRST},BTCUSDT,1.0\n", "line 2: the rate 1 is beyond 0.16"),
        (HEAD + f"{FIRST // 1000},BTCUSDT,0.0\n", "line 2: the timestamp 1767225600 is no time"),
        (HEAD + f"{FIRST},BTCUSDT,0.0\n" * 2, "line 3: the settlement of .* stands there twice"),
        (
            HEAD + f"{FIRST + STEP},BTCUSDT,0.0\n{FIRST},BTCUSDT,0.0\n",
            "line 3: the settlement of 2026-01-01T00:00:00.000Z is older",
        ),
    ],
)
def test_a_bad_file_gets_one_sentence_with_file_and_line(tmp_path, text, said):
    file = write(tmp_path, text=text)
    with pytest.raises(UserError, match=said) as failed:
        read_csv(file)
    assert str(file) in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "Name funding with --funding"),
        (["--simulate", "--funding", "x"], "leave out --funding"),
        (["--funding", "/nowhere"], "No sector map"),
        (["--funding", "/nowhere", "--sectors", str(MAP)], "No folder or file /nowhere"),
        (["--funding", "x.csv", "--sectors", str(MAP)], "x.csv cannot be read"),
        (["--funding", "x.csv", "--sectors", "/nowhere.json"], "Cannot read the sector map"),
        (["--funding", "x.csv", "--sectors", str(MAP), str(MAP)], "a date of its own"),
        (["--simulate", "--years", "nan"], "--years is nan"),
        (["--simulate", "--edge", "inf"], "--edge is inf"),
        (["--simulate", "--worlds", "-1"], "--worlds must be"),
    ],
)
def test_what_was_typed_and_makes_no_sense(typed, said):
    parser = argparse.ArgumentParser()
    add_rotation_arguments(parser)
    with pytest.raises(UserError, match=said):
        run_rotation(rotation_from(parser.parse_args(typed)))


def test_the_shipped_map_stands_in_where_none_is_named(tmp_path):
    for symbol in ("BTCUSDT", "1000PEPEUSDT"):
        write(tmp_path, symbol)
    parser = argparse.ArgumentParser()
    add_rotation_arguments(parser)
    options = rotation_from(parser.parse_args(["--funding", str(tmp_path)]), MAP)
    assert options.sectors == (MAP,)
    panel = read_panel(options.funding, (), Plan(), no_progress)
    assert panel.coins == ("BTC", "PEPE")
    assert panel.rate[-1].tolist() == [1.0, 1.0]


def test_other_files_that_are_not_what_they_should_be(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No funding in"):
        read_panel([tmp_path / "empty"], (), Plan(), no_progress)
    broken = tmp_path / "rates.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        read_panel([broken], (), Plan(), no_progress)
    nameless = write(tmp_path, "QQQ", HEAD + f"{FIRST},QQQ,0.0\n")
    with pytest.raises(UserError, match="names no quote currency"):
        read_csv(nameless)


def table(tmp_path, **columns):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    size = len(columns["coin"])
    stamps = columns.pop("ms", [FIRST + i * STEP for i in range(size)])
    columns["timestamp"] = pa.array(stamps, pa.int64()).cast(pa.timestamp("ms", "UTC"))
    columns.setdefault("venue", ["binance"] * size)
    path = tmp_path / "made.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"coin": ["BTC"]}, "has no column 'funding_rate'"),
        ({"coin": ["BTC"] * 2, "funding_rate": [0.0, float("nan")]}, "row 2: 'funding_rate' is no"),
        (
            {"coin": ["BTC"] * 2, "funding_rate": [0.0, 0.1], "ms": [FIRST] * 2},
            "row 2: binance BTC",
        ),
        ({"coin": ["BTC"] * 2, "funding_rate": [0.0, 0.5]}, "the rate 0.5 is beyond"),
        ({"coin": [], "funding_rate": []}, "has 0 rows"),
    ],
)
def test_a_bad_table_gets_one_sentence(tmp_path, columns, said):
    with pytest.raises(UserError, match=said):
        read_panel([table(tmp_path, **columns)], (), Plan(), no_progress)


def test_prices_and_turnover_stand_on_their_settlement(tmp_path):
    funding = write(tmp_path, stamps=100)
    hours = [FIRST + i * 3_600_000 for i in range(64)]
    closes = [100.0 + i for i in range(64)]
    path = table(tmp_path, coin=["BTC"] * 64, ms=hours, c=closes, v=[2.0] * 64)
    panel = read_panel([funding], [path], Plan(), no_progress)
    assert math.isnan(panel.log_price[0, 0])  # its hour opened before the first candle
    assert np.exp(panel.log_price[1:4, 0]) == pytest.approx([107.0, 115.0, 123.0])
    assert panel.turnover[1, 0] == pytest.approx(2.0 * sum(closes[:8]))
    assert panel.turnover[2, 0] == pytest.approx(2.0 * sum(closes[:16]))
