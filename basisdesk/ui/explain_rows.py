"""Explain this number: a figure, its formula, and the rows that sum to it. Pure, no Qt.

Most come from `Engine.explain`. What leaving now would leave, and the price profit of one leg, are
worked out here from the same fills, and close exactly as well.
"""

import decimal
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import MONEY, Fill
from basisdesk.explain import Explanation, Row
from basisdesk.ledger.valuation import Worth
from basisdesk.trading.holding import close_out
from basisdesk.trading.leg_position import LegPosition
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.risk import No
from basisdesk.ui.figures import number_text, sign_text
from basisdesk.ui.ledger_rows import exact_text
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.position_figures import sign_of
from basisdesk.ui.times import clock_ms_text, date_text, zone_text

ZERO = Decimal(0)
PRICES = "(prices)"
# code -> how the figure is called on the screen; those of a pair, then those of the account
PAIR_FIGURES: dict[str, str] = {
    "total": "Net now, at mids",
    "close": "Net if closed now",
    "basis": "Basis",
    "funding": "Funding",
    "fees": "Fees",
    "slippage": "Slippage",
    "borrow": "Borrow",
    "residual": "Unhedged delta",
    "long": "Long leg, price alone",
    "short": "Short leg, price alone",
    "margin": "Margin",
    "collateral": "Collateral",
}
ACCOUNT_FIGURES: dict[str, str] = {"equity": "Equity", "cash": "Free cash"}


@dataclass(frozen=True, slots=True)
class ExplainRow:
    """One amount behind a figure. key: its place."""

    key: int
    time: str
    cause: str
    account: str
    amount: str
    currency: str
    note: str
    sign: int
    ts_ns: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Explained:
    """What the dialog shows. check: the sum against the figure; proven: they are equal.

    missing: why there is nothing to show, "" otherwise.
    """

    title: str
    figure: str = ""
    meaning: str = ""
    formula: str = ""
    rows: tuple[ExplainRow, ...] = ()
    check: str = ""
    proven: bool = True
    limit: str = ""
    moment: str = ""
    missing: str = ""
    currency: str = field(default="")

    def text(self) -> str:
        """All of it as plain text, for the clipboard; columns are set off by tabs."""
        if self.missing:
            return f"{self.title}\n{self.missing}\n"
        head = [f"{self.title}: {self.figure}", self.moment, self.formula]
        lines = [
            "\t".join((row.time, row.cause, row.account, row.amount, row.currency, row.note))
            for row in self.rows
        ]
        tail = [self.check, self.limit]
        return "\n".join(part for part in [*head, "", *lines, "", *tail] if part or part == "")


def explained(engine: Engine, settings: Settings, figure: str, pair: int) -> Explained:
    """A figure of a pair, or of the account (pair 0), as the dialog shows it."""
    title = _title(engine, figure, pair)
    position = engine.desk.pairs.get(pair)
    try:
        if figure in ("close", "long", "short"):
            if position is None:
                return Explained(title, missing="This pair is no longer in memory.")
            if figure == "close":
                told: Explanation | str = _close(engine, settings, position)
            else:
                told = _leg(engine, settings, position, figure)
        else:
            told = engine.explain(figure, pair or None)
    except KeyError:
        return Explained(title, missing="The rows of this figure are no longer in memory.")
    if isinstance(told, str):
        return Explained(title, missing=told)
    return _shown(title, told, engine.now_ns, settings.ui.utc)


def figures_of(pair: int) -> dict[str, str]:
    """Code -> name of every figure that can be explained beside this one."""
    return PAIR_FIGURES if pair else ACCOUNT_FIGURES


def _title(engine: Engine, figure: str, pair: int) -> str:
    name = figures_of(pair).get(figure, figure.capitalize())
    lots = engine.books.pairs.get(pair)
    if lots is None:
        return name
    return f"{name} of {lots.legs['long'].coin} #{pair}"


def _shown(title: str, told: Explanation, now_ns: int, utc: bool) -> Explained:
    check, proven = sum_line(told)
    places = 2
    gain = told.term not in ("margin", "collateral", "equity", "cash")
    figure = sign_text(told.figure, places) if gain else number_text(told.figure, places)
    return Explained(
        title=title,
        figure=f"{figure} {told.currency}",
        meaning=("", "gain", "loss")[sign_of(told.figure)] if gain else "",
        formula=told.formula,
        rows=tuple(_row(place, row, utc) for place, row in enumerate(told.rows)),
        check=check,
        proven=proven,
        limit=told.limit,
        moment=f"As of {date_text(now_ns, utc)}:{clock_ms_text(now_ns, utc)[-6:-4]} "
        f"{zone_text(utc, now_ns)}.",
        currency=told.currency,
    )


def _row(place: int, row: Row, utc: bool) -> ExplainRow:
    value = row.amount
    return ExplainRow(
        place,
        f"{date_text(row.ts_ns, utc)[5:]}:{clock_ms_text(row.ts_ns, utc)[6:]}" if row.ts_ns else "",
        row.cause,
        row.account,
        exact_text(value),
        row.currency,
        row.note,
        (value > 0) - (value < 0),
        row.ts_ns,
        value,
    )


