"""The scenario "openings": what was planted holds in every seed, now and in the past."""

import json
import statistics

import pytest

from basisdesk.demo.coins import BY_NAME
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.floor import Trading, VenueFloor
from basisdesk.demo.listings import MARKETS, by_symbol, spec_of
from basisdesk.demo.market import Market
from basisdesk.demo.places import PLACES
from basisdesk.demo.planted import CASES, NOTHING, opening
from basisdesk.demo.scenarios import Overlay, find_scenario
from tests.demo.demo_rig import EPOCH_MS

HOUR_MS = 3_600_000
SEEDS = (1, 2, 7)
FEE_BP = {"bybit": 5.5, "binance": 5.0, "okx": 5.0, "kraken": 5.0}  # taker, perpetuals
SPOT_FEE_BP = 10.0  # on Bybit, Binance and OKX


class Floor:
    """A market of this scenario that stands still."""

    def __init__(self, seed, scenario="openings"):
        self.market = Market(seed, scenario, EPOCH_MS)
        self.trading = Trading(self.market, lambda: EPOCH_MS, seed)

    def leg(self, venue, market, name):
        spec = spec_of(venue, market, BY_NAME[name])
        return self.trading.sim((venue, market, spec.symbol))

    def now_8h_bp(self, venue, name):
        view = self.leg(venue, "perp", name).view()
        return view.rate * 8 / view.interval_h * 1e4

    def past_8h_bp(self, venue, name):
        leg = self.leg(venue, "perp", name)
        hours = leg.spec.interval_h
        return [rate * 8 / hours * 1e4 for _, rate, _ in leg.settlements()]

    def spread_bp(self, venue, market, name):
        bid, _, ask, _ = self.leg(venue, market, name).touch
        return (ask - bid) / (ask + bid) * 2e4

    def within(self, venue, market, name, bp=10.0):
        """USDT that stand within so much of the mid, on the thinner side."""
        leg = self.leg(venue, market, name)
        bid, _, ask, _ = leg.touch
        middle = (bid + ask) / 2
        tick, lot = float(leg.spec.tick) / leg.spec.price_unit, float(leg.spec.lot) * leg.spec.unit
        return min(
            sum(at * tick * n * lot for at, n in side.items() if abs(at / middle - 1) <= bp * 1e-4)
            for side in leg.sides()
        )


@pytest.fixture(scope="module", params=SEEDS)
def floor(request):
    return Floor(request.param)


def venues(name, market="perp"):
    return [venue for venue in PLACES if spec_of(venue, market, BY_NAME[name])]


@pytest.mark.parametrize("name", CASES)
def test_rates_are_what_was_planted_now_and_for_weeks(floor, name):
    for venue in venues(name):
        wanted = CASES[name].rates_8h_bp[venue]
        past = floor.past_8h_bp(venue, name)
        assert len(past) >= 88
        assert statistics.median(past) == pytest.approx(wanted, abs=0.8), venue
        assert floor.now_8h_bp(venue, name) == pytest.approx(wanted, rel=0.15, abs=2.5), venue
        leg = floor.leg(venue, "perp", name)
        assert abs(leg.view().rate) < 0.5 * leg.spec.funding_cap


def test_one_gap_earns_its_costs_with_room_to_spare(floor):
    """PENDLE short on OKX, long on Bybit: 24 h of funding against four fees and both spreads."""
    gap = floor.now_8h_bp("okx", "PENDLE") - floor.now_8h_bp("bybit", "PENDLE")
    legs = [("okx", "perp", "PENDLE"), ("bybit", "perp", "PENDLE")]
    cost = 2 * (FEE_BP["okx"] + FEE_BP["bybit"]) + sum(floor.spread_bp(*leg) for leg in legs)
    assert 12 < gap < 18
    assert 3 * gap - cost > 12
    assert all(floor.within(*leg) > 50_000 for leg in legs)
    past = zip(*(floor.past_8h_bp(venue, "PENDLE") for venue in ("okx", "bybit")), strict=True)
    assert all(okx - bybit > 10 for okx, bybit in past)


def test_one_looks_good_before_its_costs_only(floor):
    """WIF: nothing between perpetuals, and spot against them costs more than a day brings."""
    rates = {venue: floor.now_8h_bp(venue, "WIF") for venue in PLACES}
    assert max(rates.values()) - min(rates.values()) < 4.0
    for spot in ("bybit", "binance", "okx"):
        for perp in PLACES:
            spreads = floor.spread_bp(spot, "spot", "WIF") + floor.spread_bp(perp, "perp", "WIF")
            cost = 2 * (SPOT_FEE_BP + FEE_BP[perp]) + spreads
            assert 20 < 3 * rates[perp] < cost - 5, (spot, perp)


