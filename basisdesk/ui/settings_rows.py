"""Every setting as a row: what it is called, what it may be, what it is by default. Pure, no Qt.

Types, ranges, choices and defaults are read from the structs in config.py; words and units come
from settings_texts.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import inspect

from basisdesk.config import (
    CHANNELS,
    FEATURES_MAX,
    FEES,
    IndicatorSource,
    Settings,
    exact,
    shown_proxy,
)
from basisdesk.ui.settings_texts import CHOICES, COUNT, GROUPS, UNSET, WORDS, Words
from basisdesk.venues import known_venues

Kind = Literal["flag", "number", "choice", "marks", "text", "list", "band", "cuts"]
VENUES = tuple(FEES)
ELIDED = 60  # characters of a value that a caption shows
SECRET = "network.proxy"  # its name and password are shown to nobody


@dataclass(frozen=True)
class Field:
    """One key. low, high: limits in the file's figures; above: `low` itself is not allowed.

    key: dotted, as in the file. pattern: the key with VENUE, CHANNEL, NAME for what varies.
    section: what it stands under on its page, "" for none. choices: for "choice" and "marks".
    default: as `value_of` gives it. optional: nothing set is a value too, None or "".
    builtin: what holds where nothing is set, in words.
    """

    key: str
    pattern: str
    group: int
    words: Words
    kind: Kind
    default: Any
    section: str = ""
    low: float | None = None
    high: float | None = None
    above: bool = False
    whole: bool = False
    choices: tuple[str, ...] = ()
    regex: str = ""
    length: int = 0
    most: int = 0
    optional: bool = False
    builtin: str = ""

    @property
    def unit(self) -> str:
        """The unit as it is shown; a count has none."""
        return "" if self.words.unit == COUNT else self.words.unit

    @property
    def name(self) -> str:
        """Title and unit, for a screen reader and the search."""
        title = f"{self.section}, {self.words.title}" if self.section else self.words.title
        return f"{title}, {self.unit}" if self.unit else title


class Limits(NamedTuple):
    """Of a number's type."""

    low: float | None
    high: float | None
    above: bool
    whole: bool


# --- the fields ----------------------------------------------------------------------------------


@cache
def fixed_fields() -> tuple[Field, ...]:
    """Every key but those of outside numbers, page by page, in the order of the structs."""
    info: Any = inspect.type_info(Settings)
    made = [field for part in info.fields for field in _fields(part.name, part.name, part.type)]
    return tuple(sorted(made, key=lambda field: (field.group, _place(field.key))))


def indicator_fields(name: str) -> tuple[Field, ...]:
    """The keys of one outside number."""
    info: Any = inspect.type_info(IndicatorSource)
    return tuple(
        _field(f"forecast.indicators.{name}.{part.name}", part.type, part.default, section=name,
               pattern=f"forecast.indicators.NAME.{part.name}")
        for part in info.fields
    )  # fmt: skip


def fields_of(settings: Settings) -> dict[str, Field]:
    """Every key that these settings can have."""
    named = (f for name in settings.forecast.indicators for f in indicator_fields(name))
    return {field.key: field for field in (*fixed_fields(), *named)}


def _fields(key: str, pattern: str, kind: Any) -> Iterator[Field]:
    """The fields below a key of `Settings`."""
    if isinstance(kind, inspect.StructType):
        for part in kind.fields:
            yield from _fields(f"{key}.{part.name}", f"{pattern}.{part.name}", part.type)
    elif key == "feeds":
        for venue, channels in CHANNELS.items():
            yield from (_address(venue, channel) for channel in channels)
    elif isinstance(kind, inspect.DictType) and key != "forecast.indicators":
        for venue in VENUES:
            yield from _fields(f"{key}.{venue}", f"{pattern}.VENUE", kind.value_type)
    elif key != "forecast.indicators":
        default = value_of(Settings(), key)
        yield _field(key, kind, default, pattern=pattern, section=_section(pattern, key))


