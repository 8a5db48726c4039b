"""The state of a sector: two settlements over the line, hysteresis, holes, and its sentences."""

import math

import pytest

from basisdesk.scan.sector_states import NO_ROTATION, Rotation, replay, sentence

STEP = 28_800_000
NAN = math.nan


def state_of(*z):
    return replay([STEP * (i + 1) for i in range(len(z))], z)


@pytest.mark.parametrize(
    ("z", "state"),
    [
        ((), "calm"),
        ((1.6,), "calm"),  # one settlement is none
        ((1.6, 1.6), "hot"),
        ((1.5, 1.6), "calm"),  # on the line is not over it
        ((1.6, 1.4, 1.6), "calm"),  # not in a row
        ((-1.6, -2.0), "cold"),
        ((1.6, -1.6), "calm"),
        ((2, 2, 1.0, 1.0, 1.0), "hot"),  # between the lines nothing changes
        ((2, 2, 0.7), "hot"),  # one settlement is none
        ((2, 2, 0.7, 0.8, 0.7), "hot"),
        ((2, 2, 0.7, 0.7), "calm"),
        ((2, 2, 0.75, 0.75), "hot"),
        ((2, 2, -2, -2), "cold"),  # straight across
        ((2, 2, -0.1, -2), "calm"),
        ((-2, -2, -0.7, -0.7), "calm"),
        ((-2, -2, -1, -1, -1), "cold"),
        ((2, NAN, 2), "calm"),  # an unknown settlement bears nothing out
        ((2, 2, NAN, NAN), "hot"),
        ((2, 2, NAN, NAN, NAN), "calm"),  # a day without knowing
        ((2, 2, NAN, 0.7, NAN, 0.7), "hot"),
    ],
)
def test_states(z, state):
    assert state_of(*z).state == state


def test_a_state_knows_since_when_it_holds():
    assert state_of(0, 2, 2) == Rotation("hot", 3 * STEP, 1, 2)
    assert state_of(0, 2, 2, 1, 1) == Rotation("hot", 3 * STEP, 3, 0)
    assert state_of(0, -2, -2, -2) == Rotation("cold", 3 * STEP, 2, -3)
    assert state_of(2, 2, 0, 0) == Rotation("calm", 4 * STEP, 1, 0)
    assert state_of(2, 2, 2, 2, -2).beyond == -1


def test_the_same_settlements_give_the_same_state_wherever_the_story_begins():
    z = [0.0] * 20 + [2, 2, 1, 1, 0, 0, -2, -2, -1]
    whole = state_of(*z)
    later = replay([STEP * (i + 1) for i in range(10, len(z))], z[10:])
    assert (whole.state, whole.since_ms) == (later.state, later.since_ms) == ("cold", 28 * STEP)


@pytest.mark.parametrize(
    ("rotation", "z_now", "said"),
    [
        (NO_ROTATION, 0.3, "DeFi in line with the market."),
        (NO_ROTATION, NAN, "DeFi in line with the market."),
        (
            NO_ROTATION,
            -1.7,
            "DeFi under the line by floating rates, z \u22121.70: 2 settlements in a row count.",
        ),
        (
            Rotation("calm", 0, 40, 1),
            1.7,
            "DeFi over the line at the last settlement: 2 in a row count.",
        ),
        (
            Rotation("hot", STEP, 1, 2),
            1.7,
            "DeFi over the line since 2 settlements: longs crowd in.",
        ),
        (
            Rotation("cold", STEP, 4, -1),
            0.0,
            "DeFi under the line since 1 settlement: shorts crowd in.",
        ),
        (
            Rotation("hot", STEP, 5, 0),
            1.0,
            "DeFi hot since 5 settlements and easing: calm after 2 settlements below z +0.75.",
        ),
        (
            Rotation("cold", STEP, 5, 1),
            1.0,
            "DeFi cold since 5 settlements and easing: calm after 2 settlements above z "
            "\u22120.75.",
        ),
    ],
)
def test_each_state_is_one_sentence(rotation, z_now, said):
    assert sentence("DeFi", rotation, z_now) == said
