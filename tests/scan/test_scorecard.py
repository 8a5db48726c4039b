"""The scorecard of the venues: medians of what was seen, outages counted, nothing made up."""

import math

import numpy as np
import pytest

from basisdesk.config import Settings
from basisdesk.events import (
    BookUpdate,
    LinkChange,
    Quote,
    ScanBook,
    ScanPage,
    ScanPast,
    ScanRow,
    VenueTime,
)
from basisdesk.market.state import Market
from basisdesk.scan.scorecard import LEGS_MAX, LogBins, Scorecard
from basisdesk.venues import known_venues

S = 1_000_000_000
T0 = 1_789_722_862 * S
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


class Watch:
    """A market, its scorecard, and time."""

    def __init__(self):
        self.settings = Settings()
        self.market = Market(self.settings, known_venues())
        self.card = Scorecard()
        self.now_ns = T0

    def page(self, *rows, lag_ms=40, venue="bybit"):
        page = ScanPage(venue, rows, self.now_ns // 1_000_000 - lag_ms)
        self.market.apply(page, self.now_ns)
        return self.look()

    def look(self):
        self.card.note(self.market, self.now_ns)
        return self

    def wait(self, seconds):
        self.now_ns += round(seconds * S)
        return self

    def score(self, key):
        scores = self.card.scores(self.market, self.settings, self.now_ns)
        return next(score for score in scores if score.instrument == key)


@pytest.fixture
def watch():
    return Watch()


def touch(key, spread_bp, mid=0.5):
    half = mid * spread_bp / 2e4
    return ScanRow(key, mid - half, 1e5, mid + half, 1e5)


# --- bins -----------------------------------------------------------------------------------------


def test_a_median_of_bins_is_exact_within_a_bin():
    rng = np.random.default_rng(1)
    bins = LogBins(0.001, 10_000.0, 40)
    values = np.exp(rng.normal(0.5, 1.0, 4_001))
    bins.count([3] * len(values), values.tolist())
    found = bins.medians(5)
    assert found[3] == pytest.approx(float(np.median(values)), rel=0.06)
    assert np.isnan(found[[0, 1, 2, 4]]).all()


def test_bins_pass_over_what_is_no_number_and_count_the_ends():
    bins = LogBins(1.0, 100.0, 10)
    bins.count([0, 0, 0, 0], [math.nan, math.inf, -1.0, 0.0])
    assert np.isnan(bins.medians(1))[0]
    bins.count([0, 1], [1e-9, 1e9])
    assert 0.9 < bins.medians(2)[0] < 1.3
    assert 70 < bins.medians(2)[1] < 101
    assert LogBins(1.0, 10.0, 5).medians(0).tolist() == []


# --- legs -----------------------------------------------------------------------------------------


def test_a_leg_nobody_saw_is_not_there_and_one_without_depth_says_so(watch):
    assert watch.card.scores(watch.market, watch.settings, watch.now_ns) == ()
    watch.page(touch(SPOT, 4.0))
    score = watch.score(SPOT)
    assert (score.venue, score.coin) == ("bybit", "ADA")
    assert score.spread_bp == pytest.approx(4.0, rel=0.06)
    assert math.isnan(score.depth)
    assert math.isnan(score.error_bp)
    assert math.isnan(score.lag_ms)  # the venue's clock is not known
    assert (score.taker_bp, score.maker_bp) == pytest.approx((10.0, 10.0))
    assert "read 2026-07" in score.fee_source
    watch.wait(2.5)
    assert watch.score(SPOT).age_s == pytest.approx(2.5)


def test_the_spread_is_the_median_and_one_touch_counts_once(watch):
    for spread in (2.0, 2.0, 2.0, 50.0, 50.0):
        watch.wait(5).page(touch(PERP, spread))
        for _ in range(20):
            watch.look()
    assert watch.score(PERP).spread_bp == pytest.approx(2.0, rel=0.06)
    assert watch.score(PERP).taker_bp == pytest.approx(5.5)


def test_a_leg_without_a_touch_is_unknown(watch):
    watch.page(ScanRow(PERP, mark=0.5))
    score = watch.score(PERP)
    assert math.isnan(score.spread_bp)
    assert math.isnan(score.age_s)


def test_depth_is_what_stands_within_ten_bp_on_the_thinner_side(watch):
    watch.page(touch(PERP, 2.0))
    bids = ((0.4999, 1_000.0), (0.4996, 3_000.0), (0.49, 1e9))
    asks = ((0.5001, 5_000.0), (0.5004, 5_000.0), (0.51, 1e9))
    for _ in range(3):
        watch.wait(10)
        watch.market.apply(ScanBook(PERP, bids, asks), watch.now_ns)
        watch.look()
    assert watch.score(PERP).depth == pytest.approx(0.4999 * 1_000 + 0.4996 * 3_000, rel=0.13)


def test_how_far_foretold_rates_were_off(watch):
    hour_ms = 3_600_000
    stamp = (T0 // 1_000_000 // hour_ms + 1) * hour_ms
    for number, told in enumerate((1e-4, 2e-4, 4e-4)):
        row = ScanRow(
            PERP, 0.4999, 1e5, 0.5001, 1e5, 0.5, 0.5, told, 8.0, stamp + number * 8 * hour_ms
        )
        watch.now_ns = (stamp + number * 8 * hour_ms) * 1_000_000 - 5 * S
        watch.page(row)
    watch.now_ns = (stamp + 24 * hour_ms) * 1_000_000
    watch.page(ScanRow(PERP, 0.4999, 1e5, 0.5001, 1e5, 0.5, 0.5, 1e-4, 8.0, stamp + 24 * hour_ms))
    paid = tuple((stamp + number * 8 * hour_ms, 1e-4) for number in range(3))
    watch.market.apply(ScanPast(PERP, settled=paid), watch.now_ns)
    score = watch.score(PERP)
    assert score.error_n == 3
    assert score.error_bp == pytest.approx(1.0)  # of 0, 1 and 3 bp
    assert score.bias_bp == pytest.approx(4 / 3)
    assert watch.score(PERP).error_n == 3  # and told again without counting again


def test_pages_that_stop_are_an_outage(watch):
    for _ in range(3):
        watch.wait(5).page(touch(SPOT, 4.0))
    assert watch.score(SPOT).outages == 0
    watch.wait(20).look().wait(30).look()
    assert watch.score(SPOT).outages == 1
    assert watch.score(SPOT).outage_s == pytest.approx(30)
    watch.wait(5).page(touch(SPOT, 4.0)).wait(60).look()
    assert watch.score(SPOT).outages == 2
    assert watch.score(SPOT).outage_s == pytest.approx(35)


def test_lag_is_less_the_difference_of_the_clocks(watch):
    watch.market.apply(VenueTime("bybit", watch.now_ns // 1_000_000 - 1_000), watch.now_ns)
    for lag_ms in (1_030, 1_040, 1_500):
        watch.wait(5).page(touch(SPOT, 4.0), touch(PERP, 1.0), lag_ms=lag_ms)
    assert watch.score(SPOT).lag_ms == pytest.approx(40, abs=1)
    assert watch.score(PERP).lag_ms == watch.score(SPOT).lag_ms


def test_a_leg_that_is_watched_live_is_judged_by_its_stream(watch):
    market, conn = watch.market, "bybit.linear"
    watch.page(touch(PERP, 9.0))
    market.link(LinkChange(conn, "up", "connected"), watch.now_ns)
    market.apply(VenueTime("bybit", watch.now_ns // 1_000_000), watch.now_ns)
    for number in range(5):
        watch.wait(1)
        ms = watch.now_ns // 1_000_000 - 12
        quote = Quote(
            PERP, f"{conn}/orderbook.1.ADAUSDT", 0.49995, 1e4, 0.50005, 1e4, ms, number + 1
        )
        market.apply(quote, watch.now_ns)
        watch.look()
    score = watch.score(PERP)
    assert score.spread_bp == pytest.approx(2.0, rel=0.06)
    assert score.lag_ms == pytest.approx(12, abs=1)
    assert math.isnan(score.depth)
    sides = [[(0.5 + way * 0.00005, 2e4)] for way in (-1, 1)]
    book = BookUpdate(PERP, f"{conn}/orderbook.50.ADAUSDT", True, *sides, 9, ms)
    market.apply(book, watch.now_ns)
    market.apply(Quote(PERP, quote.stream, 0.49995, 1e4, 0.50005, 1e4, ms + 1, 9), watch.now_ns + 1)
    watch.look()
    assert watch.score(PERP).depth == pytest.approx(1e4, rel=0.13)
    market.link(LinkChange(conn, "down", "gone"), watch.now_ns)
    watch.look().wait(7)
    market.link(LinkChange(conn, "up", "connected"), watch.now_ns)
    watch.look()
    assert (watch.score(PERP).outages, watch.score(PERP).outage_s) == (1, 7.0)
    # one between two looks is told by the link's own count
    market.link(LinkChange(conn, "down", "gone"), watch.now_ns)
    market.link(LinkChange(conn, "up", "connected"), watch.now_ns)
    assert watch.look().score(PERP).outages == 2


def test_scores_stand_by_venue_and_coin(watch):
    okx = "okx:spot:ADA-USDT"
    watch.page(touch(okx, 1.0), venue="okx")
    watch.page(touch("bybit:spot:BTCUSDT", 1.0), touch(PERP, 1.0), touch(SPOT, 1.0))
    found = watch.card.scores(watch.market, watch.settings, watch.now_ns)
    assert [score.instrument for score in found] == [PERP, SPOT, "bybit:spot:BTCUSDT", okx]


def test_legs_are_bounded(watch, monkeypatch):
    assert LEGS_MAX >= 480
    monkeypatch.setattr("basisdesk.scan.scorecard.LEGS_MAX", 1)
    watch.page(touch(SPOT, 4.0), touch(PERP, 4.0))
    spreads = [watch.score(key).spread_bp for key in (SPOT, PERP)]
    assert sum(map(math.isnan, spreads)) == 1
