"""The autopilot: modes, one entry at a time, whose a position is, overrides, restarts."""

import json

import msgspec
import pytest

from basisdesk.errors import UserError
from basisdesk.events import ClosePair, ExitPlan, OpenPair, Result
from basisdesk.playbook.autopilot import Autopilot, Limits
from basisdesk.playbook.journal import NOTES_MAX
from basisdesk.playbook.words import View
from basisdesk.trading.risk import RiskState
from tests.playbook.playbook_rig import FIRST, PAIR, SECOND, T0, Books, D, S, but, held, view

PLAN = ExitPlan(D("7.5"), D("82.5"), D(2))
CALM = view(2.0)


class Flight:
    """An autopilot and the looks it is given, a second apart."""

    def __init__(self, mode="auto", book="decoupling", limits=None):
        self.pilot = Autopilot(limits=limits)
        self.now = T0
        self.by = ""  # of the last entry, as its position says it
        self.pilot.set_mode(PAIR, mode, book, T0, "to try it")

    def look(self, *views, after=1.0):
        self.now += round(after * S)
        seen = [but(each, t_ns=self.now) for each in views]
        commands = self.pilot.step(seen, self.now)
        self.by = next((each.by for each in commands if isinstance(each, OpenPair)), self.by)
        return commands

    def said(self, *kinds):
        notes = self.pilot.journal.notes
        return [(note.kind, note.code) for note in notes if note.kind in kinds or not kinds]

    def opened(self, plan=PLAN, number=1, **given):
        """The view once the entry was filled."""
        usual = {"opened_ns": self.now, "by": self.by}
        return but(view(50.0), held=held(plan, pair=number, **usual | given))

    def enter(self):
        """A position of its own."""
        (order,) = self.look(view())
        assert isinstance(order, OpenPair)
        self.look(self.opened())
        assert list(self.pilot.own) == [1]

    def again(self):
        """After a restart: what was kept went through JSON text."""
        kept = json.loads(json.dumps(self.pilot.dump(), allow_nan=False))
        later = Flight()
        later.pilot, later.now, later.by = Autopilot.restored(kept), self.now, self.by
        return later


# --- modes ----------------------------------------------------------------------------------------


def test_off_looks_at_nothing():
    flight = Flight("off", "")
    assert flight.look(view()) == []
    assert flight.said() == [("set", "mode")]
    assert flight.pilot.pairs == ()


def test_auto_sends_and_notes():
    flight = Flight()
    (order,) = flight.look(view())
    assert isinstance(order, OpenPair)
    note = flight.pilot.journal.notes[-1]
    assert (note.kind, note.code, note.done, note.mode) == ("enter", "turned", True, "auto")
    assert (note.mid_bp, note.entry_bp, note.p) == (60.0, 58.5, None)


def test_suggest_notes_and_sends_nothing_until_it_is_accepted():
    flight = Flight("suggest")
    assert flight.look(view()) == []
    assert flight.pilot.journal.notes[-1].kind == "enter"
    assert not flight.pilot.journal.notes[-1].done
    assert flight.pilot.suggestion(PAIR).code == "turned"
    (order,) = flight.pilot.accept(PAIR, flight.now, "looks right")
    flight.by = order.by
    assert isinstance(order, OpenPair)
    assert flight.pilot.journal.notes[-1].reason == "looks right"
    assert flight.pilot.accept(PAIR, flight.now) == []  # once
    flight.look(flight.opened())
    assert list(flight.pilot.own) == [1]  # its exits are suggested from here on
    assert flight.look(but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by))) == []
    assert flight.pilot.suggestion(PAIR).commands == (ClosePair(1),)


def test_an_old_suggestion_is_not_taken():
    flight = Flight("suggest")
    flight.look(view())
    assert flight.pilot.accept(PAIR, flight.now + 16 * S) == []


def test_nonsense_is_refused():
    flight = Flight()
    for mode, book in (("manual", "carry"), ("auto", "caryr")):
        with pytest.raises(UserError):
            flight.pilot.set_mode(PAIR, mode, book)
    with pytest.raises(UserError):
        flight.pilot.set_values("carry", {"leverage": 10})
    with pytest.raises(UserError):
        flight.pilot.reset("caryr")


