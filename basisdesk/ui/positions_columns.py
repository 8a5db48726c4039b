"""The columns of the positions table, in reading order, and what each of them explains."""

from collections.abc import Callable

from basisdesk.ui.glossary import term
from basisdesk.ui.rows import LIQ_FULL_PCT, PositionRow, liquidation_meaning, meaning_of
from basisdesk.ui.table import Column

BUTTONS_PX = 124  # of the actions at the end of a row
RARE_TERMS = ("borrow", "residual")  # columns that stand only while one of them is not zero
_RARE_HEADERS = {"Borrow": "borrow", "Unhedged": "residual"}
# header -> the figure that "explain this number" opens on a cell of that column
FIGURES = {
    "Basis": "basis",
    "Funding": "funding",
    "Fees": "fees",
    "Slippage": "slippage",
    "Borrow": "borrow",
    "Unhedged": "residual",
    "Long leg": "long",
    "Short leg": "short",
    "Margin": "margin",
}


def figure_of(column: Column) -> str:
    """What a cell of this column is called by `Engine.explain`; "" where it is no money."""
    if column.header.startswith("Net now"):
        return "total"
    if column.header.startswith("If closed"):
        return "close"
    return FIGURES.get(column.header, "")


def faded(token: Callable[[PositionRow], str]) -> Callable[[PositionRow], str]:
    """A closed pair fades, one that is valued at old quotes is dimmed, others keep their colour."""
    return lambda row: "faded" if row.over or row.stale else token(row)


_PLAIN = faded(lambda _: "")


def position_columns(currency: str) -> tuple[Column, ...]:
    """The columns of the positions table, in reading order; buttons stand in the last."""
    return (
        *_name_columns(),
        *_money_columns(currency),
        *_leg_columns(currency),
        *_leaving_columns(currency),
        *_hold_columns(currency),
        _plan_column(),
        Column("", lambda _: "", wide_px=BUTTONS_PX),
    )


def wanted(rows: list[PositionRow]) -> Callable[[Column], bool]:
    """Borrow and unhedged delta have a column only while they are more than nothing."""
    shown = {name for name in RARE_TERMS if any(row.signs.get(name) for row in rows)}
    return lambda column: _RARE_HEADERS.get(column.header, "") in ("", *shown)


def _name_meaning(row: PositionRow) -> str:
    if row.stale or row.state == "unhedged":
        return "warn"
    return _PLAIN(row)


def _name_columns() -> tuple[Column, ...]:
    return (
        Column(
            "Pair",
            lambda row: f"\u25b2 {row.name}" if row.stale else row.name,
            left=True,
            detail=lambda row: row.stale or row.plan_detail,
            meaning=_name_meaning,
            solid=lambda row: row.state == "unhedged",
            sample="\u25b2 DOGE #12",
        ),
        Column(
            "Long / short",
            lambda row: row.legs,
            left=True,
            detail=lambda row: f"{row.stale} {row.legs_detail}".strip(),
            meaning=_PLAIN,
            sample="Bybit spot / perp",
            stretch=True,
            spare=2,
        ),
        Column(
            "Size",
            lambda row: row.size,
            lambda row: row.size_value,
            tip=term("Size"),
            detail=lambda row: row.delta_detail,
            meaning=_PLAIN,
            sample="10,000 ADA",
        ),
        Column(
            "In \u2192 now, bp",
            lambda row: row.basis,
            lambda row: row.basis_value,
            tip=f"Entry basis, and the basis at which it can be left now. {term('Close basis')}",
            meaning=_PLAIN,
            sample="+61.2 \u2192 +69.6",
            spare=1,
        ),
    )


def _term_column(name: str, header: str, tip: str) -> Column:
    return Column(
        header,
        lambda row: row.terms[name],
        lambda row: row.values.get(name),
        tip=tip,
        meaning=faded(lambda row: meaning_of(row.signs.get(name, 0))),
        sample="\u2212123.45",
        spare=3,
        group="terms",
    )


def _money_columns(currency: str) -> tuple[Column, ...]:
    return (
        _term_column("basis", "Basis", f"Earned by the basis moving, {currency}. {term('Basis')}"),
        _term_column("funding", "Funding", f"Payments so far, {currency}. {term('Funding')}"),
        _term_column("fees", "Fees", f"All fills so far, {currency}. {term('Fees')}"),
        _term_column("slippage", "Slippage", f"In {currency}. {term('Slippage')}"),
        _term_column("borrow", "Borrow", f"Interest, {currency}. {term('Borrow')}"),
        _term_column("residual", "Unhedged", f"In {currency}. {term('Unhedged delta')}"),
        Column(
            f"Net now, {currency}",
            lambda row: row.net,
            lambda row: row.net_value,
            tip=f"{term('Net now')} Double click or E explains it.",
            meaning=faded(lambda row: meaning_of(row.net_sign)),
            sample="\u25bc \u2212123.45",
        ),
        Column(
            f"If closed, {currency}",
            lambda row: row.if_closed,
            lambda row: row.closed_value,
            tip=f"{term('If closed')} Double click explains it.",
            meaning=faded(lambda row: meaning_of(row.closed_sign)),
            sample="\u25bc \u2212123.45",
        ),
    )


