import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.forecast.moments import COUNT_MIN, Ago, Autocov, Ew, Kept, Middle, Smooth, Steps

finite = st.floats(-1e6, 1e6)
gaps = st.floats(1e-3, 250.0)


def test_mean_and_deviation_by_hand():
    m = Ew(100.0)
    m.update(math.nan, 2.0)
    m.update(100.0, 4.0)  # half-told: the first value carries no time, so 4 is all there is
    m.update(50.0, 7.0)
    a, b = 1 - math.exp(-1), 1 - math.exp(-0.5)
    weight = a + b * (1 - a)
    assert m.weight == pytest.approx(weight)
    part = b / weight
    assert m.mean == pytest.approx(4.0 + part * 3.0)
    assert m.var == pytest.approx((1 - part) * part * 9.0)


@given(st.lists(st.tuples(gaps, finite), min_size=2, max_size=60))
def test_the_recursion_is_the_weighted_mean_of_all_values(rows):
    m = Ew(100.0)
    kept = []
    for dt, x in rows:
        if not m.count:
            m.update(math.nan, x)
            continue
        m.update(dt, x)
        fade = math.exp(-dt / 100.0)
        kept = [(w * fade, y) for w, y in kept] + [(1 - fade, x)]
    total = sum(w for w, _ in kept)
    mean = sum(w * y for w, y in kept) / total
    assert m.weight == pytest.approx(total)
    assert m.mean == pytest.approx(mean, rel=1e-9, abs=1e-6)
    var = sum(w * (y - mean) ** 2 for w, y in kept) / total
    assert m.var == pytest.approx(var, rel=1e-6, abs=1e-3)


def test_it_says_nothing_until_enough_was_heard():
    m = Ew(300.0, first_s=60.0)
    for i in range(70):
        assert math.isnan(m.z(1.0, 0.3)) == (i <= 60)
        m.update(1.0, 0.0)
    assert not m.warm
    for _ in range(900):
        m.update(1.0, 0.0)
    assert m.warm
    few = Ew(300.0, first_s=60.0)
    for _ in range(COUNT_MIN - 1):
        few.update(200.0, 1.0)
    assert math.isnan(few.sd)
    few.update(200.0, 1.0)
    assert few.sd == 0.0


def test_the_floor_keeps_a_quiet_market_from_shouting():
    m = Ew(10.0)
    for _ in range(COUNT_MIN):
        m.update(1.0, 5.0)
    assert m.z(5.1, 0.3) == pytest.approx(0.1 / 0.3)


def test_after_a_silence_it_starts_anew():
    m = Ew(10.0)
    for _ in range(100):
        m.update(1.0, 5.0)
    m.update(30.1, 50.0)
    assert (m.mean, m.weight, m.count) == (50.0, 0.0, 1)
    assert math.isnan(m.sd)


def test_time_that_does_not_move_adds_nothing():
    m = Ew(10.0)
    m.update(math.nan, 1.0)
    m.update(1.0, 2.0)
    before = m.dump()
    m.update(0.0, 99.0)
    m.update(-5.0, 99.0)
    assert m.dump() == before


def test_a_smooth_mean_has_the_newest_value_in_it():
    mean = Smooth(10.0)
    assert mean.take(0.0, 1.0) == 1.0
    assert mean.take(10.0, 2.0) == pytest.approx(1 + (1 - math.exp(-1)))
    assert math.isnan(mean.take(1.0, math.nan))
    assert mean.take(31.0, 7.0) == 7.0
    assert mean.heard_s == 0.0


def test_steps_know_a_gap_from_a_slow_feed():
    steps = Steps(10.0)
    assert math.isnan(steps.due(0.0))
    assert steps.due(9.0) == 0.0
    assert steps.due(10.0) == 10.0
    assert math.isnan(steps.due(100.0))  # an outage
    assert steps.due(110.0) == 10.0
    slow = Steps(10.0)
    slow.due(0.0)
    assert [slow.due(300.0 * i) for i in (1, 2, 3)] == [300.0, 300.0, 300.0]


def test_the_value_of_ten_minutes_ago():
    ago = Ago(600.0, 10.0)
    for i in range(1200):
        if i >= 600:
            assert ago.at(float(i)) == (i - 600) // 10 * 10
        else:
            assert math.isnan(ago.at(float(i)))
        ago.push(float(i), float(i))
    assert len(ago._rows) <= 62
    assert math.isnan(ago.at(2300.0))  # all are older than 15 minutes


def test_a_running_median_finds_the_middle():
    rnd = random.Random(3)
    middle, high = Middle(3600.0), Middle(3600.0, 0.99)
    for _ in range(60_000):
        x = rnd.lognormvariate(1.0, 0.5)
        middle.update(1.0, x)
        high.update(1.0, x)
    assert middle.value == pytest.approx(math.e, rel=0.1)
    assert high.value == pytest.approx(math.exp(1.0 + 0.5 * 2.326), rel=0.2)


def test_half_life_is_not_deceived_by_noise():
    rnd = random.Random(5)
    phi = 0.5 ** (1 / 30)  # half-life of 30 minutes on a grid of one
    found = Autocov(43_200.0, 60.0)
    x = 0.0
    for i in range(6_000):
        x = phi * x + rnd.gauss(0.0, math.sqrt(1 - phi * phi))
        dt = found.due(60.0 * i)
        found.take(dt, x + rnd.gauss(0.0, 0.5))
    assert 900.0 < found.half_life_s < 3_600.0


def test_half_life_by_hand():
    # +1 +1 -1 -1: neighbours agree as often as not, those two apart never do: none
    found = Autocov(1e9, 1.0)
    for i in range(400):
        found.take(found.due(float(i)), 1.0 if i % 4 < 2 else -1.0)
    assert math.isnan(found.half_life_s)


@given(st.lists(st.tuples(gaps, finite), max_size=50), st.lists(st.tuples(gaps, finite)))
def test_restart_gives_the_same_memory_bit_for_bit(before, after):
    def made():
        return [Ew(100.0), Smooth(5.0), Middle(60.0), Ago(60.0, 1.0), Autocov(600.0, 1.0)]

    def tell(all_of_it, rows, t_s):
        ew, smooth, middle, ago, autocov = all_of_it
        for dt, x in rows:
            t_s += dt
            ew.update(dt, x)
            smooth.take(dt, x)
            middle.update(dt, abs(x) + 1e-3)
            ago.at(t_s)
            ago.push(t_s, x)
            autocov.take(autocov.due(t_s), x)
        return t_s

    whole = made()
    t_s = tell(whole, before, 0.0)
    again = [
        new.restore(json.loads(json.dumps(m.dump()))) for m, new in zip(whole, made(), strict=True)
    ]
    tell(whole, after, t_s)
    tell(again, after, t_s)
    assert [m.dump() for m in whole] == [m.dump() for m in again]


def test_what_is_kept_of_another_version_is_refused():
    with pytest.raises(KeyError):
        Ew(1.0).restore({"mean": 1.0})


def test_text_and_none_survive():
    class Word(Kept):
        __slots__ = ("name", "none", "pair")

        def __init__(self):
            self.name, self.none, self.pair = "", 1, (0.0,)

    word = Word()
    word.name, word.none, word.pair = "pinned", None, (math.nan, 2.0)
    again = Word().restore(json.loads(json.dumps(word.dump())))
    assert again.name == "pinned"
    assert again.none is None
    assert math.isnan(again.pair[0])
