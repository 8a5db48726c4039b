"""At the door of the exchange: options that cannot be, certificates, and HTTP answers."""

import http
import ssl
from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Response

from basisdesk.demo.faults import Fault
from basisdesk.demo.listings import by_symbol
from basisdesk.demo.options import DemoOptions
from basisdesk.errors import UserError

SPEED_RANGE = (0.01, 3600.0)
RATE_RANGE = (0.1, 10_000.0)


def turned_away(fault: Fault, conn: str, now_s: float) -> Response:
    """The answer of an "http_status" fault; 429 and 418 say how long it lasts."""
    status = int(fault.number(429))
    if status not in {known.value for known in http.HTTPStatus}:
        status = 500
    extra = {}
    if status in (418, 429):
        extra["Retry-After"] = str(max(1, -int(now_s - fault.end_s)))
    if 300 <= status < 400:
        scheme = "https" if conn.endswith(".rest") else "wss"
        extra["Location"] = f"{scheme}://elsewhere.invalid/"
    return response(status, b'{"msg":"simulated"}', extra)


def response(status: int, body: bytes, extra: dict[str, str] | None = None) -> Response:
    """A whole HTTP answer; the connection ends with it."""
    headers: dict[str, Any] = {
        "Content-Type": "application/json" if body[:1] in (b"{", b"[") else "text/plain",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **(extra or {}),
    }
    return Response(status, http.HTTPStatus(status).phrase, Headers(headers), body)


def tls_context(options: DemoOptions) -> ssl.SSLContext | None:
    """What the server proves itself with; None for plain sockets. Raises UserError."""
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise UserError("--tls-cert and --tls-key belong together: name both files.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as exc:  # ssl's errors are OSErrors
        raise UserError(
            f"The certificate {options.tls_cert} with the key {options.tls_key} cannot be used: "
            f"{exc.strerror or exc}."
        ) from exc
    return context


def check_options(options: DemoOptions) -> None:
    """Raises UserError for options that no type can refuse."""
    low, high = SPEED_RANGE
    if not low <= options.speed <= high:
        raise UserError(f"--speed {options.speed:g} is outside {low:g} to {high:g}.")
    low, high = RATE_RANGE
    if not low <= options.rate <= high:
        raise UserError(f"--rate {options.rate:g} is outside {low:g} to {high:g}.")
    if not 0 <= options.seed <= 2**31:
        raise UserError(f"--seed {options.seed} is outside 0 to {2**31}.")
    known = by_symbol("bybit", "perp")
    if options.symbol not in known:
        raise UserError(f"--symbol {options.symbol} is not simulated. Known: {', '.join(known)}.")
    if options.epoch_ms is not None and not 10**12 <= options.epoch_ms < 10**13:
        raise UserError(f"--epoch-ms {options.epoch_ms} is not a time in ms between 2001 and 2286.")
