import decimal
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import (
    PERP,
    SPOT,
    Dice,
    ada_example,
    fill,
    opened,
    reduced,
    session,
    take,
    traded,
)

from basisdesk.errors import RuleError
from basisdesk.events import (
    MONEY,
    BorrowCharged,
    FundingSettled,
    Liquidated,
    PairOpened,
    PairReduced,
)
from basisdesk.ledger.attribution import VENUE_LOSS
from basisdesk.ledger.books import Books
from basisdesk.ledger.posting import residual

D = Decimal


def terms(a):
    with decimal.localcontext(MONEY):
        return a.basis + a.funding + a.fees + a.slippage + a.borrow + a.residual


def test_the_ada_example_to_the_last_digit():
    books = Books()
    take(books, session("10000"), *ada_example())
    got = books.attribution(1)
    assert (got.long_gross, got.short_gross) == (D("10.00"), D("14.00"))
    assert got.basis == D("24.00")
    assert got.fees == D("-11.3138")
    assert got.total == got.truth == D("12.6862")
    assert got.slippage == got.residual == got.funding == got.borrow == got.unrealised == 0
    assert books.funds({}).equity == books.funds({}).free == D("10012.6862")


def test_ten_thousand_random_pairs_add_up_to_the_last_digit():
    books, log = traded(10_000)
    with decimal.localcontext(MONEY):
        results = {number: books.attribution(number) for number in books.pairs}
        for got in results.values():  # the identity, and nothing left open
            assert terms(got) == got.total == got.truth
            assert got.unrealised == 0
        assert books.funds({}).equity - books.start == sum(got.total for got in results.values())
        truth = _by_hand(log)
        assert {number: got.total for number, got in results.items()} == truth
    assert len(results) == 10_000
    assert not any(residual(txn.postings) for _, txns in log for txn in txns)
    kinds = [type(outcome) for outcome, _ in log]
    assert kinds.count(PairReduced) > 11_000  # partial closes are among them
    assert kinds.count(Liquidated) > 500
    assert all(account.startswith("assets:cash") or "pair" not in account
               for account, _ in books.balances())  # fmt: skip


def _by_hand(log):
    """Each pair's cash flow straight from the fills, and what the venue absorbed."""
    earned = {}
    for outcome, txns in log[1:]:
        flow = D(0)
        for one in getattr(outcome, "fills", ()):
            value = one.qty * one.price
            flow += value if one.side == "sell" else -value
            flow -= one.fee if one.fee_currency == "USDT" else 0
        if isinstance(outcome, FundingSettled):
            flow += outcome.amount
        if isinstance(outcome, BorrowCharged):
            flow -= outcome.amount
        flow -= sum(p.amount for txn in txns for p in txn.postings if p.account == VENUE_LOSS)
        earned[outcome.pair] = earned.get(outcome.pair, D(0)) + flow
    return earned


def test_one_entry_and_one_exit_follow_the_published_formula():
    dice, books, compared = Dice(11), Books(), 0
    take(books, session("1000000"))
    for _ in range(400):
        outcomes = dice.trade()
        take(books, *outcomes)
        if len(outcomes) != 2:
            continue
        entry, out = outcomes
        got = books.attribution(entry.pair)
        with decimal.localcontext(MONEY):
            coins = {
                leg: sum(
                    f.qty - f.dust - (f.fee if f.fee_currency != "USDT" else 0)
                    if f.side == "buy" else f.qty
                    for f in (entry.fills if opening else out.fills) if f.leg == leg
                )
                for leg, opening in (("long", True), ("short", True))
            }  # fmt: skip
            hedged = min(coins.values())
            before, after = entry.short_mid - entry.long_mid, out.short_mid - out.long_mid
            assert got.basis == hedged * (before - after)
            assert got.residual == (coins["long"] - hedged) * (out.long_mid - entry.long_mid) - (
                coins["short"] - hedged
            ) * (out.short_mid - entry.short_mid)
        compared += 1
    assert compared > 100


