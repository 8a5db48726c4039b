"""Limits: what is asked before anything is priced, and the state that stops new entries.

A limit answers None (go) or a `No`: its name, what was asked, what is allowed and one sentence.
Limits of size, depth and cash need prices and live in quoting.py.
"""

import math
from decimal import Decimal

import msgspec

from basisdesk.config import Risk
from basisdesk.errors import RuleError
from basisdesk.events import ExitPlan, OpenPair, Refused, RiskChanged
from basisdesk.market.state import Leg, Market
from basisdesk.market.words import LegName, doubtful, missing, too_far_apart, too_old
from basisdesk.trading import words
from basisdesk.trading.margin import LEVERAGE_CAP
from basisdesk.trading.positions import PairPosition, direction_of
from basisdesk.venues.instrument import STABLES, Instrument, split_key

QTY_MAX = Decimal(10) ** 15  # base; beyond it a size is a slip of the hand
PLAN_MAX = 1_000_000  # bp or hours
MONEY_MAX = Decimal(10) ** 15  # account currency: of a net target or of margin moved
DIGITS_MAX = 40  # of a size, a fraction, a leverage or a plan
RATIO_LEAST, RATIO_MOST = 0.8, 1.25  # perp over spot per coin; beyond: not the same unit
LEVERAGE_LEAST, LEVERAGE_MOST = Decimal("0.001"), Decimal(1_000_000)  # nothing beyond is priced

STATES = ("active", "reducing", "halted")
BY_HAND = "Press Resume to open pairs again."
BY_ITSELF = "It ends by itself once this has been well for 30 s."
COUNTED_ANEW = (
    "Press Resume to go on: peak, day and last pairs are then counted from that moment, so it "
    "takes a further loss of the same size to halt again."
)
RESUME_WORDS = {
    "user": BY_HAND,
    "crash": "Look at the positions and at the log, then press Resume.",
    "audit": "Close what is doubtful; press Resume once positions and ledger can be trusted.",
    "drawdown": COUNTED_ANEW,
    "daily_loss": COUNTED_ANEW,
    "rolling": COUNTED_ANEW,
    "win_rate": "Press Resume to go on: only pairs closed after that are counted then.",
    "stale": BY_ITSELF,
    "clock": "It ends by itself after 30 s of fresh quotes.",
    "unhedged": BY_ITSELF,
    "liq_distance": "Add margin or close the pair. " + BY_ITSELF,
}  # cause -> what ends a state that says nothing of it


class No(msgspec.Struct, frozen=True):
    """A refusal that does not know its moment yet. `text` says what to do."""

    limit: str
    asked: str
    allowed: str
    text: str

    def at(self, now_ns: int, command: str) -> Refused:
        """The outcome that is journaled and shown."""
        return Refused(now_ns, self.limit, self.asked, self.allowed, self.text, command)


class RiskState(msgspec.Struct, frozen=True):
    """Whether the desk may open pairs, and if not, why, since when and what ends it.

    state: "active"; "reducing": no new pairs, while plans, hedges and closing run; "halted": the
    same, working entries are withdrawn too, and only a person resumes. cause: code of a trigger
    (see triggers.py), or "user", "crash", "audit". scope: what it covers, "desk".
    resume: in words, what ends it.
    """

    state: str = "active"
    reason: str = ""
    since_ns: int = 0
    cause: str = "user"
    scope: str = "desk"
    resume: str = ""

    @property
    def halted(self) -> bool:
        """Whether a person has to resume before anything is opened again."""
        return self.state == "halted"

    @property
    def entries(self) -> bool:
        """Whether new pairs may be opened."""
        return self.state == "active"

    def after(self, change: RiskChanged) -> "RiskState":
        """The state a change leads to. Raises RuleError for one that does not exist.

        A journal of an older desk names no cause and no way back: then it was a person's halt.
        """
        if change.state not in STATES:
            raise RuleError(f"risk state {change.state!r}")
        resume = change.resume
        if not resume and change.state != "active":
            resume = RESUME_WORDS.get(change.cause, BY_HAND)
        return RiskState(
            change.state, change.reason, change.ts_ns, change.cause, change.scope, resume
        )


