"""Bars in which a leg did not trade: found once, and left out by everything that trades."""

from pathlib import Path

import numpy as np
import pytest

from basisdesk.lab.backtest_study import BacktestOptions, study_backtest
from basisdesk.lab.halted import halted_bars, halted_rows, halted_said, traded
from basisdesk.lab.kernel import later, prepare, run
from basisdesk.lab.rule import TIERS, BandRule, Size
from basisdesk.lab.series import Coverage, Terms
from basisdesk.lab.series_archive import archive_series
from basisdesk.lab.series_bars import NO_SETTLEMENTS, Label, Leg, pair_of
from basisdesk.lab.shown import HALTED, shown
from basisdesk.lab.words import fingerprint
from tests.lab.kernel_rig import DEAR, T0, Case, H, differences, series_of

SIZE = Size()
RULE = BandRule(0, 20.0, 0.0)


def frozen(counted=True):
    """40 hours; spot stands still in 20 and 21 while the perpetual runs away and comes back."""
    at = np.arange(40)
    t_ns = T0 + (at + 1) * H
    spot = 100.0 + 0.01 * (at % 5) + 0.001 * at
    spot[20:22] = spot[19]
    perp = spot * (1 - 4.5e-4)
    perp[20:22] = spot[19] * (1 + np.array([60e-4, 70e-4]))
    spot_trades = np.full(40, 9.0)
    spot_trades[20:22] = 0.0
    columns = {"close": spot} | ({"trades": spot_trades} if counted else {})
    known = Coverage(40, {}, 0, 3600.0, ())
    legs = Leg("spot", t_ns, columns, known), Leg("perp", t_ns, {"close": perp}, known)
    label = Label("X", "a:spot:BTCUSDT", "a:perp:BTCUSDT", Terms(8.0, 1e-4, 5e-4, 0.003))
    return pair_of(label, legs, None, (NO_SETTLEMENTS, None), (0.5, 0.5))


@pytest.mark.parametrize("counted", [True, False])
def test_nothing_is_earned_in_a_halted_market(counted):
    series = frozen(counted)
    assert np.flatnonzero(series.halted).tolist() == [19, 20, 21]
    assert "not tradable: halted 3" in series.coverage.notes
    assert len(series.t_ns) == 40  # replicate counts them all
    free = series._replace(halted=np.zeros(40, bool))
    before = run(free, RULE, TIERS["taker"], SIZE)
    assert len(before) == 1
    assert before["net"][0] > 0.0
    case = Case(series, RULE)
    assert differences(case)[0] == []
    assert len(case.kernel()) == 0
    assert shown(series, DEAR, SIZE).left_out == {HALTED: 3}
    assert len(traded(series).t_ns) == 37
    assert fingerprint(series) != fingerprint(free)


def test_the_study_names_the_time_and_the_count():
    study = study_backtest(frozen(), BacktestOptions(rule=RULE))
    said = " ".join(study["sentences"])
    assert "3 bars are not traded on" in said
    assert "2024-01-01 20:00 to 22:00" in said
    assert study["data"][0]["rows_not_tradable"] == {HALTED: 3}


def test_a_position_is_held_over_a_halt_and_left_after_it():
    series = frozen()
    trades = run(series, BandRule(1, -np.inf, -np.inf, np.inf, 19.5), TIERS["low"], SIZE)
    assert (trades["entry_row"][0], trades["exit_row"][0]) == (0, 22)  # due in row 20


def test_what_is_known_of_trades_goes_before_repeated_prices():
    t_ns = T0 + np.arange(1, 9) * H
    still, moves = np.full(8, 5.0), np.arange(8.0)
    many = np.full(8, 7.0)
    assert not halted_bars(t_ns, 3600.0, (still, moves), (many, many)).any()
    assert halted_bars(t_ns, 3600.0, (still, moves)).all()
    assert halted_bars(t_ns, 3600.0, (moves, still)).all()
    assert not halted_bars(t_ns, 3600.0, (still, still)).any()  # nothing moves anywhere
    assert not halted_bars(t_ns, 60.0, (still, moves)).any()  # a minute may well stand still
    alone = np.array([t_ns[0] - H, t_ns[3] + H // 2, t_ns[-1] + H])
    assert np.flatnonzero(halted_bars(t_ns, 60.0, (still, moves), alone_ns=alone)).tolist() == [3]


def test_many_spans_are_counted_and_quotes_never_halt():
    series = series_of(T0 + np.arange(1, 31) * H, np.full(30, 100.0), np.full(30, 100.1))
    halted = np.arange(30) % 4 == 1
    said = halted_said(series._replace(halted=halted))
    assert "8 bars" in said
    assert "3 more times" in said
    assert halted_said(series._replace(halted=np.zeros(30, bool))) == ""
    quotes = series_of(T0 + np.arange(1, 9) * H, np.full(8, 1.0), np.full(8, 1.0), kind="quotes")
    assert not halted_rows(quotes).any()
    assert traded(quotes) is quotes


def test_the_real_halts_are_found_and_nothing_is_earned_in_them():
    folder = Path(__file__).parents[3] / "shared" / "data" / "history" / "binance_1h"
    if not folder.is_dir():
        pytest.skip("the hourly archives (../shared/data/history/binance_1h) are not here")
    series = archive_series(folder, "BTCUSDT")
    assert "2023-03-24 12:00 to 13:00; 2024-10-28 20:00 to 21:00" in halted_said(series)
    for costs in (TIERS["taker"], TIERS["low"]):
        for made in (prepare(series, costs, SIZE), later(prepare(series, costs, SIZE))):
            trades = run(made, BandRule(), costs, SIZE)
            rows = np.concatenate((trades["entry_row"], trades["exit_row"]))
            assert not series.halted[rows].any()
            assert len(trades) == 7  # 8 with the one of the frozen hour
