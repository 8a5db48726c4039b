"""Judges alert rules on readings: tells each crossing once. Pure; its memory is written by others.

A rule looks at whole columns at once, because "any" means thousands of combinations. For each of
them it knows since when the line is crossed and whether that was told. NaN crosses nothing and
takes nothing back: a feed that went away is no reason to tell the same again when it returns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.alerts import WATCHED, AlertRule, Channel, Quantity, figure, level_text
from basisdesk.scan.words import Floats, Ints

NAMED_MAX = 5  # things that one alert names; the others are counted
ABSENT_MAX = 500  # things not seen now whose crossing a rule still remembers
MARKS_MAX = 10_000  # memories that are written down, of all rules together
FORGET_NS = 7 * 86_400 * 1_000_000_000  # a told crossing of a thing that never came back
NEVER = -(2**62)
STAMP_MAX = 2**62  # ns, in the year 2116; with NEVER any difference still fits into 64 bits

Rows = NDArray[np.intp]
Stamp = Annotated[int, msgspec.Meta(ge=0, le=STAMP_MAX)]  # ns, checked where it is read from bytes


class Mark(NamedTuple):
    """What is remembered of a crossing: when it was told, and whether it has not gone back yet."""

    told_ns: Stamp
    fired: bool


class Places:
    """What the rows of a reading are, shared by readings of the same rows. Never changed.

    keys: one a row, unique: what a rule remembers crossings by. names: how an alert names each.
    tags: rows by scope, ascending; "*" means all of them where it is not among the tags.
    groups: how an alert names many rows together, the coin of a combination; else their names.
    """

    def __init__(
        self,
        keys: Sequence[str],
        names: Sequence[str],
        tags: Mapping[str, Sequence[int]],
        groups: Sequence[str] = (),
    ) -> None:
        self.keys = tuple(keys)
        self.names = tuple(names)
        self.groups = tuple(dict.fromkeys(groups or names))
        number = {group: at for at, group in enumerate(self.groups)}
        self.group = np.array([number[each] for each in groups or names], dtype=np.intp)
        self._row_of: dict[str, int] = {}
        self._tags: dict[str, Rows] = {
            tag: np.asarray(rows, dtype=np.intp) for tag, rows in tags.items()
        }

    def rows(self, scope: str) -> Rows | None:
        """The rows a scope means; None for all of them."""
        if scope == "*" and "*" not in self._tags:
            return None
        return self._tags.get(scope, _NO_ROWS)

    def row(self, key: str) -> int:
        """The row of a key; -1 for none."""
        if not self._row_of and self.keys:
            self._row_of = {known: row for row, known in enumerate(self.keys)}
        return self._row_of.get(key, -1)


_NO_ROWS: Rows = np.empty(0, dtype=np.intp)


class Reading(NamedTuple):
    """One quantity at all its places now. source: which of several that give this quantity.

    values: in the unit of the quantity, NaN where unknown. say: more about a row, a sentence.
    """

    quantity: Quantity
    source: str
    places: Places
    values: Floats
    say: Callable[[int], str] | None = None


def reading_of(
    quantity: Quantity, rows: Iterable[tuple[str, str, float]], source: str = ""
) -> Reading:
    """A reading of a few rows (scope, name, value); each row answers to its own scope."""
    told = list(rows)
    places = Places(
        [scope for scope, _, _ in told],
        [name for _, name, _ in told],
        {scope: (place,) for place, (scope, _, _) in enumerate(told)},
    )
    return Reading(quantity, source, places, np.array([value for _, _, value in told], dtype=float))


class Fired(msgspec.Struct, frozen=True):
    """One alert: a rule that crossed its line, for one thing or for many in the same moment.

    value: the furthest, in `unit`. scopes: the first NAMED_MAX of `count`. text: plain, whole.
    """

    t_ns: int
    rule: str
    name: str
    text: str
    value: float
    unit: str
    scopes: tuple[str, ...]
    count: int
    channels: tuple[Channel, ...]
    quantity: str = ""


class Standing(NamedTuple):
    """How a rule stands: the value nearest to its line or furthest beyond, and what it is of.

    state: "crossed", "waits" (crossed, not told yet), "quiet", "unknown", "nothing" (there is
    nothing it could look at). crossed: how many.
    """

    value: float
    name: str
    state: str
    crossed: int


class _Column:
    """The memory of one rule on one source, aligned with the rows it looks at."""

    def __init__(self, places: Places, rows: Rows | None) -> None:
        self.places = places
        self.rows = rows
        count = len(places.keys) if rows is None else len(rows)
        self.since: Ints = np.zeros(count, dtype=np.int64)  # crossed since; 0 while it is not
        self.told: Ints = np.full(count, NEVER, dtype=np.int64)
        self.fired = np.zeros(count, dtype=np.bool_)
        self.waits = np.zeros(count, dtype=np.bool_)  # crossed and not told yet
        self.values: Floats = np.full(count, np.nan)
        self.moved = False  # something was told or went back in the last look
        self._marks: dict[str, Mark] | None = None

    def __len__(self) -> int:
        return len(self.since)

    def place(self, at: int) -> int:
        """The row of the reading behind a row of this column."""
        return at if self.rows is None else int(self.rows[at])

    def key(self, at: int) -> str:
        return self.places.keys[self.place(at)]

    def at(self, key: str) -> int:
        """The row of this column with a key; -1 for none."""
        row = self.places.row(key)
        if self.rows is None or row < 0:
            return row
        at = int(np.searchsorted(self.rows, row))
        return at if at < len(self.rows) and self.rows[at] == row else -1

    def marks(self, now_ns: int, again_ns: int) -> dict[str, Mark]:
        """What must outlive this column: crossings told, and quiet times that still run."""
        if self._marks is None:
            kept = np.flatnonzero(self.fired | (self.told > now_ns - again_ns))
            told, fired = self.told[kept].tolist(), self.fired[kept].tolist()
            self._marks = {
                self.key(at): Mark(when, was)
                for at, when, was in zip(kept.tolist(), told, fired, strict=True)
            }
        return self._marks

    def take(self, marks: dict[str, Mark], before: "_Column | None") -> None:
        """Remember again: `marks`, which leave it, and of `before` what has not been told."""
        for key in list(marks):
            if (at := self.at(key)) >= 0:
                self.told[at], self.fired[at] = marks.pop(key)
        if before is None:
            return
        for old in np.flatnonzero(before.waits).tolist():
            if (at := self.at(before.key(old))) >= 0:
                self.since[at], self.waits[at] = before.since[old], True

    def step(self, rule: AlertRule, values: Floats, now_ns: int, silent: bool) -> Rows:
        """Move on by one look; the rows to be told now. silent: tell nothing, but remember."""
        self.values = values = values if self.rows is None else values[self.rows]
        over, back = _sides(rule, values)
        rows: Rows = np.flatnonzero((over > self.fired) | (back & self.fired) | self.waits)
        self.moved = False
        if not len(rows):
            return rows
        over, gone, fired = over[rows], back[rows], self.fired[rows]
        self.moved = bool((fired & gone).any())
        fired &= ~gone
        values = values[rows]
        since = self.since[rows]
        calm = ~over & (values == values)  # known, and not beyond the line
        since[calm] = 0
        since[over & (since == 0)] = now_ns
        ready = over & ~fired & (now_ns - since >= round(rule.hold_s * 1e9))
        quiet_ns = now_ns - self.told[rows]
        ready &= (quiet_ns >= round(rule.again_s * 1e9)) | (quiet_ns < 0)
        if silent:
            ready[:] = False
        self.since[rows] = since
        self.fired[rows] = fired | ready
        self.waits[rows] = (since > 0) & ~(fired | ready)
        told: Rows = rows[ready]
        self.told[told] = now_ns
        if len(told) or self.moved:
            self.moved, self._marks = True, None
        return told


Hit = tuple[Reading, _Column, Rows]


class Watcher:
    """What was crossed and told, of all rules. version counts what is worth writing down."""

    def __init__(self) -> None:
        self.version = 0
        self._columns: dict[str, dict[str, _Column]] = {}  # by rule and source
        self._absent: dict[str, dict[str, Mark]] = {}
        self._meant: dict[str, tuple[object, ...]] = {}

    def judge(
        self,
        rules: Iterable[AlertRule],
        readings: Iterable[Reading],
        now_ns: int,
        silent_until_ns: int = 0,
    ) -> list[Fired]:
        """What has to be told now, at most one alert a rule. Once for each crossing.

        silent_until_ns: all rules are snoozed until then. What still holds when a snooze ends is
        told then.
        """
        by_quantity: dict[str, list[Reading]] = {}
        for reading in readings:
            by_quantity.setdefault(reading.quantity, []).append(reading)
        fired = []
        with np.errstate(invalid="ignore"):
            for rule in rules:
                self._renew(rule)
                if not rule.on:
                    continue
                hits: list[Hit] = []
                silent = now_ns < max(silent_until_ns, rule.snoozed_until_ns)
                for reading in by_quantity.get(rule.quantity, ()):
                    column = self._column(rule, reading, now_ns)
                    told = column.step(rule, reading.values, now_ns, silent)
                    self.version += column.moved
                    if len(told):
                        hits.append((reading, column, told))
                if hits:
                    fired.append(_alert(rule, hits, now_ns))
        return fired

    def standing(self, rule: AlertRule) -> Standing:
        """How a rule stands by the last look."""
        value, name, crossed, waits = float("nan"), "", 0, 0
        for column in self._columns.get(rule.id, {}).values():
            known = column.values
            with np.errstate(invalid="ignore"):
                crossed += int(_sides(rule, known)[0].sum())
            waits += int(column.waits.sum())
            far = _beyond(rule, known)
            if not len(far) or np.isnan(far).all():
                continue
            at = int(np.nanargmax(far))
            if value != value or far[at] > _beyond(rule, np.array([value]))[0]:
                value, name = float(known[at]), column.places.names[column.place(at)]
        columns = self._columns.get(rule.id, {}).values()
        state = "unknown" if value != value else "quiet"
        if columns and not any(map(len, columns)):
            state = "nothing"
        if crossed:
            state = "waits" if waits >= crossed else "crossed"
        return Standing(value, name, state, crossed)

    # --- memory ----------------------------------------------------------------------------------

    def forget(self, rule_id: str) -> None:
        """A rule is gone or means something else."""
        for memory in (self._columns, self._absent, self._meant):
            if memory.pop(rule_id, None) is not None:
                self.version += 1

    def marks(self, rules: Iterable[AlertRule], now_ns: int) -> dict[str, dict[str, Mark]]:
        """What a restart has to know, by rule and key; MARKS_MAX of it at most."""
        kept: dict[str, dict[str, Mark]] = {}
        left = MARKS_MAX
        for rule in rules:
            known = dict(self._absent.get(rule.id, {}))
            for column in self._columns.get(rule.id, {}).values():
                known |= column.marks(now_ns, round(rule.again_s * 1e9))
            if len(known) > left:
                newest = sorted(known, key=lambda key: known[key].told_ns, reverse=True)
                known = {key: known[key] for key in newest[:left]}
            if known:
                kept[rule.id] = known
            left -= len(known)
            if left <= 0:
                break
        return kept

    def restore(self, rules: Iterable[AlertRule], marks: Mapping[str, Mapping[str, Mark]]) -> None:
        """Know again what `marks` gave."""
        self._columns.clear()
        self._absent.clear()
        for rule in rules:
            self._meant[rule.id] = _meaning(rule)
            if rule.id in marks:
                self._absent[rule.id] = {key: Mark(*mark) for key, mark in marks[rule.id].items()}

    def _renew(self, rule: AlertRule) -> None:
        """A rule that was edited or switched off begins anew."""
        meant = _meaning(rule)
        if self._meant.get(rule.id) != meant:
            self.forget(rule.id)
            self._meant[rule.id] = meant

    def _column(self, rule: AlertRule, reading: Reading, now_ns: int) -> _Column:
        columns = self._columns.setdefault(rule.id, {})
        column = columns.get(reading.source)
        if column is not None and column.places is reading.places:
            return column
        absent = self._absent.setdefault(rule.id, {})
        new = _Column(reading.places, reading.places.rows(rule.scope))
        if column is not None:
            absent |= column.marks(now_ns, round(rule.again_s * 1e9))
        new.take(absent, column)
        for key in [key for key, mark in absent.items() if now_ns - mark.told_ns > FORGET_NS]:
            del absent[key]
        for key in list(absent)[: max(0, len(absent) - ABSENT_MAX)]:
            del absent[key]
        columns[reading.source] = new
        return new


# --- small parts ---------------------------------------------------------------------------------


def _meaning(rule: AlertRule) -> tuple[object, ...]:
    return (rule.quantity, rule.scope, rule.side, rule.level, rule.on)


def _sides(rule: AlertRule, values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(beyond the line, back by the hysteresis); neither for NaN."""
    level, back = rule.level, rule.hysteresis
    if rule.side == "over":
        return values > level, values <= level - back
    if rule.side == "under":
        return values < level, values >= level + back
    return values == level, (values != level) & (values == values)


