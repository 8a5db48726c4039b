"""Messages spoilt on purpose, whatever venue's words they are in. Pure."""

import re
from collections.abc import Sequence

from basisdesk.demo.faults import Faults
from basisdesk.demo.wire import Topic

HUGE_BYTES = 5 << 20
DEEP = 100_000
EVERY = 3  # each third message is spoilt, so that good ones remain to tell the difference
BAD = (b"nan", b"1e999", b"0", b"-1", b"1e308", b"Infinity", b"1e-400", b"1_000", b" 12 ")
TYPES = (b"null", b"{}", b"[]", b"true", b'"none"', b"[1,2,3]")

GARBAGE: tuple[bytes, ...] = (
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":17',
    b"\x00\x01\x02 not json",
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":1,"data":{"s":"ADAUSDT",'
    b'"b":[["nan","1"]],"a":[["-1","1"]],"u":2,"seq":2},"cts":1}',
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":1,"data":{"s":"ADAUSDT",'
    b'"b":[[0.5,1]],"a":"none","u":"x","seq":2},"cts":1}',
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":1,"data":{"s":"ADAUSDT",'
    b'"b":[["1e999","1"]],"a":[["0","0"]],"u":2,"seq":2},"cts":1}',
    b'{"topic":"tickers.NOPEUSDT","type":"delta","data":{"symbol":"NOPEUSDT"},"ts":1}',
    b"[]",
    b"",
    b'{"stream":"adausdt@bookTicker","data":{"u":"x","s":"ADAUSDT","b":{},"a":null}}',
    b'{"arg":{"channel":"books","instId":"ADA-USDT"},"action":"update","data":[{}]}',
    b'{"channel":"book","type":"update","data":[{"symbol":"ADA/USD","bids":[{"price":"x"}]}]}',
    b'{"feed":"book","product_id":"PF_ADAUSD","side":"both","seq":-1,"price":0,"qty":-1}',
)

_NUMBER = re.compile(rb"(?<=[:\[\"])-?\d+\.\d+(?:e-?\d+)?")
_VALUE = re.compile(rb'(?<=[:\[,])("[^"\\]*"|-?\d+(?:\.\d+)?)(?=[,\]}])')
_KINDS = (
    "bad_numbers",
    "wrong_types",
    "unknown_topic",
    "malformed",
    "garbage",
    "duplicate",
    "swap",
)


class Tamper:
    """Spoils the messages of one topic while a fault is on. One per topic and connection."""

    __slots__ = ("_count", "_held", "drop")

    def __init__(self) -> None:
        self._count = 0
        self._held: bytes | None = None
        self.drop = 0  # so many of the next messages get lost

    def mangled(
        self, faults: Faults, conn: str, topic: Topic, base: str, messages: Sequence[bytes]
    ) -> list[bytes]:
        """The messages as they go out."""
        out = list(messages)
        while self.drop and out:
            out.pop(0)
            self.drop -= 1
        on = {fault.kind for fault in faults.on if fault.hits(conn, topic.symbol, base)}
        for kind in _KINDS:
            if kind in on and out:
                out = self._done(kind, topic, out)
        if self._held is not None and "swap" not in on:
            out.append(self._held)
            self._held = None
        return out

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do once all faults are over."""
        return self._held is None and not self.drop

    def _done(self, kind: str, topic: Topic, messages: list[bytes]) -> list[bytes]:
        if kind == "duplicate":
            return [message for message in messages for _ in range(2)]
        if kind == "swap":
            return self._swapped(messages)
        out = []
        for message in messages:
            self._count += 1
            if self._count % EVERY:
                out.append(message)
            elif kind in ("garbage", "unknown_topic"):
                out += [message, self._extra(kind, topic, message)]
            else:
                out.append(self._spoilt(kind, message))
        return out

    def _swapped(self, messages: list[bytes]) -> list[bytes]:
        out = []
        for message in messages:
            if self._held is None:
                self._held = message
            else:
                out += [message, self._held]
                self._held = None
        return out

    def _extra(self, kind: str, topic: Topic, message: bytes) -> bytes:
        if kind == "garbage":
            return GARBAGE[self._count // EVERY % len(GARBAGE)]
        symbol = topic.symbol.encode()
        nope = b"NOPE" + symbol[4:]
        renamed = message.replace(symbol, nope)
        return renamed.replace(symbol.lower(), nope.lower())

    def _spoilt(self, kind: str, message: bytes) -> bytes:
        turn = self._count // EVERY
        if kind == "malformed":
            if turn % 5 == 4:
                return b"[" * DEEP
            return message[: len(message) // 2] + (b"\xff\xfe" if turn % 5 == 3 else b"")
        pattern, bad = (_NUMBER, BAD) if kind == "bad_numbers" else (_VALUE, TYPES)
        found = list(pattern.finditer(message))
        if not found:
            return message
        hit = found[turn % len(found)]
        return message[: hit.start()] + bad[turn % len(bad)] + message[hit.end() :]


def huge() -> bytes:
    """A message that is too large for anyone."""
    return b'{"topic":"huge","data":"' + b"x" * HUGE_BYTES + b'"}'


def notice(conn: str, now_ms: int) -> bytes | None:
    """How the venue announces that it will close a connection; None where it says nothing.

    Binance: serverShutdown, docs of 2026-07 (since 2026-05-08). OKX: 64008, 60 s ahead.
    """
    if conn.startswith("binance."):
        event = b'{"e":"serverShutdown","E":%d}' % now_ms
        return b'{"stream":"!serverShutdown","data":%s}' % event
    if conn.startswith("okx."):
        return (
            b'{"event":"notice","code":"64008","msg":"The connection will soon be closed for a '
            b'service upgrade. Please reconnect.","connId":"demo"}'
        )
    return None
