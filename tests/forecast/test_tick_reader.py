"""One pair of a real market, moved by events, read into a tick."""

import math

import pytest

from basisdesk.config import Settings
from basisdesk.events import (
    BookUpdate,
    FundingHistory,
    LinkChange,
    Quote,
    ScanPage,
    ScanRow,
    Ticker,
    Trade,
)
from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.reader import Elsewhere, Terms, TickReader
from basisdesk.forecast.table import INDEX, missing
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit

SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
CONN = {SPOT: "bybit.spot", PERP: "bybit.linear"}
T0 = 1_790_000_000_000  # ms
EIGHT_H = 28_800_000
NEXT = T0 - T0 % EIGHT_H + EIGHT_H


def ns(ms):
    return (T0 + ms) * 1_000_000


class World:
    """A market with one pair, fed by hand."""

    def __init__(self):
        self.market = Market(Settings(), {"bybit": Bybit()})
        self.pair = self.market.pair(SPOT, PERP)
        self.elsewhere = Elsewhere(self.market)
        self.reader = TickReader(self.pair, self.elsewhere)
        for key, conn in CONN.items():
            del key
            topics = ("orderbook.1.ADAUSDT", "orderbook.50.ADAUSDT", "publicTrade.ADAUSDT")
            if conn == "bybit.linear":
                topics += ("tickers.ADAUSDT",)
            self.market.link(LinkChange(conn, "asked", req_id=conn, topics=topics), ns(-100))

    def tell(self, ms, *events):
        for event in events:
            self.market.apply(event, ns(ms))

    def quote(self, ms, key, bid, ask):
        stream = f"{CONN[key]}/orderbook.1.ADAUSDT"
        self.tell(ms, Quote(key, stream, bid, 8.0, ask, 2.0, T0 + ms, T0 + ms))

    def book(self, ms, key, bids, asks):
        stream = f"{CONN[key]}/orderbook.50.ADAUSDT"
        self.tell(ms, BookUpdate(key, stream, True, bids, asks, T0 + ms, T0 + ms))

    def trade(self, ms, key, size, taker_buy):
        stream = f"{CONN[key]}/publicTrade.ADAUSDT"
        self.tell(ms, Trade(key, stream, 100.0, size, taker_buy, T0 + ms))

    def ticker(self, ms, rate=1e-4):
        stream = "bybit.linear/tickers.ADAUSDT"
        event = Ticker(PERP, stream, 100.3, 100.1, 1e6, rate, 8.0, NEXT, 0.02, T0 + ms)
        self.tell(ms, event)

    def read(self, ms, terms=None):
        self.market.beat(ns(ms))
        return self.reader.read(ns(ms), *([terms] if terms else []))


@pytest.fixture
def world():
    found = World()
    found.quote(0, SPOT, 100.0, 100.02)
    found.quote(0, PERP, 100.2, 100.22)
    found.ticker(0)
    return found


def test_a_market_that_was_not_heard_is_stale_and_empty():
    world = World()
    tick = world.read(0)
    assert "Bybit" in tick.stale
    assert math.isnan(tick.spot_mid)
    assert math.isnan(tick.rate)
    assert len(missing(FeatureState().update(tick))) == 44


def test_quotes_funding_and_lines(world):
    tick = world.read(100)
    assert (tick.spot_bid, tick.spot_ask, tick.perp_bid, tick.perp_ask) == (
        100.0, 100.02, 100.2, 100.22,
    )  # fmt: skip
    assert tick.stale == ""
    assert tick.mid_bp == pytest.approx(1e4 * 0.2 / 100.01)
    assert tick.open_bp == pytest.approx(1e4 * (100.2 - 100.02) / 100.02)
    assert tick.close_bp == pytest.approx(1e4 * (100.22 - 100.0) / 100.0)
    assert (tick.rate, tick.interval_h, tick.next_ms, tick.cap) == (1e-4, 8.0, NEXT, 0.02)
    assert (tick.mark, tick.index, tick.interest_8h_bp) == (100.3, 100.1, 1.0)
    assert tick.fair_bp == world.pair.now.fair_bp
    assert tick.direction == 1
    assert tick.impact_bp == pytest.approx(tick.mid_bp - tick.open_bp)


def test_the_side_is_that_of_the_gap_or_as_told(world):
    world.quote(50, PERP, 99.0, 99.02)
    tick = world.read(100)
    assert tick.direction == -1
    assert tick.exec_in_bp == tick.close_bp
    assert tick.impact_bp == pytest.approx(tick.close_bp - tick.mid_bp)
    told = world.read(200, Terms(direction=1, cost_bp=31.0, target_bp=-4.0, sector_z=1.5))
    assert (told.direction, told.cost_bp, told.target_bp, told.sector_z) == (1, 31.0, -4.0, 1.5)
    assert told.edge_bp == pytest.approx(told.open_bp + 4.0 - 31.0)


def test_trades_are_those_since_the_last_read(world):
    world.trade(10, SPOT, 5.0, True)
    first = world.read(100)
    assert math.isnan(first.spot_volume)  # since when, it cannot say
    world.trade(200, SPOT, 3.0, True)
    world.trade(300, SPOT, 1.0, False)
    world.quote(1_000, SPOT, 100.0, 100.02)
    second = world.read(1_100)
    assert (second.spot_signed, second.spot_volume, second.spot_trades) == (2.0, 4.0, 2.0)
    assert math.isnan(second.perp_volume)  # none was ever heard there
    third = world.read(1_200)
    assert (third.spot_signed, third.spot_volume, third.spot_trades) == (0.0, 0.0, 0.0)


