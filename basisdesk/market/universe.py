"""The watched universe: coins over venues, as the scanner's polled pages tell of them.

A leg of every coin, venue and market, chosen by the currency it is priced in. What comes here was
asked for over HTTP, seconds apart, and moves no leg that is watched live; what it is worth now is
for the scanner to say, by its age. Rows come in any order and from several pages: what a page does
not say is kept.

A ticker that two coins share is found by its price: a leg far off the coin's other legs is `odd`.
"""

import math
from statistics import median
from typing import TYPE_CHECKING

from basisdesk.events import FundingHistory, ScanBook, ScanPage, ScanPast, ScanRow, Ticker
from basisdesk.market.funding import FundingClock
from basisdesk.market.past import Past
from basisdesk.venues.instrument import split_key, split_symbol, venue_title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from basisdesk.config import Settings
    from basisdesk.market.described import Described

RATIO_MAX = 1.25  # of two prices of one coin; beyond it they are not of one underlying
GONE_S, GONE_POLLS = 600.0, 120.0  # silent so long, a leg may give way to one in another currency
CLOSE_AGE_S = 60.0  # a touch so old at the end of a minute is its close still, or one that is
CLOSE_AGE_POLLS = 1.5  # so many rounds of polling old, where these take longer
NAMES_MAX = 20_000  # instruments of all venues that we remember not to watch
CROSSES = frozenset({"kraken:spot:USDT/USD", "bybit:spot:USDCUSDT"})  # what market/cross.py reads
MINUTE_NS = 60_000_000_000
NAN = math.nan

Side = tuple[tuple[float, float], ...]

# Of the legs of a coin on a venue the first of these currencies is watched: the one most traded
# there (2026-11). Inverse contracts, paid in coins, are left out by the codecs.
_QUOTES = {"kraken": ("USD", "USDT", "USDC")}
_USUAL = ("USDT", "USDC")


class ScanLeg:
    """One leg of the universe. Prices for one coin in `quote`; NaN until said.

    bid, ask with sizes in base coin: the newest touch, of a page or of a depth page. t_ns: our
    stamp of it, 0 before any; venue_ms: the venue's, 0 where it says none. turnover_day: quote.
    open_interest: base coin. rate_ns: our stamp of the newest funding rate.
    funding: of a perpetual. book: (bids, asks, our stamp), best first, of the newest depth page.
    """

    __slots__ = (
        "ask",
        "ask_size",
        "bid",
        "bid_size",
        "book",
        "coin",
        "funding",
        "heard_ns",
        "index",
        "key",
        "mark",
        "market",
        "open_interest",
        "quote",
        "rate_ns",
        "t_ns",
        "turnover_day",
        "venue",
        "venue_ms",
    )

    def __init__(self, key: str, coin: str, quote: str) -> None:
        self.key = key
        self.venue, self.market, _ = split_key(key)
        self.coin = coin
        self.quote = quote
        self.bid = self.bid_size = self.ask = self.ask_size = NAN
        self.mark = self.index = self.open_interest = self.turnover_day = NAN
        self.t_ns = self.rate_ns = self.heard_ns = 0
        self.venue_ms = 0
        self.funding = FundingClock() if self.market == "perp" else None
        self.book: tuple[Side, Side, int] | None = None

    @property
    def mid(self) -> float:
        """The middle of bid and ask, NaN unless both are known."""
        return (self.bid + self.ask) / 2

    def touch(self, top: tuple[float, float, float, float], t_ns: int, venue_ms: int) -> bool:
        """Take (bid, size, ask, size). False where they are no touch, and nothing moved.

        A size that is not said is not known at the new price.
        """
        bid, bid_size, ask, ask_size = top
        if not 0.0 < bid < ask < math.inf:
            return False
        self.bid, self.ask = bid, ask
        self.bid_size = bid_size if 0.0 <= bid_size < math.inf else NAN
        self.ask_size = ask_size if 0.0 <= ask_size < math.inf else NAN
        self.t_ns, self.venue_ms = t_ns, venue_ms
        return True


