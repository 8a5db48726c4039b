"""The newcomer's eyes: words are found in a picture, whatever their colours."""

import importlib
from pathlib import Path

import numpy as np
import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"


@pytest.fixture
def screen(monkeypatch, qapp):
    monkeypatch.syspath_prepend(str(PACKAGING))
    return importlib.import_module("screen")


def page(screen, places, ink, ground):
    light = np.full((200, 400), ground, np.float32)
    for (left, top), word in places.items():
        glyphs = screen.drawn(word) / 255
        high, wide = glyphs.shape
        field = light[top : top + high, left : left + wide]
        field += glyphs * (ink - ground)
    return light


@pytest.mark.parametrize(("ink", "ground"), [(230, 20), (30, 250)])
def test_words_are_found_where_they_stand(screen, ink, ground):
    word, other = screen.Word("Close", 12), screen.Word("Closed", 12, 600)
    light = page(screen, {(40, 50): word, (210, 120): other}, ink, ground)
    found = screen.found_in(light, word)
    assert [(each.left, each.top) for each in found] == [(40, 50)]
    assert found[0].alike > 0.99
    assert screen.found_in(light, screen.Word("Save log", 12)) == []


def test_one_figure_of_difference_can_be_told_apart(screen):
    light = page(screen, {(40, 50): screen.Word("Step 1 of 5", 11)}, 230, 20)
    assert screen.found_in(light, screen.Word("Step 2 of 5", 11, alike=0.975)) == []
