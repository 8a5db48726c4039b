"""Plans, margins and folded figures that broke the desk once: what nobody writes, and one leg."""

import decimal

import msgspec
import pytest
from exec_rig import ExecRig, asked, kinds, only
from positions_cases import entry, of, opened, reduced
from trading_rig import FREE, HOUR, PERP, T0, D, Funds, Rig, order

from basisdesk.events import (
    AddMargin,
    ClosePair,
    Drill,
    Execution,
    ExitPlan,
    FlipPair,
    FundingSettled,
    MarginMoved,
    PairOpened,
    PairReduced,
    PlanChanged,
    Refused,
    SetPlan,
    WithdrawMargin,
)
from basisdesk.trading.exits import wanted
from basisdesk.trading.funding_case import funding_case
from basisdesk.trading.risk import MONEY_MAX, check_plan

ABSURD = ("NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1." + "3" * 5000, "1e-50")


def with_line(plan=FREE, **lines):
    return msgspec.structs.replace(plan, **{name: D(value) for name, value in lines.items()})


# --- figures of a plan ----------------------------------------------------------------------------


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("name", ["net_target", "funding_bp", "target_bp", "stop_bp", "max_hold_h"])
def test_no_line_of_a_plan_takes_a_figure_that_nobody_writes(name, value):
    plan = with_line(**{name: value})
    rig = Rig()
    for command in (order(plan=plan), FlipPair(1, plan), SetPlan(1, plan)):
        rig = Rig()
        rig.open(plan=FREE)
        (no,) = rig.do(command)
        assert isinstance(no, Refused)
        assert (no.limit, no.text.endswith(".")) == ("exit_plan", True)
        assert len(no.asked) < 60
    assert rig.desk.sheet(order(plan=plan), rig.market, rig.funds, rig.now).refusal is not None


def test_what_the_lines_may_be():
    assert check_plan(with_line(net_target=MONEY_MAX), 1) is None
    assert check_plan(with_line(net_target=MONEY_MAX + 1), 1).allowed == "up to 1000000000000000"
    assert check_plan(with_line(net_target="-5"), 1) is None, "an open pair may be left at a loss"
    for funding in ("0", "-5"):
        no = check_plan(with_line(funding_bp=funding), 1)
        assert (no.limit, no.asked, no.allowed) == ("exit_plan", f"{funding} bp", "above 0 bp")
    assert check_plan(with_line(funding_bp="0.5"), 1) is None


def test_an_entry_aims_at_a_gain():
    """With a net target of -1,000,000,000 it would leave at its first look."""
    rig = Rig()
    for net in ("0", "-1000000000"):
        (no,) = rig.do(order(plan=with_line(net_target=net)))
        assert (no.limit, no.allowed) == ("exit_plan", "above 0")
    assert isinstance(rig.open(plan=with_line(net_target="0.01")), PairOpened)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity"])
def test_a_journal_that_holds_such_a_plan_is_read_and_acts_on_the_rest(value):
    rig = Rig()
    bought = rig.open(plan=FREE)
    poisoned = msgspec.structs.replace(
        bought, plan=with_line(net_target=value, funding_bp=value, max_hold_h="1")
    )
    rig = Rig()
    rig.desk.apply(poisoned)
    position = rig.desk.pairs[1]
    told = Funds(D(10_000), D(10_000), nets={1: D(5)})
    assert position.plan == ExitPlan(D(-900_000), D(900_000), D(1))
    assert wanted(position, rig.market, rig.settings, rig.now, told) == ""
    assert funding_case(position, rig.market, rig.settings, rig.now).limit_bp is None
    rig.desk.apply(PlanChanged(rig.now, 1, with_line(net_target=value)))
    assert position.plan == FREE
    rig.desk.apply(PlanChanged(rig.now, 1, poisoned.plan))
    (left,) = rig.later(HOUR)
    assert (left.reason, left.closed) == ("time", True)


def test_a_limit_that_nobody_writes_is_no_way_to_execute():
    rig = Rig()
    for value in ("NaN", "sNaN", "1e400", "0." + "9" * 6000):
        for style in ("limit", "market"):
            how = Execution(style, limit_bp=D(value))
            (no,) = rig.do(msgspec.structs.replace(order(plan=FREE), how=how))
            assert no.limit == "execution"


# --- margin ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["1e70", "1e999999", "1" + "0" * 57, "1." + "1" * 60, "sNaN"])
@pytest.mark.parametrize("command", [AddMargin, WithdrawMargin])
def test_an_amount_that_nobody_writes_is_refused(command, amount):
    rig = Rig()
    rig.open(plan=FREE)
    (no,) = rig.do(command(1, D(amount)))
    assert (no.limit, no.text.endswith(".")) == ("margin", True)


