"""Commands that change an open pair: one leg closed, flip, rebalance, margin out, ADL."""

import pytest
from exec_rig import ExecRig, asked, kinds, only
from trading_rig import (
    FREE,
    FREE_BACK,
    PERP,
    PERP_B,
    PLAN,
    D,
    Funds,
    mirrored,
    order,
    settings,
)

from basisdesk.events import (
    AddMargin,
    ClosePair,
    Drill,
    Execution,
    ExitPlan,
    FlipPair,
    Halt,
    Liquidated,
    MarginMoved,
    PairAdded,
    PairOpened,
    PairReduced,
    Rebalance,
    SetPlan,
    WithdrawMargin,
)
from basisdesk.trading.exposure import exposure


def opened(conf=None, **changes):
    rig = ExecRig(conf)
    rig.ticker(PERP, 0.3665)
    rig.do(asked(**{"plan": FREE} | changes))
    rig.beats(0.2)
    return rig


def refused(outcomes, limit):
    (no,) = outcomes
    assert (no.limit, no.text.endswith(".")) == (limit, True), no
    return no


# --- one leg ---------------------------------------------------------------------------------


def test_one_leg_closed_by_hand_leaves_the_other_alone_for_good():
    rig = opened()
    rig.do(ClosePair(1, leg="short"))
    reduced = only(rig.beats(0.1), PairReduced)
    assert (reduced.alone, reduced.closed, reduced.margin) == (True, False, D("1832.5"))
    assert rig.pair().state == "naked"
    bare = exposure([rig.pair()], rig.market, "USDT", rig.now)
    assert bare.unhedged == D("3639.5")
    assert rig.beats(40) == []
    rig.do(ClosePair(1))
    assert only(rig.beats(0.1), PairReduced).closed


def test_one_leg_of_two_perpetuals_stays_too():
    rig = ExecRig()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.do(order("1000", long=PERP, short=PERP_B, plan=FREE))
    rig.beats(0.2)
    rig.do(ClosePair(1, leg="long"))
    rig.beats(2)
    assert rig.held() == (0, D(-1000))
    assert rig.pair().state == "naked"


def test_part_of_one_leg_in_slices():
    rig = opened()
    rig.do(ClosePair(1, D("0.5"), leg="long", how=Execution(slices=2, slice_gap_s=D(1))))
    rig.beats(4)
    assert rig.held() == (D(5000), D(-10000))
    assert rig.pair().state == "naked"


def test_a_leg_that_holds_nothing_or_a_limit_on_one_leg_is_refused():
    rig = opened()
    how = Execution(style="limit", limit_bp=D(5))
    refused(rig.do(ClosePair(1, leg="long", how=how)), "execution")
    rig.do(ClosePair(1, leg="long"))
    rig.beats(0.2)
    refused(rig.do(ClosePair(1, leg="long")), "leg")


# --- flip ------------------------------------------------------------------------------------


def test_flip_closes_and_opens_the_reverse_with_its_plan():
    rig = opened()
    assert rig.do(FlipPair(1, FREE_BACK)) == []
    made = rig.beats(0.5)
    assert kinds(made)[:2] == ["PairReduced", "PairOpened"]
    assert (made[0].reason, made[0].closed) == ("flip", True)
    fresh = rig.pair(2)
    assert (fresh.direction, fresh.plan, fresh.leverage) == (-1, FREE_BACK, 2)
    assert rig.held(2) == (D(10000), D(-10000))


@pytest.mark.parametrize("plan", [ExitPlan(), FREE, ExitPlan(D(5000))])
def test_flip_with_a_plan_that_cannot_be_is_refused_and_nothing_is_closed(plan):
    rig = opened()
    refused(rig.do(FlipPair(1, plan)), "exit_plan")
    assert rig.beats(1) == []
    assert rig.pair().state == "open"


def test_flip_while_halted_is_refused_and_a_halt_on_the_way_leaves_it_closed():
    rig = opened()
    rig.do(Halt())
    refused(rig.do(FlipPair(1, FREE_BACK)), "halted")
    rig = opened()
    rig.do(FlipPair(1, FREE_BACK))
    rig.do(Halt())
    made = rig.beats(1)
    assert kinds(made) == ["PairReduced", "Refused"]
    assert list(rig.desk.pairs) == [1]


def test_flip_is_lost_in_a_crash_and_opens_nothing():
    rig = opened()
    rig.do(FlipPair(1, FREE_BACK))
    rig.beats(0.1)
    rig.reborn()
    assert rig.beats(2) == []


# --- rebalance -------------------------------------------------------------------------------


def drifted(qty):
    """The perpetual is short of the coins by `qty`, within the tolerance."""
    rig = opened()
    rig.show(PERP, [(0.3665, float(10_000 - qty))], [(0.3666, 1e6)])
    rig.do(asked(plan=FREE))
    rig.desk.pending.clear()
    rig = ExecRig()
    rig.ticker(PERP, 0.3665)
    rig.do(asked(plan=FREE))
    rig.show(PERP, [(0.3665, float(10_000 - qty))], [(0.3666, 1e6)])
    rig.beats(0.2)
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    assert rig.pair().state == "open"
    assert rig.pair().delta == qty
    return rig


