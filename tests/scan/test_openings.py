"""The scanner's openings, against sums done by hand."""

import math

import numpy as np
import pytest
from told_universe import HOUR_MS, T0, S, Told, key_of, settings

from basisdesk.config import Settings
from basisdesk.scan.openings import Scan
from basisdesk.scan.synthetic import synthetic_market
from basisdesk.scan.words import FRESH, MISSING, STALE


def test_a_gap_that_pays_for_itself():
    """20 bp against 1 bp, three payments in 24 h, at 5 bp a fill and spreads of 1 bp."""
    told = Told()
    short = told.perp("bybit", "SOL", 20.0)
    long = told.perp("binance", "SOL", 1.0)
    told.figures.median_8h_bp = {short: 12.0, long: 1.0}
    told.look()
    row = told.of(long, short)
    assert row.rate_8h_bp == pytest.approx(19.0)
    assert row.year_pct == pytest.approx(19.0 * 1095 / 100)
    assert row.mid_bp == pytest.approx(0.0)
    assert row.fair_bp == pytest.approx(0.0)  # 8 h of either rule rest at the same basis
    # bought at 100.005, sold at 99.995: entry and exit bases
    assert row.open_bp == pytest.approx(1e4 * (99.995 - 100.005) / 100.005)
    assert row.close_bp == pytest.approx(1e4 * (100.005 - 99.995) / 99.995)
    # two purchases at 100.005 and two sales at 99.995, 0.05 % of each, and four half spreads
    fees = 0.0005 * (2 * 100.005 + 2 * 99.995)
    cost = 1e4 * (fees + 4 * 0.005) / 100.005
    assert row.cost_bp == pytest.approx(cost)
    assert cost == pytest.approx(22.0, abs=0.01)
    # stamps at 1, 9 and 17 h: 20 now, then the median of 12 twice; the long leg pays 1 each time
    funding = (20 + 12 + 12 - 3 * 1) * 100 / 100.005
    assert row.net_bp == pytest.approx(funding - cost)
    assert row.net_bp == pytest.approx(19.0, abs=0.02)
    assert row.net_8h_bp == pytest.approx((funding - cost) / 3)
    # 19 after one payment, 19 + 11 = 30 > 22 after the second, at 9 h
    assert row.payments == 2
    assert row.days == pytest.approx(9 / 24)
    assert row.state == FRESH
    assert row.capacity == pytest.approx(1e8)
    assert not row.touch_only
    assert told.scan.strip.worth == 1


def test_spot_and_perp_that_only_look_good_before_costs():
    """6 bp per 8 h is 66 % a year, and less than half of what a day of it costs."""
    told = Told()
    spot = told.leg("bybit", "spot", "XRP")
    perp = told.perp("bybit", "XRP", 6.0)
    told.figures.median_8h_bp = {perp: 4.0}
    told.look()
    row = told.of(spot, perp)
    # fees 10 + 5 in and out, four half spreads of 0.5 bp
    cost = 1e4 * (0.001 * 200 + 0.0005 * 200 + 4 * 0.005) / 100.005
    funding = (6 + 4 + 4) * 100 / 100.005
    # at rest the perpetual stands r/n - 5 bp: 5 % a year is 0.4566 bp an interval
    assert row.fair_bp == pytest.approx(1e4 * 0.05 / 1095 - 5)
    assert row.to_fair_bp == pytest.approx(5 - 1e4 * 0.05 / 1095)
    # the basis has no half-life of its own here, so the 4.54 bp it may bring do not count
    assert row.net_bp == pytest.approx(funding - cost)
    assert row.net_bp == pytest.approx(-18.0, abs=0.02)
    # 6, then 4 each: 32 are paid back by 1 + 7 payments (6 + 26 = 6 + 6.5 * 4)
    assert row.payments == 8
    assert row.days == pytest.approx((1 + 7 * 8) / 24)
    assert told.scan.strip.worth == 0


