"""Decoupling (S1): a spread far from its own mean that has stopped widening is traded back.

Bands are of the spread's own deviation, so a threshold means the same in a calm and in a wild
market. What tells reverting from widening is the slope of the last minute, the two moving averages
and the books; time takes from the profit that is waited for.
"""

import math
from collections.abc import Mapping

from basisdesk.events import ExitPlan
from basisdesk.playbook import parts
from basisdesk.playbook.edges import WayBack, borrow_bp, fair_exit_bp, way_back
from basisdesk.playbook.parts import SD_FLOOR_BP, bp, hold, leave, stand
from basisdesk.playbook.sizing import Wish
from basisdesk.playbook.words import Decision, Held, Knobs, Param, View

KNOBS = Knobs(
    (
        Param("entry_z", 1.5, "sd", 0.5, 6.0, "S1",
              "Enter when the spread stands this many of its 2 h deviations from its 2 h mean."),
        Param("exit_z", 0.5, "sd", -2.0, 2.0, "S1",
              "Leave when it is back within this many deviations of the mean."),
        Param("vol_most", 1.25, "x", 1.0, 4.0, "S1",
              "The entry threshold grows with the 5 min deviation over the 2 h one, up to this."),
        Param("loss_step", 0.25, "sd", 0.0, 2.0, "S1",
              "Continuous adaptation: each lost pair of the last ones raises the threshold so "
              "much."),
        Param("loss_pairs", 5, "pairs", 1, 50, "ours", "How many last pairs are looked back at."),
        Param("cross_sd", 0.25, "sd", 0.0, 3.0, "S1",
              "MA crossover: the 5 min mean stands beyond the 2 h mean by this at least, and the "
              "trade is over when it has crossed back."),
        Param("widen_max", 0.10, "sd a min", -1.0, 2.0, "S1",
              "Do not stand against momentum: a spread that widens faster than this, in 5 min "
              "deviations a minute, is refused."),
        Param("lead_cut", 0.5, "x", 0.0, 1.0, "S1",
              "Lead-lag confirmation: without a stable leader the size is cut to this; 0 refuses."),
        Param("depth_min", 0.1, "x", 0.0, 10.0, "S1",
              "Depth confirmation: the perpetual shows at least this much of the first leg's "
              "depth, else the spread is one of thin books."),
        Param("tilt_max", 0.8, "x", 0.0, 2.0, "S1",
              "Depth confirmation: books that lean further than this into the widening refuse."),
        Param("range_sd", 2.0, "sd", 0.5, 6.0, "S1",
              "Expected divergence range: full size where the way back is as long as this range "
              "of the spread, less in proportion."),
        Param("stop_sd", 1.5, "sd", 0.25, 10.0, "S1", "Stop so far beyond the entry,"),
        Param("stop_min_bp", 20.0, "bp", 1.0, 500.0, "ours", "but never nearer than this."),
        Param("exit_net_bp", 5.0, "bp", 0.0, 100.0, "ours",
              "Back at the mean it leaves only where closing now nets this after all costs, else "
              "it waits for target, stop or time: a mean that follows the spread is reached "
              "without a profit."),
        Param("soft_h", 0.75, "h", 0.05, 72.0, "S1",
              "Time is money: the profit that is waited for shrinks to nothing over this time."),
        Param("hold_h", 2.0, "h", 0.05, 168.0, "S1", "Leave after this time whatever it nets."),
        Param("edge_min_bp", 5.0, "bp", 0.0, 100.0, "ours",
              "What has to be left after four fees, spreads and interest."),
        Param("leverage", 3.0, "x", 1.0, 5.0, "S1",
              "The note allows 5 to 10; the desk's hard limit is 5, and a liquidation at 5 is "
              "about 19 % away."),
        Param("alloc", 50.0, "%", 1.0, 100.0, "S1",
              "Most of the account in one pair; the rest is the bankroll kept idle."),
    )
)  # fmt: skip


