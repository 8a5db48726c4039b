"""Legs in dollars that are not the account's: every digit still adds up."""

import decimal
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import LOT, TICK, fill, opened, reduced, session, take
from msgspec.structs import replace

from basisdesk.errors import RuleError
from basisdesk.events import MONEY, BorrowCharged, FundingSettled, Liquidated
from basisdesk.ledger.attribution import VENUE_LOSS, quote_of
from basisdesk.ledger.books import Books
from basisdesk.ledger.posting import residual
from basisdesk.ledger.rules import transactions
from basisdesk.ledger.valuation import Worth

D = Decimal
USD_SPOT, USD_PERP = "kraken:spot:ADA/USD", "kraken:perp:PF_ADAUSD"
PERP, USDC_PERP, OKX_PERP = "bybit:perp:ADAUSDT", "bybit:perp:ADAPERP", "okx:perp:ADA-USDT-SWAP"
PAIRS = [
    (USD_SPOT, PERP),
    (USD_SPOT, USD_PERP),
    ("bybit:spot:ADAUSDT", USD_PERP),
    (PERP, USD_SPOT),
    (USD_PERP, USD_SPOT),
    (USD_PERP, OKX_PERP),
    (USDC_PERP, USD_PERP),
]


def in_own_money(one, fx):
    """The fill with its fee in its leg's currency and the rate it was paid at."""
    currency = one.fee_currency if one.fee_currency == "ADA" else quote_of(one.instrument)
    return replace(one, fee_currency=currency, fx=D(fx))


def terms(got):
    return (got.basis, got.funding, got.fees, got.slippage, got.borrow, got.residual)


