"""A leg may come late, shrink alone or be taken away: each booked, with figures worked by hand."""

from decimal import Decimal

import pytest
from ledger_cases import PERP, PERP_B, SPOT, fill, opened, reduced, session, take
from leg_cases import added, buy, cover, deleveraged, ordered, sell, short, shrunk

from basisdesk.errors import RuleError
from basisdesk.events import (
    BorrowCharged,
    ExitPlan,
    FundingSettled,
    LegRejected,
    Liquidated,
    MarginMoved,
    OrderEnded,
    PlanChanged,
)
from basisdesk.ledger.attribution import VENUE_LOSS
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions

D = Decimal
CASH, MARGIN = "assets:cash", "assets:pair:1:margin"


def books_with(*outcomes, start="1000"):
    books = Books()
    take(books, session(start), *outcomes)
    return books


def attributed(books, pair=1, **mids):
    """The six terms that are not 0, by name; they sum to the total exactly."""
    got = books.attribution(pair, **mids)
    names = ("basis", "funding", "fees", "slippage", "borrow", "residual")
    terms = {name: getattr(got, name) for name in names}
    assert sum(terms.values()) == got.total == got.truth
    return {name: value for name, value in terms.items() if value}


def amounts(txn):
    return {(p.account, p.currency): p.amount for p in txn.postings}


def test_a_leg_that_fills_first_is_booked_and_what_it_does_alone_is_residual():
    """100 coins at 0.50; the perpetual comes at 0.52 after both mids rose by 0.03.

    Alone: 100 * 0.03 = 3.00 residual. Hedged at mids 0.53 / 0.525, closed at 0.50 / 0.495:
    basis 0. The sale 0.005 below its mid: slippage 100 * (0.52 - 0.525) = -0.50.
    """
    books = books_with(opened(1, [buy(100, "0.50")], ("0.50", "0.495")))
    assert books.balance(CASH) == 950
    assert books.funds({SPOT: D("0.53")}).equity == 1003
    assert attributed(books, long_mid=D("0.53"), short_mid=D("0.525")) == {"residual": D(3)}
    take(books, added(1, [short(100, "0.52")], ("0.53", "0.525"), margin="26"))
    assert (books.balance(CASH), books.balance(MARGIN)) == (924, 26)
    assert attributed(books) == {"residual": D(3), "slippage": D("-0.5")}
    out = [sell(100, "0.50"), cover(100, "0.495")]
    take(books, reduced(1, out, ("0.50", "0.495"), margin="26"))
    assert attributed(books) == {"residual": D(3), "slippage": D("-0.5")}
    assert books.funds({}).free == D("1002.50")  # bought 50, sold 50; short 0.52, cover 0.495


def test_the_missing_half_of_a_perpetual_is_added_with_its_own_margin():
    half = opened(1, [buy(100, "0.50"), short(50, "0.50")], ("0.50", "0.50"), margin="12.5")
    books = books_with(half)
    take(books, added(1, [short(50, "0.48")], ("0.48", "0.48"), margin="12"))
    assert books.balance(MARGIN) == D("24.5")
    assert attributed(books) == {"residual": D("-1.00")}  # 50 naked coins fell by 0.02
    assert books.lots(1).legs["short"].entry_value == D(49)
    more = added(1, [buy(1, "0.48"), short(1, "0.48")], ("0.48", "0.48"), margin="0.24")
    causes = [txn.cause for txn in transactions(more, books)]
    assert causes == ["pair:1:add:long:1", "pair:1:secure"]  # a perpetual without a fee is no money


def test_the_surplus_of_a_leg_is_given_back_and_the_pair_ends():
    books = books_with(opened(1, [buy(100, "0.50", rate="0.001")], ("0.50", "0.50")))
    take(books, shrunk(1, [sell(100, "0.49", rate="0.001")], ("0.495", "0.495"), closed=True))
    assert attributed(books) == {
        "fees": D("-0.099"),  # 0.05 + 0.049
        "slippage": D("-0.5"),  # sold 0.005 below the mid
        "residual": D("-0.5"),  # the mid had fallen by 0.005
    }
    assert books.funds({}).free == books.funds({}).equity == D("998.901")


def test_one_leg_reduced_releases_the_margin_it_says():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both)
    take(books, shrunk(1, [cover(40, "0.45")], ("0.45", "0.45"), margin="10"))
    assert (books.balance(CASH), books.balance(MARGIN)) == (925 + 2 + 10, 15)
    assert attributed(books) == {}  # hedged until then: 2 won here, lost on the coins
    assert attributed(books, long_mid=D("0.40"), short_mid=D("0.40")) == {"residual": D("-2.0")}
    take(books, shrunk(1, [cover(60, "0.40")], ("0.40", "0.40"), margin="15", alone=True))
    assert books.balance(MARGIN) == 0
    assert attributed(books) == {"residual": D("-2.0")}
    take(books, shrunk(1, [sell(100, "0.40")], ("0.40", "0.40"), closed=True))
    assert books.funds({}).free == 998


