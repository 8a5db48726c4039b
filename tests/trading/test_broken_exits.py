"""Flips, Flatten, sleeps and late legs: what was forgotten, or remembered for too long."""

import msgspec
import pytest
from exec_rig import ExecRig, asked, kinds, only
from trading_rig import FREE, FREE_BACK, HOUR, PERP, PERP_B, SPOT, D, S, settings

from basisdesk.config import Paper
from basisdesk.events import (
    AddMargin,
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    Flatten,
    FlipPair,
    Funds,
    Halt,
    LegRejected,
    Liquidated,
    Ordered,
    OrderEnded,
    PairAdded,
    PairOpened,
    PairReduced,
    Refused,
    RiskChanged,
)
from basisdesk.trading.sentences import describe

BEAT = S // 10


def opened(conf=None, **changes):
    rig = ExecRig(conf)
    rig.ticker(PERP, 0.3665)
    rig.do(asked(**{"plan": FREE} | changes))
    rig.beats(0.3)
    return rig


def far(**changes):
    """OKX answers after 0.9 s."""
    conf = msgspec.structs.replace(settings(), paper=Paper(80, 0, True, {"okx": 900}))
    rig = ExecRig(conf, **changes)
    rig.show(PERP_B, [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.ticker(PERP_B, 0.3665)
    return rig


def deaf(rig, seconds, key=PERP):
    """Beats in which one leg says nothing."""
    made = []
    for _ in range(round(seconds * 10)):
        rig.now += BEAT
        for leg in rig.market.legs.values():
            leg.quote_ns = leg.quote_ns if leg.key == key else rig.now
        made += rig._take(rig.desk.on_time(rig.market, rig.funds, rig.now))
    return made


def of_kind(outcomes, kind):
    return [each for each in outcomes if isinstance(each, kind)]


# --- flips ----------------------------------------------------------------------------------------


def test_a_flip_that_gave_up_opens_nothing_when_the_pair_is_closed_later():
    rig = opened()
    assert rig.do(FlipPair(1, FREE_BACK)) == []
    rig.market.leg(PERP).quote_ns -= 10 * S
    (no,) = of_kind(deaf(rig, 65), Refused)
    assert no.limit == "quote_age"
    rig.beats(1)
    rig.do(ClosePair(1))
    assert kinds(rig.beats(2)) == ["PairReduced"]
    assert list(rig.desk.pairs) == [1]


def test_a_flip_is_withdrawn_by_hand():
    rig = opened()
    rig.do(FlipPair(1, FREE_BACK))
    rig.market.leg(PERP).quote_ns -= 10 * S
    deaf(rig, 1)
    ended = only(rig.do(CancelOrder(1)), OrderEnded)
    assert (ended.why, rig.desk.orders_of(1)) == ("withdrawn", ())
    assert rig.beats(3) == []
    assert rig.pair().state == "open"
    assert rig.do(CancelOrder(1))[0].limit == "order"
    rig.do(ClosePair(1))
    assert kinds(rig.beats(2)) == ["PairReduced"]


def test_a_flip_whose_leg_is_taken_away_closes_the_rest_and_opens_nothing():
    rig = opened()
    rig.do(FlipPair(1, FREE_BACK))
    rig.market.leg(PERP).quote_ns -= 10 * S
    made = rig.do(Drill("adl", pair=1))
    assert kinds(made) == ["OrderEnded", "Liquidated"]
    assert "flip opens nothing" in describe(only(made, OrderEnded))
    assert kinds(rig.beats(2)) == ["PairReduced"]
    assert (rig.pair().state, list(rig.desk.pairs)) == ("closed", [1])


def test_a_flip_that_works_still_opens_the_reverse():
    rig = opened()
    rig.do(FlipPair(1, FREE_BACK))
    assert kinds(rig.beats(1))[:2] == ["PairReduced", "PairOpened"]
    assert (rig.desk.pairs[2].long.instrument, rig.desk.pairs[2].state) == (PERP, "open")


# --- a leg refused, the other on its way ----------------------------------------------------------


def test_the_other_leg_of_a_refused_one_meets_the_halt():
    rig = far()
    rig.do(Drill("reject", "long"))
    rig.do(asked(short=PERP_B, plan=FREE))
    rig.beats(0.3)
    rig.do(Halt())
    refused = [(each.limit, each.command) for each in rig.beats(1.5)]
    assert refused == [("drill", "open_pair"), ("halted", "open_pair")]
    assert rig.desk.pairs == {}


def test_the_other_leg_of_a_refused_one_does_not_outlive_a_night():
    rig = far()
    rig.do(Drill("reject", "long"))
    rig.do(asked(short=PERP_B, plan=FREE))
    rig.beats(0.3)
    assert [each.limit for each in rig.later(9 * HOUR)] == ["drill", "late"]
    assert rig.desk.pairs == {}


def test_without_a_limit_in_its_way_the_other_leg_opens_as_before():
    rig = far()
    rig.do(Drill("reject", "long"))
    rig.do(asked(short=PERP_B, plan=FREE))
    assert kinds(rig.beats(1.5)) == ["PairOpened", "LegRejected", "PairAdded"]


def test_the_other_leg_of_a_refused_slice_is_told_with_the_limit_that_stopped_it():
    rig = far()
    rig.do(asked("2000", short=PERP_B, plan=FREE, slices=2, slice_gap_s=D(3)))
    rig.beats(2)
    assert rig.held() == (D(1000), D(-1000))
    rig.do(Drill("reject", "long", pair=1))
    rig.beats(2.2)
    rig.funds = Funds(D(0), D(10_000))
    no = only(rig.beats(1), LegRejected)
    assert (no.leg, no.limit) == ("long", "drill")
    assert "needs" in rig.desk.waits_for(1)
    assert rig.held() == (D(1000), D(-1000))


# --- cash of a late leg ---------------------------------------------------------------------------


def test_cash_that_a_late_leg_needs_is_promised_to_nobody_else():
    """20,000 of cash: the pair's coins cost 3,640, and they come 5 s late."""
    rig = opened()
    free = rig.desk.max_qty(asked(plan=FREE), rig.market, rig.funds, rig.now)
    poor = msgspec.structs.replace(rig.funds, free=D(7_000), equity=D(10_000))
    rig = ExecRig(funds=poor)
    before = rig.desk.max_qty(asked(plan=FREE), rig.market, rig.funds, rig.now)
    rig.do(Drill("late", "long", 0, D(5)))
    rig.do(asked(plan=FREE))
    rig.beats(0.3)
    assert rig.held() == (D(0), D(-10_000))
    after = rig.desk.max_qty(asked(plan=FREE), rig.market, rig.funds, rig.now)
    # of what a coin costs, 0.3644 + 0.1835, the late leg keeps 10,000 * 0.36431 (mid and fee)
    assert before - after == pytest.approx(D("3643.14") / D("0.54786"), abs=2)
    assert free > before
    (no,) = rig.do(AddMargin(1, D(3_400)))
    assert no.limit == "funds"
    assert only(rig.beats(5), PairAdded).fills[0].leg == "long"
    assert rig.pair().state == "open"


def test_a_leg_that_is_asked_for_again_keeps_its_cash_between_two_tries():
    rig = ExecRig()
    before = rig.desk.max_qty(asked(plan=FREE), rig.market, rig.funds, rig.now)
    rig.do(Drill("reject", "long"))
    rig.do(asked("1000000", plan=FREE, leverage="5"))
    rig.beats(0.1)
    assert (rig.pair().state, rig.desk.orders_of(1)) == ("unhedged", ())
    after = rig.desk.max_qty(asked(plan=FREE), rig.market, rig.funds, rig.now)
    assert after <= before
    free = rig.desk._opener.entries(rig.market, rig.now).free(rig.funds)
    # 1,000,000 at a mid of 0.36395, and its fee of 0.1 %
    assert rig.funds.free - free == D("363950") + D("363.95")


# --- Flatten --------------------------------------------------------------------------------------


def test_flatten_goes_on_after_a_restart():
    rig = opened()
    rig.do(asked(plan=FREE))
    rig.beats(1)
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 4000.0)])
    rig.do(Flatten())
    kept = of_kind(rig.beats(2), Ordered)
    assert [(each.pair, each.work.reason, each.work.long_qty) for each in kept] == [
        (1, "flatten", D(6000)),
        (2, "flatten", D(10_000)),
    ]
    assert "until nothing is left" in describe(kept[0])
    assert [pair.state for pair in rig.desk.pairs.values()] == ["open", "open"]
    rig.reborn()
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    left = rig.beats(2)
    assert [(each.pair, each.reason, each.closed) for each in left] == [
        (1, "flatten", True),
        (2, "flatten", True),
    ]