def test_convergence_counts_in_full_against_us_and_by_its_half_life_for_us():
    told = Told()
    spot = told.leg("bybit", "spot", "XRP")
    perp = told.perp("bybit", "XRP", 0.0, mid=100.3)
    told.figures.median_8h_bp = {perp: 0.0}
    told.figures.basis_half_lives = {(spot, perp): 24.0, (perp, spot): 24.0}
    told.rested(spot, perp, -10.0)  # it came to rest beyond fair even
    told.look()
    row, back = told.of(spot, perp), told.of(perp, spot)
    to_fair = 30.0 - (1e4 * 0.05 / 1095 - 5)
    assert row.to_fair_bp == pytest.approx(to_fair)
    assert row.net_bp == pytest.approx(0.5 * to_fair - row.cost_bp)  # 24 h of a half-life of 24 h
    # the reverse: spot sold at 100 against a perpetual at 100.3, to fall to its fair +4.54
    fair = 5 - 1e4 * 0.05 / 1095
    assert back.fair_bp == pytest.approx(fair)
    assert back.to_fair_bp == pytest.approx(1e4 * (100 / 100.3 - 1) - fair)
    borrow = 1e4 * 24 * 0.000_001_502_122 * 100 / 99.995
    assert back.net_bp == pytest.approx(back.to_fair_bp - borrow - back.cost_bp)
    assert back.payments == math.inf


def test_convergence_that_pays_the_cost_alone_needs_no_payment():
    told = Told()
    spot = told.leg("bybit", "spot", "XRP")
    perp = told.perp("bybit", "XRP", 1.0, mid=101.0)
    told.figures.median_8h_bp = {perp: 1.0}
    told.figures.basis_half_lives = {(spot, perp): 1.0}
    told.rested(spot, perp, 0.0)
    told.look()
    row = told.of(spot, perp)
    assert (row.payments, row.days) == (0.0, 0.0)
    assert row.net_bp > 60


def test_a_basis_that_never_came_to_fair_is_not_expected_to():
    """It swings fast, but about 25 bp: of the 30 only 5 are expected to go."""
    told = Told()
    spot = told.leg("bybit", "spot", "XRP")
    perp = told.perp("bybit", "XRP", 0.0, mid=100.3)
    told.figures.median_8h_bp = {perp: 0.0}
    told.figures.basis_half_lives = dict.fromkeys(((spot, perp), (perp, spot)), 0.1)
    told.rested(spot, perp, 25.0)
    told.look()
    row, back = told.of(spot, perp), told.of(perp, spot)
    way = 1e4 * (math.log(1.0030) - math.log(1.0025))
    assert row.net_bp == pytest.approx(way - row.cost_bp, abs=0.02)  # minutes are of float32
    assert row.to_fair_bp > 30  # what is shown is the whole way
    # the reverse loses all of the way to fair, whatever the past says
    assert back.net_bp < back.to_fair_bp - back.cost_bp
    little = Told()
    spot, perp = little.leg("bybit", "spot", "XRP"), little.perp("bybit", "XRP", 0.0, mid=100.3)
    little.figures.basis_half_lives = {(spot, perp): 0.1}
    little.rested(spot, perp, -10.0, minutes=700)
    little.look()
    row = little.of(spot, perp)
    assert row.net_bp == pytest.approx(-row.cost_bp)


def test_without_depth_nothing_is_worth_whatever_the_gap():
    """A gap of 99 bp per 8 h; the short leg's book ends after 10 coins of the 100 asked."""
    told = Told()
    short = told.perp("bybit", "WIF", 100.0, size=10.0)
    long = told.perp("binance", "WIF", 1.0)
    told.figures.median_8h_bp = {short: 90.0, long: 1.0}
    told.look()
    row = told.of(long, short)
    assert math.isnan(row.open_bp)
    assert math.isnan(row.close_bp)
    assert math.isnan(row.cost_bp)
    assert math.isnan(row.net_bp)
    assert math.isnan(row.payments)
    assert row.capacity == pytest.approx(1_000.0)
    assert row.state == FRESH
    strip = told.scan.strip
    assert (strip.over_gap, strip.worth, strip.fail_depth, strip.fail_cost) == (1, 0, 1, 0)
    told.scan.size = 900.0  # nine coins do fit
    told.look()
    assert told.of(long, short).net_bp > 200
    assert told.scan.strip.worth == 1


