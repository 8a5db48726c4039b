"""Funding gaps that crossed their lines, and the strip over the scanner."""

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.openings_worth import per_8h_bp
from basisdesk.scan.words import FRESH, Openings, Strip, Trigger

if TYPE_CHECKING:
    from basisdesk.config import Scanner
    from basisdesk.scan.combos import Combos
    from basisdesk.scan.legs import LegTable, Now

EDGE_BP = 1e-9  # a gap of just the line has crossed it, whatever the last digit of a float says
Bools = NDArray[np.bool_]


def band_of(norm_bp: float, scanner: "Scanner") -> str:
    """Where a gap lies: "below", "normal", "above", "wide" or "" where it is not known."""
    low, high = (1e4 * edge for edge in scanner.normal_band)
    gap = abs(norm_bp) + EDGE_BP
    if math.isnan(gap):
        return ""
    if gap >= 1e4 * scanner.wide:
        return "wide"
    if gap < low:
        return "below"
    return "normal" if gap <= high + 2 * EDGE_BP else "above"


def crossed_of(raw_bp: float, norm_bp: float, line_bp: float) -> str:
    """Which of the two is over the line: "raw", "8h", "both" or ""."""
    raw, norm = abs(raw_bp) + EDGE_BP >= line_bp, abs(norm_bp) + EDGE_BP >= line_bp
    if raw and norm:
        return "both"
    return "raw" if raw else "8h" if norm else ""


def triggers_of(
    table: "LegTable", combos: "Combos", now: "Now", scanner: "Scanner"
) -> tuple[Trigger, ...]:
    """Every crossed gap of fresh perpetuals, the widest per 8 h first; then BTC against ETH.

    A pair is named so that it receives: the short leg has the higher rate per 8 h.
    """
    raw_bp, norm_bp = 1e4 * now.rate, per_8h_bp(now.rate, now.interval_h)
    fresh = table.fixed.perp & ~now.stale
    long, short = combos.long, combos.short
    raw, norm = raw_bp[short] - raw_bp[long], norm_bp[short] - norm_bp[long]
    line = line_bp(scanner.gap_trigger)
    over = (np.abs(raw) + EDGE_BP >= line) | (np.abs(norm) + EDGE_BP >= line)
    receives = (norm > 0.0) | ((norm == 0.0) & (raw > 0.0))
    chosen = np.flatnonzero(combos.perp_perp & fresh[long] & fresh[short] & over & receives)
    found = []
    for at in chosen[np.argsort(-norm[chosen], kind="stable")].tolist():
        coin, _, *legs = combos.rows[at]
        gap = float(raw[at]), float(norm[at])
        found.append(_trigger("gap", (coin, *legs), gap, line, scanner))
    return (*found, *_btc_eth(table, now, fresh, scanner))


def btc_eth_gaps(table: "LegTable", now: "Now", fresh: Bools) -> dict[str, tuple[int, int]]:
    """Places of BTC's and ETH's fresh perpetual by venue, where both are."""
    places: dict[tuple[str, str], int] = {}
    for place in np.flatnonzero(fresh & np.isfinite(now.rate)).tolist():
        leg = table.legs[place]
        if leg.coin in ("BTC", "ETH"):
            places[leg.coin, leg.venue] = place
    venues = [venue for coin, venue in places if coin == "BTC" and ("ETH", venue) in places]
    return {venue: (places["BTC", venue], places["ETH", venue]) for venue in venues}


