import math
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.config import Fees, Risk, Settings
from basisdesk.events import Candles, FundingHistory, Ticker
from basisdesk.market.basis import COLUMNS, OUTAGES_MAX, PairMarket
from basisdesk.market.fair import fair_band_bp, fair_basis_bp
from basisdesk.market.funding import FundingClock
from basisdesk.market.stats import EwStats
from basisdesk.venues.instrument import FundingRule

SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
T0 = 1_700_006_400  # s
NS = 1_000_000_000


class FakeBook:
    """Levels best first; `vwap` as the real book gives it."""

    def __init__(self, bids, asks):
        self.bids, self.asks, self.valid = bids, asks, True

    def vwap(self, side, qty):
        left, paid = qty, 0.0
        for price, size in self.asks if side == "buy" else self.bids:
            take = min(left, size)
            paid, left = paid + take * price, left - take
        filled = qty - left
        return (paid / filled if filled else math.nan), filled


class FakeLeg:
    """What a pair reads of a leg: a quote with its age, a book, rules, funding."""

    def __init__(self, key, bids, asks, tick="0.0001"):
        self.key, self.book, self.funding = key, FakeBook(bids, asks), FundingClock(8.0)
        self.instrument = SimpleNamespace(
            tick=Decimal(tick), funding_interval_h=Decimal(8), quote="USDT", funding=FundingRule()
        )
        (self.bid, self.bid_size), (self.ask, self.ask_size) = bids[0], asks[0]
        self.heard_ns, self.doubt, self.dropped = T0 * NS, None, False

    @property
    def mid(self):
        return (self.bid + self.ask) / 2

    def age_ms(self, now_ns):
        return (now_ns - self.heard_ns) / 1e6 if self.heard_ns else math.inf

    def quote(self, now_ns, bid, ask):
        self.bid, self.ask, self.heard_ns = bid, ask, now_ns
        self.book.bids, self.book.asks = [(bid, 1e6)], [(ask, 1e6)]

    def lose(self):
        self.bid = self.ask = math.nan
        self.heard_ns = 0
        self.book.valid = False


@pytest.fixture
def pair():
    """Spot 0.3639/0.3640, perp 0.3665/0.3666, two levels a side."""
    spot = FakeLeg(SPOT, [(0.3639, 6e3), (0.3638, 6e3)], [(0.3640, 6e3), (0.3641, 6e3)])
    perp = FakeLeg(PERP, [(0.3665, 6e3), (0.3664, 6e3)], [(0.3666, 6e3), (0.3667, 6e3)])
    return PairMarket(spot, perp, Settings(), capacity=20_000)


def live(pair, seconds, start_s=T0, every_ms=100, mids=lambda i: (0.36, 0.3602)):
    """Quotes and beats for so long; gives the time after them, ns."""
    now_ns = start_s * NS
    for i in range(round(seconds * 1000 / every_ms)):
        for leg, mid in zip((pair.spot, pair.perp), mids(i), strict=True):
            leg.quote(now_ns, mid - 0.00005, mid + 0.00005)
            leg.book.valid = True
        pair.beat(now_ns)
        now_ns += every_ms * 1_000_000
    return now_ns


def curve(pair, column):
    return pair.series.window(-math.inf, math.inf)[1][column]


# --- fair value ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate_pct", "ordinary", "without_interest"),
    [
        (3, -4.73, 5.27),
        (5, -4.54, 5.46),
        (8, -4.27, 5.73),
        (10, -4.09, 5.91),
        (12, 6.10, 6.10),
        (15, 6.37, 6.37),
        (20, 6.83, 6.83),
    ],
)
def test_fair_basis_reproduces_the_table_of_quant_1_1(rate_pct, ordinary, without_interest):
    rate = rate_pct / 100
    assert fair_basis_bp(rate, 8.0) == pytest.approx(ordinary, abs=0.005)
    assert fair_basis_bp(rate, 8.0, 0.0) == pytest.approx(without_interest, abs=0.005)


