"""What a person is about to change: typed texts, their values, and what goes into the file. Pure.

Nothing typed is lost by a wrong text, by another page or by reading the file again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from basisdesk.config import OWN, Settings
from basisdesk.ui.product_actions import SettingValue
from basisdesk.ui.settings_rows import (
    VENUES,
    Field,
    fields_of,
    indicator_fields,
    shown,
    value_of,
)
from basisdesk.ui.settings_texts import GROUPS
from basisdesk.ui.settings_typed import read

RATES = ("spot_taker", "spot_maker", "perp_taker", "perp_maker")
OWN_RATES = "Own rates"  # where no tier has these rates


class Typed(NamedTuple):
    """What stands in an editor that differs from the file. problem: why it is no value, or ""."""

    text: str
    value: Any
    problem: str = ""


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fee tier of a venue: rates as fractions, and where they were read, with the date."""

    name: str
    spot_taker: float
    spot_maker: float
    perp_taker: float
    perp_maker: float
    source: str

    @property
    def rates(self) -> tuple[float, ...]:
        """The four rates, in the order of RATES."""
        return (self.spot_taker, self.spot_maker, self.perp_taker, self.perp_maker)


Tiers = dict[str, tuple[Tier, ...]]


def tiers_of(text: bytes) -> Tiers:
    """The tiers of each venue, from the shipped table."""
    return msgspec.toml.decode(text, type=Tiers)


