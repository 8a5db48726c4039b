"""Legs in dollars: the ticket says what the conversion costs, the fill and the ledger agree."""

import decimal
import random

import pytest
from cross_rig import (
    BINANCE_PERP,
    KRAKEN_PERP,
    KRAKEN_SPOT,
    OKX_PERP,
    USDT_USD,
    CrossRig,
    venue_settings,
)
from trading_rig import FREE, HOUR, SPOT, D, S, order

from basisdesk.config import Risk
from basisdesk.events import (
    BorrowCharged,
    ClosePair,
    ExitPlan,
    Liquidated,
    PairOpened,
    PairReduced,
    Refused,
)
from basisdesk.trading.cross import cross_of, exact_rate, mid_rate
from basisdesk.trading.desk import Desk
from basisdesk.trading.sentences import describe

BID, ASK, MID = (D(1) / D(rate) for rate in ("0.9998", "0.9996", "0.9997"))


def rate(value):
    return D(float(value)).quantize(D("1e-8"))


def carry(qty="1000", **changes):
    """Kraken spot in dollars against Binance's perpetual in USDT."""
    return order(qty, long=KRAKEN_SPOT, short=BINANCE_PERP, **{"plan": FREE} | changes)


def test_a_cross_rate_is_eight_decimals_and_costs_its_spread():
    rig = CrossRig()
    cross = cross_of(rig.market, "USD", "USDT", rig.now)
    assert (cross.bid, cross.ask, cross.mid) == (rate(BID), rate(ASK), rate(MID))
    assert cross.paid("spot", "buy") == cross.ask > cross.mid > cross.bid
    assert cross.paid("spot", "sell") == cross.bid
    assert cross.paid("perp", "buy") == cross.paid("perp", "sell") == cross.mid
    assert cross_of(rig.market, "USDT", "USDT", rig.now).ask == 1
    assert exact_rate(float("nan")) == exact_rate(-1.0) == 0


def test_what_the_ticket_says_is_what_the_fills_then_cost():
    rig = CrossRig()
    sheet = rig.sheet(carry(plan=ExitPlan()))
    assert sheet.refusal.limit == "exit_plan"  # without a plan the figures stand all the same
    assert sheet.currency == "USDT"
    (entry,) = rig.do(carry())
    (leave,) = rig.do(ClosePair(1))
    with decimal.localcontext(prec=64):
        spent = rig.books.start - rig.books.funds({}).free
        assert sheet.round_trip == spent
        got = rig.books.attribution(1)
        assert sheet.fees == -got.fees
        conversion = sheet.conversion_in + sheet.conversion_out
        assert sheet.slip_in + sheet.slip_out + conversion == -got.slippage
        assert got.basis == got.residual == 0
        by_hand = [
            sum(f.qty * f.price * abs(f.fx - out.long_fx) for f in out.fills if f.leg == "long")
            for out in (entry, leave)
        ]
        assert [sheet.conversion_in, sheet.conversion_out] == by_hand
        assert min(by_hand) > 0
        assert sheet.capital_used == sum(
            f.qty * f.price * f.fx + f.fee * f.fx for f in entry.fills if f.leg == "long"
        ) + entry.margin + sum(f.fee for f in entry.fills if f.leg == "short")
    assert {f.fx for f in entry.fills} == {rate(ASK), D(1)}
    assert {f.fx for f in leave.fills} == {rate(BID), D(1)}
    assert {f.fee_currency for f in entry.fills} == {"USD", "USDT"}
    assert (entry.long_fx, entry.short_fx) == (rate(MID), 1)
    assert float(sheet.conversion_bp) == pytest.approx(2.0, abs=0.01)  # a tick of USDT/USD
    assert sheet.break_even_bp == pytest.approx(
        sheet.entry_bp - sheet.fees_bp - sheet.conversion_bp
    )


