"""The entry rule: convergence > fees + worst slippage + one funding interval, term by term."""

import msgspec
import pytest
from quant_rig import PERP, SPOT, D, Quant, funds, priced

from basisdesk.events import ExitPlan, OpenPair
from basisdesk.trading.verdict import entry_rule, verdict


def judged(rig, target, long=SPOT, short=PERP, stop=150):
    plan = ExitPlan(None if target is None else D(repr(target)), D(stop), net_target=D(1))
    sheet, _ = priced(rig, OpenPair(long, short, D(10_000), D(2), plan), funds(10**6, 10**6))
    return sheet, sheet.rule


def test_the_terms_of_the_ada_example():
    """Executable 68.681 - 3 = 65.681 bp; slippage 0.5 a leg, 2 of 3,640 = 5.495 bp; mid to mid
    71.176. Fees 11.31105 of 3,640 = 31.074 bp. The short would pay 8 bp of 3,665: 8.055.
    """
    rig = Quant()
    rig.ticker(rate=-0.0008)
    sheet, rule = judged(rig, 3.0)
    assert rule.executable_bp == pytest.approx(65.681, abs=1e-3)
    assert rule.convergence_bp == pytest.approx(71.176, abs=1e-3)
    terms = dict(rule.terms)
    assert terms["fees"] == pytest.approx(31.074, abs=1e-3)
    assert terms["worst slippage"] == pytest.approx(5.495, abs=1e-3)
    assert terms["one funding interval"] == pytest.approx(8.055, abs=1e-3)
    assert rule.left_bp == pytest.approx(71.176 - 31.074 - 5.495 - 8.055, abs=2e-3)
    assert rule.light == "green"
    assert verdict(sheet, rig.market)[0] == "go"


@pytest.mark.parametrize(
    ("target", "light", "kind"),
    [
        # 68.681 - target against 31.074 of fees, and 39.129 with the interval
        (29.5, "green", "go"),
        (29.6, "amber", "thin"),
        (37.6, "amber", "thin"),
        (37.7, "red", "no"),
    ],
)
def test_the_three_lights_and_their_edges(target, light, kind):
    rig = Quant()
    rig.ticker(rate=-0.0008)
    sheet, rule = judged(rig, target)
    assert rule.light == light
    assert verdict(sheet, rig.market)[0] == kind
    assert (rule.left_bp > 0) == (light == "green")


def test_the_worst_slippage_is_both_ways_at_the_dearer_one():
    """The spot bid steps down 20 bp behind 1,000 coins: leaving costs 7.05 more than coming in."""
    rig = Quant()
    narrow, rule = judged(rig, 35.0)
    assert rule.light == "green"
    rig.show(SPOT, 0.3639, 0.3640, size=1000.0, deeper=([(0.3632, 1e6)], [(0.36401, 1e6)]))
    wide, worse = judged(rig, 35.0)
    assert wide.slip_out - narrow.slip_out == D("6.3")  # 9,000 * 0.0007
    dearer = max(float(wide.slip_in), float(wide.slip_out))
    assert worse.slip_bp == pytest.approx(2e4 * dearer / float(wide.notional))
    assert worse.slip_bp > wide.slip_bp
    assert worse.light == "amber"
    kind, text = verdict(wide, rig.market)
    assert kind == "thin"
    assert "of worse slippage" in text


def test_funding_that_pays_us_takes_nothing_and_interest_does():
    rig = Quant()
    rig.ticker(rate=0.0008)
    assert dict(judged(rig, 3.0)[1].terms)["one funding interval"] == 0.0
    # the reverse pair: 10,000 coins owed for 8 h and the long pays 8 bp of 0.3666
    sheet, rule = judged(rig, 500.0, long=PERP, short=SPOT, stop=-200)
    borrow = 8 * 0.000001502122 * 0.36395 * 1e4
    paid = 0.0008 * 0.3665 * 1e4
    expected = 1e4 * (borrow + paid) / float(sheet.notional)
    assert rule.funding_bp == pytest.approx(expected, rel=1e-6)


def test_without_a_target_it_is_counted_to_fair_value():
    rig = Quant()
    sheet, rule = judged(rig, None)
    assert rule is None
    assert verdict(sheet, rig.market)[0] == "thin"
    assert "cannot be said" in verdict(sheet, rig.market)[1]
    pair = rig.market.pair(SPOT, PERP)
    pair.now = msgspec.structs.replace(pair.now, fair_bp=-4.5)
    sheet, rule = judged(rig, None)
    # leaving at fair value pays half the spread of both legs: (74.196 - 68.681) / 2 above it
    assert rule.exit_bp == pytest.approx(-4.5 + (74.1962 - 68.6813) / 2, abs=1e-3)
    assert rule.beyond
    kind, text = verdict(sheet, rig.market)
    assert kind == "go"
    assert "fair value" in text
    assert "beyond" not in text


def test_the_edge_of_the_first_coin_has_no_impact_in_it():
    rig = Quant()
    _, rule = judged(rig, 3.0)
    assert rule.left_at_touch_bp(2.0) == pytest.approx(rule.executable_bp + 2.0 - rule.fees_bp)
    sheet, _ = judged(rig, 3.0)
    assert entry_rule(sheet, rig.market) == rule
