"""Entries: fills at displayed prices, and every refusal by its name."""

import random

import pytest
from trading_rig import (
    FREE,
    PERP,
    PERP_B,
    PLAN,
    SPOT,
    T0,
    D,
    Rig,
    S,
    mirrored,
    order,
    perp_rules,
    settings,
    spot_rules,
)

from basisdesk.events import ClosePair, ExitPlan, Flatten, Funds, Halt, PairOpened, Refused, Resume
from basisdesk.trading.words import plain


def refused(outcomes, limit):
    (no,) = outcomes
    assert isinstance(no, Refused), no
    assert no.limit == limit, no
    assert no.text
    assert no.text.endswith(".")
    assert no.command
    assert "-" not in no.text.replace("resend", ""), "figures use the true minus"
    return no


def test_ada_example_fills_at_the_displayed_prices():
    rig = Rig()
    opened = rig.open(plan=FREE)
    assert [(f.leg, f.side, f.qty, f.price, f.fee) for f in opened.fills] == [
        ("long", "buy", D(10000), D("0.3640"), D("3.64")),
        ("short", "sell", D(10000), D("0.3665"), D("2.01575")),
    ]
    assert opened.margin == D("1832.5")
    assert opened.collateral == 0
    assert (opened.long_mid, opened.short_mid) == (D("0.36395"), D("0.36655"))
    rig.now += S
    rig.show(SPOT, [(0.3650, 1e6)], [(0.3651, 1e6)])
    rig.show(PERP, [(0.3650, 1e6)], [(0.3651, 1e6)])
    (closed,) = rig.do(ClosePair(1))
    assert closed.closed
    assert [(f.leg, f.side, f.qty, f.price, f.fee) for f in closed.fills] == [
        ("long", "sell", D(10000), D("0.3650"), D("3.65")),
        ("short", "buy", D(10000), D("0.3651"), D("2.00805")),
    ]
    assert closed.margin == D("1832.5")
    fees = sum(f.fee for f in opened.fills + closed.fills)
    assert fees == D("11.3138")
    assert rig.desk.pairs[1].state == "closed"


def test_one_fill_a_level_each_at_its_displayed_price():
    rig = Rig()
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 4000.0), (0.3641, 5000.0), (0.3645, 9000.0)])
    opened = rig.open()
    spot = [(f.qty, f.price) for f in opened.fills if f.leg == "long"]
    assert spot == [(D(4000), D("0.3640")), (D(5000), D("0.3641")), (D(1000), D("0.3645"))]
    assert {f.qty for f in opened.fills if f.leg == "short"} == {D(10000)}


def test_spot_fee_in_coins_shrinks_the_hedge_to_what_can_be_sold_again():
    rig = Rig(settings("base"))
    opened = rig.open("1234.56")
    spot, perp = opened.fills
    assert (spot.fee, spot.fee_currency) == (D("1.23456"), "ADA")
    assert spot.dust == D("1234.56") - D("1.23456") - D("1233.32")
    assert perp.qty == D(1233)
    position = rig.desk.pairs[1]
    assert position.long.qty == D("1233.32")
    assert position.delta == D("0.32")
    (closed,) = rig.do(ClosePair(1))
    assert closed.closed
    assert position.delta == position.long.qty == 0


def test_dust_larger_than_the_last_fill_stands_on_the_largest():
    rig = Rig(settings("base"))
    rig.rules(SPOT, lot=D(1), min_qty=D(1))
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1000.0), (0.3641, 1.0)])
    opened = rig.open("1001")
    spot = [f for f in opened.fills if f.leg == "long"]
    assert [f.dust for f in spot] == [D("0.999"), 0]
    assert rig.desk.pairs[1].long.qty == 999


def test_reverse_pair_borrows_and_buys_back_what_it_owes():
    rig = Rig(settings("base"))
    (opened,) = rig.do(mirrored("1000"))
    assert [(f.leg, f.side, f.qty) for f in opened.fills] == [
        ("long", "buy", D(1000)),
        ("short", "sell", D(1000)),
    ]
    assert opened.collateral == D("181.95")
    position = rig.desk.pairs[1]
    assert (position.direction, position.short.qty, position.delta) == (-1, D(-1000), 0)
    half, rest = rig.do(ClosePair(1, D("0.5")))[-1], rig.do(ClosePair(1))[-1]
    for closed, owed in ((half, D(500)), (rest, D(500))):
        buys = [f for f in closed.fills if f.leg == "short"]
        came = sum(f.qty - f.fee for f in buys)
        assert came - sum(f.dust for f in buys) == owed
        assert 0 <= came - owed < D("0.01")
    assert half.collateral + rest.collateral == opened.collateral
    assert half.margin + rest.margin == opened.margin
    assert position.state == "closed"


