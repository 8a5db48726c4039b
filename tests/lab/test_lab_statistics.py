"""The lab's statistics against published figures, exact cases and worlds whose truth is known."""

import math

import numpy as np
import pytest

from basisdesk.lab import statistics as stats

# Annual Sharpe ratio at which the deflated one reaches .95: daily data, skew -1, kurtosis 10, by
# days and trials (1, 20, 210, 1000).
NEEDED = {
    90: (3.8, 8.4, 10.6, 11.8),
    180: (2.5, 5.6, 7.0, 7.8),
    365: (1.7, 3.8, 4.7, 5.2),
    1095: (1.0, 2.1, 2.6, 2.9),
}


@pytest.mark.parametrize("days", NEEDED)
def test_the_sharpe_needed_after_so_many_trials(days: int) -> None:
    found = [stats.annual(stats.sharpe_needed(days, n, -1.0, 10.0)) for n in (1, 20, 210, 1000)]
    assert [round(each, 1) for each in found] == list(NEEDED[days])


def test_the_worked_example_of_the_deflated_sharpe_paper() -> None:
    # Bailey and Lopez de Prado 2014, section "A numerical example": annual Sharpe 2.5 on five years
    # of 250 days, 100 trials, variance of annual Sharpe over trials 1/2, skew -3, kurtosis 10.
    sd = math.sqrt(0.5 / 250.0)
    assert stats.luck(100, sd) == pytest.approx(0.1132, abs=5e-5)
    found = stats.psr(2.5 / math.sqrt(250.0), 1250, -3.0, 10.0, stats.luck(100, sd))
    assert found == pytest.approx(0.9004, abs=5e-5)


def test_excess_kurtosis_would_be_another_answer() -> None:
    assert stats.psr(0.2, 90, -1.0, 10.0) < stats.psr(0.2, 90, -1.0, 7.0)


def test_moments_of_a_normal_law() -> None:
    found = stats.moments(np.random.default_rng(1).normal(0.5, 2.0, 200_000))
    assert found.sharpe == pytest.approx(0.25, abs=0.01)
    assert found.skew == pytest.approx(0.0, abs=0.02)
    assert found.kurtosis == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize("returns", [np.zeros(0), np.zeros(1), np.zeros(50), np.full(50, 0.1)])
def test_what_does_not_move_has_no_sharpe(returns: np.ndarray) -> None:
    assert stats.moments(returns).sharpe == 0.0
    n = max(len(returns), 1)
    sums, squares = returns.sum(keepdims=True), (returns**2).sum(keepdims=True)
    assert stats.sharpes(sums, squares, float(n)).tolist() == [0.0]


def test_sharpe_from_sums_is_sharpe_from_returns() -> None:
    returns = np.random.default_rng(2).normal(1e-4, 1e-3, 300)
    found = stats.sharpes(returns.sum(keepdims=True), (returns**2).sum(keepdims=True), 300.0)
    assert found[0] == pytest.approx(stats.moments(returns).sharpe, rel=1e-9)


def test_an_interval_by_blocks_holds_the_truth_where_a_naive_one_does_not() -> None:
    # runs of ten equal days: 200 days are 20 observations
    held = naive = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        returns = np.repeat(rng.normal(0.0, 1.0, 60), 10)
        block = np.arange(600) // 20
        found = stats.block_mean(returns, block, seed, draws=400)
        held += found.low <= 0.0 <= found.high
        naive += abs(returns.mean()) <= 1.96 * returns.std() / math.sqrt(600.0)
    assert held >= 178  # 89 %: blocks are few
    assert naive <= 120


def test_few_blocks_have_no_interval() -> None:
    found = stats.block_mean(np.ones(70), np.arange(70) // 10, 1)
    assert (found.value, found.low, found.high, found.blocks) == (1.0, -math.inf, math.inf, 7)
    assert stats.block_sharpe(np.ones(70), np.arange(70) // 10, 1).low == -math.inf


def test_the_same_seed_gives_the_same_interval() -> None:
    returns, block = np.random.default_rng(3).normal(size=200), np.arange(200) // 10
    assert stats.block_mean(returns, block, 5) == stats.block_mean(returns, block, 5)
    assert stats.block_mean(returns, block, 5) != stats.block_mean(returns, block, 6)
    assert stats.block_sharpe(returns, block, 5) == stats.block_sharpe(returns, block, 5)


def test_a_pair_is_compared_in_one_world() -> None:
    rng = np.random.default_rng(4)
    market, block = rng.normal(0.0, 10.0, 300), np.arange(300) // 10
    found = stats.paired_mean(market + 0.1, market, block, 1)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))


def test_calendar_blocks_count_from_1970() -> None:
    days = np.arange(40) * stats.DAY_NS
    assert stats.calendar_blocks(days, 30.0).tolist() == [0] * 30 + [1] * 10


def test_cvar_is_the_mean_of_the_worst() -> None:
    assert stats.cvar(np.array([-4.0, -2.0, 0.0, 1.0]), 0.5) == -3.0
    assert stats.cvar(np.array([-4.0, -2.0, 0.0, 1.0]), 0.375) == pytest.approx(-10.0 / 3.0)
    assert stats.cvar(np.array([-4.0, 5.0]), 0.05) == -4.0
    assert math.isnan(stats.cvar(np.zeros(0)))


def test_drawdown_begins_at_the_start() -> None:
    assert stats.max_drawdown(np.array([-1.0, 3.0, -2.0, 1.0])) == 2.0
    assert stats.max_drawdown(np.array([-1.0])) == 1.0
    assert stats.max_drawdown(np.zeros(0)) == 0.0


def _parts(returns: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cut = returns.reshape(parts, -1, returns.shape[1])
    return cut.sum(axis=1), (cut**2).sum(axis=1), np.full(parts, float(cut.shape[1]))


def test_noise_is_found_to_be_overfitted_and_skill_is_not() -> None:
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(20):
        found = stats.overfitting(*_parts(rng.normal(size=(240, 60)), 8))
        assert found is not None
        shares.append(found.pbo)
    assert 0.4 < np.mean(shares) < 0.75  # no skill: the best is anywhere, a little below (the same
    returns = rng.normal(size=(240, 60))  # days make both halves)
    returns[:, 17] += 1.0
    skilled = stats.overfitting(*_parts(returns, 8))
    assert skilled is not None
    assert (skilled.pbo, skilled.splits, skilled.parts, skilled.trials) == (0.0, 70, 8, 60)


def test_overfitting_joins_neighbours_and_leaves_nothing_out() -> None:
    returns = np.random.default_rng(6).normal(size=(33, 10))
    many = stats.overfitting(*_parts(returns, 33))
    assert many is not None
    assert (many.parts, many.splits) == (12, 924)
    first = [0, 2, 5, 8, 11, 13, 16, 19, 22, 24, 27, 30]
    joined = [np.add.reduceat(each, first, axis=0) for each in _parts(returns, 33)]
    assert many == stats.overfitting(*joined)
    assert stats.overfitting(*_parts(returns[:5], 5)) is None
    assert stats.overfitting(*_parts(returns[:7], 7)) is not None
    assert stats.overfitting(*_parts(returns[:, :1], 33)) is None
    assert stats.overfitting(*_parts(returns[:0], 1)) is None
