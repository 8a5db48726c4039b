"""One leg of the universe as it stands now: the fresher of its pages and its live streams.

Also what all legs share: how old is too old, and the rates of their currencies.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from basisdesk.market.cross import AGE_FACTOR, Fx, cross_leg, cross_rate
from basisdesk.market.leg import Leg
from basisdesk.venues.instrument import FundingRule
from basisdesk.venues.kraken_rest import FUNDING as KRAKEN
from basisdesk.venues.okx_rest import FUNDING as OKX

if TYPE_CHECKING:
    from basisdesk.config import Settings
    from basisdesk.market.book import Book
    from basisdesk.market.funding import FundingClock
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg

STALE_POLLS = 3.0  # a leg unheard for so many rounds of polling is stale
CROSS_POLLS = 12.0  # a cross rate moves by basis points a day
BOOK_S, BOOK_POLLS = 60.0, 12.0  # a depth page so old is not counted
RATE_S, RATE_POLLS = 600.0, 120.0  # a funding rate so old is stale; some are asked leg by leg
NAN = math.nan

# How venues make their funding, for perpetuals that no frame described yet.
_RULES = {"binance": FundingRule(1.0, 5.0, "8h"), "okx": OKX, "kraken": KRAKEN}
_USUAL = FundingRule()


class Limits(NamedTuple):
    """How old is too old, seconds: a touch, a polled book, a funding rate."""

    touch_s: float
    book_s: float
    rate_s: float


def limits_of(settings: "Settings") -> Limits:
    """The limits at this pace of polling."""
    poll_s = settings.scanner.poll_s
    book_s, rate_s = max(BOOK_S, BOOK_POLLS * poll_s), max(RATE_S, RATE_POLLS * poll_s)
    return Limits(STALE_POLLS * poll_s, book_s, rate_s)


class Touch(NamedTuple):
    """Best bid and ask with sizes, how old they are, and the live book they stand on, if any."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float
    age_s: float
    book: "Book | None"

    @property
    def mid(self) -> float:
        """The middle of bid and ask."""
        return (self.bid + self.ask) / 2


def touch_of(leg: "ScanLeg", market: "Market", now_ns: int) -> Touch:
    """The newest touch of a leg; age_s is infinite before any."""
    age_s = max(0.0, (now_ns - leg.t_ns) / 1e9) if leg.t_ns else math.inf
    live = market.legs.get(leg.key)
    if live is not None and live.bid < live.ask:
        live_s = live.age_ms(now_ns) / 1e3
        if live_s <= age_s:
            book = live.book if live.book.valid and live.depth > 1 else None
            return Touch(*live.top(), live_s, book)
    return Touch(leg.bid, leg.bid_size, leg.ask, leg.ask_size, age_s, None)


class Paying(NamedTuple):
    """The funding of a perpetual now. Prices in quote. rate_s: age of the rate."""

    clock: "FundingClock"
    mark_price: float
    index_price: float
    rate_s: float


def paying_of(leg: "ScanLeg", clock: "FundingClock", market: "Market", now_ns: int) -> Paying:
    """The newest word on a perpetual's funding. clock: the universe's own."""
    rate_s = max(0.0, (now_ns - leg.rate_ns) / 1e9) if leg.rate_ns else math.inf
    live = market.legs.get(leg.key)
    if live is not None and not math.isnan(live.funding.rate):
        live_s = max(0.0, now_ns / 1e9 - live.funding.heard_ms / 1e3)
        if live_s < rate_s:
            return Paying(live.funding, live.mark, live.index, live_s)
    return Paying(clock, leg.mark, leg.index, rate_s)


def rule_of(leg: "ScanLeg", market: "Market") -> FundingRule:
    """How the venue makes and pays this perpetual's funding."""
    known = market.instruments.get(leg.key)
    return known.funding if known is not None else _RULES.get(leg.venue, _USUAL)


def last_settled(leg: "ScanLeg", clock: "FundingClock", market: "Market") -> tuple[float, float]:
    """(newest settled rate, hours it was for) of a perpetual."""
    ms, rate = market.universe.past.settled(leg.key)
    if not len(ms):
        return clock.last_settled, clock.interval_h
    hours = float(ms[-1] - ms[-2]) / 3_600_000 if len(ms) > 1 else clock.interval_h
    return float(rate[-1]), hours if 1.0 <= hours <= 24.0 else clock.interval_h


def currency_rate(market: "Market", quote: str, settings: "Settings", now_ns: int) -> Fx:
    """What a unit of a currency is worth: from its cross leg, watched live or from the pages."""
    live = market.fx(quote, now_ns)
    seen = market.universe.crosses.get(cross_leg(quote))
    if not live.stale or seen is None:
        return live
    leg = Leg(seen.key)
    leg.bid, leg.bid_size, leg.ask, leg.ask_size = (
        seen.bid, seen.bid_size, seen.ask, seen.ask_size,
    )  # fmt: skip
    leg.quote_ns = seen.t_ns
    limit_ms = round(CROSS_POLLS * settings.scanner.poll_s * 1e3 / AGE_FACTOR)
    return cross_rate({seen.key: leg}, quote, settings.account.currency, now_ns, limit_ms)
