"""The leverage picture of an entry: where each leverage dies, and how likely within the hold.

Liquidation is the venue's own rule with the tier of this size (margin_rules.py). The chance is that
of a driftless Brownian mark reaching that price within the hold, by the reflection principle:
2 * (1 - Phi(d / (sigma * sqrt(T)))), d the distance in logs. It takes today's volatility to stay,
no margin to be added and no jump. With t(3) steps of the same variance quant.md 6 finds up to 6
points less for near prices and 0.1 more for far ones. Funding until then is left out.

The gauges of features.md row 123 (+19.4 % at 5x, +9.45 % at 10x, +4.48 % at 20x, a short) are
(1 + 1/L) / 1.005 - 1: a maintenance of 0.5 %, from the entry price. What is shown here differs by
the tier (0.4 to 1 % for most coins' first), by a venue that counts the fee to close (OKX), by a
tier's deduction, and because the distance is told from the mark, not from the entry.
"""

import math
from decimal import Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.events import Funds, OpenPair
from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.costs import liquidations
from basisdesk.trading.hold_time import Hold
from basisdesk.trading.margin import Liquidation, leverage_max, tier_size
from basisdesk.trading.paper import Memory
from basisdesk.trading.quoting import LegQuote, OpenQuote, Pricer
from basisdesk.trading.risk import No
from basisdesk.trading.stress import stresses
from basisdesk.trading.volatility import minute_sigma, year_pct

STEPS = (1, 2, 3, 4, 5, 7, 10, 15, 20)
HOLD_MAX_H = 8_760.0
HOLD_H = 24.0  # where neither plan nor basis says how long
ZERO = Decimal(0)


class LeverageRow(msgspec.Struct, frozen=True):
    """One leverage. Money in account currency for the size asked.

    liq_price: of the nearer perpetual, its quote currency; None where no price does. distance_pct:
    from its mark, NaN without a price. capital: cash the entry takes. size: base coin that puts the
    account risk on the worse of stop and stress. cash_size: base coin that the free cash less the
    reserve pays for; the smaller of the two is what can be done. chance: of a liquidation within
    the hold, 0 to 1, of either leg; NaN where volatility is not known.
    tradable: within house, settings, venue and tier; `why` says which of them ends it.
    """

    leverage: int
    liq_leg: str
    liq_price: Decimal | None
    distance_pct: float
    source: str
    capital: Decimal
    size: Decimal
    chance: float
    tradable: bool
    why: str
    cash_size: Decimal = ZERO


class LeveragePicture(msgspec.Struct, frozen=True):
    """All leverages for one entry. hold_h: hours looked ahead, hold_note: where they come from.

    sigma_year_pct: today's volatility, percent a year; NaN with too few minutes. note: what the
    chances assume.
    """

    rows: tuple[LeverageRow, ...]
    qty: Decimal
    most: Decimal
    hold_h: float
    hold_note: str
    sigma_year_pct: float
    note: str


def picture(
    request: OpenPair,
    market: Market,
    settings: Settings,
    funds: Funds,
    now_ns: int,
    hold: Hold | None = None,
) -> LeveragePicture | No:
    """The picture of this entry at the displayed books, or why it cannot be priced.

    request.leverage is not looked at. hold: how long the pair is expected to be held.
    """
    hold_h, hold_note = _hold(request, hold)
    rows: list[LeverageRow] = []
    sigma = most = None
    for step in STEPS:
        asked = msgspec.structs.replace(request, leverage=Decimal(step))
        quote = Pricer(asked, market, settings, Memory(enabled=False), now_ns).price(request.qty)
        if isinstance(quote, No):
            return quote
        if most is None:
            sigma = minute_sigma(market, quote.reference.ladder.instrument.key)
            most = _most(quote, settings)
        at = liquidations(quote, asked, market)
        rows.append(_row(asked, quote, at, (market, settings, funds), (sigma, hold_h, *most)))
    year = math.nan if sigma is None else year_pct(sigma)
    assert most is not None
    return LeveragePicture(
        tuple(rows), request.qty, most[0], hold_h, hold_note, year, _note(year, hold_h, hold_note)
    )


def chance_of_reach(distance: float, sigma: float, hours: float) -> float:
    """The chance that a driftless price moves so far one way within so many hours.

    distance: in logs, > 0; 0 and below is reached. sigma: deviation of 1-minute returns.
    """
    if distance <= 0:
        return 1.0
    spread = sigma * math.sqrt(60.0 * hours)
    return math.erfc(distance / spread / math.sqrt(2.0)) if spread > 0 else 0.0