def test_fair_basis_is_not_zero_at_ordinary_money_rates():
    """B1's cousin: an exit at zero would wait for ever (quant.md 0.4)."""
    assert fair_basis_bp(0.05, 8.0) < -4.0


@given(
    st.floats(0, 1),
    st.sampled_from([1.0, 2.0, 4.0, 8.0]),
    st.sampled_from([0.0, 1.0]),
    st.floats(-50, 50),
)
def test_at_the_fair_basis_funding_pays_exactly_for_the_money(rate, interval_h, i8, near):
    fair = fair_basis_bp(rate, interval_h, i8, near_bp=near)
    interest = i8 * interval_h / 8
    received = fair + min(max(interest - fair, -5.0), 5.0)
    assert received == pytest.approx(1e4 * rate * interval_h / 8_760, abs=1e-6)


def test_where_money_costs_the_interest_term_fair_is_a_band_and_the_nearest_edge_counts():
    rate = 0.1095  # 1 bp in 8 h
    assert fair_band_bp(rate, 8.0) == pytest.approx((-4.0, 6.0))
    assert fair_basis_bp(rate, 8.0, near_bp=-9.0) == pytest.approx(-4.0)
    assert fair_basis_bp(rate, 8.0, near_bp=40.0) == pytest.approx(6.0)
    assert fair_basis_bp(rate, 8.0, near_bp=2.5) == 2.5, "inside the band nothing pulls"
    assert fair_basis_bp(rate, 8.0) == pytest.approx(1.0)


def test_the_interest_term_is_a_share_of_the_interval():
    # at 1 h both i and the cost of money are an eighth; g stays 5 bp an interval
    assert fair_basis_bp(0.05, 1.0) == pytest.approx(-5 + 1e4 * 0.05 / 8_760)
    assert fair_basis_bp(0.12, 1.0) == pytest.approx(5 + 1e4 * 0.12 / 8_760)


@pytest.mark.parametrize("interval_h", [0.0, -8.0, math.nan])
def test_without_an_interval_there_is_no_fair_basis(interval_h):
    assert math.isnan(fair_basis_bp(0.05, interval_h))


def test_a_pair_takes_the_interval_from_the_ticker_and_else_from_the_instrument(pair):
    pair.perp.funding.interval_h = 0.0
    assert pair.fair_bp() == pytest.approx(-4.54, abs=0.005)
    pair.perp.funding.interval_h = 1.0
    assert pair.fair_bp() == pytest.approx(-5 + 1e4 * 0.05 / 8_760)


def test_between_two_perpetuals_fair_is_the_difference(pair):
    pair.spot.key = "okx:perp:ADA-USDT-SWAP"
    assert pair.fair_bp() == pytest.approx(0.0)


# --- time-weighted statistics --------------------------------------------------------------------

rhythm = st.lists(st.tuples(st.floats(0.01, 50.0), st.floats(-100, 100)), min_size=1, max_size=40)


@given(rhythm, st.floats(1.0, 200.0))
def test_mean_and_deviation_are_those_of_the_exponential_time_weights(steps, tau_s):
    stats, t, times = EwStats(tau_s), 0.0, []
    stats.update(0.0, 12.0)
    for dt, value in steps:
        t += min(dt, 3 * tau_s)
        times.append((t, min(dt, 3 * tau_s), value))
        stats.update(t, value)
    weights = [(1 - math.exp(-dt / tau_s)) * math.exp(-(t - at) / tau_s) for at, dt, _ in times]
    values = [value for _, _, value in times]
    mean = np.average(values, weights=weights)
    assert stats.mean == pytest.approx(mean, rel=1e-9, abs=1e-9)
    sd = math.sqrt(np.average((np.array(values) - mean) ** 2, weights=weights))
    assert stats.sd == pytest.approx(sd, rel=1e-6, abs=1e-5)
    assert stats.weight == pytest.approx(sum(weights))


