"""The account in figures: today, drawdown, return on all capital, curves, closed pairs."""

import math
from decimal import Decimal

import numpy as np
import pytest
from book_rig import begun, book, later, opened, reduced

from basisdesk.events import EquityMarked, Result
from basisdesk.ui.account_rows import (
    JOINED_S,
    Lane,
    Money,
    account_facts,
    clock_of,
    lanes,
    money_now,
    result_rows,
    win_text,
)
from basisdesk.valuing import CurvePoint, HeldPoint

D = Decimal
HOUR_NS = 3_600_000_000_000
BEGAN_NS = 1_789_722_862_000_000_000


def money(hours=30.0, **changed):
    figures = {
        "equity": D("10100"), "free": D("8000"), "margin": D("732.07"), "collateral": D(0),
        "gross": D("2900"), "unhedged": D(0), "start": D(10_000), "day_start": D("10150"),
        "day_ns": BEGAN_NS, "peak": D("10200"), "began_ns": BEGAN_NS,
        "now_ns": BEGAN_NS + int(hours * HOUR_NS),
    }  # fmt: skip
    return Money(**(figures | changed))


def facts_of(what):
    return {fact.name: fact for fact in account_facts(what, "USDT", 0.05, utc=True)}


def test_every_figure_has_its_unit_and_equity_and_cash_explain_themselves():
    facts = facts_of(money())
    assert facts["Equity"].text == "10,100.00 USDT"
    assert facts["Tied up"].text == "2,100.00 USDT"
    assert facts["Today"].text == "\u25bc \u221250.00 USDT"
    assert facts["Today"].meaning == "loss"
    assert facts["Drawdown"].text == "0.98 %"
    assert "peak of 10,200.00 USDT" in facts["Drawdown"].tip
    assert "505.00 USDT" in facts["Free cash"].tip  # the reserve, 5 % of equity
    assert (facts["Equity"].figure, facts["Free cash"].figure) == ("equity", "cash")


def test_the_return_is_on_all_capital_and_a_year_only_after_a_day():
    early, later = facts_of(money(hours=23.0)), facts_of(money(hours=30.0))
    assert early["Return, all capital"].text == "\u25b2 +1.00 %"
    assert "would mislead" in early["Return, all capital"].tip
    assert later["Return, all capital"].text == "\u25b2 +1.00 % \u00b7 +292.0 %/y"
    assert "+100.00 USDT on all of 10,000.00 USDT" in later["Return, all capital"].tip


def test_what_is_not_known_yet_is_a_dash():
    facts = facts_of(money(day_start=None, peak=None))
    assert facts["Today"].text == facts["Drawdown"].text == "\u2013"


def test_unhedged_exposure_warns():
    assert facts_of(money(unhedged=D(400)))["Unhedged exposure"].meaning == "warn"
    assert facts_of(money())["Unhedged exposure"].meaning == ""


def test_the_account_now_is_the_ledgers():
    rig = opened(begun())
    what = money_now(rig.engine, rig.engine.curve)
    funds, position = rig.engine.funds(), rig.engine.desk.pairs[1]
    assert (what.equity, what.free, what.margin) == (funds.equity, funds.free, position.margin)
    assert float(what.gross) == pytest.approx(3_996 * (0.36395 + 0.36645), abs=0.01)
    assert what.unhedged == 0
    assert what.drawdown_pct >= 0


def test_marks_of_the_journal_make_peak_and_day():
    rig = begun()
    now_ns = rig.engine.now_ns
    for equity in ("10000", "10400"):
        book(rig, EquityMarked(now_ns, D(equity), D(9_000)))
    what = money_now(rig.engine, rig.engine.curve)
    assert what.peak == D(10_400)
    assert what.today == rig.engine.funds().equity - what.day_start


def test_drawdown_is_measured_from_the_peak_so_far():
    points = [
        CurvePoint(BEGAN_NS + n * HOUR_NS, value, 0.0, n * 100.0, 0.0)
        for n, value in enumerate((100.0, 110.0, 99.0))
    ]
    equity, drawdown, exposure = lanes(points, money(hours=3, equity=D(121)), "USDT")
    assert [value for _, value in drawdown.points] == pytest.approx([0.0, 0.0, -10.0, 0.0])
    assert equity.points[-1][1] == 121.0
    assert exposure.points[2][1] == 200.0
    assert drawdown.floor == 0.0
    assert math.isnan(equity.floor)


