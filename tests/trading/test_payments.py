"""When funding has paid for a round trip, by the calendar of each leg."""

from decimal import Decimal

import pytest

from basisdesk.trading.payments import Payer, next_payment, payments_until

D = Decimal
H = 3_600_000
T = 1_790_000_000_000 // (8 * H) * 8 * H


def test_one_leg_pays_by_itself():
    legs = [Payer(D("2.5"), T, 8.0)]
    assert next_payment(legs) == (D("2.5"), T)
    assert payments_until(legs, D(10)) == 4
    assert payments_until(legs, D("10.1")) == 5
    assert payments_until([Payer(D("-2.5"), T, 8.0)], D(10)) is None
    assert payments_until(legs, D(0)) == 0
    assert next_payment([]) == (0, 0)
    assert payments_until([], D(10)) is None


def test_an_hourly_leg_pays_eight_times_before_one_of_eight_hours_does():
    # We receive 1.08 an hour and pay 0.98 each 8 h: 8.64 - 0.98 = 7.66 a period of eight stamps.
    # 35.6 / 7.66 = 4.65 periods: 4 periods bring 30.64, then 5 stamps of 1.08 the rest (5.40),
    # 4 of them only 34.96.
    legs = [Payer(D("1.08"), T + H, 1.0), Payer(D("-0.98"), T + 8 * H, 8.0)]
    assert next_payment(legs) == (D("1.08"), T + H)
    assert payments_until(legs, D("35.6")) == 4 * 8 + 5


def test_two_legs_that_pay_each_other_never_bring_a_cost_back():
    legs = [Payer(D("0.1"), T + H, 1.0), Payer(D("-0.8"), T + 8 * H, 8.0)]
    assert payments_until(legs, D(1)) is None
    assert payments_until([Payer(D(1), T, 0.0), Payer(D(1), T + H, 8.0)], D(5)) is None


@pytest.mark.parametrize("cost", ["7", "7.0001"])
def test_legs_of_one_calendar_count_as_one(cost):
    legs = [Payer(D(3), T, 8.0), Payer(D("0.5"), T, 8.0)]
    assert payments_until(legs, D(cost)) == (2 if cost == "7" else 3)
