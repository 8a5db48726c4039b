"""What the simulated Kraken Futures socket says: one level a message, one ticker a second.

The simulated book changes almost whole with every step, which at a message a level would be some
hundred messages a second. The venue itself said 24 a second and product on average when it was
recorded, 130 of the busiest. So the best bid and ask are right after every step, and the levels
behind them twice a second.
"""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from basisdesk.demo.wire import Leg, Levels, News, Print, Topic, View

TICKER_MS = 1_000
LEVELS = 20  # a side that are told
REFRESH_MS = 500  # of the levels behind the best
FORGOTTEN_MS = 1_500  # nobody was told anything for so long: the next greeting starts afresh
RATE_DIGITS = 12  # of a relative funding rate, in the ticker and in the history alike
SEQ_SCALE = 64  # a book that is greeted anew goes on from about here for each update id


class _Told(NamedTuple):
    """What clients of a book topic hold: levels, the number of the last message, and when."""

    bids: dict[int, int]
    asks: dict[int, int]
    seq: int
    refreshed_ms: int
    said_ms: int


def greet(topic: Topic, leg: Leg, memory: dict[str, object], now_ms: int) -> Sequence[bytes]:
    """The first data of a new subscription, with the number that the next message follows."""
    if topic.kind == "book":
        told = memory.get("told")
        if not isinstance(told, _Told) or now_ms - told.said_ms > FORGOTTEN_MS:
            seq = told.seq + 1 if isinstance(told, _Told) else leg.book_id * SEQ_SCALE
            bids, asks = leg.sides()
            memory["told"] = told = _Told(_best(bids), _best(asks), seq, now_ms, now_ms)
        bids, asks = dict(sorted(told.bids.items(), reverse=True)), dict(sorted(told.asks.items()))
        return (
            (
                f'{{"feed":"book_snapshot","product_id":"{topic.symbol}","timestamp":{now_ms},'
                f'"seq":{told.seq},"tickSize":null,"bids":[{_levels(leg, bids)}],'
                f'"asks":[{_levels(leg, asks)}]}}'
            ).encode(),
        )
    if topic.kind == "trade":
        past = [_trade(leg, leg.last)] if leg.last is not None else []
        return (
            (
                f'{{"feed":"trade_snapshot","product_id":"{topic.symbol}",'
                f'"trades":[{",".join(past)}]}}'
            ).encode(),
        )
    return (_ticker(topic, leg, now_ms),)


def say(topic: Topic, leg: Leg, memory: dict[str, object], news: News) -> Sequence[bytes]:
    """Messages of this topic for this news."""
    if topic.kind == "book":
        return _book_news(topic, leg, memory, news)
    if topic.kind == "trade":
        return [_trade(leg, row).encode() for row in news.prints]
    before = memory.get("ticker_ms", 0)
    if isinstance(before, int) and news.now_ms - before < TICKER_MS:
        return ()
    memory["ticker_ms"] = news.now_ms
    return (_ticker(topic, leg, news.now_ms),)


def _book_news(topic: Topic, leg: Leg, memory: dict[str, object], news: News) -> Sequence[bytes]:
    """One message a level, in an order that never leaves the book crossed or a side empty.

    A side whose new best does not touch the other side's old one goes first, and of each side the
    new levels come before the deletions.
    """
    told = memory.get("told")
    if not isinstance(told, _Told):
        return ()
    bids, asks = leg.sides()
    best_bid, best_ask = next(iter(bids)), next(iter(asks))
    whole = news.now_ms - told.refreshed_ms >= REFRESH_MS
    if whole:
        now_bids, now_asks = _best(bids), _best(asks)
    else:
        now_bids = {tick: lots for tick, lots in told.bids.items() if tick < best_bid}
        now_asks = {tick: lots for tick, lots in told.asks.items() if tick > best_ask}
        now_bids[best_bid], now_asks[best_ask] = bids[best_bid], asks[best_ask]
    down, up = _rows("buy", told.bids, now_bids), _rows("sell", told.asks, now_asks)
    rows = up + down if best_ask > max(told.bids) else down + up
    if news.quotes > 1:
        rows += _load(leg, news.quotes - 1)
    refreshed_ms = news.now_ms if whole else told.refreshed_ms
    memory["told"] = _Told(now_bids, now_asks, told.seq + len(rows), refreshed_ms, news.now_ms)
    return [
        (
            f'{{"feed":"book","product_id":"{topic.symbol}","side":"{side}","seq":{seq},'
            f'"price":{leg.price_text(tick)},"qty":{leg.size_text(lots)},'
            f'"timestamp":{news.now_ms}}}'
        ).encode()
        for seq, (side, tick, lots) in enumerate(rows, told.seq + 1)
    ]