def _leg_columns(currency: str) -> tuple[Column, ...]:
    tip = "Price profit of the {} leg alone, first in first out, before costs, " + currency
    return (
        Column(
            "Long leg",
            lambda row: row.long_pnl,
            lambda row: row.long_value,
            tip=f"{tip.format('long')}: +10.00 of the 24.00 that both make.",
            meaning=_PLAIN,
            sample="\u2212123.45",
            spare=10,
            group="legs",
        ),
        Column(
            "Short leg",
            lambda row: row.short_pnl,
            lambda row: row.short_value,
            tip=f"{tip.format('short')}: +14.00 of the 24.00 that both make.",
            meaning=_PLAIN,
            sample="\u2212123.45",
            spare=10,
            group="legs",
        ),
    )


def _leaving_columns(currency: str) -> tuple[Column, ...]:
    return (
        Column(
            "Liq. room",
            lambda row: row.liq,
            lambda row: row.liq_pct,
            tip=term("Liquidation"),
            detail=lambda row: row.liq_detail,
            meaning=faded(lambda row: liquidation_meaning(row.liq_pct)),
            gauge=lambda row: None if row.liq_pct != row.liq_pct else row.liq_pct / LIQ_FULL_PCT,
            sample="49 %",
        ),
        Column(
            "Drift, bp",
            lambda row: row.drift,
            lambda row: row.drift_value,
            tip="What the legs do not cancel, in bp of the larger leg: 10 of 10,000 ADA are 10 bp.",
            detail=lambda row: row.delta_detail,
            meaning=faded(lambda row: "warn" if row.drifted else ""),
            sample="+123.4",
            spare=9,
        ),
        Column(
            "Margin",
            lambda row: row.margin,
            lambda row: row.margin_value,
            tip=f"Isolated margin of the pair's perpetuals, {currency}. It is lost in a "
            "liquidation: 1,820.00.",
            meaning=_PLAIN,
            sample="12,345.67",
            spare=11,
        ),
    )


def _hold_columns(currency: str) -> tuple[Column, ...]:
    return (
        Column(
            "Cost/h",
            lambda row: row.holding.cost,
            lambda row: row.holding.cost_value,
            tip=f"What one more hour of holding costs at the rates of now, {currency}: funding, "
            "borrow and the price of money; minus is paid, plus is earned.",
            detail=lambda row: row.holding.cost_detail,
            meaning=faded(lambda row: meaning_of(row.holding.cost_sign)),
            sample="\u22121.2345",
            spare=6,
        ),
        Column(
            "Expected hold",
            lambda row: row.holding.left,
            lambda row: row.holding.left_value,
            tip="How long until the target is reached, as the basis of this pair has moved: half "
            "of the paths within the first figure, nine of ten within the second. Worked out "
            "once a minute.",
            detail=lambda row: row.holding.left_detail,
            meaning=_PLAIN,
            sample="12.0 h to 2.2 d",
            spare=7,
        ),
        Column(
            "Net delta",
            lambda row: row.delta,
            lambda row: row.delta_value,
            tip=term("Net delta"),
            detail=lambda row: row.delta_detail,
            meaning=_PLAIN,
            sample="0.0 ADA",
            spare=12,
        ),
        Column(
            "Held",
            lambda row: row.held,
            lambda row: row.held_s,
            tip="Time since the entry fill: 14m 02s.",
            meaning=_PLAIN,
            sample="14m 02s",
            spare=5,
        ),
    )


def _plan_column() -> Column:
    return Column(
        "Exit plan",
        lambda row: row.plan,
        left=True,
        tip="Target, stop and time stop; whichever comes first closes the pair. While an order "
        "works or a leg stands alone, what is being done about it.",
        detail=lambda row: row.plan_detail,
        meaning=lambda row: "warn" if row.solid else ("faded" if row.over else ""),
        solid=lambda row: row.solid,
        sample="\u2264 \u22124.5 bp \u00b7 stop 120 \u00b7 72 h",
        spare=2,
    )
