"""Openings to what the scanner's table shows: which rows, in which order, in which words. Pure.

Nothing here makes a row: an opening is a place in the columns of `Openings`, and a text is made for
the one cell that asks for it. Arrays say what to keep and how to sort.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.triggers import EDGE_BP, crossed_of
from basisdesk.scan.view import ScanView
from basisdesk.scan.words import FRESH, MISSING, STALE, Combo, Floats, Ints, Openings, Trigger
from basisdesk.ui.figures import NOTHING, number_text, sign_text
from basisdesk.ui.leg_words import leg_name, legs_text
from basisdesk.venues.instrument import split_key, venue_title

RateUnit = Literal["8h", "interval", "year"]
KINDS = ("spot-perp", "perp-perp", "perp-spot")
KIND_WORDS = {
    "spot-perp": "spot perp",
    "perp-perp": "perp perp",
    "perp-spot": "perp spot short",
}
MINUS = "\u2212"
WORDS_MAX = 12  # of a search line that are looked for
SUM_PLACES = (1, 2, 3)  # decimals of a sum, as few as make its rounded parts add up
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Choice:
    """An opening a person wants in the ticket. pair: (spot, perp), or (long, short) of two perps.

    direction: as the ticket has it, -1 shorts the spot leg. size: account currency, halved where
    `halved` says that the coin's sector speaks against it. note: one sentence, "" for none.
    """

    pair: tuple[str, str]
    direction: int
    size: float
    halved: bool = False
    note: str = ""


@dataclass(frozen=True)
class Keep:
    """What a row must be to be shown. kind: one of KINDS, "" for all; the rest add up."""

    kind: str = ""
    gain: bool = False  # fresh, fits the size, and nets more than nothing
    confirmed: bool = False
    triggered: bool = False
    words: tuple[str, ...] = ()

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return self == Keep()

    def search(self, line: str) -> "Keep":
        """The same with the words of a search line."""
        return replace(self, words=tuple(line.casefold().split())[:WORDS_MAX])


# --- which rows -----------------------------------------------------------------------------------


def haystack(combos: Iterable[Combo]) -> list[str]:
    """What the search looks into, a line each: coin, both venues and markets, the kind."""
    lines = []
    for combo in combos:
        names = (_words_of(combo.long), _words_of(combo.short))
        lines.append(f" {combo.coin} {' '.join(names)} {KIND_WORDS[combo.kind]}".casefold())
    return lines


def _words_of(key: str) -> str:
    venue, market, _ = split_key(key)
    return f"{venue} {market}"


def keep_mask(
    openings: Openings, keep: Keep, triggers: Collection[Trigger], lines: Sequence[str]
) -> NDArray[np.bool_]:
    """Which openings pass. lines: `haystack` of the same combinations; a word begins a word."""
    mask = np.ones(len(openings), dtype=np.bool_)
    if keep.kind:
        mask &= np.fromiter((c.kind == keep.kind for c in openings.combos), np.bool_, len(openings))
    if keep.gain:
        with np.errstate(invalid="ignore"):
            mask &= (openings.net_bp > 0) & (openings.state == FRESH)
            mask &= ~thin(openings)
    if keep.confirmed:
        mask &= np.fromiter((f == "confirmed" for f in openings.flags), np.bool_, len(openings))
    if keep.triggered:
        crossed = {(trigger.long, trigger.short) for trigger in triggers}
        mask &= np.fromiter(
            ((c.long, c.short) in crossed for c in openings.combos), np.bool_, len(openings)
        )
    for word in keep.words:
        wanted = f" {word}"
        mask &= np.fromiter((wanted in line for line in lines), np.bool_, len(openings))
    return mask


def thin(openings: Openings) -> NDArray[np.bool_]:
    """Where the books are known not to carry the size."""
    with np.errstate(invalid="ignore"):
        return np.asarray(openings.capacity < openings.size, dtype=np.bool_)


def sorted_rows(values: NDArray[np.generic], rows: Ints, descending: bool) -> Ints:
    """These rows by value; equals stay as they came, what has no value stands last either way."""
    picked = np.asarray(values[rows], dtype=np.float64)
    order = np.argsort(-picked if descending else picked, kind="stable")
    return np.asarray(rows[order], dtype=np.int64)


def ranks(texts: Sequence[str]) -> Floats:
    """Texts as figures that sort alike: the place of each among all, in alphabetical order."""
    _, place = np.unique(np.asarray(texts, dtype=np.str_), return_inverse=True)
    return place.astype(np.float64)


def same_combos(one: Openings | None, other: Openings | None) -> bool:
    """Whether two readings have the same combinations in the same places."""
    if one is None or other is None:
        return one is other
    return one.combos is other.combos or one.combos == other.combos


# --- in words -------------------------------------------------------------------------------------


def leg_text(key: str) -> str:
    """A leg without its symbol: "OKX perp"."""
    venue, market, _ = split_key(key)
    return f"{venue_title(venue)} {market}"


def compact_text(value: float) -> str:
    """An amount in two or three digits: "950", "9.4 k", "410 k", "6.1 M"."""
    if not math.isfinite(value):
        return NOTHING
    for step, letter in _STEPS:
        if abs(value) >= step * 0.9995:
            share = value / step
            return f"{number_text(share, 1 if abs(share) < 9.95 else 0)} {letter}"
    return number_text(value, 0)


def hours_text(hours: float) -> str:
    """A span of hours in one unit: "40 min", "1.7 h", "11 h", "3.2 d"."""
    if not math.isfinite(hours):
        return NOTHING
    if hours < 1:
        return f"{max(1, round(hours * 60))} min"
    if hours < 48:
        return f"{number_text(hours, 1 if hours < 9.95 else 0)} h"
    days = hours / 24
    return f"{number_text(days, 1 if days < 9.95 else 0)} d"


def percentile_text(share: float) -> str:
    """A percentile of 0 to 1 as an ordinal: "61st percentile"; "" when not known."""
    if not math.isfinite(share):
        return ""
    place = min(99, max(1, round(share * 100)))
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{'th' if 10 <= place <= 20 else ending} percentile"


def breakeven_text(openings: Openings, at: int) -> str:
    """When the cost is paid: "3 payments \u00b7 1.0 d", "at target", "never"."""
    payments, days = float(openings.payments[at]), float(openings.days[at])
    if math.isnan(payments):
        return NOTHING
    if payments <= 0:  # the convergence that may be counted on pays it alone
        return "at target"
    if math.isinf(payments):
        return "never"
    count = max(1, math.ceil(payments))
    said = f"{count:,} payment{'' if count == 1 else 's'}"
    return f"{said} \u00b7 {number_text(days, 1)} d" if math.isfinite(days) else said


def breakeven_detail(openings: Openings, at: int) -> str:
    """Why funding has to pay although convergence would: nothing says yet that it comes."""
    would = openings.to_fair_bp[at] >= openings.cost_bp[at] and openings.payments[at] > 0
    if not would:
        return ""
    target, half_life_h = float(openings.to_fair_bp[at]), float(openings.basis_half_life_h[at])
    known = f"has a half-life of {hours_text(half_life_h)}"
    return (
        f"Convergence to fair would bring {number_text(target, 1)} bp, more than the cost, but the "
        f"basis {known if math.isfinite(half_life_h) else 'has no half-life in our history'}: "
        "gains count only as far as there is evidence."
    )


def net_detail(openings: Openings, at: int) -> str:
    """How the net came about, in one line that can be added up; "" where a part is not known."""
    gain, funding, borrow, cost, net = (
        float(column[at])
        for column in (openings.gain_bp, openings.funding_bp, openings.borrow_bp, openings.cost_bp,
                       openings.net_bp)
    )  # fmt: skip
    if not math.isfinite(net):
        return ""
    hold = f"{openings.hold_h:g} h"
    parts = [(gain, "convergence"), (funding, f"funding in {hold}")]
    parts += [(-borrow, "borrow")] if borrow else []
    parts += [(-cost, "round trip")]
    places = _sum_places([value for value, _ in parts], net)
    said = f"{number_text(gain, places)} convergence"
    for value, name in parts[1:]:
        said += f" {'+' if value >= 0 else MINUS} {number_text(abs(value), places)} {name}"
    said += f" = {sign_text(net, places)} bp, {sign_text(float(openings.net_8h_bp[at]), 1)} per 8 h"
    if net > 0 and funding > 0:
        said += "; the ticket's entry rule asks more: it counts no funding"
    return f"{said}."


def _sum_places(parts: Sequence[float], total: float) -> int:
    def adds_up(places: int) -> bool:
        gap = sum(round(part, places) for part in parts) - round(total, places)
        return abs(gap) < 0.5 * 10.0**-places

    return next((places for places in SUM_PLACES if adds_up(places)), SUM_PLACES[-1])


def raw_only_mask(openings: Openings) -> NDArray[np.bool_]:
    """Where a funding gap is over the line only as the venues tell it, not by true intervals."""
    line = openings.gap_line_bp
    with np.errstate(invalid="ignore"):
        raw = np.abs(openings.rate_short - openings.rate_long) * 1e4 + EDGE_BP >= line
        true = np.abs(openings.rate_8h_bp) + EDGE_BP >= line
    return np.asarray(raw & ~true, dtype=np.bool_)  # a spot leg's rate is NaN, and so over nothing


def raw_only_detail(openings: Openings, at: int) -> str:
    """That a gap is none: "Raw only: 1 h against 8 h." and both figures; "" for any other row."""
    raw_bp = 1e4 * float(openings.rate_short[at] - openings.rate_long[at])
    norm_bp = float(openings.rate_8h_bp[at])
    if crossed_of(raw_bp, norm_bp, openings.gap_line_bp) != "raw":
        return ""
    long_h, short_h = float(openings.interval_long_h[at]), float(openings.interval_short_h[at])
    return (
        f"Raw only: {long_h:g} h against {short_h:g} h. As told the rates are "
        f"{number_text(abs(raw_bp) / 100, 4)} % apart, per 8 h {number_text(abs(norm_bp) / 100, 4)}"
        " %."
    )


def why_dim(openings: Openings, at: int) -> str:
    """Why a row is dimmed, in one sentence; "" for one that is live."""
    state, combo = int(openings.state[at]), openings.combos[at]
    asked = f"{number_text(openings.size, 0)}"
    if state == MISSING:
        return f"No price of {leg_name(combo.long)} or {leg_name(combo.short)} yet."
    if state == STALE:
        age = number_text(float(openings.age_s[at]), 1)
        return f"A quote is {age} s old: the figures stay, the row does not count as worth trading."
    if openings.capacity[at] < openings.size:
        fits = compact_text(float(openings.capacity[at]))
        return (
            f"No depth: {fits} of {asked} fit within the impact limit, so there is no executable "
            "basis at this size."
        )
    return ""


def look_of(openings: Openings, at: int) -> str:
    """The colour token of a row's plain cells: "" for a live one, "stale" for a dimmed one."""
    dim = openings.state[at] != FRESH or openings.capacity[at] < openings.size
    return "stale" if dim else ""


