"""Convergence (S4): the paper-trading script's knobs by name, its defects mended.

What is mended, with the defect's number in our list: exits lie outside the costs (B1) that one cost
function gives (B2), the hold is hours and not 90 seconds (B3), funding is in bp per 8 h (B4) and a
term of its own rather than the direction (B5), the slope of the 30 s mean is in bp a second (B6),
the deviation is of time and not of loop turns (B7), money limits are of the notional and of the
account (B8), the kill switch needs its number of pairs, is kept and reset (B9), and every exit has
its reason (B11). Arming (ENTRY_FRACTION), which never ran there, runs here.
"""

import math
from collections.abc import Mapping
from decimal import Decimal

from basisdesk.events import ExitPlan
from basisdesk.playbook import parts
from basisdesk.playbook.edges import against_bp, borrow_bp, way_back
from basisdesk.playbook.parts import SD_FLOOR_BP, bp, hold, leave, stand
from basisdesk.playbook.sizing import Wish
from basisdesk.playbook.words import Decision, Held, Knobs, Param, View
from basisdesk.trading import words

KNOBS = Knobs(
    (
        Param("entry_fraction", 0.70, "x", 0.0, 1.0, "S4",
              "ENTRY_FRACTION: armed while the basis is at least this part of the largest one of "
              "the last hours (it never ran in the script)."),
        Param("safety_buffer_bp", 5.0, "bp", 0.0, 100.0, "S4",
              "SAFETY_BUFFER_PCT: left over after all costs at the exit."),
        Param("min_basis_bp", 18.0, "bp", 0.0, 500.0, "S4",
              "MIN_BASIS_PCT: no entry below; it could never matter in the script."),
        Param("exit_basis_bp", 10.0, "bp", -100.0, 500.0, "S4",
              "Exit basis: 0.10 % as the note's example; the script's 0.60 % closed at a loss."),
        Param("compression", 0.30, "x", 0.0, 1.0, "S4",
              "Or leave at this part of the entry basis, where that is farther out."),
        Param("sigma", 1.5, "sd", 0.0, 6.0, "S4",
              "Deviations from the mean at entry; by time here, by loop turns in the script."),
        Param("ema_slope_bp_s", 0.5, "bp a s", 0.001, 100.0, "S4",
              "Most slope of the price against its 30 s mean; the script's 0.0008 was in quote "
              "units and meant another thing for each coin."),
        Param("min_funding_abs_bp", 0.5, "bp per 8 h", 0.0, 100.0, "S4",
              "MIN_FUNDING_ABS: least funding either way, normalised to 8 h."),
        Param("take_profit_bp", 20.0, "bp", 0.5, 1000.0, "S4",
              "Take profit in money: so much of the notional, net of everything."),
        Param("stop_loss_pct", 1.0, "%", 0.05, 20.0, "S4",
              "Stop loss in money: so much of the account; it sizes the pair and closes it."),
        Param("stop_bp", 40.0, "bp", 5.0, 1000.0, "ours",
              "How far the basis may widen; the size is such that this costs the stop loss."),
        Param("max_hold_h", 24.0, "h", 0.1, 720.0, "S4",
              "Hold limit: the script's 90 s paid a round trip to leave what is paid each 8 h."),
        Param("kill_pairs", 5, "pairs", 2, 100, "S4",
              "Kill switch: rests when its last so many pairs together lost, until it is reset; "
              "the script's tripped on the first."),
        Param("alloc", 45.0, "%", 1.0, 100.0, "S4",
              "USDT_ALLOC_FRACTION: most of the account in one pair; both legs come out of it."),
        Param("leverage", 1.0, "x", 1.0, 5.0, "S4", "LEVERAGE of the perpetual."),
        Param("reverse", 1.0, "yes/no", 0.0, 1.0, "S4",
              "Trade case 2 as well (borrowed spot short, perp long), its interest in the costs."),
    )
)  # fmt: skip


