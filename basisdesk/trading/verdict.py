"""The ticket's verdict: what the plan can earn after its costs, in one sentence.

Entry, target and stop are executable bases, so spread and depth stand in them already and only the
fees come off, with the conversion where a leg is in another currency (quant.md 2.6 counts from
mids). A target beyond fair value is counted to fair
value only: nothing pulls the basis further (quant.md 1.1).
"""

import math

from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.costs import CostSheet

BEYOND_BP = 5.0  # a target this far past fair value is called beyond it


def fair_exit_bp(sheet: CostSheet, market: Market) -> float:
    """The executable basis of leaving while the mid stands at fair value, bp; NaN when unknown."""
    legs = sheet.request.long, sheet.request.short
    pair = market.pairs.get(legs if sheet.direction > 0 else legs[::-1])
    if pair is None:
        return math.nan
    half_spread = (sheet.exit_bp_now - sheet.entry_bp) / 2  # signed: against us either way
    return pair.now.fair_bp + half_spread


def verdict(sheet: CostSheet, market: Market) -> tuple[str, str]:
    """("go", "thin" or "no", the sentence) for a priced sheet that can be left again."""
    d, fees = sheet.direction, sheet.fees_bp + sheet.conversion_bp
    charges = "fees and conversion" if sheet.conversion_bp else "fees"
    target = float(sheet.request.exit.target_bp or 0)
    fair = fair_exit_bp(sheet, market)
    beyond = d * (fair - target) > BEYOND_BP  # False where fair value is not known
    move = d * (sheet.entry_bp - (fair if beyond else target))
    against = max(0.0, -_bp(sheet, float(sheet.funding_next))) + _bp(sheet, float(sheet.borrow_8h))
    to = f"fair value, left at {words.bp(fair)}" if beyond else f"target {words.bp(target)}"
    past = (
        f" The target of {words.bp(target)} lies beyond fair value and is counted to there."
        if beyond
        else ""
    )
    if move < fees:
        safest = sheet.entry_bp - d * (fees + against)
        reachable = not (beyond or d * (fair - safest) > BEYOND_BP)
        mend = (
            f"Set it to {words.bp(safest)} or beyond, or wait."
            if reachable
            else "Wait for a wider basis."
        )
        return "no", (
            f"The target is inside the cost zone: entry {words.bp(sheet.entry_bp)} to {to} gives "
            f"{words.bp(move, signed=True)}, the four {charges} take {words.bp(fees)}.{past} {mend}"
        )
    after = (
        f"{words.bp(move)} of executable convergence to {to}, less {words.bp(fees)} of {charges}, "
        f"leave {words.bp(move - fees)}"
    )
    if move < fees + against:
        return "thin", (
            f"Thin: {after}; one interval of funding and interest against us takes "
            f"{words.bp(against)}.{past}"
        )
    return "go", f"Worth it: {after}; one interval against us would take {words.bp(against)}.{past}"


def _bp(sheet: CostSheet, amount: float) -> float:
    notional = float(sheet.notional)
    return amount / notional * 1e4 if notional else math.nan
