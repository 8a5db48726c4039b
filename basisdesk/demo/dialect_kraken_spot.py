"""What the simulated Kraken spot socket says: the ten-level book with its checksum, ticker, trades.

A client that keeps ten levels is told only what it needs to keep them: a level that falls below the
tenth is not deleted, one that rises into the ten is sent again. Numbers are JSON numbers with every
digit of the pair's precision, for the checksum is made of those digits.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from basisdesk.demo.wire import Leg, Levels, News, Print, Topic

CHECKSUM_LEVELS = 10


class _Told(NamedTuple):
    """What every client of a book topic holds: ticks to lots, best first."""

    bids: dict[int, int]
    asks: dict[int, int]


def greet(topic: Topic, leg: Leg, memory: dict[str, object], now_ms: int) -> Sequence[bytes]:
    """The first data of a new subscription."""
    if topic.kind == "book":
        bids, asks = leg.sides()
        told = _Told(_first(bids, int(topic.args)), _first(asks, int(topic.args)))
        memory["told"] = told
        return (_book(leg, "snapshot", told, told, now_ms),)
    if topic.kind == "ticker":
        memory["best"] = (leg.touch[0], leg.touch[2])
        return (_ticker(leg, "snapshot", now_ms),)
    if topic.args == "snapshot" and leg.last is not None:
        return (_trades(leg, "snapshot", (leg.last,)),)
    return ()


def say(topic: Topic, leg: Leg, memory: dict[str, object], news: News) -> Sequence[bytes]:
    """Messages of this topic for this news."""
    if topic.kind == "book":
        return _book_news(topic, leg, memory, news)
    if topic.kind == "trade":
        return (_trades(leg, "update", news.prints),) if news.prints else ()
    if topic.args == "bbo":
        best = (leg.touch[0], leg.touch[2])
        before, memory["best"] = memory.get("best"), best
        return () if best == before else (_ticker(leg, "update", news.now_ms),)
    return (_ticker(leg, "update", news.now_ms),) if news.prints else ()


def _book_news(topic: Topic, leg: Leg, memory: dict[str, object], news: News) -> Sequence[bytes]:
    told, depth = memory.get("told"), int(topic.args)
    if not isinstance(told, _Told):
        return ()
    out = []
    for bid_lots, ask_lots in _load(leg, news):
        changed = _Told({next(iter(told.bids)): bid_lots}, {next(iter(told.asks)): ask_lots})
        told = _Told(told.bids | changed.bids, told.asks | changed.asks)
        out.append(_book(leg, "update", changed, told, news.now_ms))
    bids, asks = leg.sides()
    now = _Told(_first(bids, depth), _first(asks, depth))
    changed = _Told(_changes(told.bids, now.bids, bids), _changes(told.asks, now.asks, asks))
    memory["told"] = now
    if changed.bids or changed.asks:
        out.append(_book(leg, "update", changed, now, news.now_ms))
    return out


def _load(leg: Leg, news: News) -> Sequence[tuple[int, int]]:
    """Invented sizes at the touch, for load tests."""
    if news.quotes <= 1:
        return ()
    return [(touch[1], touch[3]) for touch in leg.flood(news.quotes - 1)]


def _first(levels: Levels, depth: int) -> dict[int, int]:
    return dict(islice(levels.items(), depth))


def _changes(before: Levels, after: Levels, whole: Levels) -> dict[int, int]:
    """What brings a client from `before` to `after`, given that it cuts its book to the depth."""
    out = {tick: 0 for tick in before if tick not in whole}
    out.update((tick, lots) for tick, lots in after.items() if before.get(tick) != lots)
    return out


def _book(leg: Leg, kind: str, said: _Told, now: _Told, now_ms: int) -> bytes:
    """A book message; `now`: the client's book after it, which the checksum covers."""
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{leg.spec.symbol}",'
        f'"bids":[{_levels(leg, said.bids)}],"asks":[{_levels(leg, said.asks)}],'
        f'"checksum":{checksum(leg, now.bids, now.asks)},"timestamp":"{rfc3339(now_ms)}"}}]}}'
    ).encode()


def _levels(leg: Leg, levels: Levels) -> str:
    price, size = leg.price_text, leg.size_text
    return ",".join([f'{{"price":{price(t)},"qty":{size(n)}}}' for t, n in levels.items()])


def checksum(leg: Leg, bids: Levels, asks: Levels) -> int:
    """CRC32 of the ten best asks, then bids, in the digits of the wire."""
    price, size = leg.price_text, leg.size_text
    text = [
        each.replace(".", "").lstrip("0")
        for side in (asks, bids)
        for tick, lots in islice(side.items(), CHECKSUM_LEVELS)
        for each in (price(tick), size(lots))
    ]
    return crc32("".join(text).encode())


def _ticker(leg: Leg, kind: str, now_ms: int) -> bytes:
    spec, day, price, size = leg.spec, leg.day(), leg.price_text, leg.size_text
    bid, bid_lots, ask, ask_lots = leg.touch
    last = float(price(leg.last.tick if leg.last else bid))
    digits = spec.tick_decimals
    vwap = day.turnover / day.volume if day.volume else last
    change = last - day.first
    return (
        f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{spec.symbol}",'
        f'"bid":{price(bid)},"bid_qty":{size(bid_lots)},"ask":{price(ask)},'
        f'"ask_qty":{size(ask_lots)},"last":{last:.{digits}f},"volume":{day.volume:.8f},'
        f'"vwap":{vwap:.{digits}f},"low":{day.low:.{digits}f},"high":{day.high:.{digits}f},'
        f'"change":{change:.{digits}f},"change_pct":{100.0 * change / day.first:.2f},'
        f'"timestamp":"{rfc3339(now_ms)}"}}]}}'
    ).encode()


def _trades(leg: Leg, kind: str, prints: Sequence[Print]) -> bytes:
    rows = [
        f'{{"symbol":"{leg.spec.symbol}","side":"{"buy" if row.buy else "sell"}",'
        f'"price":{leg.price_text(row.tick)},"qty":{leg.size_text(row.lots)},'
        f'"ord_type":"market","trade_id":{row.number},"timestamp":"{rfc3339(row.t_ms)}"}}'
        for row in prints
    ]
    return f'{{"channel":"trade","type":"{kind}","data":[{",".join(rows)}]}}'.encode()


def rfc3339(ms: int) -> str:
    """A venue time, with the six digits that the venue prints."""
    day = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{day:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}000Z"