def _section(pattern: str, key: str) -> str:
    if not pattern.startswith(("fees.", "borrow.")):
        return ""
    return CHOICES[key.split(".")[1]]


def _address(venue: str, channel: str) -> Field:
    known = known_venues()[venue]
    conn = f"{venue}.{channel}"
    builtin = known.endpoints.get(conn) or ", ".join(dict.fromkeys(known.rest_urls.values()))
    pattern = f"feeds.VENUE.{'rest' if channel == 'rest' else 'CHANNEL'}"
    words = WORDS[pattern]
    title = words.title.format(venue=CHOICES[venue], channel=channel)
    return Field(
        f"feeds.{venue}.{channel}", pattern, _group(pattern), words._replace(title=title), "text",
        "", length=500, optional=True, builtin=builtin,
        regex="^$|^https://|^http://" if channel == "rest" else "^$|^wss://|^ws://",
    )  # fmt: skip


def _field(key: str, kind: Any, default: Any, *, pattern: str, section: str) -> Field:
    words = WORDS[pattern]
    if "{venue}" in words.title:
        words = words._replace(title=words.title.format(venue=CHOICES[key.rpartition(".")[2]]))
    optional = pattern.endswith(".VENUE")
    if isinstance(kind, inspect.UnionType):
        optional = True
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    given = {"optional": optional} | _typed(kind)
    default = None if default is msgspec.NODEFAULT else default
    group = _group(pattern)
    given |= {"default": default, "section": section, "builtin": UNSET.get(pattern, "")}
    return Field(key, pattern, group, words, **given)


def _typed(kind: Any) -> dict[str, Any]:
    """What a type says of its field."""
    match kind:
        case inspect.BoolType():
            return {"kind": "flag"}
        case inspect.IntType() | inspect.FloatType():
            return {"kind": "number", **_limits(kind)._asdict()}
        case inspect.LiteralType(values=values):
            return {"kind": "choice", "choices": tuple(values)}
        case inspect.StrType(pattern=pattern, max_length=length):
            return {"kind": "text", "regex": pattern or "", "length": length or 500}
        case inspect.VarTupleType(item_type=inspect.LiteralType(values=values)):
            return {"kind": "marks", "choices": tuple(values)}
        case inspect.VarTupleType(item_type=inspect.StrType(pattern=regex), max_length=most):
            return {"kind": "list", "regex": regex or "", "most": most or 0,
                    "optional": not kind.min_length}  # fmt: skip
        case inspect.TupleType(item_types=(inner, _)):
            return {"kind": "band", **_limits(inner)._asdict()}
        case inspect.VarTupleType(item_type=inspect.TupleType(item_types=(inner, _))):
            return {"kind": "cuts", "optional": True, **_limits(inner)._asdict()}
    raise TypeError(f"no row for {kind}")


def _limits(kind: Any) -> Limits:
    above = kind.gt is not None
    low, high = kind.gt if above else kind.ge, kind.le
    return Limits(low, high, above, isinstance(kind, inspect.IntType))


def _group(pattern: str) -> int:
    fits = {len(table): i for i, group in enumerate(GROUPS) for table in group.keys
            if f"{pattern}.".startswith(f"{table}.")}  # fmt: skip
    return fits[max(fits)]


def _place(key: str) -> int:
    """Where a key's table stands on its page; the longest table that fits it has it."""
    tables = [table for group in GROUPS for table in group.keys if key.startswith(f"{table}.")]
    order = [table for group in GROUPS for table in group.keys]
    return order.index(max(tables, key=len))


# --- values --------------------------------------------------------------------------------------


def value_of(settings: Settings, key: str) -> Any:
    """What the settings hold for a dotted key; None, or "" for an address, where nothing is set."""
    head, _, rest = key.partition(".")
    if head == "fees":
        venue, _, name = rest.partition(".")
        return getattr(settings.fees_of(venue), name)
    if head == "borrow":
        venue, _, name = rest.partition(".")
        return getattr(settings.borrow_of(venue), name)
    found: Any = settings
    for name in key.split("."):
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
    return "" if found is None and head == "feeds" else found


