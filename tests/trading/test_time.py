"""What time brings: funding by the snapshot rule, interest, exits, liquidation."""

import pytest
from trading_rig import (
    FREE,
    HOUR,
    PERP,
    PERP_B,
    PLAN,
    SPOT,
    T0,
    D,
    Rig,
    S,
    mirrored,
    order,
    settings,
)

from basisdesk.events import (
    AddMargin,
    BorrowCharged,
    ClosePair,
    ExitPlan,
    Flatten,
    FundingHistory,
    FundingSettled,
    Liquidated,
    PairReduced,
    Refused,
    SetPlan,
)
from basisdesk.trading.accrual import settle, started_hours
from basisdesk.trading.positions import LegPosition

EIGHT = 8 * HOUR
STAMP_MS = (T0 + EIGHT) // 10**6
REACHED = ExitPlan(D(200), D(300))  # the books of the rig stand below that target


def funded(rig=None, rate=0.0001, mark=0.3670):
    rig = rig or Rig()
    rig.now = T0 + EIGHT - 60 * S
    rig.fresh()
    rig.ticker(PERP, mark, rate, STAMP_MS)
    return rig


def payments(outcomes):
    return [each for each in outcomes if isinstance(each, FundingSettled)]


def test_A4_funding_is_paid_at_the_stamp_on_the_mark_notional():
    """The script never paid any. Short perp, positive rate: we receive."""
    rig = funded()
    rig.open(plan=FREE)
    assert payments(rig.later(59 * S)) == []
    (paid,) = payments(rig.later(S))
    assert paid.amount == D("0.367")
    assert (paid.qty, paid.mark, paid.rate) == (D(-10000), D("0.367"), D("0.0001"))
    assert (paid.settle_ms, paid.late, paid.source) == (STAMP_MS, False, "ticker")
    assert rig.desk.pairs[1].funding == D("0.367")
    assert payments(rig.later(S)) == []


def test_A4_long_perp_pays_a_positive_rate():
    rig = funded()
    rig.do(mirrored(plan=FREE))
    (paid,) = payments(rig.later(60 * S))
    assert paid.amount == D("-0.367")


def test_entry_at_the_stamp_is_not_paid():
    rig = funded()
    rig.now = T0 + EIGHT
    rig.fresh()
    rig.open(plan=FREE)
    assert payments(rig.later(S)) == []


def test_entry_just_before_the_stamp_is_paid():
    rig = funded()
    rig.now = T0 + EIGHT - 1
    rig.fresh()
    rig.open(plan=FREE)
    assert len(payments(rig.later(1))) == 1


def test_exit_at_the_stamp_still_pays():
    rig = funded()
    rig.open(plan=FREE)
    rig.now = T0 + EIGHT
    rig.fresh()
    paid, closed = rig.do(ClosePair(1))
    assert isinstance(paid, FundingSettled)
    assert isinstance(closed, PairReduced)


def test_exit_just_before_the_stamp_does_not():
    rig = funded()
    rig.open(plan=FREE)
    rig.now = T0 + EIGHT - 1
    rig.fresh()
    rig.do(ClosePair(1))
    assert payments(rig.later(S)) == []


def test_a_close_on_its_way_across_the_stamp_pays():
    rig = funded(Rig(settings(latency_ms=80)))
    rig.do(order(plan=FREE))
    rig.later(S)
    rig.now = T0 + EIGHT - 40_000_000
    rig.fresh()
    assert rig.do(ClosePair(1)) == []
    paid, closed = rig.later(80_000_000)
    assert isinstance(paid, FundingSettled)
    assert closed.ts_ns >= paid.settle_ms * 10**6


def test_partial_close_after_the_stamp_pays_on_what_was_held_at_it():
    rig = funded()
    rig.open(plan=FREE)
    position = rig.desk.pairs[1]
    rig.now = T0 + EIGHT + S
    rig.market.leg(PERP).funding.next_ms = 0  # the venue's clock is not heard yet
    rig.fresh()
    rig.do(ClosePair(1, D("0.5")))
    assert position.short.qty_before(T0 + EIGHT) == -10000
    assert position.short.qty == -5000


def test_one_settlement_goes_to_every_pair_that_held_it_and_only_once():
    rig = funded()
    rig.open("100", plan=FREE)
    rig.open("200", plan=FREE)
    paid = payments(rig.later(60 * S))
    assert [(each.pair, each.qty) for each in paid] == [(1, D(-100)), (2, D(-200))]
    from basisdesk.market.funding import Settlement

    again = Settlement(STAMP_MS, 0.0001, 0.367)
    assert settle(rig.desk.pairs[1], PERP, again, rig.now) is None


