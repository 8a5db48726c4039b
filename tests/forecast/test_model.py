import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.forecast.model import LOGIT_MAX, Model, ModelRules, log_loss, sigmoid
from basisdesk.forecast.table import N


def world(n: int, seed: int, missing: float = 0.0):
    """A logistic world: features of many scales, known weights a deviation."""
    rng = np.random.default_rng(seed)
    weights = np.zeros(N)
    weights[:12] = rng.normal(0.0, 0.6, 12)
    scale = 10.0 ** rng.uniform(0.0, 3.0, N)
    shift = rng.normal(0.0, 50.0, N)
    z = rng.normal(size=(n, N))
    absent = rng.random((n, N)) < missing
    logit = np.where(absent, 0.0, z) @ weights + 0.8
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(int)
    x = np.where(absent, np.nan, z * scale + shift)
    return x, y, weights, logit


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_known_weights_of_a_logistic_world_are_recovered(missing):
    x, y, weights, logit = world(20_000, 7, missing)
    model = Model(rules=ModelRules(rate=0.05))  # these outcomes do not overlap
    losses = []
    for row, outcome in zip(x, y.tolist(), strict=True):
        losses.append(log_loss(model.read(row).raw, outcome))
        model.learn(row, outcome)
    p = 1.0 / (1.0 + np.exp(-logit))
    best = -np.mean(np.where(y[10_000:] == 1, np.log(p[10_000:]), np.log(1 - p[10_000:])))
    assert np.abs(model.weights - weights).max() < 0.12
    assert np.corrcoef(model.weights, weights)[0, 1] > 0.99
    assert model.bias == pytest.approx(0.8, abs=0.1)
    assert np.mean(losses[10_000:]) < best + 0.006  # nats; learning is next to free by now


def test_contributions_and_bias_are_the_logit():
    x, y, _, _ = world(500, 1, 0.2)
    model = Model()
    for row, outcome in zip(x, y.tolist(), strict=True):
        reading = model.read(row)
        whole = math.fsum([*reading.contributions.tolist(), reading.bias])
        assert reading.logit == pytest.approx(whole, abs=1e-12, rel=1e-13)
        assert reading.bias == model.bias
        assert reading.raw == sigmoid(reading.logit)
        assert not reading.contributions[np.isnan(row)].any()
        model.learn(row, outcome)


def test_a_reading_keeps_its_contributions_when_the_next_one_is_made():
    x, y, _, _ = world(50, 2)
    model = Model()
    for row, outcome in zip(x, y.tolist(), strict=True):
        model.learn(row, outcome)
    first = model.read(x[0])
    kept = first.contributions.copy()
    model.read(x[1])
    model.learn(x[1], 1)
    assert first.contributions.tolist() == kept.tolist()


ODD = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(ODD, min_size=6, max_size=6), st.booleans()), max_size=60))
def test_no_input_makes_a_number_that_is_none(rows):
    model = Model(6)
    for values, y in rows:
        x = np.array(values)
        model.learn(x, int(y))
        reading = model.read(x)
        assert 0.0 < reading.raw < 1.0
        assert math.isfinite(reading.logit)
        assert math.isfinite(reading.distance)
        assert np.isfinite(reading.contributions).all()
    assert np.isfinite(model.weights).all()


def test_one_absurd_value_neither_moves_the_scale_nor_the_weights_far():
    x, y, _, _ = world(3_000, 3)
    calm, shaken = Model(), Model()
    for i, (row, outcome) in enumerate(zip(x, y.tolist(), strict=True)):
        calm.learn(row, outcome)
        odd = row.copy()
        if i == 1_500:
            odd[0] = 9e8
        shaken.learn(odd, outcome)
    assert np.abs(calm.weights - shaken.weights).max() < 0.1


def test_a_missing_feature_is_as_usual_and_learns_nothing():
    x, y, _, _ = world(400, 4)
    model = Model()
    for row, outcome in zip(x, y.tolist(), strict=True):
        model.learn(row, outcome)
    gone = x[0].copy()
    gone[5] = math.nan
    before = model.weights[5], model.scaled(x[0])[5]
    assert model.read(gone).contributions[5] == 0.0
    assert model.read(gone).known == N - 1
    model.learn(gone, 1)
    assert model.weights[5] == pytest.approx(before[0], abs=1e-4)  # L2 alone
    assert model.scaled(x[0])[5] == before[1]


def test_what_is_scored_has_no_part_in_its_own_scale():
    x, y, _, _ = world(200, 5)
    model = Model()
    for row, outcome in zip(x, y.tolist(), strict=True):
        model.learn(row, outcome)
    before = model.dump()
    for row in x:
        model.read(row)
    assert model.dump() == before


def test_distance_is_one_for_the_usual_and_grows_with_what_is_odd():
    x, y, _, _ = world(3_000, 6)
    model = Model()
    for row, outcome in zip(x, y.tolist(), strict=True):
        model.learn(row, outcome)
    usual = [model.read(row).distance for row in x[-500:]]
    assert np.mean(usual) == pytest.approx(1.0, abs=0.1)
    odd = x[-1].copy()
    odd[3] += 100 * x[:, 3].std()
    assert model.read(odd).distance > 100.0


def test_restored_goes_on_bit_for_bit():
    x, y, _, _ = world(600, 8, 0.1)
    one = Model(rules=ModelRules(rate=0.1))
    for row, outcome in zip(x[:300], y[:300].tolist(), strict=True):
        one.learn(row, outcome)
    other = Model.restored(one.dump())
    for row, outcome in zip(x[300:], y[300:].tolist(), strict=True):
        assert other.read(row).logit == one.read(row).logit
        one.learn(row, outcome)
        other.learn(row, outcome)
    assert other.dump() == one.dump()


def test_a_probability_is_never_nothing_and_never_all():
    assert 0.0 < sigmoid(-1e9) < 1e-5
    assert 1.0 - 1e-5 < sigmoid(1e9) < 1.0
    assert sigmoid(LOGIT_MAX) == sigmoid(LOGIT_MAX + 1)
    assert sigmoid(0.0) == 0.5
