"""Rows behind a figure sum to it, to the last digit, whatever happened to the pair."""

import decimal
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basisdesk import stories as stories_module
from basisdesk.events import (
    MONEY,
    BorrowCharged,
    ExitPlan,
    Fill,
    FundingSettled,
    Liquidated,
    MarginMoved,
    PairAdded,
    PairOpened,
    PairReduced,
    SessionStarted,
)
from basisdesk.explain import (
    NOT_ITEMISED,
    TERMS,
    explain_cash,
    explain_equity,
    explain_pair,
    forgotten,
)
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions
from basisdesk.ledger.valuation import Worth
from basisdesk.stories import CLOSED_STORIES, Stories

D = Decimal
S = 1_000_000_000
T0 = 1_735_689_600 * S
PERP = "bybit:perp:ADAUSDT"
SPOTS = {"bybit:spot:ADAUSDT": D(1), "kraken:spot:ADA/USD": D("0.99961")}


class Account:
    """Books and stories moved by hand, as the engine moves them."""

    def __init__(self):
        self.books, self.stories, self.now = Books("USDT"), Stories(), T0
        self.do(SessionStarted(T0, "s", "demo", "0", "USDT", D(1_000_000)))

    def do(self, outcome):
        txns = transactions(outcome, self.books)
        self.books.apply(outcome, txns)
        self.stories.fold(outcome, txns, "USDT")
        self.now += S

    def explain(self, term, pair=1, worths=None):
        return explain_pair(self.stories.of(pair), term, worths or {}, self.now)


class Pair:
    """A pair of 1,000 ADA in one direction, on one spot venue; figures drawn by hypothesis."""

    def __init__(self, account, spot="bybit:spot:ADAUSDT", d=1, number=1, in_coins=False):
        self.account, self.spot, self.d, self.number = account, spot, d, number
        self.in_coins = in_coins
        self.long, self.short = (spot, PERP) if d > 0 else (PERP, spot)
        self.mids = {spot: D("0.36395"), PERP: D("0.36655")}
        self.fx = {spot: SPOTS[spot], PERP: D(1)}
        self.done = False

    @property
    def lots(self):
        return self.account.books.lots(self.number)

    def move(self, spot, perp):
        self.mids = {self.spot: D(spot), PERP: D(perp)}

    def fill(self, key, opens, qty, off):
        leg = "long" if key == self.long else "short"
        side = "buy" if (leg == "long") == opens else "sell"
        price = self.mids[key] + (off if side == "buy" else -off)
        quote = "USD" if "USD" in key and "USDT" not in key else "USDT"
        fee, currency = qty * price * D("0.001"), quote
        if key == self.spot and side == "buy" and opens and self.in_coins:
            fee, currency = qty * D("0.001"), "ADA"
        fx = self.fx[key] + (D("0.00002") if key == self.spot and quote == "USD" else 0)
        return Fill(self.account.now, leg, key, side, qty, price, fee, currency, fx=fx)

    def _common(self):
        mids = {"long_mid": self.mids[self.long], "short_mid": self.mids[self.short]}
        return mids | {"long_fx": self.fx[self.long], "short_fx": self.fx[self.short]}

    def open(self, qty=1000, legs=2):
        qty = D(qty)
        keys = (PERP, self.spot)[:legs] if self.d > 0 else (PERP, self.spot)
        fills = tuple(self.fill(key, True, qty, D("0.0002")) for key in keys)
        collateral = D(40) if self.d < 0 else D(0)
        self.account.do(
            PairOpened(
                self.account.now, self.number, self.long, self.short, qty, D(2), ExitPlan(),
                "user", fills, margin=D(180), collateral=collateral, step=D(1), **self._common(),
            )
        )  # fmt: skip

    def add(self, key, qty):
        margin = D(20) if key == PERP else D(0)
        fills = (self.fill(key, True, qty, D("0.0001")),)
        self.account.do(
            PairAdded(
                self.account.now, self.number, "hedge", fills, margin=margin, collateral=D(0),
                **self._common(),
            )
        )  # fmt: skip

    def reduce(self, part):
        held = {leg.key: leg.qty for leg in self.lots.legs.values()}
        qtys = {key: qty if part == 1 else (qty * part).quantize(D(1)) for key, qty in held.items()}
        fills = tuple(self.fill(key, False, qty, D("0.0003")) for key, qty in qtys.items() if qty)
        if not fills:
            return
        closed = all(qtys[key] == qty for key, qty in held.items())
        self.done = closed
        lots = self.lots
        margin = lots.margin if closed or qtys[PERP] == held[PERP] else D(10)
        margin = min(margin, lots.margin)
        owed = self.d < 0 and qtys[self.spot] == held[self.spot]
        self.account.do(
            PairReduced(
                self.account.now, self.number, part, "user", fills, margin=margin,
                collateral=lots.collateral if closed or owed else D(0), closed=closed,
                **self._common(),
            )
        )  # fmt: skip

    def fund(self, rate):
        qty = self.lots.legs["short" if self.d > 0 else "long"].qty * -self.d
        amount = -qty * self.mids[PERP] * rate
        stamp = self.account.now // 1_000_000
        self.account.do(
            FundingSettled(
                self.account.now, self.number, PERP, stamp, rate, self.mids[PERP], qty, amount
            )
        )

    def borrow(self):
        if self.d > 0 or not self.lots.legs["short"].qty:
            return
        qty, price, fx = self.lots.legs["short"].qty, self.mids[self.spot], self.fx[self.spot]
        rate = D("0.00001")
        with decimal.localcontext(MONEY):
            amount = 1 * rate * qty * price * fx
        self.account.do(
            BorrowCharged(self.account.now, self.number, self.spot, 1, rate, qty, price, amount, fx)
        )

    def secure(self, amount):
        if any(leg.qty for leg in self.lots.legs.values() if not leg.spot):
            self.account.do(MarginMoved(self.account.now, self.number, amount))

    def liquidate(self):
        leg = self.lots.legs["short" if self.d > 0 else "long"]
        other = self.lots.legs["long" if self.d > 0 else "short"]
        if not leg.qty:
            return
        fill = self.fill(PERP, False, leg.qty, D("0.15"))
        self.done = not other.qty
        self.account.do(
            Liquidated(
                self.account.now, self.number, PERP, fill.price, fill.price, (fill,),
                closed=self.done, margin=self.lots.margin, **self._common(),
            )
        )  # fmt: skip


