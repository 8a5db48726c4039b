"""Charts as markup: what is drawn, what is a hole, and that nothing from outside is markup."""

import math
import re
from xml.etree import ElementTree as ET

import pytest

from basisdesk.lab.svg import HEAT_CELLS_MAX, POINTS_MAX, draw, ticks


def chart(**given):
    usual = {
        "kind": "line",
        "title": "Basis",
        "x_title": "hours",
        "y_title": "bp",
        "x": [0.0, 1.0, 2.0, 3.0],
        "lines": [{"name": "mid", "y": [1.0, 2.0, 3.0, 2.0]}],
    }
    return usual | given


def parsed(markup):
    return ET.fromstring(markup.replace("&nbsp;", " "))


@pytest.mark.parametrize("kind", ["line", "points", "bars"])
def test_every_kind_is_wellformed_and_titled(kind):
    figure = parsed(draw(chart(kind=kind)))
    assert figure.find("figcaption").text == "Basis"
    assert figure.find("svg").attrib["aria-label"] == "Basis"


def test_a_line_runs_up_where_the_values_rise():
    points = re.findall(r'points="([^"]+)"', draw(chart()))[0].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights[0] > heights[1] > heights[2] < heights[3]


def test_a_hole_breaks_the_line_and_is_no_zero():
    runs = re.findall(
        r'points="([^"]+)"', draw(chart(lines=[{"name": "a", "y": [1.0, math.nan, 3.0, None]}]))
    )
    assert [len(run.split()) for run in runs] == [2, 2]


def test_intervals_are_drawn_as_a_band_or_whiskers():
    line = {"name": "a", "y": [1, 2, 3, 4], "low": [0, 1, 2, 3], "high": [2, 3, 4, None]}
    assert 'class="band' in draw(chart(lines=[line]))
    assert draw(chart(kind="points", lines=[line])).count('class="w"') == 3


def test_a_long_line_keeps_its_extremes():
    ys = [math.sin(i / 50.0) for i in range(20_000)]
    ys[7_777] = 40.0
    markup = draw(chart(x=list(range(20_000)), lines=[{"name": "a", "y": ys}]))
    points = re.findall(r'points="([^"]+)"', markup)[0].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert len(points) <= POINTS_MAX + 2
    assert min(heights) < sorted(heights)[1] - 50.0


def test_text_from_outside_is_never_markup():
    markup = draw(chart(title="<script>alert(1)</script>", x_title="<b>", note="<i>x</i>"))
    assert "<script>" not in markup
    assert "<b>" not in markup
    assert "<i>" not in markup


def test_nothing_to_draw_is_said():
    assert "Nothing to draw" in draw(chart(lines=[{"name": "a", "y": [math.nan] * 4}]))
    assert "Nothing to draw" in draw(chart(x=[], lines=[{"name": "a", "y": []}]))


def test_a_heat_map_tells_gain_loss_and_hole_apart():
    heat = chart(kind="heat", x=["1", "2"], lines=[{"name": "a", "y": [2.0, -1.0]}])
    figure = draw(heat)
    assert figure.count('<rect class="gain"') == 1
    assert figure.count('<rect class="loss"') == 1
    assert "hole" in draw(heat | {"lines": [{"name": "a", "y": [2.0, math.nan]}]})
    size = HEAT_CELLS_MAX + 1
    wide = {"x": ["1"] * size, "lines": [{"name": "a", "y": [1.0] * size}]}
    assert "Nothing to draw" in draw(heat | wide)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 10.0, [0, 2, 4, 6, 8, 10]), (-1.0, 1.0, [-1, -0.5, 0, 0.5, 1])],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_ticks_of_no_span_are_one():
    assert ticks(3.0, 3.0) == [3.0]


def test_dates_and_words_are_told_apart():
    lines = [{"name": "a", "y": [1.0, 2.0]}]
    assert "2024-02-01" in draw(chart(x=["2024-01-01", "2024-02-01"], lines=lines))
    assert ">high<" in draw(chart(kind="bars", x=["low", "high"], lines=lines))
