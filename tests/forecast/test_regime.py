import json
import math

import numpy as np
import pytest
from feature_rig import tick
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.forecast.regime import RegimeState
from basisdesk.forecast.table import INDEX, N


def vector(x=0.0, sd=2.0, pinned=0.0, spr=1.0, rv=0.5):
    found = np.full(N, math.nan)
    for name, value in (
        ("x_fair", x), ("sd_2h", sd), ("pinned", pinned), ("spr_s", spr), ("spr_f", 1.0),
        ("rv_10m", rv),
    ):  # fmt: skip
        found[INDEX[name]] = value
    return found


def test_nothing_is_said_before_it_is_known():
    regime = RegimeState()
    assert regime.update(tick(0.0), np.full(N, math.nan)) is None
    assert regime.why == "warming up"


def test_pinned_rich_and_cheap():
    regime = RegimeState()
    assert regime.update(tick(0.0), vector(x=3.9, pinned=1.0)) == "pinned"
    assert regime.update(tick(1.0), vector(x=3.9, pinned=0.0)) == "rich"
    assert regime.why == "basis +3.9 bp from fair, inside +-4.0"
    assert regime.update(tick(2.0), vector(x=-9.0)) == "cheap"


def test_wide_swings_make_no_nearness():
    """-43.5 bp is inside two deviations of 25 bp, and is not near fair."""
    regime = RegimeState()
    assert regime.update(tick(0.0), vector(x=-43.5, sd=25.0, pinned=1.0)) == "cheap"
    assert regime.why == "basis -43.5 bp from fair, inside +-50.0"
    assert regime.update(tick(1.0), vector(x=-9.9, sd=25.0, pinned=1.0)) == "pinned"
    assert regime.why == "funding prints its constant, basis -9.9 bp from fair, inside +-10.0"
    assert regime.update(tick(2.0), vector(x=-12.4, sd=25.0, pinned=1.0)) == "pinned"
    assert regime.update(tick(3.0), vector(x=-12.6, sd=25.0, pinned=1.0)) == "cheap"


def test_a_basis_on_the_edge_does_not_flicker():
    regime = RegimeState()
    regime.update(tick(0.0), vector(x=3.9, pinned=1.0))
    assert regime.update(tick(1.0), vector(x=4.5, pinned=1.0)) == "pinned"  # leaves at 2.5 sd
    assert regime.update(tick(2.0), vector(x=5.1, pinned=1.0)) == "rich"
    assert regime.update(tick(3.0), vector(x=4.5, pinned=1.0)) == "rich"  # enters at 2 sd
    assert regime.update(tick(4.0), vector(x=-0.4)) == "rich"
    assert regime.update(tick(5.0), vector(x=-0.6)) == "cheap"


def test_stale_quotes_and_wide_spreads_are_stress_for_a_minute():
    regime = RegimeState()
    regime.update(tick(0.0), vector(x=9.0))
    empty = np.full(N, math.nan)
    assert regime.update(tick(1.0, stale="Bybit ADA is 9 s old"), empty) == "stress"
    assert regime.why == "Bybit ADA is 9 s old"
    assert regime.update(tick(2.0), vector(x=9.0)) == "stress"
    assert regime.update(tick(60.0), vector(x=9.0, spr=3.1)) == "stress"  # leaves below 3
    assert regime.why == "the spread of the spot is 3.1 times its median"
    assert regime.update(tick(121.0), vector(x=9.0, spr=2.9)) == "rich"
    assert regime.update(tick(122.0), vector(x=9.0, spr=4.9)) == "rich"
    assert regime.update(tick(123.0), vector(x=9.0, spr=5.1)) == "stress"


def test_spot_that_moves_as_it_seldom_does_is_stress():
    regime = RegimeState()
    for i in range(11_000):
        assert regime.update(tick(float(i)), vector(x=9.0, rv=0.5)) == "rich"
    assert regime.update(tick(11_000.0), vector(x=9.0, rv=1.0)) == "stress"
    assert "one hour in a hundred" in regime.why


def test_no_quote_keeps_what_was_known():
    regime = RegimeState()
    regime.update(tick(0.0), vector(x=9.0))
    assert regime.update(tick(1.0), vector(x=math.nan)) == "rich"


@given(st.lists(st.tuples(st.floats(-20, 20), st.sampled_from([0.0, 1.0]), st.floats(0.5, 8))))
def test_restart_gives_the_same_regimes(rows):
    regime = RegimeState()
    for i, (x, pinned, spr) in enumerate(rows):
        again = RegimeState().restore(json.loads(json.dumps(regime.dump())))
        now = vector(x, 2.0, pinned, spr)
        assert regime.update(tick(float(i)), now) == again.update(tick(float(i)), now)
        assert regime.dump() == again.dump()


def test_only_the_past_counts():
    # the quantile that a beat is held against ends before it
    a, b = RegimeState(), RegimeState()
    for i in range(11_000):
        for regime in (a, b):
            regime.update(tick(float(i)), vector(rv=0.5))
    assert a._moves(11_000.0, 5.0) == pytest.approx(10.0)
    assert b._moves(11_000.0, 0.5) == pytest.approx(1.0)