def proven(told, figure):
    """The rows sum to the figure, which is the ledger's own, and every row is itemised."""
    with decimal.localcontext(MONEY):
        assert sum((row.amount for row in told.rows), D(0)) == told.figure == figure
    assert all(row.note != NOT_ITEMISED for row in told.rows)
    assert all(row.amount for row in told.rows)
    assert {row.currency for row in told.rows} <= {"USDT"}
    assert "\n" not in told.formula
    assert told.formula.endswith(" USDT")


def test_a_pair_worked_out_by_hand():
    """1,000 ADA at mids 0.36395 and 0.36655; fills 2 ticks off; fees 0.1 %; one funding."""
    account = Account()
    pair = Pair(account)
    pair.open()
    pair.fund(D("0.0001"))
    pair.move("0.37000", "0.37150")
    pair.reduce(1)
    assert [row.amount for row in account.explain("basis").rows] == [D("1.1")]
    (basis,) = account.explain("basis").rows
    assert basis.note == "1,000 hedged × ((0.37 − 0.36395) − (0.3715 − 0.36655))"
    (paid,) = account.explain("funding").rows
    assert (paid.amount, paid.account) == (D("0.036655"), "income:funding")
    assert paid.note == "1,000 × mark 0.36655 × rate 0.0001"
    assert paid.cause == f"pair:1:funding:{(T0 + 2 * S) // 1_000_000}"
    slips = account.explain("slippage").rows
    assert [row.amount for row in slips] == [D("-0.2"), D("-0.2"), D("-0.3"), D("-0.3")]
    fees = account.explain("fees").rows
    assert [row.amount for row in fees] == [
        D("-0.36635"),
        D("-0.36415"),
        D("-0.3697"),
        D("-0.3718"),
    ]
    assert [row.cause for row in fees] == [
        "pair:1:open:short:1", "pair:1:open:long:2", "pair:1:close:long:1", "pair:1:close:short:2",
    ]  # fmt: skip
    total = account.explain("total")
    assert total.figure == D("1.1") + D("0.036655") - D(1) - D("1.472")
    assert total.formula == (
        "Total = basis +1.1, funding +0.036655, fees −1.472, slippage −1, borrow 0, residual 0 = "
        "−1.335345 USDT"
    )
    assert account.explain("basis").formula.endswith("= +1.1 = +1.1 USDT")
    proven(total, account.books.attribution(1).truth)


def test_margin_and_collateral_are_what_the_accounts_hold():
    account = Account()
    pair = Pair(account, d=-1)
    pair.open()
    account.do(MarginMoved(account.now, 1, D(25)))
    told = account.explain("margin")
    proven(told, account.books.balance("assets:pair:1:margin"))
    assert [row.amount for row in told.rows] == [180, 25]
    told = account.explain("collateral")
    proven(told, account.books.balance("assets:pair:1:collateral"))
    pair.reduce(1)
    assert account.explain("margin").figure == 0


