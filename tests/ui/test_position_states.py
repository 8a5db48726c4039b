"""Rows of pairs that work, stand on one leg, drift or are over: the words and figures of each."""

import dataclasses
from decimal import Decimal

import pytest
from book_rig import PLAN, added, begun, later, liquidated, opened, ordered, reduced

from basisdesk.events import Execution, ExitPlan
from basisdesk.market_time import in_market_time
from basisdesk.ui.holding_rows import hours_text, left_detail, left_text
from basisdesk.ui.pair_facts import pair_facts
from basisdesk.ui.position_texts import acting, bare_text, plan_text, slice_of
from basisdesk.ui.positions_actions import buttons_of, tag_of
from basisdesk.ui.rows import ROWS_A_BEAT, RowMemo, position_rows
from basisdesk.ui.times import ticking_text
from basisdesk.ui.unhedged_rows import alarm

D = Decimal
LIMIT = Execution("limit", limit_bp=D(12), slices=5)


def only(rig, memo=None):
    (row,) = position_rows(rig.engine, rig.settings, (), memo)
    return row


def test_a_working_entry_tells_its_slice_its_limit_and_what_is_filled():
    rig = ordered(begun(), LIMIT)
    row = only(rig)
    assert row.state == "working"
    assert row.working
    assert not row.holds
    assert row.size == "10,000 ADA"
    assert row.plan == "entry 0 of 10,000 \u00b7 slice 1 of 5 \u00b7 limit 12 bp"
    assert row.net == "0.00"
    assert "Waits until the executable basis is 12 bp or better" in row.plan_detail
    assert "What is left is withdrawn at 09:24:22 UTC" in row.plan_detail
    assert buttons_of(row) == ("cancel", "more")


def test_a_flatten_that_goes_on_says_so_and_names_no_end():
    row = only(ordered(opened(begun()), Execution(), "4000", "close", reason="flatten"))
    assert row.plan == "flatten goes on"
    assert "Flatten goes on until nothing is left, after a restart too." in row.plan_detail
    assert "withdrawn at" not in row.plan_detail


def test_fills_move_the_progress_and_the_slice():
    rig = ordered(begun(), LIMIT)
    opened(rig, "2000", "2000", how=LIMIT)
    added(rig, "1000", "1000")
    position = rig.engine.desk.pairs[1]
    assert slice_of(position, position.work) == 2
    row = only(rig)
    assert row.state == "open"
    assert row.holds
    assert row.plan.startswith("entry 3,000 of 10,000 \u00b7 slice 2 of 5")
    assert buttons_of(row) == ("cancel", "more")


def test_a_passive_order_says_which_leg_rests():
    rig = ordered(begun(), Execution("passive", passive_leg="short", pay_up=3))
    row = only(rig)
    assert row.plan == "entry 0 of 10,000 \u00b7 short leg rests"
    assert "hedged up to 3 ticks beyond" in row.plan_detail


@pytest.mark.parametrize(
    ("policy", "does"),
    [("hedge", "hedging now"), ("retry", "retrying"), ("unwind", "unwinding")],
)
def test_an_unhedged_pair_shows_money_a_clock_and_what_is_done(policy, does):
    rig = opened(begun(), "4000", "1000", how=Execution(policy=policy))
    later(rig, 3)
    row = only(rig)
    assert row.state == "unhedged"
    assert row.solid
    assert row.plan == f"unhedged 1,090 USDT for 3.0 s, {does}"  # 2,996 ADA at 0.36395
    assert "after 30 s alone it is unwound and entries stop" in row.plan_detail
    assert "Bybit perp ADAUSDT lacks 2,996 ADA" in row.plan_detail


def test_a_leg_that_is_missing_altogether_has_no_basis_and_no_nonsense():
    rig = opened(begun(), "4000", "")
    row = only(rig)
    assert row.state == "unhedged"
    assert row.basis == "\u2013 \u2192 \u2013"
    assert "Short bybit:perp:ADAUSDT: 0 held, nothing filled yet." in row.legs_detail
    assert row.drift == "+10,000.0"


def test_the_clock_of_an_unhedged_pair_runs_and_ends_with_the_hedge():
    rig = opened(begun(), "4000", "1000")
    later(rig, 2)
    assert "for 2.0 s" in only(rig).plan
    later(rig, 1)
    assert "for 3.0 s" in only(rig).plan
    added(rig, "", "2996", reason="hedge")
    row = only(rig)
    assert row.state == "open"
    assert row.plan == "\u2264 3 bp \u00b7 stop 120 \u00b7 72 h"


