"""A desk of dice: makes up outcomes that are consistent, so that tests need no trading room."""

import itertools
import random
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from basisdesk.events import (
    BorrowCharged,
    ExitPlan,
    Fill,
    FundingSettled,
    Liquidated,
    MarginMoved,
    PairOpened,
    PairReduced,
    PlanChanged,
    Refused,
    RiskChanged,
    SessionStarted,
)
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions

D = Decimal
SPOT, PERP, PERP_B = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP"
LOT, TICK = D("0.1"), D("0.0001")
SPOT_FEE, PERP_FEE = D("0.001"), D("0.00055")


def session(start="10000", ts_ns=1):
    return SessionStarted(ts_ns, "s1", "demo", "0.1", "USDT", D(start))


def take(books, *outcomes):
    """Book outcomes as the engine does; all their transactions."""
    made = []
    for outcome in outcomes:
        txns = transactions(outcome, books)
        books.apply(outcome, txns)
        made += txns
    return made


def fill(leg, key, side, qty, price, *, rate=None, base=False, dust="0", ts_ns=5):
    qty, price = D(qty), D(price)
    rate = (SPOT_FEE if ":spot:" in key else PERP_FEE) if rate is None else D(rate)
    fee = qty * rate if base else qty * price * rate
    return Fill(ts_ns, leg, key, side, qty, price, fee, "ADA" if base else "USDT", dust=D(dust))


def opened(pair, fills, mids, *, legs=(SPOT, PERP), margin="0", collateral="0", ts_ns=5):
    return PairOpened(
        ts_ns, pair, *legs, D(1000), D(2), ExitPlan(), "by hand", tuple(fills),
        D(mids[0]), D(mids[1]), D(margin), D(collateral),
    )  # fmt: skip


def reduced(pair, fills, mids, *, margin="0", collateral="0", closed=True, ts_ns=9):
    return PairReduced(
        ts_ns, pair, D("0.5"), "by hand", tuple(fills),
        D(mids[0]), D(mids[1]), D(margin), D(collateral), closed,
    )  # fmt: skip


def ada_example():
    """The worked example of the founding note, every fill at its decision mid."""
    return (
        opened(
            1,
            [
                fill("long", SPOT, "buy", 10_000, "0.3640"),
                fill("short", PERP, "sell", 10_000, "0.3665"),
            ],
            ("0.3640", "0.3665"),
            margin="1832.5",
        ),
        reduced(
            1,
            [
                fill("long", SPOT, "sell", 10_000, "0.3650"),
                fill("short", PERP, "buy", 10_000, "0.3651"),
            ],
            ("0.3650", "0.3651"),
            margin="1832.5",
        ),
    )


