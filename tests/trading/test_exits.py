"""The exit plan's rules, each with figures worked by hand, and the forced closes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from quant_rig import (
    HOUR,
    MS0,
    OTHER,
    PERP,
    PLAN,
    SPOT,
    T0,
    D,
    Quant,
    S,
    Watched,
    funds,
    instrument,
    settings,
    swing,
)

from basisdesk.config import Fees
from basisdesk.events import ExitPlan, Liquidated
from basisdesk.trading.exits import adl, forced, funding_case, gauge, wanted
from basisdesk.trading.funding_case import turned_against
from basisdesk.trading.hold_time import Holds

FAR = ExitPlan(D(-1000), D(5000))


def reason(rig, position, **nets):
    return wanted(position, rig.market, rig.settings, rig.now, funds(**nets))


# --- basis and time -------------------------------------------------------------------------------


def test_nothing_is_wanted_while_the_plan_is_not_reached():
    rig = Quant()
    assert reason(rig, rig.open()) == ""


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        # leaving now: (0.3666 - 0.3639) / 0.3639 = 74.196 bp
        (ExitPlan(D("74.2"), D(150)), "target"),
        (ExitPlan(D("74.1"), D(150)), ""),
        (ExitPlan(D(3), D("74.1")), "stop"),
        (ExitPlan(D(3), D("74.2")), ""),
    ],
)
def test_target_and_stop_are_read_on_the_executable_close_basis(plan, code):
    rig = Quant()
    assert reason(rig, rig.open(plan=plan)) == code


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        # leaving the reverse pair: (0.3665 - 0.3640) / 0.3640 = 68.681 bp, mirrored
        (ExitPlan(D("68.6"), D(-200)), "target"),
        (ExitPlan(D("68.7"), D(-200)), ""),
        (ExitPlan(D(500), D("68.7")), "stop"),
        (ExitPlan(D(500), D("68.6")), ""),
    ],
)
def test_the_reverse_pair_mirrored(plan, code):
    rig = Quant()
    assert reason(rig, rig.reverse(plan=plan)) == code


def test_the_time_stop_is_counted_from_the_entry_fill():
    rig = Quant()
    position = rig.open(plan=msgspec.structs.replace(FAR, max_hold_h=D(2)))
    rig.at(2 * HOUR - S)
    assert reason(rig, position) == ""
    rig.at(2 * HOUR)
    assert reason(rig, position) == "time"


def test_nothing_acts_on_stale_quotes_or_prices_that_disagree_or_an_unfinished_pair():
    rig = Quant()
    position = rig.open(plan=ExitPlan(D(500), D(1000), D(1)))
    assert reason(rig, position) == "target"
    rig.now += 2 * HOUR
    assert reason(rig, position) == ""
    rig.at(2 * HOUR)
    for state in ("working", "unhedged", "closed"):
        position.state = state
        assert reason(rig, position) == ""
    position.state = "naked"
    assert reason(rig, position) == "time", "the basis is of two legs, time is not"
    position.state = "open"
    rig.show(PERP, 366.5, 366.6)
    assert reason(rig, position) == ""


# --- net target -----------------------------------------------------------------------------------


def test_net_target_counts_exit_fees_and_slippage():
    """10,000 coins: exit fees 3.639 + 2.0163 = 5.6553, half spreads 0.5 + 0.5; 6.6553 to leave.

    At mids the pair has earned 16.6553, so closing now nets exactly 10.
    """
    rig = Quant()
    position = rig.open(plan=msgspec.structs.replace(FAR, net_target=D(10)))
    assert reason(rig, position, p1="16.6552") == ""
    assert reason(rig, position, p1="16.6553") == "net"
    assert reason(rig, position) == "", "a pair whose net nobody told is not closed for it"


def test_net_target_of_a_loss_is_a_target_too():
    rig = Quant()
    position = rig.open(plan=msgspec.structs.replace(FAR, net_target=D(-5)))
    assert reason(rig, position, p1="1.6553") == "net"
    assert reason(rig, position, p1="1.6552") == ""


def test_net_target_waits_where_the_books_cannot_take_the_size():
    rig = Quant()
    position = rig.open(plan=msgspec.structs.replace(FAR, net_target=D(10)))
    rig.show(SPOT, 0.3639, 0.3640, size=100.0)
    assert reason(rig, position, p1="1000") == ""


# --- sector ---------------------------------------------------------------------------------------


def test_the_sector_rule_fires_on_against_and_on_nothing_else():
    rig = Quant()
    position = rig.open(plan=msgspec.structs.replace(FAR, sector=True))
    assert reason(rig, position) == "", "without a source it never fires"
    for said, code in (("for", ""), ("", ""), ("against", "sector")):
        rig.market.sectors["ADA"] = said
        assert reason(rig, position) == code
    rig.market.sectors = {"BTC": "against"}
    assert reason(rig, position) == ""
    rig.market.sectors = {"ADA": "against"}
    assert reason(rig, rig.open(plan=FAR)) == ""


# --- funding --------------------------------------------------------------------------------------

TURN = msgspec.structs.replace(FAR, funding_bp=D(2))


def turned(rate, plan=TURN, run=2, hours=8.0, qty="10000"):
    """A pair that paid its last settlements, with this predicted rate; 1 h after T0 + 16 h."""
    rig = Quant()
    position = rig.open(qty, plan=plan)
    for each in range(2):
        rig.paid(position, 8 * (each + 1), "-1" if run > each else "1")
    rig.at(17 * HOUR)
    rig.ticker(rate=rate, hours=hours)
    return rig, position


def test_a_sign_that_flips_is_no_exit():
    """-0.1 bp per 8 h: three stamps in the 24 h assumed cost 0.11 USDT, leaving costs 6.66."""
    rig, position = turned(-0.00001, msgspec.structs.replace(FAR, funding_bp=D(0)))
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert case.turned
    # 3 stamps * 10,000 * 0.3665 * 0.00001
    assert case.adverse == D("0.10995")
    assert case.to_leave == D("6.6553")
    assert not case.leave
    assert reason(rig, position) == ""
    assert case.text == "expected adverse 0.11 USDT over 24 h against 6.66 USDT to leave: stay"


def test_funding_leaves_when_staying_is_dearer():
    """-7 bp per 8 h: 3 * 10,000 * 0.3665 * 0.0007 = 7.6965 USDT against 6.6553 to leave."""
    rig, position = turned(-0.0007)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert (case.adverse, case.to_leave) == (D("7.6965"), D("6.6553"))
    # 10,000 * 0.3665 * 0.0007 of a notional of 10,000 * 0.36395
    assert case.against_bp == pytest.approx(7 * 0.3665 / 0.36395)
    assert case.leave
    assert case.text == "expected adverse 7.70 USDT over 24 h against 6.66 USDT to leave: leave"
    assert reason(rig, position) == "funding"


@pytest.mark.parametrize("run", [0, 1])
def test_one_bad_settlement_is_not_enough(run):
    rig, position = turned(-0.0007)
    rig.paid(position, 16 if run == 1 else 17, "5")  # the last stamp: paid to us in all
    if run == 1:
        rig.paid(position, 17, "-1")
    assert position.adverse == run
    assert reason(rig, position) == ""
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert f"only {run} of the last 2 settlements" in case.text


def test_a_rate_below_the_plans_limit_stays_however_dear():
    rig, position = turned(-0.0007, msgspec.structs.replace(FAR, funding_bp=D(8)))
    assert reason(rig, position) == ""
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert "below the plan's 8.0 bp" in case.text
    no_rule, held = turned(-0.0007, FAR)
    assert reason(no_rule, held) == ""
    assert (
        "no funding rule" in funding_case(held, no_rule.market, no_rule.settings, no_rule.now).text
    )


def test_a_rate_in_our_favour_stays():
    rig, position = turned(0.0007)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert case.against_bp < 0
    assert case.adverse == D("-7.6965")
    assert not case.leave
    assert "for this pair" in case.text


def test_the_limit_is_per_8_h_whatever_the_interval():
    """-1 bp an hour is -8 bp per 8 h. 24 stamps of 0.3665 = 8.796 USDT."""
    rig, position = turned(-0.0001, msgspec.structs.replace(FAR, funding_bp=D(8)), hours=1.0)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert case.against_bp == pytest.approx(8 * 0.3665 / 0.36395)
    assert case.adverse == D("8.796")
    assert reason(rig, position) == "funding"


def test_stamps_are_counted_by_the_calendar_and_the_time_stop_ends_the_count():
    """At 17:00 the next stamps are 24:00 and 32:00: none within 6 h, one within 14, two in 15."""
    for hold_h, stamps in ((23, 0), (31, 1), (32, 2)):
        plan = msgspec.structs.replace(TURN, max_hold_h=D(hold_h))
        rig, position = turned(-0.0007, plan)
        case = funding_case(position, rig.market, rig.settings, rig.now)
        assert case.hold_h == hold_h - 17
        assert case.hold_note == "until the time stop"
        assert case.adverse == stamps * D("2.5655")


def test_where_a_venue_accrues_parts_of_an_hour_count():
    rig, position = turned(-0.0001, hours=1.0)
    rig.accrues()
    plan = msgspec.structs.replace(TURN, max_hold_h=D("18.5"))
    position.plan = plan
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert case.adverse == D("0.3665") * D("1.5")


def test_both_legs_of_two_perpetuals_count():
    """Long pays 3 bp, short receives 1 bp: 10,000 * (0.3665 * 0.0003 - 0.3675 * 0.0001) a stamp."""
    rig = Quant()
    position = rig.open(plan=TURN, long=PERP, short=OTHER)
    rig.at(HOUR)
    rig.ticker(PERP, 0.3665, 0.0003)
    rig.ticker(OTHER, 0.3675, 0.0001)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert case.adverse == 3 * (D("1.0995") - D("0.3675"))


def test_unknown_funding_stays():
    rig = Quant()
    position = rig.open(plan=TURN)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert not case.leave
    assert "not known" in case.text


def test_the_hold_is_the_median_time_to_the_target_where_that_is_known():
    """From 3 deviations above the mean to 1: the stamps within that time are counted, no more."""
    rig = Watched(swing(0.5, 1440, seed=11))
    holds = Holds()
    rig.stand(6.0)
    rig.ticker(mark=0.36, rate=-0.005, hours=1.0)
    position = rig.open(plan=ExitPlan(D(-2), D(5000), funding_bp=D(2)))
    median_h = holds.of(position, rig.market, rig.settings, rig.now).median_h
    assert 0 < median_h < 3
    case = funding_case(position, rig.market, rig.settings, rig.now, holds)
    assert case.hold_h == median_h
    assert "median" in case.hold_note
    assert case.adverse == int(median_h) * D("18")  # 10,000 * 0.36 * 0.005, at each full hour
    position.plan = ExitPlan(D(-30), D(5000), funding_bp=D(2))
    never = funding_case(position, rig.market, rig.settings, rig.now, holds)
    assert never.hold_h == 72
    assert "beyond the mean" in never.hold_note


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    st.floats(-0.004, 0.004),
    st.integers(0, 3),
    st.sampled_from([1.0, 4.0, 8.0]),
    st.sampled_from([None, D(0), D(2), D(10)]),
    st.sampled_from([None, D(20), D(40), D(200)]),
)
def test_the_quick_look_and_the_whole_case_agree(rate, run, hours, limit, max_hold):
    """Also: nothing is left for a sign alone, and never for less than leaving costs."""
    plan = msgspec.structs.replace(FAR, funding_bp=limit, max_hold_h=max_hold)
    rig = Quant()
    position = rig.open(plan=plan)
    for each in range(run):
        rig.paid(position, each + 1, "-1")
    rig.at(17 * HOUR)
    rig.ticker(rate=rate, hours=hours)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert turned_against(position, rig.market, rig.settings, rig.now) == case.leave
    assert reason(rig, position) == ("funding" if case.leave else "")
    if case.leave:
        assert run >= 2
        assert rate < 0
        assert case.against_bp >= limit
        assert case.adverse > case.to_leave


def test_the_order_of_the_reasons():
    """All at once: the stop comes first, then target, net, time, funding, sector."""
    rig, position = turned(-0.0007)
    rig.market.sectors["ADA"] = "against"
    every = ExitPlan(D(74), D(74), D(1), D(1), D(2), sector=True)
    expected = [
        ({}, "stop"),
        ({"stop_bp": D(5000), "target_bp": D(75)}, "target"),
        ({"target_bp": None}, "net"),
        ({"net_target": None}, "time"),
        ({"max_hold_h": None}, "funding"),
        ({"funding_bp": None}, "sector"),
    ]
    changes = {}
    for change, code in expected:
        changes |= change
        position.plan = msgspec.structs.replace(every, **changes)
        assert reason(rig, position, p1="1000") == code


# --- forced closes --------------------------------------------------------------------------------


def dead(rig, position, mark):
    rig.market.leg(PERP).mark = mark
    return forced(position, rig.market, rig.settings, rig.now)


def test_a_forced_fill_stands_at_bankruptcy_while_the_mark_is_not_beyond():
    """5x short at 0.3665: bankrupt at 0.4398, liquidated at 0.4398 / 1.0075 = 0.43653."""
    rig = Quant()
    position = rig.open(leverage=5)
    assert dead(rig, position, 0.4365) is None
    found = dead(rig, position, 0.4370)
    assert isinstance(found, Liquidated)
    (fill,) = found.fills
    assert fill.price == D("0.4398")
    assert (found.cause, found.mark, found.margin) == ("liquidation", D("0.437"), D("733"))
    assert fill.fee == 10_000 * D("0.4398") * D("0.00055")
    assert fill.grade == "D"


def test_a_gap_beyond_bankruptcy_fills_at_the_mark_and_the_rest_is_the_venues_loss():
    """+25 % at once: mark 0.458125. The leg loses 916.25 on a margin of 733."""
    rig = Quant()
    position = rig.open(leverage=5)
    found = dead(rig, position, 0.458125)
    (fill,) = found.fills
    assert fill.price == D("0.4582")  # the next tick, against the leg
    assert "beyond bankruptcy" in fill.grade_reason
    loss = (fill.price - D("0.3665")) * 10_000
    assert loss > position.margin == D("733")


def test_the_gap_of_a_long_mirrored():
    rig = Quant()
    position = rig.reverse(leverage=5)  # long 10,000 at 0.3666, bankrupt at 0.29328
    assert dead(rig, position, 0.2945).fills[0].price == D("0.2932")  # floor of 0.29328
    assert dead(rig, position, 0.2800001).fills[0].price == D("0.2800")


def test_funding_taken_from_margin_brings_liquidation_nearer():
    rig = Quant()
    position = rig.open(leverage=5)
    rig.ticker()
    leg = position.short
    before = gauge(position, leg, rig.market, rig.settings, rig.now)
    leg.margin -= D(100)
    leg.added -= D(100)
    after = gauge(position, leg, rig.market, rig.settings, rig.now)
    # 100 of margin are 0.01 a coin: bankruptcy falls by that, the trigger by 0.01 / 1.0075
    assert before.bankruptcy - after.bankruptcy == D("0.01")
    assert before.price - after.price == pytest.approx(D("0.01") / D("1.0075"), abs=D("1e-12"))


# --- auto-deleveraging ----------------------------------------------------------------------------


def test_adl_closes_the_perpetual_at_its_mark_without_a_fee():
    rig = Quant()
    position = rig.open(leverage=2)
    rig.ticker(mark=0.3500)
    found = adl(position, rig.market, rig.settings, rig.now)
    (fill,) = found.fills
    assert (fill.side, fill.qty, fill.price, fill.fee) == ("buy", D(10_000), D("0.35"), 0)
    assert (found.cause, found.closed, found.margin) == ("adl", False, D("1832.5"))
    assert (fill.grade, "drill" in fill.grade_reason) == ("D", True)
    rig.positions.apply(found)
    assert position.state == "naked"
    assert (position.short.qty, position.long.qty) == (0, D(10_000))


def test_adl_takes_the_winner_of_two_perpetuals_and_needs_a_mark():
    rig = Quant()
    position = rig.open(long=PERP, short=OTHER)
    assert adl(position, rig.market, rig.settings, rig.now) is None
    rig.ticker(PERP, 0.40)  # the long wins, the short loses
    rig.ticker(OTHER, 0.40)
    assert adl(position, rig.market, rig.settings, rig.now).instrument == PERP
    rig.ticker(PERP, 0.30)
    rig.ticker(OTHER, 0.30)
    assert adl(position, rig.market, rig.settings, rig.now).instrument == OTHER


def test_adl_of_a_venue_that_is_not_described_yet_waits():
    rig = Quant()
    position = rig.open()
    rig.ticker()
    rig.market.leg(PERP).instrument = None
    del rig.market.instruments[PERP]
    assert adl(position, rig.market, rig.settings, rig.now) is None
    rig.market.instruments[PERP] = instrument(PERP)
    assert adl(position, rig.market, rig.settings, rig.now) is not None
    assert MS0 * 10**6 == T0


def test_dearer_fees_make_leaving_dearer_and_the_same_funding_stays():
    rig = Quant(settings(fees=Fees(spot_taker=0.002, spot_buy_fee_in="quote")))
    position = rig.open(plan=TURN)
    for hours in (8, 16):
        rig.paid(position, hours, "-1")
    rig.at(17 * HOUR)
    rig.ticker(rate=-0.0007)
    case = funding_case(position, rig.market, rig.settings, rig.now)
    assert case.to_leave == D("6.6553") + D("3.639")
    assert not case.leave
    assert case.limit_bp == 2
    assert reason(rig, position) == ""
    assert PLAN.funding_bp is None
