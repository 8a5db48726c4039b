import json
import math

import numpy as np
import pytest

from basisdesk.forecast.analogues import CASES_MAX, NEAREST, Memory
from basisdesk.forecast.table import INDEX, N

H_NS = 8 * 3_600 * 10**9
X = INDEX["x_fair"]


def vector(x_fair, rng=None):
    found = np.full(N, 0.5) if rng is None else rng.normal(size=N)
    found[X] = x_fair
    return found


def lived(n=400, gap_ns=H_NS):
    """Far from fair it comes out in two hours, near it never."""
    rng = np.random.default_rng(1)
    memory = Memory(8.0)
    for i in range(n):
        far = i % 2
        seen = vector((10.0 if far else 2.0) + 0.1 * rng.normal())
        memory.take(seen, "pair", i * gap_ns, (far, 2.0 if far else 8.0, 10.0 if far else -30.0))
    return memory


def test_like_cases_are_found_and_counted():
    found = lived().like(vector(10.0))
    assert (found.n, found.share) == (NEAREST, 1.0)
    assert (found.median_h, found.p90_h, found.net_bp) == (2.0, 2.0, 10.0)
    assert found.n_eff == pytest.approx(NEAREST)
    assert found.text == (
        "In 100 similar cases (100 independent) 100 % came out (96 to 100 %), 50 % within 2.0 h."
    )
    other = lived().like(vector(2.0))
    assert (other.share, other.median_h) == (0.0, math.inf)
    assert other.text.endswith("0 % came out (0 to 4 %), 0 % within 8.0 h.")


def test_what_is_far_is_not_alike():
    found = lived().like(vector(90.0))
    assert found.n == 0
    assert found.text == "0 similar cases, too few to tell."


def test_cases_that_share_hours_count_once():
    found = lived(gap_ns=H_NS // 20).like(vector(10.0))
    assert found.n == NEAREST
    assert found.n_eff < 22
    assert found.high - found.low > 0.1


def test_two_pairs_are_two():
    memory = Memory(8.0)
    for i in range(40):
        memory.take(vector(5.0 + i * 1e-3), f"pair {i % 2}", i, (1, 1.0, 5.0))
    assert memory.like(vector(5.0)).n_eff == pytest.approx(2.0)


def test_the_missing_is_left_out_of_the_question():
    memory = lived()
    asked = vector(10.0)
    asked[INDEX["z_24h"]] = math.nan
    assert memory.like(asked).n == NEAREST
    assert memory.like(np.full(N, math.nan)).n == 0
    assert Memory(8.0).like(asked).n == 0


def test_only_the_last_cases_are_kept():
    memory = lived(CASES_MAX + 300)
    assert len(memory) == CASES_MAX
    assert memory.like(vector(10.0)).n == NEAREST


def test_restored_is_the_same_and_goes_on():
    one = lived(150)
    one.take(np.full(N, math.nan), "other", 5, (0, 8.0, -1.0))
    other = Memory.restored(json.loads(json.dumps(one.dump(), allow_nan=False)))
    assert other.like(vector(10.0)) == one.like(vector(10.0))
    for memory in (one, other):
        memory.take(vector(10.0), "third", 7, (1, 1.0, 9.0))
    assert other.dump() == one.dump()
    empty = Memory.restored(json.loads(json.dumps(Memory(8.0).dump())))
    empty.take(vector(1.0), "pair", 1, (1, 1.0, 9.0))
    assert len(empty) == 1
