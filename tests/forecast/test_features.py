"""The vector by example: what each feature says of a tick whose every number is known."""

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
from feature_rig import NEXT_MS, NS, SETTLED, T0, tick

from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.table import FEATURES, FIRST, GROUPS, INDEX, NAMES, N, missing, sided
from basisdesk.forecast.words import Tick


def named(vector):
    return SimpleNamespace(**dict(zip(NAMES, vector.tolist(), strict=True)))


def run(state, ticks):
    vector = None
    for one in ticks:
        vector = state.update(one)
    return named(vector)


def steady(count, step=1.0, start=0.0, **more):
    return [tick(start + step * i, **more) for i in range(count)]


# --- the table -----------------------------------------------------------------------------------


def test_forty_four_features_in_one_order():
    assert N == 44 == len(set(NAMES))
    letters = "".join(f.group for f in FEATURES)
    assert letters == "A" * 14 + "B" * 10 + "C" * 7 + "D" * 5 + "E" * 4 + "F" * 4
    assert {f.group for f in FEATURES} == set(GROUPS)
    assert [NAMES[i] for i in (0, 13, 14, 23, 24, 30, 31, 36, 40, 43)] == [
        "b_mid", "db_10m", "f_last", "cap_dist", "spr_s", "mp_lean", "ofi_f", "rv_10m", "xv_f",
        "sec_z",
    ]  # fmt: skip


def test_each_row_says_what_it_is():
    for f in FEATURES:
        assert f.window
        assert f.formula
        assert f.source
        assert 0.0 <= f.first_s <= f.warm_s
        assert "quant" not in f.source


def test_a_side_is_the_mirror_of_the_other():
    vector = np.arange(float(N))
    assert sided(vector, 1) is vector
    other = sided(vector, -1)
    assert other[INDEX["x_fair"]] == -2.0
    assert other[INDEX["sd_2h"]] == INDEX["sd_2h"]
    np.testing.assert_array_equal(sided(other, -1), vector)


def test_missing_features_are_named():
    vector = np.zeros(N)
    vector[[1, 43]] = math.nan
    assert missing(vector) == ("b_exec_in", "sec_z")


# --- the first beat ------------------------------------------------------------------------------


def test_what_the_first_tick_says():
    found = named(FeatureState().update(tick(0.0)))
    assert found.b_mid == pytest.approx(10.0)
    assert found.b_exec_in == pytest.approx(9.0)
    assert found.x_fair == pytest.approx(14.5)
    assert found.edge == pytest.approx(9.0 + 4.0 - 8.0)
    assert (found.f_last, found.f_ind) == (1.0, pytest.approx(1.0))
    assert found.pinned == 1.0
    assert found.t_next == pytest.approx(6_400 / 28_800)
    assert found.cap_dist == pytest.approx(74 / 75)
    hour = (T0 % 86_400) / 86_400 * 2 * math.pi
    assert (found.hour_sin, found.hour_cos) == pytest.approx((math.sin(hour), math.cos(hour)))
    assert (found.dr5_s, found.dr5_f) == (0.0, 0.5)
    assert found.depth_rel == pytest.approx(math.log(2.0))
    assert (found.impact, found.mp_lean) == (1.0, 0.0)
    assert (found.xv_f, found.xv_b, found.mkt_x, found.sec_z) == (0.25, -0.5, 3.0, 1.5)
    assert found.f_z == pytest.approx((1.0 - 1.5) / (1.4826 * 0.5))


def test_what_the_first_tick_cannot_know():
    vector = FeatureState().update(tick(0.0))
    assert set(missing(vector)) == {
        "z_5m", "z_2h", "z_24h", "z_72h", "sd_2h", "sd_ratio", "slope", "hl_log", "age", "db_10m",
        "f_vel", "spr_s", "spr_f", "ofi_f", "ofi_s", "ofi_diff_1m", "tsign_f", "int_ratio",
        "rv_10m", "ret_1h", "corr", "lead",
    }  # fmt: skip


def test_the_other_side_enters_at_the_other_line():
    found = named(FeatureState().update(tick(0.0, direction=-1, target_bp=2.0)))
    assert found.b_exec_in == pytest.approx(11.0)
    assert found.edge == pytest.approx(-(11.0 - 2.0) - 8.0)


