"""OKX over HTTP: rules, tiers, candles, funding, books and the clock, and what is refused."""

import json
import math
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from okx_recorded import payload
from refusal import reason_of

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Candles, FundingHistory, FundingInfo, VenueTime
from basisdesk.venues import rest_host
from basisdesk.venues.instrument import split_symbol
from basisdesk.venues.okx import Okx

ADA = "okx:perp:ADA-USDT-SWAP"
NOW_MS = 1_790_134_712_400
SWAPS = "public/instruments?instType=SWAP"


@pytest.fixture
def venue():
    return Okx()


@pytest.fixture
def codec(venue):
    return venue.codec("okx.rest")


def frame(path, rows, code="0"):
    body = {"code": code, "msg": "", "data": rows}
    return json.dumps({"path": f"/api/v5/{path}", "data": json.dumps(body)}).encode()


def rows_of(name):
    return json.loads(json.loads(payload(name))["data"])["data"]


def swap(**fields):
    return {**rows_of("rest_instruments_swap")[0], **fields}


def spot(**fields):
    return {**rows_of("rest_instruments_spot")[0], **fields}


# --- instruments ---------------------------------------------------------------------------------


def test_swap_rules_in_coins(codec):
    (event,) = codec.decode(payload("rest_instruments_swap"))
    (row,) = event.rows
    assert (row.key, row.base, row.quote, row.multiplier) == (ADA, "ADA", "USDT", 100)
    assert row.tick == Decimal("0.0001")  # per coin already
    assert (row.lot, row.min_qty, row.max_qty) == (10, 10, 5_200_000)
    assert (row.leverage_max, row.min_notional, row.funding_interval_h) == (75, 0, 0)
    assert (row.funding.interest_8h_bp, row.funding.clamp_bp) == (1.0, 5.0)
    assert (row.funding.scale, row.funding.pays, row.funding.on) == ("8h", "snapshot", "mark")
    assert split_symbol(row.key) == (row.base, row.quote)


def test_spot_rules(codec):
    (event,) = codec.decode(payload("rest_instruments_spot"))
    (row,) = event.rows
    assert (row.key, row.market, row.base, row.quote) == (
        "okx:spot:ADA-USDT",
        "spot",
        "ADA",
        "USDT",
    )
    assert (row.lot, row.min_qty) == (Decimal("0.000001"), 1)
    assert row.max_qty == 9_999_999  # not the market order's, which is told in USDT
    assert (row.multiplier, row.leverage_max) == (1, 1)


def test_the_multiplier_is_the_value_times_the_multiple(venue, codec):
    (row,) = codec.decode(frame(SWAPS, [swap(ctVal="0.01", ctMult="10")]))[0].rows
    assert row.multiplier == Decimal("0.1")
    assert venue.contracts["ADA-USDT-SWAP"] == Decimal("0.1")


@pytest.mark.parametrize(
    "odd",
    [
        swap(ctType="inverse", settleCcy="ADA", instId="ADA-USD-SWAP", uly="ADA-USD"),
        swap(settleCcy="USD", uly="ADA-USD", instId="ADA-USD-SWAP"),
        swap(state="preopen"),
        swap(state="suspend"),
        swap(ctVal="0"),
        swap(ctVal=""),
        swap(ctVal="nan"),
        swap(ctValCcy="USDT"),
        swap(uly="BTC-USDT"),
        swap(tickSz="0"),
        swap(maxMktSz="", maxLmtSz=""),
        swap(instId="<b>-USDT-SWAP", uly="<b>-USDT", ctValCcy="<b>"),
        spot(instId="ADAUSDT"),
        spot(tickSz="1e-4"),
        {"instId": "B-USDT-SWAP"},
        7,
    ],
)
def test_rows_that_cannot_be_used_do_not_hide_the_others(venue, codec, odd):
    fine = swap(instId="OP-USDT-SWAP", uly="OP-USDT", ctValCcy="OP", ctVal="1")
    (event,) = codec.decode(frame(SWAPS, [odd, fine]))
    assert [row.symbol for row in event.rows] == ["OP-USDT-SWAP"]
    assert venue.contracts["ADA-USDT-SWAP"] == 100  # nothing was learnt from the odd one
    assert reason_of(codec, frame(SWAPS, [odd])) == "number"


