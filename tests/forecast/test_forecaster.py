import json
import math

import numpy as np
import pytest
from label_rig import LIVELY, quote, stream

from basisdesk.forecast.forecaster import MARGIN, MARGIN_REVIEWED, Forecaster, decision
from basisdesk.forecast.samples import SampleReader, SampleWriter, replay
from basisdesk.forecast.table import N
from basisdesk.forecast.words import Score

BEATS = 9_000  # ten seconds apart: 25 hours


def same(one: Score | None, other: Score | None) -> bool:
    """Equal to the last bit."""
    if one is None or other is None:
        return one is other
    names = ("p", "low", "high", "p_star", "raw", "logit", "bias", "abstain", "version", "n_eff")
    equal = all(getattr(one, name) == getattr(other, name) for name in names)
    return equal and one.contributions.tobytes() == other.contributions.tobytes()


@pytest.fixture(scope="module")
def lived():
    """(ticks, scores, forecaster, what it handed out) of one life."""
    ticks = stream(BEATS, 11)
    forecaster = Forecaster(LIVELY)
    scores = [forecaster.beat(pair, tick) for pair, tick in ticks]
    return ticks, scores, forecaster, forecaster.taken()


def test_the_world_of_these_tests_is_lively(lived):
    _, _, forecaster, taken = lived
    assert len(taken.labels) > 300
    assert 0.2 < np.mean([label.y for label in taken.labels]) < 0.9
    assert len({label.how for label in taken.labels}) >= 3
    assert forecaster.model.n == len(taken.labels)


def test_every_number_is_finite_and_the_contributions_sum(lived):
    _, scores, _, _ = lived
    for score in scores:
        assert 0.0 < score.p < 1.0
        assert 0.0 <= score.low <= score.p <= score.high <= 1.0
        assert 0.0 <= score.p_star <= 1.0
        assert score.contributions.shape == (N,)
        whole = math.fsum([*score.contributions.tolist(), score.bias])
        assert score.logit == pytest.approx(whole, abs=1e-11, rel=1e-12)


def test_labels_come_at_their_horizon_and_never_before(lived):
    _, _, _, taken = lived
    noted = {each.id: each for each in taken.candidates}
    assert len(noted) == len(taken.candidates)
    for label in taken.labels:
        assert label.released_ns >= noted[label.candidate].t_ns + LIVELY.horizon_ns
        assert label.t_first_ns > noted[label.candidate].t_ns


def test_the_same_ticks_give_the_same_scores(lived):
    ticks, scores, _, taken = lived
    again = Forecaster(LIVELY)
    assert all(same(again.beat(*each), score) for each, score in zip(ticks, scores, strict=True))
    assert again.taken() == taken


@pytest.mark.parametrize("at", [1, 4_001, 9_000, 15_555])
def test_a_restart_from_a_dump_changes_no_later_score(lived, at):
    ticks, scores, _, taken = lived
    one = Forecaster(LIVELY)
    for pair, tick in ticks[:at]:
        one.beat(pair, tick)
    assert one.open_labels() > 0 or at == 1
    before = one.taken()
    kept = json.dumps(one.dump(), allow_nan=False)
    other = Forecaster.restored(json.loads(kept))
    assert other.open_labels() == one.open_labels()
    for each, score in zip(ticks[at:], scores[at:], strict=True):
        assert same(other.beat(*each), score)
    after = other.taken()
    assert before.candidates + after.candidates == taken.candidates
    assert before.labels + after.labels == taken.labels


def test_a_restart_from_the_journal_of_samples_changes_no_later_score(lived):
    ticks, scores, whole, _ = lived
    writer = SampleWriter()
    lines = [json.dumps(writer.row(*each), allow_nan=False) for each in ticks[:12_000]]
    other = Forecaster(LIVELY)
    heard = list(replay(other, map(json.loads, lines)))
    assert all(same(a, b) for a, b in zip(heard, scores, strict=False))
    for each, score in zip(ticks[12_000:], scores[12_000:], strict=True):
        assert same(other.beat(*each), score)
    assert json.dumps(other.dump()) == json.dumps(whole.dump())


def test_a_dump_and_the_samples_since_are_the_same_again(lived):
    ticks, _, whole, _ = lived
    one = Forecaster(LIVELY)
    for pair, tick in ticks[:7_000]:
        one.beat(pair, tick)
    kept = json.dumps(one.dump(), allow_nan=False)
    writer = SampleWriter()
    rows = [writer.row(*each) for each in ticks[7_000:]]
    other = Forecaster.restored(json.loads(kept))
    for _ in replay(other, json.loads(json.dumps(rows))):
        pass
    assert json.dumps(other.dump()) == json.dumps(whole.dump())


def test_a_sample_is_read_back_as_it_was(lived):
    ticks, *_ = lived
    writer, reader = SampleWriter(), SampleReader()
    odd = quote(1e6, 5.0, rate=math.inf, cap=-math.inf, mark=math.nan)
    for pair, tick in [*ticks[:50], ("pair 0", odd)]:
        row = json.loads(json.dumps(writer.row(pair, tick), allow_nan=False))
        name, back = reader.tick(row)
        assert name == pair
        assert repr(back) == repr(tick)


def test_what_the_future_holds_changes_no_score_of_now(lived):
    """Another world from beat 10,000 on: every score up to there is the same."""
    ticks, scores, _, _ = lived
    other_ticks = ticks[:10_000] + stream(500, 99, start_s=50_000.0)
    forecaster = Forecaster(LIVELY)
    heard = [forecaster.beat(*each) for each in other_ticks]
    assert all(same(a, b) for a, b in zip(heard[:10_000], scores[:10_000], strict=True))