def check_halted(state: RiskState) -> No | None:
    """No entry while halted or reducing; the sentence says why, and what ends it."""
    if state.entries:
        return None
    why = state.reason.rstrip(".") or "no reason given"
    return No(
        state.state,
        "an entry",
        "closing only",
        f"The desk is {state.state} ({why}): no new pairs. Closing works as always. "
        f"{state.resume or BY_HAND}",
    )


def check_legs(request: OpenPair, market: Market, currency: str) -> No | None:
    """Two described instruments of one coin, at least one perpetual, in dollars of some kind.

    currency: of the account. The legs' quote currencies may differ from it and from each other.
    """
    pair = f"{request.long} / {request.short}"
    rules: list[Instrument] = []
    for key in (request.long, request.short):
        rule = _described(key, market)
        if rule is None:
            text = (
                f"{words.name(key)} is not known: its venue has not described it. Check the name "
                "(venue:spot|perp:SYMBOL) or wait for the instrument list."
            )
            return No("instrument", key, "a described instrument", text)
        rules.append(rule)
    long, short = rules
    why = ""
    if request.long == request.short:
        why = "Both legs are the same instrument. Choose a spot and a perpetual, or two perpetuals"
    elif long.market == short.market == "spot":
        why = "Two spot legs make no basis trade. Choose a perpetual for one of them"
    elif long.base != short.base:
        why = f"The legs are of two coins, {long.base} and {short.base}. Choose one coin"
    elif not {long.quote, short.quote} <= {currency, *STABLES}:
        quotes = f"{long.quote} and {short.quote}"
        known = ", ".join(dict.fromkeys((currency, *STABLES)))
        why = (
            f"The legs are priced in {quotes}, the account is in {currency}. Choose legs in {known}"
        )
    return No("legs", pair, "one coin, one perpetual at least", f"{why}.") if why else None


def check_leverage(leverage: Decimal, limit: float) -> No | None:
    """Leverage from 1 to the limit; the venue's own limits are checked once there is a price."""
    most = min(LEVERAGE_CAP, Decimal(repr(limit)))
    if leverage.is_finite() and 1 <= leverage <= most and _written(leverage):
        return None
    asked, allowed = words.plain(leverage), words.plain(most)
    return No(
        "leverage",
        words.figure(leverage),
        words.figure(most),
        f"Leverage {asked} is outside 1 to {allowed}. Choose a value within.",
    )


def check_qty(qty: Decimal, rule: Instrument) -> No | None:
    """A positive whole number of lots. Nothing is rounded silently; the nearest size is named."""
    asked = words.figure(qty)
    if not qty.is_finite() or qty <= 0:
        return No("min_qty", asked, words.figure(rule.min_qty), "Enter a size above zero.")
    if qty > QTY_MAX:
        text = f"{words.plain(qty)} is no size. Enter a smaller one."
        return No("max_qty", asked, words.figure(QTY_MAX), text)
    if not _written(qty):
        text = f"{words.plain(qty)} is no size. Enter whole steps of {words.plain(rule.lot)}."
        return No("lot", asked, words.figure(rule.lot), text)
    nearest = max(rule.round_nearest(qty), rule.lot)
    if rule.round_down(qty) == qty:
        return None
    return No(
        "lot",
        asked,
        words.figure(nearest),
        f"{words.name(rule.key)} trades in steps of {words.plain(rule.lot)} {rule.base}; "
        f"{words.plain(qty)} is none. The nearest size is {words.plain(nearest)}.",
    )


