"""The contest: same rows, same figures; nobody hears an end before its time, nobody hears NaN."""

import math

import label_rig
import numpy as np
import pytest

from basisdesk.forecast.challenge import BASE, OURS, Contest, Ended, Noted, in_order, row_of
from basisdesk.forecast.forecaster import Forecaster
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.outside import extra
from basisdesk.forecast.table import INDEX, N
from basisdesk.forecast.words import Candidate, Label

S_NS = 1_000_000_000
H_S = 3_600.0


class Rate:
    """A learner for tests: the share of successes so far, NaN before the first."""

    def __init__(self):
        self.heard = []

    def predict(self, x):
        assert all(math.isfinite(value) for value in x.values())
        return sum(self.heard) / len(self.heard) if self.heard else math.nan

    def learn(self, x, y):
        self.heard.append(y)


def stream(n=400, seed=3):
    """Candidates of two pairs, each ended two candidates later; z says a little of the end."""
    rng = np.random.default_rng(seed)
    rows, ends = [], []
    for i in range(n):
        z = float(rng.normal())
        y = int(rng.random() < 1 / (1 + math.exp(-2 * z)))
        t_ns = (1_000 + 1_800 * i) * S_NS
        p = 1 / (1 + math.exp(-1.5 * z))
        rows.append(Noted(i + 1, t_ns, f"pair {i % 2}", p, {"z_24h": z}))
        ends.append(Ended(i + 1, y, t_ns + round(H_S) * S_NS))
        if i >= 2:
            rows.append(ends[i - 2])
    return rows


def test_the_same_rows_give_the_same_figures():
    one, other = Contest({"rate": Rate()}, H_S), Contest({"rate": Rate()}, H_S)
    said = [one.hear(row) for row in stream()]
    assert said == [other.hear(row) for row in stream()]
    assert one.rivals() == other.rivals()
    assert len(one) == 398
    assert one.waiting == 2


def test_everybody_is_scored_on_the_same_outcomes():
    contest = Contest({"rate": Rate()}, H_S)
    for row in stream():
        contest.hear(row)
    ours, rate, base = contest.rivals()
    assert (ours.name, rate.name, base.name) == (OURS, "rate", BASE)
    assert ours.n == rate.n == base.n == 398
    assert ours.low > 0.0
    assert ours.low < ours.skill < ours.high
    assert ours.auc > 0.75
    assert abs(rate.skill) < 0.05
    assert base.skill is None
    assert 0 < contest.n_eff < 398


class Twin:
    """Says what our own model says, before calibration."""

    raw = math.nan

    def predict(self, x):
        return self.raw

    def learn(self, x, y):
        pass


def test_who_says_what_ours_says_ties_with_it():
    rules, twin = LabelRules(gain_bp=5.0, stop_bp=20.0, horizon_h=1.0), Twin()
    forecaster, contest = Forecaster(rules), Contest({"twin": twin}, H_S)
    for each in label_rig.stream(4_000, 1):
        forecaster.beat(*each)
        for row in in_order(*forecaster.taken()):
            twin.raw = row.raw if isinstance(row, Candidate) else math.nan
            contest.hear(row_of(row))
    ours, other, _ = contest.rivals()
    assert forecaster.effective.share < 0.2
    assert contest.trusts["twin"].dump() == forecaster.trust.dump()
    assert contest.calibrators["twin"].dump() == forecaster.calibrator.dump()
    assert ours.n == other.n > 200
    assert (other.brier, other.skill, other.auc) == (ours.brier, ours.skill, ours.auc)


def test_a_row_that_comes_twice_counts_once():
    one, other = Contest({"rate": Rate()}, H_S), Contest({"rate": Rate()}, H_S)
    for row in stream(60):
        assert one.hear(row) is not None
        other.hear(row)
        assert other.hear(row) is None
    for row in stream(60):  # a whole journal again
        assert other.hear(row) is None
    assert one.rivals() == other.rivals()


def test_an_end_without_its_candidate_is_passed_over():
    contest = Contest({"rate": Rate()}, H_S)
    assert contest.hear(Ended(7, 1, 5)) is None
    assert contest.learners["rate"].heard == []


def test_a_number_that_is_used_again_by_a_new_life_is_another_candidate():
    contest = Contest({"rate": Rate()}, H_S)
    assert contest.hear(Noted(1, 10, "a", 0.5, {})) is not None
    assert contest.hear(Noted(1, 20, "a", 0.5, {})) is not None
    assert contest.hear(Ended(1, 1, 30)) == {}
    assert contest.hear(Ended(1, 1, 30)) is None


def test_without_a_word_of_its_own_a_challenger_says_the_base_rate():
    contest = Contest({"rate": Rate()}, H_S)
    assert contest.hear(Noted(1, 10, "a", 0.5, {}))["rate"] == pytest.approx(0.5)


def candidate(direction, **values):
    features = [None] * N
    features[INDEX["x_fair"]], features[INDEX["sd_2h"]] = 3.0, 2.0
    features[INDEX["edge"]] = math.inf
    return Candidate(
        id=4, t_ns=9, pair="a", direction=direction, features=(*features, *values.values()),
        features_hash="", raw=0.5, p=0.6, version="",
    )  # fmt: skip


def test_missing_features_are_left_out_and_the_rest_is_seen_from_the_side():
    assert row_of(candidate(1)).x == {"x_fair": 3.0, "sd_2h": 2.0}
    assert row_of(candidate(-1)).x == {"x_fair": -3.0, "sd_2h": 2.0}
    extras = extra("flow"), extra("unlock", signed=False)
    row = row_of(candidate(-1, flow=1.5, unlock=0.5), extras)
    assert row.x == {"x_fair": -3.0, "sd_2h": 2.0, "ext_flow": -1.5, "ext_unlock": 0.5}


def test_rows_stand_in_the_order_of_time_ends_first():
    def label(at_ns):
        return Label(candidate=1, y=1, net_bp=0.0, t_first_ns=0, mae_bp=0.0, mfe_bp=0.0,
                     how="time", released_ns=at_ns)  # fmt: skip

    early, late = label(9), label(10)
    assert in_order([candidate(1)], [late, early]) == [early, candidate(1), late]


def test_before_the_first_outcome_there_are_names_and_no_figures():
    rivals = Contest({"rate": Rate()}, H_S).rivals()
    assert [each.name for each in rivals] == [OURS, "rate", BASE]
    assert all(each.brier is None for each in rivals)
