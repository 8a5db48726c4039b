"""Corners that the other tests walk past."""

import math

import msgspec
import pytest
from trading_rig import (
    FREE,
    PERP,
    PERP_B,
    SPOT,
    T0,
    D,
    Rig,
    S,
    mirrored,
    order,
    settings,
    spot_rules,
)

from basisdesk.events import (
    BorrowCharged,
    ClosePair,
    Flatten,
    FundingSettled,
    Halt,
    Liquidated,
    MarginMoved,
    PlanChanged,
    Refused,
    SessionStarted,
    SetValue,
)
from basisdesk.trading.fees import schedule
from basisdesk.trading.sentences import describe
from basisdesk.trading.sizing import buy_back


def test_close_basis_of_an_open_pair_and_of_none():
    rig = Rig()
    rig.open("100", plan=FREE)
    assert rig.desk.close_bp(1, rig.market) == pytest.approx(1e4 * 27 / 3639)
    assert math.isnan(rig.desk.close_bp(2, rig.market))
    assert math.isnan(rig.desk.pairs[1].exit_bp)
    rig.do(ClosePair(1))
    assert math.isnan(rig.desk.close_bp(1, rig.market))
    assert rig.desk.pairs[1].exit_bp == pytest.approx(1e4 * 27 / 3639)


def test_a_setting_is_not_the_desks_business():
    assert Rig().do(SetValue("ticket.qty", "5")) == []


def test_a_close_that_arrives_after_its_pair_is_gone_is_refused():
    rig = Rig(settings(latency_ms=80))
    rig.do(order("100", plan=FREE))
    rig.later(S)
    rig.do(ClosePair(1))
    twice = list(rig.desk.pending)
    rig.later(S)
    rig.desk.pending.extend(twice)
    assert rig.later(S)[0].limit == "pair"


def test_largest_size_of_legs_that_make_no_pair_is_zero():
    rig = Rig()
    assert rig.desk.max_qty(order(long="bybit:spot:NOPE"), rig.market, rig.funds) == 0
    rig.rules(SPOT, min_qty=D(10) ** 9)
    assert rig.desk.max_qty(order(), rig.market, rig.funds) == 0


def test_closing_beyond_the_displayed_depth_is_refused_and_stays_whole():
    rig = Rig()
    rig.open("10000", plan=FREE)
    rig.show(SPOT, [(0.3639, 9999.0)], [(0.3640, 1e6)])
    assert rig.do(ClosePair(1))[0].limit == "depth"
    assert rig.desk.pairs[1].delta == 0


def test_loan_without_interest_is_not_booked():
    conf = settings()
    rate = msgspec.structs.replace(conf.borrow["bybit"], hourly_rate=0.0)
    rig = Rig(msgspec.structs.replace(conf, borrow={"bybit": rate}))
    rig.do(mirrored("100", plan=FREE))
    assert rig.later(S) == []


def test_buy_back_never_falls_short_of_what_is_owed():
    conf = settings("base")
    fees = schedule(conf, "bybit")
    for lot in ("0.01", "0.000001", "3", "0.7"):
        rules = spot_rules(lot=D(lot))
        for lots in (1, 2, 7, 999, 1000, 123_457):
            owed = lots * D(lot)
            qty, dust = buy_back(owed, rules, fees)
            assert qty * (1 - fees.spot_taker) - dust == owed
            assert 0 <= dust < D(lot)
            assert rules.round_down(qty) == qty


def test_both_perpetuals_can_die():
    rig = Rig()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.do(order("1000", long=PERP, short=PERP_B, leverage="5", plan=FREE))
    both = rig.desk.on_time
    rig.ticker(PERP_B, 0.6)
    dead = both(rig.market, rig.funds, rig.now)[0]
    rig.desk.apply(dead)
    position = rig.desk.pairs[1]
    fill = msgspec.structs.replace(dead.fills[0], leg="long", instrument=PERP, side="sell")
    rig.desk.apply(
        msgspec.structs.replace(dead, instrument=PERP, fills=(fill,), closed=True, ts_ns=rig.now)
    )
    assert (position.state, position.closed_ns, position.delta) == ("closed", rig.now, 0)


def test_every_outcome_has_a_sentence():
    rig = Rig()
    rig.ticker(PERP, 0.3665)
    opened = rig.open(leverage="5", plan=FREE)
    rig.ticker(PERP, 0.9)
    (dead,) = rig.later(S)
    (closed,) = rig.do(ClosePair(1))
    (halted,) = rig.do(Halt())
    (no,) = rig.do(order())
    one = D("1.5")
    paid = FundingSettled(T0, 1, PERP, 5, one, one, one, -one, late=True)
    charged = BorrowCharged(T0, 1, SPOT, 1, one, one, one, one)
    said = [
        describe(each)
        for each in (
            opened,
            dead,
            closed,
            halted,
            no,
            paid,
            charged,
            MarginMoved(T0, 1, one),
            PlanChanged(T0, 1, FREE),
            SessionStarted(T0, "s", "demo", "0", "USDT", one),
        )
    ]
    assert isinstance(dead, Liquidated)
    assert isinstance(no, Refused)
    assert all(text.endswith(".") and "-" not in text for text in said), said
    assert "\N{MINUS SIGN}1.50 USDT, settled late" in said[5]


def test_size_without_a_hedge_has_a_sheet_that_says_so():
    rig = Rig()
    rig.rules(SPOT, min_notional=D(0))
    for ask in (order("0.3"), order("0.49", plan=FREE)):
        sheet = rig.desk.sheet(ask, rig.market, rig.funds, rig.now)
        assert (sheet.priced, sheet.refusal.limit) == (False, "min_qty")
    rig.rules(SPOT, lot=D(100), min_qty=D(100))
    sheet = rig.desk.sheet(mirrored("20"), rig.market, rig.funds, rig.now)
    assert (sheet.priced, sheet.refusal.limit) == (False, "min_qty")


def test_flatten_of_nothing_does_nothing():
    assert Rig().do(Flatten()) == []