def test_once_warm_the_step_is_the_one_of_quant_2_18():
    stats = EwStats(60.0)
    for i in range(10_000):
        stats.update(float(i), math.sin(i))
    m, v = stats.mean, stats.sd**2
    stats.update(10_002.5, 9.0)
    a = 1 - math.exp(-3.5 / 60)
    d = 9.0 - m
    assert stats.mean == pytest.approx(m + a * d)
    assert stats.sd**2 == pytest.approx((1 - a) * (v + a * d * d))


def test_repaints_and_repeats_do_not_change_the_mean():
    """B7: time weighs, not the number of looks."""
    once, often = EwStats(300.0), EwStats(300.0)
    for i in range(600):
        once.update(float(i), float(i % 20 < 10))
        for k in range(20):
            often.update(i - 1 + (k + 1) / 20, float(i % 20 < 10))
    assert often.mean == pytest.approx(once.mean, abs=1e-3)
    assert often.sd == pytest.approx(once.sd, abs=1e-3)
    often.update(599.0, 1e9)
    assert often.mean < 1.0, "a value without time weighs nothing"


def test_after_a_gap_the_step_is_that_of_three_time_constants():
    stats = EwStats(10.0)
    for i in range(200):
        stats.update(float(i), 0.0)
    stats.update(1e9, 1.0)
    assert stats.mean == pytest.approx(1 - math.exp(-3))


def test_the_memory_is_warm_after_three_time_constants():
    stats = EwStats(100.0)
    for t in range(299):
        stats.update(float(t), 1.0)
        assert not stats.warm
    stats.update(300.0, 1.0)
    assert stats.warm


def test_a_missing_value_leaves_the_statistics_alone():
    stats = EwStats(10.0)
    assert math.isnan(stats.mean)
    assert math.isnan(stats.sd)
    assert math.isnan(stats.z(1.0, 0.3))
    stats.update(0.0, 5.0)
    stats.update(1.0, math.nan)
    stats.update(2.0, math.inf)
    assert stats.mean == 5.0
    assert stats.weight == 0.0


# --- executable basis ----------------------------------------------------------------------------


def test_open_and_close_are_executable_at_the_tickets_size(pair):
    pair.qty = 10_000
    pair.beat(T0 * NS)
    ask = (6_000 * 0.3640 + 4_000 * 0.3641) / 10_000
    bid = (6_000 * 0.3665 + 4_000 * 0.3664) / 10_000
    assert pair.now.open_bp == pytest.approx(1e4 * (bid - ask) / ask)
    spot_bid = (6_000 * 0.3639 + 4_000 * 0.3638) / 10_000
    perp_ask = (6_000 * 0.3666 + 4_000 * 0.3667) / 10_000
    assert pair.now.close_bp == pytest.approx(1e4 * (perp_ask - spot_bid) / spot_bid)
    assert pair.now.open_bp < pair.now.mid_bp < pair.now.close_bp
    assert pair.now.mid_bp == pytest.approx(1e4 * (0.36655 - 0.36395) / 0.36395)


def test_the_reverse_pair_enters_on_the_close_line_and_leaves_on_the_open_line(pair):
    entry, leave = pair.exec_bp(+1, 10_000)
    assert pair.exec_bp(-1, 10_000) == (leave, entry)


def test_where_depth_is_short_there_is_no_number_but_the_fillable_size(pair):
    pair.qty = 20_000
    pair.perp.book.bids = [(0.3665, 6e3), (0.3664, 3e3)]
    pair.beat(T0 * NS)
    assert math.isnan(pair.now.open_bp)
    assert math.isnan(pair.now.close_bp)
    assert math.isnan(pair.now.round_trip_bp)
    assert (pair.now.fillable_open, pair.now.fillable_close) == (9_000, 12_000)
    assert math.isfinite(pair.now.mid_bp)


def test_an_invalid_book_executes_nothing(pair):
    pair.qty = 1.0
    pair.spot.book.valid = False
    assert all(math.isnan(side) for side in pair.exec_bp(1, 1.0))