class Story:
    """One pair in random currencies, told by hypothesis' own draws."""

    def __init__(self, draw):
        self.draw = draw
        self.legs = draw(st.sampled_from(PAIRS))
        self.fx = {"USDT": D(1), "USD": D(1), "USDC": D(1)}
        self.mid = {"long": TICK * draw(st.integers(2_000, 90_000)), "short": D(0)}
        self.mid["short"] = self.mid["long"]
        self.held = {"long": D(0), "short": D(0)}
        self.margins = {"long": D(0), "short": D(0)}
        self.collateral = D(0)
        self.dead = False
        self.ts_ns = 10
        self.move()

    def move(self):
        """Prices and cross rates walk on."""
        for leg in self.mid:
            step = TICK / 2 * self.draw(st.integers(-300, 300))
            self.mid[leg] = max(TICK, self.mid[leg] + step)
        for currency in ("USD", "USDC"):
            step = self.draw(st.integers(-2_000_000, 2_000_000))
            self.fx[currency] = max(D("0.5"), self.fx[currency] + D(step).scaleb(-8))
        self.ts_ns += 10

    def key(self, leg):
        return self.legs[leg == "short"]

    def is_spot(self, leg):
        return ":spot:" in self.key(leg)

    def rate(self, leg, side=""):
        """The middle of the cross rate; of a spot trade, one side of it."""
        middle = self.fx[quote_of(self.key(leg))]
        if middle == 1 or not side or not self.is_spot(leg):
            return middle
        return middle + D("0.00004") * (1 if side == "buy" else -1)

    def fills(self, leg, side, qty):
        cut = LOT * self.draw(st.integers(0, int(qty / LOT)))
        made = []
        for part in (cut, qty - cut):
            if not part:
                continue
            off = TICK * self.draw(st.integers(0, 5)) * (1 if side == "buy" else -1)
            price = max(TICK, self.mid[leg] + off)
            one = fill(leg, self.key(leg), side, part, price, ts_ns=self.ts_ns)
            made.append(in_own_money(one, self.rate(leg, side)))
        return made

    def rates(self):
        return {"long_fx": self.rate("long"), "short_fx": self.rate("short")}

    def open(self):
        qty = LOT * self.draw(st.integers(20, 50_000))
        other = max(LOT, qty + LOT * self.draw(st.integers(-3, 3)))
        self.held = {"long": qty, "short": other}
        for leg, size in self.held.items():
            if not self.is_spot(leg):
                value = size * self.mid[leg] * self.rate(leg)
                self.margins[leg] = value * D("0.25")
        if self.is_spot("short"):
            self.collateral = D("12.5")
        made = self.fills("long", "buy", qty) + self.fills("short", "sell", other)
        mids = self.mid["long"], self.mid["short"]
        margin = sum(self.margins.values())
        outcome = opened(
            1, made, mids, legs=self.legs, margin=margin, collateral=self.collateral,
            ts_ns=self.ts_ns,
        )  # fmt: skip
        return replace(outcome, **self.rates())

    def leave(self, share):
        parts = {leg: size * share // LOT * LOT for leg, size in self.held.items()}
        if share == 1:
            parts = dict(self.held)
        elif not all(parts.values()):
            return None
        made = []
        for leg, side in (("long", "sell"), ("short", "buy")):
            made += self.fills(leg, side, parts[leg]) if parts[leg] else []
            self.held[leg] -= parts[leg]
        back = {leg: margin if share == 1 else D(0) for leg, margin in self.margins.items()}
        mids = self.mid["long"], self.mid["short"]
        outcome = reduced(
            1, made, mids, margin=sum(back.values()), collateral=self.collateral * (share == 1),
            closed=share == 1, ts_ns=self.ts_ns,
        )  # fmt: skip
        return replace(outcome, **self.rates())

    def pay(self):
        leg = self.draw(st.sampled_from([name for name in self.mid if not self.is_spot(name)]))
        qty = self.held[leg] * (1 if leg == "long" else -1)
        rate, share = D(self.draw(st.integers(-75, 75))) / 10_000, D("0.123456789")
        fx, price = self.rate(leg), self.mid[leg]
        amount = -qty * price * rate * share * fx
        return FundingSettled(
            self.ts_ns, 1, self.key(leg), self.ts_ns, rate, price, qty, amount, fx=fx, share=share
        )

    def charge(self):
        if not self.is_spot("short"):
            return None
        qty, price, fx, rate = self.held["short"], self.mid["short"], self.rate("short"), D("1E-6")
        return BorrowCharged(
            self.ts_ns, 1, self.key("short"), 1, rate, qty, price, qty * price * rate * fx, fx
        )

    def liquidate(self):
        leg = self.draw(st.sampled_from([name for name in self.mid if not self.is_spot(name)]))
        far = D("0.6") if leg == "long" else D("1.5")
        self.mid = {name: (mid * far).quantize(TICK) + TICK for name, mid in self.mid.items()}
        side = "sell" if leg == "long" else "buy"
        made = self.fills(leg, side, self.held[leg])
        self.held[leg] = D(0)
        lost, self.margins[leg], self.dead = self.margins[leg], D(0), True
        return Liquidated(
            self.ts_ns, 1, self.key(leg), self.mid[leg], self.mid[leg], tuple(made),
            self.mid["long"], self.mid["short"], False, **self.rates(), margin=lost,
        )  # fmt: skip


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_the_identity_holds_along_any_path_of_prices_and_cross_rates(data):
    story, books = Story(data.draw), Books()
    with decimal.localcontext(MONEY):
        take(books, session("10000000"))
        kinds = [story.pay, story.charge, lambda: story.leave(D("0.4")), story.liquidate]
        told = [story.open]
        told += data.draw(st.lists(st.sampled_from(kinds), max_size=4))
        for tell in [*told, lambda: story.leave(D(1))]:
            if story.dead and tell in (story.liquidate, story.pay):
                continue
            story.move()
            with decimal.localcontext(decimal.Context(prec=64)):
                outcome = tell()
            if outcome is None:
                continue
            made = take(books, outcome)
            assert not any(residual(txn.postings) for txn in made)
            _check(books, data.draw)
        assert books.attribution(1).total == books.funds({}).free - books.start
        assert not [account for account, _ in books.balances() if "pair" in account]


def _check(books, draw):
    pair = books.lots(1)
    worths = [
        Worth(TICK * draw(st.integers(1, 90_000)), D(draw(st.integers(90, 110))) / 100)
        for _ in range(4)
    ]
    for got in (pair.attribution(), pair.attribution(*worths[:2]), pair.attribution(*worths)):
        assert sum(terms(got), D(0)) == got.total == got.truth
    keys = pair.legs["long"].key, pair.legs["short"].key
    at = dict(zip(keys, worths[:2], strict=True))
    assert books.funds(at).equity - books.start == pair.attribution(*worths[:2]).total


def _hedged(legs, fxs, mids=("0.5", "0.5"), margin="25"):
    made = [
        in_own_money(fill("long", legs[0], "buy", 100, mids[0], rate=0), fxs[0]),
        in_own_money(fill("short", legs[1], "sell", 100, mids[1], rate=0), fxs[1]),
    ]
    outcome = opened(1, made, mids, legs=legs, margin=margin)
    return replace(outcome, long_fx=D(fxs[0]), short_fx=D(fxs[1]))


def test_a_dollar_spot_leg_is_paid_at_its_own_rate():
    books = Books()
    take(books, session("1000"))
    spot = in_own_money(fill("long", USD_SPOT, "buy", 100, "0.5", rate="0.004"), "1.001")
    perp = fill("short", PERP, "sell", 100, "0.5", rate=0)
    entry = replace(opened(1, [spot, perp], ("0.5", "0.5"), legs=(USD_SPOT, PERP)), long_fx=D(1))
    take(books, entry)
    assert books.balance("assets:cash") == 1000 - D("50.05") * D("1.004")
    assert books.balance("expenses:fees") == D("0.2") * D("1.001")
    assert books.balance("assets:pair:1:spot", "ADA") == 100
    got = books.attribution(1)
    assert got.slippage == D("-0.05")  # 50 dollars bought 0.001 above the middle
    assert got.fees == D("-0.2002")
    assert got.total == got.slippage + got.fees
    assert {posting for _, posting in books.balances()} == {"USDT", "ADA"}  # no dollars are held


def test_a_perpetual_in_dollars_leaves_its_currency_in_the_residual():
    """Contract: residual gets -sign * qty * entry * (fx_exit - fx_entry), the spot leg has none."""
    books = Books()
    take(books, session("1000"), _hedged(("bybit:spot:ADAUSDT", USD_PERP), ("1", "1")))
    got = books.attribution(1, Worth(D("0.5")), Worth(D("0.5"), D("1.02")))
    assert got.total == 0  # the perpetual made nothing, in whatever currency
    assert got.basis == D("-1.00")  # it is dearer in account currency, as if it had widened
    assert got.residual == D("1.00")
    both = Books()
    take(both, session("1000"), _hedged((USD_SPOT, USD_PERP), ("1", "1")))
    got = both.attribution(1, Worth(D("0.5"), D("1.02")), Worth(D("0.5"), D("1.02")))
    assert (got.basis, got.residual, got.total) == (0, D("1.00"), D("1.00"))  # the coins' dollars


def test_realised_profit_of_a_perpetual_is_converted_when_it_is_realised():
    books = Books()
    take(books, session("1000"), _hedged(("bybit:spot:ADAUSDT", USD_PERP), ("1", "1.01")))
    out = [
        in_own_money(fill("long", "bybit:spot:ADAUSDT", "sell", 100, "0.4", rate=0), "1"),
        in_own_money(fill("short", USD_PERP, "buy", 100, "0.4", rate=0), "0.99"),
    ]
    leave = replace(reduced(1, out, ("0.4", "0.4"), margin="25"), short_fx=D("0.99"))
    take(books, leave)
    assert books.balance("income:perp") == D(-10) * D("0.99")
    assert books.funds({}).free == 1000 - 10 + D("9.9")


def test_a_bare_price_stands_at_the_rate_of_the_last_outcome():
    books = Books()
    take(books, session("1000"), _hedged((USD_SPOT, PERP), ("1.01", "1")))
    assert books.attribution(1, D("0.6")) == books.attribution(1, Worth(D("0.6"), D("1.01")))
    keyed = {USD_SPOT: D("0.6")}
    assert books.funds(keyed) == books.funds({USD_SPOT: Worth(D("0.6"), D("1.01"))})


def test_a_rate_that_is_no_rate_or_a_fee_in_another_currency_is_refused():
    books = Books()
    take(books, session("1000"))
    entry = _hedged((USD_SPOT, PERP), ("1.01", "1"))
    for odd in ({"fx": D(0)}, {"fx": D(-1)}, {"fee_currency": "USDT", "fee": D(1)}):
        bad = replace(entry, fills=(replace(entry.fills[0], **odd), entry.fills[1]))
        with pytest.raises(RuleError):
            transactions(bad, books)


def _two_perps():
    return _hedged((USD_PERP, OKX_PERP), ("1.01", "1"), margin="30")


def _forced(leg, key, price, margin, closed=False):
    side = "sell" if leg == "long" else "buy"
    one = in_own_money(fill(leg, key, side, 100, price, rate=0), "1")
    return Liquidated(
        7, 1, key, D(price), D(price), (one,), D(price), D(price), closed, margin=D(margin)
    )


def test_a_liquidated_perpetual_loses_its_own_margin_and_not_the_others():
    books = Books()
    take(books, session("1000"), _two_perps())
    take(books, _forced("short", OKX_PERP, "0.8", "14"))
    assert books.balance("assets:pair:1:margin") == 16  # the long leg's own
    assert books.balance(VENUE_LOSS) == -(30 - 14)
    take(books, _forced("long", USD_PERP, "0.4", "16", closed=True))
    assert books.balance("assets:pair:1:margin") == 0
    assert books.funds({}).free == books.funds({}).equity == 1000 - 14 - 10


def test_what_a_liquidation_leaves_of_its_margin_returns_and_the_rest_stays():
    books = Books()
    take(books, session("1000"), _two_perps())
    take(books, _forced("short", OKX_PERP, "0.6", "14"))
    assert books.balance("assets:cash") == 970 + 4
    out = [in_own_money(fill("long", USD_PERP, "sell", 100, "0.6", rate=0), "1")]
    take(books, reduced(1, out, ("0.6", "0.6"), margin="16"))
    assert books.funds({}).free == 1000


def test_an_older_liquidation_without_a_share_still_takes_all():
    books = Books()
    take(books, session("1000"), _two_perps())
    take(books, replace(_forced("short", OKX_PERP, "0.8", "0"), margin=None))
    assert books.balance("assets:pair:1:margin") == 0
    assert books.balance(VENUE_LOSS) == 0
