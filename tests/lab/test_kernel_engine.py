"""The kernel equals the engine trade by trade: on any series, and where it is easy to be wrong."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from basisdesk.errors import UserError
from basisdesk.lab.kernel import WHYS
from basisdesk.lab.rule import TIERS, BandRule, Size
from basisdesk.lab.shown import shown
from tests.lab.kernel_rig import (
    DEAR,
    INF,
    T0,
    Case,
    H,
    M,
    S,
    any_case,
    differences,
    harsh_case,
    scaled_case,
    series_of,
    wicked_case,
)

CARRY = BandRule(1, -INF, -INF, leverage=2.0)


@example(1386)  # the engine looks at a settlement's own stamp, right after the entry
@example(1914)  # liquidated there: later settlements in the gap are not paid
@example(3651)  # half a row told: its prices are not of one coin, nothing is liquidated
@example(1423)
@example(3926)
@example(5002563)  # a loan's hours go on after a liquidation that left the account nothing
@settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 2**32))
def test_any_series(seed):
    agree(any_case(seed))


@example(701400)  # the same, with the liquidation in a gap between two rows
@settings(max_examples=10, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 2**32))
def test_any_harsh_series(seed):
    agree(harsh_case(seed))


@settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 2**32))
def test_any_bars_that_know_the_extremes_of_the_mark(seed):
    agree(wicked_case(seed))


@example(1, 0.00078)  # below a thousandth: a tick of 1 would do by its distance from a whole
@example(2, 1.0)
@example(3, 1.12e-5)
@settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 2**32), st.floats(-6, 5).map(lambda power: 10**power))
def test_any_scale_of_prices(seed, scale):
    case = scaled_case(seed, scale)
    view = shown(case.series, case.costs, case.size)
    asked = ("spot_bid", "spot_ask", "perp_bid", "perp_ask")
    for name in asked:
        assert np.allclose(getattr(view, name), getattr(case.series, name), rtol=2e-6, atol=0.0)
    agree(case)


def agree(case):
    try:
        said, _ = differences(case)
    except UserError as exc:
        assume("jumps" not in str(exc) and "no two rows" not in str(exc))
        raise
    assert said == []


def hours(spot, perp, mark=None, settled=(), half=0.0, step=H):
    t_ns = T0 + np.arange(1, len(spot) + 1) * step
    return series_of(t_ns, spot, perp, mark, settled=settled, half=half)


def test_a_settlement_counts_after_the_entry_and_up_to_the_exit():
    flat = [100.0] * 4
    stamps = [(T0 + k * H, rate) for k, rate in ((1, 0.01), (2, 0.002), (4, 0.003))]
    case = Case(hours(flat, flat, settled=stamps), CARRY)
    said, trades = differences(case)
    assert said == []
    assert trades["funding"].tolist() == pytest.approx([5_000 * 0.005], rel=1e-3)


def test_a_settlement_is_paid_on_the_last_mark_at_or_before_it():
    flat, marks = [100.0] * 3, [100.0, 110.0, 120.0]
    stamps = [(T0 + 2 * H, 0.001), (T0 + 3 * H - M, 0.001)]
    said, trades = differences(Case(hours(flat, flat, marks, stamps), CARRY))
    assert said == []
    assert trades["funding"][0] == pytest.approx(49.99 * (0.11 + 0.11), rel=1e-3)


def test_stop_goes_before_target_in_one_row_and_liquidation_before_both():
    # the mid widens by 30 bp while the exit line lies within reach of a far target
    rule = BandRule(1, -INF, 500.0, stop_bp=20.0, leverage=5.0)
    said, trades = differences(Case(hours([100.0] * 3, [100.0, 100.3, 100.3]), rule))
    assert said == []
    assert [WHYS[why] for why in trades["why"]] == ["stop"]
    marks = [100.0, 125.0, 100.0]
    said, trades = differences(Case(hours([100.0] * 3, [100.0, 100.3, 100.3], marks), rule))
    assert said == []
    assert [WHYS[why] for why in trades["why"]] == ["liquidated"]


@pytest.mark.parametrize("direction", [1, -1])
def test_a_liquidation_costs_the_margin_and_leaves_the_other_leg_to_be_closed(direction):
    path = 100.0 * np.exp(direction * np.array([0.0, 0.1, 0.25, 0.3]))
    rule = BandRule(direction, -INF, -INF, leverage=5.0)
    said, trades = differences(Case(hours(path, path), rule, DEAR))
    assert said == []
    row = trades[0]
    assert (row["exit_row"], WHYS[row["why"]]) == (2, "liquidated")
    gain = direction * row["qty"] * (row["spot_out"] - row["spot_in"])
    paid = (
        row["qty"] * (0.001 * (row["spot_in"] + row["spot_out"]) + 0.00055 * row["perp_in"])
        + row["borrow"]
    )
    margin = row["qty"] * row["perp_in"] / 5
    assert row["net"] == pytest.approx(gain - margin - paid, abs=0.01)


def test_what_cash_does_not_cover_comes_out_of_the_margin_and_liquidates_sooner():
    size = Size(10_000.0, 6_650.0)
    stamps = [(T0 + k * 8 * H, -0.1) for k in range(1, 9)]
    flat = [100.0] * 70
    said, trades = differences(Case(hours(flat, flat, settled=stamps), CARRY, size=size))
    assert said == []
    assert [WHYS[why] for why in trades["why"]] == ["liquidated"]


def test_what_an_account_cannot_pay_is_its_last_order():
    rule = BandRule(1, -INF, -INF, max_hold_h=1.0, leverage=1.0)
    case = Case(hours([100.0] * 9, [100.0] * 9), rule, size=Size(10_000.0, 4_980.0))
    said, trades = differences(case)
    assert said == []
    assert 0 < len(trades) < 4
    assert case.engine().refused == "funds"


def test_a_gap_pays_every_settlement_in_it():
    t_ns = [T0 + H, T0 + 2 * H, T0 + 50 * H]
    stamps = [(T0 + k * 8 * H, 0.001) for k in range(1, 8)]
    series = series_of(t_ns, [100.0] * 3, [100.0] * 3, settled=stamps)
    said, trades = differences(Case(series, CARRY))
    assert said == []
    assert trades["funding"][0] == pytest.approx(6 * 5_000 * 0.001, rel=1e-3)


def test_the_last_row_closes_and_opens_nothing():
    said, trades = differences(Case(hours([100.0] * 2, [100.0, 101.0]), BandRule(1, 50.0, 0.0)))
    assert (said, len(trades)) == ([], 0)
    said, trades = differences(Case(hours([100.0] * 3, [101.0] * 3), BandRule(1, 50.0, 0.0)))
    assert said == []
    assert (trades["exit_row"].tolist(), WHYS[trades["why"][0]]) == ([2], "end")


def test_slippage_moves_every_fill():
    series = hours([100.0] * 3, [101.0] * 3)
    still = Case(series, BandRule(1, 50.0, 0.0), TIERS["low"])
    dear = Case(series, still.rule, TIERS["low"]._replace(slippage_bp=2.0))
    said, trades = differences(dear)
    assert said == []
    lost = still.kernel()["net"].sum() - trades["net"].sum()
    assert lost == pytest.approx(5_000 * 8e-4, rel=0.02)


def test_interest_is_charged_for_each_started_hour():
    t_ns = T0 + np.array([30 * M, 59 * M, 61 * M, 90 * M])
    series = series_of(t_ns, [100.0] * 4, [99.0] * 4)
    said, trades = differences(Case(series, BandRule(-1, 50.0, 0.0), DEAR))
    assert said == []
    assert trades["borrow"][0] == pytest.approx(5_000 * 1e-4 * 2, rel=0.001)


def test_a_price_that_halves_at_once_is_refused_by_the_engine_with_its_time():
    case = Case(hours([100.0, 100.0, 40.0], [100.0, 100.0, 40.0]), CARRY)
    with pytest.raises(UserError, match=r"Row 2 \(2024-01-01T03:00:00.000Z\) jumps"):
        case.engine()
    assert len(case.kernel()) == 1


def test_quotes_closer_together_than_a_beat():
    t_ns = T0 + np.arange(1, 60) * S // 20
    basis = 20 * np.sin(np.arange(59) / 3)
    series = series_of(t_ns, [100.0] * 59, 100 + basis / 100, kind="quotes")
    said, trades = differences(Case(series, BandRule(0, 5.0, 0.0)))
    assert said == []
    assert len(trades) > 4


@pytest.mark.parametrize("direction", [1, -1])
def test_a_wick_of_the_mark_liquidates_what_closes_would_not(direction):
    flat = [100.0] * 6
    series = hours(flat, flat, settled=[(T0 + 4 * H, 0.001)])
    wick = np.full(6, 100.0)
    wick[3] = 100.0 + direction * 24.0
    edge = {"mark_high" if direction > 0 else "mark_low": wick}
    rule = BandRule(direction, -INF, -INF, leverage=5.0)
    plain, trades = differences(Case(series, rule))
    assert plain == []
    assert [WHYS[why] for why in trades["why"]] == ["end"]
    said, trades = differences(Case(series._replace(**edge), rule))
    assert said == []
    assert WHYS[trades["why"][0]] == "liquidated"
    assert trades["exit_row"][0] == 3
    assert trades["funding"][0] == 0.0  # settled at the bar's close, when it was gone
    assert direction * trades["perp_out"][0] >= direction * 100.0 + 20.0


def test_a_wick_before_the_entry_and_quotes_with_one_are_no_matter():
    flat, high = [100.0] * 4, np.array([200.0, 100.0, 100.0, 100.0])
    series = hours(flat, flat)._replace(mark_high=high)
    said, trades = differences(Case(series, CARRY))
    assert said == []
    assert WHYS[trades["why"][0]] == "end"
    rushed = series_of(T0 + np.arange(1, 5) * S // 5, flat, flat)._replace(mark_high=high[::-1])
    said, trades = differences(Case(rushed, CARRY))  # no look is free within 0.2 s
    assert said == []
    assert WHYS[trades["why"][0]] == "end"


def test_a_wick_that_the_desk_would_not_believe_is_refused_by_the_engine():
    flat = [100.0] * 4
    series = hours(flat, flat)._replace(mark_high=np.array([100.0, 100.0, 200.0, 100.0]))
    case = Case(series, CARRY)
    with pytest.raises(UserError, match=r"Row 2 \(.*jumps by more than half"):
        case.engine()
    assert WHYS[case.kernel()["why"][0]] == "liquidated"


def test_a_settlement_too_close_to_an_entry_for_a_look_is_still_paid_before_a_liquidation():
    # the stamp 60 ms after the entry is not looked at; the next one is, and liquidates
    t_ns = [T0 + H - 60_000_000, T0 + H - 20_000_000, T0 + 20 * H]
    stamps = [(T0 + H, -0.01), (T0 + 9 * H, -0.02), (T0 + 17 * H, -0.02)]
    series = series_of(t_ns, [100.0] * 3, [100.0] * 3, [100.0, 145.0, 145.0], "quotes", stamps)
    case = Case(series, BandRule(1, -INF, -INF, leverage=3.0))
    said, trades = differences(case)
    assert said == []
    assert WHYS[trades["why"][0]] == "liquidated"
    assert trades["funding"][0] == pytest.approx(-49.99 * 1.45 * 3, rel=1e-3)


def test_a_coin_that_lost_nearly_everything_keeps_its_quotes():
    fall = 80.0 * np.exp(-np.linspace(0.0, 15.8, 60))
    case = Case(hours(fall, fall * 1.0002, half=5e-5), BandRule(0, 3.0, 0.0))
    view = shown(case.series, case.costs, case.size)
    assert np.allclose(view.spot_ask / view.spot_bid, 1.0001, atol=5e-6)
    assert differences(case)[0] == []
    crash = np.append(fall, 1e-12)
    with pytest.raises(UserError, match="no tick holds both. Cut the series"):
        shown(hours(crash, crash, half=5e-5), case.costs, case.size)


def test_prices_that_the_engine_cannot_read_are_said_and_not_taken_for_a_rule_that_never_trades():
    dust = [1e-13] * 4
    with pytest.raises(UserError, match="takes no quote of bybit:spot:BTCUSDT"):
        Case(hours(dust, dust), CARRY).engine()
