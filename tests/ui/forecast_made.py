"""Made-up forecasts for tests of the forecast panel: a young one, and one that has learned."""

from dataclasses import replace

import numpy as np
from ui_rig import PERP, SPOT, START_NS

from basisdesk.forecast.analogues import Analogues
from basisdesk.forecast.evaluate import Interval, Report, bars
from basisdesk.forecast.leadlag import LeadLag
from basisdesk.forecast.table import INDEX, N
from basisdesk.forecast.view import (
    Bands,
    Due,
    ForecastView,
    Funding,
    Hold,
    PairForecast,
    Signal,
    Skill,
)
from basisdesk.forecast.words import Candidate, Label, Score

NAN = float("nan")
PAIR = SPOT, PERP
H_NS = 3_600_000_000_000
NOW_NS = START_NS
ETH = "binance:spot:ETHUSDT", "binance:perp:ETHUSDT"
RULES = "Candidate: fresh quotes, distance from fair value at least 5 bp."
MISSING = ("tsign_f", "int_ratio", "xv_f", "xv_b", "lead")


def make_score(p=0.724, seed=3, **changes):
    rng = np.random.default_rng(seed)
    parts = rng.normal(0, 0.12, N)
    parts[[INDEX["x_fair"], INDEX["z_2h"], INDEX["rv_10m"]]] = 0.81, 0.42, -0.63
    parts[[INDEX[name] for name in MISSING]] = 0.0
    bias = -0.2138
    logit = float(parts.sum()) + bias
    usual = {
        "p": p, "low": p - 0.11, "high": min(1.0, p + 0.09), "p_star": 0.836,
        "raw": float(1 / (1 + np.exp(-logit))), "logit": logit, "bias": bias,
        "contributions": parts, "version": "lr1.3f2a91cc.412", "n_eff": 231.4,
    }  # fmt: skip
    return Score(**(usual | changes))


def make_vector(seed=4, missing=MISSING):
    rng = np.random.default_rng(seed)
    vector = rng.normal(0, 1.0, N)
    told = {
        "b_mid": 69.5, "b_exec_in": 68.4, "x_fair": 73.9, "edge": 34.4, "sd_2h": 4.43,
        "age": 41.2, "f_last": 1.84, "f_ind": 2.13, "pinned": 0.0, "cap_dist": 0.93,
        "t_next": 0.43, "rv_10m": 0.62, "hl_log": 3.2, "mkt_x": 12.0,
    }  # fmt: skip
    for name, value in told.items():
        vector[INDEX[name]] = value
    vector[[INDEX[name] for name in missing]] = NAN
    return vector