@pytest.mark.parametrize(("cause", "word"), [("liquidation", "liquidated"), ("adl", "deleveraged")])
def test_a_leg_that_was_taken_leaves_a_naked_pair_with_its_money(cause, word):
    rig = liquidated(opened(begun()), cause)
    row = only(rig)
    assert row.state == "naked"
    assert row.solid
    assert row.plan == f"short leg {word}, 1,454 USDT unhedged"  # 3,996 ADA at 0.36395
    assert row.drift == "\u2013"
    assert row.holds
    assert "the other moves with the price" in row.delta_detail


def test_a_leg_closed_alone_by_hand_is_naked_and_says_so():
    rig = opened(begun())
    reduced(rig, long_qty="", closed=False, alone=True)
    row = only(rig)
    assert row.state == "naked"
    assert row.plan.startswith("short leg closed, 1,454 USDT")
    assert row.delta_detail.startswith("One leg was closed alone")


def test_drift_beyond_the_alarm_offers_a_rebalance():
    rig = opened(begun(), "100", "99")  # 0.1 ADA of 99.9: inside the lot, 90 bp
    row = only(rig)
    assert row.state == "open"
    assert row.drifted
    assert row.drift == "+90.1"
    assert buttons_of(row) == ("rebalance", "more")
    whole = opened(begun())
    assert not only(whole).drifted
    assert buttons_of(only(whole)) == ("close", "half", "more")


def test_each_leg_shows_its_price_profit_before_costs():
    rig = opened(begun())
    rig.move(0.3660, 50.0)
    row = only(rig)
    money = rig.engine.attribution(1)
    assert row.long_value == float(money.long_gross)
    assert row.short_value == float(money.short_gross)
    assert row.long_pnl.startswith("+")
    assert row.margin == "732.07"


def test_a_closed_pairs_row_is_made_once_and_again_for_late_funding(monkeypatch):
    rig = opened(begun())
    reduced(rig)
    memo = RowMemo()
    first = only(rig, memo)
    rig.move(0.40, 10.0)
    assert only(rig, memo) is first
    rig.engine.desk.pairs[1].funding += 1
    assert only(rig, memo) is not first


