"""Figures on topics of their own, and the venue's own book of both legs."""

import math

import pytest
from market_events import T0, ns
from tiny_venue import LEG, PERP, WS, TinyVenue, ask, said, top

from basisdesk.config import Settings
from basisdesk.events import (
    ComboQuote,
    FundingInfo,
    LinkChange,
)
from basisdesk.market.state import Market


@pytest.fixture
def market():
    return Market(Settings(), {"tiny": TinyVenue()})


# --- figures on separate topics ------------------------------------------------------------------


def test_what_a_ticker_does_not_say_stays(market):
    """OKX says mark, index, funding and open interest on topics of their own."""
    market.apply(said(0, "mark", mark=100.0), ns(0))
    market.apply(said(1, "index", index=100.2), ns(1))
    next_ms = T0 - T0 % 60_000 + 3_600_000
    market.apply(said(2, "funding", rate=0.0001, hours=4.0, next_ms=next_ms), ns(2))
    market.apply(said(3, "interest", interest=5e6), ns(3))
    market.apply(said(4, "mark", mark=100.1), ns(4))
    leg = market.leg(PERP)
    assert (leg.mark, leg.index, leg.open_interest) == (100.1, 100.2, 5e6)
    clock = leg.funding
    assert (clock.rate, clock.interval_h, clock.next_ms) == (0.0001, 4.0, next_ms)
    assert clock.mark == 100.1


def test_losing_one_topic_forgets_only_its_figures(market):
    market.apply(said(0, "mark", mark=100.0), ns(0))
    market.apply(said(1, "index", index=100.2, interest=5e6), ns(1))
    market.link(LinkChange(WS, "dropped", topics=("mark:ADA/USDT",)), ns(2))
    leg = market.leg(PERP)
    assert math.isnan(leg.mark)
    assert (leg.index, leg.open_interest) == (100.2, 5e6)
    assert leg.funding.mark == 100.0  # a settlement is still paid on the last mark heard


def test_marks_between_two_rates_do_not_bend_the_rates_slope(market):
    for minute in range(600):
        market.apply(said(minute * 60_000, "funding", rate=1e-6 * minute), ns(minute * 60_000))
        for part in (20_000, 40_000):
            ms = minute * 60_000 + part
            market.apply(said(ms, "mark", mark=100.0), ns(ms))
    slope_bp_h = 1e-6 * 1e4 * 60
    assert market.leg(PERP).funding.velocity_bp_h == pytest.approx(slope_bp_h, rel=0.01)


def test_intervals_come_by_http_for_listed_and_for_all_other_perpetuals(market):
    """Trap 16: Binance lists the exceptions only; the rest is 8 h."""
    other = "tiny:perp:XRP/USDT"
    market.leg(PERP)
    market.apply(FundingInfo("tiny", ((PERP, 4.0, 0.02),), 8.0), ns(0))
    clock = market.leg(PERP).funding
    assert (clock.interval_h, clock.cap) == (4.0, 0.02)
    assert market.leg(other).funding.interval_h == 8.0  # made after the page
    assert market.leg("else:perp:XRP").funding.interval_h == 0.0
    assert market.leg(LEG).funding.interval_h == 0.0
    market.apply(FundingInfo("tiny", (), 8.0), ns(1))  # no exception any more
    assert clock.interval_h == 8.0
    assert [(before, after) for _, before, after in clock.interval_changes] == [(4.0, 8.0)]
    market.apply(FundingInfo("tiny", (), 0.0), ns(2))
    assert clock.interval_h == 8.0  # nothing said, nothing changed


# --- the venue's own book of both legs -----------------------------------------------------------


def combo(ms, bid, ask):
    return ComboQuote(LEG, PERP, f"{WS}/combo:ADA", bid, 10.0, ask, 10.0, T0 + ms)


def test_a_combination_is_drawn_over_our_lines_and_the_difference_is_told(market):
    pair = market.pair(LEG, PERP)
    for ms in range(0, 1_000, 100):
        market.apply(top(ms), ns(ms))
        market.apply(top(ms, 100.9, 101.3, key=PERP, topic="top:PERP"), ns(ms))
        market.apply(combo(ms, 0.1, -0.2 if ms == 500 else 0.9), ns(ms))
        market.beat(ns(ms))
    assert pair.combo.bid_bp == pytest.approx(1e4 * 0.1 / 100.5)
    assert pair.combo.ask_bp == pytest.approx(1e4 * 0.9 / 100.5)
    assert pair.combo.age_ms == 0.0
    assert pair.series.last("combo_bid_bp") == pair.combo.bid_bp
    gap = pair.combo_gap
    assert (gap.open.count, gap.close.count) == (10, 10)
    assert gap.open.mean == pytest.approx(pair.now.open_bp - pair.combo.bid_bp)
    assert gap.close.most == pytest.approx(pair.now.close_bp - 1e4 * -0.2 / 100.5)


def test_a_combination_that_is_silent_or_lost_is_not_drawn(market):
    pair = market.pair(LEG, PERP)
    market.apply(combo(0, 0.1, math.nan), ns(0))
    for ms in (100, 30_000):
        market.apply(top(ms), ns(ms))
        market.apply(top(ms, 100.9, 101.3, key=PERP, topic="top:PERP"), ns(ms))
        market.beat(ns(ms))
        shown = ms == 100
        assert math.isnan(pair.series.last("combo_bid_bp")) != shown
        assert math.isnan(pair.series.last("combo_ask_bp"))
    assert pair.combo_gap.open.count == 1
    market.apply(combo(30_100, 0.1, 0.2), ns(30_100))
    market.beat(ns(30_100))
    assert pair.combo.age_ms == 0.0
    market.link(LinkChange(WS, "down", "cut"), ns(30_200))
    assert pair.combo.age_ms == math.inf


def test_a_combination_whose_codec_lost_an_update_is_gone_until_it_is_asked_anew(market):
    pair = market.pair(LEG, PERP)
    market.apply(top(0), ns(0))
    market.apply(combo(0, 0.1, 0.2), ns(0))
    market.beat(ns(0))
    assert pair.combo.bid_bp > 0
    market.bad(WS, "gap", ns(1), b'{"topic":["combo","ADA"]}')
    stream = market.streams[f"{WS}/combo:ADA"]
    assert (stream.state, pair.combo.age_ms) == ("resync", math.inf)
    ask(market, "combo:ADA", ms=2)
    market.apply(combo(3, 0.1, 0.2), ns(3))
    assert stream.state == "live"


def test_a_combination_of_a_pair_nobody_watches_is_a_sign_of_life_only(market):
    market.apply(combo(0, 0.1, 0.2), ns(0))
    assert market.streams[f"{WS}/combo:ADA"].state == "live"
    assert market.pairs == {}
