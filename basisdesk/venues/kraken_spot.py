"""Kraken spot, WebSocket v2: the codec of the socket, and the book that its checksum proves.

A book message has no sequence number; a CRC32 over the ten best levels of either side, in the exact
digits of the wire, is all there is to notice a loss. So prices and sizes are kept as text beside
their floats. Source: docs.kraken.com, spot-websocket-v2 and book-checksum-v2 (2026-07).
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from zlib import crc32

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, BookLost, BookUpdate, Heard, Notice, Pong, Trade
from basisdesk.venues.reading import (
    PAYLOAD_MAX,
    PRICE_MIN,
    Events,
    Price,
    SizeAtTop,
    bad_frame,
    plain,
)

DEPTH = 10  # levels a side we subscribe to and keep; also what the checksum covers
SYMBOLS_MAX = 1_000  # symbols remembered a connection and channel
PRICE_MAX, SIZE_MAX = 1e9, 1e13

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,23}/[A-Z0-9]{2,10}")
_CODES = {"ticker": 1, "book": 2, "trade": 3}
_CHANNELS = {code: channel for channel, code in _CODES.items()}
_EXPONENTS = re.compile(rb"[eE]")
_PLACES_MAX = 30  # digits after the point; more is no price

Stamp = Annotated[datetime, Meta(tz=True)]


class _Level(msgspec.Struct, gc=False):  # wire shapes: only the fields we read
    price: msgspec.Raw
    qty: msgspec.Raw


class _BookData(msgspec.Struct, gc=False):
    symbol: str
    checksum: Annotated[int, Meta(ge=0, lt=2**32)]
    bids: list[_Level] = []
    asks: list[_Level] = []
    timestamp: Stamp | None = None


class _Book(msgspec.Struct, gc=False):
    type: Literal["snapshot", "update"]
    data: Annotated[list[_BookData], Meta(min_length=1, max_length=1)]


class _TickerData(msgspec.Struct, gc=False):
    symbol: str
    last: Price  # read only so that a garbled message is noticed
    timestamp: Stamp | None = None


class _Tickers(msgspec.Struct, gc=False):
    data: list[_TickerData]


class _TradeData(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: Price
    qty: SizeAtTop
    timestamp: Stamp


class _Trades(msgspec.Struct, gc=False):
    type: Literal["snapshot", "update"]
    data: list[_TradeData]


class _StatusData(msgspec.Struct, gc=False):
    system: str


class _Status(msgspec.Struct, gc=False):
    data: list[_StatusData]


class _Result(msgspec.Struct, gc=False):
    channel: str = ""
    symbol: str = ""


class _Reply(msgspec.Struct, gc=False):
    method: str = ""
    success: bool | None = None
    error: str = ""
    req_id: int | None = None
    symbol: str = ""
    result: _Result | None = None


class _Head(msgspec.Struct, gc=False):
    channel: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_book = msgspec.json.Decoder(_Book).decode
_decode_tickers = msgspec.json.Decoder(_Tickers).decode
_decode_trades = msgspec.json.Decoder(_Trades).decode
_decode_status = msgspec.json.Decoder(_Status).decode
_decode_reply = msgspec.json.Decoder(_Reply).decode


def wire_id(req_id: str, channel: str = "") -> int:
    """Our request id as the venue gets it: times ten, plus the channel's number.

    The venue's refusal names the symbol but not the channel, so the number has to bring it back.
    """
    return int(req_id) * 10 + _CODES.get(channel, 0)


class SpotCodec:
    """Decoder of "kraken.spot". Keeps the books of the symbols it was told of."""

    def __init__(self, conn: str) -> None:
        self.conn = conn
        self.books: dict[str, SpotBook] = {}
        self._names: dict[str, dict[str, tuple[str, str]]] = {"ticker": {}, "trade": {}}
        self._readers = {
            "book": self._book,
            "ticker": self._tickers,
            "trade": self._trades,
            "heartbeat": self._heartbeat,
            "status": self._status,
            "": self._reply,
        }

    def decode(self, payload: bytes) -> Events:
        """Events of one message. Raises BadFrame, and then nothing of the message was kept."""
        if len(payload) > PAYLOAD_MAX:
            raise BadFrame("size", payload)
        try:
            if payload.startswith(b'{"channel":"book"'):
                return self._book(payload)
            read = self._readers.get(_decode_head(payload).channel)
            if read is None:
                raise BadFrame("topic", payload)
            return read(payload)
        except (ValueError, ArithmeticError, RecursionError) as exc:
            raise bad_frame(exc, payload) from None

    def _book(self, payload: bytes) -> Events:
        msg = _decode_book(payload)
        data = msg.data[0]
        book = self.books.get(data.symbol) or self._new_book(data.symbol, payload)
        event = book.take(data, msg.type == "snapshot", payload)
        return () if event is None else (event,)

    def _new_book(self, symbol: str, payload: bytes) -> "SpotBook":
        if len(self.books) >= SYMBOLS_MAX:
            raise BadFrame("topic", payload)
        _check_symbol(symbol, payload)
        book = SpotBook(f"kraken:spot:{symbol}", f"{self.conn}/book:{symbol}")
        self.books[symbol] = book
        return book

    def _tickers(self, payload: bytes) -> Events:
        rows = _decode_tickers(payload).data
        return [
            Heard(self._name("ticker", row.symbol, payload)[1], to_ms(row.timestamp))
            for row in rows
        ]

    def _trades(self, payload: bytes) -> Events:
        msg = _decode_trades(payload)
        events: list[Heard | Trade] = []
        for row in msg.data:
            key, stream = self._name("trade", row.symbol, payload)
            ms = to_ms(row.timestamp)
            if msg.type == "snapshot":  # history, not news
                events.append(Heard(stream, ms))
            else:
                events.append(Trade(key, stream, row.price, row.qty, row.side == "buy", ms))
        return events

    def _name(self, channel: str, symbol: str, payload: bytes) -> tuple[str, str]:
        """(leg key, stream id) of a symbol of a channel."""
        names = self._names[channel]
        found = names.get(symbol)
        if found is None:
            if len(names) >= SYMBOLS_MAX:
                raise BadFrame("topic", payload)
            _check_symbol(symbol, payload)
            found = names[symbol] = f"kraken:spot:{symbol}", f"{self.conn}/{channel}:{symbol}"
        return found

    def _heartbeat(self, _payload: bytes) -> Events:
        return (Pong(self.conn),)

    def _status(self, payload: bytes) -> Events:
        odd = [row.system for row in _decode_status(payload).data if row.system != "online"]
        if not odd:
            return (Pong(self.conn),)
        return tuple(Notice(self.conn, f"Kraken spot is in {plain(each)} mode") for each in odd)

    def _reply(self, payload: bytes) -> Events:
        reply = _decode_reply(payload)
        if reply.method == "pong":
            return (Pong(self.conn),)
        if reply.success is None and not reply.error:
            raise BadFrame("topic", payload)
        number = reply.req_id if reply.req_id is not None and reply.req_id >= 0 else -1
        req_id = str(number // 10) if number >= 0 else ""
        result = reply.result or _Result()
        channel = result.channel or (_CHANNELS.get(number % 10, "") if number >= 0 else "")
        symbol = result.symbol or reply.symbol
        topics = (plain(f"{channel}:{symbol}"),) if channel and symbol else ()
        # "Already subscribed" leaves the first subscription flowing: as good as a yes.
        ok = reply.success is True or "already subscribed" in reply.error.lower()
        return (Ack(self.conn, req_id, ok, plain(reply.error), topics),)


# One side of a book: (checksum text by price, best price first, at most ten; all of it joined).
# A changed side is a new one, so a message is taken whole or not at all.
Side = tuple[dict[float, bytes], bytes]
_EMPTY: Side = ({}, b"")


class SpotBook:
    """The ten best levels a side of one symbol, proven by the checksum of every message.

    places: digits after the point of prices and sizes, as the snapshot had them. valid: a snapshot
    was proven, and every update since. seq: our own count of proven messages; the venue has none.
    """

    __slots__ = ("asks", "bids", "key", "places", "seq", "stream", "valid")

    def __init__(self, key: str, stream: str) -> None:
        self.key = key
        self.stream = stream
        self.bids = self.asks = _EMPTY
        self.places = (0, 0)
        self.seq = 0
        self.valid = False

    def take(self, data: _BookData, snapshot: bool, payload: bytes) -> BookUpdate | BookLost | None:
        """The event of one message; None for an update while no snapshot was proven.

        Levels that fall below the depth are not deleted by the venue: they are cut here and said
        to be gone.
        """
        if snapshot:
            bids = asks = _EMPTY
            places = _places(data.bids, data.asks)
        elif self.valid:
            bids, asks, places = self.bids, self.asks, self.places
        else:
            return None
        said_bids: list[tuple[float, float]] = []
        said_asks: list[tuple[float, float]] = []
        try:
            if data.bids:
                bids = _fold(data.bids, bids, said_bids, places, highest_first=True)
            if data.asks:
                asks = _fold(data.asks, asks, said_asks, places, highest_first=False)
        except (ValueError, ArithmeticError):
            raise BadFrame("number", payload) from None
        venue_ms = to_ms(data.timestamp)
        if crc32(bids[1], crc32(asks[1])) != data.checksum:
            self.bids = self.asks = _EMPTY
            self.valid = False
            return BookLost(self.key, self.stream, "checksum")
        if snapshot:
            said_bids, said_asks = _standing(bids, said_bids), _standing(asks, said_asks)
            self.places, self.valid = places, True
        self.bids, self.asks = bids, asks
        before, self.seq = self.seq, self.seq + 1
        return BookUpdate(
            self.key, self.stream, snapshot, said_bids, said_asks, self.seq, venue_ms, before
        )


def _fold(
    levels: list[_Level],
    side: Side,
    said: list[tuple[float, float]],
    places: tuple[int, int],
    *,
    highest_first: bool,
) -> Side:
    """The side after these levels, in order (one price may come twice), cut to the depth.

    said: takes what was applied, as floats, then the levels that were cut with size 0.
    """
    digits = side[0].copy()
    moved = False
    for level in levels:
        price_text, size_text = bytes(level.price), bytes(level.qty)
        price, size = float(price_text), float(size_text)
        if not (PRICE_MIN <= price < PRICE_MAX and 0.0 <= size < SIZE_MAX):
            raise ValueError("a price or size out of bounds")
        said.append((price, size))
        if size:
            moved = moved or price not in digits
            digits[price] = _digits(price_text, places[0]) + _digits(size_text, places[1])
        elif price in digits:
            del digits[price]
    if moved:
        best = sorted(digits, reverse=highest_first)
        said += [(price, 0.0) for price in best[DEPTH:]]
        digits = {price: digits[price] for price in best[:DEPTH]}
    return digits, b"".join(digits.values())


def _standing(side: Side, said: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What stands of a snapshot's levels, best first."""
    sizes = {price: size for price, size in said if size}
    return [(price, sizes[price]) for price in side[0]]


