import json
import math

import pytest

from basisdesk.forecast.counts import ACROSS, Baselines, Effective, Payoff

H = 8 * 3_600 * 10**9


def test_labels_of_one_pair_count_their_time_over_the_horizon():
    effective = Effective(H)
    for i in range(97):  # every five minutes for eight hours
        effective.take("one", i * H // 96)
    assert effective.n == pytest.approx(2.0)  # the first whole, and what 8 h more cover
    assert effective.share == pytest.approx(2.0 / 97)


def test_labels_apart_count_whole():
    effective = Effective(H)
    assert [effective.take("one", i * H) for i in range(5)] == [1.0] * 5


def test_pairs_that_are_open_together_share():
    effective = Effective(H)
    assert effective.take("one", 0) == 1.0
    assert effective.take("two", H // 2) == pytest.approx(1 / (1 + ACROSS))
    assert effective.take("three", H // 2) == pytest.approx(1 / (1 + 2 * ACROSS))
    assert effective.take("four", 10 * H) == 1.0


def test_before_the_first_outcome_the_share_is_whole():
    assert Effective(H).share == 1.0


def test_the_break_even_probability_begins_at_what_is_registered():
    """Gain 10, stop 20, costs 31: 51 / 61; with a gain of 5 it is 51 / 56."""
    assert Payoff(10, 20).p_star(31) == pytest.approx(0.836, abs=5e-4)
    assert Payoff(5, 20).p_star(31) == pytest.approx(0.911, abs=5e-4)


def test_it_follows_what_gains_and_losses_truly_were():
    payoff = Payoff(10, 20)
    for _ in range(3_000):
        payoff.take(1, 14.0, 31.0)
        payoff.take(0, -41.0, 31.0)  # 10 before costs
    assert payoff.gain_bp == pytest.approx(14.0, abs=0.1)
    assert payoff.loss_bp(31.0) == pytest.approx(41.0, abs=0.1)
    assert payoff.loss_bp(10.0) == pytest.approx(20.0, abs=0.1)  # another pair's costs
    assert payoff.p_star(math.nan) == pytest.approx(41 / 55, abs=0.01)


def test_whatever_comes_p_star_is_a_probability():
    payoff = Payoff(10, 20)
    payoff.take(1, math.nan, 3.0)
    payoff.take(0, math.inf, 3.0)
    for _ in range(2_000):
        payoff.take(0, 500.0, 3.0)  # failures that earn
    for cost in (-1e9, 0.0, 1e9, math.nan, math.inf):
        assert 0.0 <= payoff.p_star(cost) <= 1.0
    assert Payoff(0, 0).p_star(0) == 1.0


def test_no_single_outcome_moves_the_line_of_all():
    payoff, usual = Payoff(10, 20), Payoff(10, 20)
    payoff.take(1, 1e6, 31.0)
    usual.take(1, 50.0, 31.0)
    assert payoff.p_star(31.0) == usual.p_star(31.0) > 0.75
    payoff.take(0, -1e6, 31.0)
    assert payoff.loss_bp(31.0) < 31.0 + 30.0
    kept = payoff.dump()
    kept["gain"] = [21.0, 1e6]  # as an older program may have kept it
    assert Payoff.restored(kept).gain_bp == pytest.approx(50.0)


def test_a_clock_that_was_ahead_is_forgotten():
    effective = Effective(H)
    effective.take("one", 1_000 * H)
    assert effective.take("two", 0) == 1.0
    assert [effective.take("one", i * H // 2) for i in (1, 3)] == [pytest.approx(1 / 1.54), 1.0]


def test_z_bins_know_what_the_base_rate_does_not():
    baselines = Baselines()
    assert baselines.base == 0.5
    for i in range(2_000):
        high = i % 2
        baselines.take(3.5 if high else 0.2, int(i % 10 != 0) if high else int(i % 10 < 2))
    assert baselines.by_z(3.2) == pytest.approx(1.0, abs=0.03)
    assert baselines.by_z(0.1) == pytest.approx(0.2, abs=0.03)
    assert baselines.by_z(math.nan) == baselines.base
    assert baselines.by_z(-9.0) == pytest.approx(baselines.base)


def test_all_of_them_are_restored_bit_for_bit():
    effective, payoff, baselines = Effective(H), Payoff(10, 20), Baselines()
    for i in range(50):
        effective.take(f"pair {i % 3}", i * H // 7)
        payoff.take(i % 2, 10.0 - i, 30.0)
        baselines.take(i / 10, i % 2)
    for each in (effective, payoff, baselines):
        assert type(each).restored(json.loads(json.dumps(each.dump()))).dump() == each.dump()
