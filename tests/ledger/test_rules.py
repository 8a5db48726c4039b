import random
from decimal import Decimal

import pytest
from ledger_cases import (
    PERP,
    PERP_B,
    SPOT,
    ada_example,
    every_kind,
    fill,
    opened,
    reduced,
    session,
    take,
)
from msgspec.structs import replace

from basisdesk.errors import RuleError
from basisdesk.events import BorrowCharged, ExitPlan, FundingSettled, Liquidated, MarginMoved
from basisdesk.events import PlanChanged as Plan
from basisdesk.ledger.attribution import VENUE_LOSS, coin
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions

D = Decimal
LONG_SPOT = [fill("long", SPOT, "buy", 100, "0.5"), fill("short", PERP, "sell", 100, "0.5")]
SHORT_SPOT = [fill("long", PERP, "buy", 100, "0.5"), fill("short", SPOT, "sell", 100, "0.5")]
HALVES = ("0.5", "0.5")


def books_with(*outcomes, start="1000"):
    books = Books()
    take(books, session(start), *outcomes)
    return books


def amounts(txn):
    return {(p.account, p.currency): p.amount for p in txn.postings}


def test_a_spot_buy_and_a_perp_sale_are_booked_leg_by_leg():
    books = books_with()
    spot, perp, secure = transactions(opened(1, LONG_SPOT, HALVES, margin="25"), books)
    assert spot.cause == "pair:1:open:long:1"
    assert amounts(spot) == {
        ("assets:cash", "USDT"): D("-50.05"),
        ("equity:conversion", "USDT"): D(50),
        ("equity:conversion", "ADA"): D(-100),
        ("assets:pair:1:spot", "ADA"): D(100),
        ("expenses:fees", "USDT"): D("0.05"),
    }
    assert amounts(perp) == {
        ("assets:cash", "USDT"): D("-0.0275"),
        ("expenses:fees", "USDT"): D("0.0275"),
    }
    assert amounts(secure) == {
        ("assets:cash", "USDT"): D(-25),
        ("assets:pair:1:margin", "USDT"): D(25),
    }
    assert books.pairs == {}  # read, not changed


def test_the_profit_of_a_perpetual_is_realised_first_in_first_out():
    entry = [
        *LONG_SPOT[:1],
        fill("short", PERP, "sell", 60, "0.50", rate=0),
        fill("short", PERP, "sell", 40, "0.52", rate=0),
    ]
    books = books_with(opened(1, entry, HALVES, margin="25"))
    half = [
        fill("long", SPOT, "sell", 70, "0.5", rate=0),
        fill("short", PERP, "buy", 70, "0.40", rate=0),
    ]
    close, cover, release = transactions(reduced(1, half, HALVES, margin="10", closed=False), books)
    assert amounts(cover)["income:perp", "USDT"] == -(60 * D("0.10") + 10 * D("0.12"))
    assert amounts(release)["assets:cash", "USDT"] == D(10)
    assert close.cause == "pair:1:close:long:1"


def test_a_buy_back_that_costs_more_than_the_sale_brought_takes_the_rest_from_cash():
    books = books_with(
        opened(1, SHORT_SPOT, HALVES, legs=(PERP, SPOT), margin="25", collateral="5")
    )
    out = [
        fill("long", PERP, "sell", 40, "0.6", rate=0),
        fill("short", SPOT, "buy", "40.1", "0.6", base=True, dust="0.0599"),
    ]
    take(books, reduced(1, out, ("0.6", "0.6"), margin="10", collateral="2", closed=False))
    assert books.balance("liabilities:pair:1:borrow", "ADA") == D(-60)
    assert books.balance("assets:pair:1:collateral") == 60 * D("0.5") + 3  # proceeds and own cash
    assert books.balance("expenses:dust", "ADA") == D("0.0599")


def test_collateral_that_is_asked_back_never_includes_the_proceeds_of_coins_still_owed():
    books = books_with(
        opened(1, SHORT_SPOT, HALVES, legs=(PERP, SPOT), margin="25", collateral="5")
    )
    out = [
        fill("long", PERP, "sell", 40, "0.5", rate=0),
        fill("short", SPOT, "buy", 40, "0.5", rate=0),
    ]
    take(books, reduced(1, out, HALVES, margin="999", collateral="999", closed=False))
    assert books.balance("assets:pair:1:collateral") == 60 * D("0.5")
    assert books.balance("assets:pair:1:margin") == 0


def test_two_perpetuals_move_no_coins():
    entry = [fill("long", PERP, "buy", 100, "0.5"), fill("short", PERP_B, "sell", 100, "0.51")]
    out = [fill("long", PERP, "sell", 100, "0.6"), fill("short", PERP_B, "buy", 100, "0.6")]
    books = books_with(
        opened(1, entry, ("0.5", "0.51"), legs=(PERP, PERP_B), margin="50"),
        reduced(1, out, ("0.6", "0.6"), margin="50"),
    )
    assert {currency for _, currency in books.balances()} == {"USDT"}
    assert books.balance("income:perp") == -(D(10) - D(9))


