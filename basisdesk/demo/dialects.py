"""Market state to the exact messages of Bybit V5: control answers, books, trades, tickers.

Shapes, key order, number formats and answers follow the venue's pages of 2026-07 and frames
recorded in 2026-08. REST pages are in `pages.py`. Nothing here asks the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from basisdesk.demo.coins import BY_SYMBOL, Coin
from basisdesk.demo.funding import INTERVAL_H
from basisdesk.demo.market import View

Category = Literal["spot", "linear"]
LEG_NUMBER: dict[Category, int] = {"spot": 0, "linear": 1}
SPOT_ARGS_MAX = 10
LINEAR_ARGS_TEXT_MAX = 21_000
DEPTHS = {"spot": ("1", "50", "200", "1000"), "linear": ("1", "50", "200", "500", "1000")}
KINDS = ("orderbook", "publicTrade", "tickers")

encode = msgspec.json.Encoder().encode


class Topic(NamedTuple):
    """One subscription: "orderbook" with its depth, "publicTrade" or "tickers", of a symbol."""

    text: str
    kind: str
    depth: str
    symbol: str


class Day(NamedTuple):
    """The last 24 hours of one leg, for its ticker. Volume in coins, turnover in USDT."""

    high: float
    low: float
    first: float
    hour_ago: float
    volume: float
    turnover: float


class Request(msgspec.Struct):
    """What a client sends."""

    op: str = ""
    req_id: str = ""
    args: list[str] = []


class Print(NamedTuple):
    """One printed trade: ticks, lots and the tape's id."""

    t_ms: int
    buy: bool
    tick: int
    lots: int
    direction: str
    ident: str
    seq: int


class Numbers:
    """Texts of one leg's prices and sizes. Spot drops trailing zeros, linear keeps them."""

    __slots__ = ("_lot", "_lot_digits", "_price_digits", "_spot", "_tick")

    def __init__(self, coin: Coin, category: Category) -> None:
        self._spot = category == "spot"
        self._price_digits = coin.tick_decimals if self._spot else coin.price_decimals
        self._lot_digits = coin.spot_lot_decimals if self._spot else coin.perp_lot_decimals
        self._tick = 10**coin.tick_decimals
        self._lot = 10**self._lot_digits

    def tick(self, ticks: int) -> str:
        """A price of so many ticks."""
        text = f"{ticks / self._tick:.{self._price_digits}f}"
        return trimmed(text) if self._spot else text

    def price(self, value: float) -> str:
        """A price that need not be a whole tick, to the digits that the market prints."""
        text = f"{value:.{self._price_digits}f}"
        return trimmed(text) if self._spot else text

    def lots(self, lots: int) -> str:
        """A size of so many lots; "0" for none."""
        if lots == 0:
            return "0"
        text = f"{lots / self._lot:.{self._lot_digits}f}"
        return trimmed(text) if self._spot else text

    def levels(self, levels: Mapping[int, int]) -> str:
        """The levels as the venue's JSON array of pairs."""
        tick, lots = self.tick, self.lots
        return ",".join([f'["{tick(t)}","{lots(n)}"]' for t, n in levels.items()])


def trimmed(text: str) -> str:
    """Decimal text without trailing zeros: "65140.0" is "65140"."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate_text(rate: float) -> str:
    """A funding rate as the venue prints it: at most 8 decimals, no exponent."""
    text = trimmed(f"{rate:.8f}")
    return "0" if text == "-0" else text


# Control


def parse_topic(text: str, category: Category) -> Topic | None:
    """The topic, or None where the venue has no handler for it."""
    kind, _, rest = text.partition(".")
    depth, symbol = "", rest
    if kind == "orderbook":
        depth, _, symbol = rest.partition(".")
        if depth not in DEPTHS[category]:
            return None
    if kind not in KINDS or symbol not in BY_SYMBOL:
        return None
    return Topic(text, kind, depth, symbol)


def answer(success: bool, message: str, conn_id: str, request: Request) -> bytes:
    """An acknowledgement or a refusal, with the client's req_id."""
    return encode(
        {
            "success": success,
            "ret_msg": message,
            "conn_id": conn_id,
            "req_id": request.req_id,
            "op": request.op,
        }
    )


def pong(conn_id: str, request: Request) -> bytes:
    """The answer to the application ping; its op stays "ping"."""
    return answer(True, "pong", conn_id, request)