def make_pair(**changes):
    vector = make_vector()
    dues = tuple(
        Due(NOW_NS // 1_000_000 // 28_800_000 * 28_800_000 + k * 28_800_000, bp, k == 1)
        for k, bp in ((1, 0.92), (2, 0.8), (3, 0.8))
    )
    usual = PairForecast(
        pair=PAIR,
        t_ns=NOW_NS,
        score=make_score(),
        decision="no trade: p 72.4 %, p* 83.6 % + 2 %",
        vector=vector,
        scaled=np.nan_to_num(np.clip(vector, -3, 3)),
        warming=("z_72h", "sd_ratio"),
        cost_bp=31.0,
        target_bp=3.0,
        edge_bp=34.4,
        regime="rich",
        regime_why="basis above fair",
        hold=Hold(3.3, 7.1, why="of 84 similar cases"),
        funding=Funding(dues, 0.92, 1.72),
        analogues=Analogues(84, 12.3, 0.62, 0.34, 0.84, 3.2, float("inf"), 6.4, 8.0),
        lead=LeadLag(
            300.0, 200.0, 400.0, 0.41, 2.2, "perp",
            "the perpetual leads by 300 ms (200 to 400)", 1_412, 2_031,
        ),
        lead_ns=NOW_NS - 120_000_000_000,
        bands=Bands(69.5, 68.4, 61.0, 4.43, -4.5, 1.67),
        open_labels=3,
    )  # fmt: skip
    return replace(usual, **changes)


def make_report(**changes):
    rng = np.random.default_rng(8)
    p = np.clip(rng.beta(2.0, 3.0, 2_600), 0.02, 0.98)
    y = (rng.random(len(p)) < 0.06 + 0.86 * p).astype(float)
    usual = Report(
        n=2600, n_eff=231.4, base_rate=0.312, log_loss=0.42, brier=0.1331, skill_base=0.124,
        skill_z=0.082, gain=Interval(0.0119, -0.0014, 0.0222, 41), ece=0.021, auc=0.749,
        bars=bars(p, y), trades=51, coverage=0.124, net_bp=4.2, p90_h=6.7,
        verdict="not enough evidence: the interval against z-bins holds zero",
    )  # fmt: skip
    return usual._replace(**changes)


def make_candidate(number=1, pair=PAIR, **changes):
    usual = {
        "id": number, "t_ns": NOW_NS - number * H_NS // 2, "pair": " ".join(pair), "direction": 1,
        "features": (None,) * N, "features_hash": "9c1f03aa12be77d0", "raw": 0.66, "p": 0.724,
        "version": "lr1.3f2a91cc.412", "decision": "no trade: p 72.4 %, p* 83.6 % + 2 %",
        "cost_bp": 31.0, "target_bp": 3.0,
    }  # fmt: skip
    return Candidate(**(usual | changes))


def make_label(candidate, how="target", net_bp=12.3):
    return Label(
        candidate=candidate.id, y=int(how == "target"), net_bp=net_bp,
        t_first_ns=candidate.t_ns + H_NS, mae_bp=-6.2, mfe_bp=12.9, how=how,
        released_ns=candidate.t_ns + 8 * H_NS,
    )  # fmt: skip


def make_signals():
    found = []
    for number in range(1, 41):
        pair = PAIR if number % 3 else ETH
        direction = 1 if number % 4 else -1
        words = ("no trade: p 72.4 %, p* 83.6 % + 2 %", "abstain: too few effective outcomes: 12 "
                 "of 200", "trade: p 88.1 %, p* 83.6 % + 2 %")[number % 3]  # fmt: skip
        candidate = make_candidate(number, pair, direction=direction, decision=words)
        ends = ("target", 12.3), ("stop", -41.6), ("time", -8.9), ("liquidated", -210.0)
        label = make_label(candidate, *ends[number % 4]) if number > 16 else None
        found.append(Signal(candidate, label))
    return tuple(found)


def make_view(**changes):
    """One that has learned."""
    usual = ForecastView(
        shown=PAIR,
        pairs={PAIR: make_pair()},
        skill=Skill(NOW_NS - 60_000_000_000, make_report(), (), 0.42, 96),
        signals=make_signals(),
        rules=RULES,
        model="lr1.3f2a91cc.2600",
        horizon_h=8.0,
        n_learned=2600,
        n_eff=231.4,
        margin=0.02,
        open_labels=17,
        voids={"the desk was away": 4},
        journal_mb=12.4,
        beat_us=19.0,
        version=7,
    )
    return replace(usual, **changes)


def young_view():
    """The first minutes: warming up, nothing learned."""
    names = ("x_fair", "z_2h", "sd_2h", "z_24h", "z_72h", "sd_ratio", "hl_log", "age", "corr")
    vector = make_vector(missing=(*MISSING, "z_24h", "z_72h", "sd_ratio", "hl_log", "age"))
    score = make_score(
        0.5, low=0.12, high=0.88, raw=0.5, logit=0.0, bias=0.0, contributions=np.zeros(N),
        n_eff=0.0, version="lr1.3f2a91cc.0",
        abstain=("warm-up: z_2h, sd_2h", "too few effective outcomes: 0 of 200"),
    )  # fmt: skip
    pair = make_pair(
        score=score, vector=vector, scaled=np.zeros(N), warming=names[1:],
        decision="abstain: warm-up: z_2h, sd_2h", hold=Hold(why="no half-life yet"),
        funding=Funding(make_pair().funding.dues, why="the hold is not known"),
        analogues=Analogues(0, 0.0, NAN, 0.0, 1.0, NAN, NAN, NAN, 8.0),
        lead=LeadLag(NAN, NAN, NAN, NAN, NAN, "",
                     "12 price changes of spot, 60 are needed", 12, 88),
        bands=Bands(69.5, 68.4), regime=None, regime_why="warming up",
    )  # fmt: skip
    return make_view(
        pairs={PAIR: pair}, skill=Skill(), signals=(), model="lr1.3f2a91cc.0", n_learned=0,
        n_eff=0.0, open_labels=0, voids={}, journal_mb=0.1,
    )  # fmt: skip
