"""One instrument on the wire: its book, trades and ticker as a sequence of messages. Pure."""

from typing import NamedTuple

import numpy as np

from basisdesk.demo.coins import Coin
from basisdesk.demo.depth import Ladder, TradeTape
from basisdesk.demo.dialects import (
    LEG_NUMBER,
    Category,
    Day,
    Numbers,
    Print,
    Stamps,
    Topic,
    book,
    head,
    linear_fields,
    linear_ticker,
    spot_fields,
    spot_ticker,
    touch_fields,
    trades,
)
from basisdesk.demo.market import Market, View

REPEAT_MS = 3_000  # an unchanged top of book is sent again after this, with the same u
ENGINE_LAG_MS = 3  # the engine's stamp lies this far before the publish stamp
DAY_MIN, HOUR_MIN = 1_440, 60
FLOOD_SIZES = 64  # distinct touches in a flood of top-of-book messages
SPOT_IDENT_BASE = 2_290_000_001_000_000_000


class _News(NamedTuple):
    """What happened to a leg since its last pulse."""

    now_ms: int
    quotes: int  # top-of-book messages to send
    levels: tuple[str, str]  # changed bids and asks, as texts
    prints: list[Print]
    slow: bool  # tickers are due


class LegFeed:
    """Speaks for one instrument. `pulse` moves it on; `greeting` is what a new subscriber gets."""

    def __init__(self, coin: Coin, category: Category, market: Market, now_ms: int) -> None:
        self.coin = coin
        self.category = category
        self.numbers = Numbers(coin, category)
        leg = LEG_NUMBER[category]
        number = [c.symbol for c in market.coins].index(coin.symbol)
        self._rng = np.random.default_rng([market.seed, 5, number, leg, now_ms // 60_000])
        self._market = market
        view = market.view(coin.symbol, now_ms)
        self._ladder = Ladder(coin, leg, self._mid(view), self._rng)
        self._tape = TradeTape(coin, leg, self._rng)
        self._view = view
        self._moved_ms = now_ms
        self._traded_ms = now_ms
        self._u_touch = 173_000_000 + int(self._rng.integers(1_000_000))
        self._u_depth = 62_000_000 + int(self._rng.integers(1_000_000))
        self._seq = 112_488_000_000 + now_ms // 1000 + int(self._rng.integers(1_000_000))
        self._touch = self._touch_now()
        self._touch_ms = now_ms
        self._last = (self._ladder.best_bid, "ZeroMinusTick")
        self._trades = 0
        self._fields: dict[str, str] = {}
        self._day = (-1, Day(0.0, 0.0, 1.0, 1.0, 0.0, 0.0))

    def move(self, now_ms: int) -> None:
        """Bring the book to `now_ms` without saying anything. Earlier times change nothing."""
        if now_ms <= self._moved_ms:
            return
        self._view = self._market.view(self.coin.symbol, now_ms)
        dt_s = (now_ms - self._moved_ms) / 1000.0
        self._moved_ms = now_ms
        self._ladder.move(self._mid(self._view), dt_s, self._view.depth)

    def wake(self, now_ms: int) -> None:
        """Nobody listened for a while: catch up, so that a greeting is not old."""
        self.move(now_ms)
        self._traded_ms = now_ms
        self._ladder.publish()
        self._fields = {}
        self._u_depth += 1
        self._note_touch(now_ms)

    def pulse(
        self, topics: dict[str, Topic], now_ms: int, *, slow: bool, quotes: int = 1
    ) -> dict[str, list[bytes]]:
        """Messages of these topics for the time up to `now_ms`, by topic.

        slow: trades and tickers are due as well. quotes: top-of-book messages to send; above 1 the
        extra ones vary the touch and are there for load tests.
        """
        prints = self._trade(now_ms) if slow else []
        self.move(now_ms)
        bids, asks = self._ladder.publish()
        self._seq += len(bids) + len(asks) + len(prints) + 1
        if bids or asks:
            self._u_depth += 1
        touched = self._note_touch(now_ms)
        kinds = {topic.kind for topic in topics.values()}
        if "tickers" not in kinds:
            self._fields = {}  # the next subscriber starts afresh
        levels = (self.numbers.levels(bids), self.numbers.levels(asks))
        news = _News(now_ms, quotes if touched else 0, levels, prints, slow)
        said = {text: self._messages(topic, news) for text, topic in topics.items()}
        return {text: messages for text, messages in said.items() if messages}

    def _messages(self, topic: Topic, news: _News) -> list[bytes]:
        if topic.kind == "orderbook" and topic.depth == "1":
            if news.quotes == 0:
                return []
            return [*self._flood(topic, news.quotes - 1), self._touch_message(topic)]
        if topic.kind == "orderbook":
            stamps = self._stamps(news.now_ms)
            some = any(news.levels)
            return [book(topic, self.category, "delta", news.levels, stamps)] if some else []
        if topic.kind == "publicTrade":
            prints = news.prints
            return [trades(topic, self.category, self.numbers, prints)] if prints else []
        return self._ticker_change(topic, news.now_ms) if news.slow else []

    def greeting(self, topic: Topic, now_ms: int) -> list[bytes]:
        """The snapshot a new subscriber gets, in step with what the others have heard."""
        if topic.kind == "publicTrade":
            return []
        if topic.kind == "orderbook" and topic.depth == "1":
            return [self._touch_message(topic)]
        if topic.kind == "orderbook":
            bids, asks = self._ladder.published
            levels = (self.numbers.levels(bids), self.numbers.levels(asks))
            return [book(topic, self.category, "snapshot", levels, self._stamps(now_ms))]
        if self.category == "spot":
            return [spot_ticker(topic.symbol, self._ticker(), now_ms, self._seq)]
        self._fields = self._fields or self._ticker()
        return [linear_ticker("snapshot", topic.symbol, self._fields, now_ms, self._seq)]

    def rest_ticker(self, now_ms: int) -> dict[str, str]:
        """Ticker fields as the REST page has them: with the touch on spot too."""
        self.move(now_ms)
        fields = {"symbol": self.coin.symbol, **self._ticker()}
        return {**fields, **self._touch_texts()} if self.category == "spot" else fields

    def sides(self, now_ms: int) -> tuple[dict[int, int], dict[int, int], int]:
        """(bids, asks, cross sequence) now."""
        self.move(now_ms)
        bids, asks = self._ladder.levels()
        return bids, asks, self._seq

    def _mid(self, view: View) -> float:
        return view.spot_mid if self.category == "spot" else view.perp_mid

    def _touch_now(self) -> tuple[int, int, int, int]:
        ladder = self._ladder
        return ladder.best_bid, ladder.bids[0], ladder.best_ask, ladder.asks[0]

    def _note_touch(self, now_ms: int) -> bool:
        """Whether the top of book is to be sent: it changed, or it is due to be repeated."""
        touch = self._touch_now()
        if touch != self._touch:
            self._touch = touch
            self._u_touch += 1
        elif now_ms - self._touch_ms < REPEAT_MS:
            return False
        self._touch_ms = now_ms
        return True

    def _stamps(self, now_ms: int) -> Stamps:
        return Stamps(now_ms, now_ms - ENGINE_LAG_MS, self._u_depth, self._seq)

    def _touch_message(self, topic: Topic) -> bytes:
        bid, bid_lots, ask, ask_lots = self._touch
        levels = (self.numbers.levels({bid: bid_lots}), self.numbers.levels({ask: ask_lots}))
        now_ms = self._touch_ms
        stamps = Stamps(now_ms, now_ms - ENGINE_LAG_MS, self._u_touch, self._seq)
        return book(topic, self.category, "snapshot", levels, stamps)

    def _flood(self, topic: Topic, count: int) -> list[bytes]:
        """`count` more top-of-book messages, each with its own u, seq and one of 64 touches."""
        if count <= 0:
            return []
        bid, bid_lots, ask, ask_lots = self._touch
        touches = []
        for at in range(FLOOD_SIZES):
            down = at % 3
            bids = self.numbers.levels({bid - down: bid_lots + at})
            asks = self.numbers.levels({ask - down: ask_lots + FLOOD_SIZES - at})
            touches.append(f'"b":[{bids}],"a":[{asks}],"u":')
        start = head(topic.text, self.category, "snapshot", self._touch_ms)
        start += f'{{"s":"{topic.symbol}",'
        end = f'}},"cts":{self._touch_ms - ENGINE_LAG_MS}}}'
        u, seq = self._u_touch, self._seq
        self._u_touch, self._seq = u + count, seq + count
        return [
            f'{start}{touches[at % FLOOD_SIZES]}{u + at},"seq":{seq + at}{end}'.encode()
            for at in range(count)
        ]

    def _trade(self, now_ms: int) -> list[Print]:
        """Trades since the last call, at the touch as it stands."""
        dt_ms, self._traded_ms = now_ms - self._traded_ms, now_ms
        drawn = self._tape.draw(dt_ms / 1000.0) if dt_ms > 0 else []
        out = []
        for at, (buy, lots) in enumerate(drawn):
            taken = self._ladder.take(buy=buy, lots=lots)
            tick = self._ladder.best_ask if buy else self._ladder.best_bid
            self._last = (tick, _direction(self._last, tick))
            t_ms = now_ms - ENGINE_LAG_MS - dt_ms * (len(drawn) - 1 - at) // len(drawn)
            self._trades += 1
            seq = self._seq + at
            out.append(Print(t_ms, buy, tick, taken, self._last[1], self._ident(), seq))
        return out

    def _ident(self) -> str:
        if self.category == "spot":
            return str(SPOT_IDENT_BASE + self._seq % 10**9 * 1000 + self._trades)
        text = self._rng.bytes(16).hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def _touch_texts(self) -> dict[str, str]:
        bid, bid_lots, ask, ask_lots = self._touch_now()
        return touch_fields(self.numbers, (bid, bid_lots), (ask, ask_lots))

    def _ticker(self) -> dict[str, str]:
        day, view = self._last_day(), self._view
        if self.category == "spot":
            return spot_fields(self.coin, self.numbers, self._last[0], day, view.index_price)
        touch = self._touch_texts()
        return linear_fields(self.coin, self.numbers, self._last, day, view, touch)

    def _ticker_change(self, topic: Topic, now_ms: int) -> list[bytes]:
        fields = self._ticker()
        if self.category == "spot":
            if fields == self._fields:
                return []
            self._fields = fields
            return [spot_ticker(topic.symbol, fields, now_ms, self._seq)]
        before, self._fields = self._fields, fields
        new = {name: text for name, text in fields.items() if before.get(name) != text}
        if not new:
            return []
        return [linear_ticker("delta", topic.symbol, new, now_ms, self._seq)]

    def _last_day(self) -> Day:
        """The last 24 hours, worked out once a minute."""
        if self._day[0] != self._market.minute:
            candles = list(self._market.candles[self.coin.symbol])[-DAY_MIN:]
            leg = LEG_NUMBER[self.category]
            prices = np.array([(row.spot, row.perp)[leg] for row in candles])
            volumes = np.array([(row.spot_volume, row.perp_volume)[leg] for row in candles])
            hour = prices[-HOUR_MIN, 0] if len(prices) >= HOUR_MIN else prices[0, 0]
            day = Day(
                float(prices[:, 1].max()),
                float(prices[:, 2].min()),
                float(prices[0, 0]),
                float(hour),
                float(volumes.sum()),
                float((volumes * prices[:, 3]).sum()),
            )
            self._day = (self._market.minute, day)
        return self._day[1]


def _direction(last: tuple[int, str], tick: int) -> str:
    if tick > last[0]:
        return "PlusTick"
    if tick < last[0]:
        return "MinusTick"
    return last[1] if last[1].startswith("Zero") else f"Zero{last[1]}"
