"""Close by choice, flip, rebalance, margin: what each says before anything is sent."""

from decimal import Decimal

import pytest
from book_rig import begun, opened

from basisdesk.events import Execution, ExitPlan
from basisdesk.ui.close_rows import (
    close_terms,
    flip_plan,
    flip_request,
    flip_terms,
    rebalance_move,
    rebalance_terms,
)
from basisdesk.ui.rows import position_rows

D = Decimal
MARKET = Execution()
ALL = D(1)


def held(long_qty="4000", short_qty="3996"):
    rig = opened(begun(), long_qty, short_qty)
    return rig, rig.engine.desk.pairs[1]


def terms(rig, position, which="both", share=ALL, how=MARKET):
    return close_terms(position, which, share, how, rig.engine, rig.settings)


def test_a_full_close_ends_where_the_table_says_it_would():
    rig, position = held()
    said = terms(rig, position)
    (row,) = position_rows(rig.engine, rig.settings, ())
    assert said.net == row.if_closed
    assert said.lines[0] == "Sells 3,996 ADA on Bybit spot ADAUSDT at about 0.3639."
    assert said.lines[-1] == f"The pair then ends at {row.if_closed} USDT."
    assert said.button == "Close both legs"
    assert not said.problem
    assert not said.warning


def test_a_part_says_how_much_and_that_the_rest_stands_at_mids():
    rig, position = held()
    said = terms(rig, position, share=D("0.25"))
    assert said.button == "Close 25 % of both legs"
    assert said.lines[0].startswith("Sells 999 ADA")
    assert said.lines[-1].endswith("at mids for what is left.")


@pytest.mark.parametrize(("which", "way"), [("short", "falls"), ("long", "rises")])
def test_one_leg_alone_warns_with_the_money_it_leaves(which, way):
    rig, position = held()
    said = terms(rig, position, which)
    other = {"short": "long", "long": "short"}[which]
    assert f"of the {other} leg without its hedge: it loses when the price {way}" in said.warning
    assert "3,996 ADA (1," in said.warning
    assert said.button == f"Close the {which} leg"
    assert len([line for line in said.lines if " on Bybit " in line]) == 1


def test_what_cannot_be_read_or_sent_says_why():
    rig, position = held()
    assert terms(rig, position, share=None).problem.startswith("Enter the share")
    assert terms(rig, position, how=None).problem.startswith("An execution field is empty")
    rig, position = held("4000", "")
    assert terms(rig, position, "short").problem == "The short leg holds nothing to close."


def test_depth_that_does_not_reach_is_said_and_no_figure_is_made_up():
    rig, position = held()
    rig.engine.market.legs[position.short.instrument].book.clear("down")
    rig.engine.market.legs[position.short.instrument].clear_quote()
    said = terms(rig, position)
    assert "the displayed depth does not reach for it now" in said.lines[1]
    assert said.lines[2] == "Taker fees and half spreads with depth: \u2013 USDT now."


def test_a_flip_mirrors_the_plan_around_the_new_entry():
    _, position = held()
    plan = flip_plan(position, 70.0)
    entry = D(repr(round(position.entry_bp, 1)))
    assert plan.target_bp == D("70.0") - (3 - entry)
    assert plan.stop_bp == D("70.0") - (120 - entry)
    assert plan.stop_bp < plan.target_bp  # mirrored: this direction earns as the basis rises
    assert flip_plan(position, float("nan")) == ExitPlan(max_hold_h=D(72))


def test_a_flip_names_both_costs_and_the_desks_own_verdict():
    rig, position = held("1000", "999")
    request = flip_request(position, flip_plan(position, 70.0))
    assert request.long == position.short.instrument
    assert request.qty == 999
    sheet = rig.engine.sheet(request)
    said = flip_terms(position, sheet, "", rig.engine, rig.settings)
    assert said.lines[0].startswith("Closes the pair at market: it ends at \u25bc \u2212")
    assert "sells Bybit spot ADAUSDT, the same size, once the close is filled" in said.lines[1]
    assert "USDT or " in said.lines[2]
    assert said.lines[2].endswith("bp the round trip.")
    assert said.lines[3] == sheet.verdict
    refused = flip_terms(position, sheet, "The exit plan needs a stop.", rig.engine, rig.settings)
    assert refused.problem == "The exit plan needs a stop."


def test_a_rebalance_trades_the_perpetual_by_the_delta_in_whole_lots():
    rig, position = held("100", "96")  # 99.9 against 96: 3.9 ADA
    rule = rig.engine.market.instruments[position.short.instrument]
    move = rebalance_move(position, rule)
    assert (move.side, move.qty, move.left) == ("sell", 4, D("-0.1"))
    said = rebalance_terms(position, rig.engine, rig.settings)
    assert said.lines[0] == "Sells 4 ADA on Bybit perp ADAUSDT at about 0.3664."
    assert said.lines[1].startswith("Costs 0.00")
    assert (
        said.lines[2] == "Drift goes from +390.4 bp to \u221210.0 bp; \u22120.1 ADA stays unhedged."
    )
    assert said.button == "Sell 4 ADA"


def test_a_drift_below_a_lot_cannot_be_traded():
    rig, position = held("100", "99.9")
    said = rebalance_terms(position, rig.engine, rig.settings)
    assert said.problem.startswith("The legs differ by 0 ADA")