def test_flatten_that_is_done_at_once_journals_no_order():
    rig = opened()
    rig.do(Flatten())
    assert kinds(rig.beats(1)) == ["PairReduced"]


def test_flatten_goes_on_on_the_leg_that_a_liquidation_leaves():
    rig = opened()
    rig.market.leg(SPOT).book.clear("gap")
    rig.do(Flatten())
    assert kinds(rig.beats(1)) == ["Ordered"]
    rig.do(Drill("adl", pair=1))
    assert rig.pair().state == "naked"
    rig.reborn()
    assert rig.beats(2) == []
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    assert only(rig.beats(2), PairReduced).closed


def test_flatten_is_withdrawn_by_hand():
    rig = opened()
    rig.market.leg(SPOT).book.clear("gap")
    rig.do(Flatten())
    rig.beats(1)
    assert "book" in rig.desk.waits_for(1)
    assert only(rig.do(CancelOrder(1)), OrderEnded).why == "withdrawn"
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    assert rig.beats(2) == []
    assert rig.pair().state == "open"


def test_flatten_with_a_dead_feed_says_so_once_for_each_reason():
    rig = opened()
    rig.market.leg(SPOT).book.clear("gap")
    rig.do(Flatten())
    assert [each.limit for each in of_kind(rig.beats(185), Refused)] == ["book"]
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    rig.market.leg(PERP).quote_ns = 0
    assert [each.limit for each in of_kind(deaf(rig, 125), Refused)] == ["quote_age"]
    assert only(rig.beats(1), PairReduced).closed


