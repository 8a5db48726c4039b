"""The kernel by itself: sums, days, edges, steps and jumps, what it refuses, what it leaves out."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab.kernel import DAY_NS, daily, midnights, prepare, run, run_many
from basisdesk.lab.rule import TIERS, BandRule, Size, fair_bounds_bp, lines, rule_of, rule_row
from basisdesk.lab.series import Terms
from tests.lab.kernel_rig import DEAR, INF, T0, H, M, series_of

SIZE = Size()


@pytest.fixture(scope="module")
def month():
    """A month of five minutes whose basis wanders about its fair value."""
    rng = np.random.default_rng(5)
    count = 30 * 288
    t_ns = T0 + np.arange(1, count + 1) * 5 * M
    spot = 100 * np.exp(np.cumsum(rng.standard_normal(count)) * 3e-3)
    basis = np.empty(count)
    level = 0.0
    for at, shock in enumerate(rng.standard_normal(count).tolist()):
        level = 0.97 * level + 2.5 * shock
        basis[at] = level - 4.5
    stamps = [(T0 + k * 8 * H, 1e-4 * np.sin(k)) for k in range(1, 91)]
    return series_of(t_ns, spot, spot * (1 + basis * 1e-4), settled=stamps, half=5e-5)


def trials(count=40):
    rng = np.random.default_rng(2)
    columns = (
        rng.choice([-1.0, 0.0, 1.0], count), rng.uniform(3, 20, count), rng.uniform(-6, 2, count),
        rng.choice([8.0, 20.0, INF], count), rng.choice([2.0, 30.0, INF], count),
        rng.choice([1.5, 5.0, 20.0], count),
    )  # fmt: skip
    return np.stack(columns, axis=1)


def test_sums_are_those_of_the_trades_and_a_trial_depends_on_its_own_line_alone(month):
    params = trials()
    table = prepare(month, DEAR, SIZE)
    sums = run_many(table, params, DEAR, SIZE).rows
    assert sums["trades"].sum() > 500
    assert sums["liquidated"].sum() > 0
    for at in (0, 7, 23):
        found = run(table, rule_of(params[at]), DEAR, SIZE)
        mine = sums[at]
        assert mine["trades"] == len(found)
        for term in ("net", "basis", "funding", "fees", "slippage", "borrow", "residual"):
            assert mine[term] == pytest.approx(found[term].sum(), abs=1e-9)
        assert mine["wins"] == np.count_nonzero(found["net"] > 0)
        assert mine["worst"] == (found["net"].min() if len(found) else 0.0)
        assert mine["hours"] == pytest.approx((found["exit_ns"] - found["entry_ns"]).sum() / H)
        alone = run_many(pickle.loads(pickle.dumps(table)), params[at], DEAR, SIZE).rows
        assert alone[0] == mine


def test_terms_sum_to_the_net(month):
    found = run(month, BandRule(0, 6.0, 0.0), DEAR, SIZE)
    costs = found["fees"] + found["borrow"]
    parts = found["basis"] + found["funding"] + found["slippage"] + found["residual"] - costs
    assert np.allclose(parts, found["net"], atol=1e-9)


def test_jumps_and_steps_agree_to_the_bit(month):
    params = trials()
    jumps = run_many(month, params, DEAR, SIZE, midnights(month.t_ns))
    steps = run_many(month, params, DEAR, SIZE, midnights(month.t_ns), stepwise=True)
    for mine, other in zip(jumps, steps, strict=True):
        assert mine.tobytes() == other.tobytes()


def test_days_sum_to_the_net_and_their_powers_to_the_sums(month):
    params = trials(12)
    found = run_many(month, params, DEAR, SIZE, midnights(month.t_ns))
    assert np.allclose(found.daily.sum(axis=1), found.rows["net"], atol=1e-8)
    assert (found.entries.sum(axis=1) == found.rows["trades"]).all()
    returns = daily(month, params, DEAR, SIZE)
    assert returns.shape == (12, 31)
    for power, name in enumerate(("day_sum", "day_sq", "day_cube", "day_quad"), 1):
        assert np.allclose((returns**power).sum(axis=1), found.rows[name], atol=1e-12)
    path = np.concatenate((np.zeros((12, 1)), np.cumsum(found.daily, axis=1)), axis=1)
    fall = np.max(np.maximum.accumulate(path, axis=1) - path, axis=1)
    assert np.allclose(fall, found.rows["max_drawdown"], atol=1e-8)


def test_edges_may_lie_anywhere(month):
    edges = np.array([T0 - DAY_NS, T0 + 3 * DAY_NS + 7, T0 + 9 * DAY_NS, T0 + 99 * DAY_NS])
    params = trials(6)
    found = run_many(month, params, DEAR, SIZE, edges)
    days = run_many(month, params, DEAR, SIZE, midnights(month.t_ns))
    assert np.allclose(found.daily.sum(axis=1), found.rows["net"], atol=1e-8)
    assert np.allclose(found.daily[:, 2], days.daily[:, 9:].sum(axis=1), atol=1e-8)
    assert found.entries[:, 2].tolist() == days.entries[:, 9:].sum(axis=1).tolist()


def test_rows_that_no_desk_would_trade_on_are_left_out_and_counted():
    spot = np.array([100.0, np.nan, 100.0, 100.0, 100.0])
    perp = np.array([100.0, 100.0, 200.0, 101.0, 101.0])
    series = series_of(T0 + np.arange(1, 6) * H, spot, perp)
    crossed = series.spot_bid.copy()
    crossed[4] = 101.0
    table = prepare(series._replace(spot_bid=crossed), DEAR, SIZE)
    assert table.view.rows.tolist() == [0, 3]
    assert sorted(table.view.left_out.values()) == [1, 1, 1]
    with pytest.raises(UserError, match="no two rows that can be traded"):
        prepare(series.cut(0, 2), DEAR, SIZE)


def test_rows_out_of_order_are_refused():
    series = series_of([T0, T0 + H, T0 + H], [100.0] * 3, [100.0] * 3)
    with pytest.raises(UserError, match="row 2: not later than the row before"):
        prepare(series, DEAR, SIZE)


def test_a_distance_counts_from_the_near_edge_of_a_band_when_it_is_not_above_it():
    at_par = fair_bounds_bp(Terms(8.0, 1e-4, 5e-4, 0.003), 0.1095)
    assert at_par == pytest.approx((-4.0, 6.0))
    far, near = lines(BandRule(0, 10.0, 0.0), at_par), lines(BandRule(0, 0.0, -1.0), at_par)
    assert (far.up_in, far.up_out, far.down_in, far.down_out) == pytest.approx((16, 6, -14, -4))
    assert (near.up_in, near.up_out, near.down_in, near.down_out) == pytest.approx((-4, -5, 6, 7))
    assert lines(BandRule(1, 10.0, 0.0), at_par).down_in == -INF
    assert rule_of(rule_row(BandRule(-1, 2.0, 1.0, 3.0, 4.0, 5.0))) == BandRule(-1, 2, 1, 3, 4, 5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exit_bp": 9.0, "entry_bp": 8.0}, "would leave as soon as it enters"),
        ({"stop_bp": 0.0}, "must be above 0"),
        ({"max_hold_h": -1.0}, "must be above 0"),
        ({"leverage": 0.5}, "must be 1 to 125"),
        ({"direction": 2}, "Use 1, -1 or 0"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(month, change, said):
    rule = BandRule()._replace(**change)
    with pytest.raises(UserError, match=said):
        run(month, rule, TIERS["low"], SIZE)


def test_a_table_of_other_costs_is_a_fault_of_the_caller(month):
    table = prepare(month, DEAR, SIZE)
    with pytest.raises(ValueError, match="other costs"):
        run(table, BandRule(), TIERS["low"], SIZE)
    with pytest.raises(UserError, match="A trial has 6 parameters"):
        run_many(table, np.zeros((2, 5)), DEAR, SIZE)


def test_no_rule_trades_on_what_comes_later(month):
    rule = BandRule(0, 6.0, 0.0, 15.0, 20.0, 5.0)
    whole = run(month, rule, DEAR, SIZE)
    for end in (2_000, 5_000):
        cut = run(month.cut(0, end), rule, DEAR, SIZE)
        same = cut[cut["why"] != 4]
        assert len(same) > 5
        for name in ("entry_row", "exit_row", "net"):
            assert same[name].tolist() == whole[name][: len(same)].tolist()


def test_importing_the_lab_loads_no_numba():
    code = (
        "import sys, basisdesk.lab.kernel, basisdesk.lab.backtest, basisdesk.lab.rule;"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
