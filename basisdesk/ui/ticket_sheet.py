"""The order ticket without Qt: what was typed, and the order it asks for."""

import math
import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from basisdesk.events import Execution, ExitPlan, OpenPair
from basisdesk.market.basis import PairMarket
from basisdesk.ui.figures import MINUS, size_text
from basisdesk.venues.instrument import Instrument

TYPED_MAX = 30  # characters of a figure a person types
DRIFT_BP = Decimal(8)  # suggested levels move on once the market went so far
STOP_AWAY_BP = Decimal(60)  # of a prefilled stop from the entry
TARGET_PAST_FAIR_BP = Decimal(2)  # a prefilled target asks a little less than fair value
TARGET_AWAY_BP = 10  # but never less than this from where the pair could be left now
EQUITY_SHARE = Decimal("0.25")  # of a prefilled size
ZERO = Decimal(0)
MARKET = Execution()  # both legs at once
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")
_PLAIN = re.compile(r"\d+(\.\d*)?|\.\d+")


def amount(typed: str) -> Decimal | str:
    """The exact figure a person typed, or one sentence saying what is wrong with it.

    Thousands may be set off by commas in groups of three, or by spaces; decimals by a point.
    """
    text = re.sub(r"(?<=\d)[\s_](?=\d{3})", "", typed.strip()).replace(MINUS, "-")
    if not text:
        return "Enter a figure."
    if len(text) > TYPED_MAX:
        return f"That is longer than {TYPED_MAX} characters. Enter a shorter figure."
    sign = -1 if text[0] == "-" else 1
    digits = text[1:] if text[0] in "+-" else text
    if not digits.isascii():
        return "Enter digits, such as 10,000 or 0.5."
    if not (_PLAIN.fullmatch(digits) or _GROUPED.fullmatch(digits)):
        if "," in digits and "." not in digits:
            return "Use a point for decimals, commas only between thousands: 1.5 or 1,500."
        return "Enter a figure such as 10,000 or 0.5."
    try:
        return sign * Decimal(digits.replace(",", ""))
    except InvalidOperation:  # more digits than a figure can have
        return "Enter a figure such as 10,000 or 0.5."


def within(
    value: Decimal | str,
    low: Decimal | None = None,
    high: Decimal | None = None,
    unit: str = "",
    *,
    above: bool = False,
) -> Decimal | str:
    """The figure if it lies within the limits, else a sentence; a sentence stays as it is.

    The sentence follows the name of what was asked: "Leverage" "6 is outside 1 to 5." above: `low`
    itself is not allowed.
    """
    if isinstance(value, str):
        return value
    end = f" {unit}" if unit else ""
    little = low is not None and (value < low or (above and value == low))
    much = high is not None and value > high
    if not (little or much):
        return value
    asked = f"{size_text(value)}{end} is"
    if low is not None and high is not None and not above:
        return f"{asked} outside {size_text(low)} to {size_text(high)}{end}."
    if low is not None and little:
        return f"{asked} not {'above' if above else 'at least'} {size_text(low)}{end}."
    return f"{asked} above the most of {size_text(high or ZERO)}{end}."


