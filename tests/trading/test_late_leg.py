"""A leg that comes late or not at all: what is charged and read of it meanwhile."""

from exec_rig import ExecRig
from positions_cases import entry, of, opened
from trading_rig import FREE_BACK, HOUR, PERP, SPOT, T0, D, Funds, Rig, mirrored, order

from basisdesk.events import BorrowCharged, Drill, ExitPlan
from basisdesk.trading.accrual import interest, started_hours
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.leg_position import LegPosition


def owing(*history):
    leg = LegPosition("short", SPOT, "spot")
    leg.history += [(T0 + int(hours * HOUR), D(qty)) for hours, qty in history]
    return leg


def test_interest_counts_the_hours_in_which_coins_were_owed():
    assert started_hours(owing(), T0) == 0
    assert started_hours(owing((0.5, -1)), T0 + HOUR // 2) == 1
    assert started_hours(owing((0.9, -1)), T0 + HOUR) == 2
    assert started_hours(owing((0.1, -1), (0.2, -2), (0.5, -1)), T0 + HOUR - 1) == 1
    # given back within its first hour and owed again in the fifth
    assert started_hours(owing((0.1, -1), (0.2, 0), (4.5, -1)), T0 + 5 * HOUR) == 3


def test_interest_starts_with_the_fill_of_the_short_leg_and_not_of_the_pair():
    """The coins are sold 3 s after the perpetual was bought, in the next clock hour."""
    rig = ExecRig()
    rig.now = T0 + HOUR - 2 * 10**9
    rig.fresh()
    rig.do(Drill("late", "short", 0, D(3)))
    rig.do(mirrored("1000", plan=FREE_BACK))
    made = rig.beats(5)
    assert rig.held() == (D(1000), D(-1000))
    (charged,) = [each for each in made if isinstance(each, BorrowCharged)]
    assert (charged.hours, rig.pair().borrow_hours) == (1, 1)
    assert interest(rig.pair(), rig.market, rig.settings, rig.now) is None


def test_interest_that_cash_does_not_cover_says_what_margin_paid():
    rig = Rig()
    rig.do(mirrored("1000", plan=FREE_BACK))
    (first,) = rig.later(1)
    assert first.from_margin == 0
    rig.funds = Funds(D(0), D(1_000))
    (second,) = rig.later(HOUR)
    assert second.from_margin == second.amount > 0
    assert rig.desk.pairs[1].long.added == -second.amount


def test_a_leg_that_never_filled_held_nothing():
    """It has no history: an hour of accrued funding asks it all the same."""
    short = of(opened(entry(1000, 0))).short
    assert short.held(0, T0) == short.stretches(T0) == []


def test_a_pair_with_a_leg_missing_has_no_time_until_its_target():
    rig = ExecRig()
    rig.market.pair(SPOT, PERP)
    rig.do(Drill("late", "short", 0, D(5)))
    rig.do(order("1000", plan=ExitPlan(D(3), D(150))))
    rig.beats(0.3)
    assert rig.held() == (D(1000), D(0))
    found = Holds().of(rig.pair(), rig.market, rig.settings, rig.now)
    assert (found.known, found.why.startswith("a leg is missing")) == (False, True)