def sum_line(told: Explanation) -> tuple[str, bool]:
    """(what the rows sum to, whether that is the figure). Exact: no rounding, no tolerance."""
    with decimal.localcontext(MONEY):
        total = sum((row.amount for row in told.rows if row.currency == told.currency), ZERO)
        left = told.figure - total
    count = f"{len(told.rows):,} row{'' if len(told.rows) == 1 else 's'}"
    if not left:
        return (
            f"{count} sum to {exact_text(total)} {told.currency}: the figure, to the last digit.",
            True,
        )
    return (
        f"\u25a0 {count} sum to {exact_text(total)} {told.currency}, the figure is "
        f"{exact_text(told.figure)}: {exact_text(left)} is not explained.",
        False,
    )


# --- what leaving now leaves ----------------------------------------------------------------------


def _close(engine: Engine, settings: Settings, position: PairPosition) -> Explanation | str:
    """Net at mids less what closing costs, each a row."""
    if position.state == "closed":
        return "This pair is closed: its net is what it is."
    out = close_out(position, engine.market, settings, engine.now_ns)
    if isinstance(out, No):
        return out.text
    currency = settings.account.currency
    net = engine.attribution(position.pair).total
    rows = [Row(engine.now_ns, "now", "(net at mids)", net, currency, "see Net now")]
    for name, cost, note in (
        ("fees", out.fees, "taker fees of the exit, a fee in coins at its mid"),
        ("slippage", out.slippage, "half spreads and displayed depth of both legs"),
        ("conversion", out.conversion, "changing money, against the middle of the cross rate"),
    ):
        if cost:
            rows.append(Row(engine.now_ns, "now", f"(exit {name})", -cost, currency, note))
    with decimal.localcontext(MONEY):
        figure = out.net(net)
    formula = (
        f"{sign_text(net, 2)} net at mids \u2212 {number_text(out.fees, 2)} exit fees \u2212 "
        f"{number_text(out.slippage, 2)} spreads and depth \u2212 "
        f"{number_text(out.conversion, 2)} conversion = {sign_text(figure, 2)} {currency}"
    )
    return Explanation("close", figure, currency, formula, tuple(rows))


# --- one leg --------------------------------------------------------------------------------------


def _leg(
    engine: Engine, settings: Settings, position: PairPosition, role: str
) -> Explanation | str:
    """Price profit of one leg: what its fills paid and brought, and what is held at the mid."""
    lots = engine.books.pairs.get(position.pair)
    if lots is None:
        return "Nothing of this pair is filled yet."
    money = engine.attribution(position.pair)
    figure: Decimal = money.long_gross if role == "long" else money.short_gross
    held = position.long if role == "long" else position.short
    worth = engine.worths().get(held.instrument) or (
        lots.long_mid if role == "long" else lots.short_mid
    )
    currency = settings.account.currency
    fills = [fill for fill in position.fills if fill.leg == role]
    with decimal.localcontext(MONEY):
        rows = [_fill_row(fill, lots.legs[role].moved(fill), currency) for fill in fills]
        if lots.legs[role].qty:
            rows.append(_held_row(held, lots.legs[role].qty, worth, engine.now_ns, currency))
        left = figure - sum((row.amount for row in rows), ZERO)
        if left:
            note = "what its currency did to a perpetual's profit; it stands in Unhedged delta"
            rows.append(Row(engine.now_ns, "now", "(cross rate)", left, currency, note))
    bought = sum((row.amount for row in rows), ZERO)
    formula = (
        f"{leg_name(held.instrument)}: sales \u2212 purchases + what is held at its mid, before "
        f"fees = {sign_text(bought, 2)} {currency}"
    )
    return Explanation(role, figure, currency, formula, tuple(rows))


def _fill_row(fill: Fill, moved: Decimal, currency: str) -> Row:
    sign = -1 if fill.side == "buy" else 1
    amount = sign * moved * fill.price * fill.fx
    rate = "" if fill.fx == 1 else f" \u00d7 {_plain(fill.fx)}"
    note = f"{fill.side} {_plain(moved)} \u00d7 {_plain(fill.price)}{rate}"
    return Row(fill.ts_ns, "fill", fill.instrument, amount, currency, note)


def _held_row(held: LegPosition, qty: Decimal, worth: Worth, now_ns: int, currency: str) -> Row:
    sign = 1 if held.role == "long" else -1
    rate = "" if worth.fx == 1 else f" \u00d7 {_plain(worth.fx)}"
    what = "held" if sign > 0 else "to buy back"
    note = f"{what} {_plain(qty)} \u00d7 mid {_plain(worth.price)}{rate}"
    return Row(now_ns, "now", PRICES, sign * qty * worth.value, currency, note)


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def total_of(rows: Sequence[ExplainRow]) -> Decimal:
    """What rows sum to, exactly."""
    with decimal.localcontext(MONEY):
        return sum((row.value for row in rows), ZERO)