@dataclass(frozen=True)
class Draft:
    """What the ticket's fields hold. None: the field is empty or cannot be read.

    direction: +1 long spot / short perp, -1 the reverse. size: base coin, or quote when `in_quote`.
    net_target: account currency. how: None while an execution field is missing.
    """

    direction: int = 1
    size: Decimal | None = None
    in_quote: bool = False
    leverage: Decimal | None = None
    target_bp: Decimal | None = None
    stop_bp: Decimal | None = None
    hold_h: Decimal | None = None
    net_target: Decimal | None = None
    funding_bp: Decimal | None = None
    sector: bool = False
    how: Execution | None = MARKET

    @property
    def plan(self) -> ExitPlan:
        """The exit plan that was typed, whole or not."""
        return ExitPlan(
            self.target_bp,
            self.stop_bp,
            self.hold_h,
            self.net_target,
            self.funding_bp,
            self.sector,
        )

    @property
    def complete(self) -> bool:
        """Whether every figure is there that an order needs: a stop, and one of two targets."""
        target = self.target_bp if self.target_bp is not None else self.net_target
        fields = (self.size, self.leverage, self.stop_bp, target, self.how)
        return all(value is not None for value in fields)

    def legs(self, pair: tuple[str, str]) -> tuple[str, str]:
        """(long key, short key) of this direction; `pair` is (spot key, perp key)."""
        return pair if self.direction > 0 else (pair[1], pair[0])

    def qty(self, rule: Instrument | None, price: float) -> Decimal | None:
        """Size in base of the long leg; a size in quote is cut to whole lots. None if unknown."""
        if self.size is None or not self.in_quote:
            return self.size
        if rule is None or not math.isfinite(price) or price <= 0:
            return None
        return rule.round_down(self.size / Decimal(repr(price)))

    def request(
        self, pair: tuple[str, str], rule: Instrument | None, price: float
    ) -> OpenPair | None:
        """The order these fields ask for, or None while one of them is missing."""
        qty = self.qty(rule, price)
        if not self.complete or qty is None or not all(pair):
            return None
        if self.leverage is None or self.how is None:
            return None
        long, short = self.legs(pair)
        return OpenPair(long, short, qty, self.leverage, self.plan, how=self.how)


def sensible(direction: int, shown: PairMarket, rule: Instrument, equity: Decimal) -> Draft | None:
    """A draft to start from: a quarter of equity at 2x, out near fair value; None without quotes.

    rule: the instrument of the long leg.
    """
    now, spot = shown.now, shown.spot.mid
    entry = now.open_bp if direction > 0 else now.close_bp
    entry = entry if math.isfinite(entry) else now.mid_bp
    if not (math.isfinite(entry) and math.isfinite(spot) and spot > 0 and not now.stale):
        return None
    fair = now.fair_bp if math.isfinite(now.fair_bp) else 0.0
    leave = now.close_bp if direction > 0 else now.open_bp
    leave = leave if math.isfinite(leave) else entry
    # Left at fair value a pair stands half the spread further: the target is an executable basis.
    target = half(fair + (leave - entry) / 2) + direction * TARGET_PAST_FAIR_BP
    if direction * (leave - float(target)) < TARGET_AWAY_BP:  # reached already, or as good as
        target = whole(leave) - direction * TARGET_AWAY_BP
    worst = max(entry, leave) if direction > 0 else min(entry, leave)
    stop = whole(worst) + direction * STOP_AWAY_BP
    size = round_size(rule.round_down(equity * EQUITY_SHARE / Decimal(repr(spot))), rule)
    return Draft(direction, size, False, Decimal(2), target, stop, Decimal(72))


def drifted(found: Draft, target_bp: Decimal | None, stop_bp: Decimal | None) -> bool:
    """Whether levels suggested earlier lie well off the ones suggested now."""
    pairs = ((found.target_bp, target_bp), (found.stop_bp, stop_bp))
    return any(
        new is not None and old is not None and abs(new - old) >= DRIFT_BP for new, old in pairs
    )


def half(value: float) -> Decimal:
    """To the nearest half basis point."""
    return Decimal(round(value * 2)) / 2


def whole(value: float) -> Decimal:
    """To the nearest whole basis point."""
    return Decimal(value).quantize(Decimal(1), ROUND_HALF_EVEN)


def round_size(qty: Decimal, rule: Instrument) -> Decimal:
    """A size a person would type: two leading digits, still whole lots, never below the minimum."""
    if qty <= 0:
        return rule.min_qty
    step = Decimal(1).scaleb(qty.adjusted() - 1)
    neat = rule.round_down(qty // step * step)
    return neat if neat > 0 and neat >= rule.min_qty else qty


def switched(draft: Draft, price: float, rule: Instrument | None) -> Draft:
    """The same draft with its size in the other unit, worth the same at this price."""
    if draft.size is None or not math.isfinite(price) or price <= 0:
        return replace(draft, in_quote=not draft.in_quote)
    if draft.in_quote:
        return replace(draft, size=draft.qty(rule, price), in_quote=False)
    worth = (draft.size * Decimal(repr(price))).quantize(Decimal("0.01"))
    return replace(draft, size=worth, in_quote=True)
