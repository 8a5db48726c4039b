"""The cost sheet as text: costs, the account after the order, the rule and the suggested size."""

from decimal import Decimal

import msgspec
import pytest
from ui_rig import PERP, SPOT, START_NS, Rig, instrument

from basisdesk.events import ExitPlan, OpenPair
from basisdesk.ui import ticket_lines as lines

D = Decimal


def lines_of(direction=1, **changes):
    rig = Rig().begin()
    plan = {"target_bp": D(3), "stop_bp": D(120)} | changes
    long, short = (SPOT, PERP) if direction > 0 else (PERP, SPOT)
    request = OpenPair(long, short, D(4000), D(2), ExitPlan(**plan))
    sheet = rig.engine.sheet(request)
    return sheet, {line.name: line for line in shown(sheet)}


def shown(sheet, now_ms=START_NS // 1_000_000, **standing):
    account = lines.Standing(
        **{"equity": D(10_000), "perps": {PERP: instrument("perp")}} | standing
    )
    return lines.sheet_lines(sheet, "ADA", account, now_ms)


def test_the_sheet_shows_four_fees_and_says_each():
    sheet, said = lines_of()
    fees = said["Fees, 4 fills"]
    assert fees.value.endswith(" USDT")
    assert fees.second == "31.1 bp"
    for word in ("buy spot", "sell perp", "sell spot", "buy perp"):
        assert word in fees.tip
    four = sheet.fee_long_in + sheet.fee_short_in + sheet.fee_long_out + sheet.fee_short_out
    assert four == sheet.fees


def test_the_sheet_of_a_long_spot_borrows_nothing_and_gets_positive_funding():
    _, said = lines_of()
    assert said["Borrow"].value == "none"
    funding = said["Next funding to you"]
    assert funding.value.startswith("+0.2")
    assert funding.meaning == "gain"
    assert funding.second.startswith("in ")
    assert "payments" in said["Break-even basis"].second
    assert said["Capital used"].value.endswith("of 10,000 USDT")
    assert said["Liquidation of the short"].second.startswith("+49")
    assert said["Net delta"].value == "0 ADA"
    stop, stress = said["Loss at stop / stress"].value.split(" / ")
    assert stop.startswith("\u2212")
    assert stress.startswith("\u2212")


def test_the_sheet_of_a_short_spot_says_borrow_and_the_long_liquidation():
    _, said = lines_of(-1, target_bp=D(120), stop_bp=D(3))
    assert said["Borrow"].second == "per 8 h"
    assert said["Next funding to you"].meaning == "loss"
    assert said["Break-even basis"].second == "no payments"
    assert said["Liquidation of the long"].second.startswith("\u221249")


def test_before_there_is_a_price_every_line_stands_without_a_figure():
    empty = lines.empty_lines()
    assert {line.value for line in empty} == {"\u2013"}
    assert [line.name for line in empty] == [*lines.COSTS, *lines.AFTER]
    assert [line.name for line in empty if not line.shown] == [
        lines.CONVERSION, lines.SECOND_LIQUIDATION,
    ]  # fmt: skip


def test_a_verdict_has_a_shape_beside_its_colour():
    marks = [lines.verdict_mark(kind) for kind in ("go", "thin", "no")]
    assert len({shape for shape, _ in marks}) == 3
    assert [token for _, token in marks] == ["gain", "warn", "loss"]


def test_after_the_order_says_margin_free_cash_and_what_the_reserve_keeps():
    sheet, _ = lines_of()
    said = {line.name: line for line in shown(sheet, reserve=D("0.05"))}
    assert said["Margin"].value.startswith("732.")
    assert said["Margin"].second == "at 2\u00d7"
    assert said["Free after"].value == f"{sheet.free_after:,.0f} USDT"
    assert said["Free after"].second == "500 kept"
    assert said["Free after"].meaning == ""
    poor = msgspec.structs.replace(sheet, free_after=D(499))
    assert {line.name: line for line in shown(poor, reserve=D("0.05"))}["Free after"].meaning == (
        "loss"
    )


def test_the_net_delta_counts_what_is_held_of_the_coin_already():
    sheet, _ = lines_of()
    said = {line.name: line for line in shown(sheet, delta=D("-12.5"))}
    assert said["Net delta"].value == "\u221212.5 ADA"
    assert "hold \u221212.5 already" in said["Net delta"].tip
    drifted = msgspec.structs.replace(sheet, residual_delta=D(40))
    said = {line.name: line for line in shown(drifted)}
    assert (said["Net delta"].value, said["Net delta"].meaning) == ("+40 ADA", "warn")


@pytest.mark.parametrize(
    ("target", "light", "shape", "token"),
    [(D(3), "green", "\u25b2", "gain"), (D(60), "red", "\u25bc", "loss")],
)
def test_the_entry_rule_shows_its_three_terms_and_what_they_leave(target, light, shape, token):
    sheet, _ = lines_of(target_bp=target)
    rule = sheet.rule
    assert rule.light == light
    said, colour = lines.rule_text(rule)
    assert said.startswith(shape)
    assert said.endswith("bp left")
    assert colour == token
    terms = lines.rule_terms(rule)
    assert [name for name, _ in terms] == [
        "Convergence", "\u2212 fees, slippage", "\u2212 one funding",
    ]  # fmt: skip
    left = float(terms[0][1][:-3]) - float(terms[1][1][:-3]) - float(terms[2][1][:-3])
    assert left == pytest.approx(rule.left_bp, abs=0.11)
    for name, _ in rule.terms:
        assert name in lines.rule_tip(rule)


def test_an_amber_rule_has_its_own_shape_and_colour():
    sheet, _ = lines_of()
    amber = msgspec.structs.replace(sheet.rule, light="amber", funding_bp=60.0)
    said, colour = lines.rule_text(amber)
    assert (said[0], colour) == ("\u25c6", "warn")
    assert "\u2212" in said
    assert lines.rule_tip(amber).count("Amber") == 1


def test_without_a_rule_no_figure_stands():
    assert lines.rule_text(None) == ("\u2013", "muted")
    assert {value for _, value in lines.rule_terms(None)} == {"\u2013"}
    assert "target" in lines.rule_tip(None)


def test_each_perpetual_leg_has_its_own_liquidation():
    sheet, _ = lines_of()
    (key, at), other = sheet.liqs[0], "bybit:perp:OTHERUSDT"
    request = msgspec.structs.replace(sheet.request, long=other)
    below = msgspec.structs.replace(at, price=D("0.19"), distance_pct=8.0)
    two = msgspec.structs.replace(sheet, request=request, liqs=((other, below), (key, at)))
    said = {line.name: line for line in shown(two)}
    assert said["Liquidation of the short"].second.startswith("+49")
    assert said["Liquidation of the long"].second == "\u22128.0 %"
    assert said["Liquidation of the long"].meaning == "loss"
    assert said["Liquidation of the long"].shown


def test_every_stress_is_told_with_its_loss():
    sheet, said = lines_of()
    tip = said["Loss at stop / stress"].tip
    assert len(sheet.stress) >= 2
    for one in sheet.stress:
        assert one.text[1:] in tip
    assert sheet.loss_stress == max(one.loss for one in sheet.stress)
