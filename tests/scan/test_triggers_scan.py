"""Gaps that cross their lines, raw and by true intervals, and the strip over the scanner."""

import math

import numpy as np
import pytest
from told_universe import T0, S, Told, key_of, settings

from basisdesk.scan.triggers import band_of, crossed_of


def gaps(told):
    told.look()
    return [each for each in told.scan.triggers if each.kind == "gap"]


def test_a_raw_gap_that_is_none_says_raw_only():
    """7 bp per 8 h against 1 bp an hour: 6 bp apart as told, 1 bp the other way in truth."""
    told = Told()
    slow, hourly = told.perp("binance", "ADA", 7.0), told.perp("bybit", "ADA", 1.0, hours=1.0)
    (one,) = gaps(told)
    assert (one.coin, one.long, one.short) == ("ADA", slow, hourly)  # this way round it receives
    assert one.raw_bp == pytest.approx(-6.0)
    assert one.norm_bp == pytest.approx(1.0)
    assert (one.crossed, one.line_bp, one.band) == ("raw", 6.0, "below")
    strip = told.scan.strip
    assert (strip.over_gap, strip.raw_only, strip.fail_cost, strip.fail_depth) == (0, 1, 0, 0)
    assert told.scan.openings.gap_line_bp == 6.0
    told.perp("okx", "ADA", 20.0)  # now the coin has a true one as well
    assert len(gaps(told)) > 1
    assert (told.scan.strip.over_gap, told.scan.strip.raw_only) == (1, 0)


def test_a_true_gap_that_is_not_seen_raw_says_8h_only():
    """1 bp an hour is 8 bp per 8 h, 7 more than the 1 bp per 8 h it looks like."""
    told = Told()
    slow, hourly = told.perp("okx", "DOGE", 1.0), told.perp("bybit", "DOGE", 1.0, hours=1.0)
    (one,) = gaps(told)
    assert (one.long, one.short) == (slow, hourly)
    assert one.raw_bp == pytest.approx(0.0)
    assert one.norm_bp == pytest.approx(7.0)
    assert (one.crossed, one.band) == ("8h", "normal")
    assert (told.scan.strip.over_gap, told.scan.strip.raw_only) == (1, 0)


def test_the_line_itself_is_crossed():
    told = Told()
    told.perp("binance", "SOL", 2.0)
    told.perp("bybit", "SOL", 8.0)
    told.perp("okx", "SOL", 7.9)
    (one,) = gaps(told)
    assert (one.crossed, one.short) == ("both", key_of("bybit", "perp", "SOL"))
    other = Told(settings(gap_trigger=0.0007))
    other.perp("binance", "SOL", 2.0)
    other.perp("bybit", "SOL", 8.0)
    assert gaps(other) == []


def test_the_widest_comes_first_and_the_strip_counts_coins():
    told = Told()
    for coin, rate in (("SOL", 9.0), ("XRP", 30.0)):
        told.perp("binance", coin, 1.0)
        told.perp("bybit", coin, rate)
        told.perp("okx", coin, rate + 1.0)
    found = gaps(told)
    assert [round(each.norm_bp) for each in found] == [30, 29, 9, 8]
    strip = told.scan.strip
    # no past: 10 once less 3 x 1 do not pay 22 bp of cost, 31 and 30 once do
    # and both of these buy the same perpetual of Binance
    assert (strip.over_gap, strip.worth, strip.fail_cost, strip.fail_depth) == (2, 1, 1, 0)
    assert strip.worth_rows == 2


def test_fails_name_what_failed():
    told = Told()
    told.perp("binance", "SOL", 1.0)
    told.perp("bybit", "SOL", 9.0)  # costs
    told.perp("binance", "WIF", 1.0)
    told.perp("bybit", "WIF", 50.0, size=3.0)  # depth
    told.perp("binance", "XRP", 1.0)
    told.perp("bybit", "XRP", 50.0, spread_bp=30.0)  # nothing within 5 bp of its mid
    told.look()
    strip = told.scan.strip
    assert (strip.over_gap, strip.fail_cost, strip.fail_depth, strip.worth) == (3, 1, 2, 0)
    assert (strip.coins, strip.venues, strip.combos) == (3, 2, 6)


