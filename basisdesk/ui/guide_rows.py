"""The guided trade as eight steps that tick themselves from what is true, never from a click.

Pure, no Qt: state of engine, desk and ledger to steps. A step is done when its fact holds; the
first one that is not is "now", or "blocked" with the reason and what to do; later ones wait. Steps
0 to 2 read the ticket until a pair exists, and what the entry was afterwards.
"""

import math
from decimal import Decimal
from typing import Literal, NamedTuple

from basisdesk.engine import Engine
from basisdesk.events import LegRejected, OpenPair, OrderEnded, Outcome, Refused
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.cross import cross_of
from basisdesk.trading.positions import PairPosition
from basisdesk.trading.risk import No, check_fresh
from basisdesk.ui.figures import age_text, countdown_text, number_text, sign_text, size_text
from basisdesk.ui.guide_taken import Taken, Was, size_was, spread_was
from basisdesk.ui.leg_words import leg_name, quote_of
from basisdesk.ui.position_figures import base_of, liquidation_room, price_places, stale_text
from basisdesk.ui.position_texts import acting, bare_text, closed_text, plan_text, work_text
from basisdesk.ui.shown_cents import whole_cents
from basisdesk.ui.unhedged_rows import missing_text, remedy_text

State = Literal["waiting", "now", "done", "marked", "blocked"]  # marked: done, but not in order
TITLES = (
    "Preconditions",
    "Spread pays",
    "Size",
    "Enter both legs",
    "Confirm the hedge",
    "Monitor",
    "Exit",
    "End state",
)
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual")
LOOKED_BACK = 200  # outcomes searched for the reason of a refused leg or an ended order
TOLD_NS = 60_000_000_000  # an order that came to nothing is told of for so long
# Refusals that speak of the first step; every other one speaks of the size.
_NOT_SIZE = frozenset(
    {"quote_age", "leg_skew", "quote_jump", "book", "cross", "ratio", "legs", "instrument"}
    | {"halted", "reducing", "exit_plan", "pair", "pairs_max"}
)
ZERO = Decimal(0)


class Step(NamedTuple):
    """One line of the checklist. said: the fact with its figures; todo: what the user does now."""

    number: int
    title: str
    state: State
    said: str
    todo: str


class _Found(NamedTuple):
    """What a look found: "done", "marked", "todo" or "blocked", before the steps are in order."""

    state: str
    said: str
    todo: str = ""


def followed(engine: Engine, after: int) -> int | None:
    """The pair the guide follows: the newest one beyond number `after`, None before there is one.

    On the legs of the screen first, what is still held before what is over; else the newest one
    that is held elsewhere.
    """
    shown = set(engine.pair)
    pairs = [p for p in engine.desk.pairs.values() if p.pair > after]
    here = [p for p in pairs if {leg.instrument for leg in p.legs} == shown]
    for group in ([p for p in here if p.state != "closed"], here):
        if group:
            return max(p.pair for p in group)
    return max((p.pair for p in pairs if p.state != "closed"), default=None)


def steps(
    engine: Engine, request: OpenPair | None, pair: int | None, taken: Taken | None = None
) -> list[Step]:
    """The eight steps of one trade.

    request: the order in the ticket, None while it is not filled in. pair: the pair followed, None
    before the entry. taken: what the ticket said when the order was sent, None where not known.
    """
    position = None if pair is None else engine.desk.pairs.get(pair)
    if position is None:
        sheet = engine.sheet(request) if request is not None else None
        found = [
            _ready(engine, request),
            _spread(engine, sheet),
            _size(sheet, engine),
            _sent(engine, request),
            *(_Found("todo", said) for said in _LATER),
        ]
    else:
        found = [
            _entered(position),
            _as_it_was(spread_was(position)),
            _as_it_was(size_was(position, engine, taken)),
            _filled(position, engine),
            _hedged(position, engine),
            _watched(position, engine),
            _left(position, engine),
            _over(position, engine),
        ]
    return _in_order(found)


_LATER = (
    "Both legs stand and cancel each other, within the tolerance.",
    "Basis to target, funding countdown, room to liquidation.",
    "By the plan, or by hand.",
    "Nothing left, the ledger sums, the result and where it came from.",
)


def _in_order(found: list[_Found]) -> list[Step]:
    made: list[Step] = []
    waiting = False
    for number, (each, title) in enumerate(zip(found, TITLES, strict=True)):
        state: State
        if each.state == "done" or each.state == "marked":
            state = "done" if each.state == "done" else "marked"
        elif each.state == "blocked":
            state, waiting = "blocked", True
        else:
            state, waiting = ("waiting" if waiting else "now"), True
        todo = each.todo if state in ("now", "blocked") else ""
        made.append(Step(number, title, state, each.said, todo))
    return made