def _digits(text: bytes, places: int) -> bytes:
    """A number as the checksum wants it: no point, no leading zeros, trailing zeros kept."""
    digits = text.replace(b".", b"")
    if digits.isdigit():
        return digits.lstrip(b"0")
    value = Decimal(text.decode())  # an exponent, rare: spelled out, with the pair's own digits
    return f"{value:.{max(places, _own_places(value))}f}".encode().replace(b".", b"").lstrip(b"0")


def _places(bids: list[_Level], asks: list[_Level]) -> tuple[int, int]:
    """Digits after the point of a snapshot's prices and sizes: the most that any has."""
    levels = bids + asks
    prices = max((_places_of(bytes(level.price)) for level in levels), default=0)
    return prices, max((_places_of(bytes(level.qty)) for level in levels), default=0)


def _places_of(text: bytes) -> int:
    return 0 if _EXPONENTS.search(text) else len(text.partition(b".")[2])


def _own_places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -_PLACES_MAX <= exponent <= _PLACES_MAX:
        raise ValueError("an exponent out of bounds")
    return max(0, -exponent)


def to_ms(stamp: datetime | None) -> int:
    """Milliseconds of an RFC 3339 stamp (finer digits are cut off); 0 for none."""
    if stamp is None:
        return 0
    # A float64 of seconds is good to a quarter of a microsecond, so a whole ms may come as .99975.
    ms = int(stamp.timestamp() * 1000.0 + 0.0005)
    if not 0 <= ms <= 10**14:
        raise BadFrame("number", str(stamp).encode())
    return ms


def _check_symbol(symbol: str, payload: bytes) -> None:
    if not _SYMBOL.fullmatch(symbol):
        raise BadFrame("symbol", payload)
