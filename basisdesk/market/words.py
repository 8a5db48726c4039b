"""Why a pair cannot be traded now, in one plain sentence."""

import math
from decimal import Decimal

from basisdesk.market.guard import Doubt
from basisdesk.venues.instrument import split_key, venue_title


class LegName:
    """How a leg is called in sentences: `name` "spot", or "Bybit perp" where both legs are perps.

    key: the leg's key. venue: "Bybit".
    """

    __slots__ = ("key", "name", "venue")

    def __init__(self, key: str, twin: str) -> None:
        venue, market, _ = split_key(key)
        self.key = key
        self.venue = venue_title(venue)
        self.name = market if split_key(twin)[1] != market else f"{self.venue} {market}"

    @property
    def title(self) -> str:
        """The name as a sentence begins with it."""
        return self.name[:1].upper() + self.name[1:]


def missing(leg: LegName, heard_before: bool) -> str:
    """The leg has no quote: its feed is down, or it was never heard."""
    if heard_before:
        return f"{leg.title} feed is down. Waiting for {leg.venue}."
    return f"No {leg.name} quote yet. Waiting for {leg.venue}."


def doubtful(leg: LegName, doubt: Doubt) -> str:
    """The leg's newest price is not believed yet."""
    before, now = _price(doubt.before), _price(doubt.now)
    if doubt.reason == "jump" and math.isnan(doubt.before):
        return f"{leg.title} price {now} is far from 1; waiting for it to be confirmed."
    if doubt.reason == "jump":
        return f"{leg.title} price jumped from {before} to {now}; waiting for it to be confirmed."
    if doubt.reason == "spread":
        return f"{leg.title} ask {now} is over twice the bid {before}. Waiting for {leg.venue}."
    return f"{leg.title} price {now} is below one tick. Waiting for {leg.venue}."


def doubtful_rate(name: str, venue: str, doubt: Doubt) -> str:
    """The newest quote of a cross rate, "USDT/USD", is not believed yet."""
    if doubt.reason != "jump":
        return f"{name} rate is in doubt. Waiting for {venue}."
    before = "" if math.isnan(doubt.before) else f" from {_price(doubt.before)}"
    return f"{name} rate jumped{before} to {_price(doubt.now)}. Waiting for {venue} to confirm it."


def too_old(leg: LegName, age_ms: float, limit_ms: int) -> str:
    """The leg's quote is older than the limit."""
    limit = f"{limit_ms / 1000:g} s"
    return f"{leg.title} quote is {duration(age_ms)} old (limit {limit}). Waiting for {leg.venue}."


def other_unit(first: LegName, second: LegName, a: float, b: float, ratio: float) -> str:
    """The two prices, a and b, cannot be of the same thing; ratio: b over a in one currency."""
    times = f"{ratio:,.4g}" if ratio >= 0.001 else f"{ratio:.3g}"
    return (
        f"{second.title} price {_price(b)} is {times} times the {first.name} price {_price(a)}: "
        "the legs do not count the same unit. This pair cannot be traded."
    )


def too_far_apart(older: LegName, newer: LegName, skew_ms: float, limit_ms: int) -> str:
    """The quotes of the two legs are from different moments."""
    limit = f"{limit_ms / 1000:g} s"
    return (
        f"{older.title} quote is {duration(skew_ms)} older than the {newer.name} quote "
        f"(limit {limit}). Waiting for {older.venue}."
    )


def duration(ms: float) -> str:
    """Milliseconds as "4.2 s", "3 min" or "2.1 h", rounded up: never less than it is."""
    if ms < 100_000:
        return f"{math.ceil(ms / 100) / 10:.1f} s"
    if ms < 6_000_000:
        return f"{math.ceil(ms / 60_000)} min"
    return f"{math.ceil(ms / 360_000) / 10:.1f} h"


def _price(value: float) -> str:
    return f"{Decimal(f'{value:.8g}'):f}"
