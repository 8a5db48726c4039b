"""Numbers from outside: read as they stand, never invented, never from the future."""

import math

import pytest

from basisdesk.app.forecast_sources import IndicatorFiles
from basisdesk.config import IndicatorSource
from basisdesk.forecast.indicators import (
    BYTES_MAX,
    NO_SOURCE,
    BadIndicator,
    Indicator,
    newest,
    stamp_ns,
)

NOW_NS = 1_790_000_000_000_000_000  # 2026-09-21, 14:13:20 UTC


@pytest.mark.parametrize(
    ("text", "said_ns"),
    [
        ("1790000000", NOW_NS),
        ("1790000000000", NOW_NS),
        ("1790000000.5", NOW_NS + 500_000_000),
        ("2026-09-21T14:13:20Z", NOW_NS),
        ("2026-09-21T16:13:20+02:00", NOW_NS),
        ("2026-09-21 14:13:20", NOW_NS),
        ("2026-09-21", NOW_NS - 51_200_000_000_000),
    ],
)
def test_a_time_is_read_however_it_is_written(text, said_ns):
    assert stamp_ns(text) == said_ns


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "2026-13-01"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        stamp_ns(text)


def test_the_newest_row_counts_in_whatever_order_they_stand():
    text = "time,value\n1789999000,2\n1789999900,7.5\n1789000000,1\nodd\n1789999950,nan\n"
    assert newest(text, NOW_NS) == (1_789_999_900_000_000_000, 7.5)


def test_what_is_still_to_come_is_not_known():
    text = "1789999000,2\n1790000001,9\n"
    assert newest(text, NOW_NS)[1] == 2.0
    with pytest.raises(BadIndicator, match="still to come"):
        newest("1790000001,9\n", NOW_NS)


@pytest.mark.parametrize("text", ["", "a,b\nc,d\n", "1;2\n", "1790000000\n"])
def test_a_file_without_rows_says_so(text):
    with pytest.raises(BadIndicator, match="a time and a number"):
        newest(text, NOW_NS)


def test_an_indicator_without_a_source_is_missing():
    found = Indicator("flow")
    assert found.why == NO_SOURCE
    assert math.isnan(found.value)
    assert math.isnan(found.age_s(NOW_NS))
    assert not found.late(NOW_NS)


def files(path, every_s=60.0):
    return IndicatorFiles({"flow": IndicatorSource(str(path), "coins", every_s)})


def look(found, now_s=0.0):
    found.found.update(found.look(found.due(now_s), NOW_NS))
    return found.all[0]


def test_a_file_is_read_with_its_unit_and_age(tmp_path):
    path = tmp_path / "flow.csv"
    path.write_text("﻿time,flow\n1789999900,12.5\n", "utf-8")
    seen = look(files(path))
    assert (seen.value, seen.unit, seen.why) == (12.5, "coins", "")
    assert seen.age_s(NOW_NS) == 100.0
    assert not seen.late(NOW_NS)
    assert seen.late(NOW_NS + 21_000_000_000)


def test_each_file_is_read_at_its_own_pace(tmp_path):
    found = files(tmp_path / "flow.csv", every_s=10.0)
    assert found.all[0].why == "not read"
    assert found.due(5.0) == ("flow",)
    assert found.due(14.9) == ()
    assert found.due(15.0) == ("flow",)


def test_a_file_that_is_missing_is_no_source(tmp_path):
    seen = look(files(tmp_path / "flow.csv"))
    assert seen.why.startswith(NO_SOURCE)
    assert math.isnan(seen.value)
    assert look(files(tmp_path)).why.startswith(NO_SOURCE)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"nothing here", "a time and a number"),
        (b"1789999900,1\n" + b"x" * BYTES_MAX, "larger than 4 MB"),
        (b'1789999900,"' + b"x" * 200_000 + b'"\n', "field larger"),
    ],
)
def test_a_bad_file_keeps_the_last_value_and_says_why(tmp_path, data, why):
    path = tmp_path / "flow.csv"
    path.write_bytes(b"1789999900,3\n")
    found = files(path)
    look(found)
    path.write_bytes(data)
    seen = look(found, 60.0)
    assert seen.value == 3.0
    assert seen.t_ns == 1_789_999_900_000_000_000
    assert why in seen.why
