"""Outcomes of the desk as marks on the chart."""

import math
from decimal import Decimal

import pytest
from chart_rig import PERP, SPOT, opened, reduced

from basisdesk.events import Fill, Liquidated, RiskChanged
from basisdesk.ui.markers import trade_marks


def test_trades_of_this_pair_become_marks_at_the_basis_of_their_fills():
    first, second, third = trade_marks([opened(), reduced(), reduced(closed=True)], SPOT, PERP)
    assert first.text == "opened 10,000  +61.3 bp"
    assert first.bp == pytest.approx(1e4 * (0.36623 - 0.364) / 0.364)
    assert (second.kind, second.text) == ("reduced", "reduced 50 %  +2.7 bp")
    assert (third.kind, third.text) == ("closed", "closed  +2.7 bp")


def test_other_pairs_and_other_outcomes_leave_no_mark():
    outcomes = [opened(), RiskChanged(1, "halted", "x")]
    assert trade_marks(outcomes, "bybit:spot:BTCUSDT", PERP) == []
    assert len(trade_marks(outcomes, SPOT, PERP)) == 1


def test_a_liquidation_has_one_leg_and_so_no_basis():
    one = Decimal(1)
    fill = Fill(0, "short", PERP, "buy", one, one, one, "USDT")
    gone = Liquidated(5_000_000_000, 1, PERP, one, one, (fill,), one, one, False)
    (mark,) = trade_marks([gone], SPOT, PERP)
    assert (mark.t_s, mark.kind, mark.text) == (5.0, "liquidated", "liquidated")
    assert math.isnan(mark.bp)
