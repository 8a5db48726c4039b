"""The random-maturity trade of He, Manela, Ross and von Wachter, run again on the same closes.

The paper ("Fundamentals of Perpetual Futures", arXiv 2212.06888, version 6 of 2024) opens a pair
when the annualised deviation of the perpetual from spot leaves the bounds that trading costs set,
and closes it when the deviation first returns to 0:

    rho = kappa * ln(F / S) - r,   bounds kappa * ln(1 - C) and kappa * ln(1 + C),   kappa = 1095

with C the round trip of both legs. Nothing is tuned here: the study asks whether this program, its
reader and its clock find what the paper and an independent replication found, and says where not.
"""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.lab.replicate_chart import deviation_chart
from basisdesk.lab.replicate_claims import replicate_claims
from basisdesk.lab.replicate_words import (
    EXPLAINED,
    INDEPENDENT,
    PAPER_ACTIVE,
    PAPER_END,
    PAPER_HOURS,
    Compared,
    sentences,
)
from basisdesk.lab.series import Floats, Ints, PairSeries
from basisdesk.lab.series_archive import archive_series, symbols_in
from basisdesk.lab.sources import day, source_words
from basisdesk.lab.venue_terms import base_of

NS = 1_000_000_000
HOUR_NS = 3_600 * NS
KAPPA = 1_095.0  # settlements of 8 hours in a year
BOUNDS_BP = {"low": 4.86, "medium": 10.44, "high": 16.38, "taker": 30.0}
COUNTED = ("high", "taker")
COINS_MAX = 50

Side = Literal[-1, 1]


class ReplicateOptions(NamedTuple):
    """data: folder of hourly archives. symbols: none for all that the folder has both legs of.

    rate: r, cost of money as a fraction a year.
    """

    data: Path
    symbols: tuple[str, ...] = ()
    rate: float = 0.0


class Excursion(NamedTuple):
    """One trade of the rule. row, end: of its opening and closing bar; end is -1 while open.

    side: +1 opened above the bounds (long spot, short perpetual), -1 below.
    """

    row: int
    end: int
    side: Side


def deviation(spot: Floats, perp: Floats, rate: float = 0.0) -> Floats:
    """rho, fraction a year, of two closes."""
    return np.asarray(KAPPA * np.log(perp / spot) - rate)


def bounds(cost_bp: float) -> tuple[float, float]:
    """(lowest, highest) rho that a round trip of so many bp leaves without a trade."""
    cost = cost_bp * 1e-4
    return KAPPA * math.log(1.0 - cost), KAPPA * math.log(1.0 + cost)


def excursions(rho: Floats, low: float, high: float) -> list[Excursion]:
    """Every trade of the rule over a row of deviations, in order.

    A trade is open from the bar that left the bounds to the bar at which rho is 0 or past it. A bar
    that closes one may open the next, where it lies beyond the other bound.
    """
    found: list[Excursion] = []
    side, row = 0, 0
    for i, value in enumerate(rho.tolist()):
        if side and value * side <= 0.0:
            found.append(Excursion(row, i, 1 if side > 0 else -1))
            side = 0
        if not side and not low <= value <= high:
            side, row = (1 if value > high else -1), i
    if side:
        found.append(Excursion(row, -1, 1 if side > 0 else -1))
    return found


