"""Backtests through the engine: its ledger, a tape's own frames, and the study that tells of it."""

import argparse

import numpy as np
import pytest

from basisdesk.config import Fees, Paper, Risk, Settings
from basisdesk.events import COMMAND, Frame
from basisdesk.lab.backtest import backtest
from basisdesk.lab.backtest_nulls import luck, nets, random_entries, shuffled_funding
from basisdesk.lab.backtest_study import (
    BacktestOptions,
    add_backtest_arguments,
    backtest_from,
    study_backtest,
)
from basisdesk.lab.backtest_tape import backtest_tape
from basisdesk.lab.kernel import prepare, run
from basisdesk.lab.pages import study_page
from basisdesk.lab.rule import TIERS, BandRule, Size
from basisdesk.lab.series_frames import legs_of, opening_frames, row_frames
from basisdesk.lab.shown import shown
from basisdesk.lab.words import Cancelled, registered
from tests.lab.kernel_rig import DEAR, INF, T0, H, S, series_of

RULE = BandRule(0, 6.0, 0.0, 40.0, 30.0, 2.0)
SIZE = Size()


def wave(count=150, step=H, kind="bars", height=25.0):
    """A basis that swings about its fair value every dozen rows."""
    at = np.arange(count)
    spot = 100.0 + 0.01 * (at % 7)
    perp = spot * (1 + (height * np.sin(at / 2.0) - 4.5) * 1e-4)
    stamps = [(T0 + k * 8 * H, 1e-4) for k in range(1, 1 + count * step // (8 * H))]
    return series_of(T0 + (at + 1) * step, spot, perp, kind=kind, settled=stamps, half=2e-5)


def test_the_same_run_has_the_same_ledger():
    one, two = (backtest(wave(), RULE, DEAR, SIZE) for _ in range(2))
    assert one.digest == two.digest
    assert one.trades.tobytes() == two.trades.tobytes()
    assert len(one.trades) > 5
    assert one.engine.audit() == []


def test_fees_are_those_of_the_tier_exactly():
    trade = backtest(wave(40), RULE, TIERS["high"], SIZE).trades[0]
    qty, rates = trade["qty"], TIERS["high"]
    fees = qty * (trade["spot_in"] + trade["spot_out"]) * rates.spot_taker
    fees += qty * (trade["perp_in"] + trade["perp_out"]) * rates.perp_taker
    assert trade["fees"] == pytest.approx(fees, abs=1e-9)


def test_a_tape_trades_as_the_series_does_where_nothing_travels():
    series = wave(120, S, "bars")
    costs = TIERS["low"]
    view, legs = shown(series, costs, SIZE), legs_of(series)
    frames = opening_frames(legs, view, costs, 8.0)
    first = [Frame(COMMAND, b'{"do":"halt"}', int(view.t_ns[0]))]  # of the recording: left out
    for row in row_frames(legs, view, 8.0):
        frames += row
    # the interval is told with the first ticker of a settlement; a tape of the desk has it at once
    settings = Settings(
        paper=Paper(latency_ms=0),
        fees={"bybit": Fees(spot_taker=costs.spot_taker, perp_taker=costs.perp_taker)},
        risk=Risk(rolling_loss_max=1.0, win_rate_min=0.0, reserve=0.0),
    )
    found = backtest_tape(first + frames, legs[1:], RULE, SIZE.notional, settings)
    mine = run(series, RULE, costs, SIZE)
    closed = [row for row in found.report["pairs"] if row["closed_ns"]]
    assert len(closed) >= len(mine) - 1 > 5
    for row, trade in zip(closed, mine, strict=False):
        assert (row["opened_ns"], row["closed_ns"]) == (trade["entry_ns"], trade["exit_ns"])
    assert found.refusals == {}


def test_luck_knows_the_trades_it_is_given():
    series = wave()
    table = prepare(series, DEAR, SIZE)
    trades = run(table, RULE, DEAR, SIZE)
    rows = trades["entry_row"], trades["exit_row"]
    assert np.allclose(nets(table, trades["direction"], rows), trades["net"], atol=0.01)
    drawn = random_entries(table, trades, 3, 200)
    assert drawn.tobytes() == random_entries(table, trades, 3, 200).tobytes()
    assert luck(float(trades["net"].sum()), drawn) < 0.02
    dealt = shuffled_funding(table, trades, 3, 50)
    assert np.allclose(dealt, trades["net"].sum(), atol=1e-6)  # all rates are alike
    assert luck(1.0, np.array([0.0, 2.0, 1.0])) == pytest.approx(3 / 4)


def test_a_study_says_how_many_trades_first_and_stands_by_what_was_fixed():
    options = BacktestOptions(rule=RULE, tier="low", size=SIZE)
    study = study_backtest(wave(), options)
    assert study["sentences"][0].endswith("trades on 150 rows, a close-to-close proxy.")
    assert "the kernel made the same trades" in study["sentences"][1]
    assert registered(study["pre_registration"])
    assert [row[0] for row in study["tables"][0]["rows"]] == [
        "low", "high", "taker", "low, twice the costs", "always-on carry",
    ]  # fmt: skip
    for row in study["tables"][1]["rows"]:
        assert sum(row[1:7]) == pytest.approx(row[7], abs=0.01)
    assert len(study["charts"]) == 6
    assert "Backtest" in study_page(study)
    assert study_backtest(wave(), options) == study


def test_a_study_says_why_the_engine_did_not_walk():
    high = BacktestOptions(rule=RULE._replace(leverage=20.0), tier="low")
    assert "no leverage above 5" in study_backtest(wave(30), high)["sentences"][1]
    far = BacktestOptions(rule=RULE._replace(entry_bp=900.0), engine=False)
    study = study_backtest(wave(30), far)
    assert study["sentences"][2].startswith("The rule never traded.")
    assert study_page(study)


def test_a_study_can_be_cancelled():
    with pytest.raises(Cancelled):
        study_backtest(wave(30), BacktestOptions(rule=RULE), lambda *_: False)


def test_the_command_line_makes_the_options():
    parser = argparse.ArgumentParser()
    add_backtest_arguments(parser)
    given = "--data DIR --symbol BTCUSDT --entry 12 --stop inf --hold 24 --tier high --notional 900"
    options = backtest_from(parser.parse_args(given.split()))
    assert options.rule == BandRule(0, 12.0, 0.0, INF, 24.0, 2.0)
    assert (options.tier, options.size.notional, options.engine) == ("high", 900.0, True)
