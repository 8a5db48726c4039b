"""Bootstrap, placebo, Holm and the control regression: right on paper, honest in null worlds."""

import math
from dataclasses import replace

import numpy as np
import pytest

from basisdesk.lab.rotation import ground_of, studied, verdict_of, whole_verdict
from basisdesk.lab.rotation_events import Events, events_of, story_of
from basisdesk.lab.rotation_panel import Plan
from basisdesk.lab.rotation_sim import simulated, simulated_maps
from basisdesk.lab.rotation_tests import (
    Answer,
    Ground,
    Interval,
    answers,
    bootstrap,
    control,
    drawn_blocks,
    holm,
    naive_p,
    placebo,
)

PLAN = replace(Plan(), draws=300)
NAN = math.nan


def events(at, sector, side=1):
    size = len(at)
    sides = np.full(size, side, dtype=np.int64)
    return Events(np.array(at), np.array(sector), sides, np.full(size, 2.0), np.zeros(size))


def test_holm_against_the_example_worked_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    with_hole = holm([0.01, NAN, 0.9, 0.5])
    assert with_hole[0] == pytest.approx(0.04)
    assert math.isnan(with_hole[1])
    assert with_hole[2] == 1.0


def test_p_below_five_percent_says_the_same_as_an_interval_without_zero():
    rng = np.random.default_rng(2)
    for shift in np.linspace(0.0, 0.6, 13):
        values = rng.standard_normal(200) + shift
        mean, p = bootstrap(values, np.arange(200) // 10, drawn_blocks(20, 999, rng))
        assert mean.value == pytest.approx(values.mean())
        if abs(p - 0.05) > 0.003:
            assert (p < 0.05) is mean.off_zero


def test_blocks_widen_what_shares_its_luck():
    rng = np.random.default_rng(4)
    shared = np.repeat(rng.standard_normal(30), 20)
    blocks = np.repeat(np.arange(30), 20)
    whole, _ = bootstrap(shared, blocks, drawn_blocks(30, 999, rng))
    assert whole.half == pytest.approx(2.0 * shared.std() / math.sqrt(30), rel=0.25)
    assert whole.half > 3.0 * 2.0 * shared.std() / math.sqrt(600)


def test_too_little_to_draw_from_is_no_interval():
    rng = np.random.default_rng(1)
    assert math.isnan(bootstrap(np.empty(0), np.empty(0, int), drawn_blocks(10, 100, rng))[1])
    assert math.isnan(bootstrap(np.ones(5), np.zeros(5, int), drawn_blocks(1, 100, rng))[0].low)
    assert math.isnan(naive_p(np.ones(2)))
    assert math.isnan(placebo(np.full((9, 1), np.nan), events([1], [0]), 10, 1)[0])


def test_the_placebo_gives_nothing_for_a_sector_that_always_rises():
    rng = np.random.default_rng(8)
    outcome = 0.02 + 0.001 * rng.standard_normal((600, 2))
    pattern = events(list(range(10, 590, 10)), [0] * 58)
    assert placebo(outcome, pattern, 500, 1)[0] > 0.05
    outcome[pattern.at, 0] += 0.002
    assert placebo(outcome, pattern, 500, 1)[0] < 0.01


def test_returns_just_before_events_are_no_part_of_the_placebo():
    rng = np.random.default_rng(9)
    at = np.sort(rng.choice(np.arange(5, 890), 40, replace=False))
    outcome = 0.01 * rng.standard_normal((900, 1))
    outcome[at, 0] += 0.005
    calm = placebo(outcome, events(at, [0] * 40), 500, 1)[1]
    outcome[np.setdiff1d(at - 1, at), 0] += 0.2  # what made the funding
    wild = placebo(outcome, events(at, [0] * 40), 500, 1)[1]
    assert wild.max() < calm.max() + 0.2 * 12 / 40  # a shift of one row would earn all 40


def test_an_effect_of_past_returns_dies_beside_them_and_one_of_events_does_not():
    rng = np.random.default_rng(5)
    past = 0.03 * rng.standard_normal((900, 4))
    at, sector = np.nonzero(past > 0.03)
    pattern = events(at, sector)
    blocks = np.arange(900) // 90
    reversal = -0.3 * past + 0.01 * rng.standard_normal(past.shape)
    of_event = 0.01 * rng.standard_normal(past.shape)
    of_event[at, sector] += 0.01
    both_sides = Events(
        *(np.concatenate((a, b)) for a, b in zip(pattern, drops(past), strict=True))
    )
    for outcome, dies in ((reversal, True), (of_event, False)):
        ground = Ground({6: outcome}, past, blocks, np.zeros_like(past))
        bare, held = control(ground, both_sides, 6, drawn_blocks(10, 500, rng))[1]
        assert bare.off_zero
        assert held.off_zero is not dies


def drops(past):
    at, sector = np.nonzero(past < -0.03)
    return events(at, sector, side=-1)


def test_nothing_is_found_where_there_is_nothing_and_a_naive_test_finds_it_all_the_same():
    plan, naive, used, family = replace(PLAN, draws=200), 0, 0, 0
    for seed in range(1_000, 1_006):
        tests = studied(simulated(1.0, seed), simulated_maps(), plan, seed).tests
        naive += sum(each.naive_p < 0.05 for each in tests)
        used += sum(each.p < 0.05 for each in tests)
        family += any(each.p_holm < 0.05 for each in tests)
    assert used <= 4  # of 24, nominal 1
    assert family <= 1
    assert naive > used + 1


@pytest.mark.parametrize("edge_bp", [90.0, -90.0])
def test_a_planted_edge_is_found_with_its_sign_and_size(edge_bp):
    found = studied(simulated(2.0, 3, edge_bp), simulated_maps(), PLAN, 3)
    assert found.verdict == "SUPPORTED"
    spike, drop = found.tests[1], found.tests[3]
    assert (spike.end, drop.end, spike.side, drop.side) == (6, 6, 1, -1)
    assert spike.mean.low < edge_bp * 1e-4 < spike.mean.high
    assert drop.mean.low < -edge_bp * 1e-4 < drop.mean.high
    assert (spike.hit_apart.value > 0.0) is (edge_bp > 0.0)


def test_the_same_seed_gives_the_same_figures():
    one, other = (studied(simulated(0.75, 4), simulated_maps(), PLAN, 4) for _ in range(2))
    assert repr(one.tests) == repr(other.tests)
    assert np.array_equal(one.panel.rate, other.panel.rate)


def test_too_few_blocks_give_no_interval_at_all():
    panel, maps = simulated(0.5, 1), simulated_maps()
    story = story_of(panel, maps, PLAN)
    found = answers(ground_of(panel, story, PLAN), events_of(story, panel.stamps_ms, PLAN), PLAN, 1)
    assert all(math.isnan(each.mean.low) and math.isnan(each.p_holm) for each in found)
    assert all(verdict_of(each, PLAN) == "UNDERPOWERED" for each in found)


def answer(mean, p, held, n):
    unknown = Interval(NAN, NAN, NAN)
    return Answer(
        1, 6, n, Interval(*mean), 0.0, 0.5, 0.5, unknown, 0.5, 0.5, p, p, p, p,
        Interval(*mean), Interval(*held),
    )  # fmt: skip


CLEAR, NOTHING = (0.004, 0.002, 0.006), (0.0, -0.002, 0.002)


@pytest.mark.parametrize(
    ("mean", "p", "held", "n", "verdict"),
    [
        (CLEAR, 0.01, CLEAR, 100, "SUPPORTED"),
        (CLEAR, 0.01, NOTHING, 100, "NOT SUPPORTED"),  # it was momentum
        (CLEAR, 0.01, (-0.004, -0.006, -0.002), 100, "NOT SUPPORTED"),
        (CLEAR, 0.06, CLEAR, 100, "UNDERPOWERED"),
        (NOTHING, 0.9, NOTHING, 100, "NOT SUPPORTED"),
        ((0.0, -0.005, 0.005), 0.9, NOTHING, 100, "UNDERPOWERED"),
        (CLEAR, 0.01, CLEAR, 29, "UNDERPOWERED"),
        ((0.0, NAN, NAN), NAN, NOTHING, 100, "UNDERPOWERED"),
    ],
)
def test_verdict_of_one_test(mean, p, held, n, verdict):
    assert verdict_of(answer(mean, p, held, n), PLAN) == verdict


def test_verdict_of_all_four():
    no, low, yes = "NOT SUPPORTED", "UNDERPOWERED", "SUPPORTED"
    assert whole_verdict([no] * 4, hindsight=False) == no
    assert whole_verdict([no, low, no, no], hindsight=False) == low
    assert whole_verdict([no, low, no, yes], hindsight=False) == yes
    assert whole_verdict([no, low, no, yes], hindsight=True) == low
