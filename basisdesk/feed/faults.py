"""What went wrong with a connection, in plain words, and how long to stay away for it."""

import re
import socket
import ssl
from collections.abc import Callable
from typing import Any, Literal

import httpcore
import msgspec
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    SecurityError,
)

TOLD_TO_GO = frozenset({403, 418, 429, 451})
# What an HTTP call raises when it fails; `fault_of` has the words. Time-outs are OSErrors.
CALL_ERRORS = (
    OSError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    httpcore.ProxyError,
)
TEXT_MAX = 120  # characters of a venue's own words that are shown
_CODES = {
    1000: "normal close",
    1001: "going away",
    1006: "lost without a close frame",
    1008: "policy",
    1009: "message too big",
    1011: "venue error",
    1012: "restarting",
    1013: "try later",
}


class Fault(msgspec.Struct, frozen=True):
    """Why a connection ended. how: "retry" backs off, "cool" cools down, "tls" waits minutes.

    "away": nobody was reached at all, so trying again soon costs nobody anything.
    "odd": only this one address or call makes no sense; the venue is there.
    "yielded": nothing is wrong, we ended the call ourselves for a more urgent one.
    after_s: the wait the venue itself asked for, 0 when it did not.
    """

    reason: str
    how: Literal["retry", "away", "cool", "tls", "odd", "yielded"] = "retry"
    after_s: float = 0.0


def fault_of(exc: BaseException) -> Fault:
    """The fault an exception of a connect, a read or an HTTP request stands for."""
    for kind, words in _WORDS.items():
        if isinstance(exc, kind):
            return words(exc)
    return Fault(f"{type(exc).__name__}: {clean(str(exc))}")


def http_fault(status: int, retry_after: str | None) -> Fault:
    """The fault an HTTP status stands for; retry_after: the header, honoured when in seconds."""
    if 300 <= status < 400:
        return Fault(f"redirected (HTTP {status}), not followed", "cool")
    if status not in TOLD_TO_GO:
        broken = status >= 500
        word = "venue error" if broken else "no such thing"
        return Fault(f"{word} (HTTP {status})", "retry" if broken else "odd")
    words = {429: "too many requests", 418: "banned for a while", 451: "region not allowed"}
    word = words.get(status, "not allowed")
    asked = (retry_after or "").strip()
    after_s = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0.0
    return Fault(f"{word} (HTTP {status})", "cool", min(after_s, 86_400.0))


def clean(text: str) -> str:
    """Words from outside as they may be shown: printable, no markup, short."""
    kept = "".join(c if c.isprintable() and c not in "<>&" else " " for c in text[: 4 * TEXT_MAX])
    return " ".join(kept.split())[:TEXT_MAX]


def _closed(exc: ConnectionClosed) -> Fault:
    if exc.sent is not None and not exc.rcvd_then_sent:  # a frame broke the protocol or our limits
        return Fault(f"we closed it: {_code(exc.sent.code)}")
    if exc.rcvd is None:
        return Fault("connection lost")
    said = clean(exc.rcvd.reason)
    return Fault(f"closed by venue: {_code(exc.rcvd.code)}" + (f", {said}" if said else ""))


def _status(exc: InvalidStatus) -> Fault:
    return http_fault(exc.response.status_code, exc.response.headers.get("Retry-After"))


def _tls(exc: ssl.SSLError) -> Fault:
    if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return Fault("closed during the TLS handshake")
    if isinstance(exc, ssl.SSLCertVerificationError):
        said = getattr(exc, "verify_message", "") or str(exc)  # absent when made in Python
        return Fault(f"blocked, TLS certificate: {clean(said)}", "tls")
    return Fault(f"blocked, TLS: {clean(getattr(exc, 'reason', '') or str(exc))}", "tls")


def _proxy(exc: Exception) -> Fault:
    """The proxy answered, and would not; its words hold the status, never our password."""
    status = re.search(r"\b[1-5]\d\d\b", str(exc))
    return Fault(f"proxy refused (HTTP {status.group()})" if status else "proxy gave no answer")


def _handshake(exc: InvalidHandshake) -> Fault:
    if isinstance(exc.__cause__, EOFError | OSError):
        return Fault("closed before the handshake")
    return Fault(f"not a WebSocket answer: {clean(str(exc))}")


def _call(exc: Exception) -> Fault:
    """What the socket said, at the bottom of the chain; httpcore and anyio wrap it in words."""
    said: OSError | None = None
    cause: BaseException | None = exc
    while cause is not None:
        said = cause if isinstance(cause, OSError) else said
        cause = cause.__cause__ or cause.__context__
    return fault_of(said) if said is not None else Fault(f"broken answer: {type(exc).__name__}")


def _code(code: int) -> str:
    return f"{code} {_CODES[code]}" if code in _CODES else str(code)


def _os_words(exc: OSError) -> str:
    if "Multiple exceptions" in str(exc):  # one refusal for each address of the host
        return "refused at every address"
    return f"network: {clean(exc.strerror or str(exc) or type(exc).__name__)}"


_WORDS: dict[type[BaseException], Callable[[Any], Fault]] = {  # the first that fits
    **dict.fromkeys(CALL_ERRORS[1:], _call),
    ssl.SSLError: _tls,
    socket.gaierror: lambda _: Fault("name lookup failed", "away"),
    ConnectionRefusedError: lambda _: Fault("refused", "away"),
    TimeoutError: lambda _: Fault("timed out", "away"),
    ConnectionError: lambda exc: Fault(_os_words(exc)),  # reset: somebody was there
    ConnectionClosed: _closed,
    InvalidStatus: _status,
    SecurityError: lambda exc: Fault(f"redirect refused: {clean(str(exc))}", "cool"),
    InvalidProxy: lambda _: Fault("proxy address cannot be used", "tls"),  # its words hold it all
    ProxyError: _proxy,
    httpcore.ProxyError: _proxy,
    InvalidHandshake: _handshake,
    ValueError: lambda exc: Fault(f"redirect refused: {clean(str(exc))}", "cool"),
    OSError: lambda exc: Fault(_os_words(exc), "away"),
}