# --- before there is a pair -----------------------------------------------------------------------


def _ready(engine: Engine, request: OpenPair | None) -> _Found:
    """Feeds fresh, both legs described, a cross rate, the desk active, a plan."""
    shown = engine.shown()
    if shown is None:
        return _Found("blocked", "No pair is on the screen.", "Choose one: Ctrl+P.")
    keys = (request.long, request.short) if request is not None else engine.pair
    if blocked := _feeds_block(engine, keys):
        return blocked
    risk = engine.desk.risk
    if risk.state != "active":
        said = f"The desk is {risk.state}: {risk.reason or 'no reason given'}."
        ends = risk.resume or "Look into the reason, then Trade > Resume."
        return _Found("blocked", said, ends)
    if request is None:
        said = "Feeds are fresh, both legs are described, the desk is active."
        return _Found("todo", said, "Fill in the ticket: size, leverage, target, stop, time stop.")
    plan = request.exit
    if plan.stop_bp is None or (plan.target_bp is None and plan.net_target is None):
        said = "The order has no exit plan, and there is no entry without a way out."
        return _Found("todo", said, "Set a target and a stop in the ticket.")
    legs = (engine.market.leg(keys[0]), engine.market.leg(keys[1]))
    ages = " and ".join(age_text(leg.age_ms(engine.now_ns)) for leg in legs)
    direction = 1 if request.long == engine.pair[0] else -1
    return _Found(
        "done",
        f"Quotes are {ages} old, both legs are described, the desk is active. Plan: "
        f"{plan_text(plan, direction)}.",
    )


def _feeds_block(engine: Engine, keys: tuple[str, str]) -> _Found | None:
    market, account = engine.market, engine.settings.account.currency
    for key in keys:
        if market.leg(key).instrument is None:
            said = f"The venue has not described {leg_name(key)} yet."
            return _Found("blocked", said, "It is asked for by itself; the Feeds tab shows how.")
    long, short = (market.leg(key) for key in keys)
    old = check_fresh(long, short, engine.settings.risk, engine.now_ns)
    if old is not None:
        return _Found("blocked", old.text, "Wait for the feed; the Feeds tab shows its state.")
    for key in keys:
        cross = cross_of(market, quote_of(key) or account, account, engine.now_ns)
        if isinstance(cross, No):
            return _Found("blocked", cross.text, "Wait for the cross rate; it is a leg of its own.")
    return None


def _spread(engine: Engine, sheet: CostSheet | None) -> _Found:
    """The executable open basis against costs and fair value."""
    if sheet is None:
        return _Found("todo", "Open basis against costs and fair value.")
    if not sheet.priced:
        said = sheet.refusal.text if sheet.refusal is not None else "No price can be made now."
        return _Found("todo", said, "Wait for quotes of both legs.")
    shown = engine.shown()
    fair = shown.now.fair_bp if shown is not None else math.nan
    parts = [
        f"Open basis {_bp(sheet.entry_bp)} at this size",
        f"round trip {number_text(sheet.round_trip_bp, 1)} bp",
    ]
    parts += [f"fair value {_bp(fair)}"] if math.isfinite(fair) else []
    said = f"{', '.join(parts)}. {sheet.verdict}".strip()
    if sheet.verdict_kind == "go":
        return _Found("done", said)
    state = "todo" if sheet.verdict_kind == "thin" else "blocked"
    return _Found(state, said, "Look at other pairs while you wait: Ctrl+P.")


def _size(sheet: CostSheet | None, engine: Engine) -> _Found:
    """The size within what is advised and within every limit."""
    if sheet is None:
        return _Found("todo", "Within the advice and all limits.")
    refusal = sheet.refusal
    if refusal is not None and refusal.limit not in _NOT_SIZE:
        return _Found("blocked", refusal.text, "Change size or leverage in the ticket.")
    if not sheet.priced:
        return _Found("todo", "Within the advice and all limits.")
    base = base_of(sheet.request.long, engine)
    asked = f"{size_text(sheet.request.qty)} {base}"
    if sheet.advice is not None and sheet.request.qty > sheet.size_hint:
        if not sheet.size_hint:
            why = sheet.size_note.partition(": ")[2] or sheet.size_note
            return _Found("todo", f"No size is suggested: {why}", "Wait, as above.")
        over = f"{asked} is more than the suggested {size_text(sheet.size_hint)} {base}."
        return _Found("todo", f"{over} {sheet.size_note}", "Take the suggested size in the ticket.")
    most = f"the largest size now is {size_text(sheet.max_qty)} {base}"
    return _Found("done", f"{asked} is within the suggested {size_text(sheet.size_hint)}; {most}.")


