"""Changes to a settings file's text that leave everything else in it as a person wrote it. Pure.

A comment that stood at a key which leaves, or inside a list that is written anew, stays as a line
of its own; a blank line parts it from the key below, which it does not speak of.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from typing import Any

import tomlkit
from tomlkit.container import Container, OutOfOrderTableProxy
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Comment, InlineTable, Item, Table, Trivia, Whitespace

from basisdesk.app.settings_changes import changed
from basisdesk.app.settings_leads import comments, cut_leads, put_back, spoken_of
from basisdesk.errors import SettingsError
from basisdesk.ui.product_actions import SettingValue

LINE_MAX = 96  # characters of a list before it is broken into lines
_HEADER = re.compile(r"\s*\[{1,2}[\w.\"'-]+\]{1,2}\s*(#.*)?$")


def written(text: str, changes: Mapping[str, SettingValue]) -> str:
    """The text with these changes: dotted key to value, None to take a key out.

    Raises SettingsError where the file is laid out in a way that this cannot write into; the text
    is never returned unless it reads back as exactly what was asked, with every comment in it over
    the key or table it stood over.
    """
    windows = "\n" not in text.replace("\r\n", "")
    if windows and "\r\n" in text:  # new lines would end otherwise than those that are there
        return _written(text.replace("\r\n", "\n"), changes).replace("\n", "\r\n")
    return _written(text, changes)


def _written(text: str, changes: Mapping[str, SettingValue]) -> str:
    wanted = _pruned(changed(tomllib.loads(text), changes))
    # what stands over a table goes aside: else a new key of the table before would come between
    bare, leads = cut_leads(text)
    for way in (_in_tables, _in_dotted_keys):
        try:
            made = put_back(way(bare, changes), leads)
            right = _pruned(tomllib.loads(made)) == wanted
        except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, TypeError, KeyError):
            continue
        lost = Counter(comments(text)) - Counter(comments(made))
        if right and not lost and _speak_as_before(text, made):
            return made
    keys = ", ".join(list(changes)[:4]) + (" and more" if len(changes) > 4 else "")
    raise SettingsError(
        "The settings file is laid out in a way that cannot be written into without losing "
        f"something. Change {keys} in it by hand."
    )


def _speak_as_before(text: str, made: str) -> bool:
    """Whether each comment stands over what it stood over, where that is still there."""
    now = spoken_of(made)
    left = {below for _, below in now}
    return not any(below in left for _, below in Counter(spoken_of(text)) - Counter(now))


def _in_tables(text: str, changes: Mapping[str, SettingValue]) -> str:
    """New keys go into their tables."""
    document = tomlkit.parse(text)
    for key, value in changes.items():
        _set(document, key.split("."), value)
    return document.as_string()


def _in_dotted_keys(text: str, changes: Mapping[str, SettingValue]) -> str:
    """New keys go above the first table, as "risk.reserve = 0.2": some files are written so."""
    document = tomlkit.parse(text)
    new = {key: value for key, value in changes.items() if not _stands(document, key)}
    lines = _in_tables(
        text, {key: value for key, value in changes.items() if key not in new}
    ).splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if _HEADER.match(line)), len(lines))
    if lines and not lines[first - 1].endswith("\n"):
        lines[first - 1] += "\n"
    added = [f"{key} = {literal(value)}\n" for key, value in new.items() if value is not None]
    return "".join([*lines[:first], *added, *lines[first:]])


def _stands(document: Any, key: str) -> bool:
    """Whether the key is in the file, or its table is, in braces or under a header of its own."""
    at: Any = document
    *tables, name = key.split(".")
    for table in tables:
        if table not in at:
            return False
        at = at[table]
        if isinstance(at, InlineTable) or (isinstance(at, Table) and not at.is_super_table()):
            return True
    return name in at


def literal(value: SettingValue) -> str:
    """A value as a person writes it: 0.00055, 10000, true, "text", ["a", "b"]."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        plain = f"{Decimal(repr(value)):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, str):
        return tomlkit.string(value).as_string()
    if isinstance(value, list):
        parts = [literal(each) for each in value]  # type: ignore[arg-type]
        line = f"[{', '.join(parts)}]"
        return line if len(line) <= LINE_MAX else _broken(parts)
    raise TypeError(f"no literal for {type(value).__name__}")


def _broken(parts: list[str]) -> str:
    """A long list over several lines."""
    lines, line = [], ""
    for part in parts:
        if line and len(line) + len(part) + 2 > LINE_MAX:
            lines.append(line)
            line = ""
        line += f" {part}," if line else f"  {part},"
    return "\n".join(["[", *lines, line, "]"])


def _set(document: Any, path: list[str], value: SettingValue) -> None:
    """One change in the document."""
    at: Any = document
    for depth, name in enumerate(path[:-1]):
        if name not in at:
            if value is None:
                return
            at[name] = _tables(path[depth + 1 : -1])
        at = at[name]
    name = path[-1]
    if value is None:
        if name in at:
            _take_out(at, name)
        return
    item = tomlkit.value(literal(value))
    old = at.get(name)
    lost = comments(old.as_string()) if isinstance(old, Item) else []  # those inside a list
    at[name] = item
    if lost:
        trivia = at[name].trivia
        end = "" if trivia.trail.endswith("\n") else "\n"
        trivia.trail = (trivia.trail or "\n") + "".join(f"{each}\n" for each in lost) + end


def _tables(inside: list[str]) -> Item:
    """A new table; one that only holds another one has no header of its own."""
    table = tomlkit.table(is_super_table=bool(inside))
    if inside:
        table[inside[0]] = _tables(inside[1:])
    return table


def _take_out(at: Any, name: str) -> None:
    """Remove a key; what was said beside it and over it stays."""
    old: Any = at.item(name) if isinstance(at, Container) else at.value.item(name)
    kept = [each for each in comments(old.as_string()) if each]
    if old.trivia.comment and old.trivia.comment not in kept:
        kept.append(old.trivia.comment)
    container = at if isinstance(at, Container) else getattr(at, "value", None)
    if not isinstance(container, Container) or isinstance(at, OutOfOrderTableProxy):
        at.remove(name)
        return
    place = container._map[next(key for key in container._map if key.key == name)]
    if not isinstance(place, int):
        if kept:
            raise ValueError("a table in several places")
        at.remove(name)
        return
    over = place > 0 and isinstance(container.body[place - 1][1], Comment)
    at.remove(name)
    below = container.body[place + 1][1] if place + 1 < len(container.body) else None
    part = "" if isinstance(below, Whitespace | Comment) else "\n"
    if kept:
        said = "\n".join(kept)
        container.body[place] = (None, Comment(Trivia(old.trivia.indent, "", said, "\n" + part)))
    elif over and part:
        container.body[place] = (None, Whitespace(part))


def _pruned(raw: MutableMapping[str, Any]) -> dict[str, Any]:
    """Without empty tables: one that lost its last key says nothing."""
    kept = {key: _pruned(each) if isinstance(each, dict) else each for key, each in raw.items()}
    return {key: each for key, each in kept.items() if each != {}}
