"""Cross rates: what one unit of a leg's quote currency is worth in the account's currency.

USD, USDT and USDC are different currencies. A rate is read from a leg of its own, like any price;
where that leg is silent there is no rate, and never a silent 1. A rate that jumped is in doubt
until it lasts (guard.CrossGuard): nothing is traded on it, and what is held keeps its worth.
"""

from math import inf, isnan, nan
from typing import TYPE_CHECKING

import msgspec

from basisdesk.market.words import doubtful_rate, duration
from basisdesk.venues.instrument import split_key, split_symbol, venue_title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basisdesk.market.leg import Leg

AGE_FACTOR = 10  # a rate may be so many times older than a quote: it moves by basis points a day

# Currency -> (leg, whether the leg's price is account currency per unit, or the inverse of it).
# The account is in USDT; each pair is the most traded one among our venues (2026-11).
_LEGS = {
    "USD": ("kraken:spot:USDT/USD", False),
    "USDC": ("bybit:spot:USDCUSDT", True),
}
_KEYS = frozenset(key for key, _ in _LEGS.values())


class Fx(msgspec.Struct, frozen=True, gc=False):
    """Account currency per unit of a currency. NaN before the first quote.

    bid: what selling one unit brings. ask: what buying one costs. age_ms: of the quote.
    key: the leg it was read from, "" for the account's own currency.
    stale: "" or the sentence why it cannot be used now; the figures are then the last known ones
        where the leg still has a quote, and the last believed middle while its quote is in doubt.
    note: the quote as shown, "USDT/USD 0.99960, Kraken, 0.4 s old".
    """

    bid: float = 1.0
    ask: float = 1.0
    mid: float = 1.0
    age_ms: float = 0.0
    key: str = ""
    stale: str = ""
    note: str = ""


IDENTITY = Fx()


def cross_leg(currency: str) -> str:
    """The leg that tells the rate of a currency; "" for the account's own and for unknown ones."""
    return _LEGS.get(currency, ("", True))[0]


def is_cross_leg(key: str) -> bool:
    """Whether this leg tells the rate of a currency."""
    return key in _KEYS


def cross_rate(
    legs: "Mapping[str, Leg]", currency: str, account: str, now_ns: int, quote_age_ms_max: int
) -> Fx:
    """The rate of a currency now. quote_age_ms_max: the limit of an ordinary quote."""
    if currency == account:
        return IDENTITY
    if currency not in _LEGS:
        known = ", ".join((account, *_LEGS))
        why = f"No rate of {currency} in {account} is known. Choose legs priced in {known}."
        return Fx(nan, nan, nan, inf, "", why)
    key, direct = _LEGS[currency]
    name, venue = "/".join(split_symbol(key)), venue_title(split_key(key)[0])
    leg = legs.get(key)
    if leg is None or isnan(leg.mid):
        why, rate = f"No {name} rate yet. Waiting for {venue}.", nan
        if leg is not None and leg.doubt is not None:
            why = doubtful_rate(name, venue, leg.doubt)
            rate = leg.guard.last if direct else 1.0 / leg.guard.last
        return Fx(rate, rate, rate, inf, key, why)
    age_ms, limit_ms = leg.age_ms(now_ns), AGE_FACTOR * quote_age_ms_max
    note = f"{name} {leg.mid:.5f}, {venue}, {duration(age_ms)} old"
    why = ""
    if age_ms > limit_ms:
        old, limit = duration(age_ms), f"{limit_ms / 1000:g} s"
        why = f"{name} rate is {old} old (limit {limit}). Waiting for {venue}."
    if direct:
        return Fx(leg.bid, leg.ask, leg.mid, age_ms, key, why, note)
    return Fx(1.0 / leg.ask, 1.0 / leg.bid, 1.0 / leg.mid, age_ms, key, why, note)
