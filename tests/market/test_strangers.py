"""What nobody asked for: other streams, other symbols over HTTP, prices far from the quote."""

import math

import pytest
from market_events import PERP, SPOT, P, S, asked, ns, quote, ticker
from tiny_venue import LEG, WS, TinyVenue, ask, book, seed, top
from tiny_venue import PERP as TINY_PERP

from basisdesk.config import Settings
from basisdesk.events import (
    BookLost,
    Candles,
    ComboQuote,
    FundingHistory,
    FundingInfo,
    Heard,
    LinkChange,
    Ticker,
    Trade,
)
from basisdesk.market.described import STRANGERS_MAX
from basisdesk.market.feeds import UNASKED_MAX
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit

NAN = math.nan


@pytest.fixture
def market():
    return Market(Settings(), {"bybit": Bybit(), "tiny": TinyVenue()})


# --- streams -------------------------------------------------------------------------------------


def test_a_stream_that_nobody_asked_for_is_not_read_and_makes_no_leg(market):
    ask(market, "top:ADA/USDT")
    other = "tiny:spot:XRP/USDT"
    market.apply(top(0, topic="top:XRP/USDT", key=other), ns(0))
    market.apply(book(0, 0, 1, topic="book", snapshot=True), ns(1))
    market.apply(BookLost(LEG, f"{WS}/book:ADA/USDT", "checksum"), ns(2))
    market.apply(Trade(other, f"{WS}/trade:XRP/USDT", 1.0, 1.0, True, 0), ns(3))
    market.apply(Heard(f"{WS}/mark:XRP/USDT", 0), ns(4))
    mark = Ticker("tiny:perp:XRP/USDT", f"{WS}/mark:XRP/USDT", 1.0, 1.0, 0.0, 0.0, 8.0, 0, 0.0, 0)
    market.apply(mark, ns(5))
    market.apply(ComboQuote(other, PERP, f"{WS}/combo:XRP", 1.0, 1.0, 1.0, 1.0, 0), ns(6))
    assert list(market.legs) == []
    assert list(market.streams) == [f"{WS}/top:ADA/USDT"]
    assert market.bad_by_reason == {"topic": 7}
    assert market.links[WS].bad_by_reason == {"topic": 7}
    market.apply(top(10), ns(10))
    assert market.leg(LEG).bid == 100.0


def test_reconnects_with_new_names_each_time_add_nothing(market):
    for number in range(5):
        market.link(LinkChange(WS, "down"), ns(number))
        market.link(LinkChange(WS, "up"), ns(number))
        ask(market, "top:ADA/USDT", ms=number)
        for rank in range(300):
            name = f"C{number}X{rank}/USDT"
            market.apply(top(number, topic=f"top:{name}", key=f"tiny:spot:{name}"), ns(number))
    assert (len(market.streams), len(market.legs)) == (1, 0)
    assert market.bad_by_reason["topic"] == 1_500


def test_a_recording_without_any_asking_is_read_up_to_a_bound(market):
    for rank in range(UNASKED_MAX + 50):
        name = f"X{rank}/USDT"
        market.apply(top(0, topic=f"top:{name}", key=f"tiny:spot:{name}"), ns(0))
    assert len(market.streams) == len(market.legs) == UNASKED_MAX
    assert market.bad_by_reason == {"topic": 50}
    market.apply(quote(1), ns(1))  # each connection has its own
    assert market.leg(SPOT).bid == 100.0


def test_asking_on_one_connection_says_nothing_of_another(market):
    ask(market, "top:ADA/USDT")
    market.apply(quote(1), ns(1))
    assert market.leg(SPOT).bid == 100.0


def test_what_was_asked_and_dropped_is_still_silently_ignored(market):
    ask(market, "top:ADA/USDT")
    market.link(LinkChange(WS, "dropped", topics=("top:ADA/USDT",)), ns(1))
    market.apply(top(2), ns(2))
    assert (market.bad_frames, list(market.streams)) == (0, [])


# --- over HTTP -----------------------------------------------------------------------------------


