"""How large a pair should be: the smallest of several lines, each with its reason.

The plain 2 % rule never binds for basis trades: a stop of 25 bp and costs of 31 bp allow a notional
of 3.6 times the account (quant.md 2.32). The stress line does, or the capital.
"""

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.events import Funds
from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.passage import Reversion
from basisdesk.trading.quoting import OpenQuote
from basisdesk.trading.sector import sector_word

if TYPE_CHECKING:
    from basisdesk.trading.costs import CostSheet

BASIS_SDS = 2  # deviations of the basis over the hold that may cost the account risk
HOLD_H = 24.0  # where the plan has no time stop
SECTOR_CUT = Decimal("0.5")  # features.md row 100
ZERO = Decimal(0)


class SizeLine(msgspec.Struct, frozen=True):
    """One limit of the size. qty: base coin of the long leg; None where `text` says why not.

    name: "stop", "stress", "volatility", "depth", "capital"; then the cuts "balance", "sector".
    """

    name: str
    qty: Decimal | None
    text: str


class SizeAdvice(msgspec.Struct, frozen=True):
    """The suggested size of an entry. qty: base coin of the long leg, whole lots.

    binding: the name of the line that is the smallest. lines: all of them. note: one sentence.
    """

    qty: Decimal
    binding: str
    lines: tuple[SizeLine, ...]
    note: str


def advice(
    sheet: "CostSheet",
    entry: OpenQuote,
    market: Market,
    settings: Settings,
    funds: Funds,
    reversion: Reversion | None = None,
) -> SizeAdvice:
    """The suggested size of an entry like this one.

    sheet: priced, with its losses and its largest size. reversion: how the basis of the pair comes
    back, where it was measured.
    """
    risk = exact(settings.risk.account_risk) * funds.equity
    lines = [
        _stop(sheet, entry, risk),
        _stress(sheet, entry, risk),
        _volatility(sheet, entry, market, risk, reversion),
        _depth(sheet, entry, settings),
        _capital(sheet, settings),
    ]
    rule = entry.long.ladder.instrument
    least = _least(lines)
    if least is not None and least.qty is not None:
        for cut in (_balance(settings, funds), _sector(market, rule.base, sheet.direction)):
            if cut is not None:
                name, factor, why = cut
                qty = (_least(lines) or least).qty or ZERO
                lines.append(SizeLine(name, qty * factor, why))
    least = _least(lines)
    if least is None or least.qty is None:
        return SizeAdvice(ZERO, "", tuple(lines), "No size can be suggested.")
    qty = max(ZERO, rule.round_down(least.qty))
    note = f"{words.plain(qty)} {rule.base}: {least.text}."
    return SizeAdvice(qty, least.name, tuple(lines), note)


def _least(lines: list[SizeLine]) -> SizeLine | None:
    known = [line for line in lines if line.qty is not None]
    return min(known, key=lambda line: line.qty or ZERO, default=None)


def _of_loss(entry: OpenQuote, loss: Decimal, risk: Decimal) -> Decimal:
    return max(ZERO, entry.long.qty * risk / loss)


def _stop(sheet: "CostSheet", entry: OpenQuote, risk: Decimal) -> SizeLine:
    loss, currency = sheet.loss_at_stop, sheet.currency
    if loss is None or loss <= 0:
        why = "the plan has no stop" if loss is None else "nothing is lost at the stop"
        return SizeLine("stop", None, why)
    text = f"{words.money(risk, currency)} would be lost at the stop, its costs included"
    return SizeLine("stop", _of_loss(entry, loss, risk), text)


def _stress(sheet: "CostSheet", entry: OpenQuote, risk: Decimal) -> SizeLine:
    if sheet.loss_stress <= 0:
        return SizeLine("stress", None, "no stress is known")
    text = f"{words.money(risk, sheet.currency)} would be lost under stress ({sheet.stress_note})"
    return SizeLine("stress", _of_loss(entry, sheet.loss_stress, risk), text)


