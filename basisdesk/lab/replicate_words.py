"""What was published of the random-maturity trade, and what a person reads of our run beside it.

Paper: He, Manela, Ross, von Wachter, "Fundamentals of Perpetual Futures", arXiv 2212.06888 version
6 (2024), table 6 (high trading costs) and table 7 (active share by year). Independent replication:
a public measurement of 2026 over hourly candles of Binance's API with r = 0 and the same rule.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

PAPER_END = "2024-03-11"
POINTS_MAX = 2.0  # of active share within which we call it the same

# (coin, year) -> percent of hours with a position, high trading costs, paper's table 7
PAPER_ACTIVE = {
    ("BTC", 2020): 28.66,
    ("BTC", 2021): 34.43,
    ("BTC", 2022): 9.21,
    ("BTC", 2023): 7.68,
    ("BTC", 2024): 22.18,
    ("ETH", 2020): 37.80,
    ("ETH", 2021): 34.91,
    ("ETH", 2022): 8.23,
    ("ETH", 2023): 10.35,
    ("ETH", 2024): 20.93,
    ("BNB", 2020): 55.23,
    ("BNB", 2021): 48.03,
    ("BNB", 2022): 16.54,
    ("BNB", 2023): 18.93,
    ("BNB", 2024): 53.39,
    ("DOGE", 2020): 60.12,
    ("DOGE", 2021): 49.19,
    ("DOGE", 2022): 16.92,
    ("DOGE", 2023): 8.37,
    ("DOGE", 2024): 12.72,
    ("ADA", 2020): 47.61,
    ("ADA", 2021): 42.18,
    ("ADA", 2022): 28.52,
    ("ADA", 2023): 25.24,
    ("ADA", 2024): 13.20,
}

# mean hours from opening to closing over the paper's whole sample, high trading costs, table 6
PAPER_HOURS = {"BTC": 134.94, "ETH": 83.71, "BNB": 27.28, "DOGE": 13.82, "ADA": 40.58}

# (coin, year) -> excursions of the independent replication at (high, 30 bp taker)
INDEPENDENT = {
    ("BTC", 2020): (26, 11),
    ("BTC", 2021): (18, 6),
    ("BTC", 2022): (2, 2),
    ("BTC", 2023): (3, 1),
    ("BTC", 2024): (5, 0),
    ("BTC", 2025): (1, 0),
    ("ETH", 2020): (36, 13),
    ("ETH", 2021): (34, 12),
    ("ETH", 2022): (7, 2),
    ("ETH", 2023): (5, 1),
    ("ETH", 2024): (4, 1),
    ("ETH", 2025): (1, 0),
    ("BNB", 2022): (28, 7),
    ("BNB", 2023): (42, 14),
    ("BNB", 2024): (27, 6),
    ("DOGE", 2022): (46, 2),
    ("DOGE", 2023): (3, 1),
    ("DOGE", 2024): (7, 3),
    ("ADA", 2022): (74, 1),
    ("ADA", 2023): (17, 1),
    ("ADA", 2024): (6, 1),
}

# What was looked into by hand on the archives of 2022 to 2024: (coin, year, excursions beyond the
# high bound that it speaks of, matter, explanation). Told only where the count is the same.
EXPLAINED = (
    (
        "BTC",
        2023,
        3,
        "an excursion that nobody could have traded",
        "That of 24 March 2023, 186 bp below spot, opened in the hour in which Binance's spot "
        "trading stopped: the spot close is a price from before the halt. It is in the "
        "independent count too, and makes more than half of the year's active share.",
    ),
    (
        "BTC",
        2024,
        4,
        "4 excursions here, 5 in the independent replication",
        "On 28 October 2024, 20:00 to 21:00 UTC, the archive's futures candle has no trade and "
        "repeats 69,566.10, 11 bp below spot and inside the bound of 16.4 bp. The mean length of "
        "the five published excursions (274.8 h) leaves 25 h for the fifth, which is what an "
        "opening in that hour would have lasted: rho was first back at 0 on 29 October, 21:00. So "
        "the other run read another close for that hour, from the venue's API and not from its "
        "archive. The hour lies after the paper's sample, whose share is met.",
    ),
    (
        "ETH",
        2022,
        7,
        "active share 3.6 points above the paper's, with the independent run's count and share",
        "The paper has 316 hours less. Our short-spot trades of 27 April (36 h, opened 0.3 bp "
        "beyond the bound), 12 May (240 h, 1.3 bp beyond) and 13 September (38 h, two days before "
        "the merge) make 314. A rate r above 0, which the paper subtracts, would lengthen such "
        "trades, so r alone does not explain it; prices taken at another moment of the hour, or "
        "the cost of borrowed coins, high before the merge, would. Not proven. The independent "
        "run with r = 0 has 11.84 % as well.",
    ),
    (
        "ETH",
        2024,
        4,
        "active share 2.2 points above the paper's up to the end of its sample",
        "2.2 points of the ten weeks of 2024 are 36 hours of our two long-spot trades of 2 January "
        "and 27 February. With r above 0, which the paper subtracts, a long-spot trade closes "
        "earlier. Not proven. The independent run with r = 0 has 23.14 % as well.",
    ),
)


class Compared(NamedTuple):
    """One coin, year and bound of ours beside what was published, None where nothing was.

    active_pct: of all bars of the year; to_paper_end_pct: of those in the paper's sample.
    """

    coin: str
    year: int
    bound: str
    excursions: int
    independent: int | None
    active_pct: float
    paper_pct: float | None
    to_paper_end_pct: float
    mean_hours: float
    bars: int


def sentences(compared: Sequence[Compared], rate: float) -> list[str]:
    """What a person reads first."""
    high = [c for c in compared if c.bound == "high"]
    said = [_counts(high), _shares(high)]
    total = sum(c.excursions for c in high)
    said.append(
        f"{total} excursions in {len(high)} years of a coin: enough to say that the rule was "
        "rebuilt, too few to say what it will earn. No result in money is claimed here."
    )
    if rate:
        said.append(f"r is {100 * rate:g} % a year here; the figures beside were made otherwise.")
    said.append("Hourly last trades, no bid and ask: a close-to-close proxy.")
    return [each for each in said if each]


def _counts(high: Sequence[Compared]) -> str:
    known = [c for c in high if c.independent is not None]
    if not known:
        return "Nothing was published of these coins and years to compare with."
    same = [c for c in known if c.excursions == c.independent]
    others = [c for c in known if c.excursions != c.independent]
    text = f"Excursions beyond the high bound (16.38 bp): {len(same)} of {len(known)} years agree "
    text += f"exactly with the independent replication ({_listed(same)})"
    if others:
        text += "; " + ", ".join(
            f"{c.coin} {c.year} has {c.excursions} here and {c.independent} there" for c in others
        )
    return text + "."


def _listed(rows: Sequence[Compared]) -> str:
    return ", ".join(f"{c.coin} {c.year}: {c.excursions}" for c in rows) or "none"


def _shares(high: Sequence[Compared]) -> str:
    known = [c for c in high if c.paper_pct is not None and not math.isnan(c.to_paper_end_pct)]
    if not known:
        return ""
    near: list[str] = []
    far: list[str] = []
    for c in known:
        gap = c.to_paper_end_pct - (c.paper_pct or 0.0)
        text = f"{c.coin} {c.year} {c.to_paper_end_pct:.1f} % beside {c.paper_pct:.1f} %"
        (near if abs(gap) <= POINTS_MAX else far).append(text)
    said = f"Share of hours with a position: {len(near)} of {len(known)} years lie within "
    said += f"{POINTS_MAX:g} points of the paper ({'; '.join(near) or 'none'})"
    return said + (f"; further off are {'; '.join(far)}." if far else ".")
