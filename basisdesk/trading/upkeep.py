"""What a person changes of an open pair: its margin, its plan, its hedge."""

import copy
from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.events import (
    AddMargin,
    MarginMoved,
    Outcome,
    PlanChanged,
    Rebalance,
    SetPlan,
    WithdrawMargin,
)
from basisdesk.market.state import Market
from basisdesk.trading import exits, risk, words
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.margin import CENT
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.positions import PairPosition, Positions
from basisdesk.trading.quoting import undescribed
from basisdesk.trading.risk import No
from basisdesk.trading.sending import closing_order, least_order, leg_name, pair_rules

WHOLE = Decimal(1)


class Upkeep:
    """Answers the commands that change an open pair but do not close it."""

    def __init__(self, settings: Settings, positions: Positions, dealer: Dealer) -> None:
        self._settings = settings
        self._positions = positions
        self._dealer = dealer

    # --- margin ----------------------------------------------------------------------------------

    def add_margin(self, command: AddMargin, free: Decimal, now_ns: int) -> Outcome:
        """Move cash into a pair's margin. free: cash that no order needs; the reserve may go."""
        position, amount = self._positions.get(command.pair), command.amount
        currency = self._settings.account.currency
        no = self._no_margin(command.pair, position, amount) or self._no_step(amount)
        if no is None and amount > free:
            text = (
                f"Adding {words.money(amount, currency)} needs more than the "
                f"{words.money(free, currency)} that are free. Lower the amount."
            )
            no = No("funds", words.figure(amount), words.figure(free), text)
        return no.at(now_ns, "add_margin") if no else MarginMoved(now_ns, command.pair, amount)

    def withdraw_margin(self, command: WithdrawMargin, market: Market, now_ns: int) -> Outcome:
        """Take margin out again: what was added, and not so much that liquidation comes near.

        Only on fresh quotes, and not while a cost of this very moment draws on the same margin.
        """
        position, amount = self._positions.get(command.pair), command.amount
        no = self._no_margin(command.pair, position, amount) or self._no_step(amount)
        if no is None and position is not None:
            no = (
                self._drawn_on(position)
                or undescribed(position, market)
                or self._unseen(position, market, now_ns)
                or self._too_much(position, amount, market, now_ns)
            )
        if no is not None:
            return no.at(now_ns, "withdraw_margin")
        return MarginMoved(now_ns, command.pair, -amount)

    def _no_margin(self, pair: int, position: PairPosition | None, amount: Decimal) -> No | None:
        no = risk.check_close(position, pair, WHOLE)
        if no is not None or position is None:
            return no
        if not any(perp.qty for perp in position.perps):
            text = f"Pair {pair} holds no perpetual that margin could protect. Close it."
            return No("margin", words.figure(amount), "0", text)
        return risk.check_amount(amount, self._settings.account.currency)

    def _drawn_on(self, position: PairPosition) -> No | None:
        if position.pair not in self._dealer.frozen:
            return None
        text = (
            f"A cost that cash did not cover is being taken from the margin of pair "
            f"{position.pair}. Look at what is left, then ask again."
        )
        return No("pending", "a withdrawal", "after the cost", text)

    def _unseen(self, position: PairPosition, market: Market, now_ns: int) -> No | None:
        """Whether the quotes by which liquidation is measured are fresh."""
        held = [market.leg(leg.instrument) for leg in position.legs if leg.qty]
        return risk.check_fresh(held[0], held[-1], self._settings.risk, now_ns)

    def _no_step(self, amount: Decimal) -> No | None:
        if amount.adjusted() >= CENT.adjusted() and not amount % CENT:
            return None
        currency = self._settings.account.currency
        text = f"Margin moves in steps of {CENT:f} {currency}. Round the amount to one."
        return No("margin", words.figure(amount), f"steps of {CENT:f}", text)

    def _too_much(
        self, position: PairPosition, amount: Decimal, market: Market, now_ns: int
    ) -> No | None:
        currency = self._settings.account.currency
        spare = sum((max(Decimal(0), perp.added) for perp in position.perps), Decimal(0))
        spare = spare.quantize(CENT, "ROUND_DOWN")
        if amount > spare:
            text = (
                f"{words.money(amount, currency)} is more than the {words.money(spare, currency)} "
                "of margin beyond the initial one. Lower the amount."
            )
            return No("margin", words.figure(amount), words.figure(spare), text)
        after = copy.deepcopy(position)
        after.move_margin(-amount)
        least = self._settings.risk.liq_distance_min_pct
        for perp in after.perps:
            if not perp.qty:
                continue
            at = exits.gauge(after, perp, market, self._settings, now_ns)
            if at.price is not None and not at.distance_pct >= least:
                text = (
                    f"{words.name(perp.instrument)} would be liquidated {at.distance_pct:.1f} % "
                    f"from here, at least {least:g} % are kept. Lower the amount."
                )
                asked, allowed = f"{at.distance_pct:.1f} %", f"{least:g} %"
                return No("liq_distance", asked, allowed, text)
        return None

    # --- plan ------------------------------------------------------------------------------------

    def set_plan(self, command: SetPlan, now_ns: int) -> Outcome:
        """Replace a pair's exit plan; it always has a stop and a target.

        Of a pair of one leg it needs a rule that can act on one.
        """
        position = self._positions.get(command.pair)
        no = risk.check_close(position, command.pair, WHOLE)
        if no is None and position is not None:
            no = risk.check_plan(command.exit, position.direction)
            bare = position.state == "naked"
            no = no or (
                risk.check_bare(command.exit, command.pair)
                if bare
                else risk.check_planned(command.exit)
            )
        return no.at(now_ns, "set_plan") if no else PlanChanged(now_ns, command.pair, command.exit)

    # --- hedge -----------------------------------------------------------------------------------

    def rebalance(self, command: Rebalance, market: Market, now_ns: int) -> PairOrder | No:
        """The order that trades a pair's perpetual by what its legs do not cancel."""
        position = self._positions.get(command.pair)
        no = risk.check_close(position, command.pair, WHOLE)
        if no is not None or position is None:
            return no or No("pair", str(command.pair), "an open pair", "No such pair.")
        if no := self._not_now(position) or undescribed(position, market):
            return no
        held = position.other
        leg, rule = (
            market.leg(held.instrument),
            pair_rules(position, market)[0 if held is position.long else 1],
        )
        if no := risk.check_fresh(leg, leg, self._settings.risk, now_ns):
            return no
        gap, least = position.delta, least_order(market, held.instrument)
        qty = rule.round_nearest(abs(gap))
        if qty <= 0 or qty < least:
            text = (
                f"The legs of pair {position.pair} differ by {words.plain(abs(gap))} {rule.base}; "
                f"the smallest order on {words.name(rule.key)} is {words.plain(least)}. Nothing is "
                "to be done."
            )
            return No("rebalance", words.figure(abs(gap)), words.figure(least), text)
        grows = (gap > 0) == (held.role == "short")
        if not grows:
            qty = min(qty, abs(held.qty))
        return self._traded(position, grows, qty, now_ns)

    def _traded(self, position: PairPosition, grows: bool, qty: Decimal, now_ns: int) -> PairOrder:
        held = position.other
        when = (now_ns, position.pair)
        name = leg_name(held.role)
        leg = self._dealer.leg(name, held.instrument, (qty, qty), opening=grows, when=when)
        if not grows:
            return closing_order(position, "rebalance", (leg,), now_ns, give_up_ns=leg.due_ns)
        return PairOrder(
            kind="add",
            pair=position.pair,
            long=position.long.instrument,
            short=position.short.instrument,
            reason="rebalance",
            asked_ns=now_ns,
            give_up_ns=leg.due_ns,
            legs=(leg,),
        )

    def _not_now(self, position: PairPosition) -> No | None:
        pair, text = position.pair, ""
        if position.state == "unhedged":
            text = f"Pair {pair} misses a leg: its policy is at work on it already. Wait for it."
        elif position.state != "open":
            text = f"Pair {pair} is {position.state}: it has no hedge to mend. Close it."
        elif position.work is not None or self._dealer.of(pair):
            text = f"An order of pair {pair} is under way. Wait for its end or cancel it."
        return No("rebalance", position.state, "an open pair", text) if text else None