def test_usdc_swaps_are_linear_too(codec):
    row = swap(instId="ADA-USDC-SWAP", uly="ADA-USDC", settleCcy="USDC", ctVal="1")
    assert codec.decode(frame(SWAPS, [row]))[0].rows[0].key == "okx:perp:ADA-USDC-SWAP"


# --- the rest ------------------------------------------------------------------------------------


def test_tiers_are_sorted_and_in_coins(codec):
    (event,) = codec.decode(payload("rest_position_tiers"))
    assert (event.instrument, event.unit) == (ADA, "base")
    assert [tier.limit for tier in event.tiers] == [150_000, 600_000]
    first = event.tiers[0]
    assert (first.maintenance, first.initial) == (Decimal("0.005"), Decimal("0.0133"))
    assert (first.leverage_max, first.deduction) == (75, 0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"mmr": "0.5", "imr": "0.1"}, "number"),
        ({"imr": "1.5"}, "number"),
        ({"maxSz": "0"}, "number"),
        ({"maxSz": "many"}, "number"),
        ({"instFamily": "ADA-USD"}, "number"),
        ({"instFamily": "OP-USDT"}, "contract"),  # nobody said yet what a contract is
        ({"mmr": 0.5}, "number"),
    ],
)
def test_tiers_that_are_none(codec, fields, reason):
    path = "public/position-tiers?instType=SWAP"
    rows = [{**rows_of("rest_position_tiers")[0], **fields}]
    found = reason_of(codec, frame(path, rows))
    assert found == reason or (fields == {"mmr": 0.5} and found == "type")
    assert reason_of(codec, frame(path, [])) == "number"


def test_candles_are_those_that_are_over_oldest_first(codec):
    (event,) = codec.decode(payload("rest_candles"))
    assert event == Candles(ADA, [(1790134680000, 0.8214), (1790134740000, 0.8216)])
    empty = "market/candles?instId=ADA-USDT&bar=1m"
    assert codec.decode(frame(empty, [])) == (Candles("okx:spot:ADA-USDT", []),)


@pytest.mark.parametrize(
    ("query", "row", "reason"),
    [
        ("instId=ADA-USDT&bar=5m", None, "number"),
        ("instId=ADA-USDT", None, "number"),
        ("bar=1m", None, "number"),
        ("instId=%3Cb%3E&bar=1m", None, "number"),
        ("instId=ADA-USDT&bar=1m", ["1", "2", "2", "2", "nan", "", "", "", "1"], "type"),
        ("instId=ADA-USDT&bar=1m", ["1", "2", "2", "2", "2"], "type"),
    ],
)
def test_candles_that_are_none(codec, query, row, reason):
    rows = rows_of("rest_candles") if row is None else [row]
    assert reason_of(codec, frame(f"market/candles?{query}", rows)) == reason


def test_funding_now_says_the_interval_and_the_rate(codec):
    info, said = codec.decode(payload("rest_funding_rate"))
    assert info == FundingInfo("okx", ((ADA, 4.0, 0.0075),))
    assert (said.instrument, said.stream, said.rate) == (ADA, "", 0.0000321)
    both = [rows_of("rest_funding_rate")[0], {"instId": "OP-USDT-SWAP"}]
    inverse = {"instId": "BTC-USD-SWAP"}
    (info,) = codec.decode(frame("public/funding-rate?instId=ANY", [*both, inverse]))
    assert info.rows == ((ADA, 4.0, 0.0075), ("okx:perp:OP-USDT-SWAP", 0.0, 0.0))


def test_funding_history_is_what_was_charged_oldest_first(codec):
    (event,) = codec.decode(payload("rest_funding_history"))
    rows = [(1790164800000, "-0.0000102"), (1790179200000, "0.0000455")]
    assert event == FundingHistory(ADA, rows)
    predicted = {**rows_of("rest_funding_history")[0], "realizedRate": ""}
    (event,) = codec.decode(frame("public/funding-rate-history", [predicted]))
    assert event.rows == [(1790179200000, "0.0000449")]
    for rate in ("1", "nan", "1e-5", "x"):
        row = {**predicted, "realizedRate": rate}
        assert reason_of(codec, frame("public/funding-rate-history", [row])) == "number"


