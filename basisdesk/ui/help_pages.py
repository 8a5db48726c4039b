"""The user guide: which pages there are, their headings, links and search. Pure text, no Qt.

Pages are Markdown files that ship inside, `resources/help/NAME.md`; that of the glossary is made of
its terms. A link is `name.md` or `name.md#heading`; nothing links to the outside.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from basisdesk.ui.glossary import TERMS
from basisdesk.ui.resources import resource

INDEX, GLOSSARY = "index", "glossary"
# name of the file -> title in the contents, in reading order
PAGES: dict[str, str] = {
    INDEX: "User guide",
    "install": "Install and start",
    "first-trade": "First trade",
    "numbers": "Reading the numbers",
    "ticket": "Order ticket and exits",
    "funding": "Funding and settlement",
    "positions": "Positions and ledger",
    "scanner": "Scanner, sectors, alerts",
    "forecast": "Forecast and autopilot",
    "lab": "The lab",
    "replay": "Replay and tapes",
    "sessions": "Sessions and reports",
    "settings": "Settings and files",
    "keys": "Keys",
    "faults": "When something fails",
    "limits": "What is not modelled",
    "privacy": "Privacy and security",
    "troubleshooting": "Troubleshooting",
    GLOSSARY: "Glossary",
}
# What F1 opens where nothing on the spot is explained: dock -> (page, heading)
DOCK_PAGES: dict[str, tuple[str, str]] = {
    "guide": ("first-trade", ""),
    "charts": ("numbers", "the-chart"),
    "ticket": ("ticket", ""),
    "positions": ("positions", ""),
    "funding": ("funding", ""),
    "forecast": ("forecast", ""),
    "autopilot": ("forecast", "autopilot"),
    "risk": ("faults", "who-stops-the-desk"),
    "account": ("positions", "the-account"),
    "ledger": ("positions", "the-ledger"),
    "feeds": ("faults", "feeds"),
    "log": ("sessions", ""),
    "scanner": ("scanner", ""),
    "lab": ("lab", ""),
    "replay": ("replay", ""),
    "sessions": ("sessions", ""),
}
PAGE_BYTES_MAX = 200_000
QUERY_MAX = 80
HITS_MAX = 40
EXCERPT = 76

_HEADING = re.compile(r"^(#{1,4}) +(.+?) *$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_MARKUP = re.compile(r"[*`|#>]+|^[-:| ]{4,}$|^- ", re.MULTILINE)


class Heading(NamedTuple):
    """A heading of a page. start: where its section's text begins in the page."""

    level: int
    text: str
    anchor: str
    start: int


class Hit(NamedTuple):
    """A section that holds every word searched for. excerpt: around the first one."""

    page: str
    anchor: str
    title: str
    excerpt: str


@cache
def page_text(name: str) -> str:
    """The Markdown of a page. Raises KeyError for a name that is none, FileNotFoundError."""
    if name not in PAGES:
        raise KeyError(name)
    if name == GLOSSARY:
        return _glossary()
    raw = resource(f"help/{name}.md").read_bytes()[:PAGE_BYTES_MAX]
    return raw.decode("utf-8", "replace")


def anchor_of(heading: str) -> str:
    """The name a link uses for a heading: "The chart" is "the-chart"."""
    plain = _LINK.sub(r"\2", heading).casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def headings(text: str) -> list[Heading]:
    """Every heading of a page, in order."""
    return [
        Heading(len(found[1]), _plain(found[2]), anchor_of(found[2]), found.end())
        for found in _HEADING.finditer(text)
    ]


def links(text: str) -> list[tuple[bool, str]]:
    """(is an image, target) of each link."""
    return [(bool(found[1]), found[3]) for found in _LINK.finditer(text)]


def target_of(link: str) -> tuple[str, str] | None:
    """(page, anchor) that a link leads to; None where it is no page of the guide.

    An anchor alone gives "" for the page: the one that is open.
    """
    file, _, anchor = link.partition("#")
    if not file and anchor:
        return "", anchor
    name = file.removesuffix(".md")
    return (name, anchor) if name in PAGES and file == f"{name}.md" else None


def search(query: str) -> list[Hit]:
    """Sections that hold every word; those with a word in the heading first."""
    words = query.casefold()[:QUERY_MAX].split()
    if not words:
        return []
    first: list[Hit] = []
    others: list[Hit] = []
    for page, title in PAGES.items():
        for heading, body in _sections(page):
            whole = f"{heading.text}\n{body}".casefold()
            if not all(word in whole for word in words):
                continue
            named = title if heading.level == 1 else f"{title}: {heading.text}"
            anchor = "" if heading.level == 1 else heading.anchor
            hit = Hit(page, anchor, named, _excerpt(body, words))
            in_title = any(word in heading.text.casefold() for word in words)
            (first if in_title else others).append(hit)
    return [*first, *others][:HITS_MAX]


@cache
def _sections(page: str) -> Sequence[tuple[Heading, str]]:
    text = page_text(page)
    found = headings(text)
    ends = [*(text.rfind("\n", 0, each.start) for each in found[1:]), len(text)]
    return tuple(
        (heading, _plain(text[heading.start : end]))
        for heading, end in zip(found, ends, strict=True)
    )


def _glossary() -> str:
    parts = [
        f"# {PAGES[GLOSSARY]}",
        "Every term of the desk in one sentence, as its tooltip says it.",
    ]
    for name, said in sorted(TERMS.items(), key=lambda each: each[0].casefold()):
        parts += [f"## {_escaped(name)}", _escaped(said)]
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    """A "p*" is no emphasis."""
    return text.replace("*", r"\*").replace("_", r"\_")


def _plain(text: str) -> str:
    bare = _LINK.sub(r"\2", text).replace("\\", "")
    return " ".join(_MARKUP.sub(" ", bare).split())


def _excerpt(body: str, words: Sequence[str]) -> str:
    low = body.casefold()
    at = min((place for word in words if (place := low.find(word)) >= 0), default=0)
    start = body.rfind(" ", 0, max(0, at - EXCERPT // 3)) + 1
    cut = body[start : start + EXCERPT].strip()
    head = "\u2026" if start else ""
    return f"{head}{cut}\u2026" if start + EXCERPT < len(body) else f"{head}{cut}"
