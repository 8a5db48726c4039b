"""Orders that work for a while: slices, limits, resting legs; their ends and restarts."""

from decimal import Decimal
from itertools import pairwise

import pytest
from exec_rig import ExecRig, asked, kinds, only
from trading_rig import FREE, PERP, SPOT, T0, D, Funds, Rig, S, mirrored, settings

from basisdesk.events import (
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    Flatten,
    Halt,
    Ordered,
    OrderEnded,
    PairAdded,
    PairOpened,
    PairReduced,
    SetPlan,
)
from basisdesk.events import ExitPlan as Plan
from basisdesk.trading import working


def sliced(rig, slices=4, gap="2", **how):
    rig.do(asked(slices=slices, slice_gap_s=D(gap), **how))


# --- what is asked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "limit"),
    [
        ({"style": "limit"}, "execution"),
        ({"style": "limit", "limit_bp": D("NaN")}, "execution"),
        ({"slices": 0}, "execution"),
        ({"slices": 101}, "execution"),
        ({"slices": 2, "slice_gap_s": D(0)}, "execution"),
        ({"slices": 2, "slice_gap_s": D("1e9")}, "execution"),
        ({"style": "passive", "good_for_s": D("-1")}, "execution"),
        ({"style": "passive", "pay_up": -1}, "execution"),
    ],
)
def test_an_order_that_cannot_be_executed_so_is_refused(how, limit):
    (no,) = Rig().do(asked(**how))
    assert (no.limit, no.text.endswith(".")) == (limit, True)


def test_slices_below_the_smallest_order_are_refused_with_it():
    (no,) = Rig().do(asked("100", slices=20))
    assert no.limit == "slices"
    assert "Use fewer slices." in no.text
    rig = Rig()
    rig.do(asked("100", plan=FREE))
    (no,) = rig.do(ClosePair(1, how=Execution(slices=20)))
    assert no.limit == "slices"


def test_a_limit_beyond_the_plan_is_refused():
    (no,) = Rig().do(asked(style="limit", limit_bp=D(200)))
    assert (no.limit, no.allowed) == ("exit_plan", "between target and stop")


# --- slices ----------------------------------------------------------------------------------


def test_slices_add_up_to_the_last_coin_and_keep_their_distance():
    rig = ExecRig(settings("base", latency_ms=80))
    sliced(rig, 3, "2", qty="10000")
    ordered = rig.log[0]
    assert isinstance(ordered, Ordered)
    assert rig.pair().state == "working"
    made = rig.beats(8)
    assert kinds(made) == ["PairOpened", "PairAdded", "PairAdded", "OrderEnded"]
    parts = [each for each in made if not isinstance(each, OrderEnded)]
    longs = [sum(f.qty for f in each.fills if f.leg == "long") for each in parts]
    assert (longs, sum(longs)) == ([D("3333.33"), D("3333.33"), D("3333.34")], D(10000))
    assert sum(f.qty for each in parts for f in each.fills if f.leg == "short") == 9990
    gaps = [later.ts_ns - sooner.ts_ns for sooner, later in pairwise(parts)]
    assert all(2 * S <= gap <= 2.3 * S for gap in gaps)
    assert [each.reason for each in parts[1:]] == ["slice", "slice"]
    assert made[-1].why == "filled"
    assert rig.pair().work is None


def test_a_restart_between_slices_goes_on_with_the_next():
    rig = ExecRig()
    sliced(rig)
    rig.beats(3)
    before = rig.held()
    assert before == (D(5000), D(-5000))
    rig.reborn()
    assert (rig.pair().long_done, rig.held()) == (D(5000), before)
    rig.beats(8)
    assert rig.held() == (D(10000), D(-10000))
    assert rig.log[-1].why == "filled"


def test_a_slice_that_is_refused_waits_and_the_order_runs_out_of_time():
    rig = ExecRig()
    sliced(rig, 2, "1", good_for_s=D(5))
    rig.beats(1)
    rig.show(PERP, [(0.3665, 100.0)], [(0.3666, 1e6)])
    made = rig.beats(8)
    ended = only(made, OrderEnded)
    assert (ended.why, "Bybit perp ADAUSDT shows 100" in ended.text) == ("expired", True)
    assert rig.held() == (D(5000), D(-5000))
    assert rig.pair().work is None


def test_a_legged_slice_is_mended_before_the_next_is_sent():
    rig = ExecRig()
    rig.do(Drill("reject", "short"))
    sliced(rig, 2, "1")
    made = rig.beats(0.2)
    assert kinds(made) == ["PairOpened", "LegRejected"]
    rig.beats(5)
    assert rig.held() == (D(10000), D(-10000))
    assert rig.pair().work is None


