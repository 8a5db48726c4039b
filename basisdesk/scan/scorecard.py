"""How good each venue is for each coin: spread, depth, funding told rightly, outages, lag.

Running figures of what was seen since the start. Spreads and depths are counted in bins on a
logarithmic scale, so a leg costs the same memory after a minute and after a month, and its median
is exact within a bin. `note` is called each second or so; it looks at the touch of each leg once.
"""

import math
from collections import deque
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from basisdesk.market.leg import Leg
from basisdesk.scan.words import Floats, Score
from basisdesk.venues.instrument import split_key, split_symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from basisdesk.config import Settings
    from basisdesk.market.funding import FundingClock
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg

LEGS_MAX = 2_000
NEAR_BP = 10.0  # depth is counted so far from mid
LAGS_KEPT = 200  # pages a venue
SILENT_POLLS = 3.0  # pauses between two readings of the pages; a venue silent for longer is out
SILENT_S_MIN = 15.0
NAN = math.nan


class LogBins:
    """Counts of positive values by leg, on a logarithmic scale; their medians.

    low, high: what is counted; beyond them values count as the end they passed. per_decade: bins.
    """

    def __init__(self, low: float, high: float, per_decade: int) -> None:
        self._low = math.log10(low)
        self._per_decade = per_decade
        self._bins = math.ceil((math.log10(high) - self._low) * per_decade)
        self._counts = np.zeros((0, self._bins), dtype=np.int32)

    def count(self, rows: "Sequence[int]", values: "Sequence[float]") -> None:
        """Count a value in each of these rows; what is no positive number is passed over."""
        if not rows:
            return
        row, value = np.array(rows, dtype=np.int64), np.array(values, dtype=np.float64)
        good = np.isfinite(value) & (value > 0.0)
        row, value = row[good], value[good]
        while len(self._counts) <= row.max(initial=-1):
            more = np.zeros((max(64, len(self._counts)), self._bins), dtype=np.int32)
            self._counts = np.concatenate((self._counts, more))
        place = ((np.log10(value) - self._low) * self._per_decade).astype(np.int64)
        np.add.at(self._counts, (row, np.clip(place, 0, self._bins - 1)), 1)

    def medians(self, rows: int) -> Floats:
        """The median of each of the first rows; NaN of one that counted nothing."""
        found = np.full(rows, np.nan)
        counts = self._counts[:rows]
        sums = counts.cumsum(axis=1)
        seen = np.flatnonzero(sums[:, -1] > 0) if len(sums) else np.empty(0, dtype=np.int64)
        half = sums[seen, -1] / 2
        place = (sums[seen] >= half[:, None]).argmax(axis=1)
        inside = counts[seen, place]
        part = (half - (sums[seen, place] - inside)) / np.maximum(inside, 1)
        found[seen] = 10.0 ** (self._low + (place + part) / self._per_decade)
        return found


class _Outage:
    """How often and how long something was away, by looks at it."""

    __slots__ = ("count", "seconds", "since_ns", "up")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.since_ns = 0
        self.up = False  # it was there at least once

    def look(self, there: bool, now_ns: int, times: int = 0) -> None:
        """times: outages that are known of, so that one between two looks counts too."""
        if there:
            self.seconds = self.lasted(now_ns)
            self.since_ns, self.up = 0, True
        elif self.up and not self.since_ns:
            self.since_ns = now_ns
            self.count += 1
        self.count = max(self.count, times + bool(self.since_ns))

    def lasted(self, now_ns: int) -> float:
        """Seconds away, of an outage under way those until now."""
        return self.seconds + ((now_ns - self.since_ns) / 1e9 if self.since_ns else 0.0)


