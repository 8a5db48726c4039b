"""Each venue's isolated margin against its own worked figures (venues.md 8.3 to 8.6)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_rig import D, perp_rules

from basisdesk.trading.margin import leverage_max, liquidation, tier_of, tier_size
from basisdesk.trading.margin_rules import Isolated, margin_rule
from basisdesk.venues.instrument import Tier

BTC_TIERS = (
    Tier(D(50_000), D("0.004"), D("0.008"), D(125)),
    Tier(D(600_000), D("0.005"), D("0.01"), D(100), D(50)),
    Tier(D(3_000_000), D("0.0065"), D("0.0133"), D(75), D(950)),
)
OKX_TIERS = (  # in coins: 1,000 contracts of 0.01 BTC
    Tier(D(10), D("0.004"), D("0.01"), D(100)),
    Tier(D(50), D("0.005"), D("0.015"), D("66.66")),
)


def isolated(entry, qty, leverage, long, taker="0.0005", added=0):
    return Isolated(D(entry), D(qty), long, D(leverage), D(added), D(taker))


def rules(venue, tiers, tiers_in="quote"):
    return msgspec.structs.replace(perp_rules(tiers=tiers), venue=venue, tiers_in=tiers_in)


def near(found, figure):
    assert found.quantize(D(figure)) == D(figure)


@pytest.mark.parametrize(("long", "figure"), [(True, "36380.25"), (False, "43580.45")])
def test_bybit_36380_25_and_its_mirror(long, figure):
    one = isolated(40_000, 1, 50, long, "0.00055", added=3000)
    near(margin_rule("bybit").price(one, D("0.005"), D(0)), figure)


@pytest.mark.parametrize(
    ("qty", "long", "tier", "figure"),
    [
        ("0.1", True, 0, "54216.87"),
        ("0.1", False, 0, "65737.05"),
        ("2", True, 1, "54246.23"),
        ("2", False, 1, "65696.52"),
    ],
)
def test_binance_worked_examples_with_the_bracket_of_the_price(qty, long, tier, figure):
    at = liquidation(isolated(60_000, qty, 10, long), rules("binance", BTC_TIERS))
    near(at.price, figure)
    assert f"tier up to {BTC_TIERS[tier].limit:,f}" in at.source


def test_binance_official_1153_26_is_the_cross_mode_numerator():
    wallet = D("1535443.01") - D("71200.81144") + D("-56354.57")
    value = D("3683.979") * D("1456.84")
    one = isolated("1456.84", "3683.979", 1, long=True, added=wallet - value)
    near(margin_rule("binance").price(one, D("0.1"), D("135365")), "1153.26")


def test_binance_looks_again_when_the_price_falls_into_another_bracket():
    """0.8 BTC at 60,000: 48,000 at entry is tier 1, but a short dies above 50,000, in tier 2."""
    at = liquidation(isolated(60_000, "0.8", 5, long=False), rules("binance", BTC_TIERS))
    assert at.price * D("0.8") > 50_000
    assert at.price == (D(9600) + 50 + 48_000) / (D("0.8") * D("1.005"))
    long = liquidation(isolated(63_000, "0.8", 5, long=True), rules("binance", BTC_TIERS))
    assert long.price == (D(10_080) - 50_400) / (D("0.8") * (D("0.004") - 1))  # down in tier 1


@given(
    st.integers(1, 100_000), st.integers(100, 90_000), st.integers(1, 20), st.booleans(),
)  # fmt: skip
def test_binance_price_is_where_equity_meets_maintenance(qty, entry, leverage, long):
    one = isolated(entry, D(qty) / 1000, leverage, long)
    rule = rules("binance", BTC_TIERS)
    at = liquidation(one, rule)
    if at.price is None:
        return
    notional = at.price * one.qty
    tier = tier_of(rule, notional)
    sign = 1 if long else -1
    equity = one.wallet + sign * one.qty * (at.price - one.entry)
    assert float(equity) == pytest.approx(
        float(notional * tier.maintenance - tier.deduction), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("long", "figure", "fill"),
    [(True, "39377.20", "39219.61"), (False, "40617.22", "40779.61")],
)
def test_okx_39377_20_40617_22_and_its_bankruptcies(long, figure, fill):
    one = isolated(40_000, 1, 50, long)
    at = liquidation(one, rules("okx", OKX_TIERS, "base"))
    near(at.price, figure)
    near(at.bankruptcy, fill)
    loss = abs(at.bankruptcy - 40_000) + at.bankruptcy * D("0.0005")
    near(loss, "800.00")  # the margin, to the cent: loss and fee take all of it


def test_okx_tiers_count_coins():
    rule = rules("okx", OKX_TIERS, "base")
    assert tier_size(rule, D(10), D(400_000)) == 10
    assert tier_of(rule, D(10)) is OKX_TIERS[0]
    assert tier_of(rule, D("10.01")) is OKX_TIERS[1]
    assert leverage_max(rule, D(11), D(5)) == 5
    at = liquidation(isolated(40_000, 11, 5, long=True), rule)
    assert at.price == 11 * D(32_000) / (11 * (1 - D("0.0055")))
    assert at.source == "tier up to 50 ADA, maintenance 0.500 %"
    assert tier_size(rules("okx", OKX_TIERS), D(10), D(400_000)) == 400_000


@pytest.mark.parametrize(("long", "figure"), [(True, "39595.96"), (False, "40396.04")])
def test_kraken_39595_96_and_40396_04(long, figure):
    at = liquidation(isolated(40_000, 1, 50, long), rules("kraken", ()))
    near(at.price, figure)
    assert at.bankruptcy == (39_200 if long else 40_800)
    assert "1 % maintenance assumed" in at.source


def test_a_venue_without_a_rule_of_its_own_follows_bybits():
    assert margin_rule("nowhere") is margin_rule("bybit")


@pytest.mark.parametrize("venue", ["bybit", "binance", "okx", "kraken"])
@pytest.mark.parametrize("long", [True, False])
def test_added_margin_and_less_leverage_move_every_venues_price_away(venue, long):
    rule = rules(venue, ())
    at = [
        liquidation(isolated(100, 10, leverage, long, added=added), rule).price
        for leverage, added in ((5, 0), (5, 20), (4, 20))
    ]
    away = sorted(at, reverse=long)
    assert at == away
    assert len(set(at)) == 3


@pytest.mark.parametrize("venue", ["binance", "okx", "kraken"])
def test_a_long_without_leverage_cannot_die_at_all(venue):
    assert liquidation(isolated(100, 1, 1, long=True), rules(venue, ())).price is None


def test_margin_that_funding_took_is_missing_in_full_and_bybit_counts_no_fee_on_it():
    """Long 1 at 40,000, 50x, 100 taken of 800: (40,000 - 800 + 100) / 0.995 = 39,497.49."""
    taken = Isolated(D(40_000), D(1), True, D(50), D(-100), D("0.00055"))
    price = taken.liquidation_price(D("0.005"), D(0))
    assert price == D(39_300) / D("0.995")
    assert taken.bankruptcy_price() == 39_300
    short = Isolated(D(40_000), D(1), False, D(50), D(-100), D("0.00055"))
    assert short.liquidation_price(D("0.005"), D(0)) == D(40_700) / D("1.005")
