"""Where a pair's money came from: basis + funding + fees + slippage + borrow + residual, exactly.

Two independent ways lead to the same number, and they are compared in every answer:

* The terms come from the outcomes (quant.md 2.7, carried step by step). Between two outcomes the
  pair holds `long` and `short` base coins, of which h = min(long, short) are hedged. When the mids
  move by dL and dS, the hedged part earns basis, h * (dL - dS), the rest earns residual,
  (long - h) * dL - (short - h) * dS. A fill moves n coins at a price off the decision mid: that is
  slippage. For one entry and one exit the steps telescope into the formula of quant.md; after a
  liquidation, or while a leg is still missing, the naked leg is residual by itself.
* The truth comes from the postings: what the pair's transactions added to the account's assets,
  plus what is still held, valued.

Prices here are in account currency: price times cross rate, at each moment its own. A spot leg is
paid for in account currency, so that is all. A perpetual's profit stands in its quote currency
until it is realised: n * (exit - entry) * fx_exit, where the steps give
n * (exit * fx_exit - entry * fx_entry). The difference, an exposure to the currency that nothing
hedges, is residual: -n * entry * (fx_exit - fx_entry) for a long, 0 where every rate is 1. Money
changed for a spot leg off the middle of the cross rate is slippage.

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
    MarginMoved,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
    Traded,
)
from basisdesk.ledger.posting import Transaction
from basisdesk.ledger.valuation import Price, Worth
from basisdesk.venues.instrument import split_coin, split_key, split_symbol

ZERO = Decimal(0)
VENUE_LOSS = "equity:venue_loss"  # the account of what a venue absorbs of a loss beyond the margin


class Attribution(msgspec.Struct, frozen=True):
    """What one pair earned and why, account currency, costs negative; the terms sum to `total`.

    fees: of all fills, liquidation fee and written-off dust included; what was charged in coins is
    valued at its fill's price. slippage: fills against their decision mids, and what the venue
    absorbed of a loss beyond the margin. residual: the unhedged delta, and what a perpetual's
    currency did.
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
    coin, quote: as the ledger's accounts and the fees call them. realised: profit in account
    currency. drift: the realised part of the currency's own doing, see the module.
    """

    def __init__(self, key: str, sign: int, currency: str = "USDT") -> None:
        self.key = key
        self.coin = coin(key, currency)
        self.quote = quote_of(key, currency)
        self.sign = sign
        self.spot = split_key(key)[1] == "spot"
        self.qty = ZERO
        self.realised = ZERO
        self.drift = ZERO
        self._lots: deque[tuple[Decimal, Worth]] = deque()  # (qty, entry), oldest first

    def copy(self) -> "LegLots":
        """The same lots, free to be changed apart."""
        twin = copy.copy(self)
        twin._lots = self._lots.copy()
        return twin

    def opens(self, fill: Fill) -> bool:
        """Whether this fill adds to the leg: a buy of the long leg, a sale of the short one."""
        return (fill.side == "buy") == (self.sign > 0)

    def in_coins(self, fill: Fill) -> Decimal:
        """The part of a fee that was taken in coins, in coins; 0 where it was taken in money."""
        return ZERO if fill.fee_currency == self.quote else fill.fee

    def moved(self, fill: Fill) -> Decimal:
        """By how much a fill changes the leg, in base coin: net of fee coins and dust."""
        gone = self.in_coins(fill) + fill.dust
        return fill.qty - gone if fill.side == "buy" else fill.qty + gone

    def add(self, qty: Decimal, entry: Worth) -> None:
        """A new lot."""
        self._lots.append((qty, entry))
        self.qty += qty

    def take(self, qty: Decimal, leave: Worth) -> tuple[Decimal, Decimal]:
        """Close `qty` of the oldest lots: (value at entry, profit made), account currency."""
        if qty > self.qty:
            raise RuleError(f"{self.key}: closing {qty} of {self.qty}")
        left, entry, profit = qty, ZERO, ZERO
        while left:
            lot_qty, lot = self._lots.popleft()
            part = min(left, lot_qty)
            entry += part * lot.value
            profit += part * self._profit(lot, leave)
            self.drift += part * self._drift(lot, leave)
            left -= part
            if part < lot_qty:
                self._lots.appendleft((lot_qty - part, lot))
        self.qty -= qty
        self.realised += profit
        return entry, profit

    @property
    def entry_value(self) -> Decimal:
        """What the open lots cost, or brought in, at entry; account currency."""
        return sum((qty * entry.value for qty, entry in self._lots), ZERO)

    def unrealised(self, now: Worth) -> Decimal:
        """Profit of the open lots, account currency."""
        return sum((qty * self._profit(entry, now) for qty, entry in self._lots), ZERO)

    def open_drift(self, now: Worth) -> Decimal:
        """The open lots' part of the currency's own doing."""
        return sum((qty * self._drift(entry, now) for qty, entry in self._lots), ZERO)

    def _profit(self, entry: Worth, now: Worth) -> Decimal:
        if self.spot:
            return self.sign * (now.value - entry.value)
        return self.sign * (now.price - entry.price) * now.fx

    def _drift(self, entry: Worth, now: Worth) -> Decimal:
        return ZERO if self.spot else -self.sign * entry.price * (now.fx - entry.fx)


def figure(amount: Decimal) -> str:
    """An exact amount for a sentence: "5,000", "12.5"; no unit."""
    text = f"{amount:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def coin(key: str, currency: str = "USDT") -> str:
    """The base coin of a leg: "ADA" of "bybit:spot:ADAUSDT", "PEPE" of 1000PEPEUSDT.

    The venue's codec names it the same way, from the same symbol. currency: of the account, for a
    symbol that ends in it and in no currency we know.
    """
    symbol = split_key(key)[2]
    try:
        return split_symbol(key)[0].rstrip("_")
    except ValueError:
        return split_coin(symbol.removesuffix(currency) or symbol)[1]


def quote_of(key: str, currency: str = "USDT") -> str:
    """The quote currency of a leg; the account's where its symbol names none."""
    try:
        return split_symbol(key)[1]
    except ValueError:
        return currency


