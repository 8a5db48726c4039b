"""The legs of the universe as arrays of one moment: touch, depth, rate, fee, age.

A leg that is watched live is read from its streams where that is the fresher one. Nothing here
knows of combinations.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.market.fair import fair_of_rule_bp
from basisdesk.scan.depth import LEVELS_MAX, Depth
from basisdesk.scan.leg_now import (
    NAN,
    currency_rate,
    last_settled,
    limits_of,
    paying_of,
    rule_of,
    touch_of,
)
from basisdesk.scan.words import Floats, Ints
from basisdesk.trading.cross import exact_rate
from basisdesk.trading.fees import schedule

if TYPE_CHECKING:
    from basisdesk.config import Settings
    from basisdesk.market.book import Book
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg
    from basisdesk.venues.instrument import FundingRule

LIVE_LEVELS = 40  # of a live book that are read,
LIVE_TIMES = 2.0  # unless they hold less than so many times what is wanted
LIVE_BOOKS = 32  # live books that are read anew each time; the others move with their touch

# rate age, rate, interval, next, cap, settled, hours, velocity, paid on, fair, accrues, held
_SPOT = (0.0, NAN, 0.0, 0.0, 0.0, NAN, 0.0, 0.0, NAN, 0.0, 0.0, 0.0, NAN)


@dataclass(frozen=True)
class Fixed:
    """What stays while the legs stay.

    fee: taker, fraction. keep: what is left of a purchase after a fee taken in coins. borrow_h:
    interest on borrowed coins, fraction an hour.
    """

    perp: NDArray[np.bool_]
    fee: Floats
    keep: Floats
    borrow_h: Floats


class LiveBook(NamedTuple):
    """A live book as it was read."""

    book: "Book"
    seq: int


@dataclass(frozen=True)
class Now:
    """One moment of n legs; NaN where not known. Prices in quote unless they say otherwise.

    top: bid, bid size, ask, ask size (4, n). mid: account currency. fx: bid, ask, mid of the quote
    currency (3, n). rate, settled: fraction an interval; velocity_8h: bp per 8 h an hour, scaled.
    settled_h: hours it was for, 0 for spot, which settles nothing. low_bp, high_bp: fair basis
    against spot, 0 for spot. paid_on: price that funding is paid on, account currency. accrues:
    paid by the time held.
    open_interest: account currency. stale: too old to act on.
    """

    top: Floats
    mid: Floats
    fx: Floats
    age_s: Floats
    rate: Floats
    interval_h: Floats
    next_ms: Ints
    cap: Floats
    settled: Floats
    settled_h: Floats
    velocity_8h: Floats
    low_bp: Floats
    high_bp: Floats
    paid_on: Floats
    accrues: NDArray[np.bool_]
    open_interest: Floats
    stale: NDArray[np.bool_]


class LegTable:
    """Reads legs into arrays, again and again; made anew with the legs.

    depth: their books. wanted: base coin that the reader will ask of each, at the last reading.
    book_stamp: tells one book of a leg from its next.
    """

    def __init__(self, settings: "Settings", legs: "tuple[ScanLeg, ...]") -> None:
        self.legs = legs
        self.depth = Depth(len(legs))
        self.fixed = _fixed(settings, legs)
        self._settings = settings
        self._limits = limits_of(settings)
        self.wanted = np.zeros(len(legs))
        self.book_stamp = np.zeros(len(legs))
        self._shown: list[object] = [None] * len(legs)  # what the book of each was made of
        self._lives = self._live_turn = self._live_count = 0
        self._bands: dict[tuple[FundingRule, float], tuple[float, float]] = {}
        self._quotes = tuple(sorted({leg.quote for leg in legs}))
        places = [self._quotes.index(leg.quote) for leg in legs]
        self._quote_of = np.array(places, dtype=np.intp)

    def read(self, market: "Market", now_ns: int) -> Now:
        """All legs at this moment; `depth` is of the same moment."""
        touches: list[int] = []
        self._lives = 0
        rows = [
            self._leg(place, leg, market, now_ns, touches) for place, leg in enumerate(self.legs)
        ]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(_SPOT) + 5).T
        self._live_count, self._live_turn = self._lives, self._live_turn + LIVE_BOOKS
        ages = table[4:6]
        top = np.where(np.isnan(table[0] + table[2]), np.nan, table[0:4])  # half a touch is none
        fx = self._fx(market, now_ns)[:, self._quote_of]
        self._show_touches(touches, top)
        mid = (top[0] + top[2]) / 2 * fx[2]
        perp, left_h = self.fixed.perp, (table[8] - now_ns / 1e6) / 3_600_000
        with np.errstate(invalid="ignore", divide="ignore"):
            phase = np.clip(1.0 - left_h / table[7], 0.0, 1.0)
            velocity = table[12] * 8.0 / table[7] * np.sqrt(phase)
            paid_on = np.where(np.isnan(table[13]), mid, table[13] * fx[2])
            stale = (ages[0] > self._limits.touch_s) | (perp & (ages[1] > self._limits.rate_s))
        return Now(
            top=top,
            mid=mid,
            fx=fx,
            age_s=ages[0],
            rate=table[6],
            interval_h=table[7],
            next_ms=table[8].astype(np.int64),
            cap=table[9],
            settled=table[10],
            settled_h=table[11],
            velocity_8h=np.where(perp, velocity, 0.0),
            low_bp=table[14],
            high_bp=table[15],
            paid_on=paid_on,
            accrues=table[16] > 0.0,
            open_interest=table[17] * mid,
            stale=stale,
        )

    # --- one leg ---------------------------------------------------------------------------------

    def _leg(
        self, place: int, leg: "ScanLeg", market: "Market", now_ns: int, touches: list[int]
    ) -> tuple[float, ...]:
        touch = touch_of(leg, market, now_ns)
        if touch.book is not None:
            self._show_live(place, touch.book)
        elif not self._show_polled(place, leg, now_ns):
            touches.append(place)
        return (*touch[:5], *self._funding(leg, market, now_ns))

    def _funding(self, leg: "ScanLeg", market: "Market", now_ns: int) -> tuple[float, ...]:
        # in the order of _SPOT
        if leg.funding is None:
            return _SPOT
        clock, mark, index, rate_s = paying_of(leg, leg.funding, market, now_ns)
        rule = rule_of(leg, market)
        settled, settled_h = last_settled(leg, clock, market)
        hours = clock.interval_h if clock.interval_h > 0.0 else NAN
        low, high = self._band(rule, clock.interval_h)
        return (
            rate_s, clock.rate, hours, float(clock.next_ms), clock.cap, settled, settled_h or NAN,
            clock.velocity_bp_h, index if rule.on == "index" and index > 0.0 else mark,
            low, high, float(rule.pays == "accrual"), leg.open_interest,
        )  # fmt: skip

    def _band(self, rule: "FundingRule", interval_h: float) -> tuple[float, float]:
        found = self._bands.get((rule, interval_h))
        if found is None:
            money = self._settings.risk.money_rate_year
            low = fair_of_rule_bp(rule, money, interval_h, -math.inf)
            high = fair_of_rule_bp(rule, money, interval_h, math.inf)
            found = self._bands[rule, interval_h] = low, high
        return found

    # --- books -----------------------------------------------------------------------------------

    def _show_live(self, place: int, book: "Book") -> None:
        number, self._lives = self._lives, self._lives + 1
        shown = self._shown[place]
        if isinstance(shown, LiveBook) and shown.book is book:
            if shown.seq == book.seq:
                return
            if (number - self._live_turn) % max(1, self._live_count) >= LIVE_BOOKS:
                self.depth.follow(place)
                return
        self._shown[place] = LiveBook(book, book.seq)
        bids, asks = (book.levels(side, LIVE_LEVELS) for side in ("sell", "buy"))
        least = min(sum(size for _, size in levels) for levels in (bids, asks))
        if least < LIVE_TIMES * self.wanted[place]:
            bids, asks = (book.levels(side, LEVELS_MAX) for side in ("sell", "buy"))
        self.depth.set_book(place, bids, asks, follows=False)
        self.book_stamp[place] = book.seq

    def _show_polled(self, place: int, leg: "ScanLeg", now_ns: int) -> bool:
        if leg.book is None or now_ns - leg.book[2] > self._limits.book_s * 1e9:
            self._shown[place] = None
            return False
        if self._shown[place] is not leg.book:
            self._shown[place] = leg.book
            self.depth.set_book(place, leg.book[0], leg.book[1])
            self.book_stamp[place] = leg.book[2]
        return True

    def _show_touches(self, places: list[int], top: Floats) -> None:
        if places:
            chosen = np.array(places, dtype=np.intp)
            self.depth.set_touches(chosen, top[0::2, chosen], top[1::2, chosen])

    # --- money -----------------------------------------------------------------------------------

    def _fx(self, market: "Market", now_ns: int) -> Floats:
        """Bid, ask and mid of each quote currency in the account's; NaN without a fresh rate."""
        rates = np.full((3, len(self._quotes)), np.nan)
        for place, quote in enumerate(self._quotes):
            rate = currency_rate(market, quote, self._settings, now_ns)
            if not rate.stale:
                rates[:, place] = [float(exact_rate(r)) for r in (rate.bid, rate.ask, rate.mid)]
        return rates


def _fixed(settings: "Settings", legs: "tuple[ScanLeg, ...]") -> Fixed:
    perp = np.array([leg.market == "perp" for leg in legs], dtype=np.bool_)
    fees, keeps = [], []
    for leg in legs:
        fee = schedule(settings, leg.venue)
        spot = leg.market == "spot"
        fees.append(float(fee.spot_taker if spot else fee.perp_taker))
        keeps.append(float(1 - fee.spot_taker) if spot and fee.spot_buy_in_base else 1.0)
    borrow = [float(settings.borrow_rate(leg.venue)) for leg in legs]
    return Fixed(perp, np.array(fees), np.array(keeps), np.array(borrow))