class Decoupling:
    """See the module. The spread is judged at mids, entered and left at executable prices."""

    name = "decoupling"
    title = "Decoupling"
    about = (
        "Trades a spread that left its mean and has stopped widening: bands, two moving averages, "
        "lead-lag and depth confirm; exits by price and by time."
    )

    def __init__(self, knobs: Knobs = KNOBS) -> None:
        self._k = knobs

    @property
    def params(self) -> tuple[Param, ...]:
        """All that can be set, with the values now."""
        return self._k.params

    def with_values(self, values: Mapping[str, float]) -> "Decoupling":
        """The same with other values."""
        return Decoupling(self._k.changed(values))

    def decide(self, view: View, now_ns: int) -> Decision:
        """Enter a spread that turns, leave by price or time, else say why not."""
        if view.held is not None:
            return parts.at_work(view) or self._exit(view, view.held, now_ns)
        if no := parts.not_now(view):
            return no
        sd = max(view.slow.sd_bp, SD_FLOOR_BP)
        away = view.mid_bp - view.slow.mean_bp
        d = parts.side_of(away)
        z, line = abs(away) / sd, self._line(view)
        stands = (
            f"the spread of {bp(view.mid_bp)} is {z:.1f} sd from its 2 h mean of "
            f"{bp(view.slow.mean_bp)} (1 sd is {bp(sd)})"
        )
        way = self._way(view, d, sd)
        if way is None:
            left = d * (view.entry_bp(d) - fair_exit_bp(view, d)) - self._costs(view, d)
            text = (
                f"Inside the cost zone: {stands}; from {bp(view.entry_bp(d))} the way to fair "
                f"value leaves {bp(left)} after {bp(self._costs(view, d))}, "
                f"{bp(self._k['edge_min_bp'])} are needed."
            )
            return stand("cost-zone", text, d)
        if z < line:
            return stand("inside", f"No decoupling: {stands}, {line:.1f} are needed.", d)
        return self._confirmed(view, d, stands) or self._enter(view, d, way, stands)

    def _costs(self, view: View, d: int) -> float:
        return view.terms.fees_bp + borrow_bp(view, d, self._k["hold_h"])

    def _way(self, view: View, d: int, sd: float) -> WayBack | None:
        k = self._k
        wished = view.leaving_at(d, view.slow.mean_bp + d * k["exit_z"] * sd)
        return way_back(view, d, wished, k["edge_min_bp"], borrow_bp(view, d, k["hold_h"]))

    def _line(self, view: View) -> float:
        # the threshold, adapted to volatility and to what came of the last pairs
        k, sd = self._k, max(view.slow.sd_bp, SD_FLOOR_BP)
        wild = min(max(view.fast.sd_bp / sd, 1.0), k["vol_most"])
        lost = parts.losing_streak(view, int(k["loss_pairs"]))
        return k["entry_z"] * wild + k["loss_step"] * lost

    def _confirmed(self, view: View, d: int, stands: str) -> Decision | None:
        # what speaks against a return, None where nothing does
        k, flow = self._k, view.flow
        sd = max(view.slow.sd_bp, SD_FLOOR_BP)
        cross = d * (view.fast.mean_bp - view.slow.mean_bp) / sd
        if cross < k["cross_sd"]:
            text = (
                f"Only a spike so far: {stands}, but the 5 min mean is {cross:.2f} sd beyond the "
                f"2 h mean, {k['cross_sd']:.2f} are needed."
            ).replace(" -", " \u2212")
            return stand("no-cross", text, d)
        pace = d * flow.slope_bp_min / max(view.fast.sd_bp, SD_FLOOR_BP)
        if math.isnan(pace):
            return stand("widening", f"How fast it moves is not known: {stands}.", d)
        if pace > k["widen_max"]:
            text = (
                f"It widens with momentum: {stands} and moves {bp(d * flow.slope_bp_min)} a "
                f"minute away, {pace:.2f} of its 5 min deviation; {k['widen_max']:.2f} are allowed."
            )
            return stand("widening", text, d)
        if flow.depth_ratio < k["depth_min"]:
            text = (
                f"The perpetual shows {flow.depth_ratio:.2f} of the first leg's depth, "
                f"{k['depth_min']:.2f} are needed: this spread is one of thin books."
            )
            return stand("depth", text, d)
        if d * flow.tilt > k["tilt_max"]:
            text = (
                f"The books lean {d * flow.tilt:.2f} into the widening, {k['tilt_max']:.2f} are "
                "allowed."
            )
            return stand("depth", text, d)
        if not flow.leader and k["lead_cut"] == 0.0:
            return stand("lead", f"Lead-lag does not confirm: {flow.lead}.", d)
        return None

    def _enter(self, view: View, d: int, way: WayBack, stands: str) -> Decision:
        k, sd = self._k, max(view.slow.sd_bp, SD_FLOOR_BP)
        move = d * (view.entry_bp(d) - way.target_bp)
        share = min(1.0, move / (k["range_sd"] * sd))
        why = f"the way back is {bp(move)} of a divergence range of {bp(k['range_sd'] * sd)}"
        if not view.flow.leader:
            share *= k["lead_cut"]
            why += " and no leader confirms"
        stop = view.entry_bp(d) + d * max(k["stop_sd"] * sd, k["stop_min_bp"])
        stop += view.exit_bp(d) - view.entry_bp(d)
        plan = ExitPlan(
            parts.tenth(way.target_bp), parts.tenth(stop), max_hold_h=parts.hours(k["hold_h"])
        )
        wish = Wish(
            direction=d,
            plan=plan,
            edge_bp=way.edge_bp,
            leverage=k["leverage"],
            share=share,
            why=why,
            alloc=k["alloc"] / 100,
        )
        text = (
            f"{parts.sides(d)}: {stands} and has stopped widening "
            f"({bp(d * view.flow.slope_bp_min, signed=True)} a minute); entry "
            f"{bp(view.entry_bp(d))} to target {bp(way.target_bp)} leaves {bp(way.edge_bp)} after "
            f"{bp(self._costs(view, d))}"
        )
        return parts.enter(view, wish, "turned", text)

    def _exit(self, view: View, held: Held, now_ns: int) -> Decision:
        k, d = self._k, held.direction
        net, age = parts.net_bp(held), parts.age_h(held, now_ns)
        if math.isnan(net):
            return hold(held, f"pair {held.pair}: {parts.net_words(view, held)}")
        told = f"{parts.net_words(view, held)} ({bp(net, signed=True)})"
        if parts.full(view.slow) and parts.full(view.fast) and net >= max(k["exit_net_bp"], 0.0):
            back = view.slow.mean_bp + d * k["exit_z"] * max(view.slow.sd_bp, SD_FLOOR_BP)
            if d * (held.close_bp - view.leaving_at(d, back)) <= 0.0:
                text = f"the spread is back within {k['exit_z']:g} sd of its mean; {told}"
                return leave(held, "reverted", text)
            if d * (view.fast.mean_bp - view.slow.mean_bp) <= 0.0:
                return leave(held, "crossed", f"the 5 min mean has crossed the 2 h mean; {told}")
        wanted = self._wanted_bp(view, held) * max(0.0, 1.0 - age / k["soft_h"])
        if net > 0.0 and net >= wanted:
            text = (
                f"after {age:.2f} h {bp(wanted)} are still waited for, time has taken the rest; "
                f"{told}"
            )
            return leave(held, "time", text)
        text = f"pair {held.pair}, {age:.2f} h old: {told}, {bp(wanted)} are waited for"
        return hold(held, text)

    def _wanted_bp(self, view: View, held: Held) -> float:
        # what the target would net, of the notional
        if held.plan.target_bp is None or not math.isfinite(view.terms.fees_bp):
            return 0.0
        way = held.direction * (held.entry_bp - float(held.plan.target_bp))
        return max(0.0, way - view.terms.fees_bp)
