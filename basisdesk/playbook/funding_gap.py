"""Funding gap with a sector overlay (S3): what two venues pay for the same coin, or one of them.

The gap is normalised to 8 hours by true intervals. It has to pay the whole round trip within the
hold, not the opening alone; a gap that only just jumped up, or that narrows, is no gap. Exits are
set before the entry: a net target, a stop, time, funding that turned, a sector that reverses; and
the pair is left when the gap has narrowed.
"""

import math
from collections.abc import Mapping

from basisdesk.events import ExitPlan
from basisdesk.playbook import parts
from basisdesk.playbook.edges import borrow_bp, funding_bp, lasting_bp
from basisdesk.playbook.parts import bp, hold, leave, stand
from basisdesk.playbook.sizing import Wish
from basisdesk.playbook.words import Decision, Held, Knobs, Param, View
from basisdesk.trading.win_rate import win_rate

KNOBS = Knobs(
    (
        Param("gap_bp", 6.0, "bp per 8 h", 0.5, 200.0, "S3",
              "Enter from a gap of 0.06 % on; the note's 8 h are taken for all by true intervals."),
        Param("gap_exit_bp", 2.0, "bp per 8 h", -50.0, 200.0, "S3",
              "Take profit: leave when the gap has narrowed to this."),
        Param("venues_min", 3.0, "venues", 1.0, 10.0, "S3",
              "Venues whose funding is compared at least, where the scanner runs."),
        Param("velocity_bp_h", 3.0, "bp per 8 h an hour", 0.1, 100.0, "S3",
              "Velocity tells a lasting gap from a passing one: one that narrows faster is "
              "refused, one that widens faster has to be in the settled rate too."),
        Param("settled_part", 0.5, "x", 0.0, 1.0, "ours",
              "Part of a fast gap that the last settlement already has to have shown."),
        Param("btc_eth_bp", 5.0, "bp per 8 h", 0.0, 100.0, "S3",
              "BTC and ETH apart by 0.05 %: an entry in one of the two that stands against it is "
              "refused."),
        Param("sector_skip", 0.0, "yes/no", 0.0, 1.0, "S3",
              "A sector that contradicts halves the size; 1: skips the trade."),
        Param("risk", 2.0, "%", 0.05, 20.0, "S3", "Of the account that a pair may lose."),
        Param("net_low_bp", 3.0, "bp", 0.0, 100.0, "S3",
              "Net per trade that is asked for after all costs: the note's 0.03 %,"),
        Param("net_high_bp", 12.0, "bp", 0.5, 500.0, "S3",
              "and where it is taken: its 0.12 %. Targets, not promises."),
        Param("hold_h", 48.0, "h", 1.0, 720.0, "ours", "The hold that funding is counted over."),
        Param("half_life_h", 24.0, "h", 1.0, 720.0, "ours",
              "A gap is taken to halve in this time."),
        Param("near_min", 5.0, "min", 0.0, 240.0, "S3",
              "Settlement window: no entry so shortly before a stamp,"),
        Param("far_h", 8.0, "h", 0.5, 24.0, "S3", "nor longer than this before it."),
        Param("stop_bp", 40.0, "bp", 5.0, 1000.0, "ours", "Stop so far beyond the entry."),
        Param("win_rate", 55.0, "%", 0.0, 100.0, "S3",
              "Watch: no entry while fewer of its own pairs won than this,"),
        Param("win_pairs", 20, "pairs", 5.0, 200.0, "ours", "once there are so many."),
        Param("leverage", 3.0, "x", 1.0, 5.0, "S3",
              "The note's 10 is overruled by the desk's hard limit of 5."),
        Param("alloc", 40.0, "%", 1.0, 100.0, "ours", "Most of the account in one pair."),
    )
)  # fmt: skip