def test_a_closed_pair_gives_back_everything_whatever_was_asked():
    books = books_with(opened(1, LONG_SPOT, HALVES, margin="25"))
    out = [fill("long", SPOT, "sell", 100, "0.5"), fill("short", PERP, "buy", 100, "0.5")]
    take(books, MarginMoved(7, 1, D("3.21")), reduced(1, out, HALVES, margin="25"))
    assert {a for a, _ in books.balances() if "pair" in a} == set()


def test_funding_moves_cash_and_what_cash_lacks_comes_from_the_margin():
    books = books_with(opened(1, LONG_SPOT, HALVES, margin="25"), start="76")
    cash = books.balance("assets:cash")
    paid = FundingSettled(8, 1, PERP, 8_000, D("-0.02"), D("0.5"), D(-100), D(-1))
    txns = transactions(paid, books)
    assert [txn.cause for txn in txns] == ["pair:1:funding:8000", "pair:1:shortfall"]
    take(books, paid)
    assert books.balance("assets:cash") == 0
    assert books.balance("assets:pair:1:margin") == 25 - (1 - cash)
    assert books.balance("income:funding") == 1
    take(books, FundingSettled(9, 1, PERP, 9_000, D("0.02"), D("0.5"), D(-100), D("0.5")))
    assert books.balance("assets:cash") == D("0.5")


def test_a_cost_beyond_cash_and_margin_is_the_venues_and_cash_stays_at_zero():
    books = books_with(opened(1, LONG_SPOT, HALVES, margin="25"), start="76")
    take(books, FundingSettled(8, 1, PERP, 8, D(-1), D("0.5"), D(-100), D(-50)))
    assert books.balance("assets:cash") == books.balance("assets:pair:1:margin") == 0
    assert books.balance(VENUE_LOSS) < 0
    assert books.attribution(1).total == books.funds({}).equity - 76


def test_interest_is_paid_from_cash():
    books = books_with(
        opened(1, SHORT_SPOT, HALVES, legs=(PERP, SPOT), margin="25", collateral="5")
    )
    before = books.balance("assets:cash")
    take(books, BorrowCharged(8, 1, SPOT, 2, D("0.001"), D(100), D("0.5"), D("0.1")))
    assert before - books.balance("assets:cash") == books.balance("expenses:borrow") == D("0.1")
    assert books.attribution(1).borrow == D("-0.1")


def test_what_is_left_of_the_margin_after_a_liquidation_returns_to_cash():
    books = books_with(opened(1, LONG_SPOT, HALVES, margin="25"))
    cash = books.balance("assets:cash")
    forced = (fill("short", PERP, "buy", 100, "0.70", rate="0.01"),)
    take(books, Liquidated(6, 1, PERP, D("0.7"), D("0.7"), forced, D("0.7"), D("0.7"), False))
    assert books.balance("assets:cash") - cash == D(25) - D(20) - D("0.7")
    assert books.balance("assets:pair:1:margin") == 0
    assert books.balance(VENUE_LOSS) == 0
    assert books.lots(1).liquidated


def test_the_first_session_deposits_and_later_ones_do_not():
    books = books_with(session("500", ts_ns=2), start="1000")
    assert books.balance("assets:cash") == 1000
    assert (books.sessions, books.posted) == (2, 1)


def test_A11_an_entry_that_costs_exactly_all_cash_is_booked_for_any_prices():
    dice = random.Random(5)
    for _ in range(1_000):
        qty, price = D(dice.randint(1, 10**7)) / 1000, D(dice.randint(1, 10**8)) / 10_000
        fills = [fill("long", SPOT, "buy", qty, price), fill("short", PERP, "sell", qty, price)]
        cost = qty * price + sum(one.fee for one in fills)
        margin = (cost / 5).quantize(D("0.01"))
        exact = opened(1, fills, (price, price), margin=margin)
        books = books_with(exact, start=cost + margin)
        assert books.balance("assets:cash") == 0
        with pytest.raises(RuleError, match="below zero"):
            books_with(exact, start=cost + margin - D("1E-14"))


def test_margin_beyond_cash_breaks_a_rule():
    books = books_with(opened(1, LONG_SPOT, HALVES, margin="25"))
    with pytest.raises(RuleError, match="below zero"):
        transactions(MarginMoved(7, 1, D(10_000)), books)
    for amount in (D(0), D("-25.00000001")):
        with pytest.raises(RuleError, match="no margin"):
            transactions(MarginMoved(7, 1, amount), books)


