"""Trades as marks on the chart: outcomes to points with one line of text. Pure, no Qt."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from basisdesk.events import Fill, Liquidated, Outcome, PairAdded, PairOpened, Traded
from basisdesk.ui.figures import sign_text, size_text


@dataclass(frozen=True)
class TradeMark:
    """One trade of the shown pair. `bp` is the basis its fills stand at, NaN when one-legged."""

    t_s: float
    bp: float
    kind: str  # "opened", "added", "reduced", "closed" or "liquidated"
    text: str


def trade_marks(outcomes: Iterable[Outcome], spot: str, perp: str) -> list[TradeMark]:
    """The trades between these two legs, oldest first."""
    marks = []
    for outcome in outcomes:
        if not isinstance(outcome, Traded):
            continue
        if {fill.instrument for fill in outcome.fills} <= {spot, perp} and outcome.fills:
            marks.append(_mark(outcome, spot, perp))
    return marks


def _mark(outcome: Traded, spot: str, perp: str) -> TradeMark:
    rates = {"long": outcome.long_fx, "short": outcome.short_fx}  # as the pair's entry basis
    bp = _basis_bp(outcome.fills, rates, spot, perp)
    at = "" if math.isnan(bp) else f"  {sign_text(bp, 1)} bp"
    if isinstance(outcome, PairOpened):
        kind, what = "opened", f"opened {size_text(outcome.qty)}"
    elif isinstance(outcome, PairAdded):
        kind, what = "added", f"added: {outcome.reason}"
    elif isinstance(outcome, Liquidated):
        kind, what = "liquidated", "liquidated" if outcome.cause == "liquidation" else "ADL"
    elif outcome.closed:
        kind, what = "closed", "closed"
    else:
        kind, what = "reduced", f"reduced {size_text(outcome.fraction * 100, 0)} %"
    return TradeMark(outcome.ts_ns / 1e9, bp, kind, what + at)


def _basis_bp(fills: tuple[Fill, ...], rates: dict[str, Decimal], spot: str, perp: str) -> float:
    prices = []
    for key in (spot, perp):
        qty = sum(float(fill.qty) for fill in fills if fill.instrument == key)
        of_leg = [fill for fill in fills if fill.instrument == key]
        paid = sum(float(fill.qty * fill.price * rates[fill.leg]) for fill in of_leg)
        prices.append(paid / qty if qty > 0 else math.nan)
    return 1e4 * (prices[1] - prices[0]) / prices[0]
