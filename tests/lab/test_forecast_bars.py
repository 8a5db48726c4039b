import math

import numpy as np
import pytest

from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.labels import PairLabels
from basisdesk.forecast.table import INDEX
from basisdesk.forecast.words import Candidate
from basisdesk.lab.forecast_bars import (
    HOUR_NS,
    NS,
    Rule,
    Settled,
    candidates,
    distance,
    fees_bp,
    outcomes,
    paid_bp,
    ticks,
)
from basisdesk.lab.forecast_sim import DOGE, simulate

HOUR_S = 3_600.0
MAKER = Rule(16.4, 20.0, 5.0, 20.0, 8 * HOUR_S)
TAKER = Rule(30.0, 20.0, 10.0, 40.0, 24 * HOUR_S)


def of_the_desk(bars, rule):
    """{candidate's time: label} by the desk's own labels, a tick at a time."""
    labels = PairLabels(
        LabelRules(
            x_bp=rule.threshold,
            z=math.inf,
            gain_bp=rule.gain_bp,
            stop_bp=rule.stop_bp,
            horizon_h=rule.horizon_s / HOUR_S,
            leverage=1.0,
        )
    )
    found, number = {}, 0
    for tick in ticks(bars, rule):
        found |= {each.candidate.t_ns: each.label for each in labels.beat(tick)}
        if labels.may(tick, tick.x_bp, 0.0):
            number += 1
            candidate = Candidate(
                id=number, t_ns=tick.t_ns, pair="p", direction=tick.direction, features=(),
                features_hash="", raw=0.5, p=0.5, version="", cost_bp=tick.cost_bp,
            )  # fmt: skip
            labels.add(candidate, {})
    return found


@pytest.mark.parametrize(("rule", "seed"), [(MAKER, 1), (TAKER, 2)])
def test_outcomes_are_those_of_the_desk(rule, seed):
    """The vectors of the lab and the queue of the desk are two programs of one law.

    They differ only where a settlement falls on the bar itself: the desk reads the rate that it
    expected until the venue has published.
    """
    bars = simulate(DOGE, "mania", 40.0, seed)
    found, theirs = outcomes(bars, rule), of_the_desk(bars, rule)
    assert len(found.y) == len(theirs) > 1_000
    labels = [theirs[t_ns] for t_ns in found.t_ns.tolist()]
    assert np.mean([label.y for label in labels] == found.y) > 0.995
    assert [label.released_ns for label in labels] == found.release_ns.tolist()
    nets = np.array([label.net_bp for label in labels])
    same = np.isclose(nets, found.net_bp, atol=1e-9)
    assert same.mean() > 0.99
    ends = found.t_ns + 300 * NS + (found.hold_s * NS).astype(np.int64)
    first = np.array([label.t_first_ns for label in labels])
    on_stamp = (ends % (8 * HOUR_NS) == 0) | (first % (8 * HOUR_NS) == 0)
    assert on_stamp[~same].all()


def test_candidates_wait_for_the_cool_down():
    bars = simulate(DOGE, "mania", 20.0, 1)
    every, _ = candidates(bars, MAKER)
    at, side = candidates(bars, MAKER._replace(cool_s=HOUR_S))
    assert len(at) < len(every) / 4
    for one in (1, -1):
        assert (np.diff(bars.t_ns[at[side == one]]) >= HOUR_NS).all()


def test_the_last_horizon_is_left_out_by_time_and_not_by_outcome():
    bars = simulate(DOGE, "mania", 20.0, 1)
    found = outcomes(bars, MAKER)
    at, _ = candidates(bars, MAKER)
    asked = at[bars.t_ns[at] + MAKER.horizon_ns <= bars.t_ns[-1]]
    assert np.array_equal(found.at, asked)


def test_what_a_short_was_paid():
    stamps = np.array([100, 200, 300], dtype=np.int64)
    settled = Settled(stamps, np.array([1e-4, -2e-4, 3e-4]), np.full(3, 8.0), stamps)
    at = np.array([99, 100, 299, 300], dtype=np.int64)
    assert paid_bp(settled, at) == pytest.approx([0.0, 1.0, -1.0, 2.0])


def test_fees_and_spreads_are_the_cost():
    bars = simulate(DOGE, "mania", 5.0, 1)
    assert fees_bp(bars, MAKER) + 2.0 * np.median(bars.half_bp) == pytest.approx(16.4)


def test_ticks_say_what_the_bars_say():
    bars = simulate(DOGE, "mania", 3.0, 1)
    heard = list(ticks(bars, MAKER))
    assert [tick.t_ns for tick in heard] == bars.t_ns.tolist()
    assert [tick.mid_bp for tick in heard] == pytest.approx(bars.basis_bp, abs=1e-6)
    assert heard[0].settled == ()
    known = [len(tick.settled) for tick in heard]
    assert known[97:99] == [1, 1]  # the stamp is bar 95; a minute later it is known
    assert known[95] == 0
    assert heard[97].settled is heard[98].settled
    assert all(tick.next_ms * 1_000_000 > tick.t_ns for tick in heard)


def test_deviations_of_the_rule_are_those_of_the_features():
    bars = simulate(DOGE, "mania", 8.0, 1)
    rule = MAKER._replace(by="z", threshold=1.5)
    state, column = FeatureState(), INDEX["z_24h"]
    theirs = np.array([state.update(tick)[column] for tick in ticks(bars, rule)])
    ours = distance(bars, rule)
    known = np.isfinite(ours) & np.isfinite(theirs)
    assert known.sum() > 1_500
    assert ours[known] == pytest.approx(theirs[known], abs=0.05)


def test_the_rule_has_words():
    assert "20 bp from its clamp-aware fair value" in MAKER.words
    assert "1.5 deviations" in MAKER._replace(by="z", threshold=1.5).words
