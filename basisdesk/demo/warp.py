"""Prices and times told wrong on purpose: a leg as its venue's clients see it during a fault. Pure.

The true leg is never touched but for its running ids. A connection remembers which book it has
shown, so that changes always lead from what was shown to what is to be shown, and back to the truth
when the fault is over.
"""

from collections.abc import Sequence
from typing import NamedTuple

from basisdesk.demo.depth import Levels, changes
from basisdesk.demo.faults import Faults
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.wire import Candle, Day, News, Print, Spec, View

HOUR_MS = 3_600_000
_NO_BOOKS = ("binance.market", "bybit.spread")

Touch = tuple[int, int, int, int]
Sides = tuple[Levels, Levels]


class Bend(NamedTuple):
    """How the truth is bent: factor on prices, asks below bids, clock off (ms) or in seconds."""

    factor: float = 1.0
    crossed: bool = False
    skew_ms: int = 0
    seconds: bool = False

    @property
    def prices(self) -> bool:
        """Whether prices are not the true ones."""
        return self.crossed or self.factor != 1.0

    def time(self, t_ms: int) -> int:
        """What the venue's clock shows."""
        return (t_ms + self.skew_ms) // (1000 if self.seconds else 1)


STRAIGHT = Bend()


def bend_of(faults: Faults, conn: str, spec: Spec) -> Bend:
    """What the faults that are on make of an instrument on a connection."""
    if not faults.on:
        return STRAIGHT
    jump = faults.active("jump", conn, spec.symbol, spec.base)
    crossed = faults.active("crossed", conn, spec.symbol, spec.base)
    skew_ms, seconds = clock_of(faults, conn)
    return Bend(jump.number(3.0) if jump else 1.0, crossed is not None, skew_ms, seconds)


def clock_of(faults: Faults, conn: str) -> tuple[int, bool]:
    """(ms by which the clock is off, whether it counts seconds)."""
    skew = faults.active("clock_skew", conn)
    if skew is None:
        return 0, False
    if skew.value == "s":
        return 0, True
    return round(skew.number(1.0) * HOUR_MS), False


class Bent:
    """A wire.Leg that shows a bent truth."""

    def __init__(self, leg: SimLeg, bend: Bend) -> None:
        self._leg = leg
        self._bend = bend
        self.spec: Spec = leg.spec
        self.touch: Touch = _touch(leg.touch, bend)
        self.touch_id = leg.touch_id
        self.book_id = leg.book_id
        self.last: Print | None = _print(leg.last, bend) if leg.last else None

    def sides(self) -> Sides:
        """The published book, bent."""
        return _sides(self._leg.sides(), self._bend)

    def view(self) -> View:
        """Figures with bent prices and the shown time."""
        view, factor = self._leg.view(), self._bend.factor
        return view._replace(
            t_ms=self._bend.time(view.t_ms),
            index_price=view.index_price * factor,
            mark_price=view.mark_price * factor,
        )

    def day(self) -> Day:
        """The last 24 hours, true."""
        return self._leg.day()

    def candles(self, since_ms: int, until_ms: int) -> Sequence[Candle]:
        """Candles, true."""
        return self._leg.candles(since_ms, until_ms)

    def settlements(self) -> Sequence[tuple[int, float, float]]:
        """Settlements, true."""
        return self._leg.settlements()

    def price_text(self, ticks: int) -> str:
        """As the true leg."""
        return self._leg.price_text(ticks)

    def size_text(self, lots: int) -> str:
        """As the true leg."""
        return self._leg.size_text(lots)

    def flood(self, count: int) -> Sequence[Touch]:
        """As the true leg, bent."""
        out = [_touch(touch, self._bend) for touch in self._leg.flood(count)]
        self.touch_id = self._leg.touch_id
        return out


class Warp:
    """What one connection has been shown of one leg, while it differs from the truth."""

    __slots__ = ("_conn", "_shown")

    def __init__(self, conn: str) -> None:
        self._conn = conn
        self._shown: tuple[Sides, Touch] | None = None

    def through(self, leg: SimLeg, news: News, bend: Bend) -> tuple[SimLeg | Bent, News]:
        """(leg, news) as this connection is told."""
        if not bend.prices and self._shown is None:
            return (leg, news) if bend == STRAIGHT else (Bent(leg, bend), _timed(news, bend))
        before = self._shown or (leg.before, leg.touch)
        sides, touch = _sides(leg.sides(), bend), _touch(leg.touch, bend)
        if touch != before[1] and not news.touched:
            leg.touch_id += 1
            news = news._replace(touched=True)
        if self._conn not in _NO_BOOKS:
            bids, asks = changes(before[0][0], sides[0]), changes(before[0][1], sides[1])
            first, last, prev = leg.renumbered(news.prev, len(bids) + len(asks))
            news = news._replace(bids=bids, asks=asks, first=first, last=last, prev=prev)
        self._shown = (sides, touch) if bend.prices else None
        prints = [_print(row, bend) for row in news.prints]
        return Bent(leg, bend), _timed(news._replace(prints=prints), bend)


def _timed(news: News, bend: Bend) -> News:
    prints = [row._replace(t_ms=bend.time(row.t_ms)) for row in news.prints]
    return news._replace(now_ms=bend.time(news.now_ms), prints=prints)


def _print(row: Print, bend: Bend) -> Print:
    return row._replace(tick=max(1, round(row.tick * bend.factor)))


def _touch(touch: Touch, bend: Bend) -> Touch:
    bid, bid_lots, ask, ask_lots = touch
    down = ask - bid + 2 if bend.crossed else 0
    low, high = max(1, round(bid * bend.factor)), max(1, round((ask - down) * bend.factor))
    return low, bid_lots, high if bend.crossed else max(low + 1, high), ask_lots


def _sides(sides: Sides, bend: Bend) -> Sides:
    if not bend.prices:
        return sides
    bids, asks = sides
    down = min(asks) - max(bids) + 2 if bend.crossed else 0
    return _scaled(bids, 0, bend.factor), _scaled(asks, down, bend.factor)


def _scaled(levels: Levels, down: int, factor: float) -> Levels:
    return {max(1, round((tick - down) * factor)): lots for tick, lots in levels.items()}
