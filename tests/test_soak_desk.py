"""The long run's own arithmetic: what counts as broken, and a page of its curves."""

import importlib
import math
from collections import Counter
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[1] / "packaging"


@pytest.fixture
def figures(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKAGING))
    return importlib.import_module("soak_figures")


def report(figures, **changed):
    good = {
        "rss_growth_mb": 103.0, "rings_growth_mb": 100.0, "lag_p99_ms": 12.0, "check_ok": True,
        "warm": {"tasks": 40, "files": 40}, "end": {"tasks": 41, "files": 39},
    }  # fmt: skip
    return figures.Report(**(good | changed))


def test_a_run_within_its_limits_is_whole(figures):
    assert report(figures).broken() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rss_growth_mb": 120.0}, "memory beside the rings grew by 20.0 MB of 20"),
        ({"rss_growth_mb": math.nan}, "memory beside the rings grew by nan MB of 20"),
        ({"lag_p99_ms": 33.1}, "lag p99 33.1 ms of 33"),
        ({"check_ok": False}, "the ledger does not check clean"),
        ({"end": {"tasks": 50, "files": 40}}, "10 more tasks than after the warm-up"),
        ({"left": ["watchdog"]}, "left behind: watchdog"),
        ({"errors": ["KeyError()"]}, "KeyError()"),
    ],
)
def test_each_limit_is_told(figures, changed, said):
    assert report(figures, **changed).broken() == [said]


def sample(figures, t_s, rss_mb):
    values = dict.fromkeys((each.name for each in figures.fields(figures.Sample)), 1)
    return figures.Sample(**(values | {"t_s": t_s, "rss_mb": rss_mb, "rings_mb": 0.0}))


def test_growth_is_a_slope_and_the_curves_stand_on_one_page(figures):
    samples = [sample(figures, 60.0 * at, 250.0 + 0.1 * at) for at in range(60)]
    assert figures.slope_mb_h(samples) == pytest.approx(6.0)
    assert math.isnan(figures.slope_mb_h(samples[:5]))
    assert figures.share([3.0, 1.0, 2.0], 0.5) == 2.0
    assert math.isnan(figures.share([], 0.5))
    assert figures.grown(Counter(a=1, b=2), Counter(a=5, b=2, c=1)) == {"a": 4, "c": 1}
    html = figures.page(samples, report(figures), "The desk for 60 min", ["Every limit held."])
    assert html.count("<svg") >= 9
    assert "could not be drawn" not in html