# --- what a person does with them -----------------------------------------------------------------


def choice_of(openings: Openings, at: int) -> Choice:
    """What the ticket should hold for this opening: legs, direction, size."""
    combo = openings.combos[at]
    short_spot = combo.kind == "perp-spot"
    pair = (combo.short, combo.long) if short_spot else (combo.long, combo.short)
    size, note = openings.size, ""
    halved = openings.flags[at] == "contradicted"
    if halved:
        size /= 2
        note = (
            f"Half the scanner's size: the sector of {combo.coin} speaks against it, so "
            f"{number_text(size, 0)} instead of {number_text(openings.size, 0)}."
        )
    return Choice(pair, -1 if short_spot else 1, size, halved, note)


def pair_choice(spot: str, perp: str, rate_8h_bp: float, size: float, short_spot: bool) -> Choice:
    """What the ticket should hold for a cell of the matrix: the side that receives the funding."""
    short = short_spot and rate_8h_bp < 0 and split_key(spot)[1] == "spot"
    return Choice((spot, perp), -1 if short else 1, size)


def place_of(openings: Openings, pair: tuple[str, str]) -> int:
    """Where the combination with these legs stands, -1 for nowhere."""
    for at, combo in enumerate(openings.combos):
        if (combo.long, combo.short) == pair:
            return at
    return -1


