"""The cost sheet: what the ticket says before an order is what the order then does."""

import math

import msgspec
import pytest
from trading_rig import (
    PERP,
    PERP_B,
    RICH,
    SPOT,
    T0,
    D,
    Rig,
    S,
    mirrored,
    order,
    settings,
)

from basisdesk.events import Candles, ClosePair, Execution, ExitPlan, Funds


def sheet(rig, request):
    return rig.desk.sheet(request, rig.market, rig.funds, rig.now)


def test_sheet_of_the_ada_example():
    rig = Rig()
    rig.ticker(PERP, 0.3665, 0.0001)
    found = sheet(rig, order(plan=ExitPlan(D(3), D(150), D(72))))
    assert found.refusal is None
    assert (found.spot_qty, found.perp_qty, found.residual_delta) == (D(10000), D(10000), 0)
    assert found.notional == 3640
    assert (found.fee_long_in, found.fee_short_in) == (D("3.64"), D("2.01575"))
    assert (found.fee_long_out, found.fee_short_out) == (D("3.639"), D("2.0163"))
    assert found.fees == D("11.31105")
    assert found.slip_in == found.slip_out == D(1)
    assert found.round_trip == D("13.31105")
    assert found.entry_bp == pytest.approx(68.681, abs=1e-3)
    assert found.exit_bp_now == pytest.approx(1e4 * 27 / 3639, abs=1e-9)
    assert found.capital_used == 3640 + D("1832.5") + D("3.64") + D("2.01575")
    assert found.free_after == rig.funds.free - found.capital_used
    assert found.funding_next == D("0.3665")
    assert found.payments_to_break_even == 37
    assert found.break_even_bp == pytest.approx(found.entry_bp - found.fees_bp)
    assert found.expected_bp == pytest.approx(found.entry_bp - 3 - found.fees_bp)
    assert found.verdict_kind == "go"
    assert found.liq_price == (D(3665) * D("1.5")) / (10000 * D("1.0075"))
    assert "0.75" in found.liq_source


def test_sheet_fees_are_the_fees_then_paid():
    rig = Rig(settings("base"))
    found = sheet(rig, order("5000"))
    opened = rig.open("5000")
    (closed,) = rig.do(ClosePair(1))
    by_leg = [
        sum(f.fee * (f.price if f.fee_currency == "ADA" else 1) for f in out.fills if f.leg == leg)
        for out in (opened, closed)
        for leg in ("long", "short")
    ]
    assert by_leg == [
        found.fee_long_in,
        found.fee_short_in,
        found.fee_long_out,
        found.fee_short_out,
    ]
    assert found.residual_delta == rig.desk.pairs[1].long.entry_qty - D(5) - D(4995)


def test_B1_target_inside_the_cost_zone_is_refused_in_words():
    """The script closed after 2 bp of convergence against 39 bp of cost."""
    rig = Rig()
    found = sheet(rig, order(plan=ExitPlan(D(66), D(150))))
    assert found.verdict_kind == "no"
    assert "inside the cost zone" in found.verdict
    assert "+2.7 bp" in found.verdict
    edge = found.entry_bp - found.fees_bp  # both ends executable: spread and depth are in them
    inside = sheet(rig, order(plan=ExitPlan(D(repr(edge + 0.01)), D(150))))
    outside = sheet(rig, order(plan=ExitPlan(D(repr(edge - 0.01)), D(150))))
    assert (inside.verdict_kind, outside.verdict_kind) == ("no", "go")
    assert inside.expected_bp < 0 < outside.expected_bp


def test_a_target_beyond_fair_value_is_counted_to_fair_value_only():
    """Found by a trader: a target of −200 bp was called worth it at a basis of 14 bp."""
    rig = Rig()
    pair = rig.market.pair(SPOT, PERP)
    pair.beat(rig.now)
    fair = pair.now.fair_bp
    near = sheet(rig, order(plan=ExitPlan(D(repr(round(fair + 5, 2))), D(150))))
    far = sheet(rig, order(plan=ExitPlan(D(-2000), D(150))))
    assert near.verdict_kind == far.verdict_kind == "go"
    assert "beyond fair value" in far.verdict
    assert "beyond fair value" not in near.verdict
    rig.show(PERP, [(0.3645, 1e6)], [(0.3646, 1e6)])  # the basis is at fair value already
    pair.beat(rig.now + 10**9)
    assert sheet(rig, order(plan=ExitPlan(D(-2000), D(150)))).verdict_kind == "no"


