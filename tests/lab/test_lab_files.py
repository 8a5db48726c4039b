"""Files of anybody: what their columns are called, what is no text, which leg is which."""

import numpy as np
import pytest
from archive_rig import JAN_2024_MS

from basisdesk.errors import UserError
from basisdesk.lab.archive_files import archives
from basisdesk.lab.sources import SourceOptions, open_series
from basisdesk.lab.words import data_row

ROWS = 60
SPOT = 100.0 + np.cumsum(np.random.default_rng(3).standard_normal(ROWS)) * 0.05
BASIS = 20e-4 * np.sin(np.arange(ROWS) / 3.0)
PERP = SPOT * (1.0 + BASIS)


def put(path, head, *columns):
    lines = [f"{JAN_2024_MS + i * 3_600_000},{','.join(map(str, row))}" for i, row in
             enumerate(zip(*columns, strict=True))]  # fmt: skip
    path.write_text("\n".join([f"time,{head}", *lines]) + "\n")
    return path


def test_columns_called_spot_and_perp_are_the_closes(tmp_path):
    path = put(tmp_path / "a.csv", "spot,perp,remark,volume", SPOT, PERP, SPOT, SPOT)
    series = open_series(SourceOptions(file=path))
    mid = (series.spot_bid + series.spot_ask) / 2.0
    assert np.allclose(mid, SPOT)
    assert "spot: columns not read: remark, volume" in series.coverage.notes
    assert any("neither mark nor settlements tell" in note for note in series.coverage.notes)


def test_bid_and_ask_by_name_are_quotes(tmp_path):
    columns = (SPOT - 0.01, SPOT + 0.01, PERP - 0.01, PERP + 0.01)
    path = put(tmp_path / "a.csv", "spot_bid,spot_ask,perp_bid,perp_ask", *columns)
    assert open_series(SourceOptions(file=path)).kind == "quotes"


def test_a_leg_that_is_not_there_lists_the_columns_that_are(tmp_path):
    path = put(tmp_path / "a.csv", "spot,future", SPOT, PERP)
    with pytest.raises(UserError, match="no price of the perp leg; it has time, spot, future"):
        open_series(SourceOptions(file=path))


def test_a_binary_file_is_one_sentence(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(UserError, match="is no text, so it cannot be read as CSV"):
        open_series(SourceOptions(file=path))
    with pytest.raises(UserError, match="is no text"):
        open_series(SourceOptions(file=path, columns="time=time,spot=s,perp=p"))


def test_swapped_legs_are_caught_by_a_mark(tmp_path):
    mark = PERP * (1.0 + 1e-5)
    columns = "time=time,spot=spot,perp=perp,mark=mark"
    right = put(tmp_path / "right.csv", "spot,perp,mark", SPOT, PERP, mark)
    assert len(open_series(SourceOptions(file=right, columns=columns)).t_ns) == ROWS
    wrong = put(tmp_path / "wrong.csv", "spot,perp,mark", PERP, SPOT, mark)
    with pytest.raises(UserError, match="spot and perpetual seem to be swapped"):
        open_series(SourceOptions(file=wrong, columns=columns))


def test_swapped_legs_are_doubted_where_funding_goes_against_the_basis(tmp_path):
    columns = "time=time,spot=spot,perp=perp,rate=rate"
    rates = np.roll(BASIS, 1)
    right = put(tmp_path / "right.csv", "spot,perp,rate", SPOT, PERP, rates)
    assert not data_row(open_series(SourceOptions(file=right, columns=columns)))["cautions"]
    wrong = put(tmp_path / "wrong.csv", "spot,perp,rate", PERP, SPOT, rates)
    said = data_row(open_series(SourceOptions(file=wrong, columns=columns)))["cautions"]
    assert len(said) == 1
    assert "may be swapped" in said[0]


def test_a_wrong_folder_is_named_and_not_a_file_deep_in_it(tmp_path):
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    for name in ("x.csv", "y.csv"):
        (deep / name).write_text("1")
    with pytest.raises(UserError) as told:
        archives(tmp_path)
    assert str(told.value).startswith(f"{tmp_path} holds no archives of Binance: none of its 2 ")
    (tmp_path / "BTCUSDT-1h-2024-01.csv").write_text("1")
    with pytest.raises(UserError, match="holds 1 archives of Binance and 2 other"):
        archives(tmp_path)