def test_without_a_size_the_touch_is_read(pair):
    pair.beat(T0 * NS)
    assert pair.now.open_bp == pytest.approx(1e4 * (0.3665 - 0.3640) / 0.3640)
    assert pair.now.fillable_open == 6e3


def test_a_round_trip_is_four_taker_fees_and_both_spreads(pair):
    pair.qty = 5_000
    pair.beat(T0 * NS)
    ratio = 0.36655 / 0.36395
    fees = 1e4 * 2 * (0.001 + 0.00055 * ratio)
    assert pair.now.fees_bp == pytest.approx(fees)
    spreads = pair.now.close_bp - pair.now.open_bp
    assert pair.now.round_trip_bp == pytest.approx(fees + spreads)
    assert spreads == pytest.approx(1e4 * (0.0001 + 0.0001) / 0.36395, rel=0.02)


def test_fees_are_those_of_each_legs_venue(pair):
    fees = {"bybit": Fees(spot_taker=0.001), "binance": Fees(perp_taker=0.0005)}
    pair.perp.key = "binance:perp:ADAUSDT"
    other = PairMarket(pair.spot, pair.perp, Settings(fees=fees), capacity=10)
    assert other.fees_bp() == pytest.approx(2e4 * (0.001 + 0.0005 * 0.36655 / 0.36395))


# --- sampling ------------------------------------------------------------------------------------


def test_at_most_ten_rows_a_second_however_often_time_passes(pair):
    live(pair, 3, every_ms=7)
    assert 29 <= len(pair.series) <= 31


def test_a_row_holds_what_the_reading_says(pair):
    pair.perp.funding.rate = 0.00012
    assert pair.beat(T0 * NS)
    assert not pair.beat(T0 * NS + 1_000_000)
    row = pair.series.at(T0)
    assert set(row) == {"t", *COLUMNS}
    assert (row["t"], row["spot"], row["perp"]) == (T0, pair.spot.mid, pair.perp.mid)
    assert row["funding_pct"] == pytest.approx(0.012)
    assert (row["mid_bp"], row["open_bp"]) == (pair.now.mid_bp, pair.now.open_bp)
    assert row["fair_bp"] == pytest.approx(-4.54, abs=0.005)


def test_a_reading_is_not_in_its_own_mean(pair):
    now_ns = live(pair, 60)
    before = pair.now.mean_bp
    pair.perp.quote(now_ns, 0.40, 0.4001)
    pair.spot.quote(now_ns, 0.35995, 0.36005)
    pair.beat(now_ns)
    assert pair.now.mean_bp == pytest.approx(before)
    assert pair.now.z > 300
    row = pair.series.at(now_ns / 1e9)
    assert row["mean_bp"] == pytest.approx(before)


def test_the_deviation_has_a_floor_of_half_a_tick_of_both_legs(pair):
    now_ns = live(pair, 60)
    assert pair.now.sd_bp == pytest.approx(0.0, abs=1e-6)
    pair.perp.quote(now_ns, 0.36025, 0.36035)
    pair.spot.quote(now_ns, 0.35995, 0.36005)
    pair.beat(now_ns)
    half_ticks_bp = 1e4 * 0.0001 / 0.36
    assert pair.now.z == pytest.approx((pair.now.mid_bp - pair.now.mean_bp) / half_ticks_bp)


def test_before_anything_is_heard_nothing_is_tradable(pair):
    pair.spot.lose()
    fresh = PairMarket(pair.spot, pair.perp, Settings(), capacity=10)
    assert fresh.now.stale == "No spot quote yet. Waiting for Bybit."
    assert not fresh.beat(T0 * NS)
    assert fresh.now.stale == "No spot quote yet. Waiting for Bybit."
    assert not fresh.outages
    assert len(fresh.series) == 0


# --- stale legs ----------------------------------------------------------------------------------


