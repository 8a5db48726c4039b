"""The cost sheet of the ticket as lines of text: what it costs, what stands after, the rule.

Pure, no Qt.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from basisdesk.trading.costs import CostSheet
from basisdesk.trading.margin import Liquidation
from basisdesk.trading.verdict import EntryRule
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
from basisdesk.ui.leg_words import leg_name, short_names
from basisdesk.venues.instrument import Instrument

PAYMENTS_SAID_MAX = 999  # a break-even after more payments than a year has is none
DELTA_SHARE_SAID = 200  # a net delta above one part in so many of the size is coloured
LIQUIDATION_NEAR_PCT = 10.0
ZERO = Decimal(0)


@dataclass(frozen=True)
class SheetLine:
    """One line of the sheet: figure, a second figure in another unit, colour, explanation.

    shown: False for a line that says nothing about this pair; its place is given up.
    """

    name: str
    value: str
    second: str = ""
    meaning: str = ""
    tip: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Standing:
    """The account an order meets: equity and free cash in account currency.

    reserve: fraction of equity that entries leave idle. delta: base coin that the open pairs of
    this coin do not cancel. perps: by key, for the decimals of liquidation prices.
    """

    equity: Decimal
    reserve: Decimal = ZERO
    delta: Decimal = ZERO
    perps: Mapping[str, Instrument] = field(default_factory=dict)


COSTS = (
    "Fees, 4 fills",
    "Slippage from depth",
    "Currency conversion",
    "Borrow",
    "Next funding to you",
    "Break-even basis",
    "Loss at stop / stress",
)
AFTER = (
    "Capital used",
    "Margin",
    "Liquidation",
    "Liquidation of the other",
    "Net delta",
    "Free after",
)
CONVERSION, SECOND_LIQUIDATION = COSTS[2], AFTER[3]


def empty_lines() -> list[SheetLine]:
    """Both parts before there is a price: every line stands, none has a figure."""
    rare = (CONVERSION, SECOND_LIQUIDATION)
    return [SheetLine(name, NOTHING, shown=name not in rare) for name in (*COSTS, *AFTER)]


def sheet_lines(sheet: CostSheet, base: str, account: Standing, now_ms: int) -> list[SheetLine]:
    """What it costs, then how the account stands after it."""
    if not sheet.priced:
        return empty_lines()
    return [*cost_lines(sheet, now_ms), *after_lines(sheet, base, account)]


def foot_lines(shown: list[SheetLine]) -> tuple[tuple[SheetLine, SheetLine], ...]:
    """What always stands over the button, two lines of two: fees, loss, liquidation, free cash.

    Of two liquidations it is the nearer one; the loss is the one at the stop.
    """
    by_place = dict(zip((*COSTS, *AFTER), shown, strict=True))
    fees, loss, free = (by_place[name] for name in (COSTS[0], COSTS[6], AFTER[5]))
    both = [by_place[AFTER[2]], by_place[SECOND_LIQUIDATION]]
    liq = min(both, key=_room)
    return (
        (
            replace(fees, name="Fees", second=""),
            replace(loss, name="At stop", value=_stop_of(loss)),
        ),
        (replace(liq, name="Liq."), replace(free, name="Free after", second="")),
    )


def _stop_of(loss: SheetLine) -> str:
    """The first of "stop / stress USDT", with its unit."""
    stop, both, rest = loss.value.partition(" / ")
    return f"{stop} {rest.rpartition(' ')[2]}" if both else loss.value


def _room(line: SheetLine) -> float:
    """How far a liquidation line's price is, percent; far where it shows none."""
    figure = line.second.replace(MINUS, "").strip("+ %").replace(",", "")
    return float(figure) if line.shown and figure.replace(".", "", 1).isdigit() else math.inf


# --- what it costs --------------------------------------------------------------------------------


