"""A workspace as bytes, names it may have, and where two windows stand."""

import random

import pytest

from basisdesk.ui.workspace_rows import (
    CHARTS_MAX,
    MAGIC,
    NAME_MAX,
    READY,
    ChartState,
    WorkspaceState,
    name_problem,
    packed,
    side_by_side,
    unpacked,
)

STATE = WorkspaceState(
    b"desk\x00\xff",
    scanner_open=True,
    scanner=b"scan",
    lab=b"lab",
    charts=(ChartState(("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"), False, "6h", b"place"),),
)


def test_a_workspace_comes_back_as_it_was():
    assert unpacked(packed(STATE)) == STATE
    many = WorkspaceState(b"d", charts=STATE.charts * (CHARTS_MAX + 3))
    assert len(unpacked(packed(many)).charts) == CHARTS_MAX


def test_anything_else_is_none():
    saved = packed(STATE)
    rng = random.Random(3)
    assert all(unpacked(saved[:cut]) is None for cut in range(len(saved)))
    for _ in range(200):
        flipped = bytearray(saved)
        flipped[rng.randrange(len(saved))] ^= 1 << rng.randrange(8)
        assert unpacked(bytes(flipped)) is None
        assert unpacked(MAGIC + rng.randbytes(rng.randrange(60))) is None


@pytest.mark.parametrize("name", ["", " a", "a  b", "a\nb", "x" * (NAME_MAX + 1), "trade", "SCAN"])
def test_names_that_cannot_be(name):
    assert name_problem(name).endswith(".")


def test_names_that_can_be():
    assert name_problem("Two screens, morning") == ""
    assert name_problem("a&b \u00fc") == ""
    assert len({ready.name for ready in READY}) == len(READY) == 4


def test_two_windows_share_a_wide_screen_and_stack_on_a_narrow_one():
    wide, narrow = (0, 0, 2560, 1440), (0, 24, 1280, 776)
    assert side_by_side([wide], 0, 960, 960) == ((0, 0, 1280, 1440), (1280, 0, 1280, 1440))
    assert side_by_side([narrow], 0, 960, 960) == (narrow, narrow)
    other = (2560, 0, 1920, 1080)
    assert side_by_side([wide, other], 0, 960, 960) == (wide, other)
    assert side_by_side([wide, other], 1, 960, 960) == (other, wide)
    desk, beside = side_by_side([(100, 0, 2000, 900)], 0, 900, 1100)
    assert (desk, beside) == ((100, 0, 900, 900), (1000, 0, 1100, 900))
