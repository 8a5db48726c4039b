"""What all codecs read with: bounds of numbers, sizes of texts, the reason of a refusal.

The bounds are the house's own, wide enough for any coin: a figure outside of them, NaN and infinity
are refused by the decoder itself, before anything of the message is kept.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import inf, nan
from typing import Annotated

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.venues import MarketEvent
from basisdesk.venues.instrument import split_coin

PAYLOAD_MAX = 4 * 1024 * 1024  # bytes; the largest recorded message of any venue is below 100 kB
TEXT_MAX = 200  # characters kept of a venue's sentence
MINUTE_MS, HOUR_MS = 60_000, 3_600_000

# Above zero with room: a unit of 10^9 coins is still to come off a price, and a contract of a
# hundredth of a coin off a size. A subnormal would be 0 then.
PRICE_MIN = SIZE_MIN = 1e-12
Price = Annotated[float, Meta(ge=PRICE_MIN, lt=1e9)]
PriceOrNone = Annotated[float, Meta(ge=0.0, lt=1e9)]  # below PRICE_MIN: the venue has none
Size = Annotated[float, Meta(ge=0.0, lt=1e13)]
SizeAtTop = Annotated[float, Meta(ge=SIZE_MIN, lt=1e13)]  # nothing behind a best price: it is none
Amount = Annotated[float, Meta(ge=0.0, lt=1e16)]
Rate = Annotated[float, Meta(gt=-1.0, lt=1.0)]
HOURS_MIN = 1 / 60
Hours = Annotated[float, Meta(ge=HOURS_MIN, le=168.0)]
Millis = Annotated[int, Meta(ge=0, le=10**14)]
MillisGiven = Annotated[int, Meta(gt=0, le=10**14)]  # where 0 would be no time
Sequence64 = Annotated[int, Meta(ge=0, le=2**62)]
SequenceBefore = Annotated[int, Meta(ge=-1, le=2**62)]  # -1: it builds on nothing

Levels = list[tuple[float, float]]  # price, size
Events = Sequence[MarketEvent]
# What one message of a topic says. Raises BadFrame, and then nothing of the message was kept.
Read = Callable[[bytes], Events]


class Topic(msgspec.Struct, frozen=True, gc=False):
    """What is known of a topic before its first message, and never changes.

    key: the leg's. stream: as events name it. symbol: what every message must say it is about.
    unit: base coins in one unit of the venue's size (1000PEPE: 1000).
    """

    key: str
    stream: str
    symbol: str
    unit: float = 1.0

    def check(self, said: str, payload: bytes) -> None:
        """The message speaks of this topic's symbol, or it is a BadFrame."""
        if said != self.symbol:
            raise BadFrame("symbol", payload)


def plain(text: str) -> str:
    """A venue's sentence, cut and without control characters."""
    return "".join(c if c.isprintable() else " " for c in text[:TEXT_MAX])


def bad_frame(exc: Exception, payload: bytes) -> BadFrame:
    """The BadFrame of a decoder's error, with the reason "json", "number" or "type"."""
    # The decoder's own words tell a number out of bounds from a wrong type from broken JSON.
    if not isinstance(exc, msgspec.ValidationError):
        known = isinstance(exc, (ValueError, RecursionError))
        return BadFrame("json" if known else "type", payload)
    said = str(exc)
    if "out of range" in said or "`float` >" in said or "`float` <" in said or "`int` >" in said:
        return BadFrame("number", payload)
    number = "got `str`" in said and ("`float`" in said or "`int`" in said)
    return BadFrame("number" if number else "type", payload)


def given(price: float | None) -> float:
    """A price that may be none: NaN where it was left out, is 0 or is too small for one."""
    return price if price is not None and price >= PRICE_MIN else nan


def unit_of(symbol: str, quotes: Sequence[str]) -> Decimal:
    """Base coins in one unit of the venue's size: 1000 for 1000PEPEUSDT and SHIB1000USDT.

    quotes: the endings that are no coin; the first that fits is taken off.
    """
    for quote in quotes:
        if symbol.endswith(quote) and symbol != quote:
            return split_coin(symbol.removesuffix(quote))[0]
    return split_coin(symbol)[0]


def scaled(levels: Levels, unit: float) -> Levels:
    """Levels per coin and in coins, of a venue that counts `unit` coins as one."""
    if unit == 1.0:
        return levels
    return [(price / unit, size * unit) for price, size in levels]


def check_sides(bids: Levels, asks: Levels, payload: bytes) -> None:
    """Raise BadFrame "crossed" where the best bid of a snapshot is not below the best ask."""
    best_bid = max((price for price, size in bids if size), default=0.0)
    best_ask = min((price for price, size in asks if size), default=inf)
    if best_bid >= best_ask:
        raise BadFrame("crossed", payload)
