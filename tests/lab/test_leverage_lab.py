"""The leverage lab by hand-worked paths, and against a slow reading of the same rule."""

import numpy as np
import pytest

from basisdesk.lab.claims import COMPATIBLE
from basisdesk.lab.leverage import _claims, study_leverage
from basisdesk.lab.leverage_events import levered, signals, survival
from basisdesk.lab.leverage_levels import LeverageOptions, level_of
from basisdesk.lab.leverage_tables import _cell
from basisdesk.lab.rule import TIERS, BandRule, Costs
from basisdesk.lab.series import Coverage, PairSeries, Settlements, Terms

HOUR = 3_600_000_000_000
FREE = Costs(0.0, 0.0, 0.0, 0.0, mmr=0.005, liq_fee=0.0)


def made(basis_bp, spot=None, settled=(), high=None):
    """Hourly bars without a spread: a basis in bp over a spot price."""
    n = len(basis_bp)
    spot = np.full(n, 100.0) if spot is None else np.asarray(spot, dtype=float)
    perp = spot * (1.0 + np.asarray(basis_bp) * 1e-4)
    t_ns = np.arange(1, n + 1) * HOUR
    times = np.array([hour * HOUR for hour, _ in settled], dtype=np.int64)
    rates = np.array([rate for _, rate in settled])
    return PairSeries(
        name="made",
        spot="binance:spot:ADAUSDT",
        perp="binance:perp:ADAUSDT",
        kind="bars",
        step_s=3600.0,
        t_ns=t_ns,
        spot_bid=spot,
        spot_ask=spot,
        perp_bid=perp,
        perp_ask=perp,
        mark=perp,
        settled=Settlements(times, rates, np.full(len(times), np.nan), np.full(len(times), 8.0)),
        terms=Terms(8.0, 0.0001, 0.0005, 0.003),
        coverage=Coverage(n, {}, 0, 3600.0, ()),
        mark_high=None if high is None else np.asarray(high, dtype=float),
    )


RULE = BandRule(direction=1, entry_bp=20.0, exit_bp=2.0, max_hold_h=6.0)


def only(series, rule=RULE, costs=FREE, horizon=6.0):
    (path,) = signals(series, rule, costs, horizon)
    return path


def test_a_signal_is_entered_a_row_later_and_left_at_its_target():
    series = made([0.0, 40.0, 38.0, 20.0, -4.0, -4.0, -4.0, -4.0, -4.0, -4.0])
    path = only(series)
    assert (path.entry, path.exit, path.why) == (2, 4, "target")
    outcome = levered(path, series, 2.0, FREE)
    assert outcome.net_bp == pytest.approx(42.0)
    assert outcome.converged_bp == pytest.approx(42.0)
    assert outcome.on_capital == pytest.approx(0.0042 / (1.0 + 1.0038 / 2.0))


def test_no_signal_without_a_whole_horizon_ahead():
    series = made([0.0, 0.0, 0.0, 40.0, 40.0, -4.0, -4.0])
    assert signals(series, RULE, FREE, 6.0) == []
    assert len(signals(series, RULE, FREE, 3.0)) == 1


def test_signals_of_one_side_share_no_hour():
    series = made([40.0] * 40)
    entries = [path.entry for path in signals(series, RULE, FREE, 6.0)]
    assert entries
    assert min(np.diff(entries)) >= 6


def test_a_rise_of_the_coin_liquidates_ten_times_and_not_two():
    # 10x, 0.5 % maintenance: gone at (1 + 0.1) / 1.005 = +9.45 %.
    spot = [100.0, 100.0, 100.0, 109.0, 109.6, 100.0, 100.0, 100.0, 100.0, 100.0]
    series = made([0.0, 30.0, 0.0, 30.0, 30.0, 30.0, 0.0, 0.0, 0.0, 0.0], spot)
    rule = RULE._replace(exit_bp=-100.0)
    path = only(series, rule)
    assert levered(path, series, 2.0, FREE).why == "time"
    gone = levered(path, series, 10.0, FREE)
    assert (gone.why, gone.hours) == ("liquidated", 2.0)
    # Spot gained 9.6 %, the margin of 10 % is lost.
    assert gone.net_bp == pytest.approx((9.6 - 10.0) * 100.0, abs=1e-6)
    assert gone.top_up_bp > 0.0


