"""Whatever is unknown, old or odd of a pair: a playbook decides, in words without a "nan"."""

import random
from math import inf, nan

import pytest

from basisdesk.events import ExitPlan, Result
from basisdesk.playbook import shelf
from basisdesk.playbook.sizing import Wish, sized
from basisdesk.playbook.words import Account, Band, Flow, Funding, Gap, Terms
from tests.playbook.playbook_rig import MS0, T0, Books, D, but, held, view
from tests.playbook.test_playbook_carry import score

BASES = (nan, -1e4, -80.0, -4.5, 0.0, 3.0, 60.0, 1e4)
RATES = (nan, -40.0, -1.0, 0.0, 1.0, 7.0, 40.0)
SDS = (nan, 0.0, 0.3, 12.0, 1e3)


def odd(rng):
    """A view with anything in it that a market may show."""

    sane = view(rng.choice([-70.0, 2.0, 60.0]))
    strange = rng.random() < 0.5

    def one(values):
        return rng.choice(values)

    def some(**given):
        """Half of the views are odd in all, the others in a few things."""
        return given if strange else dict(rng.sample(sorted(given.items()), 4))

    plans = (ExitPlan(), ExitPlan(D(5), D(90), D(2)), ExitPlan(None, D(9), None, D(3), D(1), True))
    position = None
    if rng.random() < 0.4:
        position = held(
            one(plans), one([None, "-500", "0", "7"]), one([0.0, 0.5, 99.0]),
            direction=one([1, -1]), close_bp=one(BASES), entry_bp=one(BASES),
            notional=one([D(0), D(5_000)]), state=one(["open", "unhedged", "naked"]),
        )  # fmt: skip
    mid = one(BASES)
    changes = some(
        price=Books(one(["", "", "Not now."]), one(["go", "thin", "no"]), one(["0", "3", "20000"])),
        mid_bp=mid,
        open_bp=mid - one([nan, 0.0, 1.5, 500.0]),
        fair_bp=one(BASES),
        high_bp=one(BASES),
        low_bp=one(BASES),
        fast=Band(one(BASES), one(SDS), one([True, True, False])),
        slow=Band(one(BASES), one(SDS), one([True, True, False])),
        funding=Funding(
            one(RATES), one(RATES), one(RATES), one([0, MS0, MS0 + 3_600_000]), one([0.0, 1.0, 8.0])
        ),
        flow=Flow(
            one(BASES), one(RATES), one(["", "perp"]), "why", one(SDS), one([nan, -2.0, 2.0])
        ),
        terms=Terms(one([nan, 0.0, 31.0]), one([nan, 34.0]), 0.0, one([D(0), D(200)])),
        account=Account(
            one([D(0), D(9_000)]), one([D(0), D(4_000), D(10_000)]), one([D(0), D(10_000)])
        ),
        score=one([None, score(0.9), score(nan), score(0.2, nan), score(0.2)]),
        score_side=one([0, 1, -1]),
        sector=one(["", "for", "against"]),
        gap=one([None, Gap("a", "b", 9.0, 4, nan), Gap("a", "b", 9.0, 4, 9.0)]),
        held=position,
        ours=tuple(Result(n, T0, D(one([-3, 0, 3]))) for n in range(one([0, 4, 30]))),
        coin=one(["ADA", "BTC"]),
    )
    return but(sane, **changes)


@pytest.mark.parametrize("book", shelf.USUAL, ids=lambda book: book.name)
def test_an_odd_view_is_decided_in_words(book):
    rng, kinds = random.Random(5), set()
    for _ in range(3_000):
        seen = odd(rng)
        found = book.decide(seen, T0)
        kinds.add(found.kind)
        assert found.code
        assert found.text
        assert "nan" not in found.text.lower()
        assert str(inf) not in found.text.split()
        assert bool(found.commands) == (found.kind != "stand")
        if found.kind == "enter":
            plan = found.commands[0].exit
            assert plan.stop_bp is not None
            assert plan.target_bp is not None or plan.net_target is not None
            assert plan.max_hold_h is not None
            assert found.commands[0].qty > 0
            assert seen.held is None
            assert seen.risk.entries
        if found.kind == "exit":
            assert seen.held is not None
    assert kinds == {"enter", "exit", "stand"}


MINUS = "\N{MINUS SIGN}"
BOOKS = {book.name: book for book in shelf.USUAL}
FAULTS = (inf, -inf, 1e300, -1e300, 6_000.0)


def faulty(seen, fault):
    """The view with one figure after the other beyond belief, all that a feed could break."""
    for name in ("mid_bp", "open_bp", "close_bp", "fair_bp", "high_bp", "low_bp"):
        yield but(seen, **{name: fault})
    for part, names in (
        ("fast", ("mean_bp", "sd_bp")),
        ("slow", ("mean_bp", "sd_bp")),
        ("funding", ("rate_8h_bp", "settled_8h_bp", "borrow_8h_bp")),
        ("terms", ("fees_bp", "round_trip_bp")),
    ):
        for name in names:
            yield but(seen, **{part: but(getattr(seen, part), **{name: fault})})
    yield but(seen, funding=but(seen.funding, interval_h=fault, next_ms=MS0 - 5))
    yield but(seen, funding=but(seen.funding, velocity_bp_h=fault))
    yield but(seen, flow=Flow(fault, fault, "perp", "why", fault, fault))


@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize("two_perps", [False, True])
def test_a_figure_beyond_belief_makes_no_plan_and_no_fault(name, two_perps):
    book, entered = BOOKS[name], 0
    for mid in (60.0, -90.0):
        usual = {"two_perps": two_perps, "score": score(0.95), "score_side": 0}
        funding = Funding(mid, mid, 0.0, MS0 + 3_600_000, 8.0, 0.0)
        sane = view(mid, funding=funding, fast=Band(0.95 * mid, 12.0, True), **usual)
        for fault in FAULTS:
            for seen in faulty(sane, fault):
                found = book.decide(seen, T0)
                entered += found.kind == "enter"
                assert all(abs(float(each.exit.stop_bp)) < 1e4 for each in found.commands)
                position = held(ExitPlan(D(5), D(90), D(2)), "7", close_bp=fault, entry_bp=fault)
                assert book.decide(but(seen, held=position), T0).text
        wild = but(sane, slow=but(sane.slow, sd_bp=4_000.0))  # a stop of many deviations
        orders = [*book.decide(sane, T0).commands, *book.decide(wild, T0).commands]
        assert all(abs(float(each.exit.stop_bp)) < 1e4 for each in orders)
    assert entered > 0


def test_a_plan_beyond_any_market_is_not_sent():
    for stop in ("-9500", "12000"):
        plan = ExitPlan(D(5), D(stop), D(2))
        found = sized(but(view(), two_perps=True), Wish(direction=-1, plan=plan, edge_bp=20.0))
        assert found == f"A plan at {float(stop):.1f} bp lies beyond any market.".replace(
            "-", MINUS
        )
