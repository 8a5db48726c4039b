"""What a pair can lose before anybody can act: the lines of the stress loss, per entry.

The three of quant.md 2.32. They are losses of the pair, both legs counted, in account currency.
"""

import math
from decimal import Decimal

import msgspec

from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.margin import Liquidation
from basisdesk.trading.quoting import OpenQuote
from basisdesk.trading.volatility import minute_sigma

SIGMAS = 3
ADL_MINUTES = 10  # the spot leg stands naked: BTC fell 12.6 % in ten on 2025-10-10 (quant.md 1.2)
UNKNOWN_MOVE = Decimal("0.01")  # of one minute, where the coin's volatility is not known


class StressLoss(msgspec.Struct, frozen=True):
    """One stress. name: "one leg", "adl" or "liquidation"; loss: account currency, >= 0."""

    name: str
    loss: Decimal
    text: str


def stresses(
    entry: OpenQuote, nearest: Liquidation | None, market: Market
) -> tuple[StressLoss, ...]:
    """The stress losses of an entry, the worst first.

    nearest: the liquidation that its leverage brings nearest. One leg alone: three deviations of
    the coin's 1-minute returns. ADL: the venue closes the winning perpetual at its mark, so nothing
    is lost there, and the other leg stands naked for ADL_MINUTES. Liquidation: trigger and
    bankruptcy are the maintenance margin apart; that is lost, and the other leg stands naked for a
    minute. The loss up to the trigger is the other leg's gain.
    """
    notional = entry.reference.value
    move, what = minute_move(market, entry.reference.ladder.instrument.key)
    alone = notional * move
    wide = move * Decimal(f"{math.sqrt(ADL_MINUTES):.6f}")
    found = [
        StressLoss("one leg", alone, f"one leg moves {_percent(move)} alone, {what}"),
        StressLoss(
            "adl",
            notional * wide,
            f"deleveraged: the other leg moves {_percent(wide)} alone in {ADL_MINUTES} minutes, "
            f"{what}",
        ),
    ]
    if nearest is not None and nearest.price is not None:
        apart = abs(nearest.bankruptcy - nearest.price)
        perp = entry.short if entry.direction > 0 else entry.long
        kept = apart * perp.qty * perp.cross.mid
        found.append(
            StressLoss(
                "liquidation",
                kept + alone,
                f"liquidated: the venue keeps {words.plain(_short(kept))} of margin, and the other "
                f"leg moves {_percent(move)} alone",
            )
        )
    return tuple(sorted(found, key=lambda each: each.loss, reverse=True))


def minute_move(market: Market, key: str) -> tuple[Decimal, str]:
    """(fraction, in words) of the move of one minute that is reckoned with."""
    sigma = minute_sigma(market, key)
    if sigma is None:
        return UNKNOWN_MOVE, "assumed: too few minutes of prices are known"
    return Decimal(f"{SIGMAS * sigma:.6f}"), "three deviations of its last minutes"


def _percent(fraction: Decimal) -> str:
    return f"{words.plain(_short(fraction * 100))} %"


def _short(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