def _beyond(rule: AlertRule, values: Floats) -> Floats:
    """How far beyond the line, negative before it; by sides that can be compared."""
    if rule.side == "over":
        return values - rule.level
    return rule.level - values if rule.side == "under" else -np.abs(values - rule.level)


def _alert(rule: AlertRule, hits: Sequence[Hit], now_ns: int) -> Fired:
    """One alert from all that crossed in this look; the furthest is told with its value."""
    best: tuple[float, Hit, int] | None = None
    groups: list[str] = []
    count = 0
    for hit in hits:
        reading, column, told = hit
        places = told if column.rows is None else column.rows[told]
        far = _beyond(rule, column.values[told])
        order = np.argsort(-far, kind="stable")
        count += len(told)
        numbers = reading.places.group[places[order]].tolist()
        groups += [reading.places.groups[number] for number in dict.fromkeys(numbers)]
        if best is None or far[order[0]] > best[0]:
            best = float(far[order[0]]), hit, int(told[order[0]])
    assert best is not None
    _, (reading, column, _), at = best
    row, value = column.place(at), float(column.values[at])
    name = reading.places.names[row]
    more = reading.say(row) if reading.say is not None else ""
    groups = list(dict.fromkeys((reading.places.groups[reading.places.group[row]], *groups)))
    text = _one(rule, name, value, more) if count == 1 else _many(rule, groups, count, name, value)
    return Fired(
        now_ns,
        rule.id,
        rule.name,
        text,
        value,
        WATCHED[rule.quantity].unit,
        tuple(groups[:NAMED_MAX]) if count > 1 else (name,),
        count,
        rule.channels,
        rule.quantity,
    )


def _one(rule: AlertRule, name: str, value: float, more: str) -> str:
    title, line = WATCHED[rule.quantity].title, level_text(rule)
    if rule.side == "equals":
        return f"{title} {name} is {line}. {more}".rstrip()
    of = f" of {name}" if name else ""
    return f"{title}{of} is {figure(value, rule.quantity)}, {line}. {more}".rstrip()


def _many(rule: AlertRule, groups: Sequence[str], count: int, name: str, value: float) -> str:
    rest = len(groups) - NAMED_MAX
    listed = ", ".join(groups[:NAMED_MAX]) + (f" and {rest} more" if rest > 0 else "")
    if count > len(groups):
        listed += f" ({count:,} combinations)"
    furthest = "" if rule.side == "equals" else f"; furthest {name}, {figure(value, rule.quantity)}"
    return f"{WATCHED[rule.quantity].title} of {listed}: {level_text(rule)}{furthest}."
