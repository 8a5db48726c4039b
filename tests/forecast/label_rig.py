"""Ticks of a small made world, and a forecaster that has lived in it."""

import math

import numpy as np

from basisdesk.forecast.label_rules import HOUR_NS, S_NS, LabelRules
from basisdesk.forecast.labels import PairLabels
from basisdesk.forecast.words import Candidate, Tick

T0_NS = 1_700_000_000 * S_NS
PAIR = "demo:spot:ADAUSDT demo:perp:ADAUSDT"


def quote(t_s: float, basis_bp: float, **more) -> Tick:
    """A tick with a mid basis, half a bp of spread a leg, and costs of 10 bp."""
    spot = more.pop("spot", 100.0)
    perp = spot * (1 + basis_bp / 1e4)
    half_s, half_f = spot * 0.25e-4, perp * 0.25e-4
    values = {
        "t_ns": T0_NS + round(t_s * S_NS),
        "spot_bid": spot - half_s,
        "spot_ask": spot + half_s,
        "spot_bid_size": 10.0,
        "spot_ask_size": 12.0,
        "perp_bid": perp - half_f,
        "perp_ask": perp + half_f,
        "perp_bid_size": 9.0,
        "perp_ask_size": 11.0,
        "open_bp": basis_bp - 0.5,
        "close_bp": basis_bp + 0.5,
        "impact_bp": 0.5,
        "fair_bp": -4.5,
        "cost_bp": 10.0,
        "target_bp": 0.0,
        "mark": perp,
        "rate": 1e-4,
        "interval_h": 8.0,
        "interest_8h_bp": 1.0,
        "cap": 0.02,
        "direction": 1 if basis_bp >= -4.5 else -1,
    }
    return Tick(**{**values, **more})


RULES = LabelRules(gain_bp=5.0, stop_bp=20.0, horizon_h=1.0, latency_ms=500.0)


def candidate(tick: Tick, number: int = 1) -> Candidate:
    return Candidate(
        id=number,
        t_ns=tick.t_ns,
        pair=PAIR,
        direction=tick.direction,
        features=(1.0, None),
        features_hash="00",
        raw=0.7,
        p=0.6,
        version="test",
        cost_bp=tick.cost_bp,
    )


def follow(path, rules: LabelRules = RULES, **first):
    """All releases of one candidate noted at the first tick of a path [(t_s, basis or Tick)]."""
    labels = PairLabels(rules)
    found = []
    for i, (t_s, what) in enumerate(path):
        tick = what if isinstance(what, Tick) else quote(t_s, what, **(first if not i else {}))
        found += [(t_s, each.label) for each in labels.beat(tick)]
        if not i:
            labels.add(candidate(tick), {})
    return found, labels


def stream(
    n: int, seed: int, step_s: float = 10.0, pairs: int = 2, start_s: float = 0.0
) -> list[tuple[str, Tick]]:
    """A mean-reverting world: n beats of each pair, each with its quirks."""
    rng = np.random.default_rng(seed)
    level = np.zeros(pairs)
    spot = np.full(pairs, 100.0)
    settled = ((1_699_977_600_000, 1.0),)
    out = []
    for i in range(n):
        t_s = start_s + i * step_s
        stamp_ms = int((T0_NS // 1_000_000 + t_s * 1e3) // 28_800_000 * 28_800_000)
        if stamp_ms > settled[-1][0]:
            settled = (*settled, (stamp_ms, float(rng.normal(1.0, 2.0))))
        level += -0.004 * level + rng.normal(0.0, 1.3, pairs) * math.sqrt(step_s / 10.0)
        spot *= 1.0 + rng.normal(0.0, 2e-4, pairs)
        for k in range(pairs):
            basis = -4.5 + level[k]
            stale = "spot is old" if rng.random() < 0.02 else ""
            gone = rng.random() < 0.1
            tick = quote(
                t_s + 0.1 * k,
                float(basis),
                spot=float(spot[k]),
                rate=float(1e-4 + 1e-5 * rng.normal()),
                next_ms=stamp_ms + 28_800_000,
                settled=settled,
                mkt_x_bp=math.nan if gone else float(level.mean()),
                spot_signed=float(rng.normal()),
                spot_volume=float(abs(rng.normal()) + 3.0),
                spot_trades=3.0,
                perp_signed=float(rng.normal()),
                perp_volume=float(abs(rng.normal()) + 3.0),
                perp_trades=5.0,
                spot_bid_size=float(rng.uniform(1, 20)),
                perp_ask_size=float(rng.uniform(1, 20)),
                target_bp=-4.5,
                stale=stale,
            )
            out.append((f"pair {k}", tick))
    return out


LIVELY = LabelRules(x_bp=6.0, z=1.0, gain_bp=3.0, stop_bp=15.0, horizon_h=1.0)
HOUR_S = HOUR_NS / S_NS
