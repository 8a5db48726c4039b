"""The suggested size: each line with its figure, and which one binds."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from quant_rig import PERP, SPOT, D, Quant, funds, priced, settings

from basisdesk.config import Fees
from basisdesk.events import Candles, ExitPlan, Funds, OpenPair
from basisdesk.trading.advice import advice
from basisdesk.trading.passage import Reversion


def order(qty="1000", plan=None, leverage="3", long=SPOT, short=PERP):
    return OpenPair(long, short, D(qty), D(leverage), plan or ExitPlan(D(3), D(150)))


def lines(found):
    return {line.name: line for line in found.lines}


def shaken(rig, sigma):
    """Four hours of minutes whose returns are +-sigma in turn, seen on the spot leg."""
    rows = [(i * 60_000, 0.364 * (1 + sigma * (i % 2))) for i in range(241)]
    rig.market.candles[SPOT] = Candles(SPOT, rows)


# --- quant.md 2.32 --------------------------------------------------------------------------------


def calm(stop_cost_bp=31.0, **risk):
    """One coin costs 1 and the perp 1.0030; a round trip of fees is 31 bp of the notional."""
    fee = stop_cost_bp / 4e4
    fees = Fees(spot_taker=fee, perp_taker=fee, spot_buy_fee_in="quote")
    rig = Quant(settings(fees=fees, **risk))
    for key in (SPOT, PERP):
        rig.rules(key, tick=D("0.000001"))
    rig.show(SPOT, 0.999999, 1.0)
    rig.show(PERP, 1.0030, 1.003001)
    return rig


def test_the_plain_2_percent_rule_never_binds_and_the_stress_line_does():
    """E = 10,000, 200 at risk. Stop 25 bp further and 31 bp of cost: 200 / 0.0056 = 35,714.

    Capital at 3x: 10,000 / (1 + 1/3) = 7,500 of notional. A day of 0.3 % a minute: one leg alone
    0.9 % (22,222), deleveraged 0.9 % * sqrt(10) = 2.846 % (7,027): that line binds.
    """
    rig = calm(reserve=0.0)
    shaken(rig, 0.003)
    request = order("1000", ExitPlan(D(-5), D(55)))  # entry at 30 bp
    sheet, quote = priced(rig, request, funds(), most=D(7_500))
    assert float(sheet.loss_at_stop / sheet.notional) == pytest.approx(0.0056, rel=1e-3)
    found = lines(sheet.advice)
    assert float(found["stop"].qty) == pytest.approx(35_714, rel=1e-3)
    assert float(quote.cash / sheet.notional) == pytest.approx(4 / 3, rel=3e-3)
    assert found["capital"].qty == 7_500
    one = next(each for each in sheet.stress if each.name == "one leg")
    assert float(200 / (one.loss / 1000)) == pytest.approx(22_222, rel=2e-3)
    assert float(found["stress"].qty) == pytest.approx(7_027, rel=2e-3)
    assert sheet.advice.binding == "stress"
    assert (
        sheet.advice.qty
        == sheet.size_hint
        == quote.long.ladder.instrument.round_down(found["stress"].qty)
    )
    assert "deleveraged" in sheet.size_note


def test_on_a_quiet_day_the_capital_binds_and_never_the_stop():
    """0.05 % a minute: deleveraged 0.474 % = 42,164; liquidation at 3x keeps 1.0 % and 0.15 %."""
    rig = calm(reserve=0.0)
    shaken(rig, 0.0005)
    sheet, _ = priced(rig, order("1000", ExitPlan(D(-5), D(55))), funds(), most=D(7_500))
    found = lines(sheet.advice)
    assert sheet.advice.binding == "capital"
    assert found["capital"].qty < found["stress"].qty < found["stop"].qty


def test_liquidation_is_the_worst_stress_where_leverage_brings_it_near():
    """A short at 1.0030, 3x: bankrupt at 1.33733, trigger / 1.0075: 0.009955 a coin is kept."""
    rig = calm()
    shaken(rig, 0.0005)
    sheet, _ = priced(rig, order("1000", ExitPlan(D(-5), D(55))), funds())
    worst = sheet.stress[0]
    assert worst.name == "liquidation"
    assert float(worst.loss) == pytest.approx(9.955 + 1.5, rel=1e-3)
    assert sheet.loss_stress == worst.loss
    assert sheet.stress_note == worst.text


# --- depth ----------------------------------------------------------------------------------------


def test_depth_may_cost_a_quarter_of_the_edge():
    """Spot shows 2,000 at 1 and the rest at 1.0010. Edge: 30 - (-5) - 31.05 = 3.95 bp at the touch
    (two of the fees are of 1.0030), a quarter is 0.99 bp. Of Q coins Q - 2,000 pay 10 bp:
    10 (Q - 2000) / Q = 0.99 gives 2,219.5.
    """
    rig = calm()
    rig.show(SPOT, 0.999999, 1.0, size=2000.0, deeper=([(0.9990, 1e6)], [(1.0010, 1e6)]))
    sheet, _ = priced(rig, order("1000", ExitPlan(D(-5), D(55))), funds(10**9, 10**9))
    found = lines(sheet.advice)["depth"]
    assert float(found.qty) == pytest.approx(2219.5, abs=0.5)
    assert "25 % of the edge" in found.text
    # asked for at twice the size, the edge is still that of the first coin
    wide, _ = priced(rig, order("4000", ExitPlan(D(-5), D(55))), funds(10**9, 10**9))
    assert float(lines(wide.advice)["depth"].qty) == pytest.approx(2219.5, abs=2)


def test_without_an_edge_nothing_may_be_walked():
    rig = calm()
    sheet, _ = priced(rig, order("1000", ExitPlan(D(20), D(55))), funds())
    assert sheet.advice.qty == 0
    assert sheet.advice.binding == "depth"
    assert "no edge" in sheet.size_note


def test_books_that_end_before_the_quarter_say_so():
    rig = calm()
    rig.show(SPOT, 0.999999, 1.0, size=3000.0)
    sheet, _ = priced(rig, order("1000", ExitPlan(D(-5), D(55))), funds(10**9, 10**9))
    found = lines(sheet.advice)["depth"]
    assert found.qty == 3000
    assert "show no more" in found.text


# --- volatility -----------------------------------------------------------------------------------


def test_two_deviations_of_the_basis_may_cost_the_account_risk():
    """10 bp each: 20 bp of N = 200 gives 100,000. Half-life 8 h over 8 h: sd * sqrt(1 - 1/4)."""
    rig = calm()
    pair = rig.market.pair(SPOT, PERP)
    pair.now = msgspec.structs.replace(pair.now, sd_bp=10.0, warm=True)
    request = order("1000", ExitPlan(D(-5), D(55), D(8)))
    sheet, quote = priced(rig, request, funds())
    assert float(lines(sheet.advice)["volatility"].qty) == pytest.approx(100_000)
    back = Reversion(0.0, 10.0, 8.0, 100.0)
    told = advice(sheet, quote, rig.market, rig.settings, funds(), back)
    expected = 100_000 / math.sqrt(0.75)
    assert float(lines(told)["volatility"].qty) == pytest.approx(expected)
    pair.now = msgspec.structs.replace(pair.now, warm=False)
    cold = lines(priced(rig, request, funds())[0].advice)["volatility"]
    assert cold.qty is None
    assert "not known yet" in cold.text


# --- cuts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equity", "factor"), [(10_000, 1), (8_000, 1), (7_999, "0.5"), (6_000, "0.5"), (5_999, "0.25")]
)
def test_an_account_below_its_thresholds_trades_smaller(equity, factor):
    """Below 80 % of the start sizes are halved, below 60 % quartered."""
    rig = calm()
    request = order("1000", ExitPlan(D(-5), D(55)))
    sheet, _ = priced(rig, request, Funds(D(10**9), D(equity)))
    found = lines(sheet.advice)
    whole = min(found[name].qty for name in ("stop", "stress", "depth", "capital"))
    assert sheet.advice.qty == rig.market.instruments[SPOT].round_down(whole * D(factor))
    assert ("balance" in found) == (factor != 1)
    if factor != 1:
        assert sheet.advice.binding == "balance"
        assert f"cut to {100 * float(factor):g} %" in sheet.size_note


@pytest.mark.parametrize(("start", "cut"), [(20_000, True), (12_000, False), (0, False)])
def test_the_thresholds_are_of_what_the_journal_started_with(start, cut):
    """Settings say 10,000; a journal that began with 20,000 has lost a half."""
    account = Funds(D(10**9), D(10_000), start=D(start))
    sheet, _ = priced(calm(), order("1000", ExitPlan(D(-5), D(55))), account)
    assert ("balance" in lines(sheet.advice)) == cut


def test_a_contradicting_sector_halves_it_on_top():
    rig = calm()
    request = order("1000", ExitPlan(D(-5), D(55)))
    whole = priced(rig, request, funds())[0].advice.qty
    for said in ("for", ""):
        rig.market.sectors["ADA"] = said
        assert priced(rig, request, funds())[0].advice.qty == whole
    rig.market.sectors["ADA"] = "against"
    halved = priced(rig, request, funds())[0].advice
    assert float(halved.qty) == pytest.approx(float(whole) / 2, abs=0.01)
    assert halved.binding == "sector"
    both = priced(rig, request, Funds(D(10**9), D(7_000)))[0].advice
    parts = lines(both)
    assert parts["sector"].qty == parts["balance"].qty / 2


# --- in all ---------------------------------------------------------------------------------------


def test_without_a_stop_or_a_target_their_lines_say_so():
    rig = calm()
    sheet, _ = priced(rig, order("1000", ExitPlan(net_target=D(5))), funds())
    found = lines(sheet.advice)
    assert (found["stop"].qty, found["stop"].text) == (None, "the plan has no stop")
    assert found["depth"].qty is None
    assert sheet.advice.binding in ("stress", "capital")


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    st.integers(100, 10**7),
    st.integers(100, 10**6),
    st.floats(0.0, 0.02),
    st.sampled_from(["1", "2", "5"]),
    st.integers(56, 500),
)
def test_the_advice_is_never_above_any_of_its_lines(equity, most, sigma, leverage, stop):
    rig = calm()
    shaken(rig, sigma)
    request = order("1000", ExitPlan(D(-5), D(stop)), leverage)
    sheet, quote = priced(rig, request, Funds(D(equity), D(equity)), D(most))
    found = sheet.advice
    known = [line for line in found.lines if line.qty is not None]
    assert all(found.qty <= line.qty for line in known)
    assert found.binding in {line.name for line in known}
    lot = quote.long.ladder.instrument.lot
    assert found.qty % lot == 0
    assert min(line.qty for line in known) - found.qty < lot
    worst = max(sheet.loss_at_stop, sheet.loss_stress)
    assert found.qty / 1000 * worst <= D("0.02") * equity
