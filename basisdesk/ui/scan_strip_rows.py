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
        "worth": _worth(strip),
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
        "gap": f"Gap over {number_text(100 * scanner.gap_trigger, 2)} % /8h",
        "btc_eth": "BTC \u2212 ETH funding",
        "market": "Market funding",
        "next": "Next settlement",
    }


def strip_tips(strip: Strip, scanner: Scanner) -> dict[str, str]:
    """What each figure means, with what it stands on now; no figure in it is an example."""
    line, apart = number_text(100 * scanner.gap_trigger, 2), _apart(strip.worth)
    where = f"on {venue_title(strip.btc_eth_on)}" if strip.btc_eth_on else "median of the venues"
    place = _market_place(strip)
    return {
        "watched": "Coins and venues that are read, and all combinations of two legs of one coin "
        "among them.",
        "worth": f"{apart}, of {strip.worth_rows:,} openings that are fresh, net more than nothing "
        "after all costs, carry the scanner's size and are not contradicted by their sector. One "
        "leg in two openings is one position: the best net comes first, and the others on its legs "
        "do not count.",
        "gap": f"Coins with a funding gap of two venues over {line} %, per 8 h by the true "
        f"intervals, before any cost. {strip.raw_only:,} more are over it only as told, with rates "
        "of unlike intervals: they are no gap.",
        "btc_eth": f"Funding of BTC less that of ETH, per 8 h, {where}; normal under "
        f"{number_text(100 * scanner.btc_eth_trigger, 2)} %.",
        "market": "Median of the rates of all perpetuals watched, per 8 h"
        + (f", and where it stands in our own history: {place}." if place else "."),
        "next": "When the next funding is paid anywhere, and how many perpetuals of which venue "
        "are paid then.",
    }


def _apart(count: int) -> str:
    return f"{count:,} that share{'s' if count == 1 else ''} no leg"


def _worth(strip: Strip) -> Told:
    if not strip.combos:
        return Told(NOTHING, "after all costs")
    value = f"{strip.worth:,}"
    if strip.worth_rows > strip.worth:
        rows = f"{strip.worth_rows:,} rows"
        said = _apart(strip.worth).partition("that ")[2]
        return Told(value, f"{said}, of {rows}", f"of {rows}")
    return Told(value, "after all costs")


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
    raw = f"{strip.raw_only:,} more raw only" if strip.raw_only else ""
    if not strip.over_gap:
        return Told("0", raw, f"{strip.raw_only:,} raw" if raw else "")
    aside = f"{strip.fail_cost} fail on cost, {strip.fail_depth} on depth"
    short = f"{strip.fail_cost} cost, {strip.fail_depth} depth"
    if raw:
        aside, short = f"{aside}; {raw}", f"{short}, {strip.raw_only:,} raw"
    return Told(f"{strip.over_gap:,}", aside, short)


def _btc_eth(strip: Strip, scanner: Scanner) -> Told:
    line = f"{number_text(100 * scanner.btc_eth_trigger, 2)} %"
    if not math.isfinite(strip.btc_eth_bp):
        return Told(NOTHING, f"normal under {line}", line)
    over = abs(strip.btc_eth_bp) > 1e4 * scanner.btc_eth_trigger
    value = f"{sign_text(strip.btc_eth_bp / 100, 4)} %"
    where = f"on {venue_title(strip.btc_eth_on)}" if strip.btc_eth_on else "median of venues"
    if over:
        return Told(value, f"{where}, over {line}", f"over {line}", "warn")
    return Told(value, f"{where}, normal under {line}", where)


def _market(strip: Strip) -> Told:
    if not math.isfinite(strip.market_8h_bp):
        return Told(NOTHING, "median per 8 h")
    place = _market_place(strip)
    aside = f"median per 8 h \u00b7 {place}" if place else "median per 8 h"
    return Told(f"{sign_text(strip.market_8h_bp / 100, 4)} %", aside, place)


def _market_place(strip: Strip) -> str:
    """Where the market's funding stands, and in how long a history: "8th of 31 d"."""
    place, days = percentile_text(strip.market_percentile), strip.market_days
    if not place or not math.isfinite(days):
        return place
    span = number_text(days, 0 if days >= 9.5 else 1)
    return f"{place.partition(' ')[0]} of {span} d"


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