def active(found: Sequence[Excursion], count: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether a trade was open after each bar: the opening bar counts, the closing one does not."""
    mask = np.zeros(count, dtype=np.bool_)
    for each in found:
        mask[each.row : count if each.end < 0 else each.end] = True
    return mask


def run_replicate(options: ReplicateOptions) -> dict[str, Any]:
    """The study as plain data. Raises UserError where the folder has no hourly pair."""
    if not math.isfinite(options.rate) or abs(options.rate) > 1.0:
        raise UserError(f"The rate {options.rate:g} is a fraction a year, such as 0.05.")
    symbols = options.symbols or tuple(symbols_in(options.data))
    if not 1 <= len(symbols) <= COINS_MAX:
        raise UserError(
            f"{options.data} has spot and perpetual candles of {len(symbols)} symbols; 1 to "
            f"{COINS_MAX} can be run. Name them with --symbols."
        )
    pairs = [archive_series(options.data, symbol, "1h") for symbol in symbols]
    coins = [_coin(pair, options.rate) for pair in pairs]
    compared = [each for coin in coins for each in coin["compared"]]
    return {
        "study": "replicate",
        "version": __version__,
        "made_by": {
            "data": str(options.data),
            "symbols": list(symbols),
            "rate": options.rate,
        },
        "data": [source_words(pair) for pair in pairs],
        "pre_registration": _registration(symbols, options.rate, pairs),
        "sentences": sentences(compared, options.rate),
        "tables": [
            _by_year(coins),
            _against(compared),
            *(_list(coin) for coin in coins),
            _explained(coins),
        ],
        "charts": [deviation_chart(coin, bounds(BOUNDS_BP["high"])) for coin in coins],
        "claims": replicate_claims(coins, COUNTED[0]),
    }


def _registration(
    symbols: Sequence[str], rate: float, pairs: Sequence[PairSeries]
) -> dict[str, Any]:
    """What was laid down before the run; its hash tells a later change."""
    words: dict[str, Any] = {
        "hypothesis": "The published rule, run on the archives' hourly closes, opens as often in "
        "each year and holds as large a share of the hours as was published.",
        "parameters": {"kappa": KAPPA, "r": rate, "bounds_bp": BOUNDS_BP, "close": "rho back at 0"},
        "trials": 1,
        "dates": [[day(int(p.t_ns[0])), day(int(p.t_ns[-1]))] for p in pairs],
        "costs": "the bounds are the costs; nothing is charged, no result in money is claimed",
        "symbols": list(symbols),
    }
    return words | {"hash": hashlib.sha256(msgspec.json.encode(words)).hexdigest()}


# --- one coin -------------------------------------------------------------------------------------


def _coin(pair: PairSeries, rate: float) -> dict[str, Any]:
    spot, perp = _closes(pair)
    rho = deviation(spot, perp, rate)
    opened_ns = pair.t_ns - round(pair.step_s * NS)  # a bar belongs to the year it opened in
    years = np.array([datetime.fromtimestamp(t // NS, UTC).year for t in opened_ns.tolist()])
    by_bound = {name: excursions(rho, *bounds(cost)) for name, cost in BOUNDS_BP.items()}
    base = base_of(pair.perp.rpartition(":")[2])
    coin = {
        "name": base,
        "rho": rho,
        "opened_ns": opened_ns,
        "years": years,
        "found": by_bound,
        "carried": _carried(rho, opened_ns),
        "missing": pair.coverage.missing,
    }
    coin["compared"] = _compared(coin)
    return coin


def _closes(pair: PairSeries) -> tuple[Floats, Floats]:
    """The closes: the middle of what was assumed around them."""
    return (pair.spot_bid + pair.spot_ask) / 2.0, (pair.perp_bid + pair.perp_ask) / 2.0


def _carried(rho: Floats, opened_ns: Ints) -> tuple[float, int]:
    """(hours, side) of the longest trade that may have been open before the first bar.

    What was opened before the data begin would have been closed at the first return to 0.
    """
    side = 1 if rho[0] > 0 else -1
    back = np.flatnonzero(rho * side <= 0.0)
    end = int(back[0]) if len(back) else len(rho) - 1
    return float((opened_ns[end] - opened_ns[0]) / HOUR_NS), side


def _compared(coin: dict[str, Any]) -> list[Compared]:
    """Each year and bound beside the published figures."""
    rows = []
    years, count = coin["years"], len(coin["rho"])
    for name in COUNTED:
        found = coin["found"][name]
        mask = active(found, count)
        for year in sorted(set(years.tolist())):
            mine = years == year
            held = [_hours(coin, e) for e in found if years[e.row] == year and e.end >= 0]
            theirs = INDEPENDENT.get((coin["name"], year))
            rows.append(
                Compared(
                    coin=coin["name"],
                    year=year,
                    bound=name,
                    excursions=int(sum(years[e.row] == year for e in found)),
                    independent=theirs[COUNTED.index(name)] if theirs else None,
                    active_pct=100.0 * float(mask[mine].mean()),
                    paper_pct=PAPER_ACTIVE.get((coin["name"], year)) if name == "high" else None,
                    to_paper_end_pct=_to_paper_end(coin, mask, year),
                    mean_hours=float(np.mean(held)) if held else math.nan,
                    bars=int(mine.sum()),
                )
            )
    return rows


def _to_paper_end(coin: dict[str, Any], mask: Any, year: int) -> float:
    """Active share of the part of the year that the paper's sample has, percent."""
    end_ns = int(datetime.fromisoformat(PAPER_END).replace(tzinfo=UTC).timestamp()) * NS
    mine = (coin["years"] == year) & (coin["opened_ns"] < end_ns)
    return 100.0 * float(mask[mine].mean()) if mine.any() else math.nan


def _hours(coin: dict[str, Any], each: Excursion) -> float:
    """Hours from opening to closing bar, by the clock, so that a missing bar counts."""
    opened = coin["opened_ns"]
    end = each.end if each.end >= 0 else len(opened) - 1
    return float((opened[end] - opened[each.row]) / HOUR_NS)


# --- tables and charts ----------------------------------------------------------------------------


def _column(name: str, unit: str = "") -> dict[str, str]:
    return {"name": name, "unit": unit}


def _known(value: float | None, digits: int = 2) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)


