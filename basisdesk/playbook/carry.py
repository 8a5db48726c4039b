"""Conservative carry (S2): basis and funding, an adaptive confidence, five times leverage at most.

Both signs of the basis. What is expected over the hold is counted with all costs; the confidence
that is asked for rises when the basis is wild and after losses, the size falls with the basis'
deviation, and the account's balance has the last word.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from basisdesk.events import ExitPlan
from basisdesk.playbook import parts
from basisdesk.playbook.confidence import heard
from basisdesk.playbook.edges import borrow_bp, fair_exit_bp, funding_bp
from basisdesk.playbook.parts import SD_FLOOR_BP, bp, hold, leave, stand
from basisdesk.playbook.sizing import Wish
from basisdesk.playbook.words import Decision, Held, Knobs, Param, View

KNOBS = Knobs(
    (
        Param("confidence", 70.0, "%", 0.0, 100.0, "S2",
              "Enter when the confidence in convergence is at least this; never below p* either."),
        Param("confidence_vol", 10.0, "%", 0.0, 100.0, "S2",
              "The threshold adapts: so many points more where the 5 min deviation is twice the "
              "2 h one, in proportion."),
        Param("confidence_loss", 3.0, "%", 0.0, 50.0, "S2",
              "The threshold adapts: so many points more for each lost pair of the last five."),
        Param("confidence_exit", 50.0, "%", 0.0, 100.0, "ours",
              "Leave at no loss when the confidence has fallen under this."),
        Param("blind_share", 0.25, "x", 0.0, 1.0, "ours",
              "Part of the size while the forecast abstains for want of outcomes; 0: no score, no "
              "trade."),
        Param("hold_h", 24.0, "h", 1.0, 720.0, "ours", "The hold that the carry is counted over."),
        Param("funding_half_h", 24.0, "h", 1.0, 720.0, "ours",
              "Funding in our favour is taken to halve in this time."),
        Param("edge_min_bp", 3.0, "bp", 0.0, 200.0, "ours",
              "What has to be left after four fees, spreads and interest. The note's 0.05 % a leg "
              "is not taken for fees: the desk's own schedule is."),
        Param("vol_target_bp", 10.0, "bp", 0.5, 200.0, "S2",
              "Dynamic size by basis volatility: full size up to this 2 h deviation, less beyond."),
        Param("stop_sd", 3.0, "sd", 0.5, 20.0, "ours", "Stop so far beyond the entry,"),
        Param("stop_min_bp", 30.0, "bp", 5.0, 1000.0, "ours", "but never nearer than this."),
        Param("leverage", 5.0, "x", 1.0, 5.0, "S2",
              "Five at most, a hard limit. A short is liquidated some 19 % up."),
        Param("guard_cut", 80.0, "%", 0.0, 100.0, "S2",
              "Balance guard: below this part of the starting balance sizes are halved,"),
        Param("guard_stop", 60.0, "%", 0.0, 100.0, "S2",
              "below this one nothing is entered and what is held is closed."),
        Param("free_min", 20.0, "%", 0.0, 100.0, "S2",
              "Balance guard: so much of the account is free before an entry."),
        Param("both_signs", 1.0, "yes/no", 0.0, 1.0, "S2",
              "Trade a basis below fair value too; it borrows the coin, which is in the costs."),
        Param("alloc", 60.0, "%", 1.0, 100.0, "ours", "Most of the account in one pair."),
    )
)  # fmt: skip

LAST = 5


class Worth(NamedTuple):
    """What one direction is expected to earn, bp of the notional."""

    direction: int
    convergence_bp: float
    funding_bp: float
    costs_bp: float

    @property
    def edge_bp(self) -> float:
        """All together."""
        return self.convergence_bp + self.funding_bp - self.costs_bp

    @property
    def text(self) -> str:
        """The arithmetic."""
        return (
            f"{bp(self.convergence_bp, signed=True)} of convergence and "
            f"{bp(self.funding_bp, signed=True)} of funding less {bp(self.costs_bp)} of costs are "
            f"{bp(self.edge_bp, signed=True)}"
        )


class Carry:
    """See the module."""

    name = "carry"
    title = "Conservative carry"
    about = (
        "Earns basis and funding on either side with a confidence that adapts to the market, sizes "
        "by the basis' volatility and guards the balance; five times leverage at most."
    )

    def __init__(self, knobs: Knobs = KNOBS) -> None:
        self._k = knobs

    @property
    def params(self) -> tuple[Param, ...]:
        """All that can be set, with the values now."""
        return self._k.params

    def with_values(self, values: Mapping[str, float]) -> "Carry":
        """The same with other values."""
        return Carry(self._k.changed(values))

    def decide(self, view: View, now_ns: int) -> Decision:
        """Enter the better side where it pays and is likely, else say why not."""
        if view.held is not None:
            return parts.at_work(view) or self._exit(view, view.held, now_ns)
        no = parts.not_now(view) or self._guards(view)
        if no is not None:
            return no
        if not math.isfinite(view.fair_bp):
            return stand("fair", "Fair value is not known: the funding interval is missing.")
        both = (1, -1) if self._k.on("both_signs") else (1,)
        best = max((self._worth(view, d) for d in both), key=lambda worth: worth.edge_bp)
        if not best.edge_bp >= self._k["edge_min_bp"]:
            text = (
                f"No carry: {parts.sides(best.direction)}, {best.text} over "
                f"{self._k['hold_h']:g} h, {bp(self._k['edge_min_bp'])} are needed."
            )
            return stand("cost-zone", text, best.direction)
        return self._likely(view, best)

    def _worth(self, view: View, d: int) -> Worth:
        k = self._k
        return Worth(
            d,
            d * (view.entry_bp(d) - fair_exit_bp(view, d)),
            funding_bp(view, d, k["hold_h"], k["funding_half_h"]),
            view.terms.fees_bp + borrow_bp(view, d, k["hold_h"]),
        )

    def _guards(self, view: View) -> Decision | None:
        k, account = self._k, view.account
        part = _part(view)
        if part < k["guard_stop"]:
            text = (
                f"The account is at {part:.0f} % of its start, the guard is {k['guard_stop']:g} %."
            )
            return stand("guard", text)
        free = 100 * float(account.free / account.equity) if account.equity > 0 else 0.0
        if free < k["free_min"]:
            text = f"{free:.0f} % of the account is free, {k['free_min']:g} % are kept."
            return stand("guard", text)
        return None

    def _line(self, view: View) -> tuple[float, str]:
        # the confidence asked for, a fraction, and how it came
        k = self._k
        wild = view.fast.sd_bp / max(view.slow.sd_bp, SD_FLOOR_BP) - 1.0
        by_vol = k["confidence_vol"] * min(max(wild, 0.0), 1.0)
        by_loss = k["confidence_loss"] * parts.losing_streak(view, LAST)
        total = min(99.0, k["confidence"] + by_vol + by_loss)
        text = f"{k['confidence']:g} + {by_vol:.0f} for volatility + {by_loss:.0f} for losses"
        return total / 100, text

    def _likely(self, view: View, worth: Worth) -> Decision:
        d = worth.direction
        said = heard(view, d, self._k["blind_share"])
        if said.share == 0.0:
            return said.told(stand("abstain", f"No confidence, no trade: {said.text}.", d))
        if said.p is not None:
            line, how = self._line(view)
            if said.p < max(line, said.p_star + view.margin):
                text = (
                    f"Confidence {100 * said.p:.0f} % ({said.text}) is under "
                    f"{100 * max(line, said.p_star + view.margin):.0f} % ({how})."
                )
                return said.told(stand("confidence", text, d))
        return said.told(self._enter(view, worth, said.share, said.text))

    def _enter(self, view: View, worth: Worth, blind: float, said: str) -> Decision:
        k, d = self._k, worth.direction
        sd = max(view.slow.sd_bp, SD_FLOOR_BP)
        share, why = min(1.0, k["vol_target_bp"] / sd), f"the basis' deviation is {bp(sd)}"
        if blind < 1.0:
            share, why = share * blind, f"{why} and {said}"
        if _part(view) < k["guard_cut"]:
            share, why = share / 2, f"{why} and the balance is under {k['guard_cut']:g} %"
        stop = view.exit_bp(d) + d * max(k["stop_sd"] * sd, k["stop_min_bp"])
        alone = worth.convergence_bp - worth.costs_bp >= k["edge_min_bp"]  # without funding
        target = parts.tenth(fair_exit_bp(view, d)) if alone else None
        plan = ExitPlan(
            target,
            parts.tenth(stop),
            max_hold_h=parts.hours(k["hold_h"]),
            funding_bp=parts.tenth(1.0),
        )
        wish = Wish(
            direction=d,
            plan=plan,
            edge_bp=worth.edge_bp,
            leverage=k["leverage"],
            share=share,
            why=why,
            alloc=k["alloc"] / 100,
            by_convergence=alone,
            net_bp=0.0 if alone else worth.edge_bp,
        )
        text = f"{parts.sides(d)}: over {k['hold_h']:g} h {worth.text}; {said}"
        return parts.enter(view, wish, "carry", text)

    def _exit(self, view: View, held: Held, now_ns: int) -> Decision:
        k, told = self._k, parts.net_words(view, held)
        if _part(view) < k["guard_stop"]:
            text = f"the account is at {_part(view):.0f} % of its start; {told}"
            return leave(held, "guard", text)
        said = heard(view, held.direction, 0.0)
        if said.p is not None and 100 * said.p < k["confidence_exit"] and parts.net_bp(held) >= 0.0:
            text = f"confidence is {100 * said.p:.0f} %, under {k['confidence_exit']:g} %; {told}"
            return said.told(leave(held, "confidence", text))
        age = parts.age_h(held, now_ns)
        return said.told(hold(held, f"pair {held.pair}, {age:.1f} h of {k['hold_h']:g} h; {told}"))


def _part(view: View) -> float:
    """The account in percent of its start; 100 where that is not known."""
    account = view.account
    return 100 * float(account.equity / account.start) if account.start > 0 else 100.0