def test_borrowed_coins_bought_back_alone_release_their_collateral():
    legs = (PERP, SPOT)
    into = [fill("long", PERP, "buy", 100, "0.5", rate=0)]
    into += [fill("short", SPOT, "sell", 100, "0.5", rate=0)]
    both = opened(1, into, ("0.5", "0.5"), legs=legs, margin="25", collateral="5")
    books = books_with(both)
    back = [fill("short", SPOT, "buy", 100, "0.45", rate=0)]
    take(books, shrunk(1, back, ("0.45", "0.45"), collateral="5"))
    assert books.balance("assets:pair:1:collateral") == 0
    assert books.balance("liabilities:pair:1:borrow", "ADA") == 0
    assert books.balance(CASH) == 1000 - 25 + 5
    assert books.funds({PERP: D("0.45")}).equity == 1000  # 5 won on the loan, 5 lost on the perp
    with pytest.raises(RuleError, match="collateral secure nothing"):
        transactions(shrunk(1, back, ("0.45", "0.45"), collateral="4"), books_with(both))


def test_a_borrowed_leg_may_come_late():
    legs = (PERP, SPOT)
    books = books_with(
        opened(1, [fill("long", PERP, "buy", 100, "0.5", rate=0)], ("0.5", "0.5"), legs=legs,
               margin="25"),
        added(1, [fill("short", SPOT, "sell", 100, "0.51", rate=0)], ("0.51", "0.51"),
              collateral="5"),
    )  # fmt: skip
    assert books.balance("assets:pair:1:collateral") == 56  # 51 of proceeds, 5 of our own
    assert attributed(books) == {"residual": D("1.00")}


def test_deleveraging_takes_no_fee_and_returns_margin_and_profit():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both)
    forced = deleveraged(1, [cover(100, "0.30")], ("0.31", "0.30"))
    (txn,) = transactions(forced, books)
    assert txn.cause == "pair:1:adl"
    assert amounts(txn) == {
        ("income:perp", "USDT"): D(-20),
        (CASH, "USDT"): D(45),
        (MARGIN, "USDT"): D(-25),
    }
    take(books, forced)
    # hedged until then: 100 coins fell by 0.19, the perpetual by 0.20
    assert attributed(books) == {"basis": D("1.00")}
    assert books.lots(1).liquidated
    take(books, shrunk(1, [sell(100, "0.28")], ("0.28", "0.28"), closed=True))
    assert attributed(books) == {"basis": D("1.00"), "residual": D("-3.00")}
    assert books.funds({}).free == 998


def test_a_part_that_is_deleveraged_returns_its_part_of_the_margin():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both, deleveraged(1, [cover(40, "0.30")], ("0.30", "0.30"), margin="10"))
    assert (books.balance(CASH), books.balance(MARGIN)) == (925 + 8 + 10, 15)
    assert books.lots(1).margin == 15


def test_deleveraging_one_of_two_perpetuals_leaves_the_others_margin():
    into = [fill("long", PERP, "buy", 100, "0.5", rate=0)]
    into += [fill("short", PERP_B, "sell", 100, "0.5", rate=0)]
    books = books_with(opened(1, into, ("0.5", "0.5"), legs=(PERP, PERP_B), margin="50"))
    gone = [fill("short", PERP_B, "buy", 100, "0.4", rate=0)]
    take(books, deleveraged(1, gone, ("0.4", "0.4"), key=PERP_B, margin="25"))
    assert (books.balance(CASH), books.balance(MARGIN)) == (950 + 10 + 25, 25)
    last = [fill("long", PERP, "sell", 100, "0.4", rate=0)]
    take(books, deleveraged(1, last, ("0.4", "0.4"), margin="25", closed=True))
    assert books.funds({}).free == books.funds({}).equity == 1000


def test_a_deleveraged_leg_pays_no_fee():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    with pytest.raises(RuleError, match="without a fee"):
        transactions(
            deleveraged(1, [cover(100, "0.3", rate="0.01")], ("0.3", "0.3")), books_with(both)
        )


def test_a_leg_that_stands_alone_is_liquidated_like_any_other():
    books = books_with(opened(1, [short(100, "0.50")], ("0.50", "0.50"), margin="25"))
    forced = (cover(100, "0.74", rate="0.001"),)
    gone = Liquidated(9, 1, PERP, D("0.74"), D("0.74"), forced, D("0.74"), D("0.74"), True)
    take(books, gone)
    assert books.funds({}).free == 1000 - 24 - D("0.074")
    assert attributed(books) == {"fees": D("-0.074"), "residual": D("-24.00")}


def test_margin_is_withdrawn_and_never_more_than_there_is():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both, MarginMoved(7, 1, D(10)), MarginMoved(8, 1, D("-7.5")))
    assert (books.balance(CASH), books.balance(MARGIN)) == (D("922.5"), D("27.5"))
    with pytest.raises(RuleError, match="no margin to move"):
        transactions(MarginMoved(9, 1, D("-27.51")), books)
    (txn,) = transactions(MarginMoved(9, 1, D("-27.5")), books)
    assert amounts(txn) == {(CASH, "USDT"): D("27.5"), (MARGIN, "USDT"): D("-27.5")}


