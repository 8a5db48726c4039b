"""What time does to open pairs: funding settlements and interest on borrowed coins.

Funding follows the snapshot rule: who holds just before the stamp s pays or receives, that is
entry < s <= exit, on the mark notional. Interest is charged for each started clock hour (UTC) of a
loan, the first one at once.
"""

import decimal
import math
from decimal import Decimal

from basisdesk.config import Settings, exact
from basisdesk.events import MONEY, BorrowCharged, FundingSettled
from basisdesk.market.funding import FundingClock, Settlement
from basisdesk.market.state import Market
from basisdesk.trading.paper import mid
from basisdesk.trading.positions import PairPosition, Positions
from basisdesk.venues.instrument import split_key

HOUR_NS = 3_600_000_000_000
LATE_MS = 60_000  # a settlement booked later than this after its stamp is marked so
CLOSED_NS = 72 * HOUR_NS  # so long after its close a pair still pays what it held through


def settlements(market: Market, positions: Positions, now_ns: int) -> list[FundingSettled]:
    """Every settlement that became due, for every pair that holds its perpetual.

    Each clock hands a settlement out once, so this must be asked by one owner only, and every leg
    is asked, held or not. Stamps that passed while the desk was closed are paid late, by the rate
    the venue published and the last mark heard. A pair closed before its stamps were heard of pays
    them all the same, for CLOSED_NS. A pair is never paid twice for one stamp.
    """
    now_ms = now_ns // 1_000_000
    held = positions.held_since(now_ns - CLOSED_NS)
    paid: dict[tuple[int, str, int], FundingSettled] = {}
    for key, leg in market.legs.items():
        if split_key(key)[1] != "perp":
            continue
        heard = leg.funding.due(now_ms)
        for position in held:
            if all(perp.instrument != key for perp in position.perps):
                continue
            due = [(each, "ticker") for each in heard]
            due += [(each, "history") for each in _published(position, leg.funding, now_ms)]
            for each, source in due:
                asked = (position.pair, key, each.settle_ms)
                if asked not in paid and (one := settle(position, key, each, now_ns, source)):
                    paid[asked] = one
    return list(paid.values())


def _published(position: PairPosition, clock: FundingClock, now_ms: int) -> list[Settlement]:
    # The live clock pays within LATE_MS; what is still unpaid after that was missed.
    until_ms = now_ms - LATE_MS
    if position.closed_ns is not None:
        until_ms = min(until_ms, position.closed_ns // 1_000_000)
    rows = clock.settled_between(position.opened_ns // 1_000_000, until_ms)
    return [Settlement(stamp, rate, clock.mark) for stamp, rate in rows]


def settle(
    position: PairPosition, key: str, due: Settlement, now_ns: int, source: str = "ticker"
) -> FundingSettled | None:
    """The payment of one pair at one stamp; None when it did not hold then or was paid already."""
    if (key, due.settle_ms) in position.settled:
        return None
    if not (math.isfinite(due.rate) and due.mark > 0):
        return None
    stamp_ns = due.settle_ms * 1_000_000
    held = [leg for leg in position.perps if leg.instrument == key]
    qty = sum((leg.qty_before(stamp_ns) for leg in held), Decimal(0))
    if not qty:
        return None
    rate, mark = exact(due.rate), exact(due.mark)
    late = now_ns // 1_000_000 - due.settle_ms > LATE_MS
    with decimal.localcontext(MONEY):
        amount = -qty * mark * rate
    return FundingSettled(
        ts_ns=now_ns,
        pair=position.pair,
        instrument=key,
        settle_ms=due.settle_ms,
        rate=rate,
        mark=mark,
        qty=qty,
        amount=amount,
        late=late,
        source=source,
    )


def started_hours(since_ns: int, now_ns: int) -> int:
    """Clock hours (UTC) that a loan has begun: 10:59:59 to 11:00:00 are two."""
    return now_ns // HOUR_NS - since_ns // HOUR_NS + 1


def interest(
    position: PairPosition, market: Market, settings: Settings, now_ns: int
) -> BorrowCharged | None:
    """Interest due on the coins a pair owes; None when nothing is due, or no price is known yet.

    Several hours that passed unseen are charged together at the present mid.
    """
    leg = position.borrowed
    if leg is None or not leg.qty:
        return None
    hours = started_hours(position.opened_ns, now_ns) - position.borrow_hours
    seen = market.leg(leg.instrument)
    price = mid(seen, seen.instrument) if seen.instrument is not None else None
    if hours <= 0 or price is None:
        return None
    rate = settings.borrow_rate(split_key(leg.instrument)[0])
    with decimal.localcontext(MONEY):
        amount = -leg.qty * price * rate * hours
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
    )
