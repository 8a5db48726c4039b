"""What the soak holds the desk to: its live prices and its books, beside the exchange's own."""

import math
from collections.abc import Iterable
from typing import Any

from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.demo.exchange import Exchange
from basisdesk.engine import Engine
from basisdesk.market.leg import Leg
from basisdesk.market.streams import Stream

SLACK_S = 1.0  # beyond the age limit: one pulse of the exchange, one turn of the loop
UNDATED_S = 2.0  # Binance's spot top carries no time, so a late one cannot be told from a new one
BURST_S = 3.0  # a burst is made of invented touches, so nothing is judged so long
LEVELS = 50  # the exchange publishes so many a side
WRONG_KEPT = 20

Levels = dict[float, float]


class Judge:
    """Compares a desk with the exchange in the same process.

    live, wrong: quotes looked at, and how many of them were no true touch of the last moments;
    details: the first of those. judging: False before the exchange remembers any touch.
    """

    def __init__(self, exchange: Exchange, engine: Engine, legs: Iterable[str]) -> None:
        self._exchange = exchange
        self._engine = engine
        self._legs = tuple(legs)
        self._burst_s: dict[str, float] = {}
        self.judging = False
        self.samples = self.live = self.wrong = 0
        self.details: list[dict[str, Any]] = []

    def burst(self, conn: str) -> None:
        """Thousands of invented touches come over this connection now."""
        self._burst_s[conn] = mono_s()

    def sample(self, now_ns: int) -> None:
        """Look at every quote that the window would show as live. now_ns: the desk's time."""
        now_s = mono_s()
        self.samples += 1
        for key in self._legs:
            leg = self._engine.market.leg(key)
            if self.is_live(leg, now_ns):
                self.live += 1
                if self.judging and not self._is_true(leg, now_s):
                    self._note(leg, now_ns, now_s)

    def is_live(self, leg: Leg, now_ns: int) -> bool:
        """The window would show this quote as live."""
        limit_ms = self._engine.settings.risk.quote_age_ms_max
        return not math.isnan(leg.mid) and leg.doubt is None and leg.age_ms(now_ns) <= limit_ms

    def silent(self, now_ns: int) -> list[str]:
        """What is not live, in words: streams of prices, legs, and the links behind them."""
        market = self._engine.market
        streams = [
            f"{stream.id} {stream.state}: {stream.last_error}"
            for stream in self._streams()
            if stream.rule.what in ("top", "book") and stream.state != "live"
        ]
        legs = [
            f"{leg.key} {leg.bid} {leg.ask}: {leg.age_ms(now_ns):.0f} ms old, heard "
            f"{(now_ns - leg.quote_ns) / 1e6:.0f} ms ago, {leg.quote_lag_ms:.0f} ms after its "
            f"stamp; {leg.doubt or 'no doubt'}"
            for leg in map(market.leg, self._legs)
            if not self.is_live(leg, now_ns)
        ]
        links = [
            f"{x.conn} {x.state}: {x.reason}" for x in market.links.values() if x.state != "up"
        ]
        return streams + legs + links * bool(streams or legs)

    def books(self) -> list[Stream]:
        """The depth streams of our legs."""
        return [stream for stream in self._streams() if stream.depth > 1]

    def equal(self, stream: Stream) -> int:
        """The id of the published book if ours equals it now, else -1."""
        number, bids, asks = self._published(stream)
        depth = min(LEVELS, stream.depth)
        same = _same(stream.book.bids, bids, depth) and _same(stream.book.asks, asks, depth)
        return number if same else -1

    def _streams(self) -> list[Stream]:
        """A fault may speak of instruments that nobody asked for: those are not ours."""
        return [s for s in self._engine.market.streams.values() if s.instrument in self._legs]

    def _is_true(self, leg: Leg, now_s: float) -> bool:
        """It was the touch of the exchange at some moment of the last few seconds."""
        conn = leg.quote_stream.conn if leg.quote_stream is not None else ""
        if now_s - self._burst_s.get(conn, -BURST_S) < BURST_S:
            return True
        limit_s = Settings().risk.quote_age_ms_max / 1e3 + SLACK_S
        limit_s += UNDATED_S * leg.key.startswith("binance:spot")
        touches = self._exchange.truth(leg.key).touches
        began = sum(row[0] < now_s - limit_s for row in touches)  # the last of them still held then
        recent = touches[max(0, began - 1) :]
        if leg.key.startswith("kraken:perp"):  # told level by level: the two sides in two messages
            return any(_near(leg.bid, row[1]) for row in recent) and any(
                _near(leg.ask, row[2]) for row in recent
            )
        return any(_near(leg.bid, bid) and _near(leg.ask, ask) for _, bid, ask in recent)

    def _note(self, leg: Leg, now_ns: int, now_s: float) -> None:
        self.wrong += 1
        if len(self.details) < WRONG_KEPT:
            touches = self._exchange.truth(leg.key).touches
            self.details.append(
                {
                    "leg": leg.key,
                    "shown": (leg.bid, leg.ask),
                    "age_ms": round(leg.age_ms(now_ns)),
                    "true": [(round(now_s - t, 2), bid, ask) for t, bid, ask in touches[-4:]],
                    "faults": [f"{f.kind} {f.target}" for f in self._exchange.faults.on],
                }
            )

    def _published(self, stream: Stream) -> tuple[int, Levels, Levels]:
        """(id, bids, asks) as published on this stream, best first.

        That is the true book; but Kraken Futures, one level a message, is told twenty levels a
        side, and those behind the best only twice a second.
        """
        truth = self._exchange.truth(stream.instrument)
        if stream.conn != "kraken.futures":
            return truth.book_id, truth.bids, truth.asks
        venue, market, symbol = stream.instrument.split(":")
        voice = self._exchange.voices[venue, market, symbol]
        spec = voice.leg.spec
        tick, lot = float(spec.tick) / spec.price_unit, float(spec.lot) * spec.unit
        told: Any = next(c.memory["told"] for c in voice.channels if c.topic.kind == "book")
        bids, asks = (
            {ticks * tick: lots * lot for ticks, lots in sorted(side.items(), reverse=turned)}
            for side, turned in ((told.bids, True), (told.asks, False))
        )
        return told.seq, bids, asks


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9)


def _same(ours: list[tuple[float, float]], true: Levels, depth: int) -> bool:
    """The first levels are the same to nine digits."""
    mine, theirs = ours[:depth], list(true.items())[:depth]
    return len(mine) == len(theirs) > 0 and all(
        _near(a, b)
        for one, other in zip(mine, theirs, strict=True)
        for a, b in zip(one, other, strict=True)
    )
