"""Features, proof and candidates as rows: what adds up adds up on the screen, too."""

import math
from dataclasses import replace

import numpy as np
import pytest
from forecast_made import (
    NAN,
    NOW_NS,
    make_candidate,
    make_label,
    make_pair,
    make_report,
    make_score,
    make_vector,
    make_view,
    young_view,
)

from basisdesk.forecast.drift import DriftEvent
from basisdesk.forecast.evaluate import Bar, Interval
from basisdesk.forecast.table import FEATURES, INDEX, N
from basisdesk.forecast.view import Signal, Skill
from basisdesk.ui.figures import MINUS, NOTHING
from basisdesk.ui.forecast_proof_rows import (
    facts_of,
    point_tip,
    proof_of,
    reliability_of,
    skill_text,
)
from basisdesk.ui.forecast_rows import (
    NO_FORECAST,
)
from basisdesk.ui.forecast_table_rows import (
    feature_lines,
    feature_tip,
    foot_of,
    missing_text,
    signal_rows,
    signal_tip,
    signals_text,
    signals_tip,
    thousandths,
    value_text,
)


def milli(text):
    return round(1000 * float(text.replace(MINUS, "-")))


# --- features -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_the_parts_and_the_bias_sum_to_the_logit_as_they_are_shown(seed):
    here = make_pair(score=make_score(seed=seed, bias=-0.2138 + seed / 7_000))
    score = here.score
    here = make_pair(score=replace_logit(score))
    lines = feature_lines(here)
    assert len(lines) == N
    shown = sum(milli(line.part_shown) for line in lines if line.part_shown != NOTHING)
    assert shown + round(1000 * here.score.bias) == round(1000 * here.score.logit)
    for line in lines:
        if line.part_shown != NOTHING:
            assert abs(milli(line.part_shown) / 1000 - line.part) <= 0.001
    assert foot_of(here).right


def replace_logit(score):
    return make_score(
        score.p, contributions=score.contributions, bias=score.bias,
        logit=float(score.contributions.sum()) + score.bias,
    )  # fmt: skip


def test_the_foot_shows_the_sum():
    foot = foot_of(make_pair())
    parts, _, bias = foot.text.partition(" bias = logit ")[0].partition(f" {MINUS} ")
    logit = foot.text.partition("logit ")[2].partition(" ")[0]
    assert milli(parts) - milli(bias) == milli(logit)
    assert foot.text.endswith("calibrated 72.4 %")


def test_the_sum_goes_on_to_what_is_told_and_parts_without_weight_are_grey():
    told = {"raw": 0.695, "own": 0.662, "base": 0.548, "weight": 0.0}
    here = make_pair(score=make_score(0.548, **told))
    assert foot_of(here).text.endswith(
        " \u2192 raw 69.5 % \u2192 calibrated 66.2 % \u2192 with base rate 54.8 %,"
        " the model by weight 0 %: 54.8 %"
    )
    assert all(line.idle for line in feature_lines(here))
    heard = make_pair(score=make_score(0.6, **(told | {"weight": 0.46})))
    assert not any(line.idle for line in feature_lines(heard))
    assert "by weight 46 %: 60.0 %" in foot_of(heard).text


def test_parts_that_miss_the_logit_are_said_aloud():
    score = make_score()
    foot = foot_of(make_pair(score=make_score(logit=score.logit + 0.01)))
    assert not foot.right
    assert foot.text == f"The parts miss the logit by {MINUS}0.010000."


def test_before_anything_is_learned_there_is_no_part_and_no_z():
    here = young_view().here
    lines = feature_lines(here, learned=False)
    assert {line.part_shown for line in lines} == {line.z_shown for line in lines} == {NOTHING}
    assert all(line.share is None for line in lines)
    assert foot_of(here, learned=False).text.startswith("Nothing is learned yet")


def test_a_missing_feature_is_grey_and_says_why():
    lines = {line.name: line for line in feature_lines(make_pair())}
    gone = lines["tsign_f"]
    assert gone.state == "missing"
    assert gone.shown == gone.z_shown == gone.part_shown == NOTHING
    assert math.isnan(gone.part)
    assert "missing: not heard".capitalize() in feature_tip(gone.row)
    young = lines["z_72h"]
    assert young.state == "warming"
    assert "its memory is full after" in feature_tip(young.row)
    assert missing_text(list(lines.values())) == "5 of 44 missing, 2 warming"
    assert missing_text([]) == ""
    whole = make_pair(vector=make_vector(missing=()), warming=())
    assert missing_text(feature_lines(whole)) == "all 44 heard"


