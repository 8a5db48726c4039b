"""What time does to open pairs: funding settlements and interest on borrowed coins.

Funding follows the snapshot rule: who holds just before the stamp s pays or receives, that is
entry < s <= exit, on the mark notional. A venue that accrues (`FundingRule.pays`, Kraken) is paid
by the time held within the hour, at each hour's end and whenever the position changes. What we owe
is taken from free cash and then from the leg's own margin (Bybit's help centre, "Funding Fee", read
2026-07), which brings its liquidation nearer. Interest is charged for each started clock hour (UTC)
of a loan, the first one at once.
"""

import decimal
import math
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from msgspec import structs

from basisdesk.config import Settings, exact
from basisdesk.events import MONEY, BorrowCharged, FundingSettled
from basisdesk.market.funding import FundingClock, Settlement
from basisdesk.market.state import Market
from basisdesk.trading.cross import ONE, mid_rate
from basisdesk.trading.margin import CENT
from basisdesk.trading.paper import mid
from basisdesk.trading.positions import HOUR_NS, LegPosition, PairPosition, Positions, hour_end_ms
from basisdesk.venues.instrument import FundingRule, split_key

LATE_MS = 60_000  # a settlement booked later than this after its stamp is marked so
CLOSED_NS = 72 * HOUR_NS  # so long after its close a pair still pays what it held through
SHARE = Decimal("1e-9")  # of an hour
# What is multiplied by a share and a cross rate is kept short, so that money stays exact:
RATE = Decimal("1e-15")
PRICE = Decimal("1e-8")
ALL = Decimal("Infinity")  # free cash without an end: nothing is taken from margin
ZERO = Decimal(0)
_WIDE = decimal.Context(prec=64)

Cost = FundingSettled | BorrowCharged
Paid = TypeVar("Paid", FundingSettled, Cost)


