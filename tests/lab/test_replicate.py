"""The rule of He et al.: by hand on a few bars, and on the real archives beside what is known."""

import numpy as np
import pytest
from archive_rig import REAL, pair
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.errors import UserError
from basisdesk.lab.replicate import (
    BOUNDS_BP,
    Excursion,
    ReplicateOptions,
    active,
    bounds,
    deviation,
    excursions,
    run_replicate,
)
from basisdesk.lab.replicate_chart import deviation_chart


@pytest.mark.parametrize(
    ("tier", "low", "high"),
    [("low", -0.532, 0.532), ("medium", -1.144, 1.143), ("high", -1.795, 1.792)],
)
def test_the_bounds_of_the_papers_third_table(tier, low, high):
    assert bounds(BOUNDS_BP[tier]) == pytest.approx((low, high), abs=5e-4)


def test_one_basis_point_is_eleven_points_a_year():
    assert deviation(np.array([100.0]), np.array([100.01]))[0] == pytest.approx(0.1095, rel=1e-4)
    assert deviation(np.array([1.0]), np.array([1.0]), 0.05)[0] == -0.05


def test_opens_beyond_a_bound_and_closes_at_the_first_return():
    rho = np.array([0.5, 2.0, 1.0, 3.0, 0.1, 0.0, 1.0, -2.0, -0.1, 0.2, 0.3])
    found = excursions(rho, -1.5, 1.5)
    assert found == [Excursion(1, 5, 1), Excursion(7, 9, -1)]
    assert active(found, len(rho)).tolist() == [False, *[True] * 4, False, False, True, True, False,
                                                False]  # fmt: skip


def test_a_bar_that_closes_one_may_open_the_next_and_the_last_may_stay_open():
    assert excursions(np.array([2.0, -2.0, -1.0]), -1.5, 1.5) == [
        Excursion(0, 1, 1),
        Excursion(1, -1, -1),
    ]
    assert excursions(np.array([1.5, -1.5]), -1.5, 1.5) == []  # on the bound is within


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=60))
def test_trades_follow_each_other_and_each_bar_beyond_is_in_one(rho):
    rho = np.array(rho)
    found = excursions(rho, -1.0, 1.0)
    ends = [len(rho) if e.end < 0 else e.end for e in found]
    assert all(end <= after.row for end, after in zip(ends, found[1:], strict=False))
    assert active(found, len(rho))[np.abs(rho) > 1.0].all()
    assert all((rho[e.row : end] * e.side > 0).all() for e, end in zip(found, ends, strict=True))


def test_made_up_archives_have_no_excursion(tmp_path):
    found = run_replicate(ReplicateOptions(pair(tmp_path)))
    assert found["tables"][0]["rows"][2] == ["BTC", 2024, "high (16.38 bp)", 0, 0.0, None]
    with pytest.raises(UserError, match="is a fraction a year"):
        run_replicate(ReplicateOptions(tmp_path, rate=5.0))


def test_the_real_archives_give_the_published_figures():
    root = REAL / "history" / "binance_1h"
    if not root.is_dir():
        pytest.skip("the hourly archives (../shared/data/history/binance_1h) are not here")
    found = run_replicate(ReplicateOptions(root))
    beside = {tuple(row[:3]): row for row in found["tables"][1]["rows"]}
    counts = {key: row[3] for key, row in beside.items()}
    assert [counts["BTC", year, "high"] for year in (2022, 2023)] == [2, 3]
    assert [counts["BTC", year, "taker"] for year in (2022, 2023, 2024)] == [2, 1, 0]
    assert [counts["ETH", year, "high"] for year in (2022, 2023, 2024)] == [7, 5, 4]
    assert [counts["ETH", year, "taker"] for year in (2022, 2023, 2024)] == [2, 1, 1]
    assert counts["BTC", 2024, "high"] == 4  # 5 were published: an hour without a trade
    points = {key[:2]: row[8] for key, row in beside.items() if key[2] == "high"}
    assert all(abs(points["BTC", year]) < 1.0 for year in (2022, 2023, 2024))
    assert points["ETH", 2023] == pytest.approx(-0.02, abs=0.01)
    assert points["ETH", 2022] == pytest.approx(3.61, abs=0.01)  # explained, not hidden
    assert beside["BTC", 2022, "high"][9] == 402.5  # mean hours, as the independent run has
    assert beside["BTC", 2023, "high"][9] == 243.0
    matters = {(row[0], row[1]) for row in found["tables"][-1]["rows"]}
    assert {("BTC", "2024"), ("ETH", "2022"), ("ETH", "2024")} <= matters
    assert "5 of 6 years agree exactly" in found["sentences"][0]
    assert "4 of 6 years lie within 2 points" in found["sentences"][1]


def test_one_halted_hour_does_not_set_the_scale_and_is_said():
    hours = 24 * 300
    rho = 0.3 * np.sin(np.arange(hours) / 50.0)
    rho[1_000] = -20.0
    coin = {"name": "X", "opened_ns": np.arange(hours) * 3_600_000_000_000, "rho": rho}
    chart = deviation_chart(coin, (-1.8, 1.8))
    low = min(chart["lines"][0]["low"])
    assert -250.0 < low <= -180.0
    assert "1 days reach beyond" in chart["note"]
    assert "1970-02-11" in chart["note"]
    assert "\u22122,000 %" in chart["note"]
    rho[1_000] = 0.0
    assert deviation_chart(coin, (-1.8, 1.8))["note"] == ""
