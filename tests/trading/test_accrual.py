"""Funding at each venue's own times: snapshots at stamps, and Kraken's hours by the time held."""

import decimal

import pytest
from cross_rig import BINANCE_PERP, KRAKEN_PERP, KRAKEN_SPOT, OKX_PERP, CrossRig
from msgspec.structs import replace
from trading_rig import FREE, HOUR, T0, D, S, order

from basisdesk.events import (
    ClosePair,
    FundingHistory,
    FundingSettled,
    Liquidated,
    Ticker,
)

RATE, INDEX, MARK = 0.0001, 0.3660, 0.3665


def ms(ns):
    return ns // 10**6


class Hourly(CrossRig):
    """Kraken's perpetual, short against its own spot, with its rate said each hour."""

    def say(self, rate=RATE, key=KRAKEN_PERP, hours=1, index=INDEX):
        now = ms(self.now)
        step = hours * 3_600_000
        leg = self.market.leg(key)
        leg.mark, leg.index = MARK, index
        after = (now // step + 1) * step
        event = Ticker(key, "t", MARK, index, 0.0, rate, float(hours), after, 0.0, now)
        leg.funding.apply(event, now)

    def paid(self, outcomes):
        return [each for each in outcomes if isinstance(each, FundingSettled)]

    def carry(self, qty="1000"):
        return self.do(order(qty, long=KRAKEN_SPOT, short=KRAKEN_PERP, plan=FREE))


def rig_at(ns, rate=RATE):
    rig = Hourly()
    rig.now = T0 + ns
    rig.fresh()
    rig.say(rate)
    return rig


def total(paid):
    with decimal.localcontext(prec=64):
        return sum((each.amount for each in paid), D(0))


def by_hand(qty, share, fx, rate="0.0001"):
    with decimal.localcontext(prec=64):
        return D(qty) * D("0.366") * D(rate) * D(share) * fx


def test_the_first_hour_pays_the_part_that_was_held():
    rig = rig_at(HOUR // 4)
    rig.carry()
    (paid,) = rig.paid(rig.later(HOUR * 3 // 4))
    assert (paid.share, paid.qty, paid.source) == (D("0.75"), D(-1000), "ticker")
    assert paid.settle_ms == ms(T0 + HOUR)
    assert (paid.mark, paid.rate) == (D("0.366"), D("0.0001"))  # on the index
    assert paid.amount == by_hand(1000, "0.75", paid.fx)
    assert paid.fx > 1
    rig.say()
    assert rig.paid(rig.later(HOUR // 2)) == []
    (whole,) = rig.paid(rig.later(HOUR // 2))
    assert whole.share == 1


def test_a_share_of_an_hour_has_nine_decimals():
    rig = rig_at(HOUR // 3)
    rig.carry()
    (paid,) = rig.paid(rig.later(HOUR - HOUR // 3))
    assert paid.share == D("0.666666667")


def test_a_close_within_the_hour_realises_what_was_held_and_no_more_comes():
    rig = rig_at(0)
    rig.carry()
    rig.later(HOUR // 2)
    paid, closed = rig.do(ClosePair(1))
    assert (paid.share, paid.source, closed.closed) == (D("0.5"), "close", True)
    assert paid.amount == by_hand(1000, "0.5", paid.fx)
    rig.now = T0 + HOUR - S
    rig.say()
    assert rig.paid(rig.later(2 * S)) == []
    rows = [(ms(T0 + hours * HOUR), "0.0001") for hours in (1, 2, 3)]
    rig.market.leg(KRAKEN_PERP).funding.learn(FundingHistory(KRAKEN_PERP, rows))
    assert rig.paid(rig.later(5 * HOUR)) == []  # published history is not paid on top


def test_partial_closes_split_the_hour_and_miss_no_moment():
    rig = rig_at(0)
    rig.carry()
    got = []
    for fraction in ("0.5", "0.2"):
        rig.later(HOUR // 4)
        got += rig.paid(rig.do(ClosePair(1, D(fraction))))
    got += rig.paid(rig.later(HOUR // 2))
    assert [(each.share, each.qty) for each in got] == [
        (D("0.25"), D(-1000)),
        (D("0.25"), D(-500)),
        (D("0.5"), D(-400)),
    ]
    assert rig.desk.pairs[1].funding == total(got) > 0
    assert rig.books.attribution(1).funding == total(got)


def test_a_close_just_after_the_hour_pays_hour_and_rest_once_each():
    rig = rig_at(HOUR // 2)
    rig.carry()
    rig.now = T0 + HOUR - S
    rig.say()
    rig.now = T0 + HOUR + HOUR // 10
    rig.fresh()
    got = rig.paid(rig.do(ClosePair(1)))
    assert [(each.share, each.source) for each in got] == [
        (D("0.5"), "ticker"),
        (D("0.1"), "close"),
    ]


def test_a_rate_that_is_unknown_at_the_close_is_paid_at_the_hours_end_from_history():
    rig = Hourly()
    rig.now = T0
    rig.fresh()
    rig.carry()
    rig.later(HOUR // 2)
    (closed,) = rig.do(ClosePair(1))
    assert closed.closed
    rig.now = T0 + 2 * HOUR
    rig.fresh()
    rig.say()
    rows = [(ms(T0 + HOUR), "0.0002"), (ms(T0 + 2 * HOUR), "0.0009")]
    rig.market.leg(KRAKEN_PERP).funding.learn(FundingHistory(KRAKEN_PERP, rows))
    (paid,) = rig.paid(rig.later(S))
    assert (paid.share, paid.source, paid.late) == (D("0.5"), "history", True)
    assert paid.amount == by_hand(1000, "0.5", paid.fx, "0.0002")
    assert rig.paid(rig.later(HOUR)) == []


def test_sizes_that_changed_while_no_rate_was_known_are_paid_by_their_own_time():
    rig = Hourly()
    rig.now = T0
    rig.fresh()
    rig.carry()
    rig.later(HOUR // 4)
    rig.do(ClosePair(1, D("0.5")))
    rig.later(HOUR // 4)
    rig.say()
    got = rig.paid(rig.later(HOUR // 2))
    assert [(each.share, each.qty) for each in got] == [
        (D("0.25"), D(-1000)),
        (D("0.75"), D(-500)),
    ]


def test_hours_missed_while_closed_come_late_by_the_time_held():
    rig = rig_at(HOUR // 2)
    rig.carry()
    rig.now = T0 + 3 * HOUR + HOUR // 2
    rig.fresh()
    rig.say()
    rows = [(ms(T0 + hours * HOUR), "0.0001") for hours in (0, 1, 2, 3)]
    rig.market.leg(KRAKEN_PERP).funding.learn(FundingHistory(KRAKEN_PERP, rows))
    got = rig.paid(rig.later(0))
    assert [each.settle_ms for each in got] == [row[0] for row in rows[1:]]
    assert [each.share for each in got] == [D("0.5"), D(1), D(1)]
    assert rig.paid(rig.later(S)) == []


def test_a_forced_close_realises_its_own_leg_first():
    rig = rig_at(0)
    rig.do(order("1000", long=KRAKEN_PERP, short=OKX_PERP, leverage="5", plan=FREE))
    rig.later(HOUR // 2)
    rig.market.leg(KRAKEN_PERP).mark = 0.1
    paid, dead = rig.later(S)[:2]
    assert isinstance(dead, Liquidated)
    assert (paid.source, paid.instrument) == ("close", KRAKEN_PERP)
    assert paid.amount < 0  # the long pays


def test_what_funding_takes_from_the_margin_of_a_forced_leg_is_gone_before():
    """Without cash the leg's own margin pays; the other leg keeps all of its own, by both books."""
    rig = rig_at(0)
    rig.do(order("1000", long=KRAKEN_PERP, short=OKX_PERP, leverage="5", plan=FREE))
    rig.later(HOUR // 2)
    long, short = (leg.margin for leg in rig.desk.pairs[1].legs)
    rig.market.leg(KRAKEN_PERP).mark = 0.1
    rig.funds = replace(rig.funds, free=D(0))
    paid, dead = rig.later(S)[:2]
    assert paid.from_margin == -paid.amount > 0
    assert dead.margin == long - paid.from_margin
    assert rig.books.balance("assets:pair:1:margin") == rig.desk.pairs[1].margin == short


def test_two_perpetuals_settle_each_at_its_own_times_and_share():
    """Long Kraken by the hour, short Binance by eight: nothing is netted, nothing is shared."""
    rig = rig_at(7 * HOUR + HOUR // 2)
    rig.say(0.0008, BINANCE_PERP, 8)
    rig.do(order("1000", long=KRAKEN_PERP, short=BINANCE_PERP, plan=FREE))
    got = {each.instrument: each for each in rig.paid(rig.later(HOUR // 2))}
    assert got[KRAKEN_PERP].share == D("0.5")
    assert got[KRAKEN_PERP].amount == -by_hand(1000, "0.5", got[KRAKEN_PERP].fx)
    assert (got[BINANCE_PERP].share, got[BINANCE_PERP].fx) == (1, 1)
    assert got[BINANCE_PERP].amount == 1000 * D("0.3665") * D("0.0008")  # all of it, on the mark
    rig.say()
    rig.say(0.0008, BINANCE_PERP, 8)
    assert [each.instrument for each in rig.paid(rig.later(HOUR))] == [KRAKEN_PERP]


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_however_often_an_hour_is_split_it_pays_one_hour(parts):
    """Each piece is rounded to a billionth of an hour and no more."""
    rig = rig_at(0)
    rig.carry("5000")
    got = []
    for _ in range(parts - 1):
        got += rig.paid(rig.later(HOUR // parts))
        got += rig.paid(rig.do(ClosePair(1, D("0.1"))))
    rig.now = T0 + HOUR - 1
    rig.say()
    got += rig.paid(rig.later(1))
    assert float(sum(each.share for each in got)) == pytest.approx(1.0, abs=1e-8)
    assert all(each.amount == by_hand(-each.qty, each.share, each.fx) for each in got)


def test_a_clock_that_nobody_holds_is_asked_at_its_stamp_and_never_late():
    """What is due is fixed at the stamp; a later holder is not paid for it."""
    rig = rig_at(0)
    rig.later(HOUR + S)
    clock = rig.market.leg(KRAKEN_PERP).funding
    assert not clock.waits(ms(rig.now))
    assert clock.due(ms(rig.now)) == []  # it was handed out, to nobody
    late = Ticker(KRAKEN_PERP, "t", MARK, INDEX, 0.0, 0.01, 1.0, ms(T0 + HOUR), 0.0, ms(T0))
    clock.apply(late, ms(rig.now))  # said before the stamp, heard after it
    rig.carry()
    assert rig.paid(rig.later(S)) == []


def test_only_clocks_with_something_to_say_are_asked(monkeypatch):
    rig = rig_at(0)
    calls = []
    for key in (KRAKEN_PERP, BINANCE_PERP, OKX_PERP):
        clock = rig.market.leg(key).funding
        monkeypatch.setattr(clock, "due", lambda now, due=clock.due: calls.append(now) or due(now))
    for _ in range(50):
        rig.later(S)
    assert calls == []
    rig.later(HOUR)
    assert len(calls) == 1