def test_bands():
    scanner = settings().scanner
    bands = [band_of(bp, scanner) for bp in (0.0, 2.9, 3.0, -3.0, 8.0, 8.1, 14.9, 15.0, 400.0)]
    assert bands == ["below"] * 2 + ["normal"] * 3 + ["above"] * 2 + ["wide"] * 2
    assert band_of(math.nan, scanner) == ""
    assert crossed_of(math.nan, math.nan, 6.0) == ""
    assert crossed_of(-6.5, math.nan, 6.0) == "raw"
    assert (0.0007 - 0.0001) * 1e4 != 6.0  # what the edge is for
    assert crossed_of((0.0007 - 0.0001) * 1e4, 0.0, 6.0) == "raw"


def test_btc_against_eth_on_each_venue_by_true_intervals():
    told = Told()
    told.perp("binance", "BTC", 6.0)
    told.perp("binance", "ETH", 2.0)
    btc = told.perp("bybit", "BTC", 1.0)
    eth = told.perp("bybit", "ETH", 1.0, hours=1.0)
    told.perp("okx", "BTC", 50.0)  # no ETH there
    told.look()
    (one,) = [each for each in told.scan.triggers if each.kind == "btc-eth"]
    assert (one.coin, one.long, one.short) == ("ETH", btc, eth)
    assert one.raw_bp == pytest.approx(0.0)
    assert one.norm_bp == pytest.approx(7.0)
    assert (one.line_bp, one.crossed) == (5.0, "8h")
    assert told.scan.strip.btc_eth_bp == pytest.approx(4.0)  # where the signal is read
    assert told.scan.strip.btc_eth_on == "binance"


def test_btc_against_eth_elsewhere_is_the_middle_of_the_venues():
    told = Told(settings(read_on="kraken"))
    for venue, gap in (("binance", 1.0), ("bybit", 2.0), ("okx", 9.0)):
        told.perp(venue, "BTC", 1.0 + gap)
        told.perp(venue, "ETH", 1.0)
    told.look()
    assert told.scan.strip.btc_eth_bp == pytest.approx(2.0)
    assert told.scan.strip.btc_eth_on == ""


def test_stale_and_odd_legs_cross_no_line():
    told = Told()
    told.perp("binance", "SOL", 1.0)
    short = told.perp("bybit", "SOL", 90.0)
    assert len(gaps(told)) == 1
    told.now += 16 * S
    told.touch(short, 99.995, 100.005)
    assert gaps(told) == []
    told.touch(key_of("binance", "perp", "SOL"), 99.995, 100.005)
    assert len(gaps(told)) == 1
    told.touch(short, 199.0, 199.1)  # a coin of the same name
    assert gaps(told) == []
    assert "another coin" in told.market.universe.odd[short]


def test_the_next_settlement_and_who_settles_then():
    told = Told()
    told.perp("binance", "SOL", 1.0, left_h=2.0)
    told.perp("bybit", "SOL", 1.0, left_h=1.0)
    told.perp("bybit", "XRP", 1.0, left_h=1.0)
    told.perp("okx", "XRP", 1.0, hours=1.0, left_h=1.0)
    told.look()
    assert told.scan.strip.next_ms == T0 // 10**6 + 3_600_000
    assert told.scan.strip.next_counts == (("bybit", 2), ("okx", 1))
    told.now += 3_600 * S
    told.look()
    assert told.scan.strip.next_ms == T0 // 10**6 + 2 * 3_600_000
    assert told.scan.strip.next_counts == (("binance", 1),)


def test_the_market_and_its_place_in_the_past():
    told = Told()
    for place, venue in enumerate(("binance", "bybit", "okx")):
        told.perp(venue, "SOL", 1.0 + place)
    told.scan.market_levels = np.array([math.nan, *np.arange(10.0)])
    told.look()
    assert told.scan.strip.market_8h_bp == pytest.approx(2.0)
    assert told.scan.strip.market_percentile == pytest.approx(0.25)  # two below, one the same
    assert told.scan.strip.market_days == pytest.approx(10 * 8 / 24)
    told.scan.market_levels = np.array([math.nan])
    told.look()
    assert math.isnan(told.scan.strip.market_days)