def _best(levels: Levels) -> dict[int, int]:
    return dict(islice(levels.items(), LEVELS))


def _rows(side: str, before: Levels, after: Levels) -> list[tuple[str, int, int]]:
    rows = [(side, tick, lots) for tick, lots in after.items() if before.get(tick) != lots]
    # The worst level goes first: the best one then steps to its new place in one message.
    gone = sorted((tick for tick in before if tick not in after), reverse=side == "sell")
    return rows + [(side, tick, 0) for tick in gone]


def _load(leg: Leg, count: int) -> list[tuple[str, int, int]]:
    """`count` more messages for load tests: sizes at the touch vary, and stand again at last."""
    bid, bid_lots, ask, ask_lots = leg.touch
    rows = []
    for at, touch in enumerate(leg.flood(max(0, count - 2))):
        rows.append(("buy", bid, touch[1]) if at % 2 else ("sell", ask, touch[3]))
    return [*rows, ("buy", bid, bid_lots), ("sell", ask, ask_lots)]


def _levels(leg: Leg, levels: Levels) -> str:
    price, size = leg.price_text, leg.size_text
    return ",".join([f'{{"price":{price(t)},"qty":{size(n)}}}' for t, n in levels.items()])


def _trade(leg: Leg, row: Print) -> str:
    symbol = leg.spec.symbol
    uid = f"{row.number:08x}-5ee0-4a6e-8d2c-{row.t_ms % 16**12:012x}"
    return (
        f'{{"feed":"trade","product_id":"{symbol}","uid":"{uid}",'
        f'"side":"{"buy" if row.buy else "sell"}","type":"fill","seq":{row.number},'
        f'"time":{row.t_ms},"qty":{leg.size_text(row.lots)},"price":{leg.price_text(row.tick)}}}'
    )


def _ticker(topic: Topic, leg: Leg, now_ms: int) -> bytes:
    view, day, price, size = leg.view(), leg.day(), leg.price_text, leg.size_text
    bid, bid_lots, ask, ask_lots = leg.touch
    last = float(price(leg.last.tick if leg.last else bid))
    spec, change = leg.spec, 100.0 * (last / day.first - 1.0)
    if topic.kind == "ticker_lite":
        return (
            f'{{"feed":"ticker_lite","product_id":"{spec.symbol}","bid":{price(bid)},'
            f'"ask":{price(ask)},"change":{change:.4f},"premium":{_premium(view):.4f},'
            f'"volume":{day.volume:.4f},"tag":"perpetual","pair":"{_pair(spec.symbol)}","dtm":0,'
            f'"maturityTime":0,"volumeQuote":{day.turnover:.2f}}}'
        ).encode()
    # funding_rate is USD a coin and hour; the relative one is a fraction of the index an hour.
    rate = round(float(view.rate), RATE_DIGITS)
    index, mark = float(view.index_price), float(view.mark_price)
    absolute = rate * index
    return (
        f'{{"time":{now_ms},"product_id":"{spec.symbol}","funding_rate":{absolute!r},'
        f'"funding_rate_prediction":{absolute!r},"relative_funding_rate":{rate!r},'
        f'"relative_funding_rate_prediction":{rate!r},'
        f'"next_funding_rate_time":{view.next_funding_ms},"feed":"ticker","bid":{price(bid)},'
        f'"ask":{price(ask)},"bid_size":{size(bid_lots)},"ask_size":{size(ask_lots)},'
        f'"volume":{day.volume:.4f},"dtm":0,"leverage":"{spec.leverage_max}x",'
        f'"index":{index!r},"premium":{_premium(view):.4f},"last":{last!r},'
        f'"change":{change:.4f},"suspended":false,"tag":"perpetual",'
        f'"pair":"{_pair(spec.symbol)}","openInterest":{view.open_interest:.4f},'
        f'"markPrice":{mark!r},"maturityTime":0,"post_only":false,'
        f'"volumeQuote":{day.turnover:.2f}}}'
    ).encode()


def _premium(view: View) -> float:
    return 100.0 * (view.mark_price / view.index_price - 1.0)


def _pair(symbol: str) -> str:
    return f"{symbol[3:-3]}:{symbol[-3:]}"