def test_a_second_flatten_and_one_over_a_working_order_change_nothing_of_that():
    rig = opened()
    rig.do(ClosePair(1, how=Execution("limit", limit_bp=D(-900))))
    rig.market.leg(SPOT).book.clear("gap")
    assert kinds(rig.do(Flatten())) == ["OrderEnded"]
    assert kinds(rig.beats(1)) == ["Ordered"]
    assert rig.do(Flatten()) == []
    assert rig.beats(1) == []
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    assert kinds(rig.beats(1)) == ["PairReduced"]


# --- sleep ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [Execution(), Execution(slices=2)])
def test_a_close_by_hand_that_slept_waits_for_both_books(how):
    """Spot is heard again at once, the perpetual 1.5 s later."""
    rig = opened(plan=FREE)
    rig.do(ClosePair(1, how=how))
    rig.later(1)
    assert rig.desk.orders_of(1) != ()
    for leg in rig.market.legs.values():
        leg.quote_ns = rig.now
    rig.now += 60 * S
    assert of_kind(deaf(rig, 1.5), PairReduced) == []
    assert rig.held() == (D(10_000), D(-10_000))
    first = of_kind(rig.beats(1), PairReduced)[0]
    assert {fill.leg for fill in first.fills} == {"long", "short"}


def test_one_leg_closed_by_hand_waits_for_its_own_book_only():
    rig = opened()
    rig.do(ClosePair(1, leg="long"))
    rig.now += HOUR
    assert kinds(of_kind(deaf(rig, 0.1), PairReduced)) == ["PairReduced"]


def test_a_close_by_hand_that_slept_gives_up_with_a_sentence():
    rig = opened()
    rig.do(ClosePair(1))
    rig.now += HOUR
    (no,) = of_kind(deaf(rig, 65), Refused)
    assert (no.limit, no.command) == ("quote_age", "close_pair")
    assert rig.held() == (D(10_000), D(-10_000))


def test_on_waking_the_clock_is_the_cause_and_not_the_leg_that_died():
    rig = opened(leverage="5")
    rig.beats(35)
    ((_, at),) = rig.desk.gauge(1, rig.market)
    rig.ticker(PERP, float(at.price) + 0.0001)
    n = len(rig.log)
    assert kinds(rig.later(HOUR)) == ["Liquidated"]
    rig.beats(0.6)
    (first, *_) = of_kind(rig.log[n:], RiskChanged)
    assert (first.state, first.cause) == ("reducing", "clock")
    assert of_kind(rig.log, PairOpened)[0].pair == of_kind(rig.log, Liquidated)[0].pair
