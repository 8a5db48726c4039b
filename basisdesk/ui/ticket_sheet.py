"""The order ticket without Qt: what was typed, what it asks for, and the sheet as lines of text."""

import math
import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from basisdesk.events import ExitPlan, OpenPair
from basisdesk.market.basis import PairMarket
from basisdesk.trading.costs import CostSheet
from basisdesk.ui.figures import (
    MINUS,
    NOTHING,
    countdown_text,
    number_text,
    places_of,
    sign_text,
    size_text,
)
from basisdesk.ui.glossary import term
from basisdesk.ui.leg_words import short_names
from basisdesk.venues.instrument import Instrument

TYPED_MAX = 30  # characters of a figure a person types
DRIFT_BP = Decimal(8)  # suggested levels move on once the market went so far
STOP_AWAY_BP = Decimal(60)  # of a prefilled stop from the entry
TARGET_PAST_FAIR_BP = Decimal(2)  # a prefilled target asks a little less than fair value
TARGET_AWAY_BP = 10  # but never less than this from where the pair could be left now
EQUITY_SHARE = Decimal("0.25")  # of a prefilled size
PAYMENTS_SAID_MAX = 999  # a break-even after more payments than a year has is none
ZERO = Decimal(0)
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

    above: `low` itself is not allowed.
    """
    if isinstance(value, str):
        return value
    end = f" {unit}" if unit else ""
    if low is not None and (value < low or (above and value == low)):
        word = "above" if above else "of at least"
        return f"Enter a value {word} {size_text(low)}{end}."
    if high is not None and value > high:
        return f"Enter a value of at most {size_text(high)}{end}."
    return value


@dataclass(frozen=True)
class Draft:
    """What the ticket's fields hold. None: the field is empty or cannot be read.

    direction: +1 long spot / short perp, -1 the reverse. size: base coin, or quote when `in_quote`.
    """

    direction: int = 1
    size: Decimal | None = None
    in_quote: bool = False
    leverage: Decimal | None = None
    target_bp: Decimal | None = None
    stop_bp: Decimal | None = None
    hold_h: Decimal | None = None

    @property
    def complete(self) -> bool:
        """Whether every field holds a figure."""
        fields = (self.size, self.leverage, self.target_bp, self.stop_bp, self.hold_h)
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
        if not self.complete or qty is None or self.leverage is None or not all(pair):
            return None
        long, short = self.legs(pair)
        plan = ExitPlan(self.target_bp, self.stop_bp, self.hold_h)
        return OpenPair(long, short, qty, self.leverage, plan)


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


# --- texts ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SheetLine:
    """One line of the cost sheet: figure, a second figure in another unit, colour, explanation."""

    name: str
    value: str
    second: str = ""
    meaning: str = ""
    tip: str = ""


NAMES = (
    "Fees, 4 fills",
    "Slippage from depth",
    "Currency conversion",
    "Borrow",
    "Next funding to you",
    "Break-even basis",
    "Capital used",
    "Liquidation",
    "Loss at stop / stress",
    "Hedge after fees",
)


def empty_lines() -> list[SheetLine]:
    """The sheet before there is a price: every line stands, none has a figure."""
    return [SheetLine(name, NOTHING) for name in NAMES]


def sheet_lines(
    sheet: CostSheet, base: str, perp: Instrument | None, equity: Decimal, now_ms: int
) -> list[SheetLine]:
    """The sheet as the ticket shows it. perp: for the decimals of the liquidation price."""
    if not sheet.priced:
        return empty_lines()
    cash = sheet.currency
    slip = sheet.slip_in + sheet.slip_out
    return [
        SheetLine(
            NAMES[0],
            f"{number_text(sheet.fees, 2)} {cash}",
            f"{number_text(sheet.fees_bp, 1)} bp",
            "",
            _fees_tip(sheet),
        ),
        SheetLine(
            NAMES[1],
            f"{number_text(slip, 2)} {cash}",
            f"{number_text(sheet.slip_bp, 1)} bp",
            "",
            f"{number_text(sheet.slip_in, 4)} {cash} going in and {number_text(sheet.slip_out, 4)} "
            f"coming out, both legs, at the books of this moment. {term('Slippage')}",
        ),
        _conversion_line(sheet),
        _borrow_line(sheet),
        _funding_line(sheet, now_ms),
        _break_even_line(sheet),
        SheetLine(
            NAMES[6],
            f"{number_text(sheet.capital_used, 0)} of {number_text(equity, 0)} {cash}",
            "",
            "",
            f"{number_text(sheet.margin, 2)} {cash} of it is the perpetual's margin. Free after "
            f"the entry: {number_text(sheet.free_after, 2)}. {term('Capital used')}",
        ),
        _liquidation_line(sheet, perp),
        _loss_line(sheet),
        SheetLine(
            NAMES[9],
            f"{size_text(sheet.residual_delta)} {base} left over",
            "",
            "" if abs(sheet.residual_delta) * 200 <= max(sheet.long_qty, ZERO) else "warn",
            f"Buys {size_text(sheet.long_qty)}, sells {size_text(sheet.short_qty)} {base}. "
            f"{term('Hedge')}",
        ),
    ]


def _conversion_line(sheet: CostSheet) -> SheetLine:
    cost = sheet.conversion_in + sheet.conversion_out
    if not cost:
        tip = f"No leg is paid in another currency than {sheet.currency}. {term('Conversion')}"
        return SheetLine(NAMES[2], "none", "", "", tip)
    return SheetLine(
        NAMES[2],
        f"{number_text(cost, 2)} {sheet.currency}",
        f"{number_text(sheet.conversion_bp, 1)} bp",
        "",
        f"{number_text(sheet.conversion_in, 4)} going in and "
        f"{number_text(sheet.conversion_out, 4)} coming out. {term('Conversion')}",
    )


def _fees_tip(sheet: CostSheet) -> str:
    cash = sheet.currency
    legs = short_names(sheet.request.long, sheet.request.short)
    parts = (
        (f"buy {legs[0]}", sheet.fee_long_in),
        (f"sell {legs[1]}", sheet.fee_short_in),
        (f"sell {legs[0]}", sheet.fee_long_out),
        (f"buy {legs[1]}", sheet.fee_short_out),
    )
    said = ", ".join(f"{name} {number_text(fee, 4)}" for name, fee in parts)
    return f"In {cash}: {said}. {term('Fees')}"


def _borrow_line(sheet: CostSheet) -> SheetLine:
    if sheet.direction > 0 or not sheet.collateral:
        return SheetLine(
            NAMES[3], "none", "", "", "Nothing is borrowed: no coin is sold that is not owned."
        )
    return SheetLine(
        NAMES[3],
        f"{number_text(sheet.borrow_8h, 4)} {sheet.currency}",
        "per 8 h",
        "",
        f"Collateral of {number_text(sheet.collateral, 2)} {sheet.currency} secures the borrowed "
        f"coins. {term('Borrow')}",
    )


def _funding_line(sheet: CostSheet, now_ms: int) -> SheetLine:
    if not sheet.funding_next_ms:
        return SheetLine(NAMES[4], NOTHING, "", "", term("Funding"))
    left = countdown_text((sheet.funding_next_ms - now_ms) / 1000)
    value = sheet.funding_next
    meaning = "" if not round(value, 2) else ("gain" if value > 0 else "loss")
    return SheetLine(
        NAMES[4],
        f"{sign_text(value, 2)} {sheet.currency}",
        f"in {left}",
        meaning,
        f"At the indicative rate and mark of now. {term('Funding')}",
    )


def _break_even_line(sheet: CostSheet) -> SheetLine:
    count = sheet.payments_to_break_even
    plural = "" if count == 1 else "s"
    never = count is None or count > PAYMENTS_SAID_MAX
    second = "no payments" if never else f"or {count:,} payment{plural}"
    tip = f"{term('Break-even basis')} {term('Payments to break even')}"
    return SheetLine(NAMES[5], f"{number_text(sheet.break_even_bp, 1)} bp", second, "", tip)


def _liquidation_line(sheet: CostSheet, perp: Instrument | None) -> SheetLine:
    side = "short" if sheet.direction > 0 else "long"
    name = f"Liquidation of the {side}"
    if sheet.liq_price is None:
        return SheetLine(name, "none", "", "", term("Liquidation"))
    places = places_of(perp.tick if perp is not None else None, 6)
    away = sheet.liq_distance_pct * (1 if side == "short" else -1)
    meaning = "loss" if sheet.liq_distance_pct < 10 else ""
    return SheetLine(
        name,
        number_text(sheet.liq_price, places),
        f"{sign_text(away, 1)} %",
        meaning,
        f"{term('Liquidation')} {sheet.liq_source[:1].upper()}{sheet.liq_source[1:]}.",
    )


def _loss_line(sheet: CostSheet) -> SheetLine:
    stop = NOTHING if sheet.loss_at_stop is None else sign_text(-sheet.loss_at_stop, 1)
    stress = sign_text(-sheet.loss_stress, 1)
    meaning = "loss" if (sheet.loss_at_stop or ZERO) > 0 or sheet.loss_stress > 0 else ""
    note = f"{sheet.stress_note[:1].upper()}{sheet.stress_note[1:]}"
    tip = f"At the stop, fees taken, and in a stress: {note}. {sheet.size_note}".strip()
    return SheetLine(NAMES[8], f"{stop} / {stress} {sheet.currency}", "", meaning, tip)


def verdict_mark(kind: str) -> tuple[str, str]:
    """(shape, colour token) of a verdict: go up, thin a diamond, no down."""
    marks = {"go": ("\u25b2", "gain"), "thin": ("\u25c6", "warn")}
    return marks.get(kind, ("\u25bc", "loss"))