def cost_lines(sheet: CostSheet, now_ms: int) -> list[SheetLine]:
    """What the pair costs, in and out, and what it can lose."""
    cash = sheet.currency
    slip = sheet.slip_in + sheet.slip_out
    return [
        SheetLine(
            COSTS[0],
            f"{number_text(sheet.fees, 2)} {cash}",
            f"{number_text(sheet.fees_bp, 1)} bp",
            "",
            _fees_tip(sheet),
        ),
        SheetLine(
            COSTS[1],
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
        _loss_line(sheet),
    ]


def _conversion_line(sheet: CostSheet) -> SheetLine:
    cost = sheet.conversion_in + sheet.conversion_out
    if not cost:
        tip = f"No leg is paid in another currency than {sheet.currency}. {term('Conversion')}"
        return SheetLine(COSTS[2], "none", "", "", tip, shown=False)
    return SheetLine(
        COSTS[2],
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
            COSTS[3], "none", "", "", "Nothing is borrowed: no coin is sold that is not owned."
        )
    return SheetLine(
        COSTS[3],
        f"{number_text(sheet.borrow_8h, 4)} {sheet.currency}",
        "per 8 h",
        "",
        f"Collateral of {number_text(sheet.collateral, 2)} {sheet.currency} secures the borrowed "
        f"coins. {term('Borrow')}",
    )


def _funding_line(sheet: CostSheet, now_ms: int) -> SheetLine:
    if not sheet.funding_next_ms:
        return SheetLine(COSTS[4], NOTHING, "", "", term("Funding"))
    left = countdown_text((sheet.funding_next_ms - now_ms) / 1000)
    value = sheet.funding_next
    meaning = "" if not round(value, 2) else ("gain" if value > 0 else "loss")
    return SheetLine(
        COSTS[4],
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
    return SheetLine(COSTS[5], f"{number_text(sheet.break_even_bp, 1)} bp", second, "", tip)


def _loss_line(sheet: CostSheet) -> SheetLine:
    cash = sheet.currency
    stop = NOTHING if sheet.loss_at_stop is None else sign_text(-sheet.loss_at_stop, 1)
    stress = sign_text(-sheet.loss_stress, 1)
    meaning = "loss" if (sheet.loss_at_stop or ZERO) > 0 or sheet.loss_stress > 0 else ""
    told = [f"At the stop, with all fees: {stop} {cash}." if sheet.loss_at_stop is not None else ""]
    told += [f"{_upper(one.text)}: {sign_text(-one.loss, 1)} {cash}." for one in sheet.stress]
    tip = "\n".join(line for line in (*told, term("Stress")) if line)
    return SheetLine(COSTS[6], f"{stop} / {stress} {cash}", "", meaning, tip)


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# --- after this order -----------------------------------------------------------------------------


def after_lines(sheet: CostSheet, base: str, account: Standing) -> list[SheetLine]:
    """What if: how the account and the perpetual stand once the order has filled."""
    cash = sheet.currency
    return [
        SheetLine(
            AFTER[0],
            f"{number_text(sheet.capital_used, 0)} of {number_text(account.equity, 0)} {cash}",
            "",
            "",
            term("Capital used"),
        ),
        SheetLine(
            AFTER[1],
            f"{number_text(sheet.margin, 2)} {cash}",
            f"at {size_text(sheet.request.leverage)}\u00d7",
            "",
            f"{_collateral(sheet)}{term('Margin')}",
        ),
        *_liquidation_lines(sheet, account.perps),
        _delta_line(sheet, base, account),
        _free_line(sheet, account),
    ]


def _collateral(sheet: CostSheet) -> str:
    if not sheet.collateral:
        return ""
    return f"And {number_text(sheet.collateral, 2)} {sheet.currency} for the borrowed coins. "


def _delta_line(sheet: CostSheet, base: str, account: Standing) -> SheetLine:
    after = account.delta + sheet.residual_delta
    tip = f"Buys {size_text(sheet.long_qty)}, sells {size_text(sheet.short_qty)} {base}"
    if account.delta:
        tip += f"; the open pairs of {base} hold {_signed(account.delta)} already"
    large = abs(sheet.residual_delta) * DELTA_SHARE_SAID > max(sheet.long_qty, ZERO)
    return SheetLine(
        AFTER[4], f"{_signed(after)} {base}", "", "warn" if large else "", f"{tip}. {term('Hedge')}"
    )


def _signed(qty: Decimal) -> str:
    return f"+{size_text(qty)}" if qty > 0 else size_text(qty)


def _free_line(sheet: CostSheet, account: Standing) -> SheetLine:
    kept = account.reserve * account.equity
    tip = (
        f"The reserve keeps {size_text(account.reserve * 100)} % of equity, "
        f"{number_text(kept, 2)} {sheet.currency}, out of every entry. {term('Free after')}"
    )
    return SheetLine(
        AFTER[5],
        f"{number_text(sheet.free_after, 0)} {sheet.currency}",
        f"{number_text(kept, 0)} kept",
        "loss" if sheet.free_after < kept else "",
        tip,
    )


def _liquidation_lines(sheet: CostSheet, perps: Mapping[str, Instrument]) -> list[SheetLine]:
    """One line for each perpetual leg: what trades at which mark, and how far that is."""
    found = [_liquidation_line(sheet, key, at, perps.get(key)) for key, at in sheet.liqs]
    if not found:
        found = [SheetLine(AFTER[2], "none", "", "", term("Liquidation"))]
    return [*found, SheetLine(SECOND_LIQUIDATION, NOTHING, shown=False)][:2]


def _liquidation_line(
    sheet: CostSheet, key: str, at: Liquidation, perp: Instrument | None
) -> SheetLine:
    side = "short" if key == sheet.request.short else "long"
    name = f"Liquidation of the {side}"
    if at.price is None:
        tip = f"No price above zero liquidates the {side} leg. {term('Liquidation')}"
        return SheetLine(name, "none", "", "", tip)
    places = places_of(perp.tick if perp is not None else None, 6)
    away = at.distance_pct * (1 if side == "short" else -1)
    source = _upper(at.source)
    return SheetLine(
        name,
        number_text(at.price, places),
        f"{sign_text(away, 1)} %",
        "loss" if at.distance_pct < LIQUIDATION_NEAR_PCT else "",
        f"{leg_name(key)}. {term('Liquidation')} {source}.",
    )


# --- the rule -------------------------------------------------------------------------------------


LIGHTS = {"green": "go", "amber": "thin", "red": "no"}


def rule_terms(rule: EntryRule | None) -> list[tuple[str, str]]:
    """(caption, figure) of convergence, fees with worst slippage, and one funding interval."""
    figures = (
        (rule.convergence_bp, rule.fees_bp + rule.slip_bp, rule.funding_bp)
        if rule is not None
        else (math.nan,) * 3
    )
    names = ("Convergence", "\u2212 fees, slippage", "\u2212 one funding")
    return [
        (name, f"{number_text(value, 1)} bp" if math.isfinite(value) else NOTHING)
        for name, value in zip(names, figures, strict=True)
    ]


def rule_text(rule: EntryRule | None) -> tuple[str, str]:
    """(what the three terms leave, colour token): a shape stands beside the colour."""
    if rule is None:
        return NOTHING, "muted"
    shape, token = verdict_mark(LIGHTS[rule.light])
    return f"{shape} {sign_text(rule.left_bp, 1)} bp left", token


def rule_tip(rule: EntryRule | None) -> str:
    """What the terms are and what they come to."""
    if rule is None:
        return f"Waiting for a price, a way out and a target. {term('Entry rule')}"
    against = ", ".join(f"{number_text(value, 1)} bp of {name}" for name, value in rule.terms)
    light = {
        "green": "Green: it pays them all.",
        "amber": "Amber: it pays fees and the slippage of now, not all three.",
        "red": "Red: it does not even pay fees and the slippage of now.",
    }[rule.light]
    end = "fair value, nothing pulls beyond" if rule.beyond else "your target"
    return (
        f"From mid to mid {number_text(rule.convergence_bp, 1)} bp to {end}; against it stand "
        f"{against}. {light} {term('Entry rule')}"
    )


def verdict_mark(kind: str) -> tuple[str, str]:
    """(shape, colour token) of a verdict: go up, thin a diamond, no down."""
    marks = {"go": ("\u25b2", "gain"), "thin": ("\u25c6", "warn")}
    return marks.get(kind, ("\u25bc", "loss"))
