"""Changes to a settings file's text that leave everything else in it as a person wrote it. Pure.

A comment that stood at a key which leaves, or inside a list that is written anew, stays as a line
of its own.
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
from tomlkit.items import Comment, InlineTable, Item, Table, Trivia

from basisdesk.app.settings_changes import changed
from basisdesk.errors import SettingsError
from basisdesk.ui.product_actions import SettingValue

LINE_MAX = 96  # characters of a list before it is broken into lines
_HEADER = re.compile(r"\s*\[{1,2}[\w.\"'-]+\]{1,2}\s*(#.*)?$")
_PARTS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|(#[^\n\r]*)",
    re.DOTALL,
)


def written(text: str, changes: Mapping[str, SettingValue]) -> str:
    """The text with these changes: dotted key to value, None to take a key out.

    Raises SettingsError where the file is laid out in a way that this cannot write into; the text
    is never returned unless it reads back as exactly what was asked, with every comment in it.
    """
    wanted = _pruned(changed(tomllib.loads(text), changes))
    for way in (_in_tables, _in_dotted_keys):
        try:
            made = way(text, changes)
            right = _pruned(tomllib.loads(made)) == wanted
        except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, TypeError, KeyError):
            continue
        if right and not Counter(comments(text)) - Counter(comments(made)):
            return made
    keys = ", ".join(list(changes)[:4]) + (" and more" if len(changes) > 4 else "")
    raise SettingsError(
        "The settings file is laid out in a way that cannot be written into without losing "
        f"something. Change {keys} in it by hand."
    )


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


def comments(text: str) -> list[str]:
    """Every comment of a TOML text, from its # on."""
    return [found[1].rstrip() for found in _PARTS.finditer(text) if found[1]]


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
    """Remove a key; what was said beside it stays."""
    old: Any = at.item(name) if isinstance(at, Container) else at.value.item(name)
    kept = [each for each in comments(old.as_string()) if each]
    if old.trivia.comment and old.trivia.comment not in kept:
        kept.append(old.trivia.comment)
    container = at if isinstance(at, Container) else getattr(at, "value", None)
    if kept and isinstance(container, Container) and not isinstance(at, OutOfOrderTableProxy):
        place = container._map[next(key for key in container._map if key.key == name)]
        if not isinstance(place, int):
            raise ValueError("a table in several places")
        at.remove(name)
        said = "\n".join(kept)
        container.body[place] = (None, Comment(Trivia(old.trivia.indent, "", said, "\n")))
        return
    at.remove(name)


def _pruned(raw: MutableMapping[str, Any]) -> dict[str, Any]:
    """Without empty tables: one that lost its last key says nothing."""
    kept = {key: _pruned(each) if isinstance(each, dict) else each for key, each in raw.items()}
    return {key: each for key, each in kept.items() if each != {}}
