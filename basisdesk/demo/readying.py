"""Has ready what a page tells of a whole market or of weeks, in small steps.

The exchange is one thread: between two steps the streams go on.
"""

import asyncio
from urllib.parse import parse_qsl

from basisdesk.demo.floor import Name, Trading
from basisdesk.demo.listings import Market
from basisdesk.demo.wire import Leg

# Pages that tell figures of every instrument of a market, unless they are asked for one.
_BROAD: dict[str, Market] = {
    "/v5/market/tickers?category=spot": "spot",
    "/v5/market/tickers?category=linear": "perp",
    "/api/v3/ticker/bookTicker": "spot",
    "/fapi/v1/ticker/bookTicker": "perp",
    "/fapi/v1/premiumIndex": "perp",
    "/fapi/v1/fundingInfo": "perp",
    "/api/v5/market/tickers?instType=SPOT": "spot",
    "/api/v5/market/tickers?instType=SWAP": "perp",
    "/api/v5/market/index-tickers": "spot",
    "/api/v5/public/mark-price": "perp",
    "/api/v5/public/open-interest": "perp",
    "/api/v5/public/funding-rate": "perp",
    "/0/public/Ticker": "spot",
    "/derivatives/api/v3/tickers": "perp",
}
_NARROW = ("symbol", "instId", "pair")
_PAST = (  # pages of settled funding
    "/v5/market/funding/history",
    "/fapi/v1/fundingRate",
    "/api/v5/public/funding-rate-history",
    "/derivatives/api/v4/historicalfundingrates",
)


def is_broad(target: str) -> Market | None:
    """The market of a page that tells of all its instruments, so that all must be walked."""
    page, _, text = target.partition("?")
    query = dict(parse_qsl(text))
    if any(query.get(name, "ANY") != "ANY" for name in _NARROW):
        return None
    kinds = [f"{page}?{name}={query[name]}" for name in ("category", "instType") if name in query]
    return next((_BROAD[key] for key in (*kinds, page) if key in _BROAD), None)


def past_of(target: str) -> str:
    """The perpetual whose settled funding a page tells; "" where it tells none."""
    page, _, text = target.partition("?")
    query = dict(parse_qsl(text))
    return query.get("symbol") or query.get("instId", "") if page in _PAST else ""


class Readying:
    """What the pages of an exchange need; one step of one page in each turn of the loop."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading
        self._turn = asyncio.Lock()

    async def legs(self, venue: str, target: str) -> dict[Name, Leg]:
        """The legs that a page about a whole market tells of, caught up; none for another page."""
        if symbol := past_of(target):
            await self._recall((venue, "perp", symbol))
        ready: dict[Name, Leg] = {}
        market = is_broad(target)
        for name in self._trading.names(venue, market) if market else ():
            async with self._turn:
                leg = self._trading.warm(name)
                await asyncio.sleep(0)
            if leg is not None:
                ready[name] = leg
        return ready

    async def _recall(self, name: Name) -> None:
        """Walk the days before the coin's first; they are kept for the page that follows."""
        leg = self._trading.sim(name)
        if leg is None:
            return
        for day in leg.quoted.owed_days:
            async with self._turn:
                leg.quoted.days.day(day)
                await asyncio.sleep(0)