def test_an_unwound_slice_is_tried_again():
    rig = ExecRig()
    sliced(rig, 2, "1", policy="unwind")
    rig.beats(0.3)
    rig.do(Drill("reject", "short"))
    made = rig.beats(6)
    assert only(made, PairReduced).reason == "unwind"
    assert rig.held() == (D(10000), D(-10000))


def test_slices_pay_from_free_cash_and_hold_it_back_from_others():
    rig = ExecRig(settings(latency_ms=80, reserve=0), funds=Funds(D(6000), D(6000)))
    sliced(rig)
    rig.show("okx:perp:ADA-USDT-SWAP", [(0.3665, 1e6)], [(0.3666, 1e6)])
    (no,) = rig.do(asked("5000", short="okx:perp:ADA-USDT-SWAP"))
    assert no.limit == "funds"
    rig.beats(0.3)
    rig.funds = Funds(D(100), D(6000))
    assert rig.beats(3) == []
    assert "needs" in rig.desk.waits_for(1)


def test_an_exit_in_slices_leaves_nothing():
    rig = ExecRig(settings("base", latency_ms=80))
    rig.do(mirrored("1000", plan=FREE))
    rig.beats(1)
    rig.do(ClosePair(1, how=Execution(slices=3, slice_gap_s=D(1))))
    rig.beats(2)
    rig.reborn()
    made = rig.beats(5)
    assert rig.pair().state == "closed"
    assert only(made[-1:], PairReduced).closed
    assert rig.desk.pending == []


# --- limits ----------------------------------------------------------------------------------


def test_a_limit_entry_waits_for_its_basis_and_never_pays_more():
    rig = ExecRig()
    rig.do(asked(style="limit", limit_bp=D(80)))
    assert rig.beats(1) == []
    assert rig.desk.waits_for(1) == "The basis at this size is 68.7 bp, the limit 80.0 bp."
    rig.show(PERP, [(0.3670, 4000.0), (0.3660, 1e6)], [(0.3671, 1e6)])
    assert rig.beats(1) == []  # the top alone would do, its size does not
    rig.show(PERP, [(0.3670, 1e6)], [(0.3671, 1e6)])
    opened, ended = rig.beats(0.5)
    assert isinstance(opened, PairOpened)
    assert rig.pair().entry_bp >= 80
    assert ended.why == "filled"


def test_a_limit_of_the_reverse_pair_is_mirrored():
    rig = ExecRig()
    command = mirrored("1000", plan=Plan(D(500), D(-200)))
    how = Execution(style="limit", limit_bp=D(60))
    rig.do(type(command)(*(command.long, command.short, command.qty), exit=command.exit, how=how))
    assert rig.beats(1) == []  # it stands at 74 bp, the reverse pair wants it low
    rig.show(PERP, [(0.3658, 1e6)], [(0.3660, 1e6)])
    assert only(rig.beats(0.5), PairOpened).fills
    assert rig.pair().entry_bp <= 60