def strip_of(
    openings: Openings,
    triggers: tuple[Trigger, ...],
    table: "LegTable",
    combos: "Combos",
    now: "Now",
    scanner: "Scanner",
) -> Strip:
    """The figures over the scanner, without those that others know (history, time taken)."""
    norm_bp = per_8h_bp(now.rate, now.interval_h)
    fresh = table.fixed.perp & ~now.stale
    known = norm_bp[fresh & np.isfinite(norm_bp)]
    next_ms, counts = _next_settlement(table, openings.now_ns // 1_000_000, now)
    worth = worth_of(openings)
    over, fail_cost, fail_depth = _fails(openings, triggers, worth, combos)
    btc_eth_bp, btc_eth_on = _btc_eth_bp(table, now, fresh, scanner)
    raw = {each.coin for each in triggers if each.kind == "gap" and each.crossed == "raw"}
    return Strip(
        coins=len({leg.coin for leg in table.legs}),
        venues=len({leg.venue for leg in table.legs}),
        combos=len(openings),
        worth=len(apart(openings, worth)),
        worth_rows=int(np.count_nonzero(worth)),
        over_gap=len(over),
        raw_only=len(raw - over),
        fail_cost=fail_cost,
        fail_depth=fail_depth,
        btc_eth_bp=btc_eth_bp,
        btc_eth_on=btc_eth_on,
        market_8h_bp=float(np.median(known)) if len(known) else math.nan,
        next_ms=next_ms,
        next_counts=counts,
    )


def worth_of(openings: Openings) -> Bools:
    """Which openings are worth a look: fresh, something left, the size fits, not contradicted."""
    said = np.array([flag != "contradicted" for flag in openings.flags], dtype=np.bool_)
    worth: Bools = (openings.state == FRESH) & (openings.net_bp > 0.0) & fits(openings) & said
    return worth


def apart(openings: Openings, chosen: Bools) -> list[int]:
    """Of the chosen ones those that share no leg with a better one, best net first.

    One leg in two openings is one position: of three pairs that short the same perpetual only one
    can be held at the size its book carries.
    """
    places = np.flatnonzero(chosen)
    taken: set[str] = set()
    found = []
    for at in places[np.argsort(-openings.net_bp[places], kind="stable")].tolist():
        combo = openings.combos[at]
        if taken.isdisjoint((combo.long, combo.short)):
            taken.update((combo.long, combo.short))
            found.append(at)
    return found


def line_bp(share: float) -> float:
    """A line of the settings in bp, without the last digits of a float."""
    return round(1e4 * share, 9)


def fits(openings: Openings) -> Bools:
    """Which openings carry the size within the impact limit. What is not known does not."""
    roomy: Bools = openings.capacity >= openings.size
    return roomy


# --- inside ---------------------------------------------------------------------------------------


def _trigger(
    kind: str,
    who: tuple[str, ...],
    gap: tuple[float, float],
    line: float,
    scanner: "Scanner",
) -> Trigger:
    coin, long, short = who
    raw, norm = gap
    crossed = crossed_of(raw, norm, line)
    return Trigger(kind, coin, long, short, raw, norm, line, crossed, band_of(norm, scanner))


def _btc_eth(table: "LegTable", now: "Now", fresh: Bools, scanner: "Scanner") -> list[Trigger]:
    # on each venue; the one with the higher rate per 8 h is the short leg
    norm_bp, line = per_8h_bp(now.rate, now.interval_h), line_bp(scanner.btc_eth_trigger)
    found = []
    for legs in btc_eth_gaps(table, now, fresh).values():
        short, long = legs if norm_bp[legs[0]] >= norm_bp[legs[1]] else legs[::-1]
        gap = 1e4 * float(now.rate[short] - now.rate[long]), float(norm_bp[short] - norm_bp[long])
        if crossed_of(*gap, line):
            who = table.legs[short].coin, table.legs[long].key, table.legs[short].key
            found.append(_trigger("btc-eth", who, gap, line, scanner))
    return sorted(found, key=lambda trigger: -trigger.norm_bp)


def _btc_eth_bp(
    table: "LegTable", now: "Now", fresh: Bools, scanner: "Scanner"
) -> tuple[float, str]:
    # BTC minus ETH per 8 h, and where: the venue the signal is read on, else the middle of all
    norm_bp = per_8h_bp(now.rate, now.interval_h)
    gaps = {
        venue: float(norm_bp[btc] - norm_bp[eth])
        for venue, (btc, eth) in btc_eth_gaps(table, now, fresh).items()
    }
    if scanner.read_on in gaps:
        return gaps[scanner.read_on], scanner.read_on
    return (float(np.median(list(gaps.values()))) if gaps else math.nan), ""


def _next_settlement(
    table: "LegTable", now_ms: int, now: "Now"
) -> tuple[int, tuple[tuple[str, int], ...]]:
    # the next stamp anywhere, and how many perpetuals of each venue settle then
    coming = now.next_ms[table.fixed.perp & (now.next_ms > now_ms)]
    if not len(coming):
        return 0, ()
    first = int(coming.min())
    settling = np.flatnonzero(table.fixed.perp & (now.next_ms == first)).tolist()
    return first, tuple(sorted(Counter(table.legs[place].venue for place in settling).items()))


def _fails(
    openings: Openings, triggers: tuple[Trigger, ...], worth: Bools, combos: "Combos"
) -> tuple[set[str], int, int]:
    # coins over the line by true intervals; of these, in how many nothing is left after costs, and
    # in how many the books are too thin
    roomy, net = fits(openings), openings.net_bp
    over, fine, dear, thin = set(), set(), set(), set()
    for each in triggers:
        if each.kind != "gap" or each.crossed == "raw":
            continue
        at = combos.place[each.long, each.short]
        over.add(each.coin)
        if worth[at]:
            fine.add(each.coin)
        elif not roomy[at]:
            thin.add(each.coin)
        elif net[at] <= 0.0:
            dear.add(each.coin)
    return over, len(dear - fine), len(thin - dear - fine)
