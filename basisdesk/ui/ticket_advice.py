"""The suggested size as text: what binds it, one link that takes it, and every line weighed.

Pure, no Qt.
"""

from dataclasses import dataclass

from basisdesk.trading.costs import CostSheet
from basisdesk.ui.figures import NOTHING, size_text
from basisdesk.ui.glossary import term

NAMES = {
    "stop": "Loss at the stop",
    "stress": "Loss under stress",
    "volatility": "Volatility of the basis",
    "depth": "Depth of the books",
    "capital": "Capital and reserve",
    "balance": "Cut: balance",
    "sector": "Cut: sector",
}
BINDS = {
    "stop": "stop binds",
    "stress": "stress binds",
    "volatility": "volatility binds",
    "depth": "depth binds",
    "capital": "capital binds",
    "balance": "cut by balance",
    "sector": "cut by sector",
}
NO_LINK = "No size suggested yet"


@dataclass(frozen=True)
class AdviceLine:
    """One line that was weighed. binds: it is the smallest."""

    name: str
    size: str
    tip: str
    binds: bool = False


@dataclass(frozen=True)
class Suggestion:
    """The suggested size as the ticket shows it. offer: the link's text, "" for none."""

    why: str = NO_LINK
    offer: str = ""
    tip: str = ""
    lines: tuple[AdviceLine, ...] = ()


def suggestion(sheet: CostSheet | None, base: str) -> Suggestion:
    """What the ticket says of the suggested size of this sheet."""
    if sheet is None or not sheet.priced or sheet.advice is None:
        return Suggestion(tip=term("Suggested size"))
    found = sheet.advice
    lines = tuple(
        AdviceLine(
            NAMES.get(line.name, line.name.capitalize()),
            NOTHING if line.qty is None else f"{size_text(line.qty, 1)} {base}",
            _sentence(line.text),
            line.name == found.binding,
        )
        for line in found.lines
    )
    weighed = "\n".join(f"{line.name}: {line.size}. {line.tip}" for line in lines)
    tip = f"{_sentence(found.note)}\n{weighed}"
    binds = BINDS.get(found.binding, found.binding)
    if found.qty <= 0:
        return Suggestion(f"Suggested: none, {binds}" if binds else NO_LINK, "", tip, lines)
    offer = f"take {size_text(found.qty)} {base}"
    return Suggestion(f"Suggested: {binds}", offer, tip, lines)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