def test_closed_pairs_stand_newest_first_with_their_net():
    rig = opened(begun())
    rig.engine.now_ns += 842 * 10**9
    reduced(rig)
    opened(rig, pair=2)
    reduced(rig, pair=2)
    rows = result_rows(tuple(rig.engine.books.results), rig.engine, utc=True)
    assert [row.name for row in rows] == ["ADA #2", "ADA #1"]
    assert rows[1].held == "14m 02s"
    assert rows[1].value == rig.engine.attribution(1).total
    assert rows[1].net.startswith("\u25bc \u2212")


def test_the_win_rate_tells_how_little_few_pairs_say():
    results = [Result(n, n, D(10 if n % 4 else -5)) for n in range(1, 21)]
    said = win_text(results, "USDT", 20)
    assert said == "15 of 20 won: 75 % (95 %: 53 to 89 %) \u00b7 together \u25b2 +125.00 USDT"
    assert win_text(results[:4], "USDT", 20).endswith("not judged below 20 pairs")
    assert win_text([], "USDT", 20) == "No pair is closed yet."


def test_the_axis_has_seconds_for_minutes_and_dates_for_days():
    t_s = 1_789_722_862.0
    assert clock_of(t_s, True, 600.0) == "09:14:22"
    assert clock_of(t_s, True, 7_200.0) == "09:14"
    assert clock_of(t_s, True, 5 * 86_400.0) == "09-18"


def test_exposure_moves_in_steps_and_equity_in_a_line():
    lane = Lane("x", "USDT", "basis", ((0.0, 0.0), (60.0, 100.0), (120.0, 100.0)), step=True)
    assert lane.path == (
        (0.0, 0.0), (60.0, 0.0), (60.0, 100.0), (120.0, 100.0), (120.0, 100.0),
    )  # fmt: skip
    equity, _, exposure = lanes((), money(), "USDT")
    assert equity.path == equity.points
    assert exposure.step
    assert exposure.name == "Gross exposure"


def test_each_fill_of_the_journal_tells_what_was_held_after_it():
    rig = opened(begun())
    reduced(later(rig, 300), "1998", "1998", closed=False)
    opened(later(rig, 300), pair=2)
    reduced(later(rig, 300), "1998", "1998")
    reduced(later(rig, 300), pair=2)
    one = 4_000 * 0.36395 + 3_996 * 0.36645
    exposures = [each.gross for each in rig.engine.held]
    assert exposures[0] == pytest.approx(one, rel=1e-3)
    assert exposures[1] == pytest.approx(one / 2, rel=1e-3)
    assert exposures[2] == pytest.approx(1.5 * one, rel=1e-3)
    assert exposures[3] == pytest.approx(one, rel=1e-3)
    assert exposures[4] == pytest.approx(0, abs=4)
    times = [each.t_ns for each in rig.engine.held]
    assert np.diff(times).tolist() == [300 * 10**9] * 4


def test_exposure_between_two_far_marks_is_what_the_fills_left():
    points = [CurvePoint(BEGAN_NS + n * HOUR_NS, 100.0, 0.0, 0.0, 0.0) for n in range(2)]
    held = [HeldPoint(BEGAN_NS + n * HOUR_NS // 4, gross) for n, gross in ((1, 500.0), (3, 0.0))]
    equity, drawdown, exposure = lanes(points, money(hours=2), "USDT", held)
    assert [value for _, value in exposure.points] == [0.0, 500.0, 0.0, 0.0, 2900.0]
    assert exposure.strokes == (exposure.path,)
    for lane in (equity, drawdown):  # an hour between two marks is no line
        assert lane.strokes == tuple((point,) for point in lane.points)


def test_points_a_minute_are_one_line_and_a_pause_breaks_it():
    times = (0.0, 60.0, 120.0, 120.0 + JOINED_S + 1.0, 271.0)
    lane = Lane("x", "USDT", "basis", tuple((at, 1.0) for at in times))
    assert [len(stroke) for stroke in lane.strokes] == [3, 2]
    assert sum(lane.strokes, ()) == lane.points
