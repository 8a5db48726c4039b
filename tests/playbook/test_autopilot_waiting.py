"""Commands of the autopilot that waited for the disk: which may go still, which are withdrawn."""

import pytest

from basisdesk.events import ClosePair
from tests.playbook.playbook_rig import PAIR, S, view
from tests.playbook.test_autopilot import Flight


def test_an_entry_goes_once_the_disk_knows_it():
    flight = Flight()
    sent = flight.look(view())
    assert flight.pilot.release(sent, flight.now + 4 * S, "", 5.0) == sent
    assert list(flight.pilot._sent) == [PAIR]


@pytest.mark.parametrize(
    ("mode", "book", "fault", "waited_s", "why"),
    [
        ("auto", "", "", 6, "it waited 6 s for the disk"),
        ("off", "", "", 1, "the pair was set to off meanwhile"),
        ("suggest", "", "", 1, "the pair was set to suggest meanwhile"),
        ("auto", "carry", "", 1, "the pair was given to carry meanwhile"),
        ("auto", "", "the disk is full", 1, "the disk is full"),
    ],
)
def test_an_entry_that_may_not_go_any_more_is_withdrawn(mode, book, fault, waited_s, why):
    flight = Flight()
    sent = flight.look(view())
    if (mode, book) != ("auto", ""):
        flight.pilot.set_mode(PAIR, mode, book, flight.now)
    exits = [ClosePair(9)]
    late = flight.now + waited_s * S
    assert flight.pilot.release(sent + exits, late, fault, 5.0) == exits
    note = flight.pilot.journal.notes[-1]
    assert (note.kind, note.code, note.text) == (
        "unanswered", "withdrawn", f"The entry was not sent: {why}.",
    )  # fmt: skip
    assert flight.pilot._sent == {}
    assert flight.look(view()) == []  # it cools down
    assert flight.pilot.release(sent, flight.now, "", 5.0) == []


def test_an_accepted_entry_goes_while_its_pair_is_on():
    flight = Flight("suggest")
    flight.look(view())
    sent = flight.pilot.accept(PAIR, flight.now)
    assert flight.pilot.release(sent, flight.now, "", 5.0) == sent
    flight.pilot.set_mode(PAIR, "off", "", flight.now)
    assert flight.pilot.release(sent, flight.now, "", 5.0) == []