class FundingGap:
    """See the module."""

    name = "funding-gap"
    title = "Funding gap with sectors"
    about = (
        "Receives the difference of funding between two venues, or between a perpetual and spot, "
        "where it pays the whole round trip; the sector overlay confirms, halves or stops."
    )

    def __init__(self, knobs: Knobs = KNOBS) -> None:
        self._k = knobs

    @property
    def params(self) -> tuple[Param, ...]:
        """All that can be set, with the values now."""
        return self._k.params

    def with_values(self, values: Mapping[str, float]) -> "FundingGap":
        """The same with other values."""
        return FundingGap(self._k.changed(values))

    def decide(self, view: View, now_ns: int) -> Decision:
        """Enter a lasting gap that pays its costs, leave a narrowed one, else say why not."""
        if view.held is not None:
            return parts.at_work(view) or self._exit(view, view.held, now_ns)
        if no := parts.not_now(view, bands=False):
            return no
        rate = view.funding.rate_8h_bp
        if not math.isfinite(rate):
            return stand("funding", "The funding of these legs is not known.")
        d = parts.side_of(rate) or 1
        if abs(rate) < self._k["gap_bp"]:
            text = f"The gap is {bp(abs(rate))} per 8 h, {bp(self._k['gap_bp'])} are needed."
            return stand("gap", text, d)
        return (
            self._watched(view, d)
            or self._passing(view, d)
            or self._window(view, d)
            or self._enter(view, d)
        )

    def _watched(self, view: View, d: int) -> Decision | None:
        # the win rate, the venues compared, BTC against ETH, the sector
        k, rate = self._k, win_rate(view.ours)
        if rate.pairs >= k["win_pairs"] and 100 * rate.rate < k["win_rate"]:
            text = (
                f"{rate.wins} of {rate.pairs} pairs won, {100 * rate.rate:.0f} % (95 %: "
                f"{100 * rate.low:.0f} to {100 * rate.high:.0f}); under {k['win_rate']:g} % the "
                "playbook rests until it is reset."
            )
            return stand("win-rate", text, d)
        gap = view.gap
        if gap is not None and gap.venues < k["venues_min"]:
            text = f"{gap.venues} venues tell the funding of {view.coin}, {k['venues_min']:g} must."
            return stand("venues", text, d)
        if gap is not None and view.coin in ("BTC", "ETH") and self._against_two(view, d):
            text = (
                f"BTC less ETH is {bp(gap.btc_eth_bp, signed=True)} per 8 h, beyond "
                f"{bp(k['btc_eth_bp'])}: {view.coin} stands against this entry."
            )
            return stand("btc-eth", text, d)
        if k.on("sector_skip") and view.word(d) == "against":
            return stand("sector", f"The sector of {view.coin} contradicts.", d)
        return None

    def _against_two(self, view: View, d: int) -> bool:
        # who is short the second leg wants it to be the dearer of the two coins
        apart = view.gap.btc_eth_bp if view.gap is not None else math.nan
        if not abs(apart) >= self._k["btc_eth_bp"]:
            return False
        dear = "BTC" if apart > 0.0 else "ETH"
        return (view.coin == dear) != (d > 0)

    def _passing(self, view: View, d: int) -> Decision | None:
        # whether the gap is one that will not last
        k, funding = self._k, view.funding
        pace, now = d * funding.velocity_bp_h, d * funding.rate_8h_bp
        if pace < -k["velocity_bp_h"]:
            text = f"The gap of {bp(now)} narrows by {bp(-pace)} an hour; it is leaving."
            return stand("narrowing", text, d)
        settled = d * funding.settled_8h_bp
        if pace > k["velocity_bp_h"] and not settled >= k["settled_part"] * now:
            text = (
                f"The gap of {bp(now)} rose by {bp(pace)} an hour and the last settlement showed "
                f"{bp(settled)}: it may be passing."
            )
            return stand("spike", text, d)
        return None

    def _window(self, view: View, d: int) -> Decision | None:
        k, next_ms = self._k, view.funding.next_ms
        if not next_ms:
            return stand("window", "The next settlement is not known.", d)
        left_h = (next_ms - view.t_ns / 1e6) / 3.6e6
        if k["near_min"] / 60 <= left_h <= k["far_h"]:
            return None
        text = (
            f"The next settlement is {60 * left_h:.0f} min away; entries are made {k['near_min']:g}"
            f" min to {k['far_h']:g} h before one."
        )
        return stand("window", text, d)

    def _enter(self, view: View, d: int) -> Decision:
        k = self._k
        pays = funding_bp(view, d, k["hold_h"], k["half_life_h"])
        back = d * (view.mid_bp - view.fair_bp)
        price = max(0.0, -back) if math.isfinite(back) else 0.0
        interest = borrow_bp(view, d, k["hold_h"])
        costs = view.terms.round_trip_bp + price + interest
        edge = pays - costs
        told = (
            f"a gap of {bp(d * view.funding.rate_8h_bp)} per 8 h (settled "
            f"{bp(d * view.funding.settled_8h_bp)}) is worth {bp(pays)} over {k['hold_h']:g} h, "
            f"the round trip costs {bp(view.terms.round_trip_bp)}, the price gap {bp(price)}"
            + (f" and interest {bp(interest)}" if interest else "")
            + f": {bp(edge, signed=True)}"
        )
        if not edge >= k["net_low_bp"]:
            text = f"It does not pay: {told}, {bp(k['net_low_bp'])} are needed."
            return stand("cost-zone", text, d)
        plan = ExitPlan(
            None,
            parts.tenth(view.exit_bp(d) + d * k["stop_bp"]),
            max_hold_h=parts.hours(k["hold_h"]),
            funding_bp=parts.tenth(max(0.5, -k["gap_exit_bp"])),
            sector=True,
        )
        wish = Wish(
            direction=d,
            plan=plan,
            edge_bp=edge,
            leverage=k["leverage"],
            alloc=k["alloc"] / 100,
            account_risk=k["risk"] / 100,
            by_convergence=False,
            net_bp=min(edge, k["net_high_bp"]),
        )
        word = {"for": "confirms", "against": "contradicts"}.get(view.word(d), "is neutral")
        return parts.enter(view, wish, "gap", f"{told}; the sector {word}")

    def _exit(self, view: View, held: Held, now_ns: int) -> Decision:
        k, d = self._k, held.direction
        now, told = d * view.funding.rate_8h_bp, parts.net_words(view, held)
        if now <= k["gap_exit_bp"] and lasting_bp(view, d) <= k["gap_exit_bp"]:
            cost, left = self._leaving_is_dearer(view, held)
            if not left:
                text = f"the gap has narrowed to {bp(now)} per 8 h; {told}"
                return leave(held, "narrowed", text)
            text = f"the gap has narrowed to {bp(now)} per 8 h, but {cost}; {told}"
            return hold(held, text)
        if view.word(d) == "against" and held.plan.sector:
            return leave(held, "sector", f"the sector of {view.coin} has reversed; {told}")
        age = parts.age_h(held, now_ns)
        return hold(held, f"pair {held.pair}, {age:.1f} h old, receives {bp(now)} per 8 h; {told}")

    def _leaving_is_dearer(self, view: View, held: Held) -> tuple[str, bool]:
        # a gap that still pays a little is kept while closing now would net a loss
        now, net = lasting_bp(view, held.direction), parts.net_bp(held)
        if net < 0.0 < now:
            return f"it still pays {bp(now)} and leaving now costs {bp(-net)}", True
        return "", False
