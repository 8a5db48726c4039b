"""The venues' scorecard to rows: a venue with its medians, and each instrument of it. Pure, no Qt.

A row holds what is on the screen; figures beside the texts are for sorting. What was not seen is
an en dash, never a zero.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from basisdesk.scan.words import Score
from basisdesk.ui.figures import NOTHING, age_text, number_text, sign_text, span_text
from basisdesk.venues.instrument import split_key, venue_title

DIGITS = 2  # of a depth; it is known to a tenth


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as text, what to sort it by, and what its tooltip says. NaN: there is none.

    Two cells are equal when they look the same.
    """

    text: str
    value: float = field(compare=False)
    detail: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a figure."""
        return not math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class VenueRow:
    """One line of either table: a venue, or one of its instruments.

    key: the venue's name, or the instrument's. old: the touch is older than it should be.
    """

    key: str
    venue: str
    title: str
    coin: str
    market: str
    symbol: str
    count: Cell
    depth: Cell
    spread: Cell
    fees: Cell
    error: Cell
    bias: Cell
    missed: Cell
    capped: Cell
    outages: Cell
    away: Cell
    lag: Cell
    age: Cell
    old: bool = False


def venue_rows(scores: Sequence[Score], stale_s: float) -> list[VenueRow]:
    """A line a venue: medians over its instruments, sums of what is counted."""
    return [
        _venue_row(venue, [score for score in scores if score.venue == venue], stale_s)
        for venue in sorted({score.venue for score in scores})
    ]


def score_rows(scores: Iterable[Score], stale_s: float) -> list[VenueRow]:
    """A line an instrument, in the order given."""
    return [_score_row(score, stale_s) for score in scores]


def summary_text(rows: Sequence[VenueRow], shown: int, whole: int) -> str:
    """How much is shown: "57 of 463 instruments, 4 venues"."""
    venues = f"{len(rows)} venue{'' if len(rows) == 1 else 's'}"
    part = f"{shown:,} of {whole:,}" if shown != whole else f"{whole:,}"
    return f"{part} instruments, {venues}" if whole else ""


# --- rows -----------------------------------------------------------------------------------------


def _venue_row(venue: str, scores: list[Score], stale_s: float) -> VenueRow:
    perps = [score for score in scores if split_key(score.instrument)[1] == "perp"]
    spots = [score for score in scores if split_key(score.instrument)[1] == "spot"]
    cases = sum(score.error_n for score in perps)
    error, bias = (
        _middle(getattr(score, name) for score in perps) for name in ("error_bp", "bias_bp")
    )
    youngest = min(
        (score.age_s for score in scores if not math.isnan(score.age_s)), default=math.nan
    )
    worst = max(scores, key=lambda score: (score.outages, score.outage_s))
    return VenueRow(
        key=venue,
        venue=venue,
        title=venue_title(venue),
        coin="",
        market="",
        symbol="",
        count=Cell(
            f"{len(spots):,} + {len(perps):,}",
            len(scores),
            f"{len(spots):,} spot instruments and {len(perps):,} perpetuals.",
        ),
        depth=_depth(_middle(score.depth for score in scores)),
        spread=_spread(_middle(score.spread_bp for score in scores)),
        fees=_venue_fees(spots, perps),
        error=_error(error, cases, bias),
        bias=_bias(bias),
        missed=_count(sum(score.missed for score in perps), bool(perps)),
        capped=_count(sum(score.capped for score in perps), bool(perps)),
        outages=_count(worst.outages, True, "The most that one of its connections had."),
        away=_away(worst.outage_s),
        lag=_lag(_middle(score.lag_ms for score in scores)),
        age=_age(youngest),
        old=not youngest <= stale_s,
    )


def _score_row(score: Score, stale_s: float) -> VenueRow:
    _, market, symbol = split_key(score.instrument)
    perp = market == "perp"
    return VenueRow(
        key=score.instrument,
        venue=score.venue,
        title=venue_title(score.venue),
        coin=score.coin,
        market=market,
        symbol=symbol,
        count=Cell("", math.nan),
        depth=_depth(score.depth),
        spread=_spread(score.spread_bp),
        fees=Cell(
            f"{score.taker_bp:.1f} / {score.maker_bp:.1f}",
            score.taker_bp,
            f"Taker {score.taker_bp:.1f} bp, maker {score.maker_bp:.1f} bp. {score.fee_source}.",
        ),
        error=_error(score.error_bp, score.error_n, score.bias_bp),
        bias=_bias(score.bias_bp),
        missed=_count(score.missed, perp),
        capped=_count(score.capped, perp),
        outages=_count(score.outages, True),
        away=_away(score.outage_s),
        lag=_lag(score.lag_ms),
        age=_age(score.age_s),
        old=not score.age_s <= stale_s,
    )


# --- cells ----------------------------------------------------------------------------------------


def _middle(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan


def _depth(depth: float) -> Cell:
    if not depth > 0.0:
        return Cell(NOTHING, math.nan, "No depth page was read for it yet.")
    places = DIGITS - 1 - math.floor(math.log10(depth))
    rounded = round(depth, places)
    return Cell(number_text(rounded, max(0, min(places, 2))), depth)


def _spread(spread_bp: float) -> Cell:
    return Cell(number_text(spread_bp, 2), spread_bp)


def _venue_fees(spots: list[Score], perps: list[Score]) -> Cell:
    first = [(name, kind[0]) for name, kind in (("spot", spots), ("perp", perps)) if kind]
    if not first:
        return Cell(NOTHING, math.nan)
    text = " \u00b7 ".join(f"{score.taker_bp:.1f} / {score.maker_bp:.1f}" for _, score in first)
    words = ", ".join(
        f"{name} taker {score.taker_bp:.1f} bp and maker {score.maker_bp:.1f} bp"
        for name, score in first
    )
    detail = f"{words[:1].upper()}{words[1:]}. {first[0][1].fee_source}."
    return Cell(text, sum(score.taker_bp for _, score in first), detail)


def _error(error_bp: float, cases: int, bias_bp: float) -> Cell:
    if math.isnan(error_bp):
        return Cell(NOTHING, math.nan, "No settlement was compared yet." if not cases else "")
    said = f"Median of {cases:,} settlement{'' if cases == 1 else 's'}"
    lean = "higher" if bias_bp > 0 else "lower"
    if sign_text(bias_bp, 2).strip("0.") and cases > 1:
        said += f"; on average {number_text(abs(bias_bp), 2)} bp per 8 h {lean} than paid"
    return Cell(number_text(error_bp, 2), error_bp, f"{said}.")


def _bias(bias_bp: float) -> Cell:
    return Cell(sign_text(bias_bp, 2), bias_bp)


def _count(count: int, known: bool, detail: str = "") -> Cell:
    return Cell(f"{count:,}", count, detail) if known else Cell(NOTHING, math.nan)


def _away(seconds: float) -> Cell:
    return Cell(span_text(seconds), seconds)


def _lag(lag_ms: float) -> Cell:
    return Cell(number_text(lag_ms, 0), lag_ms)


def _age(age_s: float) -> Cell:
    return Cell(age_text(age_s * 1_000.0), age_s if math.isnan(age_s) else round(age_s, 1))
