"""Positions are a fold of outcomes, the same live and at a restart."""

import pytest
from trading_rig import PERP, RICH, D, Rig, S, mirrored, settings

from basisdesk.errors import RuleError
from basisdesk.events import (
    AddMargin,
    ClosePair,
    ExitPlan,
    MarginMoved,
    PairOpened,
    Refused,
    RiskChanged,
    SetPlan,
)
from basisdesk.trading.desk import Desk
from basisdesk.trading.positions import CLOSED_KEPT


def test_restart_folds_to_the_same_state():
    rig = Rig(settings("base"))
    rig.ticker(PERP, 0.3665)
    rig.open("1000")
    rig.do(mirrored("500"))
    rig.do(AddMargin(1, D("12.5")))
    rig.do(SetPlan(2, ExitPlan(D(-5), D(-90))))
    rig.do(ClosePair(1, D("0.3")))
    rig.later(9 * 3600 * S)
    twin = Desk(rig.settings)
    for outcome in rig.log:
        twin.apply(outcome)
    assert twin.pairs == rig.desk.pairs
    assert twin.risk == rig.desk.risk
    assert twin.on_time(rig.market, RICH, rig.now + S) == rig.desk.on_time(
        rig.market, RICH, rig.now + S
    )


def test_halt_survives_a_restart():
    twin = Desk(settings())
    twin.apply(RiskChanged(5, "halted", "loss limit"))
    assert (twin.risk.halted, twin.risk.reason, twin.risk.since_ns) == (True, "loss limit", 5)
    with pytest.raises(RuleError):
        twin.apply(RiskChanged(6, "sleepy", ""))


def test_outcome_of_an_unknown_pair_is_a_bug():
    with pytest.raises(RuleError):
        Desk(settings()).apply(MarginMoved(1, 7, D(1)))


def test_partial_closes_keep_the_hedge_and_the_entry_price():
    rig = Rig(settings("base"))
    rig.open("1000")
    position = rig.desk.pairs[1]
    entry = position.entry_bp
    for fraction in ("0.5", "0.37", "0.5"):
        (reduced,) = rig.do(ClosePair(1, D(fraction)))
        assert not reduced.closed
        assert abs(position.delta) <= D("0.5")
        assert position.entry_bp == entry
    assert rig.do(ClosePair(1))[0].closed
    assert position.margin == position.collateral == position.delta == 0
    assert position.close_reason == "user"


def test_partial_close_below_a_lot_is_refused():
    rig = Rig()
    rig.open("20")
    (no,) = rig.do(ClosePair(1, D("0.01")))
    assert isinstance(no, Refused)
    assert no.limit == "fraction"


@pytest.mark.parametrize("fraction", ["0", "-1", "1.01", "NaN"])
def test_fraction_outside_zero_to_one_is_refused(fraction):
    rig = Rig()
    rig.open("100")
    assert rig.do(ClosePair(1, D(fraction)))[0].limit == "fraction"


def test_unknown_or_closed_pair_is_refused():
    rig = Rig()
    assert rig.do(ClosePair(3))[0].limit == "pair"
    rig.open("100")
    rig.do(ClosePair(1))
    assert rig.do(ClosePair(1))[0].limit == "pair"
    assert rig.do(AddMargin(1, D(1)))[0].limit == "pair"
    assert rig.do(SetPlan(1, ExitPlan()))[0].limit == "pair"


@pytest.mark.parametrize(
    ("amount", "limit"),
    [
        ("0", "margin"),
        ("-1", "margin"),
        ("NaN", "margin"),
        ("1e-9", "margin"),
        ("1e14", "funds"),
        ("1e30", "margin"),
    ],
)
def test_margin_that_cannot_be_added_is_refused(amount, limit):
    rig = Rig()
    rig.open("100")
    assert rig.do(AddMargin(1, D(amount)))[0].limit == limit


def test_added_margin_moves_the_liquidation_price_away():
    rig = Rig()
    rig.ticker(PERP, 0.3665)
    rig.open("10000", leverage="5")
    ((key, before),) = rig.desk.gauge(1, rig.market)
    rig.do(AddMargin(1, D(100)))
    ((_, after),) = rig.desk.gauge(1, rig.market)
    assert key == PERP
    assert after.price > before.price
    assert rig.desk.gauge(9, rig.market) == ()


def test_plan_can_be_replaced_and_is_checked():
    rig = Rig()
    rig.open("100")
    assert rig.do(SetPlan(1, ExitPlan(D(9), D(2))))[0].limit == "exit_plan"
    rig.do(SetPlan(1, ExitPlan(D(2), D(9))))
    assert rig.desk.pairs[1].plan == ExitPlan(D(2), D(9))


def test_closed_pairs_are_kept_up_to_a_limit():
    rig = Rig(settings(memory=False))
    for pair in range(1, CLOSED_KEPT + 20):
        rig.open("100")
        rig.do(ClosePair(pair))
    assert len(rig.desk.pairs) == CLOSED_KEPT
    assert isinstance(rig.open("100"), PairOpened)
    assert max(rig.desk.pairs) == CLOSED_KEPT + 20
