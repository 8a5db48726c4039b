"""The study of the forecast, shortened: a third of a year a world. `basisdesk lab forecast --json`
runs the whole."""

import json
import math

import numpy as np
import pytest

from basisdesk.forecast.forecaster import Forecaster
from basisdesk.forecast.table import N
from basisdesk.lab.forecast_bars import ticks
from basisdesk.lab.forecast_figures import ECE_MAX, spread, sterner
from basisdesk.lab.forecast_report import (
    CALM,
    SIMULATED,
    ForecastOptions,
    calm,
    run_forecast,
    simulated,
    sources,
    words_of,
)
from basisdesk.lab.forecast_sim import DOGE, simulate
from basisdesk.lab.forecast_study import online, pooled, sample, scored, shuffled

DAYS = 120.0


@pytest.fixture(scope="module")
def study():
    return simulated(ForecastOptions(days=DAYS))


@pytest.fixture(scope="module")
def small():
    return sample(simulate(DOGE, "mania", 40.0, 1), SIMULATED[0].rule)


@pytest.mark.slow
def test_the_model_beats_base_rate_and_z_bins(study):
    assert len(study["runs"]) == 4
    for run in study["runs"]:
        assert run["n_eff"] > 60
        assert run["auc"] > run["auc_z"] + 0.02, run["case"]
        assert run["skill_interval"][1] > 0.05
        assert run["gain"]["value"] > 0.0
        assert run["auc"] < run["hindsight"]["auc"]
    assert np.mean([run["skill"] for run in study["runs"]]) > 0.08
    assert np.mean([run["ece"] for run in study["runs"]]) < 2.0 * ECE_MAX


@pytest.mark.slow
def test_shuffled_outcomes_teach_nothing(study):
    for run in study["shuffled"]:
        assert run["holds"], (run["gain"], run["skill_base_interval"])
        assert run["skill_base"] > -0.01
        assert run["verdict"].startswith("not enough evidence")
        assert run["skill_base_interval"][0] <= 0.0
        assert 0.3 < run["auc"] < 0.7


@pytest.mark.slow
def test_calm_is_no_trade():
    found = calm(60.0, 1)
    for name in ("fresh", "after_mania"):
        assert found[name]["beats"] == 17_280
        assert found[name]["candidates"] > 500
        assert found[name]["holds"], found[name]["said"]


@pytest.mark.slow
def test_the_document_is_json_and_says_where_it_stands():
    found = run_forecast(ForecastOptions(seeds=(1,), days=30.0, calm_days=6.0))
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert "skipped" in found["real"]
    assert len(found["sentences"]) == 8
    marked = [each for each in found["sentences"] if each.startswith("SIMULATED")]
    assert len(marked) == 6
    assert found["simulated"]["mark"] == found["calm"]["mark"] == "SIMULATED"


def test_forty_features_live_in_the_bars(small):
    found = sources(small)
    assert found["alive"] + len(found["missing"]) == N
    assert found["alive"] >= 40
    assert found["missing"] == ["ofi_f", "ofi_s", "ofi_diff_1m", "lead"]


def test_the_lab_scores_as_the_desk_does_bit_for_bit(small):
    """The loop of the lab and Forecaster.beat are two walks over one model."""
    rule = SIMULATED[0].rule
    said = scored(small, rule, online(small))
    desk = Forecaster(words_of(rule)._replace(leverage=1.0))
    for tick in ticks(simulate(DOGE, "mania", 40.0, 1), rule):
        desk.beat("pair", tick)
    theirs = {each.t_ns: (each.raw, each.p) for each in desk.taken().candidates}
    times = small.events.t_ns.tolist()
    assert len(times) > 500
    first = len(times) * 3 // 4  # later ones stand on labels that a late settlement may turn
    for t_ns, raw, p in list(zip(times, said.raw.tolist(), said.p.tolist(), strict=True))[:first]:
        assert theirs[t_ns] == (raw, p)


def test_the_same_sample_gives_the_same_scores(small):
    rule = SIMULATED[0].rule
    one, other = (scored(small, rule, online(small)) for _ in range(2))
    assert one.p.tobytes() == other.p.tobytes()


def test_shuffling_keeps_the_outcomes_and_the_candidates(small):
    mixed = shuffled(small, 86_400.0, 1)
    assert np.array_equal(mixed.events.t_ns, small.events.t_ns)
    assert mixed.events.y.sum() == small.events.y.sum()
    assert sorted(mixed.events.net_bp) == sorted(small.events.net_bp)
    assert not np.array_equal(mixed.events.y, small.events.y)


def test_pairs_are_pooled_in_the_order_of_time(small):
    both = pooled([small, small._replace(pair=small.pair + 1)])
    assert len(both.pair) == 2 * len(small.pair)
    assert (np.diff(both.events.t_ns) >= 0).all()
    assert both.pair[:4].tolist() == [0, 1, 0, 1]


def test_a_world_too_short_says_nothing_and_does_not_fall():
    rows = sample(simulate(DOGE, "calm", 3.0, 1), CALM._replace(threshold=500.0))
    said = scored(rows, CALM, online(rows))
    assert len(said.p) == 0
    assert not math.isnan(len(rows.vectors))


def test_a_skill_wholly_below_zero_is_worse_than_the_base_rate():
    found = {"skill_interval": [-0.2, -0.002], "n_eff": 1_114.0, "verdict": "better than z-bins"}
    assert sterner(found) == "worse than the base rate"
    few = sterner(found | {"n_eff": 4.0, "verdict": "not enough evidence: 4 effective"})
    assert few == "not enough evidence: 4 effective, and so far worse than the base rate"
    held = sterner(found | {"skill_interval": [-0.2, 0.1]})
    assert held == "not enough evidence: the interval against the base rate holds zero"
    better = sterner(found | {"skill_interval": [0.01, 0.1]})
    assert better == "better than the base rate and than z-bins"


def test_seeds_tell_how_far_another_may_fall():
    def run(seed, auc, skill):
        target = {"auc": (0.77, 0.80), "skill": (0.15, 0.19)}
        return {"case": "a", "seed": seed, "raw": {"auc": auc}, "skill": skill, "target": target}

    runs = [run(1, 0.73, 0.16), run(2, 0.75, 0.17), run(3, 0.74, 0.18)]
    assert spread(runs[:2]) == []  # two say nothing of a deviation
    told, skill = spread(runs)
    assert (told["figure"], told["seeds"], told["least"], told["most"]) == ("auc", 3, 0.73, 0.75)
    assert told["mean"] == pytest.approx(0.74)
    assert told["range"] == pytest.approx([0.7174, 0.7626], abs=1e-4)
    assert told["reference"] == "above the range"
    assert skill["reference"] == "within the range"