class Convergence:
    """See the module."""

    name = "convergence"
    title = "Convergence"
    about = (
        "The note's checklist and its script's knobs: armed near the widest basis, entered where "
        "the exit lies outside all costs, money limits, a rolling kill switch."
    )

    def __init__(self, knobs: Knobs = KNOBS) -> None:
        self._k = knobs

    @property
    def params(self) -> tuple[Param, ...]:
        """All that can be set, with the values now."""
        return self._k.params

    def with_values(self, values: Mapping[str, float]) -> "Convergence":
        """The same with other values."""
        return Convergence(self._k.changed(values))

    def decide(self, view: View, now_ns: int) -> Decision:
        """Enter an armed basis outside its costs, leave by its rules, else say why not."""
        if view.held is not None:
            return parts.at_work(view) or self._exit(view, view.held, now_ns)
        if no := parts.not_now(view):
            return no
        d = parts.side_of(view.mid_bp)
        return self._killed(view) or self._unarmed(view, d) or self._enter(view, d)

    def _killed(self, view: View) -> Decision | None:
        n = int(self._k["kill_pairs"])
        last = view.ours[-n:]
        total = sum((result.net for result in last), Decimal(0))
        if len(last) < n or total >= 0:
            return None
        money = words.money(total, view.account.currency, signed=True)
        return stand("killed", f"The last {n} pairs together made {money}; it rests until reset.")

    def _unarmed(self, view: View, d: int) -> Decision | None:
        k, basis = self._k, d * view.mid_bp
        if d == 0 or (d < 0 and not k.on("reverse")):
            return stand("side", f"The basis is {bp(view.mid_bp)}; case 2 is off.", d)
        if d * view.entry_bp(d) < k["min_basis_bp"]:
            text = f"The basis to enter at is {bp(view.entry_bp(d))}, "
            return stand("min-basis", f"{text}{bp(k['min_basis_bp'])} are needed.", d)
        most = d * (view.high_bp if d > 0 else view.low_bp)
        if basis < k["entry_fraction"] * most:
            text = (
                f"Not armed: {bp(basis)} are {100 * basis / most:.0f} % of the widest "
                f"{bp(most)}, {100 * k['entry_fraction']:.0f} % are needed."
            )
            return stand("unarmed", text, d)
        z = d * (view.mid_bp - view.slow.mean_bp) / max(view.slow.sd_bp, SD_FLOOR_BP)
        if z < k["sigma"]:
            return stand("sigma", f"The basis is {z:.1f} sd out, {k['sigma']:g} are needed.", d)
        slope = abs(view.flow.first_slope_bp_s)
        if slope > k["ema_slope_bp_s"]:
            text = f"The price runs {slope:.2f} bp a s, {k['ema_slope_bp_s']:g} are allowed."
            return stand("slope", text, d)
        if abs(view.funding.rate_8h_bp) < k["min_funding_abs_bp"]:
            text = f"Funding is {bp(view.funding.rate_8h_bp)} per 8 h, "
            return stand("funding", f"{text}{bp(k['min_funding_abs_bp'])} either way needed.", d)
        return None

    def _enter(self, view: View, d: int) -> Decision:
        k, entry = self._k, view.entry_bp(d)
        costs = borrow_bp(view, d, k["max_hold_h"]) + against_bp(view, d)
        wished = d * max(k["exit_basis_bp"], k["compression"] * d * entry)
        way = way_back(view, d, wished, k["safety_buffer_bp"], costs)
        if way is None:
            text = (
                f"Inside the cost zone: from {bp(entry)} no exit outside "
                f"{bp(view.terms.fees_bp + costs)} of costs and {bp(k['safety_buffer_bp'])} of "
                f"buffer lies before fair value of {bp(view.fair_bp)}."
            )
            return stand("cost-zone", text, d)
        plan = ExitPlan(
            parts.tenth(way.target_bp),
            parts.tenth(view.exit_bp(d) + d * k["stop_bp"]),
            max_hold_h=parts.hours(k["max_hold_h"]),
        )
        wish = Wish(
            direction=d,
            plan=plan,
            edge_bp=way.edge_bp,
            leverage=k["leverage"],
            alloc=k["alloc"] / 100,
            account_risk=k["stop_loss_pct"] / 100,
            net_bp=k["take_profit_bp"],
        )
        text = (
            f"{parts.sides(d)}: entry {bp(entry)} to exit {bp(way.target_bp)} leaves "
            f"{bp(way.edge_bp)} after {bp(view.terms.fees_bp + costs)} of costs"
        )
        return parts.enter(view, wish, "armed", text)

    def _exit(self, view: View, held: Held, now_ns: int) -> Decision:
        told = parts.net_words(view, held)
        most = view.account.equity * Decimal(repr(self._k["stop_loss_pct"])) / 100
        if held.net is not None and held.net <= -most:
            limit = words.money(most, view.account.currency)
            return leave(held, "stop-loss", f"{told}; the stop loss is {limit}")
        age, net = parts.age_h(held, now_ns), parts.net_bp(held)
        if math.isfinite(net) and net >= self._k["take_profit_bp"]:
            return leave(held, "take-profit", f"{told}, {bp(net)} of the notional")
        return hold(held, f"pair {held.pair}, {age:.2f} h old; {told}")
