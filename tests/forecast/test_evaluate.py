import math

import numpy as np
import pytest

from basisdesk.forecast.evaluate import (
    Interval,
    Outcomes,
    auc,
    bars,
    brier,
    brier_skill,
    ece,
    effective,
    log_loss,
    paired,
    report,
    verdict,
)
from basisdesk.market.stats import wilson

H_S = 8 * 3_600.0
A = np.array


def test_figures_by_hand():
    p, y = A([0.9, 0.6, 0.2, 0.1]), A([1.0, 0.0, 0.0, 1.0])
    assert brier(p, y) == pytest.approx((0.01 + 0.36 + 0.04 + 0.81) / 4)
    assert brier_skill(p, y) == pytest.approx(1 - 0.305 / 0.25)
    assert brier_skill(p, y, A([0.5, 0.5, 0.5, 0.1])) == pytest.approx(1 - 0.305 / 0.39)
    assert log_loss(p, y) == pytest.approx(-np.log(A([0.9, 0.4, 0.8, 0.1])).mean())
    assert auc(p, y) == 0.5  # 0.9 beats both failures, 0.1 neither
    assert auc(A([0.5, 0.5]), A([1.0, 0.0])) == 0.5
    assert ece(p, y) == pytest.approx((0.1 + 0.6 + 0.2 + 0.9) / 4)


def test_of_nothing_nothing_is_said():
    none = A([])
    assert all(math.isnan(f(none, none)) for f in (brier, brier_skill, log_loss, auc, ece))
    assert math.isnan(auc(A([0.3, 0.4]), A([1.0, 1.0])))
    assert effective(none, none.astype(int), H_S) == 0.0


def test_a_bar_needs_thirty_and_has_wilsons_interval():
    p = np.concatenate((np.full(30, 0.85), np.full(29, 0.25)))
    y = np.concatenate((np.ones(24), np.zeros(6), np.ones(5), np.zeros(24)))
    low, high = bars(p, y)
    assert (low.n, low.enough, high.n, high.enough) == (29, False, 30, True)
    assert (high.said, high.came) == (pytest.approx(0.85), 0.8)
    assert (high.low, high.high) == wilson(0.8, 30)
    assert bars(A([1.0, 0.0]), A([1.0, 0.0]))[1].said == 1.0


def test_effective_is_the_online_count():
    from basisdesk.forecast.counts import Effective

    rng = np.random.default_rng(1)
    t_s = np.sort(rng.uniform(0, 40 * H_S, 400))
    pair = rng.integers(0, 4, 400)
    online = Effective(round(H_S * 1e9))
    for t, k in zip(t_s.tolist(), pair.tolist(), strict=True):
        online.take(str(k), round(t * 1e9))
    assert effective(t_s, pair, H_S) == pytest.approx(online.n, rel=1e-6)
    assert 40 / 2.62 < online.n < 41 * 4 / 2.62 + 4


def world(n=6_000, skill=1.0, seed=1):
    """Outcomes of two days a block, with an effect that all of a day share."""
    rng = np.random.default_rng(seed)
    t_s = np.sort(rng.uniform(0, 300 * 86_400, n))
    day = rng.normal(0, 0.7, 301)[(t_s // 86_400).astype(int)]
    x = rng.normal(0, 1.5, n)
    logit = 1.0 + skill * x + day
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    model = 1 / (1 + np.exp(-(1.0 + x)))
    base = np.full(n, y.mean())
    return t_s, y, model, base


def test_a_model_that_knows_is_better_and_one_of_shuffled_outcomes_is_not():
    t_s, y, model, base = world()
    found = paired((model - y) ** 2, (base - y) ** 2, t_s, 86_400.0, 7)
    assert found.low > 0.02
    assert found.low < found.value < found.high
    assert found.blocks >= 290
    shuffled = np.random.default_rng(3).permutation(y)
    calm = np.clip(base + 0.05 * (model - model.mean()), 0, 1)
    null = paired((calm - shuffled) ** 2, (base - shuffled) ** 2, t_s, 86_400.0, 7)
    assert null.low < 0.0 < null.high


def test_the_interval_is_wider_than_one_that_takes_all_as_independent():
    """Two forecasts whose difference is one sign a day: 40 outcomes a day are not 40."""
    rng = np.random.default_rng(2)
    t_s = np.sort(rng.uniform(0, 60 * 86_400, 2_400))
    gain = rng.normal(0, 1, 61)[(t_s // 86_400).astype(int)]
    blocks = paired(-gain, np.zeros(2_400), t_s, 86_400.0, 1)
    single = paired(-gain, np.zeros(2_400), t_s, 60.0, 1)
    assert blocks.high - blocks.low > 3 * (single.high - single.low)


def test_the_block_interval_holds_zero_as_often_as_it_says():
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        t_s = np.sort(rng.uniform(0, 60 * 86_400, 600))
        gain = rng.normal(0, 1, 61)[(t_s // 86_400).astype(int)] + rng.normal(0, 1, 600)
        found = paired(-gain, np.zeros(600), t_s, 86_400.0, seed, 400)
        held += found.low < 0.0 < found.high
    assert 0.88 <= held / 200 <= 0.98


def test_a_few_blocks_give_no_interval_and_the_seed_decides():
    t_s, y, model, base = world(500)
    few = paired((model - y) ** 2, (base - y) ** 2, t_s, 100 * 86_400.0, 7)
    assert (few.low, few.high) == (-math.inf, math.inf)
    one, same, other = (paired(model, base, t_s, 86_400.0, seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_report_says_what_may_be_claimed():
    t_s, y, model, base = world()
    n = len(y)
    seen = Outcomes(
        t_s=t_s,
        pair=np.zeros(n, dtype=np.int64),
        y=y,
        p=model,
        base=base,
        by_z=base,
        p_star=np.full(n, 0.8),
        net_bp=np.where(y > 0, 10.0, -40.0),
        hours=np.full(n, 3.0),
    )
    found = report(seen, H_S, seed=1)
    assert found.verdict == "better than z-bins"
    assert found.n_eff > 200
    acted = model >= 0.8
    assert found.trades == np.count_nonzero(acted)
    assert found.coverage == found.trades / n
    assert found.net_bp == pytest.approx(np.where(y > 0, 10.0, -40.0)[acted].mean())
    assert found.p90_h == 3.0
    some = report(seen.of(t_s < 20 * 86_400), H_S)
    assert some.verdict == f"not enough evidence: {some.n_eff:.0f} effective outcomes of 200"
    empty = report(seen.of(t_s < 0), H_S)
    assert (empty.n, empty.trades) == (0, 0)


def test_verdicts():
    assert verdict(250, Interval(0.1, 0.05, 0.2, 9)) == "better than z-bins"
    assert verdict(250, Interval(-0.1, -0.2, -0.05, 9)) == "worse than z-bins"
    assert verdict(250, Interval(0.1, -0.1, 0.2, 9)).endswith("holds zero")
    assert verdict(150, Interval(0.1, 0.05, 0.2, 9)).startswith("not enough evidence: 150")


def test_to_beat_bins_that_are_worse_than_nothing_is_no_skill():
    ahead, level = Interval(0.002, 0.001, 0.003, 40), Interval(0.0, -0.001, 0.001, 40)
    assert verdict(500.0, ahead, ahead) == "better than z-bins"
    assert verdict(500.0, ahead, level).endswith("against the base rate holds zero")