class Scorecard:
    """Keeps the running figures; `note` looks, `scores` tells.

    A leg that is watched live is judged by its streams and book, any other by the venue's pages.
    Depth counts a dollar coin as a dollar: they differ by less than depth does in a second.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._spreads = LogBins(0.001, 10_000.0, 40)  # bp; a bin is 6 % wide
        self._depths = LogBins(1.0, 1e10, 20)  # account currency; a bin is 12 % wide
        self._seen_ns: dict[str, int] = {}
        self._book_ns: dict[str, int] = {}
        self._lags: dict[str, deque[float]] = {}  # of pages, by venue
        self._page_ns: dict[str, int] = {}
        self._outages: dict[str, _Outage] = {}  # by connection, and "VENUE.scan" of its pages
        self._errors: dict[str, tuple[object, list[float]]] = {}

    # --- looking ---------------------------------------------------------------------------------

    def note(self, market: "Market", now_ns: int) -> None:
        """Look at every leg once. A touch that was counted already is not counted again."""
        rows, spreads, deep_rows, depths = [], [], [], []
        for key, leg in _legs(market):
            t_ns = _time_of(leg)
            row = self._row(key) if t_ns > self._seen_ns.get(key, 0) else -1
            if row < 0:
                continue
            self._seen_ns[key] = t_ns
            mid = (leg.bid + leg.ask) / 2
            rows.append(row)
            spreads.append((leg.ask - leg.bid) / mid * 1e4)
            depth = self._depth(key, leg, mid)
            if not math.isnan(depth):
                deep_rows.append(row)
                depths.append(depth)
        self._spreads.count(rows, spreads)
        self._depths.count(deep_rows, depths)
        self._note_pages(market, now_ns)
        for conn, link in market.links.items():
            there = link.state in ("up", "idle")
            self._outage(conn).look(there, now_ns, max(0, link.connects - 1))

    def _depth(self, key: str, leg: "Leg | ScanLeg", mid: float) -> float:
        # what stands within NEAR_BP, of a book that was not counted yet; else NaN
        bids: Sequence[tuple[float, float]]
        asks: Sequence[tuple[float, float]]
        if isinstance(leg, Leg):
            if not leg.book.valid or leg.depth <= 1:
                return NAN
            bids, asks, t_ns = leg.book.bids, leg.book.asks, leg.quote_ns
        elif leg.book is not None:
            bids, asks, t_ns = leg.book
        else:
            return NAN
        if t_ns <= self._book_ns.get(key, 0):
            return NAN
        self._book_ns[key] = t_ns
        near = mid * NEAR_BP / 1e4
        below = sum(price * size for price, size in bids if price >= mid - near)
        above = sum(price * size for price, size in asks if price <= mid + near)
        return min(below, above)

    def _note_pages(self, market: "Market", now_ns: int) -> None:
        newest: dict[str, ScanLeg] = {}
        for leg in market.universe.legs.values():
            if leg.venue not in newest or leg.t_ns > newest[leg.venue].t_ns:
                newest[leg.venue] = leg
        limit_ns = max(SILENT_POLLS * market.settings.scanner.poll_s, SILENT_S_MIN) * 1e9
        for venue, leg in newest.items():
            there = 0 < leg.t_ns >= now_ns - limit_ns
            self._outage(f"{venue}.scan").look(there, now_ns)
            offset_ms = market.clock_ms.get(venue)
            if leg.t_ns > self._page_ns.get(venue, 0) and leg.venue_ms and offset_ms is not None:
                lags = self._lags.setdefault(venue, deque(maxlen=LAGS_KEPT))
                lags.append(leg.t_ns / 1e6 - leg.venue_ms - offset_ms)
            self._page_ns[venue] = leg.t_ns

    # --- telling ---------------------------------------------------------------------------------

    def scores(self, market: "Market", settings: "Settings", now_ns: int) -> tuple[Score, ...]:
        """One instrument of one venue each, by venue, coin and market; NaN: not seen."""
        count = len(self._rows)
        spreads = self._spreads.medians(count).tolist()
        depths = self._depths.medians(count).tolist()
        found = []
        for key, leg in _legs(market):
            venue, kind, coin = _named(key)
            fees = settings.fees_of(venue)
            row = self._rows.get(key, -1)
            t_ns = _time_of(leg)
            away = self._away(leg, venue)
            found.append(
                Score(
                    venue, key, coin,
                    depths[row] if row >= 0 else NAN,
                    spreads[row] if row >= 0 else NAN,
                    (fees.perp_taker if kind == "perp" else fees.spot_taker) * 1e4,
                    (fees.perp_maker if kind == "perp" else fees.spot_maker) * 1e4,
                    fees.source,
                    *self._funding(key, market),
                    away.count if away else 0,
                    away.lasted(now_ns) if away else 0.0,
                    self._lag(leg, venue, market),
                    (now_ns - t_ns) / 1e9 if t_ns else NAN,
                )
            )  # fmt: skip
        return tuple(sorted(found, key=lambda score: (score.venue, score.coin, score.instrument)))

    def _away(self, leg: "Leg | ScanLeg", venue: str) -> _Outage | None:
        stream = leg.quote_stream if isinstance(leg, Leg) else None
        return self._outages.get(stream.conn if stream is not None else f"{venue}.scan")

    def _lag(self, leg: "Leg | ScanLeg", venue: str, market: "Market") -> float:
        stream = leg.quote_stream if isinstance(leg, Leg) else None
        if stream is not None:
            offset_ms = market.clock_ms.get(venue)
            return stream.latency_ms()[0] - offset_ms if offset_ms is not None else NAN
        lags = self._lags.get(venue)
        return median(lags) if lags else NAN

    def _funding(self, key: str, market: "Market") -> tuple[float, float, int, int, int]:
        # (median error, bias, cases, missed, capped) of the clock that could compare most
        clocks = _clocks(market, key)
        if not clocks:
            return NAN, NAN, 0, 0, 0
        errors = max((self._compared(key, clock) for clock in clocks), key=len)
        missed = min(len(clock.missed) for clock in clocks)
        capped = max(clock.capped for clock in clocks)
        if not errors:
            return NAN, NAN, 0, missed, capped
        apart = median(map(abs, errors))
        return apart, sum(errors) / len(errors), len(errors), missed, capped

    def _compared(self, key: str, clock: "FundingClock") -> list[float]:
        # a comparison comes only with what was published, which is a new list each time
        name = f"{key} {id(clock)}"
        known = self._errors.get(name)
        if known is None or known[0] is not clock.settled:
            if len(self._errors) > 2 * LEGS_MAX:
                self._errors.clear()
            known = self._errors[name] = clock.settled, [error for _, error in clock.errors]
        return known[1]

    # --- inside ----------------------------------------------------------------------------------

    def _row(self, key: str) -> int:
        row = self._rows.get(key, -1)
        if row < 0 and len(self._rows) < LEGS_MAX:
            row = self._rows[key] = len(self._rows)
        return row

    def _outage(self, conn: str) -> _Outage:
        outage = self._outages.get(conn)
        if outage is None:
            outage = self._outages[conn] = _Outage()
        return outage


@lru_cache(maxsize=LEGS_MAX)
def _named(key: str) -> tuple[str, str, str]:
    # (venue, market, coin); the symbol where it does not tell its coin
    venue, kind, symbol = split_key(key)
    try:
        return venue, kind, split_symbol(key)[0]
    except ValueError:
        return venue, kind, symbol


def _legs(market: "Market") -> "Iterator[tuple[str, Leg | ScanLeg]]":
    """Every leg once; the live one where it is watched."""
    live = {key: leg for key, leg in market.legs.items() if leg.quote_ns}
    yield from live.items()
    for key, leg in market.universe.legs.items():
        if key not in live:
            yield key, leg


def _time_of(leg: "Leg | ScanLeg") -> int:
    # our stamp of the touch, 0 where there is none
    if not (leg.bid > 0.0 and leg.ask > 0.0):
        return 0
    return leg.quote_ns if isinstance(leg, Leg) else leg.t_ns


def _clocks(market: "Market", key: str) -> "list[FundingClock]":
    if ":perp:" not in key:
        return []
    live, polled = market.legs.get(key), market.universe.legs.get(key)
    found = [leg.funding for leg in (live, polled) if leg is not None]
    return [clock for clock in found if clock is not None]
