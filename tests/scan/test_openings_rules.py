"""What holds of openings whatever the market: signs, unknowns, ages, fees."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from told_universe import PLAIN, S, Told, key_of
from told_universe import settings as conf

from basisdesk.events import ScanPage, ScanRow
from basisdesk.scan.triggers import apart, worth_of
from basisdesk.scan.words import FRESH, MISSING

VENUES = ("binance", "bybit", "okx")
NAN = math.nan
MONEY = (
    "rate_8h_bp", "open_bp", "close_bp", "mid_bp", "to_fair_bp", "cost_bp", "net_bp", "net_8h_bp",
    "payments", "days", "capacity",
)  # fmt: skip

LEG = st.fixed_dictionaries(
    {
        "mid": st.floats(99.0, 101.0),
        "spread_bp": st.floats(0.1, 30.0),
        "size": st.floats(20.0, 1e5),
        "rate_bp": st.floats(-60.0, 60.0),
        "hours": st.sampled_from([1.0, 2.0, 4.0, 8.0]),
        "left_h": st.sampled_from([0.25, 0.5, 1.0]),
        "median": st.one_of(st.floats(-30.0, 30.0), st.none()),
    }
)
LEGS = st.lists(LEG, min_size=2, max_size=3)
SOON = settings(max_examples=20)


def market(legs, with_spot=True, fees=PLAIN, ages=()):
    told = Told(conf(fees=fees))
    told.now += 100 * S
    for place, told_of in enumerate(legs):
        leg = dict(told_of)
        median, funding = leg.pop("median"), [leg.pop(x) for x in ("rate_bp", "hours", "left_h")]
        key = key_of(VENUES[place], "perp", "SOL")
        if median is not None:
            told.figures.median_8h_bp[key] = median
        age = ages[place] if place < len(ages) else 0
        told.now -= age * S
        told.perp(VENUES[place], "SOL", *funding, **leg)
        told.now += age * S
    if with_spot:
        told.leg("bybit", "spot", "SOL")
    told.look()
    return told


@SOON
@given(LEGS)
def test_a_pair_turned_round_turns_its_signs(legs):
    told = market(legs, with_spot=False)
    for combo in told.scan.openings.combos:
        row, back = told.of(combo.long, combo.short), told.of(combo.short, combo.long)
        assert row.rate_8h_bp == pytest.approx(-back.rate_8h_bp)
        assert row.settled_8h_bp == pytest.approx(-back.settled_8h_bp, nan_ok=True)
        assert row.velocity_bp_h == pytest.approx(-back.velocity_bp_h)
        # a basis has the long leg's price under it, which changes places too
        assert (1 + row.mid_bp / 1e4) * (1 + back.mid_bp / 1e4) == pytest.approx(1.0)
        assert math.isnan(row.open_bp) == math.isnan(back.close_bp)
        if not math.isnan(row.open_bp):
            assert (1 + row.open_bp / 1e4) * (1 + back.close_bp / 1e4) == pytest.approx(1.0)
        assert row.fair_bp == pytest.approx(-back.fair_bp)
        assert row.capacity == back.capacity
        assert row.state == back.state


@SOON
@given(LEGS, st.sampled_from(["rate", "next", "touch", "size"]))
def test_what_is_not_known_is_never_a_number(legs, what):
    told = market(legs)
    key = key_of("binance", "perp", "SOL")
    leg = told.market.universe.legs[key]
    if what == "rate":
        leg.funding.rate = NAN
    elif what == "next":
        leg.funding.interval_h = 0.0
    elif what == "touch":
        leg.bid = NAN
        leg.book = None
    else:
        leg.bid_size = NAN
        leg.book = None
    openings = told.look()
    for at, combo in enumerate(openings.combos):
        if key not in combo:
            continue
        unknown = {name for name in MONEY if math.isnan(getattr(openings, name)[at])}
        if what in ("rate", "next"):
            assert {"rate_8h_bp", "net_bp", "net_8h_bp", "payments", "days"} <= unknown
        elif what == "touch":
            assert unknown == set(MONEY) - {"rate_8h_bp"}
            assert openings.state[at] == MISSING
        else:
            assert {"net_bp", "cost_bp", "capacity", "payments"} <= unknown


@SOON
@given(LEGS, st.lists(st.integers(0, 60), min_size=3, max_size=3))
def test_stale_is_never_worth(legs, ages):
    told = market(legs, ages=ages)
    openings = told.scan.openings
    fresh = openings.age_s <= 15.0
    assert ((openings.state == FRESH) == fresh).all()
    worth = worth_of(openings)
    assert not worth[~fresh].any()
    assert not worth[~(openings.net_bp > 0.0)].any()
    assert not worth[~(openings.capacity >= openings.size)].any()
    assert told.scan.strip.worth_rows == np.count_nonzero(worth)
    held = apart(openings, worth)
    assert told.scan.strip.worth == len(held)
    legs = [key for at in held for key in openings.combos[at][2:]]
    assert len(legs) == len(set(legs))
    left = set(np.flatnonzero(worth).tolist()) - set(held)
    for at in left:  # a better one stands on a leg of it
        better = [x for x in held if set(openings.combos[x][2:]) & set(openings.combos[at][2:])]
        assert any(openings.net_bp[x] >= openings.net_bp[at] for x in better)


@SOON
@given(LEGS)
def test_the_parts_of_the_net_add_up(legs):
    o = market(legs).scan.openings
    parts = o.gain_bp + o.funding_bp - o.borrow_bp - o.cost_bp
    assert np.array_equal(parts, o.net_bp, equal_nan=True)
    short_spot = np.array([combo.kind == "perp-spot" for combo in o.combos])
    assert (o.borrow_bp[~short_spot] == 0.0).all()
    assert (o.borrow_bp[short_spot] > 0.0).all()


@SOON
@given(LEGS, st.floats(0.0001, 0.003), st.sampled_from(["spot_taker", "perp_taker"]))
def test_dearer_fees_leave_less(legs, more, which):
    cheap = market(legs).scan.openings
    fees = msgspec.structs.replace(PLAIN, **{which: getattr(PLAIN, which) + more})
    dear = market(legs, fees=fees).scan.openings
    met = [":spot:" in c.long + c.short if which == "spot_taker" else True for c in cheap.combos]
    known = np.isfinite(cheap.net_bp) & np.array(met)
    assert (np.isfinite(cheap.net_bp) == np.isfinite(dear.net_bp)).all()
    assert (dear.net_bp[known] < cheap.net_bp[known]).all()
    assert (dear.cost_bp[known] > cheap.cost_bp[known]).all()
    paid = np.isfinite(cheap.payments) & np.isfinite(dear.payments)
    assert (dear.payments[paid] >= cheap.payments[paid]).all()


@SOON
@given(LEGS)
def test_a_larger_size_is_never_cheaper(legs):
    told = market(legs)
    small = told.scan.openings
    told.scan.size *= 3
    large = told.look()
    both = np.isfinite(small.cost_bp) & np.isfinite(large.cost_bp)
    assert (large.cost_bp[both] >= small.cost_bp[both] - 1e-9).all()
    assert not (np.isfinite(large.cost_bp) & ~np.isfinite(small.cost_bp)).any()


@SOON
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=12, max_size=12))
def test_no_page_breaks_it(wild):
    """Warnings are errors here: nothing that a page may say makes numpy complain."""
    told = Told()
    spot, perp = told.leg("bybit", "spot", "SOL"), told.perp("binance", "SOL", 3.0)
    rows = (ScanRow(spot, *wild[:4]), ScanRow(perp, *wild[4:10], rate=wild[10], cap=wild[11]))
    for row in rows:
        told.market.apply_all([ScanPage(row.instrument.partition(":")[0], (row,))], told.now)
    openings = told.look()
    assert len(openings) in (0, 2)  # an odd price leaves no pair
    for name in MONEY:
        assert not np.isneginf(getattr(openings, name)).any()
