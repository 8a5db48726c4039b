"""What a person typed into a setting, read; or one sentence why it cannot be. Pure, no Qt."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from basisdesk.config import Network, exact
from basisdesk.ui.figures import MINUS
from basisdesk.ui.settings_rows import SECRET, Field, figure, range_text
from basisdesk.ui.ticket_sheet import amount

# What is asked for where a text does not fit its pattern.
ASKED = {
    "network.proxy": "Give http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT.",
    "feeds.VENUE.CHANNEL": "Give wss://HOST/PATH, or nothing for the venue's own.",
    "feeds.VENUE.rest": "Give https://HOST, or nothing for the venue's own.",
    "tape.folder": "Give an absolute path, or nothing for the profile.",
    "scanner.coins": "Give symbols of capital letters and digits, such as BTC ETH SOL.",
    "demo.symbol": "Give 2 to 30 capital letters and digits, such as ADAUSDT.",
    "forecast.indicators.NAME.url": "Give https://HOST/PATH.",
    "forecast.indicators.NAME.path": "Begin with a slash, such as /data/0/value.",
    "forecast.indicators.NAME.time_path": "Begin with a slash, such as /data/0/time.",
    "forecast.indicators.NAME.coin": "Give one symbol of capital letters and digits, or nothing.",
}
_CUT = re.compile(r"([^:%]+?)\s*%?\s*:\s*([^:%]+)")


class Read(NamedTuple):
    """A value, or why there is none. value: as the settings struct holds it."""

    value: Any = None
    problem: str = ""


def read(field: Field, text: str) -> Read:
    """What was typed into this field's editor. Numbers are in the screen's unit."""
    text = text.strip()
    match field.kind:
        case "number":
            return Read() if field.optional and not text else _number(field, text)
        case "band":
            return _band(field, text)
        case "cuts":
            return _cuts(text)
        case "list":
            return _list(field, text)
        case _:
            return _text(field, text)


def stepped(field: Field, text: str, ways: int) -> str:
    """The text after so many presses of an arrow key; unchanged where there is no figure."""
    found = amount(text)
    if isinstance(found, str) or field.low is None or field.high is None:
        return text
    scale = field.words.scale
    low, high = exact(field.low) * scale, exact(field.high) * scale
    moved = found + ways * step_of(field, found)
    if field.above and moved <= low:
        return text
    return figure(min(max(moved, low), high))


def step_of(field: Field, value: Decimal) -> Decimal:
    """One press of an arrow: the figure's second digit, 1 at least for whole numbers."""
    size = value.copy_abs().normalize().adjusted() - 1 if value else -2
    step = Decimal(1).scaleb(size)
    return max(step, Decimal(1)) if field.whole else step


def _number(field: Field, text: str) -> Read:
    found = amount(text)
    if isinstance(found, str):
        return Read(problem=found)
    value = found / field.words.scale
    if field.whole and value != value.to_integral_value():
        return Read(problem=f"{figure(found)} is not a whole number.")
    low, high = field.low, field.high
    little = low is not None and (value < exact(low) or (field.above and value == exact(low)))
    if little or (high is not None and value > exact(high)):
        shown = figure(found).replace("-", MINUS)
        return Read(problem=f"{shown} {field.unit}".rstrip() + f" is outside: {range_text(field)}.")
    return Read(int(value) if field.whole else float(value))


def _band(field: Field, text: str) -> Read:
    parts = re.split(r"\s*(?:\bto\b|;|\u2013)\s*", text)
    if len(parts) != 2:
        return Read(problem="Give both ends, such as 0.03 to 0.08.")
    ends = [_number(field, part) for part in parts]
    if problem := next((end.problem for end in ends if end.problem), ""):
        return Read(problem=problem)
    if ends[0].value > ends[1].value:
        return Read(problem="The first end is above the second. Swap them.")
    return Read((ends[0].value, ends[1].value))


def _cuts(text: str) -> Read:
    cuts = []
    for part in filter(None, (each.strip() for each in re.split("[,;]", text))):
        found = _CUT.fullmatch(part)
        if found is None:
            return Read(problem="Give share and factor, such as 80 %: 0.5, 60 %: 0.25.")
        share, factor = amount(found[1]), amount(found[2])
        if isinstance(share, str) or isinstance(factor, str):
            return Read(problem="Give share and factor, such as 80 %: 0.5, 60 %: 0.25.")
        if not 0 <= share <= 100 or not 0 <= factor <= 1:
            return Read(problem="A share lies within 0 to 100 %, a factor within 0 to 1.")
        cuts.append((float(share / 100), float(factor)))
    return Read(tuple(cuts))


def _list(field: Field, text: str) -> Read:
    words = tuple(dict.fromkeys(filter(None, re.split(r"[\s,;]+", text))))
    if field.key == "scanner.coins":
        words = tuple(word.upper() for word in words)
    if not words and not field.optional:
        return Read(problem="Give one at least.")
    if field.most and len(words) > field.most:
        return Read(problem=f"{len(words)} are too many; at most {field.most}.")
    wrong = [word for word in words if field.regex and not re.search(field.regex, word)]
    if wrong:
        return Read(problem=f"{wrong[0][:30]} is none. {ASKED.get(field.pattern, '')}".rstrip())
    return Read(words)


def _text(field: Field, text: str) -> Read:
    if not text.isprintable():
        return Read(problem="Use printable characters on one line.")
    if field.length and len(text) > field.length:
        return Read(problem=f"That is longer than {field.length} characters.")
    if field.pattern in ("demo.symbol", "forecast.indicators.NAME.coin"):
        text = text.upper()
    fits = not field.regex or re.search(field.regex, text) is not None
    if field.key == SECRET and fits:
        fits = not text or _proxy_fits(text)
    return Read(text) if fits else Read(problem=ASKED[field.pattern])


def _proxy_fits(text: str) -> bool:
    try:
        Network(text)
    except ValueError:
        return False
    return True
