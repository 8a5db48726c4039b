import json
import math

import numpy as np

from basisdesk.forecast.trust import AHEAD, LEAD_MAX, Trust


def test_nothing_is_trusted_before_it_is_ahead():
    trust = Trust()
    assert trust.weight == 0.0
    trust.take(0.9, 0.9 / math.e**AHEAD, 1, 1.0)
    assert trust.weight == 0.0 or trust.weight < 1e-9
    trust.take(0.9, 0.45, 1, 1.0)
    assert 0.2 < trust.weight < 0.5


def test_a_forecast_that_knows_is_trusted_and_one_of_chance_is_not():
    rng = np.random.default_rng(3)
    knows, chance = Trust(), Trust()
    logits = rng.normal(1.0, 1.0, 400)
    p = 1.0 / (1.0 + np.exp(-logits))
    y = (rng.random(400) < p).astype(int).tolist()
    for i, (said, came) in enumerate(zip(p.tolist(), y, strict=True)):
        knows.take(said, 0.7, came, 1.0)
        chance.take(p[i - 1].item(), 0.7, came, 1.0)  # what was said of another
    assert knows.weight > 0.99
    assert chance.weight == 0.0


def test_one_that_fails_is_left_and_certainty_is_survived():
    trust = Trust()
    for _ in range(1_000):
        trust.take(1.0, 0.5, 1, 1.0)
    assert trust.weight == math.tanh(LEAD_MAX / 2.0)
    trust.take(1.0, 0.5, 0, 1.0)
    assert trust.weight == 0.0


def test_outcomes_that_overlap_count_once():
    one, many = Trust(), Trust()
    one.take(0.9, 0.3, 1, 1.0)
    one.take(0.9, 0.3, 1, 1.0)
    for _ in range(200):
        many.take(0.9, 0.3, 1, 0.01)
    assert math.isclose(one.weight, many.weight, rel_tol=1e-9)


def test_it_is_kept():
    trust = Trust()
    for y in (1, 1, 0, 1, 1, 1, 1):
        trust.take(0.9, 0.4, y, 0.7)
    again = Trust.restored(json.loads(json.dumps(trust.dump())))
    for each in (trust, again):
        each.take(0.8, 0.6, 1, 0.3)
    assert again.weight == trust.weight > 0.0
