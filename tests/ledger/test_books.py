from decimal import Decimal

from ledger_cases import PERP, SPOT, Dice, ada_example, every_kind, session, take, traded

from basisdesk.events import FundingSettled
from basisdesk.ledger.books import RECENT_MAX, RESULTS_MAX, Books
from basisdesk.ledger.posting import Posting, Transaction
from basisdesk.ledger.rules import transactions

D = Decimal


def test_funds_value_what_is_open_at_the_mids_given_and_else_at_the_last_ones_known():
    books = Books()
    take(books, session("10000"), ada_example()[0])
    fees = D("3.64") + D("2.01575")
    assert books.funds({}).free == D(10_000) - 3640 - D("1832.5") - fees
    assert books.funds({}).equity == 10_000 - fees
    assert books.funds({SPOT: D("0.3650")}).equity == 10_010 - fees
    assert books.funds({SPOT: D("0.3650"), PERP: D("0.3651")}).equity == 10_024 - fees


def test_when_flat_equity_is_all_money_and_it_is_all_cash():
    books, _ = traded(50)
    assert books.funds({}).equity == books.funds({}).free == books.balance("assets:cash")


def test_the_same_outcomes_give_the_same_digest_and_others_another():
    one, other = traded(30, seed=1)[0], traded(30, seed=1)[0]
    assert one.digest() == other.digest()
    assert one.digest() != traded(30, seed=2)[0].digest()
    assert len(one.digest()) == 64


def test_the_digest_knows_neither_the_session_nor_how_many_zeros_were_written():
    def digest(name, start):
        books = Books()
        started = session(start)
        started = type(started)(started.ts_ns, name, "live", "9", "USDT", D(start))
        take(books, started, *ada_example())
        return books.digest()

    assert digest("a", "10000") == digest("b", "10000.00")
    assert digest("a", "10000") != digest("a", "10001")


def test_folding_what_was_written_gives_the_same_books_as_living_through_it():
    lived, log = traded(200)
    folded = Books()
    for outcome, txns in log:
        folded.apply(outcome, txns)
    assert folded.digest() == lived.digest()
    assert folded.balances() == lived.balances()
    assert folded.funds({}) == lived.funds({})
    assert [folded.attribution(n) for n in folded.pairs] == [
        lived.attribution(n) for n in lived.pairs
    ]


def test_the_balances_of_all_accounts_cancel_in_every_currency():
    books, _ = traded(100)
    left = {}
    for (_, currency), amount in books.balances().items():
        left[currency] = left.get(currency, D(0)) + amount
    assert not any(left.values())


def test_recent_transactions_are_bounded():
    books = Books()
    for ts_ns in range(RECENT_MAX + 5):
        lines = (Posting("assets:cash", "USDT", D(1)), Posting("equity:opening", "USDT", D(-1)))
        books.post(Transaction(ts_ns, "t", lines))
    assert len(books.recent) == RECENT_MAX
    assert books.recent[-1][0] == books.posted == RECENT_MAX + 5


def test_outcomes_without_money_leave_the_books_alone():
    books = Books()
    for outcome in every_kind()[1:3]:
        assert transactions(outcome, books) == ()
        take(books, outcome)
    assert books.balances() == {}


def test_open_pairs_of_all_three_kinds_are_worth_their_attribution():
    books, dice = Books(), Dice(9)
    take(books, session("1000000"))
    for _ in range(60):
        take(books, dice.trade()[0])
    earned = sum(books.attribution(n).total for n in books.pairs)
    assert books.funds({}).equity == books.start + earned
    assert {tuple(leg.spot for leg in p.legs.values()) for p in books.pairs.values()} == {
        (True, False),
        (False, True),
        (False, False),
    }


def test_results_tell_what_each_closed_pair_earned_oldest_first():
    books, _ = traded(40)
    closed = [n for n, pair in books.pairs.items() if pair.closed_ns is not None]
    assert [one.pair for one in books.results] == closed
    assert [one.net for one in books.results] == [books.attribution(n).total for n in closed]
    assert books.funds({}).results == tuple(books.results)
    assert sum(one.net for one in books.results) == books.funds({}).free - books.start


def test_a_settlement_after_the_close_is_counted_into_its_result():
    books = Books()
    take(books, session("10000"), *ada_example())
    (before,) = books.results
    take(books, FundingSettled(30, 1, PERP, 8, D("0.001"), D("0.365"), D(-10_000), D("3.65"), True))
    (after,) = books.results
    assert after.net == before.net + D("3.65") == books.attribution(1).total
    assert (after.pair, after.closed_ns) == (1, before.closed_ns)


def test_results_are_kept_up_to_a_limit_and_a_forgotten_one_stays_forgotten():
    dice, books = Dice(2), Books()
    take(books, session("1000000"))
    for _ in range(RESULTS_MAX + 7):
        take(books, *dice.trade())
    assert len(books.results) == RESULTS_MAX
    before = tuple(books.results)
    late = FundingSettled(10**15, 1, PERP, 8, D(0), D(1), D(-1), D("0.5"))
    take(books, late)
    assert tuple(books.results) == before
