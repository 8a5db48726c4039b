"""Positions, waterfall and status line as plain data: what most of the window shows, without Qt."""

import dataclasses
from decimal import Decimal
from itertools import pairwise

import pytest
from ui_rig import PERP, SPOT, Rig

from basisdesk.config import Paper, Settings
from basisdesk.events import ClosePair, ExitPlan, Halt, OpenPair
from basisdesk.ui.rows import (
    TERMS,
    liquidation_meaning,
    plan_text,
    position_rows,
    sign_of,
    waterfall,
)
from basisdesk.ui.status_rows import (
    banner,
    delta_text,
    left_items,
    right_items,
    short_money,
)

D = Decimal
PLAN = ExitPlan(D(3), D(120), D(72))


def held(qty="4000", direction=1, settings=None):
    rig = Rig(settings).begin()
    legs = (SPOT, PERP) if direction > 0 else (PERP, SPOT)
    plan = PLAN if direction > 0 else ExitPlan(D(90), D(-20), D(72))
    rig.submit(OpenPair(*legs, D(qty), D(2), plan))
    return rig


def only(rig):
    (row,) = position_rows(rig.engine, rig.settings, ())
    return row


def test_an_open_pair_says_what_it_holds_and_how_it_will_end():
    row = only(held())
    assert row.key == ("pair", 1)
    assert row.name == "ADA #1"
    assert row.legs == "Bybit spot / perp"
    assert row.size == "3,996 ADA"  # 4,000 bought, 4 kept by the venue as its fee
    assert row.plan == "\u2264 3 bp \u00b7 stop 120 \u00b7 72 h"
    assert row.delta == "0 ADA"
    assert row.held == "0s"
    assert not row.solid
    assert not row.over


def test_the_terms_on_the_screen_are_the_ledgers_and_sum_to_the_net():
    rig = held()
    rig.move(0.3640, 50.0)
    row, money = only(rig), rig.engine.attribution(1)
    assert sum(getattr(money, term) for term in TERMS) == money.total
    assert row.net_value == float(money.total)
    assert row.signs["fees"] == row.signs["slippage"] == -1
    assert row.signs["basis"] == 1
    assert row.terms["basis"].startswith("+")
    assert row.net.split()[0] in ("\u25b2", "\u25bc")


def test_closing_now_is_worth_less_than_the_mids_say_by_spread_depth_and_two_fees():
    rig = held()
    row = only(rig)
    assert row.closed_value < row.net_value
    leave = 3_996 * (0.364 * 0.001 + 0.3665 * 0.00055)  # taker fees of the way out
    assert row.net_value - row.closed_value > leave


def test_what_closing_was_worth_is_what_closing_then_pays():
    rig = held()
    promised = only(rig).closed_value
    rig.submit(ClosePair(1))
    row = only(rig)
    assert row.over
    assert row.if_closed == "closed"
    assert row.net_value == pytest.approx(promised, abs=1e-9)
    assert row.plan.startswith("closed by hand ")


def test_a_reverse_pair_mirrors_its_plan_and_pays_borrow():
    rig = held("2500", direction=-1)
    rig.wait(2)
    row = only(rig)
    assert row.legs == "Bybit perp / spot"
    assert row.plan == "\u2265 90 bp \u00b7 stop \u221220 \u00b7 72 h"


def test_liquidation_room_is_a_percentage_with_its_price_in_words():
    row = only(held())
    assert row.liq == "49 %"
    assert 45 < row.liq_pct < 55
    assert "is liquidated at mark 0.5" in row.liq_detail
    assert [liquidation_meaning(room) for room in (40.0, 14.0, 5.0)] == ["", "warn", "loss"]


def test_a_liquidated_perp_leaves_a_naked_leg_that_must_be_seen():
    rig = held()
    rig.move(0.3640 * 1.4, 68.0)
    rig.move(0.3640 * 1.6, 68.0)
    rig.wait(1)
    row = only(rig)
    assert row.state == "naked"
    assert row.solid
    assert row.plan.startswith("short leg liquidated, 2,3")
    assert row.plan.endswith(" USDT unhedged")
    assert row.liq == "\u2013"
    assert "Close it" in row.delta_detail


def test_an_order_under_way_is_a_row_of_its_own():
    rig = held(settings=Settings(paper=Paper(latency_ms=500)))
    row = only(rig)
    assert row.state == "pending"
    assert row.solid
    assert row.size == "4,000 ADA"
    assert "in 500 ms" in row.plan_detail