def test_the_tip_of_a_feature_has_formula_window_and_source():
    line = feature_lines(make_pair())[INDEX["hl_log"]]
    tip = feature_tip(line.row)
    assert "hl_log = ln(-ln 2" in tip
    assert "Group A, basis. Window: 12 h." in tip
    assert "Half-life 25 min." in tip


@pytest.mark.parametrize(
    ("name", "unit", "value", "text"),
    [
        ("b_mid", "bp", 68.44, "+68.4 bp"),
        ("b_mid", "bp", -4.5, f"{MINUS}4.5 bp"),
        ("sd_2h", "bp", 4.43, "4.4 bp"),
        ("f_ind", "bp/8h", 1.0, "+1.00 bp/8h"),
        ("rv_10m", "a year", 0.62, "62.0 % a year"),
        ("pinned", "0/1", 1.0, "yes"),
        ("pinned", "0/1", 0.0, "no"),
        ("t_next", "", 0.431, "0.43"),
        ("edge", "bp", NAN, NOTHING),
    ],
)
def test_values_carry_their_unit_and_sign(name, unit, value, text):
    assert value_text(name, unit, value) == text


def test_every_feature_can_be_written():
    for feature in FEATURES:
        for value in (-1.5, 0.0, 2.5):
            assert "nan" not in value_text(feature.name, feature.unit, value)


def test_thousandths_of_other_parts_are_rounded_each_for_itself():
    assert thousandths([0.0004, 0.0004, 0.0004], 1) == [1, 0, 0]
    assert thousandths([0.5], 9_000) == [500]
    assert thousandths([], 0) == []


def test_no_score_no_sum():
    here = make_pair(score=None)
    assert foot_of(here).text == foot_of(None).text == ""
    assert feature_lines(None) == []
    assert {line.part_shown for line in feature_lines(here)} == {NOTHING}


# --- proof ----------------------------------------------------------------------------------------


def facts(view):
    return {fact.name: fact for fact in facts_of(view, True)}


def test_not_enough_evidence_is_the_first_state_and_calm():
    verdict = proof_of(young_view())
    assert verdict.text == "Not enough evidence: 0 effective outcomes of 200"
    assert verdict.tone == "muted"
    shown = facts(young_view())
    assert shown["Outcomes"].text == "none yet"
    for name in ("Base rate", "Brier", "Over base rate", "Over z-bins", "ECE", "Coverage", "Drift"):
        assert (shown[name].text, shown[name].meaning) == (NOTHING, "muted"), name
    assert proof_of(None).text == NO_FORECAST
    assert facts_of(None, True) == ()


def test_the_figures_of_a_report():
    shown = {name: fact.text for name, fact in facts(make_view()).items()}
    assert shown == {
        "As of": "09:13:22 UTC",
        "Outcomes": "2,600, 231 effective",
        "Base rate": "31.2 %",
        "Brier": "0.1331",
        "Over base rate": "+12.4 % (no interval)",
        "Over z-bins": f"+8.2 % ({MINUS}1.0 to +15.3)",
        "ECE": "2.1 %",
        "Drift": "none, loss 0.42 of 96",
        "Coverage": "12.4 %, 51 of 2,600",
        "Net a trade": "+4.2 bp",
        "AUC": "0.749",
        "Hold, 9 of 10": "6.7 h",
        "Asked above p*": "2 %",
        "Model": "lr1.3f2a91cc.2600",
        "Your word": "\u2013",
    }
    assert all(fact.tip for fact in facts(make_view()).values())
    assert facts(make_view())["Net a trade"].meaning == "gain"


@pytest.mark.parametrize("n", [1, 5, 29])
def test_of_few_outcomes_no_figure_is_shown_and_all_count_the_same(n):
    """One outcome made "Base rate 0.0 %, ECE 50.0 %, Brier 0.2500"."""
    report = make_report(n=n, n_eff=0.4, base_rate=0.0, ece=0.5, brier=0.25, trades=1)
    view = make_view(skill=Skill(NOW_NS, report, (), 0.7, n), n_learned=n + 4, n_eff=3.6)
    shown = facts(view)
    few = f"not enough ({n} of 30)"
    for name in ("Base rate", "Brier", "Over base rate", "Over z-bins", "ECE", "Coverage",
                 "Net a trade", "AUC", "Hold, 9 of 10", "Drift"):  # fmt: skip
        assert (shown[name].text, shown[name].meaning) == (few, "muted"), name
    assert shown["Outcomes"].text == f"{n + 4}, 4 effective"
    assert proof_of(view).text == "Not enough evidence: 4 effective outcomes of 200"
    assert shown["As of"].text == "09:14:22 UTC"
    rates = facts(make_view(skill=Skill(1, make_report(trades=7))))
    assert rates["Net a trade"].text == rates["Hold, 9 of 10"].text == "not enough (7 of 30)"


