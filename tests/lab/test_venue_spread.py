"""The spread of funding between venues: trades by hand, and seven real venues."""

import argparse
import math
from pathlib import Path

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab.pages import study_page
from basisdesk.lab.rotation_data import Rates
from basisdesk.lab.rotation_tests import UNKNOWN, Interval
from basisdesk.lab.venue_spread import (
    Pair,
    SpreadOptions,
    SpreadPlan,
    Spreads,
    add_spread_arguments,
    pairs_of,
    run_spread,
    spread_from,
    studied,
    trades_of,
    verdict_of,
)
from basisdesk.lab.words import registered
from basisdesk.scan.sector_series import HOUR_MS, STEP_MS

REAL = Path(__file__).parents[3] / "shared" / "data" / "funding" / "seven_venues_5coins"
PLAN = SpreadPlan(draws=200)
START_MS = 1_700_006_400_000
NAN = math.nan


def pair(*spread):
    return Pair("BTC", ("one", "two"), np.array(spread, dtype=np.float64))


def test_trades_by_hand():
    # in after the 7 (which pays nothing), 8 + 9 + 5 earn the 20 back, the turn is paid too
    line = pair(1.0, 7.0, 8.0, NAN, 9.0, 5.0, -1.0, 2.0, -8.0, 1.0, 6.5)
    first, second, last = trades_of(line, PLAN)
    assert (first.at, first.cycles, first.even, first.why) == (1, 5, 4, "reversed")
    assert first.paid_bp == pytest.approx(21.0)
    assert (second.at, second.cycles, second.why, second.even) == (8, 1, "reversed", 0)
    assert second.paid_bp == pytest.approx(-1.0)
    assert (last.at, last.cycles, last.why) == (10, 0, "end")


def test_a_trade_ends_after_its_time():
    trade, *_ = trades_of(pair(*[7.0] * 4), SpreadPlan(hold=3))
    assert (trade.cycles, trade.why, trade.even) == (3, "time", 3)


def test_hourly_venues_stand_beside_those_of_eight_hours():
    stamps = START_MS + STEP_MS * np.arange(1, 4, dtype=np.int64)
    hours = START_MS + HOUR_MS * np.arange(1, 25, dtype=np.int64)
    rates = [
        Rates("BTC", "slow:BTC", stamps, np.full(3, 8e-4)),
        Rates("BTC", "fast:BTC", hours, np.full(24, 0.5e-4)),
        Rates("ETH", "slow:ETH", stamps, np.full(3, 1e-4)),
    ]
    (found,) = pairs_of(rates, stamps)
    assert (found.coin, found.venues) == ("BTC", ("fast", "slow"))
    assert found.spread == pytest.approx([-4.0, -4.0, -4.0])


@pytest.mark.parametrize(
    ("mean", "net", "trades", "verdict"),
    [
        ((0.8, 0.6, 1.0), (9.0, 5.0, 13.0), 50, "NOT SUPPORTED"),
        ((4.0, 3.5, 4.5), (9.0, 5.0, 13.0), 50, "SUPPORTED"),
        ((4.0, 3.5, 4.5), (9.0, 5.0, 13.0), 10, "UNDERPOWERED"),
        ((4.0, 3.5, 4.5), (-9.0, -13.0, -5.0), 50, "NOT SUPPORTED"),
        ((4.0, 2.5, 5.5), (9.0, 5.0, 13.0), 50, "UNDERPOWERED"),
        ((4.0, NAN, NAN), (9.0, 5.0, 13.0), 50, "UNDERPOWERED"),
    ],
)
def test_verdict(mean, net, trades, verdict):
    found = Spreads(
        np.empty(0, dtype=np.int64), [], [None] * trades, Interval(*mean), UNKNOWN, UNKNOWN,
        UNKNOWN, Interval(*net),
    )  # fmt: skip
    assert verdict_of(found, PLAN) == verdict


def test_what_makes_no_sense_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="several venues"):
        run_spread(SpreadOptions())
    stamps = START_MS + STEP_MS * np.arange(1, 4, dtype=np.int64)
    with pytest.raises(UserError, match="No coin has funding of two venues"):
        studied([Rates("BTC", "slow:BTC", stamps, np.full(3, 8e-4))], PLAN, 1)
    with pytest.raises(UserError, match="No folder or file"):
        run_spread(SpreadOptions((tmp_path / "nowhere",)))


def test_seven_real_venues():
    if not REAL.is_dir():
        pytest.skip("the real funding (../shared/data) is not on this machine")
    parser = argparse.ArgumentParser()
    add_spread_arguments(parser)
    typed = parser.parse_args(["--funding", str(REAL / "funding_rates.parquet")])
    study = run_spread(spread_from(typed))
    assert study["verdict"] == "NOT SUPPORTED"
    assert study["n"] == 156
    assert "differs between two venues by 0.81 bp [0.64, 0.98] per 8 h" in study["sentences"][0]
    assert len(study["tables"][0]["rows"]) == 105
    assert registered(study["pre_registration"])
    assert "When the spread turns" in study_page(study)
