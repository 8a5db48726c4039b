"""What state a pair is in follows from its fills, and it goes only where the table lets it."""

from decimal import Decimal

import pytest
from positions_cases import (
    PERP,
    SPOT,
    added,
    alone,
    ended,
    entry,
    liquidated,
    of,
    opened,
    ordered,
    reduced,
)

from basisdesk.errors import RuleError
from basisdesk.events import Execution, ExitPlan, LegRejected, PlanChanged
from basisdesk.trading.pair_states import MOVES, moved, state_after

D = Decimal


def test_the_table_of_moves():
    allowed = {(old, new) for old, news in MOVES.items() for new in news}
    assert allowed == {
        ("working", "open"), ("working", "unhedged"), ("working", "closed"),
        ("open", "open"), ("open", "unhedged"), ("open", "naked"), ("open", "closed"),
        ("unhedged", "unhedged"), ("unhedged", "open"), ("unhedged", "naked"),
        ("unhedged", "closed"), ("naked", "naked"), ("naked", "closed"),
    }  # fmt: skip
    for old in MOVES:
        for new in MOVES:
            if (old, new) in allowed:
                assert moved(1, old, new) == new
            else:
                with pytest.raises(RuleError, match=f"from {old} to {new}"):
                    moved(1, old, new)


def test_a_naked_pair_stays_naked_whatever_is_traded():
    assert state_after("naked", hedged=True, closed=False, bare=False) == "naked"
    assert state_after("naked", hedged=True, closed=True, bare=False) == "closed"


def test_both_legs_in_full_are_open_and_one_is_unhedged():
    assert of(opened(entry(1000, 1000))).state == "open"
    half = of(opened(entry(1000, 500), ts_ns=7))
    assert (half.state, half.unhedged_ns, half.hedged) == ("unhedged", 7, False)
    assert of(opened(entry(1000, 0))).state == "unhedged"
    assert of(opened(entry(0, 1000))).state == "unhedged"


@pytest.mark.parametrize(
    ("short", "step", "state"),
    [
        ("9950", "1", "open"),  # 50 of 10,000: half a percent of the larger leg
        ("9949", "1", "unhedged"),
        ("9900", "100", "open"),  # within one lot
        ("9899", "100", "unhedged"),
    ],
)
def test_the_tolerance_is_a_lot_or_half_a_percent(short, step, state):
    position = of(opened(entry(10_000, short), step=step))
    assert position.tolerance == max(D(step), D(50))
    assert position.state == state


def test_the_missing_leg_heals_and_the_clock_of_it_starts_anew():
    position = of(opened(entry(1000, 0), ts_ns=5))
    position = of(added(entry(0, 400), ts_ns=6), position)
    assert (position.state, position.unhedged_ns) == ("unhedged", 5)
    position = of(added(entry(0, 600), ts_ns=7), position)
    assert (position.state, position.unhedged_ns) == ("open", None)
    position = of(reduced(0, 300, ts_ns=8), position)
    assert (position.state, position.unhedged_ns) == ("unhedged", 8)
    position = of(reduced(300, 0, reason="unwind", ts_ns=9), position)
    assert (position.state, position.unhedged_ns) == ("open", None)


def test_the_surplus_given_back_closes_a_pair_whose_other_leg_never_filled():
    position = of(opened(entry(1000, 0)))
    position = of(reduced(1000, 0, reason="unwind", closed=True, ts_ns=9), position)
    assert (position.state, position.closed_ns, position.close_reason) == ("closed", 9, "unwind")
    assert position.unhedged_ns is None


def test_a_leg_closed_alone_by_hand_is_naked_and_nothing_mends_it():
    position = of(alone(0, 1000, margin="300"), of(opened(entry(1000, 1000), margin="300")))
    assert (position.state, position.unhedged_ns) == ("naked", None)
    assert of(reduced(1000, 0, closed=True), position).state == "closed"


def test_a_surplus_closed_alone_by_hand_heals_the_pair():
    assert of(alone(500, 0), of(opened(entry(1000, 500)))).state == "open"


@pytest.mark.parametrize("cause", ["liquidation", "adl"])
def test_a_forced_close_leaves_the_other_leg_naked(cause):
    position = of(liquidated(1000, cause=cause), of(opened(entry(1000, 1000), margin="300")))
    assert (position.state, position.close_reason, position.margin) == ("naked", cause, 0)
    healed = of(reduced(999, 0), position)  # a coin is left: within the tolerance, and naked
    assert healed.hedged
    assert healed.state == "naked"


