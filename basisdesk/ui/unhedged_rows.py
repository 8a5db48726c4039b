"""What stands unhedged, in money and on the clock, and what the desk does about it. Pure, no Qt."""

from dataclasses import dataclass

from basisdesk.engine import Engine
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.figures import NOTHING, age_text, number_text, size_text
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.position_figures import base_of, unhedged_value
from basisdesk.ui.position_texts import DOES_LONG, bare_text
from basisdesk.ui.times import ticking_text

ON_WAY_MS = 1_000.0  # an order that is longer under way is told of
SOLID = ("unhedged", "naked")  # states in which a leg moves with the price
BETWEEN = " \u00b7 "


@dataclass(frozen=True, slots=True)
class Alarm:
    """The orange badge of the top bar. short: where room is scarce. tip: every pair in words."""

    text: str
    short: str
    tip: str


def alarm(engine: Engine, now_ns: int) -> Alarm | None:
    """What stands alone over all pairs, or None: what is being mended apart from what is not.

    Of each kind the money together and the longest clock: a naked pair of ten minutes never hides
    that a leg has been missing for three seconds.
    """
    alone = [p for p in engine.open_pairs() if p.state in SOLID]
    if not alone:
        return None
    kinds = [[p for p in alone if p.state == state] for state in SOLID]
    parts = [_kind(group, engine, now_ns, one=len(alone) == 1) for group in kinds if group]
    tip = "\n".join(
        f"{base_of(p.long.instrument, engine)} #{p.pair}: {missing_text(p, engine)} "
        f"{remedy_text(p, engine)}"
        for p in alone
    )
    text, short = (BETWEEN.join(said) for said in zip(*parts, strict=True))
    return Alarm(text, short, tip)


def _kind(group: list[PairPosition], engine: Engine, now_ns: int, *, one: bool) -> tuple[str, str]:
    """(whole words, short ones) of the pairs of one state: which, how much money, how long."""
    worths = engine.worths()
    money = sum(unhedged_value(position, worths) for position in group)
    since = min(since_ns(position) for position in group)
    clock = ticking_text((now_ns - since) / 1e9) if since else NOTHING
    amount = f"{number_text(money, 0)} {engine.settings.account.currency}"
    first = group[0]
    which = f"{len(group)} pair{'' if len(group) == 1 else 's'}"
    if one:
        which = f"{base_of(first.long.instrument, engine)} #{first.pair}"
    word = first.state.upper()
    gap = "  " if one else " "
    return f"{word} {which}{gap}{amount}{gap}{clock}", f"{word} {amount} {clock}"


def since_ns(position: PairPosition) -> int:
    """Since when a leg has stood alone: of a naked pair, its last fill; 0 when unknown."""
    if position.unhedged_ns is not None:
        return position.unhedged_ns
    return position.fills[-1].ts_ns if position.fills else 0


def missing_text(position: PairPosition, engine: Engine) -> str:
    """Which leg lacks how much: "Bybit perp ADAUSDT lacks 5,000 ADA, 1,820 USDT stand alone"."""
    base = base_of(position.long.instrument, engine)
    lagging = min(position.legs, key=lambda leg: abs(leg.qty))
    money = number_text(unhedged_value(position, engine.worths()), 0)
    currency = engine.settings.account.currency
    lacks = f"{leg_name(lagging.instrument)} lacks {size_text(abs(position.delta))} {base}"
    return f"{lacks}; {money} {currency} move with the price."


def remedy_text(position: PairPosition, engine: Engine) -> str:
    """What the desk does about it, and until when."""
    currency = engine.settings.account.currency
    if position.state == "naked":
        return f"There is nothing to mend. {bare_text(position.plan, currency)}"
    work = position.work
    if work is not None and work.kind == "close":
        return "The rest of the exit goes on."
    on_way = [order.due_ns for order in engine.desk.orders_of(position.pair)]
    if on_way and (left_ms := (min(on_way) - engine.now_ns) / 1e6) > ON_WAY_MS:
        return f"Its order is on its way and meets the book in {age_text(left_ms)}."
    limit_s = engine.settings.risk.unhedged_s_max
    does = DOES_LONG.get(position.how.policy, "The legs are mended")
    end = "" if position.how.policy == "unwind" else f"; unwound after {limit_s} s alone"
    waits = engine.desk.waits_for(position.pair)
    return f"{does}{end}. {waits}".strip()
