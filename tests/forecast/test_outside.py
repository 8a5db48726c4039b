"""Numbers from outside as features: behind the 44, missing where unknown, nothing without them."""

import json
import math

import msgspec
import numpy as np
import pytest
from label_rig import LIVELY, stream

from basisdesk.forecast.forecaster import Forecaster
from basisdesk.forecast.outside import BOUND, extra, refitted, tail, unusual
from basisdesk.forecast.samples import SampleReader, SampleWriter
from basisdesk.forecast.table import N, sided

FLOW, MOOD = extra("flow"), extra("mood", signed=False)
BEATS = 1_500


@pytest.fixture(scope="module")
def ticks():
    return stream(BEATS, 11)


def live(forecaster, ticks):
    return [forecaster.beat(*each) for each in ticks]


def with_numbers(ticks):
    return [
        (pair, msgspec.structs.replace(tick, outside=(("ext_flow", math.sin(i / 50)),)))
        for i, (pair, tick) in enumerate(ticks)
    ]


# --- the number itself ---------------------------------------------------------------------------


def test_how_unusual_a_number_is_among_those_before_it():
    before = [10.0, 12.0, 8.0, 11.0, 9.0, 10.0, 13.0, 7.0, 10.0, 11.0]
    assert unusual([*before, 10.0]) == 0.0
    assert unusual([*before, 14.0]) == pytest.approx(4.0 / 1.4826)
    assert unusual([1e6 * x for x in [*before, 14.0]]) == pytest.approx(4.0 / 1.4826)
    assert unusual([*before, 1e9]) == BOUND
    assert unusual([*before, -1e9]) == -BOUND


def test_the_newest_is_not_among_those_it_is_compared_with():
    values = [1.0, 2.0] * 6
    assert unusual([*values, 50.0]) == unusual([*values, 50.0][-13:])
    assert unusual([*values[:10], 5.0]) != unusual([*values[:10], 5.0, 5.0])


def test_too_few_values_are_no_feature():
    assert math.isnan(unusual([1.0] * 10))
    assert unusual([1.0] * 11) == 0.0
    assert math.isnan(unusual([]))


def test_a_number_that_never_moved_is_not_precise():
    assert unusual([100.0] * 20 + [100.1]) == pytest.approx(1.0)
    assert unusual([0.0] * 20 + [1.0]) == BOUND


def test_what_is_not_told_is_missing():
    assert np.isnan(tail((FLOW, MOOD), ())).all()
    assert tail((FLOW, MOOD), (("ext_mood", 2.0), ("ext_other", 1.0)))[1] == 2.0


# --- the model -----------------------------------------------------------------------------------


def test_without_a_source_every_score_is_the_same_to_the_last_bit(ticks):
    plain, other = Forecaster(LIVELY), Forecaster(LIVELY, extras=(FLOW, MOOD))
    for one, two in zip(live(plain, ticks), live(other, ticks), strict=True):
        assert (one.raw, one.p, one.low, one.high, one.abstain) == (
            two.raw, two.p, two.low, two.high, two.abstain,
        )  # fmt: skip
        assert one.contributions.tobytes() == two.contributions[:N].tobytes()
        assert not two.contributions[N:].any()
    assert plain.model.n > 30
    assert "extras" not in plain.dump()


def test_a_number_is_learned_from_and_seen_from_the_side(ticks):
    forecaster = Forecaster(LIVELY, extras=(FLOW, MOOD))
    scores = live(forecaster, with_numbers(ticks))
    assert forecaster.model.weights[N] != 0.0
    assert forecaster.model.weights[N + 1] == 0.0  # never heard
    assert scores[-1].contributions.shape == (N + 2,)
    assert scores[-1].version.endswith("+2")
    pair, tick = with_numbers(ticks)[-1]
    seen = forecaster.scaled(pair)
    assert seen.shape == (N + 2,)
    assert forecaster.vector(pair)[N] == tick.outside[0][1]


def test_a_restart_with_numbers_changes_no_later_score(ticks):
    heard = with_numbers(ticks)
    whole, half = Forecaster(LIVELY, extras=(FLOW,)), Forecaster(LIVELY, extras=(FLOW,))
    scores = live(whole, heard)
    live(half, heard[:1_777])
    kept = json.loads(json.dumps(half.dump(), allow_nan=False))
    again = live(Forecaster.restored(kept, (FLOW,)), heard[1_777:])
    assert [each.p for each in again] == [each.p for each in scores[1_777:]]
    assert again[-1].contributions.tobytes() == scores[-1].contributions.tobytes()


def test_what_was_learned_without_numbers_goes_on_with_them(ticks):
    first, rest = ticks[:1_777], ticks[1_777:]
    plain = Forecaster(LIVELY)
    live(plain, first)
    kept = json.loads(json.dumps(plain.dump(), allow_nan=False))
    assert plain.open_labels() > 0
    wider = Forecaster.restored(kept, (FLOW,))
    for one, two in zip(live(plain, rest), live(wider, rest), strict=True):
        assert one.p == two.p
    assert wider.model.size == N + 1


def test_numbers_that_come_go_and_change_places_keep_what_is_theirs(ticks):
    forecaster = Forecaster(LIVELY, extras=(FLOW,))
    live(forecaster, with_numbers(ticks))
    kept = json.loads(json.dumps(forecaster.dump(), allow_nan=False))
    turned = Forecaster.restored(kept, (MOOD, FLOW))
    assert turned.model.weights[N + 1] == forecaster.model.weights[N]
    assert turned.model.weights[N] == 0.0
    without = Forecaster.restored(kept)
    assert without.model.weights.tobytes() == forecaster.model.weights[:N].tobytes()
    live(without, stream(200, 12))
    assert refitted(kept, (FLOW,)) == kept


def test_the_journal_of_samples_keeps_them(ticks):
    pair, tick = with_numbers(ticks)[77]
    writer, reader = SampleWriter(), SampleReader()
    row = json.loads(json.dumps(writer.row(pair, tick)))
    assert reader.tick(row) == (pair, tick)
    plain = SampleWriter().row(*ticks[77])
    assert "outside" not in plain


def test_the_44_turn_as_before():
    vector = np.arange(1.0, N + 1.0)
    assert np.abs(sided(vector, -1)).tobytes() == vector.tobytes()
    assert sided(vector, 1) is vector