def read_request(payload: bytes | str) -> Request | None:
    """The client's message, or None where it is not one."""
    try:
        return msgspec.json.decode(payload, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def refusal(
    request: Request, category: Category, topics: Sequence[Topic | None], have: Iterable[str]
) -> str:
    """Why a subscribe is refused as a whole, in the venue's words; "" when it is not."""
    if category == "spot" and len(request.args) > SPOT_ARGS_MAX:
        return f"args size >{SPOT_ARGS_MAX}"
    if sum(map(len, request.args)) > LINEAR_ARGS_TEXT_MAX:
        return f"args length >{LINEAR_ARGS_TEXT_MAX}"
    for text, topic in zip(request.args, topics, strict=True):
        if topic is None:
            return f"error:handler not found,topic:{text}"
    held = set(have)
    for text in request.args:
        if text in held:
            return f"error:already subscribed,topic:{text}"
    return ""


def acked(category: Category) -> str:
    """What a good subscribe is answered with."""
    return "subscribe" if category == "spot" else ""


# Streams


class Stamps(NamedTuple):
    """Publish time and engine time (ms), update id and cross sequence of one book message."""

    ts: int
    cts: int
    u: int
    seq: int


def head(topic: str, category: Category, kind: str, ts: int) -> str:
    """The opening of a data message; the two markets order their keys differently."""
    if category == "spot":
        return f'{{"topic":"{topic}","ts":{ts},"type":"{kind}","data":'
    return f'{{"topic":"{topic}","type":"{kind}","ts":{ts},"data":'


def book(
    topic: Topic, category: Category, kind: str, levels: tuple[str, str], stamps: Stamps
) -> bytes:
    """An order book message. kind: "snapshot" or "delta"; levels: (bids, asks) as texts."""
    return (
        f'{head(topic.text, category, kind, stamps.ts)}{{"s":"{topic.symbol}","b":[{levels[0]}],'
        f'"a":[{levels[1]}],"u":{stamps.u},"seq":{stamps.seq}}},"cts":{stamps.cts}}}'
    ).encode()


def trades(topic: Topic, category: Category, numbers: Numbers, prints: Sequence[Print]) -> bytes:
    """A publicTrade message; prints oldest first, at least one."""
    rows = []
    for row in prints:
        side = "Buy" if row.buy else "Sell"
        price, size = numbers.tick(row.tick), numbers.lots(row.lots)
        if category == "spot":
            rows.append(
                f'{{"i":"{row.ident}","T":{row.t_ms},"p":"{price}","v":"{size}","S":"{side}",'
                f'"seq":{row.seq},"s":"{topic.symbol}","BT":false,"RPI":false}}'
            )
        else:
            rows.append(
                f'{{"T":{row.t_ms},"s":"{topic.symbol}","S":"{side}","v":"{size}","p":"{price}",'
                f'"L":"{row.direction}","i":"{row.ident}","BT":false,"RPI":false,'
                f'"seq":{row.seq}}}'
            )
    ts = prints[-1].t_ms + 1
    return f"{head(topic.text, category, 'snapshot', ts)}[{','.join(rows)}]}}".encode()


def spot_ticker(symbol: str, fields: Mapping[str, str], ts: int, seq: int) -> bytes:
    """A spot ticker. It has no bid and no ask: the venue's does not either."""
    return encode(
        {"topic": f"tickers.{symbol}", "ts": ts, "type": "snapshot", "cs": seq, "data": fields}
    )


def linear_ticker(kind: str, symbol: str, fields: Mapping[str, str], ts: int, seq: int) -> bytes:
    """A linear ticker: everything in a snapshot, only what changed in a delta."""
    return encode(
        {
            "topic": f"tickers.{symbol}",
            "type": kind,
            "data": {"symbol": symbol, **fields},
            "cs": seq,
            "ts": ts,
        }
    )


def spot_fields(coin: Coin, numbers: Numbers, last: int, day: Day, index: float) -> dict[str, str]:
    """Fields of the spot ticker."""
    price = last / 10**coin.tick_decimals
    return {
        "symbol": coin.symbol,
        "lastPrice": numbers.tick(last),
        "highPrice24h": numbers.price(max(day.high, price)),
        "lowPrice24h": numbers.price(min(day.low, price)),
        "prevPrice24h": numbers.price(day.first),
        "volume24h": trimmed(f"{day.volume:.{coin.spot_lot_decimals}f}"),
        "turnover24h": trimmed(f"{day.turnover:.4f}"),
        "price24hPcnt": trimmed(f"{price / day.first - 1.0:.4f}"),
        "usdIndexPrice": trimmed(f"{index:.6f}"),
    }


def linear_fields(
    coin: Coin,
    numbers: Numbers,
    last: tuple[int, str],
    day: Day,
    view: View,
    touch: Mapping[str, str],
) -> dict[str, str]:
    """Fields of the linear ticker. last: (ticks, tick direction); touch: see touch_fields."""
    price = last[0] / 10**coin.tick_decimals
    lots, held = coin.perp_lot_decimals, view.open_interest
    return {
        "tickDirection": last[1],
        "price24hPcnt": trimmed(f"{price / day.first - 1.0:.6f}"),
        "lastPrice": numbers.tick(last[0]),
        "prevPrice24h": numbers.price(day.first),
        "highPrice24h": numbers.price(max(day.high, price)),
        "lowPrice24h": numbers.price(min(day.low, price)),
        "prevPrice1h": numbers.price(day.hour_ago),
        "markPrice": numbers.price(view.mark_price),
        "indexPrice": numbers.price(view.index_price),
        "openInterest": f"{held:.{lots}f}",
        "openInterestValue": f"{held * view.mark_price:.2f}",
        "turnover24h": f"{day.turnover:.4f}",
        "volume24h": f"{day.volume:.4f}",
        "fundingIntervalHour": str(INTERVAL_H),
        "fundingCap": trimmed(f"{coin.funding_cap:.6f}"),
        "singleOpenInterest": f"{held / 2.0:.{lots}f}",
        "singleOpenInterestValue": f"{held / 2.0 * view.mark_price:.2f}",
        "nextFundingTime": str(view.next_funding_ms),
        "fundingRate": rate_text(view.rate),
        **touch,
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def touch_fields(numbers: Numbers, bid: tuple[int, int], ask: tuple[int, int]) -> dict[str, str]:
    """Best bid and ask of a linear ticker, each (ticks, lots)."""
    return {
        "bid1Price": numbers.tick(bid[0]),
        "bid1Size": numbers.lots(bid[1]),
        "ask1Price": numbers.tick(ask[0]),
        "ask1Size": numbers.lots(ask[1]),
    }
