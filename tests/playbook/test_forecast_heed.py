"""Each decision says whether the forecast was used, and if not why."""

import pytest

from basisdesk.events import ClosePair, OpenPair
from basisdesk.playbook.autopilot import Autopilot
from basisdesk.playbook.carry import Carry
from basisdesk.playbook.decoupling import Decoupling
from basisdesk.playbook.journal import heeded, signed
from basisdesk.playbook.words import Decision
from basisdesk.ui.autopilot_rows import Watch, note_rows, why_text
from tests.playbook.playbook_rig import T0
from tests.playbook.test_playbook_carry import calm_view, scored

FEW = "too few effective outcomes: 12 of 200"
ABSTAINS = f"Forecast abstains: {FEW}; not used."


def seen(abstain=(), p=0.9):
    return scored(p, calm_view(), abstain=abstain)


def told(view, playbook):
    return heeded(view, playbook.decide(view, T0)).forecast


def test_a_playbook_that_asks_says_what_it_heard():
    assert told(seen(), Carry()).startswith("Forecast used: p 90.0 % (")
    assert told(seen((FEW,)), Carry()) == ABSTAINS
    assert told(calm_view(), Carry()) == "There is no score of this side; not used."


def test_a_playbook_that_does_not_ask_says_so():
    assert told(seen((FEW,)), Decoupling()) == ABSTAINS
    assert told(seen(), Decoupling()).startswith("Forecast not asked: it says p 90.0 %")


def test_the_words_are_noted_and_shown():
    pilot, now = Autopilot(), seen((FEW,))
    pilot.set_mode(now.pair, "auto", "carry", T0)
    pilot.step([now], now.t_ns)
    note = pilot.journal.notes[-1]
    assert note.forecast == pilot.seen(now.pair).forecast == ABSTAINS
    assert note_rows([note], True)[0].said.endswith(ABSTAINS)
    watch = Watch(now.pair, "auto", "carry", note.kind, note.code, note.text, forecast=ABSTAINS)
    assert why_text(watch).endswith(ABSTAINS)
    assert Autopilot.restored(pilot.dump()).journal.notes[-1] == note


@pytest.mark.parametrize(
    ("command", "by"),
    [
        (OpenPair("a", "b", 1), "autopilot: carry, edge, accepted by hand, decision 12"),
        (ClosePair(1), "autopilot: carry, edge, accepted by hand"),
    ],
)
def test_an_entry_names_its_decision(command, by):
    decision = Decision("enter", "edge", "Why.", (command,), 1)
    assert signed(decision, "carry", 12, "accepted by hand")[0].by == by