def test_settlement_without_a_mark_is_not_invented():
    rig = Rig()
    rig.open("100", plan=FREE)
    from basisdesk.market.funding import Settlement

    nan = float("nan")
    assert settle(rig.desk.pairs[1], PERP, Settlement(T0 // 10**6 + 1, nan, 0.3), T0) is None
    assert settle(rig.desk.pairs[1], PERP, Settlement(T0 // 10**6 + 1, 0.1, nan), T0) is None


def test_settlements_missed_while_closed_are_paid_late_from_history():
    rig = Rig()
    rig.open(plan=FREE)
    rig.now = T0 + 17 * HOUR
    rig.fresh()
    rig.ticker(PERP, 0.4, 0.0001, (T0 + 24 * HOUR) // 10**6)
    rows = [((T0 + hours * HOUR) // 10**6, "0.0001") for hours in (0, 8, 16)]
    rig.market.leg(PERP).funding.learn(FundingHistory(PERP, rows))
    paid = payments(rig.later(0))
    assert [each.settle_ms for each in paid] == [rows[1][0], rows[2][0]]
    assert {(each.late, each.source, each.amount) for each in paid} == {(True, "history", D("0.4"))}
    assert payments(rig.later(S)) == []


def test_both_legs_of_a_perp_pair_are_settled():
    rig = funded()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.ticker(PERP_B, 0.3675, 0.0004, STAMP_MS)
    rig.do(order("1000", long=PERP, short=PERP_B, plan=FREE))
    paid = payments(rig.later(60 * S))
    assert {each.instrument: each.amount for each in paid} == {
        PERP: D("-0.0367"),
        PERP_B: D("0.147"),
    }


def owed(since_ns):
    leg = LegPosition("short", SPOT, "spot")
    leg.history.append((since_ns, D(-1)))
    return leg


def test_each_started_hour_of_a_loan_is_charged_once():
    assert started_hours(owed(T0), T0) == 1
    assert started_hours(owed(T0 - 1), T0) == 2
    rig = Rig()
    rig.now = T0 + HOUR // 2
    rig.fresh()
    rig.do(mirrored("1000", plan=FREE))
    (first,) = rig.later(S)
    rate = D("0.000001502122")
    assert isinstance(first, BorrowCharged)
    assert (first.hours, first.qty, first.price) == (1, D(1000), D("0.36395"))
    assert first.amount == 1000 * D("0.36395") * rate
    assert rig.later(HOUR // 4) == []
    (second,) = rig.later(HOUR // 4)
    assert second.hours == 1
    (gap,) = rig.later(5 * HOUR)
    assert gap.hours == 5
    assert rig.desk.pairs[1].borrow_hours == 7


def test_loan_closed_within_its_first_hour_still_pays_it():
    rig = Rig()
    rig.do(mirrored("1000", plan=FREE))
    charged, closed = rig.do(ClosePair(1))
    assert isinstance(charged, BorrowCharged)
    assert closed.closed


def test_interest_waits_for_a_price():
    rig = Rig()
    rig.do(mirrored("1000", plan=FREE))
    rig.market.leg(SPOT).clear_quote()
    assert rig.later(HOUR, fresh=False) == []
    rig.show(SPOT, [(0.4, 1e6)], [(0.4001, 1e6)])
    (charged,) = rig.later(0)
    assert charged.hours == 2


def test_target_is_read_on_the_executable_close_basis_not_on_mids():
    rig = Rig()
    rig.open()
    rig.now += S
    rig.show(SPOT, [(0.3649, 1e6)], [(0.3650, 1e6)])  # mid basis 0, executable 5.5 bp
    rig.show(PERP, [(0.3648, 1e6)], [(0.3651, 1e6)])
    assert rig.later(S) == []
    rig.show(PERP, [(0.3648, 1e6)], [(0.3650, 1e6)])  # 2.7 bp
    (closed,) = rig.later(S)
    assert (closed.reason, closed.closed) == ("target", True)


def test_target_counts_depth_at_the_pairs_size():
    rig = Rig()
    rig.open()
    rig.now += S
    rig.show(SPOT, [(0.3650, 1e6)], [(0.3651, 1e6)])
    rig.show(PERP, [(0.3648, 1e6)], [(0.3650, 10.0), (0.3660, 1e6)])
    assert rig.later(S) == []


def test_stop_leaves():
    rig = Rig()
    rig.open()
    rig.now += S
    rig.show(PERP, [(0.3699, 1e6)], [(0.3700, 1e6)])
    assert rig.later(S)[0].reason == "stop"


def test_plan_of_the_reverse_pair_is_read_on_its_own_line():
    rig = Rig()
    rig.do(mirrored(plan=ExitPlan(D(100), D(-50))))
    rig.later(S)
    rig.show(PERP, [(0.3680, 1e6)], [(0.3681, 1e6)])  # 0.3680 / 0.3640: +110 bp
    assert rig.later(S)[0].reason == "target"
    rig.do(mirrored(plan=ExitPlan(D(200), D(50))))
    rig.show(PERP, [(0.3645, 1e6)], [(0.3646, 1e6)])
    reasons = [each.reason for each in rig.later(S) if isinstance(each, PairReduced)]
    assert reasons == ["stop"]


def test_time_stop_leaves_after_its_hours():
    rig = Rig()
    rig.open(plan=ExitPlan(D(-9000), D(9000), D("0.5")))
    assert rig.later(HOUR // 2 - 1) == []
    assert rig.later(1)[0].reason == "time"


def test_B3_no_plan_leaves_after_seconds():
    """The script left after 90 s, paying the round trip to miss the next settlement."""
    rig = Rig()
    rig.open(plan=ExitPlan(D(3), D(150), D(72)))
    for _ in range(71):
        assert rig.later(HOUR) == []
    assert rig.later(HOUR)[0].reason == "time"


def test_funding_that_turns_is_no_exit():
    rig = funded(rate=0.0001)
    rig.open(plan=PLAN)
    rig.ticker(PERP, 0.367, -0.0001, STAMP_MS)
    assert rig.later(S) == []


def test_exits_wait_while_quotes_are_stale():
    rig = Rig()
    rig.open(plan=FREE)
    rig.do(SetPlan(1, ExitPlan(D(200), D(300), D(1))))
    assert rig.later(2 * HOUR, fresh=False) == []
    assert rig.desk.pending == []
    assert isinstance(rig.later(0)[0], PairReduced)


def test_an_exit_that_meets_stale_quotes_looks_again_and_then_gives_up():
    rig = Rig(settings(latency_ms=3_000))
    rig.do(order(plan=FREE))
    rig.later(3 * S)
    rig.do(SetPlan(1, REACHED))
    assert rig.later(S) == []
    assert rig.desk.pending[0].reason == "target"
    assert rig.later(3 * S, fresh=False) == []
    assert rig.desk.next_due_ns == rig.now + S // 4
    assert rig.later(S // 4)[0].closed
    rig.do(order(plan=FREE))
    rig.later(3 * S)
    rig.do(SetPlan(2, REACHED))
    rig.later(S)
    (no,) = rig.later(70 * S, fresh=False)
    assert isinstance(no, Refused)
    assert rig.later(S) == []
    assert rig.desk.pending == []
    rig.later(60 * S)
    assert rig.desk.pending[0].reason == "target"


def test_a_close_by_hand_meets_stale_quotes_and_is_refused():
    rig = Rig(settings(latency_ms=3_000))
    rig.do(order(plan=FREE))
    rig.later(3 * S)
    assert rig.do(ClosePair(1)) == []
    (no,) = rig.later(3 * S, fresh=False)
    assert no.limit == "quote_age"
    rig.now += S
    (now_refused,) = rig.do(ClosePair(1))
    assert now_refused.limit == "quote_age"


def test_flatten_keeps_trying_through_stale_quotes():
    rig = Rig()
    rig.open("100", plan=FREE)
    rig.open("200", plan=FREE)
    rig.now += 10 * S
    kept = rig.do(Flatten())  # for a restart to go on with
    assert [(each.pair, each.work.reason) for each in kept] == [(1, "flatten"), (2, "flatten")]
    assert [(each.pair, each.closed) for each in rig.later(S)] == [(1, True), (2, True)]


def test_liquidation_on_the_mark_leaves_the_spot_leg_naked():
    rig = Rig()
    rig.open("10000", leverage="5", plan=PLAN)
    ((_, at),) = rig.desk.gauge(1, rig.market)
    rig.ticker(PERP, float(at.price) - 0.0001)
    assert rig.later(S) == []
    rig.ticker(PERP, float(at.price) + 0.0001)
    (dead,) = rig.later(S)
    assert isinstance(dead, Liquidated)
    (fill,) = dead.fills
    bankruptcy = D("0.3665") * D("1.2")
    assert (fill.leg, fill.side, fill.qty) == ("short", "buy", D(10000))
    assert fill.price == bankruptcy  # 0.4398, on the tick grid already
    assert fill.fee == 10000 * fill.price * D("0.00055")
    assert not dead.closed
    position = rig.desk.pairs[1]
    assert (position.state, position.margin, position.delta) == ("naked", 0, 10000)
    assert rig.desk.gauge(1, rig.market) == ()
    assert rig.do(AddMargin(1, D(1)))[0].limit == "margin"
    assert rig.later(70 * HOUR) == []  # its basis rules are gone, its time stop comes later
    (closed,) = rig.do(ClosePair(1))
    assert closed.closed
    assert {each.leg for each in closed.fills} == {"long"}


def test_forced_fill_is_rounded_against_us():
    rig = Rig()
    rig.do(mirrored("1000", leverage="3", plan=FREE))
    rig.later(S)
    rig.ticker(PERP, 0.2460)  # the trigger stands at 0.2444 / 0.9925
    (dead,) = rig.later(S)
    assert dead.fills[0].price == D("0.2444")  # 0.3666 * 2 / 3, one tick grid down
    assert rig.desk.pairs[1].short.qty == -1000
    assert rig.do(ClosePair(1))[-1].closed


def test_liquidation_with_the_spot_feed_down_uses_the_mark():
    rig = Rig()
    rig.open("10000", leverage="5", plan=FREE)
    rig.market.leg(SPOT).clear_quote()
    rig.ticker(PERP, 0.5)
    (dead,) = rig.later(S, fresh=False)
    assert dead.long_mid == D("0.5")


def test_survivor_of_two_perpetuals_is_closed_by_the_desk():
    rig = Rig()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.do(order("1000", long=PERP, short=PERP_B, leverage="5", plan=FREE))
    rig.ticker(PERP_B, 0.6)
    (dead,) = rig.later(S)
    assert dead.instrument == PERP_B
    (closed,) = rig.later(S)
    assert (closed.reason, closed.closed) == ("liquidation", True)


def test_a_close_on_its_way_when_the_perp_dies_closes_what_is_left():
    rig = Rig(settings(latency_ms=80))
    rig.do(order(plan=FREE, leverage="5"))
    rig.later(S)
    rig.do(ClosePair(1))
    rig.ticker(PERP, 0.6)
    (dead,) = rig.later(S)
    assert isinstance(dead, Liquidated)
    (closed,) = rig.later(0)
    assert closed.closed


def test_A5_nothing_is_booked_at_mids():
    """The script logged profit at mids before the exit filled. Ours comes from fills alone."""
    rig = Rig()
    opened = rig.open(plan=FREE)
    (closed,) = rig.do(ClosePair(1))
    position = rig.desk.pairs[1]
    shown = {0.3639, 0.3640, 0.3665, 0.3666}
    assert {float(fill.price) for fill in opened.fills + closed.fills} == shown
    cash = sum(
        fill.qty * fill.price * (1 if fill.side == "sell" else -1) - fill.fee
        for fill in position.fills
    )
    assert cash == 10000 * D("-0.0002") - sum(fill.fee for fill in position.fills)
    assert position.fees["USDT"] == sum(fill.fee for fill in position.fills)


def test_after_a_restart_an_undescribed_pair_waits():
    rig = Rig()
    rig.open("100", leverage="5", plan=FREE)
    rig.do(SetPlan(1, REACHED))
    blank = Rig()
    for key in (SPOT, PERP):
        del blank.market.instruments[key]
        blank.market.leg(key).instrument = None
    blank.ticker(PERP, 0.9)
    for outcome in rig.log:
        blank.desk.apply(outcome)
    assert blank.desk.gauge(1, blank.market) == ()
    assert blank.do(ClosePair(1))[0].limit == "instrument"
    assert blank.later(S) == []
    assert blank.later(S) == []


@pytest.mark.parametrize("key", [SPOT, PERP])
def test_nothing_happens_to_an_empty_desk(key):
    rig = Rig()
    rig.ticker(PERP, 0.36, 0.0001, T0 // 10**6)
    rig.market.leg(key).clear_quote()
    assert rig.later(HOUR, fresh=False) == []
    assert rig.desk.next_due_ns > 10**18