def test_depth_is_walked_and_the_touch_is_not_the_price():
    """50 coins at 100.005, 50 more at 100.105: a hundred cost 100.055 on average."""
    told = Told()
    short = told.perp("bybit", "SOL", 20.0)
    long = told.perp("binance", "SOL", 1.0)
    bids = [(99.995, 1e6)]
    told.book(long, bids, [(100.005, 50.0), (100.105, 1e6)])
    told.scan.size = 10_000.0  # a hundred coins at the median mid of 100
    told.look()
    row = told.of(long, short)
    assert row.open_bp == pytest.approx(1e4 * (99.995 / 100.055 - 1))
    assert row.capacity == pytest.approx(5_000.0)  # 10.5 bp from mid is beyond the 5 bp a leg
    assert told.scan.strip.worth == 0


def test_levels_of_a_polled_book_move_with_the_touch():
    """The pages say that the price rose by 1 % since the depth page: the depth rose with it."""
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    told.book(long, [(99.995, 1e6)], [(100.005, 50.0), (100.105, 1e6)])
    told.now += 5 * S
    told.touch(long, 101 * 0.99995, 101 * 1.00005)
    told.touch(short, 101 * 0.99995, 101 * 1.00005)
    told.scan.size = 10_100.0
    told.look()
    row = told.of(long, short)
    assert row.open_bp == pytest.approx(1e4 * (99.995 / 100.055 - 1))
    assert row.age_s == 0.0


def test_where_only_the_touch_is_known_it_carries_what_stands_there():
    told = Told()
    short = told.fund(told.touch(key_of("bybit", "perp", "SOL"), 99.995, 100.005, 200.0), 20.0)
    long = told.fund(told.touch(key_of("binance", "perp", "SOL"), 99.995, 100.005, 150.0), 1.0)
    told.look()
    row = told.of(long, short)
    assert row.touch_only
    assert row.capacity == pytest.approx(15_000.0)
    assert row.net_bp == pytest.approx(told.of(long, short).net_bp)
    told.scan.size = 16_000.0
    told.look()
    assert math.isnan(told.of(long, short).net_bp)
    assert told.scan.deepen == (long, short)  # best at the touch: their depth is worth asking for
    told.touch(long, 99.995, 100.005, math.nan)
    told.look()
    assert math.isnan(told.of(long, short).capacity)  # the size is not said: not known, not zero
    assert math.isnan(told.of(long, short).open_bp)


def test_hourly_against_eight_hours_is_counted_by_its_stamps():
    """2 bp an hour beats 10 bp per 8 h; the raw rates say the contrary."""
    told = Told()
    hourly = told.perp("bybit", "SOL", 2.0, hours=1.0, left_h=0.5)
    slow = told.perp("okx", "SOL", 10.0, left_h=4.0)
    told.figures.median_8h_bp = {hourly: 16.0, slow: 10.0}
    told.look()
    row = told.of(slow, hourly)
    assert row.rate_8h_bp == pytest.approx(6.0)
    # 24 stamps at 0.5 ... 23.5 h of 2 bp; three at 4, 12 and 20 h of 10 bp
    funding = (24 * 2 - 3 * 10) * 100 / 100.005
    assert row.net_bp == pytest.approx(
        row.to_fair_bp * (row.to_fair_bp < 0) + funding - row.cost_bp
    )
    assert told.of(hourly, slow).rate_8h_bp == pytest.approx(-6.0)


def test_without_a_past_gains_count_once_and_costs_at_every_stamp():
    """A long leg that pays 2 bp an hour is not weighed against one payment of 10."""
    told = Told()
    hourly = told.perp("bybit", "SOL", 2.0, hours=1.0, left_h=0.5)
    slow = told.perp("okx", "SOL", 10.0, left_h=4.0)
    told.look()
    row = told.of(hourly, slow)
    counted = (10 - 24 * 2) * 100 / 100.005
    drift = min(0.0, row.to_fair_bp)
    assert row.net_bp == pytest.approx(drift + counted - row.cost_bp)


def test_the_half_life_carries_the_indicative_rate_on():
    """A half-life of 8 h: 20, then halfway from 20 to 12, then a quarter of the way left."""
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    told.figures.median_8h_bp = {short: 12.0, long: 1.0}
    told.figures.half_lives = {(long, short): 8.0}
    told.look()
    row = told.of(long, short)
    assert row.net_bp == pytest.approx((20 + 16 + 14 - 3) * 100 / 100.005 - row.cost_bp)