def test_an_empty_tick_says_the_hour_and_nothing_else():
    vector = FeatureState().update(Tick(t_ns=T0 * NS))
    assert set(NAMES) - set(missing(vector)) == {"hour_sin", "hour_cos"}


# --- means ---------------------------------------------------------------------------------------


def test_the_current_tick_is_never_in_its_own_mean():
    calm, jump = FeatureState(), FeatureState()
    for one in steady(2_000):
        calm.update(one)
        jump.update(one)
    same = named(calm.update(tick(2_000.0)))
    found = named(jump.update(tick(2_000.0, b=13.0)))
    for z in ("z_5m", "z_2h", "z_24h"):  # the deviation is the floor: nothing moved before
        assert getattr(same, z) == pytest.approx(0.0, abs=1e-6)
        assert getattr(found, z) == pytest.approx(3.0 / 0.3, rel=1e-6)
    assert found.sd_2h == same.sd_2h
    assert found.db_10m == pytest.approx(3.0)
    assert found.spr_s == same.spr_s


def test_z_of_5_minutes_by_hand_over_irregular_time():
    # 9 for 100 s, then 11 for 100 s told at once: the mean leans on how long, not on how many
    state = FeatureState()
    times = [0.0, 10.0, 30.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 100.0]
    for s in times:
        state.update(tick(s, b=9.0))
    state.update(tick(200.0, b=11.0))
    nine, eleven = 1 - math.exp(-100 / 300), 1 - math.exp(-100 / 300)
    share = eleven / (eleven + nine * math.exp(-100 / 300))
    mean = 9.0 + 2.0 * share
    sd = math.sqrt(share * (1 - share)) * 2.0
    found = named(state.update(tick(201.0, b=12.0)))
    assert found.z_5m == pytest.approx((12.0 - mean) / sd)


def test_slope_and_ratio_of_deviations():
    state = FeatureState()
    for i in range(7_200):
        state.update(tick(float(i), b=10.0 + (1.0 if i % 20 < 10 else -1.0)))
    for i in range(7_200, 7_500):
        found = named(state.update(tick(float(i), b=13.0)))
    m5, m2 = state.basis.mean_5m, state.basis.mean_2h
    assert 0.5 < found.slope < 3.0
    assert found.slope == pytest.approx((m5.mean - m2.mean) / m2.sd, rel=0.05)
    assert found.sd_ratio > 0.0  # the last minutes were wilder than the day


def test_age_counts_from_the_crossing():
    state = FeatureState()
    run(state, steady(2_000))
    first = named(state.update(tick(2_000.0, b=15.0)))
    later = run(state, steady(60, start=2_001.0, b=15.0))
    assert (first.age, later.age) == (0.0, pytest.approx(1.0))
    back = named(state.update(tick(2_061.0, b=10.0)))
    assert back.age == 0.0


def test_basis_of_ten_minutes_ago():
    state = FeatureState()
    for i in range(1_000):
        found = named(state.update(tick(float(i), b=i / 100)))
    assert found.db_10m == pytest.approx((999 - 390) / 100)


# --- funding -------------------------------------------------------------------------------------


def test_velocity_of_a_ramp_is_its_slope_and_a_settlement_is_none():
    state = FeatureState()
    for i in range(0, 20_000, 10):  # half a bp an hour
        found = named(state.update(tick(float(i), rate=(i / 3600 * 0.5) * 1e-4)))
    assert found.f_vel == pytest.approx(0.5, rel=1e-3)
    beside = FeatureState.restored(state.dump())
    jumped = named(beside.update(tick(20_000.0, rate=(i / 3600 * 0.5 + 36.2) * 1e-4)))
    assert jumped.f_vel - found.f_vel == pytest.approx(72.0, rel=1e-3)  # over tau and a step, whole
    after = named(state.update(tick(20_000.0, rate=-5e-4, next_ms=NEXT_MS + 28_800_000)))
    assert after.f_ind == pytest.approx(-5.0)
    assert after.f_vel == pytest.approx(0.5, rel=1e-2)


def test_a_tail_that_is_not_there_yet_is_no_news():
    state = FeatureState()
    run(state, steady(5, step=10.0))
    found = run(state, steady(2, step=10.0, start=50.0, settled=()))
    assert (found.f_last, found.f_z) == (1.0, pytest.approx(-0.5 / (1.4826 * 0.5)))