def test_the_basis_of_ticket_position_and_exit_is_at_the_middle_of_the_cross_rate():
    rig = CrossRig()
    rig.show(KRAKEN_SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    rig.show(BINANCE_PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    sheet = rig.sheet(carry())
    rig.do(carry())
    position = rig.desk.pairs[1]
    expected = (0.3665 / (0.3640 / 0.9997) - 1) * 1e4
    assert sheet.entry_bp == pytest.approx(expected, abs=1e-4)
    assert position.entry_bp == pytest.approx(expected, abs=1e-4)
    close = (0.3666 / (0.3639 / 0.9997) - 1) * 1e4
    assert rig.desk.close_bp(1, rig.market, rig.now) == pytest.approx(close, abs=1e-4)
    rig.do(ClosePair(1))
    assert position.exit_bp == pytest.approx(close, abs=1e-4)


def test_the_whole_account_buys_what_it_can_and_never_more():
    rig = CrossRig(1_000)
    with decimal.localcontext(prec=64):
        most = rig.desk.max_qty(carry(), rig.market, rig.funds, rig.now)
    (no,) = rig.do(carry(str(most + D("0.1"))))
    assert (no.limit, "USDT" in no.text, "USD," in no.text) == ("funds", True, False)
    (entry,) = rig.do(carry(str(most)))
    assert isinstance(entry, PairOpened)
    assert 0 <= rig.books.balance("assets:cash") < 1


@pytest.mark.parametrize("state", ["missing", "stale"])
def test_without_a_usable_cross_rate_nothing_is_traded(state):
    rig = CrossRig()
    rig.do(carry())
    if state == "missing":
        rig.market.leg(USDT_USD).clear_quote()
    else:
        rig.later(60 * S, fresh=False)
        for key, leg in rig.market.legs.items():
            leg.quote_ns = rig.now if key != USDT_USD else leg.quote_ns
    said = rig.market.fx("USD", rig.now).stale
    for command in (carry("500", leverage="3"), ClosePair(1)):
        (no,) = rig.do(command)
        assert isinstance(no, Refused)
        assert (no.limit, no.text) == ("cross", said)
        assert no.text
    assert rig.sheet(carry()).refusal.limit == "cross"
    with decimal.localcontext(prec=64):
        assert rig.desk.max_qty(carry(), rig.market, rig.funds, rig.now) == 0
    assert rig.desk.close_bp(1, rig.market, rig.now) != rig.desk.close_bp(1, rig.market, rig.now)


def test_what_is_held_is_valued_at_the_last_rate_where_there_is_none_now():
    rig = CrossRig()
    assert mid_rate(rig.market, "USD", "USDT", rig.now, D(7)) == rate(MID)
    rig.market.leg(USDT_USD).clear_quote()
    assert mid_rate(rig.market, "USD", "USDT", rig.now, D(7)) == 7
    assert mid_rate(rig.market, "USDT", "USDT", rig.now, D(7)) == 1


def test_a_plan_waits_for_the_cross_rate_and_then_leaves():
    rig = CrossRig()
    rig.do(carry(plan=ExitPlan(D(500), D(900))))  # reached by far: the check is of the ticket's
    assert not rig.desk.pairs  # refused: it would leave at once
    rig.do(carry(plan=ExitPlan(D(60), D(900))))
    rig.show(BINANCE_PERP, [(0.3639, 1e6)], [(0.3640, 1e6)])
    rig.later(S // 10, fresh=False)
    assert rig.desk.pairs[1].close_reason == "target"
    twin = CrossRig()
    twin.do(carry(plan=ExitPlan(D(60), D(900))))
    twin.market.leg(USDT_USD).clear_quote()
    twin.show(BINANCE_PERP, [(0.3639, 1e6)], [(0.3640, 1e6)])
    assert twin.later(S // 10) == []
    twin.show(USDT_USD, [(0.9996, 1e6)], [(0.9998, 1e6)])
    (left,) = twin.later(S)
    assert isinstance(left, PairReduced)


@pytest.mark.parametrize(
    ("long", "short", "limit"),
    [
        (SPOT, KRAKEN_PERP, None),
        (KRAKEN_PERP, SPOT, None),
        (KRAKEN_SPOT, KRAKEN_PERP, None),
        (KRAKEN_PERP, KRAKEN_SPOT, None),
        (OKX_PERP, KRAKEN_PERP, None),
        (BINANCE_PERP, OKX_PERP, None),
        (KRAKEN_SPOT, SPOT, "legs"),
        (KRAKEN_PERP, KRAKEN_PERP, "legs"),
    ],
)
def test_any_leg_pairs_with_any_other_of_its_coin(long, short, limit):
    rig = CrossRig()
    (outcome,) = [
        each
        for each in rig.do(order("1000", long=long, short=short, plan=FREE))
        if not isinstance(each, BorrowCharged)
    ]
    if limit is not None:
        assert outcome.limit == limit
        return
    assert isinstance(outcome, PairOpened)
    left = rig.do(ClosePair(1))
    assert left[-1].closed
    assert rig.books.funds({}).free == rig.books.funds({}).equity
    assert rig.books.attribution(1).total == rig.books.funds({}).free - rig.books.start


@pytest.mark.parametrize("factor", [1000.0, 0.001, 1.26, 0.79])
def test_trap_37_a_price_of_another_unit_is_no_leg_of_the_pair(factor):
    rig = CrossRig()
    tops = [(0.3665 * factor, 1e7)], [(0.3666 * factor, 1e7)]
    rig.show(BINANCE_PERP, *tops)
    (no,) = rig.do(carry())
    assert no.limit == "ratio"
    assert rig.sheet(carry()).refusal.limit == "ratio"
    assert "Binance perp ADAUSDT stands at" in no.text


def test_two_coins_are_no_pair_whatever_their_currency():
    rig = CrossRig()
    rig.rules(KRAKEN_SPOT, base="BTC")
    assert rig.do(carry())[0].limit == "legs"


def test_interest_on_coins_sold_for_dollars_is_in_account_currency():
    rig = CrossRig()
    rig.do(order("1000", long=BINANCE_PERP, short=KRAKEN_SPOT, plan=FREE))
    (charged,) = [each for each in rig.later(S) if isinstance(each, BorrowCharged)]
    assert charged.fx == rate(MID)
    assert charged.price == D("0.36395")
    assert charged.amount == 1000 * D("0.36395") * D("0.00005") * rate(MID)


def test_two_perpetuals_have_a_margin_each_and_one_death_leaves_the_other_its_own():
    rig = CrossRig()
    (entry,) = rig.do(order("1000", long=KRAKEN_PERP, short=OKX_PERP, leverage="5", plan=FREE))
    position = rig.desk.pairs[1]
    of_long, of_short = position.long.margin, position.short.margin
    assert of_long == (D("366.6") * rate(MID) / 5).quantize(D("1e-8"), "ROUND_CEILING")
    assert of_short == D("367.5") / 5
    assert entry.margin == position.margin == of_long + of_short
    names = [key for key, _ in rig.desk.gauge(1, rig.market, rig.now)]
    assert names == [KRAKEN_PERP, OKX_PERP]
    rig.ticker(OKX_PERP, 0.6)
    dead = next(each for each in rig.later(S) if isinstance(each, Liquidated))
    assert (dead.instrument, dead.margin, dead.closed) == (OKX_PERP, of_short, False)
    assert position.margin == of_long == rig.books.balance("assets:pair:1:margin")
    assert [key for key, _ in rig.desk.gauge(1, rig.market)] == [KRAKEN_PERP]
    assert "The other leg is naked" in describe(dead)


def test_the_survivor_of_two_perpetuals_can_die_as_well():
    rig = CrossRig()
    rig.do(order("1000", long=KRAKEN_PERP, short=OKX_PERP, leverage="5", plan=FREE))
    for key in (KRAKEN_PERP, OKX_PERP):
        rig.market.leg(key).clear_quote()  # so that the desk cannot close what is left
    rig.ticker(OKX_PERP, 0.6)
    rig.ticker(KRAKEN_PERP, 0.2)
    first = rig.later(S)
    second = [each for each in rig.later(S) if isinstance(each, Liquidated)]
    assert [each.closed for each in (*first[-1:], *second)] == [False, True]
    assert rig.desk.pairs[1].state == "closed"
    assert rig.books.balance("assets:pair:1:margin") == 0
    assert rig.books.attribution(1).total == rig.books.funds({}).free - rig.books.start


def test_margin_in_usdt_is_worth_less_dollars_when_the_dollar_rises():
    rig = CrossRig()
    rig.do(order("1000", long=SPOT, short=KRAKEN_PERP, leverage="5", plan=FREE))
    rig.ticker(KRAKEN_PERP, 0.3666)
    ((_, before),) = rig.desk.gauge(1, rig.market, rig.now)
    rig.show(USDT_USD, [(0.9796, 1e6)], [(0.9798, 1e6)])
    ((_, after),) = rig.desk.gauge(1, rig.market, rig.now)
    assert after.price < before.price  # a short dies earlier


def test_a_restart_folds_currencies_to_the_same_state():
    rig = CrossRig()
    rig.do(carry())
    rig.do(order("700", long=KRAKEN_PERP, short=OKX_PERP, plan=FREE))
    rig.show(USDT_USD, [(0.9990, 1e6)], [(0.9991, 1e6)])
    rig.do(ClosePair(1, D("0.4")))
    rig.do(ClosePair(2, D("0.3")))
    twin = Desk(rig.settings)
    for outcome in rig.log:
        twin.apply(outcome)
    assert twin.pairs == rig.desk.pairs
    for number in (1, 2):
        held = rig.books.balance(f"assets:pair:{number}:margin")
        assert held == twin.pairs[number].margin


def test_sentences_name_the_venues_and_the_rates():
    rig = CrossRig()
    (entry,) = rig.do(carry())
    said = describe(entry)
    assert "Kraken spot ADA/USD" in said
    assert f"USD at {rate(ASK)} USDT" in said
    (other,) = rig.do(order("1000", long=BINANCE_PERP, short=OKX_PERP, plan=FREE))
    assert "OKX perp ADA-USDT-SWAP" in describe(other)
    assert " at " not in describe(other)


@pytest.mark.parametrize("seed", range(4))
def test_no_sequence_in_any_currency_breaks_the_ledger(seed):
    rng = random.Random(seed)
    conf = venue_settings(risk=Risk(leg_skew_ms_max=60_000))
    rig, mid, counts = CrossRig(50_000, conf), 0.36, {}
    keys = (SPOT, KRAKEN_SPOT, KRAKEN_PERP, BINANCE_PERP, OKX_PERP)
    cross = 0.9997
    for step in range(160):
        mid *= 1 + rng.gauss(0, 0.03)
        cross += rng.gauss(0, 0.002)
        rig.now += S // 5
        rig.show(USDT_USD, [(cross - 0.0001, 1e6)], [(cross + 0.0001, 1e6)])
        for key in keys:
            at = mid * (1 + rng.gauss(0, 0.001))
            tops = [[(round(at + side * (i + 1) * 1e-4, 4), rng.uniform(50, 5000))
                     for i in range(8)] for side in (-1, 1)]  # fmt: skip
            rig.show(key, *tops)
            if ":perp:" in key:
                rig.ticker(key, at, rng.gauss(0, 3e-4), (rig.now // HOUR + 1) * 3_600_000)
        outcomes = _act(rig, rng, keys)
        for outcome in outcomes:
            name = type(outcome).__name__
            counts[name] = counts.get(name, 0) + 1
        for position in rig.desk.pairs.values():
            lots = rig.books.lots(position.pair).legs
            assert [lots["long"].qty, -lots["short"].qty] == [leg.qty for leg in position.legs]
            if step % 10 == 0:
                rig.books.attribution(position.pair)
    with decimal.localcontext(prec=64):
        earned = sum((rig.books.attribution(n).total for n in rig.books.pairs), D(0))
        assert rig.books.funds({}).equity - rig.books.start == earned
    assert counts["PairOpened"] > 8
    assert counts["PairReduced"] > 8
    assert counts["FundingSettled"] > 20


def _act(rig, rng, keys):
    pick = rng.random()
    if pick < 0.3:
        long, short = rng.sample(keys, 2)
        size, leverage = str(rng.randint(10, 6000)), str(rng.randint(1, 5))
        return rig.do(order(size, long=long, short=short, leverage=leverage, plan=FREE))
    if pick < 0.6 and rig.desk.pairs:
        fraction = D(rng.choice(["1", "0.5", "0.333"]))
        return rig.do(ClosePair(rng.choice(list(rig.desk.pairs)), fraction))
    return rig.later(rng.choice([S // 10, HOUR // 3, HOUR]))