def test_a_payment_that_comes_after_the_hold_is_not_counted():
    def net(left_h):
        told = Told(settings(hold_h=8.0))
        short = told.perp("bybit", "SOL", 20.0, left_h=left_h)
        long = told.perp("binance", "SOL", 1.0)
        told.figures.median_8h_bp = {short: 12.0, long: 1.0}
        told.look()
        row = told.of(long, short)
        return row.net_bp + row.cost_bp

    assert net(8.0) == pytest.approx((20 - 1) * 100 / 100.005)  # paid at the very end: s <= exit
    assert net(8.0 + 1 / 60) == pytest.approx(-1 * 100 / 100.005)


def test_the_cap_bounds_what_the_past_would_pay():
    told = Told()
    short, long = told.perp("bybit", "SOL", 10.0), told.perp("binance", "SOL", 0.0)
    told.figures.median_8h_bp = {short: 80.0, long: 0.0}
    clock = told.market.universe.legs[short].funding
    clock.cap = 0.003
    told.look()
    row = told.of(long, short)
    assert row.net_bp == pytest.approx((10 + 30 + 30) * 100 / 100.005 - row.cost_bp)


def test_kraken_is_paid_by_the_time_held_and_in_dollars():
    """1 bp an hour for 24 h; a dollar is worth 1 / 0.9997 at the middle of its rate."""
    told = Told()
    told.touch("kraken:spot:USDT/USD", 0.9996, 0.9998)
    kraken = told.perp("kraken", "SOL", 1.0, hours=1.0, left_h=0.25, mid=99.97)
    long = told.perp("binance", "SOL", 0.0)
    told.figures.median_8h_bp = {kraken: 8.0, long: 0.0}
    told.look()
    row = told.of(long, kraken)
    dollar = (1 / 0.9996 + 1 / 0.9998) / 2  # of its two sides, as the desk says it
    dollar = round(1 / 0.9997, 8) if abs(dollar - 1 / 0.9997) < 5e-9 else round(dollar, 8)
    assert row.mid_bp == pytest.approx(1e4 * (99.97 * dollar / 100 - 1), abs=1e-3)
    funding = 24 * 1.0 * 99.97 * dollar / 100.005
    # Kraken rests at r / 365, Binance at 5 % a year over 1,095 less the clamp
    assert row.fair_bp == pytest.approx(1e4 * 0.05 / 365 - (1e4 * 0.05 / 1095 - 5))
    assert row.net_bp == pytest.approx(row.to_fair_bp + funding - row.cost_bp, abs=1e-3)
    assert row.rate_8h_bp == pytest.approx(8.0)


def test_without_a_cross_rate_there_is_no_price_and_no_zero():
    told = Told()
    kraken = told.perp("kraken", "SOL", 1.0, hours=1.0)
    long = told.perp("binance", "SOL", 0.0)
    told.look()
    row = told.of(long, kraken)
    assert row.state == MISSING
    for name in ("mid_bp", "open_bp", "cost_bp", "net_bp", "capacity", "payments"):
        assert math.isnan(getattr(row, name)), name
    assert row.rate_8h_bp == pytest.approx(8.0)  # rates need no price


def test_ranked_as_they_should_be():
    """All four at once: what is left decides, not the rate."""
    told = Told()
    told.figures.median_8h_bp = good = {}
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    good |= {short: 12.0, long: 1.0}
    spot, perp = told.leg("bybit", "spot", "XRP"), told.perp("bybit", "XRP", 6.0)
    good |= {perp: 4.0}
    thin, wide = told.perp("bybit", "WIF", 100.0, size=10.0), told.perp("binance", "WIF", 1.0)
    good |= {thin: 90.0, wide: 1.0}
    slow, hourly = told.perp("binance", "ADA", 7.0), told.perp("bybit", "ADA", 1.0, hours=1.0)
    good |= {slow: 7.0, hourly: 8.0}
    openings = told.look()
    order = np.argsort(-openings.net_bp)  # what is not known comes last
    ranked = [openings.combos[at][2:] for at in order]
    assert ranked[0] == (long, short)
    known = ranked[: np.count_nonzero(np.isfinite(openings.net_bp))]
    assert (wide, thin) not in known
    # 24 x 1 received and 3 x 7 paid leave 3 of 22: less than the 14 of 32 that spot leaves
    assert told.of(slow, hourly).net_bp == pytest.approx(-19.0, abs=0.02)
    assert known.index((spot, perp)) == 1
    assert known.index((slow, hourly)) == 2
    assert told.of(slow, hourly).net_bp > told.of(hourly, slow).net_bp  # the raw rates mislead
    assert told.scan.strip.worth == 1
    assert told.scan.strip.fail_depth == 1


