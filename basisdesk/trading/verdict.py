"""The ticket's verdict: what the plan can earn after its costs, in one sentence, and its terms.

The entry rule (features.md row 39): convergence > fees + worst slippage + one funding interval.
Entry, target and stop are executable bases, so spread and depth of this moment stand in them
already (quant.md 2.6 counts from mids). The rule is told from mid to mid, where all three terms can
be seen: convergence is then the executable one plus the slippage of way in and way out as measured,
and the worst slippage is both ways at the dearer of the two. A target beyond fair value is counted
to fair value only: nothing pulls the basis further (quant.md 1.1).
"""

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from basisdesk.market.state import Market
from basisdesk.trading import words

if TYPE_CHECKING:
    from basisdesk.trading.costs import CostSheet

BEYOND_BP = 5.0  # a target this far past fair value is called beyond it
WORSE_BP = 0.05  # less of worse slippage is not told


class EntryRule(msgspec.Struct, frozen=True):
    """The terms of the entry rule, bp of the reference leg's notional.

    convergence_bp: from the mid now to the mid at the exit. fees_bp: all four, with the conversion
    of money. slip_bp: worst slippage, in and out. funding_bp: one interval of funding against us
    and 8 h of interest, 0 where funding pays us. executable_bp: convergence less the slippage
    measured now. beyond: the target lies beyond fair value (or there is none) and exit_bp, to where
    it is counted, is fair value.
    light: "green" when convergence is more than the three together, "red" when it does not even pay
    fees and measured slippage (the cost zone), else "amber".
    """

    convergence_bp: float
    fees_bp: float
    slip_bp: float
    funding_bp: float
    executable_bp: float
    exit_bp: float
    beyond: bool
    light: Literal["green", "amber", "red"]

    @property
    def left_bp(self) -> float:
        """Convergence less the three terms; > 0 is green."""
        return self.convergence_bp - self.fees_bp - self.slip_bp - self.funding_bp

    @property
    def terms(self) -> tuple[tuple[str, float], ...]:
        """What stands against convergence, each by its name."""
        return (
            ("fees", self.fees_bp),
            ("worst slippage", self.slip_bp),
            ("one funding interval", self.funding_bp),
        )

    def left_at_touch_bp(self, impact_bp: float) -> float:
        """The edge of the first coin: executable convergence less fees, without the entry's impact.

        impact_bp: what the entry's size pays beyond the best prices.
        """
        return self.executable_bp + impact_bp - self.fees_bp


def fair_exit_bp(sheet: "CostSheet", market: Market) -> float:
    """The executable basis of leaving while the mid stands at fair value, bp; NaN when unknown."""
    legs = sheet.request.long, sheet.request.short
    pair = market.pairs.get(legs if sheet.direction > 0 else legs[::-1])
    if pair is None:
        return math.nan
    half_spread = (sheet.exit_bp_now - sheet.entry_bp) / 2  # signed: against us either way
    return pair.now.fair_bp + half_spread


def entry_rule(sheet: "CostSheet", market: Market) -> EntryRule | None:
    """The rule's terms for a priced sheet that can be left again.

    Without a target it is counted to fair value; None where that is not known either.
    """
    d, fees = sheet.direction, sheet.fees_bp + sheet.conversion_bp
    wish, fair = sheet.request.exit.target_bp, fair_exit_bp(sheet, market)
    if wish is None and math.isnan(fair):
        return None
    target = fair if wish is None else float(wish)
    beyond = wish is None or d * (fair - target) > BEYOND_BP  # False: fair value is not known
    exit_bp = fair if beyond else target
    move = d * (sheet.entry_bp - exit_bp)
    worst = 2 * max(_bp(sheet, float(sheet.slip_in)), _bp(sheet, float(sheet.slip_out)))
    against = max(0.0, -_bp(sheet, float(sheet.funding_next))) + _bp(sheet, float(sheet.borrow_8h))
    spare = move - fees - against - max(0.0, worst - sheet.slip_bp)
    return EntryRule(
        convergence_bp=move + sheet.slip_bp,
        fees_bp=fees,
        slip_bp=max(worst, sheet.slip_bp),
        funding_bp=against,
        executable_bp=move,
        exit_bp=exit_bp,
        beyond=beyond,
        light="red" if move < fees else "amber" if spare < 0 else "green",
    )


def verdict(sheet: "CostSheet", market: Market) -> tuple[str, str]:
    """("go", "thin" or "no", the sentence) for a priced sheet that can be left again."""
    rule = sheet.rule or entry_rule(sheet, market)
    if rule is None:
        return "thin", (
            "Without a target, and with fair value not known, what this entry can earn cannot be "
            "said. Set a target basis, or wait for fair value."
        )
    charges = "fees and conversion" if sheet.conversion_bp else "fees"
    wish = sheet.request.exit.target_bp
    to = f"target {words.bp(rule.exit_bp)}"
    past = ""
    if rule.beyond:
        to = f"fair value, left at {words.bp(rule.exit_bp)}"
    if rule.beyond and wish is not None:
        said = words.bp(float(wish))
        past = f" The target of {said} lies beyond fair value and is counted to there."
    move, fees = rule.executable_bp, rule.fees_bp
    if rule.light == "red":
        return "no", (
            f"The target is inside the cost zone: entry {words.bp(sheet.entry_bp)} to {to} gives "
            f"{words.bp(move, signed=True)}, the four {charges} take {words.bp(fees)}.{past} "
            f"{_mend(sheet, rule, market)}"
        )
    after = (
        f"{words.bp(move)} of executable convergence to {to}, less {words.bp(fees)} of {charges}, "
        f"leave {words.bp(move - fees)}"
    )
    more = rule.slip_bp - sheet.slip_bp
    worse = f" and {words.bp(more)} of worse slippage" if more >= WORSE_BP else ""
    if rule.light == "amber":
        return "thin", (
            f"Thin: {after}; one interval of funding and interest against us{worse} takes "
            f"{words.bp(rule.funding_bp + max(0.0, more))}.{past}"
        )
    against = words.bp(rule.funding_bp)
    return "go", f"Worth it: {after}; one interval against us would take {against}.{past}"


def _mend(sheet: "CostSheet", rule: EntryRule, market: Market) -> str:
    d, fair = sheet.direction, fair_exit_bp(sheet, market)
    more = rule.slip_bp - sheet.slip_bp
    safest = sheet.entry_bp - d * (rule.fees_bp + rule.funding_bp + more)
    if rule.beyond or d * (fair - safest) > BEYOND_BP:
        return "Wait for a wider basis."
    return f"Set it to {words.bp(safest)} or beyond, or wait."


def _bp(sheet: "CostSheet", amount: float) -> float:
    notional = float(sheet.notional)
    return amount / notional * 1e4 if notional else math.nan