def test_funding_beyond_cash_is_paid_from_the_margin_in_one_transaction():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both, start="76")  # one unit of cash is left
    paid = FundingSettled(
        8, 1, PERP, 8_000, D("-0.05"), D("0.5"), D(-100), D("-2.5"), from_margin=D("1.5")
    )
    (txn,) = transactions(paid, books)
    assert amounts(txn) == {
        ("income:funding", "USDT"): D("2.5"),
        (CASH, "USDT"): D("-1.0"),
        (MARGIN, "USDT"): D("-1.5"),
    }
    take(books, paid)
    assert attributed(books) == {"funding": D("-2.5")}
    assert books.lots(1).margin == books.balance(MARGIN) == D("23.5")
    assert books.lots(1).shortfall == 0


def test_interest_beyond_cash_is_paid_from_the_margin():
    legs = (PERP, SPOT)
    into = [fill("long", PERP, "buy", 100, "0.5", rate=0)]
    into += [fill("short", SPOT, "sell", 100, "0.5", rate=0)]
    both = opened(1, into, ("0.5", "0.5"), legs=legs, margin="25", collateral="5")
    books = books_with(both, start="30")
    due = BorrowCharged(8, 1, SPOT, 2, D("0.001"), D(100), D("0.5"), D("0.1"), from_margin=D("0.1"))
    take(books, due)
    assert (books.balance(CASH), books.balance(MARGIN)) == (0, D("24.9"))
    assert attributed(books) == {"borrow": D("-0.1")}


def test_what_margin_was_said_to_pay_but_did_not_have_is_refused():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both)
    for amount, lent in (("-2", "2.01"), ("-30", "25.01"), ("2", "1"), ("-2", "-1")):
        with pytest.raises(RuleError, match="cannot pay"):
            transactions(
                FundingSettled(8, 1, PERP, 8, D(0), D(1), D(-100), D(amount), from_margin=D(lent)),
                books,
            )


def test_what_nobody_foresaw_is_a_shortfall_and_the_pair_remembers_it():
    both = opened(1, [buy(100, "0.50"), short(100, "0.50")], ("0.50", "0.50"), margin="25")
    books = books_with(both, start="75")
    take(books, FundingSettled(8, 1, PERP, 8, D(0), D("0.5"), D(-100), D(-5)))
    pair = books.lots(1)
    assert (pair.margin, pair.shortfall, books.balance(MARGIN)) == (25, 5, 20)
    assert pair.contradictions() == []
    take(books, shrunk(1, [cover(80, "0.5"), sell(80, "0.5")], ("0.5", "0.5"), margin="22"))
    assert (pair.margin, pair.shortfall, books.balance(MARGIN)) == (3, 3, 0)
    take(books, shrunk(1, [cover(20, "0.5"), sell(20, "0.5")], ("0.5", "0.5"), closed=True))
    assert (pair.margin, pair.shortfall) == (0, 0)
    assert books.balance(VENUE_LOSS) == 0


def test_more_fills_beyond_cash_break_a_rule():
    books = books_with(opened(1, [buy(100, "0.50")], ("0.50", "0.50")), start="60")
    with pytest.raises(RuleError, match="below zero"):
        transactions(added(1, [short(100, "0.5")], ("0.5", "0.5"), margin="25"), books)


def test_an_addition_that_sells_is_refused_and_so_is_one_to_nothing():
    books = books_with(opened(1, [buy(100, "0.50")], ("0.50", "0.50")))
    for bad in (
        added(1, [sell(10, "0.5")], ("0.5", "0.5")),
        added(1, [], ("0.5", "0.5")),
        added(2, [short(10, "0.5")], ("0.5", "0.5")),
        added(1, [short(10, "0.5")], ("0.5", "0.5"), margin="-1"),
        shrunk(1, [cover(10, "0.5")], ("0.5", "0.5")),
    ):
        with pytest.raises(RuleError):
            transactions(bad, books)


def test_an_order_and_a_refused_leg_move_no_money():
    books = Books()
    take(books, session("1000"))
    quiet = [
        ordered(1),
        PlanChanged(5, 1, ExitPlan(D(1), D(9))),
        LegRejected(5, 1, "short", PERP, "min_qty", "Below the smallest lot."),
        OrderEnded(6, 1, "expired"),
    ]
    assert take(books, *quiet) == []
    assert (books.pairs, books.ordered) == ({}, set())
    with pytest.raises(RuleError, match="never opened"):
        transactions(PlanChanged(7, 1, ExitPlan()), books)


def test_an_order_fills_and_its_end_after_the_close_is_fine():
    books = books_with(ordered(1), opened(1, [buy(100, "0.50")], ("0.50", "0.50")))
    assert books.ordered == set()
    take(books, shrunk(1, [sell(100, "0.5")], ("0.5", "0.5"), closed=True))
    take(books, OrderEnded(9, 1, "filled"))
    assert [one.net for one in books.results] == [0]