def test_an_old_quote_is_said_with_its_age_and_limit(pair):
    now_ns = T0 * NS + 4_150_000_000
    pair.spot.heard_ns = now_ns
    assert not pair.beat(now_ns)
    assert pair.now.stale == "Perp quote is 4.2 s old (limit 2 s). Waiting for Bybit."
    assert pair.now.age_perp_ms == 4_150.0


def test_an_age_just_over_the_limit_never_reads_as_the_limit(pair):
    pair.beat(T0 * NS + 2_001_000_000)
    assert "is 2.1 s old (limit 2 s)" in pair.now.stale
    pair.beat(T0 * NS + 600 * NS)
    assert "is 10 min old" in pair.now.stale
    pair.beat(T0 * NS + 9_000 * NS)
    assert "is 2.5 h old" in pair.now.stale


def test_legs_of_different_moments_are_said_to_be_apart(pair):
    now_ns = T0 * NS + 800_000_000
    pair.perp.heard_ns = now_ns
    pair.beat(now_ns)
    assert pair.now.skew_ms == 800.0
    assert pair.now.stale == (
        "Spot quote is 0.8 s older than the perp quote (limit 0.5 s). Waiting for Bybit."
    )


def test_skewed_legs_are_drawn_but_tell_the_statistics_nothing(pair):
    now_ns = live(pair, 10)
    weight, rows = pair.stats.weight, len(pair.series)
    pair.perp.heard_ns = now_ns + 900_000_000
    assert pair.beat(now_ns + 900_000_000)
    assert len(pair.series) == rows + 1
    assert pair.stats.weight == weight


def test_the_limits_are_those_of_the_settings(pair):
    strict = Settings(risk=Risk(quote_age_ms_max=100))
    pair = PairMarket(pair.spot, pair.perp, strict, capacity=10)
    pair.beat(T0 * NS + 150_000_000)
    assert pair.now.stale == "Spot quote is 0.2 s old (limit 0.1 s). Waiting for Bybit."


def test_two_perpetuals_are_told_apart_by_their_venue(pair):
    pair.spot.key = "okx:perp:ADA-USDT-SWAP"
    pair.spot.lose()
    two = PairMarket(pair.spot, pair.perp, Settings(), capacity=10)
    assert two.now.stale == "No OKX perp quote yet. Waiting for OKX."


def test_a_fresh_pair_has_no_reason_against_it(pair):
    live(pair, 1)
    assert pair.now.stale == ""


def test_a_leg_that_stands_still_while_the_other_moves_is_not_drawn_as_live(pair):
    """A1: a frozen spot price must not become a basis."""
    now_ns = live(pair, 10)
    rows = len(pair.series)
    for i in range(100):
        now_ns += 100_000_000
        pair.perp.quote(now_ns, 0.36 + i * 1e-5, 0.3601 + i * 1e-5)
        pair.beat(now_ns)
    assert "Spot quote is" in pair.now.stale
    assert len(pair.series) - rows <= 21, "two seconds, then nothing but the break"
    assert pair.series.ends_in_gap


# --- outages -------------------------------------------------------------------------------------


def test_a_link_that_goes_down_opens_an_outage_and_breaks_the_curve_at_once(pair):
    now_ns = live(pair, 10)
    pair.perp.lose()
    pair.down(PERP, now_ns)
    assert pair.now.stale == "Perp feed is down. Waiting for Bybit."
    assert math.isnan(pair.now.mid_bp)
    assert list(pair.outages) == [(now_ns / 1e9, None, "perp feed down")]
    assert pair.series.ends_in_gap
    for i in range(1, 50):
        assert not pair.beat(now_ns + i * 100_000_000)
    assert len(pair.outages) == 1
    back_ns = live(pair, 5, start_s=T0 + 20)
    assert list(pair.outages) == [(now_ns / 1e9, float(T0 + 20), "perp feed down")]
    y = pair.series.envelope("mid_bp", T0, back_ns / 1e9, 2_000)[1]
    assert np.isnan(y).sum() == 1
    assert pair.now.stale == ""