def test_age_makes_stale_and_stale_is_never_worth():
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    told.figures.median_8h_bp = {short: 12.0, long: 1.0}
    told.now += 15 * S  # three rounds of 5 s, and not more
    told.touch(short, 99.995, 100.005)
    told.look()
    row = told.of(long, short)
    assert (row.age_s, row.state) == (15.0, FRESH)
    assert told.scan.strip.worth == 1
    told.now += S
    told.look()
    row = told.of(long, short)
    assert (row.age_s, row.state) == (16.0, STALE)
    assert row.net_bp > 18  # the figures stay
    assert told.scan.strip.worth == 0
    assert told.scan.triggers == ()
    told.now += 60 * S  # the depth pages are not counted any more either
    told.look()
    assert told.of(long, short).touch_only


def test_a_rate_that_nobody_renews_is_stale():
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0), told.perp("binance", "SOL", 1.0)
    told.now += 601 * S
    for key in (short, long):
        told.touch(key, 99.995, 100.005)
    told.fund(long, 1.0)
    told.look()
    assert told.of(long, short).state == STALE


def test_flags_are_of_the_direction():
    told = Told()
    spot, perp = told.leg("bybit", "spot", "SOL"), told.perp("bybit", "SOL", 20.0)
    other = told.perp("binance", "SOL", 1.0)
    cold = told.perp("bybit", "XRP", -20.0)
    less = told.perp("binance", "XRP", -1.0)
    told.figures.median_8h_bp = {perp: 12.0, other: 1.0}
    asked = []

    def flag(coin, direction):
        asked.append((coin, direction))
        return {1: "confirmed", -1: "contradicted", 0: "neutral"}[direction]

    told.look(flag)
    assert sorted(asked) == [(coin, way) for coin in ("SOL", "XRP") for way in (-1, 0, 1)]
    assert told.of(spot, perp).flags == "confirmed"
    assert told.of(perp, spot).flags == "contradicted"
    assert told.of(other, perp).flags == "confirmed"  # the larger rate is the short leg's
    assert told.of(perp, other).flags == "contradicted"
    assert told.of(cold, less).flags == "contradicted"  # it is the long leg's
    # 20 + 12 + 12 pay for spot and perp too, but both short the same perpetual
    assert (told.scan.strip.worth_rows, told.scan.strip.worth) == (2, 1)
    told.fund(other, 20.0)
    told.look(flag)
    assert told.of(other, perp).flags == "neutral"
    told.fund(other, 1.0)
    told.look(lambda coin, direction: "contradicted")
    assert told.scan.strip.worth == 0