def test_rebalance_sells_the_missing_lots_of_the_perpetual():
    rig = drifted(40)
    assert rig.do(Rebalance(1)) == []
    added = only(rig.beats(0.1), PairAdded)
    assert (added.reason, added.fills[0].qty, added.margin) == ("rebalance", D(40), D("7.33"))
    assert rig.pair().delta == 0
    assert "smallest order" in refused(rig.do(Rebalance(1)), "rebalance").text


def test_rebalance_buys_back_what_is_too_much():
    rig = opened()
    rig.do(ClosePair(1, D("0.004"), leg="long"))  # 40 coins: within the tolerance
    rig.beats(0.2)
    assert (rig.pair().state, rig.pair().delta) == ("open", -40)
    rig.do(Rebalance(1))
    reduced = only(rig.beats(0.1), PairReduced)
    assert (reduced.reason, reduced.alone, reduced.closed) == ("rebalance", False, False)
    assert rig.pair().delta == 0


def test_rebalance_has_its_times():
    rig = opened(settings("base", latency_ms=80))
    refused(rig.do(Rebalance(1)), "rebalance")
    rig.do(ClosePair(1, leg="short"))
    rig.beats(0.2)
    assert "naked" in refused(rig.do(Rebalance(1)), "rebalance").text
    refused(rig.do(Rebalance(7)), "pair")
    rig = drifted(40)
    rig.funds = Funds(D(1), D(10_000))
    rig.do(Rebalance(1))
    refused(rig.beats(0.2), "funds")


# --- margin ----------------------------------------------------------------------------------


def test_margin_comes_out_again_down_to_the_initial_one():
    rig = opened()
    refused(rig.do(WithdrawMargin(1, D(1))), "margin")
    rig.do(AddMargin(1, D(100)))
    no = refused(rig.do(WithdrawMargin(1, D("100.01"))), "margin")
    assert no.allowed == "100"
    refused(rig.do(WithdrawMargin(1, D("-5"))), "margin")
    refused(rig.do(WithdrawMargin(1, D("1e-9"))), "margin")
    (moved,) = rig.do(WithdrawMargin(1, D(100)))
    assert moved == MarginMoved(rig.now, 1, D(-100))
    assert rig.pair().margin == D("1832.5")


def test_margin_stays_where_liquidation_would_come_too_near():
    rig = opened(leverage="5")
    rig.do(AddMargin(1, D(700)))
    rig.ticker(PERP, 0.425)
    no = refused(rig.do(WithdrawMargin(1, D(700))), "liq_distance")
    assert no.allowed == "5 %"
    assert isinstance(rig.do(WithdrawMargin(1, D(10)))[0], MarginMoved)


def test_a_plan_is_never_taken_away():
    rig = opened()
    refused(rig.do(SetPlan(1, ExitPlan())), "exit_plan")
    refused(rig.do(SetPlan(1, ExitPlan(max_hold_h=D(5), target_bp=D(3)))), "exit_plan")
    assert kinds(rig.do(SetPlan(1, PLAN))) == ["PlanChanged"]


# --- drills ----------------------------------------------------------------------------------


def test_adl_closes_the_perpetual_at_its_mark_and_leaves_the_other_naked():
    rig = opened()
    (forced,) = rig.do(Drill("adl", pair=1))
    assert isinstance(forced, Liquidated)
    (fill,) = forced.fills
    assert (forced.cause, fill.price, fill.fee) == ("adl", D("0.3665"), 0)
    assert "drill" in fill.grade_reason
    assert rig.pair().state == "naked"
    refused(rig.do(Drill("adl", pair=1)), "drill")
    refused(rig.do(Drill("adl", pair=9)), "pair")


def test_the_survivor_of_two_perpetuals_is_closed_after_an_adl():
    rig = ExecRig()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.ticker(PERP, 0.37)
    rig.ticker(PERP_B, 0.37)
    rig.do(order("1000", long=PERP, short=PERP_B, plan=FREE))
    rig.beats(0.2)
    rig.do(Drill("adl", pair=1))
    closed = only(rig.beats(0.5), PairReduced)
    assert (closed.reason, closed.closed) == ("adl", True)


def test_drills_happen_once_and_can_be_called_off():
    rig = ExecRig()
    rig.do(Drill("reject", "long"))
    rig.do(Drill("half", "short"))
    assert [each.kind for each in rig.desk.drills] == ["reject", "half"]
    rig.do(Drill("off"))
    assert rig.desk.drills == ()
    rig.do(asked())
    assert kinds(rig.beats(0.2)) == ["PairOpened"]
    refused(rig.do(Drill("late", seconds=D(0))), "drill")
    refused(rig.do(Drill("late", seconds=D("NaN"))), "drill")
    rig.do(Drill("reject", "long", pair=7))
    rig.do(mirrored("100", plan=FREE))
    assert isinstance(rig.beats(0.2)[0], PairOpened)  # it was meant for another pair
    assert len(rig.desk.drills) == 1
