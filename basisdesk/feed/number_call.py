"""Asks an address of the user's own for a small JSON answer: https, verified, few, bounded.

A redirect is not followed, to no scheme and no host; an answer that is larger than it may be is
left where it is. An address may hold a key in its path, so only its host is ever shown.
"""

import asyncio
import ssl
from functools import cache
from urllib.parse import SplitResult, urlsplit

import certifi
import httpcore

from basisdesk.feed.call_trace import CallTrace
from basisdesk.feed.faults import CALL_ERRORS, Fault, fault_of, http_fault
from basisdesk.feed.names import Names
from basisdesk.feed.shared import LOOPBACK

CALL_S_MAX = 10.0  # for all of it: name, handshake, answer
ANSWER_BYTES_MAX = 1_000_000
URL_MAX = 500
EVERY_S_MIN = 10.0  # between two calls of one address, whatever the settings say


def url_problem(url: str) -> str:
    """Why this address is not asked, one sentence; "" when it may be.

    Plain http will do to this machine by its number, for tests.
    """
    parts = _split(url)
    if parts is None:
        return "The address cannot be read. Give https://HOST/PATH in plain characters."
    if parts.username is not None or parts.password is not None:
        return "The address must not hold a user name or a password."
    own = parts.scheme == "http" and (parts.hostname or "") in LOOPBACK - {"localhost"}
    if parts.scheme != "https" and not own:
        return "The address must begin with https://."
    return ""


def host_of(url: str) -> str:
    """The host of an address, for the screen; "" where there is none."""
    parts = _split(url)
    return "" if parts is None else parts.hostname or ""


async def ask(
    url: str, *, tls: ssl.SSLContext | None = None, names: Names | None = None
) -> bytes | Fault:
    """The body of the answer, or what went wrong. tls, names: for tests."""
    if problem := url_problem(url):
        return Fault(problem, "odd")
    try:
        async with (
            asyncio.timeout(CALL_S_MAX),
            httpcore.AsyncConnectionPool(
                ssl_context=tls or _trust(), max_connections=1, max_keepalive_connections=0
            ) as client,
        ):
            return await _get(client, urlsplit(url), names or Names())
    except CALL_ERRORS as exc:
        return fault_of(exc)


async def _get(
    client: httpcore.AsyncConnectionPool, parts: SplitResult, names: Names
) -> bytes | Fault:
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = (await names.addresses(host, port))[0]
    literal = f"[{address}]" if ":" in address else address
    more: dict[str, object] = {"sni_hostname": host} if secure else {}
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    async with client.stream(
        "GET",
        f"{parts.scheme}://{literal}:{port}{target}",
        headers=[
            ("Host", parts.netloc),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "basisdesk"),
        ],
        extensions=more | {"trace": CallTrace().note},
    ) as response:
        if not 200 <= response.status < 300:
            told = {name.lower(): value for name, value in response.headers}
            asked = told.get(b"retry-after", b"").decode("latin-1")
            return http_fault(response.status, asked)
        body = bytearray()
        async for part in response.aiter_stream():
            body += part
            if len(body) > ANSWER_BYTES_MAX:
                mb = ANSWER_BYTES_MAX // 1_000_000
                return Fault(f"the answer is larger than {mb} MB", "odd")
        return bytes(body)


def _split(url: str) -> SplitResult | None:
    if not url or len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname else None


@cache
def _trust() -> ssl.SSLContext:
    """The system's trust store; certifi's where the system has none."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context