@given(
    st.integers(0, 2**32),
    st.decimals("0.0001", "9", places=5),
    st.decimals("0.0001", "9", places=5),
)
@settings(deadline=None, max_examples=150)
def test_the_identity_holds_at_every_step_and_at_any_mids(seed, long_mid, short_mid):
    books = Books()
    take(books, session("1000000"))
    for outcome in Dice(seed).trade():
        take(books, outcome)
        pair = books.lots(outcome.pair)
        for got in (
            pair.attribution(),
            pair.attribution(long_mid, short_mid),
            pair.attribution(long_mid, short_mid, long_mid - D("0.00005"), short_mid + D("0.0002")),
        ):
            assert terms(got) == got.total == got.truth
        mids = {pair.legs["long"].key: long_mid, pair.legs["short"].key: short_mid}
        with decimal.localcontext(MONEY):
            assert (
                books.funds(mids).equity - books.start
                == pair.attribution(long_mid, short_mid).total
            )


def test_opening_and_closing_where_nothing_moves_costs_fees_slippage_and_borrow_only():
    dice, books = Dice(3, still=True), Books()
    take(books, session("1000000"))
    for _ in range(500):
        outcomes = dice.trade()
        take(books, *outcomes)
        got = books.attribution(outcomes[0].pair)
        assert got.basis == got.residual == got.funding == 0
        with decimal.localcontext(MONEY):
            assert got.total == got.fees + got.slippage + got.borrow
        assert got.fees < 0
        assert got.slippage <= 0


def test_A2_a_reverse_round_trip_at_the_same_prices_costs_its_fees_and_no_more():
    books = Books()
    take(books, session("100"))
    into = [fill("long", PERP, "buy", 100, "0.5"), fill("short", SPOT, "sell", 100, "0.5")]
    out = [fill("long", PERP, "sell", 100, "0.5"), fill("short", SPOT, "buy", 100, "0.5")]
    take(books, opened(1, into, ("0.5", "0.5"), legs=(PERP, SPOT), margin="25", collateral="10"))
    entry_fees = D("0.0775")  # 50 at 0.1 % and 50 at 0.055 %
    assert books.funds({}).equity == D(100) - entry_fees  # the sale's proceeds are there at once
    assert books.balance("assets:pair:1:collateral") == D(60)
    assert books.balance("liabilities:pair:1:borrow", "ADA") == D(-100)
    take(books, reduced(1, out, ("0.5", "0.5"), margin="25", collateral="10"))
    assert books.funds({}).equity == books.funds({}).free == D(100) - 2 * entry_fees
    assert books.attribution(1).total == books.attribution(1).fees == -2 * entry_fees


def test_A5_the_result_of_a_pair_holds_the_fees_and_the_slippage_of_its_exit():
    books = Books()
    take(books, session("100"))
    into = [fill("long", SPOT, "buy", 100, "0.5"), fill("short", PERP, "sell", 100, "0.5")]
    out = [fill("long", SPOT, "sell", 100, "0.4998"), fill("short", PERP, "buy", 100, "0.5001")]
    take(books, opened(1, into, ("0.5", "0.5"), margin="25"))
    take(books, reduced(1, out, ("0.5", "0.5"), margin="25"))
    got = books.attribution(1)
    assert got.slippage == D("-0.03")
    assert got.fees == -(D("0.05") + D("0.0275") + D("0.04998") + D("0.0275055"))
    assert got.total == books.funds({}).free - D(100)  # what is shown is what the cash did


def test_A7_a_realised_profit_counts_once():
    books = Books()
    take(books, session("100"))
    take(books, *_half_closed())
    pair = books.lots(1)
    got = pair.attribution(D("0.6"), D("0.6"))
    assert got.unrealised == 0  # the rest gained on one leg what it lost on the other
    assert got.total == books.funds({SPOT: D("0.6"), PERP: D("0.6")}).equity - D(100)
    assert books.balance("income:perp") == D(5)  # paid 5 on the short half, once


