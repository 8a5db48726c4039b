"""What all codecs share: figures, sentences, the frame of an HTTP answer and its refusals."""

import json
from decimal import Decimal

import msgspec
import pytest

from basisdesk.errors import BadFrame
from basisdesk.events import FundingHistory
from basisdesk.venues.reading import MINUTE_MS, TEXT_MAX, check_sides, plain, scaled, unit_of
from basisdesk.venues.rest_reading import (
    RestCodec,
    amount,
    dated,
    half_days,
    oldest_first,
    past_funding,
    positive,
    readable,
    typed,
)


def refuse(exc):
    def read(_answer):
        raise exc

    return read


def framed(path="/v5/market/time?a=1&b=2", data="{}"):
    return json.dumps({"path": path, "data": data}).encode()


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "9999999999999999", "0.000000000000000001"])
def test_amounts_keep_every_digit(text):
    assert str(amount(text)) == str(Decimal(text))


@pytest.mark.parametrize(
    "text", ["", "+1", "1e3", "nan", ".5", "5.", " 1", "1\n", "0x1", "1" * 17, "0." + "1" * 19, "١"]
)
def test_amounts_that_are_none(text):
    with pytest.raises(ValueError, match="not an amount"):
        amount(text)


def test_how_many_places_an_amount_may_have_is_the_venues():
    assert amount("0." + "1" * 20, places=20) == Decimal("0." + "1" * 20)
    for text in ("0", "-1"):
        with pytest.raises(ValueError, match="not above zero"):
            positive(text)


def test_a_sentence_is_cut_and_printable():
    assert plain("no\x07 such\ntopic") == "no  such topic"
    assert plain("x" * 999) == "x" * TEXT_MAX


def test_the_unit_is_read_from_the_symbol():
    found = {name: unit_of(name, ("USDT", "PERP")) for name in ("1000PEPEUSDT", "SHIB1000PERP")}
    assert set(found.values()) == {Decimal(1000)}
    assert unit_of("ADAUSDT", ("USDT",)) == unit_of("USDT", ("USDT",)) == 1


def test_levels_are_told_per_coin():
    assert scaled([(2.0, 3.0)], 1000.0) == [(0.002, 3000.0)]
    assert scaled([(2.0, 3.0)], 1.0) == [(2.0, 3.0)]


def test_a_snapshot_whose_sides_meet_is_refused_but_deleted_levels_do_not_count():
    check_sides([(9.0, 0.0), (1.0, 1.0)], [(2.0, 1.0), (0.5, 0.0)], b"")
    check_sides([], [], b"")
    with pytest.raises(BadFrame, match="crossed"):
        check_sides([(2.0, 1.0)], [(2.0, 1.0)], b"")


def test_an_answer_is_opened_into_path_query_and_body():
    assert RestCodec(lambda answer: [answer]).decode(framed(data="body")) == [
        ("/v5/market/time", {"a": "1", "b": "2"}, "body")
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "json"),
        (b"[]", "type"),
        (b'{"path":"/x"}', "type"),
        (b'{"path":"/x","data":"\xff"}', "json"),
        (b'{"path":"//[","data":"{}"}', "json"),
    ],
)
def test_a_frame_that_is_none(payload, reason):
    with pytest.raises(BadFrame) as caught:
        RestCodec(refuse(AssertionError())).decode(payload)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("exc", "reason"),
    [
        (BadFrame("contract", b"inner"), "contract"),
        (BadFrame("rest"), "rest"),
        (msgspec.ValidationError("x"), "type"),
        (msgspec.DecodeError("x"), "json"),
        (RecursionError(), "json"),
        (ValueError("x"), "number"),
        (ZeroDivisionError(), "number"),
    ],
)
def test_whatever_a_reader_meets_is_a_bad_frame_of_the_whole_answer(exc, reason):
    payload = framed()
    with pytest.raises(BadFrame) as caught:
        RestCodec(refuse(exc)).decode(payload)
    assert (caught.value.reason, caught.value.payload) == (reason, payload)


def test_a_fault_of_our_own_is_not_hidden():
    with pytest.raises(TypeError):
        RestCodec(refuse(TypeError())).decode(framed())


def test_one_odd_row_does_not_hide_the_others():
    def read(text):
        number = typed(text, int)
        if number < 0:
            raise BadFrame("symbol")
        return number or None

    def rows(*texts):
        return readable([msgspec.Raw(text) for text in texts], read)

    assert rows(b"1", b'"x"', b"-1", b"0", b'"2"') == [1, 2]
    assert rows() == []
    for texts, reason in (((b"0",), "number"), ((b'"x"',), "number"), ((b'"x"', b"-1"), "symbol")):
        with pytest.raises(BadFrame, match=reason):
            rows(*texts)


def test_a_list_of_nothing_of_ours_may_be_an_answer_but_an_unreadable_one_is_none():
    nothing = [msgspec.Raw(b"0"), msgspec.Raw(b"0")]
    assert readable(nothing, lambda text: typed(text, int) or None, ours=False) == []
    with pytest.raises(BadFrame, match="number"):
        readable([*nothing, msgspec.Raw(b'"x"')], lambda text: typed(text, int) or None, ours=False)


def test_past_funding_is_a_history_a_symbol_oldest_first():
    rows = [("B", 2, "0.1"), ("A", 9, "-0.2"), ("B", 1, "0.3"), ("B", 2, "0.4")]
    assert past_funding(rows, str.lower, {}) == (
        FundingHistory("b", [(1, "0.3"), (2, "0.4")]),
        FundingHistory("a", [(9, "-0.2")]),
    )
    with pytest.raises(ValueError, match="funding rate"):
        past_funding([("A", 1, "-1")], str, {})


def test_rows_are_sorted_by_time_and_the_later_said_wins():
    assert oldest_first([(2, 1.0), (1, 5.0), (2, 0.5)]) == [(1, 5.0), (2, 0.5)]


def test_the_day_of_the_rules_is_said_where_the_venue_said_it():
    assert dated("Bybit rules", 1_790_121_612_345) == "Bybit rules of 2026-09-23"
    assert dated("Bybit rules", 0) == "Bybit rules"


@pytest.mark.parametrize("late_ms", [0, 1, MINUTE_MS - 1])
def test_two_half_days_are_the_1440_minutes_before_the_running_one(late_ms):
    this_minute = 1_790_121_600_000
    halves = half_days(this_minute + late_ms)
    minutes = [ms for first, last in halves for ms in range(first, last + 1, MINUTE_MS)]
    assert minutes == list(range(this_minute - 1440 * MINUTE_MS, this_minute, MINUTE_MS))
