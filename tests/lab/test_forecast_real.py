"""Hourly archives: made-up ones for every form that occurs, the real ones read a second way."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab import forecast_real
from basisdesk.lab.forecast_bars import HOUR_NS, NS, outcomes
from basisdesk.lab.forecast_report import REAL, real_hours, walked

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "history" / "binance_1h"
JAN_2024_MS = 1_704_067_200_000
HEADER = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker,taker_q,ignore"


@pytest.fixture(scope="module")
def archives() -> Path:
    if not forecast_real.found(FOLDER):
        pytest.skip("the hourly archives (../shared/data/history/binance_1h) are not here")
    return FOLDER


@pytest.fixture(scope="module")
def pairs(archives):
    return [forecast_real.read(archives, coin) for coin in ("BTC", "ETH")]


# --- made up --------------------------------------------------------------------------------------


def put(folder, kind, lines, name="2024-01"):
    path = folder / kind / "BTCUSDT"
    path.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path / f"BTCUSDT-{name}.zip", "w") as archive:
        archive.writestr(f"BTCUSDT-{name}.csv", "\n".join(lines) + "\n")


def candle(hour, price, micro=False):
    stamp = (JAN_2024_MS + hour * 3_600_000) * (1_000 if micro else 1)
    return f"{stamp},{price - 1},{price + 2},{price - 2},{price},10,0,0,7,6,0,0"


def made(folder, missing=(), micro=False):
    hours = [h for h in range(24) if h not in missing]
    put(folder, "spot_klines", [candle(h, 40_000 + h, micro) for h in hours])
    put(folder, "futures_klines", [HEADER, *(candle(h, 40_010 + h) for h in range(24))])
    premium = [
        f"{JAN_2024_MS + h * 3_600_000},0,{value:.4f},0,{value:.4f},0,0,0,1,0,0,0"
        for h, value in ((h, 0.0004 + 0.0001 * h) for h in range(24))
    ]
    put(folder, "premium_index_klines", [HEADER, *premium])
    stamps = [JAN_2024_MS + 8 * 3_600_000 * k + 6 for k in range(3)]
    head = "calc_time,funding_interval_hours,last_funding_rate"
    put(folder, "funding_rate", [head, *(f"{ms},8,0.0001" for ms in stamps)])
    return forecast_real.read(folder, "BTC")


def test_headers_milliseconds_and_microseconds(tmp_path):
    one = made(tmp_path / "ms")
    other = made(tmp_path / "us", micro=True)
    assert len(one.t_ns) == 24
    assert np.array_equal(one.t_ns, other.t_ns)
    assert one.t_ns[0] == (JAN_2024_MS + 3_599_999) * 1_000_000
    assert one.spot[0] == 40_000.0
    assert one.perp[0] == 40_010.0
    assert one.more["spot_signed"][0] == 2.0  # 6 of 10 coins bought by takers


def test_one_enters_at_the_next_hours_opening_trade(tmp_path):
    bars = made(tmp_path)
    assert bars.enter_spot[0] == 40_000.0  # opens one below its close of 40,001
    assert (bars.enter_ns - bars.t_ns == NS).all()
    assert np.isnan(bars.enter_spot[-1])


def test_a_missing_hour_is_no_bar_and_nobody_enters_into_it(tmp_path):
    bars = made(tmp_path, missing=(5,))
    assert len(bars.t_ns) == 23
    assert np.isnan(bars.enter_spot[4])
    assert np.isfinite(bars.enter_spot[5])


def test_a_settlement_comes_after_the_close_before_it(tmp_path):
    bars = made(tmp_path)
    stamp, rate, hours, known = bars.settled
    assert stamp[1] == (JAN_2024_MS + 8 * 3_600_000) * 1_000_000
    assert bars.t_ns[7] < stamp[1] < bars.t_ns[8]
    assert known[1] > stamp[1]
    assert (rate[0], hours[0]) == (1e-4, 8.0)


def test_the_indicative_rate_knows_hours_that_are_over(tmp_path):
    bars = made(tmp_path)
    assert bars.f_ind[0] == pytest.approx(1e-4)  # premium 4 bp, within the clamp
    weights = np.arange(1.0, 16.0, 2.0)
    mean = weights @ (0.0004 + 0.0001 * np.arange(8)) / weights.sum()
    assert bars.f_ind[7] == pytest.approx(mean - 5e-4)


def test_a_broken_archive_is_one_sentence(tmp_path):
    made(tmp_path)
    (tmp_path / "spot_klines" / "BTCUSDT" / "BTCUSDT-2024-02.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match="cannot be read"):
        forecast_real.read(tmp_path, "BTC")


def test_no_archives_is_said():
    assert "no folder was named" in real_hours(None)["skipped"]
    assert "has none" in real_hours(Path("/nowhere"))["skipped"]


# --- the real ones --------------------------------------------------------------------------------


def by_hand(folder, month):
    """[(opening time, row)] of one month, by csv and nothing of basisdesk."""
    (file,) = folder.glob(f"*-{month}.zip")
    with zipfile.ZipFile(file) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return [row for row in csv.reader(io.StringIO(text)) if row[0].isdigit()]


@pytest.mark.parametrize(("place", "symbol"), [(0, "BTCUSDT"), (1, "ETHUSDT")])
def test_a_month_read_by_hand(archives, pairs, place, symbol):
    bars = pairs[place]
    spot = by_hand(archives / "spot_klines" / symbol, "2023-06")
    perp = {row[0]: row for row in by_hand(archives / "futures_klines" / symbol, "2023-06")}
    for row in spot[:: len(spot) // 40]:
        at = int(np.searchsorted(bars.t_ns, int(row[0]) * 1_000_000 + HOUR_NS - 1_000_000))
        assert bars.spot[at] == float(row[4])
        assert bars.perp[at] == float(perp[row[0]][4])
        basis = (float(perp[row[0]][4]) / float(row[4]) - 1.0) * 1e4
        assert bars.basis_bp[at] == pytest.approx(basis)


def test_the_level_of_2022_and_the_proxy_of_the_rate(pairs):
    """BTC's mean basis of 2022 was -4.3 bp; the rate from hourly closes meets what settled."""
    bars = pairs[0]
    assert len(bars.t_ns) == 26_303
    assert bars.basis_bp[:8_760].mean() == pytest.approx(-4.33, abs=0.05)
    stamp, rate, hours, _ = bars.settled
    assert set(hours.tolist()) == {8.0}
    before = np.searchsorted(bars.t_ns, stamp) - 1
    near = before >= 0
    gap = (bars.f_ind[before[near]] - rate[near]) * 1e4
    known = np.isfinite(gap)
    assert np.abs(gap[known]).mean() < 0.4
    assert np.corrcoef(bars.f_ind[before[near]][known], rate[near][known])[0, 1] > 0.85


def test_nothing_is_earned_at_real_costs(pairs):
    """Three years, two coins: at 16.4 bp hardly a candidate earns 5 bp, and that is true."""
    found = [outcomes(pair, REAL[1].rule) for pair in pairs]
    assert sum(len(each.y) for each in found) > 5_000
    assert np.mean(np.concatenate([each.y for each in found])) < 0.01


@pytest.mark.slow
def test_a_walk_forward_over_a_year_says_what_it_stands_on(pairs):
    year = [pair.of(pair.t_ns >= 1_704_067_200 * NS) for pair in pairs]
    free = walked(REAL[2], year)
    assert free["folds"] == 6
    assert free["leaks"] == 0
    assert free["n"] > 800
    assert 100 < free["n_eff"] < free["n"]
    assert free["gain"]["low"] < free["gain"]["value"] < free["gain"]["high"]
    assert free["verdict"] in free["says"]
    assert f"{free['n']} candidates" in free["says"]