# --- the journal ----------------------------------------------------------------------------------


def test_only_changed_decisions_are_noted():
    flight = Flight()
    for mid in (2.0, 2.5, 1.0):
        flight.look(view(mid))
    assert flight.said("stand") == [("stand", "cost-zone")]


def test_what_flickers_is_noted_once_a_while():
    flight = Flight()
    for _ in range(150):
        flight.look(CALM)
        flight.look(but(CALM, stale="Perp quote is old."))
    assert 4 <= len(flight.said("stand")) <= 7


def test_the_journal_is_bounded_and_given_out_once():
    flight = Flight()
    for n in range(NOTES_MAX + 10):
        flight.pilot.set_mode(PAIR, "off" if n % 2 else "auto", "carry", T0)
    assert len(flight.pilot.journal.notes) == NOTES_MAX
    taken = flight.pilot.journal.taken()
    assert taken[-1].n == NOTES_MAX + 11
    assert flight.pilot.journal.taken() == ()


# --- never too much -------------------------------------------------------------------------------


def test_a_second_entry_waits_for_the_first():
    flight = Flight()
    flight.look(view())
    assert flight.look(view()) == []
    assert flight.look(but(view(), busy=True), after=60) == []
    assert flight.said("unanswered") == []
    flight.look(flight.opened())
    assert flight.said("opened") == [("opened", "opened")]
    assert flight.look(flight.opened()) == []


def test_an_entry_that_came_to_nothing_cools_down():
    flight = Flight()
    flight.look(view())
    assert flight.look(view(), after=15) == []
    assert flight.said("unanswered") == [("unanswered", "unanswered")]
    books = Books()
    assert flight.look(view(books=books), after=299) == []
    assert books.asked == []  # an order that cannot be sent is not priced
    assert ("stand", "cool-down") in flight.said()
    assert len(flight.look(view(), after=2)) == 1


def test_one_entry_a_look_and_so_many_at_all():
    flight = Flight(limits=Limits(pairs_max=2, quiet_s=0.0))
    views = [but(view(), pair=f"a{n} b{n}") for n in (3, 1, 2)]
    for seen in views:
        flight.pilot.set_mode(seen.pair, "auto", "decoupling", T0)
    assert len(flight.look(*views)) == 1
    assert set(flight.pilot._sent) == {"a1 b1"}  # by name, whatever order they came in
    assert len(flight.look(*views)) == 1
    assert flight.look(*views) == []
    assert ("stand", "pairs-max") in flight.said()


def test_so_many_entries_an_hour():
    flight = Flight(limits=Limits(cool_s=0.0, patience_s=1.0, entries_h_max=3))
    sent = sum(len(flight.look(view(), after=2)) for _ in range(20))
    assert sent == 3
    assert len(flight.look(view(), after=3_600)) == 1


def test_it_is_silent_while_the_desk_takes_no_entries():
    flight = Flight()
    flight.enter()
    halted = RiskState("halted", "drawdown")
    late = but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by), risk=halted)
    assert flight.look(late) == []
    assert flight.look(but(late, risk=RiskState("reducing", "stale"))) == []
    assert flight.look(but(late, risk=RiskState())) == [close_of("time")]


def test_a_close_is_asked_for_once_and_again_where_nothing_came_of_it():
    flight = Flight()
    flight.enter()
    late = but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by))
    assert flight.look(late) == [close_of("time")]
    assert flight.look(late) == []
    assert flight.look(late, after=15) == [close_of("time")]


# --- whose it is ----------------------------------------------------------------------------------


def test_a_position_by_hand_is_left_alone():
    flight = Flight()
    by_hand = but(view(50.0), held=held(PLAN, "40", 1.0, pair=7))
    assert flight.look(by_hand) == []
    assert ("stand", "not-ours") in flight.said()


def test_a_position_stays_with_the_playbook_that_opened_it():
    flight = Flight()
    flight.enter()
    flight.pilot.set_mode(PAIR, "auto", "clamp-aware", flight.now)
    late = but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by))
    assert flight.look(late) == [close_of("time")]
    assert flight.pilot.journal.notes[-1].playbook == "decoupling"