def test_an_answer_over_http_makes_no_leg_and_no_stream(market):
    rows = [(1_700_000_000_000, "0.0001")]
    market.apply(FundingHistory(PERP, rows), ns(0))
    market.apply(Candles(SPOT, [(60_000, 1.0)]), ns(0))
    market.apply(FundingInfo("bybit", ((PERP, 4.0, 0.02),), 8.0), ns(0))
    market.apply(Ticker(PERP, "", 1.0, 1.0, 1.0, 0.0001, 8.0, 0, 0.0, 0), ns(0))
    market.apply(seed(5), ns(0))
    assert (market.legs, market.streams) == ({}, {})
    clock = market.leg(PERP).funding
    assert clock.settled == [(1_700_000_000_000, 0.0001)]  # it was kept for the leg
    assert clock.interval_h == 4.0


def test_pages_of_a_watched_leg_are_learnt_as_they_come(market):
    market.leg(PERP)
    market.apply(FundingHistory(PERP, [(1_700_000_000_000, "0.0001")]), ns(0))
    market.apply(FundingHistory(PERP, [(1_700_028_800_000, "0.0002")]), ns(0))
    assert market.leg(PERP).funding.last_settled == 0.0002


def test_the_past_of_strangers_is_kept_up_to_a_bound(market):
    market.leg(PERP)
    for rank in range(STRANGERS_MAX + 20):
        key = f"bybit:perp:X{rank}USDT"
        market.apply(FundingHistory(key, [(60_000, "0.0001")]), ns(0))
        market.apply(Candles(key, [(60_000, 1.0)]), ns(0))
    assert len(market.funding_history) == len(market.candles) == STRANGERS_MAX
    market.apply(FundingHistory(PERP, [(60_000, "0.0001")]), ns(0))
    market.apply(Candles(PERP, [(60_000, 1.0)]), ns(0))
    assert PERP in market.funding_history
    assert PERP in market.candles


# --- one stream for many -------------------------------------------------------------------------


def test_an_array_of_marks_reaches_each_leg_that_exists_and_no_other(market):
    """Binance `!markPrice@arr`: one stream, every contract."""
    array = f"{WS}/mark:all"
    legs = [f"tiny:perp:{coin}/USDT" for coin in ("ADA", "XRP", "LINK")]
    ask(market, "mark:all")
    market.leg(legs[1])

    def say(ms):
        for key, mark in zip(legs, (1.0, 1.2, 1.3), strict=True):
            event = Ticker(key, array, mark, mark, NAN, 0.0001, 0.0, 0, 0.0, 0)
            market.apply(event, ns(ms))

    say(0)
    assert list(market.legs) == [legs[1], legs[0]]
    assert [market.legs[key].mark for key in legs[:2]] == [1.0, 1.2]
    market.link(LinkChange(WS, "down", "gone"), ns(1))
    assert all(math.isnan(market.legs[key].mark) for key in legs[:2])
    say(2)
    assert market.legs[legs[1]].mark == 1.2
    market.link(LinkChange(WS, "dropped", topics=("mark:all",)), ns(3))
    assert all(math.isnan(market.legs[key].mark) for key in legs[:2])
    assert market.bad_frames == 0
    assert legs[0] == TINY_PERP


# --- trades --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "taken"), [(49.0, False), (51.0, True), (151.0, True),
                                              (152.0, False), (NAN, False)])  # fmt: skip
def test_a_trade_far_from_the_quote_is_no_last_price(market, price, taken):
    market.apply(quote(0), ns(0))
    stream = f"{S}/publicTrade.ADAUSDT"
    market.apply(Trade(SPOT, stream, 100.2, 1.0, True, 0), ns(1))
    market.apply(Trade(SPOT, stream, price, 1.0, True, 0), ns(2))
    leg = market.leg(SPOT)
    assert (leg.last_price, leg.last_trade_ns) == ((price, ns(2)) if taken else (100.2, ns(1)))
    assert market.bad_by_reason == ({} if taken else {"jump": 1})
    assert market.streams[stream].live


def test_a_trade_before_any_quote_is_taken(market):
    market.apply(Trade(SPOT, f"{S}/publicTrade.ADAUSDT", 1e9, 1.0, True, 0), ns(1))
    assert market.leg(SPOT).last_price == 1e9


def test_tickers_of_a_leg_are_its_own(market):
    asked(market, "tickers.ADAUSDT", conn=P)
    market.apply(ticker(0), ns(0))
    assert market.leg(PERP).mark == 100.5