def _sent(engine: Engine, request: OpenPair | None) -> _Found:
    """An order that was sent and has not met the book."""
    for order in engine.desk.pending:
        if order.kind == "open" and (request is None or order.long == request.long):
            left_ms = max(0.0, (order.due_ns - engine.now_ns) / 1e6)
            return _Found("todo", f"Sent; it meets the book in {left_ms:.0f} ms.", "Wait.")
    said = _ended(engine) or "One order sends both legs."
    return _Found("todo", said, "Press Open in the ticket: Ctrl+Enter.")


def _ended(engine: Engine) -> str:
    """Why an order of this minute came to nothing, "" where none did."""
    for number, looked in enumerate(reversed(engine.outcomes)):
        if number >= LOOKED_BACK or engine.now_ns - looked.ts_ns > TOLD_NS:
            break
        if isinstance(looked, Refused) and looked.command == "open_pair":
            return f"The order was refused. {looked.text}"
        if isinstance(looked, OrderEnded) and looked.pair not in engine.desk.pairs:
            return f"The order was {looked.why}, nothing was filled. {looked.text}".strip()
    return ""


# --- once there is a pair -------------------------------------------------------------------------


def _entered(position: PairPosition) -> _Found:
    plan = plan_text(acting(position), position.direction)
    return _Found("done", f"They held when the order was taken. Plan: {plan}.")


def _as_it_was(was: Was) -> _Found:
    return _Found("done" if was.fair else "marked", was.said)


def _filled(position: PairPosition, engine: Engine) -> _Found:
    """Both legs have filled; or what is still to come, or why it never will."""
    work = position.work
    if work is not None and work.kind == "open":
        return _Found("todo", f"At work: {work_text(position, work)}.", "Wait, or withdraw it.")
    empty = [leg for leg in position.legs if not leg.entry_qty]
    if not empty:
        parts = []
        for leg, verb in zip(position.legs, ("Bought", "sold"), strict=True):
            price = number_text(leg.entry_price, price_places(leg.instrument, engine))
            parts.append(f"{verb} {size_text(leg.entry_qty)} at {price}")
        return _Found("done", f"{', '.join(parts)}.")
    why = _why_not(position.pair, engine)
    if position.state == "closed":
        said = (
            "Nothing was filled." if len(empty) == 2 else f"The {empty[0].role} leg never filled."
        )
        return _Found("blocked", f"{said} {why}".strip(), "Begin another trade.")
    said = f"The {' and the '.join(leg.role for leg in empty)} leg is not filled yet."
    return _Found("todo", f"{said} {why}".strip(), "Watch the next step: the desk mends it.")


def _why_not(pair: int, engine: Engine) -> str:
    """The sentence of the last refused leg or ended order of a pair, "" where there is none."""
    looked: Outcome
    for number, looked in enumerate(reversed(engine.outcomes)):
        if number >= LOOKED_BACK:
            break
        if isinstance(looked, LegRejected | OrderEnded) and looked.pair == pair and looked.text:
            return looked.text
    return ""


def _hedged(position: PairPosition, engine: Engine) -> _Found:
    """Both legs stand and cancel each other within the tolerance."""
    base = base_of(position.long.instrument, engine)
    delta, tolerance = f"{size_text(position.delta)} {base}", size_text(position.tolerance)
    if position.state == "unhedged":
        said = f"{missing_text(position, engine)} {remedy_text(position, engine)}"
        return _Found("blocked", said, "Let the desk mend it, or close what stands: Flatten.")
    if position.state == "naked":
        said = f"{missing_text(position, engine)} {remedy_text(position, engine)}"
        return _Found("blocked", said, "Close what is left: Ctrl+Backspace.")
    if position.state == "working":
        return _Found("todo", "Nothing is filled yet.")
    if position.state == "closed":
        both = all(leg.entry_qty for leg in position.legs)
        said = "The legs stood against each other." if both else "One leg alone never was a hedge."
        return _Found("done" if both else "todo", said)
    return _Found("done", f"Net delta {delta}, tolerance {tolerance} {base}: hedged.")


