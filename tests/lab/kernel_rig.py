"""Series and rules for the kernel: a few rows by hand, or any by a seed."""

from dataclasses import dataclass

import numpy as np

from basisdesk.lab.backtest import backtest
from basisdesk.lab.kernel import TRADE, run
from basisdesk.lab.rule import TIERS, BandRule, Costs, Size
from basisdesk.lab.series import Coverage, PairSeries, Settlements, Terms

S = 1_000_000_000
M = 60 * S
H = 3_600 * S
T0 = 1_704_067_200 * S  # 2024-01-01 00:00 UTC
INF = float("inf")
SIZE = Size()
DEAR = Costs(0.001, 0.00055, 1.3, 1e-4, 0.01, 0.00055, 0.12)


def series_of(t_ns, spot, perp, mark=None, kind="bars", settled=(), half=0.0):
    """Closes with `half` (a fraction) of spread either side. settled: (stamp ns, rate) each."""
    t_ns, spot, perp = np.asarray(t_ns, np.int64), np.asarray(spot, float), np.asarray(perp, float)
    mark = perp if mark is None else np.asarray(mark, float)
    stamps = np.array([stamp for stamp, _ in settled], np.int64)
    rates = np.array([rate for _, rate in settled], float)
    return PairSeries(
        "X", "bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT", kind, 0.0, t_ns,
        spot * (1 - half), spot * (1 + half), perp * (1 - half), perp * (1 + half), mark,
        Settlements(stamps, rates, np.full(len(stamps), np.nan), np.full(len(stamps), 8.0)),
        Terms(8.0, 1e-4, 5e-4, 0.003), Coverage(len(t_ns), {}, 0, 1.0, ()),
    )  # fmt: skip


@dataclass
class Case:
    """One comparison."""

    series: PairSeries
    rule: BandRule
    costs: Costs = TIERS["taker"]
    size: Size = SIZE

    def engine(self):
        return backtest(self.series, self.rule, self.costs, self.size)

    def kernel(self, **how):
        return run(self.series, self.rule, self.costs, self.size, **how)


def differences(case):
    """Where engine, kernel by jumps and kernel by steps differ; and the kernel's trades."""
    engine, jumps, steps = case.engine(), case.kernel(), case.kernel(stepwise=True)
    said = []
    for name, trades in (("jumps", jumps), ("steps", steps)):
        if len(trades) != len(engine.trades):
            said.append(f"{name}: {len(trades)} trades, engine {len(engine.trades)}")
            continue
        for column in TRADE.names:
            mine, other = engine.trades[column], trades[column]
            if not np.allclose(mine.astype(float), other.astype(float), rtol=1e-12, atol=1e-4):
                said.append(f"{name}: {column} {other.tolist()}, engine {mine.tolist()}")
    if abs(engine.end - case.size.capital - jumps["net"].sum()) > 1e-3:
        said.append(f"equity {engine.end}, kernel {case.size.capital + jumps['net'].sum()}")
    return said, jumps


