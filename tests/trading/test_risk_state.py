"""The three words of the risk state, and what a refused entry reads."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.errors import RuleError
from basisdesk.events import Outcome, RiskChanged
from basisdesk.trading.risk import BY_HAND, RESUME_WORDS, STATES, RiskState, check_halted


def test_an_active_desk_refuses_nothing():
    assert check_halted(RiskState()) is None
    assert RiskState().entries
    assert not RiskState().halted


@pytest.mark.parametrize("state", ["reducing", "halted"])
def test_both_other_states_refuse_entries_with_why_and_what_ends_it(state):
    change = RiskChanged(
        7, state, "Equity is 11.00 % below its peak.", "drawdown", "desk", "Press Resume."
    )
    risk = RiskState().after(change)
    no = check_halted(risk)
    assert no is not None
    assert (no.limit, no.asked, no.allowed) == (state, "an entry", "closing only")
    assert no.text == (
        f"The desk is {state} (Equity is 11.00 % below its peak): no new pairs. Closing works as "
        "always. Press Resume."
    )
    assert (risk.halted, risk.entries) == (state == "halted", False)
    assert (risk.since_ns, risk.scope) == (7, "desk")


@pytest.mark.parametrize("cause", sorted(RESUME_WORDS))
def test_every_cause_says_what_ends_it_when_the_change_did_not(cause):
    risk = RiskState().after(RiskChanged(1, "halted", "", cause))
    assert risk.resume == RESUME_WORDS[cause]
    no = check_halted(risk)
    assert no is not None
    assert no.text.endswith(RESUME_WORDS[cause])
    assert "no reason given" in no.text


def test_a_resume_leaves_nothing_of_the_halt():
    halted = RiskState().after(RiskChanged(1, "halted", "x", "daily_loss", "desk", "y"))
    assert halted.after(RiskChanged(2, "active", "")) == RiskState("active", "", 2)


def test_a_journal_of_an_older_desk_has_halts_by_hand():
    old = b'{"kind":"risk","ts_ns":5,"state":"halted","reason":"by hand"}'
    risk = RiskState().after(msgspec.json.decode(old, type=Outcome))
    assert (risk.cause, risk.scope, risk.resume) == ("user", "desk", BY_HAND)


@given(st.text(max_size=12))
def test_no_other_word_is_a_state(word):
    change = RiskChanged(1, word, "")
    if word in STATES:
        assert RiskState().after(change).state == word
    else:
        with pytest.raises(RuleError):
            RiskState().after(change)