def test_both_legs_down_are_two_outages_and_one_break(pair):
    now_ns = live(pair, 2)
    for leg in (pair.spot, pair.perp):
        leg.lose()
        pair.down(leg.key, now_ns)
    pair.beat(now_ns)
    labels = [label for _, _, label in pair.outages]
    assert labels == ["spot feed down", "perp feed down"]
    assert np.isnan(curve(pair, "mid_bp")).sum() == 1
    live(pair, 1, start_s=T0 + 60)
    assert all(until == T0 + 60 for _, until, _ in pair.outages)


def test_silence_without_a_disconnect_is_an_outage_too_from_when_it_began(pair):
    now_ns = live(pair, 10)
    for _ in range(200):
        now_ns += 100_000_000
        pair.perp.quote(now_ns, 0.36, 0.3601)
        pair.beat(now_ns)
    ((since, until, label),) = pair.outages
    assert label == "spot feed silent"
    assert until is None
    assert since < T0 + 13


def test_a_quiet_top_of_three_seconds_is_no_outage(pair):
    """Bybit repeats an unchanged top every 3 s: the pair waits, the curve stays whole."""
    now_ns = live(pair, 5)
    for i in range(29):
        pair.perp.heard_ns = now_ns + i * 100_000_000
        pair.beat(now_ns + i * 100_000_000)
    live(pair, 5, start_s=T0 + 8)
    assert not pair.outages
    assert not np.isnan(curve(pair, "mid_bp")).any()


def test_a_desk_that_slept_leaves_a_named_hole(pair):
    live(pair, 10)
    live(pair, 10, start_s=T0 + 3_600)
    ((since, until, label),) = pair.outages
    assert label == "no samples"
    assert (round(since), until) == (T0 + 10, T0 + 3_600)
    assert np.isnan(curve(pair, "mid_bp")).sum() == 1


def test_a_fast_demo_clock_is_not_a_row_of_holes(pair):
    live(pair, 3_600, every_ms=60_000)
    assert not pair.outages
    assert not np.isnan(curve(pair, "mid_bp")).any()


def test_a_link_that_flaps_for_ever_keeps_the_list_bounded(pair):
    for i in range(OUTAGES_MAX + 50):
        now_ns = live(pair, 0.2, start_s=T0 + i)
        pair.spot.lose()
        pair.down(SPOT, now_ns)
    assert len(pair.outages) == OUTAGES_MAX


def test_a_leg_of_another_pair_going_down_is_not_ours(pair):
    now_ns = live(pair, 1)
    pair.down("bybit:spot:XRPUSDT", now_ns)
    assert not pair.outages


# --- backfill ------------------------------------------------------------------------------------


def candles(minutes, spot=lambda i: 0.36, perp=lambda i: 0.3602, start_s=T0 - 86_400):
    stamps = [(start_s + 60 * i) * 1000 for i in minutes]
    return (
        Candles(SPOT, [(ms, spot(i)) for ms, i in zip(stamps, minutes, strict=True)]),
        Candles(PERP, [(ms, perp(i)) for ms, i in zip(stamps, minutes, strict=True)]),
    )


def test_the_chart_opens_with_the_last_day(pair):
    pair.perp.funding.learn(FundingHistory(PERP, [((T0 - 80_000) * 1000, "0.0002")]))
    assert pair.seed(*candles(range(1_440)), now_ns=T0 * NS) == 1_440
    t, columns = pair.series.window(0, math.inf)
    assert (t[0], t[-1]) == (T0 - 86_340, T0)
    assert columns["mid_bp"] == pytest.approx(1e4 * 0.0002 / 0.36)
    assert np.isnan(columns["open_bp"]).all(), "closes know no bid and ask"
    assert np.isnan(columns["funding_pct"][:100]).all(), "not known before it was published"
    assert columns["funding_pct"][-1] == pytest.approx(0.02)
    assert columns["fair_bp"][-1] == pytest.approx(-4.54, abs=0.005)
    assert pair.stats.warm
    live(pair, 5)
    assert not np.isnan(curve(pair, "mid_bp")).any()
    assert pair.now.warm
    assert pair.samples == 1_440 + 50


