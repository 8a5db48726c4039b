"""The book of alerts: rules, what was told, snoozes, and what a restart must know. Pure.

The book becomes bytes and comes from bytes; who keeps the file is no business of its own.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from basisdesk.scan.alert_watch import (
    STAMP_MAX,
    Fired,
    Mark,
    Reading,
    Stamp,
    Standing,
    Watcher,
)
from basisdesk.scan.alerts import (
    DEFAULT_RULES,
    RULES_MAX,
    STATES,
    WATCHED,
    AlertRule,
    clean,
    level_text,
    problem_of,
    scope_text,
)

BOOK_VERSION = 1
LOG_MAX = 2_000
TEXT_MAX = 600
S = 1_000_000_000


class Told(msgspec.Struct, frozen=True, array_like=True):
    """One line of the alert log. value: None where it is no number (none near).

    channels: how it was told: "notify", "sound", "webhook". more: alerts of the same moment that
    got no line of their own.
    """

    t_ns: Stamp
    rule: str
    name: str
    text: str
    value: float | None
    unit: str
    channels: tuple[str, ...] = ()
    more: int = 0


class _File(msgspec.Struct):
    version: int
    rules: list[AlertRule]
    log: list[Told] = []
    marks: dict[str, dict[str, Mark]] = {}
    silent_until_ns: Stamp = 0
    muted: bool = False


class AlertBook:
    """Rules and their log. Changed by its owner alone; panels read.

    rules: by id, in the order they were made. log: newest first. silent_until_ns: all rules are
    snoozed until then. muted: no sound. total: alerts since the start, logged or not.
    said: a sentence when the book cannot be kept, else "". webhook_said: what became of the last
    call, "" before any. unsaid: alerts held back from the screen and not told of yet.
    """

    def __init__(self, rules: Iterable[AlertRule] = DEFAULT_RULES) -> None:
        self.rules: dict[str, AlertRule] = {rule.id: rule for rule in rules}
        self.log: deque[Told] = deque(maxlen=LOG_MAX)
        self.silent_until_ns = 0
        self.muted = False
        self.total = 0
        self.unsaid = 0
        self.said = ""
        self.webhook_said = ""
        self._watcher = Watcher()
        self._edits = 0

    @property
    def version(self) -> int:
        """Moves whenever there is something new to keep."""
        return self._edits + self._watcher.version

    @property
    def wanted(self) -> frozenset[str]:
        """Quantities that some rule looks at."""
        return frozenset(rule.quantity for rule in self.rules.values() if rule.on)

    # --- what a person does ----------------------------------------------------------------------

    def put(self, rule: AlertRule) -> str:
        """Add a rule, or replace the one of its id; the sentence why not, "" when done."""
        said = problem_of(rule)
        if not said and rule.id not in self.rules and len(self.rules) >= RULES_MAX:
            said = f"There are {RULES_MAX} rules, and no more can be. Remove one first."
        if not said:
            self.rules[rule.id] = rule
            self._edits += 1
        return said

    def drop(self, rule_id: str) -> None:
        """Forget a rule; what it told stays in the log."""
        if self.rules.pop(rule_id, None) is not None:
            self._watcher.forget(rule_id)
            self._edits += 1

    def snooze(self, rule_id: str, until_ns: int) -> None:
        """Keep a rule silent until then, or all with "*"; 0 wakes it."""
        rule, until_ns = self.rules.get(rule_id), min(max(0, until_ns), STAMP_MAX)
        if rule_id == "*":
            self.silent_until_ns = until_ns
        elif rule is not None:
            self.rules[rule_id] = msgspec.structs.replace(rule, snoozed_until_ns=until_ns)
        self._edits += 1

    def mute(self, muted: bool) -> None:
        """No sound, or sound again."""
        self.muted = muted
        self._edits += 1

    def new_id(self, name: str) -> str:
        """An id for a new rule, from its name."""
        letters = (mark if mark.isascii() and mark.isalnum() else " " for mark in name.lower())
        base = "-".join("".join(letters).split())[:30].strip("-") or "alert"
        taken, count = base, 2
        while taken in self.rules:
            taken, count = f"{base}-{count}", count + 1
        return taken

    # --- what happens ----------------------------------------------------------------------------

    def judge(self, readings: Iterable[Reading], now_ns: int) -> list[Fired]:
        """What has to be told now; each crossing once."""
        return self._watcher.judge(self.rules.values(), readings, now_ns, self.silent_until_ns)

    def note(self, lines: Sequence[Told], alerts: int) -> None:
        """Write lines into the log, oldest first. alerts: how many they stand for."""
        self.log.extendleft(lines)
        self.total += alerts
        self._edits += 1

    def standing(self, rule_id: str) -> Standing:
        """How a rule stood at the last look."""
        return self._watcher.standing(self.rules[rule_id])

    def snoozed_until_ns(self, rule: AlertRule) -> int:
        """Until when a rule is silent, by itself or with all others."""
        return max(self.silent_until_ns, rule.snoozed_until_ns)

    # --- bytes -----------------------------------------------------------------------------------

    def to_bytes(self, now_ns: int) -> bytes:
        """The book for the disk."""
        rules = list(self.rules.values())
        marks = self._watcher.marks(rules, now_ns)
        log = list(self.log)
        file = _File(BOOK_VERSION, rules, log, marks, self.silent_until_ns, self.muted)
        return msgspec.json.encode(file)

    def remember(self, marks: dict[str, dict[str, Mark]]) -> None:
        """What was told before a restart and may still hold."""
        self._watcher.restore(self.rules.values(), marks)


def open_book(data: bytes | None) -> tuple[AlertBook, str]:
    """The book of these bytes; None makes a new one with the default rules.

    The second is a sentence where the bytes cannot be used, as a whole or in part, else "".
    """
    if data is None:
        return AlertBook(), ""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return AlertBook(), "The alert rules cannot be read. The file was put aside."
    if file.version != BOOK_VERSION:
        return AlertBook(), "The alert rules are of another version. The file was put aside."
    if any(rule.snoozed_until_ns > STAMP_MAX for rule in file.rules):
        return AlertBook(), "The alert rules hold a time that is none. The file was put aside."
    usable = [rule for rule in file.rules if not problem_of(rule)][:RULES_MAX]
    book = AlertBook(usable)
    book.log.extend(file.log)
    book.silent_until_ns, book.muted = file.silent_until_ns, file.muted
    book.remember(file.marks)
    lost = len(file.rules) - len(usable)
    return book, f"{lost} of the alert rules cannot be used and were left out." if lost else ""


def told_of(fired: Fired, channels: tuple[str, ...] = (), more: int = 0) -> Told:
    """An alert as a line of the log."""
    value = fired.value if math.isfinite(fired.value) else None
    text = clean(fired.text, TEXT_MAX)
    return Told(fired.t_ns, fired.rule, fired.name, text, value, fired.unit, channels, more)


# --- the webhook's payload -----------------------------------------------------------------------


def payload_of(told: Told) -> bytes:
    """What a webhook is sent: this and nothing else. No figure of the account but the rule's."""
    return msgspec.json.encode(
        {
            "source": "basisdesk",
            "paper": True,
            "rule": told.name,
            "text": told.text,
            "value": told.value,
            "unit": told.unit,
            "time": _utc(told.t_ns),
        }
    )


def example_of(rule: AlertRule, now_ns: int) -> Told:
    """What a rule would tell, made up at its level: for the dialog and for a test."""
    watched = WATCHED[rule.quantity]
    if rule.quantity == "sector_state":
        of = "meme" if rule.scope == "*" else scope_text(rule.scope).removeprefix("sector ")
        word = next((word for word, level in STATES.items() if level == rule.level), "?")
        text = f"{watched.title} {of} is {word}."
    else:
        of = (
            ""
            if not watched.scopes
            else f" of {'BTC' if rule.scope == '*' else scope_text(rule.scope)}"
        )
        text = f"{watched.title}{of} is {level_text(rule)}."
    return Told(now_ns, rule.id, rule.name, text, rule.level, watched.unit)


def trial_of(now_ns: int) -> Told:
    """What a test of the webhook sends: the same fields, and it says that it is a test."""
    return Told(now_ns, "test", "Test", "A test of the webhook. Nothing happened.", None, "")


def _utc(t_ns: int) -> str:
    at = datetime.fromtimestamp(max(0, t_ns) // S, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