def check_fresh(long: Leg, short: Leg, limits: Risk, now_ns: int) -> No | None:
    """Both legs quoted, their books whole, young enough, and of about the same moment.

    Read from the legs themselves, so that it holds between two samples of the pair as well.
    """
    legs = (long, short)
    ages = [leg.age_ms(now_ns) for leg in legs]
    limit = limits.quote_age_ms_max
    for leg, age, twin in zip(legs, ages, (short, long), strict=True):
        if leg.doubt is None and leg.book.valid and age <= limit and math.isfinite(leg.mid):
            continue  # no name is made for what is well
        name = LegName(leg.key, twin.key)
        if leg.doubt is not None:
            text = doubtful(name, leg.doubt)
            return No("quote_jump", leg.doubt.reason, "a confirmed price", text)
        if not math.isfinite(leg.mid) or not math.isfinite(age):
            return No("quote_age", "no quote", f"{limit} ms", missing(name, leg.quote_ns > 0))
        if age > limit:
            return No("quote_age", f"{age:.0f} ms", f"{limit} ms", too_old(name, age, limit))
        why = leg.book.reason
        text = f"{name.title} book is not whole ({why}). Waiting for {name.venue} to resend it."
        return No("book", why, "a whole book", text)
    skew, most = abs(ages[0] - ages[1]), limits.leg_skew_ms_max
    if skew <= most:
        return None
    names = LegName(long.key, short.key), LegName(short.key, long.key)
    newer, older = names if ages[1] > ages[0] else names[::-1]
    return No("leg_skew", f"{skew:.0f} ms", f"{most} ms", too_far_apart(older, newer, skew, most))


def agree(ratio: float) -> bool:
    """Whether prices in this ratio can be of the same amount of one coin; where unknown, yes."""
    return RATIO_LEAST <= ratio <= RATIO_MOST or not math.isfinite(ratio)


def check_ratio(long: Leg, short: Leg, rates: tuple[Decimal, Decimal]) -> No | None:
    """Both legs priced per one coin (venues.md, trap 37): else a contract's multiplier is wrong.

    rates: account currency per quote currency of each. No quotes, no answer: check_fresh speaks.
    """
    ratio = short.mid * float(rates[1]) / (long.mid * float(rates[0]))
    if agree(ratio):
        return None
    return No(
        "ratio",
        f"{ratio:.6g}",
        f"{RATIO_LEAST:g} to {RATIO_MOST:g}",
        f"{words.name(short.key)} stands at {ratio:,.4g} times {words.name(long.key)}: these are "
        "not prices of the same amount of one coin. Choose another pair.",
    )


def check_plan(plan: ExitPlan, direction: int) -> No | None:
    """A plan that can be meant: numbers, target and stop on their sides, a positive hold."""
    if no := _numbers(plan):
        return no
    if plan.max_hold_h is not None and plan.max_hold_h <= 0:
        hold = words.figure(plan.max_hold_h)
        return No("exit_plan", f"{hold} h", "above 0 h", "Set the time stop above 0 hours.")
    if plan.funding_bp is not None and plan.funding_bp <= 0:
        asked = f"{words.figure(plan.funding_bp)} bp"
        text = "Set the funding rule above 0 bp per 8 h, or leave it out."
        return No("exit_plan", asked, "above 0 bp", text)
    if plan.target_bp is None or plan.stop_bp is None:
        return None
    if (plan.stop_bp - plan.target_bp) * direction > 0:
        return None
    side = "above" if direction > 0 else "below"
    return No(
        "exit_plan",
        f"target {words.figure(plan.target_bp)}, stop {words.figure(plan.stop_bp)}",
        f"a stop {side} the target",
        f"The stop has to be {side} the target in this direction: target "
        f"{words.bp(float(plan.target_bp))}, stop {words.bp(float(plan.stop_bp))}. Swap them.",
    )


def _numbers(plan: ExitPlan) -> No | None:
    """Every figure of a plan is one that a person writes."""
    lines = (plan.target_bp, plan.stop_bp, plan.max_hold_h, plan.funding_bp)
    if any(value is not None and not _sane(value) for value in lines):
        text = (
            "Target, stop and funding rule are numbers in bp, the time stop is in hours. Enter "
            "such numbers."
        )
        return No("exit_plan", "not such a number", f"up to {PLAN_MAX}", text)
    if plan.net_target is not None and not _sane(plan.net_target, MONEY_MAX):
        asked, most = words.figure(plan.net_target), words.figure(MONEY_MAX)
        text = "The net target is an amount of the account's currency. Enter such an amount."
        return No("exit_plan", f"net {asked}", f"up to {most}", text)
    return None


