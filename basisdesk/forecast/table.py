"""The 44 features, in the one order that every vector has: what each is, over what time, and why.

The first number of a feature comes after `first_s`; before, it is missing. Until `warm_s` of data
were heard it is a value of a young memory and is flagged as warming. What a feature compares with a
mean, a deviation or a median is never in it: these end with the beat before. Smoothed features
(a mean over seconds, that nothing is compared with) have the newest beat in them.

A feature that `flips` changes its sign where spot and perpetual are exchanged: for the side -1 its
mirror is what +1 would see. `sided` turns a vector so, and one pooled model learns both sides.

Behind the 44 a vector may have features of numbers from outside (outside.py), as many as the
settings name, none as a rule; they never stand between the 44.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from basisdesk.forecast.words import Vector

M5, M10, M30 = 300.0, 600.0, 1_800.0
H1, H2, H12, H24, H72 = 3_600.0, 7_200.0, 43_200.0, 86_400.0, 259_200.0
MEMORIES = 3.0  # time constants until an exponentially weighted memory is full: 1 - exp(-3) = 0.95


class Feature(NamedTuple):
    """One row: see the top of this file. group: a letter of GROUPS; unit: "" is a pure number."""

    name: str
    group: str
    unit: str
    window: str
    formula: str
    source: str
    first_s: float = 0.0
    warm_s: float = 0.0
    flips: bool = False


GROUPS = {
    "A": "basis",
    "B": "funding",
    "C": "books",
    "D": "order flow",
    "E": "spot and lead",
    "F": "other venues and coins",
}

_OWN = "measured here"
_HE = "He, Manela, Ross, von Wachter, Fundamentals of Perpetual Futures (2022), arXiv 2212.06888"
_OFI = "Cont, Kukanov, Stoikov, The Price Impact of Order Book Events (2014), eq. 4"
_GG = "Gonzalo, Granger, Estimation of Common Long-Memory Components (1995)"
_EW = "Mueller, Specially Weighted Moving Averages (1991): EMA of irregular times"
_MICRO = "Stoikov, The Micro-Price (2018), weighted mid"
_VENUE = "the venue's funding rule"


def _z(name: str, window: str, tau_s: float, first_s: float) -> Feature:
    formula = "(b - EW mean of b) / max(EW sd of b, floor)"
    return Feature(name, "A", "sd", window, formula, _EW, first_s, MEMORIES * tau_s, flips=True)


FEATURES = (
    Feature("b_mid", "A", "bp", "now", "1e4 (perp mid - spot mid) / spot mid", _OWN, flips=True),
    Feature("b_exec_in", "A", "bp", "now", "executable entry basis, our side", _OWN, flips=True),
    Feature("x_fair", "A", "bp", "now", "b - clamp-aware fair basis", _HE, flips=True),
    Feature("edge", "A", "bp", "now", "side (entry basis - target) - break-even", _OWN),
    _z("z_5m", "5 min", M5, 60.0),
    _z("z_2h", "2 h", H2, 600.0),
    _z("z_24h", "24 h", H24, M30),
    _z("z_72h", "72 h", H72, H1),
    Feature("sd_2h", "A", "bp", "2 h", "EW sd of b", _EW, 600.0, 3 * H2),
    Feature("sd_ratio", "A", "", "30 min, 24 h", "ln(sd 30 min / sd 24 h)", _OWN, M30, 3 * H24),
    Feature(
        "slope", "A", "sd", "5 min, 2 h", "(EW 5 min of b - EW 2 h of b) / sd_2h: the MA crossover",
        "Brock, Lakonishok, LeBaron, Simple Technical Trading Rules (1992)", 600.0, 3 * H2, True,
    ),
    Feature(
        "hl_log", "A", "ln min", "12 h", "ln(-ln 2 / ln(c2 / c1)) of b sampled each minute", _OWN,
        H1, 3 * H12,
    ),
    Feature("age", "A", "min", "now", "since |z_24h| last rose above 1; 0 within", _OWN, M30,
            3 * H24),
    Feature("db_10m", "A", "bp", "10 min", "b - b of 10 minutes ago", _OWN, M10, M10, True),
    Feature("f_last", "B", "bp/8h", "now", "last published settlement", _VENUE, flips=True),
    Feature("f_ind", "B", "bp/8h", "interval", "indicative rate as the venue says it", _VENUE,
            flips=True),
    Feature("f_vel", "B", "bp/h", "30 min",
            "(f - EW mean of f before) / (tau + step), without settlement steps", _OWN, 60.0,
            3 * M30, True),
    Feature("f_mom", "B", "bp/8h", "7 d", "EWM over 3 - EWM over 21 settlements", _OWN, flips=True),
    Feature("f_z", "B", "sd", "90 settlements", "(f_ind - median) / max(1.4826 MAD, 0.2 bp)",
            "Hampel, The Influence Curve (1974)", flips=True),
    Feature("pinned", "B", "0/1", "now", "|f_ind - interest| < 0.05 bp", _VENUE),
    Feature("t_next", "B", "", "now", "share of the interval left", _VENUE),
    Feature("hour_sin", "B", "", "now", "sin of the UTC hour", _OWN),
    Feature("hour_cos", "B", "", "now", "cos of the UTC hour", _OWN),
    Feature("cap_dist", "B", "", "now", "(cap - |rate|) / cap", _VENUE),
    Feature("spr_s", "C", "", "1 h", "spread of spot / its running median", _OWN, 60.0, H1),
    Feature("spr_f", "C", "", "1 h", "spread of the perp / its running median", _OWN, 60.0, H1),
    Feature("dr5_s", "C", "", "10 s", "(bids - asks) / (bids + asks) within 5 bp, spot",
            "Cartea, Jaimungal, Penalva, Algorithmic Trading (2015), 12.3", 0.0, 30.0, True),
    Feature("dr5_f", "C", "", "10 s", "(bids - asks) / (bids + asks) within 5 bp, perp",
            "Cartea, Jaimungal, Penalva, Algorithmic Trading (2015), 12.3", 0.0, 30.0, True),
    Feature("depth_rel", "C", "", "1 min", "ln(depth within 10 bp, perp / spot)", _OWN, 0.0, 180.0),
    Feature("impact", "C", "bp", "now", "average price against mid at our size, both legs", _OWN),
    Feature("mp_lean", "C", "bp", "5 s", "(microprice - mid) / mid, perp minus spot", _MICRO, 0.0,
            15.0, True),
    Feature("ofi_f", "D", "", "10 s", "sum of e / mean touch size, perp", _OFI, 10.0, 180.0, True),
    Feature("ofi_s", "D", "", "10 s", "sum of e / mean touch size, spot", _OFI, 10.0, 180.0, True),
    Feature("ofi_diff_1m", "D", "", "1 min", "OFI of the perp - OFI of spot", _OFI, 60.0, 180.0,
            True),
    Feature("tsign_f", "D", "", "1 min", "(taker buys - sells) / volume, perp minus spot", _OWN,
            60.0, 180.0, True),
    Feature("int_ratio", "D", "", "10 s, 1 h", "trades a second, 10 s over 1 h, both legs", _OWN,
            600.0, 3 * H1),
    Feature("rv_10m", "E", "a year", "10 min", "realised deviation of spot, 10 s returns",
            "Andersen, Bollerslev, Diebold, Labys, Modeling Realized Volatility (2003)", 120.0,
            3 * M10),
    Feature("ret_1h", "E", "sd", "1 h", "return of spot / its hourly deviation", _OWN, H1, H1,
            True),
    Feature("corr", "E", "", "30 min", "artanh of the correlation of 10 s returns",
            "Epps, Comovements in Stock Prices (1979)", M10, 3 * M30),
    Feature("lead", "E", "", "1 h", "aS / (aS - aF): the perp's share of price discovery", _GG,
            M10, 3 * H1),
    Feature("xv_f", "F", "bp/8h", "now", "own funding - median of venues", _OWN, flips=True),
    Feature("xv_b", "F", "bp", "now", "own basis - median of the coin elsewhere", _OWN, flips=True),
    Feature("mkt_x", "F", "bp", "now", "median of x_fair over all coins", _HE, flips=True),
    Feature("sec_z", "F", "sd", "90 d", "z of the sector's funding against all coins", _OWN,
            flips=True),
)  # fmt: skip

N = len(FEATURES)
NAMES = tuple(feature.name for feature in FEATURES)
FIRST = {feature.name: feature.first_s for feature in FEATURES}
INDEX = {name: i for i, name in enumerate(NAMES)}
WARM_S = np.array([feature.warm_s for feature in FEATURES])
_MIRROR = np.array([-1.0 if feature.flips else 1.0 for feature in FEATURES])


def mirror_of(extras: tuple[Feature, ...]) -> "Vector":
    """What `sided` multiplies a vector by whose 44 are followed by these."""
    return np.append(_MIRROR, [-1.0 if feature.flips else 1.0 for feature in extras])


def sided(vector: "Vector", direction: int, mirror: "Vector" = _MIRROR) -> "Vector":
    """The vector as seen from a side: itself for +1, its mirror for -1."""
    return vector if direction > 0 else vector * mirror


def missing(vector: "Vector") -> tuple[str, ...]:
    """Names of those of the 44 that have no value."""
    return tuple(NAMES[i] for i in np.flatnonzero(np.isnan(vector[:N])).tolist())
