"""A person beside the forecast: a word on a candidate, the end of a review, and a restart after."""

import asyncio
import json
from collections import deque
from types import SimpleNamespace

import pytest

from basisdesk.app.forecast_disk import SampleStore
from basisdesk.app.forecast_keeping import Keeping
from basisdesk.app.forecast_life import Life, ReviewEnd
from basisdesk.app.forecast_person import GONE, NO_REASON, NO_REVIEW, SEEN, TOLD, Person
from basisdesk.app.forecast_signals import SignalFile
from basisdesk.forecast.signals import LATE_S, Ended, Noted
from basisdesk.forecast.view import ForecastView
from tests.forecast.label_rig import LIVELY, stream

S = 1_000_000_000
T0 = 1_790_000_000 * S
NOTED = Noted(7, T0, "a b", 1, "ff", 0.6, 0.6, "v", "trade: p 60.0 %", 10.0, 3.0, "rich")


@pytest.fixture
def desk(tmp_path):
    found = SimpleNamespace(
        engine=SimpleNamespace(now_ns=T0 + 60 * S), view=ForecastView(), queue=deque(),
        keeping=Keeping(tmp_path, LIVELY, 0.02), folder=tmp_path,
    )  # fmt: skip
    found.person = Person(found.engine, found.view, found.keeping, found.queue)
    found.keeping.book.take(NOTED)
    return found


def test_a_word_is_shown_and_written_before_the_outcome(desk):
    assert desk.person.override(7, True, "  books are\ndeep ") == ""
    (signal,) = desk.view.signals
    assert (signal.would, signal.override) == (True, "would trade: books are deep")
    assert desk.view.overrides.n == 1
    asyncio.run(desk.keeping.append())
    kept = (desk.folder / "signals.jsonl").read_text()
    assert '"did":"would trade","reason":"books are deep"' in kept
    desk.keeping.book.take(Ended(7, 1, 8.0, 1, -3.0, 8.0, "target", 2))
    desk.person.tell()
    assert (desk.view.overrides.told, desk.view.overrides.person_bp) == (1, 8.0)
    assert SignalFile(desk.folder).problem == ""


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_a_word_needs_a_reason(desk, reason):
    assert desk.person.override(7, False, reason) == NO_REASON
    assert desk.person.end_review(reason) == NO_REASON


def test_what_is_gone_told_or_old_cannot_be_spoken_of(desk):
    assert desk.person.override(9, True, "why") == GONE
    desk.engine.now_ns = T0 + round((LATE_S + 60) * S)
    assert "16 min of the market old; after 15 min one" in desk.person.override(7, True, "why")
    desk.person.speed = 60.0  # a market that runs faster than a person can type
    assert desk.person.override(7, True, "why") == ""
    desk.keeping.book.take(Ended(7, 1, 8.0, 1, -3.0, 8.0, "target", 2))
    assert desk.person.override(7, False, "why") == TOLD


def test_what_a_chart_tells_already_cannot_be_spoken_of(desk):
    """Its barrier was reached and its label waits for the horizon: nobody forecasts that any more.

    The window is told in minutes of the market, and in a person's own where these run otherwise.
    """
    desk.person.show(SimpleNamespace(decided=lambda since_ns: frozenset({7})))
    assert desk.person.override(7, True, "why") == SEEN
    desk.person.show(None)  # a thread has the forecaster: what was seen stays seen
    assert desk.person.override(7, True, "why") == SEEN
    desk.person.show(SimpleNamespace(decided=lambda since_ns: frozenset()))
    assert desk.person.override(7, True, "why") == ""
    desk.engine.now_ns = T0 + 3_700 * S
    desk.person.speed = 60.0
    told = desk.person.override(7, True, "why")
    assert "62 min of the market old; after 60 min of the market, 1 min of yours at 60x" in told


def test_a_review_is_ended_with_a_reason_once_there_is_one(desk):
    assert desk.person.end_review("looked at it") == NO_REVIEW
    desk.view.review = "log-loss rose from 0.40 to 0.70"
    assert desk.person.end_review("venue was down") == ""
    assert desk.queue == deque([("", ReviewEnd(T0 + 60 * S, "a person: venue was down"))])


def reviewed(life):
    life.forecaster.drift.review = "log-loss rose from 0.40 to 0.70"
    return life


def test_the_end_of_a_review_is_heard_again_after_a_restart(tmp_path):
    """What was said between two dumps changes later scores as it did: it is among the samples."""
    ticks = stream(300, 5)
    store = SampleStore(tmp_path)
    store.restore(lambda: Life(LIVELY), Life.restored)
    whole = reviewed(Life(LIVELY))
    assert store.checkpoint(whole, ())
    word = "", ReviewEnd(ticks[200][1].t_ns, "a person: venue was down")
    heard = [*ticks[:200], word, *ticks[200:400]]
    for each in heard:
        whole.hear(*each)
    assert store.append(heard)
    assert whole.forecaster.drift.review == ""
    assert whole.forecaster.drift.events[-1].text == "review ended by a person: venue was down"
    again = SampleStore(tmp_path).restore(lambda: Life(LIVELY), Life.restored)
    assert json.dumps(again.dump()) == json.dumps(whole.dump())


def test_each_candidate_is_taken_with_the_regime_of_its_moment():
    life, then = Life(LIVELY), {}
    for name, tick in stream(1_200, 7):
        life.hear(name, tick)
        new, regimes = life.taken()
        for each in new.candidates:
            state = life.regimes[name]
            assert regimes.get(each.id, None) == state.now
        then |= regimes
    assert len(then) > 10
    assert life.taken() == (((), ()), {})
