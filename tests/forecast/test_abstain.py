import json
import math

import numpy as np
import pytest

from basisdesk.forecast.abstain import MISSING_MAX, Distances, Learned, Seen, core_of, reasons
from basisdesk.forecast.table import INDEX, NAMES, N

FINE = Learned(n_eff=500.0, line=3.0, review="")


def seen(gone=(), stale="", distance=1.0, warming=()):
    vector = np.ones(N)
    vector[[INDEX[name] for name in gone]] = math.nan
    return Seen(stale, vector, N - len(gone), distance, warming)


def test_a_whole_and_usual_beat_has_no_reason():
    assert reasons(seen(), FINE) == ()


def test_four_features_of_other_venues_may_be_missing():
    assert reasons(seen(("xv_f", "xv_b", "mkt_x", "sec_z")), FINE) == ()


def test_one_core_feature_may_not():
    assert reasons(seen(("corr", "edge")), FINE) == ("missing features: edge, corr",)


def test_nor_too_many_of_the_others():
    rest = [name for name in NAMES if name not in core_of(NAMES)]
    assert reasons(seen(rest[:MISSING_MAX]), FINE) == ()
    (said,) = reasons(seen(rest[: MISSING_MAX + 1]), FINE)
    assert said == "missing features: b_mid, b_exec_in, z_5m, z_24h and 9 more"


def test_stale_quotes_are_said_and_not_that_all_is_missing():
    assert reasons(seen(NAMES, stale="spot is 3 s old"), FINE) == ("stale: spot is 3 s old",)


def test_warm_up_names_what_is_not_warm():
    assert reasons(seen(warming=("z_2h", "sd_2h")), FINE) == ("warm-up: z_2h, sd_2h",)
    assert core_of(("z_72h", "z_2h")) == ("z_2h",)


def test_few_outcomes_unlike_and_drift():
    said = reasons(seen(distance=7.24), Learned(199.4, 3.0, "log-loss rose from 0.40 to 0.61"))
    assert said == (
        "too few effective outcomes: 199 of 200",
        "unlike what was learned from: distance 7.2, 99 % of it were within 3.0",
        "drift under review: log-loss rose from 0.40 to 0.61",
    )


def test_the_line_is_the_99_per_cent_quantile():
    rng = np.random.default_rng(1)
    distances = Distances()
    values = rng.chisquare(44, 4_000) / 44
    for i, value in enumerate(values.tolist()):
        assert (distances.line == math.inf) == (i < 100)
        distances.take(value)
    assert distances.line == pytest.approx(np.quantile(values[-2_000:], 0.99), rel=0.08)


def test_odd_distances_are_counted_at_the_ends():
    distances = Distances()
    for value in (0.0, math.inf, math.nan, 1e300, -1.0) * 40:
        distances.take(value)
    assert math.isfinite(distances.line)


def test_restored_distances_are_the_same():
    distances = Distances()
    for value in np.random.default_rng(2).chisquare(44, 300).tolist():
        distances.take(value / 44)
    other = Distances.restored(json.loads(json.dumps(distances.dump())))
    assert other.line == distances.line
    distances.take(9.0)
    other.take(9.0)
    assert other.dump() == distances.dump()
