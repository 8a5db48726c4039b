"""Explain this number: every figure of a pair and of the account is the exact sum of its rows."""

from decimal import Decimal

import pytest
from book_rig import begun, liquidated, opened, reduced, settled

from basisdesk.ui.explain_rows import (
    ACCOUNT_FIGURES,
    PAIR_FIGURES,
    explained,
    figures_of,
    total_of,
)

D = Decimal


def lived():
    """A pair with fills, a payment, a part closed and prices that moved since."""
    rig = settled(opened(begun()))
    rig.wait(1)
    reduced(rig, "1996", "1996", closed=False)
    return rig.move(0.3655, 40.0)


@pytest.mark.parametrize("figure", PAIR_FIGURES)
def test_each_figure_of_a_pair_is_the_sum_of_its_rows(figure):
    rig = lived()
    told = explained(rig.engine, rig.settings, figure, 1)
    assert not told.missing
    assert told.proven
    assert told.check.endswith("USDT: the figure, to the last digit.")
    assert told.title.endswith(" of ADA #1")
    money = rig.engine.attribution(1)
    exact = {
        "total": money.total, "long": money.long_gross, "short": money.short_gross,
        "margin": rig.engine.desk.pairs[1].margin, "collateral": D(0),
    }  # fmt: skip
    if figure != "close":
        assert total_of(told.rows) == exact.get(figure, getattr(money, figure, None))


@pytest.mark.parametrize("figure", ACCOUNT_FIGURES)
def test_each_figure_of_the_account_is_the_sum_of_its_rows(figure):
    rig = lived()
    told = explained(rig.engine, rig.settings, figure, 0)
    funds = rig.engine.funds()
    assert told.proven
    assert total_of(told.rows) == {"equity": funds.equity, "cash": funds.free}[figure]


def test_leaving_now_is_the_net_less_each_cost_of_the_way_out():
    rig = lived()
    told = explained(rig.engine, rig.settings, "close", 1)
    accounts = [row.account for row in told.rows]
    assert accounts[:3] == ["(net at mids)", "(exit fees)", "(exit slippage)"]
    assert total_of(told.rows) < rig.engine.attribution(1).total
    assert "exit fees" in told.formula


def test_a_liquidated_pair_still_closes_exactly():
    rig = liquidated(opened(begun()))
    for figure in ("total", "fees", "slippage", "residual", "long", "short"):
        assert explained(rig.engine, rig.settings, figure, 1).proven


def test_a_leg_is_its_fills_and_what_is_held():
    rig = lived()
    told = explained(rig.engine, rig.settings, "long", 1)
    assert [row.note for row in told.rows] == [
        "buy 3,996 \u00d7 0.364",
        "sell 1,996 \u00d7 0.3639",
        "held 2,000 \u00d7 mid 0.36545",
    ]
    assert [row.sign for row in told.rows] == [-1, 1, 1]


def test_what_cannot_be_explained_says_so():
    rig = lived()
    assert explained(rig.engine, rig.settings, "close", 7).missing
    assert explained(rig.engine, rig.settings, "nonsense", 1).missing
    reduced(rig, "2000", "2000")
    assert explained(rig.engine, rig.settings, "close", 1).missing.startswith("This pair is closed")


def test_the_text_for_the_clipboard_holds_figure_formula_rows_and_check():
    rig = lived()
    told = explained(rig.engine, rig.settings, "fees", 1)
    lines = told.text().splitlines()
    assert lines[0] == f"Fees of ADA #1: {told.figure}"
    assert lines[1].startswith("As of 2026-09-18 ")
    assert told.formula in lines
    assert sum("\t" in line for line in lines) == len(told.rows)
    assert told.check in lines


def test_pairs_and_the_account_have_their_own_figures():
    assert "equity" in figures_of(0)
    assert "basis" in figures_of(3)
