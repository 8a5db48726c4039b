"""The risk state in words, and each trigger with its unit, its limit and what it does."""

import math

import pytest

from basisdesk.trading.readings import Reading
from basisdesk.trading.risk import RiskState
from basisdesk.ui.risk_rows import figure_text, risk_card, scope_text, trigger_row

SINCE_NS = 1_789_722_862_000_000_000


def test_an_active_desk_has_nothing_to_resume():
    card = risk_card(RiskState(), utc=True)
    assert card.title == "\u25cf Active"
    assert card.meaning == "gain"
    assert not card.can_resume
    assert (card.resume, card.scope, card.since) == ("", "", "")


@pytest.mark.parametrize(
    ("state", "word", "meaning"),
    [("halted", "\u25a0 Halted", "loss"), ("reducing", "\u25b2 Reducing", "warn")],
)
def test_a_stopped_desk_says_why_since_when_what_it_covers_and_what_ends_it(state, word, meaning):
    at = RiskState(state, "Equity fell 10.2 %.", SINCE_NS, "drawdown", "desk", "Press Resume.")
    card = risk_card(at, utc=True)
    assert card.title == word
    assert card.meaning == meaning
    assert card.reason == "Why: Equity fell 10.2 %."
    assert card.since == "Since 2026-09-18 09:14:22 UTC."
    assert card.scope == "Cause: drawdown. Covers: the whole desk."
    assert card.resume == "Press Resume."
    assert card.can_resume


def test_a_state_of_an_older_journal_still_has_words():
    card = risk_card(RiskState("halted", "", SINCE_NS), utc=True)
    assert card.reason == "No reason was given."
    assert card.resume
    assert "Cause: by hand" in card.scope
    assert scope_text("pair 3") == "pair 3"


def reading(name="drawdown", value=7.5, limit=10.0, unit="%", state="near", note="", acts="halts"):
    return Reading(name, value, limit, unit, state, note, acts, "Drawdown", "Press Resume.")


def test_a_trigger_shows_value_limit_state_and_what_it_does():
    row = trigger_row(reading(note="Equity is 7.5 % below its peak; the limit is 10 %."))
    assert (row.title, row.value, row.limit) == ("Drawdown", "7.50 %", "below 10.00 %")
    assert (row.state, row.meaning, row.acts) == ("\u25b2 near", "warn", "halts")
    assert row.note == "Equity is 7.5 % below its peak."
    assert row.detail == "Equity is 7.5 % below its peak; the limit is 10 %. Press Resume."
    assert row.share == pytest.approx(0.75)


def test_a_least_is_a_least():
    row = trigger_row(reading("liq_distance", 10.0, 5.0, "%", "ok", acts="stops entries"))
    assert row.limit == "at least 5.00 %"
    assert row.share == pytest.approx(0.5)
    assert trigger_row(reading("liq_distance", 4.0, 5.0)).share == 1.0


def test_what_is_not_known_is_a_dash_and_no_bar():
    row = trigger_row(reading(value=math.nan, state="unknown"))
    assert row.value == "\u2013"
    assert row.state == "? unknown"
    assert math.isnan(row.share)
    assert figure_text(math.inf, "%") == "none near"
    assert [figure_text(value, "s") for value in (4.04, 31.7)] == ["4.0 s", "32 s"]


def test_after_a_fault_the_card_says_halted_and_offers_no_resume():
    card = risk_card(RiskState(), utc=True, fault_ns=SINCE_NS)
    assert card.title == "\u25a0 Halted"
    assert card.reason == "Why: basisdesk stopped after a fault"
    assert not card.can_resume