def test_the_largest_gap_has_no_depth(floor):
    """SYRUP: 30 bp and more, but a few hundred USDT at most on the side that pays."""
    assert floor.now_8h_bp("bybit", "SYRUP") - floor.now_8h_bp("binance", "SYRUP") > 30
    for market in MARKETS:
        for venue in venues("SYRUP", market):
            assert floor.within(venue, market, "SYRUP") < 1_500, (venue, market)
    assert 50 < floor.within("bybit", "perp", "SYRUP") < 800


def test_raw_rates_that_differ_can_be_the_same_by_true_intervals(floor):
    """TIA: 8 bp each 8 h on Binance, 1 bp each hour on OKX."""
    eight, one = (floor.leg(venue, "perp", "TIA").view() for venue in ("binance", "okx"))
    assert (eight.interval_h, one.interval_h) == (8, 1)
    assert eight.rate - one.rate > 6e-4
    assert abs(eight.rate - 8 * one.rate) < 2.5e-4


def test_raw_rates_that_are_the_same_can_differ_by_true_intervals(floor):
    """SEI: 1 bp each 8 h on Binance, 1 bp each hour on OKX."""
    eight, one = (floor.leg(venue, "perp", "SEI").view() for venue in ("binance", "okx"))
    assert (eight.interval_h, one.interval_h) == (8, 1)
    assert abs(eight.rate - one.rate) < 0.4e-4
    assert 8 * one.rate - eight.rate > 5e-4


def test_prices_carry_the_premium_that_funding_tells_of(floor):
    """OKX quotes PENDLE about 25 bp above Bybit, and its mark says so too."""
    mids = [floor.leg(venue, "perp", "PENDLE").quoted.mid(EPOCH_MS) for venue in ("okx", "bybit")]
    assert 20 < (mids[0] / mids[1] - 1) * 1e4 < 32
    marks = [floor.leg(venue, "perp", "PENDLE").view().mark_price for venue in ("okx", "bybit")]
    assert 8 < (marks[0] / marks[1] - 1) * 1e4 < 32


def test_pages_tell_the_planted_intervals_before_and_after_a_leg_is_looked_at():
    asked = {
        "okx": "/api/v5/public/funding-rate?instId=TIA-USDT-SWAP",
        "bybit": "/v5/market/instruments-info?category=linear&symbol=TIAUSDT",
        "binance": "/fapi/v1/fundingInfo",
    }
    dialects = {dialect.venue: dialect for dialect in known_dialects()}
    floor = Floor(3)
    pages = VenueFloor(floor.trading, lambda _: EPOCH_MS)
    for _ in range(2):
        said = {
            venue: json.loads(dialects[venue].page(path, pages).body)
            for venue, path in asked.items()
        }
        (row,) = said["okx"]["data"]
        assert int(row["nextFundingTime"]) - int(row["fundingTime"]) == HOUR_MS
        assert said["bybit"]["result"]["list"][0]["fundingInterval"] == 480
        assert "TIAUSDT" not in {row["symbol"] for row in said["binance"]}  # 8 hours go unsaid
        floor.leg("okx", "perp", "TIA").view()
    name = ("okx", "perp", "TIA-USDT-SWAP")
    for hours, told in ((4, 4), (None, 1)):
        floor.trading.set_interval(name, hours)
        assert floor.leg("okx", "perp", "TIA").spec.interval_h == told


def test_the_scenario_joins_others_and_others_plant_nothing():
    found = find_scenario("2021 mania + openings")
    assert found.preset == "mania"
    joined = Floor(3, "mixed + openings")
    rate = joined.now_8h_bp("okx", "PENDLE") - joined.now_8h_bp("bybit", "PENDLE")
    assert rate == pytest.approx(15, abs=6)
    spec = spec_of("okx", "perp", BY_NAME["PENDLE"])
    assert Overlay(EPOCH_MS, 3).planted(spec) is NOTHING
    usual = Floor(3, "mixed")
    assert usual.leg("okx", "perp", "PENDLE").quoted.planted is NOTHING
    assert usual.market.listed("okx", "perp") == by_symbol("okx", "perp")


def test_no_other_coin_settles_each_hour_by_chance_on_bybit():
    """There such a coin would be paid its premium each hour, and outdo what was planted."""
    for spec in Floor(3).trading.specs("bybit", "perp"):
        assert spec.interval_h in (4, 8)
    assert opening(spec_of("bybit", "perp", BY_NAME["BTC"])) is NOTHING


def test_a_restart_goes_on_with_the_same_openings():
    market = Market(5, "openings", EPOCH_MS)
    before = market.find("okx:perp:TIA-USDT-SWAP").settlements(EPOCH_MS)[-100:]
    again = Market.restored(5, "openings", market.dump(), EPOCH_MS)
    quoted = again.find("okx:perp:TIA-USDT-SWAP")
    assert quoted.spec.interval_h == 1
    assert quoted.settlements(EPOCH_MS)[-100:] == before
