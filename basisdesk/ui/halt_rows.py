"""The risk state, what Flatten would do and what leaving leaves, as words. Pure, no Qt."""

import math
from dataclasses import dataclass

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.trading.exposure import exposure
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.figures import number_text, size_text
from basisdesk.ui.leg_words import short_names
from basisdesk.ui.position_figures import base_of, leg_exit
from basisdesk.ui.times import clock_text, zone_text


@dataclass(frozen=True, slots=True)
class RiskWords:
    """The state beside the red button. word: "active", "REDUCING", "HALTED"; tone: its colour.

    since: time of day with its zone, "" while active. reason: short, as journaled. ends: in words,
    what ends it. tip: what it means and what ends it. final: no button of this run ends it.
    """

    state: str
    word: str
    tone: str
    since: str
    reason: str
    ends: str
    tip: str
    final: bool = False


STOPPED = "basisdesk stopped after a fault"
RESTART = "Restart basisdesk; your pairs and ledger are kept."
_MEANS = {
    "active": "New pairs may be opened.",
    "reducing": "No new pairs; exits, plans and hedges go on.",
    "halted": "No new pairs, and entries at work were withdrawn; exits, plans and hedges go on.",
}


def risk_words(engine: Engine, utc: bool, fault_ns: int = 0) -> RiskWords:
    """The desk's risk state in words. fault_ns: since when it stands still after a fault."""
    if fault_ns:
        since = f"{clock_text(fault_ns, utc)} {zone_text(utc, fault_ns)}"
        tip = f"{STOPPED}: nothing is decided any more. {RESTART}"
        return RiskWords("halted", "HALTED", "loss", since, STOPPED, RESTART, tip, final=True)
    risk = engine.desk.risk
    if risk.state == "active":
        return RiskWords("active", "active", "gain", "", "", "", _MEANS["active"])
    tone = "loss" if risk.state == "halted" else "warn"
    since = f"{clock_text(risk.since_ns, utc)} {zone_text(utc, risk.since_ns)}"
    reason = risk.reason or "no reason given"
    said = f"{reason[:1].upper()}{reason[1:]}".rstrip(".")
    tip = f"{said}. {_MEANS.get(risk.state, '')} {risk.resume}".strip()
    return RiskWords(risk.state, risk.state.upper(), tone, since, reason, risk.resume, tip)


def held_pairs(engine: Engine) -> list[PairPosition]:
    """Pairs that hold something, oldest first; not those whose first order still works."""
    return [each for each in engine.open_pairs() if each.state != "working"]


def leave_words(engine: Engine) -> str:
    """What stays behind when the program is left now, and the question; "" for nothing."""
    held, desk = held_pairs(engine), engine.desk
    at_work = {each.pair for each in engine.open_pairs() if each.work is not None}
    at_work |= {order.pair for order in desk.pending if order.pair}
    orders = len(at_work) + sum(1 for order in desk.pending if not order.pair)
    said = []
    if held:
        gross = exposure(held, engine.market, engine.books.currency, engine.now_ns).gross
        noun = "1 pair is" if len(held) == 1 else f"{len(held)} pairs are"
        said.append(f"{noun} open (gross {number_text(gross, 0)} {engine.books.currency})")
    if orders:
        said.append("1 order is at work" if orders == 1 else f"{orders} orders are at work")
    if not said:
        return ""
    whose = "Its exits are" if len(held) == 1 else "Their exits are"
    then = f"{whose} not watched" if held else "Nothing is filled"
    return f"{' and '.join(said)}. {then} until basisdesk runs again. Leave?"


@dataclass(frozen=True, slots=True)
class FlattenWords:
    """What Flatten would close, a line a pair, and what that costs about. cost: one sentence."""

    lines: tuple[str, ...]
    cost: str


def _coming(position: PairPosition, engine: Engine) -> str:
    """What orders on their way would add to a pair: "400 ADA spot and 400 ADA perp"; "" if none."""
    base = base_of(position.long.instrument, engine)
    names = short_names(position.long.instrument, position.short.instrument)
    said = []
    for name, key in zip(names, (leg.instrument for leg in position.legs), strict=True):
        qty = sum(
            leg.qty
            for order in engine.desk.orders_of(position.pair)
            if order.kind in ("open", "add")
            for leg in order.legs
            if leg.instrument == key
        )
        if qty:
            said.append(f"{size_text(qty)} {base} {name}")
    return " and ".join(said)


def flatten_words(engine: Engine, settings: Settings) -> FlattenWords:
    """What would be closed or withdrawn now, and the exit fees, spread and depth of doing it."""
    worths, currency = engine.worths(), settings.account.currency
    lines, total, unknown = [], 0.0, 0
    for position in engine.open_pairs():
        base = base_of(position.long.instrument, engine)
        names = short_names(position.long.instrument, position.short.instrument)
        acts = []
        for leg, verb, name in zip(position.legs, ("sells", "buys back"), names, strict=True):
            if leg.qty:
                acts.append(f"{verb} {size_text(abs(leg.qty))} {base} {name}")
        if position.work is not None:
            acts.append("withdraws its order at work")
        if coming := _coming(position, engine):
            acts.append(f"withdraws {coming} on the way")
        cost = -sum(leg_exit(leg, engine, settings, worths) for leg in position.legs)
        if math.isfinite(cost):
            total += cost
        else:
            unknown += 1
        lines.append(f"{base} #{position.pair}: {', '.join(acts) or 'nothing is held'}.")
    lines += [
        f"{base_of(order.long, engine)}: withdraws an entry on its way."
        for order in engine.desk.pending
        if order.kind == "open" and order.pair not in engine.desk.pairs
    ]
    said = f"Leaving at market costs about {number_text(total, 2)} {currency} against the mids"
    said += ": exit fees, spreads and depth as displayed now."
    if unknown:
        noun = "pair has" if unknown == 1 else "pairs have"
        said += f" {unknown} {noun} no price now and is closed as soon as there is one."
    return FlattenWords(tuple(lines), said)