def test_rates_of_short_intervals_are_told_for_8_hours():
    found = named(FeatureState().update(tick(0.0, interval_h=1.0, rate=1e-4)))
    assert found.f_ind == pytest.approx(8.0)
    assert found.pinned == 0.0
    assert found.t_next == 1.0  # a stamp beyond the interval is a whole interval


def test_momentum_by_hand():
    rows = ((NEXT_MS - 57_600_000, 1.0), (NEXT_MS - 28_800_000, 3.0))
    found = named(FeatureState().update(tick(0.0, settled=rows)))
    fast, slow = 1.0 + 0.5 * 2.0, 1.0 + 2.0 / 22.0 * 2.0
    assert found.f_mom == pytest.approx(fast - slow)
    assert found.f_last == 3.0
    assert math.isnan(found.f_z)  # two settlements are no median


def test_funding_that_always_prints_the_same_has_a_floor():
    rows = tuple((ms, 1.0) for ms, _ in SETTLED)
    found = named(FeatureState().update(tick(0.0, settled=rows, rate=2e-4)))
    assert found.f_z == pytest.approx(1.0 / 0.2)


# --- books and flow ------------------------------------------------------------------------------


def test_spread_against_its_median():
    state = FeatureState()
    run(state, steady(200))
    found = named(state.update(tick(200.0, spot_bid=99.98, spot_ask=100.02)))
    assert found.spr_s == pytest.approx(4.0, rel=1e-3)
    assert found.spr_f == pytest.approx(1.0, rel=1e-3)


def test_lean_is_microprice_less_mid():
    one = tick(0.0, perp_bid_size=8.0, perp_ask_size=2.0)
    found = named(FeatureState().update(one))
    assert found.mp_lean == pytest.approx(1e4 * (one.perp_micro - one.perp_mid) / one.perp_mid)
    assert found.mp_lean > 0.0


def test_order_flow_by_hand():
    state = FeatureState()
    run(state, steady(61))  # equal touches: bids come as they go
    up = tick(61.0, perp_bid=100.2, perp_ask=100.3, perp_bid_size=7.0, perp_ask_size=4.0)
    found = named(state.update(up))
    # the bid rose: its 7 are new; the ask rose: its 5 of before are gone, which is buying too
    assert found.ofi_f == pytest.approx((7.0 + 5.0) / 5.0)  # of the touches before, all of 5
    assert found.ofi_s == 0.0
    assert found.ofi_diff_1m == pytest.approx((7.0 + 5.0) / 5.0)
    down = tick(62.0, perp_bid=100.2, perp_ask=100.3, perp_bid_size=5.0, perp_ask_size=4.0)
    later = named(state.update(down))
    size = 5.0 - math.expm1(-1 / 60) * (5.5 - 5.0)
    assert later.ofi_f == pytest.approx((12.0 * math.exp(-0.1) - 2.0) / size)


def test_a_lost_touch_starts_the_flow_anew():
    state = FeatureState()
    run(state, steady(61))
    gone = named(state.update(tick(61.0, perp_bid=math.nan)))
    assert math.isnan(gone.ofi_f)
    assert math.isnan(gone.b_mid)
    assert gone.ofi_s == 0.0
    back = named(state.update(tick(62.0, perp_bid=150.0, perp_ask=150.1)))
    assert math.isnan(back.ofi_f)


def test_taker_sign_by_hand():
    state = FeatureState()
    found = run(state, steady(200))
    assert found.tsign_f == pytest.approx(0.5)  # perp: 1 of 2 more bought; spot: even
    found = named(state.update(tick(200.0, perp_signed=-2.0)))
    volume = 2.0 / -math.expm1(-1 / 60)
    assert found.tsign_f == pytest.approx(0.5 - 3.0 / volume, abs=0.01)
    silent = run(state, steady(200, start=201.0, perp_signed=0.0, perp_volume=0.0))
    assert silent.tsign_f == 0.0
    unheard = named(state.update(tick(402.0, perp_volume=math.nan)))
    assert math.isnan(unheard.tsign_f)


def test_intensity_doubles():
    state = FeatureState()
    run(state, steady(2_000))
    found = run(state, steady(10, start=2_000.0, perp_trades=3.0))
    assert found.int_ratio == pytest.approx(2.0 - math.exp(-1), rel=0.01)


# --- moves ---------------------------------------------------------------------------------------


