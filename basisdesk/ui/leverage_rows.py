"""The leverage picture as rows of text: what each leverage would mean for the ticket's pair.

Rows are pure; only the columns know that a table follows. The figures come from
trading/leverage.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from basisdesk.events import OpenPair
from basisdesk.trading.leverage import LeveragePicture
from basisdesk.trading.leverage import LeverageRow as Gear
from basisdesk.ui.figures import NOTHING, number_text, places_of, sign_text, size_text
from basisdesk.ui.glossary import term
from basisdesk.ui.leg_words import coin_of, leg_name
from basisdesk.ui.table import Column
from basisdesk.venues.instrument import Instrument

LAB_ONLY = "lab only"
PRESENT = "in the ticket"
ROOM_WHOLE_PCT = 50.0  # the bar under a distance is full from here on
CHANCE_HIGH, CHANCE_SOME = 0.05, 0.005  # coloured from here on
TIMES = "\u00d7"


@dataclass(frozen=True)
class LeverageRow:
    """One leverage. tradable: the desk would take it, else `why` says what ends it.

    present: the ticket's leverage is this, or lies between this and the next. room: 0 to 1, the
    distance to the liquidation price, for the bar. size: by the account risk alone; cash: the most
    that free cash less the reserve pays for, binds: it is the smaller one. chance_meaning: colour.
    """

    leverage: Decimal
    name: str
    price: str
    distance: str
    capital: str
    size: str
    cash: str
    chance: str
    note: str = ""
    why: str = ""
    tip: str = ""
    tradable: bool = True
    present: bool = False
    binds: bool = False
    room: float = 0.0
    chance_meaning: str = ""


@dataclass(frozen=True)
class Picture:
    """What the dialog shows. empty: the sentence that stands in the place of rows."""

    title: str = "Leverage picture"
    head: str = ""
    note: str = ""
    empty: str = ""
    rows: list[LeverageRow] = field(default_factory=list)


def picture_rows(
    found: LeveragePicture, request: OpenPair, perp: Instrument | None
) -> list[LeverageRow]:
    """The rows of a picture, the ticket's leverage marked. perp: the leg that dies first."""
    under = [gear.leverage for gear in found.rows if gear.leverage <= request.leverage]
    present = max(under, default=0)
    return [_row(gear, request, perp, present) for gear in found.rows]


def picture_of(
    found: LeveragePicture, request: OpenPair, perp: Instrument | None, direction: str
) -> Picture:
    """The whole picture of a request. direction: in words, "Long spot, short perp"."""
    coin = coin_of(request.long)
    sigma = found.sigma_year_pct
    moves = f", volatility {sigma:.0f} % a year" if math.isfinite(sigma) else ""
    head = (
        f"{size_text(found.qty)} {coin}, {direction}. Looked ahead {span_ahead(found.hold_h)} "
        f"({found.hold_note}){moves}."
    )
    return Picture(
        f"Leverage picture of {coin}", head, found.note, "", picture_rows(found, request, perp)
    )


def span_ahead(hours: float) -> str:
    """A span looked ahead: "12 min", "5.2 h", "72 h"."""
    if hours < 1:
        return f"{number_text(max(1.0, hours * 60), 0)} min"
    return f"{size_text(hours, 1)} h"


def _row(gear: Gear, request: OpenPair, perp: Instrument | None, present: int) -> LeverageRow:
    here = gear.leverage == present
    notes = []
    if here:
        exact = gear.leverage == request.leverage
        notes.append(PRESENT if exact else f"{PRESENT}: {size_text(request.leverage)}{TIMES}")
    if not gear.tradable:
        notes.append(LAB_ONLY)
    short = gear.liq_leg == request.short
    places = places_of(perp.tick if perp is not None else None, 6)
    known = math.isfinite(gear.distance_pct)
    return LeverageRow(
        leverage=Decimal(gear.leverage),
        name=f"{gear.leverage}{TIMES}",
        price="none" if gear.liq_price is None else number_text(gear.liq_price, places),
        distance=sign_text(gear.distance_pct if short else -gear.distance_pct, 1),
        capital=number_text(gear.capital, 0),
        size=size_text(gear.size, 1),
        cash=size_text(gear.cash_size, 1),
        binds=gear.cash_size < gear.size,
        chance=chance_text(gear.chance),
        note=", ".join(notes),
        why=gear.why,
        tip=f"{leg_name(gear.liq_leg)}: {gear.source}.",
        tradable=gear.tradable,
        present=here,
        room=min(1.0, max(0.0, gear.distance_pct / ROOM_WHOLE_PCT)) if known else 0.0,
        chance_meaning=_chance_meaning(gear.chance),
    )


def chance_text(chance: float) -> str:
    """A chance in percent: "12.3", "0.04", "under 0.01"; an en dash where it is unknown."""
    if not math.isfinite(chance):
        return NOTHING
    percent = 100.0 * chance
    if percent == 0.0:
        return "0"
    if percent < 0.01:
        return "under 0.01"
    return number_text(percent, 1 if percent >= 1.0 else 2)


def _chance_meaning(chance: float) -> str:
    if not math.isfinite(chance) or chance < CHANCE_SOME:
        return ""
    return "loss" if chance >= CHANCE_HIGH else "warn"


def _ink(row: LeverageRow) -> str:
    return "" if row.tradable else "faded"


def _marked(row: LeverageRow) -> str:
    return "accent" if row.present and row.tradable else _ink(row)


def leverage_columns(currency: str, coin: str, quote: str, risk: Decimal) -> tuple[Column, ...]:
    """The columns of the dialog's table, units in the headers.

    quote: currency of the perpetual. risk: what a size may lose, a fraction of equity.
    """
    wide = f"{PRESENT}: 2.5{TIMES}"
    safe = (
        f"The size that puts {size_text(risk * 100)} % of equity on the worse of stop and stress. "
        "Cash is not counted here; it has a column of its own."
    )
    paid = "The most that free cash less the reserve pays for; orange where it is what binds."
    return (
        Column("Leverage", lambda row: row.name, left=True, tip=term("Leverage"), meaning=_marked),
        Column(
            "",
            lambda row: row.note,
            left=True,
            detail=lambda row: row.why,
            meaning=_marked,
            sample=wide,
        ),
        _liquidation_column(quote),
        _distance_column(),
        _figures(f"Capital used, {currency}", lambda row: row.capital, term("Capital used")),
        _figures(f"{size_text(risk * 100)} % size, {coin}", lambda row: row.size, safe),
        Column(
            f"Cash allows, {coin}",
            lambda row: row.cash,
            tip=paid,
            meaning=lambda row: "warn" if row.binds and row.tradable else _ink(row),
            sample="10,000,000",
        ),
        Column(
            "Chance of liquidation, %",
            lambda row: row.chance,
            tip=term("Chance of liquidation"),
            meaning=lambda row: row.chance_meaning if row.tradable else "faded",
        ),
    )


def _figures(header: str, text: Callable[[LeverageRow], str], tip: str) -> Column:
    return Column(header, text, tip=tip, meaning=_ink, sample="10,000,000")


def _liquidation_column(quote: str) -> Column:
    return Column(
        f"Liquidation price, {quote}",
        lambda row: row.price,
        tip=term("Liquidation"),
        detail=lambda row: row.tip,
        meaning=_ink,
    )


def _distance_column() -> Column:
    return Column(
        "Away from mark, %",
        lambda row: row.distance,
        tip="How far the mark may move against the perpetual that is liquidated first.",
        detail=lambda row: row.tip,
        meaning=_ink,
        gauge=lambda row: row.room,
    )
