"""Attribution to bars: where a pair's money went, and proof that nothing is left over. No Qt."""

import decimal
from dataclasses import dataclass
from decimal import Decimal

from basisdesk.events import MONEY
from basisdesk.ledger.attribution import Attribution
from basisdesk.ui.figures import number_text, sign_text, size_text
from basisdesk.ui.position_figures import meaning_of, sign_of
from basisdesk.ui.shown_cents import whole_cents

TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual")
ALWAYS = TERMS[:4]  # terms every pair has; the others stand only while they are not zero
ZERO = Decimal(0)
DIGITS = 18  # decimals of what would be left over


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the waterfall: it hangs between `start` and `end`, account currency.

    figure: what the bar shows, as `Engine.explain` calls it. text is in cents that add up to the
    net; exact: the amount to its last digit.
    """

    name: str
    start: float
    end: float
    text: str
    meaning: str
    figure: str = ""
    exact: str = ""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Where a pair's money went: one bar a term, the net, and what no term explains.

    Terms that are exactly zero are left out, except those every pair has. proven: the terms' sum
    is the total and the total is what the postings say, to the last digit. ended: why a closed
    pair was closed, by whom, and who opened it where no person did.
    """

    title: str
    bars: tuple[Bar, ...]
    left_over: str
    proven: bool = True
    pair: int = 0
    ended: str = ""


def term_name(term: str) -> str:
    """A term as the screen calls it."""
    return "Unhedged delta" if term == "residual" else term.capitalize()


def waterfall(
    name: str, money: Attribution, currency: str, pair: int = 0, ended: str = ""
) -> Waterfall:
    """The bars of one attribution, in the order the money moved."""
    bars: list[Bar] = []
    at = ZERO
    cents = whole_cents({term: getattr(money, term) for term in TERMS}, money.total)
    for term in TERMS:
        value: Decimal = getattr(money, term)
        if value or term in ALWAYS:
            step = float(at), float(at + value)
            shown, exact = cents[term], _exact(term_name(term), value, currency)
            meaning = meaning_of(sign_of(shown))
            bars.append(Bar(term_name(term), *step, sign_text(shown, 2), meaning, term, exact))
            at += value
    net = sign_text(money.total, 2), "muted", "total", _exact("Net", money.total, currency)
    bars.append(Bar("Net", 0.0, float(money.total), *net))
    said, proven = check_line(money)
    return Waterfall(f"{name}: net by cause, {currency}", tuple(bars), said, proven, pair, ended)


def _exact(name: str, value: Decimal, currency: str) -> str:
    sign = "+" if value > 0 else ""
    return f"{name}: {sign}{size_text(value, DIGITS)} {currency}, to the last digit."


def check_line(money: Attribution) -> tuple[str, bool]:
    """(the sentence under the bars, whether the sum holds). Exact: no rounding, no tolerance."""
    with decimal.localcontext(MONEY):
        left = money.truth - sum((getattr(money, term) for term in TERMS), ZERO)
    if not left:
        return f"left over {number_text(left, 2)} \u00b7 sum = total to the last digit", True
    return f"\u25a0 left over {size_text(left, DIGITS)}: the sum is not the total", False
