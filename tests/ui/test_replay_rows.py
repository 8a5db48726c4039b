"""A replay in words."""

import pytest

from basisdesk.ui.replay_rows import (
    ReplayView,
    about_text,
    branch_text,
    moment_text,
    place_text,
    reached_text,
    share_of,
    speed_text,
    state_text,
    time_of,
    walk_text,
)

S = 1_000_000_000
T0 = 1_735_689_600 * S  # 2025-01-01 00:00:00 UTC


def view(**known):
    usual = {"name": "a", "source": "live", "first_ns": T0, "last_ns": T0 + 7_200 * S}
    return ReplayView(**(usual | {"now_ns": T0 + 60 * S} | known))


def test_tape_time_is_utc_to_the_tenth():
    assert moment_text(T0 + 12_345_678_901_234) == ("2025-01-01", "03:25:45.6")
    assert moment_text(0) == ("", "")


def test_the_slider_and_the_tape_agree():
    shown = view()
    for second in (0, 17, 7_200):
        t_ns = T0 + second * S
        assert time_of(shown, share_of(shown, t_ns)) == pytest.approx(t_ns, abs=1_000)
    assert (share_of(shown, 0), share_of(shown, T0 * 2)) == (0.0, 1.0)
    assert share_of(ReplayView(), 5) == 0.0


def test_a_machine_that_is_too_slow_is_told_while_it_plays():
    assert reached_text(view(playing=True, asked=1000.0, reached=93.5)) == "comes to 94×"
    assert reached_text(view(playing=True, asked=10.0, reached=9.8)) == ""
    assert reached_text(view(playing=False, asked=1000.0, reached=93.5)) == ""
    assert speed_text(1_000.0) == "1,000×"
    assert speed_text(0.1) == "0.1×"


@pytest.mark.parametrize(
    ("known", "said", "meaning"),
    [
        ({"note": "It stopped.", "working": True}, "It stopped.", "warn"),
        ({"working": True, "progress": 0.25}, "Walking the tape: 25 %", ""),
        ({"holes": ((T0, T0 + 60 * S),)}, "Not walked: 00:00:00 to 00:01:00", "warn"),
        ({"holes": ((T0, T0 + S),), "blocked": True}, "trades next", "warn"),
        ({"holes": ((T0, T0 + S),), "doubt": True}, "not its own", "warn"),
        ({"later": 1}, "One trade by hand later", ""),
        ({"later": 3}, "3 trades by hand later", ""),
        ({"at_end": True}, "End of the tape.", ""),
        ({"surveyed": 0.5}, "50 %", ""),
        ({}, "an account of their own", ""),
    ],
)
def test_the_most_urgent_thing_is_said_first(known, said, meaning):
    text, tone = state_text(view(**known))
    assert said in text
    assert tone == meaning


def test_where_it_stands_and_what_it_is():
    assert place_text(view()) == "60 s of 2 h"
    assert about_text(view()) == (
        "a, recorded from the venues, 2025-01-01 00:00:00 to 2025-01-01 02:00:00 UTC."
    )
    assert walk_text(view(walk_s=240.0)) == "Walk it, about 4 min"
    assert "One trade by hand stands" in branch_text(1)
    assert "2 trades by hand stand" in branch_text(2)