def _volatility(
    sheet: "CostSheet",
    entry: OpenQuote,
    market: Market,
    risk: Decimal,
    reversion: Reversion | None,
) -> SizeLine:
    """quant.md 2.28: N = k E / sd_b(T), k E being the account risk over BASIS_SDS deviations.

    sd_b(T) = sd * sqrt(1 - exp(-2 T / tau)); without a measured half-life all of the deviation that
    the chart shows is reckoned with.
    """
    legs = sheet.request.long, sheet.request.short
    pair = market.pairs.get(legs if sheet.direction > 0 else legs[::-1])
    sd_bp = math.nan if pair is None or not pair.now.warm else pair.now.sd_bp
    if reversion is not None:
        hold = sheet.request.exit.max_hold_h
        hours = HOLD_H if hold is None else float(hold)
        lives = hours / reversion.half_life_h
        sd_bp = reversion.sd_bp * math.sqrt(1.0 - 0.25**lives)  # exp(-2 T ln2 / life)
    if not (math.isfinite(sd_bp) and sd_bp > 0):
        return SizeLine("volatility", None, "the deviation of the basis is not known yet")
    loss = sheet.notional * Decimal(BASIS_SDS * sd_bp / 1e4)
    text = f"{BASIS_SDS} deviations of the basis ({sd_bp:.1f} bp each) would cost the account risk"
    return SizeLine("volatility", _of_loss(entry, loss, risk), text)


def _depth(sheet: "CostSheet", entry: OpenQuote, settings: Settings) -> SizeLine:
    """The most that may be walked beyond the best prices: a part of the edge (quant.md 2.28)."""
    if sheet.rule is None:
        return SizeLine("depth", None, "without a target there is no edge to measure depth by")
    part = settings.risk.impact_of_edge_max
    edge_bp = sheet.rule.left_at_touch_bp(_impact_bp(entry, entry.long.qty))
    if not edge_bp > 0:
        return SizeLine("depth", ZERO, "there is no edge that depth could be paid from")
    most_bp, lot = part * edge_bp, entry.long.ladder.instrument.lot
    low, high = 0, int(entry.long.ladder.depth / lot)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _impact_bp(entry, middle * lot) <= most_bp else (low, middle - 1)
        )
    of_edge = f"{words.bp(most_bp)}, {100 * part:.0f} % of the edge of {words.bp(edge_bp)}"
    walked = _impact_bp(entry, (low + 1) * lot)
    text = f"more would walk the books by over {of_edge}"
    if math.isinf(walked):
        text = f"the books show no more; walking them costs less than {of_edge}"
    return SizeLine("depth", low * lot, text)


def _impact_bp(entry: OpenQuote, qty: Decimal) -> float:
    """What an entry of `qty` pays beyond the best prices of both books, bp; inf beyond them."""
    if not qty:
        return 0.0
    paid = worth = ZERO
    for leg in (entry.long, entry.short):
        ratio = leg.qty / entry.long.qty
        ordered = leg.ladder.instrument.round_nearest(qty * ratio)
        first, cost = leg.ladder.walk(leg.ladder.instrument.lot), leg.ladder.cost(ordered)
        if cost is None or not first:
            return math.inf
        paid += abs(cost - ordered * first[0].price) * leg.cross.mid
        if leg is entry.reference:
            worth = cost * leg.cross.mid
    return float(paid / worth * 10_000) if worth else 0.0


def _capital(sheet: "CostSheet", settings: Settings) -> SizeLine:
    reserve = words.plain(exact(settings.risk.reserve) * 100)
    text = f"free cash less the reserve of {reserve} %, the books and the venues allow no more"
    return SizeLine("capital", sheet.max_qty, text)


def _balance(settings: Settings, funds: Funds) -> tuple[str, Decimal, str] | None:
    """The cut of the lowest threshold that the account has fallen below."""
    start = funds.start or exact(settings.account.start)
    below = [
        (part, cut) for part, cut in settings.risk.size_cuts if funds.equity < start * exact(part)
    ]
    if not below:
        return None
    part, cut = min(below)
    text = f"the account is below {100 * part:g} % of its start, sizes are cut to {100 * cut:g} %"
    return "balance", exact(cut), text


def _sector(market: Market, coin: str, direction: int) -> tuple[str, Decimal, str] | None:
    if sector_word(market, coin, direction) != "against":
        return None
    return "sector", SECTOR_CUT, f"the sector signal of {coin} contradicts, the size is halved"