@dataclass
class Draft:
    """Settings as the file has them, and what was typed over them.

    dropped: outside numbers that leave the file. added: those that come, by name.
    """

    now: Settings
    typed: dict[str, Typed] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    added: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fields: dict[str, Field] = fields_of(self.now)
        self._texts: dict[str, str] = {}  # as typed: "5." on the way from 5 to 5.5 is worth 5

    # --- looking ---------------------------------------------------------------------------------

    def value(self, key: str) -> Any:
        """What would hold if it were saved now; the last good value while a text is wrong."""
        typed = self.typed.get(key)
        return typed.value if typed and not typed.problem else self.was(key)

    def was(self, key: str) -> Any:
        """What the file says."""
        if key.split(".")[2:3] and key.split(".")[2] in self.added:
            return self.fields[key].default
        return value_of(self.now, key)

    def text(self, key: str) -> str:
        """What the editor shows."""
        if (typed := self.typed.get(key)) is not None:
            return typed.text
        return self._texts.get(key) or shown(self.fields[key], self.was(key))

    def problem(self, key: str) -> str:
        """Why the text is no value, or ""."""
        typed = self.typed.get(key)
        return typed.problem if typed else ""

    def differs(self, key: str) -> bool:
        """Whether it would not be the default."""
        return bool(self.value(key) != self.fields[key].default) or bool(self.problem(key))

    def problems(self) -> dict[str, str]:
        """Every key whose text is no value, with the sentence."""
        return {key: typed.problem for key, typed in self.typed.items() if typed.problem}

    def indicators(self) -> list[str]:
        """Names of the outside numbers, those that leave left out."""
        had = (name for name in self.now.forecast.indicators if name not in self.dropped)
        return [*had, *self.added]

    def differing(self, group: int) -> int:
        """How many keys of a page are not the default."""
        keys = (key for key, each in self.fields.items() if each.group == group)
        return sum(self.differs(key) for key in keys)

    # --- changing --------------------------------------------------------------------------------

    def put_text(self, key: str, text: str) -> None:
        """A person typed. The text stays whatever it is worth."""
        found = read(self.fields[key], text)
        self._put(key, Typed(text, found.value, found.problem))
        self._texts[key] = text

    def put(self, key: str, value: Any) -> None:
        """A person chose a value."""
        self._put(key, Typed(shown(self.fields[key], value), value))

    def reset(self, keys: Iterable[str]) -> None:
        """Back to the defaults. Of a venue's rates the source follows them."""
        for key in keys:
            self.put(key, self.fields[key].default)

    def reset_all(self) -> None:
        """Every key back to its default. Outside numbers have none, and stay."""
        self.reset(key for key in self.fields if not key.startswith("forecast.indicators."))

    def undo(self) -> None:
        """Everything as the file has it."""
        self.typed.clear()
        self._texts.clear()
        self.dropped.clear()
        self.added.clear()
        self.fields = fields_of(self.now)

    def rebase(self, now: Settings) -> None:
        """The file was read again: what was typed stays typed."""
        self._texts.clear()
        self.now, have = now, now.forecast.indicators
        self.dropped &= have.keys()
        self.added = [name for name in self.added if name not in have or name in self.dropped]
        gone = {each.key for name in self.dropped for each in indicator_fields(name)}
        come = (each for name in self.added for each in indicator_fields(name))
        self.fields = {key: each for key, each in fields_of(now).items() if key not in gone}
        self.fields |= {each.key: each for each in come}
        self.typed = {key: typed for key, typed in self.typed.items() if key in self.fields}
        for key in [key for key in self.typed if not self._changed(key)]:
            del self.typed[key]

    def add_indicator(self, name: str) -> None:
        """One more outside number; what it lacks is typed next."""
        self.added.append(name)
        self.fields |= {each.key: each for each in indicator_fields(name)}

    def drop_indicator(self, name: str) -> None:
        """An outside number leaves."""
        if name in self.added:
            self.added.remove(name)
        else:
            self.dropped.add(name)
        for each in indicator_fields(name):
            self.typed.pop(each.key, None)
            self.fields.pop(each.key, None)

    def _put(self, key: str, typed: Typed) -> None:
        self._texts.pop(key, None)
        self.typed[key] = typed
        if not self._changed(key):
            del self.typed[key]
        head, _, rest = key.partition(".")
        if head in ("fees", "borrow") and not key.endswith((".source", ".spot_buy_fee_in")):
            self._name_source(head, rest.partition(".")[0])

    def _changed(self, key: str) -> bool:
        typed = self.typed[key]
        return bool(typed.problem) or bool(typed.value != self.was(key))

    # --- where rates come from -------------------------------------------------------------------

    def tier(self, venue: str, tiers: tuple[Tier, ...]) -> Tier | None:
        """The tier that has these rates, or None: own rates."""
        rates = tuple(self.value(f"fees.{venue}.{name}") for name in RATES)
        return next((tier for tier in tiers if tier.rates == rates), None)

    def put_tier(self, venue: str, tier: Tier) -> None:
        """A tier's rates, and where they come from."""
        for name, rate in zip(RATES, tier.rates, strict=True):
            self.put(f"fees.{venue}.{name}", rate)
        self.put(f"fees.{venue}.source", tier.source)

    def _name_source(self, head: str, venue: str) -> None:
        """The source follows rates that a person changed: theirs, the file's, or the default's."""
        names = RATES if head == "fees" else ("hourly_rate",)
        keys = [f"{head}.{venue}.{name}" for name in names]
        source = f"{head}.{venue}.source"
        if not any(key in self.typed for key in keys):
            self.typed.pop(source, None)
        elif not any(self.differs(key) for key in keys):
            self.put(source, self.fields[source].default)
        else:
            self.put(source, OWN)

    # --- saving ----------------------------------------------------------------------------------

    def changes(self) -> dict[str, SettingValue]:
        """What is to be written: dotted key to value, None for what leaves the file."""
        made: dict[str, SettingValue] = {
            f"forecast.indicators.{name}": None for name in sorted(self.dropped)
        }
        for key, typed in self.typed.items():
            if not typed.problem:
                default = typed.value == self.fields[key].default
                made[key] = None if default else plain(typed.value)
        for head in ("fees", "borrow"):
            for venue in VENUES:
                self._source_change(f"{head}.{venue}", made)
        return made

    def _source_change(self, table: str, made: dict[str, SettingValue]) -> None:
        """A source is written where the loading would not name it by itself.

        By itself it names the default where nothing of the venue is in the file, else "yours".
        """
        source = f"{table}.source"
        others = [key for key in self.fields if key.startswith(f"{table}.") and key != source]
        if source not in self.typed:
            mine = [key for key in others if key in made]
            if mine and self.was(source) == self.fields[source].default:
                made[source] = self.was(source)
            return
        if self.value(source) == OWN:
            made[source] = None
        elif self.value(source) == self.fields[source].default:
            if any(self.differs(key) for key in others):
                made[source] = self.value(source)
            else:
                made |= dict.fromkeys([*others, source])


def plain(value: Any) -> SettingValue:
    """A value as the file's writer takes it: lists for tuples."""
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    kept: SettingValue = value
    return kept


def page_title(group: int, draft: Draft) -> str:
    """A page's name with the number of its keys that are not the default."""
    count = draft.differing(group)
    return f"{GROUPS[group].title}  \u2022 {count}" if count else GROUPS[group].title