def shown(field: Field, value: Any) -> str:
    """A value as its editor shows it, without the unit."""
    if value is None:
        return ""
    if field.kind == "number":
        return figure(exact(value) * field.words.scale)
    if field.kind == "band":
        return " to ".join(figure(exact(each) * field.words.scale) for each in value)
    if field.kind == "cuts":
        return ", ".join(f"{figure(exact(at) * 100)} %: {figure(exact(by))}" for at, by in value)
    if field.kind == "list":
        return " ".join(value)
    return str(value)


def said(field: Field, value: Any) -> str:
    """A value in words for a caption, with its unit: "5 % of equity", "on", "none"."""
    if field.kind == "flag":
        return "on" if value else "off"
    if field.kind == "choice":
        return CHOICES.get(value, str(value))
    if field.kind == "marks":
        return ", ".join(CHOICES.get(each, each) for each in value) or "none"
    if field.kind == "list" and len(value) > 3:
        return f"{len(value)} of them"
    if value is None or value == "" or value == ():
        return field.builtin or "none"
    text = shown_proxy(value) if field.key == SECRET else shown(field, value)
    unit = f" {field.unit}" if field.unit else ""
    return _short(text) + unit


def literal(field: Field, value: Any) -> str:
    """A value as the file holds it, shortened for a caption: "0.05", "true", "[60 values]"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{_short(shown_proxy(value) if field.key == SECRET else value)}"'
    if isinstance(value, list | tuple):
        inside = ", ".join(literal(field, each) for each in value)
        return f"[{inside}]" if len(inside) <= ELIDED else f"[{len(value)} values]"
    return figure(exact(value), thousands=False) if value is not None else ""


def range_text(field: Field) -> str:
    """What may be set: "0 to 90 % of equity", "more than 0, at most 100 %"; "" where all may be."""
    if field.kind not in ("number", "band") or field.low is None or field.high is None:
        return ""
    low, high = (figure(exact(each) * field.words.scale) for each in (field.low, field.high))
    unit = f" {field.unit}" if field.unit else ""
    return f"above {low}, at most {high}{unit}" if field.above else f"{low} to {high}{unit}"


def caption(field: Field, now: Any) -> str:
    """The line below a row: what may be set, the default, and what the file says now."""
    parts = [range_text(field), f"default {said(field, field.default)}"]
    unset = now is None or (now == "" and field.key.startswith("feeds."))
    parts.append(f"{field.key} is not set" if unset else f"now {field.key} = {literal(field, now)}")
    return " \u00b7 ".join(filter(None, parts))


def matches(field: Field, query: str) -> bool:
    """Whether every word of a search stands in title, key, sentence or group."""
    text = " ".join(
        (field.name, field.key, field.key.replace("_", " "), field.words.about,
         GROUPS[field.group].title)
    ).lower()  # fmt: skip
    return all(word in text for word in query.lower().split())


def figure(value: Decimal, *, thousands: bool = True) -> str:
    """A figure exactly, without idle zeros: "10,000", "0.0001502122"."""
    text = f"{value:,f}" if thousands else f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def name_problem(name: str, taken: Mapping[str, object]) -> str:
    """Why an outside number cannot be called so; "" when it can."""
    if not re.fullmatch("[a-z0-9_]{1,24}", name):
        return "Give a name of 1 to 24 small letters, digits or _."
    if name in taken:
        return f"There is one called {name} already. Give another name."
    return ""


def features_text(count: int) -> str:
    """How many outside numbers enter the model."""
    return f"{count} of at most {FEATURES_MAX} enter the model."


def _short(text: str) -> str:
    return text if len(text) <= ELIDED else f"{text[: ELIDED - 1]}\u2026"