def test_margin_is_not_taken_out_on_prices_that_nobody_sees():
    rig = ExecRig()
    rig.ticker(PERP, 0.3665)
    rig.do(asked(plan=FREE))
    rig.beats(0.2)
    rig.do(AddMargin(1, D(500)))
    rig.now += 10 * 10**9
    (no,) = rig.do(WithdrawMargin(1, D(1)))
    assert (no.limit, no.command) == ("quote_age", "withdraw_margin")
    rig.fresh()
    assert isinstance(rig.do(WithdrawMargin(1, D(1)))[0], MarginMoved)


def test_margin_is_not_taken_out_while_a_settlement_of_the_same_call_draws_on_it():
    """Cash is 0, so 29.32 of funding come from margin; all that was added would be 29.32 too much.

    10,000 coins * 0.3665 * 0.8 %.
    """
    rig = Rig()
    rig.ticker(PERP, 0.3665, rate=-0.008)
    rig.open(plan=FREE, leverage="5")
    rig.do(AddMargin(1, D(500)))
    rig.funds = Funds(D(0), D(10_000))
    assert rig.later(8 * HOUR - 5 * 10**8 - (rig.now - T0)) == []
    rig.now += 5 * 10**8 + 10**7
    rig.fresh()
    paid, no = rig.do(WithdrawMargin(1, D(500)))
    assert isinstance(paid, FundingSettled)
    assert paid.from_margin == D("29.32")
    assert (no.limit, no.command) == ("pending", "withdraw_margin")
    assert rig.do(WithdrawMargin(1, D(500)))[0].allowed == "470.68"


def test_what_is_added_is_folded_to_whole_units_whatever_the_context():
    """Of 10 added by hand a third goes with a third of the leg: 3.33333333, rounded down."""
    found = []
    for digits in (28, 64, 900):
        with decimal.localcontext(prec=digits):
            told = of(opened(entry(3, 3), margin="6"))
            for each in (MarginMoved(6, 1, D(10)), reduced(1, 1, margin="5.33333333")):
                of(each, told)
            found.append((told.short.added, told.short.margin))
    assert found == [(D("6.66666667"), D("10.66666667"))] * 3


# --- one leg --------------------------------------------------------------------------------------


def bare(plan, leg="long"):
    rig = ExecRig()
    rig.ticker(PERP, 0.3665)
    rig.do(asked(plan=plan, leverage="1"))
    rig.beats(0.3)
    rig.do(ClosePair(1, leg=leg))
    rig.beats(0.3)
    assert rig.pair().state == "naked"
    return rig


def test_a_time_stop_closes_the_leg_that_a_close_by_hand_has_left():
    rig = bare(with_line(max_hold_h="0.01"))
    assert rig.beats(35) == []
    left = only(rig.beats(1), PairReduced)
    assert (left.reason, left.closed, [fill.leg for fill in left.fills]) == (
        "time",
        True,
        ["short"],
    )


def test_a_net_target_closes_it_too_and_basis_rules_do_not():
    rig = bare(with_line(net_target="10"), leg="short")
    assert rig.beats(1) == []
    rig.funds = Funds(D(10_000), D(10_000), nets={1: D(100)})
    assert only(rig.beats(1), PairReduced).reason == "net"
    rig = bare(FREE)
    rig.pair().plan = ExitPlan(D(100), D(-100))  # beyond both lines, were there a basis
    assert rig.beats(1) == []


def test_what_a_forced_close_leaves_goes_by_its_time_stop():
    rig = ExecRig()
    rig.ticker(PERP, 0.3665)
    rig.do(asked(plan=with_line(max_hold_h="0.01")))
    rig.beats(0.3)
    rig.do(Drill("adl", pair=1))
    assert rig.pair().state == "naked"
    assert only(rig.beats(40), PairReduced).reason == "time"


def test_a_plan_of_one_leg_says_which_rules_can_act():
    rig = bare(FREE)
    (no,) = rig.do(SetPlan(1, FREE))
    assert (no.limit, no.allowed) == ("exit_plan", "a time stop or a net target")
    assert "one leg alone" in no.text
    (set_,) = rig.do(SetPlan(1, ExitPlan(max_hold_h=D("0.01"))))
    assert isinstance(set_, PlanChanged)
    assert only(rig.beats(40), PairReduced).reason == "time"
    rig = ExecRig()
    rig.do(asked(plan=FREE))
    rig.beats(0.3)
    assert kinds(rig.do(SetPlan(1, ExitPlan(max_hold_h=D(1))))) == ["Refused"], "both legs stand"
