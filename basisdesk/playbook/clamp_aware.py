"""Clamp-aware (ours): the basis is traded to where the venue's funding rule lets it rest.

Nothing pulls the basis to zero; the clamp lets it rest at fair value (market/fair.py). An entry
needs an executable way to there beyond all costs and one interval of funding against it, and a
calibrated probability above the one at which such a trade earns nothing. Without a score that may
be acted upon there is no trade.
"""

import math
from collections.abc import Mapping

from basisdesk.events import ExitPlan
from basisdesk.playbook import parts
from basisdesk.playbook.confidence import Said, heard
from basisdesk.playbook.edges import against_bp, borrow_bp, fair_exit_bp, way_back
from basisdesk.playbook.parts import bp, hold, leave, stand
from basisdesk.playbook.sizing import Wish
from basisdesk.playbook.words import Decision, Held, Knobs, Param, View

KNOBS = Knobs(
    (
        Param("edge_min_bp", 5.0, "bp", 0.0, 200.0, "ours",
              "Executable way to fair value less four fees, interest and one interval of funding "
              "against the trade has to leave this."),
        Param("widen_max", 12.0, "sd an h", 0.0, 1000.0, "ours",
              "Do not stand against momentum: refused while the 5 min mean of the basis moves away "
              "faster than this, in 2 h deviations an hour; 1000 is no limit."),
        Param("margin", 2.0, "%", 0.0, 50.0, "ours",
              "By so many points the probability has to be above p*, the one that earns nothing, "
              "or by the forecast's own where that is more (10 while drift is under review)."),
        Param("blind_share", 0.0, "x", 0.0, 1.0, "ours",
              "Part of the size while the forecast abstains for want of outcomes; 0: no score, no "
              "trade."),
        Param("exit_under", 20.0, "%", 0.0, 100.0, "ours",
              "Leave at no loss when the probability is so many points below p*."),
        Param("stop_bp", 40.0, "bp", 5.0, 1000.0, "ours", "Stop so far beyond the entry."),
        Param("hold_h", 8.0, "h", 0.1, 720.0, "ours",
              "Time stop: the horizon that the forecast's outcomes are counted over."),
        Param("leverage", 2.0, "x", 1.0, 5.0, "ours",
              "Leverage hardly moves the return of a hedged pair and multiplies liquidations."),
        Param("alloc", 50.0, "%", 1.0, 100.0, "ours", "Most of the account in one pair."),
    )
)  # fmt: skip

NO_LIMIT = 1000.0  # of widen_max


class ClampAware:
    """See the module."""

    name = "clamp-aware"
    title = "Clamp-aware"
    about = (
        "Trades the basis to the fair value that the funding clamp gives it, beyond the cost zone, "
        "and only where the calibrated probability is above break-even."
    )

    def __init__(self, knobs: Knobs = KNOBS) -> None:
        self._k = knobs

    @property
    def params(self) -> tuple[Param, ...]:
        """All that can be set, with the values now."""
        return self._k.params

    def with_values(self, values: Mapping[str, float]) -> "ClampAware":
        """The same with other values."""
        return ClampAware(self._k.changed(values))

    def decide(self, view: View, now_ns: int) -> Decision:
        """Enter beyond costs with the odds above p*, leave when they are gone, else say why not."""
        if view.held is not None:
            return parts.at_work(view) or self._exit(view, view.held, now_ns)
        if no := parts.not_now(view, bands=False):
            return no
        if not math.isfinite(view.fair_bp):
            return stand("fair", "Fair value is not known: the funding interval is missing.")
        k, d = self._k, parts.side_of(view.mid_bp - view.fair_bp)
        costs = borrow_bp(view, d, k["hold_h"]) + against_bp(view, d)
        way = way_back(view, d, fair_exit_bp(view, d), k["edge_min_bp"], costs) if d else None
        stands = (
            f"from {bp(view.entry_bp(d))} to fair value, left at {bp(fair_exit_bp(view, d))}, less "
            f"{bp(view.terms.fees_bp)} of fees and {bp(costs)} of funding and interest"
        )
        if way is None:
            left = d * (view.entry_bp(d) - fair_exit_bp(view, d)) - view.terms.fees_bp - costs
            text = f"Inside the cost zone: {stands} leave {bp(left)}, "
            return stand("cost-zone", f"{text}{bp(k['edge_min_bp'])} are needed.", d)
        said = heard(view, d, k["blind_share"], k["margin"] / 100)
        if no := self._widening(view, d):
            return no
        no = self._unlikely(said, d)
        return said.told(no or self._enter(view, d, way.edge_bp, (said, stands)))

    def _widening(self, view: View, d: int) -> Decision | None:
        most = self._k["widen_max"]
        if most >= NO_LIMIT:
            return None
        pace = parts.pace_sd_h(view, d)
        if math.isnan(pace):
            return stand("warm-up", "How fast the basis moves is not known yet.", d)
        if pace <= most:
            return None
        text = (
            f"It widens still: the 5 min mean of {bp(view.fast.mean_bp)} moves away at "
            f"{pace:.1f} sd an hour (1 sd is {bp(view.slow.sd_bp)}), {most:g} are allowed."
        )
        return stand("widening", text, d)

    def _unlikely(self, said: Said, d: int) -> Decision | None:
        if said.share == 0.0:
            return stand("abstain", f"No score, no trade: {said.text}.", d)
        if said.p is None:
            return None
        if said.p >= said.line:
            return None
        text = (
            f"p is {100 * said.p:.1f} %, p* {100 * said.p_star:.1f} % and the margin "
            f"{100 * said.margin:g} points: the odds do not pay the costs."
        )
        return stand("odds", text, d)

    def _enter(self, view: View, d: int, edge: float, told: tuple[Said, str]) -> Decision:
        k, (said, stands) = self._k, told
        share, why = said.share, said.text
        if said.p is not None:
            share = min(1.0, (said.p - said.p_star) / max(1e-9, 1.0 - said.p_star))
            why = f"p {100 * said.p:.1f} % over p* {100 * said.p_star:.1f} %"
        stop = view.exit_bp(d) + d * k["stop_bp"]
        target = parts.tenth(fair_exit_bp(view, d))
        plan = ExitPlan(target, parts.tenth(stop), max_hold_h=parts.hours(k["hold_h"]))
        wish = Wish(
            direction=d,
            plan=plan,
            edge_bp=edge,
            leverage=k["leverage"],
            share=share,
            why=why,
            alloc=k["alloc"] / 100,
        )
        text = f"{parts.sides(d)}: {stands} leave {bp(edge)}; {said.text}"
        return parts.enter(view, wish, "edge", text)

    def _exit(self, view: View, held: Held, now_ns: int) -> Decision:
        said, net = heard(view, held.direction, 0.0), parts.net_bp(held)
        told = parts.net_words(view, held)
        if said.p is not None and net >= 0.0:
            line = said.p_star - self._k["exit_under"] / 100
            if said.p < line:
                text = f"p is {100 * said.p:.1f} %, under {100 * line:.1f} %; {told}"
                return said.told(leave(held, "odds", text))
        age = parts.age_h(held, now_ns)
        text = f"pair {held.pair}, {age:.2f} h old, on its way to fair value; {told}"
        return said.told(hold(held, text))
