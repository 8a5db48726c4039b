"""The risk state and its triggers as text. Pure, no Qt."""

import math
from dataclasses import dataclass, field

from basisdesk.engine import Engine
from basisdesk.trading.readings import Reading
from basisdesk.trading.risk import RiskState
from basisdesk.ui.figures import NOTHING, number_text
from basisdesk.ui.halt_rows import RESTART, STOPPED
from basisdesk.ui.times import clock_text, date_text, zone_text

NAN = math.nan
STATE_WORDS = {
    "active": ("\u25cf", "Active", "gain", "New pairs may be opened; plans and hedges run."),
    "reducing": (
        "\u25b2",
        "Reducing",
        "warn",
        "No new pairs. Plans, hedges and closing run as always.",
    ),
    "halted": (
        "\u25a0",
        "Halted",
        "loss",
        "No new pairs; entries at work are withdrawn. Closing and exit plans run as always.",
    ),
}
READING_WORDS = {
    "ok": ("\u00b7 ok", "muted"),
    "near": ("\u25b2 near", "warn"),
    "over": ("\u25a0 over", "loss"),
    "unknown": ("? unknown", "muted"),
}
CAUSES = {
    "user": "by hand",
    "crash": "after a crash",
    "audit": "the audit at the start",
}
LOWER_IS_WORSE = frozenset({"win_rate", "liq_distance"})  # readings whose limit is a least


@dataclass(frozen=True, slots=True)
class RiskCard:
    """The state in words. meaning: its colour token. resume: what ends it, "" while active.

    can_resume: a person may end it now.
    """

    title: str
    meaning: str
    means: str
    reason: str
    since: str
    scope: str
    resume: str
    can_resume: bool


def risk_card(state: RiskState, utc: bool, fault_ns: int = 0) -> RiskCard:
    """The risk state for the head of the panel. fault_ns: since when the desk stands still."""
    if fault_ns:
        state = RiskState("halted", STOPPED, fault_ns, "crash", "desk", RESTART)
    shape, word, meaning, means = STATE_WORDS.get(state.state, STATE_WORDS["halted"])
    since = ""
    if state.since_ns:
        day, clock = date_text(state.since_ns, utc)[:10], clock_text(state.since_ns, utc)
        since = f"Since {day} {clock} {zone_text(utc, state.since_ns)}."
    active = state.state == "active"
    cause = CAUSES.get(state.cause, state.cause.replace("_", " "))
    why = state.reason.strip()
    reason = f"Why: {why}" if why else ("" if active else "No reason was given.")
    return RiskCard(
        title=f"{shape} {word}",
        meaning=meaning,
        means=means,
        reason=reason,
        since=since,
        scope="" if active else f"Cause: {cause}. Covers: {scope_text(state.scope)}.",
        resume="" if active else (state.resume or "Press Resume to open pairs again."),
        can_resume=not active and not fault_ns,
    )


def scope_text(scope: str) -> str:
    """What a state covers: "the whole desk"."""
    return "the whole desk" if scope in ("", "desk") else scope


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """One trigger as it stands. detail: what is seen and what ends it, in full.

    share: how near it is to its limit, 0 to 1; NaN where that is unknown.
    """

    name: str
    title: str
    value: str
    limit: str
    state: str
    meaning: str
    acts: str
    note: str
    detail: str
    share: float = field(default=NAN, compare=False)
    value_of: float = field(default=NAN, compare=False)


def trigger_row(reading: Reading) -> TriggerRow:
    """One reading for the table; its unit stands with each figure, for they differ by row."""
    words, meaning = READING_WORDS.get(reading.state, READING_WORDS["unknown"])
    least = reading.name in LOWER_IS_WORSE
    limit = figure_text(reading.limit, reading.unit)
    share = _share(reading.value, reading.limit, least)
    return TriggerRow(
        reading.name,
        reading.title or reading.name.replace("_", " ").capitalize(),
        figure_text(reading.value, reading.unit),
        limit if limit == NOTHING else f"{'at least' if least else 'below'} {limit}",
        words,
        meaning,
        reading.acts,
        reading.note.partition("; the limit is")[0].rstrip(".") + ".",
        f"{reading.note} {reading.resume}".strip(),
        share,
        reading.value,
    )


def _share(value: float, limit: float, least: bool) -> float:
    if not (math.isfinite(value) and math.isfinite(limit)):
        return NAN
    whole, part = (value, limit) if least else (limit, value)
    return min(1.0, max(0.0, part / whole)) if whole > 0 else NAN


def figure_text(value: float, unit: str) -> str:
    """A figure with its unit; an en dash where nothing is known, "none" for an infinite room."""
    if math.isinf(value):
        return "none near"
    if math.isnan(value):
        return NOTHING
    places = 0 if unit == "s" and value >= 10 else 1 if unit == "s" else 2
    return f"{number_text(value, places)} {unit}".strip()


def trigger_rows(engine: Engine) -> list[TriggerRow]:
    """Every trigger, those that halt first."""
    return [trigger_row(reading) for reading in engine.readings()]
