"""Settlements: what each takes from cash and from margin, paid once, caught up after a night."""

import decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quant_rig import HOUR, MS0, PERP, D, Quant, S

from basisdesk.events import FundingHistory
from basisdesk.trading.accrual import accrued, paid_from, settlements

# --- where a payment comes from -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "free", "margin", "paid"),
    [
        ("3", "0", "100", ("0", "0")),  # received
        ("-3", "10", "100", ("3", "0")),
        ("-3", "3", "100", ("3", "0")),
        ("-3", "2.5", "100", ("2.5", "0.5")),
        ("-3", "0", "100", ("0", "3")),
        ("-3", "-5", "100", ("0", "3")),  # cash below zero pays nothing and takes nothing more
        ("-3", "1", "1.5", ("1.5", "1.5")),  # 0.5 is lacking: the ledger's shortfall
        ("-3", "1", "0", ("3", "0")),
        # margin moves in 1e-8: 1.000000001 rounded up, cash pays a hair less
        ("-3.000000001", "2", "100", ("1.999999991", "1.00000001")),
        ("-0.000000001", "0", "100", ("0", "0.000000001")),
    ],
)
def test_funding_is_paid_from_cash_and_then_from_margin(amount, free, margin, paid):
    assert paid_from(D(amount), D(free), D(margin)) == tuple(map(D, paid))


money = st.decimals(min_value=-1000, max_value=1000, places=20)
positive = st.decimals(min_value=0, max_value=1000, places=8)


@given(money, money, positive)
def test_nothing_is_lost_between_cash_and_margin(amount, free, margin):
    with decimal.localcontext(prec=64):
        cash, from_margin = paid_from(amount, free, margin)
        assert cash + from_margin == max(D(0), -amount)
        assert 0 <= from_margin <= margin
        assert cash >= 0
        if -amount <= free or amount >= 0:
            assert from_margin == 0
        elif from_margin < margin:
            assert cash <= max(free, D(0))


def test_several_settlements_share_the_cash_in_their_order_and_then_each_its_own_margin():
    """Two shorts of 10,000 pay 7.33 each at -0.2 %: cash of 10 pays one and 2.67 of the other."""
    rig = Quant()
    first, second = rig.open(), rig.open()
    rig.ticker(rate=-0.002, next_ms=MS0 + 8 * 3_600_000)
    rig.at(8 * HOUR - S)
    rig.ticker(rate=-0.002, next_ms=MS0 + 8 * 3_600_000)
    rig.at(8 * HOUR)
    found = settlements(rig.market, rig.positions, rig.now, D(10))
    assert [each.amount for each in found] == [D("-7.33"), D("-7.33")]
    assert [each.from_margin for each in found] == [0, D("4.66")]
    margin = second.short.margin
    for each in found:
        rig.positions.apply(each)
    assert first.short.added == 0
    assert second.short.margin == margin - D("4.66")
    assert second.short.added == D("-4.66")


def test_without_a_limit_of_cash_margin_is_not_touched():
    rig = Quant()
    rig.open()
    rig.at(8 * HOUR - S)
    rig.ticker(rate=-0.002)
    rig.at(8 * HOUR)
    (one,) = settlements(rig.market, rig.positions, rig.now)
    assert one.from_margin == 0


def test_a_settlement_is_paid_once_whatever_tells_of_it():
    """The ticker, history and history again name the same stamp of the same venue and symbol."""
    rig = Quant()
    position = rig.open()
    clock = rig.market.leg(PERP).funding
    rig.at(8 * HOUR - S)
    rig.ticker(rate=0.0002)
    rig.at(8 * HOUR)
    (one,) = settlements(rig.market, rig.positions, rig.now)
    rig.positions.apply(one)
    for later in (1, 2, 3):
        clock.learn(FundingHistory(PERP, [(MS0 + 8 * 3_600_000, "0.0001")]))
        rig.at(8 * HOUR + later * HOUR)
        assert settlements(rig.market, rig.positions, rig.now) == []
    assert position.funding == one.amount == D("0.733")


def test_an_interval_that_changes_mid_trade_and_a_night_asleep():
    """8 h until 08:00, then 1 h. Asleep from 07:30 to 11:30: 8, 9, 10 and 11 come late, once."""
    rig = Quant()
    position = rig.open()
    stamps = [MS0 + hour * 3_600_000 for hour in (8, 9, 10, 11)]
    rig.at(7 * HOUR + HOUR // 2)
    rig.ticker(rate=0.0001, hours=8.0)
    rig.at(11 * HOUR + HOUR // 2)
    rig.ticker(rate=0.0003, hours=1.0)
    assert settlements(rig.market, rig.positions, rig.now) == []  # the rate of 07:30 pays nothing
    rows = [(stamp, f"0.0000{at}") for at, stamp in enumerate(stamps, 1)]
    rig.market.leg(PERP).funding.learn(FundingHistory(PERP, rows))
    found = settlements(rig.market, rig.positions, rig.now)
    for each in found:
        rig.positions.apply(each)
    assert [each.settle_ms for each in found] == stamps
    assert [each.rate for each in found] == [D(text) for _, text in rows]
    assert all(each.late for each in found)
    assert position.funding == 10_000 * D("0.3665") * D("0.0001")
    assert rig.market.leg(PERP).funding.interval_at(stamps[0]) == 8.0
    assert rig.market.leg(PERP).funding.interval_at(stamps[3]) == 1.0
    assert settlements(rig.market, rig.positions, rig.now) == []


def test_interest_finds_what_settlements_left():
    """Cash 1: the reverse pair's long pays 0.7332 of funding, and of 0.0492 of interest 9 hours are
    owed; a second pair has only its margin left.
    """
    rig = Quant()
    rig.reverse()
    second = rig.reverse()
    rig.at(8 * HOUR - S)
    rig.ticker(mark=0.3666, rate=0.0002)
    rig.at(8 * HOUR)
    found = accrued(rig.market, rig.positions, rig.settings, rig.now, D(1))
    kinds = [type(each).__name__ for each in found]
    assert kinds == ["FundingSettled", "FundingSettled", "BorrowCharged", "BorrowCharged"]
    # 10,000 * 0.3666 * 0.0002 = 0.7332 each: cash pays one and 0.2668 of the other
    assert [each.from_margin for each in found[:2]] == [0, D("0.4664")]
    interest = 9 * D("0.000001502122") * 10_000 * D("0.36395")
    assert [each.amount for each in found[2:]] == [interest, interest]
    for each in found[2:]:
        assert 0 <= each.from_margin - interest < D("1e-8") or each.from_margin == interest
        rig.positions.apply(each)
    assert second.long.added < 0


@given(st.lists(st.integers(-500, 500), max_size=8), st.integers(0, 300), st.integers(0, 200))
def test_cash_and_margins_never_fall_below_nothing_by_what_is_drawn(amounts, free, margin):
    cash, left = D(free), D(margin)
    for amount in amounts:
        from_cash, from_margin = paid_from(D(amount), cash, left)
        if from_margin < left:
            assert cash - from_cash >= 0
        left -= from_margin
        cash = max(D(0), cash + max(D(amount), 0) - from_cash)
        assert left >= 0