def test_two_perpetuals_make_a_pair():
    rig = Rig()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    (opened,) = rig.do(order("1000", long=PERP, short=PERP_B))
    assert opened.margin == D("183.3") + D("183.75")
    assert rig.desk.pairs[1].entry_bp == pytest.approx(1e4 * (0.3675 - 0.3666) / 0.3666)


def test_latency_lets_the_book_move_before_the_fill():
    rig = Rig(settings(latency_ms=80))
    assert rig.do(order()) == []
    assert rig.desk.next_due_ns == T0 + 80_000_000
    rig.now += 50_000_000
    rig.show(SPOT, [(0.3640, 1e6)], [(0.3643, 1e6)])
    assert rig.later(0) == []
    (opened,) = rig.later(30_000_000)
    assert isinstance(opened, PairOpened)
    assert opened.fills[0].price == D("0.3643")
    assert rig.desk.pending == []


def test_jitter_is_a_fixed_law_within_its_bounds():
    first, again = (Rig(settings(latency_ms=80, jitter_ms=40)) for _ in range(2))
    for rig in (first, again):
        rig.do(order())
    assert first.desk.next_due_ns == again.desk.next_due_ns
    assert T0 + 80_000_000 <= first.desk.next_due_ns < T0 + 120_000_000


def test_depth_that_fell_while_the_order_travelled_fills_what_is_left_of_it():
    rig = Rig(settings(latency_ms=80))
    rig.do(order())
    rig.now += S // 10
    rig.show(PERP, [(0.3665, 9999.0)], [(0.3666, 1e6)])
    (opened,) = rig.later(0)
    assert {f.leg: f.qty for f in opened.fills} == {"long": D(10000), "short": D(9999)}
    assert (opened.step, rig.desk.pairs[1].state) == (1, "open")  # a lot is no exposure
    assert rig.desk.pending == []