def _by_year(coins: Sequence[dict[str, Any]]) -> dict[str, Any]:
    rows = []
    for coin in coins:
        years, count = coin["years"], len(coin["rho"])
        for name, cost in BOUNDS_BP.items():
            found = coin["found"][name]
            mask = active(found, count)
            for year in sorted(set(years.tolist())):
                held = [_hours(coin, e) for e in found if years[e.row] == year and e.end >= 0]
                rows.append(
                    [
                        coin["name"],
                        year,
                        f"{name} ({cost:g} bp)",
                        int(sum(years[e.row] == year for e in found)),
                        round(100.0 * float(mask[years == year].mean()), 2),
                        _known(float(np.mean(held)) if held else None, 1),
                    ]
                )
    return {
        "title": "Excursions by coin, year and trading cost",
        "columns": [
            _column("Coin"),
            _column("Year"),
            _column("Round trip"),
            _column("Excursions", "opened in the year"),
            _column("Active", "% of bars"),
            _column("Mean open", "h"),
        ],
        "rows": rows,
        "note": "Close-to-close proxy: hourly last trades, no bid and ask. An excursion counts for "
        "the year it opened in, its hours for the years they lie in.",
    }


def _against(compared: Sequence[Compared]) -> dict[str, Any]:
    rows = [
        [
            c.coin,
            c.year,
            c.bound,
            c.excursions,
            c.independent,
            None if c.independent is None else c.excursions - c.independent,
            _known(c.to_paper_end_pct if c.paper_pct is not None else c.active_pct),
            _known(c.paper_pct),
            None if c.paper_pct is None else _known(c.to_paper_end_pct - c.paper_pct),
            _known(c.mean_hours, 1),
            PAPER_HOURS.get(c.coin) if c.bound == "high" else None,
        ]
        for c in compared
    ]
    return {
        "title": "Beside the paper and an independent replication",
        "columns": [
            _column("Coin"),
            _column("Year"),
            _column("Bound"),
            _column("Excursions"),
            _column("Independent"),
            _column("Difference"),
            _column("Active", "% of bars"),
            _column("Paper", "% of hours"),
            _column("Difference", "points"),
            _column("Mean open", "h"),
            _column("Paper, 2020 to 2024", "h"),
        ],
        "rows": rows,
        "note": "Paper: He et al., version 6, tables 6 and 7, high trading costs; its sample ends "
        f"on {PAPER_END}, and so does the share beside it. Independent: counts of a public "
        "replication with r = 0 over the venue's own hourly candles.",
    }


def _list(coin: dict[str, Any]) -> dict[str, Any]:
    rows = []
    for each in coin["found"]["high"]:
        close = day(int(coin["opened_ns"][each.end])) if each.end >= 0 else "still open"
        rho = float(coin["rho"][each.row])
        rows.append(
            [
                day(int(coin["opened_ns"][each.row])),
                close,
                "long spot" if each.side > 0 else "short spot",
                round(_hours(coin, each), 1),
                round(100.0 * rho, 1),
                round(1e4 * (math.exp(rho / KAPPA) - 1.0), 1),
            ]
        )
    return {
        "title": f"{coin['name']}: every excursion beyond the high bound",
        "columns": [
            _column("Opened", "UTC, start of the hour"),
            _column("Closed", "UTC, start of the hour"),
            _column("Trade"),
            _column("Open", "h"),
            _column("rho at opening", "% a year"),
            _column("Basis at opening", "bp"),
        ],
        "rows": rows,
        "note": "",
    }


def _explained(coins: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counts = {
        (c.coin, c.year): c.excursions
        for coin in coins
        for c in coin["compared"]
        if c.bound == "high"
    }
    rows = [
        [coin, str(year), matter, why]
        for coin, year, count, matter, why in EXPLAINED
        if counts.get((coin, year)) == count
    ]
    for coin in coins:
        hours, side = coin["carried"]
        trade = "long spot" if side > 0 else "short spot"
        first = coin["years"][0].item()
        share = 100.0 * hours / max(1, int((coin["years"] == first).sum()))
        rows.append(
            [
                coin["name"],
                str(first),
                "position open before the data begin",
                f"The data begin on {day(int(coin['opened_ns'][0]))} with no position. Only a "
                f"{trade} trade of the year before could still have been open; rho was back at 0 "
                f"after {hours:g} hours, so at most {share:.2f} points of the year's active share "
                "are missing, and no excursion that opened in it.",
            ]
        )
        rows.append(
            [
                coin["name"],
                "all",
                "missing hours",
                f"Hours of the span without a bar of both legs: {coin['missing']}. The rule waits "
                "over them; time open is counted by the clock, active shares by bars.",
            ]
        )
    return {
        "title": "Where the figures differ, and why",
        "columns": [_column("Coin"), _column("Year"), _column("Matter"), _column("Explanation")],
        "rows": rows,
        "note": "Hourly closes miss what came and went within an hour: every count is a lower "
        "bound for somebody who watches all the time.",
    }