# --- when there is nothing ------------------------------------------------------------------------


def empty_text(scan: ScanView | None, keep: Keep, gap_pct: float) -> str:
    """What stands in the place of the rows, and what to do about it."""
    if scan is None:
        return "No universe is watched here: the scanner needs a live or a simulated desk."
    openings = scan.openings
    if openings is None or not len(openings):
        return scan.why_empty
    if keep.words:
        return f"Nothing matches \u201c{' '.join(keep.words)}\u201d. Esc clears the search."
    if keep.gain:
        return f"{_worth_text(scan.strip.worth)} {nearest_text(openings)}".strip()
    if keep.triggered:
        return f"No funding gap between two venues is over {number_text(gap_pct, 2)} % now."
    if keep.confirmed:
        return "No opening is confirmed by its sector now. Sectors are hot or cold on few days."
    return "No combination of this kind is in the universe."


def _worth_text(worth: int) -> str:
    if worth:
        return "No opening of this choice nets more than its costs now."
    return (
        "Nothing is worth trading now: that is the normal state. After four fees, spreads and "
        "depth no opening is left above zero."
    )


def nearest_text(openings: Openings) -> str:
    """The fresh opening that misses by the least, so that a person knows how far off it is."""
    with np.errstate(invalid="ignore"):
        fits = (openings.state == FRESH) & ~thin(openings) & np.isfinite(openings.net_8h_bp)
    if not fits.any():
        return ""
    at = int(np.argmax(np.where(fits, openings.net_8h_bp, -np.inf)))
    combo, net = openings.combos[at], float(openings.net_8h_bp[at])
    where = f"{combo.coin} {legs_text(combo.long, combo.short)}"
    return f"Nearest: {where}, {sign_text(net, 1)} bp per 8 h."
