"""What a backtest says: fills that can be had, every trade, sentences true in every case."""

import numpy as np
import pytest

from basisdesk.lab import backtest_tables
from basisdesk.lab.backtest_charts import ROWS, drawn
from basisdesk.lab.backtest_nulls import always_on, nets
from basisdesk.lab.backtest_study import BacktestOptions, ran, study_backtest
from basisdesk.lab.backtest_tables import terms_of
from basisdesk.lab.backtest_words import luck_said, side
from basisdesk.lab.kernel import later, prepare, run
from basisdesk.lab.pages import study_page
from basisdesk.lab.rule import TIERS, BandRule, Size
from basisdesk.lab.search import axes_of
from basisdesk.lab.sweep import SweepOptions, sweep_series
from basisdesk.lab.walk_forward import Splits
from tests.lab.kernel_rig import DEAR, INF, T0, Case, H, any_case, series_of
from tests.lab.test_backtest import RULE, wave

SIZE = Size()


def said_of(series, **more):
    options = BacktestOptions(rule=more.pop("rule", RULE), tier=more.pop("tier", "low"), **more)
    study = study_backtest(series, options)
    return study, " ".join(study["sentences"])


def titled(study, title):
    return next(each for each in study["tables"] if each["title"].startswith(title))


def climb(count=60):
    """Both legs double: a short at two times is liquidated on the way."""
    spot = np.round(100.0 * 2.0 ** (np.arange(count) / (count - 1)), 2)
    return series_of(T0 + np.arange(1, count + 1) * H, spot, np.round(spot * 1.0005, 2), half=5e-5)


# --- fills one bar later --------------------------------------------------------------------------


def test_a_later_fill_is_the_same_trade_one_row_on_to_the_cent():
    series = wave()
    table = prepare(series, DEAR, SIZE)
    same, late = run(table, RULE, DEAR, SIZE), run(later(table), RULE, DEAR, SIZE)
    assert len(same) == len(late) > 5
    last = len(series.t_ns) - 1
    assert np.array_equal(late["entry_row"], same["entry_row"] + 1)
    assert np.array_equal(late["exit_row"], np.minimum(same["exit_row"] + 1, last))
    rows = late["entry_row"], late["exit_row"]
    assert np.allclose(nets(table, late["direction"], rows), late["net"], atol=0.005)
    assert np.abs(same["net"] - late["net"]).min() > 0.01
    assert run(table, RULE, DEAR, SIZE).tobytes() == same.tobytes()  # the table itself is left


def test_later_fills_are_the_same_by_jumps_and_by_steps():
    seen = 0
    for seed in range(60):
        case: Case = any_case(seed)
        table = later(prepare(case.series, case.costs, case.size))
        one, two = (
            run(table, case.rule, case.costs, case.size, stepwise=each) for each in (False, True)
        )
        assert np.array_equal(one["exit_row"], two["exit_row"])
        assert np.allclose(one["net"], two["net"], atol=1e-4)
        seen += len(one)
    assert seen > 60


def test_nothing_is_decided_before_the_first_row():
    series = series_of(T0 + np.arange(1, 6) * H, np.full(5, 100.0), [101.0, 101, 99, 99, 99])
    trades = run(later(prepare(series, DEAR, SIZE)), BandRule(1, 20.0, 0.0), DEAR, SIZE)
    assert (trades["entry_row"][0], trades["exit_row"][0]) == (1, 3)


def test_bars_speak_of_the_later_fill_first_and_quotes_of_their_own():
    study, said = said_of(wave(), tier="taker")
    first = said.index("filled at the next bar's, the rule made")
    assert first < said.index("Filled on the very close that decides, which nobody can do")
    assert said.count(" won, ") == 2
    counts = titled(study, "Trades and net")["rows"]
    nulls = {row[0]: row[1] for row in titled(study, "Against luck")["rows"]}
    assert nulls["the rule"] == counts[0][3]
    assert nulls["the rule, on the deciding close"] == counts[0][4] != counts[0][3]
    quotes, said = said_of(wave(kind="quotes"))
    assert "nobody can do" not in said
    assert len(titled(quotes, "Trades and net")["columns"]) == 8


# --- sentences ------------------------------------------------------------------------------------


def test_what_it_is_compared_with_is_said_as_it_is():
    draws = np.array([-1.0, 0.5, 2.0])
    assert luck_said(3.0, draws, "x") == "none of 3 draws of x did as well (p at most 25.0%)"
    assert luck_said(0.5, draws, "x") == "2 of 3 draws of x did as well or better (p 75.0%)"
    assert [side(1.0, 0.0), side(-1.0, 0.0), side(0.001, 0.0)] == ["above", "below", "equal to"]
    study, said = said_of(wave())
    rows = {row[0]: row[1] for row in titled(study, "Against luck")["rows"]}
    for name, text in (
        ("never trade", "never trading (0)"),
        ("always-on carry", "always-on carry"),
    ):
        assert f"{side(rows['the rule'], rows[name])} {text}" in said
    hours = 149
    assert rows["cash at money_rate"] == pytest.approx(10_000 * 0.05 * hours / 8_760, rel=1e-4)
    assert "that interest is in no other term" in said
    assert "Fair is a basis of -4.54 bp" in said
    assert "at +1.46 bp or above with the perpetual sold" in said