def test_next_stamp_velocity_open_interest_and_settled():
    told = Told()
    short, long = told.perp("bybit", "SOL", 20.0, left_h=2.0), told.perp("binance", "SOL", 1.0)
    told.touch(short, 99.995, 100.005, open_interest=500.0)
    told.touch(long, 99.995, 100.005, open_interest=300.0)
    past = told.market.universe.past
    past.settle(short, T0 // 10**6 - 8 * HOUR_MS, 0.0010)
    past.settle(short, T0 // 10**6, 0.0012)
    past.settle(long, T0 // 10**6 - 1 * HOUR_MS, 0.0001)
    past.settle(long, T0 // 10**6, 0.0001)  # it paid each hour then
    told.look()
    row = told.of(long, short)
    assert row.next_short_ms == T0 // 10**6 + 2 * HOUR_MS
    assert row.open_interest == pytest.approx(30_000.0)
    assert (row.settled_short, row.settled_long) == (0.0012, 0.0001)
    assert row.settled_8h_bp == pytest.approx(12.0 - 8 * 1.0)
    spot = told.leg("okx", "spot", "SOL")
    unsettled = told.perp("okx", "SOL", 3.0)
    told.look()
    assert told.of(spot, short).settled_8h_bp == pytest.approx(12.0)  # a spot leg settles nothing
    assert told.of(long, spot).settled_8h_bp == pytest.approx(-8.0)
    assert math.isnan(told.of(spot, short).settled_long)
    assert math.isnan(told.of(spot, unsettled).settled_8h_bp)  # not known is not nothing
    assert row.interval_short_h == 8.0
    # a straight climb of 4 bp in half an hour, which is the memory: 1 - 1/e of the slope is seen
    told.now += 1_800 * S
    told.fund(short, 24.0, left_h=1.5)
    told.fund(long, 1.0, left_h=0.5)
    told.look()
    held = 1 - math.exp(-1)
    slope = 4.0 * held / 0.5  # bp per interval an hour, by the mean of a straight climb
    phase = 1 - 1.5 / 8
    velocity = told.of(long, short).velocity_bp_h
    assert velocity == pytest.approx(slope * math.sqrt(phase))


def test_the_net_is_the_sum_of_its_parts_to_the_last_digit():
    told = Told()
    spot, perp = told.leg("bybit", "spot", "SOL"), told.perp("bybit", "SOL", 20.0, mid=100.3)
    other = told.perp("binance", "SOL", 1.0)
    told.figures.median_8h_bp = {perp: 12.0, other: 1.0}
    told.figures.basis_half_lives = dict.fromkeys(((spot, perp), (other, perp)), 24.0)
    told.rested(spot, perp, 0.0)
    o = told.look()
    assert np.isfinite(o.net_bp).all()
    assert (o.net_bp == o.gain_bp + o.funding_bp - o.borrow_bp - o.cost_bp).all()
    row, back = told.of(spot, perp), told.of(perp, spot)
    assert row.gain_bp == pytest.approx(15.0, abs=0.1)  # half of 30, in one half-life
    assert row.funding_bp == pytest.approx(44.0 * 100.3 / 100.005)
    assert row.borrow_bp == 0.0
    assert back.gain_bp == back.to_fair_bp < 0.0
    assert back.borrow_bp == pytest.approx(1e4 * 24 * 0.000_001_502_122 * 100 / 99.995)
    told.market.universe.legs[spot].bid = math.nan
    told.look()
    row, back = told.of(spot, perp), told.of(perp, spot)
    assert row.borrow_bp == 0.0  # nothing is borrowed, whatever it costs
    assert math.isnan(back.borrow_bp)
    assert math.isnan(row.gain_bp)


def test_the_default_size_is_one_that_the_default_account_can_open():
    conf = Settings()
    assert conf.scanner.size == 5_000.0
    assert conf.scanner.size < conf.account.start * (1.0 - conf.risk.reserve)


def test_an_edition_rebuilds_the_combinations():
    told = Told()
    told.perp("bybit", "SOL", 20.0)
    assert len(told.look()) == 0
    told.perp("binance", "SOL", 1.0)
    assert len(told.look()) == 2
    told.leg("bybit", "spot", "SOL")
    assert len(told.look()) == 2 + 2 + 2
    without = Told(settings(short_spot=False))
    without.perp("bybit", "SOL", 20.0)
    without.leg("bybit", "spot", "SOL")
    assert [combo.kind for combo in without.look().combos] == ["spot-perp"]


def test_nothing_at_all_is_no_fault():
    told = Told()
    openings = told.look()
    assert len(openings) == 0
    assert told.scan.triggers == told.scan.deepen == ()
    assert math.isnan(told.scan.strip.market_8h_bp)


def test_the_whole_default_universe_is_2640_combinations():
    conf = Settings()
    market = synthetic_market(conf, T0)
    scan = Scan(conf)
    scan.refresh(market, T0)
    assert len(market.universe.legs) == 480
    assert market.universe.odd == {}
    assert len(scan.openings) == 2_640
    assert np.isfinite(scan.openings.net_bp).all()
    assert scan.openings.state.tolist() == [FRESH] * 2_640
