"""One leg fills and the other does not: each policy, each failure, and a restart in between."""

import msgspec
import pytest
from exec_rig import ExecRig, asked, kinds, only
from trading_rig import FREE, PERP, SPOT, T0, D, S, mirrored, settings

from basisdesk.config import Paper
from basisdesk.events import (
    ClosePair,
    Drill,
    Flatten,
    Halt,
    LegRejected,
    PairAdded,
    PairOpened,
    PairReduced,
    Refused,
)

HELD = (D(10000), D(-10000))


def far_okx():
    """80 ms to Bybit, 400 ms to OKX."""
    return msgspec.structs.replace(settings(), paper=Paper(80, 0, True, {"okx": 400}))


def legged(policy, kind="reject", leg="short", **how):
    """A pair whose short leg (mostly) failed a moment ago."""
    rig = ExecRig()
    assert rig.do(Drill(kind, leg)) == []
    rig.do(asked(policy=policy, **how))
    made = rig.beats(0.1)
    return rig, made


def test_a_rejected_leg_leaves_the_other_alone_and_says_so():
    rig, made = legged("hedge")
    opened, said = made
    assert [fill.leg for fill in opened.fills] == ["long"]
    assert (said.leg, said.limit, said.instrument) == ("short", "drill", PERP)
    assert "a drill said so" in said.text
    assert opened.margin == 0  # the perpetual that would need it is not there
    position = rig.pair()
    assert (position.state, position.unhedged_ns) == ("unhedged", rig.now)
    assert rig.desk.unhedged_s(1, rig.now + 3 * S) == 3.0
    assert rig.desk.drills == ()


def test_hedge_sends_the_missing_leg_at_once_and_only_once():
    rig, _ = legged("hedge")
    assert rig.beats(0.1) == []
    (order,) = rig.desk.orders_of(1)
    (leg,) = order.legs
    assert (leg.leg, leg.side, leg.qty, leg.limit) == ("short", "sell", D(10000), None)
    added = only(rig.beats(0.1), PairAdded)
    assert (added.reason, added.margin) == ("hedge", D("1832.5"))
    assert rig.held() == HELD
    assert rig.pair().state == "open"
    assert rig.beats(2) == []


def test_retry_stays_within_its_ticks_and_waits_for_the_price():
    rig, _ = legged("retry", pay_up=2)
    rig.show(PERP, [(0.3665, 10.0), (0.3660, 1e6)], [(0.3666, 1e6)])
    made = rig.beats(1)
    assert only(made[:1], PairAdded).fills[0].qty == 10  # what stood within two ticks
    assert rig.held() == (D(10000), D(-10))
    assert [said.limit for said in made[1:]] == ["limit"]  # told once, not at each try
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.beats(0.6)
    assert rig.held() == HELD


def test_retry_gives_the_surplus_back_when_its_time_is_over():
    rig, _ = legged("retry", pay_up=0)
    rig.market.leg(PERP).book.clear("gap")
    made = rig.beats(31)
    closed = only(made, PairReduced)
    assert (closed.reason, closed.closed) == ("unwind", True)
    assert 30 <= (closed.ts_ns - T0) / S <= 31
    assert [said.limit for said in made if isinstance(said, LegRejected)] == ["book"]
    assert rig.pair().state == "closed"


def test_unwind_gives_the_surplus_back_at_once():
    rig, _ = legged("unwind")
    closed = only(rig.beats(0.3), PairReduced)
    assert (closed.reason, closed.closed) == ("unwind", True)


@pytest.mark.parametrize("policy", ["hedge", "unwind"])
def test_a_leg_that_fills_half_is_mended_by_the_missing_half_only(policy):
    rig, made = legged(policy, "half")
    opened = only(made, PairOpened)
    assert {fill.leg: fill.qty for fill in opened.fills} == {"long": D(10000), "short": D(5000)}
    assert "drill: half" in opened.fills[-1].grade_reason
    rig.beats(1)
    size = 10000 if policy == "hedge" else 5000
    assert rig.held() == (D(size), D(-size))
    assert rig.pair().state == "open"


def test_a_late_leg_is_waited_for_and_not_hedged_twice():
    rig = ExecRig()
    rig.do(Drill("late", "short", seconds=D(3)))
    rig.do(asked())
    assert kinds(rig.beats(2.9)) == ["PairOpened"]
    assert rig.pair().state == "unhedged"
    late = only(rig.beats(1), PairAdded)
    assert (late.reason, "drill: 3 s late" in late.fills[0].grade_reason) == ("user", True)
    assert rig.held() == HELD
    assert rig.beats(3) == []


def test_a_leg_that_is_too_late_is_withdrawn_and_the_other_given_back():
    rig = ExecRig()
    rig.do(Drill("late", "long", seconds=D(60)))
    rig.do(asked())
    closed = only(rig.beats(35), PairReduced)
    assert (closed.reason, closed.closed, closed.fills[0].leg) == ("unwind", True, "short")
    assert rig.beats(40) == []  # the late leg never comes
    assert rig.desk.pending == []