def test_a_skill_interval_is_that_of_the_brier_difference_over_the_other_score():
    assert skill_text(0.5, Interval(0.1, 0.05, 0.15, 40), 0.1) == "+50.0 % (+25.0 to +75.0)"
    assert skill_text(0.1, Interval(0.1, -math.inf, math.inf, 2), 0.1) == "+10.0 % (no interval)"
    assert skill_text(1.0, Interval(0.1, 0.0, 0.2, 9), 0.0) == "+100.0 % (no interval)"
    assert skill_text(NAN, None, 0.1) == NOTHING


def test_a_verdict_has_the_tone_of_what_it_claims():
    for words, tone in (
        ("better than z-bins", "gain"),
        ("worse than z-bins", "loss"),
        ("not enough evidence: 12 effective outcomes of 200", "muted"),
    ):
        verdict = proof_of(make_view(skill=Skill(1, make_report(verdict=words))))
        assert verdict.tone == tone
        assert verdict.text == f"{words[:1].upper()}{words[1:]}"


def test_no_trade_was_above_p_star():
    shown = facts(make_view(skill=Skill(1, make_report(trades=0, coverage=0.0, net_bp=NAN))))
    assert shown["Coverage"].text == "0.0 %, 0 of 2,600"
    assert shown["Net a trade"].text == shown["Hold, 9 of 10"].text == NOTHING


def test_drift_under_review_says_why():
    view = make_view(review="log-loss rose", drift=(DriftEvent(1, "review began"),))
    fact = facts(view)["Drift"]
    assert (fact.text, fact.meaning) == ("under review", "warn")
    assert "Now: log-loss rose." in fact.tip
    assert "Last: review began." in fact.tip


def test_a_bin_with_few_outcomes_has_no_dot():
    few = (Bar(0.35, 0.4, 0.2, 0.6, 12), Bar(0.65, 0.6, 0.4, 0.8, 29))
    curve = reliability_of(make_view(skill=Skill(1, make_report(bars=few))))
    assert curve.note == "A dot needs 30 outcomes; the fullest bin has 29."
    assert curve.said == curve.note
    assert "no dot" in point_tip(few[0])
    curve = reliability_of(make_view())
    assert curve.note == ""
    assert "came true" in curve.said
    assert reliability_of(None).note == NO_FORECAST
    assert reliability_of(young_view()).note.startswith("No outcome yet")


# --- candidates -----------------------------------------------------------------------------------


def test_an_open_candidate_says_when_it_is_told():
    row = signal_rows(make_view(), True)[0]
    assert row.end == "until 16:44"
    assert row.net_shown == NOTHING
    assert (row.coin, row.legs, row.side) == ("ADA", "Bybit spot / perp", "long spot")
    assert (row.score, row.word) == (NOTHING, "abstain")
    assert math.isnan(row.p)
    assert "Told then: 72.4 %" in signal_tip(row, True)
    assert signal_rows(make_view(), True)[1].score == "72.4"
    assert "told at its horizon" in signal_tip(row, True)
    bare = make_view(horizon_h=NAN)
    assert signal_rows(bare, True)[0].end == "open"


def test_a_released_candidate_has_its_end_and_net():
    candidate = make_candidate()
    for how, net, tone in (("target", 12.3, "gain"), ("stop", -41.6, "loss")):
        signal = Signal(candidate, make_label(candidate, how, net))
        row = signal_rows(make_view(signals=(signal,)), True)[0]
        assert (row.end, row.tone) == (how, tone)
        assert row.net_shown == ("+12.3" if net > 0 else f"{MINUS}41.6")
        tip = signal_tip(row, True)
        assert f"Ended by {how} after 60 min" in tip
        assert "Features 9c1f03aa12be77d0" in tip


def test_an_override_stands_before_the_reason():
    signal = Signal(make_candidate(), None, "taken by hand, news")
    row = signal_rows(make_view(signals=(signal,)), True)[0]
    assert row.why.startswith("taken by hand, news; p 72.4 %")


def test_counts_of_candidates():
    assert signals_text(make_view()) == "17 open, 2,600 learned from, 4 not knowable"
    assert signals_text(young_view()) == "0 open, 0 learned from"
    assert signals_text(None) == signals_tip(None) == ""
    assert "4 because the desk was away" in signals_tip(make_view())
    assert signal_rows(None, True) == []


def test_a_pair_of_another_shape_is_shown_as_it_is():
    row = signal_rows(make_view(signals=(Signal(make_candidate(pair=("thing",))),)), True)[0]
    assert (row.coin, row.legs) == ("thing", "")


def test_scaled_values_are_only_read():
    here = make_pair()
    before = np.array(here.vector)
    feature_lines(replace(here, direction=-1))
    np.testing.assert_array_equal(here.vector, before)