def test_volatility_of_a_known_zigzag():
    state = FeatureState()
    step = 1e-3
    for i in range(499):
        found = named(state.update(tick(10.0 * i, spot=100.0 * math.exp(step * (i % 2)))))
    assert found.rv_10m == pytest.approx(step * math.sqrt(31_536_000 / 10), rel=1e-6)
    assert found.ret_1h == pytest.approx(0.0, abs=1e-9)  # an hour ago it stood on the same side
    jumped = named(state.update(tick(4_985.0, spot=110.0)))  # before it makes a 10 s return
    assert jumped.ret_1h == pytest.approx(math.log(1.1) / (step * math.sqrt(360)), rel=1e-6)
    assert found.corr == pytest.approx(math.atanh(0.999_999))  # the basis never moved


def test_legs_that_move_apart_are_not_correlated():
    rnd = random.Random(4)
    state = FeatureState()
    spot = perp = 0.0
    for i in range(1_000):
        spot += rnd.gauss(0.0, 1e-4)
        perp += rnd.gauss(0.0, 1e-4)
        price = 100.0 * math.exp(spot)
        b = 1e4 * (math.exp(perp - spot) - 1.0)
        found = named(state.update(tick(10.0 * i, b=b, spot=price)))
    assert abs(found.corr) < 0.3


@pytest.mark.parametrize(("leader", "low", "high"), [("perp", 0.9, 1.0), ("spot", 0.0, 0.1)])
def test_who_leads_by_who_corrects(leader, low, high):
    rnd = random.Random(6)
    state = FeatureState()
    ahead = behind = 0.0
    for i in range(1_500):
        behind += 0.3 * (ahead - behind)  # the follower closes a third of the gap each second
        ahead += rnd.gauss(0.0, 1e-4)
        spot, perp = (behind, ahead) if leader == "perp" else (ahead, behind)
        price = 100.0 * math.exp(spot)
        b = 1e4 * (math.exp(perp - spot) - 1.0)
        found = named(state.update(tick(float(i), b=b, spot=price)))
    assert low <= found.lead <= high


# --- stale, early, late --------------------------------------------------------------------------


def test_a_stale_tick_says_and_moves_nothing():
    state, without = FeatureState(), FeatureState()
    run(state, steady(700))
    run(without, steady(700))
    assert len(missing(state.update(tick(700.0, b=50.0, stale="too old")))) == N
    np.testing.assert_array_equal(state.update(tick(701.0)), without.update(tick(701.0)))


def test_a_tick_that_is_not_later_says_nothing():
    state = FeatureState()
    state.update(tick(5.0))
    before = state.dump()
    for s in (5.0, 4.0):
        assert len(missing(state.update(tick(s)))) == N
    assert state.dump() == before


def test_no_feature_comes_before_its_time_and_all_are_warm_in_the_end():
    state = FeatureState()
    first = {}
    for i in range(0, 14_500, 2):
        b = 10.0 + math.sin(i / 500) + 0.3 * math.sin(i * i)
        vector = state.update(tick(float(i), b=b, spot=100.0 + math.sin(i)))
        for at in np.flatnonzero(~np.isnan(vector)).tolist():
            first.setdefault(NAMES[at], float(i))
    for name, s in first.items():
        assert s >= FIRST[name], name
        assert s <= FIRST[name] + 120.0 or name in ("age", "lead", "hl_log"), name
    late = {"z_2h", "z_24h", "z_72h", "sd_2h", "sd_ratio", "slope", "hl_log", "age"}
    assert set(state.warming) == late
    for i in range(14_500, 14_500 + 240 * 3_600, 600):
        state.update(tick(float(i)))
    assert not set(state.warming) & late


def test_past_minutes_warm_the_long_means():
    state = FeatureState()
    for i in range(600):
        price, basis = 100.0, 10.0 + (i % 7) / 10
        perp = price * (1 + basis / 1e4)
        state.update(Tick(t_ns=(T0 - 36_000 + 60 * i) * NS, spot_bid=price, spot_ask=price,
                          perp_bid=perp, perp_ask=perp))  # fmt: skip
    found = named(state.update(tick(0.0, b=11.0)))
    assert all(math.isfinite(z) for z in (found.z_5m, found.z_2h, found.z_24h, found.z_72h))
    assert "z_2h" not in state.warming
    assert math.isnan(found.ofi_f)