def test_a_closed_pair_takes_no_more_fills():
    position = of(reduced(1000, 1000, closed=True), of(opened(entry(1000, 1000))))
    with pytest.raises(RuleError, match="from closed to"):
        of(added(entry(1, 1)), position)
    with pytest.raises(RuleError, match="no order can work"):
        of(ordered(5, kind="close"), position)


def test_a_pair_is_not_opened_twice():
    with pytest.raises(RuleError, match="opened before"):
        of(opened(entry(1, 1)), of(opened(entry(1, 1))))


def test_an_accepted_order_is_a_pair_that_holds_nothing_yet():
    how = Execution("passive", "retry")
    position = of(ordered(1000, how=how, ts_ns=4))
    assert (position.state, position.working, position.unhedged_ns) == ("working", True, None)
    assert (position.long.instrument, position.short.instrument) == (SPOT, PERP)
    assert (position.asked, position.leverage, position.how) == (D(1000), D(2), how)
    assert (position.delta, position.margin, position.opened_ns) == (0, 0, 4)
    assert position.work.request.exit == position.plan == ExitPlan(D(3), D(150))


def test_the_first_fills_fill_the_working_pair_and_its_order_goes_on():
    position = of(ordered(1000))
    position = of(opened(entry(300, 0), ts_ns=6, how=position.how), position)
    assert (position.state, position.opened_ns, position.unhedged_ns) == ("unhedged", 6, 6)
    assert position.work is not None
    position = of(added(entry(700, 1000), ts_ns=7), position)
    assert position.state == "open"
    assert (position.long_done, position.short_done) == (D(1000), D(1000))
    position = of(ended("filled"), position)
    assert (position.state, position.work, position.long_done) == ("open", None, 0)


def test_a_plan_replaced_while_the_order_works_is_kept():
    position = of(PlanChanged(5, 1, ExitPlan(D(1), D(99))), of(ordered(1000)))
    position = of(opened(entry(1000, 1000)), position)
    assert position.plan == ExitPlan(D(1), D(99))


def test_an_order_that_filled_nothing_leaves_no_pair_but_its_number_is_used():
    positions = of(ordered(1000)).all
    positions.apply(ended("expired"))
    assert positions.pairs == {}
    assert positions.next_pair == 2
    with pytest.raises(RuleError, match="never opened"):
        positions.apply(ended("expired"))


def test_an_order_of_a_pair_that_was_never_opened_must_be_an_entry():
    with pytest.raises(RuleError, match="never opened"):
        of(ordered(1000, kind="close"))


def test_what_an_order_has_done_counts_its_own_direction_only():
    position = of(opened(entry(1000, 1000)))
    position = of(ordered(500, kind="close"), position)
    position = of(reduced(200, 0), position)
    assert (position.state, position.long_done, position.short_done) == ("unhedged", D(200), 0)
    position = of(added(entry(0, 50)), position)
    assert (position.long_done, position.short_done) == (D(200), 0)
    position = of(ended("withdrawn"), position)
    assert (position.work, position.state) == (None, "unhedged")
    entering = of(opened(entry(300, 0)), of(ordered(1000)))
    entering = of(reduced(300, 0, reason="unwind", closed=True), entering)
    assert (entering.state, entering.work) == ("closed", None)
    assert of(ended("filled"), entering).state == "closed"


def test_a_refused_leg_moves_nothing():
    position = of(opened(entry(1000, 0)))
    before = position.long.qty, position.state, position.unhedged_ns
    position = of(LegRejected(8, 1, "short", PERP, "min_qty", "Below the smallest lot."), position)
    assert (position.long.qty, position.state, position.unhedged_ns) == before


def test_a_fill_on_the_wrong_side_is_a_bug():
    with pytest.raises(RuleError, match="a sell of the long leg"):
        of(added(reduced(10, 0).fills), of(opened(entry(1000, 1000))))


@pytest.mark.parametrize("short", ["1000.4", "996"])
def test_a_journal_that_told_no_lot_had_both_legs_filled(short):
    position = of(opened(entry(1000, short), step="0"))
    assert position.state == "open"
    assert position.step > 0