def test_the_running_minute_is_not_a_close(pair):
    spot, perp = candles(range(10), start_s=T0)
    assert pair.seed(spot, perp, now_ns=(T0 + 570) * NS) == 9
    assert PairMarket(pair.spot, pair.perp, Settings(), 100).seed(spot, perp) == 9


def test_only_minutes_of_both_legs_count_and_a_hole_breaks_the_curve(pair):
    spot, perp = candles([*range(100), *range(160, 200)])
    perp.rows[50] = (perp.rows[50][0], 0.0)  # no price at all
    del perp.rows[20:30]
    pair.seed(spot, perp, now_ns=T0 * NS)
    y = curve(pair, "mid_bp")
    assert np.isnan(y).sum() == 3
    assert len(y) == 100 - 10 - 1 + 40 + 3


def test_candles_that_come_after_the_first_quotes_stand_in_front_of_them(pair):
    now_ns = live(pair, 5)
    pair.seed(*candles(range(1_440)), now_ns=now_ns)
    t, columns = pair.series.window(0, math.inf)
    assert len(t) == 1_439 + 50
    assert (np.diff(t) > 0).all()
    assert np.isfinite(columns["open_bp"][-50:]).all()
    assert pair.stats.warm
    live(pair, 5, start_s=T0 + 5)
    assert not pair.outages


def test_older_pages_of_candles_extend_the_day_backwards_and_repeats_change_nothing(pair):
    spot, perp = candles(range(1_440))
    newer = [Candles(c.instrument, c.rows[1_000:]) for c in (spot, perp)]
    pair.seed(*newer, now_ns=T0 * NS)
    now_ns = live(pair, 5)
    assert pair.seed(spot, perp, now_ns=now_ns) == 1_439
    whole = curve(pair, "spot")
    assert len(whole) == 1_439 + 50
    assert pair.seed(spot, perp, now_ns=now_ns) == 0
    assert pair.seed(*newer, now_ns=now_ns) == 0
    assert curve(pair, "spot").tolist() == whole.tolist()


def test_past_funding_that_comes_after_the_candles_is_drawn_all_the_same(pair):
    pair.seed(*candles(range(1_440)), now_ns=T0 * NS)
    live(pair, 1)
    assert np.isnan(curve(pair, "funding_pct")[:1_440]).all()
    pair.perp.funding.learn(FundingHistory(PERP, [((T0 - 43_200) * 1000, "0.0003")]))
    live(pair, 1, start_s=T0 + 1)
    assert curve(pair, "funding_pct")[1_400] == pytest.approx(0.03)
    assert len(curve(pair, "spot")) == 1_439 + 20


def test_a_long_hole_between_candles_and_quotes_is_broken(pair):
    pair.seed(*candles(range(600)), now_ns=T0 * NS)
    live(pair, 1)
    y = curve(pair, "mid_bp")
    assert np.isnan(y).sum() == 1
    assert np.isnan(y[600])


def test_candles_of_one_leg_alone_are_no_basis(pair):
    spot, _ = candles(range(10))
    assert pair.seed(spot, Candles(PERP, []), now_ns=T0 * NS) == 0
    assert len(pair.series) == 0


def test_the_floating_rate_is_drawn_live_and_the_settled_one_before(pair):
    pair.perp.funding.learn(FundingHistory(PERP, [((T0 - 86_400) * 1000, "0.0001")]))
    pair.seed(*candles(range(1_440)), now_ns=T0 * NS)
    pair.perp.funding.apply(
        Ticker(PERP, "s", 0.36, 0.36, 1.0, 0.0005, 8.0, (T0 + 60) * 1000, 0.02, T0 * 1000)
    )
    live(pair, 1)
    rates = curve(pair, "funding_pct")
    assert (rates[0], rates[-1]) == pytest.approx((0.01, 0.05))