def check_reached(plan: ExitPlan, direction: int, leave_bp: float) -> No | None:
    """A plan whose target or stop is not reached already: such an entry would leave at once.

    leave_bp: the executable basis of leaving right after the entry, bp; NaN when unknown.
    """
    for word, line, side in (("stop", plan.stop_bp, 1), ("target", plan.target_bp, -1)):
        if line is None or not direction * side * (leave_bp - float(line)) >= 0:
            continue
        lies = "above" if direction * side > 0 else "below"
        return No(
            "exit_plan",
            f"{word} {words.figure(line)}",
            f"{lies} {leave_bp:.1f}",
            f"The {word} of {words.bp(float(line))} is reached already: leaving now stands at "
            f"{words.bp(leave_bp)}. Set it {lies} that, or wait.",
        )
    return None


def check_planned(plan: ExitPlan) -> No | None:
    """A stop, and a target on the basis or on the net result: every entry has both."""
    missing = []
    if plan.target_bp is None and plan.net_target is None:
        missing.append("target")
    if plan.stop_bp is None:
        missing.append("stop")
    if not missing:
        return None
    what = " and no ".join(missing)
    return No(
        "exit_plan",
        f"no {what}",
        "target and stop",
        f"No {what} is set. Say where to leave before going in.",
    )


def check_bare(plan: ExitPlan, pair: int) -> No | None:
    """A plan that can act on a pair of one leg: basis, funding and sector are of two."""
    if plan.max_hold_h is not None or plan.net_target is not None:
        return None
    text = (
        f"Pair {pair} holds one leg alone: only a time stop or a net target can close it, the "
        "other rules need both legs. Set one of them, or close the pair."
    )
    return No("exit_plan", "rules of two legs", "a time stop or a net target", text)


def check_amount(amount: Decimal, currency: str) -> No | None:
    """An amount of margin to move: above 0 and as a person writes it."""
    if not (amount.is_finite() and amount > 0):
        text = f"{words.plain(amount)} is no amount of margin. Give one above 0."
        return No("margin", words.figure(amount), "above 0", text)
    if amount > MONEY_MAX or not _written(amount):
        asked, most = words.money(amount, currency), words.money(MONEY_MAX, currency)
        text = f"{asked} is no amount of margin. Give one up to {most} in steps of 0.00000001."
        return No("margin", words.figure(amount), f"up to {words.figure(MONEY_MAX)}", text)
    return None


def check_close(position: PairPosition | None, pair: int, fraction: Decimal) -> No | None:
    """An open pair and a fraction in (0, 1]."""
    if position is None:
        return No(
            "pair",
            str(pair),
            "an open pair",
            f"Pair {pair} is not open. The positions table shows the pairs that are.",
        )
    if fraction.is_finite() and 0 < fraction <= 1 and _written(fraction):
        return None
    return No(
        "fraction",
        words.figure(fraction),
        "above 0, up to 1",
        f"A fraction of {words.plain(fraction)} cannot be closed. Give one above 0 and up to 1.",
    )


def priceable(request: OpenPair) -> bool:
    """Size, leverage and plan are numbers a price can be made of, allowed or not."""
    plan, leverage = request.exit, request.leverage
    return (
        request.qty.is_finite()
        and 0 < request.qty <= QTY_MAX
        and _written(request.qty)
        and leverage.is_finite()
        and LEVERAGE_LEAST <= leverage <= LEVERAGE_MOST
        and _numbers(plan) is None
    )


def direction(request: OpenPair) -> int:
    """+1 when the reference leg (spot, or the long one of two perpetuals) is bought, else -1."""
    return direction_of(request.short)


def _described(key: str, market: Market) -> Instrument | None:
    try:
        split_key(key)
    except ValueError:
        return None
    leg = market.legs.get(key)
    known = leg.instrument if leg is not None else None
    return known if known is not None else market.instruments.get(key)


def _sane(value: Decimal, most: Decimal | int = PLAN_MAX) -> bool:
    # copy_abs rounds nothing, so it cannot overflow
    return value.is_finite() and value.copy_abs() <= most and (not value or _written(value))


def _written(value: Decimal) -> bool:
    # as a person writes it: exact arithmetic on thousands of digits is refused by the ledger
    small = value.adjusted() >= -DIGITS_MAX
    return small and len(value.as_tuple().digits) <= DIGITS_MAX
