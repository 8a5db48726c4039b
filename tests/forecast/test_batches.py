"""Many pairs scored together say bit for bit what each says alone, whatever is beside it."""

import json
from collections import deque

import msgspec
import numpy as np
import pytest
from label_rig import LIVELY, quote, stream

from basisdesk.app.forecast_life import AHEAD_NS, BATCH_MAX, Life, ReviewEnd, batch_of
from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.forecaster import Forecaster
from basisdesk.forecast.model import FINITE_MAX, Model
from basisdesk.forecast.outside import extra
from basisdesk.forecast.table import N
from basisdesk.forecast.words import Score

PAIRS, BEATS = 7, 420
QUICK = LIVELY._replace(horizon_h=0.2)
NUMBERS = (extra("flow"), extra("mood", signed=False))


def same(one, other):
    """Equal to the last bit, all that a score says."""
    if one is None or other is None:
        return one is other
    names = [name for name in Score.__struct_fields__ if name != "contributions"]
    told = all(getattr(one, name) == getattr(other, name) for name in names)
    return told and one.contributions.tobytes() == other.contributions.tobytes()


def rows_of(n: int, size: int = N):
    """Vectors of many scales: some far, some with holes, infinities and absurd numbers."""
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(n, size)) * 10.0 ** rng.uniform(-2.0, 2.0, (n, 1))
    rows[rng.random((n, size)) < 0.1] = np.nan
    rows[rng.random((n, size)) < 0.01] = np.inf
    rows[rng.random((n, size)) < 0.01] = -2.0 * FINITE_MAX
    return rows


@pytest.fixture(scope="module")
def model():
    found = Model()
    for i, row in enumerate(rows_of(300)):
        found.learn(row, i % 3 > 0)
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 15, 50, 64, 200])
def test_a_reading_does_not_depend_on_what_is_read_with_it(model, n):
    rows = rows_of(n)
    read = model.read_all(rows)
    for i, row in enumerate(rows):
        one = model.read(row)
        assert (read.logits[i], read.distances[i], read.known[i]) == (
            one.logit, one.distance, one.known,
        )  # fmt: skip
        assert read.contributions[i].tobytes() == one.contributions.tobytes()
        assert read.z[i].tobytes() == model.scaled(row).tobytes()


def test_a_young_model_reads_many_as_one():
    young, rows = Model(), rows_of(5)
    young.learn(rows[0], 1)
    assert young.read_all(rows).logits == [young.read(row).logit for row in rows]
    whole = np.ones((3, N))
    assert young.read_all(whole).known == [N] * 3


def test_a_vector_is_written_as_it_is_given():
    one, other, rows = FeatureState(), FeatureState(), np.zeros((1, N + 1))
    for _, tick in stream(200, 3, pairs=1):
        other.write(tick, rows.data, 0)
        assert rows[0, :N].tobytes() == one.update(tick).tobytes()
    assert rows[0, N] == 0.0


def told(extras):
    """Ticks as a desk would queue them: seven pairs, some twice, some late, one turned."""
    rng = np.random.default_rng(5)
    out = []
    for at, (name, tick) in enumerate(stream(BEATS, 8, pairs=PAIRS)):
        if extras and rng.random() < 0.7:
            numbers = (("flow", float(rng.normal())), ("mood", float(rng.normal())))
            tick = msgspec.structs.replace(tick, outside=numbers)  # noqa: PLW2901
        out.append((name, tick))
        if rng.random() < 0.02:
            out.append(out[max(0, at - 9)])
    return out


def in_batches(life, heard, seed):
    """Hear a queue in batches of any size, as it happens where a phase was late."""
    rng, queue, scores = np.random.default_rng(seed), deque(heard), []
    while queue:
        part = deque(queue.popleft() for _ in range(min(int(rng.integers(1, 12)), len(queue))))
        while part:
            scores += life.hear_all(batch_of(part))
    return scores


@pytest.mark.parametrize("extras", [(), NUMBERS])
def test_a_life_heard_in_batches_is_the_same_life(extras):
    heard = told(extras)
    alone = Life(QUICK, extras=extras)
    scores = [alone.hear(*each) for each in heard]
    together = Life(QUICK, extras=extras)
    found = in_batches(together, heard, 1)
    assert alone.forecaster.model.n > 30  # outcomes were learned within batches
    assert sum(score is None for score in scores) > 10
    assert all(same(one, other) for one, other in zip(found, scores, strict=True))
    assert together.taken() == alone.taken()
    assert json.dumps(together.dump()) == json.dumps(alone.dump())


def test_a_restart_with_open_labels_changes_no_score_of_a_batch():
    heard = told(())
    alone = Life(QUICK)
    scores = [alone.hear(*each) for each in heard]
    cut = len(heard) // 2
    before = Life(QUICK)
    in_batches(before, heard[:cut], 2)
    assert before.forecaster.open_labels() > 0
    after = Life.restored(json.loads(json.dumps(before.dump(), allow_nan=False)))
    found = in_batches(after, heard[cut:], 3)
    assert all(same(one, other) for one, other in zip(found, scores[cut:], strict=True))


def test_what_a_screen_asks_is_the_same_after_a_batch():
    ticks = stream(60, 2, pairs=3)
    alone, together = Forecaster(LIVELY), Forecaster(LIVELY)
    for at in range(0, len(ticks), 3):
        together.beat_all(ticks[at : at + 3])
        for each in ticks[at : at + 3]:
            alone.beat(*each)
    for name in ("pair 0", "pair 1", "pair 2"):
        vector = together.vector(name)
        assert vector.tobytes() == alone.vector(name).tobytes()
        assert not vector.flags.writeable
        assert together.scaled(name).tobytes() == alone.scaled(name).tobytes()


def test_a_pair_is_in_a_batch_once():
    tick = quote(0.0, 5.0)
    with pytest.raises(ValueError, match="twice"):
        Forecaster(LIVELY).beat_all([("pair", tick), ("pair", tick)])
    assert Forecaster(LIVELY).beat_all([]) == []


def test_a_batch_ends_where_order_matters():
    ticks = [(f"pair {k}", quote(float(k), 5.0)) for k in range(BATCH_MAX + 3)]
    queue = deque([*ticks[:2], ("pair 1", None), *ticks[2:4], ticks[2]])
    assert batch_of(queue) == ticks[:2]
    assert batch_of(queue) == []
    assert queue.popleft() == ("pair 1", None)
    assert batch_of(queue) == ticks[2:4]
    assert batch_of(queue) == [ticks[2]]
    assert batch_of(deque([("", ReviewEnd(1, "me"))])) == []
    assert len(batch_of(deque(ticks))) == BATCH_MAX


def test_a_clock_set_back_begins_the_pair_anew_in_a_batch_too():
    life = Life(QUICK)
    ahead = quote(2.0 * AHEAD_NS / 1e9, 5.0)
    life.hear_all([("a", ahead), ("b", quote(0.0, 5.0))])
    found = life.hear_all([("a", quote(1.0, 5.0)), ("b", quote(1.0, 5.0))])
    assert None not in found
    assert life.set_back == 1
