"""What holds of every vector, whatever comes in."""

import json
import math
import sys

import numpy as np
import pytest
from feature_rig import NS, T0, tick, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.regime import RegimeState
from basisdesk.forecast.table import N
from basisdesk.forecast.words import Tick

anything = st.one_of(
    st.just(math.nan),
    st.just(0.0),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0.0, 200.0),
)
NUMBERS = [
    name
    for name, kind in Tick.__annotations__.items()
    if kind is float and name not in ("xv_f_bp", "xv_b_bp", "mkt_x_bp", "sector_z")
]


@st.composite
def odd_ticks(draw):
    """A usual tick with a few fields that are anything, a while after the one before."""
    gap = draw(st.sampled_from([1e-9, 0.1, 1.0, 9.99, 10.0, 61.0, 5e3, 1e6]))
    wrong = draw(st.dictionaries(st.sampled_from(NUMBERS), anything, max_size=6))
    settled = draw(
        st.lists(st.tuples(st.integers(0, 2**45), anything.filter(math.isfinite)), max_size=12)
    )
    if draw(st.booleans()):
        wrong["settled"] = tuple(settled)
    wrong["next_ms"] = draw(st.integers(0, 2**45))
    return gap, draw(st.floats(-50.0, 50.0)), draw(st.floats(1.0, 200.0)), wrong


@given(st.lists(odd_ticks(), max_size=25))
def test_finite_or_missing_and_never_an_infinity(rows):
    state, regime = FeatureState(), RegimeState()
    s = 0.0
    for gap, b, spot, wrong in rows:
        s += gap
        one = tick(s, b, spot, **wrong)
        vector = state.update(one)
        assert vector.shape == (N,)
        assert not np.isinf(vector).any()
        assert regime.update(one, vector) in (None, "pinned", "rich", "cheap", "stress")
    json.dumps(state.dump(), allow_nan=False)


@given(st.lists(odd_ticks(), max_size=12))
def test_what_is_wrong_passes(rows):
    # after anything at all, an hour of good ticks gives a good vector
    state = FeatureState()
    s = 0.0
    for gap, b, spot, wrong in rows:
        s += gap
        state.update(tick(s, b, spot, **wrong))
    s += 1e6
    for i in range(100):
        vector = state.update(tick(s + 50.0 * i, b=10.0))
    z = vector[4:7]
    assert np.abs(z).max() < 1e-3


@settings(max_examples=25)
@given(st.integers(1, 400), st.integers(0, 1_000))
def test_restart_gives_equal_vectors_bit_for_bit(cut, seed):
    ticks = list(walk(cut + 60, seed))
    state = FeatureState()
    for one in ticks[:cut]:
        state.update(one)
    kept = json.loads(json.dumps(state.dump(), allow_nan=False))
    again = FeatureState.restored(kept)
    for one in ticks[cut:]:
        assert state.update(one).tobytes() == again.update(one).tobytes()
    assert state.warming == again.warming


def test_restart_after_hours_with_another_tail_object():
    ticks = list(walk(9_000))
    state = FeatureState()
    for one in ticks[:8_000]:
        state.update(one)
    again = FeatureState.restored(json.loads(json.dumps(state.dump())))
    for one in ticks[8_000:]:
        other = tick((one.t_ns - T0 * NS) / NS)  # only to make an equal tail of its own
        assert state.update(one).tobytes() == again.update(one).tobytes()
        assert other.settled == one.settled


def test_the_same_ticks_give_the_same_vectors():
    a, b = FeatureState(), FeatureState()
    for one in walk(800):
        assert a.update(one).tobytes() == b.update(one).tobytes()


def test_memory_does_not_grow():
    def size(state):
        return len(json.dumps(state.dump()))

    def floats(state):
        def count(value):
            if isinstance(value, dict):
                return sum(map(count, value.values()))
            return sum(map(count, value)) if isinstance(value, list) else 1

        return count(state.dump())

    state = FeatureState()
    sizes = []
    for i, one in enumerate(walk(12_000)):
        state.update(one)
        if i in (5_000, 8_000, 11_999):
            sizes.append(floats(state))
    assert max(sizes) - min(sizes) <= 8  # a row more or less in the two queues
    assert size(state) < 20_000
    assert sys.getsizeof(state) < 500


def test_no_tick_of_the_future_moves_a_vector():
    ticks = list(walk(300))
    short, long = FeatureState(), FeatureState()
    seen = [short.update(one).tobytes() for one in ticks[:200]]
    assert seen == [long.update(one).tobytes() for one in ticks][:200]


def test_another_version_is_refused():
    with pytest.raises(ValueError, match="version 99"):
        FeatureState.restored({"version": 99})


def test_a_vector_is_read_only():
    vector = FeatureState().update(tick(0.0))
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1.0
