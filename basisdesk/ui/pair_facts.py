"""The selected pair in named figures: what a narrow table has no column for. Pure, no Qt."""

from basisdesk.ui.facts import Fact
from basisdesk.ui.figures import NOTHING
from basisdesk.ui.glossary import term
from basisdesk.ui.rows import PositionRow, liquidation_meaning, meaning_of


def pair_facts(row: PositionRow | None, currency: str) -> tuple[Fact, ...]:
    """Facts of one row of the positions table, each with its unit; none without a row."""
    if row is None or not row.pair:
        return ()
    facts = [
        Fact("Net now", _money(row.net, currency), meaning_of(row.net_sign), term("Net now"),
             "total"),
        Fact("If closed", _money(row.if_closed, currency), meaning_of(row.closed_sign),
             term("If closed"), "close"),
        Fact("Long leg, price", _money(row.long_pnl, currency), "", row.legs_detail, "long"),
        Fact("Short leg, price", _money(row.short_pnl, currency), "", row.legs_detail, "short"),
    ]  # fmt: skip
    if row.over:
        return (*facts, Fact("Over", row.plan, "", "Why the pair was closed, by whom, and when."))
    holding = row.holding
    return (
        *facts,
        Fact("Basis, in and now", _unit(row.basis, "bp"), "", term("Basis"), "basis"),
        Fact("Exit plan", row.plan, "warn" if row.solid else "", row.plan_detail),
        Fact(
            "Holding, per hour",
            _money(holding.cost, currency),
            meaning_of(holding.cost_sign),
            holding.cost_detail,
        ),
        Fact("Expected hold", holding.left, "", holding.left_detail),
        Fact("Hedge drift", _unit(row.drift, "bp"), "warn" if row.drifted else "",
             row.delta_detail),
        Fact("Margin", _money(row.margin, currency), "", "", "margin"),
        Fact("Liquidation room", row.liq, liquidation_meaning(row.liq_pct), row.liq_detail),
    )  # fmt: skip


def _money(text: str, currency: str) -> str:
    return _unit(text, currency) if text != "closed" else text


def _unit(text: str, unit: str) -> str:
    return text if text == NOTHING else f"{text} {unit}"