def settlements(
    market: Market, positions: Positions, now_ns: int, free: Decimal = ALL
) -> list[FundingSettled]:
    """Every settlement that became due, for every pair that holds its perpetual.

    Each clock hands a settlement out once, so this must be asked by one owner only. Every clock is
    asked whether anything is due, held or not: what is due is fixed by what was heard until that
    moment, and is not kept for whoever holds the leg later. Stamps that passed while the desk was
    closed are paid late, by the rate the venue published and the last mark heard. A pair closed
    before its stamps were heard of pays them all the same, for CLOSED_NS. A pair is never paid
    twice for one stamp.

    free: cash that the account can spend, account currency. The payments take from it in the order
    of this list, and what it lacks from their leg's margin (`from_margin`). A pair whose margin was
    taken so must not be closed within the same call: what it would release is less now.
    """
    now_ms = now_ns // 1_000_000
    told: dict[str, list[Settlement]] = {}
    for key, leg in market.perps.items():
        if leg.funding.waits(now_ms):
            told[key] = leg.funding.due(now_ms)
    paid: dict[tuple[int, str, int], list[FundingSettled]] = {}
    for position in positions.held_since(now_ns - CLOSED_NS):
        for perp in position.perps:
            key = perp.instrument
            leg = market.leg(key)
            if key not in told and not leg.funding.settled_after(position.opened_ns // 1_000_000):
                continue  # asked ten times a second of each pair of the last days
            rule = funding_rule(market, key)
            due = [(each, "ticker") for each in told.get(key, ())]
            due += [(each, "history") for each in _published(position, leg.funding, rule, now_ms)]
            if not due:
                continue
            fx = mid_rate(market, perp.quote, positions.quote, now_ns, perp.fx)
            for each, source in due:
                asked = (position.pair, key, each.settle_ms)
                how = (now_ns, source, fx)
                priced = _priced(each, rule, leg.index)
                if asked not in paid and (rows := _settled(position, perp, priced, rule, how)):
                    paid[asked] = rows
    return drawn([one for rows in paid.values() for one in rows], positions, free)


def accrued(
    market: Market, positions: Positions, settings: Settings, now_ns: int, free: Decimal = ALL
) -> list[Cost]:
    """All that time takes or brings: `settlements`, then the interest of each pair that owes coins.

    free: as in `settlements`; interest finds what they left of it and of the margins.
    """
    owed = (interest(position, market, settings, now_ns) for position in positions.live())
    charged = [one for one in owed if one is not None]
    return drawn([*settlements(market, positions, now_ns), *charged], positions, free)


def paid_from(amount: Decimal, free: Decimal, margin: Decimal) -> tuple[Decimal, Decimal]:
    """(from cash, from margin) of a settlement, both >= 0; nothing of one that was received.

    amount: as booked, < 0 paid. free: cash to spend. margin: of the leg. All in account currency.
    Margin moves in whole units of 1e-8, rounded up, and never beyond what there is: what is lacking
    then stays with cash, where the ledger's shortfall rule finds it.
    """
    if amount >= 0:
        return ZERO, ZERO
    due = -amount
    if due <= free:
        return due, ZERO
    with decimal.localcontext(_WIDE):
        lacking = (due - max(free, ZERO)).quantize(CENT, ROUND_CEILING)
    with decimal.localcontext(MONEY):
        from_margin = min(lacking, due, max(margin, ZERO))
        return due - from_margin, from_margin


def drawn(costs: list[Paid], positions: Positions, free: Decimal) -> list[Paid]:
    """The same payments, with what each takes from margin. What one brings is there to spend."""
    if free == ALL:
        return costs
    held = positions.live()
    margins = {(each.pair, leg.instrument): leg.margin for each in held for leg in each.perps}
    pledged = {each.pair: each.perps[-1].instrument for each in held}  # for coins that are owed
    made: list[Paid] = []
    with decimal.localcontext(MONEY):
        for one in costs:
            if isinstance(one, BorrowCharged):
                amount, leg = -one.amount, (one.pair, pledged.get(one.pair, ""))
            else:
                amount, leg = one.amount, (one.pair, one.instrument)
            cash, margin = paid_from(amount, free, margins.get(leg, ZERO))
            free += max(amount, ZERO) - cash
            if margin:
                margins[leg] -= margin
                one = structs.replace(one, from_margin=margin)  # noqa: PLW2901
            made.append(one)
    return made


def funding_rule(market: Market, key: str) -> FundingRule:
    """How the venue of a perpetual pays; the usual way where it is not described yet."""
    leg = market.legs.get(key)
    found = leg.instrument if leg is not None else None
    found = found or market.instruments.get(key)
    return found.funding if found is not None else FundingRule()


def realised(
    position: PairPosition, market: Market, now_ns: int, currency: str, only: str = ""
) -> list[FundingSettled]:
    """Accrued funding of the running hour, realised because the position is about to change.

    currency: of the account. only: one instrument, or "" for both. Nothing where the venue pays by
    snapshot, or where no rate is known: then the hour's end pays for all of it.
    """
    paid: list[FundingSettled] = []
    for perp in position.perps:
        key = perp.instrument
        rule, seen = funding_rule(market, key), market.leg(key)
        if rule.pays != "accrual" or not perp.qty or only not in ("", key):
            continue
        due = _priced(Settlement(0, seen.funding.rate, seen.funding.mark), rule, seen.index)
        since_ns = _unpaid_since(perp, hour_end_ms(now_ns))
        fx = mid_rate(market, perp.quote, currency, now_ns, perp.fx)
        due = due._replace(settle_ms=-(-now_ns // 1_000_000))
        paid += _accrued(position, perp, due, (since_ns, now_ns), (now_ns, "close", fx))
    return paid


def _published(
    position: PairPosition, clock: FundingClock, rule: FundingRule, now_ms: int
) -> list[Settlement]:
    # The live clock pays within LATE_MS; what is still unpaid after that was missed.
    until_ms = now_ms - LATE_MS
    if position.closed_ns is not None:
        accrues = rule.pays == "accrual"  # then the hour of the close is paid at its end
        at_ns = position.closed_ns
        until_ms = min(until_ms, hour_end_ms(at_ns) if accrues else at_ns // 1_000_000)
    rows = clock.settled_between(position.opened_ns // 1_000_000, until_ms)
    return [Settlement(stamp, rate, clock.mark) for stamp, rate in rows]


def _priced(due: Settlement, rule: FundingRule, index: float) -> Settlement:
    """The settlement on the price its venue pays on; the mark stands in for an unheard index."""
    on_index = rule.on == "index" and math.isfinite(index) and index > 0
    return due._replace(mark=index) if on_index else due


def _settled(
    position: PairPosition,
    perp: LegPosition,
    due: Settlement,
    rule: FundingRule,
    how: tuple[int, str, Decimal],
) -> list[FundingSettled]:
    if rule.pays == "accrual":
        if (perp.instrument, due.settle_ms) in position.settled:
            return []
        stretch = _unpaid_since(perp, due.settle_ms), due.settle_ms * 1_000_000
        return _accrued(position, perp, due, stretch, how)
    now_ns, source, fx = how
    one = settle(position, perp.instrument, due, now_ns, source, fx)
    return [one] if one is not None else []


def _unpaid_since(perp: LegPosition, hour_ms: int) -> int:
    """From when the hour that ends at this stamp is not paid yet, ns."""
    return max(hour_ms * 1_000_000 - HOUR_NS, perp.realised.get(hour_ms, 0))


def _accrued(
    position: PairPosition,
    perp: LegPosition,
    due: Settlement,
    stretch: tuple[int, int],
    how: tuple[int, str, Decimal],
) -> list[FundingSettled]:
    """Payments by the time held between two moments; one for each size held."""
    if not (math.isfinite(due.rate) and due.mark > 0):
        return []
    rate = exact(due.rate).quantize(RATE, ROUND_HALF_EVEN)
    price = exact(due.mark).quantize(PRICE, ROUND_HALF_EVEN)
    paid = []
    for qty, held_ns in perp.held(*stretch):
        share = (Decimal(held_ns) / HOUR_NS).quantize(SHARE, ROUND_HALF_EVEN)
        if share:
            terms = (rate, price, qty, share)
            paid.append(_payment(position.pair, perp.instrument, due.settle_ms, terms, how))
    return paid


def settle(
    position: PairPosition,
    key: str,
    due: Settlement,
    now_ns: int,
    source: str = "ticker",
    fx: Decimal = ONE,
) -> FundingSettled | None:
    """The payment of one pair at one stamp; None when it did not hold then or was paid already.

    fx: account currency per quote currency of the perpetual.
    """
    if (key, due.settle_ms) in position.settled:
        return None
    if not (math.isfinite(due.rate) and due.mark > 0):
        return None
    stamp_ns = due.settle_ms * 1_000_000
    held = [leg for leg in position.perps if leg.instrument == key]
    qty = sum((leg.qty_before(stamp_ns) for leg in held), Decimal(0))
    if not qty:
        return None
    terms = (exact(due.rate), exact(due.mark), qty, ONE)
    return _payment(position.pair, key, due.settle_ms, terms, (now_ns, source, fx))


def _payment(
    pair: int,
    key: str,
    settle_ms: int,
    terms: tuple[Decimal, Decimal, Decimal, Decimal],
    how: tuple[int, str, Decimal],
) -> FundingSettled:
    """terms: (rate, price, signed qty, share). how: (now_ns, source, fx)."""
    (rate, price, qty, share), (now_ns, source, fx) = terms, how
    with decimal.localcontext(MONEY):
        amount = -qty * price * rate * share * fx
    return FundingSettled(
        ts_ns=now_ns,
        pair=pair,
        instrument=key,
        settle_ms=settle_ms,
        rate=rate,
        mark=price,
        qty=qty,
        amount=amount,
        late=now_ns // 1_000_000 - settle_ms > LATE_MS,
        source=source,
        fx=fx,
        share=share,
    )


def started_hours(owed: LegPosition, now_ns: int) -> int:
    """Clock hours (UTC) in which a leg owed coins, begun ones too: 10:59:59 to 11:00:00 are two.

    They count from the leg's own first fill, which may come long after the pair's.
    """
    hours, last = 0, -1
    for start, end, _ in owed.stretches(now_ns):
        first, last = max(start // HOUR_NS, last + 1), max(last, end // HOUR_NS)
        hours += max(0, last - first + 1)
    return hours


def interest(
    position: PairPosition, market: Market, settings: Settings, now_ns: int
) -> BorrowCharged | None:
    """Interest due on the coins a pair owes; None when nothing is due, or no price is known yet.

    Several hours that passed unseen are charged together at the present mid.
    """
    leg = position.borrowed
    if leg is None or not leg.qty:
        return None
    hours = started_hours(leg, now_ns) - position.borrow_hours
    seen = market.leg(leg.instrument)
    price = mid(seen, seen.instrument) if seen.instrument is not None else None
    if hours <= 0 or price is None:
        return None
    rate = settings.borrow_rate(split_key(leg.instrument)[0])
    fx = mid_rate(market, leg.quote, settings.account.currency, now_ns, leg.fx)
    with decimal.localcontext(MONEY):
        amount = -leg.qty * price * rate * hours * fx
    if not amount:
        return None
    return BorrowCharged(
        ts_ns=now_ns,
        pair=position.pair,
        instrument=leg.instrument,
        hours=hours,
        hourly_rate=rate,
        qty=-leg.qty,
        price=price,
        amount=amount,
        fx=fx,
    )
