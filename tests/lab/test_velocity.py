"""Velocity against level: what is planted is found, what is not there is not; no look ahead."""

import argparse
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab.pages import study_page
from basisdesk.lab.rotation_tests import Interval
from basisdesk.lab.velocity import (
    Judged,
    Sample,
    VelocityOptions,
    VelocityPlan,
    add_velocity_arguments,
    claims_of,
    columns,
    fitted,
    judge,
    log_loss,
    run_velocity,
    sample_of,
    velocity_from,
)
from basisdesk.lab.words import registered
from basisdesk.scan.sector_series import STEP_MS

PLAN = replace(VelocityPlan(), draws=200)
STAMPS = 1_700_006_400_000 + STEP_MS * np.arange(400, dtype=np.int64)


def made(pull, seed=1, coins=8):
    """Rows whose outcome depends on level, and on velocity by `pull`."""
    rng = np.random.default_rng(seed)
    at = np.repeat(np.arange(390), coins)
    level, velocity = rng.standard_normal((2, len(at)))
    p = 1.0 / (1.0 + np.exp(0.8 * level - pull * velocity))
    return Sample(at, level, velocity, (rng.random(len(at)) < p) * 1.0)


def test_a_planted_velocity_is_found_and_its_absence_is_not():
    there = judge("above", made(0.6), STAMPS, PLAN, 1)
    assert there.gain.low > 0.0
    assert there.p < 0.01
    assert there.weight.low < 0.6 < there.weight.high
    assert there.right[1] > there.right[0]
    none = judge("above", made(0.0), STAMPS, PLAN, 1)
    assert none.p > 0.05
    assert none.weight.low < 0.0 < none.weight.high


def test_nothing_is_learned_from_an_outcome_that_is_not_known_yet(monkeypatch):
    from basisdesk.lab import velocity

    sample = made(0.6)
    learned = []
    honest = velocity.fitted

    def watched(table, y):
        learned.append(len(y))
        return honest(table, y)

    monkeypatch.setattr(velocity, "fitted", watched)
    judge("above", sample, STAMPS, PLAN, 1)
    weeks = range(7, 20)  # of 7 days; the first third is learned from
    known = [int(np.count_nonzero(sample.at + 3 < week * 21)) for week in weeks]
    assert learned[:-1:2] == known[: len(learned) // 2]


def test_weights_are_those_of_the_logit():
    sample = made(0.6, coins=3)
    table = columns(sample, velocity=True)
    weights = fitted(table, sample.y)
    p = 1.0 / (1.0 + np.exp(-table @ weights))
    assert np.abs(table.T @ (sample.y - p)).max() < 0.05  # the ridge is next to nothing
    assert log_loss(table @ weights, sample.y).mean() < math.log(2.0)
    easy = np.stack((np.ones(9), np.arange(9.0)), axis=1)
    assert np.isfinite(fitted(easy, (np.arange(9) > 4) * 1.0)).all()  # separable


def test_rows_of_both_questions_by_hand():
    rate = np.array([[2.0], [4.0], [1.0], [6.0], [5.0], [2.9], [7.0]])
    above = sample_of(rate, "above", PLAN)
    assert above.at.tolist() == [1, 3]  # 2 is pinned; later ones have no outcome
    assert above.y.tolist() == [1.0, 1.0]
    assert above.level == pytest.approx(np.arcsinh([3.0, 5.0]))
    assert above.velocity == pytest.approx(np.arcsinh([2.0, 5.0]))
    half = sample_of(np.where(rate == 5.0, 1.9, rate), "half", PLAN)
    assert half.at.tolist() == [1, 3]
    assert half.y.tolist() == [0.0, 1.0]


def files(folder, stamps=300):
    rng = np.random.default_rng(2)
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        rate = 1e-4 * (1.5 + np.cumsum(rng.standard_normal(stamps)) * 0.3)
        rows = (f"{STAMPS[i]},{symbol},{rate[i]:.8f}\n" for i in range(stamps))
        (folder / f"{symbol}.csv").write_text("timestamp,symbol,funding_rate\n" + "".join(rows))


def test_the_study_is_whole_and_the_same_each_time(tmp_path):
    files(tmp_path)
    parser = argparse.ArgumentParser()
    add_velocity_arguments(parser)
    options = velocity_from(parser.parse_args(["--funding", str(tmp_path)]))
    options = replace(options, draws=200)
    study = run_velocity(options)
    assert json.dumps(study) == json.dumps(run_velocity(options))
    assert registered(study["pre_registration"])
    assert study["verdict"] in study["sentences"][0]
    assert "Level against level and velocity" in study_page(study)


def test_too_little_is_said_and_nothing_is_refused(tmp_path):
    files(tmp_path, stamps=40)
    study = run_velocity(VelocityOptions((tmp_path,), draws=100))
    assert study["verdict"] == "UNDERPOWERED"
    assert "too few" in study["sentences"][1]
    with pytest.raises(UserError, match="Name settled funding"):
        run_velocity(VelocityOptions())


def test_a_gain_in_log_loss_that_calls_no_more_right_decides_nothing():
    gain = Interval(0.01, 0.005, 0.015)
    each = Judged("above", 900, 0.64, 0.6, 0.59, (0.63, 0.636), gain, gain, 0.01, 0.02, gain)
    claims = claims_of("SUPPORTED", [each])
    assert claims["velocity"]["status"] == "undecided"
    assert "63.6% with velocity, 64.0% by one answer" in claims["velocity"]["said"]
    better = each._replace(right=(0.63, 0.66))
    assert claims_of("SUPPORTED", [better])["velocity"]["status"] == "reproduced"
    assert claims["velocity"]["n"] == 900
