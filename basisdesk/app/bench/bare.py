"""The limit beside every engine figure: typed msgspec decoding of the same bytes, and no more.

One struct for each kind of message, with the fields a program needs, chosen before the clock runs.
Shapes after the venues' documentation of 2026-07 and 2026-08.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

Decode = Callable[[bytes], object]
Level = tuple[float, float]
OkxLevel = tuple[float, float, str, str]
T = TypeVar("T")

HEAD = 160  # bytes of a message that tell its kind


class _BybitBook(msgspec.Struct):
    s: str
    b: list[Level]
    a: list[Level]
    u: int


class _BybitTicker(msgspec.Struct):
    symbol: str
    markPrice: float | None = None
    indexPrice: float | None = None
    fundingRate: float | None = None
    nextFundingTime: int | None = None
    openInterest: float | None = None


class _BybitTrade(msgspec.Struct):
    T: int
    s: str
    S: str
    v: float
    p: float


class _Bybit(msgspec.Struct, Generic[T]):
    topic: str
    type: str
    ts: int
    data: T


class _BinanceTop(msgspec.Struct):
    u: int
    s: str
    b: float
    B: float
    a: float
    A: float


class _BinanceDepth(msgspec.Struct):
    E: int
    s: str
    U: int
    u: int
    b: list[Level]
    a: list[Level]
    pu: int = 0


class _BinanceTrade(msgspec.Struct):
    s: str
    p: float
    q: float
    T: int
    m: bool


class _BinanceMark(msgspec.Struct):
    E: int
    s: str
    p: float
    i: float
    r: float
    T: int


class _Binance(msgspec.Struct, Generic[T]):
    stream: str
    data: T


class _OkxArg(msgspec.Struct):
    channel: str
    instId: str = ""


class _OkxBook(msgspec.Struct):
    asks: list[OkxLevel]
    bids: list[OkxLevel]
    ts: int
    seqId: int = 0
    prevSeqId: int = 0


class _OkxTrade(msgspec.Struct):
    instId: str
    px: float
    sz: float
    side: str
    ts: int


class _OkxFigure(msgspec.Struct):
    instId: str
    ts: int
    markPx: float | None = None
    idxPx: float | None = None
    fundingRate: float | None = None
    fundingTime: int | None = None
    nextFundingTime: int | None = None
    oi: float | None = None


class _Okx(msgspec.Struct, Generic[T]):
    arg: _OkxArg
    data: list[T]


class _KrakenLevel(msgspec.Struct):
    price: float
    qty: float


class _KrakenBook(msgspec.Struct):
    symbol: str
    bids: list[_KrakenLevel]
    asks: list[_KrakenLevel]
    checksum: int
    timestamp: str = ""


class _KrakenTrade(msgspec.Struct):
    symbol: str
    side: str
    price: float
    qty: float
    timestamp: str


class _KrakenTicker(msgspec.Struct):
    symbol: str
    bid: float
    ask: float
    last: float


class _Kraken(msgspec.Struct, Generic[T]):
    channel: str
    type: str
    data: list[T]


class _FuturesChange(msgspec.Struct):
    feed: str
    product_id: str
    side: str
    price: float
    qty: float
    seq: int


class _FuturesBook(msgspec.Struct):
    feed: str
    product_id: str
    seq: int
    bids: list[_KrakenLevel]
    asks: list[_KrakenLevel]


class _FuturesTicker(msgspec.Struct):
    feed: str
    product_id: str
    markPrice: float
    index: float
    relative_funding_rate: float | None = None
    next_funding_rate_time: int | None = None
    openInterest: float | None = None


def _typed(shape: object) -> Decode:
    decode: Decode = msgspec.json.Decoder(shape, strict=False).decode
    return decode


# Connection -> (bytes near the start of a message, its decoder), the first that fits.
_KINDS: dict[str, tuple[tuple[bytes, Decode], ...]] = {
    "bybit": (
        (b'"topic":"orderbook', _typed(_Bybit[_BybitBook])),
        (b'"topic":"tickers', _typed(_Bybit[_BybitTicker])),
        (b'"topic":"publicTrade', _typed(_Bybit[list[_BybitTrade]])),
    ),
    "binance": (
        (b"@bookTicker", _typed(_Binance[_BinanceTop])),
        (b"@depth", _typed(_Binance[_BinanceDepth])),
        (b"@trade", _typed(_Binance[_BinanceTrade])),
        (b"@aggTrade", _typed(_Binance[_BinanceTrade])),
        (b"@markPrice", _typed(_Binance[_BinanceMark])),
    ),
    "okx": (
        (b'"channel":"bbo-tbt"', _typed(_Okx[_OkxBook])),
        (b'"channel":"books"', _typed(_Okx[_OkxBook])),
        (b'"channel":"trades"', _typed(_Okx[_OkxTrade])),
        (b'"channel":"mark-price"', _typed(_Okx[_OkxFigure])),
        (b'"channel":"index-tickers"', _typed(_Okx[_OkxFigure])),
        (b'"channel":"funding-rate"', _typed(_Okx[_OkxFigure])),
        (b'"channel":"open-interest"', _typed(_Okx[_OkxFigure])),
    ),
    "kraken": (
        (b'"channel":"book"', _typed(_Kraken[_KrakenBook])),
        (b'"channel":"trade"', _typed(_Kraken[_KrakenTrade])),
        (b'"channel":"ticker"', _typed(_Kraken[_KrakenTicker])),
        (b'"feed":"book_snapshot"', _typed(_FuturesBook)),
        (b'"feed":"book"', _typed(_FuturesChange)),
        (b'"funding_rate":', _typed(_FuturesTicker)),
    ),
}
_CONTROL = (b'"event":', b'"success":', b'"result":', b'"method":')
_ANY: Decode = msgspec.json.Decoder().decode


def decoder_for(conn: str, payload: bytes) -> Decode:
    """The typed decoder that a program would choose for this message; untyped for rare ones."""
    head = payload[:HEAD]
    if any(mark in head for mark in _CONTROL):
        return _ANY
    for mark, decode in _KINDS[conn.partition(".")[0]]:
        if mark in head:
            return decode
    return _ANY


def share_typed(messages: list[tuple[str, bytes]]) -> float:
    """Share of (connection, message) that have a struct of their own: 1 but for the rare ones."""
    return sum(decoder_for(*each) is not _ANY for each in messages) / len(messages)