def test_slippage_says_when_it_changes_the_number_of_trades():
    _, said = said_of(wave(height=9.0))
    assert "The number of trades changes with it" in said
    study, said = said_of(wave(height=60.0))
    assert "Slippage of each leg and fill" in said
    assert "The number of trades changes" not in said
    assert [row[0] for row in titled(study, "By slippage")["rows"]] == [0, 1, 2]


def test_the_kernel_alone_speaks_of_no_engine_that_walked():
    study, _ = said_of(wave(), engine=False)
    assert study["sentences"][1] == (
        "Run by the kernel alone: the desk's engine was left out, as asked (--kernel-only)."
    )
    assert "engine" not in titled(study, "Trades and net")["note"]
    assert study_page(study)


# --- attribution ----------------------------------------------------------------------------------


def test_a_forced_close_is_a_term_of_its_own_and_all_sum():
    series = climb()
    table = prepare(series, TIERS["low"], SIZE)
    carry = ran("carry", table, always_on(2.0))
    case = Case(series, always_on(2.0), TIERS["low"])
    engine = terms_of(table, case.engine().trades)
    forced = carry.summary["liquidated"]
    assert forced == 1
    for name, column in carry.terms.items():
        assert np.allclose(column, engine[name], atol=1e-4)
    total = sum(column for name, column in carry.terms.items() if name != "net")
    assert np.allclose(total, carry.net if len(carry.trades) == 1 else carry.trades["net"])
    spread = 4 * 5e-5 * 2 * SIZE.notional
    assert -spread < carry.terms["slippage"].min() < 0.0  # half-spreads and nothing else
    assert abs(carry.terms["liquidation"].sum()) > 1.0
    study, said = said_of(series, rule=BandRule(1, 2.0, -INF, INF, INF, 2.0))
    assert "Always-on carry was liquidated once" in said
    assert "stands under liquidation, not under slippage" in said
    for row in titled(study, "Where it came from")["rows"]:
        assert sum(row[1:7]) == pytest.approx(row[7], abs=0.01)


# --- every trade ----------------------------------------------------------------------------------


def test_every_trade_is_listed_with_the_best_and_the_worst_marked(monkeypatch):
    study, _ = said_of(wave())
    every = titled(study, "All trades, filled one bar later")
    count = study["tables"][0]["rows"][0][1]
    assert len(every["rows"]) == count == len(study["trades"]["head"]) > 10
    assert len(study["trades"]["on_the_deciding_close"]) == count
    marks = {row[5] for row in every["rows"]}
    assert {"best 1", "worst 1", "best 5", "worst 5", ""} <= marks
    best = max(every["rows"], key=lambda row: row[4])
    assert best[5] == "best 1"
    monkeypatch.setattr(backtest_tables, "LISTED", 11)
    study, _ = said_of(wave())
    every = titled(study, "All trades, filled")
    assert len(every["rows"]) == 11
    assert f"of {count}" in every["note"]
    assert sum(bool(row[5]) for row in every["rows"]) == 10
    assert len(study["trades"]["head"]) == count


def test_a_worst_trade_is_drawn_with_its_entry_and_its_exit():
    study, _ = said_of(wave())
    assert "T" not in study["charts"][1]["title"].replace("USDT", "").replace("Trade", "")
    worst = titled(study, "The 5 worst")["rows"]
    for row, drawing in zip(worst, study["charts"][1:], strict=True):
        drawing["x"] = [each[:16].replace("T", " ") for each in drawing["x"]]
        assert drawing["x"].count(row[0]) == drawing["x"].count(row[1]) == 2
        lines = {line["name"]: line["y"] for line in drawing["lines"]}
        for name, moment in (("entry", row[0]), ("exit", row[1])):
            at = [i for i, y in enumerate(lines[name]) if y is not None]
            assert [drawing["x"][i] for i in at] == [moment, moment]
        held = [x for x, y in zip(drawing["x"], lines["while held"], strict=True) if y is not None]
        assert (held[0], held[-1]) == (row[0], row[1])


def test_a_long_chart_keeps_extremes_and_what_must_not_lack():
    rows = np.arange(100, 20_100)
    values = np.sin(rows / 50.0)
    values[7_777] = 9.0
    kept = drawn(rows, values, (4_321, 12_345))
    assert {100, 20_099, 4_321, 12_345, 7_877} <= set(kept.tolist())
    assert len(kept) <= ROWS + 4
    assert np.all(np.diff(kept) > 0)


# --- the sweep ------------------------------------------------------------------------------------


def test_a_sweep_of_bars_says_what_is_left_one_bar_later():
    axes = axes_of(["entry_bp=5,8", "exit_bp=0", "stop_bp=inf", "max_hold_h=24", "leverage=2"])
    plan = SweepOptions(trials=2, axes=axes, splits=Splits(train_months=2), workers=0, tier="low")
    study = sweep_series(wave(24 * 150), plan)
    said = " ".join(study["sentences"])
    assert "Filled at the next bar's close the same choices earned" in said
    late, main = study["figures"]["filled_one_bar_later"], study["figures"]["out_of_sample"]
    assert late["net"] != main["net"]
    names = [row[0] for row in titled(study, "Out of sample")["rows"]]
    assert names[:2] == ["low", "filled one bar later"]
    quotes = sweep_series(wave(24 * 150, kind="quotes"), plan)
    assert quotes["figures"]["filled_one_bar_later"] is None
    assert "nobody can do" not in " ".join(quotes["sentences"])
