"""Alert rules: what is watched, when it is told, and the sentences for both. Pure.

Whether a rule holds is judged in alert_watch.py, from readings of alert_readings.py.
"""

import math
import re
import unicodedata
from typing import Annotated, Literal, NamedTuple

import msgspec

from basisdesk.venues.instrument import split_key, venue_title

Quantity = Literal[
    "basis", "z", "open_basis", "close_basis", "funding_8h", "velocity", "cross_gap",
    "sector_state", "confidence", "liq_distance", "stale_feed", "win_rate", "settlement_in_min",
    "net_8h", "btc_eth",
]  # fmt: skip
Side = Literal["over", "under", "equals"]
Channel = Literal["notify", "sound", "webhook"]

RULES_MAX = 200
NAME_MAX = 60
MINUS = "\N{MINUS SIGN}"
STATES = {"hot": 1.0, "calm": 0.0, "cold": -1.0}  # of a sector, as the level of a rule
SECTOR = "sector:"  # begins the scope of a sector
HOLD_S_MAX = 86_400.0
AGAIN_S_MAX = 604_800.0


class AlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. Whether it can be used says `problem_of`.

    scope: "*" any, a coin "BTC", a venue "bybit", "sector:meme", a pair number "7", a leg key, or
    a combination "LONG SHORT" of two leg keys. level, hysteresis: in the unit of the quantity; of
    a sector 1 is hot, 0 calm, -1 cold. hold_s: how long it must hold before it is told.
    again_s: after it was told of something, quiet about that for so long. hysteresis: how far the
    value must go back before a new crossing counts.
    """

    id: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)] = "Alert"
    quantity: Quantity = "cross_gap"
    scope: Annotated[str, msgspec.Meta(min_length=1, max_length=120)] = "*"
    side: Side = "over"
    level: Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)] = 6.0
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=HOLD_S_MAX)] = 30.0
    again_s: Annotated[float, msgspec.Meta(ge=0, le=AGAIN_S_MAX)] = 900.0
    hysteresis: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 0.0
    on: bool = True
    snoozed_until_ns: Annotated[int, msgspec.Meta(ge=0)] = 0
    channels: tuple[Channel, ...] = ("notify", "sound")


class Watched(NamedTuple):
    """What can be watched. unit: of levels and values. least, most: levels that make sense.

    places: decimals. scopes: which may be named besides "*": "coin", "venue", "sector", "pair",
    "leg", "combination". about: one sentence for the dialog. each: what "*" stands for, in the
    sentence of a rule; "" where the title says it.
    """

    title: str
    unit: str
    least: float
    most: float
    places: int
    scopes: tuple[str, ...]
    about: str
    each: str = ""


_COMBO = ("coin", "venue", "sector", "pair", "combination")
_HELD = ("coin", "venue", "pair")
_PER_8H = "bp per 8 h"
WATCHED: dict[Quantity, Watched] = {
    "cross_gap": Watched(
        "Funding gap of any two venues", _PER_8H, 0, 2_000, 2, ("coin", "sector"),
        "The widest funding gap of a coin between any two venues, each by its true interval.",
    ),
    "btc_eth": Watched(
        "Funding gap of BTC and ETH", _PER_8H, 0, 2_000, 2, (),
        "How far the funding of BTC and of ETH are apart.",
    ),
    "funding_8h": Watched(
        "Funding received", _PER_8H, -2_000, 2_000, 2, _COMBO,
        "What a combination or a pair receives by the indicative rates, short minus long.",
        "any combination",
    ),
    "velocity": Watched(
        "Funding velocity", "bp per 8 h each h", -1_000, 1_000, 2, _COMBO,
        "How fast the funding of a combination moves, smoothed.",
        "any combination",
    ),
    "net_8h": Watched(
        "Net edge", _PER_8H, -2_000, 2_000, 2, _COMBO,
        "What is left of convergence and funding after all costs, over the scanner's hold.",
        "any combination",
    ),
    "basis": Watched(
        "Basis", "bp", -10_000, 10_000, 1, _COMBO, "Of the mids of both legs.",
        "any combination",
    ),
    "open_basis": Watched(
        "Open basis", "bp", -10_000, 10_000, 1, _COMBO,
        "Executable now for an entry: at the scanner's size, of a pair at the ticket's.",
        "any combination",
    ),
    "close_basis": Watched(
        "Close basis", "bp", -10_000, 10_000, 1, _COMBO,
        "Executable now for leaving: at the scanner's size, of an open pair at its whole size.",
        "any combination",
    ),
    "z": Watched(
        "z", "sd", -50, 50, 2, _COMBO,
        "How unusual it is: of a combination its settled funding gap, of a pair its basis.",
        "any combination",
    ),
    "sector_state": Watched(
        "Sector", "", -1, 1, 0, ("sector",), "Hot, calm or cold, as the sector overlay says.",
    ),
    "settlement_in_min": Watched(
        "Time to settlement", "min", 0, 1_440, 0, _HELD,
        "Minutes until a held perpetual settles its funding, by the venue's own stamp.",
        "any held perpetual",
    ),
    "liq_distance": Watched(
        "Distance to liquidation", "%", 0, 100, 1, _HELD,
        "From the mark of a held perpetual to its liquidation price.",
        "any held perpetual",
    ),
    "stale_feed": Watched(
        "Silence of a held leg", "s", 0.5, 86_400, 0, ("coin", "venue", "pair", "leg"),
        "How long ago a held leg was last quoted. A leg on the screen counts where it is named.",
    ),
    "win_rate": Watched(
        "Win rate", "%", 0, 100, 1, (),
        "Of the closed pairs with all costs; silent while there are too few to judge.",
    ),
    "confidence": Watched(
        "Confidence", "%", 0, 100, 1, ("coin", "venue", "sector", "pair", "combination"),
        "Of the forecast, for pairs held and looked at lately; not known while it abstains.",
        "any forecast pair",
    ),
}  # fmt: skip

DEFAULT_RULES: tuple[AlertRule, ...] = (
    AlertRule(
        "funding-gap", "Funding gap over 0.06 %", "cross_gap", "*", "over", 6.0, 30, 3_600, 1,
    ),
    AlertRule(
        "btc-eth", "BTC against ETH over 0.05 %", "btc_eth", "*", "over", 5.0, 30, 3_600, 1,
    ),
    AlertRule(
        "settlement", "Settlement of a held pair in 10 min",
        "settlement_in_min", "*", "under", 10.0, 0, 600,
    ),
    AlertRule(
        "liquidation", "Liquidation nearer than 8 %", "liq_distance", "*", "under", 8.0, 2, 300, 1,
    ),
    AlertRule("stale-leg", "Held leg silent for 10 s", "stale_feed", "*", "over", 10.0, 0, 60),
    AlertRule(
        "win-rate", "Win rate under 55 %", "win_rate", "*", "under", 55.0, 0, 86_400, 2,
    ),
)  # fmt: skip

_COIN = re.compile(r"[A-Z0-9]{1,20}")
_PAIR = re.compile(r"[1-9][0-9]{0,8}")
_VENUE = re.compile(r"[a-z][a-z0-9]{1,19}")
_ID = re.compile(r"[a-z0-9-]{1,40}")


# --- is it a rule --------------------------------------------------------------------------------


def scope_kind(scope: str) -> str:
    """What a scope names: "any", "coin", "venue", "sector", "pair", "leg", "combination"; or ""."""
    if scope == "*":
        return "any"
    if scope.startswith(SECTOR):
        return "sector" if scope.removeprefix(SECTOR).strip() else ""
    parts = scope.split(" ")
    if all(_is_leg(part) for part in parts) and len(parts) in (1, 2):
        return "leg" if len(parts) == 1 else "combination"
    for kind, pattern in (("pair", _PAIR), ("coin", _COIN), ("venue", _VENUE)):
        if pattern.fullmatch(scope):
            return kind
    return ""


def problem_of(rule: AlertRule) -> str:
    """Why a rule cannot be used, one sentence; "" when it can."""
    watched = WATCHED.get(rule.quantity)
    if watched is None:
        return f"{rule.quantity!r} is nothing that can be watched."
    return _said_badly(rule) or _scope_problem(rule, watched) or _figure_problem(rule, watched)


def _said_badly(rule: AlertRule) -> str:
    if not _ID.fullmatch(rule.id):
        return "An alert's id is 1 to 40 small letters, digits and hyphens."
    if not rule.name.strip() or len(rule.name) > NAME_MAX or clean(rule.name) != rule.name:
        return f"The name is 1 to {NAME_MAX} plain characters without < > &."
    if not rule.channels or len(set(rule.channels)) < len(rule.channels):
        return "Choose at least one way to be told: notification, sound or webhook."
    if unknown := set(rule.channels) - {"notify", "sound", "webhook"}:
        return f"{min(unknown)!r} is no way to be told."
    return "" if rule.snoozed_until_ns >= 0 else "A rule cannot be silent until before 1970."


def _scope_problem(rule: AlertRule, watched: Watched) -> str:
    kind = scope_kind(rule.scope)
    if not kind or len(rule.scope) > 120:
        return "Watch *, a coin (BTC), a venue (bybit), sector:NAME, a pair's number or two legs."
    if kind != "any" and kind not in watched.scopes:
        allowed = " or ".join(("anything (*)", *(f"one {each}" for each in watched.scopes)))
        return f"{watched.title} is watched for {allowed}, not for a {kind}."
    return ""


def _figure_problem(rule: AlertRule, watched: Watched) -> str:
    if (rule.quantity == "sector_state") != (rule.side == "equals"):
        return "A sector equals hot, calm or cold; all else is over or under a level."
    if rule.quantity == "sector_state" and rule.level not in STATES.values():
        return "A sector is hot (1), calm (0) or cold (-1)."
    least, most, unit = watched.least, watched.most, watched.unit
    if not least <= rule.level <= most:  # NaN too
        return f"The level {rule.level:g} is outside {least:g} to {most:g} {unit}.".replace(
            " .", "."
        )
    if not 0 <= rule.hold_s <= HOLD_S_MAX:
        return f"It has to hold for 0 to {HOLD_S_MAX:,.0f} s."
    if not 0 <= rule.again_s <= AGAIN_S_MAX:
        return f"It is quiet for 0 to {AGAIN_S_MAX:,.0f} s (a week) after it was told."
    if not 0 <= rule.hysteresis <= most - least:
        return f"It has to go back by 0 to {most - least:,g} {unit}."
    return ""


def clean(text: str, longest: int = NAME_MAX) -> str:
    """A text without control and direction characters and without markup, cut to a length."""
    plain = "".join(
        " " if mark in "<>&\t\r\n" else mark
        for mark in text
        if mark in "\t\r\n" or unicodedata.category(mark) not in ("Cc", "Cf", "Co", "Cs")
    )
    return plain[:longest]


def _is_leg(text: str) -> bool:
    try:
        split_key(text)
    except ValueError:
        return False
    return all(mark.isalnum() or mark in ":/-_." for mark in text)


# --- in words ------------------------------------------------------------------------------------


def figure(value: float, quantity: Quantity) -> str:
    """A value with its unit, "6.00 bp per 8 h", "hot"; "unknown" for NaN."""
    watched = WATCHED[quantity]
    if math.isnan(value):
        return "unknown"
    if quantity == "sector_state":
        return next((word for word, level in STATES.items() if level == value), "unknown")
    if math.isinf(value):
        return "none near"
    text = f"{value:,.{watched.places}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return f"{text.replace('-', MINUS)} {watched.unit}"


def level_text(rule: AlertRule) -> str:
    """Side and level: "over 6.00 bp per 8 h", "hot"."""
    level = figure(rule.level, rule.quantity)
    if WATCHED[rule.quantity].places == 0 and rule.level % 1:
        level = f"{rule.level:,g} {WATCHED[rule.quantity].unit}".replace("-", MINUS)
    return level if rule.side == "equals" else f"{rule.side} {level}"


def scope_text(scope: str) -> str:
    """What is watched: "anything", "BTC", "Bybit", "sector meme", "pair 7", two legs in words."""
    kind = scope_kind(scope)
    if kind == "any":
        return "anything"
    if kind in ("leg", "combination"):
        names = [leg_text(key) for key in scope.split(" ")]
        return names[0] if kind == "leg" else f"long {names[0]}, short {names[1]}"
    words = {
        "venue": venue_title(scope),
        "sector": f"sector {clean(scope.removeprefix(SECTOR))}",
        "pair": f"pair {scope}",
    }
    return words.get(kind, clean(scope))


def leg_text(key: str) -> str:
    """A leg in words: "Bybit perp ADAUSDT"."""
    venue, market, symbol = split_key(key)
    return f"{venue_title(venue)} {market} {symbol}"


def sentence(rule: AlertRule) -> str:
    """What a rule does, before it is made."""
    watched = WATCHED[rule.quantity]
    what = watched.title if rule.quantity == "z" else watched.title[0].lower() + watched.title[1:]
    each = watched.each if scope_kind(rule.scope) == "any" else scope_text(rule.scope)
    of = f"the {what} of {each}" if each else f"the {what}"
    if rule.quantity == "sector_state":
        of = each or "any sector"
    held = f" for {span(rule.hold_s)}" if rule.hold_s else ""
    often = f", at most every {span(rule.again_s)} for the same one" if rule.again_s else ""
    back = ""
    if rule.hysteresis:
        unit = watched.unit
        back = f" A new crossing counts after it went back by {rule.hysteresis:g} {unit}."
    return f"Tells you when {of} is {level_text(rule)}{held}{often}.{back}"


def span(seconds: float) -> str:
    """A length of time in its largest whole unit: "30 s", "15 min", "1.5 h", "2 days"."""
    for unit, size in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and (seconds / size * 2) % 1 == 0:
            count = seconds / size
            return f"{count:g} {unit}{'s' if unit == 'day' and count != 1 else ''}"
    return f"{seconds:g} s"