def test_B1_reverse_pair_mirrored():
    rig = Rig()
    entry = sheet(rig, mirrored(plan=ExitPlan(D(500), D(-200)))).entry_bp
    near, far = D(repr(entry + 20)), D(repr(entry + 200))
    assert sheet(rig, mirrored(plan=ExitPlan(near, D(-200)))).verdict_kind == "no"
    good = sheet(rig, mirrored(plan=ExitPlan(far, D(-200))))
    assert good.verdict_kind == "go"
    assert good.borrow_8h > 0
    assert good.collateral > 0


def test_thin_when_one_interval_of_funding_would_eat_the_rest():
    rig = Rig()
    rig.ticker(PERP, 0.3665, -0.0010)
    found = sheet(rig, order(plan=ExitPlan(D(30), D(150))))
    assert found.verdict_kind == "thin"
    assert found.funding_next < 0
    assert found.payments_to_break_even is None


def test_B6_thresholds_do_not_depend_on_the_coin():
    """The script's slope limit of 0.0008 quote units blocked BTC always and ADA never."""
    cheap = Rig()
    dear = Rig()
    scale = 200_000
    for key in (SPOT, PERP):
        dear.rules(key, tick=D(20), lot=D("0.00001"), min_qty=D("0.00001"))
        book = cheap.market.leg(key).book
        dear.show(
            key,
            [(p * scale, s / 1000) for p, s in book.bids],
            [(p * scale, s / 1000) for p, s in book.asks],
        )
    plans = [ExitPlan(D(target), D(150)) for target in (66, 40, 30, 3)]
    for plan in plans:
        a, b = sheet(cheap, order("1000", plan=plan)), sheet(dear, order("0.1", plan=plan))
        assert a.verdict_kind == b.verdict_kind
        assert a.round_trip_bp == pytest.approx(b.round_trip_bp)
        assert a.expected_bp == pytest.approx(b.expected_bp)
        losses = [float(each.loss_at_stop / each.notional) for each in (a, b)]
        assert losses[0] == pytest.approx(losses[1])


def test_refused_sheet_still_shows_the_figures_when_there_are_any():
    rig = Rig(funds=Funds(D(100), D(100)))
    found = sheet(rig, order())
    assert found.refusal.limit == "funds"
    assert found.priced
    assert found.free_after < 0
    assert 0 < found.max_qty < 300
    assert found.verdict == found.refusal.text


def test_sheet_without_a_price_says_why():
    rig = Rig()
    rig.market.leg(PERP).book.clear("gap")
    found = sheet(rig, order())
    assert not found.priced
    assert found.refusal.limit == "book"
    assert math.isnan(found.entry_bp)
    assert sheet(rig, order(long="bybit:spot:NOPE")).refusal.limit == "instrument"
    assert sheet(Rig(), order("0")).refusal.limit == "min_qty"
    assert sheet(Rig(), order(leverage="0")).refusal.limit == "leverage"
    assert sheet(Rig(), order(leverage="NaN")).refusal.limit == "leverage"


def test_size_that_cannot_leave_again_is_a_no():
    rig = Rig()
    rig.show(SPOT, [(0.3639, 100.0)], [(0.3640, 1e6)])
    found = sheet(rig, order())
    assert found.refusal is None
    assert (found.verdict_kind, math.isnan(found.exit_bp_now)) == ("no", True)


def test_loss_at_stop_is_widening_and_fees():
    rig = Rig()
    found = sheet(rig, order(plan=ExitPlan(D(3), D(100))))
    widening = 3640 * (100 - found.entry_bp) / 1e4
    assert float(found.loss_at_stop) == pytest.approx(widening + float(found.fees))
    # no candles: 1 % a minute is assumed, and the naked leg of an ADL moves sqrt(10) of that
    assert found.loss_stress == 3640 * D("0.01") * D("3.162278")


