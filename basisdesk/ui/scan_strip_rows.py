"""The figures over and under the scanner, in words. Pure, no Qt."""

import math
from typing import NamedTuple

from basisdesk.config import Scanner
from basisdesk.scan.words import Strip
from basisdesk.ui.figures import NOTHING, age_text, countdown_text, number_text, sign_text
from basisdesk.ui.scanner_rows import percentile_text
from basisdesk.venues.instrument import venue_title


class Told(NamedTuple):
    """One figure: its value, what stands beside it, that in fewer words, and its colour."""

    value: str
    aside: str = ""
    short: str = ""
    aside_tone: str = "muted"


def strip_figures(strip: Strip, scanner: Scanner, now_ms: int) -> dict[str, Told]:
    """The strip's figures by name; an en dash where nothing is known yet."""
    return {
        "watched": _watched(strip),
        "worth": Told(f"{strip.worth:,}" if strip.combos else NOTHING, "after all costs"),
        "gap": _gap(strip),
        "btc_eth": _btc_eth(strip, scanner),
        "market": _market(strip),
        "next": _next(strip, now_ms),
    }


def captions(scanner: Scanner) -> dict[str, str]:
    """What stands over each figure, in their order."""
    return {
        "watched": "Watched",
        "worth": "Worth trading now",
        "gap": f"Gap over {number_text(100 * scanner.gap_trigger, 2)} %",
        "btc_eth": "BTC \u2212 ETH funding",
        "market": "Market funding",
        "next": "Next settlement",
    }


def _watched(strip: Strip) -> Told:
    if not strip.coins:
        return Told(NOTHING, "no page yet")
    coins = f"{strip.coins:,} coin{'' if strip.coins == 1 else 's'}"
    venues = f"{strip.venues} venue{'' if strip.venues == 1 else 's'}"
    combos = f"{strip.combos:,} combinations"
    return Told(f"{coins}, {venues}", combos, f"{strip.combos:,}")


def _gap(strip: Strip) -> Told:
    if not strip.combos:
        return Told(NOTHING)
    if not strip.over_gap:
        return Told("0")
    aside = f"{strip.fail_cost} fail on cost, {strip.fail_depth} on depth"
    return Told(f"{strip.over_gap:,}", aside, f"{strip.fail_cost} cost, {strip.fail_depth} depth")


def _btc_eth(strip: Strip, scanner: Scanner) -> Told:
    line = f"{number_text(100 * scanner.btc_eth_trigger, 2)} %"
    if not math.isfinite(strip.btc_eth_bp):
        return Told(NOTHING, f"normal under {line}", line)
    over = abs(strip.btc_eth_bp) > 1e4 * scanner.btc_eth_trigger
    value = f"{sign_text(strip.btc_eth_bp / 100, 4)} %"
    if over:
        return Told(value, f"over {line}", f"over {line}", "warn")
    return Told(value, f"normal under {line}", f"under {line}")


def _market(strip: Strip) -> Told:
    if not math.isfinite(strip.market_8h_bp):
        return Told(NOTHING, "median per 8 h")
    place = percentile_text(strip.market_percentile)
    aside = f"median per 8 h \u00b7 {place}" if place else "median per 8 h"
    return Told(f"{sign_text(strip.market_8h_bp / 100, 4)} %", aside, place.partition(" ")[0])


def _next(strip: Strip, now_ms: int) -> Told:
    if strip.next_ms <= 0:
        return Told(NOTHING)
    counts = ", ".join(f"{venue_title(venue)} {count}" for venue, count in strip.next_counts)
    total = sum(count for _, count in strip.next_counts)
    return Told(countdown_text((strip.next_ms - now_ms) / 1e3), counts, f"{total} perps")


def history_text(strip: Strip, scanner: Scanner) -> str:
    """What is there of the past: "History: 88 days of funding, 72 h of minutes, 212 of 500 MB"."""
    parts = []
    if math.isfinite(strip.funding_days):
        parts.append(f"{number_text(strip.funding_days, 0)} days of funding")
    if math.isfinite(strip.minute_hours):
        parts.append(f"{number_text(strip.minute_hours, 0)} h of minutes")
    size = f"{number_text(strip.history_mb, 1)} of {number_text(scanner.disk_mb_max, 0)} MB"
    said = f"History: {', '.join([*parts, size])}"
    if strip.past_done < strip.past_wanted:
        said += f"; asking the venues, {strip.past_done} of {strip.past_wanted} legs"
    return said


def refresh_text(strip: Strip, age_s: float) -> str:
    """How long counting took and how old it is: "counted in 8.1 ms, 0.4 s ago"."""
    if not math.isfinite(age_s):
        return "not counted yet"
    cost = f"counted in {number_text(strip.refresh_ms, 1)} ms"
    return f"{cost}, {age_text(1e3 * age_s)} ago"