def test_depth_near_the_mid(world):
    bids = [(100.0, 8.0), (99.97, 1.0), (99.95, 2.0), (99.8, 50.0)]
    asks = [(100.02, 2.0), (100.05, 4.0), (100.1, 8.0), (100.3, 70.0)]
    world.book(10, SPOT, bids, asks)
    tick = world.read(100)
    # mid 100.01: 5 bp are 5 cents, 10 bp ten
    assert (tick.spot_bid_5, tick.spot_ask_5) == (9.0, 6.0)
    assert (tick.spot_bid_10, tick.spot_ask_10) == (11.0, 14.0)
    assert math.isnan(tick.perp_bid_5)  # only its touch is heard


def test_a_book_that_ends_early_is_cut_alike_on_both_sides(world):
    world.book(10, SPOT, [(100.0, 8.0)], [(100.02, 2.0), (100.05, 4.0), (100.1, 8.0)])
    tick = world.read(100)
    assert (tick.spot_bid_10, tick.spot_ask_10) == (8.0, 2.0)


def test_a_deep_book_is_read_to_ten_bp(world):
    bids = [(round(100.0 - i / 1_000, 3), 1.0) for i in range(300)]
    asks = [(round(100.02 + i / 1_000, 3), 1.0) for i in range(300)]
    world.book(10, SPOT, bids, asks)
    tick = world.read(100)
    assert tick.spot_bid_10 == tick.spot_ask_10 == 91.0  # a cent to eleven, each tenth of a cent


def test_settlements_are_those_published_for_8_hours(world):
    assert world.read(100).settled == ()
    rows = [(NEXT - (i + 1) * EIGHT_H, "0.0002" if i else "0.0003") for i in range(100)]
    world.market.apply(FundingHistory(PERP, rows), ns(150))
    tick = world.read(200)
    assert len(tick.settled) == 90
    assert tick.settled[-1] == (NEXT - EIGHT_H, pytest.approx(3.0))
    assert world.read(300).settled is tick.settled
    world.market.apply(FundingHistory(PERP, rows), ns(350))  # the same again is nothing new
    assert world.read(400).settled is tick.settled


def page(venue, coin, spot, basis_bp, rate, quote="USDT"):
    perp = spot * (1 + basis_bp / 1e4)
    return ScanPage(
        venue,
        (
            ScanRow(f"{venue}:spot:{coin}{quote}", spot * 0.9999, 1.0, spot * 1.0001, 1.0),
            ScanRow(f"{venue}:perp:{coin}{quote}", perp * 0.9999, 1.0, perp * 1.0001, 1.0,
                    rate=rate, interval_h=8.0, next_ms=NEXT),
        ),
        T0,
    )  # fmt: skip


def test_other_venues_and_coins(world):
    market = world.market
    market.apply(page("bybit", "ADA", 100.01, 999.0, 9e-4), ns(0))  # itself: no other
    market.apply(page("binance", "ADA", 100.0, 5.0, 2e-4), ns(0))
    market.apply(page("bybit", "BTC", 60_000.0, 5.5, 1e-4), ns(0))
    market.apply(page("bybit", "ETH", 3_000.0, 15.5, 1e-4), ns(0))
    tick = world.read(100)
    assert tick.xv_f_bp == pytest.approx(1.0 - 2.0)
    assert tick.xv_b_bp == pytest.approx(tick.mid_bp - 5.0, abs=1e-6)
    fair = world.pair.now.fair_bp
    assert tick.mkt_x_bp == pytest.approx(15.5 - fair, abs=1e-6)  # of ADA, BTC and ETH
    world.quote(70_000, SPOT, 100.0, 100.02)
    world.quote(70_000, PERP, 100.2, 100.22)
    late = world.read(70_100)
    assert math.isnan(late.xv_b_bp)  # polled quotes of a minute ago are of no use
    assert math.isnan(late.mkt_x_bp)
    assert late.xv_f_bp == tick.xv_f_bp  # a funding rate is good for ten minutes


def test_a_leg_in_another_currency_comes_converted(world):
    world.pair.fx_ratio = 0.999
    market = world.market
    market.beat(ns(100))
    world.pair.fx_ratio = 0.999
    tick = world.reader.read(ns(100))
    assert tick.perp_bid == pytest.approx(100.2 * 0.999)
    assert tick.mark == pytest.approx(100.3 * 0.999)


def test_a_tick_makes_a_vector(world):
    state = FeatureState()
    vector = None
    for i in range(200):
        ms = 1_000 * i
        world.quote(ms + 900, SPOT, 100.0, 100.02)
        world.quote(ms + 900, PERP, 100.2, 100.22)
        vector = state.update(world.read(ms + 1_000))
    assert vector is not None
    assert vector[INDEX["b_mid"]] == pytest.approx(world.pair.now.mid_bp)
    assert vector[INDEX["z_5m"]] == pytest.approx(0.0, abs=1e-6)
    assert vector[INDEX["ofi_f"]] == 0.0
    assert vector[INDEX["pinned"]] == 1.0