def test_of_many_pairs_some_rows_a_beat_follow_the_prices_and_news_shows_at_once():
    rig = begun()
    for pair in range(1, 41):
        opened(rig, "100", "99", pair=pair)
    memo = RowMemo(chosen=1)

    def seen():
        return {r.pair: r for r in position_rows(rig.engine, rig.settings, (), memo)}

    before = seen()
    rig.move(0.3660, 90.0)
    after = seen()
    moved = {pair for pair in before if before[pair].net != after[pair].net}
    assert 1 in moved
    assert ROWS_A_BEAT <= len(moved) <= ROWS_A_BEAT + 1
    for _ in range(40 // ROWS_A_BEAT):
        after = seen()
    assert all(before[pair].net != after[pair].net for pair in before)
    reduced(rig, "99.9", "99", pair=7)
    assert seen()[7].over


def test_one_pair_a_beat_is_looked_at_for_its_hold_and_each_once_a_minute():
    rig = opened(begun())
    opened(rig, pair=2)
    memo = RowMemo()

    def told():
        rows = position_rows(rig.engine, rig.settings, (), memo)
        return sum(row.holding.cost != "\u2013" for row in rows)

    assert told() == 1
    assert told() == 1  # the same moment
    rig.move(0.3640, 68.0)
    assert told() == 2
    before = {row.pair: row.holding for row in position_rows(rig.engine, rig.settings, (), memo)}
    rig.move(0.3640, 68.0, seconds=1)
    after = {row.pair: row.holding for row in position_rows(rig.engine, rig.settings, (), memo)}
    assert all(before[pair] is after[pair] for pair in before)


def test_the_cost_of_an_hour_names_its_parts():
    row = only(opened(begun()))
    assert row.holding.cost.startswith("\u2212")
    assert row.holding.cost_value < 0
    assert "borrow 0.0000" in row.holding.cost_detail
    assert "to you, not set off" in row.holding.cost_detail
    assert row.holding.left_detail.startswith("No range: ")


def test_the_hold_is_a_range_in_words():
    from basisdesk.trading.hold_time import Hold
    from basisdesk.trading.passage import Reversion

    seen = Reversion(4.0, 6.0, 2.5, 24.0)
    assert left_text(Hold(5.0, 52.0, reversion=seen)) == ("5.0 h to 2.2 d", 5.0)
    assert "nine of ten within 2.2 d. Measured on 24.0 h" in left_detail(
        Hold(5.0, 52.0, reversion=seen)
    )
    assert left_text(Hold(may_never=True, why="it lies beyond the mean"))[0] == "may never"
    assert left_text(Hold(0.0, 0.0, why="the target is reached"))[0] == "reached"
    assert left_text(Hold(why="no data"))[0] == "\u2013"
    assert [hours_text(hours) for hours in (0.25, 12.0, 72.0)] == ["15 min", "12.0 h", "3.0 d"]


def test_a_plan_tells_every_rule_it_has():
    plan = ExitPlan(D(3), D(120), D(72), D(25), D(2), True)
    assert plan_text(plan, 1) == (
        "\u2264 3 bp \u00b7 net 25 \u00b7 stop 120 \u00b7 72 h \u00b7 funding \u00b7 sector"
    )
    row = only(opened(begun(), plan=plan))
    assert "Leaves once closing nets +25.00 USDT" in row.plan_detail
    assert "funding costs 2 bp per 8 h or more" in row.plan_detail


def test_the_selected_pair_in_figures_has_a_unit_on_each():
    rig = opened(begun())
    facts = {fact.name: fact for fact in pair_facts(only(rig), "USDT")}
    assert facts["Net now"].text.endswith(" USDT")
    assert facts["Hedge drift"].text.endswith(" bp")
    assert facts["Liquidation room"].text.endswith(" %")
    assert facts["Margin"].figure == "margin"
    assert pair_facts(None, "USDT") == ()
    reduced(rig)
    over = {fact.name: fact for fact in pair_facts(only(rig), "USDT")}
    assert over["Over"].text.startswith("closed by hand")
    assert len(over) == 5


def test_a_row_wants_the_same_buttons_until_it_wants_others():
    row = only(opened(begun(), plan=PLAN))
    assert tag_of(row) == tag_of(dataclasses.replace(row, net="\u25b2 +9.00"))
    assert tag_of(row) != tag_of(dataclasses.replace(row, drifted=True))
    assert tag_of(dataclasses.replace(row, pair=0)) == ""


# --- apart, and by the market's own clock ---------------------------------------------------------


def test_what_is_mended_and_what_is_naked_have_a_clock_and_money_each():
    rig = opened(begun(), pair=1)
    liquidated(rig, "adl")
    later(rig, 190)
    opened(rig, "4000", "", pair=2)
    later(rig, 3.1)
    shown = alarm(rig.engine, rig.engine.now_ns)
    first, second = shown.text.split(" \u00b7 ")
    assert first.startswith("UNHEDGED 1 pair 1,")
    assert first.endswith(" USDT 3.1 s")
    assert second.startswith("NAKED 1 pair 1,")
    assert second.endswith(" USDT 3m 13s")
    assert shown.short.count("pair") == 0
    liquidated_too = opened(rig, pair=3)
    liquidated(liquidated_too, "adl", pair=3)
    assert "NAKED 2 pairs 2," in alarm(rig.engine, rig.engine.now_ns).text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3.19, "3.1 s"), (59.99, "59.9 s"), (60, "1m 00s"), (193, "3m 13s"), (3793, "1h 03m 13s")],
)
def test_a_clock_counts_each_second(seconds, said):
    assert ticking_text(seconds) == said
    assert ticking_text(float("nan")) == "\u2013"


def test_figures_of_holding_two_legs_do_not_outlive_one_of_them():
    rig = opened(begun())
    memo = RowMemo()
    assert only(rig, memo).holding.cost != "\u2013"
    liquidated(rig, "adl")
    row = only(rig, memo)
    assert (row.holding.cost, row.holding.left) == ("\u2013", "\u2013")
    assert "whole pairs only" in row.holding.cost_detail
    assert "Only its time stop (72 h) can close it by itself" in row.plan_detail
    assert plan_text(acting(rig.engine.desk.pairs[1]), 1) == "72 h"
    assert bare_text(ExitPlan(D(3), D(120)), "USDT").startswith("No rule of its plan can act")
    both = bare_text(ExitPlan(None, None, D(2), D(5)), "USDT")
    assert "its time stop (2 h) and its net target (+5.00 USDT)" in both


def test_seconds_are_those_of_a_fast_demo():
    rig = opened(begun(), "4000", "")
    rig.engine.settings = in_market_time(rig.settings, 20.0)
    limit = 20 * rig.settings.risk.unhedged_s_max
    assert f"after {limit} s alone" in only(rig).plan_detail
