"""The paper venue: market orders walk the displayed book, one fill a level, at that level's price.

Liquidity memory: what was eaten of a level stays eaten until the venue shows another size there,
so the same coins are not bought twice. Each fill carries a realism grade:

* A  top level, quote under 250 ms old
* B  within five levels, quote under 1 s old
* C  deeper, or an older quote
* D  beyond half of what is displayed, or of a price nobody displayed (a forced close)

A resting order's fill rests on an assumed place in the queue (maker_queue.py): B at best, else C.
"""

import decimal
import math
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from basisdesk.events import MONEY, Fill
from basisdesk.market.state import Leg
from basisdesk.trading.fees import FeeSchedule
from basisdesk.venues.instrument import Instrument

LEVELS = 1000  # as many as any venue shows


class Take(msgspec.Struct, frozen=True):
    """What an order takes of one level. level: 0 is the best; shown: the level's float key."""

    price: Decimal
    qty: Decimal
    level: int
    shown: tuple[float, float]


class Memory:
    """How much of each displayed level our own orders have eaten."""

    def __init__(self, enabled: bool = True) -> None:
        self._enabled = enabled
        self._eaten: dict[tuple[str, str], dict[float, tuple[float, Decimal]]] = {}

    def eaten(self, key: str, side: str, price: float, size: float) -> Decimal:
        """Coins already taken from this level; 0 once its displayed size changed."""
        shown, qty = self._eaten.get((key, side), {}).get(price, (size, Decimal(0)))
        return qty if shown == size else Decimal(0)

    def eat(self, key: str, side: str, takes: Sequence[Take], prices: set[float]) -> None:
        """Remember an order that filled, and of the levels before it those still displayed.

        prices: all that the venue displayed at the fill. Only a fill forgets: looking at a book,
        as a ticket does all the time, must not change what a later order finds.
        """
        if not self._enabled:
            return
        before = self._eaten.get((key, side), {})
        levels = {price: kept for price, kept in before.items() if price in prices}
        self._eaten[key, side] = levels
        for take in takes:
            price, size = take.shown
            levels[price] = (size, self.eaten(key, side, price, size) + take.qty)


class Ladder:
    """One side of a leg's book as exact numbers, less what memory says is eaten.

    Levels are made exact when an order first reaches them: most orders end in the first few. One
    ladder is one moment; the book may move on without it.
    """

    def __init__(self, leg: Leg, side: str, instrument: Instrument, memory: Memory) -> None:
        self.instrument = instrument
        self.side = side
        self._key = leg.key
        self._memory = memory
        self._shown = _displayed(leg, side)
        self._read = 0
        self._rows: list[Take] = []
        self._qtys: list[Decimal] = []  # cumulative, base
        self._costs: list[Decimal] = []  # cumulative, quote

    @property
    def prices(self) -> set[float]:
        """Every price displayed, as the venue's float."""
        return {price for price, _ in self._shown}

    @property
    def depth(self) -> Decimal:
        """Base coin displayed, less what was eaten."""
        self._reach(None)
        return self._qtys[-1] if self._qtys else Decimal(0)

    def cost(self, qty: Decimal) -> Decimal | None:
        """Price times quantity of a market order of `qty`, exact; None beyond what is displayed."""
        at = self._reach(qty)
        if not qty or at == len(self._rows):
            return None if qty else Decimal(0)
        with decimal.localcontext(MONEY):
            before = self._qtys[at - 1] if at else Decimal(0)
            paid = self._costs[at - 1] if at else Decimal(0)
            return paid + (qty - before) * self._rows[at].price

    def walk(self, qty: Decimal) -> list[Take] | None:
        """What a market order of `qty` takes, best price first; None beyond what is displayed."""
        at = self._reach(qty)
        if not qty or at == len(self._rows):
            return None if qty else []
        left = qty - (self._qtys[at - 1] if at else Decimal(0))
        return [*self._rows[:at], msgspec.structs.replace(self._rows[at], qty=left)]

    def fillable(self, qty: Decimal, limit: Decimal | None) -> Decimal:
        """How much of `qty` can be taken at no worse price than `limit`; None: at any price."""
        at = self._reach(qty)
        if limit is None:
            return qty if at < len(self._rows) else (self._qtys[-1] if self._qtys else Decimal(0))
        buys, most = self.side == "buy", Decimal(0)
        for row, total in zip(self._rows, self._qtys, strict=True):
            if row.price > limit if buys else row.price < limit:
                break
            most = total
        return min(qty, most)

    def _reach(self, qty: Decimal | None) -> int:
        """The index of the level that completes `qty`; the number of levels when none does."""
        total = self._qtys[-1] if self._qtys else Decimal(0)
        cost = self._costs[-1] if self._costs else Decimal(0)
        rule, memory, key, side = self.instrument, self._memory, self._key, self.side
        with decimal.localcontext(decimal.Context(prec=64)):
            while self._read < len(self._shown) and (qty is None or total < qty):
                shown = price, size = self._shown[self._read]
                free = rule.size(size) - memory.eaten(key, side, price, size)
                exact_price = rule.price(price)
                if free > 0 and exact_price > 0:  # a price below half a tick is no level
                    row = Take(exact_price, free, self._read, shown)
                    total += free
                    cost += free * row.price
                    self._rows.append(row)
                    self._qtys.append(total)
                    self._costs.append(cost)
                self._read += 1
        return len(self._rows) if qty is None else bisect_left(self._qtys, qty)


