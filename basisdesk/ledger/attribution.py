"""Where a pair's money came from: basis + funding + fees + slippage + borrow + residual, exactly.

Two independent ways lead to the same number, and they are compared in every answer:

* The terms come from the outcomes (quant.md 2.7, carried step by step). Between two outcomes the
  pair holds `long` and `short` base coins, of which h = min(long, short) are hedged. When the mids
  move by dL and dS, the hedged part earns basis, h * (dL - dS), the rest earns residual,
  (long - h) * dL - (short - h) * dS. A fill moves n coins at a price off the decision mid: that is
  slippage. For one entry and one exit the steps telescope into the formula of quant.md; after a
  liquidation the naked leg is residual by itself.
* The truth comes from the postings: what the pair's transactions added to the account's assets,
  plus what is still held, valued.

Every term is signed as it acts on the account: costs are negative, and their sum is the total.
"""

import copy
import decimal
from collections import deque
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from basisdesk.errors import RuleError
from basisdesk.events import (
    MONEY,
    BorrowCharged,
    Fill,
    FundingSettled,
    Liquidated,
    Outcome,
    PairOpened,
    PairReduced,
)
from basisdesk.ledger.posting import Transaction
from basisdesk.venues.instrument import split_coin, split_key

ZERO = Decimal(0)
_QUOTES = ("USDT", "USDC", "USD")
VENUE_LOSS = "equity:venue_loss"  # the account of what a venue absorbs of a loss beyond the margin


class Attribution(msgspec.Struct, frozen=True):
    """What one pair earned and why, account currency, costs negative; the terms sum to `total`.

    fees: of all fills, liquidation fee and written-off dust included; what was charged in coins is
    valued at its fill's price. slippage: fills against their decision mids, and what the venue
    absorbed of a loss beyond the margin. residual: the unhedged delta.
    truth: the same total from the postings; equal or this struct does not exist.
    long_gross, short_gross: price profit of each leg by FIFO lots, before fees.
    unrealised: the part of the two that is not closed yet.
    """

    basis: Decimal
    funding: Decimal
    fees: Decimal
    slippage: Decimal
    borrow: Decimal
    residual: Decimal
    total: Decimal
    truth: Decimal
    long_gross: Decimal = ZERO
    short_gross: Decimal = ZERO
    unrealised: Decimal = ZERO