def _row(
    asked: OpenPair,
    quote: OpenQuote,
    found: list[tuple[LegQuote, Liquidation]],
    given: tuple[Market, Settings, Funds],
    terms: tuple[float | None, float, Decimal, str],
) -> LeverageRow:
    (market, settings, funds), (sigma, hold_h, most, why) = given, terms
    leg, nearest = min(found, key=lambda each: _near(each[1]))
    tradable = asked.leverage <= most
    chance = sum(_chance(each, at, market, sigma, hold_h) for each, at in found)
    return LeverageRow(
        leverage=int(asked.leverage),
        liq_leg=leg.ladder.instrument.key,
        liq_price=nearest.price,
        distance_pct=nearest.distance_pct,
        source=nearest.source,
        capital=quote.cash,
        size=_size(asked, quote, nearest, market, exact(settings.risk.account_risk) * funds.equity),
        cash_size=_cash_size(quote, settings, funds),
        chance=min(chance, 1.0),  # NaN stays
        tradable=tradable,
        why="" if tradable else why,
    )


def _chance(
    leg: LegQuote, at: Liquidation, market: Market, sigma: float | None, hours: float
) -> float:
    if at.price is None:
        return 0.0
    if sigma is None:
        return math.nan
    mark = market.leg(leg.ladder.instrument.key).mark
    mark = mark if math.isfinite(mark) and mark > 0 else float(leg.mid)
    away = math.log(float(at.price) / mark)
    return chance_of_reach(away if leg.ladder.side == "sell" else -away, sigma, hours)


def _size(
    asked: OpenPair, quote: OpenQuote, nearest: Liquidation, market: Market, risk: Decimal
) -> Decimal:
    """The size at which the worse of stop and stress loses `risk`, whole lots."""
    loss = stresses(quote, nearest, market)[0].loss
    if asked.exit.stop_bp is not None:
        widening = quote.direction * (float(asked.exit.stop_bp) - quote.basis_bp)
        fees = 2 * (quote.long.fee_value + quote.short.fee_value)  # the way out like the way in
        loss = max(loss, quote.reference.value * Decimal(widening) / 10_000 + fees)
    part = risk / loss if loss > 0 else ZERO
    return quote.long.ladder.instrument.round_down(quote.long.qty * max(ZERO, part))


def _cash_size(quote: OpenQuote, settings: Settings, funds: Funds) -> Decimal:
    spare = max(ZERO, funds.free - exact(settings.risk.reserve) * funds.equity)
    part = spare / quote.cash if quote.cash > 0 else ZERO
    return quote.long.ladder.instrument.round_down(quote.long.qty * part)


def _most(quote: OpenQuote, settings: Settings) -> tuple[Decimal, str]:
    """(the most leverage that can be traded, why no more)."""
    limit = exact(settings.risk.leverage_max)
    caps = []
    for leg in (quote.long, quote.short):
        rule = leg.ladder.instrument
        if rule.market == "perp":
            caps.append((leverage_max(rule, tier_size(rule, leg.qty, leg.cost), limit), rule.key))
    most, key = min(caps)
    if most < min(limit, Decimal(5)):
        return most, f"{words.name(key)} allows at most {words.plain(most)}x for this size"
    if limit < 5:
        return most, f"the settings allow at most {words.plain(limit)}x"
    return most, f"the desk trades at most {words.plain(most)}x; beyond is for study only"


def _hold(request: OpenPair, hold: Hold | None) -> tuple[float, str]:
    plan = request.exit.max_hold_h
    p90_h = None if hold is None else hold.p90_h
    if p90_h is not None and p90_h <= (HOLD_MAX_H if plan is None else float(plan)):
        return p90_h, "nine of ten such holds end sooner"
    if plan is not None:
        return float(plan), "the plan's time stop"
    return HOLD_H, "assumed"


def _note(year: float, hold_h: float, hold_note: str) -> str:
    if math.isnan(year):
        return "Too few minutes of prices are known to say how likely a liquidation is."
    within = f"{hold_h:.0f} h" if hold_h >= 2 else f"{60 * hold_h:.0f} min"
    return (
        f"Chance of touching the liquidation price within {within} ({hold_note}) at today's "
        f"volatility of {year:.0f} % a year, with no drift, no jump and no margin added. A crash "
        "is not in it."
    )


def _near(at: Liquidation) -> float:
    return at.distance_pct if math.isfinite(at.distance_pct) else math.inf
