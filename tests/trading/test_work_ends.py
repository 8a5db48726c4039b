"""What a working order has sent goes when it ends or another takes its place."""

import pytest
from exec_rig import ExecRig, asked, kinds, only
from trading_rig import FREE, SPOT, D, settings

from basisdesk.events import (
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    Flatten,
    Halt,
    OrderEnded,
    PairReduced,
)

PASSIVE = Execution("passive")


def half_filled():
    """A resting entry of 1,000 of which 400 are filled and hedged."""
    rig = ExecRig()
    rig.show(SPOT, [(0.3639, 500.0)], [(0.3640, 1e6)])
    rig.do(asked("1000", plan=FREE, style="passive"))
    rig.beats(0.3)
    rig.print(SPOT, 0.3639, 900.0)
    rig.beats(0.5)
    assert rig.held() == (D(400), D(-400))
    assert rig.desk.resting_of(1) is not None
    return rig


@pytest.mark.parametrize(
    "command",
    [ClosePair(1, D("0.5")), ClosePair(1, how=PASSIVE), CancelOrder(1), Halt(), Flatten()],
)
def test_the_resting_leg_of_an_entry_goes_with_its_order(command):
    rig = half_filled()
    rig.do(command)
    rig.later(0)
    assert only(rig.log, OrderEnded).why in ("withdrawn", "halted")
    assert rig.desk.resting_of(1) is None or rig.desk.resting_of(1).side == "sell"


def test_a_fill_that_an_old_order_would_have_had_is_none_of_the_new_one():
    """A close at market ends the entry, then a close rests: a print at the old bid fills nothing.

    It was booked as a reduction by a buy of the long leg, which the ledger refuses.
    """
    rig = half_filled()
    rig.do(ClosePair(1, D("0.5")))
    only(rig.beats(0.3), PairReduced)
    rig.do(ClosePair(1, how=PASSIVE))
    rig.print(SPOT, 0.3630, 10_000.0)
    assert rig.beats(0.5) == []
    assert rig.held() == (D(200), D(-200))
    rig.print(SPOT, 0.3641, 10_000.0, "buy")  # through the offer of the close
    made = rig.beats(1)
    assert {fill.side for each in made for fill in getattr(each, "fills", ()) if fill.leg == "long"}
    assert rig.pair().state == "closed"


def test_a_slice_on_its_way_goes_with_its_order_and_a_late_leg_comes():
    rig = ExecRig(settings(latency_ms=500))
    rig.do(asked("1000", plan=FREE, slices=2, slice_gap_s=D(1)))
    rig.beats(3)
    assert rig.held() == (D(1000), D(-1000))
    rig.do(ClosePair(1, how=Execution(slices=2)))
    rig.beats(0.2)
    assert [order.kind for order in rig.desk.orders_of(1)] == ["close"]
    rig.do(CancelOrder(1))
    assert rig.desk.orders_of(1) == ()
    rig.do(Drill("late", "short", 1, D(2)))
    rig.do(ClosePair(1, how=Execution(slices=2)))
    rig.beats(1)
    assert rig.held() == (D(500), D(-1000))
    rig.do(CancelOrder(1))
    assert len(rig.desk.orders_of(1)) == 1  # its other leg has traded
    rig.beats(3)
    assert rig.held() == (D(500), D(-500))


def test_a_close_that_works_withdraws_what_was_on_its_way_to_grow_the_pair():
    rig = ExecRig()
    rig.do(Drill("late", "short", 0, D(5)))
    rig.do(asked("1000", plan=FREE))
    rig.beats(0.3)
    assert rig.held() == (D(1000), D(0))
    assert [order.kind for order in rig.desk.orders_of(1)] == ["add"]
    assert kinds(rig.do(ClosePair(1, how=Execution(slices=2)))) == ["Ordered"]
    assert rig.desk.orders_of(1) == ()


def test_the_rest_of_one_leg_of_a_limit_exit_has_no_basis_and_is_traded():
    """The bid shrinks to 4,980 of 5,000 on the way: 20 are left of one leg, 0 of the other."""
    rig = ExecRig()
    rig.do(asked("10000", plan=FREE))
    rig.beats(0.3)
    rig.do(ClosePair(1, D("0.5"), how=Execution("limit", limit_bp=D(900))))
    rig.beats(0.1)
    rig.show(SPOT, [(0.3639, 4980.0), (0.3600, 1e6)], [(0.3640, 1e6)])
    only(rig.beats(0.1), PairReduced)
    assert (rig.held(), rig.pair().state) == ((D(5020), D(-5000)), "open")
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    rest = only(rig.beats(5), PairReduced)
    assert [(fill.leg, fill.qty) for fill in rest.fills] == [("long", D(20))]
    assert only(rig.log, OrderEnded).why == "filled"


def test_a_close_by_hand_takes_the_place_of_a_working_entry():
    rig = ExecRig()
    rig.do(asked(style="limit", limit_bp=D(100)))
    (no,) = rig.do(ClosePair(1))
    assert "Cancel its order" in no.text
    rig.do(asked(slices=2, slice_gap_s=D(60)))
    rig.beats(1)
    assert kinds(rig.do(ClosePair(2))) == ["OrderEnded"]
    assert only(rig.beats(0.2), PairReduced).closed
