"""One simulated instrument: its book, trades and figures, before any venue's words. Pure.

`pulse` moves it on and tells what happened; a dialect puts that into messages. What `sides` shows
is always what `book_id` stands for: the book moves between two pulses, what was published does not.
"""

from collections.abc import Callable, Sequence

import numpy as np

from basisdesk.demo.depth import Ladder, Levels, TradeTape, shape_of
from basisdesk.demo.quoted import Quoted
from basisdesk.demo.wire import Candle, Day, News, Print, Spec, View

REPEAT_MS = 3_000  # an unchanged top of book is told again after this
ENGINE_LAG_MS = 3  # trades of a pulse end this long before it
FLOOD_SIZES = 64  # distinct touches in a flood of top-of-book messages
_STREAM = 5  # of random numbers
FALL_TO = 1_000  # where ids start again after `fall_back`
_SKIP_MAX = 40  # ids that a futures book of Binance leaves out between two messages


class SimLeg:
    """A `wire.Leg`. depth: factor on all books at a time (ms), 1 is normal."""

    def __init__(
        self,
        quoted: Quoted,
        seed: int,
        depth: Callable[[int], float],
        now_ms: int,
        spec: Spec | None = None,
    ) -> None:
        """spec: another one than the listing's, with a tick that changed."""
        self.spec: Spec = spec or quoted.spec
        self.quoted = quoted
        self._depth = depth
        key = [ord(char) for char in self.spec.key]
        self._rng = np.random.default_rng([seed, _STREAM, now_ms // 60_000, *key])
        shape = shape_of(self.spec, quoted.planted)
        self._ladder = Ladder(shape, quoted.mid(now_ms), self._rng)
        self._tape = TradeTape(shape, self._rng)
        self._tick, self._lot = float(self.spec.tick), float(self.spec.lot)
        self.now_ms = self._traded_ms = self._said_ms = now_ms
        self._steps_one = self.spec.venue == "bybit"
        self._skips = (self.spec.venue, self.spec.market) == ("binance", "perp")
        self.touch_id = 173_000_000 + int(self._rng.integers(1_000_000))
        self.book_id = 62_000_000 + int(self._rng.integers(1_000_000))
        self.touch = self._touch_now()
        self.last: Print | None = Print(now_ms - 1, False, self._ladder.best_bid, 1, 1)
        self._trades = 1
        self._fall = False

    # Moving

    def pulse(self, now_ms: int, *, slow: bool, quotes: int = 1) -> News:
        """Everything up to `now_ms`. slow: trades and tickers are due; quotes: see News."""
        prints = self._trade(now_ms) if slow else ()
        self._move(now_ms)
        bids, asks = self._ladder.publish()
        first, last, prev = self._next_ids(len(bids) + len(asks))
        touch = self._touch_now()
        touched = touch != self.touch
        if touched:
            self.touch = touch
            self.touch_id += 1
        repeat = not touched and now_ms - self._said_ms >= REPEAT_MS
        if touched or repeat:
            self._said_ms = now_ms
        return News(now_ms, touched, repeat, quotes, bids, asks, first, last, prev, prints, slow)

    def wake(self, now_ms: int) -> None:
        """Nobody listened for a while: catch up without a word, so that a greeting is not old."""
        if now_ms <= self.now_ms:
            return
        self._traded_ms = now_ms
        self.pulse(now_ms, slow=False)
        self._said_ms = now_ms

    def restart(self) -> None:
        """Ids start again at 1, as after a restart of Bybit; a snapshot must follow."""
        self.book_id = self.touch_id = 1

    def fall_back(self) -> None:
        """The next change has an id below the one before, as after OKX's maintenance."""
        self._fall = True

    def renumbered(self, prev: int, changes: int) -> tuple[int, int, int]:
        """Ids of the last pulse once more, for another number of changes after `prev`."""
        self.book_id = prev
        return self._next_ids(changes)

    def _move(self, now_ms: int) -> None:
        if now_ms <= self.now_ms:
            return
        dt_s = (now_ms - self.now_ms) / 1000.0
        self.now_ms = now_ms
        self._ladder.move(self.quoted.mid(now_ms), dt_s, self._depth(now_ms))

    def _next_ids(self, changes: int) -> tuple[int, int, int]:
        """(first, last, previous) update ids of so many changed levels.

        Bybit counts messages, the others count changes; Binance's futures leave ids out.
        """
        prev = self.book_id
        if changes == 0:
            return prev, prev, prev
        first = FALL_TO if self._fall else prev + 1
        self._fall = False
        if self._skips:
            first += int(self._rng.integers(_SKIP_MAX))
        self.book_id = first if self._steps_one else first + changes - 1
        return first, self.book_id, prev

    def _touch_now(self) -> tuple[int, int, int, int]:
        ladder = self._ladder
        return ladder.best_bid, ladder.bids[0], ladder.best_ask, ladder.asks[0]

    def _trade(self, now_ms: int) -> Sequence[Print]:
        """Trades since the last call, at the touch as it stands."""
        dt_ms, self._traded_ms = now_ms - self._traded_ms, now_ms
        drawn = self._tape.draw(dt_ms / 1000.0) if dt_ms > 0 else []
        out = []
        for at, (buy, lots) in enumerate(drawn):
            taken = self._ladder.take(buy=buy, lots=lots)
            tick = self._ladder.best_ask if buy else self._ladder.best_bid
            t_ms = now_ms - ENGINE_LAG_MS - dt_ms * (len(drawn) - 1 - at) // len(drawn)
            self._trades += 1
            out.append(Print(t_ms, buy, tick, taken, self._trades))
        if out:
            self.last = out[-1]
        return out

    # Looking

    @property
    def before(self) -> tuple[Levels, Levels]:
        """What was published before the last pulse."""
        return self._ladder.before

    def sides(self) -> tuple[Levels, Levels]:
        """Published bids and asks, best first."""
        return self._ladder.published

    def view(self) -> View:
        """Mark, index and funding at the last pulse."""
        return self.quoted.view(self.now_ms)

    def day(self) -> Day:
        """The last 24 hours."""
        return self.quoted.day(self.now_ms)

    def candles(self, since_ms: int, until_ms: int) -> Sequence[Candle]:
        """Minutes with since <= start < until, oldest first, the running one included."""
        return self.quoted.candles(since_ms, until_ms, self.now_ms)

    def settlements(self) -> Sequence[tuple[int, float, float]]:
        """(stamp ms, rate, mark) of past settlements, oldest first."""
        if self.spec.market == "spot":
            return ()
        return self.quoted.settlements(self.now_ms)

    def price_text(self, ticks: int) -> str:
        """A price of whole ticks with the tick's digits."""
        return f"{ticks * self._tick:.{self.spec.tick_decimals}f}"

    def size_text(self, lots: int) -> str:
        """A size of whole lots with the lot's digits."""
        return f"{lots * self._lot:.{self.spec.lot_decimals}f}"

    def flood(self, count: int) -> Sequence[tuple[int, int, int, int]]:
        """`count` invented touches near the present one; touch_id moves on by as many."""
        if count <= 0:
            return ()
        bid, bid_lots, ask, ask_lots = self.touch
        some = [
            (bid - at % 3, bid_lots + at, ask - at % 3, ask_lots + FLOOD_SIZES - at)
            for at in range(FLOOD_SIZES)
        ]
        self.touch_id += count
        return (some * (count // FLOOD_SIZES + 1))[:count]