def _half_closed():
    into = [fill("long", SPOT, "buy", 100, "0.5"), fill("short", PERP, "sell", 100, "0.5")]
    out = [fill("long", SPOT, "sell", 50, "0.6"), fill("short", PERP, "buy", 50, "0.6")]
    return (
        opened(1, into, ("0.5", "0.5"), margin="25"),
        reduced(1, out, ("0.6", "0.6"), margin="12.5", closed=False),
    )


def test_a_fee_in_coins_is_valued_at_its_fill_and_dust_goes_with_it():
    books = Books()
    take(books, session("1000"))
    into = [
        fill("long", SPOT, "buy", "100.1", "0.5", base=True, dust="0.0999"),
        fill("short", PERP, "sell", "99.9", "0.5", rate="0"),
    ]
    take(books, opened(1, into, ("0.5", "0.5"), margin="25"))
    assert books.balance("assets:pair:1:spot", "ADA") == D("99.9")
    assert books.balance("expenses:fees", "ADA") == D("0.1001")
    got = books.attribution(1)
    assert got.fees == -(D("0.1001") + D("0.0999")) * D("0.5")
    assert got.slippage == got.basis == 0


def test_close_out_profit_counts_the_way_to_the_book_as_slippage():
    books = Books()
    take(books, session("100"))
    take(books, _half_closed()[0])
    pair = books.lots(1)
    mark = pair.attribution(D("0.51"), D("0.51"))
    out = pair.attribution(D("0.51"), D("0.51"), D("0.5095"), D("0.5102"))
    assert out.basis == mark.basis
    assert out.slippage - mark.slippage == out.total - mark.total == D("-0.07")


def test_after_a_liquidation_the_naked_leg_is_residual_and_the_venue_takes_what_margin_cannot():
    books = Books()
    take(books, session("100"))
    take(books, _half_closed()[0])
    forced = [fill("short", PERP, "buy", 100, "0.80")]
    take(books, Liquidated(6, 1, PERP, D("0.75"), D("0.74"), tuple(forced),
                           D("0.75"), D("0.75"), False))  # fmt: skip
    fee = D(80) * D("0.00055")
    assert books.balance("assets:pair:1:margin") == 0
    assert books.balance(VENUE_LOSS) == -(D(30) + fee - D(25))
    assert books.balance("expenses:liquidation_fee") == fee
    before = books.attribution(1)
    after = books.attribution(1, D("0.70"), D("0.90"))
    assert after.residual - before.residual == D("-5.0")  # 100 coins fell by 0.05, nobody hedges
    assert after.basis == before.basis
    take(books, reduced(1, [fill("long", SPOT, "sell", 100, "0.70")], ("0.70", "0.90")))
    assert books.attribution(1).truth == books.funds({}).free - 100


def test_a_total_that_misses_the_truth_is_an_error_and_not_a_number():
    books = Books()
    take(books, session("100"))
    take(books, _half_closed()[0])
    pair = books.lots(1).copy()
    pair.fold(FundingSettled(8, 1, PERP, 8, D(0), D(1), D(-1), D("0.01")), ())  # without postings
    with pytest.raises(RuleError, match="terms give"):
        pair.attribution()
    assert books.attribution(1).funding == 0  # the copy was a copy


def test_mids_with_too_many_digits_are_an_error_and_not_a_cent():
    books = Books()
    take(books, session("100"))
    take(books, _half_closed()[0])
    with pytest.raises(decimal.Inexact):
        books.attribution(1, D("0." + "3" * 70), D("0.5"))


def test_only_an_opening_makes_lots():
    assert isinstance(ada_example()[0], PairOpened)
    with pytest.raises(RuleError, match="never opened"):
        Books().lots(4)
