"""Binance's REST pages of the demo exchange, read back by the codec."""

from decimal import Decimal

import pytest
from binance_rig import P, S, make_floor, page, rest, spec
from still_rig import HOUR_MS, MINUTE_MS, NOW_MS, FakeLeg

from basisdesk.demo.dialect_binance import BinanceDialect
from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate, Candles, FundingHistory, FundingInfo, VenueTime
from basisdesk.venues.binance import Binance


@pytest.fixture
def floor():
    return make_floor()


def test_the_snapshot_stands_for_the_book_s_id(floor):
    for key, conn in (("binance:spot:ADAUSDT", S), ("binance:perp:1000PEPEUSDT", P)):
        _, market, symbol = key.split(":")
        path = Binance().seed_path(conn, f"{symbol.lower()}@depth@100ms")
        (book,) = rest(floor, path)
        assert isinstance(book, BookUpdate)
        unit = 1000 if "PEPE" in symbol else 1
        assert (book.instrument, book.stream, book.snapshot) == (key, "", True)
        assert book.seq == 450_000
        assert book.bids == [(0.8215 / unit, 12.5 * unit), (0.8214 / unit, 90.0 * unit)]
        assert book.venue_ms == (NOW_MS if market == "perp" else 0)
    assert len(page(floor, "/api/v3/depth?symbol=ADAUSDT&limit=1")["asks"]) == 1


def test_rules_come_back(floor):
    spot_path, perp_path = Binance().catalogue()
    (spot,) = rest(floor, spot_path)[0].rows
    ada, pepe, op = rest(floor, perp_path)[0].rows
    assert (spot.key, ada.key, op.key) == (
        "binance:spot:ADAUSDT",
        "binance:perp:ADAUSDT",
        "binance:perp:OPUSDT",
    )
    for told in (spot, ada):
        assert (told.tick, told.lot, told.min_qty) == (Decimal("0.0001"), Decimal("0.1"), 1)
        assert (told.max_qty, told.min_notional) == (520_000, 5)
    assert (pepe.base, pepe.multiplier, pepe.lot) == ("PEPE", 1000, 100)
    rules = page(floor, perp_path)["symbols"][0]
    assert rules["pricePrecision"] != 4  # whoever reads it as the tick is wrong
    assert [
        each["symbol"] for each in page(floor, "/api/v3/exchangeInfo?symbol=ADAUSDT")["symbols"]
    ]
    assert "of 2026-09-23" in spot.source


@pytest.mark.parametrize("key", ["binance:spot:ADAUSDT", "binance:perp:1000PEPEUSDT"])
def test_a_day_of_candles_in_two_pages_has_no_hole(floor, key):
    unit = 1000 if "PEPE" in key else 1
    pages = [each for each in Binance().backfill(key, NOW_MS) if "klines" in each]
    stamps = []
    for path in pages:
        (told,) = rest(floor, path)
        assert isinstance(told, Candles)
        assert told.instrument == key
        assert all(0.82 / unit < close < 0.823 / unit for _, close in told.rows)
        stamps += [stamp for stamp, _ in told.rows]
    this_minute = NOW_MS - NOW_MS % MINUTE_MS
    assert stamps == list(range(this_minute - 1440 * MINUTE_MS, this_minute, MINUTE_MS))


def test_candles_without_a_window_end_with_the_running_minute(floor):
    rows = page(floor, "/api/v3/klines?symbol=ADAUSDT&interval=1m&limit=3")
    assert [row[0] for row in rows][-1] == NOW_MS - NOW_MS % MINUTE_MS
    assert len(rows) == 3
    assert [len(row) for row in rows] == [12] * 3
    none = page(floor, f"/api/v3/klines?symbol=ADAUSDT&interval=1m&startTime={NOW_MS * 2}")
    assert none == []


def test_funding_comes_back(floor):
    stamps = [stamp for stamp, _, _ in FakeLeg(spec()).settlements()]
    (history,) = rest(floor, "/fapi/v1/fundingRate?symbol=ADAUSDT&limit=200")
    assert history == FundingHistory(
        "binance:perp:ADAUSDT",
        list(zip(stamps, ("0.00002000", "0.00001000", "0.00000000"), strict=True)),
    )
    (latest,) = page(floor, "/fapi/v1/fundingRate?symbol=ADAUSDT&limit=1")
    assert latest["fundingTime"] // HOUR_MS * HOUR_MS == stamps[-1]
    (only,) = page(floor, f"/fapi/v1/fundingRate?symbol=ADAUSDT&endTime={stamps[0]}")
    assert only["rateType"] == "Regular"


def test_only_exceptions_to_8_hours_are_listed(floor):
    assert rest(floor, "/fapi/v1/fundingInfo") == (
        FundingInfo("binance", (("binance:perp:OPUSDT", 4.0, 0.0075),), 8.0),
    )


def test_premium_and_open_interest_come_back(floor):
    (told,) = rest(floor, "/fapi/v1/premiumIndex?symbol=1000PEPEUSDT")
    assert told.instrument == "binance:perp:1000PEPEUSDT"
    assert (told.mark, told.index) == (0.82164 / 1000, 0.82151 / 1000)
    assert (told.rate, told.next_ms) == (-0.0000321, NOW_MS + 1_000)
    assert len(rest(floor, "/fapi/v1/premiumIndex")) == 3
    (held,) = rest(floor, "/fapi/v1/openInterest?symbol=1000PEPEUSDT")
    assert held.open_interest == 215e6


def test_the_clock_and_the_touch_over_http(floor):
    assert rest(floor, Binance().time_path()) == (VenueTime("binance", NOW_MS),)
    assert rest(floor, "/fapi/v1/time") == (VenueTime("binance", NOW_MS),)
    assert page(floor, "/api/v3/ping") == {}
    touch = page(floor, "/api/v3/ticker/bookTicker?symbol=ADAUSDT")
    assert (touch["bidPrice"], touch["askQty"]) == ("0.82150000", "31.00000000")
    assert page(floor, "/fapi/v1/ticker/bookTicker?symbol=ADAUSDT")["time"] == NOW_MS


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v3/depth?symbol=NONEUSDT", -1121),
        ("/api/v3/depth?symbol=adausdt", -1121),
        ("/api/v3/exchangeInfo?symbol=X", -1121),
        ("/fapi/v1/openInterest", -1102),
        ("/api/v3/klines?symbol=ADAUSDT", -1102),
        ("/api/v3/klines?symbol=ADAUSDT&interval=1h", -1120),
        ("/api/v3/depth?symbol=ADAUSDT&limit=x", -1100),
        ("/api/v3/depth?symbol=ADAUSDT&limit=" + "9" * 50, -1100),
    ],
)
def test_refusals_are_the_venue_s(floor, path, code):
    assert page(floor, path, status=400)["code"] == code
    with pytest.raises(BadFrame) as caught:
        rest(floor, path)
    assert caught.value.reason == "rest"


def test_a_page_that_is_not_there(floor):
    assert BinanceDialect().page("/api/v3/account", floor).status == 404