def test_a_limit_whose_price_moves_away_legs_and_is_mended_by_policy():
    rig = ExecRig()
    rig.do(asked(style="limit", limit_bp=D(60), policy="unwind"))
    rig.later(S // 10)  # sent
    rig.now += S // 20
    rig.show(PERP, [(0.3650, 1e6)], [(0.3651, 1e6)])
    made = rig.beats(0.1)
    assert kinds(made) == ["PairOpened", "LegRejected"]
    assert made[1].limit == "limit"
    made = rig.beats(1)
    assert only(made, PairReduced).reason == "unwind"
    assert rig.pair().state == "closed"


def test_a_limit_exit_leaves_at_or_past_its_basis():
    rig = ExecRig()
    rig.do(asked(plan=FREE))
    rig.beats(1)
    rig.do(ClosePair(1, how=Execution(style="limit", limit_bp=D(20))))
    assert rig.beats(1) == []
    assert rig.pair().state == "open"
    rig.show(SPOT, [(0.3660, 1e6)], [(0.3661, 1e6)])
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    (closed,) = rig.beats(0.5)
    assert (closed.reason, closed.closed) == ("user", True)
    assert rig.pair().exit_bp <= 20


def test_the_plans_exit_takes_the_place_of_a_working_one():
    rig = ExecRig()
    rig.do(asked(plan=FREE))
    rig.beats(1)
    rig.do(ClosePair(1, how=Execution(style="limit", limit_bp=D(-300))))
    rig.beats(1)
    rig.do(SetPlan(1, Plan(D(200), D(300))))
    made = rig.beats(0.5)
    assert kinds(made) == ["OrderEnded", "PairReduced"]
    assert (made[1].reason, made[1].closed) == ("target", True)


# --- resting legs ----------------------------------------------------------------------------


def resting(rig=None, **how):
    rig = rig or ExecRig()
    rig.show(SPOT, [(0.3639, 500.0)], [(0.3640, 1e6)])
    rig.do(asked("1000", style="passive", **how))
    rig.beats(0.3)
    return rig


def test_a_resting_leg_joins_the_back_fills_after_the_queue_and_is_hedged():
    rig = resting()
    order = rig.desk.resting_of(1)
    assert (order.side, order.price, order.ahead) == ("buy", D("0.3639"), 500.0)
    rig.print(SPOT, 0.3639, 700.0)
    opened = only(rig.beats(0.1), PairOpened)
    (fill,) = opened.fills
    assert (fill.qty, fill.price, fill.liquidity) == (D(200), D("0.3639"), "maker")
    assert (fill.fee, fill.grade) == (D(200) * D("0.3639") * D("0.001"), "B")
    assert fill.grade_reason.startswith("queue assumed: 500 ahead")
    (hedge,) = rig.desk.orders_of(1)
    assert (hedge.legs[0].leg, hedge.legs[0].limit) == ("short", D("0.3660"))  # five ticks
    added = only(rig.beats(0.1), PairAdded)
    assert (added.reason, added.fills[0].liquidity) == ("hedge", "taker")
    rig.print(SPOT, 0.3638, 1.0)  # through our price
    made = rig.beats(1)
    assert kinds(made) == ["PairAdded", "PairAdded", "OrderEnded"]
    assert made[0].fills[0].grade == "C"
    assert rig.held() == (D(1000), D(-1000))


def test_a_resting_perpetual_pays_the_maker_fee_and_its_margin():
    rig = ExecRig()
    rig.do(asked("1000", style="passive", passive_leg="short"))
    rig.beats(0.3)
    assert rig.desk.resting_of(1).side == "sell"
    rig.print(PERP, 0.3670, 5.0, "buy")
    opened = only(rig.beats(0.1), PairOpened)
    (fill,) = opened.fills
    assert (fill.price, fill.fee) == (D("0.3666"), 1000 * D("0.3666") * D("0.0002"))
    assert opened.margin == D("183.3")
    rig.beats(1)
    assert rig.held() == (D(1000), D(-1000))


def test_a_resting_leg_follows_its_touch_at_most_once_a_second():
    rig = resting()
    first = rig.desk.resting_of(1)
    rig.show(SPOT, [(0.36395, 100.0), (0.3639, 500.0)], [(0.3640, 1e6)])
    rig.rules(SPOT, tick=D("0.00001"))
    rig.show(SPOT, [(0.36395, 100.0), (0.3639, 500.0)], [(0.3640, 1e6)])
    rig.beats(0.4)
    assert rig.desk.resting_of(1) is first
    rig.beats(1.2)
    second = rig.desk.resting_of(1)
    assert (second.price, second.ahead) == (D("0.36395"), 100.0)
    assert second.sent_ns - first.sent_ns >= S


def test_a_hedge_that_is_not_filled_within_its_ticks_falls_to_the_policy():
    rig = resting(pay_up=0, policy="hedge")
    rig.print(SPOT, 0.3638, 1.0)
    only(rig.beats(0.1), PairOpened)
    rig.show(PERP, [(0.3650, 1e6)], [(0.3666, 1e6)])
    made = rig.beats(1)
    assert "LegRejected" in kinds(made)
    assert only(made, PairAdded).fills[0].price == D("0.3650")  # at market, by the policy
    assert rig.pair().state == "open"


def test_a_resting_leg_is_taken_away_while_it_could_not_be_hedged():
    rig = resting()
    rig.market.leg(PERP).book.clear("gap")
    rig.beats(1.5)
    assert rig.desk.resting_of(1) is None
    assert "book is not whole" in rig.desk.waits_for(1)
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.beats(0.3)
    assert rig.desk.resting_of(1) is not None


@pytest.mark.parametrize("exits", [False, True])
def test_a_fill_too_small_to_be_hedged_is_hedged_with_the_next(exits):
    rig = ExecRig()
    rig.show(SPOT, [(0.3639, 500.0)], [(0.3640, 500.0)])
    if exits:
        rig.do(asked("400", plan=FREE))
        rig.beats(1)
        rig.show(SPOT, [(0.3639, 500.0)], [(0.3640, 500.0)])
        rig.do(ClosePair(1, how=Execution(style="passive")))
    else:
        rig.do(asked("400", style="passive"))
    rig.beats(0.3)
    price, taker = (0.3640, "buy") if exits else (0.3639, "sell")
    rig.print(SPOT, price, 505.0, taker)
    assert len(rig.beats(20)) == 1
    assert (rig.pair().state, abs(rig.pair().delta)) == ("unhedged", 5)
    rig.print(SPOT, price, 95.0, taker)
    rig.beats(1)
    left = 300 if exits else 100
    assert rig.held() == (D(left), D(-left))
    assert rig.pair().work is not None


def test_a_restart_joins_the_back_of_the_queue_again():
    rig = resting()
    rig.print(SPOT, 0.3639, 400.0)
    rig.beats(0.1)
    assert rig.desk.resting_of(1).ahead == 100.0
    rig.reborn()
    rig.beats(0.4)
    assert rig.desk.resting_of(1).ahead == 500.0
    rig.print(SPOT, 0.3639, 600.0)
    assert only(rig.beats(0.1), PairOpened).fills[0].qty == 100
    rig.reborn()  # the hedge on its way is lost; the policy sends it again
    rig.beats(1)
    assert rig.held() == (D(100), D(-100))


def test_a_resting_exit_of_a_borrowed_pair_ends_with_nothing_left():
    rig = ExecRig(settings("base", latency_ms=80))
    rig.do(mirrored("1000", plan=FREE))
    rig.beats(1)
    rig.do(ClosePair(1, how=Execution(style="passive", passive_leg="short")))
    rig.beats(0.3)
    rig.print(SPOT, 0.3638, 1.0)
    rig.beats(1)
    assert rig.pair().state == "closed"


# --- ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"slices": 4, "slice_gap_s": D(60)}])
def test_cancel_withdraws_the_rest_and_keeps_what_is_filled(how):
    rig = ExecRig() if how else resting()
    if not how:
        rig.print(SPOT, 0.3639, 700.0)
        rig.beats(0.5)
    else:
        rig.do(asked("4000", **how))
        rig.beats(1)
    before = rig.held()
    assert before[0] == -before[1] > 0
    (ended,) = rig.do(CancelOrder(1))
    assert ended.why == "withdrawn"
    rig.print(SPOT, 0.3638, 1e6)
    assert rig.beats(2) == []
    assert rig.held() == before
    (no,) = rig.do(CancelOrder(1))
    assert no.limit == "order"


def test_cancel_before_any_fill_closes_the_pair_for_good():
    rig = ExecRig()
    rig.do(asked(style="limit", limit_bp=D(100)))
    rig.do(CancelOrder(1))
    assert 1 not in rig.desk.pairs
    rig.do(asked("100"))
    assert only(rig.beats(1), PairOpened).pair == 2


def test_halt_withdraws_working_entries_and_lets_working_exits_go_on():
    rig = ExecRig()
    sliced(rig, 2, "60")
    rig.do(asked("100", style="limit", limit_bp=D(100), plan=FREE))
    rig.beats(1)
    rig.do(Halt("lunch"))
    ended = rig.beats(0.3)
    assert [each.why for each in ended] == ["halted", "halted"]
    assert "lunch" in ended[0].text
    assert rig.held() == (D(5000), D(-5000))
    rig.do(ClosePair(1, how=Execution(slices=2, slice_gap_s=D(1))))
    rig.beats(4)
    assert rig.pair().state == "closed"


def test_halt_while_one_leg_of_a_slice_is_on_its_way_lets_it_come():
    rig = ExecRig()
    rig.do(Drill("late", "short", seconds=D(2)))
    sliced(rig, 2, "1")
    rig.beats(0.5)
    rig.do(Halt())
    rig.beats(3)
    assert rig.held() == (D(5000), D(-5000))
    assert rig.pair().work is None


def test_flatten_withdraws_working_orders():
    rig = ExecRig()
    sliced(rig, 2, "60")
    rig.beats(1)
    made = rig.do(Flatten()) + rig.beats(0.3)
    assert kinds(made) == ["OrderEnded", "PairReduced"]
    assert rig.pair().state == "closed"


def test_a_liquidated_leg_ends_the_working_order_of_both():
    rig = ExecRig()
    rig.do(asked("10000", leverage="5", plan=FREE, slices=2, slice_gap_s=D(60)))
    rig.beats(1)
    rig.ticker(PERP, 0.5)
    made = rig.beats(0.3)
    assert kinds(made) == ["Liquidated", "OrderEnded"]
    assert rig.pair().state == "naked"


def test_the_next_part_is_a_pure_answer():
    rig = ExecRig()
    sliced(rig, 3, "2", qty="100")
    position = rig.pair()
    rules = tuple(rig.market.instruments[key] for key in (SPOT, PERP))
    (parts, due) = working.next_part(position, position.work, rules)
    assert (parts, due) == ((D("33.33"), D(33)), T0)
    assert working.reached(position.work, 1, float("nan"))  # without a limit
    assert working.give_up_ns(Execution(slices=3), 0) == 660 * S
    assert working.slice_qty(D(10), 3, rules[1]) == Decimal(3)
