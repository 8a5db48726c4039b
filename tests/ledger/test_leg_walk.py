"""Random lives of pairs whose legs come and go alone: after every step, everything adds up."""

import decimal
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walk_cases import Walk

from basisdesk.errors import RuleError
from basisdesk.events import MONEY
from basisdesk.ledger.audit import Held, audit
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.posting import residual
from basisdesk.trading.pair_states import MOVES
from basisdesk.trading.positions import Positions

D = Decimal


def held(positions):
    """What positions say of each pair that is not closed, as the engine tells the audit."""
    return {
        one.pair: Held(one.long.qty, one.short.qty, one.margin, one.collateral)
        for one in positions.live()
    }


def check(walk):
    """All that must hold after a step."""
    with decimal.localcontext(MONEY):
        earned = D(0)
        for number, pair in walk.books.pairs.items():
            for got in (
                pair.attribution(),
                pair.attribution(D("0.4321"), D("0.6543"), D("0.4320"), D("0.6544")),
            ):
                terms = (got.basis, got.funding, got.fees, got.slippage, got.borrow, got.residual)
                assert sum(terms) == got.total == got.truth
            assert pair.contradictions() == []
            earned += pair.attribution().total
            margin = walk.books.balance(f"assets:pair:{number}:margin")
            position = walk.positions.pairs[number]
            assert position.long.qty == pair.legs["long"].qty
            assert position.short.qty == -pair.legs["short"].qty
            assert position.margin == pair.margin == margin + pair.shortfall >= 0
            assert position.collateral == pair.collateral
        assert walk.books.funds({}).equity == walk.books.start + earned
        sums = {}
        for (_, currency), amount in walk.books.balances().items():
            sums[currency] = sums.get(currency, D(0)) + amount
        assert not any(sums.values())
    assert walk.books.balance("assets:cash") >= 0
    assert audit(walk.books, held(walk.positions)) == []


def check_states(walk, before):
    """Every state is one that its fills mean, reached by a move of the table."""
    for number, position in walk.positions.pairs.items():
        old = before.get(number, "working")
        assert position.state == old or position.state in MOVES[old]
        assert (position.unhedged_ns is not None) == (position.state == "unhedged")
        if position.state in ("open", "unhedged"):
            assert position.hedged == (position.state == "open")
        assert (position.state == "closed") == (
            not position.working and not position.long.qty and not position.short.qty
        )


def run(seed, steps, start="1000000"):
    walk = Walk(seed, start)
    for _ in range(steps):
        before = {n: p.state for n, p in walk.positions.pairs.items()}
        try:
            txns = walk.step()
        except RuleError as refusal:  # an entry that cash does not cover: it never happened
            assert "below zero" in str(refusal)
            continue
        if txns is None:
            continue
        assert not any(residual(txn.postings) for txn in txns)
        check(walk)
        check_states(walk, before)
    return walk


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_everything_adds_up_after_every_step(seed):
    run(seed, 60)


@given(st.integers(0, 2**32), st.sampled_from(["150", "400", "900"]))
@settings(deadline=None, max_examples=40)
def test_everything_adds_up_when_money_is_short(seed, start):
    run(seed, 60, start)


def test_the_walk_meets_every_kind_of_outcome():
    done = {}
    for seed in range(8):
        for name, count in run(seed, 120).done.items():
            done[name] = done.get(name, 0) + count
    assert {
        "PairOpened", "PairAdded", "PairReduced", "Liquidated", "FundingSettled", "BorrowCharged",
        "MarginMoved", "Ordered", "OrderEnded",
    } <= set(done)  # fmt: skip
    assert min(done[name] for name in ("PairAdded", "PairReduced", "Liquidated")) > 20


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_what_was_told_folds_to_the_same_books_positions_and_results(seed):
    walk = run(seed, 150)
    books, positions = Books(), Positions("USDT")
    with decimal.localcontext(prec=64):
        for outcome, txns in walk.log:
            books.apply(outcome, txns)
            positions.apply(outcome)
    assert books.digest() == walk.books.digest()
    assert books.results == walk.books.results
    assert positions.pairs == walk.positions.pairs
    assert positions.next_pair == walk.positions.next_pair
    closed = {n for n, pair in books.pairs.items() if pair.closed_ns is not None}
    assert {one.pair for one in books.results} == closed
    for one in books.results:
        assert one.net == books.attribution(one.pair).total
        assert one.closed_ns == positions.pairs[one.pair].closed_ns


def test_what_was_told_comes_back_from_the_journal_as_it_went_in(tmp_path):
    walk = run(7, 120)
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append_many(walk.log)
        assert [(one, txns) for _, one, txns in journal.entries()] == walk.log
    report = check_journal(path)
    assert report.problems == []
    assert report.digest == walk.books.digest()
    lonely = {n for n, pair in walk.books.open_pairs.items() if pair.one_legged}
    assert len(report.notes) == len(lonely)
