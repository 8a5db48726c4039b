"""Composites over venues: weights, stale venues, and venues that disagree."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told_universe import S, Told, key_of, settings

from basisdesk.scan.composite import composites, weights_of


def composite(told, coin="SOL"):
    (found,) = (
        each for each in composites(told.market, told.settings, told.now) if each.coin == coin
    )
    return found


def shares(found):
    return {share.venue: share for share in found.shares}


def three(told, rates=(4.0, 1.0, 1.0), sizes=(200.0, 100.0, 100.0)):
    venues = ("binance", "bybit", "okx")
    for venue, rate, size in zip(venues, rates, sizes, strict=True):
        told.leg(venue, "spot", "SOL")
        told.perp(venue, "SOL", rate, size=size)
    return told


def test_weights_are_of_depth():
    told = three(Told())
    told.touch(key_of("binance", "spot", "SOL"), 99.895, 99.905)
    found = composite(told)
    by = shares(found)
    assert {venue: share.weight for venue, share in by.items()} == {
        "binance": 0.5, "bybit": 0.25, "okx": 0.25,
    }  # fmt: skip
    assert by["binance"].depth == pytest.approx(20_000.0)
    assert by["binance"].basis_bp == pytest.approx(1e4 * (100 / 99.9 - 1))
    assert found.basis_bp == pytest.approx(0.5 * 1e4 * (100 / 99.9 - 1))
    assert found.rate_8h_bp == pytest.approx(0.5 * 4 + 0.5 * 1)
    assert (found.read_on, found.trade_on, found.warning) == ("binance", "bybit", "")


def test_rates_meet_by_their_true_intervals():
    told = three(Told(), sizes=(100.0, 100.0, 100.0))
    told.fund(key_of("okx", "perp", "SOL"), 0.5, hours=1.0)
    assert shares(composite(told))["okx"].rate_8h_bp == pytest.approx(4.0)
    assert composite(told).rate_8h_bp == pytest.approx(3.0)


def test_stale_venues_weigh_nothing_and_say_so():
    told = three(Told())
    told.now += 16 * S
    for venue in ("bybit", "okx"):
        for market in ("spot", "perp"):
            told.touch(key_of(venue, market, "SOL"), 99.995, 100.005, 100.0)
    found = composite(told)
    by = shares(found)
    assert by["binance"].stale
    assert by["binance"].weight == 0.0
    assert by["bybit"].weight == by["okx"].weight == 0.5
    assert found.rate_8h_bp == pytest.approx(1.0)
    told.now += 16 * S
    found = composite(told)
    assert [share.weight for share in found.shares] == [0.0, 0.0, 0.0]
    assert math.isnan(found.rate_8h_bp)
    assert math.isnan(found.basis_bp)


def test_like_is_weighed_against_like():
    """One venue shows no book: all are weighed at the touch."""
    told = three(Told())
    told.book(key_of("binance", "perp", "SOL"), [(99.995, 9e6)], [(100.005, 9e6)])
    told.touch(key_of("binance", "perp", "SOL"), 99.995, 100.005, 100.0)
    told.market.universe.legs[key_of("okx", "perp", "SOL")].book = None
    found = shares(composite(told))
    assert [share.weight for share in found.values()] == [pytest.approx(1 / 3)] * 3
    assert found["binance"].depth == pytest.approx(10_000.0)


def test_a_venue_without_spot_is_measured_on_another():
    told = Told()
    told.leg("bybit", "spot", "SOL", mid=100.0)
    told.perp("okx", "SOL", 1.0, mid=100.2)
    assert composite(told).basis_bp == pytest.approx(20.0)
    alone = Told()
    alone.perp("okx", "SOL", 1.0)
    assert math.isnan(composite(alone).basis_bp)
    assert composite(alone).rate_8h_bp == pytest.approx(1.0)


def test_currencies_meet_at_the_middle():
    told = Told()
    told.leg("kraken", "spot", "SOL", mid=100.0)
    told.perp("binance", "SOL", 1.0, mid=100.0)
    assert math.isnan(composite(told).basis_bp)  # no rate of the dollar
    told.touch("kraken:spot:USDT/USD", 0.9999, 1.0011)
    assert composite(told).basis_bp == pytest.approx(1e4 * (1.0005 - 1), abs=1e-3)


@pytest.mark.parametrize(
    ("read", "trade", "words"),
    [
        (8.0, -1.0, "the signs differ"),
        (0.2, -0.2, ""),  # about zero both
        (9.0, 2.0, "7.0 bp apart"),
        (7.0, 2.0, ""),
    ],
)
def test_where_read_and_traded_disagree(read, trade, words):
    found = composite(three(Told(), rates=(read, trade, 1.0)))
    assert words in found.warning
    assert bool(words) == bool(found.warning)
    if words:
        assert found.warning.startswith("Binance funds at +")
        assert "Bybit at" in found.warning


def test_a_stale_venue_disagrees_with_nobody():
    told = three(Told(), rates=(50.0, -50.0, 1.0))
    assert composite(told).warning
    told.now += 16 * S
    assert composite(told).warning == ""


def test_nothing_told_makes_no_composite():
    assert composites(Told().market, settings(), 1) == ()


DEPTH = st.one_of(st.floats(0.0, 1e12), st.just(math.nan), st.just(math.inf))


@given(st.lists(st.tuples(DEPTH, st.booleans()), max_size=5))
def test_weights_sum_to_one(parts):
    depths, fresh = [depth for depth, _ in parts], [ok for _, ok in parts]
    weights = weights_of(depths, fresh)
    assert len(weights) == len(parts)
    assert all(0.0 <= weight <= 1.0 for weight in weights)
    assert all(weight == 0.0 for weight, ok in zip(weights, fresh, strict=True) if not ok)
    assert sum(weights) == pytest.approx(1.0 if any(fresh) else 0.0)