class LegLots:
    """FIFO lots of one leg. Quantities are what is owned, owed or held, in base coin, positive.

    sign: +1 for the long leg, -1 for the short leg. spot: a spot market, else a perpetual.
    coin: the base coin, as the ledger's accounts and the fees taken in coins call it.
    """

    def __init__(self, key: str, sign: int, currency: str = "USDT") -> None:
        self.key = key
        self.coin = coin(key, currency)
        self.sign = sign
        self.spot = split_key(key)[1] == "spot"
        self.qty = ZERO
        self.realised = ZERO
        self._lots: deque[tuple[Decimal, Decimal]] = deque()  # (qty, price), oldest first

    def copy(self) -> "LegLots":
        """The same lots, free to be changed apart."""
        twin = copy.copy(self)
        twin._lots = self._lots.copy()
        return twin

    def opens(self, fill: Fill) -> bool:
        """Whether this fill adds to the leg: a buy of the long leg, a sale of the short one."""
        return (fill.side == "buy") == (self.sign > 0)

    def add(self, qty: Decimal, price: Decimal) -> None:
        """A new lot."""
        self._lots.append((qty, price))
        self.qty += qty

    def take(self, qty: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
        """Close `qty` of the oldest lots at `price`: (their value at entry, the profit made)."""
        if qty > self.qty:
            raise RuleError(f"{self.key}: closing {qty} of {self.qty}")
        left, entry = qty, ZERO
        while left:
            lot_qty, lot_price = self._lots.popleft()
            part = min(left, lot_qty)
            entry += part * lot_price
            left -= part
            if part < lot_qty:
                self._lots.appendleft((lot_qty - part, lot_price))
        profit = self.sign * (qty * price - entry)
        self.qty -= qty
        self.realised += profit
        return entry, profit

    @property
    def entry_value(self) -> Decimal:
        """What the open lots cost, or brought in, at entry."""
        return sum((qty * price for qty, price in self._lots), ZERO)

    def unrealised(self, price: Decimal) -> Decimal:
        """Profit of the open lots at this price."""
        return self.sign * sum((q * (price - entry) for q, entry in self._lots), ZERO)


def coin(key: str, currency: str = "USDT") -> str:
    """The base coin of a spot leg: "ADA" of "bybit:spot:ADAUSDT", "PEPE" of 1000PEPEUSDT.

    The venue's codec names it the same way, from the same symbol. currency: of the account.
    """
    symbol = split_key(key)[2]
    for mark in "/-_":
        if mark in symbol:
            return split_coin(symbol.partition(mark)[0])[1]
    ends = (end for end in (currency, *_QUOTES) if symbol.endswith(end) and symbol != end)
    return split_coin(symbol.removesuffix(next(ends, "")))[1]


def base_fee(fill: Fill, currency: str) -> Decimal:
    """The part of the fee that was taken in coins, in coins; 0 where it was taken in money."""
    return ZERO if fill.fee_currency == currency else fill.fee


def moved_qty(fill: Fill, currency: str) -> Decimal:
    """By how much a fill changes its leg, in base coin: net of fee coins and written-off dust."""
    gone = base_fee(fill, currency) + fill.dust
    return fill.qty - gone if fill.side == "buy" else fill.qty + gone


class PairLots:
    """One pair folded from its outcomes and their transactions. Money in the account currency."""

    def __init__(self, opened: PairOpened, currency: str) -> None:
        self.pair = opened.pair
        self.opened_ns = opened.ts_ns
        self.closed_ns: int | None = None
        self.long_mid = opened.long_mid  # mids of the last outcome that had them
        self.short_mid = opened.short_mid
        self.legs = {
            "long": LegLots(opened.long, 1, currency),
            "short": LegLots(opened.short, -1, currency),
        }
        self.liquidated = False
        self._currency = currency
        self._basis = self._funding = self._fees = self._slippage = ZERO
        self._borrow = self._residual = ZERO
        self._flow = ZERO  # what the postings added to the account's money
        self._coins = {"spot": ZERO, "borrow": ZERO}  # coins by the postings: owned, owed (< 0)

    def copy(self) -> "PairLots":
        """The same pair, free to be changed apart."""
        twin = copy.copy(self)
        twin.legs = {name: leg.copy() for name, leg in self.legs.items()}
        twin._coins = dict(self._coins)
        return twin

    @property
    def empty(self) -> bool:
        """Neither leg holds anything, by its lots and by the postings."""
        return not any(leg.qty for leg in self.legs.values()) and not any(self._coins.values())

    @property
    def one_legged(self) -> bool:
        """One leg holds something, the other nothing, and no liquidation explains it."""
        long, short = self.legs["long"].qty, self.legs["short"].qty
        return bool(long) != bool(short) and not self.liquidated

    def fold(self, outcome: Outcome, txns: Iterable[Transaction]) -> None:
        """Take in one outcome of this pair and the transactions made of it."""
        with decimal.localcontext(MONEY):
            self._fold_postings(txns)
            match outcome:
                case PairOpened() | PairReduced() | Liquidated():
                    basis, residual = self._step(outcome.long_mid, outcome.short_mid)
                    self._basis += basis
                    self._residual += residual
                    self.long_mid, self.short_mid = outcome.long_mid, outcome.short_mid
                    for fill in outcome.fills:
                        self._fold_fill(fill)
                    self.liquidated |= isinstance(outcome, Liquidated)
                    if not isinstance(outcome, PairOpened) and outcome.closed:
                        self.closed_ns = outcome.ts_ns
                case FundingSettled():
                    self._funding += outcome.amount
                case BorrowCharged():
                    self._borrow -= outcome.amount
                case _:
                    pass

    def value(self, long_price: Decimal, short_price: Decimal) -> Decimal:
        """What is still held, by postings and perpetual lots, at these prices: an addition to cash.

        Coins count in full (their price was paid), coins owed are a debt, perpetuals count only
        their unrealised profit.
        """
        value = ZERO
        for leg, price in ((self.legs["long"], long_price), (self.legs["short"], short_price)):
            if leg.spot:
                value += self._coins["spot" if leg.sign > 0 else "borrow"] * price
            else:
                value += leg.unrealised(price)
        return value

    def attribution(
        self,
        long_mid: Decimal | None = None,
        short_mid: Decimal | None = None,
        long_exit: Decimal | None = None,
        short_exit: Decimal | None = None,
    ) -> Attribution:
        """The terms now, for open and closed pairs. Raises RuleError if they miss the truth.

        What is open is valued at these mids; None means the mids of the last outcome. With exit
        prices (volume-weighted prices at which the legs could be closed) it is valued at those
        instead, the distance to the mids being slippage: the close-out profit, before exit fees.
        """
        with decimal.localcontext(MONEY):
            long_mid = self.long_mid if long_mid is None else long_mid
            short_mid = self.short_mid if short_mid is None else short_mid
            long_exit = long_mid if long_exit is None else long_exit
            short_exit = short_mid if short_exit is None else short_exit
            long, short = self.legs["long"], self.legs["short"]
            basis, residual = self._step(long_mid, short_mid)
            exits = long.qty * (long_exit - long_mid) + short.qty * (short_mid - short_exit)
            open_long, open_short = long.unrealised(long_exit), short.unrealised(short_exit)
            terms = (
                self._basis + basis,
                self._funding,
                self._fees,
                self._slippage + exits,
                self._borrow,
                self._residual + residual,
            )
            total, truth = sum(terms, ZERO), self._flow + self.value(long_exit, short_exit)
            if total != truth:
                raise RuleError(f"pair {self.pair}: terms give {total}, postings give {truth}")
            return Attribution(
                *terms,
                total,
                truth,
                long.realised + open_long,
                short.realised + open_short,
                open_long + open_short,
            )

    def _step(self, long_mid: Decimal, short_mid: Decimal) -> tuple[Decimal, Decimal]:
        """(basis, residual) that the held quantities earn from the last mids to these."""
        long, short = self.legs["long"].qty, self.legs["short"].qty
        hedged = min(long, short)
        up_long, up_short = long_mid - self.long_mid, short_mid - self.short_mid
        return (
            hedged * (up_long - up_short),
            (long - hedged) * up_long - (short - hedged) * up_short,
        )

    def _fold_fill(self, fill: Fill) -> None:
        leg = self.legs[fill.leg]
        mid = self.long_mid if fill.leg == "long" else self.short_mid
        qty = moved_qty(fill, self._currency)
        if leg.opens(fill):
            leg.add(qty, fill.price)
        else:
            leg.take(qty, fill.price)
        better = mid - fill.price if fill.side == "buy" else fill.price - mid
        self._slippage += qty * better
        coins = base_fee(fill, self._currency)
        self._fees -= (coins + fill.dust) * fill.price + (ZERO if coins else fill.fee)

    def _fold_postings(self, txns: Iterable[Transaction]) -> None:
        for txn in txns:
            for posting in txn.postings:
                kind = posting.account.rsplit(":", 1)[-1]
                if posting.currency == self._currency:
                    if posting.account.startswith("assets:"):
                        self._flow += posting.amount
                    elif posting.account == VENUE_LOSS:
                        self._slippage -= posting.amount
                elif kind in self._coins:
                    self._coins[kind] += posting.amount