class Universe:
    """Legs by key, of the coins and venues of the settings; `apply` is fed by `Market`.

    The settings are in market time (market_time.py): of a demo in fast motion, pages are minutes
    or an hour apart.

    edition: counts up when a leg comes, goes or turns out odd, so that what is made of all legs
    is made anew. odd: why a leg is taken for another underlying, by key; it stays a leg, and
    belongs in no pair. past: settled funding and minutes of the same legs.
    refused: rows and depth pages whose prices cannot be.
    crosses: the touch of legs that tell a cross rate, for when they are not watched live.
    """

    def __init__(self, settings: "Settings", described: "Described | None" = None) -> None:
        scanner = settings.scanner
        self.legs: dict[str, ScanLeg] = {}
        self.crosses: dict[str, ScanLeg] = {}
        self.odd: dict[str, str] = {}
        self.past = Past(scanner.funding_days)
        self.edition = 0
        self.refused = 0
        self._coins = frozenset(scanner.coins)
        self._venues = frozenset(scanner.venues)
        self._described = described
        self._names: dict[str, ScanLeg | None] = {}  # None: not watched
        self._places: dict[tuple[str, str, str], ScanLeg] = {}  # by coin, venue, market
        self._by_coin: dict[str, list[ScanLeg]] = {}
        self._minute = 0
        self._close_ns = round(max(CLOSE_AGE_S, CLOSE_AGE_POLLS * scanner.poll_s) * 1e9)
        self._gone_ns = round(max(GONE_S, GONE_POLLS * scanner.poll_s) * 1e9)

    def apply(self, event: "ScanPage | ScanBook | ScanPast", t_ns: int) -> None:
        """Take one event, received at t_ns."""
        self._pass_minute(t_ns)
        if isinstance(event, ScanPage):
            self._page(event, t_ns)
        elif isinstance(event, ScanBook):
            self._book(event, t_ns)
        else:
            self._learn(event, t_ns)

    def of(self, coin: str) -> "tuple[ScanLeg, ...]":
        """The legs of a coin, without odd ones."""
        return tuple(leg for leg in self._by_coin.get(coin, ()) if leg.key not in self.odd)

    def set_intervals(self, t_ns: int) -> None:
        """The venue's list of funding intervals was renewed (see Described.interval)."""
        for leg in self.legs.values():
            self._interval(leg, t_ns)

    # --- pages -----------------------------------------------------------------------------------

    def _page(self, page: ScanPage, t_ns: int) -> None:
        moved: set[str] = set()
        for row in page.rows:
            leg = self._leg(row.instrument, t_ns)
            if leg is not None:
                self._row(leg, row, t_ns, page.venue_ms)
                moved.add(leg.coin)
        self._judge(moved)

    def _row(self, leg: ScanLeg, row: ScanRow, t_ns: int, venue_ms: int) -> None:
        leg.heard_ns = t_ns
        if not (math.isnan(row.bid) and math.isnan(row.ask)):
            top = (row.bid, row.bid_size, row.ask, row.ask_size)
            self.refused += not leg.touch(top, t_ns, venue_ms)
        leg.mark = _said(row.mark, leg.mark)
        leg.index = _said(row.index, leg.index)
        leg.open_interest = _said(row.open_interest, leg.open_interest)
        leg.turnover_day = _said(row.turnover_day, leg.turnover_day)
        if leg.funding is not None:
            self._funding(leg, leg.funding, row, (t_ns, venue_ms))

    def _funding(
        self, leg: ScanLeg, clock: FundingClock, row: ScanRow, when: tuple[int, int]
    ) -> None:
        t_ns, venue_ms = when
        said = math.isfinite(row.rate)
        if not (said or row.next_ms or row.interval_h or row.cap or row.mark > 0.0):
            return
        clock.apply(
            Ticker(
                leg.key, "", row.mark, row.index, 0.0, row.rate if said else NAN,
                row.interval_h, row.next_ms, row.cap, venue_ms,
            ),
            t_ns // 1_000_000,
        )  # fmt: skip
        if said:
            leg.rate_ns = t_ns
        if not clock.interval_h:
            self._interval(leg, t_ns)

    def _book(self, event: ScanBook, t_ns: int) -> None:
        leg = self._leg(event.instrument, t_ns)
        if leg is None:
            return
        leg.heard_ns = t_ns
        if not (event.bids and event.asks):
            self.refused += 1
            return
        (bid, bid_size), (ask, ask_size) = event.bids[0], event.asks[0]
        if leg.touch((bid, bid_size, ask, ask_size), t_ns, event.venue_ms):
            leg.book = (event.bids, event.asks, t_ns)
            self._judge({leg.coin})
        else:
            self.refused += 1

    def _learn(self, event: ScanPast, t_ns: int) -> None:
        leg = self._leg(event.instrument, t_ns)
        if leg is None:
            return
        self.past.learn(event)
        if leg.funding is not None and event.settled:
            rows = [(ms, repr(rate)) for ms, rate in event.settled]
            leg.funding.learn(FundingHistory(leg.key, rows))

    # --- which legs ------------------------------------------------------------------------------

    def _leg(self, key: str, t_ns: int) -> ScanLeg | None:
        leg = self._names.get(key, _UNKNOWN)
        if leg is _UNKNOWN:
            leg = self._new(key, t_ns)
        return leg

    def _new(self, key: str, t_ns: int) -> ScanLeg | None:
        if len(self._names) >= NAMES_MAX:  # forget the strangers, they cost only another look
            self._names = {**self.legs, **self.crosses}
        leg = self._named(key)
        if leg is None:
            self._names[key] = None
            return None
        if key in CROSSES:
            self._names[key] = self.crosses[key] = leg
            return leg
        place = (leg.coin, leg.venue, leg.market)
        there = self._places.get(place)
        if there is not None and not self._better(leg, there, t_ns):
            return None  # not remembered: the one that is watched may go
        if there is not None:
            self._drop(there)
        self._names[key] = self.legs[key] = self._places[place] = leg
        self._by_coin.setdefault(leg.coin, []).append(leg)
        self._interval(leg, t_ns)
        self.edition += 1
        return leg

    def _named(self, key: str) -> ScanLeg | None:
        # the leg of this name where it is one that we would watch
        try:
            venue = split_key(key)[0]
            coin, quote = split_symbol(key)
        except ValueError:
            return None
        if key in CROSSES:
            return ScanLeg(key, coin, quote)
        watched = venue in self._venues and coin in self._coins and coin != quote
        return ScanLeg(key, coin, quote) if watched and quote in _quotes(venue) else None

    def _better(self, leg: ScanLeg, there: ScanLeg, t_ns: int) -> bool:
        if t_ns - there.heard_ns > self._gone_ns and there.heard_ns:
            return True
        order = _quotes(leg.venue)
        return order.index(leg.quote) < order.index(there.quote)

    def _drop(self, leg: ScanLeg) -> None:
        del self.legs[leg.key]
        self._names.pop(leg.key, None)
        self.odd.pop(leg.key, None)
        self._by_coin[leg.coin].remove(leg)

    def _interval(self, leg: ScanLeg, t_ns: int) -> None:
        if leg.funding is None or self._described is None:
            return
        hours, cap = self._described.interval(leg.key)
        known = self._described.instruments.get(leg.key)
        if not hours and not leg.funding.interval_h and known is not None:
            hours = float(known.funding_interval_h)
        leg.funding.set_interval(hours, cap, t_ns // 1_000_000)

    # --- what is odd -----------------------------------------------------------------------------

    def _judge(self, coins: "Iterable[str]") -> None:
        for coin in coins:
            legs = [(leg, _prices(leg)) for leg in self._by_coin.get(coin, ())]
            priced = [(leg, prices) for leg, prices in legs if prices]
            every = [price for _, prices in priced for price in prices]
            if not every or (max(every) <= RATIO_MAX * min(every) and not self.odd):
                continue
            for leg, prices in priced:
                rest = [other[0] for there, other in priced if there is not leg]
                self._say(leg, prices, rest)

    def _say(self, leg: ScanLeg, prices: tuple[float, ...], rest: list[float]) -> None:
        # Together with those it agrees with it must be more than half of the coin's legs. The
        # median of the rest would not do: of three it lies between the odd one and the other.
        with_it = 1 + sum(all(_near(price, other) for price in prices) for other in rest)
        odd = 2 * with_it <= 1 + len(rest) or not _near(prices[0], prices[-1])
        if odd == (leg.key in self.odd):
            return
        self.edition += 1
        if not odd:
            del self.odd[leg.key]
            return
        usual = median(rest) if rest else prices[0]
        far = max(prices, key=lambda price: max(price / usual, usual / price))
        what = f"{venue_title(leg.venue)} {leg.market} {leg.key.rpartition(':')[2]}"
        self.odd[leg.key] = (
            f"{what} is at {far:g} and the other {leg.coin} legs are at {usual:g}: another coin or "
            "another unit, left out."
        )

    # --- minutes ---------------------------------------------------------------------------------

    def _pass_minute(self, t_ns: int) -> None:
        # What was last heard by the end of a minute is its close; settlements that passed are noted
        # as heard. Minutes in which nothing at all was heard have no close.
        minute = t_ns // MINUTE_NS
        if minute <= self._minute:
            return
        if self._minute:
            since_ns = (self._minute + 1) * MINUTE_NS - self._close_ns
            mids = {key: leg.mid for key, leg in self.legs.items() if leg.t_ns >= since_ns}
            self.past.sample(self._minute, mids)
            self.past.reach(minute - 1)
        self._minute = minute
        now_ms = t_ns // 1_000_000
        for key, leg in self.legs.items():
            if leg.funding is not None and leg.funding.waits(now_ms):
                for due in leg.funding.due(now_ms):
                    self.past.settle(key, due.settle_ms, due.rate)


_UNKNOWN = ScanLeg("none:spot:none", "", "")


def _quotes(venue: str) -> tuple[str, ...]:
    return _QUOTES.get(venue, _USUAL)


def _said(value: float, before: float) -> float:
    return value if 0.0 < value < math.inf else before


def _near(price: float, other: float) -> bool:
    return max(price, other) <= RATIO_MAX * min(price, other)


def _prices(leg: ScanLeg) -> tuple[float, ...]:
    # what the leg is said to cost, its mid first
    return tuple(price for price in (leg.mid, leg.mark) if price > 0.0)