def test_the_highest_mark_of_a_bar_counts():
    series = made([0.0, 30.0, 0.0] + [30.0] * 7)
    high = series.mark.copy()
    high[4] = 111.0
    calm = levered(only(series, RULE._replace(exit_bp=-100.0)), series, 10.0, FREE)
    spiked = series._replace(mark_high=high)
    gone = levered(only(spiked, RULE._replace(exit_bp=-100.0)), spiked, 10.0, FREE)
    assert (calm.why, gone.why) == ("time", "liquidated")


@pytest.mark.parametrize(("hour", "paid"), [(2, 0.0), (3, 0.0), (4, 10.0), (5, 10.0), (6, 0.0)])
def test_settlements_after_the_entry_up_to_the_exit_count(hour, paid):
    """Entered in the third hour (row 2), left in the fifth (row 4)."""
    series = made([0.0, 40.0, 38.0, 20.0, -4.0] + [-4.0] * 5, settled=[(hour, 0.001)])
    without = made([0.0, 40.0, 38.0, 20.0, -4.0] + [-4.0] * 5)
    got = levered(only(series), series, 2.0, FREE).net_bp
    base = levered(only(without), without, 2.0, FREE).net_bp
    assert got - base == pytest.approx(paid, rel=0.01)


def test_the_reverse_side_pays_borrow_and_mirrors():
    series = made([0.0, -60.0, -60.0, -40.0, 0.0] + [0.0] * 5)
    rule = RULE._replace(direction=-1)
    path = only(series, rule)
    assert (path.direction, path.why) == (-1, "target")
    assert levered(path, series, 2.0, FREE).net_bp == pytest.approx(60.0)
    costs = FREE._replace(borrow_hourly=0.0001)
    assert levered(path, series, 2.0, costs).net_bp == pytest.approx(60.0 - 2 * 1.0)


def test_fees_of_all_four_fills():
    series = made([0.0, 40.0, 40.0, 40.0] + [0.0] * 6)
    path = only(series)
    free = levered(path, series, 2.0, FREE).net_bp
    charged = levered(path, series, 2.0, TIERS["taker"]).net_bp
    assert free - charged == pytest.approx(30.0, abs=0.05)


def test_survival_equals_a_slow_count():
    rng = np.random.default_rng(7)
    spot = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 400)))
    series = made(np.zeros(400), spot)
    for leverage in (3.0, 10.0, 20.0):
        for hold in (1, 7, 24):
            gone = looked = 0
            for i in range(400 - hold):
                limit = series.mark[i] * (1.0 + 1.0 / leverage) / 1.005
                gone += bool(max(series.mark[i + 1 : i + hold + 1]) > limit)
                looked += 1
            assert survival(series, leverage, float(hold), FREE) == (gone, looked)


def test_the_study_says_so_when_there_is_nothing():
    found = study_leverage([made(np.zeros(50))], LeverageOptions(entry_bp=500.0))
    assert "No signal" in found["sentences"][0]
    assert found["claims"] == {}


def test_the_study_names_every_rate_with_its_interval():
    rng = np.random.default_rng(3)
    series = made(rng.normal(10.0, 20.0, 900))
    found = study_leverage([series], LeverageOptions(entry_bp=15.0, horizon_h=12.0))
    assert set(found["claims"]) == {
        "capture_5", "capture_20", "liquidated_5", "liquidated_20", "maximum",
    }  # fmt: skip
    assert all("95 % interval" in each["said"] for each in found["claims"].values())
    again = study_leverage([series], LeverageOptions(entry_bp=15.0, horizon_h=12.0))
    assert again == found


@pytest.mark.parametrize(
    ("share", "low", "high", "told"),
    [
        (0.002, 0.0004, 0.0046, "0.2 (0.0\u20130.5)"),
        (1.0, 0.9, 1.0, "100.0 (90.0\u2013100.0)"),
    ],
)
def test_a_cell_of_the_survival_table_holds_its_estimate(share, low, high, told):
    assert _cell(share, low, high) == told


def test_a_claim_of_so_much_and_more_is_no_claim_of_so_much():
    claims = _claims([level_of(20.0, [], [])._replace(n=43, liquidated=(0.302, 0.186, 0.451))])
    assert claims["liquidated_20"]["status"] == COMPATIBLE
    assert "and more" in claims["liquidated_20"]["said"]
