"""Alert rules and their log as text, and what the fields of the dialog make. Pure, no Qt."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from basisdesk.scan.alert_book import AlertBook, Told, example_of, payload_of, trial_of
from basisdesk.scan.alerts import (
    NAME_MAX,
    SECTOR,
    STATES,
    WATCHED,
    AlertRule,
    Channel,
    Quantity,
    Side,
    clean,
    figure,
    level_text,
    problem_of,
    scope_kind,
    scope_text,
    sentence,
    span,
)
from basisdesk.ui.figures import NOTHING, number_text
from basisdesk.ui.times import clock_text, date_text, moment

NAN = math.nan
MINUTES_A_DAY = 1_440
WAKES_H = 8  # of the next day: "until tomorrow"
ROWS_MAX = 500  # of the log on the screen; the file keeps more
WAYS = {"notify": "message", "sound": "sound", "webhook": "webhook"}
_STATES = {
    "crossed": ("\u25a0 crossed", "warn"),
    "waits": ("\u25b2 waits", "warn"),
    "quiet": ("\u00b7 quiet", "muted"),
    "unknown": ("? unknown", "muted"),
    "nothing": ("\u00b7 nothing there", "muted"),
}
IN_PERCENT = frozenset({"cross_gap", "btc_eth", "funding_8h"})  # the scanner says these in %
SCOPES: dict[str, tuple[str, str]] = {
    "any": ("Anything", ""),
    "coin": ("A coin", "BTC"),
    "venue": ("A venue", "bybit"),
    "sector": ("A sector", "meme"),
    "pair": ("A pair", "7"),
    "leg": ("A leg", "bybit:perp:ADAUSDT"),
    "combination": ("Two legs", "bybit:spot:ADAUSDT okx:perp:ADA-USDT-SWAP"),
}


# --- the tables ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as it stands. away: to its line, "1.20 beyond" or "0.80 to go", in its unit."""

    id: str
    name: str
    state: str
    meaning: str
    watches: str
    tells: str
    now: str
    of: str
    away: str
    last: str
    ways: str
    detail: str
    away_of: float = field(default=NAN, compare=False)
    last_ns: int = field(default=0, compare=False)


def rule_rows(book: AlertBook, now_ns: int, utc: bool) -> list[RuleRow]:
    """Every rule, in the order they were made."""
    last: dict[str, int] = {}
    for told in book.log:
        last.setdefault(told.rule, told.t_ns)
    return [
        _rule_row(book, rule, last.get(rule.id, 0), now_ns, utc) for rule in book.rules.values()
    ]


def _rule_row(book: AlertBook, rule: AlertRule, last_ns: int, now_ns: int, utc: bool) -> RuleRow:
    standing = book.standing(rule.id)
    state, meaning = _STATES[standing.state]
    until_ns = book.snoozed_until_ns(rule)
    if not rule.on:
        state, meaning = "\u25cb off", "muted"
    elif until_ns > now_ns:
        state, meaning = f"\u25d0 snoozed to {clock_text(until_ns, utc)[:5]}", "muted"
    known = rule.on and not math.isnan(standing.value)
    of = standing.name if known else ""
    if standing.crossed > 1:
        of = f"{of} and {standing.crossed - 1:,} more".strip()
    away = _away(rule, standing.value) if known else NAN
    return RuleRow(
        rule.id,
        rule.name,
        state,
        meaning,
        _watches(rule),
        _tells(rule),
        _now_text(standing.value, rule.quantity) if known else NOTHING,
        of,
        _away_text(rule, away),
        _day_clock(last_ns, now_ns, utc),
        _ways_text(rule.channels),
        rule_sentence(rule),
        away,
        last_ns,
    )


def _watches(rule: AlertRule) -> str:
    title = WATCHED[rule.quantity].title
    return title if rule.scope == "*" else f"{title}, {scope_text(rule.scope)}"


def _tells(rule: AlertRule) -> str:
    held = f" for {span(rule.hold_s)}" if rule.hold_s else ""
    return f"{line_text(rule)}{held}"