def test_a_person_in_the_same_legs_is_never_claimed():
    """The desk refused the entry, and a person opened the same pair within its patience."""
    flight = Flight()
    flight.look(view())
    for by in ("", "league, a study", "autopilot: decoupling, turned (decision 1)"):
        theirs = but(
            flight.opened(), held=held(PLAN, "60", close_bp=2.0, opened_ns=flight.now, by=by)
        )
        assert flight.look(theirs) == []
        assert flight.pilot.own == {}
    assert flight.look(theirs, after=15) == []
    assert ("unanswered", "unanswered") in flight.said()
    assert flight.look(but(theirs, mid_bp=1.0)) == []


def test_another_position_of_its_number_is_not_its_own():
    flight = Flight()
    flight.enter()
    assert flight.look(but(flight.opened(), held=held(PLAN, "40", 1.0))) == []
    assert flight.pilot.own == {}


UNWATCHED = View(
    pair=PAIR, first=FIRST, second=SECOND, coin="ADA", t_ns=T0, stale="The pair is not watched."
)


@pytest.mark.parametrize("known", [None, (1,), (1, 2)])
def test_a_pair_that_is_out_of_sight_keeps_its_owner(known):
    flight = Flight()
    flight.enter()
    assert flight.look(but(UNWATCHED, live=known)) == []
    assert list(flight.pilot.own) == [1]
    late = but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by))
    assert flight.look(late) == [close_of("time")]


def test_what_the_desk_no_longer_holds_is_closed_though_out_of_sight():
    flight = Flight()
    flight.enter()
    flight.look(but(UNWATCHED, live=(2,), closed=(3, "user")))
    assert flight.pilot.own == {}
    (text,) = [each.text for each in flight.pilot.journal.notes if each.kind == "closed"]
    assert text == "Pair 1 is closed (unknown)."


def test_off_says_what_becomes_of_what_is_held():
    flight = Flight()
    flight.enter()
    flight.pilot.set_mode(PAIR, "off", "", flight.now)
    told = "Pair 1 keeps its exit plan; decoupling closes it no more."
    assert flight.pilot.journal.notes[-1].text == f"{PAIR} is off. {told}"
    late = but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by))
    assert flight.look(late) == []
    assert list(flight.pilot.own) == [1]
    flight.pilot.set_mode(PAIR, "auto", "carry", flight.now)
    assert flight.look(late) == [close_of("time")]  # the one that opened it looks at it again


def close_of(code, book="decoupling"):
    """A close as the autopilot sends it: it says whose it is."""
    return ClosePair(1, by=f"autopilot: {book}, {code}")


def closed(flight, why, net="5", number=1):
    result = Result(number, flight.now, D(net))
    return but(CALM, closed=(number, why), ours=(result,))


def test_what_the_plan_closed_is_told_with_its_net_and_cools_down():
    flight = Flight()
    flight.enter()
    flight.look(closed(flight, "target"))
    assert flight.said()[-1] == ("closed", "closed")
    assert "closed (target, net +5.00 USDT)" in flight.pilot.journal.notes[-1].text
    assert flight.pilot.results("decoupling") == (Result(1, flight.now - S, D(5)),)
    assert flight.look(view(), after=299) == []
    assert len(flight.look(view(), after=2)) == 1


def test_a_close_by_hand_is_an_override():
    flight = Flight()
    flight.enter()
    flight.look(closed(flight, "user"))
    note = next(note for note in flight.pilot.journal.notes if note.kind == "override")
    assert "by hand" in note.text
    assert note.mid_bp == 2.0  # to be scored later


def test_its_own_close_is_none():
    flight = Flight()
    flight.enter()
    flight.look(but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by)))
    flight.look(closed(flight, "autopilot: decoupling, reverted"))
    assert flight.said("override") == []
    assert "is closed (autopilot: decoupling, reverted" in flight.pilot.journal.notes[-1].text