class PairLots:
    """One pair folded from its outcomes and their transactions. Money in the account currency.

    long_mid, short_mid: mids of the last outcome that had them, with the cross rates of then.
    margin, collateral: what the outcomes say secures the pair, as its position counts it too.
    shortfall: what other money lacked and this pair's margin paid unasked: then less is there than
    `margin` says.
    """

    def __init__(self, opened: PairOpened, currency: str) -> None:
        self.pair = opened.pair
        self.opened_ns = opened.ts_ns
        self.closed_ns: int | None = None
        self.long_mid = Worth(opened.long_mid, opened.long_fx)
        self.short_mid = Worth(opened.short_mid, opened.short_fx)
        self.legs = {
            "long": LegLots(opened.long, 1, currency),
            "short": LegLots(opened.short, -1, currency),
        }
        self.liquidated = False
        self.margin = self.collateral = self.shortfall = ZERO
        self._currency = currency
        self._basis = self._funding = self._fees = self._slippage = ZERO
        self._borrow = self._residual = ZERO
        self._flow = ZERO  # what the postings added to the account's money
        self._coins = {"spot": ZERO, "borrow": ZERO}  # coins by the postings: owned, owed (< 0)
        self._secured = {"margin": ZERO, "collateral": ZERO}  # money by the postings

    def copy(self) -> "PairLots":
        """The same pair, free to be changed apart."""
        twin = copy.copy(self)
        twin.legs = {name: leg.copy() for name, leg in self.legs.items()}
        twin._coins = dict(self._coins)
        twin._secured = dict(self._secured)
        return twin

    @property
    def empty(self) -> bool:
        """Neither leg holds anything, by its lots and by the postings."""
        return not any(leg.qty for leg in self.legs.values()) and not any(self._coins.values())

    @property
    def earned(self) -> Decimal:
        """What a closed pair earned, all costs in it, account currency."""
        return self._flow

    @property
    def one_legged(self) -> bool:
        """One leg holds something, the other nothing, and no forced close explains it."""
        long, short = self.legs["long"].qty, self.legs["short"].qty
        return bool(long) != bool(short) and not self.liquidated

    def fold(self, outcome: Outcome, txns: Iterable[Transaction]) -> None:
        """Take in one outcome of this pair and the transactions made of it."""
        with decimal.localcontext(MONEY):
            self._fold_postings(txns)
            match outcome:
                case PairOpened() | PairAdded() | PairReduced() | Liquidated():
                    long_mid = Worth(outcome.long_mid, outcome.long_fx)
                    short_mid = Worth(outcome.short_mid, outcome.short_fx)
                    basis, residual = self._step(long_mid, short_mid)
                    self._basis += basis
                    self._residual += residual
                    self.long_mid, self.short_mid = long_mid, short_mid
                    for fill in outcome.fills:
                        self._fold_fill(fill)
                    self.liquidated |= isinstance(outcome, Liquidated)
                    self._fold_pledge(outcome)
                case FundingSettled():
                    self._funding += outcome.amount
                    self.margin -= outcome.from_margin
                case BorrowCharged():
                    self._borrow -= outcome.amount
                    self.margin -= outcome.from_margin
                case MarginMoved():
                    self.margin += outcome.amount
                case _:
                    pass

    @property
    def holding(self) -> str:
        """What the legs hold, in words: "long 5,000 ADA, short 0"."""
        sizes = (
            f"{name} {figure(leg.qty)} {leg.coin}" if leg.qty else f"{name} 0"
            for name, leg in self.legs.items()
        )
        return ", ".join(sizes)

    def contradictions(self) -> list[str]:
        """Where the outcomes and the postings made of them disagree, a clause each."""
        said = []
        for leg in self.legs.values():
            coins = self._coins["spot"] if leg.sign > 0 else -self._coins["borrow"]
            if leg.spot and coins != leg.qty:
                said.append(
                    f"{leg.key} is {figure(leg.qty)} {leg.coin} by its fills, "
                    f"{figure(coins)} {leg.coin} by its postings"
                )
        with decimal.localcontext(MONEY):
            short = self.legs["short"]
            locked = short.entry_value if short.spot else ZERO  # proceeds of coins still owed
            collateral = self._secured["collateral"] - locked
            margin = self._secured["margin"] + self.shortfall
        for what, told, there in (
            ("margin", self.margin, margin),
            ("collateral", self.collateral, collateral),
        ):
            if told != there:
                said.append(
                    f"{what} is {figure(told)} {self._currency} by its outcomes, "
                    f"{figure(there)} {self._currency} by its postings"
                )
        return said

    def value(self, long_price: Price, short_price: Price) -> Decimal:
        """What is still held, by postings and perpetual lots, at these prices: an addition to cash.

        Coins count in full (their price was paid), coins owed are a debt, perpetuals count only
        their unrealised profit.
        """
        value = ZERO
        worths = self._worth(long_price, self.long_mid), self._worth(short_price, self.short_mid)
        for leg, worth in zip(self.legs.values(), worths, strict=True):
            if leg.spot:
                value += self._coins["spot" if leg.sign > 0 else "borrow"] * worth.value
            else:
                value += leg.unrealised(worth)
        return value

    def attribution(
        self,
        long_mid: Price | None = None,
        short_mid: Price | None = None,
        long_exit: Price | None = None,
        short_exit: Price | None = None,
    ) -> Attribution:
        """The terms now, for open and closed pairs. Raises RuleError if they miss the truth.

        What is open is valued at these mids; None means the mids of the last outcome. With exit
        prices (volume-weighted prices at which the legs could be closed) it is valued at those
        instead, the distance to the mids being slippage: the close-out profit, before exit fees.
        """
        with decimal.localcontext(MONEY):
            mid_l = self._worth(long_mid, self.long_mid)
            mid_s = self._worth(short_mid, self.short_mid)
            out_l, out_s = self._worth(long_exit, mid_l), self._worth(short_exit, mid_s)
            long, short = self.legs["long"], self.legs["short"]
            basis, residual = self._step(mid_l, mid_s)
            exits = long.qty * (out_l.value - mid_l.value)
            exits += short.qty * (mid_s.value - out_s.value)
            drift = long.drift + short.drift + long.open_drift(out_l) + short.open_drift(out_s)
            open_long, open_short = long.unrealised(out_l), short.unrealised(out_s)
            terms = (
                self._basis + basis,
                self._funding,
                self._fees,
                self._slippage + exits,
                self._borrow,
                self._residual + residual + drift,
            )
            total, truth = sum(terms, ZERO), self._flow + self.value(out_l, out_s)
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

    @staticmethod
    def _worth(given: Price | None, known: Worth) -> Worth:
        """What was given, at the known cross rate where it has none; what is known for None."""
        if given is None:
            return known
        return given if isinstance(given, Worth) else Worth(given, known.fx)

    def _step(self, long_mid: Worth, short_mid: Worth) -> tuple[Decimal, Decimal]:
        """(basis, residual) that the held quantities earn from the last mids to these."""
        long, short = self.legs["long"].qty, self.legs["short"].qty
        hedged = min(long, short)
        up_long = long_mid.value - self.long_mid.value
        up_short = short_mid.value - self.short_mid.value
        return (
            hedged * (up_long - up_short),
            (long - hedged) * up_long - (short - hedged) * up_short,
        )

    def _fold_fill(self, fill: Fill) -> None:
        leg = self.legs[fill.leg]
        mid = self.long_mid if fill.leg == "long" else self.short_mid
        qty, price = leg.moved(fill), Worth(fill.price, fill.fx)
        if leg.opens(fill):
            leg.add(qty, price)
        else:
            leg.take(qty, price)
        better = mid.value - price.value if fill.side == "buy" else price.value - mid.value
        self._slippage += qty * better
        coins = leg.in_coins(fill)
        self._fees -= (coins + fill.dust) * price.value
        self._fees -= ZERO if coins else fill.fee * fill.fx

    def _fold_pledge(self, outcome: Traded) -> None:
        """What secures the pair after fills; nothing more is asked back than there is."""
        if isinstance(outcome, PairOpened | PairAdded):
            self.margin += outcome.margin
            self.collateral += outcome.collateral
        elif outcome.closed:
            self.closed_ns = outcome.ts_ns
            self.margin = self.collateral = self.shortfall = ZERO
        else:
            gone = self.margin if outcome.margin is None else min(outcome.margin, self.margin)
            self.margin -= gone
            if isinstance(outcome, PairReduced):
                self.collateral -= min(outcome.collateral, self.collateral)
            # What was spent unasked and then asked back anyway is settled by that.
            missing = self.margin - self._secured["margin"]
            self.shortfall = max(ZERO, min(self.shortfall, missing))

    def _fold_postings(self, txns: Iterable[Transaction]) -> None:
        for txn in txns:
            spent = txn.cause.endswith(":shortfall")
            for posting in txn.postings:
                kind = posting.account.rsplit(":", 1)[-1]
                if posting.currency == self._currency:
                    if kind in self._secured:
                        self._secured[kind] += posting.amount
                        self.shortfall -= posting.amount if spent else ZERO
                    if posting.account.startswith("assets:"):
                        self._flow += posting.amount
                    elif posting.account == VENUE_LOSS:
                        self._slippage -= posting.amount
                elif kind in self._coins:
                    self._coins[kind] += posting.amount
