"""Isolated margin against the venue's published figures."""

import msgspec
import pytest
from trading_rig import TIERS, D, perp_rules

from basisdesk.trading.margin import (
    Isolated,
    leverage_max,
    liquidation,
    margin_for,
    share_of,
    tier_of,
)

CENT = D("0.01")


def isolated(entry, leverage, long, added=0, qty=1):
    return Isolated(D(entry), D(qty), long, D(leverage), D(added), D("0.00055"))


@pytest.mark.parametrize(
    ("position", "mmr", "price"),
    [
        (isolated(40_000, 50, long=True, added=3000), "0.005", "36380.25"),
        (isolated(40_000, 50, long=False, added=3000), "0.005", "43580.45"),
        (isolated(40_000, 50, long=True), "0.005", "39396.98"),
        (isolated(40_000, 50, long=False), "0.005", "40597.01"),
        (isolated("0.80", 10, long=True, qty=10_000), "0.0075", "0.725441"),
        (isolated("0.80", 10, long=False, qty=10_000), "0.0075", "0.873449"),
    ],
)
def test_liquidation_price_is_the_venues_own_figure(position, mmr, price):
    found = position.liquidation_price(D(mmr), D(0))
    assert found.quantize(D(1).scaleb(D(price).as_tuple().exponent)) == D(price)


def test_bankruptcy_price():
    assert isolated("0.80", 10, long=True).bankruptcy_price() == D("0.72")
    assert isolated("0.80", 10, long=False).bankruptcy_price() == D("0.88")
    assert isolated(60_000, 50, long=True).bankruptcy_price() == 58_800
    assert isolated(60_000, 50, long=True, added=100).bankruptcy_price() == 58_700


@pytest.mark.parametrize(("leverage", "gauge"), [(5, 19.4), (10, 9.45), (20, 4.48)])
def test_gauge_of_a_short_at_half_a_percent(leverage, gauge):
    at = liquidation(isolated(100, leverage, long=False), perp_rules(tiers=()), 100.0)
    assert at.distance_pct == pytest.approx(gauge, abs=0.01)
    assert "assumed" in at.source


def test_long_without_leverage_cannot_be_liquidated():
    at = liquidation(isolated(100, 1, long=True), perp_rules(tiers=()), 100.0)
    assert at.price is None
    assert at.distance_pct != at.distance_pct


def test_tiers_are_flat_and_their_upper_bound_belongs_to_them():
    rules = perp_rules()
    assert tier_of(rules, D(200_000)) is TIERS[0]
    assert tier_of(rules, D("200000.01")) is TIERS[1]
    assert tier_of(rules, D(10) ** 9) is TIERS[1]
    assert tier_of(perp_rules(tiers=()), D(1)) is None
    at = liquidation(isolated(250_000, 5, long=False), rules, 250_000.0)
    assert at.price == (D(250_000) + D(50_000) + 500) / D("1.01")
    assert "300,000" in at.source


def test_leverage_is_capped_by_house_setting_venue_and_tier():
    rules = perp_rules()
    assert leverage_max(rules, D(1), D(20)) == 5
    assert leverage_max(rules, D(1), D(3)) == 3
    assert leverage_max(perp_rules(leverage_max=D(2)), D(1), D(5)) == 2
    assert leverage_max(perp_rules(leverage_max=D(1)), D(1), D(5)) == 5
    tight = tuple(msgspec.structs.replace(tier, leverage_max=D(4)) for tier in TIERS)
    assert leverage_max(perp_rules(tiers=tight), D(1), D(5)) == 4


def test_margin_rounds_up_and_release_rounds_down():
    assert margin_for(D(10), D(3)) == D("3.33333334")
    assert share_of(D("3.33333334"), D(1), D(3)) == D("1.11111111")
    assert share_of(D("3.33333334"), D(3), D(3)) == D("3.33333334")