def test_depth_that_was_eaten_while_the_order_travelled_books_nothing():
    rig = Rig(settings(latency_ms=80))
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 10000.0)])
    rig.show(PERP_B, [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.do(order())
    rig.do(order(short=PERP_B))
    (first,) = rig.later(S // 10)
    assert first.pair == 1
    (second, said) = rig.later(0)  # the spot depth is gone, the other perpetual's is not
    assert [f.leg for f in second.fills] == ["short"]
    assert (said.leg, said.limit) == ("long", "depth")
    assert rig.desk.pairs[2].state == "unhedged"


def test_both_books_lost_while_the_order_travelled_books_nothing():
    rig = Rig(settings(latency_ms=80))
    rig.do(order())
    for key in (SPOT, PERP):
        rig.market.leg(key).book.clear("gap")
    refused(rig.later(S // 10), "book")
    assert rig.desk.pairs == {}


def test_quotes_that_went_stale_while_the_order_travelled_book_nothing():
    rig = Rig(settings(latency_ms=3_000))
    rig.do(order())
    refused(rig.later(3 * S, fresh=False), "quote_age")


def test_halt_while_the_order_travels_stops_it():
    rig = Rig(settings(latency_ms=80))
    rig.do(order())
    rig.do(Halt())
    refused(rig.later(S // 10), "halted")


def test_entries_due_together_fill_one_after_the_other_and_never_overspend():
    rig = Rig(settings(latency_ms=80, reserve=0), funds=Funds(D(6_000), D(6_000)))
    rig.show(PERP_B, [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.do(order("10000"))
    refused(rig.do(order("10000", short=PERP_B)), "funds")
    rig.do(order("500", short=PERP_B))
    (one,) = rig.later(S // 10)
    rig.funds = Funds(rig.funds.free - 5480, rig.funds.equity)
    (two,) = rig.later(0)
    assert (one.pair, two.pair) == (1, 2)


def test_unknown_instrument_is_refused():
    no = refused(Rig().do(order(long="bybit:spot:NOPEUSDT")), "instrument")
    assert "Bybit spot NOPEUSDT" in no.text
    refused(Rig().do(order(long="nonsense")), "instrument")


def test_two_spot_legs_are_refused():
    rig = Rig()
    other = spot_rules(key="okx:spot:ADA-USDT", venue="okx")
    rig.market.instruments[other.key] = other
    refused(rig.do(order(short=other.key)), "legs")


def test_one_instrument_twice_is_refused():
    refused(Rig().do(order(long=PERP, short=PERP)), "legs")


def test_two_coins_are_refused():
    rig = Rig()
    rig.market.instruments["bybit:perp:BTCUSDT"] = perp_rules(key="bybit:perp:BTCUSDT", base="BTC")
    refused(rig.do(order(short="bybit:perp:BTCUSDT")), "legs")


def test_a_currency_that_is_no_dollar_is_refused():
    rig = Rig()
    rig.rules(SPOT, quote="EUR")
    refused(rig.do(order()), "legs")


@pytest.mark.parametrize("qty", ["0", "-5", "NaN", "Infinity"])
def test_no_size_is_refused(qty):
    refused(Rig().do(order(qty)), "min_qty")


def test_absurd_size_is_refused():
    refused(Rig().do(order("1e40")), "max_qty")


def test_broken_lot_is_refused_with_the_nearest():
    no = refused(Rig().do(order("100.005")), "lot")
    assert no.allowed == "100"
    rig = Rig()
    no = refused(rig.do(mirrored("10.7")), "lot")
    assert no.allowed == "11"


def test_size_below_minimum_is_refused():
    rig = Rig()
    rig.rules(SPOT, min_qty=D(50))
    no = refused(rig.do(order("49")), "min_qty")
    assert no.allowed == "50"


def test_notional_below_minimum_is_refused_with_a_size_that_is_not():
    rig = Rig()
    no = refused(rig.do(order("13")), "min_notional")
    assert isinstance(rig.open(no.allowed), PairOpened)


def test_hedge_below_its_lot_is_refused():
    rig = Rig()
    rig.rules(PERP, lot=D(1000), min_qty=D(1000))
    refused(rig.do(order("400")), "min_qty")


def test_size_above_the_venues_largest_order_is_refused():
    rig = Rig()
    rig.rules(PERP, max_qty=D(9_000))
    refused(rig.do(order()), "max_qty")


def test_size_above_displayed_depth_is_refused():
    rig = Rig()
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 4000.0), (0.3641, 5000.0)])
    no = refused(rig.do(order()), "depth")
    assert (no.asked, no.allowed) == ("10000", "9000")


def test_size_above_funds_is_refused_with_the_largest():
    rig = Rig(funds=Funds(D(5_000), D(5_000)))
    no = refused(rig.do(order()), "funds")
    most = rig.desk.max_qty(order(), rig.market, rig.funds)
    assert plain(most) in no.text
    assert "250.00 USDT of reserve kept" in no.text
    assert isinstance(rig.open(str(most)), PairOpened)


@pytest.mark.parametrize("leverage", ["0.5", "5.01", "20", "-1", "NaN", "0"])
def test_leverage_outside_one_to_five_is_refused(leverage):
    refused(Rig().do(order(leverage=leverage)), "leverage")


def test_leverage_above_the_venue_or_its_tier_is_refused():
    rig = Rig()
    rig.rules(PERP, leverage_max=D(3))
    refused(rig.do(order(leverage="4")), "leverage")
    rig.rules(PERP, leverage_max=D(75), tiers=())
    assert isinstance(rig.open(leverage="4"), PairOpened)


def test_missing_quote_is_refused():
    rig = Rig()
    rig.market.leg(PERP).clear_quote()
    no = refused(rig.do(order()), "quote_age")
    assert "Waiting for Bybit" in no.text


def test_stale_quote_is_refused_without_any_sample_of_the_pair():
    rig = Rig()
    rig.now += int(4.2 * S)
    rig.market.leg(SPOT).quote_ns = rig.now
    no = refused(rig.do(order()), "quote_age")
    assert no.text == "Perp quote is 4.2 s old (limit 2 s). Waiting for Bybit."
    assert not rig.market.pairs


def test_skewed_legs_are_refused():
    rig = Rig()
    rig.now += int(0.6 * S)
    rig.market.leg(SPOT).quote_ns = rig.now
    refused(rig.do(order()), "leg_skew")


def test_book_that_is_not_whole_is_refused():
    rig = Rig()
    rig.market.leg(PERP).book.clear("gap")
    refused(rig.do(order()), "book")


def test_halted_desk_refuses_entries_only():
    rig = Rig()
    rig.open("100")
    rig.do(Halt("lunch"))
    no = refused(rig.do(order()), "halted")
    assert "lunch" in no.text
    assert rig.do(ClosePair(1))[0].closed
    rig.do(Resume())
    assert isinstance(rig.open("100"), PairOpened)


def test_second_order_for_the_same_legs_is_refused_while_one_travels():
    rig = Rig(settings(latency_ms=80))
    rig.do(order())
    refused(rig.do(order()), "pending")
    rig.later(S)
    assert rig.do(ClosePair(1)) == []
    refused(rig.do(ClosePair(1)), "pending")


def test_too_many_pairs_are_refused():
    rig = Rig(settings(pairs_max=2))
    rig.open("100")
    rig.open("100")
    refused(rig.do(order("100")), "pairs_max")


@pytest.mark.parametrize(
    "plan",
    [
        ExitPlan(D(10), D(5)),
        ExitPlan(D("NaN"), D(5)),
        ExitPlan(D(1), D(5), D(0)),
        ExitPlan(D(1), D("1e999999")),
    ],
)
def test_plan_that_cannot_be_meant_is_refused(plan):
    refused(Rig().do(order(plan=plan)), "exit_plan")


def test_plan_of_the_reverse_pair_is_mirrored():
    refused(Rig().do(mirrored(plan=ExitPlan(D(10), D(50)))), "exit_plan")
    (opened,) = Rig().do(mirrored(plan=ExitPlan(D(90), D(10))))
    assert isinstance(opened, PairOpened)


def test_a_sector_rule_that_speaks_against_the_pair_already_is_refused():
    rig = Rig()
    plan = ExitPlan(D(3), D(150), sector=True)
    rig.market.sectors["ADA"] = "against"
    refused(rig.do(order(plan=plan)), "exit_plan")
    sheet = rig.desk.sheet(order(plan=plan), rig.market, rig.funds, rig.now)
    assert "sector signal of ADA" in sheet.refusal.text
    rig.market.sectors["ADA"] = "for"
    assert isinstance(rig.open(plan=plan), PairOpened)


def test_ticket_and_command_ask_for_target_and_stop():
    rig = Rig()
    sheet = rig.desk.sheet(order(plan=ExitPlan()), rig.market, rig.funds, rig.now)
    assert sheet.refusal.limit == "exit_plan"
    assert sheet.verdict_kind == "no"
    half = rig.desk.sheet(order(plan=ExitPlan(D(3))), rig.market, rig.funds, rig.now)
    assert "stop" in half.refusal.text
    for plan in (ExitPlan(), ExitPlan(D(3)), ExitPlan(net_target=D(5)), ExitPlan(stop_bp=D(150))):
        refused(rig.do(order(plan=plan)), "exit_plan")
    assert isinstance(rig.open(plan=ExitPlan(stop_bp=D(150), net_target=D(5))), PairOpened)


def test_flatten_withdraws_entries_and_closes_everything():
    rig = Rig(settings(latency_ms=80))
    rig.do(order("100"))
    rig.later(S)
    rig.do(order("200"))
    refused(rig.do(Flatten()), "flatten")
    (closed,) = rig.later(S)
    assert (closed.pair, closed.reason, closed.closed) == (1, "flatten", True)
    assert rig.desk.pending == []


def test_A11_the_largest_size_is_never_refused():
    """27 % of the script's all-in entries were refused for 1e-14 USDT."""
    rng = random.Random(11)
    asked = 0
    for _ in range(2_000):
        rig = Rig(settings(rng.choice(["base", "quote"])))
        mid = 10 ** rng.uniform(-3, 5)
        tick = D(1).scaleb(D(repr(mid)).adjusted() - 4)
        for key, lot in ((SPOT, D("0.000001")), (PERP, D(1).scaleb(-rng.randint(0, 5)))):
            rig.rules(key, tick=tick, lot=lot, min_qty=lot, min_notional=D(0))
        for key, shift in ((SPOT, 1.0), (PERP, 1.002)):
            top = mid * shift
            step = float(tick)
            bids = [(round(top / step - i) * step, rng.uniform(1, 1e4) / mid) for i in range(1, 4)]
            asks = [(round(top / step + i) * step, rng.uniform(1, 1e4) / mid) for i in range(1, 4)]
            rig.show(key, bids, asks)
        balance = D(repr(round(10 ** rng.uniform(1.5, 5), 8)))
        rig.funds = Funds(balance, balance)
        ask = order("1", leverage=str(rng.randint(1, 5)), plan=PLAN)
        if rng.random() < 0.3:
            ask = mirrored("1", leverage=str(rng.randint(1, 5)))
        most = rig.desk.max_qty(ask, rig.market, rig.funds)
        if not most:
            continue
        asked += 1
        command = order(str(most), ask.long, ask.short, str(ask.leverage), ask.exit)
        (outcome,) = rig.do(command)
        assert isinstance(outcome, PairOpened), outcome
    assert asked > 1_500


def test_a_plan_that_is_reached_already_is_refused_with_the_basis_it_met():
    """Found by trading: a stop left over from a calmer market closed a fresh pair in one second."""
    rig = Rig()
    leave = rig.desk.sheet(order(), rig.market, rig.funds, rig.now).exit_bp_now
    stop = D(repr(round(leave - 1, 1)))
    refused(rig.do(order(plan=ExitPlan(D(3), stop))), "exit_plan")
    target = D(repr(round(leave + 1, 1)))
    refused(rig.do(order(plan=ExitPlan(target, D(300)))), "exit_plan")
    sheet = rig.desk.sheet(order(plan=ExitPlan(D(3), stop)), rig.market, rig.funds, rig.now)
    assert "reached already" in sheet.refusal.text
    assert isinstance(rig.open(plan=ExitPlan(D(3), stop + 10)), PairOpened)
