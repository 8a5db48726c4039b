import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.forecast.calibration import FORGETTING_REVIEWED, Calibrator
from basisdesk.forecast.evaluate import ece
from basisdesk.forecast.model import sigmoid
from basisdesk.market.stats import wilson


def lived(distorted, seed: int, n: int = 16_000, said=None):
    """What a calibrator told of a distorted score, outcome after outcome."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(1.3, 1.2, n)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(int)
    raw = 1.0 / (1.0 + np.exp(-distorted(logit)))
    calibrator = said or Calibrator()
    told = []
    for each, outcome in zip(raw.tolist(), y.tolist(), strict=True):
        told.append(calibrator.told(each).p)
        calibrator.learn(each, outcome)
    return calibrator, np.array(told), raw, y.astype(float)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "distorted",
    [lambda v: 2.5 * v, lambda v: 0.4 * v, lambda v: v + 1.2, lambda v: 2 * v - 1],
    ids=["overconfident", "timid", "shifted", "both"],
)
def test_a_distorted_score_is_made_honest(distorted, seed):
    _, told, raw, y = lived(distorted, seed)
    assert ece(raw[4_000:], y[4_000:]) > 0.08
    assert ece(told[4_000:], y[4_000:]) < 0.02


def test_without_outcomes_nothing_is_changed():
    calibrator = Calibrator()
    for raw in (0.1, 0.5, 0.83, 0.95):
        assert calibrator.told(raw).p == pytest.approx(raw, abs=0.005)
        assert (calibrator.told(raw).low, calibrator.told(raw).high) != (raw, raw)


OUTCOMES = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=200)


@settings(max_examples=60, deadline=None)
@given(OUTCOMES, st.lists(st.floats(allow_nan=False), min_size=2, max_size=30))
def test_what_is_told_never_falls_where_the_model_rises(outcomes, asked):
    calibrator = Calibrator()
    for raw, y in outcomes:
        calibrator.learn(raw, int(y))
    told = [calibrator.told(raw) for raw in sorted(asked)]
    assert all(a.p <= b.p for a, b in pairwise(told))
    assert all(0.0 < each.p < 1.0 and each.low <= each.p <= each.high for each in told)


def test_a_fine_sweep_of_a_used_calibrator_never_falls():
    calibrator, *_ = lived(lambda v: 2.5 * v, 3, 3_000)
    told = [calibrator.told(i / 20_000).p for i in range(20_001)]
    assert all(a <= b for a, b in pairwise(told))


def test_a_number_that_is_none_is_told_as_half():
    assert Calibrator().told(math.nan).p == pytest.approx(0.5)
    calibrator = Calibrator()
    calibrator.learn(math.nan, 1)
    assert 0.0 < calibrator.told(0.5).p < 1.0


def test_it_forgets_an_old_world_faster_under_review():
    slow, *_ = lived(lambda v: v, 1, 4_000)
    fast = Calibrator.restored(slow.dump())
    fast.forgetting = FORGETTING_REVIEWED
    rng = np.random.default_rng(5)
    for _ in range(600):
        raw, y = float(rng.uniform(0.2, 0.98)), int(rng.random() < 0.4)
        slow.learn(raw, y)
        fast.learn(raw, y)
    assert abs(fast.told(0.8).p - 0.4) < abs(slow.told(0.8).p - 0.4)


def test_the_interval_narrows_with_outcomes_and_widens_where_they_overlap():
    few, *_ = lived(lambda v: v, 1, 200)
    many, *_ = lived(lambda v: v, 1, 4_000)

    def width(calibrator, share):
        told = calibrator.told(0.8, share)
        return told.high - told.low

    assert width(many, 1.0) < width(few, 1.0)
    assert width(many, 0.05) > width(many, 1.0)


def test_wilson_by_hand():
    # 8 of 10: (0.8 + 0.19207) / 1.38415 -+ 1.95996 / 1.38415 sqrt(0.016 + 0.009604)
    low, high = wilson(0.8, 10)
    assert low == pytest.approx(0.49016, abs=1e-5)
    assert high == pytest.approx(0.94332, abs=1e-5)
    assert wilson(0.3, 0) == (0.0, 1.0)


def test_restored_goes_on_bit_for_bit():
    one, *_ = lived(lambda v: 2 * v, 2, 700)
    other = Calibrator.restored(json.loads(json.dumps(one.dump())))
    _, a, *_ = lived(lambda v: 2 * v, 4, 300, one)
    _, b, *_ = lived(lambda v: 2 * v, 4, 300, other)
    assert a.tolist() == b.tolist()


def test_the_curve_for_a_picture_rises():
    calibrator, *_ = lived(lambda v: 2 * v, 2, 2_000)
    curve = calibrator.curve()
    assert [x for x, _, _ in curve] == sorted(x for x, _, _ in curve)
    assert [p for _, p, _ in curve] == sorted(p for _, p, _ in curve)
    assert sum(n for _, _, n in curve) == pytest.approx((1 - 0.9995**2_000) / 0.0005, rel=1e-9)
    assert sigmoid(0.0) == 0.5