def test_a_close_by_hand_while_its_own_is_under_way_is_an_override():
    flight = Flight()
    flight.enter()
    flight.look(but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by)))
    flight.look(closed(flight, "user"))
    assert flight.said("override") == [("override", "override")]


def test_a_person_declines_with_a_reason_and_it_is_noted_against_what_was_said():
    flight = Flight("suggest")
    flight.look(view())
    flight.pilot.override(PAIR, "declined", "news at noon", flight.now)
    note = flight.pilot.journal.notes[-1]
    assert (note.kind, note.code, note.reason) == ("override", "declined", "news at noon")
    assert (note.against, note.direction, note.entry_bp) == ("enter turned", 1, 58.5)
    flight.look(view())
    assert flight.pilot.suggestion(PAIR) is None  # it cools down


def test_an_override_of_nothing_is_noted_too():
    flight = Flight("off", "carry")
    flight.pilot.override(PAIR, "traded by hand", "", T0)
    assert flight.said("override") == [("override", "traded by hand")]


# --- what is kept ---------------------------------------------------------------------------------


def lose(flight, number):
    """One more lost pair of its own."""
    while not flight.look(view()):
        flight.now += 30 * S
    flight.look(flight.opened(number=number))
    flight.look(closed(flight, "stop", "-3", number))


def test_results_adapt_a_playbook_until_they_are_reset():
    flight = Flight(limits=Limits(entries_h_max=50))
    for number in (1, 2, 3):
        lose(flight, number)
    assert len(flight.pilot.results("decoupling")) == 3
    flight.pilot.reset("decoupling", flight.now, "new month")
    assert flight.pilot.results("decoupling") == ()
    assert flight.pilot.journal.notes[-1].reason == "new month"


def test_values_are_those_of_the_next_look():
    flight = Flight()
    flight.pilot.set_values("decoupling", {"entry_z": 6.0}, T0, "less")
    assert flight.look(view()) == []
    assert flight.said()[-1] == ("stand", "inside")


WALK = (
    lambda flight: view(),
    lambda flight: view(),
    Flight.opened,
    Flight.opened,
    lambda flight: but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by)),
    lambda flight: but(flight.opened(), held=held(PLAN, "40", 1.0, by=flight.by)),
    lambda flight: closed(flight, "user"),
    lambda flight: view(),
    lambda flight: CALM,
    lambda flight: view(),
)  # an entry, its fill, its exit, the pause after it and the next entry


@pytest.mark.parametrize("cut", range(len(WALK)))
def test_a_restart_anywhere_changes_nothing_that_follows(cut):
    def fly(stop_at):
        flight, sent = Flight(), []
        flight.pilot.set_values("decoupling", {"loss_step": 0.5}, T0)
        for at, look in enumerate(WALK):
            if at == stop_at:
                flight = flight.again()
            seen = look(flight)
            if seen.held is not None:
                seen = but(seen, held=but(seen.held, opened_ns=T0 + 2 * S))
            sent.append(flight.look(seen, after=1 if at < 7 else 200))
        return flight, sent

    (straight, expected), (resumed, sent) = fly(-1), fly(cut)
    assert sent == expected
    assert resumed.pilot.dump() == straight.pilot.dump()
    assert sum(map(len, sent)) == 3


def test_a_dump_of_another_format_is_refused_and_a_lost_playbook_forgiven():
    flight = Flight()
    flight.enter()
    kept = flight.pilot.dump()
    with pytest.raises(ValueError, match="format 2"):
        Autopilot.restored(kept | {"format": 2})
    with pytest.raises(ValueError, match="Expected"):
        Autopilot.restored(kept | {"own": 3})
    kept["values"]["decoupling"] = {"entry_z": 99.0, "exit_z": 1.0, "gone": 1.0}
    kept["assigned"]["a b"] = {"mode": "auto", "playbook": "gone"}
    found = Autopilot.restored(kept)
    assert found.mode_of("a b").mode == "off"
    values = {p.name: p.value for p in found.playbooks[0].params}
    assert (values["entry_z"], values["exit_z"]) == (1.5, 1.0)
    assert msgspec.json.encode(found.dump())