def _now_text(value: float, quantity: Quantity) -> str:
    if quantity not in IN_PERCENT or not math.isfinite(value):
        return figure(value, quantity)
    places = WATCHED[quantity].places
    return f"{number_text(value / 100, places + 2)} % = {number_text(value, places)} bp per 8 h"


def line_text(rule: AlertRule) -> str:
    """Side and level: "over 10.0 bp"; of funding as scanner and name have it, and as levels are.

    "over 0.06 % = 6.0 bp per 8 h", with as many decimals as the level needs.
    """
    if rule.quantity not in IN_PERCENT:
        return level_text(rule)
    bp = _exact(rule.level)
    shown = number_text(float(bp), max(1, _places(bp)))
    return f"{rule.side} {percent_text(bp)} = {shown} bp per 8 h"


def percent_text(bp: Decimal) -> str:
    """Basis points in percent, "0.06 %", with as many decimals as they need."""
    return f"{number_text(float(bp / 100), max(2, _places(bp) + 2))} %"


def _places(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def unit_text(quantity: Quantity, level: Decimal | None) -> str:
    """What stands behind the level's field: its unit, of funding with the same in percent."""
    if quantity not in IN_PERCENT or level is None:
        return WATCHED[quantity].unit
    return f"bp = {percent_text(level)} per 8 h"


def _away(rule: AlertRule, value: float) -> float:
    """How far beyond the line; negative before it. NaN where that is no distance."""
    if rule.side == "equals" or math.isinf(value):
        return NAN
    return value - rule.level if rule.side == "over" else rule.level - value


def _away_text(rule: AlertRule, away: float) -> str:
    if math.isnan(away):
        return NOTHING
    watched = WATCHED[rule.quantity]
    unit = watched.unit.removesuffix(" per 8 h").removesuffix(" per 8 h each h")
    return f"{number_text(abs(away), watched.places)} {unit} {'beyond' if away > 0 else 'to go'}"


def _ways_text(channels: tuple[str, ...]) -> str:
    return ", ".join(WAYS.get(each, clean(each)) for each in channels)


def _day_clock(t_ns: int, now_ns: int, utc: bool) -> str:
    """The time of day, with the day where it is another one."""
    if not t_ns:
        return NOTHING
    if date_text(t_ns, utc)[:10] == date_text(now_ns, utc)[:10]:
        return clock_text(t_ns, utc)
    return date_text(t_ns, utc)[5:]


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One line of the alert log."""

    time: str
    name: str
    text: str
    ways: str
    t_ns: int = field(compare=False)
    place: int = field(compare=False)


def told_rows(book: AlertBook, now_ns: int, utc: bool) -> list[ToldRow]:
    """The newest alerts, newest first."""
    rows = []
    for place, told in enumerate(book.log):
        if place >= ROWS_MAX:
            break
        more = f" And {told.more:,} more in the same second." if told.more else ""
        ways = _ways_text(told.channels) or "log alone"
        time = _day_clock(told.t_ns, now_ns, utc)
        rows.append(ToldRow(time, told.name, f"{told.text}{more}", ways, told.t_ns, place))
    return rows


def foot_text(book: AlertBook, now_ns: int, utc: bool) -> str:
    """What stands under the tables: troubles first, then counts."""
    parts = [book.said] if book.said else []
    if book.silent_until_ns > now_ns:
        parts.append(f"All alerts are snoozed until {date_text(book.silent_until_ns, utc)}.")
    if book.unsaid:
        parts.append(f"{book.unsaid:,} held back from the screen, all of them counted.")
    if book.webhook_said:
        parts.append(f"Webhook: {book.webhook_said}")
    kept = f"{len(book.log):,} in the log" if book.log else "Nothing was told yet"
    parts.append(f"{kept}, {book.total:,} since the start.")
    return " ".join(parts)


def minutes_to_tomorrow(now_ns: int, utc: bool) -> int:
    """Minutes until WAKES_H of the next day, in the zone that times are shown in."""
    now = moment(now_ns, utc)
    wakes = datetime(now.year, now.month, now.day, WAKES_H, tzinfo=now.tzinfo) + timedelta(days=1)
    return max(1, math.ceil((wakes - now).total_seconds() / 60))


# --- the dialog ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleDraft:
    """What the fields of the dialog hold; None where a figure cannot be read."""

    name: str = ""
    quantity: Quantity = "cross_gap"
    scope_kind: str = "any"
    scope: str = ""
    side: Side = "over"
    level: Decimal | None = Decimal(6)
    hold_s: Decimal | None = Decimal(30)
    quiet_min: Decimal | None = Decimal(15)
    back: Decimal | None = Decimal(0)
    channels: tuple[Channel, ...] = ("notify", "sound")

    def rule(self, base: AlertRule) -> AlertRule | None:
        """The rule, with id, state and snooze of `base`; None while a figure is missing."""
        figures = (self.level, self.hold_s, self.quiet_min, self.back)
        if any(each is None for each in figures):
            return None
        level, hold, quiet, back = (float(each) for each in figures if each is not None)
        return msgspec.structs.replace(
            base,
            name=" ".join(self.name.split()),
            quantity=self.quantity,
            scope=self._scope(),
            side=self.side,
            level=level,
            hold_s=hold,
            again_s=60 * quiet,
            hysteresis=back,
            channels=self.channels,
        )

    def problem(self, base: AlertRule) -> str:
        """Why this is no rule, one sentence; "" when it is one."""
        rule = self.rule(base)
        if rule is None:
            return "A figure is missing."
        return self.name_problem() or self.scope_problem() or problem_of(rule)

    def name_problem(self) -> str:
        """What is wrong with the name, one sentence; "" when nothing is."""
        name = " ".join(self.name.split())
        if not name:
            return f"Enter a name, 1 to {NAME_MAX} characters."
        if len(name) > NAME_MAX or clean(name) != name:
            return f"The name is 1 to {NAME_MAX} plain characters without < > &."
        return ""

    def scope_problem(self) -> str:
        """What is wrong with the one that is named, one sentence; "" when nothing is."""
        if self.scope_kind in ("any", scope_kind(self._scope())):
            return ""
        name, example = SCOPES[self.scope_kind]
        return f"{name} is written like {example}."

    def _scope(self) -> str:
        scope = "*" if self.scope_kind == "any" else self.scope.strip()
        if self.scope_kind == "coin":
            return scope.upper()
        if self.scope_kind == "venue":
            return scope.lower()
        return f"{SECTOR}{scope}" if self.scope_kind == "sector" else scope


def draft_of(rule: AlertRule) -> RuleDraft:
    """The fields of a rule."""
    kind = scope_kind(rule.scope) or "any"
    return RuleDraft(
        name=rule.name,
        quantity=rule.quantity,
        scope_kind=kind,
        scope="" if kind == "any" else rule.scope.removeprefix(SECTOR),
        side=rule.side,
        level=_exact(rule.level),
        hold_s=_exact(rule.hold_s),
        quiet_min=_exact(round(rule.again_s / 60, 6)),
        back=_exact(rule.hysteresis),
        channels=rule.channels,
    )


def _exact(value: float) -> Decimal:
    return Decimal(repr(value)).normalize() + 0


def sides_of(quantity: Quantity) -> dict[str, str]:
    """The choices beside the level: code and text. Of a sector they are its states."""
    if quantity == "sector_state":
        return {word: word.capitalize() for word in STATES}
    return {"over": "Over", "under": "Under"}


def rule_sentence(rule: AlertRule) -> str:
    """What a rule does, its level in both units where it has two."""
    return sentence(rule).replace(level_text(rule), line_text(rule), 1)


def preview(rule: AlertRule) -> str:
    """What the rule will do, and by which ways."""
    return f"{rule_sentence(rule)} By {_ways_text(rule.channels)}."


def payload_text(rule: AlertRule | None, now_ns: int) -> str:
    """What a webhook would be sent by this rule, or by a test (None): as sent, but indented."""
    told: Told = trial_of(now_ns) if rule is None else example_of(rule, now_ns)
    return msgspec.json.format(payload_of(told), indent=2).decode()