def test_mark_and_open_interest(codec):
    (mark,) = codec.decode(payload("rest_mark_price"))
    assert (mark.instrument, mark.stream, mark.mark) == (ADA, "", 0.82161)
    (interest,) = codec.decode(payload("rest_open_interest"))
    assert interest.open_interest == 215_000_000.0
    assert math.isnan(interest.mark)
    row = {**rows_of("rest_mark_price")[0], "instId": "ADA-USDT"}
    assert reason_of(codec, frame("public/mark-price", [row])) == "number"
    row = {**rows_of("rest_open_interest")[0], "oiCcy": "1"}
    assert reason_of(codec, frame("public/open-interest", [row])) == "contract"


def test_a_book_seeds_the_socket_s_chain(codec):
    (book,) = codec.decode(payload("rest_books"))
    assert book == BookUpdate(
        ADA, "", True, [(0.8216, 1200.0)], [(0.8217, 3100.0)], 450000, 1790134712400
    )
    row = rows_of("rest_books")[0]
    path = "market/books?instId=ADA-USDT-SWAP"
    assert reason_of(codec, frame(path, [{**row, "bids": row["asks"]}])) == "crossed"
    assert reason_of(codec, frame("market/books?instId=OP-USDT-SWAP", [row])) == "contract"
    assert reason_of(codec, frame(path, [row, row])) == "number"


def test_the_clock(codec):
    assert codec.decode(payload("rest_time")) == (VenueTime("okx", NOW_MS),)
    assert reason_of(codec, frame("public/time", [{"ts": "0"}])) == "type"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (frame("public/time", [], code="51001"), "rest"),
        (frame("public/else", []), "topic"),
        (b"{}", "type"),
        (b"{", "json"),
        (b'{"path":"/api/v5/public/time","data":"<html>"}', "json"),
        (b'{"path":"/api/v5/public/time","data":"{}"}', "type"),
        (b'{"path":"/api/v5/public/time","data":"{\\"code\\":0,\\"data\\":[]}"}', "type"),
    ],
)
def test_answers_that_are_none(codec, message, reason):
    assert reason_of(codec, message) == reason


# --- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["okx:spot:ADA-USDT", ADA])
def test_the_pages_of_candles_cover_24_hours_each_minute_once(venue, key):
    pages = [path for path in venue.backfill(key, NOW_MS) if "candles" in path]
    minutes = []
    for path in pages:
        query = dict(parse_qsl(urlsplit(path).query))
        first, last = int(query["before"]) + 1, int(query["after"]) - 1  # both are exclusive
        inside = list(range(-(-first // 60_000) * 60_000, last + 1, 60_000))
        assert len(inside) <= int(query["limit"]) <= 300
        assert (query["bar"], query["instId"]) == ("1m", key.split(":")[2])
        minutes += inside
    this_minute = NOW_MS - NOW_MS % 60_000
    assert minutes == list(range(this_minute - 1440 * 60_000, this_minute, 60_000))


def test_rules_are_asked_for_before_what_needs_the_contracts_size(venue):
    paths = venue.backfill(ADA, NOW_MS)
    assert "instruments?instType=SWAP&instId=ADA-USDT-SWAP" in paths[0]
    assert any(
        "position-tiers?instType=SWAP&tdMode=isolated&instFamily=ADA-USDT" in p for p in paths
    )
    spot_paths = venue.backfill("okx:spot:ADA-USDT", NOW_MS)
    assert not any("funding" in path or "tiers" in path for path in spot_paths)
    assert all("funding" in path or "open-interest" in path for path in venue.refresh(ADA, NOW_MS))
    assert venue.refresh("okx:spot:ADA-USDT", NOW_MS) == ()


def test_every_path_has_a_reader_and_a_host(venue, codec):
    paths = (*venue.backfill(ADA, NOW_MS), *venue.catalogue(), venue.time_path())
    for path in (*paths, venue.seed_path("okx.public", "books:ADA-USDT")):
        assert rest_host(venue, path) == "https://www.okx.com"
        try:
            codec.decode(frame(path.removeprefix("/api/v5/"), []))
        except BadFrame as exc:
            assert exc.reason == "number"  # an answer without rows, not an unknown one