OUT = [fill("long", SPOT, "sell", 100, "0.5"), fill("short", PERP, "buy", 100, "0.5")]
WRONG = {
    "no leg": opened(2, [], HALVES),
    "opened twice": opened(1, LONG_SPOT, HALVES),
    "margin of a spot leg": opened(2, LONG_SPOT[:1], HALVES, margin="25"),
    "collateral without a loan": opened(2, LONG_SPOT, HALVES, margin="25", collateral="1"),
    "negative margin": opened(2, LONG_SPOT, HALVES, margin="-1"),
    "unknown pair": reduced(9, OUT, HALVES),
    "more than held": reduced(1, [fill("short", PERP, "buy", 101, "0.5"), OUT[0]], HALVES),
    "not empty": reduced(1, [fill("long", SPOT, "sell", 50, "0.5"), OUT[1]], HALVES),
    "empty, not closed": reduced(1, OUT, HALVES, closed=False),
    "nothing closed": reduced(1, [], HALVES, closed=False),
    "margin of a leg that is gone": reduced(1, OUT[1:], HALVES, margin="24", closed=False),
    "half a liquidation": Liquidated(
        9, 1, PERP, D(1), D(1), (fill("short", PERP, "buy", 40, "0.7"),), D("0.5"), D("0.5"), False
    ),
    "wrong instrument": reduced(1, [fill("long", PERP, "sell", 100, "0.5"), OUT[1]], HALVES),
    "wrong side": reduced(1, [fill("long", SPOT, "buy", 100, "0.5"), OUT[1]], HALVES),
    "no such leg": reduced(1, [fill("left", SPOT, "sell", 100, "0.5"), OUT[1]], HALVES),
    "nothing": reduced(1, [fill("long", SPOT, "sell", 0, "0.5"), OUT[1]], HALVES),
    "perp fee in coins": opened(
        2, [LONG_SPOT[0], fill("short", PERP, "sell", 100, "0.5", base=True)], HALVES
    ),
    "perp dust": opened(
        2, [LONG_SPOT[0], fill("short", PERP, "sell", 100, "0.5", dust="1")], HALVES
    ),
    "spot liquidated": Liquidated(9, 1, SPOT, D(1), D(1), (OUT[0],), D("0.5"), D("0.5"), False),
}


@pytest.mark.parametrize("outcome", WRONG.values(), ids=WRONG.keys())
def test_what_contradicts_the_books_is_refused_before_anything_is_written(outcome):
    books = books_with(opened(1, LONG_SPOT, HALVES, margin="25"))
    digest = books.digest()
    with pytest.raises(RuleError):
        transactions(outcome, books)
    assert books.digest() == digest


def test_a_closed_pair_takes_no_more_trades_but_late_funding_still_counts():
    books = books_with(*ada_example(), start="10000")
    late = FundingSettled(30, 1, PERP, 8, D("0.001"), D("0.365"), D(-10_000), D("3.65"), late=True)
    take(books, late)
    assert books.attribution(1).total == books.funds({}).free - 10_000 == D("16.3362")
    with pytest.raises(RuleError, match="is closed"):
        transactions(ada_example()[1], books)
    assert transactions(Plan(20, 1, ExitPlan()), books) == ()


def test_every_kind_of_outcome_can_be_booked():
    books = Books()
    for outcome in every_kind():
        take(books, outcome)
    assert books.sessions == 2


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("bybit:spot:ADAUSDT", "ADA"),
        ("kraken:spot:ADA/USD", "ADA"),
        ("okx:spot:ADA-USDT", "ADA"),
        ("bybit:spot:USDCUSDT", "USDC"),
        ("bybit:spot:BTCUSDC", "BTC"),
        ("gate:spot:ADA_USDT", "ADA"),
        ("x:spot:ADAEUR", "ADA"),
        ("x:spot:ADAXYZ", "ADAXYZ"),
        ("kraken:perp:PF_XBTUSD", "BTC"),
    ],
)
def test_the_coin_of_a_spot_leg_is_read_from_its_name(key, name):
    assert coin(key) == name


@pytest.mark.parametrize("short", [False, True])
def test_a_spot_symbol_with_a_multiplier_pays_its_fee_in_the_coin_of_the_codec(short):
    spot, perp = "bybit:spot:1000PEPEUSDT", "bybit:perp:1000PEPEUSDT"
    coins = replace(fill("long", spot, "buy", 100, "0.5", base=True), fee_currency="PEPE")
    legs = (spot, perp)
    first = [coins, fill("short", perp, "sell", 100, "0.5")]
    last = [fill("long", spot, "sell", coins.qty - coins.fee, "0.5")]
    last.append(fill("short", perp, "buy", 100, "0.5"))
    if short:
        legs = (perp, spot)
        owed = coins.qty - coins.fee
        first = [fill("long", perp, "buy", 100, "0.5"), fill("short", spot, "sell", owed, "0.5")]
        last = [fill("long", perp, "sell", 100, "0.5"), replace(coins, leg="short")]
    books = books_with(opened(1, first, HALVES, legs=legs, margin="25"))
    take(books, reduced(1, last, HALVES, margin="25"))
    left = {key for key in books.balances() if "pair:1" in key[0]}
    assert left == set()
    assert books.balance("expenses:fees", "PEPE") == coins.fee


def test_the_accounts_own_currency_ends_the_symbol_too():
    assert coin("x:spot:ADAEUR", "EUR") == "ADA"
    assert coin("bybit:spot:1000PEPEUSDT") == "PEPE"