def test_legs_of_two_venues_arrive_each_at_its_own_time():
    rig = ExecRig(far_okx())
    rig.show("okx:perp:ADA-USDT-SWAP", [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.do(asked(short="okx:perp:ADA-USDT-SWAP"))
    assert rig.desk.next_due_ns == T0 + 80_000_000
    opened = only(rig.beats(0.1), PairOpened)
    assert [fill.leg for fill in opened.fills] == ["long"]
    assert rig.desk.next_due_ns == T0 + 400_000_000
    added = only(rig.beats(0.3), PairAdded)
    assert added.reason == "user"
    assert rig.held() == HELD


def test_a_first_leg_refused_is_told_when_the_second_fills_or_as_one_refusal():
    for drills, ends in ((1, ["PairOpened", "LegRejected"]), (2, ["Refused"])):
        rig = ExecRig(far_okx())
        rig.show("okx:perp:ADA-USDT-SWAP", [(0.3665, 1e6)], [(0.3666, 1e6)])
        rig.do(Drill("reject", "long"))
        if drills == 2:
            rig.do(Drill("reject", "short"))
        rig.do(asked(short="okx:perp:ADA-USDT-SWAP", policy="unwind"))
        assert rig.beats(0.3) == []
        assert kinds(rig.beats(0.1)) == ends
        assert (1 in rig.desk.pairs) == (drills == 1)


def test_nothing_of_both_legs_is_one_refusal():
    rig = ExecRig()
    for leg in ("long", "short"):
        rig.do(Drill("reject", leg))
    rig.do(asked())
    (no,) = rig.beats(0.1)
    assert isinstance(no, Refused)
    assert (no.limit, rig.desk.pairs) == ("drill", {})


@pytest.mark.parametrize("policy", ["hedge", "retry", "unwind"])
def test_a_restart_in_the_middle_goes_on_with_the_policy(policy):
    rig, _ = legged(policy)
    rig.beats(0.1)  # the remedy is on its way
    assert rig.desk.pending
    rig.reborn()
    assert rig.desk.pending == []
    rig.beats(1)
    assert rig.held() == (HELD if policy != "unwind" else (0, 0))
    rig.reborn()
    assert rig.pair().state == ("closed" if policy == "unwind" else "open")


def test_a_restart_keeps_the_clock_of_the_missing_leg():
    rig, _ = legged("retry", pay_up=0)
    rig.market.leg(PERP).book.clear("gap")
    rig.beats(20)
    rig.reborn()
    assert rig.desk.unhedged_s(1, rig.now) == pytest.approx(20, abs=0.2)
    made = rig.beats(11)
    assert only(made, PairReduced).reason == "unwind"


def test_an_exit_that_fills_one_leg_goes_on_and_never_buys_back():
    rig = ExecRig()
    rig.do(asked(policy="hedge"))
    rig.beats(1)
    rig.do(Drill("reject", "short"))
    rig.do(ClosePair(1))
    made = rig.beats(0.1)
    assert kinds(made) == ["PairReduced", "LegRejected"]
    assert rig.held() == (0, D(-10000))
    assert rig.pair().state == "unhedged"
    rig.reborn()
    rest = only(rig.beats(0.5), PairReduced)
    assert (rest.reason, rest.closed) == ("user", True)
    assert [fill.side for fill in rest.fills] == ["buy"]


def test_half_an_exit_of_half_a_pair_goes_on_to_that_half():
    rig = ExecRig()
    rig.do(asked())
    rig.beats(1)
    rig.do(Drill("half", "long"))
    rig.do(ClosePair(1, D("0.5")))
    rig.beats(2)
    assert rig.held() == (D(5000), D(-5000))
    assert rig.pair().state == "open"


def test_a_borrowed_leg_is_bought_back_with_its_fee_when_given_back():
    rig = ExecRig(settings("base", latency_ms=80))
    rig.do(Drill("reject", "long"))
    command = mirrored("1000", plan=FREE)
    rig.do(command)
    rig.beats(0.1)
    assert rig.pair().short.qty == -1000
    rig.do(Drill("reject", "long"))  # the hedge fails once more
    rig.beats(2)
    assert rig.held() == (D(1000), D(-1000))
    rig.do(ClosePair(1))
    rig.beats(1)
    assert rig.pair().state == "closed"


def test_a_spot_leg_that_is_missing_is_bought_with_its_fee_on_top():
    rig = ExecRig(settings("base", latency_ms=80))
    rig.do(Drill("reject", "long"))
    rig.do(asked())
    rig.beats(1)
    long, short = rig.held()
    assert short == -9990  # the hedge of what a spot buy of 10,000 brings
    assert 0 <= abs(long + short) <= D("0.01")
    assert rig.pair().long.entry_qty == D("10000")


def test_halt_stops_no_remedy_and_flatten_gives_back_what_stands():
    rig, _ = legged("hedge")
    rig.do(Halt())
    rig.beats(0.5)
    assert rig.held() == HELD
    rig, _ = legged("retry", pay_up=0)
    rig.market.leg(PERP).book.clear("gap")
    rig.beats(1)
    rig.do(Flatten())
    closed = only(rig.beats(0.5), PairReduced)
    assert (closed.reason, closed.closed) == ("flatten", True)


def test_flatten_never_stops_trying():
    rig = ExecRig()
    rig.do(asked(plan=FREE))
    rig.beats(1)
    rig.market.leg(SPOT).book.clear("gap")
    rig.do(Flatten())
    said = rig.beats(125)
    assert [no.limit for no in said if isinstance(no, Refused)] == ["book"]  # once
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    assert only(rig.beats(1), PairReduced).closed


def test_an_exit_of_ours_leaves_with_what_both_books_show():
    rig = ExecRig()
    rig.do(asked(plan=FREE))
    rig.beats(1)
    rig.show(SPOT, [(0.3664, 2500.0)], [(0.3665, 1e6)])
    rig.do(Flatten())
    rig.beats(0.3)
    assert rig.held() == (D(7500), D(-7500))  # both legs by the same, though one could do more
    assert rig.pair().state == "open"
    for _ in range(4):
        rig.show(SPOT, [(0.3664, 2500.0 + rig.seq)], [(0.3665, 1e6)])
        rig.beats(0.5)
    assert rig.pair().state == "closed"