def walk(leg: Leg, side: str, qty: Decimal, memory: Memory) -> list[tuple[Decimal, Decimal]] | None:
    """(price, size) of each level a market order takes; None when the display is too thin."""
    if leg.instrument is None:
        return None
    takes = Ladder(leg, side, leg.instrument, memory).walk(qty)
    return None if takes is None else [(take.price, take.qty) for take in takes]


def mid(leg: Leg, instrument: Instrument) -> Decimal | None:
    """The decision mid, exact on the tick grid; None while a side is missing or below a tick."""
    if not (math.isfinite(leg.bid) and math.isfinite(leg.ask)):
        return None
    bid, ask = instrument.price(leg.bid), instrument.price(leg.ask)
    return (bid + ask) / 2 if bid > 0 and ask > 0 else None


def basis_bp(
    reference: Leg,
    other: Leg,
    sides: tuple[str, str],
    qtys: tuple[float, float],
    fx: tuple[float, float] = (1.0, 1.0),
) -> float:
    """Executable basis in bp of trading these sides and sizes now; NaN when the display is short.

    sides: ("buy" or "sell") of the reference and the other leg. fx: account currency per quote
    currency of each. A look, not a trade: floats, and the liquidity memory is left out.
    """
    ref_price = _vwap(reference, sides[0], qtys[0]) * fx[0]
    other_price = _vwap(other, sides[1], qtys[1]) * fx[1]
    return 1e4 * (other_price - ref_price) / ref_price


def make_fills(
    takes: Sequence[Take],
    ladder: Ladder,
    role: str,
    fees: FeeSchedule,
    when: tuple[int, float],
    fx: Decimal = Decimal(1),
) -> list[Fill]:
    """One fill a level. role: "long" or "short". when: (now_ns, age of the quote in ms).

    fx: account currency per quote currency of the leg, as this trade gets it.
    """
    now_ns, age_ms = when
    fills: list[Fill] = []
    done = Decimal(0)
    with decimal.localcontext(MONEY):
        for take in takes:
            done += take.qty
            fee, currency = fees.fee(ladder.instrument, ladder.side, take.qty, take.price)
            grade, why = grade_of(take.level, float(done), float(ladder.depth), age_ms)
            fills.append(
                Fill(
                    ts_ns=now_ns,
                    leg=role,
                    instrument=ladder.instrument.key,
                    side=ladder.side,
                    qty=take.qty,
                    price=take.price,
                    fee=fee,
                    fee_currency=currency,
                    grade=grade,
                    grade_reason=why,
                    fx=fx,
                )
            )
    return fills


def with_dust(fills: list[Fill], dust: Decimal) -> list[Fill]:
    """The same fills with the dust of the order on the last of them.

    A last fill smaller than the dust could not carry it; then the largest one does.
    """
    if not dust or not fills:
        return fills
    at = len(fills) - 1
    if fills[at].qty - fills[at].fee <= dust:
        at = max(range(len(fills)), key=lambda index: fills[index].qty)
    fills[at] = msgspec.structs.replace(fills[at], dust=dust)
    return fills


def with_note(fills: list[Fill], note: str) -> list[Fill]:
    """The same fills, the reasons of their grades telling one thing more, as that of a drill."""
    if not note:
        return fills
    return [
        msgspec.structs.replace(fill, grade_reason=f"{fill.grade_reason}; {note}") for fill in fills
    ]


def grade_of(level: int, done: float, depth: float, age_ms: float) -> tuple[str, str]:
    """(grade, reason) of a fill.

    level: 0 is the best. done: base filled up to and including this level. depth: base displayed.
    """
    at = "top level" if level == 0 else f"level {level + 1}"
    if done > 0.5 * depth:
        return "D", f"{100 * done / depth:.0f} % of the displayed depth"
    if level == 0 and age_ms < 250:
        return "A", f"{at}, quote {age_ms:.0f} ms old"
    if level < 5 and age_ms < 1000:
        return "B", f"{at}, quote {age_ms:.0f} ms old"
    return "C", f"{at}, quote {age_ms:.0f} ms old"


def _displayed(leg: Leg, side: str) -> list[tuple[float, float]]:
    # a book that is not whole shows nothing; without a depth channel it holds the top of book
    return leg.book.levels(side, LEVELS) if leg.book.valid else []


def _vwap(leg: Leg, side: str, qty: float) -> float:
    if qty <= 0:
        return math.nan
    left, cost = qty, 0.0
    for price, size in _displayed(leg, side):
        part = min(left, size)
        cost += price * part
        left -= part
        if left <= 1e-12 * qty:
            return cost / (qty - left)
    return float("nan")