def test_closed_pairs_stay_below_open_ones_until_dismissed():
    rig = held()
    rig.submit(ClosePair(1))
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), PLAN))
    rows = position_rows(rig.engine, rig.settings, ())
    assert [row.pair for row in rows] == [2, 1]
    assert [row.over for row in rows] == [False, True]
    assert [row.pair for row in position_rows(rig.engine, rig.settings, {1})] == [2]


def test_a_silent_leg_keeps_the_last_mid_and_has_no_executable_value():
    rig = held()
    before = only(rig)
    rig.engine.market.legs[PERP].clear_quote()
    rig.engine.market.legs[PERP].book.clear("down")
    row = only(rig)
    assert row.if_closed == "\u2013"
    assert row.net == before.net


def test_rows_are_equal_when_nothing_a_person_sees_has_moved():
    rig = held()
    row = only(rig)
    assert dataclasses.replace(row, net_value=row.net_value + 1e-9) == row
    assert dataclasses.replace(row, net="\u25b2 +1.00") != row


def test_an_empty_plan_says_so():
    assert plan_text(ExitPlan(), 1) == "by hand only"


@pytest.mark.parametrize(
    ("value", "sign"), [(0.004, 0), (-0.004, 0), (0.006, 1), (float("nan"), 0)]
)
def test_the_sign_is_that_of_the_rounded_figure(value, sign):
    assert sign_of(value) == sign


def test_bars_of_the_waterfall_hang_together_and_leave_nothing_over():
    rig = held()
    rig.move(0.3641, 60.0)
    money = rig.engine.attribution(1)
    what = waterfall("ADA", money, "USDT")
    *terms, net = what.bars
    assert [bar.name for bar in terms[:4]] == ["Basis", "Funding", "Fees", "Slippage"]
    assert terms[0].start == 0.0
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(terms))
    assert terms[-1].end == pytest.approx(net.end) == pytest.approx(float(money.total))
    assert what.left_over == "left over 0.00 \u00b7 sum = total to the last digit"
    assert what.proven


# --- the status line and the banner ---------------------------------------------------------------


def test_the_status_line_tells_equity_today_and_exposure():
    rig = held()
    rig.move(0.3640, 20.0)
    equity, today, drawdown, exposure, delta = left_items(rig.engine, utc=True)
    assert equity.text.startswith("Equity 10,0")
    assert today.text.startswith("today \u25b2 +")
    assert today.meaning == "gain"
    assert drawdown.text == "drawdown 0.00 %"
    assert exposure.text == "gross exposure 2,912 USDT"  # both legs at their mids
    assert delta.text == "net delta 0 ADA"


def test_the_right_side_warns_when_nothing_is_recorded_or_the_loop_is_slow():
    rig = Rig().begin()
    rig.context.status.tape_state = "No recording: the disk is full."
    rig.context.status.loop_lag_p99_ms = 80.0
    rig.context.status.speed = 60.0
    items = right_items(rig.engine, rig.context.status, utc=True)
    texts = {item.text: item for item in items}
    assert texts["\u25b2 not recording"].meaning == "warn"
    assert texts["\u25b2 not recording"].tip == "No recording: the disk is full."
    assert texts["speed 60\u00d7"].meaning == "warn"
    assert next(item for item in items if item.text.startswith("loop")).meaning == "warn"


def test_the_programs_own_sentence_goes_before_the_halted_state():
    rig = Rig().begin()
    assert banner(rig.engine, rig.context.status, utc=True) is None
    rig.submit(Halt("test"))
    halted = banner(rig.engine, rig.context.status, utc=True)
    assert halted.level == "error"
    assert ": test. No new entries" in halted.text
    rig.context.status.banner = "The exchange stopped. Restarting it."
    shown = banner(rig.engine, rig.context.status, utc=True)
    assert shown.level == "warn"
    assert shown.text.endswith("The exchange stopped. Restarting it.")


def test_short_money_and_deltas():
    assert [short_money(v) for v in (5472.0, 18_912.0, 2_410_000.0)] == ["5,472", "18.9k", "2.41M"]
    assert delta_text({}) == "none"
    assert delta_text({"ADA": D(0), "SOL": D("0.5"), "XRP": D(-2)}) == "0 ADA, +0.5 SOL and 1 more"