def any_case(seed):
    """A series, a rule, costs and a size by chance: dense, sparse, gaps, wild, settlements."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 40))
    t_ns = T0 + int(rng.integers(-3, 3)) * M + np.cumsum(_steps(rng, count))
    kind = str(rng.choice(["bars", "quotes"]))
    vol = rng.choice([1e-4, 0.01, 0.05, 0.12])
    spot = 100 * np.exp(np.cumsum(np.clip(rng.standard_t(3, count) * vol, -0.3, 0.3)))
    perp = spot * (1 + rng.standard_normal(count) * rng.choice([3.0, 30.0]) * 1e-4)
    noise = np.clip(rng.standard_normal(count) * rng.choice([1e-5, 0.02, 0.1]), -0.19, 0.19)
    mark = perp * (1 + noise)
    if kind == "quotes":
        spot, perp, mark = (_held(rng, each) for each in (spot, perp, mark))
    digits = int(rng.choice([2, 4, 6]))
    stamps = _stamps(rng, t_ns)
    rates = np.clip(rng.standard_normal(len(stamps)) * rng.choice([1e-4, 0.02, 0.08]), -0.15, 0.15)
    settled = list(zip(stamps.tolist(), rates.tolist(), strict=True))
    half = float(rng.choice([0.0, 1e-5, 2e-4]))
    series = series_of(
        t_ns, np.round(spot, digits), np.round(perp, digits), mark, kind, settled, half
    )
    entry = float(rng.choice([-INF, -5, 0, 3, 10]))
    leave = float(rng.choice([-INF, -20, -3, 0, 2]))
    rule = BandRule(
        int(rng.choice([-1, 0, 1])),
        entry,
        leave if entry == -INF else min(leave, entry),
        float(rng.choice([INF, 2, 10])),
        float(rng.choice([INF, 0.01, 2, 30])),
        float(rng.choice([1, 2, 3.5, 5])),
    )
    costs = [TIERS["low"], TIERS["taker"], DEAR][int(rng.integers(3))]
    notional = float(rng.choice([100, 5_000, 6_660, 9_000, 9_900]))
    return Case(series, rule, costs, Size(10_000.0, notional, float(rng.choice([0, 0, 0.5]))))


def harsh_case(seed):
    """any_case with what files do to it: scales, marks that lack, crossed quotes, absurd rates."""
    case, rng = any_case(seed), np.random.default_rng(seed + 777)
    s, costs, size = case.series, case.costs, case.size
    count, scale = len(s.t_ns), float(rng.choice([1, 1, 0.0123, 1e3, 123.456]))
    names = ("spot_bid", "spot_ask", "perp_bid", "perp_ask", "mark")
    s = s._replace(**{name: getattr(s, name) * scale for name in names})
    if rng.random() < 0.4:
        s.mark[rng.random(count) < 0.2] = np.nan
    if rng.random() < 0.3:
        crossed = rng.random(count) < 0.1
        s.spot_bid[crossed] = s.spot_ask[crossed] * 1.01
    if rng.random() < 0.3:
        stamps = np.unique(rng.choice(s.t_ns, min(count, 6)) // M * M)
        rates = rng.choice([-0.15, 0.15, 0, 1e-4, np.nan, 0.2], len(stamps)).astype(float)
        left, hours = np.full(len(stamps), np.nan), np.full(len(stamps), 8.0)
        s = s._replace(settled=Settlements(stamps.astype(np.int64), rates, left, hours))
    if rng.random() < 0.2:
        terms = s.terms._replace(interval_h=float(rng.choice([1, 4, 8])), clamp=0.0)
        s = s._replace(terms=terms)
    if rng.random() < 0.2:
        notional = float(rng.choice([1, 10, 1e5]))
        size = size._replace(notional=notional, capital=float(rng.choice([10, 1e4, 1e7])))
    if rng.random() < 0.2:
        costs = costs._replace(slippage_bp=float(rng.choice([0.5, 7, 50])))
    return Case(s, case.rule, costs, size)


def wicked_case(seed):
    """harsh_case as bars that know the extremes of the mark, some of them far, some unknown."""
    case, rng = harsh_case(seed), np.random.default_rng(seed + 99)
    mark, count = case.series.mark, len(case.series.t_ns)
    far = rng.choice([5e-4, 0.02, 0.15, 0.3])
    high = mark * (1 + far * np.minimum(np.abs(rng.standard_normal(count)), 1.5))
    low = mark * (1 - far * np.minimum(np.abs(rng.standard_normal(count)), 1.2) * 0.7)
    for edge in (high, low):
        edge[rng.random(count) < 0.1] = np.nan
    t_ns = case.series.t_ns + int(rng.choice([0, 0, rng.integers(400)])) * 1_000_000
    series = case.series._replace(kind="bars", t_ns=t_ns, mark_high=high, mark_low=low)
    return Case(series, case.rule, case.costs, case.size)


def scaled_case(seed, scale):
    """Thirty hours at prices about `scale`, written to so many digits or to none."""
    rng, lead = np.random.default_rng(seed), int(np.floor(np.log10(scale)))
    digits = int(rng.choice([99, *(max(0, more - lead) for more in (2, 4, 6))]))
    walk = rng.standard_normal(30) * rng.choice([1e-4, 0.01, 0.1])
    spot = scale * np.exp(np.cumsum(np.clip(walk, -0.3, 0.3)))
    perp = spot * (1 + rng.standard_normal(30) * 5e-4)
    t_ns, half = T0 + np.arange(1, 31) * H, float(rng.choice([0.0, 1e-5, 2e-4]))
    series = series_of(t_ns, np.round(spot, digits), np.round(perp, digits), half=half)
    return Case(series, BandRule(int(rng.choice([-1, 0, 1])), 3.0, 0.0, leverage=3.0))


def _steps(rng, count):
    grid = rng.choice(["dense", "seconds", "hours", "mixed", "half hours"])
    dense, gaps = rng.integers(1, 150, count) * 1_000_000, rng.choice([1, 1, 1, 2, 9, 30], count)
    return {
        "dense": dense,
        "seconds": rng.integers(1, 90, count) * S,
        "half hours": np.full(count, 30 * M),
        "hours": gaps * H,
        "mixed": np.where(rng.random(count) < 0.5, dense, rng.integers(1, 480, count) * M),
    }[str(grid)]


def _held(rng, column):
    """Half of the values are those of the row before."""
    at = np.where(rng.random(len(column)) < 0.5, 0, np.arange(len(column)))
    return column[np.maximum.accumulate(at)]


def _stamps(rng, t_ns):
    every = int(rng.choice([1, 4, 8])) * H
    stamps = np.arange(t_ns[0] // H * H, t_ns[-1] + H, every)
    stamps = stamps + int(rng.choice([0, 0, 3_000_000, -4_000_000, 5 * M]))
    if rng.random() < 0.5:  # one within rows that lie close together
        inside = t_ns[len(t_ns) // 2] // M * M
        stamps = np.unique(np.append(stamps[np.abs(stamps - inside) > 2 * H], inside))
    return stamps[:200]