def test_a_tick_that_is_not_later_is_not_heard(lived):
    ticks, *_ = lived
    forecaster = Forecaster(LIVELY)
    assert forecaster.beat(*ticks[0]) is not None
    kept = json.dumps(forecaster.dump())
    assert forecaster.beat(*ticks[0]) is None
    assert json.dumps(forecaster.dump()) == kept


def test_a_young_forecast_says_why_it_is_silent():
    forecaster = Forecaster()
    score = forecaster.beat("pair", quote(0, 30.0))
    words = " | ".join(score.abstain)
    assert "too few effective outcomes: 0 of 200" in words
    assert "warm-up: z_2h, sd_2h" in words
    assert "missing features: z_2h, sd_2h" in words
    stale = forecaster.beat("pair", quote(1, 30.0, stale="spot is 3 s old"))
    assert stale.abstain[0] == "stale: spot is 3 s old"
    assert decision(score, MARGIN).startswith("abstain: ")


def test_decisions_in_words():
    base = {"low": 0.7, "high": 0.9, "raw": 0.8, "logit": 1.4, "bias": 0.0}
    fine = Score(p=0.88, p_star=0.836, contributions=np.zeros(N), **base)
    assert decision(fine, MARGIN) == "trade: p 88.0 %, p* 83.6 % + 2 %"
    assert decision(fine, MARGIN_REVIEWED).startswith("no trade: ")


def test_under_review_more_is_asked_and_the_calibrator_forgets_faster(lived):
    forecaster = Forecaster.restored(lived[2].dump())
    assert forecaster.margin == MARGIN
    forecaster.drift.review = "log-loss rose from 0.30 to 0.60"
    assert forecaster.margin == MARGIN_REVIEWED
    score = forecaster.beat("pair 0", quote(1e6, 5.0))
    assert "drift under review: log-loss rose from 0.30 to 0.60" in score.abstain
    weights = forecaster.model.weights.copy()
    assert weights.any()  # nothing is reset


def test_the_break_even_probability_is_of_the_pairs_own_costs():
    forecaster = Forecaster()
    one = forecaster.beat("one", quote(0, 30.0, cost_bp=31.0))
    assert one.p_star == pytest.approx(51 / 61)  # gain 10, stop 20 and costs 31
    other = forecaster.beat("other", quote(0, 30.0, cost_bp=16.4))
    assert other.p_star == pytest.approx(36.4 / 46.4)
    unknown = forecaster.beat("third", quote(0, 30.0, cost_bp=math.nan))
    assert math.isfinite(unknown.p_star)


def test_what_a_screen_asks(lived):
    _, _, forecaster, taken = lived
    report = forecaster.report(seed=1)
    assert report.n == len(taken.labels)
    assert report.n_eff == pytest.approx(forecaster.effective.n)
    assert report.verdict.startswith("not enough evidence")
    assert forecaster.vector("pair 0").shape == (N,)
    assert np.isfinite(forecaster.scaled("pair 0")).all()
    assert forecaster.features("pair 0") is not None
    assert forecaster.analogues("pair 0") is not None
    assert forecaster.open_labels("pair 0") + forecaster.open_labels("pair 1") == (
        forecaster.open_labels()
    )
    assert forecaster.taken() == ((), ())  # given once
    for nothing in (forecaster.vector, forecaster.scaled, forecaster.analogues):
        assert nothing("nobody") is None


def test_a_forgotten_pair_begins_anew(lived):
    forecaster = Forecaster.restored(lived[2].dump())
    forecaster.forget("pair 0")
    assert forecaster.open_labels("pair 0") == 0
    assert forecaster.beat("pair 0", quote(1e6, 5.0)).abstain


def test_ticks_of_nonsense_give_finite_scores():
    forecaster = Forecaster(LIVELY)
    rng = np.random.default_rng(3)
    odd = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300, 1e-300]
    names = [name for name in quote(0, 0).__struct_fields__ if name.endswith(("bp", "size", "bid",
             "ask", "mark", "rate", "cap", "interval_h", "volume", "sector_z"))]  # fmt: skip
    for i in range(1_500):
        more = {name: odd[rng.integers(len(odd))] for name in names if rng.random() < 0.2}
        score = forecaster.beat("pair", quote(10.0 * i, float(rng.normal(0, 20)), **more))
        assert math.isfinite(score.logit)
        assert 0.0 < score.p < 1.0
        assert 0.0 <= score.p_star <= 1.0
        assert np.isfinite(score.contributions).all()
    json.dumps(forecaster.dump(), allow_nan=False)


def test_a_dump_of_another_format_is_refused(lived):
    kept = {**lived[2].dump(), "format": 99}
    with pytest.raises(ValueError, match="format 99"):
        Forecaster.restored(kept)


def test_the_two_legs_exchanged_are_scored_as_the_mirror():
    """What +1 sees of a rich perp, -1 sees of a cheap one: the same logit."""
    forecaster = Forecaster(LIVELY)
    rng = np.random.default_rng(1)
    for _ in range(400):
        x = rng.normal(size=N)
        forecaster.model.learn(x, int(x[2] > 0))
    rich = forecaster.beat("one", quote(0, 15.0, fair_bp=0.0, rate=3e-4, direction=1))
    cheap = forecaster.beat("two", quote(0, -15.0, fair_bp=0.0, rate=-3e-4, direction=-1))
    at = [i for i in range(N) if rich.contributions[i] or cheap.contributions[i]]
    assert len(at) > 8
    assert rich.logit == pytest.approx(cheap.logit, rel=0.02)
