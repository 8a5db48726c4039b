"""Each playbook trades a named demo scenario from entry to exit by itself, and rests in the calm.

In the demo market every basis comes back by construction: that a pair earned here shows that the
plumbing works and no edge.
"""

import json

import pytest

from basisdesk.demo.scenarios import SCENARIOS
from basisdesk.playbook.autopilot import Autopilot
from basisdesk.playbook.reader import Beside
from tests.playbook.rehearsal import Rehearsal
from tests.playbook.test_playbook_carry import score

ADA = ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
PENDLE = ("bybit:perp:PENDLEUSDT", "okx:perp:PENDLE-USDT-SWAP")
TRADES = {
    "decoupling": ("decoupling", ADA, 2.0, 30),
    "convergence": ("decoupling", ADA, 2.0, 30),
    "carry": ("decoupling", ADA, 2.0, 90),
    "clamp-aware": ("decoupling", ADA, 2.0, 90),
    "funding-gap": ("openings", PENDLE, 50.0, 26 * 60),
}  # playbook -> scenario, legs, seconds a step, minutes at most


def rehearse(book, scenario, legs, step_s, **given):
    made = Rehearsal(scenario, legs, step_s=step_s, **given)
    made.autopilot.set_mode(made.pair, "auto", book, made.now_ns)
    if book == "clamp-aware":  # a forecast that has learned for months is not rehearsed here
        made.beside = lambda view: Beside(score=score(0.9, 0.75))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("book", TRADES)
def test_it_trades_a_scenario_from_entry_to_exit(book):
    scenario, legs, step_s, minutes = TRADES[book]
    assert scenario in SCENARIOS
    made = rehearse(book, scenario, legs, step_s)
    assert made.run(minutes, lambda each: bool(each.closed()))
    told = made.said("enter", "opened", "exit", "closed")
    assert [kind for kind, _ in told if kind != "exit"] == ["enter", "opened", "closed"]
    assert made.closed()[0].net > 0
    assert made.autopilot.results(book) == made.closed()
    notes = made.autopilot.journal.notes
    assert all(note.text.endswith((".", "%", ")")) and note.code for note in notes)
    assert made.engine.audit() == []
    assert made.engine.desk.risk.state == "active"


@pytest.mark.slow
@pytest.mark.parametrize("book", TRADES)
def test_it_stands_still_in_the_calm(book):
    legs, step_s = TRADES[book][1:3]
    made = rehearse(book, "2025 calm", legs, min(step_s, 5.0))
    made.run(60)
    assert made.said("enter") == []
    assert made.engine.open_pairs() == []
    assert len(made.said("stand")) <= 10


@pytest.mark.slow
def test_the_swapped_legs_receive_the_same_gap():
    made = rehearse("funding-gap", "openings", PENDLE[::-1], 50.0)
    assert made.run(26 * 60, lambda each: bool(each.closed()))
    (position,) = [p for p in made.engine.desk.pairs.values() if p.state == "closed"]
    assert (position.long.instrument, position.short.instrument) == PENDLE
    assert position.entry_bp == pytest.approx(24.5, abs=4.0)
    assert float(position.plan.stop_bp) > position.entry_bp
    assert made.closed()[0].net > 0


def test_it_refuses_while_the_spread_widens_with_momentum():
    made = rehearse("decoupling", "decoupling", ADA, 2.0)
    assert made.run(6, lambda each: ("stand", "widening") in each.said())
    assert made.said("enter") == []


@pytest.mark.slow
def test_a_restart_in_the_middle_changes_no_trade():
    straight = rehearse("convergence", "decoupling", ADA, 2.0)
    broken = rehearse("convergence", "decoupling", ADA, 2.0)
    for minutes in (2.0, 2.0, 10.0):
        straight.run(minutes)
        broken.run(minutes)
        broken.autopilot = Autopilot.restored(json.loads(json.dumps(broken.autopilot.dump())))
    straight.run(15)
    broken.run(15)
    assert straight.closed() == broken.closed() != ()
    assert straight.engine.books.digest() == broken.engine.books.digest()
    assert straight.autopilot.dump() == broken.autopilot.dump()


@pytest.mark.slow
def test_the_same_tape_gives_the_same_journal():
    one, two = (rehearse("decoupling", "decoupling", ADA, 2.0) for _ in range(2))
    one.run(20)
    two.run(20)
    assert one.autopilot.dump() == two.autopilot.dump()
    assert one.engine.books.digest() == two.engine.books.digest()


@pytest.mark.slow
def test_clamp_aware_waits_for_the_turn_where_it_would_have_been_stopped_out():
    made = Rehearsal("decoupling", ADA, seed=6, step_s=2.0)
    made.autopilot.set_mode(made.pair, "auto", "clamp-aware", made.now_ns)
    made.beside = lambda view: Beside(score=score(0.9, 0.75))
    made.run(6)
    assert ("stand", "widening") in made.said()
    assert made.said("enter") == []
