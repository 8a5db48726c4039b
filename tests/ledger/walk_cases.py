"""A desk of dice for pairs whose legs come and go alone: positions and books, told the same."""

import decimal
import random
from decimal import ROUND_DOWN, Decimal

from ledger_cases import LOT, PERP, PERP_B, SPOT, TICK, fill, opened, session, take
from leg_cases import ordered

from basisdesk.events import (
    BorrowCharged,
    FundingSettled,
    Liquidated,
    MarginMoved,
    OrderEnded,
    PairAdded,
    PairReduced,
)
from basisdesk.ledger.books import Books
from basisdesk.trading.margin import margin_for, share_of
from basisdesk.trading.positions import Positions

D = Decimal
LEGS = [(SPOT, PERP), (PERP, SPOT), (PERP, PERP_B)]
LEVERAGE = D(2)
STEPS = (
    "add", "add", "heal", "reduce", "reduce", "both", "adl", "liquidate", "settle", "settle",
    "charge", "margin", "withdraw", "late", "late", "open", "open", "order",
)  # fmt: skip


class Walk:
    """Several pairs at once. `step` makes one outcome, or none, and folds it in everywhere."""

    def __init__(self, seed, start="1000000"):
        self.rng = random.Random(seed)
        self.books, self.positions = Books(), Positions("USDT")
        self.log, self.done = [], {}
        self.ts_ns = 1_000
        self.habit = self.rng.choice(["exact", "exact", "eager", "forgetful"])
        self.mids = dict.fromkeys((SPOT, PERP, PERP_B), TICK * 5000)
        self.tell(session(start))

    def tell(self, outcome):
        """Book an outcome and fold it, as the engine does."""
        with decimal.localcontext(prec=64):
            txns = take(self.books, outcome)
            self.positions.apply(outcome)
        name = type(outcome).__name__
        self.done[name] = self.done.get(name, 0) + 1
        self.log.append((outcome, tuple(txns)))
        return txns

    def step(self):
        """One thing that happens; its transactions, or None where nothing could."""
        self.ts_ns += self.rng.randint(1, 10**9)
        for key in self.mids:
            move = TICK * self.rng.randint(-60, 60)
            self.mids[key] = max(10 * TICK, self.mids[key] + move)
        outcome = getattr(self, "_" + self.rng.choice(STEPS))()
        return None if outcome is None else self.tell(outcome)

    # --- what may happen -------------------------------------------------------------------------

    def _open(self):
        if len(self.positions.live()) >= 3:
            return None
        ordered_one = next((p for p in self.positions.live() if p.working), None)
        number = ordered_one.pair if ordered_one else self.positions.next_pair
        legs = (SPOT, PERP) if ordered_one else self.rng.choice(LEGS)
        sizes = self._sizes(LOT * self.rng.randint(100, 9_000))
        fills, margin, collateral = self._entry(legs, sizes)
        mids = tuple(self.mids[key] for key in legs)
        return opened(
            number, fills, mids, legs=legs, margin=margin, collateral=collateral, ts_ns=self.ts_ns
        )

    def _order(self):
        if any(p.working for p in self.positions.live()) or len(self.positions.live()) >= 3:
            return OrderEnded(self.ts_ns, one.pair, "withdrawn") if (one := self._one()) else None
        return ordered(self.positions.next_pair, ts_ns=self.ts_ns)

    def _add(self):
        one = self._held()
        return None if one is None else self._added(one, self._sizes(LOT * 500))

    def _heal(self):
        """The missing quantity of the smaller leg, all of it or a part."""
        one = self._held()
        if one is None or not one.delta:
            return None
        missing = "short" if one.delta > 0 else "long"
        sizes = {"long": D(0), "short": D(0)}
        lots = int(abs(one.delta) / LOT)
        sizes[missing] = LOT * self.rng.choice([lots, max(1, lots // 2)])
        return self._added(one, sizes)

    def _reduce(self):
        """One leg, in part or in whole."""
        one = self._held()
        if one is None:
            return None
        leg = self.rng.choice([leg for leg in one.legs if leg.qty])
        return self._left(one, {leg.role: self._part(abs(leg.qty))}, self.rng.random() < 0.3)

    def _both(self):
        """Both legs together, in part or in whole."""
        one = self._held()
        if one is None:
            return None
        share = self.rng.choice([D(1), D("0.25"), D("0.6")])
        parts = {leg.role: (abs(leg.qty) * share // LOT) * LOT for leg in one.legs}
        parts = {role: part for role, part in parts.items() if part}
        return self._left(one, parts, False) if parts else None

    def _adl(self):
        return self._forced("adl")

    def _liquidate(self):
        return self._forced("liquidation")

    def _settle(self):
        one = self._held()
        return None if one is None else self._payment(one)

    def _late(self):
        """A settlement before the exit that is heard of after it."""
        closed = [p for p in self.positions.pairs.values() if p.state == "closed"]
        return self._payment(self.rng.choice(closed)) if closed else None

    def _charge(self):
        one = self._held()
        if one is None or one.borrowed is None or not one.borrowed.qty:
            return None
        qty, price, rate = -one.borrowed.qty, self.mids[SPOT], D("0.00000150")
        amount = qty * price * rate
        lent = self._lent(amount, one.perps[-1].margin)
        return BorrowCharged(
            self.ts_ns, one.pair, SPOT, 1, rate, qty, price, amount, from_margin=lent
        )

    def _margin(self):
        one = self._secured()
        amount = D(self.rng.randint(1, 5_000)) / 100
        return None if one is None else MarginMoved(self.ts_ns, one.pair, amount)

    def _withdraw(self):
        one = self._secured()
        spare = sum((max(D(0), perp.added) for perp in one.perps), D(0)) if one else D(0)
        part = (spare * D(self.rng.choice([1, 2])) / 2).quantize(D("1E-8"), ROUND_DOWN)
        return MarginMoved(self.ts_ns, one.pair, -part) if part else None

    # --- how it is told --------------------------------------------------------------------------

    def _one(self):
        live = [p for p in self.positions.live() if p.working]
        return self.rng.choice(live) if live else None

    def _held(self):
        live = [p for p in self.positions.live() if not p.working]
        return self.rng.choice(live) if live else None

    def _secured(self):
        """A pair that holds a perpetual."""
        one = self._held()
        return one if one is not None and any(perp.qty for perp in one.perps) else None

    def _sizes(self, qty):
        """Both legs, one short of the other, or one alone."""
        part = LOT * self.rng.randint(1, int(qty / LOT))
        pairs = [(qty, qty), (qty, qty), (qty, part), (part, qty), (qty, D(0)), (D(0), qty)]
        return dict(zip(("long", "short"), self.rng.choice(pairs), strict=True))

    def _part(self, size):
        lots = int(size / LOT)
        return size if lots < 2 or self.rng.random() < 0.4 else LOT * self.rng.randint(1, lots - 1)

    def _fills(self, leg, key, side, qty):
        off = TICK * self.rng.randint(0, 4) * (1 if side == "buy" else -1)
        cut = LOT * self.rng.randint(0, int(qty / LOT))
        return [
            fill(leg, key, side, part, self.mids[key] + off * (n + 1), ts_ns=self.ts_ns)
            for n, part in enumerate((cut, qty - cut))
            if part
        ]

    def _entry(self, legs, sizes):
        """(fills, margin, collateral) of an entry."""
        fills, margin, collateral = [], D(0), D(0)
        for leg, key, side in zip(("long", "short"), legs, ("buy", "sell"), strict=True):
            if not sizes[leg]:
                continue
            made = self._fills(leg, key, side, sizes[leg])
            fills += made
            value = sum((one.qty * one.price for one in made), D(0))
            if ":perp:" in key:
                margin += margin_for(value, LEVERAGE)
            elif leg == "short":
                collateral += (value / 10).quantize(D("0.01"))
        return fills, margin, collateral

    def _added(self, one, sizes):
        legs = (one.long.instrument, one.short.instrument)
        fills, margin, collateral = self._entry(legs, sizes)
        return PairAdded(
            self.ts_ns, one.pair, "hedge", tuple(fills), self.mids[legs[0]], self.mids[legs[1]],
            margin, collateral,
        )  # fmt: skip

    def _left(self, one, parts, alone):
        fills, margin, collateral = [], D(0), D(0)
        for leg in one.legs:
            part, size = parts.get(leg.role, D(0)), abs(leg.qty)
            if not part:
                continue
            side = "sell" if leg.role == "long" else "buy"
            fills += self._fills(leg.role, leg.instrument, side, part)
            if leg.market == "perp":
                margin += share_of(leg.margin, part, size)
            elif leg.role == "short":
                collateral = share_of(one.collateral, part, size)
        closed = all(parts.get(leg.role, D(0)) == abs(leg.qty) for leg in one.legs)
        if closed:
            margin, collateral = one.margin, one.collateral
        mids = self.mids[one.long.instrument], self.mids[one.short.instrument]
        return PairReduced(
            self.ts_ns, one.pair, D("0.5"), "user", tuple(fills), *mids, margin, collateral,
            closed, alone=alone and not closed,
        )  # fmt: skip

    def _forced(self, cause):
        one = self._secured()
        if one is None:
            return None
        leg = self.rng.choice([perp for perp in one.perps if perp.qty])
        size = abs(leg.qty)
        part = self._part(size) if cause == "adl" else size
        side = "sell" if leg.role == "long" else "buy"
        made = self._fills(leg.role, leg.instrument, side, part)
        if cause == "adl":
            made = [self._free(one_fill) for one_fill in made]
        other = one.short if leg is one.long else one.long
        mids = self.mids[one.long.instrument], self.mids[one.short.instrument]
        return Liquidated(
            self.ts_ns, one.pair, leg.instrument, made[0].price, made[0].price, tuple(made),
            *mids, part == size and not other.qty, margin=share_of(leg.margin, part, size),
            cause=cause,
        )  # fmt: skip

    @staticmethod
    def _free(one):
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        return type(one)(**{**fields, "fee": D(0)})

    def _payment(self, one):
        leg = self.rng.choice(one.perps)
        qty = leg.qty or D(-100)
        rate = D(self.rng.randint(-75, 75)) / 10_000
        mark = self.mids[leg.instrument]
        amount = -qty * mark * rate
        lent = self._lent(-amount, leg.margin)
        return FundingSettled(
            self.ts_ns, one.pair, leg.instrument, self.ts_ns, rate, mark, qty, amount,
            from_margin=lent,
        )  # fmt: skip

    def _lent(self, cost, margin):
        """The part of a payment that margin covers: what cash lacks.

        An eager desk takes some of it from margin anyway, a forgetful one leaves it to the ledger.
        """
        if cost <= 0 or self.habit == "forgetful":
            return D(0)
        free = self.books.balance("assets:cash")
        lacks = max(D(0), cost - free)
        if self.habit == "eager":
            lacks = max(lacks, (cost / 3).quantize(D("1E-8"), ROUND_DOWN))
        return min(lacks, margin)