def test_an_open_pair_is_explained_at_present_prices():
    account = Account()
    pair = Pair(account)
    pair.open(legs=1)
    worths = {PERP: Worth(D("0.37")), pair.spot: Worth(D("0.36"))}
    told = account.explain("residual", worths=worths)
    (row,) = told.rows
    assert (row.cause, row.amount) == ("now", D(1000) * (D("0.36655") - D("0.37")))
    assert row.note == "1,000 short alone × (0.36655 − 0.37)"
    proven(told, account.books.attribution(1, worths[pair.spot], worths[PERP]).residual)


def test_a_term_that_does_not_exist_is_a_key_error():
    account = Account()
    Pair(account).open()
    with pytest.raises(KeyError):
        account.explain("luck")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.decimals("0.2", "0.6", places=5),
                  st.decimals("0.2", "0.6", places=5)),
        st.tuples(st.just("fund"), st.decimals("-0.01", "0.01", places=6)),
        st.tuples(st.just("add"), st.sampled_from(["spot", "perp"]), st.integers(1, 500)),
        st.tuples(st.just("reduce"), st.sampled_from(["0.3", "0.5", "1"])),
        st.tuples(st.just("borrow")),
        st.tuples(st.just("margin"), st.integers(1, 50)),
        st.tuples(st.just("liquidate")),
        st.tuples(st.just("cross"), st.decimals("0.95", "1.05", places=5)),
    ),
    max_size=14,
)  # fmt: skip


def walk(pair, steps):
    """Do all that makes sense, until the pair is closed."""
    for what, *how in steps:
        if pair.done:
            return
        if what in ("move", "fund", "borrow", "liquidate"):
            getattr(pair, what)(*how)
        elif what == "reduce":
            pair.reduce(D(how[0]))
        elif what == "add" and not pair.lots.liquidated:
            pair.add(pair.spot if how[0] == "spot" else PERP, D(how[1]))
        elif what == "cross" and pair.fx[pair.spot] != 1:
            pair.fx[pair.spot] = how[0]
        elif what == "margin":
            pair.secure(D(how[0]))


@settings(max_examples=200, deadline=None)
@given(
    STEPS,
    st.sampled_from(sorted(SPOTS)),
    st.sampled_from([1, -1]),
    st.booleans(),
    st.decimals("0.2", "0.6", places=5),
)
def test_every_term_is_the_sum_of_its_rows(steps, spot, d, in_coins, last):
    account = Account()
    pair = Pair(account, spot, d, in_coins=in_coins)
    pair.open()
    walk(pair, steps)
    worths = {PERP: Worth(last + D("0.001")), spot: Worth(last, pair.fx[spot])}
    books = account.books
    truth = books.attribution(1, worths[pair.long], worths[pair.short])
    for term in TERMS:
        proven(account.explain(term, worths=worths), getattr(truth, term))
    for name in ("margin", "collateral"):
        proven(account.explain(name), books.balance(f"assets:pair:1:{name}"))
    proven(explain_equity(books, worths, account.now), books.funds(worths).equity)
    proven(explain_cash(books, account.now), books.balance("assets:cash"))


def test_a_long_story_keeps_its_sum_when_its_beginning_leaves_memory(monkeypatch):
    monkeypatch.setattr(stories_module, "STORY_MAX", 5)
    account = Account()
    pair = Pair(account, in_coins=True)
    pair.open()
    for number in range(40):
        pair.move(D("0.36") + D(number) / 1000, D("0.37") + D(number) / 900 // D("0.0001") / 10_000)
        pair.fund(D("0.0001"))
        if number % 4 == 0:
            pair.reduce(D("0.1"))
    truth = account.books.attribution(1)
    for term in TERMS:
        told = account.explain(term)
        proven(told, getattr(truth, term))
        assert [row.cause for row in told.rows[:1]] == ([] if term == "borrow" else ["earlier"])
        assert "no longer in memory" in told.limit
    proven(account.explain("margin"), account.books.balance("assets:pair:1:margin"))
    assert len(list(account.stories.of(1).entries())) <= 10


def test_cash_says_what_was_before_its_memory():
    account = Account()
    pair = Pair(account)
    pair.open()
    for _ in range(2_100):
        pair.fund(D("0.0001"))
    told = explain_cash(account.books, account.now)
    assert told.rows[0].cause == "earlier"
    assert "no longer in memory" in told.limit
    proven(told, account.books.balance("assets:cash"))


def test_of_pairs_closed_long_ago_only_the_figure_is_kept():
    account = Account()
    for number in range(1, CLOSED_STORIES + 3):
        pair = Pair(account, number=number)
        pair.open(qty=10)
        pair.reduce(1)
    assert account.stories.of(2) is None
    assert account.stories.of(3) is not None
    figure = account.books.attribution(2).fees
    told = forgotten(2, "fees", figure, "USDT", account.now)
    proven(told, figure)
    assert "journal" in told.limit
