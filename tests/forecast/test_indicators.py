"""Numbers from outside: read as they stand, never invented, never from the future."""

import asyncio
import json
import math

import msgspec
import pytest

from basisdesk.app import forecast_sources
from basisdesk.app.forecast_sources import IndicatorSources
from basisdesk.config import Forecast, IndicatorSource
from basisdesk.feed.faults import Fault
from basisdesk.forecast.indicators import (
    BYTES_MAX,
    NO_SOURCE,
    BadIndicator,
    Indicator,
    answered,
    newest,
    pointed,
    stamp_ns,
)

S_NS = 1_000_000_000
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
    return IndicatorSources({"flow": IndicatorSource(str(path), "coins", every_s)})


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


# --- what an address answers ---------------------------------------------------------------------

ANSWER = (
    b'{"data":[{"value":"71","t":1789999900},{"value":64.5,"t":"2026-09-21T14:00:00Z"}],"a/b":2}'
)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/data/0/value", "71"),
        ("/data/-1/value", 64.5),
        ("/a~1b", 2),
        ("/data/2/value", None),
        ("/data/-2", None),
        ("/data/x", None),
        ("/nothing/there", None),
        ("/data/0/value/deeper", None),
    ],
)
def test_a_pointer_names_one_thing(path, said):
    assert pointed(json.loads(ANSWER), path) == said


def test_an_answer_is_a_number_and_its_time():
    assert answered(ANSWER, "/data/0/value", "/data/0/t", NOW_NS) == (NOW_NS - 100 * S_NS, 71.0)
    assert answered(ANSWER, "/data/1/value", "/data/1/t", NOW_NS) == (NOW_NS - 800 * S_NS, 64.5)
    assert answered(ANSWER, "/a~1b", "", NOW_NS) == (NOW_NS, 2.0)
    assert answered(b" 3.5\n", "", "", NOW_NS) == (NOW_NS, 3.5)


@pytest.mark.parametrize(
    ("data", "path", "time_path", "why"),
    [
        (b"<html>", "", "", "not JSON"),
        (b"\xff\xfe", "", "", "not JSON"),
        (b"[" * 100_000, "", "", "not JSON"),
        (b'{"a":null}', "/a", "", "at /a of the answer is no number"),
        (b'{"a":true}', "/a", "", "no number"),
        (b'{"a":"nan"}', "/a", "", "no number"),
        (b'{"a":1e999}', "/a", "", "no"),
        (b'{"a":[1]}', "/a", "", "no number"),
        (b'{"a":1,"t":"soon"}', "/a", "/t", "at /t of the answer is no time"),
        (b'{"a":1,"t":null}', "/a", "/t", "no time"),
        (b'{"a":1,"t":1790000060}', "/a", "/t", "still to come"),
    ],
)
def test_an_answer_that_cannot_be_used_says_why(data, path, time_path, why):
    with pytest.raises(BadIndicator, match=why):
        answered(data, path, time_path, NOW_NS)


def address(folder, **more):
    usual = {"url": "https://example.com/secret?key=abc", "path": "/v", "time_path": "/t"}
    source = IndicatorSource(**{**usual, "every_s": 60.0, "feature": True, **more})
    return IndicatorSources({"mood": source}, folder)


def told(found, value, t_s):
    answer = json.dumps({"v": value, "t": t_s}).encode()
    found.found["mood"] = found.heard("mood", answer, NOW_NS)
    return found.all[0]


def test_an_address_gathers_its_own_past_and_keeps_it(tmp_path):
    found = address(tmp_path)
    assert found.told("ADA", NOW_NS) == ()  # nothing is known yet
    for i in range(11):
        seen = told(found, 50 + i % 3, 1_789_999_000 + 60 * i)
    assert math.isfinite(seen.z)
    again = address(tmp_path)
    assert again.all[0].why == "not asked yet"
    seen = told(again, 60, 1_789_999_970)
    assert told(found, 60, 1_789_999_970).z == seen.z > 5.0
    assert again.told("ADA", NOW_NS) == (("ext_mood", seen.z),)
    other = address(tmp_path, path="/w")  # another number: its past is not this one's
    answer = b'{"w":1,"t":1789999980}'
    assert math.isnan(other.heard("mood", answer, NOW_NS).z)


def test_the_same_answer_twice_is_one_value(tmp_path):
    found = address(tmp_path)
    for _ in range(30):
        seen = told(found, 50, 1_789_999_900)
    assert math.isnan(seen.z)
    assert "older than" in told(found, 50, 1_789_999_000).why


def test_late_and_other_coins_are_no_feature(tmp_path):
    found = address(tmp_path, coin="ADA")
    for i in range(12):
        told(found, 50 + i % 3, 1_789_999_000 + 60 * i)
    assert found.told("ADA", NOW_NS - 300 * S_NS)
    assert found.told("DOGE", NOW_NS - 300 * S_NS) == ()
    assert found.told("ADA", NOW_NS + 3_600 * S_NS) == ()


def test_only_the_host_of_an_address_is_shown(tmp_path):
    assert address(tmp_path).all[0].source == "example.com"


def test_an_address_that_fails_is_no_source_and_keeps_what_was_heard(monkeypatch, tmp_path):
    async def fail(url):
        return Fault("no such thing (HTTP 404)", "odd")

    monkeypatch.setattr(forecast_sources, "ask", fail)
    found = address(tmp_path)
    seen = asyncio.run(found.read(("mood",), NOW_NS))["mood"]
    assert seen.why == f"{NO_SOURCE}: example.com: no such thing (HTTP 404)"
    assert math.isnan(seen.value)
    told(found, 7, 1_789_999_900)
    seen = asyncio.run(found.read(("mood",), NOW_NS))["mood"]
    assert (seen.value, seen.why) == (7.0, "example.com: no such thing (HTTP 404)")


def test_a_file_brings_its_past_along(tmp_path):
    path = tmp_path / "flow.csv"
    path.write_text("".join(f"{1_789_990_000 + 60 * i},{i % 4}\n" for i in range(40)), "utf-8")
    found = IndicatorSources({"flow": IndicatorSource(str(path), feature=True)})
    assert [each.name for each in found.extras] == ["ext_flow"]
    assert math.isfinite(look(found).z)
    assert IndicatorSources({"flow": IndicatorSource(str(path))}).extras == ()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"file": "a.csv", "url": "https://example.com/"},
        {"url": "http://example.com/"},
        {"url": "ftp://example.com/"},
        {"url": "https://example.com/", "path": "data/0"},
        {"file": "a.csv", "coin": "ada"},
        {"file": "a.csv", "odd": 1},
    ],
)
def test_a_source_that_cannot_be_one_is_refused(given):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, IndicatorSource)


def test_only_so_many_may_be_features():
    sources = {f"n{i}": {"file": "a.csv", "feature": True} for i in range(9)}
    with pytest.raises(msgspec.ValidationError, match="At most 8"):
        msgspec.convert({"indicators": sources}, Forecast)