class Dice:
    """Random but consistent pair trades, one after the other. `base`: spot buys pay in coins."""

    def __init__(self, seed, *, still=False):
        self.rng = random.Random(seed)
        self.pair = 0
        self.ts_ns = 1_000
        self.still = still  # no price ever moves, nothing but open and close happens

    def trade(self):
        """The outcomes of one pair from open to close, in order."""
        self.pair += 1
        rng = self.rng
        self.legs = rng.choice([(SPOT, PERP), (PERP, SPOT), (PERP, PERP_B)])
        self.base = rng.random() < 0.5
        self.mid = {"long": self._price(), "short": D(0)}
        self.mid["short"] = self.mid["long"] + TICK / 2 * rng.randint(-40, 40)
        self.held = {"long": D(0), "short": D(0)}
        self.margin = self.collateral = D(0)
        outcomes = [self._open()]
        for _ in range(rng.choice([0, 0, 1, 2])):
            self._move()
            outcomes.append(rng.choice([self._funding, self._borrow, self._add, self._part])())
        self._move()
        if not self.still and rng.random() < 0.15:
            outcomes.append(self._liquidate())
            self._move()
        outcomes.append(self._close())
        return [outcome for outcome in outcomes if outcome]

    def _now(self):
        self.ts_ns += self.rng.randint(1, 10**9)
        return self.ts_ns

    def _price(self):
        return TICK * self.rng.randint(1_000, 90_000)

    def _move(self):
        if not self.still:
            for leg in self.mid:
                self.mid[leg] = max(TICK, self.mid[leg] + TICK / 2 * self.rng.randint(-300, 300))

    def _split(self, qty):
        lots = int(qty / LOT)
        cuts = sorted(self.rng.randint(1, lots) for _ in range(self.rng.randint(0, 2)))
        ends = [0, *cuts, lots]
        return [LOT * (b - a) for a, b in itertools.pairwise(ends) if b > a]

    def _fills(self, leg, side, qty):
        """Fills that change the leg by exactly `qty`, whatever the fee is taken in."""
        key = self.legs[0 if leg == "long" else 1]
        base = self.base and ":spot:" in key and side == "buy"
        fills = []
        for part in self._split(qty):
            off = TICK * self.rng.randint(0, 5) * (1 if side == "buy" else -1)
            price = max(TICK, self.mid[leg] + off)
            dust = D(0)
            gross = part
            if base:
                gross = (part / (1 - SPOT_FEE)).quantize(LOT, ROUND_CEILING)
                dust = gross * (1 - SPOT_FEE) - part
            fills.append(
                fill(leg, key, side, gross, price, base=base, dust=dust, ts_ns=self._now())
            )
        return fills

    def _open(self):
        qty = LOT * self.rng.randint(20, 50_000)
        other = max(LOT, qty + LOT * self.rng.choice([0, 0, 0, -3, 2]))
        self.held = {"long": qty, "short": other}
        fills = self._fills("long", "buy", qty) + self._fills("short", "sell", other)
        self.margin = (qty * self.mid["long"] / 3).quantize(D("0.01"))
        if ":spot:" in self.legs[1]:
            self.collateral = (qty * self.mid["long"] / 10).quantize(D("0.01"))
        return opened(
            self.pair, fills, (self.mid["long"], self.mid["short"]), legs=self.legs,
            margin=self.margin, collateral=self.collateral, ts_ns=self._now(),
        )  # fmt: skip

    def _reduce(self, parts, margin, collateral, closed):
        fills = []
        if parts["long"]:
            fills += self._fills("long", "sell", parts["long"])
        if parts["short"]:
            fills += self._fills("short", "buy", parts["short"])
        for leg, part in parts.items():
            self.held[leg] -= part
        return reduced(
            self.pair, fills, (self.mid["long"], self.mid["short"]),
            margin=margin, collateral=collateral, closed=closed, ts_ns=self._now(),
        )  # fmt: skip

    def _part(self):
        share = D(self.rng.randint(1, 90)) / 100
        parts = {k: (q * share).quantize(LOT, ROUND_FLOOR) for k, q in self.held.items()}
        if not all(parts.values()) or any(parts[k] >= self.held[k] for k in parts):
            return None
        margin = (self.margin * share).quantize(D("0.01"), ROUND_FLOOR)
        collateral = (self.collateral * share).quantize(D("0.01"), ROUND_FLOOR)
        self.margin -= margin
        self.collateral -= collateral
        return self._reduce(parts, margin, collateral, closed=False)

    def _close(self):
        return self._reduce(dict(self.held), self.margin, self.collateral, closed=True)

    def _funding(self):
        if self.still:
            return None
        mark, rate = self.mid["short"], D(self.rng.randint(-75, 75)) / 10_000
        qty = -self.held["short"]
        amount = -qty * mark * rate
        return FundingSettled(
            self._now(), self.pair, PERP, self.ts_ns // 10**6, rate, mark, qty, amount
        )

    def _borrow(self):
        if ":spot:" not in self.legs[1]:
            return None
        rate, price, qty = D("0.000001502122"), self.mid["short"], self.held["short"]
        return BorrowCharged(self._now(), self.pair, SPOT, 1, rate, qty, price, qty * rate * price)

    def _add(self):
        amount = D(self.rng.randint(1, 5_000)) / 100
        self.margin += amount
        return MarginMoved(self._now(), self.pair, amount)

    def _liquidate(self):
        leg = "long" if ":perp:" in self.legs[0] else "short"
        other = "short" if leg == "long" else "long"
        if ":perp:" in (self.legs[0] if other == "long" else self.legs[1]):
            return None  # two perpetuals on one margin: no rule of liquidation in the desk yet
        down = D("0.6") if leg == "long" else D("1.5")
        self.mid = {k: (m * down).quantize(TICK) + TICK for k, m in self.mid.items()}
        fills = self._fills(leg, "sell" if leg == "long" else "buy", self.held[leg])
        self.held[leg] = D(0)
        self.margin = D(0)
        return Liquidated(
            self._now(), self.pair, self.legs[0 if leg == "long" else 1], self.mid[leg],
            self.mid[leg], tuple(fills), self.mid["long"], self.mid["short"], False,
        )  # fmt: skip


def traded(count, seed=7, start="1000000"):
    """Books after `count` random trades, and all outcomes with their transactions."""
    dice, books = Dice(seed), Books()
    outcomes = [session(start)]
    for _ in range(count):
        outcomes += dice.trade()
    return books, [(outcome, tuple(take(books, outcome))) for outcome in outcomes]


def every_kind():
    """One outcome of each kind, in an order that can happen."""
    entry, out = ada_example()
    return [
        session("10000"),
        RiskChanged(2, "active", ""),
        Refused(3, "qty_min", "0.05", "0.1", "Below the smallest lot − see the ticket."),
        entry,
        PlanChanged(6, 1, ExitPlan(D("3"), None, D("72.5"))),
        MarginMoved(7, 1, D("12.50")),
        FundingSettled(
            8, 1, PERP, 8, D("0.0001"), D("0.36610"), D(-10_000), D("0.36610"), late=True
        ),
        BorrowCharged(8, 1, SPOT, 1, D("1E-7"), D(10), D("0.364"), D("0.000000364")),
        out,
        _liquidated_pair(),
        Liquidated(
            12, 2, PERP, D("0.55"), D("0.55"), (fill("short", PERP, "buy", 100, "0.55"),),
            D("0.55"), D("0.55"), False,
        ),
        session("777", ts_ns=13),
    ]  # fmt: skip


def _liquidated_pair():
    fills = [
        fill("long", SPOT, "buy", "100.2", "0.36", base=True, dust="0.0998"),
        fill("short", PERP, "sell", 100, "0.36"),
    ]
    return opened(2, fills, ("0.36", "0.36"), margin="18", ts_ns=11)
