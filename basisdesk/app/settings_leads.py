"""What stands over the tables of a settings file: blank lines and comments. Pure, text only."""

import re
from collections import Counter
from typing import Literal, NamedTuple

_PARTS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|(#[^\n\r]*)",
    re.DOTALL,
)

Header = tuple[str, int]  # "[risk]", and which one of that name from the top
Leads = list[tuple[Header, str]]
Kind = Literal["blank", "comment", "header", "key", "inside"]


class _Line(NamedTuple):
    """name: of a header "[risk]", of a key "reserve"; "" of the others."""

    text: str
    kind: Kind
    name: str = ""


def comments(text: str) -> list[str]:
    """Every comment of a TOML text, from its # on."""
    return [found[1].rstrip() for found in _PARTS.finditer(text) if found[1]]


def cut_leads(text: str) -> tuple[str, Leads]:
    """The text without the blank lines and comments over its tables, and these by table."""
    kept: list[str] = []
    run: list[str] = []
    leads: Leads = []
    seen: Counter[str] = Counter()
    for line in _lines(text):
        if line.kind in ("blank", "comment"):
            run.append(line.text)
            continue
        if line.kind == "header":
            leads.append(((line.name, seen[line.name]), "".join(run)))
            seen[line.name] += 1
        else:
            kept += run
        run = []
        kept.append(line.text)
    return "".join([*kept, *run]), leads


def put_back(text: str, leads: Leads) -> str:
    """The text with what was cut out, over the same tables; of one that left, over the next."""
    lines = _lines(text)
    headers: list[Header] = []
    seen: Counter[str] = Counter()
    for line in lines:
        if line.kind == "header":
            headers.append((line.name, seen[line.name]))
            seen[line.name] += 1
    over: dict[Header, str] = {}
    homeless = ""
    for header, lead in leads:
        if header in headers:
            over[header] = _joined(homeless, lead)
            homeless = ""
        else:
            homeless = _joined(homeless, lead)
    made, which = "", iter(headers)
    for line in lines:
        if line.kind == "header":
            made = _joined(made, over.get(next(which), ""), parted=False)
        made += line.text
    made = _joined(made, homeless, parted=False)
    while made.endswith("\n\n") and not text.endswith("\n\n"):
        made = made[:-1]
    return made


def spoken_of(text: str) -> list[tuple[str, str]]:
    """(comment, what stands below it: "[risk]", "[risk] reserve") of the comments between keys."""
    found: list[tuple[str, str]] = []
    table, waiting = "", []
    for line in _lines(text):
        if line.kind == "comment":
            waiting.append(line.text.strip())
        elif line.kind in ("header", "key"):
            table = line.name if line.kind == "header" else table
            below = table if line.kind == "header" else f"{table} {line.name}"
            found += [(comment, below) for comment in waiting]
            waiting = []
    return found


def _joined(before: str, lead: str, *, parted: bool = True) -> str:
    """Two pieces one after the other, with one blank line between where either has one.

    parted: with a blank line in any case.
    """
    if not before or not lead:
        return before + lead
    if not before.endswith("\n"):
        before += "\n"
    if before.endswith("\n\n") and lead.startswith("\n"):
        return before + lead[1:]
    between = "\n" if parted and not before.endswith("\n\n") and not lead.startswith("\n") else ""
    return before + between + lead


def _lines(text: str) -> list[_Line]:
    """The lines with their ends. Those inside a list or a text over several lines are "inside"."""
    masked = _PARTS.sub(_mask, text)
    found: list[_Line] = []
    depth = at = 0
    for shown in re.findall(r"[^\n]*\n|[^\n]+", masked):
        line = text[at : at + len(shown)]
        at += len(shown)
        plain = shown.partition("#")[0]
        kind: Kind
        if depth or shown.startswith("\0"):
            kind = "inside"
        elif not plain.strip():
            kind = "comment" if "#" in shown else "blank"
        else:
            kind = "header" if plain.lstrip().startswith("[") else "key"
        name = ""
        if kind == "header":
            name = line[: len(plain)].strip()
        elif kind == "key":
            name = line[: len(plain.partition("=")[0])].strip()
        if kind in ("key", "inside"):
            depth += sum(plain.count(each) for each in "[{") - sum(map(plain.count, "]}"))
        found.append(_Line(line, kind, name))
    return found


def _mask(part: re.Match[str]) -> str:
    """As long as the part, without what could be taken for more than a text or a comment."""
    if part[1]:
        return "#" * len(part[0])
    return re.sub(r"[^\n]", "\0", part[0])
