"""What was true of an entry when it was taken: the guide never ticks what the sheet had refused.

Pure, no Qt. The guide keeps a Taken of the last sheet before the fill; without one (another
session, the guide was shut) the size is told plainly. The spread is worked out from the fills.
"""

import math
from decimal import Decimal
from typing import NamedTuple

from basisdesk.engine import Engine
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.figures import number_text, sign_text, size_text
from basisdesk.ui.position_figures import base_of


class Taken(NamedTuple):
    """What the ticket said of an order. suggested: None where nothing was worked out."""

    long: str
    short: str
    qty: Decimal
    suggested: Decimal | None
    note: str

    def fits(self, position: PairPosition) -> bool:
        """Whether this pair came of that order."""
        legs = tuple(leg.instrument for leg in position.legs)
        return legs == (self.long, self.short) and position.asked == self.qty


class Was(NamedTuple):
    """A step as it was at the entry. fair: it held, and deserves a plain tick."""

    fair: bool
    said: str


def taken_of(sheet: CostSheet | None) -> Taken | None:
    """What to remember of the sheet on the screen; None while it has no price."""
    if sheet is None or not sheet.priced:
        return None
    request = sheet.request
    hint = sheet.size_hint if sheet.advice is not None else None
    return Taken(request.long, request.short, request.qty, hint, sheet.size_note)


def left_bp(position: PairPosition) -> float:
    """What the plan could earn at the entry, bp: executable convergence less twice the entry fees.

    NaN without a target basis or before both legs have filled. The way out is taken to cost in
    fees what the way in did; the spread stands in the executable bases already.
    """
    target = position.plan.target_bp
    value = position.reference.entry_value
    if target is None or not value or not all(leg.entry_qty for leg in position.legs):
        return math.nan
    fees_bp = float(2 * entry_fees(position) / value) * 1e4
    return position.direction * (position.entry_bp - float(target)) - fees_bp


def entry_fees(position: PairPosition) -> Decimal:
    """Fees of the entry fills in account currency; one in coins is worth its fill's price."""
    total = Decimal(0)
    for fill in position.fills:
        held = position.long if fill.leg == "long" else position.short
        if (fill.side == "buy") != (held.role == "long"):
            continue  # an exit
        coins = fill.fee_currency != held.quote
        total += fill.fee * (fill.price if coins else 1) * fill.fx
    return total


def spread_was(position: PairPosition) -> Was:
    """Whether the entry paid: "it did not pay: -35.9 bp after costs"."""
    if not all(leg.entry_qty for leg in position.legs):
        return Was(True, "It was looked at when the order was taken.")
    entered = f"Entered at a basis of {sign_text(position.entry_bp, 1)} bp"
    left = left_bp(position)
    if not math.isfinite(left):
        return Was(True, f"{entered}; the plan has no target basis to measure it by.")
    target = sign_text(float(position.plan.target_bp or 0), 1)
    if left > 0:
        return Was(True, f"{entered}: {sign_text(left, 1)} bp after costs to target {target} bp.")
    after = sign_text(left, 1)
    return Was(False, f"{entered}. It did not pay: {after} bp after costs to target {target} bp.")


def size_was(position: PairPosition, engine: Engine, taken: Taken | None) -> Was:
    """Whether the size was within what was suggested."""
    base = base_of(position.long.instrument, engine)
    said = f"{size_text(position.asked)} {base} at {size_text(position.leverage)}\u00d7"
    if taken is None or not taken.fits(position) or taken.suggested is None:
        return Was(True, f"{said}; what was suggested then is not kept.")
    if position.asked <= taken.suggested:
        most = number_text(taken.suggested, 0) if taken.suggested >= 100 else None
        return Was(True, f"{said}, within the suggested {most or size_text(taken.suggested)}.")
    if not taken.suggested:
        why = taken.note.partition(": ")[2] or taken.note
        return Was(False, f"{said}. More than suggested: no size was, for {why}")
    return Was(False, f"{said}. More than the suggested {size_text(taken.suggested)} {base}.")
