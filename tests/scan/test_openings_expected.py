"""Expected funding over a hold, and when it has paid a cost: against sums payment by payment."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.scan.expected import (
    NEVER_H,
    Flow,
    Rates,
    break_even,
    first_stamp_h,
    paid,
    payer,
    payments,
)

NAN, INF = math.nan, math.inf
HOURS = st.sampled_from([1.0, 2.0, 4.0, 8.0])
RATE = st.floats(-0.002, 0.002)
LIFE = st.one_of(st.floats(0.5, 500.0), st.just(NAN), st.just(INF))


def one(rate, median=NAN, hours=8.0, first=1.0, accrues=False):
    return Rates(*(np.array([x]) for x in (rate, median, hours, first)), np.array([accrues]))


def leg(rates, sign=1, life=NAN):
    return payer(rates, np.array([0]), sign, np.array([life]))


def total(rates, hold, sign=1, life=NAN):
    return float(paid(leg(rates, sign, life), np.array([hold]))[0])


def flow_of(short, long, borrow=0.0, life=NAN):
    weight = np.array([1.0])
    return Flow(leg(long, -1, life), leg(short, 1, life), weight, weight, np.array([borrow]))


SPOT = one(0.0, 0.0, 1e9, INF)


def by_hand(rate, median, hours, first, hold, life):
    """Each payment in turn."""
    due, at, count = 0.0, first, 0
    while at <= hold + 1e-9:
        if count == 0 or life == INF:
            left = 1.0
        else:
            left = 0.0 if math.isnan(life) else 0.5 ** (count * hours / life)
        due += median + (rate - median) * left
        at += hours
        count += 1
    return due


@given(RATE, RATE, HOURS, st.floats(0.001, 1.0), st.floats(1.0, 200.0), LIFE)
def test_the_closed_form_is_the_sum(rate, median, hours, part, hold, life):
    first = part * hours
    steps = (hold - first) / hours
    if abs(steps - round(steps)) < 1e-6:  # a stamp at the end itself is another test's
        hold += 0.01
    found = total(one(rate, median, hours, first), hold, life=life)
    assert found == pytest.approx(by_hand(rate, median, hours, first, hold, life), abs=1e-9)


@given(RATE, RATE, HOURS, st.floats(0.5, 500.0), st.integers(0, 50))
def test_whole_intervals_of_what_accrues_are_whole_payments(rate, median, hours, life, count):
    accrued = total(one(rate, median, hours, hours, True), count * hours, life=life)
    stamped = total(one(rate, median, hours, hours, False), count * hours, life=life)
    assert accrued == pytest.approx(stamped, abs=1e-12)


def test_a_part_of_an_interval_accrues():
    assert total(one(0.001, 0.001, 1.0, 0.3, True), 0.25) == pytest.approx(0.00025)
    assert total(one(0.003, 0.001, 1.0, 0.3, True), 1.5) == pytest.approx(0.003 + 0.0005)


def test_without_a_past_gains_once_costs_always():
    rates = one(0.001, NAN, 8.0, 1.0)
    assert total(rates, 24.0, sign=1) == pytest.approx(0.001)
    assert total(rates, 24.0, sign=-1) == pytest.approx(0.003)  # a long leg pays it each time
    assert total(rates, 24.0, sign=1, life=100.0) == pytest.approx(0.001)
    against = one(-0.001, NAN, 8.0, 1.0)
    assert total(against, 24.0, sign=1) == pytest.approx(-0.003)


def test_what_is_not_known_stays_unknown():
    assert math.isnan(total(one(NAN, 0.001), 24.0))
    assert math.isnan(total(one(0.001, 0.001, NAN, NAN), 24.0))
    count, days = break_even(flow_of(one(NAN), SPOT), np.array([10.0]))
    assert math.isnan(count[0])
    assert math.isnan(days[0])
    count, _ = break_even(flow_of(one(0.001, 0.001), SPOT), np.array([NAN]))
    assert math.isnan(count[0])


def test_spot_never_pays():
    assert total(SPOT, NEVER_H) == 0.0
    assert payments(leg(SPOT), np.array([1e5]))[0] == 0.0


def test_stamps_by_the_calendar():
    hour = 3_600_000.0
    now = 100 * hour
    stamps = np.array([101.0, 100.0, 97.5, 84.0, 0.0, 104.0]) * hour
    hours = np.array([8.0, 8.0, 1.0, 8.0, 8.0, NAN])
    left = first_stamp_h(stamps, hours, now)
    # to come; this very moment (paid already: entry < s); passed, rolled on; a whole one; unknown
    assert left[:5].tolist() == [1.0, 8.0, 0.5, 8.0, 8.0]
    assert left[5] == 4.0


def test_break_even_by_hand():
    # 10 bp, then 4 each: 10, 14, 18, 22 >= 20 at the fourth payment, 1 + 3 * 8 h
    count, days = break_even(flow_of(one(0.001, 0.0004), SPOT), np.array([20.0]))
    assert (count[0], days[0]) == (4.0, pytest.approx(25 / 24))
    # two hourly stamps of 1 bp, then at 2.25 h the long leg takes 3, and again at 10.25 h
    flow = flow_of(one(1e-4, 1e-4, 1.0, 0.5), one(3e-4, 3e-4, 8.0, 2.25))
    count, days = break_even(flow, np.array([2.0]))
    assert (count[0], days[0]) == (2.0, pytest.approx(1.5 / 24))
    # ten received and three paid are 7 at 9.5 h, for three quarters of an hour; 13 and six stay
    count, _ = break_even(flow, np.array([7.0]))
    assert count[0] == 13.0
    # nothing needed, and never
    assert break_even(flow, np.array([0.0]))[0][0] == 0.0
    assert break_even(flow_of(one(-1e-4, -1e-4), SPOT), np.array([1.0]))[0][0] == INF
    # what the interest eats never pays; a year is the end
    assert break_even(flow_of(one(8e-6, 8e-6), SPOT, borrow=1e-5), np.array([1.0]))[1][0] == INF
    assert break_even(flow_of(one(1e-7, 1e-7), SPOT), np.array([10.0]))[0][0] == INF


@given(
    RATE, RATE, RATE, RATE, HOURS, HOURS, st.floats(0.01, 1.0), st.floats(0.0, 1e-6),
    LIFE, st.floats(0.1, 60.0),
)  # fmt: skip
def test_break_even_is_a_moment_when_it_is_paid(r1, m1, r2, m2, h1, h2, part, borrow, life, need):
    flow = flow_of(one(r1, m1, h1, part * h1), one(r2, m2, h2, part * h2), borrow, life)
    count, days = break_even(flow, np.array([need]))
    if math.isinf(days[0]):
        assert math.isinf(count[0])
        return
    assert count[0] >= 1
    assert count[0] == int(count[0])
    assert flow.bp(days * 24.0)[0] >= need - 1e-9