def test_stress_is_three_minute_deviations_where_candles_are_known():
    """Sigma of 0.1 % a minute: 0.3 % for one leg, 0.3 % * sqrt(10) for ten naked minutes."""
    rig = Rig()
    rows = [(T0 // 10**6 + i * 60_000, 0.36 * (1.001 if i % 2 else 1.0)) for i in range(60)]
    rig.market.candles[SPOT] = Candles(SPOT, rows)
    found = {each.name: float(each.loss) for each in sheet(rig, order()).stress}
    assert found["one leg"] == pytest.approx(3640 * 0.003, rel=1e-3)
    assert found["adl"] == pytest.approx(3640 * 0.003 * math.sqrt(10), rel=1e-3)
    # the short of 10,000 at 0.3665, 2x: bankrupt at 0.54975, liquidated at 0.54975 / 1.0075
    kept = 10_000 * (0.54975 - 0.54975 / 1.0075)
    assert found["liquidation"] == pytest.approx(kept + 3640 * 0.003, rel=1e-3)
    assert sheet(rig, order()).loss_stress == max(each.loss for each in sheet(rig, order()).stress)
    rig.market.candles[SPOT] = Candles(SPOT, rows[:10])
    assert "assumed" in sheet(rig, order()).stress_note


def test_size_hint_puts_the_account_risk_on_the_worse_loss():
    rig = Rig(funds=Funds(D(100_000), D(10_000)))
    found = sheet(rig, order("1000", plan=ExitPlan(D(3), D(100))))
    worst = max(found.loss_at_stop, found.loss_stress)
    assert float(found.size_hint * worst / 1000) == pytest.approx(200, rel=1e-4)
    assert "200.00 USDT" in found.size_note
    assert sheet(Rig(funds=Funds(D(0), D(0))), order("1000")).size_note == ""


def test_sheet_of_two_perpetuals_shows_the_nearer_liquidation_and_both_fundings():
    rig = Rig()
    rig.show(PERP_B, [(0.3675, 1e6)], [(0.3676, 1e6)])
    rig.ticker(PERP, 0.3666, 0.0001)
    rig.ticker(PERP_B, 0.3675, 0.0003)
    found = sheet(rig, order("1000", long=PERP, short=PERP_B, leverage="4"))
    assert found.funding_next == D("-0.03666") + D("0.11025")
    taker = D("0.00055")  # the short one, on OKX, where the fee to close counts
    assert found.liq_price == D("367.5") * D("1.25") / (1000 * (1 + D("0.0075") + taker))
    assert found.spot_qty == 0
    assert found.borrow_8h == 0


def test_funding_of_the_sheet_is_the_next_stamp():
    rig = Rig()
    rig.ticker(PERP, 0.3665, 0.0001)
    assert sheet(rig, order()).funding_next_ms == T0 // 10**6 + 8 * 3_600_000
    rig.now += S
    rig.fresh()
    assert sheet(Rig(), order()).funding_next_ms == 0


def test_a_passive_leg_is_counted_as_a_maker_at_its_own_best_price():
    """Found by a trader: the sheet of a passive order was a taker's."""
    rig = Rig()
    taker = rig.desk.sheet(order("1000"), rig.market, RICH, rig.now)
    passive = msgspec.structs.replace(
        order("1000"), how=Execution("passive", passive_leg="short", pay_up=5)
    )
    sheet = rig.desk.sheet(passive, rig.market, RICH, rig.now)
    assert sheet.fee_short_in == D(1000) * D("0.3666") * D("0.0002")
    assert sheet.fee_long_in == taker.fee_long_in
    assert taker.slip_in - sheet.slip_in == D(1000) * D("0.0001")  # the spread earned, not paid
    assert sheet.entry_bp > taker.entry_bp
    assert sheet.capital_used == taker.capital_used