def _watched(position: PairPosition, engine: Engine) -> _Found:
    """Basis to target, funding, room to liquidation: while it is held, there is nothing to tick."""
    if position.state == "closed":
        return _Found("done", "It is over.")
    if position.state in ("working", "unhedged"):
        return _Found("todo", _LATER[1])
    if old := stale_text(position, engine):
        return _Found("blocked", old, "The plan waits for fresh quotes; so do you.")
    naked = position.state == "naked"  # no basis without its other leg
    told = _one_leg(position, engine) if naked else _to_target(position, engine)
    parts = [part for part in (told, _funding(position, engine)) if part]
    room, _ = liquidation_room(position, engine)
    if math.isfinite(room):
        parts.append(f"Liquidation is {number_text(room, 0)} % away.")
    said = " ".join(parts) or "Held."
    if room < engine.settings.risk.liq_distance_min_pct:
        return _Found("blocked", said, "Add margin in Positions, or close the pair.")
    if position.work is not None or _closing(position, engine):
        return _Found("done", said)
    return _Found("todo", said, "Watch it, or let the plan watch it.")


def _to_target(position: PairPosition, engine: Engine) -> str:
    now_bp = engine.desk.close_bp(position.pair, engine.market, engine.now_ns)
    if not math.isfinite(now_bp):
        return ""
    said = f"Close basis {_bp(now_bp)}"
    target, stop = position.plan.target_bp, position.plan.stop_bp
    if target is not None:
        left = position.direction * (now_bp - float(target))
        said += f", {number_text(left, 1)} bp to the target"
    if stop is not None:
        left = position.direction * (float(stop) - now_bp)
        said += f", {number_text(left, 1)} bp to the stop"
    return f"{said}."


def _one_leg(position: PairPosition, engine: Engine) -> str:
    return f"One leg alone. {bare_text(position.plan, engine.settings.account.currency)}"


def _funding(position: PairPosition, engine: Engine) -> str:
    said = []
    for leg in position.perps:
        known = engine.market.legs.get(leg.instrument)
        if known is None or not leg.qty or not math.isfinite(known.funding.rate):
            continue
        left = countdown_text(known.funding.seconds_left(engine.now_ns // 1_000_000))
        paid = known.funding.rate * (1 if leg.qty < 0 else -1) * 1e4
        said.append(f"Next funding {_bp(paid)} to you in {left}.")
    return " ".join(said)


def _closing(position: PairPosition, engine: Engine) -> bool:
    return any(o.kind == "close" and o.pair == position.pair for o in engine.desk.pending)


def _left(position: PairPosition, engine: Engine) -> _Found:
    """The exit, by the plan or by hand."""
    if position.state == "closed":
        why = closed_text(position)
        return _Found("done", f"{why[:1].upper()}{why[1:]}.")
    plan = plan_text(acting(position), position.direction)
    if position.work is not None and position.work.kind == "close":
        return _Found("todo", f"At work: {work_text(position, position.work)}.", "Wait.")
    if _closing(position, engine):
        return _Found("todo", "The exit is on its way to the book.", "Wait.")
    if position.state == "naked":
        said = bare_text(position.plan, engine.settings.account.currency)
        return _Found("todo", said, "Close what is left: Ctrl+Backspace.")
    todo = "Let the plan act, or close by hand: Ctrl+Backspace."
    return _Found("todo", f"Leaves by itself: {plan}.", todo)


def _over(position: PairPosition, engine: Engine) -> _Found:
    """Nothing left, the ledger sums, and the result with its causes."""
    if position.state != "closed":
        return _Found("todo", _LATER[3])
    prefix = f"assets:pair:{position.pair}:"
    held = [name for name, _ in engine.books.balances() if name.startswith(prefix)]
    if held or any(leg.qty for leg in position.legs):
        where = ", ".join(sorted(held)) or "a leg"
        return _Found("blocked", f"Something is left in {where}.", "Save the log; this is a fault.")
    money, currency = engine.attribution(position.pair), engine.settings.account.currency
    terms = {name: getattr(money, name) for name in TERMS}
    left = money.truth - sum(terms.values(), ZERO)
    cents = whole_cents(terms, money.total)
    shown = [f"{name} {sign_text(cents[name], 2)}" for name in TERMS if cents[name]]
    shown = [part.replace("residual", "unhedged delta") for part in shown]
    return _Found(
        "done",
        f"Net {sign_text(money.total, 2)} {currency}: {', '.join(shown) or 'no term'}. Nothing is "
        f"held, the ledger sums, {number_text(left, 2)} is left over.",
    )


def _bp(value: float) -> str:
    return f"{sign_text(value, 1)} bp"
